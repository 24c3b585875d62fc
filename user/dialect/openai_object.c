/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object that a stream would have been in one piece. Autolog shows one too, built from the first choice's text; this
 * one has the same members for such a stream and loses nothing of others: choices apart, tool calls, refusals, reasoning.
 * The service tier is left out as autolog leaves it out; it has an attribute of its own.
 */
#include "dialect/openai_stream.h"

static const struct {
	struct slice name;
	enum slot slot;
} text_members[] = {
	{ SLICE("refusal"), SLOT_REFUSAL },
	{ SLICE("reasoning_content"), SLOT_REASONING_CONTENT },
	{ SLICE("reasoning"), SLOT_REASONING },
	{ SLICE("reasoning_text"), SLOT_REASONING_TEXT },
}, item_members[] = {
	{ SLICE("annotations"), SLOT_ANNOTATIONS },
	{ SLICE("images"), SLOT_IMAGES },
	{ SLICE("executed_tools"), SLOT_EXECUTED_TOOLS },
};

static void put_raw_or_null(struct buf *out, struct slice name, struct slice value)
{
	json_member_raw(out, name, value.data ? value : SLICE("null"));
}

static void put_block(struct buf *out, struct slice type, struct slice name, const struct pieces *text)
{
	json_open(out, '{');
	json_member_text(out, SLICE("type"), type);
	pieces_member_text(out, name, text);
	json_close(out, '}');
}

static void put_content(struct buf *out, const struct openai_choice *choice)
{
	const struct pieces *text = &choice->slots[SLOT_CONTENT];
	const struct pieces *thinking = &choice->slots[SLOT_THINKING], *blocks = &choice->slots[SLOT_BLOCKS];

	if (!thinking->len && !blocks->len) {
		if (choice->has_content && (text->len || !choice->tools))
			pieces_member_text(out, SLICE("content"), text);
		else
			put_raw_or_null(out, SLICE("content"), SLICE_NONE);
		return;
	}
	json_put_name(out, SLICE("content"));
	json_open(out, '[');
	if (thinking->len) {
		json_open(out, '{');
		json_member_text(out, SLICE("type"), SLICE("thinking"));
		json_put_name(out, SLICE("thinking"));
		json_open(out, '[');
		put_block(out, SLICE("text"), SLICE("text"), thinking);
		json_close(out, ']');
		json_close(out, '}');
	}
	if (text->len)
		put_block(out, SLICE("text"), SLICE("text"), text);
	if (blocks->len) {
		json_put_raw(out, SLICE_NONE); /* the comma */
		pieces_put(blocks, out);
	}
	json_close(out, ']');
}

static void put_tool(struct buf *out, const struct openai_tool *tool)
{
	struct slice kind = tool->is_custom ? SLICE("custom") : SLICE("function");

	json_open(out, '{');
	json_member_raw(out, SLICE("id"), tool->id);
	json_member_text(out, SLICE("type"), kind);
	json_put_name(out, kind);
	json_open(out, '{');
	put_raw_or_null(out, SLICE("name"), tool->name);
	pieces_member_text(out, tool->is_custom ? SLICE("input") : SLICE("arguments"), &tool->arguments);
	json_close(out, '}');
	json_member_raw(out, SLICE("extra_content"), tool->extra);
	json_close(out, '}');
}

static void put_audio(struct buf *out, const struct openai_choice *choice)
{
	if (!choice->audio_id.data && !choice->slots[SLOT_AUDIO_DATA].len && !choice->slots[SLOT_AUDIO_TRANSCRIPT].len)
		return;
	json_put_name(out, SLICE("audio"));
	json_open(out, '{');
	json_member_raw(out, SLICE("id"), choice->audio_id);
	pieces_member_text(out, SLICE("data"), &choice->slots[SLOT_AUDIO_DATA]);
	json_member_raw(out, SLICE("expires_at"), choice->audio_expires);
	pieces_member_text(out, SLICE("transcript"), &choice->slots[SLOT_AUDIO_TRANSCRIPT]);
	json_close(out, '}');
}

static void put_calls(struct buf *out, const struct openai_choice *choice)
{
	const struct pieces *slots = choice->slots;

	if (choice->tools) {
		json_put_name(out, SLICE("tool_calls"));
		json_open(out, '[');
		for (const struct openai_tool *tool = choice->tools; tool; tool = tool->next)
			put_tool(out, tool);
		json_close(out, ']');
	}
	if (slots[SLOT_FUNCTION_NAME].len) {
		json_put_name(out, SLICE("function_call"));
		json_open(out, '{');
		pieces_member_text(out, SLICE("name"), &slots[SLOT_FUNCTION_NAME]);
		pieces_member_text(out, SLICE("arguments"), &slots[SLOT_FUNCTION_ARGUMENTS]);
		json_close(out, '}');
	}
}

