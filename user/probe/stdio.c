/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A candidate is a process whose standard input and output are two different pipes (or socket pairs) to a process above
 * it. Whether it speaks the language its first bytes tell, in the kernel. Any tracepoint on a system call makes all
 * system calls of the host slower, so they are there only while there is a candidate.
 *
 * A tracepoint's number stands in tracefs, which need not be mounted: it is opened as a file system of its own that nobody
 * else sees.
 */
#include "probe/stdio.h"
#include "base/log.h"
#include "bpf/abi_memory.h"
#include "probe/spantap.skel.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const calls[] = { "read", "write", "readv", "writev" };
enum { CALLS = ARRAY_SIZE(calls), CANDIDATES_MAX = 512, ANCESTORS_MAX = 8 };

struct stdio {
	int map, procs, program;
	const struct abi_control *control;
	uint32_t pids[CANDIDATES_MAX];
	size_t count;
	int events[CALLS]; /* -1: not attached */
	bool is_impossible;
};

struct stdio *stdio_new(const struct kernel *kernel)
{
	struct stdio *stdio = calloc(1, sizeof(*stdio));

	if (!stdio)
		return NULL;
	stdio->map = kernel_map_fd(kernel, "st_stdio");
	stdio->procs = kernel_map_fd(kernel, "st_procs");
	stdio->program = bpf_program__fd(kernel->skel->progs.st_stdio_exit);
	stdio->control = &kernel->skel->data_control->control;
	for (size_t i = 0; i < CALLS; i++)
		stdio->events[i] = -1;
	return stdio;
}

/* ---- tracepoints ---- */

static int tracefs_open(void)
{
	CLEANUP_FD int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return open("/sys/kernel/tracing", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
}

/* Or negative errno. */
static int event_open(int tracefs, const char *call, int program)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	char name[64], text[24] = "";
	CLEANUP_FD int event = -1;

	snprintf(name, sizeof(name), "events/syscalls/sys_exit_%s/id", call);
	{
		CLEANUP_FD int id = openat(tracefs, name, O_RDONLY | O_CLOEXEC);

		if (id < 0 || read(id, text, sizeof(text) - 1) <= 0)
			return -ENOENT;
	}
	attr.config = strtoull(text, NULL, 10);
	event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (event < 0 || ioctl(event, PERF_EVENT_IOC_SET_BPF, program) < 0 ||
	    ioctl(event, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return -errno;
	return TAKE_FD(event);
}

static void detach(struct stdio *stdio)
{
	for (size_t i = 0; i < CALLS; i++) {
		if (stdio->events[i] >= 0)
			close(stdio->events[i]);
		stdio->events[i] = -1;
	}
}

static bool attach(struct stdio *stdio)
{
	CLEANUP_FD int tracefs = -1;

	if (stdio->events[0] >= 0 || stdio->is_impossible)
		return !stdio->is_impossible;
	tracefs = tracefs_open();
	for (size_t i = 0; i < CALLS; i++) {
		stdio->events[i] = tracefs < 0 ? -errno : event_open(tracefs, calls[i], stdio->program);
		if (stdio->events[i] >= 0)
			continue;
		log_info("pipes are not seen: no tracepoint on %s: %s", calls[i], strerror(-stdio->events[i]));
		detach(stdio);
		stdio->is_impossible = true;
		return false;
	}
	log_debug("tracepoints on reading and writing: a process may be a server on its standard input");
	return true;
}

/* ---- candidates ---- */

/* Number of the pipe or socket behind a descriptor, or 0. */
static uint64_t descriptor_inode(uint32_t pid, int fd)
{
	char name[48], target[64];
	unsigned long inode = 0;
	ssize_t len;

	snprintf(name, sizeof(name), "/proc/%u/fd/%d", pid, fd);
	len = readlink(name, target, sizeof(target) - 1);
	if (len <= 0)
		return 0;
	target[len] = 0;
	return sscanf(target, "pipe:[%lu]", &inode) == 1 || sscanf(target, "socket:[%lu]", &inode) == 1 ? inode : 0;
}

static uint32_t parent_of(uint32_t pid)
{
	char name[40], line[512];
	CLEANUP(fclose) FILE *stat = NULL;
	const char *at;
	uint32_t parent = 0;

	snprintf(name, sizeof(name), "/proc/%u/stat", pid);
	stat = fopen(name, "re");
	if (!stat || !fgets(line, sizeof(line), stat))
		return 0;
	at = strrchr(line, ')');
	return at && sscanf(at + 1, " %*c %u", &parent) == 1 ? parent : 0;
}

/* The first above it that has another input: starters hand their own on. */
static uint32_t client_of(uint32_t pid, uint64_t in_inode)
{
	uint32_t parent = parent_of(pid);

	for (int i = 0; i < ANCESTORS_MAX && parent > 1; i++, parent = parent_of(parent))
		if (descriptor_inode(parent, STDIN_FILENO) != in_inode)
			return parent;
	return 0;
}

static bool is_wanted(const struct stdio *stdio, uint32_t pid)
{
	struct abi_process process;

	if (bpf_map_lookup_elem(stdio->procs, &pid, &process) == 0)
		return process.wanted;
	return stdio->control->default_wanted;
}

void stdio_consider(struct stdio *stdio, uint32_t pid)
{
	struct abi_stdio server = { .in_inode = descriptor_inode(pid, STDIN_FILENO) };

	if (!server.in_inode || stdio->count == CANDIDATES_MAX || stdio->is_impossible || !is_wanted(stdio, pid))
		return;
	server.out_inode = descriptor_inode(pid, STDOUT_FILENO);
	server.client = client_of(pid, server.in_inode);
	if (!server.out_inode || server.out_inode == server.in_inode || !server.client)
		return;
	if (bpf_map_update_elem(stdio->map, &pid, &server, BPF_ANY) < 0 || !attach(stdio))
		return;
	for (size_t i = 0; i < stdio->count; i++)
		if (stdio->pids[i] == pid)
			return;
	stdio->pids[stdio->count++] = pid;
}

void stdio_tick(struct stdio *stdio)
{
	struct abi_stdio server;

	for (size_t i = stdio->count; i-- > 0;) {
		uint32_t pid = stdio->pids[i];
		bool is_gone = kill((pid_t)pid, 0) < 0 && errno == ESRCH;

		if (!is_gone && bpf_map_lookup_elem(stdio->map, &pid, &server) == 0)
			continue;
		bpf_map_delete_elem(stdio->map, &pid);
		stdio->pids[i] = stdio->pids[--stdio->count];
	}
	if (!stdio->count)
		detach(stdio);
}

struct stdio *stdio_free(struct stdio *stdio)
{
	if (!stdio)
		return NULL;
	detach(stdio);
	free(stdio);
	return NULL;
}
