/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last event of a stream brings the whole response, so deltas matter for two things only: when the first token came,
 * and what was said when that event never comes. For the latter each output item keeps what is best known of it: the
 * object of output_item.done, else that of output_item.added with its deltas, by the place they belong to.
 *
 *	item 0  message         added ─ content[0] "Par" "is."      ─ done
 *	item 1  function_call   added ─ arguments "{\"ci" "ty\":…"  ─ (cut)
 */
#include "dialect/responses.h"
#include "dialect/steps.h"

enum { ITEMS_MAX = 1024, SPOTS_MAX = 1024 };

enum place { PLACE_CONTENT, PLACE_SUMMARY, PLACE_MEMBER };

/* What a delta event adds to: a text in content[i] or summary[i], or a member of the item itself. */
static const struct delta_rule {
	struct slice event; /* without "response." and ".delta" */
	enum place place;
	struct slice type; /* of the part in content or summary */
	struct slice member;
} delta_rules[] = {
	{ SLICE("output_text"), PLACE_CONTENT, SLICE("output_text"), SLICE("text") },
	{ SLICE("refusal"), PLACE_CONTENT, SLICE("refusal"), SLICE("refusal") },
	{ SLICE("reasoning_text"), PLACE_CONTENT, SLICE("reasoning_text"), SLICE("text") },
	{ SLICE("reasoning_summary_text"), PLACE_SUMMARY, SLICE("summary_text"), SLICE("text") },
	{ SLICE("function_call_arguments"), PLACE_MEMBER, {}, SLICE("arguments") },
	{ SLICE("mcp_call_arguments"), PLACE_MEMBER, {}, SLICE("arguments") },
	{ SLICE("custom_tool_call_input"), PLACE_MEMBER, {}, SLICE("input") },
	{ SLICE("code_interpreter_call_code"), PLACE_MEMBER, {}, SLICE("code") },
	/* Realtime: */
	{ SLICE("text"), PLACE_CONTENT, SLICE("output_text"), SLICE("text") },
	{ SLICE("output_audio_transcript"), PLACE_CONTENT, SLICE("output_audio"), SLICE("transcript") },
	{ SLICE("audio_transcript"), PLACE_CONTENT, SLICE("output_audio"), SLICE("transcript") },
};

struct spot {
	struct spot *next;
	const struct delta_rule *rule;
	int64_t index;
	struct pieces text;
};

struct response_item {
	struct response_item *next;
	int64_t index;
	struct slice added, done;
	uint64_t added_ns, done_ns;
	struct spot *spots, *last_spot;
	size_t spot_count;
};

enum { EV_TYPE, EV_OUTPUT_INDEX, EV_CONTENT_INDEX, EV_SUMMARY_INDEX, EV_DELTA, EV_ITEM, EV_RESPONSE, _EV_MAX };
static const struct slice event_names[_EV_MAX] = {
	[EV_TYPE] = SLICE("type"),
	[EV_OUTPUT_INDEX] = SLICE("output_index"),
	[EV_CONTENT_INDEX] = SLICE("content_index"),
	[EV_SUMMARY_INDEX] = SLICE("summary_index"),
	[EV_DELTA] = SLICE("delta"),
	[EV_ITEM] = SLICE("item"),
	[EV_RESPONSE] = SLICE("response"),
};

/* ---- gathering ---- */

static struct response_item *item_of(struct call *call, struct response_stream *stream, struct slice output_index)
{
	int64_t index = 0;

	json_int(output_index, &index);
	return ITEM_GATHER(call, stream, index, ITEMS_MAX);
}

static struct spot *spot_of(struct call *call, struct response_item *item, const struct delta_rule *rule, int64_t index)
{
	struct spot *spot = item->last_spot;

	if (spot && spot->rule == rule && spot->index == index)
		return spot;
	for (spot = item->spots; spot && (spot->rule != rule || spot->index != index); spot = spot->next)
		;
	if (spot)
		return spot;
	spot = item->spot_count < SPOTS_MAX ? arena_new_of(call->arena, struct spot) : NULL;
	call_lost(call, spot);
	if (!spot)
		return NULL;
	*spot = (struct spot){ .rule = rule, .index = index };
	*(item->last_spot ? &item->last_spot->next : &item->spots) = spot;
	item->last_spot = spot;
	item->spot_count++;
	return spot;
}

