/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each side is a small machine over its frames, with the one message that is open in it:
 *
 *	SIDE_HEAD --head whole--> SIDE_PAYLOAD --its end--> SIDE_HEAD ... close frame --> SIDE_CLOSED
 *	    ^                         |
 *	    +----- place found -- SIDE_SEEK <--- no good head, hole over a frame's end --- any
 *
 * A hole inside a frame costs its message only: the frame's length still tells where the next begins. What is compressed with
 * the window of earlier messages cannot be read behind a lost one; such messages are told as missing, each for itself.
 */
#include "proto/websocket.h"
#include "base/json.h"
#include "proto/websocket_frame.h"
#include <errno.h>

enum {
	PIECE_BYTES = 4096,
	SEEK_FRAME_MAX = 256 << 10, /* of a frame by which the place is found */
	SEEK_PIECE = 16 << 10,
	RATIO_FREE = 1 << 20, /* decoded bytes of a message to which no ratio applies */
	SEEK_CHAIN = 3,       /* good heads one behind the other, where the text does not prove the first */
};

enum side_state { SIDE_HEAD, SIDE_PAYLOAD, SIDE_SEEK, SIDE_CLOSED };

struct side {
	const struct proto_opts *opts;
	enum message_kind kind;
	enum side_state state;
	bool is_deflate, no_takeover;

	char head_bytes[WEBSOCKET_HEAD_BYTES];
	size_t head_have;
	struct websocket_head head;
	uint64_t at; /* in the payload */

	/* The open message: */
	bool in_message, is_text, is_compressed;
	bool is_lost, is_told; /* cannot be told; that was told already */
	enum missing_reason reason;
	uint64_t wire; /* its bytes that passed, heads included */
	uint64_t packed, unpacked;
	struct buf text;

	struct coding *coding;
	bool has_context_lost;
	enum missing_reason context_reason;

	/* SIDE_SEEK, and until all that it held back has been read */
	struct buf seek;
	enum missing_reason seek_reason;
};

struct websocket {
	struct alloc *alloc;
	struct side sides[_MESSAGE_MAX];
};

/* A reason without bytes would be none. */
static void bytes_miss(struct outgoing *out, uint64_t len, enum missing_reason reason)
{
	if (len)
		outgoing_missed(out, len, reason);
}

/* ---- messages ---- */

static void message_lose(struct side *side, enum missing_reason reason, bool is_told)
{
	if (!side->is_lost)
		side->reason = reason;
	side->is_told |= is_told;
	side->is_lost = true;
}

static void context_lose(struct side *side, enum missing_reason reason)
{
	side->coding = coding_free(side->coding);
	if (side->no_takeover || side->has_context_lost)
		return;
	side->has_context_lost = side->is_deflate;
	side->context_reason = reason;
}

static void message_begin(struct side *side)
{
	side->in_message = true;
	side->is_text = side->head.opcode == OPCODE_TEXT;
	side->is_compressed = side->head.is_compressed;
	side->is_lost = side->is_told = false;
	side->wire = side->packed = side->unpacked = 0;
	buf_reset(&side->text);
	if (side->is_compressed && side->has_context_lost)
		message_lose(side, side->context_reason, false);
}

/* Nothing more is known of the open message. */
static void message_drop(struct side *side, struct outgoing *out, enum missing_reason reason)
{
	if (side->in_message)
		bytes_miss(out, side->wire, side->is_lost ? side->reason : reason);
	side->in_message = false;
	side->wire = 0;
	buf_free(&side->text);
}

static int on_unpacked(void *user, struct slice bytes)
{
	struct side *side = user;

	side->unpacked += bytes.len;
	if (side->unpacked > side->opts->inflate_max ||
	    (side->unpacked > RATIO_FREE && side->unpacked / side->opts->inflate_ratio > side->packed))
		return -E2BIG;
	/* A message over its budget is unpacked all the same: the next ones refer to it. */
	if (!side->is_lost)
		buf_put(&side->text, bytes);
	return 0;
}

static void message_unpack(struct side *side, struct slice bytes)
{
	enum missing_reason reason;
	int r = 0;

	if (side->has_context_lost || (side->is_lost && side->no_takeover))
		return;
	if (!side->coding)
		r = coding_new(side->opts->alloc, CODING_RAW, &side->coding);
	side->packed += bytes.len;
	if (r == 0)
		r = coding_feed(side->coding, bytes, on_unpacked, side);
	if (r == 0)
		return;
	reason = r == -EBADMSG ? MISSING_UNDECODABLE : MISSING_BUDGET;
	message_lose(side, reason, false);
	context_lose(side, reason);
}

