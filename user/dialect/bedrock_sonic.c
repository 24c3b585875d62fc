/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock.sonic: InvokeModelWithBidirectionalStream, a spoken conversation over one exchange of HTTP/2 in which both sides
 * send messages {"event":{NAME:{…}}} (proto/frame_aws.h). The provider's own unit is the completion, whose id all that
 * belongs to it bears: each is a turn. What was heard of the user comes back as text; what the model says is told as it
 * means to say it (SPECULATIVE) and, where it was said, once more (FINAL). Usage is told by its growth.
 *
 *	client	sessionStart promptStart contentStart textInput contentEnd … audioInput …      promptEnd sessionEnd
 *	server	                    completionStart contentStart textOutput contentEnd usageEvent … completionEnd
 */
#include "dialect/bedrock.h"
#include "dialect/sound.h"
#include "dialect/tools.h"

enum { BLOCKS_MAX = 4096 };

static const struct slice the_path = SLICE("/invoke-with-bidirectional-stream");

/* The event's value; its name as it is written. */
static struct slice event_of(struct slice data, struct slice *ret_name)
{
	struct json_iter iter = json_iter(json_get(json_trim(data), SLICE("event")));
	bool is_there = json_next(&iter);

	*ret_name = is_there ? iter.name : SLICE_NONE;
	return is_there ? iter.value : SLICE_NONE;
}

/* ---- the session ---- */

static const struct session_rule {
	struct slice name;
	enum message_kind kind;
	struct session_step step; /* but its key */
} session_rules[] = {
	{ SLICE("sessionStart"), MESSAGE_REQUEST, { .is = SESSION_CONTEXT, .key = SLICE("sessionStart") } },
	{ SLICE("promptStart"), MESSAGE_REQUEST, { .is = SESSION_CONTEXT, .key = SLICE("promptStart") } },
	{ SLICE("contentStart"), MESSAGE_REQUEST, { .is = SESSION_EVENT, .or_input = true } },
	{ SLICE("textInput"), MESSAGE_REQUEST, { .is = SESSION_EVENT, .or_input = true } },
	{ SLICE("audioInput"), MESSAGE_REQUEST, { .is = SESSION_EVENT, .or_input = true } },
	{ SLICE("toolResult"), MESSAGE_REQUEST, { .is = SESSION_EVENT, .or_input = true } },
	{ SLICE("contentEnd"), MESSAGE_REQUEST, { .is = SESSION_EVENT, .or_input = true } },
	{ SLICE("promptEnd"), MESSAGE_REQUEST, { .is = SESSION_EVENT } },
	{ SLICE("sessionEnd"), MESSAGE_REQUEST, { .is = SESSION_EVENT } },
	{ SLICE("completionStart"), MESSAGE_RESPONSE, { .is = SESSION_EVENT, .opens = true } },
	{ SLICE("completionEnd"), MESSAGE_RESPONSE, { .is = SESSION_END } },
	{ SLICE("contentStart"), MESSAGE_RESPONSE, { .is = SESSION_EVENT } },
	{ SLICE("textOutput"), MESSAGE_RESPONSE, { .is = SESSION_EVENT } },
	{ SLICE("audioOutput"), MESSAGE_RESPONSE, { .is = SESSION_EVENT } },
	{ SLICE("toolUse"), MESSAGE_RESPONSE, { .is = SESSION_EVENT } },
	{ SLICE("contentEnd"), MESSAGE_RESPONSE, { .is = SESSION_EVENT } },
	/* One may come before the completion that it counts for. */
	{ SLICE("usageEvent"), MESSAGE_RESPONSE, { .is = SESSION_EVENT, .or_input = true } },
};

static void step(enum message_kind kind, const struct message_part *part, struct session_step *ret)
{
	struct slice name, value = event_of(part->data, &name);

	if (slice_starts(part->type, SLICE("exception:"))) {
		*ret = (struct session_step){ .is = SESSION_END, .opens = true };
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(session_rules); i++)
		if (session_rules[i].kind == kind && slice_equal(session_rules[i].name, name))
			*ret = session_rules[i].step;
	if (kind == MESSAGE_RESPONSE)
		ret->key = json_raw_text(json_get(value, SLICE("completionId")));
	else if (slice_equal(name, SLICE("audioInput")))
		ret->sound_bytes = sound_bytes(json_get(value, SLICE("content")));
}

static const struct dialect_session session = { .is_list = true, .step = step };

static unsigned recognise(const struct dialect_hint *hint)
{
	if (!hint_is_post(hint) || !path_ends(hint->path, the_path))
		return 0;
	return slice_equal(hint->protocol, SLICE("eventstream")) ? SCORE_SURE : SCORE_PATH;
}

