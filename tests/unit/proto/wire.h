/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection on paper: pieces of both directions in the order in which they passed. wire_run() feeds them to proto, cut as
 * asked, and writes down what is told as text; equal behaviour is equal text. It checks the grammar of the calls (one head, then
 * parts, then one end) and that no byte is lost: the stream_bytes of all messages and the stray bytes are what was fed.
 */
#pragma once
#include "proto/proto.h"
#include "unit/support.h"
#include <stdio.h>

enum { WIRE_EXCHANGES = 512 };

struct piece {
	enum direction dir;
	struct slice text; /* empty: a hole */
	uint64_t hole_len;
};

/* C: the client's bytes, as the process that wrote them; S: the server's. */
#define C(literal)	 { .dir = DIR_WRITE, .text = { (literal), sizeof(literal) - 1 } }
#define S(literal)	 { .dir = DIR_READ, .text = { (literal), sizeof(literal) - 1 } }
#define C_HOLE(len)	 { .dir = DIR_WRITE, .hole_len = (len) }
#define S_HOLE(len)	 { .dir = DIR_READ, .hole_len = (len) }
#define WIRE(...)	 ((struct piece[]){ __VA_ARGS__ }), sizeof((struct piece[]){ __VA_ARGS__ }) / sizeof(struct piece)

struct wire_opts {
	bool is_late;
	enum close_how how;
	size_t step;	      /* bytes of each feed; 0: each piece whole, unless seed */
	uint64_t seed;	      /* random steps */
	uint64_t skip;	      /* this exchange's answer is skipped at its request's head */
	bool has_times;	      /* of parts and ends in the text; piece n has time (n + 1) * 10 */
	struct proto_opts proto; /* fields that are 0 are the default's */
	uint64_t fail_at;     /* the allocation that fails, and all after it when is_sticky */
	bool is_sticky;
};

struct wire {
	char *text;
	size_t len, size;
	bool in_bytes; /* the open line of text is a body's bytes */
	uint64_t in_exchange;
	enum message_kind in_kind;
	struct {
		bool has_head, has_end;
	} told[WIRE_EXCHANGES][_MESSAGE_MAX];
	uint64_t stream_bytes;
	unsigned denied;
	uint64_t peak;
	const struct wire_opts *opts;
	struct proto *proto;
};

static inline void wire_put(struct wire *wire, const char *data, size_t len)
{
	if (wire->len + len + 1 > wire->size) {
		wire->size = (wire->len + len + 1) * 2;
		wire->text = realloc(wire->text, wire->size);
		assert_non_null(wire->text);
	}
	if (len)
		memcpy(wire->text + wire->len, data, len);
	wire->len += len;
	wire->text[wire->len] = 0;
}

#define wire_printf(wire, ...)                                                       \
	do {                                                                         \
		char line_[8192];                                                    \
		int len_ = snprintf(line_, sizeof(line_), __VA_ARGS__);              \
		wire_put((wire), line_, MIN((size_t)len_, sizeof(line_) - 1));       \
	} while (0)

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
		assert_true(wire->told[exchange][kind].has_head && !wire->told[exchange][kind].has_end);
		wire->told[exchange][kind].has_end = true;
	}
	assert_true(end->missing_bytes <= (int64_t)end->stream_bytes && end->missing_bytes >= -1);
	assert_true(end->body_bytes <= (int64_t)end->stream_bytes && end->body_bytes >= -1);
	wire->stream_bytes += end->stream_bytes;
	wire_line(wire, exchange, kind);
	wire_printf(wire, "%s body=%d stream=%d missing=%d", hows[end->how], (int)end->body_bytes,
		    (int)end->stream_bytes, (int)end->missing_bytes);
	for (int reason = 0; reason < _MISSING_MAX; reason++)
		if (end->missing_reasons & 1u << reason)
			wire_printf(wire, " %s", missing_reason_names[reason]);
	if (wire->opts->has_times)
		wire_printf(wire, " @%d", (int)end->time_ns);
	wire_put(wire, "\n", 1);
}

static inline void wire_on_verdict(void *user, enum verdict verdict)
{
	struct wire *wire = user;

	assert_int_equal(verdict, VERDICT_DENY);
	wire->denied++;
}

static const struct proto_ops wire_ops = { wire_on_head, wire_on_part, wire_on_hole, wire_on_end, wire_on_verdict };

