/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket that carries many turns, each a call of its own. The dialect says of each message what it is (model/dialect.h);
 * here inputs are gathered until a turn takes them, answers are given to the turn that they belong to, and each turn gets
 * the heads of the handshake. What belongs to no turn (the handshake, pings, limits) is counted as of no call.
 *
 *	client   setup   item   ask A          item   ask B
 *	             \_______\____|               \_____|
 *	server                    A A A A                B B B
 *	turn                      [ one call ]            [ one call ]
 *
 * Of two threads on one socket, the one that read the answer may be told before the one that is still leaving its write. An
 * answer for which no turn waits is therefore kept for a moment: a request that is older than it goes first.
 */
#include "base/json.h"
#include "call/headers.h"
#include "call/tracker.h"

enum { HELD_MAX = 8, TURNS_MAX = 64, CONTEXTS_MAX = 4, CONTEXT_KEY_MAX = 24, EARLY_BYTES_MAX = 256 << 10 };

static const uint64_t early_ns = 200000000;

struct turn {
	struct turn *next;
	struct draft *draft;
	struct slice key, lane; /* in its arena */
	uint64_t bytes[_MESSAGE_MAX];
};

struct context {
	char key[CONTEXT_KEY_MAX];
	size_t key_len;
	struct buf text;
};

struct held_message {
	struct held_message *next;
	enum message_kind kind;
	struct message_part part;
};

/* An answer that may be told before its request. */
struct early {
	struct early *next;
	struct message_part part;
	size_t size;
	char bytes[]; /* its type and data */
};

struct session {
	struct alloc *alloc;
	const struct dialect *dialect; /* NULL: not known yet */
	struct held_message *held, **held_tail;
	size_t held_count;
	struct turn *turns, **turns_tail; /* open, oldest first */
	size_t turn_count;
	struct early *early, **early_tail;
	size_t early_bytes;

	/* Gathered for the next turn: */
	struct context contexts[CONTEXTS_MAX];
	struct buf input; /* elements of a JSON array */
	uint64_t input_bytes[_MESSAGE_MAX], input_ns, sound_bytes;
	uint32_t input_holes; /* reasons */

	bool is_closed; /* by a close frame */
	enum message_kind closed_by;
};

/* ---- beginning and end ---- */

bool session_is_asked(const struct message_head *head)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (slice_equal(head->headers[i].name, SLICE("upgrade")) &&
		    slice_equal_nocase(head->headers[i].value, SLICE("websocket")))
			return true;
	return slice_equal(head->protocol, SLICE("websocket"));
}

bool session_begins(const struct message_head *head)
{
	return head->status == 101 || slice_equal(head->protocol, SLICE("websocket")) || headers_are_two_way(head);
}

bool session_open(struct call_conn *conn, struct exchange *ex)
{
	struct alloc *alloc = conn->tracker->opts.alloc;
	size_t max = conn->tracker->opts.call_bytes_max / 4;
	struct session *session = alloc_get(alloc, sizeof(*session));

	if (!session)
		return false;
	session->alloc = alloc;
	session->held_tail = &session->held;
	session->turns_tail = &session->turns;
	session->early_tail = &session->early;
	session->input = BUF(alloc, max);
	for (size_t i = 0; i < CONTEXTS_MAX; i++)
		session->contexts[i].text = BUF(alloc, max);
	ex->session = session;
	return true;
}

static struct early *early_take(struct session *session)
{
	struct early *early = session->early;

	session->early = early->next;
	if (!session->early)
		session->early_tail = &session->early;
	session->early_bytes -= early->size;
	return early;
}

static void early_free(struct session *session, struct early *early)
{
	alloc_put(session->alloc, early, early->size);
}

static void turn_free(struct session *session, struct turn *turn)
{
	draft_free(turn->draft);
	alloc_put(session->alloc, turn, sizeof(*turn));
}

void session_free(struct exchange *ex)
{
	struct session *session = ex->session;

	if (!session)
		return;
	while (session->turns) {
		struct turn *turn = session->turns;

		session->turns = turn->next;
		turn_free(session, turn);
	}
	while (session->early)
		early_free(session, early_take(session));
	buf_free(&session->input);
	for (size_t i = 0; i < CONTEXTS_MAX; i++)
		buf_free(&session->contexts[i].text);
	alloc_put(session->alloc, session, sizeof(*session));
	ex->session = NULL;
}

