/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenTelemetry's HTTP exporter: one gzip'ed protobuf request for a batch. The answers' meaning follows the OTLP
 * specification, except that what it calls not retryable but may be trouble of the server (500) is only believed when other
 * records pass.
 */
#include "base/json.h"
#include "sink/batch.h"
#include <errno.h>
#include <stdio.h>

enum { TIMEOUT_MS = 60000, HEADERS_MAX = 64 };

static const char DEFAULT_URL[] = "http://localhost:4318/v1/traces";

struct otlp {
	struct batch batch;
	char url[1024], shown[1024];
	const char *headers[HEADERS_MAX + 3];
};

static int64_t rejected_in_json(struct slice body, char *ret_message, size_t size)
{
	struct slice partial = json_get(json_trim(body), SLICE("partialSuccess"));
	struct slice message = json_raw_text(json_get(partial, SLICE("errorMessage")));
	int64_t rejected = 0;

	json_int(json_get(partial, SLICE("rejectedSpans")), &rejected);
	snprintf(ret_message, size, "%.*s", SLICE_FMT(slice_head(message, 300)));
	return rejected;
}

/* How many spans a 200 refused. Some servers answer JSON to protobuf. */
static int64_t rejected_spans(struct slice body, char *ret_message, size_t size)
{
	Otlp__ExportTraceServiceResponse *response;
	int64_t rejected = 0;

	*ret_message = 0;
	if (json_check(body, 32) == 0)
		return rejected_in_json(body, ret_message, size);
	response = otlp__export_trace_service_response__unpack(NULL, body.len, (const uint8_t *)body.data);
	if (response && response->partial_success) {
		rejected = response->partial_success->rejected_spans;
		snprintf(ret_message, size, "%.300s", response->partial_success->error_message);
	}
	if (response)
		otlp__export_trace_service_response__free_unpacked(response, NULL);
	return rejected;
}

static void tell(struct sink *sink, enum answer answer, const struct http_reply *reply, const char *text)
{
	const struct otlp *otlp = sink->own;

	if (answer == ANSWER_TAKEN)
		sink_say(sink, true, "delivers to %s", otlp->shown);
	else if (reply->error)
		sink_say(sink, false, "cannot reach %s: %s", otlp->shown, text);
	else if (reply->status == 401 || reply->status == 403)
		sink_say(sink, false, "%s refuses the credentials (%s): set OTEL_EXPORTER_OTLP_HEADERS", otlp->shown,
			 text);
	else if (answer == ANSWER_BLOCKED)
		sink_say(sink, false, "%s takes no traces (%s): check the URL, its path is often /v1/traces",
			 otlp->shown, text);
	else
		sink_say(sink, false, "%s answers %s", otlp->shown, text);
}

static void otlp_replied(void *user, const struct http_reply *reply)
{
	struct sink *sink = user;
	struct otlp *otlp = sink->own;
	enum answer answer = answer_of(reply);
	char text[512], message[400];
	int64_t rejected;

	answer_text(reply, text, sizeof(text));
	if (reply->error == -ETIMEDOUT)
		sink_limit_shrink(sink);
	if (answer == ANSWER_TAKEN || batch_puts_off(&otlp->batch, answer))
		tell(sink, answer, reply, text);
	if (answer == ANSWER_TAKEN && (rejected = rejected_spans(reply->body, message, sizeof(message))) > 0) {
		answer = ANSWER_PARTLY;
		snprintf(text, sizeof(text), "%lld spans of the request refused: %s", (long long)rejected, message);
		sink_say(sink, false, "%s refused spans: %s", otlp->shown, message);
	}
	batch_answer(&otlp->batch, answer, text, reply->retry_after_ms);
}

static int otlp_post(struct sink *sink, struct range range)
{
	struct otlp *otlp = sink->own;
	struct http_request request = {
		.method = "POST", .url = otlp->url, .headers = otlp->headers, .timeout_ms = TIMEOUT_MS
	};
	CLEANUP_FREE char *body = NULL;
	size_t len = 0;
	int r = convert_request(otlp->batch.records + range.first, NULL, range.count, SINK_FAMILY_OTLP, &body, &len);

	if (r < 0)
		return r;
	request.body = (struct slice){ body, len };
	request.gzip = true;
	return http_send(sink->env.http, &request, otlp_replied, sink) < 0 ? -ENOMEM : 0;
}

static int otlp_send(struct sink *sink, const struct record *records, size_t count)
{
	struct otlp *otlp = sink->own;
	int r = batch_begin(&otlp->batch, records, count);

	if (r == 0)
		batch_next(&otlp->batch);
	return r;
}

static int otlp_open(struct sink *sink, const char *arg, const char **ret_error)
{
	const char *url = *arg ? arg : sink->env.otlp_url && *sink->env.otlp_url ? sink->env.otlp_url : DEFAULT_URL;
	struct otlp *otlp = sink->own = calloc(1, sizeof(*otlp));
	size_t n = 0;

	if (!otlp)
		return -ENOMEM;
	*ret_error = "the otlp sink needs a URL like http://host:4318/v1/traces (HTTP, not gRPC)";
	if (!url_public(url, otlp->shown, sizeof(otlp->shown)))
		return -EINVAL;
	snprintf(otlp->url, sizeof(otlp->url), "%s", url);
	if (!url_has_path(url))
		snprintf(otlp->url, sizeof(otlp->url), "%.1000s%sv1/traces", url,
			 url[strlen(url) - 1] == '/' ? "" : "/");
	snprintf(sink->name, sizeof(sink->name), "otlp:%s", otlp->shown);
	otlp->headers[n++] = "content-type: application/x-protobuf";
	for (const char *const *h = sink->env.otlp_headers; h && *h && n < HEADERS_MAX + 2; h++)
		otlp->headers[n++] = *h;
	otlp->batch.post = otlp_post;
	return batch_init(&otlp->batch, sink);
}

static void otlp_close(struct sink *sink)
{
	struct otlp *otlp = sink->own;

	if (otlp)
		batch_free(&otlp->batch);
	free(otlp);
}

const struct sink_kind sink_kind_otlp = {
	.name = "otlp",
	.family = SINK_FAMILY_OTLP,
	.is_spooled = true,
	.open = otlp_open,
	.close = otlp_close,
	.send = otlp_send,
};
