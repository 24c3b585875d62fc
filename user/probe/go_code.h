/* SPDX-License-Identifier: Apache-2.0 */
/* The code of one function that Go's compiler made: where to probe its entry, and where it returns. */
#pragma once
#include "base/slice.h"

enum { GO_CODE_MAX = 16 << 10, GO_RETURNS_MAX = 24 };

struct go_places { /* counted from the start of the function */
	uint32_t entry;
	bool is_stepped; /* the kernel must single-step the instruction there */
	uint32_t returns[GO_RETURNS_MAX];
	size_t return_count;
};

/* @machine: EM_ number. -ENOTSUP when the disassembler cannot be had, -EINVAL when the code is not understood up to its end, or
 * returns more often than this page can hold. */
int go_code_read(uint16_t machine, struct slice code, struct go_places *ret);
