/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: which exchanges become calls, that the rest is dropped early, and that the bytes add up. */
#include "unit/call/world.h"

#define ELSEWHERE .target = "/api/other"

static void a_get_is_dropped_at_its_head(void **state)
{
	static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "CONNECT" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct call_conn *conn = world_connect(&world);
		size_t used = world.memory.used;

		tell_request(conn, 1, (struct ask){ .method = methods[i], ELSEWHERE }, 0);
		assert_int_equal(world.mutes, i + 1);
		assert_true(world.memory.used - used < 256);
		tell_end(conn, 1, MESSAGE_REQUEST, 40, 0);
		tell_answer(conn, 1, "{\"fake\":1}", 1);
		assert_int_equal(world.mutes, i + 1);
		assert_int_equal(world.no_call_bytes, 240 * (i + 1));
		call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
	}
	assert_int_equal(world.count, 0);
}

static void a_get_that_a_dialect_wants_is_kept(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_request(conn, 1, (struct ask){ .method = "GET", .target = "/v1/fake" }, 0);
	tell_end(conn, 1, MESSAGE_REQUEST, 40, 0);
	tell_answer(conn, 1, "{}", 1);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.mutes, 0);
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
}

static void a_large_upload_is_dropped_before_its_end(void **state)
{
	struct call_conn *conn = world_connect(&world);
	char body[5000];

	memset(body, '-', sizeof(body));
	tell_request(conn, 1, (struct ask){ ELSEWHERE }, 0);
	tell_part(conn, 1, MESSAGE_REQUEST, PART_BYTES, (struct slice){ body, 4000 }, 1);
	assert_int_equal(world.mutes, 0);
	tell_part(conn, 1, MESSAGE_REQUEST, PART_BYTES, (struct slice){ body, 1000 }, 2);
	assert_int_equal(world.mutes, 1);
	assert_true(world.memory.used < 4096);
	call_on_hole(conn, 1, MESSAGE_REQUEST, MISSING_POLICY, 3 * MS);
	tell_end(conn, 1, MESSAGE_REQUEST, 6000, 4);
	assert_int_equal(world.no_call_bytes, 6000);
	tell_end(conn, 1, MESSAGE_RESPONSE, 200, 5);
	assert_int_equal(world.no_call_bytes, 6200);
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
	assert_int_equal(world.count, 0);
}

static void a_json_post_waits_for_what_the_answer_tells(void **state)
{
	struct call_conn *conn = world_connect(&world);
	const struct call *call = &world.told[0].call;

	/* both bodies speak for a model call */
	tell_ask(conn, 1, (struct ask){ ELSEWHERE }, " {\"model\":1}", 0);
	assert_int_equal(world.mutes, 0);
	tell_answer(conn, 1, "{\"words\":1}", 2);
	assert_int_equal(world.count, 1);
	assert_string_equal(call->dialect->name, "guess");
	assert_true(call->is_complete);
	/* the request's path is enough, whatever is answered */
	tell_ask(conn, 2, (struct ask){ 0 }, "not json", 10);
	tell_answer(conn, 2, "<html>", 12);
	assert_int_equal(world.count, 2);
	/* nothing speaks for it */
	tell_ask(conn, 3, (struct ask){ ELSEWHERE }, "{\"model\":1}", 20);
	tell_answer(conn, 3, "<html>", 22);
	tell_ask(conn, 4, (struct ask){ ELSEWHERE }, "{\"x\":1}", 30);
	tell_answer(conn, 4, "{\"words\":1}", 32);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.no_call_bytes, 600);
	/* a form: dropped at its end */
	tell_ask(conn, 5, (struct ask){ ELSEWHERE }, "a=b", 40);
	assert_int_equal(world.mutes, 1);
	tell_answer(conn, 5, "{\"fake\":1}", 42);
	assert_int_equal(world.no_call_bytes, 900);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.told_bytes, 600);
}

