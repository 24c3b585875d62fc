/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic.messages: the Messages API, at Anthropic, on Vertex, on Bedrock's mantle and at all who are compatible; and the
 * counting of tokens beside it, which is an operation of its own and uses none.
 */
#include "dialect/anthropic.h"
#include "dialect/openai.h"
#include "dialect/steps.h"
#include "dialect/tools.h"

static const struct slice count_path = SLICE("/messages/count_tokens");
/* On Vertex AI the publisher's name stands in the path, and counting is a model. */
static const struct slice vertex_models = SLICE("/publishers/anthropic/models/");

static bool path_counts(struct slice path)
{
	return path_ends(path, count_path) || slice_equal(path_part(path, vertex_models), SLICE("count-tokens"));
}

static const struct path_rule rules[] = {
	{ "/messages", .any = KEY_MODEL | KEY_MAX_TOKENS | KEY_SYSTEM | KEY_MESSAGES, .all = KEY_MESSAGES,
	  .none = KEY_JSONRPC },
	{ "/messages/count_tokens", .any = KEY_MESSAGES, .alone = true },
	{ ":rawPredict", .any = KEY_VERSION },
	{ ":streamRawPredict", .any = KEY_VERSION },
	{ "/invocations", .any = KEY_VERSION },
};

static bool is_answer(struct slice body)
{
	struct slice type = json_raw_text(json_get(body, SLICE("type")));

	if (slice_equal(type, SLICE("message")))
		return json_type(json_get(body, SLICE("content"))) == JSON_ARRAY && json_get(body, SLICE("role")).data;
	if (slice_equal(type, SLICE("message_start")))
		return json_get(body, SLICE("message")).data != NULL;
	return (slice_equal(type, SLICE("content_block_start")) || slice_equal(type, SLICE("content_block_delta"))) &&
	       json_get(body, SLICE("index")).data;
}

static bool is_refusal(struct slice body)
{
	return json_text_is(json_get(body, SLICE("type")), SLICE("error")) &&
	       json_type(json_get(body, SLICE("error"))) == JSON_OBJECT;
}

static const struct signature signature = { rules, ARRAY_SIZE(rules), is_answer };
static const struct refusal refusal = { .asked = { .all = KEY_MESSAGES | KEY_MAX_TOKENS, .none = KEY_JSONRPC },
					.answer = is_refusal };

static unsigned recognise(const struct dialect_hint *hint)
{
	bool is_named = false;

	for (size_t i = 0; i < hint->header_count; i++)
		is_named |= slice_equal(hint->headers[i].name, SLICE("anthropic-version"));
	/* The path alone is common; with this header it is enough. */
	if (is_named && path_ends(hint->path, SLICE("/messages")) && !hint->request_body.len && !hint->request_is_whole)
		return SCORE_PATH;
	if (slice_equal(hint->method, SLICE("POST")) && slice_contains(hint->path, vertex_models) &&
	    !hint->request_body.len && !hint->request_is_whole)
		return SCORE_PATH;
	return signature_score(&signature, hint) ?: refusal_score(&refusal, hint);
}

struct messages {
	struct message_stream stream;
	bool is_foreign;
};

/* ---- blocks ---- */

enum block_is { BLOCK_TEXT, BLOCK_THINKING, BLOCK_TOOL_USE, BLOCK_TOOL_RESULT, BLOCK_MEDIA, BLOCK_OTHER };

static const struct block_rule {
	struct slice type;
	enum block_is is;
	struct slice modality;
	bool is_foreign;
} block_rules[] = {
	{ SLICE("text"), BLOCK_TEXT, {}, false },
	{ SLICE("thinking"), BLOCK_THINKING, {}, false },
	{ SLICE("tool_use"), BLOCK_TOOL_USE, {}, false },
	{ SLICE("tool_result"), BLOCK_TOOL_RESULT, {}, false },
	{ SLICE("image"), BLOCK_MEDIA, SLICE("image"), false },
	{ SLICE("document"), BLOCK_MEDIA, SLICE("document"), true },
};

/* source: {type:base64,media_type,data}, {type:url,url}, {type:file,file_id}, {type:text,data}, {type:content,…} */
static void media_put(struct parts *parts, struct slice modality, struct slice block)
{
	struct slice source = json_get(block, SLICE("source"));
	struct slice data = json_get(source, SLICE("data")), url = json_get(source, SLICE("url"));
	struct slice file = json_get(source, SLICE("file_id"));

	if (file.data)
		parts_file(parts, file);
	else if (url.data)
		parts_url(parts, modality, url);
	else if (json_text_is(json_get(source, SLICE("type")), SLICE("base64")))
		parts_blob(parts, modality, json_raw_text(json_get(source, SLICE("media_type"))), json_raw_text(data));
	else if (json_type(data) == JSON_STRING)
		parts_text(parts, data);
	else
		parts_other(parts, block);
}

