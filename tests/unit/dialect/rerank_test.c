/* SPDX-License-Identifier: Apache-2.0 */
/* Reranking: whoever answers, the documents stand in their new order with their scores. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"

#define ASK                                                                                                            \
	"{\"model\":\"m\",\"query\":\"q\",\"documents\":[\"A\",{\"text\":\"B\",\"id\":\"b\"},{\"k\":1}],\"top_n\":2}"
#define WANTED                                                                                                         \
	"[{\"page_content\":\"B\",\"metadata\":{\"score\":0.9,\"index\":1},\"id\":\"b\"},"                             \
	"{\"page_content\":\"A\",\"metadata\":{\"score\":0.1,\"index\":0}}]"

static void documents_are_shown_in_their_new_order(void **state)
{
	static const struct {
		const char *path, *answer;
		int64_t tokens;
	} servers[] = {
		{ "/v2/rerank",
		  "{\"id\":\"r\",\"results\":[{\"index\":1,\"relevance_score\":0.9},{\"index\":0,\"relevance_score\":0.1}],"
		  "\"meta\":{\"billed_units\":{\"search_units\":1}}}",
		  -1 },
		{ "/v1/rerank",
		  "{\"object\":\"list\",\"data\":[{\"index\":1,\"relevance_score\":0.9},{\"index\":0,\"relevance_score\":0.1}],"
		  "\"model\":\"m\",\"usage\":{\"total_tokens\":26}}",
		  26 },
		{ "/rerank",
		  "{\"id\":\"r\",\"usage\":{\"total_tokens\":26},\"results\":[{\"index\":1,\"document\":{\"text\":\"B\",\"id\":\"b\"},"
		  "\"relevance_score\":0.9},{\"index\":0,\"document\":{\"text\":\"A\"},\"relevance_score\":0.1}]}",
		  26 },
		{ "/reranking",
		  "{\"model\":\"m\",\"usage\":{\"prompt_tokens\":12,\"total_tokens\":12},\"results\":[{\"index\":1,"
		  "\"relevance_score\":0.9},{\"index\":0,\"relevance_score\":0.1}]}",
		  12 },
		{ "/rerank", "[{\"index\":1,\"score\":0.9},{\"index\":0,\"score\":0.1}]", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		struct talk talk = { .path = servers[i].path,
				     .request = SLICE(ASK),
				     .body = slice_of(servers[i].answer) };
		struct told told = talk_told(&talk);

		assert_string_equal(told.dialect->name, "rerank");
		assert_int_equal(told.call.operation, OPERATION_RERANK);
		assert_slice(told.call.outputs, WANTED);
		assert_int_equal(told.call.usage.input, servers[i].tokens);
		assert_slice(attribute_text(&told.call, "gen_ai.retrieval.query.text"), "q");
		assert_slice(attribute_text(&told.call, "gen_ai.retrieval.documents"),
			     "[{\"id\":\"b\",\"score\":0.9},{\"id\":\"0\",\"score\":0.1}]");
		told_free(&told);
	}
}

static void documents_without_text_are_shown_whole(void **state)
{
	struct talk talk = { .path = "/rerank",
			     .request = SLICE(ASK),
			     .body = SLICE("{\"results\":[{\"index\":2,\"relevance_score\":1},{\"index\":77,"
					   "\"relevance_score\":0},{\"index\":-1,\"relevance_score\":0}]}") };
	struct told told = talk_told(&talk);

	assert_slice(told.call.outputs, "[{\"page_content\":\"{\\\"k\\\":1}\",\"metadata\":{\"score\":1,\"index\":2}},"
					"{\"page_content\":\"\",\"metadata\":{\"score\":0,\"index\":77}},"
					"{\"page_content\":\"\",\"metadata\":{\"score\":0,\"index\":-1}}]");
	told_free(&told);
}

static void pairs_are_scored_in_their_order(void **state)
{
	struct talk talk = {
		.path = "/v1/score",
		.request = SLICE("{\"model\":\"m\",\"text_1\":\"q\",\"text_2\":[\"A\",\"B\"]}"),
		.body = SLICE(
			"{\"id\":\"s\",\"object\":\"list\",\"model\":\"m\",\"data\":[{\"index\":0,\"object\":\"score\",\"score\":1},"
			"{\"index\":1,\"object\":\"score\",\"score\":0.5}],\"usage\":{\"prompt_tokens\":9,\"total_tokens\":9}}")
	};
	struct told told = talk_told(&talk);

	assert_slice(json_path(told.call.outputs, "#1", "page_content", NULL), "\"B\"");
	assert_int_equal(told.call.usage.input, 9);
	told_free(&told);
	talk.body = SLICE("{\"scores\":[0.25,0.75]}");
	told = talk_told(&talk);
	assert_slice(json_path(told.call.outputs, "#1", "metadata", NULL), "{\"score\":0.75,\"index\":1}");
	told_free(&told);
	talk.body = SLICE("{\"saved\":true}"); /* a game's */
	assert_false(talk_run(&talk, &talk_heap.alloc, NULL, &told));
	told_free(&told);
}

static void watsonx_names_things_otherwise(void **state)
{
	struct talk talk = {
		.path = "/ml/v1/text/rerank",
		.request = SLICE("{\"model_id\":\"m\",\"inputs\":[{\"text\":\"A\"},{\"text\":\"B\"}],\"query\":\"q\"}"),
		.body = SLICE("{\"model_id\":\"m\",\"results\":[{\"index\":1,\"score\":0.7}],\"input_token_count\":20}")
	};
	struct told told = talk_told(&talk);

	assert_slice(told.call.outputs, "[{\"page_content\":\"B\",\"metadata\":{\"score\":0.7,\"index\":1}}]");
	assert_slice(told.call.request_model, "m");
	assert_int_equal(told.call.usage.input, 20);
	told_free(&told);
}

static void failures_are_told(void **state)
{
	struct talk talk = { .path = "/v1/rerank",
			     .host = "api.voyageai.com",
			     .request = SLICE(ASK),
			     .status = 400,
			     .body = SLICE("{\"detail\":\"no such model\"}") };
	struct told told = talk_told(&talk);

	assert_slice(told.call.vendor, "voyage");
	assert_slice(told.call.error.message, "no such model");
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_shown_in_their_new_order),
		cmocka_unit_test(documents_without_text_are_shown_whole),
		cmocka_unit_test(pairs_are_scored_in_their_order),
		cmocka_unit_test(watsonx_names_things_otherwise),
		cmocka_unit_test(failures_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
