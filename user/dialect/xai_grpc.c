/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xai.grpc: xAI's chat service, as its own SDK speaks to it. Each piece of a stream repeats id, model and usage and adds to
 * the outputs that it names by index; so the answer is the last of each with the outputs put together. An output may be what
 * the service did with tools of its own: that is told as steps.
 */
#include "dialect/gather.h"
#include "dialect/grpc.h"
#include "dialect/parts.h"
#include "dialect/xai_proto.h"

enum { OUTPUTS_MAX = 256, STEPS_MAX = 256 };

static const struct grpc_method methods[] = {
	{ SLICE("/xai_api.Chat/GetCompletion"), &xai_request, &xai_answer, OPERATION_CHAT },
	{ SLICE("/xai_api.Chat/GetCompletionChunk"), &xai_request, &xai_chunk, OPERATION_CHAT },
};

static unsigned recognise(const struct dialect_hint *hint)
{
	return grpc_score(methods, ARRAY_SIZE(methods), hint);
}

struct output {
	struct output *next;
	int64_t index;
	struct slice role, reason; /* raw JSON */
	struct pieces content, reasoning, encrypted;
	struct pieces tool_calls, citations; /* insides of arrays */
};

enum {
	HEAD_ID,
	HEAD_CREATED,
	HEAD_MODEL,
	HEAD_FINGERPRINT,
	HEAD_USAGE,
	HEAD_CITATIONS,
	HEAD_FILES,
	HEAD_TIER,
	_HEAD_MAX
};
static const struct slice head_names[_HEAD_MAX] = {
	[HEAD_ID] = SLICE("id"),
	[HEAD_CREATED] = SLICE("created"),
	[HEAD_MODEL] = SLICE("model"),
	[HEAD_FINGERPRINT] = SLICE("systemFingerprint"),
	[HEAD_USAGE] = SLICE("usage"),
	[HEAD_CITATIONS] = SLICE("citations"),
	[HEAD_FILES] = SLICE("outputFiles"),
	[HEAD_TIER] = SLICE("serviceTier"),
};

struct xai {
	bool is_chunked; /* the method is the streaming one */
	bool has_pieces;
	struct slice head[_HEAD_MAX]; /* the newest of each */
	struct output *first, *last, *recent;
	size_t count; /* of outputs */
	size_t step_count;
};

/* ---- request ---- */

enum { MSG_CONTENT, MSG_ROLE, MSG_TOOL_CALLS, MSG_REASONING, MSG_TOOL_ID, _MSG_MAX };
static const struct slice message_names[_MSG_MAX] = {
	[MSG_CONTENT] = SLICE("content"),      [MSG_ROLE] = SLICE("role"),
	[MSG_TOOL_CALLS] = SLICE("toolCalls"), [MSG_REASONING] = SLICE("reasoningContent"),
	[MSG_TOOL_ID] = SLICE("toolCallId"),
};

/* "ROLE_USER" is what others call "user". */
static struct slice role_of(struct call *call, struct slice role)
{
	struct slice word = json_raw_text(role);

	if (!slice_starts(word, SLICE("ROLE_")))
		return SLICE("assistant");
	word = arena_dup_lower(call->arena, slice_from(word, SLICE("ROLE_").len));
	call_lost(call, word.data);
	return word;
}

static void file_put(struct parts *parts, struct slice file)
{
	struct slice id = json_get(file, SLICE("fileId")), data = json_get(file, SLICE("data"));

	if (id.data)
		parts_file(parts, id);
	else if (data.data)
		parts_blob(parts, SLICE("document"), json_raw_text(json_get(file, SLICE("mimeType"))),
			   json_raw_text(data));
	else
		parts_url(parts, SLICE("document"), json_get(file, SLICE("url")));
}

static void content_put(struct parts *parts, struct slice content)
{
	struct slice text = json_get(content, SLICE("text")), image = json_get(content, SLICE("imageUrl"));
	struct slice file = json_get(content, SLICE("file")), url = json_get(image, SLICE("imageUrl"));

	if (text.data)
		parts_text(parts, text);
	else if (url.data)
		parts_url(parts, SLICE("image"), url);
	else if (image.data)
		parts_file(parts, json_get(image, SLICE("fileId")));
	else if (file.data)
		file_put(parts, file);
}

