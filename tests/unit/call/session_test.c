/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a socket gives one call for each turn, whatever order and lanes the answers have; what belongs to no turn
 * is counted as of no call; holes, closes and missed ends are told on the turns they hit; both ends seen give one call.
 */
#include "unit/call/world.h"

/* Messages are words: "in…", "ctx…", "ask LANE", "ev KEY LANE", "new KEY LANE", "end KEY LANE", "say KEY", else nobody's. */
static void word_step(enum message_kind kind, const struct message_part *part, struct session_step *ret)
{
	struct slice rest = part->data, word = slice_cut(&rest, ' ');
	static const struct {
		struct slice word;
		enum session_is is;
	} words[] = {
		{ SLICE("in"), SESSION_INPUT }, { SLICE("ctx"), SESSION_CONTEXT }, { SLICE("snd"), SESSION_INPUT },
		{ SLICE("ask"), SESSION_OPEN }, { SLICE("ev"), SESSION_EVENT },    { SLICE("new"), SESSION_EVENT },
		{ SLICE("end"), SESSION_END },  { SLICE("say"), SESSION_EVENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (slice_equal(word, words[i].word))
			ret->is = words[i].is;
	if (slice_equal(word, SLICE("snd")))
		ret->sound_bytes = 5;
	if (ret->is == SESSION_CONTEXT)
		ret->key = slice_cut(&rest, ' ');
	if (ret->is == SESSION_OPEN)
		ret->lane = rest;
	if (ret->is != SESSION_EVENT && ret->is != SESSION_END)
		return;
	ret->key = slice_cut(&rest, ' ');
	if (slice_equal(ret->key, SLICE("-")))
		ret->key = SLICE_NONE;
	ret->lane = rest;
	ret->opens = slice_equal(word, SLICE("say"));
	ret->overtakes = slice_equal(word, SLICE("new"));
}

static unsigned word_recognise(const struct dialect_hint *hint)
{
	if (slice_ends(hint->path, SLICE("/two-way")))
		return slice_equal(hint->protocol, SLICE("websocket")) ? 0 : 50;
	if (!slice_equal(hint->protocol, SLICE("websocket")))
		return 0;
	return slice_ends(hint->path, SLICE("/socket")) || slice_starts(hint->response_body, SLICE("hello")) ? 50 : 0;
}

static const struct dialect_session list_session = { .is_list = true, .step = word_step };
static const struct dialect_session flat_session = { .step = word_step };
static struct dialect words = { .name = "words", .state_size = sizeof(struct fake_state) };

static const struct dialect *find(void *user, const struct dialect_hint *hint, unsigned *ret_score)
{
	*ret_score = word_recognise(hint);
	return *ret_score ? &words : NULL;
}

static const struct call_ops ops = {
	.find = find, .done = world_done, .verdict = world_verdict, .no_call = world_no_call, .shed = world_shed
};

static int setup(void **state)
{
	struct call_opts opts = { .alloc = &world.memory.alloc,
				  .call_bytes_max = WORLD_CALL_BYTES,
				  .pair_wait_ns = 2000 * MS,
				  .idle_ns = 1800 * 1000 * MS };

	world = (struct world){ 0 };
	world.memory.alloc.resize = fail_alloc_resize;
	words.request = fake_request;
	words.event = fake_event;
	words.session = &list_session;
	return call_tracker_new(&opts, &ops, &world, &world.tracker);
}

static int teardown(void **state)
{
	world_close(&world);
	return 0;
}

static const struct header upgrade = { SLICE("upgrade"), SLICE("websocket") };

static void open_on(struct call_conn *conn, const char *target)
{
	struct message_head head = {
		.kind = MESSAGE_RESPONSE, .dir = DIR_READ, .version = SLICE("1.1"), .status = 101, .time_ns = 1 * MS
	};

	tell_request(conn, 1, (struct ask){ .method = "GET", .target = target, .headers = &upgrade, .header_count = 1 },
		     0);
	call_on_head(conn, 1, &head, 78);
}

static struct call_conn *opened(const char *target)
{
	struct call_conn *conn = world_connect(&world);

	open_on(conn, target);
	return conn;
}

/* Ten bytes on the wire each. */
static void tell(struct call_conn *conn, enum message_kind kind, const char *text, uint64_t ms)
{
	char *copy = strdup(text);
	struct message_part part = { .kind = PART_MESSAGE,
				     .type = SLICE("text"),
				     .data = slice_of(copy),
				     .time_ns = ms * MS,
				     .stream_bytes = 10 };

	call_on_part(conn, 1, kind, &part);
	free(copy);
}

#define SENT(text, ms) tell(conn, MESSAGE_REQUEST, (text), (ms))
#define GOT(text, ms)  tell(conn, MESSAGE_RESPONSE, (text), (ms))

/* 1000 bytes each way, handshake and all. */
static void closed(struct call_conn *conn, enum close_how how, uint64_t ms)
{
	for (enum message_kind kind = 0; kind < _MESSAGE_MAX; kind++) {
		struct message_end end = {
			.how = MESSAGE_END_CUT, .conn_how = how, .stream_bytes = 1000, .time_ns = ms * MS
		};

		call_on_end(conn, 1, kind, &end);
	}
	call_conn_close(conn, how, ms * MS);
	assert_int_equal(world.told_bytes + world.no_call_bytes, 2000);
}

static void a_call_for_each_turn(void **state)
{
	struct call_conn *conn = opened("/v1/socket");
	const struct call *call = &world.told[1].call;

	SENT("ctx a one", 2);
	SENT("ctx a two", 3);
	SENT("in first", 4);
	SENT("snd", 4);
	SENT("snd", 4);
	SENT("ask", 5);
	GOT("limits", 6);
	GOT("ev r1", 7);
	GOT("end r1", 8);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].request, "[ctx a two,in first,{\"sound_bytes\":10},ask]");
	assert_string_equal(world.told[0].outputs, "ev r1end r1");
	assert_int_equal(world.told[0].call.request_end.stream_bytes, 60);
	assert_int_equal(world.told[0].call.response_end.stream_bytes, 20);
	SENT("ask", 10);
	GOT("ev - ", 20);
	GOT("end - ", 30);
	assert_int_equal(world.count, 2);
	assert_string_equal(world.told[1].request, "[ctx a two,ask]");
	assert_string_equal(world.told[1].path, "/v1/socket");
	assert_true(call->is_complete && call->end == CALL_END_COMPLETE && call->is_stream);
	assert_int_equal(call->request_start_ns, 10 * MS);
	assert_int_equal(call->response_start_ns, 20 * MS);
	assert_int_equal(call->end_ns, 30 * MS);
	assert_int_equal(call->status, 101);
	assert_int_equal(call->thread, 77);
	closed(conn, CLOSE_LOCAL, 40);
	assert_int_equal(world.count, 2);
}

