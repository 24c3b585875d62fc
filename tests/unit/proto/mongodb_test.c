/* SPDX-License-Identifier: Apache-2.0 */
/* MongoDB: vector searches become exchanges, in any cuts and any order of answers; all else is counted and no more. */
#include "unit/bson.h"
#include "unit/proto/wire.h"

enum { PIECES = 16 };

struct talk {
	struct bson messages[PIECES];
	struct piece pieces[PIECES];
	size_t count;
};

static struct bson *next(struct talk *talk)
{
	return &talk->messages[talk->count];
}

static void put(struct talk *talk, enum direction dir)
{
	struct bson *bson = next(talk);

	talk->pieces[talk->count++] = (struct piece){ .dir = dir, .text = { bson->data, bson->len } };
}

static void hello(struct talk *talk, uint32_t number)
{
	bson_message(next(talk), number, 0);
	bson_int(next(talk), "hello", 1);
	bson_end(next(talk));
	put(talk, DIR_WRITE);
	bson_message(next(talk), number + 1000, number);
	bson_int(next(talk), "ok", 1);
	bson_end(next(talk));
	put(talk, DIR_READ);
}

static void ask(struct talk *talk, uint32_t number, const char *stage)
{
	bson_search(next(talk), number, stage);
	put(talk, DIR_WRITE);
}

static void tell(struct talk *talk, uint32_t number)
{
	bson_found(next(talk), number + 1000, number);
	put(talk, DIR_READ);
}

/* The lines of @text that begin with @head. */
static int lines(const char *text, const char *head)
{
	int count = 0;

	for (const char *at = text; (at = strstr(at, head)); at++)
		count += at == text || at[-1] == '\n';
	return count;
}

/* Whatever the cuts: the same text, with @asked whole questions and @told whole answers. */
static void expect(struct talk *talk, int asked, int told)
{
	struct wire_opts opts = { .how = CLOSE_REMOTE };
	struct wire whole = wire_run(&opts, talk->pieces, talk->count);
	int got[2] = { 0 };

	for (int i = 1; i < 10; i++) {
		char head[32];

		snprintf(head, sizeof(head), "%dq message", i);
		got[0] += lines(whole.text, head);
		snprintf(head, sizeof(head), "%da message", i);
		got[1] += lines(whole.text, head);
	}
	assert_int_equal(got[0], asked);
	assert_int_equal(got[1], told);
	wire_expect(opts, talk->pieces, talk->count, whole.text);
	free(whole.text);
}

static void a_search_is_an_exchange(void **state)
{
	static struct talk talk;

	talk = (struct talk){ 0 };
	hello(&talk, 1);
	ask(&talk, 2, "$match");
	tell(&talk, 2);
	expect(&talk, 0, 0);
	ask(&talk, 3, "$vectorSearch");
	ask(&talk, 4, "$vectorSearch");
	tell(&talk, 4);
	tell(&talk, 3);
	expect(&talk, 2, 2);
}

static void behind_a_hole_the_next_message_is_found(void **state)
{
	static struct talk talk;

	talk = (struct talk){ 0 };
	hello(&talk, 1);
	talk.pieces[talk.count++] = (struct piece)C_HOLE(33);
	talk.pieces[talk.count++] = (struct piece)C("the rest of it");
	ask(&talk, 3, "$vectorSearch");
	talk.pieces[talk.count++] = (struct piece)S_HOLE(33);
	hello(&talk, 5);
	ask(&talk, 4, "$vectorSearch");
	tell(&talk, 4);
	expect(&talk, 2, 1);
}

static void a_hole_in_an_answer_costs_it(void **state)
{
	static struct talk talk;

	talk = (struct talk){ 0 };
	hello(&talk, 1);
	ask(&talk, 3, "$vectorSearch");
	tell(&talk, 3);
	talk.pieces[talk.count - 1].text.len -= 20;
	talk.pieces[talk.count++] = (struct piece)S_HOLE(10);
	talk.pieces[talk.count++] = (struct piece)S("0123456789");
	ask(&talk, 4, "$vectorSearch");
	tell(&talk, 4);
	expect(&talk, 2, 1);
}

static void who_never_searches_is_given_up(void **state)
{
	static struct piece pieces[70];
	static struct talk talk;
	struct wire_opts opts = { .how = CLOSE_REMOTE };
	struct wire wire;

	talk = (struct talk){ 0 };
	hello(&talk, 1);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		pieces[i] = talk.pieces[0];
	wire = wire_run(&opts, pieces, ARRAY_SIZE(pieces));
	assert_int_equal(wire.denied, 1);
	free(wire.text);
}

static void holes_damage_and_lack_of_memory_are_survived(void **state)
{
	static struct talk talk;
	uint64_t seed = 3;

	for (int round = 0; round < 4000; round++) {
		struct wire_opts opts = { .how = CLOSE_REMOTE, .seed = (uint64_t)round % 3 };
		struct piece *hit;

		talk = (struct talk){ 0 };
		hello(&talk, 1);
		ask(&talk, 3, "$vectorSearch");
		tell(&talk, 3);
		ask(&talk, 4, "$vectorSearch");
		tell(&talk, 4);
		hit = &talk.pieces[random_below(&seed, talk.count)];
		if (round % 4 == 0)
			hit->text.len = random_below(&seed, hit->text.len + 1);
		else if (round % 4 == 1)
			hit->hole_len = 1 + random_below(&seed, 30);
		else if (round % 4 == 2)
			talk.messages[hit - talk.pieces].data[random_below(&seed, hit->text.len)] =
				(char)random_below(&seed, 256);
		else
			opts.fail_at = 1 + (int)random_below(&seed, 20);
		free(wire_run(&opts, talk.pieces, talk.count).text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_is_an_exchange),
		cmocka_unit_test(behind_a_hole_the_next_message_is_found),
		cmocka_unit_test(a_hole_in_an_answer_costs_it),
		cmocka_unit_test(who_never_searches_is_given_up),
		cmocka_unit_test(holes_damage_and_lack_of_memory_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
