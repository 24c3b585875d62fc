/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: what users write for a sink, what each family is given of a record, and the lines that direct sinks write. */
#include "base/buf.h"
#include "base/json.h"
#include "sink/mlflow.h"
#include "unit/otlp.h"
#include "unit/support.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>

enum { ARENA = 4 << 20 };

/* ---- a record to look at ---- */

struct tree {
	struct pairs pairs;
	Otlp__KeyValue *resource_list[2];
	Otlp__AnyValue element, *elements[1];
	Otlp__ArrayValue array;
	Otlp__Span root, child, *spans[2];
	Otlp__SpanEvent chunk, exception, *events[2];
	Otlp__Status status;
	Otlp__InstrumentationScope scope;
	Otlp__ScopeSpans scope_spans, *scopes[1];
	Otlp__Resource resource;
	Otlp__ResourceSpans all;
	uint8_t trace_id[16], root_id[8], child_id[8];
	struct record record;
};

static void attributes_fill(struct tree *tree)
{
	Otlp__AnyValue *at;

	pair_text(&tree->pairs, "service.name", "app");
	pair_text(&tree->pairs, "k8s.pod.name", "pod");
	tree->resource_list[0] = tree->pairs.list[0], tree->resource_list[1] = tree->pairs.list[1];
	pair_text(&tree->pairs, "mlflow.chat.tokenUsage",
		  "{\"input_tokens\":9,\"output_tokens\":2,\"total_tokens\":11}");
	pair_text(&tree->pairs, "mlflow.spanInputs", "{\"model\":\"m\"}");
	pair_text(&tree->pairs, "gen_ai.input.messages", "[]");
	pair_text(&tree->pairs, "gen_ai.operation.name", "chat");
	pair_text(&tree->pairs, "gen_ai.request.model", "m\033[2Jevil");
	pair_text(&tree->pairs, "gen_ai.provider.name", "openai");
	pair_text(&tree->pairs, "process.executable.name", "python3");
	pair_text(&tree->pairs, "session.id", "s-1");
	pair_int(&tree->pairs, "gen_ai.usage.input_tokens", 9007199254740993);
	pair_int(&tree->pairs, "gen_ai.usage.output_tokens", 2);
	pair_int(&tree->pairs, "process.pid", 42);
	pair_int(&tree->pairs, "http.response.status_code", 429);
	pair_int(&tree->pairs, "spantap.response.missing_bytes", 77);
	at = pair(&tree->pairs, "spantap.time_to_first_token");
	at->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
	at->double_value = 0.25;
	at = pair(&tree->pairs, "odd.number");
	at->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
	at->double_value = NAN;
	at = pair(&tree->pairs, "spantap.complete");
	at->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
	at = pair(&tree->pairs, "spantap.missing_reason");
	otlp__array_value__init(&tree->array);
	otlp__any_value__init(&tree->element);
	tree->element.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	tree->element.string_value = (ProtobufCBinaryData){ 9, (uint8_t *)"ring_full" };
	tree->elements[0] = &tree->element;
	tree->array.n_values = 1;
	tree->array.values = tree->elements;
	at->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	at->array_value = &tree->array;
	at = pair(&tree->pairs, "raw.bytes");
	at->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
	at->bytes_value = (ProtobufCBinaryData){ 4, (uint8_t *)"\x00\x01\xfe\xff" };
}

static void spans_fill(struct tree *tree)
{
	memset(tree->trace_id, 0x1a, 16);
	memset(tree->root_id, 0x2b, 8);
	memset(tree->child_id, 0x3c, 8);
	otlp__status__init(&tree->status);
	tree->status.code = 2;
	tree->status.message = (char *)"too many";
	otlp__span_event__init(&tree->chunk);
	otlp__span_event__init(&tree->exception);
	tree->chunk.name = (char *)"mlflow.chunk.item.0";
	tree->exception.name = (char *)"exception";
	tree->exception.time_unix_nano = 5;
	tree->events[0] = &tree->chunk, tree->events[1] = &tree->exception;
	otlp__span__init(&tree->root);
	tree->root.trace_id = (ProtobufCBinaryData){ 16, tree->trace_id };
	tree->root.span_id = (ProtobufCBinaryData){ 8, tree->root_id };
	tree->root.name = (char *)"Completions";
	tree->root.kind = 3;
	tree->root.start_time_unix_nano = 1700000000123456789;
	tree->root.end_time_unix_nano = 1700000001623456789;
	tree->root.attributes = tree->pairs.list + 2;
	tree->root.n_attributes = tree->pairs.count - 2;
	tree->root.events = tree->events;
	tree->root.n_events = 2;
	tree->root.status = &tree->status;
	tree->child = tree->root;
	tree->child.span_id = (ProtobufCBinaryData){ 8, tree->child_id };
	tree->child.parent_span_id = tree->root.span_id;
	tree->child.n_attributes = 1;
	tree->child.n_events = 0;
	tree->spans[0] = &tree->child, tree->spans[1] = &tree->root;
}

