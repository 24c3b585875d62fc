/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dialects of sockets. What is proven: what each message is to the turns, what a turn's call says, that sound is kept
 * nowhere, that lists of messages may be cut and memory end anywhere.
 */
#include "unit/dialect/talk.h"

#define LONG "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct session_step step_of(const char *dialect, enum message_kind kind, const char *text)
{
	const struct dialect *found = dialect_by_name(slice_of(dialect));
	struct message_part part = { .kind = PART_MESSAGE, .data = slice_of(text) };
	struct session_step step = { 0 };

	assert_non_null(found);
	assert_non_null(found->session);
	found->session->step(kind, &part, &step);
	return step;
}

static void what_messages_are_to_the_turns(void **state)
{
	static const struct {
		const char *dialect;
		enum message_kind kind;
		const char *text;
		enum session_is is;
		const char *key, *lane;
	} rows[] = {
		{ "openai.responses", MESSAGE_REQUEST,
		  "{\"type\":\"response.create\",\"model\":\"m\",\"stream_id\":\"s\"}", SESSION_OPEN, "", "s" },
		{ "openai.responses", MESSAGE_REQUEST, "{\"type\":\"response.processed\"}", SESSION_NOBODYS, "", "" },
		{ "openai.responses", MESSAGE_RESPONSE, "{\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}",
		  SESSION_EVENT, "r", "" },
		{ "openai.responses", MESSAGE_RESPONSE, "{\"type\":\"response.output_text.delta\",\"stream_id\":\"s\"}",
		  SESSION_EVENT, "", "s" },
		{ "openai.responses", MESSAGE_RESPONSE, "{\"type\":\"response.failed\",\"response\":{\"id\":\"r\"}}",
		  SESSION_END, "r", "" },
		{ "openai.responses", MESSAGE_RESPONSE, "{\"type\":\"error\",\"status\":400}", SESSION_END, "", "" },
		{ "openai.responses", MESSAGE_RESPONSE, "{\"type\":\"codex.rate_limits\"}", SESSION_NOBODYS, "", "" },
		{ "openai.realtime", MESSAGE_REQUEST, "{\"type\":\"session.update\"}", SESSION_CONTEXT, "client", "" },
		{ "openai.realtime", MESSAGE_RESPONSE, "{\"type\":\"session.updated\"}", SESSION_CONTEXT, "server",
		  "" },
		{ "openai.realtime", MESSAGE_REQUEST, "{\"type\":\"conversation.item.create\"}", SESSION_INPUT, "",
		  "" },
		{ "openai.realtime", MESSAGE_RESPONSE, "{\"type\":\"response.text.delta\",\"response_id\":\"r\"}",
		  SESSION_EVENT, "r", "" },
		{ "openai.realtime", MESSAGE_RESPONSE, "{\"type\":\"response.done\",\"response\":{\"id\":\"r\"}}",
		  SESSION_END, "r", "" },
		{ "openai.realtime", MESSAGE_RESPONSE, "{\"type\":\"error\",\"event_id\":\"e\"}", SESSION_END, "e",
		  "" },
		{ "openai.realtime", MESSAGE_RESPONSE, "{\"type\":\"rate_limits.updated\"}", SESSION_NOBODYS, "", "" },
		{ "openai.realtime", MESSAGE_RESPONSE, "not JSON", SESSION_NOBODYS, "", "" },
		{ "gemini.live", MESSAGE_REQUEST, "{\"setup\":{\"model\":\"models/g\"}}", SESSION_CONTEXT, "setup",
		  "" },
		{ "gemini.live", MESSAGE_REQUEST, "{\"clientContent\":{\"turns\":[]}}", SESSION_INPUT, "", "" },
		{ "gemini.live", MESSAGE_REQUEST, "{\"client_content\":{\"turn_complete\":true}}", SESSION_OPEN, "",
		  "" },
		{ "gemini.live", MESSAGE_REQUEST, "{\"toolResponse\":{\"functionResponses\":[]}}", SESSION_OPEN, "",
		  "" },
		{ "gemini.live", MESSAGE_RESPONSE, "{\"serverContent\":{\"modelTurn\":{}}}", SESSION_EVENT, "", "" },
		{ "gemini.live", MESSAGE_RESPONSE, "{\"serverContent\":{\"turnComplete\":true}}", SESSION_END, "", "" },
		{ "gemini.live", MESSAGE_RESPONSE, "{\"toolCall\":{\"functionCalls\":[]}}", SESSION_END, "", "" },
		{ "gemini.live", MESSAGE_RESPONSE, "{\"goAway\":{}}", SESSION_NOBODYS, "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct session_step step = step_of(rows[i].dialect, rows[i].kind, rows[i].text);

		assert_int_equal(step.is, rows[i].is);
		assert_slice(step.key, rows[i].key);
		assert_slice(step.lane, rows[i].lane);
	}
}

static void sound_is_counted_and_not_kept(void **state)
{
	assert_int_equal(step_of("openai.realtime", MESSAGE_REQUEST,
				 "{\"type\":\"input_audio_buffer.append\",\"audio\":\"AAAAAAAA\"}")
				 .sound_bytes,
			 6);
	assert_int_equal(step_of("gemini.live", MESSAGE_REQUEST,
				 "{\"realtimeInput\":{\"mediaChunks\":[{\"data\":\"AAAA\"},{\"data\":\"AAAA\"}]}}")
				 .sound_bytes,
			 6);
}

static void the_socket_tells_by_path_or_by_message(void **state)
{
	static const struct {
		const char *path, *ask, *answer, *dialect;
	} rows[] = {
		{ "/v1/responses", "", "", "openai.responses" },
		{ "/openai/v1/realtime", "", "", "openai.realtime" },
		{ "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent", "", "", "gemini.live" },
		{ "/p", "{\"type\":\"response.create\",\"model\":\"m\",\"input\":[]}", "", "openai.responses" },
		{ "/p", "", "{\"type\":\"session.created\",\"session\":{\"object\":\"realtime.session\"}}",
		  "openai.realtime" },
		{ "/p", "{\"setup\":{\"model\":\"models/x\"}}", "", "gemini.live" },
		{ "/p", "{\"type\":\"ping\"}", "", NULL },
		{ "/chat/completions", "", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dialect_hint hint = { .method = SLICE("GET"),
					     .path = slice_of(rows[i].path),
					     .protocol = SLICE("websocket"),
					     .request_body = slice_of(rows[i].ask),
					     .request_is_whole = true,
					     .response_body = slice_of(rows[i].answer) };
		unsigned score;
		const struct dialect *found = dialect_find(&hint, &score);

		if (rows[i].dialect)
			assert_string_equal(found ? found->name : "none", rows[i].dialect);
		else
			assert_string_equal(found && found->session ? found->name : "none", "none");
	}
}

static struct talk realtime(void)
{
	return (struct talk){
		.path = "/v1/realtime",
		.host = "api.openai.com",
		.request = SLICE(
			"[{\"type\":\"session.updated\",\"session\":{\"model\":\"gpt-realtime\",\"instructions\":\"old\","
			"\"output_modalities\":[\"audio\"]}},{\"type\":\"session.update\",\"session\":{\"instructions\":\"Be "
			"kind.\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}},"
			"{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\",\"content\":["
			"{\"type\":\"input_text\",\"text\":\"Hi\"},{\"type\":\"input_audio\",\"audio\":\"" LONG
			"\"}]}},"
			"{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"function_call_output\",\"call_id\":\"c\","
			"\"output\":\"18\"}},{\"sound_bytes\":4800},{\"type\":\"response.create\"}]"),
		.events = { SLICE("{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"object\":\"realtime.response\"}}"),
			    SLICE("{\"type\":\"conversation.item.input_audio_transcription.completed\",\"transcript\":\"Hello\"}"),
			    SLICE("{\"type\":\"response.output_audio.delta\",\"response_id\":\"r\",\"delta\":\"" LONG
				  "\"}"),
			    SLICE("{\"type\":\"response.output_audio_transcript.delta\",\"response_id\":\"r\","
				  "\"output_index\":0,\"content_index\":0,\"delta\":\"Good \"}") },
	};
}

static void a_spoken_turn(void **state)
{
	struct talk talk = realtime();
	struct told told;

	talk.events[4] = SLICE(
		"{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"conversation_id\":\"conv\","
		"\"output\":[{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_audio\","
		"\"transcript\":\"Good day\",\"audio\":\"" LONG "\"}]},{\"type\":\"function_call\",\"call_id\":\"c2\","
		"\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}],\"usage\":{\"input_tokens\":7,\"output_tokens\":9,"
		"\"total_tokens\":16,\"input_token_details\":{\"audio_tokens\":5,\"cached_tokens\":2},"
		"\"output_token_details\":{\"audio_tokens\":6}}}}");
	talk_run(&talk, &talk_heap.alloc, dialect_by_name(SLICE("openai.realtime")), &told);
	assert_string_equal(told.kinds, "qqccl");
	assert_slice(told.call.request_model, "gpt-realtime");
	assert_slice(told.call.response_id, "r");
	assert_slice(told.call.session_id, "conv");
	assert_slice(told.call.output_type, "speech");
	assert_slice(told.call.finish_reasons[0], "completed");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be kind.\"}]");
	assert_slice(told.call.tools, "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]");
	assert_slice(
		told.call.input_messages,
		"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"},{\"type\":\"input_audio\",\"audio\":"
		"\"(60 bytes)\"}]},{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"c\",\"response\":"
		"\"18\"}]},{\"role\":\"user\",\"parts\":[{\"type\":\"input_audio\",\"sound_bytes\":4800}]},"
		"{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hello\"}]}]");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Good day\"}],\"finish_reason\":"
		"\"stop\"},{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"c2\",\"name\":\"f\","
		"\"arguments\":{\"a\":1}}],\"finish_reason\":\"tool_call\"}]");
	assert_int_equal(told.call.steps->operation, OPERATION_TRANSCRIPTION);
	assert_true(slice_contains(told.call.steps->outputs, SLICE("\"transcript\":\"Hello\"")));
	assert_int_equal(told.call.usage.input, 7);
	assert_int_equal(told.call.usage.input_audio, 5);
	assert_int_equal(told.call.usage.output_audio, 6);
	assert_int_equal(told.call.usage.cache_read, 2);
	assert_false(slice_contains(told.call.inputs, SLICE(LONG)));
	assert_false(slice_contains(told.call.outputs, SLICE(LONG)));
	told_free(&told);
}

