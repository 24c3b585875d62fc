/* SPDX-License-Identifier: Apache-2.0 */
/* databricks.vector_search: an answer is a table. Its columns have names once, its rows are bare lists, the score comes last. */
#include "dialect/retrieval.h"

static const struct retrieval shape = {
	.vendor = "databricks",
	.paths = { { SLICE("/vector-search/indexes/"), SLICE("/query"), false },
		   { SLICE("/vector-search/indexes/"), SLICE("/query-next-page"), false },
		   { SLICE("/vector-search/indexes/"), SLICE("/scan"), false } },
	.query = { "query_text" },
	.top_k = { "num_results" },
	.lists = { SLICE("result"), SLICE("data_array") },
};

static unsigned recognise(const struct dialect_hint *hint)
{
	return retrieval_score(&shape, hint);
}

static void request(struct call *call, void *state)
{
	retrieval_request(call, &shape);
}

/* A row as an object: columns give names to what has none. */
static struct slice row_object(struct call *call, struct slice columns, struct slice row)
{
	struct json_iter column = json_iter(columns);
	struct out out;

	out_init(&out, call->arena, row.len + columns.len + 16);
	json_open(&out.buf, '{');
	json_foreach_element(cell, row) {
		struct slice name =
			json_next(&column) ? json_raw_text(json_get(column.value, SLICE("name"))) : SLICE_NONE;

		if (!name.len)
			continue;
		json_put_raw_name(&out.buf, name);
		buf_put(&out.buf, cell.value);
	}
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static void response(struct call *call, void *state)
{
	struct slice answer = SLICE_NONE, columns, rows;
	struct documents documents;

	if (!retrieval_answer_open(call, &answer))
		return;
	columns = json_path(answer, "manifest", "columns", NULL);
	rows = json_path(answer, "result", "data_array", NULL);
	documents_open(&documents, call, &shape, rows.len);
	json_foreach_element(row, rows) {
		struct slice object = row_object(call, columns, row.value);

		call_lost(call, object.data);
		documents_read(&documents, object);
	}
	documents_close(&documents);
}

RETRIEVER_OF(databricks_search, "databricks.vector_search", 88, recognise, request, response);
