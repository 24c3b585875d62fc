/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cohere bills other units than its tokenizer counts: prompts of its own making are free. Billed units are what is
 * reported; the tokens stay beside them in the raw usage, and stand in only where nothing was billed.
 */
#include "dialect/cohere.h"

#define TOKENS SLICE("tokens")
#define BILLED SLICE("billed_units")
static const struct usage_rule usage_rules[] = {
	{ TOKENS, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ TOKENS, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ BILLED, SLICE("input_tokens"), offsetof(struct usage, input) },
	{ BILLED, SLICE("output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("cached_tokens"), offsetof(struct usage, cache_read) },
};

void cohere_usage_read(struct call *call, struct slice usage)
{
	struct usage *into = &call->usage;

	if (!json_get(usage, BILLED).data && !json_get(usage, TOKENS).data)
		return;
	call->usage_raw = usage;
	usage_read(into, usage, usage_rules, ARRAY_SIZE(usage_rules));
	usage_sum(into);
}

struct slice cohere_first_text(struct call *call, struct slice answer, const struct slice *names, size_t count)
{
	struct slice text = SLICE_NONE;

	for (size_t i = 0; i < count && !text.len; i++)
		text = call_text(call, json_get(answer, names[i]));
	return text;
}
