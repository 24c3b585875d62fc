/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of Redis's protocol (pieces.h). A head is one of a value: its kind, and how long it is or how many follow. */
#include "pieces.h"
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t head_put(char to[PIECE_HEAD_MAX], uint8_t what, size_t len)
{
	static const char kinds[] = "$*%~>|=!+-:,#_.(";
	bool is_text = what & 16;
	int put = snprintf(to, PIECE_HEAD_MAX, "%s%c%zu\r\n", what & 128 ? "\r\n" : "", kinds[what % 16],
			   is_text ? len : (size_t)what / 32 % 4);

	return (size_t)put;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pieces pieces = { .opening = SLICE("*1\r\n$4\r\nPING\r\n"), .head = head_put };

	return pieces_fuzz(&pieces, data, size, 0xff);
}
