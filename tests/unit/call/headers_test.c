/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: what of a head is kept, and that nothing else of it is anywhere in the memory of the call. */
#include "unit/call/world.h"

/* All memory of the tracker in one piece, so that it can be searched whole; nothing is ever used twice or cleared. */
struct pool {
	struct alloc alloc;
	size_t used;
	char memory[1 << 20];
};

static struct pool pool;
static void *pool_resize(struct alloc *alloc, void *pointer, size_t old_len, size_t new_len)
{
	char *got = pool.memory + pool.used;

	if (!new_len || new_len > sizeof(pool.memory) - pool.used)
		return NULL;
	pool.used += (new_len + 15) / 16 * 16;
	if (pointer)
		memcpy(got, pointer, MIN(old_len, new_len));
	return got;
}

static unsigned pool_count(const char *text)
{
	struct slice rest = { pool.memory, pool.used };
	unsigned count = 0;

	for (ptrdiff_t at; (at = slice_find(rest, slice_of(text))) >= 0; count++)
		rest = slice_from(rest, (size_t)at + 1);
	return count;
}

static int setup(void **state)
{
	struct call_opts opts = { .alloc = &pool.alloc, .call_bytes_max = 512 << 10, .pair_wait_ns = 1, .idle_ns = 1 };

	memset(&pool, 0, sizeof(pool));
	pool.alloc.resize = pool_resize;
	world = (struct world){ 0 };
	return call_tracker_new(&opts, &world_ops, &world, &world.tracker);
}

static int teardown(void **state)
{
	world.tracker = call_tracker_free(world.tracker);
	return 0;
}

static struct slice kept(const char *name)
{
	const struct call *call = &world.told[0].call;

	return call_header(call->request_headers, call->request_header_count, slice_of(name));
}

static void exchange(struct ask ask, const struct header *answer, size_t answer_count)
{
	struct call_conn *conn = world_connect(&world);
	struct message_head head = { .kind = MESSAGE_RESPONSE,
				     .dir = DIR_READ,
				     .status = 200,
				     .headers = answer,
				     .header_count = answer_count };

	world.count = 0;
	tell_ask(conn, 1, ask, "{}", 0);
	call_on_head(conn, 1, &head, 1);
	tell_end(conn, 1, MESSAGE_RESPONSE, 100, 5);
	call_conn_close(conn, CLOSE_LOCAL, 6 * MS);
	assert_int_equal(world.count, 1);
}

static void only_allowed_headers_are_anywhere_in_memory(void **state)
{
	static const struct header request[] = {
		{ SLICE("user-agent"), SLICE("OpenAI/Python 3.54.0") },
		{ SLICE("x-stainless-retry-count"), SLICE("2") },
		{ SLICE("authorization"), SLICE("Bearer SECRET-of-authorization") },
		{ SLICE("proxy-authorization"), SLICE("Basic SECRET-of-proxy") },
		{ SLICE("cookie"), SLICE("SECRET-of-cookie") },
		{ SLICE("x-amz-security-token"), SLICE("SECRET-of-token") },
		{ SLICE("ocp-apim-subscription-key"), SLICE("SECRET-of-apim") },
		{ SLICE("x-litellm-api-key"), SLICE("SECRET-of-litellm") },
		{ SLICE("chatgpt-account-id"), SLICE("SECRET-of-account") },
		{ SLICE("x-anything-else"), SLICE("SECRET-of-anything") },
		{ SLICE("x-stainles"), SLICE("SECRET-of-short-name") },
		{ SLICE("user-agent-secret"), SLICE("SECRET-of-long-name") },
		{ SLICE(""), SLICE("SECRET-of-no-name") },
	};
	static const struct header answer[] = {
		{ SLICE("set-cookie"), SLICE("SECRET-of-set-cookie") },
		{ SLICE("www-authenticate"), SLICE("SECRET-of-www") },
		{ SLICE("x-ratelimit-remaining-tokens"), SLICE("17") },
		{ SLICE("content-type"), SLICE("application/json") },
	};

	exchange((struct ask){ .target = "/v1/fake?x=SECRET-of-query&key=SECRET-of-key&api-version=5",
			       .authority = "user:SECRET-of-authority@api.example:8443",
			       .headers = request,
			       .header_count = ARRAY_SIZE(request) },
		 answer, ARRAY_SIZE(answer));
	/* The credential, once. */
	assert_string_equal(world.told[0].credential, "SECRET-of-authorization");
	assert_int_equal(pool_count("SECRET-of-authorization"), 1);
	assert_int_equal(pool_count("SECRET"), 1);
	assert_int_equal(world.told[0].call.request_header_count, 2);
	assert_int_equal(world.told[0].call.response_header_count, 2);
	assert_true(slice_equal(kept("user-agent"), SLICE("OpenAI/Python 3.54.0")));
	assert_true(slice_equal(kept("x-stainless-retry-count"), SLICE("2")));
	assert_string_equal(world.told[0].query, "api-version=5");
	assert_string_equal(world.told[0].host, "api.example:8443");
	assert_string_equal(world.told[0].path, "/v1/fake");
}

