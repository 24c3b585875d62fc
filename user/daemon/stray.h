/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stray: of the bytes that proto told in no message, those that were lost for want of memory. Only where memory was refused to
 * this connection, only what is stray since, and no holes: those are counted as missing by who lost them.
 */
#pragma once
#include "proto/proto.h"

struct stray {
	uint64_t before; /* stray, but not for want of memory */
	uint64_t shed;   /* told by stray_shed() */
};

/* Before @proto, whose memory @heap is, is fed bytes, or a hole of @hole_len. */
void stray_note(struct stray *stray, const struct proto *proto, const struct alloc_heap *heap, uint64_t hole_len);
/* How many there are more than at the last time. */
uint64_t stray_shed(struct stray *stray, const struct proto *proto, const struct alloc_heap *heap);
