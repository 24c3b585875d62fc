/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks of chat.completion.chunk and text_completion, gathered by choice. A table says what each member of a delta is:
 * text grows, lists grow, the rest is kept as it came last. At the end the object is written that the same answer would
 * have been in one piece, so whoever reads answers reads streams as well.
 *
 * Hosts differ: ids may come as "", a tool call without its index, twice with one index, or with its name in each delta.
 */
#include "dialect/openai_stream.h"

/* ---- small gatherers; each returns whether there was content in it ---- */

/* The elements of an array, or one object, behind those that are there. */
static bool add_items(struct call *call, struct pieces *pieces, struct slice value)
{
	struct slice inside = json_trim(value);

	if (json_type(inside) == JSON_ARRAY)
		inside = json_trim((struct slice){ inside.data + 1, inside.len - 2 });
	if (!inside.len)
		return false;
	elements_gather(call, pieces, inside);
	return true;
}

static void hold(struct call *call, struct slice *held, struct slice value)
{
	if (value.data && !slice_equal(value, SLICE("\"\""))) /* an empty string is a placeholder */
		call_lost(call, slice_hold(call->arena, held, value));
}

static void hold_first(struct call *call, struct slice *held, struct slice value)
{
	if (!held->data && !slice_equal(value, SLICE("0")))
		hold(call, held, value);
}

/* ---- tool calls ---- */

enum { TOOL_INDEX, TOOL_ID, TOOL_TYPE, TOOL_FUNCTION, TOOL_CUSTOM, TOOL_EXTRA, _TOOL_MAX };
static const struct slice tool_names[_TOOL_MAX] = {
	[TOOL_INDEX] = SLICE("index"),       [TOOL_ID] = SLICE("id"),         [TOOL_TYPE] = SLICE("type"),
	[TOOL_FUNCTION] = SLICE("function"), [TOOL_CUSTOM] = SLICE("custom"), [TOOL_EXTRA] = SLICE("extra_content"),
};

static struct openai_tool *tool_new(struct call *call, struct openai_choice *choice, int64_t index)
{
	struct openai_tool *tool =
		choice->tool_count < TOOLS_MAX ? arena_new_of(call->arena, struct openai_tool) : NULL;

	call_lost(call, tool);
	if (!tool)
		return NULL;
	tool->index = index;
	*(choice->last_tool ? &choice->last_tool->next : &choice->tools) = tool;
	choice->last_tool = tool;
	choice->tool_count++;
	return tool;
}

/* Newest of this index; a delta without one goes on with the last. */
static struct openai_tool *tool_of_index(struct openai_choice *choice, bool has_index, int64_t index)
{
	struct openai_tool *found = NULL;

	if (!has_index || (choice->last_tool && choice->last_tool->index == index))
		return choice->last_tool;
	for (struct openai_tool *tool = choice->tools; tool; tool = tool->next)
		if (tool->index == index)
			found = tool;
	return found;
}

/* A new id begins a new call where no index tells, or where a finished call's index is used again. Some servers invent
 * an id for each delta: without a name such a delta is a continuation. */
static bool tool_begins(const struct openai_tool *tool, bool has_index, struct slice id, struct slice name)
{
	bool is_new_id = json_raw_text(id).len && tool->id.data && !slice_equal(id, tool->id);

	if (!is_new_id)
		return false;
	return !has_index || (json_raw_text(name).len && tool->arguments.len);
}

