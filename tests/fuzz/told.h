/* SPDX-License-Identifier: Apache-2.0 */
/* What proto tells a fuzz target, as digests, and the comparison of two runs of the same bytes in different cuts. */
#pragma once
#include "digest.h"
#include "heap.h"
#include "proto/proto.h"
#include <string.h>

enum { TOLD_EXCHANGES = 16 };

/* Of heads, events, lines and ends there is a digest for each exchange: when a piece tells that the other direction's bytes are an
 * answer too, parts of both come in an order that depends on the cuts. Bodies have digests of their own, as their parts have no
 * fixed cuts. */
struct told {
	uint64_t digests[TOLD_EXCHANGES];
	uint64_t bodies[TOLD_EXCHANGES][_MESSAGE_MAX];
	uint64_t stream_bytes;
	bool is_damaged; /* how far a decoder comes before it sees damage depends on the cuts */
};

static inline uint64_t *told_of(struct told *told, uint64_t exchange)
{
	return &told->digests[exchange % TOLD_EXCHANGES];
}

static inline void told_head(void *user, uint64_t exchange, const struct message_head *head)
{
	uint64_t *digest = told_of(user, exchange);

	digest_number(digest, exchange * 4 + head->kind * 2 + head->is_late);
	digest_number(digest, (uint64_t)head->status);
	digest_bytes(digest, head->target);
	for (size_t i = 0; i < head->header_count; i++) {
		digest_bytes(digest, head->headers[i].name);
		digest_bytes(digest, head->headers[i].value);
	}
}

static inline void told_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	struct told *told = user;
	uint64_t *digest = told_of(told, exchange);

	if (part->kind == PART_BYTES) {
		digest_bytes(&told->bodies[exchange % TOLD_EXCHANGES][kind], part->data);
		return;
	}
	digest_number(digest, exchange * 4 + part->kind);
	digest_bytes(digest, part->type);
	digest_bytes(digest, part->data);
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
	uint64_t *digest = told_of(told, exchange);

	MUST(end->missing_bytes <= (int64_t)end->stream_bytes && end->body_bytes <= (int64_t)end->stream_bytes);
	digest_number(digest, exchange * 16 + kind * 4 + end->how);
	digest_number(digest, end->stream_bytes);
	digest_number(digest, (uint64_t)end->body_bytes);
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
	MUST(memcmp(whole->digests, cut->digests, sizeof(whole->digests)) == 0);
	MUST(memcmp(whole->bodies, cut->bodies, sizeof(whole->bodies)) == 0);
}
