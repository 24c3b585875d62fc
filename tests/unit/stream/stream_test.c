/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: in whatever order chunks come, and whichever are missing or come twice, each offset is told exactly once, in
 * order, with its own byte or as a hole; the sum is the highest offset; a failed allocation loses nothing silently.
 */
#include "unit/stream/fixture.h"
#include <errno.h>

static void close_at(struct fixture *f, uint64_t read_end, uint64_t write_end)
{
	uint64_t end[_DIR_MAX] = { [DIR_READ] = read_end, [DIR_WRITE] = write_end };

	stream_close(f->table, 7, end, CLOSE_REMOTE, MISSING_FAULT, 1000);
}

static void chunks_in_any_order_come_out_in_order(void **state)
{
	static const size_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					     { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	for (size_t i = 0; i < 6; i++) {
		struct fixture f;

		fixture_begin(&f, 1 << 20, 10);
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(push(&f, DIR_READ, orders[i][j] * 10, 10, 1), 0);
		assert_int_equal(f.seen.bytes[DIR_READ], 30);
		assert_int_equal(f.seen.hole_count, 0);
		fixture_end(&f);
		assert_int_equal(f.seen.closed, 1);
		assert_int_equal(f.seen.how, CLOSE_UNKNOWN);
	}
}

static void whole_messages_that_nobody_wants_are_skipped(void **state)
{
	struct stream_chunk chunk = chunk_of(DIR_READ, 100, 10, 1);
	struct fixture f;

	chunk.reason = MISSING_POLICY;
	chunk.is_unwanted = true;
	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_READ, 0, 10, 1);
	stream_push(f.table, &chunk);
	assert_int_equal(f.seen.skipped, 90);
	assert_int_equal(f.seen.bytes[DIR_READ], 20);
	assert_int_equal(f.seen.hole_count, 0);
	fixture_end(&f);
}

/* Random cuts of both directions; shuffled, some dropped, some sent twice with other cuts, some as declared holes. */
static void bytes_and_holes_are_the_highest_offset(void **state)
{
	uint64_t seed = 42;

	for (int round = 0; round < 2000; round++) {
		struct stream_chunk chunks[CHUNKS_MAX];
		uint64_t highest[_DIR_MAX] = { 0 }, end[_DIR_MAX];
		size_t count = 0;
		struct fixture f;

		fixture_begin(&f, 200 + random_below(&seed, 4000), 10);
		f.memory.fail_at = round % 3 ? 0 : 5 + random_below(&seed, 40);
		while (count < CHUNKS_MAX) {
			enum direction dir = random_below(&seed, _DIR_MAX);
			uint64_t offset = random_below(&seed, 2000);
			size_t len = 1 + random_below(&seed, 300);

			chunks[count] = chunk_of(dir, offset, len, random_below(&seed, 500));
			if (random_below(&seed, 5) == 0)
				chunks[count] = (struct stream_chunk){
					.conn = 7, .dir = dir, .offset = offset, .hole_len = len
				};
			count++;
		}
		for (size_t i = 0; i < count; i++) {
			uint64_t stop = chunks[i].offset + MAX((uint64_t)chunks[i].data.len, chunks[i].hole_len);

			highest[chunks[i].dir] = MAX(highest[chunks[i].dir], stop);
			assert_int_equal(stream_push(f.table, &chunks[i]), 0);
			if (random_below(&seed, 10) == 0)
				stream_tick(f.table, random_below(&seed, 1000));
		}
		for (int dir = 0; dir < _DIR_MAX; dir++)
			end[dir] = highest[dir] += random_below(&seed, 100);
		stream_close(f.table, 7, end, CLOSE_LOCAL, MISSING_FAULT, 1000);
		for (int dir = 0; dir < _DIR_MAX; dir++)
			assert_int_equal(f.seen.bytes[dir] + f.seen.holes[dir], highest[dir]);
		assert_int_equal(f.seen.closed, 1);
		fixture_end(&f);
	}
}

