/* SPDX-License-Identifier: Apache-2.0 */
/* Converse: blocks named by their one member, a stream that gives the answer back as autolog rebuilds it, usage with its cache. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"

#define MODEL "anthropic.claude-3-5-sonnet-20240620-v1"
#define ASK                                                                                                                \
	SLICE("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hi\"}]}],\"system\":[{\"text\":\"Be terse.\"}]," \
	      "\"inferenceConfig\":{\"maxTokens\":50,\"temperature\":0.2,\"stopSequences\":[\"Q:\"]}}")

static struct talk converse(void)
{
	return (struct talk){ .path = "/model/" MODEL "%3A0/converse",
			      .host = "bedrock-runtime.us-east-1.amazonaws.com",
			      .agent = "Boto3/1.44.5",
			      .request = ASK };
}

static struct talk converse_stream(void)
{
	struct talk talk = converse();

	talk.path = "/model/" MODEL "%3A0/converse-stream";
	return talk;
}

static void an_answer_in_one_piece(void **state)
{
	struct talk talk = converse();
	struct told told;

	talk.body = SLICE(
		"{\"metrics\":{\"latencyMs\":455},\"output\":{\"message\":{\"content\":[{\"reasoningContent\":{\"reasoningText\":"
		"{\"text\":\"hm\",\"signature\":\"s\"}}},{\"text\":\"Yo\"},{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\",\"input\":{\"a\":1}}}],"
		"\"role\":\"assistant\"}},\"stopReason\":\"tool_use\",\"usage\":{\"inputTokens\":14,\"outputTokens\":6,\"totalTokens\":1070,"
		"\"cacheReadInputTokens\":1000,\"cacheWriteInputTokens\":50,\"cacheDetails\":[{\"ttl\":\"1h\",\"inputTokens\":7}]}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "bedrock.converse");
	assert_int_equal(told.score, 100);
	assert_slice(told.dialect->span_name(&told.call), "BedrockRuntime.converse");
	assert_slice(told.call.request_model, MODEL ":0");
	assert_slice(attribute_of(&told.call, "gen_ai.request.stop_sequences")->value.texts.list[0], "Q:");
	assert_slice(told.call.vendor, "aws.bedrock");
	assert_slice(told.call.inputs, talk.request.data);
	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be terse.\"}]");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]}]");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},{\"type\":\"text\",\"content\":\"Yo\"},"
		"{\"type\":\"tool_call\",\"id\":\"t\",\"name\":\"f\",\"arguments\":{\"a\":1}}],\"finish_reason\":\"tool_call\"}]");
	assert_slice(told.call.finish_reasons[0], "tool_use");
	assert_int_equal(told.call.usage.input, 1064);
	assert_int_equal(told.call.usage.output, 6);
	assert_int_equal(told.call.usage.total, 1070);
	assert_int_equal(told.call.usage.cache_read, 1000);
	assert_int_equal(told.call.usage.cache_write, 50);
	assert_int_equal(told.call.usage.cache_write_1h, 7);
	assert_slice(told.call.chat_messages, "");
	told_free(&told);
}

static void a_stream_gives_the_answer_back(void **state)
{
	struct talk talk = converse_stream();
	struct told told;
	size_t n = 0;

	talk.events[n++] = SLICE("messageStart|{\"p\":\"abc\",\"role\":\"assistant\"}");
	talk.events[n++] = SLICE(
		"contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"h\"}},\"p\":\"a\"}");
	talk.events[n++] = SLICE(
		"contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"S\"}}}");
	talk.events[n++] = SLICE("contentBlockStop|{\"contentBlockIndex\":0}");
	talk.events[n++] =
		SLICE("contentBlockDelta|{\"contentBlockIndex\":1,\"delta\":{\"text\":\"Par\\u00e9\\ud83d\"}}");
	talk.events[n++] = SLICE("contentBlockDelta|{\"contentBlockIndex\":1,\"delta\":{\"text\":\"\\ude00is.\"}}");
	talk.events[n++] = SLICE("contentBlockDelta|{\"contentBlockIndex\":1,\"delta\":{\"text\":\"\"}}");
	talk.events[n++] = SLICE(
		"contentBlockStart|{\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"tooluse_A\",\"name\":\"f\"}}}");
	talk.events[n++] = SLICE(
		"contentBlockDelta|{\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{\\\"a\\\":\"}}}");
	talk.events[n++] =
		SLICE("contentBlockDelta|{\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"1}\"}}}");
	talk.events[n++] = SLICE("messageStop|{\"p\":\"x\",\"stopReason\":\"tool_use\"}");
	talk.events[n++] = SLICE(
		"metadata|{\"metrics\":{\"latencyMs\":5},\"p\":\"x\",\"usage\":{\"inputTokens\":14,\"outputTokens\":6,\"totalTokens\":20}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qccqccqqccql");
	assert_slice(told.dialect->span_name(&told.call), "BedrockRuntime.converse_stream");
	assert_slice(
		told.call.outputs,
		"{\"stopReason\":\"tool_use\",\"metrics\":{\"latencyMs\":5},\"usage\":{\"inputTokens\":14,\"outputTokens\":6,\"totalTokens\":20},"
		"\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"reasoningContent\":{\"reasoningText\":{\"text\":\"h\","
		"\"signature\":\"S\"}}},{\"text\":\"Par\\u00e9\\ud83d\\ude00is.\"},{\"toolUse\":{\"toolUseId\":\"tooluse_A\",\"name\":\"f\","
		"\"input\":\"{\\\"a\\\":1}\"}}]}}}");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"h\"},{\"type\":\"text\",\"content\":\"Par\\u00e9\\ud83d\\ude00is.\"},"
		"{\"type\":\"tool_call\",\"id\":\"tooluse_A\",\"name\":\"f\",\"arguments\":{\"a\":1}}],\"finish_reason\":\"tool_call\"}]");
	assert_int_equal(told.call.usage.total, 20);
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

static void citations_and_server_tools_of_a_stream(void **state)
{
	struct talk talk = converse_stream();
	struct told told;

	talk.events[0] = SLICE(
		"contentBlockStart|{\"contentBlockIndex\":0,\"start\":{\"toolResult\":{\"toolUseId\":\"t\",\"status\":\"success\"}}}");
	talk.events[1] =
		SLICE("contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"toolResult\":[{\"json\":{\"x\":1}}]}}");
	talk.events[2] =
		SLICE("contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"toolResult\":[{\"text\":\"y\"}]}}");
	talk.events[3] = SLICE("contentBlockDelta|{\"contentBlockIndex\":1,\"delta\":{\"text\":\"So\"}}");
	talk.events[4] =
		SLICE("contentBlockDelta|{\"contentBlockIndex\":1,\"delta\":{\"citation\":{\"title\":\"T\"}}}");
	talk.events[5] = SLICE(
		"contentBlockDelta|{\"contentBlockIndex\":2,\"delta\":{\"reasoningContent\":{\"redactedContent\":\"QQ==\"}}}");
	told = talk_told(&talk);
	assert_slice(
		told.call.outputs,
		"{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"toolResult\":{\"toolUseId\":\"t\",\"status\":\"success\","
		"\"content\":[{\"json\":{\"x\":1}},{\"text\":\"y\"}]}},{\"citationsContent\":{\"content\":[{\"text\":\"So\"}],"
		"\"citations\":[{\"title\":\"T\"}]}},{\"reasoningContent\":{\"redactedContent\":\"QQ==\"}}]}}}");
	assert_non_null(told.call.chat_messages.data);
	told_free(&told);
}

static void an_exception_in_the_stream_is_an_error(void **state)
{
	struct talk talk = converse_stream();
	struct told told;

	talk.events[0] = SLICE("contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"text\":\"Par\"}}");
	talk.events[1] =
		SLICE("exception:modelStreamErrorException|{\"message\":\"model broke\",\"originalStatusCode\":500}");
	told = talk_told(&talk);
	assert_true(told.call.has_error && told.call.error.in_band);
	assert_slice(told.call.error.type, "modelStreamErrorException");
	assert_slice(told.call.error.message, "model broke");
	assert_slice(told.call.outputs,
		     "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"Par\"}]}}}");
	told_free(&told);
}

static void a_refusal_is_named_by_body_or_header(void **state)
{
	struct talk talk = converse();
	struct told told;

	talk.status = 429;
	talk.body = SLICE(
		"{\"__type\":\"com.amazon.coral.service#ThrottlingException\",\"Message\":\"Too many requests\"}");
	told = talk_told(&talk);
	assert_false(told.call.error.in_band);
	assert_slice(told.call.error.type, "ThrottlingException");
	assert_slice(told.call.error.message, "Too many requests");
	told_free(&told);
}

static void an_unknown_delta_is_told(void **state)
{
	struct talk talk = converse_stream();
	struct told told;

	talk.events[0] = SLICE("contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"smell\":\"rose\"}}");
	told = talk_told(&talk);
	assert_true(told.call.is_undecodable);
	told_free(&told);
}

/* A block is known by the one member that we know, wherever the others stand. */
static void an_unknown_member_beside_a_known_one_hides_nothing(void **state)
{
	struct talk talk = converse(), stream = converse_stream();
	struct told told;

	talk.body = SLICE(
		"{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"mood\":1,\"text\":\"Paris\"}]}}}");
	told = talk_told(&talk);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Paris\"}]}]");
	told_free(&told);
	stream.events[0] =
		SLICE("contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"mood\":1,\"text\":\"Paris\"}}");
	told = talk_told(&stream);
	assert_false(told.call.is_undecodable);
	assert_slice(told.call.outputs,
		     "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"Paris\"}]}}}");
	told_free(&told);
}

