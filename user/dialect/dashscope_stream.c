/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DashScope's streams: each event is an answer, with what came new or with all that was said so far. A request may tell which;
 * where it does not, models have defaults of their own. So a text tells it by itself: one that says itself again begins
 * with what is there (struct grown). The whole is put together to the object that an answer in one piece is.
 */
#include "dialect/dashscope.h"

enum { GROWN_MIN = 112, ITEMS_MAX = 1024 };

/* A block of content, or a tool call. */
struct item {
	struct item *next;
	int64_t index;
	struct slice id, name, type; /* raw JSON */
	struct slice object;         /* a block's newest */
	struct grown text;           /* or arguments */
};

struct items {
	struct item *first, *last, *recent;
	size_t count;
};

struct dashscope_choice {
	struct dashscope_choice *next;
	int64_t index;
	struct slice role, finish; /* raw JSON */
	struct grown content, reasoning;
	struct items blocks, tools;
};

static void grown_append(struct call *call, struct grown *grown, struct slice bytes)
{
	size_t size = MAX(MAX(grown->size * 2, grown->len + bytes.len), (size_t)GROWN_MIN);
	char *data = grown->data;

	if (grown->failed || !bytes.len)
		return;
	if (bytes.len > grown->size - grown->len) {
		data = arena_alloc(call->arena, size);
		call_lost(call, data);
		grown->failed = !data;
		if (!data)
			return;
		if (grown->len)
			memcpy(data, grown->data, grown->len);
		grown->data = data;
		grown->size = size;
	}
	memcpy(data + grown->len, bytes.data, bytes.len);
	grown->len += bytes.len;
}

/* These were pieces after all: each beginning that was taken for one said again is put behind the one before. */
static void grown_glue(struct call *call, struct grown *grown)
{
	struct grown whole = { .is_glued = true, .failed = grown->failed };

	for (size_t i = 0; i < grown->count; i++)
		grown_append(call, &whole, (struct slice){ grown->data, grown->ends[i] });
	*grown = whole;
}

/* True when there was something new. */
static bool grown_add(struct call *call, struct dashscope_stream *stream, struct grown *grown, struct slice string)
{
	struct slice raw = json_raw_text(string);
	bool goes_on = slice_starts(raw, (struct slice){ grown->data, grown->len });
	size_t before = grown->len;

	if (!raw.len)
		return false;
	if (!grown->is_glued && grown->count <= GROWN_ENDS && (stream->is_glued || !goes_on)) {
		grown_glue(call, grown);
		stream->is_glued = true;
	}
	if (grown->is_glued) {
		grown_append(call, grown, raw);
		return true;
	}
	if (!goes_on && !grown->failed)
		grown->len = 0; /* said anew, and otherwise */
	grown_append(call, grown, slice_from(raw, grown->len));
	if (grown->count < GROWN_ENDS)
		grown->ends[grown->count] = grown->len;
	grown->count++;
	return grown->len != before;
}

static bool blocks_gather(struct call *call, struct dashscope_stream *stream, struct dashscope_choice *choice,
			  struct slice content)
{
	bool is_new = false;
	int64_t nth = 0;

	json_foreach_element(block, content) {
		struct item *item = ITEM_GATHER(call, &choice->blocks, nth++, ITEMS_MAX);
		struct slice text = json_get(block.value, SLICE("text"));

		if (!item)
			break;
		is_new |= grown_add(call, stream, &item->text, text) || (!text.data && json_count(block.value));
		call_lost(call, slice_hold(call->arena, &item->object, block.value));
	}
	return is_new;
}

static void text_hold(struct call *call, struct slice *held, struct slice value)
{
	if (json_raw_text(value).len)
		call_lost(call, slice_hold(call->arena, held, value));
}

static bool tools_gather(struct call *call, struct dashscope_stream *stream, struct dashscope_choice *choice,
			 struct slice tools)
{
	bool is_new = false;
	int64_t nth = 0;

