/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches in the web that agents buy. Everybody calls it /search, so on a host that is not known the answer must be a list
 * of pages. Brave asks by GET: there the host alone can tell, since a request without a body is judged by its head.
 */
#include "dialect/retrieval.h"
#include <stdio.h>

static const struct retrieval tavily = {
	.vendor = "tavily",
	.paths = { { {}, SLICE("/search"), true } },
	.asks = { SLICE("query") },
	.query = { "query" },
	.top_k = { "max_results" },
	.lists = { SLICE("results") },
	.ids = { SLICE("url") },
	.texts = { SLICE("raw_content"), SLICE("content") },
	.uri = SLICE("url"),
};

static const struct retrieval exa = {
	.vendor = "exa",
	.paths = { { {}, SLICE("/search"), true }, { {}, SLICE("/findSimilar"), true } },
	.asks = { SLICE("query"), SLICE("url") },
	.query = { "query", "url" },
	.top_k = { "numResults" },
	.lists = { SLICE("results") },
	.texts = { SLICE("text"), SLICE("summary"), SLICE("title") },
	.uri = SLICE("url"),
};

static const struct retrieval brave = {
	.vendor = "brave",
	.lists = { SLICE("web"), SLICE("results") },
	.ids = { SLICE("url") },
	.texts = { SLICE("description") },
	.uri = SLICE("url"),
};

/* A list of pages, as @member besides address and title tells. */
static bool is_pages(struct slice body, struct slice member)
{
	struct slice first = json_path(json_trim(body), "results", "#0", NULL);

	return json_get(first, SLICE("url")).data && json_get(first, SLICE("title")).data &&
	       json_get(first, member).data;
}

static unsigned score(const struct retrieval *shape, const struct dialect_hint *hint, struct slice member)
{
	unsigned found = retrieval_score(shape, hint);

	if (!found || slice_equal(dialect_vendor_find(hint->host, hint->path), slice_of(shape->vendor)))
		return found;
	return is_pages(hint->response_body, member) ? found : 0;
}

static unsigned tavily_recognise(const struct dialect_hint *hint)
{
	return score(&tavily, hint, SLICE("content"));
}

static unsigned exa_recognise(const struct dialect_hint *hint)
{
	return score(&exa, hint, SLICE("id"));
}

static unsigned brave_recognise(const struct dialect_hint *hint)
{
	static const struct slice paths[] = { SLICE("/web/search"), SLICE("/llm/context"), SLICE("/news/search") };

	if (!slice_equal(dialect_vendor_find(hint->host, hint->path), SLICE("brave")))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (path_ends(hint->path, paths[i]))
			return SCORE_PATH;
	return 0;
}

/* A parameter of a query string, decoded. */
static struct slice parameter(struct call *call, struct slice name)
{
	struct slice rest = call->query;

	while (rest.len) {
		struct slice value = slice_cut(&rest, '&'), key = slice_cut(&value, '=');
		char *text;
		size_t len = 0;

		if (!slice_equal(key, name))
			continue;
		text = arena_alloc(call->arena, value.len + 1);
		call_lost(call, text);
		for (size_t i = 0; text && i < value.len; i++) {
			unsigned byte;

			if (value.data[i] == '%' && i + 2 < value.len &&
			    sscanf((char[]){ value.data[i + 1], value.data[i + 2], 0 }, "%2x", &byte) == 1) {
				text[len++] = (char)byte;
				i += 2;
			} else {
				text[len++] = value.data[i] == '+' ? ' ' : value.data[i];
			}
		}
		return text ? (struct slice){ text, len } : SLICE_NONE;
	}
	return SLICE_NONE;
}

static void brave_request(struct call *call, void *state)
{
	struct slice query = parameter(call, SLICE("q")), count = parameter(call, SLICE("count"));
	int64_t top_k;
	struct out out;

	if (call->request_body.len)
		retrieval_request(call, &brave);
	call->operation = OPERATION_RETRIEVAL;
	call->vendor = vendor_of(call, brave.vendor);
	if (!query.len)
		return;
	out_init(&out, call->arena, query.len + 64);
	json_open(&out.buf, '{');
	json_member_text(&out.buf, SLICE("q"), query);
	if (json_int(count, &top_k) == 0) {
		json_member_int(&out.buf, SLICE("count"), top_k);
		call_put_count(call, "gen_ai.retrieval.top_k", top_k);
	}
	json_close(&out.buf, '}');
	call->inputs = out_slice(&out);
	call_lost(call, call->inputs.data);
	call_put_text(call, "gen_ai.retrieval.query.text", query);
}

static void brave_response(struct call *call, void *state)
{
	retrieval_response(call, &brave);
}

RETRIEVER_WITH(tavily_search, "tavily.search", 92, tavily, tavily_recognise);
RETRIEVER_WITH(exa_search, "exa.search", 91, exa, exa_recognise);
RETRIEVER_OF(brave_search, "brave.search", 90, brave_recognise, brave_request, brave_response);
