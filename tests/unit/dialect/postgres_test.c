/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's messages: rows become documents, whatever form their values have; vectors leave their length. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/sane.h"

#define M(literal)                                                                                                     \
	{                                                                                                              \
		(literal), sizeof(literal) - 1                                                                         \
	}

static struct told run(struct talk *talk)
{
	struct told told;

	assert_true(talk_run(talk, &talk_heap.alloc, dialect_by_name(SLICE("postgres.pgvector")), &told));
	return told;
}

/* name, table 0, column 0, type, size, modifier, format */
#define COLUMN(name, type, format) name "\0\0\0\0\0\0\0\0\0\0" type "\0\4\0\0\0\0\0" format

static void a_query_shows_its_rows_as_documents(void **state)
{
	struct talk talk = {
		.path = "",
		.request = M("\0\0\0\x48QSELECT id, content, e, e <=> '[1,2,3]' AS distance FROM d LIMIT 5;\0"),
		.events = { M("T\0\4" COLUMN("id", "\x17", "\0") COLUMN("content", "\x19", "\0") COLUMN("e", "\1", "\0")
				      COLUMN("distance", "\0", "\0")),
			    M("D\0\4\0\0\0\1"
			      "7"
			      "\0\0\0\1"
			      "A"
			      "\0\0\0\7[1,2,3]"
			      "\0\0\0\3"
			      "0.5"),
			    M("D\0\4\0\0\0\1"
			      "8"
			      "\xff\xff\xff\xff"
			      "\xff\xff\xff\xff"
			      "\0\0\0\3"
			      "0.7"),
			    M("CSELECT 2\0") },
	};
	struct told told = run(&talk);

	assert_slice(told.call.inputs,
		     "{\"query\":\"SELECT id, content, e, e <=> '[3 numbers]' AS distance FROM d LIMIT 5;\"}");
	assert_slice(attribute_text(&told.call, "gen_ai.data_source.id"), "d");
	assert_int_equal(attribute_count(&told.call, "gen_ai.retrieval.top_k"), 5);
	assert_int_equal(attribute_count(&told.call, "spantap.retrieval.vector_dimensions"), 3);
	assert_int_equal(attribute_count(&told.call, "db.response.returned_rows"), 2);
	assert_slice(json_path(told.call.outputs, "#0", "page_content", NULL), "\"A\"");
	assert_slice(json_path(told.call.outputs, "#0", "id", NULL), "\"7\"");
	assert_slice(json_path(told.call.outputs, "#0", "metadata", "e", NULL), "{\"dimensions\":3}");
	assert_int_equal(json_check(told.call.outputs, 20), 0);
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

static void steps_show_parameters_and_binary_rows(void **state)
{
	struct talk talk = {
		.path = "",
		.request = M("\0\0\0\x2dPSELECT id FROM d ORDER BY e <-> $1 LIMIT $2\0"
			     "\0\0\0\x2c"
			     "B\0s\0\0\2\0\1\0\1\0\2\0\0\0\x0c\0\2\0\0\x3f\x80\0\0\x40\0\0\0\0\0\0\4\0\0\0\3\0\1\0\1"),
		.events = { M("T\0\2" COLUMN("id", "\x14", "\0") COLUMN("distance", "\xff", "\0")),
			    M("D\0\2\0\0\0\x08\0\0\0\0\0\0\1\0\0\0\0\2ab"), M("CSELECT 1\0") },
	};
	struct told told = run(&talk);

	assert_slice(told.call.inputs, "{\"query\":\"SELECT id FROM d ORDER BY e <-> $1 LIMIT $2\","
				       "\"parameters\":[{\"dimensions\":2},{\"bytes\":4}]}");
	assert_int_equal(attribute_count(&told.call, "gen_ai.retrieval.top_k"), 3);
	assert_int_equal(attribute_count(&told.call, "spantap.retrieval.vector_dimensions"), 2);
	assert_slice(attribute_text(&told.call, "gen_ai.retrieval.documents"), "[{\"id\":\"256\"}]");
	told_free(&told);
}

static void a_failure_has_its_code_and_words(void **state)
{
	struct talk talk = {
		.path = "",
		.request = M("\0\0\0\x28QSELECT 1 FROM d ORDER BY e <=> '[1]' ;;\0"),
		.events = { M("ESERROR\0C42P01\0Mno such table\0\0") },
	};
	struct told told = run(&talk);

	assert_true(told.call.has_error);
	assert_slice(told.call.error.type, "42P01");
	assert_slice(told.call.error.message, "no such table");
	told_free(&told);
}

/* Messages cut anywhere, and any bytes in them. */
static void damage_is_survived(void **state)
{
	static const struct slice messages[] = {
		M("T\0\2" COLUMN("id", "\x14", "\1") COLUMN("v", "\1", "\1")),
		M("D\0\2\0\0\0\x08\0\0\0\0\0\0\1\0\0\0\0\x0c\0\2\0\0\x3f\x80\0\0\x40\0\0\0"),
		M("ESERROR\0C42P01\0Mno\0\0"),
	};
	static const struct slice ask = M("\0\0\0\x2dPSELECT id FROM d ORDER BY e <-> $1 LIMIT $2\0"
					  "\0\0\0\x28"
					  "B\0s\0\0\1\0\1\0\2\0\0\0\x0c\0\2\0\0\x3f\x80\0\0\x40\0\0\0\0\0\0\1"
					  "3\0\0");
	uint64_t seed = 5;

	for (int round = 0; round < 6000; round++) {
		char text[4][160];
		struct talk talk = { .path = "" };
		struct told told;

		for (size_t i = 0; i < 4; i++) {
			struct slice from = i ? messages[i - 1] : ask;
			size_t len = round & 1 ? from.len : random_below(&seed, from.len + 1);

			memcpy(text[i], from.data, len);
			for (int hits = round & 2 ? 3 : 0; hits && len; hits--)
				text[i][random_below(&seed, len)] = (char)random_below(&seed, 256);
			*(i ? &talk.events[i - 1] : &talk.request) = (struct slice){ text[i], len };
		}
		talk.event_count = 3;
		told = run(&talk);
		assert_sane_json(&told);
		told_free(&told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_shows_its_rows_as_documents),
		cmocka_unit_test(steps_show_parameters_and_binary_rows),
		cmocka_unit_test(a_failure_has_its_code_and_words),
		cmocka_unit_test(damage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
