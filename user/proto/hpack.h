/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header blocks of one direction of an HTTP/2 connection (RFC 7541). Blocks are fed in any cuts and decoded at once, so that
 * the dynamic table goes on whatever a block's size; of its fields only what the budget allows is kept, until the next block.
 *
 *	hpack_begin, hpack_feed ..., hpack_finish, hpack_fields
 *
 * After hpack_lose() (joined late, a hole, a block that does not decode) entries of before are unknown for ever, but entries
 * that come after are exact: see hpack.c.
 */
#pragma once
#include "base/buf.h"
#include "model/message.h"
#include "proto/proto.h"
#include <nghttp2/nghttp2.h>

struct hpack {
	struct alloc *alloc;
	size_t fields_max;
	nghttp2_mem mem; /* the library keeps a pointer to it */
	nghttp2_hd_inflater *inflater;
	bool is_lost;   /* the next inflater is primed with markers */
	size_t markers; /* how many it gets */
	/* The open or last block: */
	struct buf text;  /* names and values, one behind the other */
	struct buf marks; /* struct hpack_mark of each field */
	size_t count;
	int error;         /* of its decoding: -EBADMSG, -ENOMEM */
	bool has_too_many; /* not all of its fields are kept */
	bool has_unknown;  /* fields that refer to what was inserted before we looked */
};

void hpack_init(struct hpack *hpack, const struct proto_opts *opts);
void hpack_free(struct hpack *hpack);
void hpack_begin(struct hpack *hpack);
void hpack_feed(struct hpack *hpack, struct slice fragment);
/* The block is whole: 0, or why it could not be decoded; what came out of it before that is in the fields. */
int hpack_finish(struct hpack *hpack);
/* Table entries may have been inserted that we did not see. */
void hpack_lose(struct hpack *hpack);
/* The fields of the last block, at most fields_max; views that live until the next block. */
size_t hpack_fields(const struct hpack *hpack, struct header *fields);
