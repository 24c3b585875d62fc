/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two indexes over one set of texts: by call, to forget them together; by id, to find them for a record, which does not say of
 * which call it is. Calls that have the same text have it each in their own file, so no end of a call hurts another.
 *
 *	call ──▶ text ──▶ text ──▶ …		a file each
 *	           │ ▲
 *	           ▼ │
 *	name ──▶ text (of one call) ⇄ text (of another)
 */
#include "daemon/aside.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Hash nodes come from the store's own alloc: every function that adds or removes has the store at hand. */
#define HASH_NONFATAL_OOM         1
#define uthash_malloc(size)       alloc_get(store->opts.alloc, (size))
#define uthash_free(pointer, len) alloc_put(store->opts.alloc, (pointer), (len))
#define uthash_nonfatal_oom(item) ((item)->is_unhashed = true)
#include <uthash.h>
#include <utlist.h>

struct aside_name {
	UT_hash_handle hh;
	struct aside_id id;
	struct aside_text *texts; /* never empty */
	bool is_unhashed;
};

struct aside_call {
	UT_hash_handle hh;
	uint64_t id;
	int fd; /* -1: no file */
	uint64_t bytes;
	struct aside_text *texts;
	bool is_unhashed;
};

struct aside_store {
	struct aside_store_opts opts;
	struct aside_call *calls;
	struct aside_name *names;
	size_t file_count;
	uint64_t bytes;  /* in all files */
	bool is_refused; /* by files; told */
	bool is_lossy;   /* told */
};

/* ---- files ---- */

