/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allow-list, so that a secret in a header nobody thought of is never kept. The query is treated alike: three names
 * may stay. The credential is the one exception: it is copied for its fingerprint and lives nowhere else in the call.
 */
#include "call/headers.h"

/* Lower case; a '*' at the end stands for any rest. For both requests and answers: the names do not collide. */
static const struct slice kept_headers[] = {
	/* what travels, and by whom */
	SLICE("user-agent"),
	SLICE("content-type"),
	SLICE("content-encoding"),
	SLICE("accept"),
	SLICE("server"),
	SLICE("via"),
	SLICE("cf-ray"),
	SLICE("traceparent"),
	SLICE("grpc-status"),
	SLICE("grpc-message"),
	SLICE("grpc-encoding"),
	SLICE("x-stainless-*"),
	SLICE("x-goog-api-client"),
	SLICE("x-app"),
	SLICE("originator"),
	/* repetition and limits */
	SLICE("idempotency-key"),
	SLICE("amz-sdk-request"),
	SLICE("amz-sdk-invocation-id"),
	SLICE("retry-after"),
	SLICE("retry-after-ms"),
	SLICE("x-should-retry"),
	SLICE("x-ratelimit-*"),
	SLICE("x-rate-limit-*"),
	SLICE("x-endpoint-monthly-call-limit"),
	SLICE("x-trial-endpoint-call-*"),
	SLICE("ratelimit-*"),
	SLICE("ratelimitbysize-*"),
	SLICE("anthropic-ratelimit-*"),
	/* the provider's own */
	SLICE("openai-organization"),
	SLICE("openai-project"),
	SLICE("openai-beta"),
	SLICE("openai-version"),
	SLICE("openai-model"),
	SLICE("openai-processing-ms"),
	SLICE("anthropic-version"),
	SLICE("anthropic-beta"),
	SLICE("anthropic-organization-id"),
	SLICE("x-ms-region"),
	SLICE("x-ms-deployment-name"),
	SLICE("x-amzn-errortype"),
	SLICE("x-amzn-bedrock-*"),
	SLICE("x-litellm-call-id"),
	SLICE("x-litellm-model-id"),
	SLICE("x-litellm-version"),
	SLICE("x-litellm-response-cost"),
	SLICE("x-litellm-model-api-base"),
	SLICE("x-litellm-model-region"),
	SLICE("x-litellm-cache-hit"),
	SLICE("x-litellm-attempted-retries"),
	SLICE("x-litellm-attempted-fallbacks"),
	SLICE("x-prompt-tokens"),
	SLICE("x-generated-tokens"),
	SLICE("x-portkey-provider"),
	SLICE("x-portkey-cache-status"),
	SLICE("x-portkey-retry-attempt-count"),
	SLICE("x-portkey-last-used-option-index"),
	SLICE("cf-aig-log-id"),
	SLICE("cf-aig-cache-status"),
	SLICE("cf-aig-step"),
	SLICE("helicone-id"),
	SLICE("helicone-cache"),
	SLICE("x-generation-id"),
	SLICE("x-vercel-id"),
	SLICE("x-databricks-request-id"),
	SLICE("x-databricks-org-id"),
	SLICE("x-ms-rai-invoked"),
	SLICE("x-ms-is-spilled-over"),
	SLICE("azureml-model-session"),
	/* ids of one request */
	SLICE("x-request-id"),
	SLICE("request-id"),
	SLICE("x-client-request-id"),
	SLICE("apim-request-id"),
	SLICE("x-ms-client-request-id"),
	SLICE("x-amzn-requestid"),
	SLICE("x-goog-request-id"),
	SLICE("x-debug-trace-id"),
	SLICE("mistral-correlation-id"),
	/* sessions and agents */
	SLICE("session-id"),
	SLICE("session_id"),
	SLICE("thread-id"),
	SLICE("x-session-id"),
	SLICE("x-session-affinity"),
	SLICE("x-claude-code-session-id"),
	SLICE("x-claude-code-agent-id"),
	SLICE("x-claude-code-parent-agent-id"),
	SLICE("x-codex-window-id"),
	SLICE("x-codex-turn-metadata"),
	SLICE("x-codex-parent-thread-id"),
	SLICE("x-openai-subagent"),
	SLICE("x-opencode-session"),
	SLICE("x-opencode-request"),
	SLICE("x-qwen-code-session-id"),
	SLICE("x-grok-conv-id"),
	SLICE("x-litellm-session-id"),
	SLICE("x-litellm-trace-id"),
	SLICE("x-portkey-trace-id"),
	SLICE("helicone-user-id"),
	SLICE("helicone-session-id"),
	SLICE("helicone-session-name"),
	SLICE("helicone-session-path"),
	/* agents' protocols */
	SLICE("mcp-session-id"),
	SLICE("mcp-protocol-version"),
	SLICE("mcp-method"),
	SLICE("mcp-name"),
	SLICE("a2a-version"),
	SLICE("a2a-extensions"),
};

