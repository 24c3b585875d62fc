/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A failure is one of three things: an answer that says so, an error inside a streamed answer, or no (whole) answer at
 * all. A family says for each what its SDK raises.
 */
#include "trace/fault.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "trace/pyrepr.h"
#include "trace/span.h"

enum { ERROR_DIGITS_MAX = 4 }; /* of an error's word; an id has more */

struct status_class {
	int status;
	const char *name;
};

static const struct status_class openai_classes[] = {
	{ 400, "BadRequestError" },       { 401, "AuthenticationError" },
	{ 403, "PermissionDeniedError" }, { 404, "NotFoundError" },
	{ 409, "ConflictError" },         { 422, "UnprocessableEntityError" },
	{ 429, "RateLimitError" },        { 0, NULL },
};

static const struct status_class anthropic_classes[] = {
	{ 400, "BadRequestError" },
	{ 401, "AuthenticationError" },
	{ 402, "PaymentRequiredError" },
	{ 403, "PermissionDeniedError" },
	{ 404, "NotFoundError" },
	{ 408, "RequestTimeoutError" },
	{ 409, "ConflictError" },
	{ 412, "PreconditionFailedError" },
	{ 413, "ContentTooLargeError" },
	{ 422, "UnprocessableEntityError" },
	{ 429, "RateLimitError" },
	{ 431, "RequestHeaderFieldsTooLargeError" },
	{ 499, "ClientClosedRequestError" },
	{ 501, "HTTPNotImplementedError" },
	{ 503, "ServiceUnavailableError" },
	{ 504, "GatewayTimeoutError" },
	{ 529, "OverloadedError" },
	{ 0, NULL },
};

static const struct status_class gemini_classes[] = {
	{ 400, "ClientError" },
	{ 401, "ClientError" },
	{ 403, "ClientError" },
	{ 404, "ClientError" },
	{ 408, "ClientError" },
	{ 409, "ClientError" },
	{ 413, "ClientError" },
	{ 416, "ClientError" },
	{ 422, "ClientError" },
	{ 429, "ClientError" },
	{ 499, "ClientError" },
	{ 500, "ServerError" },
	{ 501, "ServerError" },
	{ 502, "ServerError" },
	{ 503, "ServerError" },
	{ 504, "ServerError" },
	{ 0, NULL },
};

struct family {
	const char *dialects; /* prefix of their names */
	const struct status_class *classes;
	const char *in_band; /* class of an error inside a stream */
	struct slice timeout;
	bool has_status_message;
	struct slice (*status_text)(struct maker *maker, const struct call *call);
	struct slice (*in_band_text)(struct maker *maker, const struct call *call);
};

/* ---- texts ---- */

/* "<head><repr of @json>" */
static struct slice repr_text(struct maker *maker, const char *head, struct slice json)
{
	struct buf out = BUF(maker->scratch, json.len * 10 + 256); /* no byte needs more than \U0010ffff */

	buf_put(&out, slice_of(head));
	pyrepr_put(&out, json_trim(json));
	return make_from_buf(maker, &out);
}

static struct slice number_text(struct maker *maker, const char *head, int number)
{
	struct slice text = arena_printf(maker->arena, "%s%d", head, number);

	if (!text.data)
		maker->failed = true;
	return text;
}

static struct slice status_repr(struct maker *maker, const struct call *call)
{
	struct slice text = json_trim(call->response_body);
	char head[64];

	if (text.len && json_check(text, JSON_DEPTH_MAX) == 0) {
		snprintf(head, sizeof(head), "Error code: %d - ", call->status);
		return repr_text(maker, head, text);
	}
	return text.len ? text : number_text(maker, "Error code: ", call->status);
}

/* The version of OpenAI's SDK for Python. Frameworks above it put their own name in place of the SDK's. */
static struct slice openai_python_version(const struct call *call, struct slice agent)
{
	ptrdiff_t at = slice_find(agent, SLICE("OpenAI/Python "));

