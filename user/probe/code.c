/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each machine; windows are read so that what lies across two of them is whole in one. */
#include "probe/code.h"
#include "base/cleanup.h"
#include <errno.h>

enum { WINDOW = 256 << 10, NUMBER_MAX = 0xfff, BUDGET = 1 << 30 };

static uint32_t word_at(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static bool is_in(const struct code_sweep *sweep, uint64_t address)
{
	return address >= sweep->low && address <= sweep->high;
}

static size_t number_add(uint16_t *numbers, size_t count, uint32_t number)
{
	if (count == CODE_NUMBERS_MAX || !number || number > NUMBER_MAX)
		return count;
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return count;
	numbers[count] = (uint16_t)number;
	return count + 1;
}

/* ---- x86-64 ---- */

/* lea reg, [rip + distance] */
static bool x86_is_lea(const uint8_t *insn)
{
	return (insn[0] == 0x48 || insn[0] == 0x4c) && insn[1] == 0x8d && (insn[2] & 0xc7) == 0x05;
}

/* Of each four bytes: would they lead there? That alone is rare, so only then it is asked what stands before them. */
static void x86_addresses(struct code_sweep *sweep, const struct code_window *window)
{
	const uint8_t *bytes = window->bytes;
	uint32_t low = (uint32_t)sweep->low, span = (uint32_t)MIN(sweep->high - sweep->low, UINT32_MAX);
	uint32_t base = (uint32_t)window->address + 4 - low;
	size_t end = MIN(window->to + 3, window->len < 4 ? 0 : window->len - 3);

	for (size_t at = window->from + 1; at < end; at++) {
		uint32_t word = word_at(bytes + at);

		if (base + (uint32_t)at + word <= span && at >= window->from + 3 && x86_is_lea(bytes + at - 3)) {
			uint64_t address = window->address + at + 4 + (uint64_t)(int64_t)(int32_t)word;

			if (is_in(sweep, address))
				sweep->found(sweep->user, window, at - 3, address);
		}
		if (word - low <= span && sweep->is_fixed && bytes[at - 1] >= 0xb8 && bytes[at - 1] <= 0xbf &&
		    at <= window->to && is_in(sweep, word))
			sweep->found(sweep->user, window, at - 1, word);
	}
}

enum { X86_JUMP_MIN = 4096 }; /* shorter jumps stay in their function */

static void x86_calls(struct code_sweep *sweep, const struct code_window *window)
{
	for (size_t at = window->from; at < window->to && at + 5 <= window->len; at++) {
		uint8_t code = window->bytes[at];
		int32_t distance;
		uint64_t address;

		if ((code & 0xfe) != 0xe8)
			continue;
		distance = (int32_t)word_at(window->bytes + at + 1);
		address = window->address + at + 5 + (uint64_t)(int64_t)distance;
		if (is_in(sweep, address) && (code == 0xe8 || distance < -X86_JUMP_MIN || distance > X86_JUMP_MIN))
			sweep->found(sweep->user, window, at, address);
	}
}

/* mov reg, number; and push of a byte that is popped at once. Before the reference and behind it. */
static size_t x86_numbers(const struct code_window *window, size_t at, uint16_t ret[static CODE_NUMBERS_MAX])
{
	enum { BEFORE = 32, BEHIND = 40 };
	size_t end = MIN(at + BEHIND, window->len < 6 ? 0 : window->len - 6), count = 0;

	for (size_t i = at - MIN(at, BEFORE); i < end; i++) {
		const uint8_t *insn = window->bytes + i;
		size_t high = insn[2] == 0x41; /* of eight more registers */

		if (insn[0] >= 0xb8 && insn[0] <= 0xbf)
			count = number_add(ret, count, word_at(insn + 1));
		else if (insn[0] == 0x6a && insn[2 + high] >= 0x58 && insn[2 + high] <= 0x5f)
			count = number_add(ret, count, insn[1]);
	}
	return count;
}

static bool x86_is_filled(const uint8_t *end)
{
	if (end[-1] == 0xcc || end[-1] == 0x90 || end[-1] == 0xc3 || end[-5] == 0xe9 || end[-5] == 0xe8 ||
	    end[-2] == 0xeb || (end[-2] == 0x0f && end[-1] == 0x0b))
		return true;
	/* nop with an operand, of three to nine bytes */
	for (int len = 3; !end[-1] && len <= 9; len++)
		if (end[-len] == 0x0f && end[1 - len] == 0x1f)
			return true;
	return false;
}

static const struct {
	uint8_t code[2], mask[2];
} x86_first[] = {
	{ { 0x50 }, { 0xf8 } },             /* push */
	{ { 0x41, 0x50 }, { 0xff, 0xf8 } }, /* push r8 to r15 */
	{ { 0x48 }, { 0xfb } },             /* of 64 bits */
	{ { 0x49 }, { 0xfb } },
	{ { 0x4a }, { 0xfa } },
	{ { 0xf3, 0x0f }, { 0xff, 0xff } }, /* endbr64 */
	{ { 0x31 }, { 0xff } },             /* xor */
	{ { 0x83 }, { 0xff } },             /* cmp, sub */
	{ { 0x85 }, { 0xff } },             /* test */
	{ { 0x89 }, { 0xfd } },             /* mov */
	{ { 0x80 }, { 0xff } },
	{ { 0x0f, 0xb6 }, { 0xff, 0xff } },
};

/* Where code is made small, functions begin at any address; then only those that make a frame are taken for one. */
static bool x86_begins(uint64_t address, const uint8_t before[static 16], const uint8_t code[static 8])
{
	static const uint8_t frame[] = { 0x55, 0x48, 0x89, 0xe5 }; /* push rbp; mov rbp, rsp */

	if (!x86_is_filled(before + 16))
		return false;
	if (memcmp(code, frame, sizeof(frame)) == 0)
		return true;
	if (address % 16)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(x86_first); i++)
		if ((code[0] & x86_first[i].mask[0]) == x86_first[i].code[0] &&
		    (code[1] & x86_first[i].mask[1]) == x86_first[i].code[1])
			return true;
	return false;
}

