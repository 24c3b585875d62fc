/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder /proc/PID is opened once and all is read through it: it stays that process's folder, and reads fail after
 * its end, however soon the number is given to another. Whatever cannot be read (another user's exe, a zombie's
 * arguments) is left empty; only a process that is gone is an error.
 */
#include "meta/procfs.h"
#include "base/cleanup.h"
#include "meta/cgroup.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

static int folder_open(uint32_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32, pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

/* At most @size - 1 bytes and a NUL behind them; the number of bytes, 0 when there are none to be had. */
static size_t text_read(int folder, const char *name, char *to, size_t size)
{
	int fd CLEANUP_FD = openat(folder, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	while (fd >= 0 && len < size - 1) {
		ssize_t r = read(fd, to + len, size - 1 - len);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		len += (size_t)r;
	}
	to[len] = '\0';
	return len;
}

/* "PID (name) S PPID …": the name may hold spaces and parentheses, so the last one counts. Start time is field 22. */
static int stat_read(int folder, struct procfs_facts *ret)
{
	char text[1024], *name, *rest;
	unsigned long long start;
	long ticks = sysconf(_SC_CLK_TCK);

	if (!text_read(folder, "stat", text, sizeof(text)))
		return -ESRCH;
	name = strchr(text, '(');
	rest = strrchr(text, ')');
	if (!name || !rest || rest < name || ticks <= 0)
		return -ESRCH;
	if (sscanf(rest + 1,
		   " %*c %" SCNu32 " %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &ret->parent_pid, &start) != 2)
		return -ESRCH;
	snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)(rest - name - 1), name + 1);
	ret->start_ns = start * (1000000000ULL / (unsigned long)ticks);
	return 0;
}

/* A user is never guessed: number 0 would be root. */
static int uid_read(int folder, struct procfs_facts *ret)
{
	char text[4096];
	const char *line;

	text_read(folder, "status", text, sizeof(text));
	line = strstr(text, "\nUid:");
	return line && sscanf(line, "\nUid: %" SCNu32, &ret->uid) == 1 ? 0 : -ESRCH;
}

static void exe_read(int folder, struct procfs_facts *ret)
{
	static const char deleted[] = " (deleted)";
	ssize_t len = readlinkat(folder, "exe", ret->exe, sizeof(ret->exe) - 1);
	struct slice exe = { ret->exe, len > 0 ? (size_t)len : 0 };

	if (slice_ends(exe, SLICE(deleted)))
		exe.len -= sizeof(deleted) - 1;
	ret->exe[exe.len] = '\0';
}

/* A program that writes its own title leaves NULs behind it; empty arguments at the end are not told from those. */
static void args_read(int folder, struct procfs_facts *ret)
{
	size_t len = text_read(folder, "cmdline", ret->args, sizeof(ret->args));

	while (len && !ret->args[len - 1])
		len--;
	ret->args_len = len ? len + 1 : 0;
}

static void cgroup_read(int folder, struct procfs_facts *ret)
{
	char text[2 * PROCFS_PATH_MAX];
	size_t len = text_read(folder, "cgroup", text, sizeof(text));
	struct slice path = cgroup_path((struct slice){ text, len });

	snprintf(ret->cgroup, sizeof(ret->cgroup), "%.*s", SLICE_FMT(path));
}

int procfs_read(uint32_t pid, struct procfs_facts *ret)
{
	int folder CLEANUP_FD = folder_open(pid);
	int r;

	memset(ret, 0, sizeof(*ret));
	if (folder < 0)
		return folder;
	r = stat_read(folder, ret);
	if (r == 0)
		r = uid_read(folder, ret);
	if (r < 0)
		return r;
	exe_read(folder, ret);
	args_read(folder, ret);
	cgroup_read(folder, ret);
	return 0;
}

uint64_t procfs_start_ns(uint32_t pid)
{
	int folder CLEANUP_FD = folder_open(pid);
	struct procfs_facts facts;

	return folder >= 0 && stat_read(folder, &facts) == 0 ? facts.start_ns : 0;
}
