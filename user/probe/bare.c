/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each function says when it fails, as rows: reasons have numbers that never change; lines drift from version to version, but
 * hardly their distances. A row must fit one function of the file and no other, and its code must look the part. A wrong place would
 * harm the program, so all doubt counts against a find.
 */
#include "probe/bare.h"
#include "base/cleanup.h"
#include "probe/errsite.h"

enum {
	REPORTS_MAX = 4,
	NEVER_MAX = 3,
	SLACK = 6,
	LINE_MIN = 100,
	LINE_MAX = 4000,
	LEN_MIN = 60,
	LEN_MAX = 4000,
};

struct shape {
	enum site_role role;
	enum site_family family;
	enum site_word file;
	const char *symbol;
	struct {
		int reason, line; /* from the first one's */
	} reports[REPORTS_MAX];
	int never[NEVER_MAX]; /* reasons of its neighbours */
};

static const struct shape bssl_write = { SITE_WRITE,
					 SITE_FAMILY_BORINGSSL,
					 WORD_BORINGSSL_FILE,
					 "SSL_write",
					 { { 66, 0 }, { 226, 5 }, { 215, 20 }, { 111, 26 } },
					 {} };

/* Reads, and what only looks; line from the one above. */
static const struct shape bssl_read = { SITE_READ,  SITE_FAMILY_BORINGSSL, WORD_BORINGSSL_FILE,
					"SSL_read", { { 66, -22 } },       { 226, 215, 111 } };

static const struct shape ciphers[] = {
	{ SITE_AEAD_SEAL,
	  SITE_FAMILY_RUSTLS,
	  WORD_AEAD_FILE,
	  "EVP_AEAD_CTX_seal",
	  { { 117, 0 }, { 103, 5 }, { 115, 10 } },
	  { 101, 112 } },
	{ SITE_AEAD_SEAL_SCATTER,
	  SITE_FAMILY_RUSTLS,
	  WORD_AEAD_FILE,
	  "EVP_AEAD_CTX_seal_scatter",
	  { { 115, 0 }, { 112, 5 } },
	  { 103, 101 } },
	{ SITE_AEAD_OPEN,
	  SITE_FAMILY_RUSTLS,
	  WORD_AEAD_FILE,
	  "EVP_AEAD_CTX_open",
	  { { 115, 0 }, { 101, 17 }, { 103, 23 } },
	  { 117, 112 } },
	{ SITE_AEAD_OPEN_GATHER,
	  SITE_FAMILY_RUSTLS,
	  WORD_AEAD_FILE,
	  "EVP_AEAD_CTX_open_gather",
	  { { 115, 0 }, { 104, 5 } },
	  { 103, 101, 117 } },
};

/* What BoringSSL's SSL_write makes its records with: the newer function, or the older one. */
static const struct shape bssl_seals[] = {
	{ SITE_RECORD_SEAL,
	  SITE_FAMILY_BORINGSSL,
	  WORD_AEAD_FILE,
	  "EVP_AEAD_CTX_sealv",
	  { { 117, 0 }, { 115, 9 }, { 104, 14 } },
	  { 122, 101 } },
	{ SITE_RECORD_SEAL,
	  SITE_FAMILY_BORINGSSL,
	  WORD_AEAD_FILE,
	  "EVP_AEAD_CTX_seal_scatter",
	  { { 115, 0 }, { 112, 5 } },
	  { 103, 101 } },
};

/* The names of functions in OpenSSL 3's reports. Compilers put copies of the inner ones into those of the API. */
static const struct {
	enum site_word inner, plain;
	enum site_role role, with_count, with_flags;
	const char *symbol, *plain_symbol;
} named[] = {
	{ WORD_READ_INTERNAL, WORD_SSL_READ, SITE_READ, SITE_READ_EX, _SITE_MAX, "ssl_read_internal", "SSL_read" },
	{ WORD_WRITE_INTERNAL, WORD_SSL_WRITE, SITE_WRITE, SITE_WRITE_EX, SITE_WRITE_EX2, "ssl_write_internal",
	  "SSL_write" },
};

