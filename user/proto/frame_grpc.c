/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message is told when its last byte is here. One that cannot be told (too long, of an unknown coding, damaged) is passed
 * over by its length, so the next is found; only after a hole there is no next, for nothing marks where it begins.
 */
#include "proto/frame.h"
#include <errno.h>

enum { FLAG_COMPRESSED = 1, FLAG_TRAILERS = 0x80, FREE_BYTES = 1 << 20 };

static const struct slice type = { "grpc", 4 };

struct unpacked {
	struct buf text;
	size_t len_max;
};

static int unpacked_put(void *user, struct slice bytes)
{
	struct unpacked *unpacked = user;

	if (bytes.len > unpacked->len_max - unpacked->text.len)
		return -E2BIG;
	buf_put(&unpacked->text, bytes);
	return unpacked->text.failed ? -ENOMEM : 0;
}

static void tell(struct frame *frame, struct slice message)
{
	uint64_t stream_bytes = GRPC_PREFIX_BYTES + frame->passed_len;

	frame->ops->part(frame->user, &(struct message_part){ .kind = PART_MESSAGE,
							      .type = type,
							      .data = message,
							      .time_ns = frame->time_ns,
							      .stream_bytes = stream_bytes });
}

/* What a message may unpack to is bounded as a body is: absolutely, and against what travelled once that matters. */
static void unpack(struct frame *frame, struct slice packed)
{
	size_t by_ratio = MAX((size_t)FREE_BYTES, packed.len * frame->grpc.inflate_ratio);
	struct unpacked unpacked = { BUF(frame->buf.alloc, frame->buf.max), MIN(frame->buf.max, by_ratio) };
	struct coding *coding = NULL;
	int r = -EBADMSG;

	if (frame->grpc.coding < _CODING_MAX && frame->grpc.coding != CODING_IDENTITY)
		r = coding_new(frame->buf.alloc, frame->grpc.coding, &coding);
	if (r == 0)
		r = coding_feed(coding, packed, unpacked_put, &unpacked);
	if (r == 0)
		tell(frame, buf_slice(&unpacked.text));
	else
		frame->ops->lost(frame->user, frame->passed_len);
	coding_free(coding);
	buf_free(&unpacked.text);
}

static void message_finish(struct frame *frame)
{
	struct slice message = buf_slice(&frame->buf);

	if (frame->grpc.is_passed)
		frame->ops->lost(frame->user, frame->passed_len);
	else if (frame->grpc.prefix[0] & FLAG_TRAILERS)
		; /* gRPC-Web's trailers are no message */
	else if (frame->grpc.prefix[0] & FLAG_COMPRESSED)
		unpack(frame, message);
	else
		tell(frame, message);
	buf_reset(&frame->buf);
	frame->grpc.prefix_len = 0;
	frame->grpc.is_passed = false;
	frame->passed_len = 0;
}

static void prefix_take(struct frame *frame, struct slice *bytes)
{
	struct frame_grpc *grpc = &frame->grpc;

	while (bytes->len && grpc->prefix_len < GRPC_PREFIX_BYTES) {
		grpc->prefix[grpc->prefix_len++] = (unsigned char)bytes->data[0];
		*bytes = slice_from(*bytes, 1);
	}
	if (grpc->prefix_len < GRPC_PREFIX_BYTES)
		return;
	grpc->left = 0;
	for (size_t i = 1; i < GRPC_PREFIX_BYTES; i++)
		grpc->left = grpc->left << 8 | grpc->prefix[i];
	grpc->is_passed = grpc->left > frame->buf.max;
	if (!grpc->left)
		message_finish(frame);
}

static void message_take(struct frame *frame, struct slice *bytes)
{
	struct frame_grpc *grpc = &frame->grpc;
	struct slice piece = slice_head(*bytes, grpc->left);

	*bytes = slice_from(*bytes, piece.len);
	grpc->left -= (uint32_t)piece.len;
	frame->passed_len += piece.len;
	if (!grpc->is_passed)
		buf_put(&frame->buf, piece);
	if (frame->buf.failed && !grpc->is_passed) {
		grpc->is_passed = true;
		buf_free(&frame->buf);
	}
	if (!grpc->left)
		message_finish(frame);
}

void frame_grpc_feed(struct frame *frame, struct slice bytes)
{
	while (bytes.len && !frame->skipping) {
		if (frame->grpc.prefix_len < GRPC_PREFIX_BYTES)
			prefix_take(frame, &bytes);
		else
			message_take(frame, &bytes);
	}
}

void frame_grpc_hole(struct frame *frame)
{
	frame->skipping = true;
	buf_free(&frame->buf);
}
