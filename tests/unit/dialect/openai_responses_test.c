/* SPDX-License-Identifier: Apache-2.0 */
/* Responses: the terminal event is the answer; where it never comes, the items are. */
#include "unit/dialect/talk.h"

#define EVENT(type, rest) SLICE("response." type "|{\"type\":\"response." type "\"," rest "}")
#define BASE(status, output)                                                                                           \
	"\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"" status                                 \
	"\",\"model\":\"m-1\",\"output\":[" output "]}"
#define MESSAGE                                                                                                        \
	"{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Paris.\"}]}"

static struct talk responses(void)
{
	return (struct talk){ .path = "/v1/responses",
			      .host = "api.openai.com",
			      .agent = "OpenAI/Python 3.54.0",
			      .request = SLICE(
				      "{\"model\":\"m\",\"input\":\"Capital?\",\"instructions\":\"Be terse.\"}") };
}

static void an_answer_in_one_piece(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.body = SLICE(
		"{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"error\":null,\"model\":\"m-1\",\"output\":["
		"{\"type\":\"reasoning\",\"summary\":[],\"content\":null,\"encrypted_content\":\"x\"},"
		"{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"hm\"}]}," MESSAGE ","
		"{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}],"
		"\"usage\":{\"input_tokens\":36,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":87,"
		"\"output_tokens_details\":{\"reasoning_tokens\":9},\"total_tokens\":123},\"conversation\":{\"id\":\"conv_1\"}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "openai.responses");
	assert_slice(told.dialect->span_name(&told.call), "Responses");
	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(told.call.finish_reasons[0], "completed");
	assert_slice(told.call.session_id, "conv_1");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be terse.\"}]");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Capital?\"}]}]");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"}],\"finish_reason\":\"stop\"},"
		"{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Paris.\"}],\"finish_reason\":\"stop\"},"
		"{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"c\",\"name\":\"f\",\"arguments\":{\"a\":1}}],"
		"\"finish_reason\":\"tool_call\"}]");
	assert_int_equal(told.call.usage.input, 36);
	assert_int_equal(told.call.usage.cache_read, 4);
	assert_int_equal(told.call.usage.reasoning, 9);
	assert_slice(told.call.chat_messages, "");
	assert_false(told.call.has_error);
	told_free(&told);
}

static void the_terminal_event_is_the_answer(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.events[0] = EVENT("created", BASE("in_progress", ""));
	talk.events[1] = EVENT("output_item.added",
			       "\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"content\":[]}");
	talk.events[2] = EVENT("output_text.delta", "\"output_index\":0,\"content_index\":0,\"delta\":\"Paris.\"");
	talk.events[3] = EVENT("output_item.done", "\"output_index\":0,\"item\":" MESSAGE);
	talk.events[4] = EVENT("completed", BASE("completed", MESSAGE));
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qqcql");
	assert_slice(
		told.call.outputs,
		"{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"m-1\",\"output\":[" MESSAGE
		"]}");
	assert_slice(told.call.response_id, "resp_1");
	told_free(&told);
}

static void items_fill_a_terminal_event_without_output(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.events[0] = EVENT("output_item.done", "\"output_index\":0,\"item\":" MESSAGE);
	talk.events[1] = EVENT(
		"completed",
		"\"response\":{\"id\":\"resp_1\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}}");
	told = talk_told(&talk);
	assert_slice(
		told.call.outputs,
		"{\"id\":\"resp_1\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3},\"output\":[" MESSAGE
		"]}");
	assert_int_equal(told.call.usage.total, 3);
	told_free(&told);
}

static void a_cut_stream_shows_what_was_said(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.end = CALL_END_SERVER_CUT;
	talk.events[0] = EVENT("created", BASE("in_progress", ""));
	talk.events[1] = EVENT("output_item.added",
			       "\"output_index\":0,\"item\":{\"id\":\"rs\",\"type\":\"reasoning\",\"summary\":[]}");
	talk.events[2] =
		EVENT("reasoning_summary_text.delta", "\"output_index\":0,\"summary_index\":0,\"delta\":\"hm\"");
	talk.events[3] =
		EVENT("output_item.added",
		      "\"output_index\":1,\"item\":{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"\"}");
	talk.events[4] = EVENT("function_call_arguments.delta", "\"output_index\":1,\"delta\":\"{\\\"a\"");
	talk.events[5] = EVENT("output_text.delta", "\"output_index\":2,\"content_index\":0,\"delta\":\"Pa\"");
	talk.events[6] = EVENT("function_call_arguments.delta", "\"output_index\":1,\"delta\":\"\\\":\"");
	talk.events[7] = EVENT("output_text.delta", "\"output_index\":2,\"content_index\":0,\"delta\":\"ris\"");
	told = talk_told(&talk);
	assert_slice(
		told.call.outputs,
		"{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"in_progress\",\"model\":\"m-1\",\"output\":["
		"{\"id\":\"rs\",\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"hm\"}]},"
		"{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\"},"
		"{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"Paris\"}]}]}");
	assert_slice(told.call.response_model, "m-1");
	told_free(&told);
}

