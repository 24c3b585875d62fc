/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of PostgreSQL's protocol behind its start (pieces.h). A head is a message's letter and its length. */
#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t head_put(char to[PIECE_HEAD_MAX], uint8_t what, size_t len)
{
	to[0] = (char)what;
	to[1] = to[2] = 0;
	to[3] = (char)((len + 4) >> 8);
	to[4] = (char)(len + 4);
	return 5;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pieces pieces = {
		.opening = { "\0\0\0\x12\0\3\0\0user\0me\0\0", 18 },
		.head = head_put,
	};

	return pieces_fuzz(&pieces, data, size, 0xff);
}
