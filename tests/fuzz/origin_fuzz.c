/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of a process's facts as a recorded file brings them: what is taken is the same once packed and unpacked again. */
#include "daemon/link.h"
#include "digest.h"
#include "heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct alloc_heap heap = heap_begin((size_t)4 << 20);
	struct arena *arena = arena_new(&heap.alloc, (size_t)1 << 20);
	struct buf again = BUF(&heap.alloc, (size_t)1 << 20);
	struct slice bytes = { (const char *)data, size };
	struct origin origin = { 0 }, twin = { 0 };

	if (origin_unpack(bytes, arena, &origin) == 0) {
		origin_pack(&origin, &again);
		MUST(again.len <= size);
		MUST(origin_unpack(buf_slice(&again), arena, &twin) == 0);
		MUST(twin.arg_count == origin.arg_count && slice_equal(twin.exe, origin.exe));
		MUST(slice_equal(twin.container_id, origin.container_id));
	}
	buf_free(&again);
	arena_free(arena);
	MUST(heap.used == 0);
	return 0;
}