static void put_message(struct buf *out, const struct openai_choice *choice)
{
	const struct pieces *slots = choice->slots;
	bool has_reasoning = false;

	json_put_name(out, SLICE("message"));
	json_open(out, '{');
	json_member_raw(out, SLICE("role"), choice->role.data ? choice->role : SLICE("\"assistant\""));
	put_content(out, choice);
	for (size_t i = 0; i < ARRAY_SIZE(text_members); i++)
		if (slots[text_members[i].slot].len) {
			pieces_member_text(out, text_members[i].name, &slots[text_members[i].slot]);
			has_reasoning |= text_members[i].slot != SLOT_REFUSAL;
		}
	/* The details repeat the reasoning word by word, an object for each. */
	if (slots[SLOT_REASONING_DETAILS].len && !has_reasoning)
		pieces_member_list(out, SLICE("reasoning_details"), &slots[SLOT_REASONING_DETAILS]);
	for (size_t i = 0; i < ARRAY_SIZE(item_members); i++)
		if (slots[item_members[i].slot].len)
			pieces_member_list(out, item_members[i].name, &slots[item_members[i].slot]);
	put_calls(out, choice);
	put_audio(out, choice);
	json_close(out, '}');
}

static void put_logprobs(struct buf *out, const struct openai_choice *choice)
{
	const struct pieces *content = &choice->slots[SLOT_LOGPROBS], *refusal = &choice->slots[SLOT_LOGPROBS_REFUSAL];

	if (!content->len && !refusal->len)
		return;
	json_put_name(out, SLICE("logprobs"));
	json_open(out, '{');
	pieces_member_list(out, SLICE("content"), content);
	if (refusal->len)
		pieces_member_list(out, SLICE("refusal"), refusal);
	json_close(out, '}');
}

/* Autolog writes "stop" for a stream that ended well without a word; a cut one keeps its null. */
static struct slice reason_of(const struct call *call, const struct openai_choice *choice)
{
	bool ended_well = call->end == CALL_END_COMPLETE && !call->has_error;

	return choice->finish_reason.data ? choice->finish_reason : ended_well ? SLICE("\"stop\"") : SLICE("null");
}

static size_t object_size(const struct openai_stream *stream)
{
	size_t size = 512 + stream->usage.len;

	for (const struct openai_choice *choice = stream->first; choice; choice = choice->next) {
		size += 256;
		for (size_t i = 0; i < _SLOT_MAX; i++)
			size += choice->slots[i].len;
		for (const struct openai_tool *tool = choice->tools; tool; tool = tool->next)
			size += 128 + tool->id.len + tool->name.len + tool->extra.len + tool->arguments.len;
	}
	for (size_t i = 0; i < OPENAI_EXTRAS; i++)
		size += stream->extras[i].len;
	return size;
}

struct slice openai_stream_object(struct call *call, struct openai_stream *stream, bool is_chat)
{
	static const struct slice names[OPENAI_EXTRAS] = { OPENAI_EXTRA_0, OPENAI_EXTRA_1, OPENAI_EXTRA_2,
							   OPENAI_EXTRA_3 };
	struct buf *buf;
	struct out out;

	out_init(&out, call->arena, object_size(stream));
	buf = &out.buf;
	json_open(buf, '{');
	json_member_raw(buf, SLICE("id"), stream->id);
	json_member_text(buf, SLICE("object"), is_chat ? SLICE("chat.completion") : SLICE("text_completion"));
	json_member_raw(buf, SLICE("created"), stream->created);
	json_member_raw(buf, SLICE("model"), stream->model);
	json_member_raw(buf, SLICE("system_fingerprint"), stream->fingerprint);
	json_put_name(buf, SLICE("choices"));
	json_open(buf, '[');
	for (const struct openai_choice *choice = stream->first; choice; choice = choice->next) {
		json_open(buf, '{');
		json_member_int(buf, SLICE("index"), choice->index);
		if (is_chat)
			put_message(buf, choice);
		else
			pieces_member_text(buf, SLICE("text"), &choice->slots[SLOT_TEXT]);
		put_logprobs(buf, choice);
		json_member_raw(buf, SLICE("finish_reason"), reason_of(call, choice));
		json_close(buf, '}');
	}
	json_close(buf, ']');
	json_member_raw(buf, SLICE("usage"), stream->usage);
	for (size_t i = 0; i < OPENAI_EXTRAS; i++)
		json_member_raw(buf, names[i], stream->extras[i]);
	json_close(buf, '}');
	return out_slice(&out);
}

void openai_stream_finish_reasons(struct call *call, const struct openai_stream *stream)
{
	call->finish_count = 0;
	for (const struct openai_choice *choice = stream->first; choice; choice = choice->next)
		finish_add(call, call_text(call, choice->finish_reason));
}
