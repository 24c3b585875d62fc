/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: one asynchronous HTTP client over libcurl's multi interface on a libuv loop. One request is one attempt: who asks
 * decides about repeating. Redirects are not followed (a POST would lose its body), environment proxies are honoured.
 */
#pragma once
#include "base/cleanup.h"
#include "base/slice.h"
#include <uv.h>

struct http_client;

struct http_client_opts {
	size_t connections_max;  /* per host (2) */
	const char *ca_file;     /* NULL: system's */
	const char *client_cert; /* PEM with key, or NULL */
	bool insecure;
	const char *user_agent;
};

struct http_request {
	const char *method; /* "GET", "POST", "PUT", "PATCH" */
	const char *url;
	const char *const *headers; /* "name: value", NULL at the end; or NULL */
	struct slice body;          /* copied */
	bool gzip;                  /* the body goes out compressed, and says so */
	unsigned timeout_ms;        /* whole request */
	const char *basic;          /* "user:password" or NULL; never logged */
};

struct http_reply {
	int error;          /* 0, or negative errno: -ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH, -EIO, -EPROTO (TLS) */
	const char *reason; /* text for error; credentials removed */
	int status;
	struct slice body;                /* at most 4 MiB of it */
	int64_t retry_after_ms;           /* -1: not told */
	uint16_t local_port, remote_port; /* of the connection used; 0 unknown */
};

typedef void (*http_done)(void *user, const struct http_reply *reply);

int http_client_new(uv_loop_t *loop, const struct http_client_opts *opts, struct http_client **ret);
/* Open requests end with -ECANCELED first. Not from inside a done(); the loop must run once more to close its handles. */
struct http_client *http_client_free(struct http_client *client);
DEFINE_CLEANUP(struct http_client *, http_client_free)
/* 0, or negative errno when it could not even begin (then done is not called). */
int http_send(struct http_client *client, const struct http_request *request, http_done done, void *user);
