/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names lead to the API functions, and what is looked for is told by tables; their code leads to the cheap place. OpenSSL's SSL_read and SSL_read_ex are thin
 * covers of one inner function, and its name is gone from most files, but the covers show it: it is the one function
 * that both enter first, with ssl and buffer still as they came, and SSL_read passes it the address of a count in its
 * own frame. The register with that address tells the inner function's shape (OpenSSL 3.3 put flags before the count).
 *
 *	SSL_read(ssl, buf, n) ──────▶ { size_t done; inner(ssl, buf, n, &done) }
 *	SSL_read_ex(ssl, buf, n, &done) ──▶ inner(ssl, buf, n, &done)
 *
 * Where a cover is not seen to call it (Node 20 to 24 carry copies of it in each), every API function gets a probe of
 * its own: a call must pass one, never none.
 *
 * Files without names are another matter (bare.h).
 */
#include "probe/site.h"
#include "base/cleanup.h"
#include "probe/bare.h"
#include "probe/disasm.h"
#include "probe/elf.h"
#include "probe/insn.h"
#include "probe/site_go.h"
#include "probe/site_strings.h"
#include <errno.h>
#include <stdio.h>

enum { ARG_SSL = 1 << 0, ARG_BUF = 1 << 1, ARG_3 = 1 << 3, ARG_4 = 1 << 4 };

enum { FUNCTIONS_MAX = 16 };

struct function {
	const char *name;
	enum site_role role;
};

/* Functions that do the same, by their places in the library's table. */
struct direction {
	const char *inner;    /* NULL: they share none that could be probed */
	enum site_role typed; /* of an inner one that takes a type before the buffer, and others go by in other ways */
	size_t count;
	unsigned functions[3]; /* the first is the one that returns the count as int */
};

/* A library that is known by the names of its functions. One that does not both read and write is none. */
struct library {
	enum site_family family;
	struct slice prefix; /* of all names */
	const struct function *functions;
	size_t function_count;
	struct direction directions[2];
	unsigned others[4]; /* not to be taken for one another */
	size_t other_count;
};

/* At their roles; then two that only BoringSSL has. */
enum { BORINGSSL_MARKS = SITE_SET_FD + 1 };

static const struct function openssl_functions[] = {
	[SITE_READ] = { "SSL_read", SITE_READ },
	[SITE_WRITE] = { "SSL_write", SITE_WRITE },
	[SITE_READ_EX] = { "SSL_read_ex", SITE_READ_EX },
	[SITE_WRITE_EX] = { "SSL_write_ex", SITE_WRITE_EX },
	[SITE_WRITE_EX2] = { "SSL_write_ex2", SITE_WRITE_EX2 },
	[SITE_FREE] = { "SSL_free", SITE_FREE },
	[SITE_CLEAR] = { "SSL_clear", SITE_CLEAR },
	[SITE_SET_FD] = { "SSL_set_fd", SITE_SET_FD },
	[BORINGSSL_MARKS] = { "SSL_CTX_set_custom_verify", _SITE_MAX },
	{ "SSL_CTX_set_grease_enabled", _SITE_MAX },
};

enum { RECV, RECV_SEQ, SEND, SEND2, SEND_RANGE, RECV_PACKET, UNCORK, BYE, DEINIT };

static const struct function gnutls_functions[] = {
	[RECV] = { "gnutls_record_recv", SITE_GNUTLS_READ },
	[RECV_SEQ] = { "gnutls_record_recv_seq", SITE_GNUTLS_READ },
	[SEND] = { "gnutls_record_send", SITE_GNUTLS_WRITE },
	[SEND2] = { "gnutls_record_send2", SITE_GNUTLS_WRITE },
	[SEND_RANGE] = { "gnutls_record_send_range", SITE_GNUTLS_WRITE },
	[RECV_PACKET] = { "gnutls_record_recv_packet", SITE_GNUTLS_PACKET },
	[UNCORK] = { "gnutls_record_uncork", SITE_GNUTLS_FLUSH },
	[BYE] = { "gnutls_bye", SITE_GNUTLS_BYE },
	[DEINIT] = { "gnutls_deinit", SITE_FREE },
};

