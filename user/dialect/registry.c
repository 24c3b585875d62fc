/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry is a section of the program: DIALECT() puts a pointer there, the linker gathers them. What the linker's
 * order is must not matter, so every question is answered by (order, name).
 */
#include "dialect/dialect.h"

extern const struct dialect *const __start_dialects[], *const __stop_dialects[];

static int before(const struct dialect *a, const struct dialect *b)
{
	return a->order != b->order ? a->order - b->order : strcmp(a->name, b->name);
}

const struct dialect *dialect_at(size_t index)
{
	for (const struct dialect *const *at = __start_dialects; at < __stop_dialects; at++) {
		size_t smaller = 0;

		for (const struct dialect *const *other = __start_dialects; other < __stop_dialects; other++)
			smaller += before(*other, *at) < 0;
		if (smaller == index)
			return *at;
	}
	return NULL;
}

const struct dialect *dialect_by_name(struct slice name)
{
	for (const struct dialect *const *at = __start_dialects; at < __stop_dialects; at++)
		if (slice_equal(slice_of((*at)->name), name))
			return *at;
	return NULL;
}

const struct dialect *dialect_find(const struct dialect_hint *hint, unsigned *ret_score)
{
	const struct dialect *best = NULL;

	*ret_score = 0;
	for (const struct dialect *const *at = __start_dialects; at < __stop_dialects; at++) {
		unsigned score = (*at)->recognise(hint);

		if (score > *ret_score || (score && score == *ret_score && before(*at, best) < 0)) {
			*ret_score = score;
			best = *at;
		}
	}
	return best;
}
