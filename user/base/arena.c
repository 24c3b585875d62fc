/* SPDX-License-Identifier: Apache-2.0 */
/* A chain of blocks, newest first. A new one has room for half of all that the others hold, up to 16 KiB: blocks stay few, and
 * what is left empty of the newest, which counts for each call in the making, stays small behind one large thing. */
#include "arena.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

enum { BLOCK_MIN = 1024, BLOCK_MAX = 16 << 10, ALIGN = 16 };

struct block {
	struct block *next;
	size_t size; /* of data */
	size_t used;
	size_t pad;
	char data[];
};

struct arena {
	struct alloc *alloc;
	struct block *head;
	size_t cap;
	size_t total; /* block bytes, headers included */
};

struct arena *arena_new(struct alloc *alloc, size_t cap)
{
	struct arena *arena = alloc_get(alloc, sizeof(*arena));

	if (arena)
		*arena = (struct arena){ .alloc = alloc, .cap = cap };
	return arena;
}

static void block_free(struct arena *arena, struct block *block)
{
	size_t len = sizeof(*block) + block->size;

	arena->total -= len;
	alloc_put(arena->alloc, block, len);
}

void arena_reset(struct arena *arena)
{
	while (arena->head && arena->head->next) {
		struct block *next = arena->head->next;

		block_free(arena, arena->head);
		arena->head = next;
	}
	if (arena->head)
		arena->head->used = 0;
}

struct arena *arena_free(struct arena *arena)
{
	if (!arena)
		return NULL;
	arena_reset(arena);
	if (arena->head)
		block_free(arena, arena->head);
	alloc_put(arena->alloc, arena, sizeof(*arena));
	return NULL;
}

size_t arena_used(const struct arena *arena)
{
	return arena->total;
}

static struct block *block_add(struct arena *arena, size_t need)
{
	size_t want = MIN(MAX(arena->total / 2, (size_t)BLOCK_MIN), (size_t)BLOCK_MAX);
	size_t size = MAX(need, want);
	struct block *block;

	if (arena->total + sizeof(*block) + size > arena->cap)
		size = need;
	if (size > arena->cap || arena->total + sizeof(*block) + size > arena->cap)
		return NULL;
	block = arena->alloc->resize(arena->alloc, NULL, 0, sizeof(*block) + size);
	if (!block)
		return NULL;
	*block = (struct block){ .next = arena->head, .size = size };
	arena->head = block;
	arena->total += sizeof(*block) + size;
	return block;
}

void *arena_alloc(struct arena *arena, size_t len)
{
	size_t need = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct block *block = arena->head;
	void *got;

	if (need < len)
		return NULL;
	if (!block || block->size - block->used < need)
		block = block_add(arena, need);
	if (!block)
		return NULL;
	got = block->data + block->used;
	block->used += need;
	return memset(got, 0, need);
}

struct slice arena_dup(struct arena *arena, struct slice s)
{
	char *copy = arena_alloc(arena, s.len + 1);

	if (!copy)
		return SLICE_NONE;
	if (s.len)
		memcpy(copy, s.data, s.len);
	return (struct slice){ copy, s.len };
}

struct slice arena_dup_lower(struct arena *arena, struct slice s)
{
	struct slice copy = arena_dup(arena, s);

	for (size_t i = 0; copy.data && i < copy.len; i++)
		((char *)copy.data)[i] = (char)tolower((unsigned char)copy.data[i]);
	return copy;
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text ? (struct slice){ text, (size_t)len } : SLICE_NONE;
}
