/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is opened once, read through that descriptor, and probed through /proc/self/fd: what was examined is what is probed,
 * whatever happens to its name meanwhile.
 *
 * What is written anew under a probe must lose it at once: the kernel would put breakpoints where they were, into other
 * instructions, and who maps the file next would die of them. So files with probes are watched for writing.
 *
 * Probes belong to an inode. In each container that has it from its image the same file has another device and number (overlayfs),
 * and the inode below is one: probed twice, it would tell everything twice. So files may share their probes.
 */
#include "probe/files.h"
#include "base/log.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uthash.h>

enum { LOOK_AGAIN_S = 8, LOOK_AGAIN_MAX_S = 1024, LOOK_UNHELD_S = 120 };

/* What differs when a file was written, and not when its name or owner changed. */
struct content {
	uint64_t size, written_ns;
};

/* Of one inode, and of all files that lead to it. */
struct probes {
	struct link *links;
	size_t count; /* 0: taken away */
	unsigned users;
};

struct file {
	struct file_id id;
	uint64_t changed_ns;
	struct content content;
	int watch; /* of inotify; -1: none */
	bool is_suspect;
	unsigned look_again_s; /* a deleted file that is mapped is looked for ever more seldom */
	uint64_t look_at_ns;
	struct probe_target target;
	struct site_set *sites; /* NULL: no TLS in it */
	char *path;
	struct probes *probes; /* most files have none */
	UT_hash_handle hh;
};

struct files {
	struct kernel *kernel;
	struct file *by_id;
	struct file *newest;
	int inotify_fd; /* -1: none; then a file is looked at every now and then */
};

struct file_id file_id_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return (struct file_id){ 0 };
	return (struct file_id){ .device = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev), .inode = st.st_ino };
}

static uint64_t changed_ns(const struct stat *st)
{
	return (uint64_t)st->st_ctim.tv_sec * 1000000000ull + (uint64_t)st->st_ctim.tv_nsec;
}

static struct content content_of(const struct stat *st)
{
	return (struct content){ (uint64_t)st->st_size,
				 (uint64_t)st->st_mtim.tv_sec * 1000000000ull + (uint64_t)st->st_mtim.tv_nsec };
}

static bool is_written(const struct file *file, const struct stat *st)
{
	const struct content now = content_of(st);

	return memcmp(&file->content, &now, sizeof(now)) != 0;
}