/* ---- request ---- */

struct block {
	struct block *next;
	struct slice id, role; /* role: raw JSON */
	bool is_plan;
	struct pieces text;
};

struct sonic {
	struct block *first, *last;
	size_t count;
	struct pieces calls; /* elements: the values of toolUse */
	struct slice reason, usage;
	uint64_t sound;
	bool has_begun;
};

static struct slice role_of(struct slice raw)
{
	static const struct {
		struct slice theirs, ours;
	} roles[] = {
		{ SLICE("USER"), SLICE("user") },
		{ SLICE("ASSISTANT"), SLICE("assistant") },
		{ SLICE("SYSTEM"), SLICE("system") },
		{ SLICE("TOOL"), SLICE("tool") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (json_text_is(raw, roles[i].theirs))
			return roles[i].ours;
	return SLICE("user");
}

static void tools_read(struct call *call, struct slice tools)
{
	struct out out;

	if (!json_count(tools))
		return;
	tools_open(&out, call, tools);
	json_foreach_element(tool, tools) {
		struct slice spec = json_get(tool.value, SLICE("toolSpec"));
		struct slice schema = json_path(spec, "inputSchema", "json", NULL);

		/* The schema is JSON, or a text that holds it. */
		if (json_type(schema) == JSON_STRING)
			schema = call_text(call, schema);
		tool_open(&out.buf, json_get(spec, SLICE("name")), json_get(spec, SLICE("description")));
		json_member_raw(&out.buf, SLICE("parameters"),
				json_check(schema, JSON_DEPTH_MAX) == 0 ? json_trim(schema) : SLICE_NONE);
		tool_close(&out.buf);
	}
	call->tools = tools_close(&out);
}

static bool is_list(const struct call *call)
{
	return json_type(call->inputs) == JSON_ARRAY && json_check(call->inputs, JSON_DEPTH_MAX) == 0;
}

static void request(struct call *call, void *state)
{
	aws_request_open(call, "aws.bedrock", SLICE("/model/"));
	call->operation = OPERATION_CHAT;
	if (!is_list(call))
		return;
	json_foreach_element(message, call->inputs) {
		struct slice name, value = event_of(message.value, &name);

		if (!slice_equal(name, SLICE("promptStart")))
			continue;
		tools_read(call, json_path(value, "toolConfiguration", "tools", NULL));
		if (json_get(value, SLICE("audioOutputConfiguration")).data)
			call->output_type = SLICE("speech");
	}
}

/* What was typed, in the role that its content was opened with; results of tools; how much was spoken. */
static void typed_put(struct parts *parts, struct slice list, bool of_system)
{
	struct slice role = SLICE("user"), tool = SLICE_NONE;

	json_foreach_element(message, list) {
		struct slice name, value = event_of(message.value, &name);
		struct slice sound = json_get(message.value, SLICE("sound_bytes"));
		struct slice content = json_get(value, SLICE("content"));
		bool is_wanted = slice_equal(role, SLICE("system")) == of_system;

		if (slice_equal(name, SLICE("contentStart"))) {
			role = role_of(json_get(value, SLICE("role")));
			tool = json_path(value, "toolResultInputConfiguration", "toolUseId", NULL);
		} else if (slice_equal(name, SLICE("textInput")) && is_wanted && of_system) {
			parts_text(parts, content);
		} else if (slice_equal(name, SLICE("textInput")) && is_wanted) {
			parts_text_message(parts, role, content);
		} else if (slice_equal(name, SLICE("toolResult")) && !of_system) {
			parts_message_open(parts, SLICE("tool"));
			parts_tool_result(parts, tool, content);
			parts_message_close(parts, false, SLICE_NONE);
		} else if (json_type(sound) == JSON_NUMBER && !of_system) {
			sound_message(parts, "audio", sound);
		}
	}
}

static void input_read(struct call *call, const struct sonic *sonic)
{
	struct slice list = is_list(call) ? call->inputs : SLICE_NONE;
	struct parts parts;

	parts_init(&parts, call, list);
	typed_put(&parts, list, true);
	call->system_instructions = parts_finish(&parts);
	parts_init(&parts, call, list);
	typed_put(&parts, list, false);
	for (const struct block *block = sonic->first; block; block = block->next)
		if (slice_equal(role_of(block->role), SLICE("user")) && block->text.len)
			parts_text_message(&parts, SLICE("user"), pieces_quoted(call->arena, &block->text));
	call->input_messages = parts_finish(&parts);
}

/* ---- answer ---- */

static struct block *block_of(struct call *call, struct sonic *sonic, struct slice value)
{
	struct slice id = json_raw_text(json_get(value, SLICE("contentId")));
	struct block *block = sonic->last;

	if (block && slice_equal(block->id, id))
		return block;
	block = sonic->count < BLOCKS_MAX ? arena_new_of(call->arena, struct block) : NULL;
	call_lost(call, block);
	if (!block)
		return NULL;
	block->id = arena_dup(call->arena, id);
	block->role = arena_dup(call->arena, json_get(value, SLICE("role")));
	*(sonic->last ? &sonic->last->next : &sonic->first) = block;
	sonic->last = block;
	sonic->count++;
	return block;
}

static enum dialect_event block_start(struct call *call, struct sonic *sonic, struct slice value)
{
	struct slice fields = json_raw_text(json_get(value, SLICE("additionalModelFields")));
	bool is_text = json_text_is(json_get(value, SLICE("type")), SLICE("TEXT"));
	struct block *block = is_text ? block_of(call, sonic, value) : NULL;

	if (block)
		block->is_plan = slice_contains(fields, SLICE("SPECULATIVE"));
	return DIALECT_EVENT_QUIET;
}

static enum dialect_event text_take(struct call *call, struct sonic *sonic, struct slice value)
{
	struct block *block = block_of(call, sonic, value);
	bool is_heard = block && slice_equal(role_of(block->role), SLICE("user"));
	bool has_text = block && text_gather(call, &block->text, json_get(value, SLICE("content")));

	return has_text && !is_heard ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static enum dialect_event sound_take(struct call *call, struct sonic *sonic, struct slice value)
{
	sonic->sound += sound_bytes(json_get(value, SLICE("content")));
	return DIALECT_EVENT_CONTENT;
}

static enum dialect_event tool_take(struct call *call, struct sonic *sonic, struct slice value)
{
	elements_gather(call, &sonic->calls, value);
	return DIALECT_EVENT_CONTENT;
}

static enum dialect_event reason_take(struct call *call, struct sonic *sonic, struct slice value)
{
	call_lost(call, slice_hold(call->arena, &sonic->reason, json_get(value, SLICE("stopReason"))));
	return DIALECT_EVENT_QUIET;
}

static void tokens_add(int64_t *sum, struct slice value)
{
	int64_t count;

	if (json_int(value, &count) == 0 && count >= 0)
		*sum = MAX(*sum, 0) + count;
}

static void usage_add(struct call *call, struct slice event)
{
	struct slice delta = json_path(event, "details", "delta", NULL);
	struct slice input = json_get(delta, SLICE("input")), output = json_get(delta, SLICE("output"));
	struct usage *usage = &call->usage;

	tokens_add(&usage->input, json_get(input, SLICE("speechTokens")));
	tokens_add(&usage->input, json_get(input, SLICE("textTokens")));
	tokens_add(&usage->input_audio, json_get(input, SLICE("speechTokens")));
	tokens_add(&usage->output, json_get(output, SLICE("speechTokens")));
	tokens_add(&usage->output, json_get(output, SLICE("textTokens")));
	tokens_add(&usage->output_audio, json_get(output, SLICE("speechTokens")));
}

static enum dialect_event usage_take(struct call *call, struct sonic *sonic, struct slice value)
{
	usage_add(call, value);
	call_lost(call, slice_hold(call->arena, &sonic->usage, value));
	return DIALECT_EVENT_QUIET;
}

static enum dialect_event completion_start(struct call *call, struct sonic *sonic, struct slice value)
{
	call->response_id = call_copy(call, json_get(value, SLICE("completionId")));
	return DIALECT_EVENT_QUIET;
}

static enum dialect_event completion_end(struct call *call, struct sonic *sonic, struct slice value)
{
	reason_take(call, sonic, value);
	return DIALECT_EVENT_LAST;
}

static const struct {
	struct slice name;
	enum dialect_event (*take)(struct call *call, struct sonic *sonic, struct slice value);
} takers[] = {
	{ SLICE("completionStart"), completion_start },
	{ SLICE("contentStart"), block_start },
	{ SLICE("textOutput"), text_take },
	{ SLICE("audioOutput"), sound_take },
	{ SLICE("toolUse"), tool_take },
	{ SLICE("contentEnd"), reason_take },
	{ SLICE("usageEvent"), usage_take },
	{ SLICE("completionEnd"), completion_end },
};

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct sonic *sonic = state;
	struct slice name, value;

	if (!aws_event_open(call, part))
		return DIALECT_EVENT_QUIET;
	sonic->has_begun = true;
	value = event_of(part->data, &name);
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++)
		if (slice_equal(takers[i].name, name))
			return takers[i].take(call, sonic, value);
	return DIALECT_EVENT_QUIET;
}

/* No stream came of it. */
static void response(struct call *call, void *state)
{
	struct slice answer;

	aws_answer_open(call, &answer);
}

/* ---- end ---- */

static void put_block(struct call *call, struct buf *out, const struct block *block)
{
	if (!block->text.len)
		return;
	json_open(out, '{');
	json_member_raw(out, SLICE("role"), block->role);
	if (block->is_plan)
		json_member_text(out, SLICE("generationStage"), SLICE("SPECULATIVE"));
	json_member_raw(out, SLICE("text"), pieces_quoted(call->arena, &block->text));
	json_close(out, '}');
}

static struct slice outputs_make(struct call *call, const struct sonic *sonic)
{
	size_t size = 512 + sonic->calls.len + sonic->usage.len;
	struct out out;

