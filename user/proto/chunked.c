/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step function per state; each looks at the first byte of what is left, or takes as much of it as it can at once. The
 * walker goes on until a step has something to tell.
 *
 *	size [;extension] CRLF  data CRLF  ...  0 CRLF  trailer-line CRLF ... CRLF
 */
#include "proto/chunked.h"
#include "base/cleanup.h"

static const uint64_t chunk_max = 1ull << 40;

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunk_step size_line_ended(struct chunked *chunked)
{
	chunked->state = chunked->left ? CHUNK_AT_DATA : CHUNK_AT_TRAILER;
	chunked->digits = chunked->passed = 0;
	chunked->in_line = false;
	return CHUNK_OPEN;
}

static enum chunk_step size_next(struct chunked *chunked, struct slice *in)
{
	int digit = hex_value(in->data[0]);

	if (digit < 0) {
		if (!chunked->digits)
			return CHUNK_BAD;
		chunked->state = CHUNK_AT_EXTENSION;
		return CHUNK_MORE;
	}
	if (chunked->left > chunk_max >> 4 || ++chunked->digits > 32)
		return CHUNK_BAD;
	chunked->left = chunked->left << 4 | (uint64_t)digit;
	*in = slice_from(*in, 1);
	return CHUNK_MORE;
}

/* Behind the size: blanks, then nothing or ";" and anything up to the end of the line. */
static enum chunk_step extension_next(struct chunked *chunked, struct slice *in)
{
	char c = in->data[0];

	if (!chunked->in_line && !memchr(" \t;\r\n", c, 5))
		return CHUNK_BAD;
	if (chunked->passed++ > CHUNK_EXTENSION_MAX)
		return CHUNK_BAD;
	chunked->in_line |= c == ';';
	*in = slice_from(*in, 1);
	return c == '\n' ? size_line_ended(chunked) : CHUNK_MORE;
}

static enum chunk_step data_next(struct chunked *chunked, struct slice *in, struct slice *ret_data)
{
	*ret_data = slice_head(*in, MIN(chunked->left, (uint64_t)in->len));
	*in = slice_from(*in, ret_data->len);
	chunked->left -= ret_data->len;
	if (!chunked->left)
		chunked->state = CHUNK_AT_DATA_END;
	return CHUNK_DATA;
}

static enum chunk_step data_end_next(struct chunked *chunked, struct slice *in)
{
	char c = in->data[0];

	if (c != '\n' && (c != '\r' || chunked->state == CHUNK_AT_DATA_LF))
		return CHUNK_BAD;
	chunked->state = c == '\n' ? CHUNK_AT_SIZE : CHUNK_AT_DATA_LF;
	*in = slice_from(*in, 1);
	return CHUNK_MORE;
}

static enum chunk_step trailer_next(struct chunked *chunked, struct slice *in)
{
	char c = in->data[0];

	if (chunked->passed++ > CHUNK_TRAILER_MAX)
		return CHUNK_BAD;
	*in = slice_from(*in, 1);
	if (c != '\n') {
		chunked->in_line |= c != '\r';
		return CHUNK_MORE;
	}
	if (chunked->in_line) {
		chunked->in_line = false;
		return CHUNK_MORE;
	}
	chunked->state = CHUNK_AT_END;
	return CHUNK_END;
}

static enum chunk_step state_next(struct chunked *chunked, struct slice *in, struct slice *ret_data)
{
	switch (chunked->state) {
	case CHUNK_AT_SIZE:
		return size_next(chunked, in);
	case CHUNK_AT_EXTENSION:
		return extension_next(chunked, in);
	case CHUNK_AT_DATA:
		return data_next(chunked, in, ret_data);
	case CHUNK_AT_DATA_END:
	case CHUNK_AT_DATA_LF:
		return data_end_next(chunked, in);
	case CHUNK_AT_TRAILER:
		return trailer_next(chunked, in);
	case CHUNK_AT_END:
		break;
	}
	return CHUNK_END;
}

enum chunk_step chunked_next(struct chunked *chunked, struct slice *in, struct slice *ret_data)
{
	enum chunk_step step = CHUNK_MORE;

	while (in->len && step == CHUNK_MORE)
		step = state_next(chunked, in, ret_data);
	return step;
}

bool chunked_hole(struct chunked *chunked, uint64_t len)
{
	if (chunked->state != CHUNK_AT_DATA || len > chunked->left)
		return false;
	chunked->left -= len;
	if (!chunked->left)
		chunked->state = CHUNK_AT_DATA_END;
	return true;
}

void chunked_resume(struct chunked *chunked, uint64_t size)
{
	*chunked = (struct chunked){ .left = size };
	size_line_ended(chunked);
}

/* Length of the hex digits at the start, 0 when the line cannot be a size line; one of 2^32 and more is not believed here. */
static size_t size_digits(struct slice line)
{
	size_t len = 0;

	while (len < line.len && hex_value(line.data[len]) >= 0)
		len++;
	if (len == 0 || len > 8 || line.len > CHUNK_SIZE_LINE_MAX)
		return 0;
	if (len < line.len && line.data[len] != ';' && line.data[len] != ' ' && line.data[len] != '\r')
		return 0;
	return len;
}

bool chunk_line_size(struct slice line, uint64_t *ret_size)
{
	size_t digits = size_digits(line);
	struct slice rest = slice_trim(slice_from(line, digits));
	uint64_t size = 0;

	if (!digits || (rest.len && rest.data[0] != ';'))
		return false;
	for (size_t i = 0; i < digits; i++)
		size = size << 4 | (uint64_t)hex_value(line.data[i]);
	*ret_size = size;
	return true;
}