static void block_put(struct parts *parts, struct slice block)
{
	struct slice type = json_get(block, SLICE("type"));
	struct block_rule rule = { .is = BLOCK_OTHER, .is_foreign = true };

	for (size_t i = 0; i < ARRAY_SIZE(block_rules); i++)
		if (json_text_is(type, block_rules[i].type))
			rule = block_rules[i];
	parts->is_foreign |= rule.is_foreign;
	switch (rule.is) {
	case BLOCK_TEXT:
		parts_text(parts, json_get(block, SLICE("text")));
		break;
	case BLOCK_THINKING:
		parts_reasoning(parts, json_get(block, SLICE("thinking")));
		break;
	case BLOCK_TOOL_USE:
		parts_tool_call(parts, json_get(block, SLICE("id")), json_get(block, SLICE("name")),
				json_get(block, SLICE("input")));
		break;
	case BLOCK_TOOL_RESULT:
		parts_tool_result(parts, json_get(block, SLICE("tool_use_id")), json_get(block, SLICE("content")));
		break;
	case BLOCK_MEDIA:
		media_put(parts, rule.modality, block);
		break;
	case BLOCK_OTHER:
		parts_other(parts, block);
		break;
	}
}

static void content_put(struct parts *parts, struct slice content)
{
	if (json_type(content) == JSON_STRING)
		parts_text(parts, content);
	else if (json_type(content) == JSON_ARRAY)
		json_foreach_element(block, content)
			block_put(parts, block.value);
}

/* ---- request ---- */

enum { ASK_MESSAGES, ASK_SYSTEM, ASK_TOOLS, ASK_OUTPUT, ASK_OUTPUT_FORMAT, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_MESSAGES] = SLICE("messages"),
	[ASK_SYSTEM] = SLICE("system"),
	[ASK_TOOLS] = SLICE("tools"),
	[ASK_OUTPUT] = SLICE("output_config"),
	[ASK_OUTPUT_FORMAT] = SLICE("output_format"),
};

/* Claude Code's first block of the system prompt is none: a line for billing, other in each request. */
static bool block_is_billing(struct slice block)
{
	return slice_starts(json_raw_text(json_get(block, SLICE("text"))), SLICE("x-anthropic-billing-header:"));
}

static void system_put(struct parts *parts, struct slice system)
{
	if (json_type(system) != JSON_ARRAY) {
		content_put(parts, system);
		return;
	}
	json_foreach_element(block, system)
		if (!block_is_billing(block.value))
			block_put(parts, block.value);
}

static void request_messages(struct call *call, struct messages *messages, const struct slice *ask)
{
	struct parts parts;

	if (ask[ASK_SYSTEM].data) {
		parts_init_asked(&parts, call, ask[ASK_SYSTEM]);
		system_put(&parts, ask[ASK_SYSTEM]);
		call->system_instructions = parts_finish(&parts);
	}
	if (json_type(ask[ASK_MESSAGES]) != JSON_ARRAY)
		return;
	parts_init_asked(&parts, call, ask[ASK_MESSAGES]);
	json_foreach_element(message, ask[ASK_MESSAGES]) {
		parts_message_open(&parts, json_raw_text(json_get(message.value, SLICE("role"))));
		content_put(&parts, json_get(message.value, SLICE("content")));
		parts_message_close(&parts, false, SLICE_NONE);
	}
	call->input_messages = parts_finish(&parts);
	messages->is_foreign |= parts.is_foreign;
}

static void request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 }, format;

	call->operation = path_counts(call->path) ? OPERATION_COUNT_TOKENS : OPERATION_CHAT;
	if (request_open(call, "anthropic")) {
		PICK(json_trim(call->request_body), ask_names, ask);
		request_messages(call, state, ask);
		call->tools = tools_from_messages(call, ask[ASK_TOOLS]);
		format = json_get(ask[ASK_OUTPUT], SLICE("format"));
		call->output_type = openai_output_type(format.data ? format : ask[ASK_OUTPUT_FORMAT], SLICE_NONE);
	}
	if (!call->request_model.len)
		call->request_model = path_part(call->path, vertex_models);
}

/* ---- answer ---- */

enum { GOT_ID, GOT_MODEL, GOT_ROLE, GOT_CONTENT, GOT_STOP, GOT_USAGE, _GOT_MAX };
static const struct slice got_names[_GOT_MAX] = {
	[GOT_ID] = SLICE("id"),           [GOT_MODEL] = SLICE("model"),      [GOT_ROLE] = SLICE("role"),
	[GOT_CONTENT] = SLICE("content"), [GOT_STOP] = SLICE("stop_reason"), [GOT_USAGE] = SLICE("usage"),
};

