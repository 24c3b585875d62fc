/* SPDX-License-Identifier: Apache-2.0 */
/* openai.vector_stores: a search in files that the provider has cut and embedded. */
#include "dialect/retrieval.h"

static const struct retrieval store = {
	.vendor = "openai",
	.paths = { { SLICE("/vector_stores/"), SLICE("/search"), false } },
	.asks = { SLICE("query") },
	.query = { "query" },
	.top_k = { "max_num_results" },
	.lists = { SLICE("data") },
	.ids = { SLICE("file_id") },
	.texts = { SLICE("content") },
	.metadata = SLICE("attributes"),
	.uri = SLICE("filename"),
};

RETRIEVER(openai_vector_stores, "openai.vector_stores", 16, store);
