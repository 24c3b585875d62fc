/* SPDX-License-Identifier: Apache-2.0 */
/* A span is a list of sections; the table says which place in the trace has which. */
#include "trace/span.h"
#include "base/cleanup.h"
#include <errno.h>

static void put_retry(struct maker *maker, const struct span_source *source)
{
	/* A call that was never repeated has neither: a count of 1 on each of a million spans would say nothing. */
	put_told(maker, "spantap.retry.index", source->retry_index);
	if (source->role == SPAN_LOGICAL)
		put_int(maker, "spantap.retry.count", source->retry_count);
}

static const struct {
	unsigned roles;
	void (*put)(struct maker *maker, const struct span_source *source);
} sections[] = {
	{ SPAN_ANY, span_put_identity },
	{ SPAN_WHOLE | SPAN_LOGICAL, span_put_conversation },
	{ SPAN_WHOLE | SPAN_LOGICAL, span_put_request },
	{ SPAN_WHOLE | SPAN_LOGICAL, span_put_usage },
	{ SPAN_ANY, span_put_answer },
	{ SPAN_WHOLE | SPAN_LOGICAL, span_put_particulars },
	{ SPAN_ANY, span_put_http },
	{ SPAN_WHOLE | SPAN_ATTEMPT, span_put_exchange },
	{ SPAN_ANY, span_put_completeness },
	{ SPAN_ANY, put_retry },
	{ SPAN_ANY, span_put_process },
	{ SPAN_WHOLE | SPAN_LOGICAL, span_put_chunks },
	{ SPAN_ANY, span_put_fault }, /* last: its event is the end of the story */
};

uint64_t span_begin_ns(const struct call *call)
{
	if (call->request_start_ns)
		return call->request_start_ns;
	return call->response_start_ns ? call->response_start_ns : call->end_ns;
}

uint64_t span_end_ns(const struct call *call)
{
	return MAX(MAX(call->end_ns, call->request_end_ns), MAX(call->response_start_ns, span_begin_ns(call)));
}

uint64_t span_unix_ns(const struct trace_opts *opts, uint64_t boot_ns)
{
	return boot_ns + (uint64_t)opts->unix_offset_ns;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_bytes(struct slice hex, uint8_t *ret, size_t len)
{
	bool is_zero = true;

	if (hex.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = nibble(hex.data[2 * i]), low = nibble(hex.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
		is_zero = is_zero && !ret[i];
	}
	return !is_zero;
}

/* W3C trace context: version-trace-span-flags. A link, never a parent: a parent that no one ever sends would leave the
 * trace without a root, for ever in progress. */
static void put_traceparent(struct maker *maker, const struct call *call)
{
	struct slice text = call_header(call->request_headers, call->request_header_count, SLICE("traceparent"));
	struct slice rest = text, version = slice_cut(&rest, '-');
	struct slice trace_id = slice_cut(&rest, '-'), span_id = slice_cut(&rest, '-');
	struct span_link *link;

	if (version.len != 2)
		return;
	link = make_room(maker, sizeof(*link));
	if (!link || !hex_bytes(trace_id, link->trace_id, 16) || !hex_bytes(span_id, link->span_id, 8))
		return;
	maker->span->links = link;
	put_texts(maker, "http.request.header.traceparent", &text, 1);
}

static struct slice span_name(struct maker *maker, const struct call *call)
{
	struct slice name = call->dialect ? call->dialect->span_name(call) : SLICE_NONE;

	return name.len ? make_keep(maker, name) : SLICE("LLM");
}

int span_make(const struct span_source *source, struct arena *arena, bool keeps, struct span **ret)
{
	const struct call *call = source->call;
	struct maker maker = { .arena = arena,
			       .scratch = source->opts->alloc,
			       .keeps = keeps,
			       .semconv = source->opts->semconv,
			       .operation = source->call->operation };
	struct span *span = make_room(&maker, sizeof(*span));

	if (!span)
		return -ENOMEM;
	maker.span = span;
	span->attributes_tail = &span->attributes;
	span->events_tail = &span->events;
	span->name = span_name(&maker, call);
	span->kind = call->conn.peer.is_accepted ? SPAN_SERVER : SPAN_CLIENT;
	span->start_unix_ns =
		span_unix_ns(source->opts, source->role == SPAN_LOGICAL ? source->begin_ns : span_begin_ns(call));
	span->end_unix_ns = span_unix_ns(source->opts, span_end_ns(call));
	span->aside = call->aside;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (sections[i].roles & source->role)
			sections[i].put(&maker, source);
	if (source->role != SPAN_ATTEMPT && source->opts->wants_mlflow)
		put_text(&maker, "mlflow.traceTag.mlflow.traceName", span->name);
	put_traceparent(&maker, call);
	*ret = span;
	return maker.failed ? -ENOMEM : 0;
}
