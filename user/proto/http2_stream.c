/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchanges of an HTTP/2 connection: one a stream, told by its header blocks, its DATA and what ends it. A block on a stream
 * whose message is open is its trailers, one with a status of 1xx counts to the answer that follows. A stream that is reset
 * ends its messages as a close would, seen from the same chair: by the client it is given up, by the server refused; after the
 * answer's end it is only a way to say goodbye.
 *
 * Pushed streams (even numbers) are answers that nobody asked for: their blocks are decoded, they are not told.
 */
#include "proto/carrier.h"
#include "proto/frame_array.h"
#include "proto/http1_head.h"
#include "proto/http2.h"
#include "proto/http2_socket.h"

/* ---- streams ---- */

static struct http2_stream *stream_find(const struct http2 *http2, uint32_t id)
{
	struct http2_stream *stream = http2->first;

	while (stream && stream->id != id)
		stream = stream->next;
	return stream;
}

static bool stream_was_closed(const struct http2 *http2, uint32_t id)
{
	for (size_t i = 0; i < HTTP2_CLOSED_MAX; i++)
		if (http2->closed[i] == id)
			return true;
	return false;
}

static void stream_close(struct http2 *http2, struct http2_stream *stream)
{
	struct http2_stream **at = &http2->first;

	while (*at != stream)
		at = &(*at)->next;
	*at = stream->next;
	if (http2->tail == &stream->next)
		http2->tail = at;
	http2->count--;
	http2->closed[http2->closed_at++ % HTTP2_CLOSED_MAX] = stream->id;
	for (int kind = 0; kind < _MESSAGE_MAX; kind++) {
		http2->proto->stray_bytes += stream->carry[kind];
		outgoing_free(&stream->out[kind]);
	}
	http2_socket_free(stream);
	alloc_put(http2->proto->opts.alloc, stream, sizeof(*stream));
}

/* The only way by which a message ends. One whose body is as long as its head said is not cut by what ends its stream: who
 * has read that much may reset it before the frame that says so (Go's client does). */
static void message_end(struct http2_stream *stream, struct outgoing *out, enum message_end_how how,
			enum close_how conn_how)
{
	if (how == MESSAGE_END_CUT && stream->has_length[out->kind] && stream->length[out->kind] == out->body_bytes) {
		how = MESSAGE_END_FRAMED;
		conn_how = CLOSE_UNKNOWN;
		out->is_reset = false;
	}
	http2_socket_end(stream, out);
	outgoing_end(out, how, conn_how);
}

