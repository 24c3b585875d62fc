/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who: a process is its pid and its start time, so a pid that is used again is another process. What filters say of it depends
 * on the program that it runs too. What is known of it
 * (struct origin) is told by the privileged side once and kept as long as calls of it may come.
 */
#pragma once
#include "base/slice.h"

struct process_id {
	uint32_t pid;      /* thread group id in the initial pid namespace */
	uint32_t program;  /* how many it had executed, where they are counted; else 0. The struct is used as a key */
	uint64_t start_ns; /* since boot, as the kernel's task start_boottime */
};

enum { ORIGIN_ARGS_MAX = 64 };

/* Facts of the kernel and of procfs; every slice may be empty. Owned by whoever holds the struct (an arena). */
struct origin {
	struct process_id id;
	uint32_t parent_pid;
	uint32_t uid;
	struct slice comm;
	struct slice exe;
	struct slice args[ORIGIN_ARGS_MAX];
	size_t arg_count;
	struct slice owner;        /* user name, or the number as text */
	struct slice cgroup;       /* path below the cgroup root */
	struct slice container_id; /* 64 hex digits, or empty */
	uint64_t start_unix_ns;    /* creation time */
	bool selected;             /* the filters want its calls */
	bool is_assumed;           /* nobody has looked at it yet; then nobody knows whether they do */
};
