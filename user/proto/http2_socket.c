/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream's two messages stay without a body's stages: all that travels goes to the socket. A request that is refused is
 * one with bytes for a body.
 *
 *	request: waits ──┬── 2xx ───▶ the socket's
 *	                 └── other ─▶ bytes
 */
#include "proto/http2_socket.h"

enum { HELD_BYTES_MAX = 64 << 10 };

static struct alloc *alloc_of(const struct outgoing *out)
{
	return out->proto->opts.alloc;
}

static struct http2_socket *socket_new(struct alloc *alloc)
{
	struct http2_socket *socket = alloc_get(alloc, sizeof(*socket));

	if (socket)
		socket->held = BUF(alloc, HELD_BYTES_MAX);
	return socket;
}

void http2_socket_free(struct http2_stream *stream)
{
	struct http2_socket *socket = stream->socket;

	if (!socket)
		return;
	websocket_free(socket->socket);
	buf_free(&socket->held);
	alloc_put(socket->held.alloc, socket, sizeof(*socket));
	stream->socket = NULL;
}

static bool is_waiting(const struct http2_stream *stream, enum message_kind kind)
{
	const struct http2_socket *socket = stream->socket;

	return socket && !socket->socket && !socket->is_refused && kind == MESSAGE_REQUEST;
}

static bool is_granted(const struct http2_stream *stream)
{
	return stream->socket && stream->socket->socket;
}

void http2_socket_notice(struct http2_stream *stream, struct outgoing *out, struct message_head *head)
{
	bool is_request = out->kind == MESSAGE_REQUEST;

	if (is_request && head->protocol.len && slice_equal(head->method, SLICE("CONNECT")))
		stream->socket = socket_new(alloc_of(out));
	if (stream->socket && (is_request || head->status / 100 == 2))
		head->protocol = SLICE("websocket");
	else
		head->protocol = SLICE_NONE;
}

/* What the request's bytes are is known now: the socket's, or, without one, its body. */
static void held_release(struct http2_socket *socket, struct outgoing *out)
{
	struct slice held = buf_slice(&socket->held);

	if (!out->is_open)
		return;
	if (!socket->socket)
		outgoing_shape(out, &(struct body_shape){ .frame = FRAME_BYTES });
	if (!socket->socket)
		outgoing_body(out, held, out->last_ns);
	else if (held.len)
		websocket_feed(socket->socket, out, held, out->last_ns);
	if (socket->socket && socket->is_held_lost)
		websocket_hole(socket->socket, out, 0, socket->reason, out->last_ns);
	buf_free(&socket->held);
}

static struct websocket *socket_grant(struct proto *proto, const struct message_head *head)
{
	struct websocket_terms terms = { 0 };

	for (size_t i = 0; i < head->header_count; i++)
		if (slice_equal(head->headers[i].name, SLICE("sec-websocket-extensions")))
			websocket_terms_read(&terms, head->headers[i].value);
	return websocket_new(&proto->opts, &terms, false);
}

bool http2_socket_head(struct http2_stream *stream, struct outgoing *out, const struct message_head *head)
{
	struct http2_socket *socket = stream->socket;

	if (!socket || out->kind == MESSAGE_REQUEST)
		return socket;
	if (head->protocol.len)
		socket->socket = socket_grant(out->proto, head);
	held_release(socket, &stream->out[MESSAGE_REQUEST]);
	socket->is_refused = !socket->socket;
	return socket->socket;
}

/* What waits cannot be kept; nor can what comes behind it, up to the answer. */
static void held_lose(struct http2_socket *socket, struct outgoing *out, enum missing_reason reason)
{
	if (socket->held.len)
		outgoing_missed(out, socket->held.len, reason);
	buf_free(&socket->held);
	out->is_length_hidden = socket->is_held_lost = true;
	socket->reason = reason;
}

static void held_put(struct http2_socket *socket, struct outgoing *out, struct slice bytes)
{
	if (!socket->is_held_lost && bytes.len > HELD_BYTES_MAX - socket->held.len)
		held_lose(socket, out, MISSING_BUDGET);
	if (!socket->is_held_lost)
		buf_put(&socket->held, bytes);
	if (socket->held.failed)
		held_lose(socket, out, MISSING_BUDGET);
	if (socket->is_held_lost)
		outgoing_missed(out, bytes.len, socket->reason);
}

bool http2_socket_data(struct http2_stream *stream, struct outgoing *out, struct slice bytes, uint64_t time_ns)
{
	if (is_waiting(stream, out->kind))
		held_put(stream->socket, out, bytes);
	else if (is_granted(stream))
		websocket_feed(stream->socket->socket, out, bytes, time_ns);
	else
		return false;
	return true;
}

bool http2_socket_hole(struct http2_stream *stream, struct outgoing *out, uint64_t len, enum missing_reason reason,
		       bool in_body, uint64_t time_ns)
{
	if (is_waiting(stream, out->kind)) {
		held_lose(stream->socket, out, reason);
		outgoing_hole(out, len, reason, false, time_ns);
		return true;
	}
	if (!is_granted(stream))
		return false;
	/* Otherwise it is not known how much of it is the socket's. */
	if (!in_body) {
		outgoing_passed(out, len, time_ns);
		out->missing_bytes += len;
		out->is_length_hidden = true;
		len = 0;
	}
	websocket_hole(stream->socket->socket, out, len, reason, time_ns);
	return true;
}

bool http2_socket_holds_end(struct http2_stream *stream, enum message_kind kind)
{
	if (is_waiting(stream, kind))
		stream->socket->is_end_held = true;
	return is_waiting(stream, kind);
}

bool http2_socket_is_over(const struct http2_stream *stream, enum message_kind kind)
{
	const struct http2_socket *socket = stream->socket;

	if (!stream->out[kind].is_open || !socket || is_waiting(stream, kind))
		return false;
	if (kind == MESSAGE_REQUEST && socket->is_end_held)
		return true;
	return socket->socket && websocket_is_closed(socket->socket, kind);
}

void http2_socket_end(struct http2_stream *stream, struct outgoing *out)
{
	if (!out->is_open)
		return;
	if (is_waiting(stream, out->kind))
		held_release(stream->socket, out);
	else if (is_granted(stream))
		websocket_finish(stream->socket->socket, out);
}
