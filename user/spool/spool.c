/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each verb is one transaction; what is counted is counted in it. Leases are rows of a table in memory: they are looked up
 * by the same query that finds the work, and a crash forgets them, so that what was leased waits again.
 */
#include "spool/db.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

static int lock_take(struct spool *spool)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.lock", spool->path);
	spool->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (spool->lock_fd < 0)
		return -errno;
	if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

static int meta_get(struct spool *spool, enum meta_key key, uint64_t *ret)
{
	sqlite3_stmt *statement = db_statement(spool, DB_META_GET);
	int code;

	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	sqlite3_bind_int64(statement, 1, key);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	if (code == SQLITE_DONE)
		spool->damaged = true;
	return code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? -EBADMSG : db_error(spool, code);
}

static int spool_begin(struct spool *spool)
{
	int r = db_open(spool);

	if (r == 0 && !spool->read_only)
		r = DB_RUN(spool, DB_META_ADD, META_BOOT, 1);
	if (r >= 0)
		r = meta_get(spool, META_BOOT, &spool->boot);
	if (r >= 0)
		r = meta_get(spool, META_BYTES, &spool->bytes);
	return r;
}

int spool_open(const struct spool_opts *opts, struct spool **ret)
{
	CLEANUP(spool_close) struct spool *spool = calloc(1, sizeof(*spool));
	int r = 0, replaced = 0;

	if (!spool)
		return -ENOMEM;
	spool->lock_fd = -1;
	spool->read_only = opts->read_only;
	spool->bytes_max = opts->bytes_max ? opts->bytes_max : UINT64_MAX;
	spool->path = strdup(opts->path);
	spool->compressor = ZSTD_createCCtx();
	spool->decompressor = ZSTD_createDCtx();
	if (!spool->path || !spool->compressor || !spool->decompressor)
		return -ENOMEM;
	if (!spool->read_only)
		r = lock_take(spool);
	if (r == 0)
		r = spool_begin(spool);
	if (r == -EBADMSG && !spool->read_only) {
		db_close(spool);
		db_move_aside(spool);
		r = spool_begin(spool);
		replaced = 1;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(spool);
	return replaced;
}

struct spool *spool_close(struct spool *spool)
{
	if (!spool)
		return NULL;
	db_close(spool);
	if (spool->damaged && !spool->read_only && spool->lock_fd >= 0)
		db_move_aside(spool);
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	ZSTD_freeCCtx(spool->compressor);
	ZSTD_freeDCtx(spool->decompressor);
	free(spool->path);
	free(spool);
	return NULL;
}

uint64_t spool_boot(struct spool *spool)
{
	return spool->boot;
}

static int sink_find(struct spool *spool, struct slice name)
{
	sqlite3_stmt *statement = db_statement(spool, DB_SINK_FIND);
	int code, id = -ENOENT;

	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	sqlite3_bind_text(statement, 1, name.data, (int)name.len, SQLITE_STATIC);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		id = sqlite3_column_int(statement, 0);
	sqlite3_reset(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? id : db_error(spool, code);
}

int spool_sink(struct spool *spool, struct slice name)
{
	int id = sink_find(spool, name), code;
	sqlite3_stmt *statement;

	if (id != -ENOENT || spool->read_only)
		return id;
	statement = db_statement(spool, DB_SINK_ADD);
	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	sqlite3_bind_text(statement, 1, name.data, (int)name.len, SQLITE_STATIC);
	code = sqlite3_step(statement);
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? (int)sqlite3_last_insert_rowid(spool->db) : db_error(spool, code);
}

/* ---- in ---- */

static int record_add(struct spool *spool, const struct record *record, size_t owed, struct slice frame,
		      int64_t *ret_id)
{
	sqlite3_stmt *statement = db_statement(spool, DB_RECORD_ADD);
	int code;

	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	sqlite3_bind_blob(statement, 1, record->trace_id, sizeof(record->trace_id), SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, (int64_t)record->created_unix_ns);
	sqlite3_bind_int64(statement, 3, (int64_t)owed);
	sqlite3_bind_blob64(statement, 4, frame.data, frame.len, SQLITE_STATIC);
	code = sqlite3_step(statement);
	sqlite3_reset(statement);
	*ret_id = sqlite3_last_insert_rowid(spool->db);
	return db_error(spool, code);
}

/* Takes one delivery off the record, and the record off the disk with the last one. *ret_size: of its body. */
static int record_pay(struct spool *spool, int64_t id, int64_t *ret_size)
{
	sqlite3_stmt *statement = db_statement(spool, DB_RECORD_GET);
	int64_t owed;
	int code, r;

	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	sqlite3_bind_int64(statement, 1, id);
	code = sqlite3_step(statement);
	owed = sqlite3_column_int64(statement, 0);
	*ret_size = code == SQLITE_ROW ? sqlite3_column_int64(statement, 1) : 0;
	sqlite3_reset(statement);
	if (code != SQLITE_ROW)
		return db_error(spool, code);
	if (owed > 1)
		return DB_RUN(spool, DB_RECORD_OWE_LESS, id);
	r = DB_RUN(spool, DB_RECORD_DELETE, id);
	if (r > 0)
		r = DB_RUN(spool, DB_META_ADD, META_BYTES, -*ret_size);
	if (r > 0)
		spool->bytes -= MIN((uint64_t)*ret_size, spool->bytes);
	return r;
}

/* What a server refused for good gives way to what nobody has seen yet: the oldest dead delivery is forgotten, and counted.
 * Returns 0 when there was none. */
static int dead_give_up(struct spool *spool)
{
	sqlite3_stmt *statement = db_statement(spool, DB_DEAD_OLDEST);
	int64_t sink, id, size;
	int code, r;

	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	code = sqlite3_step(statement);
	sink = sqlite3_column_int64(statement, 0);
	id = sqlite3_column_int64(statement, 1);
	sqlite3_reset(statement);
	if (code != SQLITE_ROW)
		return db_error(spool, code);
	r = DB_RUN(spool, DB_DEAD_DELETE, sink, id);
	if (r >= 0)
		r = DB_RUN(spool, DB_SINK_COUNT, sink, 0, 0, -1, 0);
	if (r >= 0)
		r = DB_RUN(spool, DB_META_ADD, META_GIVEN_UP, 1);
	if (r >= 0)
		r = record_pay(spool, id, &size);
	return r < 0 ? r : 1;
}

static int room_make(struct spool *spool, uint64_t len)
{
	while (spool->bytes > spool->bytes_max || len > spool->bytes_max - spool->bytes) {
		int r = dead_give_up(spool);

		if (r <= 0)
			return r < 0 ? r : -ENOSPC;
	}
	return 0;
}

static int put_one(struct spool *spool, const struct record *record, const int *sinks, size_t sink_count)
{
	CLEANUP_FREE void *frame = NULL;
	size_t len = 0;
	int64_t id = 0;
	int r = frame_pack(spool->compressor, record, &frame, &len);

	if (r == 0)
		r = room_make(spool, len);
	if (r == 0)
		r = record_add(spool, record, sink_count, (struct slice){ frame, len }, &id);
	for (size_t i = 0; i < sink_count && r >= 0; i++) {
		r = DB_RUN(spool, DB_DELIVERY_ADD, sinks[i], id);
		if (r >= 0)
			r = DB_RUN(spool, DB_SINK_COUNT, sinks[i], 1, (int64_t)len, 0, 0);
	}
	if (r >= 0)
		r = DB_RUN(spool, DB_META_ADD, META_BYTES, (int64_t)len);
	if (r >= 0)
		spool->bytes += len;
	return MIN(r, 0);
}

/* The transaction's end; the size that is kept in memory follows the disk. */
static int spool_end(struct spool *spool, uint64_t bytes_before, int r)
{
	r = db_end(spool, r);
	if (r < 0)
		spool->bytes = bytes_before;
	return r;
}

int spool_put(struct spool *spool, const struct record *records, size_t count, const int *sinks, size_t sink_count)
{
	uint64_t before = spool->bytes;
	int r;

	if (!count || !sink_count)
		return 0;
	r = db_begin(spool);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++)
		r = put_one(spool, &records[i], sinks, sink_count);
	return spool_end(spool, before, r);
}

/* ---- out ---- */

static int lease_find(struct spool *spool, sqlite3_stmt *find, uint64_t bytes, struct arena *arena,
		      struct spool_item *ret, int64_t *ret_damaged)
{
	uint64_t total = 0;
	int n = 0, code, r;

	while ((code = sqlite3_step(find)) == SQLITE_ROW) {
		struct slice frame = { sqlite3_column_blob(find, 2), (size_t)sqlite3_column_bytes(find, 2) };
		struct spool_item item = { .id = sqlite3_column_int64(find, 0),
					   .attempts = (unsigned)sqlite3_column_int(find, 1) };

		total += frame_unpacked_len(frame);
		if (n && total > bytes)
			return n;
		r = frame_unpack(spool->decompressor, frame, arena, &item.record);
		if (r == -EBADMSG)
			*ret_damaged = item.id;
		if (r < 0)
			return n ? n : r;
		ret[n++] = item;
	}
	return code == SQLITE_DONE ? n : db_error(spool, code);
}

int spool_lease(struct spool *spool, int sink, size_t count, uint64_t bytes, struct arena *arena,
		struct spool_item *ret)
{
	for (;;) {
		sqlite3_stmt *find = db_statement(spool, DB_LEASE_FIND);
		int64_t damaged = 0;
		int n;

		if (!find)
			return db_error(spool, sqlite3_errcode(spool->db));
		sqlite3_bind_int(find, 1, sink);
		sqlite3_bind_int64(find, 2, (int64_t)count);
		n = lease_find(spool, find, bytes, arena, ret, &damaged);
		sqlite3_reset(find);
		for (int i = 0; i < n; i++)
			DB_RUN(spool, DB_LEASE_ADD, sink, ret[i].id);
		if (!damaged || n > 0)
			return n;
		n = spool_bury(spool, sink, damaged, SLICE("damaged on the disk"));
		if (n < 0)
			return n;
	}
}

static int ack_one(struct spool *spool, int sink, int64_t id)
{
	int64_t size = 0;
	int r = DB_RUN(spool, DB_DELIVERY_DELETE, sink, id);

	if (r > 0)
		r = record_pay(spool, id, &size);
	if (r > 0)
		r = DB_RUN(spool, DB_SINK_COUNT, sink, -1, -size, 0, 1);
	if (r >= 0)
		r = DB_RUN(spool, DB_LEASE_DELETE, sink, id);
	return r;
}

/* When all is delivered after a long outage, the disk gets its space back. */
static void space_give_back(struct spool *spool)
{
	if (spool->bytes == 0)
		sqlite3_exec(spool->db, "PRAGMA incremental_vacuum", NULL, NULL, NULL);
}

int spool_ack(struct spool *spool, int sink, const int64_t *ids, size_t count)
{
	uint64_t before = spool->bytes;
	int r;

	if (!count)
		return 0;
	r = db_begin(spool);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r >= 0; i++)
		r = ack_one(spool, sink, ids[i]);
	r = spool_end(spool, before, MIN(r, 0));
	if (r == 0)
		space_give_back(spool);
	return r;
}

