/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dashscope.*: the own format of Alibaba Cloud Model Studio (Qwen): a service stands in the path, what is asked in "input",
 * how in "parameters", the answer in "output". dashscope_stream.c has its streams.
 *
 *	POST …/services/aigc/text-generation/generation
 *	{"model":"qwen-plus","parameters":{"result_format":"message"},"input":{"messages":[{"role":"user","content":"Hi"}]}}
 *	{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"Hello"}}]},
 *	 "usage":{"input_tokens":9,"output_tokens":1,"total_tokens":10},"request_id":"…"}
 */
#include "dialect/dashscope.h"
#include "dialect/openai.h"
#include "dialect/retrieval.h"
#include "dialect/tools.h"

/* ---- recognition ---- */

enum kind { KIND_CHAT, KIND_APP, KIND_EMBED, KIND_RERANK };

static const struct service {
	struct slice has, ends; /* of the path */
	struct slice name;      /* as the client's library calls it */
	enum kind kind;
	bool is_generic; /* the body, or the answer, must show more */
} services[] = {
	{ {}, SLICE("/aigc/text-generation/generation"), SLICE("Generation"), KIND_CHAT, false },
	{ {}, SLICE("/aigc/multimodal-generation/generation"), SLICE("MultiModalConversation"), KIND_CHAT, false },
	{ SLICE("/apps/"), SLICE("/completion"), SLICE("Application"), KIND_APP, true },
	{ {}, SLICE("/embeddings/text-embedding/text-embedding"), SLICE("TextEmbedding"), KIND_EMBED, false },
	{ {},
	  SLICE("/embeddings/multimodal-embedding/multimodal-embedding"),
	  SLICE("MultiModalEmbedding"),
	  KIND_EMBED,
	  false },
	{ {}, SLICE("/rerank/text-rerank/text-rerank"), SLICE("TextReRank"), KIND_RERANK, false },
};

static const struct service *service_of(struct slice path, enum kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (services[i].kind == kind && slice_contains(path, services[i].has) &&
		    path_ends(path, services[i].ends))
			return &services[i];
	return NULL;
}

/* The first of its kind gives the name where no path is known. */
static struct slice service_name(const struct call *call, enum kind kind)
{
	const struct service *service = service_of(call->path, kind);

	for (size_t i = 0; i < ARRAY_SIZE(services) && !service; i++)
		if (services[i].kind == kind)
			service = &services[i];
	return service->name;
}

static bool is_answer(struct slice body, enum kind kind)
{
	struct slice output = json_get(body, SLICE("output"));

	if (json_type(output) != JSON_OBJECT || json_type(json_get(body, SLICE("request_id"))) != JSON_STRING)
		return false;
	switch (kind) {
	case KIND_CHAT:
		return json_path(output, "choices", "#0", "message", NULL).data ||
		       (json_get(output, SLICE("text")).data && json_get(output, SLICE("finish_reason")).data &&
			!json_get(output, SLICE("session_id")).data);
	case KIND_APP:
		return json_get(output, SLICE("text")).data && json_get(output, SLICE("session_id")).data;
	case KIND_EMBED:
		return json_path(output, "embeddings", "#0", "embedding", NULL).data;
	case KIND_RERANK:
		return json_path(output, "results", "#0", "relevance_score", NULL).data;
	}
	return false;
}

static unsigned score(const struct dialect_hint *hint, enum kind kind)
{
	const struct service *service = service_of(hint->path, kind);
	struct slice body = json_trim(hint->request_body);

	if (!hint_is_post(hint))
		return 0;
	if (service && json_type(json_get(body, SLICE("input"))) == JSON_OBJECT &&
	    (!service->is_generic || json_get(body, SLICE("parameters")).data))
		return SCORE_SURE;
	if (service && !service->is_generic && !hint->request_is_whole)
		return SCORE_PATH;
	return is_answer(json_trim(hint->response_body), kind) ? SCORE_ANSWER : 0;
}

/* ---- usage and errors ---- */

