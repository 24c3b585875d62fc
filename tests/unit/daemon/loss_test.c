/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: what the ring had no room for costs the calls that it was of, and none behind them, however fast the client
 * is; and a refusal of memory is counted as what it cost, not as all that was of no message anyway.
 */
#include "bpf/abi.h"
#include "daemon/pipeline.h"
#include "unit/daemon/exchange.h"
#include "unit/support.h"

#define MS 1000000ull

enum { CONNS = 3 };

static struct {
	struct pipeline *pipeline;
	uint64_t offset[CONNS][_DIR_MAX], time_ns;
	bool is_behind_loss[CONNS][_DIR_MAX];
} world;

static int on_record(void *user, const struct record *record)
{
	return 0;
}

static void begin(uint64_t memory_max)
{
	static const struct pipeline_ops ops = { .record = on_record };
	static const struct event_file_head ids = { 0 };
	static const uint8_t secret[32];

	memset(&world, 0, sizeof(world));
	world.time_ns = 1000 * MS;
	assert_int_equal(
		pipeline_new(&(struct pipeline_opts){ .ids = &ids, .memory_max = memory_max, .secret = secret }, &ops,
			     NULL, &world.pipeline),
		0);
}

static struct pipeline_stats stats(void)
{
	struct pipeline_stats ret;

	pipeline_stats(world.pipeline, &ret);
	return ret;
}

static void end(void)
{
	pipeline_flush(world.pipeline, world.time_ns + 60000 * MS);
}

static void opened(int conn)
{
	struct abi_open open = { .head = { .type = ABI_OPEN,
					   .size = sizeof(open),
					   .conn = (uint64_t)conn + 1,
					   .time_ns = world.time_ns },
				 .tgid = 7,
				 .start_ns = 70 };

	pipeline_take(world.pipeline, (struct slice){ (const char *)&open, sizeof(open) });
}

static void passed(int conn, enum direction dir, struct slice data);

/* No carrier knows it. */
static void noise(int conn, size_t len)
{
	char bytes[1000];

	memset(bytes, 1, sizeof(bytes));
	passed(conn, DIR_WRITE, (struct slice){ bytes, MIN(len, sizeof(bytes)) });
}

/* A call that is larger than the memory. */
static void big(int conn)
{
	char bytes[8000];

	memset(bytes, 'a', sizeof(bytes));
	passed(conn, DIR_WRITE,
	       SLICE("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
		     "content-length: 1000000\r\n\r\n{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\""));
	for (int i = 0; i < 100; i++)
		passed(conn, DIR_WRITE, (struct slice){ bytes, sizeof(bytes) });
}

static void closed(int conn)
{
	struct abi_close close = { .head = { .type = ABI_CLOSE,
					     .size = sizeof(close),
					     .conn = (uint64_t)conn + 1,
					     .time_ns = world.time_ns },
				   .end = { world.offset[conn][0], world.offset[conn][1] },
				   .how = ABI_HOW_LOCAL };

	pipeline_take(world.pipeline, (struct slice){ (const char *)&close, sizeof(close) });
}

static void passed(int conn, enum direction dir, struct slice data)
{
	struct abi_chunk *chunk = calloc(1, sizeof(*chunk) + data.len);

	chunk->head = (struct abi_head){ .type = ABI_CHUNK,
					 .size = (uint32_t)(sizeof(*chunk) + data.len),
					 .conn = (uint64_t)conn + 1,
					 .time_ns = world.time_ns += MS / 10 };
	chunk->offset = world.offset[conn][dir];
	chunk->len = (uint32_t)data.len;
	chunk->tid = 1;
	chunk->dir = dir == DIR_WRITE ? ABI_DIR_WRITE : ABI_DIR_READ;
	chunk->reason = ABI_MISSING_RING_FULL;
	chunk->is_behind_loss = world.is_behind_loss[conn][dir];
	memcpy(chunk->data, data.data, data.len);
	world.offset[conn][dir] += data.len;
	world.is_behind_loss[conn][dir] = false;
	pipeline_take(world.pipeline, (struct slice){ (const char *)chunk, chunk->head.size });
	free(chunk);
}

/* The kernel side found no room in the ring. */
static void lost(int conn, enum direction dir, uint64_t len)
{
	world.time_ns += MS / 10;
	world.offset[conn][dir] += len;
	world.is_behind_loss[conn][dir] = true;
}

enum { CALLS = 2000, LOST_AT = 5, WHOLE = 1 << 20 };

/* Of each call from LOST_AT to @to the last @asked and @answered bytes are lost. */
static void talk(int to, size_t asked, size_t answered)
{
	opened(0);
	for (int n = 0; n < CALLS; n++) {
		bool is_hurt = n >= LOST_AT && n < to;
		size_t of_ask = is_hurt ? MIN(asked, ask.len) : 0, of_answer = is_hurt ? MIN(answered, answer.len) : 0;

		if (of_ask < ask.len)
			passed(0, DIR_WRITE, slice_head(ask, ask.len - of_ask));
		if (of_ask)
			lost(0, DIR_WRITE, of_ask);
		if (of_answer < answer.len)
			passed(0, DIR_READ, slice_head(answer, answer.len - of_answer));
		if (of_answer)
			lost(0, DIR_READ, of_answer);
		pipeline_tick(world.pipeline, world.time_ns);
	}
	closed(0);
	end();
}

/* Answers come at once; what was asked must not wait for what will never come, or it finds them gone. Where a request is lost
 * to its last byte, whether the answer behind it is whole cannot be known. */
static void a_loss_costs_the_calls_it_was_of(void **state)
{
	static const size_t cuts[] = { 0, 30, WHOLE };

	for (size_t i = 1; i < ARRAY_SIZE(cuts) * ARRAY_SIZE(cuts); i++)
		for (int many = 1; many <= 3; many += 2) {
			size_t asked = cuts[i / ARRAY_SIZE(cuts)], answered = cuts[i % ARRAY_SIZE(cuts)];
			uint64_t whole = CALLS - (uint64_t)many;

			begin(64 << 20);
			talk(LOST_AT + many, asked, answered);
			assert_in_range(stats().complete, whole - (asked == WHOLE), whole);
			assert_in_range(stats().calls, whole, CALLS);
			pipeline_free(world.pipeline);
		}
}

/* No HTTP at all passes on one connection; on another a call finds no memory. */
static void a_refusal_is_of_its_own_connection(void **state)
{
	uint64_t shed[2];

	for (int is_noisy = 0; is_noisy < 2; is_noisy++) {
		begin(400 << 10);
		opened(0);
		opened(1);
		for (int i = 0; is_noisy && i < 100; i++)
			noise(0, 1000);
		big(1);
		for (int i = 0; is_noisy && i < 100; i++)
			noise(0, 1000);
		closed(1);
		closed(0);
		end();
		shed[is_noisy] = stats().shed_bytes;
		pipeline_free(world.pipeline);
	}
	assert_true(shed[0] > 0);
	assert_int_equal(shed[1], shed[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loss_costs_the_calls_it_was_of),
		cmocka_unit_test(a_refusal_is_of_its_own_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
