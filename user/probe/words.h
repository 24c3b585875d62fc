/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many words looked for in one walk over a text. The end of a window tells how far the next word can be, so most bytes are never
 * looked at (Wu and Manber's way): hundreds of megabytes cost what reading them costs.
 */
#pragma once
#include "base/slice.h"

enum { WORDS_TABLE = 4096 };

struct words {
	const struct slice *list;
	size_t count;
	size_t shortest;
	uint8_t skips[WORDS_TABLE]; /* by the last two bytes of the window */
};

/* @list stays the caller's and must live as long; no word may be shorter than two bytes. */
void words_prepare(struct words *words, const struct slice *list, size_t count);

/* Offset of the first word in @text at @from or behind, and which one; -1: none. Of several there the first of the list. */
ptrdiff_t words_find(const struct words *words, struct slice text, size_t from, size_t *ret_which);
