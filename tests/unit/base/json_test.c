/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: the checker accepts JSON and nothing else, readers stay inside their slice, writers write what is read. */
#include "../support.h"
#include "base/json.h"
#include <errno.h>

static struct alloc_heap heap = ALLOC_HEAP(64 << 20);

static const struct {
	const char *text;
	int verdict;
} grammar[] = {
	{ "{}", 0 },
	{ " [ ] ", 0 },
	{ "{\"a\":1,\"b\":[true,false,null]}", 0 },
	{ "\"x\\u00e9\\n\"", 0 },
	{ "-0.5e+10", 0 },
	{ "0", 0 },
	{ "", -EBADMSG },
	{ "{", -EBADMSG },
	{ "[1,]", -EBADMSG },
	{ "{\"a\"}", -EBADMSG },
	{ "{\"a\":1,}", -EBADMSG },
	{ "[1 2]", -EBADMSG },
	{ "01", -EBADMSG },
	{ "1.", -EBADMSG },
	{ "+1", -EBADMSG },
	{ "nul", -EBADMSG },
	{ "\"a", -EBADMSG },
	{ "\"\\x\"", -EBADMSG },
	{ "\"\\u12g4\"", -EBADMSG },
	{ "\"a\nb\"", -EBADMSG },
	{ "[]]", -EBADMSG },
	{ "[}", -EBADMSG },
	{ "{} {}", -EBADMSG },
	{ "[[[]]]", -E2BIG },
};

static void the_grammar_is_exact(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(grammar); i++) {
		struct guard guard = guard_new(slice_of(grammar[i].text));
		int r = json_check(guard.text, 2);

		if (r != grammar[i].verdict)
			fail_msg("%s: %d, not %d", grammar[i].text, r, grammar[i].verdict);
		guard_free(&guard);
	}
}

static void every_prefix_of_a_text_is_no_text(void **state)
{
	static const char text[] = "{\"model\":\"m\",\"n\":[1,-2.5e3,{\"t\":true}],\"s\":\"a\\\"\\u12ab\"}";

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct guard guard = guard_new((struct slice){ text, len });

		assert_int_equal(json_check(guard.text, 10), -EBADMSG);
		guard_free(&guard);
	}
	assert_int_equal(json_check(SLICE(text), 10), 0);
}

/* Walks everything there is; what it finds does not matter, only that it stays inside. */
static size_t walk(struct slice value, unsigned depth)
{
	size_t n = 1;

	if (depth > 20)
		return n;
	json_foreach_member(member, value) {
		n += member.name.len + walk(member.value, depth + 1);
		assert_true(member.value.data >= value.data &&
			    member.value.data + member.value.len <= value.data + value.len);
	}
	return n;
}

static void readers_stay_inside_whatever_the_text_is(void **state)
{
	static const char text[] =
		"{\"a\":{\"b\":[1,2,{\"c\":\"x\\\\\\\"y\"}],\"d\":null},\"e\":\"\\ud83d\\ude00\",\"f\":-1}";
	uint64_t random = 42;

	for (int round = 0; round < 20000; round++) {
		char copy[sizeof(text)];
		size_t len = random_next(&random) % sizeof(text);
		struct guard guard;
		struct arena *arena = arena_new(&heap.alloc, 1 << 16);

		memcpy(copy, text, sizeof(text));
		for (int flips = 0; flips < 3 && len; flips++)
			copy[random_next(&random) % len] = "\"\\{}[],:u0a "[random_next(&random) % 12];
		guard = guard_new((struct slice){ copy, len });
		walk(guard.text, 0);
		json_check(guard.text, 5);
		json_text(arena, guard.text);
		json_path(guard.text, "a", "b", "#2", "c", NULL);
		arena_free(arena);
		guard_free(&guard);
	}
	assert_int_equal(heap.used, 0);
}

