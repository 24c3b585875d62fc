/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket (RFC 6455) of one connection or stream, both directions, behind the handshake. It knows no HTTP: whoever made the
 * handshake feeds what follows it, with the message (outgoing.h) that it belongs to: the client's side of the socket is the
 * request, the server's the answer. Each message becomes a part (PART_MESSAGE) of it; control frames become nothing.
 *
 *	websocket_terms_read	what the answer agreed to
 *	websocket_new
 *	websocket_feed, websocket_hole, websocket_finish	for each side
 *
 * The feeder counts what passed on the connection (outgoing_passed, but for holes); all else is counted here.
 */
#pragma once
#include "proto/outgoing.h"

/* permessage-deflate (RFC 7692) as the server's Sec-WebSocket-Extensions grants it, by the side that compresses. */
struct websocket_terms {
	bool is_deflate;
	bool no_takeover[_MESSAGE_MAX];
};

/* @value: one such header field of the answer. What it does not know it leaves out. */
void websocket_terms_read(struct websocket_terms *terms, struct slice value);

struct websocket;

/* @is_late: joined in its middle; whether it is compressed is not known then, and what is cannot be read. NULL: no memory. */
struct websocket *websocket_new(const struct proto_opts *opts, const struct websocket_terms *terms, bool is_late);
struct websocket *websocket_free(struct websocket *socket);

/* How many of the bytes are the socket's: all, up to its close frame. Fewer than none: the place was searched, and bytes of
 * earlier feeds, which were held back, turn out to lie behind that frame too. */
int64_t websocket_feed(struct websocket *socket, struct outgoing *out, struct slice bytes, uint64_t time_ns);
/* A close frame passed: the feeder ends the message as one that is whole. */
bool websocket_is_closed(const struct websocket *socket, enum message_kind side);
/* @len 0: nothing is missing but the place. */
void websocket_hole(struct websocket *socket, struct outgoing *out, uint64_t len, enum missing_reason reason,
		    uint64_t time_ns);
/* No more will come of this side: what it holds back is judged. */
void websocket_finish(struct websocket *socket, struct outgoing *out);
/* Whether the beginning of what a side sends can be a frame of JSON text; it takes @first.len >= 16 to say yes. */
enum sniff websocket_sniff(struct slice first);
