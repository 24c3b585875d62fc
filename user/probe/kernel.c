/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One object file serves all kernels: the ways to attach are tried from the best down, each by loading what it needs and
 * attaching to a function of our own. What the kernel cannot do is left out before loading, never compiled out.
 */
#include "probe/kernel.h"
#include "base/log.h"
#include "bpf/abi_memory.h"
#include "probe/spantap.skel.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

const char *const probe_mode_names[_PROBE_MODE_MAX] = {
	[PROBE_SESSION] = "uprobe session",
	[PROBE_MULTI] = "uprobe multi",
	[PROBE_PERF] = "perf uprobe",
};

enum group_name {
	GROUP_NONE,
	GROUP_CALL,
	GROUP_OVER,
	GROUP_BYE,
	GROUP_RECORD,
	GROUP_SEAL,
	GROUP_SEAL_SCATTER,
	GROUP_OPEN,
	GROUP_OPEN_GATHER,
	GROUP_GO,
};

/* Programs that go onto places together: one for entry and return where the kernel has sessions, else one for each. Without a
 * @leave it is a place in the code, not a call. Programs of a group with cookies tell by them what stands there. */
static const struct group {
	const char *session, *enter, *leave;
	bool has_cookies, needs_sockets;
	bool is_core; /* of libraries with names: the last to be left out where a verifier refuses what newer ones take */
} groups[] = {
	[GROUP_NONE] = { NULL },
	[GROUP_CALL] = { "st_call", "st_enter", "st_return", true, .is_core = true },
	[GROUP_OVER] = { NULL, "st_over", NULL, .is_core = true },
	[GROUP_BYE] = { NULL, "st_bye", NULL, false },
	[GROUP_RECORD] = { "st_record", "st_record_in", "st_record_out", false },
	/* A cipher knows no connection: only the sockets tell which records belong together. */
	[GROUP_SEAL] = { NULL, "st_seal", NULL, false, true },
	[GROUP_SEAL_SCATTER] = { NULL, "st_seal_scatter", NULL, false, true },
	[GROUP_OPEN] = { NULL, "st_open_enter", "st_open_return", false, true },
	[GROUP_OPEN_GATHER] = { NULL, "st_gather_enter", "st_open_return", false, true },
	[GROUP_GO] = { NULL, "st_go", NULL, true },
};

/* What each role of a site is to the kernel side. Roles of no group get no program. */
static const struct role {
	enum group_name group;
	uint8_t dir, count_arg;                    /* the latter of Go's functions: enum abi_go */
	const char *plain_entry, *plain_boringssl; /* for kernels without cookies */
	bool zero_is_end;
} roles[_SITE_MAX] = {
	[SITE_READ] = { GROUP_CALL, ABI_DIR_READ, 0, "st_read_in", "st_bread_in", true },
	[SITE_WRITE] = { GROUP_CALL, ABI_DIR_WRITE, 0, "st_write_in", "st_bwrite_in" },
	[SITE_READ_EX] = { GROUP_CALL, ABI_DIR_READ, 4, "st_read_ex_in" },
	[SITE_WRITE_EX] = { GROUP_CALL, ABI_DIR_WRITE, 4, "st_write_ex_in" },
	[SITE_WRITE_EX2] = { GROUP_CALL, ABI_DIR_WRITE, 5, "st_write_ex2_in" },
	[SITE_FREE] = { GROUP_OVER },
	[SITE_CLEAR] = { GROUP_OVER },
	[SITE_GNUTLS_READ] = { GROUP_CALL, ABI_DIR_READ, 0, "st_gnutls_read_in", .zero_is_end = true },
	[SITE_GNUTLS_WRITE] = { GROUP_CALL, ABI_DIR_WRITE, 0, "st_gnutls_write_in" },
	[SITE_GNUTLS_TYPED] = { GROUP_CALL, ABI_DIR_READ, ABI_COUNT_TYPED, "st_gnutls_typed_in", .zero_is_end = true },
	[SITE_GNUTLS_PACKET] = { GROUP_CALL, ABI_DIR_READ, ABI_COUNT_PACKET, "st_gnutls_packet_in",
				 .zero_is_end = true },
	[SITE_GNUTLS_FLUSH] = { GROUP_CALL, ABI_DIR_WRITE, ABI_COUNT_BEFORE, "st_gnutls_flush_in" },
	[SITE_GNUTLS_BYE] = { GROUP_BYE },
	[SITE_RECORD_SEAL] = { GROUP_RECORD },
	[SITE_AEAD_SEAL] = { GROUP_SEAL, ABI_DIR_WRITE },
	[SITE_AEAD_SEAL_SCATTER] = { GROUP_SEAL_SCATTER, ABI_DIR_WRITE },
	[SITE_AEAD_OPEN] = { GROUP_OPEN, ABI_DIR_READ },
	[SITE_AEAD_OPEN_GATHER] = { GROUP_OPEN_GATHER, ABI_DIR_READ },
	[SITE_GO_READ] = { GROUP_GO, ABI_DIR_READ, ABI_GO_ENTER, "st_go_read" },
	[SITE_GO_READ_END] = { GROUP_GO, ABI_DIR_READ, ABI_GO_LEAVE, "st_go_read_end" },
	[SITE_GO_WRITE] = { GROUP_GO, ABI_DIR_WRITE, ABI_GO_ENTER, "st_go_write" },
	[SITE_GO_WRITE_END] = { GROUP_GO, ABI_DIR_WRITE, ABI_GO_LEAVE, "st_go_write_end" },
	[SITE_GO_OVER] = { GROUP_GO, 0, ABI_GO_OVER, "st_go_over" },
	[SITE_GO_BEGIN] = { GROUP_GO, 0, ABI_GO_BEGIN, "st_go_begin" },
};

