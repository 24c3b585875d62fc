/* SPDX-License-Identifier: Apache-2.0 */
/*
 * undecided: processes of which nobody has said yet whether the filters want them. What travels cannot be seen again, so their
 * calls are made as all others are; the records wait here until the answer lets them go, or forgets them. Each process is asked
 * for until the question is taken.
 */
#pragma once
#include "base/alloc.h"
#include "model/conn.h"
#include "model/record.h"
#include <stdbool.h>

struct undecided_calls {
	uint64_t calls, complete;
};

struct undecided_ops {
	/* 0, or negative: it is asked again at the next tick. */
	int (*ask)(void *user, const struct conn_info *conn);
	/* Wanted. */
	void (*record)(void *user, const struct record *record);
	void (*counted)(void *user, const struct undecided_calls *calls);
};

struct undecided_list {
	struct alloc_heap heap;
	const struct undecided_ops *ops;
	void *user;
	struct undecided *first;
};

/* @conn: the process, and what is known of it. -ENOMEM: it is not asked for. */
int undecided_ask(struct undecided_list *list, const struct conn_info *conn);
/* A call of it, for the sums. */
void undecided_count(struct undecided_list *list, struct process_id process, bool is_complete);
/* A copy of @record is kept. Negative: there is no room, or the process was not asked for. */
int undecided_put(struct undecided_list *list, struct process_id process, const struct record *record);
void undecided_decide(struct undecided_list *list, const struct origin *origin);
void undecided_tick(struct undecided_list *list);
/* No answer will come. Returns the number of records forgotten. */
uint64_t undecided_forget(struct undecided_list *list);
