/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mistral.conversations: Mistral's conversations and the agents in them. An answer is a list of entries: messages, calls
 * of functions, tools that ran on its side, and handings over to other agents. A stream tells them by their index; here
 * they become that list again.
 */
#include "dialect/openai.h"
#include "dialect/tools.h"

static bool is_answer(struct slice body)
{
	return json_text_is(json_get(body, SLICE("object")), SLICE("conversation.response")) ||
	       json_text_is(json_get(body, SLICE("type")), SLICE("conversation.response.started"));
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);
	bool has_path =
		path_ends(hint->path, SLICE("/conversations")) || slice_contains(hint->path, SLICE("/conversations/"));

	if (!hint_is_post(hint))
		return 0;
	if (has_path && json_get(body, SLICE("inputs")).data)
		return SCORE_SURE;
	return hint->response_body.len && is_answer(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

enum { ENTRIES_MAX = 1024 };
enum entry_is { ENTRY_MESSAGE, ENTRY_CALL, ENTRY_TOOL, ENTRY_HANDOFF, _ENTRY_MAX };
static const struct slice entry_types[_ENTRY_MAX] = {
	[ENTRY_MESSAGE] = SLICE("message.output"),
	[ENTRY_CALL] = SLICE("function.call"),
	[ENTRY_TOOL] = SLICE("tool.execution"),
	[ENTRY_HANDOFF] = SLICE("agent.handoff"),
};

enum { HELD_ID, HELD_MODEL, HELD_CALL_ID, HELD_NAME, HELD_INFO, HELD_FROM, HELD_TO, _HELD_MAX };
static const struct slice held_names[_HELD_MAX] = {
	[HELD_ID] = SLICE("id"),
	[HELD_MODEL] = SLICE("model"),
	[HELD_CALL_ID] = SLICE("tool_call_id"),
	[HELD_NAME] = SLICE("name"),
	[HELD_INFO] = SLICE("info"),
	[HELD_FROM] = SLICE("previous_agent_name"),
	[HELD_TO] = SLICE("next_agent_name"),
};

struct entry {
	struct entry *next;
	int64_t index;
	enum entry_is is;
	struct slice held[_HELD_MAX];         /* raw JSON */
	struct pieces text, thinking, blocks; /* insides of strings; elements */
	struct pieces arguments;              /* inside of a string */
	uint64_t start_ns, end_ns;            /* of a tool */
};

struct conversation {
	struct slice id, usage; /* raw JSON */
	struct entry *first, *last;
	size_t count;
	bool has_begun;
};

/* ---- request ---- */

static void entry_put(struct parts *parts, struct slice entry)
{
	struct slice type = json_raw_text(json_get(entry, SLICE("type")));

	if (slice_equal(type, SLICE("function.result"))) {
		parts_message_open(parts, SLICE("tool"));
		parts_tool_result(parts, json_get(entry, SLICE("tool_call_id")), json_get(entry, SLICE("result")));
	} else if (slice_equal(type, entry_types[ENTRY_CALL])) {
		parts_message_open(parts, SLICE("assistant"));
		parts_tool_call(parts, json_get(entry, SLICE("tool_call_id")), json_get(entry, SLICE("name")),
				json_get(entry, SLICE("arguments")));
	} else {
		parts_message_open(parts, json_raw_text(json_get(entry, SLICE("role"))));
		openai_content(parts, json_get(entry, SLICE("content")));
	}
	parts_message_close(parts, false, SLICE_NONE);
}

static void inputs_read(struct call *call, struct slice inputs)
{
	struct parts parts;

	parts_init(&parts, call, inputs);
	if (json_type(inputs) == JSON_STRING) {
		parts_text_message(&parts, SLICE("user"), inputs);
	} else if (json_type(inputs) == JSON_ARRAY) {
		json_foreach_element(entry, inputs)
			entry_put(&parts, entry.value);
	}
	call->input_messages = parts_finish(&parts);
}

enum { ASK_INPUTS, ASK_INSTRUCTIONS, ASK_TOOLS, ASK_AGENT, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_INPUTS] = SLICE("inputs"),
	[ASK_INSTRUCTIONS] = SLICE("instructions"),
	[ASK_TOOLS] = SLICE("tools"),
	[ASK_AGENT] = SLICE("agent_id"),
};