static bool add_tool(struct call *call, struct openai_choice *choice, struct slice value)
{
	struct slice got[_TOOL_MAX] = { 0 }, body, name, arguments;
	struct openai_tool *tool;
	int64_t index = 0;
	bool has_index;

	PICK(value, tool_names, got);
	has_index = json_int(got[TOOL_INDEX], &index) == 0;
	body = got[TOOL_CUSTOM].data ? got[TOOL_CUSTOM] : got[TOOL_FUNCTION];
	name = json_get(body, SLICE("name"));
	arguments = json_get(body, got[TOOL_CUSTOM].data ? SLICE("input") : SLICE("arguments"));
	tool = tool_of_index(choice, has_index, index);
	if (!tool || tool_begins(tool, has_index, got[TOOL_ID], name))
		tool = tool_new(call, choice, has_index ? index : (int64_t)choice->tool_count);
	if (!tool)
		return true;
	tool->is_custom |= got[TOOL_CUSTOM].data != NULL;
	hold_first(call, &tool->id, got[TOOL_ID]);
	hold_first(call, &tool->name, name);
	hold(call, &tool->extra, got[TOOL_EXTRA]);
	if (json_type(arguments) == JSON_OBJECT) { /* some hosts send the object itself */
		struct out text;

		out_init(&text, call->arena, arguments.len * 2);
		json_put_escaped(&text.buf, arguments);
		call_lost(call, pieces_add(call->arena, &tool->arguments, out_slice(&text)));
		return true;
	}
	return text_gather(call, &tool->arguments, arguments) || json_raw_text(name).len;
}

/* ---- deltas ---- */

enum how { HOW_TEXT, HOW_ITEMS, HOW_CONTENT, HOW_TOOLS, HOW_FUNCTION, HOW_AUDIO, HOW_ROLE };

static const struct {
	struct slice name;
	enum how how;
	enum slot slot;
} delta_rules[] = {
	{ SLICE("content"), HOW_CONTENT, SLOT_CONTENT },
	{ SLICE("role"), HOW_ROLE, 0 },
	{ SLICE("tool_calls"), HOW_TOOLS, 0 },
	{ SLICE("refusal"), HOW_TEXT, SLOT_REFUSAL },
	{ SLICE("reasoning_content"), HOW_TEXT, SLOT_REASONING_CONTENT },
	{ SLICE("reasoning"), HOW_TEXT, SLOT_REASONING },
	{ SLICE("reasoning_text"), HOW_TEXT, SLOT_REASONING_TEXT },
	{ SLICE("reasoning_details"), HOW_ITEMS, SLOT_REASONING_DETAILS },
	{ SLICE("annotations"), HOW_ITEMS, SLOT_ANNOTATIONS },
	{ SLICE("images"), HOW_ITEMS, SLOT_IMAGES },
	{ SLICE("executed_tools"), HOW_ITEMS, SLOT_EXECUTED_TOOLS },
	{ SLICE("function_call"), HOW_FUNCTION, 0 },
	{ SLICE("audio"), HOW_AUDIO, 0 },
};

/* Mistral streams content as blocks while it thinks, and as text later. */
static bool add_content(struct call *call, struct openai_choice *choice, struct slice value)
{
	bool has_content = false;

	if (json_type(value) == JSON_STRING) {
		choice->has_content = true;
		return text_gather(call, &choice->slots[SLOT_CONTENT], value);
	}
	if (json_type(value) != JSON_ARRAY)
		return false;
	json_foreach_element(item, value) {
		struct slice type = json_get(item.value, SLICE("type"));
		struct slice thinking = json_get(item.value, SLICE("thinking"));

		choice->has_content = true;
		if (json_text_is(type, SLICE("text"))) {
			has_content |=
				text_gather(call, &choice->slots[SLOT_CONTENT], json_get(item.value, SLICE("text")));
		} else if (json_type(thinking) == JSON_ARRAY) {
			json_foreach_element(inner, thinking)
				has_content |= text_gather(call, &choice->slots[SLOT_THINKING],
							   json_get(inner.value, SLICE("text")));
		} else {
			has_content |= add_items(call, &choice->slots[SLOT_BLOCKS], item.value);
		}
	}
	return has_content;
}

