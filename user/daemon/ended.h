/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ended: the processes that have ended, while what their connections had passed to the last byte may still be told. A list in
 * the order of their ends, begun with NULL.
 */
#pragma once
#include "base/alloc.h"
#include "model/conn.h"

struct ended {
	struct process_id process;
	uint64_t time_ns;
	struct ended *prev, *next;
};

/* -ENOMEM: it is not in the list. */
int ended_add(struct ended **list, struct alloc *alloc, struct process_id process, uint64_t time_ns);
/* NULL: it has not ended, or was taken. */
struct ended *ended_find(struct ended *list, struct process_id process);
/* Removes and frees it. */
void ended_remove(struct ended **list, struct alloc *alloc, struct ended *ended);
