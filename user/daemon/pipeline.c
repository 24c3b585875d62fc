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
#include "daemon/ended.h"
#include "daemon/link.h"
#include "daemon/sealing.h"
#include "daemon/stray.h"
#include "dialect/dialect.h"
#include "proto/proto.h"
#include "stream/stream.h"
#include "trace/trace.h"
#include <errno.h>
#include <uthash.h>

enum { REORDER_BYTES = 1 << 20, CALL_BYTES_MAX = 64 << 20 };
enum { CONNS_MAX = 16384, HELD_MAX = 256, CHUNK_EVENTS_MAX = 128 };
static const uint64_t hold_chunk_ns = 200000000, hold_retry_ns = 12000000000, pair_wait_ns = 200000000,
		      idle_ns = 1800000000000;

/* One connection on its way through proto and call. */
struct conn {
	struct pipeline *pipeline;
	struct conn_info info;
	struct proto *proto;
	struct call_conn *calls;
	uint32_t thread; /* who moved the bytes that are being read */
	enum direction request_dir;
	uint64_t read_to[_DIR_MAX]; /* offsets */
	bool is_mute_asked;
	UT_hash_handle hh;
	struct alloc_heap heap; /* of proto: its refusals are this connection's */
	struct stray stray;
	bool is_flushed; /* its calls are told as they were: proto ends for its sums alone */
};

struct pipeline {
	const struct pipeline_ops *ops;
	void *user;
	struct alloc_heap heap;
	struct event_file_head ids;
	struct wanted wanted;
	struct stream_table *streams;
	struct call_tracker *calls;
	struct trace_assembler *traces;
	struct sealing sealing;
	struct conn *conns; /* by number */
	struct ended_list ended;
	const struct cost_table *prices;
	struct pipeline_stats stats;
};

/* ---- event ─▶ stream ---- */

static void verdict_tell(struct conn *conn, enum verdict verdict, uint64_t alike);

static struct conn *conn_find(const struct pipeline *pipeline, uint64_t number)
{
	struct conn *conn;

	HASH_FIND(hh, pipeline->conns, &number, sizeof(number), conn);
	return conn;
}

static void on_event_open(void *user, const struct conn_info *info)
{
	struct pipeline *pipeline = user;
	enum wish wish = wanted_open(&pipeline->wanted, info);
	struct conn *conn;

	stream_open(pipeline->streams, info);
	conn = conn_find(pipeline, info->id);
	if (conn && wish == WISH_NO)
		verdict_tell(conn, VERDICT_DENY, 0);
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
		.is_unwanted = chunk->is_unwanted,
		.is_behind_loss = chunk->is_behind_loss,
	};

	if (stream_push(pipeline->streams, &piece) < 0)
		pipeline->stats.shed_bytes += chunk->data.len;
}

/* A process that ended closes nothing: its sockets' last offsets are told after its end, but are of that time. */
static void on_event_close(void *user, const struct event_close *close)
{
	struct pipeline *pipeline = user;
	uint64_t time_ns = close->time_ns;
	const struct conn *conn = conn_find(pipeline, close->conn);

	if (conn)
		time_ns = MIN(time_ns, ended_time(&pipeline->ended, conn->info.process));
	stream_close(pipeline->streams, close->conn, close->end, close->how, close->reason, time_ns);
}

static void on_event_join(void *user, const struct conn_join *join)
{
	stream_join(((struct pipeline *)user)->streams, join);
}

static void on_event_exit(void *user, struct process_id process, uint64_t time_ns)
{
	ended_add(&((struct pipeline *)user)->ended, process, time_ns);
}

static int on_ended_ask(void *user, struct process_id process)
{
	struct pipeline *pipeline = user;

	return pipeline->ops->exited ? pipeline->ops->exited(pipeline->user, process) : 0;
}

static void on_ended(void *user, struct process_id process, uint64_t time_ns)
{
	struct pipeline *pipeline = user;

	stream_exit(pipeline->streams, process, time_ns);
	trace_on_exit(pipeline->traces, process, time_ns);
}

static const struct ended_ops ended_ops = { .ask = on_ended_ask, .tell = on_ended };

