/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls of OpenSSL, BoringSSL and GnuTLS that move plaintext. The arguments are kept at entry, the bytes are copied at the return,
 * when their number is exact and their pages are there. Only the outermost call of a thread and direction counts
 * (SSL_write_ex calls SSL_write_ex2); an entry whose stack pointer does not fit the return belongs to a call that never returned.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

extern bool bpf_session_is_return(void) __ksym __weak;

enum { RETURN_SKIPPED = 1, RETURN_WANTED = 0 };
enum { TYPE_TEXT = 23 }; /* of a TLS record */

static __always_inline int call_enter(struct pt_regs *ctx, __u64 cookie, __u64 count_at)
{
	__u32 dir = ABI_COOKIE_DIR(cookie) & 1;
	__u64 thread = bpf_get_current_pid_tgid(), key = inflight_key(thread, dir), sp = PT_REGS_SP(ctx);
	__u64 second = PT_REGS_PARM2(ctx), third = PT_REGS_PARM3(ctx);
	bool is_typed = ABI_COOKIE_COUNT_ARG(cookie) == ABI_COUNT_TYPED;
	struct inflight *outer, call = {};

	/* As in cookie_enter(). */
	asm volatile("" : "+r"(second), "+r"(third));
	if (!process_wanted(thread >> 32) || (is_typed && (__u32)second != TYPE_TEXT))
		return RETURN_SKIPPED;
	outer = bpf_map_lookup_elem(&st_inflight, &key);
	if (outer && outer->sp > sp)
		return RETURN_SKIPPED;
	call.object = PT_REGS_PARM1(ctx);
	call.buffer = is_typed ? third : second;
	call.count_at = count_at;
	call.sp = sp;
	call.time_ns = dir == ABI_DIR_WRITE ? now_ns() : 0;
	call.kind = ABI_COOKIE_KIND(cookie);
	call.dir = dir;
	call.zero_is_end = ABI_COOKIE_ZERO_IS_END(cookie);
	call.count_arg = ABI_COOKIE_COUNT_ARG(cookie);
	bpf_map_update_elem(&st_inflight, &key, &call, BPF_ANY);
	return RETURN_WANTED;
}

/* ---- the socket behind a TLS object, where its BIO tells ---- */

enum { BIO_TYPE_SOCKET = 0x505, BIO_TYPE_FD = 0x504, BIO_TYPE_MEM = 0x401 };

struct bio {
	__u64 at;
	__u32 type;
	__u32 is_v3; /* BIO of OpenSSL 3: its method is the second word */
};

static __always_inline bool bio_read(__u64 at, struct bio *bio)
{
	__u64 method;

	bio->at = at;
	for (int i = 0; i < 2; i++) {
		method = user_word(at + 8 - 8 * i);
		bio->is_v3 = i == 0;
		bio->type = (__u32)user_word(method);
		if (bio->type == BIO_TYPE_SOCKET || bio->type == BIO_TYPE_FD || bio->type == BIO_TYPE_MEM)
			return true;
	}
	return false;
}

/* rbio and wbio follow each other; where they stand depends on the version, so each place is tried and must hold a BIO. */
static __always_inline bool object_wbio(__u64 object, struct bio *bio)
{
	return bio_read(user_word(object + 0x18), bio) || bio_read(user_word(object + 0x58), bio) ||
	       bio_read(user_word(object + 0x50), bio) || bio_read(user_word(object + 0x20), bio);
}

static __always_inline void bind_by_bio(const struct abi_conn_key *key, struct abi_conn *conn, struct bio *bio)
{
	__u32 number = (__u32)user_word(bio->at + (bio->is_v3 ? 0x38 : 0x30));
	struct sock *sk = sock_of_fd((int)number);

	if (sk)
		conn_bind(key, conn, sk, ABI_PEER_BIO);
}

/* The start of a TLS record: application data or handshake, version 3.x. */
static __always_inline bool prefix_read(__u64 at, struct prefix_key *prefix)
{
	if (!at || bpf_probe_read_user(prefix->bytes, PREFIX_LEN, (void *)at))
		return false;
	return prefix->bytes[0] >= 0x14 && prefix->bytes[0] <= 0x17 && prefix->bytes[1] == 3;
}

