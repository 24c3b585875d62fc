/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: in each form that Go's table of functions has had, the entries of Read and writeRecordLocked and all their
 * returns are found, at the cheapest place of an entry; where one of them cannot be found, or the arguments would be elsewhere,
 * nothing is probed and the reason is told; nothing in a file can crash the search or lead it out of the file.
 */
#include "base/cleanup.h"
#include "probe/disasm.h"
#include "probe/go_code.h"
#include "probe/site.h"
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

/* ---- a program as Go's linker lays it out, made to order ---- */

enum {
	GO_FUNCTIONS_MAX = 8,
	GO_STRIDE = 0x80,
	GO_CODE_AT = 0x1000,
	GO_TABLE_AT = 0x2000,
	GO_DATA_AT = 0x4000,
	GO_FILE_LEN = 0x5000,
	GO_BASE = 0x400000,
	GO_TEXT_AT = GO_CODE_AT + 0x40, /* what C's linker puts before it */
};

enum go_text { GO_TEXT_IN_HEADER, GO_TEXT_IN_MODULE, GO_TEXT_BY_LOADER };

struct go_fixture {
	uint8_t magic;
	enum go_text text;
	const char *version; /* NULL: no trace of a build */
	bool is_old_info;    /* the version by pointers, as before Go 1.18 */
	bool has_note;       /* and nothing else of the build */
	struct {
		const char *name, *code; /* code: hex */
	} functions[GO_FUNCTIONS_MAX];
};

struct go_writer {
	uint8_t *file;
	size_t count;
	bool is_wide;
};

static void put_word(struct go_writer *w, uint64_t at, uint64_t value)
{
	memcpy(w->file + at, &value, sizeof(value));
}

static uint64_t go_function_at(size_t i)
{
	return GO_TEXT_AT + i * GO_STRIDE;
}

static void go_put_functions(struct go_writer *w, const struct go_fixture *fixture)
{
	for (w->count = 0; w->count < GO_FUNCTIONS_MAX && fixture->functions[w->count].name; w->count++) {
		const char *text = fixture->functions[w->count].code;
		uint8_t *code = w->file + go_function_at(w->count);
		char *end;

		memset(code, 0xcc, GO_STRIDE);
		for (; *text; text = end + (*end == ' '))
			*code++ = (uint8_t)strtoul(text, &end, 16);
	}
}

/* The table: its header, the names, the functions. */
static void go_put_table(struct go_writer *w, const struct go_fixture *fixture)
{
	const uint64_t names = 0x80, functions = 0x800, details = 0x400;
	uint64_t head[9] = { 0x08010000ffffff00 | fixture->magic, w->count, 1 };
	uint64_t *parts = head + (w->is_wide ? 3 : 4), name_at = 1, name_len;

	if (!w->is_wide && fixture->text == GO_TEXT_IN_HEADER)
		head[3] = GO_BASE + GO_TEXT_AT;
	parts[0] = names;
	parts[1] = parts[2] = parts[3] = 0x600;
	parts[4] = functions;
	memcpy(w->file + GO_TABLE_AT, head, sizeof(head));
	for (size_t i = 0; i <= w->count; i++) {
		uint64_t from = w->is_wide ? GO_BASE + go_function_at(i) : i * GO_STRIDE, detail = details + 32 * i;
		uint64_t size = w->is_wide ? 8 : 4, at = GO_TABLE_AT + functions + 2 * size * i;

		memcpy(w->file + at, &from, size);
		if (i == w->count)
			break;
		memcpy(w->file + at + size, &detail, size);
		memcpy(w->file + GO_TABLE_AT + functions + detail + size, &name_at, 4);
		name_len = strlen(fixture->functions[i].name) + 1;
		memcpy(w->file + GO_TABLE_AT + names + name_at, fixture->functions[i].name, name_len);
		name_at += name_len;
	}
}

enum { GO_MODULE_AT = GO_DATA_AT + 0x200, GO_RELOCATIONS_AT = GO_DATA_AT + 0x600, GO_DYNAMIC_AT = GO_DATA_AT + 0x700 };

