/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose an exchange is gets asked as late as possible, because what is known only grows: with the request's head for a
 * method without a body, early in a large body that is no JSON object, at the request's end, and last with the
 * beginning of the answer, where the answer decides. "Nobody's" is believed only when no later stage could say
 * otherwise. The dialect starts with the answer's first event, or at the end, and always after the whole request: the
 * two directions of a connection are not ordered against each other, so events that are early are held.
 */
#include "call/feed.h"
#include "call/headers.h"
#include "call/tracker.h"

enum {
	LOOK_BYTES = 4096,    /* of a body: enough to tell a model call from an upload or a web page */
	HELD_MAX = 8,         /* events of an answer that nobody recognises */
	EXCHANGES_MAX = 1024, /* open on one connection */
};

static const struct slice bodyless_methods[] = { SLICE("GET"), SLICE("HEAD"), SLICE("OPTIONS"), SLICE("CONNECT"),
						 SLICE("TRACE") };

struct exchange *exchange_find(struct call_conn *conn, uint64_t number)
{
	struct exchange *ex = conn->first;

	while (ex && ex->number != number)
		ex = ex->next;
	return ex;
}

struct exchange *exchange_open(struct call_conn *conn, uint64_t number, const struct message_head *head)
{
	struct call_tracker *tracker = conn->tracker;
	struct alloc *alloc = tracker->opts.alloc;
	struct exchange *ex = conn->count < EXCHANGES_MAX ? alloc_get(alloc, sizeof(*ex)) : NULL;

	if (!ex)
		return NULL;
	ex->number = number;
	ex->draft = draft_new(alloc, tracker->opts.call_bytes_max, head);
	ex->is_shed = !ex->draft;
	if (ex->draft) {
		ex->draft->drops_chunks = tracker->opts.drops_chunks;
		ex->draft->aside_end = tracker->ops->aside_end;
		ex->draft->aside_user = tracker->user;
		ex->draft->call->defers_messages = tracker->opts.defers_messages;
	}
	*conn->tail = ex;
	conn->tail = &ex->next;
	conn->count++;
	return ex;
}

void exchange_free(struct call_conn *conn, struct exchange *ex)
{
	struct exchange **at = &conn->first;

	while (*at != ex)
		at = &(*at)->next;
	*at = ex->next;
	if (conn->tail == &ex->next)
		conn->tail = at;
	conn->count--;
	session_free(ex);
	draft_free(ex->draft);
	alloc_put(conn->tracker->opts.alloc, ex, sizeof(*ex));
}

bool exchange_is_over(const struct exchange *ex)
{
	unsigned request = 1u << MESSAGE_REQUEST;

	return ex->ends & 1u << MESSAGE_RESPONSE && (ex->ends & request || !(ex->heads & request));
}

static bool method_is_bodyless(struct slice method)
{
	for (size_t i = 0; i < ARRAY_SIZE(bodyless_methods); i++)
		if (slice_equal(method, bodyless_methods[i]))
			return true;
	return false;
}

static bool request_is_whole(const struct draft *draft)
{
	if (method_is_bodyless(draft->call->method))
		return true;
	return draft_has_end(draft, MESSAGE_REQUEST) && draft->call->request_end.how == MESSAGE_END_FRAMED &&
	       !draft->body_is_broken[MESSAGE_REQUEST] && !draft->body[MESSAGE_REQUEST].failed;
}

static const struct dialect *hint_find(struct call_conn *conn, const struct draft *draft, struct dialect_hint *hint)
{
	const struct call *call = draft->call;
	unsigned score = 0;

	hint->method = call->method;
	hint->path = draft->path_decoded;
	hint->host = call->host;
	hint->headers = call->request_headers;
	hint->header_count = call->request_header_count;
	return conn->tracker->ops->find(conn->tracker->user, hint, &score);
}

static const struct dialect *exchange_look(struct call_conn *conn, const struct draft *draft, struct slice answer)
{
	struct dialect_hint hint = {
		.protocol = draft->call->protocol,
		.request_body = buf_slice(&draft->body[MESSAGE_REQUEST]),
		.request_is_whole = request_is_whole(draft),
		.response_body = answer,
	};

	/* Fields of a form come in any order, files first: half of them would speak against what the whole is. */
	if (draft->form && !hint.request_is_whole)
		hint.request_body = SLICE_NONE;
	return hint_find(conn, draft, &hint);
}

