/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pinecone.query and pinecone.search: vectors that lie near, and records that a text finds (the service embeds it). An index
 * has a host of its own, of which the name is a part.
 */
#include "dialect/retrieval.h"

static const struct retrieval query = {
	.vendor = "pinecone",
	.system = "pinecone",
	.paths = { { {}, SLICE("/query"), true } },
	.asks = { SLICE("topK"), SLICE("top_k") },
	.top_k = { "topK", "top_k" },
	.space = "namespace",
	.lists = { SLICE("matches") },
	.metadata = SLICE("metadata"),
};

static const struct retrieval search = {
	.vendor = "pinecone",
	.system = "pinecone",
	.paths = { { SLICE("/records/namespaces/"), SLICE("/search"), false } },
	.asks = { SLICE("query") },
	.query = { "query/inputs/text" },
	.top_k = { "query/top_k" },
	.lists = { SLICE("result"), SLICE("hits") },
	.metadata = SLICE("fields"),
	.tokens = "usage/embed_total_tokens",
};

/* {index}-{project}.svc.{environment}.pinecone.io */
static struct slice index_of(const struct call *call)
{
	struct slice rest = call->host, label = slice_cut(&rest, '.');

	if (!slice_contains(rest, SLICE("pinecone.io")))
		return SLICE_NONE;
	for (size_t at = label.len; at > 1; at--)
		if (label.data[at - 1] == '-')
			return slice_head(label, at - 1);
	return label;
}

static unsigned query_recognise(const struct dialect_hint *hint)
{
	return retrieval_score(&query, hint);
}

static void query_request(struct call *call, void *state)
{
	retrieval_request_from(call, &query, index_of(call));
}

static void query_response(struct call *call, void *state)
{
	retrieval_response(call, &query);
}

static unsigned search_recognise(const struct dialect_hint *hint)
{
	return retrieval_score(&search, hint);
}

static void search_request(struct call *call, void *state)
{
	retrieval_request_from(call, &search, index_of(call));
	call_put_text(call, "db.namespace", path_part(call->path, SLICE("/records/namespaces/")));
}

static void search_response(struct call *call, void *state)
{
	retrieval_response(call, &search);
}

RETRIEVER_OF(pinecone_query, "pinecone.query", 80, query_recognise, query_request, query_response);
RETRIEVER_OF(pinecone_search, "pinecone.search", 81, search_recognise, search_request, search_response);
