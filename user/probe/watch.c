/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One dummy software event for each processor, bound to no process: it counts nothing, but side records come with it. Each
 * has a small ring that is read in place; a record that wraps is put together in a buffer first.
 */
#include "probe/watch.h"
#include "base/log.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RING_PAGES = 16, CPUS_MAX = 1024, RECORD_MAX = 1 << 16 };

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
};

struct watch {
	const struct watch_ops *ops;
	void *user;
	size_t page_size;
	size_t count;
	struct ring rings[CPUS_MAX];
	char record[RECORD_MAX];
};

struct record_mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t start, len, pgoff;
	uint32_t major, minor;
	uint64_t inode, generation;
	uint32_t prot, flags;
	char path[];
};

struct record_comm {
	struct perf_event_header header;
	uint32_t pid, tid;
	char comm[];
};

static int ring_open(struct watch *watch, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.watermark = 1,
		.wakeup_watermark = 1,
		.exclude_kernel = 1,
	};
	CLEANUP_FD int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	void *page;

	if (fd < 0)
		return -errno;
	page = mmap(NULL, (1 + RING_PAGES) * watch->page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	watch->rings[watch->count++] = (struct ring){ .fd = TAKE_FD(fd), .page = page };
	return 0;
}

int watch_new(const struct watch_ops *ops, void *user, struct watch **ret)
{
	CLEANUP(watch_free) struct watch *watch = calloc(1, sizeof(*watch));
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	if (!watch)
		return -ENOMEM;
	watch->ops = ops;
	watch->user = user;
	watch->page_size = (size_t)sysconf(_SC_PAGESIZE);
	for (int cpu = 0; cpu < cpus && cpu < CPUS_MAX; cpu++) {
		int r = ring_open(watch, cpu);

		if (r < 0 && r != -ENODEV) /* -ENODEV: that processor is off */
			return r;
	}
	*ret = TAKE_PTR(watch);
	return 0;
}

struct watch *watch_free(struct watch *watch)
{
	if (!watch)
		return NULL;
	for (size_t i = 0; i < watch->count; i++) {
		munmap(watch->rings[i].page, (1 + RING_PAGES) * watch->page_size);
		close(watch->rings[i].fd);
	}
	free(watch);
	return NULL;
}

size_t watch_fds(const struct watch *watch, int *ret, size_t size)
{
	size_t n = MIN(watch->count, size);

	for (size_t i = 0; i < n; i++)
		ret[i] = watch->rings[i].fd;
	return n;
}

static void record_take(struct watch *watch, const struct perf_event_header *header)
{
	if (header->type == PERF_RECORD_MMAP2 && header->size > sizeof(struct record_mmap2)) {
		const struct record_mmap2 *r = (const void *)header;

		if (r->path[0] == '/' && r->inode)
			watch->ops->mapped(watch->user, &(struct watch_map){ r->pid, r->start, r->len, r->major,
									     r->minor, r->inode, r->path });
	} else if (header->type == PERF_RECORD_COMM && header->misc & PERF_RECORD_MISC_COMM_EXEC) {
		const struct record_comm *r = (const void *)header;

		watch->ops->executed(watch->user, r->pid, r->comm);
	} else if (header->type == PERF_RECORD_LOST) {
		watch->ops->lost(watch->user);
	}
}

/* The bytes at @tail, @len of them, in one piece. */
static const void *ring_at(struct watch *watch, const char *data, uint64_t size, uint64_t tail, size_t len)
{
	uint64_t at = tail & (size - 1);
	size_t first = MIN(len, (size_t)(size - at));

	if (first == len)
		return data + at;
	memcpy(watch->record, data + at, first);
	memcpy(watch->record + first, data, len - first);
	return watch->record;
}

static void ring_drain(struct watch *watch, struct ring *ring)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), tail = ring->page->data_tail;
	uint64_t size = RING_PAGES * watch->page_size;
	const char *data = (const char *)ring->page + watch->page_size;

	while (tail < head) {
		const struct perf_event_header *header = ring_at(watch, data, size, tail, sizeof(*header));
		size_t len = header->size;

		if (len < sizeof(*header))
			break;
		record_take(watch, ring_at(watch, data, size, tail, len));
		tail += len;
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

void watch_dispatch(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		ring_drain(watch, &watch->rings[i]);
}
