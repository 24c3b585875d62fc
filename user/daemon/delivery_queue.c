/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline's side of delivery: nothing here waits but for the lock, which no one holds while it copies, writes or sends.
 * Records, texts and ends of calls stand in one queue, so what came first is done first.
 */
#include "daemon/delivery_parts.h"
#include <errno.h>
#include <time.h>

#define HASH_NONFATAL_OOM         1
#define uthash_nonfatal_oom(item) ((item)->is_unhashed = true)
#include <uthash.h>

/* A call that has texts aside, and what will be queued when it ends: that must not fail, so it is taken with the first. */
struct open_call {
	UT_hash_handle hh;
	uint64_t id;
	struct node *end;
	bool is_unhashed;
};

void delivery_count(struct delivery *delivery, uint64_t *counter, uint64_t n)
{
	pthread_mutex_lock(&delivery->lock);
	*counter += n;
	pthread_mutex_unlock(&delivery->lock);
}

struct node *node_free(struct node *node)
{
	if (node)
		free(node->text);
	free(node);
	return NULL;
}

static void node_queue(struct delivery *delivery, struct node *node)
{
	*delivery->queue_tail = node;
	delivery->queue_tail = &node->next;
}

static struct node *node_new(const struct record *record)
{
	struct node *node = malloc(sizeof(*node) + record->body.len);

	if (!node)
		return NULL;
	*node = (struct node){ .record = *record, .queued_ms = uv_hrtime() / 1000000 };
	if (record->body.len)
		memcpy(node->body, record->body.data, record->body.len);
	node->record.body.data = node->body;
	return node;
}

/* The room is taken first, so that the copy (it may be megabytes) is made outside of the lock. */
static bool room_take(struct delivery *delivery, size_t len, size_t max)
{
	struct delivery_stats *stats = &delivery->stats;
	bool has_room;

	pthread_mutex_lock(&delivery->lock);
	has_room = len <= max && stats->queued_bytes <= max - len;
	if (has_room)
		stats->queued_bytes += len;
	pthread_mutex_unlock(&delivery->lock);
	return has_room;
}

int delivery_put(struct delivery *delivery, const struct record *record)
{
	size_t len = sizeof(struct node) + record->body.len;
	struct node *node = NULL;

	if (!room_take(delivery, len, delivery->opts.queue_bytes_max)) {
		delivery_count(delivery, &delivery->stats.shed, 1);
		return -ENOBUFS;
	}
	node = node_new(record);
	pthread_mutex_lock(&delivery->lock);
	if (node) {
		node_queue(delivery, node);
		delivery->queue_records++;
		delivery->is_idle = false;
		delivery->stats.put++;
		delivery->queued++;
	} else {
		delivery->stats.queued_bytes -= len;
		delivery->stats.shed++;
	}
	pthread_mutex_unlock(&delivery->lock);
	uv_async_send(&delivery->wake);
	return node ? 0 : -ENOBUFS;
}

static struct open_call *call_find(struct delivery *delivery, uint64_t id)
{
	struct open_call *call;

	HASH_FIND(hh, delivery->calls, &id, sizeof(id), call);
	return call;
}

static bool call_open(struct delivery *delivery, uint64_t id)
{
	struct open_call *call = call_find(delivery, id);

	if (call)
		return true;
	call = calloc(1, sizeof(*call));
	if (!call)
		return false;
	call->id = id;
	call->end = malloc(sizeof(*call->end));
	if (call->end) {
		*call->end = (struct node){ .kind = NODE_END, .call = id };
		HASH_ADD(hh, delivery->calls, id, sizeof(call->id), call);
		if (!call->is_unhashed)
			return true;
	}
	free(call->end);
	free(call);
	return false;
}

/* What it has to queue when it ends. */
static struct node *call_close(struct delivery *delivery, struct open_call *call)
{
	struct node *end = call->end;

	HASH_DEL(delivery->calls, call);
	free(call);
	return end;
}

void delivery_calls_free(struct delivery *delivery)
{
	struct open_call *call, *next;

	HASH_ITER(hh, delivery->calls, call, next)
		node_free(call_close(delivery, call));
}

static struct node *text_node_new(struct delivery *delivery, uint64_t call, const struct aside_id *id,
				  struct slice text)
{
	struct node *node = call_open(delivery, call) ? malloc(sizeof(*node)) : NULL;

	if (!node)
		return NULL;
	*node = (struct node){ .kind = NODE_TEXT, .call = call, .text = aside_text_new(id, text) };
	return node->text ? node : node_free(node);
}

int delivery_aside(struct delivery *delivery, uint64_t call, const struct aside_id *id, struct slice text)
{
	size_t len = aside_text_bytes(text.len);
	struct node *node;

	if (!delivery->aside)
		return -ENOTSUP;
	if (!room_take(delivery, len, delivery->opts.queue_bytes_max / 2))
		return -ENOBUFS;
	node = text_node_new(delivery, call, id, text);
	pthread_mutex_lock(&delivery->lock);
	if (node)
		node_queue(delivery, node);
	else
		delivery->stats.queued_bytes -= len;
	pthread_mutex_unlock(&delivery->lock);
	if (!node)
		return -ENOBUFS;
	uv_async_send(&delivery->wake);
	return 0;
}

void delivery_aside_end(struct delivery *delivery, uint64_t id)
{
	struct open_call *call = call_find(delivery, id);

	if (!call)
		return;
	pthread_mutex_lock(&delivery->lock);
	node_queue(delivery, call_close(delivery, call));
	pthread_mutex_unlock(&delivery->lock);
	uv_async_send(&delivery->wake);
}

int delivery_drain(struct delivery *delivery, unsigned timeout_ms)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&delivery->lock);
	delivery->drains++;
	uv_async_send(&delivery->wake);
	while (!delivery->is_idle && r == 0)
		r = -pthread_cond_timedwait(&delivery->changed, &delivery->lock, &until);
	r = delivery->is_idle ? 0 : r;
	pthread_mutex_unlock(&delivery->lock);
	return r;
}

void delivery_give_up(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->lock);
	if (delivery->has_spool) {
		delivery->stats.shed += delivery->queued;
		delivery->queued = 0;
	}
	pthread_mutex_unlock(&delivery->lock);
}

void delivery_stats(struct delivery *delivery, struct delivery_stats *ret)
{
	pthread_mutex_lock(&delivery->lock);
	*ret = delivery->stats;
	ret->waiting = delivery->waiting + (delivery->has_spool ? delivery->queued : 0);
	pthread_mutex_unlock(&delivery->lock);
}

/* ---- the thread's ---- */

void delivery_take(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->lock);
	*delivery->backlog_tail = delivery->queue;
	if (delivery->queue)
		delivery->backlog_tail = delivery->queue_tail;
	delivery->backlog_records += delivery->queue_records;
	delivery->queue = NULL;
	delivery->queue_tail = &delivery->queue;
	delivery->queue_records = 0;
	if (delivery->drains_seen != delivery->drains)
		for (size_t i = 0; i < delivery->lane_count; i++)
			delivery->lanes[i].not_before_ms = 0;
	delivery->drains_seen = delivery->drains;
	delivery->is_stopping = delivery->wants_stop;
	pthread_mutex_unlock(&delivery->lock);
}
