/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel side, loaded in the best way that this kernel has, and put onto files. */
#pragma once
#include "probe/link.h"
#include "probe/probe.h"

struct spantap_bpf;
struct abi_control;

struct kernel {
	struct spantap_bpf *skel;
	enum probe_mode mode;
	bool has_sockets;
	bool has_cookies;
	bool has_all; /* also what is not core (kernel.c) */
};

int kernel_load(const struct probe_opts *opts, struct kernel *ret, const char **ret_error);
void kernel_unload(struct kernel *kernel);
enum { KERNEL_LINKS_MAX = 3 * SITES_MAX };
/* Puts the programs of all @sites into the file. Returns the number of links, or negative errno when none could be made;
 * *ret_attached counts the sites that have their programs. */
int kernel_attach(struct kernel *kernel, const struct site_set *sites, const char *path,
		  struct link ret[KERNEL_LINKS_MAX], unsigned *ret_attached);
struct abi_control *kernel_control(struct kernel *kernel);
int kernel_map_fd(const struct kernel *kernel, const char *name);
