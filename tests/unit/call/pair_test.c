/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: both ends of one connection give one call, in whatever order and however late they are known. */
#include "unit/call/world.h"

enum side { CLIENT, SERVER };
enum { ID_CLIENT = 11, ID_SERVER = 22 };

static struct conn_info no_peer(enum side side)
{
	return (struct conn_info){ .id = side == CLIENT ? ID_CLIENT : ID_SERVER, .kind = CAPTURE_OPENSSL };
}

static void inet(struct conn_info *info, enum address_family family, struct endpoint local, struct endpoint remote)
{
	info->peer = (struct peer){
		.family = family, .evidence = PEER_SOCKET, .local = local, .remote = remote, .netns = 7
	};
}

static const struct endpoint v4_client = { { 127, 0, 0, 1 }, 50000 }, v4_server = { { 127, 0, 0, 1 }, 8000 };
static const struct endpoint mapped_client = { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 }, 50000 };
static const struct endpoint mapped_server = { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 }, 8000 };

static struct conn_info loopback(enum side side)
{
	struct conn_info info = no_peer(side);

	if (side == CLIENT)
		inet(&info, ADDRESS_INET, v4_client, v4_server);
	else
		inet(&info, ADDRESS_INET, v4_server, v4_client);
	return info;
}

static struct conn_info mapped(enum side side)
{
	struct conn_info info = loopback(side);

	if (side == SERVER)
		inet(&info, ADDRESS_INET6, mapped_server, mapped_client);
	return info;
}

static struct conn_info own_address(enum side side)
{
	struct conn_info info = loopback(side);

	memcpy(info.peer.local.address, "\x0a\x01\x02\x03", 4);
	memcpy(info.peer.remote.address, "\x0a\x01\x02\x03", 4);
	return info;
}

static struct conn_info unix_pair(enum side side)
{
	struct conn_info info = no_peer(side);

	info.peer =
		(struct peer){ .family = ADDRESS_UNIX, .evidence = PEER_SOCKET, .socket = side == CLIENT ? 501 : 502 };
	/* Only the accepted end knows its peer here: one of the two is enough. */
	info.peer.unix_peer = side == SERVER ? 501 : 0;
	return info;
}

static struct call_conn *connect(struct conn_info info)
{
	return call_conn_open(world.tracker, &info);
}

static void ask_at(struct call_conn *conn, uint64_t number, enum side side, uint64_t ms)
{
	tell_ask(conn, number, (struct ask){ .is_server = side == SERVER }, "{}", ms);
}

/* Whose client is far away is asked itself. */
static void of_two_ends_the_client_alone_is_asked(void **state)
{
	struct conn_info far = loopback(SERVER);

	ask_at(connect(loopback(SERVER)), 1, SERVER, 0);
	assert_int_equal(world.asked, 0);
	ask_at(connect(loopback(CLIENT)), 1, CLIENT, 0);
	assert_int_equal(world.asked, 1);
	assert_int_equal(world.asked_conn.id, ID_CLIENT);
	assert_false(world.asked_conn.peer.is_accepted);
	far.peer.remote.address[0] = 10;
	ask_at(connect(far), 1, SERVER, 0);
	assert_int_equal(world.asked, 2);
	assert_true(world.asked_conn.peer.is_accepted);
}

static void assert_only_the_client(unsigned count)
{
	assert_int_equal(world.count, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(world.told[i].call.conn.id, ID_CLIENT);
		assert_int_equal(world.told[i].call.other.id, ID_SERVER);
		assert_false(world.told[i].call.conn.peer.is_accepted);
		assert_true(world.told[i].call.is_complete);
	}
	assert_int_equal(world.no_call_bytes, 0);
}

typedef struct conn_info info_maker(enum side);
static info_maker *const kinds[] = { loopback, mapped, own_address, unix_pair };

