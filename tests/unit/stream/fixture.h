/* SPDX-License-Identifier: Apache-2.0 */
/* A table of streams whose taker proves that each offset is told once, in order, with its own byte or as a hole. */
#pragma once
#include "stream/stream.h"
#include "unit/support.h"

enum { TEXT_MAX = 4096, CHUNKS_MAX = 64 };

/* What is told of one connection; the byte at offset n must be byte_at(n). */
struct seen {
	struct conn_info info;
	uint64_t skipped;
	uint64_t next[_DIR_MAX];
	uint64_t bytes[_DIR_MAX], holes[_DIR_MAX];
	unsigned hole_count;
	enum missing_reason reason; /* of the last hole */
	unsigned opened, closed, peers;
	enum close_how how;
	enum direction order[CHUNKS_MAX];
	unsigned told;
	bool is_unwanted;
	uint64_t lost;
};

static char byte_at(enum direction dir, uint64_t offset)
{
	return (char)(offset * 7 + offset / 256 + (dir ? 101 : 0));
}

static void *on_opened(void *user, const struct conn_info *conn)
{
	struct seen *seen = user;

	seen->opened++;
	seen->info = *conn;
	return seen->is_unwanted ? NULL : seen;
}

static void on_peer(void *user, void *handle, const struct conn_info *conn)
{
	struct seen *seen = handle;

	assert_ptr_equal(user, handle);
	seen->peers++;
	seen->info = *conn;
}

static void on_bytes(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t time_ns, uint32_t thread,
		     struct slice data)
{
	struct seen *seen = handle;

	assert_ptr_equal(user, handle);
	assert_int_equal(offset, seen->next[dir]);
	assert_true(data.len > 0);
	for (size_t i = 0; i < data.len; i++)
		assert_int_equal(data.data[i], byte_at(dir, offset + i));
	seen->next[dir] += data.len;
	seen->bytes[dir] += data.len;
	if (seen->told < CHUNKS_MAX)
		seen->order[seen->told++] = dir;
}

static inline void on_hole(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len,
			   enum missing_reason reason, uint64_t time_ns)
{
	struct seen *seen = handle;

	assert_ptr_equal(user, handle);
	assert_int_equal(offset, seen->next[dir]);
	assert_true(len > 0);
	seen->next[dir] += len;
	seen->holes[dir] += len;
	seen->hole_count++;
	seen->reason = reason;
}

static void on_skipped(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len, uint64_t time_ns)
{
	struct seen *seen = handle;

	assert_int_equal(offset, seen->next[dir]);
	seen->next[dir] += len;
	seen->skipped += len;
}

static void on_closed(void *user, void *handle, enum close_how how, uint64_t time_ns)
{
	struct seen *seen = handle;

	assert_ptr_equal(user, handle);
	seen->closed++;
	seen->how = how;
}

static void on_lost(void *user, uint64_t len)
{
	((struct seen *)user)->lost += len;
}

static const struct stream_ops ops = {
	.opened = on_opened,
	.peer = on_peer,
	.bytes = on_bytes,
	.hole = on_hole,
	.skipped = on_skipped,
	.closed = on_closed,
	.lost = on_lost,
};

struct fixture {
	struct fail_alloc memory;
	struct stream_table *table;
	struct seen seen;
};

static inline void fixture_begin(struct fixture *f, size_t reorder_bytes, size_t conns_max)
{
	struct stream_opts opts = { &f->memory.alloc, reorder_bytes, 200, conns_max };

	*f = (struct fixture){ .memory = FAIL_ALLOC(0) };
	assert_int_equal(stream_table_new(&opts, &ops, &f->seen, &f->table), 0);
}

static inline void fixture_end(struct fixture *f)
{
	f->table = stream_table_free(f->table);
	assert_int_equal(f->memory.used, 0);
}

static inline struct stream_chunk chunk_of(enum direction dir, uint64_t offset, size_t len, uint64_t time_ns)
{
	static char text[_DIR_MAX][TEXT_MAX];

	for (size_t i = 0; i < TEXT_MAX; i++)
		text[dir][i] = byte_at(dir, i);
	return (struct stream_chunk){
		.conn = 7, .dir = dir, .offset = offset, .time_ns = time_ns, .data = { text[dir] + offset, len }
	};
}

static inline int push(struct fixture *f, enum direction dir, uint64_t offset, size_t len, uint64_t time_ns)
{
	struct stream_chunk chunk = chunk_of(dir, offset, len, time_ns);

	return stream_push(f->table, &chunk);
}
