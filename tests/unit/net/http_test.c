/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: each way in which a server can fail has its own error, and nothing of a request outlives its done(). */
#include "base/cleanup.h"
#include "net/http.h"
#include "unit/support.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>

/* A server that gives each request the same bytes, then does as told. */
struct server {
	int listener;
	uint16_t port;
	const char *head;
	size_t body_len; /* of 'x' behind the head */
	bool resets, hangs, keeps;
	char seen[4096]; /* last request */
	pthread_t thread;
};

static void server_answer(struct server *server, int fd)
{
	char filler[4096];

	memset(filler, 'x', sizeof(filler));
	do {
		ssize_t len = recv(fd, server->seen, sizeof(server->seen) - 1, 0);

		if (len <= 0)
			return;
		server->seen[len] = 0;
		if (server->hangs) {
			(void)!recv(fd, filler, sizeof(filler), 0);
			return;
		}
		if (send(fd, server->head, strlen(server->head), MSG_NOSIGNAL) < 0)
			return;
		for (size_t left = server->body_len; left;) {
			ssize_t sent = send(fd, filler, MIN(left, sizeof(filler)), MSG_NOSIGNAL);

			if (sent < 0)
				return;
			left -= (size_t)sent;
		}
	} while (server->keeps);
}

static void *server_run(void *user)
{
	struct server *server = user;
	int fd;

	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		struct linger now = { .l_onoff = 1 };

		server_answer(server, fd);
		if (server->resets)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
	}
	return NULL;
}

static void server_start(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->listener, 8), 0);
	getsockname(server->listener, (struct sockaddr *)&address, &len);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_stop(struct server *server)
{
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
}

struct outcome {
	int count, error, status;
	size_t body_len;
	int64_t retry_after_ms;
	uint16_t local_port, remote_port;
	char reason[256];
};

static void note(void *user, const struct http_reply *reply)
{
	struct outcome *outcome = user;

	outcome->count++;
	outcome->error = reply->error;
	outcome->status = reply->status;
	outcome->body_len = reply->body.len;
	outcome->retry_after_ms = reply->retry_after_ms;
	outcome->local_port = reply->local_port;
	outcome->remote_port = reply->remote_port;
	snprintf(outcome->reason, sizeof(outcome->reason), "%s", reply->reason ?: "");
}

struct bed {
	uv_loop_t loop;
	struct http_client *client;
};

static void bed_open(struct bed *bed)
{
	struct http_client_opts opts = { 0 };

	uv_loop_init(&bed->loop);
	assert_int_equal(http_client_new(&bed->loop, &opts, &bed->client), 0);
}

static void bed_close(struct bed *bed)
{
	bed->client = http_client_free(bed->client);
	uv_run(&bed->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&bed->loop), 0);
}

static struct outcome ask(struct bed *bed, const char *method, uint16_t port, struct slice body, unsigned timeout_ms)
{
	struct outcome outcome = { 0 };
	static const char *const headers[] = { "x-test: 1", NULL };
	char url[128];
	struct http_request request = { .method = method,
					.url = url,
					.headers = headers,
					.body = body,
					.timeout_ms = timeout_ms,
					.basic = "me:secret" };

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/path", port);
	assert_int_equal(http_send(bed->client, &request, note, &outcome), 0);
	while (!outcome.count)
		uv_run(&bed->loop, UV_RUN_ONCE);
	assert_int_equal(outcome.count, 1);
	return outcome;
}

static struct outcome ask_server(struct server *server, const char *method, struct slice body, unsigned timeout_ms)
{
	struct bed bed;
	struct outcome outcome;

	server_start(server);
	bed_open(&bed);
	outcome = ask(&bed, method, server->port, body, timeout_ms);
	bed_close(&bed);
	server_stop(server);
	return outcome;
}

