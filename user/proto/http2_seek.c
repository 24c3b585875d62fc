/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where frames begin, found in the middle: a head that is likely, and where its frame ends the next, and the next. A header
 * block followed by a frame of its own stream is as good as three heads; so is a chain that ends where the bytes end for ever.
 * Text is no head (its first byte would make a frame of megabytes), so a search in it is cheap.
 */
#include "proto/carrier.h"
#include "proto/http2.h"

enum { CHAIN_HEADS = 3, LEN_LIKELY = 16 << 10, STREAM_LIKELY = 1 << 24 };

static const uint8_t flags_known[_HTTP2_TYPE_MAX] = {
	[HTTP2_DATA] = HTTP2_END_STREAM | HTTP2_PADDED,
	[HTTP2_HEADERS] = HTTP2_END_STREAM | HTTP2_END_HEADERS | HTTP2_PADDED | HTTP2_HAS_PRIORITY,
	[HTTP2_SETTINGS] = 1,
	[HTTP2_PUSH_PROMISE] = HTTP2_END_HEADERS | HTTP2_PADDED,
	[HTTP2_PING] = 1,
	[HTTP2_CONTINUATION] = HTTP2_END_HEADERS,
};

static bool head_is_likely(const char *head, bool is_first, struct http2_frame *frame)
{
	return http2_frame_parse(head, frame) && frame->type < _HTTP2_TYPE_MAX && (unsigned char)head[5] < 0x80 &&
	       frame->stream < STREAM_LIKELY && (!is_first || frame->len <= LEN_LIKELY) &&
	       !(frame->flags & ~flags_known[frame->type]);
}

/* What can be said of the beginning of a head: its frame is not longer than is usual. */
static bool first_is_possible(struct slice bytes)
{
	if (bytes.len > 1 && (unsigned char)bytes.data[1] > LEN_LIKELY >> 8)
		return false;
	return !bytes.len || bytes.data[0] == 0;
}

static bool is_pair(const struct http2_frame *first, const struct http2_frame *second)
{
	return first->type == HTTP2_HEADERS && first->stream == second->stream &&
	       (second->type == HTTP2_DATA || second->type == HTTP2_CONTINUATION || second->type == HTTP2_HEADERS);
}

enum http2_chain http2_chain(struct slice bytes, bool is_end)
{
	struct http2_frame frame, first = { 0 };
	uint64_t at = 0;

	if (!first_is_possible(bytes))
		return HTTP2_CHAIN_NO;
	for (int heads = 0; heads < CHAIN_HEADS; heads++) {
		if (is_end && heads && at == bytes.len)
			return HTTP2_CHAIN_YES;
		/* Too far away to wait for. */
		if (heads == 2 && at + HTTP2_HEAD_BYTES > HTTP2_SEEK_MAX)
			return HTTP2_CHAIN_YES;
		if (at + HTTP2_HEAD_BYTES > bytes.len)
			return is_end ? HTTP2_CHAIN_NO : HTTP2_CHAIN_MORE;
		if (!head_is_likely(bytes.data + at, !heads, &frame))
			return HTTP2_CHAIN_NO;
		if (heads == 1 && is_pair(&first, &frame))
			return HTTP2_CHAIN_YES;
		if (!heads)
			first = frame;
		at += HTTP2_HEAD_BYTES + frame.len;
	}
	return HTTP2_CHAIN_YES;
}

/* Moves *at to where a chain begins (true), or may begin once more is here. */
static bool chain_find(struct slice held, size_t *at, bool is_end)
{
	for (; *at < held.len; (*at)++) {
		enum http2_chain chain = http2_chain(slice_from(held, *at), is_end);

		if (chain != HTTP2_CHAIN_NO)
			return chain == HTTP2_CHAIN_YES;
	}
	return false;
}

/* Frames are walked in the held bytes themselves; a walk that loses its place gives its last head back, to be searched. */
static void held_search(struct http2 *http2, struct http2_flow *flow, bool is_end)
{
	struct buf held = flow->seek;
	size_t at = 0, from = 0;
	bool is_found;

	flow->seek = BUF(held.alloc, held.max);
	while ((is_found = chain_find(buf_slice(&held), &at, is_end))) {
		struct slice rest = slice_from(buf_slice(&held), at);

		http2->proto->stray_bytes += at - from;
		flow->state = HTTP2_AT_HEAD;
		http2_walk(http2, flow, &rest, flow->seek_ns);
		at = from = held.len - rest.len - flow->seek.len;
		buf_free(&flow->seek);
		if (flow->state != HTTP2_SEEKS)
			break;
		/* The head that was given back is none. */
		at += at < held.len;
	}
	http2->proto->stray_bytes += at - from;
	if (is_found) {
		buf_free(&held);
		return;
	}
	buf_consume(&held, at);
	flow->seek = held;
}

void http2_seek(struct http2 *http2, struct http2_flow *flow, struct slice *in, uint64_t time_ns)
{
	struct slice piece = slice_head(*in, flow->seek.max - flow->seek.len);

	if (!flow->seek.len)
		flow->seek_ns = time_ns;
	*in = slice_from(*in, piece.len);
	buf_put(&flow->seek, piece);
	if (flow->seek.failed) {
		http2->proto->stray_bytes += flow->seek.len + piece.len;
		buf_free(&flow->seek);
		return;
	}
	held_search(http2, flow, false);
}

void http2_seek_end(struct http2 *http2, struct http2_flow *flow)
{
	held_search(http2, flow, true);
	http2->proto->stray_bytes += flow->seek.len;
	buf_free(&flow->seek);
}
