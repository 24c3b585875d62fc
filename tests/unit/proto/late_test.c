/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: joined in the middle or after a hole, proto finds the next place that it can be sure of, tells what it can
 * read, says what is missing, and the exchange after that is as if nothing had happened.
 */
#include "unit/proto/wire.h"

static const struct wire_opts plain;
static const struct wire_opts late = { .is_late = true };

#define SSE_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define NEXT     C("GET /next HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
#define NEXT_TOLD(n)                                                                                                   \
	n "q GET  /next 1.1\n" n "q framed body=0 stream=22 missing=0\n" n "a 200 1.1 [content-length=4]\n" n          \
	  "a bytes good\n" n "a framed body=4 stream=42 missing=0\n"

/* ---- joined late ---- */

static void the_next_message_is_found(void **state)
{
	wire_expect(late, WIRE(C("\"tail of a body\"}"), NEXT), NEXT_TOLD("1"));
	wire_expect(late, WIRE(S("tail of a body\r\n\r\n"), NEXT), NEXT_TOLD("1"));
	wire_expect(late, WIRE(NEXT), NEXT_TOLD("1"));
}

static void an_answer_without_its_request_is_told_alone(void **state)
{
	wire_expect(
		late, WIRE(C("the end of a request}"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), NEXT),
		"1a 200 1.1 [content-length=2]\n1a bytes ok\n1a framed body=2 stream=40 missing=0\n" NEXT_TOLD("2"));
}

/* It may have been a HEAD: then its length is that of a body that never comes, and the next question shows it. */
static void an_answer_to_a_head_that_nobody_saw_takes_nothing_of_the_next(void **state)
{
	wire_expect(late, WIRE(S("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"), NEXT),
		    "1a 200 1.1 [content-length=17]\n1a framed body=0 stream=39 missing=0\n" NEXT_TOLD("2"));
	wire_expect(late, WIRE(S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), NEXT),
		    "1a 200 1.1 [transfer-encoding=chunked]\n1a framed body=0 stream=47 missing=0\n" NEXT_TOLD("2"));
	/* One that has begun goes on. */
	wire_expect(
		late,
		WIRE(S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"), C("GET /next HTTP/1.1\r\n\r\n"),
		     S("kHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")),
		"1a 200 1.1 [content-length=2]\n1a bytes o\n2q GET  /next 1.1\n2q framed body=0 stream=22 missing=0\n"
		"1a bytes k\n1a framed body=2 stream=40 missing=0\n"
		"2a 200 1.1 [content-length=4]\n2a bytes good\n2a framed body=4 stream=42 missing=0\n");
}

/* The zeros at its end may begin a frame of HTTP/2, but not where both sides speak HTTP/1: nothing waits for what follows. */
static void a_coded_answer_ends_before_the_next_question(void **state)
{
	wire_expect(
		late,
		WIRE(C("GET /a HTTP/1.1\r\n\r\n"),
		     S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 24\r\n\r\n"
		       "\037\213\010\000\000\000\000\000\002\003\113\317\317\117\001\000\222\116\204\154\004\000\000\000"),
		     NEXT),
		"1q GET  /a 1.1\n1q framed body=0 stream=19 missing=0\n"
		"1a 200 1.1 [content-encoding=gzip] [content-length=24]\n"
		"1a bytes good\n1a framed body=24 stream=87 missing=0\n" NEXT_TOLD("2"));
}

/* So may those at the end of a question: they wait for the answer's head, and for no more of it, however it is cut. */
static void a_coded_question_ends_before_the_body_of_its_answer(void **state)
{
	wire_expect(
		late,
		WIRE(C("POST /a HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 24\r\n\r\n"
		       "\037\213\010\000\000\000\000\000\002\003\113\317\317\117\001\000\222\116\204\154\004\000\000\000"),
		     S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), NEXT),
		"1q POST  /a 1.1 [content-encoding=gzip] [content-length=24]\n1q bytes good\n"
		"1a 200 1.1 [content-length=2]\n1q framed body=24 stream=88 missing=0\n"
		"1a bytes ok\n1a framed body=2 stream=40 missing=0\n" NEXT_TOLD("2"));
}

