/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ai21.complete: AI21's completions of the J2 models; its chat speaks OpenAI's format. The model stands in the path, tokens
 * are counted by their lists.
 *
 *	POST /studio/v1/j2-ultra/complete {"prompt":"Hi","numResults":1,"maxTokens":16}
 *	{"id":"…","prompt":{"text":"Hi","tokens":[…]},"completions":[{"data":{"text":" there","tokens":[…]},
 *	 "finishReason":{"reason":"endoftext"}}]}
 */
#include "dialect/common.h"
#include "dialect/parts.h"

static unsigned recognise(const struct dialect_hint *hint)
{
	if (!slice_contains(hint->path, SLICE("/studio/v1/")) || !path_ends(hint->path, SLICE("/complete")))
		return 0;
	if (body_keys(hint->request_body) & KEY_PROMPT)
		return SCORE_SURE;
	return !hint->request_is_whole && !hint->request_body.len ? SCORE_PATH : 0;
}

static void request(struct call *call, void *state)
{
	bool is_whole = request_open(call, "ai21");
	struct slice prompt = json_get(json_trim(call->request_body), SLICE("prompt"));

	call->operation = OPERATION_TEXT_COMPLETION;
	call->request_model = path_part(call->path, SLICE("/studio/v1/"));
	if (!is_whole || json_type(prompt) != JSON_STRING)
		return;
	call->input_messages = text_message(call, SLICE("user"), prompt);
}

static void completion_read(struct call *call, struct parts *parts, struct slice completion)
{
	struct slice reason = call_text(call, json_path(completion, "finishReason", "reason", NULL));

	call->usage.output += (int64_t)json_count(json_path(completion, "data", "tokens", NULL));
	finish_add(call, reason);
	parts_message_open(parts, SLICE("assistant"));
	parts_text(parts, json_path(completion, "data", "text", NULL));
	parts_message_close(parts, true, reason);
}

static void response(struct call *call, void *state)
{
	struct slice answer;
	struct parts parts;

	if (!answer_open(call, &answer))
		return;
	call->response_id = call_text(call, json_get(answer, SLICE("id")));
	call->usage.input = (int64_t)json_count(json_path(answer, "prompt", "tokens", NULL));
	call->usage.output = 0;
	parts_init(&parts, call, answer);
	json_foreach_element(completion, json_get(answer, SLICE("completions")))
		completion_read(call, &parts, completion.value);
	call->output_messages = parts_finish(&parts);
	call->chat_messages = chat_messages_from_parts(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("complete");
}

DIALECT(ai21_complete, {
			       .name = "ai21.complete",
			       .order = 45,
			       .recognise = recognise,
			       .request = request,
			       .event = no_event,
			       .response = response,
			       .finish = no_step,
			       .span_name = span_name,
		       });