#define ASKED SLICE("input_tokens_details")
#define CACHE SLICE("prompt_tokens_details")
#define MADE  SLICE("output_tokens_details")
static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
	{ {}, SLICE("image_tokens"), offsetof(struct usage, input_image) },
	{ {}, SLICE("audio_tokens"), offsetof(struct usage, input_audio) },
	{ ASKED, SLICE("image_tokens"), offsetof(struct usage, input_image) },
	{ ASKED, SLICE("audio_tokens"), offsetof(struct usage, input_audio) },
	{ ASKED, SLICE("cached_tokens"), offsetof(struct usage, cache_read) },
	{ CACHE, SLICE("cached_tokens"), offsetof(struct usage, cache_read) },
	{ CACHE, SLICE("cache_creation_input_tokens"), offsetof(struct usage, cache_write) },
	{ MADE, SLICE("reasoning_tokens"), offsetof(struct usage, reasoning) },
	{ MADE, SLICE("image_tokens"), offsetof(struct usage, output_image) },
	{ MADE, SLICE("audio_tokens"), offsetof(struct usage, output_audio) },
};
static const struct usage_rule deeper_rules[] = {
	{ SLICE("cache_creation"), SLICE("ephemeral_1h_input_tokens"), offsetof(struct usage, cache_write_1h) },
	{ SLICE("search"), SLICE("count"), offsetof(struct usage, searches) },
};

static void count_add(int64_t *sum, struct slice count)
{
	int64_t tokens;

	if (json_int(count, &tokens) == 0 && tokens >= 0 && tokens < INT64_MAX / 2 && *sum < INT64_MAX / 2)
		*sum = MAX(*sum, (int64_t)0) + tokens;
}

/* An application counts by the models that it asked; embeddings and scores have a total alone. */
static void usage_of(struct call *call, struct slice usage)
{
	struct slice models = json_get(usage, SLICE("models"));

	if (json_type(usage) != JSON_OBJECT || !json_count(usage))
		return;
	call->usage_raw = usage;
	usage_read(&call->usage, usage, usage_rules, ARRAY_SIZE(usage_rules));
	usage_read(&call->usage, json_get(usage, CACHE), &deeper_rules[0], 1);
	usage_read(&call->usage, json_get(usage, SLICE("plugins")), &deeper_rules[1], 1);
	if (json_type(models) == JSON_ARRAY)
		json_foreach_element(model, models) {
			count_add(&call->usage.input, json_get(model.value, SLICE("input_tokens")));
			count_add(&call->usage.output, json_get(model.value, SLICE("output_tokens")));
			if (!call->response_model.len)
				call->response_model = call_text(call, json_get(model.value, SLICE("model_id")));
		}
	if (call->usage.input < 0 && call->usage.output < 0)
		call->usage.input = call->usage.total;
	else if (call->usage.total < 0)
		usage_sum(&call->usage);
}

bool dashscope_failure_read(struct call *call, struct slice body, bool in_band)
{
	if (!json_raw_text(json_get(body, SLICE("code"))).len || json_get(body, SLICE("output")).data)
		return false;
	error_read(call, body, in_band);
	return true;
}

static void head_read(struct call *call, struct slice answer)
{
	call->response_id = call_text(call, json_get(answer, SLICE("request_id")));
	call->response_model = call_text(call, json_get(answer, SLICE("model")));
	usage_of(call, json_get(answer, SLICE("usage")));
}

static bool answer_begin(struct call *call, struct slice *ret)
{
	if (!answer_open(call, ret)) {
		call->response_id = call_text(call, json_get(json_trim(call->response_body), SLICE("request_id")));
		return false;
	}
	head_read(call, *ret);
	return !dashscope_failure_read(call, *ret, true);
}

/* ---- messages ---- */

static const struct slice media[] = { SLICE("image"), SLICE("audio"), SLICE("video"), SLICE("file") };

/* An address, an object that has it or the bytes, or the frames of a video. */
static void media_put(struct parts *parts, struct slice modality, struct slice value)
{
	struct slice data = json_get(value, SLICE("data"));

	if (json_type(value) == JSON_ARRAY)
		json_foreach_element(frame, value)
			parts_url(parts, SLICE("image"), frame.value);
	else if (json_raw_text(data).len)
		parts_blob(parts, modality, SLICE_NONE, json_raw_text(data));
	else
		parts_url(parts, modality, json_type(value) == JSON_OBJECT ? json_get(value, SLICE("url")) : value);
}

