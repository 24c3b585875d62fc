/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a WebSocket on a stream of HTTP/2 is told message by message like any other, beside the other streams, in all
 * cuts; its end is told by a close frame, the stream's end, a reset or the connection's; a hole costs what it hid.
 */
#include "unit/proto/frames.h"
#include <zlib.h>

#define CONNECT                                                                                                          \
	":method: CONNECT\n:protocol: websocket\n:scheme: https\n:authority: api.example\n:path: /v1/realtime?model=m\n" \
	"sec-websocket-version: 13"
#define CONNECT_TOLD "1q CONNECT api.example /v1/realtime?model=m 2 [sec-websocket-version=13]\n"
#define YES          ":status: 200\nsec-websocket-protocol: realtime"
#define YES_TOLD     "1a 200 2 [sec-websocket-protocol=realtime]\n"

enum { TEXT = 0x81, CLOSE = 0x88, PACKED = 0xc1 };

/* A WebSocket frame of at most 125 bytes; the client's are masked. */
static struct slice socket_frame(enum direction dir, int first, struct slice payload, char *to)
{
	static const char mask[4] = { 0x37, (char)0xfa, 0x21, 0x3d };
	size_t len = 2;

	to[0] = (char)first;
	to[1] = (char)payload.len;
	if (dir == CLIENT) {
		to[1] = (char)(payload.len | 0x80);
		memcpy(to + 2, mask, 4);
		len = 6;
	}
	for (size_t i = 0; i < payload.len; i++)
		to[len + i] = (char)(payload.data[i] ^ (dir == CLIENT ? mask[i & 3] : 0));
	return (struct slice){ to, len + payload.len };
}

static void say(struct frames *h2, enum direction dir, uint32_t stream, const char *text)
{
	char bytes[256];

	frames_raw(h2, dir, DATA, 0, stream, socket_frame(dir, TEXT, slice_of(text), bytes));
}

static void leave(struct frames *h2, enum direction dir, uint32_t stream, int flags)
{
	char bytes[256];

	frames_raw(h2, dir, DATA, flags, stream, socket_frame(dir, CLOSE, SLICE("\x03\xe8"), bytes));
}

/* Once more, with DATA in other cuts than the socket's frames, padded. */
static void say_in_pieces(struct frames *h2, enum direction dir, uint32_t stream, const char *text)
{
	char bytes[256], padded[256];
	struct slice frame = socket_frame(dir, TEXT, slice_of(text), bytes);

	frames_raw(h2, dir, DATA, 0, stream, slice_head(frame, 1));
	frames_raw(h2, dir, DATA, 0, stream, SLICE_NONE);
	frame = slice_from(frame, 1);
	padded[0] = 3;
	memcpy(padded + 1, frame.data, frame.len);
	memcpy(padded + 1 + frame.len, "\0\0\0", 3);
	frames_raw(h2, dir, DATA, PADDED, stream, (struct slice){ padded, frame.len + 4 });
}

static void messages_of_both_sides_beside_other_streams(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	frames_headers(&h2, SERVER, 1, 0, YES);
	say(&h2, CLIENT, 1, "{\"ask\":1}");
	frames_headers(&h2, CLIENT, 3, END_STREAM, ":method: GET\n:scheme: https\n:authority: a\n:path: /x");
	say(&h2, SERVER, 1, "{\"say\":1}");
	frames_headers(&h2, SERVER, 3, END_STREAM, ":status: 204");
	say_in_pieces(&h2, SERVER, 1, "{\"say\":2}");
	say_in_pieces(&h2, CLIENT, 1, "{\"ask\":2}");
	leave(&h2, CLIENT, 1, 0);
	leave(&h2, SERVER, 1, END_STREAM);
	frames_raw(&h2, CLIENT, DATA, END_STREAM, 1, SLICE_NONE);
	frames_expect(&h2, (struct wire_opts){ 0 },
		      CONNECT_TOLD YES_TOLD
		      "1q text(15) {\"ask\":1}\n2q GET a /x 2\n2q framed body=0 stream=18 missing=0\n"
		      "1a text(11) {\"say\":1}\n2a 204 2\n2a framed body=0 stream=10 missing=0\n"
		      "1a text(11) {\"say\":2}\n1q text(15) {\"ask\":2}\n"
		      "1q framed body=38 stream=170 missing=0\n1a framed body=26 stream=109 missing=0\n");
}

