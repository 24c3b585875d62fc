/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls of Go's crypto/tls that move plaintext: (*Conn).Read, and (*Conn).writeRecordLocked, which Write enters with each piece
 * when the handshake is done. Both are copied at their returns, when it is known how much was read, or sent.
 *
 * A goroutine may enter on one thread and return on another, and its stack may be moved meanwhile. What stays is the goroutine
 * itself (g, in a register of its own) and how deep in its stack a call is, counted from the upper end. By these an entry and a
 * return belong together, also where one TLS connection is read inside another. A buffer that lies on the stack moves with it.
 *
 * The answer may be read on another thread before the write's return was reached. So a read that gives bytes first tells the write
 * that is under way on its connection, if the kernel has taken all of it to send. One that still waits to be sent may fail.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { APPLICATION_DATA = 0x17 };

/* Go's registers: its own calling convention, since Go 1.17. */
#if defined(__TARGET_ARCH_x86)
#define GO_G(ctx)    ((ctx)->r14)
#define GO_ARG1(ctx) ((ctx)->ax) /* the first result as well */
#define GO_ARG2(ctx) ((ctx)->bx)
#define GO_ARG3(ctx) ((ctx)->cx)
#define GO_ARG4(ctx) ((ctx)->di)
#define GO_SPILLED   8 /* above the stack pointer: where a function may keep its arguments */
#elif defined(__TARGET_ARCH_arm64)
#define GO_REGISTER(ctx, n) (((struct user_pt_regs *)(ctx))->regs[n])
#define GO_G(ctx)           GO_REGISTER(ctx, 28)
#define GO_ARG1(ctx)        GO_REGISTER(ctx, 0)
#define GO_ARG2(ctx)        GO_REGISTER(ctx, 1)
#define GO_ARG3(ctx)        GO_REGISTER(ctx, 2)
#define GO_ARG4(ctx)        GO_REGISTER(ctx, 3)
#define GO_SPILLED          8
#endif

/* Calls that goroutines are in. Oldest forgotten first: then the function's own memory, and what is known of the write that is under
 * way, may still tell of it; of a read that is not told so the bytes are counted as missing. */
struct go_frame {
	__u64 g;
	__u32 tgid;
	__u32 depth;
	__u32 dir;
	__u32 pad;
};
struct go_call {
	__u64 object;
	__u64 buffer;
	__u64 len;
	__u64 time_ns;
	__u64 g;
	__u64 stack_end;
	__u64 conn; /* its number, where it had one already */
	__u64 sock; /* of a write, where it is known; only compared, and read as the kernel's memory */
	__u32 sent; /* the socket's count of what it was given to send, when the call was entered */
	__u8 is_on_stack;
	__u8 is_hidden;  /* a write of which no read can know */
	__u8 is_closing; /* the connection is closed while it writes */
	__u8 pad;
	__u32 depth; /* as in its frame */
	__u32 pad2;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct go_frame);
	__type(value, struct go_call);
} st_go_calls SEC(".maps");

/* The write that is under way on a connection; Go lets only one in. Who takes it out tells it. Full: its return tells it. What
 * a process leaves here when it is killed the attacher sweeps. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct abi_conn_key);
	__type(value, struct go_call);
} st_go_writing SEC(".maps");

struct go_stack {
	__u64 begin, end;
};

/* The stack of @g, as its runtime has it in g's first words; false where @sp is not on it. */
static __always_inline bool stack_read(__u64 g, __u64 sp, struct go_stack *ret)
{
	return g && !bpf_probe_read_user(ret, sizeof(*ret), (void *)g) && sp >= ret->begin && sp < ret->end;
}

static __always_inline void frame_fill(struct go_frame *frame, __u64 g, const struct go_stack *stack, __u64 sp,
				       __u32 dir)
{
	frame->g = g;
	frame->tgid = bpf_get_current_pid_tgid() >> 32;
	frame->depth = (__u32)(stack->end - sp);
	frame->dir = dir;
}

static __always_inline void key_fill(struct abi_conn_key *key, __u64 object)
{
	key->object = object;
	key->tgid = bpf_get_current_pid_tgid() >> 32;
	key->kind = ABI_KIND_GO;
}

