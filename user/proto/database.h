/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the carriers of databases share. A database's connection is busy with what is none of our business, so statements are
 * looked at, and only the few that search among vectors become exchanges; rows of all others are counted and never kept. A
 * connection that shows no sign of such searches is given up (proto_give_up): from then on the kernel copies nothing of it.
 * Until then it costs the copy of at most DATABASE_BYTES or DATABASE_STATEMENTS statements, once for each connection.
 */
#pragma once
#include "proto/outgoing.h"

enum {
	DATABASE_STATEMENTS = 64,  /* without a sign */
	DATABASE_BYTES = 1 << 20,  /* the same */
	DATABASE_LOSSES = 16,      /* places lost and found again before a connection is given up */
	STATEMENT_MAX = 256 << 10, /* a longer statement is taken for a load of data */
	WAITING_MAX = 128,         /* answers that are due */
};

/* How long one of these connections is of interest. */
struct patience {
	uint64_t statements, bytes, losses;
	bool has_sign; /* vectors were spoken of: it is kept for good */
};

static inline bool patience_is_over(const struct patience *patience)
{
	return (!patience->has_sign &&
		(patience->statements > DATABASE_STATEMENTS || patience->bytes > DATABASE_BYTES)) ||
	       patience->losses > DATABASE_LOSSES;
}

/* One message, told and ended at once: @part, which took part->stream_bytes, or why it is not whole (_MISSING_MAX: it is). */
static inline void database_message_tell(struct outgoing *out, struct slice protocol, const struct message_part *part,
					 enum missing_reason lost)
{
	struct message_head head = { .protocol = protocol, .method = SLICE("COMMAND") };

	outgoing_tell(out, &head);
	outgoing_passed(out, part->stream_bytes, part->time_ns);
	out->body_bytes = part->stream_bytes;
	if (lost != _MISSING_MAX)
		outgoing_lose(out, part->stream_bytes, lost);
	else
		outgoing_part(out, part);
	outgoing_end(out, MESSAGE_END_FRAMED, CLOSE_UNKNOWN);
}

/* A search whose answer, sent in @dir, will not be found any more. */
static inline void database_answer_lost(struct proto *proto, uint64_t exchange, enum direction dir, uint64_t time_ns)
{
	struct outgoing out;

	outgoing_open(&out, proto, MESSAGE_RESPONSE, dir, time_ns);
	out.exchange = exchange;
	out.is_hidden = true;
	outgoing_tell_late(&out, MISSING_UNDECODABLE);
	outgoing_end(&out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
}
