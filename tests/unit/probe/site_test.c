/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: with this machine's own libssl and libgnutls, each call of an API function passes exactly one of the
 * sites, with its arguments in place (breakpoints are set at the sites in this very process); the inner function is taken
 * only where it is safe; nothing in a file can crash the search or lead it out of the file.
 */
#include "expect.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <ucontext.h>

/* ---- fixtures: what compilers made of the covers ---- */

/* clang-format off */
#define COVER       "48 83 ec 08 e8 ->0 48 83 c4 08 c3"                /* sub; call inner; add; ret */
#define COVER_INT   "48 83 ec 18 48 8d 4c 24 08 e8 ->0 48 83 c4 18 c3" /* lea rcx, [rsp+8]; call inner */
#define LIFE        { "SSL_free", "48 85 ff 74 01 55 c3" }, { "SSL_clear", PUSH }, { "SSL_set_fd", "48 83 ec 08 c3" }

/* Functions 0 and 1 are the inner ones; code of covers for writing names 1. */
static const struct fixture openssl_30 = { .functions = {
	{ NULL, PUSH }, { NULL, "f3 0f 1e fa 41 57 c3" }, { "SSL_read", COVER_INT }, { "SSL_read_ex", COVER },
	{ "SSL_write", "85 d2 78 0c 48 89 e1 48 63 d2 e8 ->1 c3 0f 0b" }, { "SSL_write_ex", "e9 ->1" }, LIFE } };
static const struct fixture openssl_33 = { .functions = {
	{ NULL, PUSH }, { NULL, PUSH }, { "SSL_read", COVER_INT }, { "SSL_read_ex", COVER },
	{ "SSL_write", "48 83 ec 18 4c 8d 44 24 08 31 c9 e8 ->1 c3" }, { "SSL_write_ex", "49 89 c8 31 c9 e9 ->6" },
	{ "SSL_write_ex2", "48 83 ec 08 e8 ->1 c3" }, LIFE } };
static const struct fixture locals = { .has_sections = true, .functions = {
	{ NULL, PUSH }, { NULL, PUSH }, { "SSL_read", COVER_INT }, { "SSL_read_ex", COVER },
	{ "SSL_write", "48 89 e1 e8 ->1 c3" }, { "SSL_write_ex", "e9 ->1" }, LIFE } };
/* SSL_write_ex enters SSL_write_ex2 through the linker's stub, or through its pointer; other files' are passed over. */
static const struct fixture through_stub = { .functions = {
	{ NULL, PUSH }, { NULL, PUSH }, { "SSL_read", "85 d2 78 09 48 89 e1 e8 ->0 c3 e8 ->7 c3" },
	{ "SSL_read_ex", COVER }, { "SSL_write", "48 83 ec 18 4c 8d 44 24 08 31 c9 e8 ->1 c3" },
	{ "SSL_write_ex", "49 89 c8 31 c9 e9 ->8" },
	{ "SSL_write_ex2", "48 83 ec 08 e8 ->1 c3" }, { NULL, "ff 25 =>0" }, { NULL, "f3 0f 1e fa f2 ff 25 =>6" } } };
static const struct fixture through_pointer = { .functions = {
	{ NULL, PUSH }, { NULL, PUSH }, { "SSL_read", COVER_INT }, { "SSL_read_ex", COVER },
	{ "SSL_write", "48 83 ec 18 4c 8d 44 24 08 31 c9 e8 ->1 c3" }, { "SSL_write_ex", "49 89 c8 31 c9 ff 25 =>6" },
	{ "SSL_write_ex2", "48 83 ec 08 e8 ->1 c3" } } };
/* The inner functions are stepped, and SSL_write_ex is only another way into SSL_write_ex2. */
static const struct fixture alias = { .functions = {
	{ NULL, "48 83 ec 08 c3" }, { NULL, "48 83 ec 08 c3" }, { "SSL_read", COVER_INT }, { "SSL_read_ex", COVER },
	{ "SSL_write", "48 83 ec 18 4c 8d 44 24 08 31 c9 e8 ->1 c3" }, { "SSL_write_ex", "49 89 c8 31 c9 e9 ->6" },
	{ "SSL_write_ex2", "55 48 83 ec 08 e8 ->1 c3" } } };
