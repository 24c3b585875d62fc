/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's functions are whole: nothing but instructions from the first byte to the last, and no way out but a return. So all of them
 * are found by going through it once; where one byte is not understood, none of it is believed.
 *
 * A function first asks whether the stack has room, and begins again when it was given more:
 *
 *	cmp rsp, [r14+16]; jbe more; push rbp; …          since Go 1.21; before, no push
 *
 * The kernel emulates the jump and the push. The push is passed once a call, the jump once more when the stack has grown.
 */
#include "probe/go_code.h"
#include "base/cleanup.h"
#include "probe/disasm.h"
#include <elf.h>
#include <errno.h>

enum { ARM64_RET = 0xd65f03c0, X86_PUSH_RBP = 0x55 };

/* The instructions of that question. r12 is nobody's at an entry. */
static const struct {
	uint8_t bytes[4], known, len;
	bool is_jump;
} checks[] = {
	{ { 0x49, 0x3b, 0x66, 0x10 }, 4, 4, false }, /* cmp rsp, [r14+16] */
	{ { 0x4d, 0x3b, 0x66, 0x10 }, 4, 4, false }, /* cmp r12, [r14+16] */
	{ { 0x4c, 0x8d, 0x64, 0x24 }, 4, 5, false }, /* lea r12, [rsp+n] */
	{ { 0x4c, 0x8d, 0xa4, 0x24 }, 4, 8, false }, /* the same, n of four bytes */
	{ { 0x49, 0x89, 0xe4 }, 3, 3, false },       /* mov r12, rsp */
	{ { 0x49, 0x81, 0xec }, 3, 7, false },       /* sub r12, n */
	{ { 0x76 }, 1, 2, true },                    /* jbe */
	{ { 0x0f, 0x86 }, 2, 6, true },
	{ { 0x72 }, 1, 2, true }, /* jb */
	{ { 0x0f, 0x82 }, 2, 6, true },
};

static void x86_entry(struct slice code, struct go_places *ret)
{
	size_t at = 0, i;

	ret->entry = 0;
	ret->is_stepped = true;
	for (;;) {
		struct slice rest = slice_from(code, at);

		if (rest.len && (uint8_t)rest.data[0] == X86_PUSH_RBP) {
			ret->entry = (uint32_t)at;
			ret->is_stepped = false;
			return;
		}
		for (i = 0; i < ARRAY_SIZE(checks); i++)
			if (slice_starts(rest, (struct slice){ (const char *)checks[i].bytes, checks[i].known }))
				break;
		if (i == ARRAY_SIZE(checks) || rest.len < checks[i].len)
			return;
		if (checks[i].is_jump) {
			ret->entry = (uint32_t)at;
			ret->is_stepped = false;
		}
		at += checks[i].len;
	}
}

static int return_add(struct go_places *places, size_t at)
{
	if (places->return_count == GO_RETURNS_MAX)
		return -EINVAL;
	places->returns[places->return_count++] = (uint32_t)at;
	return 0;
}

static int x86_returns_with(const struct disasm *disasm, csh capstone, struct slice code, struct go_places *ret)
{
	const uint8_t *at = (const uint8_t *)code.data;
	cs_insn *insn = disasm->insn_new(capstone);
	uint64_t address = 0;
	int r = insn ? 0 : -ENOMEM;

	while (r == 0 && code.len) {
		if (!disasm->decode(capstone, &at, &code.len, &address, insn))
			r = -EINVAL;
		else if (insn->id == X86_INS_RET)
			r = return_add(ret, insn->address);
	}
	if (insn)
		disasm->insn_free(insn, 1);
	return r;
}

static int x86_returns(struct slice code, struct go_places *ret)
{
	const struct disasm *disasm = disasm_get();
	csh capstone;
	int r = -ENOTSUP;

	if (disasm && disasm->open(CS_ARCH_X86, CS_MODE_64, &capstone) == CS_ERR_OK) {
		r = x86_returns_with(disasm, capstone, code, ret);
		disasm->close(&capstone);
	}
	disasm_put(disasm);
	return r;
}

static int arm64_returns(struct slice code, struct go_places *ret)
{
	uint32_t word;
	int r = 0;

	for (size_t at = 0; r == 0 && at + sizeof(word) <= code.len; at += sizeof(word)) {
		memcpy(&word, code.data + at, sizeof(word));
		if (word == ARM64_RET)
			r = return_add(ret, at);
	}
	return r;
}

int go_code_read(uint16_t machine, struct slice code, struct go_places *ret)
{
	int r;

	*ret = (struct go_places){ .is_stepped = true };
	if (!code.len || code.len > GO_CODE_MAX)
		return -EINVAL;
	if (machine == EM_AARCH64) {
		r = arm64_returns(code, ret);
	} else {
		x86_entry(code, ret);
		r = x86_returns(code, ret);
	}
	return r == 0 && !ret->return_count ? -EINVAL : r;
}
