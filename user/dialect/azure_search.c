/* SPDX-License-Identifier: Apache-2.0 */
/* azure.search: Azure AI Search, by words, meaning or vector. An index is a part of the path, bare or quoted as OData has it. */
#include "dialect/retrieval.h"

static const struct retrieval azure = {
	.vendor = "azure.ai.search",
	.paths = { { SLICE("/indexes/"), SLICE("/docs/search"), false },
		   { SLICE("/indexes('"), SLICE("/docs/search"), false },
		   { SLICE("/indexes('"), SLICE("/docs/search.post.search"), false },
		   { SLICE("/indexes/"), SLICE("/docs/search.post.search"), false } },
	.asks = { SLICE("search"), SLICE("vectorQueries"), SLICE("queryType"), SLICE("top"), SLICE("filter") },
	.query = { "search", "vectorQueries/#0/text", "semanticQuery" },
	.top_k = { "top", "vectorQueries/#0/k" },
	.lists = { SLICE("value") },
	.scores = { SLICE("@search.rerankerScore"), SLICE("@search.score") },
};

static unsigned recognise(const struct dialect_hint *hint)
{
	return retrieval_score(&azure, hint);
}

static void request(struct call *call, void *state)
{
	struct slice quoted = path_part(call->path, SLICE("/indexes('"));

	retrieval_request_from(call, &azure,
			       slice_ends(quoted, SLICE("')")) ? slice_head(quoted, quoted.len - 2) : SLICE_NONE);
}

static void response(struct call *call, void *state)
{
	retrieval_response(call, &azure);
}

RETRIEVER_OF(azure_search, "azure.search", 84, recognise, request, response);
