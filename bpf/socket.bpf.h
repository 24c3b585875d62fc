/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets in the kernel's own structures: inode number, addresses, and the way from a descriptor to them. */
#pragma once
#include "conn.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFIFO  0010000

/* A word of the process's memory; 0 where there is none. */
static __always_inline __u64 user_word(__u64 at)
{
	__u64 word = 0;

	if (at)
		bpf_probe_read_user(&word, sizeof(word), (void *)at);
	return word;
}

static __always_inline struct file *file_of_fd(int fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files, *file = NULL;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	files = BPF_CORE_READ(table, fd);
	bpf_core_read(&file, sizeof(file), &files[fd]);
	return file;
}

/* What the descriptor leads to; 0 when it is no pipe and no socket. */
static __always_inline __u64 inode_of_fd(int fd)
{
	struct file *file = file_of_fd(fd);
	__u16 kind = file ? BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT : 0;

	return kind == S_IFIFO || kind == S_IFSOCK ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
}

static __always_inline struct sock *sock_of_fd(int fd)
{
	struct file *file = file_of_fd(fd);
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return socket ? BPF_CORE_READ(socket, sk) : NULL;
}

static __always_inline __u64 sock_inode(struct sock *sk)
{
	struct file *file = BPF_CORE_READ(sk, sk_socket, file);

	return file ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
}

static __always_inline void peer_addresses(struct abi_peer *peer, struct sock *sk)
{
	peer->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	peer->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	peer->inode = sock_inode(sk);
	if (peer->family == AF_UNIX) {
		struct sock *other = BPF_CORE_READ((struct unix_sock *)sk, peer);

		peer->unix_peer = other ? sock_inode(other) : 0;
		return;
	}
	peer->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	peer->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	/* By size: an array's name would read its first byte only. */
	if (peer->family == AF_INET) {
		bpf_core_read(peer->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(peer->remote, 4, &sk->__sk_common.skc_daddr);
	} else {
		bpf_core_read(peer->local, 16, &sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
		bpf_core_read(peer->remote, 16, &sk->__sk_common.skc_v6_daddr.in6_u.u6_addr8);
	}
}

/* The socket carried plain text before TLS began on it: a proxy was asked for the way. That is over, and when the socket's state
 * changes nobody would find it again. */
static __noinline int plain_over(const __u64 *sock)
{
	struct abi_conn_key *found = bpf_map_lookup_elem(&st_bysock, sock), key;
	struct abi_conn *conn;

	if (!found || found->kind != ABI_KIND_PLAIN)
		return 0;
	key = *found;
	conn = bpf_map_lookup_elem(&st_conns, &key);
	if (conn && conn->sock == *sock)
		conn_close(&key, conn, ABI_HOW_UNKNOWN);
	return 0;
}

/* The connection's socket is known: tells its addresses, and finds the connection again when the socket's state changes. */
static __always_inline void conn_bind(const struct abi_conn_key *key, struct abi_conn *conn, struct sock *sk,
				      __u8 evidence)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u64 address = (__u64)sk;
	struct abi_peer *peer;

	if (conn->evidence >= evidence || (family != AF_INET && family != AF_INET6 && family != AF_UNIX))
		return;
	peer = bpf_ringbuf_reserve(&st_ring, sizeof(*peer), 0);
	if (!peer)
		return;
	__builtin_memset(peer, 0, sizeof(*peer));
	head_fill(&peer->head, ABI_PEER, sizeof(*peer), conn->id);
	peer->evidence = evidence;
	peer_addresses(peer, sk);
	bpf_ringbuf_submit(peer, wake_flags());
	conn->evidence = evidence;
	conn->sock = address;
	if (key->kind != ABI_KIND_PLAIN)
		plain_over(&address);
	bpf_map_update_elem(&st_bysock, &address, key, BPF_ANY);
}
