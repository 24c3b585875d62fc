/* SPDX-License-Identifier: Apache-2.0 */
/* Ids from what never comes again: node, boot, sequence, span number. A repeat of the same input is an upsert. */
#pragma once
#include "model/span.h"

struct id_seed {
	uint64_t node_key[2];
	uint64_t boot;
	uint64_t sequence; /* of the trace's first call */
};

void id_trace(const struct id_seed *seed, uint8_t ret[16]);
void id_span(const struct id_seed *seed, uint64_t number, uint8_t ret[8]);
