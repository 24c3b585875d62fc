/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: xAI's messages become the conversation, a stream becomes the answer it adds up to, tools of the service are
 * steps, reasoning counts as output, the cost is told, and a status that is an error is one whatever HTTP says.
 */
#include "unit/dialect/grpc_talk.h"

static const char chat_path[] = "/xai_api.Chat/GetCompletion", stream_path[] = "/xai_api.Chat/GetCompletionChunk";

static void message_put(struct pbw *out, unsigned role, const char *text)
{
	struct pbw content = { 0 }, message = { 0 };

	pbw_text(&content, 1, text);
	pbw_message(&message, 1, &content);
	pbw_varint(&message, 2, role);
	pbw_message(out, 1, &message);
}

static struct pbw asked(void)
{
	struct pbw ask = { 0 }, function = { 0 }, tool = { 0 };

	message_put(&ask, 3, "be short");
	message_put(&ask, 1, "how warm is it?");
	pbw_text(&ask, 2, "grok-4");
	pbw_varint(&ask, 7, 50);
	pbw_float(&ask, 14, 0.7f);
	pbw_float(&ask, 15, 0.5f);
	pbw_text(&ask, 16, "u1");
	pbw_text(&function, 1, "weather");
	pbw_text(&function, 4, "{\"type\": \"object\"}");
	pbw_message(&tool, 1, &function);
	pbw_message(&ask, 17, &tool);
	tool = (struct pbw){ 0 };
	pbw_bytes(&tool, 3, "", 0);
	pbw_message(&ask, 17, &tool);
	return ask;
}

static struct pbw tool_call(const char *id, unsigned type, const char *name, const char *arguments)
{
	struct pbw call = { 0 }, function = { 0 };

	pbw_text(&call, 1, id);
	pbw_varint(&call, 2, type);
	pbw_varint(&call, 3, 1);
	pbw_text(&function, 1, name);
	pbw_text(&function, 2, arguments);
	pbw_message(&call, 10, &function);
	return call;
}

static struct pbw usage(void)
{
	struct pbw usage = { 0 };

	pbw_varint(&usage, 1, 15);
	pbw_varint(&usage, 2, 743);
	pbw_varint(&usage, 3, 1241);
	pbw_varint(&usage, 6, 483);
	pbw_varint(&usage, 7, 170);
	pbw_bytes(&usage, 9, "\x01", 1);
	pbw_varint(&usage, 11, 12345);
	return usage;
}

static struct grpc_talk chat(void)
{
	struct grpc_talk talk = { .path = chat_path, .request = asked(), .answer_count = 1 };
	struct pbw message = { 0 }, output = { 0 }, used = usage();
	struct pbw client = tool_call("c1", 1, "weather", "{\"city\":\"x\"}"),
		   server = tool_call("s1", 2, "web_search", "{}");

	pbw_text(&talk.answers[0], 1, "id1");
	pbw_text(&message, 1, "warm");
	pbw_varint(&message, 2, 2);
	pbw_message(&message, 3, &server);
	pbw_message(&message, 3, &client);
	pbw_text(&message, 4, "hm");
	pbw_varint(&output, 1, 4);
	pbw_message(&output, 3, &message);
	pbw_message(&talk.answers[0], 2, &output);
	message = output = (struct pbw){ 0 };
	pbw_text(&message, 1, "found");
	pbw_varint(&message, 2, 5);
	pbw_message(&message, 3, &server);
	pbw_varint(&output, 2, 1);
	pbw_message(&output, 3, &message);
	pbw_message(&talk.answers[0], 2, &output);
	pbw_text(&talk.answers[0], 6, "grok-4-1");
	pbw_text(&talk.answers[0], 7, "fp");
	pbw_message(&talk.answers[0], 9, &used);
	return talk;
}

static struct pbw chunk(const char *text, const char *reasoning, unsigned reason)
{
	struct pbw chunk = { 0 }, output = { 0 }, delta = { 0 }, used = usage();

	if (text)
		pbw_text(&delta, 1, text);
	pbw_varint(&delta, 2, 2);
	if (reasoning)
		pbw_text(&delta, 4, reasoning);
	pbw_message(&output, 1, &delta);
	if (reason)
		pbw_varint(&output, 3, reason);
	pbw_text(&chunk, 1, "id2");
	pbw_message(&chunk, 2, &output);
	pbw_text(&chunk, 4, "grok-4");
	pbw_message(&chunk, 6, &used);
	return chunk;
}

