/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps that every exchange takes, whatever its dialect. Nothing here trusts a body: it is checked once as a whole
 * (json_check) before anything of it is passed on as JSON, and read as far as it goes when it is cut.
 */
#include "dialect/common.h"
#include "dialect/vendors.h"

void pick_members(struct slice object, const struct slice *names, struct slice *values, size_t count)
{
	if (json_type(object) != JSON_OBJECT)
		return;
	json_foreach_member(member, object) {
		for (size_t i = 0; i < count; i++) {
			if (!slice_equal(member.name, names[i]))
				continue;
			if (json_type(member.value) != JSON_NULL)
				values[i] = member.value;
			break;
		}
	}
}

struct slice call_text(struct call *call, struct slice value)
{
	return json_type(value) == JSON_STRING ? json_text(call->arena, value) : SLICE_NONE;
}

struct slice call_copy(struct call *call, struct slice value)
{
	struct slice text;

	switch (json_type(value)) {
	case JSON_STRING:
		text = json_text(call->arena, value);
		break;
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
		text = json_trim(value);
		break;
	default:
		return SLICE_NONE;
	}
	return text.len ? arena_dup(call->arena, text) : SLICE_NONE;
}

void call_put_strings(struct call *call, const char *name, struct slice list)
{
	size_t max = json_type(list) == JSON_ARRAY ? json_count(list) : 0, count = 0;
	struct slice *texts = max ? arena_alloc(call->arena, max * sizeof(*texts)) : NULL;

	call_lost(call, !max || texts);
	if (!texts)
		return;
	json_foreach_element(item, list) {
		if (count == max || json_type(item.value) != JSON_STRING)
			continue;
		texts[count] = json_text(call->arena, item.value);
		call_lost(call, texts[count].data);
		count += texts[count].data != NULL;
	}
	call_put_texts(call, name, texts, count);
}

void usage_read(struct usage *usage, struct slice object, const struct usage_rule *rules, size_t count)
{
	if (json_type(object) != JSON_OBJECT)
		return;
	for (size_t i = 0; i < count; i++) {
		struct slice inner = rules[i].object.len ? json_get(object, rules[i].object) : object;
		int64_t tokens;

		if (json_int(json_get(inner, rules[i].name), &tokens) == 0 && tokens >= 0)
			*(int64_t *)((char *)usage + rules[i].field) = tokens;
	}
}

void usage_sum(struct usage *usage)
{
	if (usage->input >= 0 && usage->output >= 0)
		usage->total = usage->input + usage->output;
}

int64_t answer_header_count(const struct call *call, struct slice name)
{
	struct slice text = call_header(call->response_headers, call->response_header_count, name);
	int64_t count;

	return json_int(text, &count) == 0 && count >= 0 ? count : -1;
}

void finish_add(struct call *call, struct slice reason)
{
	if (reason.len && call->finish_count < CALL_FINISH_MAX)
		call->finish_reasons[call->finish_count++] = reason;
}

/* ---- who asks, and in which conversation ---- */

/* Headers that name a session, the most telling first. */
static const struct slice session_headers[] = {
	SLICE("x-claude-code-session-id"),
	SLICE("session-id"),
	SLICE("session_id"),
	SLICE("x-session-id"),
	SLICE("x-opencode-session"),
	SLICE("x-session-affinity"),
	SLICE("x-qwen-code-session-id"),
	SLICE("x-grok-conv-id"),
	SLICE("helicone-session-id"),
	SLICE("x-litellm-session-id"),
	SLICE("thread-id"),
};

/* Which agent of a session asks, and whose child it is. Only sub-agents say it. */
static const struct {
	struct slice header;
	const char *attribute;
} agent_headers[] = {
	{ SLICE("x-claude-code-agent-id"), "gen_ai.agent.id" },
	{ SLICE("x-claude-code-parent-agent-id"), "spantap.agent.parent_id" },
	{ SLICE("x-openai-subagent"), "gen_ai.agent.name" },
	{ SLICE("x-codex-parent-thread-id"), "spantap.agent.parent_id" },
};

static void agent_read(struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(agent_headers); i++)
		call_put_text(call, agent_headers[i].attribute,
			      call_header(call->request_headers, call->request_header_count, agent_headers[i].header));
}

enum { ASK_MODEL, ASK_USER, ASK_METADATA, ASK_CLIENT_METADATA, ASK_CONVERSATION, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_MODEL] = SLICE("model"),
	[ASK_USER] = SLICE("user"),
	[ASK_METADATA] = SLICE("metadata"),
	[ASK_CLIENT_METADATA] = SLICE("client_metadata"),
	[ASK_CONVERSATION] = SLICE("conversation"),
};

/* Claude Code writes user and session into one field: "user_…_session_<id>", or JSON text with both. */
static void metadata_user_read(struct call *call, struct slice user)
{
	static const struct slice mark = SLICE("_session_");
	ptrdiff_t at = slice_find(user, mark);

	if (json_type(user) == JSON_OBJECT) {
		struct slice account = call_text(call, json_get(user, SLICE("account_uuid")));

		if (!call->session_id.len)
			call->session_id = call_text(call, json_get(user, SLICE("session_id")));
		user = account.len ? account : call_text(call, json_get(user, SLICE("device_id")));
	} else if (at > 0 && slice_starts(user, SLICE("user_"))) {
		if (!call->session_id.len)
			call->session_id = slice_from(user, (size_t)at + mark.len);
		user = slice_head(user, (size_t)at);
	}
	if (!call->user_id.len)
		call->user_id = user;
}