static void what_was_told_is_not_told_again(void **state)
{
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_READ, 0, 20, 1);
	push(&f, DIR_READ, 5, 10, 2);
	push(&f, DIR_READ, 10, 20, 3);
	assert_int_equal(f.seen.bytes[DIR_READ], 30);
	fixture_end(&f);
}

static void a_gap_is_waited_for_and_then_a_hole(void **state)
{
	struct stream_chunk late = chunk_of(DIR_READ, 20, 10, 100);
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_READ, 0, 10, 1);
	late.reason = MISSING_FAULT;
	stream_push(f.table, &late);
	stream_tick(f.table, 300);
	assert_int_equal(f.seen.next[DIR_READ], 10);
	stream_tick(f.table, 301);
	assert_int_equal(f.seen.next[DIR_READ], 30);
	assert_int_equal(f.seen.holes[DIR_READ], 10);
	assert_int_equal(f.seen.reason, MISSING_FAULT);
	push(&f, DIR_READ, 10, 10, 400); /* too late: it is a hole by now */
	assert_int_equal(f.seen.bytes[DIR_READ], 20);
	fixture_end(&f);
}

/* A full ring alone does not say so. What is held behind another gap still waits. */
static void what_is_known_to_be_lost_is_not_waited_for(void **state)
{
	for (int is_policy = 0; is_policy < 2; is_policy++) {
		struct stream_chunk next = chunk_of(DIR_READ, 30, 10, 2);
		struct fixture f;

		next.reason = is_policy ? MISSING_POLICY : MISSING_RING_FULL;
		next.is_behind_loss = !is_policy;
		fixture_begin(&f, 1 << 20, 10);
		push(&f, DIR_READ, 0, 10, 1);
		push(&f, DIR_READ, 50, 10, 1);
		stream_push(f.table, &next);
		assert_int_equal(f.seen.next[DIR_READ], 40);
		assert_int_equal(f.seen.holes[DIR_READ], 20);
		assert_int_equal(f.seen.reason, next.reason);
		push(&f, DIR_READ, 40, 10, 3);
		assert_int_equal(f.seen.next[DIR_READ], 60);
		fixture_end(&f);
	}
}

static void the_reorder_budget_bounds_the_wait(void **state)
{
	struct fixture f;

	fixture_begin(&f, 1000, 10);
	for (size_t i = 1; i < 20; i++)
		push(&f, DIR_WRITE, i * 100, 100, 1);
	assert_true(f.memory.used < 16 << 10);
	assert_int_equal(f.seen.holes[DIR_WRITE], 100);
	assert_int_equal(f.seen.bytes[DIR_WRITE], 1900);
	fixture_end(&f);
}

static void a_declared_hole_keeps_its_reason_and_place(void **state)
{
	struct stream_chunk hole = {
		.conn = 7, .dir = DIR_READ, .offset = 10, .hole_len = 5, .reason = MISSING_BUDGET
	};
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_READ, 15, 5, 1);
	stream_push(f.table, &hole);
	push(&f, DIR_READ, 0, 10, 1);
	assert_int_equal(f.seen.next[DIR_READ], 20);
	assert_int_equal(f.seen.holes[DIR_READ], 5);
	assert_int_equal(f.seen.reason, MISSING_BUDGET);
	fixture_end(&f);
}

static void a_close_tells_what_never_came(void **state)
{
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_READ, 0, 10, 1);
	push(&f, DIR_WRITE, 30, 10, 1);
	close_at(&f, 15, 50);
	assert_int_equal(f.seen.holes[DIR_READ], 5);
	assert_int_equal(f.seen.holes[DIR_WRITE], 40);
	assert_int_equal(f.seen.bytes[DIR_WRITE], 10);
	assert_int_equal(f.seen.how, CLOSE_REMOTE);
	assert_int_equal(stream_count(f.table), 0);
	fixture_end(&f);
}