static void a_stream_joined_in_its_middle(void **state)
{
	struct talk talk = { 0 };
	struct told told;

	talk.events[0] =
		SLICE("contentBlockDelta|{\"contentBlockIndex\":4,\"delta\":{\"toolUse\":{\"input\":\"1}\"}}}");
	talk.events[1] = SLICE("messageStop|{\"stopReason\":\"tool_use\"}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "bedrock.converse");
	assert_slice(told.dialect->span_name(&told.call), "BedrockRuntime.converse_stream");
	assert_slice(
		told.call.outputs,
		"{\"stopReason\":\"tool_use\",\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"toolUse\":"
		"{\"input\":\"1}\"}}]}}}");
	told_free(&told);
}

static void models_in_paths(void **state)
{
	static const struct {
		const char *path, *model;
	} rows[] = {
		{ "/model/us.amazon.nova-lite-v1%3A0/converse", "us.amazon.nova-lite-v1:0" },
		{ "/x/y/model/m/converse", "m" },
		{ "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x-v1%3A0/converse",
		  "arn:aws:bedrock:us-east-1:1:inference-profile/us.x-v1:0" },
		{ "/model/arn:aws:bedrock:us-east-1:1:application-inference-profile/abc/converse",
		  "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc" },
		{ "/model/odd%/converse", "odd%" },
		{ "/model/odd%3/converse", "odd%3" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = converse();
		struct told told;

		talk.path = rows[i].path;
		talk.body = SLICE("{}");
		told = talk_told(&talk);
		assert_slice(told.call.request_model, rows[i].model);
		told_free(&told);
	}
}

static void tools_documents_and_guardrails_of_a_request(void **state)
{
	struct talk talk = converse();
	struct told told;

	talk.request = SLICE(
		"{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"AA==\"}}},"
		"{\"document\":{\"format\":\"pdf\",\"name\":\"d\",\"source\":{\"s3Location\":{\"uri\":\"s3://b/k\"}}}},"
		"{\"cachePoint\":{\"type\":\"default\"}},{\"toolResult\":{\"toolUseId\":\"t\",\"content\":[{\"text\":\"18\"}]}}]}],"
		"\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"description\":\"d\",\"inputSchema\":{\"json\":{\"type\":\"object\"}}}},"
		"{\"systemTool\":{\"name\":\"nova_grounding\"}},{\"cachePoint\":{}}]},\"guardrailConfig\":{\"guardrailIdentifier\":\"g1\"}}");
	talk.body = SLICE("{\"stopReason\":\"guardrail_intervened\"}");
	told = talk_told(&talk);
	assert_slice(
		told.call.tools,
		"[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}},"
		"{\"type\":\"function\",\"function\":{\"name\":\"nova_grounding\"}}]");
	assert_slice(
		told.call.input_messages,
		"[{\"role\":\"user\",\"parts\":[{\"type\":\"blob\",\"modality\":\"image\",\"mime_type\":\"image/png\",\"content\":\"AA==\"},"
		"{\"type\":\"uri\",\"modality\":\"document\",\"uri\":\"s3://b/k\"},"
		"{\"type\":\"tool_call_response\",\"id\":\"t\",\"response\":[{\"text\":\"18\"}]}]}]");
	assert_slice(told.call.finish_reasons[0], "guardrail_intervened");
	assert_non_null(told.call.attributes);
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_one_piece),
		cmocka_unit_test(a_stream_gives_the_answer_back),
		cmocka_unit_test(citations_and_server_tools_of_a_stream),
		cmocka_unit_test(an_exception_in_the_stream_is_an_error),
		cmocka_unit_test(a_refusal_is_named_by_body_or_header),
		cmocka_unit_test(an_unknown_delta_is_told),
		cmocka_unit_test(an_unknown_member_beside_a_known_one_hides_nothing),
		cmocka_unit_test(a_stream_joined_in_its_middle),
		cmocka_unit_test(models_in_paths),
		cmocka_unit_test(tools_documents_and_guardrails_of_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
