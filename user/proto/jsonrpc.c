/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC 2.0, a message a line, as tools' servers speak it on their standard input and output. Both sides ask and answer, so
 * a request is a message with a method and an id, its answer the one with that id in the other direction. Notifications
 * belong to no exchange; their bytes are stray, as is all that is no message. A connection whose first line is none is
 * of no use (headers of another framing come before a message there: that is an editor's, not ours).
 */
#include "base/json.h"
#include "proto/carrier.h"

enum { WAITING_MAX = 64, ID_MAX = 48 };

struct waiting { /* a request without its answer yet */
	uint64_t exchange;
	enum direction dir;
	char id[ID_MAX]; /* as it was written */
	size_t id_len;
	bool is_skipped;
	uint32_t doubts; /* reasons of holes that may hide the answer */
};

struct line {
	struct buf buf;
	uint64_t passed; /* bytes of it, those in holes included */
	uint64_t start_ns, last_ns;
	bool is_broken;
};

struct jsonrpc {
	struct proto *proto;
	struct line lines[_DIR_MAX];
	struct waiting waiting[WAITING_MAX]; /* oldest first */
	size_t count;
	bool is_known; /* a message was seen */
};

struct members {
	struct slice method, id;
	bool is_version_2, is_answer;
};

static enum sniff jsonrpc_sniff(struct slice first)
{
	static const struct slice starts[] = { SLICE("{\"jsonrpc\""), SLICE("{\"method\""), SLICE("{\"id\""),
					       SLICE("{\"result\""),  SLICE("{\"params\""), SLICE("{\"error\"") };
	enum sniff best = SNIFF_NO;

	for (size_t i = 0; i < ARRAY_SIZE(starts) && best != SNIFF_YES; i++) {
		if (slice_starts(first, starts[i]))
			best = SNIFF_YES;
		else if (slice_starts(starts[i], first))
			best = SNIFF_MAYBE;
	}
	return best;
}

static void *jsonrpc_open(struct proto *proto, bool is_late)
{
	struct jsonrpc *rpc = alloc_get(proto->opts.alloc, sizeof(*rpc));

	if (!rpc)
		return NULL;
	*rpc = (struct jsonrpc){ .proto = proto };
	for (int dir = 0; dir < _DIR_MAX; dir++)
		rpc->lines[dir].buf = BUF(proto->opts.alloc, proto->opts.event_bytes_max);
	return rpc;
}

static struct members members_of(struct slice message)
{
	struct members found = { 0 };

	json_foreach_member(member, message) {
		if (slice_equal(member.name, SLICE("jsonrpc")))
			found.is_version_2 = json_text_is(member.value, SLICE("2.0"));
		else if (slice_equal(member.name, SLICE("method")))
			found.method = json_raw_text(member.value);
		else if (slice_equal(member.name, SLICE("id")) && json_type(member.value) != JSON_NULL)
			found.id = member.value;
		else if (slice_equal(member.name, SLICE("result")) || slice_equal(member.name, SLICE("error")))
			found.is_answer = true;
	}
	return found;
}

/* ---- telling ---- */

struct telling {
	uint64_t exchange;
	enum message_kind kind;
	enum direction dir;
	struct slice method, body;
	bool is_skipped;
};

static void message_tell(struct jsonrpc *rpc, const struct telling *what)
{
	const struct proto_ops *ops = rpc->proto->ops;
	const struct line *line = &rpc->lines[what->dir];
	const struct message_head head = {
		.kind = what->kind,
		.dir = what->dir,
		.protocol = SLICE("jsonrpc"),
		.version = SLICE("2.0"),
		.method = what->method,
		.time_ns = line->start_ns,
	};
	const struct message_part part = { .kind = PART_BYTES, .data = what->body, .time_ns = line->last_ns };
	const struct message_end end = {
		.how = MESSAGE_END_FRAMED,
		.body_bytes = (int64_t)what->body.len,
		.stream_bytes = line->passed,
		.time_ns = line->last_ns,
	};

	ops->head(rpc->proto->user, what->exchange, &head);
	if (!what->is_skipped)
		ops->part(rpc->proto->user, what->exchange, what->kind, &part);
	ops->end(rpc->proto->user, what->exchange, what->kind, &end);
}

/* The answer may have been in a hole: then its end is not known, which is not the same as that none came. */
static void waiting_give_up(struct jsonrpc *rpc, const struct waiting *waiting, uint64_t time_ns)
{
	const struct message_head head = {
		.kind = MESSAGE_RESPONSE, .dir = direction_other(waiting->dir), .is_late = true, .time_ns = time_ns
	};
	const struct message_end end = {
		.how = MESSAGE_END_LOST,
		.body_bytes = -1,
		.missing_bytes = -1,
		.missing_reasons = waiting->doubts,
		.time_ns = time_ns,
	};

	if (!waiting->doubts)
		return;
	rpc->proto->ops->head(rpc->proto->user, waiting->exchange, &head);
	rpc->proto->ops->end(rpc->proto->user, waiting->exchange, MESSAGE_RESPONSE, &end);
}

static void waiting_drop(struct jsonrpc *rpc, size_t i)
{
	rpc->count--;
	memmove(&rpc->waiting[i], &rpc->waiting[i + 1], (rpc->count - i) * sizeof(rpc->waiting[0]));
}

/* ---- messages ---- */

static void request_take(struct jsonrpc *rpc, enum direction dir, const struct members *members, struct slice body)
{
	struct waiting *waiting;
	uint64_t exchange = ++rpc->proto->exchanges;

	if (members->id.len <= ID_MAX) {
		if (rpc->count == WAITING_MAX) {
			waiting_give_up(rpc, &rpc->waiting[0], rpc->lines[dir].last_ns);
			waiting_drop(rpc, 0);
		}
		waiting = &rpc->waiting[rpc->count++];
		*waiting = (struct waiting){ .exchange = exchange, .dir = dir, .id_len = members->id.len };
		memcpy(waiting->id, members->id.data, members->id.len);
	}
	message_tell(rpc, &(struct telling){ exchange, MESSAGE_REQUEST, dir, members->method, body, false });
}

/* Without its request it is told alone: that was before we looked. */
static void answer_take(struct jsonrpc *rpc, enum direction dir, const struct members *members, struct slice body)
{
	struct telling telling = { .kind = MESSAGE_RESPONSE, .dir = dir, .body = body };

	for (size_t i = 0; i < rpc->count; i++) {
		const struct waiting *waiting = &rpc->waiting[i];

		if (waiting->dir == dir || !slice_equal((struct slice){ waiting->id, waiting->id_len }, members->id))
			continue;
		telling.exchange = waiting->exchange;
		telling.is_skipped = waiting->is_skipped;
		waiting_drop(rpc, i);
		break;
	}
	if (!telling.exchange)
		telling.exchange = ++rpc->proto->exchanges;
	message_tell(rpc, &telling);
}

static void line_clear(struct line *line)
{
	buf_reset(&line->buf);
	line->passed = 0;
	line->is_broken = false;
}

static void line_finish(struct jsonrpc *rpc, enum direction dir)
{
	struct line *line = &rpc->lines[dir];
	struct slice body = slice_trim(buf_slice(&line->buf));
	bool is_whole = !line->is_broken && !line->buf.failed;
	struct members members = { 0 };

	if (is_whole && body.len && json_check(body, JSON_DEPTH_MAX) == 0)
		members = members_of(body);
	if (members.is_version_2 && members.method.len && members.id.len)
		request_take(rpc, dir, &members, body);
	else if (members.is_version_2 && members.is_answer && members.id.len)
		answer_take(rpc, dir, &members, body);
	else
		rpc->proto->stray_bytes += line->passed;
	rpc->is_known |= members.is_version_2;
	if (!rpc->is_known && is_whole && body.len)
		proto_give_up(rpc->proto);
	line_clear(line);
}

static void jsonrpc_bytes(void *state, enum direction dir, uint64_t time_ns, struct slice data)
{
	struct jsonrpc *rpc = state;
	struct line *line = &rpc->lines[dir];

	while (data.len) {
		const char *end = memchr(data.data, '\n', data.len);
		size_t len = end ? (size_t)(end - data.data) + 1 : data.len;

		if (!line->passed)
			line->start_ns = time_ns;
		line->last_ns = time_ns;
		line->passed += len;
		if (!line->is_broken)
			buf_put(&line->buf, slice_head(data, len));
		data = slice_from(data, len);
		if (end)
			line_finish(rpc, dir);
		if (rpc->proto->is_quiet) {
			rpc->proto->stray_bytes += data.len;
			return;
		}
	}
}

static void jsonrpc_hole(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	struct jsonrpc *rpc = state;
	struct line *line = &rpc->lines[dir];

	line->passed += len;
	line->is_broken = true;
	line->last_ns = time_ns;
	buf_reset(&line->buf);
	for (size_t i = 0; i < rpc->count; i++)
		if (rpc->waiting[i].dir != dir)
			rpc->waiting[i].doubts |= 1u << reason;
}

static void jsonrpc_end(void *state, enum close_how how, uint64_t time_ns)
{
	struct jsonrpc *rpc = state;

	for (int dir = 0; dir < _DIR_MAX; dir++) {
		rpc->proto->stray_bytes += rpc->lines[dir].passed;
		line_clear(&rpc->lines[dir]);
	}
	for (size_t i = 0; i < rpc->count; i++)
		waiting_give_up(rpc, &rpc->waiting[i], time_ns);
	rpc->count = 0;
}

static void jsonrpc_skip(void *state, uint64_t exchange)
{
	struct jsonrpc *rpc = state;

	for (size_t i = 0; i < rpc->count; i++)
		if (rpc->waiting[i].exchange == exchange)
			rpc->waiting[i].is_skipped = true;
}

static void jsonrpc_free(void *state)
{
	struct jsonrpc *rpc = state;

	for (int dir = 0; dir < _DIR_MAX; dir++)
		buf_free(&rpc->lines[dir].buf);
	alloc_put(rpc->proto->opts.alloc, rpc, sizeof(*rpc));
}

const struct carrier carrier_jsonrpc = {
	.name = "jsonrpc",
	.sniff = jsonrpc_sniff,
	.open = jsonrpc_open,
	.bytes = jsonrpc_bytes,
	.hole = jsonrpc_hole,
	.end = jsonrpc_end,
	.skip = jsonrpc_skip,
	.free = jsonrpc_free,
};
