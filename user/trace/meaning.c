/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call means, in two tongues: MLflow's attributes as its autolog writes them, and OpenTelemetry's gen_ai.*.
 * The metadata goes to everyone; the conversation is written only for those who are there to read it.
 */
#include "base/cleanup.h"
#include "base/json.h"
#include "trace/span.h"

static const struct {
	const char *span_type, *operation;
} operations[_OPERATION_MAX] = {
	[OPERATION_UNKNOWN] = { "LLM", "generate_content" }, /* the convention's widest word */
	[OPERATION_CHAT] = { "CHAT_MODEL", "chat" },
	[OPERATION_TEXT_COMPLETION] = { "LLM", "text_completion" },
	[OPERATION_EMBEDDINGS] = { "EMBEDDING", "embeddings" },
	[OPERATION_RERANK] = { "RERANKER", "rerank" },
	[OPERATION_IMAGE] = { "TOOL", "generate_content" },
	[OPERATION_MODERATION] = { "GUARDRAIL", "moderation" },
	[OPERATION_COUNT_TOKENS] = { "LLM", "count_tokens" },
	[OPERATION_SPEECH] = { "LLM", "text_to_speech" },
	[OPERATION_TRANSCRIPTION] = { "LLM", "transcription" },
	[OPERATION_RETRIEVAL] = { "RETRIEVER", "retrieval" },
	[OPERATION_TOOL] = { "TOOL", "execute_tool" },
	[OPERATION_TOOL_LIST] = { "TOOL", "list_tools" },
	[OPERATION_AGENT] = { "AGENT", "invoke_agent" },
	[OPERATION_FETCH] = { "CHAT_MODEL", "fetch_response" },
	[OPERATION_COMPACT] = { "CHAT_MODEL", "compact" },
	[OPERATION_GENERATE] = { "LLM", "generate_content" },
};

/* An MLflow server fetches a price list for every provider's name that it sees, inside the request that brings it: only
 * names of lists that exist, never free text. */
static const struct {
	const char *vendor, *provider;
} providers[] = {
	{ "openai", "openai" },         { "anthropic", "anthropic" },
	{ "azure.ai.openai", "azure" }, { "azure.ai.inference", "azure_ai" },
	{ "gcp.gemini", "gemini" },     { "gcp.vertex_ai", "vertex_ai" },
	{ "aws.bedrock", "bedrock" },   { "cohere", "cohere" },
	{ "mistral_ai", "mistral" },    { "groq", "groq" },
	{ "deepseek", "deepseek" },     { "x_ai", "xai" },
	{ "perplexity", "perplexity" }, { "moonshot_ai", "moonshot" },
	{ "together", "together_ai" },  { "fireworks", "fireworks_ai" },
	{ "openrouter", "openrouter" }, { "databricks", "databricks" },
};

static struct slice provider_of(struct slice vendor)
{
	for (size_t i = 0; i < ARRAY_SIZE(providers); i++)
		if (slice_equal(vendor, slice_of(providers[i].vendor)))
			return slice_of(providers[i].provider);
	return SLICE_NONE;
}

/* OpenAI's autolog shows the model that answered, the others the model that was asked. */
static struct slice shown_model(const struct call *call)
{
	if (call_dialect_is(call, "openai.") && call->response_model.len)
		return call->response_model;
	return call->request_model.len ? call->request_model : call->response_model;
}

void span_put_operation(struct maker *maker, const struct span_source *source, enum call_operation operation)
{
	if (source->opts->wants_mlflow)
		put_text(maker, "mlflow.spanType", slice_of(operations[operation].span_type));
	put_text(maker, "gen_ai.operation.name", slice_of(operations[operation].operation));
}

void span_put_identity(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;
	bool openai = call_dialect_is(call, "openai.");

	span_put_operation(maker, source, call->operation);
	if (source->opts->wants_mlflow) {
		put_text(maker, "mlflow.llm.model", shown_model(call));
		put_text(maker, "mlflow.llm.provider", provider_of(call->vendor));
		put_text(maker, "mlflow.message.format",
			 slice_of(call->dialect ? call->dialect->message_format : NULL));
	}
	put_text(maker, "spantap.dialect", slice_of(call->dialect ? call->dialect->name : NULL));
	put_text(maker, "gen_ai.provider.name", call->vendor);
	put_text(maker, "gen_ai.request.model", call->request_model);
	if (openai && call->operation == OPERATION_CHAT)
		put_text(maker, "openai.api.type",
			 call_dialect_is(call, "openai.responses") ? SLICE("responses") : SLICE("chat_completions"));
}

