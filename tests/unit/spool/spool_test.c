/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: what put() took comes out whole, once per sink, in order, over restarts, refusals, full and damaged disks. */
#include "base/cleanup.h"
#include "spool/spool.h"
#include "unit/support.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

enum { BODY_MAX = 64 << 10, ARENA_MAX = 64 << 20 };

struct bed {
	char dir[64];
	char path[96];
	struct alloc_heap heap;
	struct arena *arena;
	struct spool *spool;
};

static int bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	snprintf(bed->dir, sizeof(bed->dir), "/tmp/spool-test-XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	snprintf(bed->path, sizeof(bed->path), "%s/spool.db", bed->dir);
	bed->heap = (struct alloc_heap)ALLOC_HEAP(ARENA_MAX);
	bed->arena = arena_new(&bed->heap.alloc, ARENA_MAX);
	*state = bed;
	return 0;
}

static int bed_teardown(void **state)
{
	struct bed *bed = *state;
	char command[128];

	bed->spool = spool_close(bed->spool);
	arena_free(bed->arena);
	snprintf(command, sizeof(command), "rm -rf '%s'", bed->dir);
	assert_int_equal(system(command), 0);
	free(bed);
	return 0;
}

static void bed_open(struct bed *bed, uint64_t bytes_max, int expect)
{
	struct spool_opts opts = { .path = bed->path, .bytes_max = bytes_max };

	assert_int_equal(spool_open(&opts, &bed->spool), expect);
}

static void bed_reopen(struct bed *bed, int expect)
{
	bed->spool = spool_close(bed->spool);
	bed_open(bed, 0, expect);
}

/* Record @n: its body is made from its number, so a wrong one is seen. */
static struct record record_make(uint64_t n, size_t len, char *body)
{
	uint64_t x = n * 0x9e3779b97f4a7c15 + 1;
	struct record record = { .sequence = n, .created_unix_ns = 1000 + n, .span_count = 1 + (uint32_t)(n % 3) };

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		body[i] = (char)x;
	}
	memcpy(record.trace_id, &n, sizeof(n));
	record.body = (struct slice){ body, len };
	return record;
}

static bool record_is(const struct record *record, uint64_t n)
{
	static char body[BODY_MAX];
	struct record want = record_make(n, record->body.len, body);

	return record->sequence == n && record->created_unix_ns == want.created_unix_ns &&
	       record->span_count == want.span_count && memcmp(record->trace_id, want.trace_id, 16) == 0 &&
	       slice_equal(record->body, want.body);
}

static int put(struct bed *bed, uint64_t first, size_t count, size_t len, const int *sinks, size_t sink_count)
{
	struct record records[64];
	CLEANUP_FREE char *bodies = malloc(count * len + 1);

	for (size_t i = 0; i < count; i++)
		records[i] = record_make(first + i, len, bodies + i * len);
	return spool_put(bed->spool, records, count, sinks, sink_count);
}

static struct spool_stats stats(struct bed *bed, int sink)
{
	struct spool_stats got;

	assert_int_equal(spool_stats(bed->spool, sink, &got), 0);
	return got;
}

static int lease(struct bed *bed, int sink, size_t count, uint64_t bytes, struct spool_item *items)
{
	arena_reset(bed->arena);
	return spool_lease(bed->spool, sink, count, bytes, bed->arena, items);
}

