/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven, with a real spool and a file as a sink: a text that was given before its record stands in it when it leaves; ends
 * are in order with records; texts never cost a record; what is short (room, memory, a place) is told or waited for; nothing leaks.
 */
#include "daemon/delivery_parts.h"
#include "unit/otlp.h"
#include "unit/support.h"
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { KB = 1 << 10, MB = 1 << 20, WAIT_MS = 20000, MARK_MAX = 128 };

struct bed {
	struct delivery *delivery;
	char dir[64], file[96], spool[96];
};

/* Without a spool only the file is a sink. */
static struct bed *bed_new(bool has_spool, size_t queue_max, uint64_t spool_max)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct sink_spec specs[2] = { 0 };
	struct delivery_opts opts = { .specs = specs,
				      .spec_count = has_spool ? 2 : 1,
				      .env.otlp_url = "http://127.0.0.1:1/v1/traces",
				      .http.connections_max = 1,
				      .queue_bytes_max = queue_max,
				      .spool_bytes_max = spool_max };
	const char *error = NULL;

	snprintf(bed->dir, sizeof(bed->dir), "/tmp/delivery-test-XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	snprintf(bed->file, sizeof(bed->file), "%s/out.jsonl", bed->dir);
	snprintf(bed->spool, sizeof(bed->spool), "%s/spool.db", bed->dir);
	snprintf(specs[0].kind, sizeof(specs[0].kind), "otlp-file");
	snprintf(specs[0].arg, sizeof(specs[0].arg), "%s", bed->file);
	snprintf(specs[1].kind, sizeof(specs[1].kind), "otlp");
	opts.spool_path = has_spool ? bed->spool : NULL;
	assert_int_equal(delivery_new(&opts, &bed->delivery, &error), 0);
	return bed;
}

static struct bed *bed_started(bool has_spool, size_t queue_max, uint64_t spool_max)
{
	struct bed *bed = bed_new(has_spool, queue_max, spool_max);

	assert_int_equal(delivery_start(bed->delivery), 0);
	return bed;
}

static void bed_free(struct bed *bed)
{
	DIR *dir;

	bed->delivery = delivery_free(bed->delivery);
	dir = opendir(bed->dir);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", bed->dir, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(path), 0);
	}
	closedir(dir);
	assert_int_equal(rmdir(bed->dir), 0);
	free(bed);
}

static struct aside_id id_of(unsigned n)
{
	struct aside_id id = { { [15] = (uint8_t)n } };

	return id;
}

static const char *mark_of(char room[MARK_MAX], unsigned n)
{
	snprintf(room, MARK_MAX, "[spantap:text \\\"%032x\\\"]", n);
	return room;
}

static int text_put(struct bed *bed, uint64_t call, unsigned n, struct slice text)
{
	struct aside_id id = id_of(n);

	return delivery_aside(bed->delivery, call, &id, text);
}

/* A record of one span, whose text is @text. */
static int record_put(struct bed *bed, unsigned n, const char *text)
{
	struct pairs attributes = { 0 };
	Otlp__Span span = OTLP__SPAN__INIT, *spans = &span;
	Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT, *scopes = &scope;
	Otlp__ResourceSpans all = OTLP__RESOURCE_SPANS__INIT;
	struct record record = { .trace_id = { (uint8_t)n }, .sequence = n, .span_count = 1 };
	uint8_t *body;
	int r;

	pair_text(&attributes, "gen_ai.said", text);
	span.trace_id = (ProtobufCBinaryData){ 16, record.trace_id };
	span.span_id = (ProtobufCBinaryData){ 8, record.trace_id };
	span.name = (char *)"span";
	span.attributes = attributes.list;
	span.n_attributes = attributes.count;
	scope.spans = &spans;
	scope.n_spans = 1;
	all.scope_spans = &scopes;
	all.n_scope_spans = 1;
	body = malloc(otlp__resource_spans__get_packed_size(&all));
	record.body = (struct slice){ (char *)body, otlp__resource_spans__pack(&all, body) };
	r = delivery_put(bed->delivery, &record);
	free(body);
	return r;
}

