/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis's protocol, RESP 2 and 3. Values nest and only the sum of their parts is their length, so each side is a small machine
 * that counts what is still due; what is between two top values is nothing. A command is kept as far as its name, and to its
 * end only when it searches; a reply is kept when it is that of a search. Replies come in the order of commands: both are
 * numbered, and a search remembers its number.
 *
 * After a hole over a value's end the numbers are worth nothing. The next search is then found by its name in the client's
 * bytes, and the server's next byte begins its reply: right for all who do not pipeline.
 */
#include "proto/database.h"

enum { DEPTH_MAX = 32, LINE_MAX_BYTES = 64, SEARCHES_MAX = 32, RECENT = 40, BULK_LIMIT = 1 << 29 };

static enum sniff redis_sniff(struct slice first)
{
	size_t at = 1;

	if (!first.len || first.data[0] != '*')
		return SNIFF_NO;
	while (at < first.len && at < 8 && first.data[at] >= '0' && first.data[at] <= '9')
		at++;
	if (at < first.len && at > 1) {
		struct slice rest = slice_from(first, at), mark = SLICE("\r\n$");

		if (rest.len >= mark.len)
			return slice_starts(rest, mark) ? SNIFF_YES : SNIFF_NO;
		return slice_starts(mark, rest) ? SNIFF_MAYBE : SNIFF_NO;
	}
	return at == first.len && at < 8 ? SNIFF_MAYBE : SNIFF_NO;
}

struct redis_side {
	enum direction dir;
	uint64_t due[DEPTH_MAX]; /* values still to come, level by level */
	size_t depth;
	char line[LINE_MAX_BYTES];
	size_t line_len;  /* beyond LINE_MAX_BYTES: counted only */
	uint64_t left;    /* of a bulk, its CR LF included */
	size_t arguments; /* of the top value, that have ended */
	uint64_t passed;  /* of the top value */
	uint64_t start_ns;
	bool is_kept, is_push;
	bool is_damaged; /* a hole in it */
	enum missing_reason reason;
	struct buf body;
};

struct search {
	uint64_t number, exchange;
	bool is_skipped;
};

struct redis {
	struct proto *proto;
	bool has_client, is_lost;
	enum direction client;
	uint64_t now_ns;
	struct redis_side sides[_DIR_MAX];
	uint64_t asked, answered;
	struct search searches[SEARCHES_MAX];
	size_t search_count;
	struct patience patience;
	char recent[RECENT]; /* lost: the client's newest bytes */
	size_t recent_len;
};

static void *redis_open(struct proto *proto, bool is_late)
{
	struct redis *redis = is_late ? NULL : alloc_get(proto->opts.alloc, sizeof(*redis));

	if (!redis)
		return NULL;
	redis->proto = proto;
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		redis->sides[dir].dir = dir;
		redis->sides[dir].body = BUF(proto->opts.alloc, proto->opts.event_bytes_max);
	}
	return redis;
}

static void stray(struct redis *redis, uint64_t len)
{
	redis->proto->stray_bytes += len;
	redis->patience.bytes += len;
}

static void side_reset(struct redis_side *side)
{
	side->depth = side->line_len = side->arguments = 0;
	side->left = side->passed = 0;
	side->is_damaged = side->is_push = false;
	buf_reset(&side->body);
}

static void lose(struct redis *redis)
{
	for (size_t i = 0; i < redis->search_count; i++)
		database_answer_lost(redis->proto, redis->searches[i].exchange, direction_other(redis->client),
				     redis->now_ns);
	redis->is_lost = true;
	redis->recent_len = redis->search_count = 0;
	redis->patience.losses++;
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		stray(redis, redis->sides[dir].passed);
		side_reset(&redis->sides[dir]);
	}
}

/* ---- commands ---- */

