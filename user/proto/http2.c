/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 (RFC 9113) as an onlooker: frames are taken as they come, nothing is answered and no limit of the two ends is
 * policed, but that a frame whose shape is impossible shows that the place is lost. Both ends see the same bytes over TLS, in
 * clear with prior knowledge, and after an upgrade.
 *
 *	AT_START -> AT_PREFACE -> AT_HEAD <-> AT_PAYLOAD
 *	                             ^------- SEEKS <--- hole beyond a frame, impossible frame, joined late
 *
 * A hole inside a frame costs what lies in it and no more: header blocks are the exception (hpack.c).
 */
#include "proto/http2.h"
#include "proto/carrier.h"
#include <errno.h>

static const struct slice preface = { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24 };

enum { ON_CONNECTION = 1, ON_STREAM = 2, ON_BOTH = 3 };

/* What a frame of each type must look like. */
static const struct {
	uint32_t len_min, len_max, len_unit;
	uint8_t where, prefix;
} shapes[_HTTP2_TYPE_MAX] = {
	[HTTP2_DATA] = { 0, UINT32_MAX, 1, ON_STREAM, 0 },
	[HTTP2_HEADERS] = { 0, UINT32_MAX, 1, ON_STREAM, 0 },
	[HTTP2_PRIORITY] = { 5, 5, 1, ON_STREAM, 0 },
	[HTTP2_RST_STREAM] = { 4, 4, 1, ON_STREAM, 0 },
	[HTTP2_SETTINGS] = { 0, UINT32_MAX, 6, ON_CONNECTION, 0 },
	[HTTP2_PUSH_PROMISE] = { 4, UINT32_MAX, 1, ON_STREAM, 4 },
	[HTTP2_PING] = { 8, 8, 1, ON_CONNECTION, 0 },
	[HTTP2_GOAWAY] = { 8, UINT32_MAX, 1, ON_CONNECTION, 0 },
	[HTTP2_WINDOW_UPDATE] = { 4, 4, 1, ON_BOTH, 0 },
	[HTTP2_CONTINUATION] = { 0, UINT32_MAX, 1, ON_STREAM, 0 },
};

static uint32_t number_be(const char *at, size_t len)
{
	uint32_t number = 0;

	for (size_t i = 0; i < len; i++)
		number = number << 8 | (unsigned char)at[i];
	return number;
}

/* false: no such frame can be. Types that we do not know are passed over, as RFC 9113 4.1 wants it. */
bool http2_frame_parse(const char *head, struct http2_frame *ret)
{
	uint8_t where;

	*ret = (struct http2_frame){ .len = number_be(head, 3),
				     .type = (uint8_t)head[3],
				     .flags = (uint8_t)head[4],
				     .stream = number_be(head + 5, 4) & INT32_MAX };
	if (ret->type >= _HTTP2_TYPE_MAX)
		return true;
	where = ret->stream ? ON_STREAM : ON_CONNECTION;
	return shapes[ret->type].where & where && ret->len >= shapes[ret->type].len_min &&
	       ret->len <= shapes[ret->type].len_max && ret->len % shapes[ret->type].len_unit == 0;
}

static enum sniff http2_sniff(struct slice first)
{
	static const struct slice line = { "PRI * HTTP/2.0", 14 };
	static const char settings[] = { 0, 0, -1, HTTP2_SETTINGS, 0, 0, 0, 0, 0 };

	if (slice_starts(first, line))
		return SNIFF_YES;
	if (slice_starts(line, first))
		return SNIFF_MAYBE;
	/* A server may speak first: of its settings, fewer than 40. */
	for (size_t i = 0; i < MIN(first.len, sizeof(settings)); i++)
		if (i == 2 ? (unsigned char)first.data[i] % 6 : first.data[i] != settings[i])
			return SNIFF_NO;
	return first.len < sizeof(settings) ? SNIFF_MAYBE : SNIFF_YES;
}

/* ---- header blocks ---- */

