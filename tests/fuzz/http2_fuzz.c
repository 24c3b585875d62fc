/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the HTTP/2 carrier (pieces.h). A piece with bit 3 is a frame: its type, flags and stream are three bytes more,
 * and one in a hole is as long as its payload.
 */
#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One piece off @rest; what it fed. */
static uint64_t frame_next(struct proto *proto, struct slice *rest, bool is_single, uint64_t time_ns)
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
	pieces_feed(proto, dir, text, is_single, time_ns);
	return text.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pieces pieces = {
		.opening = SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		.is_opening_for_early = true,
		.next = frame_next,
	};

	return pieces_fuzz(&pieces, data, size, 0xff);
}
