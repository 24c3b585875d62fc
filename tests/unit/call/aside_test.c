/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: with its texts put back a body is what it was, to the letter, however it was cut on its way; the same body has the
 * same marks; a text is cut neither within a character, nor between the escapes of one, nor within the credential; what
 * dialects look into stays, and what is refused; a word without end goes as well, and may still turn out to be a file.
 */
#include "base/cleanup.h"
#include "call/aside.h"
#include "call/media.h"
#include "unit/support.h"
#include <stdio.h>

enum { TEXTS_MAX = 8192, BODY_MAX = 4 << 20 };

/* ---- a store of texts ---- */

struct texts {
	struct slice list[TEXTS_MAX];
	size_t count;
	size_t longest;
	size_t refuses_from; /* 0: none is refused */
};

/* FNV-1a, twice. */
static struct aside_id text_id(struct slice text)
{
	uint64_t words[2] = { 0xcbf29ce484222325, 0x9e3779b97f4a7c15 };
	struct aside_id id;

	for (size_t i = 0; i < text.len; i++)
		for (size_t k = 0; k < 2; k++)
			words[k] = (words[k] ^ (unsigned char)text.data[i]) * 0x100000001b3;
	memcpy(id.bytes, words, sizeof(id.bytes));
	return id;
}

static bool texts_put(void *user, struct slice text, struct aside_id *ret)
{
	struct texts *texts = user;
	char *copy;

	assert_true(text.len >= ASIDE_TEXT_MIN);
	texts->longest = MAX(texts->longest, text.len);
	if (texts->refuses_from && texts->count + 1 >= texts->refuses_from)
		return false;
	assert_true(texts->count < TEXTS_MAX);
	copy = malloc(text.len);
	memcpy(copy, text.data, text.len);
	texts->list[texts->count++] = (struct slice){ copy, text.len };
	*ret = text_id(text);
	return true;
}

static void texts_clear(struct texts *texts)
{
	while (texts->count)
		free((char *)texts->list[--texts->count].data);
}

/* ---- a body on its way ---- */

struct way {
	struct alloc_heap heap;
	struct buf body;
	struct media media;
	struct aside aside;
	struct texts texts;
	struct aside_ops ops;
	size_t most; /* the body was that long at the most */
};

static struct way *way_new(struct slice secret)
{
	struct way *way = calloc(1, sizeof(*way));

	way->heap = (struct alloc_heap)ALLOC_HEAP(64 << 20);
	way->body = BUF(&way->heap.alloc, 32 << 20);
	media_init(&way->media, &way->body);
	way->media.place = &way->aside.at;
	way->aside = ASIDE;
	way->ops = (struct aside_ops){ texts_put, &way->texts, secret };
	return way;
}

static void way_free(struct way *way)
{
	texts_clear(&way->texts);
	buf_free(&way->body);
	assert_int_equal(way->heap.used, 0);
	free(way);
}

static void way_look(struct way *way)
{
	size_t end = way->media.in_string ? way->media.run_at : way->body.len;

	way->most = MAX(way->most, way->body.len);
	media_moved(&way->media, aside_take(&way->aside, &way->body, end, &way->ops));
	if (!media_run_is_text(&way->media))
		return;
	aside_skip(&way->aside, &way->body, way->media.run_at, &way->ops);
	aside_take(&way->aside, &way->body, way->body.len, &way->ops);
}

static void way_feed(struct way *way, struct slice text)
{
	while (text.len) {
		size_t len = MIN(text.len, aside_room(&way->aside, &way->body));

		media_feed(&way->media, slice_head(text, len));
		text = slice_from(text, len);
		if (!aside_room(&way->aside, &way->body))
			way_look(way);
	}
}

static void way_end(struct way *way)
{
	media_end(&way->media);
	way_look(way);
}

/* With @max 0 whole, else in cuts of up to @max bytes. */
static struct way *way_of(struct slice text, size_t max, struct slice secret)
{
	struct way *way = way_new(secret);
	uint64_t random = 42;

	while (text.len) {
		size_t len = max ? 1 + random_next(&random) % max : text.len;

		way_feed(way, slice_head(text, len));
		text = slice_from(text, MIN(len, text.len));
	}
	way_end(way);
	return way;
}