static const struct slice search_names[] = { SLICE("FT.SEARCH"), SLICE("FT.HYBRID"), SLICE("VSIM") };
static const struct slice signs[] = { SLICE("FT."), SLICE("VADD"), SLICE("VSIM"), SLICE("VEMB") };
/* Whose replies do not come one for one. */
static const struct slice deaf_names[] = { SLICE("SUBSCRIBE"), SLICE("PSUBSCRIBE"), SLICE("SSUBSCRIBE"),
					   SLICE("MONITOR"),   SLICE("PSYNC"),      SLICE("SYNC") };

/* The name in "*3 CR LF $9 CR LF FT.SEARCH CR LF …". */
static struct slice name_of_first(struct slice command)
{
	slice_cut(&command, '\n');
	slice_cut(&command, '\n');
	return slice_trim(slice_cut(&command, '\n'));
}

/* The first argument is there: is the rest of interest? */
static void command_judge(struct redis *redis, struct redis_side *side)
{
	struct slice name = name_of_first(buf_slice(&side->body));
	bool is_search = false;

	for (size_t i = 0; i < ARRAY_SIZE(search_names); i++)
		is_search |= slice_equal_nocase(name, search_names[i]);
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		redis->patience.has_sign |= slice_starts_nocase(name, signs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(deaf_names); i++)
		if (slice_equal_nocase(name, deaf_names[i]))
			redis->patience.losses = DATABASE_LOSSES + 1;
	side->is_kept = is_search;
	if (!is_search)
		buf_reset(&side->body);
}

/* FT.SEARCH searches words too. */
static bool is_among_vectors(const struct redis_side *side)
{
	struct slice command = buf_slice(&side->body);

	if (!slice_equal_nocase(name_of_first(command), SLICE("FT.SEARCH")))
		return true;
	return slice_contains(command, SLICE("KNN ")) || slice_contains(command, SLICE("knn ")) ||
	       slice_contains(command, SLICE("VECTOR_RANGE")) || slice_contains(command, SLICE("vector_range"));
}

static void message_tell(struct redis_side *side, struct outgoing *out, struct slice type, uint64_t time_ns)
{
	struct message_part part = { .kind = PART_MESSAGE,
				     .type = type,
				     .data = buf_slice(&side->body),
				     .stream_bytes = side->passed,
				     .time_ns = time_ns };

	database_message_tell(out, SLICE("redis"), &part,
			      side->is_damaged    ? side->reason
			      : side->body.failed ? MISSING_BUDGET
						  : _MISSING_MAX);
	side->passed = 0;
}

static void command_end(struct redis *redis, struct redis_side *side, uint64_t time_ns)
{
	struct outgoing out;

	redis->patience.statements++;
	if (side->is_kept && !side->is_damaged && !side->body.failed && redis->search_count < SEARCHES_MAX &&
	    is_among_vectors(side)) {
		struct search *search = &redis->searches[redis->search_count++];

		outgoing_open(&out, redis->proto, MESSAGE_REQUEST, side->dir, side->start_ns);
		out.exchange = ++redis->proto->exchanges;
		*search = (struct search){ .number = redis->asked, .exchange = out.exchange };
		message_tell(side, &out, SLICE("command"), time_ns);
	}
	redis->asked++;
}

static void reply_end(struct redis *redis, struct redis_side *side, uint64_t time_ns)
{
	struct search *search = redis->searches;
	struct outgoing out;

	if (redis->search_count && search->number == redis->answered) {
		outgoing_open(&out, redis->proto, MESSAGE_RESPONSE, side->dir, side->start_ns);
		out.exchange = search->exchange;
		out.is_skipped = search->is_skipped;
		redis->search_count--;
		memmove(search, search + 1, redis->search_count * sizeof(*search));
		message_tell(side, &out, SLICE("reply"), time_ns);
	}
	redis->answered++;
}

/* ---- values ---- */

static void top_end(struct redis *redis, struct redis_side *side, uint64_t time_ns, bool is_push)
{
	if (side->dir == redis->client)
		command_end(redis, side, time_ns);
	else if (!is_push)
		reply_end(redis, side, time_ns);
	stray(redis, side->passed);
	side_reset(side);
	if (patience_is_over(&redis->patience) && !redis->search_count)
		proto_give_up(redis->proto);
}

