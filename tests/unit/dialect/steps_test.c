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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses_tell_their_steps),
		cmocka_unit_test(messages_tell_their_steps_in_two_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
