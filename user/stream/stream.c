/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The idea: each direction has one number, the offset up to which everything was told, as bytes or as a hole. A chunk at that
 * number goes straight through; one behind it waits in a list sorted by offset; one before it is old news.
 *
 *	told ............. next          held         held
 *	|==================|     gap     |====|  gap  |=======|
 *
 * Three events close a gap: its chunk comes, the held bytes outgrow their budget, or the tick finds the wait too long.
 *
 * Directions are not ordered against each other, with one exception: what a connection begins with.
 */
#include "stream/stream.h"
#include <errno.h>

/* Hash nodes come from the table's own alloc: every function that adds or removes has the table at hand. */
#define HASH_NONFATAL_OOM         1
#define uthash_malloc(size)       alloc_get(table->opts.alloc, (size))
#define uthash_free(pointer, len) alloc_put(table->opts.alloc, (pointer), (len))
#define uthash_nonfatal_oom(conn) ((conn)->is_unhashed = true)
#include <uthash.h>
#include <utlist.h>

enum { RETIRED_MAX = 256 };

/* A chunk that came before its turn. */
struct held {
	struct held *prev, *next;
	struct stream_chunk chunk; /* data: the copy behind this struct */
	char data[];
};

struct flow {
	uint64_t next;     /* told up to here */
	struct held *held; /* sorted by offset */
	size_t held_bytes; /* memory of the list, not only its data */
};

struct conn {
	UT_hash_handle hh;
	struct conn *prev, *next; /* silent longest first */
	struct conn_info info;
	void *handle;
	bool is_guessed; /* opened by a chunk: process and kind are not known */
	bool is_unhashed;
	bool has_early; /* the first thing held in early_dir waits for its question, not for bytes before it */
	enum direction early_dir;
	struct flow flows[_DIR_MAX];
};

/* What was told of a connection that is over, so that a straggler is not told twice. */
struct retired {
	uint64_t id;
	uint64_t next[_DIR_MAX];
};

struct stream_table {
	struct stream_opts opts;
	const struct stream_ops *ops;
	void *user;
	struct conn *by_id;
	struct conn *by_age;
	struct retired retired[RETIRED_MAX];
	size_t retired_at;
};

int stream_table_new(const struct stream_opts *opts, const struct stream_ops *ops, void *user,
		     struct stream_table **ret)
{
	struct stream_table *table = alloc_get(opts->alloc, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->opts = *opts;
	table->ops = ops;
	table->user = user;
	*ret = table;
	return 0;
}

static struct conn *conn_find(struct stream_table *table, uint64_t id)
{
	struct conn *conn;

	HASH_FIND(hh, table->by_id, &id, sizeof(id), conn);
	return conn;
}

static struct retired *retired_find(struct stream_table *table, uint64_t id)
{
	for (size_t i = 0; i < RETIRED_MAX; i++)
		if (table->retired[i].id == id &&
		    (table->retired[i].next[DIR_READ] || table->retired[i].next[DIR_WRITE]))
			return &table->retired[i];
	return NULL;
}

static void retired_note(struct stream_table *table, const struct conn *conn)
{
	struct retired *retired = retired_find(table, conn->info.id);

	if (!retired)
		retired = &table->retired[table->retired_at++ % RETIRED_MAX];
	retired->id = conn->info.id;
	for (int dir = 0; dir < _DIR_MAX; dir++)
		retired->next[dir] = conn->flows[dir].next;
}

/* ---- telling ---- */

static void flow_tell_hole(struct stream_table *table, struct conn *conn, enum direction dir, uint64_t end,
			   enum missing_reason reason, uint64_t time_ns)
{
	struct flow *flow = &conn->flows[dir];
	uint64_t start = flow->next;

	if (end <= start)
		return;
	flow->next = end;
	if (conn->handle)
		table->ops->hole(table->user, conn->handle, dir, start, end - start, reason, time_ns);
}

static void flow_tell_gap(struct stream_table *table, struct conn *conn, const struct stream_chunk *chunk,
			  enum missing_reason reason)
{
	struct flow *flow = &conn->flows[chunk->dir];
	uint64_t start = flow->next;

