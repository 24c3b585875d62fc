/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock.converse: Converse and ConverseStream, one format for all models of Amazon Bedrock. A content block is an object
 * with one member, whose name is its kind.
 */
#include "dialect/bedrock.h"
#include "dialect/tools.h"

static const struct slice path_models = SLICE("/model/");
static const struct slice path_once = SLICE("/converse"), path_stream = SLICE("/converse-stream");

static bool body_asks(struct slice body)
{
	static const struct slice members[] = { SLICE("messages"),
						SLICE("system"),
						SLICE("inferenceConfig"),
						SLICE("toolConfig"),
						SLICE("promptVariables"),
						SLICE("guardrailConfig"),
						SLICE("additionalModelRequestFields") };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (json_get(body, members[i]).data)
			return true;
	return false;
}

static bool is_answer(struct slice body)
{
	if (json_type(json_get(body, SLICE("delta"))) == JSON_OBJECT ||
	    json_type(json_get(body, SLICE("start"))) == JSON_OBJECT)
		return json_get(body, SLICE("contentBlockIndex")).data != NULL;
	return json_get(body, SLICE("stopReason")).data && json_path(body, "output", "message", NULL).data;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);
	bool is_ours = slice_contains(hint->path, path_models) &&
		       (path_ends(hint->path, path_once) || path_ends(hint->path, path_stream));

	if (!hint_is_post(hint))
		return 0;
	if (is_ours && !body.len && !hint->request_is_whole)
		return SCORE_PATH;
	if (is_ours && body_asks(body))
		return SCORE_SURE;
	return hint->response_body.len && is_answer(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

struct converse {
	struct converse_stream stream;
	bool is_foreign;
};

/* ---- blocks ---- */

static const struct {
	struct slice format, mime_type;
} document_types[] = {
	{ SLICE("pdf"), SLICE("application/pdf") }, { SLICE("csv"), SLICE("text/csv") },
	{ SLICE("html"), SLICE("text/html") },      { SLICE("txt"), SLICE("text/plain") },
	{ SLICE("md"), SLICE("text/markdown") },
};

static struct slice mime_type(struct call *call, struct slice modality, struct slice format)
{
	if (!slice_equal(modality, SLICE("document")))
		return arena_printf(call->arena, "%.*s/%.*s", SLICE_FMT(modality), SLICE_FMT(slice_head(format, 32)));
	for (size_t i = 0; i < ARRAY_SIZE(document_types); i++)
		if (slice_equal(format, document_types[i].format))
			return document_types[i].mime_type;
	return SLICE_NONE;
}

/* {format, source: {bytes} | {s3Location: {uri}} | {text} | {content: […]}} */
static void media_put(struct parts *parts, struct call *call, struct slice modality, struct slice media)
{
	struct slice source = json_get(media, SLICE("source"));
	struct slice bytes = json_get(source, SLICE("bytes")), text = json_get(source, SLICE("text"));
	struct slice uri = json_path(source, "s3Location", "uri", NULL);

	if (json_type(bytes) == JSON_STRING)
		parts_blob(parts, modality, mime_type(call, modality, json_raw_text(json_get(media, SLICE("format")))),
			   json_raw_text(bytes));
	else if (json_type(uri) == JSON_STRING)
		parts_url(parts, modality, uri);
	else if (json_type(text) == JSON_STRING)
		parts_text(parts, text);
	else
		parts_other(parts, media);
}

static void texts_put(struct parts *parts, struct slice list)
{
	if (json_type(list) == JSON_ARRAY)
		json_foreach_element(item, list)
			if (json_type(json_get(item.value, SLICE("text"))) == JSON_STRING)
				parts_text(parts, json_get(item.value, SLICE("text")));
}

enum block_is {
	BLOCK_TEXT,
	BLOCK_REASONING,
	BLOCK_TOOL_USE,
	BLOCK_TOOL_RESULT,
	BLOCK_MEDIA,
	BLOCK_GUARD,
	BLOCK_CITED,
	BLOCK_SKIP
};

static const struct block_rule {
	struct slice name;
	enum block_is is;
	bool is_foreign; /* MLflow's page passes it over */
} block_rules[] = {
	{ SLICE("text"), BLOCK_TEXT, false },
	{ SLICE("toolUse"), BLOCK_TOOL_USE, false },
	{ SLICE("toolResult"), BLOCK_TOOL_RESULT, false },
	{ SLICE("image"), BLOCK_MEDIA, false },
	{ SLICE("reasoningContent"), BLOCK_REASONING, false },
	{ SLICE("document"), BLOCK_MEDIA, false },
	{ SLICE("video"), BLOCK_MEDIA, true },
	{ SLICE("audio"), BLOCK_MEDIA, true },
	{ SLICE("guardContent"), BLOCK_GUARD, true },
	{ SLICE("citationsContent"), BLOCK_CITED, true },
	{ SLICE("cachePoint"), BLOCK_SKIP, false },
};

static void known_block_put(struct parts *parts, struct call *call, const struct block_rule *rule, struct slice value)
{
	struct slice text;

	switch (rule->is) {
	case BLOCK_TEXT:
		parts_text(parts, value);
		break;
	case BLOCK_REASONING:
		text = json_path(value, "reasoningText", "text", NULL);
		if (json_type(text) == JSON_STRING)
			parts_reasoning(parts, text);
		break;
	case BLOCK_TOOL_USE:
		parts_tool_call(parts, json_get(value, SLICE("toolUseId")), json_get(value, SLICE("name")),
				json_get(value, SLICE("input")));
		break;
	case BLOCK_TOOL_RESULT:
		parts_tool_result(parts, json_get(value, SLICE("toolUseId")), json_get(value, SLICE("content")));
		break;
	case BLOCK_MEDIA:
		media_put(parts, call, rule->name, value);
		break;
	case BLOCK_GUARD:
		text = json_path(value, "text", "text", NULL);
		if (json_type(text) == JSON_STRING)
			parts_text(parts, text);
		break;
	case BLOCK_CITED:
		texts_put(parts, json_get(value, SLICE("content")));
		break;
	case BLOCK_SKIP:
		break;
	}
}

static const struct block_rule *block_rule_of(struct slice name)
{
	for (size_t i = 0; i < ARRAY_SIZE(block_rules); i++)
		if (slice_equal(name, block_rules[i].name))
			return &block_rules[i];
	return NULL;
}

/* One member says what it is; what else may stand beside it does not take that away. */
static void block_put(struct parts *parts, struct call *call, struct slice block)
{
	bool has_known = false, has_other = false;

	if (json_type(block) != JSON_OBJECT)
		return;
	json_foreach_member(member, block) {
		const struct block_rule *rule = block_rule_of(member.name);

		if (json_type(member.value) == JSON_NULL)
			continue;
		has_known |= rule != NULL;
		has_other |= !rule;
		if (!rule)
			continue;
		parts->is_foreign |= rule->is_foreign;
		known_block_put(parts, call, rule, member.value);
	}
	if (has_known || !has_other)
		return;
	parts->is_foreign = true;
	parts_other(parts, block);
}

static void content_put(struct parts *parts, struct call *call, struct slice content)
{
	if (json_type(content) == JSON_ARRAY)
		json_foreach_element(block, content)
			block_put(parts, call, block.value);
}

/* ---- request ---- */

enum { ASK_MESSAGES, ASK_SYSTEM, ASK_TOOLS, ASK_INFERENCE, ASK_GUARDRAIL, ASK_OUTPUT, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_MESSAGES] = SLICE("messages"),         [ASK_SYSTEM] = SLICE("system"),
	[ASK_TOOLS] = SLICE("toolConfig"),          [ASK_INFERENCE] = SLICE("inferenceConfig"),
	[ASK_GUARDRAIL] = SLICE("guardrailConfig"), [ASK_OUTPUT] = SLICE("outputConfig"),
};

