/* SPDX-License-Identifier: Apache-2.0 */
/* The wait begins at the first tick behind the end: the end itself may be old when it is read. */
#include "daemon/ended.h"
#include "base/cleanup.h"
#include <utlist.h>

static const uint64_t wait_ns = 1000000000;

struct ended {
	struct process_id process;
	uint64_t time_ns;
	uint64_t since_ns; /* 0: no tick yet */
	bool is_asked;
	struct ended *prev, *next;
};

static struct ended *ended_find(const struct ended_list *list, struct process_id process)
{
	struct ended *ended;

	DL_FOREACH(list->first, ended)
		if (ended->process.pid == process.pid && ended->process.start_ns == process.start_ns)
			return ended;
	return NULL;
}

static void ended_finish(struct ended_list *list, struct ended *ended)
{
	DL_DELETE(list->first, ended);
	list->ops->tell(list->user, ended->process, ended->time_ns);
	alloc_put(list->alloc, ended, sizeof(*ended));
}

void ended_add(struct ended_list *list, struct process_id process, uint64_t time_ns)
{
	struct ended *ended = alloc_get(list->alloc, sizeof(*ended));

	if (ended) {
		*ended = (struct ended){ .process = process, .time_ns = time_ns };
		DL_APPEND(list->first, ended);
	} else {
		list->ops->tell(list->user, process, time_ns);
		list->ops->ask(list->user, process);
	}
}

uint64_t ended_time(const struct ended_list *list, struct process_id process)
{
	const struct ended *ended = ended_find(list, process);

	return ended ? ended->time_ns : UINT64_MAX;
}

void ended_tell(struct ended_list *list, struct process_id process)
{
	struct ended *ended = ended_find(list, process);

	if (ended)
		ended_finish(list, ended);
}

void ended_tick(struct ended_list *list, uint64_t now_ns)
{
	struct ended *ended, *after;

	DL_FOREACH_SAFE(list->first, ended, after) {
		if (!ended->since_ns)
			ended->since_ns = now_ns;
		if (!ended->is_asked)
			ended->is_asked = list->ops->ask(list->user, ended->process) == 0;
		if (now_ns > ended->since_ns + wait_ns)
			ended_finish(list, ended);
	}
}

void ended_tell_all(struct ended_list *list)
{
	while (list->first)
		ended_finish(list, list->first);
}