static void ends_that_are_no_success(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.events[0] =
		EVENT("incomplete", "\"response\":{\"id\":\"r\",\"status\":\"incomplete\",\"incomplete_details\":"
				    "{\"reason\":\"max_output_tokens\"},\"output\":[" MESSAGE "]}");
	told = talk_told(&talk);
	assert_slice(told.call.finish_reasons[0], "max_output_tokens");
	told_free(&told);
	talk.events[0] = EVENT(
		"failed",
		"\"response\":{\"id\":\"r\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"oh\"}}");
	told = talk_told(&talk);
	assert_true(told.call.has_error && told.call.error.in_band);
	assert_slice(told.call.error.code, "server_error");
	assert_slice(told.call.error.message, "oh");
	told_free(&told);
	talk.events[0] = SLICE("{\"type\":\"error\",\"code\":\"x\",\"message\":\"oh\",\"param\":null}");
	told = talk_told(&talk);
	assert_true(told.call.has_error);
	assert_slice(told.call.error.type, "");
	assert_slice(told.call.error.code, "x");
	told_free(&told);
}

static void tools_are_those_that_autolog_names(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.request = SLICE(
		"{\"model\":\"m\",\"input\":[{\"role\":\"developer\",\"content\":\"Use\"},{\"type\":\"function_call_output\","
		"\"call_id\":\"c\",\"output\":\"18\"}],\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{},\"strict\":true},"
		"{\"type\":\"web_search\"},{\"type\":\"file_search\"},{\"type\":\"custom\",\"name\":\"c\",\"format\":{}}]}");
	talk.body = SLICE("{\"id\":\"r\",\"output\":[{\"type\":\"web_search_call\",\"id\":\"ws\"}]}");
	told = talk_told(&talk);
	assert_slice(told.call.tools,
		     "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{},\"strict\":true}},"
		     "{\"type\":\"function\",\"function\":{\"name\":\"file_search\"}},"
		     "{\"type\":\"function\",\"function\":{\"name\":\"c\"}}]");
	assert_slice(told.call.chat_messages,
		     "[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"Use\"}]},"
		     "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"18\"},"
		     "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"[web_search_call]\"}]}]");
	told_free(&told);
	talk.request = SLICE("{\"model\":\"m\",\"input\":\"x\",\"tools\":[{\"type\":\"web_search\"}]}");
	told = talk_told(&talk);
	assert_slice(told.call.tools, "");
	told_free(&told);
}

/* What was made earlier is shown again; its tokens were counted when it was made. */
static void a_response_that_is_fetched_counts_nothing(void **state)
{
	struct talk talk = { .path = "/v1/responses/resp_1", .host = "api.openai.com", .agent = "OpenAI/Python 3" };
	const struct dialect *dialect;
	struct dialect_hint hint = { .method = SLICE("GET"),
				     .path = SLICE("/v1/responses/resp_1"),
				     .request_is_whole = true };
	struct arena *arena = arena_new(&talk_heap.alloc, 1 << 20);
	struct call call;
	unsigned score;
	void *memory;

	dialect = dialect_find(&hint, &score);
	assert_string_equal(dialect->name, "openai.responses");
	talk.body = SLICE(
		"{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"m-1\",\"output\":[" MESSAGE
		",{\"type\":\"web_search_call\",\"id\":\"w\"}],\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}");
	talk_call(&talk, &call, arena);
	call.method = SLICE("GET");
	memory = arena_alloc(arena, dialect->state_size);
	dialect->request(&call, memory);
	dialect->response(&call, memory);
	dialect->finish(&call, memory);
	assert_int_equal(call.operation, OPERATION_FETCH);
	assert_slice(dialect->span_name(&call), "Responses.retrieve");
	assert_slice(call.response_id, "resp_1");
	assert_slice(call.response_model, "m-1");
	assert_slice(call.finish_reasons[0], "completed");
	assert_int_equal(call.usage.input, -1);
	assert_null(call.steps);
	assert_true(slice_contains(call.output_messages, SLICE("Paris.")));
	assert_false(call.has_error || call.is_undecodable);
	arena_free(arena);
}

