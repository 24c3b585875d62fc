/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64, in the words of the disassembler. */
#include "base/cleanup.h"
#include "probe/insn_machine.h"
#include <elf.h>

static const uint8_t x86_registers[INSN_REGISTERS][5] = {
	{ X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH },
	{ X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH },
	{ X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH },
	{ X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH },
	{ X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL },
	{ X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL },
	{ X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL },
	{ X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL },
	{ X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B },
	{ X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B },
	{ X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B },
	{ X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B },
	{ X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B },
	{ X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B },
	{ X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B },
	{ X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B },
};

static int x86_number_of(unsigned reg)
{
	for (int number = 0; reg != X86_REG_INVALID && number < INSN_REGISTERS; number++)
		if (memchr(x86_registers[number], (int)reg, sizeof(x86_registers[number])))
			return number;
	return -1;
}

/* What kernels since 5.8 emulate: push of a register, one-byte nop, and jmp, jcc and call with a relative target.
 * Prefixes make some kernels step them after all, so only the plain forms are named. */
static const struct {
	uint8_t lead, first, last; /* lead 0: none */
} x86_emulated[] = {
	{ 0, 0x50, 0x57 },    /* push, rax to rdi */
	{ 0x41, 0x50, 0x57 }, /* push, r8 to r15 */
	{ 0, 0x70, 0x7f },    /* jcc, short */
	{ 0x0f, 0x80, 0x8f }, /* jcc */
	{ 0, 0x90, 0x90 },    /* nop */
	{ 0, 0xe8, 0xe9 },    /* call, jmp */
	{ 0, 0xeb, 0xeb },    /* jmp, short */
};

static bool x86_is_emulated(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(x86_emulated); i++) {
		size_t at = x86_emulated[i].lead ? 1 : 0;

		if (at < len && (!at || bytes[0] == x86_emulated[i].lead) && bytes[at] >= x86_emulated[i].first &&
		    bytes[at] <= x86_emulated[i].last)
			return true;
	}
	return false;
}

static enum flow x86_flow(const cs_insn *insn)
{
	switch (insn->id) {
	case X86_INS_CALL:
	case X86_INS_LCALL:
	case X86_INS_SYSCALL:
		return FLOW_CALL;
	case X86_INS_JMP:
	case X86_INS_LJMP:
		return FLOW_JUMP;
	case X86_INS_RET:
	case X86_INS_RETF:
	case X86_INS_RETFQ:
	case X86_INS_HLT:
	case X86_INS_INT3:
	case X86_INS_UD2:
		return FLOW_END;
	default:
		for (uint8_t i = 0; i < insn->detail->groups_count; i++)
			if (insn->detail->groups[i] == X86_GRP_JUMP)
				return FLOW_BRANCH;
		return FLOW_NEXT;
	}
}

static bool x86_copy(const cs_insn *insn, unsigned *ret_from, bool *ret_is_moved)
{
	const cs_x86 *x86 = &insn->detail->x86;
	const cs_x86_op *from = &x86->operands[1];

	if (x86->op_count != 2 || x86->operands[0].type != X86_OP_REG || x86->operands[0].size != 8)
		return false;
	*ret_is_moved = insn->id == X86_INS_LEA;
	if (insn->id == X86_INS_LEA && from->mem.index == X86_REG_INVALID && from->mem.segment == X86_REG_INVALID)
		*ret_from = from->mem.base;
	else if (insn->id == X86_INS_MOV && from->type == X86_OP_REG)
		*ret_from = from->reg;
	else
		return false;
	return true;
}

static bool x86_target(const cs_insn *insn, struct insn_call *ret)
{
	const cs_x86_op *op = &insn->detail->x86.operands[0];

	if (insn->detail->x86.op_count != 1)
		return false;
	ret->is_slot = op->type == X86_OP_MEM;
	if (op->type == X86_OP_IMM)
		ret->target = (uint64_t)op->imm;
	else if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP && op->mem.index == X86_REG_INVALID)
		ret->target = insn->address + insn->size + (uint64_t)op->mem.disp;
	else
		return false;
	return true;
}

static bool x86_memory(const cs_insn *insn, struct insn_memory *ret)
{
	const cs_x86 *x86 = &insn->detail->x86;

	for (uint8_t i = 0; insn->id != X86_INS_LEA && insn->id != X86_INS_NOP && i < x86->op_count; i++) {
		const cs_x86_op *op = &x86->operands[i];

		if (op->type != X86_OP_MEM)
			continue;
		*ret = (struct insn_memory){
			.base = x86_number_of(op->mem.base),
			.distance = op->mem.disp,
			.is_read = op->access & CS_AC_READ,
			.is_written = op->access & CS_AC_WRITE,
		};
		return ret->base >= 0;
	}
	return false;
}

static size_t x86_skip_marks(const uint8_t *bytes, size_t len)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	return len >= sizeof(endbr64) && memcmp(bytes, endbr64, sizeof(endbr64)) == 0 ? sizeof(endbr64) : 0;
}

const struct insn_machine insn_x86 = {
	.elf = EM_X86_64,
	.arch = CS_ARCH_X86,
	.mode = CS_MODE_64,
	.args = { 5, 4, 3, 2, 8, 9 },
	.stack = 7,
	.number_of = x86_number_of,
	.is_emulated = x86_is_emulated,
	.flow = x86_flow,
	.copy = x86_copy,
	.target = x86_target,
	.skip_marks = x86_skip_marks,
	.memory = x86_memory,
};
