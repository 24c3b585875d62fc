/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: where there are filters, nothing of a process leaves before it is told to be wanted, nothing of one that is
 * wanted is lost by that, and what was said of one program is not said of the next. Without filters nobody waits.
 */
#include "bpf/abi.h"
#include "daemon/link.h"
#include "daemon/pipeline.h"
#include "unit/daemon/exchange.h"
#include "unit/support.h"
#include <errno.h>

#define S 1000000000ull

static const struct process_id process = { .pid = 7, .start_ns = 70 * S }, other = { .pid = 8, .start_ns = 80 * S };

static struct world {
	struct pipeline *pipeline;
	struct process_id asked;
	int asks, refuses;
	int records, denied;
	uint64_t sequence; /* of the last record */
} world;

static int on_record(void *user, const struct record *record)
{
	assert_true(record->body.len > 0);
	if (world.records++)
		assert_true(record->sequence > world.sequence);
	world.sequence = record->sequence;
	return 0;
}

static int on_who(void *user, const struct conn_info *conn)
{
	world.asks++;
	world.asked = conn->process;
	assert_int_equal(conn->parent_pid, 6);
	assert_string_equal(conn->comm, "agent");
	return world.refuses-- > 0 ? -EAGAIN : 0;
}

static void on_verdict(void *user, uint64_t conn, const struct event_verdict *verdict)
{
	world.denied += verdict->value == VERDICT_DENY;
}

static void begin(bool has_filters, uint64_t memory_max)
{
	static const struct pipeline_ops ops = { .record = on_record, .who = on_who, .verdict = on_verdict };
	static const struct event_file_head ids = { 0 };
	static const uint8_t secret[32];

	world = (struct world){ 0 };
	assert_int_equal(pipeline_new(&(struct pipeline_opts){ .ids = &ids,
							       .memory_max = memory_max,
							       .secret = secret,
							       .wants_mlflow = true,
							       .has_filters = has_filters },
				      &ops, NULL, &world.pipeline),
			 0);
}

static struct pipeline_stats stats(void)
{
	struct pipeline_stats ret;

	pipeline_stats(world.pipeline, &ret);
	return ret;
}

static void take(uint64_t conn, struct abi_head *head, enum abi_type type, size_t size, uint64_t time_ns)
{
	head->type = type;
	head->size = (uint32_t)size;
	head->conn = conn;
	head->time_ns = time_ns;
	pipeline_take(world.pipeline, (struct slice){ (const char *)head, size });
}

static void opened(uint64_t conn, struct process_id of)
{
	struct abi_open open = {
		.tgid = of.pid, .program = of.program, .start_ns = of.start_ns, .parent = 6, .comm = "agent"
	};

	take(conn, &open.head, ABI_OPEN, sizeof(open), 1 * S);
}

static void moved(uint64_t conn, enum abi_dir dir, struct slice data, uint64_t offset, uint64_t time_ns)
{
	union {
		struct abi_chunk chunk;
		char bytes[1024];
	} record = { .chunk = { .dir = dir, .len = (uint32_t)data.len, .offset = offset } };

	memcpy(record.chunk.data, data.data, data.len);
	take(conn, &record.chunk.head, ABI_CHUNK, sizeof(record.chunk) + data.len, time_ns);
}

/* The @n-th call of a connection. */
static void called(uint64_t conn, uint64_t n)
{
	moved(conn, ABI_DIR_WRITE, ask, n * ask.len, (2 * n + 1) * S);
	moved(conn, ABI_DIR_READ, answer, n * answer.len, (2 * n + 2) * S);
}

static void told(struct process_id of, bool selected)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct buf packed = BUF(&heap.alloc, LINK_BYTES_MAX);
	/* As procfs knows it. */
	const struct origin origin = { .id = { of.pid, of.program, of.start_ns / 10000000 * 10000000 },
				       .comm = SLICE("agent"),
				       .selected = selected };

	origin_pack(&origin, &packed);
	pipeline_origin(world.pipeline, buf_slice(&packed));
	buf_free(&packed);
}

static void end(void)
{
	pipeline_flush(world.pipeline, 100 * S);
	world.pipeline = pipeline_free(world.pipeline);
}

static void without_filters_nobody_waits(void **state)
{
	begin(false, 64 << 20);
	opened(1, process);
	called(1, 0);
	assert_int_equal(world.records, 1);
	assert_int_equal(world.asks, 1);
	assert_false(stats().asks);
	end();
}

static void nothing_leaves_before_the_answer_and_nothing_is_lost_by_waiting(void **state)
{
	begin(true, 64 << 20);
	opened(1, process);
	opened(2, process);
	called(1, 0);
	called(2, 0);
	called(1, 1);
	pipeline_tick(world.pipeline, 5 * S);
	assert_int_equal(world.records, 0);
	assert_int_equal(stats().calls, 0);
	assert_true(stats().asks);
	assert_int_equal(world.asks, 1);
	assert_memory_equal(&world.asked, &process, sizeof(process));
	told(process, true);
	assert_int_equal(world.records, 3);
	assert_int_equal(stats().complete, 3);
	assert_false(stats().asks);
	called(2, 1);
	assert_int_equal(world.records, 4);
	assert_int_equal(stats().calls, 4);
	assert_int_equal(world.denied, 0);
	end();
}

