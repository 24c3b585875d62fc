/* SPDX-License-Identifier: Apache-2.0 */
/* Does a process pass the filters of the command line? */
#pragma once
#include "meta/meta.h"

/* Some filter given. */
bool filter_is_any(const struct meta_filters *filters);
/* Text of @origin must have a NUL behind it. */
bool filter_selects(const struct meta_filters *filters, const struct origin *origin);
