/* SPDX-License-Identifier: Apache-2.0 */
/* milvus.rest: entities that lie near, in REST of version 2. A failure is a code in an answer of status 200. */
#include "dialect/retrieval.h"

#define OF SLICE("/vectordb/entities/")

static const struct retrieval milvus = {
	.vendor = "milvus",
	.system = "milvus",
	.paths = { { OF, SLICE("/search"), false },
		   { OF, SLICE("/hybrid_search"), false },
		   { OF, SLICE("/advanced_search"), false },
		   { OF, SLICE("/query"), false } },
	.asks = { SLICE("collectionName") },
	.query = { "data" },
	.top_k = { "limit" },
	.source = { "collectionName" },
	.space = "dbName",
	.lists = { SLICE("data") },
	.scores = { SLICE("distance") },
};

static unsigned recognise(const struct dialect_hint *hint)
{
	return retrieval_score(&milvus, hint);
}

static void request(struct call *call, void *state)
{
	retrieval_request(call, &milvus);
}

static void response(struct call *call, void *state)
{
	struct slice body = json_trim(call->response_body);
	int64_t code = 0;

	if (json_check(body, JSON_DEPTH_MAX) == 0 && json_int(json_get(body, SLICE("code")), &code) == 0 && code != 0 &&
	    code != 200) {
		call->outputs = body;
		return error_read(call, body, true);
	}
	retrieval_response(call, &milvus);
}

RETRIEVER_OF(milvus_rest, "milvus.rest", 83, recognise, request, response);