static void held_directions_are_told_in_the_order_of_time(void **state)
{
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_READ, 10, 10, 30);
	push(&f, DIR_WRITE, 10, 10, 20);
	push(&f, DIR_WRITE, 20, 10, 40);
	close_at(&f, 0, 0);
	assert_int_equal(f.seen.told, 3);
	assert_int_equal(f.seen.order[0], DIR_WRITE);
	assert_int_equal(f.seen.order[1], DIR_READ);
	assert_int_equal(f.seen.order[2], DIR_WRITE);
	fixture_end(&f);
}

static void on_answer_bytes(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t time_ns,
			    uint32_t thread, struct slice data)
{
	char *told = user;

	strncat(told, dir == DIR_READ ? "R" : "W", TEXT_MAX - 1);
	strncat(told, data.data, MIN(data.len, (size_t)8));
}

static void *on_answer_opened(void *user, const struct conn_info *conn)
{
	return user;
}

static void on_answer_closed(void *user, void *handle, enum close_how how, uint64_t time_ns)
{
}

/* The asking thread's chunk comes late; its time says that it was first. What really was first, or stays alone, is told. */
static void an_answer_waits_for_the_question_that_it_overtook(void **state)
{
	static const struct {
		uint64_t asked_ns; /* 0: never */
		uint64_t tick_ns;
		enum direction more_dir;
		const char *told;
	} rows[] = {
		{ 90, 0, DIR_READ, "WGET /x HRHTTP/1.1Rmore" },
		{ 110, 0, DIR_READ, "RHTTP/1.1WGET /x HRmore" },
		{ 0, 301, DIR_READ, "RHTTP/1.1Rmore" },
		{ 0, 299, DIR_READ, "RHTTP/1.1Rmore" },
		{ 0, 0, DIR_WRITE, "RHTTP/1.1Wmore" },
		{ 90, 301, DIR_WRITE, "RHTTP/1.1WGET /x HWmore" },
		{ 90, 299, DIR_WRITE, "WGET /x HRHTTP/1.1Wmore" },
	};
	static const struct stream_ops answer_ops = { .opened = on_answer_opened,
						      .bytes = on_answer_bytes,
						      .closed = on_answer_closed };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fail_alloc memory = FAIL_ALLOC(0);
		struct stream_opts opts = { &memory.alloc, 1000, 200, 8 };
		struct stream_chunk answer = {
			.conn = 1, .dir = DIR_READ, .time_ns = 100, .data = SLICE("HTTP/1.1 101")
		};
		struct stream_chunk ask = {
			.conn = 1, .dir = DIR_WRITE, .time_ns = rows[i].asked_ns, .data = SLICE("GET /x HTTP/1.1")
		};
		struct stream_chunk more = {
			.conn = 1, .dir = rows[i].more_dir, .time_ns = 400, .data = SLICE("more")
		};
		struct stream_table *table;
		char told[TEXT_MAX] = "";

		assert_int_equal(stream_table_new(&opts, &answer_ops, told, &table), 0);
		assert_int_equal(stream_push(table, &answer), 0);
		assert_string_equal(told, "");
		if (rows[i].tick_ns)
			stream_tick(table, rows[i].tick_ns);
		if (rows[i].asked_ns)
			assert_int_equal(stream_push(table, &ask), 0);
		more.offset = more.dir == DIR_READ ? answer.data.len : rows[i].asked_ns ? ask.data.len : 0;
		assert_int_equal(stream_push(table, &more), 0);
		assert_string_equal(told, rows[i].told);
		stream_table_free(table);
		assert_int_equal(memory.used, 0);
	}
}

static void a_straggler_of_a_closed_connection_is_not_told_twice(void **state)
{
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_READ, 0, 10, 1);
	close_at(&f, 30, 0);
	assert_int_equal(push(&f, DIR_READ, 10, 20, 2), 0);
	assert_int_equal(f.seen.opened, 1);
	push(&f, DIR_READ, 20, 30, 3); /* new bytes: the connection lives, from where it was left */
	assert_int_equal(f.seen.opened, 2);
	assert_int_equal(f.seen.bytes[DIR_READ] + f.seen.holes[DIR_READ], 50);
	fixture_end(&f);
}

