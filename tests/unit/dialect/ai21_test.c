/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: AI21's completions are known by path and body, and read: model, texts, reasons, tokens, errors. */
#include "unit/dialect/talk.h"
#include <stdio.h>

#define PATH "/studio/v1/j2-ultra/complete"
#define ASK  SLICE("{\"prompt\":\"Hi\",\"numResults\":2,\"maxTokens\":16}")

static void a_completion_is_read(void **state)
{
	struct talk talk = {
		.path = PATH,
		.host = "api.ai21.com",
		.request = ASK,
		.body = SLICE(
			"{\"id\":\"7\",\"prompt\":{\"text\":\"Hi\",\"tokens\":[{},{}]},\"completions\":["
			"{\"data\":{\"text\":\" there\",\"tokens\":[{},{},{}]},\"finishReason\":{\"reason\":\"endoftext\"}},"
			"{\"data\":{\"text\":\" you\",\"tokens\":[{}]},\"finishReason\":{\"reason\":\"length\"}}]}"),
	};
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "ai21.complete");
	assert_int_equal(told.call.operation, OPERATION_TEXT_COMPLETION);
	assert_slice(told.call.vendor, "ai21");
	assert_slice(told.call.request_model, "j2-ultra");
	assert_slice(told.call.response_id, "7");
	assert_int_equal(told.call.usage.input, 2);
	assert_int_equal(told.call.usage.output, 4);
	assert_int_equal(told.call.finish_count, 2);
	assert_slice(told.call.finish_reasons[0], "endoftext");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\" there\"}],"
		"\"finish_reason\":\"stop\"},{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\" you\"}],"
		"\"finish_reason\":\"length\"}]");
	told_free(&told);
}

static void a_refusal_is_an_error(void **state)
{
	struct talk talk = { .path = PATH, .request = ASK, .status = 422, .body = SLICE("{\"detail\":\"too long\"}") };
	struct told told = talk_told(&talk);

	assert_true(told.call.has_error);
	assert_slice(told.call.error.message, "too long");
	told_free(&told);
}

static void others_are_not_taken(void **state)
{
	static const char *const paths[] = { "/v1/complete", "/studio/v1/chat/completions", "/studio/v1/j2/completed" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct talk talk = { .path = paths[i], .request = ASK };
		struct told told;

		if (talk_run(&talk, &talk_heap.alloc, NULL, &told))
			assert_string_not_equal(told.dialect->name, "ai21.complete");
		told_free(&told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_completion_is_read),
		cmocka_unit_test(a_refusal_is_an_error),
		cmocka_unit_test(others_are_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
