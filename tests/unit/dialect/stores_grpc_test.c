/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: searches in four vector stores become documents with text, metadata, score and id, whatever a store
 * calls them; no vector is kept; what is asked in words and where is told.
 */
#include "unit/dialect/grpc_talk.h"

static const float vector[] = { 0.25f, 0.5f };

static struct pbw map_entry(const char *key, const struct pbw *value)
{
	struct pbw entry = { 0 };

	pbw_text(&entry, 1, key);
	pbw_message(&entry, 2, value);
	return entry;
}

static struct pbw text_value(unsigned number, const char *text)
{
	struct pbw value = { 0 };

	pbw_text(&value, number, text);
	return value;
}

/* ---- Qdrant ---- */

static struct pbw qdrant_point(void)
{
	struct pbw point = { 0 }, id = { 0 }, value = text_value(4, "a text"), entry = map_entry("text", &value),
		   number = { 0 };

	pbw_varint(&id, 1, 7);
	pbw_message(&point, 1, &id);
	pbw_message(&point, 2, &entry);
	pbw_varint(&number, 3, 1999);
	entry = map_entry("year", &number);
	pbw_message(&point, 2, &entry);
	pbw_float(&point, 3, 0.5f);
	pbw_bytes(&point, 6, vector, sizeof(vector));
	return point;
}

static struct grpc_talk qdrant(void)
{
	struct grpc_talk talk = { .path = "/qdrant.Points/Query", .answer_count = 1 };
	struct pbw document = text_value(1, "what?"), nearest = { 0 }, query = { 0 }, point = qdrant_point();

	pbw_text(&talk.request, 1, "books");
	pbw_message(&nearest, 5, &document);
	pbw_message(&query, 1, &nearest);
	pbw_message(&talk.request, 3, &query);
	pbw_varint(&talk.request, 8, 3);
	pbw_message(&talk.answers[0], 1, &point);
	return talk;
}

static void qdrants_points_are_documents(void **state)
{
	struct grpc_talk talk = qdrant();
	struct told told = grpc_told(&talk);
	const struct call *call = &told.call;

	assert_string_equal(told.dialect->name, "qdrant.grpc");
	assert_int_equal(call->operation, OPERATION_RETRIEVAL);
	assert_slice(call->vendor, "qdrant");
	assert_slice(
		call->inputs,
		"{\"collectionName\":\"books\",\"query\":{\"nearest\":{\"document\":{\"text\":\"what?\"}}},\"limit\":\"3\"}");
	assert_slice(call->outputs,
		     "[{\"page_content\":\"a text\",\"metadata\":{\"year\":1999,\"score\":0.5},\"id\":7}]");
	assert_slice(attribute_of(call, "gen_ai.retrieval.query.text")->value.text, "what?");
	assert_slice(attribute_of(call, "gen_ai.data_source.id")->value.text, "books");
	assert_slice(attribute_of(call, "gen_ai.retrieval.documents")->value.text, "[{\"id\":\"7\",\"score\":0.5}]");
	assert_int_equal(attribute_of(call, "gen_ai.retrieval.top_k")->value.integer, 3);
	told_free(&told);
}

static void qdrants_batches_are_one_list(void **state)
{
	struct grpc_talk talk = { .path = "/qdrant.Points/SearchBatch", .answer_count = 1 };
	struct pbw batch = { 0 }, point = qdrant_point();
	struct told told;

	pbw_message(&batch, 1, &point);
	pbw_message(&talk.answers[0], 1, &batch);
	pbw_message(&talk.answers[0], 1, &batch);
	told = grpc_told(&talk);
	assert_slice(told.call.outputs,
		     "[{\"page_content\":\"a text\",\"metadata\":{\"year\":1999,\"score\":0.5},\"id\":7},"
		     "{\"page_content\":\"a text\",\"metadata\":{\"year\":1999,\"score\":0.5},\"id\":7}]");
	told_free(&told);
}

static void vectors_are_not_kept(void **state)
{
	struct grpc_talk talk = { .path = "/qdrant.Points/Search" };
	struct told told;

	pbw_text(&talk.request, 1, "books");
	pbw_bytes(&talk.request, 2, vector, sizeof(vector));
	told = grpc_told(&talk);
	assert_slice(told.call.inputs, "{\"collectionName\":\"books\"}");
	told_free(&told);
}

