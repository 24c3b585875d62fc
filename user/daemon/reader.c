/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring is read in turns: while records come, every 40 ms without being woken; after 300 ms of silence the reader dozes,
 * and the next record wakes it. So a busy ring costs twenty-five wakeups a second and an idle one none; a turn is long enough
 * for a stream's next event to find what it needs still in the processor's caches. A ring that fills faster wakes the reader.
 */
#include "daemon/reader.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/confine.h"
#include "daemon/link.h"
#include "daemon/prices.h"
#include "daemon/rights.h"
#include "daemon/wanted.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

enum {
	TURN_MS = 40,
	SLOW_TURN_MS = 250, /* dozing, but something is open that may run out */
	TURN_RECORDS = 4096,
	BEHIND_RECORDS = 64,
	CLOCK_STEP_NS = 1000000,
};
static const uint64_t silence_ns = 300000000, drain_wait_ns = 1000000000, drain_ask_ns = 5000000000;

struct reader {
	const struct config *config;
	struct pipeline *pipeline;
	struct delivery *delivery;
	struct event_ring *ring;
	struct event_memory *memory;
	struct event_recorder *recorder;
	struct wanted recorded; /* of the recorder: asks who is wanted, so that no more is copied of the others */
	struct alloc_heap recorded_heap;
	struct pipeline_stats recorded_stats;
	uv_loop_t loop;
	uv_poll_t ring_poll, link_poll;
	uv_timer_t timer;
	int link_fd;
	uint64_t busy_ns; /* when the last record came */
	int64_t unix_offset_ns;
	bool has_filters;
	bool is_dozing;
	bool attacher_is_gone;
	bool draining;
	unsigned drain_ms;
	uint64_t drain_ns; /* when it was told to end */
	char message[LINK_BYTES_MAX];
	struct cost_table *prices;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- what the pipeline asks of us ---- */

static int on_record(void *user, const struct record *record)
{
	return delivery_put(((struct reader *)user)->delivery, record);
}

static int on_aside(void *user, uint64_t call, const struct aside_id *id, struct slice text)
{
	return delivery_aside(((struct reader *)user)->delivery, call, id, text);
}

static void on_aside_end(void *user, uint64_t call)
{
	delivery_aside_end(((struct reader *)user)->delivery, call);
}

static int on_who(void *user, const struct conn_info *conn)
{
	struct link_who who = { .process = conn->process, .parent_pid = conn->parent_pid, .uid = conn->uid };

	memcpy(who.comm, conn->comm, sizeof(who.comm));
	return link_ask(((struct reader *)user)->link_fd, LINK_WHO, &who, sizeof(who));
}

static int on_exited(void *user, struct process_id process)
{
	return link_ask(((struct reader *)user)->link_fd, LINK_EXITED, &process, sizeof(process));
}

static void on_verdict(void *user, uint64_t conn, const struct event_verdict *verdict)
{
	event_verdict_set(((struct reader *)user)->memory, conn, verdict);
}

static const struct pipeline_ops pipeline_ops = {
	.record = on_record,
	.aside = on_aside,
	.aside_end = on_aside_end,
	.who = on_who,
	.exited = on_exited,
	.verdict = on_verdict,
};

/* ---- the ring ---- */

static void on_ring_record(void *user, struct slice record)
{
	struct reader *reader = user;
	struct process_id ended;
	struct conn_info opened;

	if (!reader->recorder)
		return pipeline_take(reader->pipeline, record);
	event_recorder_put(reader->recorder, EVENT_FRAME_RECORD, record);
	if (reader->has_filters && event_is_open(record, &opened) && wanted_open(&reader->recorded, &opened) == WISH_NO)
		on_verdict(reader, opened.id, &(struct event_verdict){ .value = VERDICT_DENY });
	if (event_is_exit(record, &ended))
		on_exited(reader, ended);
}

static size_t ring_read(struct reader *reader)
{
	size_t total = 0, n;

	do {
		n = event_ring_consume(reader->ring, TURN_RECORDS, on_ring_record, reader);
		total += n;
	} while (n == TURN_RECORDS);
	if (total)
		reader->busy_ns = now_ns();
	return total;
}

static void on_timer(uv_timer_t *timer);

/* Sleeps until the next record, or until something that is open may run out. */
static void doze(struct reader *reader)
{
	struct pipeline_stats stats;

	if (!event_ring_doze(reader->ring))
		return;
	reader->is_dozing = true;
	pipeline_stats(reader->pipeline, &stats);
	if (stats.has_open)
		uv_timer_start(&reader->timer, on_timer, SLOW_TURN_MS, SLOW_TURN_MS);
	else
		uv_timer_stop(&reader->timer);
}

/* The end waits a moment for what the attacher still has to tell of processes that have ended, and longer for whether one is
 * wanted at all, for without that its calls are nobody's. */
static void drain_look(struct reader *reader)
{
	struct pipeline_stats stats;
	uint64_t wait_ns;

	pipeline_stats(reader->pipeline, &stats);
	stats.asks |= reader->recorded.undecided.first != NULL;
	wait_ns = stats.asks ? drain_ask_ns : stats.awaits ? drain_wait_ns : 0;
	if (reader->draining && now_ns() - reader->drain_ns >= wait_ns)
		uv_stop(&reader->loop);
}

static void turn(struct reader *reader)
{
	uint64_t now;
	int64_t offset = state_unix_offset_ns();

	ring_read(reader);
	now = now_ns();
	if (offset > reader->unix_offset_ns + CLOCK_STEP_NS || offset < reader->unix_offset_ns - CLOCK_STEP_NS) {
		reader->unix_offset_ns = offset;
		pipeline_set_unix_offset(reader->pipeline, offset);
	}
	pipeline_tick(reader->pipeline, now);
	undecided_tick(&reader->recorded.undecided);
	if (now - reader->busy_ns > silence_ns) {
		doze(reader);
	} else if (reader->is_dozing) {
		reader->is_dozing = false;
		uv_timer_start(&reader->timer, on_timer, TURN_MS, TURN_MS);
	}
	drain_look(reader);
}

static void on_timer(uv_timer_t *timer)
{
	turn(timer->data);
}

static void on_ring_ready(uv_poll_t *poll, int status, int events)
{
	turn(poll->data);
}

/* ---- the attacher ---- */

/* What the connection moved may still be in the ring. */
static void swept_take(struct reader *reader, struct slice payload)
{
	struct link_swept swept;
	struct event_close close;

	ring_read(reader);

	if (payload.len != sizeof(swept))
		return;
	memcpy(&swept, payload.data, sizeof(swept));
	close = (struct event_close){
		.conn = swept.conn,
		.end = { swept.end[0], swept.end[1] },
		.how = (enum close_how)swept.how,
		.reason = (enum missing_reason)swept.reason,
		.time_ns = now_ns(),
	};
	if (reader->recorder)
		event_recorder_put_close(reader->recorder, &close);
	else
		pipeline_close(reader->pipeline, &close);
}

static void exited_take(struct reader *reader, struct slice payload)
{
	struct process_id process;

	if (payload.len != sizeof(process) || reader->recorder)
		return;
	memcpy(&process, payload.data, sizeof(process));
	pipeline_exited(reader->pipeline, process);
	drain_look(reader);
}

static void message_take(struct reader *reader, enum link_type type, struct slice payload)
{
	uint32_t drain_ms;

	if (type == LINK_ORIGIN && reader->recorder) {
		event_recorder_put(reader->recorder, EVENT_FRAME_ORIGIN, payload);
		if (reader->has_filters)
			wanted_told(&reader->recorded, payload);
	} else if (type == LINK_ORIGIN) {
		pipeline_origin(reader->pipeline, payload);
	} else if (type == LINK_SWEPT) {
		swept_take(reader, payload);
	} else if (type == LINK_EXITED) {
		exited_take(reader, payload);
	} else if (type == LINK_DRAIN && payload.len == sizeof(drain_ms)) {
		memcpy(&drain_ms, payload.data, sizeof(drain_ms));
		reader->drain_ms = drain_ms;
		reader->drain_ns = now_ns();
		reader->draining = true;
		turn(reader);
	}
}

static void on_link_ready(uv_poll_t *poll, int status, int events)
{
	struct reader *reader = poll->data;
	int fds[LINK_FD_COUNT];
	enum link_type type;
	struct slice payload;
	int r;

	while ((r = link_receive(reader->link_fd, reader->message, &type, &payload, fds)) == 1)
		message_take(reader, type, payload);
	if (r == -EAGAIN)
		return;
	/* The attacher died, and its probes with it: what is here is still worth delivering. */
	reader->attacher_is_gone = true;
	uv_stop(&reader->loop);
}

/* ---- life ---- */

static int memory_map(struct reader *reader, const int fds[LINK_FD_COUNT], uint64_t ring_bytes)
{
	int r = event_ring_new(fds[0], fds[1], ring_bytes, &reader->ring);

	return r < 0 ? r : event_memory_new(fds[2], fds[3], &reader->memory);
}

static int fds_wait(struct reader *reader, int ret_fds[LINK_FD_COUNT], uint64_t *ret_ring_bytes)
{
	struct pollfd ready = { .fd = reader->link_fd, .events = POLLIN };
	struct link_fds fds;
	enum link_type type;
	struct slice payload;
	int r;

	do {
		poll(&ready, 1, -1);
		r = link_receive(reader->link_fd, reader->message, &type, &payload, ret_fds);
	} while (r == -EAGAIN);
	if (r != 1)
		return r < 0 ? r : -ECONNRESET;
	if (type != LINK_FDS || payload.len != sizeof(fds))
		return -EPROTO;
	memcpy(&fds, payload.data, sizeof(fds));
	*ret_ring_bytes = fds.ring_bytes;
	return 0;
}

static int loop_start(struct reader *reader, int ring_fd)
{
	int r = uv_loop_init(&reader->loop);

	if (r < 0)
		return r;
	reader->ring_poll.data = reader->link_poll.data = reader->timer.data = reader;
	uv_poll_init(&reader->loop, &reader->ring_poll, ring_fd);
	uv_poll_init(&reader->loop, &reader->link_poll, reader->link_fd);
	uv_timer_init(&reader->loop, &reader->timer);
	uv_poll_start(&reader->ring_poll, UV_READABLE, on_ring_ready);
	uv_poll_start(&reader->link_poll, UV_READABLE, on_link_ready);
	uv_timer_start(&reader->timer, on_timer, TURN_MS, TURN_MS);
	return 0;
}

static int recorded_start(struct reader *reader)
{
	if (reader->has_filters)
		event_recorder_put(reader->recorder, EVENT_FRAME_FILTERED, SLICE_NONE);
	reader->recorded_heap = (struct alloc_heap)ALLOC_HEAP(reader->config->max_memory);
	reader->recorded = (struct wanted){
		.has_filters = reader->has_filters,
		.ops = &pipeline_ops,
		.user = reader,
		.stats = &reader->recorded_stats,
	};
	return wanted_init(&reader->recorded, &reader->recorded_heap.alloc, reader->config->max_memory);
}

static int pipeline_start(struct reader *reader, const struct outlet *outlet, const struct state *state)
{
	struct event_file_head ids;
	struct pipeline_opts opts = { .memory_max = reader->config->max_memory };
	uint8_t secret[32];

	state_ids(state, &ids);
	ids.boot = delivery_boot(reader->delivery);
	state_secret(ids.node_key, secret);
	reader->unix_offset_ns = ids.unix_offset_ns;
	opts.ids = &ids;
	opts.prices = reader->prices = prices_load(reader->config->prices);
	opts.wants_mlflow = outlet->wants_mlflow;
	opts.wants_otlp = outlet->wants_otlp;
	opts.semconv_next = reader->config->semconv && strcmp(reader->config->semconv, "next") == 0;
	opts.secret = secret;
	opts.has_filters = reader->has_filters;
	if (reader->config->command == COMMAND_RECORD) {
		int r = event_recorder_new(reader->config->argv[0], &ids, &reader->recorder);

		if (r < 0)
			return log_error(r, "cannot record to '%s' (it must not exist yet)", reader->config->argv[0]);
		r = recorded_start(reader);
		if (r < 0)
			return r;
		log_info("recording raw traffic, secrets included, to '%s' (mode 0600)", reader->config->argv[0]);
	}
	return pipeline_new(&opts, &pipeline_ops, reader, &reader->pipeline);
}

static void ledger_record(struct reader *reader)
{
	struct event_ledger ledger;

	event_ledger_read(reader->memory, &ledger);
	event_recorder_put(reader->recorder, EVENT_FRAME_LEDGER,
			   (struct slice){ (const char *)&ledger, sizeof(ledger) });
}

/* Reads the ring to its end, makes records of all that is open, waits for their delivery, tells the sums. */
static int finish(struct reader *reader)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct buf text = BUF(&heap.alloc, 64 << 10);
	struct pipeline_stats stats;
	struct delivery_stats delivered;
	struct event_ledger ledger;
	int r = 0, waits;

