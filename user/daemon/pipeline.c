/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schematic:
 *
 *	record ─▶ event ─▶ stream ─▶ proto ─▶ call ⇄ dialect ─▶ cost ─▶ trace ─▶ policy ─▶ record
 *
 * Each arrow is one table of callbacks below, in this order; what comes back (who is that process, copy no more of this
 * connection) are the callbacks of the last section. Nothing here decides anything: the rooms do.
 */
#include "daemon/pipeline.h"
#include "base/arena.h"
#include "call/call.h"
#include "cost/cost.h"
#include "daemon/link.h"
#include "daemon/origins.h"
#include "dialect/dialect.h"
#include "policy/policy.h"
#include "proto/proto.h"
#include "stream/stream.h"
#include "trace/trace.h"
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <uthash.h>
#include <utlist.h>

enum {
	REORDER_BYTES = 1 << 20,
	CONNS_MAX = 16384,
	CALL_BYTES_MAX = 64 << 20,
	RECORD_BYTES_MAX = 256 << 20,
	HELD_MAX = 256,
	CHUNK_EVENTS_MAX = 128,
	SECRET_LEN = 32,
};
static const uint64_t exit_wait_ns = 1000000000, hold_chunk_ns = 200000000, hold_retry_ns = 12000000000,
		      pair_wait_ns = 200000000, idle_ns = 1800000000000;

/* One connection on its way through proto and call. */
struct conn {
	struct pipeline *pipeline;
	struct conn_info info;
	struct proto *proto;
	struct call_conn *calls;
	uint32_t thread;                 /* who moved the bytes that are being read */
	enum direction dir, request_dir; /* of those bytes, of requests */
	uint64_t read_to[_DIR_MAX];      /* offset behind what was read */
	bool is_mute;                    /* nothing is wanted of the request that is being read */
	UT_hash_handle hh;
	uint64_t refused;    /* of the pipeline's memory when the connection was opened */
	uint64_t hole_bytes; /* told as holes */
};

/* A process that has ended. What its connections had passed to the last byte may still be told, behind its end. */
struct ended {
	struct process_id process;
	uint64_t time_ns;
	struct ended *prev, *next;
};

struct pipeline {
	const struct pipeline_ops *ops;
	void *user;
	struct alloc_heap heap;
	struct proto_opts proto_opts;
	struct event_file_head ids;
	uint8_t secret[SECRET_LEN];
	struct origins *origins;
	struct stream_table *streams;
	struct call_tracker *calls;
	struct trace_assembler *traces;
	struct policy *policy;
	struct conn *conns; /* by number */
	struct ended *ended;
	const struct cost_table *prices;
	struct pipeline_stats stats;
};

/* ---- event ─▶ stream ---- */

/* A process may be gone before anyone can look at it: then this is all that is known of it. */
static void origin_assume(struct pipeline *pipeline, const struct conn_info *conn)
{
	struct buf packed = BUF(&pipeline->heap.alloc, 4096);
	const struct origin assumed = {
		.id = conn->process,
		.parent_pid = conn->parent_pid,
		.uid = conn->uid,
		.comm = slice_of(conn->comm),
		.selected = true,
	};
	const struct origin *told;

	if (origins_find(pipeline->origins, conn->process))
		return;
	origin_pack(&assumed, &packed);
	if (!packed.failed)
		origins_put(pipeline->origins, buf_slice(&packed), &told);
	buf_free(&packed);
}

static void on_event_open(void *user, const struct conn_info *conn)
{
	struct pipeline *pipeline = user;

	stream_open(pipeline->streams, conn);
	origin_assume(pipeline, conn);
}

static void on_event_peer(void *user, uint64_t conn, const struct peer *peer)
{
	stream_peer(((struct pipeline *)user)->streams, conn, peer);
}

static void on_event_chunk(void *user, const struct event_chunk *chunk)
{
	struct pipeline *pipeline = user;
	struct stream_chunk piece = {
		.conn = chunk->conn,
		.dir = chunk->dir,
		.offset = chunk->offset,
		.time_ns = chunk->time_ns,
		.thread = chunk->thread,
		.data = chunk->data,
		.hole_len = chunk->hole_len,
		.reason = chunk->reason,
	};

	if (stream_push(pipeline->streams, &piece) < 0)
		pipeline->stats.shed_bytes += chunk->data.len;
}

