/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of one's own, in their own formats: whole answers, streams, failures, and what only looks like them. */
#include "unit/dialect/talk.h"
#include <stdio.h>

struct row {
	const char *path, *request, *body;
	const char *events[6];
	const char *dialect, *kinds, *outputs, *reason;
	int64_t input, output, cached;
};

static void row_holds(const struct row *row)
{
	struct talk talk = { .path = row->path, .request = slice_of(row->request), .body = slice_of(row->body) };
	struct told told;

	for (size_t i = 0; i < ARRAY_SIZE(row->events) && row->events[i]; i++)
		talk.events[i] = slice_of(row->events[i]);
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, row->dialect);
	assert_string_equal(told.kinds, row->kinds ? row->kinds : "");
	assert_slice(told.call.outputs, row->outputs ? row->outputs : row->body);
	assert_slice(told.call.finish_reasons[0], row->reason ? row->reason : "");
	assert_int_equal(told.call.usage.input, row->input);
	assert_int_equal(told.call.usage.output, row->output);
	assert_int_equal(told.call.usage.cache_read, row->cached);
	assert_slice(json_path(told.call.output_messages, "#0", "parts", "#0", "content", NULL), "\"Par\\nis\"");
	assert_slice(json_path(told.call.input_messages, "#0", "parts", "#0", "content", NULL), "\"A\"");
	assert_true(told.call.chat_messages.len > 0);
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

