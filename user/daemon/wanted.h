/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wanted: whose calls leave. Without filters everybody's do, until somebody says otherwise. With filters nobody's do before the
 * attacher has looked at the process and said so; until then what is made of it waits (undecided.h).
 */
#pragma once
#include "daemon/origins.h"
#include "daemon/pipeline.h"
#include "daemon/undecided.h"
#include "model/call.h"

enum wish { WISH_UNKNOWN, WISH_NO, WISH_YES };

struct wanted {
	bool has_filters;
	struct origins *origins;
	struct undecided_list undecided;
	const struct pipeline_ops *ops;
	void *user; /* of ops */
	struct pipeline_stats *stats;
};

/* @alloc: all its memory; of @memory_max, what is there. The rest is set by the caller. 0 or negative errno. */
int wanted_init(struct wanted *wanted, struct alloc *alloc, uint64_t memory_max);
void wanted_clear(struct wanted *wanted);
/* A connection of a process was opened. Asks who that is, where it is not known. */
enum wish wanted_open(struct wanted *wanted, const struct conn_info *conn);
/* Counts a call. */
enum wish wanted_call(struct wanted *wanted, const struct call *call);
/* Of the process that @origin (or NULL) tells of. WISH_NO: nothing needs to be sealed. */
enum wish wanted_wish(const struct wanted *wanted, const struct origin *origin);
void wanted_record(struct wanted *wanted, const struct origin *origin, const struct record *record);
/* origin_pack() text. NULL: it is malformed. */
const struct origin *wanted_told(struct wanted *wanted, struct slice packed);