/* A block has no type but the name of its member; those that have one are as elsewhere. */
static void block_put(struct parts *parts, struct slice block)
{
	struct slice text = json_get(block, SLICE("text"));
	bool is_known = false;

	if (json_type(block) != JSON_OBJECT || json_get(block, SLICE("type")).data) {
		openai_content(parts, block);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(media); i++) {
		struct slice value = json_get(block, media[i]);

		if (value.data)
			media_put(parts, media[i], value);
		is_known |= value.data != NULL;
	}
	if (json_raw_text(text).len)
		parts_text(parts, text);
	else if (!is_known && !text.data)
		parts_other(parts, block);
}

static void content_put(struct parts *parts, struct slice content)
{
	if (json_type(content) == JSON_ARRAY)
		json_foreach_element(block, content)
			block_put(parts, block.value);
	else
		openai_content(parts, content);
}

static void message_put(struct parts *parts, struct slice message, struct slice reason)
{
	struct slice role = json_raw_text(json_get(message, SLICE("role")));
	struct slice content = json_get(message, SLICE("content")), tools = json_get(message, SLICE("tool_calls"));
	struct slice reasoning = json_get(message, SLICE("reasoning_content"));

	parts_message_open(parts, role);
	if (slice_equal(role, SLICE("tool"))) {
		parts_tool_result(parts, json_get(message, SLICE("tool_call_id")), content);
	} else {
		if (json_raw_text(reasoning).len)
			parts_reasoning(parts, reasoning);
		content_put(parts, content);
		if (json_type(tools) == JSON_ARRAY)
			json_foreach_element(tool, tools)
				parts_function_call(parts, tool.value);
	}
	parts_message_close(parts, reason.len, reason);
}

/* ---- chat and applications: the request ---- */

static const struct {
	struct slice name;
	const char *attribute;
	bool is_count;
} parameter_rules[] = {
	{ SLICE("max_tokens"), "gen_ai.request.max_tokens", true },
	{ SLICE("temperature"), "gen_ai.request.temperature", false },
	{ SLICE("top_p"), "gen_ai.request.top_p", false },
	{ SLICE("top_k"), "gen_ai.request.top_k", false },
	{ SLICE("presence_penalty"), "gen_ai.request.presence_penalty", false },
	{ SLICE("seed"), "gen_ai.request.seed", true },
};

static void parameters_read(struct call *call, struct dashscope_stream *stream, struct slice parameters)
{
	int64_t count;
	double number;

	call->tools = tools_from_chat(call, json_get(parameters, SLICE("tools")), SLICE_NONE);
	call->output_type = openai_output_type(json_get(parameters, SLICE("response_format")),
					       json_get(parameters, SLICE("modalities")));
	stream->is_glued = json_is_true(json_get(parameters, SLICE("incremental_output")));
	for (size_t i = 0; i < ARRAY_SIZE(parameter_rules); i++) {
		struct slice value = json_get(parameters, parameter_rules[i].name);

		if (parameter_rules[i].is_count && json_int(value, &count) == 0)
			call_put_count(call, parameter_rules[i].attribute, count);
		else if (!parameter_rules[i].is_count && json_double(value, &number) == 0)
			call_put_double(call, parameter_rules[i].attribute, number);
	}
	if (json_int(json_get(parameters, SLICE("n")), &count) == 0 && count > 1) {
		call_put_count(call, "gen_ai.request.choice.count", count);
		stream->is_many = true;
	}
}

/* Messages, and a prompt behind them; speech is made of a text. */
static void input_read(struct call *call, struct slice input)
{
	struct slice messages = json_get(input, SLICE("messages")), images = json_get(input, SLICE("image_list"));
	struct slice prompt = json_get(input, SLICE("prompt")), text = json_get(input, SLICE("text"));
	struct parts parts;

	parts_init(&parts, call, input);
	if (json_type(messages) == JSON_ARRAY)
		json_foreach_element(message, messages)
			message_put(&parts, message.value, SLICE_NONE);
	else if (!prompt.data && json_type(text) == JSON_STRING)
		prompt = text;
	if (prompt.data) {
		parts_message_open(&parts, SLICE("user"));
		content_put(&parts, prompt);
		if (json_type(images) == JSON_ARRAY)
			json_foreach_element(image, images)
				parts_url(&parts, SLICE("image"), image.value);
		parts_message_close(&parts, false, SLICE_NONE);
	}
	call->input_messages = parts_finish(&parts);
	if (!messages.data && text.data && slice_equal(json_raw_text(prompt), json_raw_text(text))) {
		call->operation = OPERATION_SPEECH;
		call->output_type = SLICE("speech");
	}
}

