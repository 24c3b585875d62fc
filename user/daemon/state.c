/* SPDX-License-Identifier: Apache-2.0 */
/* A lock on an open file goes with the process that holds it, however it dies: nothing is ever left locked. */
#include "daemon/state.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

enum { NEST_MAX = 64, BUSY_TRIES = 30, BUSY_PAUSE_US = 100000 };

const char *state_file(const struct state *state, const char *name, char ret[PATH_MAX])
{
	if (snprintf(ret, PATH_MAX, "%s/%s", state->path, name) >= PATH_MAX)
		ret[0] = 0;
	return ret;
}

static int make_folders(const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int folder_take(const char *path, struct state *ret)
{
	CLEANUP_FD int fd = -1;
	char lock[PATH_MAX];
	int r = make_folders(path);

	if (r < 0)
		return r;
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	fd = open(state_file(ret, "lock", lock), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	ret->lock_fd = TAKE_FD(fd);
	return 0;
}

static int key_load(const char *folder, struct state *state)
{
	char path[PATH_MAX];
	CLEANUP_FD int fd = -1;

	if (snprintf(path, sizeof(path), "%s/node.key", folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (read(fd, state->node_key, sizeof(state->node_key)) == sizeof(state->node_key))
		return 0;
	if (getrandom(state->node_key, sizeof(state->node_key), 0) != sizeof(state->node_key))
		return -EIO;
	if (pwrite(fd, state->node_key, sizeof(state->node_key), 0) != sizeof(state->node_key))
		return errno ? -errno : -EIO;
	return fsync(fd) < 0 ? -errno : 0;
}

static const char *open_error(int r)
{
	switch (r) {
	case -EBUSY:
		return "another spantap uses this state directory: stop it, or give --state-dir another one";
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return "the state directory cannot be written: run as root, or give --state-dir one that can";
	case -ENOSPC:
		return "no space left for the state directory: free some, or give --state-dir another place";
	default:
		return "the state directory cannot be used: see --state-dir";
	}
}

int state_open(const char *path, bool may_nest, struct state *ret, const char **ret_error)
{
	char nested[PATH_MAX];
	int r;

	*ret = (struct state){ .lock_fd = -1 };
	r = folder_take(path, ret);
	/* The reader of a tracer that was killed holds the lock until it has put what it had into the spool. */
	for (int i = 0; r == -EBUSY && !may_nest && i < BUSY_TRIES; i++) {
		usleep(BUSY_PAUSE_US);
		r = folder_take(path, ret);
	}
	for (int i = 0; r == -EBUSY && may_nest && i < NEST_MAX; i++) {
		if (snprintf(nested, sizeof(nested), "%s/run-%d", path, i) >= (int)sizeof(nested))
			break;
		r = folder_take(nested, ret);
	}
	if (r == 0)
		r = key_load(ret->path, ret);
	if (r < 0)
		*ret_error = open_error(r);
	return r;
}

void state_close(struct state *state)
{
	if (state->lock_fd >= 0)
		close(TAKE_FD(state->lock_fd));
}

void state_secret(const uint64_t node_key[2], uint8_t ret[32])
{
	static const char purpose[] = "spantap fingerprint";
	unsigned len = 32;

	HMAC(EVP_sha256(), node_key, 16, (const unsigned char *)purpose, sizeof(purpose) - 1, ret, &len);
}

int64_t state_unix_offset_ns(void)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &real);
	return (real.tv_sec - boot.tv_sec) * 1000000000ll + (real.tv_nsec - boot.tv_nsec);
}

void state_ids(const struct state *state, struct event_file_head *ret)
{
	*ret = (struct event_file_head){ .node_key = { state->node_key[0], state->node_key[1] } };
	ret->unix_offset_ns = state_unix_offset_ns();
	if (gethostname(ret->host, sizeof(ret->host) - 1) < 0)
		snprintf(ret->host, sizeof(ret->host), "localhost");
}
