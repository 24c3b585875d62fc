/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this room share: calls as the rooms before it make them, and traces written down as text. */
#pragma once
#include "unit/support.h"
#include <stdio.h>
#include "base/buf.h"
#include "base/cleanup.h"
#include "model/dialect.h"
#include "trace/trace.h"

#define MS 1000000ull
#define SECOND (1000 * MS)

/* ---- calls ---- */

static struct slice sample_name(const struct call *call)
{
	return call->operation == OPERATION_CHAT && call->vendor.data && call->vendor.data[0] == 'a' ?
		       SLICE("Messages.create") : SLICE("Completions");
}

static const struct dialect sample_openai __attribute__((unused)) = {
	.name = "openai.chat", .keeps_chunks = true, .message_format = "openai", .span_name = sample_name,
};
static const struct dialect sample_anthropic __attribute__((unused)) = {
	.name = "anthropic.messages", .message_format = "anthropic", .span_name = sample_name,
};
static const struct dialect sample_ollama __attribute__((unused)) = {
	.name = "ollama.chat", .span_name = sample_name,
};

#define SAMPLE_REQUEST                                                                                      \
	"{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"temperature\":0.2," \
	"\"max_tokens\":50,\"stream\":false,\"tools\":[{\"a\":1}],\"user\":\"u-77\"}"

static inline void sample_request_header(struct call *call, const char *name, const char *value)
{
	call->request_headers[call->request_header_count++] = (struct name_value){ slice_of(name), slice_of(value) };
}

static inline void sample_response_header(struct call *call, const char *name, const char *value)
{
	call->response_headers[call->response_header_count++] = (struct name_value){ slice_of(name), slice_of(value) };
}

/* A whole call that went well: 100 ms from 1 s on. */
static inline struct call sample_call(void)
{
	struct call call = {
		.conn = { .id = 7, .process = { .pid = 42, .start_ns = 5 }, .kind = CAPTURE_OPENSSL },
		.thread = 43,
		.method = SLICE("POST"),
		.path = SLICE("/v1/chat/completions"),
		.host = SLICE("api.openai.com"),
		.http_version = SLICE("1.1"),
		.status = 200,
		.request_body = SLICE(SAMPLE_REQUEST),
		.request_start_ns = 1 * SECOND,
		.request_end_ns = 1 * SECOND + 1 * MS,
		.response_start_ns = 1 * SECOND + 90 * MS,
		.end_ns = 1 * SECOND + 100 * MS,
		.request_end = { .body_bytes = 150, .stream_bytes = 300 },
		.response_end = { .body_bytes = 80, .stream_bytes = 200 },
		.end = CALL_END_COMPLETE,
		.is_complete = true,
		.dialect = &sample_openai,
		.operation = OPERATION_CHAT,
		.vendor = SLICE("openai"),
		.request_model = SLICE("gpt-4o-mini"),
		.response_model = SLICE("gpt-4o-mini-2024-07-18"),
		.response_id = SLICE("chatcmpl-1"),
		.inputs = SLICE(SAMPLE_REQUEST),
		.outputs = SLICE("{\"choices\":[{\"message\":{\"content\":\"Hello\"}}]}"),
		.input_messages = SLICE("[{\"role\":\"user\"}]"),
		.output_messages = SLICE("[{\"role\":\"assistant\"}]"),
		.usage = { .input = 19, .output = 10, .total = 29, .cache_read = 0, .cache_write = -1,
			   .cache_write_1h = -1, .reasoning = 4 },
		.finish_reasons = { SLICE("stop") },
		.finish_count = 1,
		.credential = SLICE("sk-very-secret"),
		.request_id = SLICE("req-1"),
	};

	sample_request_header(&call, "user-agent", "OpenAI/Python 3.54.0");
	return call;
}

/* The same call, refused. */
static inline struct call sample_refused(int status, const char *body)
{
	struct call call = sample_call();

	call.status = status;
	call.response_body = call.error.raw = slice_of(body);
	call.has_error = true;
	call.usage = USAGE_NONE;
	call.outputs = call.output_messages = call.response_id = call.response_model = SLICE_NONE;
	call.finish_count = 0;
	return call;
}

