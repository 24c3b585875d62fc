/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world around the tracker: two dialects, a memory that can fail, and a list of what was told. Time is in milliseconds.
 * The dialect checks the order in which it is called; "fake" is known by its path or its answer, "guess" by both bodies.
 */
#pragma once
#include "call/call.h"
#include "unit/support.h"
#include <stdio.h>

#define MS 1000000ull

enum { TOLD_MAX = 64, TEXT_MAX = 4096 };

struct told {
	struct call call; /* its slices are dead; the texts below are copies */
	char path[256], query[128], host[128], credential[128], request_id[128], outputs[TEXT_MAX], request[TEXT_MAX];
};

struct world {
	struct fail_alloc memory;
	struct call_tracker *tracker;
	struct told told[TOLD_MAX];
	size_t count;
	uint64_t no_call_bytes, told_bytes;
	unsigned mutes;
	void (*at_done)(struct world *world, const struct call *call);
};

struct fake_state {
	unsigned requests, responses, finishes;
	struct buf text;
};

static inline unsigned fake_recognise(const struct dialect_hint *hint)
{
	if (slice_ends(hint->path, SLICE("/fake")))
		return 50;
	return slice_contains(hint->response_body, SLICE("\"fake\"")) ? 20 : 0;
}

static inline unsigned guess_recognise(const struct dialect_hint *hint)
{
	return slice_contains(hint->request_body, SLICE("\"model\"")) &&
			       slice_contains(hint->response_body, SLICE("\"words\"")) ?
		       5 :
		       0;
}

static inline void fake_request(struct call *call, void *state)
{
	struct fake_state *fake = state;

	assert_int_equal(fake->requests++, 0);
	call->operation = OPERATION_CHAT;
}

static inline enum dialect_event fake_event(struct call *call, void *state, const struct message_part *part)
{
	struct fake_state *fake = state;
	struct slice old = call->outputs;

	assert_int_equal(fake->requests, 1);
	assert_int_equal(fake->finishes, 0);
	if (slice_equal(part->data, SLICE("[DONE]")))
		return DIALECT_EVENT_END;
	if (slice_contains(part->data, SLICE("\"error\"")))
		call->has_error = call->error.in_band = true;
	call->outputs = arena_printf(call->arena, "%.*s%.*s", SLICE_FMT(old), SLICE_FMT(part->data));
	if (slice_contains(part->data, SLICE("\"last\"")))
		return DIALECT_EVENT_LAST;
	return slice_contains(part->data, SLICE("\"text\"")) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static inline void fake_response(struct call *call, void *state)
{
	struct fake_state *fake = state;

	assert_int_equal(fake->requests, 1);
	assert_int_equal(fake->responses++, 0);
	assert_false(call->is_stream);
	call->outputs = call->response_body;
	call->is_undecodable = slice_contains(call->response_body, SLICE("garbage"));
}

static inline void fake_finish(struct call *call, void *state)
{
	struct fake_state *fake = state;

	assert_int_equal(fake->requests, 1);
	assert_int_equal(fake->finishes++, 0);
}

static const struct dialect fake_dialects[] = {
	{ .name = "fake", .state_size = sizeof(struct fake_state), .keeps_chunks = true, .recognise = fake_recognise,
	  .request = fake_request, .event = fake_event, .response = fake_response, .finish = fake_finish },
	{ .name = "guess", .state_size = sizeof(struct fake_state), .recognise = guess_recognise, .request = fake_request,
	  .event = fake_event, .response = fake_response, .finish = fake_finish },
};

static inline const struct dialect *world_find(void *user, const struct dialect_hint *hint, unsigned *ret_score)
{
	const struct dialect *best = NULL;

	*ret_score = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fake_dialects); i++) {
		unsigned score = fake_dialects[i].recognise(hint);

		if (score > *ret_score) {
			*ret_score = score;
			best = &fake_dialects[i];
		}
	}
	return best;
}

static inline void text_copy(char *to, size_t size, struct slice from)
{
	snprintf(to, size, "%.*s", SLICE_FMT(from));
}

