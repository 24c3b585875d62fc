/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a long run of base64 in a string becomes a marker with the file's type, length and SHA-256, however the
 * text is cut, broken into lines or escaped; all else passes to the letter; and a request of 5 MB that is mostly a picture
 * goes through proto and call in less than 1 MB.
 */
#include "call/media.h"
#include "proto/proto.h"
#include "unit/call/world.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct text {
	char *data;
	size_t len;
};

static struct text text_new(size_t size)
{
	return (struct text){ malloc(size), 0 };
}

static void put(struct text *text, const char *more)
{
	memcpy(text->data + text->len, more, strlen(more));
	text->len += strlen(more);
}

struct file {
	char *bytes;
	size_t len;
	char sha[SHA256_TEXT_SIZE];
};

static struct file file_new(const char *begin, size_t len)
{
	struct file file = { malloc(len), len, "" };
	struct sha256 sha = SHA256;
	uint64_t random = 88172645463325252;

	for (size_t i = 0; i < len; i++)
		file.bytes[i] = (char)random_next(&random);
	memcpy(file.bytes, begin, strlen(begin));
	sha256_put(&sha, (struct slice){ file.bytes, len });
	sha256_text(&sha, file.sha);
	return file;
}

struct manner {
	size_t line; /* digits in a line; 0: one line */
	const char *line_end;
	bool escapes_slash, is_unpadded, is_url_safe;
};

static void put_digit(struct text *text, char digit, const struct manner *manner)
{
	if (manner->is_url_safe && (digit == '+' || digit == '/'))
		digit = digit == '+' ? '-' : '_';
	if (digit == '/' && manner->escapes_slash)
		text->data[text->len++] = '\\';
	text->data[text->len++] = digit;
}

static void put_base64(struct text *text, const struct file *file, const struct manner *manner)
{
	size_t count = (file->len * 8 + 5) / 6;

	for (size_t i = 0; i < count; i++) {
		size_t bit = i * 6, at = bit / 8;
		unsigned pair = (unsigned char)file->bytes[at] << 8;

		if (at + 1 < file->len)
			pair |= (unsigned char)file->bytes[at + 1];
		if (manner->line && i && i % manner->line == 0)
			put(text, manner->line_end);
		put_digit(text, digits[pair >> (10 - bit % 8) & 63], manner);
	}
	while (!manner->is_unpadded && count++ % 4)
		put(text, "=");
}

/* ---- the sieve ---- */

struct sieved {
	struct fail_alloc memory;
	struct buf out;
	struct media media;
};

/* @step: of the cuts; 0: random. */
static void sieve(struct sieved *sieved, struct slice text, size_t step, uint64_t fail_at)
{
	uint64_t random = text.len + 1;

	*sieved = (struct sieved){ .memory = FAIL_ALLOC(fail_at) };
	sieved->out = BUF(&sieved->memory.alloc, 64 << 20);
	media_init(&sieved->media, &sieved->out);
	while (text.len) {
		size_t len = MIN(step ? step : random_below(&random, 5000) + 1, text.len);
		struct guard guard = guard_new(slice_head(text, len));

		media_feed(&sieved->media, guard.text);
		guard_free(&guard);
		text = slice_from(text, len);
	}
	media_end(&sieved->media);
}

static void sieved_free(struct sieved *sieved)
{
	buf_free(&sieved->out);
	assert_int_equal(sieved->memory.used, 0);
}

static const size_t steps[] = { SIZE_MAX, 0, 4096, 999, 1 };

static void expect(struct slice text, struct slice want, uint64_t count, uint64_t bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct sieved sieved;

		/* Byte by byte over guarded pages is slow: only what is short. */
		if (steps[i] == 1 && text.len > 150000)
			continue;
		sieve(&sieved, text, steps[i], 0);
		if (!slice_equal(buf_slice(&sieved.out), want))
			fail_msg("step %zu: %.300s", steps[i], sieved.out.data);
		assert_int_equal(sieved.media.count, count);
		assert_int_equal(sieved.media.bytes, bytes);
		assert_int_equal(sieved.media.removed, text.len - want.len);
		assert_int_equal(sieved.media.lost, 0);
		sieved_free(&sieved);
	}
}

