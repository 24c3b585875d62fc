/* SPDX-License-Identifier: Apache-2.0 */
/* bedrock.misc: what is asked of Bedrock beside answers: one row for each operation. Bodies are shown as they are. */
#include "dialect/bedrock.h"

static const struct operation {
	struct slice inside, suffix; /* of the path */
	struct slice member;         /* which the request must have */
	enum call_operation is;
	const char *span_name;
} operations[] = {
	{ SLICE("/model/"), SLICE("/count-tokens"), SLICE("input"), OPERATION_COUNT_TOKENS,
	  "BedrockRuntime.count_tokens" },
	{ SLICE("/guardrail/"), SLICE("/apply"), SLICE("content"), OPERATION_MODERATION,
	  "BedrockRuntime.apply_guardrail" },
	{ SLICE("/async-invoke"), SLICE("/async-invoke"), SLICE("modelInput"), OPERATION_UNKNOWN,
	  "BedrockRuntime.start_async_invoke" },
};

static const struct operation *operation_of(struct slice path)
{
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (slice_contains(path, operations[i].inside) && path_ends(path, operations[i].suffix))
			return &operations[i];
	return NULL;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	const struct operation *operation = operation_of(hint->path);

	if (!operation || !hint_is_post(hint))
		return 0;
	return json_get(json_trim(hint->request_body), operation->member).data ? SCORE_SURE : 0;
}

static void request(struct call *call, void *state)
{
	const struct operation *operation = operation_of(call->path);
	struct slice body = json_trim(call->request_body);
	bool is_whole = aws_request_open(call, "aws.bedrock", SLICE("/model/"));

	if (operation)
		call->operation = operation->is;
	if (is_whole && !call->request_model.len)
		call->request_model = call_text(call, json_get(body, SLICE("modelId")));
	call_put_text(call, "aws.bedrock.guardrail.id", aws_path_segment(call, SLICE("/guardrail/")));
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (aws_answer_open(call, &answer) && call->operation == OPERATION_MODERATION)
		finish_add(call, call_text(call, json_get(answer, SLICE("action"))));
}

static struct slice span_name(const struct call *call)
{
	const struct operation *operation = operation_of(call->path);

	return operation ? slice_of(operation->span_name) : SLICE("BedrockRuntime");
}

DIALECT(bedrock_misc, {
			      .name = "bedrock.misc",
			      .order = 62,
			      .recognise = recognise,
			      .request = request,
			      .event = no_event,
			      .response = response,
			      .finish = no_step,
			      .span_name = span_name,
		      });