static struct grpc_talk stream(void)
{
	return (struct grpc_talk){ .path = stream_path,
				   .request = asked(),
				   .answers = { chunk(NULL, "think\"", 0), chunk("It is ", NULL, 0),
						chunk("w\xc3\xa4rm", NULL, 0), chunk(NULL, NULL, 3) },
				   .answer_count = 4 };
}

static void an_answer_is_read(void **state)
{
	struct grpc_talk talk = chat();
	struct told told = grpc_told(&talk);
	const struct call *call = &told.call;

	assert_string_equal(told.dialect->name, "xai.grpc");
	assert_int_equal(call->operation, OPERATION_CHAT);
	assert_slice(call->vendor, "x_ai");
	assert_slice(call->request_model, "grok-4");
	assert_slice(call->user_id, "u1");
	assert_slice(call->response_model, "grok-4-1");
	assert_slice(call->response_id, "id1");
	assert_slice(call->inputs,
		     "{\"messages\":[{\"content\":[{\"text\":\"be short\"}],\"role\":\"ROLE_SYSTEM\"},"
		     "{\"content\":[{\"text\":\"how warm is it?\"}],\"role\":\"ROLE_USER\"}],\"model\":\"grok-4\","
		     "\"maxTokens\":50,\"temperature\":0.7,\"topP\":0.5,\"user\":\"u1\",\"tools\":[{\"function\":"
		     "{\"name\":\"weather\",\"parameters\":\"{\\\"type\\\": \\\"object\\\"}\"}},{\"webSearch\":{}}]}");
	assert_slice(
		call->tools,
		"[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"parameters\":{\"type\": \"object\"}}},"
		"{\"type\":\"function\",\"function\":{\"name\":\"webSearch\"}}]");
	assert_slice(call->input_messages,
		     "[{\"role\":\"system\",\"parts\":[{\"type\":\"text\",\"content\":\"be short\"}]},"
		     "{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"how warm is it?\"}]}]");
	assert_slice(
		call->output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},"
		"{\"type\":\"text\",\"content\":\"warm\"},{\"type\":\"tool_call\",\"id\":\"c1\",\"name\":\"weather\","
		"\"arguments\":{\"city\":\"x\"}}],\"finish_reason\":\"tool_call\"}]");
	assert_true(call->chat_messages.len > 0);
	assert_int_equal(call->finish_count, 1);
	assert_slice(call->finish_reasons[0], "REASON_TOOL_CALLS");
	assert_false(call->has_error || call->is_undecodable || call->is_stream);
	told_free(&told);
}

static void tools_of_the_service_are_steps(void **state)
{
	struct grpc_talk talk = chat();
	struct told told = grpc_told(&talk);
	const struct call_step *step = told.call.steps;

	assert_non_null(step);
	assert_slice(step->name, "web_search");
	assert_slice(step->id, "s1");
	assert_slice(step->inputs, "{}");
	assert_slice(step->outputs, "\"found\"");
	assert_int_equal(step->operation, OPERATION_TOOL);
	assert_null(step->next);
	told_free(&told);
}

static void reasoning_counts_as_output_and_the_cost_is_told(void **state)
{
	struct grpc_talk talk = chat();
	struct told told = grpc_told(&talk);
	const struct call *call = &told.call;

	assert_int_equal(call->usage.input, 743);
	assert_int_equal(call->usage.output, 498);
	assert_int_equal(call->usage.total, 1241);
	assert_int_equal(call->usage.reasoning, 483);
	assert_int_equal(call->usage.cache_read, 170);
	assert_int_equal(call->cost_told_nano, 1235);
	assert_int_equal(attribute_of(call, "gen_ai.request.max_tokens")->value.integer, 50);
	assert_int_equal(attribute_of(call, "rpc.grpc.status_code")->value.integer, 0);
	told_free(&told);
}

