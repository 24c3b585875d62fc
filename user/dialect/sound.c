/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to text, without a tree: the strings of a checked JSON text are walked one after another; one of the names in front
 * of a colon makes the next string the sound.
 */
#include "dialect/sound.h"

enum { SHORT_MAX = 64 }; /* no sound, and not worth a word */

/* The string that begins at @at, with its quotes. */
static struct slice string_at(struct slice text, size_t at)
{
	size_t end = at + 1;

	while (end < text.len && text.data[end] != '"')
		end += text.data[end] == '\\' ? 2 : 1;
	return slice_head(slice_from(text, at), MIN(end + 1, text.len) - at);
}

static bool is_name(struct slice string, struct slice rest, const struct slice *names, size_t count)
{
	if (!slice_starts(slice_trim(slice_head(rest, 8)), SLICE(":")))
		return false;
	for (size_t i = 0; i < count; i++)
		if (slice_equal(json_raw_text(string), names[i]))
			return true;
	return false;
}

static void strip_into(struct buf *out, struct slice json, const struct slice *names, size_t count)
{
	bool is_sound = false;

	for (size_t at = 0; at < json.len;) {
		const char *quote = memchr(json.data + at, '"', json.len - at);
		size_t next = quote ? (size_t)(quote - json.data) : json.len;
		struct slice between = slice_head(slice_from(json, at), next - at), string;

		buf_put(out, between);
		if (!quote)
			return;
		/* Only a colon lies between a name and its string. */
		is_sound = is_sound && slice_equal(slice_trim(between), SLICE(":"));
		string = string_at(json, next);
		at = next + string.len;
		if (is_sound && string.len > SHORT_MAX)
			buf_printf(out, "\"(%llu bytes)\"", (unsigned long long)sound_bytes(string));
		else
			buf_put(out, string);
		is_sound = is_name(string, slice_from(json, at), names, count);
	}
}

struct slice sound_strip(struct call *call, struct slice json, const struct slice *names, size_t count)
{
	struct out out;

	if (json_check(json, JSON_DEPTH_MAX) != 0)
		return json;
	out_init(&out, call->arena, json.len + 64);
	strip_into(&out.buf, json, names, count);
	return out_slice(&out);
}

void sound_message(struct parts *parts, const char *type, struct slice bytes)
{
	parts_message_open(parts, SLICE("user"));
	parts_other(parts, arena_printf(parts->arena, "{\"type\":\"%s\",\"sound_bytes\":%.*s}", type,
					SLICE_FMT(slice_head(bytes, 20))));
	parts_message_close(parts, false, SLICE_NONE);
}
