/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the HTTP/2 carrier: the first byte says whether the connection is joined late and how it ends. Then pieces: one
 * byte (bit 0 the direction, bit 1 a hole, bit 2 the answer of exchange 1 is skipped, bit 3 a frame, whose type, flags and
 * stream are three bytes more), one byte length, the bytes. Each input is fed whole and byte by byte: no byte may be lost from
 * the books, and what is told must be the same.
 */
#include "told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct proto *proto, enum direction dir, struct slice text, bool is_single, uint64_t time_ns)
{
	for (size_t i = 0; is_single && i < text.len; i++)
		proto_bytes(proto, dir, time_ns, slice_head(slice_from(text, i), 1));
	if (!is_single)
		proto_bytes(proto, dir, time_ns, text);
}

/* One piece off @rest; what it fed. */
static uint64_t piece_feed(struct proto *proto, struct slice *rest, bool is_single, uint64_t time_ns)
{
	const unsigned char *at = (const unsigned char *)rest->data;
	uint8_t control = at[0];
	enum direction dir = control & 1 ? DIR_READ : DIR_WRITE;
	bool is_frame = control & 8;
	struct slice text = slice_head(slice_from(*rest, is_frame ? 5 : 2), at[1]);
	char frame[9 + 255];

	if (control & 4)
		proto_skip(proto, 1);
	if (is_frame && rest->len < 5)
		text = SLICE_NONE;
	*rest = slice_from(*rest, (is_frame ? 5 : 2) + text.len);
	if (control & 2) {
		proto_hole(proto, dir, text.len, MISSING_RING_FULL, time_ns);
		return text.len;
	}
	if (is_frame && rest->data > (const char *)at + 4) {
		memset(frame, 0, 9);
		frame[2] = (char)text.len;
		frame[3] = (char)at[2];
		frame[4] = (char)at[3];
		frame[8] = (char)at[4];
		if (text.len)
			memcpy(frame + 9, text.data, text.len);
		text = (struct slice){ frame, 9 + text.len };
	}
	feed(proto, dir, text, is_single, time_ns);
	return text.len;
}

static struct told run(struct slice rest, uint8_t mode, bool is_single)
{
	static const struct slice preface = SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	struct told told = { .digests = { DIGEST_EMPTY } };
	struct alloc_heap heap = heap_begin((size_t)64 << 20);
	struct proto_opts opts = proto_opts_default;
	uint64_t fed = 0, time_ns = 1;
	struct proto *proto;

	opts.alloc = &heap.alloc;
	opts.head_bytes_max = 240; /* less than one piece may be */
	opts.event_bytes_max = 512;
	opts.inflate_max = 1 << 20;
	MUST(proto_new(&opts, mode & 1, &told_ops, &told, &proto) == 0);
	if (!(mode & 1)) {
		feed(proto, DIR_WRITE, preface, is_single, time_ns);
		fed += preface.len;
	}
	while (rest.len > 2)
		fed += piece_feed(proto, &rest, is_single, time_ns++);
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
