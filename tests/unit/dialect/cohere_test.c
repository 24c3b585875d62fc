/* SPDX-License-Identifier: Apache-2.0 */
/* Cohere's own formats: both chats, completions, embeddings; whole, streamed, with tools, and when they fail. */
#include "unit/dialect/talk.h"

#define ASK                                                                                                            \
	"{\"model\":\"command-a\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Hi\"}]}"

static void an_answer_in_one_piece(void **state)
{
	struct talk talk = { .path = "/v2/chat", .host = "api.cohere.com", .request = SLICE(ASK) };
	struct told told;

	talk.body = SLICE(
		"{\"id\":\"i-1\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\"},"
		"{\"type\":\"text\",\"text\":\"Hello\"}]},\"finish_reason\":\"COMPLETE\",\"usage\":{\"billed_units\":"
		"{\"input_tokens\":3.0,\"output_tokens\":2},\"tokens\":{\"input_tokens\":496,\"output_tokens\":11},\"cached_tokens\":448}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "cohere.chat");
	assert_int_equal(told.call.operation, OPERATION_CHAT);
	assert_slice(told.call.vendor, "cohere");
	assert_slice(told.call.request_model, "command-a");
	assert_slice(told.call.response_id, "i-1");
	assert_slice(told.call.finish_reasons[0], "COMPLETE");
	assert_int_equal(told.call.usage.input, 3);
	assert_int_equal(told.call.usage.output, 2);
	assert_int_equal(told.call.usage.total, 5);
	assert_int_equal(told.call.usage.cache_read, 448);
	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},"
		     "{\"type\":\"text\",\"content\":\"Hello\"}],\"finish_reason\":\"stop\"}]");
	assert_slice(
		told.call.chat_messages,
		"[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"Be brief.\"}]},"
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]},"
		"{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"}],\"reasoning\":\"hm\"}]");
	told_free(&told);
}

static void a_stream_is_the_answer_that_it_would_have_been(void **state)
{
	struct talk talk = { .path = "/v2/chat", .request = SLICE(ASK) };
	static const char *const lines[] = {
		"{\"type\":\"message-start\",\"id\":\"i-1\",\"delta\":{\"message\":{\"role\":\"assistant\",\"content\":[]}}}",
		"{\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"type\":\"thinking\",\"thinking\":\"\"}}}}",
		"{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"thinking\":\"hm\"}}}}",
		"{\"type\":\"content-end\",\"index\":0}",
		"{\"type\":\"content-start\",\"index\":1,\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}}",
		"{\"type\":\"content-delta\",\"index\":1,\"delta\":{\"message\":{\"content\":{\"text\":\"Hel\"}}}}",
		"{\"type\":\"content-delta\",\"index\":1,\"delta\":{\"message\":{\"content\":{\"text\":\"lo\"}}}}",
		"{\"type\":\"citation-start\",\"index\":0,\"delta\":{\"message\":{\"citations\":{\"start\":0,\"end\":5}}}}",
		"{\"type\":\"citation-end\",\"index\":0}",
		"{\"type\":\"message-end\",\"id\":\"i-1\",\"delta\":{\"finish_reason\":\"MAX_TOKENS\",\"usage\":{\"billed_units\":"
		"{\"input_tokens\":3,\"output_tokens\":2}}}}",
		"[DONE]",
	};
	struct told told;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		talk.events[i] = slice_of(lines[i]);
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qqcqqccqqle");
	assert_slice(
		told.call.outputs,
		"{\"id\":\"i-1\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\"},"
		"{\"type\":\"text\",\"text\":\"Hello\"}],\"citations\":[{\"start\":0,\"end\":5}]},\"finish_reason\":\"MAX_TOKENS\","
		"\"usage\":{\"billed_units\":{\"input_tokens\":3,\"output_tokens\":2}}}");
	assert_slice(json_path(told.call.output_messages, "#0", "finish_reason", NULL), "\"length\"");
	assert_int_equal(told.call.usage.output, 2);
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

static void tools_are_planned_and_called(void **state)
{
	struct talk talk = {
		.path = "/v2/chat",
		.request = SLICE(
			"{\"model\":\"c\",\"messages\":[{\"role\":\"user\",\"content\":\"?\"},{\"role\":\"assistant\",\"tool_plan\":\"look\","
			"\"tool_calls\":[{\"id\":\"t0\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
			"{\"role\":\"tool\",\"tool_call_id\":\"t0\",\"content\":[{\"type\":\"document\",\"document\":{\"data\":\"18\"}}]}],"
			"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]}")
	};
	struct told told;

	talk.events[0] = SLICE(
		"message-start|{\"id\":\"i\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}");
	talk.events[1] = SLICE("{\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":\"I will\"}}}");
	talk.events[2] = SLICE(
		"{\"type\":\"tool-call-start\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"t1\",\"type\":\"function\","
		"\"function\":{\"name\":\"f\",\"arguments\":\"\"}}}}}");
	talk.events[3] = SLICE(
		"{\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{\\\"a\\\":\"}}}}}");
	talk.events[4] = SLICE(
		"{\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"1}\"}}}}}");
	talk.events[5] = SLICE("{\"type\":\"tool-call-end\",\"index\":0}");
	talk.events[6] = SLICE(
		"{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"TOOL_CALL\",\"usage\":{\"tokens\":{\"input_tokens\":7}}}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qccccql");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"I will\"},{\"type\":\"tool_call\",\"id\":\"t1\","
		"\"name\":\"f\",\"arguments\":{\"a\":1}}],\"finish_reason\":\"tool_call\"}]");
	assert_slice(
		json_path(told.call.input_messages, "#2", "parts", "#0", NULL),
		"{\"type\":\"tool_call_response\",\"id\":\"t0\",\"response\":[{\"type\":\"document\",\"document\":{\"data\":\"18\"}}]}");
	assert_slice(told.call.tools,
		     "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]");
	assert_int_equal(told.call.usage.input, 7);
	told_free(&told);
}

