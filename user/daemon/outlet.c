/* SPDX-License-Identifier: Apache-2.0 */
/* Where configuration meets sinks: strings of one are pointers of the other, so the outlet owns what has to be taken apart. */
#include "daemon/outlet.h"
#include "base/json.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>

enum { QUEUE_BYTES_MAX = 64 << 20, CONNECTIONS_MAX = 2 };

static void headers_split(struct outlet *outlet, const char *text)
{
	size_t count = 0;
	char *rest;

	if (!text || !(outlet->headers_text = strdup(text)))
		return;
	rest = outlet->headers_text;
	for (char *item = strsep(&rest, ","); item && count < CONFIG_LIST_MAX; item = strsep(&rest, ",")) {
		char *equals = strchr(item, '='), *header;

		/* "name=value" of OTEL_EXPORTER_OTLP_HEADERS becomes "name: value" */
		if (!equals || asprintf(&header, "%.*s: %s", (int)(equals - item), item, equals + 1) < 0)
			continue;
		outlet->headers[count++] = header;
	}
}

int outlet_init(const struct config *config, struct outlet *ret, const char **ret_error)
{
	struct passwd *user = getpwuid(getuid());

	*ret = (struct outlet){ 0 };
	*ret_error = "unknown sink: KIND is mlflow, otlp, otlp-file, console or none";
	for (size_t i = 0; i < config->sinks.count; i++) {
		struct sink_spec *spec = &ret->specs[ret->spec_count];

		if (sink_parse(config->sinks.items[i], spec) < 0)
			return -EINVAL;
		if (strcmp(spec->kind, "none") == 0)
			continue;
		ret->spec_count++;
		ret->wants_spool |= sink_spec_is_spooled(spec);
		if (strcmp(spec->kind, "console") == 0)
			continue;
		if (sink_spec_family(spec) == SINK_FAMILY_MLFLOW)
			ret->wants_mlflow = true;
		else
			ret->wants_otlp = true;
	}
	headers_split(ret, config->otlp_headers);
	snprintf(ret->user, sizeof(ret->user), "%s", user ? user->pw_name : "");
	return 0;
}

void outlet_clear(struct outlet *outlet)
{
	for (size_t i = 0; outlet->headers[i]; i++)
		free((char *)outlet->headers[i]);
	free(outlet->headers_text);
	*outlet = (struct outlet){ 0 };
}

int outlet_open(const struct outlet *outlet, const struct config *config, const char *spool_path, struct delivery **ret,
		const char **ret_error)
{
	const struct delivery_opts opts = {
		.specs = outlet->specs,
		.spec_count = outlet->spec_count,
		.env = {
			.mlflow_uri = config->mlflow_uri,
			.experiment_name = config->experiment,
			.experiment_id = config->experiment_id,
			.mlflow_user = config->mlflow_user,
			.mlflow_password = config->mlflow_password,
			.mlflow_token = config->mlflow_token,
			.mlflow_workspace = config->mlflow_workspace,
			.otlp_url = config->otlp_endpoint,
			.otlp_headers = outlet->headers,
			.host_user = outlet->user,
			.console_fd = STDOUT_FILENO,
			.console_is_tty = isatty(STDOUT_FILENO),
		},
		.http = {
			.connections_max = CONNECTIONS_MAX,
			.ca_file = config->mlflow_ca,
			.client_cert = config->mlflow_client_cert,
			.insecure = config->mlflow_insecure,
			.user_agent = "spantap/" SPANTAP_VERSION,
		},
		.spool_path = spool_path,
		.spool_bytes_max = config->max_spool,
		.queue_bytes_max = QUEUE_BYTES_MAX,
	};

	return delivery_new(&opts, ret, ret_error);
}

static void member(struct buf *out, const char *name, uint64_t value)
{
	json_member_int(out, slice_of(name), (int64_t)value);
}

static void bytes_summary(const struct pipeline_stats *pipeline, const struct event_ledger *ledger, struct buf *out)
{
	uint64_t missing[_MISSING_MAX];

	/* What userspace gave up is taken off what the kernel side captured, so that the sum stays what passed. */
	memcpy(missing, ledger->missing, sizeof(missing));
	missing[MISSING_BUDGET] += pipeline->shed_bytes;
	json_put_name(out, SLICE("bytes"));
	json_open(out, '{');
	member(out, "seen", ledger->seen);
	member(out, "captured", ledger->captured - pipeline->shed_bytes);
	json_put_name(out, SLICE("missing"));
	json_open(out, '{');
	for (size_t i = 0; i < _MISSING_MAX; i++)
		member(out, missing_reason_names[i], missing[i]);
	json_close(out, '}');
	member(out, "no_call", pipeline->no_call_bytes);
	json_close(out, '}');
}

void outlet_summary(const struct pipeline_stats *pipeline, const struct event_ledger *ledger,
		    const struct delivery_stats *delivery, struct buf *out)
{
	json_open(out, '{');
	member(out, "calls", pipeline->calls);
	member(out, "complete", pipeline->complete);
	member(out, "incomplete", pipeline->incomplete);
	if (ledger)
		bytes_summary(pipeline, ledger, out);
	json_put_name(out, SLICE("records"));
	json_open(out, '{');
	member(out, "delivered", delivery->delivered);
	member(out, "waiting", delivery->waiting);
	member(out, "dead", delivery->dead);
	member(out, "set_aside", delivery->set_aside);
	member(out, "shed", delivery->shed + pipeline->shed_records);
	json_close(out, '}');
	json_put_name(out, SLICE("memory_peak_bytes"));
	json_put_int(out, (int64_t)pipeline->memory_peak_bytes);
	json_close(out, '}');
	buf_put_char(out, '\n');
}
