/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: searches among vectors become exchanges, in any cuts; all else is counted and no more. */
#include "unit/proto/wire.h"

enum { PIECES = 64, TEXT = 64 << 10 };

/* A conversation being written. */
struct talk {
	struct piece pieces[PIECES];
	size_t count;
	char text[TEXT];
	size_t len;
};

static void put(struct talk *talk, enum direction dir, char letter, const char *payload, size_t len)
{
	char *at = talk->text + talk->len;
	uint32_t size = __builtin_bswap32((uint32_t)len + 4);
	size_t begin = 0;

	assert_true(talk->len + len + 5 < TEXT && talk->count < PIECES);
	if (letter)
		at[begin++] = letter;
	memcpy(at + begin, &size, 4);
	memcpy(at + begin + 4, payload, len);
	talk->pieces[talk->count++] = (struct piece){ .dir = dir, .text = { at, begin + 4 + len } };
	talk->len += begin + 4 + len;
}

#define ASK(talk, letter, literal)  put((talk), DIR_WRITE, (letter), (literal), sizeof(literal) - 1)
#define TELL(talk, letter, literal) put((talk), DIR_READ, (letter), (literal), sizeof(literal) - 1)

static void begin(struct talk *talk)
{
	memset(talk, 0, sizeof(*talk));
	ASK(talk, 0, "\0\3\0\0user\0me\0\0");
	TELL(talk, 'R', "\0\0\0\0");
	TELL(talk, 'S', "server_version\00015\0");
	TELL(talk, 'Z', "I");
}

#define SEARCH "SELECT id FROM d ORDER BY e <=> '[1,2]' LIMIT 2"
#define SEARCHED                                                                                                       \
	"1q QUERY   3\n1q Q(53) Q" SEARCH "^\n1q framed body=53 stream=53 missing=0\n"                                 \
	"1a 0 3\n1a T(9) Tcols\n1a D(7) Da^\n1a D(7) Db^\n1a C(14) CSELECT 2^\n1a framed body=43 stream=43 missing=0\n"

static void answer(struct talk *talk)
{
	TELL(talk, 'T', "cols");
	TELL(talk, 'D', "a\0");
	TELL(talk, 'D', "b\0");
	TELL(talk, 'C', "SELECT 2\0");
}

/* NUL shows as 0 in what is told, to be text. */
static void expect(struct talk *talk, struct wire_opts opts, const char *want)
{
	wire_expect(opts, talk->pieces, talk->count, want);
}

static void a_search_is_an_exchange(void **state)
{
	static struct talk talk;

	begin(&talk);
	ASK(&talk, 'Q', SEARCH "\0");
	answer(&talk);
	TELL(&talk, 'Z', "I");
	expect(&talk, (struct wire_opts){ 0 }, SEARCHED);
}

static void other_statements_are_counted_and_no_more(void **state)
{
	static const char *const others[] = {
		"SELECT id FROM d WHERE a < 3 AND b > 4",
		"INSERT INTO d VALUES ('a <=> b')",
		"SELECT 'a <=> ''b' FROM d -- <=>\n",
		"SELECT /* <=> */ 1",
		"SELECT a <-> point(1,2) FROM places",
		"SELECT \"<#>\" FROM d",
		"UPDATE d SET a = b <=> c",
		"",
	};
	static struct talk talk;

	begin(&talk);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		put(&talk, DIR_WRITE, 'Q', others[i], strlen(others[i]) + 1);
		TELL(&talk, 'D', "a\0");
		TELL(&talk, 'C', "SELECT 1\0");
		TELL(&talk, 'Z', "I");
	}
	expect(&talk, (struct wire_opts){ 0 }, "");
	ASK(&talk, 'Q', SEARCH "\0");
	answer(&talk);
	TELL(&talk, 'Z', "I");
	expect(&talk, (struct wire_opts){ 0 }, SEARCHED);
}

#define STEPS "SELECT id FROM d ORDER BY e <-> $1"
#define BOUND "B^s^^^^\1^^^\5[1,2]^^"
#define ANSWERED(n, last)                                                                                              \
	n "a 0 3\n" n "a T(9) Tcols\n" n "a D(7) Da^\n" n "a D(7) Db^\n" n "a C(14) CSELECT 2^\n" n "a framed " last   \
	  "\n"
#define STEPPED(n, bytes)                                                                                              \
	n "q QUERY   3\n" n "q P(0) P" STEPS "\n" n "q B(" bytes ") " BOUND "\n" n "q framed body=" bytes              \
	  " stream=" bytes " missing=0\n"
#define ASKED(n)         n "q QUERY   3\n" n "q Q(53) Q" SEARCH "^\n" n "q framed body=53 stream=53 missing=0\n"
#define FAILED(n, bytes) n "a 0 3\n" n "a E(13) ESERROR^^\n" n "a framed body=" bytes " stream=" bytes " missing=0\n"

static void steps(struct talk *talk, bool is_prepared)
{
	if (!is_prepared)
		ASK(talk, 'P', "s\0" STEPS "\0\0\0");
	ASK(talk, 'B', "\0s\0\0\0\0\1\0\0\0\5[1,2]\0\0");
	ASK(talk, 'D', "P\0");
	ASK(talk, 'E', "\0\0\0\0\0");
}

