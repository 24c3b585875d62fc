/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that have ended. How far their connections went to the last byte is known to somebody else, who is asked for it
 * and answers behind the end: so an end is told only when that was told, or has been waited for.
 */
#pragma once
#include "base/alloc.h"
#include "model/process.h"

struct ended_ops {
	/* 0, or negative: it is asked again at the next tick. */
	int (*ask)(void *user, struct process_id process);
	void (*tell)(void *user, struct process_id process, uint64_t time_ns);
};

struct ended_list {
	struct alloc *alloc;
	const struct ended_ops *ops;
	void *user;
	struct ended *first;
};

/* Without memory the end is told at once. */
void ended_add(struct ended_list *list, struct process_id process, uint64_t time_ns);
/* UINT64_MAX: none that was not told. */
uint64_t ended_time(const struct ended_list *list, struct process_id process);
/* All that can be known of it is here. */
void ended_tell(struct ended_list *list, struct process_id process);
void ended_tick(struct ended_list *list, uint64_t now_ns);
void ended_tell_all(struct ended_list *list);
