/* SPDX-License-Identifier: Apache-2.0 */
/* Redis: replies of both protocols become the same documents, and vectors leave their length. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/sane.h"

#define M(literal)                                                                                                     \
	{                                                                                                              \
		(literal), sizeof(literal) - 1                                                                         \
	}

static struct told run(struct talk *talk)
{
	struct told told;

	assert_true(talk_run(talk, &talk_heap.alloc, dialect_by_name(SLICE("redis.search")), &told));
	return told;
}

#define ASK                                                                                                                \
	"\0\0\0\0*8\r\n$9\r\nFT.SEARCH\r\n$3\r\nidx\r\n$28\r\n(@k:cats)=>[KNN 2 @v $vec AS\r\n$6\r\nPARAMS\r\n$1\r\n2\r\n" \
	"$3\r\nvec\r\n$8\r\n\0\0\x80\x3f\0\0\0\x40\r\n$7\r\nDIALECT\r\n"
#define DOCUMENTS                                                                                                      \
	"[{\"page_content\":\"A\",\"metadata\":{\"score\":0.25,\"__vector_score\":0.25},\"id\":\"d:1\"},"              \
	"{\"page_content\":\"B\",\"metadata\":{\"score\":0.5,\"__vector_score\":0.5,\"v\":{\"bytes\":4}},\"id\":\"d:2\"}]"

static void both_protocols_give_the_same_documents(void **state)
{
	static const struct slice replies[] = {
		M("*5\r\n:2\r\n$3\r\nd:1\r\n*4\r\n$14\r\n__vector_score\r\n$4\r\n0.25\r\n$7\r\ncontent\r\n$1\r\nA\r\n"
		  "$3\r\nd:2\r\n*6\r\n$14\r\n__vector_score\r\n$3\r\n0.5\r\n$7\r\ncontent\r\n$1\r\nB\r\n$1\r\nv\r\n$4\r\n\0\1\2\3\r\n"),
		M("%2\r\n$13\r\ntotal_results\r\n:2\r\n$7\r\nresults\r\n*2\r\n"
		  "%2\r\n$2\r\nid\r\n$3\r\nd:1\r\n$16\r\nextra_attributes\r\n%2\r\n$14\r\n__vector_score\r\n$4\r\n0.25\r\n"
		  "$7\r\ncontent\r\n$1\r\nA\r\n"
		  "%2\r\n$2\r\nid\r\n$3\r\nd:2\r\n$16\r\nextra_attributes\r\n%3\r\n$14\r\n__vector_score\r\n$3\r\n0.5\r\n"
		  "$7\r\ncontent\r\n$1\r\nB\r\n$1\r\nv\r\n$4\r\n\0\1\2\3\r\n"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		struct talk talk = { .path = "", .request = M(ASK), .events = { replies[i] } };
		struct told told = run(&talk);

		assert_slice(told.call.outputs, DOCUMENTS);
		assert_slice(attribute_of(&told.call, "gen_ai.data_source.id")->value.text, "idx");
		assert_slice(attribute_of(&told.call, "gen_ai.retrieval.query.text")->value.text, "(@k:cats)");
		assert_int_equal(attribute_of(&told.call, "gen_ai.retrieval.top_k")->value.integer, 2);
		assert_int_equal(attribute_of(&told.call, "spantap.retrieval.vector_dimensions")->value.integer, 2);
		assert_slice(json_path(told.call.inputs, "arguments", "#5", NULL), "{\"bytes\":8}");
		assert_false(told.call.is_undecodable);
		told_free(&told);
	}
}

static void a_vector_set_gives_its_elements(void **state)
{
	struct talk talk = {
		.path = "",
		.request =
			M("\0\0\0\0*9\r\n$4\r\nVSIM\r\n$1\r\nk\r\n$6\r\nVALUES\r\n$1\r\n2\r\n$3\r\n0.1\r\n$3\r\n0.2\r\n"
			  "$10\r\nWITHSCORES\r\n$5\r\nCOUNT\r\n$1\r\n3\r\n"),
		.events = { M("*4\r\n$1\r\na\r\n$3\r\n0.9\r\n$1\r\nb\r\n$3\r\n0.8\r\n") },
	};
	struct told told = run(&talk);

	assert_slice(told.call.outputs, "[{\"page_content\":\"a\",\"metadata\":{\"score\":0.9},\"id\":\"a\"},"
					"{\"page_content\":\"b\",\"metadata\":{\"score\":0.8},\"id\":\"b\"}]");
	assert_slice(told.call.inputs,
		     "{\"command\":\"VSIM\",\"arguments\":[\"k\",\"VALUES\",\"2\",\"WITHSCORES\",\"COUNT\",\"3\"]}");
	assert_int_equal(attribute_of(&told.call, "spantap.retrieval.vector_dimensions")->value.integer, 2);
	assert_int_equal(attribute_of(&told.call, "gen_ai.retrieval.top_k")->value.integer, 3);
	told_free(&told);
}

static void a_failure_is_told(void **state)
{
	struct talk talk = { .path = "", .request = M(ASK), .events = { M("-ERR idx: no such index\r\n") } };
	struct told told = run(&talk);

	assert_slice(told.call.error.type, "ERR");
	assert_slice(told.call.error.message, "ERR idx: no such index");
	told_free(&told);
}

static void damage_is_survived(void **state)
{
	static const struct slice ask = M(ASK);
	static const struct slice reply =
		M("*3\r\n:2\r\n$3\r\nd:1\r\n*4\r\n$14\r\n__vector_score\r\n$4\r\n0.25\r\n$7\r\ncontent\r\n%1\r\n"
		  ",1.5\r\n#t\r\n");
	uint64_t seed = 5;

	for (int round = 0; round < 6000; round++) {
		char asks[256], replies[256];
		size_t ask_len = round & 1 ? ask.len : random_below(&seed, ask.len + 1);
		size_t reply_len = round & 2 ? reply.len : random_below(&seed, reply.len + 1);
		struct talk talk = { .path = "", .request = { asks, ask_len }, .event_count = 1 };
		struct told told;

		memcpy(asks, ask.data, ask.len);
		memcpy(replies, reply.data, reply.len);
		for (int hits = 0; hits < 3; hits++) {
			asks[random_below(&seed, ask.len)] = (char)random_below(&seed, 256);
			replies[random_below(&seed, reply.len)] = (char)random_below(&seed, 256);
		}
		talk.events[0] = (struct slice){ replies, reply_len };
		told = run(&talk);
		assert_sane_json(&told);
		told_free(&told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_protocols_give_the_same_documents),
		cmocka_unit_test(a_vector_set_gives_its_elements),
		cmocka_unit_test(a_failure_is_told),
		cmocka_unit_test(damage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