/* ---- what is gathered ---- */

static void input_count(struct session *session, enum message_kind kind, const struct message_part *part)
{
	session->input_bytes[kind] += part->stream_bytes;
	session->input_ns = part->time_ns;
}

static void input_add(struct session *session, const struct session_step *step, const struct message_part *part)
{
	if (step->sound_bytes)
		session->sound_bytes += step->sound_bytes;
	else if (session->dialect->session->is_list)
		json_put_raw(&session->input, step->kept.data ? step->kept : part->data);
}

static void context_set(struct session *session, const struct session_step *step, const struct message_part *part)
{
	struct slice key = slice_head(step->key, CONTEXT_KEY_MAX);

	for (size_t i = 0; i < CONTEXTS_MAX; i++) {
		struct context *context = &session->contexts[i];

		if (context->key_len && !slice_equal((struct slice){ context->key, context->key_len }, key))
			continue;
		memcpy(context->key, key.data, key.len);
		context->key_len = key.len;
		buf_reset(&context->text);
		buf_put(&context->text, step->kept.data ? step->kept : part->data);
		return;
	}
}

/* ---- turns ---- */

/* What the handshake told is of every turn. */
static void common_copy(struct draft *draft, const struct call *from)
{
	struct call *call = draft->call;
	struct arena *arena = call->arena;

	call->thread = from->thread;
	call->protocol = headers_protocol(from, SLICE_NONE);
	call->method = arena_dup(arena, from->method);
	call->path = arena_dup(arena, from->path);
	call->query = arena_dup(arena, from->query);
	call->host = arena_dup(arena, from->host);
	call->http_version = arena_dup(arena, from->http_version);
	call->credential = arena_dup(arena, from->credential);
	call->request_id = arena_dup(arena, from->request_id);
	call->status = from->status;
	for (size_t i = 0; i < from->request_header_count; i++)
		call->request_headers[call->request_header_count++] =
			(struct name_value){ arena_dup(arena, from->request_headers[i].name),
					     arena_dup(arena, from->request_headers[i].value) };
	for (size_t i = 0; i < from->response_header_count; i++)
		call->response_headers[call->response_header_count++] =
			(struct name_value){ arena_dup(arena, from->response_headers[i].name),
					     arena_dup(arena, from->response_headers[i].value) };
	draft->path_decoded = headers_path_decode(arena, call->path);
}

static void body_put(struct draft *draft, const struct buf *from)
{
	struct message_part part = { .kind = PART_BYTES, .data = buf_slice(from) };

	if (from->failed)
		draft->body_cut[MESSAGE_REQUEST]++;
	if (!part.data.len)
		return;
	if (draft->body[MESSAGE_REQUEST].len > 1)
		draft_body(draft, MESSAGE_REQUEST, &(struct message_part){ .data = SLICE(",") });
	draft_body(draft, MESSAGE_REQUEST, &part);
}

/* All that was gathered, as one JSON array, the opening message last. */
static void body_gather(struct session *session, struct draft *draft, struct slice opener)
{
	char sound[48];
	size_t len = (size_t)snprintf(sound, sizeof(sound), "{\"sound_bytes\":%llu}",
				      (unsigned long long)session->sound_bytes);

	draft_body(draft, MESSAGE_REQUEST, &(struct message_part){ .data = SLICE("[") });
	for (size_t i = 0; i < CONTEXTS_MAX; i++)
		body_put(draft, &session->contexts[i].text);
	body_put(draft, &session->input);
	if (session->sound_bytes)
		body_put(draft, &(struct buf){ .data = sound, .len = len });
	if (opener.len)
		body_put(draft, &(struct buf){ .data = (char *)(uintptr_t)opener.data, .len = opener.len });
	draft_body(draft, MESSAGE_REQUEST, &(struct message_part){ .data = SLICE("]") });
}

static void request_end_set(struct draft *draft, uint64_t time_ns)
{
	struct call *call = draft->call;

	call->request_start_ns = call->request_end_ns = time_ns;
	call->request_end = (struct message_end){ .how = MESSAGE_END_FRAMED,
						  .body_bytes = (int64_t)(draft->body[MESSAGE_REQUEST].len +
									  draft->media[MESSAGE_REQUEST].removed),
						  .time_ns = time_ns };
	draft->heads = draft->ends = 1u << MESSAGE_REQUEST;
}

