/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, one code point at a time. Format: RFC 3629 (no surrogates, no overlong forms, nothing above U+10FFFF). */
#pragma once
#include "slice.h"

#define UTF8_REPLACEMENT SLICE("\xef\xbf\xbd")

/* Length in bytes of the well-formed sequence at the start of @s (s.len > 0), or 0 when it is none. */
size_t utf8_length(struct slice s);
/* Writes 1 to 4 bytes; @code is no surrogate and at most 0x10ffff. Returns their number. */
size_t utf8_encode(uint32_t code, char ret[4]);
/* At most @max code points of @s, cut between code points. */
struct slice utf8_head(struct slice s, size_t max);