static struct ended *ended_find(const struct pipeline *pipeline, struct process_id process)
{
	struct ended *ended;

	DL_FOREACH(pipeline->ended, ended)
		if (ended->process.pid == process.pid && ended->process.start_ns == process.start_ns)
			return ended;
	return NULL;
}

/* A process that ended closes nothing: its sockets' last offsets are told after its end, but are of that time. */
static void on_event_close(void *user, const struct event_close *close)
{
	struct pipeline *pipeline = user;
	const struct ended *ended = NULL;
	struct conn *conn;

	HASH_FIND(hh, pipeline->conns, &close->conn, sizeof(close->conn), conn);
	if (conn)
		ended = ended_find(pipeline, conn->info.process);
	stream_close(pipeline->streams, close->conn, close->end, close->how, close->reason,
		     ended ? MIN(ended->time_ns, close->time_ns) : close->time_ns);
}

static void process_end(struct pipeline *pipeline, struct process_id process, uint64_t time_ns)
{
	stream_exit(pipeline->streams, process, time_ns);
	trace_on_exit(pipeline->traces, process, time_ns);
}

static void ended_tell(struct pipeline *pipeline, struct ended *ended)
{
	DL_DELETE(pipeline->ended, ended);
	process_end(pipeline, ended->process, ended->time_ns);
	alloc_put(&pipeline->heap.alloc, ended, sizeof(*ended));
}

/* Those that ended before @time_ns. */
static void ended_tell_all(struct pipeline *pipeline, uint64_t time_ns)
{
	struct ended *ended, *after;

	DL_FOREACH_SAFE(pipeline->ended, ended, after)
		if (ended->time_ns < time_ns)
			ended_tell(pipeline, ended);
}

static void on_event_exit(void *user, struct process_id process, uint64_t time_ns)
{
	struct pipeline *pipeline = user;
	struct ended *ended = alloc_get(&pipeline->heap.alloc, sizeof(*ended));

	if (ended) {
		*ended = (struct ended){ .process = process, .time_ns = time_ns };
		DL_APPEND(pipeline->ended, ended);
	} else {
		process_end(pipeline, process, time_ns);
	}
	if (pipeline->ops->exited)
		pipeline->ops->exited(pipeline->user, process);
}

static const struct event_ops event_ops = {
	.open = on_event_open,
	.peer = on_event_peer,
	.chunk = on_event_chunk,
	.close = on_event_close,
	.exit = on_event_exit,
};

/* ---- stream ─▶ proto ---- */

static const struct proto_ops proto_ops;

static void conn_drop(struct conn *conn)
{
	HASH_DEL(conn->pipeline->conns, conn);
	proto_free(conn->proto);
	alloc_put(&conn->pipeline->heap.alloc, conn, sizeof(*conn));
}

static void *on_stream_opened(void *user, const struct conn_info *info)
{
	struct pipeline *pipeline = user;
	struct conn *conn = alloc_get(&pipeline->heap.alloc, sizeof(*conn));

	if (!conn)
		return NULL;
	*conn = (struct conn){
		.pipeline = pipeline, .info = *info, .request_dir = DIR_WRITE, .refused = pipeline->heap.refused
	};
	HASH_ADD(hh, pipeline->conns, info.id, sizeof(conn->info.id), conn);
	if (proto_new(&pipeline->proto_opts, info->is_late, &proto_ops, conn, &conn->proto) < 0) {
		conn_drop(conn);
		return NULL;
	}
	conn->calls = call_conn_open(pipeline->calls, info);
	if (!conn->calls) {
		conn_drop(conn);
		return NULL;
	}
	if (pipeline->ops->who && !origins_find(pipeline->origins, info->process))
		pipeline->ops->who(pipeline->user, info->process);
	return conn;
}

static void on_stream_peer(void *user, void *handle, const struct conn_info *info)
{
	struct conn *conn = handle;

	conn->info = *info;
	call_conn_peer(conn->calls, info);
}

