/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What proto makes of bytes: messages, in parts. An exchange is one request and its answer on one connection; proto numbers
 * them and pairs them (HTTP/1 by order, HTTP/2 by stream), because framing an answer needs its request.
 *
 * For each exchange and each of its two messages: one head, any number of parts and holes, one end. A message whose start
 * was missed has a head with is_late; an answer that a reset kept from beginning has an end alone. All slices die when the
 * callback returns.
 */
#pragma once
#include "model/conn.h"

enum message_kind { MESSAGE_REQUEST, MESSAGE_RESPONSE, _MESSAGE_MAX };

struct header {
	struct slice name; /* lower case */
	struct slice value;
};

struct message_head {
	enum message_kind kind;
	enum direction
		dir; /* of the connection that carries it: a request in DIR_READ means that the process is the server */
	bool is_late;           /* joined in its middle: nothing below is known but the time */
	struct slice protocol;  /* network.protocol.name; empty: http */
	struct slice version;   /* "1.0", "1.1", "2" */
	struct slice method;    /* request */
	struct slice target;    /* request: path and query as sent */
	struct slice authority; /* request: Host header or :authority */
	int status;             /* response; 1xx are not reported, but 101 */
	const struct header *headers;
	size_t header_count;
	uint64_t time_ns; /* first byte of the message */
};

enum part_kind {
	PART_BYTES,   /* body after transfer and content coding, as it came */
	PART_EVENT,   /* one server-sent event: type and data */
	PART_LINE,    /* one line of NDJSON, without its end */
	PART_MESSAGE, /* one length-prefixed or framed message (gRPC, WebSocket, a database's), decompressed */
};

struct message_part {
	enum part_kind kind;
	struct slice type; /* PART_EVENT: the "event:" field; PART_MESSAGE: "text", "binary" or the protocol's word */
	struct slice data;
	uint64_t time_ns;      /* when its last byte passed */
	uint64_t stream_bytes; /* PART_MESSAGE: what it took on its connection, framing included; else 0 */
};

/* How a message came to its end. */
enum message_end_how {
	MESSAGE_END_FRAMED, /* by its own framing, or by the close that delimits it */
	MESSAGE_END_CUT,    /* the connection ended first; conn_how tells how */
	MESSAGE_END_LOST,   /* a hole hides the end */
};

struct message_end {
	enum message_end_how how;
	enum close_how conn_how;
	bool is_reset;            /* MESSAGE_END_CUT of this exchange alone: the connection goes on */
	int64_t body_bytes;       /* as it travelled, without transfer framing; -1 when not knowable */
	uint64_t stream_bytes;    /* plaintext of this message on its connection, head, framing and holes included */
	int64_t missing_bytes;    /* of stream_bytes; -1 when not knowable */
	uint64_t shed_bytes;      /* of missing_bytes: came this far and were given up for lack of memory */
	uint32_t missing_reasons; /* bit mask, 1 << enum missing_reason */
	struct slice content_type;
	const struct header *trailers; /* fields behind the body; dead after the callback */
	size_t trailer_count;
	uint64_t time_ns; /* last byte */
};

/* Answer of the layers above to what a connection carries; proto passes it down to the kernel side. */
enum verdict {
	VERDICT_KEEP,       /* go on */
	VERDICT_MUTE,       /* nothing of interest in this exchange: copy no more until a new request starts */
	VERDICT_MUTE_ALIKE, /* the same, and of the requests to come copy none that is alike, nor its answer */
	VERDICT_DENY,       /* nothing of interest on this connection ever */
};