static const struct library libraries[] = {
	{ SITE_FAMILY_OPENSSL,
	  SLICE("SSL_"),
	  openssl_functions,
	  ARRAY_SIZE(openssl_functions),
	  { { "ssl_read_internal", 0, 2, { SITE_READ, SITE_READ_EX } },
	    { "ssl_write_internal", 0, 3, { SITE_WRITE, SITE_WRITE_EX, SITE_WRITE_EX2 } } },
	  { SITE_FREE, SITE_CLEAR, SITE_SET_FD },
	  3 },
	{ SITE_FAMILY_GNUTLS,
	  SLICE("gnutls_"),
	  gnutls_functions,
	  ARRAY_SIZE(gnutls_functions),
	  { { "_gnutls_recv_int", SITE_GNUTLS_TYPED, 2, { RECV, RECV_SEQ } },
	    { NULL, 0, 3, { SEND, SEND2, SEND_RANGE } } },
	  { RECV_PACKET, UNCORK, BYE, DEINIT },
	  4 },
};

struct finder {
	struct elf elf;
	const struct insn_machine *machine;
	const struct library *library;
	enum site_family family;
	Elf64_Sym symbols[FUNCTIONS_MAX];
	/* Of the read and write functions; targets are plain addresses in this file, or 0. */
	struct insn_calls calls[FUNCTIONS_MAX];
	struct site_set *set;
};

_Static_assert(ARRAY_SIZE(openssl_functions) <= FUNCTIONS_MAX && ARRAY_SIZE(gnutls_functions) <= FUNCTIONS_MAX,
	       "each function has its symbol");

static bool is_present(const struct finder *finder, unsigned function)
{
	return finder->symbols[function].st_value != 0;
}

/* ---- the code of a function ---- */

static int code_read(const struct finder *finder, uint64_t address, uint64_t len, uint8_t bytes[static INSN_CODE_MAX],
		     struct insn_code *ret)
{
	uint64_t offset;

	if (elf_code_offset_of(&finder->elf, address, &offset) < 0)
		return -ENOENT;
	len = elf_read_some(&finder->elf, offset, bytes, MIN(len, INSN_CODE_MAX));
	*ret = (struct insn_code){ bytes, len, address };
	return len ? 0 : -ENOENT;
}

/* Address of the function that a call ends up in, through the linker's stub if need be; 0: it is another file's. */
static uint64_t call_resolve(const struct finder *finder, const struct insn_call *call)
{
	uint8_t bytes[INSN_CODE_MAX];
	struct insn_code code;
	uint64_t slot = call->target, address;

	if (!call->is_slot) {
		if (code_read(finder, call->target, 16, bytes, &code) < 0)
			return 0;
		if (insn_stub_slot(finder->machine, &code, &slot) < 0)
			return call->target;
	}
	return elf_slot_value(&finder->elf, slot, &address) < 0 ? 0 : address;
}

/* inner(session, type, buf, n, ...) */
static bool is_typed(const struct insn_call *call)
{
	return (call->kept & ARG_SSL) && call->from[2] == 2 && call->from[3] == 3;
}

static void calls_read(struct finder *finder, unsigned function, bool are_typed)
{
	const Elf64_Sym *symbol = &finder->symbols[function];
	struct insn_calls *calls = &finder->calls[function];
	uint8_t bytes[INSN_CODE_MAX];
	struct insn_code code;

	*calls = (struct insn_calls){ .is_partial = true };
	if (!symbol->st_value || code_read(finder, symbol->st_value, symbol->st_size, bytes, &code) < 0 ||
	    insn_calls_find(finder->machine, &code, calls) < 0)
		return;
	calls->is_partial |= symbol->st_size > INSN_CODE_MAX;
	for (size_t i = 0; i < calls->count; i++) {
		struct insn_call *call = &calls->list[i];
		bool has_args = are_typed ? is_typed(call) : (call->kept & ARG_SSL) && (call->kept & ARG_BUF);

		call->target = has_args ? call_resolve(finder, call) : 0;
		call->is_slot = false;
	}
}