static void go_put_module(struct go_writer *w, const struct go_fixture *fixture)
{
	Elf64_Rela relocations[3] = {
		{ GO_BASE + 0x77, ELF64_R_INFO(0, R_X86_64_RELATIVE), GO_BASE + 0x99 },
		{ GO_BASE + GO_MODULE_AT, ELF64_R_INFO(0, R_X86_64_RELATIVE), GO_BASE + GO_TABLE_AT },
		{ GO_BASE + GO_MODULE_AT + 176, ELF64_R_INFO(0, R_X86_64_RELATIVE), GO_BASE + GO_TEXT_AT },
	};
	Elf64_Dyn dynamic[] = { { DT_SYMTAB, { GO_BASE } },
				{ DT_STRTAB, { GO_BASE } },
				{ DT_RELA, { GO_BASE + GO_RELOCATIONS_AT } },
				{ DT_RELASZ, { sizeof(relocations) } },
				{ DT_NULL, { 0 } } };

	put_word(w, GO_DATA_AT + 0x180, GO_BASE + GO_TABLE_AT); /* somebody else's pointer to the table */
	put_word(w, GO_MODULE_AT + 136, w->count + 1);
	if (fixture->text != GO_TEXT_BY_LOADER) {
		put_word(w, GO_MODULE_AT, GO_BASE + GO_TABLE_AT);
		put_word(w, GO_MODULE_AT + 176, GO_BASE + GO_TEXT_AT);
	} else {
		memcpy(w->file + GO_RELOCATIONS_AT, relocations, sizeof(relocations));
		memcpy(w->file + GO_DYNAMIC_AT, dynamic, sizeof(dynamic));
	}
}

static void go_put_version(struct go_writer *w, const struct go_fixture *fixture)
{
	uint8_t *info = w->file + GO_DATA_AT + 0x10;

	if (!fixture->version || fixture->has_note)
		return;
	memcpy(info, "\xff Go buildinf:\x08", 15);
	if (fixture->is_old_info) {
		put_word(w, GO_DATA_AT + 0x20, GO_BASE + GO_DATA_AT + 0x40);
		put_word(w, GO_DATA_AT + 0x40, GO_BASE + GO_DATA_AT + 0x60);
		put_word(w, GO_DATA_AT + 0x48, strlen(fixture->version));
		memcpy(w->file + GO_DATA_AT + 0x60, fixture->version, strlen(fixture->version));
		return;
	}
	info[15] = 2;
	info[32] = (uint8_t)strlen(fixture->version);
	memcpy(info + 33, fixture->version, strlen(fixture->version));
}

static void go_put_head(struct go_writer *w, const struct go_fixture *fixture)
{
	static const struct {
		uint32_t type, flags;
		uint64_t from, to;
	} rows[] = {
		{ PT_LOAD, PF_R | PF_X, 0, GO_TABLE_AT },
		{ PT_LOAD, PF_R, GO_TABLE_AT, GO_DATA_AT },
		{ PT_LOAD, PF_R | PF_W, GO_DATA_AT, GO_FILE_LEN },
		{ PT_DYNAMIC, PF_R, GO_DYNAMIC_AT, GO_DYNAMIC_AT + 0x50 },
		{ PT_NOTE, PF_R, 0x800, 0x814 },
	};
	static const uint32_t note[] = { 4, 4, 4, 0x006f47, 0x41414141 }; /* "Go" */
	Elf64_Ehdr *header = (Elf64_Ehdr *)w->file;
	Elf64_Phdr *segments = (Elf64_Phdr *)(w->file + sizeof(*header));

	memcpy(header->e_ident, "\177ELF\2\1\1", 7);
	header->e_type = ET_EXEC;
	header->e_machine = EM_X86_64;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(*segments);
	header->e_phnum = 4 + fixture->has_note;
	for (size_t i = 0; i < 4 + fixture->has_note; i++)
		segments[i] = (Elf64_Phdr){ rows[i].type,
					    rows[i].flags,
					    rows[i].from,
					    GO_BASE + rows[i].from,
					    0,
					    rows[i].to - rows[i].from,
					    rows[i].to - rows[i].from,
					    0x1000 };
	memcpy(w->file + 0x800, note, sizeof(note));
}

/* GO_FILE_LEN bytes; the caller frees them. */
static uint8_t *go_fixture_make(const struct go_fixture *fixture)
{
	struct go_writer w = { .file = calloc(1, GO_FILE_LEN), .is_wide = fixture->magic == 0xfa };

	go_put_head(&w, fixture);
	go_put_functions(&w, fixture);
	go_put_table(&w, fixture);
	go_put_module(&w, fixture);
	go_put_version(&w, fixture);
	return w.file;
}

static int go_fixture_open(const uint8_t *file, size_t len)
{
	int fd = memfd_create("go", MFD_CLOEXEC);

	if (fd < 0 || write(fd, file, len) != (ssize_t)len)
		abort();
	return fd;
}

/* ---- what is found ---- */

