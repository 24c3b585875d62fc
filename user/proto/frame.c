/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One buffer holds both halves of an open event: the data lines that are complete, and behind them the line that is
 * still being read. When that line ends and is data, its value moves down over its own "data:", once. NDJSON and the search
 * after a late join use the second half alone.
 *
 *	buf  | data lines, joined by LF | open line | free |
 *	     0                   data_len        buf.len   max
 */
#include "proto/frame.h"
#include "base/cleanup.h"
#include "proto/frame_array.h"
#include "proto/frame_aws.h"

static const struct {
	struct slice type;
	enum frame_kind kind;
} types[] = {
	{ { "text/event-stream", 17 }, FRAME_EVENTS },      { { "application/x-ndjson", 20 }, FRAME_LINES },
	{ { "application/ndjson", 18 }, FRAME_LINES },      { { "application/jsonl", 17 }, FRAME_LINES },
	{ { "application/x-jsonlines", 23 }, FRAME_LINES }, { { "application/jsonlines", 21 }, FRAME_LINES },
	{ { "application/json-lines", 22 }, FRAME_LINES },  { { "application/stream+json", 23 }, FRAME_LINES },
	{ { "application/json-seq", 20 }, FRAME_LINES },    { { "application/vnd.amazon.eventstream", 34 }, FRAME_AWS },
};

enum frame_kind frame_kind_of(struct slice content_type)
{
	struct slice type = slice_trim(slice_cut(&content_type, ';'));

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (slice_equal_nocase(type, types[i].type))
			return types[i].kind;
	return FRAME_BYTES;
}

/* application/grpc, application/grpc+proto, application/grpc-web ..., but not the text form of the last. */
bool frame_type_is_grpc(struct slice content_type)
{
	return slice_starts_nocase(content_type, SLICE("application/grpc")) &&
	       !slice_starts_nocase(content_type, SLICE("application/grpc-web-text"));
}

void frame_init(struct frame *frame, enum frame_kind kind, struct alloc *alloc, size_t max, const struct frame_ops *ops,
		void *user)
{
	*frame = (struct frame){ .kind = kind, .ops = ops, .user = user, .buf = BUF(alloc, max) };
	frame->skipping = frame->at_start = kind == FRAME_UNKNOWN;
}

void frame_free(struct frame *frame)
{
	if (frame->buf.alloc)
		buf_free(&frame->buf);
}

/* Ready for the next event or line. */
static void frame_clear(struct frame *frame)
{
	buf_reset(&frame->buf);
	frame->data_len = frame->passed_len = frame->type_len = 0;
	frame->has_data = frame->in_line = frame->skipping = frame->too_long = frame->at_start = false;
}

static void tell(struct frame *frame, enum part_kind kind, struct slice data)
{
	frame->ops->part(frame->user, &(struct message_part){ .kind = kind,
							      .type = { frame->type, frame->type_len },
							      .data = data,
							      .time_ns = frame->time_ns });
}

/* The open event or line is passed over; what was told of it is only its length. */
static void pass_over(struct frame *frame)
{
	if (frame->too_long)
		frame->ops->lost(frame->user, frame->passed_len);
}

/* ---- events ---- */

static void event_finish(struct frame *frame)
{
	if (frame->skipping)
		pass_over(frame);
	else if (frame->has_data)
		tell(frame, PART_EVENT, slice_head(buf_slice(&frame->buf), frame->data_len));
	frame_clear(frame);
}

/* The value behind "name:" and one optional space; a line that is all name has an empty value. */
static bool line_field(struct slice line, struct slice name, struct slice *ret_value)
{
	if (!slice_starts(line, name) || (line.len > name.len && line.data[name.len] != ':'))
		return false;
	*ret_value = slice_from(line, name.len + 1);
	if (ret_value->len && ret_value->data[0] == ' ')
		*ret_value = slice_from(*ret_value, 1);
	return true;
}

static bool line_begins_event(struct slice line)
{
	static const char *const starts[] = { "data:", "event:", "id:", "retry:", ":" };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (slice_starts(line, slice_of(starts[i])))
			return true;
	return false;
}

/* The line is whole, at its place behind the data: turn it into data in place, or into the type, or into nothing. */
static void event_line_finish(struct frame *frame, struct slice line)
{
	char *end = frame->buf.data + frame->data_len;
	struct slice value;

	if (line_field(line, SLICE("data"), &value)) {
		/* The LF between two values takes the place of the line's own 'd'. */
		if (frame->has_data)
			*end++ = '\n';
		memmove(end, value.data, value.len);
		frame->data_len = (size_t)(end - frame->buf.data) + value.len;
		frame->has_data = true;
	} else if (line_field(line, SLICE("event"), &value)) {
		frame->type_len = MIN(value.len, sizeof(frame->type));
		memcpy(frame->type, value.data, frame->type_len);
	}
	frame->buf.len = frame->data_len;
}

