/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text in a call's arena. `pieces` gather what a stream brings, without ever moving what is there; `out` is the buffer
 * in which JSON is written once all is known. Both survive a full arena: pieces keep what came before and say so, an out
 * is then worth nothing and gives an empty slice.
 *
 * A stream's strings are kept as they were written, escapes and all: gluing them needs no decoding, and a surrogate pair
 * that two events share finds itself again.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

struct pieces {
	struct piece *first, *last;
	size_t len;
	bool failed; /* the arena was full: what came later is not here */
};

/* false when it could not be kept; the text then ends here for good. */
bool pieces_add(struct arena *arena, struct pieces *pieces, struct slice bytes);
void pieces_put(const struct pieces *pieces, struct buf *out);
/* "text" with quotes around it: a JSON string, when the pieces are insides of JSON strings. */
struct slice pieces_quoted(struct arena *arena, const struct pieces *pieces);
/* [elements], when the pieces are elements and the commas between them; a comma behind which nothing found memory is left out. */
struct slice pieces_listed(struct arena *arena, const struct pieces *pieces);
/* The same written as members of an object: ,"name":"text" and ,"name":[elements]. */
void pieces_member_text(struct buf *out, struct slice name, const struct pieces *pieces);
void pieces_member_list(struct buf *out, struct slice name, const struct pieces *pieces);
/* Keeps a copy of the newest value in *held, in its old place where it fits. *held must be empty or of this function;
 * absent values are passed over. false when the arena is full. */
bool slice_hold(struct arena *arena, struct slice *held, struct slice value);

struct out {
	struct buf buf;
	struct alloc alloc;
	struct arena *arena;
};

/* @guess: what will be needed, so that growing (the arena takes nothing back) is the exception. Must not move. */
void out_init(struct out *out, struct arena *arena, size_t guess);
/* What was written, or SLICE_NONE when it is not whole. */
struct slice out_slice(const struct out *out);
