/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: whichever request for memory is refused, all of it comes back, the bytes still add up and no call
 * that lost something says that it is complete; a body beyond its budget is cut and said to be; and no order of
 * events, however senseless, does harm.
 */
#include "unit/call/world.h"

static void big_body(struct call_conn *conn, uint64_t number, enum message_kind kind, size_t len)
{
	char text[10000];

	memset(text, 'x', sizeof(text));
	text[0] = '{';
	for (; len; len -= MIN(len, sizeof(text)))
		tell_part(conn, number, kind, PART_BYTES, (struct slice){ text, MIN(len, sizeof(text)) }, 1);
}

/* Three calls of every sort, and one that is none: 1400 bytes in all. */
static void session(bool *ret_opened)
{
	static const struct header headers[] = { { SLICE("user-agent"), SLICE("agent/1") },
						 { SLICE("authorization"), SLICE("Bearer sk") } };
	struct ask ask = { .target = "/v%31/fake?alt=sse", .headers = headers, .header_count = 2 };
	struct call_conn *conn = world_connect(&world);

	*ret_opened = conn;
	if (!conn)
		return;
	tell_request(conn, 1, ask, 0);
	big_body(conn, 1, MESSAGE_REQUEST, 30000);
	tell_response(conn, 1, 200, "text/event-stream", 2);
	tell_event(conn, 1, "{\"text\":1}", 3);
	tell_end(conn, 1, MESSAGE_REQUEST, 100, 3);
	for (int i = 0; i < 200; i++)
		tell_event(conn, 1, "{\"text\":2}", 4);
	tell_event(conn, 1, "[DONE]", 5);
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 5);
	tell_ask(conn, 2, (struct ask){ .target = "/x" }, "{}", 10);
	tell_answer(conn, 2, "<html>", 12);
	tell_ask(conn, 3, ask, "{}", 20);
	tell_response(conn, 3, 200, "application/json", 21);
	big_body(conn, 3, MESSAGE_RESPONSE, 30000);
	tell_end(conn, 3, MESSAGE_RESPONSE, 200, 22);
	tell_ask(conn, 4, ask, "{}", 30);
	tell_response(conn, 4, 200, "application/json", 31);
	tell_body(conn, 4, MESSAGE_RESPONSE, "{\"fake\":", 32);
	tell_end(conn, 4, MESSAGE_RESPONSE, 200 - 100, 33);
	call_conn_close(conn, CLOSE_LOCAL, 40 * MS);
}

static bool call_is_whole(const struct told *told)
{
	size_t streamed = strlen("{\"text\":1}") * 201;

	if (told->call.is_stream)
		return told->call.events == 201 && strlen(told->outputs) == streamed &&
		       told->call.request_body.len == 30000 && strlen(told->credential) == 2;
	return strcmp(told->request, "{}") == 0 && strcmp(told->host, "api.example") == 0 &&
	       (told->call.response_body.len == 30000 || told->call.response_body.len == 8);
}