static void events_line(struct frame *frame, struct slice line)
{
	if (!frame->in_line) {
		event_finish(frame);
		return;
	}
	frame->in_line = false;
	if (frame->skipping && frame->at_start && line_begins_event(line))
		frame->skipping = false;
	frame->at_start = false;
	if (frame->skipping)
		frame->buf.len = frame->data_len = 0;
	else if (line.len)
		event_line_finish(frame, line);
}

/* ---- lines ---- */

static bool line_is_json(struct slice line)
{
	return slice_starts(line, SLICE("{\"")) && slice_ends(slice_trim(line), SLICE("}"));
}

static void lines_line(struct frame *frame, struct slice line)
{
	/* A record separator (RFC 7464) and blanks are no part of the text. */
	struct slice text = slice_trim(line.len && line.data[0] == 0x1e ? slice_from(line, 1) : line);

	if (frame->skipping && !(frame->at_start && line_is_json(line)))
		pass_over(frame);
	else if (text.len)
		tell(frame, PART_LINE, text);
	frame_clear(frame);
}

/* ---- joined late ---- */

/* at_start: this line may begin an event; buf.failed: a line that is too long says nothing. */
static void unknown_line(struct frame *frame, struct slice line)
{
	bool was_start = frame->at_start, is_blank = !frame->in_line;

	frame->skipping = false;
	if (!frame->buf.failed && line_is_json(line)) {
		frame->kind = FRAME_LINES;
		lines_line(frame, line);
	} else if (!frame->buf.failed && was_start && line_begins_event(line)) {
		frame->kind = FRAME_EVENTS;
		frame->at_start = false;
		events_line(frame, line);
	} else {
		frame_clear(frame);
		frame->at_start = is_blank;
	}
}

/* ---- bytes to lines ---- */

static void (*const line_ends[_FRAME_MAX])(struct frame *frame, struct slice line) = {
	[FRAME_EVENTS] = events_line,
	[FRAME_LINES] = lines_line,
	[FRAME_UNKNOWN] = unknown_line,
};

static void line_finish(struct frame *frame)
{
	struct slice line = slice_from(buf_slice(&frame->buf), frame->data_len);

	if (!frame->has_begun && slice_starts(line, SLICE("\xef\xbb\xbf"))) {
		memmove(frame->buf.data, frame->buf.data + 3, line.len - 3);
		frame->buf.len -= 3;
		line.len -= 3;
		frame->in_line = line.len > 0;
	}
	frame->has_begun = true;
	line_ends[frame->kind](frame, line);
}

/* Bytes of one line, without its end. While an event is passed over, only "not empty" must be remembered. */
static void line_append(struct frame *frame, struct slice bytes)
{
	if (!bytes.len)
		return;
	frame->in_line = true;
	frame->passed_len += bytes.len;
	if (frame->skipping && !frame->at_start && frame->kind != FRAME_UNKNOWN)
		return;
	buf_put(&frame->buf, bytes);
	if (!frame->buf.failed || frame->kind == FRAME_UNKNOWN)
		return;
	frame->too_long = !frame->skipping;
	frame->skipping = true;
	frame->at_start = false;
	buf_free(&frame->buf);
	frame->data_len = 0;
}

static void bytes_feed(struct frame *frame, struct slice bytes)
{
	if (bytes.len)
		tell(frame, PART_BYTES, bytes);
}

static void lines_feed(struct frame *frame, struct slice bytes)
{
	size_t start = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.data[i];

		if (c != '\n' && (c != '\r' || frame->kind == FRAME_LINES)) {
			frame->after_cr = false;
			continue;
		}
		if (c == '\n' && frame->after_cr) {
			frame->after_cr = false;
			start = i + 1;
			continue;
		}
		line_append(frame, (struct slice){ bytes.data + start, i - start });
		line_finish(frame);
		frame->after_cr = c == '\r';
		start = i + 1;
	}
	line_append(frame, slice_from(bytes, start));
}

/* An error in plain JSON keeps the type of the stream that was asked for, at Google: no line of an event begins so. */
static void events_feed(struct frame *frame, struct slice bytes)
{
	if (!frame->has_begun && !frame->in_line && slice_starts(bytes, SLICE("{")))
		frame->kind = FRAME_BYTES;
	if (frame->kind == FRAME_BYTES)
		bytes_feed(frame, bytes);
	else
		lines_feed(frame, bytes);
}