static void on_proto_verdict(void *user, enum verdict verdict)
{
	struct conn *conn = user;
	struct pipeline *pipeline = conn->pipeline;
	enum event_verdict event = verdict == VERDICT_KEEP         ? EVENT_KEEP
				   : verdict == VERDICT_DENY       ? EVENT_DENY
				   : conn->request_dir == DIR_READ ? EVENT_MUTE_READ
								   : EVENT_MUTE_WRITE;

	conn->is_mute = verdict == VERDICT_MUTE && conn->dir == conn->request_dir;
	if (pipeline->ops->verdict)
		pipeline->ops->verdict(pipeline->user, conn->info.id, event, conn->read_to[conn->request_dir]);
}

static void on_stream_bytes(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t time_ns,
			    uint32_t thread, struct slice data)
{
	struct conn *conn = handle;

	conn->thread = thread;
	conn->dir = dir;
	conn->read_to[dir] = offset + data.len;
	proto_bytes(conn->proto, dir, time_ns, data);
	/* The kernel side was ahead of the verdict: now it may hold. */
	if (conn->is_mute && dir == conn->request_dir)
		on_proto_verdict(conn, VERDICT_MUTE);
}

static void on_stream_hole(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len,
			   enum missing_reason reason, uint64_t time_ns)
{
	struct conn *conn = handle;

	conn->hole_bytes += len;
	conn->read_to[dir] = offset + len;
	proto_hole(conn->proto, dir, len, reason, time_ns);
}

/* Bytes of no message: where memory was refused in the meantime, what they answered may have been lost to that. Holes are
 * counted as missing by who lost them. */
static void stray_count(const struct conn *conn)
{
	uint64_t stray = proto_stray_bytes(conn->proto);

	if (proto_is_starved(conn->proto) || conn->pipeline->heap.refused > conn->refused)
		conn->pipeline->stats.shed_bytes += stray - MIN(stray, conn->hole_bytes);
}

static void on_stream_closed(void *user, void *handle, enum close_how how, uint64_t time_ns)
{
	struct conn *conn = handle;

	proto_end(conn->proto, how, time_ns);
	stray_count(conn);
	call_conn_close(conn->calls, how, time_ns);
	conn_drop(conn);
}

static void on_stream_lost(void *user, uint64_t len)
{
	((struct pipeline *)user)->stats.shed_bytes += len;
}

static const struct stream_ops stream_ops = {
	.opened = on_stream_opened,
	.peer = on_stream_peer,
	.bytes = on_stream_bytes,
	.hole = on_stream_hole,
	.closed = on_stream_closed,
	.lost = on_stream_lost,
};

/* ---- proto ─▶ call ---- */

static void on_proto_head(void *user, uint64_t exchange, const struct message_head *head)
{
	struct conn *conn = user;

	if (head->kind == MESSAGE_REQUEST)
		conn->request_dir = head->dir;
	call_on_head(conn->calls, exchange, head, conn->thread);
}

static void on_proto_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	call_on_part(((struct conn *)user)->calls, exchange, kind, part);
}

static void on_proto_hole(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason,
			  uint64_t time_ns)
{
	call_on_hole(((struct conn *)user)->calls, exchange, kind, reason, time_ns);
}

static void on_proto_end(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	struct conn *conn = user;

	call_on_end(conn->calls, exchange, kind, end);
	conn->is_mute = conn->is_mute && kind != MESSAGE_REQUEST;
}

static const struct proto_ops proto_ops = {
	.head = on_proto_head,
	.part = on_proto_part,
	.hole = on_proto_hole,
	.end = on_proto_end,
	.verdict = on_proto_verdict,
};

/* ---- call ⇄ dialect, call ─▶ trace ---- */

static const struct dialect *on_call_find(void *user, const struct dialect_hint *hint, unsigned *ret_score)
{
	return dialect_find(hint, ret_score);
}

static void on_call_asked(void *user, const struct call *call)
{
	trace_on_request(((struct pipeline *)user)->traces, call);
}

