/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose the records are that a bare cipher seals and opens (tls_aead.bpf.c). Such a call knows no TLS object: the first eight of
 * its twelve nonce bytes are constant for one direction of one connection under one key, and random; they are its name. What
 * joins the two directions, and the keys that follow each other, is the socket, and that is known by addresses: a record is
 * sent from where it was sealed, and opened where it was received. Nothing else pairs names.
 *
 * A name is met before its socket is: a question is sealed first and sent afterwards. Its connection is opened as pending then,
 * and user space keeps its bytes until the socket is known: either it is the first on it, or it goes on with one that is there.
 * What is opened was received before, so its socket is known, but where that was before we looked: then its bytes are given up, for
 * they would be told behind the answer to them.
 */
#pragma once
#include "socket.bpf.h"

enum { SEEKS_NS = 5000000000 };

/* Names of this moment. Forgotten oldest first; then its socket is found anew. */
struct name_key {
	__u64 name;
	__u32 tgid;
	__u32 dir;
};
struct name_note {
	__u64 sock;   /* kernel address, 0 unknown */
	__u64 object; /* of its connection's key; 0: nothing of it was told yet */
	__u64 unseen; /* bytes that were opened while the socket was not known */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct name_key);
	__type(value, struct name_note);
} st_names SHARED SEC(".maps");

/* Where records lie whose name has no socket yet, until they are sent. Forgotten oldest first; then a later one will tell. */
struct sealed_key {
	__u64 at;
	__u32 tgid;
	__u32 pad;
};
struct sealed {
	__u64 name;
	__u64 time_ns;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct sealed_key);
	__type(value, struct sealed);
} st_sealed SHARED SEC(".maps");

/* What each thread has received last. Forgotten oldest first; then the next record will tell. */
struct received {
	__u64 sock;
	__u64 from, to;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct received);
} st_received SHARED SEC(".maps");

/* Processes that use a bare cipher for TLS: only their sockets are looked at, and until when for a record that was sealed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} st_sealers SHARED SEC(".maps");

/* There is one such process. Before, a socket pays nothing for this. */
__u32 has_sealers SHARED SEC(".data.sealers") = 0;

/* The connection on this socket, when it is one of a bare cipher. */
static __always_inline struct abi_conn *conn_on_sock(__u64 sock, __u32 tgid, struct abi_conn_key *ret)
{
	struct abi_conn_key *key = bpf_map_lookup_elem(&st_bysock, &sock);
	struct abi_conn *conn;

	if (!key || key->kind != ABI_KIND_RUSTLS || key->tgid != tgid)
		return NULL;
	*ret = *key;
	conn = bpf_map_lookup_elem(&st_conns, ret);
	return conn && conn->sock == sock ? conn : NULL;
}

/* Tells that what @from carried in @dir goes on with what @into has carried, and forgets @from. false: no room, try again. */
static __always_inline bool conn_join(const struct abi_conn_key *from_key, struct abi_conn *from, struct abi_conn *into,
				      __u32 dir)
{
	struct abi_join *join = bpf_ringbuf_reserve(&st_ring, sizeof(*join), 0);

	if (!join)
		return false;
	head_fill(&join->head, ABI_JOIN, sizeof(*join), from->id);
	join->into = into->id;
	join->offset = into->offset[dir & 1];
	join->dir = dir & 1;
	join->reason = abi_lost_reason(into->lost[dir & 1]);
	join->is_behind_loss = into->lost[dir & 1] != 0;
	__builtin_memset(join->pad, 0, sizeof(join->pad));
	bpf_ringbuf_submit(join, wake_flags());
	into->begun[dir & 1] = into->offset[dir & 1] + from->begun[dir & 1];
	into->offset[dir & 1] += from->offset[dir & 1];
	into->lost[dir & 1] = from->offset[dir & 1] ? from->lost[dir & 1] : into->lost[dir & 1];
	bpf_map_delete_elem(&st_conns, from_key);
	__sync_fetch_and_add(&ledger_here()->conns, -1);
	return true;
}

/* This socket carries what has the name of @note. */
static __always_inline void name_bind(struct name_note *note, __u32 tgid, __u32 dir, __u64 sock)
{
	struct abi_conn_key own = { .object = note->object, .tgid = tgid, .kind = ABI_KIND_RUSTLS }, there_key = {};
	struct abi_conn *conn = own.object ? bpf_map_lookup_elem(&st_conns, &own) : NULL;
	struct abi_conn *there = conn_on_sock(sock, tgid, &there_key);

	if (there && conn && there->id != conn->id) {
		if (!conn_join(&own, conn, there, dir))
			return;
		note->object = there_key.object;
	} else if (conn && !conn->evidence) {
		conn_bind(&own, conn, (struct sock *)sock, ABI_PEER_CIPHERTEXT);
		if (!conn->evidence)
			return;
	}
	note->sock = sock;
}
