/* SPDX-License-Identifier: Apache-2.0 */
/* Sound and pictures of OpenAI: what is heard is measured, what is said is shown, what is uploaded is named. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"

/* A file of a form, as dialects get it: forms come as objects. */
#define SOUND "\"file\":{\"filename\":\"a.wav\",\"type\":\"audio/wav\",\"bytes\":12,\"sha256\":\"x\"}"

static struct talk transcription(struct slice form)
{
	return (struct talk){ .path = "/v1/audio/transcriptions",
			      .host = "api.openai.com",
			      .agent = "AsyncOpenAI/Python 3.54.0",
			      .request = form };
}

static void speech_is_measured(void **state)
{
	struct talk talk = { .path = "/v1/audio/speech",
			     .host = "api.openai.com",
			     .request = SLICE("{\"model\":\"tts-x\",\"input\":\"Hi\",\"voice\":\"v\","
					      "\"response_format\":\"wav\"}"),
			     .body = SLICE("RIFF\x80\xff{") };
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "openai.speech");
	assert_int_equal(told.call.operation, OPERATION_SPEECH);
	assert_slice(told.dialect->span_name(&told.call), "Speech");
	assert_slice(told.call.request_model, "tts-x");
	assert_slice(told.call.outputs, "{\"type\":\"audio/wav\",\"bytes\":7}");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]}]");
	assert_slice(told.call.chat_messages,
		     "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]},"
		     "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"[audio/wav]\"}]}]");
	assert_false(told.call.outputs_is_text || told.call.is_undecodable);
	told_free(&told);
}

/* What stands in the place of sound, where it was not kept, is shown like the sound. */
static void speech_that_was_told_reads_alike(void **state)
{
	struct talk talk = { .path = "/v1/audio/speech",
			     .request = SLICE("{\"model\":\"m\",\"input\":\"Hi\"}"),
			     .body = SLICE("{\"type\":\"audio/mpeg\",\"bytes\":7,\"sha256\":\"x\"}") };
	struct told told = talk_told(&talk);

	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"audio/mpeg\",\"bytes\":7,"
		     "\"sha256\":\"x\"}]}]");
	told_free(&told);
}

static void streamed_speech_is_summed(void **state)
{
	struct talk talk = { .path = "/openai/deployments/tts/audio/speech",
			     .request = SLICE("{\"input\":\"Hi\",\"stream_format\":\"sse\"}") };
	struct told told;

	talk.events[0] = SLICE("{\"type\":\"speech.audio.delta\",\"audio\":\"AAAAAAAA\"}");
	talk.events[1] = SLICE(
		"{\"type\":\"speech.audio.delta\",\"audio\":\"[spantap:media type=audio/mpeg bytes=300 sha256=0]\"}");
	talk.events[2] = SLICE("{\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":3,\"output_tokens\":9,"
			       "\"total_tokens\":12}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "ccl");
	assert_slice(told.call.vendor, "azure.ai.openai");
	assert_slice(told.call.request_model, "tts");
	assert_slice(told.call.outputs, "{\"type\":\"audio/mpeg\",\"bytes\":306,"
					"\"usage\":{\"input_tokens\":3,\"output_tokens\":9,\"total_tokens\":12}}");
	assert_int_equal(told.call.usage.output, 9);
	told_free(&told);
}

static void a_form_names_what_is_transcribed(void **state)
{
	struct talk talk = transcription(
		SLICE("{\"model\":\"whisper-1\"," SOUND ",\"include[]\":\"logprobs\",\"word\":[\"a\",\"b\\\"\"]}"));
	struct told told;

	talk.body = SLICE("{\"text\":\"Said.\",\"duration\":2.5,\"usage\":{\"type\":\"duration\",\"seconds\":3}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "openai.transcriptions");
	assert_slice(told.dialect->span_name(&told.call), "AsyncTranscriptions");
	assert_slice(told.call.request_model, "whisper-1");
	assert_slice(told.call.inputs, talk.request.data);
	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Said.\"}]}]");
	assert_int_equal((int)attribute_of(&told.call, "spantap.audio.seconds")->value.number, 3);
	assert_int_equal(told.call.usage.input, -1);
	told_free(&told);
}

static void a_form_that_became_json_reads_alike(void **state)
{
	struct talk talk = transcription(SLICE("{\"model\":\"gpt-x\",\"file\":{\"filename\":\"a\"}}"));
	struct told told;

	talk.path = "/v1/audio/translations";
	talk.body = SLICE("{\"text\":\"Said.\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,"
			  "\"input_token_details\":{\"text_tokens\":4,\"audio_tokens\":10},\"output_tokens\":2,"
			  "\"total_tokens\":16}}");
	told = talk_told(&talk);
	assert_slice(told.dialect->span_name(&told.call), "AsyncTranslations");
	assert_slice(told.call.request_model, "gpt-x");
	assert_int_equal(told.call.usage.input, 14);
	assert_int_equal(told.call.usage.input_audio, 10);
	told_free(&told);
}

static void a_transcription_may_be_plain_text(void **state)
{
	struct talk talk = transcription(SLICE("{\"response_format\":\"srt\"," SOUND "}"));
	struct told told;

	talk.body = SLICE("1\n00:00 --> 00:01\nSaid.\n");
	told = talk_told(&talk);
	assert_true(told.call.outputs_is_text);
	assert_false(told.call.is_undecodable);
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"1\\n00:00 --> 00:01\\nSaid.\\n\"}]}]");
	told_free(&told);
}

