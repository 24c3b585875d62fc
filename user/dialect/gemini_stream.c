/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each chunk of a stream is a whole answer that holds only what is new. Of a candidate's parts, text goes on where the
 * last part was text of the same kind, everything else is one more part; all other members replace what was there.
 *
 *	{"candidates":[{"content":{"parts":[{"text":"Pa"}]}}],"usageMetadata":{…}}
 *	{"candidates":[{"content":{"parts":[{"text":"ris"}]},"finishReason":"STOP"}],"usageMetadata":{…}}
 */
#include "dialect/gemini.h"

enum { CANDIDATES_MAX = 64 };

struct gemini_part {
	struct gemini_part *next;
	struct slice whole; /* a part that is no plain text */
	struct pieces text;
	struct slice signature;
	bool is_thought;
};

struct gemini_candidate {
	struct gemini_candidate *next;
	int64_t index;
	struct slice role;
	struct members members;
	struct gemini_part *first, *last;
	size_t bytes;
	bool is_finished;
};

static void member_hold(struct call *call, struct members *members, const struct json_iter *member)
{
	if (json_type(member->value) != JSON_NULL)
		member_gather(call, members, member->name, member->value);
}

static struct gemini_candidate *candidate_of(struct call *call, struct gemini_stream *stream, struct slice object)
{
	int64_t index = 0;

	json_int(json_get(object, SLICE("index")), &index);
	return ITEM_GATHER(call, stream, index, CANDIDATES_MAX);
}

static struct gemini_part *part_new(struct call *call, struct gemini_candidate *candidate)
{
	struct gemini_part *part = arena_new_of(call->arena, struct gemini_part);

	call_lost(call, part);
	if (!part)
		return NULL;
	*(candidate->last ? &candidate->last->next : &candidate->first) = part;
	candidate->last = part;
	candidate->bytes += 64;
	return part;
}

enum { TEXT_TEXT, TEXT_THOUGHT, TEXT_SIGNATURE, _TEXT_MAX };
static const struct slice text_names[_TEXT_MAX] = {
	[TEXT_TEXT] = SLICE("text"),
	[TEXT_THOUGHT] = SLICE("thought"),
	[TEXT_SIGNATURE] = SLICE("thoughtSignature"),
};

/* A part of which nothing would be lost by writing it anew. */
static bool is_plain_text(struct slice part, struct slice *got)
{
	size_t known = 0;

	if (json_type(part) != JSON_OBJECT)
		return false;
	pick_members(part, text_names, got, _TEXT_MAX);
	json_foreach_member(member, part)
		for (size_t i = 0; i < _TEXT_MAX; i++)
			known += slice_equal(member.name, text_names[i]);
	return json_type(got[TEXT_TEXT]) == JSON_STRING && known == json_count(part);
}

static bool text_add(struct call *call, struct gemini_candidate *candidate, const struct slice *got)
{
	bool is_thought = json_is_true(got[TEXT_THOUGHT]);
	struct slice raw = json_raw_text(got[TEXT_TEXT]);
	struct gemini_part *part = candidate->last;

	if (!raw.len && !got[TEXT_SIGNATURE].data && part)
		return false;
	if (!part || part->whole.data || part->is_thought != is_thought)
		part = part_new(call, candidate);
	if (!part)
		return false;
	part->is_thought = is_thought;
	call_lost(call, pieces_add(call->arena, &part->text, raw));
	call_lost(call, slice_hold(call->arena, &part->signature, got[TEXT_SIGNATURE]));
	candidate->bytes += raw.len + got[TEXT_SIGNATURE].len;
	return raw.len;
}

static bool part_add(struct call *call, struct gemini_candidate *candidate, struct slice value)
{
	struct slice got[_TEXT_MAX] = { 0 };
	struct gemini_part *part;

	if (is_plain_text(value, got))
		return text_add(call, candidate, got);
	part = part_new(call, candidate);
	if (!part)
		return false;
	part->whole = arena_dup(call->arena, value);
	call_lost(call, part->whole.data);
	candidate->bytes += value.len;
	return true;
}

