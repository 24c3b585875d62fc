/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane carries batches from the spool to one sink. What the sink has taken is written down before the next batch; where the
 * disk refuses even that, the ids are kept and written later: the lease still holds them back from being sent twice.
 */
#include "base/log.h"
#include "daemon/delivery_parts.h"
#include <errno.h>

enum { ARENA_MAX = 512 << 20, LEASE_RETRY_MS = 5000, BURIED_SAY_MS = 10000, SPOOL_RETRY_MS = 1000 };

int lane_init(struct lane *lane, struct delivery *delivery, const struct sink_spec *spec, const char **ret_error)
{
	lane->delivery = delivery;
	lane->heap = (struct alloc_heap)ALLOC_HEAP(ARENA_MAX);
	lane->arena = arena_new(&lane->heap.alloc, ARENA_MAX);
	if (!lane->arena)
		return -ENOMEM;
	return sink_new(spec, &delivery->opts.env, &lane_ops, lane, &lane->sink, ret_error);
}

void lane_free(struct lane *lane)
{
	lane->sink = sink_free(lane->sink);
	lane->arena = arena_free(lane->arena);
	free(lane->acks);
}

uint64_t lane_due_ms(const struct lane *lane)
{
	if (lane->is_busy || (!lane->waiting && !lane->ack_count))
		return 0;
	return MAX(lane->not_before_ms, (uint64_t)1);
}

static void spool_failed(struct lane *lane, int r)
{
	lane->not_before_ms = uv_now(&lane->delivery->loop) + SPOOL_RETRY_MS;
	if (r == -EBADMSG)
		delivery_spool_reopen(lane->delivery, r);
}

/* ---- what became of a batch ---- */

static int acks_keep(struct lane *lane, int64_t id)
{
	if (lane->ack_count == lane->ack_size) {
		size_t size = MAX(lane->ack_size * 2, (size_t)LANE_BATCH_MAX);
		int64_t *acks = realloc(lane->acks, size * sizeof(*acks));

		if (!acks)
			return -ENOMEM;
		lane->acks = acks;
		lane->ack_size = size;
	}
	lane->acks[lane->ack_count++] = id;
	return 0;
}

static void acks_write(struct lane *lane)
{
	int r;

	if (!lane->ack_count || !lane->delivery->spool)
		return;
	r = spool_ack(lane->delivery->spool, lane->number, lane->acks, lane->ack_count);
	if (r < 0)
		return spool_failed(lane, r);
	lane->waiting -= MIN(lane->waiting, (uint64_t)lane->ack_count);
	lane->ack_count = 0;
}

static void item_bury(struct lane *lane, const struct spool_item *item, const char *reason)
{
	struct delivery *delivery = lane->delivery;
	uint64_t now = uv_now(&delivery->loop);
	int r = spool_bury(delivery->spool, lane->number, item->id, slice_of(reason));

	if (r < 0) {
		spool_nack(delivery->spool, lane->number, &item->id, 1);
		return;
	}
	lane->waiting -= lane->waiting > 0;
	delivery_count(delivery, &delivery->stats.dead, 1);
	if (!lane->buried_said_ms || now - lane->buried_said_ms > BURIED_SAY_MS) {
		log_warn(0, "%s refused a trace for good: %s; keeping it among the dead ('spantap spool dead')",
			 sink_name(lane->sink), reason ? reason : "");
		lane->buried_said_ms = now;
	}
}

static void verdict_apply(struct lane *lane, const struct spool_item *item, const struct sink_verdict *verdict)
{
	struct delivery *delivery = lane->delivery;

	if (verdict->fate == SINK_TAKEN) {
		delivery_count(delivery, &delivery->stats.delivered, 1);
		acks_keep(lane, item->id);
	} else if (verdict->fate == SINK_DEAD) {
		item_bury(lane, item, verdict->reason);
	}
}

