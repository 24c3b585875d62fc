/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors.embed: embeddings of servers and services whose paths or names are their own: Text Embeddings Inference's /embed
 * (a bare list of vectors), llama.cpp's /embedding, Voyage's multimodal and contextualized ones. The vectors stay as they
 * came, like those of all embeddings; how long they are is told beside.
 */
#include "dialect/plain.h"
#include "dialect/vendors.h"

static const struct {
	struct slice path;
	struct slice asks[3]; /* one of these is in the request */
	const char *vendor;
	bool is_own; /* nobody else has this path: the request alone tells */
} paths[] = {
	{ SLICE("/embed"), { SLICE("inputs") }, "tei", false },
	{ SLICE("/embed_all"), { SLICE("inputs") }, "tei", false },
	{ SLICE("/embed_sparse"), { SLICE("inputs") }, "tei", false },
	{ SLICE("/embedding"), { SLICE("content"), SLICE("input"), SLICE("image_data") }, "llama_cpp", false },
	{ SLICE("/multimodalembeddings"), { SLICE("inputs") }, "voyage", true },
	{ SLICE("/contextualizedembeddings"), { SLICE("inputs") }, "voyage", true },
	{ SLICE("/pooling"), { SLICE("input"), SLICE("messages") }, "vllm", false },
	{ SLICE("/text/embeddings"), { SLICE("inputs") }, "ibm.watsonx.ai", true },
};

/* The first vector in an answer of any of these shapes: lists in lists, objects with an embedding, lists in members. */
static struct slice vector_of(struct slice value)
{
	static const struct slice members[] = { SLICE("embedding"), SLICE("data"), SLICE("results") };

	for (int depth = 0; depth < 8; depth++) {
		struct json_iter first = json_iter(value);
		struct slice inner = SLICE_NONE;

		if (json_type(value) == JSON_ARRAY) {
			if (!json_next(&first))
				return SLICE_NONE;
			if (json_type(first.value) == JSON_NUMBER)
				return value;
			inner = first.value;
		} else if (json_type(value) == JSON_OBJECT) {
			for (size_t i = 0; i < ARRAY_SIZE(members) && !inner.data; i++)
				inner = json_get(value, members[i]);
		}
		if (!inner.data)
			return SLICE_NONE;
		value = inner;
	}
	return SLICE_NONE;
}

/* Sparse ones are lists of pairs. */
static bool is_answer(struct slice body)
{
	struct slice first = first_object(first_object(body));

	return vector_of(body).data || (json_get(first, SLICE("index")).data && json_get(first, SLICE("value")).data);
}

static bool is_failure(struct slice body)
{
	return json_get(body, SLICE("error")).data && json_get(body, SLICE("error_type")).data;
}

static int path_of(struct slice path)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (path_ends(path, paths[i].path))
			return (int)i;
	return -1;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice request = json_trim(hint->request_body), answer = json_trim(hint->response_body);
	int at = hint_is_post(hint) ? path_of(hint->path) : -1;

	if (at < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(paths[at].asks); i++) {
		if (!paths[at].asks[i].len || !json_get(request, paths[at].asks[i]).data)
			continue;
		if (paths[at].is_own || is_answer(answer) || is_failure(answer))
			return SCORE_SURE - 1; /* formats with more of a signature come first */
	}
	return 0;
}

static void request(struct call *call, void *state)
{
	int at = path_of(call->path);

	call->operation = OPERATION_EMBEDDINGS;
	if (request_open(call, at < 0 ? "" : paths[at].vendor) && !call->request_model.len)
		call->request_model = call_text(call, json_get(json_trim(call->request_body), SLICE("model_id")));
}

static void response(struct call *call, void *state)
{
	struct slice body = json_trim(call->response_body), answer = SLICE_NONE;
	int64_t count = -1;

	if (answer_open(call, &answer)) {
		openai_answer_head(call, answer);
		if (!call->response_model.len)
			call->response_model = call_text(call, json_get(answer, SLICE("model_id")));
		openai_usage_read(call, json_get(answer, SLICE("usage")));
		json_int(json_get(answer, SLICE("input_token_count")), &count);
	}
	if (call->usage.input < 0)
		call->usage.input = count >= 0 ? count : call->usage.total;
	if (!call->has_error && !call->outputs_is_text && vector_of(body).data)
		call_put_count(call, "gen_ai.embeddings.dimension.count", (int64_t)json_count(vector_of(body)));
}

static void finish(struct call *call, void *state)
{
	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("Embeddings");
}

DIALECT(vectors_embed, {
			       .name = "vectors.embed",
			       .order = 74,
			       .recognise = recognise,
			       .request = request,
			       .event = no_event,
			       .response = response,
			       .finish = finish,
			       .span_name = span_name,
		       });
