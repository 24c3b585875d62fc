/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's crypto/tls is in the program, and so is the table of its functions. Plaintext passes two of them: Read, and
 * writeRecordLocked, which Write enters when the handshake is done and the connection its own, and which tells how much was sent.
 *
 * A goroutine's stack may be moved while it is in a function, and a return address changed there would kill the program. So the
 * ends of both are probed at each of their return instructions: all of them, or none.
 */
#include "probe/site_go.h"
#include "base/cleanup.h"
#include "probe/go_code.h"
#include "probe/gopclntab.h"
#include <errno.h>
#include <stdio.h>

#define TYPE "crypto/tls.(*Conn)."

static const char *const names[] = { TYPE "Read", TYPE "writeRecordLocked", TYPE "Close", TYPE "clientHandshake",
				     TYPE "serverHandshake" };
static const struct {
	enum site_role entry, end; /* _SITE_MAX: its end is of no interest */
} places[ARRAY_SIZE(names)] = {
	{ SITE_GO_READ, SITE_GO_READ_END }, { SITE_GO_WRITE, SITE_GO_WRITE_END }, { SITE_GO_OVER, _SITE_MAX },
	{ SITE_GO_BEGIN, _SITE_MAX },       { SITE_GO_BEGIN, _SITE_MAX },
};
enum { NEEDED = 2 }; /* the first two; the rest tells when an object's life begins and ends */

/* Since Go 1.17 arguments are in registers; its table looks like that of 1.16, which has them on the stack. */
static const char first_version[] = "go1.17";

static const char why_old[] =
	"it was built by a Go older than 1.17, whose functions take their arguments in another way: "
	"build it with a newer one";
static const char why_strange[] = "Go's crypto/tls is in it, in a form that this version does not know";

static int site_put(struct site_set *set, struct site site)
{
	site.family = SITE_FAMILY_GO;
	if (set->count == SITES_MAX)
		return -ENOSPC;
	set->sites[set->count++] = site;
	return 0;
}

static int function_sites(const struct elf *elf, size_t i, const struct go_function *function, struct site_set *set)
{
	char bytes[GO_CODE_MAX];
	struct go_places found;
	uint64_t offset;
	int r = elf_code_offset_of(elf, function->address, &offset);

	if (r < 0 || function->len > sizeof(bytes) || elf_read(elf, offset, bytes, function->len) < 0)
		return -EINVAL;
	r = go_code_read(elf->header.e_machine, (struct slice){ bytes, function->len }, &found);
	if (r == 0)
		r = site_put(set, (struct site){ .role = places[i].entry,
						 .offset = offset + found.entry,
						 .is_stepped = found.is_stepped,
						 .symbol = names[i] });
	for (size_t k = 0; r == 0 && places[i].end != _SITE_MAX && k < found.return_count; k++)
		r = site_put(set, (struct site){ .role = places[i].end,
						 .offset = offset + found.returns[k],
						 .is_stepped = true,
						 .symbol = names[i] });
	return r;
}

static bool functions_sites(const struct elf *elf, const struct go_function functions[], struct site_set *set)
{
	size_t count = set->count;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool is_needed = i < NEEDED;

		if (functions[i].address ? function_sites(elf, i, &functions[i], set) < 0 : is_needed) {
			set->count = count;
			return false;
		}
	}
	return true;
}

void site_go_find(const struct elf *elf, struct site_set *set)
{
	struct go_function functions[ARRAY_SIZE(names)];
	char version[sizeof(set->version) - 2];
	bool is_old, is_found;

	if (!gopclntab_version(elf, version, sizeof(version)) ||
	    gopclntab_find(elf, SLICE(TYPE), names, ARRAY_SIZE(names), functions, &is_old) < 0)
		return;
	is_old = is_old && (strncmp(version, first_version, sizeof(first_version) - 1) != 0 ||
			    elf->header.e_machine != EM_X86_64);
	is_found = !is_old && functions_sites(elf, functions, set);
	if (set->count && set->sites[0].family != SITE_FAMILY_GO)
		return; /* it is called after the library that was found first */
	set->family = SITE_FAMILY_GO;
	set->why_not = is_found ? NULL : is_old ? why_old : why_strange;
	snprintf(set->method, sizeof(set->method), "pclntab");
	if (strncmp(version, "go", 2) == 0)
		snprintf(set->version, sizeof(set->version), "Go %s", version + 2);
	else
		set->version[0] = '\0';
}