static void members_are_found_by_exact_name(void **state)
{
	struct slice body = SLICE(
		" { \"Model\":\"no\", \"model\" : \"yes\" , \"n\":null, \"list\":[10,{\"x\":7}], \"d\":1,\"d\":2 } ");
	int64_t number;

	assert_true(json_text_is(json_get(body, SLICE("model")), SLICE("yes")));
	assert_null(json_get(body, SLICE("n")).data);
	assert_null(json_get(body, SLICE("none")).data);
	assert_int_equal(json_int(json_path(body, "list", "#1", "x", NULL), &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(json_int(json_get(body, SLICE("d")), &number), 0);
	assert_int_equal(number, 2);
	assert_int_equal(json_count(json_get(body, SLICE("list"))), 2);
}

static void integers_are_exact_and_tolerant(void **state)
{
	int64_t n = -7;

	assert_int_equal(json_int(SLICE("9007199254740993"), &n), 0);
	assert_true(n == 9007199254740993);
	assert_int_equal(json_int(SLICE("28.0"), &n), 0);
	assert_int_equal(n, 28);
	assert_int_equal(json_int(SLICE("\"12\""), &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(json_int(SLICE("1.5"), &n), -EINVAL);
	assert_int_equal(json_int(SLICE("\"abc\""), &n), -EINVAL);
	assert_int_equal(json_int(SLICE_NONE, &n), -EINVAL);
	assert_int_equal(n, 12);
}

static void text_is_unescaped_and_what_is_broken_is_replaced(void **state)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
		{ "\"plain\"", "plain" },
		{ "\"a\\n\\t\\\"\\\\\\/b\"", "a\n\t\"\\/b" },
		{ "\"\\u00e9\\ud83d\\ude00\"", "\xc3\xa9\xf0\x9f\x98\x80" },
		{ "\"\\ud83dx\"", "\xef\xbf\xbdx" },
		{ "\"\\ude00\"", "\xef\xbf\xbd" },
		{ "\"\\q\\q\\q\\q\"", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	struct arena *arena = arena_new(&heap.alloc, 1 << 16);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slice text = json_text(arena, slice_of(cases[i].raw));

		assert_int_equal(text.len, strlen(cases[i].text));
		assert_memory_equal(text.data, cases[i].text, text.len);
	}
	assert_null(json_text(arena, SLICE("12")).data);
	arena_free(arena);
}

static void a_piece_of_a_text_ends_between_escapes(void **state)
{
	static const struct {
		const char *raw;
		size_t whole;
	} cases[] = {
		{ "", 0 },
		{ "no escapes here", 15 },
		{ "0123\\n", 4 }, /* its other half may be missing, as far as can be told */
		{ "\\n0123456789", 12 },
		{ "\\ud83d\\ude00", 12 },
		{ "x\\ud83d\\ude0", 1 },
		{ "\\\\0123456789", 12 },
		{ "\\\\\\\\\\\\\\\\\\\\\\\\\\", 2 },
		{ "\\ud83d\\ude00\\ud83d", 12 },
		{ "\\u00e9\\u00e9\\u00e9", 12 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(json_raw_whole(slice_of(cases[i].raw)), cases[i].whole);
}

static void cleaning_mends_and_changes_nothing_else(void **state)
{
	static const struct {
		const char *dirty, *clean;
	} cases[] = {
		{ "{\"a\":\"x\\u0000y\"}", "{\"a\":\"xy\"}" },
		{ "{\"a\":\"\\ud800\"}", "{\"a\":\"\xef\xbf\xbd\"}" },
		{ "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\ud83d\\ude00\"}" },
		{ "{\"a\":\"\xff\xc3\xa9\"}", "{\"a\":\"\xef\xbf\xbd\xc3\xa9\"}" },
		{ "{ \"a\" : 1.50 }", "{ \"a\" : 1.50 }" },
		{ "{\"a\":\"\\\\u0000\"}", "{\"a\":\"\\\\u0000\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf out = BUF(&heap.alloc, 1 << 16);

		struct slice dirty = slice_of(cases[i].dirty), clean;
		bool is_clean = strcmp(cases[i].dirty, cases[i].clean) == 0;

		buf_put(&out, SLICE("before"));
		clean = json_clean(&out, dirty);
		assert_true(slice_equal(clean, slice_of(cases[i].clean)));
		assert_true((clean.data == dirty.data) == is_clean);
		assert_int_equal(out.len, 6 + (is_clean ? 0 : clean.len));
		buf_free(&out);
	}
}

static void what_is_written_is_read_back(void **state)
{
	struct buf out = BUF(&heap.alloc, 1 << 16);
	struct arena *arena = arena_new(&heap.alloc, 1 << 16);
	struct slice odd = SLICE("q\"b\\n\nt\tc\x01u\xc3\xa9");
	double number;

	json_open(&out, '{');
	json_member_text(&out, SLICE("odd"), odd);
	json_member_int(&out, SLICE("int"), -5);
	json_put_name(&out, SLICE("list"));
	json_open(&out, '[');
	json_put_double(&out, 0.1);
	json_put_double(&out, 3);
	json_put_bool(&out, true);
	json_put_null(&out);
	json_close(&out, ']');
	json_member_text(&out, SLICE("absent"), SLICE_NONE);
	json_foreach_member(member, SLICE("{\"a\\u0022\":7}")) {
		json_put_raw_name(&out, member.name);
		json_put_raw(&out, member.value);
	}
	json_close(&out, '}');
	assert_false(out.failed);
	assert_true(slice_ends(buf_slice(&out), SLICE("],\"a\\u0022\":7}")));
	assert_int_equal(json_check(buf_slice(&out), 5), 0);
	assert_true(slice_equal(json_text(arena, json_get(buf_slice(&out), SLICE("odd"))), odd));
	assert_int_equal(json_double(json_path(buf_slice(&out), "list", "#0", NULL), &number), 0);
	assert_true(number == 0.1);
	assert_true(slice_equal(json_path(buf_slice(&out), "list", "#1", NULL), SLICE("3.0")));
	assert_null(json_get(buf_slice(&out), SLICE("absent")).data);
	arena_free(arena);
	buf_free(&out);
	assert_int_equal(heap.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grammar_is_exact),
		cmocka_unit_test(every_prefix_of_a_text_is_no_text),
		cmocka_unit_test(readers_stay_inside_whatever_the_text_is),
		cmocka_unit_test(members_are_found_by_exact_name),
		cmocka_unit_test(integers_are_exact_and_tolerant),
		cmocka_unit_test(text_is_unescaped_and_what_is_broken_is_replaced),
		cmocka_unit_test(a_piece_of_a_text_ends_between_escapes),
		cmocka_unit_test(cleaning_mends_and_changes_nothing_else),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
