/* SPDX-License-Identifier: Apache-2.0 */
/* An agent asks another: both versions of the words, JSON-RPC and paths, at once and as a stream. */
#include "unit/dialect/talk.h"

#define MESSAGE                                                                                                        \
	"{\"messageId\":\"m1\",\"contextId\":\"c1\",\"role\":\"ROLE_USER\",\"parts\":[{\"text\":\"Plan a trip\"}]}"

static struct slice told_text(const struct told *told, const char *name)
{
	for (const struct attribute *at = told->call.attributes; at; at = at->next)
		if (slice_equal(at->name, slice_of(name)))
			return at->value.text;
	return SLICE_NONE;
}

static void a_message_is_answered_by_a_task(void **state)
{
	static const char *const words[] = { "SendMessage", "message/send" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char request[400];
		struct talk talk = {
			.path = "/",
			.body = SLICE(
				"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"task\":{\"id\":\"t1\",\"contextId\":\"c2\","
				"\"status\":{\"state\":\"TASK_STATE_COMPLETED\"},\"artifacts\":[]}}}"),
		};
		struct told told;

		snprintf(request, sizeof(request),
			 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"message\":" MESSAGE "}}",
			 words[i]);
		talk.request = slice_of(request);
		told = talk_told(&talk);
		assert_string_equal(told.dialect->name, "a2a");
		assert_int_equal(told.call.operation, OPERATION_AGENT);
		assert_slice(told.dialect->span_name(&told.call), words[i]);
		assert_slice(told.call.inputs, "{\"message\":" MESSAGE "}");
		assert_slice(told.call.outputs, "{\"task\":{\"id\":\"t1\",\"contextId\":\"c2\",\"status\":{\"state\":"
						"\"TASK_STATE_COMPLETED\"},\"artifacts\":[]}}");
		assert_slice(told_text(&told, "a2a.task.id"), "t1");
		assert_slice(told_text(&told, "a2a.task.state"), "TASK_STATE_COMPLETED");
		assert_slice(told_text(&told, "a2a.message.id"), "m1");
		assert_slice(told.call.session_id, "c2");
		assert_slice(told.call.input_messages,
			     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Plan a trip\"}]}]");
		assert_false(told.call.has_error);
		told_free(&told);
	}
}

static void a_stream_ends_with_its_last_state(void **state)
{
	struct talk talk = { .path = "/tenant/message:stream", .request = SLICE("{\"message\":" MESSAGE "}") };
	struct told told;

	talk.events[0] =
		SLICE("{\"task\":{\"id\":\"t1\",\"contextId\":\"c1\",\"status\":{\"state\":\"TASK_STATE_WORKING\"}}}");
	talk.events[1] = SLICE("{\"artifactUpdate\":{\"taskId\":\"t1\",\"artifact\":{\"parts\":[{\"text\":\"a\"}]}}}");
	talk.events[2] = SLICE("{\"statusUpdate\":{\"taskId\":\"t1\",\"status\":{\"state\":\"TASK_STATE_FAILED\"}}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "a2a");
	assert_string_equal(told.kinds, "qcq");
	assert_slice(told.dialect->span_name(&told.call), "SendStreamingMessage");
	assert_slice(told_text(&told, "a2a.task.state"), "TASK_STATE_FAILED");
	assert_int_equal(json_count(told.call.outputs), 3);
	assert_true(told.call.has_error);
	assert_slice(told.call.error.type, "TASK_STATE_FAILED");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"a\"}]}]");
	told_free(&told);
}

#define REQUEST_03(method)                                                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{\"message\":{\"kind\":\"message\","       \
	"\"messageId\":\"m1\",\"role\":\"user\",\"parts\":[{\"kind\":\"text\",\"text\":\"time?\"}]}}}"
#define STATUS_03(state, text)                                                                                         \
	"{\"kind\":\"status-update\",\"taskId\":\"t1\",\"status\":{\"state\":\"" state                                 \
	"\",\"message\":{\"role\":\"agent\","                                                                          \
	"\"parts\":[{\"kind\":\"text\",\"text\":\"" text "\"}]}}}"
#define ANSWER_03(result) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" result "}"

static void what_the_agent_says_may_stand_in_its_last_state(void **state)
{
	struct talk talk = { .path = "/", .request = SLICE(REQUEST_03("message/stream")) };
	struct told told;

	talk.events[0] = SLICE(ANSWER_03(STATUS_03("working", "one moment")));
	talk.events[1] = SLICE(ANSWER_03(STATUS_03("completed", "noon")));
	told = talk_told(&talk);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"noon\"}]}]");
	assert_int_equal(json_count(told.call.chat_messages), 2);
	told_free(&told);
	talk = (struct talk){
		.path = "/",
		.request = SLICE(REQUEST_03("message/send")),
		.body = SLICE(ANSWER_03(
			"{\"kind\":\"task\",\"id\":\"t1\",\"status\":{\"state\":\"completed\"},\"artifacts\":["
			"{\"parts\":[{\"kind\":\"text\",\"text\":\"it is \"}]},"
			"{\"parts\":[{\"kind\":\"text\",\"text\":\"noon\"}]}]}")),
	};
	told = talk_told(&talk);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"it is \"},"
		     "{\"type\":\"text\",\"content\":\"noon\"}]}]");
	told_free(&told);
}

static void an_error_is_json_rpcs(void **state)
{
	struct talk talk = {
		.path = "/a2a",
		.request =
			SLICE("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"tasks/get\",\"params\":{\"id\":\"t9\"}}"),
		.body = SLICE(
			"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32001,\"message\":\"Task not found\"}}"),
	};
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "a2a");
	assert_true(told.call.has_error);
	assert_slice(told.call.error.message, "Task not found");
	assert_slice(told_text(&told, "rpc.response.status_code"), "-32001");
	assert_slice(told_text(&told, "a2a.task.id"), "t9");
	told_free(&told);
}

static void look_alikes_are_nobodys(void **state)
{
	static const struct {
		const char *path, *body;
	} calls[] = {
		{ "/message:send", "{\"message\":\"hello\"}" },
		{ "/x", "{\"message\":" MESSAGE "}" },
		{ "/tasks/1:cancel", "{}" },
		{ "/rpc", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"message/send\",\"params\":{\"message\":\"x\"}}" },
		{ "/rpc", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ListTasks\",\"params\":{}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct dialect_hint hint = { .method = SLICE("POST"),
					     .path = slice_of(calls[i].path),
					     .request_body = slice_of(calls[i].body),
					     .request_is_whole = true };
		unsigned score;

		assert_null(dialect_find(&hint, &score));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_answered_by_a_task),
		cmocka_unit_test(a_stream_ends_with_its_last_state),
		cmocka_unit_test(what_the_agent_says_may_stand_in_its_last_state),
		cmocka_unit_test(an_error_is_json_rpcs),
		cmocka_unit_test(look_alikes_are_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
