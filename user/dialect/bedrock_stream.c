/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A streamed Converse answer: a list of blocks, each of which grows by deltas of one kind, and the members that
 * messageStop and metadata bring. Text and reasoning blocks have no start of their own. Members named "p" are padding.
 * A tool's input stays the text that it travelled as: that is how autolog rebuilds it.
 */
#include "dialect/bedrock.h"

enum { BLOCKS_MAX = 2048 };

enum slot {
	SLOT_TEXT,
	SLOT_INPUT,
	SLOT_REASON,
	SLOT_SIGNATURE,
	SLOT_REDACTED,
	SLOT_CITATIONS,
	SLOT_RESULT,
	SLOT_IMAGE,
	_SLOT_MAX
};
enum how { HOW_TEXT, HOW_ELEMENT, HOW_ELEMENTS };

static const struct delta_rule {
	struct slice outer, inner; /* member of the delta, and of that */
	enum slot slot;
	enum how how;
} delta_rules[] = {
	{ SLICE("text"), {}, SLOT_TEXT, HOW_TEXT },
	{ SLICE("toolUse"), SLICE("input"), SLOT_INPUT, HOW_TEXT },
	{ SLICE("reasoningContent"), SLICE("text"), SLOT_REASON, HOW_TEXT },
	{ SLICE("reasoningContent"), SLICE("signature"), SLOT_SIGNATURE, HOW_TEXT },
	{ SLICE("reasoningContent"), SLICE("redactedContent"), SLOT_REDACTED, HOW_TEXT },
	{ SLICE("citation"), {}, SLOT_CITATIONS, HOW_ELEMENT },
	{ SLICE("toolResult"), {}, SLOT_RESULT, HOW_ELEMENTS },
	{ SLICE("image"), SLICE("source"), SLOT_IMAGE, HOW_ELEMENT },
};

struct converse_block {
	struct converse_block *next;
	int64_t index;
	struct slice start; /* {"toolUse":{…}} and the like */
	struct pieces slots[_SLOT_MAX];
};

/* ---- gathering ---- */

static void particulars_gather(struct call *call, struct converse_stream *stream, struct slice event)
{
	json_foreach_member(member, event)
		if (!slice_equal(member.name, SLICE("p")))
			member_gather(call, &stream->members, member.name, member.value);
}

static struct converse_block *block_of(struct call *call, struct converse_stream *stream, struct slice event)
{
	int64_t index = 0;

	json_int(json_get(event, SLICE("contentBlockIndex")), &index);
	return ITEM_GATHER(call, stream, index, BLOCKS_MAX);
}

static struct slice delta_bytes(enum how how, struct slice value)
{
	if (how == HOW_TEXT)
		return json_raw_text(value);
	if (how == HOW_ELEMENT)
		return json_type(value) == JSON_OBJECT ? json_trim(value) : SLICE_NONE;
	value = json_trim(value);
	return json_type(value) == JSON_ARRAY ? slice_trim((struct slice){ value.data + 1, value.len - 2 })
					      : SLICE_NONE;
}

static bool rule_apply(struct call *call, struct converse_block *block, const struct delta_rule *rule,
		       struct slice delta)
{
	struct slice outer = json_get(delta, rule->outer);
	struct slice bytes = delta_bytes(rule->how, rule->inner.len ? json_get(outer, rule->inner) : outer);
	struct pieces *slot = &block->slots[rule->slot];

	if (!bytes.len)
		return false;
	if (rule->how == HOW_TEXT)
		call_lost(call, pieces_add(call->arena, slot, bytes));
	else
		elements_gather(call, slot, bytes);
	return true;
}

static bool name_is_known(struct slice name)
{
	for (size_t i = 0; i < ARRAY_SIZE(delta_rules); i++)
		if (slice_equal(delta_rules[i].outer, name))
			return true;
	return false;
}

static bool block_delta(struct call *call, struct converse_stream *stream, struct slice event)
{
	struct converse_block *block = block_of(call, stream, event);
	struct slice delta = json_get(event, SLICE("delta"));
	bool has_content = false, has_known = false, has_other = false;

	if (!block || json_type(delta) != JSON_OBJECT)
		return false;
	json_foreach_member(member, delta)
		*(name_is_known(member.name) ? &has_known : &has_other) = true;
	call_lost(call, has_known || !has_other); /* content of a kind that came after us */
	for (size_t i = 0; i < ARRAY_SIZE(delta_rules); i++)
		has_content |= rule_apply(call, block, &delta_rules[i], delta);
	return has_content;
}

static void block_start(struct call *call, struct converse_stream *stream, struct slice event)
{
	struct converse_block *block = block_of(call, stream, event);

	if (block)
		call_lost(call, slice_hold(call->arena, &block->start, json_get(event, SLICE("start"))));
}

/* An event's kind, also where its name is not known: each has a member of its own. */
static bool event_is(const struct message_part *part, struct slice type, struct slice member)
{
	return part->type.len ? slice_equal(part->type, type) : json_get(part->data, member).data != NULL;
}

