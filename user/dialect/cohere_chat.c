/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohere.chat: the second API's chat. A stream tells blocks and tool calls by their index, the plan and the citations
 * without one; what it says is put together to the very object that an answer in one piece is.
 */
#include "dialect/cohere.h"
#include "dialect/tools.h"

static const struct path_rule rules[] = {
	{ "/v2/chat", .any = KEY_MESSAGES | KEY_MODEL, .all = KEY_MESSAGES, .alone = true },
};

static bool is_answer(struct slice body)
{
	struct slice type = json_get(body, SLICE("type"));

	if (json_text_is(type, SLICE("message-start")))
		return json_path(body, "delta", "message", NULL).data;
	return json_path(body, "message", "role", NULL).data && json_path(body, "usage", "billed_units", NULL).data &&
	       json_get(body, SLICE("finish_reason")).data;
}

/* {"id": "...", "message": "..."} */
static bool is_refusal(struct slice body)
{
	return json_get(body, SLICE("id")).data && json_type(json_get(body, SLICE("message"))) == JSON_STRING &&
	       !json_get(body, SLICE("error")).data;
}

static const struct signature signature = { rules, ARRAY_SIZE(rules), is_answer };
static const struct refusal refusal = { .asked = { .all = KEY_MODEL | KEY_MESSAGES, .none = KEY_JSONRPC },
					.answer = is_refusal };

static unsigned recognise(const struct dialect_hint *hint)
{
	return signature_score(&signature, hint) ?: refusal_score(&refusal, hint);
}

enum { ITEMS_MAX = 1024 }; /* blocks, or tool calls, of one answer */

/* A content block or a tool call of a stream. */
struct item {
	struct item *next;
	int64_t index;
	bool is_thinking;
	struct slice id, name; /* raw JSON */
	struct pieces text;    /* or arguments */
};

struct chat {
	struct slice id, role, finish, usage; /* raw JSON */
	struct pieces plan, citations;
	struct items {
		struct item *first, *last, *recent;
		size_t count;
	} blocks, tools;
	bool has_begun;
};

/* ---- messages ---- */

enum { MSG_ROLE, MSG_CONTENT, MSG_PLAN, MSG_TOOL_CALLS, MSG_TOOL_CALL_ID, _MSG_MAX };
static const struct slice message_names[_MSG_MAX] = {
	[MSG_ROLE] = SLICE("role"),
	[MSG_CONTENT] = SLICE("content"),
	[MSG_PLAN] = SLICE("tool_plan"),
	[MSG_TOOL_CALLS] = SLICE("tool_calls"),
	[MSG_TOOL_CALL_ID] = SLICE("tool_call_id"),
};

static void message_put(struct parts *parts, struct slice message, bool has_reason, struct slice reason)
{
	struct slice got[_MSG_MAX] = { 0 }, role;

	PICK(message, message_names, got);
	role = json_raw_text(got[MSG_ROLE]);
	parts_message_open(parts, role);
	if (slice_equal(role, SLICE("tool"))) {
		parts_tool_result(parts, got[MSG_TOOL_CALL_ID], got[MSG_CONTENT]);
	} else {
		if (json_raw_text(got[MSG_PLAN]).len)
			parts_reasoning(parts, got[MSG_PLAN]);
		openai_content(parts, got[MSG_CONTENT]);
		if (json_type(got[MSG_TOOL_CALLS]) == JSON_ARRAY)
			json_foreach_element(item, got[MSG_TOOL_CALLS])
				parts_function_call(parts, item.value);
	}
	parts_message_close(parts, has_reason, reason);
}

enum { ASK_MESSAGES, ASK_TOOLS, ASK_FORMAT, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_MESSAGES] = SLICE("messages"),
	[ASK_TOOLS] = SLICE("tools"),
	[ASK_FORMAT] = SLICE("response_format"),
};

static void request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct parts parts;

	call->operation = OPERATION_CHAT;
	if (!request_open(call, "cohere"))
		return;
	PICK(json_trim(call->request_body), ask_names, ask);
	call->tools = tools_from_chat(call, ask[ASK_TOOLS], SLICE_NONE);
	call->output_type = openai_output_type(ask[ASK_FORMAT], SLICE_NONE);
	if (json_type(ask[ASK_MESSAGES]) != JSON_ARRAY)
		return;
	parts_init(&parts, call, ask[ASK_MESSAGES]);
	json_foreach_element(message, ask[ASK_MESSAGES])
		message_put(&parts, message.value, false, SLICE_NONE);
	call->input_messages = parts_finish(&parts);
}

