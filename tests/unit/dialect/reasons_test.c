/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: every provider's word for why an answer ended is one of the five of the convention. */
#include "dialect/parts.h"
#include "unit/support.h"

static const struct {
	const char *neutral, *words[16];
} rows[] = {
	{ "stop",
	  { "end_turn", "stop", "STOP", "eos", "COMPLETE", "STOP_SEQUENCE", "stop_sequence", "FINISH", "eos_token",
	    "endoftext", "pause_turn", "eosFound", "stopStringFound", "succeeded", "" } },
	{ "length",
	  { "max_tokens", "MAX_TOKENS", "length", "LENGTH", "maximum_tokens", "limit", "model_context_window_exceeded",
	    "max_output_tokens", "ERROR_LIMIT", "contextLengthReached", "token_limit" } },
	{ "content_filter",
	  { "refusal", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "guardrail_intervened", "content_filtered",
	    "CONTENT_FILTERED", "ERROR_TOXIC", "sensitive", "content_filter" } },
	{ "tool_call", { "tool_use", "tool_calls", "TOOL_CALL", "function_call", "requires_action", "toolCalls" } },
	{ "error",
	  { "error", "ERROR", "failed", "abort", "MALFORMED_FUNCTION_CALL", "insufficient_system_resource",
	    "network_error", "malformed_model_output" } },
};

static void each_word_is_one_of_five(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].words) && rows[i].words[k]; k++) {
			struct slice neutral = finish_reason_neutral(slice_of(rows[i].words[k]));

			if (!slice_equal(neutral, slice_of(rows[i].neutral)))
				fail_msg("%s is %.*s", rows[i].words[k], SLICE_FMT(neutral));
		}
}

static void a_word_that_nobody_knows_stays(void **state)
{
	assert_true(slice_equal(finish_reason_neutral(SLICE("of_tomorrow")), SLICE("of_tomorrow")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_is_one_of_five),
		cmocka_unit_test(a_word_that_nobody_knows_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
