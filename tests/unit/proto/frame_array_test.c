/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven of arrays that arrive over time: the same elements for every cut, at the time of their last byte; holes,
 * limits and refused memory cost the elements that they hit; what is no array stays the bytes it was. */
#include "proto/frame_array.h"
#include "unit/proto/wire.h"

struct seen {
	char text[2048];
	size_t len;
	bool in_bytes;
};

static void on_part(void *user, const struct message_part *part)
{
	struct seen *seen = user;
	bool is_bytes = part->kind == PART_BYTES;

	assert_true(is_bytes || part->kind == PART_LINE);
	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len,
				      is_bytes ? "%s%.*s" : "%s[%.*s]", is_bytes && !seen->in_bytes ? "bytes " : "",
				      SLICE_FMT(part->data));
	seen->in_bytes = is_bytes;
}

static void on_lost(void *user, size_t len)
{
	struct seen *seen = user;

	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, "(lost %zu)", len);
}

static const struct frame_ops ops = { .part = on_part, .lost = on_lost };

/* In the text, 0x01 is a hole. */
static struct seen run(struct slice text, size_t first, size_t step, uint64_t fail_nth)
{
	struct fail_alloc memory = FAIL_ALLOC(fail_nth);
	struct seen seen = { .len = 0 };
	struct frame frame;
	size_t at = 0;

	memory.is_sticky = fail_nth % 2;
	frame_init(&frame, FRAME_ARRAY, &memory.alloc, 64, &ops, &seen);
	while (at < text.len) {
		struct slice bytes = slice_head(slice_from(text, at), at < first ? first - at : step);
		const char *hole = memchr(bytes.data, 1, bytes.len);

		if (hole)
			bytes.len = (size_t)(hole - bytes.data);
		frame_feed(&frame, bytes, 1);
		at += bytes.len;
		if (!hole)
			continue;
		frame_hole(&frame);
		frame_boundary(&frame);
		at++;
	}
	frame_end(&frame, true);
	frame_free(&frame);
	assert_int_equal(memory.used, 0);
	return seen;
}

static void every_cut_gives_the_same(struct slice text, const char *want)
{
	struct guard guard = guard_new(text);

	for (size_t first = 0; first <= text.len; first++)
		for (size_t step = 1; step <= text.len; step++)
			assert_string_equal(run(guard.text, first, step, 0).text, want);
	guard_free(&guard);
}

static void elements_are_lines(void **state)
{
	every_cut_gives_the_same(SLICE(" \r\n[{\"a\":\"}]\\\"{\\\\\"}\r\n,\r\n{\"b\":[{}, [1]]},[3] ]\r\n"),
				 "[{\"a\":\"}]\\\"{\\\\\"}][{\"b\":[{}, [1]]}][[3]]");
	every_cut_gives_the_same(SLICE("[]"), "");
	every_cut_gives_the_same(SLICE("[1, null, {\"a\":1}, true]"), "[{\"a\":1}]");
	every_cut_gives_the_same(SLICE("[{\"a\":1}]\n[{\"b\":2}]"), "[{\"a\":1}]");
}

static void what_is_cut_is_left_out(void **state)
{
	every_cut_gives_the_same(SLICE("[{\"a\":1},\n{\"b\":"), "[{\"a\":1}]");
	every_cut_gives_the_same(SLICE("[{\"a\":1},\n{\"b\":\"}"), "[{\"a\":1}]");
	every_cut_gives_the_same(SLICE("["), "");
	every_cut_gives_the_same(SLICE(""), "");
}

static void other_bodies_stay_bytes(void **state)
{
	every_cut_gives_the_same(SLICE(" {\"error\":[{}]}\n"), "bytes  {\"error\":[{}]}\n");
	every_cut_gives_the_same(SLICE("<html>[{}]"), "bytes <html>[{}]");
	every_cut_gives_the_same(SLICE(" \n"), "bytes  \n");
}

static void blanks_beyond_the_limit_are_bytes(void **state)
{
	char text[90], want[100];

	memset(text, ' ', sizeof(text));
	memcpy(text + 80, "[{\"a\":1}]", 9);
	text[89] = ']';
	snprintf(want, sizeof(want), "bytes %.90s", text);
	every_cut_gives_the_same((struct slice){ text, sizeof(text) }, want);
	every_cut_gives_the_same((struct slice){ text + 20, sizeof(text) - 20 }, "[{\"a\":1}]");
}

static void a_hole_costs_what_it_hits(void **state)
{
	every_cut_gives_the_same(SLICE("[{\"a\":1},\n{\"b\":\x01 \"}\"},\n{\"c\":3},\r\n{\"d\":4}]"),
				 "[{\"a\":1}][{\"c\":3}][{\"d\":4}]");
	every_cut_gives_the_same(SLICE("[{\"a\":{\n  \"x\":\x01[\n    {\"y\":1},\n  ]}},\n{\"c\":3}]"), "[{\"c\":3}]");
	every_cut_gives_the_same(SLICE("\x01{\"a\":1},{\"b\":2}]"), "");
}

