/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slice is a borrowed view of bytes: pointer and length, no terminator, no ownership. It is dead when the call
 * that handed it over returns, unless the taker copies it into an arena of its own.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char *data;
	size_t len;
};

#define SLICE(literal) ((struct slice){ .data = (literal), .len = sizeof(literal) - 1 })
#define SLICE_NONE     ((struct slice){ .data = NULL, .len = 0 })
/* For "%.*s": names and header values only, never a body. */
#define SLICE_FMT(s) (int)(s).len, (s).data

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline struct slice slice_from(struct slice s, size_t start)
{
	size_t skip = start < s.len ? start : s.len;

	/* No offset into nothing: NULL + 0 is undefined too. */
	return (struct slice){ skip ? s.data + skip : s.data, s.len - skip };
}

static inline struct slice slice_head(struct slice s, size_t len)
{
	return (struct slice){ s.data, len < s.len ? len : s.len };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_starts(struct slice s, struct slice head)
{
	return s.len >= head.len && (head.len == 0 || memcmp(s.data, head.data, head.len) == 0);
}

static inline bool slice_starts_nocase(struct slice s, struct slice head)
{
	return s.len >= head.len && (head.len == 0 || strncasecmp(s.data, head.data, head.len) == 0);
}

static inline bool slice_ends(struct slice s, struct slice tail)
{
	return s.len >= tail.len && (tail.len == 0 || memcmp(s.data + s.len - tail.len, tail.data, tail.len) == 0);
}

/* Offset of @part in @s, or -1. */
static inline ptrdiff_t slice_find(struct slice s, struct slice part)
{
	const char *at = !part.len ? s.data : s.len ? memmem(s.data, s.len, part.data, part.len) : NULL;

	return at ? at - s.data : -1;
}

static inline bool slice_contains(struct slice s, struct slice part)
{
	return slice_find(s, part) >= 0;
}

/* Without white space at both ends (space, tab, CR, LF). */
static inline struct slice slice_trim(struct slice s)
{
	while (s.len && (s.data[0] == ' ' || s.data[0] == '\t' || s.data[0] == '\r' || s.data[0] == '\n'))
		s = slice_from(s, 1);
	while (s.len && memchr(" \t\r\n", s.data[s.len - 1], 4))
		s.len--;
	return s;
}

/* The part before the first @separator, removed from *rest together with the separator; all of it where there is none. */
static inline struct slice slice_cut(struct slice *rest, char separator)
{
	const char *at = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
	struct slice head = slice_head(*rest, at ? (size_t)(at - rest->data) : rest->len);

	*rest = slice_from(*rest, at ? head.len + 1 : head.len);
	return head;
}
