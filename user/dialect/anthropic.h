/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of a message, between anthropic_stream.c (gathers and writes the message) and anthropic.c (reads it). */
#pragma once
#include "dialect/gather.h"
#include "dialect/parts.h"

struct message_block;

struct message_stream {
	struct members message, usage;
	struct message_block *first, *last, *recent;
	size_t count;
	uint64_t events;
};

enum dialect_event message_stream_event(struct call *call, struct message_stream *stream,
					const struct message_part *part);
/* Gives the call's steps the times of their blocks. */
void message_stream_times(struct call *call, const struct message_stream *stream);
/* The message as it would have come in one piece. */
struct slice message_stream_object(struct call *call, const struct message_stream *stream);