enum { NODE_HEAD_FIRST = 0x20, NODE_HEAD_LAST = 0x38 };

/*
 * What a memory BIO holds will be sent by somebody: remember how it begins. OpenSSL's own is BIO -> BIO_BUF_MEM {buf, readp}
 * -> BUF_MEM {length, data}; Node's is BIO -> NodeBIO {env, initial, length, eof_return, read_head} -> Buffer {env, read_pos,
 * write_pos, len, next, data}, and its read_head moved down when NodeBIO got virtual functions and a base, so each place is
 * tried. A wrong guess costs nothing: it must look like a record here and be sent by a socket later.
 */
static __always_inline void remember_prefix(const struct abi_conn_key *key, struct bio *bio)
{
	__u64 state = user_word(bio->at + (bio->is_v3 ? 0x40 : 0x38)), readp = user_word(state + 8);
	struct prefix_key prefix = { .tgid = key->tgid };
	__u64 buffer;

	if (user_word(readp) >= PREFIX_LEN && prefix_read(user_word(readp + 8), &prefix)) {
		bpf_map_update_elem(&st_prefix, &prefix, key, BPF_ANY);
		return;
	}
	for (__u32 place = NODE_HEAD_FIRST; place <= NODE_HEAD_LAST; place += 8) {
		buffer = user_word(state + place);
		if (buffer && prefix_read(user_word(buffer + 0x28) + user_word(buffer + 8), &prefix)) {
			bpf_map_update_elem(&st_prefix, &prefix, key, BPF_ANY);
			return;
		}
	}
}

static __always_inline void call_bind(const struct abi_conn_key *key, struct abi_conn *conn,
				      const struct inflight *call)
{
	struct bio bio = {};
	bool has_bio = key->kind == ABI_KIND_OPENSSL && object_wbio(key->object, &bio);

	if (has_bio && bio.type != BIO_TYPE_MEM)
		bind_by_bio(key, conn, &bio);
	if (!conn->evidence && call->sock)
		conn_bind(key, conn, (struct sock *)call->sock, ABI_PEER_NESTED);
	if (!conn->evidence && has_bio && bio.type == BIO_TYPE_MEM && call->dir == ABI_DIR_WRITE)
		remember_prefix(key, &bio);
}

/* ---- one connection after another in the same memory ---- */

enum { BORINGSSL_STATE = 0x30, BORINGSSL_RANDOM = 0x20 };

/*
 * Where nobody tells that an object dies, another may live at its address. Its handshake left random bytes in its state: both sides'
 * stand at the beginning, in every layout these eight are of one of them, and they stay as they are. What looks like an address or a
 * count is none of that.
 */
static __always_inline __u64 object_generation(const struct abi_conn_key *key)
{
	__u64 word = user_word(user_word(key->object + BORINGSSL_STATE) + BORINGSSL_RANDOM);

	return word >> 48 && (word & 0xffff) ? word : 0;
}

/* OpenSSL without names: nobody writes to a socket that is closed, and an object has one socket. */
static __always_inline bool is_of_another(const struct abi_conn *conn, const struct inflight *call)
{
	return conn->is_cut && (call->dir == ABI_DIR_WRITE || (call->sock && call->sock != conn->sock));
}

static __always_inline void generation_note(const struct abi_conn_key *key, const struct inflight *call)
{
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, key);
	__u64 generation = conn && key->kind == ABI_KIND_BORINGSSL ? object_generation(key) : 0;

	if (!conn)
		return;
	if (key->kind == ABI_KIND_OPENSSL && is_of_another(conn, call))
		conn_close(key, conn, ABI_HOW_UNKNOWN);
	else if (generation && conn->generation && conn->generation != generation)
		conn_close(key, conn, ABI_HOW_UNKNOWN);
	else if (generation)
		conn->generation = generation;
}

