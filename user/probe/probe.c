/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A probe sits on a file, so what matters is that a file is seen before, or as soon as, a process maps it: what is mapped
 * now (/proc), what is being mapped (watch), what is installed where libraries usually are (installed.c).
 */
#include "probe/probe.h"
#include "base/log.h"
#include "bpf/abi_memory.h"
#include "probe/files.h"
#include "probe/installed.h"
#include "probe/over.h"
#include "probe/stdio.h"
#include "probe/watch.h"
#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

struct probe {
	const struct probe_ops *ops;
	void *user;
	struct kernel kernel;
	struct files *files;
	struct watch *watch;
	struct stdio *stdio;
	char *cache_path;
	bool lost;
	uint64_t asked_ns;  /* when it was asked last which sockets are held */
	uint32_t executing; /* the process whose exec was seen last, until its first mapping is; else 0 */
};

static void announce(struct probe *probe, int added)
{
	if (added > 0 && probe->ops->attached)
		probe->ops->attached(probe->user, files_newest(probe->files));
}

/* The file of a mapping: by its address range (@mapping), which works whatever its name; else by name below the process's root. */
static int mapping_open(const char *mapping, const struct watch_map *map)
{
	char name[PATH_MAX + 64];
	int fd = open(mapping, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		return fd;
	snprintf(name, sizeof(name), "/proc/%u/root%s", map->pid, map->path);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT) /* the process is gone already: the same name in our own root */
		fd = open(map->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static void mapping_take(struct probe *probe, struct file_id id, const struct watch_map *map)
{
	char mapping[80];

	snprintf(mapping, sizeof(mapping), "/proc/%u/map_files/%lx-%lx", map->pid, (unsigned long)map->start,
		 (unsigned long)(map->start + map->len));
	files_check(probe->files, id, mapping);
	if (!files_known(probe->files, id)) {
		CLEANUP_FD int fd = mapping_open(mapping, map);

		if (fd < 0)
			return;
		announce(probe, files_add(probe->files, id, fd, map->path, map->pid));
	}
	if (files_is_target(probe->files, id) && probe->ops->mapped)
		probe->ops->mapped(probe->user, map->pid);
}

static void on_mapped(void *user, const struct watch_map *map)
{
	struct probe *probe = user;

	if (map->pid == probe->executing && probe->ops->program)
		probe->ops->program(probe->user, map->pid, map->path);
	if (map->pid == probe->executing)
		probe->executing = 0;
	mapping_take(user, (struct file_id){ (uint64_t)map->major << 32 | map->minor, map->inode }, map);
}

static void on_executed(void *user, uint32_t pid, const char *comm)
{
	struct probe *probe = user;

	probe->executing = pid;
	if (probe->ops->executed)
		probe->ops->executed(probe->user, pid, comm);
	stdio_consider(probe->stdio, pid);
}

static void on_lost(void *user)
{
	((struct probe *)user)->lost = true;
}

static const struct watch_ops watch_ops = { .mapped = on_mapped, .executed = on_executed, .lost = on_lost };

int probe_new(const struct probe_opts *opts, const struct probe_ops *ops, void *user, struct probe **ret,
	      const char **ret_error)
{
	CLEANUP(probe_free) struct probe *probe = calloc(1, sizeof(*probe));
	int r;

	*ret_error = "out of memory";
	if (!probe)
		return -ENOMEM;
	probe->ops = ops;
	probe->user = user;
	probe->cache_path = opts->cache_path ? strdup(opts->cache_path) : NULL;
	r = kernel_load(opts, &probe->kernel, ret_error);
	if (r < 0)
		return r;
	probe->stdio = stdio_new(&probe->kernel);
	if (!probe->stdio)
		return -ENOMEM;
	r = files_new(&probe->kernel, &probe->files);
	if (r < 0)
		return r;
	r = watch_new(&watch_ops, probe, &probe->watch);
	if (r < 0) {
		*ret_error =
			"cannot watch for mapped libraries (perf_event_open): kernel.perf_event_paranoid may forbid it; "
			"run as root";
		return r;
	}
	*ret = TAKE_PTR(probe);
	return 0;
}

struct probe *probe_free(struct probe *probe)
{
	if (!probe)
		return NULL;
	watch_free(probe->watch);
	files_free(probe->files);
	stdio_free(probe->stdio);
	kernel_unload(&probe->kernel);
	free(probe->cache_path);
	free(probe);
	return NULL;
}

struct probe_fds probe_fds(const struct probe *probe)
{
	return (struct probe_fds){
		.ring = kernel_map_fd(&probe->kernel, "st_ring"),
		.control = kernel_map_fd(&probe->kernel, ".data.control"),
		.ledger = kernel_map_fd(&probe->kernel, ".data.ledger"),
		.verdicts = kernel_map_fd(&probe->kernel, ".bss"),
	};
}

enum probe_mode probe_mode(const struct probe *probe)
{
	return probe->kernel.mode;
}

bool probe_sees_sockets(const struct probe *probe)
{
	return probe->kernel.has_sockets;
}

int probe_process(struct probe *probe, uint32_t pid, bool wanted, bool inherit)
{
	struct abi_process process = { .wanted = wanted, .inherit = inherit };
	int fd = kernel_map_fd(&probe->kernel, "st_procs");

	return bpf_map_update_elem(fd, &pid, &process, BPF_ANY) < 0 ? -errno : 0;
}

void probe_process_forget(struct probe *probe, uint32_t pid)
{
	bpf_map_delete_elem(kernel_map_fd(&probe->kernel, "st_procs"), &pid);
}

uint32_t probe_program(struct probe *probe, uint32_t pid)
{
	uint32_t program = 0;

	bpf_map_lookup_elem(kernel_map_fd(&probe->kernel, "st_programs"), &pid, &program);
	return program;
}

void probe_want_unknown(struct probe *probe, bool wanted)
{
	kernel_control(&probe->kernel)->default_wanted = wanted;
}

/* What @pid maps executable, from files. */
static int maps_each(struct probe *probe, uint32_t pid, void (*each)(void *user, const struct watch_map *map))
{
	CLEANUP(fclose) FILE *maps = NULL;
	char name[40], line[PATH_MAX + 128];

	snprintf(name, sizeof(name), "/proc/%u/maps", pid);
	maps = fopen(name, "re");
	if (!maps)
		return -errno;
	while (fgets(line, sizeof(line), maps)) {
		struct watch_map map = { .pid = pid };
		unsigned long start, end, inode;
		char perms[8];
		int path_at = 0;

		if (sscanf(line, "%lx-%lx %7s %*x %x:%x %lu %n", &start, &end, perms, &map.major, &map.minor, &inode,
			   &path_at) < 6 ||
		    !path_at || perms[2] != 'x' || !inode || line[path_at] != '/')
			continue;
		line[strcspn(line, "\n")] = 0;
		map.start = start;
		map.len = end - start;
		map.inode = inode;
		map.path = line + path_at;
		each(probe, &map);
	}
	stdio_consider(probe->stdio, pid);
	return 0;
}

int probe_scan_pid(struct probe *probe, uint32_t pid)
{
	return maps_each(probe, pid, on_mapped);
}

static int processes_each(struct probe *probe, void (*each)(void *user, const struct watch_map *map))
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			maps_each(probe, (uint32_t)strtoul(entry->d_name, NULL, 10), each);
	closedir(proc);
	return 0;
}

int probe_scan_all(struct probe *probe)
{
	return processes_each(probe, on_mapped);
}

static void on_still_mapped(void *user, const struct watch_map *map)
{
	files_seen(((struct probe *)user)->files,
		   (struct file_id){ (uint64_t)map->major << 32 | map->minor, map->inode });
}

void probe_collect(struct probe *probe, uint64_t now_ns)
{
	if (files_suspect(probe->files, now_ns) && processes_each(probe, on_still_mapped) == 0)
		files_forget(probe->files);
}

int probe_file(struct probe *probe, const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return -errno;
	r = files_add(probe->files, file_id_of(fd), fd, path, 0);
	announce(probe, r);
	return r < 0 ? r : 0;
}

static void take_installed(void *user, const char *path)
{
	probe_file(user, path);
}

void probe_scan_installed(struct probe *probe, const char *exe, const char *search_path)
{
	installed_each(exe, search_path, probe->cache_path, take_installed, probe);
}

static void cache_line(void *user, const struct probe_target *target)
{
	if (target->attached)
		fprintf(user, "%s\n", target->path);
}

void probe_save_cache(const struct probe *probe)
{
	CLEANUP(fclose) FILE *cache = probe->cache_path ? fopen(probe->cache_path, "we") : NULL;

	if (cache)
		files_each(probe->files, cache_line, cache);
}

size_t probe_watch_fds(const struct probe *probe, int *ret, size_t size)
{
	size_t n = watch_fds(probe->watch, ret, size);

	if (n < size && files_watch_fd(probe->files) >= 0)
		ret[n++] = files_watch_fd(probe->files);
	return n;
}

static void on_written(void *user, const char *path)
{
	probe_file(user, path);
}

void probe_dispatch(struct probe *probe)
{
	files_dispatch(probe->files, on_written, probe);
	watch_dispatch(probe->watch);
	if (!probe->lost)
		return;
	probe->lost = false;
	probe_scan_all(probe);
}

enum { SWEEP_MAX = 1024, SWEEP_BATCH = 256, ASKED_MAX = 16384 };
static const uint64_t ASK_EVERY_NS = 10000000000;

struct sweep {
	int fd;
	const struct probe_sweep *what;
	uint64_t now_ns;
	void (*swept)(void *user, const struct probe_swept *conn);
	void *user;
	struct abi_conn_key *asked; /* those that may be over */
	size_t asked_count, asked_max;
};

/* The first of those that are over, up to SWEEP_MAX. Read by the hundred: there may be as many as the map holds, and this is
 * done for each process that ends. */
static size_t conns_over(struct sweep *sweep, struct abi_conn_key over[SWEEP_MAX])
{
	struct abi_conn_key keys[SWEEP_BATCH];
	struct abi_conn conns[SWEEP_BATCH];
	uint32_t at, *from = NULL, read;
	size_t count = 0;
	int r;

	sweep->asked_count = 0;
	do {
		read = SWEEP_BATCH;
		r = bpf_map_lookup_batch(sweep->fd, from, &at, keys, conns, &read, NULL);
		from = &at;
		for (uint32_t i = 0; (r == 0 || r == -ENOENT) && i < read && count < SWEEP_MAX; i++) {
			if (over_is(&keys[i], &conns[i], sweep->what, sweep->now_ns))
				over[count++] = keys[i];
			else if (sweep->asked_count < sweep->asked_max &&
				 over_may_be(&keys[i], &conns[i], sweep->now_ns))
				sweep->asked[sweep->asked_count++] = keys[i];
		}
	} while (r == 0 && count < SWEEP_MAX);
	return count;
}

/* Returns how many were still there. */
static size_t conns_forget(const struct sweep *sweep, const struct abi_conn_key over[], size_t count)
{
	struct abi_conn conn;
	size_t told = 0;

	for (size_t i = 0; i < count; i++) {
		if (bpf_map_lookup_elem(sweep->fd, &over[i], &conn) < 0 || bpf_map_delete_elem(sweep->fd, &over[i]) < 0)
			continue;
		told++;
		sweep->swept(sweep->user, &(struct probe_swept){
						  .conn = conn.id,
						  .end = { conn.offset[0], conn.offset[1] },
						  .how = over_how(&over[i], &conn, sweep->what),
						  .reason = abi_lost_reason(conn.lost[0] ? conn.lost[0] : conn.lost[1]),
					  });
	}
	return told;
}

/* Writes that processes were in when they were killed. */
static void writes_forget(const struct probe *probe)
{
	int fd = kernel_map_fd(&probe->kernel, "st_go_writing");
	struct abi_conn_key key, next;
	int r = bpf_map_get_next_key(fd, NULL, &next);

	while (r == 0) {
		key = next;
		r = bpf_map_get_next_key(fd, &key, &next);
		if (over_is_gone(key.tgid))
			bpf_map_delete_elem(fd, &key);
	}
}

/* What is looked at seldom. Makes room for all that may be asked for. */
static void sweep_seldom(struct probe *probe, struct sweep *sweep)
{
	if (!sweep->what->quiet_ns || sweep->now_ns - probe->asked_ns < ASK_EVERY_NS)
		return;
	probe->asked_ns = sweep->now_ns;
	writes_forget(probe);
	sweep->asked_max = ASKED_MAX;
	sweep->asked = malloc(sweep->asked_max * sizeof(*sweep->asked));
	if (!sweep->asked)
		sweep->asked_max = 0;
}

void probe_sweep(struct probe *probe, const struct probe_sweep *what,
		 void (*swept)(void *user, const struct probe_swept *conn), void *user)
{
	struct sweep sweep = {
		.fd = kernel_map_fd(&probe->kernel, "st_conns"), .what = what, .swept = swept, .user = user
	};
	struct abi_conn_key over[SWEEP_MAX];
	struct timespec now;
	size_t count, told;

	stdio_tick(probe->stdio);
	clock_gettime(CLOCK_BOOTTIME, &now);
	sweep.now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	sweep_seldom(probe, &sweep);
	do {
		count = conns_over(&sweep, over);
		told = conns_forget(&sweep, over, count);
	} while (count == SWEEP_MAX && told);
	conns_forget(&sweep, sweep.asked, over_ask(sweep.asked, sweep.asked_count));
	free(sweep.asked);
}

void probe_each_target(const struct probe *probe, void (*each)(void *user, const struct probe_target *target),
		       void *user)
{
	files_each(probe->files, each, user);
}
