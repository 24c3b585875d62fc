/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl asks for sockets and one timer, libuv has them; this page only joins the two. A transfer is one allocation that
 * lives in the client's list from http_send() to its done().
 *
 *	curl ── socket_wanted ──▶ uv_poll ── socket_ready ──▶ curl_multi_socket_action ──▶ transfers_finish ──▶ done()
 */
#include "net/http.h"
#include "base/alloc.h"
#include "base/buf.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <zlib.h>

enum { REPLY_MAX = 4 << 20, CONNECT_TIMEOUT_MS = 10000, GZIP_LEVEL = 3, GZIP_WINDOW = 15 + 16 /* with gzip's frame */ };

struct transfer {
	struct transfer *next, **at; /* in the client's list */
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	http_done done;
	void *user;
	struct alloc_heap heap;
	struct buf reply;
	char error[CURL_ERROR_SIZE];
};

struct http_client {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t *timer;
	struct transfer *transfers;
	size_t connections_max;
	char *ca_file, *client_cert, *user_agent;
	bool insecure;
};

struct watch { /* one socket of curl */
	uv_poll_t poll;
	struct http_client *client;
	curl_socket_t fd;
};

static const struct {
	CURLcode code;
	int error;
} curl_errors[] = {
	{ CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT },
	{ CURLE_COULDNT_CONNECT, -ECONNREFUSED },
	{ CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH },
	{ CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH },
	{ CURLE_URL_MALFORMAT, -EINVAL },
	{ CURLE_UNSUPPORTED_PROTOCOL, -EINVAL },
	{ CURLE_SSL_CONNECT_ERROR, -EPROTO },
	{ CURLE_PEER_FAILED_VERIFICATION, -EPROTO },
	{ CURLE_SSL_CERTPROBLEM, -EPROTO },
	{ CURLE_SSL_CACERT_BADFILE, -EPROTO },
	{ CURLE_SSL_ISSUER_ERROR, -EPROTO },
	{ CURLE_SSL_CIPHER, -EPROTO },
	{ CURLE_OUT_OF_MEMORY, -ENOMEM },
};

static int error_of(CURLcode code)
{
	if (code == CURLE_OK)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(curl_errors); i++)
		if (curl_errors[i].code == code)
			return curl_errors[i].error;
	return -EIO;
}

static void transfer_unlink(struct transfer *transfer)
{
	*transfer->at = transfer->next;
	if (transfer->next)
		transfer->next->at = transfer->at;
	curl_multi_remove_handle(transfer->client->multi, transfer->easy);
}

static struct transfer *transfer_free(struct transfer *transfer)
{
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	buf_free(&transfer->reply);
	free(transfer);
	return NULL;
}
DEFINE_CLEANUP(struct transfer *, transfer_free)

/* Curl may quote the URL, and a URL may hold a password. */
static void text_hide_credentials(char *text)
{
	for (char *at = strstr(text, "://"); at; at = strstr(at + 3, "://")) {
		size_t len = strcspn(at + 3, "/?# ");
		char *end = memrchr(at + 3, '@', len);

		if (end)
			memmove(at + 3, end + 1, strlen(end + 1) + 1);
	}
}

static void transfer_finish(struct transfer *transfer, CURLcode code)
{
	struct http_reply reply = { .error = error_of(code), .retry_after_ms = -1 };
	curl_off_t after = 0;
	long number = 0;

	transfer_unlink(transfer);
	if (curl_easy_getinfo(transfer->easy, CURLINFO_LOCAL_PORT, &number) == CURLE_OK)
		reply.local_port = (uint16_t)number;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_PORT, &number) == CURLE_OK)
		reply.remote_port = (uint16_t)number;
	if (!reply.error) {
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &number);
		reply.status = (int)number;
		reply.body = buf_slice(&transfer->reply);
		if (curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
			reply.retry_after_ms = MIN(after, (curl_off_t)INT32_MAX) * 1000;
	} else {
		if (!transfer->error[0])
			snprintf(transfer->error, sizeof(transfer->error), "%s", curl_easy_strerror(code));
		text_hide_credentials(transfer->error);
		reply.reason = transfer->error;
	}
	transfer->done(transfer->user, &reply);
	transfer_free(transfer);
}