/* [spantap:text \"0123…\"], and which text that is; texts_len: none of ours. */
static size_t mark_find(const struct texts *texts, struct slice at)
{
	enum { MARK_LEN = 51 };

	for (size_t i = 0; i < texts->count && at.len >= MARK_LEN; i++) {
		struct aside_id id = text_id(texts->list[i]);
		char mark[80] = "[spantap:text \\\"";

		for (size_t k = 0; k < ASIDE_ID_LEN; k++)
			snprintf(mark + 16 + 2 * k, 6, "%02x\\\"]", id.bytes[k]);
		if (memcmp(at.data, mark, MARK_LEN) == 0)
			return i;
	}
	return texts->count;
}

static char *filled(const struct way *way, size_t *ret_len)
{
	struct slice body = buf_slice(&way->body);
	char *text = malloc(BODY_MAX * 2);
	ptrdiff_t at;

	*ret_len = 0;
	while ((at = slice_find(body, ASIDE_HEAD)) >= 0) {
		size_t which = mark_find(&way->texts, slice_from(body, (size_t)at));

		memcpy(text + *ret_len, body.data, (size_t)at);
		*ret_len += (size_t)at;
		body = slice_from(body, (size_t)at);
		if (which < way->texts.count) {
			memcpy(text + *ret_len, way->texts.list[which].data, way->texts.list[which].len);
			*ret_len += way->texts.list[which].len;
			body = slice_from(body, 51);
		} else { /* a text that only looks like one */
			text[(*ret_len)++] = *body.data;
			body = slice_from(body, 1);
		}
	}
	memcpy(text + *ret_len, body.data, body.len);
	*ret_len += body.len;
	return text;
}

static void assert_filled(const struct way *way, struct slice wanted)
{
	size_t len;
	char *text = filled(way, &len);

	assert_int_equal(len, wanted.len);
	assert_memory_equal(text, wanted.data, len);
	free(text);
}

/* ---- bodies ---- */

struct body {
	char *data;
	size_t len;
};

static struct body body_new(void)
{
	return (struct body){ malloc(BODY_MAX), 0 };
}

static void put(struct body *body, const char *text)
{
	size_t len = strlen(text);

	assert_true(body->len + len < BODY_MAX);
	memcpy(body->data + body->len, text, len);
	body->len += len;
}

static struct slice body_slice(const struct body *body)
{
	return (struct slice){ body->data, body->len };
}

static const char *const pieces[] = {
	"word ",          "\\n", "\\\"quoted\\\"",   "\xc3\xa4", "\xe4\xbd\xa0",  "\\u00e9",        "\\\\",
	"\\ud83d\\ude00", "a",   "\xf0\x9f\x98\x80", "\\/",      "{\\\"a\\\":1}", "[spantap:text ", "sk-secret-key",
	"\\ud83d"
};

static void put_text(struct body *body, size_t len, uint64_t *random)
{
	size_t end = body->len + len, kinds = 1 + random_next(random) % ARRAY_SIZE(pieces);

	while (body->len < end)
		put(body, pieces[random_next(random) % kinds]);
}

static struct body random_body(uint64_t *random)
{
	struct body body = body_new();

	put(&body, "{\"messages\":[");
	while (body.len < 700000 + random_next(random) % 1000000) {
		size_t len = random_next(random) % 8 ? random_next(random) % 5000 : random_next(random) % 900000;

		put(&body, "{\"role\":\"user\",\"content\":\"");
		put_text(&body, len, random);
		put(&body, "\"},");
	}
	put(&body, "1]}");
	return body;
}

/* ---- the tests ---- */

static void a_body_with_its_texts_is_what_it_was(void **state)
{
	uint64_t random = 7;

	for (int i = 0; i < 24; i++) {
		struct body body = random_body(&random);
		struct way *way =
			way_of(body_slice(&body), (size_t[]){ 0, 17, 16384, 600000 }[i % 4], SLICE("sk-secret-key"));

		assert_true(way->texts.count > 0);
		assert_filled(way, body_slice(&body));
		way_free(way);
		free(body.data);
	}
}

static void marks_do_not_depend_on_cuts(void **state)
{
	uint64_t random = 11;
	struct body body = random_body(&random);
	struct way *whole = way_of(body_slice(&body), 0, SLICE("sk-secret-key"));

	for (size_t max = 1; max < 3000000; max = max * 3 + 1) {
		struct way *way = way_of(body_slice(&body), max, SLICE("sk-secret-key"));

		assert_int_equal(way->body.len, whole->body.len);
		assert_memory_equal(way->body.data, whole->body.data, whole->body.len);
		way_free(way);
	}
	way_free(whole);
	free(body.data);
}