static void a_spoken_turn_that_is_cut_keeps_its_transcript(void **state)
{
	struct talk talk = realtime();
	struct told told;

	talk.end = CALL_END_CLIENT_CANCEL;
	talk_run(&talk, &talk_heap.alloc, dialect_by_name(SLICE("openai.realtime")), &told);
	assert_true(slice_contains(told.call.output_messages, SLICE("\"content\":\"Good \"")));
	assert_slice(told.call.response_id, "r");
	told_free(&told);
}

static void a_failed_response_has_its_error(void **state)
{
	struct talk talk = realtime();
	struct told told;

	talk.events[1] = SLICE(
		"{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"status_details\":"
		"{\"type\":\"failed\",\"error\":{\"type\":\"server_error\",\"code\":\"busy\",\"message\":\"no\"}}}}");
	talk.event_count = 2;
	talk_run(&talk, &talk_heap.alloc, dialect_by_name(SLICE("openai.realtime")), &told);
	assert_true(told.call.has_error);
	assert_slice(told.call.error.code, "busy");
	told_free(&told);
}

static struct talk live(void)
{
	return (struct talk){
		.path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
		.host = "generativelanguage.googleapis.com",
		.request = SLICE(
			"[{\"setup\":{\"model\":\"models/gemini-live\",\"generationConfig\":{\"responseModalities\":[\"AUDIO\"]},"
			"\"systemInstruction\":{\"parts\":[{\"text\":\"Be kind.\"}]},\"tools\":[{\"functionDeclarations\":["
			"{\"name\":\"f\"}]}]}},{\"client_content\":{\"turns\":[{\"role\":\"model\",\"parts\":[{\"text\":\"Hi\"}]}]}},"
			"{\"realtimeInput\":{\"text\":\"typed\"}},{\"sound_bytes\":12},{\"toolResponse\":{\"functionResponses\":["
			"{\"id\":\"i\",\"response\":{\"a\":1}}]}}]"),
		.events = { SLICE("{\"serverContent\":{\"inputTranscription\":{\"text\":\"spoken\"}}}"),
			    SLICE("{\"serverContent\":{\"modelTurn\":{\"parts\":[{\"text\":\"hm\",\"thought\":true},"
				  "{\"inlineData\":{\"data\":\"AAAAAAAA\"}}]}}}"),
			    SLICE("{\"serverContent\":{\"outputTranscription\":{\"text\":\"Good \"}}}"),
			    SLICE("{\"serverContent\":{\"outputTranscription\":{\"text\":\"day\"}}}"),
			    SLICE("{\"serverContent\":{\"turnComplete\":true},\"usageMetadata\":{\"promptTokenCount\":10,"
				  "\"responseTokenCount\":5,\"thoughtsTokenCount\":2,\"totalTokenCount\":17,"
				  "\"responseTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":4}]}}") },
	};
}

