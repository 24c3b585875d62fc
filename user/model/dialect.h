/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dialect: one wire format of model calls. One file in user/dialect/ holds one const struct dialect, which registers
 * itself; nothing else needs a change. All functions are pure: memory is call->arena, time is in the parts.
 *
 * Order of calls for one exchange:
 *	recognise()	when the request head and the first bytes of its body, or all of it, are there; and, where the request
 *			was missed, again with the answer's beginning. The highest score wins, 0 is "not mine".
 *	request()	when the request body has ended (or will not come: cut, hole)
 *	event()		for each event or line of a streamed answer
 *	response()	once with the whole body of an answer that is not streamed
 *	finish()	at the end, however it came (call->end tells); assembles outputs from what was seen
 */
#pragma once
#include "model/call.h"

struct dialect_hint {
	struct slice method;
	struct slice path; /* without query, percent-decoded, as the client sent it */
	struct slice host;
	struct slice protocol;            /* of the message head; empty: http */
	const struct name_value *headers; /* request headers, allow-listed */
	size_t header_count;
	struct slice request_body; /* what is there of it; may be cut in its middle */
	bool request_is_whole;
	struct slice response_body; /* what is there of the answer's body or its first event; empty before */
};

enum dialect_event {
	DIALECT_EVENT_QUIET,   /* carries no content: role only, ping, usage */
	DIALECT_EVENT_CONTENT, /* first token, more tokens */
	DIALECT_EVENT_END,     /* the dialect's own end mark; not counted as an event that carries data */
	DIALECT_EVENT_LAST,    /* carries data and is the dialect's end */
};

struct dialect {
	const char *name;            /* spantap.dialect, e.g. "openai.chat" */
	int order;                   /* of the registry; equal orders sort by name */
	size_t state_size;           /* zeroed memory for this exchange, handed to all functions */
	bool keeps_chunks;           /* its events become span events (autolog does it for OpenAI) */
	const char *chunk_attribute; /* span events bear the events' own names and the data under this; or NULL */
	const char *message_format;  /* mlflow.message.format, or NULL */

	unsigned (*recognise)(const struct dialect_hint *hint);
	void (*request)(struct call *call, void *state);
	enum dialect_event (*event)(struct call *call, void *state, const struct message_part *part);
	void (*response)(struct call *call, void *state);
	void (*finish)(struct call *call, void *state);
	/* Span name as autolog writes it; the call is finished. */
	struct slice (*span_name)(const struct call *call);
};

/* Registers @tag (a struct dialect initialiser) at link time. */
#define DIALECT(tag, ...)                                                                                              \
	static const struct dialect tag = __VA_ARGS__;                                                                 \
	static const struct dialect *const tag##_entry __attribute__((used, section("dialects"), aligned(8))) = &tag