/* Of these bytes the kind may come to light at any: the rest is read as that. */
static void unknown_feed(struct frame *frame, struct slice bytes)
{
	while (bytes.len && frame->kind == FRAME_UNKNOWN) {
		if (frame_aws_finds(frame, bytes.data[0])) {
			frame_clear(frame);
			frame->kind = FRAME_AWS;
			frame_aws_join(frame);
		} else {
			lines_feed(frame, slice_head(bytes, 1));
		}
		bytes = slice_from(bytes, 1);
	}
	if (bytes.len)
		frame_feed(frame, bytes, frame->time_ns);
}

/* No prelude of AWS's: what was looked at is gRPC's. */
static void binary_settle(struct frame *frame)
{
	char first[sizeof(frame->prelude)];
	struct slice held = { first, frame->prelude_len };

	memcpy(first, frame->prelude, held.len);
	frame_clear(frame);
	frame->prelude_len = 0;
	frame->kind = FRAME_GRPC;
	frame_grpc_feed(frame, held);
}

static void binary_feed(struct frame *frame, struct slice bytes)
{
	while (bytes.len && frame->kind == FRAME_BINARY) {
		if (frame_aws_finds(frame, bytes.data[0])) {
			frame->kind = FRAME_AWS;
			frame_aws_join(frame);
		} else if (frame->prelude_len == sizeof(frame->prelude)) {
			binary_settle(frame);
		}
		bytes = slice_from(bytes, 1);
	}
	if (bytes.len)
		frame_feed(frame, bytes, frame->time_ns);
}

static void (*const feeds[_FRAME_MAX])(struct frame *frame, struct slice bytes) = {
	[FRAME_BYTES] = bytes_feed,     [FRAME_EVENTS] = events_feed,   [FRAME_LINES] = lines_feed,
	[FRAME_AWS] = frame_aws_feed,   [FRAME_GRPC] = frame_grpc_feed, [FRAME_ARRAY] = frame_array_feed,
	[FRAME_UNKNOWN] = unknown_feed, [FRAME_BINARY] = binary_feed,
};

void frame_feed(struct frame *frame, struct slice bytes, uint64_t time_ns)
{
	frame->time_ns = time_ns;
	feeds[frame->kind](frame, bytes);
}

void frame_hole(struct frame *frame)
{
	if (frame->kind == FRAME_ARRAY)
		frame_array_hole(frame);
	if (frame->kind == FRAME_BYTES || frame->kind == FRAME_ARRAY)
		return;
	if (frame->kind == FRAME_BINARY)
		binary_settle(frame);
	if (frame->kind == FRAME_GRPC) {
		frame_grpc_hole(frame);
		return;
	}
	if (frame->kind == FRAME_AWS) {
		frame_aws_hole(frame);
		return;
	}
	frame->prelude_len = 0;
	frame->skipping = true;
	frame->at_start = frame->after_cr = false;
	frame->has_begun = true;
	/* What follows may be the middle of a line: not empty until its end says otherwise. */
	frame->in_line = true;
	buf_reset(&frame->buf);
	frame->data_len = 0;
	frame->has_data = false;
}

void frame_boundary(struct frame *frame)
{
	struct slice line = slice_from(buf_slice(&frame->buf), frame->data_len);

	if (frame->kind == FRAME_GRPC || frame->kind == FRAME_AWS || frame->kind == FRAME_BINARY)
		return;
	if ((!frame->skipping && frame->kind != FRAME_UNKNOWN) || frame->too_long)
		return;
	/* An event or line that began before may go on behind the boundary. */
	if (frame->at_start && !frame->buf.failed && (line_begins_event(line) || slice_starts(line, SLICE("{\""))))
		return;
	buf_reset(&frame->buf);
	frame->data_len = frame->type_len = 0;
	frame->at_start = true;
}

void frame_end(struct frame *frame, bool is_whole)
{
	struct slice line = slice_from(buf_slice(&frame->buf), frame->data_len);

	switch (frame->kind) {
	case FRAME_EVENTS:
		/* Cut inside a line, the event is not whole; cut between lines, all that was sent of it is here. */
		if (frame->in_line && is_whole)
			line_finish(frame);
		if (frame->skipping || !frame->in_line)
			event_finish(frame);
		break;
	case FRAME_LINES:
		if (frame->skipping || is_whole || line_is_json(line))
			line_finish(frame);
		break;
	case FRAME_AWS:
		frame_aws_end(frame, is_whole);
		break;
	case FRAME_ARRAY:
		frame_array_end(frame);
		break;
	case FRAME_BINARY:
		binary_settle(frame);
		break;
	default:
		break;
	}
	frame_clear(frame);
}