static const struct event_ops event_ops = { .open = on_event_open,
					    .peer = on_event_peer,
					    .chunk = on_event_chunk,
					    .close = on_event_close,
					    .join = on_event_join,
					    .exit = on_event_exit };

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
	struct proto_opts opts = proto_opts_default;

	if (!conn)
		return NULL;
	*conn = (struct conn){ .pipeline = pipeline,
			       .info = *info,
			       .request_dir = DIR_WRITE,
			       .heap = ALLOC_HEAP_IN(&pipeline->heap.alloc, SIZE_MAX) };
	opts.alloc = &conn->heap.alloc;
	HASH_ADD(hh, pipeline->conns, info.id, sizeof(conn->info.id), conn);
	if (proto_new(&opts, info->is_late, &proto_ops, conn, &conn->proto) < 0) {
		conn_drop(conn);
		return NULL;
	}
	conn->calls = call_conn_open(pipeline->calls, info);
	if (!conn->calls) {
		conn_drop(conn);
		return NULL;
	}
	return conn;
}

static void on_stream_peer(void *user, void *handle, const struct conn_info *info)
{
	struct conn *conn = handle;

	conn->info = *info;
	call_conn_peer(conn->calls, info);
}

static void event_verdict_tell(const struct conn *conn, enum verdict value, uint64_t of)
{
	const struct pipeline *pipeline = conn->pipeline;
	const struct event_verdict verdict = { value, conn->request_dir, of };

	if (pipeline->ops->verdict)
		pipeline->ops->verdict(pipeline->user, conn->info.id, &verdict);
}

/* Behind the bytes with which it was asked for, for these may hold the next request. */
static void mute_tell(struct conn *conn)
{
	if (conn->is_mute_asked)
		event_verdict_tell(conn, VERDICT_MUTE, conn->read_to[conn->request_dir]);
	conn->is_mute_asked = false;
}

static void on_stream_bytes(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t time_ns,
			    uint32_t thread, struct slice data)
{
	struct conn *conn = handle;

	conn->thread = thread;
	conn->read_to[dir] = offset + data.len;
	stray_note(&conn->stray, conn->proto, &conn->heap, 0);
	proto_bytes(conn->proto, dir, time_ns, data);
	mute_tell(conn);
}

static void on_stream_hole(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len,
			   enum missing_reason reason, uint64_t time_ns)
{
	struct conn *conn = handle;

	conn->read_to[dir] = offset + len;
	stray_note(&conn->stray, conn->proto, &conn->heap, len);
	proto_hole(conn->proto, dir, len, reason, time_ns);
	mute_tell(conn);
}

static void on_stream_skipped(void *user, void *handle, enum direction dir, uint64_t offset, uint64_t len,
			      uint64_t time_ns)
{
	struct conn *conn = handle;

	conn->read_to[dir] = offset + len;
	stray_note(&conn->stray, conn->proto, &conn->heap, len);
	proto_unwanted(conn->proto, dir, len, time_ns);
}

static void proto_over(struct conn *conn, enum close_how how, uint64_t time_ns)
{
	proto_end(conn->proto, how, time_ns);
	conn->pipeline->stats.shed_bytes += stray_shed(&conn->stray, conn->proto, &conn->heap);
}

static void on_stream_closed(void *user, void *handle, enum close_how how, uint64_t time_ns)
{
	struct conn *conn = handle;

	if (!conn->is_flushed)
		proto_over(conn, how, time_ns);
	call_conn_close(conn->calls, how, time_ns);
	conn_drop(conn);
}

static void on_shed(void *user, uint64_t len)
{
	((struct pipeline *)user)->stats.shed_bytes += len;
}

static const struct stream_ops stream_ops = { .opened = on_stream_opened,
					      .peer = on_stream_peer,
					      .bytes = on_stream_bytes,
					      .hole = on_stream_hole,
					      .skipped = on_stream_skipped,
					      .closed = on_stream_closed,
					      .lost = on_shed };

/* ---- proto ─▶ call ---- */

