/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ways through a string. In text that is kept, the place where the newest run of base64 began is all that is remembered;
 * when the run has grown to be judged it is read back from the body and, if it is a file, taken out of it. One that is not, so
 * far, is hashed from then on as it comes, and so is a file, until something comes that is no base64.
 */
#include "call/media.h"
#include "base/cleanup.h"

enum {
	TYPE_MAX = 64,
	URL_MAX = 160,       /* "data:TYPE;base64," */
	LINE_MIN = 16,       /* digits of a line; shorter ones are words */
	DIGITS_VARIETY = 40, /* of 64: English has less, and hexadecimal digits */
};

void media_init(struct media *media, struct buf *out)
{
	*media = (struct media){ .out = out };
}

static void keep(struct media *media, struct slice text)
{
	buf_put(media->out, text);
	if (media->out->failed)
		media->lost += text.len;
}

static void run_begin(struct media *media, size_t at)
{
	media->run_at = at;
	media->is_doubted = false;
	media->digits = media->line_digits = media->line_want = 0;
	media->digits_judged = MEDIA_RUN_MIN;
}

/* false: this break ends the run. Between CR and LF there is no line. */
static bool line_ends(struct media *media)
{
	size_t digits = media->line_digits;

	media->line_digits = 0;
	if (!digits)
		return media->digits > 0;
	if (!media->line_want)
		media->line_want = digits;
	return digits >= LINE_MIN && digits == media->line_want;
}

/* ---- the verdict ---- */

/* An escaped slash is a digit; a line's end, escaped as well, is none. */
static void run_follow(struct media *media, struct slice text)
{
	media->run_bytes += text.len;
	while (text.len) {
		size_t len = 0;

		if (media->run_is_escaped && text.data[0] != '/')
			text = slice_from(text, 1);
		media->run_is_escaped = false;
		for (; len < text.len && base64_is_digit(text.data[len]); len++)
			media->digits_seen[text.data[len] >> 6] |= 1ull << (text.data[len] & 63);
		blob_put_base64(&media->blob, slice_head(text, len));
		media->run_is_escaped = len < text.len;
		text = slice_from(text, MIN(len + 1, text.len));
	}
}

static bool run_is_varied(const struct media *media)
{
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(media->digits_seen); i++)
		for (uint64_t rest = media->digits_seen[i]; rest; rest &= rest - 1)
			count++;
	return count >= DIGITS_VARIETY;
}

/* Behind the last "data:"; empty when there is none, or it stands in another string. */
static struct slice url_head(struct slice before)
{
	ptrdiff_t at = slice_find(before, SLICE("data:"));

	if (at < 0)
		return SLICE_NONE;
	for (; at >= 0; at = slice_find(before, SLICE("data:")))
		before = slice_from(before, (size_t)at + 5);
	for (size_t i = 0; i < before.len; i += before.data[i] == '\\' ? 2 : 1)
		if (before.data[i] == '"')
			return SLICE_NONE;
	return before;
}

/* TYPE of the "data:TYPE;base64," before the run, parameters and all; empty when there is none. */
static struct slice url_type(const struct media *media)
{
	size_t from = media->run_at - MIN(media->run_at, (size_t)URL_MAX);
	struct slice before = { media->out->data + from, media->run_at - from };

	if (!slice_ends(before, SLICE(";base64,")))
		return SLICE_NONE;
	before = url_head(slice_head(before, before.len - strlen(";base64,")));
	before = slice_cut(&before, ';');
	for (size_t i = 0; i < before.len; i++)
		if (strchr("\"\\ ]", before.data[i]) || (unsigned char)before.data[i] < 0x20)
			return SLICE_NONE;
	return slice_head(before, TYPE_MAX);
}

static void run_judge(struct media *media)
{
	struct buf *out = media->out;

	/* Silence and flat colours vary late: asked again when there is twice as much. */
	media->digits_judged *= 2;
	if (out->failed)
		return;
	if (!media->is_doubted) {
		media->blob = BLOB;
		media->run_bytes = 0;
		media->run_is_escaped = false;
		memset(media->digits_seen, 0, sizeof(media->digits_seen));
		run_follow(media, slice_from(buf_slice(out), media->run_at));
	}
	media->is_doubted = true;
	if (blob_is_json(&media->blob))
		return;
	if (!run_is_varied(media) && !url_type(media).len)
		return;
	media->is_file = true;
	media->is_doubted = false;
	media->is_ragged = false;
	media->padded = 0;
	out->len = media->run_at;
	if (media->place)
		*media->place = MIN(*media->place, out->len);
}

static void file_close(struct media *media, bool is_cut)
{
	size_t before = media->out->len;
	struct slice told = url_type(media);
	struct slice type = told.len ? told : blob_type(&media->blob);
	char sha[SHA256_TEXT_SIZE];

	media->count++;
	media->bytes += blob_bytes(&media->blob);
	buf_printf(media->out, "[spantap:media type=%.*s bytes=%llu", SLICE_FMT(type),
		   (unsigned long long)blob_bytes(&media->blob));
	sha256_text(&media->blob.sha, sha);
	buf_printf(media->out, " sha256=%s%s]", sha, is_cut ? " cut" : "");
	if (media->out->failed)
		media->lost += media->run_bytes;
	else
		media->removed += media->run_bytes - (media->out->len - before);
	media->is_file = false;
	run_begin(media, media->out->len);
}

