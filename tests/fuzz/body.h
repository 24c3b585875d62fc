/* SPDX-License-Identifier: Apache-2.0 */
/* One message whose head is right and whose body is the fuzzer's, fed whole or byte by byte; what is told of it as a digest. */
#pragma once
#include "digest.h"
#include "heap.h"
#include "proto/proto.h"

struct body_told {
	uint64_t digest; /* of the events and lines, or of all bytes */
	uint64_t len;
	bool is_damaged; /* how far a decoder comes before it sees damage depends on the cuts */
	uint64_t stream_bytes;
};

static void body_on_head(void *user, uint64_t exchange, const struct message_head *head)
{
}

static void body_on_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	struct body_told *told = user;

	if (part->kind != PART_BYTES)
		digest_number(&told->digest, part->kind);
	digest_bytes(&told->digest, part->type);
	digest_bytes(&told->digest, part->data);
	told->len += part->data.len;
}

static void body_on_hole(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason,
			 uint64_t time_ns)
{
	struct body_told *told = user;

	told->is_damaged |= reason != MISSING_RING_FULL;
}

static void body_on_end(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	struct body_told *told = user;

	told->stream_bytes += end->stream_bytes;
}

static void body_on_verdict(void *user, enum verdict verdict)
{
}

/* @head: in @dir; @hole: this byte of the body is one byte missing, or -1. */
static struct body_told body_run(struct proto_opts opts, enum direction dir, struct slice head, struct slice body,
				 int hole, bool is_single)
{
	static const struct proto_ops ops = { body_on_head, body_on_part, body_on_hole, body_on_end, body_on_verdict };
	struct alloc_heap heap = heap_begin((size_t)64 << 20);
	struct body_told told = { .digest = DIGEST_EMPTY };
	uint64_t fed = head.len + body.len;
	struct proto *proto;

	opts.alloc = &heap.alloc;
	MUST(proto_new(&opts, !head.len, &ops, &told, &proto) == 0);
	proto_bytes(proto, dir, 1, head);
	while (body.len) {
		size_t len = 0;

		while (len < body.len && (unsigned char)body.data[len] != hole && !(is_single && len))
			len++;
		proto_bytes(proto, dir, 1, slice_head(body, len));
		body = slice_from(body, len);
		if (body.len && (unsigned char)body.data[0] == hole) {
			proto_hole(proto, dir, 1, MISSING_RING_FULL, 1);
			body = slice_from(body, 1);
		}
	}
	proto_end(proto, CLOSE_REMOTE, 1);
	MUST(told.stream_bytes + proto_stray_bytes(proto) == fed);
	proto_free(proto);
	MUST(heap.used == 0);
	return told;
}
