/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proven: whoever can map a file cannot keep the search busy with it. A file without end, or one that is nothing but calls, is given up
 * after so much of it; and what is given up is not found, not half found.
 */
#include "bare_fixture.h"
#include "probe/code.h"
#include "probe/errsite.h"
#include "probe/site.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define BSSL_FILE "third_party/src/ssl/ssl%_lib.cc"

enum { PATIENCE_S = 100 };
static const uint64_t no_end = 1ull << 40;

static void window_count(struct code_sweep *sweep, const struct code_window *window)
{
	*(uint64_t *)sweep->user += window->to - window->from;
}

/* A file of @len bytes; what is not written is zero, and takes no room. */
static int file_open(const struct bare_image *image, Elf64_Phdr segments[], uint16_t count, uint64_t len)
{
	Elf64_Ehdr header = { .e_type = ET_DYN, .e_machine = EM_X86_64, .e_phoff = sizeof(header) };
	int fd = memfd_create("costly", MFD_CLOEXEC);

	memcpy(header.e_ident, "\177ELF\2\1\1", 7);
	header.e_phentsize = sizeof(*segments);
	header.e_phnum = count;
	assert_true(fd >= 0);
	if (image)
		assert_int_equal(pwrite(fd, image->bytes, sizeof(image->bytes), 0), sizeof(image->bytes));
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pwrite(fd, segments, count * sizeof(*segments), sizeof(header)), count * sizeof(*segments));
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	return fd;
}

static void code_without_end_is_given_up(void **state)
{
	Elf64_Phdr segments[] = { { PT_LOAD, PF_R | PF_X, 0, 0, 0, no_end, no_end, 0 } };
	int fd CLEANUP_FD = file_open(NULL, segments, ARRAY_SIZE(segments), no_end);
	uint64_t seen = 0;
	struct code_sweep sweep = { .user = &seen };
	struct elf elf;

	alarm(PATIENCE_S);
	assert_int_equal(elf_open(fd, EM_X86_64, &elf), 0);
	assert_int_equal(code_sweep(&elf, window_count, &sweep), -E2BIG);
	assert_in_range(seen, 1 << 20, 2ull << 30);
	alarm(0);
}

/* The same bytes again and again. */
static void code_in_many_segments_is_given_up(void **state)
{
	enum { SEGMENTS = 60 };
	const uint64_t len = 256 << 20;
	Elf64_Phdr segments[SEGMENTS];
	struct code_sweep sweep = { 0 };
	uint64_t seen = 0;
	struct elf elf;

	for (size_t i = 0; i < SEGMENTS; i++)
		segments[i] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, i << 32, 0, len, len, 0 };
	sweep.user = &seen;
	int fd CLEANUP_FD = file_open(NULL, segments, SEGMENTS, len);
	assert_int_equal(elf_open(fd, EM_X86_64, &elf), 0);
	assert_int_equal(code_sweep(&elf, window_count, &sweep), -E2BIG);
	assert_in_range(seen, len, 2ull << 30);
}

static void a_table_of_go_is_not_looked_for_without_end(void **state)
{
	Elf64_Phdr segments[] = {
		{ PT_NOTE, PF_R, 0x1000, 0x1000, 0, 32, 32, 0 },
		{ PT_LOAD, PF_R, 0, 0, 0, no_end, no_end, 0 },
		{ PT_LOAD, PF_R | PF_W, 0, no_end, 0, no_end, no_end, 0 },
	};
	const struct {
		Elf64_Nhdr header;
		char name[4];
	} note = { { 4, 4, 4 }, "Go\0" };
	int fd CLEANUP_FD = file_open(NULL, segments, ARRAY_SIZE(segments), no_end);
	struct site_set set;

	assert_int_equal(pwrite(fd, &note, sizeof(note), 0x1000), sizeof(note));
	alarm(PATIENCE_S);
	assert_int_equal(site_find(fd, &set), 0);
	assert_int_equal(set.count, 0);
	alarm(0);
}

/* Each call leads to where a thousand reports are near. */
static void calls_without_end_are_given_up(void **state)
{
	enum { REPORTS = 1000, REPORT_LEN = 7 };
	struct bare_image *image = calloc(1, sizeof(*image));
	uint64_t text = bare_text(image, 0, BSSL_FILE), start, len = 32 << 20;
	Elf64_Phdr segments[] = {
		{ PT_LOAD, PF_R, 0, 0, 0, BARE_CODE, BARE_CODE, 0 },
		{ PT_LOAD, PF_R | PF_X, BARE_CODE, BARE_CODE, 0, len - BARE_CODE, len - BARE_CODE, 0 },
	};
	uint8_t *calls = malloc(len - BARE_SIZE);
	struct site_strings strings = { .count = 1, .list = { { WORD_BORINGSSL_FILE, text, text } } };
	struct errsites *sites = malloc(sizeof(*sites));
	struct elf elf;

	start = bare_begin(image);
	for (size_t i = 0; i < REPORTS; i++) {
		BARE_BYTES(image, "\x48\x8d\x0d");
		bare_number(image, (uint32_t)(text - bare_here(image) - 4));
	}
	int fd CLEANUP_FD = file_open(image, segments, ARRAY_SIZE(segments), len);
	for (size_t at = 0; at + 5 <= len - BARE_SIZE; at += 5) {
		uint32_t to = (uint32_t)(start - (BARE_SIZE + at + 5));

		calls[at] = 0xe8;
		memcpy(calls + at + 1, &to, sizeof(to));
	}
	assert_int_equal(pwrite(fd, calls, len - BARE_SIZE, BARE_SIZE), len - BARE_SIZE);
	assert_int_equal(elf_open(fd, EM_X86_64, &elf), 0);
	alarm(PATIENCE_S);
	assert_int_equal(errsite_find(&elf, &strings, sites), -E2BIG);
	assert_int_equal(errsite_callers(&elf, start, sites), -E2BIG);
	alarm(0);
	free(sites);
	free(calls);
	free(image);
}

/* A path of half a kilobyte could begin before each of them. */
static void names_without_end_are_not_each_followed(void **state)
{
	enum { SEGMENTS = 60, LESS_PATIENCE_S = 30 };
	const uint64_t len = 8 << 20;
	const struct slice name = SLICE("cipher/%aead.c");
	char *text = malloc(len);
	Elf64_Phdr segments[SEGMENTS];
	struct site_set set;
	size_t at = 0;

	for (size_t i = 0; i < len; i++)
		if (name.data[i % name.len] != '%')
			text[at++] = name.data[i % name.len];
	for (size_t i = 0; i < SEGMENTS; i++)
		segments[i] = (Elf64_Phdr){ PT_LOAD, PF_R, 0, i << 32, 0, len, len, 0 };
	int fd CLEANUP_FD = file_open(NULL, segments, SEGMENTS, len);
	assert_int_equal(pwrite(fd, text, at, 4096), at);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	alarm(LESS_PATIENCE_S);
	assert_int_equal(site_find(fd, &set), 0);
	assert_int_equal(set.count, 0);
	alarm(0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_without_end_is_given_up),
		cmocka_unit_test(code_in_many_segments_is_given_up),
		cmocka_unit_test(a_table_of_go_is_not_looked_for_without_end),
		cmocka_unit_test(calls_without_end_are_given_up),
		cmocka_unit_test(names_without_end_are_not_each_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
