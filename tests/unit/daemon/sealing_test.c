/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a request of 5 MB of text goes through the pipeline in less than 1 MiB: its texts leave ahead of the record,
 * without the credential, and the record has their marks; with its texts put back it is what it would have been; nothing of a
 * process that is not wanted, or not yet known to be, leaves so; after a record, and where there is none, a call's texts are
 * ended; and a request that is repeated is still known to be.
 */
#include "bpf/abi.h"
#include "daemon/aside.h"
#include "daemon/link.h"
#include "daemon/pipeline.h"
#include "unit/support.h"
#include <errno.h>
#include <stdio.h>

#define S 1000000000ull

enum { BODY_LEN = 5000000, CHUNK_LEN = 16000 };

static const char key[] = "sk-very-secret-key-of-somebody";
static const struct process_id process = { .pid = 7, .start_ns = 70 * S };

static struct world {
	struct pipeline *pipeline;
	uint64_t texts, text_bytes, marks, records;
	uint64_t last_ended, ended;
	uint64_t texts_at_record; /* that had come by then */
	bool refuses, has_secret;
	struct aside_store *store; /* or NULL */
	struct slice body;         /* of the last record, with what lay in the store */
	uint64_t asked;            /* bytes of requests so far, on each connection alike */
} world;

static void record_keep(struct slice body)
{
	void *filled = NULL;
	size_t len = body.len;

	free((char *)world.body.data);
	if (!world.store || aside_fill(world.store, body, 0, &filled, &len) == 0) {
		filled = malloc(body.len);
		memcpy(filled, body.data, body.len);
	}
	world.body = (struct slice){ filled, len };
}

static int on_record(void *user, const struct record *record)
{
	struct slice rest = record->body;
	ptrdiff_t at;

	record_keep(record->body);
	world.records++;
	world.texts_at_record = world.texts;
	world.has_secret |= slice_contains(rest, slice_of(key));
	while ((at = slice_find(rest, ASIDE_HEAD)) >= 0) {
		rest = slice_from(rest, (size_t)at + ASIDE_HEAD.len);
		world.marks++;
	}
	return 0;
}

static int on_aside(void *user, uint64_t call, const struct aside_id *id, struct slice text)
{
	assert_true(call > 0 && world.last_ended < call);
	if (world.refuses)
		return -ENOBUFS;
	if (world.store)
		assert_true(aside_store_add(world.store, call, aside_text_new(id, text)) >= 0);
	world.texts++;
	world.text_bytes += text.len;
	world.has_secret |= slice_contains(text, slice_of(key));
	return 0;
}

static void on_aside_end(void *user, uint64_t call)
{
	world.last_ended = call;
	world.ended++;
}

static void begin_in(bool has_filters, uint64_t memory_max)
{
	static const struct pipeline_ops ops = { .record = on_record, .aside = on_aside, .aside_end = on_aside_end };
	static const struct event_file_head ids = { 0 };
	static const uint8_t secret[32];

	free((char *)world.body.data);
	world = (struct world){ 0 };
	assert_int_equal(pipeline_new(&(struct pipeline_opts){ .ids = &ids,
							       .memory_max = memory_max,
							       .secret = secret,
							       .wants_mlflow = true,
							       .wants_otlp = true,
							       .has_filters = has_filters },
				      &ops, NULL, &world.pipeline),
			 0);
}

static void begin(bool has_filters)
{
	begin_in(has_filters, 64 << 20);
}

static void take(uint64_t conn, struct abi_head *head, enum abi_type type, size_t size, uint64_t time_ns)
{
	head->type = type;
	head->size = (uint32_t)size;
	head->conn = conn;
	head->time_ns = time_ns;
	pipeline_take(world.pipeline, (struct slice){ (const char *)head, size });
}

static void chunk(uint64_t conn, enum abi_dir dir, uint64_t offset, struct slice data, uint64_t time_ns)
{
	static union {
		struct abi_chunk chunk;
		char bytes[CHUNK_LEN + sizeof(struct abi_chunk)];
	} record;

	record.chunk = (struct abi_chunk){ .dir = dir, .len = (uint32_t)data.len, .offset = offset };
	memcpy(record.chunk.data, data.data, data.len);
	take(conn, &record.chunk.head, ABI_CHUNK, sizeof(record.chunk) + data.len, time_ns);
}

