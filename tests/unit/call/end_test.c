/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: how each exchange ended, when, and that nothing is called complete that lacks a byte. */
#include "unit/call/world.h"

/* How far the answer came. */
enum answer { NONE, HEAD, EVENT, OWN_END, LAST_EVENT, FRAMED, LOST };

struct row {
	enum answer answer;
	enum close_how how;
	bool is_server;
	const char *timeout_header, *timeout;
	enum call_end end;
	bool is_complete;
	uint64_t end_ms;
};

/* Request from 0 to 1 ms, the answer's head at 100, its event at 200, its end at 300; the close at 1000. */
static const struct row rows[] = {
	{ FRAMED, CLOSE_LOCAL, false, NULL, NULL, CALL_END_COMPLETE, true, 300 },
	{ FRAMED, CLOSE_RESET, false, NULL, NULL, CALL_END_COMPLETE, true, 300 },
	{ OWN_END, CLOSE_LOCAL, false, NULL, NULL, CALL_END_COMPLETE, true, 300 },
	{ OWN_END, CLOSE_REMOTE, false, NULL, NULL, CALL_END_COMPLETE, true, 300 },
	{ OWN_END, CLOSE_RESET, true, NULL, NULL, CALL_END_COMPLETE, true, 300 },
	{ LAST_EVENT, CLOSE_EXIT, false, NULL, NULL, CALL_END_COMPLETE, true, 300 },
	{ EVENT, CLOSE_LOCAL, false, NULL, NULL, CALL_END_CLIENT_CANCEL, true, 1000 },
	{ EVENT, CLOSE_EXIT, false, NULL, NULL, CALL_END_CLIENT_CANCEL, true, 1000 },
	{ EVENT, CLOSE_REMOTE, false, NULL, NULL, CALL_END_SERVER_CUT, true, 1000 },
	{ EVENT, CLOSE_RESET, false, NULL, NULL, CALL_END_RESET, true, 1000 },
	/* Nobody told how far the connection went. */
	{ EVENT, CLOSE_UNKNOWN, false, NULL, NULL, CALL_END_UNKNOWN, false, 200 },
	{ LAST_EVENT, CLOSE_UNKNOWN, false, NULL, NULL, CALL_END_COMPLETE, true, 300 },
	{ OWN_END, CLOSE_UNKNOWN, false, NULL, NULL, CALL_END_COMPLETE, true, 300 },
	{ EVENT, CLOSE_LOCAL, true, NULL, NULL, CALL_END_SERVER_CUT, true, 1000 },
	{ EVENT, CLOSE_REMOTE, true, NULL, NULL, CALL_END_CLIENT_CANCEL, true, 1000 },
	{ EVENT, CLOSE_EXIT, true, NULL, NULL, CALL_END_SERVER_CUT, true, 1000 },
	{ LOST, CLOSE_LOCAL, false, NULL, NULL, CALL_END_UNKNOWN, false, 300 },
	{ HEAD, CLOSE_REMOTE, false, NULL, NULL, CALL_END_SERVER_CUT, true, 1000 },
	{ NONE, CLOSE_REMOTE, false, NULL, NULL, CALL_END_SERVER_CUT, true, 1000 },
	{ NONE, CLOSE_LOCAL, false, NULL, NULL, CALL_END_CLIENT_CANCEL, true, 1000 },
	{ NONE, CLOSE_RESET, false, NULL, NULL, CALL_END_RESET, true, 1000 },
	{ NONE, CLOSE_UNKNOWN, false, NULL, NULL, CALL_END_UNKNOWN, false, 1 },
	/* 999 ms of silence since the request, 800 since the event */
	{ NONE, CLOSE_LOCAL, false, "x-stainless-read-timeout", "1", CALL_END_TIMEOUT, true, 1000 },
	{ NONE, CLOSE_LOCAL, false, "x-stainless-timeout", "1.05", CALL_END_TIMEOUT, true, 1000 },
	{ NONE, CLOSE_LOCAL, false, "x-stainless-read-timeout", "1.06", CALL_END_CLIENT_CANCEL, true, 1000 },
	{ NONE, CLOSE_LOCAL, false, "x-stainless-read-timeout", "600", CALL_END_CLIENT_CANCEL, true, 1000 },
	{ NONE, CLOSE_LOCAL, false, "x-stainless-read-timeout", "soon", CALL_END_CLIENT_CANCEL, true, 1000 },
	{ NONE, CLOSE_LOCAL, false, "x-stainless-read-timeout", "", CALL_END_CLIENT_CANCEL, true, 1000 },
	{ NONE, CLOSE_LOCAL, false, "x-stainless-read-timeout", "99999999999999999999", CALL_END_CLIENT_CANCEL, true,
	  1000 },
	{ NONE, CLOSE_LOCAL, false, "x-stainless-read-timeout", "0.70000000000000000000", CALL_END_TIMEOUT, true,
	  1000 },
	{ NONE, CLOSE_EXIT, false, "x-stainless-read-timeout", "0.7", CALL_END_TIMEOUT, true, 1000 },
	{ NONE, CLOSE_REMOTE, false, "x-stainless-read-timeout", "0.7", CALL_END_SERVER_CUT, true, 1000 },
	{ NONE, CLOSE_REMOTE, true, "x-stainless-read-timeout", "0.7", CALL_END_TIMEOUT, true, 1000 },
	{ EVENT, CLOSE_LOCAL, false, "x-stainless-read-timeout", "0.8", CALL_END_TIMEOUT, true, 1000 },
	{ EVENT, CLOSE_LOCAL, false, "x-stainless-read-timeout", "0.9", CALL_END_CLIENT_CANCEL, true, 1000 },
	{ OWN_END, CLOSE_LOCAL, false, "x-stainless-read-timeout", "0.1", CALL_END_COMPLETE, true, 300 },
};

