/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: no text that leaves can poison a batch, whatever it was, and clean text is not touched. */
#include "base/cleanup.h"
#include "policy/clean.h"
#include "unit/support.h"

#define FFFD "\xef\xbf\xbd"
#define TEXT(literal)                                                                                                  \
	{                                                                                                              \
		(literal), sizeof(literal) - 1                                                                         \
	}

static const struct {
	struct slice text, clean;
} cases[] = {
	{ TEXT(""), TEXT("") },
	{ TEXT("plain"), TEXT("plain") },
	{ TEXT("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), TEXT("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80") },
	{ TEXT("a\xff"
	       "b\xc3"),
	  TEXT("a" FFFD "b" FFFD) },
	{ TEXT("a\0b"), TEXT("ab") },
	{ TEXT("\xed\xa0\x80"), TEXT(FFFD FFFD FFFD) },
	/* Plain text is no JSON: a backslash is a backslash. */
	{ TEXT("C:\\u0000"), TEXT("C:\\u0000") },
	{ TEXT("say \\ud800"), TEXT("say \\ud800") },
	/* What begins like JSON is read as JSON by the server. */
	{ TEXT("{\"a\":\"\\ud800\"}"), TEXT("{\"a\":\"" FFFD "\"}") },
	{ TEXT(" [\"\\ud83d\\ude00\"]"), TEXT(" [\"\\ud83d\\ude00\"]") },
	{ TEXT("\"\\u0000x\""), TEXT("\"x\"") },
	{ TEXT("{\"a\":NaN,\"b\":\"\\udc00\"}"), TEXT("{\"a\":NaN,\"b\":\"" FFFD "\"}") },
	{ TEXT("{\"a\":\"\\\\ud800\"}"), TEXT("{\"a\":\"\\\\ud800\"}") },
	/* The credential. */
	{ TEXT("key secret-key!"), TEXT("key [redacted]!") },
	{ TEXT("secret\0-key"), TEXT("[redacted]") },
	{ TEXT("\"\\\0ud800"), TEXT("\"" FFFD) },
	{ TEXT("secret-keysecret-key"), TEXT("[redacted][redacted]") },
	{ TEXT("{\"k\":\"secret-key\"}"), TEXT("{\"k\":\"[redacted]\"}") },
};

static struct cleaner cleaner_new(struct alloc *alloc)
{
	struct cleaner cleaner = CLEANER(alloc, 1 << 20);

	cleaner.secret = SLICE("secret-key");
	return cleaner;
}

static void every_text_becomes_fit_to_send(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(4 << 20);
	struct cleaner cleaner = cleaner_new(&heap.alloc);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guard guard = guard_new(cases[i].text);
		struct slice clean;

		assert_true(clean_text(&cleaner, guard.text, &clean));
		if (!slice_equal(clean, cases[i].clean))
			fail_msg("%.*s: %.*s", SLICE_FMT(cases[i].text), SLICE_FMT(clean));
		guard_free(&guard);
	}
	cleaner_trim(&cleaner, 0);
	assert_int_equal(heap.used, 0);
}

/* Deep texts in all the manners that a reader would follow down. */
static void what_is_nested_too_deep_is_no_json_any_more(void **state)
{
	static const char *const heads[] = { "", " \n", "[\"]]]]]]\",", "{\"a\":NaN,\"b\":", "[{},[]," };
	struct alloc_heap heap = ALLOC_HEAP(4 << 20);
	struct cleaner cleaner = cleaner_new(&heap.alloc);
	char text[2048];
	struct slice clean;

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		for (size_t depth = 499; depth < 1000; depth += 501) {
			size_t len = strlen(heads[i]);

			memcpy(text, heads[i], len);
			memset(text + len, depth % 2 ? '[' : '{', depth);
			assert_true(clean_text(&cleaner, (struct slice){ text, len + depth }, &clean));
			if (depth > 500)
				assert_int_equal(clean.data[0], '(');
			else if (i < 2)
				assert_int_equal(slice_trim(clean).data[0], '[');
		}
	/* Brackets inside of a string are text. */
	memset(text, '[', sizeof(text));
	text[1] = '"';
	text[sizeof(text) - 2] = '"';
	text[sizeof(text) - 1] = ']';
	assert_true(clean_text(&cleaner, (struct slice){ text, sizeof(text) }, &clean));
	assert_int_equal(clean.len, sizeof(text));
	cleaner_trim(&cleaner, 0);
	assert_int_equal(heap.used, 0);
}

/* Whatever it begins with, it is read as the inside of a string of JSON. */
static void the_inside_of_a_string_becomes_fit_to_send(void **state)
{
	static const struct {
		struct slice text, clean;
	} rows[] = {
		{ TEXT("say \\ud800"), TEXT("say " FFFD) },
		{ TEXT("\\u0000x\\n"), TEXT("x\\n") },
		{ TEXT("\\ud83d\\ude00 \\\\ud800"), TEXT("\\ud83d\\ude00 \\\\ud800") },
		{ TEXT("[[[[ \\\"secret-key\\\" {"), TEXT("[[[[ \\\"[redacted]\\\" {") },
		{ TEXT("a\xff"
		       "b\xc3"),
		  TEXT("a" FFFD "b" FFFD) },
	};
	struct alloc_heap heap = ALLOC_HEAP(4 << 20);
	struct cleaner cleaner = cleaner_new(&heap.alloc);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guard guard = guard_new(rows[i].text);
		struct slice clean;

		assert_true(clean_string(&cleaner, guard.text, &clean));
		if (!slice_equal(clean, rows[i].clean))
			fail_msg("%.*s: %.*s", SLICE_FMT(rows[i].text), SLICE_FMT(clean));
		guard_free(&guard);
	}
	cleaner_trim(&cleaner, 0);
	assert_int_equal(heap.used, 0);
}

