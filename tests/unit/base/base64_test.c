/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: the standard's own examples, with and without padding; in its own memory; what is no base64 is none. */
#include "base/base64.h"
#include "base/cleanup.h"
#include "unit/support.h"

static void the_examples_of_the_standard(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },           { "Zg==", "f" },         { "Zm8=", "fo" },         { "Zm9v", "foo" },
		{ "Zm9vYg", "foob" }, { "Zm9vYmE=", "fooba" }, { "Zm9vYmFy", "foobar" }, { "+/+/", "\xfb\xff\xbf" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guard guard = guard_new(slice_of(rows[i][0]));
		char out[16];
		struct slice got = base64_decode_to(out, guard.text);

		assert_int_equal(got.len, strlen(rows[i][1]));
		assert_memory_equal(got.data, rows[i][1], got.len);
		guard_free(&guard);
	}
}

static void in_its_own_memory(void **state)
{
	char text[] = "eyJhIjoxfQ==";
	struct slice got = base64_decode_to(text, SLICE("eyJhIjoxfQ=="));

	assert_true(slice_equal(got, SLICE("{\"a\":1}")));
	memcpy(text, "eyJhIjoxfQ==", sizeof(text));
	got = base64_decode_to(text, slice_of(text));
	assert_true(slice_equal(got, SLICE("{\"a\":1}")));
	assert_ptr_equal(got.data, text);
}

static void what_is_none(void **state)
{
	static const char *const rows[] = { "Zm 9v", "Zm9v\n", "Z=9v", "Zm9-", "Zm9\xff" };
	char out[16];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_null(base64_decode_to(out, slice_of(rows[i])).data);
	assert_null(base64_decode_to(NULL, SLICE("Zm9v")).data);
	assert_null(base64_decode_to(out, (struct slice){ "Z\0==", 4 }).data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_standard),
		cmocka_unit_test(in_its_own_memory),
		cmocka_unit_test(what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