static void each_sink_gets_all_in_order_and_the_disk_is_empty_at_the_end(void **state)
{
	struct bed *bed = *state;
	struct spool_item items[64];
	int sinks[2], n;
	int64_t ids[64];

	bed_open(bed, 0, 0);
	sinks[0] = spool_sink(bed->spool, SLICE("mlflow:http://a#x"));
	sinks[1] = spool_sink(bed->spool, SLICE("otlp:http://b"));
	assert_true(sinks[0] > 0 && sinks[1] > 0 && sinks[0] != sinks[1]);
	assert_int_equal(spool_sink(bed->spool, SLICE("mlflow:http://a#x")), sinks[0]);
	for (uint64_t first = 0; first < 100; first += 10)
		assert_int_equal(put(bed, first, 10, 100 + (size_t)first, sinks, 2), 0);
	assert_int_equal(stats(bed, -1).waiting, 200);
	assert_int_equal(stats(bed, sinks[0]).oldest_unix_ns, 1000);
	for (int s = 0; s < 2; s++) {
		uint64_t next = 0;

		while ((n = lease(bed, sinks[s], 33, 1 << 20, items)) > 0) {
			for (int i = 0; i < n; i++) {
				assert_true(record_is(&items[i].record, next++));
				ids[i] = items[i].id;
			}
			assert_int_equal(spool_ack(bed->spool, sinks[s], ids, (size_t)n), 0);
		}
		assert_int_equal(n, 0);
		assert_int_equal(next, 100);
	}
	assert_int_equal(stats(bed, -1).waiting, 0);
	assert_int_equal(stats(bed, -1).waiting_bytes, 0);
	assert_int_equal(stats(bed, -1).delivered, 200);
	assert_int_equal(stats(bed, -1).oldest_unix_ns, 0);
}

static void a_lease_has_at_most_the_bytes_asked_and_at_least_one_record(void **state)
{
	struct bed *bed = *state;
	struct spool_item items[64];
	int sink, n;

	bed_open(bed, 0, 0);
	sink = spool_sink(bed->spool, SLICE("s"));
	assert_int_equal(put(bed, 0, 20, 1000, &sink, 1), 0);
	n = lease(bed, sink, 64, 10, items);
	assert_int_equal(n, 1);
	n = lease(bed, sink, 64, 5500, items);
	assert_int_equal(n, 5);
	assert_true(record_is(&items[0].record, 1));
	assert_int_equal(lease(bed, sink, 64, 1 << 20, items), 14);
	assert_int_equal(lease(bed, sink, 64, 1 << 20, items), 0);
}

static void what_is_given_back_or_leased_at_the_end_waits_again(void **state)
{
	struct bed *bed = *state;
	struct spool_item items[64];
	int sink;
	int64_t ids[2];

	bed_open(bed, 0, 0);
	sink = spool_sink(bed->spool, SLICE("s"));
	assert_int_equal(put(bed, 0, 4, 50, &sink, 1), 0);
	assert_int_equal(lease(bed, sink, 2, 1 << 20, items), 2);
	assert_int_equal(items[0].attempts, 0);
	ids[0] = items[0].id, ids[1] = items[1].id;
	assert_int_equal(spool_nack(bed->spool, sink, ids, 2), 0);
	assert_int_equal(lease(bed, sink, 4, 1 << 20, items), 4);
	assert_int_equal(items[0].attempts, 1);
	assert_int_equal(items[3].attempts, 0);
	bed_reopen(bed, 0);
	assert_int_equal(lease(bed, sink, 9, 1 << 20, items), 4);
	assert_true(record_is(&items[3].record, 3));
}

static struct spool_dead last_dead;
static char last_reason[64], last_sink[64];

static void note_dead(void *user, const struct spool_dead *dead)
{
	last_dead = *dead;
	snprintf(last_reason, sizeof(last_reason), "%.*s", SLICE_FMT(dead->reason));
	snprintf(last_sink, sizeof(last_sink), "%.*s", SLICE_FMT(dead->sink));
	++*(int *)user;
}

