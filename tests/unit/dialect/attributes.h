/* SPDX-License-Identifier: Apache-2.0 */
/* What a dialect put on a call. */
#pragma once
#include "base/slice.h"
#include "model/call.h"

static inline const struct attribute *attribute_of(const struct call *call, const char *name)
{
	for (const struct attribute *attribute = call->attributes; attribute; attribute = attribute->next)
		if (slice_equal(attribute->name, slice_of(name)))
			return attribute;
	return NULL;
}

static inline struct slice attribute_text(const struct call *call, const char *name)
{
	const struct attribute *found = attribute_of(call, name);

	return found ? found->value.text : SLICE_NONE;
}

/* -1 when it is not there. */
static inline int64_t attribute_count(const struct call *call, const char *name)
{
	const struct attribute *found = attribute_of(call, name);

	return found ? found->value.integer : -1;
}
