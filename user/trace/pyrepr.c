/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two rules make Python's repr of a string: it is quoted by ' unless it holds a ' and no ", and what is not
 * printable is written as an escape. So a string is gone over twice: once for the quote, once to write.
 */
#include "trace/pyrepr.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include <stdio.h>

/* ---- one JSON string, code point by code point ---- */

static uint32_t hex4(struct slice digits)
{
	uint32_t code = 0;

	for (size_t i = 0; i < 4; i++) {
		char c = i < digits.len ? digits.data[i] : '0';

		code = code << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

static uint32_t next_escape(struct slice *raw)
{
	static const char plain[] = "\b\f\n\r\t", letters[] = "bfnrt";
	char c = raw->len > 1 ? raw->data[1] : '\\';
	const char *letter = memchr(letters, c, sizeof(letters) - 1);
	uint32_t code, low;

	*raw = slice_from(*raw, 2);
	if (letter)
		return (uint32_t)plain[letter - letters];
	if (c != 'u')
		return (unsigned char)c;
	code = hex4(*raw);
	*raw = slice_from(*raw, 4);
	if (code < 0xd800 || code > 0xdbff || raw->len < 6 || raw->data[0] != '\\' || raw->data[1] != 'u')
		return code;
	low = hex4(slice_from(*raw, 2));
	if (low < 0xdc00 || low > 0xdfff)
		return code;
	*raw = slice_from(*raw, 6);
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static uint32_t next_code(struct slice *raw)
{
	size_t len = utf8_length(*raw);
	uint32_t code = (unsigned char)raw->data[0];

	if (code == '\\')
		return next_escape(raw);
	if (!len) { /* a server's client would have seen U+FFFD */
		*raw = slice_from(*raw, 1);
		return 0xfffd;
	}
	if (len > 1)
		code &= 0x7fu >> len;
	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)raw->data[i] & 0x3f);
	*raw = slice_from(*raw, len);
	return code;
}

/* The ranges of str.isprintable() that are met: controls, separators, formats, surrogates, private use. */
static bool is_printable(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x00, 0x1f },     { 0x7f, 0xa0 },     { 0xad, 0xad },     { 0x600, 0x605 },
		{ 0x61c, 0x61c },   { 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f },
		{ 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xd800, 0xf8ff },
		{ 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	return true;
}

static void put_code(struct buf *out, uint32_t code, char quote)
{
	static const char plain[] = "\n\r\t\\", letters[] = "nrt\\";
	const char *found = code < 0x80 ? memchr(plain, (int)code, sizeof(plain) - 1) : NULL;
	char bytes[4];

	if (found || code == (unsigned char)quote) {
		buf_put_char(out, '\\');
		buf_put_char(out, found ? letters[found - plain] : quote);
	} else if (is_printable(code)) {
		buf_put(out, (struct slice){ bytes, utf8_encode(code, bytes) });
	} else {
		buf_printf(out, code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
	}
}

static void put_string(struct buf *out, struct slice value)
{
	struct slice raw = json_raw_text(value);
	bool has_single = false, has_double = false;
	char quote;

	for (struct slice rest = raw; rest.len;) {
		uint32_t code = next_code(&rest);

		has_single = has_single || code == '\'';
		has_double = has_double || code == '"';
	}
	quote = has_single && !has_double ? '"' : '\'';
	buf_put_char(out, quote);
	while (raw.len)
		put_code(out, next_code(&raw), quote);
	buf_put_char(out, quote);
}

/* ---- the other values ---- */

/* Integers stay as they are. A float is the shortest text that reads back the same, with an exponent from 1e16 on and
 * below 1e-4, and with a digit behind its point otherwise. */
static void put_number(struct buf *out, struct slice value)
{
	char text[400];
	double number = 0;
	int digits = 0;
	long exponent;

	if (!memchr(value.data, '.', value.len) && !memchr(value.data, 'e', value.len) &&
	    !memchr(value.data, 'E', value.len)) {
		buf_put(out, value);
		return;
	}
	json_double(value, &number);
	snprintf(text, sizeof(text), "%.*e", digits, number);
	while (strtod(text, NULL) != number && digits < 17)
		snprintf(text, sizeof(text), "%.*e", ++digits, number);
	exponent = strchr(text, 'e') ? strtol(strchr(text, 'e') + 1, NULL, 10) : 0;
	if (exponent >= -4 && exponent < 16)
		snprintf(text, sizeof(text), "%.*f", MAX(1, digits - (int)exponent), number);
	buf_put(out, slice_of(text));
}

static void put_container(struct buf *out, struct slice value, bool is_object)
{
	bool first = true;

	buf_put_char(out, is_object ? '{' : '[');
	json_foreach_member(member, value) {
		if (!first)
			buf_put(out, SLICE(", "));
		first = false;
		if (is_object) {
			/* The name's quotes stand around it in the text. */
			put_string(out, (struct slice){ member.name.data - 1, member.name.len + 2 });
			buf_put(out, SLICE(": "));
		}
		pyrepr_put(out, member.value);
	}
	buf_put_char(out, is_object ? '}' : ']');
}

void pyrepr_put(struct buf *out, struct slice value)
{
	switch (json_type(value)) {
	case JSON_NULL:
	case JSON_NONE:
		return buf_put(out, SLICE("None"));
	case JSON_TRUE:
		return buf_put(out, SLICE("True"));
	case JSON_FALSE:
		return buf_put(out, SLICE("False"));
	case JSON_NUMBER:
		return put_number(out, value);
	case JSON_STRING:
		return put_string(out, value);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return put_container(out, value, json_type(value) == JSON_OBJECT);
	}
}
