/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked transfer coding (RFC 9112, 7.1), stripped as it arrives. Pull it:
 *
 *	while ((step = chunked_next(&chunked, &in, &data)) != CHUNK_MORE)
 *		CHUNK_OPEN: a chunk's size is known; CHUNK_DATA: @data is a view of @in; CHUNK_END; CHUNK_BAD
 *
 * CHUNK_BAD leaves @in at the byte that does not fit. Bare LF is taken for CRLF and blanks behind a size are passed over, as
 * clients do; a sign, a leading blank or a size over 2^40 is not.
 */
#pragma once
#include "base/slice.h"

enum chunk_step { CHUNK_MORE, CHUNK_OPEN, CHUNK_DATA, CHUNK_END, CHUNK_BAD };
enum { CHUNK_EXTENSION_MAX = 4096, CHUNK_TRAILER_MAX = 64 << 10, CHUNK_SIZE_LINE_MAX = 256 };

enum chunk_state {
	CHUNK_AT_SIZE,
	CHUNK_AT_EXTENSION,
	CHUNK_AT_DATA,
	CHUNK_AT_DATA_END, /* CR or LF behind the data */
	CHUNK_AT_DATA_LF,
	CHUNK_AT_TRAILER,
	CHUNK_AT_END,
};

struct chunked {
	enum chunk_state state;
	uint64_t left; /* of the chunk's data; while its size is read, the size so far */
	size_t digits; /* of the size */
	size_t passed; /* bytes of extensions or trailers */
	bool in_line;  /* the trailer line has content */
};

enum chunk_step chunked_next(struct chunked *chunked, struct slice *in, struct slice *ret_data);
/* @len bytes are missing. false: they hide more than one chunk's data, the chain is lost. */
bool chunked_hole(struct chunked *chunked, uint64_t len);
/* Goes on behind a size line that someone else found. */
void chunked_resume(struct chunked *chunked, uint64_t size);
/* Whether @line, without its end, is a chunk's size line; its size then. */
bool chunk_line_size(struct slice line, uint64_t *ret_size);