static bool begins_whole(struct slice text)
{
	static const char *const low[] = { "\\udc", "\\udd", "\\ude", "\\udf" };

	for (size_t i = 0; i < ARRAY_SIZE(low); i++)
		if (slice_starts_nocase(text, slice_of(low[i])))
			return false;
	return ((unsigned char)text.data[0] & 0xc0) != 0x80;
}

/* What is counted as a whole word of it in the body is one in the texts and what is left as well. */
static size_t times(struct slice text, struct slice word)
{
	size_t count = 0;
	ptrdiff_t at;

	while ((at = slice_find(text, word)) >= 0) {
		text = slice_from(text, (size_t)at + word.len);
		count++;
	}
	return count;
}

static void texts_are_cut_between_characters_and_beside_the_credential(void **state)
{
	static const char *const kinds[] = { "\xe4\xbd\xa0", "\xf0\x9f\x98\x80", "\\ud83d\\ude00",
					     "\\u4f60",      "sk-secret-key",    "\\\\" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (size_t shift = 0; shift < 14; shift++) {
			struct body body = body_new();
			struct slice word = slice_of(kinds[i]);
			struct way *way;
			size_t found;

			put(&body, "{\"a\":\"");
			for (size_t k = 0; k < shift; k++)
				put(&body, "x");
			while (body.len < 1200000)
				put(&body, kinds[i]);
			put(&body, "\"}");
			way = way_of(body_slice(&body), 10000, SLICE("sk-secret-key"));
			assert_filled(way, body_slice(&body));
			assert_true(way->texts.count > 0);
			assert_true(way->texts.longest <= ASIDE_TEXT_MAX + ASIDE_TEXT_MIN);
			found = times(buf_slice(&way->body), word);
			for (size_t k = 0; k < way->texts.count; k++) {
				assert_true(begins_whole(way->texts.list[k]));
				found += times(way->texts.list[k], word);
			}
			/* The marks' own quotes have backslashes, but no two in a row. */
			assert_int_equal(found, times(body_slice(&body), word));
			way_free(way);
			free(body.data);
		}
	}
}

static void fill(struct body *body, const char *begin, const char *word, size_t len, const char *end)
{
	size_t until = body->len + len;

	put(body, begin);
	while (body->len < until)
		put(body, word);
	put(body, end);
}

static void what_is_looked_into_stays(void **state)
{
	static const char *const begins[] = { "{\\\"a\\\":\\\"", "[1,\\\"", "  {\\\"a\\\":\\\"", "\\n\\t [\\\"",
					      "\\\"" };

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		struct body body = body_new();
		struct way *way;

		put(&body, "{\"arguments\":\"");
		fill(&body, begins[i], "some words ", 800000, "\\\"}\"}");
		way = way_of(body_slice(&body), 0, SLICE_NONE);
		assert_int_equal(way->texts.count, 0);
		assert_filled(way, body_slice(&body));
		way_free(way);
		free(body.data);
	}
}

/* What a tool gives back is often JSON, and the longest of all. */
static void what_is_said_goes_be_it_json_or_not(void **state)
{
	static const char *const begins[] = { "{\"content\":\"", "{ \"text\" : \"", "[{\"a\":1,\"output\":\"" };
	static const char *const others[] = { "{\"xcontent\":\"", "[\"text\",\"", "{\"output\":[\"", "\"" };

	for (size_t i = 0; i < ARRAY_SIZE(begins) + ARRAY_SIZE(others); i++) {
		bool goes = i < ARRAY_SIZE(begins);
		struct body body = body_new();
		struct way *way;

		put(&body, goes ? begins[i] : others[i - ARRAY_SIZE(begins)]);
		fill(&body, "{\\\"a\\\":\\\"", "some words ", 800000, "\\\"}\"");
		way = way_of(body_slice(&body), 0, SLICE_NONE);
		assert_int_equal(way->texts.count > 0, goes);
		assert_filled(way, body_slice(&body));
		way_free(way);
		free(body.data);
	}
}

