/* SPDX-License-Identifier: Apache-2.0 */
/*
 * headers: what of a head is kept. One table names the headers that may stay; a header that it does not name is never
 * copied, so nothing has to be redacted later. All copies are in call->arena.
 */
#pragma once
#include "model/call.h"

void headers_take_request(struct call *call, const struct message_head *head);
void headers_take_response(struct call *call, const struct message_head *head);
/* Fields behind an answer's body stand with those before it. */
void headers_take_trailers(struct call *call, const struct message_end *end);
/* @path with its %XX decoded once; @path itself when there are none, or no memory for them. */
struct slice headers_path_decode(struct arena *arena, struct slice path);
