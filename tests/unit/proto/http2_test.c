/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: what an HTTP/2 connection carries is told as messages, the same in all cuts, and every byte is in the books. */
#include "unit/proto/frames.h"
#include <zlib.h>

#define POST                                                                                                           \
	":method: POST\n:scheme: https\n:authority: api.example\n:path: /v1/chat/completions\ncontent-type: "          \
	"application/json\nuser-agent: one/1"
#define POST_TOLD   "POST api.example /v1/chat/completions 2 [content-type=application/json] [user-agent=one/1]\n"
#define EVENTS      ":status: 200\ncontent-type: text/event-stream\nx-request-id: r-1"
#define EVENTS_TOLD "200 2 [content-type=text/event-stream] [x-request-id=r-1]\n"

static void a_streamed_answer_is_told(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, POST);
	frames_data(&h2, CLIENT, 1, END_STREAM, "{\"model\":\"m\"}");
	frames_headers(&h2, SERVER, 1, 0, EVENTS);
	frames_data(&h2, SERVER, 1, 0, "data: {\"a\":1}\n\nda");
	frames_data(&h2, SERVER, 1, 0, "ta: [DONE]\n\n");
	frames_data(&h2, SERVER, 1, END_STREAM, "");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q " POST_TOLD "1q bytes {\"model\":\"m\"}\n"
		      "1q framed body=13 stream=78 missing=0\n"
		      "1a " EVENTS_TOLD "1a event<> {\"a\":1}\n1a event<> [DONE]\n"
		      "1a framed body=29 stream=95 missing=0\n");
}

static void interleaved_streams_stay_apart(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, POST);
	frames_headers(&h2, CLIENT, 3, END_STREAM, ":method: GET\n:scheme: https\n:authority: a\n:path: /v1/models");
	frames_headers(&h2, SERVER, 3, 0, ":status: 200\ncontent-type: application/json");
	frames_data(&h2, CLIENT, 1, 0, "{\"a\"");
	frames_data(&h2, SERVER, 3, 0, "[1,");
	frames_data(&h2, CLIENT, 1, END_STREAM, ":1}");
	frames_headers(&h2, SERVER, 1, 0, EVENTS);
	frames_data(&h2, SERVER, 1, 0, "data: x\n\nda");
	frames_data(&h2, SERVER, 3, END_STREAM, "2]");
	frames_data(&h2, SERVER, 1, END_STREAM, "ta: y\n\n");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q " POST_TOLD "2q GET a /v1/models 2\n2q framed body=0 stream=24 missing=0\n"
		      "2a 200 2 [content-type=application/json]\n1q bytes {\"a\"\n2a bytes [1,\n1q bytes :1}\n"
		      "1q framed body=7 stream=81 missing=0\n1a " EVENTS_TOLD
		      "1a event<> x\n2a bytes 2]\n2a framed body=5 stream=46 missing=0\n1a event<> y\n"
		      "1a framed body=18 stream=75 missing=0\n");
}

static void grpc_is_told_as_messages_with_its_trailers(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0,
		       ":method: POST\n:scheme: http\n:authority: a\n:path: /qdrant.Points/Search\n"
		       "content-type: application/grpc+proto\nte: trailers");
	frames_raw(&h2, CLIENT, DATA, END_STREAM, 1, SLICE("\0\0\0\0\5hello"));
	frames_headers(&h2, SERVER, 1, 0, ":status: 200\ncontent-type: application/grpc\ngrpc-encoding: gzip");
	/* Plain, empty, and "hello" as gzip. */
	frames_raw(&h2, SERVER, DATA, 0, 1, SLICE("\0\0\0\0\3abc\0\0\0\0\0\1\0\0\0"));
	frames_raw(&h2, SERVER, DATA, 0, 1,
		   SLICE("\x19\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0"));
	frames_headers(&h2, SERVER, 1, END_STREAM, "grpc-status: 0\ngrpc-message: ok");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q POST a /qdrant.Points/Search 2 [content-type=application/grpc+proto] [te=trailers]\n"
		      "1q grpc(10) hello\n1q framed body=10 stream=79 missing=0\n"
		      "1a 200 2 [content-type=application/grpc] [grpc-encoding=gzip]\n"
		      "1a grpc(8) abc\n1a grpc(5) \n1a grpc(30) hello\n"
		      "1a framed body=43 stream=135 missing=0 [grpc-status=0] [grpc-message=ok]\n");
}

