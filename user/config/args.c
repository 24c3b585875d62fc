/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over argv, left to right. The first word that is no option is the command, wherever it stands; what a
 * command does not take is refused after the walk, because an option may come before its command. Nothing behind "--"
 * is looked at.
 */
#include "config/option.h"
#include <errno.h>

struct walk {
	struct loaded *loaded;
	char **argv;
	int argc, at;
	bool has_command;
	char **words; /* of the command; NULL-terminated */
	size_t word_count;
	const struct option_row *answer;
};

static const struct option_row *row_by_name(struct slice name)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].name && slice_equal(slice_of(option_table[i].name), name))
			return &option_table[i];
	return NULL;
}

static const struct option_row *row_by_letter(char letter)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].short_name == letter)
			return &option_table[i];
	return NULL;
}

static int option_unknown(struct slice name)
{
	const char *names[OPTIONS_MAX], *near;
	char word[64];
	size_t count = 0;

	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].name && option_table[i].help)
			names[count++] = option_table[i].name;
	snprintf(word, sizeof(word), "%.*s", SLICE_FMT(slice_head(name, sizeof(word) - 1)));
	near = word_nearest(word, names, count);
	return config_wrong("unknown option --%.*s\n%s%s", SLICE_FMT(name),
			    near ? "did you mean --" : "see spantap --help", near ? near : "");
}

static int option_take(struct walk *walk, const struct option_row *row, const char *text)
{
	if (row->kind == OPTION_ANSWER) {
		walk->answer = walk->answer ? walk->answer : row;
		option_origin(walk->loaded, row)->kind = ORIGIN_OPTION;
		return 0;
	}
	return option_set(walk->loaded, row, text, (struct origin){ .kind = ORIGIN_OPTION, .where = row->name });
}

static int long_take(struct walk *walk, const char *text)
{
	struct slice value = slice_of(text), name = slice_cut(&value, '=');
	bool has_value = text[name.len] == '=';
	const struct option_row *row = row_by_name(name);

	if (!row)
		return option_unknown(name);
	if (!option_takes_value(row)) {
		if (has_value)
			return config_wrong("--%s takes no value\nwrite --%s alone", row->name, row->name);
		return option_take(walk, row, "true");
	}
	if (has_value)
		return option_take(walk, row, value.data);
	if (walk->at == walk->argc || strcmp(walk->argv[walk->at], "--") == 0)
		return config_wrong("--%s needs a value\nwrite --%s %s", row->name, row->name, row->arg);
	return option_take(walk, row, walk->argv[walk->at++]);
}

/* "-v", or several letters at once: "-vv". */
static int short_take(struct walk *walk, const char *letters)
{
	for (; *letters; letters++) {
		const struct option_row *row = row_by_letter(*letters);
		int r;

		if (!row)
			return config_wrong("unknown option -%c\nsee spantap --help", *letters);
		r = option_take(walk, row, "true");
		if (r < 0)
			return r;
	}
	return 0;
}

static int command_take(struct walk *walk, const char *word)
{
	const char *words[_COMMAND_MAX], *near;
	size_t count = 0;

	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		if (!command_table[i].word)
			continue;
		if (strcmp(command_table[i].word, word) == 0) {
			walk->loaded->config.command = (enum config_command)i;
			walk->has_command = true;
			return 0;
		}
		words[count++] = command_table[i].word;
	}
	near = word_nearest(word, words, count);
	if (near)
		return config_wrong("unknown command '%s'\ndid you mean %s", word, near);
	return config_wrong("unknown command '%s'\nto trace a command: spantap run -- %s ...", word, word);
}

static int word_take(struct walk *walk, char *word)
{
	const struct command_row *command = &command_table[walk->loaded->config.command];
	uint64_t number;

	if (!walk->has_command)
		return command_take(walk, word);
	if (walk->word_count == command->words_max && command->takes_cmd)
		return config_wrong("'%s' stands before --\nput -- before the command: spantap %s ... -- %s ...", word,
				    command->word, word);
	if (walk->word_count == command->words_max)
		return config_wrong("'%s' is too much\nusage: spantap %s %s", word, command->word, command->synopsis);
	if (command->words == WORD_PID && (number_parse(word, &number) < 0 || number == 0 || number > INT32_MAX))
		return config_wrong("'%s' is not a process id\nusage: spantap %s %s", word, command->word,
				    command->synopsis);
	if (command->words == WORD_CHOICE && !choice_has(command->noun, word))
		return config_wrong("'%s' is not one of %s\nusage: spantap %s %s", word, command->noun, command->word,
				    command->synopsis);
	walk->words[walk->word_count++] = word;
	return 0;
}

/* Everything up to "--" or the end. */
static int walk_all(struct walk *walk)
{
	while (walk->at < walk->argc) {
		char *arg = walk->argv[walk->at++];
		int r;

		if (strcmp(arg, "--") == 0) {
			walk->loaded->config.cmd = walk->argv + walk->at;
			return 0;
		}
		if (strncmp(arg, "--", 2) == 0)
			r = long_take(walk, arg + 2);
		else if (arg[0] == '-' && arg[1])
			r = short_take(walk, arg + 1);
		else
			r = word_take(walk, arg);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What was written, against what this command takes. */
static int command_check(struct walk *walk)
{
	struct config *config = &walk->loaded->config;
	const struct command_row *command = &command_table[config->command];

	if (!walk->has_command)
		return config_wrong("no command\n%s",
				    config->cmd ? "to trace a command: spantap run -- CMD ..." : "see spantap --help");
	for (size_t i = 0; i < option_count; i++)
		if (walk->loaded->origins[i].kind == ORIGIN_OPTION && !option_is_of(&option_table[i], config->command))
			return config_wrong("--%s is no option of %s\nsee spantap %s --help", option_table[i].name,
					    command->word, command->word);
	if (walk->answer)
		return 0;
	if (walk->word_count < command->words_min)
		return config_wrong("%s is missing\nusage: spantap %s %s", command->noun, command->word,
				    command->synopsis);
	if (config->cmd && !command->takes_cmd)
		return config_wrong("%s takes no command\nusage: spantap %s %s", command->word, command->word,
				    command->synopsis);
	if (config->cmd && !config->cmd[0])
		return config_wrong("no command behind --\nusage: spantap %s %s", command->word, command->synopsis);
	return 0;
}

int args_read(struct loaded *loaded, int argc, char **argv, const struct option_row **ret_answer)
{
	struct walk walk = { .loaded = loaded, .argv = argv, .argc = argc, .at = 1 };
	int r;

	walk.words = arena_alloc(loaded->arena, ((size_t)argc + 1) * sizeof(*walk.words));
	if (!walk.words)
		return -ENOMEM;
	r = walk_all(&walk);
	if (r < 0)
		return r;
	if (!walk.has_command && walk.answer)
		loaded->config.command = walk.answer->print == help_print_version ? COMMAND_VERSION : COMMAND_HELP;
	else
		r = command_check(&walk);
	if (r < 0)
		return r;
	loaded->config.argv = walk.words;
	loaded->config.argc = walk.word_count;
	*ret_answer = walk.answer;
	return 0;
}
