/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider did on its side is told below the call: named, with what went in and came out, failed where it failed. */
#include "unit/trace/bed.h"

static struct call_step steps[] = {
	{ .operation = OPERATION_TOOL,
	  .name = SLICE("web_search"),
	  .id = SLICE("ws_1"),
	  .inputs = SLICE("{\"query\":\"x\"}"),
	  .start_ns = SECOND + 20000000,
	  .end_ns = SECOND + 30000000 },
	{ .operation = OPERATION_RETRIEVAL, .name = SLICE("file_search"), .outputs = SLICE("[]") },
	{ .operation = OPERATION_TOOL, .name = SLICE("ask"), .has_failed = true, .error = SLICE("no such tool") },
};

static struct call call_with_steps(void)
{
	struct call call = sample_call();

	for (size_t i = 0; i + 1 < ARRAY_SIZE(steps); i++)
		steps[i].next = &steps[i + 1];
	call.steps = steps;
	return call;
}

static void each_step_is_a_span_below_the_call(void **state)
{
	struct call call = call_with_steps();
	struct bed bed;

	bed_init(&bed);
	trace_on_call(bed.assembler, &call);
	trace_flush(bed.assembler);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 4);
	assert_says(&bed, "span web_search kind=1 1001020000000..1001030000000 OK ''");
	assert_says(&bed, "mlflow.spanType=TOOL");
	assert_says(&bed, "mlflow.spanType=RETRIEVER");
	assert_says(&bed, "gen_ai.tool.call.id=ws_1");
	assert_says(&bed, "mlflow.spanInputs={\"query\":\"x\"}");
	assert_says(&bed, "gen_ai.tool.call.arguments={\"query\":\"x\"}");
	assert_int_equal(bed_count(&bed, "gen_ai.tool.server_side=true"), 3);
	assert_int_equal(bed_count(&bed, "parent=0000000000000000"), 1);
	bed_free(&bed);
}

static void a_failed_step_fails_alone(void **state)
{
	struct call call = call_with_steps();
	struct bed bed;

	bed_init(&bed);
	trace_on_call(bed.assembler, &call);
	trace_flush(bed.assembler);
	assert_int_equal(bed_count(&bed, " ERROR '"), 1);
	assert_int_equal(bed_count(&bed, " ERROR 'no such tool'"), 1);
	assert_says(&bed, "  exception.message=no such tool");
	bed_free(&bed);
}

/* The steps of the attempt that counts, once, though it was kept beyond its call. */
static void a_repeated_call_has_its_last_attempts_steps(void **state)
{
	struct call failed = sample_call(), call = call_with_steps();
	struct bed bed;

	failed.status = 500;
	failed.has_error = true;
	call.request_start_ns += SECOND;
	call.request_end_ns += SECOND;
	call.response_start_ns += SECOND;
	call.end_ns += SECOND;
	bed_init(&bed);
	trace_on_call(bed.assembler, &failed);
	trace_on_call(bed.assembler, &call);
	trace_flush(bed.assembler);
	assert_int_equal(bed.traces, 1);
	assert_int_equal(bed.spans, 1 + 2 + 3);
	bed_free(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_a_span_below_the_call),
		cmocka_unit_test(a_failed_step_fails_alone),
		cmocka_unit_test(a_repeated_call_has_its_last_attempts_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
