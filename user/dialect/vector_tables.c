/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turbopuffer, s3.vectors, lancedb: stores that are told by a row each. LanceDB answers in Arrow's binary form unless asked
 * for JSON; of such an answer the span tells that it came, and no documents.
 */
#include "dialect/retrieval.h"

static const struct retrieval turbopuffer = {
	.vendor = "turbopuffer",
	.system = "turbopuffer",
	.paths = { { SLICE("/namespaces/"), SLICE("/query"), true } },
	.asks = { SLICE("rank_by"), SLICE("vector"), SLICE("queries") },
	.top_k = { "top_k", "limit", "limit/total", "queries/#0/top_k" },
	.lists = { SLICE("rows"), SLICE("results") },
	.scores = { SLICE("$dist"), SLICE("dist") },
	.metadata = SLICE("attributes"),
};

static const struct retrieval s3_vectors = {
	.vendor = "aws.s3vectors",
	.system = "aws.s3vectors",
	.paths = { { {}, SLICE("/QueryVectors"), false } },
	.asks = { SLICE("queryVector") },
	.top_k = { "topK" },
	.source = { "indexName", "indexArn" },
	.space = "vectorBucketName",
	.lists = { SLICE("vectors") },
	.metadata = SLICE("metadata"),
};

static const struct retrieval lancedb = {
	.vendor = "lancedb",
	.system = "lancedb",
	.paths = { { SLICE("/v1/table/"), SLICE("/query"), false } },
	.asks = { SLICE("vector"), SLICE("full_text_query") },
	.query = { "full_text_query/string_query/query", "full_text_query/query" },
	.top_k = { "k" },
	.lists = { SLICE("results"), SLICE("data"), SLICE("rows") },
	.scores = { SLICE("_distance"), SLICE("_relevance_score"), SLICE("_score") },
};

static unsigned lancedb_recognise(const struct dialect_hint *hint)
{
	return retrieval_score(&lancedb, hint);
}

static void lancedb_request(struct call *call, void *state)
{
	retrieval_request(call, &lancedb);
}

static void lancedb_response(struct call *call, void *state)
{
	if (call->status < 400 && slice_contains(call->content_type, SLICE("arrow")))
		return;
	retrieval_response(call, &lancedb);
}

RETRIEVER(turbopuffer_query, "turbopuffer.query", 85, turbopuffer);
RETRIEVER(s3_vectors_query, "s3.vectors", 86, s3_vectors);
RETRIEVER_OF(lancedb_query, "lancedb.query", 87, lancedb_recognise, lancedb_request, lancedb_response);
