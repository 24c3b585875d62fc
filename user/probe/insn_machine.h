/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between processors, as one row of functions: private to the reading of machine code. */
#pragma once
#include "probe/disasm.h"
#include "probe/insn.h"

enum { INSN_REGISTERS = 16 };

enum flow { FLOW_NEXT, FLOW_BRANCH, FLOW_JUMP, FLOW_CALL, FLOW_END };

struct insn_memory;

struct insn_machine {
	uint16_t elf;
	cs_arch arch;
	cs_mode mode;
	int args[INSN_ARGS_MAX]; /* numbers of the registers with the arguments, and of the stack pointer */
	int stack;
	int (*number_of)(unsigned reg); /* below INSN_REGISTERS, or -1; parts of a register have its number */
	bool (*is_emulated)(const uint8_t *bytes, size_t len);
	enum flow (*flow)(const cs_insn *insn);
	/* It only copies a whole register, or adds a constant to it (*ret_is_moved). */
	bool (*copy)(const cs_insn *insn, unsigned *ret_from, bool *ret_is_moved);
	/* Where a jump or call goes; false when only a register knows. */
	bool (*target)(const cs_insn *insn, struct insn_call *ret);
	size_t (*skip_marks)(const uint8_t *bytes, size_t len); /* landing marks that do nothing */
	/* false: it touches no memory by a register. */
	bool (*memory)(const cs_insn *insn, struct insn_memory *ret);
};

struct insn_memory {
	int base; /* number of the register */
	int64_t distance;
	bool is_read, is_written;
};

extern const struct insn_machine insn_x86;
