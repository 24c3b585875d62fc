/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: bytes of a connection whose socket is not known yet wait for it, but not for ever; and when it turns out to be
 * another connection's, they go on there where it had ended, and are told nowhere else.
 */
#include "unit/stream/fixture.h"

static struct conn_info pending_of(uint64_t id)
{
	return (struct conn_info){ .id = id, .process = { .pid = 12, .start_ns = 5 }, .is_pending = true };
}

static void a_pending_connection_waits_for_its_peer(void **state)
{
	struct conn_info info = pending_of(7);
	struct peer peer = { .evidence = PEER_CIPHERTEXT };
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	assert_int_equal(stream_open(f.table, &info), 0);
	push(&f, DIR_WRITE, 0, 10, 1);
	push(&f, DIR_WRITE, 10, 10, 2);
	stream_tick(f.table, 100);
	assert_int_equal(f.seen.opened, 0);
	stream_peer(f.table, 7, &peer);
	assert_int_equal(f.seen.opened, 1);
	assert_int_equal(f.seen.info.peer.evidence, PEER_CIPHERTEXT);
	assert_int_equal(f.seen.bytes[DIR_WRITE], 20);
	push(&f, DIR_WRITE, 20, 10, 3); /* nothing waits any more */
	assert_int_equal(f.seen.bytes[DIR_WRITE], 30);
	assert_int_equal(f.seen.opened, 1);
	fixture_end(&f);
}

/* By time, by its budget, or because it ends: it is told as what it is, a connection whose peer is not known. */
static void a_pending_connection_does_not_wait_for_ever(void **state)
{
	struct conn_info info = pending_of(7);
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	stream_open(f.table, &info);
	push(&f, DIR_WRITE, 0, 10, 1);
	stream_tick(f.table, 1000);
	assert_int_equal(f.seen.opened, 1);
	assert_int_equal(f.seen.bytes[DIR_WRITE], 10);
	assert_int_equal(f.seen.info.peer.evidence, PEER_UNKNOWN);
	fixture_end(&f);

	fixture_begin(&f, 1000, 10);
	stream_open(f.table, &info);
	push(&f, DIR_WRITE, 0, 500, 1);
	push(&f, DIR_WRITE, 500, 500, 1);
	assert_int_equal(f.seen.bytes[DIR_WRITE], 1000);
	fixture_end(&f);

	fixture_begin(&f, 1 << 20, 10);
	stream_open(f.table, &info);
	push(&f, DIR_WRITE, 0, 10, 1);
	stream_exit(f.table, info.process, 2);
	assert_true(f.seen.opened == 1 && f.seen.closed == 1 && f.seen.bytes[DIR_WRITE] == 10);
	fixture_end(&f);
}

static void joined(struct fixture *f, const struct conn_join *join)
{
	struct conn_info info = pending_of(9);

	assert_int_equal(stream_open(f->table, &info), 0);
	for (uint64_t at = 0; at < 30; at += 10) {
		struct stream_chunk chunk = chunk_of(DIR_WRITE, 40 + at, 10, 2);

		chunk.conn = 9;
		chunk.offset = at;
		assert_int_equal(stream_push(f->table, &chunk), 0);
	}
	stream_join(f->table, join);
}

static void what_is_joined_goes_on_where_the_other_ended(void **state)
{
	const struct conn_join join = { .conn = 9, .into = 7, .dir = DIR_WRITE, .offset = 40, .time_ns = 3 };
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_WRITE, 0, 40, 1);
	push(&f, DIR_READ, 0, 5, 1);
	joined(&f, &join);
	assert_int_equal(f.seen.bytes[DIR_WRITE], 70);
	assert_int_equal(f.seen.hole_count, 0);
	push(&f, DIR_WRITE, 70, 10, 4);
	assert_int_equal(f.seen.bytes[DIR_WRITE], 80);
	assert_true(f.seen.opened == 1 && f.seen.closed == 0 && stream_count(f.table) == 1);
	fixture_end(&f);
	assert_int_equal(f.seen.lost, 0);
}

static void a_loss_before_what_is_joined_is_a_hole_at_once(void **state)
{
	const struct conn_join join = { .conn = 9,
					.into = 7,
					.dir = DIR_WRITE,
					.offset = 40,
					.reason = MISSING_FAULT,
					.is_behind_loss = true,
					.time_ns = 3 };
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_WRITE, 0, 30, 1);
	joined(&f, &join);
	assert_true(f.seen.bytes[DIR_WRITE] == 60 && f.seen.holes[DIR_WRITE] == 10 && f.seen.reason == MISSING_FAULT);
	fixture_end(&f);
}

/* What was told already of another connection is not told again, and is a hole where it belongs. */
static void a_join_that_comes_too_late_ends_what_was_told(void **state)
{
	const struct conn_join join = { .conn = 7, .into = 8, .dir = DIR_WRITE, .offset = 0, .time_ns = 3 };
	struct conn_info info = pending_of(7);
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	stream_open(f.table, &info);
	push(&f, DIR_WRITE, 0, 10, 1);
	stream_tick(f.table, 1000);
	stream_join(f.table, &join);
	assert_true(f.seen.opened == 1 && f.seen.closed == 1 && f.seen.bytes[DIR_WRITE] == 10);
	assert_int_equal(stream_count(f.table), 0);
	stream_join(f.table, &join); /* of nothing */
	fixture_end(&f);
}

static void count_bytes(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t time_ns,
			uint32_t thread, struct slice data)
{
	((struct seen *)user)->bytes[dir] += data.len;
}

static void count_hole(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len,
		       enum missing_reason reason, uint64_t time_ns)
{
	((struct seen *)user)->holes[dir] += len;
}

static void failing_memory_loses_nothing_of_a_join(void **state)
{
	static const struct stream_ops counting = {
		.opened = on_opened, .bytes = count_bytes, .hole = count_hole, .closed = on_closed, .lost = on_lost
	};
	const struct conn_join join = { .conn = 9, .into = 7, .dir = DIR_WRITE, .offset = 40, .time_ns = 3 };

	for (unsigned nth = 1; nth < 24; nth++) {
		struct fixture f = { .memory = FAIL_ALLOC(nth / 2) };
		struct stream_opts opts = { &f.memory.alloc, 1 << 20, 200, 10 };
		struct conn_info info = pending_of(9);
		uint64_t refused = 0;

		f.memory.is_sticky = nth % 2;
		if (stream_table_new(&opts, &counting, &f.seen, &f.table) < 0)
			continue;
		stream_open(f.table, &info);
		for (uint64_t i = 0; i < 4; i++) {
			struct stream_chunk chunk = chunk_of(DIR_WRITE, i * 10, 10, 1);

			chunk.conn = i < 3 ? 9 : 7;
			chunk.offset = i < 3 ? i * 10 : 30;
			refused += stream_push(f.table, &chunk) < 0 ? 10 : 0;
		}
		stream_join(f.table, &join);
		stream_table_free(f.table);
		assert_int_equal(f.seen.bytes[DIR_WRITE] + f.seen.lost + refused, 40);
		assert_int_equal(f.memory.used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pending_connection_waits_for_its_peer),
		cmocka_unit_test(a_pending_connection_does_not_wait_for_ever),
		cmocka_unit_test(what_is_joined_goes_on_where_the_other_ended),
		cmocka_unit_test(a_loss_before_what_is_joined_is_a_hole_at_once),
		cmocka_unit_test(a_join_that_comes_too_late_ends_what_was_told),
		cmocka_unit_test(failing_memory_loses_nothing_of_a_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