/*
 * Programs that collect what they send for many connections and send it later (Bun) are in no TLS call then. But SSL_write makes each
 * record with one cipher; what that has made is remembered, and the socket that sends it is the object's. Where the record begins is
 * not said: the output does, or a list of outputs, and right before it stands the record's head (and in TLS 1.2 a nonce).
 */
enum { RECORD_DATA = 0x17, RECORD_HEAD = 5, RECORD_NONCE = 8 };

static __always_inline bool record_is_at(__u64 at)
{
	__u32 head = 0;

	return !bpf_probe_read_user(&head, sizeof(head), (void *)at) && (head & 0xffff) == (3 << 8 | RECORD_DATA);
}

static __always_inline __u64 record_before(__u64 output)
{
	if (record_is_at(output - RECORD_HEAD))
		return output - RECORD_HEAD;
	return record_is_at(output - RECORD_HEAD - RECORD_NONCE) ? output - RECORD_HEAD - RECORD_NONCE : 0;
}

static __always_inline bool is_peer_known(const struct abi_conn_key *key)
{
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, key);

	return conn && conn->evidence >= ABI_PEER_CIPHERTEXT &&
	       (!conn->generation || conn->generation == object_generation(key));
}

static __always_inline struct inflight *sealing_call(struct abi_conn_key *ret_key)
{
	__u64 thread = bpf_get_current_pid_tgid(), key = inflight_key(thread, ABI_DIR_WRITE);
	struct inflight *call = bpf_map_lookup_elem(&st_inflight, &key);

	if (!call || call->kind != ABI_KIND_BORINGSSL)
		return NULL;
	ret_key->object = call->object;
	ret_key->tgid = thread >> 32;
	ret_key->kind = call->kind;
	return call;
}

static __always_inline int record_seal(__u64 output)
{
	struct abi_conn_key key = {};
	struct inflight *call = sealing_call(&key);

	if (!call || is_peer_known(&key))
		return RETURN_SKIPPED;
	call->record = record_before(output);
	for (__u32 word = 0; word < 2 && !call->record; word++)
		call->record = record_before(user_word(output + 8 * word));
	return call->record ? RETURN_WANTED : RETURN_SKIPPED;
}

static __always_inline int record_sealed(void)
{
	struct abi_conn_key key = {};
	struct inflight *call = sealing_call(&key);
	struct prefix_key prefix = { .tgid = key.tgid };

	if (!call || !call->record)
		return 0;
	if (prefix_read(call->record, &prefix))
		bpf_map_update_elem(&st_prefix, &prefix, &key, BPF_ANY);
	call->record = 0;
	return 0;
}

SEC("uprobe") int st_record(struct pt_regs *ctx)
{
	return bpf_session_is_return() ? record_sealed() : record_seal(PT_REGS_PARM2(ctx));
}

SEC("uprobe") int st_record_in(struct pt_regs *ctx)
{
	record_seal(PT_REGS_PARM2(ctx));
	return 0;
}

SEC("uprobe") int st_record_out(struct pt_regs *ctx)
{
	return record_sealed();
}

/* The call of @thread and @dir that returns to @sp, taken off the map. */
static __always_inline bool inflight_take(__u64 thread, __u32 dir, __u64 sp, struct inflight *ret)
{
	__u64 key = inflight_key(thread, dir);
	struct inflight *found = bpf_map_lookup_elem(&st_inflight, &key);

	if (!found || found->sp + sizeof(long) != sp)
		return false;
	*ret = *found;
	bpf_map_delete_elem(&st_inflight, &key);
	return true;
}

/* One side said that it will send no more (close_notify): whoever closes the socket afterwards, it left first. */
static __always_inline void side_ended(const struct abi_conn_key *key, __u8 how)
{
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, key);

	if (conn && !conn->how)
		conn->how = how;
}

/* ---- GnuTLS ---- */

enum { GNUTLS_AGAIN = -28, GNUTLS_INTERRUPTED = -52 };

/* A record that could not be sent is sealed and kept; the result of the call that sends it is its length, whatever that call is
 * given. Only this one tells what was in it. */
