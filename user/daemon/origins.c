/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process is found by pid; its start time, which procfs knows only in clock ticks, then has to agree to a tick. Facts told
 * again replace the old ones (a process executes another program).
 */
#include "daemon/origins.h"
#include "daemon/link.h"
#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

enum { ORIGINS_MAX = 4096, ORIGIN_BYTES_MAX = 128 << 10, TICK_NS = 10000000 };

struct entry {
	uint32_t pid;
	struct arena *arena;
	struct origin origin;
	UT_hash_handle hh; /* uthash keeps the order of insertion */
};

struct origins {
	struct alloc *alloc;
	struct entry *by_pid;
};

int origins_new(struct alloc *alloc, struct origins **ret)
{
	struct origins *origins = calloc(1, sizeof(*origins));

	if (!origins)
		return -ENOMEM;
	origins->alloc = alloc;
	*ret = origins;
	return 0;
}

static void entry_drop(struct origins *origins, struct entry *entry)
{
	HASH_DEL(origins->by_pid, entry);
	arena_free(entry->arena);
	free(entry);
}

struct origins *origins_free(struct origins *origins)
{
	struct entry *entry, *next;

	if (!origins)
		return NULL;
	HASH_ITER(hh, origins->by_pid, entry, next)
		entry_drop(origins, entry);
	free(origins);
	return NULL;
}

static struct entry *entry_new(struct origins *origins, struct slice packed)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->arena = arena_new(origins->alloc, ORIGIN_BYTES_MAX);
	if (entry->arena && origin_unpack(packed, entry->arena, &entry->origin) == 0) {
		entry->pid = entry->origin.id.pid;
		return entry;
	}
	arena_free(entry->arena);
	free(entry);
	return NULL;
}

int origins_put(struct origins *origins, struct slice packed, const struct origin **ret)
{
	struct entry *entry = entry_new(origins, packed), *old;

	if (!entry)
		return -EBADMSG;
	HASH_FIND(hh, origins->by_pid, &entry->pid, sizeof(entry->pid), old);
	if (!old && HASH_COUNT(origins->by_pid) >= ORIGINS_MAX)
		old = origins->by_pid;
	if (old)
		entry_drop(origins, old);
	HASH_ADD(hh, origins->by_pid, pid, sizeof(entry->pid), entry);
	*ret = &entry->origin;
	return 0;
}

const struct origin *origins_find(const struct origins *origins, struct process_id process)
{
	struct entry *entry;
	uint64_t told;

	HASH_FIND(hh, origins->by_pid, &process.pid, sizeof(process.pid), entry);
	if (!entry)
		return NULL;
	told = entry->origin.id.start_ns / TICK_NS;
	if (told > process.start_ns / TICK_NS + 1 || told + 1 < process.start_ns / TICK_NS)
		return NULL;
	return &entry->origin;
}

void origins_assume(struct origins *origins, const struct conn_info *conn)
{
	struct buf packed = BUF(origins->alloc, 4096);
	const struct origin assumed = {
		.id = conn->process,
		.parent_pid = conn->parent_pid,
		.uid = conn->uid,
		.comm = slice_of(conn->comm),
		.selected = true,
	};
	const struct origin *told;

	if (origins_find(origins, conn->process))
		return;
	origin_pack(&assumed, &packed);
	if (!packed.failed)
		origins_put(origins, buf_slice(&packed), &told);
	buf_free(&packed);
}
