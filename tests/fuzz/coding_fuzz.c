/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of proto's content codings: the first byte picks the coding, the rest is its input, fed whole and byte by byte.
 * What decodes must decode to the same; all memory must come back; memory is limited.
 */
#include "digest.h"
#include "proto/coding.h"
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct decoded {
	uint64_t digest;
	size_t len;
	int r;
};

static int on_bytes(void *user, struct slice bytes)
{
	struct decoded *decoded = user;

	decoded->len += bytes.len;
	digest_bytes(&decoded->digest, bytes);
	return decoded->len > (size_t)1 << 20 ? -E2BIG : 0;
}

static struct decoded run(enum coding_kind kind, struct slice in, size_t step)
{
	struct alloc_heap heap = ALLOC_HEAP((size_t)40 << 20);
	struct decoded decoded = { .digest = DIGEST_EMPTY };
	struct coding *coding;

	MUST(coding_new(&heap.alloc, kind, &coding) == 0);
	while (in.len && decoded.r == 0) {
		decoded.r = coding_feed(coding, slice_head(in, step), on_bytes, &decoded);
		in = slice_from(in, step);
	}
	coding_free(coding);
	MUST(heap.used == 0);
	return decoded;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum coding_kind kinds[] = { CODING_GZIP, CODING_DEFLATE, CODING_BR, CODING_ZSTD };
	struct decoded whole, cut;
	struct slice in;

	if (size < 2)
		return 0;
	in = (struct slice){ (const char *)data + 1, size - 1 };
	whole = run(kinds[data[0] % ARRAY_SIZE(kinds)], in, in.len);
	cut = run(kinds[data[0] % ARRAY_SIZE(kinds)], in, 1);
	if (whole.r == 0 && cut.r == 0)
		MUST(whole.len == cut.len && whole.digest == cut.digest);
	return 0;
}
