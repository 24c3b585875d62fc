/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven of AWS's event streams: every cut gives the same messages, both checksums are believed before anything
 * else, behind damage or a hole the next message is found, and no length can lie its way past a limit; what is signed is
 * told as what it signs.
 */
#include "base/buf.h"
#include "unit/proto/seen.h"
#include <zlib.h>

static void on_damaged(void *user, size_t len)
{
	struct seen *seen = user;

	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, "(damaged %zu)", len);
}

static const struct frame_ops ops = { seen_part, seen_lost, on_damaged };

/* ---- messages ---- */

struct bytes {
	unsigned char data[4096];
	size_t len;
};

static void put(struct bytes *out, const void *data, size_t len)
{
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

static void put_number(struct bytes *out, uint32_t number, size_t len)
{
	while (len--)
		out->data[out->len++] = (unsigned char)(number >> 8 * len);
}

static void put_crc(struct bytes *out, size_t start)
{
	put_number(out, (uint32_t)crc32(0, out->data + start, (unsigned)(out->len - start)), 4);
}

static void put_text(struct bytes *out, const char *name, const char *value)
{
	put_number(out, (uint32_t)strlen(name), 1);
	put(out, name, strlen(name));
	put_number(out, 7, 1);
	put_number(out, (uint32_t)strlen(value), 2);
	put(out, value, strlen(value));
}

static void put_message_of(struct bytes *out, const struct bytes *headers, struct slice payload)
{
	size_t start = out->len;

	put_number(out, (uint32_t)(16 + headers->len + payload.len), 4);
	put_number(out, (uint32_t)headers->len, 4);
	put_crc(out, start);
	put(out, headers->data, headers->len);
	if (payload.len)
		put(out, payload.data, payload.len);
	put_crc(out, start);
}

static void put_message(struct bytes *out, const struct bytes *headers, const char *payload)
{
	put_message_of(out, headers, slice_of(payload));
}

static void put_event(struct bytes *out, const char *type, const char *payload)
{
	struct bytes headers = { .len = 0 };

	put_text(&headers, ":message-type", "event");
	put_text(&headers, ":event-type", type);
	put_message(out, &headers, payload);
}

static struct slice text_of(const struct bytes *bytes)
{
	return (struct slice){ (const char *)bytes->data, bytes->len };
}

/* A signature over @inner. */
static void put_signed(struct bytes *out, struct slice inner)
{
	static const char date[] = "\x05:date\x08\0\0\1\2\3\4\5\6";
	static const char signature[] = "\x10:chunk-signature\x06\0\4sign";
	struct bytes headers = { .len = 0 };

	put(&headers, date, sizeof(date) - 1);
	put(&headers, signature, sizeof(signature) - 1);
	put_message_of(out, &headers, inner);
}

/* ---- runs ---- */

enum { NO_HOLE = -1, EVENT_MAX = 200 };

struct run {
	enum frame_kind kind;
	ptrdiff_t hole; /* before this byte */
	bool is_cut, is_two_way;
	uint64_t fail_at;
	size_t max;
};

static struct seen run_cut(const struct run *run, struct slice text, size_t first, size_t step)
{
	struct fail_alloc memory = FAIL_ALLOC(run->fail_at);
	struct seen seen = { .len = 0 };
	struct frame frame;
	size_t next = first;

	frame_init(&frame, run->kind, &memory.alloc, run->max ? run->max : EVENT_MAX, &ops, &seen);
	frame.is_two_way = run->is_two_way;
	for (size_t at = 0; at < text.len; next += step) {
		size_t end = MIN(next, text.len), hole = (size_t)run->hole;

		if (run->hole >= 0 && at <= hole && hole < end) {
			frame_feed(&frame, slice_head(slice_from(text, at), hole - at), 1);
			frame_hole(&frame);
			at = hole;
		}
		frame_feed(&frame, slice_head(slice_from(text, at), end - at), 1);
		at = end;
	}
	frame_end(&frame, !run->is_cut);
	frame_free(&frame);
	assert_int_equal(memory.used, 0);
	return seen;
}

static void every_cut_gives(const struct run *run, const struct bytes *bytes, const char *want)
{
	struct guard guard = guard_new(text_of(bytes));

	for (size_t first = 0; first <= guard.text.len; first++)
		for (size_t step = 1; step <= guard.text.len; step += step < 20 ? 1 : 13)
			assert_string_equal(run_cut(run, guard.text, first, step).text, want);
	guard_free(&guard);
}

static const struct run plain = { .kind = FRAME_AWS, .hole = NO_HOLE };

static void content_type(void **state)
{
	assert_int_equal(frame_kind_of(SLICE("application/vnd.amazon.eventstream")), FRAME_AWS);
	assert_int_equal(frame_kind_of(SLICE("Application/Vnd.Amazon.EventStream; x=y")), FRAME_AWS);
}

static void messages(void **state)
{
	struct bytes in = { .len = 0 }, headers = { .len = 0 };

	put_event(&in, "one", "{\"a\":1}");
	put_text(&headers, ":message-type", "exception");
	put_text(&headers, ":exception-type", "throttlingException");
	put_message(&in, &headers, "{}");
	headers.len = 0;
	put_text(&headers, ":message-type", "error");
	put_text(&headers, ":error-code", "Bad");
	put_text(&headers, ":error-message", "why");
	put_message(&in, &headers, "");
	every_cut_gives(&plain, &in, "[one|{\"a\":1}][exception:throttlingException|{}][exception:Bad|why]");
}

static void headers_of_all_types_are_passed(void **state)
{
	static const unsigned char others[] = { 1, 'a', 0,   1,   'b', 1,   1, 'c', 2, 9, 1, 'd', 3, 9, 9, 1, 'e', 4,
						9, 9,   9,   9,   1,   'f', 5, 1,   2, 3, 4, 5,   6, 7, 8, 1, 'g', 6,
						0, 2,   'x', 'y', 1,   'h', 8, 1,   2, 3, 4, 5,   6, 7, 8, 1, 'i', 9,
						1, 2,   3,   4,   5,   6,   7, 8,   9, 0, 1, 2,   3, 4, 5, 6 };
	struct bytes in = { .len = 0 }, headers = { .len = 0 };

	put(&headers, others, sizeof(others));
	put_text(&headers, ":event-type", "e");
	put_message(&in, &headers, "p");
	every_cut_gives(&plain, &in, "[e|p]");
	headers.len = 0;
	put_message(&in, &headers, "q");
	every_cut_gives(&plain, &in, "[e|p][|q]");
}

static void a_signed_message_is_the_one_in_it(void **state)
{
	struct bytes in = { .len = 0 }, inner = { .len = 0 };
	struct run run = plain;

	put_event(&inner, "chunk", "{\"bytes\":\"eyJhIjoxfQ==\"}");
	put_signed(&in, text_of(&inner));
	put_signed(&in, SLICE_NONE);
	put_event(&in, "e", "p");
	run.max = 1000;
	every_cut_gives(&run, &in, "[chunk|{\"bytes\":\"eyJhIjoxfQ==\"}][e|p]");
	run.is_two_way = true;
	every_cut_gives(&run, &in, "[chunk|{\"a\":1}][e|p]");
}

static void what_is_signed_and_no_message_is_damage(void **state)
{
	struct bytes whole = { .len = 0 }, inner = { .len = 0 };

	put_event(&inner, "chunk", "{}");
	for (size_t len = 1; len <= inner.len; len++) {
		struct bytes in = { .len = 0 };
		char want[64];

		put_signed(&in, slice_head(text_of(&inner), len));
		snprintf(want, sizeof(want), len < inner.len ? "(damaged %zu)" : "[chunk|{}]", in.len);
		assert_string_equal(run_cut(&plain, text_of(&in), 0, 7).text, want);
		whole = in;
	}
	/* Twice signed: nobody does. */
	inner.len = 0;
	put_signed(&inner, text_of(&whole));
	every_cut_gives(&(struct run){ .kind = FRAME_AWS, .hole = NO_HOLE, .max = 1000 }, &inner, "[|]");
}

static void bytes_are_what_they_hold_where_both_sides_talk(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"bytes\":\"eyJhIjoxfQ==\"}", "{\"a\":1}" },
		{ "{ \"bytes\" : \"eyJhIjoxfQ\" }", "{\"a\":1}" },
		{ "{\"bytes\":\"e!\"}", "{\"bytes\":\"e!\"}" },
		{ "{\"bytes\":\"\"}", "{\"bytes\":\"\"}" },
		{ "{\"bytes\":7}", "{\"bytes\":7}" },
		{ "{\"bytes\":\"eyJhIjoxfQ==\",\"more\":1}", "{\"bytes\":\"eyJhIjoxfQ==\",\"more\":1}" },
		{ "{\"bytes\":\"eyJhIjoxfQ==\"", "{\"bytes\":\"eyJhIjoxfQ==\"" },
		{ "text", "text" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run run = { .kind = FRAME_AWS, .hole = NO_HOLE, .is_two_way = true };
		struct bytes in = { .len = 0 };
		char want[128];

		put_event(&in, "chunk", rows[i][0]);
		snprintf(want, sizeof(want), "[chunk|%s]", rows[i][1]);
		every_cut_gives(&run, &in, want);
	}
}