	for (const struct block *block = sonic->first; block; block = block->next)
		size += block->text.len + 96;
	out_init(&out, call->arena, size);
	json_open(&out.buf, '{');
	json_put_name(&out.buf, SLICE("content"));
	json_open(&out.buf, '[');
	for (const struct block *block = sonic->first; block; block = block->next)
		put_block(call, &out.buf, block);
	json_close(&out.buf, ']');
	if (sonic->calls.len)
		pieces_member_list(&out.buf, SLICE("toolUse"), &sonic->calls);
	if (sonic->sound)
		json_member_int(&out.buf, SLICE("audio_bytes"), (int64_t)sonic->sound);
	json_member_raw(&out.buf, SLICE("stopReason"), sonic->reason);
	json_member_raw(&out.buf, SLICE("usage"), sonic->usage);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

/* What was said; where nothing of it was told, what was meant to be said. */
static void said_put(struct call *call, struct parts *parts, const struct sonic *sonic)
{
	bool has_said = false;

	for (const struct block *block = sonic->first; block; block = block->next)
		has_said |= !block->is_plan && block->text.len && slice_equal(role_of(block->role), SLICE("assistant"));
	for (const struct block *block = sonic->first; block; block = block->next)
		if (block->text.len && block->is_plan != has_said &&
		    slice_equal(role_of(block->role), SLICE("assistant")))
			parts_text(parts, pieces_quoted(call->arena, &block->text));
}

static void output_read(struct call *call, const struct sonic *sonic)
{
	struct slice reason = call_text(call, sonic->reason);
	struct parts parts;

	finish_add(call, reason);
	parts_init(&parts, call, call->outputs);
	parts_message_open(&parts, SLICE("assistant"));
	said_put(call, &parts, sonic);
	json_foreach_element(used, json_get(call->outputs, SLICE("toolUse")))
		parts_tool_call(&parts, json_get(used.value, SLICE("toolUseId")),
				json_get(used.value, SLICE("toolName")), json_get(used.value, SLICE("content")));
	parts_message_close(&parts, true, sonic->calls.len ? SLICE("tool_use") : reason);
	call->output_messages = parts_finish(&parts);
}

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("totalInputTokens"), offsetof(struct usage, input) },
	{ {}, SLICE("totalOutputTokens"), offsetof(struct usage, output) },
};