static struct delivery_stats stats_of(struct bed *bed)
{
	struct delivery_stats stats;

	delivery_stats(bed->delivery, &stats);
	return stats;
}

/* Until no more than @bytes are queued. */
static void queue_settle(struct bed *bed, uint64_t bytes)
{
	for (int i = 0; i < WAIT_MS && stats_of(bed).queued_bytes > bytes; i++)
		usleep(1000);
	assert_true(stats_of(bed).queued_bytes <= bytes);
}

/* malloc'ed: all lines of the sink's file. */
static char *lines_of(struct bed *bed)
{
	FILE *file = fopen(bed->file, "r");
	struct stat st;
	char *text;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_int_equal(fread(text, 1, (size_t)st.st_size, file), st.st_size);
	fclose(file);
	return text;
}

static void said(struct bed *bed, const char *text)
{
	char *lines = lines_of(bed);

	if (!strstr(lines, text))
		print_error("not in: %.500s\n", lines);
	assert_non_null(strstr(lines, text));
	free(lines);
}

static void not_said(struct bed *bed, const char *text)
{
	char *lines = lines_of(bed);

	assert_null(strstr(lines, text));
	free(lines);
}

/* How many open files without a name are in @dir. */
static size_t nameless_in(const char *dir)
{
	DIR *fds = opendir("/proc/self/fd");
	size_t count = 0;

	for (struct dirent *entry = readdir(fds); entry; entry = readdir(fds)) {
		char path[300], to[300] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		if (readlink(path, to, sizeof(to) - 1) > 0)
			count += strncmp(to, dir, strlen(dir)) == 0 && strstr(to, "(deleted)");
	}
	closedir(fds);
	return count;
}

/* ---- texts and records ---- */

static void a_text_is_in_its_record(void **state)
{
	for (int has_spool = 0; has_spool < 2; has_spool++) {
		struct bed *bed = bed_started(has_spool, 64 * MB, 0);
		char mark[MARK_MAX], text[2 * MARK_MAX];

		assert_int_equal(text_put(bed, 1, 7, SLICE("what lay \\\"aside\\\"")), 0);
		queue_settle(bed, 0);
		assert_int_equal(nameless_in(has_spool ? bed->dir : "/var/tmp/"), 1);
		snprintf(text, sizeof(text), "<%s>", mark_of(mark, 7));
		assert_int_equal(record_put(bed, 1, text), 0);
		delivery_aside_end(bed->delivery, 1);
		queue_settle(bed, 0);
		said(bed, "<what lay \\\\\\\"aside\\\\\\\">"); /* a string in a string */
		not_said(bed, "spantap:text");
		for (int i = 0; i < WAIT_MS && nameless_in(has_spool ? bed->dir : "/var/tmp/"); i++)
			usleep(1000);
		assert_int_equal(nameless_in(has_spool ? bed->dir : "/var/tmp/"), 0);
		bed_free(bed);
	}
}

static void it_lies_so_in_the_spool(void **state)
{
	struct bed *bed = bed_started(true, 64 * MB, 0);
	struct alloc_heap heap = ALLOC_HEAP(MB);
	CLEANUP(arena_free) struct arena *arena = arena_new(&heap.alloc, MB);
	CLEANUP(spool_close) struct spool *spool = NULL;
	struct spool_opts opts = { .path = bed->spool };
	struct spool_item item;
	char mark[MARK_MAX];
	int sink;

	text_put(bed, 1, 7, SLICE("what lay aside"));
	record_put(bed, 5, mark_of(mark, 7));
	delivery_aside_end(bed->delivery, 1);
	queue_settle(bed, 0);
	bed->delivery = delivery_free(bed->delivery);
	assert_int_equal(spool_open(&opts, &spool), 0);
	sink = spool_sink(spool, SLICE("otlp:http://127.0.0.1:1/v1/traces"));
	assert_int_equal(spool_lease(spool, sink, 1, MB, arena, &item), 1);
	assert_int_equal(item.record.sequence, 5);
	assert_int_equal(item.record.trace_id[0], 5);
	assert_int_equal(item.record.span_count, 1);
	assert_true(slice_contains(item.record.body, SLICE("what lay aside")));
	assert_false(slice_contains(item.record.body, SLICE("spantap:text")));
	spool = spool_close(spool);
	bed_free(bed);
}