static void an_unknown_connection_is_opened_late_and_learns_the_rest(void **state)
{
	struct conn_info info = {
		.id = 7, .process = { .pid = 12, .start_ns = 5 }, .kind = CAPTURE_PLAIN, .peer.evidence = PEER_BIO
	};
	struct peer weaker = { .evidence = PEER_NESTED }, stronger = { .evidence = PEER_SOCKET };
	struct fixture f;

	fixture_begin(&f, 1 << 20, 10);
	push(&f, DIR_READ, 0, 10, 1);
	assert_true(f.seen.info.is_late);
	assert_int_equal(stream_open(f.table, &info), 0);
	assert_int_equal(f.seen.opened, 1);
	assert_int_equal(f.seen.peers, 1);
	assert_int_equal(f.seen.info.process.pid, 12);
	stream_peer(f.table, 7, &weaker);
	assert_int_equal(f.seen.info.peer.evidence, PEER_BIO);
	stream_peer(f.table, 7, &stronger);
	assert_int_equal(f.seen.info.peer.evidence, PEER_SOCKET);
	stream_exit(f.table, (struct process_id){ .pid = 12, .start_ns = 6 }, 9);
	assert_int_equal(f.seen.closed, 0);
	stream_exit(f.table, info.process, 9);
	assert_int_equal(f.seen.how, CLOSE_UNKNOWN);
	assert_int_equal(f.seen.closed, 1);
	fixture_end(&f);
}

static void the_silent_one_makes_room(void **state)
{
	struct conn_info info = { 0 };
	struct fixture f;

	fixture_begin(&f, 1 << 20, 2);
	for (info.id = 1; info.id <= 2; info.id++)
		stream_open(f.table, &info);
	stream_push(f.table, &(struct stream_chunk){ .conn = 1, .dir = DIR_READ, .hole_len = 1 });
	info.id = 3;
	stream_open(f.table, &info);
	assert_int_equal(stream_count(f.table), 2);
	assert_int_equal(f.seen.closed, 1);
	stream_push(f.table, &(struct stream_chunk){ .conn = 1, .dir = DIR_WRITE, .hole_len = 1 });
	assert_int_equal(f.seen.opened, 3); /* 1 spoke last, so 2 was closed */
	fixture_end(&f);
	assert_int_equal(f.seen.closed, 3);
}

static void an_unwanted_connection_stays_silent(void **state)
{
	struct fixture f;

	fixture_begin(&f, 1 << 20, 2);
	f.seen.is_unwanted = true;
	push(&f, DIR_READ, 0, 10, 1);
	push(&f, DIR_READ, 20, 10, 1);
	close_at(&f, 100, 100);
	assert_int_equal(f.seen.opened, 1);
	assert_int_equal(f.seen.told + f.seen.hole_count + f.seen.closed, 0);
	fixture_end(&f);
}

static void impossible_chunks_are_refused(void **state)
{
	struct stream_chunk hole = { .conn = 7, .dir = DIR_READ, .offset = UINT64_MAX - 3, .hole_len = 5 };
	struct fixture f;

	fixture_begin(&f, 1 << 20, 2);
	assert_int_equal(stream_push(f.table, &hole), -EINVAL);
	hole = (struct stream_chunk){ .conn = 7, .dir = _DIR_MAX, .hole_len = 5 };
	assert_int_equal(stream_push(f.table, &hole), -EINVAL);
	assert_int_equal(f.seen.opened, 0);
	fixture_end(&f);
}

