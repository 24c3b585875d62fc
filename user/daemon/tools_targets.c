/* SPDX-License-Identifier: Apache-2.0 */
/* `spantap targets`: what discovery finds, shown. It attaches for a moment, because only the kernel knows whether it can. */
#include "base/json.h"
#include "base/log.h"
#include "daemon/tools.h"
#include "probe/probe.h"
#include <limits.h>

struct table {
	bool json;
	size_t count;
};

static const char *const family_names[] = {
	[SITE_FAMILY_NONE] = "unknown",  [SITE_FAMILY_OPENSSL] = "openssl", [SITE_FAMILY_BORINGSSL] = "boringssl",
	[SITE_FAMILY_RUSTLS] = "rustls", [SITE_FAMILY_GO] = "go",           [SITE_FAMILY_GNUTLS] = "gnutls",
};

static unsigned stepped_count(const struct site_set *sites)
{
	unsigned n = 0;

	for (size_t i = 0; i < sites->count; i++)
		n += sites->sites[i].is_stepped;
	return n;
}

static void target_print(void *user, const struct probe_target *target)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct buf line = BUF(&heap.alloc, 64 << 10);
	struct table *table = user;

	table->count++;
	if (!table->json) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s", target->path);
		log_tame(path);
		printf("%-10s %-20s %-7s %2u functions%s  %s%s%s\n", family_names[target->sites->family],
		       target->sites->version, target->sites->method, target->attached,
		       stepped_count(target->sites) ? " (slow sites)" : "", path,
		       target->why_not ? "\n           not attached: " : "", target->why_not ? target->why_not : "");
		return;
	}
	json_open(&line, '{');
	json_member_text(&line, SLICE("path"), slice_of(target->path));
	json_member_text(&line, SLICE("family"), slice_of(family_names[target->sites->family]));
	json_member_text(&line, SLICE("version"), slice_of(target->sites->version));
	json_member_text(&line, SLICE("found_by"), slice_of(target->sites->method));
	json_member_int(&line, SLICE("attached"), target->attached);
	json_member_int(&line, SLICE("stepped"), stepped_count(target->sites));
	json_member_int(&line, SLICE("pid"), target->seen_in_pid);
	if (target->why_not)
		json_member_text(&line, SLICE("why_not"), slice_of(target->why_not));
	json_close(&line, '}');
	printf("%s%.*s", table->count > 1 ? ",\n" : "", SLICE_FMT(buf_slice(&line)));
	buf_free(&line);
}

int tools_targets(const struct config *config)
{
	const struct probe_opts opts = { .ring_bytes = 1 << 16 };
	static const struct probe_ops ops = { 0 };
	CLEANUP(probe_free) struct probe *probe = NULL;
	struct table table = { .json = config->json };
	const char *error = "";
	int r = probe_new(&opts, &ops, NULL, &probe, &error);

	if (r == 0)
		r = probe_scan_all(probe);
	if (r < 0) {
		log_error(r, "%s", error);
		return 1;
	}
	if (table.json)
		printf("[");
	probe_each_target(probe, target_print, &table);
	if (table.json)
		printf("]\n");
	else if (!table.count)
		printf("no process has a TLS library mapped that spantap knows\n");
	return 0;
}