/* Both orders of opening and of ending, every kind of address; the call is told as soon as both were seen. */
static void both_ends_are_one_call(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds) * 4; i++) {
		info_maker *kind = kinds[i / 4];
		enum side first_open = i & 1, first_end = i >> 1 & 1;
		struct call_conn *conns[2];

		world.count = 0;
		conns[first_open] = connect(kind(first_open));
		conns[!first_open] = connect(kind(!first_open));
		ask_at(conns[CLIENT], 1, CLIENT, 10);
		ask_at(conns[SERVER], 1, SERVER, 11);
		tell_answer(conns[first_end], 1, "{}", 100);
		assert_int_equal(world.count, first_end == CLIENT);
		tell_answer(conns[!first_end], 1, "{}", 101);
		assert_only_the_client(1);
		call_conn_close(conns[first_end], CLOSE_LOCAL, 200 * MS);
		call_conn_close(conns[!first_end], CLOSE_REMOTE, 200 * MS);
		call_tick(world.tracker, 100000 * MS);
		call_flush(world.tracker, 100000 * MS);
		assert_only_the_client(1);
	}
}

static void many_on_one_connection_pair_in_order(void **state)
{
	struct call_conn *client = connect(loopback(CLIENT)), *server = connect(loopback(SERVER));

	for (uint64_t n = 1; n <= 20; n++) {
		ask_at(client, n, CLIENT, n * 10);
		ask_at(server, n, SERVER, n * 10);
		tell_answer(server, n, "{}", n * 10 + 2);
		if (n % 2)
			tell_answer(client, n, "{}", n * 10 + 3);
		else
			call_tick(world.tracker, (n * 10 + 2) * MS);
		if (n % 2 == 0)
			tell_answer(client, n, "{}", n * 10 + 4);
	}
	assert_only_the_client(20);
	call_conn_close(client, CLOSE_LOCAL, 500 * MS);
	call_conn_close(server, CLOSE_REMOTE, 500 * MS);
	call_flush(world.tracker, 600 * MS);
	assert_only_the_client(20);
}

