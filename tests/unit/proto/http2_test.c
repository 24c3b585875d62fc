/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: what an HTTP/2 connection carries is told as messages, the same in all cuts, and every byte is in the books. */
#include "unit/proto/frames.h"

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

/* A plain socket is known by its bytes alone and counts as joined late: the preface tells that it was not. */
static void a_connection_whose_first_bytes_are_seen_is_not_late(void **state)
{
	struct frames h2 = frames_new();

	frames_headers(&h2, CLIENT, 1, 0, POST);
	frames_data(&h2, CLIENT, 1, END_STREAM, "{}");
	frames_headers(&h2, SERVER, 1, 0, EVENTS);
	frames_data(&h2, SERVER, 1, END_STREAM, "data: 1\n\n");
	frames_expect(&h2, (struct wire_opts){ .is_late = true },
		      "1q " POST_TOLD "1q bytes {}\n"
		      "1q framed body=2 stream=67 missing=0\n"
		      "1a " EVENTS_TOLD "1a event<> 1\n"
		      "1a framed body=9 stream=57 missing=0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_streamed_answer_is_told),
		cmocka_unit_test(a_connection_whose_first_bytes_are_seen_is_not_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
