/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plain sockets, and the sockets under TLS, from the two tracepoints that every send and receive of every kind of system
 * call passes (kernel 6.3 and later): they give socket and length, the system call's registers give the buffer. Calls that
 * are no socket's pay nothing. And the state changes of TCP sockets: who closed first, and when it is over.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "chunk.bpf.h"

/* Verified once by itself: inside the loop over buffers it would be verified sixty-four times. */
__attribute__((noinline)) int st_move(struct moving *m)
{
	if (!m)
		return 0;
	move_bytes(m);
	return 0;
}
#define MOVE st_move
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { LOOKS_MAX = 8, IOVECS_MAX = 264, MSG_PEEK = 2 };

/* How a system call names its buffer. */
enum shape { SHAPE_NONE, SHAPE_BUFFER, SHAPE_IOVEC, SHAPE_MSGHDR };

static __always_inline enum shape call_shape(__u64 number)
{
#if defined(__TARGET_ARCH_x86)
	switch (number) {
	case 0:
	case 1:
	case 44:
	case 45: /* read write sendto recvfrom */
		return SHAPE_BUFFER;
	case 19:
	case 20: /* readv writev */
		return SHAPE_IOVEC;
	case 46:
	case 47: /* sendmsg recvmsg */
		return SHAPE_MSGHDR;
	}
#elif defined(__TARGET_ARCH_arm64)
	switch (number) {
	case 63:
	case 64:
	case 206:
	case 207:
		return SHAPE_BUFFER;
	case 65:
	case 66:
		return SHAPE_IOVEC;
	case 211:
	case 212:
		return SHAPE_MSGHDR;
	}
#endif
	return SHAPE_NONE;
}

struct view { /* the user memory of a call: one buffer, or a list of them */
	__u64 buffer;
	__u64 iov;
	__u32 iov_count;
};

static __always_inline bool view_of_call(struct view *view)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct user_msghdr64 header = {};
	__u64 second, third, number;

#if defined(__TARGET_ARCH_x86)
	number = regs->orig_ax;
	second = regs->si;
	third = regs->dx;
	if (regs->cs == 0x23) /* a 32-bit program: other numbers, other structures */
		return false;
#else
	number = regs->syscallno;
	second = regs->regs[1];
	third = regs->regs[2];
#endif
	switch (call_shape(number)) {
	case SHAPE_BUFFER:
		view->buffer = second;
		return true;
	case SHAPE_IOVEC:
		view->iov = second;
		view->iov_count = third;
		return true;
	case SHAPE_MSGHDR:
		if (bpf_probe_read_user(&header, sizeof(header), (void *)second))
			return false;
		view->iov = header.iov;
		view->iov_count = header.iovlen;
		return true;
	default:
		return false;
	}
}

static __always_inline bool iovec_at(const struct view *view, __u32 i, struct user_iovec *ret)
{
	return i < view->iov_count && !bpf_probe_read_user(ret, sizeof(*ret), (void *)(view->iov + i * sizeof(*ret)));
}

/* First bytes of the call; as many as its first buffer has. */
static __always_inline bool view_start(const struct view *view, __u64 len, void *ret, __u32 want)
{
	struct user_iovec vec = { .base = view->buffer, .len = len };

	if (!view->buffer && !iovec_at(view, 0, &vec))
		return false;
	return vec.len >= want && !bpf_probe_read_user(ret, want, (void *)vec.base);
}

/* Not inline and not static: the verifier looks at it once and not once for each way to each place of a list. */
__noinline int st_plain_bytes(struct abi_conn *conn, __u32 dir, __u64 buffer, __u64 len, __u64 time_ns)
{
	if (conn)
		conn_bytes(conn, dir & 1, buffer, len, time_ns);
	return 0;
}

static __always_inline void view_move(struct abi_conn *conn, const struct view *view, __u32 dir, __u64 len)
{
	__u64 time_ns = now_ns();

	if (view->buffer || !view->iov) {
		st_plain_bytes(conn, dir, view->buffer, len, time_ns);
		return;
	}
	for (__u32 i = 0; i < IOVECS_MAX && len; i++) {
		struct user_iovec vec;
		__u64 part;

		if (!iovec_at(view, i, &vec))
			break;
		part = vec.len < len ? vec.len : len;
		if (part)
			st_plain_bytes(conn, dir, vec.base, part, time_ns);
		len -= part;
	}
	if (len)
		st_plain_bytes(conn, dir, 0, len, time_ns);
}

enum look { LOOK_NOTHING, LOOK_TLS, LOOK_HTTP };

