/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: the command line means what the manual page says, and wrong use costs two lines and status 2. */
#include "config/option.h"
#include "load.h"

enum { DONE = 1, WRONG_USE = 3 };

static size_t lines_of(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static const struct {
	const char *words[8];
	const char *cause, *remedy;
} wrong_uses[] = {
	{ { NULL }, "no command", "spantap --help" },
	{ { "--", "python" }, "no command", "spantap run -- CMD" },
	{ { "rnu", "--", "x" }, "unknown command 'rnu'", "did you mean run" },
	{ { "python", "x.py" }, "unknown command 'python'", "spantap run -- python" },
	{ { "run", "--snik", "console" }, "unknown option --snik", "did you mean --sink" },
	{ { "run", "--zzzzzzzz" }, "unknown option --zzzzzzzz", "spantap --help" },
	{ { "run", "-x" }, "unknown option -x", "spantap --help" },
	{ { "run", "python", "x.py" }, "'python' stands before --", "put -- before the command" },
	{ { "run", "python", "-c", "x" }, "'python' stands before --", "spantap run ... -- python ..." },
	{ { "record", "file", "python" }, "'python' stands before --", "put -- before the command" },
	{ { "run", "--" }, "no command behind --", "usage: spantap run" },
	{ { "run", "--drain" }, "--drain needs a value", "write --drain SECONDS" },
	{ { "run", "--drain", "--", "x" }, "--drain needs a value", "write --drain SECONDS" },
	{ { "run", "--drain", "soon" }, "--drain: 'soon' is not a time", "whole seconds" },
	{ { "run", "--drain", "-1" }, "--drain: '-1' is not a time", "whole seconds" },
	{ { "run", "--drain=" }, "--drain is empty", "whole seconds" },
	{ { "run", "--drain", "99999999999999999999" }, "is not a time", "whole seconds" },
	{ { "run", "--ring-bytes", "8Q" }, "--ring-bytes: '8Q' is not a size", "K, M or G" },
	{ { "run", "--ring-bytes", "0x10" }, "--ring-bytes: '0x10' is not a size", "K, M or G" },
	{ { "run", "--ring-bytes", "3G" }, "--ring-bytes: '3G' is too large", "at most 2048M" },
	{ { "run", "--ring-bytes", "99999999999G" }, "is not a size", "K, M or G" },
	{ { "run", "--max-memory", "1K" }, "--max-memory: '1K' is too small", "at least 1M" },
	{ { "run", "--capture", "half" }, "--capture: 'half'", "full|none" },
	{ { "run", "--log-level", "loud" }, "--log-level: 'loud'", "error|warn|info|debug" },
	{ { "run", "--pid", "0" }, "--pid: '0' is not a process id", "positive" },
	{ { "run", "--exclude-pid", "1x" }, "--exclude-pid: '1x' is not a process id", "positive" },
	{ { "run", "--uid", "no such user" }, "--uid: 'no such user' is not a user", "user id" },
	{ { "run", "--ready-fd", "77" }, "--ready-fd: '77' is not an open file descriptor", "--ready-fd 3" },
	{ { "run", "--experiment", "a", "--experiment-id", "1" }, "exclude each other", "one of them" },
	{ { "run", "--verbose=2" }, "--verbose takes no value", "write --verbose" },
	{ { "run", "--json" }, "--json is no option of run", "spantap run --help" },
	{ { "--json", "run" }, "--json is no option of run", "spantap run --help" },
	{ { "run", "--dump-options" }, "--dump-options is no option of run", "--help" },
	{ { "record", "--sink", "console", "f" }, "--sink is no option of record", "record --help" },
	{ { "record" }, "FILE is missing", "usage: spantap record" },
	{ { "replay" }, "FILE is missing", "usage: spantap replay" },
	{ { "replay", "a", "b" }, "'b' is too much", "usage: spantap replay" },
	{ { "replay", "a", "--", "b" }, "replay takes no command", "usage: spantap replay" },
	{ { "attach" }, "PID is missing", "usage: spantap attach" },
	{ { "attach", "12", "bash" }, "'bash' is not a process id", "usage: spantap attach" },
	{ { "doctor", "0" }, "'0' is not a process id", "usage: spantap doctor" },
	{ { "targets", "x" }, "'x' is too much", "usage: spantap targets" },
	{ { "spool" }, "status|dead|retry is missing", "usage: spantap spool" },
	{ { "spool", "statsu" }, "'statsu' is not one of status|dead|retry", "usage: spantap spool" },
	{ { "run", "--config", "/nonexistent" }, "cannot read /nonexistent", "--config FILE" },
	{ { "run", "--config", "/" }, "cannot read /: Is a directory", "--config FILE" },
};

static void wrong_use_is_one_cause_and_one_remedy(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong_uses); i++) {
		struct load load = load_run(wrong_uses[i].words);

		if (load.status != WRONG_USE || !strstr(load.err, wrong_uses[i].cause) ||
		    !strstr(load.err, wrong_uses[i].remedy) || lines_of(load.err) != 2 || *load.out)
			fail_msg("case %zu: status %d, '%s'", i, load.status, load.err);
		load_end(&load);
	}
}