static void odd_and_short_texts_stay(void **state)
{
	struct body body = body_new();
	struct way *way;

	put(&body, "{\"a\":[");
	for (size_t i = 0; i < 900; i++)
		fill(&body, "\"", "short ", ASIDE_TEXT_MIN + ASIDE_WORDS - 10, "\",");
	fill(&body, "\"a control\x01 character ", "and words ", 100000, "\",");
	fill(&body, "\"an escaped one \\\x02 ", "and words ", 100000, "\"");
	put(&body, "]}");
	way = way_of(body_slice(&body), 0, SLICE_NONE);
	assert_int_equal(way->texts.count, 0);
	assert_filled(way, body_slice(&body));
	way_free(way);
	free(body.data);
}

static void first_words_stay_before_the_mark(void **state)
{
	struct body body = body_new();
	struct way *way;

	fill(&body, "{\"a\":\"https://example.test/", "x. ", 800000, "\"}");
	way = way_of(body_slice(&body), 0, SLICE_NONE);
	assert_true(slice_starts(buf_slice(&way->body), SLICE("{\"a\":\"https://example.test/x. x. ")));
	assert_int_equal(slice_find(buf_slice(&way->body), ASIDE_HEAD), 6 + ASIDE_WORDS);
	way_free(way);
	free(body.data);
}

static void what_is_refused_stays(void **state)
{
	uint64_t random = 5;
	struct body body = random_body(&random);
	struct way *whole = way_of(body_slice(&body), 0, SLICE_NONE);

	assert_true(whole->texts.count > 3);
	for (size_t from = 1; from <= whole->texts.count; from += 3) {
		struct way *way = way_new(SLICE_NONE);

		way->texts.refuses_from = from;
		way_feed(way, body_slice(&body));
		way_end(way);
		assert_int_equal(way->texts.count, from - 1);
		assert_filled(way, body_slice(&body));
		way_free(way);
	}
	way_free(whole);
	free(body.data);
}

/* Its marker says the type that stands before it, and the text around it goes. */
static void a_file_between_texts_is_a_file(void **state)
{
	struct body body = body_new();
	struct way *way;
	uint64_t random = 3;
	size_t until, len;
	char *text;

	fill(&body, "{\"a\":\"", "before it ", 600000, "data:image/png;base64,");
	for (until = body.len + 200000; body.len < until; body.len++)
		body.data[body.len] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random_next(&random) % 64];
	fill(&body, "\",\"b\":\"", "behind it ", 600000, "\"}");
	for (size_t max = 0; max < 100000; max = max * 7 + 1000) {
		way = way_of(body_slice(&body), max, SLICE_NONE);
		assert_int_equal(way->media.count, 1);
		text = filled(way, &len);
		assert_true(slice_contains((struct slice){ text, len },
					   SLICE("[spantap:media type=image/png bytes=150000 sha256=")));
		free(text);
		assert_true(way->body.len < 200000 && way->texts.count > 1);
		way_free(way);
	}
	free(body.data);
}

/* Letters without a space, which may be a file for a long time: it becomes one when the letters are many after all. */
static void a_long_word_goes_and_may_still_be_a_file(void **state)
{
	static const char *const words[] = { "x", "deadbeef0123", "4f" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (int is_file = 0; is_file < 2; is_file++) {
			struct body body = body_new();
			struct way *way;

			fill(&body, "{\"a\":\"and before it \",\"b\":\"", words[i], 2000000, "");
			if (is_file)
				fill(&body, "", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
				     1500000, "");
			put(&body, "\",\"c\":\"and behind it\"}");
			way = way_of(body_slice(&body), 16384, SLICE("sk-secret-key"));
			assert_int_equal(way->media.count, is_file);
			assert_true(way->texts.count > 10 && way->most <= ASIDE_LIMIT + ASIDE_LIMIT / 8);
			if (is_file)
				assert_true(way->body.len < 300);
			else
				assert_filled(way, body_slice(&body));
			assert_true(slice_ends(buf_slice(&way->body), SLICE("\",\"c\":\"and behind it\"}")));
			way_free(way);
			free(body.data);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_with_its_texts_is_what_it_was),
		cmocka_unit_test(marks_do_not_depend_on_cuts),
		cmocka_unit_test(texts_are_cut_between_characters_and_beside_the_credential),
		cmocka_unit_test(what_is_looked_into_stays),
		cmocka_unit_test(what_is_said_goes_be_it_json_or_not),
		cmocka_unit_test(odd_and_short_texts_stay),
		cmocka_unit_test(first_words_stay_before_the_mark),
		cmocka_unit_test(what_is_refused_stays),
		cmocka_unit_test(a_file_between_texts_is_a_file),
		cmocka_unit_test(a_long_word_goes_and_may_still_be_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