/* {toolSpec: {name, description, inputSchema: {json}}}, and tools that the provider runs itself: {systemTool: {name}} */
static struct slice tools_read(struct call *call, struct slice tools)
{
	struct out out;

	if (json_type(tools) != JSON_ARRAY)
		return SLICE_NONE;
	tools_open(&out, call, tools);
	json_foreach_element(tool, tools) {
		struct slice spec = json_get(tool.value, SLICE("toolSpec"));
		struct slice name =
			json_get(spec.data ? spec : json_get(tool.value, SLICE("systemTool")), SLICE("name"));

		if (json_type(name) != JSON_STRING)
			continue;
		tool_open(&out.buf, name, json_get(spec, SLICE("description")));
		json_member_raw(&out.buf, SLICE("parameters"), json_path(spec, "inputSchema", "json", NULL));
		tool_close(&out.buf);
	}
	return tools_close(&out);
}

static void request_particulars(struct call *call, const struct slice *ask)
{
	int64_t max_tokens;
	double number;

	if (json_int(json_get(ask[ASK_INFERENCE], SLICE("maxTokens")), &max_tokens) == 0)
		call_put_count(call, "gen_ai.request.max_tokens", max_tokens);
	if (json_double(json_get(ask[ASK_INFERENCE], SLICE("temperature")), &number) == 0)
		call_put_double(call, "gen_ai.request.temperature", number);
	if (json_double(json_get(ask[ASK_INFERENCE], SLICE("topP")), &number) == 0)
		call_put_double(call, "gen_ai.request.top_p", number);
	call_put_strings(call, "gen_ai.request.stop_sequences", json_get(ask[ASK_INFERENCE], SLICE("stopSequences")));
	call_put_text(call, "aws.bedrock.guardrail.id",
		      call_text(call, json_get(ask[ASK_GUARDRAIL], SLICE("guardrailIdentifier"))));
	if (json_text_is(json_path(ask[ASK_OUTPUT], "textFormat", "type", NULL), SLICE("json_schema")))
		call->output_type = SLICE("json");
}

