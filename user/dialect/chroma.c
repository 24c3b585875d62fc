/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chroma: an answer is a set of lists that run beside each other, one list in each for every query; those of /get have no
 * queries and so no inner lists. A collection is told by its id, the only name on the wire.
 */
#include "dialect/retrieval.h"

#define OF SLICE("/collections/")

static const struct retrieval shape = {
	.vendor = "chroma",
	.system = "chroma",
	.paths = { { OF, SLICE("/query"), true }, { OF, SLICE("/search"), true }, { OF, SLICE("/get"), true } },
	.top_k = { "n_results", "searches/#0/limit/limit", "limit" },
	.query = { "query_texts" },
	.lists = { SLICE("ids") },
};

enum { ALONG_IDS, ALONG_DISTANCES, ALONG_SCORES, ALONG_DOCUMENTS, ALONG_METADATAS, _ALONG_MAX };
static const struct slice along_names[_ALONG_MAX] = {
	[ALONG_IDS] = SLICE("ids"),
	[ALONG_DISTANCES] = SLICE("distances"),
	[ALONG_SCORES] = SLICE("scores"),
	[ALONG_DOCUMENTS] = SLICE("documents"),
	[ALONG_METADATAS] = SLICE("metadatas"),
};

static unsigned recognise(const struct dialect_hint *hint)
{
	return retrieval_score(&shape, hint);
}

static void request(struct call *call, void *state)
{
	retrieval_request(call, &shape);
	call_put_text(call, "db.namespace", path_part(call->path, SLICE("/databases/")));
}

static struct slice next_of(struct json_iter *iter)
{
	return json_next(iter) && json_type(iter->value) != JSON_NULL ? iter->value : SLICE_NONE;
}

/* Lists of one query. */
static void lists_read(struct documents *documents, const struct slice *lists)
{
	struct json_iter along[_ALONG_MAX];

	for (size_t i = 0; i < _ALONG_MAX; i++)
		along[i] = json_iter(lists[i]);
	while (json_next(&along[ALONG_IDS])) {
		struct slice distance = next_of(&along[ALONG_DISTANCES]), score = next_of(&along[ALONG_SCORES]);
		struct document document = {
			.id = along[ALONG_IDS].value,
			.score = score.data ? score : distance,
			.text = next_of(&along[ALONG_DOCUMENTS]),
			.metadata = next_of(&along[ALONG_METADATAS]),
		};

		documents_add(documents, &document);
	}
}

static void queries_read(struct documents *documents, const struct slice *lists)
{
	struct json_iter along[_ALONG_MAX];

	for (size_t i = 0; i < _ALONG_MAX; i++)
		along[i] = json_iter(lists[i]);
	while (json_next(&along[ALONG_IDS])) {
		struct slice one[_ALONG_MAX] = { along[ALONG_IDS].value };

		for (size_t i = ALONG_IDS + 1; i < _ALONG_MAX; i++)
			one[i] = next_of(&along[i]);
		lists_read(documents, one);
	}
}

static void response(struct call *call, void *state)
{
	struct slice answer = SLICE_NONE, lists[_ALONG_MAX] = { 0 };
	struct documents documents;
	struct json_iter first;

	if (!retrieval_answer_open(call, &answer))
		return;
	PICK(answer, along_names, lists);
	documents_open(&documents, call, &shape, answer.len);
	first = json_iter(lists[ALONG_IDS]);
	if (json_next(&first) && json_type(first.value) == JSON_ARRAY)
		queries_read(&documents, lists);
	else
		lists_read(&documents, lists);
	documents_close(&documents);
}

RETRIEVER_OF(chroma_query, "chroma.query", 79, recognise, request, response);
