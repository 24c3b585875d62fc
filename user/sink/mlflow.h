/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the MLflow sink. What a batch goes through:
 *
 *	setup: GET /version ─▶ experiment by id or name ─▶ for each range:
 *		3.8–3.11	spans of all in one request ─▶ trace info of each
 *		3.12–3.14	trace info of each ─▶ spans
 *		≥ 3.15		spans ─▶ [trace info of each, while the backlog is short]
 *
 * The order is what keeps tokens and costs from being counted twice in each version.
 */
#pragma once
#include "base/buf.h"
#include "sink/batch.h"

enum {
	MLFLOW_OLDEST = 3008,
	MLFLOW_PREVIEWS = 3011,      /* makes the previews of a trace itself */
	MLFLOW_FINALIZES = 3012,     /* trace info first closes the books of the trace */
	MLFLOW_EXACT = 3015,         /* spans alone are enough and may be repeated */
	MLFLOW_OTLP_PREFIXED = 3016, /* --static-prefix holds for /v1/traces too */
	MLFLOW_INFO_PARALLEL = 2,
	MLFLOW_INFO_BACKLOG = 30, /* trace info costs the server five times a trace's spans: only while few wait */
	MLFLOW_TIMEOUT_MS = 120000,
};

struct mlflow_info_call { /* one trace info under way */
	struct sink *sink;
	size_t index;
	bool is_open;
};

struct mlflow {
	struct batch batch;
	char base[1024];     /* tracking URI without '/' at the end, credentials kept */
	char shown[1024];    /* without credentials */
	char name[512];      /* of the experiment; empty: given by id */
	char experiment[32]; /* its id; empty: to be found out */
	char basic[512];
	char token_header[1024], workspace_header[300], experiment_header[64];
	const char *json_headers[6], *otlp_headers[8];
	unsigned version;    /* major * 1000 + minor; 0: to be asked */
	uint64_t checked_ms; /* when the experiment was seen alive; 0: never */
	bool is_settling;    /* the experiment is looked at before records are buried */
	bool otlp_at_root;   /* /v1/traces outside the path of the tracking URI */
	bool has_swapped;    /* that was tried the other way round */
	bool has_looked;     /* at the experiment, for this batch */
	bool told_refusal;   /* of trace info */

	struct range range; /* under way */
	struct mlflow_info_call calls[MLFLOW_INFO_PARALLEL];
	size_t info_next;
	enum answer info_answer; /* of the range: TAKEN, or what stopped it */
	char info_text[512];
	int64_t info_retry_after_ms;
	bool has_info[SINK_BATCH_MAX], has_spans[SINK_BATCH_MAX];
	uint8_t halves[SINK_BATCH_MAX][16]; /* traces whose spans were taken in an earlier batch, but not the info */
	size_t half_count;
};

/* ---- mlflow_setup.c ---- */
/* Makes the sink ready, then calls batch_next(); or puts the batch off. */
void mlflow_setup(struct sink *sink);
/* batch.settle: nobody is buried for the sake of an experiment that is gone. */
void mlflow_settle(struct sink *sink);
/* Sends a request below the tracking URI. */
int mlflow_ask(struct sink *sink, const char *method, const char *path, struct slice body, http_done done, void *user);
/* Says what is wrong and how to mend it; the batch waits. */
void mlflow_tell(struct sink *sink, enum answer answer, const struct http_reply *reply, const char *text);
/* answer_of() with MLflow's own ways. */
enum answer mlflow_answer_of(struct sink *sink, const struct http_reply *reply);

/* ---- mlflow_info.c ---- */
/* The body of StartTraceV3 for a record that convert_record() has read. */
void mlflow_info_body(const struct sink *sink, const struct record *record, const Otlp__ResourceSpans *spans,
		      struct arena *arena, struct buf *out);

/* ---- mlflow_preview.c ---- */
void mlflow_preview_put(const Otlp__Span *root, struct arena *arena, struct buf *out);
