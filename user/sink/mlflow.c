/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range goes through one or two stages (mlflow.h); when both are over, the batch hears one answer. Trace info is a
 * comfort, spans are the evidence: when a server refuses the info of a trace, its spans go without.
 */
#include "sink/mlflow.h"
#include <errno.h>
#include <stdio.h>

static void info_pump(struct sink *sink);

/* Where it need not, it comes last: the info of a trace whose spans are then refused would stay behind as an empty row. */
static bool info_goes_first(const struct mlflow *mlflow)
{
	return mlflow->version >= MLFLOW_FINALIZES && mlflow->version < MLFLOW_EXACT;
}

static bool info_is_wanted(const struct sink *sink)
{
	const struct mlflow *mlflow = sink->own;

	return mlflow->version < MLFLOW_EXACT || sink->waiting <= MLFLOW_INFO_BACKLOG;
}

/* ---- traces whose spans were taken, but not yet their info: sent again, their tokens would count twice (< 3.12) ---- */

static size_t half_find(const struct mlflow *mlflow, const uint8_t trace_id[16])
{
	size_t i = 0;

	while (i < mlflow->half_count && memcmp(mlflow->halves[i], trace_id, 16) != 0)
		i++;
	return i;
}

static void half_add(struct mlflow *mlflow, const uint8_t trace_id[16])
{
	if (half_find(mlflow, trace_id) < mlflow->half_count)
		return;
	if (mlflow->half_count == ARRAY_SIZE(mlflow->halves))
		mlflow->half_count = 0;
	memcpy(mlflow->halves[mlflow->half_count++], trace_id, 16);
}

static void half_remove(struct mlflow *mlflow, const uint8_t trace_id[16])
{
	size_t at = half_find(mlflow, trace_id);

	if (at < mlflow->half_count)
		memcpy(mlflow->halves[at], mlflow->halves[--mlflow->half_count], 16);
}

/* ---- spans ---- */

static void range_taken(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;
	struct http_reply fine = { .status = 200 };

	for (size_t i = mlflow->range.first; i < mlflow->range.first + mlflow->range.count; i++)
		half_remove(mlflow, mlflow->batch.records[i].trace_id);
	mlflow_tell(sink, ANSWER_TAKEN, &fine, "");
	batch_answer(&mlflow->batch, ANSWER_TAKEN, "", -1);
}

static void spans_taken(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;

	for (size_t i = mlflow->range.first; i < mlflow->range.first + mlflow->range.count; i++) {
		mlflow->has_spans[i] = true;
		if (!info_goes_first(mlflow))
			half_add(mlflow, mlflow->batch.records[i].trace_id);
	}
	mlflow->info_next = mlflow->range.first;
	mlflow->info_answer = ANSWER_TAKEN;
	if (info_is_wanted(sink) && !info_goes_first(mlflow))
		info_pump(sink);
	else
		range_taken(sink);
}

static int spans_post(struct sink *sink);

/* A route that is not there. With a path in the tracking URI it may be above or below it: a server's --static-prefix and a
 * proxy that cuts the path off look the same from here. */
static void spans_lost(struct sink *sink, const char *text)
{
	struct mlflow *mlflow = sink->own;

	if (url_has_path(mlflow->base) && !mlflow->has_swapped) {
		mlflow->has_swapped = true;
		mlflow->otlp_at_root = !mlflow->otlp_at_root;
		if (spans_post(sink) == 0)
			return;
	}
	mlflow->has_swapped = false; /* next time both again: somebody may mend either */
	sink_say(sink, false,
		 "%s has no /v1/traces (%s): it must run under uvicorn (not gunicorn or waitress options), and a proxy"
		 " before it must pass that route",
		 mlflow->shown, text);
	batch_answer(&mlflow->batch, ANSWER_BLOCKED, text, -1);
}

static void spans_replied(void *user, const struct http_reply *reply)
{
	struct sink *sink = user;
	struct mlflow *mlflow = sink->own;
	enum answer answer = mlflow_answer_of(sink, reply);
	char text[512];

	if (answer == ANSWER_TAKEN)
		return spans_taken(sink);
	answer_text(reply, text, sizeof(text));
	if (reply->status == 404 && !answer_member(reply, SLICE("error_code")).len)
		return spans_lost(sink, text);
	if (reply->status == 404) {
		mlflow->checked_ms = 0; /* the experiment is gone: looked for again before the next batch */
		answer = ANSWER_AGAIN;
	}
	if (batch_puts_off(&mlflow->batch, answer))
		mlflow_tell(sink, answer, reply, text);
	batch_answer(&mlflow->batch, answer, text, reply->retry_after_ms);
}