static void a_stream_adds_up_to_an_answer(void **state)
{
	struct grpc_talk talk = stream();
	struct told told = grpc_told(&talk);
	const struct call *call = &told.call;

	assert_string_equal(told.kinds, "cccq");
	assert_slice(
		call->outputs,
		"{\"id\":\"id2\",\"outputs\":[{\"finishReason\":\"REASON_STOP\",\"message\":{\"content\":\"It is w\xc3\xa4rm\","
		"\"role\":\"ROLE_ASSISTANT\",\"reasoningContent\":\"think\\\"\"}}],\"model\":\"grok-4\",\"usage\":"
		"{\"completionTokens\":15,\"promptTokens\":743,\"totalTokens\":1241,\"reasoningTokens\":483,"
		"\"cachedPromptTextTokens\":170,\"serverSideToolsUsed\":[\"SERVER_SIDE_TOOL_WEB_SEARCH\"],"
		"\"costInUsdTicks\":\"12345\"}}");
	assert_slice(call->output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"think\\\"\"},"
		     "{\"type\":\"text\",\"content\":\"It is w\xc3\xa4rm\"}],\"finish_reason\":\"stop\"}]");
	assert_int_equal(call->usage.output, 498);
	assert_true(call->is_stream);
	assert_slice(told.dialect->span_name(call), "Chat.stream");
	told_free(&told);
}

static void results_of_tools_go_back_under_their_id(void **state)
{
	struct grpc_talk talk = { .path = chat_path };
	struct pbw content = { 0 }, message = { 0 };
	struct told told;

	pbw_text(&content, 1, "18");
	pbw_message(&message, 1, &content);
	pbw_varint(&message, 2, 5);
	pbw_text(&message, 7, "c1");
	pbw_message(&talk.request, 1, &message);
	told = grpc_told(&talk);
	assert_slice(
		told.call.input_messages,
		"[{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"c1\",\"response\":\"18\"}]}]");
	told_free(&told);
}

static const struct {
	const char *status, *message, *type, *want;
} failures[] = {
	{ "8", "out of credits%2C sorry %E2%82%AC 100%", "RESOURCE_EXHAUSTED",
	  "out of credits, sorry \xe2\x82\xac 100%" },
	{ "16", "%zz", "UNAUTHENTICATED", "%zz" },
	{ "4", "", "DEADLINE_EXCEEDED", "" },
	{ "99", NULL, "UNKNOWN", "" },
};

static void a_status_is_an_error_whatever_http_says(void **state)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		struct grpc_talk talk = { .path = chat_path,
					  .request = asked(),
					  .status = failures[i].status,
					  .message = failures[i].message };
		struct told told = grpc_told(&talk);

		assert_true(told.call.has_error);
		assert_slice(told.call.error.type, failures[i].type);
		assert_slice(told.call.error.message, failures[i].want);
		assert_slice(told.call.error.code, failures[i].status);
		told_free(&told);
	}
}

static void what_clients_hand_on_as_credentials_is_hidden(void **state)
{
	struct grpc_talk talk = { .path = chat_path };
	struct pbw mcp = { 0 }, tool = { 0 };
	struct told told;

	pbw_text(&mcp, 1, "files");
	pbw_text(&mcp, 5, "Bearer secret");
	pbw_message(&tool, 7, &mcp);
	pbw_message(&talk.request, 17, &tool);
	told = grpc_told(&talk);
	assert_slice(told.call.inputs, "{\"tools\":[{\"mcp\":{\"serverLabel\":\"files\"}}]}");
	told_free(&told);
}

static void other_methods_and_other_carriers_are_not_its(void **state)
{
	static const struct name_value types[] = { { SLICE("content-type"), SLICE("application/grpc") },
						   { SLICE("content-type"), SLICE("application/json") } };
	static const struct {
		const char *path;
		size_t type;
	} others[] = { { "/xai_api.Models/ListLanguageModels", 0 }, { "/Chat/GetCompletion", 0 }, { chat_path, 1 } };
	unsigned score;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct dialect_hint hint = { .method = SLICE("POST"),
					     .path = slice_of(others[i].path),
					     .headers = &types[others[i].type],
					     .header_count = 1 };

		assert_null(dialect_find(&hint, &score));
	}
}

static void damage_and_full_memory_are_survived(void **state)
{
	struct grpc_talk talks[] = { chat(), stream() };

	for (size_t i = 0; i < 2; i++) {
		grpc_survives_damage(&talks[i]);
		grpc_survives_full_memory(&talks[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_read),
		cmocka_unit_test(tools_of_the_service_are_steps),
		cmocka_unit_test(reasoning_counts_as_output_and_the_cost_is_told),
		cmocka_unit_test(a_stream_adds_up_to_an_answer),
		cmocka_unit_test(results_of_tools_go_back_under_their_id),
		cmocka_unit_test(a_status_is_an_error_whatever_http_says),
		cmocka_unit_test(what_clients_hand_on_as_credentials_is_hidden),
		cmocka_unit_test(other_methods_and_other_carriers_are_not_its),
		cmocka_unit_test(damage_and_full_memory_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
