/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where to put probes into an ELF file that holds a TLS library: file offsets of its read, write and lifetime
 * functions, and for read and write the cheapest instruction that still sees the arguments (a probe on an instruction
 * that the kernel must single-step costs 14 to 20 times one on a push).
 *
 * Reads the file only through the descriptor, never trusts it: every offset is checked against the file's size, every
 * count is bounded. Needs no privilege.
 */
#pragma once
#include "base/slice.h"

enum site_role {
	SITE_READ, /* (ssl, buf, int n): returned count > 0 is the length */
	SITE_WRITE,
	SITE_READ_EX, /* (ssl, buf, size_t n, size_t *done): length is *done when the result is > 0 */
	SITE_WRITE_EX,
	SITE_WRITE_EX2, /* (ssl, buf, n, flags, size_t *done) */
	SITE_FREE,      /* (ssl): the object dies; a session of GnuTLS as well */
	SITE_CLEAR,     /* (ssl): same object, new connection */
	SITE_SET_FD,    /* (ssl, fd) */
	/* Ciphers of AWS-LC, which rustls and s2n use. (context, out, size_t *out_len, max_out, nonce, nonce_len; on the stack: in, in_len,
	 * ad, ad_len) */
	SITE_AEAD_SEAL,
	SITE_AEAD_OPEN,
	/* (context, out, tag, size_t *tag_len, max_tag, nonce; nonce_len, in, in_len, extra, extra_len, ad, ad_len) */
	SITE_AEAD_SEAL_SCATTER,
	/* (context, out, nonce, nonce_len, in, in_len; tag, tag_len, ad, ad_len) */
	SITE_AEAD_OPEN_GATHER,
	/* GnuTLS. (session, buf, size_t n): returned count > 0 is the length, what is below 0 an error */
	SITE_GNUTLS_READ,
	SITE_GNUTLS_WRITE,
	SITE_GNUTLS_TYPED,  /* (session, type, buf, n): a read where the type is 23, text */
	SITE_GNUTLS_PACKET, /* (session, packet *): the count of what is in *packet */
	SITE_GNUTLS_FLUSH,  /* (session): sends what was given to a write before, and gives it to one once more */
	SITE_GNUTLS_BYE,    /* (session): tells the other side that this one will send no more */
	/* Under BoringSSL's SSL_write: (context, where its output goes or a list of that, ...). The output ends a TLS record's head. */
	SITE_RECORD_SEAL,
	/* Of Go's crypto/tls, in Go's registers. */
	SITE_GO_READ,     /* entry: (conn, buf, n) in Go's registers */
	SITE_GO_READ_END, /* a return of it: (n, error) */
	SITE_GO_WRITE,    /* entry: (conn, type of the record, buf, n) */
	SITE_GO_WRITE_END,
	SITE_GO_OVER,  /* (conn): it is closed */
	SITE_GO_BEGIN, /* (conn): a handshake begins */
	_SITE_MAX,
};

enum site_family {
	SITE_FAMILY_NONE,
	SITE_FAMILY_OPENSSL,
	SITE_FAMILY_BORINGSSL,
	SITE_FAMILY_RUSTLS, /* through the ciphers of AWS-LC */
	SITE_FAMILY_GO,
	SITE_FAMILY_GNUTLS,
	_SITE_FAMILY_MAX,
};

struct site {
	enum site_role role;
	enum site_family family; /* a file may hold several */
	uint64_t offset;         /* in the file */
	bool is_inner;      /* the function that the API functions share; arguments and meaning are those of @role */
	bool is_stepped;    /* the kernel must single-step the instruction: told to the user, measured in benchmarks */
	const char *symbol; /* static name of where it was found: "SSL_read", "ssl_read_internal" */
};

enum { SITES_MAX = 64 };

struct site_set {
	enum site_family family; /* the first that was found */
	struct site sites[SITES_MAX];
	size_t count;
	char version[48];     /* "OpenSSL 3.0.17", as found in the file, or "" */
	char method[24];      /* "dynsym", "symtab", "error sites", "pclntab" */
	const char *why_not;  /* static, or NULL: what is known of why a file with a library has no sites */
	uint8_t build_id[20]; /* zero when the file has none */
	uint8_t build_id_len;
};

/* 0 with count > 0: found. 0 with count 0: an ELF file without a TLS library that can be probed; @ret->family
 * then still says when strings tell that there is one (opaque). -ENOEXEC: no program or shared library for this
 * machine; other negative errno from the descriptor; the set is zero then. */
int site_find(int fd, struct site_set *ret);
