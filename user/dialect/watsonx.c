/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watsonx.chat and watsonx.generation: IBM's service. Its chat is chat completions with other names for the model and a
 * path of its own; its generation tells pieces with their counts so far, the last of which has the reason to end.
 */
#include "dialect/plain.h"
#include "dialect/tools.h"

static const struct slice chat_paths[] = { SLICE("/text/chat"), SLICE("/text/chat_stream") };
static const struct slice text_paths[] = { SLICE("/text/generation"), SLICE("/text/generation_stream") };

/* A deployment has its model in its path, not in its body. */
static unsigned score(const struct dialect_hint *hint, const struct slice *paths, struct slice asks)
{
	struct slice body = json_trim(hint->request_body);

	if (!hint_is_post(hint) || !slice_contains(hint->path, SLICE("/ml/v1/")))
		return 0;
	for (size_t i = 0; i < 2; i++)
		if (path_ends(hint->path, paths[i]))
			return !body.len && !hint->request_is_whole ? SCORE_PATH
			       : json_get(body, asks).data          ? SCORE_SURE
								    : 0;
	return 0;
}

static unsigned chat_recognise(const struct dialect_hint *hint)
{
	return score(hint, chat_paths, SLICE("messages"));
}

static unsigned text_recognise(const struct dialect_hint *hint)
{
	unsigned found = score(hint, text_paths, SLICE("input"));

	return found ? found : score(hint, text_paths, SLICE("parameters"));
}

static bool open_request(struct call *call)
{
	bool is_whole = request_open(call, "ibm.watsonx.ai");

	if (is_whole)
		call->request_model = call_text(call, json_get(json_trim(call->request_body), SLICE("model_id")));
	if (!call->request_model.len)
		call->request_model = path_part(call->path, SLICE("/deployments/"));
	return is_whole;
}

static void model_read(struct call *call, struct slice answer)
{
	struct slice model = call_text(call, json_get(answer, SLICE("model_id")));

	if (model.len)
		call->response_model = model;
}

/* ---- chat ---- */

struct chat {
	struct openai_stream stream;
	struct slice model; /* raw JSON */
	bool is_foreign;
};

enum { ASK_MESSAGES, ASK_TOOLS, ASK_FORMAT, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_MESSAGES] = SLICE("messages"),
	[ASK_TOOLS] = SLICE("tools"),
	[ASK_FORMAT] = SLICE("response_format"),
};

static void chat_request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct chat *chat = state;

	call->operation = OPERATION_CHAT;
	if (!open_request(call))
		return;
	PICK(json_trim(call->request_body), ask_names, ask);
	openai_input_messages(call, ask[ASK_MESSAGES], &chat->is_foreign);
	call->tools = tools_from_chat(call, ask[ASK_TOOLS], SLICE_NONE);
	call->output_type = openai_output_type(ask[ASK_FORMAT], SLICE_NONE);
}

/* {"errors":[{"code","message"}],"trace","status_code"} */
static bool failure_read(struct call *call, struct slice body, bool in_band)
{
	struct slice first = json_path(body, "errors", "#0", NULL);

	if (!first.data)
		return false;
	error_read(call, first, in_band);
	return true;
}

static enum dialect_event chat_event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = slice_trim(part->data);
	struct chat *chat = state;

	if (json_check(data, JSON_DEPTH_MAX) == 0) {
		if (failure_read(call, data, true))
			return DIALECT_EVENT_QUIET;
		call_lost(call, slice_hold(call->arena, &chat->model, json_get(data, SLICE("model_id"))));
	}
	return openai_stream_event(call, &chat->stream, part);
}

static void chat_response(struct call *call, void *state)
{
	struct chat *chat = state;
	struct slice answer;

	if (answer_open(call, &answer)) {
		openai_chat_answer(call, answer, &chat->is_foreign);
		model_read(call, answer);
	} else if (call->has_error) {
		failure_read(call, json_trim(call->response_body), false);
	}
}

static void chat_finish(struct call *call, void *state)
{
	struct chat *chat = state;

	call->operation = OPERATION_CHAT;
	if (!call->vendor.len)
		open_request(call);
	if (chat->stream.first || chat->stream.id.data) {
		call->outputs = openai_stream_object(call, &chat->stream, true);
		call_lost(call, call->outputs.data);
		openai_chat_answer(call, call->outputs, &chat->is_foreign);
		openai_stream_finish_reasons(call, &chat->stream);
	}
	if (!call->response_model.len)
		call->response_model = call_text(call, chat->model);
	openai_chat_messages(call, chat->is_foreign);
}