/* ---- text that is kept ---- */

static bool kept_char(struct media *media, char c, size_t next)
{
	bool is_digit = base64_is_digit(c), is_break = false;

	if (media->is_escaped) {
		is_break = c == 'n' || c == 'r';
		is_digit = c == '/';
		media->is_escaped = false;
	} else if (c == '\\') {
		media->is_escaped = true;
		return true;
	} else if (c == '"') {
		media->in_string = media->is_doubted = false;
		return false;
	}
	if (is_digit) {
		media->line_digits++;
		return ++media->digits != media->digits_judged;
	}
	if (!is_break || !line_ends(media))
		run_begin(media, next);
	return true;
}

/* As kept_char() for those digits at the start that need no thought. */
static size_t digits_pass(struct media *media, struct slice text)
{
	size_t max = media->is_escaped ? 0 : MIN(text.len, (size_t)(media->digits_judged - 1 - media->digits)), len = 0;

	while (len < max && base64_is_digit(text.data[len]))
		len++;
	media->digits += len;
	media->line_digits += len;
	return len;
}

/* Up to the end of the string, or to where a run is to be judged. */
static size_t kept_feed(struct media *media, struct slice text)
{
	size_t base = media->out->len, len = 0;

	do {
		len += digits_pass(media, slice_from(text, len));
	} while (len < text.len && kept_char(media, text.data[len], base + len + 1) && ++len < text.len);
	len = MIN(len + 1, text.len);
	keep(media, slice_head(text, len));
	if (media->is_doubted)
		run_follow(media, slice_head(text, len));
	if (media->in_string && media->digits == media->digits_judged)
		run_judge(media);
	return len;
}

/* ---- the inside of a file ---- */

/* Whether the character at hand belongs to it. */
static bool file_char(struct media *media, char c)
{
	if (media->is_escaped) {
		if (c == '/' && !media->padded && !media->is_ragged) {
			blob_put_base64(&media->blob, SLICE("/"));
			media->line_digits++;
		} else if (c == 'n' || c == 'r') {
			media->is_ragged |= !line_ends(media);
		} else {
			return false;
		}
		media->is_escaped = false;
		return true;
	}
	if (c == '\\')
		return media->is_escaped = true;
	if (c == '=' && media->padded < 2)
		return media->padded++ < 2;
	return false;
}

static size_t file_feed(struct media *media, struct slice text)
{
	size_t len = 0;

	if (!media->is_escaped && !media->padded && !media->is_ragged)
		while (len < text.len && base64_is_digit(text.data[len]))
			len++;
	if (len) {
		blob_put_base64(&media->blob, slice_head(text, len));
		media->line_digits += len;
	} else if (file_char(media, text.data[0])) {
		len = 1;
	}
	media->run_bytes += len;
	if (len)
		return len;
	/* The backslash that was taken belongs to what follows the file. */
	media->run_bytes -= media->is_escaped;
	file_close(media, false);
	if (media->is_escaped)
		keep(media, SLICE("\\"));
	return 0;
}

/* ---- all of it ---- */

static size_t outside_feed(struct media *media, struct slice text)
{
	const char *quote = memchr(text.data, '"', text.len);
	size_t len = quote ? (size_t)(quote - text.data) + 1 : text.len;

	keep(media, slice_head(text, len));
	media->in_string = quote;
	media->is_escaped = false;
	run_begin(media, media->out->len);
	return len;
}

/* What does not begin as JSON is not searched for strings. */
static void state_find(struct media *media, struct slice text)
{
	for (size_t i = 0; i < text.len && media->state == MEDIA_BEGIN; i++) {
		char c = text.data[i];

		if (c == '{' || c == '[' || c == '"')
			media->state = MEDIA_JSON;
		else if (!strchr(" \t\r\n\xef\xbb\xbf", c) || !c)
			media->state = MEDIA_OTHER;
	}
}

void media_feed(struct media *media, struct slice text)
{
	state_find(media, text);
	if (media->state != MEDIA_JSON) {
		keep(media, text);
		return;
	}
	while (text.len) {
		size_t len;

		if (media->is_file)
			len = file_feed(media, text);
		else if (media->in_string)
			len = kept_feed(media, text);
		else
			len = outside_feed(media, text);
		text = slice_from(text, len);
	}
}

void media_moved(struct media *media, size_t len)
{
	if (media->in_string)
		media->run_at -= len;
}

bool media_run_is_text(const struct media *media)
{
	return media->in_string && media->is_doubted && !blob_is_json(&media->blob);
}

void media_end(struct media *media)
{
	if (media->out && media->is_file)
		file_close(media, true);
}
