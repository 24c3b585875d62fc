/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection joined late, or whose first bytes lie in a hole, before it is known what it carries. HTTP/1 has it at once and
 * searches it; meanwhile each direction is watched for HTTP/2: for its preface (what we call late may have begun under our
 * eyes), or for a chain of frames. Only bytes that may begin one are held back, and none any more when both directions have
 * shown heads of HTTP/1: the end of a coded answer looks like the start of a frame, and what would prove that it is none
 * comes only after the next question. When a chain is found, HTTP/1 ends with what it told, if anything, and HTTP/2 goes on
 * from the chain's first byte.
 */
#include "proto/carrier.h"
#include "proto/http1.h"
#include "proto/http2.h"

enum { WATCHED_MAX = 64 << 10 };

static const struct slice preface = { "PRI * HTTP/2.0\r\n", 16 };

struct late {
	struct proto *proto;
	struct http1 *http1;
	struct buf held[_DIR_MAX]; /* may begin a chain */
	struct http2_scan scan[_DIR_MAX];
	uint64_t held_ns[_DIR_MAX];
	uint64_t watched[_DIR_MAX]; /* bytes before them */
};

static void *late_open(struct proto *proto, bool is_late)
{
	struct late *late = alloc_get(proto->opts.alloc, sizeof(*late));

	if (!late)
		return NULL;
	late->proto = proto;
	late->http1 = carrier_http1.open(proto, is_late);
	for (int dir = 0; dir < _DIR_MAX; dir++)
		late->held[dir] = BUF(proto->opts.alloc, HTTP2_SEEK_MAX);
	if (late->http1)
		return late;
	alloc_put(proto->opts.alloc, late, sizeof(*late));
	return NULL;
}

static void late_free(void *state)
{
	struct late *late = state;

	for (int dir = 0; dir < _DIR_MAX; dir++)
		buf_free(&late->held[dir]);
	if (late->http1)
		carrier_http1.free(late->http1);
	alloc_put(late->proto->opts.alloc, late, sizeof(*late));
}

static void http1_give(struct late *late, enum direction dir, uint64_t time_ns, struct slice bytes)
{
	if (!bytes.len)
		return;
	late->watched[dir] += bytes.len;
	if (late->proto->is_quiet)
		late->proto->stray_bytes += bytes.len;
	else if (!late->proto->next)
		carrier_http1.bytes(late->http1, dir, time_ns, bytes);
	else
		late->proto->left = bytes;
	/* HTTP/1 was left for another: what is held follows at once, in its order. */
	if (late->proto->next && late->proto->left.len)
		late->proto->next->bytes(late->proto->next_state, dir, time_ns, late->proto->left);
	late->proto->left = SLICE_NONE;
}

/* The first @len held bytes are of no chain. */
static void held_release(struct late *late, enum direction dir, size_t len)
{
	struct buf *held = &late->held[dir];

	http1_give(late, dir, late->held_ns[dir], slice_head(buf_slice(held), len));
	buf_consume(held, len);
}

/* The preface was seen, but of the other direction something passed before it was watched for frames. */
static void other_seeks(struct http2 *http2, enum direction dir)
{
	http2->has_hidden = true;
	http2->flows[dir].state = HTTP2_SEEKS;
	http2->flows[dir].hpack.is_lost = true;
}

/* HTTP/2 it is. @dir's held bytes begin with a frame, or with the preface. The late state is gone afterwards. */
static void http2_begin(struct late *late, enum direction dir, bool is_late, uint64_t time_ns)
{
	struct proto *proto = late->proto;
	const enum direction order[] = { dir, direction_other(dir) };
	void *http2 = proto->is_quiet ? NULL : carrier_http2.open(proto, is_late);

	if (http2 && !is_late && late->watched[order[1]])
		other_seeks(http2, order[1]);
	carrier_http1.end(late->http1, CLOSE_UNKNOWN, time_ns);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct buf *held = &late->held[order[i]];

		if (http2 && held->len)
			carrier_http2.bytes(http2, order[i], late->held_ns[order[i]], buf_slice(held));
		else
			proto->stray_bytes += held->len;
	}
	late_free(late);
	proto->carrier = &carrier_http2;
	proto->state = http2;
	if (!http2)
		proto->is_quiet = true;
}

/* true: HTTP/2 begins at *ret_at of what is held; false: not before it. */
static bool look(struct late *late, enum direction dir, size_t *ret_at, bool *ret_is_late)
{
	struct slice held = buf_slice(&late->held[dir]);

	*ret_is_late = true;
	*ret_at = 0;
	if (late->watched[dir] || !slice_starts(preface, slice_head(held, preface.len)))
		return http2_scan(&late->scan[dir], held, false, ret_at);
	*ret_is_late = false;
	return held.len >= preface.len;
}

