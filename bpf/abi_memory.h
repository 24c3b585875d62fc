/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that the kernel side and user space both map or share as maps: counters, verdicts, control, processes, connections.
 * The same rules as in abi.h hold for its layout.
 */
#pragma once
#include "abi.h"

enum { ABI_LEDGER_SLOTS = 64, ABI_VERDICT_SLOTS = 1 << 16 };

/* Counters of one group of processors; user space adds them up. seen = captured + missing, always. */
struct abi_ledger {
	__u64 seen;
	__u64 captured;
	__u64 missing[ABI_MISSING_MAX];
	__u64 records; /* put into the ring */
	__u64 refused; /* not put, the ring was full */
	__u64 conns;
	__u64 hits;         /* probe hits of processes that are wanted */
	__u64 close_unsent; /* closes that found no room: the sweep tells them */
	__u64 pad[3];
};

struct abi_verdict {
	__u64 conn;    /* for which connection; the slot is shared by many */
	__u32 value;   /* enum abi_verdict_value */
	__u8 dir;      /* enum abi_dir of its requests */
	__u8 is_quiet; /* of MUTE_ALIKE, kept by the kernel side: what passes now is of such a request */
	__u8 pad[2];
	__u64 of;
};
enum abi_verdict_value {
	ABI_VERDICT_KEEP,
	/* Copy nothing until a request begins, or has begun at offset @of or behind: who spoke had seen the bytes up to it. */
	ABI_VERDICT_MUTE,
	/* Copy no request, nor what passes until the next begins, of which FNV-1a (64 bit) of method, space, target, space is
	 * @of. Only of the first ABI_ALIKE_MAX bytes. */
	ABI_VERDICT_MUTE_ALIKE,
	ABI_VERDICT_DENY,
};
enum { ABI_ALIKE_MAX = 128 };

static inline __u32 abi_verdict_slot(__u64 conn)
{
	return (__u32)(conn >> 8 ^ conn >> 24 ^ conn << 8) & (ABI_VERDICT_SLOTS - 1);
}

struct abi_control {
	__u64 dozing;          /* set by the reader before it sleeps, cleared by the first record, which wakes it */
	__u64 wake_bytes;      /* records behind which the reader is woken even when it does not doze */
	__u32 default_wanted;  /* processes that are not in the process map */
	__u32 capture_off;     /* probes attached, nothing copied */
	__u32 plain_on;        /* plain sockets are looked at */
	__u32 counts_programs; /* there are filters: who a process is depends on what it has executed */
};

/* Value of the process map, by thread group id. */
struct abi_process {
	__u64 start_ns; /* 0: any */
	__u32 wanted;
	__u32 inherit; /* children get the same entry */
};

/* Value of the map of servers on standard input and output, by thread group id: what its two descriptors lead to. */
struct abi_stdio {
	__u64 in_inode, out_inode;
	__u32 client; /* thread group id of who holds the other ends */
	__u32 pad;
};

/* Entry of the connection map, which user space sweeps. */
struct abi_conn_key {
	__u64 object;
	__u32 tgid;
	__u32 kind;
};

enum { ABI_LOST_UNWANTED = 0x80 };

static inline __u8 abi_lost_reason(__u8 lost)
{
	return lost ? (__u8)((lost & ~ABI_LOST_UNWANTED) - 1) : 0;
}

struct abi_conn {
	__u64 id;
	__u64 start_ns;
	__u64 offset[2];
	__u64 begun[2]; /* where bytes passed last that begin like a request */
	__u64 sock;     /* kernel address of the socket, 0 unknown; only compared */
	__u64 used_ns;
	/* enum abi_missing + 1 of bytes lost and not yet told, by direction; with ABI_LOST_UNWANTED, when they are whole messages of
	 * no interest, and nothing else. */
	__u8 lost[2];
	__u8 evidence;
	__u8 how;       /* enum abi_how, as the socket's state told it */
	__u8 closing;   /* its close could not be sent */
	__u8 is_untold; /* its open could not be sent */
	__u8 is_cut;    /* its socket is closed; what was received before may still be read */
	__u8 pad;
	__u32 tgid; /* whose it is told to be, which began at start_ns; of a pipe that is not the server of its key */
	__u32 pad2;
	__u64 generation; /* random bytes of its handshake; 0 not known. Others at the same address are another connection's */
};