/* Feeds one piece; each feed ends at a page that faults. */
static inline void wire_feed(struct wire *wire, const struct piece *piece, uint64_t time_ns, uint64_t *seed)
{
	size_t at = 0;

	while (at < piece->text.len) {
		size_t step = wire->opts->step ? wire->opts->step :
			      *seed ? 1 + random_below(seed, random_below(seed, 4) ? 8 : piece->text.len) : piece->text.len;
		struct slice bytes = slice_head(slice_from(piece->text, at), step);

		if (wire->opts->step || *seed) {
			/* A copy of its own, so that whoever keeps a view of it is found out. */
			char *copy = malloc(bytes.len);

			assert_non_null(copy);
			memcpy(copy, bytes.data, bytes.len);
			proto_bytes(wire->proto, piece->dir, time_ns, (struct slice){ copy, bytes.len });
			free(copy);
		} else {
			struct guard guard = guard_new(bytes);

			proto_bytes(wire->proto, piece->dir, time_ns, guard.text);
			guard_free(&guard);
		}
		at += bytes.len;
	}
	if (piece->hole_len)
		proto_hole(wire->proto, piece->dir, piece->hole_len, MISSING_RING_FULL, time_ns);
}

static inline struct proto_opts wire_proto_opts(const struct wire_opts *opts, struct alloc *alloc)
{
	struct proto_opts proto = proto_opts_default;

	proto.alloc = alloc;
	proto.head_bytes_max = opts->proto.head_bytes_max ?: proto.head_bytes_max;
	proto.fields_max = opts->proto.fields_max ?: proto.fields_max;
	proto.event_bytes_max = opts->proto.event_bytes_max ?: proto.event_bytes_max;
	proto.inflate_max = opts->proto.inflate_max ?: proto.inflate_max;
	proto.inflate_ratio = opts->proto.inflate_ratio ?: proto.inflate_ratio;
	return proto;
}

/* The text is the caller's to free. */
static inline struct wire wire_run(const struct wire_opts *opts, const struct piece *pieces, size_t count)
{
	struct fail_alloc memory = FAIL_ALLOC(opts->fail_at);
	struct proto_opts proto = wire_proto_opts(opts, &memory.alloc);
	struct wire wire = { .opts = opts };
	uint64_t seed = opts->seed, fed = 0;

	memory.is_sticky = opts->is_sticky;
	wire_put(&wire, "", 0);
	if (proto_new(&proto, opts->is_late, &wire_ops, &wire, &wire.proto) < 0) {
		assert_int_equal(memory.used, 0);
		return wire;
	}
	for (size_t i = 0; i < count; i++) {
		wire_feed(&wire, &pieces[i], (i + 1) * 10, &seed);
		fed += pieces[i].text.len + pieces[i].hole_len;
		wire.peak = MAX(wire.peak, (uint64_t)memory.used);
	}
	proto_end(wire.proto, opts->how, (count + 1) * 10);
	assert_int_equal(wire.stream_bytes + proto_stray_bytes(wire.proto), fed);
	for (size_t i = 0; i < WIRE_EXCHANGES; i++)
		for (int kind = 0; kind < _MESSAGE_MAX; kind++)
			assert_int_equal(wire.told[i][kind].has_head, wire.told[i][kind].has_end);
	if (wire.in_bytes)
		wire_put(&wire, "\n", 1);
	wire.proto = proto_free(wire.proto);
	assert_int_equal(memory.used, 0);
	return wire;
}

static inline void wire_check(const struct wire_opts *opts, const struct piece *pieces, size_t count, const char *want,
			      const char *how)
{
	struct wire wire = wire_run(opts, pieces, count);

	if (strcmp(wire.text, want) != 0)
		fail_msg("%s:\n---- got\n%s---- not\n%s", how, wire.text, want);
	free(wire.text);
}

/* Whole, byte by byte, and in 60 random cuts: always @want. */
static inline void wire_expect(struct wire_opts opts, const struct piece *pieces, size_t count, const char *want)
{
	opts.how = opts.how ?: CLOSE_REMOTE;
	wire_check(&opts, pieces, count, want, "whole");
	opts.step = 1;
	wire_check(&opts, pieces, count, want, "byte by byte");
	opts.step = 0;
	for (opts.seed = 1; opts.seed <= 60; opts.seed++)
		wire_check(&opts, pieces, count, want, "cut at random");
}