/* Adds @piece to what is held, and lets go what is no frame. true: HTTP/2 has begun. */
static bool watch(struct late *late, enum direction dir, uint64_t time_ns, struct slice piece)
{
	struct buf *held = &late->held[dir];
	size_t before = held->len, at;
	bool is_late, is_found;

	if (!before)
		late->held_ns[dir] = time_ns;
	buf_put(held, piece);
	is_found = look(late, dir, &at, &is_late);
	http2_scan_consume(&late->scan[dir], MIN(at, late->scan[dir].scanned));
	held_release(late, dir, MIN(at, before));
	if (at >= before)
		late->held_ns[dir] = time_ns;
	held_release(late, dir, at - MIN(at, before));
	if (!is_found || late->proto->next)
		return false;
	http2_begin(late, dir, is_late, time_ns);
	return true;
}

/* What is looked at in one go. One byte, as HTTP/1 may become sure of itself by any that is let go, and HTTP/2 gets of this
 * direction what proves it, then what is held of the other, then the rest. But only a preface at the very beginning and a
 * frame, by its zero, begin what is held; what comes before that is let go at once, and of it HTTP/1 becomes sure only where
 * a line ends: there what is held of the other direction is let go, before what follows. */
static struct slice late_piece(const struct late *late, enum direction dir, struct slice data)
{
	const char *lf, *zero;

	data = slice_head(data, WATCHED_MAX - late->watched[dir]);
	if (late->held[dir].len || !late->watched[dir] || !data.data[0])
		return slice_head(data, 1);
	lf = memchr(data.data, '\n', data.len);
	data = slice_head(data, lf ? (size_t)(lf - data.data) + 1 : data.len);
	zero = memchr(data.data, 0, data.len);
	return slice_head(data, zero ? (size_t)(zero - data.data) : data.len);
}

static void late_bytes(void *state, enum direction dir, uint64_t time_ns, struct slice data)
{
	struct late *late = state;
	struct proto *proto = late->proto;
	struct buf *held = &late->held[dir];

	while (data.len && late->watched[dir] < WATCHED_MAX && !held->failed && !proto->next &&
	       !http1_is_sure(late->http1)) {
		struct slice piece = late_piece(late, dir, data);

		if (watch(late, dir, time_ns, piece)) {
			data = slice_from(data, piece.len);
			if (proto->state)
				carrier_http2.bytes(proto->state, dir, time_ns, data);
			else
				proto->stray_bytes += data.len;
			return;
		}
		if (!held->failed)
			data = slice_from(data, piece.len);
	}
	if (proto->next || http1_is_sure(late->http1))
		held_release(late, direction_other(dir), late->held[direction_other(dir)].len);
	else if (!data.len)
		return;
	held_release(late, dir, held->len);
	late->watched[dir] = WATCHED_MAX;
	http1_give(late, dir, time_ns, data);
}

static void late_hole(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	struct late *late = state;

	held_release(late, dir, late->held[dir].len);
	late->scan[dir] = (struct http2_scan){ 0 };
	late->watched[dir] += len;
	if (late->proto->is_quiet)
		late->proto->stray_bytes += len;
	else
		carrier_http1.hole(late->http1, dir, len, reason, time_ns);
}

static bool late_is_between(const void *state, enum direction dir)
{
	const struct late *late = state;

	return !late->held[dir].len && !late->proto->is_quiet && carrier_http1.is_between(late->http1, dir);
}

static void late_end(void *state, enum close_how how, uint64_t time_ns)
{
	struct late *late = state;
	struct proto *proto = late->proto;
	size_t at;

	for (int dir = 0; dir < _DIR_MAX; dir++) {
		if (!http2_scan(&late->scan[dir], buf_slice(&late->held[dir]), true, &at))
			continue;
		held_release(late, (enum direction)dir, at);
		http2_begin(late, (enum direction)dir, true, time_ns);
		if (proto->state)
			carrier_http2.end(proto->state, how, time_ns);
		return;
	}
	for (int dir = 0; dir < _DIR_MAX; dir++)
		held_release(late, (enum direction)dir, late->held[dir].len);
	carrier_http1.end(late->http1, how, time_ns);
}

static void late_skip(void *state, uint64_t exchange)
{
	carrier_http1.skip(((struct late *)state)->http1, exchange);
}

static bool late_so_far(const void *state, uint64_t exchange, enum message_kind kind, struct message_end *ret)
{
	return carrier_http1.so_far(((const struct late *)state)->http1, exchange, kind, ret);
}

const struct carrier carrier_late = {
	.name = "late",
	.open = late_open,
	.bytes = late_bytes,
	.hole = late_hole,
	.is_between = late_is_between,
	.end = late_end,
	.skip = late_skip,
	.so_far = late_so_far,
	.free = late_free,
};