/* What a file's family is called in the records of its bytes. */
static const uint8_t kinds[_SITE_FAMILY_MAX] = {
	[SITE_FAMILY_OPENSSL] = ABI_KIND_OPENSSL, [SITE_FAMILY_BORINGSSL] = ABI_KIND_BORINGSSL,
	[SITE_FAMILY_RUSTLS] = ABI_KIND_RUSTLS,   [SITE_FAMILY_GO] = ABI_KIND_GO,
	[SITE_FAMILY_GNUTLS] = ABI_KIND_GNUTLS,
};

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[800];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = 0;
	log_debug("libbpf: %s", text);
	return 0;
}

static bool kernel_has_tracepoint(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	char type[80];
	bool has;

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	has = !libbpf_get_error(btf) && btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
	if (!libbpf_get_error(btf))
		btf__free(btf);
	return has;
}

static struct bpf_program *program_of(const struct kernel *kernel, const char *name)
{
	return name ? bpf_object__find_program_by_name(kernel->skel->obj, name) : NULL;
}

static void program_choose(struct bpf_program *program, bool is_wanted, unsigned type)
{
	if (!program)
		return;
	bpf_program__set_autoload(program, is_wanted);
	if (type)
		bpf_program__set_expected_attach_type(program, (enum bpf_attach_type)type);
}

static bool group_is_carried(const struct kernel *kernel, const struct group *group)
{
	return (kernel->has_sockets || !group->needs_sockets) && (kernel->has_all || group->is_core);
}

/* Which programs this mode loads, and as what. */
static void programs_choose(const struct kernel *kernel)
{
	unsigned type = kernel->mode == PROBE_PERF ? 0 : LINK_TYPE_MULTI;
	struct spantap_bpf *skel = kernel->skel;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct group *group = &groups[i];
		bool is_carried = group_is_carried(kernel, group);
		bool is_session = kernel->mode == PROBE_SESSION && group->session;
		bool is_pair = !is_session && is_carried;

		program_choose(program_of(kernel, group->session), is_session && is_carried, LINK_TYPE_SESSION);
		program_choose(program_of(kernel, group->enter),
			       is_pair && (kernel->has_cookies || !group->has_cookies), type);
		program_choose(program_of(kernel, group->leave), is_pair, type);
	}
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		bool is_plain = !kernel->has_cookies && group_is_carried(kernel, &groups[roles[i].group]);

		program_choose(program_of(kernel, roles[i].plain_entry), is_plain, 0);
		program_choose(program_of(kernel, roles[i].plain_boringssl), is_plain, 0);
	}
	bpf_program__set_autoload(skel->progs.st_sock_send, kernel->has_sockets);
	bpf_program__set_autoload(skel->progs.st_sock_recv, kernel->has_sockets);
}

/* A function to attach to, to see whether the kernel does it. */
__attribute__((noinline, used)) void probe_self_test_target(void);
__attribute__((noinline, used)) void probe_self_test_target(void)
{
	__asm__ volatile("");
}

