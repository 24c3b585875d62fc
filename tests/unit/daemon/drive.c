/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives spool and sinks without a tracer: makes numbered records, puts them, waits, tells the sums as one JSON object.
 *
 *	drive --sink SPEC… [--spool PATH] [--count N] [--first N] [--poison N:KIND]… [--size BYTES] [--drain MS] [--hold]
 *	      [--queue BYTES] [--spool-max BYTES]
 *
 * KIND: utf8 (400), session (400), deep (422). --hold: drains only when stdin ends. Addresses and credentials come from the
 * variables that spantap reads.
 */
#include "base/buf.h"
#include "daemon/delivery.h"
#include "unit/otlp.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <time.h>

enum { POISON_MAX = 16, SINKS_MAX = 8 };

struct options {
	struct sink_spec sinks[SINKS_MAX];
	size_t sink_count;
	const char *spool;
	unsigned long count, first, size, drain_ms, queue_max, spool_max;
	struct {
		unsigned long number;
		const char *kind;
	} poison[POISON_MAX];
	size_t poison_count;
	bool hold;
};

static const char *poison_of(const struct options *options, unsigned long n)
{
	for (size_t i = 0; i < options->poison_count; i++)
		if (options->poison[i].number == n)
			return options->poison[i].kind;
	return NULL;
}

static void poison_add(struct pairs *all, const char *kind)
{
	static char deep[4000], session[300];

	if (strcmp(kind, "utf8") == 0)
		pair_text(all, "http.poison", "\xff\xfe");
	if (strcmp(kind, "session") == 0)
		pair_text(all, "session.id", memset(session, 's', 280));
	memset(deep, '[', 1500);
	memset(deep + 1500, ']', 1500);
	if (strcmp(kind, "deep") == 0)
		pair_text(all, "http.poison", deep);
}

static void attributes_fill(struct pairs *all, const struct options *options, unsigned long n, char *inputs,
			    size_t size)
{
	const char *kind = poison_of(options, n);
	Otlp__AnyValue *truth;
	size_t len;

	snprintf(inputs, size,
		 "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Question %lu ", n);
	len = strlen(inputs);
	memset(inputs + len, 'q', options->size);
	snprintf(inputs + len + options->size, size - len - options->size, "\"}]}");
	pair_text(all, "mlflow.spanType", "CHAT_MODEL");
	pair_text(all, "mlflow.message.format", "openai");
	pair_text(all, "mlflow.spanInputs", inputs);
	pair_text(
		all, "mlflow.spanOutputs",
		"{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":"
		"[{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"Hello\"}}]}");
	pair_text(all, "mlflow.chat.tokenUsage", "{\"input_tokens\":9,\"output_tokens\":2,\"total_tokens\":11}");
	pair_text(all, "mlflow.llm.model", "gpt-4o-mini-2024-07-18");
	pair_text(all, "mlflow.traceTag.mlflow.traceName", "Completions");
	pair_text(all, "gen_ai.operation.name", "chat");
	pair_text(all, "gen_ai.provider.name", "openai");
	pair_text(all, "gen_ai.request.model", "gpt-4o-mini");
	pair_text(all, "gen_ai.input.messages", "[{\"role\":\"user\",\"parts\":[]}]");
	pair_int(all, "gen_ai.usage.input_tokens", 9);
	pair_int(all, "gen_ai.usage.output_tokens", 2);
	pair_int(all, "http.response.status_code", 200);
	pair_int(all, "process.pid", 4821);
	pair_text(all, "process.executable.name", "python3");
	pair_text(all, "process.owner", "alice");
	truth = pair(all, "spantap.complete");
	truth->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
	truth->bool_value = 1;
	if (!kind || strcmp(kind, "session") != 0)
		pair_text(all, "session.id", "s-1");
	if (kind)
		poison_add(all, kind);
}

/* A record of one span, as policy_seal() would make it. The body is malloc'ed. */
static struct record record_make(const struct options *options, unsigned long n)
{
	struct pairs attributes = { 0 }, resource_attributes = { 0 };
	Otlp__Span span = OTLP__SPAN__INIT, *spans = &span;
	Otlp__Status status = OTLP__STATUS__INIT;
	Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT, *scopes = &scope;
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	Otlp__ResourceSpans all = OTLP__RESOURCE_SPANS__INIT;
	size_t size = options->size + 256, len;
	CLEANUP_FREE char *inputs = calloc(1, size);
	struct record record = { .sequence = n, .span_count = 1 };
	uint64_t id = n + 1, now = (uint64_t)time(NULL) * 1000000000;
	char *body;

	memset(record.trace_id, 0xab, sizeof(record.trace_id));
	for (size_t i = 0; i < 8; i++)
		record.trace_id[15 - i] = (uint8_t)(id >> 8 * i);
	attributes_fill(&attributes, options, n, inputs, size);
	pair_text(&resource_attributes, "service.name", "drive");
	pair_text(&resource_attributes, "secret.resource", "not for MLflow");
	span.name = (char *)"Completions";
	span.trace_id = (ProtobufCBinaryData){ 16, record.trace_id };
	span.span_id = (ProtobufCBinaryData){ 8, (uint8_t *)&id };
	span.kind = 3;
	span.start_time_unix_nano = now - 1500000000;
	span.end_time_unix_nano = now;
	span.attributes = attributes.list;
	span.n_attributes = attributes.count;
	status.code = 1;
	span.status = &status;
	scope.spans = &spans;
	scope.n_spans = 1;
	resource.attributes = resource_attributes.list;
	resource.n_attributes = resource_attributes.count;
	all.resource = &resource;
	all.scope_spans = &scopes;
	all.n_scope_spans = 1;
	len = otlp__resource_spans__get_packed_size(&all);
	body = malloc(len);
	otlp__resource_spans__pack(&all, (uint8_t *)body);
	record.created_unix_ns = now;
	record.body = (struct slice){ body, len };
	return record;
}