static void transfers_finish(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct transfer *transfer = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer_finish(transfer, code);
	}
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct http_client *client = watch->client;
	int action = status < 0 ? CURL_CSELECT_ERR : 0;
	int running;

	if (events & UV_READABLE)
		action |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		action |= CURL_CSELECT_OUT;
	curl_multi_socket_action(client->multi, watch->fd, action, &running);
	transfers_finish(client);
}

static void timer_over(uv_timer_t *timer)
{
	struct http_client *client = timer->data;
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	transfers_finish(client);
}

static void handle_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void timer_closed(uv_handle_t *handle)
{
	free(handle);
}

static struct watch *watch_new(struct http_client *client, curl_socket_t fd)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	*watch = (struct watch){ .client = client, .fd = fd };
	if (uv_poll_init_socket(client->loop, &watch->poll, fd) < 0) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	curl_multi_assign(client->multi, fd, watch);
	return watch;
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
	struct http_client *client = user;
	struct watch *watch = socket_user;
	int events = 0;

	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			uv_poll_stop(&watch->poll);
			curl_multi_assign(client->multi, fd, NULL);
			uv_close((uv_handle_t *)&watch->poll, handle_closed);
		}
		return 0;
	}
	if (!watch)
		watch = watch_new(client, fd);
	if (!watch)
		return -1;
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&watch->poll, events, socket_ready) < 0 ? -1 : 0;
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *user)
{
	struct http_client *client = user;

	if (timeout_ms < 0)
		uv_timer_stop(client->timer);
	else
		uv_timer_start(client->timer, timer_over, (uint64_t)timeout_ms, 0);
	return 0;
}

/* Sockets must not leak into programs that are started beside us. */
static curl_socket_t socket_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* What goes beyond the maximum is dropped, not refused: the status line is what counts. */
static size_t reply_take(char *data, size_t size, size_t count, void *user)
{
	struct transfer *transfer = user;
	size_t room = REPLY_MAX - transfer->reply.len;

	buf_put(&transfer->reply, slice_head((struct slice){ data, size * count }, room));
	return size * count;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *copy_or_null(const char *text)
{
	return text ? strdup(text) : NULL;
}

int http_client_new(uv_loop_t *loop, const struct http_client_opts *opts, struct http_client **ret)
{
	struct http_client *client;

	pthread_once(&curl_once, curl_begin);
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->loop = loop;
	client->connections_max = opts->connections_max ? opts->connections_max : 2;
	client->insecure = opts->insecure;
	client->ca_file = copy_or_null(opts->ca_file);
	client->client_cert = copy_or_null(opts->client_cert);
	client->user_agent = copy_or_null(opts->user_agent);
	client->timer = calloc(1, sizeof(*client->timer));
	client->multi = client->timer ? curl_multi_init() : NULL;
	if (!client->multi) {
		free(client->timer);
		client->timer = NULL;
		http_client_free(client);
		return -ENOMEM;
	}
	uv_timer_init(loop, client->timer);
	client->timer->data = client;
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)client->connections_max);
	*ret = client;
	return 0;
}

struct http_client *http_client_free(struct http_client *client)
{
	struct http_reply canceled = { .error = -ECANCELED, .reason = "canceled", .retry_after_ms = -1 };

	if (!client)
		return NULL;
	while (client->transfers) {
		struct transfer *transfer = client->transfers;

		transfer_unlink(transfer);
		transfer->done(transfer->user, &canceled);
		transfer_free(transfer);
	}
	if (client->multi)
		curl_multi_cleanup(client->multi);
	if (client->timer)
		uv_close((uv_handle_t *)client->timer, timer_closed);
	free(client->ca_file);
	free(client->client_cert);
	free(client->user_agent);
	free(client);
	return NULL;
}

