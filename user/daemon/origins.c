/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process is found by pid and program; its start time, which procfs knows only in clock ticks, then has to agree to a tick.
 * Facts told again replace the old ones (where programs are not counted, a process has executed another one).
 */
#include "daemon/origins.h"
#include "daemon/link.h"
#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

enum { ORIGINS_MAX = 4096, ORIGIN_BYTES_MAX = 128 << 10, TICK_NS = 10000000 };

struct key {
	uint32_t pid, program;
};

struct entry {
	struct key key;
	struct arena *arena;
	struct origin origin;
	UT_hash_handle hh; /* uthash keeps the order of insertion */
};

struct origins {
	struct alloc *alloc;
	struct entry *by_key;
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
	HASH_DEL(origins->by_key, entry);
	arena_free(entry->arena);
	free(entry);
}

struct origins *origins_free(struct origins *origins)
{
	struct entry *entry, *next;

	if (!origins)
		return NULL;
	HASH_ITER(hh, origins->by_key, entry, next)
		entry_drop(origins, entry);
	free(origins);
	return NULL;
}

static struct key key_of(struct process_id process)
{
	return (struct key){ process.pid, process.program };
}

static struct entry *entry_new(struct origins *origins, struct slice packed)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->arena = arena_new(origins->alloc, ORIGIN_BYTES_MAX);
	if (entry->arena && origin_unpack(packed, entry->arena, &entry->origin) == 0) {
		entry->key = key_of(entry->origin.id);
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
	HASH_FIND(hh, origins->by_key, &entry->key, sizeof(entry->key), old);
	if (!old && HASH_COUNT(origins->by_key) >= ORIGINS_MAX)
		old = origins->by_key;
	if (old)
		entry_drop(origins, old);
	HASH_ADD(hh, origins->by_key, key, sizeof(entry->key), entry);
	*ret = &entry->origin;
	return 0;
}

bool origins_is(const struct origin *origin, struct process_id process)
{
	uint64_t told = origin->id.start_ns / TICK_NS, asked = process.start_ns / TICK_NS;

	return origin->id.pid == process.pid && origin->id.program == process.program && told <= asked + 1 &&
	       asked <= told + 1;
}

const struct origin *origins_find(const struct origins *origins, struct process_id process)
{
	const struct key key = key_of(process);
	struct entry *entry;

	HASH_FIND(hh, origins->by_key, &key, sizeof(key), entry);
	return entry && origins_is(&entry->origin, process) ? &entry->origin : NULL;
}

void origins_assume(struct origins *origins, const struct conn_info *conn)
{
	struct entry *entry;
	const struct key key = key_of(conn->process);
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
	if (!packed.failed && origins_put(origins, buf_slice(&packed), &told) == 0) {
		HASH_FIND(hh, origins->by_key, &key, sizeof(key), entry);
		entry->origin.is_assumed = true;
	}
	buf_free(&packed);
}
