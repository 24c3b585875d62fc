/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What unit tests of all rooms share: cmocka, an alloc that counts and fails on purpose, input that ends at a page which
 * faults, and numbers that are random but the same in each run.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Needs those above it: a block of its own, which the formatter does not sort into them. */
#include <cmocka.h>

#include "base/alloc.h"
#include "base/slice.h"

/* ---- memory that can be made to fail ---- */

struct fail_alloc {
	struct alloc alloc;
	uint64_t taken;   /* requests so far */
	uint64_t fail_at; /* the request that is refused, and all after it when is_sticky; 0: none */
	bool is_sticky;
	size_t used; /* 0 at the end, or something leaked or gave back a wrong size */
};

static inline void *fail_alloc_resize(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len)
{
	struct fail_alloc *fail = (struct fail_alloc *)alloc;
	void *got = NULL;

	if (new_len) {
		fail->taken++;
		if (fail->fail_at && (fail->taken == fail->fail_at || (fail->is_sticky && fail->taken > fail->fail_at)))
			return NULL;
		got = realloc(pointer, new_len);
		assert_non_null(got);
	} else {
		free(pointer);
	}
	fail->used = fail->used - old_len + new_len;
	return got;
}

#define FAIL_ALLOC(nth)                                                                                                \
	{                                                                                                              \
		.alloc = { .resize = fail_alloc_resize }, .fail_at = (nth)                                             \
	}

/* ---- input that cannot be read past its end ---- */

struct guard {
	struct slice text; /* ends where the memory ends */
	char *map;
	size_t map_len;
};

static inline struct guard guard_new(struct slice text)
{
	size_t page = 4096, room = (text.len / page + 1) * page;
	char *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + room, page, PROT_NONE), 0);
	if (text.len)
		memcpy(map + room - text.len, text.data, text.len);
	return (struct guard){ { map + room - text.len, text.len }, map, room + page };
}

static inline void guard_free(struct guard *guard)
{
	munmap(guard->map, guard->map_len);
}

/* ---- random numbers, the same in each run ---- */

static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* 0 … below - 1 */
static inline size_t random_below(uint64_t *state, size_t below)
{
	return (size_t)(random_next(state) % below);
}
