/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The talk of a PostgreSQL connection, message by message. Each takes the bytes of its message with it: into the exchange that
 * it is part of, or among the strays. What belongs to a search that is not sent yet (Parse, Bind) is carried until it is.
 */
#include "proto/postgres.h"

void postgres_stray(struct postgres *pg, uint64_t len)
{
	pg->proto->stray_bytes += len;
	pg->patience.bytes += len;
}

/* ---- what waits ---- */

static void wait_add(struct postgres *pg, struct postgres_waiting waiting)
{
	if (pg->waiting_count == WAITING_MAX) {
		pg->patience.losses = DATABASE_LOSSES + 1; /* nobody can tell any more whose answer comes */
		return;
	}
	pg->waiting[pg->waiting_count++] = waiting;
}

static void wait_drop(struct postgres *pg, size_t count)
{
	pg->waiting_count -= count;
	memmove(pg->waiting, pg->waiting + count, pg->waiting_count * sizeof(*pg->waiting));
}

void postgres_lose(struct postgres *pg)
{
	struct postgres_side *server = &pg->sides[direction_other(pg->client)];
	/* The first answer may be under way: it ends below. */
	size_t begun = server->out.is_open ? 1 : 0;

	pg->is_lost = true;
	pg->ready_len = 0;
	pg->patience.losses++;
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		struct postgres_side *side = &pg->sides[dir];

		if (side->out.is_open) {
			outgoing_passed(&side->out, side->passed, side->out.last_ns);
			if (side->passed)
				outgoing_lose(&side->out, side->passed, MISSING_UNDECODABLE);
			outgoing_end(&side->out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
		} else {
			postgres_stray(pg, side->passed);
		}
		side->passed = side->left = side->have = 0;
		side->is_kept = side->is_damaged = false;
		buf_reset(&side->body);
	}
	for (size_t i = begun; i < pg->waiting_count; i++)
		if (pg->waiting[i].exchange)
			database_answer_lost(pg->proto, pg->waiting[i].exchange, server->dir, pg->now_ns);
	postgres_stray(pg, pg->carry);
	pg->carry = pg->waiting_count = 0;
	pg->bound = -1;
}

/* ---- the client ---- */

static struct slice text_cut(struct slice *rest)
{
	return slice_cut(rest, 0);
}

static int statement_find(const struct postgres *pg, struct slice name)
{
	for (int i = 0; i < STATEMENTS_MAX; i++) {
		const struct postgres_statement *at = &pg->statements[i];

		if (at->is_used && slice_equal((struct slice){ at->name, at->name_len }, name))
			return i;
	}
	return -1;
}

static void statement_keep(struct postgres *pg, struct slice name, struct slice sql)
{
	int found = statement_find(pg, name);
	struct postgres_statement *at;

	if (found >= 0)
		pg->statements[found].is_used = false;
	if (!postgres_is_search(sql) || name.len > sizeof(at->name))
		return;
	at = &pg->statements[found >= 0 ? (size_t)found : pg->statement_next++ % STATEMENTS_MAX];
	buf_reset(&at->sql);
	buf_reset(&at->columns);
	buf_put_char(&at->sql, 'P');
	buf_put(&at->sql, sql);
	at->name_len = name.len;
	if (name.len)
		memcpy(at->name, name.data, name.len);
	at->is_used = !at->sql.failed;
}

static void request_begin(struct postgres *pg, struct postgres_side *side, uint64_t time_ns)
{
	struct message_head head = { .protocol = SLICE("postgresql"), .version = SLICE("3"), .method = SLICE("QUERY") };

	outgoing_open(&side->out, pg->proto, MESSAGE_REQUEST, side->dir, time_ns);
	outgoing_tell(&side->out, &head);
	outgoing_passed(&side->out, pg->carry + side->passed, time_ns);
	side->out.body_bytes = pg->carry + side->passed;
	pg->carry = side->passed = 0;
}

static void part_tell(struct outgoing *out, struct slice data, uint64_t bytes, uint64_t time_ns)
{
	struct message_part part = { .kind = PART_MESSAGE, .type = slice_head(data, 1), .data = data };

	part.stream_bytes = bytes;
	part.time_ns = time_ns;
	outgoing_part(out, &part);
}

static uint64_t request_end(struct postgres_side *side)
{
	uint64_t exchange = side->out.exchange;

	outgoing_end(&side->out, MESSAGE_END_FRAMED, CLOSE_UNKNOWN);
	return exchange;
}

