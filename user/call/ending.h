/* SPDX-License-Identifier: Apache-2.0 */
/* ending: how a call came to its end, and what it lacks. */
#pragma once
#include "call/draft.h"

/* Ends that were never told get one that says so. */
void ending_fill(struct draft *draft, enum close_how how, uint64_t close_ns);
enum call_end ending_classify(const struct draft *draft, enum close_how how, uint64_t close_ns);
/* When the call was over for the one who made it; call->end is known. */
uint64_t ending_time(const struct draft *draft, uint64_t close_ns);
/* is_complete, and the reasons and bytes that go with it. The dialect has finished. */
void ending_judge(struct draft *draft);
