/* SPDX-License-Identifier: Apache-2.0 */
/* What DashScope's answers share with their streams. */
#pragma once
#include "dialect/gather.h"

/* A text of a stream. As long as each piece begins with all that is there, it is one that says itself again and grows. Where
 * its first pieces ended is kept: the next one may show that they were to be glued. */
enum { GROWN_ENDS = 6 };
struct grown {
	char *data; /* inside of a JSON string */
	size_t len, size;
	size_t ends[GROWN_ENDS], count;
	bool is_glued, failed;
};

struct dashscope_choice;

struct dashscope_stream {
	struct slice id, model, usage, found; /* raw JSON; found: what a search of the web brought, told once */
	struct members others;                /* of "output" */
	struct grown text;
	struct dashscope_choices {
		struct dashscope_choice *first, *last, *recent;
		size_t count;
	} choices;
	bool has_begun, has_text;
	bool is_glued; /* asked for in pieces, or seen to be */
	bool is_many;  /* more than one choice: the end of one is not the end */
};

enum dialect_event dashscope_stream_event(struct call *call, struct dashscope_stream *stream,
					  const struct message_part *part);
/* The object that the same answer would have been in one piece; SLICE_NONE when memory ran out. */
struct slice dashscope_stream_object(struct call *call, const struct dashscope_stream *stream);

/* {"code","message","request_id"}, also under 200. */
bool dashscope_failure_read(struct call *call, struct slice body, bool in_band);
