/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: option beats environment beats file beats default, each value names its origin, no secret is shown.
 */
#include "config/option.h"
#include "load.h"

enum { DONE = 1, WRONG_USE = 3 };

static const struct layered {
	const char *name, *variable;
	const char *option, *environment, *file; /* values */
	const char *by_default;
} layered[] = {
	{ "sink", "SPANTAP_SINK", "console", "otlp", "[none]", "[console]  # default: no tracking URI is set\n" },
	{ "experiment", "MLFLOW_EXPERIMENT_NAME", "of-option", "of-environment", "of-file", NULL },
	{ "experiment-id", "MLFLOW_EXPERIMENT_ID", "1", "2", "3", NULL },
	{ "ring-bytes", "SPANTAP_RING_BYTES", "65536", "131072", "262144", "16777216  # default\n" },
	{ "max-memory", "SPANTAP_MAX_MEMORY", "10485760", "20971520", "31457280", "536870912  # default\n" },
	{ "max-spool", "SPANTAP_MAX_SPOOL", "10485760", "20971520", "31457280", "1073741824  # default\n" },
	{ "drain", "SPANTAP_DRAIN", "1", "2", "3", "30  # default\n" },
	{ "capture", "SPANTAP_CAPTURE", "none", "full", "none", "full  # default\n" },
	{ "state-dir", "SPANTAP_STATE_DIR", "/a", "/b", "/c", "/var/lib/spantap  # default\n" },
	{ "log-level", "SPANTAP_LOG_LEVEL", "error", "warn", "debug", "info  # default\n" },
	{ "log-format", "SPANTAP_LOG_FORMAT", "json", "text", "json", "text  # default\n" },
	{ "comm", NULL, "a", NULL, "[b]", NULL },
};

/* Line of `spantap config` that this setting must give. @layers: bit 0 file, bit 1 environment, bit 2 option. */
static void line_expect(const struct layered *row, unsigned layers, char *ret, size_t size)
{
	bool is_list = row->file[0] == '[';

	if (layers & 4)
		snprintf(ret, size, "\n%s: %s%s%s  # option --%s\n", row->name, is_list ? "[" : "", row->option,
			 is_list ? "]" : "", row->name);
	else if (layers & 2)
		snprintf(ret, size, "\n%s: %s%s%s  # environment %s\n", row->name, is_list ? "[" : "", row->environment,
			 is_list ? "]" : "", row->variable);
	else if (layers & 1)
		snprintf(ret, size, "\n%s: %s  # file %s\n", row->name, row->file, file_path);
	else if (row->by_default)
		snprintf(ret, size, "\n%s: %s", row->name, row->by_default);
	else
		snprintf(ret, size, "\n# %s:  # not set\n", row->name);
}

static void the_strongest_layer_wins_for_every_set_of_layers(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(layered); i++) {
		for (unsigned layers = 0; layers < 8; layers++) {
			const struct layered *row = &layered[i];
			char text[128] = "# nothing\n", option[64], expected[256], out[8192];
			struct load load;

			if ((layers & 2) && !row->variable)
				continue;
			room_clean(NULL);
			if (layers & 1)
				snprintf(text, sizeof(text), "%s: %s\n", row->name, row->file);
			if (layers & 2)
				setenv(row->variable, row->environment, 1);
			file_write("c.yaml", text);
			snprintf(option, sizeof(option), "--%s=%s", row->name, row->option);
			load = LOAD("config", "--config", file_path, layers & 4 ? option : "--log-level=info");
			if (!(layers & 4)) {
				load_end(&load);
				load = LOAD("config", "--config", file_path);
			}
			assert_int_equal(load.status, 0);
			line_expect(row, layers, expected, sizeof(expected));
			snprintf(out, sizeof(out), "\n%s", load.out);
			if (!strstr(out, expected))
				fail_msg("wanted '%s' in '%s'", expected, out);
			load_end(&load);
		}
	}
}

static void an_overridden_value_may_be_wrong(void **state)
{
	struct load load;

	setenv("SPANTAP_DRAIN", "soon", 1);
	load = LOAD("run", "--drain", "5");
	assert_int_equal(load.status, 0);
	assert_int_equal(load.config->drain_s, 5);
	load_end(&load);
	load = LOAD("run");
	assert_int_equal(load.status, WRONG_USE);
	assert_non_null(strstr(load.err, "SPANTAP_DRAIN: 'soon' is not a time"));
	load_end(&load);
	load = LOAD("doctor");
	assert_int_equal(load.status, 0);
	load_end(&load);
}

