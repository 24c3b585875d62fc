/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call goes one of three ways: it leaves at once as a trace of one span; it failed and its repetition may come, so it
 * is held; or it is that repetition, joins what is held, and lets it go when it is the last.
 *
 *	call --+-- repeats a held one? --+-- will be repeated? -- held, longer
 *	       |                         `-- no: root + attempts leave
 *	       +-- will be repeated? ---- held
 *	       `-- no: leaves
 *
 * Everything is decided from the times inside the calls, not from when they are told, so a replay decides alike.
 */
#include "trace/trace.h"
#include "trace/held.h"
#include "trace/id.h"
#include "trace/step.h"
#include <errno.h>

enum {
	TRACE_BYTES_MAX = 16 << 20, /* of one span that leaves at once; bodies are not copied into it */
	ATTEMPTS_MAX = 16,          /* a loop that fails for ever is many traces, not one without end */
	OPEN_MAX = 1024,
	EXIT_WAIT_NS = 1000000000, /* longer than any call waits for its other side */
};

/* A request whose answer has not come. */
struct open_request {
	struct open_request *next;
	struct retry_key key;
	bool is_orphan;   /* its process is gone: its call is on its way, or will never come */
	uint64_t gone_ns; /* first tick after that */
};

struct trace_assembler {
	struct trace_opts opts;
	const struct trace_ops *ops;
	void *user;
	struct arena *scratch; /* the span that leaves at once */
	uint64_t sequence;
	struct held *held, **held_tail; /* oldest first */
	size_t held_count;              /* attempts in all of them */
	struct open_request *open, **open_tail;
	size_t open_count;
};

int trace_assembler_new(const struct trace_opts *opts, const struct trace_ops *ops, void *user,
			struct trace_assembler **ret)
{
	struct trace_assembler *assembler = alloc_get(opts->alloc, sizeof(*assembler));

	if (!assembler)
		return -ENOMEM;
	*assembler = (struct trace_assembler){ .opts = *opts, .ops = ops, .user = user };
	assembler->held_tail = &assembler->held;
	assembler->open_tail = &assembler->open;
	assembler->scratch = arena_new(opts->alloc, TRACE_BYTES_MAX);
	if (!assembler->scratch) {
		alloc_put(opts->alloc, assembler, sizeof(*assembler));
		return -ENOMEM;
	}
	*ret = assembler;
	return 0;
}

/* ---- leaving ---- */

static void calls_lost(struct trace_assembler *assembler, uint64_t calls)
{
	if (assembler->ops->lost)
		assembler->ops->lost(assembler->user, calls);
}

static void span_add(struct trace *trace, struct span *span)
{
	*trace->spans_tail = span;
	trace->spans_tail = &span->next;
	trace->span_count++;
}

static void spans_add(struct trace *trace, struct span *list)
{
	while (list) {
		struct span *span = list;

		list = span->next;
		span->next = NULL;
		span_add(trace, span);
	}
}

static void trace_give_ids(const struct trace_assembler *assembler, struct trace *trace, uint64_t sequence)
{
	struct id_seed seed = {
		.node_key = { assembler->opts.node_key[0], assembler->opts.node_key[1] },
		.boot = assembler->opts.boot,
		.sequence = sequence,
	};
	uint64_t number = 0;

	id_trace(&seed, trace->id);
	for (struct span *span = trace->spans; span; span = span->next, number++) {
		id_span(&seed, number, span->id);
		if (span != trace->spans)
			memcpy(span->parent_id, trace->spans->id, sizeof(span->parent_id));
	}
}

static const struct origin *origin_of(struct trace_assembler *assembler, struct process_id process)
{
	return assembler->ops->origin(assembler->user, process);
}

/* One attempt alone is the whole call; several stand below what the application saw. */
static void held_leave(struct trace_assembler *assembler, struct held *held)
{
	struct trace trace = {
		.arena = held->attempts_arena,
		.resource = held->resource,
		.credential = held->credential,
		.origin = origin_of(assembler, held->key.process),
	};

	trace.spans_tail = &trace.spans;
	span_add(&trace, held->shown);
	if (held->count > 1)
		spans_add(&trace, TAKE_PTR(held->attempts));
	spans_add(&trace, held->shown_steps);
	trace_give_ids(assembler, &trace, held->sequence);
	assembler->ops->done(assembler->user, &trace, held->sequence);
	held_free(assembler->opts.alloc, held);
}

