/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One capped heap per call: bodies grow in buffers of their own, so that their doubling leaves no dead copies in the
 * arena, and the heap's count of refusals is the one place that knows whether anything had to be left out.
 */
#include "call/draft.h"
#include "call/ending.h"
#include "call/headers.h"

static bool draft_memory(struct draft *draft, size_t bytes_max)
{
	struct arena *arena;

	chunks_init(&draft->chunks, draft->alloc, bytes_max / 8);
	draft->heap = (struct alloc_heap)ALLOC_HEAP_IN(draft->alloc, bytes_max - bytes_max / 8);
	arena = arena_new(&draft->heap.alloc, SIZE_MAX);
	if (!arena)
		return false;
	draft->call = arena_new_of(arena, struct call);
	if (!draft->call) {
		arena_free(arena);
		return false;
	}
	*draft->call = (struct call){ .arena = arena, .usage = USAGE_NONE, .cost_told_nano = -1 };
	draft->call->chunks_tail = &draft->call->chunks;
	draft->held_tail = &draft->held;
	/* Less than the heap: a body at its limit leaves room for what the dialect makes of it. */
	for (int i = 0; i < _MESSAGE_MAX; i++)
		draft->body[i] = BUF(&draft->heap.alloc, bytes_max / 4 * 3);
	return true;
}

struct draft *draft_new(struct alloc *alloc, size_t bytes_max, const struct message_head *head)
{
	struct draft *draft = alloc_get(alloc, sizeof(*draft));

	if (!draft)
		return NULL;
	draft->alloc = alloc;
	if (!draft_memory(draft, bytes_max)) {
		alloc_put(alloc, draft, sizeof(*draft));
		return NULL;
	}
	draft->activity_ns = head->time_ns;
	draft->key.is_server = head->dir == (head->kind == MESSAGE_REQUEST ? DIR_READ : DIR_WRITE);
	return draft;
}

void draft_shed(struct draft *draft)
{
	chunks_free(&draft->chunks);
	for (int i = 0; i < _MESSAGE_MAX; i++)
		buf_free(&draft->body[i]);
	if (draft->call)
		arena_free(draft->call->arena);
	draft->call = NULL;
	draft->state = NULL;
	draft->held = NULL;
}

struct draft *draft_free(struct draft *draft)
{
	if (!draft)
		return NULL;
	draft_shed(draft);
	alloc_put(draft->alloc, draft, sizeof(*draft));
	return NULL;
}

void draft_body(struct draft *draft, enum message_kind kind, const struct message_part *part)
{
	struct buf *body = &draft->body[kind];

	if (draft->body_is_broken[kind])
		return;
	if (part->kind == PART_MESSAGE)
		buf_put(body, (struct slice){ (const char *)&(uint32_t){ __builtin_bswap32((uint32_t)part->data.len) },
					      sizeof(uint32_t) });
	buf_put(body, part->data);
	if (part->kind == PART_LINE)
		buf_put_char(body, '\n');
	if (body->failed)
		draft->body_cut[kind] += part->data.len;
}

void draft_hole(struct draft *draft, enum message_kind kind, enum missing_reason reason)
{
	draft->body_is_broken[kind] = true;
	draft->hole_reasons[kind] |= 1u << reason;
}

void draft_hold(struct draft *draft, const struct message_part *part)
{
	struct arena *arena = draft->call->arena;
	struct held_part *held = arena_new_of(arena, struct held_part);

	draft->held_count++;
	if (!held)
		return;
	held->part = *part;
	held->part.type = arena_dup(arena, part->type);
	held->part.data = arena_dup(arena, part->data);
	if (!held->part.data.data)
		return;
	*draft->held_tail = held;
	draft->held_tail = &held->next;
}

/* Without its state a dialect cannot run; the bare call is still owed. */
static bool dialect_can_run(const struct draft *draft)
{
	return draft->is_started && (draft->state || !draft->call->dialect->state_size);
}

void draft_start(struct draft *draft, const struct dialect *dialect)
{
	struct call *call = draft->call;
	struct held_part *held = draft->held;

	draft->is_started = true;
	draft->state = dialect->state_size ? arena_alloc(call->arena, dialect->state_size) : NULL;
	call->dialect = dialect;
	call->request_body = buf_slice(&draft->body[MESSAGE_REQUEST]);
	if (dialect_can_run(draft) && dialect->request)
		dialect->request(call, draft->state);
	draft->held = NULL;
	for (; held; held = held->next)
		draft_event(draft, &held->part);
}

