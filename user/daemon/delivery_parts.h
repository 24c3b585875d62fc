/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of delivery. All but what stands under the lock belongs to the thread. */
#pragma once
#include "daemon/aside.h"
#include "daemon/delivery.h"
#include "spool/spool.h"
#include <pthread.h>

enum { LANE_BATCH_MAX = 200, COMMIT_MAX = 64, COMMIT_AFTER_MS = 50, PENDING_BYTES_MAX = 16 << 20 };

struct node {
	struct node *next;
	enum { NODE_RECORD, NODE_TEXT, NODE_END } kind;
	uint64_t call;           /* NODE_TEXT, NODE_END */
	struct aside_text *text; /* NODE_TEXT: owned */
	struct record record;    /* NODE_RECORD: its body is in the node's block */
	uint64_t queued_ms;
	bool is_shown; /* by the direct sinks */
	char body[];
};

/* One spooled sink: one batch at a time. */
struct lane {
	struct delivery *delivery;
	struct sink *sink;
	int number; /* in the spool */
	bool is_busy;
	bool is_greeting; /* busy, but with nothing: not waited for */
	bool is_stale;    /* the spool was replaced under the batch: its ids mean nothing any more */
	uint64_t not_before_ms;
	uint64_t waiting;
	struct alloc_heap heap;
	struct arena *arena; /* of the batch */
	struct spool_item items[LANE_BATCH_MAX];
	struct record records[LANE_BATCH_MAX];
	size_t count;
	int64_t *acks; /* taken by the server, not yet so written in the spool */
	size_t ack_count, ack_size;
	uint64_t buried_said_ms; /* when the last burial was logged */
};

struct delivery {
	struct delivery_opts opts;
	char *spool_path; /* it is opened again after damage */
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t timer;
	struct http_client *http;
	struct spool *spool;
	bool has_spool;
	uint64_t boot;
	struct lane *lanes;
	size_t lane_count;
	struct sink *direct[DELIVERY_SINKS_MAX];
	size_t direct_count;
	struct node *backlog, **backlog_tail; /* as they came */
	size_t backlog_records;
	uint64_t backlog_not_before_ms;       /* memory was short */
	struct node *pending, **pending_tail; /* records with their texts, to be committed */
	size_t pending_count;
	size_t pending_bytes; /* of bodies */
	uint64_t commit_not_before_ms;
	int commit_error; /* told already */
	uint64_t drains_seen;
	bool is_stopping;
	bool is_running;
	pthread_t thread;
	struct alloc alloc;        /* of what the thread takes: malloc */
	struct aside_store *aside; /* NULL: no place for it; known before the thread runs */
	char *aside_dir;
	struct open_call *calls; /* the pipeline's: those that have texts aside */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct node *queue, **queue_tail;
	size_t queue_records;        /* in it */
	struct delivery_stats stats; /* all but waiting */
	uint64_t queued;             /* records not yet in the spool */
	uint64_t waiting;            /* in it */
	bool is_idle;                /* nothing waits anywhere */
	uint64_t drains;             /* begun so far */
	bool wants_stop;
};

/* ---- delivery_lane.c ---- */
extern const struct sink_ops lane_ops;
int lane_init(struct lane *lane, struct delivery *delivery, const struct sink_spec *spec, const char **ret_error);
void lane_free(struct lane *lane);
/* Gives the sink its next batch when it is free and may. */
void lane_feed(struct lane *lane);
void lane_greet(struct lane *lane);
/* 0: nothing to wait for. */
uint64_t lane_due_ms(const struct lane *lane);

/* ---- delivery_spool.c ---- */
int delivery_spool_open(struct delivery *delivery);
/* After -EIO or -EBADMSG: closes and opens it again; what was damaged is set aside. */
void delivery_spool_reopen(struct delivery *delivery, int cause);
/* Commits what is due. */
void delivery_commit(struct delivery *delivery);
void delivery_look_for_word(struct delivery *delivery);

/* ---- delivery_queue.c ---- */
/* Adds to one of the stats, under the lock. */
void delivery_count(struct delivery *delivery, uint64_t *counter, uint64_t n);
struct node *node_free(struct node *node);
void delivery_calls_free(struct delivery *delivery);
/* What came since the last time goes to the backlog. */
void delivery_take(struct delivery *delivery);

/* ---- delivery_backlog.c ---- */
void delivery_aside_open(struct delivery *delivery);
/* Texts to their files, records with theirs to pending, in order. true: it stopped because much is pending. */
bool delivery_digest(struct delivery *delivery);
