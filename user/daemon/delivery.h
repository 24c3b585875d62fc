/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery: the thread that binds spool and sinks. The pipeline hands it sealed records and never waits: a record is copied
 * into a bounded queue, committed to the spool with others (at most 64 records or 50 ms later), shown by the direct sinks,
 * and sent by the spooled ones as fast as they take it. What the queue has no room for is refused, and the caller counts it.
 *
 *	delivery_put ─▶ queue ─▶ spool ─▶ lane: lease ─▶ sink ─▶ ack, wait, or bury
 *	                  └──▶ console, otlp-file
 *
 * Long texts of calls that are going on come before their record and are kept in files until then (daemon/aside.h).
 *
 * A spool that cannot write (full, broken) stops nothing at once: the queue fills while the disk is tried again.
 */
#pragma once
#include "model/aside.h"
#include "sink/sink.h"

struct delivery;

enum { DELIVERY_SINKS_MAX = 16 };

struct delivery_opts {
	const struct sink_spec *specs;
	size_t spec_count;   /* at most DELIVERY_SINKS_MAX */
	struct sink_env env; /* loop and http are filled in here; the strings outlive the delivery */
	struct http_client_opts http;
	const char *spool_path; /* of the database; may be NULL when no sink is spooled */
	uint64_t spool_bytes_max;
	size_t queue_bytes_max; /* records not yet in the spool */
};

struct delivery_stats {
	uint64_t put;       /* records that were accepted */
	uint64_t shed;      /* that were refused, or are larger than the whole spool */
	uint64_t committed; /* that are in the spool */
	uint64_t delivered; /* in this run: taken by spooled sinks; without any, written by all direct ones */
	uint64_t waiting;   /* for the sinks of this run, those of earlier runs included */
	uint64_t dead;      /* in this run */
	uint64_t
		set_aside; /* waited in a spool that was found damaged: in the file that was set aside, no longer waiting */
	uint64_t unwritten;    /* lines that a direct sink could not write */
	uint64_t queued_bytes; /* of the queue's maximum; texts that no file takes count until their call ends */
};

/* Opens spool and sinks; nothing runs yet. 0, or negative errno and the cause in *ret_error. -EBUSY: another process has the
 * spool. */
int delivery_new(const struct delivery_opts *opts, struct delivery **ret, const char **ret_error);
/* Starts the thread: after the process has its final rights, which a thread inherits. */
int delivery_start(struct delivery *delivery);
/* Commits what is queued, stops, closes. What waits stays in the spool. */
struct delivery *delivery_free(struct delivery *delivery);
DEFINE_CLEANUP(struct delivery *, delivery_free)

/* The number of this start; 0 without a spool. */
uint64_t delivery_boot(const struct delivery *delivery);
/* Copies. Never blocks. -ENOBUFS: the queue is full (counted as shed). */
int delivery_put(struct delivery *delivery, const struct record *record);
/* A long text of the call @call, which is going on: lies aside until its record comes (model/aside.h). Copies. -ENOBUFS: no room
 * now (texts leave half of the queue to records); -ENOTSUP: there is no place for such texts at all. Then the caller keeps it. The
 * same id twice for a call is fine. Not before delivery_start(), for what can be written to depends on the process's final rights. */
int delivery_aside(struct delivery *delivery, uint64_t call, const struct aside_id *id, struct slice text);
/* No record that comes after this has marks of @call. Also for a call of which nothing lies aside. Needs no room and no memory. */
void delivery_aside_end(struct delivery *delivery, uint64_t call);
/* Until nothing waits any more, at most @timeout_ms. 0, or -ETIMEDOUT. */
int delivery_drain(struct delivery *delivery, unsigned timeout_ms);
/* The run ends: what could not be put on disk by now (a full spool, a full disk) counts as shed, not as waiting. */
void delivery_give_up(struct delivery *delivery);
void delivery_stats(struct delivery *delivery, struct delivery_stats *ret);
