/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One capped heap per call: bodies grow in buffers of their own, so that their doubling leaves no dead copies in the
 * arena, and the heap's count of refusals is the one place that knows whether anything had to be left out.
 */
#include "call/draft.h"
#include "base/json.h"
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
	for (int i = 0; i < _MESSAGE_MAX; i++)
		media_init(&draft->media[i], &draft->body[i]);
	draft->aside = ASIDE;
	draft->media[MESSAGE_REQUEST].place = &draft->aside.at;
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
	if (draft->call && draft->call->aside)
		draft->aside_end(draft->aside_user, draft->call->aside);
	if (draft->form) {
		form_free(draft->form);
		alloc_put(&draft->heap.alloc, draft->form, sizeof(*draft->form));
		draft->form = NULL;
	}
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

static struct slice body_type(const struct draft *draft, enum message_kind kind)
{
	const struct call *call = draft->call;

	return kind == MESSAGE_REQUEST
		       ? call_header(call->request_headers, call->request_header_count, SLICE("content-type"))
		       : call->content_type;
}

/* NULL: its type names no boundary, or there is no memory; it is kept as it came then. */
static struct form *form_open(struct draft *draft)
{
	struct alloc *alloc = &draft->heap.alloc;
	struct form *form = alloc_get(alloc, sizeof(*form));

	if (form && !form_init(form, body_type(draft, MESSAGE_REQUEST), alloc, &draft->body[MESSAGE_REQUEST])) {
		alloc_put(alloc, form, sizeof(*form));
		form = NULL;
	}
	return draft->form = form;
}

/* Each message with its length before it, as it came. */
static void body_message(struct buf *body, struct slice data)
{
	uint32_t len = __builtin_bswap32((uint32_t)data.len);

	buf_put(body, (struct slice){ (const char *)&len, sizeof(len) });
	buf_put(body, data);
}

static void body_sieve(struct draft *draft, enum message_kind kind, const struct message_part *part)
{
	struct media *media = &draft->media[kind];

	media_feed(media, part->data);
	if (part->kind == PART_LINE)
		media_feed(media, SLICE("\n"));
	draft->body_cut[kind] += media->lost;
	media->lost = 0;
}

/* How a body is kept shows with its first bytes. */
static void body_begin(struct draft *draft, enum message_kind kind, const struct message_part *part)
{
	struct slice type = body_type(draft, kind);

	if (kind == MESSAGE_REQUEST && form_type_is(type))
		form_open(draft);
	draft->is_file[kind] = part->kind == PART_BYTES && blob_type_is(type);
	draft->file[kind] = BLOB;
}

void draft_body(struct draft *draft, enum message_kind kind, const struct message_part *part)
{
	struct buf *body = &draft->body[kind];

	if (draft->body_is_broken[kind])
		return;
	if (!draft->body_seen[kind])
		body_begin(draft, kind, part);
	draft->body_seen[kind] += part->data.len;
	if (draft->is_file[kind]) {
		blob_put(&draft->file[kind], part->data);
	} else if (kind == MESSAGE_REQUEST && draft->form) {
		form_feed(draft->form, part->data);
		draft->body_cut[kind] += body->failed ? part->data.len : 0;
	} else if (part->kind == PART_MESSAGE) {
		body_message(body, part->data);
		draft->body_cut[kind] += body->failed ? part->data.len : 0;
	} else {
		body_sieve(draft, kind, part);
	}
}

/* {"type":"audio/mpeg","bytes":320044,"sha256":"…"} */
static void file_tell(struct draft *draft, enum message_kind kind)
{
	struct buf *body = &draft->body[kind];
	struct slice type = body_type(draft, kind);
	char sha[SHA256_TEXT_SIZE];

	draft->is_file[kind] = false;
	draft->media[kind].count++;
	draft->media[kind].bytes += blob_bytes(&draft->file[kind]);
	json_open(body, '{');
	json_member_text(body, SLICE("type"), slice_trim(slice_cut(&type, ';')));
	json_member_int(body, SLICE("bytes"), (int64_t)blob_bytes(&draft->file[kind]));
	sha256_text(&draft->file[kind].sha, sha);
	json_member_text(body, SLICE("sha256"), slice_of(sha));
	json_close(body, '}');
}

void draft_body_end(struct draft *draft, enum message_kind kind)
{
	struct media *media = &draft->media[kind];

	if (draft->is_file[kind])
		file_tell(draft, kind);
	media_end(media);
	draft->body_cut[kind] += media->lost;
	media->lost = 0;
	if (kind == MESSAGE_REQUEST && draft->form)
		form_end(draft->form);
	/* What a file needed until it was judged, and a call may be held for seconds. */
	if (media->count)
		buf_shrink(&draft->body[kind]);
}

void draft_hole(struct draft *draft, enum message_kind kind, enum missing_reason reason)
{
	draft_body_end(draft, kind);
	draft->body_is_broken[kind] = true;
	draft->hole_reasons[kind] |= 1u << reason;
}

/* @part with the files in it replaced: a view of @scratch, or of what it was. */
static struct message_part part_sieve(struct draft *draft, const struct message_part *part, struct buf *scratch)
{
	struct media *told = &draft->media[MESSAGE_RESPONSE];
	struct message_part sieved = *part;
	struct media media;

	*scratch = BUF(&draft->heap.alloc, part->data.len);
	if (part->data.len < MEDIA_RUN_MIN)
		return sieved;
	media_init(&media, scratch);
	media_feed(&media, part->data);
	media_end(&media);
	if (!media.count || scratch->failed)
		return sieved;
	told->count += media.count;
	told->bytes += media.bytes;
	sieved.data = buf_slice(scratch);
	return sieved;
}

static void media_tell(struct draft *draft)
{
	const struct media *media = draft->media;
	uint64_t count = media[MESSAGE_REQUEST].count + media[MESSAGE_RESPONSE].count;
	uint64_t bytes = media[MESSAGE_REQUEST].bytes + media[MESSAGE_RESPONSE].bytes;

	if (draft->form) {
		count += draft->form->count;
		bytes += draft->form->bytes;
	}
	if (!count)
		return;
	call_put_count(draft->call, "spantap.media.replaced", (int64_t)count);
	call_put_count(draft->call, "spantap.media.replaced_bytes", (int64_t)bytes);
}

void draft_hold(struct draft *draft, const struct message_part *part)
{
	struct arena *arena = draft->call->arena;
	struct held_part *held = arena_new_of(arena, struct held_part);
	struct buf scratch;

	draft->held_count++;
	if (!held)
		return;
	held->part = part_sieve(draft, part, &scratch);
	held->part.type = arena_dup(arena, part->type);
	held->part.data = arena_dup(arena, held->part.data);
	buf_free(&scratch);
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
	draft_body_end(draft, MESSAGE_REQUEST);
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

static void event_take(struct draft *draft, const struct message_part *part)
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

void draft_event(struct draft *draft, const struct message_part *part)
{
	struct buf scratch;
	struct message_part sieved = part_sieve(draft, part, &scratch);

	event_take(draft, &sieved);
	buf_free(&scratch);
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

	draft_body_end(draft, MESSAGE_RESPONSE);
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
	media_tell(draft);
	ending_judge(draft);
}
