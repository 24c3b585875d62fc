/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: caps hold to the byte, refusals are counted and harmless, everything taken is given back. */
#include "../support.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

static void a_heap_never_exceeds_its_cap(void **state)
{
	struct alloc_heap outer = ALLOC_HEAP(1000), inner = ALLOC_HEAP_IN(&outer.alloc, 600);
	void *a = alloc_get(&inner.alloc, 500), *b;

	assert_non_null(a);
	assert_null(alloc_get(&inner.alloc, 101));
	assert_int_equal(inner.refused, 1);
	b = alloc_get(&outer.alloc, 500);
	assert_non_null(b);
	assert_null(alloc_get(&inner.alloc, 1));
	alloc_put(&outer.alloc, b, 500);
	alloc_put(&inner.alloc, a, 500);
	assert_int_equal(outer.used, 0);
	assert_int_equal(inner.used, 0);
	assert_int_equal(outer.peak, 1000);
}

static void an_arena_gives_zeroed_memory_until_its_cap(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct arena *arena = arena_new(&heap.alloc, 10000);
	size_t total = 0;
	char *got;

	while ((got = arena_alloc(arena, 100))) {
		for (int i = 0; i < 100; i++)
			assert_int_equal(got[i], 0);
		memset(got, 0xff, 100);
		total += 100;
	}
	assert_true(total > 7000 && total <= 10000);
	assert_true(arena_used(arena) <= 10000);
	arena_reset(arena);
	got = arena_alloc(arena, 100);
	assert_non_null(got);
	assert_int_equal(got[99], 0);
	assert_null(arena_alloc(arena, SIZE_MAX - 4));
	arena_free(arena);
	assert_int_equal(heap.used, 0);
}

static void an_arena_survives_every_refused_block(void **state)
{
	for (uint64_t nth = 1; nth < 12; nth++) {
		struct fail_alloc fail = FAIL_ALLOC(nth);
		struct arena *arena = arena_new(&fail.alloc, 1 << 20);

		for (int i = 0; arena && i < 200; i++)
			arena_dup(arena, SLICE("some text that takes room"));
		arena_free(arena);
		assert_int_equal(fail.used, 0);
	}
}

static void a_buf_is_whole_or_says_that_it_is_not(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct buf buf = BUF(&heap.alloc, 10);

	buf_put(&buf, SLICE("12345"));
	buf_put(&buf, SLICE("67890"));
	assert_false(buf.failed);
	buf_put_char(&buf, 'x');
	assert_true(buf.failed);
	assert_int_equal(buf.len, 10);
	buf_consume(&buf, 4);
	assert_true(slice_equal(buf_slice(&buf), SLICE("567890")));
	buf_reset(&buf);
	buf_printf(&buf, "%d", 42);
	assert_true(slice_equal(buf_slice(&buf), SLICE("42")));
	buf_free(&buf);
	assert_int_equal(heap.used, 0);
}

static void utf8_takes_what_is_well_formed_only(void **state)
{
	char out[4];

	for (uint32_t code = 0; code < 0x110000; code++) {
		size_t len;

		if (code >= 0xd800 && code < 0xe000)
			continue;
		len = utf8_encode(code, out);
		assert_int_equal(utf8_length((struct slice){ out, len }), len);
		if (len > 1)
			assert_int_equal(utf8_length((struct slice){ out, len - 1 }), 0);
	}
	assert_int_equal(utf8_length(SLICE("\xc0\x80")), 0);
	assert_int_equal(utf8_length(SLICE("\xed\xa0\x80")), 0);
	assert_int_equal(utf8_length(SLICE("\xf4\x90\x80\x80")), 0);
	assert_int_equal(utf8_head(SLICE("a\xc3\xa9z"), 2).len, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_heap_never_exceeds_its_cap),
		cmocka_unit_test(an_arena_gives_zeroed_memory_until_its_cap),
		cmocka_unit_test(an_arena_survives_every_refused_block),
		cmocka_unit_test(a_buf_is_whole_or_says_that_it_is_not),
		cmocka_unit_test(utf8_takes_what_is_well_formed_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