static void put_number(char **at, uint32_t number)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*(*at)++ = (char)(number >> shift);
}

/* A message of AWS's event streams without headers. */
static struct slice aws_message(char *out, const char *payload)
{
	size_t len = strlen(payload);
	char *at = out;

	put_number(&at, (uint32_t)(16 + len));
	put_number(&at, 0);
	put_number(&at, (uint32_t)crc32(0, (unsigned char *)out, 8));
	memcpy(at, payload, len);
	at += len;
	put_number(&at, (uint32_t)crc32(0, (unsigned char *)out, (unsigned)(12 + len)));
	return (struct slice){ out, 16 + len };
}

/* Where the request is a stream of them, both sides talk; the answer alone is one of events. */
static void aws_messages_may_come_from_both_sides(void **state)
{
	static const char type[] = "content-type: application/vnd.amazon.eventstream";

	for (int both = 0; both < 2; both++) {
		struct frames h2 = frames_new();
		char fields[256], message[64];
		struct slice blob = aws_message(message, "{\"bytes\":\"aGk=\"}");

		snprintf(fields, sizeof(fields), ":method: POST\n:scheme: http\n:authority: a\n:path: /x%s%s",
			 both ? "\n" : "", both ? type : "");
		frames_headers(&h2, CLIENT, 1, 0, fields);
		snprintf(fields, sizeof(fields), ":status: 200\n%s", type);
		frames_headers(&h2, SERVER, 1, 0, fields);
		frames_raw(&h2, SERVER, DATA, 0, 1, blob);
		frames_raw(&h2, CLIENT, DATA, END_STREAM, 1, both ? blob : SLICE("hi"));
		frames_raw(&h2, SERVER, DATA, END_STREAM, 1, SLICE_NONE);
		frames_expect(
			&h2, (struct wire_opts){ 0 },
			both ? "1q POST a /x 2 [content-type=application/vnd.amazon.eventstream]\n"
			       "1a 200 2 [content-type=application/vnd.amazon.eventstream]\n1a (32) hi\n"
			       "1q (32) hi\n1q framed body=32 stream=85 missing=0\n"
			       "1a framed body=32 stream=86 missing=0\n"
			     : "1q POST a /x 2\n"
			       "1a 200 2 [content-type=application/vnd.amazon.eventstream]\n"
			       "1a event<> {\"bytes\":\"aGk=\"}\n1q bytes hi\n1q framed body=2 stream=29 missing=0\n"
			       "1a framed body=32 stream=86 missing=0\n");
	}
}

static void an_answer_of_trailers_alone_is_told(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, END_STREAM, ":method: POST\n:scheme: http\n:authority: a\n:path: /x");
	frames_headers(&h2, SERVER, 1, END_STREAM, ":status: 200\ncontent-type: application/grpc\ngrpc-status: 12");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q POST a /x 2\n1q framed body=0 stream=18 missing=0\n"
		      "1a 200 2 [content-type=application/grpc] [grpc-status=12]\n"
		      "1a framed body=0 stream=36 missing=0\n");
}

