/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob: what is told of a file instead of keeping it: its type, its length, its SHA-256. Whoever has the file can prove that
 * it is the one that travelled (sha256sum). The type is what the sender says, else what the first bytes say.
 */
#pragma once
#include "base/buf.h"
#include "base/sha256.h"

enum { BLOB_HEAD_MAX = 16 };

struct blob {
	struct sha256 sha;
	char head[BLOB_HEAD_MAX]; /* its first bytes */
	uint32_t bits;            /* of base64 that do not make a byte yet */
	unsigned bit_count;
};

#define BLOB ((struct blob){ .sha = SHA256 })

void blob_put(struct blob *blob, struct slice bytes);
/* Digits of base64, either alphabet, and no other character. */
void blob_put_base64(struct blob *blob, struct slice digits);
extern const bool base64_digits[256];

static inline bool base64_is_digit(char c)
{
	return base64_digits[(unsigned char)c];
}

/* "image/png", "application/octet-stream". */
struct slice blob_type(const struct blob *blob);
/* Whether a body of that content type is one. */
bool blob_type_is(struct slice content_type);
/* Text hidden in base64 (a JSON document in an envelope) is no file: it stays. */
bool blob_is_json(const struct blob *blob);

static inline uint64_t blob_bytes(const struct blob *blob)
{
	return blob->sha.len;
}
