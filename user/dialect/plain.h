/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers of one model that turn a prompt into a text, each with member names of its own: what they share. A stream is
 * the object that its last event was, with the whole text in the place where that one had its piece.
 */
#pragma once
#include "dialect/openai.h"

struct plain {
	struct slice last;  /* what is shown beside the text: an object, kept */
	struct pieces text; /* inside of a JSON string */
	bool has_begun;
};

/* Prompts as one user's message: strings, or lists of strings; others cannot be shown. */
void plain_prompt(struct call *call, const struct slice *prompts, size_t count);
/* Adds a piece; true when there was something. */
bool plain_add(struct call *call, struct plain *plain, struct slice piece);
/* Adds what a text that repeats all before it has more than before. */
bool plain_add_rest(struct call *call, struct plain *plain, struct slice text);
/* @plain->last with the whole text as its member @name. */
struct slice plain_object(struct call *call, const struct plain *plain, struct slice name);
/* answer_open() for an object or a list of them. */
bool plain_answer_open(struct call *call, struct slice *ret);
/* One message of the model with its reason to end. */
void plain_said(struct call *call, struct slice text, struct slice reason);
/* Several answers: each of @list is an object with @name. */
void plain_said_each(struct call *call, struct slice list, struct slice name, struct slice reason);

/* @body, or the first of a list of answers. */
static inline struct slice first_object(struct slice body)
{
	struct json_iter first = json_iter(json_trim(body));

	return json_type(json_trim(body)) == JSON_ARRAY && json_next(&first) ? first.value : json_trim(body);
}
