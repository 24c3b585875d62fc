/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON kept to the letter. A value is the slice of text it was written in, so what is passed on is what travelled: no
 * tree, no memory, no number that changes. Check a text once with json_check(); the readers below then walk it in place.
 * (cJSON builds trees where a small foreign answer is taken apart: server replies in sinks. It would triple the memory of
 * a 4 MB prompt and turn its integers into doubles.)
 *
 *	struct slice usage = json_get(body, SLICE("usage"));		SLICE_NONE when absent or null-valued object
 *	int64_t tokens;
 *	if (json_int(json_get(usage, SLICE("prompt_tokens")), &tokens) == 0) ...
 *	json_foreach_element(choice, json_get(body, SLICE("choices"))) ...
 *
 * A value slice has no white space around it. Readers never read outside their slice, whatever is in it; on text that
 * json_check() did not accept they may find wrong things, not worse.
 */
#pragma once
#include "arena.h"
#include "buf.h"
#include "slice.h"

enum json_type { JSON_NONE, JSON_NULL, JSON_TRUE, JSON_FALSE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum { JSON_DEPTH_MAX = 500 }; /* deeper text is not taken for JSON: MLflow refuses a batch for it at 950 */

/* Whole grammar of RFC 8259 over all of @text (white space around it allowed). 0, or -EBADMSG, -E2BIG when deeper than
 * @depth_max. Invalid UTF-8 inside strings is accepted here; json_clean() mends it. */
int json_check(struct slice text, unsigned depth_max);
/* @text without white space around it: the value. */
struct slice json_trim(struct slice text);
enum json_type json_type(struct slice value);

/* Member of an object by name (exact case; the last of equal names, as JSON readers do). SLICE_NONE when absent, or when
 * the value is null: providers write null for absent. */
struct slice json_get(struct slice object, struct slice name);
/* json_get through several levels; a name of "#0" style is an index: json_path(v, "choices", "#0", "delta", NULL). */
struct slice json_path(struct slice value, ...) __attribute__((sentinel));

struct json_iter {
	struct slice rest;
	struct slice name;  /* raw, still escaped, without quotes; empty for arrays */
	struct slice value; /* may be the text null */
	bool is_object;
};
struct json_iter json_iter(struct slice container); /* works for objects and arrays; anything else is empty */
bool json_next(struct json_iter *iter);

#define json_foreach_member(iter, object) for (struct json_iter iter = json_iter(object); json_next(&iter);)
#define json_foreach_element(iter, array) for (struct json_iter iter = json_iter(array); json_next(&iter);)
size_t json_count(struct slice container);

/* Scalars: 0 and the value, or -EINVAL (ret untouched). json_int takes "12", "12.0" and the string "12" as well. */
int json_int(struct slice value, int64_t *ret);
int json_double(struct slice value, double *ret);
bool json_is_true(struct slice value);
/* Text of a string value, unescaped into the arena (lone surrogates become U+FFFD); a string without escapes is a view of
 * @value. SLICE_NONE when it is no string or the arena is full. */
struct slice json_text(struct arena *arena, struct slice value);
/* Raw inside of a string value, escapes kept; SLICE_NONE when it is no string. Fit for comparing with plain ASCII words. */
struct slice json_raw_text(struct slice value);
/* How much of @raw, a piece of the inside of a string that goes on, can be taken alone: up to where an escape, or the other half of
 * it, may follow behind the piece. Not 0 for 12 bytes and more. */
size_t json_raw_whole(struct slice raw);
bool json_text_is(struct slice value, struct slice word);

/* @text made fit for every server: invalid UTF-8 and lone surrogate escapes become U+FFFD, NUL escapes (\u0000) vanish.
 * Structure, spacing and order stay. Most texts are fit as they are: then it is @text itself, and @out stays as it was; else
 * it is what was appended to @out. */
struct slice json_clean(struct buf *out, struct slice text);
/* The same for plain text: invalid UTF-8 becomes U+FFFD, NUL vanishes. */
struct slice text_clean(struct buf *out, struct slice text);

/* ---- writing: appends to a buf; a comma is written where the last byte asks for one ---- */
void json_put_name(struct buf *out, struct slice name); /* ,"name": */
/* The same of a name as it is written, escapes and all: as json_iter gives it. */
void json_put_raw_name(struct buf *out, struct slice name);
void json_put_text(struct buf *out, struct slice text); /* ,"escaped"; invalid UTF-8 is mended */
void json_put_raw(struct buf *out, struct slice value); /* ,value as it is */
void json_put_int(struct buf *out, int64_t value);
void json_put_double(struct buf *out, double value); /* shortest text that reads back the same */
void json_put_bool(struct buf *out, bool value);
void json_put_null(struct buf *out);
void json_open(struct buf *out, char bracket);  /* ,{ or ,[ */
void json_close(struct buf *out, char bracket); /* } or ] */
/* Only the escaped inside, without quotes or comma: to write one string in pieces. */
void json_put_escaped(struct buf *out, struct slice text);

/* "name":"text" / "name":value when there is something, nothing otherwise. */
void json_member_text(struct buf *out, struct slice name, struct slice text);
void json_member_raw(struct buf *out, struct slice name, struct slice value);
void json_member_int(struct buf *out, struct slice name, int64_t value);