static void request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };

	call->operation = OPERATION_CHAT;
	if (!request_open(call, "mistral_ai"))
		return;
	PICK(json_trim(call->request_body), ask_names, ask);
	call->tools = tools_from_chat(call, ask[ASK_TOOLS], SLICE_NONE);
	call_put_text(call, "gen_ai.agent.id", call_text(call, ask[ASK_AGENT]));
	if (!call->session_id.len)
		call->session_id = path_part(call->path, SLICE("/conversations/"));
	system_text_put(call, ask[ASK_INSTRUCTIONS]);
	inputs_read(call, ask[ASK_INPUTS]);
}

/* ---- events ---- */

static struct entry *entry_of(struct call *call, struct conversation *talk, struct slice event, enum entry_is is)
{
	struct entry *entry = talk->last;
	int64_t index = 0;

	json_int(json_get(event, SLICE("output_index")), &index);
	if (entry && (entry->index != index || entry->is != is))
		for (entry = talk->first; entry && (entry->index != index || entry->is != is);)
			entry = entry->next;
	if (entry)
		return entry;
	entry = talk->count < ENTRIES_MAX ? arena_new_of(call->arena, struct entry) : NULL;
	call_lost(call, entry);
	if (!entry)
		return NULL;
	entry->index = index;
	entry->is = is;
	*(talk->last ? &talk->last->next : &talk->first) = entry;
	talk->last = entry;
	talk->count++;
	return entry;
}

static bool add_thinking(struct call *call, struct entry *entry, struct slice thinking)
{
	bool has_content = false;

	if (json_type(thinking) != JSON_ARRAY)
		return text_gather(call, &entry->thinking, thinking);
	json_foreach_element(item, thinking)
		has_content |= text_gather(call, &entry->thinking, json_get(item.value, SLICE("text")));
	return has_content;
}

/* A piece of text, or a block that came whole. */
static bool add_content(struct call *call, struct entry *entry, struct slice content)
{
	struct slice type = json_get(content, SLICE("type"));

	if (json_type(content) == JSON_STRING)
		return text_gather(call, &entry->text, content);
	if (json_type(content) != JSON_OBJECT)
		return false;
	if (json_text_is(type, SLICE("text")))
		return text_gather(call, &entry->text, json_get(content, SLICE("text")));
	if (json_text_is(type, SLICE("thinking")))
		return add_thinking(call, entry, json_get(content, SLICE("thinking")));
	elements_gather(call, &entry->blocks, content);
	return true;
}

/* message.output.delta, function.call.delta, tool.execution.started … : the entry's type and what is done with it. */
static bool add_entry(struct call *call, struct conversation *talk, struct slice event, enum entry_is is,
		      uint64_t time_ns)
{
	struct entry *entry = entry_of(call, talk, event, is);
	struct slice got[_HELD_MAX] = { 0 };

	if (!entry)
		return false;
	PICK(event, held_names, got);
	for (size_t i = 0; i < _HELD_MAX; i++)
		call_lost(call, slice_hold(call->arena, &entry->held[i], got[i]));
	if (!entry->start_ns)
		entry->start_ns = time_ns;
	entry->end_ns = time_ns;
	if (is == ENTRY_MESSAGE)
		return add_content(call, entry, json_get(event, SLICE("content")));
	return text_gather(call, &entry->arguments, json_get(event, SLICE("arguments"))) || is == ENTRY_CALL;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = slice_trim(part->data), type;
	struct conversation *talk = state;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	type = json_raw_text(json_get(data, SLICE("type")));
	if (slice_starts(type, SLICE("conversation.response."))) {
		talk->has_begun = true;
		call_lost(call, slice_hold(call->arena, &talk->id, json_get(data, SLICE("conversation_id"))));
		call_lost(call, slice_hold(call->arena, &talk->usage, json_get(data, SLICE("usage"))));
		if (slice_ends(type, SLICE(".error")))
			error_read(call, data, true);
		return slice_ends(type, SLICE(".started")) ? DIALECT_EVENT_QUIET : DIALECT_EVENT_LAST;
	}
	for (size_t i = 0; i < _ENTRY_MAX; i++)
		if (slice_starts(type, entry_types[i])) {
			talk->has_begun = true;
			return add_entry(call, talk, data, (enum entry_is)i, part->time_ns) ? DIALECT_EVENT_CONTENT
											    : DIALECT_EVENT_QUIET;
		}
	return DIALECT_EVENT_QUIET;
}