/* Calls of tools that the service runs itself are steps, not the client's to answer. */
static bool is_clients(struct slice tool_call)
{
	struct slice type = json_get(tool_call, SLICE("type"));

	return !type.data || json_text_is(type, SLICE("TOOL_CALL_TYPE_CLIENT_SIDE_TOOL"));
}

static void tool_calls_put(struct parts *parts, struct slice calls)
{
	json_foreach_element(item, calls)
		if (is_clients(item.value))
			parts_function_call(parts, item.value);
}

static void asked_put(struct call *call, struct parts *parts, struct slice message)
{
	struct slice got[_MSG_MAX] = { 0 };

	PICK(message, message_names, got);
	parts_message_open(parts, role_of(call, got[MSG_ROLE]));
	if (json_text_is(got[MSG_ROLE], SLICE("ROLE_TOOL"))) {
		json_foreach_element(content, got[MSG_CONTENT])
			parts_tool_result(parts, got[MSG_TOOL_ID], json_get(content.value, SLICE("text")));
	} else {
		if (json_raw_text(got[MSG_REASONING]).len)
			parts_reasoning(parts, got[MSG_REASONING]);
		json_foreach_element(content, got[MSG_CONTENT])
			content_put(parts, content.value);
		tool_calls_put(parts, got[MSG_TOOL_CALLS]);
	}
	parts_message_close(parts, false, SLICE_NONE);
}

/* {"function":{…}} is the client's; {"webSearch":{}} is known by its name alone. */
static struct slice tools_of(struct call *call, struct slice tools)
{
	struct out out;

	if (json_type(tools) != JSON_ARRAY)
		return SLICE_NONE;
	out_init(&out, call->arena, tools.len + 64);
	json_open(&out.buf, '[');
	json_foreach_element(tool, tools) {
		struct json_iter kind = json_iter(tool.value);
		struct slice schema;

		if (!json_next(&kind))
			continue;
		schema = call_text(call, json_get(kind.value, SLICE("parameters")));
		json_open(&out.buf, '{');
		json_member_text(&out.buf, SLICE("type"), SLICE("function"));
		json_put_name(&out.buf, SLICE("function"));
		json_open(&out.buf, '{');
		if (slice_equal(kind.name, SLICE("function"))) {
			json_member_raw(&out.buf, SLICE("name"), json_get(kind.value, SLICE("name")));
			json_member_raw(&out.buf, SLICE("description"), json_get(kind.value, SLICE("description")));
			if (json_check(schema, JSON_DEPTH_MAX) == 0)
				json_member_raw(&out.buf, SLICE("parameters"), json_trim(schema));
		} else {
			json_member_text(&out.buf, SLICE("name"), kind.name);
		}
		json_close(&out.buf, '}');
		json_close(&out.buf, '}');
	}
	json_close(&out.buf, ']');
	return out_slice(&out);
}

/* Parameters whose names differ from everybody's. */
static void params_put(struct call *call, struct slice ask)
{
	static const struct {
		struct slice name;
		const char *attribute;
	} reals[] = {
		{ SLICE("topP"), "gen_ai.request.top_p" },
		{ SLICE("frequencyPenalty"), "gen_ai.request.frequency_penalty" },
		{ SLICE("presencePenalty"), "gen_ai.request.presence_penalty" },
	};
	int64_t count;
	double real;

	if (json_int(json_get(ask, SLICE("maxTokens")), &count) == 0)
		call_put_count(call, "gen_ai.request.max_tokens", count);
	for (size_t i = 0; i < ARRAY_SIZE(reals); i++)
		if (json_double(json_get(ask, reals[i].name), &real) == 0)
			call_put_double(call, reals[i].attribute, real);
}

