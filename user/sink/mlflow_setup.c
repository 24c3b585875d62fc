/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before the first batch, after a lost connection, and once a minute: which version is it, and is the experiment alive?
 * (Spans for a deleted experiment are answered with 200 and seen by nobody.)
 */
#include "base/json.h"
#include "sink/mlflow.h"
#include <errno.h>
#include <stdio.h>

enum { CHECK_EVERY_MS = 60000 };

static void experiment_look(struct sink *sink);

int mlflow_ask(struct sink *sink, const char *method, const char *path, struct slice body, http_done done, void *user)
{
	struct mlflow *mlflow = sink->own;
	char url[3072];
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = mlflow->json_headers,
		.body = body,
		.timeout_ms = MLFLOW_TIMEOUT_MS,
		.basic = *mlflow->basic ? mlflow->basic : NULL,
	};

	snprintf(url, sizeof(url), "%s%s", mlflow->base, path);
	return http_send(sink->env.http, &request, done, user);
}

enum answer mlflow_answer_of(struct sink *sink, const struct http_reply *reply)
{
	struct mlflow *mlflow = sink->own;
	enum answer answer = answer_of(reply);
	bool is_judged = answer_member(reply, SLICE("error_code")).len || answer_member(reply, SLICE("detail")).len;

	if (reply->error && reply->error != -ECANCELED)
		mlflow->version = 0; /* who comes back may be another */
	if (reply->error == -ETIMEDOUT)
		sink_limit_shrink(sink);
	/* A proxy's own page judges nothing. */
	if (answer == ANSWER_REFUSED && !is_judged)
		return ANSWER_UNSURE;
	return answer;
}

void mlflow_tell(struct sink *sink, enum answer answer, const struct http_reply *reply, const char *text)
{
	const struct mlflow *mlflow = sink->own;

	if (answer == ANSWER_TAKEN)
		sink_say(sink, true, "delivers to %s, experiment %s", mlflow->shown, mlflow->experiment);
	else if (reply->error)
		sink_say(sink, false, "cannot reach %s: %s", mlflow->shown, text);
	else if (slice_contains(reply->body, SLICE("Invalid Host header")))
		sink_say(sink, false,
			 "%s refuses its own name: start the server with --allowed-hosts, or use its IP address",
			 mlflow->shown);
	else if (reply->status == 401)
		sink_say(sink, false,
			 "%s wants credentials (%s): set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or"
			 " MLFLOW_TRACKING_TOKEN",
			 mlflow->shown, text);
	else if (reply->status == 403)
		sink_say(sink, false, "%s does not allow it (%s): the user needs permission to update the experiment",
			 mlflow->shown, text);
	else
		sink_say(sink, false, "%s answers %s", mlflow->shown, text);
}

/* Trouble while setting up: the batch waits. While settling, what was to be buried is spared. */
static void setup_failed(struct sink *sink, const struct http_reply *reply)
{
	struct mlflow *mlflow = sink->own;
	enum answer answer = mlflow_answer_of(sink, reply);
	char text[512];

	if (answer != ANSWER_AGAIN && answer != ANSWER_UNSURE)
		answer = ANSWER_BLOCKED;
	answer_text(reply, text, sizeof(text));
	mlflow_tell(sink, answer, reply, text);
	mlflow->checked_ms = 0;
	if (mlflow->is_settling)
		batch_finish(&mlflow->batch, true);
	else
		batch_answer(&mlflow->batch, answer == ANSWER_BLOCKED ? answer : ANSWER_AGAIN, text,
			     reply->retry_after_ms);
}

static void setup_blocked(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;

	mlflow->checked_ms = 0;
	if (mlflow->is_settling)
		batch_finish(&mlflow->batch, true);
	else
		batch_answer(&mlflow->batch, ANSWER_BLOCKED, sink->said, -1);
}

static void setup_done(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;

	mlflow->checked_ms = uv_now(sink->env.loop) + 1;
	mlflow->has_looked = true;
	snprintf(mlflow->experiment_header, sizeof(mlflow->experiment_header), "x-mlflow-experiment-id: %s",
		 mlflow->experiment);
	if (mlflow->is_settling) {
		mlflow->is_settling = false;
		batch_finish(&mlflow->batch, false);
	} else {
		batch_next(&mlflow->batch);
	}
}

static void setup_ask(struct sink *sink, const char *method, const char *path, struct slice body, http_done done)
{
	struct http_reply failed = { .error = -ENOMEM, .retry_after_ms = -1 };

	if (mlflow_ask(sink, method, path, body, done, sink) < 0)
		setup_failed(sink, &failed);
}

/* ---- experiment ---- */

static void experiment_found(struct sink *sink, const struct http_reply *reply)
{
	struct mlflow *mlflow = sink->own;
	struct slice experiment = json_get(json_trim(reply->body), SLICE("experiment"));
	struct slice id = json_raw_text(json_get(experiment, SLICE("experiment_id")));

	if (!id.len || id.len >= sizeof(mlflow->experiment)) {
		sink_say(sink, false, "%s does not answer like an MLflow server: check the tracking URI",
			 mlflow->shown);
		return setup_blocked(sink);
	}
	snprintf(mlflow->experiment, sizeof(mlflow->experiment), "%.*s", SLICE_FMT(id));
	if (!json_text_is(json_get(experiment, SLICE("lifecycle_stage")), SLICE("active"))) {
		sink_say(sink, false,
			 "experiment %s%s%s of %s is deleted: restore it (mlflow experiments restore -x %s) or choose"
			 " another with --experiment",
			 mlflow->experiment, *mlflow->name ? " " : "", mlflow->name, mlflow->shown, mlflow->experiment);
		if (*mlflow->name)
			mlflow->experiment[0] = 0;
		return setup_blocked(sink);
	}
	setup_done(sink);
}

