/* SPDX-License-Identifier: Apache-2.0 */
/* The attribute block is written out by hand: its layout is kernel ABI, the installed headers may be older than the kernel. */
#include "probe/link.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct link_create_multi { /* union bpf_attr, BPF_LINK_CREATE, .uprobe_multi; linux/bpf.h of 6.6 */
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t count;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t path_fd;
};

enum { MULTI_RETURN = 1 };

int link_multi(int prog_fd, unsigned type, const char *path, const struct link_places *places, bool is_return,
	       struct link *ret)
{
	struct link_create_multi attr = {
		.prog_fd = (uint32_t)prog_fd,
		.attach_type = type,
		.path = (uint64_t)(uintptr_t)path,
		.offsets = (uint64_t)(uintptr_t)places->offsets,
		.cookies = (uint64_t)(uintptr_t)places->cookies,
		.count = places->count,
		.multi_flags = is_return ? MULTI_RETURN : 0,
	};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		return -errno;
	*ret = (struct link){ .fd = fd };
	return 0;
}

int link_perf(struct bpf_program *program, const char *path, uint64_t offset, const uint64_t *cookie, bool is_return,
	      struct link *ret)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie ? *cookie : 0, .retprobe = is_return);
	struct bpf_link *perf = bpf_program__attach_uprobe_opts(program, -1, path, offset, &opts);

	if (!perf)
		return -errno;
	*ret = (struct link){ .fd = -1, .perf = perf };
	return 0;
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	if (link->perf)
		bpf_link__destroy(link->perf);
	*link = (struct link){ .fd = -1 };
}
