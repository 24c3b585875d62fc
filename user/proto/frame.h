/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last stage of a body: cuts it into what dialects read. Server-sent events (WHATWG HTML 9.2.6; an event that the body's
 * end leaves without its blank line counts), lines of NDJSON, AWS's event streams (frame_aws.h), or bytes as they come.
 * Feed it in any cuts: events and lines are the same. It holds back only the one that is open.
 *
 * After frame_hole() the open event or line is passed over and the next whole one is told. FRAME_UNKNOWN is for answers
 * joined in their middle: it tells nothing until it has seen a whole event, a whole JSON line or the prelude of AWS's
 * messages, and then is of that kind.
 */
#pragma once
#include "base/buf.h"
#include "model/message.h"
#include "proto/frame_grpc.h"

enum frame_kind {
	FRAME_BYTES,
	FRAME_EVENTS,
	FRAME_LINES,
	FRAME_AWS,
	FRAME_GRPC,
	FRAME_ARRAY,  /* frame_array.h */
	FRAME_BINARY, /* FRAME_AWS or FRAME_GRPC: the first bytes tell */
	FRAME_UNKNOWN,
	_FRAME_MAX,
};

enum frame_array_state { ARRAY_BEGIN, ARRAY_BETWEEN, ARRAY_INSIDE, ARRAY_LOST, ARRAY_OVER };

struct frame_array {
	enum frame_array_state state;
	size_t depth; /* brackets open in the element */
	bool in_string, is_escaped;
	bool at_line; /* lost: a line begins here */
};

struct frame_ops {
	void (*part)(void *user, const struct message_part *part);
	/* An event or line of @len bytes outgrew its budget, or memory was refused: passed over. */
	void (*lost)(void *user, size_t len);
	/* Bytes that a checksum does not fit, passed over; NULL: told as lost. */
	void (*damaged)(void *user, size_t len);
};

struct frame {
	enum frame_kind kind;
	const struct frame_ops *ops;
	void *user;
	uint64_t time_ns; /* of the bytes being fed */
	struct buf buf;   /* its use is drawn in frame.c */
	size_t data_len;
	size_t passed_len;      /* bytes of the open event or line, kept or not */
	struct frame_grpc grpc; /* FRAME_GRPC */
	char type[64];
	size_t type_len;
	bool has_data;
	bool has_begun;   /* past the place of a byte order mark */
	bool after_cr;    /* an LF that follows belongs to the CR before it */
	bool in_line;     /* the open line is not empty */
	bool skipping;    /* up to the next event or line */
	bool too_long;    /* why it is skipped: budget or memory, not a hole */
	bool at_start;    /* while skipping: an event may begin with the open line */
	char prelude[12]; /* FRAME_AWS, and kinds that look for one */
	size_t prelude_len;
	bool is_damaged; /* why it is skipped: no prelude where one is due */
	bool is_two_way; /* FRAME_AWS: one side of a stream in which both talk (frame_aws.h) */
	struct frame_array array;
};

enum frame_kind frame_kind_of(struct slice content_type);
bool frame_type_is_grpc(struct slice content_type);

void frame_init(struct frame *frame, enum frame_kind kind, struct alloc *alloc, size_t max, const struct frame_ops *ops,
		void *user);
void frame_free(struct frame *frame);
void frame_feed(struct frame *frame, struct slice bytes, uint64_t time_ns);
void frame_hole(struct frame *frame);
/* The sender began to write here (a chunk begins), so an event may begin here even if its blank line before was missed. */
void frame_boundary(struct frame *frame);
/* The body is over. @is_whole: by its framing, so what is open is whole too. */
void frame_end(struct frame *frame, bool is_whole);