static void a_stream_that_nobody_knows_is_dropped_after_a_few_events(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ ELSEWHERE }, "{\"model\":1}", 0);
	tell_response(conn, 1, 200, "text/event-stream", 2);
	for (int i = 0; i < 7; i++)
		tell_event(conn, 1, "tick", 3);
	assert_int_equal(world.mutes, 0);
	for (int i = 0; i < 7; i++)
		tell_event(conn, 1, "{\"words\":1}", 4);
	assert_int_equal(world.mutes, 0);
	tell_end(conn, 1, MESSAGE_RESPONSE, 200, 5);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.events, 14);

	tell_ask(conn, 2, (struct ask){ ELSEWHERE }, "{\"model\":1}", 10);
	tell_response(conn, 2, 200, "text/event-stream", 12);
	for (int i = 0; i < 20; i++)
		tell_event(conn, 2, "tick", 13);
	assert_int_equal(world.mutes, 1);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
	assert_int_equal(world.count, 1);
}

/* A download may be open when the run ends; what came of it is counted, once. */
static void the_end_of_a_run_counts_what_is_open_of_nobodys(void **state)
{
	for (int is_early = 0; is_early < 2; is_early++) {
		struct call_conn *conn = world_connect(&world);

		world.no_call_bytes = 0;
		tell_ask(conn, 1, (struct ask){ ELSEWHERE }, is_early ? "a=b" : "{\"x\":1}", 0);
		tell_response(conn, 1, 200, "text/html", 2);
		assert_int_equal(world.no_call_bytes, is_early ? 100 : 0);
		world.so_far[MESSAGE_RESPONSE] = (struct message_end){ .stream_bytes = 333 };
		call_flush(world.tracker, 40 * MS);
		assert_int_equal(world.no_call_bytes, 433);
		world.so_far[MESSAGE_RESPONSE] = (struct message_end){ 0 };
		tell_end(conn, 1, MESSAGE_RESPONSE, 500, 50);
		call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
		assert_int_equal(world.no_call_bytes, 433);
	}
	assert_int_equal(world.count, 0);
}

/* Whoever waits for a repetition asks whose it is. */
static void a_request_is_told_with_its_connection(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	assert_int_equal(world.asked, 1);
	assert_true(world.asked_conn.id);
	tell_answer(conn, 1, "{}", 2);
	assert_int_equal(world.asked_conn.id, world.told[0].call.conn.id);
	assert_int_equal(world.asked, 1);
}

/* Muting is for the connection: another exchange on it would go deaf. When that is over, the rest is muted. */
static void nothing_is_muted_beside_a_wanted_exchange(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_request(conn, 3, (struct ask){ .method = "GET", ELSEWHERE }, 1);
	assert_int_equal(world.mutes, 0);
	tell_answer(conn, 1, "{}", 2);
	assert_int_equal(world.mutes, 1);
	tell_request(conn, 5, (struct ask){ .method = "GET", ELSEWHERE }, 3);
	assert_int_equal(world.mutes, 2);
	assert_int_equal(world.count, 1);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
}

/* Where the next request begins the kernel could not tell, and the hole would cost the header table. */
static void http2_is_never_muted(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_request(conn, 1, (struct ask){ .version = "2", .method = "GET", ELSEWHERE }, 1);
	tell_ask(conn, 2, (struct ask){ .version = "2", ELSEWHERE }, "a=b", 2);
	assert_int_equal(world.mutes, 0);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
	assert_int_equal(world.count, 0);
}

static void tell_late(struct call_conn *conn, uint64_t number, enum message_kind kind, uint64_t ms)
{
	struct message_head head = {
		.kind = kind, .dir = kind == MESSAGE_REQUEST ? DIR_WRITE : DIR_READ, .is_late = true, .time_ns = ms * MS
	};

	call_on_head(conn, number, &head, 79);
}

static void joined_in_its_middle_it_is_still_a_call(void **state)
{
	struct message_end end = { .body_bytes = -1,
				   .stream_bytes = 30,
				   .missing_bytes = -1,
				   .missing_reasons = 1u << MISSING_JOINED_LATE,
				   .time_ns = 9 * MS };
	struct call_conn *conn = world_connect(&world);
	const struct call *call = &world.told[0].call;

	tell_late(conn, 1, MESSAGE_RESPONSE, 5);
	tell_event(conn, 1, "{\"fake\":1,\"text\":1}", 6);
	tell_event(conn, 1, "{\"text\":2}", 7);
	call_on_end(conn, 1, MESSAGE_RESPONSE, &end);
	assert_int_equal(world.count, 1);
	assert_true(call->request_is_late && call->response_is_late);
	assert_false(call->is_complete);
	assert_int_equal(call->end, CALL_END_COMPLETE);
	assert_int_equal(call->request_end.missing_bytes, -1);
	assert_int_equal(call->request_end.body_bytes, -1);
	assert_int_equal(call->request_end.missing_reasons, 1u << MISSING_JOINED_LATE);
	assert_int_equal(call->response_end.missing_reasons, 1u << MISSING_JOINED_LATE);
	assert_int_equal(call->events, 2);
	assert_int_equal(call->thread, 79);
	assert_int_equal(call->request_start_ns, 0);
	assert_int_equal(call->status, 0);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
	assert_int_equal(world.count, 1);
}

