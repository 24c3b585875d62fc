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
/* A request whose body is a stream of messages, in HTTP/2, has an answer that comes meanwhile: a session like a socket. */
bool headers_are_two_way(const struct message_head *head);
/* It was answered by a refusal instead. */
bool headers_refuse_two_way(const struct call *call);
/* Of a session: "websocket", or @otherwise where plain HTTP carries it. */
struct slice headers_protocol(const struct call *call, struct slice otherwise);
/* @path with its %XX decoded once; @path itself when there are none, or no memory for them. */
struct slice headers_path_decode(struct arena *arena, struct slice path);