static void text_generation_inference_answers(void **state)
{
	static const struct row rows[] = {
		{ .path = "/generate",
		  .request = "{\"inputs\":\"A\",\"parameters\":{\"details\":true}}",
		  .body = "{\"generated_text\":\"Par\\nis\",\"details\":{\"finish_reason\":\"eos_token\",\"generated_tokens\":2,"
			  "\"prefill\":[{\"id\":1,\"text\":\"A\"}]}}",
		  .reason = "eos_token",
		  .input = 1,
		  .output = 2 },
		{ .path = "/models/gpt2",
		  .request = "{\"inputs\":\"A\"}",
		  .body = "[{\"generated_text\":\"Par\\nis\"}]",
		  .input = -1,
		  .output = -1 },
		{ .path = "/generate_stream",
		  .request = "{\"inputs\":\"A\"}",
		  .events = { "{\"index\":1,\"token\":{\"id\":5,\"text\":\"Par\",\"special\":false},\"generated_text\":null}",
			      "{\"index\":2,\"token\":{\"id\":6,\"text\":\"\\nis\",\"special\":false},\"generated_text\":null}",
			      "{\"index\":3,\"token\":{\"id\":2,\"text\":\"</s>\",\"special\":true},\"generated_text\":\"Par\\nis\","
			      "\"details\":{\"finish_reason\":\"eos_token\",\"generated_tokens\":3,\"input_length\":1}}" },
		  .kinds = "ccl",
		  .outputs =
			  "{\"index\":3,\"token\":{\"id\":2,\"text\":\"</s>\",\"special\":true},\"generated_text\":\"Par\\nis\","
			  "\"details\":{\"finish_reason\":\"eos_token\",\"generated_tokens\":3,\"input_length\":1}}",
		  .reason = "eos_token",
		  .input = 1,
		  .output = 3 },
		{ .path = "/generate_stream", /* cut */
		  .request = "{\"inputs\":\"A\"}",
		  .events = { "{\"index\":1,\"token\":{\"id\":5,\"text\":\"Par\"},\"generated_text\":null}",
			      "{\"index\":2,\"token\":{\"id\":6,\"text\":\"\\nis\"},\"generated_text\":null}" },
		  .kinds = "cc",
		  .outputs = "{\"generated_text\":\"Par\\nis\"}",
		  .input = -1,
		  .output = -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = rows[i];

		row.dialect = "tgi.generate";
		row.cached = -1;
		row_holds(&row);
	}
}

static void sglang_repeats_itself_and_is_told_once(void **state)
{
	static const struct row rows[] = {
		{ .body = "{\"text\":\"Par\\nis\",\"output_ids\":[1],\"meta_info\":{\"id\":\"s\",\"finish_reason\":{\"type\":\"stop\","
			  "\"matched\":2},\"prompt_tokens\":3,\"completion_tokens\":2,\"cached_tokens\":1}}",
		  .reason = "stop" },
		{ .events = { "{\"text\":\"Par\",\"meta_info\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"cached_tokens\":1,"
			      "\"finish_reason\":null}}",
			      "{\"text\":\"Par\\nis\",\"meta_info\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"cached_tokens\":1,"
			      "\"finish_reason\":{\"type\":\"length\"}}}",
			      "[DONE]" },
		  .kinds = "cce",
		  .outputs = "{\"text\":\"Par\\nis\",\"meta_info\":{\"prompt_tokens\":3,\"completion_tokens\":2,"
			     "\"cached_tokens\":1,\"finish_reason\":{\"type\":\"length\"}}}",
		  .reason = "length" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = rows[i];

		row.path = "/generate";
		row.request = "{\"text\":\"A\",\"sampling_params\":{\"max_new_tokens\":8}}";
		row.dialect = "sglang.generate";
		row.input = 3;
		row.output = 2;
		row.cached = 1;
		row_holds(&row);
	}
}

static void llama_cpp_completes(void **state)
{
	static const struct row rows[] = {
		{ .path = "/completion",
		  .request = "{\"prompt\":\"A\",\"n_predict\":8}",
		  .body = "{\"index\":0,\"content\":\"Par\\nis\",\"stop\":true,\"model\":\"q\",\"tokens_predicted\":2,\"tokens_evaluated\":3,"
			  "\"tokens_cached\":4,\"stop_type\":\"eos\",\"timings\":{\"prompt_n\":3,\"predicted_n\":2}}",
		  .reason = "eos",
		  .cached = -1 },
		{ .path = "/infill",
		  .request = "{\"input_prefix\":\"A\",\"input_suffix\":\"B\"}",
		  .events = { "{\"content\":\"Par\",\"stop\":false}", "{\"content\":\"\\nis\",\"stop\":false}",
			      "{\"content\":\"\",\"stop\":true,\"tokens_evaluated\":3,\"stopped_limit\":true,"
			      "\"timings\":{\"cache_n\":1,\"predicted_n\":2}}" },
		  .kinds = "ccl",
		  .outputs = "{\"content\":\"Par\\nis\",\"stop\":true,\"tokens_evaluated\":3,\"stopped_limit\":true,"
			     "\"timings\":{\"cache_n\":1,\"predicted_n\":2}}",
		  .reason = "limit",
		  .cached = 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = rows[i];

		row.dialect = "llama_cpp.completion";
		row.input = 3;
		row.output = 2;
		row_holds(&row);
	}
}

static void watsonx_generates(void **state)
{
	static const struct row rows[] = {
		{ .path = "/ml/v1/text/generation",
		  .body = "{\"model_id\":\"g-1\",\"results\":[{\"generated_text\":\"Par\\nis\",\"generated_token_count\":2,"
			  "\"input_token_count\":3,\"stop_reason\":\"eos_token\"}]}",
		  .reason = "eos_token" },
		{ .path = "/ml/v1/text/generation_stream",
		  .events = { "{\"model_id\":\"g-1\",\"results\":[{\"generated_text\":\"Par\",\"generated_token_count\":1,"
			      "\"input_token_count\":3,\"stop_reason\":\"not_finished\"}]}",
			      "{\"model_id\":\"g-1\",\"results\":[{\"generated_text\":\"\\nis\",\"generated_token_count\":2,"
			      "\"input_token_count\":0,\"stop_reason\":\"max_tokens\"}]}" },
		  .kinds = "cc",
		  .outputs =
			  "{\"model_id\":\"g-1\",\"results\":[{\"generated_text\":\"Par\\nis\",\"generated_token_count\":2,"
			  "\"input_token_count\":0,\"stop_reason\":\"max_tokens\"}]}",
		  .reason = "max_tokens" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = rows[i];

		row.request = "{\"model_id\":\"g\",\"input\":\"A\",\"project_id\":\"p\"}";
		row.dialect = "watsonx.generation";
		row.input = 3;
		row.output = 2;
		row.cached = -1;
		row_holds(&row);
	}
}

static void watsonx_chats(void **state)
{
	struct talk talk = {
		.path = "/ml/v1/text/chat_stream",
		.host = "us-south.ml.cloud.ibm.com",
		.request = SLICE(
			"{\"model_id\":\"g\",\"project_id\":\"p\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"}]}")
	};
	struct told told;

	talk.events[0] = SLICE(
		"{\"id\":\"c\",\"model_id\":\"g-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"B\"}}]}");
	talk.events[1] = SLICE(
		"{\"id\":\"c\",\"model_id\":\"g-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "watsonx.chat");
	assert_slice(told.call.vendor, "ibm.watsonx.ai");
	assert_slice(told.call.request_model, "g");
	assert_slice(told.call.response_model, "g-1");
	assert_int_equal(told.call.usage.total, 4);
	told_free(&told);
	memset(talk.events, 0, sizeof(talk.events));
	talk.status = 404;
	talk.body = SLICE(
		"{\"errors\":[{\"code\":\"model_not_found\",\"message\":\"no such model\"}],\"status_code\":404}");
	told = talk_told(&talk);
	assert_slice(told.call.error.code, "model_not_found");
	assert_slice(told.call.error.message, "no such model");
	told_free(&told);
}

static void vectors_are_measured(void **state)
{
	static const struct {
		const char *path, *request, *answer, *vendor;
		int64_t length, tokens;
	} rows[] = {
		{ "/embed", "{\"inputs\":[\"A\",\"B\"]}", "[[0.1,0.2],[0.3,0.4]]", "tei", 2, -1 },
		{ "/embed_sparse", "{\"inputs\":\"A\"}", "[[{\"index\":1,\"value\":0.5}]]", "tei", -1, -1 },
		{ "/embedding", "{\"content\":\"A\"}", "{\"embedding\":[1,2,3]}", "llama_cpp", 3, -1 },
		{ "/embedding", "{\"content\":\"A\"}", "[{\"index\":0,\"embedding\":[[1,2,3]]}]", "llama_cpp", 3, -1 },
		{ "/pooling", "{\"model\":\"m\",\"input\":\"A\"}",
		  "{\"object\":\"list\",\"data\":[{\"object\":\"pooling\",\"data\":[[1,2],[3,4]]}],\"usage\":{\"prompt_tokens\":2}}",
		  "vllm", 2, 2 },
		{ "/v1/multimodalembeddings", "{\"model\":\"m\",\"inputs\":[{\"content\":[]}]}",
		  "{\"data\":[{\"embedding\":[1,2]}],\"model\":\"m\",\"usage\":{\"text_tokens\":1,\"total_tokens\":9}}",
		  "voyage", 2, 9 },
		{ "/v1/contextualizedembeddings", "{\"model\":\"m\",\"inputs\":[[\"A\"]]}",
		  "{\"data\":[{\"data\":[{\"embedding\":[1,2]}]}],\"model\":\"m\",\"usage\":{\"total_tokens\":9}}",
		  "voyage", 2, 9 },
		{ "/ml/v1/text/embeddings", "{\"model_id\":\"m\",\"inputs\":[\"A\"]}",
		  "{\"model_id\":\"m\",\"results\":[{\"embedding\":[1,2]}],\"input_token_count\":4}", "ibm.watsonx.ai",
		  2, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path,
				     .request = slice_of(rows[i].request),
				     .body = slice_of(rows[i].answer) };
		struct told told = talk_told(&talk);

		assert_string_equal(told.dialect->name, "vectors.embed");
		assert_slice(told.call.vendor, rows[i].vendor);
		assert_int_equal(told.call.usage.input, rows[i].tokens);
		assert_int_equal(told.call.attributes ? told.call.attributes->value.integer : -1, rows[i].length);
		told_free(&told);
	}
}

static void triton_generates(void **state)
{
	static const struct row rows[] = {
		{ .path = "/v2/models/llama/generate",
		  .body = "{\"model_name\":\"llama\",\"model_version\":\"1\",\"text_output\":\"Par\\nis\"}" },
		{ .path = "/v2/models/llama/versions/1/generate_stream",
		  .events = { "{\"model_name\":\"llama\",\"text_output\":\"Par\"}",
			      "{\"model_name\":\"llama\",\"text_output\":\"\\nis\"}" },
		  .kinds = "cc",
		  .outputs = "{\"text_output\":\"Par\\nis\",\"model_name\":\"llama\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = rows[i];

		row.request = "{\"text_input\":\"A\",\"parameters\":{}}";
		row.dialect = "triton.generate";
		row.input = row.output = row.cached = -1;
		row_holds(&row);
	}
}

#define STUDIO                                                                                                            \
	"{\"model_instance_id\":\"q-1\",\"output\":[{\"type\":\"reasoning\",\"content\":\"hm\"},{\"type\":\"tool_call\"," \
	"\"tool\":\"look\",\"arguments\":{\"a\":1},\"output\":\"18\"},{\"type\":\"message\",\"content\":\"Hello\"}],"     \
	"\"stats\":{\"input_tokens\":7,\"total_output_tokens\":5,\"reasoning_output_tokens\":2},\"response_id\":\"resp_1\"}"

static void assert_studio(const struct told *told)
{
	assert_string_equal(told->dialect->name, "lm_studio.chat");
	assert_slice(told->call.outputs, STUDIO);
	assert_slice(told->call.response_model, "q-1");
	assert_int_equal(told->call.usage.input, 7);
	assert_int_equal(told->call.usage.output, 5);
	assert_int_equal(told->call.usage.reasoning, 2);
	assert_slice(told->call.steps->name, "look");
	assert_slice(told->call.steps->outputs, "\"18\"");
	assert_slice(told->call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},"
		     "{\"type\":\"text\",\"content\":\"Hello\"}]}]");
}

static void lm_studio_ends_with_the_whole(void **state)
{
	struct talk talk = { .path = "/api/v1/chat",
			     .request = SLICE("{\"model\":\"q\",\"system_prompt\":\"s\",\"input\":\"A\"}"),
			     .body = SLICE(STUDIO) };
	struct told told = talk_told(&talk);

	assert_studio(&told);
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"s\"}]");
	told_free(&told);
	talk.body = SLICE_NONE;
	talk.events[0] = SLICE("chat.start|{\"type\":\"chat.start\",\"model_instance_id\":\"q-1\"}");
	talk.events[1] = SLICE("{\"type\":\"reasoning.delta\",\"content\":\"hm\"}");
	talk.events[2] = SLICE("{\"type\":\"message.delta\",\"content\":\"Hello\"}");
	told = talk_told(&talk); /* cut */
	assert_slice(told.call.outputs, "{\"output\":[{\"type\":\"reasoning\",\"content\":\"hm\"},"
					"{\"type\":\"message\",\"content\":\"Hello\"}]}");
	told_free(&told);
	talk.events[3] = SLICE("{\"type\":\"chat.end\",\"result\":" STUDIO "}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qccl");
	assert_studio(&told);
	told_free(&told);
	talk.events[1] = SLICE("{\"type\":\"error\",\"error\":{\"type\":\"t\",\"message\":\"no memory\"}}");
	told = talk_told(&talk);
	assert_slice(told.call.error.message, "no memory");
	told_free(&told);
}

static void replicate_predicts(void **state)
{
	struct talk talk = {
		.path = "/v1/models/meta/llama-3/predictions",
		.host = "api.replicate.com",
		.request = SLICE("{\"input\":{\"prompt\":\"A\",\"system_prompt\":\"s\"}}"),
		.body = SLICE(
			"{\"id\":\"p\",\"model\":\"meta/llama-3\",\"input\":{},\"output\":[\"Par\",\"is\"],\"error\":null,\"status\":\"succeeded\","
			"\"metrics\":{\"input_token_count\":3,\"output_token_count\":2},\"urls\":{\"get\":\"u\"}}")
	};
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "replicate.predict");
	assert_slice(told.call.request_model, "meta/llama-3");
	assert_int_equal(told.call.usage.total, 5);
	assert_slice(json_path(told.call.output_messages, "#0", "parts", "#0", "content", NULL), "\"Paris\"");
	told_free(&told);
	talk.body = SLICE("{\"id\":\"p\",\"output\":[\"https://x/y.png\"],\"status\":\"succeeded\",\"urls\":{}}");
	told = talk_told(&talk);
	assert_int_equal(told.call.operation, OPERATION_IMAGE);
	told_free(&told);
	talk.body = SLICE("{\"id\":\"p\",\"error\":\"out of memory\",\"status\":\"failed\",\"urls\":{}}");
	told = talk_told(&talk);
	assert_slice(told.call.error.message, "out of memory");
	told_free(&told);
}

static void what_replicate_promised_is_fetched(void **state)
{
	struct talk talk = { .path = "/v1/streams/abc", .host = "stream.replicate.com" };
	struct dialect_hint hint = { .method = SLICE("GET"),
				     .path = SLICE("/v1/streams/abc"),
				     .host = SLICE("stream.replicate.com"),
				     .request_is_whole = true };
	unsigned score;
	struct told told;

	assert_string_equal(dialect_find(&hint, &score)->name, "replicate.predict");
	talk.events[0] = SLICE("output|Say \"hi\"\n");
	talk.events[1] = SLICE("output|{now}");
	talk.events[2] = SLICE("done|{}");
	assert_true(talk_run(&talk, &talk_heap.alloc, dialect_by_name(SLICE("replicate.predict")), &told));
	assert_string_equal(told.kinds, "ccl");
	assert_int_equal(told.call.operation, OPERATION_FETCH);
	assert_slice(told.call.outputs, "{\"output\":\"Say \\\"hi\\\"\\n{now}\"}");
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

static void other_calls_are_shown_as_they_are(void **state)
{
	static const struct {
		const char *path, *request, *answer, *name;
		int64_t tokens;
	} rows[] = {
		{ "/v1/ocr", "{\"model\":\"m\",\"document\":{}}", "{\"model\":\"m\",\"pages\":[]}", "Ocr.process", -1 },
		{ "/v1/chat/classifications", "{\"model\":\"m\",\"input\":[]}", "{\"id\":\"i\",\"results\":[]}",
		  "Classifiers.classify", -1 },
		{ "/classify", "{\"model\":\"m\",\"input\":\"x\"}",
		  "{\"data\":[{\"label\":\"L\"}],\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}", "classify", 7 },
		{ "/inference/v1/generate", "{\"model\":\"m\",\"token_ids\":[1]}",
		  "{\"choices\":[{\"token_ids\":[2]}]}", "generate", -1 },
		{ "/serving-endpoints/e/invocations", "{\"dataframe_split\":{}}", "{\"predictions\":[1]}",
		  "invocations", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path,
				     .request = slice_of(rows[i].request),
				     .body = slice_of(rows[i].answer) };
		struct told told = talk_told(&talk);

		assert_string_equal(told.dialect->name, "model.call");
		assert_slice(told.dialect->span_name(&told.call), rows[i].name);
		assert_slice(told.call.outputs, rows[i].answer);
		assert_int_equal(told.call.usage.input, rows[i].tokens);
		told_free(&told);
		talk.body = SLICE("{\"ok\":1}");
		if (talk_run(&talk, &talk_heap.alloc, NULL, &told))
			assert_string_not_equal(told.dialect->name, "model.call");
		told_free(&told);
	}
}

/* Many small events cost what their bytes cost. */
static void long_streams_stay_cheap(void **state)
{
	static const struct {
		const char *dialect, *type, *event;
	} rows[] = {
		{ "cohere.chat", "",
		  "{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"some\"}}}}" },
		{ "cohere.v1.chat", "",
		  "{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"some\"}" },
		{ "mistral.conversations", "",
		  "{\"type\":\"message.output.delta\",\"output_index\":0,\"id\":\"i\",\"content\":\"some\"}" },
		{ "tgi.generate", "", "{\"token\":{\"id\":1,\"text\":\"some\"}}" },
		{ "llama_cpp.completion", "", "{\"content\":\"some\",\"stop\":false}" },
		{ "triton.generate", "", "{\"text_output\":\"some\"}" },
		{ "watsonx.generation", "", "{\"model_id\":\"g\",\"results\":[{\"generated_text\":\"some\"}]}" },
		{ "lm_studio.chat", "", "{\"type\":\"message.delta\",\"content\":\"some\"}" },
		{ "replicate.predict", "output", "some" },
	};

	for (size_t d = 0; d < ARRAY_SIZE(rows); d++) {
		const struct dialect *dialect = dialect_by_name(slice_of(rows[d].dialect));
		struct arena *arena = arena_new(&talk_heap.alloc, (size_t)32 << 20);
		struct call call = { .arena = arena, .usage = USAGE_NONE, .status = 200, .is_stream = true };
		void *memory = arena_alloc(arena, dialect->state_size);
		struct message_part part = { .kind = PART_EVENT,
					     .type = slice_of(rows[d].type),
					     .data = slice_of(rows[d].event) };

		for (int i = 0; i < 50000; i++)
			dialect->event(&call, memory, &part);
		if (arena_used(arena) > (size_t)50000 * 32)
			fail_msg("%s kept %zu bytes", rows[d].dialect, arena_used(arena));
		dialect->finish(&call, memory);
		assert_false(call.is_undecodable);
		assert_true(call.outputs.len > 200000);
		arena_free(arena);
	}
}

/* Each event repeats all before it; kept is what is new. */
static void what_is_repeated_is_kept_once(void **state)
{
	enum { COUNT = 2000 };
	static char event[COUNT * 4 + 200], text[COUNT * 4 + 1];
	const struct dialect *dialect = dialect_by_name(SLICE("sglang.generate"));
	struct arena *arena = arena_new(&talk_heap.alloc, (size_t)32 << 20);
	struct call call = { .arena = arena, .usage = USAGE_NONE, .status = 200, .is_stream = true };
	void *memory = arena_alloc(arena, dialect->state_size);

	for (int i = 0; i < COUNT; i++) {
		struct message_part part = { .kind = PART_EVENT };

		memcpy(text + (size_t)i * 4, "some", 5);
		snprintf(event, sizeof(event), "{\"text\":\"%s\",\"meta_info\":{\"completion_tokens\":%d}}", text,
			 i + 1);
		part.data = slice_of(event);
		assert_int_equal(dialect->event(&call, memory, &part), DIALECT_EVENT_CONTENT);
	}
	assert_true(arena_used(arena) < (size_t)COUNT * 32);
	dialect->finish(&call, memory);
	assert_int_equal(json_raw_text(json_get(call.outputs, SLICE("text"))).len, COUNT * 4);
	assert_int_equal(call.usage.output, COUNT);
	arena_free(arena);
}

static void failures_are_told(void **state)
{
	static const struct {
		const char *path, *request, *answer, *message;
	} rows[] = {
		{ "/generate", "{\"inputs\":\"A\"}", "{\"error\":\"too long\",\"error_type\":\"validation\"}",
		  "too long" },
		{ "/generate", "{\"text\":\"A\",\"sampling_params\":{}}", "{\"error\":{\"message\":\"too long\"}}",
		  "too long" },
		{ "/completion", "{\"prompt\":\"A\"}", "{\"error\":{\"code\":400,\"message\":\"too long\"}}",
		  "too long" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path,
				     .request = slice_of(rows[i].request),
				     .body = slice_of(rows[i].answer),
				     .status = 422 };
		struct told told = talk_told(&talk);

		assert_slice(told.call.error.message, rows[i].message);
		told_free(&told);
	}
}

static void a_generic_path_is_not_enough(void **state)
{
	static const struct {
		const char *path, *request, *answer;
	} rows[] = {
		{ "/generate", "{\"inputs\":\"A\"}", "{\"pdf\":\"x\"}" },
		{ "/generate", "{\"text\":\"A\"}", "{\"text\":\"x\"}" },
		{ "/completion", "{\"prompt\":\"A\"}", "{\"content\":\"x\"}" },
		{ "/", "{\"inputs\":\"A\"}", "{\"ok\":true}" },
		{ "/embed", "{\"inputs\":\"A\"}", "{\"html\":\"x\"}" },
		{ "/embedding", "{\"content\":\"A\"}", "{\"saved\":true}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path,
				     .request = slice_of(rows[i].request),
				     .body = slice_of(rows[i].answer) };
		struct told told;

		assert_false(talk_run(&talk, &talk_heap.alloc, NULL, &told));
		told_free(&told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_generation_inference_answers),
		cmocka_unit_test(sglang_repeats_itself_and_is_told_once),
		cmocka_unit_test(llama_cpp_completes),
		cmocka_unit_test(watsonx_generates),
		cmocka_unit_test(watsonx_chats),
		cmocka_unit_test(vectors_are_measured),
		cmocka_unit_test(triton_generates),
		cmocka_unit_test(lm_studio_ends_with_the_whole),
		cmocka_unit_test(replicate_predicts),
		cmocka_unit_test(what_replicate_promised_is_fetched),
		cmocka_unit_test(other_calls_are_shown_as_they_are),
		cmocka_unit_test(long_streams_stay_cheap),
		cmocka_unit_test(what_is_repeated_is_kept_once),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(a_generic_path_is_not_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
