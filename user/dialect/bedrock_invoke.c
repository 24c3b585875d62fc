/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock.invoke: InvokeModel and InvokeModelWithResponseStream. Bedrock hands the body through, so the format is the
 * vendor's own: where another dialect of ours reads that format it does the work (Anthropic's messages, chat completions,
 * Nova's, which is Converse's), else a table says where text, reason and counts stand. What Bedrock adds are the model in the path,
 * counts in headers, and in a stream an envelope {"bytes": base64} around each event.
 */
#include "dialect/bedrock.h"
#include "dialect/dialect.h"

static const struct slice path_models = SLICE("/model/");
static const struct slice path_once = SLICE("/invoke"), path_stream = SLICE("/invoke-with-response-stream");

static bool is_envelope(struct slice event)
{
	return json_type(json_get(event, SLICE("bytes"))) == JSON_STRING && json_count(event) <= 2;
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
	if (is_ours && json_type(body) == JSON_OBJECT)
		return SCORE_SURE;
	return hint->response_body.len && is_envelope(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

struct invoke {
	const struct dialect *inner; /* reads the vendor's format */
	void *state;                 /* its own */
	char *scratch;               /* an event without its envelope */
	size_t scratch_size;
	struct slice role, metrics, last; /* raw JSON: newest of their kind */
	struct pieces text;
	bool is_embedding, is_rerank;
};

/* ---- which format ---- */

static const struct {
	struct slice member; /* of a request, of an answer, or of an event */
	const char *dialect;
} inner_rules[] = {
	{ SLICE("anthropic_version"), "anthropic.messages" },
	{ SLICE("inferenceConfig"), "bedrock.converse" },
	{ SLICE("schemaVersion"), "bedrock.converse" },
	{ SLICE("messageStart"), "bedrock.converse" },
	{ SLICE("contentBlockDelta"), "bedrock.converse" },
	{ SLICE("output"), "bedrock.converse" },
	{ SLICE("content_block"), "anthropic.messages" },
	{ SLICE("message"), "anthropic.messages" },
	{ SLICE("delta"), "anthropic.messages" },
	{ SLICE("messages"), "openai.chat" },
	{ SLICE("choices"), "openai.chat" },
};

static void inner_choose(struct call *call, struct invoke *invoke, struct slice object)
{
	bool is_message = json_type(json_get(object, SLICE("message"))) != JSON_STRING; /* Cohere's prompt is one */
	struct slice block = json_path(object, "messages", "#0", "content", "#0", NULL);

	/* Blocks without a type are Nova's. */
	if (json_type(block) == JSON_OBJECT && !json_get(block, SLICE("type")).data)
		invoke->inner = dialect_by_name(SLICE("bedrock.converse"));
	for (size_t i = 0; i < ARRAY_SIZE(inner_rules) && !invoke->inner; i++)
		if (json_get(object, inner_rules[i].member).data &&
		    (is_message || !slice_equal(inner_rules[i].member, SLICE("message"))))
			invoke->inner = dialect_by_name(slice_of(inner_rules[i].dialect));
	if (!invoke->inner)
		return;
	invoke->state = arena_alloc(call->arena, invoke->inner->state_size);
	call_lost(call, invoke->state);
	if (!invoke->state)
		invoke->inner = NULL;
}

/* ---- request ---- */

static const struct slice prompt_members[] = { SLICE("prompt"), SLICE("inputText"), SLICE("message"), SLICE("inputs") };

static void prompt_read(struct call *call, struct slice body)
{
	for (size_t i = 0; i < ARRAY_SIZE(prompt_members); i++) {
		struct slice text = json_get(body, prompt_members[i]);

		if (json_type(text) != JSON_STRING)
			continue;
		call->input_messages = text_message(call, SLICE("user"), text);
		return;
	}
}

/* Messages and prompts are both LLM spans to autolog, which sees only that a model is invoked. */
static enum call_operation operation_of(const struct invoke *invoke)
{
	if (invoke->is_rerank)
		return OPERATION_RERANK;
	if (invoke->is_embedding)
		return OPERATION_EMBEDDINGS;
	return invoke->inner ? OPERATION_UNKNOWN : OPERATION_TEXT_COMPLETION;
}

static void request(struct call *call, void *state)
{
	struct invoke *invoke = state;
	bool is_whole = aws_request_open(call, "aws.bedrock", path_models);
	struct slice body = json_trim(call->request_body), model = call->request_model;

	if (is_whole && json_get(body, SLICE("query")).data && json_get(body, SLICE("documents")).data)
		invoke->is_rerank = true;
	else if (is_whole && (json_get(body, SLICE("texts")).data || slice_contains(model, SLICE("embed"))))
		invoke->is_embedding = true;
	else if (is_whole)
		inner_choose(call, invoke, body);
	if (invoke->inner) {
		call->defers_messages = false; /* the page knows no format of this name: it is shown them always */
		invoke->inner->request(call, invoke->state);
	} else if (is_whole && !invoke->is_embedding) {
		prompt_read(call, body);
	}
	call->request_model = model;
	if (!invoke->inner)
		call->operation = operation_of(invoke);
}

/* ---- answers of the vendors that no other dialect reads ---- */

static const char *const text_places[][4] = {
	{ "generation" },
	{ "completion" },
	{ "outputText" },
	{ "results", "#0", "outputText" },
	{ "outputs", "#0", "text" },
	{ "generations", "#0", "text" },
	{ "text" },
	{ "completions", "#0", "data", "text" },
	{ "choices", "#0", "text" },
	{ "generated_text" },
};

static const char *const reason_places[][4] = {
	{ "stop_reason" },
	{ "completionReason" },
	{ "results", "#0", "completionReason" },
	{ "outputs", "#0", "stop_reason" },
	{ "generations", "#0", "finish_reason" },
	{ "finish_reason" },
	{ "completions", "#0", "finishReason", "reason" },
	{ "choices", "#0", "finish_reason" },
};

static struct slice place_find(struct slice object, const char *const places[][4], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct slice found = json_path(object, places[i][0], places[i][1], places[i][2], places[i][3], NULL);

		if (json_type(found) == JSON_STRING)
			return found;
	}
	return SLICE_NONE;
}

#define PLACE(object, places) place_find((object), (places), ARRAY_SIZE(places))

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("prompt_token_count"), offsetof(struct usage, input) },
	{ {}, SLICE("generation_token_count"), offsetof(struct usage, output) },
	{ {}, SLICE("inputTextTokenCount"), offsetof(struct usage, input) },
	{ {}, SLICE("totalOutputTextTokenCount"), offsetof(struct usage, output) },
	{ SLICE("usage"), SLICE("prompt_tokens"), offsetof(struct usage, input) },
	{ SLICE("usage"), SLICE("completion_tokens"), offsetof(struct usage, output) },
};

