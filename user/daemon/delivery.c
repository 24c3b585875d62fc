/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function, turn(), does all that is due: take the queue, commit, feed the lanes, tell how things stand, and set the one
 * timer for what is due next. Whatever happens (a record, a reply, the time) only leads to another turn.
 */
#include "base/log.h"
#include "daemon/delivery_parts.h"
#include <errno.h>
#include <signal.h>
#include <time.h>

enum { LOOK_EVERY_MS = 2000 };

static void publish(struct delivery *delivery)
{
	bool is_idle = !delivery->pending && !delivery->backlog_records;
	uint64_t waiting = 0;

	for (size_t i = 0; i < delivery->lane_count; i++) {
		const struct lane *lane = &delivery->lanes[i];

		waiting += lane->waiting;
		is_idle &= (!lane->is_busy || lane->is_greeting) && !lane->waiting && !lane->ack_count;
	}
	pthread_mutex_lock(&delivery->lock);
	delivery->waiting = waiting;
	delivery->is_idle = is_idle && !delivery->queue_records;
	pthread_cond_broadcast(&delivery->changed);
	pthread_mutex_unlock(&delivery->lock);
}

static void timer_over(uv_timer_t *timer);

static void timer_set(struct delivery *delivery)
{
	uint64_t now = uv_now(&delivery->loop), due = now + LOOK_EVERY_MS;

	if (delivery->pending)
		due = MIN(due, MAX(delivery->pending->queued_ms + COMMIT_AFTER_MS, delivery->commit_not_before_ms));
	if (delivery->backlog && delivery->backlog_not_before_ms)
		due = MIN(due, delivery->backlog_not_before_ms);
	for (size_t i = 0; i < delivery->lane_count; i++) {
		uint64_t lane_due = lane_due_ms(&delivery->lanes[i]);

		if (lane_due)
			due = MIN(due, lane_due);
	}
	uv_timer_start(&delivery->timer, timer_over, due > now ? due - now : 1, 0);
}

/* Records with their texts are large: they are committed before more are made. */
static void queue_digest(struct delivery *delivery)
{
	bool has_more;

	do {
		has_more = delivery_digest(delivery);
		delivery_commit(delivery);
	} while (has_more && delivery->pending_bytes < PENDING_BYTES_MAX);
}

static void turn(struct delivery *delivery)
{
	uv_update_time(&delivery->loop);
	delivery_take(delivery);
	if (delivery->has_spool)
		delivery_look_for_word(delivery);
	queue_digest(delivery);
	if (delivery->is_stopping) {
		publish(delivery);
		uv_stop(&delivery->loop);
		return;
	}
	for (size_t i = 0; i < delivery->lane_count; i++)
		lane_feed(&delivery->lanes[i]);
	publish(delivery);
	timer_set(delivery);
}

static void timer_over(uv_timer_t *timer)
{
	turn(timer->data);
}

static void woken(uv_async_t *wake)
{
	turn(wake->data);
}

static void *thread_run(void *user)
{
	struct delivery *delivery = user;

	pthread_setname_np(pthread_self(), "delivery");
	for (size_t i = 0; i < delivery->lane_count; i++)
		lane_greet(&delivery->lanes[i]);
	turn(delivery);
	if (!delivery->is_stopping)
		uv_run(&delivery->loop, UV_RUN_DEFAULT);
	return NULL;
}

/* Signals are the main thread's. */
int delivery_start(struct delivery *delivery)
{
	sigset_t all, before;
	int r;

	delivery_aside_open(delivery);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	r = pthread_create(&delivery->thread, NULL, thread_run, delivery);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	delivery->is_running = r == 0;
	return -r;
}

static void lock_init(struct delivery *delivery)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&delivery->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&delivery->changed, &attr);
	pthread_condattr_destroy(&attr);
}

/* Made by the pipeline's thread, freed by this one: nothing is counted. */
static void *memory_resize(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len)
{
	if (new_len)
		return realloc(pointer, new_len);
	free(pointer);
	return NULL;
}

