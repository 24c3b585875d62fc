/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: attempts of one logical request are one trace and nothing else is; what is held leaves in the end, in
 * every way it can; ids are the same for the same input and differ for all else; memory that fails costs counted calls.
 */
#include "unit/trace/bed.h"

#define RATE_LIMITED "{\"error\":{\"message\":\"slow down\",\"code\":\"rate_limit_exceeded\"}}"

/* Attempt @n of the sample: one second apart, on its own connection, with the SDK's counter. */
static struct call attempt_at(struct call call, int n)
{
	static const char *const counters[] = { "0", "1", "2", "3" };

	call.conn.id += (uint64_t)n;
	call.request_start_ns += (uint64_t)n * SECOND;
	call.request_end_ns += (uint64_t)n * SECOND;
	call.response_start_ns += (uint64_t)n * SECOND;
	call.end_ns += (uint64_t)n * SECOND;
	if (n >= 0)
		sample_request_header(&call, "x-stainless-retry-count", counters[n]);
	return call;
}

static struct call refused_at(int n)
{
	return attempt_at(sample_refused(429, RATE_LIMITED), n);
}

static struct call answered_at(int n)
{
	return attempt_at(sample_call(), n);
}

static void tell(struct bed *bed, struct call call)
{
	trace_on_call(bed->assembler, &call);
}

static void a_repeated_request_is_one_trace_as_the_application_saw_it(void **state)
{
	struct bed bed;
	struct slice root;

	bed_init(&bed);
	tell(&bed, refused_at(0));
	tell(&bed, refused_at(1));
	assert_int_equal(bed.traces, 0);
	tell(&bed, answered_at(2));
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 4);
	assert_int_equal(bed.last_sequence, 0);
	/* From the first byte of the first attempt to the last of the last. */
	assert_says(&bed, "span Completions kind=3 1001000000000..1003100000000 OK ''");
	assert_says(&bed, "spantap.retry.count=3");
	assert_says(&bed, "spantap.retry.index=0");
	assert_says(&bed, "spantap.retry.index=1");
	assert_says(&bed, "spantap.retry.index=2");
	assert_int_equal(bed_count(&bed, "event exception"), 2);
	assert_int_equal(bed_count(&bed, "parent=0000000000000000"), 1);
	/* The conversation and its cost stand once, sizes only where bytes travelled. */
	assert_int_equal(bed_count(&bed, "mlflow.spanInputs="), 1);
	assert_int_equal(bed_count(&bed, "mlflow.spanOutputs="), 1);
	assert_int_equal(bed_count(&bed, "mlflow.chat.tokenUsage="), 1);
	assert_int_equal(bed_count(&bed, "gen_ai.usage.input_tokens="), 1);
	assert_int_equal(bed_count(&bed, "http.request.body.size="), 3);
	assert_int_equal(bed_count(&bed, "mlflow.spanType=CHAT_MODEL"), 4);
	assert_int_equal(bed_count(&bed, "mlflow.traceTag.mlflow.traceName="), 1);
	root = buf_slice(&bed.notes);
	root.len = (size_t)slice_find(slice_from(root, 120), SLICE("\nspan ")) + 120;
	assert_true(slice_contains(root, SLICE("mlflow.chat.tokenUsage=")));
	assert_true(slice_contains(root, SLICE("spantap.retry.count=3")));
	assert_false(slice_contains(root, SLICE("body.size")));
	assert_false(slice_contains(root, SLICE("missing_bytes")));
	assert_false(slice_contains(root, SLICE("exception")));
	bed_free(&bed);
}

static void retries_that_run_out_are_one_failed_trace(void **state)
{
	struct bed bed;

	bed_init(&bed);
	for (int n = 0; n < 3; n++)
		tell(&bed, refused_at(n));
	trace_tick(bed.assembler, 15 * SECOND + 100 * MS);
	assert_int_equal(bed.traces, 0);
	trace_tick(bed.assembler, 15 * SECOND + 100 * MS + 1);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 4);
	assert_int_equal(bed_count(&bed, " ERROR ''\n"), 4);
	assert_int_equal(bed_count(&bed, "exception.type=RateLimitError"), 4);
	bed_free(&bed);
}

static void an_attempt_that_is_not_repeated_is_a_trace_of_one_span(void **state)
{
	struct bed bed;

	bed_init(&bed);
	tell(&bed, refused_at(0));
	trace_tick(bed.assembler, 100 * SECOND);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 1);
	assert_int_equal(bed_count(&bed, "http.request.body.size="), 1);
	assert_not_said(&bed, "spantap.retry");
	bed_free(&bed);
}

