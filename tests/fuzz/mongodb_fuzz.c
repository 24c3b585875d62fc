/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of MongoDB's protocol (pieces.h). A head is that of a message: its length, its number, which one it answers, its
 * kind; with bit 7 also the flags, and the kind and length of the one document that the piece's bytes are the inside of.
 */
#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OP_MSG = 2013, OP_COMPRESSED = 2012, OP_QUERY = 2004, OP_REPLY = 1 };

static void number_put(char *to, size_t number)
{
	for (size_t i = 0; i < 4; i++)
		to[i] = (char)(number >> 8 * i);
}

static size_t head_put(char to[PIECE_HEAD_MAX], uint8_t what, size_t len)
{
	static const uint16_t kinds[] = { OP_MSG, OP_COMPRESSED, OP_QUERY, OP_REPLY };
	bool has_document = what & 128;
	size_t head_len = has_document ? 25 : 16;

	memset(to, 0, PIECE_HEAD_MAX);
	number_put(to, head_len + len);
	number_put(to + 4, what % 8u);
	number_put(to + 8, what / 8 % 4u);
	number_put(to + 12, kinds[what / 32 % 4]);
	if (has_document)
		number_put(to + 21, len + 4);
	return head_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pieces pieces = {
		.opening = { "\x1a\0\0\0\0\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0\5\0\0\0\0", 26 },
		.head = head_put,
	};

	return pieces_fuzz(&pieces, data, size, 0xff);
}