static void what_stands_beside_a_response_is_no_call(void **state)
{
	static const struct {
		const char *method, *path;
	} asks[] = {
		{ "GET", "/v1/responses/resp_1/input_items" }, { "POST", "/v1/responses/resp_1/cancel" },
		{ "DELETE", "/v1/responses/resp_1" },          { "GET", "/v1/responses" },
		{ "POST", "/v1/realtime/client_secrets" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		struct dialect_hint hint = {
			.method = slice_of(asks[i].method),
			.path = slice_of(asks[i].path),
			.request_body = SLICE("{\"session\":{\"type\":\"realtime\",\"model\":\"m\"}}"),
			.request_is_whole = true,
			.response_body = SLICE("{\"object\":\"response\",\"output\":[],\"value\":\"ek_x\"}")
		};
		unsigned score;

		if (!strstr(asks[i].path, "cancel"))
			hint.response_body = SLICE("{\"value\":\"ek_x\",\"session\":{}}");
		assert_null(dialect_find(&hint, &score));
	}
}

/* Shell, patches and screens are tools of the application too, whatever their items are called. */
static void tools_without_a_name_are_calls(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.request = SLICE("{\"model\":\"m\",\"input\":[{\"type\":\"tool_search_output\",\"call_id\":\"a\"},"
			     "{\"type\":\"shell_call_output\",\"call_id\":\"b\",\"output\":[]}]}");
	talk.body = SLICE("{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"output\":["
			  "{\"type\":\"shell_call\",\"call_id\":\"c\",\"action\":{\"commands\":[\"ls\"]}}]}");
	told = talk_told(&talk);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"c\",\"name\":\"shell_call\","
		     "\"arguments\":{\"commands\":[\"ls\"]}}],\"finish_reason\":\"tool_call\"}]");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_search_output\",\"call_id\":\"a\"}]},"
		     "{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"b\",\"response\":[]}]}]");
	told_free(&told);
}

static void a_conversation_is_compacted(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.path = "/v1/responses/compact";
	talk.body = SLICE(
		"{\"id\":\"resp_2\",\"object\":\"response.compaction\",\"output\":[{\"type\":\"compaction\","
		"\"id\":\"cmp_1\",\"encrypted_content\":\"x\"}],\"usage\":{\"input_tokens\":5,\"output_tokens\":2,"
		"\"total_tokens\":7}}");
	told = talk_told(&talk);
	assert_int_equal(told.call.operation, OPERATION_COMPACT);
	assert_slice(told.dialect->span_name(&told.call), "Responses.compact");
	assert_int_equal(told.call.usage.total, 7);
	told_free(&told);
}

/* Codex hides its tools in an item of the input, in namespaces, and lets agents speak to each other. */
static void tools_and_agents_inside_the_input(void **state)
{
	struct talk talk = responses();
	struct told told;

	talk.path = "/backend-api/codex/responses";
	talk.host = "chatgpt.com";
	talk.header = (struct name_value){ SLICE("x-openai-subagent"), SLICE("review") };
	talk.request = SLICE(
		"{\"model\":\"m\",\"input\":[{\"type\":\"additional_tools\",\"tools\":[{\"type\":\"namespace\",\"name\":\"functions\","
		"\"tools\":[{\"type\":\"custom\",\"name\":\"exec\",\"description\":\"js\"}]},{\"type\":\"function\",\"name\":\"g\"}]},"
		"{\"type\":\"agent_message\",\"author\":\"a\",\"content\":[]},"
		"{\"type\":\"custom_tool_call_output\",\"call_id\":\"c\",\"output\":\"18\"}],\"client_metadata\":{\"session_id\":\"s\"}}");
	talk.body = SLICE(
		"{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"service_tier\":\"flex\",\"output\":["
		"{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"exec\",\"namespace\":\"functions\",\"input\":\"text(1)\"},"
		"{\"type\":\"multi_agent_call\",\"call_id\":\"d\",\"action\":\"spawn_agent\",\"arguments\":\"{}\"}]}");
	told = talk_told(&talk);
	assert_slice(told.call.vendor, "openai");
	assert_slice(told.call.session_id, "s");
	assert_slice(told.call.service_tier, "flex");
	assert_slice(told.call.tools,
		     "[{\"type\":\"function\",\"function\":{\"name\":\"g\"}},"
		     "{\"type\":\"function\",\"function\":{\"name\":\"exec\",\"description\":\"js\"}}]");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"c\",\"name\":\"exec\","
		"\"arguments\":\"text(1)\"}],\"finish_reason\":\"tool_call\"},"
		"{\"role\":\"assistant\",\"parts\":[{\"type\":\"multi_agent_call\",\"call_id\":\"d\",\"action\":\"spawn_agent\","
		"\"arguments\":\"{}\"}],\"finish_reason\":\"stop\"}]");
	assert_true(told.call.input_messages.len > 0 && told.call.attributes);
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_one_piece),
		cmocka_unit_test(the_terminal_event_is_the_answer),
		cmocka_unit_test(items_fill_a_terminal_event_without_output),
		cmocka_unit_test(a_cut_stream_shows_what_was_said),
		cmocka_unit_test(ends_that_are_no_success),
		cmocka_unit_test(a_response_that_is_fetched_counts_nothing),
		cmocka_unit_test(what_stands_beside_a_response_is_no_call),
		cmocka_unit_test(tools_without_a_name_are_calls),
		cmocka_unit_test(a_conversation_is_compacted),
		cmocka_unit_test(tools_and_agents_inside_the_input),
		cmocka_unit_test(tools_are_those_that_autolog_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