const struct dialect *exchange_ask(struct call_conn *conn, const struct draft *draft, enum message_kind kind,
				   struct slice message)
{
	struct slice protocol = headers_protocol(draft->call, SLICE("eventstream"));
	struct dialect_hint hint = { .protocol = protocol, .request_is_whole = true };

	*(kind == MESSAGE_REQUEST ? &hint.request_body : &hint.response_body) = message;
	return hint_find(conn, draft, &hint);
}

/* Without a dialect so far, but the answer may still tell one: its request was missed, or is a JSON object. */
static bool answer_may_tell(const struct draft *draft)
{
	const struct buf *body = &draft->body[MESSAGE_REQUEST];

	if (!draft_has_head(draft, MESSAGE_REQUEST) || draft->call->request_is_late ||
	    draft->body_is_broken[MESSAGE_REQUEST])
		return true;
	/* A form is shown as an object, but it is its path that tells. */
	return !draft->form && slice_starts(slice_trim(slice_head(buf_slice(body), LOOK_BYTES)), SLICE("{"));
}

/* What of a message's bytes belongs to no turn. */
static uint64_t bytes_beside(const struct exchange *ex, enum message_kind kind, const struct message_end *end)
{
	return end->stream_bytes - MIN(end->stream_bytes, ex->turned[kind]);
}

/* The same of those that came this far. */
static uint64_t captured_beside(const struct exchange *ex, enum message_kind kind, const struct message_end *end)
{
	uint64_t captured = end_captured_bytes(end);

	return captured - MIN(captured, ex->turned[kind]);
}

/* Only where one exchange follows another and begins with a word can the kernel mute it and know when the next begins. In
 * HTTP/2 and in other protocols it would go on muting for ever, and a hole in the stream costs the header table: such a connection is never muted. */
static bool can_mute(const struct draft *draft)
{
	return !slice_equal(draft->call->http_version, SLICE("2")) && !draft->call->protocol.len;
}

/* Its bytes so far belong to no call; those that follow are counted as their ends come. */
static void exchange_drop(struct call_conn *conn, struct exchange *ex)
{
	const struct call *call = ex->draft->call;
	bool was_cut = ex->draft->body_cut[MESSAGE_REQUEST] || ex->draft->body_cut[MESSAGE_RESPONSE] ||
		       ex->draft->heap.refused;
	uint64_t bytes = 0, captured = 0;

	if (ex->ends & 1u << MESSAGE_REQUEST) {
		bytes += bytes_beside(ex, MESSAGE_REQUEST, &call->request_end);
		captured += captured_beside(ex, MESSAGE_REQUEST, &call->request_end);
	}
	if (ex->ends & 1u << MESSAGE_RESPONSE) {
		bytes += bytes_beside(ex, MESSAGE_RESPONSE, &call->response_end);
		captured += captured_beside(ex, MESSAGE_RESPONSE, &call->response_end);
	}
	session_free(ex);
	ex->is_strange = !was_cut && strange_is(conn, ex);
	conn->is_wanted |= was_cut;
	ex->draft = draft_free(ex->draft);
	ex->is_nobodys = !was_cut;
	ex->is_shed = was_cut; /* what was cut may have told whose it was */
	if (was_cut)
		conn->tracker->ops->shed(conn->tracker->user, captured);
	else if (bytes)
		conn->tracker->ops->no_call(conn->tracker->user, bytes);
	strange_count(conn, ex, bytes);
}

/* Another exchange on the connection may still be wanted. */
void exchange_pass(struct call_conn *conn, struct exchange *ex)
{
	bool is_mute = can_mute(ex->draft);

	exchange_drop(conn, ex);
	/* What was given up may have been a call: its answer is lost to the memory, not to a policy. */
	ex->may_mute = is_mute && ex->is_nobodys;
	strange_mute(conn);
}