static void chunked_events_go_on_from_the_next_event(void **state)
{
	/* Between two reads, as it mostly is: nothing but the head is missed. */
	wire_expect(
		late, WIRE(S("9\r\ndata: a\n\n\r\n"), S("9\r\ndata: b\n\n\r\n"), S("0\r\n\r\n"), NEXT),
		"1a late\n1a event<> a\n1a event<> b\n1a framed body=-1 stream=33 missing=-1 joined_late\n" NEXT_TOLD(
			"2"));
	/* In the middle of an event; of a chunk that holds several; of an event that two chunks share. */
	wire_expect(late, WIRE(S("ta: x\n\n\r\n9\r\ndata: b\n\n\r\n"), S("0\r\n\r\n"), NEXT),
		    "1a late\n1a event<> b\n1a framed body=-1 stream=28 missing=-1 joined_late\n" NEXT_TOLD("2"));
	wire_expect(
		late, WIRE(S("ta: x\n\ndata: y\n\n\r\n9\r\ndata: b\n\n\r\n"), S("0\r\n\r\n"), NEXT),
		"1a late\n1a event<> y\n1a event<> b\n1a framed body=-1 stream=37 missing=-1 joined_late\n" NEXT_TOLD(
			"2"));
	wire_expect(late, WIRE(S("x\n\ndata: {\"abc\r\n6\r\ndef\"}\n\r\n1\r\n\n\r\n"), S("0\r\n\r\n"), NEXT),
		    "1a late\n1a event<> {\"abcdef\"}\n1a framed body=-1 stream=38 missing=-1 joined_late\n" NEXT_TOLD(
			    "2"));
}

static void events_with_crlf_go_on_too(void **state)
{
	wire_expect(
		late,
		WIRE(S("lo\"}\r\n\r\n\r\n15\r\ndata: {\"a\":1}\r\n\r\ndata\r\n"), S("8\r\n: 2\r\n\r\nd\r\n"),
		     S("0\r\n\r\n"), NEXT),
		"1a late\n1a event<> {\"a\":1}\n1a event<> 2\n1a framed body=-1 stream=55 missing=-1 joined_late\n" NEXT_TOLD(
			"2"));
}

static void bare_events_and_lines_go_on(void **state)
{
	wire_expect(late, WIRE(S("ta: x\n\nevent: e\ndata: b\n\n"), S("data: c")),
		    "1a late\n1a event<e> b\n1a event<> c\n1a framed body=-1 stream=32 missing=-1 joined_late\n");
	wire_expect(
		late, WIRE(S("1}\n{\"a\":2}\n"), S("{\"a\":3}\n"), NEXT),
		"1a late\n1a line {\"a\":2}\n1a line {\"a\":3}\n1a lost body=-1 stream=19 missing=-1 joined_late\n" NEXT_TOLD(
			"2"));
}

static void a_late_request_waits_for_the_next(void **state)
{
	struct piece body = C("{\"model\": \"m\", \"prompt\": \"GET / HTTP/1.1\\r\\n data: x \\n\\n\"}\r\n");

	wire_expect(late, WIRE(body, NEXT), NEXT_TOLD("1"));
}

static void a_start_that_is_none_is_not_believed(void **state)
{
	wire_expect(late,
		    WIRE(S("text: HTTP/1.1 200 OK\r\nis how it begins\r\n"), S("POST / HTTP/1.1\r\nand so on\r\n\r\n"),
			 NEXT),
		    NEXT_TOLD("1"));
}

static void binary_is_given_up_and_text_is_not(void **state)
{
	static char text[200000];
	struct piece pieces[] = { { .dir = DIR_READ, .text = { text, sizeof(text) } }, NEXT };
	struct wire_opts opts = { .is_late = true, .how = CLOSE_REMOTE };
	struct wire wire;

	memset(text, 'x', sizeof(text));
	wire = wire_run(&opts, pieces, ARRAY_SIZE(pieces));
	assert_int_equal(wire.denied, 0);
	assert_string_equal(wire.text, NEXT_TOLD("1"));
	free(wire.text);
	text[70000] = 0;
	wire = wire_run(&opts, pieces, ARRAY_SIZE(pieces));
	assert_int_equal(wire.denied, 1);
	assert_string_equal(wire.text, "");
	free(wire.text);
}

