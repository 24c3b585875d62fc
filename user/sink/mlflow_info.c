/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StartTraceV3: what the spans of a trace cannot carry in every version. Previews are left out where the server makes them
 * from the root span, by the same rule as MLflow's own client.
 */
#include "base/json.h"
#include "sink/mlflow.h"
#include <stdio.h>
#include <time.h>

enum { METADATA_MAX = 250, TAG_MAX = 4096, SPANS_MAX = 4096 };

static const char TAG_PREFIX[] = "mlflow.traceTag.";

/* @text cut to @max bytes, never inside a character. */
static struct slice text_cut(const char *text, size_t max)
{
	struct slice s = slice_of(text);

	if (s.len <= max)
		return s;
	while (max && ((unsigned char)s.data[max] & 0xc0) == 0x80)
		max--;
	return slice_head(s, max);
}

static void member_cut(struct buf *out, struct slice name, const char *value, size_t max)
{
	if (*value)
		json_member_text(out, name, text_cut(value, max));
}

struct span_list {
	Otlp__Span *spans[SPANS_MAX];
	size_t count;
};

static void spans_collect(const Otlp__ResourceSpans *all, struct span_list *ret)
{
	for (size_t s = 0; s < all->n_scope_spans; s++)
		for (size_t i = 0; i < all->scope_spans[s]->n_spans && ret->count < SPANS_MAX; i++)
			ret->spans[ret->count++] = all->scope_spans[s]->spans[i];
}

static const char *text_of_any(const struct span_list *list, const char *name)
{
	const char *text = "";

	for (size_t i = 0; i < list->count && !*text; i++)
		text = attribute_text(list->spans[i]->attributes, list->spans[i]->n_attributes, name);
	return text;
}

/* ---- tokens: each counted once, where a span and one below it both tell them ---- */

static const char *const token_keys[] = {
	"input_tokens",
	"output_tokens",
	"total_tokens",
	"cache_read_input_tokens",
	"cache_creation_input_tokens",
	"cache_creation_input_tokens_above_1hr",
};

static struct slice span_usage(const Otlp__Span *span)
{
	return slice_of(attribute_text(span->attributes, span->n_attributes, "mlflow.chat.tokenUsage"));
}

static const Otlp__Span *span_parent(const struct span_list *list, const Otlp__Span *span)
{
	ProtobufCBinaryData want = span->parent_span_id;

	for (size_t i = 0; want.len && i < list->count; i++) {
		ProtobufCBinaryData id = list->spans[i]->span_id;

		if (id.len == want.len && memcmp(id.data, want.data, id.len) == 0)
			return list->spans[i];
	}
	return NULL;
}

static bool is_counted_above(const struct span_list *list, const Otlp__Span *span)
{
	size_t steps = 0; /* spans that are each other's parent must not hang us */

	while ((span = span_parent(list, span)) && steps++ < 64)
		if (span_usage(span).len)
			return true;
	return false;
}

static void usage_put(const struct span_list *list, struct arena *arena, struct buf *out)
{
	int64_t sums[ARRAY_SIZE(token_keys)] = { 0 };
	bool told[ARRAY_SIZE(token_keys)] = { 0 }, any = false;
	struct slice text = arena_printf(arena, "{");

	for (size_t i = 0; i < list->count; i++) {
		struct slice usage = span_usage(list->spans[i]);

		if (json_check(usage, 8) < 0 || is_counted_above(list, list->spans[i]))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(token_keys); k++) {
			int64_t value = 0;

			if (json_int(json_get(usage, slice_of(token_keys[k])), &value) == 0) {
				sums[k] += value;
				told[k] = any = true;
			}
		}
	}
	for (size_t k = 0; any && k < ARRAY_SIZE(token_keys); k++)
		if (told[k])
			text = arena_printf(arena, "%.*s%s\"%s\": %lld", SLICE_FMT(text), text.len > 1 ? ", " : "",
					    token_keys[k], (long long)sums[k]);
	if (any)
		json_member_text(out, SLICE("mlflow.trace.tokenUsage"), arena_printf(arena, "%.*s}", SLICE_FMT(text)));
}

/* ---- size: num_spans makes readers wait until all spans are there ---- */

