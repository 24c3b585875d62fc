/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each text of the record is walked twice by the same code: first it is counted how long it will be, then it is written, to
 * exactly that much room, straight from the files. So a text of megabytes is there once, and once more in the packed body.
 * What has to be escaped, or freed of its escapes, goes through in pieces that are cut where no character suffers.
 */
#include "base/buf.h"
#include "base/json.h"
#include "daemon/aside.h"
#include "model/otlp.pb-c.h"
#include <errno.h>

#define LOST     SLICE("[spantap:text lost]")
#define COMPLETE "spantap.complete"

enum { PIECE = 16 << 10, ID_TEXT_LEN = 2 * ASIDE_ID_LEN };

struct fill {
	struct aside_store *store;
	struct alloc *alloc;
	struct arena *tree;  /* the record, taken apart */
	struct arena *plain; /* of one piece */
	struct buf escaped[2];
	struct buf out; /* the room of the text that is written */
	size_t len;     /* of the text so far */
	size_t known;   /* marks in it */
	size_t added;   /* by all texts of the record */
	size_t filled;  /* texts of it that had marks */
	bool is_writing;
	bool is_too_large;
	bool is_lost; /* a text of this span, or of what belongs to all */
	bool failed;  /* no memory */
};

struct mark {
	struct aside_id id;
	unsigned level;
	size_t len;
};

