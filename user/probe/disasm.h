/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disassembler, in memory only while code is read: its tables are written when they are loaded, 4 MiB that the process
 * would else hold for life. Users nest; the last one lets it go. Not for several threads.
 */
#pragma once
#include <capstone/capstone.h>

struct disasm {
	__typeof__(&cs_open) open;
	__typeof__(&cs_close) close;
	__typeof__(&cs_option) option;
	__typeof__(&cs_malloc) insn_new;
	__typeof__(&cs_free) insn_free;
	__typeof__(&cs_disasm_iter) decode;
	__typeof__(&cs_regs_access) registers;
};

/* NULL when this system has none; then there is nothing to put. */
const struct disasm *disasm_get(void);
/* NULL is nothing. */
void disasm_put(const struct disasm *disasm);
