/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft: one call in the making. It owns the memory of the call (arena, bodies, chunks; all of it counted and capped)
 * until the call has been handed out, which may be a while after its end when the other end of the connection is
 * waited for.
 *
 *	draft_new		from the first head
 *	draft_body, draft_hole	as bodies come
 *	draft_hold		events of the answer before it is known whose they are
 *	draft_start		whose it is: request(), and event() for what was held
 *	draft_event		further events
 *	draft_finish		the exchange is over: response(), how it ended, finish(), what it lacks
 *	draft_shed		only the twin key stays
 *
 * Memory that is refused cuts what needed it, and the call says so (MISSING_BUDGET); only draft_new() can fail.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "call/aside.h"
#include "call/chunks.h"
#include "call/form.h"
#include "call/media.h"
#include "model/call.h"
#include "model/dialect.h"

struct held_part {
	struct held_part *next;
	struct message_part part;
};

/* What tells that two calls are one exchange seen at both ends; outlives the call's memory. */
struct twin_key {
	struct conn_info conn;
	bool is_server;
	bool has_name;      /* the request's head was seen */
	uint64_t name;      /* hash of method and path */
	int64_t body_bytes; /* of the request; -1: unknown */
	uint64_t start_ns, end_ns;
};

struct draft {
	struct alloc *alloc;
	struct alloc_heap heap; /* everything below but the chunks */
	struct chunks chunks;
	bool drops_chunks;
	struct call *call;
	void *state; /* the dialect's */
	bool is_started;
	struct slice path_decoded;
	uint64_t target; /* hash of path and whole query; 0: not seen */

	struct buf body[_MESSAGE_MAX];
	struct media media[_MESSAGE_MAX];             /* what of a body is not kept */
	struct form *form;                            /* of a request that is one */
	struct aside aside;                           /* what of the request lies aside, under call->aside */
	void (*aside_end)(void *user, uint64_t call); /* or NULL */
	void *aside_user;
	struct blob file[_MESSAGE_MAX]; /* of a body that is a picture, a sound, a film as a whole */
	bool is_file[_MESSAGE_MAX];
	uint64_t body_seen[_MESSAGE_MAX];  /* bytes, kept or not */
	bool body_is_broken[_MESSAGE_MAX]; /* a hole: what comes behind it does not belong to what came before */
	uint64_t body_cut[_MESSAGE_MAX];   /* bytes for which there was no memory */
	uint32_t hole_reasons[_MESSAGE_MAX];
	unsigned heads, ends; /* bit masks of enum message_kind: what was told */

	struct held_part *held, **held_tail;
	size_t held_count;

	uint64_t activity_ns;        /* the newest that was told */
	uint64_t answer_activity_ns; /* the same of the answer; 0: none */

	/* ---- while it waits for its twin, or is remembered for it ---- */
	struct draft *next;
	struct twin_key key;
	uint64_t turn; /* of a session: hash of its key, part of the name */
	uint64_t until_ns;
};

/* NULL: no memory even for the bare call. */
struct draft *draft_new(struct alloc *alloc, size_t bytes_max, const struct message_head *head);
struct draft *draft_free(struct draft *draft);
DEFINE_CLEANUP(struct draft *, draft_free)

/* Of messages (PART_MESSAGE) each is kept with its length before it: four bytes, the highest first. */
void draft_body(struct draft *draft, enum message_kind kind, const struct message_part *part);
/* The body is over: what stands for the file that is open in it can be written. */
void draft_body_end(struct draft *draft, enum message_kind kind);
void draft_hole(struct draft *draft, enum message_kind kind, enum missing_reason reason);
void draft_hold(struct draft *draft, const struct message_part *part);
void draft_start(struct draft *draft, const struct dialect *dialect);
void draft_event(struct draft *draft, const struct message_part *part);
/* @how, @close_ns: of the connection, where the messages' own ends do not tell. */
void draft_finish(struct draft *draft, enum close_how how, uint64_t close_ns);
void draft_shed(struct draft *draft);
/* The key of what is known so far. */
void draft_key_fill(struct draft *draft, const struct conn_info *conn);

static inline bool draft_has_end(const struct draft *draft, enum message_kind kind)
{
	return draft->ends & 1u << kind;
}

static inline bool draft_has_head(const struct draft *draft, enum message_kind kind)
{
	return draft->heads & 1u << kind;
}

/* All of the request that will ever come has come. */
static inline bool draft_request_is_over(const struct draft *draft)
{
	return draft_has_end(draft, MESSAGE_REQUEST) || !draft_has_head(draft, MESSAGE_REQUEST);
}