static void too_many_values_are_refused(void **state)
{
	const char *words[2 * CONFIG_LIST_MAX + 4] = { "run" };
	struct load load;

	for (size_t i = 0; i < 2 * CONFIG_LIST_MAX; i += 2) {
		words[1 + i] = "--comm";
		words[2 + i] = "python*";
	}
	load = load_run(words);
	assert_int_equal(load.status, 0);
	assert_int_equal(load.config->comm.count, CONFIG_LIST_MAX);
	load_end(&load);
	words[2 * CONFIG_LIST_MAX + 1] = "--comm=node";
	load = load_run(words);
	assert_int_equal(load.status, WRONG_USE);
	assert_non_null(strstr(load.err, "--comm: more than 64 values"));
	load_end(&load);
}

static void words_behind_the_dashes_belong_to_the_command(void **state)
{
	struct load load = LOAD("run", "-v", "--", "python", "--sink", "--", "-q");

	assert_int_equal(load.status, 0);
	assert_int_equal(load.config->command, COMMAND_RUN);
	assert_int_equal(load.config->verbosity, 1);
	assert_string_equal(load.config->cmd[0], "python");
	assert_string_equal(load.config->cmd[1], "--sink");
	assert_string_equal(load.config->cmd[2], "--");
	assert_string_equal(load.config->cmd[3], "-q");
	assert_null(load.config->cmd[4]);
	assert_int_equal(load.config->argc, 0);
	load_end(&load);
}

/* The same words in every order that keeps an option beside its value. */
static void the_order_of_options_and_words_is_free(void **state)
{
	static const char *const orders[][7] = {
		{ "replay", "in.rec", "--sink", "console", "--drain=5", "-vv" },
		{ "--sink", "console", "replay", "--drain=5", "in.rec", "-vv" },
		{ "-v", "--sink=console", "--drain", "5", "-v", "replay", "in.rec" },
		{ "--drain", "5", "-vv", "replay", "--sink", "console", "in.rec" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const char *words[8] = { 0 };
		struct load load;

		memcpy(words, orders[i], sizeof(orders[i]));
		load = load_run(words);
		assert_int_equal(load.status, 0);
		assert_int_equal(load.config->command, COMMAND_REPLAY);
		assert_int_equal(load.config->argc, 1);
		assert_string_equal(load.config->argv[0], "in.rec");
		assert_null(load.config->argv[1]);
		assert_int_equal(load.config->sinks.count, 1);
		assert_string_equal(load.config->sinks.items[0], "console");
		assert_null(load.config->sinks.items[1]);
		assert_int_equal(load.config->drain_s, 5);
		assert_int_equal(load.config->verbosity, 2);
		assert_string_equal(load.config->log_level, "debug");
		load_end(&load);
	}
}

static void each_command_takes_its_words(void **state)
{
	struct load load = LOAD("attach", "12", "2147483647");

	assert_int_equal(load.config->command, COMMAND_ATTACH);
	assert_int_equal(load.config->argc, 2);
	assert_string_equal(load.config->argv[1], "2147483647");
	load_end(&load);
	load = LOAD("record", "out.rec", "--", "true");
	assert_string_equal(load.config->argv[0], "out.rec");
	assert_string_equal(load.config->cmd[0], "true");
	load_end(&load);
	load = LOAD("spool", "--json", "dead");
	assert_true(load.config->json);
	assert_string_equal(load.config->argv[0], "dead");
	load_end(&load);
	load = LOAD("replay", "-");
	assert_string_equal(load.config->argv[0], "-");
	load_end(&load);
	load = LOAD("doctor");
	assert_int_equal(load.status, 0);
	load_end(&load);
}

static void the_ring_is_rounded_up_to_a_power_of_two(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 64 << 10 },       { "1", 64 << 10 },    { "64K", 64 << 10 },          { "65537", 128 << 10 },
		{ "100k", 128 << 10 },   { "8M", 8 << 20 },    { "9m", 16 << 20 },           { "1G", 1ull << 30 },
		{ "1025M", 2ull << 30 }, { "2g", 2ull << 30 }, { "2147483648", 2ull << 30 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct load load = LOAD("run", "--ring-bytes", cases[i].text);

		assert_int_equal(load.status, 0);
		assert_int_equal(load.config->ring_bytes, cases[i].bytes);
		load_end(&load);
	}
}