/* ---- what a stream was ---- */

static void text_block_put(struct buf *out, const struct pieces *text)
{
	json_open(out, '{');
	json_member_text(out, SLICE("type"), SLICE("text"));
	pieces_member_text(out, SLICE("text"), text);
	json_close(out, '}');
}

static void content_put(struct buf *out, const struct entry *entry)
{
	if (!entry->thinking.len && !entry->blocks.len) {
		pieces_member_text(out, SLICE("content"), &entry->text);
		return;
	}
	json_put_name(out, SLICE("content"));
	json_open(out, '[');
	if (entry->thinking.len) {
		json_open(out, '{');
		json_member_text(out, SLICE("type"), SLICE("thinking"));
		json_put_name(out, SLICE("thinking"));
		json_open(out, '[');
		text_block_put(out, &entry->thinking);
		json_close(out, ']');
		json_close(out, '}');
	}
	if (entry->text.len)
		text_block_put(out, &entry->text);
	if (entry->blocks.len) {
		if (out->len && out->data[out->len - 1] == '}')
			buf_put_char(out, ',');
		pieces_put(&entry->blocks, out);
	}
	json_close(out, ']');
}

static size_t entry_size(const struct entry *entry)
{
	size_t size = 256 + entry->text.len + entry->thinking.len + entry->blocks.len + entry->arguments.len;

	for (size_t i = 0; i < _HELD_MAX; i++)
		size += entry->held[i].len + held_names[i].len + 4;
	return size;
}

static void entry_write(struct buf *out, const struct entry *entry)
{
	json_open(out, '{');
	json_member_text(out, SLICE("type"), entry_types[entry->is]);
	for (size_t i = 0; i < _HELD_MAX; i++)
		json_member_raw(out, held_names[i], entry->held[i]);
	if (entry->is == ENTRY_MESSAGE) {
		json_member_text(out, SLICE("role"), SLICE("assistant"));
		content_put(out, entry);
	} else if (entry->is != ENTRY_HANDOFF) {
		pieces_member_text(out, SLICE("arguments"), &entry->arguments);
	}
	json_close(out, '}');
}

static struct slice object_of(struct call *call, const struct conversation *talk)
{
	size_t guess = talk->usage.len + talk->id.len + 128;
	struct out out;