/* SSL_read_ex holds a copy of what SSL_read calls; SSL_write_ex goes through the object first. */
static const struct fixture inlined = { .functions = {
	{ NULL, PUSH }, { NULL, PUSH }, { "SSL_read", COVER_INT }, { "SSL_read_ex", "55 48 8b 07 ff 50 38 5d c3" },
	{ "SSL_write", "48 89 e1 e8 ->1 c3" }, { "SSL_write_ex", "48 83 3f 00 74 02 ff e0 e9 ->1" }, LIFE } };
/* Both functions call the same reporter of errors first, but not with a count. */
static const struct fixture reporter = { .functions = {
	{ NULL, PUSH }, { NULL, PUSH }, { "SSL_read", "48 85 d2 e8 ->0 c3" }, { "SSL_read_ex", COVER },
	{ "SSL_write", "e8 ->1 c3" }, { "SSL_write_ex", "e9 ->1" } } };
/* SSL_read_ex gives no count; SSL_write's count is where flags would be, and SSL_write_ex passes its own elsewhere. */
static const struct fixture other_shape = { .functions = {
	{ NULL, PUSH }, { NULL, PUSH }, { "SSL_read", COVER_INT }, { "SSL_read_ex", "50 31 c9 e8 ->0 58 c3" },
	{ "SSL_write", "50 49 89 e0 48 89 e1 e8 ->1 c3" }, { "SSL_write_ex", "56 31 f6 e8 ->1 5e c3" } } };
/* SSL_read_ex enters the same function with another buffer. */
static const struct fixture other_buffer = { .functions = {
	{ NULL, PUSH }, { NULL, PUSH }, { "SSL_read", COVER_INT }, { "SSL_read_ex", "50 31 f6 e8 ->0 58 c3" },
	{ "SSL_write", "48 89 e1 e8 ->1 c3" }, { "SSL_write_ex", "e9 ->1" } } };
/* The inner functions begin with an instruction that is stepped. */
static const struct fixture stepped = { .functions = {
	{ NULL, "48 83 ec 08 c3" }, { NULL, "48 83 ec 08 c3" }, { "SSL_read", COVER_INT }, { "SSL_read_ex", COVER },
	{ "SSL_write", "55 48 89 e1 e8 ->1 c3" }, { "SSL_write_ex", "e9 ->1" } } };
static const struct fixture boringssl = { .functions = {
	{ "SSL_read", PUSH }, { "SSL_write", PUSH }, { "SSL_CTX_set_custom_verify", PUSH },
	{ "MY_SSL_read_ex", PUSH } } };
static const struct fixture no_tls = { .functions = { { "SSL_free", PUSH }, { "SSL_read", PUSH }, { "main", PUSH } } };
static const struct fixture user = { .functions = { { "?SSL_read", PUSH }, { "?SSL_write", PUSH }, { "main", PUSH } } };
/* clang-format on */

#define EXPECT(fixture, ...) EXPECT_OF(SITE_FAMILY_OPENSSL, fixture, __VA_ARGS__)

static void one_inner_function_stands_for_its_covers(void **state)
{
	EXPECT(openssl_30, { SITE_READ_EX, 0, 0, true, false }, { SITE_WRITE_EX, 1, 4, true, false },
	       { SITE_FREE, 6, 3, false, false }, { SITE_CLEAR, 7, 0, false, false },
	       { SITE_SET_FD, 8, 0, false, true });
	EXPECT(openssl_33, { SITE_READ_EX, 0, 0, true, false }, { SITE_WRITE_EX2, 1, 0, true, false },
	       { SITE_FREE, 7, 3, false, false }, { SITE_CLEAR, 8, 0, false, false },
	       { SITE_SET_FD, 9, 0, false, true });
	EXPECT(through_stub, { SITE_READ_EX, 0, 0, true, false }, { SITE_WRITE_EX2, 1, 0, true, false });
	EXPECT(through_pointer, { SITE_READ_EX, 0, 0, true, false }, { SITE_WRITE_EX2, 1, 0, true, false });
	EXPECT(locals, { SITE_READ_EX, 0, 0, true, false }, { SITE_WRITE_EX, 1, 0, true, false },
	       { SITE_FREE, 6, 3, false, false }, { SITE_CLEAR, 7, 0, false, false },
	       { SITE_SET_FD, 8, 0, false, true });
}

