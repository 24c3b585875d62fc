/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS where only its cipher can be found: rustls on AWS-LC has no functions of its own in a stripped program, but it seals and
 * opens each record by these, in place:
 *
 *	EVP_AEAD_CTX_seal(ctx, out, &out_len, max, nonce, nonce_len, in, in_len, ad, ad_len)
 *	EVP_AEAD_CTX_open(                          the same arguments                     )
 *	EVP_AEAD_CTX_seal_scatter(ctx, out, tag, &tag_len, max_tag, nonce, nonce_len, in, in_len, extra, extra_len, ad, ad_len)
 *	EVP_AEAD_CTX_open_gather(ctx, out, nonce, nonce_len, in, in_len, tag, tag_len, ad, ad_len)
 *
 * So what is sealed is copied at the entry, and what is opened at the return. Additional data says whether it is TLS: 5 bytes are
 * the head of a record of 1.3, whose real type is the last byte that is not zero of what is inside; 13 bytes are those of 1.2,
 * with the type in them. QUIC, files and cookies have others. Only application data is told, but every record names its
 * direction's key (aead.bpf.h).
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "chunk.bpf.h"

/* A record holds 16 KiB at most. Verified once by itself. */
__attribute__((noinline)) int st_move_record(struct moving *m)
{
	if (!m)
		return 0;
	if (m->left > CLASS_16K)
		lose(m, m->left, ABI_MISSING_BUDGET);
	if (m->left > 3 * CLASS_4K)
		MOVE_PIECE(m, CLASS_16K);
	move_small(m);
	return 0;
}
#define MOVE st_move_record
#include "aead.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { TYPE_NONE = 0, TYPE_ALERT = 0x15, TYPE_HANDSHAKE = 0x16, TYPE_DATA = 0x17 };
enum {
	NONCE_LEN = 12,
	AD_LEN_13 = 5,
	AD_LEN_12 = 13,
	RECORD_MAX = (16 << 10) + 256,
	PADDING_STEP = 64,
	NESTED_MAX = 1024
};

struct cipher_call {
	__u64 nonce, nonce_len;
	__u64 in, in_len;
	__u64 ad, ad_len;
	__u64 out;
	__u64 count_at; /* where the callee writes the length of what it made; 0: as long as what went in */
};

/* What a call puts onto the stack, and its return takes off. */
#if defined(__TARGET_ARCH_x86)
enum { RETURN_ADDRESS = 8 };
#else
enum { RETURN_ADDRESS = 0 };
#endif

/* ---- arguments ---- */

static __always_inline bool stack_read(struct pt_regs *ctx, void *ret, __u32 size)
{
	return !bpf_probe_read_user(ret, size, (void *)(PT_REGS_SP(ctx) + RETURN_ADDRESS));
}

/* Seal and open. */
static __always_inline bool plain_args(struct pt_regs *ctx, struct cipher_call *ret)
{
#if defined(__TARGET_ARCH_x86)
	struct {
		__u64 in, in_len, ad, ad_len;
	} stack;

	if (!stack_read(ctx, &stack, sizeof(stack)))
		return false;
	ret->nonce_len = ctx->r9;
	ret->in = stack.in;
	ret->in_len = stack.in_len;
#else
	struct {
		__u64 ad, ad_len;
	} stack;

	if (!stack_read(ctx, &stack, sizeof(stack)))
		return false;
	ret->nonce_len = ctx->regs[5];
	ret->in = ctx->regs[6];
	ret->in_len = ctx->regs[7];
#endif
	ret->nonce = PT_REGS_PARM5(ctx);
	ret->ad = stack.ad;
	ret->ad_len = stack.ad_len;
	ret->out = PT_REGS_PARM2(ctx);
	ret->count_at = PT_REGS_PARM3(ctx);
	return true;
}

static __always_inline bool scatter_args(struct pt_regs *ctx, struct cipher_call *ret)
{
#if defined(__TARGET_ARCH_x86)
	struct {
		__u64 nonce_len, in, in_len, extra, extra_len, ad, ad_len;
	} stack;

	if (!stack_read(ctx, &stack, sizeof(stack)))
		return false;
	ret->nonce = ctx->r9;
	ret->nonce_len = stack.nonce_len;
	ret->in = stack.in;
#else
	struct {
		__u64 in_len, extra, extra_len, ad, ad_len;
	} stack;

	if (!stack_read(ctx, &stack, sizeof(stack)))
		return false;
	ret->nonce = ctx->regs[5];
	ret->nonce_len = ctx->regs[6];
	ret->in = ctx->regs[7];
#endif
	ret->in_len = stack.in_len;
	ret->ad = stack.ad;
	ret->ad_len = stack.ad_len;
	return !stack.extra_len;
}

