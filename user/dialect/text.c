/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain of blocks, each twice as large as the one before up to 64 KiB: a million small pieces cost a million copies of
 * their own bytes and no more. The order is the order of arrival; nothing is read before all is written.
 */
#include "dialect/text.h"
#include "base/cleanup.h"
#include "base/json.h"

enum { PIECE_MIN = 112, PIECE_MAX = 64 << 10 };

struct piece {
	struct piece *next;
	size_t size, used;
	char data[];
};

static struct piece *piece_new(struct arena *arena, size_t size)
{
	struct piece *piece = arena_alloc(arena, sizeof(*piece) + size);

	if (piece)
		piece->size = size;
	return piece;
}

bool pieces_add(struct arena *arena, struct pieces *pieces, struct slice bytes)
{
	struct piece *last = pieces->last, *more = NULL;
	size_t room = last ? last->size - last->used : 0;
	size_t head = MIN(room, bytes.len);

	if (pieces->failed || !bytes.len)
		return !pieces->failed;
	if (bytes.len > room) {
		size_t size = last ? MIN(last->size * 2, (size_t)PIECE_MAX) : PIECE_MIN;

		more = piece_new(arena, MAX(size, bytes.len - head));
		if (!more) {
			pieces->failed = true;
			return false;
		}
	}
	if (head) {
		memcpy(last->data + last->used, bytes.data, head);
		last->used += head;
	}
	if (more) {
		memcpy(more->data, bytes.data + head, bytes.len - head);
		more->used = bytes.len - head;
		*(last ? &last->next : &pieces->first) = more;
		pieces->last = more;
	}
	pieces->len += bytes.len;
	return true;
}

void pieces_put(const struct pieces *pieces, struct buf *out)
{
	for (const struct piece *piece = pieces->first; piece; piece = piece->next)
		buf_put(out, (struct slice){ piece->data, piece->used });
}

static void put_quoted(struct buf *out, const struct pieces *pieces)
{
	buf_put_char(out, '"');
	pieces_put(pieces, out);
	buf_put_char(out, '"');
}

static void put_listed(struct buf *out, const struct pieces *pieces)
{
	json_open(out, '[');
	pieces_put(pieces, out);
	if (out->len && out->data[out->len - 1] == ',')
		out->len--;
	json_close(out, ']');
}

struct slice pieces_quoted(struct arena *arena, const struct pieces *pieces)
{
	struct out out;

	out_init(&out, arena, pieces->len + 2);
	put_quoted(&out.buf, pieces);
	return out_slice(&out);
}

struct slice pieces_listed(struct arena *arena, const struct pieces *pieces)
{
	struct out out;

	out_init(&out, arena, pieces->len + 2);
	put_listed(&out.buf, pieces);
	return out_slice(&out);
}

void pieces_member_text(struct buf *out, struct slice name, const struct pieces *pieces)
{
	json_put_name(out, name);
	put_quoted(out, pieces);
}

void pieces_member_list(struct buf *out, struct slice name, const struct pieces *pieces)
{
	json_put_name(out, name);
	put_listed(out, pieces);
}

bool slice_hold(struct arena *arena, struct slice *held, struct slice value)
{
	struct slice copy;

	if (!value.data || (held->data && slice_equal(*held, value)))
		return true;
	if (held->data && value.len <= held->len) {
		memcpy((char *)held->data, value.data, value.len);
		held->len = value.len;
		return true;
	}
	copy = arena_dup(arena, value);
	if (!copy.data)
		return false;
	*held = copy;
	return true;
}

/* Growing takes anew and leaves the old to the arena; giving back is the arena's own end. */
static void *out_resize(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len)
{
	struct out *out = CONTAINER_OF(alloc, struct out, alloc);
	void *got = new_len ? arena_alloc(out->arena, new_len) : NULL;

	if (got && pointer)
		memcpy(got, pointer, MIN(old_len, new_len));
	return got;
}

void out_init(struct out *out, struct arena *arena, size_t guess)
{
	*out = (struct out){ .arena = arena, .alloc = { .resize = out_resize } };
	out->buf = BUF(&out->alloc, SIZE_MAX / 4);
	out->buf.data = arena_alloc(arena, MAX(guess, (size_t)16));
	out->buf.size = out->buf.data ? MAX(guess, (size_t)16) : 0;
	out->buf.failed = !out->buf.data;
}

struct slice out_slice(const struct out *out)
{
	return out->buf.failed ? SLICE_NONE : buf_slice(&out->buf);
}