static void an_empty_variable_is_an_unset_one(void **state)
{
	struct load load;

	setenv("SPANTAP_STATE_DIR", "", 1);
	setenv("MLFLOW_TRACKING_URI", "", 1);
	setenv("SPANTAP_SINK", "", 1);
	load = LOAD("run");
	assert_int_equal(load.status, 0);
	assert_string_equal(load.config->state_dir, "/var/lib/spantap");
	assert_true(load.config->state_dir_is_default);
	assert_int_equal(load.config->sinks.count, 1);
	load_end(&load);
}

static void a_tracking_uri_adds_the_mlflow_sink(void **state)
{
	static const char *const commands[][2] = { { "run" }, { "attach", "1" }, { "replay", "f" } };

	setenv("MLFLOW_TRACKING_URI", "http://mlflow.test:5000", 1);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct load load = LOAD(commands[i][0], commands[i][1]);

		assert_int_equal(load.config->sinks.count, 2);
		assert_string_equal(load.config->sinks.items[0], "mlflow");
		assert_string_equal(load.config->sinks.items[1], "console");
		load_end(&load);
	}
	struct load load = LOAD("run", "--sink=none");
	assert_int_equal(load.config->sinks.count, 1);
	assert_string_equal(load.config->sinks.items[0], "none");
	load_end(&load);
}

static void the_stronger_experiment_wins_and_of_equals_the_id(void **state)
{
	struct load load;

	setenv("MLFLOW_EXPERIMENT_NAME", "name", 1);
	setenv("MLFLOW_EXPERIMENT_ID", "7", 1);
	load = LOAD("run");
	assert_null(load.config->experiment);
	assert_string_equal(load.config->experiment_id, "7");
	load_end(&load);
	load = LOAD("run", "--experiment", "mine");
	assert_string_equal(load.config->experiment, "mine");
	assert_null(load.config->experiment_id);
	load_end(&load);
}

