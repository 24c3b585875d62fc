/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the sieve of files in front of a kept body. The first bytes from 0xe0 on stand for runs of base64, up
 * to longer than the shortest file, so that inputs stay short; the others from 0x80 on for a few digits. Fed whole and in pieces: the same text.
 */
#include "call/media.h"
#include "digest.h"
#include "heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONG = 0xe0, LONG_MAX = 2, RUN_UNIT = MEDIA_RUN_MIN / 6, RUN_BYTES = 8 * RUN_UNIT, OUT_MAX = 256 << 10 };

/* Sixty-four different digits, or one. */
static const char *digits_made(bool is_varied)
{
	static char many[RUN_BYTES], one[RUN_BYTES];

	for (size_t i = 0; !one[0] && i < RUN_BYTES; i++)
		many[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[i * 7 % 64];
	memset(one, 'A', one[0] ? 0 : RUN_BYTES);
	return is_varied ? many : one;
}

static struct slice run_of(uint8_t byte, int *longs)
{
	size_t len = byte / 2 % 8u;

	if (byte >= LONG && (*longs)++ < LONG_MAX)
		len = len * RUN_UNIT + byte / 16 % 2u;
	return (struct slice){ digits_made(byte & 1), len };
}

static void put(struct media *media, struct slice text, size_t step)
{
	while (text.len) {
		struct slice piece = slice_head(text, step);

		media_feed(media, piece);
		text = slice_from(text, piece.len);
	}
}

static uint64_t run(struct slice rest, bool is_single)
{
	struct alloc_heap heap = heap_begin((size_t)16 << 20);
	struct buf out = BUF(&heap.alloc, OUT_MAX);
	uint64_t digest = DIGEST_EMPTY;
	struct media media;
	int longs = 0;

	media_init(&media, &out);
	while (rest.len) {
		size_t len = 0;

		while (len < rest.len && (uint8_t)rest.data[len] < 0x80)
			len++;
		put(&media, slice_head(rest, len), is_single ? 1 : SIZE_MAX);
		if (len < rest.len)
			put(&media, run_of((uint8_t)rest.data[len++], &longs), is_single ? RUN_UNIT / 2 + 1 : SIZE_MAX);
		rest = slice_from(rest, len);
	}
	media_end(&media);
	MUST(!out.failed && !media.lost);
	digest_bytes(&digest, slice_head(buf_slice(&out), 1024));
	digest_number(&digest, out.len);
	digest_number(&digest, media.count);
	digest_number(&digest, media.bytes);
	digest_number(&digest, media.removed);
	buf_free(&out);
	MUST(heap.used == 0);
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };

	MUST(run(text, false) == run(text, true));
	return 0;
}