/* cmp rsp, [r14+16]; jbe; push rbp; … xor eax, eax; ret; mov eax, [rip+0xc3c3c3c3]; ret; call; jmp back */
#define READ  "49 3b 66 10 76 10 55 31 c0 5d c3 8b 05 c3 c3 c3 c3 c3 e8 00 00 00 00 eb e7"
#define WRITE "4c 8d 64 24 80 4d 3b 66 10 0f 86 10 00 00 00 55 31 c0 c3"
#define OLD   "49 3b 66 10 0f 86 10 00 00 00 48 83 ec 20 31 c0 48 83 c4 20 c3"
#define LEAF  "55 48 89 e5 5d c3"
#define C     "crypto/tls.(*Conn)."
#define LIFE                                                                                                           \
	{ C "Close", LEAF }, { C "clientHandshake", WRITE },                                                           \
	{                                                                                                              \
		C "serverHandshake", LEAF                                                                              \
	}

static const struct go_fixture now = {
	0xf1,
	GO_TEXT_IN_MODULE,
	"go1.26.8 X:none",
	false,
	false,
	{ { "main.main", LEAF }, { C "Read", READ }, { C "writeRecordLocked", WRITE }, LIFE }
};

struct expected {
	enum site_role role;
	size_t function;
	unsigned skip;
	bool is_stepped;
};

static const struct expected all[] = {
	{ SITE_GO_READ, 1, 6, false },   { SITE_GO_READ_END, 1, 10, true },  { SITE_GO_READ_END, 1, 17, true },
	{ SITE_GO_WRITE, 2, 15, false }, { SITE_GO_WRITE_END, 2, 18, true }, { SITE_GO_OVER, 3, 0, false },
	{ SITE_GO_BEGIN, 4, 15, false }, { SITE_GO_BEGIN, 5, 0, false },
};

static struct site_set found_in(const struct go_fixture *fixture)
{
	uint8_t *file = go_fixture_make(fixture);
	int fd CLEANUP_FD = go_fixture_open(file, GO_FILE_LEN);
	struct site_set set;

	free(file);
	assert_int_equal(site_find(fd, &set), 0);
	return set;
}

static void expect(const struct go_fixture *fixture, const struct expected *expected, size_t count)
{
	struct site_set set = found_in(fixture);

	assert_int_equal(set.family, SITE_FAMILY_GO);
	assert_null(set.why_not);
	assert_string_equal(set.method, "pclntab");
	assert_int_equal(set.count, count);
	for (size_t i = 0; i < count; i++) {
		const struct site *site = &set.sites[i];

		if (site->role != expected[i].role || site->is_stepped != expected[i].is_stepped ||
		    site->family != SITE_FAMILY_GO ||
		    site->offset != go_function_at(expected[i].function) + expected[i].skip)
			fail_msg("site %zu is '%s' at %#lx", i, site->symbol, (unsigned long)site->offset);
	}
}

static void the_functions_are_found_in_every_form_of_the_table(void **state)
{
	struct go_fixture file = now;

	expect(&file, all, ARRAY_SIZE(all));
	assert_string_equal(found_in(&file).version, "Go 1.26.8");
	file.text = GO_TEXT_BY_LOADER;
	expect(&file, all, ARRAY_SIZE(all));
	file.text = GO_TEXT_IN_HEADER;
	expect(&file, all, ARRAY_SIZE(all));
	file.magic = 0xf0;
	file.version = "go1.18.4";
	expect(&file, all, ARRAY_SIZE(all));
	file.magic = 0xfa;
	file.version = "go1.17.5";
	file.is_old_info = true;
	expect(&file, all, ARRAY_SIZE(all));
	assert_string_equal(found_in(&file).version, "Go 1.17.5");
}

static void a_version_is_text_and_no_more(void **state)
{
	struct go_fixture file = now;

	file.version = "go1.26.8 X:nocoverageredesign";
	assert_string_equal(found_in(&file).version, "Go 1.26.8");
	file.version = "go1.26\x1b[2J\x1b]0;x\a";
	assert_string_equal(found_in(&file).version, "Go 1.26");
	file.version = "\x9bgo";
	assert_string_equal(found_in(&file).version, "");
}

static void a_note_of_the_build_is_enough(void **state)
{
	struct go_fixture file = now;

	file.has_note = true;
	expect(&file, all, ARRAY_SIZE(all));
	assert_string_equal(found_in(&file).version, "");
}

