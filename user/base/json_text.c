/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text inside JSON: escapes are read in pairs where UTF-16 needs two, and what cannot be a character (a lone surrogate, a
 * byte that is no UTF-8) becomes U+FFFD, so that one broken character never costs a message.
 */
#include "json.h"
#include "utf8.h"

static int hex4(struct slice s)
{
	int value = 0;

	if (s.len < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = s.data[i];
		int digit = c >= '0' && c <= '9'                 ? c - '0'
			    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
								 : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

struct escape {
	size_t len;    /* of the escape in the text, its backslash included */
	uint32_t code; /* code point; 0xfffd for what is none */
	bool is_broken;
};

/* @s begins with a backslash. */
static struct escape escape_read(struct slice s)
{
	static const char pairs[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	const char *found;
	int high, low;

	if (s.len < 2)
		return (struct escape){ 1, 0xfffd, true };
	if (s.data[1] != 'u') {
		found = memchr(pairs, s.data[1], sizeof(pairs) - 1);
		if (!found || (found - pairs) % 2)
			return (struct escape){ 2, 0xfffd, true };
		return (struct escape){ 2, (unsigned char)found[1], false };
	}
	high = hex4(slice_from(s, 2));
	if (high < 0)
		return (struct escape){ 2, 0xfffd, true };
	if (high < 0xd800 || high > 0xdfff)
		return (struct escape){ 6, (uint32_t)high, false };
	low = high < 0xdc00 && s.len >= 12 && s.data[6] == '\\' && s.data[7] == 'u' ? hex4(slice_from(s, 8)) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return (struct escape){ 6, 0xfffd, true };
	return (struct escape){ 12, 0x10000 + (((uint32_t)high - 0xd800) << 10) + ((uint32_t)low - 0xdc00), false };
}

struct slice json_text(struct arena *arena, struct slice value)
{
	struct slice raw = json_raw_text(value);
	size_t len = 0;
	char *text;

	if (!raw.data || !raw.len || !memchr(raw.data, '\\', raw.len))
		return raw;
	text = arena_alloc(arena, raw.len + raw.len / 2 + 4); /* "\\q" grows to U+FFFD */
	if (!text)
		return SLICE_NONE;
	for (size_t i = 0; i < raw.len;) {
		const char *slash = memchr(raw.data + i, '\\', raw.len - i);
		size_t plain = slash ? (size_t)(slash - raw.data) - i : raw.len - i;
		struct escape escape;

		memcpy(text + len, raw.data + i, plain);
		len += plain;
		i += plain;
		if (!slash)
			break;
		escape = escape_read(slice_from(raw, i));
		len += utf8_encode(escape.code, text + len);
		i += escape.len;
	}
	return (struct slice){ text, len };
}

size_t json_raw_whole(struct slice raw)
{
	enum { ESCAPE_MAX = 12 };
	size_t whole = 0;

	while (whole < raw.len) {
		const char *slash = memchr(raw.data + whole, '\\', raw.len - whole);

		if (!slash)
			return raw.len;
		whole = (size_t)(slash - raw.data);
		if (raw.len - whole < ESCAPE_MAX)
			break;
		whole += escape_read(slice_from(raw, whole)).len;
	}
	return whole;
}

/* One step of cleaning inside @text at @i: how much is fine as it is; 0: *skip bytes are to be replaced by *instead. */
static size_t clean_step(struct slice text, bool is_json, size_t *skip, struct slice *instead)
{
	unsigned char c = (unsigned char)text.data[0];
	struct escape escape;

	*instead = SLICE_NONE;
	*skip = 1;
	if (c == 0)
		return 0;
	if (c == '\\' && is_json) {
		escape = escape_read(text);
		*skip = escape.len;
		if (escape.is_broken && (text.len < 2 || text.data[1] != 'u'))
			return 1; /* the backslash alone: what stands behind it may need mending itself */
		if (escape.is_broken)
			*instead = UTF8_REPLACEMENT;
		else if (escape.code != 0)
			return MIN(escape.len, text.len);
		return 0;
	}
	if (c < 0x80)
		return 1;
	*instead = UTF8_REPLACEMENT;
	return utf8_length(text);
}

static struct slice clean(struct buf *out, struct slice text, bool is_json)
{
	size_t fine = 0, before = out->len;

	for (size_t i = 0; i < text.len;) {
		struct slice instead;
		size_t skip, len;
		unsigned char c = (unsigned char)text.data[i];

		if (c >= 0x20 && c < 0x80 && c != '\\') {
			i++;
			continue;
		}
		len = clean_step(slice_from(text, i), is_json, &skip, &instead);
		if (len) {
			i += len;
			continue;
		}
		buf_put(out, (struct slice){ text.data + fine, i - fine });
		buf_put(out, instead);
		i = MIN(i + skip, text.len);
		fine = i;
	}
	if (!fine)
		return text;
	buf_put(out, slice_from(text, fine));
	return slice_from(buf_slice(out), before);
}

struct slice json_clean(struct buf *out, struct slice text)
{
	return clean(out, text, true);
}

struct slice text_clean(struct buf *out, struct slice text)
{
	return clean(out, text, false);
}
