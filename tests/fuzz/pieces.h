/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both directions of a connection as a fuzzer writes them. The first byte says whether it is joined late and how it ends. Then
 * pieces: one byte (bit 0 the direction, bit 1 a hole, bit 2 the answer of exchange 1 is skipped, bit 3 a head of the protocol
 * is put before it, of one byte more), one byte length, the bytes. Each input is fed whole and byte by byte: no byte may be
 * lost from the books, and what is told must be the same.
 */
#pragma once
#include "told.h"

enum { PIECE_HEAD_MAX = 32 };

struct pieces {
	struct slice opening;      /* of the client, fed first */
	bool is_opening_for_early; /* who joins late has missed it */
	/* Writes the head of a piece of @len bytes; its length. NULL: bit 3 has no meaning. */
	size_t (*head)(char to[PIECE_HEAD_MAX], uint8_t what, size_t len);
	/* Another way to read a piece than the one above: takes it off @rest, feeds it, returns the bytes it fed. */
	uint64_t (*next)(struct proto *proto, struct slice *rest, bool is_single, uint64_t time_ns);
};

static void pieces_feed(struct proto *proto, enum direction dir, struct slice text, bool is_single, uint64_t time_ns)
{
	for (size_t i = 0; is_single && i < text.len; i++)
		proto_bytes(proto, dir, time_ns, slice_head(slice_from(text, i), 1));
	if (!is_single)
		proto_bytes(proto, dir, time_ns, text);
}

/* One piece off @rest; what it fed. */
static uint64_t pieces_next(const struct pieces *pieces, struct proto *proto, struct slice *rest, bool is_single,
			    uint64_t time_ns)
{
	uint8_t control = (uint8_t)rest->data[0];
	enum direction dir = control & 1 ? DIR_READ : DIR_WRITE;
	bool has_head = pieces->head && control & 8;
	struct slice text = slice_head(slice_from(*rest, has_head ? 3 : 2), (uint8_t)rest->data[1]);
	char framed[PIECE_HEAD_MAX + 255];
	size_t head_len = has_head ? pieces->head(framed, (uint8_t)rest->data[2], text.len) : 0;

	if (control & 4)
		proto_skip(proto, 1);
	*rest = slice_from(*rest, (has_head ? 3 : 2) + text.len);
	if (text.len)
		memcpy(framed + head_len, text.data, text.len);
	text = (struct slice){ framed, head_len + text.len };
	if (control & 2)
		proto_hole(proto, dir, text.len, MISSING_RING_FULL, time_ns);
	else
		pieces_feed(proto, dir, text, is_single, time_ns);
	return text.len;
}

static struct told pieces_run(const struct pieces *pieces, struct slice rest, uint8_t mode, bool is_single)
{
	struct told told = { .digests = { DIGEST_EMPTY } };
	struct alloc_heap heap = heap_begin((size_t)64 << 20);
	struct proto_opts opts = proto_opts_default;
	uint64_t fed = 0, time_ns = 1;
	struct proto *proto;

	opts.alloc = &heap.alloc;
	opts.head_bytes_max = 240; /* less than one piece may be */
	opts.event_bytes_max = 512;
	opts.inflate_max = 1 << 20;
	MUST(proto_new(&opts, mode & 1, &told_ops, &told, &proto) == 0);
	if (!(pieces->is_opening_for_early && mode & 1)) {
		pieces_feed(proto, DIR_WRITE, pieces->opening, is_single, time_ns);
		fed += pieces->opening.len;
	}
	for (; rest.len > 2; time_ns++)
		fed += pieces->next ? pieces->next(proto, &rest, is_single, time_ns)
				    : pieces_next(pieces, proto, &rest, is_single, time_ns);
	proto_end(proto, (enum close_how)(mode / 2 % (CLOSE_EXIT + 1)), time_ns);
	MUST(told.stream_bytes + proto_stray_bytes(proto) == fed);
	proto_free(proto);
	MUST(heap.used == 0);
	return told;
}

/* @mask: what the first byte may say. */
static int pieces_fuzz(const struct pieces *pieces, const uint8_t *data, size_t size, uint8_t mask)
{
	struct slice rest = { (const char *)data + 1, size - 1 };
	struct told whole, cut;

	if (size < 1)
		return 0;
	whole = pieces_run(pieces, rest, data[0] & mask, false);
	cut = pieces_run(pieces, rest, data[0] & mask, true);
	told_compare(&whole, &cut);
	return 0;
}