static void session_read(struct call *call, const struct slice *ask)
{
	struct slice conversation = json_type(ask[ASK_CONVERSATION]) == JSON_OBJECT
					    ? json_get(ask[ASK_CONVERSATION], SLICE("id"))
					    : ask[ASK_CONVERSATION];
	struct slice places[] = {
		json_get(ask[ASK_METADATA], SLICE("session_id")),
		json_get(ask[ASK_CLIENT_METADATA], SLICE("session_id")),
		conversation,
	};

	for (size_t i = 0; i < ARRAY_SIZE(session_headers) && !call->session_id.len; i++)
		call->session_id = call_header(call->request_headers, call->request_header_count, session_headers[i]);
	for (size_t i = 0; i < ARRAY_SIZE(places) && !call->session_id.len; i++)
		call->session_id = call_text(call, places[i]);
	call->user_id = call_text(call, ask[ASK_USER]);
	metadata_user_read(call, call_text(call, json_get(ask[ASK_METADATA], SLICE("user_id"))));
	if (!call->user_id.len)
		call->user_id =
			call_header(call->request_headers, call->request_header_count, SLICE("helicone-user-id"));
}

/* The members of a body that may end in its middle: the last value is then no value. */
static void ask_read(struct slice body, bool is_whole, struct slice *ask)
{
	const char *end = body.data + body.len;

	json_foreach_member(member, body) {
		if (!is_whole && member.value.data + member.value.len == end)
			return;
		for (size_t i = 0; i < _ASK_MAX; i++)
			if (slice_equal(member.name, ask_names[i]) && json_type(member.value) != JSON_NULL)
				ask[i] = member.value;
	}
}

bool request_open(struct call *call, const char *vendor)
{
	struct slice body = json_trim(call->request_body);
	bool is_json = json_type(body) == JSON_OBJECT;
	bool is_whole = is_json && json_check(body, JSON_DEPTH_MAX) == 0;
	struct slice ask[_ASK_MAX] = { 0 };

	if (is_json)
		ask_read(body, is_whole, ask);
	call->inputs = body;
	call->vendor = vendor_of(call, vendor);
	call->request_model = call_text(call, ask[ASK_MODEL]);
	session_read(call, ask);
	agent_read(call);
	return is_whole;
}

/* ---- answers ---- */

enum { ERR_ERROR, ERR_TYPE, ERR_CODE, ERR_MESSAGE, ERR_DETAIL, ERR_STATUS, ERR_ERROR_TYPE, _ERR_MAX };
static const struct slice error_names[_ERR_MAX] = {
	[ERR_ERROR] = SLICE("error"),           [ERR_TYPE] = SLICE("type"),     [ERR_CODE] = SLICE("code"),
	[ERR_MESSAGE] = SLICE("message"),       [ERR_DETAIL] = SLICE("detail"), [ERR_STATUS] = SLICE("status"),
	[ERR_ERROR_TYPE] = SLICE("error_type"),
};

/* One table of shapes: {error:{type,code,message}}, {error:"text",error_type}, {type,code,message}, {detail}. */
void error_read(struct call *call, struct slice body, bool in_band)
{
	struct slice got[_ERR_MAX] = { 0 }, message;
	struct json_iter first;

	call->has_error = true;
	call->error.in_band = in_band;
	body = json_trim(body);
	call->error.raw = in_band ? arena_dup(call->arena, body) : body; /* an event dies */
	if (json_check(body, JSON_DEPTH_MAX) != 0)
		return;
	first = json_iter(body);
	if (json_type(body) == JSON_ARRAY && json_next(&first))
		body = first.value;
	PICK(body, error_names, got);
	if (json_type(got[ERR_ERROR]) == JSON_OBJECT) {
		struct slice inner = got[ERR_ERROR];

		memset(got, 0, sizeof(got));
		PICK(inner, error_names, got);
	} else if (json_text_is(got[ERR_TYPE], SLICE("error"))) {
		got[ERR_TYPE] = SLICE_NONE; /* an event's own name */
	}
	message = got[ERR_MESSAGE].data ? got[ERR_MESSAGE] : got[ERR_ERROR].data ? got[ERR_ERROR] : got[ERR_DETAIL];
	call->error.type = call_copy(call, got[ERR_TYPE].data                          ? got[ERR_TYPE]
					   : got[ERR_ERROR_TYPE].data                  ? got[ERR_ERROR_TYPE]
					   : json_type(got[ERR_STATUS]) == JSON_STRING ? got[ERR_STATUS]
										       : SLICE_NONE);
	call->error.code = call_copy(call, got[ERR_CODE]);
	call->error.message =
		json_type(message) == JSON_STRING ? call_copy(call, message) : arena_dup(call->arena, message);
}

bool answer_open(struct call *call, struct slice *ret)
{
	struct slice body = json_trim(call->response_body);
	bool is_json = json_check(body, JSON_DEPTH_MAX) == 0;

	if (call->status >= 400) {
		error_read(call, body, false);
		return false;
	}
	call->outputs = body;
	if (!is_json) {
		call->outputs_is_text = true;
		/* A peer that left early is told by the call's end; a whole body that is no JSON is our own limit. */
		call_lost(call, !body.len || call->response_end.how != MESSAGE_END_FRAMED);
		return false;
	}
	if (json_type(body) != JSON_OBJECT)
		return false;
	if (json_get(body, SLICE("error")).data && !json_get(body, SLICE("id")).data)
		error_read(call, body, true);
	*ret = body;
	return true;
}

enum dialect_event no_event(struct call *call, void *state, const struct message_part *part)
{
	return DIALECT_EVENT_QUIET;
}

void no_step(struct call *call, void *state)
{
}

bool event_open(struct call *call, const struct message_part *part)
{
	if (!slice_trim(part->data).len)
		return false;
	if (json_check(part->data, JSON_DEPTH_MAX) == 0 && json_type(part->data) == JSON_OBJECT)
		return true;
	call->is_undecodable = true;
	return false;
}
