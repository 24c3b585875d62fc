/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: all four codings in both directions, nested, in any cuts, each decoded part with the time of the read that
 * completed it; what cannot be decoded is told, what would explode is stopped.
 */
#include "unit/proto/wire.h"
#include <zlib.h>
#include <zstd.h>

enum { PARTS = 3, ENCODED_MAX = 4096 };

static const char *const events[PARTS] = { "data: one\n\n", "data: two\n\n", "data: three\n\n" };

/* A stream of the three events, flushed behind each. */
struct encoded {
	const char *name; /* content-encoding */
	char data[PARTS][ENCODED_MAX];
	size_t len[PARTS];
};

static void encode_zlib(struct encoded *out, int window_bits)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (int i = 0; i < PARTS; i++) {
		z.next_in = (Bytef *)(uintptr_t)events[i];
		z.avail_in = (unsigned)strlen(events[i]);
		z.next_out = (Bytef *)out->data[i];
		z.avail_out = ENCODED_MAX;
		deflate(&z, i == PARTS - 1 ? Z_FINISH : Z_SYNC_FLUSH);
		out->len[i] = ENCODED_MAX - z.avail_out;
	}
	deflateEnd(&z);
}

static void encode_gzip(struct encoded *out)
{
	encode_zlib(out, 31);
}

static void encode_deflate(struct encoded *out)
{
	encode_zlib(out, 15);
}

static void encode_deflate_raw(struct encoded *out)
{
	encode_zlib(out, -15);
}

static void encode_zstd(struct encoded *out)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	for (int i = 0; i < PARTS; i++) {
		ZSTD_inBuffer in = { events[i], strlen(events[i]), 0 };
		ZSTD_outBuffer to = { out->data[i], ENCODED_MAX, 0 };

		assert_int_equal(ZSTD_compressStream2(zstd, &to, &in, i == PARTS - 1 ? ZSTD_e_end : ZSTD_e_flush), 0);
		out->len[i] = to.pos;
	}
	ZSTD_freeCCtx(zstd);
}

/* Written by the brotli encoder with a flush behind each event. */
static void encode_br(struct encoded *out)
{
	static const struct slice parts[PARTS] = {
		{ "\x0b\x05\x80\x64\x61\x74\x61\x3a\x20\x6f\x6e\x65\x0a\x0a", 14 },
		{ "\x50\x00\x80\x5f\x5a\xe1\x8d\xee\x4e\x11\xa2\x4a\x04\x60\x0b", 15 },
		{ "\xc1\x00\x80\x5f\x42\x21\x09\x18\x44\x92\xd8\x44\x0d", 13 },
	};

	for (int i = 0; i < PARTS; i++) {
		memcpy(out->data[i], parts[i].data, parts[i].len);
		out->len[i] = parts[i].len;
	}
}

static const struct {
	const char *name;
	void (*encode)(struct encoded *out);
} codings[] = {
	{ "gzip", encode_gzip },           { "X-GZip", encode_gzip }, { "deflate", encode_deflate },
	{ "deflate", encode_deflate_raw }, { "br", encode_br },       { "zstd", encode_zstd },
	{ "identity, gzip", encode_gzip },
};

/* ---- a connection put together at run time ---- */

struct paper {
	char text[1 << 16];
	size_t len;
	struct piece pieces[16];
	size_t count;
};

static void paper_begin(struct paper *paper, enum direction dir)
{
	paper->pieces[paper->count++] = (struct piece){ .dir = dir, .text = { paper->text + paper->len, 0 } };
}

static void paper_put(struct paper *paper, const void *data, size_t len)
{
	assert_true(paper->len + len <= sizeof(paper->text));
	memcpy(paper->text + paper->len, data, len);
	paper->len += len;
	paper->pieces[paper->count - 1].text.len += len;
}

#define paper_printf(paper, ...)                                                                                       \
	do {                                                                                                           \
		char line_[512];                                                                                       \
		paper_put((paper), line_, (size_t)snprintf(line_, sizeof(line_), __VA_ARGS__));                        \
	} while (0)

