/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool: a durable queue of sealed records on SQLite (WAL, synchronous FULL, one connection). A record that spool_put() has
 * taken is on the disk and is delivered to every sink that was open for it, or ends in the dead-letter table with the reason.
 * A record leaves the disk when its last sink has acknowledged it. Deliveries are at least once; ids make them exactly once.
 *
 * Synchronous and not thread-safe: one thread beside the ring's reader owns it. Bodies are compressed (zstd) and carry a
 * checksum: a body that the disk has changed is never handed out.
 *
 * Errors: -ENOSPC (the limit, or the disk), -EIO, -ENOMEM, -EBADMSG (damaged: close it, which moves the file aside, and open it
 * again). After an error nothing has changed and the call may be repeated.
 */
#pragma once
#include "base/arena.h"
#include "model/record.h"

struct spool;

struct spool_opts {
	const char *path;   /* of the database; its directory exists */
	uint64_t bytes_max; /* of bodies on disk; 0: no limit. A record beyond it is refused with -ENOSPC */
	bool read_only;     /* for `spantap spool` while a tracer runs */
};

struct spool_item {
	int64_t id;
	struct record record; /* in the arena given to spool_lease() */
	unsigned attempts;    /* earlier ones */
};

struct spool_stats {
	uint64_t waiting, dead, delivered; /* deliveries: records × sinks; delivered counts over all starts */
	uint64_t waiting_bytes;            /* on the disk */
	uint64_t given_up;                 /* dead ones that had to make room for living ones */
	int64_t oldest_unix_ns;            /* 0: none waits */
};

/* 0 or negative errno: -EBUSY another process has it, -ENOENT (read only), -ENOSPC, -EIO, -ENOTSUP written by a newer version.
 * A damaged one is moved aside and a new one begun: then *ret is valid and the return value is positive 1. */
int spool_open(const struct spool_opts *opts, struct spool **ret);
struct spool *spool_close(struct spool *spool);
DEFINE_CLEANUP(struct spool *, spool_close)

/* The number of this start, from 1, counted durably. No number comes twice, not even after damage. */
uint64_t spool_boot(struct spool *spool);
/* A sink by its stable name ("mlflow:http://host:5000#experiment"); returns its number, or negative errno. */
int spool_sink(struct spool *spool, struct slice name);

/* All or none of @count records in one commit, for all sinks of the list. 0: they are on the disk. */
int spool_put(struct spool *spool, const struct record *records, size_t count, const int *sinks, size_t sink_count);
/* The oldest records waiting for @sink, not leased: at most @count and @bytes (at least one record). Returns their number.
 * Leases die with the process. What turns out to be damaged on the way is buried and not counted. */
int spool_lease(struct spool *spool, int sink, size_t count, uint64_t bytes, struct arena *arena,
		struct spool_item *ret);
int spool_ack(struct spool *spool, int sink, const int64_t *ids, size_t count);
/* Back to waiting. */
int spool_nack(struct spool *spool, int sink, const int64_t *ids, size_t count);
/* Refused for good: to the dead-letter table. */
int spool_bury(struct spool *spool, int sink, int64_t id, struct slice reason);
int spool_stats(struct spool *spool, int sink, struct spool_stats *ret); /* sink -1: all */

struct spool_dead {
	int64_t id;
	uint8_t trace_id[16];
	int64_t died_unix_ns;
	struct slice sink, reason;
};
int spool_each_dead(struct spool *spool, void (*each)(void *user, const struct spool_dead *dead), void *user);
/* Dead ones wait again. Returns their number. */
int spool_retry_dead(struct spool *spool);

/* `spantap spool retry` while a tracer owns the spool (-EBUSY): leaves a word beside it, which the owner takes. */
int spool_ask_retry(const char *path);
bool spool_is_asked_to_retry(struct spool *spool); /* and takes the word away */
