/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf's JSON mapping with OTLP's two exceptions: ids are hex, enums are numbers. Members that are absent are left out. */
#include "base/buf.h"
#include "base/json.h"
#include "sink/kind.h"
#include <math.h>
#include <stdio.h>

enum { DEPTH_MAX = 64 };

static void value_put(struct buf *out, const Otlp__AnyValue *value, unsigned depth);

static void uint_text_put(struct buf *out, struct slice name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	json_member_text(out, name, slice_of(text));
}

static void id_put(struct buf *out, struct slice name, ProtobufCBinaryData id)
{
	char hex[65];

	if (!id.len || id.len * 2 >= sizeof(hex))
		return;
	hex_put(id.data, id.len, hex);
	json_member_text(out, name, slice_of(hex));
}

static void attributes_put(struct buf *out, struct slice name, Otlp__KeyValue *const *list, size_t count,
			   unsigned depth)
{
	if (!count)
		return;
	json_put_name(out, name);
	json_open(out, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(out, '{');
		json_member_text(out, SLICE("key"), slice_of(list[i]->key));
		if (list[i]->value) {
			json_put_name(out, SLICE("value"));
			value_put(out, list[i]->value, depth);
		}
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void double_put(struct buf *out, double value)
{
	json_put_name(out, SLICE("doubleValue"));
	if (isfinite(value))
		json_put_double(out, value);
	else
		json_put_text(out, isnan(value) ? SLICE("NaN") : value > 0 ? SLICE("Infinity") : SLICE("-Infinity"));
}

static void bytes_put(struct buf *out, ProtobufCBinaryData bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	json_put_name(out, SLICE("bytesValue"));
	buf_put_char(out, '"');
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = MIN(bytes.len - i, (size_t)3);
		uint32_t v = (uint32_t)bytes.data[i] << 16 | (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
			     (left > 2 ? bytes.data[i + 2] : 0);
		char four[4] = { digits[v >> 18], digits[v >> 12 & 63], left > 1 ? digits[v >> 6 & 63] : '=',
				 left > 2 ? digits[v & 63] : '=' };

		buf_put(out, (struct slice){ four, 4 });
	}
	buf_put_char(out, '"');
}

static void array_put(struct buf *out, const Otlp__ArrayValue *array, unsigned depth)
{
	json_put_name(out, SLICE("arrayValue"));
	json_open(out, '{');
	json_put_name(out, SLICE("values"));
	json_open(out, '[');
	for (size_t i = 0; array && i < array->n_values; i++)
		value_put(out, array->values[i], depth);
	json_close(out, ']');
	json_close(out, '}');
}

static void value_put(struct buf *out, const Otlp__AnyValue *value, unsigned depth)
{
	char text[24];

	json_open(out, '{');
	if (depth >= DEPTH_MAX) {
		json_close(out, '}');
		return;
	}
	switch (value->value_case) {
	case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
		json_member_text(out, SLICE("stringValue"), value_text(value));
		break;
	case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
		json_put_name(out, SLICE("boolValue"));
		json_put_bool(out, value->bool_value);
		break;
	case OTLP__ANY_VALUE__VALUE_INT_VALUE:
		snprintf(text, sizeof(text), "%lld", (long long)value->int_value);
		json_member_text(out, SLICE("intValue"), slice_of(text));
		break;
	case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
		double_put(out, value->double_value);
		break;
	case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
		array_put(out, value->array_value, depth + 1);
		break;
	case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
		json_put_name(out, SLICE("kvlistValue"));
		json_open(out, '{');
		attributes_put(out, SLICE("values"), value->kvlist_value->values, value->kvlist_value->n_values,
			       depth + 1);
		json_close(out, '}');
		break;
	case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
		bytes_put(out, value->bytes_value);
		break;
	default:
		break;
	}
	json_close(out, '}');
}

static void events_put(struct buf *out, const Otlp__Span *span)
{
	if (!span->n_events)
		return;
	json_put_name(out, SLICE("events"));
	json_open(out, '[');
	for (size_t i = 0; i < span->n_events; i++) {
		const Otlp__SpanEvent *event = span->events[i];

		json_open(out, '{');
		uint_text_put(out, SLICE("timeUnixNano"), event->time_unix_nano);
		json_member_text(out, SLICE("name"), slice_of(event->name));
		attributes_put(out, SLICE("attributes"), event->attributes, event->n_attributes, 0);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void links_put(struct buf *out, const Otlp__Span *span)
{
	if (!span->n_links)
		return;
	json_put_name(out, SLICE("links"));
	json_open(out, '[');
	for (size_t i = 0; i < span->n_links; i++) {
		json_open(out, '{');
		id_put(out, SLICE("traceId"), span->links[i]->trace_id);
		id_put(out, SLICE("spanId"), span->links[i]->span_id);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void status_put(struct buf *out, const Otlp__Status *status)
{
	json_put_name(out, SLICE("status"));
	json_open(out, '{');
	if (status && *status->message)
		json_member_text(out, SLICE("message"), slice_of(status->message));
	if (status && status->code)
		json_member_int(out, SLICE("code"), status->code);
	json_close(out, '}');
}

static void span_put(struct buf *out, const Otlp__Span *span)
{
	json_open(out, '{');
	id_put(out, SLICE("traceId"), span->trace_id);
	id_put(out, SLICE("spanId"), span->span_id);
	id_put(out, SLICE("parentSpanId"), span->parent_span_id);
	json_member_text(out, SLICE("name"), slice_of(span->name));
	json_member_int(out, SLICE("kind"), span->kind);
	uint_text_put(out, SLICE("startTimeUnixNano"), span->start_time_unix_nano);
	uint_text_put(out, SLICE("endTimeUnixNano"), span->end_time_unix_nano);
	attributes_put(out, SLICE("attributes"), span->attributes, span->n_attributes, 0);
	events_put(out, span);
	links_put(out, span);
	status_put(out, span->status);
	json_close(out, '}');
}

static void scope_put(struct buf *out, const Otlp__ScopeSpans *scope)
{
	json_open(out, '{');
	json_put_name(out, SLICE("scope"));
	json_open(out, '{');
	if (scope->scope && *scope->scope->name)
		json_member_text(out, SLICE("name"), slice_of(scope->scope->name));
	if (scope->scope && *scope->scope->version)
		json_member_text(out, SLICE("version"), slice_of(scope->scope->version));
	json_close(out, '}');
	json_put_name(out, SLICE("spans"));
	json_open(out, '[');
	for (size_t i = 0; i < scope->n_spans; i++)
		span_put(out, scope->spans[i]);
	json_close(out, ']');
	json_close(out, '}');
}

void otlp_json_put(struct buf *out, const Otlp__ResourceSpans *spans)
{
	buf_put(out, SLICE("{\"resourceSpans\":[{\"resource\":{"));
	if (spans->resource)
		attributes_put(out, SLICE("attributes"), spans->resource->attributes, spans->resource->n_attributes, 0);
	buf_put(out, SLICE("},\"scopeSpans\":["));
	for (size_t s = 0; s < spans->n_scope_spans; s++)
		scope_put(out, spans->scope_spans[s]);
	buf_put(out, SLICE("]}]}"));
}
