/* SPDX-License-Identifier: Apache-2.0 */
/* One library, loaded by the version whose header was built against. */
#include "probe/disasm.h"
#include "base/cleanup.h"
#include <dlfcn.h>
#include <stddef.h>

#define TEXT(x)       #x
#define NAME(version) "libcapstone.so." TEXT(version)

static const struct {
	const char *name;
	size_t at;
} functions[] = {
	{ "cs_open", offsetof(struct disasm, open) },
	{ "cs_close", offsetof(struct disasm, close) },
	{ "cs_option", offsetof(struct disasm, option) },
	{ "cs_malloc", offsetof(struct disasm, insn_new) },
	{ "cs_free", offsetof(struct disasm, insn_free) },
	{ "cs_disasm_iter", offsetof(struct disasm, decode) },
	{ "cs_regs_access", offsetof(struct disasm, registers) },
};

static struct {
	struct disasm disasm;
	void *library;
	unsigned users;
} shared;

const struct disasm *disasm_get(void)
{
	if (shared.users) {
		shared.users++;
		return &shared.disasm;
	}
	shared.library = dlopen(NAME(CS_API_MAJOR), RTLD_NOW | RTLD_LOCAL);
	if (!shared.library)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void **into = (void **)((char *)&shared.disasm + functions[i].at);

		*into = dlsym(shared.library, functions[i].name);
		if (!*into) {
			dlclose(shared.library);
			return NULL;
		}
	}
	shared.users = 1;
	return &shared.disasm;
}

void disasm_put(const struct disasm *disasm)
{
	if (disasm && --shared.users == 0)
		dlclose(shared.library);
}