static void a_file_becomes_a_marker_whatever_its_manner(void **state)
{
	static const struct manner manners[] = {
		{ 0 },
		{ .is_unpadded = true },
		{ .is_url_safe = true, .is_unpadded = true },
		{ .escapes_slash = true },
		{ .line = 76, .line_end = "\\r\\n" },
		{ .line = 64, .line_end = "\\n", .escapes_slash = true },
	};
	static const struct {
		const char *begin, *prefix, *type;
	} kinds[] = {
		{ "\x89PNG\r\n", "", "image/png" },
		{ "\xff\xd8\xff\xe0", "data:image/jpeg;base64,", "image/jpeg" },
		{ "RIFF....WAVEfmt ", "see ", "audio/wav" },
		{ "%PDF-1.7", "a\\nb\\n", "application/pdf" },
		{ "....ftypisom", "", "video/mp4" },
		{ "OggS", "data:;base64,", "audio/ogg" },
		{ "nothing known", "data:application/x-odd;base64,", "application/x-odd" },
		{ "nothing known", "", "application/octet-stream" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(manners) * ARRAY_SIZE(kinds); i++) {
		const struct manner *manner = &manners[i % ARRAY_SIZE(manners)];
		struct file file = file_new(kinds[i / ARRAY_SIZE(manners)].begin, 60000 + i % 3);
		const char *prefix = kinds[i / ARRAY_SIZE(manners)].prefix;
		struct text text = text_new(200000);
		char want[400];

		put(&text, "{\"model\":\"m\",\"image\":\"");
		put(&text, prefix);
		put_base64(&text, &file, manner);
		put(&text, "\",\"after\":[1,\"two\\\"\"]}");
		snprintf(want, sizeof(want),
			 "{\"model\":\"m\",\"image\":\"%s[spantap:media type=%s bytes=%zu sha256=%s]\",\"after\":[1,"
			 "\"two\\\"\"]}",
			 prefix, kinds[i / ARRAY_SIZE(manners)].type, file.len, file.sha);
		expect((struct slice){ text.data, text.len }, slice_of(want), 1, file.len);
		free(text.data);
		free(file.bytes);
	}
}

static void what_follows_a_file_in_its_string_is_kept(void **state)
{
	static const char *const rests[] = { " and words", "\\\"quoted", "\\u0041", "\\\\", "é", "\\t" };

	for (size_t i = 0; i < ARRAY_SIZE(rests); i++) {
		struct file file = file_new("GIF89a", 45000);
		struct text text = text_new(100000);
		char want[300];

		put(&text, "[\"");
		put_base64(&text, &file, &(struct manner){ 0 });
		put(&text, rests[i]);
		put(&text, "\"]");
		snprintf(want, sizeof(want), "[\"[spantap:media type=image/gif bytes=45000 sha256=%s]%s\"]", file.sha,
			 rests[i]);
		expect((struct slice){ text.data, text.len }, slice_of(want), 1, 45000);
		free(text.data);
		free(file.bytes);
	}
}

/* Padding in the middle, and one digit too many: the marker tells what could be decoded. */
static void base64_that_is_not_good_ends_where_it_ends(void **state)
{
	struct file file = file_new("GIF89a", 45000);
	struct text text = text_new(200000);
	char want[300];

	put(&text, "[\"");
	put_base64(&text, &file, &(struct manner){ 0 });
	put(&text, "A===BC\"]");
	snprintf(want, sizeof(want), "[\"[spantap:media type=image/gif bytes=45000 sha256=%s]=BC\"]", file.sha);
	expect((struct slice){ text.data, text.len }, slice_of(want), 1, 45000);
	free(text.data);
	free(file.bytes);
}

/* What stands before the file, but in another string, is not its type. */
static void a_type_is_that_of_its_own_string(void **state)
{
	static const char *const heads[] = { "[\"a;\",\"b;base64,", "[\"data:text/a;\",\"b;base64,",
					     "[\"data:text/a\",\";base64,", "[\"data:text/a;\\\\\",\";base64," };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct file file = file_new("GIF89a", 45000);
		struct text text = text_new(100000);
		char want[300];

		put(&text, heads[i]);
		put_base64(&text, &file, &(struct manner){ 0 });
		put(&text, "\"]");
		snprintf(want, sizeof(want), "%s[spantap:media type=image/gif bytes=45000 sha256=%s]\"]", heads[i],
			 file.sha);
		expect((struct slice){ text.data, text.len }, slice_of(want), 1, 45000);
		free(text.data);
		free(file.bytes);
	}
}

static void a_cut_file_says_so(void **state)
{
	struct file file = file_new("\x89PNG", 45000);
	struct text text = text_new(100000);
	char want[300];

	put(&text, "[\"");
	put_base64(&text, &file, &(struct manner){ 0 });
	snprintf(want, sizeof(want), "[\"[spantap:media type=image/png bytes=45000 sha256=%s cut]", file.sha);
	expect((struct slice){ text.data, text.len }, slice_of(want), 1, 45000);
	free(text.data);
	free(file.bytes);
}

