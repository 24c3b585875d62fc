/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: texts come back from where they lie, each call has its own, the end of a call frees them; where files are full,
 * many, refused or without memory, no text is lost.
 */
#include "daemon/confine.h"
#include "unit/daemon/aside_bed.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void text_is(struct bed *bed, unsigned n, struct slice text)
{
	struct aside_id id = id_of(n);
	struct aside_text *found = aside_store_find(bed->store, &id);
	char *read = malloc(text.len + 1);

	assert_non_null(found);
	assert_int_equal(found->len, text.len);
	assert_int_equal(aside_store_read(bed->store, found, 0, read, text.len), 0);
	assert_memory_equal(read, text.data, text.len);
	if (text.len > 2) {
		assert_int_equal(aside_store_read(bed->store, found, 1, read, text.len - 2), 0);
		assert_memory_equal(read, text.data + 1, text.len - 2);
	}
	free(read);
}

static bool is_there(struct bed *bed, unsigned n)
{
	struct aside_id id = id_of(n);

	return aside_store_find(bed->store, &id);
}

static size_t fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void texts_come_back_from_their_files(void **state)
{
	struct bed *bed = bed_new(MB);

	assert_true(aside_store_is_empty(bed->store));
	assert_int_equal(add(bed, 7, 1, SLICE("the first")), 0);
	assert_int_equal(add(bed, 7, 2, SLICE("the second")), 0);
	assert_int_equal(add(bed, 8, 3, SLICE("")), 0);
	assert_false(aside_store_is_empty(bed->store));
	text_is(bed, 1, SLICE("the first"));
	text_is(bed, 2, SLICE("the second"));
	text_is(bed, 3, SLICE(""));
	assert_false(is_there(bed, 4));
	assert_int_equal(aside_store_bytes(bed->store), 19);
	bed_free(bed);
}

static void the_same_text_of_a_call_lies_there_once(void **state)
{
	struct bed *bed = bed_new(MB);

	assert_int_equal(add(bed, 7, 1, SLICE("again")), 0);
	assert_int_equal(add(bed, 7, 1, SLICE("again")), 0);
	assert_int_equal(aside_store_bytes(bed->store), 5);
	text_is(bed, 1, SLICE("again"));
	assert_int_equal(aside_store_end(bed->store, 7), 0);
	assert_true(aside_store_is_empty(bed->store));
	bed_free(bed);
}

static void a_call_that_ends_takes_no_text_from_another(void **state)
{
	struct bed *bed = bed_new(MB);

	for (unsigned call = 1; call <= 3; call++)
		assert_int_equal(add(bed, call, 1, SLICE("of all")), 0);
	assert_int_equal(add(bed, 2, 2, SLICE("of one")), 0);
	aside_store_end(bed->store, 2);
	text_is(bed, 1, SLICE("of all"));
	assert_false(is_there(bed, 2));
	aside_store_end(bed->store, 1);
	text_is(bed, 1, SLICE("of all"));
	aside_store_end(bed->store, 3);
	assert_false(is_there(bed, 1));
	bed_free(bed);
}

static void the_end_of_a_call_frees_room_and_file(void **state)
{
	struct bed *bed = bed_new(MB);
	size_t before = fd_count();

	add(bed, 1, 1, SLICE("one"));
	add(bed, 2, 2, SLICE("two"));
	assert_int_equal(fd_count(), before + 2);
	assert_int_equal(aside_store_end(bed->store, 1), 0);
	assert_int_equal(fd_count(), before + 1);
	assert_int_equal(aside_store_bytes(bed->store), 3);
	assert_int_equal(aside_store_end(bed->store, 1), 0);
	assert_int_equal(aside_store_end(bed->store, 99), 0);
	aside_store_end(bed->store, 2);
	assert_int_equal(fd_count(), before);
	assert_int_equal(aside_store_bytes(bed->store), 0);
	bed_free(bed);
}

static void beyond_the_limit_of_bytes_it_stays_in_memory(void **state)
{
	struct bed *bed = bed_new(100);
	char room[101];

	assert_int_equal(add(bed, 1, 1, letters(room, 60, 'a')), 0);
	assert_int_equal(add(bed, 1, 2, letters(room, 41, 'b')), 1);
	assert_int_equal(add(bed, 2, 3, letters(room, 40, 'c')), 0);
	assert_int_equal(add(bed, 2, 4, letters(room, 101, 'd')), 1);
	text_is(bed, 1, letters(room, 60, 'a'));
	text_is(bed, 2, letters(room, 41, 'b'));
	text_is(bed, 3, letters(room, 40, 'c'));
	text_is(bed, 4, letters(room, 101, 'd'));
	assert_int_equal(aside_store_end(bed->store, 1), aside_text_bytes(41));
	assert_int_equal(add(bed, 2, 5, letters(room, 60, 'e')), 0);
	assert_int_equal(aside_store_end(bed->store, 2), aside_text_bytes(101));
	bed_free(bed);
}

static void beyond_the_limit_of_calls_it_stays_in_memory(void **state)
{
	struct bed *bed = bed_new(MB);
	uint64_t call;

	for (call = 0; call < ASIDE_FILES_MAX; call++)
		assert_int_equal(add(bed, call, (unsigned)call, SLICE("x")), 0);
	assert_int_equal(add(bed, call, 1000, SLICE("in memory")), 1);
	assert_int_equal(add(bed, 0, 1001, SLICE("has a file")), 0);
	text_is(bed, 1000, SLICE("in memory"));
	aside_store_end(bed->store, 17);
	assert_int_equal(add(bed, call, 1002, SLICE("has one now")), 0);
	text_is(bed, 1002, SLICE("has one now"));
	assert_int_equal(aside_store_end(bed->store, call), aside_text_bytes(9));
	bed_free(bed);
}