static void the_clients_first_bytes_wait_for_the_answer(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	say(&h2, CLIENT, 1, "{\"ask\":1}");
	say(&h2, CLIENT, 1, "{\"ask\":2}");
	frames_raw(&h2, CLIENT, DATA, END_STREAM, 1, SLICE_NONE);
	frames_headers(&h2, SERVER, 1, 0, YES);
	say(&h2, SERVER, 1, "{\"say\":1}");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      CONNECT_TOLD YES_TOLD "1q text(15) {\"ask\":1}\n1q text(15) {\"ask\":2}\n"
					    "1q framed body=30 stream=140 missing=0\n1a text(11) {\"say\":1}\n"
					    "1a cut body=11 stream=54 missing=0\n");
}

static void what_waits_too_long_is_missing(void **state)
{
	struct frames h2 = frames_new();
	static char many[17000];

	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	for (int i = 0; i < 4; i++)
		frames_raw(&h2, CLIENT, DATA, 0, 1, (struct slice){ many, sizeof(many) });
	frames_headers(&h2, SERVER, 1, 0, YES);
	say(&h2, CLIENT, 1, "{\"ask\":1}");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      CONNECT_TOLD YES_TOLD "1q hole budget\n1q text(15) {\"ask\":1}\n"
					    "1q cut body=-1 stream=68143 missing=68000 budget\n"
					    "1a cut body=0 stream=34 missing=0\n");
}

static void a_refused_socket_is_a_request_like_others(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	frames_data(&h2, CLIENT, 1, END_STREAM, "early");
	frames_headers(&h2, SERVER, 1, 0, ":status: 403\ncontent-type: application/json");
	frames_data(&h2, SERVER, 1, END_STREAM, "{\"error\":1}");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      CONNECT_TOLD "1a 403 2 [content-type=application/json]\n1q bytes early\n"
				   "1q framed body=5 stream=97 missing=0\n1a bytes {\"error\":1}\n"
				   "1a framed body=11 stream=47 missing=0\n");
	h2 = frames_new();
	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	frames_data(&h2, CLIENT, 1, 0, "early");
	frames_raw(&h2, SERVER, RST_STREAM, 0, 1, SLICE("\0\0\0\x07"));
	frames_expect(&h2, (struct wire_opts){ 0 },
		      CONNECT_TOLD "1q bytes early\n1q cut body=5 stream=97 missing=0 reset by 3\n"
				   "1a cut body=0 stream=0 missing=0 reset by 3\n");
}

/* A tunnel, and a protocol that we do not know. */
static void other_connects_are_no_sockets(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, ":method: CONNECT\n:authority: a:443");
	frames_headers(&h2, CLIENT, 3, 0,
		       ":method: CONNECT\n:protocol: connect-udp\n:scheme: https\n:authority: a\n:path: /x");
	frames_headers(&h2, SERVER, 1, 0, ":status: 200");
	frames_headers(&h2, SERVER, 3, 0, ":status: 200");
	say(&h2, SERVER, 1, "x");
	say(&h2, SERVER, 3, "y");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q CONNECT a:443  2\n2q CONNECT a /x 2\n1a 200 2\n2a 200 2\n"
		      "1a bytes \x81\1x\n2a bytes \x81\1y\n1q cut body=0 stream=24 missing=0\n"
		      "2q cut body=0 stream=36 missing=0\n1a cut body=3 stream=22 missing=0\n"
		      "2a cut body=3 stream=22 missing=0\n");
}

static void a_reset_ends_both_sides(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	frames_headers(&h2, SERVER, 1, 0, YES);
	say(&h2, SERVER, 1, "{\"say\":1}");
	frames_raw(&h2, SERVER, DATA, 0, 1, SLICE("\x81\x09{\"sa"));
	frames_raw(&h2, CLIENT, RST_STREAM, 0, 1, SLICE("\0\0\0\x08"));
	say(&h2, SERVER, 1, "{\"late\":1}");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      CONNECT_TOLD YES_TOLD "1a text(11) {\"say\":1}\n1q cut body=0 stream=83 missing=0 reset by 1\n"
					    "1a cut body=17 stream=69 missing=0 reset by 1\n");
}

