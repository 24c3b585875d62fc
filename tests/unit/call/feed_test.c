/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a request that is answered 202 gets its answer from the stream of the same process and endpoint, by its id,
 * whichever comes first; what never comes is waited for in bounds; other streams of events are dropped as ever.
 */
#include "unit/call/world.h"

static struct call_conn *connect(uint64_t id, uint32_t pid)
{
	struct conn_info info = remote_conn(id);

	info.process.pid = pid;
	return call_conn_open(world.tracker, &info);
}

static void event_tell(struct call_conn *conn, const char *type, const char *data, uint64_t ms)
{
	char *copy = strdup(data);
	struct message_part part = {
		.kind = PART_EVENT, .type = slice_of(type), .data = slice_of(copy), .time_ns = ms * MS
	};

	call_on_part(conn, 1, MESSAGE_RESPONSE, &part);
	free(copy);
}

static void stream_open(struct call_conn *conn, const char *target, const char *type, const char *first)
{
	struct header accept = { SLICE("accept"), SLICE("text/event-stream") };

	tell_request(conn, 1, (struct ask){ .method = "GET", .target = target, .headers = &accept, .header_count = 1 },
		     1);
	tell_end(conn, 1, MESSAGE_REQUEST, 40, 1);
	tell_response(conn, 1, 200, "text/event-stream", 2);
	event_tell(conn, type, first, 3);
}

static void ask_tell(struct call_conn *conn, uint64_t number, const char *target, int id, uint64_t ms)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"id\":%d,\"method\":\"x\"}", id);
	tell_ask(conn, number, (struct ask){ .target = target }, body, ms);
}

static void accept_tell(struct call_conn *conn, uint64_t number, uint64_t ms)
{
	tell_response(conn, number, 202, "text/plain", ms);
	tell_body(conn, number, MESSAGE_RESPONSE, "Accepted", ms);
	tell_end(conn, number, MESSAGE_RESPONSE, 150, ms);
}

#define TARGET    "/v1/fake?session_id=1"
#define RESULT(n) "{\"id\":" #n ",\"result\":\"last\"}"

static void answers_come_by_the_stream(void **state)
{
	struct call_conn *stream = connect(1, 7), *asks = connect(2, 7);

	stream_open(stream, "/sse", "endpoint", TARGET);
	ask_tell(asks, 1, TARGET, 1, 10);
	accept_tell(asks, 1, 12);
	ask_tell(asks, 2, TARGET, 2, 14);
	accept_tell(asks, 2, 16);
	assert_int_equal(world.count, 0);
	assert_int_equal(call_waiting(world.tracker), 2);
	event_tell(stream, "message", "{\"id\":1,\"method\":\"the server's own\"}", 20);
	event_tell(stream, "message", "{\"method\":\"note\"}", 21);
	event_tell(stream, "message", RESULT(2), 30);
	event_tell(stream, "message", RESULT(1), 40);
	event_tell(stream, "message", RESULT(1), 41);
	call_tick(world.tracker, 5000 * MS);
	assert_int_equal(world.count, 2);
	assert_string_equal(world.told[0].outputs, RESULT(2));
	assert_string_equal(world.told[1].outputs, RESULT(1));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(world.told[i].call.end, CALL_END_COMPLETE);
		assert_true(world.told[i].call.is_complete);
		assert_int_equal(world.told[i].call.status, 202);
		assert_int_equal(world.told[i].call.conn.id, 2);
	}
	assert_int_equal(world.told[1].call.request_start_ns, 10 * MS);
	assert_int_equal(world.told[1].call.end_ns, 40 * MS);
	assert_int_equal(world.told_bytes, 500);
	call_conn_close(stream, CLOSE_LOCAL, 6000 * MS);
	call_conn_close(asks, CLOSE_LOCAL, 6000 * MS);
	assert_int_equal(world.count, 2);
}

static void an_answer_may_overtake_its_202(void **state)
{
	struct call_conn *stream = connect(1, 7), *asks = connect(2, 7);

	stream_open(stream, "/sse", "endpoint", "http://api.example" TARGET);
	ask_tell(asks, 1, TARGET, 1, 10);
	event_tell(stream, "message", RESULT(1), 11);
	assert_int_equal(world.count, 0);
	accept_tell(asks, 1, 12);
	call_tick(world.tracker, 5000 * MS);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].outputs, RESULT(1));
	assert_true(world.told[0].call.is_complete);
	call_conn_close(stream, CLOSE_LOCAL, 6000 * MS);
	call_conn_close(asks, CLOSE_LOCAL, 6000 * MS);
}

