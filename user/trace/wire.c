/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What travelled and how well it was seen. Nothing is guessed: an address needs evidence, a size needs every byte, and
 * what is not known is left out or says so.
 */
#include "base/cleanup.h"
#include "trace/address.h"
#include "trace/span.h"

static struct slice address_text(struct maker *maker, enum address_family family, const struct endpoint *endpoint)
{
	char text[ADDRESS_TEXT_MAX];
	struct slice copy = arena_dup(maker->arena, slice_of(address_write(family, endpoint->address, text)));

	if (!copy.data)
		maker->failed = true;
	return copy;
}

static bool peer_is_known(const struct peer *peer)
{
	return peer->evidence > PEER_HOST_HEADER && (peer->family == ADDRESS_INET || peer->family == ADDRESS_INET6);
}

/* "name", "name:port", "[v6]:port". */
static struct slice host_split(struct slice host, struct slice *ret_port)
{
	const char *colon = host.len ? memrchr(host.data, ':', host.len) : NULL;
	const char *bracket = host.len ? memrchr(host.data, ']', host.len) : NULL;

	*ret_port = SLICE_NONE;
	if (colon && (!bracket || colon > bracket)) {
		*ret_port = slice_from(host, (size_t)(colon - host.data) + 1);
		host.len = (size_t)(colon - host.data);
	}
	if (host.len > 1 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		host = (struct slice){ host.data + 1, host.len - 2 };
	return host;
}

/* A port's digits, or -1. */
static int64_t port_number(struct slice digits)
{
	int64_t port = 0;

	if (!digits.len || digits.len > 5)
		return -1;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return -1;
		port = port * 10 + (digits.data[i] - '0');
	}
	return port > 0 && port < 65536 ? port : -1;
}

static void put_server(struct maker *maker, const struct call *call)
{
	const struct peer *peer = &call->conn.peer;
	struct slice port, host = host_split(call->host, &port);

	if (host.len) {
		put_text(maker, "server.address", host);
		put_int(maker, "server.port",
			port_number(port) > 0              ? port_number(port)
			: call->conn.kind == CAPTURE_PLAIN ? 80
							   : 443);
	} else if (peer_is_known(peer)) {
		const struct endpoint *server = peer->is_accepted ? &peer->local : &peer->remote;

		put_text(maker, "server.address", address_text(maker, peer->family, server));
		put_int(maker, "server.port", server->port);
	}
}

void span_put_http(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;

	put_text(maker, "http.request.method", call->path.len || !call->protocol.len ? call->method : SLICE_NONE);
	if (call->status)
		put_int(maker, "http.response.status_code", call->status);
	if (!slice_equal(call->protocol, SLICE("jsonrpc")))
		put_text(maker, "url.path", call->path);
	put_text(maker, "url.query", call->query);
	if (call->path.len && !call->protocol.len)
		put_text(maker, "url.scheme", call->conn.kind == CAPTURE_PLAIN ? SLICE("http") : SLICE("https"));
	put_server(maker, call);
	put_text(maker, "network.protocol.name", call->protocol.len ? call->protocol : SLICE("http"));
	put_text(maker, "network.protocol.version", call->http_version);
	put_text(maker, "user_agent.original",
		 call_header(call->request_headers, call->request_header_count, SLICE("user-agent")));
	put_text(maker, "spantap.capture", slice_of(capture_kind_names[call->conn.kind]));
}

/* What a provider says of limits, waiting and its own time, by the beginning of the name. */
static const struct slice told_headers[] = {
	SLICE("x-endpoint-monthly-call-limit"),
	SLICE("x-trial-endpoint-call-"),
	SLICE("x-rate-limit-"),
	SLICE("ratelimit-"),
	SLICE("x-ratelimit-"),
	SLICE("anthropic-ratelimit-"),
	SLICE("ratelimitbysize-"),
	SLICE("retry-after"),
	SLICE("x-should-retry"),
	SLICE("openai-processing-ms"),
	SLICE("x-litellm-"),
};

static void put_told_headers(struct maker *maker, const struct call *call)
{
	for (size_t i = 0; i < call->response_header_count; i++) {
		const struct name_value *header = &call->response_headers[i];

		for (size_t j = 0; j < ARRAY_SIZE(told_headers); j++) {
			struct slice name;

			if (!slice_starts(header->name, told_headers[j]))
				continue;
			name = arena_printf(maker->arena, "http.response.header.%.*s", SLICE_FMT(header->name));
			if (name.data)
				put_texts(maker, name.data, &header->value, 1);
			else
				maker->failed = true;
			break;
		}
	}
}

static void put_peer(struct maker *maker, const struct call *call)
{
	const struct peer *peer = &call->conn.peer;
	enum peer_evidence evidence = peer->evidence;

	if (evidence == PEER_UNKNOWN && call->host.len)
		evidence = PEER_HOST_HEADER;
	put_text(maker, "spantap.peer_evidence", slice_of(peer_evidence_names[evidence]));
	if (peer->evidence > PEER_HOST_HEADER && peer->family == ADDRESS_UNIX)
		put_text(maker, "network.transport", SLICE("unix"));
	if (call->conn.kind == CAPTURE_PIPE)
		put_text(maker, "network.transport", SLICE("pipe"));
	if (!peer_is_known(peer))
		return;
	put_text(maker, "network.transport", SLICE("tcp"));
	put_text(maker, "network.type", peer->family == ADDRESS_INET ? SLICE("ipv4") : SLICE("ipv6"));
	put_text(maker, "network.peer.address", address_text(maker, peer->family, &peer->remote));
	put_int(maker, "network.peer.port", peer->remote.port);
}

static bool answer_was_there(const struct call *call)
{
	return call->status || call->response_is_late || call->response_end.stream_bytes;
}

void span_put_exchange(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;

	put_int(maker, "http.request.body.size", call->request_end.body_bytes);
	if (answer_was_there(call))
		put_int(maker, "http.response.body.size", call->response_end.body_bytes);
	put_int(maker, "spantap.request.stream_bytes", (int64_t)call->request_end.stream_bytes);
	put_int(maker, "spantap.response.stream_bytes", (int64_t)call->response_end.stream_bytes);
	put_int(maker, "spantap.request.missing_bytes", call->request_end.missing_bytes);
	put_int(maker, "spantap.response.missing_bytes", call->response_end.missing_bytes);
	put_text(maker, "spantap.request_id", call->request_id);
	put_peer(maker, call);
	put_told_headers(maker, call);
}

void span_put_completeness(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;
	bool others = source->role != SPAN_LOGICAL || source->others_complete;
	uint32_t mask = call->request_end.missing_reasons | call->response_end.missing_reasons;
	struct slice reasons[_MISSING_MAX];
	size_t count = 0;

	if (call->is_undecodable)
		mask |= 1u << MISSING_UNDECODABLE;
	if (call->request_is_late || call->response_is_late)
		mask |= 1u << MISSING_JOINED_LATE;
	put_bool(maker, "spantap.complete", call->is_complete && !call->is_undecodable && others);
	for (size_t i = 0; i < _MISSING_MAX; i++)
		if (mask & 1u << i)
			reasons[count++] = slice_of(missing_reason_names[i]);
	put_texts(maker, "spantap.missing_reason", reasons, count);
	put_text(maker, "spantap.end", slice_of(call_end_names[call->end]));
}
