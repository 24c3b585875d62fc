/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL's protocol 3. A search is a statement with one of pgvector's distances in it, sent whole (Query) or in steps
 * (Parse, Bind, Execute); each becomes an exchange of messages, each of which is its letter and its payload:
 *
 *	request   Q sql | P sql, B payload		answer   T columns, D row ..., C tag or E error
 *
 * Answers come in the order of the questions, so the questions that wait stand in a list; an error ends all up to the next
 * Sync. A statement that was prepared long ago is shown with its text all the same (it took no bytes here).
 *
 * After a hole over a message's end both sides wait for ReadyForQuery, which is six bytes that nothing else looks like: who
 * does not pipeline has then nothing under way. What each side sent until then belongs to no message.
 *
 * Cost to other users of the protocol: see database.h. Of a statement the text is searched once for '<'.
 */
#include "proto/postgres.h"

static uint32_t number_at(const char *bytes)
{
	const unsigned char *b = (const unsigned char *)bytes;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

enum { CODE_STARTUP = 3, CODE_SSL = 80877103, CODE_GSS = 80877104, STARTUP_MAX = 10000, MESSAGE_LIMIT = 1 << 30 };

static enum sniff postgres_sniff(struct slice first)
{
	uint32_t len, code;

	if (first.len && first.data[0])
		return SNIFF_NO;
	if (first.len > 1 && first.data[1])
		return SNIFF_NO;
	if (first.len < 8)
		return SNIFF_MAYBE;
	len = number_at(first.data);
	code = number_at(first.data + 4);
	if (code == CODE_SSL || code == CODE_GSS)
		return len == 8 ? SNIFF_YES : SNIFF_NO;
	return code >> 16 == CODE_STARTUP && len > 8 && len <= STARTUP_MAX ? SNIFF_YES : SNIFF_NO;
}

static void *postgres_open(struct proto *proto, bool is_late)
{
	struct postgres *pg = is_late ? NULL : alloc_get(proto->opts.alloc, sizeof(*pg));

	if (!pg)
		return NULL;
	pg->proto = proto;
	pg->bound = -1;
	pg->bind = BUF(proto->opts.alloc, STATEMENT_MAX);
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		pg->sides[dir].dir = dir;
		pg->sides[dir].body = BUF(proto->opts.alloc, proto->opts.event_bytes_max);
	}
	for (size_t i = 0; i < STATEMENTS_MAX; i++) {
		pg->statements[i].sql = BUF(proto->opts.alloc, STATEMENT_MAX);
		pg->statements[i].columns = BUF(proto->opts.alloc, COLUMNS_MAX);
	}
	return pg;
}

static bool is_letter(const struct postgres *pg, const struct postgres_side *side)
{
	const char *letters = side->dir == pg->client ? "QPBEDCHSFXpdcf" : "RSKZTDCEsInt123NAVGHWdcv";

	return side->head[0] && strchr(letters, side->head[0]);
}

static void message_begin(struct postgres *pg, struct postgres_side *side)
{
	uint32_t len = number_at(side->head + 1);

	if (!is_letter(pg, side) || len < 4 || len > MESSAGE_LIMIT)
		return postgres_lose(pg);
	side->left = len - 4;
	side->is_damaged = false;
	side->is_kept = postgres_is_wanted(pg, side, len);
	buf_reset(&side->body);
	if (side->is_kept)
		buf_put_char(&side->body, side->head[0]);
}

static void message_end(struct postgres *pg, struct postgres_side *side, uint64_t time_ns)
{
	side->have = 0;
	if (side->dir == pg->client)
		postgres_client_message(pg, side, time_ns);
	else
		postgres_server_message(pg, side, time_ns);
	if (patience_is_over(&pg->patience) && !postgres_is_search_due(pg))
		proto_give_up(pg->proto);
}

static void step(struct postgres *pg, struct postgres_side *side, struct slice *in, uint64_t time_ns)
{
	struct slice part;

	if (side->have < sizeof(side->head)) {
		side->head[side->have++] = in->data[0];
		side->passed++;
		*in = slice_from(*in, 1);
		if (side->have < sizeof(side->head))
			return;
		message_begin(pg, side);
		if (pg->is_lost)
			return;
	}
	part = slice_head(*in, side->left < in->len ? (size_t)side->left : in->len);
	if (side->is_kept)
		buf_put(&side->body, part);
	side->passed += part.len;
	side->left -= part.len;
	*in = slice_from(*in, part.len);
	if (!side->left)
		message_end(pg, side, time_ns);
}

/* The first message of the client: a length, and a code that may ask for TLS before all else. */
static void startup_step(struct postgres *pg, struct postgres_side *side, struct slice *in)
{
	uint32_t code;

	buf_put_char(&side->body, in->data[0]);
	postgres_stray(pg, 1);
	*in = slice_from(*in, 1);
	if (side->body.len < 8) {
		if (side->body.failed)
			postgres_lose(pg);
		return;
	}
	code = number_at(side->body.data + 4);
	if (side->body.len < number_at(side->body.data) && side->body.len < STARTUP_MAX && !side->body.failed)
		return;
	pg->is_asking_tls = code == CODE_SSL || code == CODE_GSS;
	side->is_begun = !pg->is_asking_tls;
	buf_reset(&side->body); /* a user's name, and nothing for us */
}