static void request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct converse *converse = state;
	struct parts parts;

	call->operation = OPERATION_CHAT;
	if (!aws_request_open(call, "aws.bedrock", path_models))
		return;
	PICK(json_trim(call->request_body), ask_names, ask);
	request_particulars(call, ask);
	call->tools = tools_read(call, json_get(ask[ASK_TOOLS], SLICE("tools")));
	if (json_type(ask[ASK_SYSTEM]) == JSON_ARRAY) {
		parts_init(&parts, call, ask[ASK_SYSTEM]);
		content_put(&parts, call, ask[ASK_SYSTEM]);
		call->system_instructions = parts_finish(&parts);
	}
	if (json_type(ask[ASK_MESSAGES]) != JSON_ARRAY)
		return;
	parts_init(&parts, call, ask[ASK_MESSAGES]);
	json_foreach_element(message, ask[ASK_MESSAGES]) {
		parts_message_open(&parts, json_raw_text(json_get(message.value, SLICE("role"))));
		content_put(&parts, call, json_get(message.value, SLICE("content")));
		parts_message_close(&parts, false, SLICE_NONE);
	}
	call->input_messages = parts_finish(&parts);
	converse->is_foreign |= parts.is_foreign;
}

/* ---- answer ---- */

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("inputTokens"), offsetof(struct usage, input) },
	{ {}, SLICE("outputTokens"), offsetof(struct usage, output) },
	{ {}, SLICE("cacheReadInputTokens"), offsetof(struct usage, cache_read) },
	{ {}, SLICE("cacheWriteInputTokens"), offsetof(struct usage, cache_write) },
};

/* The wire's input counts neither what was read from a cache nor what was written to one. */
static void usage_put(struct call *call, struct slice object)
{
	struct usage *usage = &call->usage;
	struct slice details = json_get(object, SLICE("cacheDetails"));

	if (json_type(object) != JSON_OBJECT)
		return;
	call->usage_raw = object;
	usage_read(usage, object, usage_rules, ARRAY_SIZE(usage_rules));
	if (json_type(details) == JSON_ARRAY)
		json_foreach_element(item, details)
			if (json_text_is(json_get(item.value, SLICE("ttl")), SLICE("1h")))
				json_int(json_get(item.value, SLICE("inputTokens")), &usage->cache_write_1h);
	if (usage->input >= 0)
		usage->input += MAX(usage->cache_read, 0) + MAX(usage->cache_write, 0);
	usage_sum(usage);
}

static void answer_read(struct call *call, struct converse *converse, struct slice answer)
{
	struct slice message = json_path(answer, "output", "message", NULL);
	struct slice reason = call_text(call, json_get(answer, SLICE("stopReason")));
	struct parts parts;

	finish_add(call, reason);
	usage_put(call, json_get(answer, SLICE("usage")));
	call->service_tier = call_text(call, json_path(answer, "serviceTier", "type", NULL));
	if (json_type(message) != JSON_OBJECT)
		return;
	parts_init(&parts, call, message);
	parts_message_open(&parts, json_raw_text(json_get(message, SLICE("role"))));
	content_put(&parts, call, json_get(message, SLICE("content")));
	parts_message_close(&parts, reason.len, reason);
	call->output_messages = parts_finish(&parts);
	converse->is_foreign |= parts.is_foreign;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct converse *converse = state;

	return converse_stream_event(call, &converse->stream, part);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (aws_answer_open(call, &answer))
		answer_read(call, state, answer);
}

static void finish(struct call *call, void *state)
{
	struct converse *converse = state;

	call->operation = OPERATION_CHAT;
	if (!call->vendor.len)
		call->vendor = SLICE("aws.bedrock");
	if (converse->stream.events) {
		call->outputs = converse_stream_object(call, &converse->stream);
		call_lost(call, call->outputs.data);
		answer_read(call, converse, call->outputs);
	}
	if (converse->is_foreign)
		call->chat_messages = chat_messages_from_parts(call);
}

static struct slice span_name(const struct call *call)
{
	if (path_ends(call->path, path_stream) || (call->is_stream && !call->path.len))
		return SLICE("BedrockRuntime.converse_stream");
	return SLICE("BedrockRuntime.converse");
}

DIALECT(bedrock_converse, {
				  .name = "bedrock.converse",
				  .order = 60,
				  .state_size = sizeof(struct converse),
				  .keeps_chunks = true,
				  .chunk_attribute = "json",
				  .message_format = "bedrock",
				  .recognise = recognise,
				  .request = request,
				  .event = event,
				  .response = response,
				  .finish = finish,
				  .span_name = span_name,
			  });
