/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a text that lies aside goes back as if it had never been taken out, at each level and wherever it was cut; what
 * is no mark of ours stays; a text that its file has lost is told.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "unit/daemon/aside_bed.h"
#include "unit/otlp.h"
#include <errno.h>

enum { MARK_MAX = 128 };

/* The mark of text @n with @slashes before its quotation marks. */
static struct slice mark_with(char *room, unsigned n, int slashes)
{
	static const char many[] = "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\";

	return (struct slice){ room, (size_t)snprintf(room, MARK_MAX, "[spantap:text %.*s\"a00f%024x%04x%.*s\"]",
						      slashes, many, 0, n, slashes, many) };
}

/* A record of two spans: an attribute, an array, an event and the resource have a text each. */
struct texts {
	struct slice attribute, element, event, resource, other;
};

static void value_put(struct pairs *all, const char *name, struct slice text)
{
	Otlp__AnyValue *value = pair(all, name);

	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = (ProtobufCBinaryData){ text.len, (uint8_t *)text.data };
}

static void complete_put(struct pairs *all)
{
	Otlp__AnyValue *value = pair(all, "spantap.complete");

	value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
	value->bool_value = true;
}

static void list_put(struct pairs *all, Otlp__AnyValue **list, size_t count)
{
	static Otlp__ArrayValue array;
	Otlp__AnyValue *value = pair(all, "list");

	otlp__array_value__init(&array);
	array.values = list;
	array.n_values = count;
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = &array;
}

/* malloc'ed */
static struct slice body_new(const struct texts *texts)
{
	struct pairs first = { 0 }, second = { 0 }, event_pairs = { 0 }, resource_pairs = { 0 }, elements = { 0 };
	Otlp__Span one = OTLP__SPAN__INIT, two = OTLP__SPAN__INIT, *spans[] = { &one, &two };
	Otlp__SpanEvent event = OTLP__SPAN_EVENT__INIT, *events = &event;
	Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT, *scopes = &scope;
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	Otlp__ResourceSpans all = OTLP__RESOURCE_SPANS__INIT;
	Otlp__AnyValue *list[2];
	uint8_t *body;

	value_put(&elements, "", SLICE("plain"));
	value_put(&elements, "", texts->element);
	list[0] = &elements.values[0];
	list[1] = &elements.values[1];
	value_put(&first, "text", texts->attribute);
	list_put(&first, list, 2);
	complete_put(&first);
	value_put(&second, "other", texts->other);
	value_put(&event_pairs, "said", texts->event);
	value_put(&resource_pairs, "of all", texts->resource);
	event.name = (char *)"event";
	event.n_attributes = event_pairs.count;
	event.attributes = event_pairs.list;
	one.name = (char *)"one";
	one.attributes = first.list;
	one.n_attributes = first.count;
	one.events = &events;
	one.n_events = 1;
	two.name = (char *)"two";
	two.attributes = second.list;
	two.n_attributes = second.count;
	scope.spans = spans;
	scope.n_spans = 2;
	resource.attributes = resource_pairs.list;
	resource.n_attributes = resource_pairs.count;
	all.resource = &resource;
	all.scope_spans = &scopes;
	all.n_scope_spans = 1;
	body = malloc(otlp__resource_spans__get_packed_size(&all) + 1);
	return (struct slice){ (char *)body, otlp__resource_spans__pack(&all, body) };
}

static const Otlp__Span *span_of(const Otlp__ResourceSpans *spans, size_t i)
{
	return spans->scope_spans[0]->spans[i];
}

static struct slice text_of(const Otlp__AnyValue *value)
{
	assert_int_equal(value->value_case, OTLP__ANY_VALUE__VALUE_STRING_VALUE);
	return (struct slice){ (char *)value->string_value.data, value->string_value.len };
}

static void slices_equal(struct slice a, struct slice b)
{
	assert_int_equal(a.len, b.len);
	if (a.len)
		assert_memory_equal(a.data, b.data, a.len);
}