/* ---- holes ---- */

static void a_hole_in_a_length_leaves_the_framing(void **state)
{
	wire_expect(
		plain,
		WIRE(C("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nab"), C_HOLE(5), C("hij"),
		     S("HTTP/1.1 204 N\r\n\r\n"), NEXT),
		"1q POST  / 1.1 [content-length=10]\n1q bytes ab\n1q hole ring_full\n1q bytes hij\n"
		"1q framed body=10 stream=49 missing=5 ring_full\n1a 204 1.1\n1a framed body=0 stream=18 missing=0\n" NEXT_TOLD(
			"2"));
}

static void a_hole_inside_a_chunk_leaves_the_chain(void **state)
{
	wire_expect(plain,
		    WIRE(C("GET / HTTP/1.1\r\n\r\n"), S(SSE_HEAD "1e\r\ndata: a\n\ndata: "), S_HOLE(5),
			 S("\n\ndata: c\n\r\n"), S("1\r\n\n\r\n0\r\n\r\n"), NEXT),
		    "1q GET  / 1.1\n1q framed body=0 stream=18 missing=0\n"
		    "1a 200 1.1 [content-type=text/event-stream] [transfer-encoding=chunked]\n"
		    "1a event<> a\n1a hole ring_full\n1a event<> c\n"
		    "1a framed body=31 stream=127 missing=5 ring_full\n" NEXT_TOLD("2"));
}

static void a_hole_over_chunks_finds_the_chain_again(void **state)
{
	wire_expect(plain,
		    WIRE(C("GET / HTTP/1.1\r\n\r\n"), S(SSE_HEAD "9\r\ndata: a\n\n\r\n"), S_HOLE(28),
			 S("9\r\ndata: d\n\n\r\n"), S("0\r\n\r\n"), NEXT),
		    "1q GET  / 1.1\n1q framed body=0 stream=18 missing=0\n"
		    "1a 200 1.1 [content-type=text/event-stream] [transfer-encoding=chunked]\n"
		    "1a event<> a\n1a hole ring_full\n1a event<> d\n"
		    "1a framed body=-1 stream=141 missing=28 ring_full\n" NEXT_TOLD("2"));
}

static void a_hole_in_a_compressed_body_ends_its_decoding(void **state)
{
	wire_expect(plain,
		    WIRE(C("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n\x1f\x8b\x08\x00"),
			 C_HOLE(6), C("0123456789"), S("HTTP/1.1 204 N\r\n\r\n"), NEXT),
		    "1q POST  / 1.1 [content-encoding=gzip] [content-length=20]\n1q hole ring_full\n"
		    "1q framed body=20 stream=83 missing=16 ring_full undecodable\n"
		    "1a 204 1.1\n1a framed body=0 stream=18 missing=0\n" NEXT_TOLD("2"));
}

static void a_hole_in_a_head_loses_the_message(void **state)
{
	wire_expect(plain,
		    WIRE(C("POST /x HTTP/1.1\r\nHost: h\r\nContent-Le"), C_HOLE(12), C("\r\n\r\n{\"a\":1}"),
			 S("HTTP/1.1 204 N\r\n\r\n"), NEXT),
		    "1q POST h /x 1.1 [host=h]\n1q hole ring_full\n1q hole ring_full\n"
		    "1a 204 1.1\n1a framed body=0 stream=18 missing=0\n"
		    "1q lost body=-1 stream=60 missing=33 ring_full\n" NEXT_TOLD("2"));
}

static void a_hidden_request_is_paired_with_its_answer(void **state)
{
	wire_expect(
		plain, WIRE(NEXT, C_HOLE(100), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), NEXT),
		NEXT_TOLD(
			"1") "2q late\n2q hole ring_full\n2a 200 1.1 [content-length=2]\n2a bytes ok\n"
			     "2a framed body=2 stream=40 missing=0\n2q lost body=-1 stream=100 missing=100 ring_full\n" NEXT_TOLD(
				     "3"));
}

