/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code swept byte by byte for a few shapes of instructions, without decoding: what a disassembler would take minutes for takes a
 * tenth of a second for a hundred megabytes. Hits are hints; who takes one must check it.
 */
#pragma once
#include "probe/elf.h"

enum { CODE_NEAR = 48, CODE_REGISTERS = 32, CODE_NUMBERS_MAX = 24 };

/* A piece of code. What begins at bytes @from to @to is looked at; there are CODE_NEAR more on both sides where the file has them. */
struct code_window {
	const uint8_t *bytes;
	size_t len, from, to;
	uint64_t address; /* of bytes[0] */
};

struct code_sweep {
	uint64_t low, high; /* addresses that are of interest */
	bool is_fixed;      /* the program knows its own address, and may use it as a number */
	/* An instruction at @at makes @address, or calls it. */
	void (*found)(void *user, const struct code_window *window, size_t at, uint64_t address);
	void *user;
	/* Of machines that make an address in two steps: the first one. */
	uint64_t pages[CODE_REGISTERS], made[CODE_REGISTERS];
};

struct code_machine {
	uint16_t elf;
	void (*addresses)(struct code_sweep *sweep, const struct code_window *window);
	void (*calls)(struct code_sweep *sweep, const struct code_window *window);
	/* The small numbers that are made near @at. Returns how many. */
	size_t (*numbers)(const struct code_window *window, size_t at, uint16_t ret[static CODE_NUMBERS_MAX]);
	/* Could a function begin there? */
	bool (*begins)(uint64_t address, const uint8_t before[static 16], const uint8_t code[static 8]);
};

const struct code_machine *code_machine_of(const struct elf *elf);

/* All code of the file through @look: one of a machine's functions. -ENOMEM, or -E2BIG when there is more than any program has. */
int code_sweep(const struct elf *elf, void (*look)(struct code_sweep *sweep, const struct code_window *window),
	       struct code_sweep *sweep);
