/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations that are spoken to Bedrock. What is proven: what each message is to the turns, that a turn tells what was
 * typed, heard, meant and said, tools and tokens; refusals and exceptions; nothing is read behind what is cut.
 */
#include "unit/dialect/talk.h"

#define PATH "/model/amazon.nova-sonic-v1%3A0/invoke-with-bidirectional-stream"

static const struct dialect *sonic(void)
{
	return dialect_by_name(SLICE("bedrock.sonic"));
}

static struct session_step step_of(enum message_kind kind, const char *type, const char *text)
{
	struct message_part part = { .kind = PART_MESSAGE, .type = slice_of(type), .data = slice_of(text) };
	struct session_step step = { 0 };

	sonic()->session->step(kind, &part, &step);
	return step;
}

static void what_messages_are_to_the_turns(void **state)
{
	static const struct {
		enum message_kind kind;
		const char *text;
		enum session_is is;
		const char *key;
		bool opens, or_input;
	} rows[] = {
		{ MESSAGE_REQUEST, "{\"event\":{\"sessionStart\":{}}}", SESSION_CONTEXT, "sessionStart", false, false },
		{ MESSAGE_REQUEST, "{ \"event\": { \"promptStart\": {} } }", SESSION_CONTEXT, "promptStart", false,
		  false },
		{ MESSAGE_REQUEST, "{\"event\":{\"textInput\":{}}}", SESSION_EVENT, "", false, true },
		{ MESSAGE_REQUEST, "{\"event\":{\"toolResult\":{}}}", SESSION_EVENT, "", false, true },
		{ MESSAGE_REQUEST, "{\"event\":{\"sessionEnd\":{}}}", SESSION_EVENT, "", false, false },
		{ MESSAGE_REQUEST, "{\"event\":{\"completionStart\":{}}}", SESSION_NOBODYS, "", false, false },
		{ MESSAGE_REQUEST, "{\"event\":[]}", SESSION_NOBODYS, "", false, false },
		{ MESSAGE_REQUEST, "nothing", SESSION_NOBODYS, "", false, false },
		{ MESSAGE_RESPONSE, "{\"event\":{\"usageEvent\":{\"completionId\":\"c\"}}}", SESSION_EVENT, "c", false,
		  true },
		{ MESSAGE_RESPONSE, "{\"event\":{\"completionStart\":{\"completionId\":\"c\"}}}", SESSION_EVENT, "c",
		  true, false },
		{ MESSAGE_RESPONSE, "{\"event\":{\"textOutput\":{\"completionId\":\"c\"}}}", SESSION_EVENT, "c", false,
		  false },
		{ MESSAGE_RESPONSE, "{\"event\":{\"completionEnd\":{\"completionId\":\"c\"}}}", SESSION_END, "c", false,
		  false },
	};
	struct session_step step;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		step = step_of(rows[i].kind, "chunk", rows[i].text);
		assert_int_equal(step.is, rows[i].is);
		assert_slice(step.key, rows[i].key);
		assert_int_equal(step.opens, rows[i].opens);
		assert_int_equal(step.or_input, rows[i].or_input);
	}
	step = step_of(MESSAGE_RESPONSE, "exception:throttlingException", "{\"message\":\"slow\"}");
	assert_int_equal(step.is, SESSION_END);
	assert_true(step.opens);
	step = step_of(MESSAGE_REQUEST, "chunk", "{\"event\":{\"audioInput\":{\"content\":\"AAAAAAAA\"}}}");
	assert_int_equal(step.sound_bytes, 6);
}

static void the_path_tells(void **state)
{
	struct dialect_hint hint = { .method = SLICE("POST"), .path = SLICE(PATH), .protocol = SLICE("eventstream") };
	unsigned score;

	assert_ptr_equal(dialect_find(&hint, &score), sonic());
	hint.protocol = SLICE_NONE;
	hint.response_body = SLICE("{\"bytes\":\"eyJhIjoxfQ==\"}");
	assert_ptr_equal(dialect_find(&hint, &score), sonic());
	hint.path = SLICE("/model/m/invoke-with-response-stream");
	assert_ptr_not_equal(dialect_find(&hint, &score), sonic());
}

#define OF          "\"completionId\":\"c\",\"contentId\":"
#define STAGE(word) "\"additionalModelFields\":\"{\\\"generationStage\\\":\\\"" word "\\\"}\""