static __always_inline bool gather_args(struct pt_regs *ctx, struct cipher_call *ret)
{
#if defined(__TARGET_ARCH_x86)
	struct {
		__u64 tag, tag_len, ad, ad_len;
	} stack;

	ret->in_len = ctx->r9;
#else
	struct {
		__u64 ad, ad_len;
	} stack;

	ret->in_len = ctx->regs[5];
#endif
	if (!stack_read(ctx, &stack, sizeof(stack)))
		return false;
	ret->nonce = PT_REGS_PARM3(ctx);
	ret->nonce_len = PT_REGS_PARM4(ctx);
	ret->in = PT_REGS_PARM5(ctx);
	ret->ad = stack.ad;
	ret->ad_len = stack.ad_len;
	ret->out = PT_REGS_PARM2(ctx);
	return true;
}

/* ---- what a record is ---- */

/* The head of a record of 1.3, which always says data. */
static __always_inline __u8 head_type(const __u8 *ad)
{
	return ad[0] == TYPE_DATA && ad[1] == 3 && ad[2] == 3 ? TYPE_DATA : TYPE_NONE;
}

/* A record's number, and its head, of 1.2. In QUIC a bit of the first byte is set. */
static __always_inline __u8 numbered_type(const __u8 *ad)
{
	if (ad[0] || ad[1] || ad[9] != 3 || ad[10] > 3)
		return TYPE_NONE;
	return ad[8] >= TYPE_ALERT && ad[8] <= TYPE_DATA ? ad[8] : TYPE_NONE;
}

/* The type of the record that the additional data is of, as it is on the wire; TYPE_NONE: it is not of TLS. */
static __always_inline __u8 record_type(const struct cipher_call *call)
{
	__u8 ad[AD_LEN_12] = {};

	if (call->nonce_len != NONCE_LEN || !call->in_len || call->in_len > RECORD_MAX)
		return TYPE_NONE;
	if (call->ad_len == AD_LEN_13)
		return bpf_probe_read_user(ad, AD_LEN_13, (void *)call->ad) ? TYPE_NONE : head_type(ad);
	if (call->ad_len != AD_LEN_12 || bpf_probe_read_user(ad, AD_LEN_12, (void *)call->ad))
		return TYPE_NONE;
	return numbered_type(ad);
}

/* Length of the @len bytes at @at without the zeros at their end; bounded, as a record is. Not inline: verified once. */
__weak __noinline __u64 padding_strip(__u64 at, __u64 len)
{
	union {
		__u64 words[PADDING_STEP / 8];
		__u8 bytes[PADDING_STEP];
	} last = {};

	for (int i = 0; i < RECORD_MAX / PADDING_STEP && len > PADDING_STEP; i++) {
		__u64 any = 0;

		if (bpf_probe_read_user(&last, PADDING_STEP, (void *)(at + len - PADDING_STEP)))
			return 0;
		for (int j = 0; j < PADDING_STEP / 8; j++)
			any |= last.words[j];
		if (any)
			break;
		len -= PADDING_STEP;
	}
	for (int i = 0; i < PADDING_STEP && len; i++, len--)
		if (bpf_probe_read_user(last.bytes, 1, (void *)(at + len - 1)) || last.bytes[0])
			return len;
	return 0;
}

/* What is inside a record of 1.3: the type is its last byte that is not padding. Returns the length before it. */
static __always_inline __u64 inner_read(__u64 at, __u64 len, __u8 *ret_type)
{
	*ret_type = TYPE_NONE;
	if (!len || bpf_probe_read_user(ret_type, 1, (void *)(at + len - 1)))
		return 0;
	if (*ret_type)
		return len - 1;
	len = padding_strip(at, len);
	if (!len || bpf_probe_read_user(ret_type, 1, (void *)(at + len - 1)))
		return 0;
	return len - 1;
}

/* ---- names ---- */

static __always_inline struct name_note *name_get(const struct name_key *key)
{
	struct name_note *note = bpf_map_lookup_elem(&st_names, key), fresh = {};

	if (note)
		return note;
	bpf_map_update_elem(&st_names, key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&st_names, key);
}

/* This process seals: until when what it sends is looked at. */
static __always_inline __u64 *sealer_get(__u32 tgid)
{
	__u64 *until = bpf_map_lookup_elem(&st_sealers, &tgid), never = 0;

	if (until)
		return until;
	bpf_map_update_elem(&st_sealers, &tgid, &never, BPF_ANY);
	has_sealers = 1;
	return bpf_map_lookup_elem(&st_sealers, &tgid);
}

