/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry for each pid that was asked for. A question first looks at when the process of that number started: an
 * entry of an earlier one is replaced, an entry of one that is gone is all that is left of it and is given as it is.
 * Entries are kept in the order of their last use, so that the one unused for longest makes room.
 */
#include "meta/meta.h"
#include "meta/cgroup.h"
#include "meta/filter.h"
#include "meta/procfs.h"
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <time.h>

#define uthash_nonfatal_oom(entry) ((entry)->is_unhashed = true)
#define HASH_NONFATAL_OOM          1
#include <uthash.h>

enum {
	ENTRIES_MAX = 4096,
	OWNERS_MAX = 256,
};

struct entry {
	struct origin origin;
	uint64_t gone_at_ns;
	bool is_gone;
	bool is_stale; /* it has executed another program since */
	bool is_unhashed;
	UT_hash_handle hh;
	char text[]; /* of the origin's slices */
};

/* A name service may ask over the network: each number is looked up once. */
struct owner {
	uint32_t uid;
	char name[32];
};

/* Told by the kernel as it happened: procfs may be too late. */
struct execed {
	uint32_t pid;
	char comm[16];
	char *path; /* or NULL */
	bool is_unhashed;
	UT_hash_handle hh;
};

struct meta {
	struct meta_filters filters;
	struct entry *entries;
	struct execed *execed;
	struct entry *recalled;
	struct owner owners[OWNERS_MAX];
	size_t owner_count;
};

int meta_new(const struct meta_filters *filters, struct meta **ret)
{
	struct meta *meta = calloc(1, sizeof(*meta));

	if (!meta)
		return -ENOMEM;
	if (filters)
		meta->filters = *filters;
	*ret = meta;
	return 0;
}

static void entry_forget(struct meta *meta, struct entry *entry)
{
	HASH_DEL(meta->entries, entry);
	free(entry);
}

static void execed_forget(struct meta *meta, struct execed *execed)
{
	HASH_DEL(meta->execed, execed);
	free(execed->path);
	free(execed);
}

struct meta *meta_free(struct meta *meta)
{
	struct execed *execed, *after;
	struct entry *entry, *next;

	if (!meta)
		return NULL;
	HASH_ITER(hh, meta->entries, entry, next)
		entry_forget(meta, entry);
	HASH_ITER(hh, meta->execed, execed, after)
		execed_forget(meta, execed);
	free(meta->recalled);
	free(meta);
	return NULL;
}

static const char *owner_name(struct meta *meta, uint32_t uid)
{
	struct owner *owner;
	struct passwd entry, *found = NULL;
	char text[4096];

	for (size_t i = 0; i < MIN(meta->owner_count, OWNERS_MAX); i++)
		if (meta->owners[i].uid == uid)
			return meta->owners[i].name;
	owner = &meta->owners[meta->owner_count++ % OWNERS_MAX];
	owner->uid = uid;
	if (getpwuid_r(uid, &entry, text, sizeof(text), &found) == 0 && found)
		snprintf(owner->name, sizeof(owner->name), "%s", found->pw_name);
	else
		snprintf(owner->name, sizeof(owner->name), "%" PRIu32, uid);
	return owner->name;
}

/* The clocks differ by when the machine was started; taken anew each time, as the wall clock is corrected. */
static uint64_t unix_ns_of(uint64_t since_boot_ns)
{
	struct timespec wall, boot;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (uint64_t)(wall.tv_sec - boot.tv_sec) * 1000000000ULL + (uint64_t)(wall.tv_nsec - boot.tv_nsec) +
	       since_boot_ns;
}

/* ---- entries ---- */

static struct slice text_keep(char **to, struct slice text)
{
	struct slice kept = { *to, text.len };

	memcpy(*to, text.len ? text.data : "", text.len);
	(*to)[text.len] = '\0';
	*to += text.len + 1;
	return kept;
}

static void args_keep(struct origin *origin, char **to, const struct procfs_facts *facts)
{
	const char *end = facts->args + facts->args_len;

	for (const char *at = facts->args; at < end && origin->arg_count < ORIGIN_ARGS_MAX;) {
		struct slice arg = { at, strnlen(at, (size_t)(end - at)) };

		origin->args[origin->arg_count++] = text_keep(to, arg);
		at += arg.len + 1;
	}
}

