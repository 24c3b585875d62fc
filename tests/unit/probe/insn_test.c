/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: the cheap instruction is taken only with arguments and stack untouched, arguments are followed
 * through copies and branches to the first call, and no bytes, however cut, make the reader read past them or run on.
 */
#include "base/cleanup.h"
#include "probe/insn.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void the_cheap_entry_has_arguments_and_stack_untouched(void **state)
{
	const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len;
		int skip; /* or -1 */
	} table[] = {
		{ "push rbp", CODE(0x55, 0x48, 0x89, 0xe5), 0 },
		{ "push r15", CODE(0x41, 0x57, 0xc3), 0 },
		{ "endbr64; push rbp", CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3), 4 },
		{ "endbr64; sub rsp", CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x08, 0x55), -1 },
		{ "sub rsp; push", CODE(0x48, 0x83, 0xec, 0x18, 0x55), -1 },
		{ "test rdi, rdi; je", CODE(0x48, 0x85, 0xff, 0x74, 0x01, 0x55, 0xc3), 3 },
		{ "test rdi, rdi; je near", CODE(0x48, 0x85, 0xff, 0x0f, 0x84, 0, 1, 0, 0, 0xc3), 3 },
		{ "xor eax, eax; jmp", CODE(0x31, 0xc0, 0xeb, 0x00, 0xc3), 2 },
		{ "mov rdi, rsi; push", CODE(0x48, 0x89, 0xf7, 0x55, 0xc3), -1 },
		{ "xor ecx, ecx; push", CODE(0x31, 0xc9, 0x55, 0xc3), -1 },
		{ "mov dl, 1; push", CODE(0xb2, 0x01, 0x55, 0xc3), -1 },
		{ "xor r9d, r9d; push", CODE(0x45, 0x31, 0xc9, 0x55, 0xc3), -1 },
		{ "push imm", CODE(0x6a, 0x01, 0x55, 0xc3), -1 },
		{ "nop; push", CODE(0x90, 0x55, 0xc3), 0 },
		{ "two-byte nop; push", CODE(0x66, 0x90, 0x55, 0xc3), 2 },
		{ "test; je; and a loop back to the je", CODE(0x48, 0x85, 0xff, 0x74, 0x02, 0xeb, 0xfc, 0xc3), -1 },
		{ "ret", CODE(0xc3, 0x55), -1 },
		{ "jmp [rip]", CODE(0xff, 0x25, 0, 0, 0, 0), -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct insn_code code = { table[i].bytes, table[i].len, 0x1000 };
		size_t skip = 99;
		int r = insn_cheap_entry(insn_machine_here(), &code, &skip);

		if (r != (table[i].skip < 0 ? -ENOENT : 0) || (r == 0 && skip != table[i].skip))
			fail_msg("%s: %d, +%zu", table[i].name, r, skip);
	}
}

static void arguments_are_followed_to_the_first_call(void **state)
{
	const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len;
		unsigned kept, frame;
		bool is_partial;
	} table[] = {
		{ "all as they came", CODE(0x48, 0x83, 0xec, 8, 0xe8, 0, 1, 0, 0, 0xc3), 63, 0, false },
		{ "jmp out of the function", CODE(0xe9, 0, 1, 0, 0), 63, 0, false },
		{ "lea rcx, [rsp+8]", CODE(0x48, 0x8d, 0x4c, 0x24, 8, 0xe8, 0, 1, 0, 0, 0xc3), 55, 8, false },
		{ "mov rcx, rsp", CODE(0x48, 0x89, 0xe1, 0xe8, 0, 1, 0, 0, 0xc3), 55, 8, false },
		{ "mov rbp, rsp; lea r8, [rbp-8]",
		  CODE(0x55, 0x48, 0x89, 0xe5, 0x4c, 0x8d, 0x45, 0xf8, 0xe8, 0, 1, 0, 0, 0xc3), 47, 16, false },
		{ "rbp is no frame here: lea rcx, [rbp-8]", CODE(0x48, 0x8d, 0x4d, 0xf8, 0xe8, 0, 1, 0, 0, 0xc3), 55, 0,
		  false },
		{ "mov rbp, rdi; xor edi, edi; mov rdi, rbp",
		  CODE(0x48, 0x89, 0xfd, 0x31, 0xff, 0x48, 0x89, 0xef, 0xe8, 0, 1, 0, 0, 0xc3), 63, 0, false },
		{ "mov ebp, edi; mov rdi, rbp", CODE(0x89, 0xfd, 0x48, 0x89, 0xef, 0xe8, 0, 1, 0, 0, 0xc3), 62, 0,
		  false },
		{ "movsxd rdx, edx", CODE(0x48, 0x63, 0xd2, 0xe8, 0, 1, 0, 0, 0xc3), 59, 0, false },
		{ "one of two branches spoils rsi", CODE(0x85, 0xd2, 0x78, 2, 0x31, 0xf6, 0xe8, 0, 1, 0, 0, 0xc3), 61,
		  0, false },
		{ "call through an object", CODE(0x48, 0x8b, 0x07, 0xff, 0x50, 0x38, 0xc3), 0, 0, true },
		{ "jump through a table", CODE(0xff, 0xe0), 0, 0, true },
		{ "falls off its end", CODE(0x31, 0xc0), 0, 0, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct insn_code code = { table[i].bytes, table[i].len, 0x1000 };
		struct insn_calls calls;

		assert_int_equal(insn_calls_find(insn_machine_here(), &code, &calls), 0);
		if (calls.is_partial != table[i].is_partial || calls.count != !table[i].is_partial ||
		    (calls.count && (calls.list[0].kept != table[i].kept || calls.list[0].frame != table[i].frame)))
			fail_msg("%s: %zu calls, partial %d, kept %x, frame %x", table[i].name, calls.count,
				 calls.is_partial, calls.list[0].kept, calls.list[0].frame);
	}
}

