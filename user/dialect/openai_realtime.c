/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.realtime: a conversation by voice over a WebSocket, at OpenAI, Azure and xAI. Each response is a call: its request
 * is the session's configuration and what was said since the last one, in text, sound or as results of tools; its answer
 * reads like one of the Responses API, with transcripts where others have text. Of sound only the length is kept.
 */
#include "dialect/responses.h"
#include "dialect/sound.h"
#include "dialect/tools.h"

static const struct slice sound_names[] = { SLICE("audio"), SLICE("data"), SLICE("delta") };

#define TRANSCRIBED SLICE("conversation.item.input_audio_transcription.completed")

/* ---- the session ---- */

static const struct type_rule {
	enum message_kind kind;
	struct slice type;
	enum session_is is;
	struct slice key; /* of a context */
} type_rules[] = {
	{ MESSAGE_REQUEST, SLICE("session.update"), SESSION_CONTEXT, SLICE("client") },
	{ MESSAGE_REQUEST, SLICE("conversation.item.create"), SESSION_INPUT, {} },
	{ MESSAGE_REQUEST, SLICE("input_audio_buffer.append"), SESSION_INPUT, {} },
	{ MESSAGE_REQUEST, SLICE("response.create"), SESSION_OPEN, {} },
	{ MESSAGE_REQUEST, SLICE("response.cancel"), SESSION_EVENT, {} },
	{ MESSAGE_RESPONSE, SLICE("session.created"), SESSION_CONTEXT, SLICE("server") },
	{ MESSAGE_RESPONSE, SLICE("session.updated"), SESSION_CONTEXT, SLICE("server") },
	{ MESSAGE_RESPONSE, TRANSCRIBED, SESSION_EVENT, {} },
	{ MESSAGE_RESPONSE, SLICE("response.done"), SESSION_END, {} },
	{ MESSAGE_RESPONSE, SLICE("error"), SESSION_END, {} },
};

enum { MSG_TYPE, MSG_RESPONSE, MSG_RESPONSE_ID, MSG_AUDIO, MSG_EVENT_ID, _MSG_MAX };
static const struct slice message_names[_MSG_MAX] = {
	[MSG_TYPE] = SLICE("type"),   [MSG_RESPONSE] = SLICE("response"), [MSG_RESPONSE_ID] = SLICE("response_id"),
	[MSG_AUDIO] = SLICE("audio"), [MSG_EVENT_ID] = SLICE("event_id"),
};

static void step(enum message_kind kind, const struct message_part *part, struct session_step *ret)
{
	struct slice got[_MSG_MAX] = { 0 }, type, id;

	PICK(json_trim(part->data), message_names, got);
	type = json_raw_text(got[MSG_TYPE]);
	if (kind == MESSAGE_RESPONSE && slice_starts(type, SLICE("response.")))
		ret->is = SESSION_EVENT;
	for (size_t i = 0; i < ARRAY_SIZE(type_rules); i++)
		if (type_rules[i].kind == kind && slice_equal(type, type_rules[i].type)) {
			ret->is = type_rules[i].is;
			ret->key = type_rules[i].key;
		}
	if (ret->is == SESSION_INPUT && got[MSG_AUDIO].data)
		ret->sound_bytes = sound_bytes(got[MSG_AUDIO]);
	ret->or_input = slice_equal(type, TRANSCRIBED);
	if (kind == MESSAGE_REQUEST || (ret->is != SESSION_EVENT && ret->is != SESSION_END))
		return;
	id = json_get(got[MSG_RESPONSE], SLICE("id"));
	ret->key = json_raw_text(id.data ? id : got[MSG_RESPONSE_ID]);
	ret->opens = id.data != NULL;
	/* An error is of the response that was asked for and has not begun, if it is of any. */
	if (slice_equal(type, SLICE("error")))
		ret->key = got[MSG_EVENT_ID].data ? json_raw_text(got[MSG_EVENT_ID]) : type;
}

static const struct dialect_session session = { .is_list = true, .step = step };

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body.len ? hint->request_body : hint->response_body);
	struct slice object = json_path(body, "session", "object", NULL);

	if (!slice_equal(hint->protocol, SLICE("websocket")))
		return 0;
	if (path_ends(hint->path, SLICE("/realtime")))
		return SCORE_SURE;
	if (!object.len)
		object = json_path(body, "response", "object", NULL);
	if (slice_starts(json_raw_text(object), SLICE("realtime.")))
		return SCORE_SURE;
	return json_text_is(json_get(body, SLICE("type")), SLICE("session.update")) &&
			       json_get(body, SLICE("session")).data
		       ? SCORE_ANSWER
		       : 0;
}

/* ---- request ---- */

struct heard {
	struct heard *next;
	struct slice transcript; /* JSON string */
};

