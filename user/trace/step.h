/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of what a provider did on its side while it answered: below the call's span, made from the answer alone. */
#pragma once
#include "trace/span.h"

/* A list in the order of call->steps, NULL when there are none; ids and parents are the caller's. A step whose time the
 * stream did not tell has none of its own: it stands, without length, where the answer began. 0 or -ENOMEM. */
int step_spans_make(const struct span_source *source, struct arena *arena, bool keeps, struct span **ret);
