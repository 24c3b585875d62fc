/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory that lives and dies together. It has a hard cap from its birth and returns NULL there, never aborts;
 * what has been taken stays valid until arena_reset() or arena_free(). Blocks come from the struct alloc given at birth.
 */
#pragma once
#include "alloc.h"
#include "cleanup.h"
#include "slice.h"

struct arena;

/* @cap: most bytes that can be taken in all. NULL when even the arena itself is refused. */
struct arena *arena_new(struct alloc *alloc, size_t cap);
struct arena *arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena *, arena_free)
/* All gone but the first block, which is kept for the next use. */
void arena_reset(struct arena *arena);
/* Bytes taken from the alloc, blocks' slack included. */
size_t arena_used(const struct arena *arena);

/* Zeroed, aligned to 16. NULL at the cap. */
void *arena_alloc(struct arena *arena, size_t len);
/* A copy with a NUL behind it (not counted in len). data is NULL at the cap. */
struct slice arena_dup(struct arena *arena, struct slice s);
/* Lower-case (ASCII) copy. */
struct slice arena_dup_lower(struct arena *arena, struct slice s);
/* printf into the arena. data is NULL at the cap. */
struct slice arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define arena_new_of(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
