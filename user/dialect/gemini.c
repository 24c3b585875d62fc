/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini.generate: generateContent and its stream, at the Gemini API, on Vertex AI and behind Code Assist, which wraps both
 * sides. The model stands in the path. A stream comes as events or as one JSON array, each element an answer of its own;
 * what it adds up to is one answer again.
 */
#include "dialect/gemini.h"

static const struct slice generate_method = SLICE("generateContent");
static const struct slice stream_method = SLICE("streamGenerateContent");

/* ---- the path ---- */

struct slice gemini_method(struct slice path)
{
	size_t from = path.len;

	while (from && path.data[from - 1] != '/' && path.data[from - 1] != ':')
		from--;
	return from && path.data[from - 1] == ':' ? slice_from(path, from) : SLICE_NONE;
}

struct slice gemini_path_model(struct slice path)
{
	static const struct slice plain = SLICE("models/");
	struct slice method = gemini_method(path), name;
	size_t end = path.len - method.len - 1, from, slashes = 0;

	if (!method.len || !path.len)
		return SLICE_NONE;
	for (from = end; from && slashes < 2; from--)
		slashes += path.data[from - 1] == '/';
	if (slashes < 2)
		return SLICE_NONE;
	name = slice_head(slice_from(path, from + 1), end - from - 1);
	return slice_starts(name, plain) ? slice_from(name, plain.len) : name;
}

static bool path_is_wrapped(struct slice path)
{
	return slice_contains(path, SLICE("/v1internal:"));
}

const char *gemini_vendor(const struct call *call)
{
	if (path_is_wrapped(call->path))
		return "gcp.gen_ai";
	return slice_contains(call->path, SLICE("/projects/")) || slice_contains(call->path, SLICE("/publishers/")) ||
			       slice_starts(call->path, SLICE("/google.cloud.aiplatform."))
		       ? "gcp.vertex_ai"
		       : "gcp.gemini";
}

bool gemini_request_open(struct call *call)
{
	bool is_whole = request_open(call, gemini_vendor(call));
	struct slice model = gemini_path_model(call->path);

	if (model.len)
		call->request_model = model;
	return is_whole;
}

/* ---- recognition ---- */

static bool is_generation(struct slice body)
{
	struct json_iter first = json_iter(body);
	struct slice inner;

	if (json_type(body) == JSON_ARRAY && json_next(&first))
		body = first.value;
	inner = json_get(body, SLICE("response"));
	if (json_type(inner) == JSON_OBJECT)
		body = inner;
	if (json_path(body, "promptFeedback", "blockReason", NULL).data)
		return true;
	return json_type(json_get(body, SLICE("candidates"))) == JSON_ARRAY &&
	       (json_get(body, SLICE("usageMetadata")).data || json_get(body, SLICE("modelVersion")).data ||
		json_path(body, "candidates", "#0", "content", "parts", NULL).data);
}

/* The path was missed, and the answer is none. */
static bool is_refused(const struct dialect_hint *hint)
{
	return !hint->path.len && hint->request_is_whole && body_keys(hint->request_body) & KEY_CONTENTS &&
	       json_path(json_trim(hint->response_body), "error", "status", NULL).data;
}

/* No other service ends its paths so; the body only makes it sure. */
static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice method = gemini_method(hint->path);

	if (!hint_is_post(hint))
		return 0;
	if (slice_equal(method, generate_method) || slice_equal(method, stream_method)) {
		if (body_keys(hint->request_body) & KEY_CONTENTS || path_is_wrapped(hint->path))
			return SCORE_SURE;
		return SCORE_PATH;
	}
	if (hint->response_body.len && is_generation(json_trim(hint->response_body)))
		return SCORE_ANSWER;
	return is_refused(hint) ? SCORE_BODY : 0;
}

struct gemini {
	struct gemini_stream stream;
	bool is_foreign; /* MLflow's page cannot read it as it is */
};

/* ---- request ---- */

