/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of assistants: the run with its messages is the answer, and somebody else's runs are not taken. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"

#define RUN(status, rest)                                                                                                         \
	"{\"id\":\"run_1\",\"object\":\"thread.run\",\"assistant_id\":\"asst_1\",\"thread_id\":\"thread_1\",\"status\":\"" status \
	"\",\"model\":\"m-1\"" rest "}"
#define MESSAGE                                                                                                         \
	"{\"id\":\"msg_1\",\"object\":\"thread.message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[" \
	"{\"type\":\"text\",\"text\":{\"value\":\"Paris.\",\"annotations\":[]}}]}"
#define USAGE ",\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}"
#define DELTA(text)                                                                                                    \
	SLICE("thread.message.delta|{\"id\":\"msg_1\",\"object\":\"thread.message.delta\",\"delta\":{\"content\":["    \
	      "{\"index\":0,\"type\":\"text\",\"text\":{\"value\":\"" text "\"}}]}}")

static struct talk run(void)
{
	return (struct talk){
		.path = "/v1/threads/runs",
		.host = "api.openai.com",
		.agent = "OpenAI/Python 3.54.0",
		.header = { SLICE("openai-beta"), SLICE("assistants=v2") },
		.request =
			SLICE("{\"assistant_id\":\"asst_1\",\"instructions\":\"Be terse.\",\"thread\":{\"messages\":["
			      "{\"role\":\"user\",\"content\":\"Capital?\"}]},\"stream\":true}"),
	};
}

static void a_stream_is_a_run_with_its_messages(void **state)
{
	struct talk talk = run();
	struct told told;

	talk.events[0] = SLICE("thread.created|{\"id\":\"thread_1\",\"object\":\"thread\"}");
	talk.events[1] = SLICE("thread.run.created|" RUN("queued", ""));
	talk.events[2] = SLICE("thread.run.step.created|{\"id\":\"step_1\",\"object\":\"thread.run.step\","
			       "\"status\":\"in_progress\"}");
	talk.events[3] = SLICE(
		"thread.run.step.completed|{\"id\":\"step_1\",\"object\":\"thread.run.step\",\"status\":\"completed\","
		"\"step_details\":{\"type\":\"tool_calls\",\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"code_interpreter\","
		"\"code_interpreter\":{\"input\":\"1+1\",\"outputs\":[{\"logs\":\"2\"}]}}]}}");
	talk.events[4] = DELTA("Pa");
	talk.events[5] = DELTA("ris.");
	talk.events[6] = SLICE("thread.message.completed|" MESSAGE);
	talk.events[7] = SLICE("thread.run.completed|" RUN("completed", USAGE));
	talk.events[8] = SLICE("done|[DONE]");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "openai.assistants");
	assert_string_equal(told.kinds, "qqqqccqqe");
	assert_int_equal(told.call.operation, OPERATION_AGENT);
	assert_slice(told.dialect->span_name(&told.call), "Runs");
	assert_slice(attribute_text(&told.call, "gen_ai.agent.id"), "asst_1");
	assert_slice(told.call.session_id, "thread_1");
	assert_slice(told.call.response_id, "run_1");
	assert_slice(told.call.response_model, "m-1");
	assert_int_equal(told.call.usage.total, 7);
	assert_slice(told.call.finish_reasons[0], "completed");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be terse.\"}]");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Paris.\"}],"
		     "\"finish_reason\":\"stop\"}]");
	assert_slice(told.call.steps->name, "code_interpreter");
	assert_slice(told.call.steps->inputs, "\"1+1\"");
	assert_int_equal(told.call.steps->start_ns, 3);
	assert_int_equal(told.call.steps->end_ns, 4);
	assert_int_equal(json_count(json_get(told.call.outputs, SLICE("messages"))), 1);
	told_free(&told);
	talk.events[6] = SLICE_NONE;
	talk.end = CALL_END_SERVER_CUT;
	told = talk_told(&talk);
	assert_slice(json_path(told.call.outputs, "messages", "#0", "content", "#0", "text", "value", NULL),
		     "\"Paris.\"");
	told_free(&told);
}

static void tools_of_the_application_are_asked_and_answered(void **state)
{
	struct talk talk = run();
	struct told told;

	talk.path = "/openai/threads/thread_1/runs/run_1/submit_tool_outputs";
	talk.request = SLICE("{\"tool_outputs\":[{\"tool_call_id\":\"c\",\"output\":\"18\"}]}");
	talk.body = SLICE(RUN(
		"requires_action",
		",\"required_action\":{\"type\":\"submit_tool_outputs\",\"submit_tool_outputs\":{\"tool_calls\":["
		"{\"id\":\"d\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]}}"));
	told = talk_told(&talk);
	assert_slice(told.dialect->span_name(&told.call), "Runs.submit_tool_outputs");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"c\","
		     "\"response\":\"18\"}]}]");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"d\","
		     "\"name\":\"f\",\"arguments\":{\"a\":1}}],\"finish_reason\":\"tool_call\"}]");
	assert_slice(told.call.outputs, talk.body.data);
	told_free(&told);
}

static void a_run_that_failed_has_its_error(void **state)
{
	struct talk talk = run();
	struct told told;

	talk.events[0] = SLICE("thread.run.failed|" RUN(
		"failed", ",\"last_error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"slow\"}"));
	told = talk_told(&talk);
	assert_true(told.call.has_error);
	assert_slice(told.call.error.code, "rate_limit_exceeded");
	told_free(&told);
	talk.events[0] = SLICE("error|{\"error\":{\"message\":\"oh\",\"type\":\"server_error\"}}");
	told = talk_told(&talk);
	assert_slice(told.call.error.message, "oh");
	told_free(&told);
}

static void runs_of_others_are_left_alone(void **state)
{
	static const char *const paths[] = { "/runs", "/threads/t/runs", "/threads/runs", "/api/v1/runs" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct dialect_hint hint = { .method = SLICE("POST"),
					     .path = slice_of(paths[i]),
					     .request_body = SLICE("{\"assistant_id\":\"a\",\"input\":{}}"),
					     .request_is_whole = true,
					     .response_body = SLICE("{\"run_id\":\"r\",\"assistant_id\":\"a\"}") };
		unsigned score;

		assert_null(dialect_find(&hint, &score));
		hint.response_body = SLICE(RUN("queued", ""));
		assert_non_null(dialect_find(&hint, &score));
	}
}

static void lost_memory_is_told(void **state)
{
	struct talk talk = run();

	talk.events[0] = DELTA("Pa");
	talk.events[1] = SLICE(MESSAGE);
	talk.events[2] = SLICE(RUN("completed", USAGE));
	for (uint64_t nth = 1; nth < 40; nth++) {
		struct fail_alloc fail = FAIL_ALLOC(nth);
		struct told told;

		fail.is_sticky = nth % 2;
		if (talk_run(&talk, &fail.alloc, NULL, &told)) {
			if (told.call.outputs.len)
				assert_int_equal(json_check(told.call.outputs, JSON_DEPTH_MAX), 0);
			else
				assert_true(told.call.is_undecodable);
		}
		told_free(&told);
		assert_int_equal(fail.used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_a_run_with_its_messages),
		cmocka_unit_test(tools_of_the_application_are_asked_and_answered),
		cmocka_unit_test(a_run_that_failed_has_its_error),
		cmocka_unit_test(runs_of_others_are_left_alone),
		cmocka_unit_test(lost_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