struct realtime {
	struct response_stream stream;
	struct slice usage;         /* beside the response, as xAI has it */
	struct heard *heard, *last; /* transcribed while the answer was under way */
};

enum { SET_MODEL, SET_INSTRUCTIONS, SET_TOOLS, SET_MODALITIES, SET_OLD_MODALITIES, _SET_MAX };
static const struct slice set_names[_SET_MAX] = {
	[SET_MODEL] = SLICE("model"),
	[SET_INSTRUCTIONS] = SLICE("instructions"),
	[SET_TOOLS] = SLICE("tools"),
	[SET_MODALITIES] = SLICE("output_modalities"),
	[SET_OLD_MODALITIES] = SLICE("modalities"),
};

static void content_put(struct parts *parts, struct slice content)
{
	json_foreach_element(block, content) {
		struct slice text = json_get(block.value, SLICE("text"));

		if (!text.data)
			text = json_get(block.value, SLICE("transcript"));
		if (json_type(text) == JSON_STRING)
			parts_text(parts, text);
		else
			parts_other(parts, block.value);
	}
}

static void item_put(struct parts *parts, struct slice item, bool has_reason, struct slice reason)
{
	struct slice type = json_get(item, SLICE("type")), id = json_get(item, SLICE("call_id"));
	struct slice role = json_raw_text(json_get(item, SLICE("role")));
	bool is_call = json_text_is(type, SLICE("function_call"));
	bool is_result = json_text_is(type, SLICE("function_call_output"));

	parts_message_open(parts, is_result ? SLICE("tool") : is_call || !role.len ? SLICE("assistant") : role);
	if (is_call)
		parts_tool_call(parts, id, json_get(item, SLICE("name")), json_get(item, SLICE("arguments")));
	else if (is_result)
		parts_tool_result(parts, id, json_get(item, SLICE("output")));
	else if (json_text_is(type, SLICE("message")))
		content_put(parts, json_get(item, SLICE("content")));
	else
		parts_other(parts, item);
	parts_message_close(parts, has_reason, is_call ? SLICE("tool_call") : reason);
}

static void input_messages(struct call *call, const struct realtime *realtime, struct slice list)
{
	struct parts parts;

	parts_init(&parts, call, list);
	json_foreach_element(message, list) {
		struct slice item = json_get(message.value, SLICE("item"));
		struct slice sound = json_get(message.value, SLICE("sound_bytes"));

		if (item.data)
			item_put(&parts, item, false, SLICE_NONE);
		else if (json_get(message.value, SLICE("transcript")).data)
			parts_text_message(&parts, SLICE("user"), json_get(message.value, SLICE("transcript")));
		else if (json_type(sound) == JSON_NUMBER)
			sound_message(&parts, "input_audio", sound);
	}
	for (const struct heard *heard = realtime->heard; heard; heard = heard->next)
		parts_text_message(&parts, SLICE("user"), heard->transcript);
	call->input_messages = parts_finish(&parts);
}

/* What the client set outranks what the server told of the session, and the response's own settings outrank both. */
static void settings_read(struct slice list, struct slice *set)
{
	json_foreach_element(message, list) {
		struct slice type = json_get(message.value, SLICE("type"));
		bool is_response = json_text_is(type, SLICE("response.create"));
		struct slice of = json_get(message.value, is_response ? SLICE("response") : SLICE("session"));

		pick_members(of, set_names, set, _SET_MAX);
	}
}

static void request(struct call *call, void *state)
{
	struct slice set[_SET_MAX] = { 0 }, list, function;
	struct parts parts;

	request_open(call, "openai");
	call->operation = OPERATION_CHAT;
	call->inputs = list = sound_strip(call, call->inputs, sound_names, ARRAY_SIZE(sound_names));
	if (json_type(list) != JSON_ARRAY || json_check(list, JSON_DEPTH_MAX) != 0)
		return;
	settings_read(list, set);
	call->request_model = call->response_model = call_text(call, set[SET_MODEL]);
	if (json_raw_text(set[SET_INSTRUCTIONS]).len) {
		parts_init(&parts, call, set[SET_INSTRUCTIONS]);
		openai_content(&parts, set[SET_INSTRUCTIONS]);
		call->system_instructions = parts_finish(&parts);
	}
	function = json_path(set[SET_TOOLS], "#0", "function", NULL);
	call->tools = function.data ? tools_from_chat(call, set[SET_TOOLS], SLICE_NONE)
				    : tools_from_responses(call, set[SET_TOOLS], SLICE_NONE);
	call->output_type = openai_output_type(SLICE_NONE, set[SET_MODALITIES].data ? set[SET_MODALITIES]
										    : set[SET_OLD_MODALITIES]);
}

/* ---- answer ---- */