/* The connection of what has this name; NULL: none can be had, or its socket is gone, and nothing will be sent or come. */
static __always_inline struct abi_conn *name_conn(const struct name_key *name, struct name_note *note)
{
	struct abi_conn_key key = { .object = note->object, .tgid = name->tgid, .kind = ABI_KIND_RUSTLS };
	bool is_new;

	if (note->object && note->sock)
		return bpf_map_lookup_elem(&st_conns, &key);
	if (!note->object) {
		struct abi_conn *there = note->sock ? conn_on_sock(note->sock, name->tgid, &key) : NULL;

		note->object = there ? key.object : name->name;
		if (there)
			return there;
		key.object = note->object;
	}
	return conn_get(&key, OPEN_LATE | OPEN_PENDING, &is_new);
}

static __always_inline void record_bytes(const struct name_key *name, struct name_note *note, __u64 buffer, __u64 len)
{
	struct abi_conn *conn = name_conn(name, note);

	__sync_fetch_and_add(&ledger_here()->hits, 1);
	if (conn) {
		struct abi_conn_key key = { .object = note->object, .tgid = name->tgid, .kind = ABI_KIND_RUSTLS };

		if (conn->is_untold)
			open_send(&key, conn, OPEN_LATE | OPEN_PENDING);
		conn_bytes(conn, name->dir, buffer, len, now_ns());
		return;
	}
	__sync_fetch_and_add(&ledger_here()->seen, len);
	__sync_fetch_and_add(&ledger_here()->missing[ABI_MISSING_BUDGET], len);
}

/* A library whose functions have names seals and opens by these as well; then it tells its bytes itself. */
static __always_inline bool is_in_library(__u64 thread)
{
	__u64 read = inflight_key(thread, ABI_DIR_READ), write = inflight_key(thread, ABI_DIR_WRITE);

	return bpf_map_lookup_elem(&st_inflight, &read) || bpf_map_lookup_elem(&st_inflight, &write);
}

/* ---- sealing: from the process ---- */

/* The record will be sent from here, which tells the socket. While any name is looked for, those that are known are noted as
 * well where one lay before: a record that was never sent must not lend its place to another's. */
static __always_inline void sealed_note(const struct name_key *name, bool is_known, __u64 at)
{
	struct sealed_key key = { .at = at, .tgid = name->tgid };
	struct sealed sealed = { .name = name->name, .time_ns = now_ns() };
	__u64 *until = sealer_get(name->tgid);

	if (!until || (is_known && sealed.time_ns > *until))
		return;
	if (!is_known)
		*until = sealed.time_ns + SEEKS_NS;
	bpf_map_update_elem(&st_sealed, &key, &sealed, is_known ? BPF_EXIST : BPF_ANY);
}

static __always_inline bool is_bound(const struct name_key *name, const struct name_note *note)
{
	struct abi_conn_key key = { .object = note->object, .tgid = name->tgid, .kind = ABI_KIND_RUSTLS };
	struct abi_conn *conn;

	if (!note->sock)
		return false;
	if (!note->object)
		return conn_on_sock(note->sock, name->tgid, &key) != NULL;
	conn = bpf_map_lookup_elem(&st_conns, &key);
	return !conn || conn->evidence;
}

/* Not inline: verified once for all that seals. */
__weak __noinline int st_sealed_record(__u64 nonce, __u64 in, __u64 in_len, __u32 type, __u32 is_13)
{
	struct name_key name = { .tgid = bpf_get_current_pid_tgid() >> 32, .dir = ABI_DIR_WRITE };
	struct name_note *note;
	__u8 inner = type;

	if (bpf_probe_read_user(&name.name, sizeof(name.name), (void *)nonce))
		return 0;
	note = name_get(&name);
	if (!note)
		return 0;
	sealed_note(&name, is_bound(&name, note), in);
	if (is_13)
		in_len = inner_read(in, in_len, &inner);
	if (inner == TYPE_DATA && in_len)
		record_bytes(&name, note, in, in_len);
	return 0;
}

static __always_inline void seal_enter(const struct cipher_call *call)
{
	__u8 type = record_type(call);
	__u64 thread = bpf_get_current_pid_tgid();

	if (type && process_wanted(thread >> 32) && !is_in_library(thread))
		st_sealed_record(call->nonce, call->in, call->in_len, type, call->ad_len == AD_LEN_13);
}

SEC("uprobe") int st_seal(struct pt_regs *ctx)
{
	struct cipher_call call = {};

	if (plain_args(ctx, &call))
		seal_enter(&call);
	return 0;
}

SEC("uprobe") int st_seal_scatter(struct pt_regs *ctx)
{
	struct cipher_call call = {};

	if (scatter_args(ctx, &call))
		seal_enter(&call);
	return 0;
}

/* ---- opening: to the process ---- */