/* Many messages of some length, and one of 2 MB; in the middle of each the key. */
static char *body_make(size_t *ret_len)
{
	char *body = malloc(BODY_LEN + 4096), *out = body;
	const char *last = body + BODY_LEN + 4096;

	out += snprintf(out, (size_t)(last - out), "{\"model\":\"m\",\"messages\":[");
	while (out < body + BODY_LEN - 4096) {
		size_t len = out > body + 1500000 && out < body + 1600000 ? 2000000 : 3000;
		const char *end = out + len;

		out += snprintf(out, (size_t)(last - out), "{\"role\":\"user\",\"content\":\"");
		while (out < end)
			out += snprintf(out, (size_t)(last - out), "and more words \\\"%zd\\\"\\n %s", out - body,
					out < end - len / 2 ? "" : key);
		out += snprintf(out, (size_t)(last - out), "\"},");
	}
	out += snprintf(out, (size_t)(last - out), "{\"role\":\"user\",\"content\":\"go on\"}]}");
	*ret_len = (size_t)(out - body);
	return body;
}

static void ask(uint64_t conn, const char *path, uint64_t time_ns)
{
	struct abi_open open = { .tgid = process.pid, .start_ns = process.start_ns };
	char head[512];
	size_t len, at = 0;
	char *body = body_make(&len);
	uint64_t offset = (uint64_t)snprintf(head, sizeof(head),
					     "POST %s HTTP/1.1\r\nhost: a\r\nauthorization: Bearer %s\r\n"
					     "x-stainless-retry-count: %d\r\n"
					     "content-type: application/json\r\ncontent-length: %zu\r\n\r\n",
					     path, key, (int)conn - 1, len);

	take(conn, &open.head, ABI_OPEN, sizeof(open), time_ns);
	chunk(conn, ABI_DIR_WRITE, 0, slice_of(head), time_ns);
	for (; at < len; at += CHUNK_LEN)
		chunk(conn, ABI_DIR_WRITE, offset + at, (struct slice){ body + at, MIN(len - at, (size_t)CHUNK_LEN) },
		      time_ns);
	world.asked = offset + len;
	free(body);
}

static void answer(uint64_t conn, const char *head, const char *body, uint64_t time_ns)
{
	char text[1024];
	int len = snprintf(text, sizeof(text),
			   "HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", head,
			   strlen(body), body);

	chunk(conn, ABI_DIR_READ, 0, (struct slice){ text, (size_t)len }, time_ns);
	pipeline_close(world.pipeline, &(struct event_close){ .conn = conn,
							      .end = { (uint64_t)len, world.asked },
							      .how = CLOSE_LOCAL,
							      .time_ns = time_ns });
}

static const char
	chat[] = "/v1/chat/completions",
	said[] = "{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":"
		 "{\"role\":\"assistant\",\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}";

static struct pipeline_stats end(void)
{
	struct pipeline_stats stats;

	pipeline_flush(world.pipeline, 100 * S);
	pipeline_stats(world.pipeline, &stats);
	world.pipeline = pipeline_free(world.pipeline);
	return stats;
}

static void a_request_of_5_mb_goes_through_in_less_than_one(void **state)
{
	struct pipeline_stats stats;

	begin(false);
	ask(1, chat, 1 * S);
	assert_true(world.text_bytes > BODY_LEN / 10 * 7); /* the key is longer than what stands for it */
	answer(1, "200 OK", said, 2 * S);
	stats = end();
	assert_int_equal(stats.complete, 1);
	assert_int_equal(world.records, 1);
	assert_true(stats.memory_peak_bytes < 1 << 20);
	assert_true(world.marks >= world.texts && world.texts_at_record == world.texts);
	assert_false(world.has_secret);
	assert_int_equal(world.ended, 1);
	assert_int_equal(world.last_ended, 1);
}

static void without_room_for_texts_they_are_in_the_record(void **state)
{
	struct pipeline_stats stats;

	begin(false);
	world.refuses = true;
	ask(1, chat, 1 * S);
	answer(1, "200 OK", said, 2 * S);
	stats = end();
	assert_int_equal(stats.complete, 1);
	assert_true(stats.memory_peak_bytes > BODY_LEN);
	assert_int_equal(world.texts + world.marks, 0);
	assert_false(world.has_secret);
}

/* A record of the call with all texts in it, from the pipeline itself. */
static struct slice whole_record(void)
{
	struct slice whole;

	begin(false);
	world.refuses = true;
	ask(1, chat, 1 * S);
	answer(1, "200 OK", said, 2 * S);
	end();
	whole = world.body;
	world.body = SLICE_NONE;
	assert_true(whole.len > 2 * BODY_LEN / 10 * 7); /* for two back ends */
	return whole;
}

/* The same with texts that lie aside and come back. */
static struct pipeline_stats talk_aside(struct alloc_heap *heap, uint64_t memory_max)
{
	struct aside_store_opts opts = { .alloc = &heap->alloc, .dir = "/tmp", .bytes_max = 1 << 30 };
	struct pipeline_stats stats;
	struct aside_store *store;