static void where_a_cover_is_not_seen_to_call_it_each_function_gets_its_own(void **state)
{
	EXPECT(inlined, { SITE_READ, 2, 0, false, true }, { SITE_READ_EX, 3, 0, false, false },
	       { SITE_WRITE, 4, 0, false, true }, { SITE_WRITE_EX, 5, 4, false, false },
	       { SITE_FREE, 6, 3, false, false }, { SITE_CLEAR, 7, 0, false, false },
	       { SITE_SET_FD, 8, 0, false, true });
	EXPECT(reporter, { SITE_READ, 2, 3, false, false }, { SITE_READ_EX, 3, 0, false, true },
	       { SITE_WRITE, 4, 0, false, false }, { SITE_WRITE_EX, 5, 0, false, false });
	EXPECT(other_shape, { SITE_READ, 2, 0, false, true }, { SITE_READ_EX, 3, 0, false, false },
	       { SITE_WRITE, 4, 0, false, false }, { SITE_WRITE_EX, 5, 0, false, false });
	EXPECT(other_buffer, { SITE_READ, 2, 0, false, true }, { SITE_READ_EX, 3, 0, false, false },
	       { SITE_WRITE_EX, 1, 0, true, false });
	EXPECT(stepped, { SITE_READ, 2, 0, false, true }, { SITE_READ_EX, 3, 0, false, true },
	       { SITE_WRITE, 4, 0, false, false }, { SITE_WRITE_EX, 5, 0, false, false });
	EXPECT(alias, { SITE_READ, 2, 0, false, true }, { SITE_READ_EX, 3, 0, false, true },
	       { SITE_WRITE, 4, 0, false, true }, { SITE_WRITE_EX2, 6, 0, false, false });
	EXPECT_OF(SITE_FAMILY_BORINGSSL, boringssl, { SITE_READ, 0, 0, false, false },
		  { SITE_WRITE, 1, 0, false, false });
	fixture_expect("no_tls", &no_tls, SITE_FAMILY_NONE, NULL, 0);
	fixture_expect("user", &user, SITE_FAMILY_NONE, NULL, 0);
}

/* ---- this machine's libraries, called for real ---- */

enum { REGISTERS_SEEN = 5 };

static struct trap {
	uint8_t *at;
	uint8_t saved;
	enum site_role role;
	unsigned hits;
	greg_t args[REGISTERS_SEEN];
	const void *returns_to;
} traps[SITES_MAX];
static size_t trap_count;
static struct trap *trap_stepping;

/* A breakpoint: note the registers, run the instruction alone, set the breakpoint again. */
static void trap_handle(int signal, siginfo_t *info, void *context)
{
	static const int arg_registers[REGISTERS_SEEN] = { REG_RDI, REG_RSI, REG_RDX, REG_RCX, REG_R8 };
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	if (trap_stepping) {
		*trap_stepping->at = 0xcc;
		trap_stepping = NULL;
		registers[REG_EFL] &= ~0x100;
		return;
	}
	for (size_t i = 0; i < trap_count; i++) {
		struct trap *trap = &traps[i];

		if (registers[REG_RIP] != (greg_t)trap->at + 1)
			continue;
		for (int arg = 0; arg < REGISTERS_SEEN; arg++)
			trap->args[arg] = registers[arg_registers[arg]];
		trap->returns_to = *(const void **)registers[REG_RSP];
		trap->hits++;
		*trap->at = trap->saved;
		registers[REG_RIP]--;
		registers[REG_EFL] |= 0x100;
		trap_stepping = trap;
		return;
	}
	abort();
}

static void *library;

