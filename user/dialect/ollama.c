/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ollama.chat, ollama.generate and ollama.embed: Ollama's own API. A streamed answer is one object per line, each a
 * piece of the message, the last with done, the reason and the counts; so the answer is that last object with the pieces
 * put back where they belong. MLflow knows nothing of this format: the chat page gets messages of its own.
 */
#include "dialect/openai.h"
#include "dialect/tools.h"

static const struct path_rule chat_rules[] = {
	{ "/api/chat", .any = KEY_MESSAGES, .all = KEY_MODEL | KEY_MESSAGES },
};
static const struct path_rule generate_rules[] = {
	{ "/api/generate", .any = KEY_MODEL, .all = KEY_MODEL },
};
static const struct path_rule embed_rules[] = {
	{ "/api/embed", .any = KEY_INPUT, .all = KEY_MODEL | KEY_INPUT },
	{ "/api/embeddings", .any = KEY_PROMPT, .all = KEY_MODEL | KEY_PROMPT },
};

static bool is_ours(struct slice body)
{
	return json_get(body, SLICE("done")).data && json_get(body, SLICE("model")).data &&
	       json_get(body, SLICE("created_at")).data;
}

static bool is_chat_answer(struct slice body)
{
	return is_ours(body) && json_get(body, SLICE("message")).data;
}

static bool is_generate_answer(struct slice body)
{
	return is_ours(body) && json_get(body, SLICE("response")).data;
}

static const struct signature chat_signature = { chat_rules, ARRAY_SIZE(chat_rules), is_chat_answer };
static const struct signature generate_signature = { generate_rules, ARRAY_SIZE(generate_rules), is_generate_answer };
static const struct signature embed_signature = { embed_rules, ARRAY_SIZE(embed_rules), NULL };

static unsigned chat_recognise(const struct dialect_hint *hint)
{
	return signature_score(&chat_signature, hint);
}

static unsigned generate_recognise(const struct dialect_hint *hint)
{
	return signature_score(&generate_signature, hint);
}

static unsigned embed_recognise(const struct dialect_hint *hint)
{
	return signature_score(&embed_signature, hint);
}

struct ollama {
	struct slice last; /* newest line */
	struct slice role;
	struct pieces text, thinking, tool_calls;
};

/* ---- request ---- */

enum { ASK_MESSAGES, ASK_TOOLS, ASK_FORMAT, ASK_PROMPT, ASK_SYSTEM, ASK_IMAGES, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_MESSAGES] = SLICE("messages"), [ASK_TOOLS] = SLICE("tools"),   [ASK_FORMAT] = SLICE("format"),
	[ASK_PROMPT] = SLICE("prompt"),     [ASK_SYSTEM] = SLICE("system"), [ASK_IMAGES] = SLICE("images"),
};

enum { MSG_ROLE, MSG_CONTENT, MSG_THINKING, MSG_IMAGES, MSG_TOOL_CALLS, MSG_TOOL_NAME, MSG_TOOL_ID, _MSG_MAX };
static const struct slice message_names[_MSG_MAX] = {
	[MSG_ROLE] = SLICE("role"),
	[MSG_CONTENT] = SLICE("content"),
	[MSG_THINKING] = SLICE("thinking"),
	[MSG_IMAGES] = SLICE("images"),
	[MSG_TOOL_CALLS] = SLICE("tool_calls"),
	[MSG_TOOL_NAME] = SLICE("tool_name"),
	[MSG_TOOL_ID] = SLICE("tool_call_id"),
};

