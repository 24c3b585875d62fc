/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came is taken in order: a text goes to its file, the end of a call frees them, and a record goes on with its texts in
 * it. What follows, spool and sinks, knows of no marks. A record that memory is too short for waits, and all behind it.
 */
#include "base/log.h"
#include "daemon/delivery_parts.h"
#include <errno.h>

enum { FILL_RETRY_MS = 1000 };

#define BYTES_MAX ((uint64_t)1 << 30)

/* Beside the spool, where there is room for what waits; else where files may be large: what is in /tmp is often in memory. */
static char *dir_find(const struct delivery *delivery)
{
	const char *path = delivery->has_spool ? delivery->opts.spool_path : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;
	CLEANUP_FREE char *dir = NULL;
	int r;

	if (path)
		dir = slash ? strndup(path, MAX((size_t)(slash - path), (size_t)1)) : strdup(".");
	if (dir && aside_dir_check(dir) == 0)
		return TAKE_PTR(dir);
	r = aside_dir_check("/var/tmp");
	if (r == 0)
		return strdup("/var/tmp");
	log_warn(r, "cannot write to /var/tmp, keeping all of long requests in memory");
	return NULL;
}

void delivery_aside_open(struct delivery *delivery)
{
	struct aside_store_opts opts = { .alloc = &delivery->alloc,
					 .bytes_max = delivery->opts.spool_bytes_max ?: BYTES_MAX };

	opts.dir = delivery->aside_dir = dir_find(delivery);
	if (opts.dir && aside_store_new(&opts, &delivery->aside) < 0)
		delivery->aside = NULL;
}

/* Larger or smaller, @node takes its place in what is queued. */
static void bytes_correct(struct delivery *delivery, size_t before, size_t now)
{
	pthread_mutex_lock(&delivery->lock);
	delivery->stats.queued_bytes = delivery->stats.queued_bytes - before + now;
	pthread_mutex_unlock(&delivery->lock);
}

/* With its texts in it, *node is another. Only -ENOMEM is worth waiting for: else it goes as it is, to where it is judged. */
static int node_fill(struct delivery *delivery, struct node **node)
{
	struct node *before = *node, *filled;
	void *block;
	size_t len;
	int r = delivery->aside ? aside_fill(delivery->aside, before->record.body, sizeof(*filled), &block, &len) : 0;

	if (r <= 0)
		return r == -ENOMEM ? r : 0;
	filled = block;
	*filled = *before;
	filled->record.body = (struct slice){ (const char *)block + sizeof(*filled), len };
	bytes_correct(delivery, before->record.body.len, len);
	node_free(before);
	*node = filled;
	return 0;
}

/* The first of the backlog. -ENOMEM: it has to wait. */
static int node_digest(struct delivery *delivery)
{
	struct node *node = delivery->backlog, *next = node->next;
	size_t freed = 0;
	int r = 0;

	if (node->kind == NODE_RECORD) {
		r = node_fill(delivery, &node);
	} else if (node->kind == NODE_END) {
		freed = aside_store_end(delivery->aside, node->call);
	} else {
		freed = aside_text_bytes(node->text->len);
		r = aside_store_add(delivery->aside, node->call, node->text);
		freed = r == 0 ? freed : 0;
		if (r >= 0)
			node->text = NULL;
	}
	if (r < 0)
		return r;
	if (freed)
		bytes_correct(delivery, freed, 0);
	delivery->backlog = next;
	if (!next)
		delivery->backlog_tail = &delivery->backlog;
	if (node->kind != NODE_RECORD) {
		node_free(node);
		return 0;
	}
	node->next = NULL;
	*delivery->pending_tail = node;
	delivery->pending_tail = &node->next;
	delivery->pending_count++;
	delivery->pending_bytes += node->record.body.len;
	delivery->backlog_records--;
	return 0;
}

bool delivery_digest(struct delivery *delivery)
{
	uint64_t now = uv_now(&delivery->loop);
	bool was_short = delivery->backlog_not_before_ms;

	if (now < delivery->backlog_not_before_ms && !delivery->is_stopping)
		return false;
	delivery->backlog_not_before_ms = 0;
	while (delivery->backlog && delivery->pending_bytes < PENDING_BYTES_MAX) {
		if (node_digest(delivery) == 0)
			continue;
		if (!was_short)
			log_warn(-ENOMEM, "cannot put a trace's texts together, trying again");
		delivery->backlog_not_before_ms = now + FILL_RETRY_MS;
		return false;
	}
	return delivery->backlog != NULL;
}
