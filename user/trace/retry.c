/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the clients: those that OpenAI's, Anthropic's and AWS's SDKs follow, which most others follow too. A
 * server that names the moment to come again is obeyed up to two minutes.
 */
#include "trace/retry.h"
#include "base/cleanup.h"
#include <xxhash.h>

#define SECOND_NS 1000000000ull
enum { RETRY_AFTER_MAX_S = 120, RETRY_SLACK_S = 2 };

static struct slice request_header(const struct call *call, const char *name)
{
	return call_header(call->request_headers, call->request_header_count, slice_of(name));
}

static struct slice response_header(const struct call *call, const char *name)
{
	return call_header(call->response_headers, call->response_header_count, slice_of(name));
}

/* Decimal digits at the start of @text, or -1. */
static int64_t leading_number(struct slice text)
{
	int64_t number = 0;
	size_t i = 0;

	while (i < text.len && i < 9 && text.data[i] >= '0' && text.data[i] <= '9')
		number = number * 10 + (text.data[i++] - '0');
	return i ? number : -1;
}

/* The number behind "name=" in "attempt=2; max=3", or -1. */
static int64_t named_number(struct slice text, struct slice name)
{
	ptrdiff_t at = slice_find(text, name);

	return at < 0 ? -1 : leading_number(slice_from(text, (size_t)at + name.len));
}

static uint64_t text_hash(struct slice text, uint64_t seed)
{
	return text.len ? XXH3_64bits_withSeed(text.data, text.len, seed) | 1 : 0;
}

struct retry_key retry_key_of(const struct call *call, uint64_t seed)
{
	struct slice aws = request_header(call, "amz-sdk-request");
	struct slice token = request_header(call, "idempotency-key");
	struct retry_key key = {
		.process = call->conn.process,
		.is_server = call->conn.peer.is_accepted,
		.thread = call->thread,
		.conn = call->conn.id,
		.begin_ns = call->request_start_ns,
		.counter = leading_number(request_header(call, "x-stainless-retry-count")),
		.has_body = !call->request_is_late && call->request_end.missing_bytes == 0 && call->request_body.len,
	};
	struct slice head[] = { call->method, call->host, call->path, call->query };
	XXH128_hash_t body;

	if (key.counter < 0 && named_number(aws, SLICE("attempt=")) > 0)
		key.counter = named_number(aws, SLICE("attempt=")) - 1;
	key.token = text_hash(token.len ? token : request_header(call, "amz-sdk-invocation-id"), seed);
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		seed = XXH3_64bits_withSeed(head[i].len ? head[i].data : "", head[i].len, seed);
	if (key.has_body) {
		body = XXH3_128bits_withSeed(call->request_body.data, call->request_body.len, seed);
		key.body[0] = body.low64;
		key.body[1] = body.high64;
	}
	return key;
}

static bool same_process(struct process_id a, struct process_id b)
{
	return a.pid == b.pid && a.start_ns == b.start_ns;
}

bool retry_follows(const struct retry_key *last, uint64_t last_end_ns, const struct retry_key *next)
{
	bool counts = last->counter >= 0 && next->counter >= 0;

	if (!same_process(last->process, next->process) || last->is_server != next->is_server)
		return false;
	if ((last->counter >= 0) != (next->counter >= 0))
		return false;
	if (counts && next->counter != last->counter + 1)
		return false;
	/* Where nothing counts, only time tells a repetition from a second request beside the first. Where the client
	 * does, the end of a timed-out connection may well be seen after the next attempt has begun. */
	if (next->begin_ns < (counts ? last->begin_ns : last_end_ns))
		return false;
	if (last->token || next->token)
		return last->token == next->token;
	return last->has_body && next->has_body && last->body[0] == next->body[0] && last->body[1] == next->body[1];
}

/* Milliseconds of Retry-After (not as a date: no model provider sends one), or -1. */
static int64_t retry_after_ms(const struct call *call)
{
	int64_t ms = leading_number(response_header(call, "retry-after-ms"));
	int64_t seconds = leading_number(response_header(call, "retry-after"));

	return ms >= 0 ? ms : seconds >= 0 ? seconds * 1000 : -1;
}

static bool status_is_repeated(int status)
{
	return status == 408 || status == 409 || status == 429 || status >= 500;
}

/* The connection failed before anything of use had come. What a client has begun to read it does not ask for again. */
static bool is_cut_at_once(const struct call *call)
{
	bool is_cut = call->end == CALL_END_SERVER_CUT || call->end == CALL_END_RESET || call->end == CALL_END_TIMEOUT;

	return is_cut && call->events == 0;
}

bool retry_is_expected(const struct call *call)
{
	struct slice wish = response_header(call, "x-should-retry"), aws = request_header(call, "amz-sdk-request");
	int64_t attempt = named_number(aws, SLICE("attempt=")), max = named_number(aws, SLICE("max="));

	if (max >= 0 && attempt >= max)
		return false;
	if (call->status >= 400) {
		if (slice_equal(wish, SLICE("true")))
			return true;
		return !slice_equal(wish, SLICE("false")) && status_is_repeated(call->status) &&
		       retry_after_ms(call) <= RETRY_AFTER_MAX_S * 1000;
	}
	return is_cut_at_once(call);
}

uint64_t retry_deadline_ns(const struct call *call, uint64_t end_ns, uint64_t hold_ns)
{
	int64_t ms = MIN(retry_after_ms(call), (int64_t)RETRY_AFTER_MAX_S * 1000);
	uint64_t told = ms > 0 ? (uint64_t)ms * 1000000 + RETRY_SLACK_S * SECOND_NS : 0;

	return end_ns + MAX(hold_ns, told);
}
