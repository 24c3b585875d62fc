/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: no argument that carries a secret shows it, and plain arguments stay as they are. */
#include "../support.h"
#include "base/cleanup.h"
#include "policy/policy.h"

static const struct {
	const char *previous, *argument, *shown;
} cases[] = {
	{ "", "python", "python" },
	{ "--api-key", "abc", "[redacted]" },
	{ "--api-key", "--verbose", "--verbose" },
	{ "-c", "print(1)", "print(1)" },
	{ "", "--api-key=abc", "--api-key=[redacted]" },
	{ "", "OPENAI_API_KEY=sk-123", "OPENAI_API_KEY=[redacted]" },
	{ "", "PASSWORD=x", "PASSWORD=[redacted]" },
	{ "", "sk-proj-0123456789abcdef", "[redacted]" },
	{ "", "say sk-proj-0123456789abcdef now", "say [redacted] now" },
	{ "-H", "Authorization: Bearer abc.def", "Authorization: [redacted]" },
	{ "", "https://user:pw@host/x", "https://[redacted]@host/x" },
	{ "", "https://host/x@y", "https://host/x@y" },
	{ "", "https://host/x?key=abc&alt=sse", "https://host/x?key=[redacted]&alt=sse" },
	{ "", "https://host/x?alt=sse&access_token=abc", "https://host/x?alt=sse&access_token=[redacted]" },
	{ "", "task-sk-12", "task-sk-12" },
	{ "", "--max-tokens=5", "--max-tokens=5" },
	{ "", "", "" },
	{ "--token", "abc", "[redacted]" },
	{ "-u", "joe:pw", "joe:[redacted]" },
	{ "-u", "joe", "joe" },
	{ "", "OPENAI_KEY=abc", "OPENAI_KEY=[redacted]" },
	{ "", "--sort-key=name", "--sort-key=name" },
	{ "", "--tokenizer=gpt2", "--tokenizer=gpt2" },
	{ "-c", "HF_TOKEN=abc python x.py --port=80", "HF_TOKEN=[redacted] python x.py --port=80" },
	{ "-H", "x-api-key: abc def", "x-api-key: [redacted]" },
	{ "-H", "Accept: text/plain", "Accept: text/plain" },
	{ "-d", "{\"api_key\": \"abc\", \"model\": \"m\"}", "{\"api_key\": \"[redacted]\", \"model\": \"m\"}" },
	{ "-c", "curl -H 'Authorization: Bearer abcdefgh12' x", "curl -H 'Authorization: [redacted]' x" },
	{ "", "say Bearer abcdefgh12 now", "say Bearer [redacted] now" },
	{ "", "postgres://token@host/db", "postgres://[redacted]@host/db" },
	{ "", "http://a:b@h http://c:d@i", "http://[redacted]@h http://[redacted]@i" },
	{ "", "ghp_0123456789abcdef,hf_0123456789abcdef", "[redacted],[redacted]" },
	{ "", "sk-learn", "sk-learn" },
	{ "", "api_key=", "api_key=" },
	{ "", "/v1/models/gpt-4o:generate", "/v1/models/gpt-4o:generate" },
};

static void secrets_are_hidden_and_the_rest_is_not(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct arena *arena = arena_new(&heap.alloc, 1 << 18);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guard guard = guard_new(slice_of(cases[i].argument));
		struct slice shown = policy_redact_argument(arena, slice_of(cases[i].previous), guard.text);

		if (!slice_equal(shown, slice_of(cases[i].shown)))
			fail_msg("%s: %.*s, not %s", cases[i].argument, SLICE_FMT(shown), cases[i].shown);
		guard_free(&guard);
	}
	arena_free(arena);
}

static void any_bytes_are_survived(void **state)
{
	static const char alphabet[] = "?&=@:/sk-_keytoken01AB \xff";
	uint64_t random = 3;

	for (int round = 0; round < 20000; round++) {
		struct alloc_heap heap = ALLOC_HEAP(1 << 20);
		struct arena *arena = arena_new(&heap.alloc, 1 << 18);
		char text[64];
		size_t len = random_below(&random, sizeof(text));
		struct guard guard;

		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
		guard = guard_new((struct slice){ text, len });
		assert_non_null(policy_redact_argument(arena, SLICE("-x"), guard.text).data);
		guard_free(&guard);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_hidden_and_the_rest_is_not),
		cmocka_unit_test(any_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
