/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the events of a stream bring, until their answer can be written: texts and lists that grow, members of which the last
 * word counts, items that events name by their index. Events die, so all is copied; what finds no memory is told on the call.
 */
#pragma once
#include "dialect/common.h"

/* The inside of a JSON string, behind what is there; true when there was something in it. */
bool text_gather(struct call *call, struct pieces *text, struct slice string);
/* Behind what is there, a comma between: one element, or several with their own commas. */
void elements_gather(struct call *call, struct pieces *list, struct slice elements);

enum { MEMBERS_MAX = 40 };

/* Members of an object that several events tell; a null is no word against one that is there. */
struct members {
	struct name_value items[MEMBERS_MAX]; /* raw JSON */
	size_t count;
};
void member_gather(struct call *call, struct members *members, struct slice name, struct slice value);
void members_gather(struct call *call, struct members *members, struct slice object);
void members_put(struct buf *out, const struct members *members);
size_t members_size(const struct members *members);

/* The item of index @at in a @list {first, last, recent, count} of structs {next, index}: a new one, at its end, where there is
 * none. NULL when there are @most or memory ran out, which is told. */
#define ITEM_GATHER(call, list, at, most)                                                                              \
	({                                                                                                             \
		__typeof__((list)->first) item_ = (list)->recent;                                                      \
		int64_t at_ = (at);                                                                                    \
		if (!item_ || item_->index != at_)                                                                     \
			for (item_ = (list)->first; item_ && item_->index != at_;)                                     \
				item_ = item_->next;                                                                   \
		if (!item_ && (list)->count < (most)) {                                                                \
			item_ = arena_new_of((call)->arena, __typeof__(*item_));                                       \
			if (item_) {                                                                                   \
				item_->index = at_;                                                                    \
				*((list)->last ? &(list)->last->next : &(list)->first) = item_;                        \
				(list)->last = item_;                                                                  \
				(list)->count++;                                                                       \
			}                                                                                              \
		}                                                                                                      \
		if (item_)                                                                                             \
			(list)->recent = item_;                                                                        \
		call_lost((call), item_);                                                                              \
		item_;                                                                                                 \
	})