static uint64_t self_offset(const void *address)
{
	CLEANUP(fclose) FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to, offset, at = (unsigned long)address;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) == 3 && at >= from && at < to)
			return at - from + offset;
	return 0;
}

static int mode_works(struct kernel *kernel)
{
	const struct site_set here = {
		.family = SITE_FAMILY_OPENSSL,
		.sites = { { .role = SITE_READ,
			     .family = SITE_FAMILY_OPENSSL,
			     .offset = self_offset((const void *)probe_self_test_target) } },
		.count = 1,
	};
	struct link links[KERNEL_LINKS_MAX];
	unsigned attached;
	int n = kernel_attach(kernel, &here, "/proc/self/exe", links, &attached);

	for (int i = 0; i < n; i++)
		link_close(&links[i]);
	return n < 0 ? n : 0;
}

static int mode_load(const struct probe_opts *opts, struct kernel *kernel)
{
	int r;

	kernel->skel = spantap_bpf__open();
	if (!kernel->skel)
		return -errno;
	programs_choose(kernel);
	bpf_map__set_max_entries(kernel->skel->maps.st_ring, (uint32_t)opts->ring_bytes);
	kernel->skel->data_control->control = (struct abi_control){
		.wake_bytes = opts->ring_bytes / 4,
		.default_wanted = opts->default_wanted,
		.capture_off = opts->capture_off,
		.plain_on = opts->plain && kernel->has_sockets,
		.counts_programs = opts->counts_programs,
	};
	r = spantap_bpf__load(kernel->skel);
	if (r == 0)
		r = mode_works(kernel);
	if (r < 0)
		kernel_unload(kernel);
	return r;
}

static const char *load_error(int r)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return "this kernel has no type information (/sys/kernel/btf/vmlinux): it must be built with CONFIG_DEBUG_INFO_BTF";
	if (r == -EPERM || r == -EACCES)
		return geteuid()
			       ? "tracing needs root (or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE): run it with sudo"
			       : "the kernel refuses tracing programs: look for kernel lockdown (cat /sys/kernel/security/lockdown) "
				 "or a container without CAP_BPF and CAP_PERFMON";
	if (r == -ENOMEM)
		return "no memory for the ring: make --ring-bytes smaller or raise the memory lock limit (ulimit -l)";
	return "the kernel does not take the tracing programs: it must be 5.8 or newer; `spantap doctor` tells more";
}

static const struct way {
	enum probe_mode mode;
	bool has_cookies, has_all;
} ways[] = {
	{ PROBE_SESSION, true, true }, { PROBE_SESSION, true, false }, { PROBE_MULTI, true, true },
	{ PROBE_MULTI, true, false },  { PROBE_PERF, true, true },     { PROBE_PERF, true, false },
	{ PROBE_PERF, false, true },   { PROBE_PERF, false, false },
};

int kernel_load(const struct probe_opts *opts, struct kernel *ret, const char **ret_error)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int r = -ENOSYS;

	libbpf_set_print(print_libbpf);
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* kernels before 5.11 count map memory here */
	*ret = (struct kernel){ .has_sockets = kernel_has_tracepoint("sock_send_length") };
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		ret->mode = ways[i].mode;
		ret->has_cookies = ways[i].has_cookies;
		ret->has_all = ways[i].has_all;
		r = mode_load(opts, ret);
		if (r == 0)
			break;
		log_debug("%s%s does not work here: %s", probe_mode_names[ret->mode],
			  ret->has_all ? "" : " for libraries with names", strerror(-r));
		if (r == -EPERM && geteuid())
			break;
	}
	if (r == 0)
		r = spantap_bpf__attach(ret->skel);
	if (r < 0) {
		*ret_error = load_error(r);
		kernel_unload(ret);
	}
	return r;
}

void kernel_unload(struct kernel *kernel)
{
	spantap_bpf__destroy(kernel->skel);
	kernel->skel = NULL;
}

static uint64_t site_cookie(const struct site *site)
{
	const struct role *role = &roles[site->role];
	bool zero_is_end = role->zero_is_end || (site->role == SITE_READ_EX && site->is_inner);

	return ABI_COOKIE(kinds[site->family], role->dir, role->count_arg, zero_is_end);
}

/* Of what this kernel can carry. */
static enum group_name site_group(const struct kernel *kernel, const struct site *site)
{
	enum group_name group = roles[site->role].group;