/* Compressed with the window of earlier messages, as the answer grants it. */
static void compressed_messages_are_told(void **state)
{
	struct frames h2 = frames_new();
	z_stream z = { 0 };

	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	frames_headers(&h2, SERVER, 1, 0, ":status: 200\nsec-websocket-extensions: permessage-deflate");
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (int i = 0; i < 2; i++) {
		char packed[100], bytes[120];

		z.next_in = (Bytef *)(uintptr_t) "{\"say\":\"again and again\"}";
		z.avail_in = 25;
		z.next_out = (Bytef *)packed;
		z.avail_out = sizeof(packed);
		assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
		frames_raw(&h2, SERVER, DATA, 0, 1,
			   socket_frame(SERVER, PACKED, (struct slice){ packed, sizeof(packed) - z.avail_out - 4 },
					bytes));
	}
	deflateEnd(&z);
	frames_expect(&h2, (struct wire_opts){ 0 },
		      CONNECT_TOLD
		      "1a 200 2 [sec-websocket-extensions=permessage-deflate]\n"
		      "1a text(26) {\"say\":\"again and again\"}\n1a text(7) {\"say\":\"again and again\"}\n"
		      "1q cut body=0 stream=83 missing=0\n1a cut body=33 stream=94 missing=0\n");
}

/* In the middle of a message; in a padded frame; beyond frames, with the next ones behind it. */
static void holes_cost_what_they_hid(void **state)
{
	struct frames h2 = frames_new();
	char bytes[256], head[] = { 0, 0, 11, DATA, 0, 0, 0, 0, 1 };
	struct slice frame;

	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	frames_headers(&h2, SERVER, 1, 0, YES);
	frame = socket_frame(SERVER, TEXT, SLICE("{\"say\":1}"), bytes);
	frames_put(&h2, SERVER, (struct slice){ head, 9 });
	frames_put(&h2, SERVER, slice_head(frame, 4));
	frames_hole(&h2, SERVER, 3);
	frames_put(&h2, SERVER, slice_from(frame, 7));
	say(&h2, SERVER, 1, "{\"say\":2}");
	frames_hole(&h2, SERVER, 40);
	for (int i = 0; i < 4; i++)
		say(&h2, SERVER, 1, "{\"say\":3}");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      CONNECT_TOLD YES_TOLD "1a hole ring_full\n1a text(11) {\"say\":2}\n1a hole ring_full\n"
					    "1a text(11) {\"say\":3}\n1a text(11) {\"say\":3}\n"
					    "1a text(11) {\"say\":3}\n1a text(11) {\"say\":3}\n"
					    "1q cut body=0 stream=83 missing=0\n"
					    "1a lost body=-1 stream=154 missing=-1 ring_full\n");
}

static struct frames conversation(void)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, CONNECT);
	say(&h2, CLIENT, 1, "{\"ask\":1}");
	frames_headers(&h2, SERVER, 1, 0, YES);
	say(&h2, SERVER, 1, "{\"say\":1}");
	say(&h2, CLIENT, 1, "{\"ask\":2}");
	say_in_pieces(&h2, SERVER, 1, "{\"say\":2}");
	leave(&h2, SERVER, 1, 0);
	leave(&h2, CLIENT, 1, END_STREAM);
	return h2;
}

static void failing_memory_is_survived(void **state)
{
	struct frames h2 = conversation();

	frames_survive_failing_memory(&h2, 1000);
	frames_free(&h2);
}

/* Bytes turned, holes of any length: what is told is the same in all cuts where nothing is hidden, and every byte counts. */
static void any_bytes_and_holes_are_survived(void **state)
{
	uint64_t seed = 11;

	for (int round = 0; round < 400; round++) {
		struct frames h2 = conversation();
		struct wire_opts whole_opts = { 0 }, cut_opts = { .step = 1 };
		struct wire whole, cut;

		for (size_t n = 1 + random_below(&seed, 3); n; n--) {
			struct piece *piece = &h2.pieces[1 + random_below(&seed, h2.count - 1)];

			if (!piece->text.len)
				continue;
			if (random_below(&seed, 3))
				((char *)piece->text.data)[random_below(&seed, piece->text.len)] =
					(char)random_next(&seed);
			else
				piece->hole_len = 1 + random_below(&seed, 30);
		}
		whole = wire_run(&whole_opts, h2.pieces, h2.count);
		cut = wire_run(&cut_opts, h2.pieces, h2.count);
		assert_string_equal(whole.text, cut.text);
		free(whole.text);
		free(cut.text);
		frames_free(&h2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_both_sides_beside_other_streams),
		cmocka_unit_test(the_clients_first_bytes_wait_for_the_answer),
		cmocka_unit_test(what_waits_too_long_is_missing),
		cmocka_unit_test(a_refused_socket_is_a_request_like_others),
		cmocka_unit_test(other_connects_are_no_sockets),
		cmocka_unit_test(a_reset_ends_both_sides),
		cmocka_unit_test(compressed_messages_are_told),
		cmocka_unit_test(holes_cost_what_they_hid),
		cmocka_unit_test(failing_memory_is_survived),
		cmocka_unit_test(any_bytes_and_holes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