static void paper_body(struct paper *paper, enum direction dir, const char *start, const char *fields, const char *body,
		       size_t len)
{
	paper_begin(paper, dir);
	paper_printf(paper, "%s\r\n%s\r\nContent-Length: %zu\r\n\r\n", start, fields, len);
	paper_put(paper, body, len);
}

/* What proto tells of a request with this body, from the first line behind its head. */
static void request_expect(const struct wire_opts *more, const char *fields, const char *body, size_t len,
			   const char *want)
{
	struct wire_opts opts = *more;
	struct paper paper = { .len = 0 };

	opts.how = CLOSE_REMOTE;
	paper_body(&paper, DIR_WRITE, "POST / HTTP/1.1", fields, body, len);
	for (opts.step = 0; opts.step < 4; opts.step++) {
		struct wire wire = wire_run(&opts, paper.pieces, paper.count);
		const char *told = strchr(wire.text, '\n') + 1;

		if (strncmp(told, want, strlen(want)) != 0)
			fail_msg("%s, step %zu:\n---- got\n%s---- not\n%s", fields, opts.step, told, want);
		free(wire.text);
	}
}

static size_t joined(const struct encoded *encoded, char *out)
{
	size_t len = 0;

	for (int i = 0; i < PARTS; i++) {
		memcpy(out + len, encoded->data[i], encoded->len[i]);
		len += encoded->len[i];
	}
	return len;
}

static size_t gzip(const char *in, size_t in_len, char *out, size_t out_size)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in,
		       .avail_in = (unsigned)in_len,
		       .next_out = (Bytef *)out,
		       .avail_out = (unsigned)out_size };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return out_size - z.avail_out;
}

/* ---- tests ---- */

static void decoded_events_have_the_time_of_their_chunk(void **state)
{
	for (size_t c = 0; c < ARRAY_SIZE(codings); c++) {
		struct paper paper = { .len = 0 };
		struct encoded encoded = { 0 };
		char want[1024];
		size_t body = 0;

		codings[c].encode(&encoded);
		paper_begin(&paper, DIR_WRITE);
		paper_printf(&paper, "GET / HTTP/1.1\r\n\r\n");
		paper_begin(&paper, DIR_READ);
		paper_printf(&paper,
			     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: %s\r\n"
			     "Transfer-Encoding: chunked\r\n\r\n",
			     codings[c].name);
		for (int i = 0; i < PARTS; i++) {
			paper_begin(&paper, DIR_READ);
			paper_printf(&paper, "%zx\r\n", encoded.len[i]);
			paper_put(&paper, encoded.data[i], encoded.len[i]);
			paper_printf(&paper, "\r\n");
			body += encoded.len[i];
		}
		paper_printf(&paper, "0\r\n\r\n");
		snprintf(want, sizeof(want),
			 "1q GET  / 1.1\n1q framed body=0 stream=18 missing=0 @10\n"
			 "1a 200 1.1 [content-type=text/event-stream] [content-encoding=%s] "
			 "[transfer-encoding=chunked]\n"
			 "1a event<> one @30\n1a event<> two @40\n1a event<> three @50\n"
			 "1a framed body=%zu stream=%zu missing=0 @50\n",
			 codings[c].name, body, paper.len - 18);
		wire_expect((struct wire_opts){ .has_times = true }, paper.pieces, paper.count, want);
	}
}

static void requests_are_decoded_too(void **state)
{
	for (size_t c = 0; c < ARRAY_SIZE(codings); c++) {
		struct encoded encoded = { 0 };
		char body[PARTS * ENCODED_MAX], fields[64];

		codings[c].encode(&encoded);
		snprintf(fields, sizeof(fields), "Content-Encoding: %s", codings[c].name);
		request_expect(&(struct wire_opts){ 0 }, fields, body, joined(&encoded, body),
			       "1q bytes data: one\n\ndata: two\n\ndata: three\n\n\n1q framed");
	}
}

