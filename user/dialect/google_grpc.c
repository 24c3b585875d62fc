/* SPDX-License-Identifier: Apache-2.0 */
/*
 * google.grpc: Google's generative language service as its older clients speak to it, and Vertex AI's prediction service. Their
 * messages have the names of the REST interface; so each becomes the JSON that would have travelled there, and that interface's
 * dialects read it.
 */
#include "dialect/dialect.h"
#include "dialect/gemini.h"
#include "dialect/google_proto.h"
#include "dialect/grpc.h"

#define SERVICE "/google.ai.generativelanguage.*.GenerativeService/"
#define VERTEX  "/google.cloud.aiplatform.*.PredictionService/"

static const struct grpc_method methods[] = {
	{ SLICE(SERVICE "GenerateContent"), &google_request, &google_answer, OPERATION_GENERATE },
	{ SLICE(SERVICE "StreamGenerateContent"), &google_request, &google_answer, OPERATION_GENERATE },
	{ SLICE(SERVICE "EmbedContent"), &google_embed_request, &google_embed_answer, OPERATION_EMBEDDINGS },
	{ SLICE(SERVICE "BatchEmbedContents"), &google_batch_request, &google_batch_answer, OPERATION_EMBEDDINGS },
	{ SLICE(SERVICE "CountTokens"), &google_count_request, &google_count_answer, OPERATION_COUNT_TOKENS },
	{ SLICE(VERTEX "GenerateContent"), &vertex_request, &vertex_answer, OPERATION_GENERATE },
	{ SLICE(VERTEX "StreamGenerateContent"), &vertex_request, &vertex_answer, OPERATION_GENERATE },
	{ SLICE(VERTEX "CountTokens"), &vertex_count_request, &vertex_count_answer, OPERATION_COUNT_TOKENS },
};

static const char *const readers[_OPERATION_MAX] = {
	[OPERATION_GENERATE] = "gemini.generate",
	[OPERATION_EMBEDDINGS] = "gemini.embed",
	[OPERATION_COUNT_TOKENS] = "gemini.count_tokens",
};

static unsigned recognise(const struct dialect_hint *hint)
{
	return grpc_score(methods, ARRAY_SIZE(methods), hint);
}

struct google {
	const struct dialect *reader; /* NULL: it cannot run */
	void *reader_state;
};

static const struct grpc_method *method_of(const struct call *call)
{
	const struct grpc_method *method = grpc_method_find(methods, ARRAY_SIZE(methods), call->path);

	return method ? method : methods;
}

static const struct dialect *reader_of(const struct call *call)
{
	return dialect_by_name(slice_of(readers[method_of(call)->operation]));
}

static bool is_streamed(const struct call *call)
{
	return path_ends(call->path, SLICE("/StreamGenerateContent"));
}

static void google_begin(struct call *call, struct google *google)
{
	google->reader = reader_of(call);
	if (google->reader)
		google->reader_state = arena_alloc(call->arena, google->reader->state_size + 1);
	if (!google->reader_state)
		google->reader = NULL;
	call_lost(call, google->reader);
}

static void request(struct call *call, void *state)
{
	static const struct slice models = SLICE("models/");
	struct google *google = state;
	ptrdiff_t at;

	google_begin(call, google);
	call->operation = method_of(call)->operation;
	if (is_streamed(call))
		call_put_bool(call, "gen_ai.request.stream", true);
	if (!grpc_request_open(call, method_of(call)->request, gemini_vendor(call)) || !google->reader)
		return;
	call->defers_messages = false; /* the body that it reads here is gone at the end */
	google->reader->request(call, google->reader_state);
	at = slice_find(call->request_model, models);
	if (at >= 0)
		call->request_model = slice_from(call->request_model, (size_t)at + models.len);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct google *google = state;
	struct slice json = grpc_json(call, method_of(call)->answer, part->data);

	if (!google->reader && !google->reader_state)
		google_begin(call, google); /* its request was missed */
	if (!google->reader || !json.data)
		return DIALECT_EVENT_QUIET;
	if (is_streamed(call))
		return google->reader->event(
			call, google->reader_state,
			&(struct message_part){ .kind = PART_EVENT, .data = json, .time_ns = part->time_ns });
	if (!call->outputs.data) {
		call->response_body = json;
		google->reader->response(call, google->reader_state);
	}
	return DIALECT_EVENT_CONTENT;
}

static void finish(struct call *call, void *state)
{
	struct google *google = state;

	grpc_status_read(call);
	if (google->reader)
		google->reader->finish(call, google->reader_state);
	call->is_stream |= is_streamed(call) && call->outputs.len;
}

static struct slice span_name(const struct call *call)
{
	const struct dialect *reader = reader_of(call);

	return reader ? reader->span_name(call) : SLICE("generate_content");
}

DIALECT(google_grpc, {
			     .name = "google.grpc",
			     .order = 79,
			     .state_size = sizeof(struct google),
			     .message_format = "gemini",
			     .recognise = recognise,
			     .request = request,
			     .event = event,
			     .response = no_step,
			     .finish = finish,
			     .span_name = span_name,
		     });
