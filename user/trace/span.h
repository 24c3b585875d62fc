/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span from a call. What it shows depends on its place in the trace:
 *
 *	SPAN_WHOLE	the only attempt: everything
 *	SPAN_LOGICAL	the root over several attempts: what the application asked and got, as an SDK would show it
 *	SPAN_ATTEMPT	one of them: its exchange on the wire and how it ended
 *
 * Usage and conversation stand on the root only. Older MLflow servers add up the usage of all spans, and an
 * OpenTelemetry back end would too; the bodies of attempts are equal, so a copy of each would only cost.
 */
#pragma once
#include "model/dialect.h"
#include "trace/attr.h"
#include "trace/trace.h"

enum span_role { SPAN_WHOLE = 1, SPAN_LOGICAL = 2, SPAN_ATTEMPT = 4, SPAN_ANY = 7 };

struct span_source {
	const struct call *call;
	const struct trace_opts *opts; /* its offset is the one in force */
	const struct origin *origin;   /* or NULL */
	enum span_role role;
	uint64_t begin_ns;    /* LOGICAL: first byte of the first attempt */
	bool others_complete; /* LOGICAL: the attempts before were complete */
	int64_t retry_index;  /* ATTEMPT; WHOLE when the client says that it is not the first; else -1 */
	int64_t retry_count;  /* LOGICAL */
};

/* @keeps: the span outlives the call. Ids are the caller's. 0 or -ENOMEM. */
int span_make(const struct span_source *source, struct arena *arena, bool keeps, struct span **ret);

/* First and last byte of a call, whatever of it was seen. */
uint64_t span_begin_ns(const struct call *call);
uint64_t span_end_ns(const struct call *call);
uint64_t span_unix_ns(const struct trace_opts *opts, uint64_t boot_ns);

static inline double span_seconds(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static inline bool call_dialect_is(const struct call *call, const char *prefix)
{
	return call->dialect && slice_starts(slice_of(call->dialect->name), slice_of(prefix));
}

/* Span type and the convention's operation. */
void span_put_operation(struct maker *maker, const struct span_source *source, enum call_operation operation);

/* ---- the sections of a span ---- */
void span_put_identity(struct maker *maker, const struct span_source *source);     /* type, model, provider */
void span_put_conversation(struct maker *maker, const struct span_source *source); /* inputs, outputs, tools */
void span_put_request(struct maker *maker, const struct span_source *source);      /* its parameters */
void span_put_usage(struct maker *maker, const struct span_source *source);
void span_put_answer(struct maker *maker, const struct span_source *source); /* id, finish reasons, times */
void span_put_particulars(struct maker *maker, const struct span_source *source);
void span_put_chunks(struct maker *maker, const struct span_source *source);
void span_put_http(struct maker *maker, const struct span_source *source);
void span_put_exchange(struct maker *maker, const struct span_source *source); /* sizes, peer, limits of one attempt */
void span_put_completeness(struct maker *maker, const struct span_source *source);
void span_put_process(struct maker *maker, const struct span_source *source);
void span_put_fault(struct maker *maker, const struct span_source *source);

/* Attributes of the resource: what users should see as tags of the trace, and no more. 0 or -ENOMEM. */
int span_resource(const struct trace_opts *opts, const struct origin *origin, struct arena *arena, bool keeps,
		  struct attribute **ret);
