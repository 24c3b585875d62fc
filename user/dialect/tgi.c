/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tgi.generate: Text Generation Inference and the task API that came from it (there an answer is a list). Any path may be
 * in front of it, the root as well, so request and answer must both look like it. Tokens are told in the details, when
 * asked for, and in headers otherwise.
 */
#include "dialect/plain.h"

static bool is_answer(struct slice body)
{
	struct slice first = first_object(body);

	if (json_type(json_get(first, SLICE("generated_text"))) == JSON_STRING)
		return true;
	return json_type(json_path(first, "token", "text", NULL)) == JSON_STRING &&
	       json_path(first, "token", "id", NULL).data;
}

static bool is_failure(struct slice body)
{
	return json_get(body, SLICE("error")).data && json_get(body, SLICE("error_type")).data;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice request = json_trim(hint->request_body), answer = json_trim(hint->response_body);
	struct slice inputs = json_get(request, SLICE("inputs"));

	if (!hint_is_post(hint))
		return 0;
	if (!request.len && !hint->request_is_whole)
		return is_answer(answer) ? SCORE_ANSWER : 0;
	if (json_type(inputs) != JSON_STRING && json_type(inputs) != JSON_ARRAY)
		return 0;
	if (path_ends(hint->path, SLICE("/generate_stream")) && json_type(inputs) == JSON_STRING)
		return SCORE_SURE;
	if (is_answer(answer))
		return SCORE_SURE;
	return path_ends(hint->path, SLICE("/generate")) && is_failure(answer) ? SCORE_SURE : 0;
}

static void request(struct call *call, void *state)
{
	struct slice inputs;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (request_open(call, "tgi")) {
		inputs = json_get(json_trim(call->request_body), SLICE("inputs"));
		plain_prompt(call, &inputs, 1);
	}
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = slice_trim(part->data), whole, token;
	struct plain *plain = state;
	bool has_content;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	if (json_get(data, SLICE("error")).data) {
		error_read(call, data, true);
		return DIALECT_EVENT_QUIET;
	}
	token = json_get(data, SLICE("token"));
	whole = json_get(data, SLICE("generated_text"));
	if (!token.data && !whole.data)
		return DIALECT_EVENT_QUIET;
	plain->has_begun = true;
	has_content = !json_is_true(json_get(token, SLICE("special"))) &&
		      plain_add(call, plain, json_get(token, SLICE("text")));
	if (!whole.data)
		return has_content ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
	call_lost(call, slice_hold(call->arena, &plain->last, data));
	return DIALECT_EVENT_LAST;
}

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_length"), offsetof(struct usage, input) },
	{ {}, SLICE("generated_tokens"), offsetof(struct usage, output) },
};

static void usage_of(struct call *call, struct slice details)
{
	struct usage *usage = &call->usage;
	struct slice prefill = json_get(details, SLICE("prefill"));

	if (json_type(details) == JSON_OBJECT) {
		call->usage_raw = details;
		usage_read(usage, details, usage_rules, ARRAY_SIZE(usage_rules));
		if (usage->input < 0 && json_type(prefill) == JSON_ARRAY && json_count(prefill))
			usage->input = (int64_t)json_count(prefill);
	}
	if (usage->input < 0)
		usage->input = answer_header_count(call, SLICE("x-prompt-tokens"));
	if (usage->output < 0)
		usage->output = answer_header_count(call, SLICE("x-generated-tokens"));
	usage_sum(usage);
}

static void answer_read(struct call *call, struct slice answer)
{
	struct slice first = first_object(answer), details = json_get(first, SLICE("details"));
	struct slice reason = call_text(call, json_get(details, SLICE("finish_reason")));

	usage_of(call, details);
	if (json_type(answer) == JSON_ARRAY)
		plain_said_each(call, answer, SLICE("generated_text"), reason);
	else
		plain_said(call, json_get(first, SLICE("generated_text")), reason);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (plain_answer_open(call, &answer) && is_answer(answer))
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct plain *plain = state;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!call->vendor.len)
		request_open(call, "tgi");
	if (plain->last.data)
		call->outputs = plain->last; /* has the whole text */
	else if (plain->has_begun)
		call->outputs = plain_object(call, plain, SLICE("generated_text"));
	if (plain->has_begun) {
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("generate");
}

DIALECT(tgi_generate, {
			      .name = "tgi.generate",
			      .order = 70,
			      .state_size = sizeof(struct plain),
			      .recognise = recognise,
			      .request = request,
			      .event = event,
			      .response = response,
			      .finish = finish,
			      .span_name = span_name,
		      });