enum dialect_event converse_stream_event(struct call *call, struct converse_stream *stream,
					 const struct message_part *part)
{
	if (!aws_event_open(call, part))
		return DIALECT_EVENT_QUIET;
	stream->events++;
	if (event_is(part, SLICE("contentBlockDelta"), SLICE("delta")))
		return block_delta(call, stream, part->data) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
	if (event_is(part, SLICE("contentBlockStart"), SLICE("start"))) {
		block_start(call, stream, part->data);
	} else if (event_is(part, SLICE("messageStart"), SLICE("role"))) {
		call_lost(call, slice_hold(call->arena, &stream->role, json_get(part->data, SLICE("role"))));
	} else if (event_is(part, SLICE("messageStop"), SLICE("stopReason"))) {
		particulars_gather(call, stream, part->data);
	} else if (event_is(part, SLICE("metadata"), SLICE("usage"))) {
		particulars_gather(call, stream, part->data);
		return DIALECT_EVENT_LAST;
	}
	return DIALECT_EVENT_QUIET;
}

/* ---- writing ---- */

static void put_reasoning(struct buf *out, const struct converse_block *block)
{
	json_put_name(out, SLICE("reasoningContent"));
	json_open(out, '{');
	if (block->slots[SLOT_REDACTED].len) {
		pieces_member_text(out, SLICE("redactedContent"), &block->slots[SLOT_REDACTED]);
	} else {
		json_put_name(out, SLICE("reasoningText"));
		json_open(out, '{');
		pieces_member_text(out, SLICE("text"), &block->slots[SLOT_REASON]);
		if (block->slots[SLOT_SIGNATURE].len)
			pieces_member_text(out, SLICE("signature"), &block->slots[SLOT_SIGNATURE]);
		json_close(out, '}');
	}
	json_close(out, '}');
}

static void put_cited(struct buf *out, const struct converse_block *block)
{
	json_put_name(out, SLICE("citationsContent"));
	json_open(out, '{');
	json_put_name(out, SLICE("content"));
	json_open(out, '[');
	json_open(out, '{');
	pieces_member_text(out, SLICE("text"), &block->slots[SLOT_TEXT]);
	json_close(out, '}');
	json_close(out, ']');
	pieces_member_list(out, SLICE("citations"), &block->slots[SLOT_CITATIONS]);
	json_close(out, '}');
}

/* What a start announced, grown by the deltas: toolUse by its input, toolResult by its content, image by its source. */
static void put_started(struct buf *out, const struct converse_block *block)
{
	json_foreach_member(kind, block->start) {
		json_put_raw_name(out, kind.name);
		json_open(out, '{');
		if (json_type(kind.value) == JSON_OBJECT)
			json_foreach_member(member, kind.value) {
				json_put_raw_name(out, member.name);
				json_put_raw(out, member.value);
			}
		if (slice_equal(kind.name, SLICE("toolUse")))
			pieces_member_text(out, SLICE("input"), &block->slots[SLOT_INPUT]);
		else if (slice_equal(kind.name, SLICE("toolResult")))
			pieces_member_list(out, SLICE("content"), &block->slots[SLOT_RESULT]);
		else if (block->slots[SLOT_IMAGE].len) {
			json_put_name(out, SLICE("source"));
			pieces_put(&block->slots[SLOT_IMAGE], out);
		}
		json_close(out, '}');
	}
}

static void put_block(struct buf *out, const struct converse_block *block)
{
	const struct pieces *slots = block->slots;

	json_open(out, '{');
	if (json_type(block->start) == JSON_OBJECT && json_count(block->start)) {
		put_started(out, block);
	} else if (slots[SLOT_REASON].len || slots[SLOT_SIGNATURE].len || slots[SLOT_REDACTED].len) {
		put_reasoning(out, block);
	} else if (slots[SLOT_CITATIONS].len) {
		put_cited(out, block);
	} else if (slots[SLOT_INPUT].len) { /* joined late: its start was not seen */
		json_put_name(out, SLICE("toolUse"));
		json_open(out, '{');
		pieces_member_text(out, SLICE("input"), &slots[SLOT_INPUT]);
		json_close(out, '}');
	} else {
		pieces_member_text(out, SLICE("text"), &slots[SLOT_TEXT]);
	}
	json_close(out, '}');
}

static size_t object_size(const struct converse_stream *stream)
{
	size_t size = 512;

	for (const struct converse_block *block = stream->first; block; block = block->next) {
		size += block->start.len + 160;
		for (size_t i = 0; i < _SLOT_MAX; i++)
			size += block->slots[i].len;
	}
	return size + members_size(&stream->members);
}

struct slice converse_stream_object(struct call *call, const struct converse_stream *stream)
{
	struct out out;
	struct buf *buf = &out.buf;

	out_init(&out, call->arena, object_size(stream));
	json_open(buf, '{');
	members_put(buf, &stream->members);
	json_put_name(buf, SLICE("output"));
	json_open(buf, '{');
	json_put_name(buf, SLICE("message"));
	json_open(buf, '{');
	json_member_raw(buf, SLICE("role"), stream->role.data ? stream->role : SLICE("\"assistant\""));
	json_put_name(buf, SLICE("content"));
	json_open(buf, '[');
	for (const struct converse_block *block = stream->first; block; block = block->next)
		put_block(buf, block);
	json_close(buf, ']');
	json_close(buf, '}');
	json_close(buf, '}');
	json_close(buf, '}');
	return out_slice(&out);
}
