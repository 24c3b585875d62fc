/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.call: calls of models that neither chat nor complete: reading of documents, classification, generation from tokens
 * to tokens, models served as tables. Question and answer are shown as they are. A row is a path with the members that both
 * sides must have, so that somebody else's path of the same name is not taken.
 */
#include "dialect/plain.h"

enum { ASKS_MAX = 4, ANSWERS_MAX = 2 };

static const struct row {
	struct slice path;   /* its end */
	struct slice within; /* and this somewhere before, or empty */
	struct slice asks[ASKS_MAX], answers[ANSWERS_MAX];
	const char *vendor, *span;
	enum call_operation operation;
} rows[] = {
	{ .path = SLICE("/ocr"),
	  .asks = { SLICE("document") },
	  .answers = { SLICE("pages") },
	  .vendor = "mistral_ai",
	  .span = "Ocr.process" },
	{ .path = SLICE("/classifications"),
	  .asks = { SLICE("input"), SLICE("inputs"), SLICE("messages") },
	  .answers = { SLICE("results") },
	  .vendor = "mistral_ai",
	  .span = "Classifiers.classify" },
	{ .path = SLICE("/classify"),
	  .asks = { SLICE("input"), SLICE("inputs"), SLICE("messages") },
	  .answers = { SLICE("data"), SLICE("classifications") },
	  .vendor = "",
	  .span = "classify" },
	{ .path = SLICE("/inference/v1/generate"),
	  .asks = { SLICE("token_ids"), SLICE("prompt_token_ids"), SLICE("prompt") },
	  .answers = { SLICE("choices") },
	  .vendor = "vllm",
	  .span = "generate",
	  .operation = OPERATION_TEXT_COMPLETION },
	{ .path = SLICE("/invocations"),
	  .within = SLICE("/serving-endpoints/"),
	  .asks = { SLICE("dataframe_split"), SLICE("dataframe_records"), SLICE("instances"), SLICE("inputs") },
	  .answers = { SLICE("predictions"), SLICE("outputs") },
	  .vendor = "databricks",
	  .span = "invocations" },
};

static bool has_any(struct slice object, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].len && json_get(object, names[i]).data)
			return true;
	return false;
}

static const struct row *row_of(struct slice path)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (path_ends(path, rows[i].path) && slice_contains(path, rows[i].within))
			return &rows[i];
	return NULL;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	const struct row *row = hint_is_post(hint) ? row_of(hint->path) : NULL;
	struct slice answer = json_trim(hint->response_body);

	if (!row || !has_any(json_trim(hint->request_body), row->asks, ASKS_MAX))
		return 0;
	return has_any(answer, row->answers, ANSWERS_MAX) ? SCORE_SURE - 1 : 0;
}

static void request(struct call *call, void *state)
{
	const struct row *row = row_of(call->path);

	if (row)
		call->operation = row->operation;
	request_open(call, row ? row->vendor : "");
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (!answer_open(call, &answer))
		return;
	openai_answer_head(call, answer);
	openai_usage_read(call, json_get(answer, SLICE("usage")));
}

static struct slice span_name(const struct call *call)
{
	const struct row *row = row_of(call->path);

	return slice_of(row ? row->span : "call");
}

DIALECT(model_call, {
			    .name = "model.call",
			    .order = 76,
			    .recognise = recognise,
			    .request = request,
			    .event = no_event,
			    .response = response,
			    .finish = no_step,
			    .span_name = span_name,
		    });
