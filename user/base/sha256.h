/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4) of bytes that come in pieces, for rooms that may take no memory: a file that is not kept can be
 * recognised by it with any tool. It is no place for secrets; those go through libcrypto.
 *
 *	struct sha256 sha = SHA256;
 *	sha256_put(&sha, bytes);
 *	sha256_text(&sha, text);			64 hexadecimal digits and a NUL
 */
#pragma once
#include "base/slice.h"
#include <stdint.h>

enum { SHA256_TEXT_SIZE = 65 };

struct sha256 {
	uint32_t state[8];
	uint64_t len;
	uint8_t block[64];
};

#define SHA256                                                                                                         \
	{                                                                                                              \
		.state = {                                                                                             \
			0x6a09e667,                                                                                    \
			0xbb67ae85,                                                                                    \
			0x3c6ef372,                                                                                    \
			0xa54ff53a,                                                                                    \
			0x510e527f,                                                                                    \
			0x9b05688c,                                                                                    \
			0x1f83d9ab,                                                                                    \
			0x5be0cd19                                                                                     \
		}                                                                                                      \
	}

void sha256_put(struct sha256 *sha, struct slice bytes);
/* Ends it: nothing may be put afterwards. */
void sha256_text(struct sha256 *sha, char text[SHA256_TEXT_SIZE]);