static const struct insn_call *call_to(const struct insn_calls *calls, uint64_t target)
{
	for (size_t i = 0; target && i < calls->count; i++)
		if (calls->list[i].target == target)
			return &calls->list[i];
	return NULL;
}

/* ---- what a probe costs there ---- */

/* The offset to probe in the function at @address. -ENOENT: not in the file's code. */
static int entry_find(const struct finder *finder, uint64_t address, uint64_t *ret_offset, bool *ret_is_stepped)
{
	uint8_t bytes[INSN_CODE_MAX];
	struct insn_code code;
	size_t skip;
	int r = code_read(finder, address, INSN_CODE_MAX, bytes, &code);

	if (r < 0)
		return r;
	*ret_is_stepped = insn_cheap_entry(finder->machine, &code, &skip) < 0;
	return elf_code_offset_of(&finder->elf, address + skip, ret_offset);
}

/* @site at @address: where exactly is found here. */
static void site_put(struct finder *finder, struct site site, uint64_t address)
{
	struct site_set *set = finder->set;

	if (set->count == SITES_MAX || entry_find(finder, address, &site.offset, &site.is_stepped) < 0)
		return;
	for (size_t i = 0; i < set->count; i++)
		if (set->sites[i].offset == site.offset)
			return;
	set->sites[set->count++] = site;
}

static void function_add(struct finder *finder, unsigned function)
{
	struct site site = {
		.role = finder->library->functions[function].role,
		.family = finder->family,
		.symbol = finder->library->functions[function].name,
	};

	if (is_present(finder, function))
		site_put(finder, site, finder->symbols[function].st_value);
}

/* ---- the inner function of OpenSSL, whose functions stand at their roles ---- */

/* The functions of OpenSSL < 3.3 and >= 3.3 differ in where the address of the count is. */
static enum site_role inner_role(const struct direction *direction, const struct insn_call *call)
{
	switch (call->frame & (ARG_3 | ARG_4)) {
	case ARG_3:
		return (enum site_role)direction->functions[1];
	case ARG_4:
		return direction->count > 2 ? (enum site_role)direction->functions[2] : _SITE_MAX;
	default:
		return _SITE_MAX;
	}
}

/* Does @role's function enter @inner, itself or through another API function, and in the same shape? */
static bool is_cover(const struct finder *finder, const struct direction *direction, unsigned role, uint64_t inner,
		     enum site_role shape)
{
	const struct insn_calls *calls = &finder->calls[role];
	const struct insn_call *call = call_to(calls, inner);
	unsigned count_arg = role == SITE_WRITE_EX2 ? ARG_4 : ARG_3;

	if (calls->is_partial)
		return false;
	if (call)
		return role != shape || (call->kept & count_arg);
	for (size_t i = 1; i < direction->count; i++) {
		unsigned other = direction->functions[i];

		if (other != role && is_present(finder, other) && call_to(calls, finder->symbols[other].st_value) &&
		    !finder->calls[other].is_partial && call_to(&finder->calls[other], inner))
			return true;
	}
	return false;
}

static bool is_inner(const struct finder *finder, const struct direction *direction, const struct insn_call *call)
{
	enum site_role shape = inner_role(direction, call);
	bool is_stepped;
	uint64_t offset;
	size_t covers = 0;

	if (!call->target || shape == _SITE_MAX)
		return false;
	for (size_t i = 1; i < direction->count; i++) {
		if (!is_present(finder, direction->functions[i]))
			continue;
		if (!is_cover(finder, direction, direction->functions[i], call->target, shape))
			return false;
		covers++;
	}
	return covers && entry_find(finder, call->target, &offset, &is_stepped) == 0 && !is_stepped;
}