static const struct usage_rule metrics_rules[] = {
	{ {}, SLICE("inputTokenCount"), offsetof(struct usage, input) },
	{ {}, SLICE("outputTokenCount"), offsetof(struct usage, output) },
	{ {}, SLICE("cacheReadInputTokenCount"), offsetof(struct usage, cache_read) },
	{ {}, SLICE("cacheWriteInputTokenCount"), offsetof(struct usage, cache_write) },
};

/* The dimension of the first vector, wherever it stands: embedding, embeddings[0], embeddings.float[0]. */
static void dimension_put(struct call *call, struct slice answer)
{
	struct slice places[] = { json_get(answer, SLICE("embedding")), json_path(answer, "embeddings", "#0", NULL),
				  json_path(answer, "embeddings", "float", "#0", NULL) };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (json_type(places[i]) == JSON_ARRAY) {
			call_put_count(call, "gen_ai.embeddings.dimension.count", (int64_t)json_count(places[i]));
			return;
		}
}

/* The index-th of the request's documents: a text, or an object with one. */
static struct slice document_at(struct slice documents, int64_t index)
{
	if (json_type(documents) == JSON_ARRAY)
		json_foreach_element(item, documents)
			if (index-- == 0)
				return json_type(item.value) == JSON_OBJECT ? json_get(item.value, SLICE("text"))
									    : item.value;
	return SLICE_NONE;
}

