/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content codings, undone as the bytes arrive: each feed gives out all that can be decoded so far, so that what a read
 * completed carries the time of that read. gzip may have several members, deflate may be zlib or raw (both travel), a zstd
 * window is at most 32 MiB. All memory comes from the alloc.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/slice.h"

enum coding_kind {
	CODING_IDENTITY,
	CODING_GZIP,
	CODING_DEFLATE,
	CODING_BR,
	CODING_ZSTD,
	CODING_RAW, /* deflate without any head, which may end and go on: WebSocket's */
	_CODING_MAX
};

/* enum coding_kind, or -EINVAL. */
int coding_kind_from(struct slice name);
/* What the first four bytes of a body say about its coding; CODING_IDENTITY when nothing. */
enum coding_kind coding_kind_sniff(struct slice first);

struct coding;
/* Takes decoded bytes; a negative answer stops the feed, which returns it. */
typedef int (*coding_out)(void *user, struct slice bytes);

int coding_new(struct alloc *alloc, enum coding_kind kind, struct coding **ret);
struct coding *coding_free(struct coding *coding);
DEFINE_CLEANUP(struct coding *, coding_free)
/* 0; -EBADMSG: these bytes are not of this coding; -ENOMEM, -E2BIG: no memory, window too large; or what @out returned. Not
 * to be fed again after a failure. Bytes behind the coded stream's own end are passed over. */
int coding_feed(struct coding *coding, struct slice in, coding_out out, void *user);