static void on_query(struct postgres *pg, struct postgres_side *side, struct slice sql, uint64_t time_ns)
{
	struct postgres_waiting waiting = { .is = WAIT_QUERY, .statement = -1 };

	pg->patience.statements++;
	pg->patience.has_sign |= postgres_has_sign(sql);
	if (!side->is_damaged && postgres_is_search(sql) && postgres_is_vector_search(sql, SLICE_NONE)) {
		uint64_t bytes = side->passed;

		request_begin(pg, side, time_ns);
		part_tell(&side->out, buf_slice(&side->body), bytes, time_ns);
		waiting.exchange = request_end(side);
	}
	wait_add(pg, waiting);
}

static void on_parse(struct postgres *pg, struct postgres_side *side, struct slice payload)
{
	struct slice name = text_cut(&payload), sql = text_cut(&payload);
	int found;

	pg->patience.has_sign |= postgres_has_sign(sql);
	statement_keep(pg, name, side->is_damaged ? SLICE_NONE : sql);
	found = statement_find(pg, name);
	if (found < 0)
		return;
	pg->carry += side->passed;
	side->passed = 0;
}

static void on_bind(struct postgres *pg, struct postgres_side *side, struct slice payload)
{
	struct slice rest = payload, name;

	text_cut(&rest); /* the portal */
	name = text_cut(&rest);
	pg->bound = side->is_damaged ? -1 : statement_find(pg, name);
	if (pg->bound < 0)
		return;
	buf_reset(&pg->bind);
	buf_put(&pg->bind, buf_slice(&side->body));
	if (pg->bind.failed)
		pg->bound = -1;
	pg->carry += side->passed;
	side->passed = 0;
}

static void on_execute(struct postgres *pg, struct postgres_side *side, uint64_t time_ns)
{
	struct postgres_waiting waiting = { .is = WAIT_EXECUTE, .statement = pg->bound };

	pg->patience.statements++;
	if (pg->bound >= 0 && !side->is_damaged &&
	    postgres_is_vector_search(slice_from(buf_slice(&pg->statements[pg->bound].sql), 1), buf_slice(&pg->bind))) {
		uint64_t bytes = pg->carry + side->passed;

		request_begin(pg, side, time_ns);
		part_tell(&side->out, buf_slice(&pg->statements[pg->bound].sql), 0, time_ns);
		part_tell(&side->out, buf_slice(&pg->bind), bytes, time_ns);
		waiting.exchange = request_end(side);
	}
	wait_add(pg, waiting);
}

static void on_describe(struct postgres *pg, struct postgres_side *side, struct slice payload)
{
	struct slice name = slice_from(payload, 1);
	struct postgres_waiting waiting = { .is = WAIT_DESCRIBE, .statement = -1 };

	if (payload.len && payload.data[0] == 'S')
		waiting.statement = statement_find(pg, text_cut(&name));
	else
		waiting.statement = pg->bound;
	if (waiting.statement >= 0) {
		pg->carry += side->passed;
		side->passed = 0;
	}
	wait_add(pg, waiting);
}

void postgres_client_message(struct postgres *pg, struct postgres_side *side, uint64_t time_ns)
{
	struct slice payload = slice_from(buf_slice(&side->body), 1), sql = payload;
	bool is_whole = side->is_kept && !side->body.failed;

	side->is_damaged |= !is_whole;
	switch (side->head[0]) {
	case 'Q':
		on_query(pg, side, text_cut(&sql), time_ns);
		break;
	case 'P':
		on_parse(pg, side, payload);
		break;
	case 'B':
		on_bind(pg, side, payload);
		break;
	case 'E':
		on_execute(pg, side, time_ns);
		break;
	case 'D':
		on_describe(pg, side, payload);
		break;
	case 'S':
		wait_add(pg, (struct postgres_waiting){ .is = WAIT_SYNC, .statement = -1 });
		postgres_stray(pg, pg->carry);
		pg->carry = 0;
		break;
	case 'F':
		wait_add(pg, (struct postgres_waiting){ .is = WAIT_QUERY, .statement = -1 });
		break;
	default:
		break;
	}
	postgres_stray(pg, side->passed);
	side->passed = 0;
}

/* ---- the server ---- */

static struct postgres_waiting *first_waiting(struct postgres *pg)
{
	return pg->waiting_count ? &pg->waiting[0] : NULL;
}

struct outgoing *postgres_answer_of(struct postgres *pg, struct postgres_side *side, uint64_t time_ns)
{
	struct postgres_waiting *waiting = first_waiting(pg);
	struct message_head head = { .protocol = SLICE("postgresql"), .version = SLICE("3") };

	if (!waiting || !waiting->exchange)
		return NULL;
	if (side->out.is_open)
		return &side->out;
	outgoing_open(&side->out, pg->proto, MESSAGE_RESPONSE, side->dir, time_ns);
	side->out.exchange = waiting->exchange;
	side->out.is_skipped = waiting->is_skipped;
	outgoing_tell(&side->out, &head);
	return &side->out;
}