/* More streams than anyone has open at a time: the oldest is let go. */
static void stream_evict(struct http2 *http2, struct http2_stream *stream)
{
	for (int kind = 0; kind < _MESSAGE_MAX; kind++) {
		struct outgoing *out = &stream->out[kind];

		if (!out->is_open)
			continue;
		out->is_hidden = true;
		outgoing_break(out, MISSING_BUDGET, out->last_ns);
		message_end(stream, out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
	}
	stream_close(http2, stream);
}

struct http2_stream *http2_stream_open(struct http2 *http2, uint32_t id, uint64_t exchange)
{
	struct http2_stream *stream;

	if (http2->count == HTTP2_STREAMS_MAX)
		stream_evict(http2, http2->first);
	stream = alloc_get(http2->proto->opts.alloc, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->id = id;
	stream->exchange = exchange ? exchange : ++http2->proto->exchanges;
	*http2->tail = stream;
	http2->tail = &stream->next;
	http2->count++;
	return stream;
}

/* The answer is over, or nothing will come of it, and the request goes on no more. */
static void stream_settle(struct http2 *http2, struct http2_stream *stream)
{
	if (stream->is_over[MESSAGE_RESPONSE] && !stream->out[MESSAGE_REQUEST].is_open)
		stream_close(http2, stream);
}

/* ---- messages ---- */

static struct outgoing *message_open(struct http2 *http2, struct http2_flow *flow, struct http2_stream *stream,
				     uint64_t start_ns)
{
	enum message_kind kind = http2_kind(http2, flow);
	struct outgoing *out = &stream->out[kind];

	outgoing_open(out, http2->proto, kind, flow->dir, start_ns);
	out->exchange = stream->exchange;
	out->is_skipped = stream->is_skipped && kind == MESSAGE_RESPONSE;
	outgoing_passed(out, stream->carry[kind], start_ns);
	stream->carry[kind] = 0;
	return out;
}

static void message_over(struct http2 *http2, struct http2_stream *stream, enum message_kind kind)
{
	stream->is_over[kind] = true;
	message_end(stream, &stream->out[kind], MESSAGE_END_FRAMED, CLOSE_UNKNOWN);
	stream_settle(http2, stream);
}

/* ---- data ---- */

/* DATA of a stream whose head we did not see. */
static struct outgoing *data_begin_late(struct http2 *http2, struct http2_flow *flow, struct http2_stream *stream,
					uint64_t time_ns)
{
	struct outgoing *out = message_open(http2, flow, stream, flow->head_len ? flow->head_ns : time_ns);

	outgoing_tell_late(out, flow->reason);
	if (out->kind == MESSAGE_RESPONSE)
		outgoing_shape_unknown(out, flow->reason);
	out->is_hidden = true;
	return out;
}

struct outgoing *http2_data_to(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns)
{
	enum message_kind kind = http2_kind(http2, flow);
	uint32_t id = flow->frame.stream;
	struct http2_stream *stream = stream_find(http2, id);
	bool may_be_late = http2->has_hidden && http2->has_roles && id & 1;

	if (!stream && may_be_late && !stream_was_closed(http2, id))
		stream = http2_stream_open(http2, id, 0);
	if (!stream || stream->is_over[kind])
		return NULL;
	if (!stream->out[kind].is_open && may_be_late)
		return data_begin_late(http2, flow, stream, time_ns);
	return stream->out[kind].is_open ? &stream->out[kind] : NULL;
}

/* A body whose type nobody told, from its first byte: events, messages, or anything. */
static enum frame_kind frame_guess(enum message_kind kind, char first)
{
	if (first == 0 || first == 1)
		return FRAME_BINARY;
	return kind == MESSAGE_RESPONSE && memchr("de:ir", first, 5) ? FRAME_EVENTS : FRAME_BYTES;
}

/* A DATA frame begins (no @bytes), or goes on. */
void http2_data(struct http2 *http2, struct http2_flow *flow, struct slice bytes, uint64_t time_ns)
{
	enum message_kind kind = http2_kind(http2, flow);
	struct outgoing *out = http2_data_to(http2, flow, time_ns);
	struct http2_stream *stream = out ? stream_find(http2, flow->frame.stream) : NULL;

	if (!out)
		return;
	if (!bytes.len) {
		outgoing_boundary(out);
		return;
	}
	if (stream->is_unshaped[kind]) {
		enum frame_kind frame = frame_guess(kind, bytes.data[0]);

		outgoing_shape(out, &(struct body_shape){ .frame = frame, .is_sniffed = frame != FRAME_BINARY });
		stream->is_unshaped[kind] = false;
	}
	if (!http2_socket_data(stream, out, bytes, time_ns))
		outgoing_body(out, bytes, time_ns);
}

void http2_data_end(struct http2 *http2, struct http2_flow *flow)
{
	enum message_kind kind = http2_kind(http2, flow);
	struct http2_stream *stream = stream_find(http2, flow->frame.stream);

	if (stream && http2_socket_is_over(stream, kind))
		message_over(http2, stream, kind);
}

void http2_data_hole(struct http2 *http2, struct http2_flow *flow, struct outgoing *out, uint32_t len,
		     enum missing_reason reason, uint64_t time_ns)
{
	struct http2_stream *stream = stream_find(http2, flow->frame.stream);
	bool in_body = !(flow->frame.flags & HTTP2_PADDED);

	if (!http2_socket_hole(stream, out, len, reason, in_body, time_ns))
		outgoing_hole(out, len, reason, in_body, time_ns);
}

void http2_streams_break(struct http2 *http2, enum message_kind kind, enum missing_reason reason, uint64_t time_ns)
{
	for (struct http2_stream *stream = http2->first; stream; stream = stream->next) {
		struct outgoing *out = &stream->out[kind];

		if (!out->is_open)
			continue;
		out->is_hidden = true;
		if (http2_socket_hole(stream, out, 0, reason, false, time_ns))
			out->is_lost = true;
		else
			outgoing_break(out, reason, time_ns);
	}
}

void http2_stream_end(struct http2 *http2, struct http2_flow *flow, uint32_t id)
{
	struct http2_stream *stream = stream_find(http2, id);
	enum message_kind kind = http2_kind(http2, flow);

	if (stream && stream->out[kind].is_open && !http2_socket_holds_end(stream, kind))
		message_over(http2, stream, kind);
}

/* ---- header blocks ---- */

struct http2_block {
	struct message_head head;
	struct header *fields;
	size_t fields_len; /* the memory */
	bool has_status, has_method, has_type;
};

static int status_parse(struct slice text)
{
	int status = 0;

	for (size_t i = 0; i < text.len && i < 3; i++)
		status = status * 10 + (text.data[i] >= '0' && text.data[i] <= '9' ? text.data[i] - '0' : 0);
	return status;
}

/* What is no number of at most 18 digits tells nothing. */
static void length_take(struct http2_stream *stream, enum message_kind kind, struct slice digits)
{
	uint64_t length = 0;

	stream->has_length[kind] = digits.len && digits.len <= 18;
	for (size_t i = 0; i < digits.len && stream->has_length[kind]; i++) {
		stream->has_length[kind] = digits.data[i] >= '0' && digits.data[i] <= '9';
		length = length * 10 + (unsigned char)(digits.data[i] - '0');
	}
	stream->length[kind] = length;
}

/* A name that begins with a colon is none of the fields. */
static void pseudo_take(struct http2_block *block, const struct header *field)
{
	if (slice_equal(field->name, SLICE(":status"))) {
		block->head.status = status_parse(field->value);
		block->has_status = true;
	} else if (slice_equal(field->name, SLICE(":method"))) {
		block->head.method = field->value;
		block->has_method = true;
	} else if (slice_equal(field->name, SLICE(":protocol"))) {
		block->head.protocol = slice_equal(field->value, SLICE("websocket")) ? SLICE("websocket") : SLICE_NONE;
	} else if (slice_equal(field->name, SLICE(":path"))) {
		block->head.target = field->value;
	} else if (slice_equal(field->name, SLICE(":authority"))) {
		block->head.authority = field->value;
	}
}

static void block_read(struct http2 *http2, struct http2_flow *flow, struct http2_block *block)
{
	struct alloc *alloc = http2->proto->opts.alloc;
	struct slice host = SLICE_NONE;
	size_t count, kept = 0;

	*block = (struct http2_block){ .fields_len = flow->hpack.count * sizeof(struct header) };
	if (block->fields_len)
		block->fields = alloc_get(alloc, block->fields_len);
	count = block->fields ? hpack_fields(&flow->hpack, block->fields) : 0;
	flow->hpack.has_too_many |= block->fields_len && !block->fields;
	for (size_t i = 0; i < count; i++) {
		struct header *field = &block->fields[i];

		if (slice_starts(field->name, SLICE(":"))) {
			pseudo_take(block, field);
			continue;
		}
		if (slice_equal(field->name, SLICE("host")))
			host = field->value;
		block->has_type |= slice_equal(field->name, SLICE("content-type"));
		block->fields[kept++] = *field;
	}
	block->head.version = SLICE("2");
	block->head.headers = block->fields;
	block->head.header_count = kept;
	if (!block->head.authority.len)
		block->head.authority = host;
}

/* Joined late, the first block that names a method or a status tells who is who. */
static void roles_notice(struct http2 *http2, const struct http2_flow *flow, const struct http2_block *block)
{
	if (http2->has_roles || block->has_method == block->has_status)
		return;
	http2->client = block->has_method ? flow->dir : direction_other(flow->dir);
	http2->has_roles = true;
}

/* The block did not decode: that a message begins here is all that is known. */
static void head_tell_late(struct http2 *http2, struct http2_flow *flow, struct http2_stream *stream)
{
	struct outgoing *out = message_open(http2, flow, stream, flow->block_ns);

	outgoing_missed(out, flow->block_bytes, flow->reason);
	outgoing_tell_late(out, flow->reason);
	out->is_length_hidden = false;
	stream->is_unshaped[out->kind] = true;
}

/* What its target and type say of both bodies. */
static void request_shape(struct http2_stream *stream, const struct message_head *head, struct body_shape *shape)
{
	stream->is_streaming = frame_target_streams(head->target);
	stream->is_two_way = http1_frame_of(head->headers, head->header_count, FRAME_BYTES) == FRAME_AWS;
	if (stream->is_two_way)
		shape->frame = FRAME_AWS;
}

static void head_tell(struct http2 *http2, struct http2_flow *flow, struct http2_stream *stream,
		      struct http2_block *block)
{
	struct outgoing *out = message_open(http2, flow, stream, flow->block_ns);
	struct body_shape shape;

	http2_socket_notice(stream, out, &block->head);
	for (size_t i = 0; i < block->head.header_count; i++)
		if (slice_equal(block->head.headers[i].name, SLICE("content-length")))
			length_take(stream, out->kind, block->head.headers[i].value);
	outgoing_tell(out, &block->head);
	if (flow->hpack.has_too_many) {
		out->is_hidden = true;
		outgoing_hole(out, 0, MISSING_BUDGET, true, out->start_ns);
	}
	if (http2_socket_head(stream, out, &block->head))
		return;
	stream->is_unshaped[out->kind] = !block->has_type && flow->hpack.has_unknown;
	http1_shape_of(&shape, out->kind, block->head.headers, block->head.header_count);
	if (out->kind == MESSAGE_REQUEST)
		request_shape(stream, &block->head, &shape);
	else if (stream->is_streaming && block->head.status == 200)
		shape.frame = http1_frame_of(block->head.headers, block->head.header_count, shape.frame);
	shape.is_two_way = stream->is_two_way && shape.frame == FRAME_AWS;
	if (!stream->is_unshaped[out->kind])
		outgoing_shape(out, &shape);
}

/* The block of a message that is not open. false: an interim answer, which is none. */
static bool head_take(struct http2 *http2, struct http2_flow *flow, struct http2_stream *stream,
		      struct http2_block *block)
{
	enum message_kind kind = http2_kind(http2, flow);
	bool is_trailer = kind == MESSAGE_RESPONSE && !block->has_status && !flow->hpack.has_unknown;

	if (flow->is_broken) {
		head_tell_late(http2, flow, stream);
	} else if (is_trailer) {
		outgoing_tell_late(message_open(http2, flow, stream, flow->block_ns), flow->reason);
		stream->out[kind].is_hidden = true;
	} else if (block->head.status / 100 == 1 && block->head.status != 101) {
		stream->carry[kind] += flow->block_bytes;
		return false;
	} else {
		head_tell(http2, flow, stream, block);
		/* What a request waited for, may have ended it. */
		if (http2_socket_is_over(stream, MESSAGE_REQUEST))
			message_over(http2, stream, MESSAGE_REQUEST);
	}
	return true;
}

static void block_take(struct http2 *http2, struct http2_flow *flow, struct http2_stream *stream,
		       struct http2_block *block, uint64_t time_ns)
{
	enum message_kind kind = http2_kind(http2, flow);
	struct outgoing *out = &stream->out[kind];
	bool is_end = flow->block.flags & HTTP2_END_STREAM, is_trailer = out->is_open;

	if (!is_trailer && !head_take(http2, flow, stream, block))
		return;
	outgoing_passed(out, flow->block_bytes, time_ns);
	if (is_trailer && flow->is_broken)
		outgoing_missed(out, flow->block_bytes, flow->reason);
	if (!is_end)
		return;
	if ((is_trailer || !block->has_status) && kind == MESSAGE_RESPONSE) {
		out->trailers = block->head.headers;
		out->trailer_count = block->head.header_count;
	}
	message_over(http2, stream, kind);
}

void http2_headers(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns)
{
	uint32_t id = flow->block.stream;
	struct http2_stream *stream;
	struct http2_block block;

	block_read(http2, flow, &block);
	roles_notice(http2, flow, &block);
	stream = stream_find(http2, id);
	if (!stream && http2->has_roles && id & 1 && flow->block.type == HTTP2_HEADERS && !stream_was_closed(http2, id))
		stream = http2_stream_open(http2, id, 0);
	if (!stream || flow->block.type != HTTP2_HEADERS || stream->is_over[http2_kind(http2, flow)])
		http2->proto->stray_bytes += flow->block_bytes;
	else
		block_take(http2, flow, stream, &block, time_ns);
	flow->block_bytes = 0;
	alloc_put(http2->proto->opts.alloc, block.fields, block.fields_len);
}

/* ---- ends ---- */

/* A client that resets was told by nobody: it is a local close seen by it, a remote one by the server. */
static enum close_how reset_how(const struct http2 *http2, const struct http2_flow *flow)
{
	if (flow->dir != http2->client)
		return CLOSE_RESET;
	return flow->dir == DIR_WRITE ? CLOSE_LOCAL : CLOSE_REMOTE;
}

/* The answer that did not begin: its end is told alone, so that the exchange has one. */
static void answer_refuse(struct http2 *http2, struct http2_stream *stream, enum close_how how, uint64_t time_ns)
{
	struct message_end end = { .how = MESSAGE_END_CUT,
				   .conn_how = how,
				   .is_reset = true,
				   .stream_bytes = stream->carry[MESSAGE_RESPONSE],
				   .time_ns = time_ns };

	stream->carry[MESSAGE_RESPONSE] = 0;
	http2->proto->ops->end(http2->proto->user, stream->exchange, MESSAGE_RESPONSE, &end);
}

static void stream_reset(struct http2 *http2, struct http2_flow *flow, struct http2_stream *stream, uint64_t time_ns)
{
	enum close_how how = reset_how(http2, flow);

	for (int kind = 0; kind < _MESSAGE_MAX; kind++) {
		struct outgoing *out = &stream->out[kind];

		if (!out->is_open)
			continue;
		out->is_reset = true;
		out->last_ns = time_ns;
		stream->is_over[kind] = true;
		message_end(stream, out, MESSAGE_END_CUT, how);
	}
	if (!stream->is_over[MESSAGE_RESPONSE])
		answer_refuse(http2, stream, how, time_ns);
	stream_close(http2, stream);
}

void http2_reset(struct http2 *http2, struct http2_flow *flow, uint32_t id, uint64_t time_ns)
{
	struct http2_stream *stream = stream_find(http2, id);

	if (stream && http2->has_roles)
		stream_reset(http2, flow, stream, time_ns);
}

void http2_go_away(struct http2 *http2, struct http2_flow *flow, uint32_t last, uint64_t time_ns)
{
	if (!http2->has_roles || flow->dir == http2->client)
		return;
	for (struct http2_stream *stream = http2->first, *next; stream; stream = next) {
		next = stream->next;
		if (stream->id > last && !stream->out[MESSAGE_RESPONSE].is_open)
			stream_reset(http2, flow, stream, time_ns);
	}
}

void http2_streams_end(struct http2 *http2, enum close_how how)
{
	for (int kind = 0; kind < _MESSAGE_MAX; kind++)
		for (struct http2_stream *stream = http2->first; stream; stream = stream->next) {
			struct outgoing *out = &stream->out[kind];

			message_end(stream, out, out->is_lost ? MESSAGE_END_LOST : MESSAGE_END_CUT, how);
		}
	while (http2->first)
		stream_close(http2, http2->first);
}

bool http2_so_far(const void *state, uint64_t exchange, enum message_kind kind, struct message_end *ret)
{
	const struct http2 *http2 = state;

	for (const struct http2_stream *stream = http2->first; stream; stream = stream->next)
		if (outgoing_so_far(&stream->out[kind], exchange, kind, ret))
			return true;
	return false;
}

void http2_streams_free(struct http2 *http2)
{
	while (http2->first)
		stream_close(http2, http2->first);
}
