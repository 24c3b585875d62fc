/* SPDX-License-Identifier: Apache-2.0 */
/* InvokeModel: each vendor's body by the one who reads it, the envelope of streams, counts in headers; and what stands beside it. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"

static struct talk invoke(const char *path, struct slice request, struct slice body)
{
	return (struct talk){
		.path = path, .host = "bedrock-runtime.us-east-1.amazonaws.com", .request = request, .body = body
	};
}

/* "chunk|{"bytes":"<base64 of @json>"}" */
static struct slice chunk(const char *json)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static char room[16][2048];
	static size_t turn;
	char *out = room[turn++ % 16], *at = out + snprintf(out, sizeof(room[0]), "chunk|{\"bytes\":\"");
	size_t len = strlen(json);

	for (size_t i = 0; i < len; i += 3) {
		size_t more = len - i < 3 ? len - i : 3;
		uint32_t bits = 0;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < more ? (unsigned char)json[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			*at++ = k <= more ? digits[bits >> (18 - 6 * k) & 63] : '=';
	}
	at += snprintf(at, 32, "\",\"p\":\"abc\"}");
	return (struct slice){ out, (size_t)(at - out) };
}

static void bodies_of_the_vendors(void **state)
{
	static const struct {
		const char *request, *body, *text, *reason;
		int64_t input, output;
	} rows[] = {
		{ "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
		  "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"c\",\"content\":[{\"type\":\"text\",\"text\":\"Yo\"}],"
		  "\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":3,\"output_tokens\":2}}",
		  "Yo", "end_turn", 3, 2 },
		{ "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hi\"}]}],\"inferenceConfig\":{\"max_new_tokens\":9}}",
		  "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"Yo\"}]}},\"stopReason\":\"end_turn\","
		  "\"usage\":{\"inputTokens\":3,\"outputTokens\":2}}",
		  "Yo", "end_turn", 3, 2 },
		{ "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":9}",
		  "{\"id\":\"x\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Yo\"},"
		  "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}",
		  "Yo", "stop", 3, 2 },
		{ "{\"inputText\":\"Hi\",\"textGenerationConfig\":{}}",
		  "{\"inputTextTokenCount\":3,\"results\":[{\"tokenCount\":2,\"outputText\":\"Yo\",\"completionReason\":\"FINISH\"}]}",
		  "Yo", "FINISH", 3, 2 },
		{ "{\"prompt\":\"Hi\",\"max_gen_len\":9}",
		  "{\"generation\":\"Yo\",\"prompt_token_count\":3,\"generation_token_count\":2,\"stop_reason\":\"stop\"}",
		  "Yo", "stop", 3, 2 },
		{ "{\"prompt\":\"Hi\",\"max_tokens\":9}",
		  "{\"outputs\":[{\"text\":\"Yo\",\"stop_reason\":\"length\"}]}", "Yo", "length", -1, -1 },
		{ "{\"prompt\":\"Hi\",\"p\":0.5}",
		  "{\"generations\":[{\"text\":\"Yo\",\"finish_reason\":\"COMPLETE\"}]}", "Yo", "COMPLETE", -1, -1 },
		{ "{\"message\":\"Hi\",\"chat_history\":[]}", "{\"text\":\"Yo\",\"finish_reason\":\"COMPLETE\"}", "Yo",
		  "COMPLETE", -1, -1 },
		{ "{\"prompt\":\"Hi\"}",
		  "{\"completions\":[{\"data\":{\"text\":\"Yo\"},\"finishReason\":{\"reason\":\"endoftext\"}}]}", "Yo",
		  "endoftext", -1, -1 },
		{ "{\"prompt\":\"Hi\",\"max_tokens_to_sample\":9}",
		  "{\"completion\":\"Yo\",\"stop_reason\":\"stop_sequence\"}", "Yo", "stop_sequence", -1, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk =
			invoke("/model/x.y-v1%3A0/invoke", slice_of(rows[i].request), slice_of(rows[i].body));
		struct told told = talk_told(&talk);
		char want[200];

		assert_string_equal(told.dialect->name, "bedrock.invoke");
		assert_slice(told.dialect->span_name(&told.call), "BedrockRuntime.invoke_model");
		assert_slice(told.call.request_model, "x.y-v1:0");
		assert_slice(told.call.vendor, "aws.bedrock");
		assert_slice(told.call.inputs, rows[i].request);
		assert_slice(told.call.outputs, rows[i].body);
		assert_slice(told.call.finish_reasons[0], rows[i].reason);
		assert_int_equal(told.call.usage.input, rows[i].input);
		assert_int_equal(told.call.usage.output, rows[i].output);
		assert_slice(told.call.input_messages,
			     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]}]");
		snprintf(want, sizeof(want), "\"parts\":[{\"type\":\"text\",\"content\":\"%s\"}]", rows[i].text);
		assert_true(slice_contains(told.call.output_messages, slice_of(want)));
		assert_non_null(told.call.chat_messages.data);
		told_free(&told);
	}
}

