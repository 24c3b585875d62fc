/* SPDX-License-Identifier: Apache-2.0 */
/* Two arenas, because two lives: attempts stay, the shown span is replaced by each newer attempt. */
#include "trace/held.h"
#include "base/cleanup.h"
#include "trace/step.h"
#include <errno.h>

enum { HELD_BYTES_MAX = 64 << 20 }; /* of one arena; the real budget is in the alloc */

struct held *held_free(struct alloc *alloc, struct held *held)
{
	if (!held)
		return NULL;
	arena_free(held->shown_arena);
	arena_free(held->attempts_arena);
	alloc_put(alloc, held, sizeof(*held));
	return NULL;
}

static int shown_make(const struct held *held, const struct held_source *source, struct arena *arena, struct span **ret,
		      struct span **ret_steps)
{
	bool is_first = held->count == 0;
	struct span_source shown = {
		.call = source->call,
		.opts = source->opts,
		.origin = source->origin,
		.role = is_first ? SPAN_WHOLE : SPAN_LOGICAL,
		.begin_ns = held->begin_ns,
		.others_complete = held->all_complete,
		.retry_index = is_first && held->first_counter > 0 ? held->first_counter : -1,
		.retry_count = (int64_t)held->count + 1,
	};
	int r = span_make(&shown, arena, true, ret);

	return r < 0 ? r : step_spans_make(&shown, arena, true, ret_steps);
}

int held_add(struct held *held, const struct held_source *source)
{
	const struct call *call = source->call;
	struct arena *arena CLEANUP(arena_free) = arena_new(source->opts->alloc, HELD_BYTES_MAX);
	struct span *shown, *steps, *attempt;
	int r;

	if (!arena)
		return -ENOMEM;
	r = shown_make(held, source, arena, &shown, &steps);
	if (r < 0)
		return r;
	r = span_make(
		&(struct span_source){
			.call = call,
			.opts = source->opts,
			.origin = source->origin,
			.role = SPAN_ATTEMPT,
			.retry_index = (int64_t)held->count + MAX(held->first_counter, (int64_t)0),
		},
		held->attempts_arena, true, &attempt);
	if (r < 0)
		return r;
	arena_free(held->shown_arena);
	held->shown_arena = TAKE_PTR(arena);
	held->shown = shown;
	held->shown_steps = steps;
	*held->attempts_tail = attempt;
	held->attempts_tail = &attempt->next;
	held->count++;
	held->key = source->key;
	held->end_ns = MAX(held->end_ns, span_end_ns(call));
	held->all_complete = held->all_complete && call->is_complete && !call->is_undecodable;
	return 0;
}

struct held *held_new(struct alloc *alloc, const struct held_source *source, uint64_t sequence)
{
	const struct call *call = source->call;
	struct held *held = alloc_get(alloc, sizeof(*held));
	int r;

	if (!held)
		return NULL;
	held->attempts_tail = &held->attempts;
	held->sequence = sequence;
	held->begin_ns = span_begin_ns(call);
	held->first_counter = source->key.counter;
	held->all_complete = true;
	held->attempts_arena = arena_new(alloc, HELD_BYTES_MAX);
	if (!held->attempts_arena)
		return held_free(alloc, held);
	if (call->credential.len) {
		held->credential = arena_dup(held->attempts_arena, call->credential);
		if (!held->credential.data)
			return held_free(alloc, held);
	}
	r = span_resource(source->opts, source->origin, held->attempts_arena, true, &held->resource);
	if (r == 0)
		r = held_add(held, source);
	return r < 0 ? held_free(alloc, held) : held;
}
