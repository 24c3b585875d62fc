/* SPDX-License-Identifier: Apache-2.0 */
/* A talk and what was told of it, with what holds for every dialect. */
#pragma once
#include "unit/dialect/talk_run.h"

/* What nobody takes is left out, and nothing else. */
static inline void talk_defers(const struct talk *talk, const struct told *told)
{
	struct talk deferred = *talk;
	struct told other;

	deferred.defers = true;
	assert_true(talk_run(&deferred, &talk_heap.alloc, told->dialect, &other));
	assert_true(slice_equal(other.call.chat_messages, told->call.chat_messages));
	assert_true(slice_equal(other.call.output_messages, told->call.output_messages));
	assert_true(slice_equal(other.call.inputs, told->call.inputs));
	assert_true(slice_equal(other.call.outputs, told->call.outputs));
	if (other.call.defers_messages && other.call.owes_messages)
		assert_int_equal(other.call.input_messages.len, 0);
	else
		assert_true(slice_equal(other.call.input_messages, told->call.input_messages));
	arena_free(other.arena);
}

static inline struct told talk_told(const struct talk *talk)
{
	struct told told;

	assert_true(talk_run(talk, &talk_heap.alloc, NULL, &told));
	talk_defers(talk, &told);
	return told;
}

static inline void told_free(struct told *told)
{
	arena_free(told->arena);
	told->arena = NULL;
}

static inline void assert_slice(struct slice got, const char *want)
{
	char text[8192];

	snprintf(text, sizeof(text), "%.*s", (int)got.len, got.data ? got.data : "");
	assert_string_equal(text, want);
}
