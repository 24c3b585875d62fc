/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call after the other, each on a connection of its own, to the ports in turn: an object of OpenSSL is made where the one before
 * it was.
 *
 *	tls_again PORT PORT COUNT
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int connect_to(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		exit(2);
	return fd;
}

/* The answer ends with its connection. */
static void call(SSL_CTX *context, const char *port, int number)
{
	SSL *ssl = SSL_new(context);
	int fd = connect_to(port), len, got = 0, n;
	char body[128], request[512], answer[16 << 10];

	len = snprintf(body, sizeof(body),
		       "{\"model\":\"again-%s-%d\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", port,
		       number);
	len = snprintf(request, sizeof(request),
		       "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		       "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		       len, body);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, len) != len)
		exit(3);
	while ((n = SSL_read(ssl, answer, sizeof(answer))) > 0)
		got += n;
	printf("%p %d\n", (void *)ssl, got);
	SSL_free(ssl);
	close(fd);
}

int main(int argc, char **argv)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	for (int i = 0; argc == 4 && i < strtol(argv[3], NULL, 10); i++)
		call(context, argv[1 + i % 2], i);
	SSL_CTX_free(context);
	return 0;
}
