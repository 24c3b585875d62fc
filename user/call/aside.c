/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way through the body, in place: what is read at `from` is written at `to`, which is never ahead, for a mark is shorter than
 * any text that goes.
 */
#include "call/aside.h"
#include "base/cleanup.h"
#include "base/json.h"

enum {
	TYPE_REACH = 160, /* before a file that is open, media.c looks for its type that far back */
	MARK_LEN = 14 + 2 + 2 * ASIDE_ID_LEN + 2 + 1, /* ASIDE_HEAD, the quotes, the bracket */
};
_Static_assert(MARK_LEN < (int)ASIDE_TEXT_MIN, "a mark is shorter than what it stands for");

struct pass {
	struct aside *aside;
	struct buf *body;
	const struct aside_ops *ops;
	size_t from, to, end;
};

static void pass_keep(struct pass *pass, size_t until)
{
	size_t len = until - pass->from;

	if (pass->to != pass->from && len)
		memmove(pass->body->data + pass->to, pass->body->data + pass->from, len);
	pass->to += len;
	pass->from = until;
}

/* [spantap:text \"0123456789abcdef0123456789abcdef\"] */
static void pass_mark(struct pass *pass, const struct aside_id *id)
{
	static const char digits[] = "0123456789abcdef";
	char *out = pass->body->data + pass->to;

	memcpy(out, ASIDE_HEAD.data, ASIDE_HEAD.len);
	out += ASIDE_HEAD.len;
	*out++ = '\\';
	*out++ = '"';
	for (size_t i = 0; i < ASIDE_ID_LEN; i++) {
		*out++ = digits[id->bytes[i] >> 4];
		*out++ = digits[id->bytes[i] & 15];
	}
	memcpy(out, "\\\"]", 3);
	pass->to += MARK_LEN;
}

/* ---- a stretch of a string ---- */

struct stretch {
	size_t end; /* its closing quote, or where the text so far ends */
	bool is_closed, has_control;
};

static bool is_control(char c)
{
	return (unsigned char)c < 0x20;
}

/* @text: up to where it is looked through. */
static struct stretch stretch_read(struct slice text, size_t from)
{
	struct stretch stretch = { .end = text.len };

	for (size_t at = from; at < text.len && !stretch.is_closed; at++) {
		char c = text.data[at];

		stretch.has_control |= is_control(c);
		if (c == '\\' && ++at < text.len)
			stretch.has_control |= is_control(text.data[at]);
		stretch.is_closed = c == '"';
		if (stretch.is_closed)
			stretch.end = at;
	}
	return stretch;
}

/* ---- where it may be cut ---- */