static void a_program_that_go_did_not_build_is_not_searched(void **state)
{
	struct go_fixture file = now;

	file.version = NULL;
	assert_int_equal(found_in(&file).count, 0);
	assert_int_equal(found_in(&file).family, SITE_FAMILY_NONE);
}

static void expect_why(const struct go_fixture *file, const char *why)
{
	struct site_set set = found_in(file);

	assert_int_equal(set.count, 0);
	assert_int_equal(set.family, SITE_FAMILY_GO);
	assert_non_null(set.why_not);
	assert_non_null(strstr(set.why_not, why));
}

static void arguments_on_the_stack_are_not_guessed_at(void **state)
{
	struct go_fixture file = now;

	file.magic = 0xfa;
	file.version = "go1.16.3";
	expect_why(&file, "older than 1.17");
	file.has_note = true; /* the same table, and no version */
	expect_why(&file, "older than 1.17");
}

static void all_returns_or_none(void **state)
{
	struct go_fixture file = now;
	char many[3 * (GO_RETURNS_MAX + 2)] = "";

	file.functions[1].code = "55 c3 06 c3"; /* no instruction of this machine */
	expect_why(&file, "does not know");
	file.functions[1].code = "55 31 c0 eb fe";
	expect_why(&file, "does not know");
	for (int i = 0; i <= GO_RETURNS_MAX; i++)
		memcpy(many + 3 * i, "c3 ", 4);
	file.functions[1].code = many;
	expect_why(&file, "does not know");
}

static void both_directions_or_none(void **state)
{
	struct go_fixture file = now;

	file.functions[2].name = C "writeRecord";
	expect_why(&file, "does not know");
	file.functions[1].name = "x" C "Read"; /* that the names end alike does not make it the one */
	file.functions[3].name = file.functions[4].name = file.functions[5].name = "main.other";
	assert_int_equal(found_in(&file).family, SITE_FAMILY_NONE);
}

/* A program that is carried as data has a table too, and its functions are elsewhere. */
static void a_table_that_is_not_the_programs_own_is_passed_over(void **state)
{
	uint8_t *file = go_fixture_make(&now);
	struct go_writer w = { .file = file };
	struct site_set set;

	for (int row = 0; row < 2; row++) {
		put_word(&w, GO_MODULE_AT, row ? GO_BASE + GO_TABLE_AT : GO_BASE + GO_TABLE_AT + 8);
		put_word(&w, GO_TABLE_AT + 24, row ? GO_BASE + GO_TEXT_AT + 16 : GO_BASE + GO_TEXT_AT);
		int fd CLEANUP_FD = go_fixture_open(file, GO_FILE_LEN);
		assert_int_equal(site_find(fd, &set), 0);
		assert_int_equal(set.count, 0);
	}
	free(file);
}

static void an_object_whose_life_is_not_seen_is_read_all_the_same(void **state)
{
	struct go_fixture file = now;

	file.functions[3].name = file.functions[4].name = file.functions[5].name = "main.other";
	expect(&file, all, 5);
}

static void an_entry_is_probed_where_the_kernel_need_not_step(void **state)
{
	static const struct {
		const char *code;
		size_t len;
		uint32_t entry;
		bool is_stepped;
	} rows[] = {
		{ "\x55\xc3", 2, 0, false },
		{ "\x49\x3b\x66\x10\x76\x10\x48\x83\xec\x20\xc3", 11, 4, false }, /* before Go 1.21 */
		{ "\x49\x89\xe4\x49\x81\xec\0\0\1\0\x72\x10\x4d\x3b\x66\x10\x76\x02\x55\xc3", 20, 18,
		  false }, /* a large frame */
		{ "\x48\x83\xec\x20\xc3", 5, 0, true },
		{ "\x49\x3b\x66\x10\x48\x89\xd8\x55\xc3", 9, 0,
		  true }, /* it changes what is in an argument's register */
	};
	struct go_places places;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(go_code_read(EM_X86_64, (struct slice){ rows[i].code, rows[i].len }, &places), 0);
		if (places.entry != rows[i].entry || places.is_stepped != rows[i].is_stepped)
			fail_msg("row %zu: %u", i, places.entry);
	}
}

static void on_arm64_a_return_is_a_word(void **state)
{
	static const uint32_t code[] = { 0xf9400b90, 0xd65f03c0, 0x14000001, 0xd65f03c0, 0 };
	struct go_places places;

	assert_int_equal(go_code_read(EM_AARCH64, (struct slice){ (const char *)code, sizeof(code) }, &places), 0);
	assert_int_equal(places.return_count, 2);
	assert_int_equal(places.returns[0], 4);
	assert_int_equal(places.returns[1], 12);
	assert_int_equal(places.entry, 0);
}