static struct turn *turn_new(struct call_conn *conn, const struct exchange *ex, uint64_t time_ns)
{
	struct session *session = ex->session;
	struct message_head head = { .kind = MESSAGE_REQUEST,
				     .dir = ex->draft->key.is_server ? DIR_READ : DIR_WRITE,
				     .time_ns = time_ns };
	struct turn *turn = session->turn_count < TURNS_MAX ? alloc_get(session->alloc, sizeof(*turn)) : NULL;

	if (!turn)
		return NULL;
	turn->draft = draft_new(session->alloc, conn->tracker->opts.call_bytes_max, &head);
	if (!turn->draft) {
		turn_free(session, turn);
		return NULL;
	}
	conn->is_wanted = true;
	*session->turns_tail = turn;
	session->turns_tail = &turn->next;
	session->turn_count++;
	return turn;
}

/* @opener: empty when the server opens the turn by itself. NULL: no memory; what was gathered then belongs to no call. */
static struct turn *turn_open(struct call_conn *conn, struct exchange *ex, const struct session_step *step,
			      struct slice opener, uint64_t time_ns)
{
	struct session *session = ex->session;
	struct turn *turn = turn_new(conn, ex, time_ns);
	struct draft *draft = turn ? turn->draft : NULL;

	if (turn) {
		common_copy(draft, ex->draft->call);
		if (session->dialect->session->is_list)
			body_gather(session, draft, opener);
		else if (opener.len)
			draft_body(draft, MESSAGE_REQUEST, &(struct message_part){ .data = opener });
		else
			draft_hole(draft, MESSAGE_REQUEST, MISSING_JOINED_LATE);
		for (int reason = 0; reason < _MISSING_MAX; reason++)
			if (session->input_holes & 1u << reason)
				draft_hole(draft, MESSAGE_REQUEST, (enum missing_reason)reason);
		request_end_set(draft, time_ns);
		turn->lane = arena_dup(draft->call->arena, step->lane);
		for (int kind = 0; kind < _MESSAGE_MAX; kind++) {
			turn->bytes[kind] = session->input_bytes[kind];
			ex->turned[kind] += session->input_bytes[kind];
		}
		draft_start(draft, session->dialect);
	}
	buf_free(&session->input);
	memset(session->input_bytes, 0, sizeof(session->input_bytes));
	session->input_ns = session->sound_bytes = 0;
	session->input_holes = 0;
	return turn;
}

static struct turn *turn_find(const struct session *session, const struct session_step *step)
{
	struct turn *unnamed = NULL, *oldest = NULL;

	for (struct turn *turn = session->turns; turn; turn = turn->next) {
		bool is_of_lane = slice_equal(turn->lane, step->lane);

		if (step->key.len && slice_equal(turn->key, step->key))
			return turn;
		if (is_of_lane && !oldest)
			oldest = turn;
		if (is_of_lane && !unnamed && !turn->key.len)
			unnamed = turn;
	}
	return step->key.len ? unnamed : oldest;
}

static uint64_t hash_of(struct slice text)
{
	uint64_t hash = text.len ? 0xcbf29ce484222325 : 0; /* FNV-1a */

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3;
	return hash;
}

/* Hands out the turn's call. @how: of the answer's end; @close_how: of the connection's, where that ended it. */
static void turn_finish(struct call_conn *conn, struct session *session, struct turn *turn, enum message_end_how how,
			enum close_how close_how, uint64_t time_ns)
{
	struct draft *draft = TAKE_PTR(turn->draft);
	struct call *call = draft->call;
	struct turn **at = &session->turns;

	while (*at != turn)
		at = &(*at)->next;
	*at = turn->next;
	if (session->turns_tail == &turn->next)
		session->turns_tail = at;
	session->turn_count--;
	call->request_end.stream_bytes = turn->bytes[MESSAGE_REQUEST];
	call->response_end = (struct message_end){ .how = how,
						   .conn_how = close_how,
						   .body_bytes = -1,
						   .stream_bytes = turn->bytes[MESSAGE_RESPONSE],
						   .missing_bytes = how == MESSAGE_END_LOST ? -1 : 0,
						   .time_ns = time_ns };
	draft->ends |= 1u << MESSAGE_RESPONSE;
	draft->turn = hash_of(turn->key);
	turn_free(session, turn);
	call->conn = conn->info;
	draft_finish(draft, close_how, time_ns);
	draft_key_fill(draft, &conn->info);
	pair_settle(conn->tracker, draft, time_ns + conn->tracker->opts.pair_wait_ns);
}