static void a_stream_of_messages_in_envelopes(void **state)
{
	struct talk talk = invoke(
		"/model/anthropic.claude/invoke-with-response-stream",
		SLICE("{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"),
		SLICE_NONE);
	struct told told;

	talk.events[0] = chunk(
		"{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}}");
	talk.events[1] = chunk(
		"{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}");
	talk.events[2] = chunk(
		"{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Yo\"}}");
	talk.events[3] = chunk(
		"{\"type\":\"message_stop\",\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":14,\"outputTokenCount\":6,"
		"\"cacheReadInputTokenCount\":100}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qqcl");
	assert_slice(told.dialect->span_name(&told.call), "BedrockRuntime.invoke_model_with_response_stream");
	assert_slice(
		told.call.outputs,
		"{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Yo\"}]}");
	assert_int_equal(told.call.usage.input, 114);
	assert_int_equal(told.call.usage.output, 6);
	assert_int_equal(told.call.usage.total, 120);
	assert_int_equal(told.call.usage.cache_read, 100);
	told_free(&told);
}

static void a_stream_of_text(void **state)
{
	struct talk talk =
		invoke("/model/meta.llama/invoke-with-response-stream", SLICE("{\"prompt\":\"Hi\"}"), SLICE_NONE);
	struct told told;

	talk.events[0] = chunk("{\"generation\":\"Y\\u00f6\",\"prompt_token_count\":3,\"generation_token_count\":1}");
	talk.events[1] = chunk(
		"{\"generation\":\"!\",\"prompt_token_count\":null,\"generation_token_count\":2,\"stop_reason\":\"stop\","
		"\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":3,\"outputTokenCount\":2}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "cl");
	assert_true(told.call.outputs_is_text);
	assert_slice(told.call.outputs, "Y\xc3\xb6!");
	assert_slice(told.call.finish_reasons[0], "stop");
	assert_int_equal(told.call.usage.input, 3);
	assert_int_equal(told.call.usage.output, 2);
	told_free(&told);
}

static void slashes_of_an_envelope_may_be_escaped(void **state)
{
	struct talk talk =
		invoke("/model/meta.llama/invoke-with-response-stream", SLICE("{\"prompt\":\"Hi\"}"), SLICE_NONE);
	struct told told;

	talk.events[0] = SLICE("chunk|{\"bytes\":\"eyJnZW5lcmF0aW9uIjoid2h5Pz8\\/In0=\"}");
	told = talk_told(&talk);
	assert_slice(told.call.outputs, "why???");
	assert_false(told.call.is_undecodable);
	told_free(&told);
	talk = invoke("/agents/A/agentAliases/B/sessions/s1/text", SLICE("{\"inputText\":\"q\"}"), SLICE_NONE);
	talk.events[0] = SLICE("chunk|{\"bytes\":\"YT8\\/\"}");
	told = talk_told(&talk);
	assert_slice(told.call.outputs, "{\"completion\":\"a??\"}");
	told_free(&told);
}

static void a_stream_of_nova(void **state)
{
	struct talk talk =
		invoke("/model/us.amazon.nova/invoke-with-response-stream",
		       SLICE("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hi\"}]}]}"), SLICE_NONE);
	struct told told;

	talk.events[0] = chunk("{\"messageStart\":{\"role\":\"assistant\"}}");
	talk.events[1] = chunk("{\"contentBlockDelta\":{\"delta\":{\"text\":\"Yo\"},\"contentBlockIndex\":0}}");
	talk.events[2] = chunk("{\"messageStop\":{\"stopReason\":\"end_turn\"}}");
	talk.events[3] = chunk("{\"metadata\":{\"usage\":{\"inputTokens\":3,\"outputTokens\":2}}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qcql");
	assert_slice(
		told.call.outputs,
		"{\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":3,\"outputTokens\":2},\"output\":{\"message\":"
		"{\"role\":\"assistant\",\"content\":[{\"text\":\"Yo\"}]}}}");
	assert_int_equal(told.call.usage.total, 5);
	told_free(&told);
}

static void an_envelope_that_holds_nothing_is_told(void **state)
{
	static const struct slice bad[] = { SLICE("chunk|{\"bytes\":\"!!\"}"), SLICE("chunk|{\"bytes\":\"QQ==\"}") };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct talk talk =
			invoke("/model/x/invoke-with-response-stream", SLICE("{\"prompt\":\"Hi\"}"), SLICE_NONE);
		struct told told;

		talk.events[0] = bad[i];
		told = talk_told(&talk);
		assert_true(told.call.is_undecodable);
		told_free(&told);
	}
}

