/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.responses: the Responses API over HTTP or a WebSocket, at OpenAI, Azure and compatible hosts. Conversation is a list of items,
 * not of messages: an item that is no message becomes a message with one part, so that both APIs read alike.
 */
#include "dialect/responses.h"
#include "dialect/steps.h"
#include "dialect/tools.h"

/* Paths that ask for something else than an answer. */
static const struct other_path {
	struct slice end;
	enum call_operation operation;
} other_paths[] = {
	{ SLICE("/responses/input_tokens"), OPERATION_COUNT_TOKENS },
	{ SLICE("/responses/compact"), OPERATION_COMPACT },
};

static const struct slice one_response = SLICE("/responses/");

/* The path ends in the id of a response. */
static bool path_names_response(struct slice path)
{
	struct slice id = path_part(path, one_response);

	return slice_starts(id, SLICE("resp_")) && path_ends(path, id);
}

/* A response that was made earlier, or is being made, is asked for again. */
static bool is_fetch(struct slice method, struct slice path)
{
	return slice_equal(method, SLICE("GET")) && path_names_response(path);
}

static const struct path_rule rules[] = {
	{ "/responses", .any = KEY_INPUT | KEY_INPUT_ITEMS | KEY_PROMPT | KEY_RESPONSES | KEY_MODEL, .alone = true },
	{ "/responses/compact", .any = KEY_INPUT | KEY_INPUT_ITEMS | KEY_RESPONSES, .alone = true },
	{ "/responses/input_tokens", .any = KEY_INPUT | KEY_INPUT_ITEMS | KEY_RESPONSES | KEY_MODEL, .alone = true },
	{ "/invocations", .any = KEY_INPUT_ITEMS },
};

static bool is_answer(struct slice body)
{
	struct slice object = json_raw_text(json_get(body, SLICE("object")));
	struct slice type = json_raw_text(json_get(body, SLICE("type")));

	if (slice_equal(object, SLICE("response")) || slice_equal(object, SLICE("response.compaction")))
		return json_type(json_get(body, SLICE("output"))) == JSON_ARRAY;
	return slice_starts(type, SLICE("response.")) &&
	       (json_get(body, SLICE("response")).data || json_get(body, SLICE("output_index")).data);
}

static const struct signature signature = { rules, ARRAY_SIZE(rules), is_answer };
static const struct refusal refusal = {
	.asked = { .any = KEY_RESPONSES | KEY_INPUT_ITEMS, .all = KEY_MODEL, .none = KEY_MESSAGES | KEY_JSONRPC },
	.answer = body_is_refusal
};

static unsigned recognise(const struct dialect_hint *hint)
{
	if (slice_equal(hint->protocol, SLICE("websocket")))
		return responses_socket_score(hint);
	if (is_fetch(hint->method, hint->path))
		return SCORE_PATH;
	/* A response that is cancelled answers itself as it stands. */
	if (slice_starts(path_part(hint->path, one_response), SLICE("resp_")))
		return 0;
	return signature_score(&signature, hint) ?: refusal_score(&refusal, hint);
}

struct responses {
	struct response_stream stream;
	bool is_foreign;
};

/* ---- items ---- */

enum item_is { ITEM_MESSAGE, ITEM_REASONING, ITEM_CALL, ITEM_RESULT, ITEM_OTHER };

static const struct item_rule {
	struct slice type;
	enum item_is is;
	struct slice arguments; /* member of a call */
	bool is_foreign;
} item_rules[] = {
	{ SLICE("message"), ITEM_MESSAGE, {}, false },
	{ SLICE("reasoning"), ITEM_REASONING, {}, false },
	{ SLICE("function_call"), ITEM_CALL, SLICE("arguments"), false },
	{ SLICE("function_call_output"), ITEM_RESULT, {}, false },
	{ SLICE("custom_tool_call"), ITEM_CALL, SLICE("input"), true },
	{ SLICE("custom_tool_call_output"), ITEM_RESULT, {}, true },
	{ SLICE("local_shell_call"), ITEM_CALL, SLICE("action"), true },
	{ SLICE("shell_call"), ITEM_CALL, SLICE("action"), true },
	{ SLICE("apply_patch_call"), ITEM_CALL, SLICE("operation"), true },
	{ SLICE("computer_call"), ITEM_CALL, SLICE("action"), true },
	{ SLICE("local_shell_call_output"), ITEM_RESULT, {}, true },
	{ SLICE("shell_call_output"), ITEM_RESULT, {}, true },
	{ SLICE("apply_patch_call_output"), ITEM_RESULT, {}, true },
	{ SLICE("computer_call_output"), ITEM_RESULT, {}, true },
};
/* The same where "execution" says that the client does it. */
static const struct item_rule client_rules[] = {
	{ SLICE("tool_search_call"), ITEM_CALL, SLICE("arguments"), true },
	{ SLICE("tool_search_output"), ITEM_RESULT, {}, true },
};