static void the_credential_is_found_where_clients_put_it(void **state)
{
	static const struct {
		struct header header;
		const char *target, *credential;
	} rows[] = {
		{ { SLICE("authorization"), SLICE("Bearer sk-1") }, "/fake", "sk-1" },
		{ { SLICE("authorization"), SLICE("bearer  sk-2 ") }, "/fake", "sk-2" },
		{ { SLICE("authorization"), SLICE("Basic dXNlcg==") }, "/fake", "" },
		{ { SLICE("x-api-key"), SLICE("sk-ant-3") }, "/fake", "sk-ant-3" },
		{ { SLICE("api-key"), SLICE("az-4") }, "/fake", "az-4" },
		{ { SLICE("x-goog-api-key"), SLICE("AIza5") }, "/fake", "AIza5" },
		{ { SLICE("accept"), SLICE("*/*") }, "/fake?alt=sse&key=AIza6", "AIza6" },
		{ { SLICE("accept"), SLICE("*/*") }, "/fake?monkey=7", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		exchange((struct ask){ .target = rows[i].target, .headers = &rows[i].header, .header_count = 1 }, NULL,
			 0);
		assert_string_equal(world.told[0].credential, rows[i].credential);
	}
}

static void targets_come_apart(void **state)
{
	static const struct {
		const char *target, *authority, *path, *query, *host;
	} rows[] = {
		{ "/v1/fake", "a.example", "/v1/fake", "", "a.example" },
		{ "/v1/fake?", "a.example", "/v1/fake", "", "a.example" },
		{ "/fake?beta=true&alt=sse&api-version=2024", "a", "/fake", "beta=true&alt=sse&api-version=2024", "a" },
		{ "/fake?alt&x=1&&beta=", "a", "/fake", "alt&beta=", "a" },
		{ "/fake?API-VERSION=1&alternative=2", "a", "/fake", "", "a" },
		{ "http://b.example:8080/v1/fake?alt=sse", "", "/v1/fake", "alt=sse", "b.example:8080" },
		{ "https://u:p@b.example/fake", "", "/fake", "", "b.example" },
		{ "http://b.example/fake", "a.example", "/fake", "", "a.example" },
		{ "/x://y/fake", "a", "/x://y/fake", "", "a" },
		{ "/deploy%6Dents/%66ake", "a", "/deploy%6Dents/%66ake", "", "a" }, /* shown raw, recognised decoded */
		{ "/%2/%zz/%/fake", "a", "/%2/%zz/%/fake", "", "a" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		exchange((struct ask){ .target = rows[i].target, .authority = rows[i].authority }, NULL, 0);
		assert_string_equal(world.told[0].path, rows[i].path);
		assert_string_equal(world.told[0].query, rows[i].query);
		assert_string_equal(world.told[0].host, rows[i].host);
	}
}

static void the_request_id_is_the_providers(void **state)
{
	static const struct header version = { SLICE("anthropic-version"), SLICE("2023-06-01") };
	static const struct header both[] = { { SLICE("x-request-id"), SLICE("req-x") },
					      { SLICE("request-id"), SLICE("req-a") } };
	static const struct header azure[] = { { SLICE("apim-request-id"), SLICE("req-z") } };

	exchange((struct ask){ 0 }, both, 2);
	assert_string_equal(world.told[0].request_id, "req-x");
	exchange((struct ask){ .headers = &version, .header_count = 1 }, both, 2);
	assert_string_equal(world.told[0].request_id, "req-a");
	exchange((struct ask){ 0 }, both + 1, 1);
	assert_string_equal(world.told[0].request_id, "req-a");
	exchange((struct ask){ 0 }, azure, 1);
	assert_string_equal(world.told[0].request_id, "req-z");
	exchange((struct ask){ 0 }, NULL, 0);
	assert_string_equal(world.told[0].request_id, "");
}

static void every_vendors_request_id_is_found(void **state)
{
	static const char *const names[] = { "x-request-id",
					     "request-id",
					     "apim-request-id",
					     "x-amzn-requestid",
					     "x-goog-request-id",
					     "mistral-correlation-id",
					     "x-debug-trace-id",
					     "x-ms-client-request-id",
					     "x-databricks-request-id",
					     "x-generation-id" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct header header = { slice_of(names[i]), SLICE("id-1") };

		exchange((struct ask){ 0 }, &header, 1);
		assert_string_equal(world.told[0].request_id, "id-1");
	}
}

static void every_vendors_limits_are_kept(void **state)
{
	static const char *const names[] = {
		"x-ratelimit-remaining-requests",
		"x-ratelimit-renewalperiod-tokens",
		"anthropic-ratelimit-tokens-reset",
		"ratelimitbysize-remaining",
		"ratelimit-limit",
		"x-rate-limit-limit",
		"x-endpoint-monthly-call-limit",
		"x-trial-endpoint-call-remaining",
		"retry-after",
		"retry-after-ms",
		"x-should-retry",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct header header = { slice_of(names[i]), SLICE("7") };

		exchange((struct ask){ 0 }, &header, 1);
		assert_int_equal(world.told[0].call.response_header_count, 1);
	}
}

static void more_headers_than_there_is_room_for(void **state)
{
	struct header many[CALL_HEADERS_MAX + 20];

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct header){ SLICE("x-stainless-lang"), SLICE("c") };
	exchange((struct ask){ .headers = many, .header_count = ARRAY_SIZE(many) }, many, ARRAY_SIZE(many));
	assert_int_equal(world.told[0].call.request_header_count, CALL_HEADERS_MAX);
	assert_int_equal(world.told[0].call.response_header_count, CALL_HEADERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_allowed_headers_are_anywhere_in_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(the_credential_is_found_where_clients_put_it, setup, teardown),
		cmocka_unit_test_setup_teardown(targets_come_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(the_request_id_is_the_providers, setup, teardown),
		cmocka_unit_test_setup_teardown(every_vendors_request_id_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(every_vendors_limits_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(more_headers_than_there_is_room_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