static void every_refusal_is_survived_and_told(bool is_sticky)
{
	uint64_t needed;
	bool opened;

	world = (struct world){ 0 };
	assert_true(world_open(&world));
	session(&opened);
	assert_int_equal(world.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(world.told[i].call.is_complete && call_is_whole(&world.told[i]));
	assert_int_equal(world.told_bytes + world.no_call_bytes, 600 + 300 + 300 + 200);
	needed = world.memory.taken;
	world_close(&world);
	for (uint64_t nth = 1; nth <= needed; nth++) {
		world = (struct world){ .memory = { .fail_at = nth, .is_sticky = is_sticky } };
		if (!world_open(&world))
			continue;
		session(&opened);
		if (opened)
			assert_int_equal(world.told_bytes + world.no_call_bytes + world.shed_bytes, 1400);
		for (size_t i = 0; i < world.count; i++)
			if (world.told[i].call.is_complete && !call_is_whole(&world.told[i]))
				fail_msg("refusal %llu: call %zu is not complete", (unsigned long long)nth, i);
		world_close(&world);
	}
}

static void one_refusal_is_survived_and_told(void **state)
{
	every_refusal_is_survived_and_told(false);
}

static void no_more_memory_is_survived_and_told(void **state)
{
	every_refusal_is_survived_and_told(true);
}

/* A call may have 1 MiB here; the body that outgrows it is cut, the rest of the call is as good as ever. */
static void a_body_beyond_its_budget_is_cut_and_told(void **state)
{
	for (enum message_kind big = 0; big < _MESSAGE_MAX; big++) {
		const struct call *call = &world.told[0].call;
		const struct message_end *ends[] = { &call->request_end, &call->response_end };
		struct call_conn *conn;

		world = (struct world){ 0 };
		assert_true(world_open(&world));
		conn = world_connect(&world);
		tell_request(conn, 1, (struct ask){ 0 }, 0);
		big_body(conn, 1, MESSAGE_REQUEST, big == MESSAGE_REQUEST ? 2000000 : 10);
		tell_end(conn, 1, MESSAGE_REQUEST, 2000100, 2);
		tell_response(conn, 1, 200, "application/json", 3);
		big_body(conn, 1, MESSAGE_RESPONSE, big == MESSAGE_RESPONSE ? 2000000 : 10);
		assert_true(world.memory.used <= WORLD_CALL_BYTES + 8192);
		tell_end(conn, 1, MESSAGE_RESPONSE, 2000100, 4);
		call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
		assert_int_equal(world.count, 1);
		assert_false(call->is_complete);
		assert_int_equal(ends[big]->missing_reasons, 1u << MISSING_BUDGET);
		assert_int_equal(ends[!big]->missing_reasons, 0);
		assert_int_equal(ends[!big]->missing_bytes, 0);
		assert_int_equal(ends[big]->shed_bytes, ends[big]->missing_bytes);
		assert_int_equal(ends[!big]->shed_bytes, 0);
		assert_int_equal((big ? call->response_body : call->request_body).len +
					 (uint64_t)ends[big]->missing_bytes,
				 2000000);
		assert_true(ends[big]->missing_bytes < 1500000);
		assert_int_equal(call->end, CALL_END_COMPLETE);
		world_close(&world);
	}
}

/* The events of a cut stream go on being counted when there is no room for their text. */
static void a_stream_beyond_its_budget_goes_on(void **state)
{
	struct call_conn *conn;

	world = (struct world){ 0 };
	assert_true(world_open(&world));
	conn = world_connect(&world);
	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_response(conn, 1, 200, "text/event-stream", 2);
	for (int i = 0; i < 2000; i++)
		tell_event(conn, 1, "{\"text\":\"some words\"}", 3);
	tell_event(conn, 1, "[DONE]", 4);
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 5);
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.events, 2000);
	assert_true(world.told[0].call.ended_itself);
	/* The fake dialect copies all its text for each event: it ran out of its arena, and that is said. */
	assert_false(world.told[0].call.is_complete);
	assert_int_equal(world.told[0].call.response_end.missing_reasons, 1u << MISSING_BUDGET);
	world_close(&world);
}

/* What was given up for lack of memory may have been a call: its answer goes on being read, and is told as lost to that. */
static void the_answer_to_what_was_given_up_is_not_muted(void **state)
{
	unsigned given_up = 0;

	for (uint64_t nth = 1, needed = 1; nth <= needed; nth++) {
		struct call_conn *conn;

		world = (struct world){ .memory = { .fail_at = nth } };
		conn = world_open(&world) ? world_connect(&world) : NULL;
		if (conn) {
			tell_ask(conn, 1, (struct ask){ .target = "/x" }, "{}", 0);
			given_up += world.shed_bytes > 0;
			tell_answer(conn, 1, "<html>", 2);
			call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
			assert_true(!world.shed_bytes || !world.mutes);
			assert_int_equal(world.no_call_bytes + world.shed_bytes, 300);
		}
		needed = MAX(needed, world.memory.taken + (conn ? 0 : 1));
		if (world.tracker)
			world_close(&world);
	}
	assert_true(given_up > 0);
}

