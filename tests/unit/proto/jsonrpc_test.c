/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC by lines: requests of both sides find their answers by id, whatever the cuts; no byte is lost from the books. */
#include "unit/proto/wire.h"

#define ASK    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{}}\n"
#define NOTE   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
#define ANSWER "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}\n"

#define ASK_TOLD                                                                                                       \
	"1q tools/call   2.0\n"                                                                                        \
	"1q bytes {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{}}\n"                            \
	"1q framed body=58 stream=59 missing=0\n"

static void an_answer_is_found_by_its_id(void **state)
{
	wire_expect((struct wire_opts){ 0 }, WIRE(C(ASK), C(NOTE), S(ANSWER)),
		    ASK_TOLD "1a 0 2.0\n1a bytes {\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}\n"
			     "1a framed body=36 stream=37 missing=0\n");
}

static void both_sides_ask_under_the_same_id(void **state)
{
	wire_expect((struct wire_opts){ 0 },
		    WIRE(C(ASK), S("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}\r\n"),
			 C("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}\n"), S(ANSWER)),
		    ASK_TOLD "2q roots/list   2.0\n2q bytes {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}\n"
			     "2q framed body=46 stream=48 missing=0\n"
			     "2a 0 2.0\n2a bytes {\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}\n"
			     "2a framed body=35 stream=36 missing=0\n"
			     "1a 0 2.0\n1a bytes {\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}\n"
			     "1a framed body=36 stream=37 missing=0\n");
}

static void an_answer_in_a_hole_is_lost_not_absent(void **state)
{
	wire_expect((struct wire_opts){ 0 }, WIRE(C(ASK), S("{\"jsonrpc\":"), S_HOLE(7), S("}\n")),
		    ASK_TOLD "1a late\n1a lost body=-1 stream=0 missing=-1 ring_full\n");
	wire_expect((struct wire_opts){ 0 }, WIRE(C(ASK), S("{\"jsonrpc\":"), S_HOLE(7), S("}\n" ANSWER)),
		    ASK_TOLD "1a 0 2.0\n1a bytes {\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}\n"
			     "1a framed body=36 stream=37 missing=0\n");
}

/* Messages are told with their ends: of a half line nobody knows whose answer it will be. */
static void nothing_of_a_message_is_told_before_its_end(void **state)
{
	wire_expect((struct wire_opts){ .has_so_far = true }, WIRE(C(ASK), S("{\"jsonrpc\":\"2.0\",\"id\":1,\"res")),
		    ASK_TOLD);
}

static void other_json_is_of_no_use(void **state)
{
	static const char *const firsts[] = {
		"{\"id\":1,\"method\":\"mining.subscribe\"}\n" ASK,
		"{\"method\":}\n",
		"Content-Length: 62\r\n\r\n" ASK,
	};

	for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
		struct piece piece = { .dir = DIR_WRITE, .text = slice_of(firsts[i]) };
		struct wire wire = wire_run(&(struct wire_opts){ .how = CLOSE_LOCAL }, &piece, 1);

		assert_string_equal(wire.text, "");
		assert_int_equal(wire.denied, 1);
		free(wire.text);
	}
}

static void a_line_may_be_too_long(void **state)
{
	wire_expect(
		(struct wire_opts){ .proto.event_bytes_max = 100 },
		WIRE(C(NOTE),
		     C("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"x\",\"params\":{\"long\":\"0123456789012345678901234567890123456789"
		       "012345678901234567890123456789\"}}\n" ASK)),
		ASK_TOLD);
}

static void memory_may_end_anywhere(void **state)
{
	for (uint64_t nth = 1; nth < 40; nth++)
		for (int sticky = 0; sticky < 2; sticky++) {
			struct wire_opts opts = { .how = CLOSE_LOCAL, .fail_at = nth, .is_sticky = sticky, .step = 3 };
			struct wire wire = wire_run(&opts, WIRE(C(ASK), C(NOTE), S(ANSWER)));

			free(wire.text);
		}
}

static void damage_anywhere_keeps_the_books(void **state)
{
	static const char text[] = ASK NOTE ASK ANSWER;
	uint64_t seed = 5;

	for (int round = 0; round < 3000; round++) {
		char ask[sizeof(text)], answer[] = ANSWER ANSWER;
		struct piece pieces[4];

		memcpy(ask, text, sizeof(text));
		for (int i = 0; i < 3; i++)
			ask[random_below(&seed, sizeof(text) - 1)] = "\"\\{}[]:,\n0\x80"[random_below(&seed, 11)];
		pieces[0] = (struct piece){ .dir = DIR_WRITE, .text = { ask, random_below(&seed, sizeof(text)) } };
		pieces[1] = (struct piece){ .dir = DIR_READ,
					    .text = { answer, sizeof(answer) - 1 },
					    .hole_len = random_below(&seed, 3) };
		pieces[2] = (struct piece){ .dir = DIR_WRITE,
					    .text = { ask, sizeof(text) - 1 },
					    .hole_len = random_below(&seed, 2) };
		pieces[3] = pieces[1];
		free(wire_run(&(struct wire_opts){ .how = CLOSE_EXIT, .seed = 1 + round }, pieces, 4).text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_by_its_id),
		cmocka_unit_test(both_sides_ask_under_the_same_id),
		cmocka_unit_test(an_answer_in_a_hole_is_lost_not_absent),
		cmocka_unit_test(nothing_of_a_message_is_told_before_its_end),
		cmocka_unit_test(other_json_is_of_no_use),
		cmocka_unit_test(a_line_may_be_too_long),
		cmocka_unit_test(memory_may_end_anywhere),
		cmocka_unit_test(damage_anywhere_keeps_the_books),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
