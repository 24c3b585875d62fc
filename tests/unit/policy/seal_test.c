/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a sealed trace reads back as what it was, poison is mended, the credential is nowhere in it, and
 * when memory ends the trace is refused whole.
 */
#include "../support.h"
#include "base/cleanup.h"
#include "model/otlp.pb-c.h"
#include "policy/policy.h"
#include <errno.h>

static void hash(void *user, struct slice text, uint8_t ret[32])
{
	memset(ret, 0xab, 32);
}

static struct attribute *attribute(struct arena *arena, const char *name, struct value value, struct attribute *next)
{
	struct attribute *made = arena_new_of(arena, struct attribute);

	assert_non_null(made);
	*made = (struct attribute){ slice_of(name), value, next };
	return made;
}

static struct value text_value(const char *text)
{
	return (struct value){ .type = VALUE_TEXT, .text = slice_of(text) };
}

static struct trace *trace_make(struct arena *arena)
{
	static const struct slice arguments[] = { { "python", 6 },
						  { "--api-key", 9 },
						  { "sk-secret-secret-secret", 23 } };
	struct trace *trace = arena_new_of(arena, struct trace);
	struct span *span = arena_new_of(arena, struct span);
	struct span_event *event = arena_new_of(arena, struct span_event);
	char *deep = arena_alloc(arena, 2001);

	memset(deep, '[', 1000);
	memset(deep + 1000, ']', 1000);
	*event = (struct span_event){ SLICE("exception"), 7,
				      attribute(arena, "exception.message", text_value("bad\xff"), NULL), NULL };
	*span = (struct span){ .id = { 1 },
			       .name = SLICE("Completions"),
			       .kind = SPAN_CLIENT,
			       .start_unix_ns = 10,
			       .end_unix_ns = 5,
			       .status = SPAN_ERROR,
			       .status_message = SLICE("E: sk-secret-secret-secret"),
			       .events = event };
	span->attributes = attribute(arena, "mlflow.spanInputs", text_value("{\"a\":\"\\ud800\\u0000\"}"), NULL);
	span->attributes = attribute(arena, "deep", text_value(deep), span->attributes);
	span->attributes = attribute(arena, "said", text_value("my key is sk-secret-secret-secret."), span->attributes);
	span->attributes = attribute(arena, "n", (struct value){ .type = VALUE_INT, .integer = -3 }, span->attributes);
	span->attributes =
		attribute(arena, "process.command_args",
			  (struct value){ .type = VALUE_TEXTS, .texts = { arguments, 3 } }, span->attributes);
	*trace = (struct trace){ .id = { 9 },
				 .arena = arena,
				 .spans = span,
				 .span_count = 1,
				 .credential = SLICE("sk-secret-secret-secret") };
	trace->resource = attribute(arena, "host.name", text_value("h"), NULL);
	return trace;
}

/* In a place of its own, with a NUL behind. */
static const char *string_of(const Otlp__AnyValue *value)
{
	static char text[1 << 16];

	assert_true(value->string_value.len < sizeof(text));
	memcpy(text, value->string_value.data, value->string_value.len);
	text[value->string_value.len] = 0;
	return text;
}

static const char *text_of(const Otlp__Span *span, const char *name)
{
	for (size_t i = 0; i < span->n_attributes; i++)
		if (strcmp(span->attributes[i]->key, name) == 0)
			return string_of(span->attributes[i]->value);
	return NULL;
}

