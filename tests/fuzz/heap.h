/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of one execution of a fuzz target: pieces side by side in one region, none used twice before the next execution
 * begins. What is outside a piece, and every piece given back, is poisoned for the sanitizer; a size that is not the
 * piece's own is seen too. This finds what the sanitizer's own heap finds, use after free even more surely, at a tenth of its
 * cost, which was most of an execution. Only a live fuzzer uses it (FUZZ_LIVE): the replay of a corpus takes its memory
 * from malloc, whose reports name the places of birth and death.
 */
#pragma once
#include "base/alloc.h"
#include "digest.h"
#include <string.h>

#ifdef FUZZ_LIVE
#include <sanitizer/asan_interface.h>

enum {
	REGION_BYTES = 64 << 20,
	REGION_PIECE_MAX = 16 << 20, /* larger ones, and those for which there is no room, are malloc's */
	REGION_GAP = 16,             /* poisoned, behind each piece; pieces begin at multiples of it */
};

static _Alignas(64) char region[REGION_BYTES];
static uint32_t region_sizes[REGION_BYTES / REGION_GAP]; /* of the piece that begins there, 0: none */
static size_t region_used;

static bool region_has(const void *pointer)
{
	return (const char *)pointer >= region && (const char *)pointer < region + REGION_BYTES;
}

static void *region_take(size_t len)
{
	size_t room = (len + REGION_GAP - 1) / REGION_GAP * REGION_GAP + REGION_GAP;
	char *got = region + region_used;

	if (len > REGION_PIECE_MAX || room > REGION_BYTES - region_used)
		return malloc(len);
	region_sizes[region_used / REGION_GAP] = (uint32_t)len;
	region_used += room;
	ASAN_UNPOISON_MEMORY_REGION(got, len);
	return got;
}

static void region_give(void *pointer, size_t len)
{
	size_t at = (size_t)((char *)pointer - region);

	if (!region_has(pointer)) {
		free(pointer);
		return;
	}
	MUST(at % REGION_GAP == 0 && region_sizes[at / REGION_GAP] == len);
	region_sizes[at / REGION_GAP] = 0;
	ASAN_POISON_MEMORY_REGION(pointer, len);
}

static void *region_resize(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len)
{
	void *got = new_len ? region_take(new_len) : NULL;

	if (pointer && got)
		memcpy(got, pointer, old_len < new_len ? old_len : new_len);
	if (pointer && (got || !new_len))
		region_give(pointer, old_len);
	return got;
}

/* All of the last execution's pieces are gone. */
static struct alloc *region_begin(void)
{
	static struct alloc alloc = { region_resize };
	static bool is_begun;

	ASAN_POISON_MEMORY_REGION(region, is_begun ? region_used : REGION_BYTES);
	is_begun = true;
	region_used = 0;
	return &alloc;
}
#else
static struct alloc *region_begin(void)
{
	return NULL;
}
#endif

/* For one execution: what it does not give back is a leak, to be seen in used. */
static inline struct alloc_heap heap_begin(size_t cap)
{
	return (struct alloc_heap)ALLOC_HEAP_IN(region_begin(), cap);
}