static void only_what_clients_repeat_is_held(void **state)
{
	static const struct {
		int status;
		enum call_end end;
		uint64_t events;
		const char *request[2], *response[2];
		bool is_held;
	} cases[] = {
		{ 200, CALL_END_COMPLETE, 0, { "" }, { "" }, false },
		{ 400, CALL_END_COMPLETE, 0, { "" }, { "" }, false },
		{ 401, CALL_END_COMPLETE, 0, { "" }, { "" }, false },
		{ 408, CALL_END_COMPLETE, 0, { "" }, { "" }, true },
		{ 409, CALL_END_COMPLETE, 0, { "" }, { "" }, true },
		{ 429, CALL_END_COMPLETE, 0, { "" }, { "" }, true },
		{ 500, CALL_END_COMPLETE, 0, { "" }, { "" }, true },
		{ 529, CALL_END_CLIENT_CANCEL, 0, { "" }, { "" }, true },
		{ 500, CALL_END_COMPLETE, 0, { "" }, { "x-should-retry", "false" }, false },
		{ 400, CALL_END_COMPLETE, 0, { "" }, { "x-should-retry", "true" }, true },
		{ 429, CALL_END_COMPLETE, 0, { "" }, { "retry-after", "3600" }, false },
		{ 429, CALL_END_COMPLETE, 0, { "amz-sdk-request", "attempt=3; max=3" }, { "" }, false },
		{ 429, CALL_END_COMPLETE, 0, { "amz-sdk-request", "attempt=2; max=3" }, { "" }, true },
		{ 0, CALL_END_TIMEOUT, 0, { "" }, { "" }, true },
		{ 0, CALL_END_RESET, 0, { "" }, { "" }, true },
		{ 200, CALL_END_SERVER_CUT, 0, { "" }, { "" }, true },
		{ 200, CALL_END_SERVER_CUT, 1, { "" }, { "" }, false },
		{ 0, CALL_END_CLIENT_CANCEL, 0, { "" }, { "" }, false },
		{ 0, CALL_END_UNKNOWN, 0, { "" }, { "" }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct call call = sample_refused(cases[i].status, "");
		struct bed bed;

		call.has_error = cases[i].status >= 400;
		call.end = cases[i].end;
		call.events = cases[i].events;
		if (cases[i].request[1])
			sample_request_header(&call, cases[i].request[0], cases[i].request[1]);
		if (cases[i].response[1])
			sample_response_header(&call, cases[i].response[0], cases[i].response[1]);
		bed_init(&bed);
		trace_on_call(bed.assembler, &call);
		if (trace_held(bed.assembler) != cases[i].is_held)
			fail_msg("case %zu: held %zu", i, trace_held(bed.assembler));
		trace_flush(bed.assembler);
		assert_int_equal(bed.traces, 1);
		assert_int_equal(trace_held(bed.assembler), 0);
		bed_free(&bed);
	}
}

/* Each change makes the second call another request. */
static void what_is_not_a_repetition_is_a_trace_of_its_own(void **state)
{
	for (int i = 0; i < 9; i++) {
		struct call next = answered_at(1);
		struct bed bed;

		switch (i) {
		case 0:
			next.conn.process.pid++;
			break;
		case 1:
			next.conn.process.start_ns++;
			break;
		case 2:
			next.request_body = SLICE("{\"model\":\"gpt-4o-mini\"}");
			break;
		case 3:
			next.path = SLICE("/v1/embeddings");
			break;
		case 4:
			next = attempt_at(sample_call(), 0);
			next.request_start_ns += SECOND;
			break; /* count 0 again */
		case 5:
			next = answered_at(2);
			break; /* one is missing between */
		case 6:
			next.request_end.missing_bytes = 3;
			break;
		case 7:
			next.request_start_ns += 60 * SECOND;
			break;
		case 8:
			next.conn.peer.is_accepted = true;
			break; /* what a gateway is asked, after what it asked itself */
		}
		bed_init(&bed);
		tell(&bed, refused_at(0));
		tell(&bed, next);
		assert_int_equal(bed.traces, 1);
		trace_flush(bed.assembler);
		if (bed.traces != 2)
			fail_msg("case %d is one trace", i);
		bed_free(&bed);
	}
}

static void a_client_without_a_counter_is_known_by_its_body(void **state)
{
	struct call first = sample_refused(503, ""), second = sample_call();
	struct bed bed;

	second.request_start_ns += SECOND;
	second.end_ns += SECOND;
	bed_init(&bed);
	tell(&bed, first);
	tell(&bed, second);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 3);
	/* Beside each other they are two requests. */
	second.request_start_ns = first.request_start_ns + 1;
	tell(&bed, first);
	tell(&bed, second);
	trace_flush(bed.assembler);
	assert_int_equal(bed.traces, 3);
	bed_free(&bed);
}