static void a_sealed_trace_is_whole_clean_and_without_secrets(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(16 << 20);
	struct arena *arena = arena_new(&heap.alloc, 8 << 20);
	const struct policy_opts opts = { .alloc = &heap.alloc, .keyed_hash = hash };
	Otlp__ResourceSpans *read;
	const Otlp__Span *span;
	struct policy *policy;
	struct record record;

	assert_int_equal(policy_new(&opts, &policy), 0);
	assert_int_equal(policy_seal(policy, trace_make(arena), 4, arena, &record), 0);
	assert_int_equal(record.sequence, 4);
	assert_int_equal(record.trace_id[0], 9);
	assert_false(slice_contains(record.body, SLICE("sk-secret")));
	read = otlp__resource_spans__unpack(NULL, record.body.len, (const uint8_t *)record.body.data);
	assert_non_null(read);
	span = read->scope_spans[0]->spans[0];
	assert_string_equal(span->name, "Completions");
	assert_int_equal(span->end_time_unix_nano, 10);
	assert_int_equal(span->parent_span_id.len, 0);
	assert_string_equal(span->status->message, "E: [redacted]");
	assert_string_equal(text_of(span, "mlflow.spanInputs"), "{\"a\":\"\xef\xbf\xbd\"}");
	assert_string_equal(text_of(span, "said"), "my key is [redacted].");
	assert_int_equal(text_of(span, "deep")[0], '(');
	assert_string_equal(text_of(span, "spantap.api_key.fingerprint"), "hmac-sha256:abababababababababababab");
	assert_string_equal(string_of(span->events[0]->attributes[0]->value), "bad\xef\xbf\xbd");
	otlp__resource_spans__free_unpacked(read, NULL);
	policy_free(policy);
	arena_free(arena);
	assert_int_equal(heap.used, 0);
}

static const Otlp__AnyValue *value_of(const Otlp__Span *span, const char *name)
{
	for (size_t i = 0; i < span->n_attributes; i++)
		if (strcmp(span->attributes[i]->key, name) == 0)
			return span->attributes[i]->value;
	fail_msg("no %s", name);
	return NULL;
}

/* 300 characters of two bytes: the limit counts characters, and none is cut in its middle. */
static void types_ids_and_limits_hold(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(16 << 20);
	struct arena *arena = arena_new(&heap.alloc, 8 << 20);
	const struct policy_opts opts = { .alloc = &heap.alloc, .keyed_hash = hash, .node = SLICE("node-7") };
	static const struct slice reasons[] = { { "stop", 4 }, { "length", 6 } };
	struct span_link link = { .trace_id = { 5 }, .span_id = { 6 } };
	struct span child = { .id = { 2 }, .parent_id = { 1 }, .name = SLICE("child"), .start_unix_ns = UINT64_MAX };
	struct span root = { .id = { 1 }, .name = SLICE("root"), .kind = SPAN_SERVER, .links = &link, .next = &child };
	struct trace trace = { .id = { 9 }, .spans = &root, .span_count = 2 };
	char session[601];
	Otlp__ResourceSpans *read;
	Otlp__Span **spans;
	struct policy *policy;
	struct record record;

	for (size_t i = 0; i < 600; i += 2)
		memcpy(session + i, "\xc3\xa9", 2);
	session[600] = 0;
	root.attributes = attribute(arena, "session.id", text_value(session), NULL);
	root.attributes = attribute(arena, "d", (struct value){ VALUE_DOUBLE, .number = 0.5 }, root.attributes);
	root.attributes = attribute(arena, "b", (struct value){ VALUE_BOOL, .truth = true }, root.attributes);
	root.attributes =
		attribute(arena, "r", (struct value){ VALUE_TEXTS, .texts = { reasons, 2 } }, root.attributes);
	root.attributes = attribute(arena, "url.query", text_value("key=abc&alt=sse"), root.attributes);
	assert_int_equal(policy_new(&opts, &policy), 0);
	assert_int_equal(policy_seal(policy, &trace, 4, arena, &record), 0);
	assert_int_equal(record.span_count, 2);
	read = otlp__resource_spans__unpack(NULL, record.body.len, (const uint8_t *)record.body.data);
	assert_non_null(read);
	assert_string_equal(read->resource->attributes[0]->key, "host.name");
	assert_string_equal(string_of(read->resource->attributes[0]->value), "node-7");
	assert_string_equal(read->scope_spans[0]->scope->name, "spantap");
	spans = read->scope_spans[0]->spans;
	assert_int_equal(strlen(string_of(value_of(spans[0], "session.id"))), 500);
	assert_true(value_of(spans[0], "d")->double_value == 0.5);
	assert_true(value_of(spans[0], "b")->bool_value);
	assert_int_equal(value_of(spans[0], "r")->array_value->n_values, 2);
	assert_string_equal(string_of(value_of(spans[0], "r")->array_value->values[1]), "length");
	assert_false(strstr(string_of(value_of(spans[0], "url.query")), "abc"));
	assert_int_equal(spans[0]->kind, 2);
	assert_int_equal(spans[0]->status->code, 1);
	assert_int_equal(spans[0]->start_time_unix_nano, 1);
	assert_int_equal(spans[0]->links[0]->trace_id.data[0], 5);
	assert_memory_equal(spans[1]->parent_span_id.data, root.id, 8);
	assert_int_equal(spans[1]->start_time_unix_nano, INT64_MAX);
	assert_int_equal(spans[1]->end_time_unix_nano, INT64_MAX);
	otlp__resource_spans__free_unpacked(read, NULL);
	policy_free(policy);
	arena_free(arena);
	assert_int_equal(heap.used, 0);
}