/* @at, or before it, but not before @least: between two characters. */
static size_t character_begin(struct slice text, size_t at, size_t least)
{
	while (at > least && at < text.len && ((unsigned char)text.data[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* Where a cut at @at would go through the credential, it moves to where that begins. */
static size_t cut_beside(struct slice text, size_t at, size_t least, struct slice secret)
{
	size_t reach = secret.len ? secret.len - 1 : 0, from = at - MIN(at - least, reach);
	ptrdiff_t found = reach ? slice_find(slice_from(slice_head(text, at + reach), from), secret) : -1;

	return found < 0 ? at : from + (size_t)found;
}

/* The last place from @from, which is one, to @max. */
static size_t cut_before(const struct pass *pass, struct slice text, size_t from, size_t max)
{
	size_t cut = from + json_raw_whole(slice_from(slice_head(text, max), from));

	return cut_beside(text, character_begin(text, cut, from), from, pass->ops->secret);
}

/* Dialects look into a string that is JSON. */
static bool begins_as_json(struct slice text)
{
	while (text.len) {
		size_t len = text.data[0] == ' '                                                   ? 1
			     : text.len > 1 && text.data[0] == '\\' && strchr("nrt", text.data[1]) ? 2
												   : 0;

		if (!len)
			break;
		text = slice_from(text, len);
	}
	return slice_starts(text, SLICE("{")) || slice_starts(text, SLICE("[")) || slice_starts(text, SLICE("\\\""));
}

/* ---- strings ---- */

/* Members whose strings nobody looks into, be they JSON or not: what people say, and what tools give back. */
static const struct slice text_names[] = { SLICE("content"), SLICE("text"), SLICE("output") };

/* @before: up to the quote with which a string begins. */
static bool is_text_by_name(struct slice before)
{
	struct slice colon = slice_trim(before);

	if (!slice_ends(colon, SLICE(":")))
		return false;
	before = slice_trim(slice_head(colon, colon.len - 1));
	if (!slice_ends(before, SLICE("\"")))
		return false;
	before = slice_head(before, before.len - 1);
	for (size_t i = 0; i < ARRAY_SIZE(text_names); i++)
		if (slice_ends(before, text_names[i]) && before.len > text_names[i].len &&
		    before.data[before.len - text_names[i].len - 1] == '"')
			return true;
	return false;
}

static void string_begin(struct pass *pass)
{
	enum { NAME_REACH = 64 };
	size_t reach = MIN(pass->to - 1, (size_t)NAME_REACH);
	struct slice before = { pass->body->data + pass->to - 1 - reach, reach };

	pass->aside->in_string = true;
	pass->aside->is_begun = pass->aside->stays = false;
	pass->aside->is_text = is_text_by_name(before);
}

/* Gives away from where the pass is up to @end. false: it was not taken, and the pass is where that begins. */
static bool text_give(struct pass *pass, struct slice text, size_t end)
{
	while (pass->from < end) {
		size_t left = end - pass->from, until = end;
		struct aside_id id;

		if (left > ASIDE_TEXT_MAX + ASIDE_TEXT_MIN)
			until = cut_before(pass, text, pass->from, pass->from + ASIDE_TEXT_MAX);
		if (until < pass->from + ASIDE_TEXT_MIN) /* there is no place to cut it */
			until = end;
		if (!pass->ops->put(pass->ops->user, slice_from(slice_head(text, until), pass->from), &id))
			return false;
		pass->aside->bytes += until - pass->from;
		pass_mark(pass, &id);
		pass->from = until;
	}
	return true;
}

/* The string up to @end goes, or stays. */
static void string_take(struct pass *pass, struct slice text, size_t end)
{
	struct aside *aside = pass->aside;
	size_t begin = pass->from;

	if (!aside->is_begun && !aside->is_text && begins_as_json(slice_from(text, begin)))
		aside->stays = true;
	if (!aside->is_begun)
		begin = cut_before(pass, text, begin, begin + ASIDE_WORDS);
	if (aside->stays || end < begin + ASIDE_TEXT_MIN)
		return;
	aside->is_begun = true;
	pass_keep(pass, begin);
	aside->stays = !text_give(pass, text, end);
}

/* false: the string goes on behind what is here. */
static bool string_pass(struct pass *pass)
{
	struct aside *aside = pass->aside;
	struct slice text = slice_head(buf_slice(pass->body), pass->end);
	size_t back = MAX(pass->ops->secret.len, (size_t)TYPE_REACH);
	size_t max = pass->end - MIN(back, pass->end - pass->from), end;
	struct stretch stretch = stretch_read(text, pass->from);

	end = stretch.is_closed ? stretch.end : cut_before(pass, text, pass->from, max);
	aside->stays |= stretch.has_control;
	string_take(pass, text, end);
	if (stretch.is_closed) {
		pass_keep(pass, stretch.end + 1);
		aside->in_string = false;
	} else if (aside->stays) {
		pass_keep(pass, MAX(end, pass->from));
	}
	return stretch.is_closed;
}

static void outside_pass(struct pass *pass)
{
	const char *quote = memchr(pass->body->data + pass->from, '"', pass->end - pass->from);

	pass_keep(pass, quote ? (size_t)(quote - pass->body->data) + 1 : pass->end);
	if (quote)
		string_begin(pass);
}

size_t aside_take(struct aside *aside, struct buf *body, size_t end, const struct aside_ops *ops)
{
	struct pass pass = { aside, body, ops, aside->at, aside->at, end };
	size_t before = body->len;
	bool goes_on = true;

	while (pass.from < end && goes_on) {
		if (aside->in_string)
			goes_on = string_pass(&pass);
		else
			outside_pass(&pass);
	}
	aside->at = pass.to;
	pass_keep(&pass, before);
	body->len = pass.to;
	aside->limit = MAX((size_t)ASIDE_LIMIT, body->len + ASIDE_LIMIT / 2);
	return before - body->len;
}

void aside_skip(struct aside *aside, const struct buf *body, size_t at, const struct aside_ops *ops)
{
	enum { REACH = 64 }; /* of an escape that began before @at its digits may come first */
	struct slice text = buf_slice(body);
	size_t to = at + json_raw_whole(slice_from(slice_head(text, at + REACH), at));
	size_t beside = cut_beside(text, to, 0, ops->secret);

	if (beside != to)
		to = beside + ops->secret.len;
	aside->at = MAX(aside->at, to);
}
