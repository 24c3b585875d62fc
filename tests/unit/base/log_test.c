/* SPDX-License-Identifier: Apache-2.0 */
/* Proven: a line is one line, whatever is in it; nothing in it speaks to a terminal; as JSON it can be read. */
#include "base/cleanup.h"
#include "base/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

/* What a log of @text writes, into @ret. */
static void logged(const char *text, bool is_json, char ret[static 512])
{
	int ends[2], kept = dup(STDERR_FILENO);
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	log_setup(LOG_INFO, is_json);
	log_warn(0, "cannot read '%s'", text);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	len = read(ends[0], ret, 511);
	assert_true(len > 0);
	ret[len] = 0;
	close(ends[0]);
	close(ends[1]);
	close(kept);
}

static void nothing_in_a_line_speaks_to_a_terminal(void **state)
{
	char line[512];

	logged("/tmp/\x1b[2J\n\r\x7f", false, line);
	assert_string_equal(line, "spantap: warning: cannot read '/tmp/?[2J??"
				  "?'\n");
	logged("/tmp/caf\xc3\xa9", false, line);
	assert_string_equal(line, "spantap: warning: cannot read '/tmp/caf\xc3\xa9'\n");
}

static void json_keeps_what_was_there(void **state)
{
	char line[512];

	logged("/tmp/\x1b\"", true, line);
	assert_non_null(strstr(line, "\"cannot read '/tmp/\\u001b\\\"'\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_in_a_line_speaks_to_a_terminal),
		cmocka_unit_test(json_keeps_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
