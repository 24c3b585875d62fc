/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding one's place in the middle of HTTP/1, line by line. A line shows it in three ways:
 *
 *	...tail of a body}POST /v1/x HTTP/1.1 CRLF	a message starts; believed when its whole head is well formed
 *	CRLF 1a3 CRLF					a chunk may start; where it ends another must, then it is one
 *	data: {...} LF LF				an answer's events or lines without framing that we know
 *
 * All is decided by the bytes alone, never by how they were cut. A line longer than the buffer slides through it.
 */
#include "proto/http1.h"

static const uint64_t binary_patience = 64 << 10; /* bytes until a connection is given up as something else */
static const uint64_t text_patience = 8 << 20;    /* an upload joined in its middle may be as long */

static bool frames_are_read(const struct flow *flow)
{
	return flow->seeks_frames && flow->out.is_open && flow->out.body.frame.kind != FRAME_UNKNOWN;
}

/* @len bytes are sought through: of the open message, or of none. */
static void seek_passed(struct http1 *http1, struct flow *flow, uint64_t len, uint64_t time_ns)
{
	if (!http1->has_found)
		http1->unsynced += len;
	if (flow->out.is_open && !frames_are_read(flow))
		outgoing_missed(&flow->out, len, flow->reason);
	flow_passed(http1, flow, len, time_ns);
}

static void patience_check(struct http1 *http1, struct slice bytes)
{
	if (http1->has_found)
		return;
	http1->is_binary |= memchr(bytes.data, 0, bytes.len) != NULL;
	if (http1->unsynced > (http1->is_binary ? binary_patience : text_patience))
		proto_give_up(http1->proto);
}

static void line_restart(struct flow *flow)
{
	buf_reset(&flow->line);
	flow->is_long = false;
	flow->held = 0;
	flow->after_crlf = true;
	flow->link_left = 0;
	flow->is_link = false;
}

static void line_finish(struct http1 *http1, struct flow *flow, uint64_t time_ns);
static void line_slide(struct http1 *http1, struct flow *flow, uint64_t time_ns);

void seek_begin(struct http1 *http1, struct flow *flow, enum missing_reason reason, uint64_t time_ns)
{
	bool has_line = flow->line.len && flow->line.data[flow->line.len - 1] == '\n';

	flow->state = FLOW_SEEK;
	flow->reason = reason;
	flow->has_start = flow->is_found = flow->is_long = false;
	flow->held = 0;
	flow->after_crlf = true;
	flow->link_left = 0;
	flow->is_link = flow->has_chain = false;
	/* Whatever this is, it may turn out to be the middle of an answer. */
	if (!flow->out.is_open && flow_may_be(http1, flow, MESSAGE_RESPONSE)) {
		outgoing_open(&flow->out, http1->proto, MESSAGE_RESPONSE, flow->dir,
			      flow->line.len ? flow->line_ns : time_ns);
		outgoing_shape_unknown(&flow->out, MISSING_JOINED_LATE);
		flow_passed(http1, flow, flow->carry, time_ns);
		flow->carry = 0;
		flow->seeks_chunks = flow->seeks_frames = true;
	}
	if (has_line)
		line_finish(http1, flow, time_ns);
	else if (flow->line.len == flow->line.max)
		line_slide(http1, flow, time_ns);
}

/* Bytes on to the frame, behind the CRLF that was held back. */
static void frames_feed(struct http1 *http1, struct flow *flow, struct slice bytes, uint64_t time_ns)
{
	size_t held = flow->held;

	flow->held = 0;
	if (!flow->seeks_frames || !flow->out.is_open)
		return;
	outgoing_body(&flow->out, slice_head(SLICE("\r\n"), held), time_ns);
	outgoing_body(&flow->out, bytes, time_ns);
	flow_notice(http1, flow);
}

/* A message starts at @at in the line: hands it to FLOW_HEAD, which believes it or not. */
static void start_found(struct http1 *http1, struct flow *flow, size_t at, enum message_kind kind, uint64_t time_ns)
{
	if (at) {
		seek_passed(http1, flow, at, time_ns);
		buf_consume(&flow->line, at);
		flow->line_ns = time_ns;
	}
	flow->state = FLOW_HEAD;
	flow->kind = kind;
	flow->has_start = flow->is_found = true;
	flow->line_start = flow->line.len;
}

