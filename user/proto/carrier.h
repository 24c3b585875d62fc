/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam between proto and its carriers. A carrier is one file and one row in proto.c: it says from a connection's first
 * bytes whether they are its own, and then gets everything of it. It tells through proto->ops (see outgoing.h) and accounts for
 * every byte: as part of a message that is told, or in proto->stray_bytes.
 */
#pragma once
#include "proto/proto.h"

enum sniff { SNIFF_NO, SNIFF_MAYBE, SNIFF_YES };
enum { SNIFF_BYTES = 24 }; /* by then every carrier has made up its mind: HTTP/2's preface is this long */

/* What a carrier leaves to the next, when both ends agreed (101) to go on in another protocol. */
struct hand_on {
	enum direction client;
	uint64_t exchange;     /* of the request that asked for it, told and over; 0: unknown */
	uint64_t answer_bytes; /* passed of its answer, and not told */
	bool is_skipped;
};

struct carrier {
	const char *name;
	bool begins_late; /* the bytes that it knows are of a connection's middle */
	enum sniff (*sniff)(struct slice first);
	/* @is_late: the first bytes to come are not the connection's first. NULL: no memory. */
	void *(*open)(struct proto *proto, bool is_late);
	/* As another's successor, from the next byte of each direction on. NULL: no memory; no function: it never is one. */
	void *(*take_over)(struct proto *proto, const struct hand_on *from);
	void (*bytes)(void *state, enum direction dir, uint64_t time_ns, struct slice data);
	void (*hole)(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns);
	/* No message is open in @dir, and the next byte begins one. NULL: nobody asks. */
	bool (*is_between)(const void *state, enum direction dir);
	void (*end)(void *state, enum close_how how, uint64_t time_ns);
	void (*skip)(void *state, uint64_t exchange);
	/* As proto_so_far(); NULL where messages are told whole, with their ends. */
	bool (*so_far)(const void *state, uint64_t exchange, enum message_kind kind, struct message_end *ret);
	void (*free)(void *state);
};

extern const struct carrier carrier_http1, carrier_http2, carrier_jsonrpc, carrier_postgres, carrier_redis,
	carrier_mongodb, carrier_late;
extern const struct carrier carrier_websocket_late; /* of connections joined in their middle only */

/* A direction's first bytes, kept until a carrier knows them. */
struct proto_first {
	char bytes[SNIFF_BYTES];
	size_t len;
	uint64_t time_ns;
};

struct proto {
	struct proto_opts opts;
	const struct proto_ops *ops;
	void *user;
	const struct carrier *carrier; /* NULL before it is known */
	void *state;
	const struct carrier *next; /* takes over when the carrier returns, first what it left */
	void *next_state;
	struct slice left;
	bool is_late;    /* joined in its middle */
	bool is_quiet;   /* of no use, as was told: all is stray */
	bool is_starved; /* quiet for lack of memory */
	uint64_t exchanges;
	uint64_t stray_bytes;
	struct proto_first first[_DIR_MAX];
	enum direction first_dir; /* spoke first */
};

/* What comes now is of no carrier that we have. The carrier is told nothing more but its end. */
void proto_give_up(struct proto *proto);
/* The calling carrier ends here: it returns at once, with what it did not take in proto->left, and is told only its end. */
void proto_hand_on(struct proto *proto, const struct carrier *carrier, const struct hand_on *from);
