/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "cost/cost.h"

/* The prices of the file at @path; of the one that is built in when @path is NULL or its file is of no use, which is said.
 * NULL: no memory. To be freed by the caller. */
struct cost_table *prices_load(const char *path);
