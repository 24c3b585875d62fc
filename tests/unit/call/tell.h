/* SPDX-License-Identifier: Apache-2.0 */
/* What proto would tell of an exchange. Time is in milliseconds; all slices die with each call. */
#pragma once
#include "call/call.h"
#include "unit/support.h"

#define MS 1000000ull

/* The process is the client unless said otherwise. */

struct ask {
	const char *method, *target, *authority, *version;
	const struct header *headers;
	size_t header_count;
	bool is_server;
};

static inline struct slice text_or(const char *text, const char *other)
{
	return slice_of(text ? text : other);
}

static inline void tell_request(struct call_conn *conn, uint64_t number, struct ask ask, uint64_t ms)
{
	struct message_head head = {
		.kind = MESSAGE_REQUEST,
		.dir = ask.is_server ? DIR_READ : DIR_WRITE,
		.version = text_or(ask.version, "1.1"),
		.method = text_or(ask.method, "POST"),
		.target = text_or(ask.target, "/v1/fake"),
		.authority = text_or(ask.authority, "api.example"),
		.headers = ask.headers,
		.header_count = ask.header_count,
		.time_ns = ms * MS,
	};

	call_on_head(conn, number, &head, 77);
}

static inline void tell_response(struct call_conn *conn, uint64_t number, int status, const char *type, uint64_t ms)
{
	struct header header = { SLICE("content-type"), slice_of(type) };
	struct message_head head = { .kind = MESSAGE_RESPONSE,
				     .dir = DIR_READ,
				     .version = SLICE("1.1"),
				     .status = status,
				     .headers = &header,
				     .header_count = 1,
				     .time_ns = ms * MS };

	call_on_head(conn, number, &head, 78);
}

static inline void tell_part(struct call_conn *conn, uint64_t number, enum message_kind kind, enum part_kind part_kind,
			     struct slice data, uint64_t ms)
{
	/* A copy that dies at once: who keeps a view of it is found out. */
	char *copy = data.len ? memcpy(malloc(data.len), data.data, data.len) : NULL;
	struct message_part part = { .kind = part_kind, .data = { copy, data.len }, .time_ns = ms * MS };

	call_on_part(conn, number, kind, &part);
	free(copy);
}

static inline void tell_body(struct call_conn *conn, uint64_t number, enum message_kind kind, const char *text,
			     uint64_t ms)
{
	tell_part(conn, number, kind, PART_BYTES, slice_of(text), ms);
}

static inline void tell_event(struct call_conn *conn, uint64_t number, const char *text, uint64_t ms)
{
	tell_part(conn, number, MESSAGE_RESPONSE, PART_EVENT, slice_of(text), ms);
}

static inline void tell_end(struct call_conn *conn, uint64_t number, enum message_kind kind, uint64_t stream_bytes,
			    uint64_t ms)
{
	struct message_end end = { .how = MESSAGE_END_FRAMED,
				   .body_bytes = (int64_t)stream_bytes / 2,
				   .stream_bytes = stream_bytes,
				   .time_ns = ms * MS };

	call_on_end(conn, number, kind, &end);
}

static inline void tell_cut(struct call_conn *conn, uint64_t number, enum message_kind kind, enum close_how how,
			    uint64_t ms)
{
	struct message_end end = { .how = MESSAGE_END_CUT, .conn_how = how, .stream_bytes = 10, .time_ns = ms * MS };

	call_on_end(conn, number, kind, &end);
}

/* A whole request, from @ms to @ms + 1: 100 bytes of stream, 50 of body. */
static inline void tell_ask(struct call_conn *conn, uint64_t number, struct ask ask, const char *body, uint64_t ms)
{
	tell_request(conn, number, ask, ms);
	tell_body(conn, number, MESSAGE_REQUEST, body, ms + 1);
	tell_end(conn, number, MESSAGE_REQUEST, 100, ms + 1);
}

/* A whole plain answer: 200 bytes of stream. */
static inline void tell_answer(struct call_conn *conn, uint64_t number, const char *body, uint64_t ms)
{
	tell_response(conn, number, 200, "application/json", ms);
	tell_body(conn, number, MESSAGE_RESPONSE, body, ms + 1);
	tell_end(conn, number, MESSAGE_RESPONSE, 200, ms + 1);
}

/* A client of a host elsewhere. */
static inline struct conn_info remote_conn(uint64_t id)
{
	struct conn_info info = { .id = id, .kind = CAPTURE_OPENSSL };

	info.peer = (struct peer){ .family = ADDRESS_INET, .evidence = PEER_BIO, .netns = 1 };
	info.peer.local = (struct endpoint){ .address = { 10, 0, 0, 1 }, .port = (uint16_t)(40000 + id) };
	info.peer.remote = (struct endpoint){ .address = { 93, 184, 216, 34 }, .port = 443 };
	return info;
}
