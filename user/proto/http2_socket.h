/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket on a stream (RFC 8441): a request with the method CONNECT and ":protocol: websocket", which an answer of 2xx
 * grants. What the client sends belongs to the request, what the server sends to the answer. The two directions are not
 * ordered against each other, so the client's first bytes may be seen before the answer is: they are held until then.
 */
#pragma once
#include "proto/http2.h"
#include "proto/websocket.h"

struct http2_socket {
	struct websocket *socket; /* NULL: the answer was not seen yet, or */
	bool is_refused;
	struct buf held;   /* what the client sends before it is */
	bool is_held_lost; /* it is not there, because of: */
	enum missing_reason reason;
	bool is_end_held; /* its side is over, too */
};

/* Before a head is told: whether it is a socket's, and no other protocol's. */
void http2_socket_notice(struct http2_stream *stream, struct outgoing *out, struct message_head *head);
/* A head was told. true: what follows it is read here. */
bool http2_socket_head(struct http2_stream *stream, struct outgoing *out, const struct message_head *head);
/* Content of a DATA frame, and a hole in one (@len 0: the place is lost). false: no socket's. */
bool http2_socket_data(struct http2_stream *stream, struct outgoing *out, struct slice bytes, uint64_t time_ns);
bool http2_socket_hole(struct http2_stream *stream, struct outgoing *out, uint64_t len, enum missing_reason reason,
		       bool in_body, uint64_t time_ns);
/* The sender ended the message. true: later, for its bytes wait for the answer. */
bool http2_socket_holds_end(struct http2_stream *stream, enum message_kind kind);
/* The message is over: by a close frame, or by an end that was held. */
bool http2_socket_is_over(const struct http2_stream *stream, enum message_kind kind);
/* It is about to end. */
void http2_socket_end(struct http2_stream *stream, struct outgoing *out);
void http2_socket_free(struct http2_stream *stream);