static void row_answer(struct call_conn *conn, const struct row *row)
{
	struct message_end lost = { .how = MESSAGE_END_LOST,
				    .missing_bytes = 5,
				    .time_ns = 300 * MS,
				    .missing_reasons = 1u << MISSING_RING_FULL };

	if (row->answer >= HEAD)
		tell_response(conn, 1, 200, "text/event-stream", 100);
	if (row->answer >= EVENT)
		tell_event(conn, 1, "{\"text\":1}", 200);
	if (row->answer == OWN_END)
		tell_event(conn, 1, "[DONE]", 300);
	if (row->answer == LAST_EVENT)
		tell_event(conn, 1, "{\"last\":1}", 300);
	if (row->answer == FRAMED)
		tell_end(conn, 1, MESSAGE_RESPONSE, 200, 300);
	else if (row->answer == LOST)
		call_on_end(conn, 1, MESSAGE_RESPONSE, &lost);
	else if (row->answer != NONE)
		tell_cut(conn, 1, MESSAGE_RESPONSE, row->how, 1000);
}

static void every_end_has_its_name(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct header header = { slice_of(row->timeout_header), slice_of(row->timeout) };
		struct call_conn *conn = world_connect(&world);
		const struct call *call = &world.told[0].call;

		world.count = 0;
		tell_ask(conn, 1,
			 (struct ask){
				 .headers = &header, .header_count = !!header.name.len, .is_server = row->is_server },
			 "{}", 0);
		row_answer(conn, row);
		assert_int_equal(world.count, row->answer == FRAMED || row->answer == LOST);
		call_conn_close(conn, row->how, 1000 * MS);
		assert_int_equal(world.count, 1);
		if (call->end != row->end || call->is_complete != row->is_complete || call->end_ns != row->end_ms * MS)
			fail_msg("row %zu: %s, complete %d, at %llu", i, call_end_names[call->end], call->is_complete,
				 (unsigned long long)call->end_ns);
		assert_int_equal(call->status, row->answer == NONE ? 0 : 200);
		assert_int_equal(call->is_stream, row->answer != NONE);
	}
}

/* The answer's own end mark says nothing of the request: what followed in it may have been lost. */
static void an_answer_that_ended_itself_does_not_end_its_request(void **state)
{
	static const enum close_how hows[] = { CLOSE_LOCAL, CLOSE_UNKNOWN };

	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		struct call_conn *conn = world_connect(&world);
		const struct call *call = &world.told[0].call;

		world.count = 0;
		tell_request(conn, 1, (struct ask){ 0 }, 0);
		tell_body(conn, 1, MESSAGE_REQUEST, "{}", 0);
		tell_response(conn, 1, 200, "text/event-stream", 1);
		tell_event(conn, 1, "[DONE]", 2);
		tell_cut(conn, 1, MESSAGE_REQUEST, hows[i], 3);
		tell_cut(conn, 1, MESSAGE_RESPONSE, hows[i], 3);
		call_conn_close(conn, hows[i], 3 * MS);
		assert_int_equal(world.count, 1);
		assert_int_equal(call->end, CALL_END_COMPLETE);
		assert_int_equal(call->is_complete, hows[i] != CLOSE_UNKNOWN);
		assert_int_equal(call->request_end.missing_bytes, hows[i] == CLOSE_UNKNOWN ? -1 : 0);
		assert_int_equal(call->response_end.missing_bytes, 0);
	}
}