/* ---- the socket of a connection ---- */

/* net.netFD: { poll.FD: lock of 16 bytes, descriptor, …; family; kind of socket }. The same from Go 1.17 on. */
enum { NETFD_DESCRIPTOR = 16, NETFD_FAMILY = 56, NETFD_TYPE = 64, WRAPPERS_MAX = 3 };

static __always_inline struct sock *sock_of_netfd(__u64 netfd)
{
	__u64 family = user_word(netfd + NETFD_FAMILY);
	struct sock *sk;

	if (!netfd || user_word(netfd + NETFD_TYPE) != SOCK_STREAM)
		return NULL;
	sk = sock_of_fd((int)user_word(netfd + NETFD_DESCRIPTOR));
	return sk && BPF_CORE_READ(sk, __sk_common.skc_family) == family ? sk : NULL;
}

/*
 * tls.Conn begins with the net.Conn that it writes to, an interface { type, data }: data is a *net.TCPConn, whose one word leads
 * to the netFD; or something that wraps a net.Conn, and then most often begins with it. What is taken for a netFD must name a
 * socket of this process and agree with it, so a wrong turn leads to none.
 */
static __always_inline struct sock *sock_of_conn(__u64 object)
{
	__u64 data = user_word(object + 8);

	for (int i = 0; i < WRAPPERS_MAX && data; i++) {
		struct sock *sk = sock_of_netfd(user_word(data));

		if (sk)
			return sk;
		data = user_word(data + 8);
	}
	return NULL;
}

/* What is sent there needs no looking at any more. */
static __always_inline void socket_bound(struct sock *sk)
{
	__u64 inode = sock_inode(sk);
	struct socket_note *note = bpf_map_lookup_elem(&st_sockets, &inode);

	if (note)
		note->is_bound = 1;
}

/* What TLS adds to a write at the least: a header, the type, and the tag of the cipher. */
enum { RECORD_OVERHEAD = 5 + 1 + 16 };

/* How much the socket was ever given to send, modulo 2^32. */
static __always_inline __u32 sock_sent(__u64 sock)
{
	return BPF_CORE_READ((struct tcp_sock *)sock, write_seq);
}

static __always_inline void write_note(struct go_call *call, const struct abi_conn *conn)
{
	struct sock *sk = conn && conn->sock ? (struct sock *)conn->sock : sock_of_conn(call->object);

	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX)
		return;
	call->sock = (__u64)sk;
	call->sent = sock_sent(call->sock);
}

static __always_inline bool was_sent(const struct go_call *call)
{
	return call->sock && (__u64)(__u32)(sock_sent(call->sock) - call->sent) >= call->len + RECORD_OVERHEAD;
}

/* ---- what is told ---- */

/* Bytes of which nobody can say to what connection they belong, or which was over before. */
static __always_inline void lost_tell(__u64 len, __u8 reason)
{
	__sync_fetch_and_add(&ledger_here()->seen, len);
	__sync_fetch_and_add(&ledger_here()->missing[reason], len);
}

/* All that passes. Neither inlined nor static: the verifier looks at it once, and not for each way to each call of it. */
__noinline int st_go_said(__u64 object, __u64 buffer, __u64 len, __u64 time_ns, __u32 dir)
{
	struct abi_conn_key key = {};
	struct abi_conn *conn;
	struct sock *sk;
	bool is_new;

	key_fill(&key, object);
	conn = conn_get(&key, OPEN_LATE, &is_new);
	if (!conn) {
		lost_tell(len, ABI_MISSING_BUDGET);
		return 0;
	}
	__sync_fetch_and_add(&ledger_here()->hits, 1);
	sk = conn->evidence ? NULL : sock_of_conn(object);
	if (sk) {
		conn_bind(&key, conn, sk, ABI_PEER_BIO);
		socket_bound(sk);
	}
	conn_bytes(conn, dir & 1, buffer, len, time_ns);
	return 0;
}

/* Where the buffer is now. */
static __always_inline __u64 buffer_now(const struct go_call *call)
{
	return call->is_on_stack ? call->buffer + (user_word(call->g + sizeof(__u64)) - call->stack_end) : call->buffer;
}