/* The role of an item that names none: results come from the application, all else from the model. */
static struct slice item_role(struct slice item, const struct item_rule *rule)
{
	struct slice role = json_raw_text(json_get(item, SLICE("role")));

	if (role.len)
		return role;
	if (rule->is == ITEM_RESULT || slice_ends(json_raw_text(json_get(item, SLICE("type"))), SLICE("_output")))
		return SLICE("tool");
	return SLICE("assistant");
}

static void item_put(struct parts *parts, struct slice item, const struct item_rule *rule)
{
	struct slice id = json_get(item, SLICE("call_id")), name = json_get(item, SLICE("name")), output;

	switch (rule->is) {
	case ITEM_MESSAGE:
		openai_content(parts, json_get(item, SLICE("content")));
		break;
	case ITEM_REASONING:
		openai_content(parts, json_get(item, SLICE("summary")));
		openai_content(parts, json_get(item, SLICE("content")));
		break;
	case ITEM_CALL:
		/* What only one tool does is named by its kind alone. */
		parts_tool_call(parts, id.data ? id : json_get(item, SLICE("id")),
				name.data ? name : json_get(item, SLICE("type")), json_get(item, rule->arguments));
		break;
	case ITEM_RESULT:
		output = json_get(item, SLICE("output"));
		parts_tool_result(parts, id, output.data ? output : json_get(item, SLICE("tools")));
		break;
	case ITEM_OTHER:
		parts_other(parts, item);
		break;
	}
}

static struct item_rule item_rule_of(struct slice item)
{
	struct slice type = json_get(item, SLICE("type"));

	if (!type.data && json_get(item, SLICE("role")).data)
		return item_rules[0]; /* the short form of a message */
	for (size_t i = 0; i < ARRAY_SIZE(item_rules); i++)
		if (json_text_is(type, item_rules[i].type))
			return item_rules[i];
	for (size_t i = 0; i < ARRAY_SIZE(client_rules); i++)
		if (json_text_is(type, client_rules[i].type) &&
		    json_text_is(json_get(item, SLICE("execution")), SLICE("client")))
			return client_rules[i];
	return (struct item_rule){ .is = ITEM_OTHER, .is_foreign = true };
}

static bool is_told(struct slice content)
{
	return json_type(content) == JSON_STRING || (json_type(content) == JSON_ARRAY && json_count(content));
}

/* @reason: of an answer; a call ends its message as such, whatever the status says. */
static void items_put(struct parts *parts, struct slice items, bool has_reason, struct slice reason)
{
	json_foreach_element(item, items) {
		struct item_rule rule = item_rule_of(item.value);

		parts->is_foreign |= rule.is_foreign;
		if (rule.is == ITEM_REASONING && !is_told(json_get(item.value, SLICE("summary"))) &&
		    !is_told(json_get(item.value, SLICE("content"))))
			continue; /* encrypted thoughts are no message */
		parts_message_open(parts, item_role(item.value, &rule));
		item_put(parts, item.value, &rule);
		parts_message_close(parts, has_reason, rule.is == ITEM_CALL ? SLICE("tool_call") : reason);
	}
}

/* ---- request ---- */

enum { ASK_INPUT, ASK_INSTRUCTIONS, ASK_TOOLS, ASK_TEXT, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_INPUT] = SLICE("input"),
	[ASK_INSTRUCTIONS] = SLICE("instructions"),
	[ASK_TOOLS] = SLICE("tools"),
	[ASK_TEXT] = SLICE("text"),
};

static void request_messages(struct call *call, struct responses *responses, const struct slice *ask)
{
	struct parts parts;

	if (ask[ASK_INSTRUCTIONS].data) {
		parts_init_asked(&parts, call, ask[ASK_INSTRUCTIONS]);
		openai_content(&parts, ask[ASK_INSTRUCTIONS]);
		call->system_instructions = parts_finish(&parts);
	}
	parts_init_asked(&parts, call, ask[ASK_INPUT]);
	if (json_type(ask[ASK_INPUT]) == JSON_STRING) {
		parts_text_message(&parts, SLICE("user"), ask[ASK_INPUT]);
	} else if (json_type(ask[ASK_INPUT]) == JSON_ARRAY) {
		items_put(&parts, ask[ASK_INPUT], false, SLICE_NONE);
	}
	call->input_messages = parts_finish(&parts);
	responses->is_foreign |= parts.is_foreign;
}

static void request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };

	call->operation = is_fetch(call->method, call->path) ? OPERATION_FETCH : OPERATION_CHAT;
	for (size_t i = 0; i < ARRAY_SIZE(other_paths); i++)
		if (path_ends(call->path, other_paths[i].end))
			call->operation = other_paths[i].operation;
	if (request_open(call, "openai")) {
		PICK(json_trim(call->request_body), ask_names, ask);
		request_messages(call, state, ask);
		call->tools = tools_from_responses(call, ask[ASK_TOOLS], ask[ASK_INPUT]);
		call->output_type = openai_output_type(json_get(ask[ASK_TEXT], SLICE("format")), SLICE_NONE);
	}
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

