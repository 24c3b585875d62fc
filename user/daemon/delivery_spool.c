/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records become durable here, many in one commit. A disk that refuses is told once and tried every second; meanwhile the
 * direct sinks have shown the records already, and the queue keeps them as long as it has room.
 */
#include "base/log.h"
#include "daemon/delivery_parts.h"
#include <errno.h>

enum { COMMIT_RETRY_MS = 1000 };

static int lanes_register(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->lane_count; i++) {
		struct lane *lane = &delivery->lanes[i];
		struct spool_stats stats;

		lane->number = spool_sink(delivery->spool, slice_of(sink_name(lane->sink)));
		if (lane->number < 0)
			return lane->number;
		if (spool_stats(delivery->spool, lane->number, &stats) == 0)
			lane->waiting = stats.waiting;
	}
	return 0;
}

int delivery_spool_open(struct delivery *delivery)
{
	struct spool_opts opts = { .path = delivery->opts.spool_path, .bytes_max = delivery->opts.spool_bytes_max };
	int r = opts.path ? spool_open(&opts, &delivery->spool) : -EINVAL;

	if (r < 0)
		return r;
	if (r > 0)
		log_warn(0, "the spool '%s' was damaged, set aside beside itself; beginning a new one", opts.path);
	if (!delivery->boot)
		delivery->boot = spool_boot(delivery->spool);
	return lanes_register(delivery);
}

/* What waited is in the file that was set aside: it must not vanish from the sums. */
static void lanes_lose(struct delivery *delivery)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < delivery->lane_count; i++) {
		struct lane *lane = &delivery->lanes[i];

		lost += lane->waiting - MIN(lane->waiting, (uint64_t)lane->ack_count);
		lane->waiting = 0;
		lane->ack_count = 0;
		lane->is_stale = lane->is_busy;
	}
	delivery_count(delivery, &delivery->stats.set_aside, lost);
	log_warn(0, "the spool '%s' is damaged, setting it aside with %llu undelivered records and beginning a new one",
		 delivery->opts.spool_path, (unsigned long long)lost);
}

void delivery_spool_reopen(struct delivery *delivery, int cause)
{
	if (cause == -EBADMSG)
		lanes_lose(delivery);
	delivery->spool = spool_close(delivery->spool);
	if (delivery_spool_open(delivery) < 0)
		delivery->spool = spool_close(delivery->spool);
}

void delivery_look_for_word(struct delivery *delivery)
{
	int r;

	if (!delivery->spool || !spool_is_asked_to_retry(delivery->spool))
		return;
	r = spool_retry_dead(delivery->spool);
	if (r < 0)
		log_warn(r, "cannot take up the refused records again, they stay in the spool");
	else
		log_info("%d refused records are tried again", r);
	lanes_register(delivery);
	for (size_t i = 0; i < delivery->lane_count; i++)
		delivery->lanes[i].not_before_ms = 0;
}

/* ---- commit ---- */

static void node_show(struct delivery *delivery, struct node *node)
{
	uint64_t failed = 0;

	if (node->is_shown)
		return;
	for (size_t i = 0; i < delivery->direct_count; i++)
		failed += sink_write(delivery->direct[i], &node->record) < 0;
	if (failed)
		delivery_count(delivery, &delivery->stats.unwritten, failed);
	else if (!delivery->has_spool)
		delivery_count(delivery, &delivery->stats.delivered, 1);
	node->is_shown = true;
}

/* The first @count of pending have gone where they belong. */
static void pending_forget(struct delivery *delivery, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		struct node *node = delivery->pending;

		delivery->pending = node->next;
		bytes += sizeof(*node) + node->record.body.len;
		delivery->pending_bytes -= node->record.body.len;
		node_free(node);
	}
	if (!delivery->pending)
		delivery->pending_tail = &delivery->pending;
	delivery->pending_count -= count;
	pthread_mutex_lock(&delivery->lock);
	delivery->queued -= MIN(delivery->queued, (uint64_t)count); /* may have been given up */
	delivery->stats.queued_bytes -= bytes;
	pthread_mutex_unlock(&delivery->lock);
}

static int put(struct delivery *delivery, size_t count)
{
	struct record records[COMMIT_MAX];
	int numbers[DELIVERY_SINKS_MAX];
	struct node *node = delivery->pending;

	for (size_t i = 0; i < count; i++, node = node->next)
		records[i] = node->record;
	for (size_t i = 0; i < delivery->lane_count; i++)
		numbers[i] = delivery->lanes[i].number;
	return spool_put(delivery->spool, records, count, numbers, delivery->lane_count);
}

/* A record larger than the whole spool will never fit: it is the only one that is given up here. */
static bool first_fits_never(struct delivery *delivery)
{
	struct spool_stats stats;

	return spool_stats(delivery->spool, -1, &stats) == 0 && stats.waiting == 0 && stats.dead == 0 &&
	       delivery->opts.spool_bytes_max && delivery->pending->record.body.len > delivery->opts.spool_bytes_max;
}

static void commit_failed(struct delivery *delivery, int r)
{
	if (r == -ENOSPC && first_fits_never(delivery)) {
		log_warn(0, "a trace of %zu bytes is larger than the whole spool, dropping it",
			 delivery->pending->record.body.len);
		delivery_count(delivery, &delivery->stats.shed, 1);
		pending_forget(delivery, 1);
		return;
	}
	if (r != delivery->commit_error)
		log_warn(r, "cannot write to the spool '%s', keeping records in memory while there is room",
			 delivery->opts.spool_path);
	delivery->commit_error = r;
	delivery->commit_not_before_ms = uv_now(&delivery->loop) + COMMIT_RETRY_MS;
	if (r == -EIO || r == -EBADMSG || !delivery->spool)
		delivery_spool_reopen(delivery, r);
}

static void commit_succeeded(struct delivery *delivery, size_t count)
{
	if (delivery->commit_error)
		log_info("the spool '%s' takes records again", delivery->opts.spool_path);
	delivery->commit_error = 0;
	for (size_t i = 0; i < delivery->lane_count; i++)
		delivery->lanes[i].waiting += count;
	if (delivery->has_spool)
		delivery_count(delivery, &delivery->stats.committed, count);
	pending_forget(delivery, count);
}

/* Where not all of a commit fits, a smaller one may. */
static int put_what_fits(struct delivery *delivery, size_t *count)
{
	int r = delivery->spool ? put(delivery, *count) : -EIO;

	while (r == -ENOSPC && *count > 1) {
		*count /= 2;
		r = put(delivery, *count);
	}
	return r;
}

static bool commit_is_due(const struct delivery *delivery)
{
	uint64_t now = uv_now(&delivery->loop);

	if (!delivery->pending)
		return false;
	if (delivery->is_stopping || !delivery->has_spool)
		return true;
	if (now < delivery->commit_not_before_ms)
		return false;
	return delivery->pending_count >= COMMIT_MAX || delivery->pending_bytes >= PENDING_BYTES_MAX ||
	       now >= delivery->pending->queued_ms + COMMIT_AFTER_MS;
}

void delivery_commit(struct delivery *delivery)
{
	while (commit_is_due(delivery)) {
		size_t count = MIN(delivery->pending_count, (size_t)COMMIT_MAX), shown = count;
		struct node *node = delivery->pending;
		int r = delivery->has_spool ? put_what_fits(delivery, &count) : 0;

		for (size_t i = 0; i < shown; i++, node = node->next)
			node_show(delivery, node);
		if (r == 0)
			commit_succeeded(delivery, count);
		else
			commit_failed(delivery, r);
		if (r < 0 && delivery->is_stopping && delivery->commit_error)
			return;
	}
}
