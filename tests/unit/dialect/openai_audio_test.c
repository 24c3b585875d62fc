/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: sound to text and text to sound are read, streamed or not, as JSON or as plain text. */
#include "unit/dialect/talk.h"
#include <stdio.h>

#define FORM                                                                                                           \
	SLICE("{\"model\":\"gpt-4o-transcribe\",\"file\":{\"filename\":\"a.wav\",\"type\":\"audio/wav\",\"bytes\":9,"  \
	      "\"sha256\":\"00\"}}")

static void a_transcription_is_read(void **state)
{
	struct talk talk = { .path = "/v1/audio/transcriptions",
			     .host = "api.openai.com",
			     .request = FORM,
			     .body = SLICE("{\"text\":\"Hello\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,"
					   "\"input_token_details\":{\"text_tokens\":0,\"audio_tokens\":14},"
					   "\"output_tokens\":3,\"total_tokens\":17}}") };
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "openai.audio");
	assert_int_equal(told.call.operation, OPERATION_TRANSCRIPTION);
	assert_slice(told.call.request_model, "gpt-4o-transcribe");
	assert_slice(json_path(told.call.inputs, "file", "filename", NULL), "\"a.wav\"");
	assert_slice(json_get(told.call.outputs, SLICE("text")), "\"Hello\"");
	assert_int_equal(told.call.usage.input, 14);
	assert_int_equal(told.call.usage.input_audio, 14);
	assert_int_equal(told.call.usage.output, 3);
	told_free(&told);
}

static void plain_text_is_whole(void **state)
{
	struct talk talk = { .path = "/v1/audio/translations",
			     .request = SLICE("{\"model\":\"whisper-1\",\"response_format\":\"srt\"}"),
			     .body = SLICE("1\n00:00:00,000 --> 00:00:01,000\nHello\n") };
	struct told told = talk_told(&talk);

	assert_true(told.call.outputs_is_text);
	assert_false(told.call.is_undecodable);
	assert_slice(told.dialect->span_name(&told.call), "Translations");
	told_free(&told);
}

static void a_streamed_transcription_ends_with_the_whole(void **state)
{
	struct talk talk = { .path = "/v1/audio/transcriptions", .request = FORM };
	struct told told;

	talk.events[0] = SLICE("{\"type\":\"transcript.text.delta\",\"delta\":\"Hel\"}");
	talk.events[1] = SLICE("{\"type\":\"transcript.text.done\",\"text\":\"Hello\",\"usage\":{\"input_tokens\":1,"
			       "\"output_tokens\":2,\"total_tokens\":3}}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "cl");
	assert_slice(json_get(told.call.outputs, SLICE("text")), "\"Hello\"");
	assert_int_equal(told.call.usage.total, 3);
	told_free(&told);
}

static void speech_is_told_by_its_sound(void **state)
{
	struct talk talk = { .path = "/v1/audio/speech",
			     .request = SLICE("{\"model\":\"tts-1\",\"input\":\"Hello\",\"voice\":\"alloy\"}"),
			     .body = SLICE("{\"type\":\"audio/mpeg\",\"bytes\":3,\"sha256\":\"00\"}") };
	struct told told = talk_told(&talk);

	assert_int_equal(told.call.operation, OPERATION_SPEECH);
	assert_slice(told.call.output_type, "speech");
	assert_slice(json_get(told.call.outputs, SLICE("bytes")), "3");
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transcription_is_read),
		cmocka_unit_test(plain_text_is_whole),
		cmocka_unit_test(a_streamed_transcription_ends_with_the_whole),
		cmocka_unit_test(speech_is_told_by_its_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