/* ---- marks ---- */

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool id_read(const char *digits, struct aside_id *ret)
{
	for (size_t i = 0; i < ASIDE_ID_LEN; i++) {
		int high = digit(digits[2 * i]), low = digit(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* @text begins with ASIDE_HEAD. */
static bool mark_read(struct slice text, struct mark *ret)
{
	struct slice rest = slice_from(text, ASIDE_HEAD.len);
	size_t quote = 0;

	while (quote < rest.len && rest.data[quote] == '\\')
		quote++;
	quote++; /* as long as it is written */
	if (quote > 1 << ASIDE_LEVEL_MAX || (quote & (quote - 1)) || rest.len < 2 * quote + ID_TEXT_LEN + 1)
		return false;
	if (rest.data[quote - 1] != '"' || memcmp(rest.data, rest.data + quote + ID_TEXT_LEN, quote) != 0)
		return false;
	ret->level = (unsigned)__builtin_ctzl(quote);
	ret->len = ASIDE_HEAD.len + 2 * quote + ID_TEXT_LEN + 1;
	return text.data[ret->len - 1] == ']' && id_read(rest.data + quote, &ret->id);
}

/* ---- texts ---- */

static void put(struct fill *fill, struct slice bytes)
{
	fill->len += bytes.len;
	if (fill->is_writing)
		buf_put(&fill->out, bytes);
}

static int put_as_it_is(struct fill *fill, struct aside_text *text)
{
	fill->len += text->len;
	if (!fill->is_writing)
		return 0;
	fill->out.len += text->len; /* there is room: it was counted */
	return aside_store_read(fill->store, text, 0, fill->out.data + fill->out.len - text->len, text->len);
}

static int put_escaped(struct fill *fill, struct slice piece, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		struct buf *out = &fill->escaped[i % 2];

		buf_reset(out);
		json_put_escaped(out, piece);
		if (out->failed)
			return -ENOMEM;
		piece = buf_slice(out);
	}
	put(fill, piece);
	return 0;
}

/* @quoted: the piece as a string of JSON. */
static int put_plain(struct fill *fill, struct slice quoted)
{
	struct slice plain;

	arena_reset(fill->plain);
	plain = json_text(fill->plain, quoted);
	if (!plain.data)
		return -ENOMEM;
	put(fill, plain);
	return 0;
}

/* How much of @piece is whole characters, when more follows. */
static size_t whole_characters(struct slice piece)
{
	for (size_t back = 1; back <= 3 && back < piece.len; back++) {
		unsigned char c = (unsigned char)piece.data[piece.len - back];
		size_t needs = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

		if (c >= 0xc0)
			return needs > back ? piece.len - back : piece.len;
		if (c < 0x80)
			break;
	}
	return piece.len;
}

static int put_in_pieces(struct fill *fill, struct aside_text *text, unsigned level)
{
	char room[PIECE + 2]; /* the quotation marks of a string around */
	size_t len;
	int r = 0;

	for (size_t at = 0; at < text->len && r == 0; at += len) {
		struct slice piece = { room + 1, MIN(text->len - at, (size_t)PIECE) };
		bool is_last = piece.len == text->len - at;

		len = piece.len;
		r = aside_store_read(fill->store, text, at, room + 1, len);
		if (r < 0)
			return r;
		if (!is_last)
			len = level ? whole_characters(piece) : json_raw_whole(piece);
		room[0] = room[len + 1] = '"';
		r = level ? put_escaped(fill, slice_head(piece, len), level - 1)
			  : put_plain(fill, (struct slice){ room, len + 2 });
	}
	return r;
}

/* What cannot be read is told in its place: room for that is kept in any case, as it may show when the rest is written. */
static void put_text(struct fill *fill, struct aside_text *text, unsigned level)
{
	size_t len = fill->len, out_len = fill->out.len;
	int r = text->is_lost || fill->is_too_large ? -EIO
		: level == 1                        ? put_as_it_is(fill, text)
						    : put_in_pieces(fill, text, level);

	fill->failed |= r == -ENOMEM;
	if (r == -EIO) {
		fill->is_lost = true;
		fill->len = len;
		fill->out.len = out_len;
		put(fill, LOST);
	}
	if (!fill->is_writing)
		fill->len = MAX(fill->len, len + LOST.len);
}

static void text_walk(struct fill *fill, struct slice text)
{
	ptrdiff_t at;

	fill->len = fill->known = 0;
	while (!fill->failed && (at = slice_find(text, ASIDE_HEAD)) >= 0) {
		struct aside_text *found = NULL;
		struct mark mark;

		put(fill, slice_head(text, (size_t)at));
		text = slice_from(text, (size_t)at);
		if (mark_read(text, &mark))
			found = aside_store_find(fill->store, &mark.id);
		if (found) {
			put_text(fill, found, mark.level);
			text = slice_from(text, mark.len);
			fill->known++;
		} else {
			put(fill, ASIDE_HEAD);
			text = slice_from(text, ASIDE_HEAD.len);
		}
	}
	put(fill, text);
}

static void text_fill(struct fill *fill, ProtobufCBinaryData *value)
{
	struct slice text = { (const char *)value->data, value->len };
	char *room;

	if (!slice_contains(text, ASIDE_HEAD))
		return;
	fill->is_writing = fill->is_too_large = false;
	text_walk(fill, text);
	if (!fill->known || fill->failed)
		return;
	if (fill->len > ASIDE_FILL_MAX - fill->added) {
		fill->is_too_large = true;
		text_walk(fill, text);
	}
	fill->added = MIN(fill->added + fill->len, (size_t)ASIDE_FILL_MAX);
	room = arena_alloc(fill->tree, fill->len);
	if (!room) {
		fill->failed = true;
		return;
	}
	fill->out = (struct buf){ .alloc = fill->alloc, .data = room, .size = fill->len, .max = fill->len };
	fill->is_writing = true;
	text_walk(fill, text);
	*value = (ProtobufCBinaryData){ .data = (uint8_t *)room, .len = fill->out.len };
	fill->filled++;
}

/* ---- the record ---- */

static void value_fill(struct fill *fill, Otlp__AnyValue *value)
{
	if (!value || fill->failed)
		return;
	if (value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE)
		text_fill(fill, &value->string_value);
	if (value->value_case == OTLP__ANY_VALUE__VALUE_ARRAY_VALUE)
		for (size_t i = 0; i < value->array_value->n_values; i++)
			value_fill(fill, value->array_value->values[i]);
	if (value->value_case == OTLP__ANY_VALUE__VALUE_KVLIST_VALUE)
		for (size_t i = 0; i < value->kvlist_value->n_values; i++)
			value_fill(fill, value->kvlist_value->values[i]->value);
}

static void attributes_fill(struct fill *fill, Otlp__KeyValue *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		value_fill(fill, list[i]->value);
}

static Otlp__AnyValue *complete_add(struct fill *fill, Otlp__Span *span)
{
	Otlp__KeyValue **list = arena_alloc(fill->tree, (span->n_attributes + 1) * sizeof(*list));
	Otlp__KeyValue *pair = arena_new_of(fill->tree, Otlp__KeyValue);
	Otlp__AnyValue *value = arena_new_of(fill->tree, Otlp__AnyValue);

	if (!list || !pair || !value)
		return NULL;
	*pair = (Otlp__KeyValue)OTLP__KEY_VALUE__INIT;
	*value = (Otlp__AnyValue)OTLP__ANY_VALUE__INIT;
	pair->key = (char *)COMPLETE;
	pair->value = value;
	if (span->n_attributes)
		memcpy(list, span->attributes, span->n_attributes * sizeof(*list));
	list[span->n_attributes++] = pair;
	span->attributes = list;
	return value;
}

static void span_mark_incomplete(struct fill *fill, Otlp__Span *span)
{
	Otlp__AnyValue *value = NULL;

	for (size_t i = 0; i < span->n_attributes; i++)
		if (strcmp(span->attributes[i]->key, COMPLETE) == 0)
			value = span->attributes[i]->value;
	value = value ?: complete_add(fill, span);
	if (value) {
		value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		value->bool_value = false;
	} else {
		fill->failed = true;
	}
}

static void span_fill(struct fill *fill, Otlp__Span *span)
{
	attributes_fill(fill, span->attributes, span->n_attributes);
	for (size_t i = 0; i < span->n_events; i++)
		attributes_fill(fill, span->events[i]->attributes, span->events[i]->n_attributes);
	if (fill->is_lost)
		span_mark_incomplete(fill, span);
}

static void spans_fill(struct fill *fill, Otlp__ResourceSpans *spans)
{
	bool is_lost;

	if (spans->resource)
		attributes_fill(fill, spans->resource->attributes, spans->resource->n_attributes);
	is_lost = fill->is_lost;
	for (size_t s = 0; s < spans->n_scope_spans; s++) {
		for (size_t i = 0; i < spans->scope_spans[s]->n_spans; i++) {
			fill->is_lost = is_lost;
			span_fill(fill, spans->scope_spans[s]->spans[i]);
		}
	}
}

static void *tree_take(void *user, size_t len)
{
	return arena_alloc(user, len);
}

static void tree_give(void *user, void *pointer)
{
}

static int spans_pack(struct fill *fill, const Otlp__ResourceSpans *spans, size_t head, void **ret, size_t *ret_len)
{
	size_t len = otlp__resource_spans__get_packed_size(spans);
	char *block = fill->alloc->resize(fill->alloc, NULL, 0, head + len);

	if (!block)
		return -ENOMEM;
	*ret_len = otlp__resource_spans__pack(spans, (uint8_t *)block + head);
	*ret = block;
	return 1;
}

static int body_fill(struct fill *fill, struct slice body, size_t head, void **ret, size_t *ret_len)
{
	struct alloc_heap heap = ALLOC_HEAP_IN(fill->alloc, SIZE_MAX);
	CLEANUP(arena_free) struct arena *tree = arena_new(&heap.alloc, SIZE_MAX);
	CLEANUP(arena_free) struct arena *plain = arena_new(fill->alloc, SIZE_MAX);
	ProtobufCAllocator allocator = { .alloc = tree_take, .free = tree_give, .allocator_data = tree };
	Otlp__ResourceSpans *spans;

	if (!tree || !plain)
		return -ENOMEM;
	spans = otlp__resource_spans__unpack(&allocator, body.len, (const uint8_t *)body.data);
	if (!spans)
		return heap.refused ? -ENOMEM : -EBADMSG;
	fill->tree = tree;
	fill->plain = plain;
	spans_fill(fill, spans);
	if (fill->failed)
		return -ENOMEM;
	return fill->filled ? spans_pack(fill, spans, head, ret, ret_len) : 0;
}

int aside_fill(struct aside_store *store, struct slice body, size_t head, void **ret, size_t *ret_len)
{
	struct fill fill = { .store = store };
	int r;

	if (aside_store_is_empty(store) || !slice_contains(body, ASIDE_HEAD))
		return 0;
	fill.alloc = aside_store_alloc(store);
	for (size_t i = 0; i < ARRAY_SIZE(fill.escaped); i++)
		fill.escaped[i] = BUF(fill.alloc, SIZE_MAX);
	r = body_fill(&fill, body, head, ret, ret_len);
	for (size_t i = 0; i < ARRAY_SIZE(fill.escaped); i++)
		buf_free(&fill.escaped[i]);
	return r;
}
