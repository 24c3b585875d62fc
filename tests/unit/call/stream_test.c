/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: the times of a streamed answer, which events count, which stay, and when its call is told. */
#include "unit/call/world.h"

static struct call_conn *streaming(const char *version)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ .version = version }, "{\"stream\":true}", 0);
	tell_response(conn, 1, 200, "text/event-stream", 10);
	return conn;
}

static void times_are_those_of_the_events(void **state)
{
	struct call_conn *conn = streaming("1.1");
	const struct call *call = &world.told[0].call;

	tell_event(conn, 1, "", 15);             /* a bare "event: ping" carries nothing */
	tell_event(conn, 1, "{\"role\":1}", 20); /* first event, not yet a token */
	tell_event(conn, 1, "{\"text\":1}", 30); /* first token */
	tell_event(conn, 1, "{\"text\":2}", 75); /* the longest gap: 45 */
	tell_event(conn, 1, "{\"usage\":2}", 80);
	tell_event(conn, 1, "[DONE]", 190); /* carries no data: neither counted nor a gap */
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 200);
	assert_int_equal(world.count, 1);
	assert_true(call->is_stream && call->ended_itself && call->is_complete);
	assert_int_equal(call->events, 4);
	assert_int_equal(call->request_start_ns, 0);
	assert_int_equal(call->request_end_ns, 1 * MS);
	assert_int_equal(call->response_start_ns, 10 * MS);
	assert_int_equal(call->first_event_ns, 20 * MS);
	assert_int_equal(call->first_token_ns, 30 * MS);
	assert_int_equal(call->last_event_ns, 80 * MS);
	assert_int_equal(call->max_gap_ns, 45 * MS);
	assert_int_equal(call->end_ns, 200 * MS);
	assert_int_equal(call->response_end.stream_bytes, 500);
	assert_int_equal(call->thread, 77);
	assert_int_equal(call->response_body.len, 0);
	assert_string_equal(world.told[0].outputs, "{\"role\":1}{\"text\":1}{\"text\":2}{\"usage\":2}");
	call_conn_close(conn, CLOSE_LOCAL, 300 * MS);
}

static void lines_are_events_too(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_response(conn, 1, 200, "application/x-ndjson", 10);
	tell_part(conn, 1, MESSAGE_RESPONSE, PART_LINE, SLICE("{\"text\":1}"), 20);
	tell_part(conn, 1, MESSAGE_RESPONSE, PART_LINE, SLICE("{\"last\":1}"), 30);
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 40);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.events, 2);
	assert_true(world.told[0].call.ended_itself);
	assert_int_equal(world.told[0].call.first_token_ns, 20 * MS);
	call_conn_close(conn, CLOSE_LOCAL, 300 * MS);
}

static void chunks_seen(struct world *seen, const struct call *call)
{
	uint64_t count = 0;

	for (const struct chunk *chunk = call->chunks; chunk; chunk = chunk->next) {
		char expect[64];

		snprintf(expect, sizeof(expect), "{\"text\":%llu,", (unsigned long long)(call->chunks_dropped + count));
		assert_true(slice_starts(chunk->data, slice_of(expect)));
		assert_int_equal(chunk->time_ns, (20 + call->chunks_dropped + count) * MS);
		count++;
	}
	assert_int_equal(count, call->chunk_count);
}

static void stream_numbered(struct call_conn *conn, unsigned events, size_t pad)
{
	char text[32 << 10];

	for (unsigned i = 0; i < events; i++) {
		size_t len = (size_t)snprintf(text, sizeof(text), "{\"text\":%u,", i);

		memset(text + len, 'x', pad);
		tell_part(conn, 1, MESSAGE_RESPONSE, PART_EVENT, (struct slice){ text, len + pad }, 20 + i);
	}
}

