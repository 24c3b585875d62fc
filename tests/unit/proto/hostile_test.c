/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: every limit has a verdict that is told, the connection goes on to the next exchange where it can, and no
 * input, cut or failing allocation loses a byte from the books (wire_run() checks them) or costs more than linear time.
 */
#include "unit/proto/wire.h"

#define NEXT      "GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
#define NEXT_TOLD "GET h /next 1.1 [host=h]\n"

static char *repeat(const char *text, size_t times)
{
	size_t len = strlen(text);
	char *all = malloc(len * times + 1);

	assert_non_null(all);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * len, text, len);
	all[len * times] = 0;
	return all;
}

/* before + what * times + after, then the next request; @tells must be told of it and then the next request. */
static const struct row {
	const char *name, *before, *what;
	size_t times;
	const char *after, *tells;
} rows[] = {
	{ "a head too long", "POST / HTTP/1.1\r\nHost: h\r\n", "X: y\r\n", 15000, "\r\n",
	  "1q POST h / 1.1 [host=h] [x=y]" },
	{ "a field too long", "POST / HTTP/1.1\r\nHost: h\r\nX: ", "y", 70000, "\r\n\r\n",
	  "1q POST h / 1.1 [host=h]\n1q hole budget" },
	{ "too many fields", "POST / HTTP/1.1\r\nHost: h\r\n", "X: y\r\n", 300, "\r\n", "1q hole budget" },
	{ "a target too long", "POST /", "y", 70000, " HTTP/1.1\r\nHost: h\r\n\r\n", "" },
	{ "two lengths", "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "", 1, "",
	  "1q hole undecodable" },
	{ "a list of two lengths", "POST / HTTP/1.1\r\nContent-Length: 3, 4\r\n\r\nabc", "", 1, "",
	  "1q hole undecodable" },
	{ "a signed length", "POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", "", 1, "", "1q hole undecodable" },
	{ "a length in hex", "POST / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\nabc", "", 1, "", "1q hole undecodable" },
	{ "a length beyond all", "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\nabc", "", 1, "",
	  "1q hole undecodable" },
	{ "chunked not last", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\nabc", "", 1, "",
	  "1q hole undecodable" },
	{ "chunked twice", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\nabc", "", 1, "",
	  "1q hole undecodable" },
	{ "chunked spelt otherwise", "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\nabc", "", 1, "",
	  "1q hole undecodable" },
#define CHUNKED "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	{ "a chunk too large", CHUNKED, "", 1, "20000000000\r\nabc", "1q hole undecodable" },
	{ "a chunk size of zeros", CHUNKED, "0", 1000, "\r\n", "1q hole undecodable" },
	{ "a signed chunk size", CHUNKED "+3\r\nabc\r\n", "", 1, "", "1q hole undecodable" },
	{ "a negative chunk size", CHUNKED "-1\r\nabc\r\n", "", 1, "", "1q hole undecodable" },
	{ "a blank before a chunk size", CHUNKED " 3\r\nabc\r\n", "", 1, "", "1q hole undecodable" },
	{ "a chunk size in C", CHUNKED "0x3\r\nabc\r\n", "", 1, "", "1q hole undecodable" },
	{ "a chunk size with _", CHUNKED "1_0\r\nabc\r\n", "", 1, "", "1q hole undecodable" },
	{ "a chunk longer than its size", CHUNKED "3\r\nabcd\r\n", "", 1, "", "1q hole undecodable" },
	{ "an extension too long", CHUNKED "3;a=", "x", 5000, "\r\nabc\r\n", "1q hole undecodable" },
	{ "trailers without end", CHUNKED "0\r\n", "X: y\r\n", 15000, "\r\n", "1q hole undecodable" },
	{ "a control character in a field", "POST / HTTP/1.1\r\nX: \x01\r\n\r\n", "", 1, "",
	  "1q POST  / 1.1 [x=\x01]" },
	{ "folds", "POST / HTTP/1.1\r\nA: b\r\n", " c\r\n", 5000, "\r\n", "1q POST" },
	{ "fields without names", "POST / HTTP/1.1\r\n", ": x\r\n", 100, "\r\n", "1q framed" },
	{ "blank lines", NEXT, "\r\n", 20000, "", "1q framed" },
	{ "a line that is no head and has no end", NEXT, "(", 200000, "\r\n", "1q framed" },
	{ "lines that are no head", "GET / HTTP/1.1\r\n\r\n", "abc\r\n", 20000, "\r\n", "1q framed" },
	{ "starts that are no heads", "GET / HTTP/1.1\r\n\r\nx\r\n", "GET / HTTP/1.1\r\nbad\r\n", 5000, "\r\n",
	  "1q framed" },
	{ "heads in heads", "GET / HTTP/1.1\r\n\r\nx\r\nGET / HTTP/1.1\r\n", "a: GET / HTTP/1.1\r\n", 3000, "bad\r\n",
	  "1q framed" },
	{ "size lines without chunks", CHUNKED "x\r\n", "1\r\n", 20000, "\r\n", "1q hole undecodable" },
};

