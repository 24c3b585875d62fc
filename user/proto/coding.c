/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four libraries behind one row each: begin, step, end. A step moves bytes from @in to the output block until one of them is
 * used up.
 */
#include "proto/coding.h"
#include "proto/piece.h"
#include <errno.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { OUT_BLOCK = 16 << 10, INPUT_MAX = 1 << 30, ZSTD_WINDOW_LOG = 25 };
enum step_result { STEP_MORE, STEP_ENDED };

struct coding {
	struct alloc *alloc;
	const struct coding_row *row;
	bool has_begun;
	bool has_ended;
	bool is_padding; /* what follows the end is not another member */
	union {
		z_stream zlib;
		BrotliDecoderState *brotli;
		ZSTD_DCtx *zstd;
	};
	char out[OUT_BLOCK];
};

struct coding_row {
	const char *name, *other_name;
	int (*begin)(struct coding *coding, struct slice first);
	/* enum step_result, or negative. *in loses what was taken, *ret_len is what lies in coding->out. */
	int (*step)(struct coding *coding, struct slice *in, size_t *ret_len);
	void (*end)(struct coding *coding);
};

static void *piece_get_array(void *alloc, unsigned count, unsigned size)
{
	return piece_get(alloc, (size_t)count * size);
}

/* ---- gzip, deflate ---- */

static int zlib_begin(struct coding *coding, int window_bits)
{
	coding->zlib = (z_stream){ .zalloc = piece_get_array, .zfree = piece_put, .opaque = coding->alloc };
	return inflateInit2(&coding->zlib, window_bits) == Z_OK ? 0 : -ENOMEM;
}

static int gzip_begin(struct coding *coding, struct slice first)
{
	return zlib_begin(coding, MAX_WBITS + 16);
}

/* zlib's first byte ends in 8 (the method). A raw stream can begin so only with a stored block whose padding is not zero,
 * which no encoder writes. */
static int deflate_begin(struct coding *coding, struct slice first)
{
	return zlib_begin(coding, (first.data[0] & 0x0f) == 8 ? MAX_WBITS : -MAX_WBITS);
}

