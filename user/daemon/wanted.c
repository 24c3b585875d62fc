/* SPDX-License-Identifier: Apache-2.0 */
/* Facts of processes (origins) and what waits for them (undecided), brought together. */
#include "daemon/wanted.h"
#include <errno.h>

static int on_ask(void *user, const struct conn_info *conn)
{
	struct wanted *wanted = user;

	return wanted->ops->who ? wanted->ops->who(wanted->user, conn) : 0;
}

static void on_record(void *user, const struct record *record)
{
	struct wanted *wanted = user;

	if (wanted->ops->record(wanted->user, record) < 0)
		wanted->stats->shed_records++;
}

static void on_counted(void *user, const struct undecided_calls *calls)
{
	struct pipeline_stats *stats = ((struct wanted *)user)->stats;

	stats->calls += calls->calls;
	stats->complete += calls->complete;
	stats->incomplete += calls->calls - calls->complete;
}

static const struct undecided_ops undecided_ops = { .ask = on_ask, .record = on_record, .counted = on_counted };

int wanted_init(struct wanted *wanted, struct alloc *alloc, uint64_t memory_max)
{
	/* What may not even be wanted takes no more than a part. */
	wanted->undecided = (struct undecided_list){ .heap = ALLOC_HEAP_IN(alloc, memory_max / 4),
						     .ops = &undecided_ops,
						     .user = wanted };
	return origins_new(alloc, &wanted->origins);
}

void wanted_clear(struct wanted *wanted)
{
	undecided_forget(&wanted->undecided);
	wanted->origins = origins_free(wanted->origins);
}

enum wish wanted_wish(const struct wanted *wanted, const struct origin *origin)
{
	if (wanted->has_filters && (!origin || origin->is_assumed))
		return WISH_UNKNOWN;
	return !origin || origin->selected ? WISH_YES : WISH_NO;
}

enum wish wanted_open(struct wanted *wanted, const struct conn_info *conn)
{
	const struct origin *origin = origins_find(wanted->origins, conn->process);
	enum wish wish = wanted_wish(wanted, origin);

	if (wish == WISH_UNKNOWN)
		undecided_ask(&wanted->undecided, conn);
	else if (!origin)
		on_ask(wanted, conn);
	if (!origin)
		origins_assume(wanted->origins, conn);
	return wish;
}

/* Without its number nobody can say who a process is. */
enum wish wanted_call(struct wanted *wanted, const struct call *call)
{
	const struct conn_info *conn = &call->conn;
	enum wish wish = wanted_wish(wanted, origins_find(wanted->origins, conn->process));

	if (wish == WISH_YES)
		on_counted(wanted, &(struct undecided_calls){ 1, call->is_complete });
	else if (wish == WISH_UNKNOWN && conn->process.pid && undecided_ask(&wanted->undecided, conn) == 0)
		undecided_count(&wanted->undecided, conn->process, call->is_complete);
	return wish;
}

void wanted_record(struct wanted *wanted, const struct origin *origin, const struct record *record)
{
	enum wish wish = wanted_wish(wanted, origin);

	if (wish == WISH_YES)
		on_record(wanted, record);
	else if (wish == WISH_UNKNOWN && (!origin || undecided_put(&wanted->undecided, origin->id, record) < 0))
		wanted->stats->shed_records++;
}

const struct origin *wanted_told(struct wanted *wanted, struct slice packed)
{
	const struct origin *origin;

	if (origins_put(wanted->origins, packed, &origin) < 0)
		return NULL;
	undecided_decide(&wanted->undecided, origin);
	return origin;
}