/* ---- hostile ---- */

static void search(const uint8_t *file, size_t len)
{
	int fd CLEANUP_FD = go_fixture_open(file, len);
	struct site_set set;

	if (site_find(fd, &set) < 0)
		return;
	assert_true(set.count <= SITES_MAX);
	for (size_t i = 0; i < set.count; i++)
		assert_true(set.sites[i].offset < len);
}

static void a_file_cut_anywhere_is_survived(void **state)
{
	struct go_fixture fixture = now;

	for (int text = 0; text <= GO_TEXT_BY_LOADER; text++) {
		fixture.text = (enum go_text)text;
		uint8_t *file = go_fixture_make(&fixture);

		for (size_t len = 0; len < GO_FILE_LEN; len += len < 0x400 ? 7 : 61)
			search(file, len);
		free(file);
	}
}

static void senseless_numbers_are_survived(void **state)
{
	static const uint64_t values[] = {
		0, 1, 0xff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, UINT64_MAX, UINT64_MAX - 7
	};
	/* Header and segments, the table's head, its functions, moduledata, relocations and the dynamic table. */
	static const struct {
		uint64_t from, to;
	} ranges[] = { { 16, 0x160 },
		       { GO_TABLE_AT, GO_TABLE_AT + 72 },
		       { GO_TABLE_AT + 0x800, GO_TABLE_AT + 0x860 },
		       { GO_TABLE_AT + 0xc00, GO_TABLE_AT + 0xc40 },
		       { GO_DATA_AT + 0x10, GO_DATA_AT + 0x50 },
		       { GO_MODULE_AT, GO_MODULE_AT + 192 },
		       { GO_RELOCATIONS_AT, GO_RELOCATIONS_AT + 72 },
		       { GO_DYNAMIC_AT, GO_DYNAMIC_AT + 80 } };
	struct go_fixture fixture = now;

	for (int text = 0; text <= GO_TEXT_BY_LOADER; text++) {
		fixture.text = (enum go_text)text;
		uint8_t *file = go_fixture_make(&fixture);

		for (size_t r = 0; r < ARRAY_SIZE(ranges); r++)
			for (uint64_t at = ranges[r].from; at < ranges[r].to; at += 4)
				for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
					uint64_t kept;

					memcpy(&kept, file + at, sizeof(kept));
					memcpy(file + at, &values[v], v & 1 ? 4 : 8);
					search(file, GO_FILE_LEN);
					memcpy(file + at, &kept, sizeof(kept));
				}
		free(file);
	}
}

static void any_code_is_survived_up_to_the_last_byte(void **state)
{
	struct go_places places;

	srandom(7);
	for (int round = 0; round < 3000; round++) {
		size_t len = 1 + (size_t)random() % 64;
		char *code = malloc(len); /* the sanitizer stands behind it */

		for (size_t i = 0; i < len; i++)
			code[i] = (char)(round & 1 ? random() : "\x49\x4c\x4d\x0f\x55\xc3\x72\x76"[random() % 8]);
		if (go_code_read(EM_X86_64, (struct slice){ code, len }, &places) == 0) {
			assert_true(places.entry < len && places.return_count <= GO_RETURNS_MAX);
			for (size_t i = 0; i < places.return_count; i++)
				assert_true(places.returns[i] < len);
		}
		free(code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_functions_are_found_in_every_form_of_the_table),
		cmocka_unit_test(a_version_is_text_and_no_more),
		cmocka_unit_test(a_note_of_the_build_is_enough),
		cmocka_unit_test(a_program_that_go_did_not_build_is_not_searched),
		cmocka_unit_test(arguments_on_the_stack_are_not_guessed_at),
		cmocka_unit_test(all_returns_or_none),
		cmocka_unit_test(both_directions_or_none),
		cmocka_unit_test(a_table_that_is_not_the_programs_own_is_passed_over),
		cmocka_unit_test(an_object_whose_life_is_not_seen_is_read_all_the_same),
		cmocka_unit_test(an_entry_is_probed_where_the_kernel_need_not_step),
		cmocka_unit_test(on_arm64_a_return_is_a_word),
		cmocka_unit_test(a_file_cut_anywhere_is_survived),
		cmocka_unit_test(senseless_numbers_are_survived),
		cmocka_unit_test(any_code_is_survived_up_to_the_last_byte),
	};

	disasm_get(); /* for good: to load it for each of the files costs more than all else */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
