/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohere.embed: both APIs, and the servers that speak the second. Texts, images or mixed inputs go; vectors come by type
 * (float, int8, …) or, in the first API, as one plain list.
 */
#include "dialect/cohere.h"
#include "dialect/dialect.h"

static const struct slice sources[] = { SLICE("texts"), SLICE("images"), SLICE("inputs") };

static bool is_answer(struct slice body)
{
	return json_get(body, SLICE("embeddings")).data && json_get(body, SLICE("meta")).data;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);
	bool has_source = false;

	if (!hint_is_post(hint))
		return 0;
	if (!path_ends(hint->path, SLICE("/embed")) && hint->path.len)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		has_source |= json_type(json_get(body, sources[i])) == JSON_ARRAY;
	if (has_source && (json_get(body, SLICE("input_type")).data || json_get(body, SLICE("embedding_types")).data ||
			   (json_get(body, SLICE("model")).data && path_ends(hint->path, SLICE("/v1/embed")))))
		return SCORE_SURE;
	return hint->response_body.len && is_answer(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

static void request(struct call *call, void *state)
{
	call->operation = OPERATION_EMBEDDINGS;
	request_open(call, "cohere");
}

/* The length of the first vector of floats. */
static int64_t dimension_of(struct slice embeddings)
{
	struct slice list = json_type(embeddings) == JSON_OBJECT ? json_get(embeddings, SLICE("float")) : embeddings;
	struct json_iter first = json_iter(list);

	if (json_type(list) != JSON_ARRAY || !json_next(&first) || json_type(first.value) != JSON_ARRAY)
		return -1;
	return (int64_t)json_count(first.value);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (!answer_open(call, &answer))
		return;
	call->response_id = call_text(call, json_get(answer, SLICE("id")));
	call->response_model = call_text(call, json_get(answer, SLICE("model")));
	cohere_usage_read(call, json_get(answer, SLICE("meta")));
	call_put_count(call, "gen_ai.embeddings.dimension.count", dimension_of(json_get(answer, SLICE("embeddings"))));
}

static void finish(struct call *call, void *state)
{
	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("Cohere.embed");
}

DIALECT(cohere_embed, {
			      .name = "cohere.embed",
			      .order = 63,
			      .recognise = recognise,
			      .request = request,
			      .event = no_event,
			      .response = response,
			      .finish = finish,
			      .span_name = span_name,
		      });