static void call_leave(struct trace_assembler *assembler, const struct held_source *source, uint64_t sequence)
{
	struct arena *arena = assembler->scratch;
	struct trace trace = {
		.arena = arena,
		.credential = source->call->credential,
		.origin = source->origin,
	};
	struct span_source whole = {
		.call = source->call,
		.opts = source->opts,
		.origin = source->origin,
		.role = SPAN_WHOLE,
		.retry_index = source->key.counter > 0 ? source->key.counter : -1,
	};
	struct span *span, *steps;
	int r = span_make(&whole, arena, false, &span);

	if (r == 0)
		r = step_spans_make(&whole, arena, false, &steps);
	if (r == 0)
		r = span_resource(source->opts, source->origin, arena, false, &trace.resource);
	if (r == 0) {
		trace.spans_tail = &trace.spans;
		span_add(&trace, span);
		spans_add(&trace, steps);
		trace_give_ids(assembler, &trace, sequence);
		assembler->ops->done(assembler->user, &trace, sequence);
	} else {
		calls_lost(assembler, 1);
	}
	arena_reset(arena);
}

/* ---- the list of held attempts ---- */

static void held_push(struct trace_assembler *assembler, struct held *held)
{
	held->next = NULL;
	*assembler->held_tail = held;
	assembler->held_tail = &held->next;
	assembler->held_count += held->count;
}

/* Takes out the one that *at points to. */
static struct held *held_take(struct trace_assembler *assembler, struct held **at)
{
	struct held *held = *at;

	*at = held->next;
	if (assembler->held_tail == &held->next)
		assembler->held_tail = at;
	assembler->held_count -= held->count;
	return held;
}

/* Of several that @key could repeat, the one of its own thread, else the oldest. */
static struct held **held_find(struct trace_assembler *assembler, const struct retry_key *key)
{
	struct held **found = NULL;

	for (struct held **at = &assembler->held; *at; at = &(*at)->next) {
		struct held *held = *at;

		if (key->begin_ns > held->deadline_ns || !retry_follows(&held->key, held->end_ns, key))
			continue;
		if (held->key.thread == key->thread)
			return at;
		if (!found)
			found = at;
	}
	return found;
}

/* The places for held attempts are bounded: the oldest leave. */
static void held_shed(struct trace_assembler *assembler)
{
	while (assembler->held && assembler->held_count > assembler->opts.held_max)
		held_leave(assembler, held_take(assembler, &assembler->held));
}

/* ---- requests without an answer yet ---- */

static void open_forget(struct trace_assembler *assembler, struct open_request **at)
{
	struct open_request *open = *at;

	*at = open->next;
	if (assembler->open_tail == &open->next)
		assembler->open_tail = at;
	assembler->open_count--;
	alloc_put(assembler->opts.alloc, open, sizeof(*open));
}

static void open_close(struct trace_assembler *assembler, const struct retry_key *key)
{
	for (struct open_request **at = &assembler->open; *at; at = &(*at)->next)
		if ((*at)->key.conn == key->conn && (*at)->key.begin_ns == key->begin_ns)
			return open_forget(assembler, at);
}

static bool held_is_awaited(const struct trace_assembler *assembler, const struct held *held)
{
	for (const struct open_request *open = assembler->open; open; open = open->next)
		if (open->key.begin_ns <= held->deadline_ns && retry_follows(&held->key, held->end_ns, &open->key))
			return true;
	return false;
}

/* Best effort: a request that is not remembered only means that a held attempt may leave before it. */
void trace_on_request(struct trace_assembler *assembler, const struct call *call)
{
	struct open_request *open = alloc_get(assembler->opts.alloc, sizeof(*open));

	if (!open)
		return;
	open->key = retry_key_of(call, assembler->opts.node_key[0]);
	*assembler->open_tail = open;
	assembler->open_tail = &open->next;
	if (++assembler->open_count > OPEN_MAX)
		open_forget(assembler, &assembler->open);
}

/* ---- news ---- */

static void call_hold(struct trace_assembler *assembler, const struct held_source *source, struct held *held)
{
	held->deadline_ns = retry_deadline_ns(source->call, held->end_ns, assembler->opts.hold_ns);
	held_push(assembler, held);
	held_shed(assembler);
}

