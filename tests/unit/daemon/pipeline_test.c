/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: the end of a process waits for the last offsets of its connections, however late its end itself is read; and
 * what memory could not take is in the sums, whether its connection is closed or not.
 */
#include "bpf/abi.h"
#include "daemon/pipeline.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000ull

static const struct slice ask =
	SLICE("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
	      "content-length: 54\r\n\r\n"
	      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":1}]}");
static const struct slice answer = SLICE("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
					 "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n");
static const struct process_id process = { .pid = 7, .start_ns = 70 };

struct world {
	struct pipeline *pipeline;
	int asked;   /* how often for the ends of connections */
	int refuses; /* so many of these questions */
};

static int on_record(void *user, const struct record *record)
{
	return 0;
}

static int on_exited(void *user, struct process_id ended)
{
	struct world *world = user;

	assert_memory_equal(&ended, &process, sizeof(ended));
	world->asked++;
	return world->refuses-- > 0 ? -EAGAIN : 0;
}

static void world_open(struct world *world, uint64_t memory_max)
{
	static const struct pipeline_ops ops = { .record = on_record, .exited = on_exited };
	static const struct event_file_head ids = { 0 };
	static const uint8_t secret[32];

	assert_int_equal(
		pipeline_new(&(struct pipeline_opts){ .ids = &ids, .memory_max = memory_max, .secret = secret }, &ops,
			     world, &world->pipeline),
		0);
}

static struct pipeline_stats world_stats(const struct world *world)
{
	struct pipeline_stats stats;

	pipeline_stats(world->pipeline, &stats);
	return stats;
}

static void take(struct world *world, struct abi_head *head, enum abi_type type, size_t size, uint64_t time_ns)
{
	head->type = type;
	head->size = (uint32_t)size;
	head->conn = type == ABI_EXIT ? 0 : 1;
	head->time_ns = time_ns;
	pipeline_take(world->pipeline, (struct slice){ (const char *)head, size });
}

static void chunk_take(struct world *world, enum abi_dir dir, struct slice data, uint64_t time_ns)
{
	union {
		struct abi_chunk chunk;
		char bytes[1024];
	} record = { .chunk = { .dir = dir, .len = (uint32_t)data.len } };

	memcpy(record.chunk.data, data.data, data.len);
	take(world, &record.chunk.head, ABI_CHUNK, sizeof(record.chunk) + data.len, time_ns);
}

/* A question whose answer is at its first event. */
static void talk(struct world *world)
{
	struct abi_open open = { .tgid = process.pid, .start_ns = process.start_ns };

	take(world, &open.head, ABI_OPEN, sizeof(open), 1 * S);
	chunk_take(world, ABI_DIR_WRITE, ask, 1 * S);
	chunk_take(world, ABI_DIR_READ, answer, 2 * S);
}

static void process_exit(struct world *world, uint64_t time_ns)
{
	struct abi_exit record = { .tgid = process.pid, .start_ns = process.start_ns };

	take(world, &record.head, ABI_EXIT, sizeof(record), time_ns);
}

static void offsets_tell(struct world *world, uint64_t time_ns)
{
	pipeline_close(world->pipeline,
		       &(struct event_close){
			       .conn = 1, .end = { answer.len, ask.len }, .how = CLOSE_EXIT, .time_ns = time_ns });
	pipeline_exited(world->pipeline, process);
}

/* The reader was busy: the end of the process is old when it is read. */
static void an_end_waits_for_the_last_offsets_from_when_it_is_read(void **state)
{
	struct world world = { 0 };

	world_open(&world, 64 << 20);
	talk(&world);
	process_exit(&world, 3 * S);
	pipeline_tick(world.pipeline, 9 * S);
	assert_int_equal(world.asked, 1);
	assert_true(world_stats(&world).awaits);
	offsets_tell(&world, 9 * S);
	assert_false(world_stats(&world).awaits);
	pipeline_flush(world.pipeline, 9 * S);
	assert_int_equal(world_stats(&world).complete, 1);
	pipeline_free(world.pipeline);
}

static void who_is_too_busy_is_asked_again(void **state)
{
	struct world world = { .refuses = 2 };

	world_open(&world, 64 << 20);
	talk(&world);
	process_exit(&world, 3 * S);
	for (int i = 0; i < 5; i++)
		pipeline_tick(world.pipeline, 3 * S + (uint64_t)i * S / 10);
	assert_int_equal(world.asked, 3);
	offsets_tell(&world, 4 * S);
	pipeline_flush(world.pipeline, 4 * S);
	assert_int_equal(world_stats(&world).complete, 1);
	pipeline_free(world.pipeline);
}

/* When in doubt it is not complete. */
static void without_an_answer_the_end_is_told_all_the_same(void **state)
{
	struct world world = { .refuses = 1000 };

	world_open(&world, 64 << 20);
	talk(&world);
	process_exit(&world, 3 * S);
	pipeline_tick(world.pipeline, 3 * S);
	assert_int_equal(world_stats(&world).conns, 1);
	pipeline_tick(world.pipeline, 4 * S + 1);
	assert_int_equal(world_stats(&world).conns, 0);
	pipeline_flush(world.pipeline, 5 * S);
	assert_int_equal(world_stats(&world).incomplete, 1);
	pipeline_free(world.pipeline);
}

/* How far the connection came when the run ends. */
enum how { OPEN, CLOSED, EXITED, _HOW_MAX };

static void what_memory_could_not_take_is_in_the_sums(void **state)
{
	int starved = 0;

	for (uint64_t i = 0; i < 2000 * _HOW_MAX; i++) {
		uint64_t memory = (24 << 10) + i / _HOW_MAX * 64;
		struct world world = { 0 };
		struct pipeline_stats stats;

		world_open(&world, memory);
		talk(&world);
		if (i % _HOW_MAX == CLOSED)
			offsets_tell(&world, 3 * S);
		if (i % _HOW_MAX == EXITED)
			process_exit(&world, 3 * S);
		pipeline_flush(world.pipeline, 3 * S);
		stats = world_stats(&world);
		starved += !stats.calls;
		if (!stats.calls && stats.shed_bytes + stats.no_call_bytes != ask.len + answer.len)
			fail_msg("how %d, memory %llu: shed %llu, no call %llu of %zu", (int)(i % _HOW_MAX),
				 (unsigned long long)memory, (unsigned long long)stats.shed_bytes,
				 (unsigned long long)stats.no_call_bytes, ask.len + answer.len);
		pipeline_free(world.pipeline);
	}
	assert_in_range(starved, 1, 2000 * _HOW_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_waits_for_the_last_offsets_from_when_it_is_read),
		cmocka_unit_test(who_is_too_busy_is_asked_again),
		cmocka_unit_test(without_an_answer_the_end_is_told_all_the_same),
		cmocka_unit_test(what_memory_could_not_take_is_in_the_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
