/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a long request takes the memory of a small one while its answer is awaited; what is not told is ended, what is no
 * call leaves nothing aside, and what is refused is told with the call.
 */
#include "call/aside.h"
#include "unit/call/world.h"

static struct given {
	uint64_t count, bytes, ended; /* texts, and the call whose are not needed */
	bool refuses;
} given;

static bool world_aside(void *user, const struct conn_info *conn, const struct call *call, struct slice text,
			struct aside_id *ret)
{
	assert_true(call->aside > 0);
	if (given.refuses)
		return false;
	memset(ret, (int)(given.count & 0xff), sizeof(*ret));
	given.count++;
	given.bytes += text.len;
	return true;
}

static void world_aside_end(void *user, uint64_t call)
{
	given.ended = call;
}

static void world_open_aside(void)
{
	static struct call_ops ops;
	const struct call_opts opts = { .alloc = &world.memory.alloc,
					.call_bytes_max = WORLD_CALL_BYTES,
					.lays_aside = true };

	ops = world_ops;
	ops.aside = world_aside;
	ops.aside_end = world_aside_end;
	world = (struct world){ .memory.alloc.resize = fail_alloc_resize };
	given = (struct given){ .refuses = given.refuses };
	assert_int_equal(call_tracker_new(&opts, &ops, &world, &world.tracker), 0);
}

static void big_request(struct call_conn *conn, size_t len)
{
	char words[10000];

	for (size_t i = 0; i < sizeof(words); i++)
		words[i] = "some words "[i % 11];
	tell_part(conn, 1, MESSAGE_REQUEST, PART_BYTES, SLICE("{\"text\":\""), 1);
	for (; len; len -= MIN(len, sizeof(words)))
		tell_part(conn, 1, MESSAGE_REQUEST, PART_BYTES, (struct slice){ words, MIN(len, sizeof(words)) }, 1);
	tell_part(conn, 1, MESSAGE_REQUEST, PART_BYTES, SLICE("\"}"), 1);
	tell_end(conn, 1, MESSAGE_REQUEST, len + 100, 2);
}

static struct call_conn *asked(const char *target, size_t len)
{
	struct call_conn *conn;

	world_open_aside();
	conn = world_connect(&world);
	tell_request(conn, 1, (struct ask){ .target = target }, 0);
	big_request(conn, len);
	return conn;
}

static void a_long_request_takes_little_and_is_told(void **state)
{
	struct call_conn *conn = asked("/fake", 5000000 / 8);
	size_t used = world.memory.used;

	assert_true(given.count > 0 && used < 32 << 10);
	assert_true(given.bytes > 5000000 / 8 - 2 * ASIDE_WORDS);
	tell_answer(conn, 1, "{\"fake\":1}", 5);
	call_conn_close(conn, CLOSE_LOCAL, 6 * MS);
	assert_int_equal(world.count, 1);
	assert_true(world.told[0].call.aside > 0 && world.told[0].call.is_complete);
	assert_non_null(strstr(world.told[0].request, "[spantap:text \\\""));
	assert_int_equal(given.ended, 0); /* who took the call says when */
	world_close(&world);
	assert_int_equal(given.ended, 0);
}

static void what_is_not_told_is_ended(void **state)
{
	struct call_conn *conn = asked("/fake", 600000);

	assert_true(given.count > 0);
	world_close(&world);
	assert_int_equal(given.ended, 1);
	assert_int_equal(world.count, 0);
	(void)conn;
}

static void what_is_no_call_leaves_nothing_aside(void **state)
{
	struct call_conn *conn = asked("/other", 600000);

	tell_answer(conn, 1, "<html>", 5);
	assert_int_equal(given.count, 0);
	world_close(&world);
}

static void a_refused_text_is_told_with_the_call(void **state)
{
	struct call_conn *conn;

	given.refuses = true;
	conn = asked("/fake", 600000);
	tell_answer(conn, 1, "{\"fake\":1}", 5);
	call_conn_close(conn, CLOSE_LOCAL, 6 * MS);
	assert_int_equal(given.count, 0);
	assert_true(world.told[0].call.is_complete);
	assert_int_equal(world.told[0].call.request_body.len, 600000 + 11);
	world_close(&world);
	given.refuses = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_request_takes_little_and_is_told),
		cmocka_unit_test(what_is_not_told_is_ended),
		cmocka_unit_test(what_is_no_call_leaves_nothing_aside),
		cmocka_unit_test(a_refused_text_is_told_with_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