static void a_hidden_answer_ends_with_the_next_request(void **state)
{
	wire_expect(plain, WIRE(C("GET / HTTP/1.1\r\n\r\n"), S_HOLE(100), NEXT),
		    "1q GET  / 1.1\n1q framed body=0 stream=18 missing=0\n1a late\n1a hole ring_full\n"
		    "1a lost body=-1 stream=100 missing=100 ring_full\n" NEXT_TOLD("2"));
}

/* The hole is noticed late, when the next answer has come: both were asked for by then. */
static void a_late_noticed_hole_does_not_shift_the_answers(void **state)
{
	wire_expect(plain,
		    WIRE(C("GET /1 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"),
			 C("GET /2 HTTP/1.1\r\n\r\n"), C("GET /next HTTP/1.1\r\n\r\n"), S_HOLE(60),
			 S("x}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")),
		    "1q GET  /1 1.1\n1q framed body=0 stream=19 missing=0\n1a 200 1.1 [content-length=9]\n1a bytes ab\n"
		    "2q GET  /2 1.1\n2q framed body=0 stream=19 missing=0\n"
		    "3q GET  /next 1.1\n3q framed body=0 stream=22 missing=0\n"
		    "1a hole ring_full\n1a framed body=9 stream=47 missing=7 ring_full\n"
		    "2a late\n2a hole ring_full\n2a lost body=-1 stream=55 missing=55 ring_full\n"
		    "3a 200 1.1 [content-length=4]\n3a bytes good\n3a framed body=4 stream=42 missing=0\n");
}

#define TIMED(how, at, literal)                                                                                        \
	{                                                                                                              \
		.dir = (how), .text = { (literal), sizeof(literal) - 1 }, .time_ns = (at)                              \
	}

/* A list of models is asked for and muted, then a call is made, then the next list is asked for, all told before the hole: the
 * answer that follows it is older than the last question. */
