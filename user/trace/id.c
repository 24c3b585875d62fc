/* SPDX-License-Identifier: Apache-2.0 */
/* One keyed 128-bit hash for both: without the node's key nobody can tell an id beforehand. */
#include "trace/id.h"
#include <xxhash.h>

/* @number: 0 the trace, else a span. The bytes are written from the high end, so ids are the same on every machine. */
static void id_make(const struct id_seed *seed, uint64_t number, uint8_t *ret, size_t len)
{
	uint64_t text[] = { seed->node_key[1], seed->boot, seed->sequence, number };
	XXH128_hash_t hash = XXH3_128bits_withSeed(text, sizeof(text), seed->node_key[0]);
	XXH128_canonical_t bytes;
	bool is_zero = true;

	XXH128_canonicalFromHash(&bytes, hash);
	memcpy(ret, bytes.digest, len);
	for (size_t i = 0; i < len; i++)
		is_zero = is_zero && !ret[i];
	if (is_zero) /* zero means "none" to everyone */
		ret[len - 1] = 1;
}

void id_trace(const struct id_seed *seed, uint8_t ret[16])
{
	id_make(seed, 0, ret, 16);
}

void id_span(const struct id_seed *seed, uint64_t number, uint8_t ret[8])
{
	id_make(seed, number + 1, ret, 8);
}
