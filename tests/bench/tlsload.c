/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS client and server in C with nothing in them but TLS, so that what a tracer costs shows undiluted.
 *
 *	tlsload server PORT CERT KEY	serves until it is killed
 *	tlsload sse PORT STREAMS EVENTS GAP_US	that many streamed answers at once; prints CPU us per event
 *	tlsload bulk PORT CONNECTIONS SECONDS KIND	2 KB each way, flat out, each a "call" of a model or "other"; prints operations per second
 *	tlsload calls PORT RATE SECONDS BYTES	plain calls at a fixed rate, BYTES out and BYTES in
 *	tlsload burst PORT MEGABYTES	one answer of that many MB, at 50 MB/s; prints bytes read
 *	tlsload echo ROUNDS	64 bytes written and read over memory, no socket; prints ns per round
 */
#include "tlsload.h"

enum { BUFFER = 1 << 20, BULK_BYTES = 2048 };

#define CHAT_PATH  "/v1/chat/completions"
#define OTHER_PATH "/measurements"

static char filler[BUFFER];

/* ---- server ---- */

struct request {
	char path[64];
	size_t body_len;
	int events, gap_us, bytes;
};

/* Reads one request, body and all. False at the end of the connection. */
static bool request_read(SSL *ssl, struct request *ret)
{
	char head[4096];
	size_t have = 0, done;
	char *end = NULL, *field;
	size_t rest;

	while (!end && have < sizeof(head) - 1) {
		if (SSL_read_ex(ssl, head + have, sizeof(head) - 1 - have, &done) != 1)
			return false;
		have += done;
		head[have] = 0;
		end = strstr(head, "\r\n\r\n");
	}
	if (!end || sscanf(head, "%*s %63s", ret->path) != 1)
		return false;
	field = strcasestr(head, "content-length:");
	ret->body_len = field ? strtoul(field + 15, NULL, 10) : 0;
	field = strcasestr(head, "x-load:");
	ret->events = ret->gap_us = ret->bytes = 0;
	if (field)
		sscanf(field + 7, "%d %d %d", &ret->events, &ret->gap_us, &ret->bytes);
	rest = have - (size_t)(end + 4 - head);
	while (rest < ret->body_len) {
		static __thread char sink[BUFFER];

		if (SSL_read_ex(ssl, sink, sizeof(sink), &done) != 1)
			return false;
		rest += done;
	}
	return true;
}

static void answer_stream(SSL *ssl, const struct request *request)
{
	static const char head[] =
		"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
	char event[512], chunk[600];

	write_all(ssl, head, sizeof(head) - 1);
	for (int i = 0; i < request->events; i++) {
		int len = snprintf(
			event, sizeof(event),
			"data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
			"\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word %06d \"},"
			"\"finish_reason\":null}]}\n\n",
			i);

		len = snprintf(chunk, sizeof(chunk), "%x\r\n%.*s\r\n", (unsigned)len, len, event);
		write_all(ssl, chunk, (size_t)len);
		if (request->gap_us)
			usleep((useconds_t)request->gap_us);
	}
	write_all(ssl, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n", 24);
}

/* As long as a plain answer, and nothing that a model says. */
static void answer_other(SSL *ssl)
{
	char out[2 * BULK_BYTES], text[BULK_BYTES] = "";
	int n;

	memset(text, 'a', sizeof(text) - sizeof("{\"stored\":\"\"}"));
	n = snprintf(
		out, sizeof(out),
		"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n{\"stored\":\"%s\"}",
		strlen(text) + strlen("{\"stored\":\"\"}"), text);
	write_all(ssl, out, (size_t)n);
}

static void answer_plain(SSL *ssl, const struct request *request)
{
	static const char tail[] =
		"\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11}}";
	char head[512];
	int body = snprintf(
		head, sizeof(head),
		"{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1760000000,"
		"\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
	char out[BUFFER];
	size_t len = (size_t)(request->bytes ? request->bytes : BULK_BYTES),
	       text = len - (size_t)body - (sizeof(tail) - 1);
	int n = snprintf(out, sizeof(out),
			 "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", len,
			 head);

	memset(out + n, 'a', text);
	memcpy(out + n + text, tail, sizeof(tail) - 1);
	write_all(ssl, out, (size_t)n + text + sizeof(tail) - 1);
}

/* @gap_us between pieces of 64 KiB paces it: 1250 us make 50 MB/s. */
static void answer_burst(SSL *ssl, const struct request *request)
{
	char head[256];
	size_t total = (size_t)request->events << 20;
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n", total);

	write_all(ssl, head, (size_t)n);
	for (size_t sent = 0; sent < total; sent += 64 << 10) {
		write_all(ssl, filler, 64 << 10);
		if (request->gap_us)
			usleep((useconds_t)request->gap_us);
	}
}

static SSL_CTX *server_context;

static void *serve(void *arg)
{
	SSL *ssl = SSL_new(server_context);
	struct request request;
	int fd = (int)(intptr_t)arg, yes = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		while (request_read(ssl, &request)) {
			if (strstr(request.path, "burst"))
				answer_burst(ssl, &request);
			else if (strcmp(request.path, OTHER_PATH) == 0)
				answer_other(ssl);
			else if (request.events)
				answer_stream(ssl, &request);
			else
				answer_plain(ssl, &request);
		}
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static int server(char **args)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)number_of(args[0])),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	server_context = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_chain_file(server_context, args[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(server_context, args[2], SSL_FILETYPE_PEM) != 1)
		fail("certificate");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 512) < 0)
		fail("listen");
	puts("READY");
	fflush(stdout);
	for (;;) {
		int client = accept(fd, NULL, NULL);
		pthread_t thread;

		if (client >= 0 && pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) == 0)
			pthread_detach(thread);
	}
}

