/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdrant.grpc, weaviate.grpc, pinecone.grpc, milvus.grpc: searches in vector stores over gRPC. All ask for what is near to
 * something in a collection and get points with a score and fields of their own; a store says by its tables where these
 * stand. Shown are documents: the field that holds the text, the others as metadata. Vectors are never kept.
 */
#include "dialect/grpc.h"
#include "dialect/qdrant_proto.h"
#include <errno.h>

/* One point that was found; raw JSON values. */
struct found {
	struct slice id, score, fields;
};

struct store {
	const char *dialect, *vendor, *span_name;
	const struct grpc_method *methods;
	size_t method_count;
	struct slice source, limit;      /* members of the request */
	const char *const (*queries)[4]; /* paths to what is asked in words */
	void (*read)(struct call *call, struct slice answer, void (*put)(void *user, const struct found *found),
		     void *user);
};

/* ---- Qdrant ---- */

static const struct pb_field point_id_fields[] = { PB_FIELD(1, NULL, PB_NUMBER64), PB_FIELD(2, NULL, PB_STRING) };
static const struct pb_message point_id = PB_BARE(point_id_fields, "null");
static const struct pb_field point_fields[] = {
	PB_FIELD(1, "id", PB_MESSAGE, .message = &point_id),
	PB_MAP(2, "payload", PB_MESSAGE, .message = &qdrant_value),
	PB_FIELD(3, "score", PB_FLOAT),
	PB_FIELD(5, "version", PB_UINT64),
	PB_FIELD(6, NULL, PB_HIDDEN),
};
static const struct pb_message point = PB_TABLE(point_fields);
static const struct pb_field points_fields[] = {
	PB_LIST(1, "result", PB_MESSAGE, .message = &point),
	PB_FIELD(2, "time", PB_DOUBLE),
	PB_FIELD(3, NULL, PB_HIDDEN),
};
static const struct pb_message points = PB_TABLE(points_fields);
static const struct pb_field batches_fields[] = {
	PB_LIST(1, "result", PB_MESSAGE, .message = &points),
	PB_FIELD(2, "time", PB_DOUBLE),
	PB_FIELD(3, NULL, PB_HIDDEN),
};
static const struct pb_message batches = PB_TABLE(batches_fields);
static const struct pb_field query_batch_fields[] = {
	PB_FIELD(1, "collectionName", PB_STRING),
	PB_LIST(2, "queryPoints", PB_MESSAGE, .message = &qdrant_query),
};
static const struct pb_message query_batch = PB_TABLE(query_batch_fields);
static const struct pb_field search_batch_fields[] = {
	PB_FIELD(1, "collectionName", PB_STRING),
	PB_LIST(2, "searchPoints", PB_MESSAGE, .message = &qdrant_search),
};
static const struct pb_message search_batch = PB_TABLE(search_batch_fields);
static const struct grpc_method qdrant_methods[] = {
	{ SLICE("/qdrant.Points/Query"), &qdrant_query, &points, OPERATION_RETRIEVAL },
	{ SLICE("/qdrant.Points/Search"), &qdrant_search, &points, OPERATION_RETRIEVAL },
	{ SLICE("/qdrant.Points/QueryBatch"), &query_batch, &batches, OPERATION_RETRIEVAL },
	{ SLICE("/qdrant.Points/SearchBatch"), &search_batch, &batches, OPERATION_RETRIEVAL },
};
static const char *const qdrant_queries[][4] = {
	{ "query", "nearest", "document", "text" },
	{ "query", "text", "query" },
	{ NULL },
};

static void qdrant_read(struct call *call, struct slice answer, void (*put)(void *user, const struct found *found),
			void *user)
{
	json_foreach_element(item, json_get(answer, SLICE("result"))) {
		struct slice list = json_get(item.value, SLICE("result"));
		struct found found = { json_get(item.value, SLICE("id")), json_get(item.value, SLICE("score")),
				       json_get(item.value, SLICE("payload")) };

		if (json_type(list) == JSON_ARRAY)
			qdrant_read(call, item.value, put, user);
		else if (found.id.data)
			put(user, &found);
	}
}

