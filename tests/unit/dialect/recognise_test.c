/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a call is: by path and body, by the answer alone, and nobody's where it is no model call. */
#include "dialect/common.h"
#include "unit/dialect/talk.h"

static const char *found(const char *method, const char *path, const char *request, const char *answer)
{
	struct dialect_hint hint = { .method = slice_of(method),
				     .path = slice_of(path),
				     .request_body = slice_of(request),
				     .request_is_whole = request,
				     .response_body = slice_of(answer) };
	const struct dialect *dialect;
	unsigned score;

	dialect = dialect_find(&hint, &score);
	assert_int_equal(!dialect, !score);
	return dialect ? dialect->name : "-";
}

#define CHAT   "{\"model\":\"m\",\"messages\":[]}"
#define CLAUDE "{\"model\":\"m\",\"messages\":[],\"max_tokens\":1}"
#define PROMPT "{\"model\":\"m\",\"prompt\":\"x\"}"
#define INPUT  "{\"model\":\"m\",\"input\":\"x\"}"
#define ITEMS  "{\"input\":[{\"role\":\"user\",\"content\":\"x\"}]}"

static const struct {
	const char *path, *body, *dialect;
} posts[] = {
	{ "/v1/chat/completions", CHAT, "openai.chat" },
	{ "/v1/chat/completions/", CHAT, "openai.chat" },
	{ "/openai/deployments/d/chat/completions", "{\"messages\":[]}", "openai.chat" },
	{ "/inference/v1/chat/completions", CHAT, "openai.chat" },
	{ "/v1beta/openai/chat/completions", CHAT, "openai.chat" },
	{ "/api/paas/v4/chat/completions", CHAT, "openai.chat" },
	{ "/api/v2/cortex/v1/chat/completions", CHAT, "openai.chat" },
	{ "/serving-endpoints/llama/invocations", "{\"messages\":[]}", "openai.chat" },
	{ "/serving-endpoints/chat/completions", CHAT, "openai.chat" },
	{ "/serving-endpoints/e/invocations", "{\"input\":[\"a\"]}", "openai.embeddings" },
	{ "/serving-endpoints/e/invocations", ITEMS, "openai.responses" },
	{ "/serving-endpoints/e/invocations", "{\"prompt\":\"a\"}", "openai.completions" },
	{ "/serving-endpoints/e/invocations", "{\"dataframe_split\":{}}", "-" },
	{ "/v1/agents/completions", "{\"agent_id\":\"a\",\"messages\":[]}", "openai.chat" },
	{ "/v1/fim/completions", PROMPT, "openai.completions" },
	{ "/v1/completions", PROMPT, "openai.completions" },
	{ "/v1/chat", CHAT, "openai.chat" },
	{ "/v1/chat", "{\"message\":\"x\",\"model\":\"m\"}", "cohere.v1.chat" },
	{ "/v1/chat", "{\"message\":{\"id\":1},\"model\":\"m\"}", "-" },
	{ "/v2/chat", CHAT, "cohere.chat" },
	{ "/v2/chat", "{\"text\":\"x\"}", "-" },
	{ "/v2/embed", "{\"texts\":[],\"input_type\":\"x\"}", "cohere.embed" },
	{ "/embed", "{\"texts\":[]}", "-" },
	{ "/v1/rerank", "{\"query\":\"q\",\"documents\":[]}", "rerank" },
	{ "/v1/rerank", "{\"query\":\"q\"}", "-" },
	{ "/score", "{\"query\":\"q\",\"documents\":[]}", "-" },
	{ "/v1/responses", INPUT, "openai.responses" },
	{ "/backend-api/codex/responses", ITEMS, "openai.responses" },
	{ "/v1/responses/input_tokens", INPUT, "openai.responses" },
	{ "/v1/embeddings", INPUT, "openai.embeddings" },
	{ "/v1/moderations", INPUT, "openai.moderations" },
	{ "/v1/audio/speech", INPUT, "openai.speech" },
	{ "/v1/audio/transcriptions", "{\"model\":\"m\"}", "openai.transcriptions" },
	{ "/openai/v1/audio/translations", "{\"file\":{\"filename\":\"a\"}}", "openai.transcriptions" },
	{ "/v1/audio/translations", "{\"x\":1}", "-" },
	{ "/openai/deployments/w/audio/transcriptions", "{\"file\":{\"bytes\":1}}", "openai.transcriptions" },
	{ "/v1/images/variations", "{\"image\":{\"bytes\":1}}", "openai.images" },
	{ "/v1/images/variations", "{\"image\":{\"filename\":\"a\"}}", "openai.images" },
	/* work that is given away, and files: what they cost is told nowhere near */
	{ "/v1/batches", "{\"input_file_id\":\"f\",\"endpoint\":\"/v1/responses\"}", "-" },
	{ "/v1/messages/batches", "{\"requests\":[{\"params\":{\"model\":\"m\",\"messages\":[]}}]}", "-" },
	{ "/v1/files", "--x\r\nContent-Disposition: form-data; name=\"purpose\"", "-" },
	{ "/v1/uploads", "{\"purpose\":\"batch\"}", "-" },
	{ "/v1/fine_tuning/jobs", "{\"model\":\"m\",\"training_file\":\"f\"}", "-" },
	{ "/v1/responses/resp_1/cancel", "", "-" },
	{ "/v1/images/generations", PROMPT, "openai.images" },
	{ "/v1/messages", CLAUDE, "anthropic.messages" },
	{ "/anthropic/v1/messages", CLAUDE, "anthropic.messages" },
	{ "/v1/messages/count_tokens", CHAT, "anthropic.messages" },
	{ "/v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict",
	  "{\"anthropic_version\":\"v\",\"messages\":[]}", "anthropic.messages" },
	{ "/messages", "{\"jsonrpc\":\"2.0\",\"messages\":[],\"model\":1}", "-" },
	{ "/v1/threads/t/messages", "{\"role\":\"user\",\"content\":\"x\"}", "-" },
	{ "/api/chat", CHAT, "ollama.chat" },
	{ "/api/chat", "{\"messages\":[],\"id\":\"x\"}", "-" },
	{ "/api/generate", PROMPT, "ollama.generate" },
	{ "/api/embed", INPUT, "ollama.embed" },
	{ "/api/embeddings", PROMPT, "ollama.embed" },
	/* what agents say beside */
	{ "/api/event_logging/v2/batch", "{\"events\":[{\"model\":\"m\",\"messages\":[]}]}", "-" },
	{ "/api/eval/sdk-abc", "{\"attributes\":{\"model\":\"m\"}}", "-" },
	{ "/api/show", "{\"model\":\"m\"}", "-" },
	{ "/v1/infer", PROMPT, "-" },
};

