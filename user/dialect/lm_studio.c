/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lm_studio.chat: LM Studio's own chat, /api/v1/chat. Its stream ends with the whole answer; what comes before it is kept
 * only for a stream that never gets there. Tools run on its side and are steps.
 */
#include "dialect/plain.h"

static bool is_answer(struct slice body)
{
	if (json_text_is(json_get(body, SLICE("type")), SLICE("chat.start")))
		return true;
	return json_type(json_get(body, SLICE("output"))) == JSON_ARRAY && json_get(body, SLICE("stats")).data &&
	       json_get(body, SLICE("model_instance_id")).data;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);

	if (!hint_is_post(hint))
		return 0;
	if (path_ends(hint->path, SLICE("/api/v1/chat")) && json_get(body, SLICE("model")).data &&
	    json_get(body, SLICE("input")).data)
		return SCORE_SURE;
	return hint->response_body.len && is_answer(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

/* Input: a text, or a list of {type: text | message, content} and {type: image, data_url}. */
static void input_read(struct call *call, struct slice input)
{
	struct parts parts;

	if (json_type(input) != JSON_ARRAY)
		return plain_prompt(call, &input, 1);
	parts_init(&parts, call, input);
	parts_message_open(&parts, SLICE("user"));
	json_foreach_element(item, input) {
		struct slice url = json_get(item.value, SLICE("data_url"));
		struct slice text = json_get(item.value, SLICE("content"));

		if (url.data)
			parts_url(&parts, SLICE("image"), url);
		else
			parts_text(&parts, json_type(text) == JSON_STRING ? text : SLICE_NONE);
	}
	parts_message_close(&parts, false, SLICE_NONE);
	call->input_messages = parts_finish(&parts);
}

static void request(struct call *call, void *state)
{
	struct slice body = json_trim(call->request_body), system;

	call->operation = OPERATION_CHAT;
	if (!request_open(call, "lm_studio"))
		return;
	system = json_get(body, SLICE("system_prompt"));
	system_text_put(call, system);
	input_read(call, json_get(body, SLICE("input")));
}

struct studio {
	struct plain said;       /* its last: the whole answer */
	struct pieces reasoning; /* inside of a JSON string */
	bool has_result;
};

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = slice_trim(part->data), type, content;
	struct studio *studio = state;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	type = json_raw_text(json_get(data, SLICE("type")));
	content = json_get(data, SLICE("content"));
	if (slice_equal(type, SLICE("error"))) {
		error_read(call, data, true);
		return DIALECT_EVENT_QUIET;
	}
	if (slice_equal(type, SLICE("chat.end"))) {
		studio->said.has_begun = studio->has_result = true;
		call_lost(call, slice_hold(call->arena, &studio->said.last, json_get(data, SLICE("result"))));
		return DIALECT_EVENT_LAST;
	}
	if (slice_equal(type, SLICE("message.delta"))) {
		studio->said.has_begun = true;
		return plain_add(call, &studio->said, content) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
	}
	if (slice_equal(type, SLICE("reasoning.delta"))) {
		studio->said.has_begun = true;
		text_gather(call, &studio->reasoning, content);
		return DIALECT_EVENT_CONTENT;
	}
	studio->said.has_begun |= slice_equal(type, SLICE("chat.start"));
	return slice_starts(type, SLICE("tool_call.")) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void item_put(struct buf *out, struct slice type, const struct pieces *text)
{
	if (!text->len)
		return;
	json_open(out, '{');
	json_member_text(out, SLICE("type"), type);
	pieces_member_text(out, SLICE("content"), text);
	json_close(out, '}');
}

static struct slice object_of(struct call *call, const struct studio *studio)
{
	struct out out;

	if (json_type(studio->said.last) == JSON_OBJECT)
		return studio->said.last;
	out_init(&out, call->arena, studio->said.text.len + studio->reasoning.len + 128);
	json_open(&out.buf, '{');
	json_put_name(&out.buf, SLICE("output"));
	json_open(&out.buf, '[');
	item_put(&out.buf, SLICE("reasoning"), &studio->reasoning);
	item_put(&out.buf, SLICE("message"), &studio->said.text);
	json_close(&out.buf, ']');
	json_close(&out.buf, '}');
	return out_slice(&out);
}

/* ---- answer ---- */

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("total_output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("reasoning_output_tokens"), offsetof(struct usage, reasoning) },
};

static void step_add(struct call *call, struct slice item)
{
	struct call_step *step = call_add_step(call);
	struct slice output = json_get(item, SLICE("output"));

	call_lost(call, step);
	if (!step)
		return;
	step->name = call_text(call, json_get(item, SLICE("tool")));
	step->inputs = json_get(item, SLICE("arguments"));
	step->outputs = output;
}

static void output_read(struct call *call, struct slice output)
{
	struct parts parts;

	parts_init(&parts, call, output);
	parts_message_open(&parts, SLICE("assistant"));
	json_foreach_element(item, output) {
		struct slice type = json_get(item.value, SLICE("type")), text = json_get(item.value, SLICE("content"));

		if (json_type(text) != JSON_STRING)
			text = SLICE_NONE;
		if (json_text_is(type, SLICE("message")))
			parts_text(&parts, text);
		else if (json_text_is(type, SLICE("reasoning")))
			parts_reasoning(&parts, text);
		else if (json_text_is(type, SLICE("tool_call")))
			step_add(call, item.value);
		else
			parts_other(&parts, item.value);
	}
	parts_message_close(&parts, false, SLICE_NONE);
	call->output_messages = parts_finish(&parts);
}

static void answer_read(struct call *call, struct slice answer)
{
	struct slice output = json_get(answer, SLICE("output")), stats = json_get(answer, SLICE("stats"));
	struct usage *usage = &call->usage;

	call->response_model = call_text(call, json_get(answer, SLICE("model_instance_id")));
	call->response_id = call_text(call, json_get(answer, SLICE("response_id")));
	if (json_type(stats) == JSON_OBJECT) {
		call->usage_raw = stats;
		usage_read(usage, stats, usage_rules, ARRAY_SIZE(usage_rules));
		usage_sum(usage);
	}
	if (json_type(output) == JSON_ARRAY)
		output_read(call, output);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct studio *studio = state;

	call->operation = OPERATION_CHAT;
	if (!call->vendor.len)
		request_open(call, "lm_studio");
	if (studio->said.has_begun) {
		call->outputs = object_of(call, studio);
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("chat");
}

DIALECT(lm_studio_chat, {
				.name = "lm_studio.chat",
				.order = 69,
				.state_size = sizeof(struct studio),
				.recognise = recognise,
				.request = request,
				.event = event,
				.response = response,
				.finish = finish,
				.span_name = span_name,
			});
