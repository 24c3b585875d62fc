/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amazon's JSON protocols put into the head what others put into the body, so it is read from there first. An error is
 * named by a header "ThrottlingException:http://…" or by a member "com.amazon.…#ThrottlingException"; the bare word counts.
 */
#include "dialect/bedrock.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct slice percent_decode(struct arena *arena, struct slice text)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	if (!out)
		return SLICE_NONE;
	for (size_t i = 0; i < text.len; i++) {
		int high = i + 2 < text.len && text.data[i] == '%' ? hex_digit(text.data[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;

		if (low >= 0)
			i += 2;
		out[len++] = low >= 0 ? (char)(high << 4 | low) : text.data[i];
	}
	return (struct slice){ out, len };
}

/* Behind @before in the path and up to @until (the path's end when NULL), percent-decoded: ids may hold encoded slashes. */
static struct slice model_of_path(struct call *call, struct slice before, const char *until)
{
	ptrdiff_t at = slice_find(call->path, before);
	struct slice rest = slice_from(call->path, at < 0 ? call->path.len : (size_t)at + before.len);

	if (until) {
		/* The last one: an id that was not encoded as it should be has slashes of its own. */
		while (rest.len && !slice_ends(rest, slice_of(until)))
			rest.len--;
		rest.len -= MIN(rest.len, strlen(until));
	}
	return rest.len ? percent_decode(call->arena, rest) : SLICE_NONE;
}

struct slice aws_event_bytes(struct call *call, struct slice event)
{
	struct slice bytes = json_get(event, SLICE("bytes")), raw = json_raw_text(bytes);

	return slice_contains(raw, SLICE("\\")) ? json_text(call->arena, bytes) : raw;
}

struct slice aws_path_segment(const struct call *call, struct slice before)
{
	ptrdiff_t at = slice_find(call->path, before);
	struct slice rest = slice_from(call->path, at < 0 ? call->path.len : (size_t)at + before.len);

	return slice_cut(&rest, '/');
}

bool aws_request_open(struct call *call, const char *vendor, struct slice before)
{
	bool is_whole = request_open(call, vendor);
	struct slice model = model_of_path(call, before, "/");

	if (model.len)
		call->request_model = model;
	return is_whole;
}

static void error_type_put(struct call *call, struct slice type)
{
	struct slice rest = type;

	while (slice_contains(rest, SLICE("#")))
		slice_cut(&rest, '#');
	type = slice_cut(&rest, ':');
	if (type.len)
		call->error.type = type;
}

bool aws_answer_open(struct call *call, struct slice *ret)
{
	static const struct slice names[] = { SLICE("__type"), SLICE("message"), SLICE("Message") };
	struct slice got[ARRAY_SIZE(names)] = { 0 }, text;
	bool is_open = answer_open(call, ret);

	if (!call->has_error || call->error.in_band)
		return is_open;
	PICK(json_trim(call->response_body), names, got);
	text = call_text(call, got[1].data ? got[1] : got[2]);
	if (text.len)
		call->error.message = text;
	error_type_put(call, call_text(call, got[0]));
	error_type_put(call,
		       call_header(call->response_headers, call->response_header_count, SLICE("x-amzn-errortype")));
	return is_open;
}

bool aws_event_open(struct call *call, const struct message_part *part)
{
	static const struct slice mark = SLICE("exception:");

	if (!slice_starts(part->type, mark))
		return event_open(call, part);
	if (!call->has_error) {
		error_read(call, part->data, true);
		call->error.type = arena_dup(call->arena, slice_from(part->type, mark.len));
		if (!call->error.message.len)
			call->error.message = call->error.raw;
	}
	return false;
}

void aws_text_read(struct call *call, struct slice text, struct slice reason)
{
	struct parts parts;

	finish_add(call, call_copy(call, reason));
	if (json_type(text) != JSON_STRING)
		return;
	parts_init(&parts, call, text);
	parts_message_open(&parts, SLICE("assistant"));
	parts_text(&parts, text);
	parts_message_close(&parts, reason.len, json_raw_text(reason));
	call->output_messages = parts_finish(&parts);
}
