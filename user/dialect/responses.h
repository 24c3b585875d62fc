/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of a response, between responses_stream.c (gathers and writes the response) and openai_responses.c (reads it). */
#pragma once
#include "dialect/openai.h"

struct response_item;

struct response_stream {
	struct slice base;  /* the response object of the first event that had one */
	struct slice final; /* that of the terminal event */
	struct response_item *first, *last, *recent;
	size_t count;
	uint64_t events;
	uint64_t time_ns; /* of the event at hand */
};

enum dialect_event response_stream_event(struct call *call, struct response_stream *stream,
					 const struct message_part *part);
/* Gives the call's steps the times of their items. */
void response_stream_times(struct call *call, const struct response_stream *stream);
/* The response object: the terminal event's, its output filled from the items where it has none, or what a cut left. */
struct slice response_stream_object(struct call *call, const struct response_stream *stream);

/* ---- responses_socket.c ---- */
extern const struct dialect_session responses_session;
/* For a message of a socket. */
unsigned responses_socket_score(const struct dialect_hint *hint);
