/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target was told, as one number: equal numbers for equal input in other cuts. */
#pragma once
#include "base/cleanup.h"
#include "base/slice.h"
#include <stdlib.h>

/* What must hold; a fuzzer sees the abort. */
#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#define DIGEST_EMPTY 0xcbf29ce484222325ull

static inline void digest_bytes(uint64_t *digest, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		*digest = (*digest ^ (unsigned char)bytes.data[i]) * 0x100000001b3ull;
}

static inline void digest_number(uint64_t *digest, uint64_t number)
{
	digest_bytes(digest, (struct slice){ (const char *)&number, sizeof(number) });
}