	if (slice_starts(agent, SLICE("Agents/Python ")))
		return call_header(call->request_headers, call->request_header_count,
				   SLICE("x-stainless-package-version"));
	return slice_from(agent, at < 0 ? agent.len : (size_t)at + SLICE("OpenAI/Python ").len);
}

/* Until 2.x the SDK showed the body's repr; from 3.0 only its message. Groq's, of the same make, shows the repr. */
static bool shows_repr(const struct call *call)
{
	struct slice agent = call_header(call->request_headers, call->request_header_count, SLICE("user-agent"));
	struct slice version = openai_python_version(call, agent);

	if (slice_find(agent, SLICE("Groq/Python ")) >= 0)
		return true;
	return version.len > 1 && version.data[0] >= '0' && version.data[0] <= '2' && version.data[1] == '.';
}

static struct slice openai_status_text(struct maker *maker, const struct call *call)
{
	struct slice error = json_get(call->response_body, SLICE("error")), message;
	struct buf out;

	if (shows_repr(call))
		return status_repr(maker, call);
	message = json_get(error.data ? error : call->response_body, SLICE("message"));
	if (!message.data) /* words of a host that OpenAI's SDK does not look for */
		message = json_get(call->response_body, SLICE("detail"));
	if (json_type(message) != JSON_STRING || json_check(call->response_body, JSON_DEPTH_MAX) < 0 || message.len < 3)
		return number_text(maker, "Error code: ", call->status);
	message = json_text(maker->arena, message);
	out = BUF(maker->scratch, message.len + 64);
	buf_printf(&out, "Error code: %d - ", call->status);
	buf_put(&out, message);
	if (!message.data)
		maker->failed = true;
	return make_from_buf(maker, &out);
}

static struct slice openai_in_band_text(struct maker *maker, const struct call *call)
{
	return call->error.message.len ? call->error.message : SLICE("An error occurred during streaming");
}

static struct slice anthropic_in_band_text(struct maker *maker, const struct call *call)
{
	if (json_check(call->error.raw, JSON_DEPTH_MAX) == 0)
		return repr_text(maker, "", call->error.raw);
	return call->error.raw.len ? call->error.raw : number_text(maker, "Error code: ", call->status);
}

/* "429 RESOURCE_EXHAUSTED. {'error': …}" */
static struct slice gemini_text(struct maker *maker, const struct call *call)
{
	struct slice body = json_trim(call->error.raw), code = call->error.code, status = call->error.type;
	char head[96];

	if (!body.len || json_check(body, JSON_DEPTH_MAX) < 0 || !code.len)
		return status_repr(maker, call);
	snprintf(head, sizeof(head), "%.*s %.*s. ", (int)MIN(code.len, (size_t)16), code.data,
		 (int)MIN(status.len, (size_t)64), status.len ? status.data : "");
	return repr_text(maker, head, body);
}

static const struct family families[] = {
	{ "openai.", openai_classes, "APIError", SLICE("Request timed out."), false, openai_status_text,
	  openai_in_band_text },
	{ "anthropic.", anthropic_classes, "APIStatusError",
	  SLICE("Request timed out or interrupted. This could be due to a network timeout, dropped connection, or "
		"request cancellation. See https://docs.anthropic.com/en/api/errors#long-requests for more details."),
	  true, status_repr, anthropic_in_band_text },
	{ "gemini.", gemini_classes, "APIError", SLICE("The read operation timed out"), true, gemini_text,
	  gemini_text },
};

static const struct family *family_of(const struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (call_dialect_is(call, families[i].dialects))
			return &families[i];
	return NULL;
}

/* ---- what failed ---- */

static bool is_broken(enum call_end end)
{
	return end == CALL_END_SERVER_CUT || end == CALL_END_TIMEOUT || end == CALL_END_RESET;
}

/* Words make a good error.type, of which there are to be few; sentences, bare numbers and ids do not. */
static bool is_word(struct slice text)
{
	bool has_letter = false;
	size_t digits = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i], lower = c | 0x20;
		bool is_letter = lower >= 'a' && lower <= 'z';

		if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
			return false;
		has_letter = has_letter || is_letter;
		digits += c >= '0' && c <= '9';
	}
	return has_letter && digits <= ERROR_DIGITS_MAX && text.len <= 64;
}