static struct slice chat_span_name(const struct call *call)
{
	return SLICE("chat");
}

/* ---- generation ---- */

static void text_request(struct call *call, void *state)
{
	struct slice input;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!open_request(call))
		return;
	input = json_get(json_trim(call->request_body), SLICE("input"));
	plain_prompt(call, &input, 1);
}

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_token_count"), offsetof(struct usage, input) },
	{ {}, SLICE("generated_token_count"), offsetof(struct usage, output) },
};

/* The first piece counts the prompt, the last counts all that was made: both are kept as they come. */
static void counts_read(struct call *call, struct slice result)
{
	int64_t input = call->usage.input;

	usage_read(&call->usage, result, usage_rules, ARRAY_SIZE(usage_rules));
	if (call->usage.input <= 0 && input > 0)
		call->usage.input = input;
	usage_sum(&call->usage);
}

struct text {
	struct plain plain;
	struct slice model; /* raw JSON */
};

static enum dialect_event text_event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = slice_trim(part->data), result;
	struct text *text = state;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part) || failure_read(call, data, true))
		return DIALECT_EVENT_QUIET;
	result = json_path(data, "results", "#0", NULL);
	if (json_type(result) != JSON_OBJECT)
		return DIALECT_EVENT_QUIET;
	text->plain.has_begun = true;
	counts_read(call, result);
	call_lost(call, slice_hold(call->arena, &text->model, json_get(data, SLICE("model_id"))));
	call_lost(call, slice_hold(call->arena, &text->plain.last, result));
	return plain_add(call, &text->plain, json_get(result, SLICE("generated_text"))) ? DIALECT_EVENT_CONTENT
											: DIALECT_EVENT_QUIET;
}

static void text_answer(struct call *call, struct slice result)
{
	struct slice reason = call_text(call, json_get(result, SLICE("stop_reason")));

	counts_read(call, result);
	plain_said(call, json_get(result, SLICE("generated_text")),
		   slice_equal(reason, SLICE("not_finished")) ? SLICE_NONE : reason);
}

static void text_response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer)) {
		model_read(call, answer);
		text_answer(call, json_path(answer, "results", "#0", NULL));
		call->usage_raw = json_path(answer, "results", "#0", NULL);
	} else if (call->has_error) {
		failure_read(call, json_trim(call->response_body), false);
	}
}

static void text_finish(struct call *call, void *state)
{
	struct text *text = state;
	struct slice result;
	struct out out;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!call->vendor.len)
		open_request(call);
	if (text->plain.has_begun) {
		result = plain_object(call, &text->plain, SLICE("generated_text"));
		out_init(&out, call->arena, result.len + text->model.len + 48);
		json_open(&out.buf, '{');
		json_member_raw(&out.buf, SLICE("model_id"), text->model);
		json_put_name(&out.buf, SLICE("results"));
		json_open(&out.buf, '[');
		json_put_raw(&out.buf, result);
		json_close(&out.buf, ']');
		json_close(&out.buf, '}');
		call->outputs = result.data ? out_slice(&out) : SLICE_NONE;
		call_lost(call, call->outputs.data);
		call->response_model = call_text(call, text->model);
		text_answer(call, result);
	}
	chat_messages_put(call);
}

static struct slice text_span_name(const struct call *call)
{
	return SLICE("generate");
}

DIALECT(watsonx_chat, {
			      .name = "watsonx.chat",
			      .order = 67,
			      .state_size = sizeof(struct chat),
			      .message_format = "openai",
			      .recognise = chat_recognise,
			      .request = chat_request,
			      .event = chat_event,
			      .response = chat_response,
			      .finish = chat_finish,
			      .span_name = chat_span_name,
		      });

DIALECT(watsonx_generation, {
				    .name = "watsonx.generation",
				    .order = 68,
				    .state_size = sizeof(struct text),
				    .recognise = text_recognise,
				    .request = text_request,
				    .event = text_event,
				    .response = text_response,
				    .finish = text_finish,
				    .span_name = text_span_name,
			    });
