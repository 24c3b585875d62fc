/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: a writer killed at any moment loses nothing that put() took and doubles nothing that ack() took; a full disk
 * refuses and recovers. */
#include "base/cleanup.h"
#include "spool/spool.h"
#include "unit/support.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { CYCLES = 100, GROUP = 4, BODY = 600, SEEN_MAX = 1 << 16, ARENA_MAX = 16 << 20 };

struct word {      /* what the writer tells after the disk said yes */
	char kind; /* 'p'ut, 'a'ck */
	uint64_t number;
};

static struct record record_make(uint64_t number, char *body)
{
	struct record record = { .sequence = number, .span_count = 1, .created_unix_ns = number };

	for (size_t i = 0; i < BODY; i++)
		body[i] = (char)(number * 31 + i * 7);
	memcpy(record.trace_id, &number, sizeof(number));
	record.body = (struct slice){ body, BODY };
	return record;
}

static int spool_at(const char *path, struct spool **ret, int *ret_sink)
{
	int r = spool_open(&(struct spool_opts){ .path = path }, ret);

	if (r >= 0)
		*ret_sink = spool_sink(*ret, SLICE("s"));
	return r;
}

static void tell(int fd, char kind, uint64_t number)
{
	struct word word = { .kind = kind, .number = number };

	if (write(fd, &word, sizeof(word)) != sizeof(word))
		_exit(9);
}

/* Puts and acknowledges for ever. */
static void writer(const char *path, int fd, uint64_t number)
{
	struct alloc_heap heap = ALLOC_HEAP(ARENA_MAX);
	struct arena *arena = arena_new(&heap.alloc, ARENA_MAX);
	struct spool_item items[GROUP];
	static char bodies[GROUP][BODY];
	struct spool *spool;
	int sink;

	if (spool_at(path, &spool, &sink) != 0)
		_exit(8);
	for (;;) {
		struct record records[GROUP];
		int64_t ids[GROUP];
		int n;

		for (size_t i = 0; i < GROUP; i++)
			records[i] = record_make(number + i, bodies[i]);
		if (spool_put(spool, records, GROUP, &sink, 1) < 0)
			_exit(7);
		for (size_t i = 0; i < GROUP; i++)
			tell(fd, 'p', number + i);
		number += GROUP;
		arena_reset(arena);
		n = spool_lease(spool, sink, GROUP - 1, 1 << 20, arena, items);
		for (int i = 0; i < n; i++)
			ids[i] = items[i].id;
		if (n < 0 || spool_ack(spool, sink, ids, (size_t)n) < 0)
			_exit(6);
		for (int i = 0; i < n; i++)
			tell(fd, 'a', items[i].record.sequence);
	}
}

struct oracle {
	uint8_t put[SEEN_MAX], acked[SEEN_MAX], found[SEEN_MAX];
	uint64_t next;
};

static void cycle(const char *path, struct oracle *oracle, unsigned after_us)
{
	struct word word;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		close(pipes[0]);
		writer(path, pipes[1], oracle->next);
	}
	close(pipes[1]);
	usleep(after_us);
	kill(pid, SIGKILL);
	while (read(pipes[0], &word, sizeof(word)) == sizeof(word)) {
		assert_true(word.number < SEEN_MAX);
		oracle->put[word.number] |= word.kind == 'p';
		oracle->acked[word.number] += word.kind == 'a';
		oracle->next = MAX(oracle->next, word.number + 1);
	}
	/* What was put but not yet told of may be there as well: numbers are not used again. */
	oracle->next += GROUP;
	close(pipes[0]);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
}

static void leftovers_check(const char *path, struct oracle *oracle)
{
	struct alloc_heap heap = ALLOC_HEAP(ARENA_MAX);
	struct arena *arena = arena_new(&heap.alloc, ARENA_MAX);
	struct spool_item items[64];
	static char body[BODY];
	struct spool *spool;
	int sink, n;

	assert_int_equal(spool_at(path, &spool, &sink), 0);
	while ((n = spool_lease(spool, sink, 64, 1 << 20, arena, items)) > 0) {
		for (int i = 0; i < n; i++) {
			uint64_t number = items[i].record.sequence;
			struct record want = record_make(number, body);

			assert_true(slice_equal(items[i].record.body, want.body));
			assert_int_equal(oracle->acked[number], 0);
			oracle->found[number]++;
		}
		arena_reset(arena);
	}
	spool_close(spool);
	arena_free(arena);
}