/* ---- Weaviate ---- */

static const struct pb_message weaviate_properties, weaviate_value;
#define WEAVIATE_LIST(name, kind, ...)                                                                                 \
	static const struct pb_field name##_fields[] = { PB_LIST(1, NULL, kind, __VA_ARGS__) };                        \
	static const struct pb_message name = PB_BARE(name##_fields, "[]")
WEAVIATE_LIST(weaviate_doubles, PB_DOUBLE);
WEAVIATE_LIST(weaviate_bools, PB_BOOL);
WEAVIATE_LIST(weaviate_objects, PB_MESSAGE, .message = &weaviate_properties);
WEAVIATE_LIST(weaviate_texts, PB_STRING);
WEAVIATE_LIST(weaviate_ints, PB_SFIXED64);
static const struct pb_field weaviate_list_fields[] = {
	PB_FIELD(2, NULL, PB_MESSAGE, .message = &weaviate_doubles),
	PB_FIELD(3, NULL, PB_MESSAGE, .message = &weaviate_bools),
	PB_FIELD(4, NULL, PB_MESSAGE, .message = &weaviate_objects),
	PB_FIELD(5, NULL, PB_MESSAGE, .message = &weaviate_texts),
	PB_FIELD(6, NULL, PB_MESSAGE, .message = &weaviate_texts),
	PB_FIELD(7, NULL, PB_MESSAGE, .message = &weaviate_ints),
	PB_FIELD(8, NULL, PB_MESSAGE, .message = &weaviate_texts),
};
static const struct pb_message weaviate_list = PB_BARE(weaviate_list_fields, "[]");
static const struct pb_field weaviate_value_fields[] = {
	PB_FIELD(1, NULL, PB_DOUBLE),
	PB_FIELD(2, NULL, PB_STRING),
	PB_FIELD(3, NULL, PB_BOOL),
	PB_FIELD(4, NULL, PB_MESSAGE, .message = &weaviate_properties),
	PB_FIELD(5, NULL, PB_MESSAGE, .message = &weaviate_list),
	PB_FIELD(6, NULL, PB_STRING),
	PB_FIELD(7, NULL, PB_STRING),
	PB_FIELD(8, NULL, PB_NUMBER64),
	PB_FIELD(13, NULL, PB_STRING),
	PB_FIELD(9, NULL, PB_HIDDEN),
	PB_FIELD(10, NULL, PB_HIDDEN),
	PB_FIELD(11, NULL, PB_HIDDEN),
	PB_FIELD(12, NULL, PB_HIDDEN),
};
static const struct pb_message weaviate_value = PB_BARE(weaviate_value_fields, "null");
static const struct pb_field weaviate_properties_fields[] = {
	PB_MAP(1, NULL, PB_MESSAGE, .message = &weaviate_value),
};
static const struct pb_message weaviate_properties = PB_BARE(weaviate_properties_fields, "{}");
static const struct pb_field weaviate_object_fields[] = {
	PB_FIELD(11, NULL, PB_MESSAGE, .message = &weaviate_properties),
};
static const struct pb_message weaviate_object = PB_BARE(weaviate_object_fields, "{}");
static const struct pb_field weaviate_metadata_fields[] = {
	PB_FIELD(1, "id", PB_STRING),    PB_FIELD(7, "distance", PB_FLOAT),      PB_FIELD(9, "certainty", PB_FLOAT),
	PB_FIELD(11, "score", PB_FLOAT), PB_FIELD(2, NULL, PB_HIDDEN),           PB_FIELD(19, NULL, PB_HIDDEN),
	PB_FIELD(23, NULL, PB_HIDDEN),   PB_FIELD(21, "rerankScore", PB_DOUBLE),
};
static const struct pb_message weaviate_metadata = PB_TABLE(weaviate_metadata_fields);
static const struct pb_field weaviate_result_fields[] = {
	PB_FIELD(1, "properties", PB_MESSAGE, .message = &weaviate_object),
	PB_FIELD(2, "metadata", PB_MESSAGE, .message = &weaviate_metadata),
};
static const struct pb_message weaviate_result = PB_TABLE(weaviate_result_fields);
static const struct pb_field weaviate_reply_fields[] = {
	PB_FIELD(1, "took", PB_FLOAT),
	PB_LIST(2, "results", PB_MESSAGE, .message = &weaviate_result),
};
static const struct pb_message weaviate_reply = PB_TABLE(weaviate_reply_fields);
static const struct pb_field weaviate_hybrid_fields[] = {
	PB_FIELD(1, "query", PB_STRING),      PB_LIST(2, "properties", PB_STRING),
	PB_FIELD(3, NULL, PB_HIDDEN),         PB_FIELD(4, "alpha", PB_FLOAT),
	PB_FIELD(6, NULL, PB_HIDDEN),         PB_LIST(7, "targetVectors", PB_STRING),
	PB_FIELD(12, "alphaParam", PB_FLOAT),
};
static const struct pb_message weaviate_hybrid = PB_TABLE(weaviate_hybrid_fields);
static const struct pb_field weaviate_near_text_fields[] = {
	PB_LIST(1, "query", PB_STRING),
	PB_FIELD(2, "certainty", PB_DOUBLE),
	PB_FIELD(3, "distance", PB_DOUBLE),
	PB_LIST(6, "targetVectors", PB_STRING),
};
static const struct pb_message weaviate_near_text = PB_TABLE(weaviate_near_text_fields);
static const struct pb_field weaviate_near_object_fields[] = {
	PB_FIELD(1, "id", PB_STRING),
	PB_FIELD(2, "certainty", PB_DOUBLE),
	PB_FIELD(3, "distance", PB_DOUBLE),
};
static const struct pb_message weaviate_near_object = PB_TABLE(weaviate_near_object_fields);
static const struct pb_field weaviate_request_fields[] = {
	PB_FIELD(1, "collection", PB_STRING),
	PB_FIELD(10, "tenant", PB_STRING),
	PB_FIELD(30, "limit", PB_UINT32),
	PB_FIELD(31, "offset", PB_UINT32),
	PB_FIELD(32, "autocut", PB_UINT32),
	PB_FIELD(33, "after", PB_STRING),
	PB_FIELD(41, "hybridSearch", PB_MESSAGE, .message = &weaviate_hybrid),
	PB_FIELD(42, "bm25Search", PB_MESSAGE, .message = &weaviate_hybrid),
	PB_FIELD(43, NULL, PB_HIDDEN),
	PB_FIELD(44, "nearObject", PB_MESSAGE, .message = &weaviate_near_object),
	PB_FIELD(45, "nearText", PB_MESSAGE, .message = &weaviate_near_text),
};
static const struct pb_message weaviate_request = PB_TABLE(weaviate_request_fields);
static const struct grpc_method weaviate_methods[] = {
	{ SLICE("/weaviate.v1.Weaviate/Search"), &weaviate_request, &weaviate_reply, OPERATION_RETRIEVAL },
};
static const char *const weaviate_queries[][4] = {
	{ "nearText", "query", "#0" },
	{ "hybridSearch", "query" },
	{ "bm25Search", "query" },
	{ NULL },
};

/* Hybrid searches score, others tell a distance. */
static struct slice weaviate_score(struct slice metadata)
{
	static const struct slice names[] = { SLICE("rerankScore"), SLICE("score"), SLICE("certainty"),
					      SLICE("distance") };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct slice score = json_get(metadata, names[i]);

		if (score.data)
			return score;
	}
	return SLICE_NONE;
}