/* Padding, priorities and continuations in all places, an interim answer, a push, frames of unknown types. */
static void framing_in_all_its_forms_is_taken_off(void **state)
{
	struct frames h2 = frames_new();
	char block[1024];
	struct slice head;

	head = frames_block(&h2, CLIENT, ":method: POST\n:scheme: https\n:authority: a\n:path: /x", block,
			    sizeof(block));
	frames_raw(&h2, CLIENT, HEADERS, 0, 1, slice_head(head, 3));
	frames_raw(&h2, CLIENT, CONTINUATION, 0, 1, SLICE_NONE);
	frames_raw(&h2, CLIENT, CONTINUATION, END_HEADERS, 1, slice_from(head, 3));
	frames_raw(&h2, CLIENT, DATA, PADDED, 1, SLICE("\3ab\0\0\0"));
	frames_raw(&h2, CLIENT, DATA, PADDED, 1, SLICE("\0"));
	frames_raw(&h2, CLIENT, DATA, PADDED | END_STREAM, 1, SLICE("\1c\0"));
	frames_headers(&h2, SERVER, 1, 0, ":status: 103\nlink: </a>");
	head = frames_block(&h2, SERVER, ":method: GET\n:scheme: https\n:authority: a\n:path: /pushed", block + 4,
			    1000);
	memcpy(block, "\0\0\0\2", 4);
	frames_raw(&h2, SERVER, PUSH_PROMISE, END_HEADERS, 1, (struct slice){ block, head.len + 4 });
	frames_raw(&h2, SERVER, 0x42, 0xff, 1, SLICE("what nobody knows"));
	head = frames_block(&h2, SERVER, ":status: 200\nx-id: 1", block + 6, 1000);
	memcpy(block, "\2\x80\0\0\0\7", 6);
	memcpy(block + 6 + head.len, "\0\0", 2);
	frames_raw(&h2, SERVER, HEADERS, END_HEADERS | PADDED | HAS_PRIORITY, 1, (struct slice){ block, head.len + 8 });
	frames_raw(&h2, SERVER, PRIORITY, 0, 1, SLICE("\0\0\0\0\1"));
	frames_raw(&h2, SERVER, PING, 0, 0, SLICE("12345678"));
	frames_data(&h2, SERVER, 1, END_STREAM, "yes");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q POST a /x 2\n1q bytes abc\n1q framed body=3 stream=73 missing=0\n"
		      "1a 200 2 [x-id=1]\n1a bytes yes\n1a framed body=3 stream=56 missing=0\n");
}

static void a_reset_ends_a_stream_as_a_close_would(void **state)
{
	struct frames h2 = frames_new();

	for (uint32_t stream = 1; stream <= 7; stream += 2)
		frames_headers(&h2, CLIENT, stream, stream == 5 ? 0 : END_STREAM,
			       ":method: POST\n:scheme: https\n:authority: a\n:path: /x");
	frames_headers(&h2, SERVER, 1, 0, ":status: 200");
	frames_data(&h2, SERVER, 1, 0, "half");
	frames_raw(&h2, CLIENT, RST_STREAM, 0, 1, SLICE("\0\0\0\x08"));
	frames_raw(&h2, CLIENT, RST_STREAM, 0, 3, SLICE("\0\0\0\x08"));
	frames_raw(&h2, SERVER, RST_STREAM, 0, 5, SLICE("\0\0\0\x07"));
	frames_headers(&h2, SERVER, 7, END_STREAM, ":status: 204");
	frames_raw(&h2, CLIENT, RST_STREAM, 0, 7, SLICE("\0\0\0\x08"));
	frames_data(&h2, SERVER, 1, 0, "on its way");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q POST a /x 2\n1q framed body=0 stream=18 missing=0\n"
		      "2q POST a /x 2\n2q framed body=0 stream=16 missing=0\n3q POST a /x 2\n"
		      "4q POST a /x 2\n4q framed body=0 stream=16 missing=0\n"
		      "1a 200 2\n1a bytes half\n1a cut body=4 stream=23 missing=0 reset by 1\n"
		      "2a cut body=0 stream=0 missing=0 reset by 1\n"
		      "3q cut body=0 stream=16 missing=0 reset by 3\n3a cut body=0 stream=0 missing=0 reset by 3\n"
		      "4a 204 2\n4a framed body=0 stream=10 missing=0\n");
}

