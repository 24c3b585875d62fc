/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rerank: a query and documents go, scores by index come. Everybody who offers it differs in a few names only, so names
 * are tried by table. What is shown is the documents themselves in their new order, as retrievers show theirs, with the
 * score beside each: an index alone tells a reader nothing.
 */
#include "dialect/openai.h"

enum {
	ASK_QUERY,
	ASK_DOCUMENTS,
	ASK_TEXTS,
	ASK_TEXT_1,
	ASK_TEXT_2,
	ASK_QUERIES,
	ASK_ITEMS,
	ASK_INPUTS,
	ASK_MODEL_ID,
	_ASK_MAX
};
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_QUERY] = SLICE("query"),   [ASK_DOCUMENTS] = SLICE("documents"), [ASK_TEXTS] = SLICE("texts"),
	[ASK_TEXT_1] = SLICE("text_1"), [ASK_TEXT_2] = SLICE("text_2"),       [ASK_QUERIES] = SLICE("queries"),
	[ASK_ITEMS] = SLICE("items"),   [ASK_INPUTS] = SLICE("inputs"),       [ASK_MODEL_ID] = SLICE("model_id"),
};

static struct slice first_of(const struct slice *got, size_t a, size_t b, size_t c)
{
	return got[a].data ? got[a] : got[b].data ? got[b] : got[c];
}

static struct slice query_of(const struct slice *ask)
{
	return first_of(ask, ASK_QUERY, ASK_TEXT_1, ASK_QUERIES);
}

static struct slice documents_of(const struct slice *ask)
{
	struct slice documents = first_of(ask, ASK_DOCUMENTS, ASK_TEXTS, ASK_TEXT_2);

	return documents.data ? documents : first_of(ask, ASK_ITEMS, ASK_INPUTS, ASK_INPUTS);
}

/* ---- recognition ---- */

static struct slice results_of(struct slice answer)
{
	static const struct slice names[] = { SLICE("results"), SLICE("data"), SLICE("scores") };

	if (json_type(answer) == JSON_ARRAY)
		return answer;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct slice list = json_get(answer, names[i]);

		if (json_type(list) == JSON_ARRAY)
			return list;
	}
	return SLICE_NONE;
}

static struct slice score_of(struct slice result)
{
	static const struct slice names[] = { SLICE("relevance_score"), SLICE("score"), SLICE("relevanceScore") };

	if (json_type(result) == JSON_NUMBER)
		return result;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct slice score = json_get(result, names[i]);

		if (json_type(score) == JSON_NUMBER)
			return score;
	}
	return SLICE_NONE;
}

static bool is_answer(struct slice body)
{
	struct json_iter first = json_iter(results_of(json_trim(body)));

	return json_next(&first) && score_of(first.value).data;
}

static const struct {
	struct slice path;
	bool is_generic; /* others use this path too: the answer must agree */
} paths[] = {
	{ SLICE("/rerank"), false },
	{ SLICE("/reranking"), false },
	{ SLICE("/score"), true },
};

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice ask[_ASK_MAX] = { 0 };

	if (!hint_is_post(hint))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!path_ends(hint->path, paths[i].path))
			continue;
		if (!hint->request_body.len && !hint->request_is_whole)
			return hint->response_body.len && is_answer(hint->response_body) ? SCORE_PATH : 0;
		PICK(json_trim(hint->request_body), ask_names, ask);
		if (!query_of(ask).data || (hint->request_is_whole && !documents_of(ask).data))
			return 0;
		return !paths[i].is_generic || is_answer(hint->response_body) ? SCORE_SURE : 0;
	}
	return 0;
}

/* ---- request ---- */

static void request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 }, query;

	call->operation = OPERATION_RERANK;
	if (!request_open(call, ""))
		return;
	PICK(json_trim(call->request_body), ask_names, ask);
	query = query_of(ask);
	if (json_type(query) == JSON_OBJECT)
		query = json_get(query, SLICE("text"));
	call_put_text(call, "gen_ai.retrieval.query.text", call_text(call, query));
	if (!call->request_model.len)
		call->request_model = call_text(call, ask[ASK_MODEL_ID]);
}

/* ---- answer ---- */

/* A document's text, wherever it has it: a string, an object with text, or any object, which is then shown whole. */
static void content_put(struct buf *out, struct slice document)
{
	static const struct slice names[] = { SLICE("text"), SLICE("content"), SLICE("chunk_text") };
	struct slice text = document;

	for (size_t i = 0; i < ARRAY_SIZE(names) && json_type(text) == JSON_OBJECT; i++)
		if (json_type(json_get(document, names[i])) == JSON_STRING)
			text = json_get(document, names[i]);
	if (json_type(text) == JSON_STRING || !text.len)
		json_member_raw(out, SLICE("page_content"), text.len ? text : SLICE("\"\""));
	else
		json_member_text(out, SLICE("page_content"), text);
}

/* What a score belongs to. */
struct ranked {
	struct slice index, score, document; /* raw JSON; the index always */
};

