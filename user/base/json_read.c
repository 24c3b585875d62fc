/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value is found by walking over its text: strings are passed by looking for their quote, containers by counting
 * brackets outside strings. Nothing is built, so a walk costs one pass and no memory; depth costs a counter, never stack.
 */
#include "json.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return at;
}

/* @at is behind the opening quote. Returns the place of the closing one, or @end. */
static const char *string_end(const char *at, const char *end)
{
	while (at < end) {
		const char *quote = memchr(at, '"', (size_t)(end - at));
		const char *slash;

		if (!quote)
			return end;
		slash = quote;
		while (slash > at && slash[-1] == '\\')
			slash--;
		if ((quote - slash) % 2 == 0)
			return quote;
		at = quote + 1;
	}
	return end;
}

static const char *container_end(const char *at, const char *end)
{
	size_t depth = 0;

	for (; at < end; at++) {
		if (*at == '"') {
			at = string_end(at + 1, end);
			if (at == end)
				return end;
		} else if (*at == '{' || *at == '[') {
			depth++;
		} else if (*at == '}' || *at == ']') {
			if (--depth == 0)
				return at + 1;
		}
	}
	return end;
}

/* First byte behind the value that begins at @at. */
static const char *value_end(const char *at, const char *end)
{
	if (at >= end)
		return end;
	if (*at == '"') {
		at = string_end(at + 1, end);
		return at < end ? at + 1 : end;
	}
	if (*at == '{' || *at == '[')
		return container_end(at, end);
	while (at < end && !strchr(",]} \t\r\n:", *at))
		at++;
	return at;
}

struct slice json_trim(struct slice text)
{
	return slice_trim(text);
}

enum json_type json_type(struct slice value)
{
	value = slice_trim(value);
	if (!value.len)
		return JSON_NONE;
	switch (value.data[0]) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return value.data[0] == '-' || (value.data[0] >= '0' && value.data[0] <= '9') ? JSON_NUMBER : JSON_NONE;
	}
}

struct json_iter json_iter(struct slice container)
{
	container = slice_trim(container);
	if (container.len < 2 || (container.data[0] != '{' && container.data[0] != '['))
		return (struct json_iter){ 0 };
	return (struct json_iter){ .rest = slice_from(container, 1), .is_object = container.data[0] == '{' };
}

static bool next_name(struct json_iter *iter, const char **at, const char *end)
{
	const char *from = *at + 1, *close;

	if (**at != '"')
		return false;
	close = string_end(from, end);
	if (close == end)
		return false;
	iter->name = (struct slice){ from, (size_t)(close - from) };
	*at = skip_space(close + 1, end);
	if (*at >= end || **at != ':')
		return false;
	*at = skip_space(*at + 1, end);
	return *at < end;
}

bool json_next(struct json_iter *iter)
{
	/* No offset into nothing: NULL + 0 is undefined too. */
	const char *end = iter->rest.len ? iter->rest.data + iter->rest.len : iter->rest.data;
	const char *at = iter->rest.len ? skip_space(iter->rest.data, end) : end;
	const char *value;

	iter->rest.len = 0;
	iter->name = SLICE_NONE;
	if (at >= end || *at == '}' || *at == ']' || (iter->is_object && !next_name(iter, &at, end)))
		return false;
	value = at;
	at = value_end(at, end);
	if (at == value)
		return false;
	iter->value = (struct slice){ value, (size_t)(at - value) };
	at = skip_space(at, end);
	if (at < end && *at == ',')
		iter->rest = (struct slice){ at + 1, (size_t)(end - at - 1) };
	return true;
}

size_t json_count(struct slice container)
{
	size_t n = 0;

	json_foreach_element(item, container)
		n++;
	return n;
}

struct slice json_get(struct slice object, struct slice name)
{
	struct slice found = SLICE_NONE;

	if (json_type(object) != JSON_OBJECT)
		return SLICE_NONE;
	json_foreach_member(member, object)
		if (slice_equal(member.name, name))
			found = member.value;
	return slice_equal(found, SLICE("null")) ? SLICE_NONE : found;
}

static struct slice element_at(struct slice array, size_t index)
{
	if (json_type(array) == JSON_ARRAY)
		json_foreach_element(item, array)
			if (index-- == 0)
				return slice_equal(item.value, SLICE("null")) ? SLICE_NONE : item.value;
	return SLICE_NONE;
}

struct slice json_path(struct slice value, ...)
{
	va_list names;
	const char *name;

	va_start(names, value);
	while (value.len && (name = va_arg(names, const char *)))
		value = name[0] == '#' ? element_at(value, strtoul(name + 1, NULL, 10))
				       : json_get(value, slice_of(name));
	va_end(names);
	return value;
}

struct slice json_raw_text(struct slice value)
{
	value = slice_trim(value);
	if (value.len < 2 || value.data[0] != '"' || value.data[value.len - 1] != '"')
		return SLICE_NONE;
	return (struct slice){ value.data + 1, value.len - 2 };
}

bool json_text_is(struct slice value, struct slice word)
{
	struct slice text = json_raw_text(value);

	return text.data && slice_equal(text, word);
}

/* A number as C text; longer ones than any real number are refused. */
static bool number_text(struct slice value, char ret[64])
{
	struct slice text = json_type(value) == JSON_STRING ? json_raw_text(value) : slice_trim(value);

	if (!text.len || text.len > 63 || !strchr("-0123456789", text.data[0]))
		return false;
	memcpy(ret, text.data, text.len);
	ret[text.len] = 0;
	return strspn(ret, "+-0123456789.eE") == text.len;
}

int json_double(struct slice value, double *ret)
{
	char text[64], *end;
	double number;

	if (!number_text(value, text))
		return -EINVAL;
	number = strtod(text, &end);
	if (*end || !isfinite(number))
		return -EINVAL;
	*ret = number;
	return 0;
}

int json_int(struct slice value, int64_t *ret)
{
	char text[64], *end;
	double number;
	long long integer;

	if (!number_text(value, text))
		return -EINVAL;
	errno = 0;
	integer = strtoll(text, &end, 10);
	if (!*end && !errno) {
		*ret = integer;
		return 0;
	}
	if (json_double(value, &number) < 0 || number < -9e15 || number > 9e15 || number != trunc(number))
		return -EINVAL;
	*ret = (int64_t)number;
	return 0;
}

bool json_is_true(struct slice value)
{
	return slice_equal(slice_trim(value), SLICE("true"));
}