static void head_take(struct call_conn *conn, struct exchange *ex, const struct message_head *head, uint32_t thread)
{
	struct draft *draft = ex->draft;

	draft->heads = ex->heads;
	draft->activity_ns = MAX(draft->activity_ns, head->time_ns);
	if (head->kind == MESSAGE_RESPONSE) {
		draft->answer_activity_ns = MAX(draft->answer_activity_ns, head->time_ns);
		headers_take_response(draft->call, head);
		if (!draft_has_head(draft, MESSAGE_REQUEST)) {
			draft->call->request_is_late = true;
			draft->call->thread = thread;
		}
		return;
	}
	headers_take_request(draft->call, head);
	ex->alike = strange_alike(head);
	draft->call->thread = thread;
	draft->target = feed_target(head->target);
	draft->path_decoded = headers_path_decode(draft->call->arena, draft->call->path);
	ex->may_feed = feed_is_asked(draft->call);
	if (!session_is_asked(head) && !ex->may_feed && method_is_bodyless(draft->call->method) &&
	    !exchange_look(conn, draft, SLICE_NONE))
		exchange_pass(conn, ex);
}

void exchange_head(struct call_conn *conn, struct exchange *ex, const struct message_head *head, uint32_t thread)
{
	ex->heads |= 1u << head->kind;
	if (!ex->draft)
		return;
	head_take(conn, ex, head, thread);
	if (ex->draft && ex->session && headers_refuse_two_way(ex->draft->call))
		session_free(ex);
	if (ex->draft && !ex->session && session_begins(head) && !session_open(conn, ex))
		exchange_pass(conn, ex);
}

/* The request is over and events of its answer wait: does one of them tell whose they are? */
static void held_release(struct call_conn *conn, struct exchange *ex)
{
	struct draft *draft = ex->draft;

	for (struct held_part *held = draft->held; held; held = held->next) {
		const struct dialect *dialect = exchange_look(conn, draft, held->part.data);

		if (dialect)
			return draft_start(draft, dialect);
	}
	if (draft->held_count >= HELD_MAX)
		exchange_pass(conn, ex);
}

static void request_tell(struct call_conn *conn, struct draft *draft)
{
	const struct call_ops *ops = conn->tracker->ops;

	if (!ops->asked || draft->is_started || !exchange_look(conn, draft, SLICE_NONE))
		return;
	draft_key_fill(draft, &conn->info);
	if (pair_waits_for_client(&draft->key))
		return;
	draft->call->request_body = buf_slice(&draft->body[MESSAGE_REQUEST]);
	draft->call->conn = conn->info;
	draft->call->conn.peer.is_accepted = draft->key.is_server;
	ops->asked(conn->tracker->user, draft->call);
}

static void request_is_over(struct call_conn *conn, struct exchange *ex)
{
	if (ex->draft->held_count)
		held_release(conn, ex);
	else if (!ex->may_feed && !answer_may_tell(ex->draft) && !exchange_look(conn, ex->draft, SLICE_NONE))
		exchange_pass(conn, ex);
	else
		request_tell(conn, ex->draft);
}

static void answer_event(struct call_conn *conn, struct exchange *ex, const struct message_part *part)
{
	struct draft *draft = ex->draft;
	const struct dialect *dialect;

	if (ex->may_feed) {
		if (feed_event(conn, ex, part))
			return;
		ex->may_feed = false;
		return exchange_pass(conn, ex);
	}
	if (draft->is_started)
		return draft_event(draft, part);
	if (!draft_request_is_over(draft))
		return draft_hold(draft, part);
	dialect = exchange_look(conn, draft, part->data);
	if (dialect) {
		draft_start(draft, dialect);
		return draft_event(draft, part);
	}
	draft_hold(draft, part);
	if (draft->held_count >= HELD_MAX)
		exchange_pass(conn, ex);
}

struct giver {
	struct call_conn *conn;
	struct draft *draft;
};

static bool text_give(void *user, struct slice text, struct aside_id *ret)
{
	const struct giver *giver = user;
	struct call_tracker *tracker = giver->conn->tracker;
	struct call *call = giver->draft->call;

	/* No more of a call than could be kept in memory. */
	if (giver->draft->aside.bytes + text.len > giver->draft->body[MESSAGE_REQUEST].max)
		return false;
	if (!call->aside)
		call->aside = ++tracker->asides;
	return tracker->ops->aside(tracker->user, &giver->conn->info, call, text, ret);
}

