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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_one_piece),
		cmocka_unit_test(the_terminal_event_is_the_answer),
		cmocka_unit_test(items_fill_a_terminal_event_without_output),
		cmocka_unit_test(a_cut_stream_shows_what_was_said),
		cmocka_unit_test(ends_that_are_no_success),
		cmocka_unit_test(tools_are_those_that_autolog_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