/* Another process's stream, another endpoint, another id. */
static void what_does_not_belong_together_is_not_joined(void **state)
{
	struct call_conn *stream = connect(1, 7), *others = connect(2, 8), *asks = connect(3, 7);

	stream_open(stream, "/sse", "endpoint", TARGET);
	ask_tell(others, 1, TARGET, 1, 10);
	accept_tell(others, 1, 12);
	ask_tell(asks, 1, "/v2/fake?session_id=1", 1, 10);
	accept_tell(asks, 1, 12);
	ask_tell(asks, 2, "/v1/fake?session_id=2", 1, 10);
	accept_tell(asks, 2, 12);
	call_tick(world.tracker, 5000 * MS);
	assert_int_equal(world.count, 3);
	ask_tell(asks, 3, TARGET, 3, 6000);
	accept_tell(asks, 3, 6001);
	event_tell(stream, "message", RESULT(1), 6002);
	assert_int_equal(world.count, 3);
	for (int i = 0; i < 3; i++)
		assert_string_equal(world.told[i].outputs, "Accepted");
	call_conn_close(stream, CLOSE_LOCAL, 7000 * MS);
	call_conn_close(others, CLOSE_LOCAL, 7000 * MS);
	call_conn_close(asks, CLOSE_LOCAL, 7000 * MS);
}

static void what_never_comes_is_waited_for_in_bounds(void **state)
{
	struct call_conn *stream = connect(1, 7), *asks = connect(2, 7);

	stream_open(stream, "/sse", "endpoint", TARGET);
	for (int i = 1; i <= 70; i++) {
		ask_tell(asks, (uint64_t)i, TARGET, i, (uint64_t)i * 10);
		accept_tell(asks, (uint64_t)i, (uint64_t)i * 10 + 2);
	}
	call_tick(world.tracker, 10000 * MS);
	assert_int_equal(world.count, 70 - 64);
	call_tick(world.tracker, 599000 * MS);
	assert_int_equal(world.count, 70 - 64);
	call_tick(world.tracker, 700000 * MS);
	call_tick(world.tracker, 710000 * MS);
	assert_int_equal(world.count, 70);
	assert_int_equal(call_waiting(world.tracker), 0);
	assert_int_equal(world.told[0].call.end, CALL_END_UNKNOWN);
	assert_false(world.told[0].call.is_complete);
	call_conn_close(stream, CLOSE_LOCAL, 720000 * MS);
	call_conn_close(asks, CLOSE_LOCAL, 720000 * MS);
}

static void a_flush_tells_what_waits(void **state)
{
	struct call_conn *stream = connect(1, 7), *asks = connect(2, 7);

	stream_open(stream, "/sse", "endpoint", TARGET);
	ask_tell(asks, 1, TARGET, 1, 10);
	accept_tell(asks, 1, 12);
	call_conn_close(stream, CLOSE_LOCAL, 20 * MS);
	call_conn_close(asks, CLOSE_LOCAL, 20 * MS);
	call_flush(world.tracker, 30 * MS);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.end, CALL_END_UNKNOWN);
}

static void other_streams_are_dropped_at_their_first_event(void **state)
{
	struct call_conn *conn = connect(1, 7);

	stream_open(conn, "/news", "message", "{\"id\":1,\"result\":1}");
	assert_int_equal(world.mutes, 1);
	event_tell(conn, "endpoint", TARGET, 9);
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 10);
	assert_int_equal(world.no_call_bytes, 540);
	call_conn_close(conn, CLOSE_LOCAL, 20 * MS);
	assert_int_equal(world.count, 0);
}

static void a_stream_may_be_silent_for_long(void **state)
{
	struct call_conn *stream = connect(1, 7), *asks = connect(2, 7);

	stream_open(stream, "/sse", "endpoint", TARGET);
	call_tick(world.tracker, 90000 * 1000 * MS);
	ask_tell(asks, 1, TARGET, 1, 90000010);
	accept_tell(asks, 1, 90000012);
	event_tell(stream, "message", RESULT(1), 90000013);
	call_flush(world.tracker, 90000014 * MS);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].outputs, RESULT(1));
	call_conn_close(stream, CLOSE_LOCAL, 90000020 * MS);
	call_conn_close(asks, CLOSE_LOCAL, 90000020 * MS);
}

static void memory_may_end_anywhere(void **state)
{
	for (uint64_t nth = 1; nth < 80; nth++) {
		struct call_conn *stream, *asks;

		world = (struct world){ .memory = FAIL_ALLOC(nth) };
		if (!world_open(&world))
			continue;
		stream = connect(1, 7);
		asks = connect(2, 7);
		stream_open(stream, "/sse", "endpoint", TARGET);
		ask_tell(asks, 1, TARGET, 1, 10);
		event_tell(stream, "message", RESULT(1), 11);
		accept_tell(asks, 1, 12);
		ask_tell(asks, 2, TARGET, 2, 20);
		accept_tell(asks, 2, 22);
		event_tell(stream, "message", RESULT(2), 30);
		call_conn_close(stream, CLOSE_LOCAL, 40 * MS);
		call_conn_close(asks, CLOSE_LOCAL, 40 * MS);
		call_flush(world.tracker, 50 * MS);
		assert_true(world.count <= 2);
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(answers_come_by_the_stream),
		world_test(an_answer_may_overtake_its_202),
		world_test(what_does_not_belong_together_is_not_joined),
		world_test(what_never_comes_is_waited_for_in_bounds),
		world_test(a_flush_tells_what_waits),
		world_test(other_streams_are_dropped_at_their_first_event),
		world_test(a_stream_may_be_silent_for_long),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