/* One letter answers a question for TLS: 'S' and what follows is another connection's. */
static void tls_step(struct postgres *pg, struct slice *in)
{
	char letter = in->data[0];

	if (letter == 'E') {
		pg->is_asking_tls = false;
		return;
	}
	postgres_stray(pg, 1);
	*in = slice_from(*in, 1);
	pg->is_asking_tls = false;
	if (letter != 'N')
		proto_give_up(pg->proto);
}

static void lost_step(struct postgres *pg, struct postgres_side *side, struct slice *in)
{
	static const char mark[] = { 'Z', 0, 0, 0, 5 };

	postgres_stray(pg, 1);
	if (side->dir != pg->client) {
		if (pg->ready_len == sizeof(pg->ready))
			memmove(pg->ready, pg->ready + 1, --pg->ready_len);
		pg->ready[pg->ready_len++] = in->data[0];
		if (pg->ready_len == sizeof(pg->ready) && memcmp(pg->ready, mark, sizeof(mark)) == 0 &&
		    strchr("ITE", pg->ready[5]) && pg->ready[5]) {
			pg->is_lost = false;
			pg->sides[DIR_READ].is_begun = pg->sides[DIR_WRITE].is_begun = true;
		}
	}
	*in = slice_from(*in, 1);
	if (patience_is_over(&pg->patience))
		proto_give_up(pg->proto);
}

static void postgres_bytes(void *state, enum direction dir, uint64_t time_ns, struct slice data)
{
	struct postgres *pg = state;
	struct postgres_side *side = &pg->sides[dir];

	pg->now_ns = time_ns;
	if (!pg->has_client)
		pg->client = dir;
	pg->has_client = true;
	while (data.len && !pg->proto->is_quiet) {
		if (pg->is_lost)
			lost_step(pg, side, &data);
		else if (dir == pg->client && !side->is_begun)
			startup_step(pg, side, &data);
		else if (dir != pg->client && pg->is_asking_tls)
			tls_step(pg, &data);
		else
			step(pg, side, &data, time_ns);
	}
	postgres_stray(pg, data.len);
}

static void postgres_hole(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	struct postgres *pg = state;
	struct postgres_side *side = &pg->sides[dir];
	bool is_inside = !pg->is_lost && side->have == sizeof(side->head) && len < side->left;
	struct outgoing *out = NULL;

	pg->now_ns = time_ns;
	if (!pg->is_lost && pg->has_client && dir != pg->client)
		out = side->out.is_open || (is_inside && side->is_kept) ? postgres_answer_of(pg, side, time_ns) : NULL;
	if (out) {
		outgoing_passed(out, side->passed, time_ns);
		if (side->passed)
			outgoing_missed(out, side->passed, MISSING_UNDECODABLE);
		out->body_bytes += side->passed;
		side->passed = 0;
		outgoing_hole(out, len, reason, is_inside, time_ns);
	} else if (is_inside) {
		side->passed += len;
	} else {
		postgres_stray(pg, len);
	}
	side->is_damaged = true;
	if (is_inside)
		side->left -= len;
	else if (!pg->is_lost)
		postgres_lose(pg);
}

static void postgres_end(void *state, enum close_how how, uint64_t time_ns)
{
	struct postgres *pg = state;

	for (int dir = 0; dir < _DIR_MAX; dir++) {
		struct postgres_side *side = &pg->sides[dir];

		if (side->out.is_open) {
			outgoing_passed(&side->out, side->passed, side->out.last_ns);
			outgoing_end(&side->out, MESSAGE_END_CUT, how);
		} else {
			postgres_stray(pg, side->passed);
		}
		side->passed = 0;
	}
	postgres_stray(pg, pg->carry);
	pg->carry = 0;
}

static void postgres_skip(void *state, uint64_t exchange)
{
	struct postgres *pg = state;

	for (size_t i = 0; i < pg->waiting_count; i++)
		if (pg->waiting[i].exchange == exchange)
			pg->waiting[i].is_skipped = true;
	for (int dir = 0; dir < _DIR_MAX; dir++)
		if (pg->sides[dir].out.is_open && pg->sides[dir].out.exchange == exchange)
			pg->sides[dir].out.is_skipped = true;
}

static void postgres_free(void *state)
{
	struct postgres *pg = state;

	for (int dir = 0; dir < _DIR_MAX; dir++) {
		buf_free(&pg->sides[dir].body);
		outgoing_free(&pg->sides[dir].out);
	}
	for (size_t i = 0; i < STATEMENTS_MAX; i++) {
		buf_free(&pg->statements[i].sql);
		buf_free(&pg->statements[i].columns);
	}
	buf_free(&pg->bind);
	alloc_put(pg->proto->opts.alloc, pg, sizeof(*pg));
}

const struct carrier carrier_postgres = {
	.name = "postgres",
	.sniff = postgres_sniff,
	.open = postgres_open,
	.bytes = postgres_bytes,
	.hole = postgres_hole,
	.end = postgres_end,
	.skip = postgres_skip,
	.free = postgres_free,
};