static void a_live_turn(void **state)
{
	struct talk talk = live();
	struct told told;

	talk_run(&talk, &talk_heap.alloc, dialect_by_name(SLICE("gemini.live")), &told);
	assert_string_equal(told.kinds, "qcccl");
	assert_slice(told.call.vendor, "gcp.gemini");
	assert_slice(told.call.request_model, "gemini-live");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be kind.\"}]");
	assert_slice(told.call.tools, "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]");
	assert_slice(
		told.call.input_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]},{\"role\":\"user\",\"parts\":["
		"{\"type\":\"text\",\"content\":\"typed\"}]},{\"role\":\"user\",\"parts\":[{\"type\":\"audio\",\"sound_bytes\":"
		"12}]},{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"i\",\"response\":{\"a\":1}}]},"
		"{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"spoken\"}]}]");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},{\"type\":\"text\","
		"\"content\":\"Good day\"}],\"finish_reason\":\"stop\"}]");
	assert_slice(
		told.call.outputs,
		"{\"serverContent\":{\"modelTurn\":{\"parts\":[{\"text\":\"hm\",\"thought\":true},{\"inlineData\":{\"data\":"
		"\"(6 bytes)\"}}]},\"outputTranscription\":{\"text\":\"Good day\"},\"turnComplete\":true},\"usageMetadata\":"
		"{\"promptTokenCount\":10,\"responseTokenCount\":5,\"thoughtsTokenCount\":2,\"totalTokenCount\":17,"
		"\"responseTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":4}]}}");
	assert_int_equal(told.call.usage.input, 10);
	assert_int_equal(told.call.usage.output, 7);
	assert_int_equal(told.call.usage.reasoning, 2);
	assert_int_equal(told.call.usage.output_audio, 4);
	told_free(&told);
}