/* Who reads a document by its brackets leaves before the end of its framing; half of one is no answer. */
static void a_document_that_is_whole_ends_itself(void **state)
{
	static const struct {
		const char *body;
		enum close_how how;
		enum call_end end;
		uint64_t end_ms;
	} documents[] = {
		{ "{\"text\":1}\n", CLOSE_LOCAL, CALL_END_COMPLETE, 200 },
		{ "[{}]", CLOSE_EXIT, CALL_END_COMPLETE, 200 },
		{ "{\"text\":1", CLOSE_LOCAL, CALL_END_CLIENT_CANCEL, 1000 },
		{ "1", CLOSE_LOCAL, CALL_END_CLIENT_CANCEL, 1000 },
		{ "{\"text\":1}", CLOSE_REMOTE, CALL_END_SERVER_CUT, 1000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		struct call_conn *conn = world_connect(&world);
		const struct call *call = &world.told[0].call;

		world.count = 0;
		tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
		tell_response(conn, 1, 200, "application/json", 100);
		tell_body(conn, 1, MESSAGE_RESPONSE, documents[i].body, 200);
		tell_cut(conn, 1, MESSAGE_RESPONSE, documents[i].how, 1000);
		call_conn_close(conn, documents[i].how, 1000 * MS);
		assert_int_equal(world.count, 1);
		if (call->end != documents[i].end || call->end_ns != documents[i].end_ms * MS)
			fail_msg("%s: %s at %llu", documents[i].body, call_end_names[call->end],
				 (unsigned long long)call->end_ns);
	}
}

/* The connection goes on: nothing is waited for, and the answer need not have begun. */
static void a_reset_stream_ends_its_call_at_once(void **state)
{
	struct call_conn *conn = world_connect(&world);
	struct message_end end = {
		.how = MESSAGE_END_CUT, .conn_how = CLOSE_LOCAL, .is_reset = true, .time_ns = 900 * MS
	};

	tell_ask(conn, 1, (struct ask){ .version = "2" }, "{}", 0);
	call_on_end(conn, 1, MESSAGE_RESPONSE, &end);
	tell_ask(conn, 2, (struct ask){ .version = "2" }, "{}", 0);
	tell_response(conn, 2, 200, "text/event-stream", 100);
	end.conn_how = CLOSE_RESET;
	call_on_end(conn, 2, MESSAGE_RESPONSE, &end);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.told[0].call.end, CALL_END_CLIENT_CANCEL);
	assert_int_equal(world.told[0].call.end_ns, 900 * MS);
	assert_true(world.told[0].call.is_complete);
	assert_int_equal(world.told[1].call.end, CALL_END_RESET);
	call_conn_close(conn, CLOSE_LOCAL, 1000 * MS);
	assert_int_equal(world.count, 2);
}

/* An HTTP error is an answer like any other. */
static void an_error_status_is_a_complete_end(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_response(conn, 1, 429, "application/json", 5);
	tell_body(conn, 1, MESSAGE_RESPONSE, "{\"error\":{}}", 6);
	tell_end(conn, 1, MESSAGE_RESPONSE, 90, 7);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.end, CALL_END_COMPLETE);
	assert_int_equal(world.told[0].call.status, 429);
	assert_true(world.told[0].call.is_complete);
	assert_string_equal(world.told[0].outputs, "{\"error\":{}}");
}

/* One defect at a time, in a call that would be complete without it. */
static void whatever_is_missing_makes_it_incomplete(void **state)
{
	static const struct message_end ends[] = {
		{ .missing_bytes = 1 },
		{ .missing_bytes = -1 },
		{ .missing_reasons = 1u << MISSING_UNDECODABLE },
		{ .missing_reasons = 1u << MISSING_FAULT, .missing_bytes = 3 },
		{ .how = MESSAGE_END_LOST },
		{ 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends) * 2; i++) {
		enum message_kind bad = i % 2;
		const struct message_end *end = &ends[i / 2];
		struct call_conn *conn = world_connect(&world);

		world.count = 0;
		tell_request(conn, 1, (struct ask){ 0 }, 0);
		tell_body(conn, 1, MESSAGE_REQUEST, "{}", 0);
		call_on_end(conn, 1, MESSAGE_REQUEST, bad == MESSAGE_REQUEST ? end : &ends[ARRAY_SIZE(ends) - 1]);
		tell_response(conn, 1, 200, "application/json", 1);
		tell_body(conn, 1, MESSAGE_RESPONSE, "{}", 1);
		call_on_end(conn, 1, MESSAGE_RESPONSE, bad == MESSAGE_RESPONSE ? end : &ends[ARRAY_SIZE(ends) - 1]);
		assert_int_equal(world.count, 1);
		assert_int_equal(world.told[0].call.is_complete, i / 2 == ARRAY_SIZE(ends) - 1);
		call_conn_close(conn, CLOSE_LOCAL, 2 * MS);
	}
}