/* A value has ended, and with it perhaps those around it. */
static void value_end(struct redis *redis, struct redis_side *side, uint64_t time_ns, bool is_push)
{
	if (side->depth == 1 && side->dir == redis->client && side->arguments++ == 0)
		command_judge(redis, side);
	while (side->depth && --side->due[side->depth - 1] == 0)
		side->depth--;
	if (!side->depth)
		top_end(redis, side, time_ns, is_push);
}

static bool number_of(const struct redis_side *side, int64_t *ret)
{
	bool is_negative = side->line_len > 1 && side->line[1] == '-';
	size_t at = is_negative ? 2 : 1;

	*ret = 0;
	if (side->line_len >= 20 || at >= side->line_len)
		return false;
	for (; at < side->line_len; at++) {
		if (side->line[at] < '0' || side->line[at] > '9')
			return false;
		*ret = *ret * 10 + (side->line[at] - '0');
	}
	*ret = is_negative ? -*ret : *ret;
	return true;
}

static bool container_begin(struct redis *redis, struct redis_side *side, int64_t count, uint64_t time_ns)
{
	bool is_double = side->line[0] == '%' || side->line[0] == '|';

	if (side->line[0] == '|')
		return false; /* a note beside a reply: nobody sends it unasked */
	if (count <= 0) {
		value_end(redis, side, time_ns, false);
		return true;
	}
	if (side->depth == DEPTH_MAX || count > BULK_LIMIT)
		return false;
	side->is_push |= !side->depth && side->line[0] == '>';
	side->due[side->depth++] = (uint64_t)count << is_double;
	return true;
}

/* A line is whole (without its end). false: this is no RESP. */
static bool line_read(struct redis *redis, struct redis_side *side, uint64_t time_ns)
{
	char letter = side->line[0];
	int64_t count;

	if (!side->line_len || !letter || !strchr("*$%~>!=|+-:_,#(", letter))
		return false;
	/* A client's commands are lists of bulks. */
	if (side->dir == redis->client && letter != (side->depth ? '$' : '*'))
		return false;
	if (strchr("+-:_,#(", letter)) {
		value_end(redis, side, time_ns, side->is_push);
		return true;
	}
	if (!number_of(side, &count))
		return false;
	if (strchr("*%~>|", letter))
		return container_begin(redis, side, count, time_ns);
	if (count > BULK_LIMIT)
		return false;
	if (count < 0)
		value_end(redis, side, time_ns, side->is_push);
	else
		side->left = (uint64_t)count + 2;
	return true;
}

/* ---- bytes ---- */

static void top_begin(struct redis *redis, struct redis_side *side, uint64_t time_ns)
{
	side->start_ns = time_ns;
	side->is_kept =
		side->dir == redis->client || (redis->search_count && redis->searches[0].number == redis->answered);
}

static void keep(struct redis_side *side, struct slice bytes)
{
	side->passed += bytes.len;
	if (side->is_kept)
		buf_put(&side->body, bytes);
}

static void step(struct redis *redis, struct redis_side *side, struct slice *in, uint64_t time_ns)
{
	struct slice part;

	if (!side->passed)
		top_begin(redis, side, time_ns);
	if (side->left) {
		part = slice_head(*in, side->left < in->len ? (size_t)side->left : in->len);
		keep(side, part);
		*in = slice_from(*in, part.len);
		side->left -= part.len;
		if (!side->left)
			value_end(redis, side, time_ns, side->is_push);
		return;
	}
	part = slice_head(*in, 1);
	keep(side, part);
	*in = slice_from(*in, 1);
	if (part.data[0] != '\n') {
		if (side->line_len < LINE_MAX_BYTES)
			side->line[side->line_len] = part.data[0];
		side->line_len++;
		return;
	}
	if (side->line_len && (side->line_len > LINE_MAX_BYTES || side->line[side->line_len - 1] == '\r'))
		side->line_len--;
	if (!line_read(redis, side, time_ns))
		return lose(redis);
	side->line_len = 0;
}

