/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto: one connection's bytes, both directions, become messages (model/message.h). It recognises the carrier from the
 * first bytes; which side is the client is read from the bytes too, never from ports. A body passes these stages, each
 * streaming, each bounded: transfer coding, content coding (gzip, deflate, br, zstd, at most two nested), framing by
 * content type (server-sent events and NDJSON of answers; anything else stays PART_BYTES).
 *
 * Joined late or after a hole it finds the next message start; what it can still read of the open message (events of a
 * streamed answer) it reports under a head with is_late or goes on under the old one, and says what is missing.
 *
 * Feed it in any cuts: the messages are the same. It consumes all it is fed. Format: RFC 9110, 9112; WHATWG server-sent
 * events. Adding a carrier: one file in user/proto/ and its row in proto.c.
 *
 * Pure: memory from opts->alloc (also that of the decompressors), time from the arguments.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "model/message.h"

struct proto;

struct proto_opts {
	struct alloc *alloc;
	size_t head_bytes_max;  /* one head, all its fields (64 KiB) */
	size_t fields_max;      /* 200 */
	size_t event_bytes_max; /* one event or line (8 MiB); a longer one is missing as MISSING_BUDGET */
	uint64_t inflate_max;   /* decoded bytes of one body (256 MiB) */
	unsigned inflate_ratio; /* refused beyond this ratio after the first MiB (200) */
};
extern const struct proto_opts proto_opts_default; /* alloc is NULL in it */

struct proto_ops {
	void (*head)(void *user, uint64_t exchange, const struct message_head *head);
	void (*part)(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part);
	/* Bytes of this message's body are missing here; parts before and after it do not belong together. */
	void (*hole)(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason,
		     uint64_t time_ns);
	void (*end)(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end);
	/* What this connection carries is of no use (no HTTP at all, CONNECT to elsewhere): copy no more of it. */
	void (*verdict)(void *user, enum verdict verdict);
};

/* @is_late: the first bytes to come are not the connection's first. */
int proto_new(const struct proto_opts *opts, bool is_late, const struct proto_ops *ops, void *user, struct proto **ret);
struct proto *proto_free(struct proto *proto); /* says nothing; use proto_end first */
DEFINE_CLEANUP(struct proto *, proto_free)

void proto_bytes(struct proto *proto, enum direction dir, uint64_t time_ns, struct slice data);
void proto_hole(struct proto *proto, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns);
/* @len bytes of whole messages of HTTP/1, which nobody wants, and which stand between those that are told. */
void proto_unwanted(struct proto *proto, enum direction dir, uint64_t len, uint64_t time_ns);
/* The connection is over: ends what is open. */
void proto_end(struct proto *proto, enum close_how how, uint64_t time_ns);
/* The parts of an exchange's answer are of no use to anyone: skip decoding until its end (bytes still count). */
void proto_skip(struct proto *proto, uint64_t exchange);
/* What is known so far of a message that was not ended; how, conn_how, time and trailers stay empty. false: none is open. */
bool proto_so_far(const struct proto *proto, uint64_t exchange, enum message_kind kind, struct message_end *ret);
/* Bytes and holes that belong to no message that was told. Final after proto_end(): then these and the stream_bytes of all
 * messages are what was fed. */
uint64_t proto_stray_bytes(const struct proto *proto);
/* They are stray because there was no memory to look at them. */
bool proto_is_starved(const struct proto *proto);