	if (!chunk->is_unwanted || reason != chunk->reason || !table->ops->skipped || chunk->offset <= start)
		return flow_tell_hole(table, conn, chunk->dir, chunk->offset, reason, chunk->time_ns);
	flow->next = chunk->offset;
	if (conn->handle)
		table->ops->skipped(table->user, conn->handle, chunk->dir, start, chunk->offset - start,
				    chunk->time_ns);
}

static void tell_lost(struct stream_table *table, uint64_t len)
{
	if (len && table->ops->lost)
		table->ops->lost(table->user, len);
}

/* Tells what of the chunk is not yet told, the gap before it first. */
static void flow_tell(struct stream_table *table, struct conn *conn, const struct stream_chunk *chunk,
		      enum missing_reason gap_reason)
{
	struct flow *flow = &conn->flows[chunk->dir];
	uint64_t start;

	flow_tell_gap(table, conn, chunk, gap_reason);
	if (!chunk->data.len) {
		flow_tell_hole(table, conn, chunk->dir, chunk->offset + chunk->hole_len, chunk->reason, chunk->time_ns);
		return;
	}
	tell_lost(table, MIN(flow->next - chunk->offset, (uint64_t)chunk->data.len));
	if (chunk->offset + chunk->data.len <= flow->next)
		return;
	start = flow->next;
	flow->next = chunk->offset + chunk->data.len;
	if (!conn->handle)
		tell_lost(table, flow->next - start);
	else
		table->ops->bytes(table->user, conn->handle, chunk->dir, start, chunk->time_ns, chunk->thread,
				  slice_from(chunk->data, start - chunk->offset));
}

static void held_free(struct stream_table *table, struct flow *flow, struct held *held)
{
	size_t len = sizeof(*held) + held->chunk.data.len;

	flow->held_bytes -= len;
	alloc_put(table->opts.alloc, held, len);
}

static void flow_tell_first_held(struct stream_table *table, struct conn *conn, enum direction dir)
{
	struct flow *flow = &conn->flows[dir];
	struct held *held = flow->held;

	DL_DELETE(flow->held, held);
	flow_tell(table, conn, &held->chunk, held->chunk.reason);
	held_free(table, flow, held);
}

/* What waits no longer for anything. */
static void flow_tell_ready(struct stream_table *table, struct conn *conn, enum direction dir)
{
	struct flow *flow = &conn->flows[dir];

	while (flow->held && flow->held->chunk.offset <= flow->next)
		flow_tell_first_held(table, conn, dir);
}

/* It is a connection of its own: nothing is waited for any more. */
static void conn_settle(struct stream_table *table, struct conn *conn)
{
	if (!conn->info.is_pending)
		return;
	conn->info.is_pending = false;
	conn->handle = table->ops->opened(table->user, &conn->info);
	for (int dir = 0; dir < _DIR_MAX; dir++)
		flow_tell_ready(table, conn, (enum direction)dir);
}

/* Both directions in the order of time, so that a question still comes before its answer. */
static void conn_tell_held(struct stream_table *table, struct conn *conn)
{
	conn_settle(table, conn);
	for (;;) {
		struct held *read = conn->flows[DIR_READ].held, *written = conn->flows[DIR_WRITE].held;

		if (!read && !written)
			return;
		flow_tell_first_held(table, conn,
				     !written || (read && read->chunk.time_ns < written->chunk.time_ns) ? DIR_READ
													: DIR_WRITE);
	}
}

/* An answer is all that was seen of the connection: a thread reads it before the one that asked has returned from its call. */
static bool chunk_is_early(const struct conn *conn, const struct stream_chunk *chunk)
{
	const struct flow *asking = &conn->flows[direction_other(chunk->dir)];

	return !conn->flows[chunk->dir].next && !chunk->offset && !asking->next && !asking->held &&
	       !conn->flows[chunk->dir].held && slice_starts(chunk->data, SLICE("HTTP/1."));
}

static bool chunk_is_behind_loss(const struct stream_chunk *chunk)
{
	return chunk->is_behind_loss || chunk->reason == MISSING_POLICY;
}

static bool chunk_is_overtaken(const struct conn *conn, const struct stream_chunk *chunk)
{
	return conn->has_early && chunk->dir != conn->early_dir &&
	       chunk->time_ns < conn->flows[conn->early_dir].held->chunk.time_ns;
}

static void early_tell(struct stream_table *table, struct conn *conn)
{
	if (conn->has_early)
		flow_tell_ready(table, conn, conn->early_dir);
	conn->has_early = false;
}

/* ---- the table ---- */

/* After the last thing was told. */
static void conn_remove(struct stream_table *table, struct conn *conn, enum close_how how, uint64_t time_ns)
{
	retired_note(table, conn);
	HASH_DELETE(hh, table->by_id, conn);
	DL_DELETE(table->by_age, conn);
	if (conn->handle)
		table->ops->closed(table->user, conn->handle, how, time_ns);
	alloc_put(table->opts.alloc, conn, sizeof(*conn));
}

static void conn_close(struct stream_table *table, struct conn *conn, enum close_how how, uint64_t time_ns)
{
	conn_tell_held(table, conn);
	conn_remove(table, conn, how, time_ns);
}

static int conn_add(struct stream_table *table, const struct conn_info *info, struct conn **ret)
{
	const struct retired *retired = retired_find(table, info->id);
	struct conn *conn;

	while (table->by_age && stream_count(table) >= MAX(table->opts.conns_max, (size_t)1))
		conn_close(table, table->by_age, CLOSE_UNKNOWN, info->opened_ns);
	conn = alloc_get(table->opts.alloc, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	conn->info = *info;
	for (int dir = 0; retired && dir < _DIR_MAX; dir++)
		conn->flows[dir].next = retired->next[dir];
	HASH_ADD(hh, table->by_id, info.id, sizeof(conn->info.id), conn);
	if (conn->is_unhashed) {
		alloc_put(table->opts.alloc, conn, sizeof(*conn));
		return -ENOMEM;
	}
	DL_APPEND(table->by_age, conn);
	if (!info->is_pending)
		conn->handle = table->ops->opened(table->user, &conn->info);
	*ret = conn;
	return 0;
}

struct stream_table *stream_table_free(struct stream_table *table)
{
	if (!table)
		return NULL;
	while (table->by_age)
		conn_close(table, table->by_age, CLOSE_UNKNOWN, 0);
	alloc_put(table->opts.alloc, table, sizeof(*table));
	return NULL;
}

size_t stream_count(const struct stream_table *table)
{
	return HASH_COUNT(table->by_id);
}

static void conn_take_peer(struct stream_table *table, struct conn *conn, const struct peer *peer)
{
	if (peer->evidence < conn->info.peer.evidence)
		return;
	conn->info.peer = *peer;
	conn_settle(table, conn);
	if (conn->handle)
		table->ops->peer(table->user, conn->handle, &conn->info);
}

int stream_open(struct stream_table *table, const struct conn_info *info)
{
	struct conn *conn = conn_find(table, info->id);

	if (!conn)
		return conn_add(table, info, &conn);
	/* Its bytes overtook it: take what only the open knows. */
	if (conn->is_guessed) {
		conn->info.process = info->process;
		conn->info.kind = info->kind;
		conn->info.opened_ns = info->opened_ns;
		conn->is_guessed = false;
	}
	conn_take_peer(table, conn, &info->peer);
	return 0;
}

void stream_peer(struct stream_table *table, uint64_t id, const struct peer *peer)
{
	struct conn *conn = conn_find(table, id);

	if (conn)
		conn_take_peer(table, conn, peer);
}

/* The chunk's connection, opened as late when nobody told of it. NULL and 0: the chunk is an old one of a closed connection. */
static int conn_of_chunk(struct stream_table *table, const struct stream_chunk *chunk, uint64_t end, struct conn **ret)
{
	const struct retired *retired;
	struct conn_info info = { .id = chunk->conn, .is_late = true, .opened_ns = chunk->time_ns };
	int r;

	*ret = conn_find(table, chunk->conn);
	if (*ret)
		return 0;
	retired = retired_find(table, chunk->conn);
	if (retired && end <= retired->next[chunk->dir])
		return 0;
	r = conn_add(table, &info, ret);
	if (r < 0)
		return r;
	(*ret)->is_guessed = true;
	return 0;
}

/* Keeps a copy of a chunk that is too early. false: no room, it must be told now. */
static bool flow_hold(struct stream_table *table, struct flow *flow, const struct stream_chunk *chunk)
{
	size_t len = sizeof(struct held) + chunk->data.len;
	struct held *held, *before;

	if (len > table->opts.reorder_bytes || flow->held_bytes > table->opts.reorder_bytes - len)
		return false;
	held = alloc_get(table->opts.alloc, len);
	if (!held)
		return false;
	held->chunk = *chunk;
	held->chunk.data.data = held->data;
	if (chunk->data.len)
		memcpy(held->data, chunk->data.data, chunk->data.len);
	/* From the end: what comes early mostly comes in order. A list's first element has its last as prev. */
	before = flow->held ? flow->held->prev : NULL;
	while (before && before->chunk.offset > chunk->offset)
		before = before == flow->held ? NULL : before->prev;
	DL_APPEND_ELEM(flow->held, before, held);
	flow->held_bytes += len;
	return true;
}

/* The budget is used up: tells this chunk and all that waits before it, and what lies between as holes. */
static void flow_press(struct stream_table *table, struct conn *conn, const struct stream_chunk *chunk)
{
	struct flow *flow = &conn->flows[chunk->dir];

	while (flow->held && flow->held->chunk.offset <= chunk->offset)
		flow_tell_first_held(table, conn, chunk->dir);
	flow_tell(table, conn, chunk, chunk->reason);
	flow_tell_ready(table, conn, chunk->dir);
}

static bool chunk_is_valid(const struct stream_chunk *chunk)
{
	uint64_t len = chunk->data.len ? chunk->data.len : chunk->hole_len;

	return chunk->dir < _DIR_MAX && chunk->reason < _MISSING_MAX && chunk->offset <= UINT64_MAX - len;
}

int stream_push(struct stream_table *table, const struct stream_chunk *chunk)
{
	uint64_t len = chunk->data.len ? chunk->data.len : chunk->hole_len;
	struct conn *conn;
	struct flow *flow;
	int r;

	if (!chunk_is_valid(chunk))
		return -EINVAL;
	r = conn_of_chunk(table, chunk, chunk->offset + len, &conn);
	if (r == 0 && !conn)
		tell_lost(table, chunk->data.len);
	if (r < 0 || !conn)
		return r;
	DL_DELETE(table->by_age, conn);
	DL_APPEND(table->by_age, conn);
	flow = &conn->flows[chunk->dir];
	if (conn->info.is_pending && flow_hold(table, flow, chunk))
		return 0;
	conn_settle(table, conn);
	if (chunk_is_early(conn, chunk) && flow_hold(table, flow, chunk)) {
		conn->has_early = true;
		conn->early_dir = chunk->dir;
		return 0;
	}
	if (!chunk_is_overtaken(conn, chunk))
		early_tell(table, conn);
	if (chunk->offset <= flow->next) {
		flow_tell(table, conn, chunk, chunk->reason);
		flow_tell_ready(table, conn, chunk->dir);
	} else if (chunk_is_behind_loss(chunk) || !flow_hold(table, flow, chunk)) {
		flow_press(table, conn, chunk);
	}
	early_tell(table, conn);
	return 0;
}

static void flow_drop(struct stream_table *table, struct flow *flow)
{
	while (flow->held) {
		struct held *held = flow->held;

		DL_DELETE(flow->held, held);
		tell_lost(table, held->chunk.data.len);
		held_free(table, flow, held);
	}
}

void stream_join(struct stream_table *table, const struct conn_join *join)
{
	struct conn *conn = conn_find(table, join->conn);
	struct held *list, *held, *after;

	if (!conn)
		return;
	/* It waited too long, and was told as a connection of its own. */
	if (!conn->info.is_pending)
		return conn_close(table, conn, CLOSE_UNKNOWN, join->time_ns);
	flow_drop(table, &conn->flows[direction_other(join->dir)]);
	list = conn->flows[join->dir].held;
	conn->flows[join->dir].held = NULL;
	if (list) {
		list->chunk.reason = join->is_behind_loss ? join->reason : list->chunk.reason;
		list->chunk.is_behind_loss |= join->is_behind_loss;
	}
	conn_remove(table, conn, CLOSE_UNKNOWN, join->time_ns);
	DL_FOREACH_SAFE(list, held, after) {
		held->chunk.conn = join->into;
		held->chunk.offset += join->offset;
		if (stream_push(table, &held->chunk) < 0)
			tell_lost(table, held->chunk.data.len);
		alloc_put(table->opts.alloc, held, sizeof(*held) + held->chunk.data.len);
	}
}

void stream_close(struct stream_table *table, uint64_t id, const uint64_t end[_DIR_MAX], enum close_how how,
		  enum missing_reason reason, uint64_t time_ns)
{
	struct conn *conn = conn_find(table, id);

	if (!conn)
		return;
	conn_tell_held(table, conn);
	flow_tell_hole(table, conn, DIR_WRITE, end[DIR_WRITE], reason, time_ns);
	flow_tell_hole(table, conn, DIR_READ, end[DIR_READ], reason, time_ns);
	conn_remove(table, conn, how, time_ns);
}

void stream_exit(struct stream_table *table, struct process_id process, uint64_t time_ns)
{
	struct conn *conn, *after;

	DL_FOREACH_SAFE(table->by_age, conn, after)
		if (conn->info.process.pid == process.pid && conn->info.process.start_ns == process.start_ns)
			conn_close(table, conn, CLOSE_UNKNOWN, time_ns);
}

static bool flow_is_overdue(const struct stream_table *table, const struct flow *flow, uint64_t now_ns)
{
	return flow->held && now_ns > flow->held->chunk.time_ns &&
	       now_ns - flow->held->chunk.time_ns > table->opts.hold_ns;
}

/* Tells the held chunks that waited too long, and all that lies before them. */
static void flow_tick(struct stream_table *table, struct conn *conn, enum direction dir, uint64_t now_ns)
{
	struct flow *flow = &conn->flows[dir];
	struct held *held, *last = NULL;

	for (held = flow->held; held; held = held->next)
		if (now_ns > held->chunk.time_ns && now_ns - held->chunk.time_ns > table->opts.hold_ns)
			last = held;
	while (last) {
		bool is_last = flow->held == last;

		flow_tell_first_held(table, conn, dir);
		if (is_last)
			break;
	}
	conn->has_early &= conn->flows[conn->early_dir].held != NULL;
	if (!conn->has_early)
		flow_tell_ready(table, conn, dir);
}

void stream_tick(struct stream_table *table, uint64_t now_ns)
{
	struct conn *conn, *after;

	DL_FOREACH_SAFE(table->by_age, conn, after) {
		if (conn->info.is_pending && !flow_is_overdue(table, &conn->flows[DIR_WRITE], now_ns) &&
		    !flow_is_overdue(table, &conn->flows[DIR_READ], now_ns))
			continue;
		conn_settle(table, conn);
		flow_tick(table, conn, DIR_WRITE, now_ns);
		flow_tick(table, conn, DIR_READ, now_ns);
	}
}
