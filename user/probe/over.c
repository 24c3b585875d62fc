/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most ends are told by the kernel side: an object is freed, a TCP socket changes its state. What is left are processes that were
 * killed, objects that nobody is seen to free, and sockets whose state nobody tells: those of AF_UNIX. The table of connections is
 * one for all processes, so what is over must leave it while its process goes on.
 *
 * A plain connection's key is its socket's inode number, and the descriptors of its process show which of these are still held.
 */
#include "probe/over.h"
#include "base/cleanup.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const uint64_t second = 1000000000;
enum { CUT_READ_S = 2, CUT_S = 10, UNBOUND_S = 60, QUIET_S = 10 };

bool over_is_gone(uint32_t pid)
{
	return kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static bool is_quiet(const struct abi_conn *conn, uint64_t seconds, uint64_t now_ns)
{
	return conn->used_ns + seconds * second < now_ns;
}

bool over_is(const struct abi_conn_key *key, const struct abi_conn *conn, const struct probe_sweep *what,
	     uint64_t now_ns)
{
	if (what->process.pid)
		return conn->tgid == what->process.pid && conn->start_ns == what->process.start_ns;
	if (conn->used_ns + what->quiet_ns > now_ns)
		return false;
	/* Of a library without names nobody tells that an object dies. What its socket left to be read was read at once; others may
	 * be in no hurry. */
	if (conn->is_cut && is_quiet(conn, key->kind == ABI_KIND_BORINGSSL ? CUT_READ_S : CUT_S, now_ns))
		return true;
	/* What a bare cipher sealed and no socket sent: should its name be met again, it begins anew. */
	if (key->kind == ABI_KIND_RUSTLS && !conn->evidence && is_quiet(conn, UNBOUND_S, now_ns))
		return true;
	return conn->closing || over_is_gone(key->tgid) || (conn->tgid != key->tgid && over_is_gone(conn->tgid));
}

/* A server on its standard input may end before its client does. */
uint8_t over_how(const struct abi_conn_key *key, const struct abi_conn *conn, const struct probe_sweep *what)
{
	bool is_left = conn->tgid != key->tgid && !what->process.pid && !over_is_gone(conn->tgid);

	if (conn->how)
		return conn->how;
	if (is_left)
		return ABI_HOW_REMOTE;
	return what->process.pid || over_is_gone(conn->tgid) ? ABI_HOW_EXIT : ABI_HOW_UNKNOWN;
}

bool over_may_be(const struct abi_conn_key *key, const struct abi_conn *conn, uint64_t now_ns)
{
	return key->kind == ABI_KIND_PLAIN && is_quiet(conn, QUIET_S, now_ns);
}

/* ---- sockets that are held ---- */

static int key_compare(const void *one, const void *other)
{
	const struct abi_conn_key *a = one, *b = other;

	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	return a->object == b->object ? 0 : a->object < b->object ? -1 : 1;
}

/* Marks those of @keys, all of one process, that its descriptors lead to. false: nothing can be said. */
static bool held_mark(const struct abi_conn_key *keys, size_t count, bool held[])
{
	char name[32], target[64];
	struct dirent *entry;
	size_t seen = 0;
	DIR *folder;

	snprintf(name, sizeof(name), "/proc/%u/fd", keys->tgid);
	folder = opendir(name);
	while (folder && (entry = readdir(folder))) {
		struct abi_conn_key key = *keys;
		const struct abi_conn_key *found = NULL;
		ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);

		if (len <= 0)
			continue;
		seen++;
		target[len] = 0;
		if (strncmp(target, "socket:[", 8) == 0) {
			key.object = strtoull(target + 8, NULL, 10);
			found = bsearch(&key, keys, count, sizeof(key), key_compare);
		}
		if (found)
			held[found - keys] = true;
	}
	if (folder)
		closedir(folder);
	return seen;
}

size_t over_ask(struct abi_conn_key keys[], size_t count)
{
	bool *held CLEANUP_FREE = calloc(count + 1, sizeof(*held));
	size_t gone = 0;

	if (!held)
		return 0;
	qsort(keys, count, sizeof(*keys), key_compare);
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first; end < count && keys[end].tgid == keys[first].tgid;)
			end++;
		if (!held_mark(keys + first, end - first, held + first))
			memset(held + first, true, end - first);
	}
	for (size_t i = 0; i < count; i++)
		if (!held[i])
			keys[gone++] = keys[i];
	return gone;
}