/* The write that is under way on the connection, taken so that nobody else tells it. @sent_only: if it was sent. */
static __always_inline bool writing_take(const struct abi_conn_key *key, bool sent_only, struct go_call *ret)
{
	struct go_call *found = bpf_map_lookup_elem(&st_go_writing, key);

	if (!found || (sent_only && !was_sent(found)))
		return false;
	*ret = *found;
	return !bpf_map_delete_elem(&st_go_writing, key);
}

static __always_inline void over(const struct abi_conn_key *key)
{
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, key);

	if (conn)
		conn_close(key, conn, ABI_HOW_LOCAL);
}

/* ---- the places ---- */

static __always_inline int go_enter(struct pt_regs *ctx, __u32 dir)
{
	struct abi_conn_key key = {};
	struct go_frame frame = {};
	struct go_call call = {};
	struct go_stack stack;
	struct abi_conn *conn;
	__u64 second = GO_ARG2(ctx), third = GO_ARG3(ctx), fourth = GO_ARG4(ctx);

	/* Each is read by a fixed offset; clang would fold the choice into a computed one, which the verifier refuses. */
	asm volatile("" : "+r"(second), "+r"(third), "+r"(fourth));
	if (dir == ABI_DIR_WRITE && (second & 0xff) != APPLICATION_DATA)
		return 0;
	call.g = GO_G(ctx);
	call.buffer = dir == ABI_DIR_WRITE ? third : second;
	call.len = dir == ABI_DIR_WRITE ? fourth : third;
	if (!call.len || !process_wanted(bpf_get_current_pid_tgid() >> 32) ||
	    !stack_read(call.g, PT_REGS_SP(ctx), &stack))
		return 0;
	call.object = GO_ARG1(ctx);
	call.time_ns = now_ns();
	call.stack_end = stack.end;
	call.is_on_stack = call.buffer >= stack.begin && call.buffer < stack.end;
	key_fill(&key, call.object);
	conn = bpf_map_lookup_elem(&st_conns, &key);
	call.conn = conn ? conn->id : 0;
	frame_fill(&frame, call.g, &stack, PT_REGS_SP(ctx), dir);
	call.depth = frame.depth;
	if (dir == ABI_DIR_WRITE) {
		write_note(&call, conn);
		call.is_hidden = bpf_map_update_elem(&st_go_writing, &key, &call, BPF_ANY) != 0;
	}
	bpf_map_update_elem(&st_go_calls, &frame, &call, BPF_ANY);
	return 0;
}

static __always_inline void write_leave(const struct go_call *call, __u64 count)
{
	struct go_call under_way = {};
	struct abi_conn_key key = {};

	key_fill(&key, call->object);
	if (!call->is_hidden && !writing_take(&key, false, &under_way))
		return;
	if (count)
		st_go_said(call->object, buffer_now(call), count, call->time_ns, ABI_DIR_WRITE);
	if (under_way.is_closing)
		over(&key);
}

static __always_inline void read_leave(const struct go_call *call, __u64 count)
{
	struct abi_conn_key key = {};
	struct go_call under_way;
	struct abi_conn *conn;

	key_fill(&key, call->object);
	if (call->conn) {
		conn = bpf_map_lookup_elem(&st_conns, &key);
		if (!conn || conn->id != call->conn)
			return lost_tell(count, ABI_MISSING_BUDGET);
	}
	if (writing_take(&key, true, &under_way))
		st_go_said(call->object, buffer_now(&under_way), under_way.len, under_way.time_ns, ABI_DIR_WRITE);
	st_go_said(call->object, buffer_now(call), count, now_ns(), ABI_DIR_READ);
}

/* A read that was entered before there was a probe: the function keeps its arguments where its caller left room for them. What is
 * there is believed when it leads to a connection. */
static __always_inline bool call_of_before(struct pt_regs *ctx, __u64 count, struct go_call *ret)
{
	__u64 words[3], at = PT_REGS_SP(ctx) + GO_SPILLED;

	if (bpf_probe_read_user(words, sizeof(words), (void *)at) || count > words[2] || !sock_of_conn(words[0]))
		return false;
	ret->object = words[0];
	ret->buffer = words[1];
	ret->len = words[2];
	return true;
}

