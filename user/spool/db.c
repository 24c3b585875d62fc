/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All SQL stands in two tables on this page: the schema, step by step for each version, and the statements.
 *
 *	record ◀── delivery (waits for a sink)      Counters live in rows that each transaction keeps up to date: the size of
 *	       ◀── dead     (refused by a sink)     the backlog is known without reading it, however long it is.
 */
#include "spool/db.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { APPLICATION_ID = 0x53505450, CHECK_MAX = 32 << 20 };

static const char *const schema_steps[] = {
	/* 1 */
	"CREATE TABLE meta (key INTEGER PRIMARY KEY, value INTEGER NOT NULL);"
	"INSERT INTO meta VALUES (1, 0), (2, 0), (3, 0);"
	"CREATE TABLE sink (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, waiting INTEGER NOT NULL DEFAULT 0,"
	" waiting_bytes INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0, delivered INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE record (id INTEGER PRIMARY KEY AUTOINCREMENT, trace_id BLOB NOT NULL, created INTEGER NOT NULL,"
	" owed INTEGER NOT NULL, body BLOB NOT NULL);"
	"CREATE TABLE delivery (sink INTEGER NOT NULL, record INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (sink, record)) WITHOUT ROWID;"
	"CREATE TABLE dead (sink INTEGER NOT NULL, record INTEGER NOT NULL, died INTEGER NOT NULL, reason TEXT NOT NULL,"
	" PRIMARY KEY (record, sink)) WITHOUT ROWID;",
};

static const char *const statement_texts[_DB_MAX] = {
	[DB_BEGIN] = "BEGIN IMMEDIATE",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
	[DB_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[DB_META_ADD] = "UPDATE meta SET value = value + ?2 WHERE key = ?1",
	[DB_SINK_FIND] = "SELECT id FROM sink WHERE name = ?1",
	[DB_SINK_ADD] = "INSERT INTO sink (name) VALUES (?1)",
	[DB_SINK_COUNT] =
		"UPDATE sink SET waiting = waiting + ?2, waiting_bytes = waiting_bytes + ?3, dead = dead + ?4,"
		" delivered = delivered + ?5 WHERE id = ?1",
	[DB_SINK_STATS] = "SELECT total(waiting), total(waiting_bytes), total(dead), total(delivered) FROM sink"
			  " WHERE id = ?1 OR ?1 < 0",
	[DB_OLDEST] =
		"SELECT created FROM record WHERE id = (SELECT min(oldest) FROM (SELECT (SELECT min(record) FROM delivery d"
		" WHERE d.sink = sink.id) AS oldest FROM sink))",
	[DB_OLDEST_OF] = "SELECT created FROM record WHERE id = (SELECT min(record) FROM delivery WHERE sink = ?1)",
	[DB_RECORD_ADD] = "INSERT INTO record (trace_id, created, owed, body) VALUES (?1, ?2, ?3, ?4)",
	[DB_RECORD_GET] = "SELECT owed, length(body) FROM record WHERE id = ?1",
	[DB_RECORD_OWE_LESS] = "UPDATE record SET owed = owed - 1 WHERE id = ?1",
	[DB_RECORD_DELETE] = "DELETE FROM record WHERE id = ?1",
	[DB_DELIVERY_ADD] = "INSERT INTO delivery (sink, record) VALUES (?1, ?2)",
	[DB_DELIVERY_TRIED] = "UPDATE delivery SET attempts = attempts + 1 WHERE sink = ?1 AND record = ?2",
	[DB_DELIVERY_DELETE] = "DELETE FROM delivery WHERE sink = ?1 AND record = ?2",
	[DB_LEASE_FIND] = "SELECT d.record, d.attempts, r.body FROM delivery d JOIN record r ON r.id = d.record"
			  " WHERE d.sink = ?1 AND NOT EXISTS (SELECT 1 FROM temp.lease l WHERE l.sink = d.sink AND"
			  " l.record = d.record) ORDER BY d.record LIMIT ?2",
	[DB_LEASE_ADD] = "INSERT OR IGNORE INTO temp.lease VALUES (?1, ?2)",
	[DB_LEASE_DELETE] = "DELETE FROM temp.lease WHERE sink = ?1 AND record = ?2",
	[DB_DEAD_ADD] = "INSERT INTO dead (sink, record, died, reason) VALUES (?1, ?2, ?3, ?4)",
	[DB_DEAD_EACH] =
		"SELECT d.record, r.trace_id, d.died, s.name, d.reason FROM dead d JOIN record r ON r.id = d.record"
		" JOIN sink s ON s.id = d.sink ORDER BY d.record, d.sink",
	[DB_DEAD_OLDEST] = "SELECT sink, record FROM dead ORDER BY record, sink LIMIT 1",
	[DB_DEAD_DELETE] = "DELETE FROM dead WHERE record = ?2 AND sink = ?1",
};

static const struct {
	int code, error;
} codes[] = {
	{ SQLITE_FULL, -ENOSPC },    { SQLITE_CORRUPT, -EBADMSG }, { SQLITE_NOTADB, -EBADMSG },
	{ SQLITE_FORMAT, -EBADMSG }, { SQLITE_BUSY, -EBUSY },      { SQLITE_LOCKED, -EBUSY },
	{ SQLITE_NOMEM, -ENOMEM },   { SQLITE_READONLY, -EROFS },  { SQLITE_CANTOPEN, -EACCES },
	{ SQLITE_PERM, -EACCES },    { SQLITE_TOOBIG, -EMSGSIZE }, { SQLITE_MISUSE, -EINVAL },
};

int db_error(struct spool *spool, int code)
{
	int primary = code & 0xff, error = -EIO;

	if (primary == SQLITE_OK || primary == SQLITE_ROW || primary == SQLITE_DONE)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == primary)
			error = codes[i].error;
	if (error == -EBADMSG)
		spool->damaged = true;
	return error;
}