static void request(struct call *call, void *state)
{
	struct slice ask, messages, format;
	struct xai *xai = state;
	struct parts parts;

	call->operation = OPERATION_CHAT;
	xai->is_chunked = path_ends(call->path, SLICE("Chunk"));
	if (!grpc_request_open(call, &xai_request, "x_ai"))
		return;
	ask = call->request_body;
	params_put(call, ask);
	if (xai->is_chunked)
		call_put_bool(call, "gen_ai.request.stream", true);
	call->tools = tools_of(call, json_get(ask, SLICE("tools")));
	format = json_raw_text(json_path(ask, "responseFormat", "formatType", NULL));
	call->output_type = slice_starts(format, SLICE("FORMAT_TYPE_JSON")) ? SLICE("json") : SLICE_NONE;
	messages = json_get(ask, SLICE("messages"));
	if (json_type(messages) != JSON_ARRAY)
		return;
	parts_init(&parts, call, messages);
	json_foreach_element(message, messages)
		asked_put(call, &parts, message.value);
	call->input_messages = parts_finish(&parts);
}

/* ---- a stream ---- */

static bool list_add(struct call *call, struct pieces *pieces, struct slice list)
{
	if (json_type(list) != JSON_ARRAY || json_count(list) == 0)
		return false;
	elements_gather(call, pieces, (struct slice){ list.data + 1, list.len - 2 });
	return true;
}

enum { SAY_CONTENT, SAY_ROLE, SAY_TOOL_CALLS, SAY_REASONING, SAY_ENCRYPTED, SAY_CITATIONS, _SAY_MAX };
static const struct slice say_names[_SAY_MAX] = {
	[SAY_CONTENT] = SLICE("content"),
	[SAY_ROLE] = SLICE("role"),
	[SAY_TOOL_CALLS] = SLICE("toolCalls"),
	[SAY_REASONING] = SLICE("reasoningContent"),
	[SAY_ENCRYPTED] = SLICE("encryptedContent"),
	[SAY_CITATIONS] = SLICE("citations"),
};

static bool output_add(struct call *call, struct xai *xai, struct slice piece)
{
	struct slice got[_SAY_MAX] = { 0 };
	struct output *output;
	bool has_content;
	int64_t index = 0;

	json_int(json_get(piece, SLICE("index")), &index);
	output = ITEM_GATHER(call, xai, index, OUTPUTS_MAX);
	if (!output)
		return false;
	PICK(json_get(piece, SLICE("delta")), say_names, got);
	has_content = text_gather(call, &output->content, got[SAY_CONTENT]);
	has_content |= text_gather(call, &output->reasoning, got[SAY_REASONING]);
	has_content |= list_add(call, &output->tool_calls, got[SAY_TOOL_CALLS]);
	text_gather(call, &output->encrypted, got[SAY_ENCRYPTED]);
	list_add(call, &output->citations, got[SAY_CITATIONS]);
	call_lost(call, slice_hold(call->arena, &output->role, got[SAY_ROLE]));
	call_lost(call, slice_hold(call->arena, &output->reason, json_get(piece, SLICE("finishReason"))));
	return has_content;
}

static bool chunk_add(struct call *call, struct xai *xai, struct slice chunk)
{
	struct slice head[_HEAD_MAX] = { 0 };
	bool has_content = false;

	xai->has_pieces = true;
	PICK(chunk, head_names, head);
	for (size_t i = 0; i < _HEAD_MAX; i++)
		call_lost(call, slice_hold(call->arena, &xai->head[i], head[i]));
	json_foreach_element(piece, json_get(chunk, SLICE("outputs")))
		has_content |= output_add(call, xai, piece.value);
	return has_content;
}

static void text_put(struct buf *out, struct slice name, const struct pieces *pieces)
{
	if (pieces->len)
		pieces_member_text(out, name, pieces);
}

static void list_put(struct buf *out, struct slice name, const struct pieces *pieces)
{
	if (pieces->len)
		pieces_member_list(out, name, pieces);
}

static void output_put(struct buf *out, const struct output *output)
{
	json_open(out, '{');
	json_member_raw(out, SLICE("finishReason"), output->reason);
	if (output->index)
		json_member_int(out, SLICE("index"), output->index);
	json_put_name(out, SLICE("message"));
	json_open(out, '{');
	text_put(out, SLICE("content"), &output->content);
	json_member_raw(out, SLICE("role"), output->role);
	list_put(out, SLICE("toolCalls"), &output->tool_calls);
	text_put(out, SLICE("reasoningContent"), &output->reasoning);
	text_put(out, SLICE("encryptedContent"), &output->encrypted);
	list_put(out, SLICE("citations"), &output->citations);
	json_close(out, '}');
	json_close(out, '}');
}