static void a_key_of_the_client_joins_what_bodies_cannot(void **state)
{
	struct call first = sample_refused(503, ""), second = sample_call();
	struct bed bed;

	second.request_start_ns += SECOND;
	second.request_end.missing_bytes = first.request_end.missing_bytes = 7;
	sample_request_header(&first, "idempotency-key", "k1");
	sample_request_header(&second, "idempotency-key", "k1");
	bed_init(&bed);
	tell(&bed, first);
	tell(&bed, second);
	assert_int_equal(bed.spans, 3);
	second.request_headers[1].value = SLICE("k2");
	tell(&bed, first);
	tell(&bed, second);
	trace_flush(bed.assembler);
	assert_int_equal(bed.spans, 5);
	bed_free(&bed);
}

static void workers_beside_each_other_keep_their_own_attempts(void **state)
{
	struct bed bed;

	bed_init(&bed);
	for (uint32_t thread = 1; thread <= 3; thread++) {
		struct call call = refused_at(0);

		call.thread = thread;
		call.conn.id = thread;
		tell(&bed, call);
	}
	for (uint32_t thread = 3; thread >= 1; thread--) {
		struct call call = answered_at(1);

		call.thread = thread;
		call.conn.id = 10 + thread;
		tell(&bed, call);
		assert_int_equal(bed.last_sequence, thread - 1);
	}
	assert_int_equal(bed.traces, 3);
	assert_int_equal(bed.spans, 9);
	bed_free(&bed);
}

static void a_held_attempt_waits_for_a_repetition_that_has_begun(void **state)
{
	struct call begun = answered_at(1);
	struct bed bed;

	bed_init(&bed);
	tell(&bed, refused_at(0));
	begun.end_ns += 300 * SECOND;
	trace_on_request(bed.assembler, &begun);
	trace_tick(bed.assembler, 200 * SECOND);
	assert_int_equal(bed.traces, 0);
	tell(&bed, begun);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 3);
	/* And in the other order: the repetition begins before the failure is told. */
	trace_on_request(bed.assembler, &begun);
	tell(&bed, refused_at(0));
	trace_tick(bed.assembler, 200 * SECOND);
	assert_int_equal(bed.traces, 1);
	tell(&bed, begun);
	assert_int_equal(bed.spans, 6);
	bed_free(&bed);
}

static void what_is_held_leaves_with_its_process(void **state)
{
	struct call other = refused_at(0);
	struct bed bed;

	bed_init(&bed);
	other.conn.process.pid = 99;
	tell(&bed, refused_at(0));
	tell(&bed, other);
	trace_on_exit(bed.assembler, (struct process_id){ .pid = 42, .start_ns = 5 }, 2 * SECOND);
	trace_tick(bed.assembler, 4 * SECOND);
	assert_int_equal(bed.traces, 1);
	assert_says(&bed, "process.pid=42");
	assert_not_said(&bed, "process.pid=99");
	trace_flush(bed.assembler);
	assert_int_equal(bed.traces, 2);
	bed_free(&bed);
}

/* The process ended, but the call that repeats is still on its way (its other end is waited for); then, that it never comes. */
static void a_repetition_may_be_told_after_its_process_ended(void **state)
{
	struct process_id process = { .pid = 42, .start_ns = 5 };
	struct call again = answered_at(1);
	struct bed bed;

	bed_init(&bed);
	tell(&bed, refused_at(0));
	trace_on_request(bed.assembler, &again);
	trace_on_exit(bed.assembler, process, 6 * SECOND);
	trace_tick(bed.assembler, 8 * SECOND);
	assert_int_equal(bed.traces, 0);
	tell(&bed, again);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 3);

	tell(&bed, refused_at(0));
	trace_on_request(bed.assembler, &again);
	trace_on_exit(bed.assembler, process, 6 * SECOND);
	trace_tick(bed.assembler, 100 * SECOND);
	assert_int_equal(bed.traces, 1);
	trace_tick(bed.assembler, 113 * SECOND);
	assert_int_equal(bed.traces, 2);
	bed_free(&bed);
}

