/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aside: a kept body of JSON gives away the long texts in it when it has grown to ASIDE_LIMIT, and keeps marks in their
 * places (model/aside.h). So a request of any size takes about that much memory while its call goes on.
 *
 * Of a string ASIDE_WORDS bytes stay in front of the mark: what is asked of a text's beginning (is it a URL?) is answered as before. All
 * of a string stays where it is short (ASIDE_TEXT_MIN), where it begins as JSON does and is not a "content", "text" or "output", for
 * dialects look into arguments and their like, or where it has control characters, which no JSON has. What is given away is cut between characters, pairs of escapes included,
 * in pieces of up to ASIDE_TEXT_MAX, and never within the credential. Where texts are cut depends on the body alone, not on the pieces in which it came.
 */
#pragma once
#include "base/buf.h"
#include "model/aside.h"

/* Both smaller for whoever feeds it small bodies. */
#ifndef ASIDE_LIMIT_BYTES
#define ASIDE_LIMIT_BYTES (512 << 10)
#endif
#ifndef ASIDE_TEXT_MIN_BYTES
#define ASIDE_TEXT_MIN_BYTES (1 << 10)
#endif

enum {
	ASIDE_LIMIT = ASIDE_LIMIT_BYTES,
	ASIDE_TEXT_MIN = ASIDE_TEXT_MIN_BYTES,
	ASIDE_TEXT_MAX = 64 * ASIDE_TEXT_MIN,
	ASIDE_WORDS = 64,
	ASIDE_SECRET_MAX = 8 << 10,
};

struct aside_ops {
	/* The inside of a JSON string, or a part of it. true: it lies aside, under *ret; false: it stays in the body. */
	bool (*put)(void *user, struct slice text, struct aside_id *ret);
	void *user;
	struct slice secret; /* empty: none is known */
};

struct aside {
	size_t at; /* of the body: up to here it was looked through */
	/* The string that is open there: its first words are passed; all of it stays; nobody looks into it, by its name. */
	bool in_string, is_begun, stays, is_text;
	size_t limit;
	uint64_t bytes; /* that lie aside */
};
#define ASIDE ((struct aside){ .limit = ASIDE_LIMIT })

/* How much the body may get before it is due. */
static inline size_t aside_room(const struct aside *aside, const struct buf *body)
{
	return body->len < aside->limit ? aside->limit - body->len : 0;
}

/* What stands before @at, which is in the string that is open, and was not given away, stays; so does what belongs to it: the rest
 * of an escape, or of the credential. */
void aside_skip(struct aside *aside, const struct buf *body, size_t at, const struct aside_ops *ops);

/* Looks through what of @body came since the last time, up to @end: nothing behind that is moved but to the left. Returns by how
 * much the body has become shorter. */
size_t aside_take(struct aside *aside, struct buf *body, size_t end, const struct aside_ops *ops);