static void usage_finish(struct call *call, const struct sonic *sonic)
{
	if (is_list(call))
		json_foreach_element(message, call->inputs) {
			struct slice name, value = event_of(message.value, &name);

			if (slice_equal(name, SLICE("usageEvent")))
				usage_add(call, value);
		}
	/* Sums of the whole session, where nobody told the growth. */
	if (call->usage.input < 0 && call->usage.output < 0)
		usage_read(&call->usage, sonic->usage, usage_rules, ARRAY_SIZE(usage_rules));
	usage_sum(&call->usage);
	call->usage_raw = sonic->usage;
}

static void finish(struct call *call, void *state)
{
	const struct sonic *sonic = state;

	input_read(call, sonic);
	if (sonic->has_begun) {
		call->outputs = outputs_make(call, sonic);
		call_lost(call, call->outputs.data);
		usage_finish(call, sonic);
		output_read(call, sonic);
	}
	call->chat_messages = chat_messages_from_parts(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("BedrockRuntime.invoke_model_with_bidirectional_stream");
}

DIALECT(bedrock_sonic, {
			       .name = "bedrock.sonic",
			       .order = 62,
			       .state_size = sizeof(struct sonic),
			       .session = &session,
			       .recognise = recognise,
			       .request = request,
			       .event = event,
			       .response = response,
			       .finish = finish,
			       .span_name = span_name,
		       });
