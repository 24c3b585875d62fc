/* SPDX-License-Identifier: Apache-2.0 */
/* SOCK_SEQPACKET keeps messages apart, so there is no framing that could be got wrong. */
#include "daemon/link.h"
#include <errno.h>
#include <sys/socket.h>

int link_pair(int ret[2])
{
	int size = 4 * LINK_BYTES_MAX;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		setsockopt(ret[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

static int message_send(int fd, enum link_type type, const void *payload, size_t len, const int *fds, int flags)
{
	uint32_t word = type;
	struct iovec parts[2] = { { &word, sizeof(word) }, { (void *)payload, len } };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(LINK_FD_COUNT * sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = len ? 2 : 1 };
	struct cmsghdr *rights;

	if (fds) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(LINK_FD_COUNT * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, LINK_FD_COUNT * sizeof(int));
	}
	while (sendmsg(fd, &message, MSG_NOSIGNAL | flags) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int link_send(int fd, enum link_type type, const void *payload, size_t len, const int *fds)
{
	return message_send(fd, type, payload, len, fds, 0);
}

int link_ask(int fd, enum link_type type, const void *payload, size_t len)
{
	return message_send(fd, type, payload, len, NULL, MSG_DONTWAIT);
}

void link_read_no_more(int fd)
{
	shutdown(fd, SHUT_RD);
}

int link_receive(int fd, char *buffer, enum link_type *ret_type, struct slice *ret_payload, int ret_fds[LINK_FD_COUNT])
{
	uint32_t word;
	struct iovec parts[2] = { { &word, sizeof(word) }, { buffer, LINK_BYTES_MAX } };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(LINK_FD_COUNT * sizeof(int))];
	} control = { 0 };
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *rights;
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	/* It went without having read all of ours. That is said once, before its own last words. */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	if ((size_t)n < sizeof(word) || word >= _LINK_MAX || message.msg_flags & MSG_TRUNC)
		return -EBADMSG;
	rights = CMSG_FIRSTHDR(&message);
	if (rights && rights->cmsg_type == SCM_RIGHTS && rights->cmsg_len == CMSG_LEN(LINK_FD_COUNT * sizeof(int)))
		memcpy(ret_fds, CMSG_DATA(rights), LINK_FD_COUNT * sizeof(int));
	*ret_type = (enum link_type)word;
	*ret_payload = (struct slice){ buffer, (size_t)n - sizeof(word) };
	return 1;
}

/* ---- a process's facts: fixed numbers, then texts with their lengths before them ---- */

struct packed_origin {
	struct process_id id;
	uint32_t parent_pid, uid;
	uint64_t start_unix_ns;
	uint32_t selected;
	uint32_t arg_count;
};

static void text_pack(struct buf *out, struct slice text)
{
	uint32_t len = (uint32_t)text.len;

	buf_put(out, (struct slice){ (const char *)&len, sizeof(len) });
	buf_put(out, text);
}

void origin_pack(const struct origin *origin, struct buf *out)
{
	struct packed_origin fixed = {
		.id = origin->id,
		.parent_pid = origin->parent_pid,
		.uid = origin->uid,
		.start_unix_ns = origin->start_unix_ns,
		.selected = origin->selected,
		.arg_count = (uint32_t)origin->arg_count,
	};

	buf_put(out, (struct slice){ (const char *)&fixed, sizeof(fixed) });
	text_pack(out, origin->comm);
	text_pack(out, origin->exe);
	text_pack(out, origin->owner);
	text_pack(out, origin->cgroup);
	text_pack(out, origin->container_id);
	for (size_t i = 0; i < origin->arg_count; i++)
		text_pack(out, origin->args[i]);
}

static int text_unpack(struct slice *rest, struct arena *arena, struct slice *ret)
{
	uint32_t len;

	if (rest->len < sizeof(len))
		return -EBADMSG;
	memcpy(&len, rest->data, sizeof(len));
	*rest = slice_from(*rest, sizeof(len));
	if (len > rest->len)
		return -EBADMSG;
	*ret = arena_dup(arena, slice_head(*rest, len));
	*rest = slice_from(*rest, len);
	return ret->data ? 0 : -ENOMEM;
}

int origin_unpack(struct slice bytes, struct arena *arena, struct origin *ret)
{
	struct origin origin = { 0 };
	struct slice *texts[] = { &origin.comm, &origin.exe, &origin.owner, &origin.cgroup, &origin.container_id };
	struct packed_origin fixed;
	int r = 0;

	if (bytes.len < sizeof(fixed))
		return -EBADMSG;
	memcpy(&fixed, bytes.data, sizeof(fixed));
	if (fixed.arg_count > ORIGIN_ARGS_MAX)
		return -EBADMSG;
	origin.id = fixed.id;
	origin.parent_pid = fixed.parent_pid;
	origin.uid = fixed.uid;
	origin.start_unix_ns = fixed.start_unix_ns;
	origin.selected = fixed.selected;
	origin.arg_count = fixed.arg_count;
	bytes = slice_from(bytes, sizeof(fixed));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		r = text_unpack(&bytes, arena, texts[i]);
	for (size_t i = 0; r == 0 && i < origin.arg_count; i++)
		r = text_unpack(&bytes, arena, &origin.args[i]);
	if (r == 0)
		*ret = origin;
	return r;
}