static bool add_delta(struct call *call, struct response_stream *stream, struct slice name, const struct slice *got)
{
	struct slice raw = json_raw_text(got[EV_DELTA]);
	struct response_item *item;
	struct spot *spot;
	int64_t index = 0;

	for (size_t i = 0; i < ARRAY_SIZE(delta_rules); i++) {
		const struct delta_rule *rule = &delta_rules[i];

		if (!slice_equal(name, rule->event))
			continue;
		json_int(rule->place == PLACE_SUMMARY ? got[EV_SUMMARY_INDEX] : got[EV_CONTENT_INDEX], &index);
		item = item_of(call, stream, got[EV_OUTPUT_INDEX]);
		spot = item && !item->done.data ? spot_of(call, item, rule, index) : NULL;
		if (spot)
			call_lost(call, pieces_add(call->arena, &spot->text, raw));
		return raw.len;
	}
	return got[EV_DELTA].data; /* sound, patches: only their time is of interest */
}

static void item_added(struct call *call, struct response_stream *stream, const struct slice *got)
{
	struct response_item *item = item_of(call, stream, got[EV_OUTPUT_INDEX]);

	if (!item)
		return;
	item->added_ns = stream->time_ns;
	call_lost(call, slice_hold(call->arena, &item->added, got[EV_ITEM]));
}

static void item_done(struct call *call, struct response_stream *stream, const struct slice *got)
{
	struct response_item *item = item_of(call, stream, got[EV_OUTPUT_INDEX]);

	if (!item)
		return;
	item->done_ns = stream->time_ns;
	call_lost(call, slice_hold(call->arena, &item->done, got[EV_ITEM]));
}

static void response_began(struct call *call, struct response_stream *stream, const struct slice *got)
{
	if (!stream->base.data)
		call_lost(call, slice_hold(call->arena, &stream->base, got[EV_RESPONSE]));
}

static void response_ended(struct call *call, struct response_stream *stream, const struct slice *got)
{
	call_lost(call, slice_hold(call->arena, &stream->final, got[EV_RESPONSE]));
}

static const struct {
	struct slice type; /* without "response." */
	void (*take)(struct call *call, struct response_stream *stream, const struct slice *got);
	enum dialect_event is;
} event_rules[] = {
	{ SLICE("output_item.added"), item_added, DIALECT_EVENT_QUIET },
	{ SLICE("output_item.done"), item_done, DIALECT_EVENT_QUIET },
	{ SLICE("created"), response_began, DIALECT_EVENT_QUIET },
	{ SLICE("queued"), response_began, DIALECT_EVENT_QUIET },
	{ SLICE("in_progress"), response_began, DIALECT_EVENT_QUIET },
	{ SLICE("completed"), response_ended, DIALECT_EVENT_LAST },
	{ SLICE("incomplete"), response_ended, DIALECT_EVENT_LAST },
	{ SLICE("failed"), response_ended, DIALECT_EVENT_LAST },
	{ SLICE("cancelled"), response_ended, DIALECT_EVENT_LAST },
	{ SLICE("done"), response_ended, DIALECT_EVENT_LAST }, /* Realtime */
};

enum dialect_event response_stream_event(struct call *call, struct response_stream *stream,
					 const struct message_part *part)
{
	static const struct slice head = SLICE("response."), tail = SLICE(".delta");
	struct slice got[_EV_MAX] = { 0 }, type;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	stream->events++;
	stream->time_ns = part->time_ns;
	PICK(part->data, event_names, got);
	type = got[EV_TYPE].data ? json_raw_text(got[EV_TYPE]) : part->type;
	if (!slice_starts(type, head)) {
		if (!call->has_error &&
		    (slice_equal(type, SLICE("error")) || json_get(part->data, SLICE("error")).data))
			error_read(call, part->data, true);
		return DIALECT_EVENT_QUIET;
	}
	type = slice_from(type, head.len);
	for (size_t i = 0; i < ARRAY_SIZE(event_rules); i++)
		if (slice_equal(type, event_rules[i].type)) {
			event_rules[i].take(call, stream, got);
			return event_rules[i].is;
		}
	if (!slice_ends(type, tail))
		return DIALECT_EVENT_QUIET;
	return add_delta(call, stream, slice_head(type, type.len - tail.len), got) ? DIALECT_EVENT_CONTENT
										   : DIALECT_EVENT_QUIET;
}

