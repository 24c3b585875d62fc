/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MCP's first transport over HTTP: a client opens one stream of events (GET) whose first, "endpoint", says where to ask; each
 * request goes there (POST) and is answered 202 at once, the answer itself comes as an event of the stream. They are joined
 * by process, endpoint and the request's id. The answer may come before the 202 does.
 */
#pragma once
#include "call/tracker.h"

/* What names the place that a target, or a URL, leads to, whatever the host. The query is kept nowhere else: it may be a secret. */
uint64_t feed_target(struct slice target);
/* Whether the answer to this request may be such a stream. */
bool feed_is_asked(const struct call *call);
/* An event of an answer that may be one. false: it is none. */
bool feed_event(struct call_conn *conn, struct exchange *ex, const struct message_part *part);
/* Takes the draft of an exchange that is over, if its answer is to come in a stream: false: it is not. */
bool feed_takes(struct call_conn *conn, struct draft *draft, uint64_t time_ns);
/* Ends what has waited too long; at UINT64_MAX all. */
void feed_tick(struct call_tracker *tracker, uint64_t now_ns);
/* All that waits goes, silently. */
void feed_clear(struct call_tracker *tracker);
