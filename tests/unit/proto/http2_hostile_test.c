/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: whatever frames a peer makes up, the books balance, memory stays bounded, an exchange after them is told when
 * the connection can go on, and a failing allocation costs what needed it and no more.
 */
#include "unit/proto/frames.h"

/* A request that needs nothing of the header table, and what is told of it. */
static void next_request(struct frames *h2, uint32_t stream)
{
	frames_raw(h2, CLIENT, HEADERS, END_HEADERS, stream, SLICE("\x83\x87\x04\5/next"));
	frames_data(h2, CLIENT, stream, END_STREAM, "{}");
	frames_raw(h2, CLIENT, WINDOW_UPDATE, 0, 0, SLICE("\0\0\1\0"));
}

#define NEXT_TOLD "q POST  /next 2\n"

static const struct row {
	const char *name;
	int type, flags;
	uint32_t stream;
	struct slice payload;
	size_t times;
	const char *tells;
} rows[] = {
	{ "data on stream 0", DATA, 0, 0, SLICE("abc"), 1, "" },
	{ "a header block on stream 0", HEADERS, END_HEADERS, 0, SLICE("\x83\x87"), 1, "" },
	{ "settings on a stream", SETTINGS, 0, 1, SLICE_NONE, 1, "" },
	{ "settings of 5 bytes", SETTINGS, 0, 0, SLICE("12345"), 1, "" },
	{ "a ping of 7 bytes", PING, 0, 0, SLICE("1234567"), 1, "" },
	{ "a reset of 3 bytes", RST_STREAM, 0, 1, SLICE("123"), 1, "" },
	{ "a table of 4 GiB", SETTINGS, 0, 0, SLICE("\0\1\xff\xff\xff\xff"), 1, "" },
	{ "windows of zero", WINDOW_UPDATE, 0, 0, SLICE("\0\0\0\0"), 1000, "" },
	{ "pings without end", PING, 0, 0, SLICE("12345678"), 5000, "" },
	{ "settings without end", SETTINGS, 0, 0, SLICE_NONE, 5000, "" },
	{ "resets of streams that never were", RST_STREAM, 0, 9, SLICE("\0\0\0\x08"), 1000, "" },
	{ "data on a stream that never was", DATA, END_STREAM, 9, SLICE("abc"), 1000, "" },
	{ "a continuation of nothing", CONTINUATION, END_HEADERS, 1, SLICE("\x83"), 1, "" },
	{ "continuations of nothing without end", CONTINUATION, 0, 1, SLICE("\x83"), 5000, "" },
	{ "an index of nothing", HEADERS, END_HEADERS, 1, SLICE("\x83\xff\xff\xff\xff\x0f"), 1, "1q late\n" },
	{ "an index of zero", HEADERS, END_HEADERS, 1, SLICE("\x80"), 1, "1q late\n" },
	{ "an integer without end", HEADERS, END_HEADERS, 1, SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 1,
	  "1q late\n" },
	{ "a string beyond the block", HEADERS, END_HEADERS, 1, SLICE("\x83\x04\x7f\x10/x"), 1, "1q late\n" },
	{ "a table larger than any", HEADERS, END_HEADERS, 1, SLICE("\x3f\xe1\xff\xff\x0f\x83"), 1, "1q late\n" },
	{ "a table of nothing, then of all", HEADERS, END_HEADERS, 1, SLICE("\x20\x3f\xe1\x1f\x83"), 1, "1q POST" },
	{ "a bad code in a string", HEADERS, END_HEADERS, 1, SLICE("\x83\x04\x84\xff\xff\xff\xff"), 1, "1q late\n" },
	{ "padding longer than its frame", HEADERS, END_HEADERS | PADDED, 1, SLICE("\x10\x83"), 1, "1q late\n" },
	{ "padding without its length", HEADERS, END_HEADERS | PADDED, 1, SLICE_NONE, 1, "1q late\n" },
	{ "a priority cut short", HEADERS, END_HEADERS | HAS_PRIORITY, 1, SLICE("\0\0"), 1, "1q late\n" },
	{ "a promise by a client", PUSH_PROMISE, END_HEADERS, 1, SLICE("\0\0\0\2\x83"), 1, "" },
	{ "no fields at all", HEADERS, END_HEADERS | END_STREAM, 1, SLICE_NONE, 1, "1q    2\n1q framed" },
	{ "a stream's number beyond all", HEADERS, END_HEADERS | END_STREAM, 0x7fffffff, SLICE("\x83"), 1, "1q POST" },
	{ "an unknown type", 0xfe, 0xff, 0xffffffff, SLICE("anything"), 1, "" },
};

static void every_frame_is_survived_and_the_next_exchange_told(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		for (size_t step = 0; step < 3; step++) {
			struct frames h2 = frames_new();
			struct wire_opts opts = { .step = step };
			struct wire wire;

			for (size_t k = 0; k < row->times; k++)
				frames_raw(&h2, CLIENT, row->type, row->flags, row->stream, row->payload);
			next_request(&h2, 101);
			next_request(&h2, 103);
			wire = wire_run(&opts, h2.pieces, h2.count);
			if (!strstr(wire.text, NEXT_TOLD) || !strstr(wire.text, row->tells))
				fail_msg("%s, step %zu:\n%s", row->name, step, wire.text);
			assert_true(wire.peak < 1 << 20);
			free(wire.text);
			frames_free(&h2);
		}
	}
}