	link_read_no_more(reader->link_fd);
	ring_read(reader);
	pipeline_flush(reader->pipeline, now_ns());
	if (reader->recorder) {
		ledger_record(reader);
		r = event_recorder_close(TAKE_PTR(reader->recorder));
		if (r < 0)
			log_error(r, "the recording is not whole");
	}
	waits = delivery_drain(reader->delivery, reader->draining ? reader->drain_ms : 0);
	delivery_give_up(reader->delivery);
	pipeline_stats(reader->pipeline, &stats);
	delivery_stats(reader->delivery, &delivered);
	event_ledger_read(reader->memory, &ledger);
	if (waits < 0)
		log_warn(
			0,
			"%llu records could not be delivered in time: they stay in the spool and the next start delivers them",
			(unsigned long long)delivered.waiting);
	if (delivered.shed)
		log_warn(0, "%llu records are lost: the spool was full (see --max-spool) or its disk was",
			 (unsigned long long)delivered.shed);
	outlet_summary(&stats, &ledger, &delivered, &text);
	link_send(reader->link_fd, LINK_DONE, text.data, text.len, NULL);
	buf_free(&text);
	return r < 0 ? 1 : 0;
}

static int start(struct reader *reader, const struct outlet *outlet, const struct state *state)
{
	char spool_path[PATH_MAX];
	int fds[LINK_FD_COUNT] = { -1, -1, -1, -1 };
	const char *error = "";
	uint64_t ring_bytes;
	int r = outlet_open(outlet, reader->config,
			    outlet->wants_spool ? state_file(state, "spool.db", spool_path) : NULL, &reader->delivery,
			    &error);

	if (r < 0)
		return log_error(r, "%s", error);
	r = pipeline_start(reader, outlet, state);
	if (r < 0)
		return r;
	r = fds_wait(reader, fds, &ring_bytes);
	if (r < 0)
		return r;
	r = memory_map(reader, fds, ring_bytes);
	if (r < 0)
		return log_error(r, "cannot map the ring");
	r = rights_drop();
	if (r < 0)
		return log_error(r, "cannot give up rights");
	r = confine_reader();
	if (r < 0 && r != -EINVAL && r != -ENOSYS) /* a kernel without filters leaves the rights alone as the fence */
		return log_error(r, "cannot filter system calls");
	if (r < 0)
		log_warn(r, "this kernel filters no system calls; going on without");
	r = delivery_start(reader->delivery);
	return r < 0 ? r : loop_start(reader, fds[0]);
}

int reader_run(const struct config *config, bool has_filters, const struct outlet *outlet, const struct state *state,
	       int link_fd)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int status = 1;

	if (!reader)
		return 1;
	reader->config = config;
	reader->has_filters = has_filters;
	reader->link_fd = link_fd;
	reader->busy_ns = now_ns();
	signal(SIGINT, SIG_IGN); /* the attacher says when to end */
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "spantap-pipe");
	if (start(reader, outlet, state) == 0) {
		link_send(link_fd, LINK_READY, NULL, 0, NULL);
		uv_run(&reader->loop, UV_RUN_DEFAULT);
		status = finish(reader);
	}
	delivery_free(reader->delivery);
	cost_table_free(reader->prices);
	return status;
}
