/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proven: functions without names are found by their reports, whichever way their start is told, wherever windows cut them, and on
 * both machines; what fits twice, half, or does not look the part is not found; nothing in a file can crash the search or lead it
 * out of the file.
 */
#include "bare_fixture.h"
#include "probe/bare.h"
#include "probe/errsite.h"
#include "probe/words.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define BSSL_FILE "third_party/src/ssl/ssl%_lib.cc"
#define AEAD_FILE "/b/crypto/fipsmodule/cipher/%aead.c"

struct function {
	int reports[4][2]; /* reason, line */
	enum bare_end end;
};

static struct bare_image *image_new(unsigned how)
{
	struct bare_image *image = calloc(1, sizeof(*image));

	assert_non_null(image);
	image->is_fixed = how & 1;
	image->has_frames = how & 2;
	image->has_calls = !image->has_frames;
	return image;
}

/* Returns its address. */
static uint64_t function_add(struct bare_image *image, uint64_t text, const struct function *function)
{
	uint64_t start = bare_begin(image);

	for (size_t i = 0; i < 4 && function->reports[i][0]; i++)
		bare_report(image, text, (uint32_t)function->reports[i][0], (uint32_t)function->reports[i][1]);
	bare_end(image, start, function->end);
	return start;
}

static void image_find(struct bare_image *image, struct site_set *ret)
{
	int fd CLEANUP_FD = bare_open(image, EM_X86_64);

	assert_true(fd >= 0);
	assert_int_equal(site_find(fd, ret), 0);
	free(image);
}

static void site_expect(const struct site_set *set, size_t i, enum site_role role, uint64_t address)
{
	assert_in_range(i + 1, 1, set->count);
	assert_int_equal(set->sites[i].role, role);
	assert_int_equal(set->sites[i].offset, address);
}

static const struct function bssl_write = { { { 66, 955 }, { 226, 960 }, { 215, 975 }, { 111, 981 } }, BARE_PLAIN };
static const struct function bssl_read = { { { 66, 933 } }, BARE_STORES };
static const struct function bssl_peek = { { { 66, 933 } }, BARE_PLAIN };
static const struct function bssl_impl = { { { 226, 839 }, { 215, 860 } }, BARE_STORES };

/* In all four ways: addresses as numbers or not, starts told by tables or by calls. */
static void boringssl_is_found_by_its_reports(void **state)
{
	for (unsigned how = 0; how < 4; how++) {
		struct bare_image *image = image_new(how);
		uint64_t text = bare_text(image, 0, BSSL_FILE), read, write;
		struct site_set set;

		function_add(image, text, &bssl_peek);
		function_add(image, text, &bssl_impl);
		read = function_add(image, text, &bssl_read);
		write = function_add(image, text, &bssl_write);
		image_find(image, &set);
		assert_int_equal(set.count, 2);
		site_expect(&set, 0, SITE_READ, read);
		site_expect(&set, 1, SITE_WRITE, write);
		assert_int_equal(set.family, SITE_FAMILY_BORINGSSL);
		assert_int_equal(set.sites[1].family, SITE_FAMILY_BORINGSSL);
		assert_string_equal(set.method, "error sites");
	}
}

