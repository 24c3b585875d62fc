/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorded events drive the clock: before each one the pipeline is told the time it happened, in steps no longer than a
 * live reader's turn, so what a timeout did then it does again.
 */
#include "daemon/replay.h"
#include "base/log.h"
#include "daemon/outlet.h"
#include "daemon/prices.h"
#include "daemon/state.h"
#include <errno.h>

enum { TURN_NS = 20000000, ASIDE_WAIT_US = 1000, ASIDE_TRIES = 1000 };

struct replay {
	struct pipeline *pipeline;
	struct delivery *delivery;
	struct event_player *player;
	struct event_ledger ledger;
	bool has_ledger;
	uint64_t now_ns;
	struct cost_table *prices;
};

static int on_record(void *user, const struct record *record)
{
	struct replay *replay = user;
	int r;

	/* There is no kernel that could overtake us: wait for room instead of shedding. */
	while ((r = delivery_put(replay->delivery, record)) == -ENOBUFS)
		if (delivery_drain(replay->delivery, 1000) < 0 && errno == EINTR)
			break;
	return r;
}

static int on_aside(void *user, uint64_t call, const struct aside_id *id, struct slice text)
{
	struct replay *replay = user;
	int r = delivery_aside(replay->delivery, call, id, text);

	for (int i = 0; r == -ENOBUFS && i < ASIDE_TRIES; i++) {
		usleep(ASIDE_WAIT_US);
		r = delivery_aside(replay->delivery, call, id, text);
	}
	return r;
}

static void on_aside_end(void *user, uint64_t call)
{
	delivery_aside_end(((struct replay *)user)->delivery, call);
}

static const struct pipeline_ops pipeline_ops = { .record = on_record, .aside = on_aside, .aside_end = on_aside_end };

static void frame_take(struct replay *replay, enum event_frame kind, struct slice payload)
{
	uint64_t time_ns;

	if (kind == EVENT_FRAME_FILTERED) {
		pipeline_set_filtered(replay->pipeline);
	} else if (kind == EVENT_FRAME_ORIGIN) {
		pipeline_origin(replay->pipeline, payload);
	} else if (kind == EVENT_FRAME_LEDGER && payload.len == sizeof(replay->ledger)) {
		memcpy(&replay->ledger, payload.data, sizeof(replay->ledger));
		replay->has_ledger = true;
	} else if (kind == EVENT_FRAME_RECORD) {
		time_ns = event_time_ns(payload);
		if (time_ns > replay->now_ns + TURN_NS) {
			replay->now_ns = time_ns;
			pipeline_tick(replay->pipeline, time_ns);
		}
		pipeline_take(replay->pipeline, payload);
	}
}

static int play(struct replay *replay)
{
	enum event_frame kind;
	struct slice payload;
	int r;

	while ((r = event_player_next(replay->player, &kind, &payload)) == 1)
		frame_take(replay, kind, payload);
	pipeline_flush(replay->pipeline, replay->now_ns);
	if (r == 0 && !replay->has_ledger)
		log_warn(
			0,
			"the recording has no end: its recorder was killed or the file was cut; what it holds was replayed");
	return r < 0 ? log_error(r, "the recording is damaged; what stood before the damage was replayed") : 0;
}

static void summary_write(struct replay *replay, const char *path)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct buf text = BUF(&heap.alloc, 64 << 10);
	struct pipeline_stats stats;
	struct delivery_stats delivered;
	CLEANUP(fclose) FILE *file = path ? fopen(path, "we") : NULL;

	if (!path)
		return;
	pipeline_stats(replay->pipeline, &stats);
	delivery_stats(replay->delivery, &delivered);
	outlet_summary(&stats, replay->has_ledger ? &replay->ledger : NULL, &delivered, &text);
	if (!file || fwrite(text.data, 1, text.len, file) != text.len)
		log_error(-errno, "cannot write the summary to '%s'", path);
	buf_free(&text);
}

static int start(struct replay *replay, const struct config *config, struct outlet *outlet, struct state *state,
		 const char **ret_error)
{
	struct event_file_head ids;
	struct pipeline_opts opts = { .ids = &ids, .memory_max = config->max_memory };
	char spool_path[PATH_MAX];
	uint8_t secret[32];
	int r = outlet_init(config, outlet, ret_error);

	if (r == 0 && outlet->wants_spool)
		r = state_open(config->state_dir, true, state, ret_error);
	if (r < 0)
		return r;
	*ret_error = r == -EPROTONOSUPPORT ? "recorded by another version of spantap" : "cannot read the recording";
	r = event_player_new(config->argv[0], &ids, &replay->player);
	if (r < 0)
		return r;
	state_secret(ids.node_key, secret);
	opts.wants_mlflow = outlet->wants_mlflow;
	opts.wants_otlp = outlet->wants_otlp;
	opts.semconv_next = config->semconv && strcmp(config->semconv, "next") == 0;
	opts.secret = secret;
	opts.prices = replay->prices = prices_load(config->prices);
	r = outlet_open(outlet, config, outlet->wants_spool ? state_file(state, "spool.db", spool_path) : NULL,
			&replay->delivery, ret_error);
	if (r < 0)
		return r;
	*ret_error = "out of memory";
	r = delivery_start(replay->delivery);
	return r < 0 ? r : pipeline_new(&opts, &pipeline_ops, replay, &replay->pipeline);
}

int replay_run(const struct config *config)
{
	struct replay replay = { 0 };
	struct state state = { .lock_fd = -1 };
	struct outlet outlet = { 0 };
	const char *error = "";
	int r = start(&replay, config, &outlet, &state, &error);

	if (r < 0) {
		log_error(r == -EINVAL ? 0 : r, "%s", error);
	} else {
		r = play(&replay);
		if (delivery_drain(replay.delivery, config->drain_s * 1000) < 0)
			log_warn(0, "some records could not be delivered in time: they stay in the spool");
		summary_write(&replay, config->summary);
	}
	pipeline_free(replay.pipeline);
	cost_table_free(replay.prices);
	delivery_free(replay.delivery);
	event_player_free(replay.player);
	state_close(&state);
	outlet_clear(&outlet);
	return r == -EINVAL ? 2 : r < 0 ? 1 : 0;
}