/* Small on the wire, large when decoded: one entry of the table, named again and again, in blocks without end. */
static void a_bomb_in_the_table_is_cut_and_the_table_goes_on(void **state)
{
	struct frames h2 = frames_new();
	struct wire_opts opts = { 0 };
	char block[4000], again[4096];
	struct wire wire;

	memset(block, 'v', sizeof(block));
	memcpy(block, "\x83\x40\1b\x7f\x81\x1e", 7); /* "b", of 127 + 1 + 30 * 128 bytes */
	memset(again, '\xbe', sizeof(again));
	frames_raw(&h2, CLIENT, HEADERS, 0, 1, (struct slice){ block, 7 + 3968 });
	for (int i = 0; i < 50; i++)
		frames_raw(&h2, CLIENT, CONTINUATION, i == 49 ? END_HEADERS : 0, 1,
			   (struct slice){ again, sizeof(again) });
	frames_raw(&h2, CLIENT, HEADERS, END_HEADERS | END_STREAM, 3,
		   SLICE("\x83\x40\1c\1"
			 "d\xbe"));
	wire = wire_run(&opts, h2.pieces, h2.count);
	if (!strstr(wire.text, "1q hole budget\n") || !strstr(wire.text, "2q POST   2 [c=d] [c=d]\n"))
		fail_msg("%.200s ... %s", wire.text, wire.text + strlen(wire.text) - 200);
	assert_true(wire.peak < 1 << 20);
	free(wire.text);
	frames_free(&h2);
}

static void streams_without_end_are_let_go(void **state)
{
	struct frames h2 = frames_new();
	struct wire_opts opts = { 0 };
	struct wire wire;

	for (uint32_t stream = 1; stream < 2 * 2000; stream += 2)
		frames_raw(&h2, CLIENT, HEADERS, END_HEADERS, stream, SLICE("\x83\x87"));
	wire = wire_run(&opts, h2.pieces, h2.count);
	assert_non_null(strstr(wire.text, "1q hole budget\n1q lost"));
	assert_true(wire.peak < 1 << 20);
	free(wire.text);
	frames_free(&h2);
}

/* Other frames in the middle of a header block: the block is lost, the connection is not. */
static void an_interrupted_header_block_is_told_as_missed(void **state)
{
	struct frames h2 = frames_new();

	frames_raw(&h2, CLIENT, HEADERS, 0, 1, SLICE("\x83\x87"));
	frames_raw(&h2, CLIENT, PING, 0, 0, SLICE("12345678"));
	frames_raw(&h2, CLIENT, DATA, END_STREAM, 1, SLICE("{}"));
	next_request(&h2, 3);
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q late\n1q bytes {}\n1q framed body=2 stream=22 missing=11 undecodable\n"
		      "2q POST  /next 2\n2q bytes {}\n2q framed body=2 stream=29 missing=0\n");
}

static struct frames plain_conversation(void)
{
	struct frames h2 = frames_new();

	for (uint32_t stream = 1; stream <= 5; stream += 2) {
		frames_headers(&h2, CLIENT, stream, 0,
			       ":method: POST\n:scheme: https\n:authority: a\n:path: /x\nx-a: b");
		frames_data(&h2, CLIENT, stream, END_STREAM, "{}");
		frames_headers(&h2, SERVER, stream, 0, ":status: 200\ncontent-type: text/event-stream\nx-c: d");
		frames_data(&h2, SERVER, stream, END_STREAM, "data: 1\n\n");
	}
	return h2;
}

static void failing_memory_is_survived(void **state)
{
	struct frames h2 = plain_conversation();
	struct wire_opts opts = { .is_late = true };

	frames_survive_failing_memory(&h2, 4000);
	/* Joined late, everything is taken again, and the markers. */
	for (opts.fail_at = 1; opts.fail_at < 600; opts.fail_at += 1 + opts.fail_at / 20) {
		struct wire wire = wire_run(&opts, h2.pieces + 6, h2.count - 6);

		free(wire.text);
	}
	frames_free(&h2);
}

static void any_bytes_are_survived(void **state)
{
	uint64_t seed = 7;

	for (int round = 0; round < 400; round++) {
		struct frames h2 = plain_conversation();
		struct wire_opts whole_opts = { .is_late = round & 1 }, cut_opts = { .is_late = round & 1, .step = 1 };
		struct wire whole, cut;

		for (size_t n = 1 + random_below(&seed, 4); n; n--) {
			struct piece *piece = &h2.pieces[1 + random_below(&seed, h2.count - 1)];
			size_t at = random_below(&seed, piece->text.len);

			((char *)piece->text.data)[at] = (char)random_next(&seed);
		}
		whole = wire_run(&whole_opts, h2.pieces, h2.count);
		cut = wire_run(&cut_opts, h2.pieces, h2.count);
		free(whole.text);
		free(cut.text);
		frames_free(&h2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_is_survived_and_the_next_exchange_told),
		cmocka_unit_test(a_bomb_in_the_table_is_cut_and_the_table_goes_on),
		cmocka_unit_test(streams_without_end_are_let_go),
		cmocka_unit_test(an_interrupted_header_block_is_told_as_missed),
		cmocka_unit_test(failing_memory_is_survived),
		cmocka_unit_test(any_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