/* Of a request that is known to be a call: what may be no call leaves no trace on a disk. */
static void texts_put_aside(struct call_conn *conn, struct draft *draft)
{
	struct buf *body = &draft->body[MESSAGE_REQUEST];
	struct media *media = &draft->media[MESSAGE_REQUEST];
	struct giver giver = { conn, draft };
	const struct aside_ops ops = { text_give, &giver, draft->call->credential };

	draft->aside.limit = body->len + ASIDE_LIMIT / 2;
	/* What a dialect has begun with stays where it is. */
	if (draft->is_started || media->state != MEDIA_JSON || ops.secret.len > ASIDE_SECRET_MAX ||
	    !exchange_look(conn, draft, SLICE_NONE))
		return;
	media_moved(media, aside_take(&draft->aside, body, media->in_string ? media->run_at : body->len, &ops));
	if (!media_run_is_text(media))
		return;
	/* What is behind it may have to go as a whole: nothing that goes now begins before it. */
	aside_skip(&draft->aside, body, media->run_at, &ops);
	aside_take(&draft->aside, body, body->len, &ops);
}

static bool texts_may_go(const struct call_conn *conn, const struct draft *draft, enum message_kind kind)
{
	return kind == MESSAGE_REQUEST && conn->tracker->opts.lays_aside && !draft->form;
}

/* In pieces that end where texts are due to go, for that must not depend on how the body was cut on its way. */
static void body_take(struct call_conn *conn, struct draft *draft, enum message_kind kind,
		      const struct message_part *part)
{
	const struct buf *body = &draft->body[kind];
	struct message_part piece = *part;
	struct slice rest = part->data;

	while (part->kind == PART_BYTES && texts_may_go(conn, draft, kind) &&
	       rest.len > aside_room(&draft->aside, body)) {
		piece.data = slice_head(rest, aside_room(&draft->aside, body));
		rest = slice_from(rest, piece.data.len);
		draft_body(draft, kind, &piece);
		if (!aside_room(&draft->aside, body))
			texts_put_aside(conn, draft);
	}
	piece.data = rest;
	draft_body(draft, kind, &piece);
}

static void body_part(struct call_conn *conn, struct exchange *ex, enum message_kind kind,
		      const struct message_part *part)
{
	struct draft *draft = ex->draft;
	bool is_answer = kind == MESSAGE_RESPONSE;
	struct slice body;

	body_take(conn, draft, kind, part);
	body = buf_slice(&draft->body[kind]);
	if (ex->looks & 1u << kind || draft->body_seen[kind] < LOOK_BYTES)
		return;
	if (is_answer ? draft->is_started || !draft_request_is_over(draft) : answer_may_tell(draft))
		return;
	ex->looks |= 1u << kind;
	if (!exchange_look(conn, draft, is_answer ? body : SLICE_NONE))
		exchange_pass(conn, ex);
}

void exchange_part(struct call_conn *conn, struct exchange *ex, enum message_kind kind, const struct message_part *part)
{
	struct draft *draft = ex->draft;

	if (!draft)
		return;
	draft->activity_ns = MAX(draft->activity_ns, part->time_ns);
	if (kind == MESSAGE_RESPONSE)
		draft->answer_activity_ns = MAX(draft->answer_activity_ns, part->time_ns);
	if (ex->session)
		session_part(conn, ex, kind, part);
	else if (kind == MESSAGE_RESPONSE && part->kind != PART_BYTES)
		answer_event(conn, ex, part);
	else
		body_part(conn, ex, kind, part);
}

void exchange_hole(struct call_conn *conn, struct exchange *ex, enum message_kind kind, enum missing_reason reason,
		   uint64_t time_ns)
{
	if (!ex->draft)
		return;
	ex->draft->activity_ns = MAX(ex->draft->activity_ns, time_ns);
	if (ex->session)
		session_hole(conn, ex, kind, reason);
	else
		draft_hole(ex->draft, kind, reason);
}

static void end_keep(struct draft *draft, enum message_kind kind, const struct message_end *end)
{
	struct call *call = draft->call;
	struct message_end *keep = kind == MESSAGE_REQUEST ? &call->request_end : &call->response_end;

	*keep = *end;
	keep->content_type = end->content_type.len ? arena_dup(call->arena, end->content_type) : SLICE_NONE;
	keep->trailers = NULL;
	if (kind == MESSAGE_RESPONSE)
		headers_take_trailers(call, end);
	if (kind == MESSAGE_REQUEST)
		call->request_end_ns = end->time_ns;
	if (kind == MESSAGE_RESPONSE && !call->content_type.len)
		call->content_type = keep->content_type;
	/* The time of a cut may be that of the close: no sign of life. */
	if (end->how == MESSAGE_END_CUT)
		return;
	draft->activity_ns = MAX(draft->activity_ns, end->time_ns);
	if (kind == MESSAGE_RESPONSE)
		draft->answer_activity_ns = MAX(draft->answer_activity_ns, end->time_ns);
}

