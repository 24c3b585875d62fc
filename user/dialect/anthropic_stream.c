/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A streamed message is a set of members and a list of blocks. A block begins as an object and grows by deltas; a table
 * says for each delta which member of the block it adds to and how. The message is written once, at the end.
 *
 *	message_start        members, usage
 *	content_block_start  a block as far as it is known        ┐ by index,
 *	content_block_delta  more of one of its members           ┘ in any order
 *	message_delta        members and usage again: each one present replaces the former
 */
#include "dialect/anthropic.h"
#include "dialect/steps.h"

enum { BLOCKS_MAX = 2048 };

enum how {
	HOW_TEXT, /* string, grows */
	HOW_JSON, /* string that grows to the text of a value */
	HOW_LIST, /* one more element */
	HOW_LAST, /* string, replaced */
};

static const struct delta_rule {
	struct slice type;   /* of the delta */
	struct slice from;   /* member of the delta */
	struct slice member; /* of the block */
	enum how how;
} delta_rules[] = {
	{ SLICE("text_delta"), SLICE("text"), SLICE("text"), HOW_TEXT },
	{ SLICE("input_json_delta"), SLICE("partial_json"), SLICE("input"), HOW_JSON },
	{ SLICE("thinking_delta"), SLICE("thinking"), SLICE("thinking"), HOW_TEXT },
	{ SLICE("signature_delta"), SLICE("signature"), SLICE("signature"), HOW_LAST },
	{ SLICE("citations_delta"), SLICE("citation"), SLICE("citations"), HOW_LIST },
	{ SLICE("compaction_delta"), SLICE("content"), SLICE("content"), HOW_TEXT },
};

struct message_block {
	struct message_block *next;
	int64_t index;
	uint64_t start_ns;
	struct slice start; /* the object of content_block_start */
	struct pieces grown[ARRAY_SIZE(delta_rules)];
};

/* ---- gathering ---- */

static void message_start(struct call *call, struct message_stream *stream, struct slice message)
{
	if (json_type(message) != JSON_OBJECT)
		return;
	json_foreach_member(member, message) {
		if (slice_equal(member.name, SLICE("usage")))
			members_gather(call, &stream->usage, member.value);
		else if (!slice_equal(member.name, SLICE("content")))
			member_gather(call, &stream->message, member.name, member.value);
	}
}

static void message_delta(struct call *call, struct message_stream *stream, struct slice event)
{
	json_foreach_member(member, event) {
		if (slice_equal(member.name, SLICE("usage")))
			members_gather(call, &stream->usage, member.value);
		else if (slice_equal(member.name, SLICE("delta")))
			members_gather(call, &stream->message, member.value);
		else if (!slice_equal(member.name, SLICE("type")) && json_type(member.value) == JSON_OBJECT)
			member_gather(call, &stream->message, member.name, member.value);
	}
}

static struct message_block *block_of(struct call *call, struct message_stream *stream, struct slice event)
{
	int64_t index = 0;

	json_int(json_get(event, SLICE("index")), &index);
	return ITEM_GATHER(call, stream, index, BLOCKS_MAX);
}

static void block_start(struct call *call, struct message_stream *stream, const struct message_part *part)
{
	struct message_block *block = block_of(call, stream, part->data);

	if (!block)
		return;
	block->start_ns = part->time_ns;
	call_lost(call, slice_hold(call->arena, &block->start, json_get(part->data, SLICE("content_block"))));
}

static bool block_grow(struct call *call, struct pieces *grown, enum how how, struct slice value)
{
	struct slice raw = how == HOW_LIST ? value : json_raw_text(value);

	if (!raw.len)
		return false;
	if (how == HOW_LAST)
		*grown = (struct pieces){ 0 };
	if (how == HOW_LIST)
		elements_gather(call, grown, raw);
	else
		call_lost(call, pieces_add(call->arena, grown, raw));
	return how != HOW_LAST;
}

static bool block_delta(struct call *call, struct message_stream *stream, struct slice event)
{
	struct message_block *block = block_of(call, stream, event);
	struct slice delta = json_get(event, SLICE("delta"));
	struct slice type = json_raw_text(json_get(delta, SLICE("type")));

	for (size_t i = 0; block && i < ARRAY_SIZE(delta_rules); i++)
		if (slice_equal(type, delta_rules[i].type))
			return block_grow(call, &block->grown[i], delta_rules[i].how,
					  json_get(delta, delta_rules[i].from));
	call->is_undecodable = true; /* content of a kind that came after us */
	return false;
}

