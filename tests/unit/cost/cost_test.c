/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: every token is priced once, by the right list, and a cost that is not whole says so. */
#include "base/json.h"
#include "cost/cost.h"
#include "unit/support.h"
#include <errno.h>

#define FILE_OF(models) "{\"schema\":1,\"version\":\"t\",\"providers\":{\"openai\":{" models "},\"azure\":\"openai\"}}"
#define DAY             (86400ull * 1000000000)

static struct alloc_heap heap = ALLOC_HEAP((size_t)64 << 20);

struct priced {
	struct arena *arena;
	struct call call;
};

static struct slice text_of(const struct priced *priced, const char *name)
{
	for (const struct attribute *a = priced->call.attributes; a; a = a->next)
		if (slice_equal(a->name, slice_of(name)))
			return a->value.text;
	return SLICE_NONE;
}

static int64_t nano_of(const struct priced *priced)
{
	for (const struct attribute *a = priced->call.attributes; a; a = a->next)
		if (slice_equal(a->name, SLICE("spantap.cost.nano_usd")))
			return a->value.integer;
	return -1;
}

static struct priced priced_call(const char *vendor, const char *model, int64_t input, int64_t output)
{
	struct priced priced = { .arena = arena_new(&heap.alloc, 1 << 20) };

	priced.call = (struct call){ .arena = priced.arena, .usage = USAGE_NONE, .cost_told_nano = -1, .status = 200 };
	priced.call.operation = OPERATION_CHAT;
	priced.call.vendor = slice_of(vendor);
	priced.call.response_model = slice_of(model);
	priced.call.usage.input = input;
	priced.call.usage.output = output;
	return priced;
}

static struct cost_table *table_of(const char *text)
{
	struct cost_table *table = NULL;
	const char *error = "";

	if (cost_table_new(&heap.alloc, slice_of(text), &table, &error) < 0)
		fail_msg("%s", error);
	return table;
}

static int64_t price(const char *file, struct priced priced, uint64_t unix_ns)
{
	struct cost_table *table = table_of(file);
	int64_t nano;

	cost_put(table, &priced.call, unix_ns);
	nano = nano_of(&priced);
	cost_table_free(table);
	arena_free(priced.arena);
	return nano;
}

static void tokens_are_priced_by_their_kind(void **state)
{
	static const char file[] = FILE_OF("\"m*\":{\"input\":2,\"output\":10,\"cache_read\":0.5,\"cache_write\":2.5,"
					   "\"cache_write_1h\":4,\"input_audio\":20,\"search\":0.01}");
	struct priced priced = priced_call("openai", "m-2024-07-18", 1000, 100);

	assert_int_equal(price(file, priced, 0), 1000 * 2000 + 100 * 10000);
	priced = priced_call("openai", "m", 1000, 100);
	priced.call.usage.cache_read = 600;
	priced.call.usage.cache_write = 200;
	priced.call.usage.cache_write_1h = 50;
	priced.call.usage.input_audio = 100;
	priced.call.usage.searches = 3;
	assert_int_equal(price(file, priced, 0),
			 600 * 500 + 150 * 2500 + 50 * 4000 + 100 * 20000 + 100 * 2000 + 100 * 10000 + 3 * 10000000);
	priced = priced_call("azure", "m", 1, 0);
	assert_int_equal(price(file, priced, 0), 2000);
	priced = priced_call("somebody", "maker/m", 1, 0);
	assert_int_equal(price(file, priced, 0), 2000);
}

/* More cached than there is input (a vendor's own count): nothing is priced below zero, nothing twice. */
static void counts_that_disagree_never_give_money_back(void **state)
{
	struct priced priced = priced_call("openai", "m", 7, 0);

	priced.call.usage.cache_read = 163;
	assert_int_equal(price(FILE_OF("\"m\":{\"input\":2,\"output\":1,\"cache_read\":1}"), priced, 0), 7 * 1000);
}

