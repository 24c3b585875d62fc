/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: texts, lists, members and items come out as they went in; a null is no word against one; memory that ends at
 * any allocation is told, and what is written then is still JSON.
 */
#include "dialect/gather.h"
#include "unit/dialect/talk.h"

struct thing {
	struct thing *next;
	int64_t index;
};

struct things {
	struct thing *first, *last, *recent;
	size_t count;
};

enum { THINGS_MAX = 3 };

static struct slice written(struct call *call, const struct pieces *text, const struct pieces *list,
			    const struct members *members)
{
	struct out out;

	out_init(&out, call->arena, 16);
	json_open(&out.buf, '{');
	pieces_member_text(&out.buf, SLICE("text"), text);
	pieces_member_list(&out.buf, SLICE("list"), list);
	members_put(&out.buf, members);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static void what_goes_in_comes_out(void **state)
{
	struct call call = { .arena = arena_new(&talk_heap.alloc, 1 << 16) };
	struct pieces text = { 0 }, list = { 0 };
	struct members members = { 0 };

	assert_true(text_gather(&call, &text, SLICE("\"a\\\"\"")));
	assert_false(text_gather(&call, &text, SLICE("\"\"")));
	assert_false(text_gather(&call, &text, SLICE("7")));
	assert_true(text_gather(&call, &text, SLICE("\"b\"")));
	elements_gather(&call, &list, SLICE("1,2"));
	elements_gather(&call, &list, SLICE("{}"));
	members_gather(&call, &members, SLICE("{\"m\\u0022\":1,\"n\":null,\"o\":2}"));
	members_gather(&call, &members, SLICE("{\"o\":null,\"m\\u0022\":[3]}"));
	members_gather(&call, &members, SLICE("[4]"));
	assert_slice(written(&call, &text, &list, &members),
		     "{\"text\":\"a\\\"b\",\"list\":[1,2,{}],\"m\\u0022\":[3],\"n\":null,\"o\":2}");
	assert_slice(pieces_listed(call.arena, &list), "[1,2,{}]");
	assert_int_equal(members_size(&members), 9 + 8 + 3 * 4);
	assert_false(call.is_undecodable);
	arena_free(call.arena);
}

static void items_are_found_again_and_bounded(void **state)
{
	struct call call = { .arena = arena_new(&talk_heap.alloc, 1 << 16) };
	struct things things = { 0 };
	struct thing *second = ITEM_GATHER(&call, &things, 2, THINGS_MAX),
		     *first = ITEM_GATHER(&call, &things, 1, THINGS_MAX);

	assert_non_null(ITEM_GATHER(&call, &things, -5, THINGS_MAX));
	assert_ptr_equal(ITEM_GATHER(&call, &things, 1, THINGS_MAX), first);
	assert_ptr_equal(ITEM_GATHER(&call, &things, 2, THINGS_MAX), second);
	assert_ptr_equal(things.first, second);
	assert_int_equal(things.last->index, -5);
	assert_false(call.is_undecodable);
	assert_null(ITEM_GATHER(&call, &things, 4, THINGS_MAX));
	assert_true(call.is_undecodable);
	assert_int_equal(things.count, THINGS_MAX);
	arena_free(call.arena);
}

static void members_are_bounded(void **state)
{
	struct call call = { .arena = arena_new(&talk_heap.alloc, 1 << 16) };
	struct members members = { 0 };

	for (int i = 0; i < MEMBERS_MAX; i++)
		member_gather(&call, &members, arena_printf(call.arena, "m%d", i), SLICE("1"));
	assert_false(call.is_undecodable);
	member_gather(&call, &members, SLICE("m0"), SLICE("2"));
	assert_false(call.is_undecodable);
	member_gather(&call, &members, SLICE("more"), SLICE("1"));
	assert_true(call.is_undecodable);
	assert_slice(members.items[0].value, "2");
	arena_free(call.arena);
}

static void lost_memory_is_told_and_leaves_json(void **state)
{
	int wholes = 0, losses = 0;

	for (size_t budget = 200; budget < 9000; budget += 13) {
		struct alloc_heap heap = ALLOC_HEAP(budget);
		struct call call = { .arena = arena_new(&heap.alloc, 1 << 16) };
		struct call writer = { .arena = arena_new(&talk_heap.alloc, 1 << 16) };
		struct pieces text = { 0 }, list = { 0 };
		struct members members = { 0 };
		struct things things = { 0 };
		struct slice json;
		bool is_whole;

		for (int i = 0; call.arena && i < 20; i++) {
			text_gather(&call, &text, SLICE("\"0123456789\""));
			elements_gather(&call, &list, SLICE("\"0123456789\""));
			member_gather(&call, &members, arena_printf(writer.arena, "m%d", i), SLICE("\"value\""));
			(void)ITEM_GATHER(&call, &things, i, 20);
		}
		json = written(&writer, &text, &list, &members);
		assert_int_equal(json_check(json, 3), 0);
		is_whole = text.len == 200 && json_count(json_get(json, SLICE("list"))) == 20 && members.count == 20 &&
			   things.count == 20;
		assert_true(!call.arena || is_whole != call.is_undecodable);
		wholes += call.arena && is_whole;
		losses += call.arena && !is_whole;
		if (call.arena)
			arena_free(call.arena);
		arena_free(writer.arena);
		assert_int_equal(heap.used, 0);
	}
	assert_true(wholes > 0 && losses > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(items_are_found_again_and_bounded),
		cmocka_unit_test(members_are_bounded),
		cmocka_unit_test(lost_memory_is_told_and_leaves_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
