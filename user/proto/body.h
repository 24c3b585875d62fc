/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body without its transfer framing, on its way to parts: content codings off (the last applied first), then cut by its
 * frame. Memory is bounded by the open event and the decoders; what a decoder may give out is bounded by opts.
 *
 *	bytes --> coding --> coding --> frame --> ops->part
 */
#pragma once
#include "proto/coding.h"
#include "proto/frame.h"
#include "proto/proto.h"

enum { BODY_CODINGS_MAX = 2 };

/* What the head says of the body. */
struct body_shape {
	enum coding_kind codings[BODY_CODINGS_MAX]; /* in the order they were applied */
	size_t coding_count;
	bool is_unknown_coding; /* one we cannot undo, or too many */
	bool is_sniffed;        /* may be compressed without saying so */
	enum frame_kind frame;
	bool is_two_way;                 /* FRAME_AWS: frame_aws.h */
	enum coding_kind message_coding; /* FRAME_GRPC: of a message that says it is compressed; _CODING_MAX: unknown */
};

struct body {
	const struct proto_opts *opts;
	struct body_shape shape;
	struct coding *codings[BODY_CODINGS_MAX]; /* in the order they are undone */
	struct frame frame;
	uint64_t in, out;
	uint64_t time_ns;
	char first[4]; /* while sniffing */
	size_t first_len;
	int error; /* sticky: the rest cannot be decoded */
};

void body_init(struct body *body, const struct proto_opts *opts, const struct body_shape *shape,
	       const struct frame_ops *ops, void *user);
void body_free(struct body *body);
/* 0, or the error that ends the decoding: -EBADMSG, -E2BIG, -ENOMEM. */
int body_feed(struct body *body, struct slice bytes, uint64_t time_ns);
/* Bytes are missing. What is compressed cannot be decoded behind them: -EBADMSG. */
int body_hole(struct body *body);
void body_end(struct body *body, bool is_whole);
