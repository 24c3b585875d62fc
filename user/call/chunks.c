/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two arenas take turns: when the newer one has enough events, the older one goes as a whole and the
 * newer becomes the older. So nothing is ever moved, and the end of the list is always whole.
 *
 *	old: chunk chunk chunk ... | now: chunk chunk
 */
#include "call/chunks.h"

void chunks_init(struct chunks *chunks, struct alloc *alloc, size_t bytes_max)
{
	*chunks = (struct chunks){ .heap = ALLOC_HEAP_IN(alloc, bytes_max) };
}

static void chunks_turn(struct chunks *chunks, struct call *call)
{
	arena_free(chunks->old);
	call->chunks_dropped += chunks->old_count;
	call->chunk_count -= chunks->old_count;
	call->chunks = chunks->now_first;
	if (!call->chunks)
		call->chunks_tail = &call->chunks;
	chunks->old = chunks->now;
	chunks->old_count = chunks->now_count;
	chunks->now = NULL;
	chunks->now_count = 0;
	chunks->now_first = NULL;
}

static bool chunks_try(struct chunks *chunks, struct call *call, struct name_value event, uint64_t time_ns)
{
	struct chunk *chunk;

	if (!chunks->now)
		chunks->now = arena_new(&chunks->heap.alloc, SIZE_MAX);
	chunk = chunks->now ? arena_new_of(chunks->now, struct chunk) : NULL;
	if (chunk)
		*chunk = (struct chunk){ .data = arena_dup(chunks->now, event.value), .time_ns = time_ns };
	if (chunk && event.name.len)
		chunk->name = arena_dup(chunks->now, event.name);
	if (!chunk || !chunk->data.data || (event.name.len && !chunk->name.data))
		return false;
	*call->chunks_tail = chunk;
	call->chunks_tail = &chunk->next;
	call->chunk_count++;
	chunks->now_count++;
	if (!chunks->now_first)
		chunks->now_first = chunk;
	return true;
}

void chunks_add(struct chunks *chunks, struct call *call, struct name_value event, uint64_t time_ns)
{
	if (chunks->now_count >= CHUNKS_KEPT_MIN)
		chunks_turn(chunks, call);
	/* No memory: the second turn gives back all there is. */
	for (int i = 0; i < 3; i++) {
		if (chunks_try(chunks, call, event, time_ns))
			return;
		chunks_turn(chunks, call);
	}
	call->chunks_dropped++;
}

void chunks_free(struct chunks *chunks)
{
	chunks->old = arena_free(chunks->old);
	chunks->now = arena_free(chunks->now);
}