static void a_failure_inside_a_stream_is_told(void **state)
{
	struct talk talk = { .path = "/v2/chat", .request = SLICE(ASK) };
	struct told told;

	talk.events[0] = SLICE("{\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}");
	talk.events[1] = SLICE(
		"{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"no valid tool\",\"error_type\":\"tool\",\"usage\":{}}}");
	told = talk_told(&talk);
	assert_true(told.call.has_error && told.call.error.in_band);
	assert_slice(told.call.error.message, "no valid tool");
	assert_slice(told.call.error.type, "tool");
	assert_int_equal(told.call.usage.input, -1);
	told_free(&told);
	memset(talk.events, 0, sizeof(talk.events));
	talk.status = 404;
	talk.body = SLICE("{\"id\":\"e\",\"message\":\"model not found\"}");
	told = talk_told(&talk);
	assert_slice(told.call.error.message, "model not found");
	assert_false(told.call.error.in_band);
	told_free(&told);
}

static void the_first_api_chats(void **state)
{
	struct talk talk = {
		.path = "/v1/chat",
		.request = SLICE(
			"{\"message\":\"Hi\",\"model\":\"command\",\"preamble\":\"p\",\"conversation_id\":\"s\",\"chat_history\":["
			"{\"role\":\"USER\",\"message\":\"A\"},{\"role\":\"CHATBOT\",\"message\":\"B\"}],\"tools\":[{\"name\":\"f\","
			"\"description\":\"d\",\"parameter_definitions\":{\"a\":{\"type\":\"str\"}}}]}")
	};
	struct told told;

	talk.body = SLICE(
		"{\"response_id\":\"r\",\"text\":\"Yo\",\"generation_id\":\"g\",\"finish_reason\":\"COMPLETE\",\"tool_calls\":[{\"name\":\"f\","
		"\"parameters\":{\"a\":\"x\"}}],\"meta\":{\"billed_units\":{\"input_tokens\":58,\"output_tokens\":119}}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "cohere.v1.chat");
	assert_slice(told.call.response_id, "r");
	assert_slice(told.call.session_id, "s");
	assert_int_equal(told.call.usage.input, 58);
	assert_slice(
		told.call.input_messages,
		"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"A\"}]},{\"role\":\"assistant\",\"parts\":"
		"[{\"type\":\"text\",\"content\":\"B\"}]},{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]}]");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Yo\"},{\"type\":"
		     "\"tool_call\",\"name\":\"f\",\"arguments\":{\"a\":\"x\"}}],\"finish_reason\":\"stop\"}]");
	assert_slice(told.call.tools,
		     "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":"
		     "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"str\"}}}}}]");
	told_free(&told);
}