static void ask(struct call *call, void *state, enum call_operation operation)
{
	struct slice body = json_trim(call->request_body);

	call->operation = operation;
	if (!request_open(call, "dashscope"))
		return;
	parameters_read(call, state, json_get(body, SLICE("parameters")));
	input_read(call, json_get(body, SLICE("input")));
}

static void chat_request(struct call *call, void *state)
{
	ask(call, state, OPERATION_CHAT);
}

static void app_request(struct call *call, void *state)
{
	struct slice session = json_path(json_trim(call->request_body), "input", "session_id", NULL);

	ask(call, state, OPERATION_AGENT);
	call_put_text(call, "gen_ai.agent.id", path_part(call->path, SLICE("/apps/")));
	if (!call->session_id.len)
		call->session_id = call_text(call, session);
}

/* ---- chat and applications: the answer ---- */

/* Plugins, tools and searches that an application used on its way. */
static void thoughts_read(struct call *call, struct slice thoughts)
{
	if (json_type(thoughts) != JSON_ARRAY)
		return;
	json_foreach_element(thought, thoughts) {
		struct slice name = json_get(thought.value, SLICE("action_name"));
		struct slice observation = json_get(thought.value, SLICE("observation"));
		struct call_step *step = observation.data ? call_add_step(call) : NULL;

		if (!step)
			continue;
		step->operation = OPERATION_TOOL;
		step->name = call_text(call, name);
		step->inputs = json_get(thought.value, SLICE("action_input"));
		step->outputs = observation;
	}
}

/* A reason that says "null" is none yet. */
static struct slice reason_of(struct call *call, struct slice reason)
{
	return json_text_is(reason, SLICE("null")) ? SLICE_NONE : call_text(call, reason);
}

/* result_format "text", applications, speech. */
static void plain_put(struct call *call, struct parts *parts, struct slice output)
{
	struct slice text = json_get(output, SLICE("text")), audio = json_get(output, SLICE("audio"));
	struct slice reason = reason_of(call, json_get(output, SLICE("finish_reason")));

	if (!text.data && !audio.data)
		return;
	finish_add(call, reason);
	parts_message_open(parts, SLICE("assistant"));
	if (json_type(text) == JSON_STRING)
		parts_text(parts, text);
	if (json_type(audio) == JSON_OBJECT)
		media_put(parts, SLICE("audio"), audio);
	parts_message_close(parts, reason.len, reason);
}

static void output_read(struct call *call, struct slice output)
{
	struct slice choices = json_get(output, SLICE("choices"));
	struct slice session = call_text(call, json_get(output, SLICE("session_id")));
	struct parts parts;

	parts_init(&parts, call, output);
	if (json_type(choices) == JSON_ARRAY)
		json_foreach_element(choice, choices) {
			struct slice reason = reason_of(call, json_get(choice.value, SLICE("finish_reason")));

			finish_add(call, reason);
			message_put(&parts, json_get(choice.value, SLICE("message")), reason);
		}
	else
		plain_put(call, &parts, output);
	call->output_messages = parts_finish(&parts);
	thoughts_read(call, json_get(output, SLICE("thoughts")));
	if (!call->session_id.len)
		call->session_id = session;
}

static void chat_response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_begin(call, &answer))
		output_read(call, json_get(answer, SLICE("output")));
}

static void app_response(struct call *call, void *state)
{
	chat_response(call, state);
}

static enum dialect_event chat_event(struct call *call, void *state, const struct message_part *part)
{
	return dashscope_stream_event(call, state, part);
}

static void chat_end(struct call *call, struct dashscope_stream *stream)
{
	if (stream->has_begun) {
		call->outputs = dashscope_stream_object(call, stream);
		call_lost(call, call->outputs.data);
		head_read(call, call->outputs);
		output_read(call, json_get(call->outputs, SLICE("output")));
	} else if (stream->id.data && !call->response_id.len) {
		call->response_id = call_text(call, stream->id);
	}
	chat_messages_put(call);
}

static void chat_finish(struct call *call, void *state)
{
	if (!call->vendor.len)
		chat_request(call, state);
	chat_end(call, state);
}

static void app_finish(struct call *call, void *state)
{
	if (!call->vendor.len)
		app_request(call, state);
	chat_end(call, state);
}

/* ---- embeddings ---- */

static void embed_request(struct call *call, void *state)
{
	call->operation = OPERATION_EMBEDDINGS;
	request_open(call, "dashscope");
}