static void block_break(struct http2_flow *flow, enum missing_reason reason)
{
	if (!flow->is_broken)
		flow->reason = reason;
	flow->is_broken = true;
	hpack_lose(&flow->hpack);
}

static void block_begin(struct http2_flow *flow)
{
	flow->in_block = true;
	flow->is_broken = false;
	flow->block = flow->frame;
	flow->block_bytes = flow->block_missing = 0;
	flow->block_ns = flow->head_ns;
	hpack_begin(&flow->hpack);
}

static void block_end(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns)
{
	flow->in_block = false;
	if (!flow->is_broken && hpack_finish(&flow->hpack) < 0)
		block_break(flow, flow->hpack.error == -ENOMEM ? MISSING_BUDGET : MISSING_UNDECODABLE);
	http2_headers(http2, flow, time_ns);
}

/* ---- frames ---- */

static bool http2_frame_is_of_block(const struct http2_flow *flow)
{
	return flow->frame.type == HTTP2_HEADERS || flow->frame.type == HTTP2_CONTINUATION ||
	       flow->frame.type == HTTP2_PUSH_PROMISE;
}

/* @len bytes of the open frame passed. */
static void http2_frame_passed(struct http2 *http2, struct http2_flow *flow, uint64_t len, uint64_t time_ns)
{
	struct outgoing *out = flow->frame.type == HTTP2_DATA ? http2_data_to(http2, flow, time_ns) : NULL;

	if (out)
		outgoing_passed(out, len, time_ns);
	else if (flow->in_block && http2_frame_is_of_block(flow))
		flow->block_bytes += len;
	else
		http2->proto->stray_bytes += len;
}

static void settings_and_others_end(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns)
{
	if (flow->frame.type == HTTP2_RST_STREAM)
		http2_reset(http2, flow, flow->frame.stream, time_ns);
	else if (flow->frame.type == HTTP2_GOAWAY && flow->first_len >= 4)
		http2_go_away(http2, flow, number_be(flow->first, 4) & INT32_MAX, time_ns);
}

/* Joined in the middle of a streamed answer there may be no header block for long: events come from servers. Said of the next
 * frame on, so that it is the same in all cuts. */
static void role_guess(struct http2 *http2, const struct http2_flow *flow)
{
	struct slice first = { flow->first, flow->first_len };

	if (http2->has_roles || (!slice_starts(first, SLICE("data:")) && !slice_starts(first, SLICE("event:"))))
		return;
	http2->client = direction_other(flow->dir);
	http2->has_roles = true;
}

static void http2_frame_end(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns)
{
	flow->state = HTTP2_AT_HEAD;
	flow->head_len = 0;
	if (flow->frame.type == HTTP2_DATA) {
		role_guess(http2, flow);
		http2_data_end(http2, flow);
		if (flow->frame.flags & HTTP2_END_STREAM)
			http2_stream_end(http2, flow, flow->frame.stream);
	} else if (http2_frame_is_of_block(flow)) {
		if (flow->in_block && flow->frame.flags & HTTP2_END_HEADERS)
			block_end(http2, flow, time_ns);
	} else {
		settings_and_others_end(http2, flow, time_ns);
	}
}

/* The lengths that the content lies between, as far as they are known. */
static bool http2_frame_measure(struct http2_flow *flow)
{
	const struct http2_frame *frame = &flow->frame;
	bool may_pad = frame->type == HTTP2_DATA || frame->type == HTTP2_HEADERS || frame->type == HTTP2_PUSH_PROMISE;

	flow->left = flow->content_left = frame->len;
	flow->prefix_left = frame->type < _HTTP2_TYPE_MAX ? shapes[frame->type].prefix : 0;
	flow->pad = 0;
	flow->first_len = 0;
	if (!may_pad)
		flow->frame.flags &= (uint8_t)~HTTP2_PADDED;
	if (frame->flags & HTTP2_PADDED)
		flow->prefix_left += 1;
	if (frame->type == HTTP2_HEADERS && frame->flags & HTTP2_HAS_PRIORITY)
		flow->prefix_left += 5;
	return flow->prefix_left <= frame->len;
}

