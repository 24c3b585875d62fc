/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side and user space say to each other: records in the ring, and memory that both map. Fixed-width types,
 * explicit pads; a field is never moved, values are only added. The recorder writes these records as they are, so this is a
 * file format too: a change of meaning is a new ABI_VERSION.
 *
 * Times are nanoseconds since boot (CLOCK_BOOTTIME).
 */
#pragma once
#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum { ABI_VERSION = 1 };

enum abi_type {
	ABI_OPEN = 1,  /* struct abi_open: a connection got its number */
	ABI_PEER = 2,  /* struct abi_peer: its socket is known, or known better */
	ABI_CHUNK = 3, /* struct abi_chunk: bytes, or a hole */
	ABI_CLOSE = 4, /* struct abi_close */
	ABI_EXIT = 5,  /* struct abi_exit: a process ended */
	ABI_JOIN = 6,  /* struct abi_join: a pending connection turned out to go on with another */
};

/* In the order of enum capture_kind, enum direction, enum close_how, enum missing_reason and enum peer_evidence of the user
 * side's model; user/event/decode.c holds them together. */
enum abi_kind {
	ABI_KIND_OPENSSL,
	ABI_KIND_BORINGSSL,
	ABI_KIND_PLAIN,
	ABI_KIND_PIPE,
	ABI_KIND_RUSTLS,
	ABI_KIND_GO,
	ABI_KIND_GNUTLS,
};
enum abi_dir { ABI_DIR_READ, ABI_DIR_WRITE };
enum abi_how { ABI_HOW_UNKNOWN, ABI_HOW_LOCAL, ABI_HOW_REMOTE, ABI_HOW_RESET, ABI_HOW_EXIT };
enum abi_missing {
	ABI_MISSING_RING_FULL,
	ABI_MISSING_FAULT,
	ABI_MISSING_BUDGET,
	ABI_MISSING_JOINED_LATE,
	ABI_MISSING_UNDECODABLE,
	ABI_MISSING_POLICY,
	ABI_MISSING_MAX
};
enum abi_evidence {
	ABI_PEER_UNKNOWN,
	ABI_PEER_HOST_HEADER,
	ABI_PEER_NESTED,
	ABI_PEER_CIPHERTEXT,
	ABI_PEER_BIO,
	ABI_PEER_SOCKET
};

struct abi_head {
	__u16 type;
	__u16 pad;
	__u32 size; /* of the whole record; the ring may hold more behind it */
	__u64 conn;
	__u64 time_ns;
};

struct abi_open {
	struct abi_head head;
	__u64 start_ns; /* of the process */
	__u64 object;   /* TLS object's address, or the socket's inode number */
	__u32 tgid;
	__u32 tid;
	__u8 kind; /* enum abi_kind */
	__u8 is_late;
	__u8 is_pending; /* its socket is not known yet, and may prove it to be of another connection: an abi_peer or abi_join follows */
	__u8 pad[1];
	__u32 program; /* how many the process has executed since they are counted; 0 where they are not */
	__u32 parent;  /* thread group id; what is known of a process that is gone before anyone could ask */
	__u32 uid;
	__u8 comm[16];
};

struct abi_peer {
	struct abi_head head;
	__u64 netns;
	__u64 inode;
	__u64 unix_peer;  /* inode number of the other end of a unix socket */
	__u16 family;     /* AF_INET, AF_INET6, AF_UNIX */
	__u16 local_port; /* host order */
	__u16 remote_port;
	__u8 evidence; /* enum abi_evidence */
	__u8 pad;
	__u8 local[16];
	__u8 remote[16];
};

struct abi_chunk {
	struct abi_head head;
	__u64 offset;   /* of the first byte on its connection and direction */
	__u32 len;      /* bytes in data */
	__u32 hole_len; /* bytes at offset that could not be copied; then len is 0 */
	__u32 tid;
	__u8 dir;            /* enum abi_dir */
	__u8 reason;         /* enum abi_missing: of the hole, and of whatever is missing before offset */
	__u8 is_unwanted;    /* what is missing before offset is whole messages of no interest, and nothing else */
	__u8 is_behind_loss; /* the byte before offset was not copied, and will not come */
	__u8 data[];
};

struct abi_close {
	struct abi_head head;
	__u64 end[2]; /* bytes that passed, by direction */
	__u8 how;     /* enum abi_how */
	__u8 reason;  /* of bytes below end that never came */
	__u8 pad[6];
};

struct abi_exit {
	struct abi_head head; /* conn is 0 */
	__u64 start_ns;
	__u32 tgid;
	__u32 program; /* as in abi_open */
};

/* Everything of the connection @head.conn, which is over: what it carried in @dir passed on the connection @into, from @offset on.
 * Where only a cipher is seen, each direction and key has a name of its own; the socket tells later which belong together. */
struct abi_join {
	struct abi_head head;
	__u64 into;
	__u64 offset;
	__u8 dir;
	__u8 reason;         /* of what is missing before offset, as in abi_chunk */
	__u8 is_behind_loss; /* as in abi_chunk */
	__u8 pad[5];
};

/* What a probe's place means, carried by its cookie: kind of library, direction, which argument points to the length (0: the
 * return value is it), and whether a result of 0 tells the end of the stream (the "_ex" functions answer 0 to a mere "not
 * yet" as well). */
#define ABI_COOKIE(kind, dir, count_arg, zero_is_end) ((kind) | (dir) << 8 | (count_arg) << 16 | (zero_is_end) << 24)
#define ABI_COOKIE_KIND(cookie)                       ((cookie)&0xff)
#define ABI_COOKIE_DIR(cookie)                        ((cookie) >> 8 & 0xff)
#define ABI_COOKIE_COUNT_ARG(cookie)                  ((cookie) >> 16 & 0xff)
#define ABI_COOKIE_ZERO_IS_END(cookie)                ((cookie) >> 24 & 1)

/* What stands there in Go's functions, in the place of the argument's number. */
enum abi_go { ABI_GO_ENTER, ABI_GO_LEAVE, ABI_GO_OVER, ABI_GO_BEGIN };
/* Functions of other shapes, in the place of the argument's number: what is sent was counted when it was given to a write before;
 * argument 2 is where the callee leaves a packet of GnuTLS; or it is a type, the buffer follows, and only text counts. */
enum { ABI_COUNT_BEFORE = 1, ABI_COUNT_PACKET = 2, ABI_COUNT_TYPED = 3 };
