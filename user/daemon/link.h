/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: what the two halves say to each other over a socketpair. Each message is one datagram: a type, then its payload.
 * The attacher trusts nothing that comes from the pipeline but process numbers; what else it is told of a process is believed of
 * that one, and only when it is gone.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "model/process.h"

enum link_type {
	LINK_FDS,    /* attacher: struct link_fds, with four descriptors */
	LINK_ORIGIN, /* attacher: origin_pack() */
	LINK_SWEPT,  /* attacher: struct link_swept */
	LINK_DRAIN,  /* attacher: uint32_t milliseconds; end when all is delivered, then */
	LINK_DONE,   /* pipeline: text of the summary */
	LINK_READY,  /* pipeline: nothing; it reads the ring */
	LINK_WHO, /* pipeline: struct link_who; the attacher answers with LINK_ORIGIN, of what it was told if it knows no more */
	LINK_EXITED, /* pipeline: struct process_id; it has ended. The attacher answers with what it knows of its connections
		      * (LINK_SWEPT), then with the same */
	_LINK_MAX,
};

enum { LINK_BYTES_MAX = 128 << 10, LINK_FD_COUNT = 4 };

struct link_fds {
	uint64_t ring_bytes;
	int fds[LINK_FD_COUNT]; /* ring, control, ledger, verdicts; set by the receiver */
};

struct link_swept {
	uint64_t conn;
	uint64_t end[2];
	uint8_t how, reason;
	uint8_t pad[6];
};

struct link_who { /* as the kernel had it when the process opened a connection */
	struct process_id process;
	uint32_t parent_pid, uid;
	char comm[16];
};

int link_pair(int ret[2]);
/* 0 or negative errno. @fds: NULL or LINK_FD_COUNT of them. */
int link_send(int fd, enum link_type type, const void *payload, size_t len, const int *fds);
/* A question of the pipeline. -EAGAIN: the attacher has too many already. It never waits: the attacher may be waiting for the
 * pipeline to read. */
int link_ask(int fd, enum link_type type, const void *payload, size_t len);
/* Nothing is read from now on: who sends is told so at once, and waits no more. */
void link_read_no_more(int fd);
/* 1 and a message (payload in @buffer, LINK_BYTES_MAX), 0 when the other half is gone, -EAGAIN: none waits. */
int link_receive(int fd, char *buffer, enum link_type *ret_type, struct slice *ret_payload, int ret_fds[LINK_FD_COUNT]);

/* Facts of a process as bytes: for the link and for recordings. */
void origin_pack(const struct origin *origin, struct buf *out);
/* -EBADMSG. Slices are in @arena. */
int origin_unpack(struct slice bytes, struct arena *arena, struct origin *ret);
