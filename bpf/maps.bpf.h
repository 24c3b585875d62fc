/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All maps and shared memory of the kernel side. Names begin with "st_": they are seen on the whole system.
 * Each says who writes, who reads, and what happens when it is full.
 */
#pragma once
#include <bpf/bpf_helpers.h>

#include "abi_memory.h"

/* Each object file has the same definition; the linker keeps one. */
#define SHARED __attribute__((weak))

/* What passed, for the pipeline. Full: the record is refused, the bytes are counted and become a hole. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20); /* set before load */
} st_ring SHARED SEC(".maps");

/* Connections by TLS object or socket. Written here; the attacher sweeps those that are over and were not told to be. Full: the
 * bytes of new connections are counted as missing by budget. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct abi_conn_key);
	__type(value, struct abi_conn);
} st_conns SHARED SEC(".maps");

/* The TLS calls that each thread is in, one for each direction: a handshake that ends inside a read may write. Full: that
 * call is not seen. */
struct inflight {
	__u64 object;
	__u64 buffer;
	__u64 count_at; /* where the callee writes the length; 0: the return value is it */
	__u64 sp;
	__u64 time_ns;
	__u64 sock;   /* socket of the last call to the network inside this call */
	__u64 record; /* where the TLS record is that is being made inside this call; 0: none */
	__u32 kind;
	__u16 dir;
	__u8 zero_is_end;
	__u8 count_arg; /* of the cookie */
};
static inline __u64 inflight_key(__u64 thread, __u32 dir)
{
	return thread | (__u64)dir << 63;
}
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct inflight);
} st_inflight SHARED SEC(".maps");

/* What a TLS object was given to send when it could not go on: who asks again may give no buffer then. Forgotten oldest first; then
 * those bytes are a hole. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct abi_conn_key);
	__type(value, __u64);
} st_again SHARED SEC(".maps");

/* Processes whose wish is known. Written by the attacher, and here on fork, exec and exit. Full: the default holds. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct abi_process);
} st_procs SHARED SEC(".maps");

/* How many programs a process has executed, while they are counted. Written here, read by the attacher. Full: as if it had
 * executed none. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, __u32);
} st_programs SHARED SEC(".maps");

/* Processes that have or had connections: only their end is told. Full: their connections end with the sockets'. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u8);
} st_talkers SHARED SEC(".maps");

/* What is known of sockets, by inode number. Forgotten oldest first; then a socket is looked at anew. */
struct socket_note {
	__u8 is_deaf;  /* carries nothing for us in plain */
	__u8 is_tls;   /* carries TLS records */
	__u8 is_bound; /* its TLS object is known */
	__u8 looks;    /* calls whose bytes told nothing */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, struct socket_note);
} st_sockets SHARED SEC(".maps");

/* Socket (kernel address) to its connection, for state changes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct abi_conn_key);
} st_bysock SHARED SEC(".maps");

/* Processes that may be servers on their standard input and output. Written here on exec, and by the
 * attacher; taken out on exit and when the first bytes are none of ours. Full: those beyond it are not seen. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, struct abi_stdio);
} st_stdio SHARED SEC(".maps");

/* Start of the TLS records that a memory BIO holds, until a socket sends them. */
enum { PREFIX_LEN = 24 };
struct prefix_key {
	__u32 tgid;
	__u32 pad;
	__u8 bytes[PREFIX_LEN];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct prefix_key);
	__type(value, struct abi_conn_key);
} st_prefix SHARED SEC(".maps");

/* Memory mapped by user space: written by it (control, verdicts) or read (ledger). */
struct abi_control control SHARED SEC(".data.control") = { .dozing = 0, .wake_bytes = 1 << 20, .default_wanted = 0 };
struct abi_ledger ledger[ABI_LEDGER_SLOTS] SHARED SEC(".data.ledger") = {};
extern struct abi_verdict verdicts[ABI_VERDICT_SLOTS]; /* proc.bpf.c: two megabytes, wanted once */