static Otlp__ResourceSpans *fill(struct bed *bed, const struct texts *texts)
{
	enum { HEAD = 40 };
	struct slice body = body_new(texts);
	size_t used = bed->alloc.used, len;
	Otlp__ResourceSpans *spans;
	void *block;

	assert_int_equal(aside_fill(bed->store, body, HEAD, &block, &len), 1);
	assert_int_equal(bed->alloc.used, used + HEAD + len); /* that, and nothing else */
	spans = otlp__resource_spans__unpack(NULL, len, (uint8_t *)block + HEAD);
	assert_non_null(spans);
	alloc_put(&bed->alloc.alloc, block, HEAD + len);
	free((char *)body.data);
	return spans;
}

static void fills_to(struct bed *bed, struct slice text, struct slice expected)
{
	struct texts texts = { .attribute = text };
	Otlp__ResourceSpans *spans = fill(bed, &texts);

	slices_equal(text_of(span_of(spans, 0)->attributes[0]->value), expected);
	otlp__resource_spans__free_unpacked(spans, NULL);
}

static void stays(struct bed *bed, struct slice text)
{
	struct texts texts = { .attribute = text };
	struct slice body = body_new(&texts);
	void *block = NULL;
	size_t len = 0;

	assert_int_equal(aside_fill(bed->store, body, 8, &block, &len), 0);
	assert_null(block);
	free((char *)body.data);
}

static void each_level_gets_its_escapes(void **state)
{
	struct bed *bed = bed_new(MB);
	char room[MARK_MAX];

	add(bed, 1, 1, SLICE("a \\\"b\\\" \\n \\u00e9 \xc3\xa9 \\ud83d\\ude00"));
	fills_to(bed, mark_with(room, 1, 0), SLICE("a \"b\" \n \xc3\xa9 \xc3\xa9 \xf0\x9f\x98\x80"));
	fills_to(bed, mark_with(room, 1, 1), SLICE("a \\\"b\\\" \\n \\u00e9 \xc3\xa9 \\ud83d\\ude00"));
	fills_to(bed, mark_with(room, 1, 3), SLICE("a \\\\\\\"b\\\\\\\" \\\\n \\\\u00e9 \xc3\xa9 \\\\ud83d\\\\ude00"));
	fills_to(bed, mark_with(room, 1, 7),
		 SLICE("a \\\\\\\\\\\\\\\"b\\\\\\\\\\\\\\\" \\\\\\\\n \\\\\\\\u00e9 \xc3\xa9 "
		       "\\\\\\\\ud83d\\\\\\\\ude00"));
	bed_free(bed);
}

static void marks_stand_anywhere(void **state)
{
	struct bed *bed = bed_new(MB);
	char one[MARK_MAX], two[MARK_MAX], text[8 * MARK_MAX];

	add(bed, 1, 1, SLICE("one"));
	add(bed, 2, 2, SLICE(""));
	mark_with(one, 1, 1);
	mark_with(two, 2, 1);
	snprintf(text, sizeof(text), "%s%s%s and %s", one, one, two, one);
	fills_to(bed, slice_of(text), SLICE("oneone and one"));
	snprintf(text, sizeof(text), "<%s> [spantap:text [spantap:text %s", one, one);
	fills_to(bed, slice_of(text), SLICE("<one> [spantap:text [spantap:text one"));
	snprintf(text, sizeof(text), "%s", two);
	fills_to(bed, slice_of(text), SLICE(""));
	bed_free(bed);
}