static int sinks_open(struct delivery *delivery, const char **ret_error)
{
	*ret_error = "too many sinks";
	if (delivery->opts.spec_count > DELIVERY_SINKS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < delivery->opts.spec_count; i++) {
		const struct sink_spec *spec = &delivery->opts.specs[i];
		struct sink **direct = &delivery->direct[delivery->direct_count];
		bool is_spooled = sink_spec_is_spooled(spec);
		int r = is_spooled ? lane_init(&delivery->lanes[delivery->lane_count], delivery, spec, ret_error)
				   : sink_new(spec, &delivery->opts.env, &lane_ops, NULL, direct, ret_error);

		if (r < 0)
			return r;
		if (is_spooled)
			delivery->lane_count++;
		else
			delivery->direct_count++;
	}
	delivery->has_spool = delivery->lane_count > 0;
	return 0;
}

int delivery_new(const struct delivery_opts *opts, struct delivery **ret, const char **ret_error)
{
	CLEANUP(delivery_free) struct delivery *delivery = calloc(1, sizeof(*delivery));
	int r;

	*ret_error = "out of memory";
	if (!delivery)
		return -ENOMEM;
	delivery->opts = *opts;
	delivery->opts.spool_path = delivery->spool_path = opts->spool_path ? strdup(opts->spool_path) : NULL;
	delivery->alloc.resize = memory_resize;
	delivery->pending_tail = &delivery->pending;
	delivery->queue_tail = &delivery->queue;
	delivery->backlog_tail = &delivery->backlog;
	lock_init(delivery);
	uv_loop_init(&delivery->loop);
	uv_async_init(&delivery->loop, &delivery->wake, woken);
	uv_timer_init(&delivery->loop, &delivery->timer);
	delivery->wake.data = delivery->timer.data = delivery;
	delivery->lanes = calloc(DELIVERY_SINKS_MAX, sizeof(*delivery->lanes));
	r = delivery->lanes ? http_client_new(&delivery->loop, &opts->http, &delivery->http) : -ENOMEM;
	if (r < 0)
		return r;
	delivery->opts.env.loop = &delivery->loop;
	delivery->opts.env.http = delivery->http;
	r = sinks_open(delivery, ret_error);
	if (r == 0 && delivery->has_spool) {
		*ret_error = "cannot open the spool";
		r = delivery_spool_open(delivery);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(delivery);
	return 0;
}

static void nodes_free(struct node *node)
{
	while (node) {
		struct node *next = node->next;

		node_free(node);
		node = next;
	}
}

struct delivery *delivery_free(struct delivery *delivery)
{
	if (!delivery)
		return NULL;
	pthread_mutex_lock(&delivery->lock);
	delivery->wants_stop = true;
	pthread_mutex_unlock(&delivery->lock);
	if (delivery->is_running) {
		uv_async_send(&delivery->wake);
		pthread_join(delivery->thread, NULL);
	} else if (delivery->spool) {
		turn(delivery);
	}
	delivery->http = http_client_free(delivery->http);
	for (size_t i = 0; i < delivery->lane_count; i++)
		lane_free(&delivery->lanes[i]);
	for (size_t i = 0; i < delivery->direct_count; i++)
		sink_free(delivery->direct[i]);
	spool_close(delivery->spool);
	uv_close((uv_handle_t *)&delivery->wake, NULL);
	uv_close((uv_handle_t *)&delivery->timer, NULL);
	while (uv_run(&delivery->loop,
		      UV_RUN_DEFAULT)) /* a uv_stop() that met no running loop ends the first one at once */
		;
	uv_loop_close(&delivery->loop);
	nodes_free(delivery->pending);
	nodes_free(delivery->backlog);
	nodes_free(delivery->queue);
	delivery_calls_free(delivery);
	pthread_cond_destroy(&delivery->changed);
	pthread_mutex_destroy(&delivery->lock);
	aside_store_free(delivery->aside);
	free(delivery->aside_dir);
	free(delivery->spool_path);
	free(delivery->lanes);
	free(delivery);
	return NULL;
}

uint64_t delivery_boot(const struct delivery *delivery)
{
	return delivery->boot;
}