enum { ASK_CONTENTS, ASK_SYSTEM, ASK_SYSTEM_SNAKE, ASK_TOOLS, ASK_CONFIG, ASK_CONFIG_SNAKE, ASK_LABELS, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_CONTENTS] = SLICE("contents"),
	[ASK_SYSTEM] = SLICE("systemInstruction"),
	[ASK_SYSTEM_SNAKE] = SLICE("system_instruction"),
	[ASK_TOOLS] = SLICE("tools"),
	[ASK_CONFIG] = SLICE("generationConfig"),
	[ASK_CONFIG_SNAKE] = SLICE("generation_config"),
	[ASK_LABELS] = SLICE("labels"),
};

static const struct {
	struct slice camel, snake;
	const char *attribute;
	bool is_count;
} config_rules[] = {
	{ SLICE("maxOutputTokens"), SLICE("max_output_tokens"), "gen_ai.request.max_tokens", true },
	{ SLICE("temperature"), SLICE("temperature"), "gen_ai.request.temperature", false },
	{ SLICE("topP"), SLICE("top_p"), "gen_ai.request.top_p", false },
	{ SLICE("topK"), SLICE("top_k"), "gen_ai.request.top_k", false },
	{ SLICE("frequencyPenalty"), SLICE("frequency_penalty"), "gen_ai.request.frequency_penalty", false },
	{ SLICE("presencePenalty"), SLICE("presence_penalty"), "gen_ai.request.presence_penalty", false },
	{ SLICE("seed"), SLICE("seed"), "gen_ai.request.seed", true },
};

static struct slice output_type(struct slice config)
{
	struct slice type = gemini_get(config, SLICE("responseMimeType"), SLICE("response_mime_type"));
	struct slice modalities = gemini_get(config, SLICE("responseModalities"), SLICE("response_modalities"));

	json_foreach_element(modality, modalities) {
		if (slice_equal_nocase(json_raw_text(modality.value), SLICE("image")))
			return SLICE("image");
		if (slice_equal_nocase(json_raw_text(modality.value), SLICE("audio")))
			return SLICE("speech");
	}
	return json_text_is(type, SLICE("application/json")) ? SLICE("json") : SLICE_NONE;
}

static void config_read(struct call *call, struct slice config)
{
	int64_t count;
	double number;

	call->output_type = output_type(config);
	for (size_t i = 0; i < ARRAY_SIZE(config_rules); i++) {
		struct slice value = gemini_get(config, config_rules[i].camel, config_rules[i].snake);

		if (config_rules[i].is_count && json_int(value, &count) == 0)
			call_put_count(call, config_rules[i].attribute, count);
		else if (!config_rules[i].is_count && json_double(value, &number) == 0)
			call_put_double(call, config_rules[i].attribute, number);
	}
	call_put_strings(call, "gen_ai.request.stop_sequences",
			 gemini_get(config, SLICE("stopSequences"), SLICE("stop_sequences")));
	if (json_int(gemini_get(config, SLICE("candidateCount"), SLICE("candidate_count")), &count) == 0 && count > 1)
		call_put_count(call, "gen_ai.request.choice.count", count);
}

static void request_messages(struct call *call, struct gemini *gemini, const struct slice *ask)
{
	struct slice system = ask[ASK_SYSTEM].data ? ask[ASK_SYSTEM] : ask[ASK_SYSTEM_SNAKE];
	struct parts parts;

	if (system.data) {
		parts_init_asked(&parts, call, system);
		gemini_content_put(&parts, system);
		call->system_instructions = parts_finish(&parts);
	}
	if (ask[ASK_CONTENTS].data) {
		parts_init_asked(&parts, call, ask[ASK_CONTENTS]);
		gemini_contents_put(&parts, ask[ASK_CONTENTS]);
		call->input_messages = parts_finish(&parts);
		gemini->is_foreign |= parts.is_foreign;
	}
}

/* Code Assist has the request one level deeper. */
static struct slice request_inner(const struct call *call)
{
	struct slice body = json_trim(call->request_body), inner = json_get(body, SLICE("request"));

	return json_type(inner) == JSON_OBJECT ? inner : body;
}

