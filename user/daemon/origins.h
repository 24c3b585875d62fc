/* SPDX-License-Identifier: Apache-2.0 */
/* What the pipeline was told of processes, by pid and start time. Bounded: the one that was told first is forgotten first. */
#pragma once
#include "base/arena.h"
#include "base/cleanup.h"
#include "model/conn.h"
#include "model/process.h"

struct origins;

int origins_new(struct alloc *alloc, struct origins **ret);
struct origins *origins_free(struct origins *origins);
DEFINE_CLEANUP(struct origins *, origins_free)
/* origin_pack() text. 0 or negative errno. */
int origins_put(struct origins *origins, struct slice packed, const struct origin **ret);
/* Until someone has looked at the process, what its connection tells of it is taken. */
void origins_assume(struct origins *origins, const struct conn_info *conn);
/* Does it tell of @process? */
bool origins_is(const struct origin *origin, struct process_id process);
/* NULL when unknown. Valid until the next origins_put(). */
const struct origin *origins_find(const struct origins *origins, struct process_id process);
