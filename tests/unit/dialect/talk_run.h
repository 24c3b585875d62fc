/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange told to a dialect as the call room tells it. Events lie in memory that is spoilt after each: slices die. */
#pragma once
#include "base/json.h"
#include "dialect/dialect.h"
#include "unit/support.h"

enum { TALK_EVENTS = 128 };

struct talk {
	const char *path, *host, *agent;
	struct name_value header; /* one more */
	struct slice request;
	bool request_is_cut; /* more of it should have come */
	int status;          /* 0: 200 */
	struct slice body;
	struct slice events[TALK_EVENTS]; /* "name|data" or "data" */
	size_t event_count;               /* 0: up to the first that is empty */
	enum call_end end;                /* 0: complete */
	bool is_silent;                   /* no answer at all */
	bool defers;                      /* as where no back end takes the messages themselves */
};

struct told {
	struct call call;
	struct arena *arena;
	const struct dialect *dialect;
	unsigned score;
	char kinds[TALK_EVENTS + 1]; /* a letter for each event: q c e l */
};

static struct alloc_heap talk_heap = ALLOC_HEAP((size_t)64 << 20);

static inline struct message_part talk_part(struct slice event)
{
	struct message_part part = { .kind = PART_EVENT, .data = event };
	ptrdiff_t bar = slice_find(slice_head(event, 40), SLICE("|"));

	if (bar > 0 && event.data[0] != '{') {
		part.type = slice_head(event, (size_t)bar);
		part.data = slice_from(event, (size_t)bar + 1);
	}
	return part;
}

static inline void talk_event(struct told *told, void *state, struct slice event, size_t i)
{
	char *copy = malloc(event.len + 1);
	struct message_part part = talk_part((struct slice){ memcpy(copy, event.data, event.len), event.len });

	part.time_ns = i + 1;
	told->kinds[i] = "qcel"[told->dialect->event(&told->call, state, &part)];
	told->call.ended_itself |= told->kinds[i] == 'e' || told->kinds[i] == 'l';
	memset(copy, '#', event.len);
	free(copy);
}

static inline struct dialect_hint talk_hint(const struct talk *talk, const struct call *call)
{
	return (struct dialect_hint){
		.method = SLICE("POST"),
		.path = slice_of(talk->path),
		.host = slice_of(talk->host),
		.headers = call->request_headers,
		.header_count = call->request_header_count,
		.request_body = talk->request,
		.request_is_whole = talk->path && !talk->request_is_cut,
		.response_body = talk->body.len ? talk->body : talk_part(talk->events[0]).data,
	};
}

static inline void talk_call(const struct talk *talk, struct call *call, struct arena *arena)
{
	*call = (struct call){ .arena = arena,
			       .usage = USAGE_NONE,
			       .method = SLICE("POST"),
			       .path = slice_of(talk->path),
			       .host = slice_of(talk->host),
			       .request_body = talk->request,
			       .response_body = talk->body };
	call->defers_messages = talk->defers;
	if (!talk->is_silent)
		call->status = talk->status ? talk->status : 200;
	if (talk->agent)
		call->request_headers[call->request_header_count++] =
			(struct name_value){ SLICE("user-agent"), slice_of(talk->agent) };
	if (talk->header.name.len)
		call->request_headers[call->request_header_count++] = talk->header;
}

static inline void talk_exchange(const struct talk *talk, struct told *told, void *state)
{
	struct call *call = &told->call;

	call->dialect = told->dialect;
	if (talk->path)
		told->dialect->request(call, state);
	for (size_t i = 0; i < TALK_EVENTS && (talk->event_count ? i < talk->event_count : talk->events[i].len); i++) {
		call->is_stream = true;
		talk_event(told, state, talk->events[i], i);
	}
	if (!call->is_stream && !talk->is_silent)
		told->dialect->response(call, state);
	call->end = talk->end ? talk->end : CALL_END_COMPLETE;
	told->dialect->finish(call, state);
}

/* @dialect: NULL to let it be found. False when nobody wants it. */
static inline bool talk_run(const struct talk *talk, struct alloc *alloc, const struct dialect *dialect,
			    struct told *told)
{
	struct dialect_hint hint;
	void *state = NULL;

	memset(told, 0, sizeof(*told));
	told->arena = arena_new(alloc, (size_t)32 << 20);
	if (!told->arena)
		return false;
	talk_call(talk, &told->call, told->arena);
	hint = talk_hint(talk, &told->call);
	told->dialect = dialect ? dialect : dialect_find(&hint, &told->score);
	if (!told->dialect)
		return false;
	state = arena_alloc(told->arena, told->dialect->state_size + 1);
	if (!state)
		return false;
	talk_exchange(talk, told, state);
	return true;
}
