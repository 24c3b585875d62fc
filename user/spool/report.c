/* SPDX-License-Identifier: Apache-2.0 */
/* What is told about a spool, to a tracer's summary and to `spantap spool`; and the second life of dead letters. */
#include "spool/db.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

/* The integers of a statement's first row; false when it has none. */
static bool row_get(struct spool *spool, enum statement which, int64_t arg, int64_t *ret, int count)
{
	sqlite3_stmt *statement = db_statement(spool, which);
	bool is_row;

	if (!statement)
		return false;
	if (sqlite3_bind_parameter_count(statement))
		sqlite3_bind_int64(statement, 1, arg);
	is_row = sqlite3_step(statement) == SQLITE_ROW;
	for (int i = 0; is_row && i < count; i++)
		ret[i] = sqlite3_column_int64(statement, i);
	sqlite3_reset(statement);
	return is_row;
}

int spool_stats(struct spool *spool, int sink, struct spool_stats *ret)
{
	int64_t sums[4] = { 0 }, oldest = 0, given_up = 0;

	if (!row_get(spool, DB_SINK_STATS, sink, sums, 4) || !row_get(spool, DB_META_GET, META_GIVEN_UP, &given_up, 1))
		return db_error(spool, sqlite3_errcode(spool->db)) ?: -EIO;
	row_get(spool, sink < 0 ? DB_OLDEST : DB_OLDEST_OF, sink, &oldest, 1);
	*ret = (struct spool_stats){
		.waiting = (uint64_t)sums[0],
		.waiting_bytes = (uint64_t)sums[1],
		.dead = (uint64_t)sums[2],
		.delivered = (uint64_t)sums[3],
		.given_up = (uint64_t)given_up,
		.oldest_unix_ns = oldest,
	};
	return 0;
}

static struct slice column_text(sqlite3_stmt *statement, int column)
{
	return (struct slice){ (const char *)sqlite3_column_text(statement, column),
			       (size_t)sqlite3_column_bytes(statement, column) };
}

int spool_each_dead(struct spool *spool, void (*each)(void *user, const struct spool_dead *dead), void *user)
{
	sqlite3_stmt *statement = db_statement(spool, DB_DEAD_EACH);
	int code;

	if (!statement)
		return db_error(spool, sqlite3_errcode(spool->db));
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct spool_dead dead = {
			.id = sqlite3_column_int64(statement, 0),
			.died_unix_ns = sqlite3_column_int64(statement, 2),
			.sink = column_text(statement, 3),
			.reason = column_text(statement, 4),
		};

		if (sqlite3_column_bytes(statement, 1) == sizeof(dead.trace_id))
			memcpy(dead.trace_id, sqlite3_column_blob(statement, 1), sizeof(dead.trace_id));
		each(user, &dead);
	}
	sqlite3_reset(statement);
	return db_error(spool, code);
}

int spool_retry_dead(struct spool *spool)
{
	static const char revive[] =
		"INSERT INTO delivery (sink, record) SELECT sink, record FROM dead;"
		"UPDATE sink SET waiting = waiting + dead, waiting_bytes = waiting_bytes +"
		" (SELECT coalesce(sum(length(body)), 0) FROM dead d JOIN record r ON r.id = d.record"
		" WHERE d.sink = sink.id), dead = 0;"
		"DELETE FROM dead;";
	int r = db_begin(spool), code;

	if (r < 0)
		return r;
	code = sqlite3_exec(spool->db, revive, NULL, NULL, NULL);
	/* changes() tells of the last statement of the three: the dead that were. */
	return db_end(spool, code == SQLITE_OK ? sqlite3_changes(spool->db) : db_error(spool, code));
}

static void word_path(const char *path, char *ret, size_t size)
{
	snprintf(ret, size, "%s.retry", path);
}

int spool_ask_retry(const char *path)
{
	char word[PATH_MAX];
	int fd;

	word_path(path, word, sizeof(word));
	fd = open(word, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

bool spool_is_asked_to_retry(struct spool *spool)
{
	char word[PATH_MAX];

	word_path(spool->path, word, sizeof(word));
	return unlink(word) == 0;
}