static void transfer_set_tls(struct transfer *transfer)
{
	const struct http_client *client = transfer->client;

	if (client->ca_file)
		curl_easy_setopt(transfer->easy, CURLOPT_CAINFO, client->ca_file);
	if (client->client_cert) {
		curl_easy_setopt(transfer->easy, CURLOPT_SSLCERT, client->client_cert);
		curl_easy_setopt(transfer->easy, CURLOPT_SSLKEY, client->client_cert);
	}
	if (client->insecure) {
		curl_easy_setopt(transfer->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(transfer->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static int header_add(struct transfer *transfer, const char *header)
{
	struct curl_slist *list = curl_slist_append(transfer->headers, header);

	if (!list)
		return -ENOMEM;
	transfer->headers = list;
	return 0;
}

static int headers_set(struct transfer *transfer, const struct http_request *request)
{
	int r = header_add(transfer, "Expect:");

	if (r == 0 && request->gzip)
		r = header_add(transfer, "content-encoding: gzip");
	for (const char *const *header = request->headers; r == 0 && header && *header; header++)
		r = header_add(transfer, *header);
	if (r == 0)
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	return r;
}

static int gzip(struct slice plain, char **ret, size_t *ret_len)
{
	z_stream stream = { .next_in = (Bytef *)plain.data, .avail_in = (uInt)plain.len };
	CLEANUP_FREE char *out = NULL;
	size_t bound;
	int code;

	if (plain.len > UINT32_MAX ||
	    deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	bound = deflateBound(&stream, plain.len);
	out = malloc(bound);
	stream.next_out = (Bytef *)out;
	stream.avail_out = out ? (uInt)bound : 0;
	code = out ? deflate(&stream, Z_FINISH) : Z_MEM_ERROR;
	*ret_len = stream.total_out;
	deflateEnd(&stream);
	if (code != Z_STREAM_END)
		return -ENOMEM;
	*ret = TAKE_PTR(out);
	return 0;
}

static int body_set(struct transfer *transfer, const struct http_request *request)
{
	CLEANUP_FREE char *packed = NULL;
	struct slice body = request->body;
	int r;

	if (strcmp(request->method, "GET") == 0)
		return 0;
	if (request->gzip) {
		r = gzip(request->body, &packed, &body.len);
		if (r < 0)
			return r;
		body.data = packed;
	}
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	if (curl_easy_setopt(transfer->easy, CURLOPT_COPYPOSTFIELDS, body.len ? body.data : "") != CURLE_OK)
		return -ENOMEM;
	curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, request->method);
	return 0;
}

static int transfer_prepare(struct transfer *transfer, const struct http_request *request)
{
	CURL *easy = transfer->easy;
	int r;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)MIN(request->timeout_ms ?: UINT32_MAX, CONNECT_TIMEOUT_MS));
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, reply_take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, transfer->client->user_agent ?: "spantap/" SPANTAP_VERSION);
	if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
		return -ENOSYS;
	transfer_set_tls(transfer);
	if (request->basic)
		curl_easy_setopt(easy, CURLOPT_USERPWD, request->basic);
	if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK)
		return -ENOMEM;
	r = body_set(transfer, request);
	return r < 0 ? r : headers_set(transfer, request);
}

int http_send(struct http_client *client, const struct http_request *request, http_done done, void *user)
{
	CLEANUP(transfer_free) struct transfer *transfer = calloc(1, sizeof(*transfer));
	int r;

	if (!transfer)
		return -ENOMEM;
	transfer->client = client;
	transfer->done = done;
	transfer->user = user;
	transfer->heap = (struct alloc_heap)ALLOC_HEAP(REPLY_MAX);
	transfer->reply = BUF(&transfer->heap.alloc, REPLY_MAX);
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		return -ENOMEM;
	r = transfer_prepare(transfer, request);
	if (r < 0)
		return r;
	if (curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK)
		return -ENOMEM;
	transfer->next = client->transfers;
	transfer->at = &client->transfers;
	if (transfer->next)
		transfer->next->at = &transfer->next;
	client->transfers = TAKE_PTR(transfer);
	return 0;
}
