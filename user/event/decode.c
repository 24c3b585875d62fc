/* SPDX-License-Identifier: Apache-2.0 */
/* A record is believed only after its size fits its type and every number in it its range: a file may come from anywhere. */
#include "bpf/abi.h"
#include "event/event.h"
#include <errno.h>
#include <sys/socket.h>

enum { OFFSET_MAX_BITS = 62 };

_Static_assert((int)CAPTURE_PLAIN == ABI_KIND_PLAIN && (int)CAPTURE_BORINGSSL == ABI_KIND_BORINGSSL, "kinds agree");
_Static_assert((int)CAPTURE_PIPE == ABI_KIND_PIPE && (int)CAPTURE_GNUTLS == ABI_KIND_GNUTLS, "kinds agree");
_Static_assert((int)DIR_READ == ABI_DIR_READ && (int)DIR_WRITE == ABI_DIR_WRITE, "directions agree");
_Static_assert((int)CLOSE_EXIT == ABI_HOW_EXIT && (int)CLOSE_REMOTE == ABI_HOW_REMOTE &&
		       (int)CLOSE_RESET == ABI_HOW_RESET,
	       "ends agree");
_Static_assert((int)MISSING_POLICY == ABI_MISSING_POLICY && (int)_MISSING_MAX == ABI_MISSING_MAX, "reasons agree");
_Static_assert((int)PEER_SOCKET == ABI_PEER_SOCKET && (int)PEER_NESTED == ABI_PEER_NESTED &&
		       (int)PEER_BIO == ABI_PEER_BIO,
	       "evidences agree");

static int open_decode(const void *data, const struct event_ops *ops, void *user)
{
	const struct abi_open *open = data;
	struct conn_info conn = {
		.id = open->head.conn,
		.process = { .pid = open->tgid, .program = open->program, .start_ns = open->start_ns },
		.kind = (enum capture_kind)open->kind,
		.is_late = open->is_late,
		.is_pending = open->is_pending,
		.opened_ns = open->head.time_ns,
		.parent_pid = open->parent,
		.uid = open->uid,
	};

	if (open->kind >= _CAPTURE_MAX)
		return -EBADMSG;
	memcpy(conn.comm, open->comm, sizeof(conn.comm) - 1);
	ops->open(user, &conn);
	return 0;
}

static const struct family {
	uint16_t kernel;
	enum address_family ours;
} families[] = { { AF_INET, ADDRESS_INET }, { AF_INET6, ADDRESS_INET6 }, { AF_UNIX, ADDRESS_UNIX } };

/* ::ffff:a.b.c.d is an IPv4 connection on an IPv6 socket: shown, and paired, as what it is. */
static bool unmap_ipv4(uint8_t address[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(address, prefix, sizeof(prefix)) != 0)
		return false;
	memmove(address, address + 12, 4);
	memset(address + 4, 0, 12);
	return true;
}

static int peer_decode(const void *data, const struct event_ops *ops, void *user)
{
	const struct abi_peer *record = data;
	struct peer peer = {
		.evidence = (enum peer_evidence)record->evidence,
		.local.port = record->local_port,
		.remote.port = record->remote_port,
		.netns = record->netns,
		.socket = record->inode,
		.unix_peer = record->unix_peer,
	};

	if (record->evidence >= _PEER_MAX)
		return -EBADMSG;
	memcpy(peer.local.address, record->local, sizeof(record->local));
	memcpy(peer.remote.address, record->remote, sizeof(record->remote));
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i].kernel == record->family)
			peer.family = families[i].ours;
	if (peer.family == ADDRESS_INET6 && unmap_ipv4(peer.local.address) | unmap_ipv4(peer.remote.address))
		peer.family = ADDRESS_INET;
	ops->peer(user, record->head.conn, &peer);
	return 0;
}