/* ---- arm64 ---- */

enum { ARM64_STEPS_MAX = 60 * 4 }; /* how far apart the two halves of an address are made */

static uint64_t arm64_signed(uint32_t value, int bits)
{
	return (uint64_t)((int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits));
}

/* adrp xD, page; ... add xE, xD, #rest */
static void arm64_addresses(struct code_sweep *sweep, const struct code_window *window)
{
	for (size_t at = (window->from + 3) & ~3ul; at < window->to && at + 4 <= window->len; at += 4) {
		uint32_t insn = word_at(window->bytes + at), to = insn & 31, from = insn >> 5 & 31;
		uint64_t here = window->address + at, address;

		if ((insn & 0x9f000000) == 0x90000000) {
			uint32_t pages = (insn >> 5 & 0x7ffff) << 2 | (insn >> 29 & 3);

			sweep->pages[to] = (here & ~0xffful) + (arm64_signed(pages, 21) << 12);
			sweep->made[to] = here;
		} else if ((insn & 0xffc00000) == 0x91000000 && sweep->made[from] &&
			   here - sweep->made[from] <= ARM64_STEPS_MAX) {
			address = sweep->pages[from] + (insn >> 10 & 0xfff);
			if (is_in(sweep, address))
				sweep->found(sweep->user, window, at, address);
		}
	}
}

static void arm64_calls(struct code_sweep *sweep, const struct code_window *window)
{
	for (size_t at = (window->from + 3) & ~3ul; at < window->to && at + 4 <= window->len; at += 4) {
		uint32_t insn = word_at(window->bytes + at);
		uint64_t address = window->address + at + (arm64_signed(insn & 0x3ffffff, 26) << 2);

		if ((insn & 0xfc000000) == 0x94000000 && is_in(sweep, address))
			sweep->found(sweep->user, window, at, address);
	}
}

/* movz wD, #number */
static size_t arm64_numbers(const struct code_window *window, size_t at, uint16_t ret[static CODE_NUMBERS_MAX])
{
	enum { AROUND = 10 * 4 };
	size_t end = MIN(at + AROUND, window->len < 4 ? 0 : window->len - 4), count = 0;

	for (size_t i = at - MIN(at, AROUND); i < end; i += 4) {
		uint32_t insn = word_at(window->bytes + i);

		if ((insn & 0xffe00000) == 0x52800000)
			count = number_add(ret, count, insn >> 5 & 0xffff);
	}
	return count;
}

/* ret, a jump, a stop, a nop or nothing before it. */
static bool arm64_begins(uint64_t address, const uint8_t before[static 16], const uint8_t code[static 8])
{
	uint32_t last = word_at(before + 12);

	return address % 4 == 0 && word_at(code) &&
	       (last == 0xd65f03c0 || last == 0xd503201f || !last || (last & 0xfc000000) == 0x14000000 ||
		(last & 0xfc000000) == 0x94000000 || (last & 0xffe0001f) == 0xd4200000);
}

static const struct code_machine machines[] = {
	{ EM_X86_64, x86_addresses, x86_calls, x86_numbers, x86_begins },
	{ EM_AARCH64, arm64_addresses, arm64_calls, arm64_numbers, arm64_begins },
};

const struct code_machine *code_machine_of(const struct elf *elf)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].elf == elf->header.e_machine)
			return &machines[i];
	return NULL;
}

/* ---- windows ---- */

static void segment_sweep(const struct elf *elf, const Elf64_Phdr *segment,
			  void (*look)(struct code_sweep *sweep, const struct code_window *window),
			  struct code_sweep *sweep, uint8_t *bytes, uint64_t *left)
{
	for (uint64_t at = 0; at < segment->p_filesz && *left; at += WINDOW) {
		uint64_t start = at < CODE_NEAR ? 0 : at - CODE_NEAR;
		size_t want = (size_t)MIN(at - start + WINDOW + CODE_NEAR, segment->p_filesz - start);
		struct code_window window = { .bytes = bytes, .from = (size_t)(at - start) };

		window.len = elf_read_some(elf, segment->p_offset + start, bytes, want);
		window.to = MIN(window.from + WINDOW, window.len);
		window.address = segment->p_vaddr + start;
		if (window.len <= window.from)
			return;
		look(sweep, &window);
		*left -= MIN(*left, window.to - window.from);
	}
}

int code_sweep(const struct elf *elf, void (*look)(struct code_sweep *sweep, const struct code_window *window),
	       struct code_sweep *sweep)
{
	uint8_t *bytes CLEANUP_FREE = malloc(WINDOW + 2 * CODE_NEAR);
	uint64_t left = BUDGET;

	if (!bytes)
		return -ENOMEM;
	sweep->is_fixed = elf->header.e_type == ET_EXEC;
	for (size_t i = 0; i < elf->segment_count; i++)
		if (elf->segments[i].p_type == PT_LOAD && elf->segments[i].p_flags & PF_X)
			segment_sweep(elf, &elf->segments[i], look, sweep, bytes, &left);
	return left ? 0 : -E2BIG;
}
