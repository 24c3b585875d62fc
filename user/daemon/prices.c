/* SPDX-License-Identifier: Apache-2.0 */
/* A price file that cannot be used costs nobody a trace: calls are priced by what is built in, and the log says so. */
#include "daemon/prices.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 8 << 20 };

static struct alloc_heap heap = ALLOC_HEAP((size_t)64 << 20);

/* 0 and the text, to be freed; -EFBIG, -ENODATA, or what the system says. */
static int file_read(const char *path, char **ret, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	struct stat st;
	ssize_t n = 0;
	size_t len = 0;
	char *text = NULL;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		r = -EFBIG;
	else if (!(text = malloc((size_t)st.st_size + 1)))
		r = -ENOMEM;
	while (r == 0 && len < (size_t)st.st_size && (n = read(fd, text + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	if (r == 0 && n < 0)
		r = -errno;
	close(fd);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}

static struct cost_table *own_load(const char *path)
{
	struct cost_table *table = NULL;
	const char *error = "";
	char *text = NULL;
	size_t len = 0;
	int r = file_read(path, &text, &len);

	if (r < 0) {
		log_warn(r, "cannot read the price file '%s': the built-in prices are used", path);
		return NULL;
	}
	r = cost_table_new(&heap.alloc, (struct slice){ text, len }, &table, &error);
	free(text);
	if (r < 0)
		log_warn(0, "the price file '%s' is refused, %s: the built-in prices are used", path, error);
	return r < 0 ? NULL : table;
}

struct cost_table *prices_load(const char *path)
{
	struct cost_table *table = path && *path ? own_load(path) : NULL;
	const char *error;

	if (!table)
		cost_table_new(&heap.alloc, cost_builtin(), &table, &error);
	return table;
}