int files_new(struct kernel *kernel, struct files **ret)
{
	struct files *files = calloc(1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	files->kernel = kernel;
	files->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (files->inotify_fd < 0)
		log_debug("no inotify: a library that is written anew keeps its probes for some seconds");
	*ret = files;
	return 0;
}

static bool is_probed(const struct file *file)
{
	return file->probes && file->probes->count;
}

static void probes_take(struct file *file)
{
	struct probes *probes = file->probes;

	for (size_t i = 0; probes && i < probes->count; i++)
		link_close(&probes->links[i]);
	if (probes)
		probes->count = 0;
	file->target.attached = 0;
}

static void probes_leave(struct file *file)
{
	struct probes *probes = file->probes;

	file->probes = NULL;
	if (!probes || --probes->users)
		return;
	for (size_t i = 0; i < probes->count; i++)
		link_close(&probes->links[i]);
	free(probes->links);
	free(probes);
}

static void file_free(struct file *file)
{
	probes_leave(file);
	free(file->sites);
	free(file->path);
	free(file);
}

struct files *files_free(struct files *files)
{
	struct file *file, *next;

	if (!files)
		return NULL;
	HASH_ITER(hh, files->by_id, file, next) {
		HASH_DEL(files->by_id, file);
		file_free(file);
	}
	if (files->inotify_fd >= 0)
		close(files->inotify_fd);
	free(files);
	return NULL;
}

static struct file *file_find(const struct files *files, struct file_id id)
{
	struct file *file;

	HASH_FIND(hh, files->by_id, &id, sizeof(id), file);
	return file;
}

bool files_known(const struct files *files, struct file_id id)
{
	return file_find(files, id) != NULL;
}

bool files_is_target(const struct files *files, struct file_id id)
{
	const struct file *file = file_find(files, id);

	return file && file->sites;
}

const struct probe_target *files_newest(const struct files *files)
{
	return files->newest ? &files->newest->target : NULL;
}

static bool path_leads_to(const char *path, struct file_id id, struct stat *ret)
{
	return stat(path, ret) == 0 && ret->st_ino == id.inode &&
	       ((uint64_t)major(ret->st_dev) << 32 | minor(ret->st_dev)) == id.device;
}

/* By its name as we see it, or as the process in which it was found does. */
static bool file_is_there(const struct file *file, struct stat *ret)
{
	char path[PATH_MAX + 32];

	if (path_leads_to(file->path, file->id, ret))
		return true;
	snprintf(path, sizeof(path), "/proc/%u/root%s", file->target.seen_in_pid, file->path);
	return file->target.seen_in_pid && path_leads_to(path, file->id, ret);
}

/* Others go on with its probes. */
static bool is_shared(const struct file *file)
{
	return file->probes && file->probes->users > 1;
}

/* What is written in a container becomes a file of its own there: then the inode below is as it was, and others lead to it. */
static bool is_left_to_others(const struct files *files, const struct file *file)
{
	struct file *other, *next;
	struct stat st;

	HASH_ITER(hh, files->by_id, other, next)
		if (other != file && other->probes == file->probes && file_is_there(other, &st) &&
		    !is_written(other, &st))
			return true;
	return false;
}

/* Of the bytes that were read nothing is known until somebody maps them again. */
static void file_rewritten(struct files *files, struct file *file)
{
	const struct probes *probes = file->probes;
	struct file *other, *next;

	log_debug("taking the probes from %s, which is written anew", file->path);
	if (is_shared(file) && is_left_to_others(files, file)) {
		probes_leave(file);
		file->changed_ns = 0;
		file->target.attached = 0;
		file->target.why_not = "it is being written";
		return;
	}
	HASH_ITER(hh, files->by_id, other, next) {
		if (other != file && (!probes || other->probes != probes))
			continue;
		other->changed_ns = 0;
		other->target.attached = 0;
		other->target.why_not = "it is being written";
	}
	probes_take(file);
}

static const char *why_unreadable(const struct files *files, const struct site_set *sites)
{
	if (sites->why_not)
		return sites->why_not;
	if (sites->family == SITE_FAMILY_RUSTLS && !sites->count)
		return "it holds rustls, but not on AWS-LC (on ring, then): this version cannot read it";
	if (sites->count && !files->kernel->has_all)
		return "this kernel refuses the programs that read it: a newer one takes them";
	if (sites->family == SITE_FAMILY_RUSTLS && !files->kernel->has_sockets)
		return "it holds rustls, which needs Linux 6.3 to be read";
	return "it holds a TLS library that this version cannot read";
}

/* As many as were made, kept in @file. */
static int links_make(struct files *files, struct file *file, const char *path)
{
	struct link made[KERNEL_LINKS_MAX];
	int n = kernel_attach(files->kernel, file->sites, path, made, &file->target.attached);
	struct probes *probes = n > 0 ? calloc(1, sizeof(*probes)) : NULL;

	if (n <= 0)
		return n;
	if (probes)
		probes->links = malloc((size_t)n * sizeof(*made));
	if (!probes || !probes->links) {
		for (int i = 0; i < n; i++)
			link_close(&made[i]);
		free(probes);
		return -ENOMEM;
	}
	memcpy(probes->links, made, (size_t)n * sizeof(*made));
	probes->count = (size_t)n;
	probes->users = 1;
	file->probes = probes;
	return n;
}

/* What is mapped shows the probes of its inode, what is read does not. Looked at by a system call, for the file may be cut meanwhile. */
static bool shows_probe(int fd, uint64_t offset)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), at = (size_t)(offset % page), len = MIN(4, page - at);
	char *mapping = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, (off_t)(offset - at));
	char mapped[4], written[4];
	struct iovec to = { mapped, len }, from = { mapping + at, len };
	bool differs;

	if (mapping == MAP_FAILED)
		return false;
	differs = process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)len &&
		  pread(fd, written, len, (off_t)offset) == (ssize_t)len && memcmp(mapped, written, len) != 0;
	munmap(mapping, page);
	return differs;
}