static int library_open(const char *name, const char *older, struct site_set *ret, uintptr_t *ret_base)
{
	struct link_map *map;

	library = dlopen(name, RTLD_NOW);
	if (!library && older)
		library = dlopen(older, RTLD_NOW);
	if (!library)
		return -1;
	assert_int_equal(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
	int fd CLEANUP_FD = open(map->l_name, O_RDONLY | O_CLOEXEC);
	assert_int_equal(site_find(fd, ret), 0);
	*ret_base = map->l_addr;
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Where the loader has put a file offset. */
static uint8_t *library_address(int fd, uintptr_t base, uint64_t offset)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	for (int i = 0; i < header.e_phnum; i++) {
		assert_int_equal(pread(fd, &segment, sizeof(segment), (off_t)(header.e_phoff + i * sizeof(segment))),
				 sizeof(segment));
		if (segment.p_type == PT_LOAD && offset >= segment.p_offset &&
		    offset - segment.p_offset < segment.p_filesz)
			return (uint8_t *)base + segment.p_vaddr + (offset - segment.p_offset);
	}
	fail_msg("no segment holds %#lx", (unsigned long)offset);
	return NULL;
}

/* The page at @at becomes memory of our own with the file's bytes: a tracer of the whole host, this test's own product not
 * the least, has its breakpoints in pages of the file, and the kernel takes every trap there for its. */
static bool page_own(int fd, uint8_t *at, uint64_t offset)
{
	uint8_t *page = (uint8_t *)((uintptr_t)at & ~4095UL);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	if (mmap(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) != page)
		return false;
	assert_true(pread(fd, page, 4096, (off_t)(offset - (uint64_t)(at - page))) > at - page);
	return true;
}

static bool traps_set(int fd, uintptr_t base, const struct site_set *set)
{
	trap_count = set->count;
	for (size_t i = 0; i < set->count; i++) {
		uint8_t *at = library_address(fd, base, set->sites[i].offset);

		if (!page_own(fd, at, set->sites[i].offset))
			return false;
		traps[i] = (struct trap){ .at = at, .saved = *at, .role = set->sites[i].role };
	}
	sigaction(SIGTRAP, &(struct sigaction){ .sa_sigaction = trap_handle, .sa_flags = SA_SIGINFO }, NULL);
	for (size_t i = 0; i < set->count; i++)
		*traps[i].at = 0xcc;
	return true;
}

/* The one trap that was hit since the last call of this. */
static const struct trap *trap_taken(const char *what)
{
	const struct trap *taken = NULL;
	unsigned hits = 0;

	for (size_t i = 0; i < trap_count; i++) {
		if (traps[i].hits)
			taken = &traps[i];
		hits += traps[i].hits;
		traps[i].hits = 0;
	}
	if (hits != 1)
		fail_msg("%s passes %u sites", what, hits);
	return taken;
}

static void call_expect(const char *name, void *ssl, char *buffer)
{
	static const unsigned count_args[_SITE_MAX] = { [SITE_READ_EX] = 3, [SITE_WRITE_EX] = 3, [SITE_WRITE_EX2] = 4 };
	union {
		void *pointer;
		int (*plain)(void *, void *, int);
		int (*ex)(void *, void *, size_t, size_t *);
		int (*ex2)(void *, void *, size_t, uint64_t, size_t *);
	} function = { dlsym(library, name) };
	bool is_ex = strstr(name, "_ex"), is_ex2 = strstr(name, "_ex2");
	size_t done = 0;
	const struct trap *trap;
	const uint8_t *behind;
	Dl_info info;

	if (!function.pointer)
		return;
	if (is_ex2)
		function.ex2(ssl, buffer, 7, 0, &done);
	else if (is_ex)
		function.ex(ssl, buffer, 7, &done);
	else
		function.plain(ssl, buffer, 7);
	trap = trap_taken(name);
	assert_int_equal(trap->args[0], ssl);
	assert_int_equal(trap->args[1], buffer);
	assert_int_equal((int)trap->args[2], 7);
	if (is_ex)
		assert_int_equal(trap->args[count_args[trap->role]], &done);
	else if (count_args[trap->role]) /* an address in a frame below this one's */
		assert_in_range(trap->args[count_args[trap->role]], (uintptr_t)__builtin_frame_address(0) - 4096,
				(uintptr_t)__builtin_frame_address(0));
	/* A return probe would change the right word: it is an address behind a call, direct or through a pointer. */
	assert_int_not_equal(dladdr(trap->returns_to, &info), 0);
	behind = trap->returns_to;
	assert_true(behind[-5] == 0xe8 || behind[-2] == 0xff || behind[-3] == 0xff || behind[-6] == 0xff);
}

static void every_api_call_passes_one_site_with_its_arguments(void **state)
{
	static const char *const names[] = { "SSL_read", "SSL_read_ex", "SSL_write", "SSL_write_ex", "SSL_write_ex2" };
	char buffer[16] = "";
	struct site_set set;
	uintptr_t base;
	int fd CLEANUP_FD = library_open("libssl.so.3", "libssl.so.1.1", &set, &base);

	if (fd < 0)
		skip();
	void *(*method)(void) = (void *(*)(void))dlsym(library, "TLS_method");
	void *(*context_new)(void *) = (void *(*)(void *))dlsym(library, "SSL_CTX_new");
	void *(*ssl_new)(void *) = (void *(*)(void *))dlsym(library, "SSL_new");
	void (*ssl_free)(void *) = (void (*)(void *))dlsym(library, "SSL_free");
	void (*context_free)(void *) = (void (*)(void *))dlsym(library, "SSL_CTX_free");
	void *context = context_new(method()), *ssl = ssl_new(context);

	assert_non_null(ssl);
	if (!traps_set(fd, base, &set))
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		call_expect(names[i], ssl, buffer);
	ssl_free(ssl);
	assert_int_equal(trap_taken("SSL_free")->role, SITE_FREE);
	for (size_t i = 0; i < trap_count; i++)
		*traps[i].at = traps[i].saved;
	context_free(context);
}

/* Before its handshake a session answers that it is too early, and its calls have gone where they always go; but gnutls_bye
 * needs one that is alive, and gnutls_record_recv sees by itself that it is too early. */
static void every_call_of_gnutls_passes_one_site_with_its_arguments(void **state)
{
	static const struct {
		const char *name;
		enum site_role role;
	} calls[] = {
		{ "gnutls_record_recv_seq", SITE_GNUTLS_READ },    { "gnutls_record_send", SITE_GNUTLS_WRITE },
		{ "gnutls_record_send2", SITE_GNUTLS_WRITE },      { "gnutls_record_uncork", SITE_GNUTLS_FLUSH },
		{ "gnutls_record_send_range", SITE_GNUTLS_WRITE }, { "gnutls_record_recv_packet", SITE_GNUTLS_PACKET },
	};
	enum { CLIENT = 2, TYPE_TEXT = 23 };
	uint64_t buffer[4] = { 0 };
	void *session = NULL;
	struct site_set set;
	uintptr_t base;
	int fd CLEANUP_FD = library_open("libgnutls.so.30", NULL, &set, &base);

	if (fd < 0)
		skip();
	int (*session_new)(void **, unsigned) = (int (*)(void **, unsigned))dlsym(library, "gnutls_init");
	void (*session_free)(void *) = (void (*)(void *))dlsym(library, "gnutls_deinit");

	assert_int_equal(session_new(&session, CLIENT), 0);
	assert_int_equal(set.family, SITE_FAMILY_GNUTLS);
	assert_memory_equal(set.version, "GnuTLS 3.", 9);
	if (!traps_set(fd, base, &set))
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		long (*call)(void *, void *, size_t, void *, size_t);
		const struct trap *trap;
		bool is_typed;

		*(void **)&call = dlsym(library, calls[i].name);
		if (!call)
			continue;
		call(session, buffer, 7, buffer + 2, 0);
		trap = trap_taken(calls[i].name);
		is_typed = trap->role == SITE_GNUTLS_TYPED;
		assert_int_equal(is_typed ? SITE_GNUTLS_READ : trap->role, calls[i].role);
		assert_int_equal(trap->args[0], session);
		assert_int_equal(trap->args[is_typed ? 2 : 1], buffer);
		if (is_typed)
			assert_int_equal(trap->args[1], TYPE_TEXT);
	}
	session_free(session);
	assert_int_equal(trap_taken("gnutls_deinit")->role, SITE_FREE);
	for (size_t i = 0; i < trap_count; i++)
		*traps[i].at = traps[i].saved;
}