static void repeated(struct text *text, const char *word, size_t len)
{
	put(text, "{\"text\":\"");
	while (text->len < len)
		put(text, word);
	put(text, "\"}");
}

static void text_is_no_file_however_long(void **state)
{
	static const char *const words[] = { "x",    "deadbeef0123", "Apple1\\n",      "Some Words9 ",
					     "\\\\", "\\/",          "A1b2C3d4\\r\\n", "lorem/ipsum/dolor/sit/amet/",
					     "=",    "\\u4e2d" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct text text = text_new(300000);

		repeated(&text, words[i], 200000);
		expect((struct slice){ text.data, text.len }, (struct slice){ text.data, text.len }, 0, 0);
		free(text.data);
	}
}

/* A vector of 8192 numbers, a thumbnail, a JSON text in an envelope, a body that is no JSON. */
static void what_is_worth_keeping_is_kept(void **state)
{
	static const struct {
		const char *open, *begin;
		size_t len;
	} rows[] = {
		{ "{\"embedding\":\"", "", 8192 * 4 },
		{ "{\"url\":\"data:image/png;base64,", "\x89PNG", 36000 },
		{ "{\"bytes\":\"", "{\"type\":\"message_start\"", 90000 },
		{ "image=\"", "\x89PNG", 90000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct file file = file_new(rows[i].begin, rows[i].len);
		struct text text = text_new(200000);

		for (int times = 0; times < (rows[i].len < 40000 ? 3 : 1); times++) {
			put(&text, rows[i].open);
			put_base64(&text, &file, &(struct manner){ 0 });
			put(&text, "\"}");
		}
		expect((struct slice){ text.data, text.len }, (struct slice){ text.data, text.len }, 0, 0);
		free(text.data);
		free(file.bytes);
	}
}

/* Anything at all: without a run that is long enough, what comes out is what went in. */
static void noise_passes_to_the_letter(void **state)
{
	static const char alphabet[] = "{}[]\"\\/nru=+-_ abcXYZ019,:\n\r\t";
	uint64_t random = 4711;

	for (int round = 0; round < 300; round++) {
		char noise[4000];

		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = round % 4 ? alphabet[random_below(&random, sizeof(alphabet) - 1)]
					     : (char)random_next(&random);
		noise[0] = '{';
		expect((struct slice){ noise, sizeof(noise) }, (struct slice){ noise, sizeof(noise) }, 0, 0);
	}
}

static void whichever_memory_is_refused_the_bytes_add_up(void **state)
{
	struct file file = file_new("\x89PNG", 60000);
	struct text text = text_new(400000);

	put(&text, "{\"a\":\"");
	put_base64(&text, &file, &(struct manner){ 0 });
	put(&text, "\",\"b\":\"");
	for (int i = 0; i < 20000; i++)
		put(&text, "words in it ");
	put(&text, "\"}");
	for (uint64_t nth = 1; nth < 20; nth++) {
		struct sieved sieved;

		sieve(&sieved, (struct slice){ text.data, text.len }, 3000, nth);
		assert_int_equal(sieved.out.len + sieved.media.removed + sieved.media.lost, text.len);
		assert_true(sieved.media.lost || !sieved.out.failed);
		sieved_free(&sieved);
	}
	free(text.data);
	free(file.bytes);
}

/* ---- where it stands ---- */

static char seen_event[TEXT_MAX];
static int64_t told_count, told_bytes;

static void note_call(struct world *of, const struct call *call)
{
	told_count = told_bytes = 0;
	for (const struct attribute *attribute = call->attributes; attribute; attribute = attribute->next) {
		if (slice_equal(attribute->name, SLICE("spantap.media.replaced")))
			told_count = attribute->value.integer;
		if (slice_equal(attribute->name, SLICE("spantap.media.replaced_bytes")))
			told_bytes = attribute->value.integer;
	}
	text_copy(seen_event, sizeof(seen_event), call->outputs);
}

static void a_picture_in_an_event_is_replaced_before_anyone_reads_it(void **state)
{
	struct file file = file_new("\x89PNG", 60000);
	struct text text = text_new(100000);
	struct call_conn *conn;
	char want[300];

	put(&text, "{\"text\":\"");
	put_base64(&text, &file, &(struct manner){ 0 });
	put(&text, "\"}");
	text.data[text.len] = '\0';
	world = (struct world){ .at_done = note_call };
	assert_true(world_open(&world));
	conn = world_connect(&world);
	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_response(conn, 1, 200, "text/event-stream", 2);
	tell_event(conn, 1, text.data, 3);
	tell_end(conn, 1, MESSAGE_RESPONSE, 100, 4);
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
	assert_int_equal(world.count, 1);
	assert_true(world.told[0].call.is_complete);
	snprintf(want, sizeof(want), "{\"text\":\"[spantap:media type=image/png bytes=60000 sha256=%s]\"}", file.sha);
	assert_string_equal(seen_event, want);
	assert_int_equal(told_count, 1);
	assert_int_equal(told_bytes, 60000);
	world_close(&world);
	free(text.data);
	free(file.bytes);
}

static void on_head(void *user, uint64_t exchange, const struct message_head *head)
{
	call_on_head(user, exchange, head, 1);
}

static void on_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	call_on_part(user, exchange, kind, part);
}