static void weaviate_read(struct call *call, struct slice answer, void (*put)(void *user, const struct found *found),
			  void *user)
{
	json_foreach_element(item, json_get(answer, SLICE("results"))) {
		struct slice metadata = json_get(item.value, SLICE("metadata"));
		struct found found = { json_get(metadata, SLICE("id")), weaviate_score(metadata),
				       json_get(item.value, SLICE("properties")) };

		put(user, &found);
	}
}

/* ---- Pinecone ---- */

static const struct pb_field pinecone_match_fields[] = {
	PB_FIELD(1, "id", PB_STRING), PB_FIELD(2, "score", PB_FLOAT),
	PB_FIELD(3, NULL, PB_HIDDEN), PB_FIELD(4, "metadata", PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(5, NULL, PB_HIDDEN),
};
static const struct pb_message pinecone_match = PB_TABLE(pinecone_match_fields);
static const struct pb_field pinecone_usage_fields[] = { PB_FIELD(1, "readUnits", PB_UINT32) };
static const struct pb_message pinecone_usage = PB_TABLE(pinecone_usage_fields);
static const struct pb_field pinecone_answer_fields[] = {
	PB_LIST(2, "matches", PB_MESSAGE, .message = &pinecone_match),
	PB_FIELD(3, "namespace", PB_STRING),
	PB_FIELD(4, "usage", PB_MESSAGE, .message = &pinecone_usage),
};
static const struct pb_message pinecone_answer = PB_TABLE(pinecone_answer_fields);
static const struct pb_field pinecone_request_fields[] = {
	PB_FIELD(1, "namespace", PB_STRING),
	PB_FIELD(2, "topK", PB_UINT32),
	PB_FIELD(3, "filter", PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(4, "includeValues", PB_BOOL),
	PB_FIELD(5, "includeMetadata", PB_BOOL),
	PB_FIELD(6, NULL, PB_HIDDEN),
	PB_FIELD(7, NULL, PB_HIDDEN),
	PB_FIELD(8, "id", PB_STRING),
	PB_FIELD(9, NULL, PB_HIDDEN),
};
static const struct pb_message pinecone_request = PB_TABLE(pinecone_request_fields);
static const struct grpc_method pinecone_methods[] = {
	{ SLICE("/VectorService/Query"), &pinecone_request, &pinecone_answer, OPERATION_RETRIEVAL },
};
static const char *const pinecone_queries[][4] = { { NULL } };

static void pinecone_read(struct call *call, struct slice answer, void (*put)(void *user, const struct found *found),
			  void *user)
{
	int64_t units;

	if (json_int(json_path(answer, "usage", "readUnits", NULL), &units) == 0)
		call_put_count(call, "pinecone.usage.read_units", units);
	json_foreach_element(item, json_get(answer, SLICE("matches"))) {
		struct found found = { json_get(item.value, SLICE("id")), json_get(item.value, SLICE("score")),
				       json_get(item.value, SLICE("metadata")) };

		put(user, &found);
	}
}

/* ---- Milvus ---- */

#define MILVUS_ARRAY(name, kind)                                                                                       \
	static const struct pb_field name##_fields[] = { PB_LIST(1, NULL, kind) };                                     \
	static const struct pb_message name = PB_BARE(name##_fields, "[]")
MILVUS_ARRAY(milvus_bools, PB_BOOL);
MILVUS_ARRAY(milvus_ints, PB_INT32);
MILVUS_ARRAY(milvus_longs, PB_NUMBER64);
MILVUS_ARRAY(milvus_floats, PB_FLOAT);
MILVUS_ARRAY(milvus_doubles, PB_DOUBLE);
MILVUS_ARRAY(milvus_texts, PB_STRING); /* JSON too, which travels as bytes */
static const struct pb_field milvus_scalar_fields[] = {
	PB_FIELD(1, NULL, PB_MESSAGE, .message = &milvus_bools),
	PB_FIELD(2, NULL, PB_MESSAGE, .message = &milvus_ints),
	PB_FIELD(3, NULL, PB_MESSAGE, .message = &milvus_longs),
	PB_FIELD(4, NULL, PB_MESSAGE, .message = &milvus_floats),
	PB_FIELD(5, NULL, PB_MESSAGE, .message = &milvus_doubles),
	PB_FIELD(6, NULL, PB_MESSAGE, .message = &milvus_texts),
	PB_FIELD(9, NULL, PB_MESSAGE, .message = &milvus_texts),
};
static const struct pb_message milvus_scalars = PB_BARE(milvus_scalar_fields, "[]");
static const struct pb_field milvus_column_fields[] = {
	PB_FIELD(2, "fieldName", PB_STRING),
	PB_FIELD(3, "scalars", PB_MESSAGE, .message = &milvus_scalars),
	PB_FIELD(4, NULL, PB_HIDDEN),
};
static const struct pb_message milvus_column = PB_TABLE(milvus_column_fields);
static const struct pb_field milvus_id_fields[] = {
	PB_FIELD(1, NULL, PB_MESSAGE, .message = &milvus_longs),
	PB_FIELD(2, NULL, PB_MESSAGE, .message = &milvus_texts),
};
static const struct pb_message milvus_ids = PB_BARE(milvus_id_fields, "[]");
static const struct pb_field milvus_found_fields[] = {
	PB_LIST(3, "fieldsData", PB_MESSAGE, .message = &milvus_column),
	PB_LIST(4, "scores", PB_FLOAT),
	PB_FIELD(5, "ids", PB_MESSAGE, .message = &milvus_ids),
};
static const struct pb_message milvus_found = PB_TABLE(milvus_found_fields);
static const struct pb_field milvus_status_fields[] = {
	PB_FIELD(1, "errorCode", PB_INT32),
	PB_FIELD(2, "reason", PB_STRING),
	PB_FIELD(3, "code", PB_INT32),
};
static const struct pb_message milvus_status = PB_TABLE(milvus_status_fields);
static const struct pb_field milvus_answer_fields[] = {
	PB_FIELD(1, "status", PB_MESSAGE, .message = &milvus_status),
	PB_FIELD(2, "results", PB_MESSAGE, .message = &milvus_found),
	PB_FIELD(3, "collectionName", PB_STRING),
};
static const struct pb_message milvus_answer = PB_TABLE(milvus_answer_fields);
static const struct pb_field milvus_param_fields[] = {
	PB_FIELD(1, "key", PB_STRING),
	PB_FIELD(2, "value", PB_STRING),
};
static const struct pb_message milvus_param = PB_TABLE(milvus_param_fields);
static const struct pb_field milvus_request_fields[] = {
	PB_FIELD(2, "dbName", PB_STRING),
	PB_FIELD(3, "collectionName", PB_STRING),
	PB_LIST(4, "partitionNames", PB_STRING),
	PB_FIELD(5, "dsl", PB_STRING),
	PB_FIELD(6, NULL, PB_HIDDEN),
	PB_LIST(8, "outputFields", PB_STRING),
	PB_LIST(9, "searchParams", PB_MESSAGE, .message = &milvus_param),
	PB_FIELD(12, "nq", PB_INT64),
};
static const struct pb_message milvus_request = PB_TABLE(milvus_request_fields);
static const struct pb_field milvus_hybrid_fields[] = {
	PB_FIELD(2, "dbName", PB_STRING),
	PB_FIELD(3, "collectionName", PB_STRING),
	PB_LIST(4, "partitionNames", PB_STRING),
	PB_LIST(5, "requests", PB_MESSAGE, .message = &milvus_request),
	PB_LIST(6, "rankParams", PB_MESSAGE, .message = &milvus_param),
	PB_LIST(10, "outputFields", PB_STRING),
};
static const struct pb_message milvus_hybrid = PB_TABLE(milvus_hybrid_fields);
static const struct grpc_method milvus_methods[] = {
	{ SLICE("/milvus.proto.milvus.MilvusService/Search"), &milvus_request, &milvus_answer, OPERATION_RETRIEVAL },
	{ SLICE("/milvus.proto.milvus.MilvusService/HybridSearch"), &milvus_hybrid, &milvus_answer,
	  OPERATION_RETRIEVAL },
};
static const char *const milvus_queries[][4] = { { NULL } };

enum { COLUMNS_MAX = 32 };

struct column {
	struct slice name; /* raw, with its quotes */
	struct json_iter values;
};

static size_t columns_of(struct slice results, struct column *columns)
{
	size_t count = 0;

	json_foreach_element(item, json_get(results, SLICE("fieldsData"))) {
		struct slice values = json_get(item.value, SLICE("scalars")),
			     name = json_get(item.value, SLICE("fieldName"));

		if (count < COLUMNS_MAX && json_type(values) == JSON_ARRAY && json_type(name) == JSON_STRING)
			columns[count++] = (struct column){ name, json_iter(values) };
	}
	return count;
}

/* Fields come by columns; a row is what stands in the same place of each. */
static void milvus_read(struct call *call, struct slice answer, void (*put)(void *user, const struct found *found),
			void *user)
{
	struct slice results = json_get(answer, SLICE("results")), status = json_get(answer, SLICE("status"));
	struct json_iter scores = json_iter(json_get(results, SLICE("scores")));
	struct column columns[COLUMNS_MAX];
	size_t count = columns_of(results, columns);
	int64_t code = 0;

	json_foreach_element(id, json_get(results, SLICE("ids"))) {
		struct found found = { .id = id.value, .score = json_next(&scores) ? scores.value : SLICE_NONE };
		struct out out;

		out_init(&out, call->arena, 200);
		json_open(&out.buf, '{');
		for (size_t i = 0; i < count; i++) {
			if (!json_next(&columns[i].values))
				continue;
			json_put_raw(&out.buf, columns[i].name);
			buf_put_char(&out.buf, ':');
			json_put_raw(&out.buf, columns[i].values.value);
		}
		json_close(&out.buf, '}');
		found.fields = out_slice(&out);
		call_lost(call, found.fields.data);
		put(user, &found);
	}
	if (json_int(json_get(status, SLICE("code")), &code) == 0 && code) {
		call->has_error = true;
		call->error.code = call_copy(call, json_get(status, SLICE("code")));
		call->error.message = call_text(call, json_get(status, SLICE("reason")));
	}
}

/* ---- what all do ---- */

static const struct store stores[] = {
	{ "qdrant.grpc", "qdrant", "Qdrant.search", qdrant_methods, ARRAY_SIZE(qdrant_methods), SLICE("collectionName"),
	  SLICE("limit"), qdrant_queries, qdrant_read },
	{ "weaviate.grpc", "weaviate", "Weaviate.search", weaviate_methods, ARRAY_SIZE(weaviate_methods),
	  SLICE("collection"), SLICE("limit"), weaviate_queries, weaviate_read },
	{ "pinecone.grpc", "pinecone", "Pinecone.query", pinecone_methods, ARRAY_SIZE(pinecone_methods),
	  SLICE("namespace"), SLICE("topK"), pinecone_queries, pinecone_read },
	{ "milvus.grpc", "milvus", "Milvus.search", milvus_methods, ARRAY_SIZE(milvus_methods), SLICE("collectionName"),
	  SLICE("limit"), milvus_queries, milvus_read },
};

static const struct store *store_of(const struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(stores); i++)
		if (slice_equal(slice_of(call->dialect->name), slice_of(stores[i].dialect)))
			return &stores[i];
	return &stores[0];
}

/* Milvus asks for it by name, among the parameters of the search, as text. */
static int limit_of(struct call *call, struct slice ask, struct slice name, int64_t *ret)
{
	if (json_int(json_get(ask, name), ret) == 0)
		return 0;
	json_foreach_element(item, json_get(ask, SLICE("searchParams"))) {
		struct slice key = json_get(item.value, SLICE("key"));

		if (slice_equal(key, SLICE("\"limit\"")) || slice_equal(key, SLICE("\"topk\"")))
			return json_int(call_text(call, json_get(item.value, SLICE("value"))), ret);
	}
	return -ENOENT;
}

static void request(struct call *call, void *state)
{
	const struct store *store = store_of(call);
	const struct grpc_method *method = grpc_method_find(store->methods, store->method_count, call->path);
	struct slice ask;
	int64_t limit;

	call->operation = OPERATION_RETRIEVAL;
	if (!grpc_request_open(call, (method ? method : store->methods)->request, store->vendor))
		return;
	ask = call->request_body;
	call_put_text(call, "gen_ai.data_source.id", call_text(call, json_get(ask, store->source)));
	if (limit_of(call, ask, store->limit, &limit) == 0)
		call_put_count(call, "gen_ai.retrieval.top_k", limit);
	for (const char *const(*path)[4] = store->queries; (*path)[0]; path++) {
		struct slice text =
			call_text(call, json_path(ask, (*path)[0], (*path)[1], (*path)[2], (*path)[3], NULL));

		if (text.len)
			return call_put_text(call, "gen_ai.retrieval.query.text", text);
	}
}

/* ---- documents ---- */

struct listing {
	struct buf *documents, *ids;
};

static struct slice text_name(struct slice fields)
{
	static const struct slice names[] = { SLICE("page_content"), SLICE("text"),       SLICE("content"),
					      SLICE("document"),     SLICE("chunk_text"), SLICE("body") };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_type(json_get(fields, names[i])) == JSON_STRING)
			return names[i];
	return SLICE_NONE;
}

static void document_put(struct buf *out, const struct found *found)
{
	struct slice name = text_name(found->fields);

	json_open(out, '{');
	if (name.len)
		json_member_raw(out, SLICE("page_content"), json_get(found->fields, name));
	else
		json_member_text(out, SLICE("page_content"), found->fields.len ? found->fields : SLICE(""));
	json_put_name(out, SLICE("metadata"));
	json_open(out, '{');
	json_foreach_member(field, found->fields) {
		if (slice_equal(field.name, name) || slice_equal(field.name, SLICE("score")))
			continue;
		json_put_raw_name(out, field.name);
		json_put_raw(out, field.value);
	}
	json_member_raw(out, SLICE("score"), found->score);
	json_close(out, '}');
	json_member_raw(out, SLICE("id"), found->id);
	json_close(out, '}');
}

static void listing_put(void *user, const struct found *found)
{
	struct listing *listing = user;

	document_put(listing->documents, found);
	json_open(listing->ids, '{');
	json_put_name(listing->ids, SLICE("id"));
	if (json_type(found->id) == JSON_STRING)
		json_put_raw(listing->ids, found->id);
	else
		json_put_text(listing->ids, found->id.len ? found->id : SLICE(""));
	json_member_raw(listing->ids, SLICE("score"), found->score);
	json_close(listing->ids, '}');
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	const struct store *store = store_of(call);
	const struct grpc_method *method = grpc_method_find(store->methods, store->method_count, call->path);
	struct out documents, ids;
	struct slice answer;

	if (call->outputs.data)
		return DIALECT_EVENT_QUIET; /* there is one answer */
	answer = grpc_json(call, (method ? method : store->methods)->answer, part->data);
	out_init(&documents, call->arena, answer.len + 64);
	out_init(&ids, call->arena, answer.len / 4 + 64);
	json_open(&documents.buf, '[');
	json_open(&ids.buf, '[');
	store->read(call, answer, listing_put, &(struct listing){ &documents.buf, &ids.buf });
	json_close(&documents.buf, ']');
	json_close(&ids.buf, ']');
	call->outputs = out_slice(&documents);
	call_lost(call, call->outputs.data);
	call_put_text(call, "gen_ai.retrieval.documents", out_slice(&ids));
	return DIALECT_EVENT_CONTENT;
}

static void finish(struct call *call, void *state)
{
	call->operation = OPERATION_RETRIEVAL;
	if (!call->vendor.len)
		call->vendor = slice_of(store_of(call)->vendor);
	grpc_status_read(call);
}

static struct slice span_name(const struct call *call)
{
	return slice_of(store_of(call)->span_name);
}

/* One row of the registry for each store, which is found by the row's name. */
#define STORE(tag, title, place)                                                                                       \
	static unsigned tag##_recognise(const struct dialect_hint *hint)                                               \
	{                                                                                                              \
		return grpc_score(tag##_methods, ARRAY_SIZE(tag##_methods), hint);                                     \
	}                                                                                                              \
	DIALECT(tag##_grpc, {                                                                                          \
				    .name = title,                                                                     \
				    .order = place,                                                                    \
				    .recognise = tag##_recognise,                                                      \
				    .request = request,                                                                \
				    .event = event,                                                                    \
				    .response = no_step,                                                               \
				    .finish = finish,                                                                  \
				    .span_name = span_name,                                                            \
			    })
STORE(qdrant, "qdrant.grpc", 80);
STORE(weaviate, "weaviate.grpc", 81);
STORE(pinecone, "pinecone.grpc", 82);
STORE(milvus, "milvus.grpc", 83);
