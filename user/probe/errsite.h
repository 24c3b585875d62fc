/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions without names, found by what they report when they fail: every such report names a source file (or a function) by a
 * text, and hands over a reason and a line as numbers. Compilers choose other registers and other orders, but these they keep. So:
 * where the text lies, which code makes its address, which small numbers that code makes beside it, and which function it is in.
 */
#pragma once
#include "probe/elf.h"
#include "probe/site_strings.h"

enum { ERRSITE_NUMBERS_MAX = 62, ERRSITE_FUNCTIONS_MAX = 256 };

struct errsite_function {
	uint64_t start;
	uint64_t end;      /* behind its last byte; 0: not known */
	uint64_t reported; /* the first place in it that refers to a text */
	unsigned words;    /* bits by enum site_word: what it refers to */
	uint16_t count;
	uint16_t numbers[ERRSITE_NUMBERS_MAX];
};

struct errsites {
	struct errsite_function functions[ERRSITE_FUNCTIONS_MAX];
	size_t count;
};

/* The functions that refer to @strings. 0, -ENOTSUP for files of another machine, -ENOMEM, or -E2BIG when there are so many that
 * they mean nothing. */
int errsite_find(const struct elf *elf, const struct site_strings *strings, struct errsites *ret);
/* The functions that call @address, as far as the tables for unwinding tell where they begin; @reported is the call. As above. */
int errsite_callers(const struct elf *elf, uint64_t address, struct errsites *ret);
bool errsite_has(const struct errsite_function *function, int number);
