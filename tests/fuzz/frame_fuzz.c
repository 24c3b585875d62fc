/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the last stage of a body by itself: arrays that arrive over time, gRPC messages and their compression, and
 * the kinds that are guessed, as well as those that have targets of their own. The first byte picks the kind and how messages
 * are compressed; 0xfd is a hole of one byte. Fed whole and byte by byte: the same parts, and the same number of bytes lost.
 */
#include "digest.h"
#include "heap.h"
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOLE = 0xfd };

struct told {
	uint64_t digest;
	uint64_t bytes; /* FRAME_BYTES has no fixed cuts */
	uint64_t lost;
	bool is_damaged;
};

static void on_part(void *user, const struct message_part *part)
{
	struct told *told = user;

	if (part->kind == PART_BYTES) {
		digest_bytes(&told->bytes, part->data);
		return;
	}
	digest_number(&told->digest, part->kind);
	digest_number(&told->digest, part->data.len);
	digest_bytes(&told->digest, part->type);
	digest_bytes(&told->digest, part->data);
}

static void on_lost(void *user, size_t len)
{
	struct told *told = user;

	told->lost += len;
}

static void on_damaged(void *user, size_t len)
{
	struct told *told = user;

	told->is_damaged = true;
}

static struct told run(uint8_t mode, struct slice rest, bool is_single)
{
	static const struct frame_ops ops = { .part = on_part, .lost = on_lost, .damaged = on_damaged };
	struct told told = { .digest = DIGEST_EMPTY, .bytes = DIGEST_EMPTY };
	struct alloc_heap heap = heap_begin((size_t)16 << 20);
	struct frame frame;

	frame_init(&frame, (enum frame_kind)(mode % _FRAME_MAX), &heap.alloc, 256, &ops, &told);
	frame.is_two_way = mode & 0x80;
	frame.grpc = (struct frame_grpc){ .coding = (enum coding_kind)(mode / 16 % (_CODING_MAX + 1)),
					  .inflate_ratio = 200 };
	while (rest.len) {
		size_t len = 0;

		while (len < rest.len && (uint8_t)rest.data[len] != HOLE && !(is_single && len))
			len++;
		if (len)
			frame_feed(&frame, slice_head(rest, len), 1);
		else
			frame_hole(&frame);
		rest = slice_from(rest, len ? len : 1);
	}
	frame_end(&frame, mode & 8);
	frame_free(&frame);
	MUST(heap.used == 0);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data + 1, size - 1 };
	struct told whole, cut;

	if (size < 1)
		return 0;
	whole = run(data[0], rest, false);
	cut = run(data[0], rest, true);
	MUST(whole.digest == cut.digest && whole.bytes == cut.bytes);
	MUST(whole.is_damaged || whole.lost == cut.lost);
	return 0;
}
