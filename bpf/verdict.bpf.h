/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space said of a connection, and the words by which a muted one earns its voice back. */
#pragma once
#include "maps.bpf.h"
#include <bpf/bpf_helpers.h>

/* The first bytes of a request, as a little-endian word: the methods that carry calls. @mask has those that are there. */
static __always_inline bool word_begins_method(__u32 word, __u32 mask)
{
	return word == (0x54534f50 /* POST */ & mask) || word == (0x20544547 /* GET  */ & mask) ||
	       word == (0x20545550 /* PUT  */ & mask) || word == (0x43544150 /* PATC */ & mask);
}

static __always_inline bool word_is_method(__u32 word)
{
	return word_begins_method(word, 0xffffffff);
}

/* Do the @len bytes at @buffer begin like a request? A piece of a method does; a short body, "{}", does not. This and the next are
 * global functions, so that the verifier goes through them once, and not for each state of each caller. */
__weak __noinline int request_begins(__u64 buffer, __u64 len)
{
	__u32 first = 0, mask = 0xffffffff;

	if (len > sizeof(first))
		len = sizeof(first);
	if (!len || bpf_probe_read_user(&first, len, (const void *)buffer))
		return true;
	return word_begins_method(first, mask >> (8 * (sizeof(first) - len)));
}

/* What the request that begins with @buffer has in common with those that are alike; 0: it does not say. */
__weak __noinline __u64 request_alike(__u64 buffer, __u64 len)
{
	__u64 hash = 0xcbf29ce484222325;
	char line[ABI_ALIKE_MAX] = {};
	int spaces = 0;

	if (len > sizeof(line))
		len = sizeof(line);
	if (!len || bpf_probe_read_user(line, len, (const void *)buffer))
		return 0;
	for (int i = 0; i < ABI_ALIKE_MAX && line[i]; i++) {
		hash = (hash ^ (__u8)line[i]) * 0x100000001b3;
		if (line[i] == ' ' && ++spaces == 2)
			return hash;
	}
	return 0;
}

enum interest { INTEREST_FULL, INTEREST_NONE, INTEREST_NOT_IN_THIS };

/* How much of the @len bytes at @buffer is to be copied, by what user space said of this connection. They pass at its offset. A
 * muted one speaks again when a request begins. User space is behind, so the next one may have begun before it spoke: a mute is of
 * what began before verdict->of, and no more. */
static __always_inline enum interest conn_interest(struct abi_conn *conn, __u32 dir, __u64 buffer, __u64 len)
{
	struct abi_verdict *verdict = &verdicts[abi_verdict_slot(conn->id)];
	bool begins = request_begins(buffer, len);

	if (begins)
		conn->begun[dir & 1] = conn->offset[dir & 1];
	if (control.capture_off)
		return INTEREST_NONE;
	if (verdict->conn != conn->id || verdict->value == ABI_VERDICT_KEEP)
		return INTEREST_FULL;
	if (verdict->value == ABI_VERDICT_MUTE_ALIKE) {
		if (begins && dir == verdict->dir)
			verdict->is_quiet = request_alike(buffer, len) == verdict->of;
		return verdict->is_quiet ? INTEREST_NOT_IN_THIS : INTEREST_FULL;
	}
	if (verdict->value == ABI_VERDICT_DENY || conn->begun[verdict->dir & 1] < verdict->of)
		return INTEREST_NONE;
	verdict->value = ABI_VERDICT_KEEP;
	return INTEREST_FULL;
}
