/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.speech and openai.transcriptions: sound is told by its type and its length, and never kept; words are. The
 * question of a transcription is a form, its answer JSON, text, or a stream of words whose last event repeats them all.
 */
#include "dialect/openai.h"
#include "dialect/sound.h"

static const struct path_rule speech_rules[] = {
	{ "/audio/speech", .any = KEY_INPUT, .alone = true },
};

static const struct signature speech_signature = { speech_rules, ARRAY_SIZE(speech_rules), NULL };

static unsigned speech_recognise(const struct dialect_hint *hint)
{
	return signature_score(&speech_signature, hint);
}

static const struct slice translations = SLICE("/audio/translations");

static unsigned transcription_recognise(const struct dialect_hint *hint)
{
	if (!hint_is_post(hint))
		return 0;
	if (!path_ends(hint->path, SLICE("/audio/transcriptions")) && !path_ends(hint->path, translations))
		return 0;
	if (json_get(json_trim(hint->request_body), SLICE("file")).data || body_keys(hint->request_body) & KEY_MODEL)
		return SCORE_SURE;
	return hint->request_body.len ? 0 : SCORE_PATH;
}

struct audio {
	struct pieces text;  /* inside of a JSON string */
	struct slice last;   /* the event that has all */
	struct slice format; /* that was asked for */
	uint64_t bytes;      /* of sound that came in events */
};

#define IN SLICE("input_token_details")
static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
	{ {}, SLICE("prompt_tokens"), offsetof(struct usage, input) }, /* some compatible hosts */
	{ {}, SLICE("completion_tokens"), offsetof(struct usage, output) },
	{ IN, SLICE("audio_tokens"), offsetof(struct usage, input_audio) },
};

/* Tokens, or the seconds of sound that were billed. */
static void usage_put(struct call *call, struct slice answer)
{
	struct slice usage = json_get(answer, SLICE("usage")), told = json_get(usage, SLICE("seconds"));
	double seconds;

	if (json_type(usage) == JSON_OBJECT) {
		call->usage_raw = usage;
		usage_read(&call->usage, usage, usage_rules, ARRAY_SIZE(usage_rules));
	}
	if (json_double(told.data ? told : json_get(answer, SLICE("duration")), &seconds) == 0 && seconds >= 0)
		call_put_double(call, "spantap.audio.seconds", seconds);
}

/* ---- speech ---- */