static int zlib_step(struct coding *coding, struct slice *in, size_t *ret_len)
{
	z_stream *z = &coding->zlib;
	unsigned len = (unsigned)MIN(in->len, (size_t)INPUT_MAX);
	int r;

	z->next_in = (Bytef *)(uintptr_t)in->data;
	z->avail_in = len;
	z->next_out = (Bytef *)coding->out;
	z->avail_out = OUT_BLOCK;
	r = inflate(z, Z_SYNC_FLUSH);
	*in = slice_from(*in, len - z->avail_in);
	*ret_len = OUT_BLOCK - z->avail_out;
	if (r == Z_STREAM_END)
		return STEP_ENDED;
	return r == Z_OK || r == Z_BUF_ERROR ? STEP_MORE : r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

/* A gzip file may be several, one behind the other; anything else behind the end is padding. */
static int gzip_step(struct coding *coding, struct slice *in, size_t *ret_len)
{
	if (coding->has_ended && in->len) {
		coding->is_padding |= in->data[0] != 0x1f;
		coding->has_ended = coding->is_padding;
		if (!coding->has_ended)
			inflateReset(&coding->zlib);
	}
	return coding->has_ended ? STEP_ENDED : zlib_step(coding, in, ret_len);
}

static int deflate_step(struct coding *coding, struct slice *in, size_t *ret_len)
{
	return coding->has_ended ? STEP_ENDED : zlib_step(coding, in, ret_len);
}

static int raw_begin(struct coding *coding, struct slice first)
{
	return zlib_begin(coding, -MAX_WBITS);
}

/* Behind a final block another stream goes on with the same window. */
static int raw_step(struct coding *coding, struct slice *in, size_t *ret_len)
{
	if (coding->has_ended && in->len) {
		inflateResetKeep(&coding->zlib);
		coding->has_ended = false;
	}
	return coding->has_ended ? STEP_ENDED : zlib_step(coding, in, ret_len);
}

static void zlib_end(struct coding *coding)
{
	inflateEnd(&coding->zlib);
}

/* ---- br ---- */

static int brotli_begin(struct coding *coding, struct slice first)
{
	coding->brotli = BrotliDecoderCreateInstance(piece_get, piece_put, coding->alloc);
	return coding->brotli ? 0 : -ENOMEM;
}

static int brotli_step(struct coding *coding, struct slice *in, size_t *ret_len)
{
	const uint8_t *next_in = (const uint8_t *)in->data;
	uint8_t *next_out = (uint8_t *)coding->out;
	size_t avail_in = in->len, avail_out = OUT_BLOCK;
	BrotliDecoderResult result;
	BrotliDecoderErrorCode code;

	if (coding->has_ended)
		return STEP_ENDED;
	result = BrotliDecoderDecompressStream(coding->brotli, &avail_in, &next_in, &avail_out, &next_out, NULL);
	*in = slice_from(*in, in->len - avail_in);
	*ret_len = OUT_BLOCK - avail_out;
	if (result != BROTLI_DECODER_RESULT_ERROR)
		return result == BROTLI_DECODER_RESULT_SUCCESS ? STEP_ENDED : STEP_MORE;
	code = BrotliDecoderGetErrorCode(coding->brotli);
	return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
		       ? -ENOMEM
		       : -EBADMSG;
}

static void brotli_end(struct coding *coding)
{
	BrotliDecoderDestroyInstance(coding->brotli);
}

/* ---- zstd ---- */

static int zstd_begin(struct coding *coding, struct slice first)
{
	coding->zstd = ZSTD_createDCtx_advanced((ZSTD_customMem){ piece_get, piece_put, coding->alloc });
	if (!coding->zstd)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(coding->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	return 0;
}

static int zstd_step(struct coding *coding, struct slice *in, size_t *ret_len)
{
	ZSTD_inBuffer input = { in->data, in->len, 0 };
	ZSTD_outBuffer output = { coding->out, OUT_BLOCK, 0 };
	size_t r = ZSTD_decompressStream(coding->zstd, &output, &input);

	*in = slice_from(*in, input.pos);
	*ret_len = output.pos;
	if (!ZSTD_isError(r))
		return STEP_MORE;
	switch (ZSTD_getErrorCode(r)) {
	case ZSTD_error_memory_allocation:
		return -ENOMEM;
	case ZSTD_error_frameParameter_windowTooLarge:
		return -E2BIG;
	default:
		return -EBADMSG;
	}
}

static void zstd_end(struct coding *coding)
{
	ZSTD_freeDCtx(coding->zstd);
}

/* ---- the table ---- */

static const struct coding_row rows[_CODING_MAX] = {
	[CODING_IDENTITY] = { "identity", NULL, NULL, NULL, NULL },
	[CODING_GZIP] = { "gzip", "x-gzip", gzip_begin, gzip_step, zlib_end },
	[CODING_DEFLATE] = { "deflate", NULL, deflate_begin, deflate_step, zlib_end },
	[CODING_BR] = { "br", NULL, brotli_begin, brotli_step, brotli_end },
	[CODING_ZSTD] = { "zstd", NULL, zstd_begin, zstd_step, zstd_end },
	[CODING_RAW] = { "", NULL, raw_begin, raw_step, zlib_end },
};

int coding_kind_from(struct slice name)
{
	for (int kind = 0; kind < CODING_RAW; kind++)
		if (slice_equal_nocase(name, slice_of(rows[kind].name)) ||
		    (rows[kind].other_name && slice_equal_nocase(name, slice_of(rows[kind].other_name))))
			return kind;
	return -EINVAL;
}

enum coding_kind coding_kind_sniff(struct slice first)
{
	if (slice_starts(first, SLICE("\x1f\x8b")))
		return CODING_GZIP;
	return slice_starts(first, SLICE("\x28\xb5\x2f\xfd")) ? CODING_ZSTD : CODING_IDENTITY;
}

int coding_new(struct alloc *alloc, enum coding_kind kind, struct coding **ret)
{
	struct coding *coding = rows[kind].step ? alloc_get(alloc, sizeof(*coding)) : NULL;

	if (!coding)
		return rows[kind].step ? -ENOMEM : -EINVAL;
	coding->alloc = alloc;
	coding->row = &rows[kind];
	*ret = coding;
	return 0;
}

struct coding *coding_free(struct coding *coding)
{
	if (!coding)
		return NULL;
	if (coding->has_begun)
		coding->row->end(coding);
	alloc_put(coding->alloc, coding, sizeof(*coding));
	return NULL;
}

int coding_feed(struct coding *coding, struct slice in, coding_out out, void *user)
{
	if (!coding->has_begun && in.len) {
		int r = coding->row->begin(coding, in);

		if (r < 0)
			return r;
		coding->has_begun = true;
	}
	while (coding->has_begun) {
		size_t before = in.len, len = 0;
		int step = coding->row->step(coding, &in, &len);
		int r = len ? out(user, (struct slice){ coding->out, len }) : 0;

		if (r < 0 || step < 0)
			return r < 0 ? r : step;
		coding->has_ended = step == STEP_ENDED;
		/* A full block may hide more behind it even when all input is taken. */
		if (len < OUT_BLOCK && (!in.len || (in.len == before && !len)))
			break;
	}
	return 0;
}
