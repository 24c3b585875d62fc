/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections: a number for each (process, TLS object or socket, generation), its offsets, its socket. The number is the
 * time it was given with the processor in its low byte: it never comes again while the machine is up.
 */
#pragma once
#include "chunk.bpf.h"
#include "process.bpf.h"
#include "verdict.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline void head_fill(struct abi_head *head, __u16 type, __u32 size, __u64 conn)
{
	head->type = type;
	head->pad = 0;
	head->size = size;
	head->conn = conn;
	head->time_ns = now_ns();
}

/* How a connection is told: its first bytes may have passed before; its socket is not known (abi_open). */
enum { OPEN_LATE = 1, OPEN_PENDING = 2 };

/* Where the ring has no room the first chunk opens it too, and whose it is is told with later bytes. */
static __always_inline void open_send(const struct abi_conn_key *key, struct abi_conn *conn, __u32 how)
{
	struct abi_open *open = bpf_ringbuf_reserve(&st_ring, sizeof(*open), 0);

	conn->is_untold = !open;
	if (!open)
		return;
	head_fill(&open->head, ABI_OPEN, sizeof(*open), conn->id);
	open->start_ns = conn->start_ns;
	open->object = key->object;
	open->tgid = key->tgid;
	open->tid = (__u32)bpf_get_current_pid_tgid();
	open->kind = key->kind;
	open->is_late = how & OPEN_LATE;
	open->is_pending = (how & OPEN_PENDING) && !conn->evidence;
	__builtin_memset(open->pad, 0, sizeof(open->pad));
	open->program = program_of(key->tgid);
	open->parent = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), real_parent, tgid);
	open->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(open->comm, sizeof(open->comm));
	bpf_ringbuf_submit(open, wake_flags());
}

/* A new connection of @key, of the process @tgid that began at @start_ns; NULL when there is no room. */
static __always_inline struct abi_conn *conn_add(const struct abi_conn_key *key, __u32 tgid, __u64 start_ns)
{
	struct abi_conn fresh = {}, *conn;
	__u8 yes = 1;

	fresh.id = now_ns() << 8 | (bpf_get_smp_processor_id() & 0xff);
	fresh.start_ns = start_ns;
	fresh.tgid = tgid;
	if (bpf_map_update_elem(&st_conns, key, &fresh, BPF_ANY))
		return NULL;
	conn = bpf_map_lookup_elem(&st_conns, key);
	if (!conn)
		return NULL;
	__sync_fetch_and_add(&ledger_here()->conns, 1);
	bpf_map_update_elem(&st_talkers, &tgid, &yes, BPF_ANY);
	return conn;
}

/* The connection of @key, made when there is none or when the one there belongs to a process that is gone. */
static __always_inline struct abi_conn *conn_get(const struct abi_conn_key *key, __u32 how, bool *ret_is_new)
{
	__u64 start_ns = task_start_ns((struct task_struct *)bpf_get_current_task());
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, key);

	*ret_is_new = false;
	if (conn && conn->start_ns == start_ns && !conn->closing) {
		if (conn->is_untold)
			open_send(key, conn, how);
		return conn;
	}
	conn = conn_add(key, key->tgid, start_ns);
	if (!conn)
		return NULL;
	open_send(key, conn, how);
	*ret_is_new = true;
	return conn;
}

/* Tells the end of a connection and forgets it; where the ring has no room the entry stays for the sweep. */
static __always_inline void conn_close(const struct abi_conn_key *key, struct abi_conn *conn, __u8 how)
{
	struct abi_close *close = bpf_ringbuf_reserve(&st_ring, sizeof(*close), 0);

	if (!close) {
		conn->closing = 1;
		if (!conn->how)
			conn->how = how;
		__sync_fetch_and_add(&ledger_here()->close_unsent, 1);
		return;
	}
	head_fill(&close->head, ABI_CLOSE, sizeof(*close), conn->id);
	close->end[0] = conn->offset[0];
	close->end[1] = conn->offset[1];
	close->how = conn->how ? conn->how : how;
	close->reason = abi_lost_reason(conn->lost[0] ? conn->lost[0] : conn->lost[1]);
	__builtin_memset(close->pad, 0, sizeof(close->pad));
	bpf_ringbuf_submit(close, wake_flags());
	bpf_map_delete_elem(&st_conns, key);
}

#ifndef MOVE
#define MOVE move_bytes
#endif

/* @len bytes at @buffer passed on this connection. */
static __always_inline void conn_bytes(struct abi_conn *conn, __u32 dir, __u64 buffer, __u64 len, __u64 time_ns)
{
	enum interest interest = conn_interest(conn, dir & 1, buffer, len);
	struct moving m = {
		.conn = conn->id,
		.source = buffer,
		.offset = conn->offset[dir & 1],
		.left = len,
		.time_ns = time_ns,
		.tid = (__u32)bpf_get_current_pid_tgid(),
		.dir = dir & 1,
		.lost = conn->lost[dir & 1],
	};

	conn->offset[dir & 1] += len;
	conn->used_ns = time_ns;
	__sync_fetch_and_add(&ledger_here()->seen, len);
	if (!buffer || interest == INTEREST_NONE)
		lose(&m, len, buffer ? ABI_MISSING_POLICY : ABI_MISSING_FAULT);
	else if (interest == INTEREST_NOT_IN_THIS)
		lose_unwanted(&m);
	else
		MOVE(&m);
	conn->lost[dir & 1] = m.lost;
}
