/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: a failed call shows the class and the text that its SDK would have raised, or the provider's own. */
#include "trace/pyrepr.h"
#include "unit/trace/bed.h"

#define ANTHROPIC_TIMEOUT                                                                                              \
	"Request timed out or interrupted. This could be due to a network timeout, dropped connection, or request "    \
	"cancellation. See https://docs.anthropic.com/en/api/errors#long-requests for more details."

enum { OPENAI, ANTHROPIC, OLLAMA };
static const struct dialect *const dialects[] = { &sample_openai, &sample_anthropic, &sample_ollama };

struct fault_case {
	int dialect, status;
	enum call_end end;
	bool in_band;
	const char *body, *type_field, *code, *message_field, *agent;
	const char *type, *message, *status_message, *error_type;
};

static const struct fault_case cases[] = {
	{ OPENAI, 429, CALL_END_COMPLETE, false,
	  "{\"error\":{\"message\":\"Rate limit reached.\",\"type\":\"requests\","
	  "\"param\":null,\"code\":\"rate_limit_exceeded\"}}",
	  "requests", "rate_limit_exceeded", "Rate limit reached.", "OpenAI/Python 3.54.0", "RateLimitError",
	  "Error code: 429 - Rate limit reached.", "", "rate_limit_exceeded" },
	{ OPENAI, 400, CALL_END_COMPLETE, false, "{\"error\":{\"message\":\"Invalid value: 'foo'.\",\"code\":null}}",
	  "invalid_request_error", "", "Invalid value: 'foo'.", "OpenAI/Python 3.54.0", "BadRequestError",
	  "Error code: 400 - Invalid value: 'foo'.", "", "invalid_request_error" },
	{ OPENAI, 400, CALL_END_COMPLETE, false, "{\"error\":{\"message\":\"Invalid value: 'foo'.\",\"code\":null}}",
	  "invalid_request_error", "", "Invalid value: 'foo'.", "AsyncOpenAI/Python 2.1.0", "BadRequestError",
	  "Error code: 400 - {'error': {'message': \"Invalid value: 'foo'.\", 'code': None}}", "",
	  "invalid_request_error" },
	{ OPENAI, 401, CALL_END_COMPLETE, false, "{\"error\":{\"message\":\"Invalid API Key\",\"param\":null}}",
	  "invalid_request_error", "", "Invalid API Key", "AsyncGroq/Python 1.7.0", "AuthenticationError",
	  "Error code: 401 - {'error': {'message': 'Invalid API Key', 'param': None}}", "", "invalid_request_error" },
	{ OPENAI, 502, CALL_END_COMPLETE, false, "<html>Bad gateway</html>", "", "", "", "OpenAI/Python 3.54.0",
	  "InternalServerError", "Error code: 502", "", "502" },
	{ OPENAI, 418, CALL_END_COMPLETE, false, "{\"error\":\"no\"}", "", "", "no", "curl/8", "APIStatusError",
	  "Error code: 418", "", "418" },
	{ OPENAI, 422, CALL_END_COMPLETE, false, "{\"message\":\"bad\"}", "", "", "bad", "curl/8",
	  "UnprocessableEntityError", "Error code: 422 - bad", "", "422" },
	{ OPENAI, 429, CALL_END_CLIENT_CANCEL, false, "", "", "", "", "", "RateLimitError", "Error code: 429", "",
	  "429" },
	{ OPENAI, 0, CALL_END_TIMEOUT, false, "", "", "", "", "", "APITimeoutError", "Request timed out.", "",
	  "timeout" },
	{ OPENAI, 200, CALL_END_SERVER_CUT, false, "", "", "", "", "", "APIConnectionError", "Connection error.", "",
	  "stream_truncated" },
	{ OPENAI, 0, CALL_END_RESET, false, "", "", "", "", "", "APIConnectionError", "Connection error.", "",
	  "connection_reset" },
	{ OPENAI, 200, CALL_END_COMPLETE, true, "{\"error\":{\"message\":\"The server had an error.\"}}",
	  "server_error", "", "The server had an error.", "", "APIError", "The server had an error.", "",
	  "server_error" },
	{ OPENAI, 200, CALL_END_COMPLETE, true, "{\"error\":{}}", "", "", "", "", "APIError",
	  "An error occurred during streaming", "", "_OTHER" },
	{ ANTHROPIC, 529, CALL_END_COMPLETE, false,
	  "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"},"
	  "\"request_id\":\"req_011fake\"}",
	  "overloaded_error", "", "Overloaded", "", "OverloadedError",
	  "Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}, "
	  "'request_id': 'req_011fake'}",
	  "OverloadedError: Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error', 'message': "
	  "'Overloaded'}, 'request_id': 'req_011fake'}",
	  "overloaded_error" },
	{ ANTHROPIC, 413, CALL_END_COMPLETE, false, " too big\n", "", "", "", "", "ContentTooLargeError", "too big",
	  "ContentTooLargeError: too big", "413" },
	{ ANTHROPIC, 0, CALL_END_TIMEOUT, false, "", "", "", "", "", "APITimeoutError", ANTHROPIC_TIMEOUT,
	  "APITimeoutError: " ANTHROPIC_TIMEOUT, "timeout" },
	{ ANTHROPIC, 200, CALL_END_COMPLETE, true,
	  "{\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", \"message\": \"Overloaded\"}}",
	  "overloaded_error", "", "Overloaded", "", "APIStatusError",
	  "{'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}",
	  "APIStatusError: {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}",
	  "overloaded_error" },
	{ OLLAMA, 404, CALL_END_COMPLETE, false, "{\"error\":\"model 'x' not found\"}", "", "", "model 'x' not found",
	  "", "404", "model 'x' not found", "404: model 'x' not found", "404" },
	{ OLLAMA, 0, CALL_END_RESET, false, "", "", "", "", "", "connection_reset", "reset", "connection_reset: reset",
	  "connection_reset" },
	/* An id in the place of a type: as many values as calls, which an attribute to count by must not have. */
	{ OLLAMA, 500, CALL_END_COMPLETE, false, "{}", "0f8fad5b-d9cb-469f-a165-70867728950e", "", "no", "",
	  "0f8fad5b-d9cb-469f-a165-70867728950e", "no", "0f8fad5b-d9cb-469f-a165-70867728950e: no", "500" },
	{ OLLAMA, 500, CALL_END_COMPLETE, false, "", "", "", "", "", "500", "HTTP status 500", "500: HTTP status 500",
	  "500" },
};