static bool add_audio(struct call *call, struct openai_choice *choice, struct slice audio)
{
	bool has_data = text_gather(call, &choice->slots[SLOT_AUDIO_DATA], json_get(audio, SLICE("data")));
	bool has_words = text_gather(call, &choice->slots[SLOT_AUDIO_TRANSCRIPT], json_get(audio, SLICE("transcript")));

	hold_first(call, &choice->audio_id, json_get(audio, SLICE("id")));
	hold(call, &choice->audio_expires, json_get(audio, SLICE("expires_at")));
	return has_data || has_words;
}

static bool add_function(struct call *call, struct openai_choice *choice, struct slice function)
{
	struct pieces *name = &choice->slots[SLOT_FUNCTION_NAME];
	bool has_name = !name->len && text_gather(call, name, json_get(function, SLICE("name")));

	return text_gather(call, &choice->slots[SLOT_FUNCTION_ARGUMENTS], json_get(function, SLICE("arguments"))) ||
	       has_name;
}

static bool add_member(struct call *call, struct openai_choice *choice, size_t rule, struct slice value)
{
	bool has_content = false;

	switch (delta_rules[rule].how) {
	case HOW_TEXT:
		return text_gather(call, &choice->slots[delta_rules[rule].slot], value);
	case HOW_ITEMS:
		return json_type(value) == JSON_ARRAY && add_items(call, &choice->slots[delta_rules[rule].slot], value);
	case HOW_CONTENT:
		return add_content(call, choice, value);
	case HOW_TOOLS:
		if (json_type(value) == JSON_ARRAY)
			json_foreach_element(item, value)
				has_content |= add_tool(call, choice, item.value);
		return has_content;
	case HOW_FUNCTION:
		return add_function(call, choice, value);
	case HOW_AUDIO:
		return add_audio(call, choice, value);
	case HOW_ROLE:
		hold_first(call, &choice->role, value);
		return false;
	}
	return false;
}

static bool add_delta(struct call *call, struct openai_choice *choice, struct slice delta)
{
	bool has_content = false;

	if (json_type(delta) != JSON_OBJECT)
		return false;
	json_foreach_member(member, delta)
		for (size_t i = 0; i < ARRAY_SIZE(delta_rules); i++)
			if (slice_equal(member.name, delta_rules[i].name)) {
				has_content |= add_member(call, choice, i, member.value);
				break;
			}
	return has_content;
}

/* ---- choices and chunks ---- */

static struct openai_choice *choice_of(struct call *call, struct openai_stream *stream, int64_t index)
{
	return ITEM_GATHER(call, stream, index, CHOICES_MAX);
}

enum { IN_INDEX, IN_DELTA, IN_TEXT, IN_FINISH, IN_LOGPROBS, IN_USAGE, IN_MESSAGE, _IN_MAX };
static const struct slice choice_names[_IN_MAX] = {
	[IN_INDEX] = SLICE("index"),          [IN_DELTA] = SLICE("delta"),       [IN_TEXT] = SLICE("text"),
	[IN_FINISH] = SLICE("finish_reason"), [IN_LOGPROBS] = SLICE("logprobs"), [IN_USAGE] = SLICE("usage"),
	[IN_MESSAGE] = SLICE("message"),
};

static bool add_choice(struct call *call, struct openai_stream *stream, struct slice value)
{
	struct slice got[_IN_MAX] = { 0 }, logprobs, refusals;
	struct openai_choice *choice;
	int64_t index = 0;
	bool has_text;

	PICK(value, choice_names, got);
	json_int(got[IN_INDEX], &index);
	choice = choice_of(call, stream, index);
	if (!choice)
		return false;
	hold(call, &choice->finish_reason, got[IN_FINISH]);
	hold(call, &stream->usage, got[IN_USAGE]);
	if (got[IN_LOGPROBS].data) {
		logprobs = json_get(got[IN_LOGPROBS], SLICE("content"));
		refusals = json_get(got[IN_LOGPROBS], SLICE("refusal"));
		if (json_type(logprobs) == JSON_ARRAY)
			add_items(call, &choice->slots[SLOT_LOGPROBS], logprobs);
		if (json_type(refusals) == JSON_ARRAY)
			add_items(call, &choice->slots[SLOT_LOGPROBS_REFUSAL], refusals);
	}
	has_text = text_gather(call, &choice->slots[SLOT_TEXT], got[IN_TEXT]);
	/* A message beside a delta repeats what was said so far; alone it is what is said. */
	return add_delta(call, choice, got[IN_DELTA].data ? got[IN_DELTA] : got[IN_MESSAGE]) || has_text;
}

