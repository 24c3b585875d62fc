/* SPDX-License-Identifier: Apache-2.0 */
/* openai.completions: text completions, the older API, still spoken by local servers and for filling in the middle. */
#include "dialect/openai.h"

static const struct path_rule rules[] = {
	{ "/completions", .any = KEY_PROMPT, .none = KEY_MESSAGES },
	{ "/invocations", .any = KEY_PROMPT, .all = KEY_PROMPT, .none = KEY_MESSAGES | KEY_VERSION },
};

static bool is_answer(struct slice body)
{
	struct slice object = json_get(body, SLICE("object"));

	return json_text_is(object, SLICE("text_completion")) || json_text_is(object, SLICE("text.completion"));
}

static const struct signature signature = { rules, ARRAY_SIZE(rules), is_answer };

static unsigned recognise(const struct dialect_hint *hint)
{
	return signature_score(&signature, hint);
}

/* A prompt is a text, a list of texts, or tokens, which no message can show. */
static void prompt_messages(struct call *call, struct slice prompt)
{
	struct parts parts;

	parts_init(&parts, call, prompt);
	if (json_type(prompt) == JSON_STRING) {
		parts_text_message(&parts, SLICE("user"), prompt);
	} else if (json_type(prompt) == JSON_ARRAY) {
		json_foreach_element(item, prompt) {
			if (json_type(item.value) != JSON_STRING)
				continue;
			parts_text_message(&parts, SLICE("user"), item.value);
		}
	}
	call->input_messages = parts_finish(&parts);
}

static void request(struct call *call, void *state)
{
	call->operation = OPERATION_TEXT_COMPLETION;
	if (request_open(call, "openai"))
		prompt_messages(call, json_get(json_trim(call->request_body), SLICE("prompt")));
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	return openai_stream_event(call, state, part);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		openai_completion_answer(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct openai_stream *stream = state;

	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
	if (!stream->first && !stream->id.data)
		return;
	call->outputs = openai_stream_object(call, stream, false);
	call_lost(call, call->outputs.data);
	openai_completion_answer(call, call->outputs);
	openai_stream_finish_reasons(call, stream);
}

static struct slice span_name(const struct call *call)
{
	return SPAN_NAME(call, "Completions");
}

DIALECT(openai_completions, {
				    .name = "openai.completions",
				    .order = 12,
				    .state_size = sizeof(struct openai_stream),
				    .keeps_chunks = true,
				    .message_format = "openai",
				    .recognise = recognise,
				    .request = request,
				    .event = event,
				    .response = response,
				    .finish = finish,
				    .span_name = span_name,
			    });