static void experiment_created(void *user, const struct http_reply *reply)
{
	struct sink *sink = user;
	struct mlflow *mlflow = sink->own;
	struct slice id = answer_member(reply, SLICE("experiment_id"));

	/* Another one was faster. */
	if (slice_equal(answer_member(reply, SLICE("error_code")), SLICE("RESOURCE_ALREADY_EXISTS")))
		return experiment_look(sink);
	if (answer_of(reply) != ANSWER_TAKEN || !id.len)
		return setup_failed(sink, reply);
	snprintf(mlflow->experiment, sizeof(mlflow->experiment), "%.*s", SLICE_FMT(slice_head(id, 31)));
	setup_done(sink);
}

static void experiment_create(struct sink *sink)
{
	const struct mlflow *mlflow = sink->own;
	struct alloc_heap heap = ALLOC_HEAP(1 << 16);
	struct buf body = BUF(&heap.alloc, 1 << 16);

	json_open(&body, '{');
	json_member_text(&body, SLICE("name"), slice_of(mlflow->name));
	json_put_name(&body, SLICE("tags"));
	json_put_raw(&body, SLICE("[{\"key\":\"mlflow.experimentKind\",\"value\":\"genai_development\"}]"));
	json_close(&body, '}');
	setup_ask(sink, "POST", "/api/2.0/mlflow/experiments/create", buf_slice(&body), experiment_created);
	buf_free(&body);
}

static void experiment_looked(void *user, const struct http_reply *reply)
{
	struct sink *sink = user;
	struct mlflow *mlflow = sink->own;
	bool is_unknown = reply->status == 404 &&
			  slice_equal(answer_member(reply, SLICE("error_code")), SLICE("RESOURCE_DOES_NOT_EXIST"));

	if (answer_of(reply) == ANSWER_TAKEN)
		return experiment_found(sink, reply);
	if (is_unknown && *mlflow->name && !mlflow->is_settling)
		return experiment_create(sink);
	if (!is_unknown)
		return setup_failed(sink, reply);
	sink_say(sink, false, "%s has no experiment %s: choose one with --experiment-id or --experiment", mlflow->shown,
		 mlflow->experiment);
	if (*mlflow->name)
		mlflow->experiment[0] = 0;
	setup_blocked(sink);
}

static void experiment_look(struct sink *sink)
{
	const struct mlflow *mlflow = sink->own;
	char path[2048], value[1600];
	bool by_name = *mlflow->name;

	url_escape(slice_of(by_name ? mlflow->name : mlflow->experiment), value, sizeof(value));
	snprintf(path, sizeof(path), "/api/2.0/mlflow/experiments/%s=%s",
		 by_name ? "get-by-name?experiment_name" : "get?experiment_id", value);
	setup_ask(sink, "GET", path, SLICE_NONE, experiment_looked);
}

/* ---- version ---- */

static unsigned version_parse(struct slice text)
{
	unsigned major, minor;
	char copy[32];

	snprintf(copy, sizeof(copy), "%.*s", SLICE_FMT(slice_head(slice_trim(text), sizeof(copy) - 1)));
	return sscanf(copy, "%3u.%3u", &major, &minor) == 2 ? major * 1000 + minor : 0;
}

static void version_told(void *user, const struct http_reply *reply)
{
	struct sink *sink = user;
	struct mlflow *mlflow = sink->own;
	unsigned version = reply->error || reply->status != 200 ? 0 : version_parse(reply->body);

	if (!version && answer_of(reply) != ANSWER_TAKEN && reply->status != 404)
		return setup_failed(sink, reply);
	if (version < MLFLOW_OLDEST) {
		if (version)
			sink_say(
				sink, false,
				"%s runs MLflow %u.%u: upgrade it to 3.8 or newer, older ones cannot take these traces",
				mlflow->shown, version / 1000, version % 1000);
		else
			sink_say(sink, false,
				 "%s does not answer like an MLflow server of 3.8 or newer: check the tracking URI",
				 mlflow->shown);
		return setup_blocked(sink);
	}
	mlflow->version = version;
	mlflow->otlp_at_root = version < MLFLOW_OTLP_PREFIXED && url_has_path(mlflow->base);
	mlflow->has_swapped = false;
	experiment_look(sink);
}

void mlflow_setup(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;

	mlflow->is_settling = mlflow->has_looked = false;
	if (!mlflow->version)
		setup_ask(sink, "GET", "/version", SLICE_NONE, version_told);
	else if (!mlflow->checked_ms || uv_now(sink->env.loop) - mlflow->checked_ms > CHECK_EVERY_MS)
		experiment_look(sink);
	else
		batch_next(&mlflow->batch);
}

void mlflow_settle(struct sink *sink)
{
	struct mlflow *mlflow = sink->own;

	mlflow->is_settling = true;
	experiment_look(sink);
}