/* ---- traces as text: a line for each fact ---- */

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

/* ---- an assembler and what it gave ---- */

struct bed {
	struct fail_alloc heap;	      /* the assembler's */
	struct alloc_heap notes_heap; /* ours */
	struct buf notes;
	size_t traces, spans, lost;
	uint64_t last_sequence;
	const struct origin *origin;
	struct trace_assembler *assembler;
};

static const struct origin *bed_origin(void *user, struct process_id process)
{
	struct bed *bed = user;

	return bed->origin && bed->origin->id.pid == process.pid ? bed->origin : NULL;
}

static void bed_done(void *user, struct trace *trace, uint64_t sequence)
{
	struct bed *bed = user;
	size_t count = 0;

	buf_put(&bed->notes, SLICE("trace "));
	write_hex(&bed->notes, trace->id, 16);
	buf_put(&bed->notes, SLICE("\n"));
	write_attributes(&bed->notes, "resource ", trace->resource);
	for (const struct span *span = trace->spans; span; span = span->next, count++)
		write_span(&bed->notes, span);
	assert_int_equal(count, trace->span_count);
	bed->traces++;
	bed->spans += count;
	bed->last_sequence = sequence;
}

static void bed_lost(void *user, uint64_t calls)
{
	((struct bed *)user)->lost += calls;
}

static const struct trace_ops bed_ops __attribute__((unused)) = {
	.origin = bed_origin, .done = bed_done, .lost = bed_lost,
};

static inline struct trace_opts bed_opts(struct bed *bed)
{
	return (struct trace_opts){
		.alloc = &bed->heap.alloc,
		.node_key = { 11, 22 },
		.boot = 3,
		.unix_offset_ns = 1000 * (int64_t)SECOND,
		.hold_ns = 12 * SECOND,
		.held_max = 64,
		.chunk_events_max = 128,
		.wants_mlflow = true,
		.wants_otlp = true,
		.host_name = SLICE("box"),
	};
}

static inline void bed_init(struct bed *bed)
{
	struct trace_opts opts;

	*bed = (struct bed){
		.heap = FAIL_ALLOC(0),
		.notes_heap = ALLOC_HEAP(64 << 20),
	};
	bed->notes = BUF(&bed->notes_heap.alloc, 64 << 20);
	opts = bed_opts(bed);
	assert_int_equal(trace_assembler_new(&opts, &bed_ops, bed, &bed->assembler), 0);
}

static inline void bed_free(struct bed *bed)
{
	trace_assembler_free(bed->assembler);
	buf_free(&bed->notes);
	assert_int_equal(bed->heap.used, 0);
}

/* The line "name=value" is there; lines are whole, so a longer value does not do. */
static inline bool bed_says(const struct bed *bed, const char *line)
{
	struct slice rest = buf_slice(&bed->notes);

	while (rest.len)
		if (slice_equal(slice_cut(&rest, '\n'), slice_of(line)))
			return true;
	return false;
}

static inline size_t bed_count(const struct bed *bed, const char *part)
{
	struct slice rest = buf_slice(&bed->notes);
	size_t count = 0;
	ptrdiff_t at;

	while ((at = slice_find(rest, slice_of(part))) >= 0) {
		rest = slice_from(rest, (size_t)at + strlen(part));
		count++;
	}
	return count;
}

#define assert_says(bed, line)                                                                  \
	do {                                                                                    \
		if (!bed_says((bed), (line)))                                                   \
			fail_msg("no line '%s' in:\n%.*s", (line), SLICE_FMT(buf_slice(&(bed)->notes))); \
	} while (0)
#define assert_not_said(bed, part)                                                                \
	do {                                                                                      \
		if (bed_count((bed), (part)))                                                     \
			fail_msg("'%s' in:\n%.*s", (part), SLICE_FMT(buf_slice(&(bed)->notes)));    \
	} while (0)
