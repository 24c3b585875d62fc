/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded reading of a 64-bit little-endian ELF file that nobody vouches for: it may be cut short, changed while it is
 * read, or made to break its reader. All reading goes through the descriptor with pread; every offset is checked there,
 * every count has a maximum, and nothing is kept but what this page shows.
 */
#pragma once
#include "base/slice.h"
#include <elf.h>

enum { ELF_SEGMENTS_MAX = 64, ELF_BUILD_ID_MAX = 20 };

struct elf {
	int fd;
	uint64_t size;
	Elf64_Ehdr header;
	Elf64_Phdr segments[ELF_SEGMENTS_MAX]; /* PT_LOAD, PT_DYNAMIC, PT_NOTE and PT_GNU_EH_FRAME only */
	size_t segment_count;
};

/* A symbol table and its names, as places in the file. Lengths are inside the file when it was looked at. */
struct elf_symbols {
	uint64_t offset;
	uint64_t count;
	uint64_t names_offset;
	uint64_t names_len;
};

/* -ENOEXEC: no program or shared library for @machine; other negative errno from the descriptor. Does not own @fd. */
int elf_open(int fd, uint16_t machine, struct elf *ret);

/* All @len bytes at @offset, or -ENODATA when the file does not hold them. */
int elf_read(const struct elf *elf, uint64_t offset, void *to, size_t len);
/* As many as there are, up to @len. */
size_t elf_read_some(const struct elf *elf, uint64_t offset, void *to, size_t len);

/* File offset of a virtual address that is backed by the file (not .bss), else -ENOENT. */
int elf_offset_of(const struct elf *elf, uint64_t address, uint64_t *ret);
/* The same for an address that can be executed. */
int elf_code_offset_of(const struct elf *elf, uint64_t address, uint64_t *ret);

/* Bytes of the GNU build id, 0 when there is none. */
uint8_t elf_build_id(const struct elf *elf, uint8_t ret[static ELF_BUILD_ID_MAX]);

/* The exported symbols, found through PT_DYNAMIC: works without section headers. -ENOENT when there are none. */
int elf_dynsym(const struct elf *elf, struct elf_symbols *ret);
/* The whole symbol table with local functions, which only section headers know. */
int elf_symtab(const struct elf *elf, struct elf_symbols *ret);

/* For each of @names (all begin with @prefix) its first function in the table with a body in this file; st_value 0:
 * none. Returns how many were found. */
size_t elf_symbols_find(const struct elf *elf, const struct elf_symbols *table, struct slice prefix,
			const char *const names[], size_t name_count, Elf64_Sym ret[]);

/* Address that the linker will store into the pointer at @slot (a PLT's or GOT's entry) when it is a function of this
 * very file; -ENOENT when it comes from another file, or is no such pointer. */
int elf_slot_value(const struct elf *elf, uint64_t slot, uint64_t *ret);

/* The stretch of code that @address is in, as the tables for unwinding have it. */
struct elf_function {
	uint64_t start, end;
	bool is_part; /* it is jumped into with a frame made: the rare part of a function that begins elsewhere */
};
/* -ENOENT when they do not tell. */
int elf_function_at(const struct elf *elf, uint64_t address, struct elf_function *ret);
