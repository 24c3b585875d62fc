/* SPDX-License-Identifier: Apache-2.0 */
/* Whole blocks are read where they are; only a block that is open between two pieces is copied. */
#include "base/sha256.h"
#include "base/cleanup.h"
#include <string.h>

static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t word, unsigned bits)
{
	return word >> bits | word << (32 - bits);
}

static void words_spread(uint32_t words[64], const uint8_t *block)
{
	for (size_t i = 0; i < 16; i++) {
		memcpy(&words[i], block + i * 4, 4);
		words[i] = __builtin_bswap32(words[i]);
	}
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = words[i - 15], b = words[i - 2];

		words[i] = words[i - 16] + words[i - 7] + (turned(a, 7) ^ turned(a, 18) ^ a >> 3) +
			   (turned(b, 17) ^ turned(b, 19) ^ b >> 10);
	}
}

/* The eight words of the state move up one place each round: by name, so that no word really moves. */
static void block_take(uint32_t state[8], const uint8_t *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	uint32_t words[64];

	words_spread(words, block);
#pragma GCC unroll 8
	for (size_t i = 0; i < 64; i++) {
		uint32_t first = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) +
				 constants[i] + words[i];
		uint32_t second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

		h = g;
		g = f;
		f = e;
		e = d + first;
		d = c;
		c = b;
		b = a;
		a = first + second;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

void sha256_put(struct sha256 *sha, struct slice bytes)
{
	size_t open = sha->len % sizeof(sha->block);

	if (!bytes.len)
		return;
	sha->len += bytes.len;
	if (open) {
		size_t len = MIN(bytes.len, sizeof(sha->block) - open);

		memcpy(sha->block + open, bytes.data, len);
		bytes = slice_from(bytes, len);
		if (open + len < sizeof(sha->block))
			return;
		block_take(sha->state, sha->block);
	}
	for (; bytes.len >= sizeof(sha->block); bytes = slice_from(bytes, sizeof(sha->block)))
		block_take(sha->state, (const uint8_t *)bytes.data);
	if (bytes.len)
		memcpy(sha->block, bytes.data, bytes.len);
}

void sha256_text(struct sha256 *sha, char text[SHA256_TEXT_SIZE])
{
	static const char zeros[64] = { (char)0x80 };
	uint64_t bits = __builtin_bswap64(sha->len * 8);
	size_t open = sha->len % 64;

	sha256_put(sha, (struct slice){ zeros, open < 56 ? 56 - open : 120 - open });
	sha256_put(sha, (struct slice){ (const char *)&bits, sizeof(bits) });
	for (size_t i = 0; i < SHA256_TEXT_SIZE - 1; i++)
		text[i] = "0123456789abcdef"[sha->state[i / 8] >> (28 - i % 8 * 4) & 15];
	text[SHA256_TEXT_SIZE - 1] = '\0';
}