/* ---- events ---- */

/* The block or call of this index; a new one where there is none yet. NULL when there are too many or memory ran out. */
static struct item *item_of(struct call *call, struct items *items, struct slice event)
{
	int64_t index = 0;

	json_int(json_get(event, SLICE("index")), &index);
	return ITEM_GATHER(call, items, index, ITEMS_MAX);
}

static bool on_content(struct call *call, struct chat *chat, struct slice event)
{
	struct slice content = json_path(event, "delta", "message", "content", NULL);
	struct slice thinking = json_get(content, SLICE("thinking"));
	struct item *item = item_of(call, &chat->blocks, event);

	if (!item)
		return false;
	if (thinking.data || json_text_is(json_get(content, SLICE("type")), SLICE("thinking")))
		item->is_thinking = true;
	return text_gather(call, &item->text, item->is_thinking ? thinking : json_get(content, SLICE("text")));
}

static bool on_tool(struct call *call, struct chat *chat, struct slice event)
{
	struct slice tool = json_path(event, "delta", "message", "tool_calls", NULL);
	struct item *item = item_of(call, &chat->tools, event);

	if (!item)
		return false;
	call_lost(call, slice_hold(call->arena, &item->id, json_get(tool, SLICE("id"))));
	call_lost(call, slice_hold(call->arena, &item->name, json_path(tool, "function", "name", NULL)));
	text_gather(call, &item->text, json_path(tool, "function", "arguments", NULL));
	return true;
}

static bool on_plan(struct call *call, struct chat *chat, struct slice event)
{
	return text_gather(call, &chat->plan, json_path(event, "delta", "message", "tool_plan", NULL));
}

static bool on_citation(struct call *call, struct chat *chat, struct slice event)
{
	struct slice citation = json_path(event, "delta", "message", "citations", NULL);

	if (json_type(citation) != JSON_OBJECT)
		return false;
	elements_gather(call, &chat->citations, citation);
	return false;
}

static bool on_start(struct call *call, struct chat *chat, struct slice event)
{
	call_lost(call, slice_hold(call->arena, &chat->id, json_get(event, SLICE("id"))));
	call_lost(call, slice_hold(call->arena, &chat->role, json_path(event, "delta", "message", "role", NULL)));
	return false;
}

/* A generation that failed is a 200 whose end says so. */
static bool on_end(struct call *call, struct chat *chat, struct slice event)
{
	struct slice delta = json_get(event, SLICE("delta"));

	call_lost(call, slice_hold(call->arena, &chat->id, json_get(event, SLICE("id"))));
	call_lost(call, slice_hold(call->arena, &chat->finish, json_get(delta, SLICE("finish_reason"))));
	call_lost(call, slice_hold(call->arena, &chat->usage, json_get(delta, SLICE("usage"))));
	if (json_get(delta, SLICE("error")).data)
		error_read(call, delta, true);
	return false;
}

static const struct {
	struct slice type;
	bool (*read)(struct call *call, struct chat *chat, struct slice event);
	enum dialect_event otherwise; /* when it has no content */
} event_rules[] = {
	{ SLICE("content-delta"), on_content, DIALECT_EVENT_QUIET },
	{ SLICE("content-start"), on_content, DIALECT_EVENT_QUIET },
	{ SLICE("tool-plan-delta"), on_plan, DIALECT_EVENT_QUIET },
	{ SLICE("tool-call-start"), on_tool, DIALECT_EVENT_QUIET },
	{ SLICE("tool-call-delta"), on_tool, DIALECT_EVENT_QUIET },
	{ SLICE("citation-start"), on_citation, DIALECT_EVENT_QUIET },
	{ SLICE("message-start"), on_start, DIALECT_EVENT_QUIET },
	{ SLICE("message-end"), on_end, DIALECT_EVENT_LAST },
};

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice type, data = slice_trim(part->data);
	struct chat *chat = state;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	type = json_get(data, SLICE("type"));
	for (size_t i = 0; i < ARRAY_SIZE(event_rules); i++) {
		if (!json_text_is(type, event_rules[i].type))
			continue;
		chat->has_begun = true;
		return event_rules[i].read(call, chat, data) ? DIALECT_EVENT_CONTENT : event_rules[i].otherwise;
	}
	if (!type.data && (json_get(data, SLICE("message")).data || json_get(data, SLICE("error")).data))
		error_read(call, data, true);
	return DIALECT_EVENT_QUIET;
}

