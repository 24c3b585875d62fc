/* SPDX-License-Identifier: Apache-2.0 */
/* Retrieval: whatever store answers, documents are shown in one shape, and no vector is. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"

struct gold {
	const char *dialect, *path, *host, *ask, *answer;
	const char *outputs, *ids;
	const char *query, *source;
	int64_t top_k, dimensions;
};

#define V3 "[0.1,0.2,-3e-2]"

static const struct gold golds[] = {
	{ "pinecone.query", "/query", "docs-a1b2c3.svc.us-east-1.pinecone.io",
	  "{\"vector\":" V3 ",\"topK\":2,\"namespace\":\"n\",\"includeMetadata\":true}",
	  "{\"matches\":[{\"id\":\"d1\",\"score\":0.9,\"values\":" V3 ",\"metadata\":{\"text\":\"A\",\"year\":2020}},"
	  "{\"id\":\"d2\",\"score\":0.5,\"metadata\":{\"k\":1}}],\"namespace\":\"n\",\"usage\":{\"readUnits\":5}}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.9,\"values\":{\"dimensions\":3},\"year\":2020},\"id\":\"d1\"},"
	  "{\"page_content\":\"{\\\"k\\\":1}\",\"metadata\":{\"score\":0.5,\"k\":1},\"id\":\"d2\"}]",
	  "[{\"id\":\"d1\",\"score\":0.9},{\"id\":\"d2\",\"score\":0.5}]", "", "docs", 2, 3 },
	{ "pinecone.search", "/records/namespaces/n/search", "docs-a1b2c3.svc.us-east-1.pinecone.io",
	  "{\"query\":{\"inputs\":{\"text\":\"q\"},\"top_k\":4},\"fields\":[\"chunk_text\"]}",
	  "{\"result\":{\"hits\":[{\"_id\":\"r1\",\"_score\":0.8,\"fields\":{\"chunk_text\":\"A\",\"c\":\"x\"}}]},"
	  "\"usage\":{\"read_units\":1,\"embed_total_tokens\":7}}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.8,\"_score\":0.8,\"c\":\"x\"},\"id\":\"r1\"}]",
	  "[{\"id\":\"r1\",\"score\":0.8}]", "q", "docs", 4, -1 },
	{ "upstash.query", "/query/ns", "big-owl-1-eu1-vector.upstash.io",
	  "{\"vector\":" V3 ",\"topK\":2,\"includeData\":true}",
	  "{\"result\":[{\"id\":\"d1\",\"score\":0.9,\"metadata\":{\"year\":2020},\"data\":\"A\"},{\"id\":\"d2\",\"score\":0.5,"
	  "\"metadata\":{\"text\":\"B\"}}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.9,\"year\":2020},\"id\":\"d1\"},"
	  "{\"page_content\":\"B\",\"metadata\":{\"score\":0.5},\"id\":\"d2\"}]",
	  "[{\"id\":\"d1\",\"score\":0.9},{\"id\":\"d2\",\"score\":0.5}]", "", "big-owl-1-eu1-vector", 2, 3 },
	{ "upstash.query", "/query", "big-owl-1-eu1-vector.upstash.io", "[{\"vector\":" V3 ",\"topK\":1}]",
	  "{\"result\":[[{\"id\":\"d1\",\"score\":0.9,\"data\":\"A\"}]]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.9},\"id\":\"d1\"}]", "[{\"id\":\"d1\",\"score\":0.9}]",
	  "", "big-owl-1-eu1-vector", -1, 3 },
	{ "upstash.query", "/query-data", "vectors.example", "{\"data\":\"q\",\"topK\":1}",
	  "{\"result\":[{\"id\":\"d1\",\"score\":0.9,\"data\":\"A\"}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.9},\"id\":\"d1\"}]", "[{\"id\":\"d1\",\"score\":0.9}]",
	  "q", "", 1, -1 },
	{ "qdrant.points", "/collections/docs/points/query", "localhost:6333",
	  "{\"query\":" V3 ",\"limit\":3,\"with_payload\":true}",
	  "{\"result\":{\"points\":[{\"id\":7,\"version\":0,\"score\":0.7,\"payload\":{\"page_content\":\"A\",\"metadata\":{\"p\":1}}}]},"
	  "\"status\":\"ok\",\"time\":0.001}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.7,\"version\":0,\"metadata\":{\"p\":1}},\"id\":\"7\"}]",
	  "[{\"id\":\"7\",\"score\":0.7}]", "", "docs", 3, 3 },
	{ "qdrant.points", "/collections/docs/points/search/batch", "localhost:6333",
	  "{\"searches\":[{\"vector\":" V3 ",\"limit\":3}]}",
	  "{\"result\":[[{\"id\":\"a\",\"score\":0.7}],[{\"id\":\"b\",\"score\":0.6}]],\"status\":\"ok\"}",
	  "[{\"page_content\":\"{\\\"id\\\":\\\"a\\\",\\\"score\\\":0.7}\",\"metadata\":{\"score\":0.7},\"id\":\"a\"},"
	  "{\"page_content\":\"{\\\"id\\\":\\\"b\\\",\\\"score\\\":0.6}\",\"metadata\":{\"score\":0.6},\"id\":\"b\"}]",
	  "[{\"id\":\"a\",\"score\":0.7},{\"id\":\"b\",\"score\":0.6}]", "", "docs", 3, 3 },
	{ "qdrant.points", "/collections/docs/points/query/groups", "localhost:6333",
	  "{\"query\":{\"text\":\"q\",\"model\":\"m\"},\"group_by\":\"d\"}",
	  "{\"result\":{\"groups\":[{\"id\":\"g\",\"hits\":[{\"id\":1,\"score\":0.5,\"payload\":{\"text\":\"A\"}}]}]}}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.5},\"id\":\"1\"}]", "[{\"id\":\"1\",\"score\":0.5}]", "q",
	  "docs", -1, -1 },
	{ "weaviate.graphql", "/v1/graphql", "localhost:8080",
	  "{\"query\":\"{\\n  Get {\\n    Article(nearText: {concepts: [\\\"animals\\\"]} limit: 2) { title _additional { id distance } } } }\"}",
	  "{\"data\":{\"Get\":{\"Article\":[{\"title\":\"T\",\"content\":\"A\",\"_additional\":{\"id\":\"u-1\",\"distance\":0.25}}]}}}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.25,\"distance\":0.25,\"title\":\"T\"},\"id\":\"u-1\"}]",
	  "[{\"id\":\"u-1\",\"score\":0.25}]", "animals", "Article", 2, -1 },
	{ "chroma.query", "/api/v2/tenants/t/databases/d/collections/c-1/query", "localhost:8000",
	  "{\"query_embeddings\":[" V3 "],\"n_results\":2,\"include\":[\"documents\"]}",
	  "{\"ids\":[[\"a\",\"b\"]],\"embeddings\":null,\"documents\":[[\"A\",null]],\"distances\":[[0.1,0.2]],"
	  "\"metadatas\":[[{\"k\":1},null]]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.1,\"k\":1},\"id\":\"a\"},"
	  "{\"page_content\":\"\",\"metadata\":{\"score\":0.2},\"id\":\"b\"}]",
	  "[{\"id\":\"a\",\"score\":0.1},{\"id\":\"b\",\"score\":0.2}]", "", "c-1", 2, 3 },
	{ "chroma.query", "/api/v1/collections/c-1/get", "localhost:8000", "{\"ids\":[\"a\"],\"limit\":1}",
	  "{\"ids\":[\"a\"],\"documents\":[\"A\"],\"metadatas\":[null]}",
	  "[{\"page_content\":\"A\",\"metadata\":{},\"id\":\"a\"}]", "[{\"id\":\"a\"}]", "", "c-1", 1, -1 },
	{ "milvus.rest", "/v2/vectordb/entities/search", "localhost:19530",
	  "{\"collectionName\":\"docs\",\"data\":[" V3 "],\"annsField\":\"v\",\"limit\":3}",
	  "{\"code\":0,\"cost\":6,\"data\":[{\"distance\":0.4,\"id\":5,\"text\":\"A\",\"color\":\"red\"}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.4,\"distance\":0.4,\"color\":\"red\"},\"id\":\"5\"}]",
	  "[{\"id\":\"5\",\"score\":0.4}]", "", "docs", 3, 3 },
	{ "elastic.search", "/docs/_search", "localhost:9200",
	  "{\"knn\":{\"field\":\"v\",\"k\":5,\"query_vector_builder\":{\"text_embedding\":{\"model_id\":\"m\",\"model_text\":\"q\"}}}}",
	  "{\"took\":1,\"hits\":{\"total\":{\"value\":1},\"hits\":[{\"_index\":\"docs\",\"_id\":\"e\",\"_score\":0.3,\"_source\":"
	  "{\"text\":\"A\",\"vec\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}}]}}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.3,\"_index\":\"docs\",\"_score\":0.3,\"vec\":{\"dimensions\":16}},\"id\":\"e\"}]",
	  "[{\"id\":\"e\",\"score\":0.3}]", "q", "docs", 5, -1 },
	{ "elastic.search", "/_msearch", "localhost:9200",
	  "{\"index\":\"docs\"}\n{\"query\":{\"bool\":{\"must\":[{\"semantic\":{\"field\":\"f\",\"query\":\"q\"}}]}}}\n",
	  "{\"responses\":[{\"hits\":{\"hits\":[{\"_id\":\"e\",\"_score\":1,\"_source\":{\"body\":\"A\"}}]}}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":1,\"_score\":1},\"id\":\"e\"}]",
	  "[{\"id\":\"e\",\"score\":1}]", "q", "docs", -1, -1 },
	{ "azure.search", "/indexes('docs')/docs/search.post.search", "s.search.windows.net",
	  "{\"search\":\"q\",\"top\":3,\"vectorQueries\":[{\"kind\":\"vector\",\"vector\":" V3 ",\"k\":3}]}",
	  "{\"@odata.count\":1,\"value\":[{\"@search.score\":0.03,\"@search.rerankerScore\":2.5,\"chunk_id\":\"c\",\"chunk\":\"A\"}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":2.5,\"@search.score\":0.03,\"@search.rerankerScore\":2.5},\"id\":\"c\"}]",
	  "[{\"id\":\"c\",\"score\":2.5}]", "q", "docs", 3, 3 },
	{ "databricks.vector_search", "/api/2.0/vector-search/indexes/main.default.i/query",
	  "dbc-1.cloud.databricks.com", "{\"query_text\":\"q\",\"columns\":[\"id\",\"text\"],\"num_results\":2}",
	  "{\"manifest\":{\"column_count\":3,\"columns\":[{\"name\":\"id\"},{\"name\":\"text\"},{\"name\":\"score\"}]},"
	  "\"result\":{\"row_count\":1,\"data_array\":[[\"k\",\"A\",0.6]]}}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.6},\"id\":\"k\"}]", "[{\"id\":\"k\",\"score\":0.6}]", "q",
	  "main.default.i", 2, -1 },
	{ "openai.vector_stores", "/v1/vector_stores/vs_1/search", "api.openai.com",
	  "{\"query\":[\"q\",\"r\"],\"max_num_results\":4}",
	  "{\"object\":\"vector_store.search_results.page\",\"search_query\":[\"q\"],\"data\":[{\"file_id\":\"file-1\",\"filename\":\"a.md\","
	  "\"score\":0.95,\"attributes\":{\"y\":1},\"content\":[{\"type\":\"text\",\"text\":\"A\"},{\"type\":\"text\",\"text\":\"B\"}]}],"
	  "\"has_more\":false}",
	  "[{\"page_content\":\"A\\nB\",\"metadata\":{\"score\":0.95,\"doc_uri\":\"a.md\",\"filename\":\"a.md\",\"y\":1},\"id\":\"file-1\"}]",
	  "[{\"id\":\"file-1\",\"score\":0.95}]", "q\nr", "vs_1", 4, -1 },
	{ "turbopuffer.query", "/v2/namespaces/ns/query", "gcp-us-central1.turbopuffer.com",
	  "{\"rank_by\":[\"vector\",\"ANN\"," V3 "],\"limit\":1}",
	  "{\"rows\":[{\"id\":1,\"$dist\":0.2,\"text\":\"A\"}],\"billing\":{}}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.2,\"$dist\":0.2},\"id\":\"1\"}]",
	  "[{\"id\":\"1\",\"score\":0.2}]", "", "ns", 1, 3 },
	{ "s3.vectors", "/QueryVectors", "s3vectors.us-east-1.api.aws",
	  "{\"vectorBucketName\":\"b\",\"indexName\":\"i\",\"topK\":1,\"queryVector\":{\"float32\":" V3 "}}",
	  "{\"distanceMetric\":\"cosine\",\"vectors\":[{\"key\":\"k\",\"distance\":0.2,\"metadata\":{\"text\":\"A\"}}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.2,\"distance\":0.2},\"id\":\"k\"}]",
	  "[{\"id\":\"k\",\"score\":0.2}]", "", "i", 1, 3 },
	{ "lancedb.query", "/v1/table/t/query/", "db.us-east-1.api.lancedb.com", "{\"vector\":" V3 ",\"k\":1}",
	  "{\"results\":[{\"id\":1,\"_distance\":0.2,\"text\":\"A\",\"vector\":" V3 "}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.2,\"_distance\":0.2,\"vector\":{\"dimensions\":3}},\"id\":\"1\"}]",
	  "[{\"id\":\"1\",\"score\":0.2}]", "", "t", 1, 3 },
	{ "tavily.search", "/search", "api.tavily.com", "{\"query\":\"q\",\"max_results\":1}",
	  "{\"query\":\"q\",\"results\":[{\"title\":\"T\",\"url\":\"http://a/\",\"content\":\"A\",\"score\":0.9,\"raw_content\":null}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"score\":0.9,\"doc_uri\":\"http://a/\",\"title\":\"T\"},\"id\":\"http://a/\"}]",
	  "[{\"id\":\"http://a/\",\"score\":0.9}]", "q", "", 1, -1 },
	{ "exa.search", "/search", "proxy.local", "{\"query\":\"q\",\"numResults\":1}",
	  "{\"requestId\":\"x\",\"results\":[{\"id\":\"http://a/\",\"title\":\"T\",\"url\":\"http://a/\",\"text\":\"A\"}]}",
	  "[{\"page_content\":\"A\",\"metadata\":{\"doc_uri\":\"http://a/\",\"title\":\"T\",\"url\":\"http://a/\"},\"id\":\"http://a/\"}]",
	  "[{\"id\":\"http://a/\"}]", "q", "", 1, -1 },
};

static void every_store_gives_the_same_documents(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(golds); i++) {
		const struct gold *gold = &golds[i];
		struct talk talk = { .path = gold->path,
				     .host = gold->host,
				     .request = slice_of(gold->ask),
				     .body = slice_of(gold->answer) };
		struct told told = talk_told(&talk);

		assert_string_equal(told.dialect->name, gold->dialect);
		assert_int_equal(told.call.operation, OPERATION_RETRIEVAL);
		assert_slice(told.call.outputs, gold->outputs);
		assert_slice(attribute_text(&told.call, "gen_ai.retrieval.documents"), gold->ids);
		assert_slice(attribute_text(&told.call, "gen_ai.retrieval.query.text"), gold->query);
		assert_slice(attribute_text(&told.call, "gen_ai.data_source.id"), gold->source);
		assert_int_equal(attribute_count(&told.call, "gen_ai.retrieval.top_k"), gold->top_k);
		assert_int_equal(attribute_count(&told.call, "spantap.retrieval.vector_dimensions"), gold->dimensions);
		assert_false(slice_contains(told.call.inputs, SLICE("-3e-2")));
		assert_false(told.call.is_undecodable);
		told_free(&told);
	}
}

static void a_get_tells_by_its_host(void **state)
{
	struct talk talk = { .path = "/res/v1/web/search",
			     .host = "api.search.brave.com",
			     .body = SLICE(
				     "{\"type\":\"search\",\"web\":{\"type\":\"search\",\"results\":[{\"title\":\"T\","
				     "\"url\":\"http://a/\",\"description\":\"A\"}]}}") };
	struct told told;
	struct dialect_hint hint = { .method = SLICE("GET"),
				     .path = SLICE("/res/v1/web/search"),
				     .host = SLICE("api.search.brave.com"),
				     .request_is_whole = true };
	unsigned score;

	assert_string_equal(dialect_find(&hint, &score)->name, "brave.search");
	hint.host = SLICE("shop.example");
	assert_null(dialect_find(&hint, &score));
	assert_true(talk_run(&talk, &talk_heap.alloc, dialect_by_name(SLICE("brave.search")), &told));
	assert_slice(told.call.outputs,
		     "[{\"page_content\":\"A\",\"metadata\":{\"doc_uri\":\"http://a/\",\"title\":\"T\"},"
		     "\"id\":\"http://a/\"}]");
	told_free(&told);
}

static void a_real_answer_of_chroma_is_read(void **state)
{
	struct talk talk = {
		.path = "/api/v2/tenants/default_tenant/databases/default_database/collections/"
			"96e296a2-c7a0-417c-9fb2-a2ccfc1e1ef3/query",
		.host = "127.0.0.1:18556",
		.request = SLICE("{\"ids\":null,\"query_embeddings\":[[1.0,2.0,4.0]],\"n_results\":2,\"where\":null,"
				 "\"where_document\":null,\"include\":[\"metadatas\",\"documents\",\"distances\"]}"),
		.body = SLICE(
			"{\"ids\":[[\"a\",\"b\"]],\"embeddings\":null,\"documents\":[[\"alpha\",\"beta\"]],\"uris\":null,"
			"\"metadatas\":[[{\"source\":\"a.md\"},{\"source\":\"b.md\"}]],\"distances\":[[1.0,22.0]],"
			"\"include\":[\"metadatas\",\"documents\",\"distances\"]}")
	};
	struct told told = talk_told(&talk);

	assert_slice(attribute_text(&told.call, "gen_ai.retrieval.documents"),
		     "[{\"id\":\"a\",\"score\":1.0},{\"id\":\"b\",\"score\":22.0}]");
	told_free(&told);
}

static void no_documents_is_an_empty_list(void **state)
{
	static const struct {
		const char *path, *ask, *answer;
	} empty[] = {
		{ "/query", "{\"vector\":" V3 ",\"topK\":2}", "{\"matches\":[],\"namespace\":\"\"}" },
		{ "/collections/c/points/query", "{\"query\":" V3 "}",
		  "{\"result\":{\"points\":[]},\"status\":\"ok\"}" },
		{ "/api/v2/tenants/t/databases/d/collections/c/query", "{\"query_embeddings\":[" V3 "]}",
		  "{\"ids\":[[]],\"documents\":[[]],\"distances\":[[]]}" },
		{ "/v2/vectordb/entities/search", "{\"collectionName\":\"c\",\"data\":[]}",
		  "{\"code\":0,\"data\":[]}" },
		{ "/i/_search", "{\"knn\":{\"field\":\"v\"}}",
		  "{\"took\":1,\"hits\":{\"total\":{\"value\":0},\"hits\":[]}}" },
		{ "/indexes/i/docs/search", "{\"search\":\"q\"}", "{\"value\":[]}" },
		{ "/api/2.0/vector-search/indexes/i/query", "{\"query_text\":\"q\"}",
		  "{\"manifest\":{\"columns\":[]},\"result\":{\"row_count\":0}}" },
		{ "/v1/vector_stores/vs/search", "{\"query\":\"q\"}", "{\"data\":[]}" },
		{ "/v1/graphql", "{\"query\":\"{Get{A(hybrid:{query:\\\"q\\\"}){t}}}\"}",
		  "{\"data\":{\"Get\":{\"A\":[]}}}" },
		{ "/QueryVectors", "{\"queryVector\":{\"float32\":[1]}}", "{\"vectors\":[]}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		struct talk talk = { .path = empty[i].path,
				     .request = slice_of(empty[i].ask),
				     .body = slice_of(empty[i].answer) };
		struct told told = talk_told(&talk);

		assert_int_equal(told.call.operation, OPERATION_RETRIEVAL);
		assert_slice(told.call.outputs, "[]");
		assert_false(told.call.has_error);
		told_free(&told);
	}
}

static void failures_are_told_in_each_ones_way(void **state)
{
	static const struct {
		const char *path, *host, *ask, *answer, *message;
		int status;
	} failures[] = {
		{ "/query", "i-p.svc.e.pinecone.io", "{\"topK\":1}",
		  "{\"code\":3,\"message\":\"Vector dimension 3 does not match\",\"details\":[]}",
		  "Vector dimension 3 does not match", 400 },
		{ "/collections/c/points/query", NULL, "{\"query\":" V3 "}",
		  "{\"status\":{\"error\":\"Not found: Collection `c`\"},\"time\":0.1}", "Not found: Collection `c`",
		  404 },
		{ "/v2/vectordb/entities/search", NULL, "{\"collectionName\":\"c\"}",
		  "{\"code\":100,\"message\":\"collection not found\"}", "collection not found", 200 },
		{ "/i/_search", NULL, "{\"knn\":{\"field\":\"v\"}}",
		  "{\"error\":{\"type\":\"index_not_found_exception\",\"reason\":\"no such index [i]\"},\"status\":404}",
		  "no such index [i]", 404 },
		{ "/v1/graphql", NULL, "{\"query\":\"{Get{A(nearText:{concepts:[\\\"q\\\"]}){t}}}\"}",
		  "{\"errors\":[{\"message\":\"Cannot query field\"}]}", "Cannot query field", 200 },
		{ "/indexes/i/docs/search", NULL, "{\"search\":\"q\"}",
		  "{\"error\":{\"code\":\"InvalidRequest\",\"message\":\"bad\"}}", "bad", 400 },
		{ "/api/2.0/vector-search/indexes/i/query", NULL, "{\"query_text\":\"q\"}",
		  "{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":\"gone\"}", "gone", 404 },
		{ "/search", "api.tavily.com", "{\"query\":\"q\"}", "{\"detail\":{\"error\":\"no key\"}}",
		  "{\"error\":\"no key\"}", 401 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct talk talk = { .path = failures[i].path,
				     .host = failures[i].host,
				     .request = slice_of(failures[i].ask),
				     .status = failures[i].status,
				     .body = slice_of(failures[i].answer) };
		struct told told = talk_told(&talk);

		assert_int_equal(told.call.operation, OPERATION_RETRIEVAL);
		assert_true(told.call.has_error);
		assert_slice(told.call.error.message, failures[i].message);
		told_free(&told);
	}
}

static void who_only_looks_alike_gives_no_span(void **state)
{
	static const struct {
		const char *path, *ask, *answer;
	} others[] = {
		{ "/query", "{\"query\":\"select 1\",\"top_k\":1}", "{\"rows\":[[1]]}" },
		{ "/search", "{\"query\":\"shoes\"}", "{\"results\":[{\"sku\":1,\"url\":\"/1\"}],\"total\":1}" },
		{ "/search", "{\"query\":\"shoes\"}", "{\"hits\":[]}" },
		{ "/logs/_search", "{\"query\":{\"match\":{\"level\":\"error\"}},\"size\":500}",
		  "{\"hits\":{\"hits\":[]}}" },
		{ "/logs/_search", "{\"query\":{\"query_string\":{\"query\":\"knn retriever\"}}}",
		  "{\"hits\":{\"hits\":[]}}" },
		{ "/_msearch", "{}\n{\"query\":{\"match_all\":{}}}\n", "{\"responses\":[]}" },
		{ "/v1/graphql", "{\"query\":\"{ Get { Article(limit: 2) { title } } }\"}", "{\"data\":{\"Get\":{}}}" },
		{ "/v1/graphql", "{\"query\":\"{ viewer { login } }\"}", "{\"data\":{\"viewer\":{}}}" },
		{ "/v1/objects", "{\"class\":\"A\",\"properties\":{}}", "{\"id\":\"u\"}" },
		{ "/collections/shoes/query", "{\"size\":44}", "{\"items\":[]}" },
		{ "/collections/c/points", "{\"points\":[{\"id\":1,\"vector\":" V3 "}]}",
		  "{\"result\":{},\"status\":\"ok\"}" },
		{ "/collections/c/points/batch", "{\"operations\":[]}", "{\"result\":[],\"status\":\"ok\"}" },
		{ "/v2/vectordb/entities/insert", "{\"collectionName\":\"c\",\"data\":[]}",
		  "{\"code\":0,\"data\":{}}" },
		{ "/indexes/i/docs/index", "{\"value\":[]}", "{\"value\":[]}" },
		{ "/v1/namespaces/default/query", "{\"vector\":[1]}", "{\"items\":[]}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct talk talk = { .path = others[i].path,
				     .host = "app.example",
				     .request = slice_of(others[i].ask),
				     .body = slice_of(others[i].answer) };
		struct told told;

		assert_false(talk_run(&talk, &talk_heap.alloc, NULL, &told));
		told_free(&told);
	}
}

/* Every cut of every exchange, and every request for memory refused: what is shown is JSON, or it is told. */
static void cuts_and_lack_of_memory_are_survived(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(golds); i++) {
		const struct dialect *dialect = dialect_by_name(slice_of(golds[i].dialect));
		struct slice ask = slice_of(golds[i].ask), answer = slice_of(golds[i].answer);

		for (size_t cut = 0; cut <= answer.len + ask.len; cut++) {
			struct talk talk = { .path = golds[i].path, .host = golds[i].host };
			struct told told;
			char *text;

			talk.request = slice_head(ask, cut);
			talk.body = slice_head(answer, cut > ask.len ? cut - ask.len : 0);
			talk.request_is_cut = cut < ask.len;
			/* A copy with nothing behind it, so that reading beyond is seen. */
			text = malloc(talk.request.len + talk.body.len + 1);
			memcpy(text, talk.request.data, talk.request.len);
			memcpy(text + talk.request.len, talk.body.len ? talk.body.data : "", talk.body.len);
			talk.request.data = text;
			talk.body.data = text + talk.request.len;
			talk_run(&talk, &talk_heap.alloc, NULL, &told);
			told_free(&told);
			assert_true(talk_run(&talk, &talk_heap.alloc, dialect, &told));
			if (told.call.outputs.len && !told.call.outputs_is_text)
				assert_int_equal(json_check(told.call.outputs, JSON_DEPTH_MAX), 0);
			assert_false(slice_contains(told.call.inputs, SLICE("-3e-2")));
			told_free(&told);
			free(text);
		}
		for (size_t cap = 256; cap < 64 << 10; cap += 512) {
			struct alloc_heap heap = ALLOC_HEAP(cap);
			struct talk talk = { .path = golds[i].path, .request = ask, .body = answer };
			struct told told;

			if (talk_run(&talk, &heap.alloc, dialect, &told) && told.call.outputs.len)
				assert_true(json_check(told.call.outputs, JSON_DEPTH_MAX) == 0);
			told_free(&told);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_store_gives_the_same_documents),
		cmocka_unit_test(a_get_tells_by_its_host),
		cmocka_unit_test(a_real_answer_of_chroma_is_read),
		cmocka_unit_test(no_documents_is_an_empty_list),
		cmocka_unit_test(failures_are_told_in_each_ones_way),
		cmocka_unit_test(who_only_looks_alike_gives_no_span),
		cmocka_unit_test(cuts_and_lack_of_memory_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
