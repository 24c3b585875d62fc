/* SPDX-License-Identifier: Apache-2.0 */
/* What procfs says of one process, read into memory that the caller lends. */
#pragma once
#include "base/slice.h"

enum {
	PROCFS_PATH_MAX = 4096,
	PROCFS_ARGS_MAX = 8192, /* bytes of the command line; what is behind is cut off */
};

struct procfs_facts {
	uint32_t parent_pid;
	uint32_t uid; /* the real one, in the initial user namespace when we are */
	uint64_t start_ns;
	char comm[64];
	char exe[PROCFS_PATH_MAX];  /* without " (deleted)"; empty when it may not be known */
	char args[PROCFS_ARGS_MAX]; /* NUL after each, the last one too */
	size_t args_len;
	char cgroup[PROCFS_PATH_MAX];
};

/* -ESRCH when there is no such process (any more). All is of one process, even when its number is soon used again. */
int procfs_read(uint32_t pid, struct procfs_facts *ret);
/* When it started, since boot, in clock ticks made ns; 0 when there is no such process. */
uint64_t procfs_start_ns(uint32_t pid);
