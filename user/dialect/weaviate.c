/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weaviate.graphql: a Get with a search in it. The question is a program in GraphQL; of it only the class, the words and the
 * limit are read, by their marks. A Get that only lists objects is no retrieval.
 */
#include "dialect/retrieval.h"

static const struct retrieval shape = {
	.vendor = "weaviate",
	.system = "weaviate",
	.paths = { { {}, SLICE("/v1/graphql"), false } },
	.asks = { SLICE("query") },
};

static const struct slice searches[] = {
	SLICE("nearText"),  SLICE("nearVector"), SLICE("hybrid"),    SLICE("bm25"),      SLICE("nearObject"),
	SLICE("nearImage"), SLICE("ask"),        SLICE("nearAudio"), SLICE("nearVideo"),
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ',' || c == '\\';
}

/* What stands behind a word and the @mark that follows it; SLICE_NONE when the word is not there so. */
static struct slice behind(struct slice text, struct slice word, char mark)
{
	for (;;) {
		ptrdiff_t at = slice_find(text, word);
		struct slice rest;

		if (at < 0 || !text.len)
			return SLICE_NONE;
		rest = slice_from(text, (size_t)at + word.len);
		while (rest.len && is_blank(rest.data[0]))
			rest = slice_from(rest, 1);
		if (rest.len && rest.data[0] == mark)
			return slice_from(rest, 1);
		text = slice_from(text, (size_t)at + word.len);
	}
}

/* The search of a Get: where its arguments begin. */
static struct slice search_of(struct slice graphql)
{
	struct slice get = behind(graphql, SLICE("Get"), '{'), found = SLICE_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(searches) && !found.data; i++)
		found = behind(get, searches[i], ':');
	return found;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	unsigned score = retrieval_score(&shape, hint);
	/* Escapes of the JSON string stand for blanks only in what is looked for here. */
	struct slice graphql = json_raw_text(json_get(json_trim(hint->request_body), SLICE("query")));

	return score && hint->request_body.len && search_of(graphql).data ? score : 0;
}

static size_t word_len(struct slice text)
{
	size_t len = 0;

	while (len < text.len && (text.data[len] == '_' || (text.data[len] >= '0' && text.data[len] <= '9') ||
				  (text.data[len] | 0x20) - 'a' + 0u < 26))
		len++;
	return len;
}

static struct slice quoted(struct slice text)
{
	while (text.len && (is_blank(text.data[0]) || text.data[0] == '['))
		text = slice_from(text, 1);
	if (!text.len || text.data[0] != '"')
		return SLICE_NONE;
	text = slice_from(text, 1);
	return slice_cut(&text, '"');
}

static void request(struct call *call, void *state)
{
	struct slice graphql = call_text(call, json_get(json_trim(call->request_body), SLICE("query")));
	struct slice search = search_of(graphql), name = behind(graphql, SLICE("Get"), '{');
	struct slice words, limit = behind(graphql, SLICE("limit"), ':');
	int64_t top_k;

	while (name.len && is_blank(name.data[0]))
		name = slice_from(name, 1);
	retrieval_request_from(call, &shape, slice_head(name, word_len(name)));
	words = quoted(behind(search, SLICE("concepts"), ':'));
	if (!words.len)
		words = quoted(behind(search, SLICE("query"), ':'));
	if (!words.len)
		words = quoted(behind(search, SLICE("question"), ':'));
	call_put_text(call, "gen_ai.retrieval.query.text", words);
	while (limit.len && is_blank(limit.data[0]))
		limit = slice_from(limit, 1);
	if (json_int(slice_head(limit, word_len(limit)), &top_k) == 0)
		call_put_count(call, "gen_ai.retrieval.top_k", top_k);
}

static struct slice score_of(struct slice additional)
{
	static const struct slice names[] = { SLICE("score"), SLICE("certainty"), SLICE("distance") };
	struct slice score = SLICE_NONE;
	double number;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !score.data; i++)
		score = json_get(additional, names[i]);
	/* Hybrid scores are numbers in quotes. */
	if (json_type(score) == JSON_STRING)
		score = json_raw_text(score);
	return json_type(score) == JSON_NUMBER && json_double(score, &number) == 0 ? score : SLICE_NONE;
}

static void object_add(struct documents *documents, struct slice object)
{
	static const struct slice texts[] = { SLICE("text"), SLICE("content"), SLICE("page_content"), SLICE("chunk") };
	struct slice additional = json_get(object, SLICE("_additional")), text = SLICE_NONE, text_name = SLICE_NONE;
	struct document document = { .id = json_get(additional, SLICE("id")), .score = score_of(additional) };

	for (size_t i = 0; i < ARRAY_SIZE(texts) && !text.data; i++) {
		text = json_get(object, texts[i]);
		text_name = texts[i];
	}
	document.text = text;
	if (json_type(text) != JSON_STRING) {
		document.text = object;
		text_name = SLICE_NONE;
	}
	document.without[0] = SLICE("_additional");
	document.without[1] = SLICE("id");
	document.without[2] = text_name;
	document.whole = additional;
	document.metadata = object;
	documents_add(documents, &document);
}

static void response(struct call *call, void *state)
{
	struct slice answer = SLICE_NONE;
	struct documents documents;

	if (!retrieval_answer_open(call, &answer))
		return;
	if (json_get(answer, SLICE("errors")).data) {
		struct slice message = json_path(answer, "errors", "#0", "message", NULL);

		error_read(call, answer, true);
		call->error.message = call_text(call, message);
	}
	documents_open(&documents, call, &shape, answer.len);
	json_foreach_member(class, json_path(answer, "data", "Get", NULL))
		json_foreach_element(object, class.value)
			object_add(&documents, object.value);
	documents_close(&documents);
}

RETRIEVER_OF(weaviate_graphql, "weaviate.graphql", 78, recognise, request, response);
