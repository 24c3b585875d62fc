/* SPDX-License-Identifier: Apache-2.0 */
/* Redis: searches among vectors become exchanges, in any cuts; all else is counted and no more. */
#include "unit/proto/wire.h"

#define SEARCH     "*3\r\n$9\r\nFT.SEARCH\r\n$1\r\ni\r\n$12\r\n*=>[KNN 2 @v\r\n"
#define REPLY      "*3\r\n:1\r\n$1\r\na\r\n*2\r\n$1\r\nf\r\n$1\r\nx\r\n"
#define ASKED(n)   n "q COMMAND   \n" n "q command(45) " SEARCH "\n" n "q framed body=45 stream=45 missing=0\n"
#define REPLIED(n) n "a 0 \n" n "a reply(33) " REPLY "\n" n "a framed body=33 stream=33 missing=0\n"
#define GET        "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
#define HELLO      "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"

static void a_search_is_an_exchange(void **state)
{
	struct piece pieces[] = { C(HELLO),
				  S("%1\r\n+a\r\n:1\r\n"),
				  C(GET),
				  S("$1\r\nv\r\n"),
				  C(SEARCH),
				  S(REPLY),
				  C("*4\r\n$4\r\nVSIM\r\n$1\r\nk\r\n$3\r\nELE\r\n$1\r\na\r\n"),
				  S("-ERR no\r\n") };

	wire_expect(
		(struct wire_opts){ 0 }, pieces, ARRAY_SIZE(pieces),
		ASKED("1") REPLIED(
			"1") "2q COMMAND   \n2q command(37) *4\r\n$4\r\nVSIM\r\n$1\r\nk\r\n$3\r\nELE\r\n$1\r\na\r\n\n"
			     "2q framed body=37 stream=37 missing=0\n2a 0 \n2a reply(9) -ERR no\r\n\n"
			     "2a framed body=9 stream=9 missing=0\n");
}

static void words_are_no_vectors(void **state)
{
	struct piece pieces[] = { C("*3\r\n$9\r\nFT.SEARCH\r\n$4\r\nidx1\r\n$5\r\nhello\r\n"), S("*1\r\n:0\r\n"),
				  C("*2\r\n$4\r\nECHO\r\n$8\r\nVSIM KNN\r\n"), S("$8\r\nVSIM KNN\r\n") };

	wire_expect((struct wire_opts){ 0 }, pieces, ARRAY_SIZE(pieces), "");
}

static void pipelined_replies_find_their_commands(void **state)
{
	struct piece pieces[] = { C(HELLO GET SEARCH GET SEARCH), S("%0\r\n_\r\n"),
				  S(">2\r\n+message\r\n$1\r\nx\r\n" REPLY "$-1\r\n" REPLY) };

	wire_expect((struct wire_opts){ 0 }, pieces, ARRAY_SIZE(pieces),
		    ASKED("1") ASKED("2") REPLIED("1") REPLIED("2"));
}

static void behind_a_hole_the_next_search_is_found(void **state)
{
	struct piece pieces[] = { C(SEARCH),  S("*3\r\n:1\r\n$9\r\nab"),
				  S_HOLE(30), S("x\r\n"),
				  C(GET),     S("$1\r\nv\r\n"),
				  C(SEARCH),  S(REPLY),
				  C(GET),     S("+OK\r\n"),
				  C(SEARCH),  S(REPLY) };

	wire_expect(
		(struct wire_opts){ 0 }, pieces, ARRAY_SIZE(pieces),
		ASKED("1") "1a late\n1a lost body=-1 stream=0 missing=-1 undecodable\n2q COMMAND   \n2q command(28) " SEARCH
			   "\n2q framed body=28 stream=28 missing=0\n" REPLIED("2") ASKED("3") REPLIED("3"));
}

static void a_hole_in_a_value_costs_its_reply(void **state)
{
	struct piece pieces[] = { C(SEARCH), S("*3\r\n:1\r\n$9\r\nab"), S_HOLE(3), S("wxyz\r\n*0\r\n"), C(SEARCH),
				  S(REPLY) };

	wire_expect((struct wire_opts){ 0 }, pieces, ARRAY_SIZE(pieces),
		    ASKED("1") "1a 0 \n1a hole ring_full\n1a framed body=27 stream=27 missing=27 ring_full\n" ASKED("2")
			    REPLIED("2"));
}

static void who_never_searches_is_given_up(void **state)
{
	static char many[80 * sizeof(GET)];
	struct piece pieces[] = { C(HELLO), { .dir = DIR_WRITE } };
	struct wire_opts opts = { .how = CLOSE_REMOTE };
	struct wire wire;
	size_t len = 0;

	for (int i = 0; i < 70; i++, len += sizeof(GET) - 1)
		memcpy(many + len, GET, sizeof(GET) - 1);
	pieces[1].text = (struct slice){ many, len };
	wire = wire_run(&opts, pieces, 2);
	assert_int_equal(wire.denied, 1);
	free(wire.text);
	wire = wire_run(&opts, (struct piece[]){ C("*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n") }, 1);
	assert_int_equal(wire.denied, 1);
	free(wire.text);
}

static void holes_damage_and_lack_of_memory_are_survived(void **state)
{
	static const char *const texts[] = {
		HELLO, "%1\r\n+a\r\n:1\r\n", SEARCH, REPLY, GET SEARCH, "$1\r\nv\r\n" REPLY
	};
	uint64_t seed = 3;

	for (int round = 0; round < 6000; round++) {
		struct wire_opts opts = { .how = CLOSE_REMOTE, .seed = (uint64_t)round % 3 };
		struct piece pieces[ARRAY_SIZE(texts)];
		char copy[ARRAY_SIZE(texts)][160];
		size_t hit = random_below(&seed, ARRAY_SIZE(texts));

		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			snprintf(copy[i], sizeof(copy[i]), "%s", texts[i]);
			pieces[i] = (struct piece){ .dir = i & 1 ? DIR_READ : DIR_WRITE,
						    .text = { copy[i], strlen(copy[i]) } };
		}
		if (round % 4 == 0)
			pieces[hit].text.len = random_below(&seed, pieces[hit].text.len + 1);
		else if (round % 4 == 1)
			pieces[hit].hole_len = 1 + random_below(&seed, 30);
		else if (round % 4 == 2)
			copy[hit][random_below(&seed, pieces[hit].text.len)] = (char)random_below(&seed, 256);
		else
			opts.fail_at = 1 + (int)random_below(&seed, 20);
		free(wire_run(&opts, pieces, ARRAY_SIZE(texts)).text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_is_an_exchange),
		cmocka_unit_test(words_are_no_vectors),
		cmocka_unit_test(pipelined_replies_find_their_commands),
		cmocka_unit_test(behind_a_hole_the_next_search_is_found),
		cmocka_unit_test(a_hole_in_a_value_costs_its_reply),
		cmocka_unit_test(who_never_searches_is_given_up),
		cmocka_unit_test(holes_damage_and_lack_of_memory_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