static bool are_alike(const struct file *one, const struct file *other)
{
	if (memcmp(&one->content, &other->content, sizeof(one->content)) != 0 ||
	    one->sites->count != other->sites->count)
		return false;
	for (size_t i = 0; i < one->sites->count; i++)
		if (one->sites->sites[i].role != other->sites->sites[i].role ||
		    one->sites->sites[i].offset != other->sites->sites[i].offset)
			return false;
	return true;
}

/* Another file, already probed, of the same inode: its probes are seen here, all of them. A copy has none, or those of others. */
static struct file *file_below(const struct files *files, const struct file *file, int fd)
{
	struct file *other, *next;

	HASH_ITER(hh, files->by_id, other, next) {
		unsigned shown = 0;

		if (other == file || !is_probed(other) || !are_alike(file, other))
			continue;
		for (size_t i = 0; i < file->sites->count; i++)
			shown += shows_probe(fd, file->sites->sites[i].offset);
		if (shown >= other->target.attached)
			return other;
	}
	return NULL;
}

static int probes_make(struct files *files, struct file *file, int fd, const char *path)
{
	struct file *below = file_below(files, file, fd);

	if (!below)
		return links_make(files, file, path);
	log_debug("%s is %s in another place: it has its probes", file->path, below->path);
	file->probes = below->probes;
	file->probes->users++;
	file->target.attached = below->target.attached;
	return (int)file->probes->count;
}

static void file_attach(struct files *files, struct file *file, int fd)
{
	char path[40];
	struct stat st;
	int n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (files->inotify_fd >= 0)
		file->watch = inotify_add_watch(files->inotify_fd, path, IN_MODIFY | IN_CLOSE_WRITE);
	n = probes_make(files, file, fd, path);
	if (n < 0) {
		log_debug("no probes on %s: %s", file->path, strerror(-n));
		file->target.why_not = "the kernel refused a probe: is it on a file system without uprobes?";
		return;
	}
	if (!n)
		file->target.why_not = why_unreadable(files, file->sites);
	/* Written since it was read, and before it was watched. */
	if (fstat(fd, &st) == 0 && is_written(file, &st))
		file_rewritten(files, file);
}

static int file_examine(struct file *file, int fd)
{
	struct site_set sites = { 0 };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	file->changed_ns = changed_ns(&st);
	file->content = content_of(&st);
	r = site_find(fd, &sites);
	if (r == -ENOEXEC)
		return 0;
	if (r < 0)
		return r;
	if (!sites.count && sites.family == SITE_FAMILY_NONE)
		return 0;
	file->sites = malloc(sizeof(*file->sites));
	if (!file->sites)
		return -ENOMEM;
	*file->sites = sites;
	file->target.sites = file->sites;
	return 0;
}

int files_add(struct files *files, struct file_id id, int fd, const char *path, uint32_t pid)
{
	struct file *file;
	int r;

	if (!id.inode || files_known(files, id))
		return 0;
	file = calloc(1, sizeof(*file));
	if (!file || !(file->path = strdup(path))) {
		free(file);
		return -ENOMEM;
	}
	file->id = id;
	file->watch = -1;
	file->target.path = file->path;
	file->target.seen_in_pid = pid;
	r = file_examine(file, fd);
	if (r < 0) {
		file_free(file);
		return r;
	}
	HASH_ADD(hh, files->by_id, id, sizeof(file->id), file);
	if (!file->sites)
		return 0;
	file_attach(files, file, fd);
	files->newest = file;
	return 1;
}

void files_each(const struct files *files, void (*each)(void *user, const struct probe_target *target), void *user)
{
	struct file *file, *next;

	HASH_ITER(hh, files->by_id, file, next)
		if (file->sites)
			each(user, &file->target);
}

/* ---- files that are gone, or other than they were ---- */

