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

/* Rows of zeros look like heads. Who sends nothing on a stream ends it with that; only servers' pushes have even numbers. */
static bool frame_says_something(const struct http2_frame *frame)
{
	if (frame->type == HTTP2_DATA && !frame->len && !(frame->flags & HTTP2_END_STREAM))
		return false;
	if (frame->type == HTTP2_HEADERS && (!frame->len || !(frame->flags & HTTP2_END_HEADERS)))
		return frame->len >= LEN_LIKELY / 2;
	return !frame->stream || frame->stream & 1;
}

static bool head_is_likely(const char *head, bool is_first, struct http2_frame *frame)
{
	return http2_frame_parse(head, frame) && frame_says_something(frame) && frame->type < _HTTP2_TYPE_MAX &&
	       (unsigned char)head[5] < 0x80 && frame->stream < STREAM_LIKELY &&
	       (!is_first || frame->len <= LEN_LIKELY) && !(frame->flags & ~flags_known[frame->type]);
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

/* *ret_len: how many bytes it took to say YES, or takes to say more than MORE. */
static enum http2_chain chain_judge(struct slice bytes, bool is_end, size_t *ret_len)
{
	struct http2_frame frame, first = { 0 };
	uint64_t at = 0;

	*ret_len = 0;
	if (!first_is_possible(bytes))
		return HTTP2_CHAIN_NO;
	for (int heads = 0; heads < CHAIN_HEADS; heads++) {
		if (is_end && heads && at == bytes.len)
			return HTTP2_CHAIN_YES;
		/* Too far away to wait for. */
		if (heads == 2 && at + HTTP2_HEAD_BYTES > HTTP2_SEEK_MAX)
			return HTTP2_CHAIN_YES;
		if (at + HTTP2_HEAD_BYTES > bytes.len) {
			*ret_len = bytes.len > 1 ? at + HTTP2_HEAD_BYTES : 2;
			return is_end ? HTTP2_CHAIN_NO : HTTP2_CHAIN_MORE;
		}
		if (!head_is_likely(bytes.data + at, !heads, &frame))
			return HTTP2_CHAIN_NO;
		*ret_len = at + HTTP2_HEAD_BYTES;
		if (heads == 1 && is_pair(&first, &frame))
			return HTTP2_CHAIN_YES;
		if (!heads)
			first = frame;
		at += HTTP2_HEAD_BYTES + frame.len;
	}
	return HTTP2_CHAIN_YES;
}

/* The first that is whole, at *ret_at. What begins no chain is let go. */
static bool maybes_weigh(struct http2_scan *scan, struct slice known, bool is_end, size_t *ret_at)
{
	size_t kept = 0, first_end = SIZE_MAX;

	for (size_t i = 0; i < scan->count; i++) {
		struct http2_maybe maybe = scan->maybe[i];
		enum http2_chain chain = HTTP2_CHAIN_MORE;
		size_t len;

		if (is_end || maybe.need <= known.len) {
			chain = chain_judge(slice_from(known, maybe.at), is_end, &len);
			maybe.need = maybe.at + len;
		}
		if (chain == HTTP2_CHAIN_YES && maybe.need < first_end) {
			first_end = maybe.need;
			*ret_at = maybe.at;
		}
		if (chain != HTTP2_CHAIN_NO)
			scan->maybe[kept++] = maybe;
	}
	scan->count = kept;
	return first_end < SIZE_MAX;
}

/* The next number of bytes at which there is something to judge: one chain or another, or a byte that may begin one. */
static size_t scan_next(const struct http2_scan *scan, struct slice held)
{
	const char *zero = memchr(held.data + scan->scanned, 0, held.len - scan->scanned);
	size_t next = zero ? (size_t)(zero - held.data) + 1 : held.len;

	for (size_t i = 0; i < scan->count; i++)
		next = MIN(next, scan->maybe[i].need);
	return next;
}

/* A chain anywhere is worth more than a head before it that waits for its next: so the cost of each feed is bounded, and what
 * only looks like a head keeps nobody waiting. Of several the one that was whole first counts; and as only so many are watched,
 * all is judged as if each byte came alone. So it is the same one in whatever cuts the bytes come. */
bool http2_scan(struct http2_scan *scan, struct slice held, bool is_end, size_t *ret_at)
{
	while (scan->scanned < held.len) {
		scan->scanned = scan_next(scan, held);
		if (maybes_weigh(scan, slice_head(held, scan->scanned), false, ret_at))
			return true;
		if (held.data[scan->scanned - 1])
			continue;
		if (scan->count == HTTP2_SCAN_MAX)
			memmove(scan->maybe, scan->maybe + 1, --scan->count * sizeof(scan->maybe[0]));
		scan->maybe[scan->count++] = (struct http2_maybe){ scan->scanned - 1, scan->scanned + 1 };
	}
	if (is_end && maybes_weigh(scan, held, true, ret_at))
		return true;
	*ret_at = scan->count ? scan->maybe[0].at : held.len;
	return false;
}

void http2_scan_consume(struct http2_scan *scan, size_t len)
{
	scan->scanned -= len;
	for (size_t i = 0; i < scan->count; i++) {
		scan->maybe[i].at -= len;
		scan->maybe[i].need -= len;
	}
}

/* Frames are walked in the held bytes themselves; a walk that loses its place gives its last head back, to be searched. */
static void held_search(struct http2 *http2, struct http2_flow *flow, bool is_end)
{
	struct buf held = flow->seek;
	size_t at, from = 0;

	flow->seek = BUF(held.alloc, held.max);
	while (http2_scan(&flow->scan, slice_from(buf_slice(&held), from), is_end, &at)) {
		struct slice rest = slice_from(buf_slice(&held), from + at);

		http2->proto->stray_bytes += at;
		flow->state = HTTP2_AT_HEAD;
		flow->scan = (struct http2_scan){ 0 };
		http2_walk(http2, flow, &rest, flow->seek_ns);
		from = held.len - rest.len - flow->seek.len;
		buf_free(&flow->seek);
		if (flow->state != HTTP2_SEEKS) {
			buf_free(&held);
			return;
		}
		/* The head that was given back is none. */
		flow->scan.scanned = from < held.len;
	}
	http2->proto->stray_bytes += at;
	http2_scan_consume(&flow->scan, at);
	buf_consume(&held, from + at);
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
		flow->scan = (struct http2_scan){ 0 };
		return;
	}
	held_search(http2, flow, false);
}

void http2_seek_end(struct http2 *http2, struct http2_flow *flow)
{
	held_search(http2, flow, true);
	http2->proto->stray_bytes += flow->seek.len;
	buf_free(&flow->seek);
	flow->scan = (struct http2_scan){ 0 };
}
