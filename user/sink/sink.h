/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink: where records go. A sink is one file and a row in sink.c's table. A spooled sink takes batches that it may refuse
 * whole or in part and is asked again later; a direct sink (console, otlp-file) is handed each record once.
 *
 *	KIND[:ARG]	mlflow[:URI]  otlp[:URL]  otlp-file:PATH  console  none
 */
#pragma once
#include "base/cleanup.h"
#include "model/record.h"
#include "net/http.h"

struct sink;

struct sink_env { /* what sinks need of the configuration; slices and strings outlive the sink */
	uv_loop_t *loop;
	struct http_client *http;
	const char *mlflow_uri;
	const char *experiment_name, *experiment_id;
	const char *mlflow_user, *mlflow_password, *mlflow_token, *mlflow_workspace;
	const char *otlp_url;            /* full URL of the traces route */
	const char *const *otlp_headers; /* "name: value", NULL at the end */
	const char *host_user;           /* mlflow.user */
	int console_fd;
	bool console_is_tty;
};

struct sink_verdict { /* for one record of a batch */
	enum { SINK_TAKEN, SINK_AGAIN, SINK_DEAD } fate;
	const char *reason; /* SINK_DEAD, SINK_AGAIN */
};

struct sink_ops {
	/* The batch that sink_send() was given is decided; the sink is ready for the next. @retry_ms: do not come before. */
	void (*done)(void *user, struct sink *sink, const struct sink_verdict *verdicts, size_t count,
		     unsigned retry_ms);
	/* For the log and the user: a cause and its remedy. The sink says each new state once. */
	void (*state)(void *user, struct sink *sink, bool is_well, const char *text);
};

struct sink_spec {
	char kind[16];
	char arg[1024];
};
/* "KIND[:ARG]". 0 or -EINVAL. */
int sink_parse(const char *text, struct sink_spec *ret);
bool sink_spec_is_spooled(const struct sink_spec *spec);
enum sink_family sink_spec_family(const struct sink_spec *spec);

/* -EINVAL: the argument is missing or wrong; *ret_error then says what to do. */
int sink_new(const struct sink_spec *spec, const struct sink_env *env, const struct sink_ops *ops, void *user,
	     struct sink **ret, const char **ret_error);
struct sink *sink_free(struct sink *sink);
DEFINE_CLEANUP(struct sink *, sink_free)

/* Stable name for the spool. */
const char *sink_name(const struct sink *sink);
/* How many records and bytes the next batch should have, given how many wait. */
void sink_want(struct sink *sink, uint64_t waiting, size_t *ret_count, uint64_t *ret_bytes);
/* Spooled sinks: begins to deliver (0 records: only looks whether it could); ops->done tells, perhaps before this returns. The records stay valid until then. One
 * batch at a time. */
int sink_send(struct sink *sink, const struct record *records, size_t count);
/* Direct sinks. */
int sink_write(struct sink *sink, const struct record *record);