static __always_inline enum look look_at(const __u8 b[8])
{
	__u32 word = b[0] | b[1] << 8 | b[2] << 16 | (__u32)b[3] << 24;

	if (b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3 && b[2] <= 4)
		return LOOK_TLS;
	if (word_is_method(word))
		return LOOK_HTTP;
	switch (word) {
	case 0x454c4544: /* DELE */
	case 0x44414548: /* HEAD */
	case 0x4954504f: /* OPTI */
	case 0x50545448: /* HTTP */
	case 0x20495250: /* PRI  */
	case 0x61746164: /* data: an event stream joined in its middle */
		return LOOK_HTTP;
	}
	/* a chunk of an event stream, joined in its middle: "1f2\r\ndata" begins with hexadecimal digits and CR LF */
	return ((b[1] == '\r' && b[2] == '\n') || (b[2] == '\r' && b[3] == '\n') || (b[3] == '\r' && b[4] == '\n')) &&
			       (b[0] >= '0' && b[0] <= 'f')
		       ? LOOK_HTTP
		       : LOOK_NOTHING;
}

/* Databases that vectors are kept in: PostgreSQL's first message, a command to Redis. Who of them never asks for vectors is given
 * up after a few statements (user/proto/database.h). */
static __always_inline bool looks_like_store(const __u8 b[8])
{
	__u32 word = b[4] | b[5] << 8 | b[6] << 16 | (__u32)b[7] << 24;

	if (!b[0] && !b[1])
		return (word & 0xffffff) == 0x000300; /* its version: 3 */
	return b[0] == '*' && b[1] >= '1' && b[1] <= '9' &&
	       ((b[2] == '\r' && b[3] == '\n' && b[4] == '$') || (b[3] == '\r' && b[4] == '\n' && b[5] == '$'));
}

/* The bytes at @at of the call; only of its first buffer. */
static __always_inline bool view_at(const struct view *view, __u64 len, __u32 at, void *ret, __u32 want)
{
	struct user_iovec vec = { .base = view->buffer, .len = len };

	if (!view->buffer && !iovec_at(view, 0, &vec))
		return false;
	return vec.len >= at + want && !bpf_probe_read_user(ret, want, (void *)(vec.base + at));
}

/* Before the first record of data stand those that end the handshake, which are nobody's. */
enum { RECORDS_WALKED = 4, RECORD_HEAD_LEN = 5, RECORD_DATA_TYPE = 0x17 };

static __always_inline struct abi_conn_key *prefix_find(const struct view *view, __u64 len, struct prefix_key *prefix)
{
	struct abi_conn_key *key;
	bool is_handshake = false;
	__u32 at = 0;

	for (int i = 0; i < RECORDS_WALKED; i++) {
		if (!view_at(view, len, at, prefix->bytes, PREFIX_LEN))
			return NULL;
		key = bpf_map_lookup_elem(&st_prefix, prefix);
		is_handshake |= prefix->bytes[0] != RECORD_DATA_TYPE;
		if (key || !is_handshake)
			return key;
		at += RECORD_HEAD_LEN + (prefix->bytes[3] << 8 | prefix->bytes[4]);
	}
	return NULL;
}

/* TLS inside a memory BIO left its record where remember_prefix() saw it, or record_sealed() saw it made. */
static __always_inline void bind_by_prefix(struct sock *sk, const struct view *view, __u64 len,
					   struct socket_note *note)
{
	struct prefix_key prefix = { .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct abi_conn_key *key, copy;
	struct abi_conn *conn;

	if (note->is_bound)
		return;
	key = prefix_find(view, len, &prefix);
	if (!key)
		return;
	copy = *key;
	bpf_map_delete_elem(&st_prefix, &prefix);
	conn = bpf_map_lookup_elem(&st_conns, &copy);
	if (!conn)
		return;
	conn_bind(&copy, conn, sk, ABI_PEER_CIPHERTEXT);
	note->is_bound = 1;
}

/* A socket that nobody knows yet: true when it carries HTTP in plain. */
static __always_inline bool socket_sniff(__u64 inode, struct socket_note *note, const struct view *view, __u64 len)
{
	struct socket_note fresh = {};
	__u8 first[8] = {};
	enum look look = view_start(view, len, first, sizeof(first)) ? look_at(first) : LOOK_NOTHING;

	if (look == LOOK_NOTHING && looks_like_store(first))
		look = LOOK_HTTP;

	if (!note) {
		note = &fresh;
	} else if (look == LOOK_NOTHING) {
		note->looks++;
		note->is_deaf = note->looks >= LOOKS_MAX;
		return false;
	}
	if (look == LOOK_HTTP)
		return true;
	note->is_tls = look == LOOK_TLS;
	note->is_deaf = note->is_tls;
	note->looks++;
	if (note == &fresh)
		bpf_map_update_elem(&st_sockets, &inode, note, BPF_ANY);
	return false;
}

static __always_inline bool is_ours(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6 || family == AF_UNIX) && sk->sk_type == SOCK_STREAM;
}