static struct slice error_type(struct maker *maker, const struct call *call)
{
	static const struct slice ends[_CALL_END_MAX] = {
		[CALL_END_SERVER_CUT] = SLICE("stream_truncated"),
		[CALL_END_TIMEOUT] = SLICE("timeout"),
		[CALL_END_RESET] = SLICE("connection_reset"),
	};

	if (is_word(call->error.code))
		return call->error.code;
	if (is_word(call->error.type))
		return call->error.type;
	if (call->status >= 400)
		return number_text(maker, "", call->status);
	return is_broken(call->end) ? ends[call->end] : SLICE("_OTHER"); /* the convention's word for any other */
}

static const char *status_class(const struct status_class *classes, int status)
{
	for (; classes->name; classes++)
		if (classes->status == status)
			return classes->name;
	return status >= 500 ? "InternalServerError" : "APIStatusError";
}

static void fault_by_sdk(struct maker *maker, const struct call *call, const struct family *family, struct fault *fault)
{
	if (call->status >= 400) {
		fault->type = slice_of(status_class(family->classes, call->status));
		fault->message = family->status_text(maker, call);
	} else if (call->has_error) {
		fault->type = slice_of(family->in_band);
		fault->message = family->in_band_text(maker, call);
	} else if (call->end == CALL_END_TIMEOUT) {
		fault->type = SLICE("APITimeoutError");
		fault->message = family->timeout;
	} else {
		fault->type = SLICE("APIConnectionError");
		fault->message = SLICE("Connection error.");
	}
}

static void fault_by_provider(struct maker *maker, const struct call *call, struct fault *fault)
{
	const struct call_error *error = &call->error;

	fault->type = error->type.len ? error->type : error->code.len ? error->code : fault->error_type;
	fault->message = error->message.len ? error->message : error->raw;
	if (fault->message.len)
		return;
	fault->message = call->status >= 400 ? number_text(maker, "HTTP status ", call->status)
			 : call->has_error   ? SLICE("the answer holds an error")
					     : slice_of(call_end_names[call->end]);
}

static struct slice join(struct maker *maker, struct slice type, struct slice message)
{
	struct buf out = BUF(maker->scratch, type.len + message.len + 2);

	buf_put(&out, type);
	buf_put(&out, SLICE(": "));
	buf_put(&out, message);
	return make_from_buf(maker, &out);
}

bool fault_of(struct maker *maker, const struct call *call, struct fault *ret)
{
	const struct family *family = family_of(call);

	*ret = (struct fault){ 0 };
	if (call->status < 400 && !call->has_error && !is_broken(call->end))
		return false;
	ret->error_type = error_type(maker, call);
	if (family)
		fault_by_sdk(maker, call, family, ret);
	else
		fault_by_provider(maker, call, ret);
	if (!family || family->has_status_message)
		ret->status_message = join(maker, ret->type, ret->message);
	return true;
}

void span_put_fault(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;
	struct span *span = maker->span;
	struct fault fault;
	bool failed = fault_of(maker, call, &fault);

	if (source->opts->wants_mlflow)
		put_int(maker, "mlflow.spanLogLevel", failed ? 40 : 20);
	span->status = failed ? SPAN_ERROR : SPAN_OK;
	if (!failed)
		return;
	span->status_message = make_keep(maker, fault.status_message);
	put_text(maker, "error.type", fault.error_type);
	put_text(maker, "spantap.error.type", call->error.type);
	put_text(maker, "spantap.error.code", call->error.code);
	put_text(maker, "spantap.error.message", call->error.message);
	put_event(maker, SLICE("exception"), span->end_unix_ns,
		  (const struct name_value[]){
			  { SLICE("exception.type"), fault.type },
			  { SLICE("exception.message"), fault.message },
			  { SLICE("exception.stacktrace"), SLICE("") },
		  },
		  3);
}
