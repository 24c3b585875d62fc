/* SPDX-License-Identifier: Apache-2.0 */
/* The load programs' shared parts: TLS contexts, sockets, clocks. Errors end the program with a line that says where. */
#pragma once
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline _Noreturn void fail(const char *what)
{
	perror(what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static inline double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline long number_of(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*end || end == text)
		fail(text);
	return number;
}

static inline int socket_connect(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return fd;
}

static inline SSL *tls_connect(SSL_CTX *context, int port)
{
	SSL *ssl = SSL_new(context);

	if (!ssl || SSL_set_fd(ssl, socket_connect(port)) != 1 || SSL_connect(ssl) != 1)
		fail("TLS");
	return ssl;
}

static inline void tls_close(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static inline void write_all(SSL *ssl, const char *data, size_t len)
{
	size_t done;

	if (SSL_write_ex(ssl, data, len, &done) != 1 || done != len)
		fail("write");
}