static struct tree *tree_new(void)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	size_t len;
	char *body;

	attributes_fill(tree);
	spans_fill(tree);
	otlp__instrumentation_scope__init(&tree->scope);
	tree->scope.name = (char *)"spantap";
	otlp__scope_spans__init(&tree->scope_spans);
	tree->scope_spans.scope = &tree->scope;
	tree->scope_spans.n_spans = 2;
	tree->scope_spans.spans = tree->spans;
	tree->scopes[0] = &tree->scope_spans;
	otlp__resource__init(&tree->resource);
	tree->resource.attributes = tree->resource_list;
	tree->resource.n_attributes = 2;
	otlp__resource_spans__init(&tree->all);
	tree->all.resource = &tree->resource;
	tree->all.n_scope_spans = 1;
	tree->all.scope_spans = tree->scopes;
	len = otlp__resource_spans__get_packed_size(&tree->all);
	body = malloc(len);
	otlp__resource_spans__pack(&tree->all, (uint8_t *)body);
	tree->record.body = (struct slice){ body, len };
	memcpy(tree->record.trace_id, tree->trace_id, 16);
	return tree;
}

static void tree_free(struct tree *tree)
{
	free((char *)tree->record.body.data);
	free(tree);
}

/* ---- what users write ---- */

static void a_sink_is_a_kind_and_what_follows(void **state)
{
	struct sink_spec spec;

	assert_int_equal(sink_parse("mlflow", &spec), 0);
	assert_true(sink_spec_is_spooled(&spec));
	assert_int_equal(sink_spec_family(&spec), SINK_FAMILY_MLFLOW);
	assert_int_equal(sink_parse("mlflow:http://h:5000/p", &spec), 0);
	assert_string_equal(spec.arg, "http://h:5000/p");
	assert_int_equal(sink_parse("otlp-file:-", &spec), 0);
	assert_string_equal(spec.arg, "-");
	assert_false(sink_spec_is_spooled(&spec));
	assert_int_equal(sink_spec_family(&spec), SINK_FAMILY_OTLP);
	assert_int_equal(sink_parse("console", &spec), 0);
	assert_int_equal(sink_parse("none", &spec), 0);
	assert_int_equal(sink_parse("", &spec), -EINVAL);
	assert_int_equal(sink_parse("jaeger:x", &spec), -EINVAL);
	assert_int_equal(sink_parse("a-kind-with-a-name-that-is-too-long:x", &spec), -EINVAL);
}

static void a_wrong_argument_is_answered_with_what_to_do(void **state)
{
	static const char *const wrong[] = {
		"mlflow",         "mlflow:databricks", "mlflow:http://",           "mlflow:/var/mlruns",
		"otlp:host:4317", "otlp-file",         "otlp-file:/nowhere/at/all"
	};
	struct sink_env env = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		const char *error = NULL;
		struct sink_spec spec;
		struct sink *sink = NULL;

		assert_int_equal(sink_parse(wrong[i], &spec), 0);
		assert_true(sink_new(&spec, &env, NULL, NULL, &sink, &error) < 0);
		assert_null(sink);
		assert_non_null(error);
	}
}

static void note_state(void *user, struct sink *sink, bool is_well, const char *said)
{
}

static const struct sink_ops ops = { .state = note_state };

static struct sink *sink_of(const char *text_of_spec, struct sink_env env)
{
	const char *error = "";
	struct sink_spec spec;
	struct sink *sink = NULL;

	assert_int_equal(sink_parse(text_of_spec, &spec), 0);
	assert_int_equal(sink_new(&spec, &env, &ops, NULL, &sink, &error), 0);
	return sink;
}

