/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange with a model, in neutral terms: call fills what the wire says, the dialect fills what it means, trace makes
 * spans of it. All memory is the call's arena; text that is JSON is kept as the JSON text it was or is assembled to.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "model/message.h"
#include "model/usage.h"
#include "model/work.h"

struct dialect;

enum call_end {
	CALL_END_UNKNOWN,
	CALL_END_COMPLETE,      /* the framing's end, or the dialect's own */
	CALL_END_CLIENT_CANCEL, /* the client left; nobody failed */
	CALL_END_SERVER_CUT,
	CALL_END_TIMEOUT,
	CALL_END_RESET,
	_CALL_END_MAX,
};
extern const char *const call_end_names[_CALL_END_MAX];

struct call_error {
	struct slice type;    /* the provider's word: error.type of the body, else empty */
	struct slice code;    /* the provider's code, or empty */
	struct slice message; /* the provider's message, or empty */
	struct slice raw;     /* error body: JSON text where it is JSON */
	bool in_band;         /* came inside a streamed 200 */
};

/* One event of a streamed answer, as JSON text, for span events. */
struct chunk {
	struct chunk *next;
	struct slice data;
	uint64_t time_ns;
	struct slice name; /* the event's own, for a dialect that names its span events so */
};

struct name_value {
	struct slice name;
	struct slice value;
};

enum { CALL_FINISH_MAX = 16, CALL_HEADERS_MAX = 64 };

struct call {
	struct arena *arena;

	/* ---- the wire: filled by call ---- */
	struct conn_info conn;  /* of the end that is reported; the client's where both ends were seen */
	struct conn_info other; /* the server's end, when it was seen too; id 0 otherwise */
	uint32_t thread;
	struct slice protocol; /* network.protocol.name; empty: http */
	struct slice method, path, query, host, http_version;
	int status;                                          /* 0: no answer */
	struct name_value request_headers[CALL_HEADERS_MAX]; /* allow-listed only, names lower case */
	size_t request_header_count;
	struct name_value response_headers[CALL_HEADERS_MAX];
	size_t response_header_count;
	struct slice credential; /* secret: only for the keyed fingerprint, never leaves */
	struct slice request_id;
	struct slice content_type;  /* of the answer */
	struct slice request_body;  /* decoded; what of it was seen, with marks for what lies aside (model/aside.h) */
	uint64_t aside;             /* the number under which long texts of it do; 0: none */
	struct slice response_body; /* decoded, when the answer is not streamed; what of it was seen */
	uint64_t request_start_ns, request_end_ns, response_start_ns, end_ns; /* since boot; 0: did not happen */
	struct message_end request_end, response_end;
	enum call_end end;
	bool is_complete;
	bool request_is_late, response_is_late;

	/* ---- the stream: filled by call from what the dialect returns ---- */
	bool is_stream; /* the answer came in events */
	uint64_t events;
	uint64_t first_event_ns, first_token_ns, last_event_ns, max_gap_ns;
	struct chunk *chunks, **chunks_tail; /* in order, no gap; of a very long stream the newest */
	uint64_t chunk_count;                /* in the list */
	uint64_t chunks_dropped;             /* older ones, no longer kept: the index of the list's first */
	struct name_value chunk_shown; /* of the event at hand, where the dialect sets it: what is kept in its stead */

	/* ---- the meaning: filled by the dialect ---- */
	const struct dialect *dialect;
	enum call_operation operation;
	struct slice vendor;  /* gen_ai.provider.name */
	struct slice gateway; /* who stands between the client and the vendor, where that is known */
	struct slice request_model, response_model, response_id;
	struct slice service_tier, system_fingerprint;
	struct slice inputs;  /* JSON text: the request body, as autolog records it */
	struct slice outputs; /* JSON text, or plain text with outputs_is_text */
	bool outputs_is_text;
	struct slice tools; /* JSON array in MLflow's function shape, or empty */
	struct slice
		chat_messages; /* JSON array for MLflow's page, only where it cannot parse inputs or outputs itself */
	struct slice input_messages, output_messages, system_instructions; /* gen_ai.* parts schema, JSON arrays */
	bool defers_messages; /* no back end takes the parts as such: those of a request are made only where chat_messages need them */
	bool owes_messages;       /* some were left out for that */
	struct slice output_type; /* gen_ai.output.type: text, json, image, speech; or empty */
	struct usage usage;
	struct slice usage_raw;                       /* as the provider sent it */
	int64_t cost_told_nano;                       /* what the provider says that it cost, 1e-9 USD; -1: nothing */
	struct slice finish_reasons[CALL_FINISH_MAX]; /* the provider's own words */
	size_t finish_count;
	struct slice session_id, user_id; /* only what the wire names */
	struct call_error error;
	bool has_error;
	struct attribute *attributes, **attributes_tail; /* what only this dialect knows: call_put_…() */
	struct call_step *steps, **steps_tail;
	bool ended_itself;   /* the dialect saw its own end ([DONE], message_stop, done:true) */
	bool is_undecodable; /* the answer could not be understood to its end */
};

/* Attributes beyond the fields above, under names of a convention or of INTERFACE. Nothing is put for an empty text, a
 * negative count, or when the arena is full. @name must outlive the call. */
void call_put_text(struct call *call, const char *name, struct slice text);
void call_put_count(struct call *call, const char *name, int64_t value);
void call_put_double(struct call *call, const char *name, double value);
void call_put_bool(struct call *call, const char *name, bool value);
/* @list lives as long as the call. */
void call_put_texts(struct call *call, const char *name, const struct slice *list, size_t count);
/* A step at the end of the list, zeroed; NULL when the arena is full. */
struct call_step *call_add_step(struct call *call);

static inline struct slice call_header(const struct name_value *list, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(list[i].name, name))
			return list[i].value;
	return SLICE_NONE;
}
