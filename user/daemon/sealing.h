/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealing: where the pipeline's content leaves it, through policy and only where the filters want its process: a trace as a
 * record, and a long text of a request that is still going on, ahead of its record (model/aside.h).
 */
#pragma once
#include "daemon/wanted.h"
#include "model/span.h"

struct policy;

enum { SECRET_LEN = 32 };

struct sealing {
	struct alloc *alloc;
	struct wanted *wanted;
	const struct pipeline_ops *ops;
	void *user; /* of ops */
	struct pipeline_stats *stats;
	uint8_t secret[SECRET_LEN]; /* key of the fingerprints, and of the marks */
	struct policy *policy;
};

/* All but the policy is set. @host: of the records. 0 or negative errno. */
int sealing_init(struct sealing *sealing, struct slice host);
void sealing_clear(struct sealing *sealing);
/* false: the text stays where it is. */
bool sealing_text(struct sealing *sealing, const struct conn_info *conn, const struct call *call, struct slice text,
		  struct aside_id *ret);
/* Of a call that will be in no record. */
void sealing_texts_end(struct sealing *sealing, uint64_t call);
void sealing_trace(struct sealing *sealing, const struct trace *trace, uint64_t sequence);