static void from_expect(const char *name, const uint8_t *bytes, size_t len, const uint8_t from[INSN_ARGS_MAX])
{
	struct insn_code code = { bytes, len, 0x1000 };
	struct insn_calls calls;

	assert_int_equal(insn_calls_find(insn_machine_here(), &code, &calls), 0);
	assert_int_equal(calls.count, 1);
	for (size_t i = 0; i < INSN_ARGS_MAX; i++)
		if (calls.list[0].from[i] != from[i])
			fail_msg("%s: argument %zu is %u", name, i + 1, calls.list[0].from[i]);
}

static void arguments_that_move_are_told_from_where(void **state)
{
	from_expect("mov rcx, rdx; mov rdx, rsi; xor esi, esi",
		    CODE(0x48, 0x89, 0xd1, 0x48, 0x89, 0xf2, 0x31, 0xf6, 0xe8, 0, 1, 0, 0, 0xc3),
		    (const uint8_t[]){ 1, 0, 2, 3, 5, 6 });
	from_expect("one of two branches moves rsi to rdx",
		    CODE(0x85, 0xd2, 0x78, 3, 0x48, 0x89, 0xf2, 0xe8, 0, 1, 0, 0, 0xc3),
		    (const uint8_t[]){ 1, 2, 0, 4, 5, 6 });
	from_expect("an address in the frame is no argument: mov rsi, rsp",
		    CODE(0x48, 0x89, 0xe6, 0xe8, 0, 1, 0, 0, 0xc3), (const uint8_t[]){ 1, 0, 3, 4, 5, 6 });
}

/* sub rsp; test edx, edx; js error; lea rcx, [rsp+8]; call inner; ret; error: call report; ret */
static void each_path_shows_its_first_call(void **state)
{
	static const uint8_t bytes[] = { 0x48, 0x83, 0xec, 0x18, 0x85, 0xd2, 0x78, 0x0b, 0x48, 0x8d, 0x4c, 0x24, 0x08,
					 0xe8, 0,    1,    0,    0,    0xc3, 0xe8, 0,    2,    0,    0,    0xc3 };
	struct insn_code code = { bytes, sizeof(bytes), 0x1000 };
	struct insn_calls calls;

	assert_int_equal(insn_calls_find(insn_machine_here(), &code, &calls), 0);
	assert_int_equal(calls.count, 2);
	assert_false(calls.is_partial);
	for (size_t i = 0; i < 2; i++) {
		bool is_inner = calls.list[i].target == 0x1000 + 18 + 0x100;

		assert_true(is_inner || calls.list[i].target == 0x1000 + 24 + 0x200);
		assert_int_equal(calls.list[i].frame, is_inner ? 8 : 0);
		assert_int_equal(calls.list[i].kept & 3, 3);
	}
}

static void a_stub_shows_its_pointer(void **state)
{
	static const uint8_t plain[] = { 0xff, 0x25, 0x10, 0, 0, 0 };
	static const uint8_t marked[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0x10, 0, 0, 0 };
	static const uint8_t other[] = { 0x55, 0xff, 0x25, 0x10, 0, 0, 0 };
	uint64_t slot;

	assert_int_equal(insn_stub_slot(insn_machine_here(), &(struct insn_code){ plain, 6, 0x1000 }, &slot), 0);
	assert_int_equal(slot, 0x1016);
	assert_int_equal(insn_stub_slot(insn_machine_here(), &(struct insn_code){ marked, 11, 0x1000 }, &slot), 0);
	assert_int_equal(slot, 0x101b);
	assert_int_equal(insn_stub_slot(insn_machine_here(), &(struct insn_code){ other, 7, 0x1000 }, &slot), -ENOENT);
}

static void any_bytes_are_survived_up_to_the_last(void **state)
{
	uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct insn_calls calls;
	uint64_t slot;
	size_t skip;

	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(mprotect(page + 4096, 4096, PROT_NONE), 0);
	srandom(7);
	for (int round = 0; round < 3000; round++) {
		size_t len = (size_t)random() % 96;
		struct insn_code code = { page + 4096 - len, len, (uint64_t)random() << 33 };

		for (size_t i = 0; i < len; i++) /* half of them are branches back and forth: loops that must end */
			page[4096 - len + i] = (uint8_t)(round & 1 ? random() : (i & 1 ? 0xf0 : 0x70) + random() % 16);
		insn_calls_find(insn_machine_here(), &code, &calls);
		assert_true(calls.count <= INSN_CALLS_MAX);
		if (insn_cheap_entry(insn_machine_here(), &code, &skip) == 0)
			assert_true(skip < len);
		insn_stub_slot(insn_machine_here(), &code, &slot);
	}
	munmap(page, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cheap_entry_has_arguments_and_stack_untouched),
		cmocka_unit_test(arguments_are_followed_to_the_first_call),
		cmocka_unit_test(arguments_that_move_are_told_from_where),
		cmocka_unit_test(each_path_shows_its_first_call),
		cmocka_unit_test(a_stub_shows_its_pointer),
		cmocka_unit_test(any_bytes_are_survived_up_to_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