/* Between the frames of a header block there can be no others. */
static void http2_frame_order(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns)
{
	bool is_next = flow->frame.type == HTTP2_CONTINUATION && flow->frame.stream == flow->block.stream;

	if (flow->in_block && !is_next) {
		block_break(flow, MISSING_UNDECODABLE);
		block_end(http2, flow, time_ns);
	}
	if (flow->frame.type == HTTP2_CONTINUATION && !flow->in_block)
		hpack_lose(&flow->hpack);
	if (flow->frame.type == HTTP2_HEADERS || flow->frame.type == HTTP2_PUSH_PROMISE)
		block_begin(flow);
}

static void http2_frame_begin(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns)
{
	bool fits;

	if (!http2_frame_parse(flow->head, &flow->frame)) {
		http2_lose(http2, flow, MISSING_UNDECODABLE, time_ns);
		return;
	}
	flow->state = HTTP2_AT_PAYLOAD;
	http2_frame_order(http2, flow, time_ns);
	fits = http2_frame_measure(flow);
	if (!fits && http2_frame_is_of_block(flow))
		block_break(flow, MISSING_UNDECODABLE);
	http2_frame_passed(http2, flow, flow->head_len, time_ns);
	flow->head_len = 0;
	if (flow->frame.type == HTTP2_DATA)
		http2_data(http2, flow, SLICE_NONE, time_ns);
	if (!flow->left)
		http2_frame_end(http2, flow, time_ns);
}

static void head_step(struct http2 *http2, struct http2_flow *flow, struct slice *in, uint64_t time_ns)
{
	if (!flow->head_len)
		flow->head_ns = time_ns;
	while (in->len && flow->head_len < HTTP2_HEAD_BYTES) {
		flow->head[flow->head_len++] = in->data[0];
		*in = slice_from(*in, 1);
	}
	if (flow->head_len == HTTP2_HEAD_BYTES)
		http2_frame_begin(http2, flow, time_ns);
}

/* The prefix's first byte may be the length of the padding; its end fixes where the content ends. */
static void prefix_take(struct http2_flow *flow, struct slice *piece)
{
	while (piece->len && flow->prefix_left) {
		if (flow->frame.flags & HTTP2_PADDED && flow->content_left == flow->frame.len)
			flow->pad = (uint8_t)piece->data[0];
		flow->content_left--;
		flow->prefix_left--;
		*piece = slice_from(*piece, 1);
		if (flow->prefix_left)
			continue;
		/* More padding than there is room for: no content can be told from it. */
		if (flow->pad > flow->content_left && http2_frame_is_of_block(flow))
			block_break(flow, MISSING_UNDECODABLE);
		flow->content_left -= MIN(flow->content_left, flow->pad);
	}
}

static void content_take(struct http2 *http2, struct http2_flow *flow, struct slice content, uint64_t time_ns)
{
	struct slice first = slice_head(content, sizeof(flow->first) - flow->first_len);

	if (!http2_frame_is_of_block(flow) && first.len) {
		memcpy(flow->first + flow->first_len, first.data, first.len);
		flow->first_len += first.len;
	}
	if (flow->frame.type == HTTP2_DATA && content.len)
		http2_data(http2, flow, content, time_ns);
	else if (!http2_frame_is_of_block(flow))
		return;
	else if (flow->in_block && !flow->is_broken)
		hpack_feed(&flow->hpack, content);
}

static void payload_step(struct http2 *http2, struct http2_flow *flow, struct slice *in, uint64_t time_ns)
{
	struct slice piece = slice_head(*in, flow->left);

	*in = slice_from(*in, piece.len);
	flow->left -= (uint32_t)piece.len;
	http2_frame_passed(http2, flow, piece.len, time_ns);
	prefix_take(flow, &piece);
	piece = slice_head(piece, flow->content_left);
	flow->content_left -= (uint32_t)piece.len;
	content_take(http2, flow, piece, time_ns);
	if (!flow->left)
		http2_frame_end(http2, flow, time_ns);
}