static void every_limit_has_a_verdict(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		char *what = repeat(row->what, row->times);
		size_t size = strlen(row->before) + strlen(what) + strlen(row->after) + sizeof(NEXT) + 1;
		char *text = malloc(size);
		struct piece piece = { .dir = DIR_WRITE };
		struct wire_opts opts = { .how = CLOSE_REMOTE };

		assert_non_null(text);
		piece.text.data = text;
		piece.text.len = (size_t)snprintf(text, size, "%s%s%s%s", row->before, what, row->after, NEXT);
		for (opts.step = 0; opts.step < 2; opts.step++) {
			struct wire wire = wire_run(&opts, &piece, 1);

			if (!strstr(wire.text, row->tells) || !strstr(wire.text, NEXT_TOLD))
				fail_msg("%s:\n%.2000s", row->name, wire.text);
			assert_true(wire.peak < 512 << 10);
			free(wire.text);
		}
		free(text);
		free(what);
	}
}

/* A length that holds one is no length: two readers could disagree. */
static void nul_in_a_head_is_a_byte_like_others(void **state)
{
	static const struct piece pieces[] = { C("POST /\0 HTTP/1.1\r\n\r\n"),
					       C("POST / HTTP/1.1\r\nContent-Length: 3\0\r\n\r\nabc"), C(NEXT) };
	struct wire_opts opts = { .how = CLOSE_REMOTE };

	for (opts.step = 0; opts.step < 2; opts.step++) {
		struct wire wire = wire_run(&opts, pieces, ARRAY_SIZE(pieces));

		assert_int_equal(wire.denied, 0);
		assert_non_null(memmem(wire.text, wire.len, "hole undecodable", 16));
		assert_non_null(memmem(wire.text, wire.len, NEXT_TOLD, sizeof(NEXT_TOLD) - 1));
		free(wire.text);
	}
}

#define ANSWER(type) "HTTP/1.1 200 OK\r\nContent-Type: " type "\r\n\r\n"

static void an_endless_event_is_passed_over_and_told(void **state)
{
	static const struct wire_opts opts = { .proto = { .event_bytes_max = 20 } };

	wire_expect(opts,
		    WIRE(C("GET / HTTP/1.1\r\n\r\n"),
			 S(ANSWER("text/event-stream") "data: 1\n\ndata: 0123456789\ndata: abcdefgh\n\ndata: 3\n\n")),
		    "1q GET  / 1.1\n1q framed body=0 stream=18 missing=0\n1a 200 1.1 [content-type=text/event-stream]\n"
		    "1a event<> 1\n1a hole budget\n1a event<> 3\n1a framed body=51 stream=103 missing=30 budget\n");
	wire_expect(
		opts,
		WIRE(C("GET / HTTP/1.1\r\n\r\n"),
		     S(ANSWER("application/x-ndjson") "{}\n\"0123456789 123456789\"\n{\"a\":1}\r\n\n2")),
		"1q GET  / 1.1\n1q framed body=0 stream=18 missing=0\n1a 200 1.1 [content-type=application/x-ndjson]\n"
		"1a line {}\n1a hole budget\n1a line {\"a\":1}\n1a line 2\n1a framed body=37 stream=92 missing=22 budget\n");
}