static void two_codings_are_undone_and_three_are_not(void **state)
{
	char once[1000], twice[1000], thrice[1000];
	size_t len = gzip("hello", 5, once, sizeof(once));
	size_t twice_len = gzip(once, len, twice, sizeof(twice));
	size_t thrice_len = gzip(twice, twice_len, thrice, sizeof(thrice));
	char want[128];

	request_expect(&(struct wire_opts){ 0 }, "Content-Encoding: gzip\r\nContent-Encoding: gzip", twice, twice_len,
		       "1q bytes hello\n1q framed");
	snprintf(want, sizeof(want), "1q hole undecodable\n1q framed body=%zu stream=%zu missing=%zu undecodable\n",
		 thrice_len, thrice_len + 75, thrice_len);
	request_expect(&(struct wire_opts){ 0 }, "Content-Encoding: gzip, gzip, gzip", thrice, thrice_len, want);
}

static void transfer_codings_lie_outside_content_codings(void **state)
{
	char inner[1000], outer[1000];
	size_t len = gzip("hello", 5, inner, sizeof(inner));
	size_t outer_len = ZSTD_compress(outer, sizeof(outer), inner, len, 1);
	struct paper paper = { .len = 0 };
	char want[512];

	paper_begin(&paper, DIR_WRITE);
	paper_printf(&paper, "POST / HTTP/1.1\r\nTransfer-Encoding: zstd, chunked\r\nContent-Encoding: gzip\r\n\r\n");
	paper_printf(&paper, "%zx\r\n", outer_len);
	paper_put(&paper, outer, outer_len);
	paper_printf(&paper, "\r\n0\r\n\r\n");
	snprintf(want, sizeof(want),
		 "1q POST  / 1.1 [transfer-encoding=zstd, chunked] [content-encoding=gzip]\n1q bytes hello\n"
		 "1q framed body=%zu stream=%zu missing=0\n",
		 outer_len, paper.len);
	wire_expect((struct wire_opts){ 0 }, paper.pieces, paper.count, want);
}

static void an_unknown_coding_is_undecodable(void **state)
{
	request_expect(&(struct wire_opts){ 0 }, "Content-Encoding: compress", "abc", 3,
		       "1q hole undecodable\n1q framed body=3 stream=69 missing=3 undecodable\n");
}

static void compressed_json_that_does_not_say_so_is_found_out(void **state)
{
	char body[1000];
	size_t len = gzip("{\"a\":1}", 7, body, sizeof(body));

	request_expect(&(struct wire_opts){ 0 }, "Content-Type: application/json", body, len,
		       "1q bytes {\"a\":1}\n1q framed");
	len = ZSTD_compress(body, sizeof(body), "{\"a\":1}", 7, 1);
	request_expect(&(struct wire_opts){ 0 }, "Content-Type: application/problem+json", body, len,
		       "1q bytes {\"a\":1}\n1q framed");
	request_expect(&(struct wire_opts){ 0 }, "Content-Type: application/json", "{\"a\":1}", 7,
		       "1q bytes {\"a\":1}\n1q framed");
	request_expect(&(struct wire_opts){ 0 }, "Content-Type: application/json", "\x28\xb5", 2,
		       "1q bytes \x28\xb5\n1q framed");
	request_expect(&(struct wire_opts){ 0 }, "Content-Type: application/json", "\x28\xb5zz", 4,
		       "1q bytes \x28\xb5zz\n1q framed");
}

static void a_gzip_file_may_be_several(void **state)
{
	char body[1000];
	size_t len = gzip("one", 3, body, sizeof(body));

	len += gzip("two", 3, body + len, sizeof(body) - len);
	memset(body + len, 0, 20);
	body[len + 10] = 0x1f;
	request_expect(&(struct wire_opts){ 0 }, "Content-Encoding: gzip", body, len + 20,
		       "1q bytes onetwo\n1q framed");
}

static void damage_is_told_once_and_the_framing_survives(void **state)
{
	struct paper paper = { .len = 0 };
	struct wire_opts opts = { .how = CLOSE_REMOTE };
	char body[1000];
	size_t len = gzip("hello hello hello hello", 23, body, sizeof(body));

	memset(body + 10, 0xff, len - 10); /* behind gzip's head: a block of no known type */
	paper_body(&paper, DIR_WRITE, "POST / HTTP/1.1", "Content-Encoding: gzip", body, len);
	paper_begin(&paper, DIR_WRITE);
	paper_printf(&paper, "GET /next HTTP/1.1\r\n\r\n");
	for (opts.step = 0; opts.step < 4; opts.step++) {
		struct wire wire = wire_run(&opts, paper.pieces, paper.count);
		const char *hole = strstr(wire.text, "1q hole undecodable\n");

		assert_non_null(hole);
		assert_null(strstr(hole + 1, "1q hole"));
		assert_non_null(strstr(hole, "missing=-1 undecodable\n2q GET  /next 1.1\n"));
		free(wire.text);
	}
}