/* The answer is whole, its request was missed; then the other way round. */
static void half_an_exchange_is_a_call(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_answer(conn, 1, "{\"fake\":1}", 5);
	assert_int_equal(world.count, 1);
	assert_true(world.told[0].call.request_is_late);
	assert_false(world.told[0].call.response_is_late || world.told[0].call.is_complete);
	assert_int_equal(world.told[0].call.status, 200);
	tell_late(conn, 2, MESSAGE_REQUEST, 10);
	tell_body(conn, 2, MESSAGE_REQUEST, "lf\"}", 11);
	tell_end(conn, 2, MESSAGE_REQUEST, 40, 11);
	tell_answer(conn, 2, "{\"fake\":1}", 12);
	assert_int_equal(world.count, 2);
	assert_true(world.told[1].call.request_is_late);
	assert_false(world.told[1].call.is_complete);
	/* an answer that no dialect knows */
	tell_answer(conn, 3, "<html>", 20);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.no_call_bytes, 200);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
}

static void what_is_of_no_exchange_is_counted(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_body(conn, 9, MESSAGE_REQUEST, "{}", 1);
	call_on_hole(conn, 9, MESSAGE_RESPONSE, MISSING_FAULT, 1);
	tell_end(conn, 9, MESSAGE_RESPONSE, 33, 2);
	assert_int_equal(world.shed_bytes, 33);
	/* ends, heads and parts that are told twice change nothing */
	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_request(conn, 1, (struct ask){ ELSEWHERE }, 3);
	tell_body(conn, 1, MESSAGE_REQUEST, "xx", 3);
	tell_end(conn, 1, MESSAGE_REQUEST, 1000, 3);
	tell_answer(conn, 1, "{}", 4);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].request, "{}");
	assert_string_equal(world.told[0].path, "/v1/fake");
	assert_int_equal(world.told_bytes, 300);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
	assert_int_equal(world.no_call_bytes, 0);
	assert_int_equal(world.shed_bytes, 33);
}

/* A client that pipelines for ever costs a bounded amount, and the connection is of use again afterwards. */
static void open_exchanges_are_bounded(void **state)
{
	struct call_conn *conn = world_connect(&world);

	for (uint64_t n = 0; n < 3000; n++) {
		tell_request(conn, n, (struct ask){ .method = "GET", ELSEWHERE }, n);
		tell_end(conn, n, MESSAGE_REQUEST, 1, n);
	}
	assert_true(world.memory.used < 100 << 10);
	for (uint64_t n = 0; n < 1000; n++)
		tell_end(conn, n, MESSAGE_RESPONSE, 1, n);
	tell_ask(conn, 5000, (struct ask){ 0 }, "{}", 0);
	tell_answer(conn, 5000, "{}", 2);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.no_call_bytes + world.shed_bytes, 4000);
	assert_int_equal(world.shed_bytes, 3000 - 1024);
	call_conn_close(conn, CLOSE_LOCAL, 50 * MS);
}

/* ---- HTTP/2, which cannot be muted ---- */

enum { STRANGERS = 64, STRANGE_BYTES = 100000 };

/* An exchange of nobody's: 100 bytes asked, STRANGE_BYTES answered. */
static void strange_ask_tell(struct call_conn *conn, uint64_t number, struct ask ask)
{
	tell_ask(conn, number, ask, "a=b", number);
	tell_response(conn, number, 200, "text/plain", number);
	tell_end(conn, number, MESSAGE_RESPONSE, STRANGE_BYTES, number);
}

static void strange_tell(struct call_conn *conn, uint64_t number, const char *target)
{
	strange_ask_tell(conn, number, (struct ask){ .version = "2", .target = target });
}

