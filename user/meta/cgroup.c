/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runtimes agree on one thing: the part of the path that names a container ends in its id of 64 hex digits, alone or
 * behind "<runtime>-" or "<runtime>:", with ".scope" behind it under systemd. The last such part counts, as containers
 * run in containers. The monitors which runtimes start beside a container carry its id, too, and are no container.
 */
#include "meta/cgroup.h"
#include "base/cleanup.h"

enum { CONTAINER_ID_LEN = 64 };

/* Hierarchies in the order of what their path is worth: the unified one, then those that every runtime sets. */
static const struct slice hierarchies[] = {
	SLICE("0::"),   SLICE(":memory:"), SLICE(":cpu,cpuacct:"),
	SLICE(":cpu:"), SLICE(":pids:"),   SLICE(":name=systemd:"),
};

/* "12:cpu,cpuacct:/path" → "/path", when the line is of that hierarchy. */
static struct slice line_path(struct slice line, struct slice hierarchy)
{
	ptrdiff_t at = slice_find(line, hierarchy);

	if (at < 0 || (at == 0) != (hierarchy.data[0] != ':') || (at > 0 && memchr(line.data, ':', (size_t)at)))
		return SLICE_NONE;
	return slice_from(line, (size_t)at + hierarchy.len);
}

struct slice cgroup_path(struct slice text)
{
	static const struct slice deleted = SLICE(" (deleted)");
	struct slice root = SLICE_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(hierarchies); i++)
		for (struct slice rest = text; rest.len;) {
			struct slice path = line_path(slice_cut(&rest, '\n'), hierarchies[i]);

			if (slice_ends(path, deleted))
				path.len -= deleted.len;
			if (path.len > 1)
				return path;
			if (path.len)
				root = path;
		}
	return root;
}

static bool is_hex(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr("0123456789abcdef", text.data[i]) || !text.data[i])
			return false;
	return true;
}

static struct slice part_id(struct slice part)
{
	static const struct slice scope = SLICE(".scope");
	struct slice id, head;

	if (slice_ends(part, scope))
		part.len -= scope.len;
	if (part.len < CONTAINER_ID_LEN)
		return SLICE_NONE;
	head = slice_head(part, part.len - CONTAINER_ID_LEN);
	id = slice_from(part, head.len);
	if (!is_hex(id) || slice_contains(head, SLICE("conmon")) ||
	    (head.len && head.data[head.len - 1] != '-' && head.data[head.len - 1] != ':'))
		return SLICE_NONE;
	return id;
}

struct slice cgroup_container_id(struct slice path)
{
	struct slice found = SLICE_NONE;

	while (path.len) {
		struct slice id = part_id(slice_cut(&path, '/'));

		if (id.len)
			found = id;
	}
	return found;
}