/* ---- what a stream was ---- */

static void block_put(struct buf *out, const struct item *item)
{
	struct slice name = item->is_thinking ? SLICE("thinking") : SLICE("text");

	json_open(out, '{');
	json_member_text(out, SLICE("type"), name);
	pieces_member_text(out, name, &item->text);
	json_close(out, '}');
}

static void tool_put(struct buf *out, const struct item *item)
{
	json_open(out, '{');
	json_member_raw(out, SLICE("id"), item->id);
	json_member_text(out, SLICE("type"), SLICE("function"));
	json_put_name(out, SLICE("function"));
	json_open(out, '{');
	json_member_raw(out, SLICE("name"), item->name);
	pieces_member_text(out, SLICE("arguments"), &item->text);
	json_close(out, '}');
	json_close(out, '}');
}

static void items_put(struct buf *out, struct slice name, const struct items *items,
		      void (*put)(struct buf *out, const struct item *item))
{
	if (!items->count)
		return;
	json_put_name(out, name);
	json_open(out, '[');
	for (const struct item *item = items->first; item; item = item->next)
		put(out, item);
	json_close(out, ']');
}

static size_t items_size(const struct items *items)
{
	size_t size = 0;

	for (const struct item *item = items->first; item; item = item->next)
		size += item->text.len + item->id.len + item->name.len + 96;
	return size;
}

static struct slice object_of(struct call *call, const struct chat *chat)
{
	size_t guess = chat->plan.len + chat->citations.len + chat->usage.len + 256;
	struct out out;

	out_init(&out, call->arena, guess + items_size(&chat->blocks) + items_size(&chat->tools));
	json_open(&out.buf, '{');
	json_member_raw(&out.buf, SLICE("id"), chat->id);
	json_put_name(&out.buf, SLICE("message"));
	json_open(&out.buf, '{');
	json_member_raw(&out.buf, SLICE("role"), chat->role.data ? chat->role : SLICE("\"assistant\""));
	items_put(&out.buf, SLICE("content"), &chat->blocks, block_put);
	if (chat->plan.len)
		pieces_member_text(&out.buf, SLICE("tool_plan"), &chat->plan);
	items_put(&out.buf, SLICE("tool_calls"), &chat->tools, tool_put);
	if (chat->citations.len)
		pieces_member_list(&out.buf, SLICE("citations"), &chat->citations);
	json_close(&out.buf, '}');
	json_member_raw(&out.buf, SLICE("finish_reason"), chat->finish);
	json_member_raw(&out.buf, SLICE("usage"), chat->usage);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

/* ---- answer ---- */

enum { GOT_ID, GOT_MESSAGE, GOT_REASON, GOT_USAGE, _GOT_MAX };
static const struct slice got_names[_GOT_MAX] = {
	[GOT_ID] = SLICE("id"),
	[GOT_MESSAGE] = SLICE("message"),
	[GOT_REASON] = SLICE("finish_reason"),
	[GOT_USAGE] = SLICE("usage"),
};

static void answer_read(struct call *call, struct slice answer)
{
	struct slice got[_GOT_MAX] = { 0 }, reason;
	struct parts parts;

	PICK(answer, got_names, got);
	call->response_id = call_text(call, got[GOT_ID]);
	cohere_usage_read(call, got[GOT_USAGE]);
	reason = call_text(call, got[GOT_REASON]);
	finish_add(call, reason);
	if (json_type(got[GOT_MESSAGE]) != JSON_OBJECT)
		return;
	parts_init(&parts, call, got[GOT_MESSAGE]);
	message_put(&parts, got[GOT_MESSAGE], true, reason);
	call->output_messages = parts_finish(&parts);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct chat *chat = state;

	call->operation = OPERATION_CHAT;
	if (!call->vendor.len)
		request_open(call, "cohere");
	if (chat->has_begun) {
		call->outputs = object_of(call, chat);
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("Cohere.chat");
}

DIALECT(cohere_chat, {
			     .name = "cohere.chat",
			     .order = 60,
			     .state_size = sizeof(struct chat),
			     .recognise = recognise,
			     .request = request,
			     .event = event,
			     .response = response,
			     .finish = finish,
			     .span_name = span_name,
		     });
