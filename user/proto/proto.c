/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The carrier's part and the connection's part are kept apart: here only the first bytes are looked at, to choose a row of the
 * table. A connection joined late goes to a carrier that knows the middle it begins in, else to the one that can find its
 * place anywhere.
 */
#include "proto/proto.h"
#include "proto/carrier.h"
#include <errno.h>

static const struct carrier *const carriers[] = {
	&carrier_http1, &carrier_http2, &carrier_jsonrpc, &carrier_postgres, &carrier_redis, &carrier_mongodb,
};
/* What we call late may have begun under our eyes: the stores' first bytes are nobody's middle. */
static const struct carrier *const late_carriers[] = {
	&carrier_postgres,
	&carrier_redis,
	&carrier_mongodb,
	&carrier_websocket_late,
};
static const struct carrier *const late_carrier = &carrier_late;

const struct proto_opts proto_opts_default = {
	.head_bytes_max = 64 << 10,
	.fields_max = 200,
	.event_bytes_max = 8 << 20,
	.inflate_max = 256 << 20,
	.inflate_ratio = 200,
};

void proto_give_up(struct proto *proto)
{
	if (proto->is_quiet)
		return;
	proto->is_quiet = true;
	proto->ops->verdict(proto->user, VERDICT_DENY);
}

void proto_hand_on(struct proto *proto, const struct carrier *carrier, const struct hand_on *from)
{
	proto->next_state = carrier->take_over(proto, from);
	if (proto->next_state) {
		proto->next = carrier;
		return;
	}
	proto->stray_bytes += from->answer_bytes;
	proto->is_quiet = true;
}

/* Without memory for the carrier nothing can be told; the bytes stay counted. */
static void carrier_begin(struct proto *proto, const struct carrier *carrier, bool is_late)
{
	proto->carrier = carrier;
	proto->state = carrier->open(proto, is_late);
	if (!proto->state)
		proto->is_quiet = proto->is_starved = true;
}

int proto_new(const struct proto_opts *opts, bool is_late, const struct proto_ops *ops, void *user, struct proto **ret)
{
	struct proto *proto = alloc_get(opts->alloc, sizeof(*proto));

	if (!proto)
		return -ENOMEM;
	proto->opts = *opts;
	proto->ops = ops;
	proto->user = user;
	proto->is_late = is_late;
	*ret = proto;
	return 0;
}

struct proto *proto_free(struct proto *proto)
{
	if (!proto)
		return NULL;
	if (proto->state)
		proto->carrier->free(proto->state);
	alloc_put(proto->opts.alloc, proto, sizeof(*proto));
	return NULL;
}

static void next_begin(struct proto *proto, enum direction dir, uint64_t time_ns)
{
	struct slice left = proto->left;

	proto->carrier->end(proto->state, CLOSE_UNKNOWN, time_ns);
	proto->carrier->free(proto->state);
	proto->carrier = proto->next;
	proto->state = proto->next_state;
	proto->next = NULL;
	proto->left = SLICE_NONE;
	if (left.len)
		proto->carrier->bytes(proto->state, dir, time_ns, left);
}

static void carrier_bytes(struct proto *proto, enum direction dir, uint64_t time_ns, struct slice data)
{
	if (proto->is_quiet)
		proto->stray_bytes += data.len;
	else
		proto->carrier->bytes(proto->state, dir, time_ns, data);
	if (proto->next)
		next_begin(proto, dir, time_ns);
}

/* Hands on what was kept, who spoke first first. */
static void first_hand_on(struct proto *proto)
{
	for (int i = 0; i < _DIR_MAX; i++) {
		enum direction dir = i ? direction_other(proto->first_dir) : proto->first_dir;
		struct proto_first *first = &proto->first[dir];

		if (first->len)
			carrier_bytes(proto, dir, first->time_ns, (struct slice){ first->bytes, first->len });
		first->len = 0;
	}
}

