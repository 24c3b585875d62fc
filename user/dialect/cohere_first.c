/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohere.v1.chat and cohere.v1.generate: the first API, still the default of many installed clients. A stream is one
 * object per line; its last holds the whole answer, so the pieces before it are needed only when it never comes.
 */
#include "dialect/cohere.h"
#include "dialect/dialect.h"
#include "dialect/tools.h"

/* ---- recognition ---- */

static bool is_chat_answer(struct slice body)
{
	if (json_text_is(json_get(body, SLICE("event_type")), SLICE("stream-start")))
		return true;
	return json_get(body, SLICE("generation_id")).data && json_get(body, SLICE("text")).data;
}

static bool is_generate_answer(struct slice body)
{
	if (json_type(json_get(body, SLICE("is_finished"))) != JSON_NONE)
		return !json_get(body, SLICE("event_type")).data;
	return json_type(json_get(body, SLICE("generations"))) == JSON_ARRAY;
}

static unsigned chat_recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);

	if (!hint_is_post(hint))
		return 0;
	if (path_ends(hint->path, SLICE("/v1/chat")) && json_type(json_get(body, SLICE("message"))) == JSON_STRING)
		return SCORE_SURE;
	return hint->response_body.len && is_chat_answer(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

/* Anybody may have a /generate: the host is known, or the answer agrees. */
static unsigned generate_recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);

	if (!hint_is_post(hint) || !path_ends(hint->path, SLICE("/generate")) || !json_get(body, SLICE("prompt")).data)
		return 0;
	if (slice_equal(dialect_vendor_find(hint->host, hint->path), SLICE("cohere")))
		return SCORE_SURE;
	return hint->response_body.len && is_generate_answer(json_trim(hint->response_body)) ? SCORE_SURE : 0;
}

/* ---- request ---- */

/* Roles and members of the first API as those of the others. */
static struct slice role_of(struct slice role)
{
	static const struct {
		struct slice theirs, ours;
	} roles[] = {
		{ SLICE("USER"), SLICE("user") },
		{ SLICE("CHATBOT"), SLICE("assistant") },
		{ SLICE("SYSTEM"), SLICE("system") },
		{ SLICE("TOOL"), SLICE("tool") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (slice_equal_nocase(role, roles[i].theirs))
			return roles[i].ours;
	return role;
}

static void tool_calls_put(struct parts *parts, struct slice calls)
{
	if (json_type(calls) != JSON_ARRAY)
		return;
	json_foreach_element(call, calls)
		parts_tool_call(parts, SLICE_NONE, json_get(call.value, SLICE("name")),
				json_get(call.value, SLICE("parameters")));
}

/* Results have no id: they name the call by what it was. */
static void tool_results_put(struct parts *parts, struct slice results)
{
	if (json_type(results) != JSON_ARRAY)
		return;
	json_foreach_element(result, results)
		parts_tool_result(parts, json_path(result.value, "call", "name", NULL),
				  json_get(result.value, SLICE("outputs")));
}

static void history_put(struct parts *parts, struct slice history)
{
	if (json_type(history) != JSON_ARRAY)
		return;
	json_foreach_element(turn, history) {
		struct slice text = json_get(turn.value, SLICE("message"));

		parts_message_open(parts, role_of(json_raw_text(json_get(turn.value, SLICE("role")))));
		if (json_raw_text(text).len)
			parts_text(parts, text);
		tool_calls_put(parts, json_get(turn.value, SLICE("tool_calls")));
		tool_results_put(parts, json_get(turn.value, SLICE("tool_results")));
		parts_message_close(parts, false, SLICE_NONE);
	}
}

enum { ASK_MESSAGE, ASK_HISTORY, ASK_PREAMBLE, ASK_TOOLS, ASK_RESULTS, ASK_CONVERSATION, ASK_FORMAT, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_MESSAGE] = SLICE("message"),        [ASK_HISTORY] = SLICE("chat_history"),
	[ASK_PREAMBLE] = SLICE("preamble"),      [ASK_TOOLS] = SLICE("tools"),
	[ASK_RESULTS] = SLICE("tool_results"),   [ASK_CONVERSATION] = SLICE("conversation_id"),
	[ASK_FORMAT] = SLICE("response_format"),
};

static void tool_put(struct buf *out, struct slice tool)
{
	struct slice parameters = json_get(tool, SLICE("parameter_definitions"));

	tool_open(out, json_get(tool, SLICE("name")), json_get(tool, SLICE("description")));
	if (json_type(parameters) == JSON_OBJECT) {
		json_put_name(out, SLICE("parameters"));
		json_open(out, '{');
		json_member_text(out, SLICE("type"), SLICE("object"));
		json_member_raw(out, SLICE("properties"), parameters);
		json_close(out, '}');
	}
	tool_close(out);
}

static struct slice tools_of(struct call *call, struct slice tools)
{
	struct out out;

