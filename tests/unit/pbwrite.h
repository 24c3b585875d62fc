/* SPDX-License-Identifier: Apache-2.0 */
/* Writes protocol buffers for tests: a message is a growing text; one in another is written first and put in as bytes. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

enum { PBW_BYTES = 4096 };

struct pbw {
	char data[PBW_BYTES];
	size_t len;
};

static inline void pbw_raw(struct pbw *pbw, const void *bytes, size_t len)
{
	if (len > sizeof(pbw->data) - pbw->len)
		abort();
	memcpy(pbw->data + pbw->len, bytes, len);
	pbw->len += len;
}

static inline void pbw_number(struct pbw *pbw, uint64_t value)
{
	do {
		pbw_raw(pbw, &(unsigned char){ (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0)) }, 1);
		value >>= 7;
	} while (value);
}

static inline void pbw_varint(struct pbw *pbw, unsigned number, uint64_t value)
{
	pbw_number(pbw, number << 3);
	pbw_number(pbw, value);
}

static inline void pbw_bytes(struct pbw *pbw, unsigned number, const void *bytes, size_t len)
{
	pbw_number(pbw, number << 3 | 2);
	pbw_number(pbw, len);
	pbw_raw(pbw, bytes, len);
}

static inline void pbw_text(struct pbw *pbw, unsigned number, const char *text)
{
	pbw_bytes(pbw, number, text, strlen(text));
}

static inline void pbw_message(struct pbw *pbw, unsigned number, const struct pbw *message)
{
	pbw_bytes(pbw, number, message->data, message->len);
}

static inline void pbw_float(struct pbw *pbw, unsigned number, float value)
{
	pbw_number(pbw, number << 3 | 5);
	pbw_raw(pbw, &value, sizeof(value));
}

static inline void pbw_double(struct pbw *pbw, unsigned number, double value)
{
	pbw_number(pbw, number << 3 | 1);
	pbw_raw(pbw, &value, sizeof(value));
}

static inline struct slice pbw_slice(const struct pbw *pbw)
{
	return (struct slice){ pbw->data, pbw->len };
}

/* A request as dialects get it: the message with its length before it. */
static inline struct pbw pbw_framed(const struct pbw *message)
{
	struct pbw framed = { 0 };

	for (int shift = 24; shift >= 0; shift -= 8)
		pbw_raw(&framed, &(unsigned char){ (unsigned char)(message->len >> shift) }, 1);
	pbw_raw(&framed, message->data, message->len);
	return framed;
}
