/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of a call whatever was told: what is handed out as JSON is JSON, and it has a name. */
#pragma once
#include "unit/dialect/talk.h"

static inline void assert_json_or_none(struct slice text)
{
	if (text.len)
		assert_int_equal(json_check(text, JSON_DEPTH_MAX), 0);
}

static inline void assert_sane(const struct told *told)
{
	const struct call *call = &told->call;
	const struct slice json[] = { call->tools,           call->chat_messages,       call->input_messages,
				      call->output_messages, call->system_instructions, call->usage_raw };

	for (size_t i = 0; i < ARRAY_SIZE(json); i++)
		assert_json_or_none(json[i]);
	if (!call->outputs_is_text)
		assert_json_or_none(call->outputs);
	for (const struct call_step *step = call->steps; step; step = step->next) {
		assert_json_or_none(step->inputs);
		assert_json_or_none(step->outputs);
	}
	assert_true(told->dialect->span_name(call).len > 0);
	assert_true(call->finish_count <= CALL_FINISH_MAX);
}

/* The same, and the request was JSON or became it. */
static inline void assert_sane_json(const struct told *told)
{
	assert_sane(told);
	assert_json_or_none(told->call.inputs);
}
