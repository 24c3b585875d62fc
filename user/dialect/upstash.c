/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstash.query: an index has a host of its own, so the path is bare. A text is asked for where the service embeds it:
 *
 *	POST /query/NAMESPACE        {"vector":[0.1,0.2],"topK":2,"includeMetadata":true}      or a list of such
 *	POST /query-data/NAMESPACE   {"data":"a text","topK":2}
 *	{"result":[{"id":"a","score":0.9,"metadata":{"k":1},"data":"a text"}]}                 for a list a list of lists
 */
#include "dialect/retrieval.h"

static const struct retrieval shape = {
	.vendor = "upstash",
	.system = "upstash",
	.paths = { { {}, SLICE("/query"), true }, { {}, SLICE("/query-data"), true } },
	.asks = { SLICE("topK") },
	.query = { "data" },
	.top_k = { "topK" },
	.lists = { SLICE("result") },
	.texts = { SLICE("data") },
	.metadata = SLICE("metadata"),
};

static struct slice namespace_of(struct slice path)
{
	struct slice name = path_part(path, SLICE("/query/"));

	return name.len ? name : path_part(path, SLICE("/query-data/"));
}

/* Behind the namespace the path says nothing: the host must. */
static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);
	bool is_path = namespace_of(hint->path).len || path_ends(hint->path, SLICE("/query")) ||
		       path_ends(hint->path, SLICE("/query-data"));

	if (!is_path || !hint_is_post(hint) ||
	    !slice_equal(dialect_vendor_find(hint->host, hint->path), slice_of(shape.vendor)))
		return retrieval_score(&shape, hint);
	return json_get(body, SLICE("topK")).data || place_get(body, "#0/topK").data ? SCORE_SURE : 0;
}

static void request(struct call *call, void *state)
{
	struct slice body = json_trim(call->request_body), rest = call->host;
	struct slice index = slice_ends(call->host, SLICE(".upstash.io")) ? slice_cut(&rest, '.') : SLICE_NONE;
	int64_t dimensions = -1;

	retrieval_request_from(call, &shape, index);
	call_put_text(call, "db.namespace", namespace_of(call->path));
	if (json_type(body) != JSON_ARRAY || json_check(body, JSON_DEPTH_MAX) < 0)
		return;
	call->inputs = vectors_remove(call, body, &dimensions);
	call_put_count(call, "spantap.retrieval.vector_dimensions", dimensions);
}

static void response(struct call *call, void *state)
{
	retrieval_response(call, &shape);
}

RETRIEVER_OF(upstash_query, "upstash.query", 82, recognise, request, response);