/* ---- Weaviate ---- */

static struct grpc_talk weaviate(void)
{
	struct grpc_talk talk = { .path = "/weaviate.v1.Weaviate/Search", .answer_count = 1 };
	struct pbw near = text_value(1, "what?"), value = text_value(13, "a text"),
		   entry = map_entry("content", &value);
	struct pbw fields = { 0 }, properties = { 0 }, metadata = { 0 }, result = { 0 }, list = { 0 }, numbers = { 0 };
	double reals[] = { 1.5, 2 };

	pbw_text(&talk.request, 1, "Books");
	pbw_varint(&talk.request, 30, 2);
	pbw_message(&talk.request, 45, &near);
	pbw_message(&fields, 1, &entry);
	pbw_bytes(&numbers, 1, reals, sizeof(reals));
	pbw_message(&list, 2, &numbers);
	value = (struct pbw){ 0 };
	pbw_message(&value, 5, &list);
	entry = map_entry("sizes", &value);
	pbw_message(&fields, 1, &entry);
	pbw_message(&properties, 11, &fields);
	pbw_message(&result, 1, &properties);
	pbw_text(&metadata, 1, "u-1");
	pbw_float(&metadata, 7, 0.25f);
	pbw_varint(&metadata, 8, 1);
	pbw_message(&result, 2, &metadata);
	pbw_message(&talk.answers[0], 2, &result);
	return talk;
}

static void weaviates_results_are_documents(void **state)
{
	struct grpc_talk talk = weaviate();
	struct told told = grpc_told(&talk);

	assert_string_equal(told.dialect->name, "weaviate.grpc");
	assert_slice(told.call.inputs, "{\"collection\":\"Books\",\"limit\":2,\"nearText\":{\"query\":[\"what?\"]}}");
	assert_slice(
		told.call.outputs,
		"[{\"page_content\":\"a text\",\"metadata\":{\"sizes\":[1.5,2.0],\"score\":0.25},\"id\":\"u-1\"}]");
	assert_slice(attribute_of(&told.call, "gen_ai.retrieval.query.text")->value.text, "what?");
	told_free(&told);
}

/* ---- Pinecone ---- */

static struct grpc_talk pinecone(void)
{
	struct grpc_talk talk = { .path = "/VectorService/Query", .answer_count = 1 };
	struct pbw value = text_value(3, "x"), entry = map_entry("genre", &value), fields = { 0 }, match = { 0 },
		   used = { 0 };

	pbw_text(&talk.request, 1, "ns");
	pbw_varint(&talk.request, 2, 5);
	pbw_bytes(&talk.request, 7, vector, sizeof(vector));
	pbw_message(&fields, 1, &entry);
	pbw_text(&match, 1, "v1");
	pbw_float(&match, 2, 0.75f);
	pbw_bytes(&match, 3, vector, sizeof(vector));
	pbw_message(&match, 4, &fields);
	pbw_message(&talk.answers[0], 2, &match);
	pbw_varint(&used, 1, 6);
	pbw_message(&talk.answers[0], 4, &used);
	return talk;
}

static void pinecones_matches_are_documents(void **state)
{
	struct grpc_talk talk = pinecone();
	struct told told = grpc_told(&talk);

	assert_string_equal(told.dialect->name, "pinecone.grpc");
	assert_slice(told.call.inputs, "{\"namespace\":\"ns\",\"topK\":5}");
	assert_slice(told.call.outputs,
		     "[{\"page_content\":\"{\\\"genre\\\":\\\"x\\\"}\",\"metadata\":{\"genre\":\"x\",\"score\":0.75},"
		     "\"id\":\"v1\"}]");
	assert_int_equal(attribute_of(&told.call, "pinecone.usage.read_units")->value.integer, 6);
	told_free(&told);
}

/* ---- Milvus ---- */

