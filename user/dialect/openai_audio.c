/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.audio: sound to text (transcriptions, translations: the request is a form, the answer JSON, plain text, or events)
 * and text to sound (speech: the answer is the sound, or events with pieces of it). Sounds are told, not kept.
 *
 *	{"type":"transcript.text.delta","delta":"Hel"}  {"type":"transcript.text.done","text":"Hello","usage":{…}}
 */
#include "dialect/openai.h"

struct audio {
	struct slice done;
};

static bool is_speech(struct slice path)
{
	return path_ends(path, SLICE("/audio/speech"));
}

static bool is_transcription(struct slice path)
{
	return path_ends(path, SLICE("/audio/transcriptions")) || path_ends(path, SLICE("/audio/translations"));
}

static unsigned recognise(const struct dialect_hint *hint)
{
	bool is_unseen = !hint->request_is_whole && !hint->request_body.len;
	bool has_model = body_keys(hint->request_body) & KEY_MODEL;

	if (hint->method.len && !slice_equal(hint->method, SLICE("POST")))
		return 0;
	if (!is_speech(hint->path) && !is_transcription(hint->path))
		return 0;
	return has_model ? SCORE_SURE : is_unseen ? SCORE_PATH : 0;
}

static void request(struct call *call, void *state)
{
	bool speaks = is_speech(call->path);

	call->operation = speaks ? OPERATION_SPEECH : OPERATION_TRANSCRIPTION;
	call->output_type = speaks ? SLICE("speech") : SLICE("text");
	request_open(call, "openai");
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
	{ SLICE("input_token_details"), SLICE("audio_tokens"), offsetof(struct usage, input_audio) },
};

/* Whisper is billed by the second: {"type":"duration","seconds":13}. */
static void answer_read(struct call *call, struct slice answer)
{
	struct slice usage = json_get(answer, SLICE("usage"));
	double seconds;

	if (json_double(json_get(usage, SLICE("seconds")), &seconds) == 0)
		call_put_double(call, "spantap.audio.seconds", seconds);
	if (json_type(usage) != JSON_OBJECT)
		return;
	call->usage_raw = usage;
	usage_read(&call->usage, usage, usage_rules, ARRAY_SIZE(usage_rules));
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct audio *audio = state;
	struct slice type;

	if (slice_equal(slice_trim(part->data), SLICE("[DONE]")))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	if (json_get(part->data, SLICE("error")).data)
		error_read(call, part->data, true);
	type = json_raw_text(json_get(part->data, SLICE("type")));
	if (slice_ends(type, SLICE(".done"))) {
		call_lost(call, slice_hold(call->arena, &audio->done, part->data));
		return DIALECT_EVENT_LAST;
	}
	return slice_ends(type, SLICE(".delta")) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void response(struct call *call, void *state)
{
	struct slice body = json_trim(call->response_body), answer;

	/* response_format text, srt, vtt: no JSON, and whole all the same. */
	if (call->status < 400 && json_type(body) != JSON_OBJECT) {
		call->outputs = body;
		call->outputs_is_text = true;
		return;
	}
	if (answer_open(call, &answer))
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct audio *audio = state;

	if (!audio->done.data)
		return;
	call->outputs = audio->done;
	answer_read(call, audio->done);
}

static struct slice span_name(const struct call *call)
{
	if (is_speech(call->path))
		return SPAN_NAME(call, "Speech");
	return path_ends(call->path, SLICE("/audio/translations")) ? SPAN_NAME(call, "Translations")
								   : SPAN_NAME(call, "Transcriptions");
}

DIALECT(openai_audio, {
			      .name = "openai.audio",
			      .order = 16,
			      .state_size = sizeof(struct audio),
			      .recognise = recognise,
			      .request = request,
			      .event = event,
			      .response = response,
			      .finish = finish,
			      .span_name = span_name,
		      });
