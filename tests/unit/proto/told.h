/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What proto tells, written down as text, a line each; a body's bytes are one line however they were cut. Checks the grammar of
 * the calls: for each message one head, then parts and holes, then one end.
 */
#pragma once
#include "unit/proto/text.h"

/* A new line of the text for this message: "1q " for the request of exchange 1, "1a " for its answer. */
static inline void wire_line(struct wire *wire, uint64_t exchange, enum message_kind kind)
{
	if (wire->in_bytes)
		wire_put(wire, "\n", 1);
	wire->in_bytes = false;
	wire_printf(wire, "%d%c ", (int)exchange, kind == MESSAGE_REQUEST ? 'q' : 'a');
	assert_true(exchange > 0 && kind < _MESSAGE_MAX);
}
static inline void wire_on_head(void *user, uint64_t exchange, const struct message_head *head)
{
	struct wire *wire = user;

	wire_line(wire, exchange, head->kind);
	if (exchange < WIRE_EXCHANGES) {
		assert_false(wire->told[exchange][head->kind].has_head);
		wire->told[exchange][head->kind].has_head = true;
	}
	if (head->is_late)
		wire_printf(wire, "late");
	else if (head->kind == MESSAGE_REQUEST)
		wire_printf(wire, "%.*s %.*s %.*s %.*s", SLICE_FMT(head->method), SLICE_FMT(head->authority),
			    SLICE_FMT(head->target), SLICE_FMT(head->version));
	else
		wire_printf(wire, "%d %.*s", head->status, SLICE_FMT(head->version));
	for (size_t i = 0; i < head->header_count; i++)
		wire_printf(wire, " [%.*s=%.*s]", SLICE_FMT(head->headers[i].name), SLICE_FMT(head->headers[i].value));
	wire_put(wire, "\n", 1);
	if (wire->opts->skip == exchange)
		proto_skip(wire->proto, exchange);
}

static inline void wire_on_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	struct wire *wire = user;

	if (exchange < WIRE_EXCHANGES)
		assert_true(wire->told[exchange][kind].has_head && !wire->told[exchange][kind].has_end);
	if (part->kind != PART_BYTES || !wire->in_bytes || wire->in_exchange != exchange || wire->in_kind != kind) {
		wire_line(wire, exchange, kind);
		wire->in_exchange = exchange;
		wire->in_kind = kind;
		if (part->kind == PART_EVENT)
			wire_printf(wire, "event<%.*s> ", SLICE_FMT(part->type));
		else if (part->kind == PART_MESSAGE)
			wire_printf(wire, "%.*s(%d) ", SLICE_FMT(part->type), (int)part->stream_bytes);
		else
			wire_printf(wire, part->kind == PART_LINE ? "line " : "bytes ");
	}
	wire->in_bytes = part->kind == PART_BYTES;
	wire_put(wire, part->data.data, part->data.len);
	if (wire->opts->has_times && part->kind != PART_BYTES)
		wire_printf(wire, " @%d", (int)part->time_ns);
	if (part->kind != PART_BYTES)
		wire_put(wire, "\n", 1);
}

static inline void wire_on_hole(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason,
				uint64_t time_ns)
{
	struct wire *wire = user;

	if (exchange < WIRE_EXCHANGES)
		assert_true(wire->told[exchange][kind].has_head && !wire->told[exchange][kind].has_end);
	wire_line(wire, exchange, kind);
	wire_printf(wire, "hole %s\n", missing_reason_names[reason]);
}

static inline void wire_on_end(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	static const char *const hows[] = { "framed", "cut", "lost" };
	struct wire *wire = user;

	if (exchange < WIRE_EXCHANGES) {
		/* An answer that a reset kept from beginning has an end alone. */
		wire->told[exchange][kind].has_head |= kind == MESSAGE_RESPONSE && end->is_reset;
		assert_true(wire->told[exchange][kind].has_head && !wire->told[exchange][kind].has_end);
		wire->told[exchange][kind].has_end = true;
	}
	assert_true(end->missing_bytes <= (int64_t)end->stream_bytes && end->missing_bytes >= -1);
	assert_true(end->body_bytes <= (int64_t)end->stream_bytes && end->body_bytes >= -1);
	wire->stream_bytes += end->stream_bytes;
	wire_line(wire, exchange, kind);
	wire_printf(wire, "%s body=%d stream=%d missing=%d", hows[end->how], (int)end->body_bytes,
		    (int)end->stream_bytes, (int)end->missing_bytes);
	if (end->is_reset)
		wire_printf(wire, " reset by %d", end->conn_how);
	for (size_t i = 0; i < end->trailer_count; i++)
		wire_printf(wire, " [%.*s=%.*s]", SLICE_FMT(end->trailers[i].name), SLICE_FMT(end->trailers[i].value));
	for (int reason = 0; reason < _MISSING_MAX; reason++)
		if (end->missing_reasons & 1u << reason)
			wire_printf(wire, " %s", missing_reason_names[reason]);
	if (wire->opts->has_times)
		wire_printf(wire, " @%d", (int)end->time_ns);
	wire_put(wire, "\n", 1);
}

/* What is open, with its sums. */
static inline void wire_so_far(struct wire *wire)
{
	for (uint64_t exchange = 1; exchange < WIRE_EXCHANGES; exchange++)
		for (int kind = 0; kind < _MESSAGE_MAX; kind++) {
			struct message_end end;

			if (!proto_so_far(wire->proto, exchange, kind, &end))
				continue;
			wire_line(wire, exchange, kind);
			wire_printf(wire, "so far body=%d stream=%d missing=%d %.*s\n", (int)end.body_bytes,
				    (int)end.stream_bytes, (int)end.missing_bytes, SLICE_FMT(end.content_type));
		}
}