void exchange_end(struct call_conn *conn, struct exchange *ex, enum message_kind kind, const struct message_end *end)
{
	ex->ends |= 1u << kind;
	if (ex->is_nobodys) {
		conn->tracker->ops->no_call(conn->tracker->user, bytes_beside(ex, kind, end));
		return strange_count(conn, ex, bytes_beside(ex, kind, end));
	}
	if (ex->is_shed)
		return conn->tracker->ops->shed(conn->tracker->user, captured_beside(ex, kind, end));
	if (!ex->draft)
		return;
	ex->draft->ends = ex->ends;
	draft_body_end(ex->draft, kind);
	if (kind == MESSAGE_REQUEST && ex->draft->aside.bytes) {
		texts_put_aside(conn, ex->draft);
		buf_shrink(&ex->draft->body[kind]);
	}
	end_keep(ex->draft, kind, end);
	if (ex->session)
		session_close(ex, kind, end);
	else if (kind == MESSAGE_REQUEST)
		request_is_over(conn, ex);
	/* A cut is judged when the connection's own end is told, with the time of it; a reset is an end of its own. */
	if (!ex->draft || !exchange_is_over(ex) || (end->how == MESSAGE_END_CUT && !end->is_reset))
		return;
	exchange_finish(conn, ex, end->conn_how, end->time_ns);
	strange_mute(conn);
}

void exchange_start(struct call_conn *conn, struct exchange *ex)
{
	struct draft *draft = ex->draft;
	struct slice answer = buf_slice(&draft->body[MESSAGE_RESPONSE]);
	const struct dialect *dialect = exchange_look(conn, draft, answer);

	for (struct held_part *held = draft->held; held && !dialect; held = held->next)
		dialect = exchange_look(conn, draft, held->part.data);
	if (dialect)
		draft_start(draft, dialect);
}

static bool end_so_far(const struct call_conn *conn, const struct exchange *ex, enum message_kind kind,
		       struct message_end *ret)
{
	const struct call_tracker *tracker = conn->tracker;

	*ret = (struct message_end){ 0 };
	return tracker->ops->so_far && !(ex->ends & 1u << kind) &&
	       tracker->ops->so_far(tracker->user, conn->info.id, ex->number, kind, ret);
}

/* An end that was never told leaves the sums as they stand. */
static void ends_so_far(struct call_conn *conn, struct exchange *ex)
{
	struct call *call = ex->draft->call;
	struct message_end *ends[] = { &call->request_end, &call->response_end }, end;

	for (enum message_kind kind = 0; kind < _MESSAGE_MAX; kind++) {
		if (!end_so_far(conn, ex, kind, &end))
			continue;
		end.content_type = arena_dup(call->arena, end.content_type);
		*ends[kind] = end;
	}
}

void exchange_finish(struct call_conn *conn, struct exchange *ex, enum close_how how, uint64_t close_ns)
{
	struct draft *draft = ex->draft;

	if (ex->session) {
		session_finish(conn, ex, how, close_ns);
		return exchange_drop(conn, ex);
	}
	if (!draft->is_started)
		exchange_start(conn, ex);
	if (!draft->is_started)
		return exchange_drop(conn, ex);
	ends_so_far(conn, ex);
	conn->is_wanted = true;
	ex->draft = NULL;
	draft->call->conn = conn->info;
	if (feed_takes(conn, draft, close_ns))
		return;
	draft_finish(draft, how, close_ns);
	draft_key_fill(draft, &conn->info);
	pair_settle(conn->tracker, draft, close_ns + conn->tracker->opts.pair_wait_ns);
}

void exchange_flush(struct call_conn *conn, struct exchange *ex, uint64_t now_ns)
{
	struct message_end end;

	if (ex->draft)
		exchange_finish(conn, ex, CLOSE_UNKNOWN, now_ns);
	for (enum message_kind kind = 0; kind < _MESSAGE_MAX; kind++)
		if (end_so_far(conn, ex, kind, &end))
			exchange_end(conn, ex, kind, &end);
}