/* All of this is queued before the thread looks, or while it does: the order is the same. */
static void ends_are_in_order_with_records(void **state)
{
	struct bed *bed = bed_started(false, 64 * MB, 0);
	char mark[MARK_MAX];

	for (unsigned n = 1; n <= 200; n++) {
		char text[64], before[2 * MARK_MAX], after[2 * MARK_MAX];

		snprintf(text, sizeof(text), "text %u.", n);
		snprintf(before, sizeof(before), "before %u: %s", n, mark_of(mark, n));
		snprintf(after, sizeof(after), "after %u: %s", n, mark);
		assert_int_equal(text_put(bed, n, n, slice_of(text)), 0);
		assert_int_equal(record_put(bed, n, before), 0);
		delivery_aside_end(bed->delivery, n);
		assert_int_equal(record_put(bed, n, after), 0);
	}
	assert_int_equal(delivery_drain(bed->delivery, WAIT_MS), 0);
	for (unsigned n = 1; n <= 200; n += 33) {
		char text[64];

		snprintf(text, sizeof(text), "before %u: text %u.", n, n);
		said(bed, text);
		snprintf(text, sizeof(text), "after %u: [spantap:text ", n);
		said(bed, text);
	}
	assert_int_equal(stats_of(bed).delivered, 400);
	bed_free(bed);
}

static void a_text_alone_is_nothing_that_waits(void **state)
{
	struct bed *bed = bed_started(false, 64 * MB, 0);

	assert_int_equal(delivery_drain(bed->delivery, WAIT_MS), 0);
	assert_int_equal(text_put(bed, 1, 1, SLICE("alone")), 0);
	assert_int_equal(delivery_drain(bed->delivery, 0), 0);
	queue_settle(bed, 0);
	assert_int_equal(delivery_drain(bed->delivery, 0), 0);
	assert_int_equal(stats_of(bed).put, 0);
	bed_free(bed);
}

/* ---- what is short ---- */

static void texts_leave_half_of_the_queue_to_records(void **state)
{
	/* No file takes more than the spool may: these stay in memory. */
	struct bed *bed = bed_started(true, MB, 100 * KB);
	struct slice text = { calloc(1, 200 * KB), 200 * KB };
	char mark[MARK_MAX];
	int r;

	memset((char *)text.data, 'x', text.len);
	assert_int_equal(text_put(bed, 1, 1, text), 0);
	assert_int_equal(text_put(bed, 2, 2, text), 0);
	assert_int_equal(text_put(bed, 2, 3, text), -ENOBUFS);
	assert_int_equal(stats_of(bed).queued_bytes, 2 * aside_text_bytes(text.len));
	for (unsigned n = 0; n < 64; n++)
		assert_int_equal(record_put(bed, n, "record"), 0);
	assert_int_equal(record_put(bed, 64, mark_of(mark, 1)), 0);
	queue_settle(bed, 2 * aside_text_bytes(text.len));
	said(bed, "xxxxxxxxxx\"");
	delivery_aside_end(bed->delivery, 2);
	queue_settle(bed, aside_text_bytes(text.len));
	assert_int_equal(text_put(bed, 1, 1, text), 0); /* that it has already */
	queue_settle(bed, aside_text_bytes(text.len));
	assert_int_equal(text_put(bed, 3, 3, text), 0);
	r = text_put(bed, 3, 4, text);
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(stats_of(bed).shed, 0);
	assert_int_equal(stats_of(bed).put, 65);
	delivery_aside_end(bed->delivery, 1);
	delivery_aside_end(bed->delivery, 3);
	queue_settle(bed, 0);
	free((char *)text.data);
	bed_free(bed);
}

