/* SPDX-License-Identifier: Apache-2.0 */
/* What the text in a file tells about the TLS libraries in it, and where the names stand that their error reports carry. */
#pragma once
#include "probe/elf.h"
#include "probe/site.h"

enum site_word {
	WORD_BORINGSSL_FILE, /* source of BoringSSL's SSL_read and SSL_write */
	WORD_AEAD_FILE,      /* source of BoringSSL's and AWS-LC's ciphers */
	/* Names of functions; OpenSSL 3 reports them. */
	WORD_READ_INTERNAL,
	WORD_WRITE_INTERNAL,
	WORD_SSL_READ,
	WORD_SSL_WRITE,
	_WORD_MAX,
};

/* Code may refer to any part of a name between these addresses: linkers share the tails of texts. */
struct site_string {
	enum site_word word;
	uint64_t first, last;
};

enum { SITE_STRINGS_MAX = 64 };

struct site_strings {
	enum site_family family; /* NONE when no library's text is there */
	char version[48];        /* "OpenSSL 3.5.8", "BoringSSL", or "" */
	bool has_rustls;
	struct site_string list[SITE_STRINGS_MAX];
	size_t count;
};

/* Reads a bounded part of what is mapped read-only. */
void site_strings_find(const struct elf *elf, struct site_strings *ret);
bool site_strings_has(const struct site_strings *strings, enum site_word word);