static void the_dead_are_told_with_their_reason_and_can_be_tried_again(void **state)
{
	struct bed *bed = *state;
	struct spool_item items[64];
	int sinks[2], count = 0;
	uint64_t trace;

	bed_open(bed, 0, 0);
	sinks[0] = spool_sink(bed->spool, SLICE("a"));
	sinks[1] = spool_sink(bed->spool, SLICE("b"));
	assert_int_equal(put(bed, 7, 2, 50, sinks, 2), 0);
	assert_int_equal(lease(bed, sinks[0], 2, 1 << 20, items), 2);
	assert_int_equal(spool_bury(bed->spool, sinks[0], items[1].id, SLICE("400 no")), 0);
	assert_int_equal(spool_bury(bed->spool, sinks[0], items[1].id, SLICE("twice")), 0);
	assert_int_equal(spool_ack(bed->spool, sinks[0], &items[0].id, 1), 0);
	assert_int_equal(stats(bed, sinks[0]).dead, 1);
	assert_int_equal(stats(bed, sinks[0]).waiting, 0);
	assert_int_equal(stats(bed, sinks[1]).waiting, 2);
	bed_reopen(bed, 0);
	assert_int_equal(spool_each_dead(bed->spool, note_dead, &count), 0);
	assert_int_equal(count, 1);
	memcpy(&trace, last_dead.trace_id, sizeof(trace));
	assert_int_equal(trace, 8);
	assert_string_equal(last_reason, "400 no");
	assert_string_equal(last_sink, "a");
	assert_true(last_dead.died_unix_ns > 0);
	assert_int_equal(spool_retry_dead(bed->spool), 1);
	assert_int_equal(spool_retry_dead(bed->spool), 0);
	assert_int_equal(stats(bed, sinks[0]).dead, 0);
	assert_int_equal(lease(bed, sinks[0], 2, 1 << 20, items), 1);
	assert_true(record_is(&items[0].record, 8));
	assert_int_equal(spool_ack(bed->spool, sinks[0], &items[0].id, 1), 0);
}

static void the_limit_refuses_all_or_none_and_the_dead_make_room(void **state)
{
	struct bed *bed = *state;
	struct spool_item items[64];
	int sink, n;

	bed_open(bed, 10000, 0);
	sink = spool_sink(bed->spool, SLICE("s"));
	assert_int_equal(put(bed, 0, 5, 1000, &sink, 1), 0);
	assert_int_equal(put(bed, 5, 6, 1000, &sink, 1), -ENOSPC);
	assert_int_equal(stats(bed, sink).waiting, 5);
	assert_int_equal(put(bed, 5, 4, 1000, &sink, 1), 0);
	n = lease(bed, sink, 3, 1 << 20, items);
	assert_int_equal(n, 3);
	for (int i = 0; i < n; i++)
		assert_int_equal(spool_bury(bed->spool, sink, items[i].id, SLICE("no")), 0);
	assert_int_equal(put(bed, 9, 2, 1000, &sink, 1), 0);
	assert_int_equal(stats(bed, sink).given_up, 2);
	assert_int_equal(stats(bed, sink).dead, 1);
	assert_int_equal(stats(bed, sink).waiting, 8);
}

static void no_start_number_comes_twice(void **state)
{
	struct bed *bed = *state;
	uint64_t last = 0;

	for (int i = 0; i < 5; i++) {
		bed_open(bed, 0, 0);
		assert_int_equal(spool_boot(bed->spool), last + 1);
		last = spool_boot(bed->spool);
		bed->spool = spool_close(bed->spool);
	}
	assert_int_equal(truncate(bed->path, 100), 0);
	bed_open(bed, 0, 1);
	assert_true(spool_boot(bed->spool) > 1000000);
}

static void a_second_owner_is_refused_but_a_reader_is_not(void **state)
{
	struct bed *bed = *state;
	struct spool_opts opts = { .path = bed->path };
	struct spool *other = NULL;
	struct spool_stats got;
	int sink;

	opts.read_only = true;
	assert_int_equal(spool_open(&opts, &other), -ENOENT);
	bed_open(bed, 0, 0);
	sink = spool_sink(bed->spool, SLICE("s"));
	assert_int_equal(put(bed, 0, 3, 100, &sink, 1), 0);
	opts.read_only = false;
	assert_int_equal(spool_open(&opts, &other), -EBUSY);
	opts.read_only = true;
	assert_int_equal(spool_open(&opts, &other), 0);
	assert_int_equal(spool_stats(other, -1, &got), 0);
	assert_int_equal(got.waiting, 3);
	assert_int_equal(put(bed, 3, 3, 100, &sink, 1), 0);
	assert_int_equal(spool_stats(other, spool_sink(other, SLICE("s")), &got), 0);
	assert_int_equal(got.waiting, 6);
	spool_close(other);
	assert_false(spool_is_asked_to_retry(bed->spool));
	assert_int_equal(spool_ask_retry(bed->path), 0);
	assert_true(spool_is_asked_to_retry(bed->spool));
	assert_false(spool_is_asked_to_retry(bed->spool));
}