static void what_is_no_mark_stays(void **state)
{
	struct bed *bed = bed_new(MB);
	char room[2 * MARK_MAX], cut[MARK_MAX];
	struct slice whole;

	stays(bed, mark_with(room, 1, 1)); /* nothing lies aside anywhere */
	add(bed, 1, 1, SLICE("one"));
	stays(bed, SLICE("no mark at all"));
	stays(bed, mark_with(room, 2, 1)); /* somebody's text */
	for (int slashes = 0; slashes <= 20; slashes++)
		if (slashes != 0 && slashes != 1 && slashes != 3 && slashes != 7 && slashes != 15)
			stays(bed, mark_with(room, 1, slashes));
	whole = mark_with(room, 1, 3);
	for (size_t len = 0; len < whole.len; len++) {
		stays(bed, slice_head(whole, len));
		memcpy(cut, whole.data, len); /* and without the byte there */
		memcpy(cut + len, whole.data + len + 1, whole.len - len - 1);
		stays(bed, (struct slice){ cut, whole.len - 1 });
		memcpy(cut, whole.data, whole.len); /* and with another */
		cut[len] = (char)(cut[len] == '0' ? '1' : cut[len] - 1);
		stays(bed, (struct slice){ cut, whole.len });
	}
	stays(bed, SLICE("[spantap:text \"A00f0000000000000000000000000001\"]"));
	stays(bed, SLICE("[spantap:text \"a00F0000000000000000000000000001\"]"));
	stays(bed, SLICE("[spantap:text 'a00f0000000000000000000000000001']"));
	stays(bed, SLICE("[spantap:text \\\"a00f0000000000000000000000000001\"]"));
	stays(bed, SLICE("[spantap:text \"a00f0000000000000000000000000001\\\"]"));
	stays(bed, SLICE("[spantap:text  \"a00f0000000000000000000000000001\"]"));
	fills_to(bed, SLICE("[spantap:text \"a00f0000000000000000000000000001\"]"), SLICE("one"));
	bed_free(bed);
}

static void an_unknown_mark_stays_beside_a_known_one(void **state)
{
	struct bed *bed = bed_new(MB);
	char one[MARK_MAX], two[MARK_MAX], text[4 * MARK_MAX], expected[4 * MARK_MAX];

	add(bed, 1, 1, SLICE("one"));
	mark_with(one, 1, 0);
	mark_with(two, 2, 0);
	snprintf(text, sizeof(text), "%s%s%s", two, one, two);
	snprintf(expected, sizeof(expected), "%sone%s", two, two);
	fills_to(bed, slice_of(text), slice_of(expected));
	bed_free(bed);
}

static void texts_go_to_all_places_of_a_record(void **state)
{
	struct bed *bed = bed_new(MB);
	char marks[5][MARK_MAX];
	struct texts texts = {
		mark_with(marks[0], 1, 1), mark_with(marks[1], 2, 1), mark_with(marks[2], 3, 1),
		mark_with(marks[3], 4, 1), mark_with(marks[4], 5, 1),
	};
	Otlp__ResourceSpans *spans;
	const Otlp__Span *one, *two;

	add(bed, 1, 1, SLICE("attribute"));
	add(bed, 1, 2, SLICE("element"));
	add(bed, 2, 3, SLICE("event"));
	add(bed, 3, 4, SLICE("resource"));
	add(bed, 1, 5, SLICE("other"));
	spans = fill(bed, &texts);
	one = span_of(spans, 0);
	two = span_of(spans, 1);
	slices_equal(text_of(one->attributes[0]->value), SLICE("attribute"));
	slices_equal(text_of(one->attributes[1]->value->array_value->values[0]), SLICE("plain"));
	slices_equal(text_of(one->attributes[1]->value->array_value->values[1]), SLICE("element"));
	slices_equal(text_of(one->events[0]->attributes[0]->value), SLICE("event"));
	slices_equal(text_of(spans->resource->attributes[0]->value), SLICE("resource"));
	slices_equal(text_of(two->attributes[0]->value), SLICE("other"));
	assert_true(one->attributes[2]->value->bool_value);
	assert_int_equal(two->n_attributes, 1);
	otlp__resource_spans__free_unpacked(spans, NULL);
	bed_free(bed);
}