/* One thread writes, another reads: the answer may be told first. */
static void an_answer_may_be_told_before_its_request(void **state)
{
	struct call_conn *conn = opened("/v1/socket");

	GOT("say r1", 7);
	GOT("limits", 8);
	GOT("end r1", 8);
	assert_int_equal(world.count, 0);
	SENT("ask", 5);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].request, "[ask]");
	assert_string_equal(world.told[0].outputs, "say r1end r1");
	assert_int_equal(world.told[0].call.response_start_ns, 7 * MS);
	/* Younger requests have nothing to do with it, and nobody is waited for forever. */
	GOT("say r2", 10);
	GOT("end r2", 11);
	SENT("ask", 12);
	assert_int_equal(world.count, 2);
	assert_string_equal(world.told[1].request, "[]");
	GOT("end r3", 13);
	assert_int_equal(world.count, 3);
	assert_string_equal(world.told[2].request, "[ask]");
	GOT("say r4", 20);
	GOT("end r4", 21);
	call_tick(world.tracker, 200 * MS);
	assert_int_equal(world.count, 3);
	call_tick(world.tracker, 221 * MS);
	assert_int_equal(world.count, 4);
	GOT("say r5", 300);
	closed(conn, CLOSE_LOCAL, 310);
	assert_int_equal(world.count, 5);
}

static void lanes_and_keys_keep_turns_apart(void **state)
{
	struct call_conn *conn = opened("/v1/socket");

	SENT("ask A", 1);
	SENT("ask B", 2);
	SENT("ask A", 3);
	GOT("ev b1 B", 4);
	GOT("ev a1 A", 5);
	GOT("ev - A", 6);
	GOT("end b1 B", 7);
	GOT("end - A", 8);
	GOT("ev - A", 9);
	GOT("end a2 A", 10);
	assert_int_equal(world.count, 3);
	assert_string_equal(world.told[0].outputs, "ev b1 Bend b1 B");
	assert_string_equal(world.told[1].outputs, "ev a1 Aev - Aend - A");
	assert_string_equal(world.told[2].outputs, "ev - Aend a2 A");
	closed(conn, CLOSE_LOCAL, 40);
}

