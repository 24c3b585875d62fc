/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of protocol buffers: the first byte picks one of a few tables, the rest is a message. Whatever it is, what is
 * written is JSON, and the reader's walk ends.
 */
#include "base/json.h"
#include "base/pb.h"
#include "heap.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pb_name names[] = { { 0, "NONE" }, { 1, "ONE" } };
static const struct pb_enum words = PB_NAMES(names);
static const struct pb_message any;
static const struct pb_field any_fields[] = {
	PB_FIELD(1, "text", PB_STRING),
	PB_FIELD(2, "any", PB_MESSAGE, .message = &any),
	PB_LIST(3, "list", PB_MESSAGE, .message = &any),
	PB_MAP(4, "map", PB_MESSAGE, .message = &any),
	PB_LIST(5, "numbers", PB_SINT64),
	PB_LIST(6, "reals", PB_DOUBLE),
	PB_FIELD(7, "bytes", PB_BYTES),
	PB_FIELD(8, "word", PB_ENUM, .names = &words),
	PB_FIELD(9, "at", PB_TIMESTAMP),
	PB_FIELD(10, "took", PB_DURATION),
	PB_MAP(11, "numbered", PB_FLOAT, .key = PB_SINT32),
	PB_FIELD(12, "struct", PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(13, NULL, PB_HIDDEN),
};
static const struct pb_message any = PB_TABLE(any_fields);
static const struct pb_message *const tables[] = { &any, &pb_struct, &pb_value, &pb_list };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct alloc_heap heap = heap_begin((size_t)64 << 20);
	struct buf out = BUF(&heap.alloc, (size_t)32 << 20);
	struct slice message = { (const char *)data + 1, size ? size - 1 : 0 };
	struct pb_reader reader = { .rest = message };
	size_t unknown = 0, left = message.len;
	struct pb_item item;

	if (!size)
		return 0;
	while (pb_next(&reader, &item)) {
		if (reader.rest.len >= left)
			abort();
		left = reader.rest.len;
	}
	pb_put_json(&out, tables[data[0] % 4], message, &unknown);
	if (!out.failed && json_check(buf_slice(&out), JSON_DEPTH_MAX) != 0)
		abort();
	buf_free(&out);
	return 0;
}
