/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves of the HTTP/1 carrier share: http1.c follows messages whose place is known, http1_seek.c finds the place
 * again. Every byte of a direction is, at any time, in one of these: told to the open message, in proto->stray_bytes, in
 * line (not judged yet), or in carry (belongs to the message that comes next).
 */
#pragma once
#include "proto/chunked.h"
#include "proto/http1_head.h"
#include "proto/outgoing.h"
#include "proto/pairing.h"

enum flow_state { FLOW_HEAD, FLOW_LENGTH, FLOW_CHUNKED, FLOW_CLOSE, FLOW_SEEK, FLOW_WAIT, FLOW_SOCKET, _FLOW_MAX };

/* One direction. */
struct flow {
	enum direction dir;
	enum flow_state state;
	struct outgoing out;
	uint64_t left; /* FLOW_LENGTH */
	bool is_bodyless_yet; /* an answer whose request passed before the connection was joined, and nothing behind its head */
	struct chunked chunked;
	struct buf line;  /* FLOW_HEAD: the head so far; FLOW_SEEK: the line so far; FLOW_WAIT: all */
	uint64_t line_ns; /* its first byte */
	uint64_t carry;

	/* FLOW_HEAD */
	size_t line_start; /* of the open line */
	enum message_kind kind;
	bool has_start; /* the start line is there, of this kind */
	bool is_found;  /* by seeking: it is believed when its head is whole, until then out goes on */

	/* FLOW_SEEK */
	bool seeks_chunks;          /* out may be chunked: its chain shows the place */
	bool seeks_frames;          /* out may be a bare stream of events or lines */
	bool is_long;               /* the open line lost its beginning */
	bool after_crlf;            /* the open line may be a chunk's size */
	bool has_chain;             /* a size line was seen */
	bool is_link;               /* the open line must be the next, if that was one */
	uint64_t link_left;         /* bytes until then */
	size_t held;                /* bytes of a CRLF that is a chunk's, if a size line follows */
	enum missing_reason reason; /* why we seek, told already */
};

struct http1 {
	struct proto *proto;
	struct flow flows[_DIR_MAX];
	enum direction client; /* the direction of the requests */
	bool has_roles;
	bool is_role_guess; /* from what looked like an answer's middle */
	bool has_found;     /* HTTP/1 on this connection, for certain */
	unsigned heads;     /* a bit for each kind whose head was read whole */
	bool is_binary;
	uint64_t unsynced; /* bytes sought through before that */
	uint64_t request_end_ns;
	struct pairing pairing;
	struct websocket *socket; /* what the connection became */
};

static inline struct flow *flow_other(struct http1 *http1, const struct flow *flow)
{
	return &http1->flows[direction_other(flow->dir)];
}

/* Of *in what belongs to the open line and finds room there; *in is not empty. */
static inline struct slice flow_line_take(struct flow *flow, struct slice *in, uint64_t time_ns)
{
	const char *lf = memchr(in->data, '\n', in->len);
	struct slice piece = slice_head(*in, lf ? (size_t)(lf - in->data) + 1 : in->len);

	piece = slice_head(piece, flow->line.max - flow->line.len);
	if (!flow->line.len)
		flow->line_ns = time_ns;
	*in = slice_from(*in, piece.len);
	buf_put(&flow->line, piece);
	return piece;
}

/* ---- http1.c ---- */
/* Whole heads of both directions were read: what passes is nothing else. */
static inline bool http1_is_sure(const struct http1 *http1)
{
	return http1->heads == (1u << MESSAGE_REQUEST | 1u << MESSAGE_RESPONSE);
}

/* Its message lost its end: told so. */
void flow_give_up(struct http1 *http1, struct flow *flow);
void flow_passed(struct http1 *http1, struct flow *flow, uint64_t len, uint64_t time_ns);
bool flow_may_be(const struct http1 *http1, const struct flow *flow, enum message_kind kind);
/* After body bytes: an answer joined late may have told itself, and so which direction is whose. */
void flow_notice(struct http1 *http1, struct flow *flow);

/* ---- http1_pair.c ---- */
void flow_pair_request(struct http1 *http1, struct outgoing *out, const struct http1_head *http);
void flow_pair_answer(struct http1 *http1, struct outgoing *out);
/* Answers that a hole hid are told before the one that begins. */
void flow_tell_answered(struct http1 *http1, struct flow *flow, uint64_t time_ns);
/* @flow's hidden message is the next request, or the answer to a known one: tells it as late. false: nothing is known. */
bool flow_tell_hidden(struct http1 *http1, struct flow *flow, enum missing_reason reason, uint64_t time_ns);

/* ---- http1_seek.c ---- */
/* The place is lost because of @reason. Goes on with what lies in flow->line as the first line. */
void seek_begin(struct http1 *http1, struct flow *flow, enum missing_reason reason, uint64_t time_ns);
void seek_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns);
void seek_hole(struct http1 *http1, struct flow *flow, uint64_t len, enum missing_reason reason, uint64_t time_ns);
/* The direction is over: what lies in flow->line belongs to the open message. */
void seek_end(struct http1 *http1, struct flow *flow);

/* ---- http1_upgrade.c ---- */
/* The request whose head is told asks for WebSocket: it stays open. false: it does not. */
bool upgrade_wait(struct flow *flow, const struct http1_head *http);
/* An answer that is no 101 has come: a request that waits is over. */
void upgrade_refuse(struct http1 *http1, struct flow *requests);
/* 101. false: to something that we do not know. */
bool upgrade_accept(struct http1 *http1, struct flow *answers, const struct http1_head *http);
void wait_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns);
void socket_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns);
void socket_hole(struct http1 *http1, struct flow *flow, uint64_t len, enum missing_reason reason, uint64_t time_ns);
void socket_end(struct http1 *http1, struct flow *flow);
/* ---- http1_to_http2.c ---- */
/* @flow's interim answer was a 101 to h2c: HTTP/2 has what follows. */
void http1_to_http2(struct http1 *http1, struct flow *flow);