/* ---- the beginning ---- */

static void roles_set(struct http2 *http2, enum direction client)
{
	http2->client = client;
	http2->has_roles = true;
}

/* Only the client begins with a preface. */
static void start_step(struct http2 *http2, struct http2_flow *flow, struct slice *in, uint64_t time_ns)
{
	bool is_client = in->data[0] == preface.data[0];

	if (!http2->has_roles)
		roles_set(http2, is_client ? flow->dir : direction_other(flow->dir));
	flow->state = is_client ? HTTP2_AT_PREFACE : HTTP2_AT_HEAD;
}

static void preface_step(struct http2 *http2, struct http2_flow *flow, struct slice *in, uint64_t time_ns)
{
	while (in->len && flow->preface_len < preface.len) {
		if (in->data[0] != preface.data[flow->preface_len]) {
			http2_lose(http2, flow, MISSING_UNDECODABLE, time_ns);
			return;
		}
		flow->preface_len++;
		http2->proto->stray_bytes++;
		*in = slice_from(*in, 1);
	}
	if (flow->preface_len == preface.len)
		flow->state = HTTP2_AT_HEAD;
}

/* ---- holes ---- */

void http2_lose(struct http2 *http2, struct http2_flow *flow, enum missing_reason reason, uint64_t time_ns)
{
	enum message_kind kind = http2_kind(http2, flow);

	http2->has_hidden = true;
	if (flow->in_block) {
		block_break(flow, reason);
		block_end(http2, flow, time_ns);
	}
	hpack_lose(&flow->hpack);
	http2_streams_break(http2, kind, reason, time_ns);
	flow->reason = reason;
	flow->state = HTTP2_SEEKS;
	/* The head that does not fit is the first place to look at. */
	buf_put(&flow->seek, (struct slice){ flow->head, flow->head_len });
	if (flow->seek.failed)
		http2->proto->stray_bytes += flow->head_len - flow->seek.len;
	flow->seek_ns = flow->head_ns;
	flow->head_len = 0;
}

static void payload_hole(struct http2 *http2, struct http2_flow *flow, uint32_t len, enum missing_reason reason,
			 uint64_t time_ns)
{
	struct outgoing *out = flow->frame.type == HTTP2_DATA ? http2_data_to(http2, flow, time_ns) : NULL;

	flow->left -= len;
	flow->prefix_left -= MIN(flow->prefix_left, len);
	flow->content_left -= MIN(flow->content_left, len);
	if (out) {
		http2_data_hole(http2, flow, out, len, reason, time_ns);
	} else {
		http2_frame_passed(http2, flow, len, time_ns);
		if (flow->in_block && http2_frame_is_of_block(flow)) {
			flow->block_missing += len;
			block_break(flow, reason);
		}
	}
	/* What is read by its value is read whole or not at all. */
	if (flow->frame.type == HTTP2_GOAWAY)
		flow->frame.type = _HTTP2_TYPE_MAX;
	if (!flow->left)
		http2_frame_end(http2, flow, time_ns);
}

static void http2_hole(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	struct http2 *http2 = state;
	struct http2_flow *flow = &http2->flows[dir];

	if (flow->state == HTTP2_AT_PAYLOAD) {
		uint32_t inside = (uint32_t)MIN(len, (uint64_t)flow->left);

		payload_hole(http2, flow, inside, reason, time_ns);
		len -= inside;
	}
	if (!len)
		return;
	if (flow->state == HTTP2_SEEKS)
		http2_seek_end(http2, flow);
	http2->proto->stray_bytes += len + flow->head_len;
	flow->head_len = 0;
	http2_lose(http2, flow, reason, time_ns);
}

/* ---- the carrier ---- */