static void headers_that_lie_are_damage(void **state)
{
	static const struct slice lies[] = {
		SLICE("\x05"),
		SLICE("\x01"),
		SLICE("\x01x"),
		SLICE("\x01x\x0a"),
		SLICE("\x01x\x07\xff\xffz"),
		SLICE("\x01x\x04zz"),
		SLICE("\x01x\x07\x00"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct bytes in = { .len = 0 }, headers = { .len = 0 };
		char want[64];

		put(&headers, lies[i].data, lies[i].len);
		put_message(&in, &headers, "");
		snprintf(want, sizeof(want), "(damaged %zu)[e|p]", in.len);
		put_event(&in, "e", "p");
		every_cut_gives(&plain, &in, want);
	}
}

static void any_changed_byte_costs_its_message_only(void **state)
{
	struct bytes in = { .len = 0 };
	size_t first, second;

	put_event(&in, "one", "1");
	first = in.len;
	put_event(&in, "two", "2");
	second = in.len;
	put_event(&in, "three", "3");
	for (size_t at = first; at < second; at++) {
		struct bytes bad = in;
		struct seen seen;
		char want[64];

		bad.data[at] ^= 0x10;
		snprintf(want, sizeof(want), "[one|1](damaged %zu)[three|3]", second - first);
		for (size_t step = 1; step < 50; step += 7) {
			seen = run_cut(&plain, text_of(&bad), 0, step);
			assert_string_equal(seen.text, want);
		}
	}
}

static void a_hole_costs_the_message_that_it_cuts(void **state)
{
	struct bytes in = { .len = 0 };
	struct run run = plain;
	size_t first;

	put_event(&in, "one", "1");
	first = in.len;
	put_event(&in, "two", "2");
	put_event(&in, "three", "3");
	for (size_t at = first + 1; at < in.len - (first + 2); at++) {
		run.hole = (ptrdiff_t)at;
		for (size_t step = 1; step < 80; step += 9)
			assert_string_equal(run_cut(&run, text_of(&in), 0, step).text, "[one|1][three|3]");
	}
	run.hole = (ptrdiff_t)first;
	every_cut_gives(&run, &in, "[one|1][two|2][three|3]");
}

static void an_end_in_a_message(void **state)
{
	struct bytes in = { .len = 0 };
	struct run run = plain;
	char want[64];
	size_t first;

	put_event(&in, "one", "1");
	first = in.len;
	put_event(&in, "two", "2");
	in.len -= 3;
	snprintf(want, sizeof(want), "[one|1](damaged %zu)", in.len - first);
	every_cut_gives(&run, &in, want);
	run.is_cut = true;
	every_cut_gives(&run, &in, "[one|1]");
}

static void what_is_too_long_is_counted(void **state)
{
	struct bytes in = { .len = 0 };
	char payload[301], want[64];

	memset(payload, 'x', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = 0;
	put_event(&in, "long", payload);
	snprintf(want, sizeof(want), "(lost %zu)[e|p]", in.len);
	put_event(&in, "e", "p");
	every_cut_gives(&plain, &in, want);
}

static void lengths_beyond_the_limits_are_no_prelude(void **state)
{
	static const uint32_t rows[][2] = {
		{ 15, 0 },         { 0, 0 },          { 20, 5 }, { 200000, (128 << 10) + 1 }, { (24 << 20) + 17, 0 },
		{ 0xffffffff, 0 }, { 16, 0xffffffff }
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bytes in = { .len = 0 };

		put_number(&in, rows[i][0], 4);
		put_number(&in, rows[i][1], 4);
		put_crc(&in, 0);
		put_event(&in, "e", "p");
		every_cut_gives(&plain, &in, "(damaged 12)[e|p]");
	}
}

static void joined_late(void **state)
{
	struct run run = { .kind = FRAME_UNKNOWN, .hole = NO_HOLE };
	struct bytes in = { .len = 0 }, lines = { .len = 0 };

	put(&in, "le of a\nmessage", 15);
	put_event(&in, "e", "p\n");
	put_event(&in, "f", "q");
	every_cut_gives(&run, &in, "[e|p\n][f|q]");
	put(&lines, "x\ndata: 1\n\n", 11);
	every_cut_gives(&run, &lines, "");
}

static void memory_may_end_anywhere(void **state)
{
	struct bytes in = { .len = 0 };
	struct run run = plain;
	char lost[64];

	put_event(&in, "one", "1");
	snprintf(lost, sizeof(lost), "(lost %zu)[two|2]", in.len);
	put_event(&in, "two", "2");
	for (run.fail_at = 1; run.fail_at < 10; run.fail_at++) {
		struct seen seen = run_cut(&run, text_of(&in), 0, 7);

		assert_true(!strcmp(seen.text, "[one|1][two|2]") || !strcmp(seen.text, lost));
		assert_true(run.fail_at > 1 || !strcmp(seen.text, lost));
	}
}

static void noise_is_never_a_message(void **state)
{
	uint64_t random = 7;

	for (int turn = 0; turn < 200; turn++) {
		struct bytes in = { .len = 1000 };
		struct guard guard;
		struct seen whole, cut;

		for (size_t i = 0; i < in.len; i++)
			in.data[i] = (unsigned char)random_below(&random, turn % 2 ? 256 : 3);
		guard = guard_new(text_of(&in));
		whole = run_cut(&plain, guard.text, in.len, 1);
		cut = run_cut(&plain, guard.text, 1, 3);
		assert_string_equal(whole.text, "(damaged 1000)");
		assert_string_equal(cut.text, whole.text);
		guard_free(&guard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_type),
		cmocka_unit_test(messages),
		cmocka_unit_test(headers_of_all_types_are_passed),
		cmocka_unit_test(a_signed_message_is_the_one_in_it),
		cmocka_unit_test(what_is_signed_and_no_message_is_damage),
		cmocka_unit_test(bytes_are_what_they_hold_where_both_sides_talk),
		cmocka_unit_test(headers_that_lie_are_damage),
		cmocka_unit_test(any_changed_byte_costs_its_message_only),
		cmocka_unit_test(a_hole_costs_the_message_that_it_cuts),
		cmocka_unit_test(an_end_in_a_message),
		cmocka_unit_test(what_is_too_long_is_counted),
		cmocka_unit_test(lengths_beyond_the_limits_are_no_prelude),
		cmocka_unit_test(joined_late),
		cmocka_unit_test(memory_may_end_anywhere),
		cmocka_unit_test(noise_is_never_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