static void columns_tell(struct postgres *pg, struct outgoing *out, uint64_t time_ns)
{
	struct postgres_waiting *waiting = first_waiting(pg);
	struct postgres_statement *at = waiting->statement >= 0 ? &pg->statements[waiting->statement] : NULL;

	if (at && at->columns.len && !at->columns.failed)
		part_tell(out, buf_slice(&at->columns), 0, time_ns);
	waiting->statement = -1; /* told once */
}

static void answer_part(struct postgres *pg, struct postgres_side *side, struct outgoing *out, uint64_t time_ns)
{
	uint64_t bytes = side->passed;

	outgoing_passed(out, bytes, time_ns);
	out->body_bytes += bytes;
	side->passed = 0;
	if (side->is_damaged) {
		if (bytes)
			outgoing_missed(out, bytes, MISSING_UNDECODABLE);
		return;
	}
	if (!side->is_kept)
		return;
	if (side->body.failed)
		return outgoing_lose(out, bytes, MISSING_BUDGET);
	if (side->head[0] == 'D')
		columns_tell(pg, out, time_ns);
	if (side->head[0] == 'T')
		first_waiting(pg)->statement = -1;
	part_tell(out, buf_slice(&side->body), bytes, time_ns);
}

static void columns_keep(struct postgres *pg, struct postgres_side *side)
{
	struct postgres_waiting *waiting = first_waiting(pg);
	struct postgres_statement *at;

	if (!waiting || waiting->statement < 0 || waiting->is == WAIT_SYNC || side->is_damaged || !side->is_kept)
		return;
	at = &pg->statements[waiting->statement];
	buf_reset(&at->columns);
	buf_put(&at->columns, buf_slice(&side->body));
}

static void answer_end(struct postgres *pg, struct postgres_side *side)
{
	if (side->out.is_open)
		outgoing_end(&side->out, MESSAGE_END_FRAMED, CLOSE_UNKNOWN);
	wait_drop(pg, 1);
}

/* Searches behind an error are passed over by the server: their answers are nothing. */
static void abort_until(struct postgres *pg, struct postgres_side *side, enum postgres_wait until, uint64_t time_ns)
{
	while (pg->waiting_count && pg->waiting[0].is != until && pg->waiting[0].is != WAIT_QUERY) {
		postgres_answer_of(pg, side, time_ns);
		answer_end(pg, side);
	}
}

static void ready(struct postgres *pg, struct postgres_side *side, uint64_t time_ns)
{
	if (pg->waiting_count && pg->waiting[0].is != WAIT_QUERY)
		abort_until(pg, side, WAIT_SYNC, time_ns);
	if (pg->waiting_count)
		answer_end(pg, side);
}

void postgres_server_message(struct postgres *pg, struct postgres_side *side, uint64_t time_ns)
{
	char letter = side->head[0];
	enum postgres_wait is = pg->waiting_count ? pg->waiting[0].is : WAIT_SYNC;
	struct outgoing *out;

	if (letter == 'T')
		columns_keep(pg, side);
	if (is == WAIT_DESCRIBE && (letter == 'T' || letter == 'n'))
		wait_drop(pg, 1);
	out = strchr("TDCEsIZ", letter) ? postgres_answer_of(pg, side, time_ns) : NULL;
	if (out)
		answer_part(pg, side, out, time_ns);
	else
		postgres_stray(pg, side->passed);
	side->passed = 0;
	if (letter == 'Z')
		ready(pg, side, time_ns);
	else if (is == WAIT_EXECUTE && strchr("CsI", letter))
		answer_end(pg, side);
	else if (is != WAIT_QUERY && letter == 'E')
		abort_until(pg, side, WAIT_SYNC, time_ns);
}

/* ---- what is kept ---- */

bool postgres_is_search_due(const struct postgres *pg)
{
	for (size_t i = 0; i < pg->waiting_count; i++)
		if (pg->waiting[i].exchange)
			return true;
	return false;
}

static bool has_statements(const struct postgres *pg)
{
	for (size_t i = 0; i < STATEMENTS_MAX; i++)
		if (pg->statements[i].is_used)
			return true;
	return false;
}

bool postgres_is_wanted(struct postgres *pg, struct postgres_side *side, uint32_t len)
{
	char letter = side->head[0];

	if (side->dir == pg->client) {
		if (len > STATEMENT_MAX)
			return false;
		return letter == 'Q' || letter == 'P' || (strchr("BDE", letter) && has_statements(pg));
	}
	if (letter == 'E')
		while (pg->waiting_count && pg->waiting[0].is == WAIT_DESCRIBE)
			wait_drop(pg, 1); /* whose answer this is instead */
	if (!pg->waiting_count)
		return false;
	return strchr("TDCEsI", letter) &&
	       (pg->waiting[0].exchange || (letter == 'T' && pg->waiting[0].statement >= 0));
}
