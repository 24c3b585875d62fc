/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strangers are exchanges of nobody's that are over, and of which nothing was missed that could have told otherwise. Who talks
 * to a model does so early; but files may be sent before, and states be asked for, so it takes many and much until what follows
 * is no longer copied. In HTTP/1 that is of requests that are alike, by method and target: the kernel side can tell them, and any
 * other is copied. In HTTP/2 it cannot see where a request begins, so it is the whole connection. Never where a call has been, and
 * never of a host that serves models.
 */
#include "call/tracker.h"

enum { STRANGERS_MAX = 64, STRANGE_BYTES_MAX = 4 << 20, ALIKE_MAX = 128 };

static const uint64_t fnv_offset = 0xcbf29ce484222325, fnv_prime = 0x100000001b3;

static uint64_t fnv1a(uint64_t hash, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (uint8_t)text.data[i]) * fnv_prime;
	return hash;
}

uint64_t strange_alike(const struct message_head *head)
{
	const struct slice line[] = { head->method, SLICE(" "), head->target, SLICE(" ") };
	bool is_http1 = !head->protocol.len && slice_starts(head->version, SLICE("1."));
	uint64_t hash = fnv_offset;
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(line); i++) {
		hash = fnv1a(hash, line[i]);
		len += line[i].len;
	}
	return is_http1 && head->target.len && len <= ALIKE_MAX ? hash : 0;
}

bool strange_is(const struct call_conn *conn, const struct exchange *ex)
{
	const struct call_tracker *tracker = conn->tracker;
	const struct draft *draft = ex->draft;

	if (!ex->alike && !slice_equal(draft->call->http_version, SLICE("2")))
		return false;
	if (!draft->call->path.len || draft->hole_reasons[MESSAGE_REQUEST] || draft->hole_reasons[MESSAGE_RESPONSE])
		return false;
	return !tracker->ops->serves_models ||
	       !tracker->ops->serves_models(tracker->user, draft->call->host, draft->call->path);
}

static bool conn_has_open(const struct call_conn *conn, const struct exchange **ret_newest)
{
	*ret_newest = NULL;
	for (const struct exchange *ex = conn->first; ex; ex = ex->next) {
		if (ex->draft)
			return true;
		*ret_newest = ex;
	}
	return false;
}

void strange_count(struct call_conn *conn, const struct exchange *ex, uint64_t bytes)
{
	const struct call_tracker *tracker = conn->tracker;
	const struct exchange *newest;

	if (!ex->is_strange || conn->is_wanted)
		return;
	if (ex->alike != conn->alike) {
		conn->alike = ex->alike;
		conn->strangers = conn->strange_bytes = 0;
		conn->is_refused = false;
	}
	conn->strange_bytes += bytes;
	conn->strangers += exchange_is_over(ex);
	if (conn->is_refused || conn->strangers < STRANGERS_MAX || conn->strange_bytes < STRANGE_BYTES_MAX ||
	    conn_has_open(conn, &newest))
		return;
	conn->is_refused = true;
	tracker->ops->verdict(tracker->user, conn->info.id, ex->alike ? VERDICT_MUTE_ALIKE : VERDICT_DENY, ex->alike);
}

void strange_mute(struct call_conn *conn)
{
	const struct exchange *newest;

	if (conn_has_open(conn, &newest) || !newest || !newest->may_mute || exchange_is_over(newest))
		return;
	if (conn->is_refused && conn->alike == newest->alike)
		return;
	conn->is_refused = false;
	conn->tracker->ops->verdict(conn->tracker->user, conn->info.id, VERDICT_MUTE, 0);
}
