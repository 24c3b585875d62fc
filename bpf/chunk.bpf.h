/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes of user memory into the ring. A reservation has a constant size, so a buffer is cut into pieces of size classes,
 * largest first: 17 KB costs 16 + 1 KB of ring, 200 bytes cost 256. What finds no room or no page becomes a hole with
 * offset and length; every byte is counted once as captured or once as missing.
 */
#pragma once
#include "maps.bpf.h"
#include <bpf/bpf_helpers.h>

enum { CLASS_64K = 64 << 10, CLASS_16K = 16 << 10, CLASS_4K = 4 << 10, CLASS_1K = 1 << 10, CLASS_256 = 256 };
enum { ROUNDS_64K = 64 }; /* 4 MiB a call */

struct moving {
	__u64 conn;
	__u64 source;
	__u64 offset;
	__u64 left;
	__u64 time_ns;
	__u32 tid;
	__u8 dir;
	__u8 lost; /* what is missing right before offset, as abi_conn has it; 0 nothing */
	__u8 pad[2];
};

static __always_inline struct abi_ledger *ledger_here(void)
{
	return &ledger[bpf_get_smp_processor_id() & (ABI_LEDGER_SLOTS - 1)];
}

/* The reader sleeps only after it has raised `dozing`; the first record lowers it and wakes it. Else it comes by itself every
 * few milliseconds, unless the ring fills faster. */
static __always_inline __u64 wake_flags(void)
{
	if (control.dozing) {
		control.dozing = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	return bpf_ringbuf_query(&st_ring, BPF_RB_AVAIL_DATA) > control.wake_bytes ? BPF_RB_FORCE_WAKEUP
										   : BPF_RB_NO_WAKEUP;
}

static __always_inline void lose(struct moving *m, __u64 len, __u8 reason)
{
	__sync_fetch_and_add(&ledger_here()->missing[reason], len);
	m->lost = reason + 1;
	m->offset += len;
	m->source += len;
	m->left -= len;
}

/* All of it: of a message of no interest. */
static __always_inline void lose_unwanted(struct moving *m)
{
	bool is_all = !m->lost || m->lost & ABI_LOST_UNWANTED;

	lose(m, m->left, ABI_MISSING_POLICY);
	if (is_all)
		m->lost |= ABI_LOST_UNWANTED;
}

static __always_inline void chunk_fill(struct abi_chunk *chunk, const struct moving *m, __u32 len)
{
	chunk->head.type = ABI_CHUNK;
	chunk->head.pad = 0;
	chunk->head.size = sizeof(*chunk) + len;
	chunk->head.conn = m->conn;
	chunk->head.time_ns = m->time_ns;
	chunk->offset = m->offset;
	chunk->len = len;
	chunk->hole_len = 0;
	chunk->tid = m->tid;
	chunk->dir = m->dir;
	chunk->reason = abi_lost_reason(m->lost);
	chunk->is_unwanted = (m->lost & ABI_LOST_UNWANTED) != 0;
	chunk->is_behind_loss = m->lost != 0;
}

/* One piece of at most SIZE bytes. A macro, because the reservation's size must be a constant to the verifier; the barrier
 * keeps clang from forgetting that the length was clamped. */
#define MOVE_PIECE(m, SIZE)                                                                                            \
	do {                                                                                                           \
		struct abi_chunk *piece = bpf_ringbuf_reserve(&st_ring, sizeof(*piece) + (SIZE), 0);                   \
		__u32 piece_len = (m)->left > (SIZE) ? (SIZE) : (__u32)(m)->left;                                      \
		if (!piece) {                                                                                          \
			__sync_fetch_and_add(&ledger_here()->refused, 1);                                              \
			lose(m, piece_len, ABI_MISSING_RING_FULL);                                                     \
			break;                                                                                         \
		}                                                                                                      \
		asm volatile("" : "+r"(piece_len));                                                                    \
		if (piece_len > (SIZE))                                                                                \
			piece_len = (SIZE);                                                                            \
		chunk_fill(piece, m, piece_len);                                                                       \
		if (bpf_probe_read_user(piece->data, piece_len, (void *)(m)->source)) {                                \
			piece->len = 0;                                                                                \
			piece->hole_len = piece_len;                                                                   \
			piece->reason = ABI_MISSING_FAULT;                                                             \
			piece->is_unwanted = 0;                                                                        \
			piece->head.size = sizeof(*piece);                                                             \
			lose(m, piece_len, ABI_MISSING_FAULT);                                                         \
		} else {                                                                                               \
			__sync_fetch_and_add(&ledger_here()->captured, piece_len);                                     \
			(m)->offset += piece_len;                                                                      \
			(m)->source += piece_len;                                                                      \
			(m)->left -= piece_len;                                                                        \
			(m)->lost = 0;                                                                                 \
		}                                                                                                      \
		__sync_fetch_and_add(&ledger_here()->records, 1);                                                      \
		bpf_ringbuf_submit(piece, wake_flags());                                                               \
	} while (0)

/* What is less than CLASS_16K. */
static __always_inline void move_small(struct moving *m)
{
	for (int i = 0; i < 3 && m->left >= CLASS_4K; i++)
		MOVE_PIECE(m, CLASS_4K);
	for (int i = 0; i < 3 && m->left >= CLASS_1K; i++)
		MOVE_PIECE(m, CLASS_1K);
	if (m->left > CLASS_256)
		MOVE_PIECE(m, CLASS_1K);
	else if (m->left)
		MOVE_PIECE(m, CLASS_256);
}

/* All of m->left. Beyond 4 MiB in one call the rest is a hole by budget. */
static __always_inline void move_bytes(struct moving *m)
{
	for (int i = 0; i < ROUNDS_64K && m->left >= CLASS_64K; i++)
		MOVE_PIECE(m, CLASS_64K);
	if (m->left >= CLASS_64K)
		lose(m, m->left, ABI_MISSING_BUDGET);
	for (int i = 0; i < 3 && m->left >= CLASS_16K; i++)
		MOVE_PIECE(m, CLASS_16K);
	move_small(m);
}