static void ask_read(struct call *call, struct gemini *gemini, struct slice body)
{
	struct slice ask[_ASK_MAX] = { 0 };

	PICK(body, ask_names, ask);
	request_messages(call, gemini, ask);
	call->tools = gemini_tools(call, ask[ASK_TOOLS]);
	config_read(call, ask[ASK_CONFIG].data ? ask[ASK_CONFIG] : ask[ASK_CONFIG_SNAKE]);
	if (!call->session_id.len)
		call->session_id = call_text(call, json_get(body, SLICE("session_id")));
}

static void request(struct call *call, void *state)
{
	struct gemini *gemini = state;
	struct slice inner;

	call->operation = OPERATION_GENERATE;
	if (slice_equal(gemini_method(call->path), stream_method))
		call_put_bool(call, "gen_ai.request.stream", true);
	if (!gemini_request_open(call))
		return;
	inner = request_inner(call);
	gemini->is_foreign = inner.data != json_trim(call->request_body).data;
	ask_read(call, gemini, inner);
}

/* ---- answer ---- */

enum { GOT_CANDIDATES, GOT_USAGE, GOT_MODEL, GOT_ID, GOT_FEEDBACK, _GOT_MAX };
static const struct slice got_names[_GOT_MAX] = {
	[GOT_CANDIDATES] = SLICE("candidates"),   [GOT_USAGE] = SLICE("usageMetadata"),
	[GOT_MODEL] = SLICE("modelVersion"),      [GOT_ID] = SLICE("responseId"),
	[GOT_FEEDBACK] = SLICE("promptFeedback"),
};

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("promptTokenCount"), offsetof(struct usage, input) },
	{ {}, SLICE("candidatesTokenCount"), offsetof(struct usage, output) },
	{ {}, SLICE("totalTokenCount"), offsetof(struct usage, total) },
	{ {}, SLICE("cachedContentTokenCount"), offsetof(struct usage, cache_read) },
	{ {}, SLICE("thoughtsTokenCount"), offsetof(struct usage, reasoning) },
};

static const struct {
	struct slice list, modality;
	size_t field;
} modality_rules[] = {
	{ SLICE("promptTokensDetails"), SLICE("AUDIO"), offsetof(struct usage, input_audio) },
	{ SLICE("promptTokensDetails"), SLICE("IMAGE"), offsetof(struct usage, input_image) },
	{ SLICE("candidatesTokensDetails"), SLICE("AUDIO"), offsetof(struct usage, output_audio) },
	{ SLICE("candidatesTokensDetails"), SLICE("IMAGE"), offsetof(struct usage, output_image) },
};

static void modalities_read(struct usage *usage, struct slice object)
{
	int64_t tokens;

	for (size_t i = 0; i < ARRAY_SIZE(modality_rules); i++)
		json_foreach_element(item, json_get(object, modality_rules[i].list))
			if (json_text_is(json_get(item.value, SLICE("modality")), modality_rules[i].modality) &&
			    json_int(json_get(item.value, SLICE("tokenCount")), &tokens) == 0)
				*(int64_t *)((char *)usage + modality_rules[i].field) = tokens;
}

/* The wire counts what tools put into the prompt, and thoughts, apart from prompt and candidates. */
static void usage_put(struct call *call, struct slice object)
{
	struct usage *usage = &call->usage;
	int64_t tokens;

	if (json_type(object) != JSON_OBJECT)
		return;
	call->usage_raw = object;
	usage_read(usage, object, usage_rules, ARRAY_SIZE(usage_rules));
	modalities_read(usage, object);
	if (json_int(json_get(object, SLICE("toolUsePromptTokenCount")), &tokens) == 0 && tokens > 0)
		usage->input = MAX(usage->input, 0) + tokens;
	if (usage->reasoning > 0)
		usage->output = MAX(usage->output, 0) + usage->reasoning;
	/* Counts of nothing are left out: what was blocked wrote nothing. */
	if (usage->output < 0 && usage->input >= 0 && usage->total == usage->input)
		usage->output = 0;
	call->service_tier = call_text(call, json_get(object, SLICE("serviceTier")));
}