/* Lost: "*n CR LF $9 CR LF FT.SEARCH" may stand at the end of what came last. The command goes on from there. */
static bool command_found(struct redis *redis, struct redis_side *side)
{
	struct slice recent = { redis->recent, redis->recent_len };

	for (size_t i = 0; i < ARRAY_SIZE(search_names); i++) {
		struct slice name = search_names[i], head = recent;
		size_t from;

		if (recent.len < name.len + 8 || !slice_equal_nocase(slice_from(recent, recent.len - name.len), name))
			continue;
		head.len -= name.len;
		for (from = head.len; from && head.data[from - 1] != '*'; from--)
			;
		if (!from || redis_sniff(slice_from(head, from - 1)) != SNIFF_YES)
			continue;
		side_reset(side);
		side->line[0] = '*';
		for (size_t at = from; at < head.len && head.data[at] != '\r'; at++)
			side->line[++side->line_len] = head.data[at];
		side->line_len++;
		if (!number_of(side, &(int64_t){ 0 }) || side->line_len > 8)
			continue;
		redis->is_lost = false;
		redis->asked = redis->answered = 0;
		side->is_kept = true;
		buf_put(&side->body, slice_from(recent, from - 1));
		number_of(side, (int64_t *)&side->due[0]);
		side->depth = 1;
		side->line_len = 0;
		side->left = 2;
		side->passed = 0;
		return true;
	}
	return false;
}

static void lost_step(struct redis *redis, struct redis_side *side, struct slice *in, uint64_t time_ns)
{
	stray(redis, 1);
	if (side->dir == redis->client) {
		if (redis->recent_len == RECENT)
			memmove(redis->recent, redis->recent + 1, --redis->recent_len);
		redis->recent[redis->recent_len++] = in->data[0];
		if (command_found(redis, side))
			side->start_ns = time_ns;
	}
	*in = slice_from(*in, 1);
	if (patience_is_over(&redis->patience))
		proto_give_up(redis->proto);
}

static void redis_bytes(void *state, enum direction dir, uint64_t time_ns, struct slice data)
{
	struct redis *redis = state;
	struct redis_side *side = &redis->sides[dir];

	redis->now_ns = time_ns;
	if (!redis->has_client)
		redis->client = dir;
	redis->has_client = true;
	while (data.len && !redis->proto->is_quiet) {
		if (redis->is_lost)
			lost_step(redis, side, &data, time_ns);
		else
			step(redis, side, &data, time_ns);
	}
	stray(redis, data.len);
}

static void redis_hole(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	struct redis *redis = state;
	struct redis_side *side = &redis->sides[dir];

	redis->now_ns = time_ns;
	if (redis->is_lost || len >= side->left) {
		stray(redis, len);
		if (!redis->is_lost)
			lose(redis);
		return;
	}
	side->passed += len;
	side->left -= len;
	side->is_damaged = true;
	side->reason = reason;
}

static void redis_end(void *state, enum close_how how, uint64_t time_ns)
{
	struct redis *redis = state;

	for (int dir = 0; dir < _DIR_MAX; dir++) {
		stray(redis, redis->sides[dir].passed);
		redis->sides[dir].passed = 0;
	}
}

static void redis_skip(void *state, uint64_t exchange)
{
	struct redis *redis = state;

	for (size_t i = 0; i < redis->search_count; i++)
		redis->searches[i].is_skipped |= redis->searches[i].exchange == exchange;
}

static void redis_free(void *state)
{
	struct redis *redis = state;

	for (int dir = 0; dir < _DIR_MAX; dir++)
		buf_free(&redis->sides[dir].body);
	alloc_put(redis->proto->opts.alloc, redis, sizeof(*redis));
}

const struct carrier carrier_redis = {
	.name = "redis",
	.sniff = redis_sniff,
	.open = redis_open,
	.bytes = redis_bytes,
	.hole = redis_hole,
	.end = redis_end,
	.skip = redis_skip,
	.free = redis_free,
};