static void on_proto_head(void *user, uint64_t exchange, const struct message_head *head)
{
	struct conn *conn = user;

	if (conn->is_flushed)
		return;
	if (head->kind == MESSAGE_REQUEST) {
		conn->request_dir = head->dir;
		conn->is_mute_asked = false;
	}
	call_on_head(conn->calls, exchange, head, conn->thread);
}

static void on_proto_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	const struct conn *conn = user;

	if (!conn->is_flushed)
		call_on_part(conn->calls, exchange, kind, part);
}

static void on_proto_hole(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason,
			  uint64_t time_ns)
{
	const struct conn *conn = user;

	if (!conn->is_flushed)
		call_on_hole(conn->calls, exchange, kind, reason, time_ns);
}

static void on_proto_end(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	const struct conn *conn = user;

	if (!conn->is_flushed)
		call_on_end(conn->calls, exchange, kind, end);
}

static void verdict_tell(struct conn *conn, enum verdict verdict, uint64_t alike)
{
	conn->is_mute_asked = verdict == VERDICT_MUTE;
	if (!conn->is_mute_asked)
		event_verdict_tell(conn, verdict, alike);
}

static void on_proto_verdict(void *user, enum verdict verdict)
{
	verdict_tell(user, verdict, 0);
}

static const struct proto_ops proto_ops = { .head = on_proto_head,
					    .part = on_proto_part,
					    .hole = on_proto_hole,
					    .end = on_proto_end,
					    .verdict = on_proto_verdict };

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
	const struct conn *conn = conn_find(pipeline, call->conn.id);

	if (conn && !call->conn.process.pid) /* whose it is was told later */
		call->conn.process = conn->info.process;
	pipeline->stats.shed_bytes += call->request_end.shed_bytes + call->response_end.shed_bytes;
	if (wanted_call(&pipeline->wanted, call) == WISH_NO)
		return sealing_texts_end(&pipeline->sealing, call->aside);
	dialect_gateway_put(call);
	if (pipeline->prices)
		cost_put(pipeline->prices, call, call->request_start_ns + (uint64_t)pipeline->ids.unix_offset_ns);
	trace_on_call(pipeline->traces, call);
}

static bool on_call_serves_models(void *user, struct slice host, struct slice path)
{
	return dialect_vendor_find(host, path).len > 0;
}

static void on_call_verdict(void *user, uint64_t number, enum verdict verdict, uint64_t alike)
{
	struct conn *conn = conn_find(user, number);

	if (conn)
		verdict_tell(conn, verdict, alike);
}

static bool on_call_so_far(void *user, uint64_t number, uint64_t exchange, enum message_kind kind,
			   struct message_end *ret)
{
	const struct conn *conn = conn_find(user, number);

	return conn && proto_so_far(conn->proto, exchange, kind, ret);
}

static void on_call_no_call(void *user, uint64_t bytes)
{
	((struct pipeline *)user)->stats.no_call_bytes += bytes;
}

static bool on_call_aside(void *user, const struct conn_info *conn, const struct call *call, struct slice text,
			  struct aside_id *ret)
{
	return sealing_text(&((struct pipeline *)user)->sealing, conn, call, text, ret);
}

static void on_call_aside_end(void *user, uint64_t call)
{
	sealing_texts_end(&((struct pipeline *)user)->sealing, call);
}

static const struct call_ops call_ops = {
	.find = on_call_find,
	.asked = on_call_asked,
	.done = on_call_done,
	.verdict = on_call_verdict,
	.serves_models = on_call_serves_models,
	.so_far = on_call_so_far,
	.aside = on_call_aside,
	.aside_end = on_call_aside_end,
	.no_call = on_call_no_call,
	.shed = on_shed,
};

/* ---- trace ─▶ policy ─▶ record ---- */

static const struct origin *on_trace_origin(void *user, struct process_id process)
{
	return origins_find(((struct pipeline *)user)->wanted.origins, process);
}

static void on_trace_done(void *user, struct trace *trace, uint64_t sequence)
{
	sealing_trace(&((struct pipeline *)user)->sealing, trace, sequence);
}

static void on_trace_lost(void *user, uint64_t calls)
{
	((struct pipeline *)user)->stats.shed_records += calls;
}

