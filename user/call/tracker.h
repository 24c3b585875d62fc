/* SPDX-License-Identifier: Apache-2.0 */
/* tracker: what call.c, exchange.c and pair.c share: the tracker, its connections, their exchanges, oldest first. */
#pragma once
#include "call/call.h"
#include "call/draft.h"

struct session;

struct exchange {
	struct exchange *next;
	uint64_t number;
	struct draft *draft;           /* NULL: nobody's, or its call is over and its ends may still come */
	bool is_nobodys;               /* of no dialect: its bytes belong to no call */
	bool may_mute;                 /* the same, and the kernel side need not copy what is to come of it */
	bool is_strange;               /* the same, and nothing of it was missed that could have told otherwise */
	bool is_shed;                  /* there was no memory for it: nobody can say whose it was */
	bool may_feed;                 /* a stream that may bring answers to others (feed.h) */
	uint64_t alike;                /* strange_alike() of its request */
	uint64_t feed;                 /* it does: feed_target() of its endpoint */
	struct session *session;       /* it became a socket; draft then is what its turns have in common */
	uint64_t turned[_MESSAGE_MAX]; /* of its stream_bytes: those that belong to turns */
	unsigned heads, ends, looks;   /* bit masks of enum message_kind: was told, was told, was looked at early */
};

struct call_conn {
	struct call_conn *next, **place; /* of the tracker; *place is this one */
	struct call_tracker *tracker;
	struct conn_info info;
	struct exchange *first, **tail;
	size_t count;
	uint64_t strangers, strange_bytes; /* that are alike, and their bytes */
	uint64_t alike;                    /* by which they are */
	bool is_refused;                   /* more of them is not copied */
	bool is_wanted;                    /* it had a call, or what may have been one */
};

struct call_tracker {
	struct call_opts opts;
	const struct call_ops *ops;
	void *user;
	struct call_conn *conns;
	struct draft *ended, **ended_tail; /* over, but waiting for the twin, or told and remembered for it */
	size_t ended_count;
	struct draft *awaited; /* over, but their answers come elsewhere (feed.h) */
	size_t awaited_count;
	uint64_t asides; /* the last number of a call with texts that lie aside */
};

/* ---- exchange.c ---- */
struct exchange *exchange_find(struct call_conn *conn, uint64_t number);
/* NULL: no memory. */
struct exchange *exchange_open(struct call_conn *conn, uint64_t number, const struct message_head *head);
void exchange_head(struct call_conn *conn, struct exchange *ex, const struct message_head *head, uint32_t thread);
void exchange_part(struct call_conn *conn, struct exchange *ex, enum message_kind kind,
		   const struct message_part *part);
void exchange_hole(struct call_conn *conn, struct exchange *ex, enum message_kind kind, enum missing_reason reason,
		   uint64_t time_ns);
void exchange_end(struct call_conn *conn, struct exchange *ex, enum message_kind kind, const struct message_end *end);
/* Hands its call out, or counts its bytes when nobody wants it. */
void exchange_finish(struct call_conn *conn, struct exchange *ex, enum close_how how, uint64_t close_ns);
/* The same now, and of what is no call the bytes whose messages are still open. */
void exchange_flush(struct call_conn *conn, struct exchange *ex, uint64_t now_ns);
/* Whose it is, by all that is there of it: its dialect begins, if there is one. */
void exchange_start(struct call_conn *conn, struct exchange *ex);
/* Nothing more will be told of it. */
bool exchange_is_over(const struct exchange *ex);
void exchange_free(struct call_conn *conn, struct exchange *ex);

/* Whose a message of a session is: the best dialect, or NULL. */
const struct dialect *exchange_ask(struct call_conn *conn, const struct draft *draft, enum message_kind kind,
				   struct slice message);
/* Nobody's: its bytes so far belong to no call, and the kernel side may stop copying. */
void exchange_pass(struct call_conn *conn, struct exchange *ex);

/* ---- session.c ---- */
/* Whether a request asks for a socket, whether a head says that it is one. */
bool session_is_asked(const struct message_head *head);
bool session_begins(const struct message_head *head);
/* false: no memory. */
bool session_open(struct call_conn *conn, struct exchange *ex);
void session_part(struct call_conn *conn, struct exchange *ex, enum message_kind kind, const struct message_part *part);
void session_hole(struct call_conn *conn, struct exchange *ex, enum message_kind kind, enum missing_reason reason);
/* Answers that waited too long for an older request are told without one. */
void session_tick(struct call_conn *conn, struct exchange *ex, uint64_t now_ns);
/* One side said that it is over. */
void session_close(struct exchange *ex, enum message_kind kind, const struct message_end *end);
/* Ends its open turns. */
void session_finish(struct call_conn *conn, struct exchange *ex, enum close_how how, uint64_t close_ns);
void session_free(struct exchange *ex);

/* ---- strange.c ---- */
/* Requests of which this is the same are alike: FNV-1a (64 bit) of method, space, target, space. 0: like no other; it is not of
 * HTTP/1, or longer than 128 bytes. */
uint64_t strange_alike(const struct message_head *head);
/* Whether an exchange that nobody wants is a stranger. */
bool strange_is(const struct call_conn *conn, const struct exchange *ex);
/* @bytes more of such an exchange, or its end. */
void strange_count(struct call_conn *conn, const struct exchange *ex, uint64_t bytes);
/* Says that the rest of the newest exchange is not wanted, if that is so, and none before it is open that may be. */
void strange_mute(struct call_conn *conn);

/* ---- call.c ---- */
/* Of the message's bytes those that came this far. */
uint64_t end_captured_bytes(const struct message_end *end);

/* ---- pair.c ---- */
/* Takes the finished draft: tells it, drops it for its twin, or lets it wait until @until_ns. */
void pair_settle(struct call_tracker *tracker, struct draft *draft, uint64_t until_ns);
/* It is the server's end of an exchange whose client is probably seen too, and told instead. */
bool pair_waits_for_client(const struct twin_key *key);
void pair_peer(struct call_tracker *tracker, const struct conn_info *info);
void pair_tick(struct call_tracker *tracker, uint64_t now_ns);
/* Tells all that wait and forgets the rest. */
void pair_flush(struct call_tracker *tracker);
/* The same, silently. */
void pair_clear(struct call_tracker *tracker);
