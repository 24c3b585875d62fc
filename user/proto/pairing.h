/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1 answers have no name: the next answer is that of the oldest request without one. This keeps the requests that wait.
 * After a hole among the answers (pairing_doubt) that rule would be wrong from then on, so it is mended: who does not
 * pipeline sent a later request only after the earlier ones were answered, in the hole.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAIRING_MAX = 32 }; /* requests that wait; more lose their answers, which are then told alone */

struct asked {
	uint64_t exchange;
	uint64_t start_ns;
	int method;        /* enum http1_method */
	bool is_skipped;   /* nobody wants the answer's parts */
	bool is_guess;     /* the request was hidden by a hole, if there was one */
	bool is_streaming; /* its target says that the answer comes in pieces (frame_array.h) */
	bool is_pipelined; /* sent without waiting for the answers before it */
};

struct pairing {
	struct asked asked[PAIRING_MAX];
	size_t count;
	uint64_t beyond; /* requests after these that found no room */
	bool is_doubtful;
};

void pairing_ask(struct pairing *pairing, const struct asked *asked);
/* Whose answer comes next; NULL: unknown. */
const struct asked *pairing_next(const struct pairing *pairing);
/* Its answer has come: waits no more. */
void pairing_answer(struct pairing *pairing);
void pairing_doubt(struct pairing *pairing);
/* Before pairing_next() for an answer that began at @start_ns: takes out one whose answer was in a hole, until false. What was
 * asked after that is told already at times, for the two directions are not ordered against each other: it waited for this
 * answer, not for one in the hole. */
bool pairing_take_hidden(struct pairing *pairing, uint64_t start_ns, struct asked *ret);
void pairing_skip(struct pairing *pairing, uint64_t exchange);