static enum sniff sniff_all(const struct proto *proto, struct slice first, const struct carrier **ret)
{
	const struct carrier *const *list = proto->is_late ? late_carriers : carriers;
	size_t count = proto->is_late ? ARRAY_SIZE(late_carriers) : ARRAY_SIZE(carriers);
	enum sniff best = SNIFF_NO;

	for (size_t i = 0; i < count && best != SNIFF_YES; i++) {
		enum sniff says = list[i]->sniff(first);

		if (says > best) {
			best = says;
			*ret = list[i];
		}
	}
	return first.len >= SNIFF_BYTES && best == SNIFF_MAYBE ? SNIFF_NO : best;
}

/* Takes bytes until a carrier is known; returns the rest. Only who speaks first can show that none will ever be. */
static struct slice first_take(struct proto *proto, enum direction dir, uint64_t time_ns, struct slice data)
{
	struct proto_first *first = &proto->first[dir];
	const struct carrier *carrier = NULL;
	enum sniff says;

	if (!proto->first[DIR_READ].len && !proto->first[DIR_WRITE].len)
		proto->first_dir = dir;
	if (!first->len)
		first->time_ns = time_ns;
	while (data.len && first->len < SNIFF_BYTES) {
		first->bytes[first->len++] = data.data[0];
		data = slice_from(data, 1);
		says = sniff_all(proto, (struct slice){ first->bytes, first->len }, &carrier);
		if (says == SNIFF_MAYBE)
			continue;
		if (says == SNIFF_YES)
			carrier_begin(proto, carrier, carrier->begins_late);
		else if (proto->is_late)
			carrier_begin(proto, late_carrier, true);
		else if (dir == proto->first_dir)
			proto_give_up(proto);
		else
			continue;
		first_hand_on(proto);
		return data;
	}
	return data;
}

void proto_bytes(struct proto *proto, enum direction dir, uint64_t time_ns, struct slice data)
{
	if (!proto->carrier && !proto->is_quiet)
		data = first_take(proto, dir, time_ns, data);
	/* The second to speak, unknown so far, waits for the first: what it says beyond the first bytes is of no message. */
	if (!proto->carrier)
		proto->stray_bytes += data.len;
	else if (data.len)
		carrier_bytes(proto, dir, time_ns, data);
}

void proto_hole(struct proto *proto, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	if (!len)
		return;
	if (!proto->carrier && !proto->is_quiet) {
		carrier_begin(proto, late_carrier, true);
		first_hand_on(proto);
	}
	if (proto->is_quiet)
		proto->stray_bytes += len;
	else
		proto->carrier->hole(proto->state, dir, len, reason, time_ns);
}

void proto_unwanted(struct proto *proto, enum direction dir, uint64_t len, uint64_t time_ns)
{
	if (proto->state && proto->carrier->is_between && proto->carrier->is_between(proto->state, dir))
		proto->stray_bytes += len;
	else
		proto_hole(proto, dir, len, MISSING_POLICY, time_ns);
}

void proto_end(struct proto *proto, enum close_how how, uint64_t time_ns)
{
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		proto->stray_bytes += proto->first[dir].len;
		proto->first[dir].len = 0;
	}
	if (proto->state)
		proto->carrier->end(proto->state, how, time_ns);
	proto->is_quiet = true;
}

void proto_skip(struct proto *proto, uint64_t exchange)
{
	if (proto->state)
		proto->carrier->skip(proto->state, exchange);
}

bool proto_so_far(const struct proto *proto, uint64_t exchange, enum message_kind kind, struct message_end *ret)
{
	return proto->state && proto->carrier->so_far && proto->carrier->so_far(proto->state, exchange, kind, ret);
}

bool proto_is_starved(const struct proto *proto)
{
	return proto->is_starved;
}

uint64_t proto_stray_bytes(const struct proto *proto)
{
	return proto->stray_bytes;
}
