/* SPDX-License-Identifier: Apache-2.0 */
/* steps: what a provider did on its side while it answered, as its answer tells: searches, code, calls of MCP servers. */
#pragma once
#include "dialect/common.h"

/* Output items of Responses. */
void steps_from_items(struct call *call, struct slice items);
/* Content blocks of Anthropic's messages. */
void steps_from_blocks(struct call *call, struct slice blocks);
