/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven of the frame alone: the same events and lines for every first cut and every step behind it. */
#include "unit/proto/seen.h"

static const struct frame_ops ops = { .part = seen_part, .lost = seen_lost };

/* In the text, 0x01 is a hole and 0x02 a boundary. */
static void feed(struct frame *frame, struct slice bytes)
{
	while (bytes.len) {
		size_t len = 0;

		while (len < bytes.len && bytes.data[len] != 1 && bytes.data[len] != 2)
			len++;
		frame_feed(frame, slice_head(bytes, len), 1);
		bytes = slice_from(bytes, len);
		if (bytes.len && bytes.data[0] == 1)
			frame_hole(frame);
		if (bytes.len && bytes.data[0] == 2)
			frame_boundary(frame);
		if (bytes.len && (bytes.data[0] == 1 || bytes.data[0] == 2))
			bytes = slice_from(bytes, 1);
	}
}

static struct seen run(enum frame_kind kind, struct slice text, size_t first, size_t step, bool is_whole)
{
	struct fail_alloc memory = FAIL_ALLOC(0);
	struct seen seen = { .len = 0 };
	struct frame frame;

	frame_init(&frame, kind, &memory.alloc, 64, &ops, &seen);
	feed(&frame, slice_head(text, first));
	for (size_t at = first; at < text.len; at += step)
		feed(&frame, slice_head(slice_from(text, at), step));
	frame_end(&frame, is_whole);
	frame_free(&frame);
	assert_int_equal(memory.used, 0);
	return seen;
}

static void every_cut_gives_the_same(enum frame_kind kind, struct slice text, bool is_whole, const char *want)
{
	struct guard guard = guard_new(text);

	for (size_t first = 0; first <= text.len; first++)
		for (size_t step = 1; step <= text.len; step++)
			assert_string_equal(run(kind, guard.text, first, step, is_whole).text, want);
	guard_free(&guard);
}

static void events(void **state)
{
	every_cut_gives_the_same(FRAME_EVENTS,
				 SLICE("\xef\xbb\xbf"
				       "data: a\n\n: hello\r\nevent: x\r\ndata: 1\r\ndata:2\r\nid: 7\r\n\r\n\n"
				       "data\n\nevent: lost\n\ndata:  z\rdata: \r\rdataset: no\n\ndata: last"),
				 true, "[|a][x|1\n2][|][| z\n][|last]");
}

static void plain_json_under_the_type_of_events_is_bytes(void **state)
{
	struct slice text = SLICE("{\n  \"error\": {}\n}\n");

	assert_string_equal(run(FRAME_EVENTS, text, text.len, 1, true).text, "[|{\n  \"error\": {}\n}\n]");
	assert_string_equal(run(FRAME_EVENTS, text, 0, 9, true).text, "[|{\n  \"erro][|r\": {}\n}\n]");
	/* Behind the first byte it is a line that says nothing. */
	every_cut_gives_the_same(FRAME_EVENTS, SLICE(": {}\n{\"a\":1}\ndata: b\n\n"), true, "[|b]");
}

static void events_of_a_body_that_is_cut(void **state)
{
	every_cut_gives_the_same(FRAME_EVENTS, SLICE("data: a\n\ndata: [DONE]\n"), false, "[|a][|[DONE]]");
	every_cut_gives_the_same(FRAME_EVENTS, SLICE("data: a\n\ndata: {\"x"), false, "[|a]");
}

