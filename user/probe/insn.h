/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading machine code for two questions: where is the first instruction of a function that a probe costs little on,
 * and which functions does it hand its own arguments to before it calls anything else.
 */
#pragma once
#include "base/slice.h"

enum {
	INSN_CODE_MAX = 512, /* more of a function is never looked at */
	INSN_CALLS_MAX = 16,
	INSN_ARGS_MAX = 6,
	INSN_BODY_MAX = 2048,
};

/* The beginning of a function, or all of it. Not trusted: it may be anything. */
struct insn_code {
	const uint8_t *bytes;
	size_t len;
	uint64_t address;
};

/* A function that is entered (called, or jumped to) while the arguments may still be those of the caller. Bit n stands
 * for argument n. */
struct insn_call {
	uint64_t target;
	bool is_slot;                /* target is the address of a pointer that the linker fills */
	unsigned kept;               /* arguments that are as they came */
	uint8_t from[INSN_ARGS_MAX]; /* which of the caller's arguments each is, and one more; 0: none of them */
	unsigned frame;              /* arguments that are addresses in the caller's own stack frame */
};

struct insn_calls {
	struct insn_call list[INSN_CALLS_MAX];
	size_t count;
	bool is_partial; /* it also goes where the code does not tell (a function pointer), or it is too long */
};

struct insn_machine;

/* The machine that this program runs on; the one whose files can be probed here. */
const struct insn_machine *insn_machine_here(void);
uint16_t insn_machine_elf(const struct insn_machine *machine); /* its EM_ number */

/* Every first call on every path from the start. -ENOTSUP when the disassembler cannot be had. */
int insn_calls_find(const struct insn_machine *machine, const struct insn_code *code, struct insn_calls *ret);

/* Bytes from the start to the first instruction which the kernel emulates and which is reached with the arguments and
 * the stack as the caller left them; -ENOENT when there is none and the start must do. */
int insn_cheap_entry(const struct insn_machine *machine, const struct insn_code *code, size_t *ret);

/* A linker's stub that only jumps through a pointer: 0 and the pointer's address, else -ENOENT. */
int insn_stub_slot(const struct insn_machine *machine, const struct insn_code *code, uint64_t *ret);

/* What a function does on any path, behind calls as well. */
struct insn_body {
	bool reads_first; /* memory by the address that its first argument is */
	uint64_t words;   /* which words of it, by bits */
	bool stores;      /* into memory that is not its own frame */
	bool is_reached;  /* the instruction that was asked for */
	/* Its arguments that it gives as the fourth one to a function that a pointer leads to. Bit n stands for argument n. */
	unsigned hands_on;
};

/* @at: the address of an instruction. Of at most INSN_BODY_MAX bytes. */
int insn_body_look(const struct insn_machine *machine, const struct insn_code *code, uint64_t at,
		   struct insn_body *ret);