static void random_event(struct call_conn *conn, uint64_t *random, uint64_t ms)
{
	static const char *const texts[] = {
		"{\"model\":1}", "{\"fake\":1}", "{\"text\":1}", "[DONE]", "{\"last\":1}", "x", "", "{\"words\":1}"
	};
	static const char *const targets[] = { "/v1/fake", "/other", "http://x/fake?key=1", "*", "" };
	static const char *const methods[] = { "POST", "GET", "PUT", "" };
	const char *text = texts[random_below(random, ARRAY_SIZE(texts))];
	enum message_kind kind = random_below(random, _MESSAGE_MAX);
	uint64_t number = random_below(random, 4);
	struct message_end end = { .how = random_below(random, 3),
				   .conn_how = random_below(random, 6),
				   .stream_bytes = 1,
				   .missing_bytes = (int64_t)random_below(random, 3) - 1,
				   .time_ns = ms * MS };
	struct ask ask = { .target = targets[random_below(random, ARRAY_SIZE(targets))],
			   .method = methods[random_below(random, ARRAY_SIZE(methods))],
			   .is_server = random_below(random, 2),
			   .version = random_below(random, 2) ? "2" : "1.1" };

	switch (random_below(random, 8)) {
	case 0:
		return tell_request(conn, number, ask, ms);
	case 1:
		return tell_response(conn, number, 200, text, ms);
	case 2:
	case 3:
		return tell_part(conn, number, kind, random_below(random, 3), slice_of(text), ms);
	case 4:
		return big_body(conn, number, kind, random_below(random, 20000));
	case 5:
		return call_on_hole(conn, number, kind, random_below(random, _MISSING_MAX), ms * MS);
	default:
		return call_on_end(conn, number, kind, &end);
	}
}

/* Four connections, two of them ends of each other; time runs back and forth. */
static void no_order_of_events_does_harm(void **state)
{
	uint64_t random = 88172645463325252;

	for (unsigned round = 0; round < 400; round++) {
		struct call_conn *conns[4] = { NULL };

		world = (struct world){ .memory = { .fail_at = round % 2 ? random_below(&random, 300) : 0 } };
		if (!world_open(&world))
			continue;
		for (unsigned i = 0; i < 300; i++) {
			size_t at = random_below(&random, 4);
			struct conn_info info = remote_conn(at / 2);
			struct endpoint local = info.peer.local;
			uint64_t ms = random_below(&random, 5000);

			if (at % 2) {
				info.peer.local = info.peer.remote;
				info.peer.remote = local;
			}
			memset(info.peer.local.address, 7, 4);
			memset(info.peer.remote.address, 7, 4);
			if (!conns[at])
				conns[at] = call_conn_open(world.tracker, &info);
			random_event(conns[at], &random, ms);
			if (random_below(&random, 20) == 0)
				call_conn_peer(conns[at], &info);
			if (random_below(&random, 20) == 0)
				call_tick(world.tracker, ms * 10 * MS);
			if (random_below(&random, 40) == 0) {
				call_conn_close(conns[at], random_below(&random, 6), ms * MS);
				conns[at] = NULL;
			}
		}
		if (round % 3)
			call_flush(world.tracker, 5000 * MS);
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_refusal_is_survived_and_told),
		cmocka_unit_test(no_more_memory_is_survived_and_told),
		cmocka_unit_test(a_body_beyond_its_budget_is_cut_and_told),
		cmocka_unit_test(a_stream_beyond_its_budget_goes_on),
		cmocka_unit_test(the_answer_to_what_was_given_up_is_not_muted),
		cmocka_unit_test(no_order_of_events_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