struct bare {
	const struct elf *elf;
	const struct insn_machine *machine;
	const struct errsites *sites;
	struct bare_site *ret;
	size_t count;
	bool is_old; /* OpenSSL before 3.3 */
};

static bool refers_to(const struct errsite_function *function, enum site_word word)
{
	return function->words >> word & 1;
}

/* ---- does it look like one? ---- */

static bool body_read(const struct bare *bare, const struct errsite_function *function, struct insn_body *ret)
{
	uint8_t bytes[INSN_BODY_MAX];
	struct insn_code code = { bytes, 0, function->start };
	uint64_t offset;

	if (elf_code_offset_of(bare->elf, function->start, &offset) < 0)
		return false;
	code.len = elf_read_some(bare->elf, offset, bytes, MIN(function->end - function->start, sizeof(bytes)));
	return insn_body_look(bare->machine, &code, function->reported, ret) == 0;
}

/* It takes an object, and its own code leads to the report. */
static bool is_plausible(const struct bare *bare, const struct errsite_function *function, struct insn_body *ret)
{
	uint64_t len = function->end - function->start;

	return function->end > function->start && len >= LEN_MIN && function->reported - function->start < LEN_MAX &&
	       body_read(bare, function, ret) && ret->reads_first && ret->is_reached;
}

static void site_put(struct bare *bare, const struct bare_site *site)
{
	if (bare->count < BARE_SITES_MAX)
		bare->ret[bare->count++] = *site;
}

static void shape_put(struct bare *bare, const struct shape *shape, const struct errsite_function *function)
{
	site_put(bare, &(struct bare_site){ shape->role, shape->family, false, shape->symbol, function->start });
}

/* ---- rows ---- */

static bool has_near(const struct errsite_function *function, int number, int slack)
{
	for (int d = -slack; d <= slack; d++)
		if (errsite_has(function, number + d))
			return true;
	return false;
}

/* The lines fit when the first is @line; it is no other one's. */
static bool lines_fit(const struct shape *shape, const struct errsite_function *function, int line)
{
	for (size_t i = 1; i < REPORTS_MAX && shape->reports[i].reason; i++)
		if (!has_near(function, line + shape->reports[i].line, MIN(SLACK, shape->reports[i].line - 1)))
			return false;
	return true;
}

static bool reasons_fit(const struct shape *shape, const struct errsite_function *function)
{
	if (!refers_to(function, shape->file))
		return false;
	for (size_t i = 0; i < REPORTS_MAX && shape->reports[i].reason; i++)
		if (!errsite_has(function, shape->reports[i].reason))
			return false;
	for (size_t i = 0; i < NEVER_MAX && shape->never[i]; i++)
		if (errsite_has(function, shape->never[i]))
			return false;
	return true;
}

/* The line of the first report, or 0: it is another function. */
static int shape_line(const struct shape *shape, const struct errsite_function *function)
{
	if (!reasons_fit(shape, function))
		return 0;
	for (size_t i = 0; i < function->count; i++) {
		int line = function->numbers[i];

		if (line >= LINE_MIN && line <= LINE_MAX && line != shape->reports[0].reason &&
		    lines_fit(shape, function, line))
			return line;
	}
	return 0;
}

/* The one function of that shape, or NULL. */
static const struct errsite_function *shape_find(const struct bare *bare, const struct shape *shape, int *ret_line)
{
	const struct errsite_function *only = NULL;

	for (size_t i = 0; i < bare->sites->count; i++) {
		const struct errsite_function *function = &bare->sites->functions[i];
		int line = shape_line(shape, function);

		if (!line)
			continue;
		if (only)
			return NULL;
		only = function;
		*ret_line = line;
	}
	return only;
}

/* ---- BoringSSL ---- */

enum { BSSL_STATE = 0x30 / 8 };

/* The state of a connection is where it is looked for, should the object be used again (tls_openssl.bpf.c). */
static bool is_bssl(const struct bare *bare, const struct errsite_function *function, struct insn_body *ret)
{
	return is_plausible(bare, function, ret) && ret->words >> BSSL_STATE & 1;
}