static void the_first_api_streams_lines(void **state)
{
	struct talk talk = { .path = "/v1/chat",
			     .request = SLICE("{\"message\":\"Hi\",\"model\":\"command\",\"stream\":true}") };
	struct told told;

	talk.events[0] = SLICE("{\"is_finished\":false,\"event_type\":\"stream-start\",\"generation_id\":\"g\"}");
	talk.events[1] = SLICE("{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"Y\"}");
	talk.events[2] = SLICE("{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"o\"}");
	told = talk_told(&talk);
	assert_slice(told.call.outputs, "{\"text\":\"Yo\",\"generation_id\":\"g\"}");
	told_free(&told);
	talk.events[3] = SLICE(
		"{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\",\"response\":{\"text\":\"Yo\","
		"\"generation_id\":\"g\",\"meta\":{\"billed_units\":{\"input_tokens\":1,\"output_tokens\":2}}}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qccl");
	assert_slice(json_get(told.call.outputs, SLICE("text")), "\"Yo\"");
	assert_slice(told.call.finish_reasons[0], "COMPLETE");
	assert_int_equal(told.call.usage.total, 3);
	told_free(&told);
}

static void the_first_api_completes(void **state)
{
	struct talk talk = { .path = "/v1/generate",
			     .host = "api.cohere.ai",
			     .request = SLICE("{\"prompt\":\"A\",\"model\":\"command\"}") };
	struct told told;

	talk.body = SLICE(
		"{\"id\":\"g\",\"generations\":[{\"id\":\"1\",\"text\":\"B\",\"finish_reason\":\"COMPLETE\"},{\"id\":\"2\",\"text\":\"C\"}],"
		"\"prompt\":\"A\",\"meta\":{\"billed_units\":{\"input_tokens\":1,\"output_tokens\":2}}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "cohere.v1.generate");
	assert_int_equal(told.call.operation, OPERATION_TEXT_COMPLETION);
	assert_slice(json_path(told.call.output_messages, "#1", "parts", "#0", "content", NULL), "\"C\"");
	told_free(&told);
	talk.host = NULL; /* any server may have this path */
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "cohere.v1.generate");
	told_free(&told);
	talk.body = SLICE("{\"report\":\"ready\"}");
	assert_false(talk_run(&talk, &talk_heap.alloc, NULL, &told));
	told_free(&told);
}

static void embeddings_tell_their_length(void **state)
{
	struct talk talk = {
		.path = "/v2/embed",
		.request = SLICE(
			"{\"model\":\"embed-v4.0\",\"texts\":[\"a\"],\"input_type\":\"search_query\",\"embedding_types\":[\"float\"]}")
	};
	struct told told;

	talk.body = SLICE(
		"{\"id\":\"e\",\"embeddings\":{\"float\":[[0.1,0.2,0.3]]},\"texts\":[\"a\"],\"meta\":{\"billed_units\":{\"input_tokens\":4}}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "cohere.embed");
	assert_int_equal(told.call.operation, OPERATION_EMBEDDINGS);
	assert_int_equal(told.call.usage.input, 4);
	assert_int_equal(told.call.usage.output, -1);
	assert_slice(told.call.attributes->name, "gen_ai.embeddings.dimension.count");
	assert_int_equal(told.call.attributes->value.integer, 3);
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_one_piece),
		cmocka_unit_test(a_stream_is_the_answer_that_it_would_have_been),
		cmocka_unit_test(tools_are_planned_and_called),
		cmocka_unit_test(a_failure_inside_a_stream_is_told),
		cmocka_unit_test(the_first_api_chats),
		cmocka_unit_test(the_first_api_streams_lines),
		cmocka_unit_test(the_first_api_completes),
		cmocka_unit_test(embeddings_tell_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
