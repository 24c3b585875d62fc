/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record carries the attributes of all back ends. It is unpacked into an arena, what is not for this family is taken out of
 * the arrays in place, and what is left is packed again.
 */
#include "sink/kind.h"
#include <errno.h>
#include <stdio.h>

enum { SPAN_NAME_MAX = 256 };

/* Zeroed, and one more: behind each text stands a NUL. */
static void *arena_take(void *user, size_t len)
{
	return arena_alloc(user, len + 1);
}

static void arena_give(void *user, void *pointer)
{
}

void hex_put(const uint8_t *bytes, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*ret++ = digits[bytes[i] >> 4];
		*ret++ = digits[bytes[i] & 15];
	}
	*ret = 0;
}

const Otlp__AnyValue *attribute_find(Otlp__KeyValue *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i]->key, name) == 0)
			return list[i]->value;
	return NULL;
}

struct slice value_text(const Otlp__AnyValue *value)
{
	ProtobufCBinaryData text = value->string_value;

	return text.len ? (struct slice){ (const char *)text.data, text.len } : SLICE("");
}

const char *attribute_text(Otlp__KeyValue *const *list, size_t count, const char *name)
{
	const Otlp__AnyValue *value = attribute_find(list, count, name);

	return value && value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE ? value_text(value).data : "";
}

bool attribute_int(Otlp__KeyValue *const *list, size_t count, const char *name, int64_t *ret)
{
	const Otlp__AnyValue *value = attribute_find(list, count, name);

	if (!value || value->value_case != OTLP__ANY_VALUE__VALUE_INT_VALUE)
		return false;
	*ret = value->int_value;
	return true;
}

static bool is_zero(ProtobufCBinaryData id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.data[i])
			return false;
	return true;
}

const Otlp__Span *span_root(const Otlp__ResourceSpans *spans)
{
	const Otlp__Span *first = NULL;

	for (size_t s = 0; s < spans->n_scope_spans; s++) {
		for (size_t i = 0; i < spans->scope_spans[s]->n_spans; i++) {
			const Otlp__Span *span = spans->scope_spans[s]->spans[i];

			if (is_zero(span->parent_span_id))
				return span;
			first = first ?: span;
		}
	}
	return first;
}

static size_t attributes_filter(Otlp__KeyValue **list, size_t count, enum sink_family family)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (record_attribute_is_for(slice_of(list[i]->key), family))
			list[kept++] = list[i];
	return kept;
}

static size_t events_filter(Otlp__SpanEvent **list, size_t count, enum sink_family family)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (!record_event_is_for(slice_of(list[i]->name), family))
			continue;
		list[i]->n_attributes = attributes_filter(list[i]->attributes, list[i]->n_attributes, family);
		list[kept++] = list[i];
	}
	return kept;
}

/* Protocols whose calls are named by their method, in OpenTelemetry as well. */
static bool is_named_by_method(const Otlp__Span *span)
{
	return *attribute_text(span->attributes, span->n_attributes, "mcp.method.name") ||
	       *attribute_text(span->attributes, span->n_attributes, "a2a.method.name");
}

/* OpenTelemetry's convention: "{operation} {model}"; a span that is no model call keeps its name. */
static void span_rename(Otlp__Span *span, struct arena *arena)
{
	const char *operation = attribute_text(span->attributes, span->n_attributes, "gen_ai.operation.name");
	const char *model = attribute_text(span->attributes, span->n_attributes, "gen_ai.request.model");
	struct slice name;

	if (!*operation || is_named_by_method(span))
		return;
	name = arena_printf(arena, "%.*s%s%.*s", SPAN_NAME_MAX, operation, *model ? " " : "", SPAN_NAME_MAX, model);
	if (name.data)
		span->name = (char *)name.data;
}

/* MLflow shows every resource attribute to the user as a tag of the trace: only what helps there. */
static size_t resource_filter(Otlp__KeyValue **list, size_t count, enum sink_family family)
{
	static const char *const shown[] = { "service.name", "host.name", "container.id" };
	size_t kept = 0;

	if (family != SINK_FAMILY_MLFLOW)
		return attributes_filter(list, count, family);
	for (size_t i = 0; i < count; i++)
		for (size_t n = 0; n < ARRAY_SIZE(shown); n++)
			if (strcmp(list[i]->key, shown[n]) == 0)
				list[kept++] = list[i];
	return kept;
}

static void span_filter(Otlp__Span *span, enum sink_family family, struct arena *arena)
{
	if (family == SINK_FAMILY_OTLP)
		span_rename(span, arena);
	span->n_attributes = attributes_filter(span->attributes, span->n_attributes, family);
	span->n_events = events_filter(span->events, span->n_events, family);
}

int convert_record(const struct record *record, enum sink_family family, struct arena *arena, Otlp__ResourceSpans **ret)
{
	ProtobufCAllocator allocator = { .alloc = arena_take, .free = arena_give, .allocator_data = arena };
	Otlp__ResourceSpans *spans =
		otlp__resource_spans__unpack(&allocator, record->body.len, (const uint8_t *)record->body.data);

	if (!spans)
		return -EBADMSG;
	if (spans->resource)
		spans->resource->n_attributes =
			resource_filter(spans->resource->attributes, spans->resource->n_attributes, family);
	for (size_t s = 0; s < spans->n_scope_spans; s++)
		for (size_t i = 0; i < spans->scope_spans[s]->n_spans; i++)
			span_filter(spans->scope_spans[s]->spans[i], family, arena);
	*ret = spans;
	return 0;
}

static int request_pack(Otlp__ResourceSpans **list, size_t count, char **ret, size_t *ret_len)
{
	Otlp__ExportTraceServiceRequest request = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
	CLEANUP_FREE char *plain = NULL;
	size_t len;

	request.n_resource_spans = count;
	request.resource_spans = list;
	len = otlp__export_trace_service_request__get_packed_size(&request);
	plain = malloc(len + 1);
	if (!plain)
		return -ENOMEM;
	otlp__export_trace_service_request__pack(&request, (uint8_t *)plain);
	*ret = TAKE_PTR(plain);
	*ret_len = len;
	return 0;
}

int convert_request(const struct record *records, const bool *wanted, size_t count, enum sink_family family, char **ret,
		    size_t *ret_len)
{
	struct alloc_heap heap = ALLOC_HEAP(SINK_ARENA_MAX);
	CLEANUP(arena_free) struct arena *arena = arena_new(&heap.alloc, SINK_ARENA_MAX);
	Otlp__ResourceSpans *list[SINK_BATCH_MAX];
	size_t n = 0;

	if (!arena || count > SINK_BATCH_MAX)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int r = wanted && !wanted[i] ? -ENOENT : convert_record(&records[i], family, arena, &list[n]);

		if (r == 0)
			n++;
		else if (r != -ENOENT)
			return heap.refused ? -ENOMEM : r;
	}
	return request_pack(list, n, ret, ret_len);
}
