/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic.complete: Anthropic's first API, a prompt with "Human:" and "Assistant:" in it and the text that goes on. Its
 * stream brings the text in pieces; the event with the reason is the last. It never told its tokens.
 */
#include "dialect/plain.h"

static const struct slice completion = SLICE("completion");

static bool is_answer(struct slice body)
{
	return json_text_is(json_get(body, SLICE("type")), completion) && json_get(body, completion).data;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body), answer = json_trim(hint->response_body);

	if (!hint_is_post(hint) || (hint->path.len && !path_ends(hint->path, SLICE("/complete"))))
		return 0;
	if (json_get(body, SLICE("max_tokens_to_sample")).data && json_get(body, SLICE("prompt")).data)
		return hint->path.len ? SCORE_SURE : 0;
	return is_answer(answer) ? SCORE_ANSWER : 0;
}

static void request(struct call *call, void *state)
{
	struct slice prompt;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!request_open(call, "anthropic"))
		return;
	prompt = json_get(call->inputs, SLICE("prompt"));
	plain_prompt(call, &prompt, 1);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct plain *plain = state;
	bool has_text;

	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	if (json_get(part->data, SLICE("error")).data && !call->has_error)
		error_read(call, part->data, true);
	if (json_type(json_get(part->data, completion)) != JSON_STRING)
		return DIALECT_EVENT_QUIET;
	plain->has_begun = true;
	call_lost(call, slice_hold(call->arena, &plain->last, part->data));
	has_text = plain_add(call, plain, json_get(part->data, completion));
	if (json_get(part->data, SLICE("stop_reason")).data)
		return DIALECT_EVENT_LAST;
	return has_text ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void answer_read(struct call *call, struct slice answer)
{
	call->response_id = call_text(call, json_get(answer, SLICE("id")));
	call->response_model = call_text(call, json_get(answer, SLICE("model")));
	plain_said(call, json_get(answer, completion), call_text(call, json_get(answer, SLICE("stop_reason"))));
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer) && json_get(answer, completion).data)
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct plain *plain = state;

	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
	if (plain->has_begun) {
		call->outputs = plain_object(call, plain, completion);
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return SPAN_NAME(call, "Completions.create");
}

DIALECT(anthropic_complete, {
				    .name = "anthropic.complete",
				    .order = 31,
				    .state_size = sizeof(struct plain),
				    .recognise = recognise,
				    .request = request,
				    .event = event,
				    .response = response,
				    .finish = finish,
				    .span_name = span_name,
			    });