/* The body is all there, only the frame that says so is not: whoever has read it may leave. */
static void a_reset_after_the_whole_body_does_not_cut_it(void **state)
{
	static const char *const heads[] = { ":status: 200\ncontent-length: 4", ":status: 200\ncontent-length: 5",
					     ":status: 200\ncontent-length: 4 or more" };
	struct frames h2 = frames_new();

	for (uint32_t i = 0; i < ARRAY_SIZE(heads); i++) {
		uint32_t stream = 2 * i + 1;

		frames_headers(&h2, CLIENT, stream, END_STREAM,
			       ":method: GET\n:scheme: https\n:authority: a\n:path: /x");
		frames_headers(&h2, SERVER, stream, 0, heads[i]);
		frames_data(&h2, SERVER, stream, 0, "four");
		frames_raw(&h2, CLIENT, RST_STREAM, 0, stream, SLICE("\0\0\0\x08"));
		frames_data(&h2, SERVER, stream, END_STREAM, "");
	}
	frames_expect(
		&h2, (struct wire_opts){ 0 },
		"1q GET a /x 2\n1q framed body=0 stream=18 missing=0\n"
		"1a 200 2 [content-length=4]\n1a bytes four\n1a framed body=4 stream=27 missing=0\n"
		"2q GET a /x 2\n2q framed body=0 stream=16 missing=0\n"
		"2a 200 2 [content-length=5]\n2a bytes four\n2a cut body=4 stream=27 missing=0 reset by 1\n"
		"3q GET a /x 2\n3q framed body=0 stream=16 missing=0\n"
		"3a 200 2 [content-length=4 or more]\n3a bytes four\n3a cut body=4 stream=33 missing=0 reset by 1\n");
}

static void what_a_server_will_not_look_at_is_refused(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, END_STREAM, ":method: GET\n:scheme: https\n:authority: a\n:path: /x");
	frames_headers(&h2, CLIENT, 3, END_STREAM, ":method: GET\n:scheme: https\n:authority: a\n:path: /x");
	frames_raw(&h2, SERVER, GOAWAY, 0, 0, SLICE("\x7f\xff\xff\xff\0\0\0\0"));
	frames_raw(&h2, SERVER, GOAWAY, 0, 0, SLICE("\0\0\0\1\0\0\0\0bye"));
	frames_headers(&h2, SERVER, 1, END_STREAM, ":status: 204");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q GET a /x 2\n1q framed body=0 stream=18 missing=0\n"
		      "2q GET a /x 2\n2q framed body=0 stream=16 missing=0\n"
		      "2a cut body=0 stream=0 missing=0 reset by 3\n1a 204 2\n1a framed body=0 stream=10 missing=0\n");
}

