/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of proto's frame: the first byte picks the kind and the end. In the rest, 0x01 is a hole and 0x02 a boundary; all
 * else is fed, whole and byte by byte: the same events and lines.
 */
#include "digest.h"
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_part(void *user, const struct message_part *part)
{
	uint64_t *digest = user;

	digest_number(digest, part->kind);
	digest_bytes(digest, part->type);
	digest_bytes(digest, part->data);
}

static void on_lost(void *user, size_t len)
{
	digest_number(user, len);
}

static const struct frame_ops ops = { on_part, on_lost };

static uint64_t run(struct slice rest, uint8_t mode, bool is_single)
{
	static const enum frame_kind kinds[] = { FRAME_EVENTS, FRAME_LINES, FRAME_UNKNOWN, FRAME_EVENTS };
	struct alloc_heap heap = ALLOC_HEAP((size_t)1 << 20);
	uint64_t digest = DIGEST_EMPTY;
	struct frame frame;

	frame_init(&frame, kinds[mode & 3], &heap.alloc, 64, &ops, &digest);
	while (rest.len) {
		size_t len = 0;

		if (rest.data[0] == 1)
			frame_hole(&frame);
		if (rest.data[0] == 2)
			frame_boundary(&frame);
		if (rest.data[0] == 1 || rest.data[0] == 2) {
			rest = slice_from(rest, 1);
			continue;
		}
		while (len < rest.len && rest.data[len] != 1 && rest.data[len] != 2 && !(is_single && len))
			len++;
		frame_feed(&frame, slice_head(rest, len), 1);
		rest = slice_from(rest, len);
	}
	frame_end(&frame, mode & 0x80);
	frame_free(&frame);
	MUST(heap.used == 0);
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data + 1, size - 1 };

	if (size < 1)
		return 0;
	MUST(run(rest, data[0], false) == run(rest, data[0], true));
	return 0;
}
