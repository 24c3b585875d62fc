/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every dialect does alike: telling its requests from others, opening a request and an answer, reading usage and
 * errors by table. A dialect's file holds only what is its own.
 */
#pragma once
#include "base/cleanup.h"
#include "base/json.h"
#include "dialect/text.h"
#include "model/dialect.h"

/* ---- recognition ---- */
enum {
	SCORE_LOOKALIKE = 10, /* of no dialect that we know, but a model answers */
	SCORE_BODY = 20,      /* no path is known: what was asked, and how it was refused */
	SCORE_ANSWER = 40,    /* the answer alone tells */
	SCORE_PATH = 60,      /* the path alone tells; the body was not seen */
	SCORE_SURE = 100,     /* path and body agree */
};

/* Members of a request body by which dialects differ. */
enum {
	KEY_MODEL = 1 << 0,
	KEY_MESSAGES = 1 << 1,
	KEY_PROMPT = 1 << 2,
	KEY_INPUT = 1 << 3,       /* any but the next */
	KEY_INPUT_ITEMS = 1 << 4, /* an array of objects */
	KEY_INPUTS = 1 << 5,
	KEY_CONTENTS = 1 << 6,
	KEY_MAX_TOKENS = 1 << 7,
	KEY_SYSTEM = 1 << 8,
	KEY_VERSION = 1 << 9, /* anthropic_version */
	KEY_RESPONSES =
		1 << 10, /* instructions, previous_response_id, reasoning, text, store, …: only Responses has them */
	KEY_JSONRPC = 1 << 11,
};
unsigned body_keys(struct slice body);

struct path_rule {
	const char *suffix;
	unsigned any;  /* one of these must be there (0: none needed) */
	unsigned all;  /* and all of these, as far as the body was seen */
	unsigned none; /* and none of these */
	bool alone;    /* tells enough when nothing of the body is there */
};

struct signature {
	const struct path_rule *rules;
	size_t rule_count;
	bool (*answer)(struct slice body); /* whole body or first event */
};
unsigned signature_score(const struct signature *signature, const struct dialect_hint *hint);

/* Where no path is known (joined late) and the answer is a refusal: what was asked, and the refusal's own form. */
struct refusal {
	struct path_rule asked; /* without a suffix */
	bool (*answer)(struct slice body);
};
unsigned refusal_score(const struct refusal *refusal, const struct dialect_hint *hint);
/* {"error": {...}} and no type of its own. */
bool body_is_refusal(struct slice body);

/* Nothing else asks a model; a hint without a method is of a request that was missed. */
static inline bool hint_is_post(const struct dialect_hint *hint)
{
	return !hint->method.len || slice_equal(hint->method, SLICE("POST"));
}

/* A trailing slash is ignored; "/x" matches behind any prefix, also "…/y/x" with the path's own escapes. */
bool path_ends(struct slice path, struct slice suffix);
/* What stands in @path between @before and the next '/' or ':'; empty when @before is not there. */
struct slice path_part(struct slice path, struct slice before);

/* ---- reading ---- */
/* One pass over an object: values[i] becomes the member named names[i], untouched when absent or null. */
void pick_members(struct slice object, const struct slice *names, struct slice *values, size_t count);
#define PICK(object, names, values)                                                                                    \
	({                                                                                                             \
		_Static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(values), "a name for each");                            \
		pick_members((object), (names), (values), ARRAY_SIZE(names));                                          \
	})

/* Text of a string that lives as long as the call; empty strings are placeholders of some vendors and count as absent. */
struct slice call_text(struct call *call, struct slice value);
/* The same for a view into an event, which dies: a copy. Scalars of other types are given as they are written. */
struct slice call_copy(struct call *call, struct slice value);

/* The strings of a list, as an attribute. */
void call_put_strings(struct call *call, const char *name, struct slice list);

struct usage_rule {
	struct slice object; /* "" or the member of usage that holds it */
	struct slice name;
	size_t field; /* offset in struct usage */
};
void usage_read(struct usage *usage, struct slice object, const struct usage_rule *rules, size_t count);
/* The total, where both of its parts are known. */
void usage_sum(struct usage *usage);
/* A number in a header of the answer, or -1. */
int64_t answer_header_count(const struct call *call, struct slice name);

/* ---- steps ---- */
/* Inputs, vendor, model, session, user. true when the body is a whole JSON object, fit to be taken apart. */
bool request_open(struct call *call, const char *vendor);
/* Outputs or error. true when there is a whole JSON object that is an answer; *ret is it. */
bool answer_open(struct call *call, struct slice *ret);
/* Fills call->error from any provider's error body or event. */
void error_read(struct call *call, struct slice body, bool in_band);
/* The end mark that is no JSON. */
static inline bool event_is_done(const struct message_part *part)
{
	return slice_equal(slice_trim(part->data), SLICE("[DONE]"));
}
/* Checks an event's data; what is not JSON is told on the call. */
bool event_open(struct call *call, const struct message_part *part);
void finish_add(struct call *call, struct slice reason);
/* The client is one of the Python SDKs' asynchronous ones. */
bool client_is_async(const struct call *call);
/* For a dialect that has no events, no answers in one piece, or nothing left to do at the end. */
enum dialect_event no_event(struct call *call, void *state, const struct message_part *part);
void no_step(struct call *call, void *state);
/* Memory ran out or bytes made no sense: the span must not say that it is complete. */
static inline void call_lost(struct call *call, bool kept)
{
	if (!kept)
		call->is_undecodable = true;
}
