/* SPDX-License-Identifier: Apache-2.0 */
/* The idea: the taker knows the size, so a counted heap needs no header before each piece. */
#include "alloc.h"
#include <stdlib.h>
#include <string.h>

static void *memory_resize(struct alloc *parent, void *pointer, size_t old_len, size_t new_len)
{
	if (parent)
		return parent->resize(parent, pointer, old_len, new_len);
	if (new_len == 0) {
		free(pointer);
		return NULL;
	}
	return realloc(pointer, new_len);
}

void *alloc_heap_resize(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len)
{
	struct alloc_heap *heap = (struct alloc_heap *)alloc;
	size_t others = heap->used - old_len;
	void *got;

	if (new_len > heap->cap || others > heap->cap - new_len) {
		heap->refused++;
		return NULL;
	}
	got = memory_resize(heap->parent, pointer, old_len, new_len);
	if (new_len && !got) {
		heap->refused++;
		return NULL;
	}
	heap->used = others + new_len;
	if (heap->used > heap->peak)
		heap->peak = heap->used;
	return got;
}

void *alloc_get(struct alloc *alloc, size_t len)
{
	void *got = len ? alloc->resize(alloc, NULL, 0, len) : NULL;

	if (got)
		memset(got, 0, len);
	return got;
}

void alloc_put(struct alloc *alloc, void *pointer, size_t len)
{
	if (pointer)
		alloc->resize(alloc, pointer, len, 0);
}