static void a_search_may_come_in_steps(void **state)
{
	static struct talk talk;

	begin(&talk);
	steps(&talk, false);
	ASK(&talk, 'S', "");
	TELL(&talk, '1', "");
	TELL(&talk, '2', "");
	answer(&talk);
	TELL(&talk, 'Z', "I");
	/* Again, from memory; and its columns were not asked for: they are known. */
	ASK(&talk, 'B', "\0s\0\0\0\0\1\0\0\0\5[1,2]\0\0");
	ASK(&talk, 'E', "\0\0\0\0\0");
	ASK(&talk, 'S', "");
	TELL(&talk, '2', "");
	TELL(&talk, 'D', "c\0");
	TELL(&talk, 'C', "SELECT 1\0");
	TELL(&talk, 'Z', "I");
	expect(&talk, (struct wire_opts){ 0 },
	       "1q QUERY   3\n1q P(0) P" STEPS "\n1q B(84) " BOUND "\n1q framed body=84 stream=84 missing=0\n"
	       "1a 0 3\n1a T(9) Tcols\n1a D(7) Da^\n1a D(7) Db^\n1a C(14) CSELECT 2^\n1a framed body=37 stream=37 missing=0\n"
	       "2q QUERY   3\n2q P(0) P" STEPS "\n2q B(33) " BOUND "\n2q framed body=33 stream=33 missing=0\n"
	       "2a 0 3\n2a T(0) Tcols\n2a D(7) Dc^\n2a C(14) CSELECT 1^\n2a framed body=21 stream=21 missing=0\n");
}

static void pipelined_answers_find_their_questions(void **state)
{
	static struct talk talk;

	begin(&talk);
	ASK(&talk, 'P', "\0SELECT 1\0\0\0");
	ASK(&talk, 'B', "\0\0\0\0\0\0\0\0");
	ASK(&talk, 'E', "\0\0\0\0\0");
	steps(&talk, false);
	ASK(&talk, 'S', "");
	ASK(&talk, 'Q', "SELECT 2\0");
	ASK(&talk, 'Q', SEARCH "\0");
	TELL(&talk, '1', "");
	TELL(&talk, '2', "");
	TELL(&talk, 'D', "x\0");
	TELL(&talk, 'C', "SELECT 1\0");
	TELL(&talk, '1', "");
	TELL(&talk, '2', "");
	answer(&talk);
	TELL(&talk, 'Z', "I");
	TELL(&talk, 'D', "y\0");
	TELL(&talk, 'C', "SELECT 1\0");
	TELL(&talk, 'Z', "I");
	answer(&talk);
	TELL(&talk, 'Z', "I");
	expect(&talk, (struct wire_opts){ 0 },
	       STEPPED("1", "84") ASKED("2") ANSWERED("1", "body=37 stream=37 missing=0")
		       ANSWERED("2", "body=43 stream=43 missing=0"));
}

static void an_error_ends_all_up_to_the_next_sync(void **state)
{
	static struct talk talk;

	begin(&talk);
	steps(&talk, false);
	steps(&talk, true);
	ASK(&talk, 'S', "");
	TELL(&talk, '1', "");
	TELL(&talk, '2', "");
	TELL(&talk, 'E', "SERROR\0\0");
	TELL(&talk, 'Z', "I");
	ASK(&talk, 'Q', SEARCH "\0");
	TELL(&talk, 'E', "SERROR\0\0");
	TELL(&talk, 'Z', "I");
	expect(&talk, (struct wire_opts){ 0 },
	       STEPPED("1", "84") STEPPED("2", "40")
		       FAILED("1", "13") "2a 0 3\n2a framed body=0 stream=0 missing=0\n" ASKED("3") FAILED("3", "19"));
}

static void denied_is(struct talk *talk, int want)
{
	struct wire_opts opts = { .how = CLOSE_REMOTE };
	struct wire wire = wire_run(&opts, talk->pieces, talk->count);

	assert_int_equal(wire.denied, want);
	free(wire.text);
}

static void a_connection_without_vectors_is_given_up(void **state)
{
	static struct talk talk;

	static char many[70 * 14];

	for (size_t k = 0; k < 70; k++)
		memcpy(many + k * 14, "Q\0\0\0\x0dSELECT 1", 14);
	for (int has_sign = 0; has_sign < 2; has_sign++) {
		begin(&talk);
		if (has_sign)
			ASK(&talk, 'Q', "SELECT typname FROM pg_type WHERE typname = 'vector'\0");
		talk.pieces[talk.count++] = (struct piece){ .dir = DIR_WRITE, .text = { many, sizeof(many) } };
		denied_is(&talk, !has_sign);
	}
}

