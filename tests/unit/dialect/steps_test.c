/* SPDX-License-Identifier: Apache-2.0 */
/* Searches, code and foreign servers that a provider used on its own side, read from its answer. */
#include "unit/dialect/talk.h"

static const struct call_step *step_at(const struct call *call, size_t index)
{
	const struct call_step *step = call->steps;

	while (step && index--)
		step = step->next;
	return step;
}

static void responses_tell_their_steps(void **state)
{
	struct talk talk = {
		.path = "/v1/responses",
		.request = SLICE("{\"model\":\"m\",\"input\":\"x\"}"),
		.body = SLICE(
			"{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"output\":["
			"{\"type\":\"web_search_call\",\"id\":\"ws_1\",\"status\":\"completed\","
			"\"action\":{\"type\":\"search\",\"query\":\"q\"}},"
			"{\"type\":\"mcp_call\",\"id\":\"mcp_1\",\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\","
			"\"output\":\"not json\",\"error\":{\"message\":\"down\"}},"
			"{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"mine\",\"arguments\":\"{}\"}]}")
	};
	struct told told = talk_told(&talk);
	const struct call_step *step = step_at(&told.call, 0);

	assert_slice(step->name, "web_search");
	assert_slice(step->inputs, "{\"type\":\"search\",\"query\":\"q\"}");
	assert_false(step->has_failed);
	step = step_at(&told.call, 1);
	assert_slice(step->name, "add");
	assert_slice(step->inputs, "{\"a\":1}");
	assert_slice(step->outputs, "\"not json\"");
	assert_true(step->has_failed);
	assert_slice(step->error, "down");
	assert_null(step_at(&told.call, 2));
	told_free(&told);
}

static void a_search_for_tools_is_a_step_or_the_clients_call(void **state)
{
	struct talk talk = {
		.path = "/v1/responses",
		.request = SLICE("{\"model\":\"m\",\"input\":[{\"type\":\"tool_search_output\",\"call_id\":\"b\","
				 "\"execution\":\"client\",\"tools\":[]}]}"),
		.body = SLICE(
			"{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"output\":["
			"{\"type\":\"tool_search_call\",\"id\":\"tsc_1\",\"arguments\":{\"paths\":[\"f\"]},\"execution\":\"server\"},"
			"{\"type\":\"tool_search_output\",\"id\":\"tso_1\",\"execution\":\"server\",\"tools\":[{\"name\":\"f\"}]},"
			"{\"type\":\"tool_search_call\",\"id\":\"tsc_2\",\"call_id\":\"c\",\"arguments\":{\"goal\":\"g\"},"
			"\"execution\":\"client\"}]}")
	};
	struct told told = talk_told(&talk);
	const struct call_step *step = step_at(&told.call, 0);

	assert_slice(step->name, "tool_search");
	assert_slice(step->inputs, "{\"paths\":[\"f\"]}");
	assert_slice(step->outputs, "[{\"name\":\"f\"}]");
	assert_null(step_at(&told.call, 1));
	assert_slice(
		json_path(told.call.output_messages, "#2", "parts", "#0", NULL),
		"{\"type\":\"tool_call\",\"id\":\"c\",\"name\":\"tool_search_call\",\"arguments\":{\"goal\":\"g\"}}");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"b\","
		     "\"response\":[]}]}]");
	told_free(&told);
}

static void messages_tell_their_steps_in_two_blocks(void **state)
{
	struct talk talk = {
		.path = "/v1/messages",
		.request = SLICE("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[]}"),
		.body = SLICE(
			"{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":["
			"{\"type\":\"server_tool_use\",\"id\":\"srvtoolu_1\",\"name\":\"web_search\",\"input\":{\"query\":\"q\"}},"
			"{\"type\":\"web_search_tool_result\",\"tool_use_id\":\"srvtoolu_1\",\"content\":[{\"url\":\"u\"}]},"
			"{\"type\":\"server_tool_use\",\"id\":\"srvtoolu_2\",\"name\":\"web_fetch\",\"input\":{}},"
			"{\"type\":\"web_fetch_tool_result\",\"tool_use_id\":\"srvtoolu_2\","
			"\"content\":{\"type\":\"web_fetch_tool_result_error\",\"error_code\":\"unavailable\"}},"
			"{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"mine\",\"input\":{}}],"
			"\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}")
	};
	struct told told = talk_told(&talk);
	const struct call_step *step = step_at(&told.call, 0);

	assert_slice(step->name, "web_search");
	assert_slice(step->inputs, "{\"query\":\"q\"}");
	assert_slice(step->outputs, "[{\"url\":\"u\"}]");
	assert_false(step->has_failed);
	step = step_at(&told.call, 1);
	assert_true(step->has_failed);
	assert_slice(step->error, "unavailable");
	assert_null(step_at(&told.call, 2));
	told_free(&told);
}

/* A search takes from the event that names it to the event that has its results. */
static void streams_tell_when_steps_were(void **state)
{
	struct talk talk = { .path = "/v1/responses", .request = SLICE("{\"model\":\"m\",\"input\":\"x\"}") };
	const struct call_step *step;
	struct told told;

	talk.events[0] = SLICE("{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}");
	talk.events[1] = SLICE("{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":"
			       "{\"type\":\"web_search_call\",\"id\":\"ws_1\",\"status\":\"in_progress\"}}");
	talk.events[2] = SLICE("{\"type\":\"response.web_search_call.searching\",\"output_index\":0}");
	talk.events[3] = SLICE("{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":"
			       "{\"type\":\"web_search_call\",\"id\":\"ws_1\",\"action\":{\"type\":\"search\"}}}");
	talk.events[4] = SLICE("{\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"output\":["
			       "{\"type\":\"web_search_call\",\"id\":\"ws_1\",\"action\":{\"type\":\"search\"}},"
			       "{\"type\":\"web_search_call\",\"id\":\"ws_2\",\"action\":{\"type\":\"open_page\"}}]}}");
	told = talk_told(&talk);
	step = step_at(&told.call, 0);
	assert_int_equal(step->start_ns, 2);
	assert_int_equal(step->end_ns, 4);
	assert_int_equal(step_at(&told.call, 1)->start_ns, 0);
	assert_int_equal(told.call.usage.searches, 1);
	told_free(&told);

	talk = (struct talk){ .path = "/v1/messages",
			      .request = SLICE("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[]}") };
	talk.events[0] = SLICE("{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"role\":\"assistant\"}}");
	talk.events[1] = SLICE("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
			       "{\"type\":\"mcp_tool_use\",\"id\":\"mcptoolu_1\",\"name\":\"add\",\"input\":{}}}");
	talk.events[2] = SLICE("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
			       "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":1}\"}}");
	talk.events[3] = SLICE("{\"type\":\"content_block_start\",\"index\":1,\"content_block\":"
			       "{\"type\":\"mcp_tool_result\",\"tool_use_id\":\"mcptoolu_1\",\"is_error\":false,"
			       "\"content\":[{\"type\":\"text\",\"text\":\"3\"}]}}");
	told = talk_told(&talk);
	step = step_at(&told.call, 0);
	assert_slice(step->name, "add");
	assert_slice(step->inputs, "{\"a\":1}");
	assert_slice(step->outputs, "[{\"type\":\"text\",\"text\":\"3\"}]");
	assert_int_equal(step->start_ns, 2);
	assert_int_equal(step->end_ns, 4);
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses_tell_their_steps),
		cmocka_unit_test(a_search_for_tools_is_a_step_or_the_clients_call),
		cmocka_unit_test(messages_tell_their_steps_in_two_blocks),
		cmocka_unit_test(streams_tell_when_steps_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