static void speech_request(struct call *call, void *state)
{
	struct audio *audio = state;
	struct slice input;
	struct parts parts;

	call->operation = OPERATION_SPEECH;
	call->output_type = SLICE("speech");
	if (request_open(call, "openai")) {
		audio->format = call_text(call, json_get(call->inputs, SLICE("response_format")));
		input = json_get(call->inputs, SLICE("input"));
		parts_init(&parts, call, input);
		parts_message_open(&parts, SLICE("user"));
		openai_content(&parts, input);
		parts_message_close(&parts, false, SLICE_NONE);
		call->input_messages = parts_finish(&parts);
	}
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

/* Of a piece in base64, or of the marker that stands for a long one: "[… bytes=123 …]". */
static uint64_t piece_bytes(struct slice sound)
{
	struct slice raw = json_raw_text(sound), rest;
	ptrdiff_t at = slice_find(slice_head(raw, 80), SLICE(" bytes="));
	int64_t bytes = 0;

	if (!slice_starts(raw, SLICE("[")) || at < 0)
		return sound_bytes(sound);
	rest = slice_from(raw, (size_t)at + 7);
	json_int(slice_cut(&rest, ' '), &bytes);
	return (uint64_t)MAX(bytes, (int64_t)0);
}

static enum dialect_event speech_event(struct call *call, void *state, const struct message_part *part)
{
	struct audio *audio = state;
	struct slice type, sound;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	if (json_get(part->data, SLICE("error")).data && !call->has_error)
		error_read(call, part->data, true);
	type = json_raw_text(json_get(part->data, SLICE("type")));
	if (slice_ends(type, SLICE("audio.done"))) {
		call_lost(call, slice_hold(call->arena, &audio->last, part->data));
		return DIALECT_EVENT_LAST;
	}
	sound = json_get(part->data, SLICE("audio"));
	audio->bytes += piece_bytes(sound);
	return json_raw_text(sound).len ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void sound_show(struct call *call)
{
	struct parts parts;

	parts_init(&parts, call, call->outputs);
	parts_message_open(&parts, SLICE("assistant"));
	parts_other(&parts, call->outputs);
	parts_message_close(&parts, false, SLICE_NONE);
	call->output_messages = parts_finish(&parts);
}

/* {"type":"audio/mpeg","bytes":n}, and the usage where it is told. */
static void sound_tell(struct call *call, const struct audio *audio, struct slice type, uint64_t bytes)
{
	struct out out;

	type = slice_trim(slice_cut(&type, ';'));
	if (!type.len)
		type = arena_printf(call->arena, "audio/%.*s",
				    SLICE_FMT(slice_head(audio->format.len ? audio->format : SLICE("mpeg"), 32)));
	out_init(&out, call->arena, audio->last.len + 128);
	json_open(&out.buf, '{');
	json_member_text(&out.buf, SLICE("type"), type);
	json_member_int(&out.buf, SLICE("bytes"), (int64_t)bytes);
	json_member_raw(&out.buf, SLICE("usage"), json_get(audio->last, SLICE("usage")));
	json_close(&out.buf, '}');
	call->outputs = out_slice(&out);
	call->outputs_is_text = false;
	call_lost(call, call->outputs.data);
	usage_put(call, call->outputs);
	sound_show(call);
}

static void speech_response(struct call *call, void *state)
{
	struct slice answer;

	if (call->status >= 400) {
		answer_open(call, &answer);
		return;
	}
	/* The sound itself, or what is told in its place. */
	if (json_type(json_trim(call->response_body)) == JSON_OBJECT) {
		if (answer_open(call, &answer) && json_get(answer, SLICE("bytes")).data)
			sound_show(call);
	} else {
		sound_tell(call, state, call->content_type, call->response_body.len);
	}
}

static void speech_finish(struct call *call, void *state)
{
	struct audio *audio = state;

	if (call->operation == OPERATION_UNKNOWN)
		speech_request(call, state);
	if (audio->bytes || audio->last.data)
		sound_tell(call, audio, SLICE_NONE, audio->bytes);
	if (call->input_messages.len)
		call->chat_messages = chat_messages_from_parts(call);
}

static struct slice speech_span_name(const struct call *call)
{
	return SPAN_NAME(call, "Speech");
}

/* ---- transcriptions and translations ---- */

static void transcription_request(struct call *call, void *state)
{
	call->operation = OPERATION_TRANSCRIPTION;
	call->output_type = SLICE("text");
	request_open(call, "openai");
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

static enum dialect_event transcription_event(struct call *call, void *state, const struct message_part *part)
{
	struct audio *audio = state;
	struct slice type;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	if (json_get(part->data, SLICE("error")).data && !call->has_error)
		error_read(call, part->data, true);
	type = json_raw_text(json_get(part->data, SLICE("type")));
	if (slice_ends(type, SLICE("text.done"))) {
		call_lost(call, slice_hold(call->arena, &audio->last, part->data));
		return DIALECT_EVENT_LAST;
	}
	return text_gather(call, &audio->text, json_get(part->data, SLICE("delta"))) ? DIALECT_EVENT_CONTENT
										     : DIALECT_EVENT_QUIET;
}

static void said_put(struct call *call, struct slice text)
{
	call->output_messages = text_message(call, SLICE("assistant"), text);
}

/* text, srt and vtt are what they are called. */
static void text_answer(struct call *call)
{
	struct out out;

	call->outputs = call->response_body;
	call->outputs_is_text = true;
	out_init(&out, call->arena, call->response_body.len + 64);
	json_put_text(&out.buf, call->response_body);
	said_put(call, out_slice(&out));
}

static void transcription_response(struct call *call, void *state)
{
	struct slice answer, body = json_trim(call->response_body);

	if (call->status < 400 && body.len && body.data[0] != '{' &&
	    !slice_contains(call->content_type, SLICE("json"))) {
		text_answer(call);
		return;
	}
	if (!answer_open(call, &answer))
		return;
	openai_answer_head(call, answer);
	usage_put(call, answer);
	if (json_type(json_get(answer, SLICE("text"))) == JSON_STRING)
		said_put(call, json_get(answer, SLICE("text")));
}

static void transcription_finish(struct call *call, void *state)
{
	struct audio *audio = state;
	struct out out;

	if (call->operation == OPERATION_UNKNOWN)
		transcription_request(call, state);
	if (!audio->last.data && audio->text.len) { /* cut: what was said until then */
		out_init(&out, call->arena, audio->text.len + 32);
		json_open(&out.buf, '{');
		json_member_raw(&out.buf, SLICE("text"), pieces_quoted(call->arena, &audio->text));
		json_close(&out.buf, '}');
		audio->last = out_slice(&out);
		call_lost(call, audio->last.data);
	}
	if (audio->last.data) {
		call->outputs = audio->last;
		usage_put(call, audio->last);
		said_put(call, json_get(audio->last, SLICE("text")));
	}
	if (call->output_messages.len)
		call->chat_messages = chat_messages_from_parts(call);
}

static struct slice transcription_span_name(const struct call *call)
{
	if (path_ends(call->path, translations))
		return SPAN_NAME(call, "Translations");
	return SPAN_NAME(call, "Transcriptions");
}

DIALECT(openai_speech, {
			       .name = "openai.speech",
			       .order = 18,
			       .state_size = sizeof(struct audio),
			       .recognise = speech_recognise,
			       .request = speech_request,
			       .event = speech_event,
			       .response = speech_response,
			       .finish = speech_finish,
			       .span_name = speech_span_name,
		       });

DIALECT(openai_transcriptions, {
				       .name = "openai.transcriptions",
				       .order = 19,
				       .state_size = sizeof(struct audio),
				       .recognise = transcription_recognise,
				       .request = transcription_request,
				       .event = transcription_event,
				       .response = transcription_response,
				       .finish = transcription_finish,
				       .span_name = transcription_span_name,
			       });
