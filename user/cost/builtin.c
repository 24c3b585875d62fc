/* SPDX-License-Identifier: Apache-2.0 */
/* The file itself, as it is in the sources: what users replace is what they can read. */
#include "cost/cost.h"

__asm__(".section .rodata\n"
	"cost_file_start:\n"
	".incbin \"deploy/prices/prices.json\"\n"
	"cost_file_end:\n"
	".previous\n");

extern const char cost_file_start[] __attribute__((visibility("hidden")));
extern const char cost_file_end[] __attribute__((visibility("hidden")));

struct slice cost_builtin(void)
{
	return (struct slice){ cost_file_start, (size_t)(cost_file_end - cost_file_start) };
}
