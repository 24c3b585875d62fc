/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semconv: OpenTelemetry's conventions for generative AI move. spantap speaks the words of v1.41 everywhere; where another
 * flavour is asked for, one table says which of them it calls otherwise, at the one place through which all attributes go.
 */
#pragma once
#include "model/call.h"
#include "model/span.h"

enum semconv {
	SEMCONV_V1_41, /* the last release that back ends know */
	SEMCONV_NEXT,  /* what is to follow it */
	_SEMCONV_MAX,
};

/* The name and value of an attribute in that flavour. @operation: of the span's call. */
void semconv_turn(enum semconv semconv, enum call_operation operation, struct slice *name, struct value *value);

/* How the flavour has the messages of an answer: in the next one they bear no finish reason. Text of @alloc's, to be freed. */
bool semconv_turns_messages(enum semconv semconv);
void semconv_messages(struct buf *out, struct slice messages);
