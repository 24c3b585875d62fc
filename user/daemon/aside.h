/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aside: long texts of calls that are going on lie in files, and go back into their records (model/aside.h). One file for
 * each call, which has no name: its space is free when the call ends, and when the process ends in any way.
 *
 *	text = aside_text_new(&id, slice)	by any thread
 *	aside_store_add(store, call, text)
 *	aside_fill(store, body, …)		marks in a record become texts
 *	aside_store_end(store, call)
 *
 * A text that no file takes (a full disk, too many calls, too many files) stays in memory until its call ends: nothing that
 * was accepted is lost, and the one who gives texts hears from the memory they take that it is enough.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "model/aside.h"

struct aside_store;

enum { ASIDE_FILES_MAX = 256 };

struct aside_store_opts {
	struct alloc *alloc;
	const char *dir; /* of the files; outlives the store */
	uint64_t bytes_max;
};

struct aside_text {
	struct aside_text *next;           /* of its call */
	struct aside_text *before, *after; /* of the same id, in other calls */
	struct aside_name *name;
	struct aside_call *call;
	struct aside_id id;
	size_t len;
	uint64_t at; /* in the call's file */
	bool is_in_memory;
	bool is_lost;
	char data[]; /* while it is in memory */
};

/* A copy, malloc'ed; freed with free() while no store has it. NULL: no memory. */
struct aside_text *aside_text_new(const struct aside_id *id, struct slice text);
/* What a text takes while it is in memory. */
static inline size_t aside_text_bytes(size_t len)
{
	return sizeof(struct aside_text) + len;
}

/* Whether files can be made in @dir: 0 or negative errno. */
int aside_dir_check(const char *dir);
int aside_store_new(const struct aside_store_opts *opts, struct aside_store **ret);
struct aside_store *aside_store_free(struct aside_store *store);
DEFINE_CLEANUP(struct aside_store *, aside_store_free)

/* Takes @text. 0: it takes no memory any more (written, or the call has it already). 1: it stays in memory. -ENOMEM: it was
 * not taken. */
int aside_store_add(struct aside_store *store, uint64_t call, struct aside_text *text);
/* Frees the call's texts. Returns how much memory they took, by aside_text_bytes(). */
size_t aside_store_end(struct aside_store *store, uint64_t call);
/* NULL: no call has such a text. */
struct aside_text *aside_store_find(struct aside_store *store, const struct aside_id *id);
/* @len bytes of @text from @at on. 0, or -EIO: then the text is lost, for good. */
int aside_store_read(struct aside_store *store, struct aside_text *text, size_t at, char *ret, size_t len);
bool aside_store_is_empty(const struct aside_store *store);
/* In files. */
uint64_t aside_store_bytes(const struct aside_store *store);
struct alloc *aside_store_alloc(const struct aside_store *store);

/* ---- aside_fill.c ---- */
enum { ASIDE_FILL_MAX = 256 << 20 }; /* what one record may grow by; sinks take no larger ones */

/*
 * Puts texts back where their marks stand in a record's @body (ResourceSpans). 0: there are none. 1: *ret is a block of the
 * store's alloc: @head bytes for the caller, then *ret_len bytes of the new body. Marks that no call has stay as they are: they are
 * somebody's text. A text that cannot be read any more is told in its place, and its span is not complete.
 * -ENOMEM; -EBADMSG: @body is no such message.
 */
int aside_fill(struct aside_store *store, struct slice body, size_t head, void **ret, size_t *ret_len);
