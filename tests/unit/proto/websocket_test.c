/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: the messages of a socket in any cuts, masked, in pieces, compressed with and without the window of earlier
 * ones; that a hole costs what it hid and what refers to it, never more, and never gives a wrong text; that hostile frames
 * are survived in bounded memory.
 */
#include "unit/proto/wire.h"
#include <zlib.h>

enum { FRAMES_SIZE = 1 << 16 };

#define TEXT   0x81
#define BINARY 0x82

/* ---- frames written by hand ---- */

struct frames {
	char bytes[FRAMES_SIZE];
	size_t len;
	z_stream z;
	bool has_z;
};

static void frames_bytes(struct frames *frames, const void *bytes, size_t len)
{
	assert_true(frames->len + len <= FRAMES_SIZE);
	memcpy(frames->bytes + frames->len, bytes, len);
	frames->len += len;
}

/* @first: the first byte, flags and opcode. */
static void frame_add(struct frames *frames, bool is_client, int first, struct slice payload)
{
	unsigned char head[4] = { (unsigned char)first, (unsigned char)(payload.len < 126 ? payload.len : 126),
				  (unsigned char)(payload.len >> 8), (unsigned char)payload.len };
	static const char mask[4] = { 0x37, (char)0xfa, 0x21, 0x3d };

	head[1] |= is_client ? 0x80 : 0;
	frames_bytes(frames, head, payload.len < 126 ? 2 : 4);
	if (is_client)
		frames_bytes(frames, mask, sizeof(mask));
	for (size_t i = 0; i < payload.len; i++)
		frames_bytes(frames, &(char){ payload.data[i] ^ (is_client ? mask[i & 3] : 0) }, 1);
}

