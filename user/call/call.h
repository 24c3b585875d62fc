/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call: follows each exchange from its head to its end, asks the dialects whose it is, keeps what they need, measures time
 * and completeness, and hands out one struct call when it is over. Exchanges that are of no dialect and do not look like a
 * model call end silently; the verdict tells the kernel side to stop copying them.
 *
 * Both ends of one connection seen (client and server on one host) give one call: the client's, with `other` filled. They
 * are paired by addresses and namespace, or by the sockets' inodes; the server's waits pair_wait_ns for its client.
 *
 * Pure. Headers are allow-listed here: nothing of any other header is ever kept, but the credential for its fingerprint.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "model/aside.h"
#include "model/call.h"
#include "model/dialect.h"

struct call_tracker;

struct call_opts {
	struct alloc *alloc;
	size_t call_bytes_max; /* memory of one call; beyond it bodies are cut and say so (MISSING_BUDGET) */
	uint64_t pair_wait_ns; /* how long one end of a connection waits for the other's call */
	bool drops_chunks;     /* nobody wants the events of streamed answers one by one */
	bool defers_messages;  /* nobody wants gen_ai.input.messages */
	bool lays_aside;       /* long texts of requests need not be kept in memory: ops->aside() takes them */
	uint64_t idle_ns;      /* an exchange silent this long is ended as unknown */
};

struct call_ops {
	/* Best dialect for the hint, or NULL; *ret_score is 0 then. */
	const struct dialect *(*find)(void *user, const struct dialect_hint *hint, unsigned *ret_score);
	/* A request is out whole, and its answer is still to come: of the call only the request's side is there. Of an exchange
	 * whose both ends are on this host the client's alone. May be NULL. */
	void (*asked)(void *user, const struct call *call);
	/* A call is over. The call and its arena are dead when this returns. */
	void (*done)(void *user, struct call *call);
	/* @alike, of VERDICT_MUTE_ALIKE: of which requests (tracker.h). */
	void (*verdict)(void *user, uint64_t conn, enum verdict verdict, uint64_t alike);
	/* Whether the host is known to serve models, by that path at least. May be NULL. */
	bool (*serves_models)(void *user, struct slice host, struct slice path);
	/* What is known so far of a message whose end was not told; false: nothing. May be NULL. */
	bool (*so_far)(void *user, uint64_t conn, uint64_t exchange, enum message_kind kind, struct message_end *ret);
	/* Plaintext bytes that belonged to no call, for the ledger. */
	void (*no_call)(void *user, uint64_t bytes);
	/* A long text of the request of @call, for call->aside (aside.h). true: it lies aside under *ret. Asked where opts->lays_aside. */
	bool (*aside)(void *user, const struct conn_info *conn, const struct call *call, struct slice text,
		      struct aside_id *ret);
	/* The call with that number will not be told. Of one that was, its taker says when its texts are not needed any more. */
	void (*aside_end)(void *user, uint64_t call);
	/* Bytes of an exchange for which there was no memory from the start. */
	void (*shed)(void *user, uint64_t bytes);
};

int call_tracker_new(const struct call_opts *opts, const struct call_ops *ops, void *user, struct call_tracker **ret);
struct call_tracker *call_tracker_free(struct call_tracker *tracker);
DEFINE_CLEANUP(struct call_tracker *, call_tracker_free)

struct call_conn; /* one connection's exchanges */

struct call_conn *call_conn_open(struct call_tracker *tracker, const struct conn_info *conn);
void call_conn_peer(struct call_conn *conn, const struct conn_info *info);
/* The connection is over and all ends were told. The handle is dead afterwards. */
void call_conn_close(struct call_conn *conn, enum close_how how, uint64_t time_ns);

/* As proto tells them; @thread: who moved the bytes. */
void call_on_head(struct call_conn *conn, uint64_t exchange, const struct message_head *head, uint32_t thread);
void call_on_part(struct call_conn *conn, uint64_t exchange, enum message_kind kind, const struct message_part *part);
void call_on_hole(struct call_conn *conn, uint64_t exchange, enum message_kind kind, enum missing_reason reason,
		  uint64_t time_ns);
void call_on_end(struct call_conn *conn, uint64_t exchange, enum message_kind kind, const struct message_end *end);

void call_tick(struct call_tracker *tracker, uint64_t now_ns);
/* Calls that wait for their other end: time must be told while there are any. */
size_t call_waiting(const struct call_tracker *tracker);
/* Ends and hands out everything that is open: the end of a run or of a recording. */
void call_flush(struct call_tracker *tracker, uint64_t now_ns);
