/* SPDX-License-Identifier: Apache-2.0 */
/* One gRPC exchange told to a dialect: a request message, answers, and the trailers at the end. */
#pragma once
#include "unit/dialect/attributes.h"
#include "unit/dialect/sane.h"
#include "unit/pbwrite.h"

struct grpc_talk {
	const char *path;
	struct pbw request;
	struct pbw answers[4];
	size_t answer_count;
	const char *status, *message; /* NULL: 0 and none */
};

/* Answers lie in memory that is spoilt after each: slices die. */
static inline void grpc_answer(struct told *told, void *state, const struct pbw *answer, size_t i)
{
	char *copy = malloc(answer->len + 1);
	struct message_part part = { .kind = PART_MESSAGE,
				     .type = SLICE("grpc"),
				     .data = { memcpy(copy, answer->data, answer->len), answer->len } };

	told->call.is_stream = told->call.events > 0;
	told->kinds[i] = "qcel"[told->dialect->event(&told->call, state, &part)];
	told->call.events += answer->len > 0;
	memset(copy, '#', answer->len);
	free(copy);
}

static inline struct told grpc_told_in(const struct grpc_talk *talk, struct alloc *alloc)
{
	static const struct name_value type = { SLICE("content-type"), SLICE("application/grpc") };
	struct pbw framed = pbw_framed(&talk->request);
	struct told told = { .arena = arena_new(alloc, (size_t)32 << 20) };
	struct dialect_hint hint = { .method = SLICE("POST"),
				     .path = slice_of(talk->path),
				     .headers = &type,
				     .header_count = 1,
				     .request_is_whole = true,
				     .request_body = pbw_slice(&framed) };
	struct call *call = &told.call;
	void *state;

	if (!told.arena)
		return told;
	*call = (struct call){ .arena = told.arena,
			       .usage = USAGE_NONE,
			       .cost_told_nano = -1,
			       .method = SLICE("POST"),
			       .path = slice_of(talk->path),
			       .status = 200,
			       .request_headers = { type },
			       .request_header_count = 1,
			       .request_body = arena_dup(told.arena, pbw_slice(&framed)) };
	told.dialect = dialect_find(&hint, &told.score);
	state = told.dialect ? arena_alloc(told.arena, told.dialect->state_size + 1) : NULL;
	if (!state)
		return told;
	call->dialect = told.dialect;
	told.dialect->request(call, state);
	for (size_t i = 0; i < talk->answer_count; i++)
		grpc_answer(&told, state, &talk->answers[i], i);
	call->response_headers[0] = (struct name_value){ SLICE("grpc-status"), slice_of(talk->status ?: "0") };
	call->response_headers[1] = (struct name_value){ SLICE("grpc-message"), slice_of(talk->message) };
	call->response_header_count = 2;
	if (!call->events)
		told.dialect->response(call, state);
	call->end = CALL_END_COMPLETE;
	told.dialect->finish(call, state);
	return told;
}

static inline struct told grpc_told(const struct grpc_talk *talk)
{
	return grpc_told_in(talk, &talk_heap.alloc);
}

/* Every byte of every message is changed and every message is cut at every place. */
static inline void grpc_survives_damage(const struct grpc_talk *good)
{
	for (size_t which = 0; which <= good->answer_count; which++) {
		struct grpc_talk talk = *good;
		struct pbw *message = which ? &talk.answers[which - 1] : &talk.request;
		size_t len = message->len;

		for (size_t i = 0; i < len; i++) {
			struct told told;
			char was = message->data[i];

			message->data[i] = "\x00\xff\x0a\x80"[i % 4];
			told = grpc_told(&talk);
			assert_sane_json(&told);
			told_free(&told);
			message->data[i] = was;
			message->len = i;
			told = grpc_told(&talk);
			assert_sane_json(&told);
			told_free(&told);
			message->len = len;
		}
	}
}

/* The nth request for memory fails: what is there is sound, and nothing leaks. */
static inline void grpc_survives_full_memory(const struct grpc_talk *talk)
{
	for (uint64_t nth = 1, taken = nth; nth < 200 && taken >= nth; nth++) {
		struct fail_alloc fail = FAIL_ALLOC(nth);
		struct told told;

		fail.is_sticky = nth % 2;
		told = grpc_told_in(talk, &fail.alloc);
		if (told.call.dialect)
			assert_sane_json(&told);
		told_free(&told);
		assert_int_equal(fail.used, 0);
		taken = fail.taken;
	}
}