static void many_strangers_are_the_end_of_a_connection(void **state)
{
	struct call_conn *conn = world_connect(&world);

	for (uint64_t number = 1; number < STRANGERS; number++)
		strange_tell(conn, number, "/api/other");
	assert_int_equal(world.denies, 0);
	strange_tell(conn, STRANGERS, "/api/other");
	assert_int_equal(world.denies, 1);
	/* What was on its way then is counted, and nothing is said again. */
	strange_tell(conn, STRANGERS + 1, "/api/other");
	assert_int_equal(world.denies, 1);
	assert_int_equal(world.no_call_bytes, (STRANGERS + 1) * (100 + STRANGE_BYTES));
	assert_int_equal(world.mutes, 0);
	call_conn_close(conn, CLOSE_LOCAL, 999 * MS);
}

static void small_strangers_cost_nothing(void **state)
{
	struct call_conn *conn = world_connect(&world);

	for (uint64_t number = 1; number < 10 * STRANGERS; number++) {
		tell_request(conn, number, (struct ask){ .method = "GET", .version = "2", ELSEWHERE }, number);
		tell_end(conn, number, MESSAGE_REQUEST, 40, number);
		tell_answer(conn, number, "{}", number);
	}
	assert_int_equal(world.denies, 0);
	call_conn_close(conn, CLOSE_LOCAL, 9999 * MS);
}

/* Wherever among the strangers a call comes, even if it is still open: the connection is kept for good. */
static void a_connection_that_had_a_call_is_never_denied(void **state)
{
	for (uint64_t at = 1; at <= STRANGERS; at += 9) {
		struct call_conn *conn = world_connect(&world);

		for (uint64_t number = 1; number <= 4 * STRANGERS; number++)
			strange_tell(conn, number, number == at ? "/v1/fake" : "/api/other");
		assert_int_equal(world.denies, 0);
		call_conn_close(conn, CLOSE_LOCAL, 9999 * MS);
	}
}

static void an_open_exchange_may_become_the_first_call(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_request(conn, 1, (struct ask){ .version = "2", ELSEWHERE }, 1);
	tell_body(conn, 1, MESSAGE_REQUEST, "{\"model\":\"m\"}", 1);
	tell_end(conn, 1, MESSAGE_REQUEST, 100, 1);
	for (uint64_t number = 2; number <= 2 * STRANGERS; number++)
		strange_tell(conn, number, "/api/other");
	assert_int_equal(world.denies, 0);
	tell_answer(conn, 1, "{\"nothing\":1}", 500);
	assert_int_equal(world.denies, 1);
	call_conn_close(conn, CLOSE_LOCAL, 999 * MS);
}

/* Heads that were missed, and bodies with holes, say nothing of what the connection is for. */
static void what_was_missed_is_no_stranger(void **state)
{
	struct call_conn *conn = world_connect(&world);

	for (uint64_t number = 1; number <= 4 * STRANGERS; number++) {
		bool is_late = number & 1;

		tell_request(conn, number, (struct ask){ .version = "2", .target = is_late ? "" : "/api/other" }, 1);
		if (!is_late)
			call_on_hole(conn, number, MESSAGE_REQUEST, MISSING_RING_FULL, 1);
		tell_end(conn, number, MESSAGE_REQUEST, 100, 1);
		tell_response(conn, number, 200, "text/plain", 2);
		tell_end(conn, number, MESSAGE_RESPONSE, STRANGE_BYTES, 2);
	}
	assert_int_equal(world.denies, 0);
	call_conn_close(conn, CLOSE_LOCAL, 999 * MS);
}

/* Files that are sent before they are asked about. */
static void a_host_that_serves_models_has_no_strangers(void **state)
{
	const char *const versions[] = { "2", "1.1" };

	for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
		struct call_conn *conn = world_connect(&world);
		struct ask ask = { .version = versions[v], .target = "/files", .authority = "api.fake.test" };

		for (uint64_t number = 1; number <= 4 * STRANGERS; number++)
			strange_ask_tell(conn, number, ask);
		assert_int_equal(world.denies + world.mutes_alike, 0);
		call_conn_close(conn, CLOSE_LOCAL, 999 * MS);
	}
}

/* ---- HTTP/1, of which requests can be muted that are alike ---- */

