/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdrant: points that lie near, in REST. Searches of all ages (search, recommend, discover; then query), singly, in batches
 * and in groups, and scrolling, which has no scores.
 */
#include "dialect/retrieval.h"

#define OF SLICE("/collections/")

static const struct retrieval qdrant = {
	.vendor = "qdrant",
	.system = "qdrant",
	.paths = { { OF, SLICE("/points/query"), false },
		   { OF, SLICE("/points/query/batch"), false },
		   { OF, SLICE("/points/query/groups"), false },
		   { OF, SLICE("/points/search"), false },
		   { OF, SLICE("/points/search/batch"), false },
		   { OF, SLICE("/points/search/groups"), false },
		   { OF, SLICE("/points/recommend"), false },
		   { OF, SLICE("/points/recommend/batch"), false },
		   { OF, SLICE("/points/recommend/groups"), false },
		   { OF, SLICE("/points/discover"), false },
		   { OF, SLICE("/points/discover/batch"), false },
		   { OF, SLICE("/points/scroll"), false } },
	.query = { "query/text", "query/nearest/text", "query/nearest", "query", "searches/#0/query/text" },
	.top_k = { "limit", "searches/#0/limit" },
	.lists = { SLICE("result"), SLICE("points"), SLICE("groups"), SLICE("hits") },
	.metadata = SLICE("payload"),
};

RETRIEVER(qdrant_points, "qdrant.points", 82, qdrant);
