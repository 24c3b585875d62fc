/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process passes when each kind of filter that is given has one alternative which matches, and no exclusion does. A
 * kind is a row: where its two lists are, and how one alternative is compared.
 */
#include "meta/filter.h"
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

enum { ANCESTORS_MAX = 64 };

static bool text_matches(const char *pattern, struct slice text)
{
	return text.len && fnmatch(pattern, text.data, 0) == 0;
}

static bool is_number(const char *pattern)
{
	return pattern[0] && !pattern[strspn(pattern, "0123456789")];
}

static uint32_t parent_of(uint32_t pid)
{
	char path[40], line[512];
	const char *behind_name;
	unsigned parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file) && (behind_name = strrchr(line, ')')))
		sscanf(behind_name, ") %*c %u", &parent);
	fclose(file);
	return parent;
}

/* A process number stands for the process and its later children. */
static bool pid_matches(const char *pattern, const struct origin *origin)
{
	unsigned long long wanted = is_number(pattern) ? strtoull(pattern, NULL, 10) : 0;
	uint32_t parent = origin->parent_pid;

	if (!wanted || wanted == origin->id.pid)
		return wanted != 0;
	for (int hops = 0; parent > 1 && hops < ANCESTORS_MAX; hops++) {
		if (parent == wanted)
			return true;
		parent = parent_of(parent);
	}
	return false;
}

static bool comm_matches(const char *pattern, const struct origin *origin)
{
	return text_matches(pattern, origin->comm);
}

/* A pattern without a slash is for the file's name alone. */
static bool exe_matches(const char *pattern, const struct origin *origin)
{
	struct slice name = origin->exe;

	while (!strchr(pattern, '/') && memchr(name.data ? name.data : "", '/', name.len))
		slice_cut(&name, '/');
	return text_matches(pattern, name);
}

static bool uid_matches(const char *pattern, const struct origin *origin)
{
	if (is_number(pattern))
		return strtoull(pattern, NULL, 10) == origin->uid;
	return text_matches(pattern, origin->owner);
}

static bool cgroup_matches(const char *pattern, const struct origin *origin)
{
	return text_matches(pattern, origin->cgroup);
}

/* Ids are given by their first digits, as every container tool prints them. */
static bool container_matches(const char *pattern, const struct origin *origin)
{
	struct slice head = slice_of(pattern);

	return head.len && (slice_starts(origin->container_id, head) || text_matches(pattern, origin->container_id));
}

static const struct {
	size_t wanted, excluded; /* in struct meta_filters */
	bool (*matches)(const char *pattern, const struct origin *origin);
} kinds[] = {
	{ offsetof(struct meta_filters, pids), offsetof(struct meta_filters, not_pids), pid_matches },
	{ offsetof(struct meta_filters, comms), offsetof(struct meta_filters, not_comms), comm_matches },
	{ offsetof(struct meta_filters, exes), offsetof(struct meta_filters, not_exes), exe_matches },
	{ offsetof(struct meta_filters, uids), offsetof(struct meta_filters, not_uids), uid_matches },
	{ offsetof(struct meta_filters, cgroups), offsetof(struct meta_filters, not_cgroups), cgroup_matches },
	{ offsetof(struct meta_filters, containers), offsetof(struct meta_filters, not_containers), container_matches },
};

static const char *const *list_at(const struct meta_filters *filters, size_t offset)
{
	static const char *const none[] = { NULL };
	const char *const *list = *(const char *const *const *)((const char *)filters + offset);

	return list ? list : none;
}

bool filter_is_any(const struct meta_filters *filters)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (*list_at(filters, kinds[i].wanted) || *list_at(filters, kinds[i].excluded))
			return true;
	return false;
}

static bool is_one_matching(size_t kind, const char *const *list, const struct origin *origin)
{
	for (; *list; list++)
		if (kinds[kind].matches(*list, origin))
			return true;
	return false;
}

bool filter_selects(const struct meta_filters *filters, const struct origin *origin)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *const *wanted = list_at(filters, kinds[i].wanted);

		if (is_one_matching(i, list_at(filters, kinds[i].excluded), origin))
			return false;
		if (*wanted && !is_one_matching(i, wanted, origin))
			return false;
	}
	return true;
}