	begin_in(false, memory_max);
	assert_int_equal(aside_store_new(&opts, &store), 0);
	world.store = store;
	ask(1, chat, 1 * S);
	answer(1, "200 OK", said, 2 * S);
	stats = end();
	aside_store_free(store);
	world.store = NULL;
	return stats;
}

static void body_free(struct alloc_heap *heap)
{
	if (world.marks)
		alloc_put(&heap->alloc, (char *)world.body.data, world.body.len);
	else
		free((char *)world.body.data);
	world.body = SLICE_NONE;
	assert_int_equal(heap->used, 0);
}

static void with_its_texts_a_record_is_what_it_would_have_been(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(64 << 20);
	struct slice whole = whole_record();

	talk_aside(&heap, 64 << 20);
	assert_true(world.marks > world.texts);
	assert_int_equal(world.body.len, whole.len);
	assert_memory_equal(world.body.data, whole.data, whole.len);
	body_free(&heap);
	free((char *)whole.data);
}

/* Of a call that says that it is complete nothing is missing, however little memory there was. */
static void with_little_memory_what_is_complete_is_whole(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(64 << 20);
	struct slice whole = whole_record();
	size_t complete = 0, incomplete = 0;

	for (uint64_t memory = 32 << 10; memory < 1200 << 10; memory += 90 << 10) {
		struct pipeline_stats stats = talk_aside(&heap, memory);

		complete += stats.complete;
		incomplete += !stats.complete || !world.records;
		if (stats.complete && world.records) {
			assert_int_equal(world.body.len, whole.len);
			assert_memory_equal(world.body.data, whole.data, whole.len);
		}
		body_free(&heap);
	}
	assert_true(complete > 0 && incomplete > 0);
	free((char *)whole.data);
}

static void a_call_that_is_none_leaves_no_text(void **state)
{
	struct pipeline_stats stats;

	begin(false);
	ask(1, "/upload", 1 * S);
	answer(1, "200 OK", "{}", 2 * S);
	stats = end();
	assert_int_equal(stats.calls, 0);
	assert_int_equal(world.texts, 0);
}

static void origin_tell(bool selected)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 16);
	struct buf text = BUF(&heap.alloc, 1 << 16);
	const struct origin origin = { .id = process, .selected = selected };

	origin_pack(&origin, &text);
	pipeline_origin(world.pipeline, buf_slice(&text));
	buf_free(&text);
}

static void with_filters_texts_of_the_unknown_stay(void **state)
{
	begin(true);
	ask(1, chat, 1 * S);
	assert_int_equal(world.texts, 0);
	origin_tell(true);
	answer(1, "200 OK", said, 2 * S);
	end();
	assert_int_equal(world.records, 1);
	assert_int_equal(world.texts + world.marks, 0);

	begin(true);
	origin_tell(true);
	ask(1, chat, 1 * S);
	assert_true(world.texts > 0);
	answer(1, "200 OK", said, 2 * S);
	end();
	assert_int_equal(world.records, 1);
	assert_true(world.marks >= world.texts);
	assert_int_equal(world.ended, 1);
}

/* Told to be unwanted while the request was under way. */
static void texts_of_the_unwanted_are_ended(void **state)
{
	begin(false);
	ask(1, chat, 1 * S);
	assert_true(world.texts > 0);
	origin_tell(false);
	answer(1, "200 OK", said, 2 * S);
	end();
	assert_int_equal(world.records, 0);
	assert_int_equal(world.ended, 1);
}

static void a_repeated_request_is_one_trace(void **state)
{
	begin(false);
	ask(1, chat, 1 * S);
	answer(1, "503 Busy", "{\"error\":{\"message\":\"busy\"}}", 2 * S);
	assert_int_equal(world.records, 0);
	ask(2, chat, 3 * S);
	answer(2, "200 OK", said, 4 * S);
	end();
	assert_int_equal(world.records, 1);
	assert_int_equal(world.ended, 3); /* the whole, and its two attempts */
	assert_int_equal(world.last_ended, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_5_mb_goes_through_in_less_than_one),
		cmocka_unit_test(without_room_for_texts_they_are_in_the_record),
		cmocka_unit_test(with_its_texts_a_record_is_what_it_would_have_been),
		cmocka_unit_test(with_little_memory_what_is_complete_is_whole),
		cmocka_unit_test(a_call_that_is_none_leaves_no_text),
		cmocka_unit_test(with_filters_texts_of_the_unknown_stay),
		cmocka_unit_test(texts_of_the_unwanted_are_ended),
		cmocka_unit_test(a_repeated_request_is_one_trace),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free((char *)world.body.data);
	return failed;
}
