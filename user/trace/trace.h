/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: calls become spans as MLflow's autolog writes them, attempts of one logical request become one trace, ids
 * are given. A failed attempt that its client may repeat is held back until the repetition comes or hold_ns (or its
 * own Retry-After) is over; everything else leaves at once.
 *
 * Attempts belong together when the same process sends the same request again after a failure that clients repeat
 * (408, 409, 429, 5xx, cut before the first event, timeout), and its retry counter (x-stainless-retry-count,
 * amz-sdk-request), where there is one, says so. One attempt: a trace of one span. Several: a root from the first
 * byte to the last that shows what the application saw, and a child for each attempt with its index.
 *
 * Ids derive from (node, boot, sequence): the same input gives the same ids. Pure.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "model/call.h"
#include "model/span.h"
#include "trace/semconv.h"

struct trace_assembler;

struct trace_opts {
	struct alloc *alloc;
	uint64_t node_key[2];    /* secret of this installation: ids are unique and cannot be guessed */
	uint64_t boot;           /* number of this start; (node, boot, sequence) never comes again */
	int64_t unix_offset_ns;  /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint64_t hold_ns;        /* longest wait for a repetition (12 s) */
	size_t held_max;         /* most attempts held back; beyond it the oldest leaves */
	size_t chunk_events_max; /* span events of a streamed answer (128, as OpenTelemetry); the last ones stay */
	bool wants_mlflow;       /* some sink wants mlflow.* */
	bool wants_otlp;         /* some sink wants the conversation as gen_ai.* */
	enum semconv semconv;    /* flavour of gen_ai.* */
	struct slice host_name;
};

struct trace_ops {
	/* Facts of a process, or NULL when unknown. Valid until the callback that asked returns. */
	const struct origin *(*origin)(void *user, struct process_id process);
	/* A trace is whole. Dead when this returns. @sequence: of its first call. */
	void (*done)(void *user, struct trace *trace, uint64_t sequence);
	/* Calls that gave no span for want of memory, for the ledger. May be NULL. */
	void (*lost)(void *user, uint64_t calls);
};

int trace_assembler_new(const struct trace_opts *opts, const struct trace_ops *ops, void *user,
			struct trace_assembler **ret);
struct trace_assembler *trace_assembler_free(struct trace_assembler *assembler);
DEFINE_CLEANUP(struct trace_assembler *, trace_assembler_free)

/* A request is out whole and its answer still to come; of @call only the request's side is looked at. Answers take
 * longer than hold_ns: a held attempt that this request repeats waits for its call. Without this news it would leave
 * alone. */
void trace_on_request(struct trace_assembler *assembler, const struct call *call);
void trace_on_call(struct trace_assembler *assembler, const struct call *call);
/* The clock was set: offset for what comes. */
void trace_set_unix_offset(struct trace_assembler *assembler, int64_t unix_offset_ns);
void trace_tick(struct trace_assembler *assembler, uint64_t now_ns);
/* No repetition will begin in it: what is held leaves once calls that have ended are told too. */
void trace_on_exit(struct trace_assembler *assembler, struct process_id process, uint64_t time_ns);
void trace_flush(struct trace_assembler *assembler);
/* Attempts that are held back now: time must be told while there are any. */
size_t trace_held(const struct trace_assembler *assembler);
