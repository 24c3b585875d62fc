/* SPDX-License-Identifier: Apache-2.0 */
/* `spantap spool`: the same file that a tracer may be using, so it is opened for reading unless something must change. */
#include "base/json.h"
#include "base/log.h"
#include "daemon/tools.h"
#include "spool/spool.h"
#include <errno.h>
#include <limits.h>
#include <time.h>

struct listing {
	bool json;
	size_t count;
};

static void status_print(const struct spool_stats *stats, bool json)
{
	char age[64] = "none";
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (json) {
		printf("{\"waiting\":%llu,\"waiting_bytes\":%llu,\"dead\":%llu,\"delivered\":%llu,\"oldest_unix_ns\":%lld}\n",
		       (unsigned long long)stats->waiting, (unsigned long long)stats->waiting_bytes,
		       (unsigned long long)stats->dead, (unsigned long long)stats->delivered,
		       (long long)stats->oldest_unix_ns);
		return;
	}
	if (stats->oldest_unix_ns)
		snprintf(age, sizeof(age), "%lld s old", (long long)(now.tv_sec - stats->oldest_unix_ns / 1000000000));
	printf("waiting    %llu records (%llu bytes), oldest %s\n", (unsigned long long)stats->waiting,
	       (unsigned long long)stats->waiting_bytes, age);
	printf("dead       %llu records\n", (unsigned long long)stats->dead);
	printf("delivered  %llu records\n", (unsigned long long)stats->delivered);
}

static void dead_print(void *user, const struct spool_dead *dead)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct buf line = BUF(&heap.alloc, 256 << 10);
	struct listing *listing = user;
	char trace_id[33];

	for (size_t i = 0; i < 16; i++)
		snprintf(trace_id + 2 * i, 3, "%02x", dead->trace_id[i]);
	listing->count++;
	if (!listing->json) {
		printf("%s  %.*s  %.*s\n", trace_id, SLICE_FMT(dead->sink), SLICE_FMT(dead->reason));
		return;
	}
	json_open(&line, '{');
	json_member_text(&line, SLICE("trace_id"), slice_of(trace_id));
	json_member_text(&line, SLICE("sink"), dead->sink);
	json_member_text(&line, SLICE("reason"), dead->reason);
	json_member_int(&line, SLICE("died_unix_ns"), dead->died_unix_ns);
	json_close(&line, '}');
	printf("%.*s\n", SLICE_FMT(buf_slice(&line)));
	buf_free(&line);
}

static int status_run(struct spool *spool, bool json)
{
	struct spool_stats stats = { 0 };
	int r = spool ? spool_stats(spool, -1, &stats) : 0;

	if (r == 0)
		status_print(&stats, json);
	return r;
}

static int dead_run(struct spool *spool, bool json)
{
	struct listing listing = { .json = json };
	int r = spool ? spool_each_dead(spool, dead_print, &listing) : 0;

	if (r == 0 && !listing.count && !json)
		printf("no dead records\n");
	return r;
}

static int retry_run(struct spool *spool, bool json)
{
	int r = spool ? spool_retry_dead(spool) : 0;

	if (r >= 0)
		printf(json ? "{\"waiting_again\":%d}\n" : "%d records wait again; the next start delivers them\n", r);
	return r;
}

static const struct subcommand {
	const char *name;
	bool writes;
	int (*run)(struct spool *spool, bool json); /* NULL: there is no spool yet */
} subcommands[] = { { "status", false, status_run }, { "dead", false, dead_run }, { "retry", true, retry_run } };

static const struct subcommand *subcommand_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	return &subcommands[0];
}

int tools_spool(const struct config *config)
{
	const struct subcommand *sub = subcommand_find(config->argv[0]);
	CLEANUP(spool_close) struct spool *spool = NULL;
	struct spool_opts opts = { .bytes_max = config->max_spool, .read_only = !sub->writes };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/spool.db", config->state_dir);
	opts.path = path;
	r = spool_open(&opts, &spool);
	if (r == -EBUSY && sub->writes && spool_ask_retry(path) == 0) {
		log_info("the running tracer was asked to deliver the dead records again");
		return 0;
	}
	if (r == -ENOENT)
		log_info("no spool in '%s' yet: nothing waits", config->state_dir);
	else if (r < 0)
		return log_error(r, "cannot open the spool '%s'", path), 1;
	return sub->run(spool, config->json) < 0 ? 1 : 0;
}