sqlite3_stmt *db_statement(struct spool *spool, enum statement which)
{
	sqlite3_stmt **at = &spool->statements[which];

	if (!*at)
		sqlite3_prepare_v3(spool->db, statement_texts[which], -1, SQLITE_PREPARE_PERSISTENT, at, NULL);
	if (*at) {
		sqlite3_reset(*at);
		sqlite3_clear_bindings(*at);
	}
	return *at;
}

int db_run(struct spool *spool, enum statement which, const int64_t *args, size_t count)
{
	sqlite3_stmt *statement = db_statement(spool, which);
	int code;

	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	for (size_t i = 0; i < count; i++)
		sqlite3_bind_int64(statement, (int)i + 1, args[i]);
	code = sqlite3_step(statement);
	sqlite3_reset(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? sqlite3_changes(spool->db) : db_error(spool, code);
}

int db_begin(struct spool *spool)
{
	int r = db_run(spool, DB_BEGIN, NULL, 0);

	return MIN(r, 0);
}

int db_end(struct spool *spool, int r)
{
	int ended = r < 0 ? r : db_run(spool, DB_COMMIT, NULL, 0);

	/* SQLite may have rolled back by itself; a commit that failed may have left it open. */
	if (ended < 0 && !sqlite3_get_autocommit(spool->db))
		db_run(spool, DB_ROLLBACK, NULL, 0);
	return ended < 0 ? ended : r;
}

static int64_t query_int(struct spool *spool, const char *sql, int64_t when_none)
{
	sqlite3_stmt *statement = NULL;
	int64_t got = when_none;
	int code = sqlite3_prepare_v2(spool->db, sql, -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		got = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	db_error(spool, code);
	return got;
}

static int db_exec(struct spool *spool, const char *sql)
{
	return db_error(spool, sqlite3_exec(spool->db, sql, NULL, NULL, NULL));
}

static bool was_damaged_before(const struct spool *spool)
{
	char pattern[PATH_MAX];
	glob_t found = { 0 };
	bool is;

	snprintf(pattern, sizeof(pattern), "%s.damaged-*", spool->path);
	is = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
	globfree(&found);
	return is;
}

/* The start numbers of a lost database are lost with it: its successor counts on from the clock, far above them. */
static int schema_create(struct spool *spool)
{
	char sql[160];
	int64_t boot = was_damaged_before(spool) ? (int64_t)time(NULL) : 0;

	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; UPDATE meta SET value = %lld WHERE key = 1;",
		 APPLICATION_ID, (long long)boot);
	return db_exec(spool, sql);
}

static int schema_bring_up(struct spool *spool)
{
	int64_t version = query_int(spool, "PRAGMA user_version", -1), begun = version;
	char sql[64];
	int r;

	if (version < 0)
		return spool->damaged ? -EBADMSG : -EIO;
	if (version > (int64_t)ARRAY_SIZE(schema_steps))
		return -ENOTSUP;
	if (version == (int64_t)ARRAY_SIZE(schema_steps))
		return 0;
	if (spool->read_only)
		return -ENOENT;
	r = db_exec(spool, "BEGIN IMMEDIATE");
	for (; r == 0 && version < (int64_t)ARRAY_SIZE(schema_steps); version++)
		r = db_exec(spool, schema_steps[version]);
	if (r == 0 && begun == 0)
		r = schema_create(spool);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %lld; COMMIT", (long long)version);
	return r < 0 ? r : db_exec(spool, sql);
}

/* A full check costs a second per few hundred megabytes, and capture waits for it: only a small database gets one. Damage
 * in a large one shows itself where it is read. */
static int db_check(struct spool *spool)
{
	struct stat st;

	if (stat(spool->path, &st) < 0 || st.st_size == 0 || st.st_size > CHECK_MAX)
		return 0;
	if (query_int(spool, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check <> 'ok'", 1) == 0)
		return 0;
	if (!spool->read_only)
		spool->damaged = true;
	return -EBADMSG;
}

/* Created by us, so that only we can read it: SQLite gives its log the same mode. */
static int file_create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int db_configure(struct spool *spool)
{
	static const char settings[] =
		"PRAGMA busy_timeout = 2000; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;";
	int r = spool->read_only ? db_exec(spool, "PRAGMA busy_timeout = 2000; PRAGMA query_only = ON")
				 : db_exec(spool, settings);

	if (r == 0)
		r = db_check(spool);
	if (r == 0)
		r = schema_bring_up(spool);
	if (r < 0 || spool->read_only)
		return r;
	return db_exec(
		spool,
		"CREATE TEMP TABLE lease (sink INTEGER, record INTEGER, PRIMARY KEY (sink, record)) WITHOUT ROWID");
}

int db_open(struct spool *spool)
{
	int flags = spool->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	int r = 0;

	if (!spool->read_only)
		r = file_create(spool->path);
	else if (access(spool->path, F_OK) < 0)
		r = -errno;
	if (r < 0)
		return r;
	r = sqlite3_open_v2(spool->path, &spool->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_OK)
		return db_configure(spool);
	return db_error(spool, r);
}

void db_close(struct spool *spool)
{
	for (size_t i = 0; i < _DB_MAX; i++) {
		sqlite3_finalize(spool->statements[i]);
		spool->statements[i] = NULL;
	}
	sqlite3_close(spool->db);
	spool->db = NULL;
}

void db_move_aside(struct spool *spool)
{
	static const char *const parts[] = { "", "-wal" };
	char from[PATH_MAX], to[PATH_MAX];
	long long now = (long long)time(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(from, sizeof(from), "%s%s", spool->path, parts[i]);
		snprintf(to, sizeof(to), "%s.damaged-%lld%s", spool->path, now, parts[i]);
		rename(from, to);
	}
	snprintf(from, sizeof(from), "%s-shm", spool->path);
	unlink(from);
	spool->damaged = false;
}
