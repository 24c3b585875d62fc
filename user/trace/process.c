/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process behind a call. MLflow makes a trace tag of every resource attribute, so the resource holds only what a
 * user looks for; the rest stands on the spans.
 */
#include "base/cleanup.h"
#include "trace/span.h"
#include <errno.h>

static struct slice base_name(struct slice path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;

	return slash ? slice_from(path, (size_t)(slash - path.data) + 1) : path;
}

/* RFC 3339 in UTC with milliseconds. Days to a date by eras of 400 years, which begin in March so that the leap day is
 * the last of its year. */
static struct slice utc_text(struct maker *maker, uint64_t unix_ns)
{
	uint64_t seconds = unix_ns / 1000000000, days = seconds / 86400 + 719468, rest = seconds % 86400;
	unsigned era_day = (unsigned)(days % 146097);
	unsigned era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	unsigned year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
	unsigned month = (5 * year_day + 2) / 153;
	unsigned day = year_day - (153 * month + 2) / 5 + 1;
	unsigned year = (unsigned)(days / 146097 * 400) + era_year + (month >= 10);
	struct slice text =
		arena_printf(maker->arena, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year,
			     month < 10 ? month + 3 : month - 9, day, (unsigned)(rest / 3600),
			     (unsigned)(rest / 60 % 60), (unsigned)(rest % 60), (unsigned)(unix_ns / 1000000 % 1000));

	if (!text.data)
		maker->failed = true;
	return text;
}

void span_put_process(struct maker *maker, const struct span_source *source)
{
	const struct origin *origin = source->origin;
	const struct call *call = source->call;

	put_text(maker, "host.name", source->opts->host_name);
	if (call->conn.process.pid)
		put_int(maker, "process.pid", call->conn.process.pid);
	if (call->thread)
		put_int(maker, "thread.id", call->thread);
	/* Both ends were seen: the server is named too. */
	if (call->other.id && call->other.process.pid)
		put_int(maker, "spantap.peer.process.pid", call->other.process.pid);
	if (!origin)
		return;
	if (origin->parent_pid)
		put_int(maker, "process.parent_pid", origin->parent_pid);
	put_text(maker, "process.executable.name", origin->exe.len ? base_name(origin->exe) : origin->comm);
	put_text(maker, "process.executable.path", origin->exe);
	put_texts(maker, "process.command_args", origin->args, MIN(origin->arg_count, (size_t)ORIGIN_ARGS_MAX));
	put_text(maker, "process.owner", origin->owner);
	if (origin->start_unix_ns)
		put_text(maker, "process.creation.time", utc_text(maker, origin->start_unix_ns));
	put_text(maker, "linux.cgroup", origin->cgroup);
	put_text(maker, "container.id", origin->container_id);
}

int span_resource(const struct trace_opts *opts, const struct origin *origin, struct arena *arena, bool keeps,
		  struct attribute **ret)
{
	struct span holder = { .attributes_tail = &holder.attributes };
	struct maker maker = { .arena = arena, .scratch = opts->alloc, .keeps = keeps, .span = &holder };

	if (origin)
		put_text(&maker, "service.name", origin->exe.len ? base_name(origin->exe) : origin->comm);
	put_text(&maker, "host.name", opts->host_name);
	if (origin)
		put_text(&maker, "container.id", origin->container_id);
	*ret = holder.attributes;
	return maker.failed ? -ENOMEM : 0;
}
