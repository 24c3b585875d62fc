/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line for a person per trace:
 *
 *	14:03:22.417 python3[4821] openai/gpt-4o-mini 200 9+12 tokens, first after 0.21 s, 1.40 s, complete
 *
 * Names come off the wire and go to a terminal: only what prints is printed.
 */
#include "sink/kind.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { LINE_MAX_BYTES = 2048, FIELD_MAX = 96 };

enum color { COLOR_NONE, COLOR_DIM, COLOR_GOOD, COLOR_BAD, COLOR_ODD };
static const char *const colors[] = { "", "\033[2m", "\033[32m", "\033[31m", "\033[33m" };

struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
	bool is_tty;
};

static void line_add(struct line *line, enum color color, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void line_add(struct line *line, enum color color, const char *format, ...)
{
	char text[512];
	va_list args;
	const char *begin = line->is_tty ? colors[color] : "", *end = *begin ? "\033[0m" : "";
	int n;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	n = snprintf(line->text + line->len, sizeof(line->text) - line->len, "%s%s%s", begin, text, end);
	line->len = MIN(line->len + (size_t)n, sizeof(line->text) - 2);
}

static const char *fact_text(const Otlp__Span *span, const char *name)
{
	return attribute_text(span->attributes, span->n_attributes, name);
}

static bool fact_int(const Otlp__Span *span, const char *name, int64_t *ret)
{
	return attribute_int(span->attributes, span->n_attributes, name, ret);
}

static const Otlp__AnyValue *fact(const Otlp__Span *span, const char *name)
{
	return attribute_find(span->attributes, span->n_attributes, name);
}

static void add_time(struct line *line, const Otlp__Span *span)
{
	time_t seconds = (time_t)(span->start_time_unix_nano / 1000000000);
	char stamp[32];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
	line_add(line, COLOR_DIM, "%s.%03u", stamp, (unsigned)(span->start_time_unix_nano / 1000000 % 1000));
}

static void add_who(struct line *line, const Otlp__Span *span)
{
	const char *model = fact_text(span, "gen_ai.response.model"),
		   *provider = fact_text(span, "gen_ai.provider.name");
	const char *process = fact_text(span, "process.executable.name");
	int64_t pid = 0;

	if (fact_int(span, "process.pid", &pid))
		line_add(line, COLOR_NONE, " %.*s[%lld]", FIELD_MAX, *process ? process : "?", (long long)pid);
	if (!*model)
		model = fact_text(span, "gen_ai.request.model");
	if (!*model)
		model = span->name;
	line_add(line, COLOR_NONE, " %.*s%s%.*s", FIELD_MAX, provider, *provider ? "/" : "", FIELD_MAX, model);
}

static void add_status(struct line *line, const Otlp__Span *span)
{
	bool is_bad = span->status && span->status->code == 2;
	const char *error = fact_text(span, "error.type"), *end = fact_text(span, "spantap.end");
	int64_t status = 0;

	if (fact_int(span, "http.response.status_code", &status))
		line_add(line, is_bad ? COLOR_BAD : COLOR_GOOD, " %lld", (long long)status);
	else
		line_add(line, is_bad ? COLOR_BAD : COLOR_GOOD, " %s", is_bad ? "error" : "ok");
	if (is_bad && *error)
		line_add(line, COLOR_BAD, " %.*s", FIELD_MAX, error);
	if (*end && strcmp(end, "complete") != 0)
		line_add(line, COLOR_ODD, " %.*s", FIELD_MAX, end);
}

static void add_tokens(struct line *line, const Otlp__Span *span)
{
	int64_t input = 0, output = 0;
	bool has_input = fact_int(span, "gen_ai.usage.input_tokens", &input);
	bool has_output = fact_int(span, "gen_ai.usage.output_tokens", &output);

	if (has_input || has_output)
		line_add(line, COLOR_NONE, " %lld+%lld tokens,", (long long)input, (long long)output);
}

static void add_times(struct line *line, const Otlp__Span *span)
{
	const Otlp__AnyValue *first = fact(span, "spantap.time_to_first_token");

	if (first && first->value_case == OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE)
		line_add(line, COLOR_NONE, " first after %.2f s,", first->double_value);
	line_add(line, COLOR_NONE, " %.2f s,", (double)(span->end_time_unix_nano - span->start_time_unix_nano) / 1e9);
}

static void add_missing_part(struct line *line, const Otlp__Span *span, const char *attribute, const char *side)
{
	int64_t bytes = 0;

	if (!fact_int(span, attribute, &bytes) || bytes == 0)
		return;
	if (bytes < 0)
		line_add(line, COLOR_ODD, " unknown bytes of %s", side);
	else
		line_add(line, COLOR_ODD, " %lld bytes of %s", (long long)bytes, side);
}

static void add_completeness(struct line *line, const Otlp__Span *span)
{
	const Otlp__AnyValue *complete = fact(span, "spantap.complete"),
			     *reasons = fact(span, "spantap.missing_reason");

	if (!complete || complete->value_case != OTLP__ANY_VALUE__VALUE_BOOL_VALUE)
		return;
	if (complete->bool_value) {
		line_add(line, COLOR_DIM, " complete");
		return;
	}
	line_add(line, COLOR_ODD, " missing");
	add_missing_part(line, span, "spantap.request.missing_bytes", "request");
	add_missing_part(line, span, "spantap.response.missing_bytes", "answer");
	if (!reasons || reasons->value_case != OTLP__ANY_VALUE__VALUE_ARRAY_VALUE)
		return;
	for (size_t i = 0; i < reasons->array_value->n_values; i++) {
		const Otlp__AnyValue *reason = reasons->array_value->values[i];

		if (reason->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE)
			line_add(line, COLOR_ODD, "%s%.*s", i ? ", " : " (", FIELD_MAX, value_text(reason).data);
	}
	line_add(line, COLOR_ODD, "%s", reasons->array_value->n_values ? ")" : "");
}

static int console_write(struct sink *sink, const struct record *record)
{
	struct alloc_heap heap = ALLOC_HEAP(SINK_ARENA_MAX);
	CLEANUP(arena_free) struct arena *arena = arena_new(&heap.alloc, SINK_ARENA_MAX);
	struct line line = { .is_tty = sink->env.console_is_tty };
	Otlp__ResourceSpans *spans;
	const Otlp__Span *root;
	int r = arena ? convert_record(record, SINK_FAMILY_OTLP, arena, &spans) : -ENOMEM;

	if (r < 0)
		return r;
	root = span_root(spans);
	if (!root)
		return -EBADMSG;
	add_time(&line, root);
	add_who(&line, root);
	add_status(&line, root);
	add_tokens(&line, root);
	add_times(&line, root);
	add_completeness(&line, root);
	if (line.text[line.len - 1] == ',')
		line.len--;
	line.text[line.len++] = '\n';
	return write(sink->env.console_fd, line.text, line.len) < 0 ? -errno : 0;
}

const struct sink_kind sink_kind_console = { .name = "console", .family = SINK_FAMILY_OTLP, .write = console_write };
