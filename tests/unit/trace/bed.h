/* SPDX-License-Identifier: Apache-2.0 */
/* An assembler on a test bed: what it gives is written down, what it asks is answered, its memory can be made to fail. */
#pragma once
#include "base/cleanup.h"
#include "trace/trace.h"
#include "unit/trace/sample.h"
#include "unit/trace/written.h"

struct bed {
	struct fail_alloc heap;       /* the assembler's */
	struct alloc_heap notes_heap; /* ours */
	struct buf notes;
	size_t traces, spans, lost;
	uint64_t last_sequence;
	const struct origin *origin;
	struct trace_assembler *assembler;
};

static const struct origin *bed_origin(void *user, struct process_id process)
{
	struct bed *bed = user;

	return bed->origin && bed->origin->id.pid == process.pid ? bed->origin : NULL;
}

static void bed_done(void *user, struct trace *trace, uint64_t sequence)
{
	struct bed *bed = user;
	size_t count = 0;

	buf_put(&bed->notes, SLICE("trace "));
	write_hex(&bed->notes, trace->id, 16);
	buf_put(&bed->notes, SLICE("\n"));
	buf_put(&bed->notes, SLICE("credential="));
	buf_put(&bed->notes, trace->credential);
	buf_put(&bed->notes, SLICE("\n"));
	write_attributes(&bed->notes, "resource ", trace->resource);
	for (const struct span *span = trace->spans; span; span = span->next, count++)
		write_span(&bed->notes, span);
	assert_int_equal(count, trace->span_count);
	bed->traces++;
	bed->spans += count;
	bed->last_sequence = sequence;
}

static void bed_lost(void *user, uint64_t calls)
{
	((struct bed *)user)->lost += calls;
}

static const struct trace_ops bed_ops __attribute__((unused)) = {
	.origin = bed_origin,
	.done = bed_done,
	.lost = bed_lost,
};

static inline struct trace_opts bed_opts(struct bed *bed)
{
	return (struct trace_opts){
		.alloc = &bed->heap.alloc,
		.node_key = { 11, 22 },
		.boot = 3,
		.unix_offset_ns = 1000 * (int64_t)SECOND,
		.hold_ns = 12 * SECOND,
		.held_max = 64,
		.chunk_events_max = 128,
		.wants_mlflow = true,
		.wants_otlp = true,
		.host_name = SLICE("box"),
	};
}

static inline void bed_init_as(struct bed *bed, enum semconv semconv)
{
	struct trace_opts opts;

	*bed = (struct bed){
		.heap = FAIL_ALLOC(0),
		.notes_heap = ALLOC_HEAP(64 << 20),
	};
	bed->notes = BUF(&bed->notes_heap.alloc, 64 << 20);
	opts = bed_opts(bed);
	opts.semconv = semconv;
	assert_int_equal(trace_assembler_new(&opts, &bed_ops, bed, &bed->assembler), 0);
}

static inline void bed_init(struct bed *bed)
{
	bed_init_as(bed, SEMCONV_V1_41);
}

static inline void bed_free(struct bed *bed)
{
	trace_assembler_free(bed->assembler);
	buf_free(&bed->notes);
	assert_int_equal(bed->heap.used, 0);
}

/* The line "name=value" is there; lines are whole, so a longer value does not do. */
static inline bool bed_says(const struct bed *bed, const char *line)
{
	struct slice rest = buf_slice(&bed->notes);

	while (rest.len)
		if (slice_equal(slice_cut(&rest, '\n'), slice_of(line)))
			return true;
	return false;
}

static inline size_t bed_count(const struct bed *bed, const char *part)
{
	struct slice rest = buf_slice(&bed->notes);
	size_t count = 0;
	ptrdiff_t at;

	while ((at = slice_find(rest, slice_of(part))) >= 0) {
		rest = slice_from(rest, (size_t)at + strlen(part));
		count++;
	}
	return count;
}

#define assert_says(bed, line)                                                                                         \
	do {                                                                                                           \
		if (!bed_says((bed), (line)))                                                                          \
			fail_msg("no line '%s' in:\n%.*s", (line), SLICE_FMT(buf_slice(&(bed)->notes)));               \
	} while (0)
#define assert_not_said(bed, part)                                                                                     \
	do {                                                                                                           \
		if (bed_count((bed), (part)))                                                                          \
			fail_msg("'%s' in:\n%.*s", (part), SLICE_FMT(buf_slice(&(bed)->notes)));                       \
	} while (0)
