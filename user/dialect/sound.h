/* SPDX-License-Identifier: Apache-2.0 */
/* Sound in messages of sessions: it is heard once and kept nowhere; its length stays. */
#pragma once
#include "dialect/parts.h"

/* Bytes of sound in a base64 string. */
static inline uint64_t sound_bytes(struct slice value)
{
	return json_raw_text(value).len / 4 * 3;
}

/* A message of the user's that was sound: what @type it was, and its length, a number as it is written. */
void sound_message(struct parts *parts, const char *type, struct slice bytes);

/* @json with the sound in it replaced by a word on its length: each long string that is the value of one of @names. Itself,
 * where there is none; SLICE_NONE when memory ran out. */
struct slice sound_strip(struct call *call, struct slice json, const struct slice *names, size_t count);