static void embeddings_and_reranking(void **state)
{
	struct talk talk = invoke("/model/amazon.titan-embed/invoke", SLICE("{\"inputText\":\"hello\"}"),
				  SLICE("{\"embedding\":[0.1,0.2],\"inputTextTokenCount\":3}"));
	struct told told = talk_told(&talk);

	assert_int_equal(told.call.operation, OPERATION_EMBEDDINGS);
	assert_int_equal(told.call.usage.input, 3);
	told_free(&told);
	talk = invoke(
		"/model/cohere.rerank/invoke", SLICE("{\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"b\"}]}"),
		SLICE("{\"results\":[{\"index\":1,\"relevance_score\":0.9},{\"index\":7,\"relevance_score\":0.1}]}"));
	told = talk_told(&talk);
	assert_int_equal(told.call.operation, OPERATION_RERANK);
	assert_slice(told.call.outputs, "[{\"page_content\":\"b\",\"metadata\":{\"index\":1,\"score\":0.9}},"
					"{\"page_content\":\"\",\"metadata\":{\"index\":7,\"score\":0.1}}]");
	told_free(&told);
}

static void agents_and_knowledge_bases(void **state)
{
	struct talk talk =
		invoke("/agents/A1/agentAliases/B/sessions/s1/text", SLICE("{\"inputText\":\"Hi\"}"), SLICE_NONE);
	struct told told;

	talk.events[0] = SLICE(
		"trace|{\"trace\":{\"orchestrationTrace\":{\"modelInvocationOutput\":{\"metadata\":{\"usage\":{\"inputTokens\":5,\"outputTokens\":1}}}}}}");
	talk.events[1] = SLICE(
		"trace|{\"trace\":{\"orchestrationTrace\":{\"modelInvocationOutput\":{\"metadata\":{\"usage\":{\"inputTokens\":6,\"outputTokens\":2}}}}}}");
	talk.events[2] = SLICE("chunk|{\"bytes\":\"WW8iCg==\"}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "bedrock.agent");
	assert_int_equal(told.call.operation, OPERATION_AGENT);
	assert_slice(told.call.session_id, "s1");
	assert_slice(told.call.outputs, "{\"completion\":\"Yo\\\"\\n\"}");
	assert_int_equal(told.call.usage.input, 11);
	assert_int_equal(told.call.usage.output, 3);
	told_free(&told);
	talk = invoke(
		"/knowledgebases/KB/retrieve", SLICE("{\"retrievalQuery\":{\"text\":\"q\"}}"),
		SLICE("{\"retrievalResults\":[{\"content\":{\"text\":\"d\"},\"score\":0.5,\"metadata\":{\"k\":1},"
		      "\"location\":{\"type\":\"S3\",\"s3Location\":{\"uri\":\"s3://b/k\"}}},{\"content\":{\"text\":\"e\"},\"metadata\":{},"
		      "\"location\":{\"type\":\"CUSTOM\",\"customDocumentLocation\":{\"id\":\"d7\"}}}]}"));
	told = talk_told(&talk);
	assert_int_equal(told.call.operation, OPERATION_RETRIEVAL);
	assert_slice(attribute_text(&told.call, "gen_ai.retrieval.documents"),
		     "[{\"id\":\"s3://b/k\",\"score\":0.5},{\"id\":\"d7\"}]");
	assert_slice(
		told.call.outputs,
		"[{\"page_content\":\"d\",\"metadata\":{\"k\":1,\"score\":0.5,\"location\":{\"type\":\"S3\",\"s3Location\":{\"uri\":\"s3://b/k\"}}},"
		"\"id\":\"s3://b/k\"},{\"page_content\":\"e\",\"metadata\":{\"location\":{\"type\":\"CUSTOM\","
		"\"customDocumentLocation\":{\"id\":\"d7\"}}},\"id\":\"d7\"}]");
	told_free(&told);
	talk = invoke(
		"/retrieveAndGenerate",
		SLICE("{\"input\":{\"text\":\"q\"},\"retrieveAndGenerateConfiguration\":{\"type\":\"EXTERNAL_SOURCES\","
		      "\"externalSourcesConfiguration\":{\"modelArn\":\"anthropic.claude-3\",\"sources\":[]}}}"),
		SLICE("{\"output\":{\"text\":\"a\"}}"));
	told = talk_told(&talk);
	assert_slice(told.call.request_model, "anthropic.claude-3");
	told_free(&told);
}

static void what_stands_beside(void **state)
{
	static const struct {
		const char *path, *request, *name;
		enum call_operation is;
	} rows[] = {
		{ "/model/m/count-tokens", "{\"input\":{\"converse\":{}}}", "BedrockRuntime.count_tokens",
		  OPERATION_COUNT_TOKENS },
		{ "/guardrail/g/version/1/apply", "{\"source\":\"INPUT\",\"content\":[]}",
		  "BedrockRuntime.apply_guardrail", OPERATION_MODERATION },
		{ "/async-invoke", "{\"modelId\":\"m\",\"modelInput\":{}}", "BedrockRuntime.start_async_invoke",
		  OPERATION_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = invoke(rows[i].path, slice_of(rows[i].request), SLICE("{\"action\":\"NONE\"}"));
		struct told told = talk_told(&talk);

		assert_string_equal(told.dialect->name, "bedrock.misc");
		assert_slice(told.dialect->span_name(&told.call), rows[i].name);
		assert_int_equal(told.call.operation, rows[i].is);
		told_free(&told);
	}
}

static void endpoints_of_sagemaker(void **state)
{
	struct talk talk = invoke(
		"/endpoints/my-llama/invocations", SLICE("{\"inputs\":\"Hi\",\"parameters\":{}}"),
		SLICE("[{\"generated_text\":\"Yo\",\"details\":{\"finish_reason\":\"length\",\"generated_tokens\":2}}]"));
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "sagemaker.invoke");
	assert_slice(told.call.request_model, "my-llama");
	assert_slice(told.call.vendor, "aws.sagemaker");
	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Yo\"}],\"finish_reason\":\"length\"}]");
	assert_int_equal(told.call.usage.output, 2);
	told_free(&told);
	talk = invoke("/endpoints/e/invocations-response-stream", SLICE("{\"inputs\":\"Hi\"}"), SLICE_NONE);
	talk.events[0] = SLICE("PayloadPart|data:{\"token\":{\"te");
	talk.events[1] = SLICE("PayloadPart|xt\":\"Y\"}}\n\ndata:{\"token\":{\"text\":\"o\"}}\n");
	talk.events[2] = SLICE("PayloadPart|\ndata:{\"token\":{\"text\":\"!\"},\"details\":{\"generated_tokens\":3}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qcq");
	assert_slice(told.call.outputs, "Yo!");
	assert_int_equal(told.call.usage.output, 3);
	told_free(&told);
}

