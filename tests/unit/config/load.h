/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One config_load() in a clean room: environment of the test alone, HOME in an empty directory, stdout and stderr kept.
 *
 *	struct load load = load_run((const char *[]){ "run", "--drain", "5", NULL });
 *	assert_int_equal(load.status, 0);
 *	load_end(&load);
 */
#pragma once
#include "config/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

struct load {
	int status;
	char **argv; /* the configuration points into it */
	struct config *config;
	char *out, *err;
};

static char home[] = "/tmp/spantap-config-XXXXXX";
static char file_path[sizeof(home) + 32];

static inline const char *file_write(const char *name, const char *text)
{
	FILE *file;

	snprintf(file_path, sizeof(file_path), "%s/%s", home, name);
	file = fopen(file_path, "w");
	assert_non_null(file);
	assert_int_equal(fputs(text, file) >= 0 && fclose(file) == 0, 1);
	assert_int_equal(chmod(file_path, 0600), 0);
	return file_path;
}

static inline int fd_keep(int fd, FILE *to)
{
	int kept;

	fflush(NULL);
	kept = dup(fd);
	dup2(fileno(to), fd);
	return kept;
}

static inline char *fd_give_back(int fd, int kept, FILE *from)
{
	char *text = calloc(1, 64 << 10);

	fflush(NULL);
	dup2(kept, fd);
	close(kept);
	rewind(from);
	assert_true(fread(text, 1, (64 << 10) - 1, from) < (64 << 10) - 1);
	fclose(from);
	return text;
}

static inline struct load load_run(const char *const *words)
{
	static char program[] = "spantap";
	struct load load = { .argv = calloc(256, sizeof(char *)) };
	FILE *out = tmpfile(), *err = tmpfile();
	int argc = 1, out_fd, err_fd;

	load.argv[0] = program;
	for (; *words; words++)
		load.argv[argc++] = (char *)*words;
	out_fd = fd_keep(STDOUT_FILENO, out);
	err_fd = fd_keep(STDERR_FILENO, err);
	load.status = config_load(argc, load.argv, &load.config);
	if (load.status == 0 && load.config->command == COMMAND_CONFIG)
		config_print(load.config);
	load.out = fd_give_back(STDOUT_FILENO, out_fd, out);
	load.err = fd_give_back(STDERR_FILENO, err_fd, err);
	return load;
}

static inline void load_end(struct load *load)
{
	config_free(load->config);
	free(load->argv);
	free(load->out);
	free(load->err);
	*load = (struct load){ 0 };
}

#define LOAD(...) load_run((const char *[]){ __VA_ARGS__, NULL })

static inline int room_new(void **state)
{
	return mkdtemp(home) ? 0 : -1;
}

/* Before each test: no variable but HOME, and cmocka's own. */
static inline int room_clean(void **state)
{
	const char *format = getenv("CMOCKA_MESSAGE_OUTPUT");
	char kept[32] = "";

	snprintf(kept, sizeof(kept), "%s", format ? format : "STDOUT");
	clearenv();
	setenv("CMOCKA_MESSAGE_OUTPUT", kept, 1);
	setenv("HOME", home, 1);
	return 0;
}

static inline int room_gone(void **state)
{
	char command[sizeof(home) + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", home);
	return system(command);
}