static void a_hole_is_told_even_when_the_end_forgets_it(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_response(conn, 1, 200, "application/json", 1);
	tell_body(conn, 1, MESSAGE_RESPONSE, "{\"a\":", 1);
	call_on_hole(conn, 1, MESSAGE_RESPONSE, MISSING_RING_FULL, 2 * MS);
	tell_body(conn, 1, MESSAGE_RESPONSE, "2}", 3);
	tell_end(conn, 1, MESSAGE_RESPONSE, 100, 4);
	assert_int_equal(world.count, 1);
	assert_false(world.told[0].call.is_complete);
	assert_int_equal(world.told[0].call.response_end.missing_reasons, 1u << MISSING_RING_FULL);
	assert_string_equal(world.told[0].outputs, "{\"a\":");
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
}

/* What a dialect cannot read to its end is not complete; unless it is the peer that ended early: then all is here. */
static void garbage_is_incomplete_but_a_cut_is_not(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_answer(conn, 1, "garbage", 1);
	tell_ask(conn, 2, (struct ask){ 0 }, "{}", 3);
	tell_response(conn, 2, 200, "application/json", 4);
	tell_body(conn, 2, MESSAGE_RESPONSE, "garbage", 4);
	tell_cut(conn, 2, MESSAGE_RESPONSE, CLOSE_REMOTE, 5);
	call_conn_close(conn, CLOSE_REMOTE, 5 * MS);
	assert_int_equal(world.count, 2);
	assert_false(world.told[0].call.is_complete);
	assert_int_equal(world.told[0].call.response_end.missing_reasons, 1u << MISSING_UNDECODABLE);
	assert_true(world.told[1].call.is_complete);
	assert_int_equal(world.told[1].call.end, CALL_END_SERVER_CUT);
}

/* The server answers before it has read the request, and the client goes on sending. */
static void an_early_answer_waits_for_its_request(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_request(conn, 1, (struct ask){ 0 }, 0);
	tell_body(conn, 1, MESSAGE_REQUEST, "{\"a\":", 1);
	tell_response(conn, 1, 413, "application/json", 2);
	tell_body(conn, 1, MESSAGE_RESPONSE, "no", 2);
	tell_end(conn, 1, MESSAGE_RESPONSE, 50, 2);
	assert_int_equal(world.count, 0);
	tell_body(conn, 1, MESSAGE_REQUEST, "1}", 3);
	tell_end(conn, 1, MESSAGE_REQUEST, 100, 3);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].request, "{\"a\":1}");
	assert_int_equal(world.told[0].call.end, CALL_END_COMPLETE);
	assert_int_equal(world.told[0].call.end_ns, 3 * MS);
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
}

static void silence_for_too_long_ends_it_as_unknown(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_response(conn, 1, 200, "text/event-stream", 10);
	tell_event(conn, 1, "{\"text\":1}", 20);
	call_tick(world.tracker, 1800 * 1000 * MS);
	assert_int_equal(world.count, 0);
	call_tick(world.tracker, (1800 * 1000 + 21) * MS);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.end, CALL_END_UNKNOWN);
	assert_false(world.told[0].call.is_complete);
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
	assert_int_equal(world.count, 1);
}

/* A stream of a multiplexed connection can be cut while the connection lives on: nobody will tell of a close. */
static void a_cut_without_a_close_is_told_by_the_next_tick(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ .version = "2" }, "{}", 0);
	tell_response(conn, 1, 200, "text/event-stream", 10);
	tell_event(conn, 1, "{\"text\":1}", 20);
	tell_cut(conn, 1, MESSAGE_RESPONSE, CLOSE_LOCAL, 30);
	assert_int_equal(world.count, 0);
	call_tick(world.tracker, 3031 * MS);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.end, CALL_END_CLIENT_CANCEL);
	call_conn_close(conn, CLOSE_LOCAL, 4000 * MS);
	assert_int_equal(world.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(every_end_has_its_name),
		world_test(an_answer_that_ended_itself_does_not_end_its_request),
		world_test(a_document_that_is_whole_ends_itself),
		world_test(a_reset_stream_ends_its_call_at_once),
		world_test(an_error_status_is_a_complete_end),
		world_test(whatever_is_missing_makes_it_incomplete),
		world_test(a_hole_is_told_even_when_the_end_forgets_it),
		world_test(garbage_is_incomplete_but_a_cut_is_not),
		world_test(an_early_answer_waits_for_its_request),
		world_test(silence_for_too_long_ends_it_as_unknown),
		world_test(a_cut_without_a_close_is_told_by_the_next_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