static void an_otlp_base_address_gets_its_route(void **state)
{
	static const char *const cases[][3] = {
		/* traces endpoint, endpoint, result */
		{ NULL, "http://c:4318", "http://c:4318/v1/traces" },
		{ NULL, "http://c:4318/", "http://c:4318/v1/traces" },
		{ NULL, "http://c/otlp//", "http://c/otlp/v1/traces" },
		{ "http://t/x/", "http://c:4318", "http://t/x/" },
		{ "", "http://c:4318", "http://c:4318/v1/traces" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct load load;

		room_clean(NULL);
		if (cases[i][0])
			setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", cases[i][0], 1);
		setenv("OTEL_EXPORTER_OTLP_ENDPOINT", cases[i][1], 1);
		load = LOAD("run");
		assert_string_equal(load.config->otlp_endpoint, cases[i][2]);
		load_end(&load);
	}
}

static void secrets_are_never_shown(void **state)
{
	struct load load;

	setenv("MLFLOW_TRACKING_URI", "https://ann:hunter/2@x@host:5000/p?key=hunter2", 1);
	setenv("MLFLOW_TRACKING_TOKEN", "hunter2", 1);
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic hunter2=, x-key=hunter2", 1);
	setenv("SPANTAP_CONFIG",
	       file_write("s.yaml", "mlflow:\n  password: hunter2\notlp:\n  endpoint: http://hunter2@c/\n"), 1);
	load = LOAD("config", "--sink", "mlflow:http://u:hunter2@h/", "--sink", "otlp:http://h/?hunter2");
	assert_int_equal(load.status, 0);
	assert_string_equal(load.config->mlflow_password, "hunter2");
	assert_string_equal(load.config->otlp_headers, "authorization=Basic hunter2=, x-key=hunter2");
	assert_null(strstr(load.out, "hunter"));
	assert_null(strstr(load.err, "hunter"));
	assert_non_null(strstr(load.out, "[\"mlflow:http://****@h/\", \"otlp:http://h/?****\"]"));
	assert_non_null(strstr(load.out, "uri: \"https://****@host:5000/p?****\""));
	assert_non_null(strstr(load.out, "headers: \"authorization=****,x-key=****\""));
	assert_non_null(strstr(load.out, "password: \"****\""));
	load_end(&load);
}

static const char *value_only(char *line)
{
	char *comment = strstr(line, "  # ");

	if (comment)
		*comment = 0;
	return line;
}

/* Everything but comments: a file that was printed, printed again. */
static void what_is_printed_loads_as_the_same(void **state)
{
	struct load first = LOAD("config", "--sink=otlp-file:/t/a \"b\"\\c,d.json", "--comm=py*",
				 "--comm=\x01\xc3\xa9: #", "--exclude-uid=root", "--ring-bytes=1M", "--drain=2m",
				 "--experiment= - x ", "--state-dir=-", "-q");
	struct load second;
	char *a, *b, *a_save, *b_save;

	assert_int_equal(first.status, 0);
	second = LOAD("config", "--config", file_write("printed.yaml", first.out));
	assert_int_equal(second.status, 0);
	a = strtok_r(first.out, "\n", &a_save);
	b = strtok_r(second.out, "\n", &b_save);
	for (; a && b; a = strtok_r(NULL, "\n", &a_save), b = strtok_r(NULL, "\n", &b_save)) {
		if (a[0] == '#')
			continue;
		assert_string_equal(value_only(a), value_only(b));
	}
	assert_true(!a && !b);
	load_end(&first);
	load_end(&second);
}

static void the_credentials_file_is_the_last_resort(void **state)
{
	struct load load;

	snprintf(file_path, sizeof(file_path), "%s/.mlflow", home);
	assert_int_equal(mkdir(file_path, 0700), 0);
	file_write(".mlflow/credentials",
		   "[other]\nmlflow_tracking_username = no\n[mlflow]\n# mlflow_tracking_password = no\n"
		   "mlflow_tracking_username = ann\nMLFLOW_TRACKING_PASSWORD: p=%%:1 \nx\n[last]\n"
		   "mlflow_tracking_password=no\n");
	load = LOAD("config");
	assert_string_equal(load.config->mlflow_user, "ann");
	assert_string_equal(load.config->mlflow_password, "p=%:1");
	assert_non_null(strstr(load.out, "/.mlflow/credentials\n"));
	load_end(&load);
	setenv("MLFLOW_TRACKING_PASSWORD", "mine", 1);
	load = LOAD("run");
	assert_string_equal(load.config->mlflow_user, "ann");
	assert_string_equal(load.config->mlflow_password, "mine");
	load_end(&load);
	file_write(".mlflow/credentials", "");
}

/* Values so long that memory ends in one place after the other. */
static void memory_that_ends_anywhere_is_a_failure_not_a_crash(void **state)
{
	size_t failed = 0, loaded = 0, size = 5 << 20;
	char *value = calloc(1, size + 1);

	memset(value, 'x', size);
	for (; size > 4096; size -= MAX(size / 24, 64)) {
		struct load load;

		value[size] = 0;
		setenv("SPANTAP_STATE_DIR", value, 1);
		setenv("MLFLOW_EXPERIMENT_NAME", value, 1);
		load = LOAD("run", "--comm=a", "--", "true");
		assert_true(load.status == 0 || load.status == 126);
		assert_true(!load.config == (load.status != 0));
		failed += load.status != 0;
		loaded += load.status == 0;
		load_end(&load);
	}
	assert_true(failed > 10 && loaded > 10);
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_strongest_layer_wins_for_every_set_of_layers, room_clean),
		cmocka_unit_test_setup(an_overridden_value_may_be_wrong, room_clean),
		cmocka_unit_test_setup(an_empty_variable_is_an_unset_one, room_clean),
		cmocka_unit_test_setup(a_tracking_uri_adds_the_mlflow_sink, room_clean),
		cmocka_unit_test_setup(the_stronger_experiment_wins_and_of_equals_the_id, room_clean),
		cmocka_unit_test_setup(an_otlp_base_address_gets_its_route, room_clean),
		cmocka_unit_test_setup(secrets_are_never_shown, room_clean),
		cmocka_unit_test_setup(what_is_printed_loads_as_the_same, room_clean),
		cmocka_unit_test_setup(the_credentials_file_is_the_last_resort, room_clean),
		cmocka_unit_test_setup(memory_that_ends_anywhere_is_a_failure_not_a_crash, room_clean),
	};

	return cmocka_run_group_tests_name("config layers", tests, room_new, room_gone);
}