static struct entry *entry_new(struct meta *meta, uint32_t pid, uint32_t program, const struct procfs_facts *facts)
{
	struct slice comm = slice_of(facts->comm), exe = slice_of(facts->exe), cgroup = slice_of(facts->cgroup);
	struct slice owner = slice_of(owner_name(meta, facts->uid));
	size_t text_len = comm.len + exe.len + 2 * cgroup.len + owner.len + facts->args_len + 8;
	struct entry *entry = calloc(1, sizeof(*entry) + text_len);
	struct origin *origin;
	char *to;

	if (!entry)
		return NULL;
	to = entry->text;
	origin = &entry->origin;
	origin->id = (struct process_id){ .pid = pid, .program = program, .start_ns = facts->start_ns };
	origin->parent_pid = facts->parent_pid;
	origin->uid = facts->uid;
	origin->comm = text_keep(&to, comm);
	origin->exe = text_keep(&to, exe);
	origin->owner = text_keep(&to, owner);
	origin->cgroup = text_keep(&to, cgroup);
	origin->container_id = text_keep(&to, cgroup_container_id(cgroup));
	args_keep(origin, &to, facts);
	origin->start_unix_ns = unix_ns_of(facts->start_ns);
	origin->selected = filter_selects(&meta->filters, origin);
	return entry;
}

static struct entry *entry_find(struct meta *meta, uint32_t pid)
{
	struct entry *entry;

	HASH_FIND(hh, meta->entries, &pid, sizeof(pid), entry);
	return entry;
}

/* To the end of the order of use; -ENOMEM: the entry is gone. */
static int entry_put(struct meta *meta, struct entry *entry)
{
	entry->is_unhashed = false;
	HASH_ADD(hh, meta->entries, origin.id.pid, sizeof(entry->origin.id.pid), entry);
	if (!entry->is_unhashed)
		return 0;
	free(entry);
	return -ENOMEM;
}

static struct execed *execed_find(struct meta *meta, uint32_t pid)
{
	struct execed *execed;

	HASH_FIND(hh, meta->execed, &pid, sizeof(pid), execed);
	return execed;
}

/* Of one that has ended but was not waited for, procfs knows the name alone. */
static void exe_recall(struct meta *meta, uint32_t pid, struct procfs_facts *facts)
{
	const struct execed *execed = facts->exe[0] ? NULL : execed_find(meta, pid);

	if (execed && execed->path)
		snprintf(facts->exe, sizeof(facts->exe), "%s", execed->path);
}

static int entry_read(struct meta *meta, uint32_t pid, uint32_t program, struct entry **ret)
{
	struct procfs_facts facts;
	struct entry *old = entry_find(meta, pid), *entry;
	int r = procfs_read(pid, &facts);

	if (r < 0)
		return r;
	if (program)
		exe_recall(meta, pid, &facts);
	entry = entry_new(meta, pid, program, &facts);
	if (!entry)
		return -ENOMEM;
	if (old)
		entry_forget(meta, old);
	else if (HASH_COUNT(meta->entries) >= ENTRIES_MAX)
		entry_forget(meta, meta->entries);
	*ret = entry;
	return entry_put(meta, entry);
}

/* What is kept of @pid, read anew where it tells of an earlier process or an earlier program. */
static int entry_now(struct meta *meta, uint32_t pid, uint32_t program, struct entry **ret)
{
	struct entry *entry = entry_find(meta, pid);
	uint64_t start_ns = procfs_start_ns(pid);
	bool is_other = entry && start_ns && entry->origin.id.start_ns != start_ns;
	bool is_stale = entry && start_ns && (entry->is_stale || entry->origin.id.program != program);
	int r;

	if (entry && !is_other && !is_stale) {
		HASH_DEL(meta->entries, entry);
		*ret = entry;
		return entry_put(meta, entry);
	}
	r = entry_read(meta, pid, program, ret);
	/* It may end while it is read: then what was known before of the same process is the best there is. */
	if (r == -ESRCH && entry && !is_other) {
		*ret = entry;
		return 0;
	}
	return r;
}