static struct talk conversation(void)
{
	return (struct talk){
		.path = PATH,
		.host = "bedrock-runtime.us-east-1.amazonaws.com",
		.request = SLICE(
			"[{\"event\":{\"sessionStart\":{}}},{\"event\":{\"promptStart\":{\"audioOutputConfiguration\":{},"
			"\"toolConfiguration\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"description\":\"d\",\"inputSchema\":"
			"{\"json\":\"{\\\"type\\\":\\\"object\\\"}\"}}}]}}}},"
			"{\"event\":{\"contentStart\":{\"type\":\"TEXT\",\"role\":\"SYSTEM\"}}},"
			"{\"event\":{\"textInput\":{\"content\":\"Be kind.\"}}},"
			"{\"event\":{\"contentStart\":{\"type\":\"TEXT\",\"role\":\"ASSISTANT\"}}},"
			"{\"event\":{\"textInput\":{\"content\":\"Hi\"}}},"
			"{\"event\":{\"contentStart\":{\"type\":\"TOOL\",\"role\":\"TOOL\",\"toolResultInputConfiguration\":"
			"{\"toolUseId\":\"t0\"}}}},{\"event\":{\"toolResult\":{\"content\":\"{}\"}}},"
			"{\"event\":{\"usageEvent\":{\"completionId\":\"c\",\"details\":{\"delta\":{\"input\":{\"speechTokens\":1,"
			"\"textTokens\":2},\"output\":{\"speechTokens\":0,\"textTokens\":0}}}}}},{\"sound_bytes\":12}]"),
		.events = {
			SLICE("{\"event\":{\"completionStart\":{\"completionId\":\"c\"}}}"),
			SLICE("{\"event\":{\"contentStart\":{" OF "\"1\",\"type\":\"TEXT\",\"role\":\"USER\"," STAGE("FINAL") "}}}"),
			SLICE("{\"event\":{\"textOutput\":{" OF "\"1\",\"content\":\"spoken\",\"role\":\"USER\"}}}"),
			SLICE("{\"event\":{\"contentEnd\":{" OF "\"1\",\"stopReason\":\"PARTIAL_TURN\"}}}"),
			SLICE("{\"event\":{\"toolUse\":{" OF "\"2\",\"toolUseId\":\"t\",\"toolName\":\"f\",\"content\":\"{\\\"a\\\":1}\"}}}"),
			SLICE("{\"event\":{\"contentStart\":{" OF "\"3\",\"type\":\"TEXT\",\"role\":\"ASSISTANT\"," STAGE("SPECULATIVE")
			      "}}}"),
			SLICE("{\"event\":{\"textOutput\":{" OF "\"3\",\"content\":\"Good day, Sir\",\"role\":\"ASSISTANT\"}}}"),
			SLICE("{\"event\":{\"contentStart\":{" OF "\"4\",\"type\":\"AUDIO\",\"role\":\"ASSISTANT\"}}}"),
			SLICE("{\"event\":{\"audioOutput\":{" OF "\"4\",\"content\":\"AAAAAAAA\"}}}"),
			SLICE("{\"event\":{\"contentStart\":{" OF "\"5\",\"type\":\"TEXT\",\"role\":\"ASSISTANT\"," STAGE("FINAL") "}}}"),
			SLICE("{\"event\":{\"textOutput\":{" OF "\"5\",\"content\":\"Good \",\"role\":\"ASSISTANT\"}}}"),
			SLICE("{\"event\":{\"textOutput\":{" OF "\"5\",\"content\":\"day\",\"role\":\"ASSISTANT\"}}}"),
			SLICE("{\"event\":{\"usageEvent\":{\"completionId\":\"c\",\"details\":{\"delta\":{\"input\":{\"speechTokens\":3,"
			      "\"textTokens\":4},\"output\":{\"speechTokens\":5,\"textTokens\":6}}},\"totalInputTokens\":900}}}"),
			SLICE("{\"event\":{\"completionEnd\":{\"completionId\":\"c\",\"stopReason\":\"END_TURN\"}}}"),
		},
	};
}