/* ---- hostile files ---- */

static void every_mutation_is_survived(void **state)
{
	const struct fixture *const list[] = { &openssl_30, &openssl_33, &locals, &inlined };

	fixtures_spoil(list, ARRAY_SIZE(list));
}

static void a_spoiled_or_cut_libssl_is_survived(void **state)
{
	char *good CLEANUP_FREE = NULL;
	struct site_set set;
	struct stat st;
	uintptr_t base;
	int from CLEANUP_FD = library_open("libssl.so.3", "libssl.so.1.1", &set, &base);
	int fd CLEANUP_FD = memfd_create("libssl", MFD_CLOEXEC);

	if (from < 0)
		skip();
	assert_int_equal(fstat(from, &st), 0);
	good = malloc((size_t)st.st_size);
	assert_int_equal(pread(from, good, (size_t)st.st_size, 0), st.st_size);
	assert_int_equal(pwrite(fd, good, (size_t)st.st_size, 0), st.st_size);
	srandom(13);
	for (int round = 0; round < 200; round++)
		spoil(fd, good, (size_t)st.st_size);
	for (off_t len = st.st_size; len > 0; len = len * 9 / 10) {
		assert_int_equal(ftruncate(fd, len), 0);
		offsets_are_inside(fd);
	}
}

static void what_is_no_program_is_told(void **state)
{
	struct site_set set;
	int text CLEANUP_FD = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	int empty CLEANUP_FD = memfd_create("empty", MFD_CLOEXEC);
	int folder CLEANUP_FD = open("/", O_RDONLY | O_CLOEXEC);
	int self CLEANUP_FD = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(site_find(text, &set), -ENOEXEC);
	assert_int_equal(site_find(empty, &set), -ENOEXEC);
	assert_int_equal(site_find(folder, &set), -ENOEXEC);
	assert_int_equal(site_find(-1, &set), -EBADF);
	assert_int_equal(site_find(self, &set), 0);
	assert_int_equal(set.count, 0);
	assert_int_equal(set.family, SITE_FAMILY_NONE);
	assert_string_equal(set.method, "");
}