/* Compressed with the window so far; the four bytes at the end cut off. */
static void frame_pack(struct frames *frames, bool is_client, struct slice text)
{
	char out[4096];

	if (!frames->has_z)
		assert_int_equal(deflateInit2(&frames->z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	frames->has_z = true;
	frames->z.next_in = (Bytef *)(uintptr_t)text.data;
	frames->z.avail_in = (unsigned)text.len;
	frames->z.next_out = (Bytef *)out;
	frames->z.avail_out = sizeof(out);
	assert_int_equal(deflate(&frames->z, Z_SYNC_FLUSH), Z_OK);
	frame_add(frames, is_client, TEXT | 0x40, (struct slice){ out, sizeof(out) - frames->z.avail_out - 4 });
}

static void frames_end(struct frames *frames)
{
	if (frames->has_z)
		deflateEnd(&frames->z);
}

static struct piece piece_of(enum direction dir, const struct frames *frames, size_t from, size_t len)
{
	return (struct piece){ .dir = dir, .text = { frames->bytes + from, len } };
}

static struct piece all_of(enum direction dir, const struct frames *frames)
{
	return piece_of(dir, frames, 0, frames->len);
}

static struct piece hole_of(enum direction dir, size_t len)
{
	return (struct piece){ .dir = dir, .hole_len = len };
}

#define ASK      C("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
#define YES      S("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n")
#define YES_PACK S("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
#define YES_FRESH                                                                                                      \
	S("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate; "                     \
	  "server_no_context_takeover\r\n\r\n")

static const struct wire_opts plain = { 0 };

/* The text that is told, without the heads' two lines. */
static char *run(const struct wire_opts *opts, const struct piece *pieces, size_t count)
{
	struct wire wire = wire_run(opts, pieces, count);

	return wire.text;
}

static void expect_has(const struct wire_opts *opts, const struct piece *pieces, size_t count, const char *want)
{
	char *text = run(opts, pieces, count);

	if (!strstr(text, want))
		fail_msg("---- no\n%s\n---- in\n%s", want, text);
	free(text);
}

static void expect_no(const struct wire_opts *opts, const struct piece *pieces, size_t count, const char *want)
{
	char *text = run(opts, pieces, count);

	if (strstr(text, want))
		fail_msg("---- a\n%s\n---- in\n%s", want, text);
	free(text);
}

/* ---- what is told ---- */

static void messages_of_both_sides(void **state)
{
	static struct frames client, server;

	client.len = server.len = 0;
	frame_add(&client, true, TEXT, SLICE("{\"ask\":1}"));
	frame_add(&server, false, TEXT, SLICE("{\"say\":1}"));
	frame_add(&server, false, BINARY, SLICE("\x01\x02"));
	frame_add(&server, false, TEXT, SLICE(""));
	wire_expect(plain, WIRE(ASK, YES, all_of(DIR_WRITE, &client), all_of(DIR_READ, &server)),
		    "1q GET  /ws 1.1 [upgrade=websocket]\n"
		    "1a 101 1.1 [upgrade=websocket]\n"
		    "1q text(15) {\"ask\":1}\n"
		    "1a text(11) {\"say\":1}\n"
		    "1a binary(4) \x01\x02\n"
		    "1a text(2) \n"
		    "1q cut body=15 stream=55 missing=0\n"
		    "1a cut body=17 stream=55 missing=0\n");
}

static void fragments_with_control_frames_between(void **state)
{
	static struct frames server;

	server.len = 0;
	frame_add(&server, false, 0x01, SLICE("{\"a\":"));
	frame_add(&server, false, 0x89, SLICE("ping"));
	frame_add(&server, false, 0x00, SLICE("12"));
	frame_add(&server, false, 0x8a, SLICE(""));
	frame_add(&server, false, 0x80, SLICE("3}"));
	frame_add(&server, false, 0x88, SLICE("\x03\xe8"));
	frame_add(&server, false, TEXT, SLICE("after the end"));
	wire_expect(plain, WIRE(ASK, YES, all_of(DIR_READ, &server)),
		    "1q GET  /ws 1.1 [upgrade=websocket]\n"
		    "1a 101 1.1 [upgrade=websocket]\n"
		    "1a text(15) {\"a\":123}\n"
		    "1a framed body=27 stream=65 missing=0\n"
		    "1q cut body=0 stream=40 missing=0\n");
}

static void frames_may_come_before_the_answer_does(void **state)
{
	static struct frames client;

	client.len = 0;
	frame_add(&client, true, TEXT, SLICE("{\"early\":1}"));
	expect_has(&plain, WIRE(ASK, all_of(DIR_WRITE, &client), YES), "1q text(17) {\"early\":1}\n");
}

static void a_refusal_ends_the_request(void **state)
{
	wire_expect(plain,
		    WIRE(ASK, S("HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno"), C("GET / HTTP/1.1\r\n\r\n"),
			 S("HTTP/1.1 204 N\r\n\r\n")),
		    "1q GET  /ws 1.1 [upgrade=websocket]\n"
		    "1q framed body=0 stream=40 missing=0\n"
		    "1a 426 1.1 [content-length=2]\n"
		    "1a bytes no\n"
		    "1a framed body=2 stream=40 missing=0\n"
		    "2q GET  / 1.1\n"
		    "2q framed body=0 stream=18 missing=0\n"
		    "2a 204 1.1\n"
		    "2a framed body=0 stream=18 missing=0\n");
}

static void compressed_with_the_window_of_earlier_messages(void **state)
{
	static struct frames server;

	server = (struct frames){ 0 };
	frame_pack(&server, false, SLICE("{\"text\":\"the same words\"}"));
	frame_pack(&server, false, SLICE("{\"text\":\"the same words\"}"));
	frame_add(&server, false, TEXT, SLICE("{}")); /* needs not be compressed */
	frame_pack(&server, false, SLICE("{\"text\":\"the same words again\"}"));
	for (size_t step = 0; step < 2; step++) {
		struct wire_opts opts = { .step = step };

		expect_has(&opts, WIRE(ASK, YES_PACK, all_of(DIR_READ, &server)),
			   "{\"text\":\"the same words again\"}\n");
		expect_has(&opts, WIRE(ASK, YES_PACK, all_of(DIR_READ, &server)), "1a text(4) {}\n");
		expect_has(&opts, WIRE(ASK, YES_PACK, all_of(DIR_READ, &server)), "missing=0\n");
	}
	frames_end(&server);
}

static void joined_late_at_a_frame(void **state)
{
	static struct frames client, server;
	struct wire_opts opts = { .is_late = true };

	client.len = server.len = 0;
	frame_add(&client, true, TEXT, SLICE("{\"ask\":1}"));
	frame_add(&server, false, TEXT | 0x40, SLICE("compressed as it seems"));
	frame_add(&server, false, TEXT, SLICE("{\"say\":1}"));
	frame_add(&server, false, BINARY, SLICE("\x01\x02"));
	wire_expect(opts, WIRE(all_of(DIR_WRITE, &client), all_of(DIR_READ, &server)),
		    "1q late\n"
		    "1a late\n"
		    "1q text(15) {\"ask\":1}\n"
		    "1a hole joined_late\n"
		    "1a text(11) {\"say\":1}\n"
		    "1a binary(4) \x01\x02\n"
		    "1a cut body=-1 stream=39 missing=24 joined_late\n"
		    "1q cut body=-1 stream=15 missing=0 joined_late\n");
	client.len = 0;
	frame_add(&client, true, TEXT, SLICE("no JSON"));
	expect_no(&opts, WIRE(all_of(DIR_WRITE, &client)), "text");
}

/* Where three bytes stand before it that look like a frame, all is held back until that is known to be no JSON. */
static void bytes_behind_a_close_are_nobodys_though_the_place_was_searched(void **state)
{
	static const char *const told[] = {
		"1q late\n1a late\n1q text(15) {\"ask\":1}\n1a text(11) {\"say\":1}\n"
		"1a framed body=-1 stream=13 missing=0 joined_late\n"
		"1q cut body=-1 stream=15 missing=0 joined_late\n",
		"1q late\n1a late\n1q text(15) {\"ask\":1}\n1a text(11) {\"say\":1}\n"
		"1a framed body=-1 stream=16 missing=3 joined_late\n"
		"1q cut body=-1 stream=15 missing=0 joined_late\n",
	};
	static struct frames client, server;
	struct wire_opts opts = { .is_late = true };

	for (int is_held = 0; is_held <= 1; is_held++) {
		client.len = server.len = 0;
		frame_add(&client, true, TEXT, SLICE("{\"ask\":1}"));
		if (is_held)
			frames_bytes(&server, "\x81\x13{", 3);
		frame_add(&server, false, TEXT, SLICE("{\"say\":1}"));
		frame_add(&server, false, 0x88, SLICE_NONE);
		frames_bytes(&server, "behind", 6);
		wire_expect(opts, WIRE(all_of(DIR_WRITE, &client), all_of(DIR_READ, &server)), told[is_held]);
	}
}

/* ---- holes ---- */

static void the_sums_so_far_of_what_is_open(void **state)
{
	static struct frames client, server;
	struct wire_opts opts = { .has_so_far = true };

	client.len = server.len = 0;
	frame_add(&client, true, TEXT, SLICE("{\"ask\":1}"));
	frame_add(&server, false, TEXT, SLICE("{\"say\":1}"));
	wire_expect(opts, WIRE(ASK, YES, all_of(DIR_WRITE, &client), all_of(DIR_READ, &server)),
		    "1q GET  /ws 1.1 [upgrade=websocket]\n1a 101 1.1 [upgrade=websocket]\n"
		    "1q text(15) {\"ask\":1}\n1a text(11) {\"say\":1}\n"
		    "1q so far body=15 stream=55 missing=0 \n1a so far body=11 stream=49 missing=0 \n"
		    "1q cut body=15 stream=55 missing=0\n1a cut body=11 stream=49 missing=0\n");
	opts.is_late = true;
	wire_expect(opts, WIRE(all_of(DIR_WRITE, &client), all_of(DIR_READ, &server), all_of(DIR_WRITE, &client)),
		    "1q late\n1a late\n1q text(15) {\"ask\":1}\n1a text(11) {\"say\":1}\n1q text(15) {\"ask\":1}\n"
		    "1q so far body=-1 stream=30 missing=0 \n1a so far body=-1 stream=11 missing=0 \n"
		    "1a cut body=-1 stream=11 missing=0 joined_late\n1q cut body=-1 stream=30 missing=0 joined_late\n");
}

static void a_hole_in_a_frame_costs_its_message(void **state)
{
	static struct frames server;

	server.len = 0;
	frame_add(&server, false, TEXT, SLICE("{\"a\":1}"));
	frame_add(&server, false, TEXT, SLICE("{\"b\":2}"));
	frame_add(&server, false, TEXT, SLICE("{\"c\":3}"));
	/* Frames are 9 bytes: the hole is in the second one's payload. */
	wire_expect(plain,
		    WIRE(ASK, YES, piece_of(DIR_READ, &server, 0, 13), hole_of(DIR_READ, 3),
			 piece_of(DIR_READ, &server, 16, server.len - 16)),
		    "1q GET  /ws 1.1 [upgrade=websocket]\n"
		    "1a 101 1.1 [upgrade=websocket]\n"
		    "1a text(9) {\"a\":1}\n"
		    "1a hole ring_full\n"
		    "1a text(9) {\"c\":3}\n"
		    "1q cut body=0 stream=40 missing=0\n"
		    "1a cut body=27 stream=65 missing=9 ring_full\n");
}

static void after_a_hole_over_frames_the_place_is_found_again(void **state)
{
	static struct frames frames;

	for (int is_client = 0; is_client < 2; is_client++) {
		enum direction dir = is_client ? DIR_WRITE : DIR_READ;

		frames.len = 0;
		for (int i = 0; i < 6; i++)
			frame_add(&frames, is_client, TEXT, SLICE("{\"n\":[1,2,3,4]}"));
		for (size_t at = 0; at < 40; at++)
			for (size_t len = 1; len < 30; len++) {
				struct piece pieces[] = { ASK, YES, piece_of(dir, &frames, 0, at), hole_of(dir, len),
							  piece_of(dir, &frames, at + len, frames.len - at - len) };
				char *text = run(&plain, pieces, 5);
				const char *found = text;
				int count = 0;

				while ((found = strstr(found, ") ")) != NULL) {
					assert_int_equal(strncmp(found + 2, "{\"n\":[1,2,3,4]}\n", 16), 0);
					found++;
					count++;
				}
				assert_true(count >= 3 && count < 6);
				free(text);
			}
	}
}

static void behind_a_hole_what_is_compressed_is_missing_never_wrong(void **state)
{
	static struct frames server;
	size_t first;

	server = (struct frames){ 0 };
	frame_pack(&server, false, SLICE("{\"text\":\"first words of some length\"}"));
	first = server.len;
	for (int i = 0; i < 4; i++)
		frame_pack(&server, false, SLICE("{\"text\":\"first words of some length, and more\"}"));
	frame_add(&server, false, TEXT, SLICE("{\"plain\":1}"));
	for (size_t at = 3; at < first; at += 3) {
		struct piece pieces[] = { ASK, YES_PACK, piece_of(DIR_READ, &server, 0, at), hole_of(DIR_READ, 2),
					  piece_of(DIR_READ, &server, at + 2, server.len - at - 2) };

		expect_no(&plain, pieces, 5, "words");
		expect_has(&plain, pieces, 5, "1a hole ring_full\n");
	}
	frames_end(&server);
}

static void without_takeover_only_the_hit_message_is_missing(void **state)
{
	static struct frames server;
	size_t first;

	server = (struct frames){ 0 };
	frame_pack(&server, false, SLICE("{\"text\":\"one\"}"));
	frames_end(&server);
	server.has_z = false;
	first = server.len;
	frame_pack(&server, false, SLICE("{\"text\":\"two\"}"));
	expect_has(&plain,
		   WIRE(ASK, YES_FRESH, piece_of(DIR_READ, &server, 0, first - 4), hole_of(DIR_READ, 4),
			piece_of(DIR_READ, &server, first, server.len - first)),
		   "{\"text\":\"two\"}\n");
	frames_end(&server);
}

/* ---- hostile ---- */

static void bad_frames_are_told_as_undecodable(void **state)
{
	struct piece bads[] = {
		S("\x91\x02{}"),                               /* RSV3 */
		S("\xc1\x02{}"),                               /* RSV1 without compression */
		S("\x83\x02{}"),                               /* no such opcode */
		S("\x81\x82zzzz{}"),                           /* a server masks */
		S("\x80\x02{}"),                               /* goes on with nothing */
		S("\x09\x02{}"),                               /* a control frame in pieces */
		S("\x89\x7e\x00\x80"),                         /* a long one */
		S("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), /* longer than anything */
		S("\x01\x02{}\x81\x02{}"),                     /* a message in a message */
		C("\x81\x02{}"),                               /* a client does not mask */
	};

	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		struct piece pieces[] = { ASK, YES, bads[i] };

		expect_has(&plain, pieces, 3, "hole undecodable\n");
	}
}

static void a_long_message_is_missing_and_the_next_is_not(void **state)
{
	static char big[3000];
	static struct frames server;
	struct wire_opts opts = { .proto.event_bytes_max = 2048 };
	struct wire wire;

	memset(big, 'x', sizeof(big));
	server.len = 0;
	frame_add(&server, false, TEXT, (struct slice){ big, sizeof(big) });
	frame_add(&server, false, TEXT, SLICE("{\"b\":2}"));
	wire = wire_run(&opts, WIRE(ASK, YES, all_of(DIR_READ, &server)));
	assert_non_null(strstr(wire.text, "1a hole budget\n1a text(9) {\"b\":2}\n"));
	assert_non_null(strstr(wire.text, "missing=3004 budget\n"));
	assert_true(wire.peak < 100000);
	free(wire.text);
}

static void a_bomb_is_refused(void **state)
{
	static char zeros[1 << 20], out[1 << 16];
	static struct frames server;
	struct wire_opts opts = { .proto.inflate_max = 1 << 22 };
	z_stream z = { 0 };
	struct wire wire;

	server.len = 0;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (Bytef *)out;
	z.avail_out = sizeof(out);
	for (int i = 0; i < 16; i++) {
		z.next_in = (Bytef *)zeros;
		z.avail_in = sizeof(zeros);
		assert_int_equal(deflate(&z, i == 15 ? Z_SYNC_FLUSH : Z_NO_FLUSH), Z_OK);
	}
	deflateEnd(&z);
	frame_add(&server, false, TEXT | 0x40, (struct slice){ out, sizeof(out) - z.avail_out - 4 });
	frame_add(&server, false, TEXT, SLICE("{\"b\":2}"));
	wire = wire_run(&opts, WIRE(ASK, YES_PACK, all_of(DIR_READ, &server)));
	assert_non_null(strstr(wire.text, "1a hole budget\n1a text(9) {\"b\":2}\n"));
	assert_true(wire.peak < 12 << 20);
	free(wire.text);
}

static void a_flood_of_fragments_takes_no_memory(void **state)
{
	static struct frames server;
	struct wire wire;

	server.len = 0;
	frame_add(&server, false, 0x01, SLICE("{"));
	for (int i = 0; i < 10000; i++)
		frame_add(&server, false, i % 2 ? 0x89 : 0x00, SLICE(""));
	frame_add(&server, false, 0x80, SLICE("}"));
	wire = wire_run(&plain, WIRE(ASK, YES, all_of(DIR_READ, &server)));
	assert_non_null(strstr(wire.text, ") {}\n"));
	assert_true(wire.peak < 100000);
	free(wire.text);
}

static void any_bytes_and_failing_memory_are_survived(void **state)
{
	static struct frames frames;
	uint64_t seed = 7;

	frames = (struct frames){ 0 };
	frame_pack(&frames, false, SLICE("{\"text\":\"words\"}"));
	frame_add(&frames, false, TEXT, SLICE("{\"b\":2}"));
	frame_pack(&frames, false, SLICE("{\"text\":\"more words\"}"));
	for (uint64_t fail = 1; fail < 40; fail++) {
		struct wire_opts opts = { .fail_at = fail, .is_sticky = fail % 2 };

		free(run(&opts, WIRE(ASK, YES_PACK, all_of(DIR_READ, &frames), hole_of(DIR_READ, 3),
				     all_of(DIR_READ, &frames))));
	}
	for (int i = 0; i < 3000; i++) {
		static struct frames broken;
		struct wire_opts opts = { .seed = random_below(&seed, 1000) + 1 };

		broken = frames;
		broken.bytes[random_below(&seed, broken.len)] ^= (char)(1 << random_below(&seed, 8));
		broken.bytes[random_below(&seed, broken.len)] = (char)random_below(&seed, 256);
		free(run(&opts, WIRE(ASK, YES_PACK, all_of(DIR_READ, &broken), hole_of(DIR_READ, i % 9),
				     all_of(DIR_WRITE, &broken), all_of(DIR_READ, &frames))));
	}
	frames_end(&frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_both_sides),
		cmocka_unit_test(fragments_with_control_frames_between),
		cmocka_unit_test(frames_may_come_before_the_answer_does),
		cmocka_unit_test(a_refusal_ends_the_request),
		cmocka_unit_test(compressed_with_the_window_of_earlier_messages),
		cmocka_unit_test(joined_late_at_a_frame),
		cmocka_unit_test(bytes_behind_a_close_are_nobodys_though_the_place_was_searched),
		cmocka_unit_test(the_sums_so_far_of_what_is_open),
		cmocka_unit_test(a_hole_in_a_frame_costs_its_message),
		cmocka_unit_test(after_a_hole_over_frames_the_place_is_found_again),
		cmocka_unit_test(behind_a_hole_what_is_compressed_is_missing_never_wrong),
		cmocka_unit_test(without_takeover_only_the_hit_message_is_missing),
		cmocka_unit_test(bad_frames_are_told_as_undecodable),
		cmocka_unit_test(a_long_message_is_missing_and_the_next_is_not),
		cmocka_unit_test(a_bomb_is_refused),
		cmocka_unit_test(a_flood_of_fragments_takes_no_memory),
		cmocka_unit_test(any_bytes_and_failing_memory_are_survived),
	};

	return cmocka_run_group_tests_name("proto/websocket", tests, NULL, NULL);
}
