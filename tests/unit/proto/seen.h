/* SPDX-License-Identifier: Apache-2.0 */
/* What a frame told, as text: [type|data] for each part, (lost n) for bytes that became none. */
#pragma once
#include "base/cleanup.h"
#include "proto/frame.h"
#include "unit/support.h"
#include <stdio.h>

struct seen {
	char text[2048];
	size_t len;
};

static inline void seen_part(void *user, const struct message_part *part)
{
	struct seen *seen = user;

	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, "[%.*s|%.*s]",
				      SLICE_FMT(part->type), SLICE_FMT(part->data));
}

static inline void seen_lost(void *user, size_t len)
{
	struct seen *seen = user;

	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, "(lost %zu)", len);
}