static void a_name_is_stable_and_holds_no_secret(void **state)
{
	static const struct {
		const char *spec;
		struct sink_env env;
		const char *name;
	} table[] = {
		{ "mlflow:http://me:secret@h:5000/", { 0 }, "mlflow:http://h:5000#0" },
		{ "mlflow:http://h:5000", { .experiment_name = "x y" }, "mlflow:http://h:5000#x y" },
		{ "mlflow",
		  { .mlflow_uri = "https://h/p/", .experiment_name = "x", .experiment_id = "7" },
		  "mlflow:https://h/p#7" },
		{ "otlp:http://me:secret@h:4318", { 0 }, "otlp:http://h:4318" },
		{ "otlp", { 0 }, "otlp:http://localhost:4318/v1/traces" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct sink *sink = sink_of(table[i].spec, table[i].env);

		assert_string_equal(sink_name(sink), table[i].name);
		sink_free(sink);
	}
}

/* ---- what each family is given ---- */

static bool has(const Otlp__Span *span, const char *name)
{
	return attribute_find(span->attributes, span->n_attributes, name) != NULL;
}

static void each_family_gets_what_is_its_own(void **state)
{
	struct tree *tree = tree_new();
	struct alloc_heap heap = ALLOC_HEAP(ARENA);
	struct arena *arena = arena_new(&heap.alloc, ARENA);
	Otlp__ResourceSpans *spans;
	const Otlp__Span *root;

	assert_int_equal(convert_record(&tree->record, SINK_FAMILY_MLFLOW, arena, &spans), 0);
	root = span_root(spans);
	assert_string_equal(root->name, "Completions");
	assert_true(has(root, "mlflow.spanInputs") && has(root, "session.id") && !has(root, "gen_ai.input.messages"));
	assert_int_equal(root->n_events, 2);
	assert_int_equal(spans->resource->n_attributes, 1);
	assert_string_equal(spans->resource->attributes[0]->key, "service.name");
	assert_int_equal(convert_record(&tree->record, SINK_FAMILY_OTLP, arena, &spans), 0);
	root = span_root(spans);
	assert_true(!has(root, "mlflow.spanInputs") && has(root, "gen_ai.input.messages"));
	assert_int_equal(root->n_events, 1);
	assert_int_equal(spans->resource->n_attributes, 2);
	assert_true(strncmp(root->name, "chat m", 6) == 0);
	arena_free(arena);
	tree_free(tree);
}

static void a_body_that_is_damaged_is_told_not_followed(void **state)
{
	struct tree *tree = tree_new();
	size_t len = tree->record.body.len;
	char *body = (char *)tree->record.body.data;

	srandom(5);
	for (int round = 0; round < 2000; round++) {
		struct alloc_heap heap = ALLOC_HEAP(ARENA);
		struct arena *arena = arena_new(&heap.alloc, ARENA);
		struct record record = tree->record;
		CLEANUP_FREE char *copy = malloc(len);
		Otlp__ResourceSpans *spans;

		memcpy(copy, body, len);
		copy[(size_t)random() % len] ^= (char)(1 + random() % 255);
		record.body = (struct slice){ copy, round % 2 ? len : (size_t)random() % len };
		if (convert_record(&record, round % 4 < 2 ? SINK_FAMILY_MLFLOW : SINK_FAMILY_OTLP, arena, &spans) ==
		    0) {
			struct buf out = BUF(&heap.alloc, ARENA);

			otlp_json_put(&out, spans);
			assert_int_equal(json_check(buf_slice(&out), JSON_DEPTH_MAX), 0);
			buf_free(&out);
		}
		arena_free(arena);
		assert_int_equal(heap.used, 0);
	}
	tree_free(tree);
}

static void no_memory_is_told_as_no_memory(void **state)
{
	struct tree *tree = tree_new();

	for (uint64_t nth = 1; nth < 12; nth++) {
		struct fail_alloc fail = FAIL_ALLOC(nth);
		struct arena *arena = arena_new(&fail.alloc, ARENA);
		Otlp__ResourceSpans *spans;

		if (!arena)
			continue;
		fail.is_sticky = true;
		if (convert_record(&tree->record, SINK_FAMILY_OTLP, arena, &spans) == 0)
			assert_non_null(span_root(spans));
		arena_free(arena);
		assert_int_equal(fail.used, 0);
	}
	tree_free(tree);
}

static void the_info_of_a_trace_counts_tokens_once(void **state)
{
	struct tree *tree = tree_new();
	struct alloc_heap heap = ALLOC_HEAP(ARENA);
	struct arena *arena = arena_new(&heap.alloc, ARENA);
	struct buf out = BUF(&heap.alloc, ARENA);
	struct sink *sink = sink_of("mlflow:http://h", (struct sink_env){ .host_user = "bob" });
	struct slice info, metadata;
	Otlp__ResourceSpans *spans;

	((struct mlflow *)sink->own)->version = MLFLOW_EXACT;
	assert_int_equal(convert_record(&tree->record, SINK_FAMILY_MLFLOW, arena, &spans), 0);
	mlflow_info_body(sink, &tree->record, spans, arena, &out);
	assert_int_equal(json_check(buf_slice(&out), JSON_DEPTH_MAX), 0);
	info = json_path(buf_slice(&out), "trace", "trace_info", NULL);
	metadata = json_get(info, SLICE("trace_metadata"));
	assert_true(json_text_is(json_get(info, SLICE("trace_id")), SLICE("tr-1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a")));
	assert_true(json_text_is(json_get(info, SLICE("state")), SLICE("ERROR")));
	assert_true(json_text_is(json_get(info, SLICE("request_time")), SLICE("2023-11-14T22:13:20.123Z")));
	assert_true(json_text_is(json_get(info, SLICE("execution_duration")), SLICE("1.500000000s")));
	assert_true(slice_equal(json_text(arena, json_get(metadata, SLICE("mlflow.trace.tokenUsage"))),
				SLICE("{\"input_tokens\": 9, \"output_tokens\": 2, \"total_tokens\": 11}")));
	assert_true(json_text_is(json_get(metadata, SLICE("mlflow.user")), SLICE("bob")));
	assert_true(json_text_is(json_get(metadata, SLICE("mlflow.trace.session")), SLICE("s-1")));
	assert_true(slice_contains(json_raw_text(json_get(metadata, SLICE("mlflow.trace.sizeStats"))),
				   SLICE("num_spans\\\": 2")));
	buf_free(&out);
	sink_free(sink);
	arena_free(arena);
	tree_free(tree);
}

/* ---- the lines of direct sinks ---- */

static size_t read_all(int fd, char *ret, size_t size)
{
	ssize_t len = pread(fd, ret, size - 1, 0);

	assert_true(len >= 0);
	ret[len] = 0;
	return (size_t)len;
}

static void the_console_line_tells_all_and_obeys_nobody(void **state)
{
	static const char wanted[] =
		" python3[42] openai/m?[2Jevil 429 9007199254740993+2 tokens, first after 0.25 s, 1.50 s, missing"
		" 77 bytes of answer (ring_full)\n";
	struct tree *tree = tree_new();
	FILE *file = tmpfile();
	struct sink *sink = sink_of("console", (struct sink_env){ .console_fd = fileno(file) });
	char line[1024];

	assert_int_equal(sink_write(sink, &tree->record), 0);
	read_all(fileno(file), line, sizeof(line));
	assert_string_equal(strchr(line, ' '), wanted);
	sink_free(sink);
	sink = sink_of("console", (struct sink_env){ .console_fd = fileno(file), .console_is_tty = true });
	assert_int_equal(ftruncate(fileno(file), 0), 0);
	lseek(fileno(file), 0, SEEK_SET);
	assert_int_equal(sink_write(sink, &tree->record), 0);
	read_all(fileno(file), line, sizeof(line));
	assert_non_null(strstr(line, "\033[31m 429\033[0m"));
	sink_free(sink);
	fclose(file);
	tree_free(tree);
}

static void a_file_has_one_request_of_otlp_json_per_line(void **state)
{
	static const char *const parts[] = {
		"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"app\"}}",
		"\"traceId\":\"1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a\",\"spanId\":\"2b2b2b2b2b2b2b2b\",\"name\":\"chat m",
		"\"parentSpanId\":\"2b2b2b2b2b2b2b2b\"",
		"\"kind\":3,\"startTimeUnixNano\":\"1700000000123456789\"",
		"{\"key\":\"gen_ai.usage.input_tokens\",\"value\":{\"intValue\":\"9007199254740993\"}}",
		"{\"doubleValue\":\"NaN\"}",
		"{\"boolValue\":false}",
		"{\"bytesValue\":\"AAH+/w==\"}",
		"{\"arrayValue\":{\"values\":[{\"stringValue\":\"ring_full\"}]}}",
		"\"status\":{\"message\":\"too many\",\"code\":2}",
	};
	struct tree *tree = tree_new();
	char path[] = "/tmp/sink-file-XXXXXX", spec[64];
	int fd = mkstemp(path);
	struct sink *sink;
	char *content = calloc(1, 1 << 16), *second;

	snprintf(spec, sizeof(spec), "otlp-file:%s", path);
	for (int i = 0; i < 2; i++) {
		sink = sink_of(spec, (struct sink_env){ 0 });
		assert_int_equal(sink_write(sink, &tree->record), 0);
		sink_free(sink);
	}
	read_all(fd, content, 1 << 16);
	second = strchr(content, '\n') + 1;
	assert_memory_equal(content, second, (size_t)(second - content));
	second[-1] = 0;
	assert_int_equal(json_check(slice_of(content), JSON_DEPTH_MAX), 0);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strstr(content, parts[i]))
			fail_msg("%s is not in %s", parts[i], content);
	assert_null(strstr(content, "mlflow."));
	close(fd);
	unlink(path);
	free(content);
	tree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sink_is_a_kind_and_what_follows),
		cmocka_unit_test(a_wrong_argument_is_answered_with_what_to_do),
		cmocka_unit_test(a_name_is_stable_and_holds_no_secret),
		cmocka_unit_test(each_family_gets_what_is_its_own),
		cmocka_unit_test(a_body_that_is_damaged_is_told_not_followed),
		cmocka_unit_test(no_memory_is_told_as_no_memory),
		cmocka_unit_test(the_info_of_a_trace_counts_tokens_once),
		cmocka_unit_test(the_console_line_tells_all_and_obeys_nobody),
		cmocka_unit_test(a_file_has_one_request_of_otlp_json_per_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
