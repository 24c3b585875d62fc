/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where bytes come from: one TLS object or one plain socket of one process, in one generation of its life. The kernel side
 * gives each a number that is never used again; everything else about it is an attribute with a stated strength.
 */
#pragma once
#include "model/process.h"

enum direction { DIR_READ, DIR_WRITE, _DIR_MAX }; /* as the process sees it: a client writes requests */

static inline enum direction direction_other(enum direction dir)
{
	return dir == DIR_READ ? DIR_WRITE : DIR_READ;
}

enum capture_kind {
	CAPTURE_OPENSSL,
	CAPTURE_BORINGSSL,
	CAPTURE_PLAIN, /* TCP or unix socket, by syscall */
	CAPTURE_PIPE,  /* pipe between a process and its child */
	CAPTURE_RUSTLS,
	CAPTURE_GO,
	CAPTURE_GNUTLS,
	_CAPTURE_MAX,
};

/* How the peer is known, weakest first (the order is compared). */
enum peer_evidence {
	PEER_UNKNOWN,
	PEER_HOST_HEADER, /* only the name that the client wrote into its request */
	PEER_NESTED,      /* socket call inside the TLS call, same thread */
	PEER_CIPHERTEXT,  /* the record that TLS made is the one that was sent */
	PEER_BIO,         /* the TLS object names its descriptor (typed BIO) */
	PEER_SOCKET,      /* the connection is the socket */
	_PEER_MAX,
};

enum address_family { ADDRESS_NONE, ADDRESS_INET, ADDRESS_INET6, ADDRESS_UNIX };

struct endpoint {
	uint8_t address[16]; /* IPv4: first four bytes, network order */
	uint16_t port;       /* host order */
};

struct peer {
	enum address_family family;
	enum peer_evidence evidence;
	struct endpoint local, remote;
	uint64_t netns;  /* inode of the network namespace: a 4-tuple is unique only inside it */
	uint64_t socket; /* inode number; pairs the two ends of a unix socket through unix_peer */
	uint64_t unix_peer;
	bool is_accepted; /* this end is asked: the process is the server of the call that is told */
};

struct conn_info {
	uint64_t id;
	struct process_id process;
	enum capture_kind kind;
	bool is_late;    /* its first bytes passed before we looked */
	bool is_pending; /* its socket will tell whether it goes on with a connection that is known already */
	uint64_t opened_ns;
	/* Of the process, as the kernel had it when the connection was opened: */
	uint32_t parent_pid, uid;
	char comm[16];
	struct peer peer; /* grows stronger during life */
};

/* Why a connection is over. */
enum close_how {
	CLOSE_UNKNOWN,
	CLOSE_LOCAL,  /* this process closed it or freed the TLS object */
	CLOSE_REMOTE, /* the peer closed first (FIN) */
	CLOSE_RESET,  /* RST or error */
	CLOSE_EXIT,   /* the process ended */
};

enum missing_reason {
	MISSING_RING_FULL,
	MISSING_FAULT,
	MISSING_BUDGET,
	MISSING_JOINED_LATE,
	MISSING_UNDECODABLE,
	MISSING_POLICY,
	_MISSING_MAX,
};

/* What @conn, which was pending and is over by that, carried in @dir passed on @into, from @offset on. */
struct conn_join {
	uint64_t conn, into;
	enum direction dir;
	uint64_t offset;
	enum missing_reason reason; /* of what is missing before @offset */
	bool is_behind_loss;        /* and that it is known to be lost: nothing of it is waited for */
	uint64_t time_ns;
};

extern const char *const missing_reason_names[_MISSING_MAX]; /* INTERFACE: spantap.missing_reason */
extern const char *const capture_kind_names[_CAPTURE_MAX];
extern const char *const peer_evidence_names[_PEER_MAX];