static int size_order(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void size_put(const struct span_list *list, struct arena *arena, struct buf *out)
{
	size_t *sizes = arena_alloc(arena, (list->count + 1) * sizeof(*sizes)), total = 0, n = list->count;
	struct slice text;

	if (!sizes || !n)
		return;
	for (size_t i = 0; i < n; i++)
		total += sizes[i] = otlp__span__get_packed_size(list->spans[i]);
	qsort(sizes, n, sizeof(*sizes), size_order);
	text = arena_printf(
		arena,
		"{\"total_size_bytes\": %zu, \"num_spans\": %zu, \"max\": %zu, \"p25\": %zu, \"p50\": %zu, \"p75\": %zu}",
		total, n, sizes[n - 1], sizes[n / 4], sizes[n / 2], sizes[n * 3 / 4]);
	json_member_text(out, SLICE("mlflow.trace.sizeStats"), text);
	json_member_text(out, SLICE("mlflow.trace.sizeBytes"), arena_printf(arena, "%zu", total));
}

/* ---- who ---- */

/* The script where the program is an interpreter, else the program: what a person calls the source. */
static const char *source_name(const Otlp__Span *root)
{
	static const char *const interpreters[] = { "python", "node", "ruby", "perl", "php", "bun", "deno" };
	const char *exe = attribute_text(root->attributes, root->n_attributes, "process.executable.path");
	const char *name = attribute_text(root->attributes, root->n_attributes, "process.executable.name");
	const Otlp__AnyValue *args = attribute_find(root->attributes, root->n_attributes, "process.command_args");
	const Otlp__ArrayValue *list =
		args && args->value_case == OTLP__ANY_VALUE__VALUE_ARRAY_VALUE ? args->array_value : NULL;

	for (size_t i = 0; list && list->n_values > 1 && i < ARRAY_SIZE(interpreters); i++) {
		const Otlp__AnyValue *script = list->values[1];

		if (strncmp(name, interpreters[i], strlen(interpreters[i])) == 0 &&
		    script->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE && script->string_value.len &&
		    script->string_value.data[0] != '-')
			return value_text(script).data;
	}
	return *exe ? exe : name;
}

static void metadata_put(const struct sink *sink, const struct span_list *list, const Otlp__Span *root,
			 struct arena *arena, struct buf *out)
{
	const char *owner = attribute_text(root->attributes, root->n_attributes, "process.owner");

	json_put_name(out, SLICE("trace_metadata"));
	json_open(out, '{');
	json_member_text(out, SLICE("mlflow.trace_schema.version"), SLICE("3"));
	member_cut(out, SLICE("mlflow.user"), *owner ? owner : sink->env.host_user ?: "", METADATA_MAX);
	member_cut(out, SLICE("mlflow.source.name"), source_name(root), METADATA_MAX);
	json_member_text(out, SLICE("mlflow.source.type"), SLICE("LOCAL"));
	member_cut(out, SLICE("mlflow.trace.session"), text_of_any(list, "session.id"), METADATA_MAX);
	member_cut(out, SLICE("mlflow.trace.user"), text_of_any(list, "user.id"), METADATA_MAX);
	usage_put(list, arena, out);
	size_put(list, arena, out);
	json_close(out, '}');
}

static void tags_put(const Otlp__ResourceSpans *spans, const Otlp__Span *root, struct buf *out)
{
	size_t prefix = strlen(TAG_PREFIX);
	const char *name = attribute_text(root->attributes, root->n_attributes, "mlflow.traceTag.mlflow.traceName");

	json_put_name(out, SLICE("tags"));
	json_open(out, '{');
	member_cut(out, SLICE("mlflow.traceName"), *name ? name : root->name, TAG_MAX);
	for (size_t i = 0; i < root->n_attributes; i++) {
		const Otlp__KeyValue *tag = root->attributes[i];

		if (strncmp(tag->key, TAG_PREFIX, prefix) == 0 && strcmp(tag->key + prefix, "mlflow.traceName") != 0)
			member_cut(out, slice_of(tag->key + prefix),
				   attribute_text(root->attributes, root->n_attributes, tag->key), TAG_MAX);
	}
	for (size_t i = 0; spans->resource && i < spans->resource->n_attributes; i++) {
		const Otlp__KeyValue *tag = spans->resource->attributes[i];

		member_cut(out, slice_of(tag->key),
			   attribute_text(spans->resource->attributes, spans->resource->n_attributes, tag->key),
			   TAG_MAX);
	}
	json_close(out, '}');
}

static void times_put(const struct span_list *list, const Otlp__Span *root, struct arena *arena, struct buf *out)
{
	uint64_t start = root->start_time_unix_nano, end = root->end_time_unix_nano, length;
	char stamp[40];
	struct tm tm;
	time_t seconds;

	for (size_t i = 0; i < list->count; i++) {
		start = MIN(start, list->spans[i]->start_time_unix_nano);
		end = MAX(end, list->spans[i]->end_time_unix_nano);
	}
	seconds = (time_t)(start / 1000000000);
	length = end - start;
	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	json_member_text(out, SLICE("request_time"),
			 arena_printf(arena, "%s.%03uZ", stamp, (unsigned)(start / 1000000 % 1000)));
	json_member_text(out, SLICE("execution_duration"),
			 arena_printf(arena, "%llu.%09us", (unsigned long long)(length / 1000000000),
				      (unsigned)(length % 1000000000)));
}

void mlflow_info_body(const struct sink *sink, const struct record *record, const Otlp__ResourceSpans *spans,
		      struct arena *arena, struct buf *out)
{
	const struct mlflow *mlflow = sink->own;
	const Otlp__Span *root = span_root(spans);
	struct span_list *list = arena_alloc(arena, sizeof(*list));
	char hex[33];

	if (!root || !list) {
		out->failed = true;
		return;
	}
	spans_collect(spans, list);
	hex_put(record->trace_id, 16, hex);
	buf_put(out, SLICE("{\"trace\":{\"trace_info\":{"));
	json_member_text(out, SLICE("trace_id"), arena_printf(arena, "tr-%s", hex));
	json_put_name(out, SLICE("trace_location"));
	buf_put(out, SLICE("{\"type\":\"MLFLOW_EXPERIMENT\",\"mlflow_experiment\":{"));
	json_member_text(out, SLICE("experiment_id"), slice_of(mlflow->experiment));
	buf_put(out, SLICE("}}"));
	json_member_text(out, SLICE("state"), root->status && root->status->code == 2 ? SLICE("ERROR") : SLICE("OK"));
	times_put(list, root, arena, out);
	metadata_put(sink, list, root, arena, out);
	tags_put(spans, root, out);
	if (mlflow->version < MLFLOW_PREVIEWS)
		mlflow_preview_put(root, arena, out);
	buf_put(out, SLICE("}}}"));
}