static void on_call_done(void *user, struct call *call)
{
	struct pipeline *pipeline = user;
	const struct origin *origin = origins_find(pipeline->origins, call->conn.process);

	pipeline->stats.shed_bytes += call->request_end.shed_bytes + call->response_end.shed_bytes;
	if (origin && !origin->selected)
		return;
	pipeline->stats.calls++;
	if (call->is_complete)
		pipeline->stats.complete++;
	else
		pipeline->stats.incomplete++;
	dialect_gateway_put(call);
	if (pipeline->prices)
		cost_put(pipeline->prices, call, call->request_start_ns + (uint64_t)pipeline->ids.unix_offset_ns);
	trace_on_call(pipeline->traces, call);
}

static void on_call_verdict(void *user, uint64_t number, enum verdict verdict)
{
	struct pipeline *pipeline = user;
	struct conn *conn;

	HASH_FIND(hh, pipeline->conns, &number, sizeof(number), conn);
	if (conn)
		on_proto_verdict(conn, verdict);
}

static bool on_call_so_far(void *user, uint64_t number, uint64_t exchange, enum message_kind kind,
			   struct message_end *ret)
{
	struct pipeline *pipeline = user;
	struct conn *conn;

	HASH_FIND(hh, pipeline->conns, &number, sizeof(number), conn);
	return conn && proto_so_far(conn->proto, exchange, kind, ret);
}

static void on_call_shed(void *user, uint64_t bytes)
{
	((struct pipeline *)user)->stats.shed_bytes += bytes;
}

static void on_call_no_call(void *user, uint64_t bytes)
{
	((struct pipeline *)user)->stats.no_call_bytes += bytes;
}

static const struct call_ops call_ops = {
	.find = on_call_find,
	.asked = on_call_asked,
	.done = on_call_done,
	.verdict = on_call_verdict,
	.so_far = on_call_so_far,
	.no_call = on_call_no_call,
	.shed = on_call_shed,
};

/* ---- trace ─▶ policy ─▶ record ---- */

static const struct origin *on_trace_origin(void *user, struct process_id process)
{
	return origins_find(((struct pipeline *)user)->origins, process);
}

static void on_trace_done(void *user, struct trace *trace, uint64_t sequence)
{
	struct pipeline *pipeline = user;
	CLEANUP(arena_free) struct arena *arena = arena_new(&pipeline->heap.alloc, RECORD_BYTES_MAX);
	struct record record;

	if (!arena || policy_seal(pipeline->policy, trace, sequence, arena, &record) < 0 ||
	    pipeline->ops->record(pipeline->user, &record) < 0)
		pipeline->stats.shed_records++;
}

static void on_trace_lost(void *user, uint64_t calls)
{
	((struct pipeline *)user)->stats.shed_records += calls;
}

static const struct trace_ops trace_ops = { .origin = on_trace_origin, .done = on_trace_done, .lost = on_trace_lost };

static void keyed_hash(void *user, struct slice text, uint8_t ret_hash[32])
{
	const struct pipeline *pipeline = user;
	unsigned len = 32;

	if (!HMAC(EVP_sha256(), pipeline->secret, SECRET_LEN, (const unsigned char *)text.data, text.len, ret_hash,
		  &len))
		memset(ret_hash, 0, 32);
}

/* ---- life ---- */

static int rooms_new(struct pipeline *pipeline, const struct pipeline_opts *opts)
{
	struct alloc *alloc = &pipeline->heap.alloc;
	const struct stream_opts stream = { alloc, REORDER_BYTES, hold_chunk_ns, CONNS_MAX };
	const struct call_opts call = {
		.alloc = alloc,
		.call_bytes_max = CALL_BYTES_MAX,
		.pair_wait_ns = pair_wait_ns,
		.drops_chunks = !opts->wants_mlflow,
		.idle_ns = idle_ns,
	};
	const struct trace_opts trace = {
		.alloc = alloc,
		.node_key = { pipeline->ids.node_key[0], pipeline->ids.node_key[1] },
		.boot = pipeline->ids.boot,
		.unix_offset_ns = pipeline->ids.unix_offset_ns,
		.hold_ns = hold_retry_ns,
		.held_max = HELD_MAX,
		.chunk_events_max = CHUNK_EVENTS_MAX,
		.wants_mlflow = opts->wants_mlflow,
		.wants_otlp = opts->wants_otlp,
		.semconv = opts->semconv_next ? SEMCONV_NEXT : SEMCONV_V1_41,
		.host_name = slice_of(pipeline->ids.host),
	};
	const struct policy_opts policy = { alloc, keyed_hash, pipeline, slice_of(pipeline->ids.host) };
	int r = origins_new(alloc, &pipeline->origins);

	r = r < 0 ? r : stream_table_new(&stream, &stream_ops, pipeline, &pipeline->streams);
	r = r < 0 ? r : call_tracker_new(&call, &call_ops, pipeline, &pipeline->calls);
	r = r < 0 ? r : trace_assembler_new(&trace, &trace_ops, pipeline, &pipeline->traces);
	return r < 0 ? r : policy_new(&policy, &pipeline->policy);
}

