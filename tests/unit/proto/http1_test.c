/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: HTTP/1 as RFC 9110 and 9112 have it, from its first byte, in any cuts, with both directions' order kept. */
#include "unit/proto/wire.h"

static const struct wire_opts plain;

static void an_exchange_with_lengths(void **state)
{
	wire_expect(plain,
		    WIRE(C("POST /v1/chat?x=1 HTTP/1.1\r\nHost: api.example\r\nContent-Length: 5\r\n\r\nhello"),
			 S("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length:  3 \r\n\r\nyes")),
		    "1q POST api.example /v1/chat?x=1 1.1 [host=api.example] [content-length=5]\n"
		    "1q bytes hello\n"
		    "1q framed body=5 stream=73 missing=0\n"
		    "1a 200 1.1 [content-type=text/plain] [content-length=3]\n"
		    "1a bytes yes\n"
		    "1a framed body=3 stream=69 missing=0\n");
}

static void keep_alive_and_the_server_side(void **state)
{
	struct piece pieces[] = { C("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), S("HTTP/1.1 204 No Content\r\n\r\n"),
				  C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n") };
	const char *want = "1q GET h /a 1.1 [host=h]\n"
			   "1q framed body=0 stream=28 missing=0\n"
			   "1a 204 1.1\n"
			   "1a framed body=0 stream=27 missing=0\n"
			   "2q GET  /b 1.1\n"
			   "2q framed body=0 stream=19 missing=0\n"
			   "2a 404 1.1 [content-length=0]\n"
			   "2a framed body=0 stream=36 missing=0\n";

	wire_expect(plain, pieces, ARRAY_SIZE(pieces), want);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		pieces[i].dir = direction_other(pieces[i].dir);
	wire_expect(plain, pieces, ARRAY_SIZE(pieces), want);
}

static void chunks_with_extensions_and_trailers(void **state)
{
	wire_expect(plain,
		    WIRE(C("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\n\r\n"),
			 S("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n00A \r\n0123456789\r\n"
			   "1\nx\n0\r\nExpires: never\r\nX: y\r\n\r\n"),
			 C("GET /2 HTTP/1.1\r\n\r\n")),
		    "1q POST  / 1.1 [transfer-encoding=chunked]\n"
		    "1q bytes abc\n"
		    "1q framed body=3 stream=66 missing=0\n"
		    "1a 200 1.1 [transfer-encoding=Chunked]\n"
		    "1a bytes 0123456789x\n"
		    "1a framed body=11 stream=96 missing=0\n"
		    "2q GET  /2 1.1\n"
		    "2q framed body=0 stream=19 missing=0\n");
}

static void pipelined_requests_pair_in_order(void **state)
{
	wire_expect(plain,
		    WIRE(C("HEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n"),
			 S("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"
			   "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n")),
		    "1q HEAD  /1 1.1\n1q framed body=0 stream=20 missing=0\n"
		    "2q GET  /2 1.1\n2q framed body=0 stream=19 missing=0\n"
		    "3q GET  /3 1.1\n3q framed body=0 stream=19 missing=0\n"
		    "1a 200 1.1 [content-length=99]\n1a framed body=0 stream=39 missing=0\n"
		    "2a 200 1.1 [content-length=1]\n2a bytes 2\n2a framed body=1 stream=39 missing=0\n"
		    "3a 304 1.1 [content-length=7]\n3a framed body=0 stream=48 missing=0\n");
}

static void more_pipelined_requests_than_are_kept_lose_only_their_names(void **state)
{
	struct piece pieces[80];
	struct wire_opts opts = { .how = CLOSE_REMOTE };
	struct wire wire;

	for (size_t i = 0; i < 40; i++) {
		pieces[i] = (struct piece)C("GET / HTTP/1.1\r\n\r\n");
		pieces[40 + i] = (struct piece)S("HTTP/1.1 204 N\r\n\r\n");
	}
	wire = wire_run(&opts, pieces, 80);
	assert_non_null(strstr(wire.text, "32a 204"));
	assert_null(strstr(wire.text, "33a 204"));
	assert_non_null(strstr(wire.text, "41a 204")); /* of their own */
	assert_non_null(strstr(wire.text, "48a 204"));
	free(wire.text);
}

static void interim_answers_are_not_told(void **state)
{
	wire_expect(
		plain,
		WIRE(C("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
		     S("HTTP/1.1 100 Continue\r\n\r\n"), C("ok"),
		     S("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")),
		"1q POST  / 1.1 [expect=100-continue] [content-length=2]\n"
		"1q bytes ok\n"
		"1q framed body=2 stream=62 missing=0\n"
		"1a 201 1.1 [content-length=0]\n"
		"1a framed body=0 stream=105 missing=0\n");
}

static void an_early_answer_does_not_end_the_request(void **state)
{
	wire_expect(plain,
		    WIRE(C("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc"),
			 S("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno"), C("def"), C("GET /2 HTTP/1.1\r\n\r\n"),
			 S("HTTP/1.1 204 N\r\n\r\n")),
		    "1q POST  / 1.1 [content-length=6]\n"
		    "1q bytes abc\n"
		    "1a 413 1.1 [content-length=2]\n"
		    "1a bytes no\n"
		    "1a framed body=2 stream=40 missing=0\n"
		    "1q bytes def\n"
		    "1q framed body=6 stream=44 missing=0\n"
		    "2q GET  /2 1.1\n"
		    "2q framed body=0 stream=19 missing=0\n"
		    "2a 204 1.1\n"
		    "2a framed body=0 stream=18 missing=0\n");
}

static void the_close_ends_what_it_delimits(void **state)
{
	struct piece pieces[] = { C("GET / HTTP/1.0\r\n\r\n"), S("HTTP/1.0 200 OK\r\n\r\nall of it") };
	const char *head = "1q GET  / 1.0\n1q framed body=0 stream=18 missing=0\n1a 200 1.0\n1a bytes all of it\n";
	static const struct {
		enum close_how how;
		bool is_server;
		const char *end;
	} rows[] = {
		{ CLOSE_REMOTE, false, "framed" }, { CLOSE_LOCAL, false, "cut" },   { CLOSE_RESET, false, "cut" },
		{ CLOSE_EXIT, false, "cut" },      { CLOSE_LOCAL, true, "framed" }, { CLOSE_REMOTE, true, "cut" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char want[512];

		pieces[0].dir = rows[i].is_server ? DIR_READ : DIR_WRITE;
		pieces[1].dir = direction_other(pieces[0].dir);
		snprintf(want, sizeof(want), "%s1a %s body=9 stream=28 missing=0\n", head, rows[i].end);
		wire_expect((struct wire_opts){ .how = rows[i].how }, pieces, 2, want);
	}
}

static void who_leaves_early_is_told_by_the_close(void **state)
{
	wire_expect((struct wire_opts){ .how = CLOSE_LOCAL },
		    WIRE(C("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"),
			 S("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "e\r\ndata: [DONE]\n\n\r\n")),
		    "1q POST  / 1.1 [content-length=9]\n"
		    "1q bytes half\n"
		    "1a 200 1.1 [content-type=text/event-stream] [transfer-encoding=chunked]\n"
		    "1a event<> [DONE]\n"
		    "1q cut body=4 stream=42 missing=0\n"
		    "1a cut body=14 stream=99 missing=0\n");
}

static void a_head_cut_by_the_end_is_told(void **state)
{
	wire_expect(plain, WIRE(C("GET /x HTTP/1.1\r\nHost: h\r\nAcc"), S("HTTP/1.1 20")),
		    "1q GET h /x 1.1 [host=h]\n"
		    "1q cut body=0 stream=29 missing=0\n");
}

static void lenient_where_clients_are(void **state)
{
	wire_expect(plain,
		    WIRE(C("\r\n\nGET /x HTTP/1.1\nHost : h\nA: one\n two\r\n\tthree\nnonsense\nB:\n\n"),
			 S("HTTP/1.1 200\nContent-Length: 2, 2\n\nok")),
		    "1q GET h /x 1.1 [host=h] [a=one  two  \tthree] [b=]\n"
		    "1q framed body=0 stream=61 missing=0\n"
		    "1a 200 1.1 [content-length=2, 2]\n"
		    "1a bytes ok\n"
		    "1a framed body=2 stream=37 missing=0\n");
}

static void targets_in_all_their_forms(void **state)
{
	wire_expect(plain,
		    WIRE(C("GET http://a.example:81/p?q HTTP/1.1\r\nHost: other\r\n\r\n"),
			 C("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), C("GET HTTPS://a.example HTTP/1.1\r\n\r\n"),
			 C("GET http://a?x=/ HTTP/1.1\r\n\r\n")),
		    "1q GET a.example:81 /p?q 1.1 [host=other]\n1q framed body=0 stream=53 missing=0\n"
		    "2q OPTIONS h * 1.1 [host=h]\n2q framed body=0 stream=31 missing=0\n"
		    "3q GET a.example / 1.1\n3q framed body=0 stream=34 missing=0\n"
		    "4q GET a ?x=/ 1.1\n4q framed body=0 stream=29 missing=0\n");
}

static void chunked_outranks_a_length(void **state)
{
	wire_expect(
		plain,
		WIRE(C("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
		     S("HTTP/1.1 204 N\r\n\r\n")),
		"1q POST  / 1.1 [content-length=3] [transfer-encoding=chunked]\n"
		"1q bytes x\n"
		"1q framed body=1 stream=77 missing=0\n"
		"1a 204 1.1\n"
		"1a framed body=0 stream=18 missing=0\n");
}

static void another_protocol_ends_the_exchange(void **state)
{
	struct wire_opts opts = { .how = CLOSE_REMOTE };
	struct piece upgrade[] = { C("GET /ws HTTP/1.1\r\nUpgrade: whatsoever\r\n\r\n"),
				   S("HTTP/1.1 101 Switching\r\nUpgrade: whatsoever\r\n\r\n\x81\x02hi"),
				   C("\x81\x82zzzzhi") };
	struct piece tunnel[] = { C("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n"),
				  C("\x16\x03\x01GET / HTTP/1.1\r\n\r\n") };
	struct wire wire;

	wire_expect(plain, upgrade, 3,
		    "1q GET  /ws 1.1 [upgrade=whatsoever]\n1q framed body=0 stream=41 missing=0\n"
		    "1a 101 1.1 [upgrade=whatsoever]\n1a framed body=0 stream=47 missing=0\n");
	wire_expect(plain, tunnel, 3,
		    "1q CONNECT h:443 h:443 1.1 [host=h:443]\n1q framed body=0 stream=39 missing=0\n"
		    "1a 200 1.1\n1a framed body=0 stream=19 missing=0\n");
	wire = wire_run(&opts, upgrade, 3);
	assert_int_equal(wire.denied, 1);
	free(wire.text);
}

static void what_is_not_http_is_denied_at_once(void **state)
{
	struct piece firsts[] = {
		C("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and more of it"),
		C("EHLO mail.example\r\n"),
		S("SSH-2.0-OpenSSH_9.2\r\n........"),
		C("\x00\x00\x00\x10\x04\xd2\x16\x2e"),
		S("atokentoolongtobeamethod"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
		for (size_t step = 0; step < 3; step++) {
			struct wire_opts opts = { .step = step };
			struct wire wire = wire_run(&opts, &firsts[i], 1);

			assert_int_equal(wire.denied, 1);
			assert_string_equal(wire.text, "");
			free(wire.text);
		}
	}
}

static void a_skipped_answer_is_followed_but_not_read(void **state)
{
	wire_expect((struct wire_opts){ .skip = 1 },
		    WIRE(C("GET /1 HTTP/1.1\r\n\r\n"),
			 S("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "9\r\ndata: x\n\n\r\n0\r\n\r\n"),
			 C("GET /2 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")),
		    "1q GET  /1 1.1\n1q framed body=0 stream=19 missing=0\n"
		    "1a 200 1.1 [content-type=text/event-stream] [transfer-encoding=chunked]\n"
		    "1a framed body=9 stream=99 missing=0\n"
		    "2q GET  /2 1.1\n2q framed body=0 stream=19 missing=0\n"
		    "2a 200 1.1 [content-length=1]\n2a bytes 2\n2a framed body=1 stream=39 missing=0\n");
}

static void parts_carry_the_time_of_the_read_that_completed_them(void **state)
{
	wire_expect((struct wire_opts){ .has_times = true },
		    WIRE(C("GET / HTTP/1.1\r\n\r\n"),
			 S("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: 1\n"),
			 S("\ndata: 2"), S("\n\ndata: 3\r\n"), S("\r\n"),
			 S("event: a\ndata:\ndata: 4\n\n: ping\n\ndata: last")),
		    "1q GET  / 1.1\n1q framed body=0 stream=18 missing=0 @10\n"
		    "1a 200 1.1 [content-type=text/event-stream; charset=utf-8]\n"
		    "1a event<> 1 @30\n1a event<> 2 @40\n1a event<> 3 @50\n1a event<a> \n4 @60\n1a event<> last @60\n"
		    "1a framed body=71 stream=138 missing=0 @60\n");
}

static void lines_of_ndjson(void **state)
{
	wire_expect((struct wire_opts){ .has_times = true },
		    WIRE(C("GET / HTTP/1.1\r\n\r\n"),
			 S("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "4\r\n{}\n{\r\n"),
			 S("9\r\n\"a\":1}\r\n\n\r\n"), S("2\r\n42\r\n0\r\n\r\n")),
		    "1q GET  / 1.1\n1q framed body=0 stream=18 missing=0 @10\n"
		    "1a 200 1.1 [content-type=application/x-ndjson] [transfer-encoding=chunked]\n"
		    "1a line {} @20\n1a line {\"a\":1} @30\n1a line 42 @40\n"
		    "1a framed body=15 stream=118 missing=0 @40\n");
}

/* 10^6 feeds of one byte take no longer for being one body than for being many. */
static void single_bytes_cost_the_same_each(void **state)
{
	static char text[200000];
	static const char head[] = "POST / HTTP/1.1\r\nContent-Length: 199000\r\nX: ";
	struct piece piece = { .dir = DIR_WRITE, .text = { text, sizeof(text) } };
	struct wire_opts opts = { .step = 1 };

	memset(text, 'x', sizeof(text));
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + 996, "\r\n\r\n", 4);
	for (int i = 0; i < 5; i++)
		free(wire_run(&opts, &piece, 1).text);
}

static void the_sums_so_far_of_what_is_open(void **state)
{
	static const char question[] = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n12345";
	const struct wire_opts opts = { 0 };
	struct fail_alloc memory = FAIL_ALLOC(0);
	struct proto_opts proto_opts = wire_proto_opts(&opts, &memory.alloc);
	struct wire wire = { .opts = &opts };
	struct message_end end = { 0 };
	struct proto *proto;

	assert_int_equal(proto_new(&proto_opts, false, &wire_ops, &wire, &proto), 0);
	assert_false(proto_so_far(proto, 1, MESSAGE_REQUEST, &end));
	proto_bytes(proto, DIR_WRITE, 1, SLICE(question));
	assert_false(proto_so_far(proto, 1, MESSAGE_REQUEST, &end));
	proto_bytes(proto, DIR_READ, 2, SLICE(answer));
	proto_hole(proto, DIR_READ, 20, MISSING_RING_FULL, 3);
	assert_true(proto_so_far(proto, 1, MESSAGE_RESPONSE, &end));
	assert_int_equal(end.stream_bytes, sizeof(answer) - 1 + 20);
	assert_int_equal(end.body_bytes, 25);
	assert_int_equal(end.missing_bytes, 20);
	assert_int_equal(end.missing_reasons, 1u << MISSING_RING_FULL);
	assert_false(proto_so_far(proto, 2, MESSAGE_RESPONSE, &end));
	proto_end(proto, CLOSE_LOCAL, 4);
	assert_false(proto_so_far(proto, 1, MESSAGE_RESPONSE, &end));
	proto_free(proto);
	free(wire.text);
	assert_int_equal(memory.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exchange_with_lengths),
		cmocka_unit_test(keep_alive_and_the_server_side),
		cmocka_unit_test(chunks_with_extensions_and_trailers),
		cmocka_unit_test(pipelined_requests_pair_in_order),
		cmocka_unit_test(more_pipelined_requests_than_are_kept_lose_only_their_names),
		cmocka_unit_test(interim_answers_are_not_told),
		cmocka_unit_test(an_early_answer_does_not_end_the_request),
		cmocka_unit_test(the_close_ends_what_it_delimits),
		cmocka_unit_test(who_leaves_early_is_told_by_the_close),
		cmocka_unit_test(a_head_cut_by_the_end_is_told),
		cmocka_unit_test(lenient_where_clients_are),
		cmocka_unit_test(targets_in_all_their_forms),
		cmocka_unit_test(chunked_outranks_a_length),
		cmocka_unit_test(another_protocol_ends_the_exchange),
		cmocka_unit_test(what_is_not_http_is_denied_at_once),
		cmocka_unit_test(a_skipped_answer_is_followed_but_not_read),
		cmocka_unit_test(parts_carry_the_time_of_the_read_that_completed_them),
		cmocka_unit_test(lines_of_ndjson),
		cmocka_unit_test(single_bytes_cost_the_same_each),
		cmocka_unit_test(the_sums_so_far_of_what_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