/* ---- client ---- */

static SSL_CTX *client_context;
static int port;
static const char other_body[] = "{\"kept\":%s,\"series\":\"memory of the machines\",\"values\":\"%s\"}";
static const char request_body[] =
	"{\"model\":\"gpt-4o-mini\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}";

static void request_send(SSL *ssl, const char *path, const char *load, bool stream, size_t bytes)
{
	char *out = malloc(bytes + 2048), *text = calloc(1, bytes + 1);
	char *body = malloc(bytes + 512);
	size_t fixed = sizeof(request_body) + 4;
	int len, n;

	memset(text, 'b', bytes > fixed ? bytes - fixed : 1);
	len = snprintf(body, bytes + 512, strcmp(path, OTHER_PATH) == 0 ? other_body : request_body,
		       stream ? "true" : "false", text);
	n = snprintf(out, bytes + 2048,
		     "POST %s HTTP/1.1\r\nhost: localhost:%d\r\ncontent-type: application/json\r\n"
		     "x-load: %s\r\ncontent-length: %d\r\n\r\n%s",
		     path, port, load, len, body);
	write_all(ssl, out, (size_t)n);
	free(out);
	free(text);
	free(body);
}

/* Reads an answer to its end; returns the events in it (or bytes, where there are none). */
static size_t answer_read(SSL *ssl, bool stream)
{
	static __thread char in[BUFFER];
	size_t have = 0, done, total = 0, want = 0, events = 0;
	bool in_body = false;

	for (;;) {
		if (SSL_read_ex(ssl, in + have, sizeof(in) - 1 - have, &done) != 1)
			fail("read");
		if (stream) {
			in[done] = 0;
			for (char *at = in; (at = strstr(at, "data: {")); at++)
				events++;
			if (done >= 5 && memcmp(in + done - 5, "0\r\n\r\n", 5) == 0)
				return events;
			continue;
		}
		total += done;
		if (!in_body) {
			char *end;

			have += done;
			in[have] = 0;
			end = strstr(in, "\r\n\r\n");
			if (!end)
				continue;
			want = strtoul(strcasestr(in, "content-length:") + 15, NULL, 10) + (size_t)(end + 4 - in);
			in_body = true;
			have = 0;
		}
		if (total >= want)
			return total;
	}
}

struct worker {
	pthread_t thread;
	const char *path;
	char load[64];
	double until;
	size_t count;
};

static void *worker_stream(void *arg)
{
	struct worker *worker = arg;
	SSL *ssl = tls_connect(client_context, port);

	request_send(ssl, worker->path, worker->load, true, 200);
	worker->count = answer_read(ssl, true);
	tls_close(ssl);
	return NULL;
}

static void *worker_bulk(void *arg)
{
	struct worker *worker = arg;
	SSL *ssl = tls_connect(client_context, port);

	while (seconds_of(CLOCK_MONOTONIC) < worker->until) {
		request_send(ssl, worker->path, "0 0 0", false, BULK_BYTES);
		answer_read(ssl, false);
		worker->count++;
	}
	tls_close(ssl);
	return NULL;
}