static void a_streamed_transcription_ends_with_all(void **state)
{
	struct talk talk = transcription(SLICE("{\"model\":\"m\",\"stream\":\"true\"," SOUND "}"));
	struct told told;

	talk.events[0] = SLICE("{\"type\":\"transcript.text.delta\",\"delta\":\"Sa\\\"\"}");
	talk.events[1] = SLICE("{\"type\":\"transcript.text.delta\",\"delta\":\"id.\"}");
	talk.events[2] =
		SLICE("{\"type\":\"transcript.text.done\",\"text\":\"Sa\\\"id.\","
		      "\"usage\":{\"type\":\"tokens\",\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "ccl");
	assert_slice(told.call.outputs, talk.events[2].data);
	assert_int_equal(told.call.usage.total, 3);
	told_free(&told);
	talk.events[2] = SLICE_NONE;
	talk.end = CALL_END_SERVER_CUT;
	told = talk_told(&talk);
	assert_slice(told.call.outputs, "{\"text\":\"Sa\\\"id.\"}");
	told_free(&told);
}

static void failures_are_told(void **state)
{
	struct talk talk = transcription(SLICE("{\"model\":\"m\"," SOUND "}"));
	struct told told;

	talk.status = 400;
	talk.body = SLICE("{\"error\":{\"message\":\"bad\",\"type\":\"t\"}}");
	told = talk_told(&talk);
	assert_slice(told.call.error.message, "bad");
	told_free(&told);
	talk.path = "/v1/audio/speech";
	talk.request = SLICE("{\"input\":\"x\"}");
	told = talk_told(&talk);
	assert_slice(told.call.error.message, "bad");
	assert_slice(told.call.outputs, "");
	told_free(&told);
}

static void edited_images_are_forms_and_streams(void **state)
{
	struct talk talk = { .path = "/v1/images/edits",
			     .request = SLICE("{\"model\":\"gpt-image-x\",\"prompt\":\"Blue\"," SOUND "}") };
	struct told told;

	talk.events[0] = SLICE("{\"type\":\"image_edit.partial_image\",\"b64_json\":\"AA\",\"partial_image_index\":0}");
	talk.events[1] = SLICE(
		"{\"type\":\"image_edit.completed\",\"b64_json\":\"BB\",\"usage\":{\"input_tokens\":50,\"input_tokens_details\":"
		"{\"text_tokens\":10,\"image_tokens\":40},\"output_tokens\":50,\"total_tokens\":100}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "openai.images");
	assert_string_equal(told.kinds, "cl");
	assert_slice(told.call.request_model, "gpt-image-x");
	assert_slice(told.call.outputs, talk.events[1].data);
	assert_int_equal(told.call.usage.input_image, 40);
	assert_int_equal(told.call.usage.total, 100);
	told_free(&told);
}

/* Of a form that is cut its first parts are there, the last of them as far as it came. */
static void forms_cut_anywhere(void **state)
{
	static const struct slice forms[] = {
		SLICE(""),
		SLICE("{\"file\":{\"filename\":\"a.wav\",\"type\":\"\",\"bytes\":0,\"sha256\":\"x\"}}"),
		SLICE("{" SOUND "}"),
		SLICE("{" SOUND ",\"model\":\"\"}"),
		SLICE("{" SOUND ",\"model\":\"whis\"}"),
		SLICE("{\"model\":\"m\"}"),
		SLICE("{\"model\":\"m\",\"a[]\":[\"1\",\"3\"]," SOUND "}"),
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct talk talk = transcription(forms[i]);
		struct told told;

		talk.body = SLICE("{\"text\":\"Said.\"}");
		told = talk_told(&talk);
		assert_string_equal(told.dialect->name, "openai.transcriptions");
		assert_slice(told.call.inputs, forms[i].data);
		assert_slice(told.call.outputs, talk.body.data);
		assert_false(told.call.is_undecodable);
		told_free(&told);
	}
}

static void lost_memory_is_told(void **state)
{
	struct talk talk = transcription(SLICE("{\"model\":[\"m\",\"n\"]," SOUND "}"));

	talk.events[0] = SLICE("{\"type\":\"transcript.text.delta\",\"delta\":\"Said\"}");
	for (uint64_t nth = 1; nth < 20; nth++) {
		struct fail_alloc fail = FAIL_ALLOC(nth);
		struct told told;

		fail.is_sticky = true;
		if (talk_run(&talk, &fail.alloc, NULL, &told)) {
			if (told.call.inputs.len)
				assert_int_equal(json_check(told.call.inputs, JSON_DEPTH_MAX), 0);
			assert_true(told.call.outputs.len || told.call.is_undecodable);
		}
		told_free(&told);
		assert_int_equal(fail.used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speech_is_measured),
		cmocka_unit_test(speech_that_was_told_reads_alike),
		cmocka_unit_test(streamed_speech_is_summed),
		cmocka_unit_test(a_form_names_what_is_transcribed),
		cmocka_unit_test(a_form_that_became_json_reads_alike),
		cmocka_unit_test(a_transcription_may_be_plain_text),
		cmocka_unit_test(a_streamed_transcription_ends_with_all),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(edited_images_are_forms_and_streams),
		cmocka_unit_test(forms_cut_anywhere),
		cmocka_unit_test(lost_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
