/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlflow.chat.messages from messages in parts: one function for all dialects, because by then they are all the same. What
 * the chat page has no card for becomes a line of text with its name, so that the conversation keeps its shape.
 */
#include "dialect/parts.h"

enum {
	PART_TYPE,
	PART_CONTENT,
	PART_ID,
	PART_NAME,
	PART_ARGUMENTS,
	PART_RESPONSE,
	PART_MIME,
	PART_MODALITY,
	PART_URI,
	_PART_MAX
};
static const struct slice part_names[_PART_MAX] = {
	[PART_TYPE] = SLICE("type"),      [PART_CONTENT] = SLICE("content"),     [PART_ID] = SLICE("id"),
	[PART_NAME] = SLICE("name"),      [PART_ARGUMENTS] = SLICE("arguments"), [PART_RESPONSE] = SLICE("response"),
	[PART_MIME] = SLICE("mime_type"), [PART_MODALITY] = SLICE("modality"),   [PART_URI] = SLICE("uri"),
};

static void text_block_open(struct buf *out)
{
	json_open(out, '{');
	json_member_text(out, SLICE("type"), SLICE("text"));
	json_put_name(out, SLICE("text"));
}

static void image_block(struct buf *out, const struct slice *part)
{
	json_open(out, '{');
	json_member_text(out, SLICE("type"), SLICE("image_url"));
	json_put_name(out, SLICE("image_url"));
	json_open(out, '{');
	if (part[PART_URI].len) {
		json_member_raw(out, SLICE("url"), part[PART_URI]);
	} else {
		json_put_name(out, SLICE("url"));
		json_put_raw(out, SLICE("\"data:"));
		buf_put(out, json_raw_text(part[PART_MIME]));
		buf_put(out, SLICE(";base64,"));
		buf_put(out, json_raw_text(part[PART_CONTENT]));
		buf_put_char(out, '"');
	}
	json_close(out, '}');
	json_close(out, '}');
}

/* Parts that are content of the message itself: text, images, and a named line for all that has no card. */
static void content_put(struct buf *out, struct slice parts)
{
	json_put_name(out, SLICE("content"));
	json_open(out, '[');
	json_foreach_element(item, parts) {
		struct slice part[_PART_MAX] = { 0 };
		struct slice type;

		PICK(item.value, part_names, part);
		type = json_raw_text(part[PART_TYPE]);
		if (slice_equal(type, SLICE("text")) && json_type(part[PART_CONTENT]) == JSON_STRING) {
			text_block_open(out);
			json_put_raw(out, part[PART_CONTENT]);
			json_close(out, '}');
		} else if (json_text_is(part[PART_MODALITY], SLICE("image")) &&
			   (part[PART_URI].len || part[PART_MIME].len)) {
			image_block(out, part);
		} else if (!slice_equal(type, SLICE("reasoning")) && !slice_equal(type, SLICE("tool_call")) &&
			   !slice_equal(type, SLICE("tool_call_response"))) {
			text_block_open(out);
			json_put_raw(out, SLICE("\"["));
			buf_put(out, type);
			buf_put(out, SLICE("]\""));
			json_close(out, '}');
		}
	}
	json_close(out, ']');
}

/* All reasoning of a message as one string, when there is any. */
static void reasoning_put(struct buf *out, struct slice parts)
{
	bool is_open = false;

	json_foreach_element(item, parts) {
		struct slice part[_PART_MAX] = { 0 };

		PICK(item.value, part_names, part);
		if (!json_text_is(part[PART_TYPE], SLICE("reasoning")))
			continue;
		if (!is_open) {
			json_put_name(out, SLICE("reasoning"));
			buf_put_char(out, '"');
			is_open = true;
		}
		buf_put(out, json_raw_text(part[PART_CONTENT]));
	}
	if (is_open)
		buf_put_char(out, '"');
}

/* A value as a string: a string is one, anything else becomes its JSON text. */
static void as_string(struct buf *out, struct slice name, struct slice value)
{
	if (json_type(value) == JSON_STRING)
		json_member_raw(out, name, value);
	else
		json_member_text(out, name, value.data ? value : SLICE("{}"));
}

static void tool_calls_put(struct buf *out, struct slice parts)
{
	bool is_open = false;

	json_foreach_element(item, parts) {
		struct slice part[_PART_MAX] = { 0 };

		PICK(item.value, part_names, part);
		if (!json_text_is(part[PART_TYPE], SLICE("tool_call")))
			continue;
		if (!is_open) {
			json_put_name(out, SLICE("tool_calls"));
			json_open(out, '[');
			is_open = true;
		}
		json_open(out, '{');
		json_member_raw(out, SLICE("id"), part[PART_ID].len ? part[PART_ID] : SLICE("\"\""));
		json_member_text(out, SLICE("type"), SLICE("function"));
		json_put_name(out, SLICE("function"));
		json_open(out, '{');
		json_member_raw(out, SLICE("name"), part[PART_NAME]);
		as_string(out, SLICE("arguments"), part[PART_ARGUMENTS]);
		json_close(out, '}');
		json_close(out, '}');
	}
	if (is_open)
		json_close(out, ']');
}

/* Each result is a message of its own; returns whether there was any. */
static bool tool_results_put(struct buf *out, struct slice parts)
{
	bool found = false;

	json_foreach_element(item, parts) {
		struct slice part[_PART_MAX] = { 0 };

		PICK(item.value, part_names, part);
		if (!json_text_is(part[PART_TYPE], SLICE("tool_call_response")))
			continue;
		found = true;
		json_open(out, '{');
		json_member_text(out, SLICE("role"), SLICE("tool"));
		json_member_raw(out, SLICE("tool_call_id"), part[PART_ID]);
		as_string(out, SLICE("content"), part[PART_RESPONSE]);
		json_close(out, '}');
	}
	return found;
}

static bool has_others(struct slice parts)
{
	json_foreach_element(item, parts)
		if (!json_text_is(json_get(item.value, SLICE("type")), SLICE("tool_call_response")))
			return true;
	return false;
}

static void message_put(struct buf *out, struct slice role, struct slice parts)
{
	if (tool_results_put(out, parts) && !has_others(parts))
		return;
	if (slice_equal(role, SLICE("developer")))
		role = SLICE("system");
	json_open(out, '{');
	json_member_text(out, SLICE("role"), slice_equal(role, SLICE("function")) ? SLICE("tool") : role);
	content_put(out, parts);
	reasoning_put(out, parts);
	tool_calls_put(out, parts);
	json_close(out, '}');
}

struct slice chat_messages_from_parts(struct call *call)
{
	struct slice sides[] = { call->input_messages, call->output_messages };
	size_t guess = call->system_instructions.len + sides[0].len + sides[1].len + 256;
	struct out out;

	out_init(&out, call->arena, guess + guess / 4);
	json_open(&out.buf, '[');
	if (call->system_instructions.len)
		message_put(&out.buf, SLICE("system"), call->system_instructions);
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++)
		json_foreach_element(message, sides[i])
			message_put(&out.buf, json_raw_text(json_get(message.value, SLICE("role"))),
				    json_get(message.value, SLICE("parts")));
	json_close(&out.buf, ']');
	return out_slice(&out);
}

void chat_messages_put(struct call *call)
{
	if (call->input_messages.len || call->output_messages.len)
		call->chat_messages = chat_messages_from_parts(call);
}