static void a_server_may_open_a_turn(void **state)
{
	struct call_conn *conn = opened("/v1/socket");

	SENT("snd", 4);
	GOT("say r1", 7);
	GOT("end r1", 8);
	GOT("end r9", 9); /* of no turn */
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].request, "[{\"sound_bytes\":5}]");
	assert_int_equal(world.told[0].call.request_start_ns, 4 * MS);
	assert_true(world.told[0].call.is_complete);
	closed(conn, CLOSE_LOCAL, 40);
}

static void the_message_alone_where_requests_are_flat(void **state)
{
	struct call_conn *conn = opened("/v1/socket");

	words.session = &flat_session;
	SENT("in x", 1);
	SENT("ask", 2);
	GOT("end r", 3);
	assert_string_equal(world.told[0].request, "ask");
	closed(conn, CLOSE_LOCAL, 40);
}

static void a_close_in_mid_turn_is_told_from_the_clients_chair(void **state)
{
	static const struct {
		enum close_how how;
		enum call_end end;
	} ends[] = { { CLOSE_LOCAL, CALL_END_CLIENT_CANCEL },
		     { CLOSE_REMOTE, CALL_END_SERVER_CUT },
		     { CLOSE_RESET, CALL_END_RESET } };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct call_conn *conn = opened("/v1/socket");

		world.told_bytes = world.no_call_bytes = world.count = 0;
		SENT("ask", 2);
		GOT("ev r", 3);
		closed(conn, ends[i].how, 9);
		assert_int_equal(world.count, 1);
		assert_int_equal(world.told[0].call.end, ends[i].end);
		assert_int_equal(world.told[0].call.end_ns, 9 * MS);
	}
}

static void the_first_close_frame_tells_who_left(void **state)
{
	struct call_conn *conn = opened("/v1/socket");

	SENT("ask", 2);
	tell_end(conn, 1, MESSAGE_REQUEST, 500, 5);
	tell_end(conn, 1, MESSAGE_RESPONSE, 500, 6);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.end, CALL_END_CLIENT_CANCEL);
	assert_int_equal(world.told_bytes + world.no_call_bytes, 1000);
	call_conn_close(conn, CLOSE_REMOTE, 7 * MS);
}

static void a_hole_marks_the_turns_that_are_open(void **state)
{
	struct call_conn *conn = opened("/v1/socket");

	SENT("ask", 2);
	GOT("ev r1", 3);
	call_on_hole(conn, 1, MESSAGE_RESPONSE, MISSING_RING_FULL, 4 * MS);
	GOT("end r1", 5);
	call_on_hole(conn, 1, MESSAGE_REQUEST, MISSING_RING_FULL, 6 * MS);
	SENT("ask", 7);
	GOT("end r2", 8);
	SENT("ask", 9);
	GOT("end r3", 10);
	assert_int_equal(world.count, 3);
	assert_false(world.told[0].call.is_complete);
	assert_int_equal(world.told[0].call.response_end.missing_reasons, 1u << MISSING_RING_FULL);
	assert_false(world.told[1].call.is_complete);
	assert_int_equal(world.told[1].call.request_end.missing_reasons, 1u << MISSING_RING_FULL);
	assert_true(world.told[2].call.is_complete);
	closed(conn, CLOSE_LOCAL, 40);
}

static void a_turn_whose_end_was_missed_is_overtaken(void **state)
{
	struct call_conn *conn = opened("/v1/socket");

	SENT("ask", 2);
	SENT("ask", 3);
	GOT("new r1", 4);
	call_on_hole(conn, 1, MESSAGE_RESPONSE, MISSING_RING_FULL, 5 * MS);
	GOT("new r2", 6);
	assert_int_equal(world.count, 1);
	assert_false(world.told[0].call.is_complete);
	GOT("ev - ", 7);
	GOT("end r2", 8);
	assert_string_equal(world.told[1].outputs, "new r2ev - end r2");
	closed(conn, CLOSE_LOCAL, 40);
}

