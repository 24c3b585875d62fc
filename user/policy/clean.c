/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MLflow reads every text that looks like JSON as JSON, so what looks like it is cleaned like it, whether it is or not;
 * and one text nested too deep for Python's stack would cost the whole batch.
 */
#include "policy/clean.h"
#include "base/cleanup.h"
#include "base/json.h"

enum {
	SECRET_MIN = 8
}; /* shorter keys are words ("ollama", "EMPTY"): hiding them would spoil texts and protect nothing */

#define HIDDEN   SLICE("[redacted]")
#define TOO_DEEP SLICE("(JSON nested too deep to be shown as such) ")

static bool looks_like_json(struct slice text)
{
	struct slice value = slice_trim(text);

	return value.len && memchr("{[\"", value.data[0], 3);
}

/* Deepest nesting a reader could come to before it notices that the text is none. */
static size_t nesting(struct slice text)
{
	size_t depth = 0, most = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (in_string) {
			i += c == '\\';
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
			most = MAX(most, depth);
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		}
	}
	return most;
}

/* A NUL between a backslash and its "ud800" must go before escapes are looked at: without it they are one. */
static bool drop_nuls(struct cleaner *cleaner, struct slice *text)
{
	struct buf *out = &cleaner->plain;

	if (!text->len || !memchr(text->data, 0, text->len))
		return true;
	buf_reset(out);
	*text = text_clean(out, *text);
	return !out->failed;
}

static bool hide_secret(struct cleaner *cleaner, struct slice *text)
{
	struct buf *out = &cleaner->hidden;
	struct slice rest = *text;
	ptrdiff_t at;

	if (cleaner->secret.len < SECRET_MIN || !slice_contains(rest, cleaner->secret))
		return true;
	buf_reset(out);
	while ((at = slice_find(rest, cleaner->secret)) >= 0) {
		buf_put(out, slice_head(rest, (size_t)at));
		buf_put(out, HIDDEN);
		rest = slice_from(rest, (size_t)at + cleaner->secret.len);
	}
	buf_put(out, rest);
	*text = buf_slice(out);
	return !out->failed;
}

bool clean_text(struct cleaner *cleaner, struct slice text, struct slice *ret)
{
	struct buf *out = &cleaner->clean;

	if (!drop_nuls(cleaner, &text) || !hide_secret(cleaner, &text))
		return false;
	buf_reset(out);
	if (!looks_like_json(text)) {
		*ret = text_clean(out, text);
	} else if (nesting(text) > JSON_DEPTH_MAX) {
		buf_put(out, TOO_DEEP);
		if (text_clean(out, text).data == text.data)
			buf_put(out, text);
		*ret = buf_slice(out);
	} else {
		*ret = json_clean(out, text);
	}
	return !out->failed;
}

bool clean_string(struct cleaner *cleaner, struct slice text, struct slice *ret)
{
	struct buf *out = &cleaner->clean;

	if (!drop_nuls(cleaner, &text) || !hide_secret(cleaner, &text))
		return false;
	buf_reset(out);
	*ret = json_clean(out, text);
	return !out->failed;
}

/* The scratch of one huge prompt is not kept for ever. */
static void buf_trim(struct buf *buf, size_t kept)
{
	buf_reset(buf);
	if (buf->size > kept)
		buf_free(buf);
}

void cleaner_trim(struct cleaner *cleaner, size_t kept)
{
	buf_trim(&cleaner->plain, kept);
	buf_trim(&cleaner->hidden, kept);
	buf_trim(&cleaner->clean, kept);
}