/* Images come without their type; their first bytes tell it. */
static struct slice image_type(struct slice base64)
{
	static const struct {
		struct slice begins, type;
	} kinds[] = {
		{ SLICE("iVBORw0KGgo"), SLICE("image/png") },
		{ SLICE("/9j/"), SLICE("image/jpeg") },
		{ SLICE("R0lGOD"), SLICE("image/gif") },
		{ SLICE("UklGR"), SLICE("image/webp") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (slice_starts(base64, kinds[i].begins))
			return kinds[i].type;
	return SLICE_NONE;
}

static void images_put(struct parts *parts, struct slice images)
{
	if (json_type(images) != JSON_ARRAY)
		return;
	json_foreach_element(image, images) {
		struct slice base64 = json_raw_text(image.value);

		parts_blob(parts, SLICE("image"), image_type(base64), base64);
	}
}

static void message_put(struct parts *parts, struct slice message, bool has_reason, struct slice reason)
{
	struct slice got[_MSG_MAX] = { 0 }, role;

	PICK(message, message_names, got);
	role = json_raw_text(got[MSG_ROLE]);
	parts_message_open(parts, role);
	if (slice_equal(role, SLICE("tool"))) {
		parts_tool_result(parts, got[MSG_TOOL_ID].data ? got[MSG_TOOL_ID] : got[MSG_TOOL_NAME],
				  got[MSG_CONTENT]);
	} else {
		if (json_raw_text(got[MSG_THINKING]).len)
			parts_reasoning(parts, got[MSG_THINKING]);
		if (json_raw_text(got[MSG_CONTENT]).len)
			parts_text(parts, got[MSG_CONTENT]);
		images_put(parts, got[MSG_IMAGES]);
		if (json_type(got[MSG_TOOL_CALLS]) == JSON_ARRAY)
			json_foreach_element(item, got[MSG_TOOL_CALLS])
				parts_function_call(parts, item.value);
	}
	parts_message_close(parts, has_reason, reason);
}

static struct slice output_type(struct slice format)
{
	return json_type(format) == JSON_OBJECT || json_text_is(format, SLICE("json")) ? SLICE("json") : SLICE_NONE;
}

static void chat_request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct parts parts;

	call->operation = OPERATION_CHAT;
	if (!request_open(call, "ollama"))
		return;
	PICK(json_trim(call->request_body), ask_names, ask);
	call->tools = tools_from_chat(call, ask[ASK_TOOLS], SLICE_NONE);
	call->output_type = output_type(ask[ASK_FORMAT]);
	if (json_type(ask[ASK_MESSAGES]) != JSON_ARRAY)
		return;
	parts_init(&parts, call, ask[ASK_MESSAGES]);
	json_foreach_element(message, ask[ASK_MESSAGES])
		message_put(&parts, message.value, false, SLICE_NONE);
	call->input_messages = parts_finish(&parts);
}

static void generate_request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct parts parts;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!request_open(call, "ollama"))
		return;
	PICK(json_trim(call->request_body), ask_names, ask);
	call->output_type = output_type(ask[ASK_FORMAT]);
	system_text_put(call, ask[ASK_SYSTEM]);
	parts_init(&parts, call, ask[ASK_PROMPT]);
	parts_message_open(&parts, SLICE("user"));
	parts_text(&parts, ask[ASK_PROMPT]);
	images_put(&parts, ask[ASK_IMAGES]);
	parts_message_close(&parts, false, SLICE_NONE);
	call->input_messages = parts_finish(&parts);
}

static void embed_request(struct call *call, void *state)
{
	call->operation = OPERATION_EMBEDDINGS;
	request_open(call, "ollama");
}

/* ---- lines ---- */

enum { LINE_MESSAGE, LINE_RESPONSE, LINE_THINKING, LINE_DONE, LINE_ERROR, _LINE_MAX };
static const struct slice line_names[_LINE_MAX] = {
	[LINE_MESSAGE] = SLICE("message"), [LINE_RESPONSE] = SLICE("response"), [LINE_THINKING] = SLICE("thinking"),
	[LINE_DONE] = SLICE("done"),       [LINE_ERROR] = SLICE("error"),
};

static bool add_message(struct call *call, struct ollama *ollama, struct slice message)
{
	struct slice got[_MSG_MAX] = { 0 }, calls;
	bool has_content;

	PICK(message, message_names, got);
	has_content = text_gather(call, &ollama->text, got[MSG_CONTENT]);
	has_content |= text_gather(call, &ollama->thinking, got[MSG_THINKING]);
	if (!ollama->role.data)
		call_lost(call, slice_hold(call->arena, &ollama->role, got[MSG_ROLE]));
	calls = json_trim(got[MSG_TOOL_CALLS]);
	if (json_type(calls) != JSON_ARRAY || json_count(calls) == 0)
		return has_content;
	elements_gather(call, &ollama->tool_calls, (struct slice){ calls.data + 1, calls.len - 2 });
	return true;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice got[_LINE_MAX] = { 0 };
	struct ollama *ollama = state;
	bool has_content;

	if (!slice_trim(part->data).len || !event_open(call, part))
		return DIALECT_EVENT_QUIET;
	PICK(part->data, line_names, got);
	if (got[LINE_ERROR].data) {
		error_read(call, part->data, true);
		return DIALECT_EVENT_QUIET;
	}
	call_lost(call, slice_hold(call->arena, &ollama->last, part->data));
	has_content = add_message(call, ollama, got[LINE_MESSAGE]);
	has_content |= text_gather(call, &ollama->text, got[LINE_RESPONSE]);
	has_content |= text_gather(call, &ollama->thinking, got[LINE_THINKING]);
	if (json_is_true(got[LINE_DONE]))
		return DIALECT_EVENT_LAST;
	return has_content ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void put_message(struct buf *out, const struct ollama *ollama)
{
	json_put_name(out, SLICE("message"));
	json_open(out, '{');
	json_member_raw(out, SLICE("role"), ollama->role.data ? ollama->role : SLICE("\"assistant\""));
	pieces_member_text(out, SLICE("content"), &ollama->text);
	if (ollama->thinking.len)
		pieces_member_text(out, SLICE("thinking"), &ollama->thinking);
	if (ollama->tool_calls.len)
		pieces_member_list(out, SLICE("tool_calls"), &ollama->tool_calls);
	json_close(out, '}');
}

/* The last line with what all lines said in the places where it belongs. */
static struct slice object_of(struct call *call, const struct ollama *ollama, bool is_chat)
{
	struct out out;

	out_init(&out, call->arena,
		 ollama->last.len + ollama->text.len + ollama->thinking.len + ollama->tool_calls.len + 256);
	json_open(&out.buf, '{');
	json_foreach_member(member, ollama->last) {
		if (slice_equal(member.name, SLICE("message")) || slice_equal(member.name, SLICE("response")) ||
		    slice_equal(member.name, SLICE("thinking")))
			continue;
		json_put_raw_name(&out.buf, member.name);
		json_put_raw(&out.buf, member.value);
	}
	if (is_chat) {
		put_message(&out.buf, ollama);
	} else {
		pieces_member_text(&out.buf, SLICE("response"), &ollama->text);
		if (ollama->thinking.len)
			pieces_member_text(&out.buf, SLICE("thinking"), &ollama->thinking);
	}
	json_close(&out.buf, '}');
	return out_slice(&out);
}

/* ---- answer ---- */

enum { GOT_MODEL, GOT_REASON, GOT_MESSAGE, GOT_RESPONSE, GOT_THINKING, _GOT_MAX };
static const struct slice got_names[_GOT_MAX] = {
	[GOT_MODEL] = SLICE("model"),       [GOT_REASON] = SLICE("done_reason"), [GOT_MESSAGE] = SLICE("message"),
	[GOT_RESPONSE] = SLICE("response"), [GOT_THINKING] = SLICE("thinking"),
};

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("prompt_eval_count"), offsetof(struct usage, input) },
	{ {}, SLICE("eval_count"), offsetof(struct usage, output) },
};