static void message_bytes(struct side *side, struct slice bytes)
{
	char piece[PIECE_BYTES];

	for (size_t done = 0; done < bytes.len;) {
		struct slice part = slice_head(slice_from(bytes, done), sizeof(piece));

		memcpy(piece, part.data, part.len);
		websocket_unmask(&side->head, side->at + done, piece, part.len);
		done += part.len;
		if (side->is_compressed)
			message_unpack(side, (struct slice){ piece, part.len });
		else if (!side->is_lost)
			buf_put(&side->text, (struct slice){ piece, part.len });
		if (side->text.failed && !side->is_lost)
			message_lose(side, MISSING_BUDGET, false);
	}
}

static void message_end(struct side *side, struct outgoing *out, uint64_t time_ns)
{
	struct message_part part = { .kind = PART_MESSAGE,
				     .type = side->is_text ? SLICE("text") : SLICE("binary"),
				     .time_ns = time_ns,
				     .stream_bytes = side->wire };

	/* The sender cut these four bytes off. */
	if (side->is_compressed)
		message_unpack(side, SLICE("\0\0\xff\xff"));
	if (side->is_compressed && side->no_takeover)
		side->coding = coding_free(side->coding);
	if (side->text.failed)
		message_lose(side, MISSING_BUDGET, false);
	part.data = buf_slice(&side->text);
	if (!side->is_lost)
		outgoing_part(out, &part);
	else if (side->is_told)
		bytes_miss(out, side->wire, side->reason);
	else
		outgoing_lose(out, side->wire, side->reason);
	side->in_message = false;
	buf_free(&side->text);
}

/* ---- frames ---- */

/* Where the next frame begins is not known any more. @untold: bytes of its head that were read. */
static void place_lose(struct side *side, struct outgoing *out, enum missing_reason reason)
{
	bytes_miss(out, side->head_have, reason);
	message_drop(side, out, reason);
	context_lose(side, reason);
	side->head_have = 0;
	side->state = SIDE_SEEK;
	side->seek_reason = reason;
}

static void payload_end(struct side *side, struct outgoing *out, uint64_t time_ns)
{
	side->state = SIDE_HEAD;
	side->head_have = 0;
	if (side->head.opcode == OPCODE_CLOSE) {
		message_drop(side, out, MISSING_UNDECODABLE);
		side->state = SIDE_CLOSED;
	} else if (!websocket_is_control(&side->head) && side->head.is_final) {
		message_end(side, out, time_ns);
	}
}

/* false: it does not belong where it is. */
static bool payload_begin(struct side *side)
{
	if (!websocket_is_control(&side->head)) {
		if (side->in_message != (side->head.opcode == OPCODE_CONTINUATION))
			return false;
		if (!side->in_message)
			message_begin(side);
		side->wire += side->head.head_len;
	}
	side->state = SIDE_PAYLOAD;
	side->at = 0;
	return true;
}

static void head_step(struct side *side, struct outgoing *out, struct slice *in, uint64_t time_ns)
{
	enum websocket_head_is is;

	side->head_bytes[side->head_have++] = in->data[0];
	*in = slice_from(*in, 1);
	is = websocket_head_read(&side->head, (struct slice){ side->head_bytes, side->head_have }, side->kind,
				 side->is_deflate);
	if (is == WEBSOCKET_HEAD_MORE)
		return;
	if (is == WEBSOCKET_HEAD_BAD || !payload_begin(side)) {
		outgoing_lose(out, 0, MISSING_UNDECODABLE);
		place_lose(side, out, MISSING_UNDECODABLE);
	} else {
		side->head_have = 0;
		if (!side->head.len)
			payload_end(side, out, time_ns);
	}
}

static void payload_step(struct side *side, struct outgoing *out, struct slice *in, uint64_t time_ns)
{
	struct slice bytes = slice_head(*in, MIN(side->head.len - side->at, (uint64_t)in->len));

	*in = slice_from(*in, bytes.len);
	if (!websocket_is_control(&side->head)) {
		message_bytes(side, bytes);
		side->wire += bytes.len;
	}
	side->at += bytes.len;
	if (side->at == side->head.len)
		payload_end(side, out, time_ns);
}

/* ---- the place ---- */

