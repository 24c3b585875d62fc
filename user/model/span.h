/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span and its trace, before sealing. Values are text, numbers or text lists; JSON travels as text. The names say which
 * back end a value is for: "mlflow." only MLflow, the conversation in gen_ai.* only others, all else everyone.
 */
#pragma once
#include "base/arena.h"
#include "model/process.h"

enum value_type { VALUE_TEXT, VALUE_INT, VALUE_DOUBLE, VALUE_BOOL, VALUE_TEXTS };

struct value {
	enum value_type type;
	union {
		struct slice text;
		int64_t integer;
		double number;
		bool truth;
		struct {
			const struct slice *list;
			size_t count;
		} texts;
	};
};

struct attribute {
	struct slice name;
	struct value value;
	struct attribute *next;
};

struct span_event {
	struct slice name;
	uint64_t time_unix_ns;
	struct attribute *attributes;
	struct span_event *next;
};

struct span_link {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	struct span_link *next;
};

enum span_status { SPAN_OK, SPAN_ERROR };
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 }; /* OTLP's numbers */

struct span {
	uint8_t id[8];
	uint8_t parent_id[8]; /* zero: root */
	struct slice name;
	enum span_kind kind;
	uint64_t start_unix_ns, end_unix_ns;
	enum span_status status;
	struct slice status_message;
	struct attribute *attributes, **attributes_tail;
	struct span_event *events, **events_tail;
	struct span_link *links;
	uint64_t aside; /* as call->aside */
	struct span *next;
};

/* One trace, whole: the root first. */
struct trace {
	uint8_t id[16];
	struct arena *arena;
	struct span *spans, **spans_tail;
	size_t span_count;
	struct attribute *resource;  /* service.name, host.name, container.id */
	struct slice credential;     /* secret: policy turns it into a fingerprint */
	const struct origin *origin; /* or NULL; dead after the callback */
};