static void many_strangers_that_are_alike_are_muted(void **state)
{
	struct call_conn *conn = world_connect(&world);
	struct ask ask = { .target = "/api/other" };

	for (uint64_t number = 1; number < STRANGERS; number++)
		strange_ask_tell(conn, number, ask);
	assert_int_equal(world.mutes_alike, 0);
	strange_ask_tell(conn, STRANGERS, ask);
	assert_int_equal(world.mutes_alike, 1);
	strange_ask_tell(conn, STRANGERS + 1, ask);
	assert_int_equal(world.mutes_alike, 1);
	assert_int_equal(world.denies, 0);
	call_conn_close(conn, CLOSE_LOCAL, 999 * MS);
}

/* What was on its way when they were muted must not undo it: a mute of one exchange would take its place. */
static void those_that_are_behind_do_not_undo_it(void **state)
{
	struct call_conn *conn = world_connect(&world);
	unsigned mutes;

	for (uint64_t number = 1; number <= 2 * STRANGERS; number++) {
		tell_request(conn, number, (struct ask){ .method = "GET", .target = "/file" }, 1);
		tell_end(conn, number, MESSAGE_REQUEST, 40, 1);
		tell_response(conn, number, 200, "text/plain", 2);
		tell_end(conn, number, MESSAGE_RESPONSE, STRANGE_BYTES, 2);
		assert_int_equal(world.mutes, MIN(number, (uint64_t)STRANGERS));
	}
	assert_int_equal(world.mutes_alike, 1);
	mutes = world.mutes;
	tell_request(conn, 500, (struct ask){ .method = "GET", .target = "/other" }, 3);
	assert_int_equal(world.mutes, mutes + 1);
	call_conn_close(conn, CLOSE_LOCAL, 999 * MS);
}

static void those_that_are_not_alike_are_copied(void **state)
{
	struct call_conn *conn = world_connect(&world);
	char target[2][160] = { "/api/one", "/api/two" };

	for (uint64_t number = 1; number <= 4 * STRANGERS; number++)
		strange_ask_tell(conn, number, (struct ask){ .target = target[number & 1] });
	/* Longer than the kernel side compares. */
	memset(target[0], 'x', sizeof(target[0]) - 1);
	for (uint64_t number = 1000; number <= 1000 + 2 * STRANGERS; number++)
		strange_ask_tell(conn, number, (struct ask){ .target = target[0] });
	assert_int_equal(world.mutes_alike, 0);
	call_conn_close(conn, CLOSE_LOCAL, 999 * MS);
}

static void a_connection_that_had_a_call_mutes_nothing_for_good(void **state)
{
	struct call_conn *conn = world_connect(&world);

	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 1);
	tell_answer(conn, 1, "{}", 1);
	for (uint64_t number = 2; number <= 4 * STRANGERS; number++)
		strange_ask_tell(conn, number, (struct ask){ .target = "/api/other" });
	assert_int_equal(world.mutes_alike, 0);
	call_conn_close(conn, CLOSE_LOCAL, 999 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_get_is_dropped_at_its_head),
		world_test(a_get_that_a_dialect_wants_is_kept),
		world_test(a_large_upload_is_dropped_before_its_end),
		world_test(a_json_post_waits_for_what_the_answer_tells),
		world_test(a_stream_that_nobody_knows_is_dropped_after_a_few_events),
		world_test(the_end_of_a_run_counts_what_is_open_of_nobodys),
		world_test(nothing_is_muted_beside_a_wanted_exchange),
		world_test(http2_is_never_muted),
		world_test(joined_in_its_middle_it_is_still_a_call),
		world_test(half_an_exchange_is_a_call),
		world_test(a_request_is_told_with_its_connection),
		world_test(what_is_of_no_exchange_is_counted),
		world_test(open_exchanges_are_bounded),
		world_test(many_strangers_are_the_end_of_a_connection),
		world_test(small_strangers_cost_nothing),
		world_test(a_connection_that_had_a_call_is_never_denied),
		world_test(an_open_exchange_may_become_the_first_call),
		world_test(what_was_missed_is_no_stranger),
		world_test(a_host_that_serves_models_has_no_strangers),
		world_test(many_strangers_that_are_alike_are_muted),
		world_test(those_that_are_behind_do_not_undo_it),
		world_test(those_that_are_not_alike_are_copied),
		world_test(a_connection_that_had_a_call_mutes_nothing_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