/* Ends need no room, even where records find none. */
static void ends_come_through_a_full_queue(void **state)
{
	struct bed *bed = bed_started(true, 100 * KB, 2000);
	struct slice text = { calloc(1, 40 * KB), 40 * KB };
	char *large = calloc(1, 60 * KB);

	memset(large, 'y', 60 * KB - 1);
	assert_int_equal(text_put(bed, 1, 1, text), 0);
	delivery_aside_end(bed->delivery, 9); /* of which there is nothing */
	assert_int_equal(record_put(bed, 1, large), -ENOBUFS);
	assert_int_equal(stats_of(bed).shed, 1);
	delivery_aside_end(bed->delivery, 1);
	queue_settle(bed, 0);
	assert_int_equal(record_put(bed, 1, large), 0);
	free(large);
	free((char *)text.data);
	bed_free(bed);
}

static void few_large_records_are_in_memory_at_a_time(void **state)
{
	enum { COUNT = 24, TEXT = 3 * MB };
	struct bed *bed = bed_started(true, 64 * MB, 0);
	struct slice text = { malloc(TEXT), TEXT };
	uint64_t most = 0, seed = 1;
	char mark[MARK_MAX];

	for (size_t i = 0; i < TEXT; i++)
		((char *)text.data)[i] = (char)('a' + random_below(&seed, 26));
	assert_int_equal(text_put(bed, 1, 1, text), 0);
	queue_settle(bed, 0);
	for (unsigned n = 0; n < COUNT; n++)
		assert_int_equal(record_put(bed, n, mark_of(mark, 1)), 0);
	delivery_aside_end(bed->delivery, 1);
	for (int i = 0; i < WAIT_MS && stats_of(bed).queued_bytes; i++) {
		most = MAX(most, stats_of(bed).queued_bytes);
		usleep(1000);
	}
	assert_int_equal(stats_of(bed).queued_bytes, 0);
	assert_int_equal(stats_of(bed).committed, COUNT);
	assert_true(most <= 16 * MB + TEXT + MB);
	free((char *)text.data);
	bed_free(bed);
}

static atomic_bool is_short;

static void *resize_or_not(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len)
{
	if (new_len)
		return is_short ? NULL : realloc(pointer, new_len);
	free(pointer);
	return NULL;
}

static void without_memory_a_record_waits(void **state)
{
	struct bed *bed = bed_new(false, 64 * MB, 0);
	char mark[MARK_MAX];

	bed->delivery->alloc.resize = resize_or_not;
	assert_int_equal(delivery_start(bed->delivery), 0);
	assert_int_equal(text_put(bed, 1, 1, SLICE("what lay aside")), 0);
	queue_settle(bed, 0);
	assert_int_equal(delivery_drain(bed->delivery, WAIT_MS), 0);
	is_short = true;
	assert_int_equal(text_put(bed, 3, 3, SLICE("waits, but for nothing")), 0);
	assert_int_equal(delivery_drain(bed->delivery, 100), 0);
	usleep(50000);
	assert_int_equal(delivery_drain(bed->delivery, 100), 0);
	assert_int_equal(stats_of(bed).queued_bytes, aside_text_bytes(22));
	assert_int_equal(record_put(bed, 1, mark_of(mark, 1)), 0);
	assert_int_equal(text_put(bed, 2, 2, SLICE("behind it")), 0);
	delivery_aside_end(bed->delivery, 1);
	assert_int_equal(record_put(bed, 2, mark_of(mark, 2)), 0);
	assert_int_equal(delivery_drain(bed->delivery, 1200), -ETIMEDOUT);
	not_said(bed, "said");
	is_short = false;
	assert_int_equal(delivery_drain(bed->delivery, WAIT_MS), 0);
	said(bed, "what lay aside");
	said(bed, "behind it");
	assert_int_equal(stats_of(bed).delivered, 2);
	bed_free(bed);
}