enum dialect_event message_stream_event(struct call *call, struct message_stream *stream,
					const struct message_part *part)
{
	struct slice type;

	if (event_is_done(part)) /* some gateways */
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	stream->events++;
	type = json_raw_text(json_get(part->data, SLICE("type")));
	if (!type.len)
		type = part->type;
	if (slice_equal(type, SLICE("content_block_delta")))
		return block_delta(call, stream, part->data) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
	if (slice_equal(type, SLICE("content_block_start")))
		block_start(call, stream, part);
	else if (slice_equal(type, SLICE("message_start")))
		message_start(call, stream, json_get(part->data, SLICE("message")));
	else if (slice_equal(type, SLICE("message_delta")))
		message_delta(call, stream, part->data);
	else if (slice_equal(type, SLICE("error")) && !call->has_error)
		error_read(call, part->data, true);
	return slice_equal(type, SLICE("message_stop")) ? DIALECT_EVENT_LAST : DIALECT_EVENT_QUIET;
}

/* A tool of the provider runs from the block that calls it to the block that has its result. */
void message_stream_times(struct call *call, const struct message_stream *stream)
{
	for (const struct message_block *block = stream->first; call->steps && block; block = block->next) {
		struct slice call_of = json_get(block->start, SLICE("tool_use_id"));

		if (call_of.data)
			steps_time(call, call_of, 0, block->start_ns);
		else
			steps_time(call, json_get(block->start, SLICE("id")), block->start_ns, 0);
	}
}

/* ---- writing ---- */

static void put_grown(struct call *call, struct buf *out, const struct delta_rule *rule, const struct pieces *grown,
		      struct slice start)
{
	struct slice text, inside;

	switch (rule->how) {
	case HOW_TEXT:
	case HOW_LAST:
		json_put_raw(out, SLICE("\""));
		if (rule->how == HOW_TEXT)
			buf_put(out, json_raw_text(start));
		pieces_put(grown, out);
		buf_put_char(out, '"');
		break;
	case HOW_JSON:
		text = pieces_quoted(call->arena, grown);
		inside = json_text(call->arena, text);
		/* Cut in its middle it is no JSON; then it stands as the text it is. */
		json_put_raw(out, json_check(inside, JSON_DEPTH_MAX) == 0 ? json_trim(inside) : text);
		break;
	case HOW_LIST:
		json_open(out, '[');
		if (json_type(start) == JSON_ARRAY && start.len > 2)
			json_put_raw(out, json_trim((struct slice){ start.data + 1, start.len - 2 }));
		json_put_raw(out, SLICE_NONE); /* the comma */
		pieces_put(grown, out);
		json_close(out, ']');
		break;
	}
}

/* Which rule grew this member of the block, or ARRAY_SIZE(delta_rules). */
static size_t grown_by(const struct message_block *block, struct slice member)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(delta_rules) && !(block->grown[i].len && slice_equal(delta_rules[i].member, member)))
		i++;
	return i;
}

static void put_block(struct call *call, struct buf *out, const struct message_block *block)
{
	bool written[ARRAY_SIZE(delta_rules)] = { 0 };

	json_open(out, '{');
	if (json_type(block->start) == JSON_OBJECT)
		json_foreach_member(member, block->start) {
			size_t rule = grown_by(block, member.name);

			json_put_raw_name(out, member.name);
			if (rule == ARRAY_SIZE(delta_rules)) {
				json_put_raw(out, member.value);
				continue;
			}
			put_grown(call, out, &delta_rules[rule], &block->grown[rule], member.value);
			written[rule] = true;
		}
	else /* joined late: its beginning was not seen, its deltas tell what it is */
		json_member_text(out, SLICE("type"),
				 block->grown[1].len   ? SLICE("tool_use")
				 : block->grown[2].len ? SLICE("thinking")
						       : SLICE("text"));
	for (size_t i = 0; i < ARRAY_SIZE(delta_rules); i++) {
		if (written[i] || !block->grown[i].len)
			continue;
		json_put_name(out, delta_rules[i].member);
		put_grown(call, out, &delta_rules[i], &block->grown[i], SLICE_NONE);
	}
	json_close(out, '}');
}

static size_t object_size(const struct message_stream *stream)
{
	size_t size = 1024;

	for (const struct message_block *block = stream->first; block; block = block->next) {
		size += block->start.len + 64;
		for (size_t i = 0; i < ARRAY_SIZE(delta_rules); i++)
			size += block->grown[i].len + 16;
	}
	return size + members_size(&stream->message) + members_size(&stream->usage);
}

struct slice message_stream_object(struct call *call, const struct message_stream *stream)
{
	struct out out;
	struct buf *buf;

	out_init(&out, call->arena, object_size(stream));
	buf = &out.buf;
	json_open(buf, '{');
	members_put(buf, &stream->message);
	if (!stream->message.count) {
		json_member_text(buf, SLICE("type"), SLICE("message"));
		json_member_text(buf, SLICE("role"), SLICE("assistant"));
	}
	json_put_name(buf, SLICE("content"));
	json_open(buf, '[');
	for (const struct message_block *block = stream->first; block; block = block->next)
		put_block(call, buf, block);
	json_close(buf, ']');
	if (stream->usage.count) {
		json_put_name(buf, SLICE("usage"));
		json_open(buf, '{');
		members_put(buf, &stream->usage);
		json_close(buf, '}');
	}
	json_close(buf, '}');
	return out_slice(&out);
}
