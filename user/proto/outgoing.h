/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message on its way to proto's ops: who it is, what of it travelled, what is missing and why, and its body's stages.
 * A carrier opens it at its first byte, tells its head when that is known, counts every byte into it, and ends it. A message
 * that was never told leaves its bytes to proto->stray_bytes.
 */
#pragma once
#include "proto/body.h"
#include "proto/carrier.h"

enum { OUTGOING_TYPE_MAX = 128 };

struct outgoing {
	struct proto *proto;
	uint64_t exchange; /* 0: takes a new one when it is told */
	enum message_kind kind;
	enum direction dir;
	bool is_open;
	bool is_told;
	bool is_skipped;
	bool is_lost;          /* its end is not where its framing says */
	bool is_hidden;        /* joined late: how much is missing cannot be known */
	bool is_length_hidden; /* nor how long its body was */
	uint64_t start_ns, last_ns;
	uint64_t stream_bytes, body_bytes, missing_bytes, shed_bytes;
	uint32_t missing_reasons;
	bool is_reset;                 /* its stream was, the connection goes on */
	const struct header *trailers; /* told with its end */
	size_t trailer_count;
	char type[OUTGOING_TYPE_MAX]; /* content type */
	size_t type_len;
	enum missing_reason broken_by; /* with body.error */
	struct body body;
};

void outgoing_open(struct outgoing *out, struct proto *proto, enum message_kind kind, enum direction dir,
		   uint64_t time_ns);
/* Its head, known. The body may be shaped afterwards, so that a taker can skip it in between. */
void outgoing_tell(struct outgoing *out, struct message_head *head);
/* Its head was missed because of @reason. */
void outgoing_tell_late(struct outgoing *out, enum missing_reason reason);
void outgoing_shape(struct outgoing *out, const struct body_shape *shape);
/* Joined in its middle, not to be told before its body shows what it is. */
void outgoing_shape_unknown(struct outgoing *out, enum missing_reason reason);

/* @len bytes of it passed on the connection. */
void outgoing_passed(struct outgoing *out, uint64_t len, uint64_t time_ns);
/* These of the passed bytes are of its body. */
void outgoing_body(struct outgoing *out, struct slice bytes, uint64_t time_ns);
/* A chunk of it begins here. */
void outgoing_boundary(struct outgoing *out);
/* A hole, counted as passed here; @in_body: it hides only bytes of the body. */
void outgoing_hole(struct outgoing *out, uint64_t len, enum missing_reason reason, bool in_body, uint64_t time_ns);
/* These of the passed bytes could not be read, for a reason that is told already (@reason) or now. */
void outgoing_missed(struct outgoing *out, uint64_t len, enum missing_reason reason);
/* A part of it that the carrier made itself. */
void outgoing_part(struct outgoing *out, const struct message_part *part);
/* What took these of the passed bytes is not told, which is told now. */
void outgoing_lose(struct outgoing *out, uint64_t len, enum missing_reason reason);
/* The framing of its body is lost. */
void outgoing_break(struct outgoing *out, enum missing_reason reason, uint64_t time_ns);
/* The books as they stand, if this is the message: sums, reasons, content type. */
bool outgoing_so_far(const struct outgoing *out, uint64_t exchange, enum message_kind kind, struct message_end *ret);
void outgoing_end(struct outgoing *out, enum message_end_how how, enum close_how conn_how);
void outgoing_free(struct outgoing *out);
