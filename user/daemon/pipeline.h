/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline: the rooms, bound. Records of the kernel side go in, sealed records come out. This is the drawing of the house in
 * C: whoever wants to know where a thing goes next reads pipeline.c. It knows no file and no process: live tracing and replay
 * feed it alike.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "event/event.h"
#include "model/aside.h"
#include "model/process.h"
#include "model/record.h"

struct cost_table;
struct pipeline;

struct pipeline_opts {
	const struct event_file_head *ids;
	uint64_t memory_max;
	bool wants_mlflow, wants_otlp;
	bool has_filters;      /* nothing of a process leaves before pipeline_origin() told that it is selected */
	bool semconv_next;     /* gen_ai.* as the conventions will have it */
	const uint8_t *secret; /* 32 bytes: key of the fingerprints */
	const struct cost_table *prices; /* outlives the pipeline; NULL: calls have no cost */
};

struct pipeline_ops {
	/* A sealed record. 0, or negative: it could not be taken and is counted as shed. */
	int (*record)(void *user, const struct record *record);
	/* A long text, cleaned, of a call that goes on: it lies aside until the record comes that has marks of it (model/aside.h). 0,
	 * or negative: it was not taken, and is kept. NULL: none is. */
	int (*aside)(void *user, uint64_t call, const struct aside_id *id, struct slice text);
	/* No record that comes after this has marks of that call. With aside() only. */
	void (*aside_end)(void *user, uint64_t call);
	/* Nobody told us of the process of @conn yet. 0, or negative: where there are filters it is asked again at the next
	 * tick. May be NULL. */
	int (*who)(void *user, const struct conn_info *conn);
	/* It has ended, and all that it moved was read. Who knows the last offsets of its connections tells them by
	 * pipeline_close() and pipeline_exited(); without that they end where their last bytes came from. 0, or negative: it
	 * is asked again at the next tick. May be NULL. */
	int (*exited)(void *user, struct process_id process);
	/* As event_verdict_set() takes it. May be NULL. */
	void (*verdict)(void *user, uint64_t conn, const struct event_verdict *verdict);
};

struct pipeline_stats {
	uint64_t calls, complete, incomplete;
	uint64_t no_call_bytes; /* of captured bytes: belonged to no call */
	uint64_t shed_bytes;    /* of captured bytes: given up for lack of memory */
	uint64_t malformed;     /* records that were refused */
	uint64_t shed_records;
	size_t conns;
	bool has_open; /* something is open that time may end */
	bool awaits;   /* a process has ended, and how far its connections went is still to be told */
	bool asks;     /* whether the filters want a process is still to be told */
	size_t memory_bytes, memory_peak_bytes;
};

int pipeline_new(const struct pipeline_opts *opts, const struct pipeline_ops *ops, void *user, struct pipeline **ret);
struct pipeline *pipeline_free(struct pipeline *pipeline);
DEFINE_CLEANUP(struct pipeline *, pipeline_free)

void pipeline_take(struct pipeline *pipeline, struct slice record);
/* From now on as with opts->has_filters. */
void pipeline_set_filtered(struct pipeline *pipeline);
/* origin_pack() text. */
void pipeline_origin(struct pipeline *pipeline, struct slice packed);
void pipeline_close(struct pipeline *pipeline, const struct event_close *close);
/* All that can be known of a process that has ended was told. */
void pipeline_exited(struct pipeline *pipeline, struct process_id process);
void pipeline_set_unix_offset(struct pipeline *pipeline, int64_t unix_offset_ns);
void pipeline_tick(struct pipeline *pipeline, uint64_t now_ns);
/* Everything that is open becomes a record now. */
void pipeline_flush(struct pipeline *pipeline, uint64_t now_ns);
void pipeline_stats(const struct pipeline *pipeline, struct pipeline_stats *ret);
