/* SPDX-License-Identifier: Apache-2.0 */
/* What the dialects of Amazon's runtimes share: the path names the operation and the model, a header names the error. */
#pragma once
#include "base/base64.h"
#include "dialect/gather.h"
#include "dialect/parts.h"

/* Behind @before, up to the next slash. */
struct slice aws_path_segment(const struct call *call, struct slice before);
/* request_open() for a body that names no model: it stands in the path, between @before and the operation's name. */
bool aws_request_open(struct call *call, const char *vendor, struct slice before);
/* answer_open() and error_read(), with the type that x-amzn-errortype or __type names. */
bool aws_answer_open(struct call *call, struct slice *ret);
/* A text that was said, and why it ended: raw JSON. */
void aws_text_read(struct call *call, struct slice text, struct slice reason);
/* false: the event is an exception, which is now the call's error, or nothing that can be read. */
bool aws_event_open(struct call *call, const struct message_part *part);

/* The base64 of an event, {"bytes": …}: its slashes may be escaped. */
struct slice aws_event_bytes(struct call *call, struct slice event);

/* ---- the stream of Converse, between bedrock_stream.c (gathers and writes the answer) and bedrock_converse.c (reads it) ---- */

struct converse_block;

struct converse_stream {
	struct slice role;
	struct members members; /* of messageStop and metadata */
	struct converse_block *first, *last, *recent;
	size_t count;
	uint64_t events;
};

enum dialect_event converse_stream_event(struct call *call, struct converse_stream *stream,
					 const struct message_part *part);
/* The answer as it would have come in one piece. */
struct slice converse_stream_object(struct call *call, const struct converse_stream *stream);
