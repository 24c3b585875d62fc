/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who a process is, as far as the kernel side says it: when it began, whether it is wanted, which of its programs it runs. */
#pragma once
#include "maps.bpf.h"
#include "vmlinux_flavors.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline __u64 now_ns(void)
{
	return bpf_ktime_get_boot_ns();
}

static __always_inline __u64 task_start_ns(struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	if (bpf_core_field_exists(leader->start_boottime))
		return BPF_CORE_READ(leader, start_boottime);
	return BPF_CORE_READ((struct task_struct___v54 *)leader, real_start_time);
}

static __always_inline bool process_wanted(__u32 tgid)
{
	struct abi_process *process = bpf_map_lookup_elem(&st_procs, &tgid);

	return process ? process->wanted : control.default_wanted;
}

static __always_inline __u32 program_of(__u32 tgid)
{
	__u32 *program = bpf_map_lookup_elem(&st_programs, &tgid);

	return program ? *program : 0;
}