static __always_inline void again_note(const struct abi_conn_key *key, const struct inflight *call, int result)
{
	if (key->kind == ABI_KIND_GNUTLS && call->dir == ABI_DIR_WRITE && call->buffer &&
	    call->count_arg != ABI_COUNT_BEFORE && (result == GNUTLS_AGAIN || result == GNUTLS_INTERRUPTED))
		bpf_map_update_elem(&st_again, key, &call->buffer, BPF_ANY);
}

static __always_inline __u64 again_buffer(const struct abi_conn_key *key)
{
	__u64 *buffer = bpf_map_lookup_elem(&st_again, key);

	return buffer ? *buffer : 0;
}

/* A packet is {next, prev, taken, {data, size}}; all of it that is not taken was received, or it is no such thing. */
static __always_inline __u64 packet_buffer(__u64 place, int result)
{
	__u64 packet = user_word(place), taken = user_word(packet + 0x10);

	return (__u32)user_word(packet + 0x20) - taken == result ? user_word(packet + 0x18) + taken : 0;
}

static __always_inline __u64 call_buffer(const struct abi_conn_key *key, const struct inflight *call, int result)
{
	if (call->count_arg == ABI_COUNT_PACKET)
		return packet_buffer(call->buffer, result);
	return call->buffer || key->kind != ABI_KIND_GNUTLS ? call->buffer : again_buffer(key);
}

/* What was given before was counted then; now its socket is seen. */
static __always_inline void sent_before(const struct abi_conn_key *key, const struct inflight *call)
{
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, key);

	if (conn && !conn->evidence)
		call_bind(key, conn, call);
}

static __always_inline int call_return(struct pt_regs *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid(), sp = PT_REGS_SP(ctx), count;
	struct abi_conn_key key = {};
	struct abi_conn *conn;
	struct inflight call;
	int result = (int)PT_REGS_RC(ctx);
	bool is_new;

	if (!inflight_take(thread, ABI_DIR_READ, sp, &call) && !inflight_take(thread, ABI_DIR_WRITE, sp, &call))
		return 0;
	key.object = call.object;
	key.tgid = thread >> 32;
	key.kind = call.kind;
	if (result <= 0) {
		if (result == 0 && call.zero_is_end)
			side_ended(&key, ABI_HOW_REMOTE);
		again_note(&key, &call, result);
		return 0;
	}
	if (call.count_arg == ABI_COUNT_BEFORE) {
		sent_before(&key, &call);
		return 0;
	}
	count = call.count_at ? user_word(call.count_at) : (__u64)result;
	if (!count || count > 1ull << 31)
		return 0;
	generation_note(&key, &call);
	conn = conn_get(&key, OPEN_LATE, &is_new);
	if (!conn) {
		__sync_fetch_and_add(&ledger_here()->seen, count);
		__sync_fetch_and_add(&ledger_here()->missing[ABI_MISSING_BUDGET], count);
		return 0;
	}
	__sync_fetch_and_add(&ledger_here()->hits, 1);
	if (is_new)
		generation_note(&key, &call);
	if (!conn->evidence)
		call_bind(&key, conn, &call);
	conn_bytes(conn, call.dir, call_buffer(&key, &call, result), count, call.time_ns ? call.time_ns : now_ns());
	return 0;
}

/* The cookie of a place tells what stands there (abi.h), so one program serves all shapes of functions. */
static __always_inline int cookie_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), fourth = PT_REGS_PARM4(ctx), fifth = PT_REGS_PARM5(ctx), count_at;

	/* Both are read by fixed offsets; clang would fold the choice into a computed one, which the verifier refuses. */
	asm volatile("" : "+r"(fourth), "+r"(fifth));
	count_at = ABI_COOKIE_COUNT_ARG(cookie) == 4 ? fourth : ABI_COOKIE_COUNT_ARG(cookie) == 5 ? fifth : 0;
	return call_enter(ctx, cookie, count_at);
}

SEC("uprobe") int st_call(struct pt_regs *ctx)
{
	return bpf_session_is_return() ? call_return(ctx) : cookie_enter(ctx);
}

