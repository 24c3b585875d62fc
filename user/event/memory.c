/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger and verdicts are plain memory shared with the kernel side: no system call to read one or to speak the other. */
#include "bpf/abi_memory.h"
#include "event/event.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

struct event_memory {
	const struct abi_ledger *ledger;
	struct abi_verdict *verdicts;
};

enum {
	LEDGER_BYTES = sizeof(struct abi_ledger) * ABI_LEDGER_SLOTS,
	VERDICT_BYTES = sizeof(struct abi_verdict) * ABI_VERDICT_SLOTS,
};

static size_t pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

int event_memory_new(int ledger_fd, int verdicts_fd, struct event_memory **ret)
{
	CLEANUP(event_memory_free) struct event_memory *memory = calloc(1, sizeof(*memory));
	void *at;

	if (!memory)
		return -ENOMEM;
	at = mmap(NULL, pages(LEDGER_BYTES), PROT_READ, MAP_SHARED, ledger_fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	memory->ledger = at;
	at = mmap(NULL, pages(VERDICT_BYTES), PROT_READ | PROT_WRITE, MAP_SHARED, verdicts_fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	memory->verdicts = at;
	*ret = TAKE_PTR(memory);
	return 0;
}

struct event_memory *event_memory_free(struct event_memory *memory)
{
	if (!memory)
		return NULL;
	if (memory->ledger)
		munmap((void *)memory->ledger, pages(LEDGER_BYTES));
	if (memory->verdicts)
		munmap(memory->verdicts, pages(VERDICT_BYTES));
	free(memory);
	return NULL;
}

void event_ledger_read(const struct event_memory *memory, struct event_ledger *ret)
{
	*ret = (struct event_ledger){ 0 };
	for (size_t i = 0; i < ABI_LEDGER_SLOTS; i++) {
		const struct abi_ledger *slot = &memory->ledger[i];

		ret->seen += slot->seen;
		ret->captured += slot->captured;
		for (size_t k = 0; k < _MISSING_MAX; k++)
			ret->missing[k] += slot->missing[k];
		ret->records += slot->records;
		ret->refused += slot->refused;
		ret->conns += slot->conns;
		ret->hits += slot->hits;
		ret->close_unsent += slot->close_unsent;
	}
}

static const uint64_t verdict_values[] = {
	[EVENT_KEEP] = ABI_VERDICT_KEEP,
	[EVENT_MUTE_READ] = ABI_VERDICT_MUTE_READ,
	[EVENT_MUTE_WRITE] = ABI_VERDICT_MUTE_WRITE,
	[EVENT_DENY] = ABI_VERDICT_DENY,
};

void event_verdict_set(struct event_memory *memory, uint64_t conn, enum event_verdict verdict, uint64_t offset)
{
	struct abi_verdict *slot = &memory->verdicts[abi_verdict_slot(conn)];

	/* The slot may speak of another connection: silence it before it changes its owner. */
	__atomic_store_n(&slot->value, ABI_VERDICT_KEEP, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->conn, conn, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->offset, offset, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->value, verdict_values[verdict], __ATOMIC_SEQ_CST);
}
