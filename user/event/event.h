/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event: the kernel side's records (bpf/abi.h) come in, from the ring or from a recorded file, and are checked before anyone
 * believes them. The recorder writes them as they are.
 *
 * A file: 64 bytes of head, then frames {u32 length of the payload, u32 kind, payload, padding to 8}. Little-endian.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "model/conn.h"
#include "model/message.h"

struct event_chunk {
	uint64_t conn;
	enum direction dir;
	uint64_t offset, time_ns;
	uint32_t thread;
	struct slice data;
	uint64_t hole_len;
	enum missing_reason reason;
	bool is_unwanted;    /* what is missing before it is whole messages of no interest */
	bool is_behind_loss; /* what is missing before it is known to be lost */
};

struct event_close {
	uint64_t conn;
	uint64_t end[_DIR_MAX];
	enum close_how how;
	enum missing_reason reason;
	uint64_t time_ns;
};

struct event_ops {
	void (*open)(void *user, const struct conn_info *conn);
	void (*peer)(void *user, uint64_t conn, const struct peer *peer);
	void (*chunk)(void *user, const struct event_chunk *chunk);
	void (*close)(void *user, const struct event_close *close);
	void (*join)(void *user, const struct conn_join *join);
	void (*exit)(void *user, struct process_id process, uint64_t time_ns);
};

/* One record. 0, or -EBADMSG: it is not well-formed and was not told. */
int event_decode(struct slice record, const struct event_ops *ops, void *user);
/* True: the record tells that this process has ended. */
bool event_is_exit(struct slice record, struct process_id *ret);
/* True: it tells of a connection that was opened. */
bool event_is_open(struct slice record, struct conn_info *ret);
/* Time of a record, without checking more than its head; 0 for none. */
uint64_t event_time_ns(struct slice record);

/* ---- the ring ---- */
struct event_ring;

/* Borrows the descriptors of the ring map and of the control memory. Needs no privilege: only mmap. */
int event_ring_new(int ring_fd, int control_fd, size_t ring_bytes, struct event_ring **ret);
struct event_ring *event_ring_free(struct event_ring *ring);
DEFINE_CLEANUP(struct event_ring *, event_ring_free)
/* Hands out at most @max records; their memory is given back when @record returns. Returns their number. */
size_t event_ring_consume(struct event_ring *ring, size_t max, void (*record)(void *user, struct slice record),
			  void *user);
/* True: nothing waits, and the next record will make the ring's descriptor readable. */
bool event_ring_doze(struct event_ring *ring);

/* ---- the ledger and the verdicts ---- */
struct event_ledger {
	uint64_t seen, captured, missing[_MISSING_MAX], records, refused, conns, hits, close_unsent;
};
struct event_memory; /* mapped ledger and verdicts */

int event_memory_new(int ledger_fd, int verdicts_fd, struct event_memory **ret);
struct event_memory *event_memory_free(struct event_memory *memory);
DEFINE_CLEANUP(struct event_memory *, event_memory_free)
void event_ledger_read(const struct event_memory *memory, struct event_ledger *ret);
/* What shall be copied of a connection, as abi_verdict has it. @of: of a mute, where the bytes of requests end that were seen
 * (what begins behind it is copied); of a mute of requests that are alike, what they have in common. */
struct event_verdict {
	enum verdict value;
	enum direction dir; /* of its requests */
	uint64_t of;
};
void event_verdict_set(struct event_memory *memory, uint64_t conn, const struct event_verdict *verdict);

/* ---- the file ---- */
struct event_file_head { /* what ids and times derive from, so that a replay makes the same */
	uint64_t node_key[2];
	uint64_t boot;
	int64_t unix_offset_ns;
	char host[64];
};
enum event_frame {
	EVENT_FRAME_RECORD = 1,
	EVENT_FRAME_ORIGIN = 2,
	EVENT_FRAME_LEDGER = 3,
	EVENT_FRAME_FILTERED = 4, /* nothing: who is wanted is said in origins, and nobody is of whom none tells */
};

struct event_recorder;
/* Creates @path with mode 0600; it must not exist. */
int event_recorder_new(const char *path, const struct event_file_head *head, struct event_recorder **ret);
/* Flushes and syncs; 0 or the first error there was. */
int event_recorder_close(struct event_recorder *recorder);
int event_recorder_put(struct event_recorder *recorder, enum event_frame kind, struct slice payload);
/* An end that no record of the ring told. */
int event_recorder_put_close(struct event_recorder *recorder, const struct event_close *close);

struct event_player;
int event_player_new(const char *path, struct event_file_head *ret_head, struct event_player **ret);
struct event_player *event_player_free(struct event_player *player);
DEFINE_CLEANUP(struct event_player *, event_player_free)
/* 1 and a frame (valid until the next call), 0 at the end, -EBADMSG when the file is damaged here. */
int event_player_next(struct event_player *player, enum event_frame *ret_kind, struct slice *ret_payload);
