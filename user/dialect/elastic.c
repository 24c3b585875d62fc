/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elastic: Elasticsearch and OpenSearch. A search is a retrieval only when meaning is in it: a vector, a model's words, a
 * retriever. All others are the daily bread of logs and shops, and give no span.
 */
#include "dialect/retrieval.h"

static const struct retrieval shape = {
	.vendor = "elasticsearch",
	.system = "elasticsearch",
	.paths = { { {}, SLICE("/_search"), false },
		   { {}, SLICE("/_knn_search"), false },
		   { {}, SLICE("/_msearch"), false } },
	.top_k = { "size", "knn/k", "retriever/knn/k" },
	.lists = { SLICE("responses"), SLICE("hits") },
	.metadata = SLICE("_source"),
};

static struct retrieval opensearch_shape(void)
{
	struct retrieval other = shape;

	other.vendor = other.system = "opensearch";
	return other;
}

enum { LOOK_DEPTH_MAX = 12, LOOK_MAX = 256 << 10 };

static const struct slice signs[] = {
	SLICE("knn"),    SLICE("retriever"),     SLICE("semantic"),       SLICE("neural"),
	SLICE("hybrid"), SLICE("sparse_vector"), SLICE("text_expansion"), SLICE("neural_sparse"),
};
static const struct slice opensearch_signs[] = { SLICE("neural"), SLICE("hybrid"), SLICE("neural_sparse") };
static const struct slice text_names[] = { SLICE("model_text"), SLICE("query_text") };

struct look {
	bool is_found;
	bool is_opensearch; /* words that only OpenSearch has */
	struct slice text;  /* JSON string: what a model embeds */
};

static bool name_in(struct slice name, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(name, names[i]))
			return true;
	return false;
}

static bool is_container(struct slice value)
{
	return json_type(value) == JSON_OBJECT || json_type(value) == JSON_ARRAY;
}

/* OpenSearch: {"knn":{"<field>":{"vector":…}}}; Elasticsearch: {"knn":{"field":…,"query_vector":…}}. */
static bool is_of_opensearch(struct slice name, struct slice value)
{
	struct json_iter first = json_iter(value);

	if (name_in(name, opensearch_signs, ARRAY_SIZE(opensearch_signs)))
		return true;
	return slice_equal(name, SLICE("knn")) && json_next(&first) && json_get(first.value, SLICE("vector")).data;
}

/* @is_inside: of a sign, so that "query" is its words and not the search's frame. */
static void look(struct look *ret, struct slice value, bool is_inside, unsigned depth)
{
	if (depth > LOOK_DEPTH_MAX)
		return;
	json_foreach_member(member, value) {
		bool is_sign = is_container(member.value) && name_in(member.name, signs, ARRAY_SIZE(signs));
		bool is_words = name_in(member.name, text_names, ARRAY_SIZE(text_names)) ||
				(is_inside && slice_equal(member.name, SLICE("query")));

		ret->is_found |= is_sign;
		ret->is_opensearch |= is_sign && is_of_opensearch(member.name, member.value);
		if (is_words && !ret->text.data && json_type(member.value) == JSON_STRING)
			ret->text = member.value;
		if (is_container(member.value))
			look(ret, member.value, is_inside || is_sign, depth + 1);
	}
}

/* A search, or several: a line that says where and one that says what, in turns. */
static struct look body_look(struct slice path, struct slice body)
{
	struct look found = { 0 };
	struct slice rest = slice_head(json_trim(body), LOOK_MAX);

	if (!path_ends(path, SLICE("/_msearch"))) {
		look(&found, rest, false, 0);
		return found;
	}
	while (rest.len)
		look(&found, slice_trim(slice_cut(&rest, '\n')), false, 0);
	return found;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	unsigned score = retrieval_score(&shape, hint);

	if (!score || !hint->request_body.len)
		return 0;
	if (path_ends(hint->path, SLICE("/_knn_search")))
		return score;
	return body_look(hint->path, hint->request_body).is_found ? score : 0;
}

/* {index}/_search; an index may be named in the first line of several searches instead. */
static struct slice index_of(struct call *call)
{
	struct slice path = call->path, rest, first = json_trim(call->request_body);
	size_t from;

	while (path.len && path.data[path.len - 1] == '/')
		path.len--;
	while (path.len && path.data[path.len - 1] != '/')
		path.len--;
	path.len -= path.len ? 1 : 0;
	for (from = path.len; from && path.data[from - 1] != '/'; from--)
		;
	rest = slice_from(path, from);
	if (rest.len || !path_ends(call->path, SLICE("/_msearch")))
		return rest;
	rest = json_get(slice_trim(slice_cut(&first, '\n')), SLICE("index"));
	return call_text(call, json_type(rest) == JSON_ARRAY ? json_path(rest, "#0", NULL) : rest);
}

/* Lines as a list, since what is shown is JSON. */
static void lines_show(struct call *call)
{
	struct slice rest = json_trim(call->request_body);
	struct out out;

	out_init(&out, call->arena, rest.len + 2);
	json_open(&out.buf, '[');
	while (rest.len) {
		struct slice line = slice_trim(slice_cut(&rest, '\n'));

		if (json_check(line, JSON_DEPTH_MAX) == 0)
			json_put_raw(&out.buf, line);
	}
	json_close(&out.buf, ']');
	call->inputs = vectors_remove(call, out_slice(&out), NULL);
}

static void request(struct call *call, void *state)
{
	struct look found = body_look(call->path, call->request_body);
	struct retrieval other = opensearch_shape();

	retrieval_request_from(call, found.is_opensearch ? &other : &shape, index_of(call));
	if (path_ends(call->path, SLICE("/_msearch")))
		lines_show(call);
	call_put_text(call, "gen_ai.retrieval.query.text", call_text(call, found.text));
}

static void response(struct call *call, void *state)
{
	retrieval_response(call, &shape);
}

RETRIEVER_OF(elastic_search, "elastic.search", 89, recognise, request, response);