static void a_spoken_turn(void **state)
{
	struct talk talk = conversation();
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "bedrock.sonic");
	assert_string_equal(told.kinds, "qqqqcqcqcqccql");
	assert_slice(told.call.vendor, "aws.bedrock");
	assert_slice(told.call.request_model, "amazon.nova-sonic-v1:0");
	assert_slice(told.call.response_id, "c");
	assert_slice(told.call.output_type, "speech");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be kind.\"}]");
	assert_slice(told.call.tools,
		     "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":"
		     "{\"type\":\"object\"}}}]");
	assert_slice(
		told.call.input_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]},{\"role\":\"tool\",\"parts\":["
		"{\"type\":\"tool_call_response\",\"id\":\"t0\",\"response\":\"{}\"}]},{\"role\":\"user\",\"parts\":[{\"type\":"
		"\"audio\",\"sound_bytes\":12}]},{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"spoken\"}]}]");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Good day\"},{\"type\":\"tool_call\","
		"\"id\":\"t\",\"name\":\"f\",\"arguments\":{\"a\":1}}],\"finish_reason\":\"tool_call\"}]");
	assert_slice(told.call.finish_reasons[0], "END_TURN");
	assert_int_equal(told.call.usage.input, 10);
	assert_int_equal(told.call.usage.output, 11);
	assert_int_equal(told.call.usage.input_audio, 4);
	assert_int_equal(told.call.usage.output_audio, 5);
	assert_true(slice_contains(told.call.outputs, SLICE("\"text\":\"Good day, Sir\"")));
	assert_true(slice_contains(told.call.outputs, SLICE("\"audio_bytes\":6")));
	assert_int_equal(json_check(told.call.outputs, JSON_DEPTH_MAX), 0);
	told_free(&told);
}

static void what_was_never_said_is_told_as_it_was_meant(void **state)
{
	struct talk talk = conversation();
	struct told told;

	talk.event_count = 9;
	talk.end = CALL_END_CLIENT_CANCEL;
	told = talk_told(&talk);
	assert_true(slice_contains(told.call.output_messages, SLICE("\"content\":\"Good day, Sir\"")));
	told_free(&told);
}

static void sums_of_the_session_count_where_growth_is_not_told(void **state)
{
	struct talk talk = {
		.path = PATH,
		.request = SLICE("[]"),
		.events = { SLICE(
			"{\"event\":{\"usageEvent\":{\"totalInputTokens\":9,\"totalOutputTokens\":4,\"details\":{}}}}") }
	};
	struct told told = talk_told(&talk);

	assert_int_equal(told.call.usage.input, 9);
	assert_int_equal(told.call.usage.total, 13);
	told_free(&told);
}

static void failures_are_told(void **state)
{
	struct talk talk = { .path = PATH, .status = 403, .body = SLICE("{\"message\":\"not you\"}") };
	struct told told;

	talk.header = (struct name_value){ SLICE("content-type"), SLICE("application/vnd.amazon.eventstream") };
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "bedrock.sonic");
	assert_slice(told.call.error.message, "not you");
	assert_slice(told.call.request_model, "amazon.nova-sonic-v1:0");
	told_free(&told);
	talk = (struct talk){ .path = PATH,
			      .events = { SLICE("exception:throttlingException|{\"message\":\"slow\"}") } };
	told = talk_told(&talk);
	assert_slice(told.call.error.type, "throttlingException");
	assert_slice(told.call.error.message, "slow");
	told_free(&told);
}

/* Whatever is missing, nothing is read behind it, and what is handed out is JSON. */
static void lists_cut_and_memory_ending_anywhere(void **state)
{
	struct talk talk = conversation();
	struct slice whole = talk.request;
	struct told told;

	for (size_t len = 0; len <= whole.len; len++) {
		struct guard guard = guard_new(slice_head(whole, len));

		talk.request = guard.text;
		if (talk_run(&talk, &talk_heap.alloc, sonic(), &told) && told.call.input_messages.len)
			assert_int_equal(json_check(told.call.input_messages, JSON_DEPTH_MAX), 0);
		told_free(&told);
		guard_free(&guard);
	}
	talk.request = whole;
	for (uint64_t nth = 1; nth < 40; nth++) {
		struct fail_alloc fail = FAIL_ALLOC(nth);

		fail.is_sticky = nth % 2;
		talk_run(&talk, &fail.alloc, sonic(), &told);
		told_free(&told);
		assert_int_equal(fail.used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_messages_are_to_the_turns),
		cmocka_unit_test(the_path_tells),
		cmocka_unit_test(a_spoken_turn),
		cmocka_unit_test(what_was_never_said_is_told_as_it_was_meant),
		cmocka_unit_test(sums_of_the_session_count_where_growth_is_not_told),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(lists_cut_and_memory_ending_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