static size_t aside_count(struct bed *bed)
{
	char pattern[128];
	glob_t found = { 0 };
	size_t n;

	snprintf(pattern, sizeof(pattern), "%s.damaged-*", bed->path);
	glob(pattern, 0, NULL, &found);
	n = found.gl_pathc;
	globfree(&found);
	return n;
}

/* One byte of the file is changed; whatever comes out must be right, and nothing may crash. */
static void a_changed_byte_never_gives_a_wrong_body(void **state)
{
	struct bed *bed = *state;
	struct spool_item items[64];
	char *image, *copy;
	struct stat st;
	int fd, sink, replaced = 0, buried = 0;

	bed_open(bed, 0, 0);
	sink = spool_sink(bed->spool, SLICE("s"));
	for (uint64_t first = 0; first < 60; first += 20)
		assert_int_equal(put(bed, first, 20, 700, &sink, 1), 0);
	bed->spool = spool_close(bed->spool);
	fd = open(bed->path, O_RDWR);
	fstat(fd, &st);
	image = malloc((size_t)st.st_size), copy = malloc((size_t)st.st_size);
	assert_int_equal(pread(fd, image, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	srandom(7);
	for (int round = 0; round < 300; round++) {
		size_t at = (size_t)random() % (size_t)st.st_size;
		struct spool_opts opts = { .path = bed->path };
		int n;

		memcpy(copy, image, (size_t)st.st_size);
		copy[at] ^= (char)(1 << random() % 8);
		fd = open(bed->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(write(fd, copy, (size_t)st.st_size), st.st_size);
		close(fd);
		n = spool_open(&opts, &bed->spool);
		replaced += n == 1;
		if (n == 0) {
			n = lease(bed, sink, 64, 1 << 20, items);
			for (int i = 0; i < n; i++)
				assert_true(record_is(&items[i].record, items[i].record.sequence));
			if (n >= 0)
				buried += (int)stats(bed, -1).dead;
		}
		bed->spool = spool_close(bed->spool);
	}
	free(image);
	free(copy);
	assert_true(replaced + buried > 10);
	assert_true(aside_count(bed) > 0);
}

static void a_file_that_is_no_database_is_moved_aside(void **state)
{
	struct bed *bed = *state;
	int fd = open(bed->path, O_RDWR | O_CREAT, 0600), sink;

	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "not a database at all\n", 22), 22);
	close(fd);
	bed_open(bed, 0, 1);
	assert_int_equal(aside_count(bed), 1);
	sink = spool_sink(bed->spool, SLICE("s"));
	assert_int_equal(put(bed, 0, 3, 100, &sink, 1), 0);
	bed_reopen(bed, 0);
	assert_int_equal(stats(bed, sink).waiting, 3);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		T(each_sink_gets_all_in_order_and_the_disk_is_empty_at_the_end),
		T(a_lease_has_at_most_the_bytes_asked_and_at_least_one_record),
		T(what_is_given_back_or_leased_at_the_end_waits_again),
		T(the_dead_are_told_with_their_reason_and_can_be_tried_again),
		T(the_limit_refuses_all_or_none_and_the_dead_make_room),
		T(no_start_number_comes_twice),
		T(a_second_owner_is_refused_but_a_reader_is_not),
		T(a_changed_byte_never_gives_a_wrong_body),
		T(a_file_that_is_no_database_is_moved_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
