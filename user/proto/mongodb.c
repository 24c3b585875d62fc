/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MongoDB's wire protocol: messages with a length, a number, and the number of the message that they answer; so answers find
 * their commands in any order. Of commands only OP_MSG is looked at, and only an aggregation with $vectorSearch in it is an
 * exchange: its messages are told as they are behind the header. Compressed messages are counted and not read.
 *
 * After a hole over a message's end a side finds the next head by what it must look like (SEEK_BYTES of it).
 */
#include "proto/database.h"

enum {
	HEAD_BYTES = 16,
	SEEK_BYTES = 21,
	SEARCHES_MAX = 32,
	LENGTH_LIMIT = 48 << 20,
	OP_MSG = 2013,
	OP_COMPRESSED = 2012,
	OP_QUERY = 2004
};

static uint32_t number_at(const char *bytes)
{
	const unsigned char *b = (const unsigned char *)bytes;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static enum sniff mongodb_sniff(struct slice first)
{
	uint32_t code;

	if (first.len >= 4 && (number_at(first.data) <= HEAD_BYTES || number_at(first.data) > LENGTH_LIMIT))
		return SNIFF_NO;
	if (first.len >= 12 && number_at(first.data + 8))
		return SNIFF_NO;
	if (first.len < HEAD_BYTES)
		return SNIFF_MAYBE;
	code = number_at(first.data + 12);
	return code == OP_MSG || code == OP_QUERY || code == OP_COMPRESSED ? SNIFF_YES : SNIFF_NO;
}

struct mongodb_side {
	enum direction dir;
	char head[SEEK_BYTES]; /* lost: the newest bytes */
	size_t have;
	uint64_t left, passed, start_ns;
	bool is_lost, is_kept, is_damaged;
	enum missing_reason reason;
	struct buf body;
};

struct search {
	uint32_t number;
	uint64_t exchange;
	bool is_skipped;
};

struct mongodb {
	struct proto *proto;
	bool has_client;
	enum direction client;
	struct mongodb_side sides[_DIR_MAX];
	struct search searches[SEARCHES_MAX];
	size_t search_count;
	struct patience patience;
};

static void *mongodb_open(struct proto *proto, bool is_late)
{
	struct mongodb *mongodb = is_late ? NULL : alloc_get(proto->opts.alloc, sizeof(*mongodb));

	if (!mongodb)
		return NULL;
	mongodb->proto = proto;
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		mongodb->sides[dir].dir = dir;
		mongodb->sides[dir].body = BUF(proto->opts.alloc, proto->opts.event_bytes_max);
	}
	return mongodb;
}

static void stray(struct mongodb *mongodb, uint64_t len)
{
	mongodb->proto->stray_bytes += len;
	mongodb->patience.bytes += len;
}

static void lose(struct mongodb *mongodb, struct mongodb_side *side)
{
	stray(mongodb, side->passed);
	side->passed = side->left = side->have = 0;
	side->is_lost = true;
	mongodb->patience.losses++;
}

/* ---- messages ---- */

static struct search *search_find(struct mongodb *mongodb, uint32_t number)
{
	for (size_t i = 0; i < mongodb->search_count; i++)
		if (mongodb->searches[i].number == number)
			return &mongodb->searches[i];
	return NULL;
}

/* The first name in the command is its own: flags, the kind of section, a document's length, a type, the name. */
static bool is_search(const struct mongodb_side *side)
{
	static const struct slice name = { "aggregate\0", 10 }, stage = { "\x03$vectorSearch\0", 15 };
	struct slice body = buf_slice(&side->body);

	return slice_starts(slice_from(body, 10), name) && slice_contains(body, stage);
}

static void message_tell(struct mongodb_side *side, struct outgoing *out, uint64_t time_ns)
{
	struct message_part part = { .kind = PART_MESSAGE,
				     .type = SLICE("message"),
				     .data = buf_slice(&side->body),
				     .stream_bytes = side->passed,
				     .time_ns = time_ns };

	database_message_tell(out, SLICE("mongodb"), &part,
			      side->is_damaged    ? side->reason
			      : side->body.failed ? MISSING_BUDGET
						  : _MISSING_MAX);
	side->passed = 0;
}

static void command_end(struct mongodb *mongodb, struct mongodb_side *side, uint64_t time_ns)
{
	struct outgoing out;

	mongodb->patience.statements++;
	if (!side->is_kept || side->is_damaged || side->body.failed)
		return;
	mongodb->patience.has_sign |= slice_contains(buf_slice(&side->body), SLICE("vector"));
	if (!is_search(side))
		return;
	mongodb->patience.has_sign = true;
	if (mongodb->search_count == SEARCHES_MAX)
		return;
	outgoing_open(&out, mongodb->proto, MESSAGE_REQUEST, side->dir, side->start_ns);
	out.exchange = ++mongodb->proto->exchanges;
	mongodb->searches[mongodb->search_count++] =
		(struct search){ .number = number_at(side->head + 4), .exchange = out.exchange };
	message_tell(side, &out, time_ns);
}

static void reply_end(struct mongodb *mongodb, struct mongodb_side *side, uint64_t time_ns)
{
	struct search *search = search_find(mongodb, number_at(side->head + 8));
	struct outgoing out;

	if (!search)
		return;
	outgoing_open(&out, mongodb->proto, MESSAGE_RESPONSE, side->dir, side->start_ns);
	out.exchange = search->exchange;
	out.is_skipped = search->is_skipped;
	*search = mongodb->searches[--mongodb->search_count];
	message_tell(side, &out, time_ns);
}

