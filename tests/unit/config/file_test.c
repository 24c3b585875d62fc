/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a wrong file is refused with key and line, no file does harm, and what we ship beside the program is
 * true.
 */
#include "config/option.h"
#include "load.h"

enum { DONE = 1, WRONG_USE = 3 };

static char *text_of(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 128 << 10);

	assert_non_null(file);
	assert_true(fread(text, 1, (128 << 10) - 1, file) > 0);
	fclose(file);
	return text;
}

static void a_wrong_file_is_refused_with_key_and_line(void **state)
{
	static const struct {
		const char *text, *cause;
	} cases[] = {
		{ "drain: 5\n\nsnik: [x]\n", ":3: unknown key snik" },
		{ "drain: 5\nmlflow:\n  uri: http://h\n  passwd : x\n", ":4: unknown key passwd" },
		{ "{drain: 5, snik: 1}\n", ":1: unknown key snik" },
		{ "drain: 5\ncapture: none\ndrain: 6\n", ":3: a second time the key drain" },
		{ "capture: full\nsink: console\n", ":2: a list is wanted here" },
		{ "capture: full\ndrain: [5]\n", ":2: one value is wanted here" },
		{ "capture: full\nmlflow: x\n", ":2: keys are wanted here" },
		{ "comm: [a, [b]]\n", ":1: one value is wanted here" },
		{ "- run\n", ": keys are wanted here" },
		{ "drain: \"5\n", ":1: not YAML: " },
		{ "\tdrain: 5\n", ": not YAML: " },
		{ "drain: *x\n", ":1: No anchor found" },
		{ "drain: 5\n---\ndrain: 6\n", ": a second document" },
		{ "drain: soon\n", ": drain: 'soon' is not a time" },
		{ "comm: [\"\"]\n", ": comm is empty" },
		{ "mlflow:\n  insecure: perhaps\n", ": mlflow.insecure: 'perhaps' is not true or false" },
		{ "pid: [1, x]\n", ": pid: 'x' is not a process id" },
		{ "json: true\n", ":1: unknown key json" },
		{ "config: x\n", ":1: unknown key config" },
		{ "mlflow.uri: x\n", ":1: unknown key mlflow.uri" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct load load = LOAD("run", "--config", file_write("wrong.yaml", cases[i].text));
		char expected[256];

		snprintf(expected, sizeof(expected), "spantap: %s%s", file_path, cases[i].cause);
		if (load.status != WRONG_USE || strncmp(load.err, expected, strlen(expected)) != 0)
			fail_msg("wanted '%s', got %d '%s'", expected, load.status, load.err);
		load_end(&load);
	}
}

static void nothing_in_a_file_is_no_error(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# only this\n", "mlflow:\ndrain: \"\"\nsink:\n",
					     "sink: []\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct load load = LOAD("run", "--config", file_write("empty.yaml", texts[i]));

		assert_int_equal(load.status, 0);
		assert_int_equal(load.config->drain_s, 30);
		assert_string_equal(load.config->sinks.items[0], "console");
		load_end(&load);
	}
}

/* Keys that only another command uses are known all the same. */
static void one_file_serves_all_commands(void **state)
{
	file_write("all.yaml", "sink: [none]\nring-bytes: nonsense\nlog-level: debug\n");
	struct load load = LOAD("doctor", "--config", file_path);

	assert_int_equal(load.status, 0);
	assert_string_equal(load.config->log_level, "debug");
	load_end(&load);
}

static void a_secret_that_others_can_read_is_told(void **state)
{
	struct load load;

	file_write("secret.yaml", "mlflow: {token: hunter2}\n");
	load = LOAD("run", "--config", file_path);
	assert_string_equal(load.config->mlflow_token, "hunter2");
	assert_string_equal(load.err, "");
	load_end(&load);
	assert_int_equal(chmod(file_path, 0644), 0);
	load = LOAD("run", "--config", file_path);
	assert_string_equal(load.config->mlflow_token, "hunter2");
	assert_non_null(strstr(load.err, "chmod 600"));
	load_end(&load);
}

static void a_file_too_large_is_refused(void **state)
{
	char *text = calloc(1, (300 << 10) + 1);
	struct load load;

	memset(text, '#', 300 << 10);
	load = LOAD("run", "--config", file_write("large.yaml", text));
	assert_int_equal(load.status, WRONG_USE);
	assert_non_null(strstr(load.err, "File too large"));
	load_end(&load);
	free(text);
}