/* What of the lane has begun before @turn: its end was missed. */
static void turns_overtake(struct call_conn *conn, struct session *session, const struct turn *turn)
{
	for (struct turn *old = session->turns, *next; old; old = next) {
		next = old->next;
		if (old != turn && old->key.len && slice_equal(old->lane, turn->lane))
			turn_finish(conn, session, old, MESSAGE_END_LOST, CLOSE_UNKNOWN, old->draft->activity_ns);
	}
}

static void turn_event(struct call_conn *conn, struct exchange *ex, const struct session_step *step,
		       enum message_kind kind, const struct message_part *part)
{
	struct session *session = ex->session;
	uint64_t start_ns = session->input_ns ? session->input_ns : part->time_ns;
	struct turn *turn = turn_find(session, step);
	struct draft *draft;

	if (!turn && step->opens)
		turn = turn_open(conn, ex, step, SLICE_NONE, start_ns);
	if (!turn && step->or_input) {
		input_count(session, kind, part);
		input_add(session, step, part);
	}
	if (!turn)
		return;
	draft = turn->draft;
	if (step->key.len && !turn->key.len)
		turn->key = arena_dup(draft->call->arena, step->key);
	if (step->overtakes)
		turns_overtake(conn, session, turn);
	turn->bytes[kind] += part->stream_bytes;
	ex->turned[kind] += part->stream_bytes;
	draft->activity_ns = MAX(draft->activity_ns, part->time_ns);
	if (kind == MESSAGE_REQUEST)
		return;
	if (!draft_has_head(draft, MESSAGE_RESPONSE))
		draft->call->response_start_ns = part->time_ns;
	draft->heads |= 1u << MESSAGE_RESPONSE;
	draft->answer_activity_ns = MAX(draft->answer_activity_ns, part->time_ns);
	draft_event(draft, part);
	if (step->is == SESSION_END)
		turn_finish(conn, session, turn, MESSAGE_END_FRAMED, CLOSE_UNKNOWN, part->time_ns);
}

/* ---- messages ---- */

static void session_take(struct call_conn *conn, struct exchange *ex, enum message_kind kind,
			 const struct message_part *part)
{
	struct session *session = ex->session;
	struct session_step step = { 0 };

	session->dialect->session->step(kind, part, &step);
	switch (step.is) {
	case SESSION_NOBODYS:
		break;
	case SESSION_INPUT:
		input_count(session, kind, part);
		input_add(session, &step, part);
		break;
	case SESSION_CONTEXT:
		input_count(session, kind, part);
		context_set(session, &step, part);
		break;
	case SESSION_OPEN:
		input_count(session, kind, part);
		turn_open(conn, ex, &step, part->data, part->time_ns);
		break;
	case SESSION_EVENT:
	case SESSION_END:
		turn_event(conn, ex, &step, kind, part);
		break;
	}
}

/* ---- answers before their requests ---- */

static void early_tell(struct call_conn *conn, struct exchange *ex)
{
	struct session *session = ex->session;

	while (session->early) {
		struct early *early = early_take(session);

		session_take(conn, ex, MESSAGE_RESPONSE, &early->part);
		early_free(session, early);
	}
}

/* No turn waits for it, nothing that was gathered can have asked for it. */
static bool is_early(const struct session *session, const struct message_part *part)
{
	struct session_step step = { 0 };

	if (session->early)
		return true;
	if (session->turns || session->input_ns)
		return false;
	session->dialect->session->step(MESSAGE_RESPONSE, part, &step);
	return step.is == SESSION_EVENT || step.is == SESSION_END;
}

