/* SPDX-License-Identifier: Apache-2.0 */
/* Help, manual page section and near misses, all told from the table, so they cannot promise what is not there. */
#include "config/option.h"

enum { COLUMN_HELP = 30, COLUMN_END = 100 };

/* @text from column @at on, broken at blanks; continuation lines begin at COLUMN_HELP. */
static void paragraph_print(const char *text, int at)
{
	struct slice rest = slice_of(text);

	if (at >= COLUMN_HELP) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", COLUMN_HELP - at, "");
	at = COLUMN_HELP;
	while (rest.len) {
		struct slice word = slice_cut(&rest, ' ');

		if (at > COLUMN_HELP && at + 1 + (int)word.len > COLUMN_END) {
			printf("\n%*s", COLUMN_HELP, "");
			at = COLUMN_HELP;
		}
		at += printf("%s%.*s", at > COLUMN_HELP ? " " : "", SLICE_FMT(word));
	}
	putchar('\n');
}

static void option_print(const struct option_row *row)
{
	char text[512];
	int at;

	if (row->short_name)
		at = printf("  -%c, --%s", row->short_name, row->name);
	else
		at = printf("      --%s%s%s", row->name, row->arg ? " " : "", row->arg ? row->arg : "");
	snprintf(text, sizeof(text), "%s%s%s%s", row->help, row->by_default ? " (" : "",
		 row->by_default ? row->by_default : "", row->by_default ? ")" : "");
	paragraph_print(text, at);
}

static void options_print(enum config_command command)
{
	const char *section = NULL, *printed = NULL;

	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];

		section = row->section ? row->section : section;
		if (!row->name || !row->help || !option_is_of(row, command))
			continue;
		if (section != printed)
			printf("\n%s:\n", section);
		printed = section;
		option_print(row);
	}
}

static void commands_print(void)
{
	printf("Usage: spantap COMMAND [OPTIONS] ...\n\n"
	       "Sees the LLM traffic of any process from the kernel and delivers it as traces to MLflow.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < _COMMAND_MAX; i++)
		if (command_table[i].word)
			paragraph_print(command_table[i].help,
					printf("  %s %s", command_table[i].word, command_table[i].synopsis));
	options_print(COMMAND_HELP);
	printf("\nspantap COMMAND --help lists the options of a command, spantap(1) has it all.\n");
}

void help_print(enum config_command command)
{
	const struct command_row *row = &command_table[command];

	if (!row->word)
		return commands_print();
	printf("Usage: spantap %s %s\n\n%s\n%s", row->word, row->synopsis, row->help, row->more ? row->more : "");
	options_print(command);
}

void help_print_version(enum config_command command)
{
	printf("spantap %s\n", SPANTAP_VERSION);
}

/* roff reads a leading dot or quote as a request and breaks words at a plain minus. */
static void roff_print(const char *text)
{
	for (; *text; text++) {
		if (*text == '-' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void manual_note(const char *title, const char *text)
{
	if (!text)
		return;
	printf(" %s: ", title);
	roff_print(text);
	putchar('.');
}

static void manual_option(const struct option_row *row)
{
	printf(".TP\n");
	if (!row->name) {
		printf(".B ");
		roff_print(row->key);
	} else {
		printf(".BR ");
		if (row->short_name)
			printf("\\-%c \", \" ", row->short_name);
		printf("\\-\\-");
		roff_print(row->name);
	}
	if (row->arg) {
		printf(row->name ? " \" \\fI" : " \\fI");
		roff_print(row->arg);
		printf(row->name ? "\\fR\"" : "\\fR");
	}
	putchar('\n');
	roff_print(row->help);
	putchar('.');
	manual_note("Default", row->by_default);
	manual_note("Environment", row->env[0].name);
	if (row->env[1].name) {
		printf(" Else ");
		roff_print(row->env[1].name);
		printf("%s%s%s.", row->env[1].suffix ? " with " : "", row->env[1].suffix ? row->env[1].suffix : "",
		       row->env[1].suffix ? " behind it" : "");
	}
	manual_note("File", row->name ? row->key : NULL);
	putchar('\n');
}

/* The options of spantap(1), in man(7). */
void help_print_manual(enum config_command command)
{
	for (size_t i = 0; i < option_count; i++) {
		if (option_table[i].section)
			printf(".SS %s\n", option_table[i].section);
		if (option_table[i].help)
			manual_option(&option_table[i]);
	}
}

/* Levenshtein's distance; words over 31 letters are near to nothing. */
static unsigned distance(const char *a, const char *b)
{
	size_t b_len = strlen(b);
	unsigned row[32];

	if (strlen(a) >= ARRAY_SIZE(row) || b_len >= ARRAY_SIZE(row))
		return UINT32_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < b_len; j++) {
			unsigned replaced = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = MIN(replaced, MIN(row[j], row[j + 1]) + 1);
		}
	}
	return row[b_len];
}

const char *word_nearest(const char *word, const char *const *words, size_t count)
{
	unsigned best = (unsigned)strlen(word) / 3 + 1; /* farther than that is another word */
	const char *near = NULL;

	for (size_t i = 0; i < count; i++) {
		unsigned far = distance(word, words[i]);

		if (far <= best) {
			best = far - (far > 0);
			near = words[i];
		}
	}
	return near;
}
