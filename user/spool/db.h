/* SPDX-License-Identifier: Apache-2.0 */
/* The database below the spool: opening, schema, prepared statements, and errno for SQLite's codes. */
#pragma once
#include "spool/spool.h"
#include <sqlite3.h>
#include <zstd.h>

enum statement {
	DB_BEGIN,
	DB_COMMIT,
	DB_ROLLBACK,
	DB_META_GET,
	DB_META_ADD,
	DB_SINK_FIND,
	DB_SINK_ADD,
	DB_SINK_COUNT,
	DB_SINK_STATS,
	DB_OLDEST,
	DB_OLDEST_OF,
	DB_RECORD_ADD,
	DB_RECORD_GET,
	DB_RECORD_OWE_LESS,
	DB_RECORD_DELETE,
	DB_DELIVERY_ADD,
	DB_DELIVERY_TRIED,
	DB_DELIVERY_DELETE,
	DB_LEASE_FIND,
	DB_LEASE_ADD,
	DB_LEASE_DELETE,
	DB_DEAD_ADD,
	DB_DEAD_EACH,
	DB_DEAD_OLDEST,
	DB_DEAD_DELETE,
	_DB_MAX,
};

enum meta_key { META_BOOT = 1, META_BYTES = 2, META_GIVEN_UP = 3 };

struct spool {
	sqlite3 *db;
	sqlite3_stmt *statements[_DB_MAX];
	ZSTD_CCtx *compressor;
	ZSTD_DCtx *decompressor;
	char *path;
	int lock_fd;
	uint64_t boot;
	uint64_t bytes; /* of bodies on disk */
	uint64_t bytes_max;
	bool read_only;
	bool damaged;
};

/* errno of the last SQLite code; remembers damage. 0 for OK, ROW and DONE. */
int db_error(struct spool *spool, int code);
/* The statement, reset, its arguments forgotten. NULL: see db_error() of sqlite3_errcode(). */
sqlite3_stmt *db_statement(struct spool *spool, enum statement which);
/* Binds integers to ?1, ?2 … and runs it to its end. Returns the number of rows changed, or negative errno. */
int db_run(struct spool *spool, enum statement which, const int64_t *args, size_t count);
#define DB_RUN(spool, which, ...)                                                                                      \
	db_run((spool), (which), (const int64_t[]){ __VA_ARGS__ }, sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))
int db_begin(struct spool *spool);
/* Commits when @r >= 0, else rolls back. Returns @r or the commit's own error. */
int db_end(struct spool *spool, int r);

int db_open(struct spool *spool);
void db_close(struct spool *spool);
/* Renames the database and its log so that a new one can begin. */
void db_move_aside(struct spool *spool);

/* ---- frame.c: a record as it lies on the disk ---- */
/* Compressed, with all fields of @record inside and a checksum around. malloc'ed. 0 or -ENOMEM. */
int frame_pack(ZSTD_CCtx *compressor, const struct record *record, void **ret_frame, size_t *ret_len);
/* Bytes that frame_unpack() will take; 0 when it is no frame. */
size_t frame_unpacked_len(struct slice frame);
/* 0, -EBADMSG when the disk has changed it, -ENOMEM when the arena is full. */
int frame_unpack(ZSTD_DCtx *decompressor, struct slice frame, struct arena *arena, struct record *ret);