static void without_a_place_texts_are_not_taken(void **state)
{
	struct bed *bed = bed_new(false, 64 * MB, 0);
	struct rlimit before, none;
	int fd = dup(0);

	close(fd);
	assert_int_equal(text_put(bed, 1, 1, SLICE("too early")), -ENOTSUP);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(delivery_start(bed->delivery), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(text_put(bed, 1, 1, SLICE("nowhere")), -ENOTSUP);
	delivery_aside_end(bed->delivery, 1);
	assert_int_equal(record_put(bed, 1, "[spantap:text "), 0);
	assert_int_equal(delivery_drain(bed->delivery, WAIT_MS), 0);
	said(bed, "[spantap:text ");
	bed_free(bed);
}

/* ---- the end ---- */

static void what_is_left_when_it_ends_is_freed(void **state)
{
	struct bed *bed = bed_started(true, MB, 2000);
	char room[3000], mark[MARK_MAX];

	memset(room, 'x', sizeof(room));
	assert_int_equal(text_put(bed, 1, 1, SLICE("in a file")), 0);
	assert_int_equal(text_put(bed, 1, 2, (struct slice){ room, sizeof(room) }), 0); /* in memory */
	queue_settle(bed, aside_text_bytes(sizeof(room)));
	assert_int_equal(text_put(bed, 2, 3, SLICE("perhaps in the queue")), 0);
	assert_int_equal(record_put(bed, 1, mark_of(mark, 3)), 0);
	bed->delivery = delivery_free(bed->delivery);
	said(bed, "perhaps in the queue");
	bed_free(bed);
}

static void what_memory_was_too_short_for_is_freed(void **state)
{
	struct bed *bed = bed_new(false, 64 * MB, 0);
	char mark[MARK_MAX];

	bed->delivery->alloc.resize = resize_or_not;
	assert_int_equal(delivery_start(bed->delivery), 0);
	assert_int_equal(text_put(bed, 1, 1, SLICE("in its file")), 0);
	queue_settle(bed, 0);
	is_short = true;
	assert_int_equal(record_put(bed, 1, mark_of(mark, 1)), 0);
	assert_int_equal(text_put(bed, 2, 2, SLICE("behind it")), 0);
	delivery_aside_end(bed->delivery, 1);
	bed->delivery = delivery_free(bed->delivery);
	is_short = false;
	not_said(bed, "said");
	bed_free(bed);
}

static void what_never_ran_is_freed(void **state)
{
	struct bed *bed = bed_new(true, MB, 0);

	assert_int_equal(record_put(bed, 1, "kept"), 0);
	bed->delivery = delivery_free(bed->delivery);
	said(bed, "kept");
	bed_free(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_in_its_record),
		cmocka_unit_test(it_lies_so_in_the_spool),
		cmocka_unit_test(ends_are_in_order_with_records),
		cmocka_unit_test(a_text_alone_is_nothing_that_waits),
		cmocka_unit_test(texts_leave_half_of_the_queue_to_records),
		cmocka_unit_test(ends_come_through_a_full_queue),
		cmocka_unit_test(few_large_records_are_in_memory_at_a_time),
		cmocka_unit_test(without_memory_a_record_waits),
		cmocka_unit_test(without_a_place_texts_are_not_taken),
		cmocka_unit_test(what_is_left_when_it_ends_is_freed),
		cmocka_unit_test(what_memory_was_too_short_for_is_freed),
		cmocka_unit_test(what_never_ran_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
