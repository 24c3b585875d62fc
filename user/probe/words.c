/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of bytes share places of the table: a clash only makes a step shorter than it could be. */
#include "probe/words.h"
#include "base/cleanup.h"

enum { SKIP_MAX = 255 };

static size_t pair_of(const char *at)
{
	return ((size_t)(unsigned char)at[0] ^ (size_t)(unsigned char)at[1] << 4) & (WORDS_TABLE - 1);
}

void words_prepare(struct words *words, const struct slice *list, size_t count)
{
	*words = (struct words){ .list = list, .count = count, .shortest = SKIP_MAX };
	for (size_t i = 0; i < count; i++)
		words->shortest = MIN(words->shortest, list[i].len);
	memset(words->skips, (int)words->shortest - 1, sizeof(words->skips));
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at + 2 <= words->shortest; at++) {
			uint8_t *skip = &words->skips[pair_of(list[i].data + at)];

			*skip = (uint8_t)MIN((size_t)*skip, words->shortest - 2 - at);
		}
}

ptrdiff_t words_find(const struct words *words, struct slice text, size_t from, size_t *ret_which)
{
	const char *data = text.data;

	for (size_t end = from + words->shortest; end <= text.len;) {
		size_t start = end - words->shortest, skip = words->skips[pair_of(data + end - 2)];

		end += skip ? skip : 1;
		for (size_t i = 0; !skip && i < words->count; i++)
			if (slice_starts(slice_from(text, start), words->list[i])) {
				*ret_which = i;
				return (ptrdiff_t)start;
			}
	}
	return -1;
}
