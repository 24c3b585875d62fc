/* SPDX-License-Identifier: Apache-2.0 */
/* SQL is passed over, not parsed: strings, quoted names and comments are left out, and of the rest the distances are found. */
#include "base/cleanup.h"
#include "proto/postgres.h"

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool contains_nocase(struct slice text, struct slice lower)
{
	for (const char *at = text.data, *end = text.data + text.len; text.len && (size_t)(end - at) >= lower.len;
	     at++) {
		at = memchr(at, lower.data[0], (size_t)(end - at));
		if (!at || (size_t)(end - at) < lower.len)
			return false;
		if (strncasecmp(at, lower.data, lower.len) == 0)
			return true;
	}
	return false;
}

/* Written in lower or in upper case, as everybody does. */
static bool mentions(struct slice text, struct slice lower, struct slice upper)
{
	return contains_nocase(text, lower) || contains_nocase(text, upper);
}

bool postgres_has_sign(struct slice sql)
{
	return mentions(sql, SLICE("vector"), SLICE("VECTOR")) ||
	       mentions(sql, SLICE("embedding"), SLICE("EMBEDDING")) ||
	       mentions(sql, SLICE("halfvec"), SLICE("HALFVEC")) || postgres_is_search(sql);
}

/* Behind what cannot hold an operator: a string, a quoted name, a comment; @at itself when none begins there. */
static size_t pass_over(struct slice sql, size_t at)
{
	struct slice rest = slice_from(sql, at + 1);
	ptrdiff_t end;
	size_t skip = 1;

	if (sql.data[at] == '\'' || sql.data[at] == '"') {
		end = slice_find(rest, slice_head(slice_from(sql, at), 1));
	} else if (sql.data[at] == '-' && slice_starts(rest, SLICE("-"))) {
		end = slice_find(rest, SLICE("\n"));
	} else if (sql.data[at] == '/' && slice_starts(rest, SLICE("*"))) {
		end = slice_find(rest, SLICE("*/"));
		skip = 2;
	} else {
		return at;
	}
	return end < 0 ? sql.len : at + 1 + (size_t)end + skip;
}

static const char distances[] = "-=#+~%";

/* The first distance at or behind @at; sql.len when there is none. */
static size_t distance_find(struct slice sql, size_t at)
{
	while (at < sql.len) {
		size_t behind = pass_over(sql, at);

		if (behind != at) {
			at = behind;
			continue;
		}
		if (sql.data[at] == '<' && at + 2 < sql.len && sql.data[at + 2] == '>' && sql.data[at + 1] &&
		    strchr(distances, sql.data[at + 1]))
			return at;
		at++;
	}
	return sql.len;
}

/* Its first word says that it reads. */
static bool is_reading(struct slice sql)
{
	static const struct slice words[] = { SLICE("select"), SLICE("with"), SLICE("declare"), SLICE("explain"),
					      SLICE("table") };
	size_t at = 0, len = 0;

	while (at < sql.len && !is_word(sql.data[at])) {
		size_t behind = pass_over(sql, at);

		at = behind == at ? at + 1 : behind;
	}
	while (at + len < sql.len && is_word(sql.data[at + len]))
		len++;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (slice_equal_nocase(slice_head(slice_from(sql, at), len), words[i]))
			return true;
	return false;
}

bool postgres_is_search(struct slice sql)
{
	if (!sql.len || !memchr(sql.data, '<', sql.len) || !slice_contains(sql, SLICE(">")))
		return false;
	return is_reading(sql) && distance_find(sql, 0) < sql.len;
}

static uint32_t bytes_number(struct slice bytes, size_t count)
{
	uint32_t value = 0;

	for (size_t i = 0; i < count && i < bytes.len; i++)
		value = value << 8 | (unsigned char)bytes.data[i];
	return value;
}

/* Text as "[0.1,…]", or pgvector's binary form: dimensions, nothing, floats. */
static bool is_vector(struct slice value)
{
	if (slice_starts(value, SLICE("[")))
		return slice_ends(value, SLICE("]"));
	return value.len >= 8 && bytes_number(slice_from(value, 2), 2) == 0 &&
	       value.len == 4 + (size_t)4 * bytes_number(value, 2);
}

static bool bind_has_vector(struct slice bind)
{
	struct slice rest = slice_from(bind, 1);
	uint32_t count;

	slice_cut(&rest, 0);
	slice_cut(&rest, 0);
	count = bytes_number(rest, 2);
	rest = slice_from(rest, 2 + (size_t)2 * count);
	count = bytes_number(rest, 2);
	rest = slice_from(rest, 2);
	for (uint32_t i = 0; i < count && rest.len >= 4; i++) {
		uint32_t len = bytes_number(rest, 4);

		rest = slice_from(rest, 4);
		if (len == UINT32_MAX)
			continue;
		if (is_vector(slice_head(rest, len)))
			return true;
		rest = slice_from(rest, len);
	}
	return false;
}

bool postgres_is_vector_search(struct slice sql, struct slice bind)
{
	if (mentions(sql, SLICE("vec"), SLICE("VEC")) || mentions(sql, SLICE("embedding"), SLICE("EMBEDDING")) ||
	    slice_contains(sql, SLICE("'[")))
		return true;
	for (size_t at = distance_find(sql, 0); at < sql.len; at = distance_find(sql, at + 3))
		if (sql.data[at + 1] != '-')
			return true;
	return bind_has_vector(bind);
}
