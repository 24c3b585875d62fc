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
	struct slice
		protocol; /* of the message head; of a session's message "websocket" or "eventstream"; empty: http */
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

/*
 * A session: one connection (a WebSocket), or one exchange in which both sides talk (protocol "eventstream"), that carries
 * many turns, each a call of its own. The dialect says for each message
 * of either side what it is to the turns; call makes a call of each turn, with what was gathered for it as request body
 * (see is_list) and the messages of its answer as events.
 */
enum session_is {
	SESSION_NOBODYS, /* pings, limits, acknowledgements */
	SESSION_INPUT,   /* belongs to the request of the turn that is opened next */
	SESSION_CONTEXT, /* the same, for all turns to come; takes the place of the last one with this key */
	SESSION_OPEN,    /* asks: opens a turn, itself being the last of its request */
	SESSION_EVENT,   /* of an open turn */
	SESSION_END,     /* its last */
};

/* Which turn an event is of: that with the same key; else the oldest of its lane without one, which takes the key; an event
 * without a key is of the oldest turn of its lane. */
struct session_step {
	enum session_is is;
	struct slice key;  /* of the turn, or of the context */
	struct slice lane; /* turns of one lane answer in order */
	bool opens;        /* an event that opens a turn where it finds none */
	bool or_input;     /* an event that, where it finds no turn, is an input of the next */
	bool overtakes;    /* other turns of the lane that have begun are over, whether their ends were seen or not */
	struct slice kept; /* of an input or context: what is kept of it; NULL: all */
	uint64_t sound_bytes; /* of an input: not kept but counted, told as {"sound_bytes":n} */
};

struct dialect_session {
	bool is_list; /* request bodies are JSON arrays of all that was gathered; else the opening message alone */
	void (*step)(enum message_kind kind, const struct message_part *part, struct session_step *ret);
};

struct dialect {
	const char *name;            /* spantap.dialect, e.g. "openai.chat" */
	int order;                   /* of the registry; equal orders sort by name */
	size_t state_size;           /* zeroed memory for this exchange, handed to all functions */
	bool keeps_chunks;           /* its events become span events (autolog does it for OpenAI) */
	const char *chunk_attribute; /* span events bear the events' own names and the data under this; or NULL */
	const char *message_format;  /* mlflow.message.format, or NULL */
	const struct dialect_session *session; /* NULL: it has none */

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