static void a_post_arrives_whole(void **state)
{
	struct server server = { .head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", .body_len = 3 };
	struct outcome got = ask_server(&server, "POST", SLICE("hello"), 5000);

	assert_int_equal(got.error, 0);
	assert_int_equal(got.status, 200);
	assert_int_equal(got.body_len, 3);
	assert_int_equal(got.retry_after_ms, -1);
	assert_int_equal(got.remote_port, server.port);
	assert_int_not_equal(got.local_port, 0);
	assert_non_null(strstr(server.seen, "POST /path HTTP/1.1\r\n"));
	assert_non_null(strstr(server.seen, "Authorization: Basic bWU6c2VjcmV0\r\n"));
	assert_non_null(strstr(server.seen, "x-test: 1\r\n"));
	assert_non_null(strstr(server.seen, "\r\n\r\nhello"));
	assert_null(strstr(server.seen, "Expect"));
}

static void a_body_can_go_compressed(void **state)
{
	struct server server = { .head = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" };
	struct http_request request = { .method = "POST", .body = SLICE("aaaaaaaaaaaaaaaa"), .gzip = true };
	struct outcome outcome = { 0 };
	struct bed bed;
	char url[128], *body;

	server_start(&server);
	bed_open(&bed);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
	request.url = url;
	assert_int_equal(http_send(bed.client, &request, note, &outcome), 0);
	while (!outcome.count)
		uv_run(&bed.loop, UV_RUN_ONCE);
	bed_close(&bed);
	server_stop(&server);
	assert_non_null(strstr(server.seen, "content-encoding: gzip\r\n"));
	body = strstr(server.seen, "\r\n\r\n") + 4;
	assert_memory_equal(body, "\x1f\x8b\x08", 3);
}

static void retry_after_is_told_in_seconds_and_as_a_date(void **state)
{
	char dated[256];
	time_t soon = time(NULL) + 60;
	struct tm tm;
	struct server server = { .head = "HTTP/1.1 503 X\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n" };
	struct outcome got = ask_server(&server, "GET", SLICE_NONE, 5000);

	assert_int_equal(got.status, 503);
	assert_int_equal(got.retry_after_ms, 7000);
	gmtime_r(&soon, &tm);
	strftime(dated, sizeof(dated),
		 "HTTP/1.1 429 X\r\nretry-after: %a, %d %b %Y %H:%M:%S GMT\r\ncontent-length: 0\r\n\r\n", &tm);
	server = (struct server){ .head = dated };
	got = ask_server(&server, "GET", SLICE_NONE, 5000);
	assert_int_equal(got.status, 429);
	assert_in_range(got.retry_after_ms, 55000, 61000);
}

static void a_reply_beyond_the_maximum_keeps_its_status(void **state)
{
	struct server server = { .head = "HTTP/1.1 500 X\r\ncontent-length: 5242880\r\n\r\n", .body_len = 5 << 20 };
	struct outcome got = ask_server(&server, "GET", SLICE_NONE, 10000);

	assert_int_equal(got.error, 0);
	assert_int_equal(got.status, 500);
	assert_int_equal(got.body_len, 4 << 20);
}

static void half_an_answer_is_no_answer(void **state)
{
	struct server cut = { .head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", .body_len = 50 };
	struct server reset = { .head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n",
				.body_len = 50,
				.resets = true };

	assert_int_equal(ask_server(&cut, "POST", SLICE("x"), 5000).error, -EIO);
	assert_int_equal(ask_server(&reset, "POST", SLICE("x"), 5000).error, -EIO);
}

static void a_server_that_hangs_is_left_in_time(void **state)
{
	struct server server = { .head = "", .hangs = true };
	struct outcome got = ask_server(&server, "POST", SLICE("x"), 200);

	assert_int_equal(got.error, -ETIMEDOUT);
	assert_int_not_equal(got.reason[0], 0);
}

static void nobody_at_home_is_refused(void **state)
{
	struct server server = { .head = "" };
	struct bed bed;

	server_start(&server);
	server_stop(&server);
	bed_open(&bed);
	assert_int_equal(ask(&bed, "GET", server.port, SLICE_NONE, 2000).error, -ECONNREFUSED);
	bed_close(&bed);
}

static void no_tls_where_tls_is_asked_is_a_protocol_error(void **state)
{
	struct server server = { .head = "HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n" };
	struct outcome outcome = { 0 };
	struct bed bed;
	char url[128];

	server_start(&server);
	bed_open(&bed);
	snprintf(url, sizeof(url), "https://me:secret@127.0.0.1:%u/", server.port);
	struct http_request request = { .method = "GET", .url = url, .timeout_ms = 5000 };
	assert_int_equal(http_send(bed.client, &request, note, &outcome), 0);
	while (!outcome.count)
		uv_run(&bed.loop, UV_RUN_ONCE);
	assert_int_equal(outcome.error, -EPROTO);
	assert_null(strstr(outcome.reason, "secret"));
	bed_close(&bed);
	server_stop(&server);
}

static void a_connection_is_used_again(void **state)
{
	struct server server = { .head = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", .keeps = true };
	struct bed bed;
	uint16_t port;

	server_start(&server);
	bed_open(&bed);
	port = ask(&bed, "POST", server.port, SLICE("a"), 5000).local_port;
	assert_int_equal(ask(&bed, "POST", server.port, SLICE("b"), 5000).local_port, port);
	bed_close(&bed);
	server_stop(&server);
}

static void requests_that_are_open_at_the_end_are_told(void **state)
{
	struct server server = { .head = "", .hangs = true };
	struct outcome outcomes[3] = { 0 };
	struct bed bed;
	char url[128];

	server_start(&server);
	bed_open(&bed);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
	for (size_t i = 0; i < 3; i++) {
		struct http_request request = { .method = "POST", .url = url, .body = SLICE("x"), .timeout_ms = 60000 };

		assert_int_equal(http_send(bed.client, &request, note, &outcomes[i]), 0);
	}
	uv_run(&bed.loop, UV_RUN_ONCE);
	bed_close(&bed);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(outcomes[i].count, 1);
		assert_int_equal(outcomes[i].error, -ECANCELED);
	}
	server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_post_arrives_whole),
		cmocka_unit_test(a_body_can_go_compressed),
		cmocka_unit_test(retry_after_is_told_in_seconds_and_as_a_date),
		cmocka_unit_test(a_reply_beyond_the_maximum_keeps_its_status),
		cmocka_unit_test(half_an_answer_is_no_answer),
		cmocka_unit_test(a_server_that_hangs_is_left_in_time),
		cmocka_unit_test(nobody_at_home_is_refused),
		cmocka_unit_test(no_tls_where_tls_is_asked_is_a_protocol_error),
		cmocka_unit_test(a_connection_is_used_again),
		cmocka_unit_test(requests_that_are_open_at_the_end_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