static void file_remove(struct files *files, struct file *file)
{
	if (file->watch >= 0)
		inotify_rm_watch(files->inotify_fd, file->watch);
	HASH_DEL(files->by_id, file);
	if (files->newest == file)
		files->newest = NULL;
}

static void file_drop(struct files *files, struct file *file)
{
	file_remove(files, file);
	file_free(file);
}

void files_check(struct files *files, struct file_id id, const char *mapping)
{
	struct file *file = file_find(files, id);
	struct stat st;

	if (!file || (stat(mapping, &st) < 0 && !path_leads_to(file->path, id, &st)))
		return;
	if (is_probed(file) && !is_written(file, &st))
		return;
	if (changed_ns(&st) != file->changed_ns)
		file_drop(files, file);
}

/* It costs nothing to look at it anew, should it be mapped again: no need to know whether it is mapped now. */
static void unheld_look(struct files *files, struct file *file, uint64_t now_ns)
{
	struct stat st;

	if (file->look_at_ns && !file_is_there(file, &st))
		return file_drop(files, file);
	file->look_at_ns = now_ns + LOOK_UNHELD_S * 1000000000ull;
}

static void held_look(struct files *files, struct file *file, uint64_t now_ns)
{
	struct stat st;

	file->is_suspect = !file_is_there(file, &st);
	if (!file->is_suspect) {
		if (is_written(file, &st))
			file_rewritten(files, file);
		return;
	}
	file->look_again_s = MIN(MAX(file->look_again_s * 2, (unsigned)LOOK_AGAIN_S), (unsigned)LOOK_AGAIN_MAX_S);
	file->look_at_ns = now_ns + file->look_again_s * 1000000000ull;
}

size_t files_suspect(struct files *files, uint64_t now_ns)
{
	struct file *file, *next;
	size_t count = 0;

	HASH_ITER(hh, files->by_id, file, next) {
		file->is_suspect = false;
		if (now_ns < file->look_at_ns)
			continue;
		if (!is_probed(file)) {
			unheld_look(files, file, now_ns);
			continue;
		}
		held_look(files, file, now_ns);
		count += file->is_suspect;
	}
	return count;
}

void files_seen(struct files *files, struct file_id id)
{
	struct file *file = file_find(files, id);

	if (file)
		file->is_suspect = false;
}

static void *file_leave(void *user)
{
	file_free(user);
	return NULL;
}

void files_forget(struct files *files)
{
	struct file *file, *next;
	pthread_t thread;

	HASH_ITER(hh, files->by_id, file, next) {
		if (!file->is_suspect)
			continue;
		file_remove(files, file);
		log_debug("taking the probes from %s, which is gone", file->path);
		if (is_shared(file))
			file_free(file);
		else if (pthread_create(&thread, NULL, file_leave, file) != 0)
			file_free(file);
		else
			pthread_detach(thread);
	}
}

/* ---- files that are written ---- */

static struct file *file_of_watch(const struct files *files, int watch)
{
	struct file *file, *next;

	HASH_ITER(hh, files->by_id, file, next)
		if (file->watch == watch)
			return file;
	return NULL;
}

static void event_take(struct files *files, const struct inotify_event *event,
		       void (*written)(void *user, const char *path), void *user)
{
	struct file *file = file_of_watch(files, event->wd);
	char *path;

	if (!file)
		return;
	if (event->mask & IN_MODIFY && is_probed(file))
		file_rewritten(files, file);
	if (!(event->mask & IN_CLOSE_WRITE) || is_probed(file))
		return;
	path = strdup(file->path);
	file_drop(files, file);
	if (path)
		written(user, path);
	free(path);
}

int files_watch_fd(const struct files *files)
{
	return files->inotify_fd;
}

void files_dispatch(struct files *files, void (*written)(void *user, const char *path), void *user)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t n;

	while (files->inotify_fd >= 0 && (n = read(files->inotify_fd, events, sizeof(events))) > 0) {
		const struct inotify_event *event;

		for (const char *at = events; at < events + n; at += sizeof(*event) + event->len) {
			event = (const void *)at;
			event_take(files, event, written, user);
		}
	}
}
