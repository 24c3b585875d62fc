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

/* What user space said of this connection. A muted one speaks again when bytes in its request direction begin like a
 * request; 0 keep, 1 do not copy. */
static __always_inline bool conn_is_muted(struct abi_conn *conn, __u32 dir, const void *buffer, __u64 len)
{
	struct abi_verdict *verdict = &verdicts[abi_verdict_slot(conn->id)];
	__u32 first = 0;

	if (verdict->conn != conn->id || verdict->value == ABI_VERDICT_KEEP)
		return false;
	if (verdict->value == ABI_VERDICT_DENY)
		return true;
	if ((verdict->value == ABI_VERDICT_MUTE_READ) != (dir == ABI_DIR_READ) || len < 16)
		return true;
	if (bpf_probe_read_user(&first, sizeof(first), buffer))
		return true;
	if (!word_is_method(first))
		return true;
	verdict->value = ABI_VERDICT_KEEP;
	return false;
}
