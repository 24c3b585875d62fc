/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the HTTP/2 carrier share: http2.c walks the frames of each direction, http2_stream.c makes messages of
 * them, http2_seek.c finds the place again. Every byte of a direction is, at any time, in one of these: told to a stream's open
 * message, in proto->stray_bytes (what belongs to the connection, to no stream or to a stream that is over), in head or seek
 * (not judged yet), or in block_bytes (of a header block whose end is not here).
 */
#pragma once
#include "proto/hpack.h"
#include "proto/outgoing.h"

enum http2_type {
	HTTP2_DATA,
	HTTP2_HEADERS,
	HTTP2_PRIORITY,
	HTTP2_RST_STREAM,
	HTTP2_SETTINGS,
	HTTP2_PUSH_PROMISE,
	HTTP2_PING,
	HTTP2_GOAWAY,
	HTTP2_WINDOW_UPDATE,
	HTTP2_CONTINUATION,
	_HTTP2_TYPE_MAX
};
enum { HTTP2_END_STREAM = 1, HTTP2_END_HEADERS = 4, HTTP2_PADDED = 8, HTTP2_HAS_PRIORITY = 0x20 };
enum { HTTP2_HEAD_BYTES = 9, HTTP2_STREAMS_MAX = 256, HTTP2_CLOSED_MAX = 64 };
enum { HTTP2_SEEK_MAX = 40 << 10, HTTP2_SCAN_MAX = 16 };

struct http2_frame {
	uint32_t len, stream;
	uint8_t type, flags;
};

enum http2_state { HTTP2_AT_START, HTTP2_AT_PREFACE, HTTP2_AT_HEAD, HTTP2_AT_PAYLOAD, HTTP2_SEEKS, _HTTP2_STATE_MAX };

/* A search for the beginning of a frame in bytes that are held. */
struct http2_scan {
	size_t scanned; /* bytes that were looked at */
	struct http2_maybe {
		size_t at, need; /* a chain may begin here; more is known when so many bytes are here */
	} maybe[HTTP2_SCAN_MAX];
	size_t count;
};

/* One direction. */
struct http2_flow {
	enum direction dir;
	enum http2_state state;
	size_t preface_len; /* of it, seen */
	char head[HTTP2_HEAD_BYTES];
	size_t head_len;
	uint64_t head_ns; /* its first byte */
	struct http2_frame frame;
	uint32_t left;         /* of the payload */
	uint32_t prefix_left;  /* what lies before the content: pad length, priority, the promised stream */
	uint32_t content_left; /* without prefix and padding */
	uint8_t pad;
	char first[8]; /* of a payload that is read by its value */
	size_t first_len;

	/* The open header block. */
	struct hpack hpack;
	bool in_block;
	bool is_broken;             /* some of it is missing, because of reason */
	enum missing_reason reason; /* also why we seek */
	struct http2_frame block;   /* its first frame */
	uint64_t block_bytes, block_missing, block_ns;

	struct buf seek;
	uint64_t seek_ns;
	struct http2_scan scan; /* of seek */
};

/* One exchange. */
struct http2_stream {
	struct http2_stream *next;
	uint32_t id;
	uint64_t exchange;
	struct outgoing out[_MESSAGE_MAX];
	uint64_t carry[_MESSAGE_MAX];  /* interim answers: bytes of the one that comes */
	bool is_over[_MESSAGE_MAX];    /* nothing more of it is told */
	bool has_length[_MESSAGE_MAX]; /* its head told how long its body is */
	uint64_t length[_MESSAGE_MAX];
	bool is_unshaped[_MESSAGE_MAX]; /* the body's first byte tells its framing */
	bool is_streaming;              /* its answer may be an array in pieces */
	bool is_two_way;                /* its request is a stream of AWS's messages (frame_aws.h) */
	bool is_skipped;
	struct http2_socket *socket; /* NULL: it asks for none, or was refused (http2_socket.h) */
};

struct http2 {
	struct proto *proto;
	struct http2_flow flows[_DIR_MAX];
	enum direction client;
	bool has_roles;
	bool has_hidden; /* joined late or after a hole: streams may turn up in their middle */
	struct http2_stream *first, **tail;
	size_t count;
	uint32_t closed[HTTP2_CLOSED_MAX]; /* the last streams that ended: what still comes of them is stray */
	size_t closed_at;
};

/* ---- http2.c ---- */
bool http2_frame_parse(const char *head, struct http2_frame *ret);
/* The place in @flow is lost because of @reason. */
void http2_lose(struct http2 *http2, struct http2_flow *flow, enum missing_reason reason, uint64_t time_ns);
/* Takes frames off *in until it is used up or the place is lost. */
void http2_walk(struct http2 *http2, struct http2_flow *flow, struct slice *in, uint64_t time_ns);

/* ---- http2_stream.c ---- */
/* The message that a DATA frame of @flow belongs to; NULL: none, it is stray. */
struct outgoing *http2_data_to(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns);
void http2_data(struct http2 *http2, struct http2_flow *flow, struct slice bytes, uint64_t time_ns);
/* The header block of @flow is at its end. */
void http2_headers(struct http2 *http2, struct http2_flow *flow, uint64_t time_ns);
/* The sender of @flow ends its message on this stream. */
void http2_stream_end(struct http2 *http2, struct http2_flow *flow, uint32_t id);
void http2_reset(struct http2 *http2, struct http2_flow *flow, uint32_t id, uint64_t time_ns);
/* The server will not look at streams beyond @last. */
void http2_go_away(struct http2 *http2, struct http2_flow *flow, uint32_t last, uint64_t time_ns);
/* @exchange: 0, or that of a request which another carrier told. */
struct http2_stream *http2_stream_open(struct http2 *http2, uint32_t id, uint64_t exchange);
void http2_streams_end(struct http2 *http2, enum close_how how);
void http2_streams_free(struct http2 *http2);

/* The sender of @flow ended the DATA frame that it is in. */
void http2_data_end(struct http2 *http2, struct http2_flow *flow);
/* @len bytes of the DATA frame are missing in @out. */
void http2_data_hole(struct http2 *http2, struct http2_flow *flow, struct outgoing *out, uint32_t len,
		     enum missing_reason reason, uint64_t time_ns);
/* The place in the direction of @kind is lost: so is that in all its messages. */
void http2_streams_break(struct http2 *http2, enum message_kind kind, enum missing_reason reason, uint64_t time_ns);
bool http2_so_far(const void *state, uint64_t exchange, enum message_kind kind, struct message_end *ret);

/* ---- http2_seek.c ---- */
enum http2_chain { HTTP2_CHAIN_NO, HTTP2_CHAIN_MORE, HTTP2_CHAIN_YES };
/* true: frames begin at *ret_at of @held; false: not before it. @scan goes with what is held from one call to the next. */
bool http2_scan(struct http2_scan *scan, struct slice held, bool is_end, size_t *ret_at);
/* The first @len held bytes are gone. */
void http2_scan_consume(struct http2_scan *scan, size_t len);
void http2_seek(struct http2 *http2, struct http2_flow *flow, struct slice *in, uint64_t time_ns);
/* What lies in flow->seek will get no longer. */
void http2_seek_end(struct http2 *http2, struct http2_flow *flow);

static inline enum message_kind http2_kind(const struct http2 *http2, const struct http2_flow *flow)
{
	return flow->dir == http2->client ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
}