static void a_lost_text_is_told_and_its_span_is_not_complete(void **state)
{
	struct bed *bed = bed_new(MB);
	char first[MARK_MAX], second[MARK_MAX], text[2 * MARK_MAX + 16];
	static char room[40000];
	int fd = fd_next();

	for (int slashes = 0; slashes <= 3; slashes += slashes + 1) {
		struct texts texts;
		Otlp__ResourceSpans *spans;

		add(bed, 1, 1, letters(room, 40000, 'x'));
		add(bed, 2, 2, SLICE("is there"));
		mark_with(first, 1, slashes);
		mark_with(second, 2, slashes);
		snprintf(text, sizeof(text), "(%s)%s.", first, second);
		texts = (struct texts){ .attribute = slice_of(text), .other = slice_of(second) };
		assert_int_equal(ftruncate(fd, 30000), 0);
		spans = fill(bed, &texts);
		slices_equal(text_of(span_of(spans, 0)->attributes[0]->value), SLICE("([spantap:text lost])is there."));
		assert_false(span_of(spans, 0)->attributes[2]->value->bool_value);
		slices_equal(text_of(span_of(spans, 1)->attributes[0]->value), SLICE("is there"));
		assert_int_equal(span_of(spans, 1)->n_attributes, 1);
		otlp__resource_spans__free_unpacked(spans, NULL);
		aside_store_end(bed->store, 1);
		aside_store_end(bed->store, 2);
	}
	bed_free(bed);
}

/* Also those that did not say whether they are; a text shorter than what is said in its place does no harm. */
static void what_is_lost_for_all_spans_is_told_by_each(void **state)
{
	struct bed *bed = bed_new(MB);
	char mark[MARK_MAX];
	struct texts texts = { .resource = mark_with(mark, 1, 1), .other = SLICE("fine") };
	Otlp__ResourceSpans *spans;
	int fd = fd_next();

	add(bed, 1, 1, SLICE("short"));
	assert_int_equal(ftruncate(fd, 0), 0);
	spans = fill(bed, &texts);
	slices_equal(text_of(spans->resource->attributes[0]->value), SLICE("[spantap:text lost]"));
	assert_false(span_of(spans, 0)->attributes[2]->value->bool_value);
	assert_int_equal(span_of(spans, 1)->n_attributes, 2);
	assert_string_equal(span_of(spans, 1)->attributes[1]->key, "spantap.complete");
	assert_int_equal(span_of(spans, 1)->attributes[1]->value->value_case, OTLP__ANY_VALUE__VALUE_BOOL_VALUE);
	assert_false(span_of(spans, 1)->attributes[1]->value->bool_value);
	otlp__resource_spans__free_unpacked(spans, NULL);
	bed_free(bed);
}

static void five_megabytes_are_there_twice_and_no_more(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(SIZE_MAX);
	struct aside_store_opts opts = { .alloc = &heap.alloc, .dir = "/tmp", .bytes_max = 64 * MB };
	struct slice text = letters(malloc(5 * MB), 5 * MB, 'x'), body;
	struct aside_id id = id_of(1);
	struct aside_store *store;
	char mark[MARK_MAX];
	struct texts texts = { 0 };
	Otlp__ResourceSpans *spans;
	size_t len;
	void *block;

	memcpy((char *)text.data, "\\u00e9\\\\", 8);
	assert_int_equal(aside_store_new(&opts, &store), 0);
	assert_int_equal(aside_store_add(store, 1, aside_text_new(&id, text)), 0);
	for (int slashes = 0; slashes <= 3; slashes += slashes + 1) {
		texts.attribute = mark_with(mark, 1, slashes);
		body = body_new(&texts);
		heap.peak = 0;
		assert_int_equal(aside_fill(store, body, 0, &block, &len), 1);
		assert_in_range(heap.peak, 10 * MB, 10 * MB + MB / 2);
		spans = otlp__resource_spans__unpack(NULL, len, block);
		assert_in_range(span_of(spans, 0)->attributes[0]->value->string_value.len, 5 * MB - 5, 5 * MB + 3);
		otlp__resource_spans__free_unpacked(spans, NULL);
		alloc_put(&heap.alloc, block, len);
		free((char *)body.data);
	}
	aside_store_free(store);
	assert_int_equal(heap.used, 0);
	free((char *)text.data);
}