static void an_answer_behind_a_muted_one_finds_its_request(void **state)
{
	static const char told[] =
		"1q GET  /models 1.1\n1q framed body=0 stream=24 missing=0\n"
		"2q POST  /call 1.1 [content-length=1]\n2q bytes x\n2q framed body=1 stream=43 missing=0\n"
		"3q GET  /models 1.1\n3q framed body=0 stream=24 missing=0\n"
		"1a late\n1a hole policy\n1a lost body=-1 stream=153 missing=153 policy\n"
		"2a 200 1.1 [content-length=4]\n2a bytes good\n2a framed body=4 stream=42 missing=0\n"
		"3a 204 1.1\n3a framed body=0 stream=18 missing=0\n";
	const struct wire_opts *both[] = { &plain, &late };

	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		wire_expect(*both[i],
			    WIRE(TIMED(DIR_WRITE, 100, "GET /models HTTP/1.1\r\n\r\n"),
				 TIMED(DIR_WRITE, 200, "POST /call HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"),
				 TIMED(DIR_WRITE, 400, "GET /models HTTP/1.1\r\n\r\n"), S_MUTED(153),
				 TIMED(DIR_READ, 300, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"),
				 TIMED(DIR_READ, 500, "HTTP/1.1 204 N\r\n\r\n")),
			    told);
}

static void a_hole_at_the_very_beginning_is_a_late_join(void **state)
{
	wire_expect(plain, WIRE(C_HOLE(10), C("rest}"), NEXT), NEXT_TOLD("1"));
	wire_expect(plain, WIRE(C("POS"), C_HOLE(10), C("rest}"), NEXT), NEXT_TOLD("1"));
}

static void a_hole_in_a_close_delimited_body(void **state)
{
	wire_expect(plain, WIRE(C("GET / HTTP/1.0\r\n\r\n"), S("HTTP/1.0 200 OK\r\n\r\nab"), S_HOLE(3), S("fg")),
		    "1q GET  / 1.0\n1q framed body=0 stream=18 missing=0\n1a 200 1.0\n1a bytes ab\n1a hole ring_full\n"
		    "1a bytes fg\n1a framed body=7 stream=26 missing=3 ring_full\n");
}

/* ---- any hole, anywhere ---- */

/* The last exchange is told whole whatever is missing before it. */
static void assert_last_is_intact(const struct piece *pieces, size_t count, const char *what, size_t at)
{
	struct wire_opts opts = { .how = CLOSE_REMOTE };

	for (opts.step = 0; opts.step < 2; opts.step++) {
		struct wire wire = wire_run(&opts, pieces, count);
		const char *last = strstr(wire.text, "GET  /next 1.1");
		const char *answer = last ? strstr(last, "a bytes good\n") : NULL;

		if (!answer || !strstr(answer, "a framed body=4 stream=42 missing=0"))
			fail_msg("%s %zu:\n%s", what, at, wire.text);
		free(wire.text);
	}
}

static const struct piece session[] = {
	C("POST /1 HTTP/1.1\r\nHost: h\r\n"),
	C("Content-Length: 8\r\n\r\n"),
	C("question"),
	S("HTTP/1.1 100 Continue\r\n\r\n"),
	S("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"),
	S("Transfer-Encoding: chunked\r\n\r\n"),
	S("9\r\ndata: a\n\n\r\n"),
	S("12\r\ndata: b\n\ndata: c\n\n\r\n"),
	S("9\r\ndata: d\n\n\r\n"),
	S("0\r\n\r\n"),
	C("POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
	C("5\r\nhello\r\n"),
	C("0\r\n\r\n"),
	S("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"),
	S("Content-Length: 9\r\n\r\n{\"a\""),
	S(":123}"),
	NEXT,
};

static void any_chunk_missing_leaves_the_next_exchange_intact(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(session) - 2; i++) {
		struct piece pieces[ARRAY_SIZE(session)];

		memcpy(pieces, session, sizeof(session));
		pieces[i].hole_len = pieces[i].text.len;
		pieces[i].text = SLICE_NONE;
		assert_last_is_intact(pieces, ARRAY_SIZE(pieces), "without piece", i);
	}
}

/* Every hole of every length inside every piece. */
static void any_bytes_missing_leave_the_next_exchange_intact(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(session) - 2; i++)
		for (size_t from = 0; from < session[i].text.len; from += 3)
			for (size_t len = 1; from + len <= session[i].text.len; len += 5) {
				struct piece pieces[ARRAY_SIZE(session) + 1];

				memcpy(pieces, session, (i + 1) * sizeof(session[0]));
				memcpy(pieces + i + 1, session + i, sizeof(session) - i * sizeof(session[0]));
				pieces[i].text.len = from;
				pieces[i].hole_len = len;
				pieces[i + 1].text = slice_from(session[i].text, from + len);
				assert_last_is_intact(pieces, ARRAY_SIZE(pieces), "with a hole in piece", i);
			}
}

static void joined_at_any_byte_the_next_exchange_is_intact(void **state)
{
	static const struct wire_opts joined = { .is_late = true, .how = CLOSE_REMOTE };

	for (size_t i = 0; i < ARRAY_SIZE(session) - 2; i++)
		for (size_t from = 0; from <= session[i].text.len; from++) {
			struct piece pieces[ARRAY_SIZE(session)];
			struct wire wire;

			memcpy(pieces, session + i, sizeof(session) - i * sizeof(session[0]));
			pieces[0].text = slice_from(session[i].text, from);
			wire = wire_run(&joined, pieces, ARRAY_SIZE(session) - i);
			if (!strstr(wire.text, "GET  /next 1.1") || !strstr(wire.text, "a bytes good\n"))
				fail_msg("piece %zu from %zu:\n%s", i, from, wire.text);
			free(wire.text);
		}
}

static void the_sums_so_far_of_what_is_open(void **state)
{
	wire_expect(
		(struct wire_opts){ .is_late = true, .has_so_far = true },
		WIRE(C("\"tail of a body\"}"), C("GET /next HTTP/1.1\r\n\r\n"),
		     S("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngo")),
		"1q GET  /next 1.1\n1q framed body=0 stream=22 missing=0\n1a 200 1.1 [content-length=4]\n1a bytes go\n"
		"1a so far body=2 stream=40 missing=0 \n1a cut body=2 stream=40 missing=0\n");
}

