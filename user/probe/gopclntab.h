/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's own table of functions, which its runtime needs and strip therefore leaves: where each function begins and ends, by
 * name. Read from the segments alone, without section headers.
 */
#pragma once
#include "probe/elf.h"

struct go_function {
	uint64_t address; /* 0: there is none of that name */
	uint64_t len;
};

/* The version that the program was built with, "go1.26.8", or "" where it cannot be read. False: not built by Go. */
bool gopclntab_version(const struct elf *elf, char *ret, size_t size);

/* Functions by their full names, which all begin with @prefix. *ret_is_old: a table of Go 1.16 or 1.17, which only the
 * version tells apart. -ENOENT: no such table, or none that is known. */
int gopclntab_find(const struct elf *elf, struct slice prefix, const char *const names[], size_t name_count,
		   struct go_function ret[], bool *ret_is_old);
