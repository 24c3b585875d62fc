/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google's methods beside generation: gemini.count_tokens, gemini.embed (one text, many, or Vertex AI's predict), and
 * gemini.predict for the media models, which take instances and give predictions. TensorFlow Serving and its like have a
 * predict of the same shape: only a publisher's path or a model of a known family is taken.
 */
#include "dialect/gemini.h"

static void response(struct call *call, void *state)
{
	struct slice answer;

	answer_open(call, &answer);
}

/* ---- counting ---- */

static unsigned count_recognise(const struct dialect_hint *hint)
{
	return hint_is_post(hint) && slice_equal(gemini_method(hint->path), SLICE("countTokens")) ? SCORE_SURE : 0;
}

static void count_request(struct call *call, void *state)
{
	struct slice body = json_trim(call->request_body), contents;
	struct parts parts;

	call->operation = OPERATION_COUNT_TOKENS;
	if (!gemini_request_open(call))
		return;
	contents = json_get(body, SLICE("contents"));
	if (!contents.data)
		contents = json_path(body, "generateContentRequest", "contents", NULL);
	if (!contents.data)
		contents = json_path(body, "request", "contents", NULL);
	if (!contents.data)
		return;
	parts_init(&parts, call, contents);
	gemini_contents_put(&parts, contents);
	call->input_messages = parts_finish(&parts);
}

static struct slice count_span_name(const struct call *call)
{
	return gemini_span_name(call, SLICE("AsyncModels.count_tokens"));
}

DIALECT(gemini_count_tokens, {
				     .name = "gemini.count_tokens",
				     .order = 42,
				     .message_format = "gemini",
				     .recognise = count_recognise,
				     .request = count_request,
				     .event = no_event,
				     .response = response,
				     .finish = no_step,
				     .span_name = count_span_name,
			     });

/* ---- predict ---- */

enum family { FAMILY_NONE, FAMILY_EMBEDDING, FAMILY_IMAGE, FAMILY_VIDEO, FAMILY_SOUND };

static const struct {
	struct slice word; /* somewhere in the model's name */
	enum family family;
} families[] = {
	{ SLICE("embedding"), FAMILY_EMBEDDING },   { SLICE("imagen"), FAMILY_IMAGE },
	{ SLICE("imagegeneration"), FAMILY_IMAGE }, { SLICE("veo-"), FAMILY_VIDEO },
	{ SLICE("lyria"), FAMILY_SOUND },
};

static enum family family_of(struct slice path)
{
	struct slice model = gemini_path_model(path);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (slice_contains(model, families[i].word))
			return families[i].family;
	return FAMILY_NONE;
}

static bool is_predict(struct slice path)
{
	struct slice method = gemini_method(path);

	return slice_equal(method, SLICE("predict")) || slice_equal(method, SLICE("predictLongRunning"));
}

static bool has_instances(const struct dialect_hint *hint)
{
	return !hint->request_body.len ? !hint->request_is_whole
				       : json_get(hint->request_body, SLICE("instances")).data != NULL;
}

/* ---- embeddings ---- */

static unsigned embed_recognise(const struct dialect_hint *hint)
{
	struct slice method = gemini_method(hint->path);

	if (!hint_is_post(hint))
		return 0;
	if (slice_equal(method, SLICE("embedContent")) || slice_equal(method, SLICE("batchEmbedContents")))
		return SCORE_SURE;
	return is_predict(hint->path) && family_of(hint->path) == FAMILY_EMBEDDING && has_instances(hint) ? SCORE_SURE
													  : 0;
}

static void embed_request(struct call *call, void *state)
{
	struct slice body = json_trim(call->request_body), asked;
	int64_t dimensions;

	call->operation = OPERATION_EMBEDDINGS;
	if (!gemini_request_open(call))
		return;
	asked = json_get(body, SLICE("outputDimensionality"));
	if (!asked.data)
		asked = json_path(body, "requests", "#0", "outputDimensionality", NULL);
	if (!asked.data)
		asked = json_path(body, "parameters", "outputDimensionality", NULL);
	if (!asked.data)
		asked = json_path(body, "embedContentConfig", "outputDimensionality", NULL);
	if (json_int(asked, &dimensions) == 0)
		call_put_count(call, "gen_ai.embeddings.dimension.count", dimensions);
}

/* Vertex AI counts each text's tokens, the newer methods all of them. */
static void embed_response(struct call *call, void *state)
{
	struct slice answer;
	int64_t tokens, sum = -1;

	if (!answer_open(call, &answer))
		return;
	json_foreach_element(prediction, json_get(answer, SLICE("predictions")))
		if (json_int(json_path(prediction.value, "embeddings", "statistics", "token_count", NULL), &tokens) ==
			    0 &&
		    tokens >= 0 && tokens <= INT32_MAX)
			sum = MAX(sum, 0) + tokens;
	if (json_int(json_path(answer, "usageMetadata", "promptTokenCount", NULL), &tokens) == 0)
		sum = tokens;
	call->usage.input = call->usage.total = sum;
	call->usage_raw = json_get(answer, SLICE("usageMetadata"));
}

static struct slice embed_span_name(const struct call *call)
{
	return gemini_span_name(call, SLICE("AsyncModels.embed_content"));
}

DIALECT(gemini_embed, {
			      .name = "gemini.embed",
			      .order = 43,
			      .message_format = "gemini",
			      .recognise = embed_recognise,
			      .request = embed_request,
			      .event = no_event,
			      .response = embed_response,
			      .finish = no_step,
			      .span_name = embed_span_name,
		      });

/* ---- media ---- */

static unsigned predict_recognise(const struct dialect_hint *hint)
{
	enum family family = family_of(hint->path);
	bool is_known = family != FAMILY_NONE || slice_contains(hint->path, SLICE("/publishers/google/"));

	if (!hint_is_post(hint) || !is_predict(hint->path) || family == FAMILY_EMBEDDING || !is_known)
		return 0;
	return has_instances(hint) ? SCORE_SURE : 0;
}

static void predict_request(struct call *call, void *state)
{
	enum family family = family_of(call->path);

	call->operation = family == FAMILY_NONE ? OPERATION_GENERATE : OPERATION_IMAGE;
	if (family == FAMILY_IMAGE)
		call->output_type = SLICE("image");
	if (family == FAMILY_SOUND) {
		call->operation = OPERATION_SPEECH;
		call->output_type = SLICE("speech");
	}
	gemini_request_open(call);
}

static struct slice predict_span_name(const struct call *call)
{
	switch (family_of(call->path)) {
	case FAMILY_IMAGE:
		return gemini_span_name(call, SLICE("AsyncModels.generate_images"));
	case FAMILY_VIDEO:
		return gemini_span_name(call, SLICE("AsyncModels.generate_videos"));
	default:
		return gemini_span_name(call, SLICE("AsyncModels.predict"));
	}
}

DIALECT(gemini_predict, {
				.name = "gemini.predict",
				.order = 44,
				.recognise = predict_recognise,
				.request = predict_request,
				.event = no_event,
				.response = response,
				.finish = no_step,
				.span_name = predict_span_name,
			});