/* 4 MiB of zeros in 4 KiB, and twice coded: the ratio stops them; a small limit stops what is honest but large. */
static void bombs_are_stopped(void **state)
{
	static char zeros[4 << 20], once[1 << 14], twice[1 << 14];
	struct wire_opts opts = { .how = CLOSE_REMOTE, .proto = { .inflate_ratio = 100 } };
	const char *fields[] = { "Content-Encoding: gzip", "Content-Encoding: gzip, gzip" };
	size_t len = gzip(zeros, sizeof(zeros), once, sizeof(once));
	size_t twice_len = gzip(once, len, twice, sizeof(twice));

	for (int i = 0; i < 3; i++) {
		struct paper paper = { .len = 0 };
		struct wire wire;

		if (i == 2)
			opts.proto = (struct proto_opts){ .inflate_max = 2 << 20, .inflate_ratio = 1 << 20 };
		paper_body(&paper, DIR_WRITE, "POST / HTTP/1.1", fields[i % 2], i == 1 ? twice : once,
			   i == 1 ? twice_len : len);
		wire = wire_run(&opts, paper.pieces, paper.count);
		assert_non_null(memmem(wire.text, wire.len, "hole budget", 11));
		assert_true(wire.len < 3 << 20);
		assert_true(wire.peak < 256 << 10);
		free(wire.text);
	}
}

static void a_window_too_large_is_refused(void **state)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	char body[256];
	ZSTD_inBuffer in = { "hello", 5, 0 };
	ZSTD_outBuffer out = { body, sizeof(body), 0 };

	ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, 27);
	assert_int_equal(ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_flush), 0);
	ZSTD_freeCCtx(zstd);
	request_expect(&(struct wire_opts){ 0 }, "Content-Encoding: zstd", body, out.pos, "1q hole budget\n1q framed");
}

/* Whatever allocation fails, decoders give back what they took and every byte is accounted for: wire_run() checks both. */
static void failing_memory_is_survived(void **state)
{
	for (size_t c = 0; c < ARRAY_SIZE(codings); c++) {
		struct paper paper = { .len = 0 };
		struct encoded encoded = { 0 };
		char body[PARTS * ENCODED_MAX], fields[64];
		size_t len;

		codings[c].encode(&encoded);
		len = joined(&encoded, body);
		snprintf(fields, sizeof(fields), "Content-Encoding: %s", codings[c].name);
		paper_body(&paper, DIR_WRITE, "POST / HTTP/1.1", fields, body, len);
		snprintf(fields, sizeof(fields), "Content-Type: text/event-stream\r\nContent-Encoding: %s",
			 codings[c].name);
		paper_body(&paper, DIR_READ, "HTTP/1.1 200 OK", fields, body, len);
		for (uint64_t nth = 1; nth < 60; nth++)
			for (int sticky = 0; sticky < 2; sticky++)
				for (size_t step = 0; step < 2; step++)
					free(wire_run(&(struct wire_opts){ .fail_at = nth,
									   .is_sticky = sticky,
									   .step = step },
						      paper.pieces, paper.count)
						     .text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoded_events_have_the_time_of_their_chunk),
		cmocka_unit_test(requests_are_decoded_too),
		cmocka_unit_test(two_codings_are_undone_and_three_are_not),
		cmocka_unit_test(transfer_codings_lie_outside_content_codings),
		cmocka_unit_test(an_unknown_coding_is_undecodable),
		cmocka_unit_test(compressed_json_that_does_not_say_so_is_found_out),
		cmocka_unit_test(a_gzip_file_may_be_several),
		cmocka_unit_test(damage_is_told_once_and_the_framing_survives),
		cmocka_unit_test(bombs_are_stopped),
		cmocka_unit_test(a_window_too_large_is_refused),
		cmocka_unit_test(failing_memory_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
