/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream costs its endpoint and a look at each event. Requests that wait are few and wait for a while only: a client that gave
 * one up says so by a notification that has no answer, and a stream that ends takes its answers with it.
 */
#include "call/feed.h"
#include "base/json.h"
#include "call/headers.h"

enum { AWAITED_MAX = 64 };
static const uint64_t wait_ns = 600000000000;

bool feed_is_asked(const struct call *call)
{
	struct slice accept = call_header(call->request_headers, call->request_header_count, SLICE("accept"));

	return slice_equal(call->method, SLICE("GET")) && slice_contains(accept, SLICE("text/event-stream"));
}

/* ---- which belong together ---- */

uint64_t feed_target(struct slice target)
{
	ptrdiff_t origin = slice_find(slice_head(target, 8), SLICE("://"));
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	target = slice_from(target, origin < 0 ? 0 : (size_t)origin + 3);
	while (target.len && target.data[0] != '/')
		target = slice_from(target, 1);
	for (size_t i = 0; i < target.len; i++)
		hash = (hash ^ (unsigned char)target.data[i]) * 0x100000001b3;
	return target.len ? hash : 0;
}

static bool process_is(const struct conn_info *a, const struct conn_info *b)
{
	return memcmp(&a->process, &b->process, sizeof(a->process)) == 0;
}

static bool asks_under(const struct draft *draft, struct slice id)
{
	struct slice body = json_trim(buf_slice(&draft->body[MESSAGE_REQUEST]));

	return slice_equal(json_get(body, SLICE("id")), id);
}

static bool has_feed(const struct call_conn *of, uint64_t target)
{
	for (const struct call_conn *conn = of->tracker->conns; conn; conn = conn->next) {
		if (!process_is(&conn->info, &of->info))
			continue;
		for (const struct exchange *ex = conn->first; ex; ex = ex->next)
			if (ex->draft && ex->feed && ex->feed == target)
				return true;
	}
	return false;
}

/* ---- those that wait ---- */

static struct draft *awaited_take(struct call_tracker *tracker, struct draft **at)
{
	struct draft *draft = *at;

	*at = draft->next;
	draft->next = NULL;
	tracker->awaited_count--;
	return draft;
}

static void awaited_finish(struct call_tracker *tracker, struct draft *draft, uint64_t time_ns)
{
	draft_finish(draft, CLOSE_UNKNOWN, time_ns);
	draft_key_fill(draft, &draft->call->conn);
	pair_settle(tracker, draft, time_ns + tracker->opts.pair_wait_ns);
}

/* Its answer will not come any more. */
static void awaited_give_up(struct call_tracker *tracker, struct draft *draft)
{
	draft->call->response_end.how = MESSAGE_END_LOST;
	draft->call->response_end.missing_bytes = -1;
	awaited_finish(tracker, draft, draft->activity_ns);
}

bool feed_takes(struct call_conn *conn, struct draft *draft, uint64_t time_ns)
{
	struct call_tracker *tracker = conn->tracker;
	struct draft **at = &tracker->awaited;

	if (draft->call->status != 202 || draft->call->ended_itself || !has_feed(conn, draft->target))
		return false;
	if (tracker->awaited_count == AWAITED_MAX)
		awaited_give_up(tracker, awaited_take(tracker, at));
	while (*at)
		at = &(*at)->next;
	*at = draft;
	tracker->awaited_count++;
	draft->next = NULL;
	draft->until_ns = time_ns + wait_ns;
	return true;
}

void feed_tick(struct call_tracker *tracker, uint64_t now_ns)
{
	struct draft **at = &tracker->awaited;

	while (*at) {
		if ((*at)->until_ns <= now_ns)
			awaited_give_up(tracker, awaited_take(tracker, at));
		else
			at = &(*at)->next;
	}
}

void feed_clear(struct call_tracker *tracker)
{
	while (tracker->awaited)
		draft_free(awaited_take(tracker, &tracker->awaited));
}

/* ---- the stream ---- */

static void answer_give(struct draft *draft, const struct message_part *part)
{
	draft->activity_ns = MAX(draft->activity_ns, part->time_ns);
	draft->answer_activity_ns = MAX(draft->answer_activity_ns, part->time_ns);
	draft_event(draft, part);
}

static bool awaited_answer(struct call_conn *conn, const struct exchange *feed, struct slice id,
			   const struct message_part *part)
{
	struct call_tracker *tracker = conn->tracker;

	for (struct draft **at = &tracker->awaited; *at; at = &(*at)->next) {
		struct draft *draft = *at;

		if (!process_is(&draft->call->conn, &conn->info) || !asks_under(draft, id) ||
		    draft->target != feed->feed)
			continue;
		answer_give(draft, part);
		awaited_finish(tracker, awaited_take(tracker, at), part->time_ns);
		return true;
	}
	return false;
}

/* The 202 was not seen yet. */
static void open_answer(struct call_conn *of, const struct exchange *feed, struct slice id,
			const struct message_part *part)
{
	for (struct call_conn *conn = of->tracker->conns; conn; conn = conn->next) {
		if (!process_is(&conn->info, &of->info))
			continue;
		for (struct exchange *ex = conn->first; ex; ex = ex->next) {
			if (!ex->draft || ex == feed || ex->session || !draft_has_end(ex->draft, MESSAGE_REQUEST) ||
			    !asks_under(ex->draft, id) || ex->draft->target != feed->feed)
				continue;
			if (!ex->draft->is_started)
				exchange_start(conn, ex);
			if (ex->draft->is_started)
				answer_give(ex->draft, part);
			return;
		}
	}
}

bool feed_event(struct call_conn *conn, struct exchange *ex, const struct message_part *part)
{
	struct slice data = json_trim(part->data), id;

	if (!ex->feed) {
		if (slice_equal(part->type, SLICE("endpoint")))
			ex->feed = feed_target(data);
		return ex->feed;
	}
	id = json_get(data, SLICE("id"));
	if (id.len && !json_get(data, SLICE("method")).data && !awaited_answer(conn, ex, id, part))
		open_answer(conn, ex, id, part);
	return true;
}