/* A refused request has no outputs; what came before a cut or an error in band is kept. */
static bool has_outputs(const struct call *call)
{
	return call->outputs.len && call->status < 400;
}

/* MLflow's nested function shape laid flat, as the convention wants it. */
static struct slice tool_definitions(struct maker *maker, struct slice tools)
{
	struct buf out = BUF(maker->scratch, tools.len * 2 + 64);

	json_open(&out, '[');
	json_foreach_element(tool, tools) {
		struct slice function = json_get(tool.value, SLICE("function"));

		json_open(&out, '{');
		json_member_text(&out, SLICE("type"), SLICE("function"));
		json_member_raw(&out, SLICE("name"), json_get(function, SLICE("name")));
		json_member_raw(&out, SLICE("description"), json_get(function, SLICE("description")));
		json_member_raw(&out, SLICE("parameters"), json_get(function, SLICE("parameters")));
		json_close(&out, '}');
	}
	json_close(&out, ']');
	return make_from_buf(maker, &out);
}

/* What went into a tool and what came out; lists of tools are none. */
static void put_tool(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;

	if (!source->opts->wants_otlp || call->operation != OPERATION_TOOL)
		return;
	put_text(maker, "gen_ai.tool.call.arguments", call->inputs);
	if (has_outputs(call))
		put_text(maker, "gen_ai.tool.call.result", call->outputs);
}

static struct slice output_messages(struct maker *maker, const struct call *call)
{
	struct buf out = BUF(maker->scratch, call->output_messages.len + 64);

	if (!call->output_messages.len || !semconv_turns_messages(maker->semconv))
		return call->output_messages;
	semconv_messages(&out, call->output_messages);
	return make_from_buf(maker, &out);
}

void span_put_conversation(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;

	if (source->opts->wants_mlflow) {
		put_text(maker, "mlflow.spanInputs", call->inputs);
		if (has_outputs(call))
			put_text(maker, "mlflow.spanOutputs", call->outputs);
		put_text(maker, "mlflow.chat.tools", call->tools);
		put_text(maker, "mlflow.chat.messages", call->chat_messages);
	}
	if (source->opts->wants_otlp) {
		put_text(maker, "gen_ai.system_instructions", call->system_instructions);
		put_text(maker, "gen_ai.input.messages", call->input_messages);
		if (has_outputs(call))
			put_text(maker, "gen_ai.output.messages", output_messages(maker, call));
		if (call->tools.len)
			put_text(maker, "gen_ai.tool.definitions", tool_definitions(maker, call->tools));
	}
	put_tool(maker, source);
	put_text(maker, "session.id", call->session_id);
	put_text(maker, "gen_ai.conversation.id", call->session_id);
	put_text(maker, "user.id", call->user_id);
}

/* Embedding and reranking write nothing: their providers leave the output out, and MLflow counts only what has all
 * three numbers. */
static int64_t tokens_out(const struct call *call)
{
	bool writes_nothing = call->operation == OPERATION_EMBEDDINGS || call->operation == OPERATION_RERANK;

	return call->usage.output < 0 && writes_nothing && call->usage.input >= 0 ? 0 : call->usage.output;
}

static struct slice token_usage(struct maker *maker, const struct usage *usage, int64_t output)
{
	struct buf out = BUF(maker->scratch, 512);
	int64_t total = usage->total >= 0 ? usage->total : usage->input + output;
	const struct {
		struct slice name;
		int64_t value;
	} counts[] = {
		{ SLICE("input_tokens"), usage->input },
		{ SLICE("output_tokens"), output },
		{ SLICE("total_tokens"), total },
		{ SLICE("cache_read_input_tokens"), usage->cache_read },
		{ SLICE("cache_creation_input_tokens"), usage->cache_write },
		{ SLICE("cache_creation_input_tokens_above_1hr"), usage->cache_write_1h },
	};