static void rerank_read(struct call *call, struct slice answer)
{
	struct slice documents = json_get(json_trim(call->request_body), SLICE("documents"));
	struct slice results = json_get(answer, SLICE("results"));
	struct out out;

	if (json_type(results) != JSON_ARRAY)
		return;
	out_init(&out, call->arena, documents.len + answer.len + 64);
	json_open(&out.buf, '[');
	json_foreach_element(result, results) {
		int64_t index = -1;
		struct slice text;

		json_int(json_get(result.value, SLICE("index")), &index);
		text = document_at(documents, index);
		json_open(&out.buf, '{');
		json_member_raw(&out.buf, SLICE("page_content"), json_type(text) == JSON_STRING ? text : SLICE("\"\""));
		json_put_name(&out.buf, SLICE("metadata"));
		json_open(&out.buf, '{');
		json_member_int(&out.buf, SLICE("index"), index);
		json_member_raw(&out.buf, SLICE("score"), json_get(result.value, SLICE("relevance_score")));
		json_close(&out.buf, '}');
		json_close(&out.buf, '}');
	}
	json_close(&out.buf, ']');
	call->outputs = out_slice(&out);
	call_lost(call, call->outputs.data);
}

static void response(struct call *call, void *state)
{
	struct invoke *invoke = state;
	struct slice answer;
	int64_t tokens;

	if (!aws_answer_open(call, &answer))
		return;
	if (json_get(answer, SLICE("embedding")).data || json_get(answer, SLICE("embeddings")).data)
		invoke->is_embedding = true;
	else if (!invoke->inner && !invoke->is_rerank && !call->request_body.len)
		inner_choose(call, invoke, answer);
	if (invoke->is_rerank)
		return rerank_read(call, answer);
	if (invoke->inner)
		return invoke->inner->response(call, invoke->state);
	usage_read(&call->usage, answer, usage_rules, ARRAY_SIZE(usage_rules));
	if (json_int(json_path(answer, "results", "#0", "tokenCount", NULL), &tokens) == 0)
		call->usage.output = tokens;
	if (invoke->is_embedding)
		dimension_put(call, answer);
	else
		aws_text_read(call, PLACE(answer, text_places), PLACE(answer, reason_places));
}

/* ---- stream ---- */

/* The event inside the envelope; dies with the next one. */
static struct slice envelope_open(struct call *call, struct invoke *invoke, struct slice data)
{
	struct slice text = aws_event_bytes(call, data), got;
	size_t need = text.len / 4 * 3 + 4;

	if (!text.len)
		return data;
	if (need > invoke->scratch_size) {
		invoke->scratch = arena_alloc(call->arena, need * 2);
		invoke->scratch_size = invoke->scratch ? need * 2 : 0;
	}
	got = base64_decode_to(invoke->scratch, text);
	if (got.len && json_type(got) == JSON_OBJECT && json_check(got, JSON_DEPTH_MAX) == 0)
		return got;
	call->is_undecodable = true;
	return SLICE_NONE;
}

static bool text_event(struct call *call, struct invoke *invoke, struct slice data)
{
	struct slice text = json_raw_text(PLACE(data, text_places));

	call_lost(call, slice_hold(call->arena, &invoke->last, data));
	call_lost(call, pieces_add(call->arena, &invoke->text, text));
	return text.len;
}

static enum dialect_event inner_event(struct call *call, struct invoke *invoke, const struct message_part *part)
{
	struct message_part told = *part;
	struct json_iter iter = json_iter(part->data);

	/* Nova wraps each event of Converse into an object that bears its name. */
	if (slice_equal(slice_of(invoke->inner->name), SLICE("bedrock.converse")) && json_next(&iter) &&
	    json_type(iter.value) == JSON_OBJECT) {
		told.type = iter.name;
		told.data = iter.value;
	}
	return invoke->inner->event(call, invoke->state, &told);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct invoke *invoke = state;
	struct message_part told = *part;
	enum dialect_event is;
	struct slice metrics;

