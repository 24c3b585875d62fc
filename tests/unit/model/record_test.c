/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: each family of sinks gets what is for it, and all the rest goes to both. */
#include "base/cleanup.h"
#include "model/record.h"
#include "unit/support.h"

static void names_tell_for_whom_a_value_is(void **state)
{
	static const struct {
		const char *name;
		bool mlflow, otlp;
	} cases[] = {
		{ "mlflow.spanInputs", true, false },
		{ "mlflow.traceTag.mlflow.traceName", true, false },
		{ "model", true, false }, /* an argument under its bare name */
		{ "gen_ai.input.messages", false, true },
		{ "gen_ai.output.messages", false, true },
		{ "gen_ai.system_instructions", false, true },
		{ "gen_ai.tool.definitions", false, true },
		{ "gen_ai.request.model", true, true },
		{ "gen_ai.usage.input_tokens", true, true },
		{ "spantap.complete", true, true },
		{ "session.id", true, true },
		{ "process.pid", true, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guard guard = guard_new(slice_of(cases[i].name));

		assert_int_equal(record_attribute_is_for(guard.text, SINK_FAMILY_MLFLOW), cases[i].mlflow);
		assert_int_equal(record_attribute_is_for(guard.text, SINK_FAMILY_OTLP), cases[i].otlp);
		guard_free(&guard);
	}
}

static void chunks_are_events_of_mlflow_only(void **state)
{
	assert_true(record_event_is_for(SLICE("mlflow.chunk.item.3"), SINK_FAMILY_MLFLOW));
	assert_false(record_event_is_for(SLICE("mlflow.chunk.item.3"), SINK_FAMILY_OTLP));
	assert_true(record_event_is_for(SLICE("exception"), SINK_FAMILY_MLFLOW));
	assert_true(record_event_is_for(SLICE("exception"), SINK_FAMILY_OTLP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tell_for_whom_a_value_is),
		cmocka_unit_test(chunks_are_events_of_mlflow_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
