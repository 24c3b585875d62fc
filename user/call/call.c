/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracker is a list of connections, a connection a list of exchanges. An exchange has a draft until its call is
 * over or it proves to be nobody's; after that it stays, a few words long, until both its messages have ended, so that
 * what is still told of it is not taken for something new.
 */
#include "call/call.h"
#include "call/feed.h"
#include "call/tracker.h"
#include <errno.h>

/* After its own end mark, or a cut, an exchange waits this long for the rest of the message, or the close: only they show
 * the sums to the byte, and a program on a busy machine takes its time. Of an answer with a hole the rest may be in another,
 * which nothing shows before the connection's next use or its end. */
static const uint64_t linger_ns = 3000000000, linger_hole_ns = 20000000000;

int call_tracker_new(const struct call_opts *opts, const struct call_ops *ops, void *user, struct call_tracker **ret)
{
	struct call_tracker *tracker = alloc_get(opts->alloc, sizeof(*tracker));

	if (!tracker)
		return -ENOMEM;
	*tracker = (struct call_tracker){ .opts = *opts, .ops = ops, .user = user };
	tracker->ended_tail = &tracker->ended;
	*ret = tracker;
	return 0;
}

static void conn_free(struct call_conn *conn)
{
	while (conn->first)
		exchange_free(conn, conn->first);
	*conn->place = conn->next;
	if (conn->next)
		conn->next->place = conn->place;
	alloc_put(conn->tracker->opts.alloc, conn, sizeof(*conn));
}

struct call_tracker *call_tracker_free(struct call_tracker *tracker)
{
	if (!tracker)
		return NULL;
	while (tracker->conns)
		conn_free(tracker->conns);
	feed_clear(tracker);
	pair_clear(tracker);
	alloc_put(tracker->opts.alloc, tracker, sizeof(*tracker));
	return NULL;
}

struct call_conn *call_conn_open(struct call_tracker *tracker, const struct conn_info *info)
{
	struct call_conn *conn = alloc_get(tracker->opts.alloc, sizeof(*conn));

	if (!conn)
		return NULL;
	*conn = (struct call_conn){
		.next = tracker->conns, .place = &tracker->conns, .tracker = tracker, .info = *info
	};
	conn->tail = &conn->first;
	if (conn->next)
		conn->next->place = &conn->next;
	tracker->conns = conn;
	return conn;
}

void call_conn_peer(struct call_conn *conn, const struct conn_info *info)
{
	if (!conn)
		return;
	conn->info = *info;
	pair_peer(conn->tracker, info);
}

void call_conn_close(struct call_conn *conn, enum close_how how, uint64_t time_ns)
{
	if (!conn)
		return;
	for (struct exchange *ex = conn->first; ex; ex = ex->next)
		if (ex->draft)
			exchange_finish(conn, ex, how, time_ns);
	conn_free(conn);
}

/* HTTP/1 is one exchange after the other: a client that asks anew has read all that it wants of the last answer. */
static void conn_goes_on(struct call_conn *conn, const struct message_head *head)
{
	if (head->is_late || !slice_starts(head->version, SLICE("1.")))
		return;
	for (struct exchange *ex = conn->first; ex; ex = ex->next)
		if (ex->draft && ex->draft->call->ended_itself && draft_request_is_over(ex->draft))
			exchange_finish(conn, ex, CLOSE_UNKNOWN, ex->draft->activity_ns);
}

void call_on_head(struct call_conn *conn, uint64_t exchange, const struct message_head *head, uint32_t thread)
{
	struct exchange *ex;

	if (!conn)
		return;
	ex = exchange_find(conn, exchange);
	if (head->kind == MESSAGE_REQUEST && !ex)
		conn_goes_on(conn, head);
	if (!ex)
		ex = exchange_open(conn, exchange, head);
	if (ex && !((ex->heads | ex->ends) & 1u << head->kind))
		exchange_head(conn, ex, head, thread);
}

void call_on_part(struct call_conn *conn, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	struct exchange *ex = conn ? exchange_find(conn, exchange) : NULL;

	if (ex && !(ex->ends & 1u << kind))
		exchange_part(conn, ex, kind, part);
}

void call_on_hole(struct call_conn *conn, uint64_t exchange, enum message_kind kind, enum missing_reason reason,
		  uint64_t time_ns)
{
	struct exchange *ex = conn ? exchange_find(conn, exchange) : NULL;

	if (ex && !(ex->ends & 1u << kind))
		exchange_hole(conn, ex, kind, reason, time_ns);
}

uint64_t end_captured_bytes(const struct message_end *end)
{
	int64_t uncopied = MAX(end->missing_bytes - (int64_t)end->shed_bytes, (int64_t)0);

	return end->stream_bytes - MIN((uint64_t)uncopied, end->stream_bytes);
}

void call_on_end(struct call_conn *conn, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	struct exchange *ex = conn ? exchange_find(conn, exchange) : NULL;

	if (!conn)
		return;
	if (!ex)
		return conn->tracker->ops->shed(conn->tracker->user, end_captured_bytes(end));
	if (ex->ends & 1u << kind)
		return;
	exchange_end(conn, ex, kind, end);
	if (!ex->draft && exchange_is_over(ex))
		exchange_free(conn, ex);
}

static void exchange_tick(struct call_conn *conn, struct exchange *ex, uint64_t now_ns)
{
	struct draft *draft = ex->draft;
	uint64_t limit = conn->tracker->opts.idle_ns;

	if (ex->session)
		session_tick(conn, ex, now_ns);
	if (draft->call->ended_itself || exchange_is_over(ex))
		limit = draft->hole_reasons[MESSAGE_RESPONSE] ? linger_hole_ns : linger_ns;
	/* A stream of others' answers may be silent for as long as nobody asks. */
	if (ex->feed && !exchange_is_over(ex))
		return;
	if (now_ns <= draft->activity_ns || now_ns - draft->activity_ns <= limit)
		return;
	/* A socket may go on after any silence. */
	if (ex->session && !exchange_is_over(ex))
		session_finish(conn, ex, CLOSE_UNKNOWN, draft->activity_ns);
	else
		exchange_finish(conn, ex, CLOSE_UNKNOWN, draft->activity_ns);
}

void call_tick(struct call_tracker *tracker, uint64_t now_ns)
{
	for (struct call_conn *conn = tracker->conns; conn; conn = conn->next) {
		for (struct exchange *ex = conn->first, *next; ex; ex = next) {
			next = ex->next;
			if (ex->draft)
				exchange_tick(conn, ex, now_ns);
			if (!ex->draft && exchange_is_over(ex))
				exchange_free(conn, ex);
		}
	}
	feed_tick(tracker, now_ns);
	pair_tick(tracker, now_ns);
}

void call_flush(struct call_tracker *tracker, uint64_t now_ns)
{
	for (struct call_conn *conn = tracker->conns; conn; conn = conn->next)
		for (struct exchange *ex = conn->first; ex; ex = ex->next)
			exchange_flush(conn, ex, now_ns);
	feed_tick(tracker, UINT64_MAX);
	pair_flush(tracker);
}

size_t call_waiting(const struct call_tracker *tracker)
{
	return tracker->ended_count + tracker->awaited_count;
}
