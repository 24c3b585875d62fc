/* SPDX-License-Identifier: Apache-2.0 */
/*
 * triton.generate: the generate extension of Triton and KServe, /v2/models/{m}/generate[_stream]. Names of inputs are the
 * model's own; text_input and text_output are those of all language models served so.
 */
#include "dialect/plain.h"

static const struct slice prompts[] = { SLICE("text_input"), SLICE("prompt"), SLICE("input_text") };

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body), answer = json_trim(hint->response_body);
	bool has_path = path_ends(hint->path, SLICE("/generate")) || path_ends(hint->path, SLICE("/generate_stream"));

	if (!hint_is_post(hint) || !has_path || !slice_contains(hint->path, SLICE("/models/")))
		return 0;
	if (json_get(body, prompts[0]).data)
		return SCORE_SURE;
	return json_get(answer, SLICE("text_output")).data ? SCORE_SURE : 0;
}

static void request(struct call *call, void *state)
{
	struct slice got[ARRAY_SIZE(prompts)] = { 0 };

	call->operation = OPERATION_TEXT_COMPLETION;
	if (request_open(call, "triton")) {
		PICK(json_trim(call->request_body), prompts, got);
		plain_prompt(call, got, ARRAY_SIZE(got));
	}
	if (!call->request_model.len)
		call->request_model = path_part(call->path, SLICE("/models/"));
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = slice_trim(part->data), text;
	struct plain *plain = state;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	text = json_get(data, SLICE("text_output"));
	if (json_get(data, SLICE("error")).data)
		error_read(call, data, true);
	if (json_type(text) != JSON_STRING)
		return DIALECT_EVENT_QUIET;
	plain->has_begun = true;
	call_lost(call, slice_hold(call->arena, &plain->last, data));
	return plain_add(call, plain, text) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void answer_read(struct call *call, struct slice answer)
{
	call->response_model = call_text(call, json_get(answer, SLICE("model_name")));
	plain_said(call, json_get(answer, SLICE("text_output")), SLICE_NONE);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer) && json_get(answer, SLICE("text_output")).data)
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct plain *plain = state;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!call->vendor.len)
		request_open(call, "triton");
	if (plain->has_begun) {
		call->outputs = plain_object(call, plain, SLICE("text_output"));
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("generate");
}

DIALECT(triton_generate, {
				 .name = "triton.generate",
				 .order = 73,
				 .state_size = sizeof(struct plain),
				 .recognise = recognise,
				 .request = request,
				 .event = event,
				 .response = response,
				 .finish = finish,
				 .span_name = span_name,
			 });