static void a_star_stands_for_a_version_only(void **state)
{
	static const char *const same[] = {
		"m-4", "m-4-2024-07-18", "m-4@20250101", "m-4-001", "m-4-latest", "m-4-v1:0"
	};
	static const char *const other[] = { "m-4-mini", "m-4.1", "m-4-7", "m-40", "m-4-", "m", "M-4" };
	static const char file[] = FILE_OF("\"m-4*\":{\"input\":1,\"output\":1}");

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		assert_int_equal(price(file, priced_call("openai", same[i], 1, 0), 0), 1000);
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		assert_int_equal(price(file, priced_call("openai", other[i], 1, 0), 0), -1);
}

static void prices_change_by_date_size_and_tier(void **state)
{
	static const char file[] = FILE_OF(
		"\"m\":[{\"input\":1,\"output\":1,\"until\":\"1970-01-11\"},"
		"{\"input\":3,\"output\":1,\"from\":\"1970-01-11\",\"variants\":[{\"tier\":\"batch\",\"input\":2},"
		"{\"above\":200000,\"input\":5}]}]");
	struct priced batch = priced_call("openai", "m", 1, 0);

	batch.call.service_tier = SLICE("batch");
	assert_int_equal(price(file, priced_call("openai", "m", 1, 0), 9 * DAY), 1000);
	assert_int_equal(price(file, priced_call("openai", "m", 1, 0), 10 * DAY), 3000);
	assert_int_equal(price(file, batch, 10 * DAY), 2000);
	assert_int_equal(price(file, priced_call("openai", "m", 200000, 0), 10 * DAY), 200000 * 3000ll);
	assert_int_equal(price(file, priced_call("openai", "m", 200001, 0), 10 * DAY), 200001 * 5000ll);
}

/* Google's operation is an answer of a model like any other's. */
static void every_answer_of_a_model_is_priced(void **state)
{
	static const enum call_operation answers[] = { OPERATION_UNKNOWN,         OPERATION_CHAT,
						       OPERATION_TEXT_COMPLETION, OPERATION_EMBEDDINGS,
						       OPERATION_GENERATE,        OPERATION_IMAGE,
						       OPERATION_SPEECH,          OPERATION_TRANSCRIPTION };

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct priced priced = priced_call("openai", "m", 1, 1);

		priced.call.operation = answers[i];
		assert_int_equal(price(FILE_OF("\"m\":{\"input\":1,\"output\":2}"), priced, 0), 3000);
	}
}

static void what_the_provider_says_wins(void **state)
{
	struct cost_table *table = table_of(FILE_OF("\"m\":{\"input\":1,\"output\":1}"));
	struct priced priced = priced_call("openai", "m", 1, 1);

	priced.call.cost_told_nano = 123456789;
	cost_put(table, &priced.call, 0);
	assert_int_equal(nano_of(&priced), 123456789);
	assert_true(slice_equal(text_of(&priced, "spantap.cost.source"), SLICE("provider")));
	assert_false(text_of(&priced, "spantap.cost.incomplete").len);
	cost_table_free(table);
	arena_free(priced.arena);
}

static void what_is_not_known_is_said(void **state)
{
	struct cost_table *table = table_of(FILE_OF("\"m\":{\"input\":1,\"output\":1}"));
	static struct call_step step;
	struct priced list[] = { priced_call("openai", "other", 1, 1), priced_call("openai", "m", -1, -1),
				 priced_call("openai", "m", 1, 1), priced_call("openai", "m", 1, 1) };
	static const char *const lacks[] = { "unknown_model", "usage_missing", "server_tools", "server_tools" };

	list[2].call.steps = &step;
	list[2].call.usage.searches = 0;
	list[3].call.usage.searches = 1; /* a search has no price in this file */
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		cost_put(table, &list[i].call, 0);
		assert_true(slice_equal(text_of(&list[i], "spantap.cost.incomplete"), slice_of(lacks[i])));
		assert_false(text_of(&list[i], "mlflow.llm.cost").len);
		arena_free(list[i].arena);
	}
	cost_table_free(table);
}

