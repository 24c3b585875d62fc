/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Servers on their standard input and output: pipes, or socket pairs, to the process that started them. Looked at from the
 * server's side, because its two descriptors are one connection there and nowhere else; told from the client's, whose
 * call it is. The program sits on the ends of the system calls that read and write, and only while there is such a
 * server; whoever is none pays for one look into a small map.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "chunk.bpf.h"

/* Verified once by itself, as with sockets. */
__attribute__((noinline)) int st_stdio_move(struct moving *m)
{
	if (!m)
		return 0;
	move_bytes(m);
	return 0;
}
#define MOVE st_stdio_move
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { BUFFERS_MAX = 16, ANCESTORS_MAX = 8 };

struct call_exit { /* of all sys_exit_* tracepoints */
	__u64 common;
	__s32 number;
	__s32 pad;
	__s64 result;
};

struct call_args {
	__u64 fd, buffer, count;
};

static __always_inline void args_read(struct call_args *args)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());

#if defined(__TARGET_ARCH_x86)
	bpf_probe_read_kernel(&args->fd, sizeof(args->fd), &regs->di);
	bpf_probe_read_kernel(&args->buffer, sizeof(args->buffer), &regs->si);
	bpf_probe_read_kernel(&args->count, sizeof(args->count), &regs->dx);
#else
	bpf_probe_read_kernel(&args->fd, sizeof(args->fd), &regs->orig_x0);
	bpf_probe_read_kernel(&args->buffer, sizeof(args->buffer), &regs->regs[1]);
	bpf_probe_read_kernel(&args->count, sizeof(args->count), &regs->regs[2]);
#endif
}

enum { CALL_WRITES = 1, CALL_IS_VECTOR = 2, CALL_OTHER = 4 };

static __always_inline int call_kind(int number)
{
#if defined(__TARGET_ARCH_x86)
	return number == 0    ? 0
	       : number == 1  ? CALL_WRITES
	       : number == 19 ? CALL_IS_VECTOR
	       : number == 20 ? CALL_WRITES | CALL_IS_VECTOR
			      : CALL_OTHER;
#else
	return number == 63   ? 0
	       : number == 64 ? CALL_WRITES
	       : number == 65 ? CALL_IS_VECTOR
	       : number == 66 ? CALL_WRITES | CALL_IS_VECTOR
			      : CALL_OTHER;
#endif
}

/* Some read byte by byte. */
static __always_inline bool begins_like_ours(__u64 buffer, __u64 len)
{
	__u8 first[2] = { 0, '"' };

	if (bpf_probe_read_user(first, len > 1 ? 2 : 1, (void *)buffer))
		return false;
	return first[0] == '{' && first[1] == '"';
}

/* The process that holds the other ends, among the ancestors. */
static __always_inline struct task_struct *client_find(__u32 client)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	for (int i = 0; i < ANCESTORS_MAX; i++) {
		task = BPF_CORE_READ(task, real_parent);
		if (!task || BPF_CORE_READ(task, tgid) == client)
			return task;
	}
	return NULL;
}

static __always_inline void stdio_open_send(struct abi_conn *conn, __u64 object, __u32 client, struct task_struct *task)
{
	struct abi_open *open = bpf_ringbuf_reserve(&st_ring, sizeof(*open), 0);

	conn->is_untold = !open;
	if (!open)
		return;
	__builtin_memset(open, 0, sizeof(*open));
	head_fill(&open->head, ABI_OPEN, sizeof(*open), conn->id);
	open->start_ns = conn->start_ns;
	open->object = object;
	open->tgid = client;
	open->tid = client;
	open->kind = ABI_KIND_PIPE;
	open->program = program_of(client);
	open->parent = BPF_CORE_READ(task, real_parent, tgid);
	open->uid = (__u32)bpf_get_current_uid_gid();
	bpf_ringbuf_submit(open, wake_flags());
}

static __always_inline struct abi_conn *stdio_conn(const struct abi_conn_key *key, const struct abi_stdio *stdio)
{
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, key);
	struct task_struct *client;
	__u32 tgid = stdio->client;

	if (conn && !conn->is_untold)
		return conn;
	client = client_find(tgid);
	if (!client)
		return conn;
	if (!conn)
		conn = conn_add(key, tgid, task_start_ns(client));
	if (conn)
		stdio_open_send(conn, key->object, tgid, client);
	return conn;
}

/* Told to be of no use: forgotten. A server that was muted is listened to all the same: what it says next may be wanted. */
static __always_inline bool is_denied(const struct abi_conn *conn)
{
	struct abi_verdict *verdict = &verdicts[abi_verdict_slot(conn->id)];

	if (verdict->conn != conn->id)
		return false;
	if (verdict->value == ABI_VERDICT_DENY)
		return true;
	verdict->value = ABI_VERDICT_KEEP;
	return false;
}

static __always_inline void vector_move(struct abi_conn *conn, __u32 dir, const struct call_args *args, __u64 len)
{
	__u64 time_ns = now_ns();

	for (__u32 i = 0; i < BUFFERS_MAX && i < args->count && len; i++) {
		struct user_iovec vec;
		__u64 part;

		if (bpf_probe_read_user(&vec, sizeof(vec), (void *)(args->buffer + i * sizeof(vec))))
			break;
		part = vec.len < len ? vec.len : len;
		if (part)
			conn_bytes(conn, dir, vec.base, part, time_ns);
		len -= part;
	}
	if (len)
		conn_bytes(conn, dir, 0, len, time_ns);
}

static __always_inline bool first_is_ours(const struct call_args *args, bool is_vector, __u64 len)
{
	struct user_iovec vec = { .base = args->buffer };

	if (is_vector && bpf_probe_read_user(&vec, sizeof(vec), (void *)args->buffer))
		return false;
	return begins_like_ours(vec.base, len);
}

SEC("tracepoint") int st_stdio_exit(struct call_exit *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct abi_stdio *stdio = bpf_map_lookup_elem(&st_stdio, &tgid);
	struct abi_conn_key key = { .tgid = tgid, .kind = ABI_KIND_PIPE };
	struct call_args args = {};
	struct abi_conn *conn;
	int kind = call_kind(ctx->number);
	__s64 len = ctx->result;
	__u64 inode;

	if (!stdio || len <= 0 || kind == CALL_OTHER || !process_wanted(tgid))
		return 0;
	args_read(&args);
	inode = inode_of_fd((int)args.fd);
	if (!inode || inode != (kind & CALL_WRITES ? stdio->out_inode : stdio->in_inode))
		return 0;
	key.object = stdio->in_inode;
	conn = bpf_map_lookup_elem(&st_conns, &key);
	if (!conn && !first_is_ours(&args, kind & CALL_IS_VECTOR, len)) {
		bpf_map_delete_elem(&st_stdio, &tgid);
		return 0;
	}
	conn = stdio_conn(&key, stdio);
	if (!conn)
		return 0;
	if (is_denied(conn)) {
		bpf_map_delete_elem(&st_stdio, &tgid);
		conn_close(&key, conn, ABI_HOW_UNKNOWN);
		return 0;
	}
	/* What the server writes, the client reads. */
	if (kind & CALL_IS_VECTOR)
		vector_move(conn, kind & CALL_WRITES ? ABI_DIR_READ : ABI_DIR_WRITE, &args, len);
	else
		conn_bytes(conn, kind & CALL_WRITES ? ABI_DIR_READ : ABI_DIR_WRITE, args.buffer, len, now_ns());
	return 0;
}
