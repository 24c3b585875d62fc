/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are tried from above: one that holds for one operation only stands before the one for all. */
#include "trace/semconv.h"
#include "base/cleanup.h"
#include "base/json.h"

static const struct {
	struct slice name, next;
	bool is_int;                   /* a number without a fraction */
	enum call_operation operation; /* OPERATION_UNKNOWN: any */
} turns[] = {
	{ SLICE("gen_ai.usage.cache_creation.input_tokens"), SLICE("gen_ai.usage.cache_write.input_tokens"), false, 0 },
	{ SLICE("gen_ai.request.top_k"), SLICE("gen_ai.retrieval.top_k"), true, OPERATION_RETRIEVAL },
	{ SLICE("gen_ai.request.top_k"), SLICE("gen_ai.request.top_k"), true, 0 },
};

void semconv_turn(enum semconv semconv, enum call_operation operation, struct slice *name, struct value *value)
{
	if (semconv != SEMCONV_NEXT || !slice_starts(*name, SLICE("gen_ai.")))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
		if (!slice_equal(*name, turns[i].name) || (turns[i].operation && turns[i].operation != operation))
			continue;
		*name = turns[i].next;
		if (turns[i].is_int && value->type == VALUE_DOUBLE && value->number >= -1e15 && value->number <= 1e15)
			*value = (struct value){ VALUE_INT, .integer = (int64_t)value->number };
		return;
	}
}

bool semconv_turns_messages(enum semconv semconv)
{
	return semconv == SEMCONV_NEXT;
}

void semconv_messages(struct buf *out, struct slice messages)
{
	json_open(out, '[');
	json_foreach_element(message, messages) {
		json_open(out, '{');
		json_foreach_member(member, message.value)
			if (!slice_equal(member.name, SLICE("finish_reason")))
				json_member_raw(out, member.name, member.value);
		json_close(out, '}');
	}
	json_close(out, ']');
}