/* The line is a chunk's size, as it seems. It is no part of the body, nor is the CRLF before it; where the chain was to go on
 * there, it is certain. */
static void size_found(struct http1 *http1, struct flow *flow, uint64_t size, uint64_t time_ns)
{
	bool is_certain = flow->is_link;

	flow_passed(http1, flow, flow->line.len, time_ns);
	line_restart(flow);
	outgoing_boundary(&flow->out);
	flow->has_chain = true;
	flow->link_left = size + 2;
	if (!is_certain)
		return;
	flow->state = FLOW_CHUNKED;
	flow->out.is_lost = false;
	http1->has_found = true;
	chunked_resume(&flow->chunked, size);
}

/* @len bytes on the way to the place where the chain's next link must be. */
static void link_count(struct flow *flow, uint64_t len)
{
	flow->is_link = flow->link_left == len;
	flow->link_left = flow->link_left > len ? flow->link_left - len : 0;
}

/* flow->line holds a line with its LF. */
static void line_finish(struct http1 *http1, struct flow *flow, uint64_t time_ns)
{
	struct slice whole = buf_slice(&flow->line), line = slice_head(whole, whole.len - 1);
	bool has_crlf = line.len && line.data[line.len - 1] == '\r';
	enum message_kind kind;
	uint64_t size;
	ptrdiff_t at;

	line.len -= has_crlf;
	at = http1_line_find_start(line, &kind);
	if (at >= 0 && flow_may_be(http1, flow, kind)) {
		start_found(http1, flow, (size_t)at, kind, time_ns);
		return;
	}
	if (flow->seeks_chunks && flow->out.is_open && flow->after_crlf && !flow->is_long &&
	    chunk_line_size(line, &size)) {
		size_found(http1, flow, size, time_ns);
		return;
	}
	if (has_crlf && (line.len || flow->is_long)) {
		frames_feed(http1, flow, line, time_ns);
		flow->held = 2;
	} else {
		frames_feed(http1, flow, whole, time_ns);
	}
	seek_passed(http1, flow, whole.len, time_ns);
	patience_check(http1, whole);
	link_count(flow, whole.len);
	buf_reset(&flow->line);
	flow->is_long = false;
	flow->after_crlf = has_crlf;
}

/* The line fills the buffer: its first half goes on, the second may still hold a message's start. */
static void line_slide(struct http1 *http1, struct flow *flow, uint64_t time_ns)
{
	size_t half = (flow->line.len + 1) / 2;

	frames_feed(http1, flow, slice_head(buf_slice(&flow->line), half), time_ns);
	seek_passed(http1, flow, half, time_ns);
	patience_check(http1, slice_head(buf_slice(&flow->line), half));
	link_count(flow, half);
	buf_consume(&flow->line, half);
	flow->is_long = true;
}

void seek_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns)
{
	struct slice piece = flow_line_take(flow, in, time_ns);

	if (flow->line.failed) {
		seek_passed(http1, flow, flow->line.len + piece.len, time_ns);
		line_restart(flow);
		if (flow->out.is_open)
			body_hole(&flow->out.body);
	} else if (piece.data[piece.len - 1] == '\n') {
		line_finish(http1, flow, time_ns);
	} else if (flow->line.len == flow->line.max) {
		line_slide(http1, flow, time_ns);
	}
}

void seek_hole(struct http1 *http1, struct flow *flow, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	seek_passed(http1, flow, flow->line.len, time_ns);
	line_restart(flow);
	flow->reason = reason;
	if (!http1->has_roles || flow->dir != http1->client)
		pairing_doubt(&http1->pairing);
	if (!flow->out.is_told && pairing_next(&http1->pairing) && http1->has_roles && flow->dir != http1->client)
		flow_tell_hidden(http1, flow, reason, time_ns);
	if (flow->out.is_open)
		outgoing_hole(&flow->out, len, reason, false, time_ns);
	else
		http1->proto->stray_bytes += len;
}

void seek_end(struct http1 *http1, struct flow *flow)
{
	uint64_t time_ns = flow->out.last_ns;

	frames_feed(http1, flow, buf_slice(&flow->line), flow->line_ns);
	seek_passed(http1, flow, flow->line.len, flow->line.len ? flow->line_ns : time_ns);
	line_restart(flow);
}
