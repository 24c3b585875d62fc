/* SPDX-License-Identifier: Apache-2.0 */
/* MCP over HTTP: a call of a tool is one TOOL call in every generation, and what only looks like it is none. */
#include "unit/dialect/talk.h"

#define CALL(id)                                                                                                       \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                                                              \
	",\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":2}}}"

static struct slice told_text(const struct told *told, const char *name)
{
	for (const struct attribute *at = told->call.attributes; at; at = at->next)
		if (slice_equal(at->name, slice_of(name)))
			return at->value.text;
	return SLICE_NONE;
}

static void a_tool_is_called_and_answers(void **state)
{
	struct talk talk = {
		.path = "/mcp",
		.header = { SLICE("mcp-session-id"), SLICE("s-1") },
		.request = SLICE(CALL("7")),
		.body = SLICE(
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"3\"},"
			"{\"type\":\"text\",\"text\":\"\\u00e9\"}],\"isError\":false}}"),
	};
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "mcp");
	assert_int_equal(told.call.operation, OPERATION_TOOL);
	assert_slice(told.dialect->span_name(&told.call), "tools/call add");
	assert_slice(told.call.inputs, "{\"a\":1,\"b\":2}");
	assert_slice(told.call.outputs, "3\n\u00e9");
	assert_true(told.call.outputs_is_text);
	assert_false(told.call.has_error);
	assert_slice(told_text(&told, "mcp.method.name"), "tools/call");
	assert_slice(told_text(&told, "mcp.session.id"), "s-1");
	assert_slice(told_text(&told, "jsonrpc.request.id"), "7");
	assert_slice(told_text(&told, "gen_ai.tool.name"), "add");
	told_free(&told);
}

static void a_stream_holds_the_answer_behind_other_things(void **state)
{
	struct talk talk = { .path = "/mcp", .request = SLICE(CALL("\"a\"")) };
	struct told told;

	talk.events[0] = SLICE("message|{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}");
	talk.events[1] = SLICE("message|{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"sampling/createMessage\","
			       "\"params\":{\"messages\":[],\"maxTokens\":9}}");
	talk.events[2] = SLICE("message|{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"result\":{\"content\":[]}}");
	talk.events[3] = SLICE("message|{\"result\":{\"content\":[{\"type\":\"image\",\"data\":\"AA\",\"mimeType\":"
			       "\"image/png\"}]},\"jsonrpc\":\"2.0\",\"id\":\"a\"}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qqql");
	assert_slice(told.call.outputs, "[{\"type\":\"image\",\"data\":\"AA\",\"mimeType\":\"image/png\"}]");
	assert_false(told.call.outputs_is_text);
	assert_non_null(told.call.steps);
	assert_null(told.call.steps->next);
	assert_slice(told.call.steps->name, "sampling/createMessage");
	assert_slice(told.call.steps->inputs, "{\"messages\":[],\"maxTokens\":9}");
	assert_slice(told_text(&told, "jsonrpc.request.id"), "a");
	told_free(&told);
}

static void the_stateless_generation_says_it_in_headers_and_meta(void **state)
{
	struct talk talk = {
		.path = "/",
		.header = { SLICE("mcp-protocol-version"), SLICE("2026-07-28") },
		.request = SLICE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"vendor/own\",\"params\":{\"x\":1}}"),
		.body = SLICE("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\"}}"),
	};
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "mcp");
	assert_slice(told_text(&told, "mcp.protocol.version"), "2026-07-28");
	assert_slice(told.dialect->span_name(&told.call), "vendor/own");
	assert_slice(told.call.outputs, "{\"resultType\":\"complete\"}");
	told_free(&told);
	talk.header = (struct name_value){ 0 };
	talk.request = SLICE("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{\"_meta\":"
			     "{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}");
	told = talk_told(&talk);
	assert_slice(told_text(&told, "mcp.protocol.version"), "2026-07-28");
	assert_int_equal(told.call.operation, OPERATION_TOOL_LIST);
	told_free(&told);
}

static void errors_are_told_by_tool_and_by_protocol(void **state)
{
	struct talk talk = {
		.path = "/mcp",
		.request = SLICE(CALL("1")),
		.body = SLICE("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"no "
			      "such city\"}],\"isError\":true}}"),
	};
	struct told told = talk_told(&talk);

	assert_true(told.call.has_error);
	assert_slice(told.call.error.type, "tool_error");
	assert_slice(told.call.error.message, "no such city");
	assert_slice(told.call.outputs, "no such city");
	told_free(&told);
	talk.body = SLICE(
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"Unknown tool\",\"data\":{}}}");
	for (talk.status = 200; talk.status <= 400; talk.status += 200) {
		told = talk_told(&talk);
		assert_true(told.call.has_error);
		assert_slice(told.call.error.type, "invalid_params");
		assert_slice(told.call.error.code, "-32602");
		assert_slice(told.call.error.message, "Unknown tool");
		assert_slice(told_text(&told, "rpc.response.status_code"), "-32602");
		assert_int_equal(told.call.outputs.len, 0);
		told_free(&told);
	}
}