static void what_is_too_long_is_counted(void **state)
{
	every_cut_gives_the_same(
		SLICE("[{\"a\":1},{\"b\":\"0123456789012345678901234567890123456789012345678901234567890\"},{\"c\":3}]"),
		"[{\"a\":1}](lost 69)[{\"c\":3}]");
}

static void refused_memory_costs_its_element(void **state)
{
	struct slice text = SLICE("[{\"a\":1},{\"b\":2},{\"c\":3}]");

	for (uint64_t nth = 1; nth < 6; nth++)
		for (size_t step = 1; step <= text.len; step++) {
			struct seen seen = run(text, 0, step, nth);

			assert_true(strstr(seen.text, "(lost 7)") ||
				    strstr(seen.text, "[{\"a\":1}][{\"b\":2}][{\"c\":3}]"));
		}
}

static void any_bytes_do_no_harm(void **state)
{
	static const char letters[] = "[]{}\"\\,: \n\x01";
	uint64_t seed = 3;
	char text[120];

	for (int round = 0; round < 4000; round++) {
		size_t len = 1 + random_below(&seed, sizeof(text) - 1);
		struct guard guard;
		struct seen whole;

		for (size_t i = 0; i < len; i++)
			text[i] = letters[random_below(&seed, sizeof(letters) - 1)];
		text[0] = '[';
		guard = guard_new((struct slice){ text, len });
		whole = run(guard.text, 0, len, 0);
		assert_string_equal(run(guard.text, 0, 1 + random_below(&seed, len), 0).text, whole.text);
		guard_free(&guard);
	}
}

static void targets_and_types_tell(void **state)
{
	static const struct {
		const char *target;
		bool streams;
	} rows[] = {
		{ "/v1beta/models/g:streamGenerateContent", true },
		{ "/v1beta/models/g:streamGenerateContent?key=x", true },
		{ "/v1beta/models/g:streamGenerateContent?alt=sse", false },
		{ "/v1beta/models/g:streamGenerateContent?key=x&alt=sse", false },
		{ "/v1internal:streamGenerateContent", true },
		{ "/v1beta/models/g:generateContent", false },
		{ "/v1/x:streamRawPredict", false },
		{ "/streamGenerateContent", false },
		{ "/a:streamGenerateContent/b", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(frame_target_streams(slice_of(rows[i].target)), rows[i].streams);
	assert_int_equal(frame_kind_of_answer(SLICE("application/json; charset=UTF-8"), true), FRAME_ARRAY);
	assert_int_equal(frame_kind_of_answer(SLICE("application/json"), false), FRAME_BYTES);
	assert_int_equal(frame_kind_of_answer(SLICE("text/event-stream"), true), FRAME_EVENTS);
	assert_int_equal(frame_kind_of_answer(SLICE("text/html"), true), FRAME_BYTES);
}

#define STREAM "POST /m:streamGenerateContent HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
#define PLAIN  "POST /m:generateContent HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"

/* Each answer is framed as its own request asks, in whatever order they were sent. */
static void the_request_decides(void **state)
{
	static const struct wire_opts plain;

	wire_expect(
		plain,
		WIRE(C(STREAM PLAIN STREAM),
		     S("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
		       "8\r\n[{\"a\":1}\r\n9\r\n,\r\n{\"b\":2\r\n2\r\n}]\r\n0\r\n\r\n"
		       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[{}]"
		       "HTTP/1.1 429 No\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[{}]")),
		"1q POST  /m:streamGenerateContent 1.1 [content-length=2]\n1q bytes {}\n1q framed body=2 stream=63 missing=0\n"
		"2q POST  /m:generateContent 1.1 [content-length=2]\n2q bytes {}\n2q framed body=2 stream=57 missing=0\n"
		"3q POST  /m:streamGenerateContent 1.1 [content-length=2]\n3q bytes {}\n3q framed body=2 stream=63 missing=0\n"
		"1a 200 1.1 [content-type=application/json] [transfer-encoding=chunked]\n"
		"1a line {\"a\":1}\n1a line {\"b\":2}\n1a framed body=19 stream=118 missing=0\n"
		"2a 200 1.1 [content-type=application/json] [content-length=4]\n2a bytes [{}]\n2a framed body=4 stream=74 missing=0\n"
		"3a 429 1.1 [content-type=application/json] [content-length=4]\n3a bytes [{}]\n3a framed body=4 stream=74 missing=0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_lines),
		cmocka_unit_test(what_is_cut_is_left_out),
		cmocka_unit_test(other_bodies_stay_bytes),
		cmocka_unit_test(blanks_beyond_the_limit_are_bytes),
		cmocka_unit_test(a_hole_costs_what_it_hits),
		cmocka_unit_test(what_is_too_long_is_counted),
		cmocka_unit_test(refused_memory_costs_its_element),
		cmocka_unit_test(any_bytes_do_no_harm),
		cmocka_unit_test(targets_and_types_tell),
		cmocka_unit_test(the_request_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
