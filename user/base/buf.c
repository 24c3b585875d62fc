/* SPDX-License-Identifier: Apache-2.0 */
/* Growth by doubling, from 256 KiB on by a sixteenth: such blocks are moved by their pages, and half of the largest body is not
 * held empty. The failure is sticky, so a text is either whole or known not to be. */
#include "buf.h"
#include "cleanup.h"
#include <stdarg.h>
#include <stdio.h>

enum { STEEP_MAX = 256 << 10 };

static bool buf_reserve(struct buf *buf, size_t more)
{
	size_t step, want;
	char *data;

	if (buf->failed || more > buf->max || buf->len > buf->max - more) {
		buf->failed = true;
		return false;
	}
	if (buf->size - buf->len >= more)
		return true;
	step = buf->size < STEEP_MAX ? MAX(buf->size, (size_t)64) : buf->size / 16;
	want = MIN(MAX(buf->size + step, buf->len + more), buf->max);
	data = buf->alloc->resize(buf->alloc, buf->data, buf->size, want);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->size = want;
	return true;
}

void buf_put(struct buf *buf, struct slice bytes)
{
	if (!bytes.len || !buf_reserve(buf, bytes.len))
		return;
	memcpy(buf->data + buf->len, bytes.data, bytes.len);
	buf->len += bytes.len;
}

void buf_put_char(struct buf *buf, char c)
{
	buf_put(buf, (struct slice){ &c, 1 });
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		buf->failed = true;
	else
		buf_put(buf, (struct slice){ text, (size_t)len });
}

void buf_consume(struct buf *buf, size_t len)
{
	len = MIN(len, buf->len);
	if (!len)
		return;
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

void buf_shrink(struct buf *buf)
{
	char *data;

	if (!buf->len || buf->size / 2 <= buf->len)
		return;
	data = buf->alloc->resize(buf->alloc, buf->data, buf->size, buf->len);
	if (!data)
		return;
	buf->data = data;
	buf->size = buf->len;
}

void buf_free(struct buf *buf)
{
	alloc_put(buf->alloc, buf->data, buf->size);
	*buf = BUF(buf->alloc, buf->max);
}
