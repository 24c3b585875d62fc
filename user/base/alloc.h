/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory as an argument. A room gets a struct alloc and takes all its memory there, so the taker is counted, capped and
 * made to fail on purpose (tests fail the nth request). alloc_heap() is the real one, over malloc.
 *
 *	struct alloc_heap heap = ALLOC_HEAP(64 << 20);
 *	void *p = alloc_get(&heap.alloc, 100);		zeroed; NULL over the cap
 *	alloc_put(&heap.alloc, p, 100);			the size is given back by the taker, nothing is stored beside it
 *
 * Budgets nest: a heap with a parent counts in both, and is refused when either is full.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct alloc {
	/* realloc semantics with known sizes: new_len 0 frees, pointer NULL takes. NULL when refused; then the old stays. */
	void *(*resize)(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len);
};

struct alloc_heap {
	struct alloc alloc;
	struct alloc *parent; /* NULL: malloc */
	size_t cap;
	size_t used;
	size_t peak;
	uint64_t refused; /* requests over the cap, this one's or an outer one's */
};

void *alloc_heap_resize(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len);

#define ALLOC_HEAP(cap_bytes)                                                                                          \
	{                                                                                                              \
		.alloc = { .resize = alloc_heap_resize }, .cap = (cap_bytes)                                           \
	}
#define ALLOC_HEAP_IN(outer, cap_bytes)                                                                                \
	{                                                                                                              \
		.alloc = { .resize = alloc_heap_resize }, .parent = (outer), .cap = (cap_bytes)                        \
	}

/* Zeroed memory, or NULL. */
void *alloc_get(struct alloc *alloc, size_t len);
void alloc_put(struct alloc *alloc, void *pointer, size_t len);