/* The answer that would have come at once. */
static struct slice answer_of(struct call *call, const struct xai *xai)
{
	size_t guess = 256;
	struct out out;

	for (size_t i = 0; i < _HEAD_MAX; i++)
		guess += xai->head[i].len + 24;
	for (const struct output *output = xai->first; output; output = output->next)
		guess += output->content.len + output->reasoning.len + output->encrypted.len + output->tool_calls.len +
			 output->citations.len + 200;
	out_init(&out, call->arena, guess);
	json_open(&out.buf, '{');
	json_member_raw(&out.buf, head_names[HEAD_ID], xai->head[HEAD_ID]);
	json_put_name(&out.buf, SLICE("outputs"));
	json_open(&out.buf, '[');
	for (const struct output *output = xai->first; output; output = output->next)
		output_put(&out.buf, output);
	json_close(&out.buf, ']');
	for (size_t i = HEAD_ID + 1; i < _HEAD_MAX; i++)
		json_member_raw(&out.buf, head_names[i], xai->head[i]);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct xai *xai = state;
	struct slice json = grpc_json(call, xai->is_chunked ? &xai_chunk : &xai_answer, part->data);

	if (xai->is_chunked)
		return chunk_add(call, xai, json) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
	if (json.data)
		call->outputs = json;
	return DIALECT_EVENT_CONTENT;
}

/* ---- answer ---- */

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("promptTokens"), offsetof(struct usage, input) },
	{ {}, SLICE("completionTokens"), offsetof(struct usage, output) },
	{ {}, SLICE("totalTokens"), offsetof(struct usage, total) },
	{ {}, SLICE("reasoningTokens"), offsetof(struct usage, reasoning) },
	{ {}, SLICE("cachedPromptTextTokens"), offsetof(struct usage, cache_read) },
	{ {}, SLICE("promptImageTokens"), offsetof(struct usage, input_image) },
	{ {}, SLICE("numSourcesUsed"), offsetof(struct usage, searches) },
};

/* Completion tokens are counted without the reasoning that came before them. */
static void usage_of(struct call *call, struct slice told)
{
	struct usage *usage = &call->usage;
	int64_t ticks;

	if (json_type(told) != JSON_OBJECT)
		return;
	call->usage_raw = told;
	usage_read(usage, told, usage_rules, ARRAY_SIZE(usage_rules));
	if (usage->input < 0)
		usage->input = 0; /* a zero is not on the wire */
	if (usage->output < 0)
		usage->output = 0;
	if (usage->reasoning > 0 && usage->total == usage->input + usage->output + usage->reasoning)
		usage->output += usage->reasoning;
	if (json_int(json_get(told, SLICE("costInUsdTicks")), &ticks) == 0 && ticks >= 0)
		call->cost_told_nano = ticks / 10 + (ticks % 10 >= 5);
}