SEC("uprobe") int st_enter(struct pt_regs *ctx)
{
	return cookie_enter(ctx);
}

SEC("uprobe") int st_return(struct pt_regs *ctx)
{
	return call_return(ctx);
}

/* Kernels before 5.15 have no cookies: a program for each shape, and kind of library. */
#define PLAIN_ENTRY(NAME, COOKIE, COUNT_AT)                                                                            \
	SEC("uprobe") int st_##NAME##_in(struct pt_regs *ctx)                                                          \
	{                                                                                                              \
		return call_enter(ctx, COOKIE, COUNT_AT);                                                              \
	}

#define OPENSSL_COOKIE(DIR)       ABI_COOKIE(ABI_KIND_OPENSSL, DIR, 0, 0)
#define GNUTLS_COOKIE(DIR, SHAPE) ABI_COOKIE(ABI_KIND_GNUTLS, DIR, SHAPE, (DIR) == ABI_DIR_READ)

PLAIN_ENTRY(read, OPENSSL_COOKIE(ABI_DIR_READ), 0)
PLAIN_ENTRY(write, OPENSSL_COOKIE(ABI_DIR_WRITE), 0)
PLAIN_ENTRY(read_ex, OPENSSL_COOKIE(ABI_DIR_READ), PT_REGS_PARM4(ctx))
PLAIN_ENTRY(write_ex, OPENSSL_COOKIE(ABI_DIR_WRITE), PT_REGS_PARM4(ctx))
PLAIN_ENTRY(write_ex2, OPENSSL_COOKIE(ABI_DIR_WRITE), PT_REGS_PARM5(ctx))
PLAIN_ENTRY(bread, ABI_COOKIE(ABI_KIND_BORINGSSL, ABI_DIR_READ, 0, 0), 0)
PLAIN_ENTRY(bwrite, ABI_COOKIE(ABI_KIND_BORINGSSL, ABI_DIR_WRITE, 0, 0), 0)
PLAIN_ENTRY(gnutls_read, GNUTLS_COOKIE(ABI_DIR_READ, 0), 0)
PLAIN_ENTRY(gnutls_write, GNUTLS_COOKIE(ABI_DIR_WRITE, 0), 0)
PLAIN_ENTRY(gnutls_typed, GNUTLS_COOKIE(ABI_DIR_READ, ABI_COUNT_TYPED), 0)
PLAIN_ENTRY(gnutls_packet, GNUTLS_COOKIE(ABI_DIR_READ, ABI_COUNT_PACKET), 0)
PLAIN_ENTRY(gnutls_flush, GNUTLS_COOKIE(ABI_DIR_WRITE, ABI_COUNT_BEFORE), 0)

static __always_inline void object_over(__u64 object, __u32 kind)
{
	struct abi_conn_key key = { .object = object, .tgid = bpf_get_current_pid_tgid() >> 32, .kind = kind };
	struct abi_conn *conn = bpf_map_lookup_elem(&st_conns, &key);

	if (conn)
		conn_close(&key, conn, ABI_HOW_LOCAL);
}

/* SSL_free(ssl), SSL_clear(ssl), gnutls_deinit(session): this generation of the object is over. */
SEC("uprobe") int st_over(struct pt_regs *ctx)
{
	object_over(PT_REGS_PARM1(ctx), ABI_KIND_OPENSSL);
	object_over(PT_REGS_PARM1(ctx), ABI_KIND_BORINGSSL);
	object_over(PT_REGS_PARM1(ctx), ABI_KIND_GNUTLS);
	return 0;
}

/* gnutls_bye(session, how): it may go on reading. */
SEC("uprobe") int st_bye(struct pt_regs *ctx)
{
	struct abi_conn_key key = { .object = PT_REGS_PARM1(ctx), .kind = ABI_KIND_GNUTLS };

	key.tgid = bpf_get_current_pid_tgid() >> 32;
	side_ended(&key, ABI_HOW_LOCAL);
	return 0;
}
