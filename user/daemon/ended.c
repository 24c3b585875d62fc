/* SPDX-License-Identifier: Apache-2.0 */
/* Few processes end within the second that one stays here, so the list is searched from its beginning. */
#include "daemon/ended.h"
#include <errno.h>
#include <utlist.h>

int ended_add(struct ended **list, struct alloc *alloc, struct process_id process, uint64_t time_ns)
{
	struct ended *ended = alloc_get(alloc, sizeof(*ended));

	if (!ended)
		return -ENOMEM;
	ended->process = process;
	ended->time_ns = time_ns;
	DL_APPEND(*list, ended);
	return 0;
}

struct ended *ended_find(struct ended *list, struct process_id process)
{
	struct ended *ended;

	DL_FOREACH(list, ended)
		if (ended->process.pid == process.pid && ended->process.start_ns == process.start_ns)
			return ended;
	return NULL;
}

void ended_remove(struct ended **list, struct alloc *alloc, struct ended *ended)
{
	DL_DELETE(*list, ended);
	alloc_put(alloc, ended, sizeof(*ended));
}
