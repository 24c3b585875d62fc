/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: whatever set of records a server refuses, exactly these are buried and the others arrive once each; a
 * server in trouble buries nobody; every batch comes to an end. */
#include "sink/batch.h"
#include "unit/support.h"
#include <errno.h>

struct bed {
	struct sink sink;
	struct sink_kind kind;
	struct batch batch;
	struct record records[SINK_BATCH_MAX];
	bool poison[SINK_BATCH_MAX];
	enum answer refusal; /* how the server says that a range has poison in it */
	enum answer trouble; /* answer to everything, when not TAKEN */
	size_t too_many;     /* answers TOO_BIG above this; 0: never */
	unsigned taken[SINK_BATCH_MAX];
	unsigned posts, dones;
	struct sink_verdict verdicts[SINK_BATCH_MAX];
	unsigned retry_ms;
	bool is_experiment_gone;
};

static struct bed *bed_of(struct sink *sink)
{
	return sink->user;
}

static void note_done(void *user, struct sink *sink, const struct sink_verdict *verdicts, size_t count,
		      unsigned retry_ms)
{
	struct bed *bed = user;

	bed->dones++;
	bed->retry_ms = retry_ms;
	memcpy(bed->verdicts, verdicts, count * sizeof(*verdicts));
}

static void note_state(void *user, struct sink *sink, bool is_well, const char *text)
{
}

static const struct sink_ops ops = { .done = note_done, .state = note_state };

static int post(struct sink *sink, struct range range)
{
	struct bed *bed = bed_of(sink);
	enum answer answer = bed->trouble;

	bed->posts++;
	assert_true(range.count > 0 && range.first + range.count <= bed->batch.count);
	if (bed->too_many && range.count > bed->too_many)
		answer = ANSWER_TOO_BIG;
	for (size_t i = range.first; i < range.first + range.count && answer == ANSWER_TAKEN; i++)
		if (bed->poison[i])
			answer = bed->refusal;
	for (size_t i = range.first; i < range.first + range.count && answer == ANSWER_TAKEN; i++)
		bed->taken[i]++;
	batch_answer(&bed->batch, answer, "because", -1);
	return 0;
}

static void settle(struct sink *sink)
{
	batch_finish(&bed_of(sink)->batch, bed_of(sink)->is_experiment_gone);
}

static struct bed *bed_new(void)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	bed->sink = (struct sink){ .kind = &bed->kind, .ops = &ops, .user = bed, .batch_limit = 32 };
	bed->batch.post = post;
	bed->batch.settle = settle;
	assert_int_equal(batch_init(&bed->batch, &bed->sink), 0);
	return bed;
}

static void bed_free(struct bed *bed)
{
	batch_free(&bed->batch);
	free(bed);
}

static void run(struct bed *bed, size_t count)
{
	unsigned before = bed->dones;

	assert_int_equal(batch_begin(&bed->batch, bed->records, count), 0);
	batch_next(&bed->batch);
	assert_int_equal(bed->dones, before + 1);
}

static size_t count_fate(const struct bed *bed, size_t count, int fate)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += bed->verdicts[i].fate == fate;
	return n;
}

static void exactly_the_refused_are_buried(void **state)
{
	srandom(3);
	for (int round = 0; round < 400; round++) {
		struct bed *bed = bed_new();
		size_t count = 1 + (size_t)random() % SINK_BATCH_MAX, share = 1 + (size_t)random() % 40;

		bed->refusal = ANSWER_REFUSED;
		bed->too_many = round % 3 ? 0 : 1 + (size_t)random() % 20;
		for (size_t i = 0; i < count; i++)
			bed->poison[i] = (size_t)random() % share == 0;
		run(bed, count);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(bed->verdicts[i].fate, bed->poison[i] ? SINK_DEAD : SINK_TAKEN);
			assert_int_equal(bed->taken[i], !bed->poison[i]);
			if (bed->poison[i])
				assert_string_equal(bed->verdicts[i].reason, "because");
		}
		assert_int_equal(bed->retry_ms, 0);
		assert_true(bed->posts <= 2 * count);
		bed_free(bed);
	}
}

static void an_unsure_answer_is_believed_only_when_others_pass(void **state)
{
	struct bed *bed = bed_new();

	bed->refusal = ANSWER_UNSURE;
	bed->poison[3] = true;
	for (int i = 0; i < 2; i++) {
		run(bed, 10);
		assert_int_equal(count_fate(bed, 10, SINK_AGAIN), 10);
		assert_true(bed->retry_ms >= 300);
	}
	run(bed, 10);
	assert_int_equal(bed->verdicts[3].fate, SINK_DEAD);
	assert_int_equal(count_fate(bed, 10, SINK_TAKEN), 9);
	bed_free(bed);
}