static const struct trace_ops trace_ops = { .origin = on_trace_origin, .done = on_trace_done, .lost = on_trace_lost };

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
		.defers_messages = !opts->wants_otlp,
		.lays_aside = pipeline->ops->aside,
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
	int r = wanted_init(&pipeline->wanted, alloc, opts->memory_max);

	r = r < 0 ? r : stream_table_new(&stream, &stream_ops, pipeline, &pipeline->streams);
	r = r < 0 ? r : call_tracker_new(&call, &call_ops, pipeline, &pipeline->calls);
	r = r < 0 ? r : trace_assembler_new(&trace, &trace_ops, pipeline, &pipeline->traces);
	return r < 0 ? r : sealing_init(&pipeline->sealing, slice_of(pipeline->ids.host));
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
	pipeline->ended = (struct ended_list){ &pipeline->heap.alloc, &ended_ops, pipeline, NULL };
	pipeline->wanted = (struct wanted){
		.has_filters = opts->has_filters, .ops = ops, .user = user, .stats = &pipeline->stats
	};
	pipeline->ids = *opts->ids;
	pipeline->prices = opts->prices;
	pipeline->sealing = (struct sealing){ .alloc = &pipeline->heap.alloc,
					      .wanted = &pipeline->wanted,
					      .ops = ops,
					      .user = user,
					      .stats = &pipeline->stats };
	memcpy(pipeline->sealing.secret, opts->secret, SECRET_LEN);
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
	ended_tell_all(&pipeline->ended);
	stream_table_free(pipeline->streams);
	call_tracker_free(pipeline->calls);
	trace_assembler_free(pipeline->traces);
	sealing_clear(&pipeline->sealing);
	wanted_clear(&pipeline->wanted);
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
	const struct origin *origin = wanted_told(&pipeline->wanted, packed);
	struct conn *conn, *next;

	pipeline->stats.malformed += !origin;
	if (!origin || origin->selected)
		return;
	HASH_ITER(hh, pipeline->conns, conn, next)
		if (origins_is(origin, conn->info.process))
			verdict_tell(conn, VERDICT_DENY, 0);
}

void pipeline_set_filtered(struct pipeline *pipeline)
{
	pipeline->wanted.has_filters = true;
}

void pipeline_close(struct pipeline *pipeline, const struct event_close *close)
{
	on_event_close(pipeline, close);
}

void pipeline_exited(struct pipeline *pipeline, struct process_id process)
{
	ended_tell(&pipeline->ended, process);
}

void pipeline_set_unix_offset(struct pipeline *pipeline, int64_t unix_offset_ns)
{
	trace_set_unix_offset(pipeline->traces, unix_offset_ns);
}

void pipeline_tick(struct pipeline *pipeline, uint64_t now_ns)
{
	ended_tick(&pipeline->ended, now_ns);
	undecided_tick(&pipeline->wanted.undecided);
	stream_tick(pipeline->streams, now_ns);
	call_tick(pipeline->calls, now_ns);
	trace_tick(pipeline->traces, now_ns);
}

void pipeline_flush(struct pipeline *pipeline, uint64_t now_ns)
{
	struct conn *conn, *next;

	ended_tell_all(&pipeline->ended);
	stream_tick(pipeline->streams, now_ns + hold_chunk_ns);
	call_flush(pipeline->calls, now_ns);
	trace_flush(pipeline->traces);
	pipeline->stats.shed_records += undecided_forget(&pipeline->wanted.undecided);
	HASH_ITER(hh, pipeline->conns, conn, next) {
		conn->is_flushed = true;
		proto_over(conn, CLOSE_UNKNOWN, now_ns);
	}
}

void pipeline_stats(const struct pipeline *pipeline, struct pipeline_stats *ret)
{
	*ret = pipeline->stats;
	ret->conns = stream_count(pipeline->streams);
	ret->awaits = pipeline->ended.first;
	ret->asks = pipeline->wanted.undecided.first;
	ret->has_open =
		ret->conns || ret->awaits || ret->asks || trace_held(pipeline->traces) || call_waiting(pipeline->calls);
	ret->memory_bytes = pipeline->heap.used;
	ret->memory_peak_bytes = pipeline->heap.peak;
}
