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

/* What user space said of this connection, whose offsets count these bytes already. A mute one is to be mute no longer than
 * the exchange of which user space spoke: where more has passed in the direction of requests than it had read, another may
 * have begun, and its answer is wanted; bytes there that begin like a request do begin one. 0 keep, 1 do not copy. */
static __always_inline bool conn_is_muted(struct abi_conn *conn, __u32 dir, const void *buffer, __u64 len)
{
	struct abi_verdict *verdict = &verdicts[abi_verdict_slot(conn->id)];
	__u64 value = verdict->value, passed;
	__u32 request = value == ABI_VERDICT_MUTE_READ ? ABI_DIR_READ : ABI_DIR_WRITE, first = 0;

	if (verdict->conn != conn->id || value == ABI_VERDICT_KEEP)
		return false;
	if (value == ABI_VERDICT_DENY)
		return true;
	passed = conn->offset[request & 1] - (dir == request ? len : 0);
	if (passed != verdict->offset)
		return false;
	if (dir != request)
		return true;
	if (len >= 16 && !bpf_probe_read_user(&first, sizeof(first), buffer) && word_is_method(first)) {
		verdict->value = ABI_VERDICT_KEEP;
		return false;
	}
	verdict->offset = passed + len;
	return true;
}