static int spans_post(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;
	struct range range = mlflow->range;
	bool wanted[SINK_BATCH_MAX];
	CLEANUP_FREE char *body = NULL;
	char root[sizeof(mlflow->base)], url[sizeof(mlflow->base) + 16];
	struct http_request request = { .method = "POST",
					.url = url,
					.headers = mlflow->otlp_headers,
					.timeout_ms = MLFLOW_TIMEOUT_MS,
					.basic = *mlflow->basic ? mlflow->basic : NULL };
	size_t len = 0, count = 0;
	int r;

	for (size_t i = 0; i < range.count; i++)
		count += wanted[i] = !mlflow->has_spans[range.first + i];
	if (!count) {
		spans_taken(sink);
		return 0;
	}
	r = convert_request(mlflow->batch.records + range.first, wanted, range.count, SINK_FAMILY_MLFLOW, &body, &len);
	if (r < 0)
		return r;
	url_root(mlflow->base, root, sizeof(root));
	snprintf(url, sizeof(url), "%s/v1/traces", mlflow->otlp_at_root ? root : mlflow->base);
	request.body = (struct slice){ body, len };
	request.gzip = true;
	return http_send(sink->env.http, &request, spans_replied, sink) < 0 ? -ENOMEM : 0;
}

/* ---- trace info ---- */

static void info_over(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;
	int r;

	if (mlflow->info_answer != ANSWER_TAKEN)
		return batch_answer(&mlflow->batch, mlflow->info_answer, mlflow->info_text,
				    mlflow->info_retry_after_ms);
	if (!info_goes_first(mlflow))
		return range_taken(sink);
	r = spans_post(sink);
	if (r < 0)
		batch_answer(&mlflow->batch, r == -EBADMSG ? ANSWER_REFUSED : ANSWER_TOO_BIG,
			     "the record cannot be read", -1);
}

/* This trace's info is refused; its spans must not be, so it goes without. But a deleted experiment refuses so as well. */
static enum answer info_refused(struct sink *sink, size_t index, const char *text)
{
	struct mlflow *mlflow = sink->own;

	if (!mlflow->has_looked) {
		mlflow->checked_ms = 0;
		return ANSWER_AGAIN;
	}
	if (!mlflow->told_refusal)
		sink_say(sink, false, "%s refuses the info of a trace (%s), sending its spans without", mlflow->shown,
			 text);
	mlflow->told_refusal = true;
	mlflow->has_info[index] = true;
	return ANSWER_TAKEN;
}

static void info_replied(void *user, const struct http_reply *reply)
{
	struct mlflow_info_call *call = user;
	struct sink *sink = call->sink;
	struct mlflow *mlflow = sink->own;
	enum answer answer = mlflow_answer_of(sink, reply);
	char text[512];

	call->is_open = false;
	answer_text(reply, text, sizeof(text));
	if (answer == ANSWER_TAKEN) {
		mlflow->has_info[call->index] = true;
	} else if (reply->status == 404 && answer_member(reply, SLICE("error_code")).len) {
		mlflow->checked_ms = 0;
		answer = ANSWER_AGAIN;
	} else if (answer != ANSWER_AGAIN && answer != ANSWER_BLOCKED) {
		answer = info_refused(sink, call->index, text);
	}
	if (answer != ANSWER_TAKEN && mlflow->info_answer == ANSWER_TAKEN) {
		mlflow->info_answer = answer;
		mlflow->info_retry_after_ms = reply->retry_after_ms;
		memcpy(mlflow->info_text, text, sizeof(text));
		if (mlflow->checked_ms)
			mlflow_tell(sink, answer, reply, text);
	}
	info_pump(sink);
}

static int info_post(struct sink *sink, struct mlflow_info_call *call)
{
	struct mlflow *mlflow = sink->own;
	const struct record *record = &mlflow->batch.records[call->index];
	struct alloc_heap heap = ALLOC_HEAP(SINK_ARENA_MAX);
	CLEANUP(arena_free) struct arena *arena = arena_new(&heap.alloc, SINK_ARENA_MAX);
	struct buf body = BUF(&heap.alloc, 1 << 20);
	Otlp__ResourceSpans *spans;
	int r = arena ? convert_record(record, SINK_FAMILY_MLFLOW, arena, &spans) : -ENOMEM;

	if (r == 0) {
		mlflow_info_body(sink, record, spans, arena, &body);
		r = body.failed
			    ? -ENOMEM
			    : mlflow_ask(sink, "POST", "/api/3.0/mlflow/traces", buf_slice(&body), info_replied, call);
	}
	buf_free(&body);
	return r;
}

/* Keeps two calls under way until the range is through or something stops it. A record whose info cannot be made is left to
 * the spans, which will tell why. */
static void info_pump(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;
	size_t end = mlflow->range.first + mlflow->range.count, open = 0;

	for (size_t i = 0; i < MLFLOW_INFO_PARALLEL; i++) {
		struct mlflow_info_call *call = &mlflow->calls[i];

		while (!call->is_open && mlflow->info_answer == ANSWER_TAKEN && mlflow->info_next < end) {
			call->index = mlflow->info_next++;
			if (!mlflow->has_info[call->index])
				call->is_open = info_post(sink, call) == 0;
		}
		open += call->is_open;
	}
	if (!open)
		info_over(sink);
}