static void a_batch_is_one_call_with_steps(void **state)
{
	struct talk talk = {
		.path = "/mcp",
		.request = SLICE("[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}," CALL(
			"1") ",{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"tools/list\"}]"),
		.body = SLICE("[{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"tools\":[]}},"
			      "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":\"broke\"}}]"),
	};
	struct told told = talk_told(&talk);
	const struct call_step *first = told.call.steps, *second;

	assert_slice(told.dialect->span_name(&told.call), "batch");
	assert_slice(told.call.outputs, talk.body.data);
	assert_non_null(first);
	second = first->next;
	assert_non_null(second);
	assert_null(second->next);
	assert_slice(first->name, "add");
	assert_true(first->has_failed);
	assert_slice(first->error, "broke");
	assert_slice(second->name, "tools/list");
	assert_slice(second->outputs, "{\"tools\":[]}");
	told_free(&told);
}

static void what_is_asked_beside_tools_is_named_by_its_method(void **state)
{
	static const struct {
		const char *method, *params, *name;
		enum call_operation operation;
	} calls[] = {
		{ "initialize", "{\"protocolVersion\":\"2025-06-18\"}", "initialize", OPERATION_TOOL_LIST },
		{ "tools/list", "{}", "tools/list", OPERATION_TOOL_LIST },
		{ "prompts/get", "{\"name\":\"hi\"}", "prompts/get hi", OPERATION_TOOL },
		{ "resources/read", "{\"uri\":\"file:///x\"}", "resources/read", OPERATION_TOOL },
		{ "completion/complete", "{\"ref\":{}}", "completion/complete", OPERATION_TOOL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		char request[200];
		struct talk talk = { .path = "/mcp",
				     .body = SLICE("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":"
						   "\"2025-06-18\",\"serverInfo\":{}}}") };
		struct told told;

		snprintf(request, sizeof(request), "{\"method\":\"%s\",\"params\":%s,\"jsonrpc\":\"2.0\",\"id\":1}",
			 calls[i].method, calls[i].params);
		talk.request = slice_of(request);
		told = talk_told(&talk);
		assert_slice(told.dialect->span_name(&told.call), calls[i].name);
		assert_int_equal(told.call.operation, calls[i].operation);
		assert_slice(told.call.inputs, calls[i].params);
		assert_slice(told_text(&told, "mcp.protocol.version"), i ? "" : "2025-06-18");
		told_free(&told);
	}
}

static const char *found(const char *method, const char *request, const char *answer)
{
	struct dialect_hint hint = { .method = slice_of(method),
				     .path = SLICE("/rpc"),
				     .request_body = slice_of(request),
				     .request_is_whole = request,
				     .response_body = slice_of(answer) };
	unsigned score;
	const struct dialect *dialect = dialect_find(&hint, &score);

	return dialect ? dialect->name : "-";
}

static void look_alikes_are_nobodys(void **state)
{
	static const char *const requests[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":[{\"to\":\"0x0\"}]}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"processId\":1,\"capabilities\":{}}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"textDocument/hover\",\"params\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/get\",\"params\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}",
		"{\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"content\":[{\"type\":\"text\"}]}}",
		"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_blockNumber\"}]",
		"[]",
		"{",
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		assert_string_equal(found("POST", requests[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}"),
				    "-");
	assert_string_equal(found("GET", CALL("1"), NULL), "-");
}

static void an_answer_alone_tells(void **state)
{
	struct talk talk = { .body = SLICE("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[{\"type\":\"text\","
					   "\"text\":\"3\"}]}}") };
	struct dialect_hint hint = { .response_body = talk.body };
	struct told told;
	unsigned score;

	assert_string_equal(dialect_find(&hint, &score)->name, "mcp");
	hint.response_body = SLICE("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"number\":\"0x1\"}}");
	assert_null(dialect_find(&hint, &score));
	assert_true(talk_run(&talk, &talk_heap.alloc, dialect_by_name(SLICE("mcp")), &told));
	assert_slice(told.call.outputs, "3");
	assert_int_equal(told.call.operation, OPERATION_TOOL);
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tool_is_called_and_answers),
		cmocka_unit_test(a_stream_holds_the_answer_behind_other_things),
		cmocka_unit_test(the_stateless_generation_says_it_in_headers_and_meta),
		cmocka_unit_test(errors_are_told_by_tool_and_by_protocol),
		cmocka_unit_test(a_batch_is_one_call_with_steps),
		cmocka_unit_test(what_is_asked_beside_tools_is_named_by_its_method),
		cmocka_unit_test(look_alikes_are_nobodys),
		cmocka_unit_test(an_answer_alone_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