static int option_take(struct options *options, int name, char *value)
{
	const struct {
		int name;
		unsigned long *at;
	} numbers[] = {
		{ 'c', &options->count },    { 'f', &options->first },     { 'z', &options->size },
		{ 'd', &options->drain_ms }, { 'q', &options->queue_max }, { 'm', &options->spool_max },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].name == name)
			*numbers[i].at = strtoul(value, NULL, 10);
	if (name == 's')
		return options->sink_count == SINKS_MAX ? -E2BIG
							: sink_parse(value, &options->sinks[options->sink_count++]);
	if (name == 'x' && options->poison_count < POISON_MAX) {
		options->poison[options->poison_count].number = strtoul(value, NULL, 10);
		options->poison[options->poison_count++].kind = strchr(value, ':') ? strchr(value, ':') + 1 : "utf8";
	}
	if (name == 'p')
		options->spool = value;
	options->hold |= name == 'h';
	return name == '?' ? -EINVAL : 0;
}

static int options_read(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "sink", 1, NULL, 's' },
		{ "spool", 1, NULL, 'p' },
		{ "count", 1, NULL, 'c' },
		{ "first", 1, NULL, 'f' },
		{ "size", 1, NULL, 'z' },
		{ "drain", 1, NULL, 'd' },
		{ "poison", 1, NULL, 'x' },
		{ "hold", 0, NULL, 'h' },
		{ "queue", 1, NULL, 'q' },
		{ "spool-max", 1, NULL, 'm' },
		{ 0 },
	};
	int name, r = 0;

	while (r == 0 && (name = getopt_long(argc, argv, "", names, NULL)) >= 0)
		r = option_take(options, name, optarg);
	return r;
}

static int put_all(struct delivery *delivery, const struct options *options)
{
	unsigned long shed = 0;

	for (unsigned long n = options->first; n < options->first + options->count; n++) {
		struct record record = record_make(options, n);

		shed += delivery_put(delivery, &record) < 0;
		free((char *)record.body.data);
	}
	return shed ? -ENOBUFS : 0;
}

static void sums_tell(struct delivery *delivery, int drained)
{
	struct delivery_stats stats;

	delivery_stats(delivery, &stats);
	printf("{\"put\":%llu,\"shed\":%llu,\"committed\":%llu,\"delivered\":%llu,\"waiting\":%llu,\"dead\":%llu,"
	       "\"unwritten\":%llu,\"set_aside\":%llu,\"queued_bytes\":%llu,\"boot\":%llu,\"drained\":%s}\n",
	       (unsigned long long)stats.put, (unsigned long long)stats.shed, (unsigned long long)stats.committed,
	       (unsigned long long)stats.delivered, (unsigned long long)stats.waiting, (unsigned long long)stats.dead,
	       (unsigned long long)stats.unwritten, (unsigned long long)stats.set_aside,
	       (unsigned long long)stats.queued_bytes, (unsigned long long)delivery_boot(delivery),
	       drained == 0 ? "true" : "false");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct options options = { .drain_ms = 30000, .queue_max = 64 << 20 };
	struct delivery_opts opts = { 0 };
	CLEANUP(delivery_free) struct delivery *delivery = NULL;
	const char *headers[] = { getenv("DRIVE_OTLP_HEADER"), NULL }, *error = "";
	char byte;
	int r;

	if (options_read(&options, argc, argv) < 0)
		return 2;
	opts.specs = options.sinks;
	opts.spec_count = options.sink_count;
	opts.spool_path = options.spool;
	opts.spool_bytes_max = options.spool_max;
	opts.queue_bytes_max = options.queue_max;
	opts.env.mlflow_uri = getenv("MLFLOW_TRACKING_URI");
	opts.env.experiment_name = getenv("MLFLOW_EXPERIMENT_NAME");
	opts.env.experiment_id = getenv("MLFLOW_EXPERIMENT_ID");
	opts.env.mlflow_user = getenv("MLFLOW_TRACKING_USERNAME");
	opts.env.mlflow_password = getenv("MLFLOW_TRACKING_PASSWORD");
	opts.env.mlflow_token = getenv("MLFLOW_TRACKING_TOKEN");
	opts.env.otlp_headers = headers;
	opts.env.console_fd = STDOUT_FILENO;
	r = delivery_new(&opts, &delivery, &error);
	if (r == 0)
		r = delivery_start(delivery);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", error, strerror(-r));
		return 1;
	}
	put_all(delivery, &options);
	if (options.hold) {
		puts("HOLD");
		fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	}
	sums_tell(delivery, delivery_drain(delivery, (unsigned)options.drain_ms));
	return 0;
}
