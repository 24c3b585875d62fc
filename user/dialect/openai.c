/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content blocks differ by type alone, so a table says for each type what it is and in which member it stands. Compatible
 * hosts add types of their own (Mistral's thinking and document_url); they are rows like the others.
 */
#include "dialect/openai.h"
#include "dialect/vendors.h"

enum block_is { BLOCK_TEXT, BLOCK_REASONING, BLOCK_URL, BLOCK_AUDIO, BLOCK_FILE };

static const struct block_rule {
	struct slice type;
	enum block_is is;
	struct slice member;
	struct slice modality;
	bool is_foreign;
} block_rules[] = {
	{ SLICE("text"), BLOCK_TEXT, SLICE("text"), {}, false },
	{ SLICE("input_text"), BLOCK_TEXT, SLICE("text"), {}, false },
	{ SLICE("output_text"), BLOCK_TEXT, SLICE("text"), {}, false },
	{ SLICE("refusal"), BLOCK_TEXT, SLICE("refusal"), {}, true },
	{ SLICE("summary_text"), BLOCK_REASONING, SLICE("text"), {}, false },
	{ SLICE("reasoning_text"), BLOCK_REASONING, SLICE("text"), {}, false },
	{ SLICE("thinking"), BLOCK_REASONING, SLICE("thinking"), {}, true },
	{ SLICE("image_url"), BLOCK_URL, SLICE("image_url"), SLICE("image"), false },
	{ SLICE("input_image"), BLOCK_URL, SLICE("image_url"), SLICE("image"), false },
	{ SLICE("video_url"), BLOCK_URL, SLICE("video_url"), SLICE("video"), true },
	{ SLICE("audio_url"), BLOCK_URL, SLICE("audio_url"), SLICE("audio"), true },
	{ SLICE("document_url"), BLOCK_URL, SLICE("document_url"), SLICE("document"), true },
	{ SLICE("input_audio"), BLOCK_AUDIO, SLICE("input_audio"), SLICE("audio"), false },
	{ SLICE("file"), BLOCK_FILE, SLICE("file"), SLICE("document"), true },
	{ SLICE("input_file"), BLOCK_FILE, {}, SLICE("document"), true },
};

static void reasoning_block(struct parts *parts, struct slice value)
{
	if (json_type(value) != JSON_ARRAY) {
		parts_reasoning(parts, value);
		return;
	}
	json_foreach_element(item, value)
		parts_reasoning(parts, json_get(item.value, SLICE("text")));
}

static void url_block(struct parts *parts, struct slice modality, struct slice block, struct slice value)
{
	struct slice id = json_get(block, SLICE("file_id"));

	if (json_type(value) == JSON_OBJECT)
		value = json_get(value, SLICE("url"));
	if (!value.data && id.data)
		parts_file(parts, id);
	else
		parts_url(parts, modality, value);
}

static void audio_block(struct parts *parts, struct slice value)
{
	struct slice format = json_raw_text(json_get(value, SLICE("format")));
	struct slice mime_type = arena_printf(parts->arena, "audio/%.*s", SLICE_FMT(slice_head(format, 32)));

	parts_blob(parts, SLICE("audio"), mime_type, json_raw_text(json_get(value, SLICE("data"))));
}

static void file_block(struct parts *parts, struct slice block, struct slice value)
{
	struct slice holder = value.data ? value : block;
	struct slice id = json_get(holder, SLICE("file_id"));
	struct slice url = json_get(holder, SLICE("file_url"));
	struct slice data = json_get(holder, SLICE("file_data"));

	if (id.data)
		parts_file(parts, id);
	else if (url.data || data.data)
		parts_url(parts, SLICE("document"), url.data ? url : data);
	else
		parts_other(parts, block);
}

static void block_put(struct parts *parts, struct slice block)
{
	struct slice type = json_get(block, SLICE("type"));
	const struct block_rule *rule = NULL;
	struct slice value;

	for (size_t i = 0; i < ARRAY_SIZE(block_rules) && !rule; i++)
		if (json_text_is(type, block_rules[i].type))
			rule = &block_rules[i];
	if (!rule) {
		if (json_type(block) == JSON_STRING)
			parts_text(parts, block);
		else
			parts_other(parts, block);
		parts->is_foreign = true;
		return;
	}
	parts->is_foreign |= rule->is_foreign;
	value = json_get(block, rule->member);
	switch (rule->is) {
	case BLOCK_TEXT:
		parts_text(parts, value);
		break;
	case BLOCK_REASONING:
		reasoning_block(parts, value);
		break;
	case BLOCK_URL:
		url_block(parts, rule->modality, block, value);
		break;
	case BLOCK_AUDIO:
		audio_block(parts, value);
		break;
	case BLOCK_FILE:
		file_block(parts, block, value);
		break;
	}
}

void openai_content(struct parts *parts, struct slice content)
{
	if (json_type(content) == JSON_STRING) {
		if (json_raw_text(content).len)
			parts_text(parts, content);
		return;
	}
	if (json_type(content) == JSON_ARRAY)
		json_foreach_element(block, content)
			block_put(parts, block.value);
	else if (json_type(content) == JSON_OBJECT)
		block_put(parts, content);
}

enum {
	MSG_ROLE,
	MSG_CONTENT,
	MSG_REFUSAL,
	MSG_TOOL_CALLS,
	MSG_FUNCTION_CALL,
	MSG_TOOL_CALL_ID,
	MSG_NAME,
	MSG_AUDIO,
	MSG_REASONING_CONTENT,
	MSG_REASONING,
	MSG_REASONING_TEXT,
	MSG_THINKING,
	MSG_REASONING_DETAILS,
	_MSG_MAX
};
static const struct slice message_names[_MSG_MAX] = {
	[MSG_ROLE] = SLICE("role"),
	[MSG_CONTENT] = SLICE("content"),
	[MSG_REFUSAL] = SLICE("refusal"),
	[MSG_TOOL_CALLS] = SLICE("tool_calls"),
	[MSG_FUNCTION_CALL] = SLICE("function_call"),
	[MSG_TOOL_CALL_ID] = SLICE("tool_call_id"),
	[MSG_NAME] = SLICE("name"),
	[MSG_AUDIO] = SLICE("audio"),
	[MSG_REASONING_CONTENT] = SLICE("reasoning_content"),
	[MSG_REASONING] = SLICE("reasoning"),
	[MSG_REASONING_TEXT] = SLICE("reasoning_text"),
	[MSG_THINKING] = SLICE("thinking"),
	[MSG_REASONING_DETAILS] = SLICE("reasoning_details"),
};

static void tool_calls_put(struct parts *parts, struct slice tool_calls)
{
	if (json_type(tool_calls) != JSON_ARRAY)
		return;
	json_foreach_element(item, tool_calls) {
		struct slice custom = json_get(item.value, SLICE("custom"));
		struct slice function = json_get(item.value, SLICE("function"));

		parts->is_foreign |= custom.data != NULL;
		parts_tool_call(
			parts, json_get(item.value, SLICE("id")),
			json_get(custom.data ? custom : function, SLICE("name")),
			json_get(custom.data ? custom : function, custom.data ? SLICE("input") : SLICE("arguments")));
	}
}

/* What a model said besides its content. Hosts name the reasoning differently; the first that is there counts. */
static void said_put(struct parts *parts, const struct slice *got)
{
	struct slice audio = json_get(got[MSG_AUDIO], SLICE("data"));
	struct slice transcript = json_get(got[MSG_AUDIO], SLICE("transcript"));

	if (json_raw_text(got[MSG_REFUSAL]).len)
		parts_text(parts, got[MSG_REFUSAL]);
	if (transcript.data)
		parts_text(parts, transcript);
	if (audio.data)
		parts_blob(parts, SLICE("audio"), SLICE_NONE, json_raw_text(audio));
	tool_calls_put(parts, got[MSG_TOOL_CALLS]);
	if (json_raw_text(json_get(got[MSG_FUNCTION_CALL], SLICE("name"))).len)
		parts_tool_call(parts, SLICE_NONE, json_get(got[MSG_FUNCTION_CALL], SLICE("name")),
				json_get(got[MSG_FUNCTION_CALL], SLICE("arguments")));
}

/* The details repeat what another member says, an object for each piece: {"type":"reasoning.text","text":…}, …summary. */
static void thoughts_put(struct parts *parts, const struct slice *got)
{
	for (size_t i = MSG_REASONING_CONTENT; i <= MSG_THINKING; i++)
		if (json_raw_text(got[i]).len) {
			parts_reasoning(parts, got[i]);
			return;
		}
	if (json_type(got[MSG_REASONING_DETAILS]) != JSON_ARRAY)
		return;
	json_foreach_element(item, got[MSG_REASONING_DETAILS]) {
		struct slice text = json_get(item.value, SLICE("text"));

		if (!text.data)
			text = json_get(item.value, SLICE("summary"));
		if (json_raw_text(text).len)
			parts_reasoning(parts, text);
	}
}

void openai_message(struct parts *parts, struct slice message, bool has_reason, struct slice reason)
{
	struct slice got[_MSG_MAX] = { 0 }, role;

	PICK(message, message_names, got);
	role = json_raw_text(got[MSG_ROLE]);
	parts_message_open(parts, role);
	if (slice_equal(role, SLICE("tool")) || slice_equal(role, SLICE("function"))) {
		parts->is_foreign |= slice_equal(role, SLICE("function"));
		parts_tool_result(parts, got[MSG_TOOL_CALL_ID].data ? got[MSG_TOOL_CALL_ID] : got[MSG_NAME],
				  got[MSG_CONTENT]);
	} else {
		parts->is_foreign |= slice_equal(role, SLICE("developer"));
		thoughts_put(parts, got);
		openai_content(parts, got[MSG_CONTENT]);
		said_put(parts, got);
	}
	parts_message_close(parts, has_reason, reason);
}

void openai_input_messages(struct call *call, struct slice messages, bool *ret_is_foreign)
{
	struct parts parts;

	if (json_type(messages) != JSON_ARRAY)
		return;
	parts_init_asked(&parts, call, messages);
	json_foreach_element(message, messages)
		openai_message(&parts, message.value, false, SLICE_NONE);
	call->input_messages = parts_finish(&parts);
	*ret_is_foreign |= parts.is_foreign;
}

void openai_chat_messages(struct call *call, bool is_foreign)
{
	if (!is_foreign)
		return;
	if (parts_owed(call))
		openai_input_messages(call, json_get(json_trim(call->request_body), SLICE("messages")), &is_foreign);
	call->chat_messages = chat_messages_from_parts(call);
}

#define CACHE  SLICE("prompt_tokens_details")
#define DETAIL SLICE("completion_tokens_details")
static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("prompt_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("completion_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
	{ {}, SLICE("prompt_cache_hit_tokens"), offsetof(struct usage, cache_read) },
	{ {}, SLICE("cached_tokens"), offsetof(struct usage, cache_read) }, /* Moonshot, Together */
	{ {},
	  SLICE("cache_read_input_tokens"),
	  offsetof(struct usage, cache_read) }, /* gateways that turn Anthropic's */
	{ {}, SLICE("cache_creation_input_tokens"), offsetof(struct usage, cache_write) },
	{ CACHE, SLICE("cached_tokens"), offsetof(struct usage, cache_read) },
	{ CACHE, SLICE("cache_write_tokens"), offsetof(struct usage, cache_write) },
	{ CACHE, SLICE("audio_tokens"), offsetof(struct usage, input_audio) },
	{ CACHE, SLICE("image_tokens"), offsetof(struct usage, input_image) },
	{ {}, SLICE("reasoning_tokens"), offsetof(struct usage, reasoning) },
	{ DETAIL, SLICE("reasoning_tokens"), offsetof(struct usage, reasoning) },
	{ DETAIL, SLICE("audio_tokens"), offsetof(struct usage, output_audio) },
	{ DETAIL, SLICE("image_tokens"), offsetof(struct usage, output_image) },
};

/* xAI counts reasoning beside completion_tokens, Mistral sound beside prompt_tokens: the total gives it away. */
static void usage_settle(struct usage *usage, struct slice object)
{
	int64_t audio, beside;

	if (usage->total < 0 || usage->input < 0 || usage->output < 0)
		return;
	beside = usage->total - usage->input - usage->output;
	if (beside <= 0)
		return;
	if (usage->reasoning == beside)
		usage->output += beside;
	else if (json_int(json_path(object, "prompt_tokens_details", "audio_tokens", NULL), &audio) == 0 &&
		 audio == beside)
		usage->input += beside;
}

/* What hosts say that it cost: dollars, dollars in an object of their parts, or ten billionths of a dollar. */
void openai_cost_read(struct call *call, struct slice usage)
{
	struct slice cost = json_get(usage, SLICE("cost")), total = json_get(cost, SLICE("total_cost"));
	double dollars;
	int64_t ticks;

	if (json_int(json_get(usage, SLICE("cost_in_usd_ticks")), &ticks) == 0 && ticks >= 0)
		call->cost_told_nano = ticks / 10 + (ticks % 10 >= 5);
	else if (json_double(total.data ? total : cost, &dollars) == 0 && dollars >= 0 && dollars < 1e9)
		call->cost_told_nano = (int64_t)(dollars * 1e9 + 0.5);
}

void openai_usage_read(struct call *call, struct slice usage)
{
	if (json_type(usage) != JSON_OBJECT)
		return;
	call->usage_raw = usage;
	openai_cost_read(call, usage);
	usage_read(&call->usage, usage, usage_rules, ARRAY_SIZE(usage_rules));
	usage_settle(&call->usage, usage);
}

enum { HEAD_ID, HEAD_MODEL, HEAD_TIER, HEAD_FINGERPRINT, _HEAD_MAX };
static const struct slice head_names[_HEAD_MAX] = {
	[HEAD_ID] = SLICE("id"),
	[HEAD_MODEL] = SLICE("model"),
	[HEAD_TIER] = SLICE("service_tier"),
	[HEAD_FINGERPRINT] = SLICE("system_fingerprint"),
};

void openai_answer_head(struct call *call, struct slice answer)
{
	struct slice *into[_HEAD_MAX] = {
		[HEAD_ID] = &call->response_id,
		[HEAD_MODEL] = &call->response_model,
		[HEAD_TIER] = &call->service_tier,
		[HEAD_FINGERPRINT] = &call->system_fingerprint,
	};
	struct slice got[_HEAD_MAX] = { 0 };

	PICK(answer, head_names, got);
	for (size_t i = 0; i < _HEAD_MAX; i++)
		if (json_raw_text(got[i]).len)
			*into[i] = call_text(call, got[i]);
	vendor_refine(call, answer);
}

void openai_chat_answer(struct call *call, struct slice answer, bool *ret_is_foreign)
{
	struct slice usage = json_get(answer, SLICE("usage")), choices = json_get(answer, SLICE("choices"));
	struct parts parts;

	openai_answer_head(call, answer);
	parts_init(&parts, call, choices);
	if (json_type(choices) == JSON_ARRAY)
		json_foreach_element(choice, choices) {
			struct slice reason = call_text(call, json_get(choice.value, SLICE("finish_reason")));

			if (!usage.data)
				usage = json_get(choice.value, SLICE("usage"));
			finish_add(call, reason);
			openai_message(&parts, json_get(choice.value, SLICE("message")), true, reason);
		}
	openai_usage_read(call, usage);
	call->output_messages = parts_finish(&parts);
	*ret_is_foreign |= parts.is_foreign;
}

void openai_completion_answer(struct call *call, struct slice answer)
{
	struct slice choices = json_get(answer, SLICE("choices"));
	struct parts parts;

	openai_answer_head(call, answer);
	openai_usage_read(call, json_get(answer, SLICE("usage")));
	parts_init(&parts, call, choices);
	if (json_type(choices) == JSON_ARRAY)
		json_foreach_element(choice, choices) {
			struct slice reason = call_text(call, json_get(choice.value, SLICE("finish_reason")));

			finish_add(call, reason);
			parts_message_open(&parts, SLICE("assistant"));
			parts_text(&parts, json_get(choice.value, SLICE("text")));
			parts_message_close(&parts, true, reason);
		}
	call->output_messages = parts_finish(&parts);
}

struct slice openai_output_type(struct slice response_format, struct slice modalities)
{
	struct slice format = json_raw_text(json_get(response_format, SLICE("type")));

	if (json_type(modalities) == JSON_ARRAY)
		json_foreach_element(modality, modalities)
			if (json_text_is(modality.value, SLICE("audio")))
				return SLICE("speech");
	if (slice_starts(format, SLICE("json")))
		return SLICE("json");
	return slice_equal(format, SLICE("text")) ? SLICE("text") : SLICE_NONE;
}

struct slice openai_path_model(const struct call *call)
{
	static const struct slice before[] = { SLICE("/deployments/"), SLICE("/serving-endpoints/"),
					       SLICE("/engines/") };
	struct slice model = SLICE_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(before) && !model.len; i++)
		model = path_part(call->path, before[i]);
	return model;
}