static void a_server_may_speak_first_and_a_close_cuts(void **state)
{
	struct frames h2 = frames_bare();

	frames_raw(&h2, SERVER, SETTINGS, 0, 0, SETTINGS_SOME);
	frames_put(&h2, CLIENT, SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	frames_raw(&h2, CLIENT, SETTINGS, 0, 0, SLICE_NONE);
	frames_headers(&h2, CLIENT, 1, END_STREAM, ":method: GET\n:scheme: https\n:authority: a\n:path: /x");
	frames_headers(&h2, SERVER, 1, 0, EVENTS);
	frames_data(&h2, SERVER, 1, 0, "data: a\n\n");
	frames_expect(&h2, (struct wire_opts){ 0 },
		      "1q GET a /x 2\n1q framed body=0 stream=18 missing=0\n"
		      "1a " EVENTS_TOLD "1a event<> a\n1a cut body=9 stream=57 missing=0\n");
}

static void a_skipped_answer_keeps_the_header_table_going(void **state)
{
	struct frames h2 = frames_new();

	for (uint32_t stream = 1; stream <= 3; stream += 2) {
		frames_headers(&h2, CLIENT, stream, END_STREAM,
			       ":method: GET\n:scheme: https\n:authority: a\n:path: /x");
		frames_headers(&h2, SERVER, stream, 0, EVENTS);
		frames_data(&h2, SERVER, stream, END_STREAM, "data: a\n\n");
	}
	frames_expect(&h2, (struct wire_opts){ .skip = 1 },
		      "1q GET a /x 2\n1q framed body=0 stream=18 missing=0\n"
		      "1a " EVENTS_TOLD "1a framed body=9 stream=57 missing=0\n"
		      "2q GET a /x 2\n2q framed body=0 stream=16 missing=0\n"
		      "2a " EVENTS_TOLD "2a event<> a\n2a framed body=9 stream=30 missing=0\n");
}

/* Called late, the connection goes to the carrier that finds out what it is: the same is told. */
static void an_upgraded_request_is_answered_on_stream_1(void **state)
{
	for (int is_late = 0; is_late < 2; is_late++) {
		struct frames h2 = frames_bare();

		frames_put(
			&h2, CLIENT,
			SLICE("GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"));
		frames_put(&h2, SERVER,
			   SLICE("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
				 "\0\0\0\4\0\0\0\0\0"));
		frames_put(&h2, CLIENT, SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
		frames_raw(&h2, CLIENT, SETTINGS, 0, 0, SLICE_NONE);
		frames_headers(&h2, SERVER, 1, 0, EVENTS);
		frames_data(&h2, SERVER, 1, END_STREAM, "data: a\n\n");
		frames_headers(&h2, CLIENT, 3, END_STREAM, ":method: GET\n:scheme: http\n:authority: a\n:path: /y");
		frames_headers(&h2, SERVER, 3, END_STREAM, ":status: 204");
		frames_expect(&h2, (struct wire_opts){ .is_late = is_late },
			      "1q GET a /x 1.1 [host=a] [connection=Upgrade, HTTP2-Settings] [upgrade=h2c]\n"
			      "1q framed body=0 stream=79 missing=0\n"
			      "1a " EVENTS_TOLD "1a event<> a\n1a framed body=9 stream=128 missing=0\n"
			      "2q GET a /y 2\n2q framed body=0 stream=18 missing=0\n"
			      "2a 204 2\n2a framed body=0 stream=10 missing=0\n");
	}
}

static void the_sums_so_far_of_what_is_open(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, POST);
	frames_headers(&h2, CLIENT, 3, END_STREAM, ":method: GET\n:scheme: https\n:authority: a\n:path: /x");
	frames_headers(&h2, SERVER, 3, 0, EVENTS);
	frames_data(&h2, SERVER, 3, 0, "data: 1\n\nda");
	frames_expect(&h2, (struct wire_opts){ .has_so_far = true },
		      "1q " POST_TOLD "2q GET a /x 2\n2q framed body=0 stream=18 missing=0\n"
		      "2a " EVENTS_TOLD "2a event<> 1\n"
		      "1q so far body=0 stream=56 missing=0 application/json\n"
		      "2a so far body=11 stream=59 missing=0 text/event-stream\n"
		      "1q cut body=0 stream=56 missing=0\n2a cut body=11 stream=59 missing=0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_streamed_answer_is_told),
		cmocka_unit_test(interleaved_streams_stay_apart),
		cmocka_unit_test(grpc_is_told_as_messages_with_its_trailers),
		cmocka_unit_test(aws_messages_may_come_from_both_sides),
		cmocka_unit_test(an_answer_of_trailers_alone_is_told),
		cmocka_unit_test(framing_in_all_its_forms_is_taken_off),
		cmocka_unit_test(a_reset_ends_a_stream_as_a_close_would),
		cmocka_unit_test(a_reset_after_the_whole_body_does_not_cut_it),
		cmocka_unit_test(what_a_server_will_not_look_at_is_refused),
		cmocka_unit_test(a_server_may_speak_first_and_a_close_cuts),
		cmocka_unit_test(a_skipped_answer_keeps_the_header_table_going),
		cmocka_unit_test(the_sums_so_far_of_what_is_open),
		cmocka_unit_test(an_upgraded_request_is_answered_on_stream_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
