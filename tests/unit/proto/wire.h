/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_run() feeds the pieces of a connection on paper to proto, cut as asked; equal behaviour is equal text (told.h). It checks
 * that no byte is lost: the stream_bytes of all messages and the stray bytes are what was fed.
 */
#pragma once
#include "unit/proto/paper.h"
#include "unit/proto/told.h"

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
		size_t step = wire->opts->step ? wire->opts->step
			      : *seed          ? 1 + random_below(seed, random_below(seed, 4) ? 8 : piece->text.len)
					       : piece->text.len;
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
	if (piece->is_unwanted)
		proto_unwanted(wire->proto, piece->dir, piece->hole_len, time_ns);
	else if (piece->hole_len)
		proto_hole(wire->proto, piece->dir, piece->hole_len, piece->reason, time_ns);
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
		wire_feed(&wire, &pieces[i], pieces[i].time_ns ? pieces[i].time_ns : (i + 1) * 10, &seed);
		fed += pieces[i].text.len + pieces[i].hole_len;
		wire.peak = MAX(wire.peak, (uint64_t)memory.used);
	}
	if (opts->has_so_far)
		wire_so_far(&wire);
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
