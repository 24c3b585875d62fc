/* SPDX-License-Identifier: Apache-2.0 */
/* A world around the tracker: two dialects, a memory that can fail, and a list of what was told. */
#pragma once
#include "call/call.h"
#include "unit/call/dialects.h"
#include "unit/call/tell.h"
#include <stdio.h>

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
	uint64_t no_call_bytes, told_bytes, shed_bytes;
	unsigned mutes, mutes_alike, denies, asked;
	struct conn_info asked_conn;             /* of the newest request that was told */
	struct message_end so_far[_MESSAGE_MAX]; /* what proto would answer; without bytes: nothing is open */
	void (*at_done)(struct world *world, const struct call *call);
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

static inline void world_verdict(void *user, uint64_t conn, enum verdict verdict, uint64_t alike)
{
	struct world *world = user;

	assert_int_equal(verdict == VERDICT_MUTE_ALIKE, alike != 0);
	world->mutes += verdict == VERDICT_MUTE;
	world->mutes_alike += verdict == VERDICT_MUTE_ALIKE;
	world->denies += verdict == VERDICT_DENY;
}

static inline bool world_serves_models(void *user, struct slice host, struct slice path)
{
	return slice_equal(host, SLICE("api.fake.test"));
}

static inline void world_no_call(void *user, uint64_t bytes)
{
	struct world *world = user;

	world->no_call_bytes += bytes;
}

static inline bool world_so_far(void *user, uint64_t conn, uint64_t exchange, enum message_kind kind,
				struct message_end *ret)
{
	struct world *world = user;

	*ret = world->so_far[kind];
	return ret->stream_bytes > 0;
}

static inline void world_shed(void *user, uint64_t bytes)
{
	struct world *world = user;

	world->shed_bytes += bytes;
}

static inline void world_asked(void *user, const struct call *call)
{
	struct world *world = user;

	world->asked++;
	world->asked_conn = call->conn;
}

static const struct call_ops world_ops = { .find = world_find,
					   .asked = world_asked,
					   .done = world_done,
					   .verdict = world_verdict,
					   .serves_models = world_serves_models,
					   .so_far = world_so_far,
					   .no_call = world_no_call,
					   .shed = world_shed };

enum { WORLD_CALL_BYTES = 1 << 20 };

/* False: no memory, where memory is made to fail. */
static inline bool world_open(struct world *world)
{
	struct call_opts opts = { .alloc = &world->memory.alloc,
				  .call_bytes_max = WORLD_CALL_BYTES,
				  .pair_wait_ns = 2000 * MS,
				  .idle_ns = 1800 * 1000 * MS };

	world->memory.alloc.resize = fail_alloc_resize;
	return call_tracker_new(&opts, &world_ops, world, &world->tracker) == 0;
}

/* All memory came back. */
static inline void world_close(struct world *world)
{
	world->tracker = call_tracker_free(world->tracker);
	assert_int_equal(world->memory.used, 0);
}

static inline struct call_conn *world_connect(struct world *world)
{
	struct conn_info info = remote_conn(1);

	return call_conn_open(world->tracker, &info);
}
