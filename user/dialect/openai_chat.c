/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.chat: chat completions, as OpenAI, Azure and everybody who is compatible speak them. The path may stand behind
 * any prefix; where a host has one path for several formats, the request's own members decide.
 */
#include "dialect/openai.h"
#include "dialect/tools.h"

static const struct path_rule rules[] = {
	{ "/chat/completions", .any = KEY_MESSAGES | KEY_MODEL, .alone = true },
	{ "/completions", .any = KEY_MESSAGES, .none = KEY_PROMPT },
	{ "/invocations", .any = KEY_MESSAGES, .none = KEY_VERSION },
	{ "/v1/chat", .any = KEY_MESSAGES, .all = KEY_MODEL | KEY_MESSAGES },
	{ "/inference:complete", .any = KEY_MESSAGES },
};

static bool is_answer(struct slice body)
{
	struct slice object = json_raw_text(json_get(body, SLICE("object")));

	if (slice_starts(object, SLICE("chat.completion")))
		return json_type(json_get(body, SLICE("choices"))) == JSON_ARRAY;
	/* Azure's first chunk names nothing but what its filter found. */
	return json_path(body, "choices", "#0", "delta", NULL).data ||
	       json_get(body, SLICE("prompt_filter_results")).data;
}

static const struct signature signature = { rules, ARRAY_SIZE(rules), is_answer };
static const struct refusal refusal = { .asked = { .all = KEY_MODEL | KEY_MESSAGES, .none = KEY_VERSION | KEY_JSONRPC },
					.answer = body_is_refusal };

static unsigned recognise(const struct dialect_hint *hint)
{
	return signature_score(&signature, hint) ?: refusal_score(&refusal, hint);
}

struct chat {
	struct openai_stream stream;
	bool is_foreign;
};

enum { ASK_MESSAGES, ASK_TOOLS, ASK_FUNCTIONS, ASK_FORMAT, ASK_MODALITIES, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_MESSAGES] = SLICE("messages"),     [ASK_TOOLS] = SLICE("tools"),
	[ASK_FUNCTIONS] = SLICE("functions"),   [ASK_FORMAT] = SLICE("response_format"),
	[ASK_MODALITIES] = SLICE("modalities"),
};

static void request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct chat *chat = state;

	call->operation = OPERATION_CHAT;
	if (request_open(call, "openai")) {
		PICK(json_trim(call->request_body), ask_names, ask);
		openai_input_messages(call, ask[ASK_MESSAGES], &chat->is_foreign);
		call->tools = tools_from_chat(call, ask[ASK_TOOLS], ask[ASK_FUNCTIONS]);
		call->output_type = openai_output_type(ask[ASK_FORMAT], ask[ASK_MODALITIES]);
	}
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct chat *chat = state;

	return openai_stream_event(call, &chat->stream, part);
}

static void response(struct call *call, void *state)
{
	struct chat *chat = state;
	struct slice answer;

	if (answer_open(call, &answer))
		openai_chat_answer(call, answer, &chat->is_foreign);
}

static void finish(struct call *call, void *state)
{
	struct chat *chat = state;

	call->operation = OPERATION_CHAT;
	if (!call->vendor.len)
		request_open(call, "openai");
	if (chat->stream.first || chat->stream.id.data) {
		call->outputs = openai_stream_object(call, &chat->stream, true);
		call_lost(call, call->outputs.data);
		openai_chat_answer(call, call->outputs, &chat->is_foreign);
		openai_stream_finish_reasons(call, &chat->stream);
	}
	openai_chat_messages(call, chat->is_foreign);
}

static struct slice span_name(const struct call *call)
{
	return SPAN_NAME(call, "Completions");
}

DIALECT(openai_chat, {
			     .name = "openai.chat",
			     .order = 10,
			     .state_size = sizeof(struct chat),
			     .keeps_chunks = true,
			     .message_format = "openai",
			     .recognise = recognise,
			     .request = request,
			     .event = event,
			     .response = response,
			     .finish = finish,
			     .span_name = span_name,
		     });