static struct slice usage_text(struct call *call, const struct usage *usage)
{
	struct out out;

	out_init(&out, call->arena, 80);
	json_open(&out.buf, '{');
	if (usage->input >= 0)
		json_member_int(&out.buf, SLICE("prompt_eval_count"), usage->input);
	if (usage->output >= 0)
		json_member_int(&out.buf, SLICE("eval_count"), usage->output);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static void answer_read(struct call *call, struct slice answer)
{
	struct usage *usage = &call->usage;
	struct slice got[_GOT_MAX] = { 0 }, reason;
	struct parts parts;

	PICK(answer, got_names, got);
	usage_read(usage, answer, usage_rules, ARRAY_SIZE(usage_rules));
	if (usage->input >= 0 || usage->output >= 0)
		call->usage_raw = usage_text(call, usage);
	usage_sum(usage);
	call->response_model = call_text(call, got[GOT_MODEL]);
	reason = call_text(call, got[GOT_REASON]);
	finish_add(call, reason);
	if (!got[GOT_MESSAGE].data && !got[GOT_RESPONSE].data)
		return;
	parts_init(&parts, call, answer);
	if (got[GOT_MESSAGE].data) {
		message_put(&parts, got[GOT_MESSAGE], true, reason);
	} else {
		parts_message_open(&parts, SLICE("assistant"));
		if (json_raw_text(got[GOT_THINKING]).len)
			parts_reasoning(&parts, got[GOT_THINKING]);
		parts_text(&parts, got[GOT_RESPONSE]);
		parts_message_close(&parts, true, reason);
	}
	call->output_messages = parts_finish(&parts);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer);
}

static void finish(struct call *call, struct ollama *ollama, bool is_chat)
{
	if (!call->vendor.len)
		call->vendor = SLICE("ollama");
	if (ollama->last.data) {
		call->outputs = object_of(call, ollama, is_chat);
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static void chat_finish(struct call *call, void *state)
{
	call->operation = OPERATION_CHAT;
	finish(call, state, true);
}

static void generate_finish(struct call *call, void *state)
{
	call->operation = OPERATION_TEXT_COMPLETION;
	finish(call, state, false);
}

static struct slice chat_span_name(const struct call *call)
{
	return SLICE("Ollama.chat");
}

static struct slice generate_span_name(const struct call *call)
{
	return SLICE("Ollama.generate");
}

static struct slice embed_span_name(const struct call *call)
{
	return SLICE("Ollama.embed");
}

DIALECT(ollama_chat, {
			     .name = "ollama.chat",
			     .order = 50,
			     .state_size = sizeof(struct ollama),
			     .recognise = chat_recognise,
			     .request = chat_request,
			     .event = event,
			     .response = response,
			     .finish = chat_finish,
			     .span_name = chat_span_name,
		     });

DIALECT(ollama_generate, {
				 .name = "ollama.generate",
				 .order = 51,
				 .state_size = sizeof(struct ollama),
				 .recognise = generate_recognise,
				 .request = generate_request,
				 .event = event,
				 .response = response,
				 .finish = generate_finish,
				 .span_name = generate_span_name,
			 });

DIALECT(ollama_embed, {
			      .name = "ollama.embed",
			      .order = 52,
			      .recognise = embed_recognise,
			      .request = embed_request,
			      .event = no_event,
			      .response = response,
			      .finish = no_step,
			      .span_name = embed_span_name,
		      });