static void a_short_key_is_a_word(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(4 << 20);
	struct cleaner cleaner = cleaner_new(&heap.alloc);
	struct slice clean;

	cleaner.secret = SLICE("ollama");
	assert_true(clean_text(&cleaner, SLICE("ollama says hi"), &clean));
	assert_true(slice_equal(clean, SLICE("ollama says hi")));
	cleaner_trim(&cleaner, 0);
}

static void random_bytes_come_out_valid(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(4 << 20);
	struct cleaner cleaner = cleaner_new(&heap.alloc);
	static const char letters[] = "{}[]\"\\ud80dc00\xc3\xa9\xff\xed a,:";
	uint64_t seed = 4711;

	for (int round = 0; round < 20000; round++) {
		char text[64];
		size_t len = random_below(&seed, sizeof(text));
		struct slice clean, again;
		char copy[256];

		for (size_t i = 0; i < len; i++)
			text[i] = letters[random_below(&seed, sizeof(letters))];
		assert_true(clean_text(&cleaner, (struct slice){ text, len }, &clean));
		assert_true(clean.len < sizeof(copy) && !memchr(clean.len ? clean.data : "", 0, clean.len));
		memcpy(copy, clean.len ? clean.data : "", clean.len);
		/* Clean is clean: nothing is left to mend. */
		assert_true(clean_text(&cleaner, (struct slice){ copy, clean.len }, &again));
		if (again.len != clean.len || memcmp(again.data, copy, clean.len) != 0)
			fail_msg("'%.*s' became '%.*s'", (int)len, text, SLICE_FMT(again));
	}
	cleaner_trim(&cleaner, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_becomes_fit_to_send),
		cmocka_unit_test(what_is_nested_too_deep_is_no_json_any_more),
		cmocka_unit_test(the_inside_of_a_string_becomes_fit_to_send),
		cmocka_unit_test(a_short_key_is_a_word),
		cmocka_unit_test(random_bytes_come_out_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