static void chats_of_sagemaker(void **state)
{
	struct talk talk =
		invoke("/endpoints/e/invocations-response-stream",
		       SLICE("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}"), SLICE_NONE);
	struct told told;

	talk.events[0] = SLICE(
		"PayloadPart|data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Yo\"}}]}\n\nda");
	talk.events[1] = SLICE(
		"PayloadPart|ta: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "sagemaker.invoke");
	assert_int_equal(told.call.operation, OPERATION_CHAT);
	assert_slice(told.call.finish_reasons[0], "stop");
	assert_true(slice_contains(told.call.outputs, SLICE("\"content\":\"Yo\"")));
	assert_false(told.call.is_undecodable);
	told_free(&told);
	talk.status = 400;
	memset(talk.events, 0, sizeof(talk.events));
	talk.body = SLICE("{\"message\":\"no such endpoint\"}");
	told = talk_told(&talk);
	assert_slice(told.call.error.message, "no such endpoint");
	told_free(&told);
}

static void look_alikes_are_left_alone(void **state)
{
	static const struct {
		const char *path, *request;
	} rows[] = {
		{ "/invoke", "{\"prompt\":\"x\"}" },      { "/retrieve", "{\"retrievalQuery\":{}}" },
		{ "/retrieveAndGenerate", "{\"x\":1}" },  { "/apply", "{\"content\":[]}" },
		{ "/model/m/converse", "{\"other\":1}" }, { "/model/m/count-tokens", "{\"text\":\"x\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dialect_hint hint = { .method = SLICE("POST"),
					     .path = slice_of(rows[i].path),
					     .request_body = slice_of(rows[i].request),
					     .request_is_whole = true };
		unsigned score;
		const struct dialect *found = dialect_find(&hint, &score);

		assert_false(found && strncmp(found->name, "bedrock.", 8) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_of_the_vendors),    cmocka_unit_test(a_stream_of_messages_in_envelopes),
		cmocka_unit_test(a_stream_of_text),         cmocka_unit_test(slashes_of_an_envelope_may_be_escaped),
		cmocka_unit_test(a_stream_of_nova),         cmocka_unit_test(an_envelope_that_holds_nothing_is_told),
		cmocka_unit_test(embeddings_and_reranking), cmocka_unit_test(agents_and_knowledge_bases),
		cmocka_unit_test(what_stands_beside),       cmocka_unit_test(endpoints_of_sagemaker),
		cmocka_unit_test(chats_of_sagemaker),       cmocka_unit_test(look_alikes_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
