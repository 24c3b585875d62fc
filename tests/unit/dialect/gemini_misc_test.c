/* SPDX-License-Identifier: Apache-2.0 */
/* Google's methods beside generation: counting, embedding, media, interactions; and what is none of them. */
#include "unit/dialect/talk.h"

#define HOST   "generativelanguage.googleapis.com"
#define VERTEX "/v1/projects/p/locations/us/publishers/google/models/"

static void counting_is_no_consumption(void **state)
{
	struct talk talk = { .path = "/v1beta/models/gemini-3:countTokens", .host = HOST };
	struct told told;

	talk.request = SLICE("{\"contents\":[{\"parts\":[{\"text\":\"x\"}]}]}");
	talk.body = SLICE("{\"totalTokens\":8}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "gemini.count_tokens");
	assert_int_equal(told.call.operation, OPERATION_COUNT_TOKENS);
	assert_slice(told.call.request_model, "gemini-3");
	assert_slice(told.call.outputs, "{\"totalTokens\":8}");
	assert_int_equal(told.call.usage.input, -1);
	assert_slice(told.dialect->span_name(&told.call), "Models.count_tokens");
	told_free(&told);
}

static void texts_are_embedded(void **state)
{
	static const struct {
		const char *path, *ask, *answer, *vendor;
		int64_t tokens;
	} rows[] = {
		{ "/v1beta/models/e-1:embedContent",
		  "{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"outputDimensionality\":2}",
		  "{\"embedding\":{\"values\":[0.1,0.2]}}", "gcp.gemini", -1 },
		{ "/v1beta/models/e-1:batchEmbedContents",
		  "{\"requests\":[{\"content\":{},\"outputDimensionality\":2}]}",
		  "{\"embeddings\":[{\"values\":[0.1,0.2]}],\"usageMetadata\":{\"promptTokenCount\":3}}", "gcp.gemini",
		  3 },
		{ VERTEX "text-embedding-005:predict",
		  "{\"instances\":[{\"content\":\"x\"}],\"parameters\":{\"outputDimensionality\":2}}",
		  "{\"predictions\":[{\"embeddings\":{\"statistics\":{\"token_count\":4},\"values\":[1,2]}},"
		  "{\"embeddings\":{\"statistics\":{\"token_count\":5.0}}}]}",
		  "gcp.vertex_ai", 9 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path, .host = "x", .request = slice_of(rows[i].ask) };
		struct told told;

		talk.body = slice_of(rows[i].answer);
		told = talk_told(&talk);
		assert_string_equal(told.dialect->name, "gemini.embed");
		assert_int_equal(told.call.operation, OPERATION_EMBEDDINGS);
		assert_slice(told.call.vendor, rows[i].vendor);
		assert_int_equal(told.call.usage.input, rows[i].tokens);
		assert_slice(told.call.attributes->name, "gen_ai.embeddings.dimension.count");
		assert_slice(told.dialect->span_name(&told.call), "Models.embed_content");
		told_free(&told);
	}
}

static void media_are_predicted(void **state)
{
	static const struct {
		const char *path, *name;
		enum call_operation operation;
	} rows[] = {
		{ "/v1beta/models/imagen-4.0-generate-001:predict", "Models.generate_images", OPERATION_IMAGE },
		{ "/v1beta/models/veo-3.0-generate-001:predictLongRunning", "Models.generate_videos", OPERATION_IMAGE },
		{ VERTEX "lyria-002:predict", "Models.predict", OPERATION_SPEECH },
		{ VERTEX "medlm-large:predict", "Models.predict", OPERATION_GENERATE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path, .host = "x" };
		struct told told;

		talk.request = SLICE("{\"instances\":[{\"prompt\":\"a cat\"}]}");
		talk.body = SLICE("{\"predictions\":[{}]}");
		told = talk_told(&talk);
		assert_string_equal(told.dialect->name, "gemini.predict");
		assert_int_equal(told.call.operation, rows[i].operation);
		assert_slice(told.dialect->span_name(&told.call), rows[i].name);
		told_free(&told);
	}
}

static void other_servers_and_methods_are_none(void **state)
{
	static const char *const paths[] = {
		"/v1/models/mnist:predict",     "/v1beta/models",       "/v1beta/cachedContents",
		"/v1beta/models/gemini-3",      "/v1beta/files/x:copy", "/v1beta/interactions",
		"/v1/models/gemini-3:classify",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct talk talk = { .path = paths[i], .host = HOST };
		struct told told;

		talk.request = SLICE("{\"instances\":[[1,2]]}");
		talk.body = SLICE("{\"predictions\":[0.5],\"models\":[]}");
		assert_false(talk_run(&talk, &talk_heap.alloc, NULL, &told));
		told_free(&told);
	}
}

#define ASK_TURN                                                                                                       \
	"{\"model\":\"gemini-3\",\"input\":\"Where?\",\"system_instruction\":\"Be terse.\",\"tools\":[{\"type\":"      \
	"\"function\",\"name\":\"f\",\"parameters\":{}},{\"type\":\"google_search\"}]}"

static void a_turn_is_read(void **state)
{
	struct talk talk = { .path = "/v1beta/interactions", .host = HOST, .request = SLICE(ASK_TURN) };
	struct told told;

	talk.body = SLICE(
		"{\"id\":\"v1_a\",\"model\":\"gemini-3\",\"status\":\"requires_action\",\"steps\":[{\"type\":\"thought\",\"summary\":"
		"[{\"type\":\"text\",\"text\":\"Hm\"}]},{\"type\":\"google_search_call\",\"id\":\"s\",\"arguments\":{\"queries\":[\"q\"]}},"
		"{\"type\":\"google_search_result\",\"call_id\":\"s\",\"result\":[{\"url\":\"u\"}]},"
		"{\"type\":\"model_output\",\"content\":[{\"type\":\"text\",\"text\":\"Paris\"}]},"
		"{\"type\":\"function_call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":{\"a\":1}}],"
		"\"usage\":{\"total_input_tokens\":5,\"total_tool_use_tokens\":2,\"total_output_tokens\":3,\"total_thought_tokens\":4,"
		"\"total_cached_tokens\":1,\"total_tokens\":14}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "gemini.interactions");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Where?\"}]}]");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be terse.\"}]");
	assert_slice(json_path(told.call.tools, "#1", "function", "name", NULL), "\"google_search\"");
	assert_slice(json_path(told.call.output_messages, "#0", "parts", "#0", NULL),
		     "{\"type\":\"reasoning\",\"content\":\"Hm\"}");
	assert_slice(json_path(told.call.output_messages, "#0", "parts", "#4", NULL),
		     "{\"type\":\"tool_call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":{\"a\":1}}");
	assert_slice(json_path(told.call.output_messages, "#0", "finish_reason", NULL), "\"tool_call\"");
	assert_slice(told.call.finish_reasons[0], "requires_action");
	assert_slice(told.call.steps->name, "google_search");
	assert_slice(told.call.steps->outputs, "[{\"url\":\"u\"}]");
	assert_null(told.call.steps->next);
	assert_int_equal(told.call.usage.input, 7);
	assert_int_equal(told.call.usage.output, 7);
	assert_int_equal(told.call.usage.total, 14);
	assert_int_equal(told.call.usage.cache_read, 1);
	assert_true(told.call.chat_messages.len > 0);
	told_free(&told);
}

/* What was made earlier is shown again; its tokens and steps were told when it was made. */
static void a_turn_that_is_fetched_counts_nothing(void **state)
{
	struct talk talk = { .path = "/v1beta/interactions/v1_a", .host = HOST };
	struct dialect_hint hint = { .method = SLICE("GET"),
				     .path = SLICE("/v1beta/interactions/v1_a"),
				     .host = SLICE(HOST),
				     .request_is_whole = true };
	struct arena *arena = arena_new(&talk_heap.alloc, 1 << 20);
	const struct dialect *dialect;
	struct call call;
	unsigned score;
	void *memory;

	dialect = dialect_find(&hint, &score);
	assert_string_equal(dialect->name, "gemini.interactions");
	talk.body = SLICE(
		"{\"id\":\"v1_a\",\"model\":\"gemini-3\",\"status\":\"completed\",\"steps\":["
		"{\"type\":\"google_search_call\",\"id\":\"s\",\"arguments\":{}},{\"type\":\"model_output\",\"content\":["
		"{\"type\":\"text\",\"text\":\"Paris\"}]}],\"usage\":{\"total_input_tokens\":5,\"total_output_tokens\":3}}");
	talk_call(&talk, &call, arena);
	call.method = SLICE("GET");
	memory = arena_alloc(arena, dialect->state_size);
	dialect->request(&call, memory);
	dialect->response(&call, memory);
	dialect->finish(&call, memory);
	assert_int_equal(call.operation, OPERATION_FETCH);
	assert_slice(dialect->span_name(&call), "Interactions.get");
	assert_slice(call.vendor, "gcp.gemini");
	assert_slice(call.response_id, "v1_a");
	assert_slice(call.finish_reasons[0], "completed");
	assert_true(slice_contains(call.output_messages, SLICE("Paris")));
	assert_int_equal(call.usage.input, -1);
	assert_null(call.steps);
	hint.host = SLICE("else.example");
	assert_null(dialect_find(&hint, &score));
	hint.response_body = talk.body;
	assert_ptr_equal(dialect_find(&hint, &score), dialect);
	arena_free(arena);
}

static void a_streamed_turn_is_one_object(void **state)
{
	struct talk talk = { .path = "/v1beta/interactions", .host = HOST, .request = SLICE(ASK_TURN) };
	struct told told;
	static const struct slice events[] = {
		SLICE("interaction.created|{\"event_type\":\"interaction.created\",\"interaction\":{\"id\":\"v1_a\",\"status\":\"in_progress\"}}"),
		SLICE("step.start|{\"event_type\":\"step.start\",\"index\":0,\"step\":{\"type\":\"thought\"}}"),
		SLICE("step.delta|{\"event_type\":\"step.delta\",\"index\":0,\"delta\":{\"type\":\"thought_summary\",\"content\":{\"text\":\"Hm\"}}}"),
		SLICE("step.delta|{\"event_type\":\"step.delta\",\"index\":0,\"delta\":{\"type\":\"thought_signature\",\"signature\":\"AA\"}}"),
		SLICE("step.start|{\"event_type\":\"step.start\",\"index\":1,\"step\":{\"type\":\"model_output\"}}"),
		SLICE("step.delta|{\"event_type\":\"step.delta\",\"index\":1,\"delta\":{\"type\":\"text\",\"text\":\"Par\"}}"),
		SLICE("step.delta|{\"event_type\":\"step.delta\",\"index\":1,\"delta\":{\"type\":\"text\",\"text\":\"is\"}}"),
		SLICE("step.start|{\"event_type\":\"step.start\",\"index\":2,\"step\":{\"type\":\"function_call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":{}}}"),
		SLICE("step.delta|{\"event_type\":\"step.delta\",\"index\":2,\"delta\":{\"type\":\"arguments_delta\",\"arguments\":\"{\\\"a\\\":1}\"}}"),
		SLICE("step.stop|{\"event_type\":\"step.stop\",\"index\":2}"),
		SLICE("interaction.completed|{\"event_type\":\"interaction.completed\",\"interaction\":{\"id\":\"v1_a\",\"model\":\"gemini-3\","
		      "\"status\":\"requires_action\",\"usage\":{\"total_input_tokens\":5,\"total_output_tokens\":3,\"total_tokens\":8}}}"),
		SLICE("done|[DONE]"),
	};

	memcpy(talk.events, events, sizeof(events));
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qqcqqccqcqle");
	assert_slice(
		told.call.outputs,
		"{\"id\":\"v1_a\",\"model\":\"gemini-3\",\"status\":\"requires_action\",\"usage\":{\"total_input_tokens\":5,"
		"\"total_output_tokens\":3,\"total_tokens\":8},\"steps\":[{\"type\":\"thought\",\"summary\":[{\"type\":\"text\",\"text\":\"Hm\"}],"
		"\"signature\":\"AA\"},{\"type\":\"model_output\",\"content\":[{\"type\":\"text\",\"text\":\"Paris\"}]},"
		"{\"type\":\"function_call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}]}");
	assert_slice(json_path(told.call.output_messages, "#0", "parts", "#2", NULL),
		     "{\"type\":\"tool_call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":{\"a\":1}}");
	assert_int_equal(told.call.usage.total, 8);
	told_free(&told);
}

static void an_error_in_a_turn_is_told(void **state)
{
	struct talk talk = { .path = "/v1beta/interactions", .host = HOST, .request = SLICE(ASK_TURN) };
	struct told told;

	talk.events[0] =
		SLICE("error|{\"event_type\":\"error\",\"error\":{\"code\":\"internal\",\"message\":\"broke\"}}");
	told = talk_told(&talk);
	assert_true(told.call.has_error && told.call.error.in_band);
	assert_slice(told.call.error.message, "broke");
	told_free(&told);
}

static void claude_on_vertex_has_its_model_in_the_path(void **state)
{
	struct talk talk = { .host = "us-east5-aiplatform.googleapis.com" };
	struct told told;

	talk.path =
		"/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4@20250514:streamRawPredict";
	talk.request =
		SLICE("{\"anthropic_version\":\"vertex-2023-10-16\",\"messages\":[],\"max_tokens\":9,\"stream\":true}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "anthropic.messages");
	assert_slice(told.call.request_model, "claude-sonnet-4@20250514");
	assert_slice(told.call.vendor, "gcp.vertex_ai");
	told_free(&told);
	talk.path = "/v1/projects/p/locations/us/publishers/anthropic/models/count-tokens:rawPredict";
	talk.request = SLICE("{\"model\":\"claude-x\",\"messages\":[],\"anthropic_version\":\"vertex-2023-10-16\"}");
	talk.body = SLICE("{\"input_tokens\":3}");
	told = talk_told(&talk);
	assert_int_equal(told.call.operation, OPERATION_COUNT_TOKENS);
	assert_slice(told.call.request_model, "claude-x");
	told_free(&told);
	memset(&talk.request, 0, sizeof(talk.request));
	talk.request_is_cut = true;
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "anthropic.messages");
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counting_is_no_consumption),
		cmocka_unit_test(texts_are_embedded),
		cmocka_unit_test(media_are_predicted),
		cmocka_unit_test(other_servers_and_methods_are_none),
		cmocka_unit_test(a_turn_is_read),
		cmocka_unit_test(a_turn_that_is_fetched_counts_nothing),
		cmocka_unit_test(a_streamed_turn_is_one_object),
		cmocka_unit_test(an_error_in_a_turn_is_told),
		cmocka_unit_test(claude_on_vertex_has_its_model_in_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
