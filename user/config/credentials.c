/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ~/.mlflow/credentials, which MLflow's own client reads when user or password are nowhere else: an ini file with a
 * section [mlflow]. Each of the two is taken for itself. A file that says nothing useful is no error, as there.
 */
#include "base/log.h"
#include "config/option.h"
#include <errno.h>
#include <pwd.h>

enum { CREDENTIALS_BYTES_MAX = 64 << 10 };

static const char *home_directory(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && *home ? NULL : getpwuid(getuid());

	return user ? user->pw_dir : home && *home ? home : "/";
}

/* Python's configparser, which wrote the file, doubles each percent sign. */
static struct slice value_plain(struct arena *arena, struct slice value)
{
	struct slice copy = arena_dup(arena, value);
	char *to = (char *)copy.data;

	for (size_t i = 0; copy.data && i < copy.len; i++) {
		i += copy.data[i] == '%' && i + 1 < copy.len && copy.data[i + 1] == '%';
		*to++ = copy.data[i];
	}
	if (to)
		*to = 0;
	return copy;
}

/* "key = value" or "key: value": whichever sign comes first. */
static struct slice key_cut(struct slice *line)
{
	size_t len = 0;

	while (len < line->len && line->data[len] != '=' && line->data[len] != ':')
		len++;
	return slice_trim(slice_cut(line, len < line->len ? line->data[len] : 0));
}

static const struct option_row *row_of(struct slice key)
{
	static const struct {
		struct slice name;
		const char *key;
	} keys[] = {
		{ { "mlflow_tracking_username", 24 }, "mlflow.user" },
		{ { "mlflow_tracking_password", 24 }, "mlflow.password" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (size_t j = 0; j < option_count && slice_equal_nocase(keys[i].name, key); j++)
			if (option_table[j].key && strcmp(option_table[j].key, keys[i].key) == 0)
				return &option_table[j];
	return NULL;
}

static int line_take(struct loaded *loaded, struct slice line, const char *path)
{
	const struct option_row *row = row_of(key_cut(&line));
	struct slice value = slice_trim(line);

	if (!row || value.len == 0 || option_origin(loaded, row)->kind || !option_is_of(row, loaded->config.command))
		return 0;
	value = value_plain(loaded->arena, value);
	return value.data ? option_set(loaded, row, value.data, (struct origin){ .kind = ORIGIN_FILE, .where = path })
			  : -ENOMEM;
}

int credentials_read(struct loaded *loaded)
{
	struct slice path = arena_printf(loaded->arena, "%s/.mlflow/credentials", home_directory()), text;
	bool is_ours = false;
	int r;

	if (!option_is_of(row_of(SLICE("mlflow_tracking_username")), loaded->config.command))
		return 0;
	if (!path.data)
		return -ENOMEM;
	r = text_read(loaded, path.data, CREDENTIALS_BYTES_MAX, &text);
	if (r == -ENOMEM)
		return r;
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		log_warn(r, "cannot read %s, ignoring it", path.data);
	if (r < 0)
		return 0;
	while (text.len && r == 0) {
		struct slice line = slice_trim(slice_cut(&text, '\n'));

		if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';')
			continue;
		if (line.data[0] == '[')
			is_ours = slice_equal(line, SLICE("[mlflow]"));
		else if (is_ours)
			r = line_take(loaded, line, path.data);
	}
	return r;
}