/* @held is out of the list. */
static void call_join(struct trace_assembler *assembler, const struct held_source *source, struct held *held,
		      uint64_t sequence)
{
	if (held_add(held, source) < 0) {
		held_leave(assembler, held);
		call_leave(assembler, source, sequence);
	} else if (retry_is_expected(source->call) && held->count < ATTEMPTS_MAX) {
		call_hold(assembler, source, held);
	} else {
		held_leave(assembler, held);
	}
}

void trace_on_call(struct trace_assembler *assembler, const struct call *call)
{
	struct held_source source = {
		.call = call,
		.opts = &assembler->opts,
		.origin = origin_of(assembler, call->conn.process),
		.key = retry_key_of(call, assembler->opts.node_key[0]),
	};
	uint64_t sequence = assembler->sequence++;
	struct held *held, **at;

	open_close(assembler, &source.key);
	at = held_find(assembler, &source.key);
	if (at)
		return call_join(assembler, &source, held_take(assembler, at), sequence);
	held = assembler->opts.held_max && retry_is_expected(call) ? held_new(assembler->opts.alloc, &source, sequence)
								   : NULL;
	if (held)
		call_hold(assembler, &source, held);
	else
		call_leave(assembler, &source, sequence);
}

void trace_set_unix_offset(struct trace_assembler *assembler, int64_t unix_offset_ns)
{
	assembler->opts.unix_offset_ns = unix_offset_ns;
}

/* Lets go of all that @is_due says, oldest first. */
static void held_release(struct trace_assembler *assembler,
			 bool (*is_due)(const struct trace_assembler *assembler, const struct held *held,
					const void *what),
			 const void *what)
{
	struct held **at = &assembler->held;

	while (*at)
		if (is_due(assembler, *at, what))
			held_leave(assembler, held_take(assembler, at));
		else
			at = &(*at)->next;
}

static bool is_over(const struct trace_assembler *assembler, const struct held *held, const void *now_ns)
{
	return *(const uint64_t *)now_ns > held->deadline_ns && !held_is_awaited(assembler, held);
}

/* A call may be told a while after its process ended, when its other end was waited for; but not for ever. */
static void orphans_forget(struct trace_assembler *assembler, uint64_t now_ns)
{
	struct open_request **at = &assembler->open;

	while (*at) {
		struct open_request *open = *at;

		if (open->is_orphan && open->gone_ns && now_ns > open->gone_ns + assembler->opts.hold_ns) {
			open_forget(assembler, at);
			continue;
		}
		if (open->is_orphan && !open->gone_ns)
			open->gone_ns = now_ns;
		at = &open->next;
	}
}

void trace_tick(struct trace_assembler *assembler, uint64_t now_ns)
{
	orphans_forget(assembler, now_ns);
	held_release(assembler, is_over, &now_ns);
}

/* The last call of a process may be told after its end: one between programs of this host waits for the other side. */
void trace_on_exit(struct trace_assembler *assembler, struct process_id process, uint64_t time_ns)
{
	for (struct held *held = assembler->held; held; held = held->next)
		if (memcmp(&held->key.process, &process, sizeof(process)) == 0 && !held_is_awaited(assembler, held))
			held->deadline_ns = MIN(held->deadline_ns, time_ns + EXIT_WAIT_NS);
	for (struct open_request *open = assembler->open; open; open = open->next)
		if (memcmp(&open->key.process, &process, sizeof(process)) == 0)
			open->is_orphan = true;
}

static bool is_any(const struct trace_assembler *assembler, const struct held *held, const void *what)
{
	return true;
}

void trace_flush(struct trace_assembler *assembler)
{
	held_release(assembler, is_any, NULL);
}

struct trace_assembler *trace_assembler_free(struct trace_assembler *assembler)
{
	if (!assembler)
		return NULL;
	if (assembler->held_count) /* the owner should have flushed */
		calls_lost(assembler, assembler->held_count);
	while (assembler->held)
		held_free(assembler->opts.alloc, held_take(assembler, &assembler->held));
	while (assembler->open)
		open_forget(assembler, &assembler->open);
	arena_free(assembler->scratch);
	alloc_put(assembler->opts.alloc, assembler, sizeof(*assembler));
	return NULL;
}

size_t trace_held(const struct trace_assembler *assembler)
{
	return assembler->held_count;
}