static const struct slice kept_parameters[] = { SLICE("api-version"), SLICE("alt"), SLICE("beta"), SLICE("q"),
						SLICE("count") };

/* Where a client puts its key, the most usual place first. With a scheme only what follows it is the key. */
static const struct {
	struct slice header;
	struct slice scheme;
} credential_places[] = {
	{ SLICE("authorization"), SLICE("bearer ") },
	{ SLICE("x-api-key"), SLICE("") },
	{ SLICE("api-key"), SLICE("") },
	{ SLICE("x-goog-api-key"), SLICE("") },
	{ SLICE("x-portkey-api-key"), SLICE("") },
	{ SLICE("x-litellm-api-key"), SLICE("") },
	{ SLICE("cf-aig-authorization"), SLICE("bearer ") },
	{ SLICE("helicone-auth"), SLICE("bearer ") },
	{ SLICE("ocp-apim-subscription-key"), SLICE("") },
};

/* The provider's id of a request, best first. Gateways add x-request-id of their own to what Anthropic answers. */
static const struct {
	struct slice header;
	struct slice only_with; /* this request header */
} request_ids[] = {
	{ SLICE("request-id"), SLICE("anthropic-version") },
	{ SLICE("x-request-id"), SLICE("") },
	{ SLICE("request-id"), SLICE("") },
	{ SLICE("apim-request-id"), SLICE("") },
	{ SLICE("x-amzn-requestid"), SLICE("") },
	{ SLICE("x-goog-request-id"), SLICE("") },
	{ SLICE("mistral-correlation-id"), SLICE("") },
	{ SLICE("x-debug-trace-id"), SLICE("") },
	{ SLICE("x-ms-client-request-id"), SLICE("") },
	{ SLICE("x-databricks-request-id"), SLICE("") },
	{ SLICE("x-generation-id"), SLICE("") },
};

static bool header_is_kept(struct slice name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept_headers); i++) {
		struct slice kept = kept_headers[i];

		if (kept.data[kept.len - 1] == '*' ? slice_starts(name, slice_head(kept, kept.len - 1))
						   : slice_equal(name, kept))
			return true;
	}
	return false;
}

static size_t headers_keep(struct arena *arena, const struct message_head *head, struct name_value *list, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < head->header_count && count < max; i++) {
		if (!header_is_kept(head->headers[i].name))
			continue;
		list[count].name = arena_dup(arena, head->headers[i].name);
		list[count].value = arena_dup(arena, head->headers[i].value);
		if (list[count].name.data && list[count].value.data)
			count++;
	}
	return count;
}

static struct slice head_find(const struct message_head *head, struct slice name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (slice_equal(head->headers[i].name, name))
			return head->headers[i].value;
	return SLICE_NONE;
}

static struct slice credential_find(const struct message_head *head, struct slice query)
{
	for (size_t i = 0; i < ARRAY_SIZE(credential_places); i++) {
		struct slice value = head_find(head, credential_places[i].header);

		if (value.len && slice_starts_nocase(value, credential_places[i].scheme))
			return slice_trim(slice_from(value, credential_places[i].scheme.len));
	}
	while (query.len) {
		struct slice value = slice_cut(&query, '&');

		if (slice_equal(slice_cut(&value, '='), SLICE("key")))
			return value;
	}
	return SLICE_NONE;
}

static bool parameter_is_kept(struct slice name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept_parameters); i++)
		if (slice_equal(name, kept_parameters[i]))
			return true;
	return false;
}

static struct slice query_strip(struct arena *arena, struct slice query)
{
	char *out = query.len ? arena_alloc(arena, query.len + 1) : NULL;
	size_t len = 0;

	while (out && query.len) {
		struct slice parameter = slice_cut(&query, '&');
		struct slice rest = parameter;

		if (!parameter_is_kept(slice_cut(&rest, '=')))
			continue;
		if (len)
			out[len++] = '&';
		memcpy(out + len, parameter.data, parameter.len);
		len += parameter.len;
	}
	return (struct slice){ out, len };
}