enum {
	CHUNK_ID,
	CHUNK_CREATED,
	CHUNK_MODEL,
	CHUNK_TIER,
	CHUNK_FINGERPRINT,
	CHUNK_CHOICES,
	CHUNK_USAGE,
	CHUNK_GROQ,
	CHUNK_ERROR,
	CHUNK_VALUE,
	CHUNK_EXTRAS,
	_CHUNK_MAX = CHUNK_EXTRAS + OPENAI_EXTRAS
};
static const struct slice chunk_names[_CHUNK_MAX] = {
	[CHUNK_ID] = SLICE("id"),
	[CHUNK_CREATED] = SLICE("created"),
	[CHUNK_MODEL] = SLICE("model"),
	[CHUNK_TIER] = SLICE("service_tier"),
	[CHUNK_FINGERPRINT] = SLICE("system_fingerprint"),
	[CHUNK_CHOICES] = SLICE("choices"),
	[CHUNK_USAGE] = SLICE("usage"),
	[CHUNK_GROQ] = SLICE("x_groq"),
	[CHUNK_ERROR] = SLICE("error"),
	[CHUNK_VALUE] = SLICE("value"),
	[CHUNK_EXTRAS] = OPENAI_EXTRA_0,
	[CHUNK_EXTRAS + 1] = OPENAI_EXTRA_1,
	[CHUNK_EXTRAS + 2] = OPENAI_EXTRA_2,
	[CHUNK_EXTRAS + 3] = OPENAI_EXTRA_3,
};

static bool add_chunk(struct call *call, struct openai_stream *stream, const struct slice *got)
{
	bool has_content = false;

	hold_first(call, &stream->id, got[CHUNK_ID]);
	hold_first(call, &stream->created, got[CHUNK_CREATED]);
	hold_first(call, &stream->model, got[CHUNK_MODEL]);
	hold_first(call, &stream->fingerprint, got[CHUNK_FINGERPRINT]);
	hold(call, &stream->usage, json_get(got[CHUNK_GROQ], SLICE("usage")));
	for (size_t i = 0; i < OPENAI_EXTRAS; i++)
		hold(call, &stream->extras[i], got[CHUNK_EXTRAS + i]);
	if (!call->service_tier.len)
		call->service_tier = call_copy(call, got[CHUNK_TIER]);
	if (json_type(got[CHUNK_CHOICES]) == JSON_ARRAY) {
		json_foreach_element(choice, got[CHUNK_CHOICES])
			has_content |= add_choice(call, stream, choice.value);
	} else if (json_type(got[CHUNK_VALUE]) == JSON_STRING) { /* Writer's completions are no more than this */
		struct openai_choice *choice = choice_of(call, stream, 0);

		has_content = choice && text_gather(call, &choice->slots[SLOT_TEXT], got[CHUNK_VALUE]);
	}
	if (json_type(got[CHUNK_USAGE]) == JSON_OBJECT)
		hold(call, &stream->usage, got[CHUNK_USAGE]);
	return has_content;
}

enum dialect_event openai_stream_event(struct call *call, struct openai_stream *stream, const struct message_part *part)
{
	struct slice got[_CHUNK_MAX] = { 0 };

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	stream->events++;
	PICK(part->data, chunk_names, got);
	if (got[CHUNK_ERROR].data && !call->has_error)
		error_read(call, part->data, true);
	return add_chunk(call, stream, got) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}
