/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: every executable mapping and every exec on this machine, as it happens, from the kernel's own perf records
 * (PERF_RECORD_MMAP2, PERF_RECORD_COMM): no system call tracepoint, so nobody pays for being watched.
 */
#pragma once
#include "base/cleanup.h"
#include "base/slice.h"

struct watch;

struct watch_map {
	uint32_t pid;
	uint64_t start, len; /* of the mapping: names it in /proc/PID/map_files */
	uint32_t major, minor;
	uint64_t inode;
	const char *path; /* as the process sees it */
};

struct watch_ops {
	void (*mapped)(void *user, const struct watch_map *map);
	void (*executed)(void *user, uint32_t pid, const char *comm);
	void (*lost)(void *user); /* records were lost: look at all processes again */
};

int watch_new(const struct watch_ops *ops, void *user, struct watch **ret);
struct watch *watch_free(struct watch *watch);
DEFINE_CLEANUP(struct watch *, watch_free)
size_t watch_fds(const struct watch *watch, int *ret, size_t size);
void watch_dispatch(struct watch *watch);
