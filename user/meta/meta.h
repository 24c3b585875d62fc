/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta: who a process is, read from procfs while it lives and kept after its end, and whether the filters select it.
 * Runs in the privileged half; looks at no payload and reads no environment.
 */
#pragma once
#include "base/cleanup.h"
#include "model/process.h"

struct meta;

/* A kind given must match with one of its list; one match in a list of exclusions excludes. Text is a glob (fnmatch);
 * an exe without a slash is the file's name, a uid a number or a user's name, a container its id's start or a glob. */
struct meta_filters {
	const char *const *pids, *const *comms, *const *exes, *const *uids, *const *cgroups, *const *containers;
	const char *const *not_pids,
		*const *not_comms, *const *not_exes,
					   *const *not_uids,
						   *const *not_cgroups,
							   *const *not_containers; /* each NULL or NULL-terminated */
};

/* @filters may be NULL; its lists are borrowed for as long as meta lives. */
int meta_new(const struct meta_filters *filters, struct meta **ret);
struct meta *meta_free(struct meta *meta);
DEFINE_CLEANUP(struct meta *, meta_free)

/* Facts of @pid as it is now, running its @program (struct process_id); -ESRCH when it is gone and was never seen. Each slice
 * has a NUL behind it. The origin is dead at the next call of a function of this page that takes meta and may change it. */
int meta_origin(struct meta *meta, uint32_t pid, uint32_t program, const struct origin **ret);
/* Of a process that was gone before it was looked at, or has become another program: what its connection told of it (@asked: id,
 * parent, user, name), what it was seen to execute, and of its parent what children mostly have from there. */
int meta_recall(struct meta *meta, const struct origin *asked, const struct origin **ret);
/* It has executed another program: read anew at the next question. */
void meta_on_exec(struct meta *meta, uint32_t pid);
/* What it has executed, should nobody come in time to look: its name, then the file (@path; else NULL). */
void meta_note_exec(struct meta *meta, uint32_t pid, const char *comm, const char *path);
/* Kept for META_KEEP_NS more, then forgotten at meta_tick(). */
#define META_KEEP_NS 60000000000ULL
void meta_on_exit(struct meta *meta, uint32_t pid, uint64_t now_ns);
void meta_tick(struct meta *meta, uint64_t now_ns);
bool meta_has_filters(const struct meta *meta);
/* Start time since boot in ns, as the kernel's start_boottime rounded to clock ticks by procfs; 0 when gone. */
uint64_t meta_start_ticks(uint32_t pid);