static size_t workers_run(int n, void *(*run)(void *), const char *path, const char *load, double seconds)
{
	struct worker *workers = calloc((size_t)n, sizeof(*workers));
	size_t total = 0;

	for (int i = 0; i < n; i++) {
		snprintf(workers[i].load, sizeof(workers[i].load), "%s", load);
		workers[i].path = path;
		workers[i].until = seconds_of(CLOCK_MONOTONIC) + seconds;
		pthread_create(&workers[i].thread, NULL, run, &workers[i]);
	}
	for (int i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		total += workers[i].count;
	}
	free(workers);
	return total;
}

static int sse(char **args)
{
	char load[64];
	double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	size_t events;

	snprintf(load, sizeof(load), "%s %s 0", args[1], args[2]);
	events = workers_run((int)number_of(args[0]), worker_stream, CHAT_PATH, load, 0);
	printf("%.3f %zu\n", (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / (double)events, events);
	return 0;
}

static int bulk(char **args)
{
	double seconds = atof(args[1]), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC);
	size_t operations = workers_run((int)number_of(args[0]), worker_bulk,
					strcmp(args[2], "other") == 0 ? OTHER_PATH : CHAT_PATH, "", seconds);

	wall = seconds_of(CLOCK_MONOTONIC) - wall;
	printf("%.1f %.3f\n", (double)operations / wall,
	       (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / (double)operations);
	return 0;
}

static int calls(char **args)
{
	double rate = atof(args[0]), until = seconds_of(CLOCK_MONOTONIC) + atof(args[1]),
	       next = seconds_of(CLOCK_MONOTONIC);
	SSL *ssl = tls_connect(client_context, port);
	size_t count = 0;
	char load[64];

	snprintf(load, sizeof(load), "0 0 %s", args[2]);
	while (seconds_of(CLOCK_MONOTONIC) < until) {
		double wait = next - seconds_of(CLOCK_MONOTONIC);

		if (wait > 0)
			usleep((useconds_t)(wait * 1e6));
		next += 1 / rate;
		request_send(ssl, CHAT_PATH, load, false, (size_t)number_of(args[2]));
		answer_read(ssl, false);
		count++;
	}
	tls_close(ssl);
	printf("%zu\n", count);
	return 0;
}

static int burst(char **args)
{
	SSL *ssl = tls_connect(client_context, port);
	char load[64];

	snprintf(load, sizeof(load), "%s 1250 0", args[0]);
	request_send(ssl, "/v1/chat/completions/burst/chat/completions", load, false, 200);
	printf("%zu\n", answer_read(ssl, false));
	tls_close(ssl);
	return 0;
}

/* Two ends over memory in one thread: nothing but the library's own work. */
static int echo(char **args)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *client = SSL_new(client_context), *server_end = SSL_new(context);
	BIO *up, *down;
	char data[64] = "x";
	size_t done;
	double begun;
	long rounds = number_of(args[0]);

	SSL_CTX_set_cipher_list(client_context, "ALL:@SECLEVEL=0");
	if (SSL_CTX_use_certificate_chain_file(context, args[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, args[2], SSL_FILETYPE_PEM) != 1)
		fail("certificate");
	SSL_free(server_end);
	server_end = SSL_new(context);
	BIO_new_bio_pair(&up, 0, &down, 0);
	SSL_set_bio(client, up, up);
	SSL_set_bio(server_end, down, down);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server_end);
	for (int i = 0; i < 20; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server_end);
	}
	begun = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	for (long i = 0; i < rounds; i++)
		if (SSL_write_ex(client, data, sizeof(data), &done) != 1 ||
		    SSL_read_ex(server_end, data, sizeof(data), &done) != 1)
			fail("echo");
	printf("%.1f\n", (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begun) * 1e9 / (double)rounds);
	return 0;
}

static const struct mode {
	const char *name;
	int args;
	bool has_port;
	int (*run)(char **args);
} modes[] = {
	{ "server", 3, false, server }, { "sse", 4, true, sse },     { "bulk", 4, true, bulk },
	{ "calls", 4, true, calls },    { "burst", 2, true, burst }, { "echo", 3, false, echo },
};

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	client_context = SSL_CTX_new(TLS_client_method());
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) != 0 || argc != 2 + modes[i].args)
			continue;
		if (modes[i].has_port)
			port = (int)number_of(argv[2]);
		return modes[i].run(argv + 2 + modes[i].has_port);
	}
	fprintf(stderr, "see the head of tlsload.c\n");
	return 2;
}
