/* SPDX-License-Identifier: Apache-2.0 */
/* MongoDB: what is asked and found is shown as JSON, without the session and without vectors. */
#include "unit/bson.h"
#include "unit/dialect/attributes.h"
#include "unit/dialect/sane.h"

/* @ask begins where its head's last four bytes were: they stand for the length that a request's message has before it. */
static struct told run(struct slice ask, struct slice answer)
{
	struct talk talk = { .path = "", .request = slice_from(ask, 12), .event_count = 1 };
	struct told told;

	talk.events[0] = slice_from(answer, 16);
	assert_true(talk_run(&talk, &talk_heap.alloc, dialect_by_name(SLICE("mongodb.vector_search")), &told));
	return told;
}

static struct slice bytes_of(const struct bson *bson)
{
	return (struct slice){ bson->data, bson->len };
}

static void a_search_shows_its_documents(void **state)
{
	struct bson ask, answer;
	struct told told;

	bson_search(&ask, 1, "$vectorSearch");
	bson_found(&answer, 2, 1);
	told = run(bytes_of(&ask), bytes_of(&answer));
	assert_slice(told.call.outputs,
		     "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.75,\"embedding\":{\"dimensions\":1}},"
		     "\"id\":\"887766554433221101efcdab\"}]");
	assert_slice(told.call.inputs,
		     "{\"aggregate\":\"docs\",\"pipeline\":[{\"$vectorSearch\":{\"queryVector\":{\"dimensions\":2},"
		     "\"limit\":2}}],\"$db\":\"shop\"}");
	assert_slice(attribute_of(&told.call, "gen_ai.data_source.id")->value.text, "docs");
	assert_slice(attribute_of(&told.call, "db.namespace")->value.text, "shop");
	assert_int_equal(attribute_of(&told.call, "gen_ai.retrieval.top_k")->value.integer, 2);
	assert_int_equal(attribute_of(&told.call, "spantap.retrieval.vector_dimensions")->value.integer, 2);
	told_free(&told);
}

static void a_failure_is_told(void **state)
{
	struct bson ask, answer;
	struct told told;

	bson_search(&ask, 1, "$vectorSearch");
	bson_message(&answer, 2, 1);
	bson_double(&answer, "ok", 0);
	bson_text(&answer, "errmsg", "no index");
	bson_text(&answer, "codeName", "SearchNotEnabled");
	bson_end(&answer);
	told = run(bytes_of(&ask), bytes_of(&answer));
	assert_true(told.call.has_error);
	assert_slice(told.call.error.message, "no index");
	assert_slice(told.call.error.type, "SearchNotEnabled");
	told_free(&told);
}

static void damage_is_survived(void **state)
{
	uint64_t seed = 9;

	for (int round = 0; round < 6000; round++) {
		struct bson sides[2];
		struct told told;

		bson_search(&sides[0], 1, "$vectorSearch");
		bson_found(&sides[1], 2, 1);
		for (int i = 0; i < 2; i++) {
			if (round & 1)
				sides[i].len = random_below(&seed, sides[i].len + 1);
			for (int hits = round & 2 ? 3 : 0; hits; hits--)
				sides[i].data[random_below(&seed, sizeof(sides[i].data))] =
					(char)random_below(&seed, 256);
		}
		told = run(bytes_of(&sides[0]), bytes_of(&sides[1]));
		assert_sane_json(&told);
		told_free(&told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_shows_its_documents),
		cmocka_unit_test(a_failure_is_told),
		cmocka_unit_test(damage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
