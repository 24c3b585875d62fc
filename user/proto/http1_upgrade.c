/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that asks for WebSocket stays open: if the answer is 101, what the client then sends belongs to it, and what the
 * server sends to the answer. The two directions are not ordered against each other, so the client's first frames may come
 * before the 101 does: they wait in flow->line. Any other answer ends the request where its head ended.
 *
 *	client: head ── FLOW_WAIT ──┬── 101 ──▶ FLOW_SOCKET
 *	                            └── other ─▶ FLOW_HEAD
 */
#include "proto/http1.h"
#include "proto/websocket.h"

bool upgrade_wait(struct flow *flow, const struct http1_head *http)
{
	if (flow->kind != MESSAGE_REQUEST || !http->is_websocket || !flow->out.is_told)
		return false;
	flow->state = FLOW_WAIT;
	flow->is_long = false;
	return true;
}

/* The client does not wait any more: with what it sent meanwhile, the flow goes on in @state. */
static void wait_end(struct http1 *http1, struct flow *flow, enum flow_state state)
{
	struct buf held = flow->line;

	flow->line = BUF(held.alloc, held.max);
	flow->state = state;
	carrier_http1.bytes(http1, flow->dir, flow->line_ns, buf_slice(&held));
	buf_free(&held);
	if (flow->is_long && flow->state == FLOW_SOCKET && flow->out.is_open)
		websocket_hole(http1->socket, &flow->out, 0, flow->reason, flow->out.last_ns);
	flow->is_long = false;
}

void upgrade_refuse(struct http1 *http1, struct flow *requests)
{
	if (requests->state != FLOW_WAIT)
		return;
	http1->request_end_ns = requests->out.last_ns;
	outgoing_end(&requests->out, MESSAGE_END_FRAMED, CLOSE_UNKNOWN);
	wait_end(http1, requests, FLOW_HEAD);
}

/* The request was missed, its side of the socket is not: only where in it we are is not known. */
static void requests_join(struct http1 *http1, struct flow *requests, const struct outgoing *answer)
{
	struct outgoing *out = &requests->out;

	if (!out->is_open || !out->is_told || out->exchange != answer->exchange) {
		outgoing_end(out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
		outgoing_open(out, http1->proto, MESSAGE_REQUEST, requests->dir, answer->start_ns);
		out->exchange = answer->exchange;
		outgoing_tell_late(out, MISSING_JOINED_LATE);
	}
	flow_passed(http1, requests, requests->line.len + requests->carry, answer->start_ns);
	if (requests->line.len)
		outgoing_missed(out, requests->line.len, MISSING_JOINED_LATE);
	requests->carry = 0;
	buf_free(&requests->line);
	requests->state = FLOW_SOCKET;
	websocket_hole(http1->socket, out, 0, MISSING_JOINED_LATE, answer->start_ns);
}

bool upgrade_accept(struct http1 *http1, struct flow *answers, const struct http1_head *http)
{
	struct flow *requests = &http1->flows[direction_other(answers->dir)];

	if (!http->is_websocket || !answers->out.is_told)
		return false;
	http1->socket = websocket_new(&http1->proto->opts, &http->terms, false);
	if (!http1->socket)
		return false;
	answers->state = FLOW_SOCKET;
	if (requests->state == FLOW_WAIT && requests->out.exchange == answers->out.exchange)
		wait_end(http1, requests, FLOW_SOCKET);
	else
		requests_join(http1, requests, &answers->out);
	return true;
}

/* No frame begins like a word, but one: 'A', a piece of a compressed text. */
static bool is_http(struct slice in)
{
	return (unsigned char)in.data[0] >= '\n' && (unsigned char)in.data[0] < 0x7f && in.data[0] != 'A';
}

/* What waits cannot be kept; nor can what comes behind it, up to the answer. */
static void wait_spoil(struct http1 *http1, struct flow *flow, size_t unkept, enum missing_reason reason,
		       uint64_t time_ns)
{
	flow_passed(http1, flow, flow->line.len + unkept, time_ns);
	outgoing_lose(&flow->out, flow->line.len + unkept, reason);
	buf_free(&flow->line);
	flow->is_long = true;
	flow->reason = reason;
}

void wait_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns)
{
	if (!flow->line.len && is_http(*in)) {
		upgrade_refuse(http1, flow);
		return;
	}
	if (!flow->line.len)
		flow->line_ns = time_ns;
	if (!flow->is_long)
		buf_put(&flow->line, *in);
	if (flow->is_long || flow->line.failed)
		wait_spoil(http1, flow, in->len, MISSING_BUDGET, time_ns);
	*in = slice_from(*in, in->len);
}

static void socket_close(struct http1 *http1, struct flow *flow)
{
	if (flow->out.is_open && websocket_is_closed(http1->socket, flow->out.kind))
		outgoing_end(&flow->out, MESSAGE_END_FRAMED, CLOSE_UNKNOWN);
}

void socket_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns)
{
	int64_t taken = flow->out.is_open ? websocket_feed(http1->socket, &flow->out, *in, time_ns) : 0;

	flow_passed(http1, flow, (uint64_t)taken, time_ns); /* or taken back: sums of unsigned numbers wrap */
	socket_close(http1, flow);
	flow_passed(http1, flow, in->len - (uint64_t)taken, time_ns);
	*in = slice_from(*in, in->len);
}

void socket_hole(struct http1 *http1, struct flow *flow, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	if (flow->state == FLOW_WAIT) {
		wait_spoil(http1, flow, 0, reason, time_ns);
		outgoing_hole(&flow->out, len, reason, false, time_ns);
	} else if (flow->out.is_open) {
		websocket_hole(http1->socket, &flow->out, len, reason, time_ns);
		socket_close(http1, flow);
	} else {
		http1->proto->stray_bytes += len;
	}
}

void socket_end(struct http1 *http1, struct flow *flow)
{
	if (flow->state == FLOW_SOCKET && http1->socket)
		websocket_finish(http1->socket, &flow->out);
}