/* Whatever is missing of a list of messages, nothing is read behind it, and what is handed out is JSON. */
static void lists_cut_and_memory_ending_anywhere(void **state)
{
	struct talk talks[] = { realtime(), live() };
	static const struct slice names[] = { SLICE("openai.realtime"), SLICE("gemini.live") };

	for (size_t i = 0; i < ARRAY_SIZE(talks); i++) {
		const struct dialect *dialect = dialect_by_name(names[i]);
		struct slice whole = talks[i].request;
		struct told told;

		for (size_t len = 0; len <= whole.len; len++) {
			struct guard guard = guard_new(slice_head(whole, len));

			talks[i].request = guard.text;
			if (talk_run(&talks[i], &talk_heap.alloc, dialect, &told) && told.call.input_messages.len)
				assert_int_equal(json_check(told.call.input_messages, JSON_DEPTH_MAX), 0);
			told_free(&told);
			guard_free(&guard);
		}
		talks[i].request = whole;
		for (uint64_t nth = 1; nth < 30; nth++) {
			struct fail_alloc fail = FAIL_ALLOC(nth);

			fail.is_sticky = nth % 2;
			talk_run(&talks[i], &fail.alloc, dialect, &told);
			told_free(&told);
			assert_int_equal(fail.used, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_messages_are_to_the_turns),
		cmocka_unit_test(sound_is_counted_and_not_kept),
		cmocka_unit_test(the_socket_tells_by_path_or_by_message),
		cmocka_unit_test(a_spoken_turn),
		cmocka_unit_test(a_spoken_turn_that_is_cut_keeps_its_transcript),
		cmocka_unit_test(a_failed_response_has_its_error),
		cmocka_unit_test(a_live_turn),
		cmocka_unit_test(lists_cut_and_memory_ending_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
