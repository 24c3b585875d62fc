/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	byte 0: FIN RSV1 RSV2 RSV3 opcode:4    byte 1: MASK length:7    [length: 2 or 8 bytes]    [mask: 4 bytes]
 *
 * Written here and not taken from wslay: its frame reader takes its memory from malloc, cannot begin in the middle, and does
 * not say how many bytes a frame took, which the books need.
 */
#include "proto/websocket_frame.h"

static bool opcode_is_known(unsigned opcode)
{
	return opcode <= OPCODE_BINARY || (opcode >= OPCODE_CLOSE && opcode <= OPCODE_PONG);
}

static uint64_t number_read(const char *bytes, size_t count)
{
	uint64_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | (unsigned char)bytes[i];
	return number;
}

/* The first byte alone. */
static bool first_is_good(unsigned char first, bool may_compress)
{
	unsigned opcode = first & 0x0f;

	if (!opcode_is_known(opcode) || first & 0x30)
		return false;
	if (first & 0x40 && (!may_compress || opcode == OPCODE_CONTINUATION || opcode >= OPCODE_CLOSE))
		return false;
	return opcode < OPCODE_CLOSE || first & 0x80;
}

enum websocket_head_is websocket_head_read(struct websocket_head *head, struct slice bytes, enum message_kind side,
					   bool may_compress)
{
	static const size_t wides[128] = { [126] = 2, [127] = 8 };
	unsigned char first = bytes.len ? (unsigned char)bytes.data[0] : 0;
	unsigned char second = bytes.len > 1 ? (unsigned char)bytes.data[1] : 0;
	size_t wide = wides[second & 0x7f], masked = side == MESSAGE_REQUEST ? 4 : 0;

	if (bytes.len && !first_is_good(first, may_compress))
		return WEBSOCKET_HEAD_BAD;
	if (bytes.len < 2)
		return WEBSOCKET_HEAD_MORE;
	*head = (struct websocket_head){ .opcode = (enum websocket_opcode)(first & 0x0f),
					 .is_final = first & 0x80,
					 .is_compressed = first & 0x40,
					 .is_masked = second & 0x80,
					 .len = second & 0x7f,
					 .head_len = 2 + wide + masked };
	if (head->is_masked != (masked > 0) || (websocket_is_control(head) && wide))
		return WEBSOCKET_HEAD_BAD;
	if (wide && bytes.len >= 2 + wide)
		head->len = number_read(bytes.data + 2, wide);
	if (head->len > INT64_MAX)
		return WEBSOCKET_HEAD_BAD;
	if (bytes.len < head->head_len)
		return WEBSOCKET_HEAD_MORE;
	memcpy(head->mask, bytes.data + 2 + wide, masked);
	return WEBSOCKET_HEAD_WHOLE;
}

void websocket_unmask(const struct websocket_head *head, uint64_t at, char *bytes, size_t len)
{
	if (!head->is_masked)
		return;
	for (size_t i = 0; i < len; i++)
		bytes[i] ^= head->mask[(at + i) & 3];
}
