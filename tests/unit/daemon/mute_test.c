/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rooms bound together. What is proven: a connection is muted as far as its requests were read, and no further: what
 * begins behind that belongs to another exchange, which may be a call.
 */
#include "bpf/abi.h"
#include "daemon/pipeline.h"
#include "unit/support.h"

enum { CONN = 77 };

static struct {
	struct pipeline *pipeline;
	uint64_t offset[_DIR_MAX], time_ns;
	char told[512]; /* "mute 120 " for each verdict */
} world;

static int on_record(void *user, const struct record *record)
{
	return 0;
}

static void on_verdict(void *user, uint64_t conn, const struct event_verdict *verdict)
{
	static const char *const words[] = {
		[VERDICT_KEEP] = "keep", [VERDICT_MUTE] = "mute", [VERDICT_DENY] = "deny"
	};
	size_t len = strlen(world.told);

	assert_int_equal(conn, CONN);
	assert_int_equal(verdict->dir, DIR_WRITE);
	snprintf(world.told + len, sizeof(world.told) - len, "%s %d ", words[verdict->value], (int)verdict->of);
}

static const struct pipeline_ops ops = { .record = on_record, .verdict = on_verdict };

static void passed(enum direction dir, const char *text)
{
	struct abi_chunk *chunk = calloc(1, sizeof(*chunk) + strlen(text));

	chunk->head = (struct abi_head){ .type = ABI_CHUNK,
					 .size = (uint32_t)(sizeof(*chunk) + strlen(text)),
					 .conn = CONN,
					 .time_ns = ++world.time_ns };
	chunk->offset = world.offset[dir];
	chunk->len = (uint32_t)strlen(text);
	chunk->tid = 1;
	chunk->dir = dir == DIR_WRITE ? ABI_DIR_WRITE : ABI_DIR_READ;
	memcpy(chunk->data, text, chunk->len);
	world.offset[dir] += chunk->len;
	pipeline_take(world.pipeline, (struct slice){ (const char *)chunk, chunk->head.size });
	free(chunk);
}

static int setup(void **state)
{
	static const uint8_t secret[32] = { 1 };
	static const struct event_file_head ids = { .boot = 1 };
	struct pipeline_opts opts = { .ids = &ids, .memory_max = 64 << 20, .secret = secret };
	struct abi_open open = { .head = { .type = ABI_OPEN, .size = sizeof(open), .conn = CONN, .time_ns = 1 },
				 .start_ns = 1,
				 .tgid = 1,
				 .tid = 1,
				 .kind = ABI_KIND_OPENSSL };

	memset(&world, 0, sizeof(world));
	world.time_ns = 1;
	assert_int_equal(pipeline_new(&opts, &ops, NULL, &world.pipeline), 0);
	pipeline_take(world.pipeline, (struct slice){ (const char *)&open, sizeof(open) });
	return 0;
}

static int teardown(void **state)
{
	pipeline_free(world.pipeline);
	return 0;
}

#define GET    "GET /version HTTP/1.1\r\nHost: a\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

static void muted_to_is(size_t offset)
{
	char want[64];

	snprintf(want, sizeof(want), "mute %d ", (int)offset);
	assert_string_equal(world.told, want);
}

/* The half head behind it is no longer the muted request's. */
static void a_request_is_muted_to_its_end(void **state)
{
	passed(DIR_WRITE, GET);
	muted_to_is(sizeof(GET) - 1);
	passed(DIR_READ, ANSWER);
	passed(DIR_WRITE, "POST /v1/chat/completions HT");
	passed(DIR_WRITE, "TP/1.1\r\nHost: a\r\n");
	muted_to_is(sizeof(GET) - 1);
	passed(DIR_WRITE, "Content-Length: 2\r\n\r\n{}");
	passed(DIR_READ, ANSWER);
	muted_to_is(sizeof(GET) - 1);
}

/* What goes on behind it begins no request: the kernel side knows. */
static void a_long_request_is_muted_once(void **state)
{
	char head[512], piece[5001] = { 0 };
	int len = snprintf(head, sizeof(head),
			   "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
			   "Content-Length: 15000\r\n\r\n");

	memset(piece, 'x', 5000);
	passed(DIR_WRITE, head);
	assert_string_equal(world.told, "");
	for (int i = 0; i < 3; i++)
		passed(DIR_WRITE, piece);
	muted_to_is((size_t)len + 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_request_is_muted_to_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_request_is_muted_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
