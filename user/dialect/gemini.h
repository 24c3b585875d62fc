/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Google's dialects share: the path that names model and method, parts of contents, and the object that the chunks
 * of a stream add up to. gemini_parts.c reads, gemini_stream.c gathers, gemini.c and its neighbours are the dialects.
 */
#pragma once
#include "dialect/gather.h"
#include "dialect/parts.h"

/* ---- the path: …/models/{model}:{method} ---- */
struct slice gemini_method(struct slice path);
/* The model as clients name it: "gemini-x", "tunedModels/x", "endpoints/1"; empty on paths that name none. */
struct slice gemini_path_model(struct slice path);
/* Who answers when the host does not tell. */
const char *gemini_vendor(const struct call *call);
/* Model and vendor of a request; true when its body is whole and fit to be read. */
bool gemini_request_open(struct call *call);

/* @name as the asynchronous client's spans are called ("AsyncModels.x"), without its "Async" where the client is not. */
struct slice gemini_span_name(const struct call *call, struct slice name);

/* A member under its name of today or the one with underscores, which servers take as well. */
struct slice gemini_get(struct slice object, struct slice camel, struct slice snake);

/* ---- contents ---- */
void gemini_contents_put(struct parts *parts, struct slice contents);
/* @content: {parts:[…]} or text. */
void gemini_content_put(struct parts *parts, struct slice content);
/* One answer's candidates as output messages; finish reasons go to the call. */
void gemini_candidates_read(struct call *call, struct parts *parts, struct slice candidates);
struct slice gemini_tools(struct call *call, struct slice tools);
/* What the service did on its side: searches, code, tools of its own. */
void gemini_steps_add(struct call *call, struct slice candidates);
/* NULL when there are too many or the arena is full. */
struct call_step *gemini_step_add(struct call *call, struct slice name, struct slice inputs);

/* ---- a stream ---- */
struct gemini_candidate;

struct gemini_stream {
	struct members answer;
	struct members wrapper; /* of Code Assist, beside its response */
	struct gemini_candidate *first, *last, *recent;
	size_t count, finished;
	bool is_wrapped;
	bool goes_on; /* behind reasons to finish */
	uint64_t chunks;
};

/* One chunk, a whole JSON object. */
enum dialect_event gemini_stream_add(struct call *call, struct gemini_stream *stream, struct slice chunk);
/* The object that one answer would have been. */
struct slice gemini_stream_object(struct call *call, const struct gemini_stream *stream);