/* Nothing is synced: what lies aside is of no use to the next start. */
static int file_new(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char path[4096];

	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR &&
	    errno != EINVAL) /* what file systems and kernels without it say */
		return -errno;
	if ((size_t)snprintf(path, sizeof(path), "%s/spantap-aside-XXXXXX", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

int aside_dir_check(const char *dir)
{
	int fd = file_new(dir);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int file_write(int fd, uint64_t at, struct slice text)
{
	while (text.len) {
		ssize_t n = pwrite(fd, text.data, text.len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += (uint64_t)n;
		text = slice_from(text, (size_t)n);
	}
	return 0;
}

/* ---- the store ---- */

int aside_store_new(const struct aside_store_opts *opts, struct aside_store **ret)
{
	struct aside_store *store = alloc_get(opts->alloc, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->opts = *opts;
	*ret = store;
	return 0;
}

static void call_free(struct aside_store *store, struct aside_call *call)
{
	HASH_DEL(store->calls, call);
	if (call->fd >= 0) {
		close(call->fd);
		store->file_count--;
	}
	store->bytes -= call->bytes;
	alloc_put(store->opts.alloc, call, sizeof(*call));
}

static void text_free(struct aside_store *store, struct aside_text *text)
{
	struct aside_name *name = text->name;

	DL_DELETE2(name->texts, text, before, after);
	if (!name->texts) {
		HASH_DEL(store->names, name);
		alloc_put(store->opts.alloc, name, sizeof(*name));
	}
	free(text);
}

static size_t texts_free(struct aside_store *store, struct aside_call *call)
{
	size_t bytes = 0;

	while (call->texts) {
		struct aside_text *text = call->texts;

		call->texts = text->next;
		bytes += text->is_in_memory ? aside_text_bytes(text->len) : 0;
		text_free(store, text);
	}
	return bytes;
}

struct aside_store *aside_store_free(struct aside_store *store)
{
	struct aside_call *call, *next;

	if (!store)
		return NULL;
	HASH_ITER(hh, store->calls, call, next) {
		texts_free(store, call);
		call_free(store, call);
	}
	alloc_put(store->opts.alloc, store, sizeof(*store));
	return NULL;
}

static struct aside_call *call_find(struct aside_store *store, uint64_t id)
{
	struct aside_call *call;

	HASH_FIND(hh, store->calls, &id, sizeof(id), call);
	return call;
}

static struct aside_call *call_get(struct aside_store *store, uint64_t id)
{
	struct aside_call *call = call_find(store, id);

	if (call)
		return call;
	call = alloc_get(store->opts.alloc, sizeof(*call));
	if (!call)
		return NULL;
	call->id = id;
	call->fd = -1;
	HASH_ADD(hh, store->calls, id, sizeof(call->id), call);
	if (!call->is_unhashed)
		return call;
	alloc_put(store->opts.alloc, call, sizeof(*call));
	return NULL;
}

static struct aside_name *name_find(struct aside_store *store, const struct aside_id *id)
{
	struct aside_name *name;

	HASH_FIND(hh, store->names, id, sizeof(*id), name);
	return name;
}

static struct aside_name *name_get(struct aside_store *store, const struct aside_id *id)
{
	struct aside_name *name = name_find(store, id);

	if (name)
		return name;
	name = alloc_get(store->opts.alloc, sizeof(*name));
	if (!name)
		return NULL;
	name->id = *id;
	HASH_ADD(hh, store->names, id, sizeof(name->id), name);
	if (!name->is_unhashed)
		return name;
	alloc_put(store->opts.alloc, name, sizeof(*name));
	return NULL;
}

struct aside_text *aside_store_find(struct aside_store *store, const struct aside_id *id)
{
	struct aside_name *name = name_find(store, id);

	return name ? name->texts : NULL;
}

/* The file ends early, or the disk does not give it back. */
static int text_lose(struct aside_store *store, struct aside_text *text, int error)
{
	if (!store->is_lossy)
		log_warn(error, "cannot read back a text of a long request from '%s', going on without it",
			 store->opts.dir);
	store->is_lossy = true;
	text->is_lost = true;
	return -EIO;
}

int aside_store_read(struct aside_store *store, struct aside_text *text, size_t at, char *ret, size_t len)
{
	if (text->is_in_memory) {
		memcpy(ret, text->data + at, len);
		return 0;
	}
	if (text->is_lost)
		return -EIO;
	while (len) {
		ssize_t n = pread(text->call->fd, ret, len, (off_t)(text->at + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return text_lose(store, text, n < 0 ? -errno : -EIO);
		at += (size_t)n;
		ret += n;
		len -= (size_t)n;
	}
	return 0;
}

bool aside_store_is_empty(const struct aside_store *store)
{
	return !store->names;
}

uint64_t aside_store_bytes(const struct aside_store *store)
{
	return store->bytes;
}

struct alloc *aside_store_alloc(const struct aside_store *store)
{
	return store->opts.alloc;
}

/* ---- texts ---- */

struct aside_text *aside_text_new(const struct aside_id *id, struct slice text)
{
	struct aside_text *made = malloc(aside_text_bytes(text.len));

	if (!made)
		return NULL;
	*made = (struct aside_text){ .id = *id, .len = text.len, .is_in_memory = true };
	if (text.len)
		memcpy(made->data, text.data, text.len);
	return made;
}

static int call_open(struct aside_store *store, struct aside_call *call)
{
	int r;

	if (call->fd >= 0)
		return 0;
	r = file_new(store->opts.dir);
	if (r < 0)
		return r;
	call->fd = r;
	store->file_count++;
	return 0;
}

static int text_write(struct aside_store *store, struct aside_call *call, struct aside_text *text)
{
	int r = call_open(store, call);

	r = r < 0 ? r : file_write(call->fd, call->bytes, (struct slice){ text->data, text->len });
	if (r < 0) {
		/* What was written of it would take room that others could have. */
		if (call->fd >= 0 && ftruncate(call->fd, (off_t)call->bytes) < 0)
			log_debug("cannot take back a part of a text");
		return r;
	}
	text->at = call->bytes;
	call->bytes += text->len;
	store->bytes += text->len;
	text->is_in_memory = false;
	return 0;
}

static bool has_room(const struct aside_store *store, const struct aside_call *call, size_t len)
{
	uint64_t max = store->opts.bytes_max;

	return len <= max && store->bytes <= max - len && (call->fd >= 0 || store->file_count < ASIDE_FILES_MAX);
}

/* To its file, if any takes it. Returns where it is then: memory that is not needed was given back. Limits are no news. */
static struct aside_text *text_settle(struct aside_store *store, struct aside_call *call, struct aside_text *text)
{
	int r;

	if (!has_room(store, call, text->len))
		return text;
	r = text_write(store, call, text);
	if (r < 0 && !store->is_refused)
		log_warn(
			r,
			"cannot write texts of long requests to files in '%s', keeping them in memory while there is room",
			store->opts.dir);
	else if (r == 0 && store->is_refused)
		log_info("files in '%s' take texts of long requests again", store->opts.dir);
	store->is_refused = r < 0;
	return r < 0 ? text : realloc(text, sizeof(*text)) ?: text;
}

int aside_store_add(struct aside_store *store, uint64_t id, struct aside_text *text)
{
	struct aside_call *call = call_get(store, id);
	struct aside_name *name = call ? name_get(store, &text->id) : NULL;

	if (!name) {
		if (call && !call->texts)
			call_free(store, call);
		return -ENOMEM;
	}
	for (struct aside_text *same = name->texts; same; same = same->after) {
		if (same->call != call)
			continue;
		free(text);
		return 0;
	}
	text = text_settle(store, call, text);
	text->name = name;
	text->call = call;
	text->next = call->texts;
	call->texts = text;
	DL_APPEND2(name->texts, text, before, after);
	return text->is_in_memory;
}

size_t aside_store_end(struct aside_store *store, uint64_t id)
{
	struct aside_call *call = call_find(store, id);
	size_t bytes = 0;

	if (call) {
		bytes = texts_free(store, call);
		call_free(store, call);
	}
	return bytes;
}
