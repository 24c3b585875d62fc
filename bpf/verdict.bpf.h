/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space said of a connection, and the words by which a muted one earns its voice back. */
#pragma once
#include "maps.bpf.h"
#include <bpf/bpf_helpers.h>

/* The first four bytes of a request, as a little-endian word: the methods that carry calls. */
static __always_inline bool word_is_method(__u32 word)
{
	return word == 0x54534f50 /* POST */ || word == 0x20544547 /* GET  */ || word == 0x20545550 /* PUT  */ ||
	       word == 0x43544150 /* PATC */;
}

/* Do the @len bytes at @buffer begin like a request? Too few to tell: they may. */
static __always_inline bool request_begins(const void *buffer, __u64 len)
{
	__u32 first = 0;

	return len < sizeof(first) || bpf_probe_read_user(&first, sizeof(first), buffer) || word_is_method(first);
}

/* What user space said of this connection: 0 keep, 1 do not copy. A muted one speaks again when a request begins. User space
 * is behind, so the next one may have begun before it spoke: a mute is of what began before verdict->at, and no more. */
static __always_inline bool conn_is_muted(const struct abi_conn *conn)
{
	struct abi_verdict *verdict = &verdicts[abi_verdict_slot(conn->id)];

	if (verdict->conn != conn->id || verdict->value == ABI_VERDICT_KEEP)
		return false;
	if (verdict->value == ABI_VERDICT_DENY ||
	    conn->begun[verdict->value == ABI_VERDICT_MUTE_READ ? ABI_DIR_READ : ABI_DIR_WRITE] < verdict->at)
		return true;
	verdict->value = ABI_VERDICT_KEEP;
	return false;
}