#define TTL SLICE("cache_creation")
static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("cache_read_input_tokens"), offsetof(struct usage, cache_read) },
	{ {}, SLICE("cache_creation_input_tokens"), offsetof(struct usage, cache_write) },
	{ TTL, SLICE("ephemeral_1h_input_tokens"), offsetof(struct usage, cache_write_1h) },
	{ SLICE("output_tokens_details"), SLICE("thinking_tokens"), offsetof(struct usage, reasoning) },
	{ SLICE("server_tool_use"), SLICE("web_search_requests"), offsetof(struct usage, searches) },
};

/* Fields that the iterations of an answer add up to. */
static const size_t summed_fields[] = {
	offsetof(struct usage, input),       offsetof(struct usage, output),         offsetof(struct usage, cache_read),
	offsetof(struct usage, cache_write), offsetof(struct usage, cache_write_1h),
};

/* What the top level says is of the model that was asked alone: an adviser's or a compaction's tokens stand only in
 * the list of iterations, beside the others. */
static void iterations_add(struct usage *usage, struct slice iterations)
{
	struct usage sum = USAGE_NONE;

	if (json_type(iterations) != JSON_ARRAY)
		return;
	json_foreach_element(item, iterations) {
		struct usage one = USAGE_NONE;

		usage_read(&one, item.value, usage_rules, ARRAY_SIZE(usage_rules));
		for (size_t i = 0; i < ARRAY_SIZE(summed_fields); i++) {
			int64_t *into = (int64_t *)((char *)&sum + summed_fields[i]);
			int64_t more = *(int64_t *)((char *)&one + summed_fields[i]);

			if (more >= 0 && more < INT64_MAX - MAX(*into, 0))
				*into = MAX(*into, 0) + more;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(summed_fields); i++) {
		int64_t *into = (int64_t *)((char *)usage + summed_fields[i]);

		*into = MAX(*into, *(int64_t *)((char *)&sum + summed_fields[i]));
	}
}

/* The wire's input counts neither what was read from a cache nor what was written to one. */
static void usage_put(struct call *call, struct slice object)
{
	struct usage *usage = &call->usage;

	if (json_type(object) != JSON_OBJECT)
		return;
	call->usage_raw = object;
	usage_read(usage, object, usage_rules, ARRAY_SIZE(usage_rules));
	iterations_add(usage, json_get(object, SLICE("iterations")));
	if (usage->input >= 0)
		usage->input += MAX(usage->cache_read, 0) + MAX(usage->cache_write, 0);
	usage_sum(usage);
	call->service_tier = call_text(call, json_get(object, SLICE("service_tier")));
}

static void answer_read(struct call *call, struct messages *messages, struct slice answer)
{
	struct slice got[_GOT_MAX] = { 0 }, reason;
	struct parts parts;

	PICK(answer, got_names, got);
	call->response_id = call_text(call, got[GOT_ID]);
	call->response_model = call_text(call, got[GOT_MODEL]);
	if (call->operation == OPERATION_COUNT_TOKENS)
		return;
	reason = call_text(call, got[GOT_STOP]);
	finish_add(call, reason);
	usage_put(call, got[GOT_USAGE]);
	if (json_type(got[GOT_CONTENT]) != JSON_ARRAY)
		return;
	parts_init(&parts, call, got[GOT_CONTENT]);
	parts_message_open(&parts, json_raw_text(got[GOT_ROLE]));
	content_put(&parts, got[GOT_CONTENT]);
	steps_from_blocks(call, got[GOT_CONTENT]);
	parts_message_close(&parts, true, reason);
	call->output_messages = parts_finish(&parts);
	messages->is_foreign |= parts.is_foreign;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct messages *messages = state;

	return message_stream_event(call, &messages->stream, part);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, state, answer);
}

static void finish(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct messages *messages = state;

	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
	if (messages->stream.message.count || messages->stream.first) {
		call->outputs = message_stream_object(call, &messages->stream);
		call_lost(call, call->outputs.data);
		answer_read(call, messages, call->outputs);
		message_stream_times(call, &messages->stream);
	}
	if (!messages->is_foreign)
		return;
	if (parts_owed(call)) {
		PICK(json_trim(call->request_body), ask_names, ask);
		request_messages(call, messages, ask);
	}
	call->chat_messages = chat_messages_from_parts(call);
}

static struct slice span_name(const struct call *call)
{
	if (call->operation == OPERATION_COUNT_TOKENS)
		return SPAN_NAME(call, "Messages.count_tokens");
	return SPAN_NAME(call, "Messages.create");
}

DIALECT(anthropic_messages, {
				    .name = "anthropic.messages",
				    .order = 30,
				    .state_size = sizeof(struct messages),
				    .message_format = "anthropic",
				    .recognise = recognise,
				    .request = request,
				    .event = event,
				    .response = response,
				    .finish = finish,
				    .span_name = span_name,
			    });
