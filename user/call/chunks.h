/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunks: the newest events of a streamed answer, in bounded memory. A short stream keeps all of them; of a long one
 * at least the last CHUNKS_KEPT_MIN stay where half the budget holds them, at most twice as many, and
 * call->chunks_dropped counts the others.
 * The list never has a gap.
 */
#pragma once
#include "base/alloc.h"
#include "model/call.h"

enum { CHUNKS_KEPT_MIN = 128 };

struct chunks {
	struct alloc_heap heap;
	struct arena *old, *now;
	uint64_t old_count, now_count;
	struct chunk *now_first;
};

void chunks_init(struct chunks *chunks, struct alloc *alloc, size_t bytes_max);
void chunks_add(struct chunks *chunks, struct call *call, struct name_value event, uint64_t time_ns);
void chunks_free(struct chunks *chunks);