static void tls_behind_a_question_is_anothers(void **state)
{
	static struct talk talk;

	memset(&talk, 0, sizeof(talk));
	ASK(&talk, 0, "\x04\xd2\x16\x2f");
	talk.pieces[talk.count++] = (struct piece)S("S");
	talk.pieces[talk.count++] = (struct piece)C("\x16\3\1hello");
	denied_is(&talk, 1);
	talk.count = talk.len = 0;
	ASK(&talk, 0, "\x04\xd2\x16\x2f");
	talk.pieces[talk.count++] = (struct piece)S("N");
	ASK(&talk, 0, "\0\3\0\0user\0me\0\0");
	TELL(&talk, 'Z', "I");
	ASK(&talk, 'Q', SEARCH "\0");
	answer(&talk);
	TELL(&talk, 'Z', "I");
	expect(&talk, (struct wire_opts){ 0 }, SEARCHED);
}

static void a_hole_in_a_row_costs_the_row(void **state)
{
	static struct talk talk;

	begin(&talk);
	ASK(&talk, 'Q', SEARCH "\0");
	TELL(&talk, 'T', "cols");
	talk.pieces[talk.count++] = (struct piece)S("D\0\0\0\x0e"
						    "ab");
	talk.pieces[talk.count++] = (struct piece)S_HOLE(6);
	talk.pieces[talk.count++] = (struct piece)S("yz");
	TELL(&talk, 'C', "SELECT 1\0");
	TELL(&talk, 'Z', "I");
	expect(&talk, (struct wire_opts){ 0 },
	       ASKED("1") "1a 0 3\n1a T(9) Tcols\n1a hole ring_full\n1a C(14) CSELECT 1^\n"
			  "1a framed body=44 stream=44 missing=15 ring_full undecodable\n");
}

static void behind_a_hole_the_next_search_is_found(void **state)
{
	static struct talk talk;

	begin(&talk);
	ASK(&talk, 'Q', SEARCH "\0");
	TELL(&talk, 'T', "cols");
	talk.pieces[talk.count++] = (struct piece)S_HOLE(60);
	talk.pieces[talk.count++] = (struct piece)S("rest");
	TELL(&talk, 'Z', "I");
	ASK(&talk, 'Q', SEARCH "\0");
	answer(&talk);
	TELL(&talk, 'Z', "I");
	talk.pieces[talk.count++] = (struct piece)C_HOLE(60);
	TELL(&talk, 'Z', "I");
	ASK(&talk, 'Q', SEARCH "\0");
	answer(&talk);
	TELL(&talk, 'Z', "I");
	expect(&talk, (struct wire_opts){ 0 },
	       ASKED("1") "1a 0 3\n1a T(9) Tcols\n1a hole ring_full\n1a lost body=-1 stream=69 missing=60 ring_full\n" ASKED(
		       "2") ANSWERED("2", "body=43 stream=43 missing=0") ASKED("3")
		       ANSWERED("3", "body=43 stream=43 missing=0"));
}

static void conversation(struct talk *talk)
{
	begin(talk);
	steps(talk, false);
	ASK(talk, 'S', "");
	TELL(talk, '1', "");
	TELL(talk, '2', "");
	answer(talk);
	TELL(talk, 'Z', "I");
	ASK(talk, 'Q', SEARCH "\0");
	TELL(talk, 'E', "SERROR\0\0");
	TELL(talk, 'Z', "I");
}

/* The books balance (wire_run() asserts it) wherever bytes end, are lost or damaged, and whatever memory is refused. */
static void cuts_holes_damage_and_lack_of_memory_are_survived(void **state)
{
	static struct talk talk;
	uint64_t seed = 7;

	for (int fail_at = 1; fail_at < 60; fail_at++)
		for (int sticky = 0; sticky < 2; sticky++) {
			struct wire_opts opts = { .how = CLOSE_REMOTE, .fail_at = fail_at, .is_sticky = sticky };

			conversation(&talk);
			free(wire_run(&opts, talk.pieces, talk.count).text);
		}
	for (int round = 0; round < 4000; round++) {
		struct wire_opts opts = { .how = CLOSE_REMOTE, .seed = (uint64_t)round % 3 };
		struct piece *piece;

		conversation(&talk);
		piece = &talk.pieces[random_below(&seed, talk.count)];
		if (round % 3 == 0)
			piece->text.len = random_below(&seed, piece->text.len + 1);
		else if (round % 3 == 1)
			piece->hole_len = 1 + random_below(&seed, 40);
		else if (piece->text.len)
			talk.text[random_below(&seed, talk.len)] = (char)random_below(&seed, 256);
		free(wire_run(&opts, talk.pieces, talk.count).text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_is_an_exchange),
		cmocka_unit_test(other_statements_are_counted_and_no_more),
		cmocka_unit_test(a_search_may_come_in_steps),
		cmocka_unit_test(pipelined_answers_find_their_questions),
		cmocka_unit_test(an_error_ends_all_up_to_the_next_sync),
		cmocka_unit_test(a_connection_without_vectors_is_given_up),
		cmocka_unit_test(tls_behind_a_question_is_anothers),
		cmocka_unit_test(a_hole_in_a_row_costs_the_row),
		cmocka_unit_test(behind_a_hole_the_next_search_is_found),
		cmocka_unit_test(cuts_holes_damage_and_lack_of_memory_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