static void what_is_not_wanted_never_leaves(void **state)
{
	begin(true, 64 << 20);
	opened(1, process);
	opened(2, other);
	called(1, 0);
	called(2, 0);
	told(process, false);
	assert_int_equal(world.denied, 1);
	called(1, 1);
	opened(3, process);
	assert_int_equal(world.denied, 2);
	called(3, 0);
	told(other, true);
	pipeline_flush(world.pipeline, 100 * S);
	assert_int_equal(world.records, 1);
	assert_int_equal(stats().calls, 1);
	assert_int_equal(stats().shed_records, 0);
	end();
}

/* A failed attempt is held back for its repetition: the answer may come meanwhile. */
static void an_attempt_that_was_held_back_is_looked_at_again(void **state)
{
	static const struct slice busy = SLICE("HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\n{}");

	begin(true, 64 << 20);
	opened(1, process);
	moved(1, ABI_DIR_WRITE, ask, 0, 1 * S);
	moved(1, ABI_DIR_READ, busy, 0, 2 * S);
	told(process, false);
	pipeline_flush(world.pipeline, 100 * S);
	assert_int_equal(world.records, 0);
	end();
}

static void who_is_too_busy_is_asked_again(void **state)
{
	begin(true, 64 << 20);
	world.refuses = 3;
	opened(1, process);
	for (uint64_t i = 0; i < 5; i++)
		pipeline_tick(world.pipeline, 1 * S + i);
	assert_int_equal(world.asks, 4);
	end();
}

static void what_was_said_of_one_program_is_not_said_of_the_next(void **state)
{
	const struct process_id next = { .pid = 7, .program = 1, .start_ns = process.start_ns };

	for (int first = 0; first < 2; first++) {
		begin(true, 64 << 20);
		opened(1, process);
		told(process, first);
		opened(2, next);
		called(2, 0);
		assert_int_equal(world.records, 0);
		assert_int_equal(world.denied, !first);
		assert_int_equal(world.asks, 2);
		assert_int_equal(world.asked.program, 1);
		told(next, !first);
		assert_int_equal(world.records, !first);
		end();
	}
}

static void a_number_that_is_used_again_is_another_process(void **state)
{
	const struct process_id next = { .pid = 7, .start_ns = process.start_ns + 3 * S };

	begin(true, 64 << 20);
	told(process, true);
	opened(1, next);
	called(1, 0);
	assert_int_equal(world.records, 0);
	assert_int_equal(world.asks, 1);
	told(next, true);
	assert_int_equal(world.records, 1);
	end();
}

/* The ring had no room for the news. */
static void whose_a_connection_is_may_be_told_late_or_never(void **state)
{
	begin(true, 64 << 20);
	called(1, 0);
	called(2, 0);
	assert_int_equal(world.asks, 0);
	opened(2, process);
	called(2, 1);
	told(process, true);
	pipeline_flush(world.pipeline, 100 * S);
	assert_int_equal(world.records, 1);
	end();
}

static void without_an_answer_nothing_leaves_and_that_is_told(void **state)
{
	begin(true, 64 << 20);
	opened(1, process);
	called(1, 0);
	called(1, 1);
	pipeline_flush(world.pipeline, 100 * S);
	assert_int_equal(world.records, 0);
	assert_int_equal(stats().shed_records, 2);
	assert_int_equal(stats().calls, 0);
	end();
}

/* They take a part of the memory, and what is beyond it is counted. */
static void what_waits_is_bounded(void **state)
{
	begin(true, 4 << 20);
	opened(1, process);
	for (uint64_t n = 0; n < 5000; n++)
		called(1, n);
	assert_true(stats().shed_records > 0);
	assert_true(stats().memory_bytes < 3 << 20);
	told(process, true);
	assert_true(world.records > 100);
	assert_int_equal(world.records + stats().shed_records, 5000);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_filters_nobody_waits),
		cmocka_unit_test(nothing_leaves_before_the_answer_and_nothing_is_lost_by_waiting),
		cmocka_unit_test(what_is_not_wanted_never_leaves),
		cmocka_unit_test(an_attempt_that_was_held_back_is_looked_at_again),
		cmocka_unit_test(who_is_too_busy_is_asked_again),
		cmocka_unit_test(what_was_said_of_one_program_is_not_said_of_the_next),
		cmocka_unit_test(a_number_that_is_used_again_is_another_process),
		cmocka_unit_test(whose_a_connection_is_may_be_told_late_or_never),
		cmocka_unit_test(without_an_answer_nothing_leaves_and_that_is_told),
		cmocka_unit_test(what_waits_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