/* The TLS call of this direction that this thread is in. One of the other direction moves nothing itself; but a handler that
 * Node runs inside SSL_read when the handshake is done sends its request from there, and what else it likes. */
static __always_inline struct inflight *call_around(__u64 thread, __u32 dir)
{
	__u64 key = inflight_key(thread, dir);

	return bpf_map_lookup_elem(&st_inflight, &key);
}

/* Nothing of this socket is for us: known to be neither plain HTTP nor TLS whose object is still looked for. */
static __always_inline bool is_deaf(const struct socket_note *note, __u32 dir)
{
	return note && note->is_deaf && (!note->is_tls || note->is_bound || dir == ABI_DIR_READ);
}

static __always_inline void plain_moved(const struct abi_conn_key *key, struct sock *sk, struct socket_note *note,
					const struct view *view, __u32 len, __u32 dir)
{
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, key);
	bool is_new;

	if (!conn && !socket_sniff(key->object, note, view, len))
		return;
	conn = conn_get(key, true, &is_new);
	if (!conn)
		return;
	if (is_new)
		conn_bind(key, conn, sk, ABI_PEER_SOCKET);
	view_move(conn, view, dir, len);
}

static __always_inline int moved(struct sock *sk, int result, __u32 dir)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct inflight *call;
	struct socket_note *note;
	struct abi_conn_key key = {};
	struct view view = {};

	if (result <= 0 || !is_ours(sk) || !process_wanted(thread >> 32))
		return 0;
	call = call_around(thread, dir);
	if (call) {
		call->sock = (__u64)sk;
		return 0;
	}
	key.object = sock_inode(sk);
	key.tgid = thread >> 32;
	key.kind = ABI_KIND_PLAIN;
	note = bpf_map_lookup_elem(&st_sockets, &key.object);
	if (is_deaf(note, dir))
		return 0;
	if (!view_of_call(&view))
		view.buffer = view.iov = 0;
	if (note && note->is_tls)
		bind_by_prefix(sk, &view, result, note);
	else if (control.plain_on)
		plain_moved(&key, sk, note, &view, result, dir);
	return 0;
}

SEC("tp_btf/sock_send_length") int BPF_PROG(st_sock_send, struct sock *sk, int result, int flags)
{
	return moved(sk, result, ABI_DIR_WRITE);
}

SEC("tp_btf/sock_recv_length") int BPF_PROG(st_sock_recv, struct sock *sk, int result, int flags)
{
	return flags & MSG_PEEK ? 0 : moved(sk, result, ABI_DIR_READ);
}

/* Both halves were shut down by this side: close(), or shutdown(SHUT_RDWR). */
enum { SHUT_BOTH = 3 };

static __always_inline bool is_over(const struct sock *sk, int new_state)
{
	return new_state == TCP_CLOSE ||
	       ((new_state == TCP_FIN_WAIT1 || new_state == TCP_LAST_ACK) && sk->sk_shutdown == SHUT_BOTH);
}

/* Who left first; 0 while nobody did. */
static __always_inline __u8 how_of(const struct sock *sk, int old_state, int new_state)
{
	if (new_state == TCP_CLOSE_WAIT)
		return ABI_HOW_REMOTE;
	if (old_state != TCP_ESTABLISHED)
		return ABI_HOW_UNKNOWN;
	return new_state == TCP_CLOSE && sk->sk_err ? ABI_HOW_RESET : ABI_HOW_LOCAL;
}

SEC("tp_btf/inet_sock_set_state") int BPF_PROG(st_sock_state, struct sock *sk, int old_state, int new_state)
{
	__u64 address = (__u64)sk;
	struct abi_conn_key *key = bpf_map_lookup_elem(&st_bysock, &address), copy;
	struct abi_conn *conn;
	bool over = is_over(sk, new_state);

	if (!key)
		return 0;
	copy = *key;
	conn = bpf_map_lookup_elem(&st_conns, &copy);
	if (over)
		bpf_map_delete_elem(&st_bysock, &address);
	if (!conn || conn->sock != address)
		return 0;
	if (!conn->how)
		conn->how = how_of(sk, old_state, new_state);
	conn->is_cut |= over;
	/* A TLS object may still be read when its socket is gone: what it holds was received before. Its own end ends it. */
	if (over && copy.kind == ABI_KIND_PLAIN)
		conn_close(&copy, conn, ABI_HOW_LOCAL);
	return 0;
}