int pipeline_new(const struct pipeline_opts *opts, const struct pipeline_ops *ops, void *user, struct pipeline **ret)
{
	CLEANUP(pipeline_free) struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	int r;

	if (!pipeline)
		return -ENOMEM;
	pipeline->ops = ops;
	pipeline->user = user;
	pipeline->heap = (struct alloc_heap)ALLOC_HEAP(opts->memory_max);
	pipeline->proto_opts = proto_opts_default;
	pipeline->proto_opts.alloc = &pipeline->heap.alloc;
	pipeline->ids = *opts->ids;
	pipeline->prices = opts->prices;
	memcpy(pipeline->secret, opts->secret, SECRET_LEN);
	r = rooms_new(pipeline, opts);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(pipeline);
	return 0;
}

struct pipeline *pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return NULL;
	ended_tell_all(pipeline, UINT64_MAX);
	stream_table_free(pipeline->streams);
	call_tracker_free(pipeline->calls);
	trace_assembler_free(pipeline->traces);
	policy_free(pipeline->policy);
	origins_free(pipeline->origins);
	explicit_bzero(pipeline->secret, SECRET_LEN);
	free(pipeline);
	return NULL;
}

void pipeline_take(struct pipeline *pipeline, struct slice record)
{
	if (event_decode(record, &event_ops, pipeline) < 0)
		pipeline->stats.malformed++;
}

void pipeline_origin(struct pipeline *pipeline, struct slice packed)
{
	const struct origin *origin;
	struct conn *conn, *next;

	if (origins_put(pipeline->origins, packed, &origin) < 0) {
		pipeline->stats.malformed++;
		return;
	}
	if (origin->selected)
		return;
	HASH_ITER(hh, pipeline->conns, conn, next)
		if (origins_find(pipeline->origins, conn->info.process) == origin)
			on_proto_verdict(conn, VERDICT_DENY);
}

void pipeline_close(struct pipeline *pipeline, const struct event_close *close)
{
	on_event_close(pipeline, close);
}

void pipeline_exited(struct pipeline *pipeline, struct process_id process)
{
	struct ended *ended = ended_find(pipeline, process);

	if (ended)
		ended_tell(pipeline, ended);
}

void pipeline_set_unix_offset(struct pipeline *pipeline, int64_t unix_offset_ns)
{
	trace_set_unix_offset(pipeline->traces, unix_offset_ns);
}

void pipeline_tick(struct pipeline *pipeline, uint64_t now_ns)
{
	ended_tell_all(pipeline, now_ns - MIN(now_ns, exit_wait_ns));
	stream_tick(pipeline->streams, now_ns);
	call_tick(pipeline->calls, now_ns);
	trace_tick(pipeline->traces, now_ns);
}

void pipeline_flush(struct pipeline *pipeline, uint64_t now_ns)
{
	ended_tell_all(pipeline, UINT64_MAX);
	stream_tick(pipeline->streams, now_ns + hold_chunk_ns);
	call_flush(pipeline->calls, now_ns);
	trace_flush(pipeline->traces);
}

void pipeline_stats(const struct pipeline *pipeline, struct pipeline_stats *ret)
{
	*ret = pipeline->stats;
	ret->conns = stream_count(pipeline->streams);
	ret->has_open = ret->conns || pipeline->ended || trace_held(pipeline->traces) || call_waiting(pipeline->calls);
	ret->memory_bytes = pipeline->heap.used;
	ret->memory_peak_bytes = pipeline->heap.peak;
}
