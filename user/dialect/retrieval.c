/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps that every retrieval takes: telling it, reading its request, walking its answer. What a document becomes is
 * written in documents.c.
 */
#include "dialect/retrieval.h"

enum { WALK_DEPTH_MAX = 8 };

struct slice place_get(struct slice value, const char *place)
{
	struct slice rest = slice_of(place);

	while (rest.len && value.data) {
		struct slice name = slice_cut(&rest, '/');

		if (name.len > 1 && name.data[0] == '#') {
			struct json_iter iter = json_iter(value);

			value = json_type(value) == JSON_ARRAY && json_next(&iter) ? iter.value : SLICE_NONE;
		} else {
			value = json_get(value, name);
		}
	}
	return value;
}

/* The first place of @places that has something. */
static struct slice places_get(struct slice value, const char *const *places)
{
	struct slice got = SLICE_NONE;

	for (size_t i = 0; i < RETRIEVAL_PLACES && places[i] && !got.data; i++)
		got = place_get(value, places[i]);
	return got;
}

/* ---- recognition ---- */

static bool is_list(struct slice value)
{
	return json_type(value) == JSON_ARRAY || json_type(value) == JSON_OBJECT;
}

static struct slice list_of(const struct retrieval *shape, struct slice object)
{
	for (size_t i = 0; i < RETRIEVAL_NAMES && shape->lists[i].len; i++) {
		struct slice list = json_get(object, shape->lists[i]);

		if (is_list(list))
			return list;
	}
	return SLICE_NONE;
}

static bool has_list(const struct retrieval *shape, struct slice body)
{
	return list_of(shape, json_trim(body)).data != NULL;
}

static bool asks_for_it(const struct retrieval *shape, struct slice body)
{
	if (json_type(body) != JSON_OBJECT)
		return false;
	for (size_t i = 0; i < RETRIEVAL_NAMES && shape->asks[i].len; i++)
		if (json_get(body, shape->asks[i]).data)
			return true;
	return !shape->asks[0].len;
}

static const struct retrieval_path *path_of(const struct retrieval *shape, struct slice path)
{
	for (size_t i = 0; i < RETRIEVAL_PATHS && shape->paths[i].ends.len; i++)
		if (path_ends(path, shape->paths[i].ends) && slice_contains(path, shape->paths[i].has))
			return &shape->paths[i];
	return NULL;
}

static bool host_is_its(const struct retrieval *shape, const struct dialect_hint *hint)
{
	return slice_equal(dialect_vendor_find(hint->host, hint->path), slice_of(shape->vendor));
}

unsigned retrieval_score(const struct retrieval *shape, const struct dialect_hint *hint)
{
	const struct retrieval_path *path = path_of(shape, hint->path);
	bool is_its;

	if (!path || !hint_is_post(hint))
		return 0;
	is_its = !path->is_generic || host_is_its(shape, hint);
	if (!hint->request_body.len && !hint->request_is_whole)
		return is_its ? SCORE_PATH : 0;
	if (!asks_for_it(shape, json_trim(hint->request_body)))
		return 0;
	return is_its || has_list(shape, hint->response_body) ? SCORE_SURE : 0;
}

/* ---- request ---- */

/* One text, or several, one a line. */
static struct slice query_text(struct call *call, struct slice query)
{
	struct pieces pieces = { 0 };
	struct out out;

	if (json_type(query) != JSON_ARRAY)
		return call_text(call, query);
	json_foreach_element(one, query) {
		if (json_type(one.value) != JSON_STRING)
			continue;
		if (pieces.len)
			call_lost(call, pieces_add(call->arena, &pieces, SLICE("\n")));
		call_lost(call, pieces_add(call->arena, &pieces, call_text(call, one.value)));
	}
	out_init(&out, call->arena, pieces.len + 1);
	pieces_put(&pieces, &out.buf);
	return pieces.len ? out_slice(&out) : SLICE_NONE;
}

static void source_put(struct call *call, const struct retrieval *shape, struct slice source)
{
	call_put_text(call, "gen_ai.data_source.id", source);
	call_put_text(call, "db.collection.name", shape->system ? source : SLICE_NONE);
}

static struct slice source_of(struct call *call, const struct retrieval *shape, struct slice body)
{
	const struct retrieval_path *path = path_of(shape, call->path);
	struct slice source = call_text(call, places_get(body, shape->source));

	return source.len || !path || !path->has.len ? source : path_part(call->path, path->has);
}