static void a_program_without_names_still_shows_its_library(void **state)
{
	static const struct {
		char text[64];
		enum site_family family;
		const char *version;
	} table[] = {
		{ "../ssl/ssl_lib.%c\0OpenSSL 3.5.8 1 Sep 2026", SITE_FAMILY_OPENSSL, "OpenSSL 3.5.8" },
		{ "third_party/boringssl/src/ssl/ssl_lib.%cc", SITE_FAMILY_BORINGSSL, "" },
		{ "ssl/ssl_lib.%cc\0OpenSSL 1.1.1 (compatible; BoringSSL)", SITE_FAMILY_BORINGSSL, "BoringSSL" },
		{ "needs OpenSSL 3.0 or later", SITE_FAMILY_NONE, "" },
		{ "my_ssl_lib.%c", SITE_FAMILY_NONE, "" },
		{ "Enabled %GnuTLS 3.8.9 logging...", SITE_FAMILY_GNUTLS, "GnuTLS 3.8.9" },
		{ "can be built with GnuTLS 3.8.9", SITE_FAMILY_NONE, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int fd CLEANUP_FD = fixture_open(&(struct fixture){ 0 });
		char text[128] = "";
		struct site_set set;
		char *hole;

		memcpy(text, table[i].text, sizeof(table[i].text));
		hole = memchr(text, '%', sizeof(text)); /* so that the words are not found in this program itself */
		if (hole)
			memmove(hole, hole + 1, sizeof(text) - (size_t)(hole + 1 - text));
		assert_int_equal(pwrite(fd, text, sizeof(text), (off_t)fixture_offset(3)), sizeof(text));
		assert_int_equal(site_find(fd, &set), 0);
		assert_int_equal(set.count, 0);
		assert_int_equal(set.family, table[i].family);
		assert_string_equal(set.version, table[i].version);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_inner_function_stands_for_its_covers),
		cmocka_unit_test(where_a_cover_is_not_seen_to_call_it_each_function_gets_its_own),
		cmocka_unit_test(every_api_call_passes_one_site_with_its_arguments),
		cmocka_unit_test(every_call_of_gnutls_passes_one_site_with_its_arguments),
		cmocka_unit_test(every_mutation_is_survived),
		cmocka_unit_test(a_spoiled_or_cut_libssl_is_survived),
		cmocka_unit_test(what_is_no_program_is_told),
		cmocka_unit_test(a_program_without_names_still_shows_its_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
