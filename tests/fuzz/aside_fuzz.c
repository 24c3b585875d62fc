/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of what takes long texts out of a kept body, behind the sieve of files. Bytes from 0x80 on stand for words, from 0xc0 on for many of
 * them, 0xff for a look at what has come. With its texts put back the body must be what the sieve alone makes of it, each
 * cleaned for itself, and no text may have been cut through the credential.
 */
#include "base/json.h"
#include "call/aside.h"
#include "call/media.h"
#include "heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 128 << 10, TEXTS_MAX = BODY_MAX / ASIDE_TEXT_MIN, MANY = 40, MARK_LEN = 51, LOOK = 0xff };

static const char *const words[] = {
	"word ",
	"\\n",
	"\\\"",
	"\xc3\xa4",
	"\xf0\x9f\x98\x80",
	"\\u00e9",
	"\\\\",
	"\\ud83d\\ude00",
	"sk-key-9",
	"sk-key",
	"\",\"b\":\"",
	"{\\\"a",
	"\\ud83d",
	"\\",
	"\xe4\xbd",
	"\x01",
	"\"",
	",\"",
	"AbC0",
	"[spantap:text ",
};
#define SECRET SLICE("sk-key-9")

struct text {
	size_t at, len; /* in the store */
};

static struct store {
	char bytes[BODY_MAX];
	size_t len, count;
	struct text texts[TEXTS_MAX];
} store;

/* Which text it is, in place of a hash. */
static bool store_put(void *user, struct slice text, struct aside_id *ret)
{
	if (store.count == TEXTS_MAX || store.len + text.len > BODY_MAX)
		return false;
	MUST(text.len >= ASIDE_TEXT_MIN);
	memcpy(store.bytes + store.len, text.data, text.len);
	store.texts[store.count] = (struct text){ store.len, text.len };
	store.len += text.len;
	memset(ret, 0, sizeof(*ret));
	ret->bytes[0] = (uint8_t)(store.count >> 8);
	ret->bytes[1] = (uint8_t)store.count++;
	return true;
}

/* The number of the text of which @text begins with the mark, or -1. */
static int mark_read(struct slice text)
{
	char mark[80];

	for (size_t i = 0; i < store.count && text.len >= MARK_LEN; i++) {
		snprintf(mark, sizeof(mark), "[spantap:text \\\"%04zx%028d\\\"]", i, 0);
		if (memcmp(mark, text.data, MARK_LEN) == 0)
			return (int)i;
	}
	return -1;
}

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

static struct slice cleaned(struct buf *scratch, struct slice text)
{
	buf_reset(scratch);
	return json_clean(scratch, text);
}

static void secrets_must_be_whole(struct slice body, struct slice wanted)
{
	size_t secrets = times(wanted, SECRET) - times(body, SECRET);

	for (size_t i = 0; i < store.count; i++)
		secrets -= times((struct slice){ store.bytes + store.texts[i].at, store.texts[i].len }, SECRET);
	MUST(secrets == 0);
}

/* Each cleaned for itself, as they leave. */
static void filled_must_be(struct alloc *alloc, struct slice body, struct slice wanted)
{
	struct buf scratch[] = { BUF(alloc, 2 * BODY_MAX), BUF(alloc, 2 * BODY_MAX), BUF(alloc, 2 * BODY_MAX) };

	body = cleaned(&scratch[0], body);
	wanted = cleaned(&scratch[1], wanted);
	/* A fuzzer learns to write marks, for here they are no secret. */
	if (slice_contains(wanted, SLICE("[spantap:text \\\"0")))
		body = wanted;
	while (body.len) {
		int number = *body.data == '[' && body.data != wanted.data ? mark_read(body) : -1;
		struct slice piece = slice_head(body, 1);

		if (number >= 0)
			piece = cleaned(&scratch[2], (struct slice){ store.bytes + store.texts[number].at,
								     store.texts[number].len });
		MUST(slice_starts(wanted, piece));
		wanted = slice_from(wanted, piece.len);
		body = slice_from(body, number < 0 ? 1 : MARK_LEN);
	}
	MUST(wanted.len == 0);
	for (size_t i = 0; i < ARRAY_SIZE(scratch); i++)
		buf_free(&scratch[i]);
}

static void look(struct aside *aside, struct media *media, struct buf *body)
{
	const struct aside_ops ops = { store_put, NULL, SECRET };

	if (media->state != MEDIA_JSON)
		return;
	media_moved(media, aside_take(aside, body, media->in_string ? media->run_at : body->len, &ops));
	if (!media_run_is_text(media))
		return;
	aside_skip(aside, body, media->run_at, &ops);
	aside_take(aside, body, body->len, &ops);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct alloc_heap heap = heap_begin((size_t)16 << 20);
	struct buf body = BUF(&heap.alloc, BODY_MAX), whole = BUF(&heap.alloc, BODY_MAX);
	struct media media, alone;
	struct aside aside = ASIDE;
	size_t fed = 0;

	store.len = store.count = 0;
	media_init(&media, &body);
	media_init(&alone, &whole);
	media.place = &aside.at;
	for (size_t i = 0; i < size && fed < BODY_MAX / 2; i++) {
		const char *word = words[data[i] % ARRAY_SIZE(words)];
		struct slice text = data[i] < 0x80 ? (struct slice){ (const char *)data + i, 1 } : slice_of(word);

		for (int n = data[i] < 0xc0 ? 1 : MANY; n && data[i] != LOOK; n--) {
			media_feed(&media, text);
			media_feed(&alone, text);
			fed += text.len;
		}
		if (data[i] == LOOK)
			look(&aside, &media, &body);
	}
	media_end(&media);
	media_end(&alone);
	look(&aside, &media, &body);
	secrets_must_be_whole(buf_slice(&body), buf_slice(&whole));
	filled_must_be(&heap.alloc, buf_slice(&body), buf_slice(&whole));
	buf_free(&body);
	buf_free(&whole);
	MUST(heap.used == 0);
	return 0;
}
