/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of stream: records of five bytes (what, connection, direction and delay, offset in two, length), on three
 * connections, which begin as answers of HTTP/1 do. For each direction of each, what is told is in order, without overlap, with
 * its own bytes, and adds up to the highest offset.
 */
#include "digest.h"
#include "heap.h"
#include "stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONNS = 3, OFFSETS = 65536 + 256 };

struct told {
	struct conn {
		struct told *told;
		uint64_t next[_DIR_MAX], highest[_DIR_MAX];
		bool is_open, is_pending;
		uint64_t pending_to[_DIR_MAX]; /* how far what waits reaches */
	} conns[CONNS];
	uint64_t time_ns;
	const char *text; /* the same in both directions: the byte at each offset */
};

static void *on_opened(void *user, const struct conn_info *info)
{
	struct told *told = user;
	struct conn *conn = &told->conns[info->id];

	MUST(!conn->is_open);
	conn->told = told;
	conn->is_open = true;
	conn->is_pending = false;
	return conn;
}

static void on_peer(void *user, void *handle, const struct conn_info *info)
{
	MUST(((struct conn *)handle)->is_open);
}

static void on_bytes(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t time_ns, uint32_t thread,
		     struct slice data)
{
	struct conn *conn = handle;

	MUST(conn->is_open && offset == conn->next[dir] && data.len);
	MUST(memcmp(data.data, conn->told->text + offset, data.len) == 0);
	conn->next[dir] += data.len;
}

static void on_hole(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len,
		    enum missing_reason reason, uint64_t time_ns)
{
	struct conn *conn = handle;

	MUST(conn->is_open && offset == conn->next[dir] && len);
	conn->next[dir] += len;
}

static void on_closed(void *user, void *handle, enum close_how how, uint64_t time_ns)
{
	struct conn *conn = handle;

	MUST(conn->is_open);
	for (int dir = 0; dir < _DIR_MAX; dir++)
		MUST(conn->next[dir] == conn->highest[dir]);
	conn->is_open = false;
}

static const struct stream_ops ops = {
	.opened = on_opened, .peer = on_peer, .bytes = on_bytes, .hole = on_hole, .closed = on_closed
};

static void record_push(struct stream_table *table, struct told *told, const uint8_t *record)
{
	struct stream_chunk chunk = { .conn = record[1] % CONNS,
				      .dir = record[1] & 0x80 ? DIR_READ : DIR_WRITE,
				      .offset = record[2] | (uint64_t)record[3] << 8,
				      .time_ns = told->time_ns - (record[1] & 0x40 ? MIN(told->time_ns, 8u) : 0) };
	struct conn *conn = &told->conns[chunk.conn];

	if (record[0] & 1)
		chunk.hole_len = record[4];
	else
		chunk.data = (struct slice){ told->text + chunk.offset, record[4] };
	conn->highest[chunk.dir] = MAX(conn->highest[chunk.dir], chunk.offset + record[4]);
	conn->pending_to[chunk.dir] = MAX(conn->pending_to[chunk.dir], chunk.offset + record[4]);
	MUST(stream_push(table, &chunk) == 0);
}

static void record_open(struct stream_table *table, struct conn *conn, const uint8_t *record)
{
	struct conn_info info = { .id = record[1] % CONNS,
				  .process.pid = record[4] % 2,
				  .is_pending = record[4] & 2 && !conn->is_open };

	if (info.is_pending && !conn->is_pending)
		memset(conn->pending_to, 0, sizeof(conn->pending_to));
	conn->is_pending |= info.is_pending;
	MUST(stream_open(table, &info) == 0);
}

/* What waits goes on, where the other has the same bytes; of the direction that is not joined nothing is told. */
static void record_join(struct stream_table *table, struct told *told, const uint8_t *record)
{
	struct conn_join join = { .conn = record[1] % CONNS,
				  .into = (record[1] % CONNS + 1 + record[4] % 2) % CONNS,
				  .dir = record[1] & 0x80 ? DIR_READ : DIR_WRITE,
				  .time_ns = told->time_ns };
	struct conn *conn = &told->conns[join.conn], *into = &told->conns[join.into];

	if (conn->is_pending) {
		into->highest[join.dir] = MAX(into->highest[join.dir], conn->pending_to[join.dir]);
		into->pending_to[join.dir] = MAX(into->pending_to[join.dir], conn->pending_to[join.dir]);
		memcpy(conn->highest, conn->next, sizeof(conn->highest));
	}
	conn->is_pending = false;
	stream_join(table, &join);
}

static void record_run(struct stream_table *table, struct told *told, const uint8_t *record)
{
	uint64_t id = record[1] % CONNS;
	struct conn *conn = &told->conns[id];

	told->time_ns += record[0] / 16;
	switch (record[0] % 16) {
	case 0:
		if (conn->is_open)
			conn->highest[DIR_READ] += record[4];
		stream_close(table, id, conn->highest, CLOSE_LOCAL, MISSING_FAULT, told->time_ns);
		break;
	case 1:
		stream_tick(table, told->time_ns);
		break;
	case 2:
		record_open(table, conn, record);
		break;
	case 4:
		record_join(table, told, record);
		break;
	case 3:
		stream_exit(table, (struct process_id){ .pid = record[4] % 2 }, told->time_ns);
		break;
	default:
		record_push(table, told, record);
		break;
	}
}

static const char *text_made(void)
{
	static char text[OFFSETS];
	static bool is_made;

	for (size_t i = 0; !is_made && i < OFFSETS; i++)
		text[i] = i < 7 ? "HTTP/1."[i] : (char)(i * 7 + i / 256);
	is_made = true;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told told = { .text = text_made() };
	struct alloc_heap heap = heap_begin((size_t)16 << 20);
	struct stream_opts opts = { &heap.alloc, 1024, 20, 2 };
	struct stream_table *table;

	MUST(stream_table_new(&opts, &ops, &told, &table) == 0);
	for (; size >= 5; data += 5, size -= 5)
		record_run(table, &told, data);
	stream_table_free(table);
	MUST(heap.used == 0);
	return 0;
}