static void a_trace_without_memory_is_refused_whole(void **state)
{
	for (uint64_t nth = 1; nth < 60; nth++) {
		struct alloc_heap heap = ALLOC_HEAP(16 << 20);
		struct arena *source = arena_new(&heap.alloc, 8 << 20);
		struct fail_alloc fail = FAIL_ALLOC(nth);
		const struct policy_opts opts = { .alloc = &fail.alloc, .keyed_hash = hash };
		struct arena *arena = arena_new(&fail.alloc, 8 << 20);
		struct policy *policy = NULL;
		struct record record;

		if (arena && policy_new(&opts, &policy) == 0) {
			int r = policy_seal(policy, trace_make(source), 1, arena, &record);

			assert_true(r == 0 || r == -ENOMEM);
			if (r == 0)
				assert_false(slice_contains(record.body, SLICE("sk-secret")));
		}
		policy_free(policy);
		arena_free(arena);
		arena_free(source);
		assert_int_equal(fail.used, 0);
	}
}

static void a_full_arena_refuses_the_trace(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(16 << 20);
	const struct policy_opts opts = { .alloc = &heap.alloc, .keyed_hash = hash };
	struct arena *source = arena_new(&heap.alloc, 8 << 20);
	struct trace *trace = trace_make(source);
	struct policy *policy;
	struct record record;
	bool fitted = false;

	assert_int_equal(policy_new(&opts, &policy), 0);
	for (size_t cap = 1024; cap < 64 << 10 && !fitted; cap += 512) {
		struct arena *arena = arena_new(&heap.alloc, cap);

		fitted = policy_seal(policy, trace, 1, arena, &record) == 0;
		arena_free(arena);
	}
	assert_true(fitted);
	policy_free(policy);
	arena_free(source);
	assert_int_equal(heap.used, 0);
}

static void length_hash(void *user, struct slice text, uint8_t ret[32])
{
	memset(ret, 0, 32);
	ret[0] = (uint8_t)text.len;
}

/* The same words of two calls, whose keys differ: what hides the key of one must not be found under the name of the other's. */
static void a_text_has_the_name_of_what_leaves(void **state)
{
	const struct slice text = SLICE("the key is secret-key-of-one"),
			   keys[] = { SLICE("secret-key-of-one"), SLICE("another-key") };
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	const struct policy_opts opts = { .alloc = &heap.alloc, .keyed_hash = length_hash };
	struct aside_id ids[2];
	struct policy *policy;
	struct slice clean;

	assert_int_equal(policy_new(&opts, &policy), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(policy_clean_aside(policy, keys[i], text, &ids[i], &clean), 0);
		assert_int_equal(slice_contains(clean, keys[0]), i == 1);
	}
	assert_memory_not_equal(&ids[0], &ids[1], sizeof(ids[0]));
	policy_free(policy);
	assert_int_equal(heap.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sealed_trace_is_whole_clean_and_without_secrets),
		cmocka_unit_test(types_ids_and_limits_hold),
		cmocka_unit_test(a_trace_without_memory_is_refused_whole),
		cmocka_unit_test(a_full_arena_refuses_the_trace),
		cmocka_unit_test(a_text_has_the_name_of_what_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
