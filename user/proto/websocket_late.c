/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket joined in its middle: the handshake is unknown, so is whether it compresses. It is known by its first frame, which
 * must be JSON text; who masks is the client. Its two messages have late heads that name the protocol.
 */
#include "proto/carrier.h"
#include "proto/websocket.h"

struct late_socket {
	struct proto *proto;
	struct websocket *socket;
	struct outgoing outs[_DIR_MAX];
};

static enum direction client_of(const struct proto *proto)
{
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		const struct proto_first *first = &proto->first[dir];

		if (websocket_sniff((struct slice){ first->bytes, first->len }) == SNIFF_YES)
			return first->bytes[1] & 0x80 ? (enum direction)dir : direction_other((enum direction)dir);
	}
	return DIR_WRITE;
}

static void message_begin(struct late_socket *late, enum message_kind kind, enum direction dir)
{
	struct message_head head = { .is_late = true, .protocol = SLICE("websocket") };
	struct outgoing *out = &late->outs[dir];

	outgoing_open(out, late->proto, kind, dir, late->proto->first[late->proto->first_dir].time_ns);
	out->exchange = late->proto->exchanges;
	out->is_length_hidden = true;
	out->missing_reasons |= 1u << MISSING_JOINED_LATE;
	outgoing_tell(out, &head);
}

static void late_free(void *state)
{
	struct late_socket *late = state;

	websocket_free(late->socket);
	alloc_put(late->proto->opts.alloc, late, sizeof(*late));
}

static void *late_open(struct proto *proto, bool is_late)
{
	struct late_socket *late = alloc_get(proto->opts.alloc, sizeof(*late));
	enum direction client = client_of(proto);

	if (!late)
		return NULL;
	late->proto = proto;
	late->socket = websocket_new(&proto->opts, NULL, true);
	if (!late->socket) {
		late_free(late);
		return NULL;
	}
	proto->exchanges++;
	message_begin(late, MESSAGE_REQUEST, client);
	message_begin(late, MESSAGE_RESPONSE, direction_other(client));
	return late;
}

static void late_close(struct late_socket *late, struct outgoing *out)
{
	if (out->is_open && websocket_is_closed(late->socket, out->kind))
		outgoing_end(out, MESSAGE_END_FRAMED, CLOSE_UNKNOWN);
}

static void late_bytes(void *state, enum direction dir, uint64_t time_ns, struct slice data)
{
	struct late_socket *late = state;
	struct outgoing *out = &late->outs[dir];
	int64_t taken = out->is_open ? websocket_feed(late->socket, out, data, time_ns) : 0;

	outgoing_passed(out, (uint64_t)taken, time_ns); /* or taken back: sums of unsigned numbers wrap */
	late_close(late, out);
	late->proto->stray_bytes += data.len - (uint64_t)taken;
}

static void late_hole(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	struct late_socket *late = state;
	struct outgoing *out = &late->outs[dir];

	if (!out->is_open) {
		late->proto->stray_bytes += len;
		return;
	}
	websocket_hole(late->socket, out, len, reason, time_ns);
	late_close(late, out);
}

static void late_end(void *state, enum close_how how, uint64_t time_ns)
{
	struct late_socket *late = state;

	for (int dir = 0; dir < _DIR_MAX; dir++) {
		websocket_finish(late->socket, &late->outs[dir]);
		outgoing_end(&late->outs[dir], MESSAGE_END_CUT, how);
	}
}

static void late_skip(void *state, uint64_t exchange)
{
	struct late_socket *late = state;

	for (int dir = 0; dir < _DIR_MAX; dir++)
		late->outs[dir].is_skipped = true;
}

static bool late_so_far(const void *state, uint64_t exchange, enum message_kind kind, struct message_end *ret)
{
	const struct late_socket *late = state;

	return outgoing_so_far(&late->outs[DIR_READ], exchange, kind, ret) ||
	       outgoing_so_far(&late->outs[DIR_WRITE], exchange, kind, ret);
}

const struct carrier carrier_websocket_late = {
	.name = "websocket",
	.begins_late = true,
	.sniff = websocket_sniff,
	.open = late_open,
	.bytes = late_bytes,
	.hole = late_hole,
	.end = late_end,
	.skip = late_skip,
	.so_far = late_so_far,
	.free = late_free,
};
