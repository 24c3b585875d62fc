/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, and what every sink has: a name, a state that is told once, a batch size that learns. */
#include "sink/kind.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { LIMIT_FIRST = 32 };

static const struct sink_kind *const kinds[] = {
	&sink_kind_mlflow, &sink_kind_otlp, &sink_kind_otlp_file, &sink_kind_console, &sink_kind_none,
};

static const struct sink_kind *kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

int sink_parse(const char *text, struct sink_spec *ret)
{
	struct slice rest = slice_of(text), kind = slice_cut(&rest, ':');

	if (kind.len >= sizeof(ret->kind) || rest.len >= sizeof(ret->arg))
		return -EINVAL;
	*ret = (struct sink_spec){ 0 };
	memcpy(ret->kind, kind.data, kind.len);
	if (rest.len)
		memcpy(ret->arg, rest.data, rest.len);
	return kind_find(ret->kind) ? 0 : -EINVAL;
}

bool sink_spec_is_spooled(const struct sink_spec *spec)
{
	const struct sink_kind *kind = kind_find(spec->kind);

	return kind && kind->is_spooled;
}

enum sink_family sink_spec_family(const struct sink_spec *spec)
{
	const struct sink_kind *kind = kind_find(spec->kind);

	return kind ? kind->family : SINK_FAMILY_OTLP;
}

int sink_new(const struct sink_spec *spec, const struct sink_env *env, const struct sink_ops *ops, void *user,
	     struct sink **ret, const char **ret_error)
{
	CLEANUP(sink_free) struct sink *sink = calloc(1, sizeof(*sink));
	int r;

	if (!sink)
		return -ENOMEM;
	sink->kind = kind_find(spec->kind);
	if (!sink->kind)
		return -EINVAL;
	sink->env = *env;
	sink->ops = ops;
	sink->user = user;
	sink->batch_limit = LIMIT_FIRST;
	snprintf(sink->name, sizeof(sink->name), "%s", sink->kind->name);
	*ret_error = "no memory";
	r = sink->kind->open ? sink->kind->open(sink, spec->arg, ret_error) : 0;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(sink);
	return 0;
}

struct sink *sink_free(struct sink *sink)
{
	if (!sink)
		return NULL;
	if (sink->kind && sink->kind->close)
		sink->kind->close(sink);
	free(sink);
	return NULL;
}

const char *sink_name(const struct sink *sink)
{
	return sink->name;
}

void sink_want(struct sink *sink, uint64_t waiting, size_t *ret_count, uint64_t *ret_bytes)
{
	sink->waiting = waiting;
	*ret_count = MIN(sink->batch_limit, (size_t)SINK_BATCH_MAX);
	*ret_bytes = SINK_BATCH_BYTES;
}

int sink_send(struct sink *sink, const struct record *records, size_t count)
{
	return sink->kind->send ? sink->kind->send(sink, records, count) : -ENOSYS;
}

int sink_write(struct sink *sink, const struct record *record)
{
	return sink->kind->write ? sink->kind->write(sink, record) : 0;
}

void sink_say(struct sink *sink, bool is_well, const char *format, ...)
{
	char text[sizeof(sink->said)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (is_well == sink->is_well && strcmp(text, sink->said) == 0)
		return;
	sink->is_well = is_well;
	memcpy(sink->said, text, sizeof(text));
	sink->ops->state(sink->user, sink, is_well, text);
}

void sink_limit_grow(struct sink *sink)
{
	sink->batch_limit = MIN(sink->batch_limit * 2, (size_t)SINK_BATCH_MAX);
}

void sink_limit_shrink(struct sink *sink)
{
	sink->batch_limit = MAX(sink->batch_limit / 2, (size_t)1);
}

const struct sink_kind sink_kind_none = { .name = "none", .family = SINK_FAMILY_OTLP };
