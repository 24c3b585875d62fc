/* SPDX-License-Identifier: Apache-2.0 */
/* A store of texts in a directory of its own, whose memory is counted, for tests. */
#pragma once
#include "daemon/aside.h"
#include "unit/support.h"
#include <stdio.h>
#include <sys/stat.h>

enum { MB = 1 << 20 };

struct bed {
	struct fail_alloc alloc;
	struct aside_store *store;
	char dir[64];
};

static inline struct bed *bed_new(uint64_t bytes_max)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct aside_store_opts opts = { .bytes_max = bytes_max };

	*bed = (struct bed){ .alloc = FAIL_ALLOC(0), .dir = "/tmp/aside-test-XXXXXX" };
	assert_non_null(mkdtemp(bed->dir));
	opts.alloc = &bed->alloc.alloc;
	opts.dir = bed->dir;
	assert_int_equal(aside_store_new(&opts, &bed->store), 0);
	return bed;
}

static inline void bed_free(struct bed *bed)
{
	aside_store_free(bed->store);
	assert_int_equal(bed->alloc.used, 0);
	assert_int_equal(rmdir(bed->dir), 0); /* no file has a name */
	free(bed);
}

static inline struct aside_id id_of(unsigned n)
{
	struct aside_id id = { { 0xa0, 0x0f, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n } };

	return id;
}

static inline int add(struct bed *bed, uint64_t call, unsigned n, struct slice text)
{
	struct aside_id id = id_of(n);
	struct aside_text *made = aside_text_new(&id, text);
	int r = aside_store_add(bed->store, call, made);

	if (r < 0)
		free(made);
	return r;
}

static inline int fd_next(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static inline struct slice letters(char *room, size_t len, char letter)
{
	memset(room, letter, len);
	return (struct slice){ room, len };
}