static bool fits_read(const struct bare *bare, const struct errsite_function *function, int write_line)
{
	return reasons_fit(&bssl_read, function) && has_near(function, write_line + bssl_read.reports[0].line, SLACK);
}

/* SSL_read is SSL_peek, and then takes what it read off the object: it alone writes. */
static const struct errsite_function *bssl_read_find(const struct bare *bare, int write_line, bool writes)
{
	const struct errsite_function *only = NULL;

	for (size_t i = 0; i < bare->sites->count; i++) {
		const struct errsite_function *function = &bare->sites->functions[i];
		struct insn_body body;

		if (!fits_read(bare, function, write_line) || !is_bssl(bare, function, &body) || body.stores != writes)
			continue;
		if (only)
			return NULL;
		only = function;
	}
	return only;
}

/* It hands its own arguments to @peek before anything else, and then writes. */
static bool is_read_of(const struct bare *bare, const struct errsite_function *function, uint64_t peek)
{
	enum { ARGUMENTS = 7 };
	uint8_t bytes[INSN_CODE_MAX];
	struct insn_code code = { bytes, 0, function->start };
	struct insn_calls calls;
	struct insn_body body;
	uint64_t offset;

	if (!is_bssl(bare, function, &body) || !body.stores ||
	    elf_code_offset_of(bare->elf, function->start, &offset) < 0)
		return false;
	code.len = elf_read_some(bare->elf, offset, bytes, MIN(function->end - function->start, sizeof(bytes)));
	return insn_calls_find(bare->machine, &code, &calls) == 0 && calls.count == 1 && !calls.is_partial &&
	       calls.list[0].target == peek && (calls.list[0].kept & ARGUMENTS) == ARGUMENTS;
}

/* Where SSL_peek was not copied into SSL_read, it alone reports. */
static bool bssl_read_find_by_peek(struct bare *bare, int write_line)
{
	const struct errsite_function *peek = bssl_read_find(bare, write_line, false), *only = NULL;
	struct errsites *callers CLEANUP_FREE = peek ? malloc(sizeof(*callers)) : NULL;

	if (!callers || errsite_callers(bare->elf, peek->start, callers) < 0)
		return false;
	for (size_t i = 0; i < callers->count; i++) {
		if (!is_read_of(bare, &callers->functions[i], peek->start))
			continue;
		if (only)
			return false;
		only = &callers->functions[i];
	}
	if (only)
		shape_put(bare, &bssl_read, only);
	return only;
}

/* It only tells whose a socket is: without it, the peer is not known where many are sent for at a time. */
static void bssl_seal_find(struct bare *bare)
{
	for (size_t i = 0; i < ARRAY_SIZE(bssl_seals); i++) {
		struct insn_body body;
		int line;
		const struct errsite_function *seal = shape_find(bare, &bssl_seals[i], &line);

		if (!seal || !is_plausible(bare, seal, &body))
			continue;
		shape_put(bare, &bssl_seals[i], seal);
		return;
	}
}

static void bssl_find(struct bare *bare)
{
	const struct errsite_function *read, *write;
	struct insn_body body;
	int line = 0;

	write = shape_find(bare, &bssl_write, &line);
	if (!write || !is_bssl(bare, write, &body))
		return;
	read = bssl_read_find(bare, line, true);
	if (read)
		shape_put(bare, &bssl_read, read);
	else if (!bssl_read_find_by_peek(bare, line))
		return;
	shape_put(bare, &bssl_write, write);
	bssl_seal_find(bare);
}

/* ---- ciphers ---- */