static const struct insn_call *inner_find(const struct finder *finder, const struct direction *direction)
{
	const struct insn_calls *calls = &finder->calls[direction->functions[0]];
	const struct insn_call *inner = NULL;

	for (size_t i = 0; i < calls->count && !calls->is_partial; i++)
		if (is_inner(finder, direction, &calls->list[i])) {
			if (inner)
				return NULL;
			inner = &calls->list[i];
		}
	return inner;
}

static void inner_add(struct finder *finder, const struct direction *direction, enum site_role role,
		      const struct insn_call *call)
{
	struct site site = {
		.role = role,
		.family = finder->family,
		.is_inner = true,
		.symbol = direction->inner,
	};

	site_put(finder, site, call->target);
}

/* ---- the inner functions of GnuTLS ---- */

/* All that @function enters with a type and its own buffer are cheap to probe, and there is one. */
static bool has_typed(const struct finder *finder, unsigned function)
{
	const struct insn_calls *calls = &finder->calls[function];
	size_t count = 0;

	for (size_t i = 0; i < calls->count; i++) {
		uint64_t offset;
		bool is_stepped;

		if (!calls->list[i].target)
			continue;
		if (entry_find(finder, calls->list[i].target, &offset, &is_stepped) < 0)
			return false;
		count += !is_stepped;
	}
	return count && !calls->is_partial;
}

/* The API functions begin with what is stepped and jump to the one that they share; where the kernel can do TLS there is another. */
static bool typed_add(struct finder *finder, const struct direction *direction)
{
	for (size_t i = 0; i < direction->count; i++)
		if (is_present(finder, direction->functions[i]) && !has_typed(finder, direction->functions[i]))
			return false;
	for (size_t i = 0; i < direction->count; i++) {
		const struct insn_calls *calls = &finder->calls[direction->functions[i]];

		for (size_t k = 0; k < calls->count; k++)
			if (calls->list[k].target)
				inner_add(finder, direction, direction->typed, &calls->list[k]);
	}
	return true;
}

/* ---- the functions of a library ---- */

/* An API function that does nothing but enter another one needs no probe: SSL_write_ex is one since OpenSSL 3.3, and
 * gnutls_record_send since GnuTLS 3.6.3. */
static bool is_alias(const struct finder *finder, const struct direction *direction, unsigned function)
{
	const struct insn_calls *calls = &finder->calls[function];

	if (calls->is_partial || calls->count != 1)
		return false;
	for (size_t i = 0; i < direction->count; i++)
		if (direction->functions[i] != function && is_present(finder, direction->functions[i]) &&
		    calls->list[0].target == finder->symbols[direction->functions[i]].st_value)
			return true;
	return false;
}

static void direction_find(struct finder *finder, const struct direction *direction)
{
	const struct insn_call *inner;

	for (size_t i = 0; i < direction->count; i++)
		calls_read(finder, direction->functions[i], direction->typed);
	if (direction->typed && typed_add(finder, direction))
		return;
	inner = direction->inner && !direction->typed ? inner_find(finder, direction) : NULL;
	if (inner) {
		inner_add(finder, direction, inner_role(direction, inner), inner);
		return;
	}
	for (size_t i = 0; i < direction->count; i++)
		if (!is_alias(finder, direction, direction->functions[i]))
			function_add(finder, direction->functions[i]);
}

/* ---- the file ---- */

static bool has_one(const struct finder *finder, const struct direction *direction)
{
	for (size_t i = 0; i < direction->count; i++)
		if (is_present(finder, direction->functions[i]))
			return true;
	return false;
}

