/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of TLS libraries and their ciphers in files without their names. */
#pragma once
#include "probe/elf.h"
#include "probe/insn.h"
#include "probe/site.h"
#include "probe/site_strings.h"

struct bare_site {
	enum site_role role;
	enum site_family family;
	bool is_inner;
	const char *symbol; /* its name in the source; static */
	uint64_t address;
};

enum { BARE_SITES_MAX = 16 };

/* What @strings tell to be there and @has_names does not: families that were found by name. Returns how many were found; what is not
 * found beyond doubt is not found. */
size_t bare_find(const struct elf *elf, const struct insn_machine *machine, const struct site_strings *strings,
		 const bool has_names[_SITE_FAMILY_MAX], struct bare_site ret[static BARE_SITES_MAX]);