	json_open(&out, '{');
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (counts[i].value >= 0)
			json_member_int(&out, counts[i].name, counts[i].value);
	json_close(&out, '}');
	return make_from_buf(maker, &out);
}

void span_put_usage(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;
	const struct usage *usage = &call->usage;
	int64_t output = tokens_out(call);

	/* Counting tokens costs none: the number is the answer, not a consumption. */
	if (call->operation == OPERATION_COUNT_TOKENS)
		return;
	if (source->opts->wants_mlflow && usage->input >= 0 && output >= 0)
		put_text(maker, "mlflow.chat.tokenUsage", token_usage(maker, usage, output));
	put_told(maker, "gen_ai.usage.input_tokens", usage->input);
	put_told(maker, "gen_ai.usage.output_tokens", output);
	put_told(maker, "gen_ai.usage.cache_read.input_tokens", usage->cache_read);
	put_told(maker, "gen_ai.usage.cache_creation.input_tokens", usage->cache_write);
	put_told(maker, "gen_ai.usage.reasoning.output_tokens", usage->reasoning);
}

/* What only the dialect knows of the call, under the names that it gave. */
void span_put_particulars(struct maker *maker, const struct span_source *source)
{
	put_attributes(maker, source->call->attributes);
	put_text(maker, "spantap.gateway", source->call->gateway);
}

void span_put_answer(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;
	uint64_t begin = source->role == SPAN_LOGICAL ? source->begin_ns : span_begin_ns(call);

	put_text(maker, "gen_ai.response.id", call->response_id);
	put_text(maker, "gen_ai.response.model", call->response_model);
	put_texts(maker, "gen_ai.response.finish_reasons", call->finish_reasons, call->finish_count);
	put_text(maker, "gen_ai.output.type", call->output_type);
	if (call_dialect_is(call, "openai.")) {
		put_text(maker, "openai.response.service_tier", call->service_tier);
		put_text(maker, "openai.response.system_fingerprint", call->system_fingerprint);
	}
	if (!call->is_stream)
		return;
	put_int(maker, "spantap.stream.events", (int64_t)call->events);
	/* Without the request there is no moment to measure from. */
	if (call->first_event_ns && !call->request_is_late)
		put_double(maker, "gen_ai.response.time_to_first_chunk", span_seconds(begin, call->first_event_ns));
	if (call->first_token_ns && !call->request_is_late)
		put_double(maker, "spantap.time_to_first_token", span_seconds(begin, call->first_token_ns));
	if (call->events > 1)
		put_double(maker, "spantap.stream.max_gap", (double)call->max_gap_ns / 1e9);
}

/* The event that brings an error in band raises it: clients never see it as a chunk. */
static bool chunk_is_error(const struct call *call, const struct chunk *chunk)
{
	return call->has_error && call->error.in_band && !chunk->next &&
	       (json_get(chunk->data, SLICE("error")).data ||
		json_text_is(json_get(chunk->data, SLICE("type")), SLICE("error")));
}

/* Of a long stream the newest stay, under their own numbers, as with OpenTelemetry's limit of span events; the
 * exception, where there is one, takes the last place. */
void span_put_chunks(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;
	size_t room = source->opts->chunk_events_max, count = 0, index = 0;

	if (!source->opts->wants_mlflow || !call->dialect || !call->dialect->keeps_chunks)
		return;
	for (const struct chunk *chunk = call->chunks; chunk; chunk = chunk->next)
		count += !chunk_is_error(call, chunk);
	room -= room && call->has_error;
	for (const struct chunk *chunk = call->chunks; chunk; chunk = chunk->next, index++) {
		const char *attribute = call->dialect->chunk_attribute;
		struct name_value value = { slice_of(attribute ? attribute : "mlflow.chunk.value"), chunk->data };
		struct slice name = attribute ? make_keep(maker, chunk->name) : SLICE_NONE;

		if (index + room < count || chunk_is_error(call, chunk))
			continue;
		if (!name.len)
			name = arena_printf(maker->arena, "mlflow.chunk.item.%zu",
					    (size_t)call->chunks_dropped + index);
		if (!name.data)
			maker->failed = true;
		put_event(maker, name, span_unix_ns(source->opts, chunk->time_ns), &value, 1);
	}
}
