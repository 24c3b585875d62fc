/* SPDX-License-Identifier: Apache-2.0 */
/* What proto tells a fuzz target, as digests, and the comparison of two runs of the same bytes in different cuts. */
#pragma once
#include "digest.h"
#include "heap.h"
#include "proto/proto.h"

struct told {
	uint64_t
		digest; /* of heads, events, lines and ends; bodies have one of their own, as their parts have no fixed cuts */
	uint64_t bodies[_MESSAGE_MAX];
	uint64_t stream_bytes;
	bool is_damaged; /* how far a decoder comes before it sees damage depends on the cuts */
};

static inline void told_head(void *user, uint64_t exchange, const struct message_head *head)
{
	struct told *told = user;

	digest_number(&told->digest, exchange * 4 + head->kind * 2 + head->is_late);
	digest_number(&told->digest, (uint64_t)head->status);
	digest_bytes(&told->digest, head->target);
	for (size_t i = 0; i < head->header_count; i++) {
		digest_bytes(&told->digest, head->headers[i].name);
		digest_bytes(&told->digest, head->headers[i].value);
	}
}

static inline void told_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	struct told *told = user;

	if (part->kind == PART_BYTES) {
		digest_bytes(&told->bodies[kind], part->data);
		return;
	}
	digest_number(&told->digest, exchange * 4 + part->kind);
	digest_bytes(&told->digest, part->type);
	digest_bytes(&told->digest, part->data);
}

static inline void told_hole(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason,
			     uint64_t time_ns)
{
	struct told *told = user;

	MUST(reason < _MISSING_MAX);
	told->is_damaged |= reason == MISSING_UNDECODABLE || reason == MISSING_BUDGET;
}

static inline void told_end(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	struct told *told = user;

	MUST(end->missing_bytes <= (int64_t)end->stream_bytes && end->body_bytes <= (int64_t)end->stream_bytes);
	digest_number(&told->digest, exchange * 16 + kind * 4 + end->how);
	digest_number(&told->digest, end->stream_bytes);
	digest_number(&told->digest, (uint64_t)end->body_bytes);
	told->stream_bytes += end->stream_bytes;
}

static inline void told_verdict(void *user, enum verdict verdict)
{
}

static const struct proto_ops told_ops = { told_head, told_part, told_hole, told_end, told_verdict };

static inline void told_compare(const struct told *whole, const struct told *cut)
{
	if (whole->is_damaged || cut->is_damaged)
		return;
	MUST(whole->digest == cut->digest);
	MUST(whole->bodies[MESSAGE_REQUEST] == cut->bodies[MESSAGE_REQUEST]);
	MUST(whole->bodies[MESSAGE_RESPONSE] == cut->bodies[MESSAGE_RESPONSE]);
}
