/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch on its way to a server that takes or refuses requests as a whole. After a refusal it is halved until the one
 * record that is at fault stands alone; the others are delivered.
 *
 * Who is dead: a record that a server judged while it was alone. An answer that trouble of the server gives as well (500,
 * 422) condemns only when the same round saw another record accepted; else all wait: a broken data base must not bury the
 * backlog.
 *
 *	batch_begin, batch_next ─▶ post(range) ─▶ batch_answer ─▶ post(next range) … ─▶ settle ─▶ batch_finish ─▶ ops->done
 */
#pragma once
#include "sink/kind.h"

enum answer {
	ANSWER_TAKEN,
	ANSWER_AGAIN,   /* the server or the way to it has no time now */
	ANSWER_BLOCKED, /* somebody must do something first: credentials, address */
	ANSWER_TOO_BIG,
	ANSWER_REFUSED, /* the server has judged these data */
	ANSWER_UNSURE,  /* the data, or trouble of the server */
	ANSWER_PARTLY,  /* some of it is taken, some refused, and nobody says which */
};

struct range {
	size_t first, count;
};

struct batch {
	struct sink *sink;
	/* Sends a range; the answer comes by batch_answer(). -EBADMSG: a record of it cannot be read; -ENOMEM. */
	int (*post)(struct sink *sink, struct range range);
	/* Every record has been tried and some would be buried: to make sure, then batch_finish(). NULL: it is sure. */
	void (*settle)(struct sink *sink);

	const struct record *records;
	size_t count;
	struct sink_verdict verdicts[SINK_BATCH_MAX];
	enum { TRIED_NOT, TRIED_TAKEN, TRIED_REFUSED, TRIED_UNSURE } tried[SINK_BATCH_MAX];
	struct range stack[32];
	size_t depth;
	size_t accepted;
	unsigned failures; /* in a row, over batches: for the backoff */
	unsigned doubts;   /* unsure answers in a row, over batches */
	unsigned retry_ms;
	struct alloc_heap heap;
	struct arena *arena; /* reasons */
	const char *again_reason;
};

int batch_init(struct batch *batch, struct sink *sink);
void batch_free(struct batch *batch);
/* Takes the records; batch_next() then posts them, when the sink is ready for it. */
int batch_begin(struct batch *batch, const struct record *records, size_t count);
void batch_next(struct batch *batch);
/* What became of the range that was posted last. @reason: for the dead-letter table and the log. */
void batch_answer(struct batch *batch, enum answer answer, const char *reason, int64_t retry_after_ms);
/* Whether such an answer now makes the batch wait: then the user should hear why. What is only refused is told when it dies. */
bool batch_puts_off(const struct batch *batch, enum answer answer);
/* @spare: bury nobody, all that is not taken comes again. */
void batch_finish(struct batch *batch, bool spare);

/* The plain meaning of an HTTP reply. */
enum answer answer_of(const struct http_reply *reply);
/* "503 Service Unavailable: text" or the transport's error, cleaned, for people. */
void answer_text(const struct http_reply *reply, char *ret, size_t size);
/* A member of a JSON answer as text; empty when absent. */
struct slice answer_member(const struct http_reply *reply, struct slice name);