static bool candidate_add(struct call *call, struct gemini_stream *stream, struct slice object)
{
	struct gemini_candidate *candidate;
	bool has_content = false;

	if (json_type(object) != JSON_OBJECT)
		return false;
	candidate = candidate_of(call, stream, object);
	if (!candidate)
		return false;
	json_foreach_member(member, object) {
		if (slice_equal(member.name, SLICE("content"))) {
			call_lost(call,
				  slice_hold(call->arena, &candidate->role, json_get(member.value, SLICE("role"))));
			json_foreach_element(part, json_get(member.value, SLICE("parts")))
				has_content |= part_add(call, candidate, part.value);
			continue;
		}
		member_hold(call, &candidate->members, &member);
		if (slice_equal(member.name, SLICE("finishReason")) && json_type(member.value) != JSON_NULL &&
		    !candidate->is_finished) {
			candidate->is_finished = true;
			stream->finished++;
		}
	}
	return has_content;
}

static void wrapper_hold(struct call *call, struct gemini_stream *stream, struct slice chunk)
{
	stream->is_wrapped = true;
	json_foreach_member(member, chunk)
		if (!slice_equal(member.name, SLICE("response")))
			member_hold(call, &stream->wrapper, &member);
}

enum dialect_event gemini_stream_add(struct call *call, struct gemini_stream *stream, struct slice chunk)
{
	struct slice inner = json_get(chunk, SLICE("response"));
	bool has_content = false, is_blocked = false, was_over = stream->count && stream->finished == stream->count;

	if (json_type(inner) == JSON_OBJECT && !json_get(chunk, SLICE("candidates")).data) {
		wrapper_hold(call, stream, chunk);
		chunk = inner;
	}
	stream->chunks++;
	json_foreach_member(member, chunk) {
		if (slice_equal(member.name, SLICE("candidates"))) {
			json_foreach_element(candidate, member.value)
				has_content |= candidate_add(call, stream, candidate.value);
			continue;
		}
		is_blocked |= slice_equal(member.name, SLICE("promptFeedback")) &&
			      json_get(member.value, SLICE("blockReason")).data;
		member_hold(call, &stream->answer, &member);
	}
	/* The last chunk may be the first token as well; some models put a finish reason into every chunk, which ends nothing. */
	stream->goes_on |= was_over && has_content;
	call->ended_itself = stream->count ? stream->finished == stream->count && !stream->goes_on : is_blocked;
	if (has_content)
		return DIALECT_EVENT_CONTENT;
	return call->ended_itself ? DIALECT_EVENT_LAST : DIALECT_EVENT_QUIET;
}

/* ---- writing ---- */

static void part_put(struct buf *out, const struct gemini_part *part)
{
	if (part->whole.data) {
		json_put_raw(out, part->whole);
		return;
	}
	json_open(out, '{');
	pieces_member_text(out, SLICE("text"), &part->text);
	if (part->is_thought)
		json_member_raw(out, SLICE("thought"), SLICE("true"));
	json_member_raw(out, SLICE("thoughtSignature"), part->signature);
	json_close(out, '}');
}

static void candidate_put(struct buf *out, const struct gemini_candidate *candidate)
{
	json_open(out, '{');
	if (candidate->first || candidate->role.data) {
		json_put_name(out, SLICE("content"));
		json_open(out, '{');
		json_put_name(out, SLICE("parts"));
		json_open(out, '[');
		for (const struct gemini_part *part = candidate->first; part; part = part->next)
			part_put(out, part);
		json_close(out, ']');
		json_member_raw(out, SLICE("role"), candidate->role);
		json_close(out, '}');
	}
	members_put(out, &candidate->members);
	json_close(out, '}');
}

static size_t guess_of(const struct gemini_stream *stream)
{
	size_t guess = 256;

	for (const struct gemini_candidate *candidate = stream->first; candidate; candidate = candidate->next)
		guess += candidate->bytes + 128 + members_size(&candidate->members);
	return guess + members_size(&stream->answer);
}

struct slice gemini_stream_object(struct call *call, const struct gemini_stream *stream)
{
	struct out out;

	out_init(&out, call->arena, guess_of(stream));
	json_open(&out.buf, '{');
	if (stream->is_wrapped) {
		json_put_name(&out.buf, SLICE("response"));
		json_open(&out.buf, '{');
	}
	if (stream->first) {
		json_put_name(&out.buf, SLICE("candidates"));
		json_open(&out.buf, '[');
		for (const struct gemini_candidate *candidate = stream->first; candidate; candidate = candidate->next)
			candidate_put(&out.buf, candidate);
		json_close(&out.buf, ']');
	}
	members_put(&out.buf, &stream->answer);
	if (stream->is_wrapped) {
		json_close(&out.buf, '}');
		members_put(&out.buf, &stream->wrapper);
	}
	json_close(&out.buf, '}');
	return out_slice(&out);
}
