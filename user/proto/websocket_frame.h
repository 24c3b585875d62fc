/* SPDX-License-Identifier: Apache-2.0 */
/* The head of one WebSocket frame, and what makes a good one. Knows no message and keeps nothing. */
#pragma once
#include "base/slice.h"
#include "model/message.h"

enum { WEBSOCKET_HEAD_BYTES = 14 };

enum websocket_opcode {
	OPCODE_CONTINUATION = 0,
	OPCODE_TEXT = 1,
	OPCODE_BINARY = 2,
	OPCODE_CLOSE = 8,
	OPCODE_PONG = 10
};

struct websocket_head {
	enum websocket_opcode opcode;
	bool is_final;
	bool is_compressed; /* RSV1 */
	bool is_masked;
	char mask[4];
	uint64_t len;    /* of the payload */
	size_t head_len; /* of the head itself */
};

static inline bool websocket_is_control(const struct websocket_head *head)
{
	return head->opcode >= OPCODE_CLOSE;
}

enum websocket_head_is { WEBSOCKET_HEAD_MORE, WEBSOCKET_HEAD_BAD, WEBSOCKET_HEAD_WHOLE };

/* @side: who sent it; a client's are masked, a server's are not. @may_compress: RSV1 has a meaning. */
enum websocket_head_is websocket_head_read(struct websocket_head *head, struct slice bytes, enum message_kind side,
					   bool may_compress);
/* @at: offset of @bytes in the payload. In place. */
void websocket_unmask(const struct websocket_head *head, uint64_t at, char *bytes, size_t len);