/* The list has no gap and its first has the right index, whatever the sizes; a short stream keeps all. */
static void the_newest_chunks_stay(void **state)
{
	static const struct {
		unsigned events;
		size_t pad;
		bool keeps_all;
	} rows[] = { { 200, 10, true }, { 5000, 100, false }, { 400, 200, false }, { 300, 30 << 10, false } };

	world.at_done = chunks_seen;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct call_conn *conn = streaming("1.1");
		const struct call *call = &world.told[0].call;

		world.count = 0;
		stream_numbered(conn, rows[i].events, rows[i].pad);
		tell_end(conn, 1, MESSAGE_RESPONSE, 100, 9999);
		assert_int_equal(world.count, 1);
		assert_int_equal(call->chunk_count + call->chunks_dropped, rows[i].events);
		assert_int_equal(call->chunks_dropped == 0, rows[i].keeps_all);
		if (rows[i].pad < 500)
			assert_true(call->chunk_count >= 128);
		call_conn_close(conn, CLOSE_LOCAL, 9999 * MS);
		assert_true(world.memory.used < 4096);
	}
}

static void only_json_that_is_no_error_is_a_chunk(void **state)
{
	struct call_conn *conn = streaming("1.1");

	tell_event(conn, 1, "{\"text\":1}", 20);
	tell_event(conn, 1, "hello", 30);
	tell_event(conn, 1, "  ", 35);
	tell_event(conn, 1, "{\"error\":1}", 40);
	tell_end(conn, 1, MESSAGE_RESPONSE, 100, 50);
	assert_int_equal(world.told[0].call.chunk_count, 1);
	assert_int_equal(world.told[0].call.events, 4);
	call_conn_close(conn, CLOSE_LOCAL, 60 * MS);
}

/* The directions are not ordered against each other: the answer may be told before the request is whole. */
static void events_wait_for_the_request(void **state)
{
	struct call_conn *conn = world_connect(&world);
	const struct call *call = &world.told[0].call;

	tell_request(conn, 1, (struct ask){ 0 }, 0);
	tell_body(conn, 1, MESSAGE_REQUEST, "{\"a\":", 1);
	tell_response(conn, 1, 200, "text/event-stream", 10);
	for (int i = 0; i < 20; i++)
		tell_event(conn, 1, "{\"text\":1}", 20 + i);
	tell_body(conn, 1, MESSAGE_REQUEST, "1}", 2);
	tell_end(conn, 1, MESSAGE_REQUEST, 100, 3);
	tell_event(conn, 1, "[DONE]", 50);
	tell_end(conn, 1, MESSAGE_RESPONSE, 100, 60);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].request, "{\"a\":1}");
	assert_int_equal(call->events, 20);
	assert_int_equal(call->first_event_ns, 20 * MS);
	assert_int_equal(call->last_event_ns, 39 * MS);
	assert_true(call->is_complete);
	call_conn_close(conn, CLOSE_LOCAL, 70 * MS);
}

/* The client read its [DONE] and nothing more: the trace comes soon, once, and nothing starts anew. */
static void an_own_end_is_handed_out_when_the_rest_does_not_come(void **state)
{
	struct call_conn *conn = streaming("1.1");
	const struct call *call = &world.told[0].call;

	tell_event(conn, 1, "{\"text\":1}", 20);
	tell_event(conn, 1, "[DONE]", 30);
	world.so_far[MESSAGE_RESPONSE] = (struct message_end){ .body_bytes = 240, .stream_bytes = 333 };
	call_tick(world.tracker, 3030 * MS);
	assert_int_equal(world.count, 0);
	call_tick(world.tracker, 3031 * MS);
	assert_int_equal(world.count, 1);
	assert_int_equal(call->response_end.stream_bytes, 333);
	assert_int_equal(call->end, CALL_END_COMPLETE);
	assert_int_equal(call->end_ns, 30 * MS);
	assert_int_equal(call->response_end.body_bytes, 240);
	assert_true(call->is_complete);
	tell_event(conn, 1, "{\"text\":1}", 4000);
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 4010);
	call_tick(world.tracker, 10000 * MS);
	call_conn_close(conn, CLOSE_LOCAL, 10001 * MS);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.no_call_bytes, 0);
}

/* With a hole in the answer its end may lie in another, which the connection's end shows. */
static void an_own_end_behind_a_hole_waits_longer_for_the_sums(void **state)
{
	struct call_conn *conn = streaming("1.1");
	const struct call *call = &world.told[0].call;

	call_on_hole(conn, 1, MESSAGE_RESPONSE, MISSING_RING_FULL, 20 * MS);
	tell_event(conn, 1, "[DONE]", 30);
	call_tick(world.tracker, 20030 * MS);
	assert_int_equal(world.count, 0);
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 20040);
	assert_int_equal(world.count, 1);
	assert_int_equal(call->response_end.stream_bytes, 500);
	assert_false(call->is_complete);
	call_conn_close(conn, CLOSE_LOCAL, 20041 * MS);
}

