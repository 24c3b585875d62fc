/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the dialect room: the first byte picks the dialect, the second how the call ends; the rest is the request
 * body, a line of "---", and then events, one per line (one line alone is a whole answer). With bit 6 of the second byte both
 * are made of messages instead, each behind a byte of its length. What comes out as JSON must be JSON.
 */
#include "base/json.h"
#include "dialect/dialect.h"
#include "heap.h"
#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct slice json)
{
	if (json.len && json_check(json, JSON_DEPTH_MAX) == -EBADMSG)
		abort();
}

static struct slice message_cut(struct slice *rest)
{
	struct slice message = slice_head(slice_from(*rest, 1), (unsigned char)rest->data[0]);

	*rest = slice_from(*rest, 1 + message.len);
	return message;
}

/* As a request made of messages reaches a dialect: each behind its length in four bytes. */
static struct slice messages_join(struct arena *arena, struct slice rest)
{
	char *joined = arena_alloc(arena, rest.len * 4 + 1);
	size_t len = 0;

	while (rest.len) {
		struct slice message = message_cut(&rest);

		memset(joined + len, 0, 3);
		joined[len + 3] = (char)message.len;
		memcpy(joined + len + 4, message.data, message.len);
		len += 4 + message.len;
	}
	return (struct slice){ joined, len };
}

static void events_feed(struct call *call, void *state, struct slice rest, bool is_messages)
{
	while (rest.len) {
		struct message_part part = { .kind = is_messages ? PART_MESSAGE : PART_EVENT,
					     .data = is_messages ? message_cut(&rest) : slice_cut(&rest, '\n') };
		char *copy = malloc(part.data.len + 1); /* a slice of its own: reading past it is seen */

		memcpy(copy, part.data.data, part.data.len);
		part.data.data = copy;
		call->dialect->event(call, state, &part);
		free(copy);
	}
}

/* What a message of a socket would be to the turns: of either side, and whatever it is. */
static void message_step(const struct dialect *dialect, struct slice text)
{
	struct message_part part = { .kind = PART_MESSAGE, .data = text };

	for (enum message_kind kind = 0; dialect->session && kind < _MESSAGE_MAX; kind++) {
		struct session_step step = { 0 };

		dialect->session->step(kind, &part, &step);
	}
}

/* The registry sorts itself for each question. */
static const struct dialect *dialect_of(uint8_t byte)
{
	static const struct dialect *known[128];

	for (size_t i = known[0] ? ARRAY_SIZE(known) : 0; i < ARRAY_SIZE(known); i++)
		known[i] = dialect_at(i);
	MUST(!known[ARRAY_SIZE(known) - 1]);
	return known[byte % 128] ? known[byte % 128] : known[byte % 64];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest, request;
	struct alloc_heap heap = heap_begin((size_t)8 << 20);
	struct arena *arena = arena_new(&heap.alloc, (size_t)4 << 20);
	struct dialect_hint hint = { .method = SLICE("POST"), .path = SLICE("/v1/x/chat/completions") };
	struct call call = { .arena = arena, .usage = USAGE_NONE, .path = SLICE("/v1/x"), .status = 200 };
	const struct dialect *dialect;
	ptrdiff_t mark;
	unsigned score;
	bool is_messages;
	void *state;

	if (size < 2 || !arena) {
		arena_free(arena);
		return 0;
	}
	rest = (struct slice){ (const char *)data + 2, size - 2 };
	dialect = dialect_of(data[0]);
	is_messages = data[1] & 64;
	mark = slice_find(rest, SLICE("\n---\n"));
	request = mark < 0 ? rest : slice_head(rest, (size_t)mark);
	rest = slice_from(rest, mark < 0 ? rest.len : (size_t)mark + 5);
	if (is_messages)
		request = messages_join(arena, request);
	call.dialect = dialect;
	call.request_body = hint.request_body = request;
	call.response_body = hint.response_body = rest;
	dialect_find(&hint, &score);
	hint.protocol = SLICE("websocket");
	dialect_find(&hint, &score);
	message_step(dialect, request);
	state = dialect->state_size ? arena_alloc(arena, dialect->state_size) : NULL;
	dialect->request(&call, state);
	call.is_stream = is_messages || memchr(rest.data, '\n', rest.len);
	call.end = data[1] % _CALL_END_MAX;
	call.status = data[1] & 128 ? 500 : 200;
	if (call.is_stream)
		events_feed(&call, state, rest, is_messages);
	else
		dialect->response(&call, state);
	dialect->finish(&call, state);
	check(call.tools);
	check(call.chat_messages);
	check(call.input_messages);
	check(call.output_messages);
	check(call.system_instructions);
	check(call.usage_raw);
	if (!call.outputs_is_text)
		check(call.outputs);
	arena_free(arena);
	return 0;
}
