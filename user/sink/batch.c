/* SPDX-License-Identifier: Apache-2.0 */
/* A stack of ranges that are still to be sent; halving pushes two. Depth is the logarithm of the batch. */
#include "sink/batch.h"
#include "base/json.h"
#include <ctype.h>
#include <errno.h>

enum {
	BACKOFF_MIN_MS = 500,
	BACKOFF_MAX_MS = 30000,
	BLOCKED_MS = 30000,
	RETRY_AFTER_MAX_MS = 600000,
	DOUBTS_BEFORE_SPLIT = 2,
	REASON_MAX = 600,
	ARENA_MAX = 1 << 20,
};

int batch_init(struct batch *batch, struct sink *sink)
{
	batch->sink = sink;
	batch->heap = (struct alloc_heap)ALLOC_HEAP(ARENA_MAX);
	batch->arena = arena_new(&batch->heap.alloc, ARENA_MAX);
	return batch->arena ? 0 : -ENOMEM;
}

void batch_free(struct batch *batch)
{
	batch->arena = arena_free(batch->arena);
}

/* Spread by a quarter, so that many nodes that lost one server do not come back as one. */
static unsigned backoff_ms(unsigned failures)
{
	unsigned ms = BACKOFF_MIN_MS << MIN(failures, 6u);

	ms = MIN(ms, (unsigned)BACKOFF_MAX_MS);
	return ms - ms / 4 + (unsigned)(uv_hrtime() / 1000 % (ms / 4 + 1));
}

static void batch_done(struct batch *batch)
{
	struct sink *sink = batch->sink;

	batch->records = NULL;
	sink->ops->done(sink->user, sink, batch->verdicts, batch->count, batch->retry_ms);
}

void batch_finish(struct batch *batch, bool spare)
{
	bool is_again = false;

	for (size_t i = 0; i < batch->count; i++) {
		struct sink_verdict *verdict = &batch->verdicts[i];
		bool is_dead = batch->tried[i] == TRIED_REFUSED || (batch->tried[i] == TRIED_UNSURE && batch->accepted);

		if (batch->tried[i] == TRIED_TAKEN)
			*verdict = (struct sink_verdict){ .fate = SINK_TAKEN };
		else if (is_dead && !spare)
			verdict->fate = SINK_DEAD;
		else
			*verdict = (struct sink_verdict){ .fate = SINK_AGAIN,
							  .reason = verdict->reason ?: batch->again_reason };
		is_again |= verdict->fate == SINK_AGAIN;
	}
	if (!is_again)
		batch->failures = batch->doubts = 0;
	else if (!batch->retry_ms)
		batch->retry_ms = backoff_ms(batch->failures++);
	batch_done(batch);
}

static void batch_post(struct batch *batch)
{
	struct range range = batch->stack[batch->depth - 1];
	int r = batch->post(batch->sink, range);

	if (r == -EBADMSG)
		batch_answer(batch, ANSWER_REFUSED, "the record cannot be read", -1);
	else if (r == -ENOMEM && range.count > 1)
		batch_answer(batch, ANSWER_TOO_BIG, "no memory for the request", -1);
	else if (r < 0)
		batch_answer(batch, ANSWER_AGAIN, "no memory for the request", -1);
}

void batch_next(struct batch *batch)
{
	bool condemns = false;

	if (batch->depth) {
		batch_post(batch);
		return;
	}
	for (size_t i = 0; i < batch->count; i++)
		condemns |= batch->tried[i] == TRIED_REFUSED || (batch->tried[i] == TRIED_UNSURE && batch->accepted);
	if (condemns && batch->settle)
		batch->settle(batch->sink);
	else
		batch_finish(batch, false);
}

int batch_begin(struct batch *batch, const struct record *records, size_t count)
{
	if (batch->records)
		return -EBUSY;
	if (count > SINK_BATCH_MAX)
		return -EINVAL;
	arena_reset(batch->arena);
	batch->records = records;
	batch->count = count;
	memset(batch->verdicts, 0, sizeof(batch->verdicts));
	memset(batch->tried, 0, sizeof(batch->tried));
	batch->stack[0] = (struct range){ 0, count };
	batch->depth = count > 0;
	batch->accepted = 0;
	batch->retry_ms = 0;
	batch->again_reason = "not tried";
	return 0;
}

/* The rest of the batch waits: with what it was told to wait, or a backoff that grows. */
static void batch_put_off(struct batch *batch, const char *reason, unsigned at_least_ms)
{
	batch->again_reason = reason;
	batch->retry_ms = MAX(backoff_ms(batch->failures++), at_least_ms);
	batch->depth = 0;
	batch_finish(batch, true);
}

bool batch_puts_off(const struct batch *batch, enum answer answer)
{
	if (answer == ANSWER_UNSURE)
		return batch->doubts < DOUBTS_BEFORE_SPLIT || !batch->depth ||
		       (!batch->accepted && batch->stack[batch->depth - 1].count == 1);
	return answer == ANSWER_AGAIN || answer == ANSWER_BLOCKED;
}

