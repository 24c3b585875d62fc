/* SPDX-License-Identifier: Apache-2.0 */
/* The promise to users as data: a new option is a field of struct config and a row here. */
#include "config/option.h"

#define OF(command) (1u << COMMAND_##command)

enum {
	TRACING = OF(RUN) | OF(ATTACH) | OF(REPLAY) | OF(CONFIG),
	CAPTURING = TRACING | OF(RECORD),
	SERVERS = TRACING | OF(DOCTOR) | OF(SPOOL),
	REPORTING = OF(DOCTOR) | OF(TARGETS) | OF(SPOOL),
	ALL = CAPTURING | REPORTING,
	ANY = ALL | OF(HELP) | OF(VERSION),
};

#define FIELD(member) .offset = offsetof(struct config, member)
/* clang-format off */
/* A filter and its opposite. */
#define FILTER(option, field, of_kind, value, what)                                                     \
	{ .name = option, .key = option, .kind = of_kind, .commands = CAPTURING, FIELD(field),            \
	  .arg = value, .help = "trace only processes " what },                                           \
	{ .name = "exclude-" option, .key = "exclude-" option, .kind = of_kind, .commands = CAPTURING,    \
	  FIELD(not_##field), .arg = value, .help = "never trace processes " what }

const struct option_row option_table[] = {
	{ .section = "Where traces go",
	  .name = "sink", .key = "sink", .kind = OPTION_LIST, .commands = TRACING, FIELD(sinks),
	  .arg = "KIND[:ARG]", .env = { { "SPANTAP_SINK", NULL } },
	  .help = "mlflow[:URI], otlp[:URL], otlp-file:PATH, console, none; repeatable; without it mlflow if a "
		  "tracking URI is set, and console" },
	{ .name = "experiment", .key = "experiment", .kind = OPTION_TEXT, .commands = TRACING, FIELD(experiment),
	  .arg = "NAME", .env = { { "MLFLOW_EXPERIMENT_NAME", NULL } },
	  .help = "MLflow experiment of the traces, made when it is not there" },
	{ .name = "experiment-id", .key = "experiment-id", .kind = OPTION_TEXT, .commands = TRACING,
	  FIELD(experiment_id), .arg = "ID", .env = { { "MLFLOW_EXPERIMENT_ID", NULL } },
	  .help = "the same by id; wins over a name of the same origin" },

	{ .name = "prices", .key = "prices", .kind = OPTION_TEXT, .commands = TRACING, FIELD(prices), .arg = "FILE",
	  .env = { { "SPANTAP_PRICES", NULL } },
	  .help = "price file (JSON) in the place of the one that is built in; a bad one is refused, and said" },

	{ .name = "semconv", .key = "semconv", .kind = OPTION_CHOICE, .commands = TRACING, FIELD(semconv),
	  .arg = "v1.41|next", .by_default = "v1.41", .env = { { "SPANTAP_SEMCONV", NULL } },
	  .help = "names of OpenTelemetry's gen_ai attributes: the last release, or what is to follow it" },

	{ .section = "What is traced",
	  .name = "pid", .key = "pid", .kind = OPTION_PIDS, .commands = CAPTURING, FIELD(pid), .arg = "PID",
	  .help = "trace only this process and its descendants; repeatable, as all filters are" },
	{ .name = "exclude-pid", .key = "exclude-pid", .kind = OPTION_PIDS, .commands = CAPTURING, FIELD(not_pid),
	  .arg = "PID", .help = "never trace this process" },
	FILTER("comm", comm, OPTION_LIST, "GLOB", "of this name"),
	FILTER("exe", exe, OPTION_LIST, "GLOB", "of this executable"),
	FILTER("uid", uid, OPTION_UIDS, "UID", "of this user (number or name)"),
	FILTER("cgroup", cgroup, OPTION_LIST, "GLOB", "in this cgroup"),
	FILTER("container", container, OPTION_LIST, "GLOB", "in this container (id)"),
	{ .name = "user", .kind = OPTION_TEXT, .commands = OF(RUN) | OF(RECORD) | OF(CONFIG),
	  FIELD(user), .arg = "NAME", .help = "CMD runs as this user; under sudo the default is the caller" },

	{ .section = "Limits",
	  .name = "ring-bytes", .key = "ring-bytes", .kind = OPTION_SIZE, .commands = CAPTURING, FIELD(ring_bytes),
	  .max = 2ull << 30, .arg = "N", .by_default = "16M", .env = { { "SPANTAP_RING_BYTES", NULL } },
	  .help = "buffer between kernel and spantap, rounded up to a power of two, at least 64K; K, M, G may follow" },
	{ .name = "max-memory", .key = "max-memory", .kind = OPTION_SIZE, .commands = CAPTURING, FIELD(max_memory),
	  .min = 1 << 20, .arg = "N", .by_default = "512M", .env = { { "SPANTAP_MAX_MEMORY", NULL } },
	  .help = "memory for calls in flight; what does not fit is shed, counted and told" },
	{ .name = "max-spool", .key = "max-spool", .kind = OPTION_SIZE, .commands = TRACING | OF(SPOOL),
	  FIELD(max_spool), .min = 1 << 20, .arg = "N", .by_default = "1G", .env = { { "SPANTAP_MAX_SPOOL", NULL } },
	  .help = "disk for what waits for delivery" },
	{ .name = "drain", .key = "drain", .kind = OPTION_SECONDS, .commands = TRACING, FIELD(drain_s),
	  .arg = "SECONDS", .by_default = "30", .env = { { "SPANTAP_DRAIN", NULL } },
	  .help = "at the end wait this long for deliveries; the rest stays in the spool" },
	{ .name = "capture", .key = "capture", .kind = OPTION_CHOICE, .commands = CAPTURING, FIELD(capture),
	  .arg = "full|none", .by_default = "full", .env = { { "SPANTAP_CAPTURE", NULL } },
	  .help = "none: probes attached, no payload copied" },

	{ .section = "Running",
	  .name = "state-dir", .key = "state-dir", .kind = OPTION_TEXT, .commands = CAPTURING | OF(SPOOL) | OF(DOCTOR),
	  FIELD(state_dir), .arg = "DIR", .by_default = "/var/lib/spantap", .env = { { "SPANTAP_STATE_DIR", NULL } },
	  .help = "spool, caches, salts" },
	{ .name = "config", .kind = OPTION_TEXT, .commands = ALL, FIELD(config_file), .arg = "FILE",
	  .by_default = "/etc/spantap/spantap.yaml", .env = { { "SPANTAP_CONFIG", NULL } },
	  .help = "YAML file of these options; the default is read if it is there" },
	{ .name = "ready-fd", .kind = OPTION_FD, .commands = CAPTURING, FIELD(ready_fd), .arg = "N",
	  .help = "write a line READY to this descriptor when everything is attached" },
	{ .name = "summary", .kind = OPTION_TEXT, .commands = CAPTURING, FIELD(summary), .arg = "FILE",
	  .help = "at the end write one JSON object with all counts" },
	{ .name = "json", .kind = OPTION_BOOL, .commands = REPORTING, FIELD(json), .help = "answer as JSON" },
	{ .name = "log-level", .key = "log-level", .kind = OPTION_CHOICE, .commands = ALL, FIELD(log_level),
	  .arg = "error|warn|info|debug", .by_default = "info", .env = { { "SPANTAP_LOG_LEVEL", NULL } },
	  .help = "how much goes to stderr" },
	{ .name = "log-format", .key = "log-format", .kind = OPTION_CHOICE, .commands = ALL, FIELD(log_format),
	  .arg = "text|json", .by_default = "text", .env = { { "SPANTAP_LOG_FORMAT", NULL } },
	  .help = "how log lines look" },
	{ .name = "quiet", .short_name = 'q', .kind = OPTION_QUIETER, .commands = ALL, FIELD(verbosity),
	  .help = "only errors" },
	{ .name = "verbose", .short_name = 'v', .kind = OPTION_LOUDER, .commands = ALL, FIELD(verbosity),
	  .help = "more; -vv: still more" },
	{ .name = "help", .short_name = 'h', .kind = OPTION_ANSWER, .commands = ANY, .print = help_print,
	  .help = "this text" },
	{ .name = "version", .short_name = 'V', .kind = OPTION_ANSWER, .commands = ANY, .print = help_print_version,
	  .help = "the version" },
	{ .name = "dump-options", .kind = OPTION_ANSWER, .commands = OF(CONFIG), .print = help_print_manual },

	{ .section = "Servers (environment and file only)",
	  .key = "mlflow.uri", .kind = OPTION_TEXT, .commands = SERVERS, FIELD(mlflow_uri), .arg = "URI",
	  .env = { { "MLFLOW_TRACKING_URI", NULL } }, .help = "MLflow tracking server" },
	{ .key = "mlflow.user", .kind = OPTION_TEXT, .commands = SERVERS, FIELD(mlflow_user), .arg = "NAME",
	  .env = { { "MLFLOW_TRACKING_USERNAME", NULL } },
	  .help = "user at it; last resort is ~/.mlflow/credentials" },
	{ .key = "mlflow.password", .kind = OPTION_TEXT, .secrecy = SECRET_WHOLE, .commands = SERVERS,
	  FIELD(mlflow_password), .arg = "SECRET", .env = { { "MLFLOW_TRACKING_PASSWORD", NULL } },
	  .help = "the user's password; last resort is ~/.mlflow/credentials" },
	{ .key = "mlflow.token", .kind = OPTION_TEXT, .secrecy = SECRET_WHOLE, .commands = SERVERS, FIELD(mlflow_token),
	  .arg = "SECRET", .env = { { "MLFLOW_TRACKING_TOKEN", NULL } },
	  .help = "bearer token; user and password win over it" },
	{ .key = "mlflow.workspace", .kind = OPTION_TEXT, .commands = SERVERS, FIELD(mlflow_workspace), .arg = "NAME",
	  .env = { { "MLFLOW_WORKSPACE", NULL } }, .help = "workspace of the experiment" },
	{ .key = "mlflow.ca", .kind = OPTION_TEXT, .commands = SERVERS, FIELD(mlflow_ca), .arg = "PATH",
	  .env = { { "MLFLOW_TRACKING_SERVER_CERT_PATH", NULL } }, .help = "certificates that vouch for the server" },
	{ .key = "mlflow.client-cert", .kind = OPTION_TEXT, .commands = SERVERS,
	  FIELD(mlflow_client_cert), .arg = "PATH",
	  .env = { { "MLFLOW_TRACKING_CLIENT_CERT_PATH", NULL } }, .help = "own certificate and key, PEM" },
	{ .key = "mlflow.insecure", .kind = OPTION_BOOL, .commands = SERVERS,
	  FIELD(mlflow_insecure), .arg = "true|false",
	  .by_default = "false", .env = { { "MLFLOW_TRACKING_INSECURE_TLS", NULL } },
	  .help = "do not verify the server's certificate" },
	{ .key = "otlp.endpoint", .kind = OPTION_TEXT, .commands = SERVERS, FIELD(otlp_endpoint), .arg = "URL",
	  .env = { { "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", NULL }, { "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces" } },
	  .help = "the traces route of an OTLP receiver, whole" },
	{ .key = "otlp.headers", .kind = OPTION_TEXT, .secrecy = SECRET_HEADERS, .commands = SERVERS,
	  FIELD(otlp_headers), .arg = "NAME=VALUE,...",
	  .env = { { "OTEL_EXPORTER_OTLP_TRACES_HEADERS", NULL }, { "OTEL_EXPORTER_OTLP_HEADERS", NULL } },
	  .help = "headers for it" },
};
const size_t option_count = ARRAY_SIZE(option_table);
_Static_assert(ARRAY_SIZE(option_table) <= OPTIONS_MAX, "origins[] has no place for this row");

const struct command_row command_table[_COMMAND_MAX] = {
	[COMMAND_RUN] = { .word = "run", .synopsis = "[OPTIONS] [-- CMD [ARG...]]", .takes_cmd = true,
		.help = "start CMD and trace it and its descendants; without CMD trace the whole host",
		.more = "With CMD the exit status is CMD's (128+n for signal n), 125 when spantap failed before CMD "
			"began.\n" },
	[COMMAND_ATTACH] = { .word = "attach", .synopsis = "[OPTIONS] PID...", .noun = "PID", .words = WORD_PID,
		.words_min = 1, .words_max = SIZE_MAX, .help = "trace running processes and their later children" },
	[COMMAND_RECORD] = { .word = "record", .synopsis = "[OPTIONS] FILE [-- CMD [ARG...]]", .noun = "FILE",
		.words_min = 1, .words_max = 1, .takes_cmd = true, .help = "raw events to FILE instead of spans",
		.more = "FILE holds plaintext as it was seen, credentials included. It is made with mode 0600.\n" },
	[COMMAND_REPLAY] = { .word = "replay", .synopsis = "[OPTIONS] FILE", .noun = "FILE", .words_min = 1,
		.words_max = 1, .help = "spans from a recorded FILE: no root, no kernel" },
	[COMMAND_DOCTOR] = { .word = "doctor", .synopsis = "[--json] [PID...]", .noun = "PID", .words = WORD_PID,
		.words_max = SIZE_MAX,
		.help = "what this host and each process can and cannot give, and the remedy" },
	[COMMAND_TARGETS] = { .word = "targets", .synopsis = "[--json]",
		.help = "the TLS stacks in running processes, how attached or why not" },
	[COMMAND_SPOOL] = { .word = "spool", .synopsis = "status|dead|retry [--json]", .noun = "status|dead|retry",
		.words = WORD_CHOICE,
		.words_min = 1, .words_max = 1,
		.help = "what waits for delivery; what was refused for good and why; try that again" },
	[COMMAND_CONFIG] = { .word = "config", .synopsis = "[OPTIONS]",
		.help = "the effective configuration and where each value comes from" },
};
/* clang-format on */
