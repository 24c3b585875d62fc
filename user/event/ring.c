/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consumer's half of a BPF ring buffer, over its shared pages alone, so that a process without any capability can do it.
 * Layout (kernel/bpf/ringbuf.c): one page with the consumer's position, one with the producer's, then the data, mapped twice
 * in a row so that no record ever wraps. Before each record stand 8 bytes: length with a busy and a discard bit.
 */
#include "bpf/abi_memory.h"
#include "event/event.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEADER_LEN = 8 };
#define BUSY_BIT    (1u << 31)
#define DISCARD_BIT (1u << 30)

struct event_ring {
	size_t page;
	size_t size;
	uint64_t *consumer;
	const uint64_t *producer;
	const char *data;
	struct abi_control *control;
	size_t control_len;
};

int event_ring_new(int ring_fd, int control_fd, size_t ring_bytes, struct event_ring **ret)
{
	CLEANUP(event_ring_free) struct event_ring *ring = calloc(1, sizeof(*ring));
	void *at;

	if (!ring)
		return -ENOMEM;
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->size = ring_bytes;
	at = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	ring->consumer = at;
	at = mmap(NULL, ring->page + 2 * ring->size, PROT_READ, MAP_SHARED, ring_fd, (off_t)ring->page);
	if (at == MAP_FAILED)
		return -errno;
	ring->producer = at;
	ring->data = (const char *)at + ring->page;
	ring->control_len = ring->page;
	at = mmap(NULL, ring->control_len, PROT_READ | PROT_WRITE, MAP_SHARED, control_fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	ring->control = at;
	*ret = TAKE_PTR(ring);
	return 0;
}

struct event_ring *event_ring_free(struct event_ring *ring)
{
	if (!ring)
		return NULL;
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page + 2 * ring->size);
	if (ring->control)
		munmap(ring->control, ring->control_len);
	free(ring);
	return NULL;
}

size_t event_ring_consume(struct event_ring *ring, size_t max, void (*record)(void *user, struct slice record),
			  void *user)
{
	uint64_t at = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	size_t count = 0;

	while (count < max && at < __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE)) {
		const char *header = ring->data + (at & (ring->size - 1));
		uint32_t word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
		size_t len = word & ~(BUSY_BIT | DISCARD_BIT);

		if (word & BUSY_BIT || len > ring->size)
			break;
		if (!(word & DISCARD_BIT))
			record(user, (struct slice){ header + HEADER_LEN, len });
		at += (HEADER_LEN + len + 7) & ~(uint64_t)7;
		__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
		count++;
	}
	return count;
}

bool event_ring_doze(struct event_ring *ring)
{
	__atomic_store_n(&ring->control->dozing, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(ring->consumer, __ATOMIC_SEQ_CST) == __atomic_load_n(ring->producer, __ATOMIC_SEQ_CST))
		return true;
	__atomic_store_n(&ring->control->dozing, 0, __ATOMIC_SEQ_CST);
	return false;
}
