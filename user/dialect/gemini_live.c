/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini.live: Google's Live API, a conversation over a WebSocket (JSON, in text or binary frames). A turn begins with what
 * the client ended ("turnComplete") or with what the server heard, and is over at the server's "turnComplete", or where it
 * asks for tools: their results open the next. Clients write names in either case.
 */
#include "dialect/gemini.h"
#include "dialect/sound.h"

static const struct slice sound_names[] = { SLICE("data") };

#define EITHER(object, camel, snake) gemini_get((object), SLICE(camel), SLICE(snake))

/* ---- the session ---- */

static uint64_t chunks_sound(struct slice input)
{
	struct slice chunks = EITHER(input, "mediaChunks", "media_chunks");
	uint64_t bytes = sound_bytes(json_path(input, "audio", "data", NULL)) +
			 sound_bytes(json_path(input, "video", "data", NULL)) +
			 sound_bytes(json_path(input, "media", "data", NULL));

	json_foreach_element(chunk, chunks)
		bytes += sound_bytes(json_get(chunk.value, SLICE("data")));
	return bytes;
}

static void step_client(struct slice data, struct session_step *ret)
{
	struct slice content = EITHER(data, "clientContent", "client_content");
	struct slice input = EITHER(data, "realtimeInput", "realtime_input");

	if (json_get(data, SLICE("setup")).data) {
		ret->is = SESSION_CONTEXT;
		ret->key = SLICE("setup");
	} else if (content.data) {
		ret->is = json_is_true(EITHER(content, "turnComplete", "turn_complete")) ? SESSION_OPEN : SESSION_INPUT;
	} else if (EITHER(data, "toolResponse", "tool_response").data) {
		ret->is = SESSION_OPEN;
	} else if (input.data) {
		ret->is = SESSION_INPUT;
		ret->sound_bytes = chunks_sound(input);
	}
}

static void step(enum message_kind kind, const struct message_part *part, struct session_step *ret)
{
	struct slice data = json_trim(part->data), content;

	if (kind == MESSAGE_REQUEST) {
		step_client(data, ret);
		return;
	}
	content = json_get(data, SLICE("serverContent"));
	if (json_get(data, SLICE("toolCall")).data) {
		ret->is = SESSION_END;
		ret->opens = true;
	} else if (content.data) {
		ret->is = json_is_true(json_get(content, SLICE("turnComplete"))) ? SESSION_END : SESSION_EVENT;
		ret->opens = json_get(content, SLICE("modelTurn")).data ||
			     json_get(content, SLICE("outputTranscription")).data ||
			     json_get(content, SLICE("inputTranscription")).data;
	} else if (json_get(data, SLICE("usageMetadata")).data) {
		ret->is = SESSION_EVENT;
	}
}

static const struct dialect_session session = { .is_list = true, .step = step };

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice ask = json_trim(hint->request_body);

	if (!slice_equal(hint->protocol, SLICE("websocket")))
		return 0;
	/* Clients with a token of one use call a variant: BidiGenerateContentConstrained. */
	if (slice_contains(hint->path, SLICE("BidiGenerateContent")))
		return SCORE_SURE;
	return json_path(ask, "setup", "model", NULL).len ? SCORE_SURE : 0;
}

/* ---- request ---- */

struct live {
	struct pieces text, thought, heard, spoken; /* insides of JSON strings */
	struct pieces calls;                        /* elements of functionCalls */
	uint64_t sound;
	struct slice usage, reason;
	bool has_begun, is_complete, is_interrupted;
};

static void parts_of(struct parts *parts, struct slice list)
{
	json_foreach_element(part, list) {
		struct slice text = json_get(part.value, SLICE("text"));
		struct slice call = EITHER(part.value, "functionCall", "function_call");
		struct slice result = EITHER(part.value, "functionResponse", "function_response");

		if (text.data && json_is_true(json_get(part.value, SLICE("thought"))))
			parts_reasoning(parts, text);
		else if (text.data)
			parts_text(parts, text);
		else if (call.data)
			parts_tool_call(parts, json_get(call, SLICE("id")), json_get(call, SLICE("name")),
					json_get(call, SLICE("args")));
		else if (result.data)
			parts_tool_result(parts, json_get(result, SLICE("id")), json_get(result, SLICE("response")));
		else
			parts_other(parts, part.value);
	}
}

