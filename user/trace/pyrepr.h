/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as Python's repr() shows the object that json.loads() makes of it: the text of the SDKs' exceptions. */
#pragma once
#include "base/json.h"

/* Appends to @out. @value must be JSON that json_check() accepted: its depth bounds the recursion. */
void pyrepr_put(struct buf *out, struct slice value);