static void lane_done(void *user, struct sink *sink, const struct sink_verdict *verdicts, size_t count,
		      unsigned retry_ms)
{
	struct lane *lane = user;
	struct spool *spool = lane->delivery->spool;
	int64_t again[LANE_BATCH_MAX];
	size_t again_count = 0;

	lane->is_busy = lane->is_greeting = false;
	lane->not_before_ms = retry_ms ? uv_now(&lane->delivery->loop) + retry_ms : 0;
	for (size_t i = 0; i < count && i < lane->count && spool && !lane->is_stale; i++) {
		if (verdicts[i].fate == SINK_AGAIN)
			again[again_count++] = lane->items[i].id;
		else
			verdict_apply(lane, &lane->items[i], &verdicts[i]);
	}
	if (again_count && spool)
		spool_nack(spool, lane->number, again, again_count);
	acks_write(lane);
	lane->is_stale = false;
	lane->count = 0;
	arena_reset(lane->arena);
	uv_async_send(&lane->delivery->wake);
}

static void lane_state(void *user, struct sink *sink, bool is_well, const char *text)
{
	const struct lane *lane = user;

	if (is_well)
		log_info("%s: %s", sink_name(sink), text);
	else if (lane)
		log_warn(0, "%s: %s; %llu traces wait, trying again", sink_name(sink), text,
			 (unsigned long long)lane->waiting);
	else
		log_warn(0, "%s: %s", sink_name(sink), text);
}

const struct sink_ops lane_ops = { .done = lane_done, .state = lane_state };

/* ---- the next batch ---- */

/* How many wait is counted along, and counted anew from the disk when that says that nothing does. */
static int lane_lease(struct lane *lane)
{
	struct spool *spool = lane->delivery->spool;
	struct spool_stats stats;
	size_t count;
	uint64_t bytes;
	int n;

	if (spool_stats(spool, lane->number, &stats) == 0)
		lane->waiting = stats.waiting;
	sink_want(lane->sink, lane->waiting, &count, &bytes);
	n = lane->waiting > lane->ack_count ? spool_lease(spool, lane->number, MIN(count, (size_t)LANE_BATCH_MAX),
							  bytes, lane->arena, lane->items)
					    : 0;
	for (int i = 0; i < n; i++)
		lane->records[i] = lane->items[i].record;
	return n;
}

/* A wrong server or experiment is told at once, not when the first trace comes. Nobody waits for the answer. */
void lane_greet(struct lane *lane)
{
	lane->is_busy = lane->is_greeting = true;
	lane->count = 0;
	if (sink_send(lane->sink, lane->records, 0) < 0)
		lane->is_busy = lane->is_greeting = false;
}

void lane_feed(struct lane *lane)
{
	int n;

	if (lane->is_busy || !lane->waiting || !lane->delivery->spool ||
	    uv_now(&lane->delivery->loop) < lane->not_before_ms)
		return;
	acks_write(lane);
	n = lane->delivery->spool ? lane_lease(lane) : -EIO;
	if (n == 0) {
		lane->not_before_ms = uv_now(&lane->delivery->loop) + SPOOL_RETRY_MS;
		return;
	}
	if (n < 0) {
		lane->not_before_ms = uv_now(&lane->delivery->loop) + LEASE_RETRY_MS;
		log_warn(n, "cannot read the spool for %s, trying again", sink_name(lane->sink));
		if (n == -EIO || n == -EBADMSG)
			delivery_spool_reopen(lane->delivery, n);
		return;
	}
	lane->count = (size_t)n;
	lane->is_busy = true;
	n = sink_send(lane->sink, lane->records, lane->count);
	if (n < 0) {
		struct sink_verdict none[LANE_BATCH_MAX];

		for (size_t i = 0; i < lane->count; i++)
			none[i] = (struct sink_verdict){ .fate = SINK_AGAIN };
		lane_done(lane, lane->sink, none, lane->count, LEASE_RETRY_MS);
	}
}