	return group_is_carried(kernel, &groups[group]) ? group : GROUP_NONE;
}

static void places_find(const struct kernel *kernel, const struct site_set *sites, enum group_name group,
			struct link_places *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < sites->count && ret->count < LINK_PLACES_MAX; i++) {
		const struct site *site = &sites->sites[i];

		if (site_group(kernel, site) != group)
			continue;
		ret->offsets[ret->count] = site->offset;
		ret->cookies[ret->count++] = site_cookie(site);
	}
}

/* One link for all places of a group, or one for their entries and one for their returns. Returns the number of links. */
static int group_attach(struct kernel *kernel, const struct group *group, const struct link_places *places,
			const char *path, struct link *ret)
{
	bool is_session = kernel->mode == PROBE_SESSION && group->session;
	struct bpf_program *entry = program_of(kernel, is_session ? group->session : group->enter);
	int r = link_multi(bpf_program__fd(entry), is_session ? LINK_TYPE_SESSION : LINK_TYPE_MULTI, path, places,
			   false, &ret[0]);

	if (r < 0 || is_session || !group->leave)
		return r < 0 ? r : 1;
	r = link_multi(bpf_program__fd(program_of(kernel, group->leave)), LINK_TYPE_MULTI, path, places, true, &ret[1]);
	if (r < 0)
		link_close(&ret[0]);
	return r < 0 ? r : 2;
}

static int attach_by_multi(struct kernel *kernel, const struct site_set *sites, const char *path, struct link *ret,
			   unsigned *ret_attached)
{
	int n = 0, r, error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct link_places places;

		places_find(kernel, sites, (enum group_name)i, &places);
		if (i == GROUP_NONE || !places.count)
			continue;
		r = group_attach(kernel, &groups[i], &places, path, &ret[n]);
		if (r < 0) {
			error = r;
			continue;
		}
		n += r;
		*ret_attached += places.count;
	}
	return n ? n : error;
}

/* Entry and, for a call, return. Returns the number of links. */
static int perf_attach(struct kernel *kernel, const struct site *site, const char *path, struct link *ret)
{
	const struct role *role = &roles[site->role];
	const struct group *group = &groups[role->group];
	bool is_plain = !kernel->has_cookies && group->has_cookies;
	bool is_boringssl = site->family == SITE_FAMILY_BORINGSSL;
	const char *plain = is_boringssl ? role->plain_boringssl : role->plain_entry;
	struct bpf_program *entry = program_of(kernel, is_plain ? plain : group->enter);
	uint64_t cookie = site_cookie(site);
	int r = entry ? link_perf(entry, path, site->offset, kernel->has_cookies ? &cookie : NULL, false, &ret[0])
		      : -EOPNOTSUPP;

	if (r < 0 || !group->leave)
		return r < 0 ? r : 1;
	r = link_perf(program_of(kernel, group->leave), path, site->offset, NULL, true, &ret[1]);
	if (r < 0)
		link_close(&ret[0]);
	return r < 0 ? r : 2;
}

static int attach_by_perf(struct kernel *kernel, const struct site_set *sites, const char *path, struct link *ret,
			  unsigned *ret_attached)
{
	int n = 0, r, error = 0;

	for (size_t i = 0; i < sites->count && n + 2 <= KERNEL_LINKS_MAX; i++) {
		const struct site *site = &sites->sites[i];

		if (site_group(kernel, site) == GROUP_NONE)
			continue;
		r = perf_attach(kernel, site, path, &ret[n]);
		if (r < 0) {
			error = r;
			continue;
		}
		n += r;
		++*ret_attached;
	}
	return n ? n : error;
}

int kernel_attach(struct kernel *kernel, const struct site_set *sites, const char *path,
		  struct link ret[KERNEL_LINKS_MAX], unsigned *ret_attached)
{
	*ret_attached = 0;
	if (kernel->mode == PROBE_PERF)
		return attach_by_perf(kernel, sites, path, ret, ret_attached);
	return attach_by_multi(kernel, sites, path, ret, ret_attached);
}

struct abi_control *kernel_control(struct kernel *kernel)
{
	return &kernel->skel->data_control->control;
}

int kernel_map_fd(const struct kernel *kernel, const char *name)
{
	return bpf_object__find_map_fd_by_name(kernel->skel->obj, name);
}
