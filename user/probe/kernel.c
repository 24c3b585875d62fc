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

/* What each role of a site is to the kernel side. Roles without an entry program get none. */
static const struct role {
	uint8_t dir, count_arg;
	bool is_over;            /* the object's life ends there */
	const char *plain_entry; /* for kernels without cookies */
} roles[_SITE_MAX] = {
	[SITE_READ] = { ABI_DIR_READ, 0, false, "st_read_in" },
	[SITE_WRITE] = { ABI_DIR_WRITE, 0, false, "st_write_in" },
	[SITE_READ_EX] = { ABI_DIR_READ, 4, false, "st_read_ex_in" },
	[SITE_WRITE_EX] = { ABI_DIR_WRITE, 4, false, "st_write_ex_in" },
	[SITE_WRITE_EX2] = { ABI_DIR_WRITE, 5, false, "st_write_ex2_in" },
	[SITE_FREE] = { 0, 0, true, NULL },
	[SITE_CLEAR] = { 0, 0, true, NULL },
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

/* Which programs this mode loads, and as what. */
static void programs_choose(struct spantap_bpf *skel, const struct kernel *kernel)
{
	struct bpf_program *const multi[] = { skel->progs.st_enter, skel->progs.st_return, skel->progs.st_over };
	bool is_session = kernel->mode == PROBE_SESSION;

	bpf_program__set_autoload(skel->progs.st_call, is_session);
	bpf_program__set_expected_attach_type(skel->progs.st_call, (enum bpf_attach_type)LINK_TYPE_SESSION);
	bpf_program__set_autoload(skel->progs.st_enter, !is_session && kernel->has_cookies);
	bpf_program__set_autoload(skel->progs.st_return, !is_session);
	for (size_t i = 0; kernel->mode != PROBE_PERF && i < ARRAY_SIZE(multi); i++)
		bpf_program__set_expected_attach_type(multi[i], (enum bpf_attach_type)LINK_TYPE_MULTI);
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (roles[i].plain_entry)
			bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj, roles[i].plain_entry),
						  !kernel->has_cookies);
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
		.sites = { { .role = SITE_READ, .offset = self_offset((const void *)probe_self_test_target) } },
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
	programs_choose(kernel->skel, kernel);
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
	bool has_cookies;
} ways[] = { { PROBE_SESSION, true }, { PROBE_MULTI, true }, { PROBE_PERF, true }, { PROBE_PERF, false } };

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
		r = mode_load(opts, ret);
		if (r == 0)
			break;
		log_debug("%s does not work here: %s", probe_mode_names[ret->mode], strerror(-r));
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

static uint64_t site_cookie(const struct site *site, enum site_family family)
{
	const struct role *role = &roles[site->role];

	bool zero_is_end = site->role == SITE_READ || (site->role == SITE_READ_EX && site->is_inner);

	return ABI_COOKIE(family == SITE_FAMILY_BORINGSSL ? ABI_KIND_BORINGSSL : ABI_KIND_OPENSSL, role->dir,
			  role->count_arg, zero_is_end);
}

static bool site_is_call(const struct site *site)
{
	return roles[site->role].plain_entry != NULL;
}

/* One link for all places of a kind. 1, 0 when there are none, or negative errno. */
static int multi_attach(const struct site_set *sites, bool calls, struct bpf_program *program, unsigned type,
			const char *path, bool is_return, struct link *ret, unsigned *ret_count)
{
	struct link_places places = { .count = 0 };
	int r;

	for (size_t i = 0; i < sites->count && places.count < LINK_PLACES_MAX; i++) {
		const struct site *site = &sites->sites[i];

		if (calls ? !site_is_call(site) : !roles[site->role].is_over)
			continue;
		places.offsets[places.count] = site->offset;
		places.cookies[places.count++] = site_cookie(site, sites->family);
	}
	*ret_count = places.count;
	if (!places.count)
		return 0;
	r = link_multi(bpf_program__fd(program), type, path, &places, is_return, ret);
	return r < 0 ? r : 1;
}

static int attach_by_multi(struct kernel *kernel, const struct site_set *sites, const char *path, struct link *ret,
			   unsigned *ret_attached)
{
	bool is_session = kernel->mode == PROBE_SESSION;
	unsigned calls, overs;
	int n = 0, r;

	r = multi_attach(sites, true, is_session ? kernel->skel->progs.st_call : kernel->skel->progs.st_enter,
			 is_session ? LINK_TYPE_SESSION : LINK_TYPE_MULTI, path, false, &ret[n], &calls);
	if (r < 0)
		return r;
	n += r;
	if (!is_session) {
		r = multi_attach(sites, true, kernel->skel->progs.st_return, LINK_TYPE_MULTI, path, true, &ret[n],
				 &calls);
		n += r > 0;
	}
	r = multi_attach(sites, false, kernel->skel->progs.st_over, LINK_TYPE_MULTI, path, false, &ret[n], &overs);
	n += r > 0;
	*ret_attached = calls + (r > 0 ? overs : 0);
	return n;
}

/* Entry and, for a call, return. Returns the number of links. */
static int perf_attach(struct kernel *kernel, const struct site *site, uint64_t cookie, const char *path,
		       struct link *ret)
{
	struct bpf_program *entry =
		roles[site->role].is_over ? kernel->skel->progs.st_over
		: kernel->has_cookies
			? kernel->skel->progs.st_enter
			: bpf_object__find_program_by_name(kernel->skel->obj, roles[site->role].plain_entry);
	int r = link_perf(entry, path, site->offset, kernel->has_cookies ? &cookie : NULL, false, &ret[0]);

	if (r < 0 || roles[site->role].is_over)
		return r < 0 ? r : 1;
	r = link_perf(kernel->skel->progs.st_return, path, site->offset, NULL, true, &ret[1]);
	if (r < 0)
		link_close(&ret[0]);
	return r < 0 ? r : 2;
}

static int attach_by_perf(struct kernel *kernel, const struct site_set *sites, const char *path, struct link *ret,
			  unsigned *ret_attached)
{
	int n = 0, r, error = 0;

	*ret_attached = 0;
	for (size_t i = 0; i < sites->count && n + 2 <= KERNEL_LINKS_MAX; i++) {
		const struct site *site = &sites->sites[i];

		if (!site_is_call(site) && !roles[site->role].is_over)
			continue;
		r = perf_attach(kernel, site, site_cookie(site, sites->family), path, &ret[n]);
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