enum { GOT_ID, GOT_STATUS, GOT_DETAILS, GOT_OUTPUT, GOT_USAGE, GOT_CONVERSATION, _GOT_MAX };
static const struct slice got_names[_GOT_MAX] = {
	[GOT_ID] = SLICE("id"),         [GOT_STATUS] = SLICE("status"), [GOT_DETAILS] = SLICE("status_details"),
	[GOT_OUTPUT] = SLICE("output"), [GOT_USAGE] = SLICE("usage"),   [GOT_CONVERSATION] = SLICE("conversation_id"),
};

#define IN  SLICE("input_token_details")
#define OUT SLICE("output_token_details")
static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
	{ IN, SLICE("cached_tokens"), offsetof(struct usage, cache_read) },
	{ IN, SLICE("audio_tokens"), offsetof(struct usage, input_audio) },
	{ IN, SLICE("image_tokens"), offsetof(struct usage, input_image) },
	{ OUT, SLICE("audio_tokens"), offsetof(struct usage, output_audio) },
	{ OUT, SLICE("reasoning_tokens"), offsetof(struct usage, reasoning) },
};

/* What was said becomes text after the fact, by another model and billed apart: a step of its own. */
static enum dialect_event transcribed(struct call *call, struct realtime *realtime, const struct message_part *part)
{
	struct slice text = json_get(part->data, SLICE("transcript"));
	struct heard *heard = arena_new_of(call->arena, struct heard);
	struct call_step *work = call_add_step(call);

	call_lost(call, heard && work);
	if (!heard || !work || json_type(text) != JSON_STRING)
		return DIALECT_EVENT_QUIET;
	heard->transcript = arena_dup(call->arena, text);
	*(realtime->last ? &realtime->last->next : &realtime->heard) = heard;
	realtime->last = heard;
	work->operation = OPERATION_TRANSCRIPTION;
	work->name = SLICE("input_audio_transcription");
	work->id = call_copy(call, json_get(part->data, SLICE("item_id")));
	work->outputs = arena_dup(call->arena, json_trim(part->data));
	work->end_ns = part->time_ns;
	return DIALECT_EVENT_QUIET;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct realtime *realtime = state;
	struct slice type = json_get(part->data, SLICE("type"));

	if (json_text_is(type, TRANSCRIBED))
		return event_open(call, part) ? transcribed(call, realtime, part) : DIALECT_EVENT_QUIET;
	if (json_text_is(type, SLICE("response.done")))
		call_lost(call, slice_hold(call->arena, &realtime->usage, json_get(part->data, SLICE("usage"))));
	return response_stream_event(call, &realtime->stream, part);
}

static void answer_read(struct call *call, const struct realtime *realtime, struct slice answer)
{
	struct slice got[_GOT_MAX] = { 0 }, reason, error;
	struct parts parts;

	PICK(answer, got_names, got);
	call->response_id = call_text(call, got[GOT_ID]);
	reason = call_text(call, json_get(got[GOT_DETAILS], SLICE("reason")));
	if (!reason.len)
		reason = call_text(call, got[GOT_STATUS]);
	finish_add(call, reason);
	error = json_get(got[GOT_DETAILS], SLICE("error"));
	if (json_type(error) == JSON_OBJECT && !call->has_error)
		error_read(call, error, true);
	if (!call->session_id.len)
		call->session_id = call_text(call, got[GOT_CONVERSATION]);
	call->usage_raw = json_count(got[GOT_USAGE]) ? got[GOT_USAGE] : realtime->usage;
	usage_read(&call->usage, call->usage_raw, usage_rules, ARRAY_SIZE(usage_rules));
	parts_init(&parts, call, got[GOT_OUTPUT]);
	json_foreach_element(item, got[GOT_OUTPUT])
		item_put(&parts, item.value, true, reason);
	call->output_messages = parts_finish(&parts);
}

/* No socket came of it, or nothing over the socket: an error, if there is a body at all. */
static void response(struct call *call, void *state)
{
	struct slice answer;

	answer_open(call, &answer);
}

static void finish(struct call *call, void *state)
{
	struct realtime *realtime = state;
	struct response_stream *stream = &realtime->stream;

	if (json_type(call->inputs) == JSON_ARRAY && json_check(call->inputs, JSON_DEPTH_MAX) == 0)
		input_messages(call, realtime, call->inputs);
	if (stream->base.data || stream->final.data || stream->first) {
		call->outputs =
			sound_strip(call, response_stream_object(call, stream), sound_names, ARRAY_SIZE(sound_names));
		call_lost(call, call->outputs.data);
		answer_read(call, realtime, call->outputs);
	}
	call->chat_messages = chat_messages_from_parts(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("Realtime");
}

DIALECT(openai_realtime, {
				 .name = "openai.realtime",
				 .order = 16,
				 .state_size = sizeof(struct realtime),
				 .session = &session,
				 .recognise = recognise,
				 .request = request,
				 .event = event,
				 .response = response,
				 .finish = finish,
				 .span_name = span_name,
			 });