/* ---- the kind ---- */

static int mlflow_post(struct sink *sink, struct range range)
{
	struct mlflow *mlflow = sink->own;

	mlflow->range = range;
	mlflow->info_next = range.first;
	mlflow->info_answer = ANSWER_TAKEN;
	if (!info_is_wanted(sink) || !info_goes_first(mlflow))
		return spans_post(sink);
	info_pump(sink);
	return 0;
}

static int mlflow_send(struct sink *sink, const struct record *records, size_t count)
{
	struct mlflow *mlflow = sink->own;
	int r = batch_begin(&mlflow->batch, records, count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		mlflow->has_info[i] = false;
		mlflow->has_spans[i] = half_find(mlflow, records[i].trace_id) < mlflow->half_count;
	}
	mlflow_setup(sink);
	return 0;
}

static void credentials_set(struct mlflow *mlflow, const struct sink_env *env, size_t *json_count, size_t *otlp_count)
{
	if (env->mlflow_user && *env->mlflow_user) {
		snprintf(mlflow->basic, sizeof(mlflow->basic), "%s:%s", env->mlflow_user, env->mlflow_password ?: "");
	} else if (env->mlflow_token && *env->mlflow_token) {
		snprintf(mlflow->token_header, sizeof(mlflow->token_header), "authorization: Bearer %s",
			 env->mlflow_token);
		mlflow->json_headers[(*json_count)++] = mlflow->otlp_headers[(*otlp_count)++] = mlflow->token_header;
	}
	if (env->mlflow_workspace && *env->mlflow_workspace) {
		snprintf(mlflow->workspace_header, sizeof(mlflow->workspace_header), "x-mlflow-workspace: %s",
			 env->mlflow_workspace);
		mlflow->json_headers[(*json_count)++] = mlflow->otlp_headers[(*otlp_count)++] =
			mlflow->workspace_header;
	}
}

static int experiment_set(struct sink *sink, const char **ret_error)
{
	struct mlflow *mlflow = sink->own;
	const char *id = sink->env.experiment_id, *name = sink->env.experiment_name;

	*ret_error = "an experiment id is a decimal number; a name goes to --experiment";
	if (id && *id && (strspn(id, "0123456789") != strlen(id) || strlen(id) >= sizeof(mlflow->experiment)))
		return -EINVAL;
	*ret_error = "the experiment's name is too long";
	if (name && strlen(name) >= sizeof(mlflow->name))
		return -EINVAL;
	if (id && *id)
		snprintf(mlflow->experiment, sizeof(mlflow->experiment), "%s", id);
	else if (name && *name)
		snprintf(mlflow->name, sizeof(mlflow->name), "%s", name);
	else
		snprintf(mlflow->experiment, sizeof(mlflow->experiment), "0");
	snprintf(sink->name, sizeof(sink->name), "mlflow:%.600s#%s", mlflow->shown,
		 *mlflow->name ? mlflow->name : mlflow->experiment);
	return 0;
}

static int mlflow_open(struct sink *sink, const char *arg, const char **ret_error)
{
	const char *uri = *arg ? arg : sink->env.mlflow_uri ?: "";
	struct mlflow *mlflow = sink->own = calloc(1, sizeof(*mlflow));
	size_t json_count = 0, otlp_count = 0;
	int r;

	if (!mlflow)
		return -ENOMEM;
	*ret_error = "the mlflow sink needs a tracking server: --sink mlflow:http://HOST:5000 or MLFLOW_TRACKING_URI";
	if (!url_public(uri, mlflow->shown, sizeof(mlflow->shown)))
		return -EINVAL;
	snprintf(mlflow->base, sizeof(mlflow->base), "%s", uri);
	while (mlflow->base[strlen(mlflow->base) - 1] == '/')
		mlflow->base[strlen(mlflow->base) - 1] = 0;
	r = experiment_set(sink, ret_error);
	if (r < 0)
		return r;
	mlflow->json_headers[json_count++] = "content-type: application/json";
	mlflow->otlp_headers[otlp_count++] = "content-type: application/x-protobuf";
	mlflow->otlp_headers[otlp_count++] = mlflow->experiment_header;
	credentials_set(mlflow, &sink->env, &json_count, &otlp_count);
	for (size_t i = 0; i < MLFLOW_INFO_PARALLEL; i++)
		mlflow->calls[i].sink = sink;
	mlflow->batch.post = mlflow_post;
	mlflow->batch.settle = mlflow_settle;
	return batch_init(&mlflow->batch, sink);
}

static void mlflow_close(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;

	if (mlflow)
		batch_free(&mlflow->batch);
	free(mlflow);
}

const struct sink_kind sink_kind_mlflow = {
	.name = "mlflow",
	.family = SINK_FAMILY_MLFLOW,
	.is_spooled = true,
	.open = mlflow_open,
	.close = mlflow_close,
	.send = mlflow_send,
};
