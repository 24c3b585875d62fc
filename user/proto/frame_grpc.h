/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages with a length before them, as gRPC and gRPC-Web send them: a byte of flags, four of length (the highest first), the
 * message, compressed by itself when bit 0 of the flags says so. Part of frame.c, which holds the open message in its buf.
 */
#pragma once
#include "proto/coding.h"
#include <stdint.h>

enum { GRPC_PREFIX_BYTES = 5 };

struct frame;

struct frame_grpc {
	enum coding_kind coding; /* _CODING_MAX: one we cannot undo */
	unsigned inflate_ratio;
	unsigned char prefix[GRPC_PREFIX_BYTES];
	size_t prefix_len;
	uint32_t left;  /* of the open message */
	bool is_passed; /* it is too long, or memory was refused */
};

void frame_grpc_feed(struct frame *frame, struct slice bytes);
/* Bytes are missing: where the next message begins is not known. */
void frame_grpc_hole(struct frame *frame);
