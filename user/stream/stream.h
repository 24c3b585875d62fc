/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: puts the kernel's chunks of each connection and direction into order, finds the holes, and knows when a
 * connection is over. Chunks may arrive a little out of order (two threads on one connection); a missing one is waited for
 * until later bytes outgrow the reorder budget or stream_tick() finds it older than hold_ns. Then it is a hole, told with
 * offset, length and reason. What comes out is in order, without overlap, and adds up: bytes + holes = highest offset.
 * What is known to be lost before a chunk, or was left out by policy, is not waited for: it was never copied, and much may be
 * asked meanwhile. An answer of
 * HTTP/1 that begins a connection waits as long for its question, in case that it overtook it.
 *
 * Pure: memory from opts->alloc, time from the arguments.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "model/conn.h"

struct stream_table;

struct stream_opts {
	struct alloc *alloc;
	size_t reorder_bytes; /* most bytes held back on one connection and direction (1 MiB) */
	uint64_t hold_ns;     /* longest wait for a missing chunk (200 ms) */
	size_t conns_max;     /* beyond it the connection that was silent longest is closed with CLOSE_UNKNOWN */
};

struct stream_chunk {
	uint64_t conn;
	enum direction dir;
	uint64_t offset;
	uint64_t time_ns;
	uint32_t thread;
	struct slice data;          /* empty: a hole of hole_len */
	uint64_t hole_len;          /* bytes at @offset that could not be copied */
	enum missing_reason reason; /* of hole_len, and of a gap before @offset that nothing else explains */
	bool is_unwanted;           /* that gap is whole messages, which nobody wants */
	bool is_behind_loss;        /* that gap is known to be lost: nothing of it is waited for */
};

struct stream_ops {
	/* A connection appeared. Its handle is given to all later calls; NULL: the taker wants nothing of it. */
	void *(*opened)(void *user, const struct conn_info *conn);
	void (*peer)(void *user, void *handle, const struct conn_info *conn);
	void (*bytes)(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t time_ns, uint32_t thread,
		      struct slice data);
	void (*hole)(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len,
		     enum missing_reason reason, uint64_t time_ns);
	/* As a hole, but it is whole messages, which nobody wants. May be NULL: then it is a hole. */
	void (*skipped)(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len, uint64_t time_ns);
	/* After all bytes and holes up to its end. The handle is dead afterwards. */
	void (*closed)(void *user, void *handle, enum close_how how, uint64_t time_ns);
	/* @len bytes came, but nobody took them: the connection has no handle, or they came after their place had been told as
	 * a hole. May be NULL. */
	void (*lost)(void *user, uint64_t len);
};

int stream_table_new(const struct stream_opts *opts, const struct stream_ops *ops, void *user,
		     struct stream_table **ret);
struct stream_table *stream_table_free(struct stream_table *table); /* closes all with CLOSE_UNKNOWN first */
DEFINE_CLEANUP(struct stream_table *, stream_table_free)

/* Chunks of a connection that was never opened here open it as late. -ENOMEM: declared as a hole, nothing else to do. */
int stream_open(struct stream_table *table, const struct conn_info *conn);
/* More is known of the peer. Weaker evidence than before is ignored. */
void stream_peer(struct stream_table *table, uint64_t conn, const struct peer *peer);
/* A pending connection's bytes wait, at most as long as any, until its peer is known, or until it is joined. */
void stream_join(struct stream_table *table, const struct conn_join *join);
int stream_push(struct stream_table *table, const struct stream_chunk *chunk);
/* @end: final offsets by direction; bytes below them that never came are holes of @reason. */
void stream_close(struct stream_table *table, uint64_t conn, const uint64_t end[_DIR_MAX], enum close_how how,
		  enum missing_reason reason, uint64_t time_ns);
/* The process is gone, and nobody told how far its connections went: closes them all with CLOSE_UNKNOWN. */
void stream_exit(struct stream_table *table, struct process_id process, uint64_t time_ns);
void stream_tick(struct stream_table *table, uint64_t now_ns);
size_t stream_count(const struct stream_table *table);
