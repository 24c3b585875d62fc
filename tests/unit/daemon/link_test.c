/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: the last words of a half that is gone are read, also when it had not read ours; nobody waits for who does
 * not read. */
#include "base/cleanup.h"
#include "daemon/link.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static void the_last_words_are_read(void **state)
{
	for (int is_unread = 0; is_unread < 2; is_unread++) {
		char buffer[LINK_BYTES_MAX];
		int pair[2], fds[LINK_FD_COUNT];
		enum link_type type;
		struct slice payload;

		assert_int_equal(link_pair(pair), 0);
		assert_int_equal(link_receive(pair[0], buffer, &type, &payload, fds), -EAGAIN);
		if (is_unread)
			assert_int_equal(link_ask(pair[0], LINK_EXITED, "process", 7), 0);
		assert_int_equal(link_send(pair[1], LINK_DONE, "sums", 4, NULL), 0);
		close(pair[1]);
		assert_int_equal(link_receive(pair[0], buffer, &type, &payload, fds), 1);
		assert_int_equal(type, LINK_DONE);
		assert_true(slice_equal(payload, SLICE("sums")));
		assert_int_equal(link_receive(pair[0], buffer, &type, &payload, fds), 0);
		close(pair[0]);
	}
}

/* And what it still says itself is heard. */
static void who_reads_no_more_is_not_waited_for(void **state)
{
	static const char origin[4096];
	char buffer[LINK_BYTES_MAX];
	int pair[2], fds[LINK_FD_COUNT];
	enum link_type type;
	struct slice payload;

	assert_int_equal(link_pair(pair), 0);
	link_read_no_more(pair[1]);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(link_send(pair[0], LINK_ORIGIN, origin, sizeof(origin), NULL), -EPIPE);
	assert_int_equal(link_send(pair[1], LINK_DONE, "sums", 4, NULL), 0);
	assert_int_equal(link_receive(pair[0], buffer, &type, &payload, fds), 1);
	assert_int_equal(type, LINK_DONE);
	close(pair[0]);
	close(pair[1]);
}

static void a_question_does_not_wait(void **state)
{
	int pair[2], r, asked = 0;

	assert_int_equal(link_pair(pair), 0);
	while ((r = link_ask(pair[1], LINK_WHO, "process", 7)) == 0)
		asked++;
	assert_int_equal(r, -EAGAIN);
	assert_true(asked > 0);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_words_are_read),
		cmocka_unit_test(who_reads_no_more_is_not_waited_for),
		cmocka_unit_test(a_question_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
