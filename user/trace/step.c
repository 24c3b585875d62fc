/* SPDX-License-Identifier: Apache-2.0 */
/* The convention's tool span, marked as one that no process of this host ran. */
#include "trace/step.h"
#include "base/cleanup.h"
#include <errno.h>

static void put_content(struct maker *maker, const struct span_source *source, const struct call_step *step)
{
	if (source->opts->wants_mlflow) {
		put_int(maker, "mlflow.spanLogLevel", step->has_failed ? 40 : 20);
		put_text(maker, "mlflow.spanInputs", step->inputs);
		put_text(maker, "mlflow.spanOutputs", step->outputs);
	}
	if (source->opts->wants_otlp) {
		put_text(maker, "gen_ai.tool.call.arguments", step->inputs);
		put_text(maker, "gen_ai.tool.call.result", step->outputs);
	}
}

static void put_failure(struct maker *maker, const struct call_step *step)
{
	struct name_value fields[] = {
		{ SLICE("exception.type"), SLICE("tool_error") },
		{ SLICE("exception.message"), step->error },
	};

	maker->span->status = SPAN_ERROR;
	maker->span->status_message = make_keep(maker, step->error);
	put_text(maker, "error.type", SLICE("tool_error"));
	put_event(maker, SLICE("exception"), maker->span->end_unix_ns, fields, ARRAY_SIZE(fields));
}

static struct span *step_span_make(struct maker *maker, const struct span_source *source, const struct call_step *step)
{
	const struct call *call = source->call;
	uint64_t start = step->start_ns ? step->start_ns : call->response_start_ns;
	struct span *span = make_room(maker, sizeof(*span));

	if (!span)
		return NULL;
	if (!start)
		start = span_end_ns(call);
	maker->span = span;
	span->attributes_tail = &span->attributes;
	span->events_tail = &span->events;
	span->name = step->name.len ? make_keep(maker, step->name) : SLICE("tool");
	span->kind = SPAN_INTERNAL;
	span->start_unix_ns = span_unix_ns(source->opts, start);
	span->end_unix_ns = span_unix_ns(source->opts, MAX(step->end_ns, start));
	span_put_operation(maker, source, step->operation);
	put_text(maker, "gen_ai.provider.name", call->vendor);
	put_text(maker, "gen_ai.tool.name", step->name);
	put_text(maker, "gen_ai.tool.type", SLICE("extension"));
	put_text(maker, "gen_ai.tool.call.id", step->id);
	put_bool(maker, "gen_ai.tool.server_side", true);
	put_content(maker, source, step);
	put_attributes(maker, step->attributes);
	if (step->has_failed)
		put_failure(maker, step);
	return span;
}

int step_spans_make(const struct span_source *source, struct arena *arena, bool keeps, struct span **ret)
{
	struct maker maker = { .arena = arena,
			       .scratch = source->opts->alloc,
			       .keeps = keeps,
			       .semconv = source->opts->semconv,
			       .operation = source->call->operation };
	struct span **tail = ret;

	*ret = NULL;
	for (const struct call_step *step = source->call->steps; step; step = step->next) {
		*tail = step_span_make(&maker, source, step);
		if (!*tail)
			return -ENOMEM;
		tail = &(*tail)->next;
	}
	return maker.failed ? -ENOMEM : 0;
}