static void a_message_may_tell_whose_the_socket_is(void **state)
{
	struct call_conn *conn = opened("/elsewhere");

	SENT("in x", 1);
	GOT("hello", 2);
	SENT("ask", 3);
	GOT("end r", 4);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].request, "[in x,ask]");
	assert_int_equal(world.mutes, 0);
	closed(conn, CLOSE_LOCAL, 40);
}

static void a_socket_joined_late_is_one_too(void **state)
{
	struct call_conn *conn = world_connect(&world);

	for (enum message_kind kind = 0; kind < _MESSAGE_MAX; kind++) {
		struct message_head head = { .kind = kind, .is_late = true, .protocol = SLICE("websocket") };

		call_on_head(conn, 1, &head, 7);
	}
	GOT("ev r", 1); /* whose beginning was missed */
	GOT("hello", 2);
	SENT("ask", 3);
	GOT("end r", 4);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].request, "[ask]");
	closed(conn, CLOSE_LOCAL, 40);
}

/* As in a stream of HTTP/2: CONNECT, and the carrier names the protocol. */
static void a_carrier_may_name_the_protocol(void **state)
{
	struct call_conn *conn = world_connect(&world);
	struct message_head heads[] = {
		{ .kind = MESSAGE_REQUEST,
		  .dir = DIR_WRITE,
		  .version = SLICE("2"),
		  .method = SLICE("CONNECT"),
		  .target = SLICE("/elsewhere"),
		  .protocol = SLICE("websocket") },
		{ .kind = MESSAGE_RESPONSE,
		  .dir = DIR_READ,
		  .version = SLICE("2"),
		  .status = 200,
		  .protocol = SLICE("websocket") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		call_on_head(conn, 1, &heads[i], 7);
	GOT("hello", 2);
	SENT("ask", 3);
	GOT("end r", 4);
	assert_int_equal(world.mutes, 0);
	assert_int_equal(world.count, 1);
	assert_string_equal(world.told[0].path, "/elsewhere");
	closed(conn, CLOSE_LOCAL, 40);
}

static const struct header event_stream = { SLICE("content-type"), SLICE("application/vnd.amazon.eventstream") };

static struct call_conn *two_way(int status)
{
	struct call_conn *conn = world_connect(&world);
	struct message_head answer = { .kind = MESSAGE_RESPONSE,
				       .dir = DIR_READ,
				       .version = SLICE("2"),
				       .status = status,
				       .headers = &event_stream,
				       .header_count = 1 };

	tell_request(
		conn, 1,
		(struct ask){ .target = "/m/two-way", .version = "2", .headers = &event_stream, .header_count = 1 }, 0);
	call_on_head(conn, 1, &answer, 78);
	return conn;
}

/* No socket, but a request and an answer that come side by side. */
static void a_request_of_messages_is_a_session(void **state)
{
	struct call_conn *conn = two_way(200);

	SENT("ctx a one", 2);
	SENT("in two", 3);
	GOT("say r", 4);
	SENT("ask", 5);
	GOT("end r", 6);
	GOT("end s", 7);
	assert_int_equal(world.count, 2);
	assert_string_equal(world.told[0].request, "[ctx a one,in two]");
	assert_string_equal(world.told[1].request, "[ctx a one,ask]");
	assert_int_equal(world.told[0].call.protocol.len, 0);
	assert_int_equal(world.told[0].call.status, 200);
	closed(conn, CLOSE_LOCAL, 40);
}

/* What was sent into it belongs to the refused call. */
static void a_refused_session_is_a_call(void **state)
{
	struct call_conn *conn = two_way(403);

	SENT("ctx a one", 2);
	tell_body(conn, 1, MESSAGE_RESPONSE, "{\"message\":\"no\"}", 3);
	tell_end(conn, 1, MESSAGE_RESPONSE, 100, 4);
	tell_end(conn, 1, MESSAGE_REQUEST, 100, 5);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.status, 403);
	call_conn_close(conn, CLOSE_LOCAL, 40 * MS);
}

static void nobodys_socket_is_muted_soon(void **state)
{
	struct call_conn *conn = opened("/elsewhere");

	for (uint64_t i = 0; i < 20; i++)
		GOT("news", i);
	assert_int_equal(world.mutes, 1);
	closed(conn, CLOSE_LOCAL, 40);
	assert_int_equal(world.count, 0);
	assert_int_equal(world.no_call_bytes, 2000);
}

static void a_socket_lives_through_silence(void **state)
{
	struct call_conn *conn = opened("/v1/socket");

	SENT("ask", 2);
	call_tick(world.tracker, 4000ull * 1000 * MS);
	assert_int_equal(world.count, 1);
	assert_int_equal(world.told[0].call.end, CALL_END_UNKNOWN);
	SENT("ask", 4000 * 1000 + 1);
	GOT("end r2", 4000 * 1000 + 2);
	assert_int_equal(world.count, 2);
	assert_true(world.told[1].call.is_complete);
	closed(conn, CLOSE_LOCAL, 4000 * 1000 + 3);
}

static void both_ends_give_one_call_a_turn(void **state)
{
	struct call_conn *conns[2];
	uint64_t ms = 1;

	for (int server = 0; server < 2; server++) {
		struct conn_info info = remote_conn(1 + server);
		struct endpoint here = { .address = { 127, 0, 0, 1 }, .port = 5000 },
				there = { .address = { 127, 0, 0, 1 }, .port = 443 };
		struct message_head heads[] = {
			{ .kind = MESSAGE_REQUEST,
			  .dir = server ? DIR_READ : DIR_WRITE,
			  .version = SLICE("1.1"),
			  .method = SLICE("GET"),
			  .target = SLICE("/socket"),
			  .headers = &upgrade,
			  .header_count = 1 },
			{ .kind = MESSAGE_RESPONSE,
			  .dir = server ? DIR_WRITE : DIR_READ,
			  .version = SLICE("1.1"),
			  .status = 101 },
		};

		info.peer.local = server ? there : here;
		info.peer.remote = server ? here : there;
		conns[server] = call_conn_open(world.tracker, &info);
		call_on_head(conns[server], 1, &heads[0], 1);
		call_on_head(conns[server], 1, &heads[1], 1);
	}
	for (int turn = 0; turn < 3; turn++) {
		char end[] = "end r0";

		end[5] += turn;
		for (int i = 0; i < 2; i++)
			tell(conns[(i + turn) % 2], MESSAGE_REQUEST, "ask", ms++);
		for (int i = 0; i < 2; i++)
			tell(conns[i], MESSAGE_RESPONSE, end, ms++);
	}
	call_flush(world.tracker, ms * MS);
	assert_int_equal(world.count, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(world.told[i].call.conn.id, 1);
		assert_int_equal(world.told[i].call.other.id, 2);
	}
	call_conn_close(conns[0], CLOSE_LOCAL, ms * MS);
	call_conn_close(conns[1], CLOSE_REMOTE, ms * MS);
}

static void failing_memory_is_survived(void **state)
{
	for (uint64_t fail = 1; fail < 120; fail++) {
		struct call_conn *conn;

		world_close(&world);
		setup(state);
		world.memory.fail_at = fail;
		conn = opened("/v1/socket");
		SENT("ctx a one", 1);
		SENT("in x", 1);
		SENT("ask", 2);
		GOT("ev r", 3);
		SENT("ask", 4);
		GOT("end r", 5);
		call_conn_close(conn, CLOSE_LOCAL, 9 * MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_call_for_each_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(an_answer_may_be_told_before_its_request, setup, teardown),
		cmocka_unit_test_setup_teardown(lanes_and_keys_keep_turns_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_server_may_open_a_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(the_message_alone_where_requests_are_flat, setup, teardown),
		cmocka_unit_test_setup_teardown(a_close_in_mid_turn_is_told_from_the_clients_chair, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_close_frame_tells_who_left, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hole_marks_the_turns_that_are_open, setup, teardown),
		cmocka_unit_test_setup_teardown(a_turn_whose_end_was_missed_is_overtaken, setup, teardown),
		cmocka_unit_test_setup_teardown(a_message_may_tell_whose_the_socket_is, setup, teardown),
		cmocka_unit_test_setup_teardown(a_socket_joined_late_is_one_too, setup, teardown),
		cmocka_unit_test_setup_teardown(a_carrier_may_name_the_protocol, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_of_messages_is_a_session, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_session_is_a_call, setup, teardown),
		cmocka_unit_test_setup_teardown(nobodys_socket_is_muted_soon, setup, teardown),
		cmocka_unit_test_setup_teardown(a_socket_lives_through_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(both_ends_give_one_call_a_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(failing_memory_is_survived, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
