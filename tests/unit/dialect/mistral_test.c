/* SPDX-License-Identifier: Apache-2.0 */
/* Mistral's conversations: entries of an answer, whole or streamed; tools on its side become steps. */
#include "unit/dialect/talk.h"

#define ASK                                                                                                                \
	"{\"model\":\"mistral-medium\",\"instructions\":\"Be brief.\",\"inputs\":[{\"role\":\"user\",\"content\":\"Hi\"}," \
	"{\"type\":\"function.result\",\"tool_call_id\":\"t0\",\"result\":\"18\"}],\"tools\":[{\"type\":\"web_search\"}]}"
#define OUTPUT                                                                                                                   \
	"{\"conversation_id\":\"conv_1\",\"object\":\"conversation.response\",\"outputs\":["                                     \
	"{\"type\":\"tool.execution\",\"id\":\"x\",\"name\":\"web_search\",\"info\":{\"n\":1},\"arguments\":\"{\\\"q\\\":1}\"}," \
	"{\"type\":\"message.output\",\"id\":\"msg\",\"model\":\"m-1\",\"role\":\"assistant\",\"content\":"                      \
	"[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"hm\"}]},{\"type\":\"text\",\"text\":\"Hello\"},"    \
	"{\"type\":\"tool_reference\",\"url\":\"u\"}]},"                                                                         \
	"{\"type\":\"function.call\",\"tool_call_id\":\"t1\",\"name\":\"f\",\"arguments\":\"{}\"}],"                             \
	"\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":17,\"connector_tokens\":10}}"

static void assert_meaning(const struct told *told)
{
	const struct call *call = &told->call;

	assert_string_equal(told->dialect->name, "mistral.conversations");
	assert_slice(call->outputs, OUTPUT);
	assert_slice(call->session_id, "conv_1");
	assert_slice(call->response_model, "m-1");
	assert_int_equal(call->usage.input, 15);
	assert_int_equal(call->usage.output, 2);
	assert_slice(
		call->output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},{\"type\":\"text\",\"content\":"
		"\"Hello\"},{\"type\":\"tool_reference\",\"url\":\"u\"},{\"type\":\"tool_call\",\"id\":\"t1\",\"name\":\"f\","
		"\"arguments\":{}}],\"finish_reason\":\"tool_call\"}]");
	assert_slice(
		call->input_messages,
		"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]},{\"role\":\"tool\",\"parts\":"
		"[{\"type\":\"tool_call_response\",\"id\":\"t0\",\"response\":\"18\"}]}]");
	assert_non_null(call->steps);
	assert_slice(call->steps->name, "web_search");
	assert_slice(call->steps->inputs, "{\"q\":1}");
	assert_slice(call->steps->outputs, "{\"n\":1}");
	assert_null(call->steps->next);
	assert_false(call->is_undecodable);
}

static void an_answer_in_one_piece(void **state)
{
	struct talk talk = { .path = "/v1/conversations", .request = SLICE(ASK), .body = SLICE(OUTPUT) };
	struct told told = talk_told(&talk);

	assert_meaning(&told);
	told_free(&told);
}

static void a_stream_is_the_same_answer(void **state)
{
	struct talk talk = { .path = "/v1/conversations", .request = SLICE(ASK) };
	static const char *const lines[] = {
		"conversation.response.started|{\"type\":\"conversation.response.started\",\"conversation_id\":\"conv_1\"}",
		"{\"type\":\"tool.execution.started\",\"output_index\":0,\"id\":\"x\",\"name\":\"web_search\",\"arguments\":\"{\\\"q\\\":1}\"}",
		"{\"type\":\"tool.execution.done\",\"output_index\":0,\"id\":\"x\",\"name\":\"web_search\",\"info\":{\"n\":1}}",
		"{\"type\":\"message.output.delta\",\"output_index\":1,\"id\":\"msg\",\"model\":\"m-1\",\"role\":\"assistant\","
		"\"content\":{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"hm\"}]}}",
		"{\"type\":\"message.output.delta\",\"output_index\":1,\"id\":\"msg\",\"content\":\"Hel\"}",
		"{\"type\":\"message.output.delta\",\"output_index\":1,\"id\":\"msg\",\"content\":\"lo\"}",
		"{\"type\":\"message.output.delta\",\"output_index\":1,\"content\":{\"type\":\"tool_reference\",\"url\":\"u\"}}",
		"{\"type\":\"function.call.delta\",\"output_index\":2,\"tool_call_id\":\"t1\",\"name\":\"f\",\"arguments\":\"{\"}",
		"{\"type\":\"function.call.delta\",\"output_index\":2,\"tool_call_id\":\"t1\",\"name\":\"f\",\"arguments\":\"}\"}",
		"{\"type\":\"conversation.response.done\",\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
		"\"total_tokens\":17,\"connector_tokens\":10}}",
	};
	struct told told;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		talk.events[i] = slice_of(lines[i]);
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qcqccccccl");
	assert_meaning(&told);
	told_free(&told);
}

static void failures_are_told(void **state)
{
	struct talk talk = { .path = "/v1/conversations/conv_7", .request = SLICE("{\"inputs\":\"Hi\"}") };
	struct told told;

	talk.events[0] = SLICE("{\"type\":\"message.output.delta\",\"output_index\":0,\"content\":\"He\"}");
	talk.events[1] = SLICE("{\"type\":\"conversation.response.error\",\"message\":\"overloaded\",\"code\":503}");
	told = talk_told(&talk);
	assert_true(told.call.error.in_band);
	assert_slice(told.call.error.message, "overloaded");
	assert_slice(told.call.error.code, "503");
	assert_slice(told.call.session_id, "conv_7");
	assert_slice(json_path(told.call.outputs, "outputs", "#0", "content", NULL), "\"He\"");
	told_free(&told);
	memset(talk.events, 0, sizeof(talk.events));
	talk.status = 404;
	talk.body = SLICE("{\"detail\":\"no such conversation\"}");
	told = talk_told(&talk);
	assert_slice(told.call.error.message, "no such conversation");
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_one_piece),
		cmocka_unit_test(a_stream_is_the_same_answer),
		cmocka_unit_test(failures_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
