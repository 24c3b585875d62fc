/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: the directory that outlives a run. Whoever holds it has its lock; it keeps the installation's key, the spool and
 * caches. Names in it: node.key, spool.db, libraries, lock, run-N/ (directories of `run -- CMD` beside another tracer).
 */
#pragma once
#include "base/cleanup.h"
#include "event/event.h"
#include <limits.h>

struct state {
	char path[PATH_MAX];
	int lock_fd;
	uint64_t node_key[2];
};

/* Makes and locks the directory. @may_nest: take run-N below it when it is held by another. Negative errno with
 * *ret_error (static or in the state): -EBUSY held, -EACCES ... */
int state_open(const char *path, bool may_nest, struct state *ret, const char **ret_error);
void state_close(struct state *state);
/* Path of @name in it. */
const char *state_file(const struct state *state, const char *name, char ret[PATH_MAX]);
/* Key of the fingerprints, derived from the installation's. */
void state_secret(const uint64_t node_key[2], uint8_t ret[32]);
/* Names, times and key for ids, but for the boot number. */
void state_ids(const struct state *state, struct event_file_head *ret);
int64_t state_unix_offset_ns(void);