/* Nor need its request have been announced. */
static void a_repetition_told_after_its_process_ended_is_joined(void **state)
{
	struct bed bed;

	bed_init(&bed);
	tell(&bed, refused_at(0));
	trace_on_exit(bed.assembler, (struct process_id){ .pid = 42, .start_ns = 5 }, 6 * SECOND);
	trace_tick(bed.assembler, 6 * SECOND + SECOND / 4);
	assert_int_equal(bed.traces, 0);
	tell(&bed, answered_at(1));
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 3);
	bed_free(&bed);
}

static void places_for_held_attempts_are_bounded(void **state)
{
	struct bed bed;

	bed_init(&bed);
	for (uint32_t i = 0; i < 100; i++) {
		struct call call = refused_at(0);

		call.conn.process.pid = 1000 + i;
		tell(&bed, call);
		assert_true(trace_held(bed.assembler) <= 64);
	}
	assert_int_equal(bed.traces, 36);
	assert_says(&bed, "process.pid=1000");
	assert_not_said(&bed, "process.pid=1036");
	/* A loop that fails for ever is many traces. */
	trace_flush(bed.assembler);
	bed.traces = 0;
	for (int n = 0; n < 100; n++) {
		struct call call = sample_refused(500, "");

		call.request_start_ns += (uint64_t)n * SECOND;
		call.end_ns += (uint64_t)n * SECOND;
		tell(&bed, call);
	}
	assert_int_equal(bed.traces, 100 / 16);
	trace_flush(bed.assembler);
	bed_free(&bed);
}

static void a_told_wait_is_waited(void **state)
{
	struct call call = refused_at(0);
	struct bed bed;

	sample_response_header(&call, "retry-after", "60");
	bed_init(&bed);
	tell(&bed, call);
	trace_tick(bed.assembler, 62 * SECOND);
	assert_int_equal(bed.traces, 0);
	trace_tick(bed.assembler, 64 * SECOND);
	assert_int_equal(bed.traces, 1);
	bed_free(&bed);
}

static void a_lone_repetition_keeps_its_number(void **state)
{
	struct bed bed;

	bed_init(&bed);
	tell(&bed, answered_at(2));
	assert_int_equal(bed.spans, 1);
	assert_says(&bed, "spantap.retry.index=2");
	assert_not_said(&bed, "spantap.retry.count");
	bed_free(&bed);
}

static void an_incomplete_attempt_makes_the_whole_incomplete(void **state)
{
	struct call first = refused_at(0);
	struct bed bed;

	first.is_complete = false;
	bed_init(&bed);
	tell(&bed, first);
	tell(&bed, refused_at(1));
	tell(&bed, answered_at(2));
	assert_int_equal(bed_count(&bed, "spantap.complete=false"), 2);
	assert_int_equal(bed_count(&bed, "spantap.complete=true"), 2);
	bed_free(&bed);
}

/* All of @call's texts in @arena, so that they can die. */
static void move_texts(struct call *call, struct arena *arena)
{
	struct slice *const texts[] = {
		&call->method,  &call->path,          &call->host,          &call->http_version,   &call->request_body,
		&call->vendor,  &call->request_model, &call->inputs,        &call->input_messages, &call->credential,
		&call->tools,   &call->request_id,    &call->response_body, &call->error.raw,      &call->session_id,
		&call->user_id, &call->error.message, &call->error.code,
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i]->len)
			*texts[i] = arena_dup(arena, *texts[i]);
	for (size_t i = 0; i < call->request_header_count; i++)
		call->request_headers[i].value = arena_dup(arena, call->request_headers[i].value);
	for (size_t i = 0; i < call->response_header_count; i++)
		call->response_headers[i] = (struct name_value){ arena_dup(arena, call->response_headers[i].name),
								 arena_dup(arena, call->response_headers[i].value) };
}

static void tell_and_forget(struct bed *bed, struct call call, bool forgets)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct arena *arena = arena_new(&heap.alloc, 1 << 20);
	struct chunk chunk = { .data = arena_dup(arena, SLICE("{\"id\":1}")), .time_ns = SECOND };

	sample_response_header(&call, "x-ratelimit-limit-requests", "7");
	call.session_id = SLICE("s-1");
	call.error.message = SLICE("slow down");
	call.chunks = &chunk;
	if (forgets)
		move_texts(&call, arena);
	tell(bed, call);
	arena_free(arena);
	memset(&call, 0xee, sizeof(call));
}

