/* SPDX-License-Identifier: Apache-2.0 */
/* Traces written down as text, a line for each fact, so that a test is a list of lines. */
#pragma once
#include "base/buf.h"
#include "model/span.h"

static inline void write_value(struct buf *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_TEXT:
		return buf_put(out, value->text);
	case VALUE_INT:
		return buf_printf(out, "%lld", (long long)value->integer);
	case VALUE_DOUBLE:
		return buf_printf(out, "%g", value->number);
	case VALUE_BOOL:
		return buf_printf(out, "%s", value->truth ? "true" : "false");
	case VALUE_TEXTS:
		for (size_t i = 0; i < value->texts.count; i++) {
			buf_put(out, i ? SLICE("|") : SLICE("["));
			buf_put(out, value->texts.list[i]);
		}
		return buf_put(out, SLICE("]"));
	}
}

static inline void write_attributes(struct buf *out, const char *head, const struct attribute *list)
{
	for (; list; list = list->next) {
		buf_put(out, slice_of(head));
		buf_put(out, list->name);
		buf_put(out, SLICE("="));
		write_value(out, &list->value);
		buf_put(out, SLICE("\n"));
	}
}

static inline void write_hex(struct buf *out, const uint8_t *id, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_printf(out, "%02x", id[i]);
}

static inline void write_span(struct buf *out, const struct span *span)
{
	buf_put(out, SLICE("span "));
	buf_put(out, span->name);
	buf_printf(out, " kind=%d %llu..%llu %s '", span->kind, (unsigned long long)span->start_unix_ns,
		   (unsigned long long)span->end_unix_ns, span->status == SPAN_ERROR ? "ERROR" : "OK");
	buf_put(out, span->status_message);
	buf_put(out, SLICE("'\nid="));
	write_hex(out, span->id, 8);
	buf_put(out, SLICE(" parent="));
	write_hex(out, span->parent_id, 8);
	buf_put(out, SLICE("\n"));
	write_attributes(out, "", span->attributes);
	for (const struct span_event *event = span->events; event; event = event->next) {
		buf_put(out, SLICE("event "));
		buf_put(out, event->name);
		buf_printf(out, " at=%llu\n", (unsigned long long)event->time_unix_ns);
		write_attributes(out, "  ", event->attributes);
	}
	for (const struct span_link *link = span->links; link; link = link->next) {
		buf_put(out, SLICE("link "));
		write_hex(out, link->trace_id, 16);
		buf_put(out, SLICE(" "));
		write_hex(out, link->span_id, 8);
		buf_put(out, SLICE("\n"));
	}
}