/* The record that each thread is opening. Full: that record is not seen. */
struct opening {
	__u64 sp;
	__u64 name;
	__u64 in, in_len;
	__u64 out;
	__u64 count_at;
	__u32 type;
	__u32 is_13;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct opening);
} st_opening SHARED SEC(".maps");

static __always_inline void open_enter(struct pt_regs *ctx, const struct cipher_call *call)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct opening *outer, opening = {
		.sp = PT_REGS_SP(ctx),
		.in = call->in,
		.in_len = call->in_len,
		.out = call->out,
		.count_at = call->count_at,
		.type = record_type(call),
		.is_13 = call->ad_len == AD_LEN_13,
	};

	if (!opening.type || !process_wanted(thread >> 32) || is_in_library(thread) ||
	    bpf_probe_read_user(&opening.name, sizeof(opening.name), (void *)call->nonce))
		return;
	outer = bpf_map_lookup_elem(&st_opening, &thread);
	if (outer && outer->sp > opening.sp && outer->sp - opening.sp < NESTED_MAX) /* open calls open_gather */
		return;
	bpf_map_update_elem(&st_opening, &thread, &opening, BPF_ANY);
}

/* The record lies where this thread received last: that is its socket. It begins before @in, by its head and, in 1.2, a nonce. */
static __always_inline void opened_bind(const struct name_key *name, struct name_note *note, __u64 thread,
					const struct opening *opening)
{
	struct received *received = bpf_map_lookup_elem(&st_received, &thread);

	if (received && opening->in < received->to && opening->in + opening->in_len > received->from)
		name_bind(note, name->tgid, name->dir, received->sock);
}

static __always_inline void alert_read(const struct name_key *name, const struct name_note *note)
{
	struct abi_conn_key key = { .object = note->object, .tgid = name->tgid, .kind = ABI_KIND_RUSTLS };
	struct abi_conn *conn = note->object ? bpf_map_lookup_elem(&st_conns, &key) : NULL;

	if (conn && !conn->how) /* close_notify: whoever closes the socket afterwards, the other side left first */
		conn->how = ABI_HOW_REMOTE;
}

static __always_inline void opened_unseen(struct name_note *note, __u64 len)
{
	note->unseen += len;
	__sync_fetch_and_add(&ledger_here()->seen, len);
	__sync_fetch_and_add(&ledger_here()->missing[ABI_MISSING_JOINED_LATE], len);
}

static __always_inline void opened_record(__u64 thread, const struct opening *opening, __u64 len)
{
	struct name_key name = { .name = opening->name, .tgid = thread >> 32, .dir = ABI_DIR_READ };
	struct name_note *note = name_get(&name);
	__u8 type = opening->type;
	struct abi_conn *conn;

	if (!note || !sealer_get(name.tgid))
		return;
	if (!note->sock)
		opened_bind(&name, note, thread, opening);
	if (opening->is_13)
		len = inner_read(opening->out, len, &type);
	if (type == TYPE_ALERT)
		alert_read(&name, note);
	if (type != TYPE_DATA || !len)
		return;
	if (!note->sock)
		return opened_unseen(note, len);
	/* A connection that begins with what is opened: it gets its socket before its bytes are told. */
	conn = name_conn(&name, note);
	if (conn && !conn->evidence) {
		note->sock = 0;
		opened_bind(&name, note, thread, opening);
	}
	if (conn && note->unseen) {
		conn->offset[ABI_DIR_READ] += note->unseen;
		conn->lost[ABI_DIR_READ] = ABI_MISSING_JOINED_LATE + 1;
		note->unseen = 0;
	}
	record_bytes(&name, note, opening->out, len);
}

static __always_inline void open_return(struct pt_regs *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid(), len = 0;
	struct opening *found = bpf_map_lookup_elem(&st_opening, &thread), opening;

	if (!found || found->sp + RETURN_ADDRESS != PT_REGS_SP(ctx))
		return;
	opening = *found;
	bpf_map_delete_elem(&st_opening, &thread);
	if ((int)PT_REGS_RC(ctx) != 1)
		return;
	len = opening.in_len;
	if (opening.count_at && bpf_probe_read_user(&len, sizeof(len), (void *)opening.count_at))
		return;
	if (len <= RECORD_MAX)
		opened_record(thread, &opening, len);
	return;
}

SEC("uprobe") int st_open_enter(struct pt_regs *ctx)
{
	struct cipher_call call = {};

	if (plain_args(ctx, &call))
		open_enter(ctx, &call);
	return 0;
}

SEC("uprobe") int st_gather_enter(struct pt_regs *ctx)
{
	struct cipher_call call = {};

	if (gather_args(ctx, &call))
		open_enter(ctx, &call);
	return 0;
}

SEC("uprobe") int st_open_return(struct pt_regs *ctx)
{
	open_return(ctx);
	return 0;
}