static void document_put(struct buf *out, const struct ranked *ranked)
{
	struct slice id = json_get(ranked->document, SLICE("id"));

	json_open(out, '{');
	content_put(out, ranked->document);
	json_put_name(out, SLICE("metadata"));
	json_open(out, '{');
	json_member_raw(out, SLICE("score"), ranked->score);
	json_member_raw(out, SLICE("index"), ranked->index);
	json_close(out, '}');
	json_member_raw(out, SLICE("id"), id);
	json_close(out, '}');
}

static void id_put(struct buf *out, const struct ranked *ranked)
{
	struct slice id = json_get(ranked->document, SLICE("id"));

	json_open(out, '{');
	json_put_name(out, SLICE("id"));
	if (json_type(id) == JSON_STRING)
		json_put_raw(out, id);
	else
		json_put_text(out, id.data ? id : ranked->index);
	json_member_raw(out, SLICE("score"), ranked->score);
	json_close(out, '}');
}

/* Places of the request's documents, so that an index finds its own without a walk. */
struct places {
	struct slice *list;
	size_t count;
};

static struct places places_of(struct call *call)
{
	struct slice ask[_ASK_MAX] = { 0 }, documents, body = json_trim(call->request_body);
	struct places places = { 0 };
	size_t count;

	if (json_check(body, JSON_DEPTH_MAX) != 0)
		return places;
	PICK(body, ask_names, ask);
	documents = documents_of(ask);
	if (json_type(documents) == JSON_OBJECT)
		documents = json_get(documents, SLICE("content"));
	count = json_type(documents) == JSON_ARRAY ? json_count(documents) : 0;
	places.list = count ? arena_alloc(call->arena, count * sizeof(*places.list)) : NULL;
	call_lost(call, places.list || !count);
	if (!places.list)
		return places;
	json_foreach_element(document, documents)
		if (places.count < count)
			places.list[places.count++] = document.value;
	return places;
}

static struct ranked ranked_of(struct call *call, const struct places *places, struct slice result, size_t nth)
{
	struct ranked ranked = { .index = json_get(result, SLICE("index")), .score = score_of(result) };
	int64_t index = (int64_t)nth;

	ranked.document = json_get(result, SLICE("document"));
	if (!ranked.document.data)
		ranked.document = json_get(result, SLICE("text"));
	if (json_type(ranked.index) != JSON_NUMBER || json_int(ranked.index, &index) != 0)
		ranked.index = arena_printf(call->arena, "%zu", nth);
	if (index >= 0 && (uint64_t)index < places->count && json_type(ranked.document) != JSON_STRING &&
	    json_count(ranked.document) == 0)
		ranked.document = places->list[index];
	return ranked;
}

static struct slice list_of(struct call *call, struct slice results, const struct places *places,
			    void (*put)(struct buf *out, const struct ranked *ranked))
{
	struct out out;
	size_t nth = 0;

	out_init(&out, call->arena, results.len + 64);
	json_open(&out.buf, '[');
	json_foreach_element(result, results) {
		struct ranked ranked = ranked_of(call, places, result.value, nth++);

		put(&out.buf, &ranked);
	}
	json_close(&out.buf, ']');
	return out_slice(&out);
}

static void usage_of(struct call *call, struct slice answer)
{
	struct slice units = json_path(answer, "meta", "billed_units", NULL), usage = json_get(answer, SLICE("usage"));
	int64_t count;

	openai_usage_read(call, usage);
	if (json_int(json_get(answer, SLICE("input_token_count")), &count) == 0 && count >= 0)
		call->usage.input = count;
	if (call->usage.input < 0)
		call->usage.input = call->usage.total; /* Voyage, Jina and vLLM tell one number */
	if (json_type(units) == JSON_OBJECT) {
		call->usage_raw = json_get(answer, SLICE("meta"));
		if (json_int(json_get(units, SLICE("input_tokens")), &count) == 0 && count > 0)
			call->usage.input = count;
	}
}

static void response(struct call *call, void *state)
{
	struct slice answer = SLICE_NONE, body = json_trim(call->response_body), results, documents;
	struct places places;

	if (!answer_open(call, &answer)) {
		if (call->has_error || call->outputs_is_text || json_type(body) != JSON_ARRAY)
			return;
		answer = body; /* the scores alone */
	}
	openai_answer_head(call, answer);
	usage_of(call, answer);
	results = results_of(answer);
	if (json_type(results) != JSON_ARRAY)
		return;
	places = places_of(call);
	documents = list_of(call, results, &places, document_put);
	call_lost(call, documents.data);
	if (documents.data)
		call->outputs = documents;
	call_put_text(call, "gen_ai.retrieval.documents", list_of(call, results, &places, id_put));
}

static void finish(struct call *call, void *state)
{
	call->operation = OPERATION_RERANK;
}

static struct slice span_name(const struct call *call)
{
	return SLICE("Rerank");
}

DIALECT(rerank, {
			.name = "rerank",
			.order = 65,
			.recognise = recognise,
			.request = request,
			.event = no_event,
			.response = response,
			.finish = finish,
			.span_name = span_name,
		});
