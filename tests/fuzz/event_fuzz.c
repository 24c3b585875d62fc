/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the kernel side's records, which a recorded file may bring from anywhere: one byte type, then a record whose
 * head is mended to say that type and its true size. What is told is in range.
 */
#include "bpf/abi.h"
#include "digest.h"
#include "event/event.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_open(void *user, const struct conn_info *conn)
{
	MUST(conn->kind < _CAPTURE_MAX && memchr(conn->comm, 0, sizeof(conn->comm)));
}

static void on_peer(void *user, uint64_t conn, const struct peer *peer)
{
}

static void on_chunk(void *user, const struct event_chunk *chunk)
{
	const struct slice *record = user;

	MUST(chunk->dir < _DIR_MAX && chunk->reason < _MISSING_MAX);
	MUST(chunk->offset + chunk->data.len + chunk->hole_len >= chunk->offset);
	if (chunk->data.len)
		MUST(chunk->data.data >= record->data &&
		     chunk->data.data + chunk->data.len <= record->data + record->len);
}

static void on_close(void *user, const struct event_close *close)
{
	MUST(close->reason < _MISSING_MAX && close->how <= CLOSE_EXIT);
}

static void on_exit_of(void *user, struct process_id process, uint64_t time_ns)
{
}

static void on_join(void *user, const struct conn_join *join)
{
	MUST(join->dir < _DIR_MAX && join->reason < _MISSING_MAX && join->conn != join->into);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct event_ops ops = { .open = on_open,
					      .peer = on_peer,
					      .chunk = on_chunk,
					      .close = on_close,
					      .exit = on_exit_of,
					      .join = on_join };
	struct slice record;
	char *copy;

	if (size < 1)
		return 0;
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	record = (struct slice){ copy, size - 1 };
	if (record.len >= sizeof(struct abi_head)) {
		struct abi_head head;

		memcpy(&head, copy, sizeof(head));
		if (data[0] & 1) {
			head.type = data[0] / 2 % (ABI_JOIN + 2);
			head.size = (__u32)record.len;
		}
		memcpy(copy, &head, sizeof(head));
	}
	event_time_ns(record);
	event_decode(record, &ops, &record);
	free(copy);
	return 0;
}