/* Whether the text in the frame is JSON. The payload is unmasked where it lies, and masked again. */
static bool seek_is_json(const struct websocket_head *head, char *payload)
{
	bool is_json;

	websocket_unmask(head, 0, payload, head->len);
	is_json = json_type(json_trim((struct slice){ payload, head->len })) >= JSON_ARRAY &&
		  json_check((struct slice){ payload, head->len }, JSON_DEPTH_MAX) == 0;
	websocket_unmask(head, 0, payload, head->len);
	return is_json;
}

static enum sniff seek_chain(const struct side *side, struct slice bytes)
{
	struct websocket_head head;

	for (int i = 0; i < SEEK_CHAIN; i++) {
		enum websocket_head_is is = websocket_head_read(&head, bytes, side->kind, side->is_deflate);

		if (is != WEBSOCKET_HEAD_WHOLE || head.len > SEEK_FRAME_MAX)
			return is == WEBSOCKET_HEAD_MORE ? SNIFF_MAYBE : SNIFF_NO;
		if (i + 1 < SEEK_CHAIN && bytes.len < head.head_len + head.len)
			return SNIFF_MAYBE;
		bytes = slice_from(bytes, head.head_len + head.len);
	}
	return SNIFF_YES;
}

/* Whether a frame that begins a message begins with @bytes, of the buffer. */
static enum sniff seek_try(const struct side *side, char *bytes, size_t len)
{
	struct websocket_head head;
	enum websocket_head_is is =
		websocket_head_read(&head, (struct slice){ bytes, len }, side->kind, side->is_deflate);
	char first;

	if (is != WEBSOCKET_HEAD_WHOLE)
		return is == WEBSOCKET_HEAD_MORE ? SNIFF_MAYBE : SNIFF_NO;
	if ((head.opcode != OPCODE_TEXT && head.opcode != OPCODE_BINARY) || head.len < 2 || head.len > SEEK_FRAME_MAX)
		return SNIFF_NO;
	if (head.opcode == OPCODE_BINARY || head.is_compressed)
		return seek_chain(side, (struct slice){ bytes, len });
	if (len == head.head_len)
		return SNIFF_MAYBE;
	first = bytes[head.head_len] ^ head.mask[0];
	if ((first != '{' && first != '[') || !head.is_final)
		return SNIFF_NO;
	if (len < head.head_len + head.len)
		return SNIFF_MAYBE;
	return seek_is_json(&head, bytes + head.head_len) ? SNIFF_YES : SNIFF_NO;
}

/* From *at on; *at becomes the place that was found, or that where one may be. */
static bool seek_find(struct side *side, struct outgoing *out, size_t *at)
{
	size_t from = *at;
	enum sniff says = SNIFF_NO;

	while (*at < side->seek.len) {
		says = seek_try(side, side->seek.data + *at, side->seek.len - *at);
		if (says != SNIFF_NO)
			break;
		++*at;
	}
	bytes_miss(out, *at - from, side->seek_reason);
	if (says == SNIFF_YES)
		side->state = SIDE_HEAD;
	return says == SNIFF_YES;
}

/* Frames, until the bytes are used up or the place is lost. */
static void side_run(struct side *side, struct outgoing *out, struct slice *in, uint64_t time_ns)
{
	while (in->len && (side->state == SIDE_HEAD || side->state == SIDE_PAYLOAD)) {
		if (side->state == SIDE_HEAD)
			head_step(side, out, in, time_ns);
		else
			payload_step(side, out, in, time_ns);
	}
}

/* How many of the bytes, and of those held back before, lie behind a close frame. */
static size_t side_seek(struct side *side, struct outgoing *out, struct slice bytes, uint64_t time_ns)
{
	size_t at = 0, behind;

	buf_put(&side->seek, bytes);
	if (side->seek.failed) {
		bytes_miss(out, side->seek.len + bytes.len, side->seek_reason);
		buf_free(&side->seek);
		return 0;
	}
	while (at < side->seek.len && side->state != SIDE_CLOSED) {
		struct slice rest;

		if (side->state == SIDE_SEEK && !seek_find(side, out, &at))
			break;
		rest = slice_from(buf_slice(&side->seek), at);
		side_run(side, out, &rest, time_ns);
		at = side->seek.len - rest.len;
	}
	behind = side->state == SIDE_CLOSED ? side->seek.len - at : 0;
	buf_consume(&side->seek, at + behind);
	return behind;
}

/* ---- the socket ---- */

struct websocket *websocket_new(const struct proto_opts *opts, const struct websocket_terms *terms, bool is_late)
{
	struct websocket *socket = alloc_get(opts->alloc, sizeof(*socket));