static void trouble_of_the_server_buries_nobody_however_long(void **state)
{
	static const enum answer troubles[] = { ANSWER_UNSURE, ANSWER_AGAIN, ANSWER_BLOCKED };

	for (size_t t = 0; t < 3; t++) {
		struct bed *bed = bed_new();

		bed->trouble = troubles[t];
		for (int i = 0; i < 50; i++) {
			run(bed, 20);
			assert_int_equal(count_fate(bed, 20, SINK_AGAIN), 20);
			assert_in_range(bed->retry_ms, 300, 30000);
		}
		assert_true(bed->retry_ms >= 22000);
		bed->trouble = ANSWER_TAKEN;
		run(bed, 20);
		assert_int_equal(count_fate(bed, 20, SINK_TAKEN), 20);
		bed_free(bed);
	}
}

static void nobody_is_buried_when_the_experiment_is_gone(void **state)
{
	struct bed *bed = bed_new();

	bed->refusal = ANSWER_REFUSED;
	bed->poison[0] = bed->is_experiment_gone = true;
	run(bed, 5);
	assert_int_equal(bed->verdicts[0].fate, SINK_AGAIN);
	assert_int_equal(count_fate(bed, 5, SINK_TAKEN), 4);
	bed_free(bed);
}

static void a_part_refused_unnamed_is_told_and_the_next_go_singly(void **state)
{
	struct bed *bed = bed_new();

	bed->refusal = ANSWER_PARTLY;
	bed->poison[2] = true;
	run(bed, 5);
	assert_int_equal(count_fate(bed, 5, SINK_DEAD), 5);
	assert_int_equal(bed->sink.batch_limit, 1);
	bed_free(bed);
}

static struct http_reply reply_of(int status, const char *body)
{
	return (struct http_reply){ .status = status, .body = slice_of(body), .retry_after_ms = -1 };
}

static void each_status_has_its_meaning(void **state)
{
	static const struct {
		int status;
		enum answer answer;
	} table[] = {
		{ 200, ANSWER_TAKEN },   { 202, ANSWER_TAKEN },   { 301, ANSWER_BLOCKED }, { 400, ANSWER_REFUSED },
		{ 401, ANSWER_BLOCKED }, { 403, ANSWER_BLOCKED }, { 404, ANSWER_BLOCKED }, { 405, ANSWER_BLOCKED },
		{ 407, ANSWER_BLOCKED }, { 408, ANSWER_AGAIN },   { 413, ANSWER_TOO_BIG }, { 418, ANSWER_REFUSED },
		{ 422, ANSWER_UNSURE },  { 429, ANSWER_AGAIN },   { 500, ANSWER_UNSURE },  { 501, ANSWER_UNSURE },
		{ 502, ANSWER_AGAIN },   { 503, ANSWER_AGAIN },   { 504, ANSWER_AGAIN },   { 599, ANSWER_UNSURE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct http_reply reply = reply_of(table[i].status, "");

		assert_int_equal(answer_of(&reply), table[i].answer);
	}
	assert_int_equal(answer_of(&(struct http_reply){ .error = -ECONNREFUSED }), ANSWER_AGAIN);
}

static void what_a_server_says_cannot_control_a_terminal(void **state)
{
	struct http_reply reply = reply_of(500, "<b>\033[2Jno\nway\x07</b>");
	char text[64], small[8];

	answer_text(&reply, text, sizeof(text));
	assert_string_equal(text, "500: <b> [2Jno way </b>");
	answer_text(&reply, small, sizeof(small));
	assert_string_equal(small, "500: <b");
	reply = reply_of(400, "{\"error_code\":\"X\",\"message\":\"bad session\"}");
	answer_text(&reply, text, sizeof(text));
	assert_string_equal(text, "400: bad session");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_the_refused_are_buried),
		cmocka_unit_test(an_unsure_answer_is_believed_only_when_others_pass),
		cmocka_unit_test(trouble_of_the_server_buries_nobody_however_long),
		cmocka_unit_test(nobody_is_buried_when_the_experiment_is_gone),
		cmocka_unit_test(a_part_refused_unnamed_is_told_and_the_next_go_singly),
		cmocka_unit_test(each_status_has_its_meaning),
		cmocka_unit_test(what_a_server_says_cannot_control_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