static void range_mark(struct batch *batch, struct range range, int tried, const char *reason)
{
	for (size_t i = range.first; i < range.first + range.count; i++) {
		batch->tried[i] = tried;
		batch->verdicts[i].reason = reason;
	}
	if (tried == TRIED_TAKEN)
		batch->accepted += range.count;
}

static void range_halve(struct batch *batch, struct range range)
{
	size_t half = range.count / 2;

	batch->stack[batch->depth++] = (struct range){ range.first + half, range.count - half };
	batch->stack[batch->depth++] = (struct range){ range.first, half };
}

/* True when the whole batch waits for this answer's sake. Of a batch without records only the looking round was asked. */
static bool answer_puts_off(struct batch *batch, enum answer answer, const char *kept, unsigned wait_ms)
{
	if (answer == ANSWER_BLOCKED)
		wait_ms = MAX(wait_ms, (unsigned)BLOCKED_MS);
	else if (answer == ANSWER_UNSURE && batch->doubts < DOUBTS_BEFORE_SPLIT)
		batch->doubts++;
	else if (answer != ANSWER_AGAIN && batch->depth)
		return false;
	batch_put_off(batch, kept, wait_ms);
	return true;
}

void batch_answer(struct batch *batch, enum answer answer, const char *reason, int64_t retry_after_ms)
{
	const char *kept = answer == ANSWER_TAKEN ? NULL : arena_printf(batch->arena, "%.*s", REASON_MAX, reason).data;
	unsigned wait_ms = retry_after_ms < 0 ? 0 : (unsigned)MIN(retry_after_ms, (int64_t)RETRY_AFTER_MAX_MS);
	struct range range;

	if (answer != ANSWER_TAKEN && !kept)
		kept = "refused";
	if (answer_puts_off(batch, answer, kept, wait_ms))
		return;
	range = batch->stack[batch->depth - 1];
	batch->depth--;
	if (answer == ANSWER_TOO_BIG)
		sink_limit_shrink(batch->sink);
	if (answer == ANSWER_TAKEN) {
		range_mark(batch, range, TRIED_TAKEN, NULL);
		sink_limit_grow(batch->sink);
	} else if (answer == ANSWER_PARTLY) {
		/* Asking again would give those that were taken twice: all are told as refused, and the next go singly. */
		range_mark(batch, range, TRIED_REFUSED, kept);
		batch->sink->batch_limit = 1;
	} else if (range.count > 1) {
		range_halve(batch, range);
	} else {
		range_mark(batch, range, answer == ANSWER_UNSURE ? TRIED_UNSURE : TRIED_REFUSED, kept);
		batch->again_reason = kept;
	}
	batch_next(batch);
}

/* ---- replies ---- */

static const struct {
	short first, last;
	enum answer answer;
} statuses[] = {
	{ 200, 299, ANSWER_TAKEN },   { 300, 399, ANSWER_BLOCKED }, { 400, 400, ANSWER_REFUSED },
	{ 401, 401, ANSWER_BLOCKED }, { 403, 405, ANSWER_BLOCKED }, { 407, 407, ANSWER_BLOCKED },
	{ 408, 408, ANSWER_AGAIN },   { 413, 413, ANSWER_TOO_BIG }, { 422, 422, ANSWER_UNSURE },
	{ 425, 425, ANSWER_AGAIN },   { 429, 429, ANSWER_AGAIN },   { 400, 499, ANSWER_REFUSED },
	{ 502, 504, ANSWER_AGAIN },   { 500, 599, ANSWER_UNSURE },
};

enum answer answer_of(const struct http_reply *reply)
{
	if (reply->error)
		return ANSWER_AGAIN;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (reply->status >= statuses[i].first && reply->status <= statuses[i].last)
			return statuses[i].answer;
	return ANSWER_UNSURE;
}

struct slice answer_member(const struct http_reply *reply, struct slice name)
{
	return json_check(reply->body, 32) < 0 ? SLICE_NONE : json_raw_text(json_get(json_trim(reply->body), name));
}

void answer_text(const struct http_reply *reply, char *ret, size_t size)
{
	struct slice said = answer_member(reply, SLICE("message"));
	int len;

	if (reply->error) {
		snprintf(ret, size, "%s", reply->reason ?: strerror(-reply->error));
		return;
	}
	if (!said.len)
		said = answer_member(reply, SLICE("detail"));
	if (!said.len)
		said = slice_trim(reply->body);
	said = slice_head(said, 300);
	len = snprintf(ret, size, "%d%s%.*s", reply->status, said.len ? ": " : "", SLICE_FMT(said));
	/* It goes to logs and terminals, and a server may be anybody. */
	for (int i = 0; i < len && i < (int)size - 1; i++)
		if (!isprint((unsigned char)ret[i]))
			ret[i] = ' ';
}
