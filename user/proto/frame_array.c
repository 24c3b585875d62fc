/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brackets are counted, strings are stepped over; nothing else of JSON matters for where an element ends. The open element
 * lies in the frame's buffer; one that outgrows it is still counted to its end, so that the next is found.
 *
 *	BEGIN --'['--> BETWEEN --'{' '['--> INSIDE --last bracket--> BETWEEN --']'--> OVER
 *	   └ other: the frame becomes FRAME_BYTES          hole ─> LOST --line begins with '{'--> INSIDE
 */
#include "proto/frame_array.h"

bool frame_target_streams(struct slice target)
{
	static const struct slice stream = SLICE("stream"), content = SLICE("Content");
	struct slice path = slice_cut(&target, '?'), method = path;

	for (size_t i = path.len; i && path.data[i - 1] != '/'; i--)
		if (path.data[i - 1] == ':') {
			method = slice_from(path, i);
			return slice_starts(method, stream) && slice_ends(method, content) &&
			       !slice_contains(target, SLICE("alt=sse"));
		}
	return false;
}

enum frame_kind frame_kind_of_answer(struct slice content_type, bool target_streams)
{
	enum frame_kind kind = frame_kind_of(content_type);
	struct slice type = slice_trim(slice_cut(&content_type, ';'));

	return kind == FRAME_BYTES && target_streams && slice_equal_nocase(type, SLICE("application/json"))
		       ? FRAME_ARRAY
		       : kind;
}

static void tell(struct frame *frame, enum part_kind kind, struct slice data)
{
	if (data.len)
		frame->ops->part(frame->user,
				 &(struct message_part){ .kind = kind, .data = data, .time_ns = frame->time_ns });
}

static void element_clear(struct frame *frame)
{
	buf_reset(&frame->buf);
	frame->passed_len = 0;
	frame->too_long = false;
	frame->array.depth = 0;
	frame->array.in_string = frame->array.is_escaped = false;
}

static void element_finish(struct frame *frame)
{
	if (frame->too_long)
		frame->ops->lost(frame->user, frame->passed_len);
	else
		tell(frame, PART_LINE, buf_slice(&frame->buf));
	element_clear(frame);
	frame->array.state = ARRAY_BETWEEN;
}

static void element_keep(struct frame *frame, struct slice bytes)
{
	frame->passed_len += bytes.len;
	if (frame->too_long)
		return;
	buf_put(&frame->buf, bytes);
	if (!frame->buf.failed)
		return;
	frame->too_long = true;
	buf_free(&frame->buf);
}

/* true when @c ends the element. */
static bool element_step(struct frame_array *array, char c)
{
	if (array->is_escaped) {
		array->is_escaped = false;
	} else if (array->in_string) {
		array->is_escaped = c == '\\';
		array->in_string = c != '"';
	} else if (c == '"') {
		array->in_string = true;
	} else if (c == '{' || c == '[') {
		array->depth++;
	} else if (c == '}' || c == ']') {
		return --array->depth == 0;
	}
	return false;
}

/* The part of @bytes that is of the open element. */
static size_t inside(struct frame *frame, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (element_step(&frame->array, bytes.data[i])) {
			element_keep(frame, slice_head(bytes, i + 1));
			element_finish(frame);
			return i + 1;
		}
	element_keep(frame, bytes);
	return bytes.len;
}

/* Numbers and words between elements are passed over: a stream has none. */
static size_t between(struct frame *frame, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.data[i];

		if (c == '{' || c == '[') {
			frame->array.state = ARRAY_INSIDE;
			return i;
		}
		if (c == ']') {
			frame->array.state = ARRAY_OVER;
			return i + 1;
		}
	}
	return bytes.len;
}

static size_t lost(struct frame *frame, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.data[i] == '{' && frame->array.at_line) {
			frame->array.at_line = false;
			frame->array.state = ARRAY_INSIDE;
			return i;
		}
		frame->array.at_line = bytes.data[i] == '\n';
	}
	return bytes.len;
}

/* Blanks before the bracket are kept until it is known whose they are; too many of them are no array's. */
static size_t begin(struct frame *frame, struct slice bytes)
{
	size_t blanks = 0;

	while (blanks < bytes.len && memchr(" \t\r\n", bytes.data[blanks], 4))
		blanks++;
	buf_put(&frame->buf, slice_head(bytes, blanks));
	if (frame->buf.failed)
		blanks = 0;
	else if (blanks == bytes.len)
		return blanks;
	else if (bytes.data[blanks] == '[') {
		element_clear(frame);
		frame->array.state = ARRAY_BETWEEN;
		return blanks + 1;
	}
	frame->kind = FRAME_BYTES;
	tell(frame, PART_BYTES, buf_slice(&frame->buf));
	element_clear(frame);
	tell(frame, PART_BYTES, slice_from(bytes, blanks));
	return bytes.len;
}

void frame_array_feed(struct frame *frame, struct slice bytes)
{
	static size_t (*const steps[])(struct frame * frame, struct slice bytes) = {
		[ARRAY_BEGIN] = begin,
		[ARRAY_BETWEEN] = between,
		[ARRAY_INSIDE] = inside,
		[ARRAY_LOST] = lost,
	};

	while (bytes.len && frame->array.state != ARRAY_OVER)
		bytes = slice_from(bytes, steps[frame->array.state](frame, bytes));
}

void frame_array_hole(struct frame *frame)
{
	if (frame->array.state == ARRAY_OVER)
		return;
	element_clear(frame);
	frame->array.state = ARRAY_LOST;
	frame->array.at_line = false;
}

/* An element that is still open was cut: half an object says nothing for sure. */
void frame_array_end(struct frame *frame)
{
	if (frame->array.state == ARRAY_BEGIN)
		tell(frame, PART_BYTES, buf_slice(&frame->buf));
	element_clear(frame);
	frame->array.state = ARRAY_OVER;
}
