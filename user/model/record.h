/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only thing that leaves the pipeline: one trace, redacted, cleaned and sealed by policy_seal(). Its body is one
 * OTLP ResourceSpans message (user/model/otlp.proto) that carries the attributes of all back ends; a sink leaves out
 * what is not for it (record_attribute_is_for()).
 */
#pragma once
#include "base/slice.h"

struct record {
	uint8_t trace_id[16];
	uint64_t sequence; /* of this node and boot; the ids derive from it, so a repeat is the same trace */
	uint64_t created_unix_ns;
	uint32_t span_count;
	struct slice body; /* ResourceSpans, protobuf */
};

enum sink_family { SINK_FAMILY_MLFLOW, SINK_FAMILY_OTLP };

/* Whether an attribute of this name goes to sinks of @family. */
bool record_attribute_is_for(struct slice name, enum sink_family family);
/* The same for span events: those named mlflow.* only MLFLOW. */
bool record_event_is_for(struct slice name, enum sink_family family);
