/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per trace, appended by one write(): a reader that follows the file sees whole lines, and two writers do not mix.
 * A line is in the page cache when sink_write() returns: it survives our death, not the host's; the file is synced when the
 * sink is closed. A line that the disk had no room for is taken back whole.
 */
#include "base/buf.h"
#include "sink/kind.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

struct otlp_file {
	int fd;
	bool is_stdout;
	bool is_regular;
	struct alloc_heap heap;
	struct buf line;
};

static int otlp_file_open(struct sink *sink, const char *arg, const char **ret_error)
{
	struct otlp_file *file = sink->own = calloc(1, sizeof(*file));
	struct stat st;

	if (!file)
		return -ENOMEM;
	file->fd = -1;
	*ret_error = "the otlp-file sink needs a path: --sink otlp-file:PATH, or - for stdout";
	if (!*arg)
		return -EINVAL;
	file->heap = (struct alloc_heap)ALLOC_HEAP(SINK_ARENA_MAX);
	file->line = BUF(&file->heap.alloc, SINK_ARENA_MAX);
	file->is_stdout = strcmp(arg, "-") == 0;
	file->fd = file->is_stdout ? STDOUT_FILENO : open(arg, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	*ret_error = "the file of the otlp-file sink cannot be opened for writing";
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return -errno;
	file->is_regular = S_ISREG(st.st_mode);
	snprintf(sink->name, sizeof(sink->name), "otlp-file:%s", arg);
	return 0;
}

static void otlp_file_close(struct sink *sink)
{
	struct otlp_file *file = sink->own;

	if (!file)
		return;
	if (file->fd >= 0 && file->is_regular)
		fdatasync(file->fd);
	if (file->fd >= 0 && !file->is_stdout)
		close(file->fd);
	if (file->line.alloc)
		buf_free(&file->line);
	free(file);
}

/* The rest of a line that came out in part: on, where it can only be waited for; back, where the disk is full. */
static int line_mend(struct otlp_file *file, struct slice line, size_t written)
{
	off_t end;
	int error = errno;

	if (file->is_regular) {
		end = lseek(file->fd, 0, SEEK_END);
		if (end >= (off_t)written && ftruncate(file->fd, end - (off_t)written) < 0)
			return -errno;
		return error ? -error : -ENOSPC;
	}
	while (written < line.len) {
		ssize_t n = write(file->fd, line.data + written, line.len - written);

		if (n < 0 && errno != EINTR)
			return -errno;
		written += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int line_write(struct otlp_file *file)
{
	struct slice line = buf_slice(&file->line);
	ssize_t n;

	do {
		errno = 0;
		n = write(file->fd, line.data, line.len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == line.len ? 0 : line_mend(file, line, (size_t)n);
}

static int otlp_file_write(struct sink *sink, const struct record *record)
{
	struct otlp_file *file = sink->own;
	struct alloc_heap heap = ALLOC_HEAP(SINK_ARENA_MAX);
	CLEANUP(arena_free) struct arena *arena = arena_new(&heap.alloc, SINK_ARENA_MAX);
	Otlp__ResourceSpans *spans;
	int r = arena ? convert_record(record, SINK_FAMILY_OTLP, arena, &spans) : -ENOMEM;

	if (r < 0)
		return r;
	buf_reset(&file->line);
	otlp_json_put(&file->line, spans);
	buf_put_char(&file->line, '\n');
	r = file->line.failed ? -ENOMEM : line_write(file);
	if (file->line.size > SINK_BATCH_BYTES)
		buf_free(&file->line);
	if (r < 0)
		sink_say(sink, false, "cannot write: %s; the trace is not in the file", strerror(-r));
	else if (*sink->said && !sink->is_well)
		sink_say(sink, true, "writes again");
	return r;
}

const struct sink_kind sink_kind_otlp_file = {
	.name = "otlp-file",
	.family = SINK_FAMILY_OTLP,
	.open = otlp_file_open,
	.close = otlp_file_close,
	.write = otlp_file_write,
};
