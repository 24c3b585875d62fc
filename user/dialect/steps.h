/* SPDX-License-Identifier: Apache-2.0 */
/* steps: what a provider did on its side while it answered, as its answer tells: searches, code, calls of MCP servers. */
#pragma once
#include "dialect/common.h"

/* Output items of Responses. */
void steps_from_items(struct call *call, struct slice items);
/* Content blocks of Anthropic's messages. */
void steps_from_blocks(struct call *call, struct slice blocks);
/* When the stream told that the step @id began and ended; 0: not told. @id: a JSON string. */
void steps_time(struct call *call, struct slice id, uint64_t start_ns, uint64_t end_ns);
