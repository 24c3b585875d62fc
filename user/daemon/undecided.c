/* SPDX-License-Identifier: Apache-2.0 */
/* One entry for each process, with its records in their order. */
#include "daemon/undecided.h"
#include "daemon/origins.h"
#include <errno.h>
#include <utlist.h>

struct waiting {
	struct waiting *prev, *next;
	struct record record; /* body: the copy behind this struct */
	char body[];
};

struct undecided {
	struct undecided *prev, *next;
	struct conn_info conn;
	struct undecided_calls calls;
	struct waiting *records;
	bool is_asked;
};

static struct undecided *undecided_find(const struct undecided_list *list, struct process_id process)
{
	struct undecided *undecided;

	DL_FOREACH(list->first, undecided)
		if (memcmp(&undecided->conn.process, &process, sizeof(process)) == 0)
			return undecided;
	return NULL;
}

/* Its records go, to @record or to nobody. Returns their number. */
static uint64_t undecided_end(struct undecided_list *list, struct undecided *undecided,
			      void (*record)(void *user, const struct record *record))
{
	struct waiting *waiting, *after;
	uint64_t count = 0;

	DL_FOREACH_SAFE(undecided->records, waiting, after) {
		if (record)
			record(list->user, &waiting->record);
		alloc_put(&list->heap.alloc, waiting, sizeof(*waiting) + waiting->record.body.len);
		count++;
	}
	DL_DELETE(list->first, undecided);
	alloc_put(&list->heap.alloc, undecided, sizeof(*undecided));
	return count;
}

int undecided_ask(struct undecided_list *list, const struct conn_info *conn)
{
	struct undecided *undecided = undecided_find(list, conn->process);

	if (undecided)
		return 0;
	undecided = alloc_get(&list->heap.alloc, sizeof(*undecided));
	if (!undecided)
		return -ENOMEM;
	undecided->conn = *conn;
	undecided->is_asked = list->ops->ask(list->user, conn) == 0;
	DL_APPEND(list->first, undecided);
	return 0;
}

void undecided_count(struct undecided_list *list, struct process_id process, bool is_complete)
{
	struct undecided *undecided = undecided_find(list, process);

	if (!undecided)
		return;
	undecided->calls.calls++;
	undecided->calls.complete += is_complete;
}

int undecided_put(struct undecided_list *list, struct process_id process, const struct record *record)
{
	struct undecided *undecided = undecided_find(list, process);
	struct waiting *waiting = undecided ? alloc_get(&list->heap.alloc, sizeof(*waiting) + record->body.len) : NULL;

	if (!waiting)
		return -ENOMEM;
	waiting->record = *record;
	waiting->record.body.data = waiting->body;
	memcpy(waiting->body, record->body.data, record->body.len);
	DL_APPEND(undecided->records, waiting);
	return 0;
}

void undecided_decide(struct undecided_list *list, const struct origin *origin)
{
	struct undecided *undecided, *after;

	DL_FOREACH_SAFE(list->first, undecided, after) {
		if (!origins_is(origin, undecided->conn.process))
			continue;
		if (origin->selected)
			list->ops->counted(list->user, &undecided->calls);
		undecided_end(list, undecided, origin->selected ? list->ops->record : NULL);
	}
}

void undecided_tick(struct undecided_list *list)
{
	struct undecided *undecided;

	DL_FOREACH(list->first, undecided)
		if (!undecided->is_asked)
			undecided->is_asked = list->ops->ask(list->user, &undecided->conn) == 0;
}

uint64_t undecided_forget(struct undecided_list *list)
{
	uint64_t count = 0;

	while (list->first)
		count += undecided_end(list, list->first, NULL);
	return count;
}
