/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which attempts belong together. A repetition is the same request of the same process at the same end, begun after the failure, whose
 * own counter or key, where the client sends one, says that it is the next.
 */
#pragma once
#include "model/call.h"

struct retry_key {
	struct process_id process;
	bool is_server; /* a gateway asks itself what it was asked: no repetition */
	uint32_t thread;
	uint64_t conn, begin_ns; /* which request it is */
	uint64_t body[2];        /* hash of all that is asked; only with has_body */
	bool has_body;           /* every byte of the request was seen */
	uint64_t token;          /* hash of the key that the client gives all attempts; 0: none */
	int64_t counter;         /* repetitions so far by the client's own count; -1: it does not count */
};

struct retry_key retry_key_of(const struct call *call, uint64_t seed);
/* @next repeats @last, which ended at @last_end_ns. */
bool retry_follows(const struct retry_key *last, uint64_t last_end_ns, const struct retry_key *next);
/* It failed in a way that clients repeat, and nothing says that this one will not. */
bool retry_is_expected(const struct call *call);
/* Until when its repetition must have begun. */
uint64_t retry_deadline_ns(const struct call *call, uint64_t end_ns, uint64_t hold_ns);
