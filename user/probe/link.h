/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uprobes of one program on one file: one link for many places (multi), or one for each (perf). uprobe_multi links are made by the system call itself: Debian 12's
 * libbpf has no function for them.
 */
#pragma once
#include "base/slice.h"

struct bpf_program;
struct bpf_link;

struct link {
	int fd;                /* multi link, or -1 */
	struct bpf_link *perf; /* perf link, or NULL */
};

enum { LINK_PLACES_MAX = 64 };
struct link_places {
	uint64_t offsets[LINK_PLACES_MAX];
	uint64_t cookies[LINK_PLACES_MAX];
	uint32_t count;
};

enum { LINK_TYPE_MULTI = 48, LINK_TYPE_SESSION = 57 }; /* enum bpf_attach_type of newer kernels */

int link_multi(int prog_fd, unsigned type, const char *path, const struct link_places *places, bool is_return,
	       struct link *ret);
/* @cookie: NULL where the kernel has none. */
int link_perf(struct bpf_program *program, const char *path, uint64_t offset, const uint64_t *cookie, bool is_return,
	      struct link *ret);
void link_close(struct link *link);