static int chunk_decode(const void *data, const struct event_ops *ops, void *user)
{
	const struct abi_chunk *record = data;
	struct event_chunk chunk = {
		.conn = record->head.conn,
		.dir = (enum direction)record->dir,
		.offset = record->offset,
		.time_ns = record->head.time_ns,
		.thread = record->tid,
		.data = { (const char *)record->data, record->len },
		.hole_len = record->hole_len,
		.reason = (enum missing_reason)record->reason,
		.is_unwanted = record->is_unwanted,
		.is_behind_loss = record->is_behind_loss,
	};

	if (record->len > record->head.size - sizeof(*record) || record->dir >= _DIR_MAX ||
	    record->reason >= _MISSING_MAX || (record->len && record->hole_len) || record->offset >> OFFSET_MAX_BITS)
		return -EBADMSG;
	ops->chunk(user, &chunk);
	return 0;
}

static int close_decode(const void *data, const struct event_ops *ops, void *user)
{
	const struct abi_close *record = data;
	struct event_close close = {
		.conn = record->head.conn,
		.end = { record->end[0], record->end[1] },
		.how = (enum close_how)record->how,
		.reason = (enum missing_reason)record->reason,
		.time_ns = record->head.time_ns,
	};

	if (record->how > CLOSE_EXIT || record->reason >= _MISSING_MAX ||
	    (record->end[0] | record->end[1]) >> OFFSET_MAX_BITS)
		return -EBADMSG;
	ops->close(user, &close);
	return 0;
}

static int exit_decode(const void *data, const struct event_ops *ops, void *user)
{
	const struct abi_exit *record = data;
	struct process_id process = { .pid = record->tgid, .program = record->program, .start_ns = record->start_ns };

	ops->exit(user, process, record->head.time_ns);
	return 0;
}

static int join_decode(const void *data, const struct event_ops *ops, void *user)
{
	const struct abi_join *record = data;
	struct conn_join join = {
		.conn = record->head.conn,
		.into = record->into,
		.dir = (enum direction)record->dir,
		.offset = record->offset,
		.reason = (enum missing_reason)record->reason,
		.is_behind_loss = record->is_behind_loss,
		.time_ns = record->head.time_ns,
	};

	if (record->dir >= _DIR_MAX || record->reason >= _MISSING_MAX || record->offset >> OFFSET_MAX_BITS ||
	    join.conn == join.into)
		return -EBADMSG;
	ops->join(user, &join);
	return 0;
}

static const struct decoder {
	size_t size;
	int (*decode)(const void *data, const struct event_ops *ops, void *user);
} decoders[] = {
	[ABI_OPEN] = { sizeof(struct abi_open), open_decode },
	[ABI_PEER] = { sizeof(struct abi_peer), peer_decode },
	[ABI_CHUNK] = { sizeof(struct abi_chunk), chunk_decode },
	[ABI_CLOSE] = { sizeof(struct abi_close), close_decode },
	[ABI_EXIT] = { sizeof(struct abi_exit), exit_decode },
	[ABI_JOIN] = { sizeof(struct abi_join), join_decode },
};

bool event_is_exit(struct slice record, struct process_id *ret)
{
	const struct abi_exit *exit = (const void *)record.data;

	if (record.len < sizeof(*exit) || (uintptr_t)record.data % 8 || exit->head.type != ABI_EXIT)
		return false;
	*ret = (struct process_id){ .pid = exit->tgid, .program = exit->program, .start_ns = exit->start_ns };
	return true;
}

static void open_copy(void *user, const struct conn_info *conn)
{
	*(struct conn_info *)user = *conn;
}

bool event_is_open(struct slice record, struct conn_info *ret)
{
	static const struct event_ops ops = { .open = open_copy };
	const struct abi_head *head = (const void *)record.data;

	return record.len >= sizeof(*head) && (uintptr_t)record.data % 8 == 0 && head->type == ABI_OPEN &&
	       event_decode(record, &ops, ret) == 0;
}

int event_decode(struct slice record, const struct event_ops *ops, void *user)
{
	const struct abi_head *head = (const void *)record.data;

	if (record.len < sizeof(*head) || (uintptr_t)record.data % 8 || head->size > record.len ||
	    head->type >= ARRAY_SIZE(decoders) || !decoders[head->type].decode ||
	    head->size < decoders[head->type].size)
		return -EBADMSG;
	return decoders[head->type].decode(head, ops, user);
}

uint64_t event_time_ns(struct slice record)
{
	const struct abi_head *head = (const void *)record.data;

	return record.len < sizeof(*head) ? 0 : head->time_ns;
}