static struct call fault_call(const struct fault_case *c)
{
	struct call call = sample_refused(c->status, c->body);

	call.dialect = dialects[c->dialect];
	call.has_error = c->status >= 400 || c->in_band;
	call.error.in_band = c->in_band;
	call.error.type = slice_of(c->type_field);
	call.error.code = slice_of(c->code);
	call.error.message = slice_of(c->message_field);
	call.end = c->end;
	call.request_headers[0].value = slice_of(c->agent);
	return call;
}

static void a_failure_reads_as_its_sdk_raises_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fault_case *c = &cases[i];
		struct call call = fault_call(c);
		struct bed bed;
		char line[1024];

		bed_init(&bed);
		trace_on_call(bed.assembler, &call);
		trace_flush(bed.assembler);
		snprintf(line, sizeof(line), "  exception.type=%s", c->type);
		assert_says(&bed, line);
		snprintf(line, sizeof(line), "  exception.message=%s", c->message);
		assert_says(&bed, line);
		assert_says(&bed, "  exception.stacktrace=");
		snprintf(line, sizeof(line), "error.type=%s", c->error_type);
		assert_says(&bed, line);
		snprintf(line, sizeof(line), " ERROR '%s'\n", c->status_message);
		assert_int_equal(bed_count(&bed, line), 1);
		assert_int_equal(bed_count(&bed, "event exception at=1001100000000\n"), 1);
		assert_says(&bed, "mlflow.spanLogLevel=40");
		bed_free(&bed);
	}
}

static void a_framework_tells_its_sdks_version_in_a_header(void **state)
{
	struct call call = fault_call(&cases[0]);
	struct bed bed;

	call.request_headers[0].value = SLICE("Agents/Python 0.20.0");
	call.request_headers[call.request_header_count++] =
		(struct name_value){ SLICE("x-stainless-package-version"), SLICE("2.54.0") };
	bed_init(&bed);
	trace_on_call(bed.assembler, &call);
	trace_flush(bed.assembler);
	assert_says(&bed, "  exception.message=Error code: 429 - {'error': {'message': 'Rate limit reached.', 'type': "
			  "'requests', 'param': None, 'code': 'rate_limit_exceeded'}}");
	bed_free(&bed);
}

static void a_refusal_has_no_outputs_and_a_cut_keeps_its_part(void **state)
{
	struct call call = sample_call();
	struct bed bed;

	call.status = 500;
	bed_init(&bed);
	trace_on_call(bed.assembler, &call);
	trace_flush(bed.assembler);
	assert_not_said(&bed, "mlflow.spanOutputs");
	bed_free(&bed);
	call.status = 200;
	call.end = CALL_END_SERVER_CUT;
	call.is_stream = true;
	call.events = 2;
	bed_init(&bed);
	trace_on_call(bed.assembler, &call);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed_count(&bed, "mlflow.spanOutputs="), 1);
	bed_free(&bed);
}