	for (const struct entry *entry = talk->first; entry; entry = entry->next)
		guess += entry_size(entry);
	out_init(&out, call->arena, guess);
	json_open(&out.buf, '{');
	json_member_raw(&out.buf, SLICE("conversation_id"), talk->id);
	json_member_text(&out.buf, SLICE("object"), SLICE("conversation.response"));
	json_put_name(&out.buf, SLICE("outputs"));
	json_open(&out.buf, '[');
	for (const struct entry *entry = talk->first; entry; entry = entry->next)
		entry_write(&out.buf, entry);
	json_close(&out.buf, ']');
	json_member_raw(&out.buf, SLICE("usage"), talk->usage);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

/* ---- answer ---- */

static void step_add(struct call *call, struct slice entry)
{
	struct call_step *step = call_add_step(call);

	call_lost(call, step);
	if (!step)
		return;
	step->name = call_text(call, json_get(entry, SLICE("name")));
	step->id = call_text(call, json_get(entry, SLICE("id")));
	step->inputs = json_get(entry, SLICE("arguments"));
	if (json_type(step->inputs) == JSON_STRING) {
		struct slice text = call_text(call, step->inputs);

		if (json_check(text, JSON_DEPTH_MAX) == 0)
			step->inputs = json_trim(text);
	}
	step->outputs = json_get(entry, SLICE("info"));
}

static void outputs_put(struct call *call, struct parts *parts, struct slice outputs)
{
	bool has_calls = false;

	parts_message_open(parts, SLICE("assistant"));
	json_foreach_element(entry, outputs) {
		struct slice type = json_get(entry.value, SLICE("type")), model = json_get(entry.value, SLICE("model"));

		if (json_raw_text(model).len)
			call->response_model = call_text(call, model);
		if (json_text_is(type, entry_types[ENTRY_MESSAGE])) {
			openai_content(parts, json_get(entry.value, SLICE("content")));
		} else if (json_text_is(type, entry_types[ENTRY_CALL])) {
			has_calls = true;
			parts_tool_call(parts, json_get(entry.value, SLICE("tool_call_id")),
					json_get(entry.value, SLICE("name")),
					json_get(entry.value, SLICE("arguments")));
		} else if (json_text_is(type, entry_types[ENTRY_TOOL])) {
			step_add(call, entry.value);
		} else {
			parts_other(parts, entry.value);
		}
	}
	parts_message_close(parts, true, has_calls ? SLICE("tool_calls") : SLICE("stop"));
}

/* What tools of the provider's read into the conversation is counted beside the prompt. */
static void usage_of(struct call *call, struct slice usage)
{
	int64_t beside = 0;

	openai_usage_read(call, usage);
	if (json_int(json_get(usage, SLICE("connector_tokens")), &beside) == 0 && beside > 0 &&
	    call->usage.total == call->usage.input + call->usage.output + beside)
		call->usage.input += beside;
}

static void answer_read(struct call *call, struct slice answer)
{
	struct slice outputs = json_get(answer, SLICE("outputs"));
	struct slice id = call_text(call, json_get(answer, SLICE("conversation_id")));
	struct parts parts;

	call->response_id = id;
	if (!call->session_id.len)
		call->session_id = id;
	usage_of(call, json_get(answer, SLICE("usage")));
	if (json_type(outputs) != JSON_ARRAY)
		return;
	parts_init(&parts, call, outputs);
	outputs_put(call, &parts, outputs);
	call->output_messages = parts_finish(&parts);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer);
}

/* Steps are made from the entries in their order, so times are laid on them in the same order. */
static void times_lay(struct call *call, const struct conversation *talk)
{
	struct call_step *step = call->steps;

	for (const struct entry *entry = talk->first; entry && step; entry = entry->next)
		if (entry->is == ENTRY_TOOL) {
			step->start_ns = entry->start_ns;
			step->end_ns = entry->end_ns;
			step = step->next;
		}
}

static void finish(struct call *call, void *state)
{
	struct conversation *talk = state;

	call->operation = OPERATION_CHAT;
	if (!call->vendor.len)
		request_open(call, "mistral_ai");
	if (talk->has_begun) {
		call->outputs = object_of(call, talk);
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
		times_lay(call, talk);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("Conversations.start");
}

DIALECT(mistral_conversations, {
				       .name = "mistral.conversations",
				       .order = 66,
				       .state_size = sizeof(struct conversation),
				       .recognise = recognise,
				       .request = request,
				       .event = event,
				       .response = response,
				       .finish = finish,
				       .span_name = span_name,
			       });
