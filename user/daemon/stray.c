/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal belongs to the bytes that were fed when it came, so what was stray before them is remembered each time. */
#include "daemon/stray.h"
#include "base/slice.h"

void stray_note(struct stray *stray, const struct proto *proto, const struct alloc_heap *heap, uint64_t hole_len)
{
	if (!heap->refused)
		stray->before = proto_stray_bytes(proto);
	stray->before += hole_len;
}

uint64_t stray_shed(struct stray *stray, const struct proto *proto, const struct alloc_heap *heap)
{
	uint64_t all = proto_stray_bytes(proto), shed = all - MIN(all, stray->before), more;

	if (!heap->refused && !proto_is_starved(proto))
		return 0;
	more = shed - MIN(shed, stray->shed);
	stray->shed += more;
	return more;
}