static void answer_read(struct call *call, struct gemini *gemini, struct slice answer)
{
	struct slice got[_GOT_MAX] = { 0 }, inner = json_get(answer, SLICE("response"));
	struct parts parts;

	if (json_type(inner) == JSON_OBJECT && !json_get(answer, SLICE("candidates")).data) {
		answer = inner;
		gemini->is_foreign = true;
	}
	PICK(answer, got_names, got);
	call->response_id = call_text(call, got[GOT_ID]);
	call->response_model = call_text(call, got[GOT_MODEL]);
	usage_put(call, got[GOT_USAGE]);
	if (json_type(got[GOT_CANDIDATES]) != JSON_ARRAY) {
		finish_add(call, call_text(call, json_get(got[GOT_FEEDBACK], SLICE("blockReason"))));
		return;
	}
	parts_init(&parts, call, got[GOT_CANDIDATES]);
	gemini_candidates_read(call, &parts, got[GOT_CANDIDATES]);
	call->output_messages = parts_finish(&parts);
	gemini->is_foreign |= parts.is_foreign;
	gemini_steps_add(call, got[GOT_CANDIDATES]);
}

static enum dialect_event chunk_add(struct call *call, struct gemini *gemini, struct slice chunk)
{
	if (json_get(chunk, SLICE("error")).data) {
		error_read(call, chunk, true);
		return DIALECT_EVENT_QUIET;
	}
	return gemini_stream_add(call, &gemini->stream, chunk);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	/* Some gateways end their streams as others do. */
	if (event_is_done(part))
		return DIALECT_EVENT_END;
	return event_open(call, part) ? chunk_add(call, state, json_trim(part->data)) : DIALECT_EVENT_QUIET;
}

static void response(struct call *call, void *state)
{
	struct slice answer, body = json_trim(call->response_body);

	if (answer_open(call, &answer))
		answer_read(call, state, answer);
	else if (call->status < 400 && json_type(body) == JSON_ARRAY && !call->outputs_is_text)
		/* A stream whose pieces came all at once. */
		json_foreach_element(chunk, body)
			if (json_type(chunk.value) == JSON_OBJECT)
				chunk_add(call, state, chunk.value);
}

static void finish(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct gemini *gemini = state;

	if (call->operation == OPERATION_UNKNOWN) {
		call->operation = OPERATION_GENERATE;
		call->vendor = slice_of(gemini_vendor(call));
	}
	if (gemini->stream.chunks) {
		call->outputs = gemini_stream_object(call, &gemini->stream);
		call_lost(call, call->outputs.data);
		answer_read(call, gemini, call->outputs);
	}
	if (!gemini->is_foreign)
		return;
	if (parts_owed(call)) {
		PICK(request_inner(call), ask_names, ask);
		request_messages(call, gemini, ask);
	}
	call->chat_messages = chat_messages_from_parts(call);
}

/* Both clients of the SDK say the same of themselves. The asynchronous one mostly sends by another library, which writes
 * its own fields behind those of the caller. */
static bool is_async(const struct call *call)
{
	bool has_agent = false;

	for (size_t i = 0; i < call->request_header_count; i++) {
		const struct name_value *header = &call->request_headers[i];

		if (slice_equal(header->name, SLICE("user-agent")))
			has_agent = slice_starts(header->value, SLICE("google-genai-sdk/"));
		else if (slice_equal(header->name, SLICE("accept")))
			return has_agent;
	}
	return false;
}

struct slice gemini_span_name(const struct call *call, struct slice name)
{
	return is_async(call) ? name : slice_from(name, SLICE("Async").len);
}

static struct slice span_name(const struct call *call)
{
	if (slice_equal(gemini_method(call->path), stream_method) || call->is_stream)
		return gemini_span_name(call, SLICE("AsyncModels.generate_content_stream"));
	return gemini_span_name(call, SLICE("AsyncModels.generate_content"));
}

DIALECT(gemini_generate, {
				 .name = "gemini.generate",
				 .order = 40,
				 .state_size = sizeof(struct gemini),
				 .message_format = "gemini",
				 .recognise = recognise,
				 .request = request,
				 .event = event,
				 .response = response,
				 .finish = finish,
				 .span_name = span_name,
			 });