/* A write that was forgotten: as long as nobody has told it, it is under way on its connection, of which the function keeps the address
 * there. */
static __always_inline bool write_under_way(struct pt_regs *ctx, const struct go_frame *frame, struct go_call *ret)
{
	struct abi_conn_key key = {};
	struct go_call *found;

	key_fill(&key, user_word(PT_REGS_SP(ctx) + GO_SPILLED));
	found = bpf_map_lookup_elem(&st_go_writing, &key);
	if (!found || found->g != frame->g || found->depth != frame->depth)
		return false;
	*ret = *found;
	return true;
}

static __always_inline int go_leave(struct pt_regs *ctx, __u32 dir)
{
	__u64 count = GO_ARG1(ctx), g = GO_G(ctx), sp = PT_REGS_SP(ctx);
	struct go_call *found, call = {};
	struct go_frame frame = {};
	struct go_stack stack;

	if (!process_wanted(bpf_get_current_pid_tgid() >> 32) || !stack_read(g, sp, &stack))
		return 0;
	frame_fill(&frame, g, &stack, sp, dir);
	found = bpf_map_lookup_elem(&st_go_calls, &frame);
	if (found) {
		call = *found;
		bpf_map_delete_elem(&st_go_calls, &frame);
	} else if (dir == ABI_DIR_WRITE) {
		if (!write_under_way(ctx, &frame, &call))
			return 0;
	} else if ((__s64)count <= 0 || !call_of_before(ctx, count, &call)) {
		if ((__s64)count > 0 && count < 1ull << 31)
			lost_tell(count, ABI_MISSING_JOINED_LATE);
		return 0;
	}
	if (count > call.len) /* negative, or none of ours */
		count = 0;
	if (dir == ABI_DIR_WRITE)
		write_leave(&call, count);
	else if (count)
		read_leave(&call, count);
	return 0;
}

/* Close: whoever is writing meanwhile is torn from it, and tells the end when it is back. */
static __always_inline int go_over(struct pt_regs *ctx)
{
	struct abi_conn_key key = {};
	struct go_call *writing;

	key_fill(&key, GO_ARG1(ctx));
	writing = bpf_map_lookup_elem(&st_go_writing, &key);
	if (writing)
		writing->is_closing = 1;
	else
		over(&key);
	return 0;
}

/* A handshake: where the address is known it is another connection now, unless the same one negotiates anew. */
static __always_inline int go_begin(struct pt_regs *ctx)
{
	struct abi_conn_key key = {};
	struct abi_conn *conn;

	key_fill(&key, GO_ARG1(ctx));
	conn = bpf_map_lookup_elem(&st_conns, &key);
	if (!conn || (conn->sock && !conn->how && conn->sock == (__u64)sock_of_conn(key.object)))
		return 0;
	bpf_map_delete_elem(&st_go_writing, &key);
	conn_close(&key, conn, ABI_HOW_LOCAL);
	return 0;
}

SEC("uprobe") int st_go(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 dir = ABI_COOKIE_DIR(cookie) & 1;

	switch (ABI_COOKIE_COUNT_ARG(cookie)) {
	case ABI_GO_ENTER:
		return go_enter(ctx, dir);
	case ABI_GO_LEAVE:
		return go_leave(ctx, dir);
	case ABI_GO_OVER:
		return go_over(ctx);
	default:
		return go_begin(ctx);
	}
}

/* Kernels before 5.15 have no cookies: a program for each place. */
#define PLAIN_PLACE(NAME, CALL)                                                                                        \
	SEC("uprobe") int st_go_##NAME(struct pt_regs *ctx)                                                            \
	{                                                                                                              \
		return CALL;                                                                                           \
	}

PLAIN_PLACE(read, go_enter(ctx, ABI_DIR_READ))
PLAIN_PLACE(read_end, go_leave(ctx, ABI_DIR_READ))
PLAIN_PLACE(write, go_enter(ctx, ABI_DIR_WRITE))
PLAIN_PLACE(write_end, go_leave(ctx, ABI_DIR_WRITE))
PLAIN_PLACE(over, go_over(ctx))
PLAIN_PLACE(begin, go_begin(ctx))