static void *http2_open(struct proto *proto, bool is_late)
{
	struct http2 *http2 = alloc_get(proto->opts.alloc, sizeof(*http2));

	if (!http2)
		return NULL;
	http2->proto = proto;
	http2->tail = &http2->first;
	http2->has_hidden = is_late;
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		struct http2_flow *flow = &http2->flows[dir];

		flow->dir = (enum direction)dir;
		hpack_init(&flow->hpack, &proto->opts);
		flow->hpack.is_lost = is_late;
		flow->seek = BUF(proto->opts.alloc, HTTP2_SEEK_MAX);
		flow->state = is_late ? HTTP2_SEEKS : HTTP2_AT_START;
		flow->reason = MISSING_JOINED_LATE;
	}
	return http2;
}

/* The request that was upgraded is that of stream 1 (RFC 7540, 3.2). */
static void *http2_take_over(struct proto *proto, const struct hand_on *from)
{
	struct http2 *http2 = http2_open(proto, false);
	struct http2_stream *stream = http2 && from->exchange ? http2_stream_open(http2, 1, from->exchange) : NULL;

	if (!http2)
		return NULL;
	roles_set(http2, from->client);
	if (!stream) {
		proto->stray_bytes += from->answer_bytes;
		return http2;
	}
	stream->is_over[MESSAGE_REQUEST] = true;
	stream->carry[MESSAGE_RESPONSE] = from->answer_bytes;
	stream->is_skipped = from->is_skipped;
	return http2;
}

void http2_walk(struct http2 *http2, struct http2_flow *flow, struct slice *in, uint64_t time_ns)
{
	static void (*const steps[])(struct http2 * http2, struct http2_flow * flow, struct slice * in,
				     uint64_t time_ns) = { [HTTP2_AT_START] = start_step,
							   [HTTP2_AT_PREFACE] = preface_step,
							   [HTTP2_AT_HEAD] = head_step,
							   [HTTP2_AT_PAYLOAD] = payload_step };

	while (in->len && flow->state != HTTP2_SEEKS)
		steps[flow->state](http2, flow, in, time_ns);
}

static void http2_bytes(void *state, enum direction dir, uint64_t time_ns, struct slice data)
{
	struct http2 *http2 = state;
	struct http2_flow *flow = &http2->flows[dir];

	while (data.len) {
		http2_walk(http2, flow, &data, time_ns);
		if (data.len)
			http2_seek(http2, flow, &data, time_ns);
	}
}

static void flow_end(struct http2 *http2, struct http2_flow *flow)
{
	if (flow->state == HTTP2_SEEKS)
		http2_seek_end(http2, flow);
	http2->proto->stray_bytes += flow->head_len;
	flow->head_len = 0;
	/* Its sender stopped in the middle of a header block: nothing is known of it. */
	if (flow->in_block)
		http2->proto->stray_bytes += flow->block_bytes;
	flow->in_block = false;
}

static void http2_end(void *state, enum close_how how, uint64_t time_ns)
{
	struct http2 *http2 = state;
	enum direction client = http2->client; /* may become known by the last frame */

	flow_end(http2, &http2->flows[client]);
	flow_end(http2, &http2->flows[direction_other(client)]);
	http2_streams_end(http2, how);
}

static void http2_skip(void *state, uint64_t exchange)
{
	struct http2 *http2 = state;

	for (struct http2_stream *stream = http2->first; stream; stream = stream->next)
		if (stream->exchange == exchange)
			stream->is_skipped = stream->out[MESSAGE_RESPONSE].is_skipped = true;
}

static void http2_free(void *state)
{
	struct http2 *http2 = state;

	http2_streams_free(http2);
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		hpack_free(&http2->flows[dir].hpack);
		buf_free(&http2->flows[dir].seek);
	}
	alloc_put(http2->proto->opts.alloc, http2, sizeof(*http2));
}

const struct carrier carrier_http2 = {
	.name = "http2",
	.sniff = http2_sniff,
	.open = http2_open,
	.take_over = http2_take_over,
	.bytes = http2_bytes,
	.hole = http2_hole,
	.end = http2_end,
	.skip = http2_skip,
	.so_far = http2_so_far,
	.free = http2_free,
};