void response_stream_times(struct call *call, const struct response_stream *stream)
{
	for (const struct response_item *item = stream->first; call->steps && item; item = item->next)
		steps_time(call, json_get(item->done.data ? item->done : item->added, SLICE("id")), item->added_ns,
			   item->done_ns);
}

/* ---- writing ---- */

/* The parts of content or summary that deltas wrote. */
static void put_parts(struct buf *out, const struct response_item *item, enum place place, struct slice name)
{
	bool is_open = false;

	for (const struct spot *spot = item->spots; spot; spot = spot->next) {
		if (spot->rule->place != place)
			continue;
		if (!is_open) {
			json_put_name(out, name);
			json_open(out, '[');
			is_open = true;
		}
		json_open(out, '{');
		json_member_text(out, SLICE("type"), spot->rule->type);
		pieces_member_text(out, spot->rule->member, &spot->text);
		json_close(out, '}');
	}
	if (is_open)
		json_close(out, ']');
}

/* Whether deltas wrote this member of the item, so that its beginning is out of date. */
static bool is_grown(const struct response_item *item, struct slice name)
{
	for (const struct spot *spot = item->spots; spot; spot = spot->next) {
		struct slice member = spot->rule->place == PLACE_CONTENT   ? SLICE("content")
				      : spot->rule->place == PLACE_SUMMARY ? SLICE("summary")
									   : spot->rule->member;

		if (slice_equal(name, member))
			return true;
	}
	return false;
}

static void put_item(struct buf *out, const struct response_item *item)
{
	if (item->done.data) {
		json_put_raw(out, item->done);
		return;
	}
	json_open(out, '{');
	if (json_type(item->added) == JSON_OBJECT)
		json_foreach_member(member, item->added) {
			if (is_grown(item, member.name))
				continue;
			json_put_raw_name(out, member.name);
			json_put_raw(out, member.value);
		}
	else /* its beginning was not seen */
		json_member_text(out, SLICE("type"),
				 item->spots && item->spots->rule->place == PLACE_MEMBER    ? SLICE("function_call")
				 : item->spots && item->spots->rule->place == PLACE_SUMMARY ? SLICE("reasoning")
											    : SLICE("message"));
	put_parts(out, item, PLACE_CONTENT, SLICE("content"));
	put_parts(out, item, PLACE_SUMMARY, SLICE("summary"));
	for (const struct spot *spot = item->spots; spot; spot = spot->next)
		if (spot->rule->place == PLACE_MEMBER)
			pieces_member_text(out, spot->rule->member, &spot->text);
	json_close(out, '}');
}

static size_t object_size(const struct response_stream *stream, struct slice base)
{
	size_t size = 256 + base.len;

	for (const struct response_item *item = stream->first; item; item = item->next) {
		size += 64 + (item->done.data ? item->done.len : item->added.len);
		for (const struct spot *spot = item->spots; spot; spot = spot->next)
			size += 64 + spot->text.len;
	}
	return size;
}

struct slice response_stream_object(struct call *call, const struct response_stream *stream)
{
	struct slice base = stream->final.data ? stream->final : stream->base;
	struct slice output = json_get(stream->final, SLICE("output"));
	struct out out;

	if (stream->final.data && (json_count(output) > 0 || !stream->first))
		return stream->final;
	out_init(&out, call->arena, object_size(stream, base));
	json_open(&out.buf, '{');
	if (json_type(base) == JSON_OBJECT)
		json_foreach_member(member, base) {
			if (slice_equal(member.name, SLICE("output")))
				continue;
			json_put_raw_name(&out.buf, member.name);
			json_put_raw(&out.buf, member.value);
		}
	else
		json_member_text(&out.buf, SLICE("object"), SLICE("response"));
	json_put_name(&out.buf, SLICE("output"));
	json_open(&out.buf, '[');
	for (const struct response_item *item = stream->first; item; item = item->next)
		put_item(&out.buf, item);
	json_close(&out.buf, ']');
	json_close(&out.buf, '}');
	return out_slice(&out);
}