static void killed_at_any_moment_nothing_is_lost_and_nothing_doubled(void **state)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));
	char dir[] = "/tmp/spool-crash-XXXXXX", path[64], command[64];
	uint64_t puts = 0, acks = 0, unclear = 0;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/spool.db", dir);
	srandom(11);
	for (int i = 0; i < CYCLES; i++)
		cycle(path, oracle, 2000 + (unsigned)random() % 60000);
	leftovers_check(path, oracle);
	for (uint64_t i = 0; i < oracle->next; i++) {
		puts += oracle->put[i];
		acks += oracle->acked[i];
		assert_true(oracle->acked[i] <= 1 && oracle->found[i] <= 1);
		/* An ack that was on the disk, but whose word the kill cut off, has left neither: at most a group a cycle. */
		unclear += oracle->put[i] && !oracle->acked[i] && !oracle->found[i];
	}
	assert_true(puts > CYCLES);
	assert_true(acks > CYCLES);
	assert_true(unclear <= CYCLES * (GROUP - 1));
	print_message("# %llu put, %llu acknowledged, %llu acknowledged unheard\n", (unsigned long long)puts,
		      (unsigned long long)acks, (unsigned long long)unclear);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	free(oracle);
}

/* ---- a disk of one megabyte ---- */

#define MUST(truth)                                                                                                    \
	({                                                                                                             \
		if (!(truth)) {                                                                                        \
			fprintf(stderr, "line %d: %s\n", __LINE__, #truth);                                            \
			_exit(1);                                                                                      \
		}                                                                                                      \
	})

static void disk_fill(const char *dir)
{
	static char block[4096];
	char path[96];
	int fd;

	memset(block, 1, sizeof(block));
	snprintf(path, sizeof(path), "%s/filler", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void full_disk(const char *dir)
{
	struct alloc_heap heap = ALLOC_HEAP(ARENA_MAX);
	struct arena *arena = arena_new(&heap.alloc, ARENA_MAX);
	struct spool_item items[64];
	static char body[BODY];
	char path[96], filler[96];
	struct spool_stats stats;
	struct spool *spool;
	struct record record;
	uint64_t put = 0, got = 0;
	int sink, r, n;

	snprintf(path, sizeof(path), "%s/spool.db", dir);
	snprintf(filler, sizeof(filler), "%s/filler", dir);
	MUST(spool_at(path, &spool, &sink) == 0);
	for (; put < 20; put++) {
		record = record_make(put, body);
		MUST(spool_put(spool, &record, 1, &sink, 1) == 0);
	}
	disk_fill(dir);
	do {
		record = record_make(put, body);
		r = spool_put(spool, &record, 1, &sink, 1);
		put += r == 0;
	} while (r == 0);
	MUST(r == -ENOSPC);
	MUST(spool_put(spool, &record, 1, &sink, 1) == -ENOSPC);
	MUST(spool_stats(spool, sink, &stats) == 0 && stats.waiting == put);
	unlink(filler);
	MUST(spool_put(spool, &record, 1, &sink, 1) == 0);
	put++;
	spool_close(spool);
	MUST(spool_at(path, &spool, &sink) == 0);
	while ((n = spool_lease(spool, sink, 64, 1 << 20, arena, items)) > 0)
		for (int i = 0; i < n; i++)
			MUST(items[i].record.sequence == got++);
	MUST(n == 0 && got == put);
	_exit(0);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
	char dir[] = "/tmp/spool-full-XXXXXX";
	pid_t pid;
	int status;

	assert_non_null(mkdtemp(dir));
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("none", dir, "tmpfs", 0, "size=1m") < 0)
			_exit(77);
		full_disk(dir);
	}
	waitpid(pid, &status, 0);
	rmdir(dir);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_moment_nothing_is_lost_and_nothing_doubled),
		cmocka_unit_test(a_full_disk_refuses_and_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