static bool symbols_find(struct finder *finder)
{
	static const struct {
		const char *method;
		int (*table)(const struct elf *elf, struct elf_symbols *ret);
	} ladder[] = { { "dynsym", elf_dynsym }, { "symtab", elf_symtab } };
	const struct library *library = finder->library;
	const char *names[FUNCTIONS_MAX];
	struct elf_symbols table;

	for (size_t i = 0; i < library->function_count; i++)
		names[i] = library->functions[i].name;
	for (size_t i = 0; i < ARRAY_SIZE(ladder); i++) {
		if (ladder[i].table(&finder->elf, &table) < 0)
			continue;
		elf_symbols_find(&finder->elf, &table, library->prefix, names, library->function_count,
				 finder->symbols);
		if (has_one(finder, &library->directions[0]) && has_one(finder, &library->directions[1])) {
			snprintf(finder->set->method, sizeof(finder->set->method), "%s", ladder[i].method);
			return true;
		}
	}
	return false;
}

/* Both have the same names; @told is what the file's text tells. */
static enum site_family family_of(const struct finder *finder, enum site_family told)
{
	bool is_boringssl = told == SITE_FAMILY_BORINGSSL || is_present(finder, BORINGSSL_MARKS) ||
			    is_present(finder, BORINGSSL_MARKS + 1);

	if (finder->library->family != SITE_FAMILY_OPENSSL)
		return finder->library->family;
	return is_boringssl ? SITE_FAMILY_BORINGSSL : SITE_FAMILY_OPENSSL;
}

static void library_find(struct finder *finder, bool has_names[_SITE_FAMILY_MAX])
{
	const struct library *library = finder->library;
	struct site_set *set = finder->set;

	if (!symbols_find(finder))
		return;
	finder->family = family_of(finder, set->family);
	if (!set->count)
		set->family = finder->family;
	has_names[finder->family] = true;
	for (size_t i = 0; i < ARRAY_SIZE(library->directions); i++)
		direction_find(finder, &library->directions[i]);
	for (size_t i = 0; i < library->other_count; i++)
		function_add(finder, library->others[i]);
}

static void named_find(struct finder *finder, bool has_names[_SITE_FAMILY_MAX])
{
	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
		finder->library = &libraries[i];
		library_find(finder, has_names);
	}
}

static void bare_take(struct finder *finder, const struct site_strings *strings, const bool has_names[_SITE_FAMILY_MAX])
{
	struct bare_site found[BARE_SITES_MAX];
	struct site_set *set = finder->set;
	size_t before = set->count, count = bare_find(&finder->elf, finder->machine, strings, has_names, found);

	for (size_t i = 0; i < count; i++) {
		struct site site = {
			.role = found[i].role,
			.family = found[i].family,
			.is_inner = found[i].is_inner,
			.symbol = found[i].symbol,
		};

		site_put(finder, site, found[i].address);
	}
	if (set->count > before)
		snprintf(set->method + strlen(set->method), sizeof(set->method) - strlen(set->method), "%serror sites",
			 before ? ", " : "");
	if (!before && set->count)
		set->family = set->sites[0].family;
}

int site_find(int fd, struct site_set *ret)
{
	struct finder finder = { .machine = insn_machine_here(), .set = ret };
	bool has_names[_SITE_FAMILY_MAX] = { false };
	struct site_strings strings;
	const struct disasm *disasm;
	int r;

	*ret = (struct site_set){ 0 };
	r = elf_open(fd, insn_machine_elf(finder.machine), &finder.elf);
	if (r < 0)
		return r;
	ret->build_id_len = elf_build_id(&finder.elf, ret->build_id);
	site_strings_find(&finder.elf, &strings);
	ret->family = strings.family ? strings.family : strings.has_rustls ? SITE_FAMILY_RUSTLS : SITE_FAMILY_NONE;
	memcpy(ret->version, strings.version, sizeof(ret->version));
	disasm = disasm_get(); /* once for all functions of the file */
	named_find(&finder, has_names);
	bare_take(&finder, &strings, has_names);
	disasm_put(disasm);
	site_go_find(&finder.elf, ret);
	return 0;
}