static void alone_it_waits_and_is_told(void **state)
{
	static const struct {
		enum side side;
		info_maker *maker;
		enum capture_kind kind;
		bool waits;
	} rows[] = {
		{ SERVER, loopback, CAPTURE_OPENSSL, true }, { SERVER, no_peer, CAPTURE_OPENSSL, true },
		{ CLIENT, loopback, CAPTURE_OPENSSL, true }, { CLIENT, unix_pair, CAPTURE_PLAIN, true },
		{ CLIENT, no_peer, CAPTURE_PLAIN, true },    { CLIENT, no_peer, CAPTURE_OPENSSL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct conn_info info = rows[i].maker(rows[i].side);
		struct call_conn *conn;

		world.count = 0;
		info.kind = rows[i].kind;
		conn = connect(info);
		ask_at(conn, 1, rows[i].side, 10);
		tell_answer(conn, 1, "{}", 99);
		call_conn_close(conn, CLOSE_LOCAL, 150 * MS);
		call_tick(world.tracker, 2099 * MS);
		assert_int_equal(world.count, !rows[i].waits);
		call_tick(world.tracker, 2100 * MS);
		assert_int_equal(world.count, 1);
		assert_int_equal(world.told[0].call.conn.id, info.id);
		assert_int_equal(world.told[0].call.other.id, 0);
		assert_int_equal(world.told[0].call.conn.peer.is_accepted, rows[i].side == SERVER);
		call_tick(world.tracker, 90000 * MS);
		call_flush(world.tracker, 90000 * MS);
		assert_int_equal(world.count, 1);
	}
}

static void a_peer_on_another_host_is_not_waited_for(void **state)
{
	for (enum side side = CLIENT; side <= SERVER; side++) {
		struct conn_info info = remote_conn(30 + side);
		struct call_conn *conn = connect(info);

		ask_at(conn, 1, side, 10);
		tell_answer(conn, 1, "{}", 99);
		assert_int_equal(world.count, side + 1);
		call_conn_close(conn, CLOSE_LOCAL, 150 * MS);
	}
	call_flush(world.tracker, 90000 * MS);
	assert_int_equal(world.count, 2);
}

/* The server sent its last byte long ago; the client still reads. */
static void a_server_waits_while_its_client_is_at_it(void **state)
{
	struct call_conn *client = connect(loopback(CLIENT)), *server = connect(loopback(SERVER));

	ask_at(client, 1, CLIENT, 10);
	ask_at(server, 1, SERVER, 11);
	tell_answer(server, 1, "{}", 100);
	call_conn_close(server, CLOSE_LOCAL, 110 * MS);
	for (uint64_t ms = 2000; ms < 20000; ms += 500)
		call_tick(world.tracker, ms * MS);
	assert_int_equal(world.count, 0);
	tell_answer(client, 1, "{}", 20000);
	/* The intervals still overlap within the wait: the server's began when the client's was open. */
	assert_only_the_client(1);
	call_conn_close(client, CLOSE_REMOTE, 20001 * MS);
}

/* A client that was told alone is remembered: its server, late, is no second call. */
static void a_server_that_comes_late_is_still_known(void **state)
{
	struct call_conn *client = connect(loopback(CLIENT)), *server;

	ask_at(client, 1, CLIENT, 10);
	tell_answer(client, 1, "{}", 99);
	call_tick(world.tracker, 2200 * MS);
	assert_int_equal(world.count, 1);
	server = connect(loopback(SERVER));
	ask_at(server, 1, SERVER, 11);
	tell_answer(server, 1, "{}", 98);
	call_flush(world.tracker, 3000 * MS);
	assert_int_equal(world.count, 1);
	call_conn_close(client, CLOSE_REMOTE, 3000 * MS);
	call_conn_close(server, CLOSE_REMOTE, 3000 * MS);
}

/* Peers that are learnt late, by either side, before or after the call is over or its connection closed. */
static void peers_learnt_late_still_pair(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		enum side late = i & 1;
		bool before_end = i & 2, client_first = i & 4;
		struct conn_info known = loopback(late);
		struct call_conn *conns[2];

		world.count = 0;
		conns[late] = connect(no_peer(late));
		conns[!late] = connect(loopback(!late));
		ask_at(conns[CLIENT], 1, CLIENT, 10);
		ask_at(conns[SERVER], 1, SERVER, 11);
		if (before_end)
			call_conn_peer(conns[late], &known);
		tell_answer(conns[!client_first], 1, "{}", 99);
		tell_answer(conns[client_first], 1, "{}", 100);
		if (!before_end)
			call_conn_peer(conns[late], &known);
		assert_int_equal(world.count, 1);
		assert_int_equal(world.told[0].call.conn.id, ID_CLIENT);
		call_conn_close(conns[CLIENT], CLOSE_LOCAL, 150 * MS);
		call_conn_close(conns[SERVER], CLOSE_REMOTE, 150 * MS);
		call_flush(world.tracker, 200 * MS);
		assert_int_equal(world.count, 1);
	}
}

/* A failed call and its repetition, both waiting for their servers: the news of a peer does not change who is told first. */
static void calls_are_told_in_their_order_whatever_is_learnt_between(void **state)
{
	struct conn_info first = loopback(CLIENT), second = loopback(CLIENT);
	struct call_conn *conns[2];

	second.id = first.id + 100;
	second.peer.local.port++;
	conns[0] = connect(first);
	conns[1] = connect(second);
	ask_at(conns[0], 1, CLIENT, 10);
	tell_answer(conns[0], 1, "{}", 20);
	ask_at(conns[1], 1, CLIENT, 30);
	tell_answer(conns[1], 1, "{}", 40);
	call_conn_peer(conns[0], &first);
	assert_int_equal(world.count, 0);
	call_tick(world.tracker, 5000 * MS);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.told[0].call.conn.id, first.id);
	assert_int_equal(world.told[1].call.conn.id, second.id);
	call_conn_close(conns[0], CLOSE_LOCAL, 6000 * MS);
	call_conn_close(conns[1], CLOSE_LOCAL, 6000 * MS);
}