static void embed_response(struct call *call, void *state)
{
	struct slice answer, output, vector;

	if (!answer_begin(call, &answer))
		return;
	output = json_get(answer, SLICE("output"));
	vector = json_path(output, "embeddings", "#0", "embedding", NULL);
	if (!vector.data)
		vector = json_get(output, SLICE("embedding")); /* the oldest model fuses all that it is given */
	if (json_type(vector) == JSON_ARRAY)
		call_put_count(call, "gen_ai.embeddings.dimension.count", (int64_t)json_count(vector));
}

static void embed_finish(struct call *call, void *state)
{
	if (!call->vendor.len)
		embed_request(call, state);
}

/* ---- scores ---- */

static const struct retrieval shape = { .vendor = "dashscope" };

static struct slice text_of(struct slice value)
{
	struct slice text = json_get(value, SLICE("text"));

	return json_type(value) == JSON_OBJECT && text.data ? text : value;
}

static void rerank_request(struct call *call, void *state)
{
	call->operation = OPERATION_RERANK;
	if (request_open(call, "dashscope"))
		call_put_text(
			call, "gen_ai.retrieval.query.text",
			call_text(call, text_of(json_path(json_trim(call->request_body), "input", "query", NULL))));
}

/* The request's documents by their place, so that a score finds its own without a walk. */
static struct slice *documents_of(struct call *call, size_t *ret_count)
{
	struct slice body = json_trim(call->request_body), asked = json_path(body, "input", "documents", NULL);
	size_t count = json_check(body, JSON_DEPTH_MAX) == 0 && json_type(asked) == JSON_ARRAY ? json_count(asked) : 0;
	struct slice *list = count ? arena_alloc(call->arena, count * sizeof(*list)) : NULL;

	call_lost(call, list || !count);
	*ret_count = 0;
	if (list)
		json_foreach_element(document, asked)
			if (*ret_count < count)
				list[(*ret_count)++] = document.value;
	return list;
}

static void rerank_response(struct call *call, void *state)
{
	struct slice answer, results, *asked;
	struct documents documents;
	size_t count;

	if (!answer_begin(call, &answer))
		return;
	results = json_path(answer, "output", "results", NULL);
	if (json_type(results) != JSON_ARRAY)
		return;
	asked = documents_of(call, &count);
	documents_open(&documents, call, &shape, results.len);
	json_foreach_element(result, results) {
		struct document document = {
			.id = json_get(result.value, SLICE("index")),
			.score = json_get(result.value, SLICE("relevance_score")),
			.text = json_get(result.value, SLICE("document")),
			.whole = result.value,
			.without = { SLICE("relevance_score"), SLICE("document") },
		};
		int64_t index = -1;

		if (!document.text.data && json_int(document.id, &index) == 0 && index >= 0 && (uint64_t)index < count)
			document.text = asked[index];
		document.text = text_of(document.text);
		documents_add(&documents, &document);
	}
	documents_close(&documents);
}

static void rerank_finish(struct call *call, void *state)
{
	if (!call->vendor.len)
		rerank_request(call, state);
}

/* A dialect of one kind of service. */
#define SERVICE(tag, its_kind, ...)                                                                                    \
	static unsigned tag##_recognise(const struct dialect_hint *hint)                                               \
	{                                                                                                              \
		return score(hint, its_kind);                                                                          \
	}                                                                                                              \
	static struct slice tag##_span_name(const struct call *call)                                                   \
	{                                                                                                              \
		return service_name(call, its_kind);                                                                   \
	}                                                                                                              \
	DIALECT(dashscope_##tag, { .recognise = tag##_recognise,                                                       \
				   .request = tag##_request,                                                           \
				   .response = tag##_response,                                                         \
				   .finish = tag##_finish,                                                             \
				   .span_name = tag##_span_name,                                                       \
				   __VA_ARGS__ })
#define STREAMED .state_size = sizeof(struct dashscope_stream), .event = chat_event

SERVICE(chat, KIND_CHAT, .name = "dashscope.chat", .order = 85, STREAMED);
SERVICE(app, KIND_APP, .name = "dashscope.app", .order = 86, STREAMED);
SERVICE(embed, KIND_EMBED, .name = "dashscope.embed", .order = 87, .event = no_event);
SERVICE(rerank, KIND_RERANK, .name = "dashscope.rerank", .order = 88, .event = no_event);