static void turns_put(struct parts *parts, struct slice turns)
{
	json_foreach_element(turn, turns) {
		struct slice role = json_raw_text(json_get(turn.value, SLICE("role")));

		parts_message_open(parts, slice_equal(role, SLICE("model")) ? SLICE("assistant") : SLICE("user"));
		parts_of(parts, json_get(turn.value, SLICE("parts")));
		parts_message_close(parts, false, SLICE_NONE);
	}
}

static void results_put(struct parts *parts, struct slice results)
{
	json_foreach_element(result, results) {
		parts_message_open(parts, SLICE("tool"));
		parts_tool_result(parts, json_get(result.value, SLICE("id")),
				  json_get(result.value, SLICE("response")));
		parts_message_close(parts, false, SLICE_NONE);
	}
}

static void input_messages(struct call *call, const struct live *live, struct slice list)
{
	struct parts parts;

	parts_init(&parts, call, list);
	json_foreach_element(message, list) {
		struct slice content = EITHER(message.value, "clientContent", "client_content");
		struct slice answer = EITHER(message.value, "toolResponse", "tool_response");
		struct slice input = EITHER(message.value, "realtimeInput", "realtime_input");
		struct slice sound = json_get(message.value, SLICE("sound_bytes"));

		turns_put(&parts, json_get(content, SLICE("turns")));
		results_put(&parts, EITHER(answer, "functionResponses", "function_responses"));
		if (json_get(input, SLICE("text")).data)
			parts_text_message(&parts, SLICE("user"), json_get(input, SLICE("text")));
		if (json_type(sound) == JSON_NUMBER)
			sound_message(&parts, "audio", sound);
	}
	if (live->heard.len)
		parts_text_message(&parts, SLICE("user"), pieces_quoted(call->arena, &live->heard));
	call->input_messages = parts_finish(&parts);
}

/* [{functionDeclarations:[{name, description, parameters}]}] in MLflow's shape. */
static void tools_read(struct call *call, struct slice tools)
{
	struct out out;

	if (!json_count(tools))
		return;
	out_init(&out, call->arena, tools.len * 2 + 64);
	json_open(&out.buf, '[');
	json_foreach_element(tool, tools)
		json_foreach_element(function, EITHER(tool.value, "functionDeclarations", "function_declarations")) {
			json_open(&out.buf, '{');
			json_member_text(&out.buf, SLICE("type"), SLICE("function"));
			json_put_name(&out.buf, SLICE("function"));
			json_put_raw(&out.buf, function.value);
			json_close(&out.buf, '}');
		}
	json_close(&out.buf, ']');
	call->tools = out_slice(&out);
}

static void setup_read(struct call *call, struct slice setup)
{
	static const struct slice head = SLICE("models/");
	struct slice config = EITHER(setup, "generationConfig", "generation_config");
	struct slice system = EITHER(setup, "systemInstruction", "system_instruction");
	struct slice model = call_text(call, json_get(setup, SLICE("model")));
	ptrdiff_t at = slice_find(model, head);
	struct parts parts;

	/* "models/x", or "projects/p/locations/l/publishers/google/models/x" */
	call->request_model = at < 0 ? model : slice_from(model, (size_t)at + head.len);
	if (system.data) {
		parts_init(&parts, call, system);
		parts_of(&parts, json_get(system, SLICE("parts")));
		call->system_instructions = parts_finish(&parts);
	}
	tools_read(call, json_get(setup, SLICE("tools")));
	json_foreach_element(modality, EITHER(config, "responseModalities", "response_modalities"))
		call->output_type = json_text_is(modality.value, SLICE("AUDIO")) ? SLICE("speech") : SLICE("text");
}

