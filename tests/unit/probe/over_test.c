/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proven: of connections whose end nobody told, those are over that cannot go on, and no others; how they ended is not made up; and a
 * socket is over when its process holds it no more.
 */
#include "base/slice.h"
#include "probe/over.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

static const uint64_t second = 1000000000;
static const struct probe_sweep any = { .quiet_ns = 2000000000 };

static uint32_t pid_here(void)
{
	return (uint32_t)getpid();
}

static void what_cannot_go_on_is_over(void **state)
{
	const struct {
		const char *name;
		uint32_t kind;
		struct abi_conn conn;
		uint64_t quiet_s, over_s; /* not over when quiet for the former, over when for the latter; 0: never */
	} table[] = {
		{ "an object that may be used", ABI_KIND_OPENSSL, { .evidence = 1 }, 100000, 0 },
		{ "its socket is closed", ABI_KIND_OPENSSL, { .evidence = 1, .is_cut = 1 }, 5, 11 },
		{ "of BoringSSL", ABI_KIND_BORINGSSL, { .evidence = 1, .is_cut = 1 }, 1, 3 },
		{ "of Go, which may be read", ABI_KIND_GO, { .evidence = 1, .is_cut = 1 }, 5, 11 },
		{ "sealed and never sent", ABI_KIND_RUSTLS, { .evidence = 0 }, 30, 61 },
		{ "sealed and sent", ABI_KIND_RUSTLS, { .evidence = 3 }, 100000, 0 },
		{ "no socket known, but an object", ABI_KIND_BORINGSSL, { .evidence = 0 }, 100000, 0 },
		{ "its close was not told", ABI_KIND_PLAIN, { .closing = 1 }, 1, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct abi_conn_key key = { .object = 1, .tgid = pid_here(), .kind = table[i].kind };
		struct abi_conn conn = table[i].conn;

		print_message("# %s\n", table[i].name);
		conn.tgid = key.tgid;
		conn.used_ns = 7 * second;
		assert_false(over_is(&key, &conn, &any, conn.used_ns + table[i].quiet_s * second));
		if (table[i].over_s)
			assert_true(over_is(&key, &conn, &any, conn.used_ns + table[i].over_s * second));
	}
}

static void how_it_ended_is_not_made_up(void **state)
{
	const struct abi_conn_key key = { .object = 1, .tgid = pid_here(), .kind = ABI_KIND_RUSTLS };
	const struct probe_sweep ended = { .process = { .pid = pid_here() } };
	struct abi_conn conn = { .tgid = key.tgid };

	assert_int_equal(over_how(&key, &conn, &any), ABI_HOW_UNKNOWN);
	assert_int_equal(over_how(&key, &conn, &ended), ABI_HOW_EXIT);
	conn.how = ABI_HOW_REMOTE;
	assert_int_equal(over_how(&key, &conn, &any), ABI_HOW_REMOTE);
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void a_socket_that_is_held_no_more_is_over(void **state)
{
	enum { NOBODY = 0x7fffff00 };
	int pair[2], other[2];
	struct abi_conn_key keys[5] = { 0 };
	uint64_t closed;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	closed = inode_of(other[1]);
	close(other[1]);
	keys[0] = (struct abi_conn_key){ inode_of(pair[0]), pid_here(), ABI_KIND_PLAIN };
	keys[1] = (struct abi_conn_key){ closed, pid_here(), ABI_KIND_PLAIN };
	keys[2] = (struct abi_conn_key){ inode_of(pair[1]), pid_here(), ABI_KIND_PLAIN };
	keys[3] = (struct abi_conn_key){ 3, NOBODY, ABI_KIND_PLAIN }; /* of whom nothing can be said */
	keys[4] = (struct abi_conn_key){ inode_of(other[0]), pid_here(), ABI_KIND_PLAIN };
	assert_int_equal(over_ask(keys, ARRAY_SIZE(keys)), 1);
	assert_int_equal(keys[0].object, closed);
	assert_int_equal(over_ask(keys, 0), 0);
	close(pair[0]);
	close(pair[1]);
	close(other[0]);
}

static void only_what_is_plain_and_quiet_is_asked_for(void **state)
{
	struct abi_conn_key key = { .object = 1, .tgid = pid_here(), .kind = ABI_KIND_PLAIN };
	const struct abi_conn conn = { .used_ns = 7 * second };

	assert_true(over_may_be(&key, &conn, 18 * second));
	assert_false(over_may_be(&key, &conn, 16 * second));
	key.kind = ABI_KIND_OPENSSL; /* its key is no socket's */
	assert_false(over_may_be(&key, &conn, 18 * second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_go_on_is_over),
		cmocka_unit_test(how_it_ended_is_not_made_up),
		cmocka_unit_test(a_socket_that_is_held_no_more_is_over),
		cmocka_unit_test(only_what_is_plain_and_quiet_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
