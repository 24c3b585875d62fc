/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 connections on paper: a writer of frames, one piece each, with the library's own HPACK encoder for each direction.
 *
 *	struct frames h2 = frames_new();	preface and settings of both ends
 *	frames_request(&h2, 1, "POST", "/v1/x", body);
 *	frames_free(&h2);
 */
#pragma once
#include "unit/proto/wire.h"
#include <nghttp2/nghttp2.h>

enum { FRAMES_MAX = 8192 };
enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 0x20 };
#define CLIENT DIR_WRITE
#define SERVER DIR_READ

struct frames {
	struct piece *pieces;
	size_t count;
	nghttp2_hd_deflater *packers[_DIR_MAX];
};

static inline void frames_put(struct frames *h2, enum direction dir, struct slice bytes)
{
	char *copy = malloc(bytes.len + 1);

	assert_true(h2->count < FRAMES_MAX);
	assert_non_null(copy);
	if (bytes.len)
		memcpy(copy, bytes.data, bytes.len);
	h2->pieces[h2->count++] = (struct piece){ .dir = dir, .text = { copy, bytes.len } };
}

static inline void frames_hole(struct frames *h2, enum direction dir, uint64_t len)
{
	h2->pieces[h2->count++] = (struct piece){ .dir = dir, .hole_len = len };
}

static inline void frames_raw(struct frames *h2, enum direction dir, int type, int flags, uint32_t stream,
			      struct slice payload)
{
	char *all = malloc(9 + payload.len);
	unsigned char head[9] = { payload.len >> 16, payload.len >> 8, payload.len, type,  flags,
				  stream >> 24,      stream >> 16,     stream >> 8, stream };

	assert_non_null(all);
	memcpy(all, head, 9);
	if (payload.len)
		memcpy(all + 9, payload.data, payload.len);
	frames_put(h2, dir, (struct slice){ all, 9 + payload.len });
	free(all);
}

/* @fields: "name: value" lines, also of pseudo-headers; the block it makes. */
static inline struct slice frames_block(struct frames *h2, enum direction dir, const char *fields, char *block,
					size_t max)
{
	nghttp2_nv list[128];
	size_t count = 0;
	ssize_t len;

	for (struct slice rest = slice_of(fields); rest.len;) {
		struct slice line = slice_cut(&rest, '\n');
		ptrdiff_t colon = slice_find(slice_from(line, 1), SLICE(": ")) + 1;

		assert_true(colon > 0 && count < 128);
		list[count++] = (nghttp2_nv){ (uint8_t *)line.data, (uint8_t *)line.data + colon + 2, (size_t)colon,
					      line.len - (size_t)colon - 2, NGHTTP2_NV_FLAG_NONE };
	}
	len = nghttp2_hd_deflate_hd(h2->packers[dir], (uint8_t *)block, max, list, count);
	assert_true(len >= 0);
	return (struct slice){ block, (size_t)len };
}

static inline void frames_headers(struct frames *h2, enum direction dir, uint32_t stream, int flags, const char *fields)
{
	static char block[256 << 10];

	frames_raw(h2, dir, HEADERS, END_HEADERS | flags, stream, frames_block(h2, dir, fields, block, sizeof(block)));
}

static inline void frames_data(struct frames *h2, enum direction dir, uint32_t stream, int flags, const char *text)
{
	frames_raw(h2, dir, DATA, flags, stream, slice_of(text));
}

static inline struct frames frames_bare(void)
{
	struct frames h2 = { .pieces = calloc(FRAMES_MAX, sizeof(struct piece)) };

	assert_non_null(h2.pieces);
	for (int dir = 0; dir < _DIR_MAX; dir++)
		assert_int_equal(nghttp2_hd_deflate_new(&h2.packers[dir], 4096), 0);
	return h2;
}

#define SETTINGS_SOME SLICE("\0\2\0\0\0\0\0\4\0\x60\0\0")

static inline struct frames frames_new(void)
{
	struct frames h2 = frames_bare();

	frames_put(&h2, CLIENT, SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	frames_raw(&h2, CLIENT, SETTINGS, 0, 0, SETTINGS_SOME);
	frames_raw(&h2, CLIENT, WINDOW_UPDATE, 0, 0, SLICE("\0\1\0\0"));
	frames_raw(&h2, SERVER, SETTINGS, 0, 0, SETTINGS_SOME);
	frames_raw(&h2, CLIENT, SETTINGS, 1, 0, SLICE_NONE);
	frames_raw(&h2, SERVER, SETTINGS, 1, 0, SLICE_NONE);
	return h2;
}

static inline void frames_free(struct frames *h2)
{
	for (size_t i = 0; i < h2->count; i++)
		free((char *)h2->pieces[i].text.data);
	free(h2->pieces);
	for (int dir = 0; dir < _DIR_MAX; dir++)
		nghttp2_hd_deflate_del(h2->packers[dir]);
}

/* Expects @want in all cuts, and frees. */
static inline void frames_expect(struct frames *h2, struct wire_opts opts, const char *want)
{
	wire_expect(opts, h2->pieces, h2->count, want);
	frames_free(h2);
}

/* Each request for memory, of which there are less than @most, is refused, alone and with all behind it. */
static inline void frames_survive_failing_memory(const struct frames *h2, uint64_t most)
{
	struct wire_opts opts = { 0 };
	struct wire whole = wire_run(&opts, h2->pieces, h2->count);
	bool is_same = false;

	for (opts.fail_at = 1; !is_same; opts.fail_at++) {
		struct wire wire, sticky;

		assert_true(opts.fail_at < most);
		opts.is_sticky = true;
		sticky = wire_run(&opts, h2->pieces, h2->count);
		opts.is_sticky = false;
		wire = wire_run(&opts, h2->pieces, h2->count);
		is_same = strcmp(wire.text, whole.text) == 0 && strcmp(sticky.text, whole.text) == 0;
		free(wire.text);
		free(sticky.text);
	}
	free(whole.text);
}