/* One who has seen a mark could make a record of any size with it. */
static void no_record_grows_without_end(void **state)
{
	struct bed *bed = bed_new(64 * MB);
	struct slice text = letters(malloc(16 * MB), 16 * MB, 'x');
	char mark[MARK_MAX], *many = calloc(1, 20 * MARK_MAX);
	struct texts texts = { .other = mark_with(mark, 2, 0) };
	Otlp__ResourceSpans *spans;

	add(bed, 1, 1, text);
	add(bed, 1, 2, SLICE("small"));
	mark_with(mark, 1, 0);
	for (int i = 0; i < 17; i++)
		memcpy(many + strlen(many), mark, strlen(mark));
	texts.attribute = slice_of(many);
	mark_with(mark, 2, 0);
	spans = fill(bed, &texts);
	assert_int_equal(span_of(spans, 0)->attributes[0]->value->string_value.len, 17 * 19);
	assert_false(span_of(spans, 0)->attributes[2]->value->bool_value);
	otlp__resource_spans__free_unpacked(spans, NULL);
	free(many);
	free((char *)text.data);
	bed_free(bed);
}

static void without_memory_no_record_is_made(void **state)
{
	struct bed *bed = bed_new(MB);
	static char room[50000];
	char marks[3][MARK_MAX];
	struct texts texts = { .attribute = mark_with(marks[0], 1, 0),
			       .element = mark_with(marks[1], 1, 3),
			       .other = mark_with(marks[2], 2, 1) };
	struct slice body = body_new(&texts);
	size_t used, len;
	void *block = NULL;
	uint64_t nth = 0;
	int fd = fd_next(), r;

	add(bed, 3, 2, SLICE("lost"));
	assert_int_equal(ftruncate(fd, 0), 0);
	letters(room, sizeof(room), '"');
	for (size_t i = 0; i < sizeof(room); i += 2)
		room[i] = '\\';
	add(bed, 1, 1, (struct slice){ room, sizeof(room) });
	used = bed->alloc.used;
	do {
		bed->alloc.fail_at = bed->alloc.taken + ++nth;
		r = aside_fill(bed->store, body, 16, &block, &len);
		if (r == 1)
			break;
		assert_int_equal(r, -ENOMEM);
		assert_null(block);
		assert_int_equal(bed->alloc.used, used);
	} while (r < 0);
	assert_in_range(nth, 10, 1000);
	bed->alloc.fail_at = 0;
	alloc_put(&bed->alloc.alloc, block, 16 + len);
	free((char *)body.data);
	bed_free(bed);
}

static void what_is_no_record_is_refused(void **state)
{
	struct bed *bed = bed_new(MB);
	void *block = NULL;
	size_t len;

	add(bed, 1, 1, SLICE("one"));
	assert_int_equal(aside_fill(bed->store, SLICE("\x0a\xff[spantap:text "), 0, &block, &len), -EBADMSG);
	assert_null(block);
	bed_free(bed);
}

/* ---- as if it had never been taken out ---- */

static const struct slice tokens[] = {
	SLICE("a"),
	SLICE("word "),
	SLICE("\\\""),
	SLICE("\\\\"),
	SLICE("\\n"),
	SLICE("\\/"),
	SLICE("\\u00e9"),
	SLICE("\\uD83D\\uDE00"),
	SLICE("\\u20ac"),
	SLICE("\xc3\xa9"),
	SLICE("\xe2\x82\xac"),
	SLICE("\xf0\x9f\x98\x80"),
	SLICE("[spantap:text "),
	SLICE("'{]"),
	/* what no sound text has */
	SLICE("\\q"),
	SLICE("\\udc00"),
	SLICE("\\u12"),
	SLICE("\x01"),
	SLICE("\xff"),
	SLICE("\xe2\x82"),
};
enum { SOUND = 14 };

static void random_put(struct buf *out, uint64_t *seed, size_t count, size_t kinds, bool is_dense)
{
	for (size_t i = 0; i < count; i++)
		buf_put(out, tokens[is_dense ? kinds - 1 - i % 2 : random_below(seed, kinds)]);
}

/* How the inside of a string looks at @level. */
static struct slice at_level(struct arena *arena, struct buf bufs[2], struct slice raw, unsigned level)
{
	struct slice text = raw;