static void message_end(struct mongodb *mongodb, struct mongodb_side *side, uint64_t time_ns)
{
	if (side->dir == mongodb->client)
		command_end(mongodb, side, time_ns);
	else
		reply_end(mongodb, side, time_ns);
	stray(mongodb, side->passed);
	side->passed = side->have = 0;
	if (patience_is_over(&mongodb->patience) && !mongodb->search_count)
		proto_give_up(mongodb->proto);
}

/* The head is there. false: it is none. */
static bool message_begin(struct mongodb *mongodb, struct mongodb_side *side)
{
	uint32_t len = number_at(side->head), code = number_at(side->head + 12);

	if (len <= HEAD_BYTES || len > LENGTH_LIMIT || code > 3000)
		return false;
	side->left = len - HEAD_BYTES;
	side->is_damaged = false;
	side->is_kept = code == OP_MSG &&
			(side->dir == mongodb->client ? len <= STATEMENT_MAX
						      : search_find(mongodb, number_at(side->head + 8)) != NULL);
	buf_reset(&side->body);
	return true;
}

/* ---- bytes ---- */

static void step(struct mongodb *mongodb, struct mongodb_side *side, struct slice *in, uint64_t time_ns)
{
	struct slice part;

	if (side->have < HEAD_BYTES) {
		if (!side->have)
			side->start_ns = time_ns;
		side->head[side->have++] = in->data[0];
		side->passed++;
		*in = slice_from(*in, 1);
		if (side->have == HEAD_BYTES && !message_begin(mongodb, side))
			lose(mongodb, side);
		return;
	}
	part = slice_head(*in, side->left < in->len ? (size_t)side->left : in->len);
	if (side->is_kept)
		buf_put(&side->body, part);
	side->passed += part.len;
	side->left -= part.len;
	*in = slice_from(*in, part.len);
	if (!side->left)
		message_end(mongodb, side, time_ns);
}

/* A head of OP_MSG, its flags and the kind of its first section. */
static bool looks_like_message(const char *at)
{
	uint32_t len = number_at(at), flags = number_at(at + 16);

	return len > SEEK_BYTES && len <= LENGTH_LIMIT && number_at(at + 12) == OP_MSG && !(flags & ~0x10003u) &&
	       !at[20];
}

static void lost_step(struct mongodb *mongodb, struct mongodb_side *side, struct slice *in, uint64_t time_ns)
{
	if (side->have == SEEK_BYTES)
		memmove(side->head, side->head + 1, --side->have);
	side->head[side->have++] = in->data[0];
	stray(mongodb, 1);
	*in = slice_from(*in, 1);
	if (side->have == SEEK_BYTES && looks_like_message(side->head) && message_begin(mongodb, side)) {
		side->is_lost = false;
		side->start_ns = time_ns;
		side->have = HEAD_BYTES;
		if (side->is_kept)
			buf_put(&side->body, (struct slice){ side->head + HEAD_BYTES, SEEK_BYTES - HEAD_BYTES });
		side->left -= SEEK_BYTES - HEAD_BYTES;
	}
	if (patience_is_over(&mongodb->patience) && !mongodb->search_count)
		proto_give_up(mongodb->proto);
}

static void mongodb_bytes(void *state, enum direction dir, uint64_t time_ns, struct slice data)
{
	struct mongodb *mongodb = state;
	struct mongodb_side *side = &mongodb->sides[dir];

	if (!mongodb->has_client)
		mongodb->client = dir;
	mongodb->has_client = true;
	while (data.len && !mongodb->proto->is_quiet) {
		if (side->is_lost)
			lost_step(mongodb, side, &data, time_ns);
		else
			step(mongodb, side, &data, time_ns);
	}
	stray(mongodb, data.len);
}

static void mongodb_hole(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	struct mongodb *mongodb = state;
	struct mongodb_side *side = &mongodb->sides[dir];

	if (!side->is_lost && len < side->left) {
		side->passed += len;
		side->left -= len;
		side->is_damaged = true;
		side->reason = reason;
		return;
	}
	stray(mongodb, len);
	if (side->is_lost)
		side->have = 0;
	else
		lose(mongodb, side);
	/* An answer may have been in it. */
	for (size_t i = 0; dir != mongodb->client && i < mongodb->search_count; i++)
		database_answer_lost(mongodb->proto, mongodb->searches[i].exchange, dir, time_ns);
	if (dir != mongodb->client)
		mongodb->search_count = 0;
}

static void mongodb_end(void *state, enum close_how how, uint64_t time_ns)
{
	struct mongodb *mongodb = state;

	for (int dir = 0; dir < _DIR_MAX; dir++) {
		stray(mongodb, mongodb->sides[dir].passed);
		mongodb->sides[dir].passed = 0;
	}
}

static void mongodb_skip(void *state, uint64_t exchange)
{
	struct mongodb *mongodb = state;

	for (size_t i = 0; i < mongodb->search_count; i++)
		mongodb->searches[i].is_skipped |= mongodb->searches[i].exchange == exchange;
}

static void mongodb_free(void *state)
{
	struct mongodb *mongodb = state;

	for (int dir = 0; dir < _DIR_MAX; dir++)
		buf_free(&mongodb->sides[dir].body);
	alloc_put(mongodb->proto->opts.alloc, mongodb, sizeof(*mongodb));
}

const struct carrier carrier_mongodb = {
	.name = "mongodb",
	.sniff = mongodb_sniff,
	.open = mongodb_open,
	.bytes = mongodb_bytes,
	.hole = mongodb_hole,
	.end = mongodb_end,
	.skip = mongodb_skip,
	.free = mongodb_free,
};