static void paths_and_bodies_tell(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(posts); i++)
		if (strcmp(found("POST", posts[i].path, posts[i].body, NULL), posts[i].dialect) != 0)
			fail_msg("%s %s: %s", posts[i].path, posts[i].body,
				 found("POST", posts[i].path, posts[i].body, NULL));
}

/* Formats of one provider, or of servers of one's own. */
static void the_smaller_formats_tell(void **state)
{
	static const struct {
		const char *path, *body, *dialect;
	} calls[] = {
		{ "/v1/chat", "{\"message\":\"x\",\"model\":\"m\"}", "cohere.v1.chat" },
		{ "/v1/chat", "{\"message\":{\"id\":1},\"model\":\"m\"}", "-" },
		{ "/v2/chat", CHAT, "cohere.chat" },
		{ "/v2/chat", "{\"text\":\"x\"}", "-" },
		{ "/v2/embed", "{\"texts\":[],\"input_type\":\"x\"}", "cohere.embed" },
		{ "/embed", "{\"texts\":[]}", "-" },
		{ "/v1/rerank", "{\"query\":\"q\",\"documents\":[]}", "rerank" },
		{ "/v1/rerank", "{\"query\":\"q\"}", "-" },
		{ "/score", "{\"query\":\"q\",\"documents\":[]}", "-" },
		{ "/v1/conversations", "{\"model\":\"m\",\"inputs\":\"x\"}", "mistral.conversations" },
		{ "/v1/conversations/conv_1", "{\"inputs\":\"x\"}", "mistral.conversations" },
		{ "/v1/conversations", "{\"items\":[]}", "-" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (strcmp(found("POST", calls[i].path, calls[i].body, NULL), calls[i].dialect) != 0)
			fail_msg("%s %s: %s", calls[i].path, calls[i].body,
				 found("POST", calls[i].path, calls[i].body, NULL));
}

static void reading_is_no_call(void **state)
{
	assert_string_equal(found("GET", "/v1/chat/completions", NULL, NULL), "-");
	assert_string_equal(found("GET", "/v1/responses/resp_1/input_items", NULL, "{\"object\":\"list\"}"), "-");
	assert_string_equal(found("GET", "/v1/files/file-1/content", NULL, "{\"id\":\"b\",\"response\":{}}"), "-");
	assert_string_equal(found("GET", "/v1/messages/batches/b/results", NULL, "{\"custom_id\":\"c\"}"), "-");
	assert_string_equal(found("GET", "/v1/models", NULL, "{\"object\":\"list\",\"data\":[{\"id\":\"m\"}]}"), "-");
	assert_string_equal(found("HEAD", "/api/hello", NULL, NULL), "-");
}

/* A request that was missed: the answer, or its first event, has to tell. */
static void answers_alone_tell(void **state)
{
	static const struct {
		const char *answer, *dialect;
	} answers[] = {
		{ "{\"id\":\"c\",\"object\":\"chat.completion\",\"choices\":[]}", "openai.chat" },
		{ "{\"object\":\"chat.completion.chunk\",\"choices\":[]}", "openai.chat" },
		{ "{\"choices\":[{\"delta\":{}}]}", "openai.chat" },
		{ "{\"id\":\"\",\"choices\":[],\"prompt_filter_results\":[]}", "openai.chat" },
		{ "{\"object\":\"text_completion\",\"choices\":[]}", "openai.completions" },
		{ "{\"object\":\"response\",\"output\":[]}", "openai.responses" },
		{ "{\"type\":\"response.created\",\"response\":{}}", "openai.responses" },
		{ "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"x\"}", "openai.responses" },
		{ "{\"object\":\"list\",\"data\":[{\"embedding\":[0.1]}]}", "openai.embeddings" },
		{ "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}", "anthropic.messages" },
		{ "{\"type\":\"message_start\",\"message\":{}}", "anthropic.messages" },
		{ "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{}}", "anthropic.messages" },
		{ "{\"model\":\"m\",\"created_at\":\"t\",\"message\":{},\"done\":false}", "ollama.chat" },
		{ "{\"model\":\"m\",\"created_at\":\"t\",\"response\":\"\",\"done\":false}", "ollama.generate" },
		{ "{\"type\":\"message\",\"content\":\"chat server\"}", "-" },
		{ "{\"object\":\"list\",\"data\":[{\"id\":\"model\"}]}", "-" },
		{ "{\"status\":\"ok\"}", "-" },
		{ "<html>", "-" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (strcmp(found(NULL, NULL, NULL, answers[i].answer), answers[i].dialect) != 0)
			fail_msg("%s: %s", answers[i].answer, found(NULL, NULL, NULL, answers[i].answer));
}

static void unknown_asks_both_sides(void **state)
{
	assert_string_equal(found("POST", "/x", PROMPT, "{\"generated_text\":\"y\"}"), "unknown");
	assert_string_equal(found("POST", "/x", CHAT, "[{\"output\":\"y\"}]"), "unknown");
	assert_string_equal(found("POST", "/x", CHAT, "{\"error\":\"overloaded\"}"), "unknown");
	assert_string_equal(found("POST", "/x", CHAT, "{\"accepted\":true}"), "-");
	assert_string_equal(found("POST", "/x", "{\"model\":\"m\",\"seconds\":3}", "{\"text\":\"y\"}"), "-");
	assert_string_equal(found("POST", "/x", "{\"prompt\":\"m\"}", "{\"text\":\"y\"}"), "-");
	assert_string_equal(found("PUT", "/x", CHAT, "{\"text\":\"y\"}"), "-");
	/* a gateway's own path, a known answer */
	assert_string_equal(found("POST", "/x", CHAT, "{\"object\":\"chat.completion\",\"choices\":[]}"),
			    "openai.chat");
}

/* However little of the body was seen, the path still tells, and never something else. */
static void every_cut_of_the_body_is_recognised(void **state)
{
	static const struct {
		const char *path, *body, *dialect;
		size_t from; /* so much is needed */
	} calls[] = {
		{ "/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"model\":\"m\"}",
		  "openai.chat", 13 },
		{ "/v1/messages", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":1}",
		  "anthropic.messages", 13 },
		{ "/v1/responses", "{\"input\":[{\"role\":\"user\",\"content\":\"x\"}],\"model\":\"m\"}",
		  "openai.responses", 10 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		for (size_t len = 1; len <= strlen(calls[i].body); len++) {
			struct guard guard = guard_new((struct slice){ calls[i].body, len });
			struct dialect_hint hint = { .method = SLICE("POST"),
						     .path = slice_of(calls[i].path),
						     .request_body = guard.text };
			unsigned score;
			const struct dialect *dialect = dialect_find(&hint, &score);

			assert_true(!dialect || strcmp(dialect->name, calls[i].dialect) == 0);
			assert_true(dialect || len < calls[i].from);
			guard_free(&guard);
		}
	assert_string_equal(found("POST", "/v1/chat/completions", NULL, NULL), "openai.chat");
	assert_string_equal(found("POST", "/v1/embeddings", NULL, NULL), "-");
}

static void the_registry_is_in_order(void **state)
{
	const struct dialect *last = NULL, *dialect;
	size_t n;

	for (n = 0; (dialect = dialect_at(n)); n++) {
		assert_true(!last || dialect->order > last->order ||
			    (dialect->order == last->order && strcmp(dialect->name, last->name) > 0));
		assert_ptr_equal(dialect_by_name(slice_of(dialect->name)), dialect);
		last = dialect;
	}
	assert_true(n >= 11);
	assert_string_equal(last->name, "unknown");
	assert_null(dialect_by_name(SLICE("nobody")));
}

static void hosts_and_paths_name_the_vendor(void **state)
{
	static const struct {
		const char *host, *path, *vendor;
	} rows[] = {
		{ "api.openai.com", "/v1/x", "openai" },
		{ "eu.api.openai.com:443", "/v1/x", "openai" },
		{ "API.OpenAI.com.", "/", "openai" },
		{ "notapi.openai.com", "/", "" },
		{ "api.openai.com.evil.example", "/", "" },
		{ "chatgpt.com", "/backend-api/codex/responses", "openai" },
		{ "chatgpt.com", "/other", "" },
		{ "r.openai.azure.com", "/", "azure.ai.openai" },
		{ "r.services.ai.azure.com", "/anthropic/v1/messages", "anthropic" },
		{ "r.services.ai.azure.com", "/models/chat/completions", "azure.ai.inference" },
		{ "us-central1-aiplatform.googleapis.com", "/", "gcp.vertex_ai" },
		{ "aiplatform.googleapis.com", "/", "gcp.vertex_ai" },
		{ "bedrock-runtime.us-east-1.amazonaws.com", "/", "aws.bedrock" },
		{ "bedrock-runtime.a.b.amazonaws.com", "/", "" },
		{ "dashscope-intl.aliyuncs.com", "/", "dashscope" },
		{ "ws-1.ap-southeast-1.maas.aliyuncs.com", "/", "dashscope" },
		{ "api.siliconflow.cn", "/", "siliconflow" },
		{ "adb-1.2.azuredatabricks.net", "/", "databricks" },
		{ "gateway.corp", "/serving-endpoints/x/invocations", "databricks" },
		{ "gateway.corp", "/openai/deployments/x/chat/completions", "azure.ai.openai" },
		{ "", "/", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_slice(dialect_vendor_find(slice_of(rows[i].host), slice_of(rows[i].path)), rows[i].vendor);
	for (size_t i = 0; dialect_vendor_at(i); i++)
		assert_true(dialect_vendor_at(i)->vendor && dialect_vendor_at(i)->title);
}

static void servers_on_any_host_name_themselves(void **state)
{
	static const struct {
		const char *host;
		struct slice answer;
		const char *vendor;
	} servers[] = {
		{ "localhost:8080", SLICE("{\"choices\":[],\"timings\":{\"prompt_n\":1}}"), "llama_cpp" },
		{ "localhost:8000", SLICE("{\"choices\":[],\"prompt_logprobs\":null}"), "vllm" },
		{ "localhost:11434", SLICE("{\"choices\":[],\"system_fingerprint\":\"fp_ollama\"}"), "ollama" },
		{ "localhost", SLICE("{\"choices\":[],\"system_fingerprint\":\"fp_1\"}"), "openai" },
		{ "api.groq.com", SLICE("{\"choices\":[],\"timings\":{}}"), "groq" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		struct talk talk = { .path = "/v1/chat/completions",
				     .host = servers[i].host,
				     .request = SLICE(CHAT),
				     .body = servers[i].answer };
		struct told told = talk_told(&talk);

		assert_slice(told.call.vendor, servers[i].vendor);
		told_free(&told);
	}
}

static void clients_and_sessions_are_read_from_headers(void **state)
{
	struct talk talk = { .path = "/v1/chat/completions",
			     .request = SLICE("{\"model\":\"m\",\"messages\":[],\"metadata\":{\"session_id\":\"b\"}}"),
			     .body = SLICE("{}"),
			     .header = { SLICE("x-session-id"), SLICE("h") } };
	struct told told = talk_told(&talk);

	assert_slice(told.call.session_id, "h");
	assert_false(client_is_async(&told.call));
	told_free(&told);
	talk.header = (struct name_value){ SLICE("x-stainless-async"), SLICE("async:asyncio") };
	told = talk_told(&talk);
	assert_slice(told.call.session_id, "b");
	assert_true(client_is_async(&told.call));
	told_free(&told);
	talk.header = (struct name_value){ SLICE("x-stainless-async"), SLICE("false") };
	talk.agent = "OpenAI/JS 7.0.0";
	told = talk_told(&talk);
	assert_false(client_is_async(&told.call));
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_bodies_tell),
		cmocka_unit_test(the_smaller_formats_tell),
		cmocka_unit_test(reading_is_no_call),
		cmocka_unit_test(answers_alone_tell),
		cmocka_unit_test(unknown_asks_both_sides),
		cmocka_unit_test(every_cut_of_the_body_is_recognised),
		cmocka_unit_test(the_registry_is_in_order),
		cmocka_unit_test(hosts_and_paths_name_the_vendor),
		cmocka_unit_test(servers_on_any_host_name_themselves),
		cmocka_unit_test(clients_and_sessions_are_read_from_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
