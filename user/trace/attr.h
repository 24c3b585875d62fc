/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling a span. Each put_…() appends one attribute, or nothing where there is no value, so the sections read as a
 * list of what a span has. A refusal of memory is kept in `failed`; the one who began the span looks at its end.
 */
#pragma once
#include "model/call.h"
#include "model/span.h"
#include "trace/semconv.h"

struct maker {
	struct arena *arena;
	struct alloc *scratch; /* for texts while they are written */
	bool keeps;            /* the values die before the span: copy them */
	bool failed;
	struct span *span;
	enum semconv semconv;
	enum call_operation operation; /* of the call that the span tells */
};

/* Memory of the span's arena, zeroed; NULL sets failed. */
void *make_room(struct maker *maker, size_t len);
/* @text as the span may hold it: itself, or a copy. */
struct slice make_keep(struct maker *maker, struct slice text);
/* A copy of what was written into @buf, which is freed. SLICE_NONE (and failed) when either ran out of memory. */
struct slice make_from_buf(struct maker *maker, struct buf *buf);

void put_value(struct maker *maker, struct slice name, struct value value);
void put_text(struct maker *maker, const char *name, struct slice text); /* not when empty */
void put_int(struct maker *maker, const char *name, int64_t value);
void put_told(struct maker *maker, const char *name, int64_t value); /* not when negative: not told */
void put_double(struct maker *maker, const char *name, double value);
void put_bool(struct maker *maker, const char *name, bool value);
void put_texts(struct maker *maker, const char *name, const struct slice *list, size_t count); /* not when empty */

/* Copies of a call's own attributes. */
void put_attributes(struct maker *maker, const struct attribute *attributes);

/* An event with text attributes. */
void put_event(struct maker *maker, struct slice name, uint64_t time_unix_ns, const struct name_value *attributes,
	       size_t count);