#define ANSWER(text) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" text

static void messages_that_nobody_wants_shift_no_answer(void **state)
{
	static const char want[] = "1q GET  /1 1.1\n1q framed body=0 stream=19 missing=0\n"
				   "1a 200 1.1 [content-length=1]\n1a bytes 1\n1a framed body=1 stream=39 missing=0\n"
				   "2q GET  /2 1.1\n2q framed body=0 stream=19 missing=0\n"
				   "2a 200 1.1 [content-length=1]\n2a bytes 2\n2a framed body=1 stream=39 missing=0\n";

	for (int is_late = 0; is_late < 2; is_late++)
		wire_expect((struct wire_opts){ .is_late = is_late },
			    WIRE(C("GET /1 HTTP/1.1\r\n\r\n"), S(ANSWER("1")), C_UNWANTED(5000),
				 C("GET /2 HTTP/1.1\r\n\r\n"), S_UNWANTED(100), S(ANSWER("2")), C_UNWANTED(9),
				 S_UNWANTED(9)),
			    want);
}

/* Whoever said so was wrong: then it is a hole like another. */
static void what_nobody_wants_is_a_hole_inside_a_message(void **state)
{
	wire_expect((struct wire_opts){ 0 },
		    WIRE(C("GET /1 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123"),
			 S_UNWANTED(4), S("89")),
		    "1q GET  /1 1.1\n1q framed body=0 stream=19 missing=0\n"
		    "1a 200 1.1 [content-length=9]\n1a bytes 123\n1a hole policy\n1a bytes 89\n"
		    "1a framed body=9 stream=47 missing=4 policy\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_that_nobody_wants_shift_no_answer),
		cmocka_unit_test(what_nobody_wants_is_a_hole_inside_a_message),
		cmocka_unit_test(the_next_message_is_found),
		cmocka_unit_test(an_answer_without_its_request_is_told_alone),
		cmocka_unit_test(an_answer_to_a_head_that_nobody_saw_takes_nothing_of_the_next),
		cmocka_unit_test(a_coded_answer_ends_before_the_next_question),
		cmocka_unit_test(a_coded_question_ends_before_the_body_of_its_answer),
		cmocka_unit_test(chunked_events_go_on_from_the_next_event),
		cmocka_unit_test(events_with_crlf_go_on_too),
		cmocka_unit_test(bare_events_and_lines_go_on),
		cmocka_unit_test(a_late_request_waits_for_the_next),
		cmocka_unit_test(a_start_that_is_none_is_not_believed),
		cmocka_unit_test(binary_is_given_up_and_text_is_not),
		cmocka_unit_test(a_hole_in_a_length_leaves_the_framing),
		cmocka_unit_test(a_hole_inside_a_chunk_leaves_the_chain),
		cmocka_unit_test(a_hole_over_chunks_finds_the_chain_again),
		cmocka_unit_test(a_hole_in_a_compressed_body_ends_its_decoding),
		cmocka_unit_test(a_hole_in_a_head_loses_the_message),
		cmocka_unit_test(a_hidden_request_is_paired_with_its_answer),
		cmocka_unit_test(a_hidden_answer_ends_with_the_next_request),
		cmocka_unit_test(a_late_noticed_hole_does_not_shift_the_answers),
		cmocka_unit_test(an_answer_behind_a_muted_one_finds_its_request),
		cmocka_unit_test(a_hole_at_the_very_beginning_is_a_late_join),
		cmocka_unit_test(a_hole_in_a_close_delimited_body),
		cmocka_unit_test(any_chunk_missing_leaves_the_next_exchange_intact),
		cmocka_unit_test(any_bytes_missing_leave_the_next_exchange_intact),
		cmocka_unit_test(joined_at_any_byte_the_next_exchange_is_intact),
		cmocka_unit_test(the_sums_so_far_of_what_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