/* The second has nobody to wait for, the first has: it is told after the first all the same. */
static void a_call_is_not_told_before_an_earlier_one_of_its_process(void **state)
{
	struct conn_info first = loopback(CLIENT), second = remote_conn(first.id + 100);
	struct call_conn *conns[2];

	second.process = first.process;
	conns[0] = connect(first);
	conns[1] = connect(second);
	ask_at(conns[0], 1, CLIENT, 10);
	tell_answer(conns[0], 1, "{}", 20);
	ask_at(conns[1], 1, CLIENT, 30);
	tell_answer(conns[1], 1, "{}", 40);
	assert_int_equal(world.count, 0);
	call_tick(world.tracker, 5000 * MS);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.told[0].call.conn.id, first.id);
	call_conn_close(conns[0], CLOSE_LOCAL, 6000 * MS);
	call_conn_close(conns[1], CLOSE_LOCAL, 6000 * MS);
}

static void different(struct conn_info *info, unsigned what)
{
	switch (what) {
	case 0:
		info->peer.netns = 8;
		break;
	case 1:
		info->peer.remote.port++;
		break;
	case 2:
		info->peer.local.port++;
		break;
	case 3:
		info->peer.remote.address[3]++;
		break;
	default:
		break;
	}
}

/* One thing differs: these are two calls. The last rows are those of the exchange itself. */
static void others_are_not_taken_for_twins(void **state)
{
	for (unsigned what = 0; what < 8; what++) {
		struct conn_info info = loopback(SERVER);
		struct call_conn *client = connect(loopback(CLIENT)), *server;
		struct ask ask = { .is_server = what != 7, .target = what == 4 ? "/v2/fake" : NULL };

		world.count = 0;
		different(&info, what);
		server = connect(info);
		ask_at(client, 1, CLIENT, 10);
		tell_answer(client, 1, "{}", 90);
		tell_request(server, 1, ask, what == 5 ? 9000 : 11);
		tell_body(server, 1, MESSAGE_REQUEST, "{}", what == 5 ? 9000 : 11);
		tell_end(server, 1, MESSAGE_REQUEST, what == 6 ? 102 : 100, what == 5 ? 9000 : 11);
		tell_answer(server, 1, "{}", what == 5 ? 9090 : 90);
		call_conn_close(client, CLOSE_LOCAL, 150 * MS);
		call_conn_close(server, CLOSE_REMOTE, 150 * MS);
		call_flush(world.tracker, 99000 * MS);
		if (world.count != 2)
			fail_msg("difference %u was not seen", what);
		assert_int_equal(world.told[0].call.other.id, 0);
		assert_int_equal(world.told[1].call.other.id, 0);
	}
}

static void what_waits_is_bounded(void **state)
{
	struct call_conn *client = connect(loopback(CLIENT));
	size_t most;

	for (uint64_t n = 1; n <= 1200; n++) {
		ask_at(client, n, CLIENT, 10);
		tell_answer(client, n, "{}", 20);
	}
	most = world.memory.used;
	assert_int_equal(world.count, 1200 - 1024);
	for (uint64_t n = 1201; n <= 1300; n++) {
		ask_at(client, n, CLIENT, 10);
		tell_answer(client, n, "{}", 20);
	}
	assert_true(world.memory.used <= most);
	call_conn_close(client, CLOSE_LOCAL, 150 * MS);
	call_flush(world.tracker, 200 * MS);
	assert_int_equal(world.count, 1300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(both_ends_are_one_call),
		world_test(of_two_ends_the_client_alone_is_asked),
		world_test(many_on_one_connection_pair_in_order),
		world_test(alone_it_waits_and_is_told),
		world_test(a_peer_on_another_host_is_not_waited_for),
		world_test(a_server_waits_while_its_client_is_at_it),
		world_test(a_server_that_comes_late_is_still_known),
		world_test(peers_learnt_late_still_pair),
		world_test(a_call_is_not_told_before_an_earlier_one_of_its_process),
		world_test(calls_are_told_in_their_order_whatever_is_learnt_between),
		world_test(others_are_not_taken_for_twins),
		world_test(what_waits_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
