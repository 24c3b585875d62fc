/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record carries what every back end wants; the name alone says for whom a value is. The conversation travels
 * twice, in MLflow's shape and in OpenTelemetry's, and each sink takes one of them.
 */
#include "model/record.h"
#include "base/cleanup.h"

static const struct slice otlp_only[] = {
	SLICE("gen_ai.input.messages"),
	SLICE("gen_ai.output.messages"),
	SLICE("gen_ai.system_instructions"),
	SLICE("gen_ai.tool.definitions"),
};

/* Every convention puts a name space before a dot. A name without one is an argument of the request under its own name,
 * as MLflow's autolog records it. */
static bool is_mlflow_only(struct slice name)
{
	return slice_starts(name, SLICE("mlflow.")) || !slice_contains(name, SLICE("."));
}

bool record_attribute_is_for(struct slice name, enum sink_family family)
{
	if (family == SINK_FAMILY_OTLP)
		return !is_mlflow_only(name);
	for (size_t i = 0; i < ARRAY_SIZE(otlp_only); i++)
		if (slice_equal(name, otlp_only[i]))
			return false;
	return true;
}

/* Chunks of a stream are MLflow's own invention. */
bool record_event_is_for(struct slice name, enum sink_family family)
{
	return family == SINK_FAMILY_MLFLOW || !slice_starts(name, SLICE("mlflow."));
}