	for (int kind = 0; socket && kind < _MESSAGE_MAX; kind++)
		socket->sides[kind] = (struct side){
			.opts = opts,
			.kind = (enum message_kind)kind,
			.state = is_late ? SIDE_SEEK : SIDE_HEAD,
			.is_deflate = is_late || terms->is_deflate,
			.no_takeover = !is_late && terms->no_takeover[kind],
			.text = BUF(opts->alloc, opts->event_bytes_max),
			.has_context_lost = is_late,
			.context_reason = MISSING_JOINED_LATE,
			.seek = BUF(opts->alloc, SEEK_FRAME_MAX + 2 * SEEK_PIECE),
			.seek_reason = MISSING_JOINED_LATE,
		};
	if (socket)
		socket->alloc = opts->alloc;
	return socket;
}

struct websocket *websocket_free(struct websocket *socket)
{
	for (int kind = 0; socket && kind < _MESSAGE_MAX; kind++) {
		buf_free(&socket->sides[kind].text);
		buf_free(&socket->sides[kind].seek);
		coding_free(socket->sides[kind].coding);
	}
	if (socket)
		alloc_put(socket->alloc, socket, sizeof(*socket));
	return NULL;
}

int64_t websocket_feed(struct websocket *socket, struct outgoing *out, struct slice bytes, uint64_t time_ns)
{
	struct side *side = &socket->sides[out->kind];
	struct slice rest = bytes;
	int64_t taken = (int64_t)bytes.len;

	out->last_ns = time_ns;
	if (out->is_skipped)
		rest.len = 0;
	side_run(side, out, &rest, time_ns);
	while (rest.len && side->state != SIDE_CLOSED) {
		struct slice piece = slice_head(rest, SEEK_PIECE);

		taken -= (int64_t)side_seek(side, out, piece, time_ns);
		rest = slice_from(rest, piece.len);
	}
	taken -= (int64_t)rest.len;
	if (taken < 0)
		out->body_bytes -= (uint64_t)-taken;
	else
		outgoing_body(out, slice_head(bytes, (size_t)taken), time_ns);
	return taken;
}

bool websocket_is_closed(const struct websocket *socket, enum message_kind side)
{
	return socket->sides[side].state == SIDE_CLOSED;
}

void websocket_hole(struct websocket *socket, struct outgoing *out, uint64_t len, enum missing_reason reason,
		    uint64_t time_ns)
{
	struct side *side = &socket->sides[out->kind];
	uint64_t inside = side->state == SIDE_PAYLOAD ? MIN(len, side->head.len - side->at) : 0;

	outgoing_hole(out, len, reason, true, time_ns);
	if (side->state == SIDE_CLOSED || out->is_skipped)
		return;
	if (inside && !websocket_is_control(&side->head)) {
		message_lose(side, reason, true);
		if (side->is_compressed)
			context_lose(side, reason);
	}
	side->at += inside;
	if (side->state == SIDE_PAYLOAD && side->at == side->head.len)
		payload_end(side, out, time_ns);
	if ((len && len == inside) || side->state == SIDE_CLOSED)
		return;
	bytes_miss(out, side->seek.len, reason);
	buf_free(&side->seek);
	place_lose(side, out, reason);
}

void websocket_finish(struct websocket *socket, struct outgoing *out)
{
	struct side *side = &socket->sides[out->kind];

	if (!out->is_open || side->state == SIDE_CLOSED)
		return;
	bytes_miss(out, side->seek.len, side->seek_reason);
	buf_free(&side->seek);
	side->in_message = false;
}

enum sniff websocket_sniff(struct slice first)
{
	static const struct slice start = { "{\"", 2 };

	for (enum message_kind kind = 0; kind < _MESSAGE_MAX; kind++) {
		struct websocket_head head;
		enum websocket_head_is is = websocket_head_read(&head, first, kind, false);
		char text[2] = { 0 };
		size_t have;

		if (is == WEBSOCKET_HEAD_MORE)
			return SNIFF_MAYBE;
		if (is == WEBSOCKET_HEAD_BAD || head.opcode != OPCODE_TEXT || head.len < sizeof(text))
			continue;
		have = MIN(first.len - head.head_len, sizeof(text));
		memcpy(text, first.data + head.head_len, have);
		websocket_unmask(&head, 0, text, have);
		if (slice_starts(start, (struct slice){ text, have }))
			return have == sizeof(text) ? SNIFF_YES : SNIFF_MAYBE;
	}
	return SNIFF_NO;
}