	if (json_type(tools) != JSON_ARRAY || json_count(tools) == 0)
		return SLICE_NONE;
	out_init(&out, call->arena, tools.len * 2 + 64);
	json_open(&out.buf, '[');
	json_foreach_element(tool, tools)
		if (json_type(json_get(tool.value, SLICE("name"))) == JSON_STRING)
			tool_put(&out.buf, tool.value);
	json_close(&out.buf, ']');
	return out_slice(&out);
}

static void chat_request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 };
	struct parts parts;

	call->operation = OPERATION_CHAT;
	if (!request_open(call, "cohere"))
		return;
	PICK(json_trim(call->request_body), ask_names, ask);
	call->tools = tools_of(call, ask[ASK_TOOLS]);
	call->output_type = openai_output_type(ask[ASK_FORMAT], SLICE_NONE);
	if (!call->session_id.len)
		call->session_id = call_text(call, ask[ASK_CONVERSATION]);
	system_text_put(call, ask[ASK_PREAMBLE]);
	parts_init(&parts, call, json_trim(call->request_body));
	history_put(&parts, ask[ASK_HISTORY]);
	if (json_raw_text(ask[ASK_MESSAGE]).len)
		parts_text_message(&parts, SLICE("user"), ask[ASK_MESSAGE]);
	if (json_type(ask[ASK_RESULTS]) == JSON_ARRAY) {
		parts_message_open(&parts, SLICE("tool"));
		tool_results_put(&parts, ask[ASK_RESULTS]);
		parts_message_close(&parts, false, SLICE_NONE);
	}
	call->input_messages = parts_finish(&parts);
}

static void generate_request(struct call *call, void *state)
{
	struct slice prompt;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!request_open(call, "cohere"))
		return;
	prompt = json_get(json_trim(call->request_body), SLICE("prompt"));
	call->input_messages = text_message(call, SLICE("user"), prompt);
}

/* ---- lines ---- */

struct first {
	struct pieces text;
	struct slice generation, calls, whole, reason; /* raw JSON */
	bool has_begun;
};

enum { LINE_TYPE, LINE_TEXT, LINE_ID, LINE_CALLS, LINE_RESPONSE, LINE_FINISHED, LINE_REASON, LINE_ERROR, _LINE_MAX };
static const struct slice line_names[_LINE_MAX] = {
	[LINE_TYPE] = SLICE("event_type"),      [LINE_TEXT] = SLICE("text"),
	[LINE_ID] = SLICE("generation_id"),     [LINE_CALLS] = SLICE("tool_calls"),
	[LINE_RESPONSE] = SLICE("response"),    [LINE_FINISHED] = SLICE("is_finished"),
	[LINE_REASON] = SLICE("finish_reason"), [LINE_ERROR] = SLICE("error"),
};