/* Behind "user:password@". */
static struct slice authority_host(struct slice authority)
{
	const char *at = authority.len ? memrchr(authority.data, '@', authority.len) : NULL;

	return at ? slice_from(authority, (size_t)(at + 1 - authority.data)) : authority;
}

/* A request to a proxy names its server in the target: "http://host/path". */
static struct slice target_cut_origin(struct slice *target)
{
	ptrdiff_t scheme = slice_find(slice_head(*target, 8), SLICE("://"));
	struct slice origin;
	size_t len = 0;

	if (scheme <= 0 || target->data[0] == '/')
		return SLICE_NONE;
	origin = slice_from(*target, (size_t)scheme + 3);
	while (len < origin.len && origin.data[len] != '/' && origin.data[len] != '?')
		len++;
	*target = slice_from(origin, len);
	return slice_head(origin, len);
}

void headers_take_request(struct call *call, const struct message_head *head)
{
	struct slice query = head->target;
	struct slice origin = target_cut_origin(&query);
	struct slice path = slice_cut(&query, '?');

	call->request_start_ns = head->time_ns;
	call->request_is_late = head->is_late;
	if (head->is_late)
		return;
	call->protocol = arena_dup(call->arena, head->protocol);
	call->http_version = arena_dup(call->arena, head->version);
	call->method = arena_dup(call->arena, head->method);
	call->path = arena_dup(call->arena, path.len || !head->target.len ? path : SLICE("/"));
	call->query = query_strip(call->arena, query);
	call->host = arena_dup(call->arena, authority_host(head->authority.len ? head->authority : origin));
	call->credential = arena_dup(call->arena, credential_find(head, query));
	call->request_header_count = headers_keep(call->arena, head, call->request_headers, CALL_HEADERS_MAX);
}

static struct slice request_id_find(const struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(request_ids); i++) {
		struct slice needed = request_ids[i].only_with;
		struct slice id =
			call_header(call->response_headers, call->response_header_count, request_ids[i].header);

		if (id.len &&
		    (!needed.len || call_header(call->request_headers, call->request_header_count, needed).len))
			return id;
	}
	return SLICE_NONE;
}

void headers_take_response(struct call *call, const struct message_head *head)
{
	call->response_start_ns = head->time_ns;
	call->response_is_late = head->is_late;
	if (head->is_late)
		return;
	call->status = head->status;
	if (!call->protocol.len)
		call->protocol = arena_dup(call->arena, head->protocol);
	if (!call->http_version.len)
		call->http_version = arena_dup(call->arena, head->version);
	call->response_header_count = headers_keep(call->arena, head, call->response_headers, CALL_HEADERS_MAX);
	call->content_type = call_header(call->response_headers, call->response_header_count, SLICE("content-type"));
	call->request_id = request_id_find(call);
}

static const struct slice two_way_type = SLICE("application/vnd.amazon.eventstream");

bool headers_are_two_way(const struct message_head *head)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (slice_equal(head->headers[i].name, SLICE("content-type")))
			return head->kind == MESSAGE_REQUEST && slice_equal(head->version, SLICE("2")) &&
			       slice_starts_nocase(head->headers[i].value, two_way_type);
	return false;
}

static bool call_is_two_way(const struct call *call)
{
	struct slice type = call_header(call->request_headers, call->request_header_count, SLICE("content-type"));

	return slice_starts_nocase(type, two_way_type);
}

bool headers_refuse_two_way(const struct call *call)
{
	return call->status >= 300 && call_is_two_way(call);
}

struct slice headers_protocol(const struct call *call, struct slice otherwise)
{
	return call_is_two_way(call) ? otherwise : SLICE("websocket");
}

void headers_take_trailers(struct call *call, const struct message_end *end)
{
	const struct message_head fields = { .headers = end->trailers, .header_count = end->trailer_count };
	size_t room = CALL_HEADERS_MAX - call->response_header_count;

	call->response_header_count +=
		headers_keep(call->arena, &fields, call->response_headers + call->response_header_count, room);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct slice headers_path_decode(struct arena *arena, struct slice path)
{
	char *out = slice_contains(path, SLICE("%")) ? arena_alloc(arena, path.len) : NULL;
	size_t len = 0;

	if (!out)
		return path;
	for (size_t i = 0; i < path.len; i++) {
		int high = path.data[i] == '%' && i + 2 < path.len ? hex_digit(path.data[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(path.data[i + 2]) : -1;

		out[len++] = low >= 0 ? (char)(high << 4 | low) : path.data[i];
		i += low >= 0 ? 2 : 0;
	}
	return (struct slice){ out, len };
}
