/* SPDX-License-Identifier: Apache-2.0 */
/* What Cohere's own formats share: usage in billed units, a message of its chats, the id of an answer. */
#pragma once
#include "dialect/openai.h"

/* @usage: the object that holds billed_units and tokens: `usage` of the second API, `meta` of the first. */
void cohere_usage_read(struct call *call, struct slice usage);
/* The first of the names that @answer has as text. */
struct slice cohere_first_text(struct call *call, struct slice answer, const struct slice *names, size_t count);