/* The provider's word, and what the convention calls it. */
static struct slice neutral_reason(struct slice reason)
{
	static const struct {
		struct slice word, neutral;
	} words[] = {
		{ SLICE("REASON_STOP"), SLICE("stop") },         { SLICE("REASON_TOOL_CALLS"), SLICE("tool_calls") },
		{ SLICE("REASON_MAX_LEN"), SLICE("length") },    { SLICE("REASON_MAX_CONTEXT"), SLICE("length") },
		{ SLICE("REASON_TIME_LIMIT"), SLICE("length") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (slice_equal(reason, words[i].word))
			return words[i].neutral;
	return reason;
}

/* A step is told twice, when it begins and with what came of it: the later one completes the former. */
static struct call_step *step_of(struct call *call, struct xai *xai, struct slice id)
{
	struct call_step *step;

	for (step = call->steps; step && id.len; step = step->next)
		if (slice_equal(step->id, id))
			return step;
	if (xai->step_count >= STEPS_MAX)
		return NULL;
	step = call_add_step(call);
	call_lost(call, step);
	xai->step_count++;
	return step;
}

static void step_put(struct call *call, struct xai *xai, struct slice tool_call, struct slice result)
{
	struct slice arguments = json_path(tool_call, "function", "arguments", NULL), text;
	struct call_step *step = step_of(call, xai, call_text(call, json_get(tool_call, SLICE("id"))));

	if (!step)
		return;
	step->operation =
		json_text_is(json_get(tool_call, SLICE("type")), SLICE("TOOL_CALL_TYPE_COLLECTIONS_SEARCH_TOOL"))
			? OPERATION_RETRIEVAL
			: OPERATION_TOOL;
	step->id = call_text(call, json_get(tool_call, SLICE("id")));
	step->name = call_text(call, json_path(tool_call, "function", "name", NULL));
	text = call_text(call, arguments);
	step->inputs = json_check(text, JSON_DEPTH_MAX) == 0 ? text : arguments;
	if (json_raw_text(result).len)
		step->outputs = result;
	step->has_failed = json_text_is(json_get(tool_call, SLICE("status")), SLICE("TOOL_CALL_STATUS_FAILED"));
	step->error = call_text(call, json_get(tool_call, SLICE("errorMessage")));
}

/* What the model said; outputs that hold nothing but steps are no message. */
static void said_put(struct call *call, struct xai *xai, struct parts *parts, struct slice output)
{
	struct slice got[_SAY_MAX] = { 0 }, reason = call_text(call, json_get(output, SLICE("finishReason")));
	bool is_result, has_words;

	PICK(json_get(output, SLICE("message")), say_names, got);
	is_result = json_text_is(got[SAY_ROLE], SLICE("ROLE_TOOL"));
	has_words = !is_result && (json_raw_text(got[SAY_CONTENT]).len || json_raw_text(got[SAY_REASONING]).len);
	finish_add(call, reason);
	json_foreach_element(item, got[SAY_TOOL_CALLS]) {
		has_words = has_words || is_clients(item.value);
		if (!is_clients(item.value))
			step_put(call, xai, item.value, is_result ? got[SAY_CONTENT] : SLICE_NONE);
	}
	if (!has_words)
		return;
	parts_message_open(parts, role_of(call, got[SAY_ROLE]));
	if (json_raw_text(got[SAY_REASONING]).len)
		parts_reasoning(parts, got[SAY_REASONING]);
	if (json_raw_text(got[SAY_CONTENT]).len)
		parts_text(parts, got[SAY_CONTENT]);
	tool_calls_put(parts, got[SAY_TOOL_CALLS]);
	parts_message_close(parts, reason.len, neutral_reason(reason));
}

static void answer_read(struct call *call, struct xai *xai, struct slice answer)
{
	struct slice outputs = json_get(answer, SLICE("outputs"));
	struct parts parts;

	call->response_id = call_text(call, json_get(answer, SLICE("id")));
	call->response_model = call_text(call, json_get(answer, SLICE("model")));
	call->system_fingerprint = call_text(call, json_get(answer, SLICE("systemFingerprint")));
	usage_of(call, json_get(answer, SLICE("usage")));
	parts_init(&parts, call, outputs);
	json_foreach_element(output, outputs)
		said_put(call, xai, &parts, output.value);
	call->output_messages = parts_finish(&parts);
}

static void finish(struct call *call, void *state)
{
	struct xai *xai = state;

	call->operation = OPERATION_CHAT;
	if (!call->vendor.len)
		call->vendor = SLICE("x_ai");
	grpc_status_read(call);
	call->is_stream |= xai->has_pieces; /* of one piece, too */
	if (xai->has_pieces) {
		call->outputs = answer_of(call, xai);
		call_lost(call, call->outputs.data);
	}
	if (call->outputs.data)
		answer_read(call, xai, call->outputs);
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return path_ends(call->path, SLICE("Chunk")) ? SLICE("Chat.stream") : SLICE("Chat.sample");
}

DIALECT(xai_grpc, {
			  .name = "xai.grpc",
			  .order = 70,
			  .state_size = sizeof(struct xai),
			  .recognise = recognise,
			  .request = request,
			  .event = event,
			  .response = no_step,
			  .finish = finish,
			  .span_name = span_name,
		  });