static void a_client_that_leaves_has_not_failed(void **state)
{
	struct call call = sample_call();
	struct bed bed;

	call.end = CALL_END_CLIENT_CANCEL;
	bed_init(&bed);
	trace_on_call(bed.assembler, &call);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed_count(&bed, " OK ''\n"), 1);
	assert_says(&bed, "spantap.end=client_cancel");
	assert_not_said(&bed, "exception");
	assert_not_said(&bed, "error.type");
	bed_free(&bed);
}

/* The event that carries the error is raised by the SDK: it is no chunk, and the exception has the last place. */
static void an_error_in_band_is_no_chunk(void **state)
{
	struct chunk error = { .data = SLICE("{\"error\":{\"message\":\"x\"}}"), .time_ns = SECOND };
	struct chunk second = { .next = &error, .data = SLICE("{\"id\":2}"), .time_ns = SECOND },
		     first = { .next = &second, .data = SLICE("{\"id\":1}"), .time_ns = SECOND };
	struct call call = sample_call();
	struct trace_opts opts;
	struct bed bed;

	call.is_stream = call.has_error = call.error.in_band = true;
	call.chunks = &first;
	call.chunk_count = 3;
	bed_init(&bed);
	opts = bed_opts(&bed);
	opts.chunk_events_max = 2;
	trace_assembler_free(bed.assembler);
	assert_int_equal(trace_assembler_new(&opts, &bed_ops, &bed, &bed.assembler), 0);
	trace_on_call(bed.assembler, &call);
	assert_int_equal(bed_count(&bed, "event "), 2);
	assert_int_equal(bed_count(&bed, "event mlflow.chunk.item.1 "), 1);
	bed_free(&bed);
}

static void json_is_shown_as_python_shows_it(void **state)
{
	static const struct {
		const char *json, *repr;
	} shown[] = {
		{ "null", "None" },
		{ "[true,false,null]", "[True, False, None]" },
		{ "{}", "{}" },
		{ "{\"a\":1,\"b\":[2, 3]}", "{'a': 1, 'b': [2, 3]}" },
		{ "\"it's\"", "\"it's\"" },
		{ "\"say \\\"hi\\\"\"", "'say \"hi\"'" },
		{ "\"it's \\\"both\\\"\"", "'it\\'s \"both\"'" },
		{ "\"a\\nb\\tc\\r\\\\ \\u0007\\u007f\"", "'a\\nb\\tc\\r\\\\ \\x07\\x7f'" },
		{ "\"\\u00e9\\ud83d\\ude00\\u200b\\u00ad\\ud800\"", "'\xc3\xa9\xf0\x9f\x98\x80\\u200b\\xad\\ud800'" },
		{ "\"\xc3\xa9\xff\"", "'\xc3\xa9\xef\xbf\xbd'" },
		{ "[1.0,1.50,0.1,1e5,1e16,1e15,1.5e-5,0.0001,-0.0,123456789.125,1e22,5e-324]",
		  "[1.0, 1.5, 0.1, 100000.0, 1e+16, 1000000000000000.0, 1.5e-05, 0.0001, -0.0, "
		  "123456789.125, 1e+22, 5e-324]" },
		{ "12345678901234567890", "12345678901234567890" },
		{ "{\"it's\":\"\"}", "{\"it's\": ''}" },
	};
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		struct guard guard = guard_new(slice_of(shown[i].json));
		struct buf out = BUF(&heap.alloc, 4096);

		assert_int_equal(json_check(guard.text, JSON_DEPTH_MAX), 0);
		pyrepr_put(&out, guard.text);
		if (!slice_equal(buf_slice(&out), slice_of(shown[i].repr)))
			fail_msg("%s: %.*s, not %s", shown[i].json, SLICE_FMT(buf_slice(&out)), shown[i].repr);
		buf_free(&out);
		guard_free(&guard);
	}
	assert_int_equal(heap.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_reads_as_its_sdk_raises_it),
		cmocka_unit_test(a_framework_tells_its_sdks_version_in_a_header),
		cmocka_unit_test(a_refusal_has_no_outputs_and_a_cut_keeps_its_part),
		cmocka_unit_test(a_client_that_leaves_has_not_failed),
		cmocka_unit_test(an_error_in_band_is_no_chunk),
		cmocka_unit_test(json_is_shown_as_python_shows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