static void a_hole_costs_the_event_that_it_cuts(void **state)
{
	every_cut_gives_the_same(FRAME_EVENTS, SLICE("data: 1\n\ndata: t\x01wo\n\ndata: 3\n\n"), true, "[|1][|3]");
	every_cut_gives_the_same(FRAME_EVENTS,
				 SLICE("data: 1\n\n\x01\x02"
				       "data: 3\n\n"),
				 true, "[|1][|3]");
	every_cut_gives_the_same(FRAME_EVENTS, SLICE("data: 1\n\n\x01 of 2\x02 more of 2\n\ndata: 3\n\n"), true,
				 "[|1][|3]");
	every_cut_gives_the_same(FRAME_LINES, SLICE("{\"a\":1}\n{\"b\x01\":2}\n{\"c\":3}\n"), true,
				 "[|{\"a\":1}][|{\"c\":3}]");
	every_cut_gives_the_same(FRAME_LINES, SLICE("{\"a\":1}\n\x01\x02{\"c\":3}\n"), true,
				 "[|{\"a\":1}][|{\"c\":3}]");
}

static void what_is_too_long_is_counted(void **state)
{
	every_cut_gives_the_same(
		FRAME_EVENTS,
		SLICE("data: 1\n\ndata: 0123456789012345678901234567890123456789012345678901234567890\ndata: x\n\ndata: 2\n\n"),
		true, "[|1](lost 74)[|2]");
	every_cut_gives_the_same(FRAME_LINES,
				 SLICE("1\n00000000000000000000000000000000000000000000000000000000000000000\n2\n"),
				 true, "[|1](lost 65)[|2]");
}

static void lines(void **state)
{
	every_cut_gives_the_same(FRAME_LINES, SLICE("{}\r\n\n \n\x1e[1]\nlast"), true, "[|{}][|[1]][|last]");
	every_cut_gives_the_same(FRAME_LINES, SLICE("{}\n{\"a\":1}"), false, "[|{}][|{\"a\":1}]");
	every_cut_gives_the_same(FRAME_LINES, SLICE("{}\n{\"a\":"), false, "[|{}]");
}

static void joined_late(void **state)
{
	every_cut_gives_the_same(FRAME_UNKNOWN, SLICE("lo\"}\n\nevent: e\ndata: 1\n\n"), true, "[e|1]");
	every_cut_gives_the_same(FRAME_UNKNOWN, SLICE("data: 1\n\ndata: 2\n\n"), true, "[|1][|2]");
	every_cut_gives_the_same(FRAME_UNKNOWN, SLICE("a\ndata: 1\n\ndata: 2\n\n"), true, "[|2]");
	every_cut_gives_the_same(FRAME_UNKNOWN, SLICE("x}\r\n{\"a\":1}\r\n{\"b\":2}"), true,
				 "[|{\"a\":1}][|{\"b\":2}]");
	every_cut_gives_the_same(FRAME_UNKNOWN, SLICE("data: {\"x\x02y\"}\n\n"), true, "[|{\"xy\"}]");
	every_cut_gives_the_same(FRAME_UNKNOWN, SLICE("some text\n\nthat is\n\nneither"), true, "");
}

/* No type was told: of binary framings the first bytes tell which it is; what is shorter than a prelude is gRPC's. */
static void binary_messages_of_an_unknown_type(void **state)
{
	every_cut_gives_the_same(FRAME_BINARY, SLICE("\0\0\0\0\3abc"), true, "[grpc|abc]");
	every_cut_gives_the_same(FRAME_BINARY, SLICE("\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\5hello"), true,
				 "[grpc|abc][grpc|][grpc|hello]");
	every_cut_gives_the_same(FRAME_BINARY, SLICE("\0\0\0\0\3abc\x01\0\0\0\0\5hello"), true, "[grpc|abc]");
	every_cut_gives_the_same(FRAME_BINARY, SLICE(""), true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events),
		cmocka_unit_test(plain_json_under_the_type_of_events_is_bytes),
		cmocka_unit_test(events_of_a_body_that_is_cut),
		cmocka_unit_test(a_hole_costs_the_event_that_it_cuts),
		cmocka_unit_test(what_is_too_long_is_counted),
		cmocka_unit_test(lines),
		cmocka_unit_test(joined_late),
		cmocka_unit_test(binary_messages_of_an_unknown_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