static struct slice first_place(struct slice body, const char *const *places, enum json_type a, enum json_type b)
{
	for (size_t i = 0; i < RETRIEVAL_PLACES && places[i]; i++) {
		struct slice value = place_get(body, places[i]);

		if (json_type(value) == a || json_type(value) == b)
			return value;
	}
	return SLICE_NONE;
}

void retrieval_request_from(struct call *call, const struct retrieval *shape, struct slice source)
{
	int64_t top_k = -1, dimensions = -1;
	struct slice body = json_trim(call->request_body);

	call->operation = OPERATION_RETRIEVAL;
	call_put_text(call, "db.system.name", slice_of(shape->system));
	if (!request_open(call, shape->vendor)) {
		call->inputs = SLICE_NONE; /* a part of a vector is in nobody's interest */
		return source_put(call, shape, source.len ? source : source_of(call, shape, SLICE_NONE));
	}
	call->inputs = vectors_remove(call, body, &dimensions);
	call_put_text(call, "gen_ai.retrieval.query.text",
		      query_text(call, first_place(body, shape->query, JSON_STRING, JSON_ARRAY)));
	json_int(first_place(body, shape->top_k, JSON_NUMBER, JSON_STRING), &top_k);
	call_put_count(call, "gen_ai.retrieval.top_k", top_k);
	call_put_count(call, "spantap.retrieval.vector_dimensions", dimensions);
	source_put(call, shape, source.len ? source : source_of(call, shape, body));
	if (shape->space)
		call_put_text(call, "db.namespace", call_text(call, place_get(body, shape->space)));
}

void retrieval_request(struct call *call, const struct retrieval *shape)
{
	retrieval_request_from(call, shape, SLICE_NONE);
}

/* ---- answer ---- */

/* Where stores keep their messages, beside the places that everybody uses. */
static const char *const error_places[RETRIEVAL_PLACES] = { "status/error", "error/reason", "errors/#0/message",
							    "error/#0/message", "message" };

bool retrieval_answer_open(struct call *call, struct slice *ret)
{
	struct slice body = json_trim(call->response_body), message;
	bool is_open = answer_open(call, ret);

	if (!call->has_error || json_check(body, JSON_DEPTH_MAX) != 0)
		return is_open;
	message = first_place(body, error_places, JSON_STRING, JSON_STRING);
	if (message.data)
		call->error.message = call_text(call, message);
	return is_open;
}

static void walk(struct documents *documents, struct slice value, unsigned depth)
{
	struct slice list;

	if (depth > WALK_DEPTH_MAX)
		return;
	if (json_type(value) == JSON_ARRAY) {
		json_foreach_element(one, value)
			walk(documents, one.value, depth + 1);
		return;
	}
	if (json_type(value) != JSON_OBJECT)
		return;
	list = list_of(documents->shape, value);
	if (list.data)
		walk(documents, list, depth + 1);
	else if (depth)
		documents_read(documents, value);
}

void documents_walk(struct documents *documents, struct slice value)
{
	walk(documents, value, 0);
}

static void tokens_read(struct call *call, const struct retrieval *shape, struct slice answer)
{
	int64_t tokens;

	call->response_id = call_text(call, json_get(answer, SLICE("id")));
	if (!shape->tokens)
		return;
	if (json_int(place_get(answer, shape->tokens), &tokens) == 0 && tokens > 0) {
		call->usage.input = tokens;
		call->usage_raw = json_get(answer, SLICE("usage"));
	}
}

void retrieval_response(struct call *call, const struct retrieval *shape)
{
	struct slice answer = SLICE_NONE, body = json_trim(call->response_body);
	struct documents documents;

	if (!retrieval_answer_open(call, &answer)) {
		if (call->has_error || call->outputs_is_text || json_type(body) != JSON_ARRAY)
			return;
		answer = body;
	}
	tokens_read(call, shape, answer);
	if (json_type(answer) == JSON_OBJECT && !has_list(shape, answer)) {
		call->outputs = vectors_remove(call, answer, NULL);
		return;
	}
	documents_open(&documents, call, shape, answer.len);
	documents_walk(&documents, answer);
	documents_close(&documents);
}

void retrieval_finish(struct call *call, void *state)
{
	call->operation = OPERATION_RETRIEVAL;
}

struct slice retrieval_span_name(const struct call *call)
{
	for (const struct attribute *a = call->attributes; a; a = a->next)
		if (slice_equal(a->name, SLICE("gen_ai.data_source.id"))) {
			struct slice name = arena_printf(call->arena, "retrieval %.*s", SLICE_FMT(a->value.text));

			return name.data ? name : SLICE("retrieval");
		}
	return SLICE("retrieval");
}
