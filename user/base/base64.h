/* SPDX-License-Identifier: Apache-2.0 */
/* base64 (RFC 4648, section 4) undone. */
#pragma once
#include "slice.h"

/* Decoded into @out, which has room for three bytes for each four of @text and may be @text's own memory, or is NULL;
 * SLICE_NONE when it is none. */
struct slice base64_decode_to(char *out, struct slice text);
