/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a hard maximum from its birth. After a refusal (maximum or memory) it is `failed`: it keeps
 * what it had, drops all that comes after, and the one who reads it must look. So writers need no check on each append.
 *
 *	struct buf buf = BUF(alloc, 1 << 20);
 *	buf_put(&buf, SLICE("text"));
 *	if (buf.failed) ...
 *	buf_free(&buf);
 */
#pragma once
#include "alloc.h"
#include "slice.h"

struct buf {
	struct alloc *alloc;
	size_t max;
	char *data;
	size_t len;
	size_t size;
	bool failed;
};

#define BUF(heap, max_bytes) ((struct buf){ .alloc = (heap), .max = (max_bytes) })

void buf_put(struct buf *buf, struct slice bytes);
void buf_put_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Removes the first @len bytes. */
void buf_consume(struct buf *buf, size_t len);
/* Empty and not failed; the memory is kept. */
void buf_reset(struct buf *buf);
/* Gives back what is not used, when that is more than what is. */
void buf_shrink(struct buf *buf);
void buf_free(struct buf *buf);

static inline struct slice buf_slice(const struct buf *buf)
{
	return (struct slice){ buf->data, buf->len };
}