int meta_origin(struct meta *meta, uint32_t pid, uint32_t program, const struct origin **ret)
{
	struct entry *entry;
	int r = entry_now(meta, pid, program, &entry);

	if (r < 0)
		return r;
	*ret = &entry->origin;
	return 0;
}

/* A child is in its parent's group unless it was moved, and runs its parent's program until it executes one. */
static void parent_recall(struct meta *meta, struct procfs_facts *facts, bool has_executed)
{
	struct entry *parent = entry_find(meta, facts->parent_pid);

	if (facts->parent_pid && (!parent || parent->is_stale))
		entry_read(meta, facts->parent_pid, 0, &parent);
	if (!parent)
		return;
	snprintf(facts->cgroup, sizeof(facts->cgroup), "%.*s", SLICE_FMT(parent->origin.cgroup));
	if (!has_executed)
		snprintf(facts->exe, sizeof(facts->exe), "%.*s", SLICE_FMT(parent->origin.exe));
}

int meta_recall(struct meta *meta, const struct origin *asked, const struct origin **ret)
{
	const struct execed *execed = asked->id.program ? execed_find(meta, asked->id.pid) : NULL;
	struct procfs_facts facts = {
		.parent_pid = asked->parent_pid,
		.uid = asked->uid,
		.start_ns = asked->id.start_ns,
	};

	snprintf(facts.comm, sizeof(facts.comm), "%.*s", SLICE_FMT(asked->comm));
	parent_recall(meta, &facts, asked->id.program != 0);
	if (execed)
		snprintf(facts.comm, sizeof(facts.comm), "%s", execed->comm);
	if (execed && execed->path)
		snprintf(facts.exe, sizeof(facts.exe), "%s", execed->path);
	free(meta->recalled);
	meta->recalled = entry_new(meta, asked->id.pid, asked->id.program, &facts);
	if (!meta->recalled)
		return -ENOMEM;
	*ret = &meta->recalled->origin;
	return 0;
}

static struct execed *execed_put(struct meta *meta, uint32_t pid)
{
	struct execed *execed = execed_find(meta, pid);

	if (execed)
		execed_forget(meta, execed);
	else if (HASH_COUNT(meta->execed) >= ENTRIES_MAX)
		execed_forget(meta, meta->execed);
	execed = calloc(1, sizeof(*execed));
	if (!execed)
		return NULL;
	execed->pid = pid;
	HASH_ADD(hh, meta->execed, pid, sizeof(execed->pid), execed);
	if (!execed->is_unhashed)
		return execed;
	free(execed);
	return NULL;
}

void meta_note_exec(struct meta *meta, uint32_t pid, const char *comm, const char *path)
{
	struct execed *execed = comm ? execed_put(meta, pid) : execed_find(meta, pid);

	if (execed && comm)
		snprintf(execed->comm, sizeof(execed->comm), "%s", comm);
	if (execed && path && !execed->path)
		execed->path = strdup(path);
}

void meta_on_exec(struct meta *meta, uint32_t pid)
{
	struct entry *entry = entry_find(meta, pid);

	if (entry)
		entry->is_stale = true;
}

void meta_on_exit(struct meta *meta, uint32_t pid, uint64_t now_ns)
{
	struct entry *entry = entry_find(meta, pid);

	if (!entry || entry->is_gone)
		return;
	entry->is_gone = true;
	entry->gone_at_ns = now_ns;
}

void meta_tick(struct meta *meta, uint64_t now_ns)
{
	struct entry *entry, *next;

	HASH_ITER(hh, meta->entries, entry, next)
		if (entry->is_gone && now_ns >= entry->gone_at_ns + META_KEEP_NS)
			entry_forget(meta, entry);
}

bool meta_has_filters(const struct meta *meta)
{
	return filter_is_any(&meta->filters);
}

uint64_t meta_start_ticks(uint32_t pid)
{
	return procfs_start_ns(pid);
}
