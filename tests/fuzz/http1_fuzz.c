/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of proto: the first byte says whether the connection is joined late and how it ends. Then pieces: one byte
 * (bit 0 the direction, bit 1 a hole, bit 2 the answer of exchange 1 is skipped), one byte length, the bytes. Each input is
 * fed whole and byte by byte: no byte may be lost from the books, and what is told must be the same.
 */
#include "told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void piece_feed(struct proto *proto, uint8_t control, struct slice text, bool is_single, uint64_t time_ns)
{
	enum direction dir = control & 1 ? DIR_READ : DIR_WRITE;

	if (control & 4)
		proto_skip(proto, 1);
	if (control & 2)
		proto_hole(proto, dir, text.len, MISSING_RING_FULL, time_ns);
	for (size_t i = 0; is_single && !(control & 2) && i < text.len; i++)
		proto_bytes(proto, dir, time_ns, slice_head(slice_from(text, i), 1));
	if (!is_single && !(control & 2))
		proto_bytes(proto, dir, time_ns, text);
}

static struct told run(struct slice rest, uint8_t mode, bool is_single)
{
	struct told told = { .digest = DIGEST_EMPTY, .bodies = { DIGEST_EMPTY, DIGEST_EMPTY } };
	struct alloc_heap heap = heap_begin((size_t)64 << 20);
	struct proto_opts opts = proto_opts_default;
	uint64_t fed = 0, time_ns = 1;
	struct proto *proto;

	opts.alloc = &heap.alloc;
	opts.head_bytes_max = 240; /* less than one piece may be */
	opts.event_bytes_max = 512;
	opts.inflate_max = 1 << 20;
	MUST(proto_new(&opts, mode & 1, &told_ops, &told, &proto) == 0);
	while (rest.len > 2) {
		uint8_t control = (uint8_t)rest.data[0];
		struct slice text = slice_head(slice_from(rest, 2), (uint8_t)rest.data[1]);

		piece_feed(proto, control, text, is_single, time_ns++);
		fed += text.len;
		rest = slice_from(rest, 2 + text.len);
	}
	proto_end(proto, (enum close_how)(mode / 2 % (CLOSE_EXIT + 1)), time_ns);
	MUST(told.stream_bytes + proto_stray_bytes(proto) == fed);
	proto_free(proto);
	MUST(heap.used == 0);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data + 1, size - 1 };
	struct told whole, cut;

	if (size < 1)
		return 0;
	whole = run(rest, data[0], false);
	cut = run(rest, data[0], true);
	told_compare(&whole, &cut);
	return 0;
}