static inline void world_done(void *user, struct call *call)
{
	struct world *world = user;
	struct told *told = &world->told[world->count++ % TOLD_MAX];

	world->told_bytes += call->request_end.stream_bytes + call->response_end.stream_bytes;
	told->call = *call;
	text_copy(told->path, sizeof(told->path), call->path);
	text_copy(told->query, sizeof(told->query), call->query);
	text_copy(told->host, sizeof(told->host), call->host);
	text_copy(told->credential, sizeof(told->credential), call->credential);
	text_copy(told->request_id, sizeof(told->request_id), call->request_id);
	text_copy(told->outputs, sizeof(told->outputs), call->outputs);
	text_copy(told->request, sizeof(told->request), call->request_body);
	if (world->at_done)
		world->at_done(world, call);
}

static inline void world_verdict(void *user, uint64_t conn, enum verdict verdict)
{
	struct world *world = user;

	assert_int_equal(verdict, VERDICT_MUTE);
	world->mutes++;
}

static inline void world_no_call(void *user, uint64_t bytes)
{
	struct world *world = user;

	world->no_call_bytes += bytes;
}

static const struct call_ops world_ops = { .find = world_find, .done = world_done, .verdict = world_verdict,
					   .no_call = world_no_call };

enum { WORLD_CALL_BYTES = 1 << 20 };

/* False: no memory, where memory is made to fail. */
static inline bool world_open(struct world *world)
{
	struct call_opts opts = { .alloc = &world->memory.alloc, .call_bytes_max = WORLD_CALL_BYTES,
				  .pair_wait_ns = 2000 * MS, .idle_ns = 1800 * 1000 * MS };

	world->memory.alloc.resize = fail_alloc_resize;
	return call_tracker_new(&opts, &world_ops, world, &world->tracker) == 0;
}

/* All memory came back. */
static inline void world_close(struct world *world)
{
	world->tracker = call_tracker_free(world->tracker);
	assert_int_equal(world->memory.used, 0);
}

static inline struct conn_info remote_conn(uint64_t id)
{
	struct conn_info info = { .id = id, .kind = CAPTURE_OPENSSL };

	info.peer = (struct peer){ .family = ADDRESS_INET, .evidence = PEER_BIO, .netns = 1 };
	info.peer.local = (struct endpoint){ .address = { 10, 0, 0, 1 }, .port = (uint16_t)(40000 + id) };
	info.peer.remote = (struct endpoint){ .address = { 93, 184, 216, 34 }, .port = 443 };
	return info;
}

static inline struct call_conn *world_connect(struct world *world)
{
	struct conn_info info = remote_conn(1);

	return call_conn_open(world->tracker, &info);
}

/* ---- what proto would tell; the process is the client unless said otherwise ---- */

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
		.kind = MESSAGE_REQUEST, .dir = ask.is_server ? DIR_READ : DIR_WRITE, .version = text_or(ask.version, "1.1"),
		.method = text_or(ask.method, "POST"), .target = text_or(ask.target, "/v1/fake"),
		.authority = text_or(ask.authority, "api.example"), .headers = ask.headers, .header_count = ask.header_count,
		.time_ns = ms * MS,
	};

	call_on_head(conn, number, &head, 77);
}

static inline void tell_response(struct call_conn *conn, uint64_t number, int status, const char *type, uint64_t ms)
{
	struct header header = { SLICE("content-type"), slice_of(type) };
	struct message_head head = { .kind = MESSAGE_RESPONSE, .dir = DIR_READ, .version = SLICE("1.1"), .status = status,
				     .headers = &header, .header_count = 1, .time_ns = ms * MS };

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

static inline void tell_body(struct call_conn *conn, uint64_t number, enum message_kind kind, const char *text, uint64_t ms)
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
	struct message_end end = { .how = MESSAGE_END_FRAMED, .body_bytes = (int64_t)stream_bytes / 2,
				   .stream_bytes = stream_bytes, .time_ns = ms * MS };

	call_on_end(conn, number, kind, &end);
}

static inline void tell_cut(struct call_conn *conn, uint64_t number, enum message_kind kind, enum close_how how, uint64_t ms)
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
