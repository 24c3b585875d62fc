/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two dialects that check the order in which they are called: "fake" is known by its path or its answer, "guess" by
 * both bodies together.
 */
#pragma once
#include "model/dialect.h"
#include "unit/support.h"

struct fake_state {
	unsigned requests, responses, finishes;
	struct buf text;
};

static inline unsigned fake_recognise(const struct dialect_hint *hint)
{
	if (slice_ends(hint->path, SLICE("/fake")))
		return 50;
	return slice_contains(hint->response_body, SLICE("\"fake\"")) ? 20 : 0;
}

static inline unsigned guess_recognise(const struct dialect_hint *hint)
{
	return slice_contains(hint->request_body, SLICE("\"model\"")) &&
			       slice_contains(hint->response_body, SLICE("\"words\""))
		       ? 5
		       : 0;
}

static inline void fake_request(struct call *call, void *state)
{
	struct fake_state *fake = state;

	assert_int_equal(fake->requests++, 0);
	call->operation = OPERATION_CHAT;
}

static inline enum dialect_event fake_event(struct call *call, void *state, const struct message_part *part)
{
	struct fake_state *fake = state;
	struct slice old = call->outputs;

	assert_int_equal(fake->requests, 1);
	assert_int_equal(fake->finishes, 0);
	if (slice_equal(part->data, SLICE("[DONE]")))
		return DIALECT_EVENT_END;
	if (slice_contains(part->data, SLICE("\"error\"")))
		call->has_error = call->error.in_band = true;
	call->outputs = arena_printf(call->arena, "%.*s%.*s", SLICE_FMT(old), SLICE_FMT(part->data));
	if (slice_contains(part->data, SLICE("\"last\"")))
		return DIALECT_EVENT_LAST;
	return slice_contains(part->data, SLICE("\"text\"")) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static inline void fake_response(struct call *call, void *state)
{
	struct fake_state *fake = state;

	assert_int_equal(fake->requests, 1);
	assert_int_equal(fake->responses++, 0);
	assert_false(call->is_stream);
	call->outputs = call->response_body;
	call->is_undecodable = slice_contains(call->response_body, SLICE("garbage"));
}

static inline void fake_finish(struct call *call, void *state)
{
	struct fake_state *fake = state;

	assert_int_equal(fake->requests, 1);
	assert_int_equal(fake->finishes++, 0);
}

static const struct dialect fake_dialects[] = {
	{ .name = "fake",
	  .state_size = sizeof(struct fake_state),
	  .keeps_chunks = true,
	  .recognise = fake_recognise,
	  .request = fake_request,
	  .event = fake_event,
	  .response = fake_response,
	  .finish = fake_finish },
	{ .name = "guess",
	  .state_size = sizeof(struct fake_state),
	  .recognise = guess_recognise,
	  .request = fake_request,
	  .event = fake_event,
	  .response = fake_response,
	  .finish = fake_finish },
};
