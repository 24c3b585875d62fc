/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: every name in which the flavours of OpenTelemetry's convention differ, and that no other changes. */
#include "unit/trace/bed.h"

static struct call call_of(enum call_operation operation)
{
	struct call call = sample_call();

	call.operation = operation;
	call.inputs = call.request_body = SLICE("{\"model\":\"m\",\"top_k\":40,\"top_p\":0.5,\"max_tokens\":7}");
	call.usage.cache_write = 5;
	call.output_messages =
		SLICE("[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"finish_reason\"}],"
		      "\"finish_reason\":\"stop\"},{\"role\":\"assistant\",\"parts\":[]}]");
	return call;
}

/* What the spans of @operation say in that flavour. */
static void written(struct bed *bed, enum semconv semconv, enum call_operation operation)
{
	struct call call = call_of(operation);

	bed_init_as(bed, semconv);
	call.arena = arena_new(&bed->notes_heap.alloc, 1 << 20);
	trace_on_call(bed->assembler, &call);
	trace_flush(bed->assembler);
	arena_free(call.arena);
	assert_int_equal(bed->traces, 1);
}

static const struct {
	enum call_operation operation;
	const char *v1_41, *next;
} differences[] = {
	{ OPERATION_CHAT, "gen_ai.usage.cache_creation.input_tokens=5", "gen_ai.usage.cache_write.input_tokens=5" },
	{ OPERATION_RETRIEVAL, "gen_ai.request.top_k=40", "gen_ai.retrieval.top_k=40" },
	{ OPERATION_CHAT,
	  "gen_ai.output.messages=[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"finish_reason\"}],"
	  "\"finish_reason\":\"stop\"},{\"role\":\"assistant\",\"parts\":[]}]",
	  "gen_ai.output.messages=[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"finish_reason\"}]},"
	  "{\"role\":\"assistant\",\"parts\":[]}]" },
};

static void each_difference_is_made_and_only_in_its_flavour(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++)
		for (int flavour = 0; flavour < _SEMCONV_MAX; flavour++) {
			struct bed bed;

			written(&bed, flavour, differences[i].operation);
			assert_int_equal(bed_says(&bed, differences[i].v1_41), flavour == SEMCONV_V1_41);
			assert_int_equal(bed_says(&bed, differences[i].next), flavour == SEMCONV_NEXT);
			bed_free(&bed);
		}
}

static void a_number_without_fraction_has_another_type(void **state)
{
	struct slice name = SLICE("gen_ai.request.top_k");
	struct value value = { VALUE_DOUBLE, .number = 40 };

	semconv_turn(SEMCONV_V1_41, OPERATION_CHAT, &name, &value);
	assert_int_equal(value.type, VALUE_DOUBLE);
	semconv_turn(SEMCONV_NEXT, OPERATION_CHAT, &name, &value);
	assert_true(slice_equal(name, SLICE("gen_ai.request.top_k")));
	assert_int_equal(value.type, VALUE_INT);
	assert_int_equal(value.integer, 40);
	value = (struct value){ VALUE_DOUBLE, .number = 1e300 };
	semconv_turn(SEMCONV_NEXT, OPERATION_CHAT, &name, &value);
	assert_int_equal(value.type, VALUE_DOUBLE);
}

/* All lines of both flavours, but those above, are the same. */
static void nothing_else_changes(void **state)
{
	struct bed old, new;
	struct slice a, b;
	unsigned different = 0;

	written(&old, SEMCONV_V1_41, OPERATION_CHAT);
	written(&new, SEMCONV_NEXT, OPERATION_CHAT);
	a = buf_slice(&old.notes);
	b = buf_slice(&new.notes);
	while (a.len && b.len)
		different += !slice_equal(slice_cut(&a, '\n'), slice_cut(&b, '\n'));
	assert_int_equal(a.len + b.len, 0);
	assert_int_equal(different, 2);
	assert_true(bed_says(&new, "gen_ai.usage.input_tokens=19"));
	bed_free(&old);
	bed_free(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_difference_is_made_and_only_in_its_flavour),
		cmocka_unit_test(a_number_without_fraction_has_another_type),
		cmocka_unit_test(nothing_else_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
