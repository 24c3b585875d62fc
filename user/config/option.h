/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to config. An option is one row: how it is written on the command line, in the environment and in the file,
 * where its value lies in struct config, which commands take it. Everything else in this room walks over these rows.
 */
#pragma once
#include "base/alloc.h"
#include "base/arena.h"
#include "config/config.h"

enum option_kind {
	OPTION_TEXT,    /* char * */
	OPTION_LIST,    /* struct config_list of texts */
	OPTION_PIDS,    /* struct config_list of numbers */
	OPTION_UIDS,    /* struct config_list of numbers; a name becomes its number */
	OPTION_CHOICE,  /* char *; one of the words of arg: "full|none" */
	OPTION_SIZE,    /* uint64_t; K, M, G may follow */
	OPTION_SECONDS, /* unsigned; s, m, h may follow */
	OPTION_FD,      /* int */
	OPTION_BOOL,    /* bool; as an option it takes no value */
	OPTION_LOUDER,  /* int, by one */
	OPTION_QUIETER, /* int, by one */
	OPTION_ANSWER,  /* no value: print() answers, and nothing else is done */
};

enum option_secrecy { SECRET_NO, SECRET_WHOLE, SECRET_HEADERS };

/* Weaker ones first: a value replaces what is of a weaker origin. */
enum origin_kind { ORIGIN_NONE, ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_OPTION };

struct origin {
	enum origin_kind kind;
	const char *where; /* path, variable; or why it is the default */
};

struct option_env {
	const char *name;
	const char *suffix; /* goes behind the value */
};

struct option_row {
	const char *name; /* without "--"; NULL: environment and file only */
	const char *key;  /* in the file, "group.key" at most; NULL: not there */
	char short_name;
	enum option_kind kind;
	enum option_secrecy secrecy;
	unsigned commands; /* 1 << enum config_command */
	size_t offset;     /* in struct config */
	uint64_t min, max; /* of sizes; 0: no bound */
	const char *arg;   /* name of the value in help */
	const char *by_default;
	struct option_env env[2]; /* the first that is set counts */
	const char *section;      /* heading in help; NULL: as the row before */
	const char *help;         /* NULL: hidden */
	void (*print)(enum config_command command);
};

enum word_kind { WORD_FILE, WORD_PID, WORD_CHOICE };

struct command_row {
	const char *word;
	const char *synopsis; /* behind "spantap WORD " */
	const char *help;
	const char *more; /* lines of `COMMAND --help`, or NULL */
	const char *noun; /* what its words are; the choices: "a|b" */
	enum word_kind words;
	size_t words_min, words_max;
	bool takes_cmd;
};

enum { OPTIONS_MAX = 64 };

extern const struct option_row option_table[];
extern const size_t option_count;
extern const struct command_row command_table[_COMMAND_MAX];

/* What lies around the public struct. */
struct loaded {
	struct config config;
	struct alloc_heap heap;
	struct arena *arena; /* all values */
	struct origin origins[OPTIONS_MAX];
};

static inline bool option_is_list(const struct option_row *row)
{
	return row->kind == OPTION_LIST || row->kind == OPTION_PIDS || row->kind == OPTION_UIDS;
}

static inline bool option_takes_value(const struct option_row *row)
{
	return row->kind <= OPTION_FD;
}

static inline bool option_is_of(const struct option_row *row, enum config_command command)
{
	return row->commands & 1u << command;
}

static inline struct origin *option_origin(struct loaded *loaded, const struct option_row *row)
{
	return &loaded->origins[row - option_table];
}

/* In these, -EINVAL means wrong use that has been told; -ENOMEM has not. */

/* "cause\nremedy": told on stderr. Returns -EINVAL. */
int config_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Gives the option a value (a further one, when it is a list), unless a stronger origin has spoken. */
int option_set(struct loaded *loaded, const struct option_row *row, const char *text, struct origin origin);
int number_parse(const char *text, uint64_t *ret);      /* decimal digits only. 0 or -EINVAL */
bool choice_has(const char *choices, const char *word); /* "a|b|c" */

/* *ret_answer: the row that wants to print, or NULL. */
int args_read(struct loaded *loaded, int argc, char **argv, const struct option_row **ret_answer);
int environment_read(struct loaded *loaded);
int file_read(struct loaded *loaded);
/* ~/.mlflow/credentials, as MLflow's own client does. */
int credentials_read(struct loaded *loaded);
/* Text of a file, at most @max bytes, into the arena. 0, -EFBIG, or what the system said. */
int text_read(struct loaded *loaded, const char *path, size_t max, struct slice *ret);

void help_print(enum config_command command);
void help_print_manual(enum config_command command);
void help_print_version(enum config_command command);
/* The known word that is the nearest to @word, or NULL when none is near. */
const char *word_nearest(const char *word, const char *const *words, size_t count);