static void request(struct call *call, void *state)
{
	request_open(call, "gcp.gemini");
	call->operation = OPERATION_CHAT;
	call->inputs = sound_strip(call, call->inputs, sound_names, ARRAY_SIZE(sound_names));
	if (json_type(call->inputs) != JSON_ARRAY || json_check(call->inputs, JSON_DEPTH_MAX) != 0)
		return;
	json_foreach_element(message, call->inputs) {
		struct slice setup = json_get(message.value, SLICE("setup"));

		if (setup.data)
			setup_read(call, setup);
	}
}

/* ---- answer ---- */

static bool turn_take(struct call *call, struct live *live, struct slice turn)
{
	bool has_content = false;

	json_foreach_element(part, json_get(turn, SLICE("parts"))) {
		bool is_thought = json_is_true(json_get(part.value, SLICE("thought")));
		struct slice data = json_path(part.value, "inlineData", "data", NULL);

		has_content |= text_gather(call, is_thought ? &live->thought : &live->text,
					   json_get(part.value, SLICE("text")));
		live->sound += sound_bytes(data);
		has_content |= data.data != NULL;
	}
	return has_content;
}

static bool calls_take(struct call *call, struct live *live, struct slice calls)
{
	json_foreach_element(function, calls)
		elements_gather(call, &live->calls, function.value);
	return json_count(calls) > 0;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct live *live = state;
	struct slice content, tools;
	bool has_content;

	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	live->has_begun = true;
	content = json_get(part->data, SLICE("serverContent"));
	tools = json_path(part->data, "toolCall", "functionCalls", NULL);
	has_content = turn_take(call, live, json_get(content, SLICE("modelTurn")));
	has_content |= text_gather(call, &live->spoken, json_path(content, "outputTranscription", "text", NULL));
	has_content |= calls_take(call, live, tools);
	text_gather(call, &live->heard, json_path(content, "inputTranscription", "text", NULL));
	call_lost(call, slice_hold(call->arena, &live->usage, json_get(part->data, SLICE("usageMetadata"))));
	call_lost(call, slice_hold(call->arena, &live->reason, json_get(content, SLICE("turnCompleteReason"))));
	live->is_interrupted |= json_is_true(json_get(content, SLICE("interrupted")));
	live->is_complete |= json_is_true(json_get(content, SLICE("turnComplete")));
	if (live->is_complete || tools.data)
		return DIALECT_EVENT_LAST;
	return has_content ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void put_part(struct call *call, struct buf *out, const struct pieces *text, bool is_thought)
{
	if (!text->len)
		return;
	json_open(out, '{');
	json_member_raw(out, SLICE("text"), pieces_quoted(call->arena, text));
	if (is_thought)
		json_member_raw(out, SLICE("thought"), SLICE("true"));
	json_close(out, '}');
}

static void put_content(struct call *call, struct buf *out, const struct live *live)
{
	json_put_name(out, SLICE("serverContent"));
	json_open(out, '{');
	if (live->text.len || live->thought.len || live->sound) {
		json_put_name(out, SLICE("modelTurn"));
		json_open(out, '{');
		json_put_name(out, SLICE("parts"));
		json_open(out, '[');
		put_part(call, out, &live->thought, true);
		put_part(call, out, &live->text, false);
		if (live->sound)
			json_put_raw(out, arena_printf(call->arena, "{\"inlineData\":{\"data\":\"(%llu bytes)\"}}",
						       (unsigned long long)live->sound));
		json_close(out, ']');
		json_close(out, '}');
	}
	if (live->spoken.len) {
		json_put_name(out, SLICE("outputTranscription"));
		put_part(call, out, &live->spoken, false);
	}
	if (live->is_interrupted)
		json_member_raw(out, SLICE("interrupted"), SLICE("true"));
	if (live->is_complete)
		json_member_raw(out, SLICE("turnComplete"), SLICE("true"));
	json_close(out, '}');
}

/* The message that the same turn would have been in one piece. */
static struct slice outputs_make(struct call *call, const struct live *live)
{
	struct out out;

	out_init(&out, call->arena,
		 512 + live->text.len + live->thought.len + live->spoken.len + live->calls.len + live->usage.len);
	json_open(&out.buf, '{');
	put_content(call, &out.buf, live);
	if (live->calls.len) {
		json_put_name(&out.buf, SLICE("toolCall"));
		json_open(&out.buf, '{');
		pieces_member_list(&out.buf, SLICE("functionCalls"), &live->calls);
		json_close(&out.buf, '}');
	}
	json_member_raw(&out.buf, SLICE("usageMetadata"), live->usage);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static void output_messages(struct call *call, const struct live *live)
{
	struct slice reason = live->is_interrupted ? SLICE("interrupted") : call_text(call, live->reason);
	struct parts parts;

	finish_add(call, reason);
	parts_init(&parts, call, call->outputs);
	parts_message_open(&parts, SLICE("assistant"));
	if (live->thought.len)
		parts_reasoning(&parts, pieces_quoted(call->arena, &live->thought));
	if (live->text.len)
		parts_text(&parts, pieces_quoted(call->arena, &live->text));
	if (live->spoken.len)
		parts_text(&parts, pieces_quoted(call->arena, &live->spoken));
	json_foreach_element(function, json_path(call->outputs, "toolCall", "functionCalls", NULL))
		parts_tool_call(&parts, json_get(function.value, SLICE("id")), json_get(function.value, SLICE("name")),
				json_get(function.value, SLICE("args")));
	parts_message_close(&parts, true, live->calls.len ? SLICE("tool_call") : reason);
	call->output_messages = parts_finish(&parts);
}

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("promptTokenCount"), offsetof(struct usage, input) },
	{ {}, SLICE("responseTokenCount"), offsetof(struct usage, output) },
	{ {}, SLICE("totalTokenCount"), offsetof(struct usage, total) },
	{ {}, SLICE("cachedContentTokenCount"), offsetof(struct usage, cache_read) },
	{ {}, SLICE("thoughtsTokenCount"), offsetof(struct usage, reasoning) },
};

