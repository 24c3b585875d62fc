/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of a socket: the first byte says what the handshake agreed to and whether it is joined late. Then pieces: one
 * byte (bit 0 the direction, bit 1 a hole), one byte length, the bytes. Each input is fed whole and byte by byte: no byte
 * may be lost from the books, and the messages must be the same.
 */
#include "digest.h"
#include "heap.h"
#include "proto/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_DEFLATE = 1, MODE_FRESH = 2, MODE_LATE = 4 };

struct told {
	uint64_t messages[_MESSAGE_MAX];
	uint64_t stream_bytes;
};

static void on_head(void *user, uint64_t exchange, const struct message_head *head)
{
}

static void on_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	struct told *told = user;

	if (part->kind != PART_MESSAGE)
		return;
	digest_bytes(&told->messages[kind], part->type);
	digest_bytes(&told->messages[kind], part->data);
	digest_number(&told->messages[kind], part->stream_bytes);
}

static void on_hole(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason, uint64_t time_ns)
{
	MUST(reason < _MISSING_MAX);
}

static void on_end(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	struct told *told = user;

	MUST(end->missing_bytes <= (int64_t)end->stream_bytes && end->body_bytes <= (int64_t)end->stream_bytes);
	told->stream_bytes += end->stream_bytes;
}

static void on_verdict(void *user, enum verdict verdict)
{
}

static const struct proto_ops ops = { on_head, on_part, on_hole, on_end, on_verdict };

static void piece_feed(struct proto *proto, uint8_t control, struct slice text, bool is_single, uint64_t time_ns)
{
	enum direction dir = control & 1 ? DIR_READ : DIR_WRITE;

	if (control & 2)
		proto_hole(proto, dir, text.len, MISSING_RING_FULL, time_ns);
	for (size_t i = 0; is_single && !(control & 2) && i < text.len; i++)
		proto_bytes(proto, dir, time_ns, slice_head(slice_from(text, i), 1));
	if (!is_single && !(control & 2))
		proto_bytes(proto, dir, time_ns, text);
}

static uint64_t handshake_feed(struct proto *proto, uint8_t mode)
{
	static const struct slice ask = SLICE("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
	static const struct slice answers[] = {
		SLICE("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n"),
		SLICE("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
		SLICE("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n"),
		SLICE("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate; "
		      "client_no_context_takeover; server_no_context_takeover\r\n\r\n"),
	};
	struct slice answer = answers[mode & (MODE_DEFLATE | MODE_FRESH)];

	if (mode & MODE_LATE)
		return 0;
	proto_bytes(proto, DIR_WRITE, 1, ask);
	proto_bytes(proto, DIR_READ, 1, answer);
	return ask.len + answer.len;
}

static struct told run(struct slice rest, uint8_t mode, bool is_single)
{
	struct told told = { .messages = { DIGEST_EMPTY, DIGEST_EMPTY } };
	struct alloc_heap heap = heap_begin((size_t)64 << 20);
	struct proto_opts opts = proto_opts_default;
	uint64_t fed, time_ns = 2;
	struct proto *proto;

	opts.alloc = &heap.alloc;
	opts.event_bytes_max = 512;
	opts.inflate_max = 1 << 20;
	MUST(proto_new(&opts, mode & MODE_LATE, &ops, &told, &proto) == 0);
	fed = handshake_feed(proto, mode);
	while (rest.len > 2) {
		uint8_t control = (uint8_t)rest.data[0];
		struct slice text = slice_head(slice_from(rest, 2), (uint8_t)rest.data[1]);

		piece_feed(proto, control, text, is_single, time_ns++);
		fed += text.len;
		rest = slice_from(rest, 2 + text.len);
	}
	proto_end(proto, CLOSE_REMOTE, time_ns);
	MUST(told.stream_bytes + proto_stray_bytes(proto) == fed);
	proto_free(proto);
	MUST(heap.used == 0);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data + 1, size - 1 };
	struct told whole, cut;

	if (size < 1)
		return 0;
	whole = run(rest, data[0], false);
	cut = run(rest, data[0], true);
	for (int kind = 0; kind < _MESSAGE_MAX; kind++)
		MUST(whole.messages[kind] == cut.messages[kind]);
	return 0;
}