static void memory_stays_with_the_open_event(void **state)
{
	char *text = repeat("data: 0123456789012345678901234567890123456789\n\n", 20000);
	struct piece pieces[] = { C("GET / HTTP/1.1\r\n\r\n"),
				  S(ANSWER("text/event-stream")),
				  { .dir = DIR_READ, .text = { text, strlen(text) } } };
	struct wire_opts opts = { .how = CLOSE_REMOTE, .seed = 3 };
	struct wire wire = wire_run(&opts, pieces, 3);

	assert_true(wire.peak < 32 << 10);
	free(wire.text);
	free(text);
}

/* The shape of everything above in one conversation, with every allocation failing once, and for good. */
static void failing_memory_is_survived(void **state)
{
	static const struct piece pieces[] = {
		C("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
		S("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"),
		S("9\r\ndata: a\n\n\r\n"),
		S_HOLE(30),
		S("9\r\ndata: b\n\n\r\n9\r\ndata: c\n\n\r\n0\r\n\r\n"),
		C(NEXT),
		S("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 8\r\n\r\n{\"a\":1}\n"),
	};

	for (uint64_t nth = 1; nth < 60; nth++)
		for (int late = 0; late < 2; late++)
			for (int sticky = 0; sticky < 2; sticky++)
				for (size_t step = 0; step < 2; step++)
					free(wire_run(&(struct wire_opts){ .fail_at = nth,
									   .is_sticky = sticky,
									   .is_late = late,
									   .step = step },
						      pieces, ARRAY_SIZE(pieces))
						     .text);
}

/* Bytes picked from what HTTP is made of, and cut, and holes: wire_run() checks the books and the grammar of the calls. */
static void any_input_is_survived(void **state)
{
	static const char *const words[] = {
		"GET / HTTP/1.1\r\n",
		"POST /x HTTP/1.1\r\n",
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 100 C\r\n",
		"\r\n",
		"\n",
		"Content-Length: 5\r\n",
		"Transfer-Encoding: chunked\r\n",
		"Content-Type: text/event-stream\r\n",
		"Content-Encoding: gzip\r\n",
		"Content-Type: application/x-ndjson\r\n",
		"5\r\nhello\r\n",
		"0\r\n\r\n",
		"data: x\n\n",
		"event: y\n",
		"{\"a\":1}\n",
		"\x1f\x8b\x08",
		"\r",
		"a",
		"Content-Type: application/json\r\n",
		"HEAD / HTTP/1.1\r\n\r\n",
		"HTTP/1.1 204 N\r\n\r\n",
	};
	uint64_t seed = 7;

	for (int round = 0; round < 6000; round++) {
		struct piece pieces[24];
		struct wire_opts opts = { .is_late = round % 3 == 0,
					  .how = (enum close_how)(round % 5),
					  .seed = round % 2 ? 1 + (uint64_t)round : 0,
					  .skip = round % 7 == 0 };
		struct wire whole, cut;

		for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
			pieces[i] =
				(struct piece){ .dir = random_below(&seed, 4) ? (i / 6) % 2 : random_below(&seed, 2),
						.text = slice_of(words[random_below(&seed, ARRAY_SIZE(words))]) };
			if (random_below(&seed, 12) == 0)
				pieces[i] =
					(struct piece){ .dir = pieces[i].dir, .hole_len = 1 + random_below(&seed, 20) };
		}
		whole = wire_run(&opts, pieces, ARRAY_SIZE(pieces));
		opts.step = 1;
		cut = wire_run(&opts, pieces, ARRAY_SIZE(pieces));
		if (!opts.seed && strcmp(whole.text, cut.text) != 0)
			fail_msg("round %d: whole\n%s---- byte by byte\n%s", round, whole.text, cut.text);
		free(whole.text);
		free(cut.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_limit_has_a_verdict),
		cmocka_unit_test(nul_in_a_head_is_a_byte_like_others),
		cmocka_unit_test(an_endless_event_is_passed_over_and_told),
		cmocka_unit_test(memory_stays_with_the_open_event),
		cmocka_unit_test(failing_memory_is_survived),
		cmocka_unit_test(any_input_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