	if (level == 0) {
		char *quoted = arena_alloc(arena, raw.len + 2);

		memcpy(quoted + 1, raw.data, raw.len);
		quoted[0] = quoted[raw.len + 1] = '"';
		return json_text(arena, (struct slice){ quoted, raw.len + 2 });
	}
	for (unsigned i = 1; i < level; i++) {
		buf_reset(&bufs[i % 2]);
		json_put_escaped(&bufs[i % 2], text);
		text = buf_slice(&bufs[i % 2]);
	}
	return arena_dup(arena, text);
}

struct cutter {
	struct alloc_heap heap;
	struct arena *arena;
	struct buf bufs[2], raw, marked;
};

static void is_as_if_never_taken_out(struct bed *bed, struct cutter *cutter, uint64_t *seed, size_t most, size_t kinds,
				     bool is_dense)
{
	struct buf *raw = &cutter->raw, *marked = &cutter->marked;
	size_t begin, end;
	char mark[MARK_MAX];

	buf_reset(raw);
	buf_reset(marked);
	random_put(raw, seed, random_below(seed, 4), SOUND, false);
	begin = raw->len;
	random_put(raw, seed, 1 + random_below(seed, most), kinds, is_dense);
	end = raw->len;
	random_put(raw, seed, random_below(seed, 4), SOUND, false);
	buf_put(marked, slice_head(buf_slice(raw), begin));
	buf_put(marked, mark_with(mark, 9, 1));
	buf_put(marked, slice_from(buf_slice(raw), end));
	assert_int_equal(add(bed, 1, 9, (struct slice){ raw->data + begin, end - begin }), 0);
	for (unsigned level = 0; level <= ASIDE_LEVEL_MAX; level++) {
		struct slice expected = at_level(cutter->arena, cutter->bufs, buf_slice(raw), level);
		struct slice text = at_level(cutter->arena, cutter->bufs, buf_slice(marked), level);

		fills_to(bed, text, expected);
		arena_reset(cutter->arena);
	}
	aside_store_end(bed->store, 1);
}

static void a_text_is_as_if_it_had_never_been_taken_out(void **state)
{
	struct bed *bed = bed_new(16 * MB);
	struct cutter *cutter = calloc(1, sizeof(*cutter));
	uint64_t seed = 20261127;

	cutter->heap = (struct alloc_heap)ALLOC_HEAP(256 * MB);
	cutter->arena = arena_new(&cutter->heap.alloc, 256 * MB);
	cutter->raw = cutter->marked = cutter->bufs[0] = cutter->bufs[1] = BUF(&cutter->heap.alloc, 64 * MB);
	for (int i = 0; i < 2000; i++)
		is_as_if_never_taken_out(bed, cutter, &seed, 12, ARRAY_SIZE(tokens), false);
	for (int i = 0; i < 60; i++)
		is_as_if_never_taken_out(bed, cutter, &seed, 30000, i % 2 ? SOUND : ARRAY_SIZE(tokens), false);
	for (int i = 0; i < 150; i++) /* escapes and characters alone, shifted against the pieces */
		is_as_if_never_taken_out(bed, cutter, &seed, 8000, 2 + (size_t)i % (ARRAY_SIZE(tokens) - 1), true);
	arena_free(cutter->arena);
	for (size_t i = 0; i < 2; i++)
		buf_free(&cutter->bufs[i]);
	buf_free(&cutter->raw);
	buf_free(&cutter->marked);
	free(cutter);
	bed_free(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_level_gets_its_escapes),
		cmocka_unit_test(marks_stand_anywhere),
		cmocka_unit_test(what_is_no_mark_stays),
		cmocka_unit_test(an_unknown_mark_stays_beside_a_known_one),
		cmocka_unit_test(texts_go_to_all_places_of_a_record),
		cmocka_unit_test(a_lost_text_is_told_and_its_span_is_not_complete),
		cmocka_unit_test(what_is_lost_for_all_spans_is_told_by_each),
		cmocka_unit_test(five_megabytes_are_there_twice_and_no_more),
		cmocka_unit_test(no_record_grows_without_end),
		cmocka_unit_test(without_memory_no_record_is_made),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(a_text_is_as_if_it_had_never_been_taken_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