static void end_read(struct call *call, struct first *first, const struct slice *got, struct slice line)
{
	call_lost(call, slice_hold(call->arena, &first->whole, got[LINE_RESPONSE]));
	call_lost(call, slice_hold(call->arena, &first->reason, got[LINE_REASON]));
	if (got[LINE_ERROR].data || slice_starts(json_raw_text(got[LINE_REASON]), SLICE("ERROR")))
		error_read(call, line, true);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice got[_LINE_MAX] = { 0 }, data = slice_trim(part->data);
	struct first *first = state;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	PICK(data, line_names, got);
	if (!got[LINE_TYPE].data && !got[LINE_FINISHED].data) {
		if (json_get(data, SLICE("message")).data)
			error_read(call, data, true);
		return DIALECT_EVENT_QUIET;
	}
	first->has_begun = true;
	call_lost(call, slice_hold(call->arena, &first->generation, got[LINE_ID]));
	if (json_text_is(got[LINE_TYPE], SLICE("tool-calls-generation")))
		call_lost(call, slice_hold(call->arena, &first->calls, got[LINE_CALLS]));
	if (json_is_true(got[LINE_FINISHED])) {
		end_read(call, first, got, data);
		return DIALECT_EVENT_LAST;
	}
	if (got[LINE_TYPE].data && !json_text_is(got[LINE_TYPE], SLICE("text-generation")))
		return slice_starts(json_raw_text(got[LINE_TYPE]), SLICE("tool-calls")) ? DIALECT_EVENT_CONTENT
											: DIALECT_EVENT_QUIET;
	return text_gather(call, &first->text, got[LINE_TEXT]) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

/* What is known of an answer whose end did not come. */
static struct slice object_of(struct call *call, const struct first *first, bool is_chat)
{
	struct out out;

	if (first->whole.data)
		return first->whole;
	out_init(&out, call->arena, first->text.len + first->calls.len + first->generation.len + 160);
	json_open(&out.buf, '{');
	if (is_chat) {
		pieces_member_text(&out.buf, SLICE("text"), &first->text);
		json_member_raw(&out.buf, SLICE("generation_id"), first->generation);
		json_member_raw(&out.buf, SLICE("tool_calls"), first->calls);
		json_member_raw(&out.buf, SLICE("finish_reason"), first->reason);
	} else {
		json_put_name(&out.buf, SLICE("generations"));
		json_open(&out.buf, '[');
		json_open(&out.buf, '{');
		pieces_member_text(&out.buf, SLICE("text"), &first->text);
		json_member_raw(&out.buf, SLICE("finish_reason"), first->reason);
		json_close(&out.buf, '}');
		json_close(&out.buf, ']');
	}
	json_close(&out.buf, '}');
	return out_slice(&out);
}

/* ---- answer ---- */

static const struct slice id_names[] = { SLICE("response_id"), SLICE("generation_id"), SLICE("id") };

static void chat_answer(struct call *call, struct slice answer, struct slice reason)
{
	struct slice calls = json_get(answer, SLICE("tool_calls")), text = json_get(answer, SLICE("text"));
	struct slice own = call_text(call, json_get(answer, SLICE("finish_reason")));
	struct parts parts;

	reason = own.len ? own : reason;
	finish_add(call, reason);
	parts_init(&parts, call, text);
	parts_message_open(&parts, SLICE("assistant"));
	if (json_raw_text(text).len)
		parts_text(&parts, text);
	tool_calls_put(&parts, calls);
	parts_message_close(&parts, true, reason);
	call->output_messages = parts_finish(&parts);
}

static void generate_answer(struct call *call, struct slice answer, struct slice reason)
{
	struct slice list = json_get(answer, SLICE("generations"));
	struct parts parts;

	if (json_type(list) != JSON_ARRAY)
		return;
	parts_init(&parts, call, list);
	json_foreach_element(item, list) {
		struct slice own = call_text(call, json_get(item.value, SLICE("finish_reason")));

		own = own.len ? own : reason;
		finish_add(call, own);
		parts_message_open(&parts, SLICE("assistant"));
		parts_text(&parts, json_get(item.value, SLICE("text")));
		parts_message_close(&parts, true, own);
	}
	call->output_messages = parts_finish(&parts);
}

static void answer_read(struct call *call, struct slice answer, struct slice reason, bool is_chat)
{
	call->response_id = cohere_first_text(call, answer, id_names, ARRAY_SIZE(id_names));
	cohere_usage_read(call, json_get(answer, SLICE("meta")));
	(is_chat ? chat_answer : generate_answer)(call, answer, reason);
}

static void chat_response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer, SLICE_NONE, true);
}

static void generate_response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer, SLICE_NONE, false);
}

static void finish(struct call *call, const struct first *first, bool is_chat)
{
	if (!call->vendor.len)
		request_open(call, "cohere");
	if (first->has_begun) {
		call->outputs = object_of(call, first, is_chat);
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs, call_text(call, first->reason), is_chat);
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
	return SLICE("Cohere.chat");
}

static struct slice generate_span_name(const struct call *call)
{
	return SLICE("Cohere.generate");
}

DIALECT(cohere_first_chat, {
				   .name = "cohere.v1.chat",
				   .order = 61,
				   .state_size = sizeof(struct first),
				   .recognise = chat_recognise,
				   .request = chat_request,
				   .event = event,
				   .response = chat_response,
				   .finish = chat_finish,
				   .span_name = chat_span_name,
			   });

DIALECT(cohere_first_generate, {
				       .name = "cohere.v1.generate",
				       .order = 62,
				       .state_size = sizeof(struct first),
				       .recognise = generate_recognise,
				       .request = generate_request,
				       .event = event,
				       .response = generate_response,
				       .finish = generate_finish,
				       .span_name = generate_span_name,
			       });