static struct grpc_talk milvus(void)
{
	struct grpc_talk talk = { .path = "/milvus.proto.milvus.MilvusService/Search", .answer_count = 1 };
	struct pbw results = { 0 }, column = { 0 }, scalars = { 0 }, texts = { 0 }, ids = { 0 }, list = { 0 };
	struct pbw metric = { 0 }, limit = { 0 };
	float scores[] = { 0.5f, 0.25f };

	pbw_text(&talk.request, 3, "books");
	pbw_text(&talk.request, 5, "year > 1990");
	pbw_bytes(&talk.request, 6, vector, sizeof(vector));
	pbw_text(&metric, 1, "metric_type");
	pbw_text(&metric, 2, "COSINE");
	pbw_message(&talk.request, 9, &metric);
	pbw_text(&limit, 1, "topk");
	pbw_text(&limit, 2, "2");
	pbw_message(&talk.request, 9, &limit);
	pbw_text(&texts, 1, "one");
	pbw_text(&texts, 1, "two");
	pbw_message(&scalars, 6, &texts);
	pbw_text(&column, 2, "text");
	pbw_message(&column, 3, &scalars);
	pbw_message(&results, 3, &column);
	pbw_bytes(&results, 4, scores, sizeof(scores));
	pbw_bytes(&list, 1, "\x01\x02", 2);
	pbw_message(&ids, 1, &list);
	pbw_message(&results, 5, &ids);
	pbw_message(&talk.answers[0], 2, &results);
	return talk;
}

static void milvus_columns_are_documents(void **state)
{
	struct grpc_talk talk = milvus();
	struct told told = grpc_told(&talk);

	assert_string_equal(told.dialect->name, "milvus.grpc");
	assert_slice(told.call.inputs,
		     "{\"collectionName\":\"books\",\"dsl\":\"year > 1990\",\"searchParams\":["
		     "{\"key\":\"metric_type\",\"value\":\"COSINE\"},{\"key\":\"topk\",\"value\":\"2\"}]}");
	assert_int_equal(attribute_of(&told.call, "gen_ai.retrieval.top_k")->value.integer, 2);
	assert_slice(told.call.outputs, "[{\"page_content\":\"one\",\"metadata\":{\"score\":0.5},\"id\":1},"
					"{\"page_content\":\"two\",\"metadata\":{\"score\":0.25},\"id\":2}]");
	assert_false(told.call.has_error);
	told_free(&told);
}

static void milvus_says_in_its_answer_that_it_failed(void **state)
{
	struct grpc_talk talk = milvus();
	struct pbw status = { 0 };
	struct told told;

	pbw_text(&status, 2, "collection not found");
	pbw_varint(&status, 3, 100);
	talk.answers[0] = (struct pbw){ 0 };
	pbw_message(&talk.answers[0], 1, &status);
	told = grpc_told(&talk);
	assert_true(told.call.has_error);
	assert_slice(told.call.error.message, "collection not found");
	assert_slice(told.call.outputs, "[]");
	told_free(&told);
}

static void a_refused_search_is_an_error(void **state)
{
	struct grpc_talk talk = qdrant();
	struct told told;

	talk.answer_count = 0;
	talk.status = "5";
	talk.message = "no collection%21";
	told = grpc_told(&talk);
	assert_true(told.call.has_error);
	assert_slice(told.call.error.type, "NOT_FOUND");
	assert_slice(told.call.error.message, "no collection!");
	told_free(&told);
}

static void damage_and_full_memory_are_survived(void **state)
{
	struct grpc_talk talks[] = { qdrant(), weaviate(), pinecone(), milvus() };

	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
		grpc_survives_damage(&talks[i]);
		grpc_survives_full_memory(&talks[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qdrants_points_are_documents),
		cmocka_unit_test(qdrants_batches_are_one_list),
		cmocka_unit_test(vectors_are_not_kept),
		cmocka_unit_test(weaviates_results_are_documents),
		cmocka_unit_test(pinecones_matches_are_documents),
		cmocka_unit_test(milvus_columns_are_documents),
		cmocka_unit_test(milvus_says_in_its_answer_that_it_failed),
		cmocka_unit_test(a_refused_search_is_an_error),
		cmocka_unit_test(damage_and_full_memory_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