static bool early_keep(struct session *session, const struct message_part *part)
{
	size_t size = sizeof(struct early) + part->type.len + part->data.len;
	struct early *early = size <= EARLY_BYTES_MAX - session->early_bytes ? alloc_get(session->alloc, size) : NULL;

	if (!early)
		return false;
	early->part = *part;
	early->size = size;
	early->part.type.data = early->bytes;
	early->part.data.data = early->bytes + part->type.len;
	if (part->type.len)
		memcpy(early->bytes, part->type.data, part->type.len);
	if (part->data.len)
		memcpy(early->bytes + part->type.len, part->data.data, part->data.len);
	*session->early_tail = early;
	session->early_tail = &early->next;
	session->early_bytes += size;
	return true;
}

/* In the order of their times, as far as a thread that was late can have mixed them up. */
static void session_order(struct call_conn *conn, struct exchange *ex, enum message_kind kind,
			  const struct message_part *part)
{
	struct session *session = ex->session;
	bool is_before = session->early && part->time_ns < session->early->part.time_ns;

	if (session->early && !is_before &&
	    (kind == MESSAGE_REQUEST || part->time_ns - session->early->part.time_ns > early_ns))
		early_tell(conn, ex);
	if (kind == MESSAGE_RESPONSE && is_early(session, part) && early_keep(session, part))
		return;
	if (kind == MESSAGE_RESPONSE)
		early_tell(conn, ex);
	session_take(conn, ex, kind, part);
	early_tell(conn, ex);
}

void session_tick(struct call_conn *conn, struct exchange *ex, uint64_t now_ns)
{
	const struct early *early = ex->session->early;

	if (early && now_ns > early->part.time_ns && now_ns - early->part.time_ns > early_ns)
		early_tell(conn, ex);
}

/* ---- who takes them ---- */

/* Before it is known whose the socket is. */
static void session_hold(struct exchange *ex, enum message_kind kind, const struct message_part *part)
{
	struct arena *arena = ex->draft->call->arena;
	struct session *session = ex->session;
	struct held_message *held = arena_new_of(arena, struct held_message);

	session->held_count++;
	if (!held)
		return;
	*held = (struct held_message){ .kind = kind, .part = *part };
	held->part.type = arena_dup(arena, part->type);
	held->part.data = arena_dup(arena, part->data);
	if (!held->part.data.data)
		return;
	*session->held_tail = held;
	session->held_tail = &held->next;
}

void session_part(struct call_conn *conn, struct exchange *ex, enum message_kind kind, const struct message_part *part)
{
	struct session *session = ex->session;
	const struct dialect *dialect;

	if (part->kind != PART_MESSAGE)
		return;
	if (session->dialect)
		return session_order(conn, ex, kind, part);
	dialect = exchange_ask(conn, ex->draft, kind, part->data);
	if (!dialect || !dialect->session) {
		session_hold(ex, kind, part);
		if (session->held_count >= HELD_MAX)
			exchange_pass(conn, ex);
		return;
	}
	session->dialect = dialect;
	for (struct held_message *held = session->held; held; held = held->next)
		session_order(conn, ex, held->kind, &held->part);
	session_order(conn, ex, kind, part);
}

void session_hole(struct call_conn *conn, struct exchange *ex, enum message_kind kind, enum missing_reason reason)
{
	struct session *session = ex->session;

	early_tell(conn, ex);
	if (kind == MESSAGE_REQUEST)
		session->input_holes |= 1u << reason;
	for (struct turn *turn = session->turns; turn; turn = turn->next)
		if (kind == MESSAGE_RESPONSE)
			draft_hole(turn->draft, kind, reason);
}

void session_close(struct exchange *ex, enum message_kind kind, const struct message_end *end)
{
	if (end->how != MESSAGE_END_FRAMED || ex->session->is_closed)
		return;
	ex->session->is_closed = true;
	ex->session->closed_by = kind;
}

void session_finish(struct call_conn *conn, struct exchange *ex, enum close_how how, uint64_t close_ns)
{
	struct session *session = ex->session;
	bool is_server = ex->draft->key.is_server;

	early_tell(conn, ex);
	/* Who sent the first close frame left; who closes the socket then is of no interest. */
	if (session->is_closed)
		how = (session->closed_by == MESSAGE_RESPONSE) == is_server ? CLOSE_LOCAL : CLOSE_REMOTE;
	while (session->turns)
		turn_finish(conn, session, session->turns, how ? MESSAGE_END_CUT : MESSAGE_END_LOST, how, close_ns);
}
