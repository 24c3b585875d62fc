/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.images and openai.moderations: plain calls of which the request and the answer are shown as they are. Streamed
 * images come in events that each hold the whole picture so far; the last one is the answer.
 */
#include "dialect/openai.h"

static const struct path_rule image_rules[] = {
	{ "/images/generations", .any = KEY_PROMPT, .alone = true },
	{ "/images/edits", .any = KEY_PROMPT, .alone = true },
	{ "/images/variations", .any = KEY_PROMPT, .alone = true },
};

static const struct path_rule moderation_rules[] = {
	{ "/moderations", .any = KEY_INPUT | KEY_INPUT_ITEMS },
};

static const struct signature image_signature = { image_rules, ARRAY_SIZE(image_rules), NULL };
static const struct signature moderation_signature = { moderation_rules, ARRAY_SIZE(moderation_rules), NULL };

static unsigned image_recognise(const struct dialect_hint *hint)
{
	bool is_upload =
		path_ends(hint->path, SLICE("/images/edits")) || path_ends(hint->path, SLICE("/images/variations"));

	if (is_upload && json_get(json_trim(hint->request_body), SLICE("image")).data)
		return SCORE_SURE;
	return signature_score(&image_signature, hint);
}

static unsigned moderation_recognise(const struct dialect_hint *hint)
{
	return signature_score(&moderation_signature, hint);
}

struct image {
	struct slice last; /* newest event that holds a picture */
};

static void image_request(struct call *call, void *state)
{
	call->operation = OPERATION_IMAGE;
	call->output_type = SLICE("image");
	request_open(call, "openai");
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

static void moderation_request(struct call *call, void *state)
{
	call->operation = OPERATION_MODERATION;
	request_open(call, "openai");
}

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
	{ SLICE("input_tokens_details"), SLICE("image_tokens"), offsetof(struct usage, input_image) },
	{ SLICE("output_tokens_details"), SLICE("image_tokens"), offsetof(struct usage, output_image) },
};

static void answer_read(struct call *call, struct slice answer)
{
	struct slice usage = json_get(answer, SLICE("usage"));

	openai_answer_head(call, answer);
	if (json_type(usage) != JSON_OBJECT)
		return;
	call->usage_raw = usage;
	usage_read(&call->usage, usage, usage_rules, ARRAY_SIZE(usage_rules));
}

static enum dialect_event image_event(struct call *call, void *state, const struct message_part *part)
{
	struct image *image = state;
	struct slice type;

	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	if (json_get(part->data, SLICE("error")).data && !call->has_error)
		error_read(call, part->data, true);
	if (!json_get(part->data, SLICE("b64_json")).data)
		return DIALECT_EVENT_QUIET;
	call_lost(call, slice_hold(call->arena, &image->last, part->data));
	type = json_raw_text(json_get(part->data, SLICE("type")));
	return slice_ends(type, SLICE(".completed")) ? DIALECT_EVENT_LAST : DIALECT_EVENT_CONTENT;
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer);
}

static void image_finish(struct call *call, void *state)
{
	struct image *image = state;

	if (image->last.data) {
		call->outputs = image->last;
		answer_read(call, image->last);
	}
}

static struct slice image_span_name(const struct call *call)
{
	return SPAN_NAME(call, "Images");
}

static struct slice moderation_span_name(const struct call *call)
{
	return SPAN_NAME(call, "Moderations");
}

DIALECT(openai_images, {
			       .name = "openai.images",
			       .order = 14,
			       .state_size = sizeof(struct image),
			       .recognise = image_recognise,
			       .request = image_request,
			       .event = image_event,
			       .response = response,
			       .finish = image_finish,
			       .span_name = image_span_name,
		       });

DIALECT(openai_moderations, {
				    .name = "openai.moderations",
				    .order = 15,
				    .recognise = moderation_recognise,
				    .request = moderation_request,
				    .event = no_event,
				    .response = response,
				    .finish = no_step,
				    .span_name = moderation_span_name,
			    });
