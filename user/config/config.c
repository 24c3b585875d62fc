/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers are read from the strongest to the weakest, so that the command line can name the file, and a value that
 * is overridden is never complained about. What depends on two options is settled at the end.
 */
#include "config/config.h"
#include "base/log.h"
#include "config/option.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { CONFIG_MEMORY_MAX = 8 << 20, RING_BYTES_MIN = 64 << 10 };

enum { STATUS_DONE, STATUS_FAILED, STATUS_WRONG_USE, STATUS_FAILED_BEFORE_CMD = 125 };

static struct loaded *loaded_of(const struct config *config)
{
	return CONTAINER_OF(config, struct loaded, config);
}

static struct loaded *loaded_new(void)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));

	if (!loaded)
		return NULL;
	loaded->heap = (struct alloc_heap)ALLOC_HEAP(CONFIG_MEMORY_MAX);
	loaded->arena = arena_new(&loaded->heap.alloc, CONFIG_MEMORY_MAX / 2);
	loaded->config.ready_fd = -1;
	if (!loaded->arena) {
		free(loaded);
		return NULL;
	}
	return loaded;
}

struct config *config_free(struct config *config)
{
	if (config) {
		arena_free(loaded_of(config)->arena);
		free(loaded_of(config));
	}
	return NULL;
}

int text_read(struct loaded *loaded, const char *path, size_t max, struct slice *ret)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	size_t len = 0;
	char *text;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) < 0)
		return -errno;
	if (S_ISDIR(stat.st_mode))
		return -EISDIR;
	text = arena_alloc(loaded->arena, max + 1); /* a pipe has no size */
	if (!text)
		return -ENOMEM;
	for (ssize_t n = 1; n > 0 && len <= max; len += (size_t)n) {
		n = read(fd, text + len, max + 1 - len);
		if (n < 0)
			return -errno;
	}
	if (len > max)
		return -EFBIG;
	text[len] = 0;
	*ret = (struct slice){ text, len };
	return 0;
}

/* A list in a variable is written with commas. */
static int variable_take(struct loaded *loaded, const struct option_row *row, struct slice text, struct origin origin)
{
	while (text.len) {
		struct slice item = option_is_list(row) ? slice_trim(slice_cut(&text, ',')) : slice_cut(&text, 0);
		int r;

		item = arena_dup(loaded->arena, item);
		if (!item.data)
			return -ENOMEM;
		r = option_set(loaded, row, item.data, origin);
		if (r < 0)
			return r;
	}
	return 0;
}

/* An empty variable is an unset one, to MLflow and OpenTelemetry as well. */
int environment_read(struct loaded *loaded)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];

		if (!option_is_of(row, loaded->config.command))
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(row->env) && row->env[j].name; j++) {
			const char *value = getenv(row->env[j].name), *suffix = row->env[j].suffix;
			struct slice text = slice_of(value);
			int r;

			if (text.len == 0)
				continue;
			while (suffix && text.len && text.data[text.len - 1] == '/')
				text.len--;
			text = arena_printf(loaded->arena, "%.*s%s", SLICE_FMT(text), suffix ? suffix : "");
			if (!text.data)
				return -ENOMEM;
			r = variable_take(loaded, row, text,
					  (struct origin){ .kind = ORIGIN_ENVIRONMENT, .where = row->env[j].name });
			if (r < 0)
				return r;
			break;
		}
	}
	return 0;
}

static int defaults_read(struct loaded *loaded)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		int r;

		if (!row->by_default || loaded->origins[i].kind || !option_is_of(row, loaded->config.command))
			continue;
		r = option_set(loaded, row, row->by_default, (struct origin){ .kind = ORIGIN_DEFAULT });
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct option_row *row_at(size_t offset)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].kind != OPTION_ANSWER && option_table[i].offset == offset)
			return &option_table[i];
	return NULL;
}

#define ROW(member) row_at(offsetof(struct config, member))

/* One experiment: of the stronger origin; of equal ones the id, as in MLflow. */
static int experiment_settle(struct loaded *loaded)
{
	struct config *config = &loaded->config;
	enum origin_kind name = option_origin(loaded, ROW(experiment))->kind;
	enum origin_kind id = option_origin(loaded, ROW(experiment_id))->kind;

	if (!config->experiment || !config->experiment_id)
		return 0;
	if (name == ORIGIN_OPTION && id == ORIGIN_OPTION)
		return config_wrong("--experiment and --experiment-id exclude each other\ngive one of them");
	*(name > id ? &config->experiment_id : &config->experiment) = NULL;
	*option_origin(loaded, name > id ? ROW(experiment_id) : ROW(experiment)) =
		(struct origin){ .where = name > id ? "the name is of a stronger origin" : "the id wins" };
	return 0;
}

static int sinks_settle(struct loaded *loaded)
{
	const struct option_row *row = ROW(sinks);
	bool has_server = loaded->config.mlflow_uri;
	struct origin origin = { .kind = ORIGIN_DEFAULT };
	int r = 0;

	if (option_origin(loaded, row)->kind || !option_is_of(row, loaded->config.command))
		return 0;
	origin.where = has_server ? "a tracking URI is set" : "no tracking URI is set";
	if (has_server)
		r = option_set(loaded, row, "mlflow", origin);
	return r < 0 ? r : option_set(loaded, row, "console", origin);
}

/* -q and -v choose the level where nobody named one. */
static int level_settle(struct loaded *loaded)
{
	static const char *const levels[] = { "error", "info", "debug", "debug" };
	const struct option_row *row = ROW(log_level);
	int verbosity = loaded->config.verbosity;

	if (verbosity == 0 || option_origin(loaded, row)->kind > ORIGIN_DEFAULT)
		return 0;
	return option_set(loaded, row, levels[verbosity + 1],
			  (struct origin){ .kind = ORIGIN_OPTION, .where = verbosity < 0 ? "quiet" : "verbose" });
}

static int config_settle(struct loaded *loaded)
{
	struct config *config = &loaded->config;
	uint64_t ring = RING_BYTES_MIN;
	int r = experiment_settle(loaded);

	if (r == 0)
		r = sinks_settle(loaded);
	if (r == 0)
		r = level_settle(loaded);
	while (ring < config->ring_bytes)
		ring *= 2;
	config->ring_bytes = ring;
	config->state_dir_is_default = option_origin(loaded, ROW(state_dir))->kind == ORIGIN_DEFAULT;
	return r;
}

static int layers_read(struct loaded *loaded)
{
	static int (*const layers[])(struct loaded * loaded) = {
		environment_read, file_read, credentials_read, defaults_read, config_settle,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(layers) && r == 0; i++)
		r = layers[i](loaded);
	return r;
}

int config_load(int argc, char **argv, struct config **ret)
{
	struct loaded *loaded = loaded_new();
	CLEANUP(config_free) struct config *config = loaded ? &loaded->config : NULL;
	const struct option_row *answer = NULL;
	int r = loaded ? args_read(loaded, argc, argv, &answer) : -ENOMEM;

	if (r == 0 && answer) {
		answer->print(config->command);
		return STATUS_DONE + 1;
	}
	if (r == 0)
		r = layers_read(loaded);
	if (r == -ENOMEM) {
		log_error(r, "cannot read the configuration");
		return (config && config->cmd ? STATUS_FAILED_BEFORE_CMD : STATUS_FAILED) + 1;
	}
	if (r < 0)
		return STATUS_WRONG_USE + 1;
	*ret = TAKE_PTR(config);
	return 0;
}