static void on_hole(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason, uint64_t time_ns)
{
	call_on_hole(user, exchange, kind, reason, time_ns);
}

static void on_end(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	call_on_end(user, exchange, kind, end);
}

static void on_verdict(void *user, enum verdict verdict)
{
}

static const struct proto_ops to_call = {
	.head = on_head, .part = on_part, .hole = on_hole, .end = on_end, .verdict = on_verdict
};

/* Feeds one exchange whose request has @body, in pieces of 16 KiB; what its memory needed at most is in @heap. */
static void exchange_measure(struct alloc_heap *heap, struct slice body)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
	struct proto_opts proto_opts = proto_opts_default;
	struct call_opts opts = { .alloc = &heap->alloc, .call_bytes_max = 32 << 20, .pair_wait_ns = 1, .idle_ns = 1 };
	struct conn_info info = remote_conn(1);
	struct call_conn *conn;
	struct proto *proto;
	char head[200];

	proto_opts.alloc = &heap->alloc;
	assert_int_equal(call_tracker_new(&opts, &world_ops, &world, &world.tracker), 0);
	conn = call_conn_open(world.tracker, &info);
	assert_int_equal(proto_new(&proto_opts, false, &to_call, conn, &proto), 0);
	snprintf(head, sizeof(head),
		 "POST /v1/fake HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		 body.len);
	proto_bytes(proto, DIR_WRITE, 1, slice_of(head));
	for (; body.len; body = slice_from(body, 16 << 10))
		proto_bytes(proto, DIR_WRITE, 1, slice_head(body, 16 << 10));
	proto_bytes(proto, DIR_READ, 2, slice_of(answer));
	proto_end(proto, CLOSE_LOCAL, 3);
	call_conn_close(conn, CLOSE_LOCAL, 3);
	proto_free(proto);
	call_tracker_free(world.tracker);
	assert_int_equal(heap->used, 0);
}

static void a_request_of_5_mb_takes_less_than_1_mb(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(SIZE_MAX);
	struct file file = file_new("\x89PNG", 1880000);
	struct text text = text_new(6 << 20);

	put(&text, "{\"messages\":[");
	for (int i = 0; i < 2; i++) {
		put(&text, i ? ",\"data:image/png;base64," : "\"data:image/png;base64,");
		put_base64(&text, &file, &(struct manner){ 0 });
		put(&text, "\"");
	}
	put(&text, "],\"prompt\":\"what is in it?\"}");
	assert_true(text.len > 5000000);
	world = (struct world){ .at_done = note_call };
	exchange_measure(&heap, (struct slice){ text.data, text.len });
	assert_int_equal(world.count, 1);
	assert_true(world.told[0].call.is_complete);
	assert_int_equal(world.told[0].call.request_end.body_bytes, text.len);
	assert_int_equal(told_count, 2);
	assert_int_equal(told_bytes, 2 * 1880000);
	print_message("# %zu bytes of request, at most %zu bytes of memory\n", text.len, heap.peak);
	assert_true(heap.peak <= 1 << 20);
	free(text.data);
	free(file.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_becomes_a_marker_whatever_its_manner),
		cmocka_unit_test(what_follows_a_file_in_its_string_is_kept),
		cmocka_unit_test(base64_that_is_not_good_ends_where_it_ends),
		cmocka_unit_test(a_type_is_that_of_its_own_string),
		cmocka_unit_test(a_cut_file_says_so),
		cmocka_unit_test(text_is_no_file_however_long),
		cmocka_unit_test(what_is_worth_keeping_is_kept),
		cmocka_unit_test(noise_passes_to_the_letter),
		cmocka_unit_test(whichever_memory_is_refused_the_bytes_add_up),
		cmocka_unit_test(a_picture_in_an_event_is_replaced_before_anyone_reads_it),
		cmocka_unit_test(a_request_of_5_mb_takes_less_than_1_mb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