	json_foreach_element(tool, tools) {
		struct item *item;

		json_int(json_get(tool.value, SLICE("index")), &nth);
		item = ITEM_GATHER(call, &choice->tools, nth, ITEMS_MAX);
		nth = nth < INT64_MAX ? nth + 1 : 0;
		if (!item)
			break;
		text_hold(call, &item->id, json_get(tool.value, SLICE("id")));
		text_hold(call, &item->type, json_get(tool.value, SLICE("type")));
		text_hold(call, &item->name, json_path(tool.value, "function", "name", NULL));
		grown_add(call, stream, &item->text, json_path(tool.value, "function", "arguments", NULL));
		is_new = true;
	}
	return is_new;
}

/* True when it brought content. */
static bool choice_gather(struct call *call, struct dashscope_stream *stream, struct slice told, int64_t nth)
{
	struct slice message = json_get(told, SLICE("message")), tools = json_get(message, SLICE("tool_calls"));
	struct slice content = json_get(message, SLICE("content"));
	struct dashscope_choice *choice;
	bool is_new;

	json_int(json_get(told, SLICE("index")), &nth);
	choice = ITEM_GATHER(call, &stream->choices, nth, ITEMS_MAX);
	if (!choice)
		return false;
	text_hold(call, &choice->role, json_get(message, SLICE("role")));
	text_hold(call, &choice->finish, json_get(told, SLICE("finish_reason")));
	is_new = grown_add(call, stream, &choice->reasoning, json_get(message, SLICE("reasoning_content")));
	if (json_type(content) == JSON_ARRAY)
		is_new |= blocks_gather(call, stream, choice, content);
	else
		is_new |= grown_add(call, stream, &choice->content, content);
	if (json_type(tools) == JSON_ARRAY)
		is_new |= tools_gather(call, stream, choice, tools);
	return is_new;
}

static bool reason_is_told(struct slice holder)
{
	struct slice reason = json_get(holder, SLICE("finish_reason"));

	return json_raw_text(reason).len && !json_text_is(reason, SLICE("null"));
}

/* The members of "output"; a search is told by the first event, and empty by the others. */
static bool output_gather(struct call *call, struct dashscope_stream *stream, struct slice output)
{
	bool is_new = false, is_last = reason_is_told(output);
	int64_t nth = 0;

	json_foreach_member(member, output) {
		if (slice_equal(member.name, SLICE("choices"))) {
			json_foreach_element(choice, member.value) {
				is_new |= choice_gather(call, stream, choice.value, nth++);
				is_last |= reason_is_told(choice.value);
			}
		} else if (slice_equal(member.name, SLICE("text"))) {
			is_new |= grown_add(call, stream, &stream->text, member.value);
			stream->has_text |= json_type(member.value) == JSON_STRING;
		} else if (slice_equal(member.name, SLICE("search_info"))) {
			if (member.value.len > stream->found.len)
				call_lost(call, slice_hold(call->arena, &stream->found, member.value));
		} else {
			is_new |= slice_equal(member.name, SLICE("audio"));
			member_gather(call, &stream->others, member.name, member.value);
		}
	}
	if (is_last && !stream->is_many)
		call->ended_itself = true;
	return is_new;
}

enum dialect_event dashscope_stream_event(struct call *call, struct dashscope_stream *stream,
					  const struct message_part *part)
{
	struct slice data = slice_trim(part->data), output, usage;
	bool is_new;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	text_hold(call, &stream->id, json_get(data, SLICE("request_id")));
	if (dashscope_failure_read(call, data, call->status < 400))
		return DIALECT_EVENT_QUIET;
	output = json_get(data, SLICE("output"));
	if (json_type(output) != JSON_OBJECT)
		return DIALECT_EVENT_QUIET;
	stream->has_begun = true;
	usage = json_get(data, SLICE("usage"));
	if (json_count(usage))
		call_lost(call, slice_hold(call->arena, &stream->usage, usage));
	text_hold(call, &stream->model, json_get(data, SLICE("model")));
	is_new = output_gather(call, stream, output);
	return is_new ? DIALECT_EVENT_CONTENT : call->ended_itself ? DIALECT_EVENT_LAST : DIALECT_EVENT_QUIET;
}

/* ---- what a stream was ---- */