static void event_count(struct call *call, uint64_t time_ns)
{
	if (!call->events)
		call->first_event_ns = time_ns;
	else if (time_ns > call->last_event_ns)
		call->max_gap_ns = MAX(call->max_gap_ns, time_ns - call->last_event_ns);
	call->last_event_ns = MAX(call->last_event_ns, time_ns);
	call->events++;
}

/* An object or an array; whether it is a good one is the reader's matter. */
static bool text_is_json(struct slice text)
{
	text = slice_trim(text);
	return text.len && (text.data[0] == '{' || text.data[0] == '[');
}

/* An error event is told as the error; the clients that record chunks raise before they would record it. */
static bool chunk_is_wanted(const struct draft *draft)
{
	return draft->call->dialect->keeps_chunks && !draft->drops_chunks && !draft->call->has_error &&
	       text_is_json(draft->call->chunk_shown.value);
}

void draft_event(struct draft *draft, const struct message_part *part)
{
	struct call *call = draft->call;
	enum dialect_event event = DIALECT_EVENT_QUIET;

	/* One message may be all of an answer: only the second shows that it came in pieces. */
	call->is_stream = part->kind != PART_MESSAGE || call->events;
	call->chunk_shown = (struct name_value){ part->type, part->data };
	if (dialect_can_run(draft) && call->dialect->event)
		event = call->dialect->event(call, draft->state, part);
	/* After an error in band nothing comes that a client would wait for. */
	if (event == DIALECT_EVENT_END || event == DIALECT_EVENT_LAST || (call->has_error && call->error.in_band))
		call->ended_itself = true;
	if (event == DIALECT_EVENT_END || !part->data.len)
		return;
	event_count(call, part->time_ns);
	if (event == DIALECT_EVENT_CONTENT && !call->first_token_ns)
		call->first_token_ns = part->time_ns;
	if (chunk_is_wanted(draft))
		chunks_add(&draft->chunks, call, call->chunk_shown, part->time_ns);
}

/* An event stream that was cut before its first event is a stream all the same. */
static bool answer_is_empty_stream(const struct call *call)
{
	static const struct slice types[] = { SLICE("text/event-stream"), SLICE("application/x-ndjson"),
					      SLICE("application/vnd.amazon.eventstream") };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!call->response_body.len && slice_starts_nocase(call->content_type, types[i]))
			return true;
	return false;
}

void draft_key_fill(struct draft *draft, const struct conn_info *conn)
{
	const struct call *call = draft->call;
	const struct message_end *end = &call->request_end;
	struct slice words[] = { call->method, call->path };
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (size_t k = 0; k < words[i].len; k++)
			hash = (hash ^ (unsigned char)words[i].data[k]) * 0x100000001b3;
	draft->key.conn = *conn;
	draft->key.name = hash ^ draft->turn;
	draft->key.has_name = call->method.len > 0;
	draft->key.body_bytes =
		draft_has_end(draft, MESSAGE_REQUEST) && end->how == MESSAGE_END_FRAMED ? end->body_bytes : -1;
	draft->key.start_ns = call->request_start_ns ? call->request_start_ns : call->response_start_ns;
	draft->key.end_ns = draft->activity_ns;
}

void draft_finish(struct draft *draft, enum close_how how, uint64_t close_ns)
{
	struct call *call = draft->call;
	bool can_run = dialect_can_run(draft);

	call->response_body = buf_slice(&draft->body[MESSAGE_RESPONSE]);
	call->is_stream = call->is_stream || answer_is_empty_stream(call);
	ending_fill(draft, how, close_ns);
	if (can_run && !call->is_stream && !call->events && draft_has_head(draft, MESSAGE_RESPONSE) &&
	    call->dialect->response)
		call->dialect->response(call, draft->state);
	call->end = ending_classify(draft, how, close_ns);
	call->end_ns = ending_time(draft, close_ns);
	if (can_run && call->dialect->finish)
		call->dialect->finish(call, draft->state);
	ending_judge(draft);
}