/* Each allocation fails once, then it and all after it: what was accepted still adds up. */
static void failing_memory_loses_nothing_silently(void **state)
{
	for (uint64_t nth = 1; nth < 80; nth++) {
		struct stream_table *table;
		struct fixture f = { .memory = FAIL_ALLOC(nth / 2) };
		struct stream_opts opts = { &f.memory.alloc, 4000, 200, 10 };
		uint64_t highest = 0;

		f.memory.is_sticky = nth % 2;
		if (stream_table_new(&opts, &ops, &f.seen, &table) < 0)
			continue;
		for (size_t i = 0; i < 40; i++) {
			size_t at = i * 11 % 40;
			struct stream_chunk chunk = chunk_of(DIR_READ, at * 10, 10, 1);

			if (stream_push(table, &chunk) == 0)
				highest = MAX(highest, (at + 1) * 10);
		}
		stream_table_free(table);
		assert_int_equal(f.seen.bytes[DIR_READ] + f.seen.holes[DIR_READ], highest);
		assert_int_equal(f.memory.used, 0);
	}
}

/* Each byte that came is told or counted as lost. */
static void bytes_that_nobody_takes_are_counted(void **state)
{
	struct fixture f;
	char text[30];

	for (int i = 0; i < 30; i++)
		text[i] = byte_at(DIR_READ, (uint64_t)i);
	struct stream_chunk first = { .conn = 1, .dir = DIR_READ, .data = { text, 10 }, .time_ns = 1 };
	struct stream_chunk last = {
		.conn = 1, .dir = DIR_READ, .offset = 20, .data = { text + 20, 10 }, .time_ns = 1
	};
	struct stream_chunk middle = { .conn = 1, .dir = DIR_READ, .offset = 10, .data = { text + 10, 10 } };

	fixture_begin(&f, 1 << 20, 10);
	assert_int_equal(stream_push(f.table, &first), 0);
	assert_int_equal(stream_push(f.table, &last), 0);
	stream_tick(f.table, 1000);
	assert_int_equal(f.seen.lost, 0);
	assert_int_equal(stream_push(f.table, &middle), 0);
	assert_int_equal(f.seen.lost, 10);
	assert_int_equal(f.seen.bytes[DIR_READ] + f.seen.lost, 30);
	stream_close(f.table, 1, (const uint64_t[]){ 30, 0 }, CLOSE_LOCAL, MISSING_RING_FULL, 1001);
	assert_int_equal(stream_push(f.table, &last), 0);
	assert_int_equal(f.seen.lost, 20);
	f.seen.is_unwanted = true;
	first.conn = 2;
	assert_int_equal(stream_push(f.table, &first), 0);
	assert_int_equal(f.seen.lost, 30);
	f.table = stream_table_free(f.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_in_any_order_come_out_in_order),
		cmocka_unit_test(whole_messages_that_nobody_wants_are_skipped),
		cmocka_unit_test(bytes_and_holes_are_the_highest_offset),
		cmocka_unit_test(what_was_told_is_not_told_again),
		cmocka_unit_test(a_gap_is_waited_for_and_then_a_hole),
		cmocka_unit_test(the_reorder_budget_bounds_the_wait),
		cmocka_unit_test(what_is_known_to_be_lost_is_not_waited_for),
		cmocka_unit_test(a_declared_hole_keeps_its_reason_and_place),
		cmocka_unit_test(a_close_tells_what_never_came),
		cmocka_unit_test(held_directions_are_told_in_the_order_of_time),
		cmocka_unit_test(an_answer_waits_for_the_question_that_it_overtook),
		cmocka_unit_test(a_straggler_of_a_closed_connection_is_not_told_twice),
		cmocka_unit_test(an_unknown_connection_is_opened_late_and_learns_the_rest),
		cmocka_unit_test(the_silent_one_makes_room),
		cmocka_unit_test(an_unwanted_connection_stays_silent),
		cmocka_unit_test(impossible_chunks_are_refused),
		cmocka_unit_test(failing_memory_loses_nothing_silently),
		cmocka_unit_test(bytes_that_nobody_takes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