int spool_nack(struct spool *spool, int sink, const int64_t *ids, size_t count)
{
	int r = db_begin(spool);

	for (size_t i = 0; i < count && r >= 0; i++)
		r = DB_RUN(spool, DB_DELIVERY_TRIED, sink, ids[i]);
	r = db_end(spool, MIN(r, 0));
	/* The count of attempts may fail to be written; that they wait again may not. */
	for (size_t i = 0; i < count; i++)
		DB_RUN(spool, DB_LEASE_DELETE, sink, ids[i]);
	return r;
}

static int dead_add(struct spool *spool, int sink, int64_t id, struct slice reason)
{
	sqlite3_stmt *statement = db_statement(spool, DB_DEAD_ADD);
	struct timespec now;
	int code;

	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	clock_gettime(CLOCK_REALTIME, &now);
	sqlite3_bind_int(statement, 1, sink);
	sqlite3_bind_int64(statement, 2, id);
	sqlite3_bind_int64(statement, 3, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	sqlite3_bind_text(statement, 4, reason.data ?: "", (int)reason.len, SQLITE_STATIC);
	code = sqlite3_step(statement);
	sqlite3_reset(statement);
	return db_error(spool, code);
}

static int bury_one(struct spool *spool, int sink, int64_t id, struct slice reason)
{
	sqlite3_stmt *get = db_statement(spool, DB_RECORD_GET);
	int64_t size = 0;
	int r = DB_RUN(spool, DB_DELIVERY_DELETE, sink, id);

	if (r <= 0 || !get)
		return r;
	sqlite3_bind_int64(get, 1, id);
	if (sqlite3_step(get) == SQLITE_ROW)
		size = sqlite3_column_int64(get, 1);
	sqlite3_reset(get);
	r = dead_add(spool, sink, id, reason);
	if (r == 0)
		r = DB_RUN(spool, DB_SINK_COUNT, sink, -1, -size, 1, 0);
	if (r >= 0)
		r = DB_RUN(spool, DB_LEASE_DELETE, sink, id);
	return r;
}

int spool_bury(struct spool *spool, int sink, int64_t id, struct slice reason)
{
	int r = db_begin(spool);

	if (r < 0)
		return r;
	r = bury_one(spool, sink, id, reason);
	return db_end(spool, MIN(r, 0));
}