static void grown_member(struct buf *out, struct slice name, const struct grown *grown)
{
	json_put_name(out, name);
	buf_put_char(out, '"');
	buf_put(out, (struct slice){ grown->data, grown->len });
	buf_put_char(out, '"');
}

/* A block as it last was, its text whole. */
static void block_put(struct buf *out, const struct item *item)
{
	json_open(out, '{');
	if (item->text.count || json_get(item->object, SLICE("text")).data)
		grown_member(out, SLICE("text"), &item->text);
	json_foreach_member(member, item->object) {
		if (slice_equal(member.name, SLICE("text")))
			continue;
		json_put_raw_name(out, member.name);
		json_put_raw(out, member.value);
	}
	json_close(out, '}');
}

static void tool_put(struct buf *out, const struct item *item)
{
	json_open(out, '{');
	json_member_int(out, SLICE("index"), item->index);
	json_member_raw(out, SLICE("id"), item->id);
	json_member_raw(out, SLICE("type"), item->type);
	json_put_name(out, SLICE("function"));
	json_open(out, '{');
	json_member_raw(out, SLICE("name"), item->name);
	grown_member(out, SLICE("arguments"), &item->text);
	json_close(out, '}');
	json_close(out, '}');
}

static void items_put(struct buf *out, struct slice name, const struct items *items,
		      void (*put)(struct buf *out, const struct item *item))
{
	json_put_name(out, name);
	json_open(out, '[');
	for (const struct item *item = items->first; item; item = item->next)
		put(out, item);
	json_close(out, ']');
}

static void choice_put(struct buf *out, const struct dashscope_choice *choice, bool is_many)
{
	json_open(out, '{');
	if (is_many)
		json_member_int(out, SLICE("index"), choice->index);
	json_member_raw(out, SLICE("finish_reason"), choice->finish);
	json_put_name(out, SLICE("message"));
	json_open(out, '{');
	json_member_raw(out, SLICE("role"), choice->role.data ? choice->role : SLICE("\"assistant\""));
	if (choice->blocks.count)
		items_put(out, SLICE("content"), &choice->blocks, block_put);
	else
		grown_member(out, SLICE("content"), &choice->content);
	if (choice->reasoning.len)
		grown_member(out, SLICE("reasoning_content"), &choice->reasoning);
	if (choice->tools.count)
		items_put(out, SLICE("tool_calls"), &choice->tools, tool_put);
	json_close(out, '}');
	json_close(out, '}');
}

static size_t items_size(const struct items *items)
{
	size_t size = 0;

	for (const struct item *item = items->first; item; item = item->next)
		size += item->text.len + item->object.len + item->id.len + item->name.len + 96;
	return size;
}

static size_t stream_size(const struct dashscope_stream *stream)
{
	size_t size = stream->usage.len + stream->found.len + members_size(&stream->others) + stream->text.len + 256;

	for (const struct dashscope_choice *choice = stream->choices.first; choice; choice = choice->next)
		size += choice->content.len + choice->reasoning.len + items_size(&choice->blocks) +
			items_size(&choice->tools) + 128;
	return size;
}

struct slice dashscope_stream_object(struct call *call, const struct dashscope_stream *stream)
{
	struct out out;

	out_init(&out, call->arena, stream_size(stream));
	json_open(&out.buf, '{');
	json_member_raw(&out.buf, SLICE("model"), stream->model);
	json_put_name(&out.buf, SLICE("output"));
	json_open(&out.buf, '{');
	if (stream->choices.count) {
		json_put_name(&out.buf, SLICE("choices"));
		json_open(&out.buf, '[');
		for (const struct dashscope_choice *choice = stream->choices.first; choice; choice = choice->next)
			choice_put(&out.buf, choice, stream->choices.count > 1);
		json_close(&out.buf, ']');
	}
	if (stream->has_text)
		grown_member(&out.buf, SLICE("text"), &stream->text);
	members_put(&out.buf, &stream->others);
	json_member_raw(&out.buf, SLICE("search_info"), stream->found);
	json_close(&out.buf, '}');
	json_member_raw(&out.buf, SLICE("usage"), stream->usage);
	json_member_raw(&out.buf, SLICE("request_id"), stream->id);
	json_close(&out.buf, '}');
	return out_slice(&out);
}