/* EVP_AEAD_CTX_open calls open_gather, or holds a copy of it: one of the two is enough. */
static void ciphers_find(struct bare *bare)
{
	const struct errsite_function *found[ARRAY_SIZE(ciphers)];
	bool has[_SITE_MAX] = { false };
	struct insn_body body;
	int line;

	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++) {
		found[i] = shape_find(bare, &ciphers[i], &line);
		if (found[i] && !is_plausible(bare, found[i], &body))
			found[i] = NULL;
		has[ciphers[i].role] = found[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (found[i] && !(ciphers[i].role == SITE_AEAD_OPEN_GATHER && has[SITE_AEAD_OPEN]))
			shape_put(bare, &ciphers[i], found[i]);
}

/* ---- OpenSSL 3 ---- */

/* Which argument points to the count. Flags came between in OpenSSL 3.3: a function that takes them refuses unknown ones, and the
 * count is handed on to the protocol's own function. */
static enum site_role named_role(size_t row, const struct bare *bare, const struct errsite_function *function,
				 const struct insn_body *body)
{
	enum { UNKNOWN_FLAG = 412, FOURTH = 1 << 3, FIFTH = 1 << 4 };

	if (named[row].with_flags == _SITE_MAX)
		return named[row].with_count;
	if (errsite_has(function, UNKNOWN_FLAG) || body->hands_on & FIFTH)
		return named[row].with_flags;
	return bare->is_old || body->hands_on & FOURTH ? named[row].with_count : _SITE_MAX;
}

static size_t named_count(const struct bare *bare, enum site_word word)
{
	size_t count = 0;

	for (size_t i = 0; i < bare->sites->count; i++)
		count += refers_to(&bare->sites->functions[i], word);
	return count;
}

static void named_find(struct bare *bare, size_t row)
{
	bool is_alone = named_count(bare, named[row].inner) == 1;

	for (size_t i = 0; i < bare->sites->count; i++) {
		const struct errsite_function *function = &bare->sites->functions[i];
		bool is_plain = refers_to(function, named[row].plain);
		struct bare_site site = { named[row].role, SITE_FAMILY_OPENSSL, false, named[row].plain_symbol,
					  function->start };
		struct insn_body body;

		if (!refers_to(function, named[row].inner) || !is_plausible(bare, function, &body))
			continue;
		if (!is_plain) {
			site.role = named_role(row, bare, function, &body);
			site.is_inner = is_alone;
			site.symbol = named[row].symbol;
		}
		if (site.role != _SITE_MAX)
			site_put(bare, &site);
	}
}

/* Not half of a library: who writes unseen would be read as one who is never asked. */
static void openssl_find(struct bare *bare)
{
	size_t before = bare->count, reads;

	named_find(bare, 0);
	reads = bare->count - before;
	named_find(bare, 1);
	if (!reads || bare->count - before == reads)
		bare->count = before;
}

static bool is_before_flags(const char *version)
{
	static const char major[] = "OpenSSL 3.";
	const char *minor = version + sizeof(major) - 1;

	return strncmp(version, major, sizeof(major) - 1) == 0 && minor[0] >= '0' && minor[0] < '3' && minor[1] == '.';
}

size_t bare_find(const struct elf *elf, const struct insn_machine *machine, const struct site_strings *strings,
		 const bool has_names[_SITE_FAMILY_MAX], struct bare_site ret[static BARE_SITES_MAX])
{
	bool may_openssl = !has_names[SITE_FAMILY_OPENSSL] && site_strings_has(strings, WORD_READ_INTERNAL);
	bool may_boringssl = !has_names[SITE_FAMILY_BORINGSSL] && site_strings_has(strings, WORD_BORINGSSL_FILE);
	bool may_aead = !has_names[SITE_FAMILY_BORINGSSL] && site_strings_has(strings, WORD_AEAD_FILE);
	struct errsites *sites CLEANUP_FREE = malloc(sizeof(*sites));
	struct bare bare = { .elf = elf, .machine = machine, .sites = sites, .ret = ret };

	if (!sites || !(may_openssl || may_boringssl || may_aead) || errsite_find(elf, strings, sites) < 0)
		return 0;
	bare.is_old = is_before_flags(strings->version);
	if (may_boringssl)
		bssl_find(&bare);
	/* BoringSSL uses the same ciphers below its own functions; what it reads and writes is told by those. */
	may_aead = may_aead && !bare.count && (!may_boringssl || strings->has_rustls);
	if (may_aead)
		ciphers_find(&bare);
	if (may_openssl)
		openssl_find(&bare);
	return bare.count;
}