/* A "#" before a setting is taken away; prose has a blank behind its "#", and settings of a group have two. */
static void example_uncomment(char *text)
{
	char *to = text;

	for (char *line = text; *line; line++) {
		bool is_start = line == text || line[-1] == '\n';

		if (is_start && line[0] == '#' && (line[1] != ' ' || line[2] == ' ') && line[1] != '\n')
			continue;
		*to++ = *line;
	}
	*to = 0;
}

static void the_example_names_every_key_and_loads(void **state)
{
	char *text = text_of("deploy/config/spantap.yaml");
	struct load load = LOAD("config", "--config", "deploy/config/spantap.yaml");

	assert_int_equal(load.status, 0);
	assert_null(strstr(load.out, "# file "));
	load_end(&load);
	example_uncomment(text);
	load = LOAD("config", "--config", file_write("example.yaml", text));
	assert_string_equal(load.err, "");
	assert_int_equal(load.status, 0);
	for (size_t i = 0; i < option_count; i++) {
		const char *key = option_table[i].key;
		char line[64];

		if (!key)
			continue;
		key = strchr(key, '.') ? strchr(key, '.') + 1 : key;
		snprintf(line, sizeof(line), "%s:", key);
		if (!strstr(text, line))
			fail_msg("the example lacks %s", option_table[i].key);
	}
	assert_int_equal(load.config->ring_bytes, 16 << 20);
	assert_int_equal(load.config->drain_s, 30);
	load_end(&load);
	free(text);
}

/* Cut anywhere, or with any byte changed, it loads or it is refused. */
static void any_damage_to_a_file_is_survived(void **state)
{
	static const char text[] =
		"sink: [\"mlflow:http://h\", console]\nmlflow: &m\n  uri: 'x'\n  token: !t |\n    a\n"
		"pid:\n - 1\n - 2\ndrain: 3\n? capture\n: none\notlp: {headers: a=b}\n";
	static const char bytes[] = "\0\t\n :#'\"[]{}-&*!|?,%@`\x80\xff~";
	size_t refused = 0, loaded = 0;

	for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			char damaged[sizeof(text)];
			struct load load;

			memcpy(damaged, text, sizeof(text));
			damaged[cut] = i < sizeof(bytes) - 1 ? bytes[i] : text[cut];
			load = LOAD("run", "--config", file_write("damaged.yaml", damaged));
			assert_true(load.status == 0 || load.status == WRONG_USE);
			refused += load.status != 0;
			loaded += load.status == 0;
			load_end(&load);
		}
	}
	assert_true(refused > 0 && loaded > 0);
}

static void the_manual_page_says_what_the_table_says(void **state)
{
	struct load load = LOAD("config", "--dump-options");
	char *page = text_of("deploy/man/spantap.1");

	assert_int_equal(load.status, DONE);
	assert_true(strlen(load.out) > 1000);
	if (!strstr(page, load.out))
		fail_msg("deploy/man/spantap.1 is behind the option table: run deploy/man/update build/spantap");
	free(page);
	load_end(&load);
}

static void the_completion_knows_every_option_and_command(void **state)
{
	char *text = text_of("deploy/completions/spantap.bash");

	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		char word[64];

		if (!row->name || !option_takes_value(row))
			continue;
		snprintf(word, sizeof(word), "--%s ", row->name);
		if (!strstr(text, word)) {
			snprintf(word, sizeof(word), "--%s)", row->name);
			if (!strstr(text, word))
				fail_msg("no completion for the value of --%s", row->name);
		}
	}
	for (size_t i = 0; i < COMMAND_HELP; i++)
		assert_non_null(strstr(strstr(text, "local commands="), command_table[i].word));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_wrong_file_is_refused_with_key_and_line, room_clean),
		cmocka_unit_test_setup(nothing_in_a_file_is_no_error, room_clean),
		cmocka_unit_test_setup(one_file_serves_all_commands, room_clean),
		cmocka_unit_test_setup(a_secret_that_others_can_read_is_told, room_clean),
		cmocka_unit_test_setup(a_file_too_large_is_refused, room_clean),
		cmocka_unit_test_setup(the_example_names_every_key_and_loads, room_clean),
		cmocka_unit_test_setup(any_damage_to_a_file_is_survived, room_clean),
		cmocka_unit_test_setup(the_manual_page_says_what_the_table_says, room_clean),
		cmocka_unit_test_setup(the_completion_knows_every_option_and_command, room_clean),
	};

	return cmocka_run_group_tests_name("config file", tests, room_new, room_gone);
}