static void without_its_directory_it_stays_in_memory(void **state)
{
	struct bed *bed = bed_new(MB);

	assert_int_equal(aside_dir_check(bed->dir), 0);
	assert_int_equal(rmdir(bed->dir), 0);
	assert_int_equal(aside_dir_check(bed->dir), -ENOENT);
	assert_int_equal(add(bed, 1, 1, SLICE("kept")), 1);
	assert_int_equal(add(bed, 1, 1, SLICE("kept")), 0);
	text_is(bed, 1, SLICE("kept"));
	assert_int_equal(mkdir(bed->dir, 0700), 0);
	assert_int_equal(add(bed, 1, 2, SLICE("written")), 0);
	assert_int_equal(aside_store_end(bed->store, 1), aside_text_bytes(4));
	bed_free(bed);
}

static void what_a_full_file_does_not_take_stays_in_memory(void **state)
{
	struct bed *bed = bed_new(MB);
	struct rlimit before, small;
	static char room[9000];
	int fd = fd_next();

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(add(bed, 1, 1, letters(room, 5000, 'a')), 0);
	assert_int_equal(add(bed, 1, 2, letters(room, 5000, 'b')), 1); /* the first 3192 of it are written */
	assert_int_equal(lseek(fd, 0, SEEK_END), 5000);                /* and taken back */
	assert_int_equal(add(bed, 1, 3, letters(room, 3000, 'c')), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(add(bed, 1, 4, letters(room, 9000, 'd')), 0);
	text_is(bed, 1, letters(room, 5000, 'a'));
	text_is(bed, 2, letters(room, 5000, 'b'));
	text_is(bed, 3, letters(room, 3000, 'c'));
	text_is(bed, 4, letters(room, 9000, 'd'));
	bed_free(bed);
}

static void without_descriptors_it_stays_in_memory(void **state)
{
	struct bed *bed = bed_new(MB);
	struct rlimit before, small;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	small = before;
	small.rlim_cur = (rlim_t)fd_next();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	assert_int_equal(aside_dir_check(bed->dir), -EMFILE);
	assert_int_equal(add(bed, 1, 1, SLICE("no file")), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(add(bed, 1, 2, SLICE("a file")), 0);
	text_is(bed, 1, SLICE("no file"));
	text_is(bed, 2, SLICE("a file"));
	bed_free(bed);
}

static void without_memory_a_text_is_not_taken(void **state)
{
	struct bed *bed = bed_new(MB);
	int r = -ENOMEM;

	for (uint64_t nth = 1; r < 0; nth++) {
		bed->alloc.fail_at = bed->alloc.taken + nth;
		r = add(bed, 1, 1, SLICE("at last"));
		if (r == 0)
			break;
		assert_int_equal(r, -ENOMEM);
		assert_false(is_there(bed, 1));
		assert_int_equal(aside_store_end(bed->store, 1), 0);
	}
	bed->alloc.fail_at = 0;
	text_is(bed, 1, SLICE("at last"));
	bed_free(bed);
}

/* How a child ends that keeps and reads a text: 0. */
static int child_keeps(struct bed *bed, int (*prepare)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct aside_id id = id_of(1);
		char read[4] = { 0 };

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prepare() < 0)
			_exit(9);
		if (aside_dir_check(bed->dir) < 0 || add(bed, 1, 1, SLICE("text")) != 0)
			_exit(1);
		if (aside_store_read(bed->store, aside_store_find(bed->store, &id), 0, read, 4) < 0 ||
		    memcmp(read, "text", 4) != 0)
			_exit(2);
		aside_store_end(bed->store, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* As file systems are that cannot make files without names. */
static int nameless_forbid(void)
{
	const int flag = O_TMPFILE & ~O_DIRECTORY;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(openat), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, (scmp_datum_t)flag, (scmp_datum_t)flag));

	r = r < 0 ? r : seccomp_load(filter);
	seccomp_release(filter);
	return r < 0 || open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0 || errno != EOPNOTSUPP ? -1 : 0;
}

static void files_are_made_where_none_can_be_without_a_name(void **state)
{
	struct bed *bed = bed_new(MB);

	assert_int_equal(child_keeps(bed, nameless_forbid), 0);
	bed_free(bed); /* the directory is empty */
}

static void all_of_it_works_behind_the_filter(void **state)
{
	struct bed *bed = bed_new(MB);

	assert_int_equal(child_keeps(bed, confine_reader), 0);
	bed_free(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back_from_their_files),
		cmocka_unit_test(the_same_text_of_a_call_lies_there_once),
		cmocka_unit_test(a_call_that_ends_takes_no_text_from_another),
		cmocka_unit_test(the_end_of_a_call_frees_room_and_file),
		cmocka_unit_test(beyond_the_limit_of_bytes_it_stays_in_memory),
		cmocka_unit_test(beyond_the_limit_of_calls_it_stays_in_memory),
		cmocka_unit_test(without_its_directory_it_stays_in_memory),
		cmocka_unit_test(what_a_full_file_does_not_take_stays_in_memory),
		cmocka_unit_test(without_descriptors_it_stays_in_memory),
		cmocka_unit_test(without_memory_a_text_is_not_taken),
		cmocka_unit_test(files_are_made_where_none_can_be_without_a_name),
		cmocka_unit_test(all_of_it_works_behind_the_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
