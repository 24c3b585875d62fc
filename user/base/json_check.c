/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of RFC 8259 as one loop over "what may come next", with one bit per open container instead of a stack.
 */
#include "json.h"
#include <errno.h>

enum expect { VALUE, VALUE_OR_END, NAME, NAME_OR_END, AFTER };

struct check {
	const char *at, *end;
	unsigned depth;
	uint64_t objects[(JSON_DEPTH_MAX + 64) / 64]; /* bit: the container at this depth is an object */
};

static bool depth_is_object(const struct check *c)
{
	return c->depth && (c->objects[(c->depth - 1) / 64] >> ((c->depth - 1) % 64) & 1);
}

static bool escape_ok(struct check *c)
{
	if (c->at >= c->end)
		return false;
	if (*c->at != 'u')
		return memchr("\"\\/bfnrt", *c->at++, 8) != NULL;
	if (c->end - c->at < 5)
		return false;
	for (int i = 1; i <= 4; i++)
		if (!memchr("0123456789abcdefABCDEF", c->at[i], 22))
			return false;
	c->at += 5;
	return true;
}

/* Of eight bytes one or more is a quote, a backslash or a control character; or, at times, the one behind such a byte. */
static bool word_has_special(const char *at)
{
	const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
	uint64_t word, quote, slash;

	memcpy(&word, at, sizeof(word));
	quote = word ^ ones * '"';
	slash = word ^ ones * '\\';
	return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word)) & highs;
}

/* Behind the opening quote; ends behind the closing one. */
static bool string_ok(struct check *c)
{
	for (;;) {
		unsigned char byte;

		while (c->end - c->at >= 8 && !word_has_special(c->at))
			c->at += 8;
		if (c->at >= c->end)
			return false;
		byte = (unsigned char)*c->at++;
		if (byte == '"')
			return true;
		if (byte < 0x20 || (byte == '\\' && !escape_ok(c)))
			return false;
	}
}

static bool digits(struct check *c)
{
	const char *from = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return c->at > from;
}

static bool number_ok(struct check *c)
{
	if (*c->at == '-')
		c->at++;
	if (c->at < c->end && *c->at == '0')
		c->at++;
	else if (!digits(c))
		return false;
	if (c->at < c->end && *c->at == '.') {
		c->at++;
		if (!digits(c))
			return false;
	}
	if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
		c->at++;
		if (c->at < c->end && (*c->at == '+' || *c->at == '-'))
			c->at++;
		return digits(c);
	}
	return true;
}

static bool word_ok(struct check *c)
{
	static const struct slice words[] = { { "true", 4 }, { "false", 5 }, { "null", 4 } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (slice_starts((struct slice){ c->at, (size_t)(c->end - c->at) }, words[i])) {
			c->at += words[i].len;
			return true;
		}
	return false;
}

static int container_open(struct check *c, unsigned depth_max, enum expect *expect)
{
	bool is_object = *c->at++ == '{';
	uint64_t bit = 1ull << (c->depth % 64);

	if (c->depth >= depth_max || c->depth >= JSON_DEPTH_MAX)
		return -E2BIG;
	if (is_object)
		c->objects[c->depth / 64] |= bit;
	else
		c->objects[c->depth / 64] &= ~bit;
	c->depth++;
	*expect = is_object ? NAME_OR_END : VALUE_OR_END;
	return 0;
}

static int value_check(struct check *c, unsigned depth_max, enum expect *expect)
{
	char first = *c->at;
	bool ok;

	if (first == '{' || first == '[')
		return container_open(c, depth_max, expect);
	if (first == '"') {
		c->at++;
		ok = string_ok(c);
	} else if (first == '-' || (first >= '0' && first <= '9')) {
		ok = number_ok(c);
	} else {
		ok = word_ok(c);
	}
	*expect = AFTER;
	return ok ? 0 : -EBADMSG;
}

static int name_check(struct check *c, enum expect *expect)
{
	if (*c->at++ != '"' || !string_ok(c))
		return -EBADMSG;
	while (c->at < c->end && memchr(" \t\n\r", *c->at, 4))
		c->at++;
	if (c->at >= c->end || *c->at++ != ':')
		return -EBADMSG;
	*expect = VALUE;
	return 0;
}

static int after_check(struct check *c, enum expect *expect)
{
	bool is_object = depth_is_object(c);

	if (!c->depth)
		return -EBADMSG;
	if (*c->at == ',') {
		c->at++;
		*expect = is_object ? NAME : VALUE;
		return 0;
	}
	if (*c->at++ != (is_object ? '}' : ']'))
		return -EBADMSG;
	c->depth--;
	return 0;
}

static int step(struct check *c, unsigned depth_max, enum expect *expect)
{
	if ((*expect == VALUE_OR_END && *c->at == ']') || (*expect == NAME_OR_END && *c->at == '}')) {
		*expect = AFTER;
		return after_check(c, expect);
	}
	switch (*expect) {
	case VALUE:
	case VALUE_OR_END:
		return value_check(c, depth_max, expect);
	case NAME:
	case NAME_OR_END:
		return name_check(c, expect);
	default:
		return after_check(c, expect);
	}
}

int json_check(struct slice text, unsigned depth_max)
{
	struct check c = { .at = text.data, .end = text.data + text.len };
	enum expect expect = VALUE;

	while (c.at < c.end) {
		int r;

		if (memchr(" \t\n\r", *c.at, 4)) {
			c.at++;
			continue;
		}
		r = step(&c, depth_max, &expect);
		if (r < 0)
			return r;
	}
	return expect == AFTER && c.depth == 0 ? 0 : -EBADMSG;
}