/* ---- answer ---- */

enum { GOT_STATUS, GOT_INCOMPLETE, GOT_OUTPUT, GOT_USAGE, GOT_ERROR, GOT_CONVERSATION, _GOT_MAX };
static const struct slice got_names[_GOT_MAX] = {
	[GOT_STATUS] = SLICE("status"), [GOT_INCOMPLETE] = SLICE("incomplete_details"),
	[GOT_OUTPUT] = SLICE("output"), [GOT_USAGE] = SLICE("usage"),
	[GOT_ERROR] = SLICE("error"),   [GOT_CONVERSATION] = SLICE("conversation"),
};

#define IN  SLICE("input_tokens_details")
#define OUT SLICE("output_tokens_details")
static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("prompt_tokens"), offsetof(struct usage, input) }, /* some serving endpoints */
	{ {}, SLICE("completion_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
	{ IN, SLICE("cached_tokens"), offsetof(struct usage, cache_read) },
	{ IN, SLICE("cache_write_tokens"), offsetof(struct usage, cache_write) },
	{ IN, SLICE("audio_tokens"), offsetof(struct usage, input_audio) },
	{ IN, SLICE("image_tokens"), offsetof(struct usage, input_image) },
	{ OUT, SLICE("reasoning_tokens"), offsetof(struct usage, reasoning) },
	{ OUT, SLICE("audio_tokens"), offsetof(struct usage, output_audio) },
	{ OUT, SLICE("image_tokens"), offsetof(struct usage, output_image) },
};

/* The call that made the answer has counted its tokens. */
static void usage_put(struct call *call, struct slice usage)
{
	if (json_type(usage) != JSON_OBJECT || call->operation == OPERATION_FETCH)
		return;
	call->usage_raw = usage;
	openai_cost_read(call, usage);
	usage_read(&call->usage, usage, usage_rules, ARRAY_SIZE(usage_rules));
}

static void answer_read(struct call *call, struct responses *responses, struct slice answer)
{
	struct slice got[_GOT_MAX] = { 0 }, reason;
	struct parts parts;

	PICK(answer, got_names, got);
	openai_answer_head(call, answer);
	if (call->operation == OPERATION_COUNT_TOKENS)
		return;
	reason = call_text(call, json_get(got[GOT_INCOMPLETE], SLICE("reason")));
	if (!reason.len)
		reason = call_text(call, got[GOT_STATUS]);
	finish_add(call, reason);
	usage_put(call, got[GOT_USAGE]);
	if (json_type(got[GOT_ERROR]) == JSON_OBJECT && !call->has_error)
		error_read(call, got[GOT_ERROR], true);
	if (!call->session_id.len)
		call->session_id = call_text(call, json_get(got[GOT_CONVERSATION], SLICE("id")));
	if (json_type(got[GOT_OUTPUT]) != JSON_ARRAY)
		return;
	parts_init(&parts, call, got[GOT_OUTPUT]);
	items_put(&parts, got[GOT_OUTPUT], true, reason);
	if (call->operation == OPERATION_CHAT)
		steps_from_items(call, got[GOT_OUTPUT]);
	call->output_messages = parts_finish(&parts);
	responses->is_foreign |= parts.is_foreign;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct responses *responses = state;

	return response_stream_event(call, &responses->stream, part);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, state, answer);
}

static void finish(struct call *call, void *state)
{
	struct responses *responses = state;
	struct response_stream *stream = &responses->stream;
	struct slice ask[_ASK_MAX] = { 0 };

	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
	if (stream->base.data || stream->final.data || stream->first) {
		call->outputs = response_stream_object(call, stream);
		call_lost(call, call->outputs.data);
		answer_read(call, responses, call->outputs);
		response_stream_times(call, stream);
	}
	if (!responses->is_foreign)
		return;
	if (parts_owed(call)) {
		PICK(json_trim(call->request_body), ask_names, ask);
		request_messages(call, responses, ask);
	}
	call->chat_messages = chat_messages_from_parts(call);
}

static struct slice span_name(const struct call *call)
{
	if (call->operation == OPERATION_COUNT_TOKENS)
		return SPAN_NAME(call, "Responses.input_tokens");
	if (call->operation == OPERATION_COMPACT)
		return SPAN_NAME(call, "Responses.compact");
	if (call->operation == OPERATION_FETCH)
		return SPAN_NAME(call, "Responses.retrieve");
	return SPAN_NAME(call, "Responses");
}

DIALECT(openai_responses, {
				  .name = "openai.responses",
				  .order = 11,
				  .state_size = sizeof(struct responses),
				  .keeps_chunks = true,
				  .message_format = "openai",
				  .session = &responses_session,
				  .recognise = recognise,
				  .request = request,
				  .event = event,
				  .response = response,
				  .finish = finish,
				  .span_name = span_name,
			  });
