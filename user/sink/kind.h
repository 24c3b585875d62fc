/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of sink is made of, and what the kinds share. */
#pragma once
#include "base/arena.h"
#include "model/otlp.pb-c.h"
#include "sink/sink.h"

struct sink_kind {
	const char *name;
	enum sink_family family;
	bool is_spooled;
	/* Fills sink->name and sink->own. -EINVAL with *ret_error: what to do. */
	int (*open)(struct sink *sink, const char *arg, const char **ret_error);
	void (*close)(struct sink *sink); /* also after a failed open */
	int (*send)(struct sink *sink, const struct record *records, size_t count);
	int (*write)(struct sink *sink, const struct record *record);
};

extern const struct sink_kind sink_kind_mlflow, sink_kind_otlp, sink_kind_otlp_file, sink_kind_console, sink_kind_none;

enum { SINK_BATCH_MAX = 200, SINK_BATCH_BYTES = 8 << 20, SINK_ARENA_MAX = 512 << 20 };

struct sink {
	const struct sink_kind *kind;
	struct sink_env env;
	const struct sink_ops *ops;
	void *user;
	void *own; /* of the kind */
	char name[1200];
	char said[512]; /* last state text */
	bool is_well;
	uint64_t waiting;   /* as sink_want() was told last */
	size_t batch_limit; /* grows with success, shrinks with refusals of size or time */
};

/* Tells a new state once. */
void sink_say(struct sink *sink, bool is_well, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* After a success; after a request that was too much. */
void sink_limit_grow(struct sink *sink);
void sink_limit_shrink(struct sink *sink);

/* ---- convert.c ---- */
/* The record's body as a tree in @arena, without what is not for @family; spans renamed for OTLP. -EBADMSG, -ENOMEM. */
int convert_record(const struct record *record, enum sink_family family, struct arena *arena,
		   Otlp__ResourceSpans **ret);
/* One export request of all records: packed, malloc'ed. Which records: @wanted (count booleans), or NULL for all. */
int convert_request(const struct record *records, const bool *wanted, size_t count, enum sink_family family, char **ret,
		    size_t *ret_len);
void hex_put(const uint8_t *bytes, size_t len, char *ret); /* lower case, NUL at the end */
/* The span without parent, else the first; NULL when there is none. */
const Otlp__Span *span_root(const Otlp__ResourceSpans *spans);
/* NULL when absent. */
const Otlp__AnyValue *attribute_find(Otlp__KeyValue *const *list, size_t count, const char *name);
/* Of a string; behind it stands a NUL. */
struct slice value_text(const Otlp__AnyValue *value);
/* Text of a string attribute, or "". */
const char *attribute_text(Otlp__KeyValue *const *list, size_t count, const char *name);
/* false when absent or no integer. */
bool attribute_int(Otlp__KeyValue *const *list, size_t count, const char *name, int64_t *ret);

/* ---- url.c ---- */
/* "http(s)://host…" without credentials and the '/' at the end. false when it is no such URL. */
bool url_public(const char *url, char *ret, size_t size);
/* Only scheme and authority, credentials kept: what stands before the path. */
void url_root(const char *url, char *ret, size_t size);
bool url_has_path(const char *url);
void url_escape(struct slice text, char *ret, size_t size);

/* ---- otlp_json.c ---- */
struct buf;
/* An ExportTraceServiceRequest of one ResourceSpans in OTLP's JSON: hex ids, camelCase, 64-bit integers as text. No line end. */
void otlp_json_put(struct buf *out, const Otlp__ResourceSpans *spans);
