/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts of one logical request while the next may still come. Each attempt is a small span of its own; what the
 * application would see is made anew from the latest one, so the conversation is kept once, however many attempts.
 */
#pragma once
#include "trace/retry.h"
#include "trace/span.h"

struct held {
	struct held *next;
	struct arena *attempts_arena; /* lives as long as this */
	struct arena *shown_arena;    /* of the latest attempt alone */
	struct span *attempts, **attempts_tail;
	size_t count;
	struct span *shown; /* the trace's root */
	struct span *shown_steps;
	struct attribute *resource;
	struct slice credential;
	uint64_t sequence; /* of the first call */
	uint64_t begin_ns; /* first byte of the first attempt */
	uint64_t end_ns;   /* of the latest */
	uint64_t deadline_ns;
	int64_t first_counter; /* the client's own count of the first attempt that was seen */
	bool all_complete;
	struct retry_key key; /* of the latest attempt */
};

struct held_source {
	const struct call *call;
	const struct trace_opts *opts;
	const struct origin *origin;
	struct retry_key key;
};

struct held *held_new(struct alloc *alloc, const struct held_source *source, uint64_t sequence);
struct held *held_free(struct alloc *alloc, struct held *held);
/* Adds an attempt. -ENOMEM: @held is as it was. */
int held_add(struct held *held, const struct held_source *source);
