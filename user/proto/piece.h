/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rooms' alloc in the clothes that foreign libraries expect: they give memory back without its length, so a header before
 * each piece keeps it. @alloc is a struct alloc.
 */
#pragma once
#include "base/alloc.h"
#include <string.h>

enum { PIECE_HEADER = 16 };

static inline void *piece_resize(void *alloc, void *pointer, size_t len)
{
	char *old = pointer ? (char *)pointer - PIECE_HEADER : NULL, *piece;
	size_t old_len = 0;

	if (old)
		memcpy(&old_len, old, sizeof(old_len));
	if (len > SIZE_MAX - PIECE_HEADER)
		return NULL;
	piece = ((struct alloc *)alloc)
			->resize((struct alloc *)alloc, old, old ? old_len + PIECE_HEADER : 0, len + PIECE_HEADER);
	if (!piece)
		return NULL;
	memcpy(piece, &len, sizeof(len));
	return piece + PIECE_HEADER;
}

static inline void *piece_get(void *alloc, size_t len)
{
	char *piece = len > SIZE_MAX - PIECE_HEADER ? NULL : alloc_get((struct alloc *)alloc, len + PIECE_HEADER);

	if (!piece)
		return NULL;
	memcpy(piece, &len, sizeof(len));
	return piece + PIECE_HEADER;
}

static inline void piece_put(void *alloc, void *pointer)
{
	char *piece = (char *)pointer;
	size_t len;

	if (!piece)
		return;
	piece -= PIECE_HEADER;
	memcpy(&len, piece, sizeof(len));
	alloc_put((struct alloc *)alloc, piece, len + PIECE_HEADER);
}
