/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unknown: a model call in a format of which we know nothing. Both sides must look the part: a request that names a model
 * and asks it something, and an answer that says something (or fails). Telemetry, settings and lists do neither.
 */
#include "dialect/common.h"

enum { ASKS = KEY_MESSAGES | KEY_PROMPT | KEY_INPUT | KEY_INPUT_ITEMS | KEY_INPUTS | KEY_CONTENTS };

static const struct slice answer_names[] = {
	SLICE("choices"),    SLICE("candidates"), SLICE("content"),        SLICE("message"), SLICE("output"),
	SLICE("outputs"),    SLICE("completion"), SLICE("generated_text"), SLICE("delta"),   SLICE("response"),
	SLICE("generation"), SLICE("usage"),      SLICE("embeddings"),     SLICE("text"),    SLICE("results"),
	SLICE("error"),      SLICE("detail"),
};

static bool is_answer(struct slice body)
{
	struct json_iter first = json_iter(body);

	if (json_type(body) == JSON_ARRAY && json_next(&first))
		body = first.value;
	if (json_type(body) != JSON_OBJECT)
		return false;
	json_foreach_member(member, body)
		for (size_t i = 0; i < ARRAY_SIZE(answer_names); i++)
			if (slice_equal(member.name, answer_names[i]))
				return true;
	return false;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	unsigned keys;

	if (!slice_equal(hint->method, SLICE("POST")) || !hint->response_body.len)
		return 0;
	keys = body_keys(hint->request_body);
	if (!(keys & KEY_MODEL) || !(keys & ASKS) || (keys & KEY_JSONRPC))
		return 0;
	return is_answer(json_trim(hint->response_body)) ? SCORE_LOOKALIKE : 0;
}

struct unknown {
	struct pieces events; /* one per line, in the order they came */
};

static void request(struct call *call, void *state)
{
	call->operation = OPERATION_UNKNOWN;
	request_open(call, "");
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct unknown *unknown = state;
	struct slice data = slice_trim(part->data);

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (unknown->events.len)
		call_lost(call, pieces_add(call->arena, &unknown->events, SLICE("\n")));
	call_lost(call, pieces_add(call->arena, &unknown->events, data));
	if (json_check(data, JSON_DEPTH_MAX) == 0 && json_get(data, SLICE("error")).data && !call->has_error)
		error_read(call, data, true);
	return data.len ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

/* Names that nearly all formats share. */
static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("prompt_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("completion_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
};

static void response(struct call *call, void *state)
{
	struct slice answer, usage;

	if (!answer_open(call, &answer))
		return;
	call->response_id = call_text(call, json_get(answer, SLICE("id")));
	call->response_model = call_text(call, json_get(answer, SLICE("model")));
	usage = json_get(answer, SLICE("usage"));
	if (json_type(usage) != JSON_OBJECT)
		return;
	call->usage_raw = usage;
	usage_read(&call->usage, usage, usage_rules, ARRAY_SIZE(usage_rules));
}

static void finish(struct call *call, void *state)
{
	struct unknown *unknown = state;
	struct out out;

	if (!unknown->events.len)
		return;
	out_init(&out, call->arena, unknown->events.len);
	pieces_put(&unknown->events, &out.buf);
	call->outputs = out_slice(&out);
	call->outputs_is_text = true;
	call_lost(call, call->outputs.data);
}

/* The last part of the path, where it is a word. */
static struct slice span_name(const struct call *call)
{
	struct slice path = call->path;
	size_t from;

	while (path.len && path.data[path.len - 1] == '/')
		path.len--;
	for (from = path.len; from && path.data[from - 1] != '/' && path.data[from - 1] != ':'; from--)
		;
	path = slice_from(path, from);
	for (size_t i = 0; i < path.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.", path.data[i]) || !path.data[i])
			return SLICE("LLM");
	return path.len && path.len <= 64 ? path : SLICE("LLM");
}

DIALECT(unknown, {
			 .name = "unknown",
			 .order = 1000,
			 .state_size = sizeof(struct unknown),
			 .recognise = recognise,
			 .request = request,
			 .event = event,
			 .response = response,
			 .finish = finish,
			 .span_name = span_name,
		 });