static int64_t modality_tokens(struct slice details, struct slice modality)
{
	int64_t tokens = -1;

	json_foreach_element(detail, details)
		if (json_text_is(json_get(detail.value, SLICE("modality")), modality))
			json_int(json_get(detail.value, SLICE("tokenCount")), &tokens);
	return tokens;
}

static void usage_take(struct call *call, struct slice object)
{
	struct usage *usage = &call->usage;
	int64_t tools = 0;

	if (json_type(object) != JSON_OBJECT)
		return;
	call->usage_raw = object;
	usage_read(usage, object, usage_rules, ARRAY_SIZE(usage_rules));
	if (json_int(json_get(object, SLICE("toolUsePromptTokenCount")), &tools) == 0 && tools > 0 && usage->input >= 0)
		usage->input += tools;
	if (usage->reasoning > 0 && usage->output >= 0)
		usage->output += usage->reasoning;
	usage->input_audio = modality_tokens(json_get(object, SLICE("promptTokensDetails")), SLICE("AUDIO"));
	usage->input_image = modality_tokens(json_get(object, SLICE("promptTokensDetails")), SLICE("IMAGE"));
	usage->output_audio = modality_tokens(json_get(object, SLICE("responseTokensDetails")), SLICE("AUDIO"));
}

/* No socket came of it, or nothing over the socket: an error, if there is a body at all. */
static void response(struct call *call, void *state)
{
	struct slice answer;

	answer_open(call, &answer);
}

static void finish(struct call *call, void *state)
{
	struct live *live = state;

	if (json_type(call->inputs) == JSON_ARRAY && json_check(call->inputs, JSON_DEPTH_MAX) == 0)
		input_messages(call, live, call->inputs);
	call->response_model = call->request_model;
	if (live->has_begun) {
		call->outputs = outputs_make(call, live);
		call_lost(call, call->outputs.data);
		usage_take(call, live->usage);
		output_messages(call, live);
	}
	call->chat_messages = chat_messages_from_parts(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("Live");
}

DIALECT(gemini_live, {
			     .name = "gemini.live",
			     .order = 45,
			     .state_size = sizeof(struct live),
			     .session = &session,
			     .recognise = recognise,
			     .request = request,
			     .event = event,
			     .response = response,
			     .finish = finish,
			     .span_name = span_name,
		     });