static void lines_may_drift_a_little(void **state)
{
	static const struct {
		struct function read, write;
		size_t count;
	} table[] = {
		{ { { { 66, 700 } }, BARE_STORES },
		  { { { 66, 720 }, { 226, 728 }, { 215, 742 }, { 111, 750 } }, 0 },
		  2 },
		{ { { { 66, 700 } }, BARE_STORES },
		  { { { 66, 720 }, { 226, 740 }, { 215, 742 }, { 111, 750 } }, 0 },
		  0 },
		{ { { { 66, 500 } }, BARE_STORES },
		  { { { 66, 720 }, { 226, 728 }, { 215, 742 }, { 111, 750 } }, 0 },
		  0 },
		{ { { { 66, 933 } }, BARE_STORES }, { { { 66, 955 }, { 226, 960 }, { 215, 975 } }, 0 }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct bare_image *image = image_new(2);
		uint64_t text = bare_text(image, 0, BSSL_FILE);
		struct site_set set;

		function_add(image, text, &table[i].read);
		function_add(image, text, &table[i].write);
		image_find(image, &set);
		assert_int_equal(set.count, table[i].count);
		assert_int_equal(set.family, SITE_FAMILY_BORINGSSL);
	}
}

static void doubt_counts_against_a_find(void **state)
{
	static const struct function part = { { { 66, 955 }, { 226, 960 }, { 215, 975 }, { 111, 981 } }, BARE_PART };
	static const struct {
		const char *name;
		const struct function *list[3];
	} table[] = {
		{ "only what looks", { &bssl_peek, &bssl_write } },
		{ "two that read", { &bssl_read, &bssl_read, &bssl_write } },
		{ "two that write", { &bssl_read, &bssl_write, &bssl_write } },
		{ "none that reads", { &bssl_write } },
		{ "none that writes", { &bssl_read } },
		{ "the rare part of one that is elsewhere", { &bssl_read, &part } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct bare_image *image = image_new(2);
		uint64_t text = bare_text(image, 0, BSSL_FILE);
		struct site_set set;

		for (size_t n = 0; n < 3 && table[i].list[n]; n++)
			function_add(image, text, table[i].list[n]);
		image_find(image, &set);
		if (set.count)
			fail_msg("%s: found", table[i].name);
	}
}

/* Its start is not in the tables, and nobody calls it. */
static void a_function_whose_start_is_not_told_is_not_found(void **state)
{
	struct bare_image *image = image_new(0);
	uint64_t text = bare_text(image, 0, BSSL_FILE);
	struct site_set set;

	function_add(image, text, &bssl_read);
	image->has_calls = false;
	function_add(image, text, &bssl_write);
	image_find(image, &set);
	assert_int_equal(set.count, 0);
}

/* It hands its arguments to SSL_peek first, and has no report of its own. */
static uint64_t reader_add(struct bare_image *image, uint64_t peek, const char *spoil, size_t spoil_len)
{
	uint64_t start = bare_begin(image);

	bare_bytes(image, spoil_len, spoil);
	BARE_BYTES(image, "\x53\x48\x89\xfb\xe8"); /* push rbx; mov rbx, rdi; call */
	bare_number(image, (uint32_t)(peek - bare_here(image) - 4));
	BARE_BYTES(image,
		   "\x48\x8b\x43\x30\x90\x90\x0f\x1f\x84\0\0\0\0\0\x0f\x1f\x84\0\0\0\0\0"); /* mov rax, [rbx+0x30] */
	bare_end(image, start, BARE_STORES);
	return start;
}

static void a_reader_that_calls_what_looks_is_found_by_that_call(void **state)
{
	for (size_t readers = 0; readers < 3; readers++) {
		struct bare_image *image = image_new(2);
		uint64_t text = bare_text(image, 0, BSSL_FILE), peek = function_add(image, text, &bssl_peek), read = 0,
			 write;
		struct site_set set;

		reader_add(image, peek, "\x31\xd2", 2); /* xor edx, edx: asks with another count */
		for (size_t i = 0; i < readers; i++)
			read = reader_add(image, peek, "", 0);
		write = function_add(image, text, &bssl_write);
		image_find(image, &set);
		if (set.count != (readers == 1 ? 2 : 0))
			fail_msg("%zu readers: %zu sites", readers, set.count);
		if (readers == 1) {
			site_expect(&set, 0, SITE_READ, read);
			site_expect(&set, 1, SITE_WRITE, write);
		}
	}
}

/* Where code is made small, functions lie close together. */
static void functions_at_any_address_are_found_when_they_make_a_frame(void **state)
{
	for (unsigned makes_frame = 0; makes_frame < 2; makes_frame++) {
		struct bare_image *image = image_new(0);
		uint64_t text = bare_text(image, 0, BSSL_FILE), at[2];
		struct site_set set;

		image->shift = 3;
		image->makes_frame = makes_frame;
		at[0] = function_add(image, text, &bssl_read);
		at[1] = function_add(image, text, &bssl_write);
		image_find(image, &set);
		assert_int_equal(set.count, makes_frame ? 2 : 0);
		for (size_t i = 0; i < set.count; i++)
			site_expect(&set, i, i ? SITE_WRITE : SITE_READ, at[i]);
	}
}

static const struct function seal = { { { 117, 172 }, { 103, 177 }, { 115, 182 } }, BARE_PLAIN };
static const struct function scatter = { { { 115, 214 }, { 112, 219 } }, BARE_PLAIN };
static const struct function opening = { { { 115, 244 }, { 101, 261 }, { 103, 267 }, { 104, 297 } }, BARE_PLAIN };
static const struct function gather = { { { 115, 292 }, { 104, 297 } }, BARE_PLAIN };

static void the_ciphers_are_found_and_one_way_to_open_is_enough(void **state)
{
	for (unsigned how = 0; how < 8; how++) {
		struct bare_image *image = image_new(how & 3);
		uint64_t text = bare_text(image, 0, AEAD_FILE), at[4] = { 0 };
		bool has_open = how & 4;
		struct site_set set;

		bare_text(image, 100, "/registry/ru%stls-0.23.46/src/lib.rs");
		at[0] = function_add(image, text, &seal);
		at[1] = function_add(image, text, &scatter);
		at[2] = function_add(image, text, &gather);
		if (has_open)
			at[2] = function_add(image, text, &opening);
		image_find(image, &set);
		assert_int_equal(set.count, 3);
		site_expect(&set, 0, SITE_AEAD_SEAL, at[0]);
		site_expect(&set, 1, SITE_AEAD_SEAL_SCATTER, at[1]);
		site_expect(&set, 2, has_open ? SITE_AEAD_OPEN : SITE_AEAD_OPEN_GATHER, at[2]);
		assert_int_equal(set.family, SITE_FAMILY_RUSTLS);
	}
}

static void the_ciphers_below_boringssl_are_left_alone(void **state)
{
	struct bare_image *image = image_new(2);
	uint64_t text = bare_text(image, 0, BSSL_FILE), aead = bare_text(image, 100, AEAD_FILE);
	struct site_set set;

	function_add(image, aead, &seal);
	function_add(image, aead, &opening);
	function_add(image, text, &bssl_read);
	function_add(image, text, &bssl_write);
	image_find(image, &set);
	assert_int_equal(set.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(set.sites[i].family, SITE_FAMILY_BORINGSSL);
	/* And where its functions are not found, they are not taken for another's. */
	image = image_new(2);
	bare_text(image, 0, BSSL_FILE);
	aead = bare_text(image, 100, AEAD_FILE);
	function_add(image, aead, &seal);
	function_add(image, aead, &opening);
	image_find(image, &set);
	assert_int_equal(set.count, 0);
	assert_int_equal(set.family, SITE_FAMILY_BORINGSSL);
}

/* The newer function and the older one. */
static void what_makes_its_records_is_found_beside_boringssl(void **state)
{
	static const struct function seals[] = { { { { 117, 336 }, { 115, 345 }, { 104, 350 } }, BARE_PLAIN },
						 { { { 115, 168 }, { 112, 173 } }, BARE_PLAIN } };
	static const struct function opens[] = { { { { 122, 554 }, { 117, 550 }, { 115, 563 }, { 104, 573 } },
						   BARE_PLAIN },
						 { { { 115, 245 }, { 104, 250 } }, BARE_PLAIN } };

	for (size_t i = 0; i < ARRAY_SIZE(seals); i++) {
		struct bare_image *image = image_new(2);
		uint64_t text = bare_text(image, 0, BSSL_FILE), aead = bare_text(image, 100, AEAD_FILE), at;
		struct site_set set;

		function_add(image, aead, &opens[i]);
		at = function_add(image, aead, &seals[i]);
		function_add(image, text, &bssl_read);
		function_add(image, text, &bssl_write);
		image_find(image, &set);
		assert_int_equal(set.count, 3);
		site_expect(&set, 2, SITE_RECORD_SEAL, at);
		assert_int_equal(set.sites[2].family, SITE_FAMILY_BORINGSSL);
	}
}

static void rustls_without_those_ciphers_is_told_as_what_it_is(void **state)
{
	struct bare_image *image = image_new(2);
	struct site_set set;

	bare_text(image, 100, "/registry/ru%stls-0.23.46/src/lib.rs");
	image_find(image, &set);
	assert_int_equal(set.count, 0);
	assert_int_equal(set.family, SITE_FAMILY_RUSTLS);
}

/* ---- OpenSSL 3 ---- */

struct named {
	const char *inner, *plain; /* texts that it reports by, or NULL */
	int reason;
	enum bare_end end;
	enum site_role role; /* _SITE_MAX: not found */
	bool is_inner;
};

static void named_expect(const char *version, const struct named *list, size_t count)
{
	struct bare_image *image = image_new(2);
	uint64_t at[8], version_at = bare_text(image, 0, version);
	size_t found = 0;
	struct site_set set;

	bare_text(image, 100, "../ssl/ssl%_lib.c");
	for (size_t i = 0; i < count; i++) {
		uint64_t start = at[i] = bare_begin(image);

		/* Texts of the same words lie once in a file, as a linker leaves them. */
		bare_report(image, bare_text(image, strstr(list[i].inner, "read") ? 200 : 300, list[i].inner),
			    (uint32_t)list[i].reason, 2000);
		if (list[i].plain)
			bare_report(image, bare_text(image, strstr(list[i].plain, "read") ? 400 : 500, list[i].plain),
				    271, 2010);
		BARE_BYTES(image, "\x0f\x1f\x80\0\0\0\0\x0f\x1f\x80\0\0\0\0");
		bare_end(image, start, list[i].end);
	}
	image_find(image, &set);
	assert_int_not_equal(version_at, 0);
	for (size_t i = 0; i < count; i++) {
		if (list[i].role == _SITE_MAX)
			continue;
		site_expect(&set, found, list[i].role, at[i]);
		assert_int_equal(set.sites[found].is_inner, list[i].is_inner);
		found++;
	}
	assert_int_equal(set.count, found);
	assert_int_equal(set.family, SITE_FAMILY_OPENSSL);
}

#define NAMED(version, ...)                                                                                            \
	named_expect(version, (const struct named[]){ __VA_ARGS__ },                                                   \
		     sizeof((const struct named[]){ __VA_ARGS__ }) / sizeof(struct named))
#define READ_IN  "ssl%_read_internal"
#define WRITE_IN "ssl%_write_internal"

static void openssl_is_found_by_the_names_it_reports(void **state)
{
	/* The inner functions, alone. */
	NAMED("OpenSSL 3.0.16 1 Jan 2025", { READ_IN, NULL, 276, BARE_FOURTH_FOURTH, SITE_READ_EX, true },
	      { WRITE_IN, NULL, 207, BARE_PLAIN, SITE_WRITE_EX, true });
	NAMED("OpenSSL 3.6.4 1 Jan 2026", { READ_IN, NULL, 276, BARE_PLAIN, SITE_READ_EX, true },
	      { WRITE_IN, NULL, 207, BARE_FIFTH_FOURTH, SITE_WRITE_EX2, true });
	/* Copies of them in those of the API. */
	NAMED("OpenSSL 3.5.8 1 Jan 2026", { READ_IN, "SSL%_read", 276, BARE_PLAIN, SITE_READ, false },
	      { READ_IN, NULL, 276, BARE_PLAIN, SITE_READ_EX, false },
	      { WRITE_IN, "SSL%_write", 207, BARE_PLAIN, SITE_WRITE, false },
	      { WRITE_IN, NULL, 207, BARE_FOURTH_FOURTH, SITE_WRITE_EX, false },
	      { WRITE_IN, NULL, 412, BARE_PLAIN, SITE_WRITE_EX2, false });
	/* Nothing tells where it puts the count. */
	NAMED("OpenSSL 3.5.8 1 Jan 2026", { READ_IN, NULL, 276, BARE_PLAIN, SITE_READ_EX, true },
	      { WRITE_IN, "SSL%_write", 207, BARE_PLAIN, SITE_WRITE, false },
	      { WRITE_IN, NULL, 207, BARE_PLAIN, _SITE_MAX, false });
	/* One half is none. */
	NAMED("OpenSSL 3.5.8 1 Jan 2026", { READ_IN, NULL, 276, BARE_PLAIN, _SITE_MAX, true });
	NAMED("OpenSSL 3.5.8 1 Jan 2026", { "SSL%_read_internal_too", NULL, 276, BARE_PLAIN, _SITE_MAX, true },
	      { WRITE_IN, NULL, 207, BARE_FIFTH_FOURTH, _SITE_MAX, true });
}

/* ---- windows ---- */

static void what_windows_cut_is_found_whole(void **state)
{
	enum { TEXT_WINDOW = 64 << 10, CODE_WINDOW = 256 << 10, STEP = 7 };

	for (size_t shift = 0; shift < 400; shift += STEP) {
		struct bare_image *image = image_new(shift & 3);
		uint64_t text, read, write;
		struct site_set set;

		text = bare_text(image, TEXT_WINDOW - BARE_TEXT - shift, BSSL_FILE);
		image->at = CODE_WINDOW - shift;
		read = function_add(image, text, &bssl_read);
		write = function_add(image, text, &bssl_write);
		image_find(image, &set);
		assert_int_equal(set.count, 2);
		site_expect(&set, 0, SITE_READ, read);
		site_expect(&set, 1, SITE_WRITE, write);
	}
}

static void words_are_found_as_a_plain_search_finds_them(void **state)
{
	static const struct slice list[] = { SLICE("abab"), SLICE("bab"), SLICE("aabb"), SLICE("cab") };
	struct words words;
	char text[200];

	words_prepare(&words, list, ARRAY_SIZE(list));
	srandom(3);
	for (int round = 0; round < 2000; round++) {
		size_t len = (size_t)random() % sizeof(text), from = (size_t)random() % sizeof(text), which = 9;
		struct slice all = { text, len };
		ptrdiff_t first = -1;

		for (size_t i = 0; i < len; i++)
			text[i] = (char)('a' + random() % 3);
		for (size_t i = 0; i < ARRAY_SIZE(list) && from <= len; i++) {
			ptrdiff_t at = slice_find(slice_from(all, from), list[i]);

			if (at >= 0 && (first < 0 || at + (ptrdiff_t)from < first))
				first = at + (ptrdiff_t)from;
		}
		assert_int_equal(words_find(&words, all, from, &which), first);
		if (first >= 0)
			assert_true(slice_starts(slice_from(all, (size_t)first), list[which]));
	}
}

/* ---- arm64 ---- */

static void arm64_emit(struct bare_image *image, uint32_t insn)
{
	bare_number(image, insn);
}

/* movz w2, reason; movz w4, line; adrp x3; a few others; add x3, x3; bl */
static void arm64_report(struct bare_image *image, uint64_t text, uint32_t reason, uint32_t line)
{
	int64_t pages = (int64_t)(text >> 12) - (int64_t)(bare_here(image) >> 12);

	arm64_emit(image, 0x90000003 | (uint32_t)(pages & 3) << 29 | (uint32_t)(pages >> 2 & 0x7ffff) << 5);
	arm64_emit(image, 0x52800002 | reason << 5);
	arm64_emit(image, 0x52800004 | line << 5);
	arm64_emit(image, 0x91000063 | (uint32_t)(text & 0xfff) << 10);
	arm64_emit(image, 0x94000040);
}

static void functions_of_another_machine_are_found_as_well(void **state)
{
	struct bare_image *image = image_new(0);
	uint64_t text = bare_text(image, 1234, AEAD_FILE), start[2];
	struct errsites *sites CLEANUP_FREE = malloc(sizeof(*sites));
	struct site_strings strings;
	struct elf elf;

	for (size_t i = 0; i < 2; i++) {
		start[i] = bare_here(image);
		arm64_emit(image, 0xa9bf7bfd); /* stp x29, x30, [sp, #-16]! */
		arm64_report(image, text, i ? 115 : 117, 172);
		arm64_report(image, text, i ? 112 : 103, 177);
		arm64_emit(image, 0xd65f03c0); /* ret */
	}
	image->at = BARE_CALLER;
	for (size_t i = 0; i < 2; i++)
		arm64_emit(image, 0x94000000 | ((uint32_t)((int64_t)(start[i] - bare_here(image)) >> 2) & 0x3ffffff));
	int fd CLEANUP_FD = bare_open(image, EM_AARCH64);
	free(image);
	assert_int_equal(elf_open(fd, EM_AARCH64, &elf), 0);
	site_strings_find(&elf, &strings);
	assert_true(site_strings_has(&strings, WORD_AEAD_FILE));
	assert_int_equal(errsite_find(&elf, &strings, sites), 0);
	assert_int_equal(sites->count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sites->functions[i].start, start[i]);
		assert_true(errsite_has(&sites->functions[i], i ? 115 : 117));
		assert_true(errsite_has(&sites->functions[i], i ? 112 : 103));
		assert_true(errsite_has(&sites->functions[i], 172) && errsite_has(&sites->functions[i], 177));
		assert_false(errsite_has(&sites->functions[i], 999));
	}
}

/* ---- tables for unwinding ---- */

static void each_function_of_a_real_library_begins_where_its_symbol_says(void **state)
{
	static const char *const names[] = { "SSL_read", "SSL_write", "SSL_free", "SSL_new", "SSL_do_handshake" };
	int fd CLEANUP_FD = open("/lib/x86_64-linux-gnu/libssl.so.3", O_RDONLY | O_CLOEXEC);
	Elf64_Sym symbols[ARRAY_SIZE(names)];
	struct elf_symbols table;
	struct elf elf;

	if (fd < 0)
		skip();
	assert_int_equal(elf_open(fd, EM_X86_64, &elf), 0);
	assert_int_equal(elf_dynsym(&elf, &table), 0);
	assert_int_equal(elf_symbols_find(&elf, &table, SLICE("SSL_"), names, ARRAY_SIZE(names), symbols),
			 ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct elf_function function;

		assert_int_equal(elf_function_at(&elf, symbols[i].st_value + symbols[i].st_size / 2, &function), 0);
		assert_int_equal(function.start, symbols[i].st_value);
		assert_int_equal(function.end, symbols[i].st_value + symbols[i].st_size);
		assert_false(function.is_part);
	}
	assert_int_equal(elf_function_at(&elf, 1, &(struct elf_function){ 0 }), -ENOENT);
}

/* ---- hostile files ---- */

static struct bare_image *image_full(unsigned how)
{
	struct bare_image *image = image_new(how);
	uint64_t text = bare_text(image, 0, BSSL_FILE), aead = bare_text(image, 100, AEAD_FILE);

	bare_text(image, 200, "/registry/ru%stls-0.23.46/src/lib.rs");
	function_add(image, text, &bssl_read);
	function_add(image, text, &bssl_write);
	function_add(image, aead, &seal);
	function_add(image, aead, &opening);
	return image;
}

/* Where what matters lies: header, texts, tables, code. */
static size_t place_random(void)
{
	static const size_t bases[] = { 0, BARE_TEXT, BARE_FRAMES, BARE_FRAMES + 0x4000, BARE_CODE };

	return bases[(size_t)random() % ARRAY_SIZE(bases)] + (size_t)random() % 300;
}

static void every_mutation_is_survived(void **state)
{
	srandom(17);
	for (unsigned how = 0; how < 4; how++) {
		struct bare_image *image = image_full(how);
		int fd CLEANUP_FD = bare_open(image, EM_X86_64);

		for (int round = 0; round < 150; round++) {
			struct site_set set;
			size_t places[4];

			for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
				uint64_t value = random() & 1 ? (uint64_t)random() : random() & 1 ? ~0ull : 1ull << 63;

				places[i] = place_random();
				assert_int_equal(pwrite(fd, &value, 8, (off_t)places[i]), 8);
			}
			if (round % 5 == 0)
				assert_int_equal(ftruncate(fd, (off_t)(place_random() + (size_t)random() % 8192)), 0);
			if (site_find(fd, &set) == 0)
				for (size_t i = 0; i < set.count; i++)
					assert_in_range(set.sites[i].offset, 0, BARE_SIZE);
			assert_int_equal(pwrite(fd, image->bytes, BARE_SIZE, 0), BARE_SIZE);
		}
		free(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boringssl_is_found_by_its_reports),
		cmocka_unit_test(lines_may_drift_a_little),
		cmocka_unit_test(doubt_counts_against_a_find),
		cmocka_unit_test(a_function_whose_start_is_not_told_is_not_found),
		cmocka_unit_test(a_reader_that_calls_what_looks_is_found_by_that_call),
		cmocka_unit_test(functions_at_any_address_are_found_when_they_make_a_frame),
		cmocka_unit_test(the_ciphers_are_found_and_one_way_to_open_is_enough),
		cmocka_unit_test(the_ciphers_below_boringssl_are_left_alone),
		cmocka_unit_test(what_makes_its_records_is_found_beside_boringssl),
		cmocka_unit_test(rustls_without_those_ciphers_is_told_as_what_it_is),
		cmocka_unit_test(openssl_is_found_by_the_names_it_reports),
		cmocka_unit_test(what_windows_cut_is_found_whole),
		cmocka_unit_test(words_are_found_as_a_plain_search_finds_them),
		cmocka_unit_test(functions_of_another_machine_are_found_as_well),
		cmocka_unit_test(each_function_of_a_real_library_begins_where_its_symbol_says),
		cmocka_unit_test(every_mutation_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