	if (!aws_event_open(call, part))
		return DIALECT_EVENT_QUIET;
	told.data = envelope_open(call, invoke, part->data);
	if (!told.data.len)
		return DIALECT_EVENT_QUIET;
	told.type = json_raw_text(json_get(told.data, SLICE("type")));
	call->chunk_shown = (struct name_value){ told.type.len ? told.type : part->type, told.data };
	metrics = json_get(told.data, SLICE("amazon-bedrock-invocationMetrics"));
	call_lost(call, slice_hold(call->arena, &invoke->metrics, metrics));
	if (!invoke->inner && !invoke->text.len && !call->request_body.len)
		inner_choose(call, invoke, told.data);
	if (!invoke->inner)
		is = text_event(call, invoke, told.data) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
	else
		is = inner_event(call, invoke, &told);
	return metrics.data ? DIALECT_EVENT_LAST : is;
}

/* ---- end ---- */

/* Where the body told nothing: a stream's metrics, then the headers. Neither counts the cache into the input. */
static void usage_finish(struct call *call, const struct invoke *invoke)
{
	struct usage found = USAGE_NONE, *usage = &call->usage;

	if (usage->input >= 0 && usage->output >= 0)
		return;
	found.input = answer_header_count(call, SLICE("x-amzn-bedrock-input-token-count"));
	found.output = answer_header_count(call, SLICE("x-amzn-bedrock-output-token-count"));
	found.cache_read = answer_header_count(call, SLICE("x-amzn-bedrock-cache-read-input-token-count"));
	found.cache_write = answer_header_count(call, SLICE("x-amzn-bedrock-cache-write-input-token-count"));
	usage_read(&found, invoke->metrics, metrics_rules, ARRAY_SIZE(metrics_rules));
	if (usage->input < 0 && found.input >= 0)
		usage->input = found.input + MAX(found.cache_read, 0) + MAX(found.cache_write, 0);
	if (usage->output < 0)
		usage->output = found.output;
	usage->cache_read = MAX(usage->cache_read, found.cache_read);
	usage->cache_write = MAX(usage->cache_write, found.cache_write);
	if (!call->usage_raw.len && invoke->metrics.data)
		call->usage_raw = invoke->metrics;
}

static void text_finish(struct call *call, struct invoke *invoke)
{
	struct slice text = pieces_quoted(call->arena, &invoke->text);

	usage_read(&call->usage, invoke->last, usage_rules, ARRAY_SIZE(usage_rules));
	call->outputs = json_text(call->arena, text);
	call->outputs_is_text = true;
	call_lost(call, call->outputs.data || !invoke->text.len);
	aws_text_read(call, text, PLACE(invoke->last, reason_places));
}

static void finish(struct call *call, void *state)
{
	struct invoke *invoke = state;
	struct slice model = call->request_model;

	if (invoke->inner)
		invoke->inner->finish(call, invoke->state);
	else if (invoke->last.data)
		text_finish(call, invoke);
	usage_finish(call, invoke);
	if (call->usage.total < 0)
		usage_sum(&call->usage);
	call->operation = operation_of(invoke);
	call->vendor = SLICE("aws.bedrock");
	call->request_model = model;
	if (!call->chat_messages.len)
		chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	if (path_ends(call->path, path_stream) || (call->is_stream && !call->path.len))
		return SLICE("BedrockRuntime.invoke_model_with_response_stream");
	return SLICE("BedrockRuntime.invoke_model");
}

DIALECT(bedrock_invoke, {
				.name = "bedrock.invoke",
				.order = 61,
				.state_size = sizeof(struct invoke),
				.keeps_chunks = true,
				.chunk_attribute = "json",
				.recognise = recognise,
				.request = request,
				.event = event,
				.response = response,
				.finish = finish,
				.span_name = span_name,
			});