/* Each iteration of Anthropic's usage has its own model; the top level leaves them out. */
static void iterations_are_priced_by_their_own_models(void **state)
{
	struct priced priced = priced_call("openai", "m", 10, 1);

	priced.call.usage_raw =
		SLICE("{\"iterations\":[{\"input_tokens\":10,\"output_tokens\":1},"
		      "{\"model\":\"n\",\"input_tokens\":2,\"cache_read_input_tokens\":5,\"output_tokens\":3}]}");
	assert_int_equal(
		price(FILE_OF("\"m\":{\"input\":1,\"output\":1},\"n\":{\"input\":10,\"output\":100,\"cache_read\":2}"),
		      priced, 0),
		10 * 1000 + 1000 + 2 * 10000 + 5 * 2000 + 3 * 100000);
	priced = priced_call("openai", "m", 10, 1);
	priced.call.usage.searches = 2;
	priced.call.usage_raw =
		SLICE("{\"iterations\":[{\"input_tokens\":10,\"output_tokens\":1},{\"input_tokens\":1}]}");
	assert_int_equal(price(FILE_OF("\"m\":{\"input\":1,\"output\":1,\"search\":0.01}"), priced, 0),
			 11 * 1000 + 1000 + 2 * 10000000);
}

static void a_bad_file_is_refused_as_a_whole(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"schema\":1}",
		"{\"schema\":2,\"version\":\"t\",\"providers\":{\"a\":{\"m\":{\"input\":1}}}}",
		"{\"schema\":1,\"version\":\"t\",\"providers\":{}}",
		FILE_OF("\"m\":{\"output\":1}"),
		FILE_OF("\"m\":{\"input\":-1}"),
		FILE_OF("\"m\":{\"input\":\"1\"}"),
		FILE_OF("\"m\":7"),
		FILE_OF("\"m\":{\"input\":1,\"from\":\"yesterday\"}"),
		FILE_OF("\"m\":{\"input\":1,\"from\":\"2024-13-01\"}"),
		FILE_OF("\"m\":{\"input\":1,\"variants\":[3]}"),
	};
	struct cost_table *table = NULL;
	const char *error;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(cost_table_new(&heap.alloc, slice_of(bad[i]), &table, &error), -EINVAL);
		assert_true(strlen(error) > 10);
		assert_null(table);
	}
	assert_int_equal(heap.used, 0);
}

static void the_builtin_file_is_a_good_one(void **state)
{
	struct cost_table *table = NULL;
	const char *error = "";
	struct priced priced = priced_call("openai", "gpt-4o-mini-2024-07-18", 61, 15);
	struct slice cost;
	double total;

	assert_int_equal(cost_table_new(&heap.alloc, cost_builtin(), &table, &error), 0);
	cost_put(table, &priced.call, 20000 * DAY);
	assert_int_equal(nano_of(&priced), 61 * 150 + 15 * 600);
	cost = text_of(&priced, "mlflow.llm.cost");
	assert_int_equal(json_double(json_get(cost, SLICE("total_cost")), &total), 0);
	assert_true(total > 1.8149e-5 && total < 1.8151e-5);
	cost_table_free(table);
	arena_free(priced.arena);
}

static void memory_may_end_anywhere(void **state)
{
	const char *error;

	for (uint64_t nth = 1;; nth++) {
		struct fail_alloc failing = FAIL_ALLOC(nth);
		struct cost_table *table = NULL;
		int r = cost_table_new(&failing.alloc, cost_builtin(), &table, &error);

		cost_table_free(table);
		assert_int_equal(failing.used, 0);
		if (r == 0)
			return;
		assert_int_equal(r, -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_priced_by_their_kind),
		cmocka_unit_test(counts_that_disagree_never_give_money_back),
		cmocka_unit_test(a_star_stands_for_a_version_only),
		cmocka_unit_test(prices_change_by_date_size_and_tier),
		cmocka_unit_test(every_answer_of_a_model_is_priced),
		cmocka_unit_test(what_the_provider_says_wins),
		cmocka_unit_test(what_is_not_known_is_said),
		cmocka_unit_test(iterations_are_priced_by_their_own_models),
		cmocka_unit_test(a_bad_file_is_refused_as_a_whole),
		cmocka_unit_test(the_builtin_file_is_a_good_one),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