static void filters_go_where_they_belong(void **state)
{
	struct load load = LOAD("run", "--pid=1", "--exclude-pid=2", "--comm=a", "--exclude-comm=b", "--exe=c",
				"--exclude-exe=d", "--uid=root", "--exclude-uid=5", "--cgroup=e", "--exclude-cgroup=f",
				"--container=g", "--exclude-container=h", "--pid", "3", "--ready-fd=1");
	struct config *config = load.config;

	assert_int_equal(load.status, 0);
	assert_string_equal(config->pid.items[0], "1");
	assert_string_equal(config->pid.items[1], "3");
	assert_null(config->pid.items[2]);
	assert_string_equal(config->not_pid.items[0], "2");
	assert_string_equal(config->comm.items[0], "a");
	assert_string_equal(config->not_comm.items[0], "b");
	assert_string_equal(config->exe.items[0], "c");
	assert_string_equal(config->not_exe.items[0], "d");
	assert_string_equal(config->uid.items[0], "0");
	assert_string_equal(config->not_uid.items[0], "5");
	assert_string_equal(config->cgroup.items[0], "e");
	assert_string_equal(config->not_cgroup.items[0], "f");
	assert_string_equal(config->container.items[0], "g");
	assert_string_equal(config->not_container.items[0], "h");
	assert_int_equal(config->ready_fd, 1);
	load_end(&load);
}

/* The option with a value that is right for its kind. */
static void option_write(const struct option_row *row, char *ret, size_t size)
{
	struct slice choices = slice_of(row->arg), first = slice_cut(&choices, '|');

	if (!option_takes_value(row))
		snprintf(ret, size, "--%s", row->name);
	else if (row->kind == OPTION_CHOICE)
		snprintf(ret, size, "--%s=%.*s", row->name, SLICE_FMT(first));
	else
		snprintf(ret, size, "--%s=%s", row->name, row->kind == OPTION_SIZE ? "2M" : "1");
}

/* Each option against each command: in its help exactly when it is taken. */
static void help_lists_what_is_taken_and_no_more(void **state)
{
	for (unsigned command = 0; command < COMMAND_HELP; command++) {
		struct load help = LOAD(command_table[command].word, "--help");

		assert_int_equal(help.status, DONE);
		assert_string_equal(help.err, "");
		for (size_t i = 0; i < option_count; i++) {
			const struct option_row *row = &option_table[i];
			char in_help[64], option[64];
			struct load load;

			if (!row->name || !row->help)
				continue;
			snprintf(in_help, sizeof(in_help), "--%s ", row->name);
			option_write(row, option, sizeof(option));
			assert_true(!strstr(help.out, in_help) == !option_is_of(row, (enum config_command)command));
			load = LOAD(command_table[command].word, option, "--help");
			assert_true(!strstr(load.err, "is no option of") ==
				    option_is_of(row, (enum config_command)command));
			load_end(&load);
		}
		load_end(&help);
	}
}

static void help_and_version_answer_on_stdout(void **state)
{
	static const char *const words[][3] = { { "--help" }, { "-h" }, { "run", "-h" }, { "attach", "--help" } };
	struct load load;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		load = load_run((const char *[]){ words[i][0], words[i][1], NULL });
		assert_int_equal(load.status, DONE);
		assert_int_equal(strncmp(load.out, "Usage: spantap ", 15), 0);
		assert_string_equal(load.err, "");
		load_end(&load);
	}
	load = LOAD("-V");
	assert_int_equal(load.status, DONE);
	assert_string_equal(load.out, "spantap " SPANTAP_VERSION "\n");
	load_end(&load);
	load = LOAD("run", "--version");
	assert_string_equal(load.out, "spantap " SPANTAP_VERSION "\n");
	load_end(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(wrong_use_is_one_cause_and_one_remedy, room_clean),
		cmocka_unit_test_setup(too_many_values_are_refused, room_clean),
		cmocka_unit_test_setup(words_behind_the_dashes_belong_to_the_command, room_clean),
		cmocka_unit_test_setup(the_order_of_options_and_words_is_free, room_clean),
		cmocka_unit_test_setup(each_command_takes_its_words, room_clean),
		cmocka_unit_test_setup(the_ring_is_rounded_up_to_a_power_of_two, room_clean),
		cmocka_unit_test_setup(filters_go_where_they_belong, room_clean),
		cmocka_unit_test_setup(help_lists_what_is_taken_and_no_more, room_clean),
		cmocka_unit_test_setup(help_and_version_answer_on_stdout, room_clean),
	};

	return cmocka_run_group_tests_name("config args", tests, room_new, room_gone);
}
