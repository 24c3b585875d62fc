/* SPDX-License-Identifier: Apache-2.0 */
/* outlet: the delivery that a configuration asks for, and the end-of-run summary. Shared by live tracing and replay. */
#pragma once
#include "base/buf.h"
#include "config/config.h"
#include "daemon/delivery.h"
#include "daemon/pipeline.h"

struct outlet {
	struct sink_spec specs[CONFIG_LIST_MAX];
	size_t spec_count;
	bool wants_mlflow, wants_otlp, wants_spool;
	char otlp_url[1024];
	char *headers_text;
	const char *headers[CONFIG_LIST_MAX + 1];
	char user[64];
};

/* Takes the sinks of @config apart. -EINVAL with *ret_error. */
int outlet_init(const struct config *config, struct outlet *ret, const char **ret_error);
void outlet_clear(struct outlet *outlet);
/* @spool_path: NULL when no sink needs it. */
int outlet_open(const struct outlet *outlet, const struct config *config, const char *spool_path, struct delivery **ret,
		const char **ret_error);
/* The JSON object of --summary, with a line end. @ledger: NULL in a replay without one. */
void outlet_summary(const struct pipeline_stats *pipeline, const struct event_ledger *ledger,
		    const struct delivery_stats *delivery, struct buf *out);