static void what_is_held_needs_nothing_of_its_call(void **state)
{
	struct bed kept, forgotten;

	bed_init(&kept);
	bed_init(&forgotten);
	for (int n = 0; n < 3; n++) {
		tell_and_forget(&kept, refused_at(n), false);
		tell_and_forget(&forgotten, refused_at(n), true);
	}
	trace_flush(kept.assembler);
	trace_flush(forgotten.assembler);
	assert_int_equal(kept.spans, 4);
	assert_says(&kept, "credential=sk-very-secret");
	assert_true(slice_equal(buf_slice(&kept.notes), buf_slice(&forgotten.notes)));
	bed_free(&kept);
	bed_free(&forgotten);
}

/* The whole story of the tests above, for what must hold of any story. */
static void story(struct bed *bed)
{
	struct call cut = attempt_at(sample_refused(0, ""), 0);

	cut.has_error = false;
	cut.end = CALL_END_RESET;
	cut.conn.process.pid = 77;
	tell(bed, refused_at(0));
	tell(bed, answered_at(1));
	tell(bed, answered_at(0));
	tell(bed, refused_at(0));
	tell(bed, cut);
	tell(bed, refused_at(1));
	tell(bed, answered_at(2));
	trace_tick(bed->assembler, 100 * SECOND);
	trace_flush(bed->assembler);
}

enum { STORY_CALLS = 7 };

static void the_same_input_gives_the_same_ids(void **state)
{
	struct bed one, two;

	bed_init(&one);
	bed_init(&two);
	story(&one);
	story(&two);
	assert_int_equal(one.traces, 4);
	assert_true(slice_equal(buf_slice(&one.notes), buf_slice(&two.notes)));
	bed_free(&two);
	/* Another start of the same node, or another node: other ids. */
	for (int i = 0; i < 3; i++) {
		struct trace_opts opts;

		bed_init(&two);
		opts = bed_opts(&two);
		opts.boot += i == 0;
		opts.node_key[0] += i == 1;
		opts.node_key[1] += i == 2;
		trace_assembler_free(two.assembler);
		assert_int_equal(trace_assembler_new(&opts, &bed_ops, &two, &two.assembler), 0);
		story(&two);
		assert_memory_not_equal(one.notes.data, two.notes.data, 38);
		bed_free(&two);
	}
	bed_free(&one);
}

/* Every call is in a span that is told, or is counted; every trace has one root; nothing leaks. */
static void any_refusal_of_memory_costs_counted_calls_only(void **state)
{
	for (int is_sticky = 0; is_sticky < 2; is_sticky++) {
		uint64_t nth = 0, taken;

		do {
			struct bed bed;

			bed_init(&bed);
			bed.heap.taken = 0;
			bed.heap.fail_at = ++nth;
			bed.heap.is_sticky = is_sticky;
			story(&bed);
			taken = bed.heap.taken;
			assert_int_equal(bed_count(&bed, "parent=0000000000000000"), bed.traces);
			/* A call is a span with its sizes; the root over several has none. */
			assert_int_equal(bed_count(&bed, "http.request.body.size=") + bed.lost, STORY_CALLS);
			bed_free(&bed);
		} while (nth < taken);
		assert_true(nth > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeated_request_is_one_trace_as_the_application_saw_it),
		cmocka_unit_test(retries_that_run_out_are_one_failed_trace),
		cmocka_unit_test(an_attempt_that_is_not_repeated_is_a_trace_of_one_span),
		cmocka_unit_test(only_what_clients_repeat_is_held),
		cmocka_unit_test(what_is_not_a_repetition_is_a_trace_of_its_own),
		cmocka_unit_test(a_client_without_a_counter_is_known_by_its_body),
		cmocka_unit_test(a_key_of_the_client_joins_what_bodies_cannot),
		cmocka_unit_test(workers_beside_each_other_keep_their_own_attempts),
		cmocka_unit_test(a_held_attempt_waits_for_a_repetition_that_has_begun),
		cmocka_unit_test(a_repetition_may_be_told_after_its_process_ended),
		cmocka_unit_test(what_is_held_leaves_with_its_process),
		cmocka_unit_test(a_repetition_told_after_its_process_ended_is_joined),
		cmocka_unit_test(places_for_held_attempts_are_bounded),
		cmocka_unit_test(a_told_wait_is_waited),
		cmocka_unit_test(a_lone_repetition_keeps_its_number),
		cmocka_unit_test(an_incomplete_attempt_makes_the_whole_incomplete),
		cmocka_unit_test(what_is_held_needs_nothing_of_its_call),
		cmocka_unit_test(the_same_input_gives_the_same_ids),
		cmocka_unit_test(any_refusal_of_memory_costs_counted_calls_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