/* What passed is told, even when nothing shows how the call ends. */
static void the_end_of_a_run_tells_the_sums_so_far(void **state)
{
	struct call_conn *conn = streaming("1.1");
	const struct call *call = &world.told[0].call;

	tell_event(conn, 1, "{\"text\":1}", 20);
	world.so_far[MESSAGE_RESPONSE] = (struct message_end){
		.body_bytes = 240,
		.stream_bytes = 333,
		.missing_bytes = 7,
		.missing_reasons = 1u << MISSING_RING_FULL,
	};
	call_flush(world.tracker, 40 * MS);
	assert_int_equal(world.count, 1);
	assert_int_equal(call->end, CALL_END_UNKNOWN);
	assert_int_equal(call->response_end.stream_bytes, 333);
	assert_int_equal(call->response_end.missing_bytes, -1);
	assert_int_equal(call->response_end.missing_reasons, 1u << MISSING_RING_FULL);
	assert_int_equal(call->response_end.body_bytes, -1);
	assert_false(call->is_complete);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
}

static void a_new_request_ends_the_one_before(void **state)
{
	struct call_conn *conn = streaming("1.1");

	tell_event(conn, 1, "{\"last\":1}", 20);
	tell_request(conn, 2, (struct ask){ 0 }, 30);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.end, CALL_END_COMPLETE);
	call_conn_close(conn, CLOSE_LOCAL, 60 * MS);
	assert_int_equal(world.count, 2);
}

/* HTTP/2 carries many at once, and an answer without its own end may still go on. */
static void a_new_request_ends_no_other_stream(void **state)
{
	struct call_conn *conn = streaming("2");

	tell_event(conn, 1, "{\"last\":1}", 20);
	tell_request(conn, 3, (struct ask){ .version = "2" }, 30);
	assert_int_equal(world.count, 0);
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 31);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.response_end.stream_bytes, 500);
	call_conn_close(conn, CLOSE_LOCAL, 60 * MS);
}

static void exchanges_that_interleave_stay_apart(void **state)
{
	struct call_conn *conn = world_connect(&world);
	char expect[16];

	for (int n = 1; n < 10; n += 2)
		tell_request(conn, n, (struct ask){ .version = "2" }, n);
	for (int n = 9; n > 0; n -= 2) {
		tell_body(conn, n, MESSAGE_REQUEST, "{}", 10);
		tell_end(conn, n, MESSAGE_REQUEST, 100, 10);
	}
	for (int n = 1; n < 10; n += 2)
		tell_response(conn, n, 200 + n, "text/event-stream", 20);
	for (int n = 9; n > 0; n -= 2) {
		char text[32];

		snprintf(text, sizeof(text), "{\"text\":%d}", n);
		tell_event(conn, n, text, 30 + n);
	}
	for (int n = 1; n < 10; n += 2)
		tell_end(conn, n, MESSAGE_RESPONSE, 100, 60);
	assert_int_equal(world.count, 5);
	for (int i = 0; i < 5; i++) {
		snprintf(expect, sizeof(expect), "{\"text\":%d}", 2 * i + 1);
		assert_string_equal(world.told[i].outputs, expect);
		assert_int_equal(world.told[i].call.status, 201 + 2 * i);
		assert_int_equal(world.told[i].call.first_event_ns, (uint64_t)(31 + 2 * i) * MS);
	}
	call_conn_close(conn, CLOSE_LOCAL, 60 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(times_are_those_of_the_events),
		world_test(lines_are_events_too),
		world_test(the_newest_chunks_stay),
		world_test(only_json_that_is_no_error_is_a_chunk),
		world_test(events_wait_for_the_request),
		world_test(an_own_end_is_handed_out_when_the_rest_does_not_come),
		world_test(an_own_end_behind_a_hole_waits_longer_for_the_sums),
		world_test(the_end_of_a_run_tells_the_sums_so_far),
		world_test(a_new_request_ends_the_one_before),
		world_test(a_new_request_ends_no_other_stream),
		world_test(exchanges_that_interleave_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
