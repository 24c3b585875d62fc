/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes: a child is wanted when its parent's wish is inherited, from its first instruction on; a new program makes a
 * wish that came from filters void; an end is told, so that what was open of it can be closed.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Zero at first, so it takes no room in the program. */
struct abi_verdict verdicts[ABI_VERDICT_SLOTS];

SEC("tp_btf/sched_process_fork") int BPF_PROG(st_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_id = parent->tgid, child_id = child->tgid;
	struct abi_process *process, copy;

	if (parent_id == child_id)
		return 0;
	if (control.counts_programs)
		bpf_map_delete_elem(&st_programs, &child_id);
	process = bpf_map_lookup_elem(&st_procs, &parent_id);
	if (!process) {
		bpf_map_delete_elem(&st_procs, &child_id);
		return 0;
	}
	copy = *process;
	copy.start_ns = 0;
	bpf_map_update_elem(&st_procs, &child_id, &copy, BPF_ANY);
	return 0;
}

/* A server on its standard input may be asked before the attacher has looked at it; that one knows its client better. */
static __always_inline void stdio_note(struct task_struct *task, __u32 tgid)
{
	struct abi_stdio stdio = { .in_inode = inode_of_fd(0), .out_inode = inode_of_fd(1) };

	if (!stdio.in_inode || !stdio.out_inode || stdio.in_inode == stdio.out_inode || !process_wanted(tgid))
		return;
	stdio.client = BPF_CORE_READ(task, real_parent, tgid);
	bpf_map_update_elem(&st_stdio, &tgid, &stdio, BPF_ANY);
}

static __always_inline void program_count(__u32 tgid)
{
	__u32 program = program_of(tgid) + 1;

	bpf_map_update_elem(&st_programs, &tgid, &program, BPF_ANY);
}

SEC("tp_btf/sched_process_exec") int BPF_PROG(st_exec, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct abi_process *process = bpf_map_lookup_elem(&st_procs, &tgid);

	if (control.counts_programs)
		program_count(tgid);
	if (process && !process->inherit)
		bpf_map_delete_elem(&st_procs, &tgid);
	stdio_note(task, tgid);
	return 0;
}

SEC("tp_btf/sched_process_exit") int BPF_PROG(st_exit, struct task_struct *task)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 tgid = thread >> 32;
	struct abi_exit *exit;

	bpf_map_delete_elem(&st_inflight, &(__u64){ inflight_key(thread, ABI_DIR_READ) });
	bpf_map_delete_elem(&st_inflight, &(__u64){ inflight_key(thread, ABI_DIR_WRITE) });
	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	if (!bpf_map_delete_elem(&st_talkers, &tgid)) {
		exit = bpf_ringbuf_reserve(&st_ring, sizeof(*exit), 0);
		if (exit) {
			head_fill(&exit->head, ABI_EXIT, sizeof(*exit), 0);
			exit->start_ns = task_start_ns(task);
			exit->tgid = tgid;
			exit->program = program_of(tgid);
			bpf_ringbuf_submit(exit, wake_flags());
		}
	}
	bpf_map_delete_elem(&st_stdio, &tgid);
	bpf_map_delete_elem(&st_programs, &tgid);
	bpf_map_delete_elem(&st_procs, &tgid);
	return 0;
}
