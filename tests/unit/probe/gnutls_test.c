/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: GnuTLS is found by its names; of its reading functions the inner one stands for both where both are seen to hand
 * their buffer to it, else each has a site; a file with two libraries has the sites of both, each with its family.
 */
#include "expect.h"

/* clang-format off */
/* gnutls_record_send is another way into gnutls_record_send2; before GnuTLS 3.6.3 there was no such. */
static const struct fixture gnutls = { .functions = {
	{ "gnutls_record_recv", "48 83 ec 08 c3" }, { "gnutls_record_recv_seq", "49 89 c8 48 89 d1 e9 ->8" },
	{ "gnutls_record_send", "45 31 c0 31 c9 e9 ->7" }, { "gnutls_record_send2", PUSH },
	{ "gnutls_record_send_range", PUSH }, { "gnutls_record_uncork", "41 55 c3" },
	{ "gnutls_deinit", "48 85 ff 74 01 55 c3" }, { NULL, "ff 25 =>3" }, { NULL, PUSH },
	{ "gnutls_record_recv_packet", PUSH }, { "gnutls_record_send_early_data", PUSH }, { "gnutls_bye", PUSH } } };
/* Both reading functions hand a type to another one, and their own buffer; one of them, to a second one. */
#define TYPED "48 89 d1 48 89 f2 be 17 00 00 00"
static const struct fixture gnutls_typed = { .functions = {
	{ NULL, PUSH }, { NULL, "31 c0 c3" }, { "gnutls_record_recv", "48 83 ec 08 84 c0 74 10 " TYPED " e8 ->1 " TYPED " e9 ->0" },
	{ "gnutls_record_recv_seq", "49 89 c8 " TYPED " e9 ->0" }, { "gnutls_record_send", PUSH } } };
/* One of them has a copy, or hands on another buffer. */
static const struct fixture gnutls_copied = { .functions = {
	{ NULL, PUSH }, { "gnutls_record_recv", "48 83 ec 08 c3" }, { "gnutls_record_recv_seq", TYPED " e9 ->0" },
	{ "gnutls_record_send", PUSH } } };
static const struct fixture gnutls_other_buffer = { .functions = {
	{ NULL, PUSH }, { "gnutls_record_recv", TYPED " e9 ->0" }, { "gnutls_record_recv_seq", "48 89 d1 48 89 e2 e9 ->0" },
	{ "gnutls_record_send", PUSH } } };
static const struct fixture gnutls_old = { .has_sections = true, .functions = {
	{ "gnutls_record_recv", PUSH }, { "gnutls_record_send", PUSH }, { "gnutls_deinit", PUSH } } };
static const struct fixture gnutls_half = { .functions = { { "gnutls_record_recv", PUSH }, { "gnutls_deinit", PUSH } } };
static const struct fixture gnutls_user = { .functions = {
	{ "?gnutls_record_recv", PUSH }, { "?gnutls_record_send", PUSH }, { "main", PUSH } } };
/* One file, both libraries. */
static const struct fixture two_libraries = { .functions = {
	{ "gnutls_record_recv", PUSH }, { "gnutls_record_send", PUSH }, { "SSL_read", PUSH }, { "SSL_write", PUSH } } };
/* clang-format on */

static void gnutls_is_found_by_its_names(void **state)
{
	EXPECT_OF(SITE_FAMILY_GNUTLS, gnutls, { SITE_GNUTLS_READ, 0, 0, false, true },
		  { SITE_GNUTLS_READ, 1, 0, false, true }, { SITE_GNUTLS_WRITE, 3, 0, false, false },
		  { SITE_GNUTLS_WRITE, 4, 0, false, false }, { SITE_GNUTLS_PACKET, 9, 0, false, false },
		  { SITE_GNUTLS_FLUSH, 5, 0, false, false }, { SITE_GNUTLS_BYE, 11, 0, false, false },
		  { SITE_FREE, 6, 3, false, false });
	EXPECT_OF(SITE_FAMILY_GNUTLS, gnutls_old, { SITE_GNUTLS_READ, 0, 0, false, false },
		  { SITE_GNUTLS_WRITE, 1, 0, false, false }, { SITE_FREE, 2, 0, false, false });
	EXPECT_OF(SITE_FAMILY_GNUTLS, gnutls_typed, { SITE_GNUTLS_TYPED, 1, 0, true, true },
		  { SITE_GNUTLS_TYPED, 0, 0, true, false }, { SITE_GNUTLS_WRITE, 4, 0, false, false });
	EXPECT_OF(SITE_FAMILY_GNUTLS, gnutls_copied, { SITE_GNUTLS_READ, 1, 0, false, true },
		  { SITE_GNUTLS_READ, 2, 0, false, true }, { SITE_GNUTLS_WRITE, 3, 0, false, false });
	EXPECT_OF(SITE_FAMILY_GNUTLS, gnutls_other_buffer, { SITE_GNUTLS_READ, 1, 0, false, true },
		  { SITE_GNUTLS_READ, 2, 0, false, true }, { SITE_GNUTLS_WRITE, 3, 0, false, false });
	fixture_expect("gnutls_half", &gnutls_half, SITE_FAMILY_NONE, NULL, 0);
	fixture_expect("gnutls_user", &gnutls_user, SITE_FAMILY_NONE, NULL, 0);
}

static void each_library_in_a_file_has_its_own_sites(void **state)
{
	static const enum site_family families[] = { SITE_FAMILY_OPENSSL, SITE_FAMILY_OPENSSL, SITE_FAMILY_GNUTLS,
						     SITE_FAMILY_GNUTLS };
	int fd CLEANUP_FD = fixture_open(&two_libraries);
	struct site_set set;

	EXPECT_OF(SITE_FAMILY_OPENSSL, two_libraries, { SITE_READ, 2, 0, false, false },
		  { SITE_WRITE, 3, 0, false, false }, { SITE_GNUTLS_READ, 0, 0, false, false },
		  { SITE_GNUTLS_WRITE, 1, 0, false, false });
	assert_int_equal(site_find(fd, &set), 0);
	for (size_t i = 0; i < set.count; i++)
		assert_int_equal(set.sites[i].family, families[i]);
}

static void every_mutation_is_survived(void **state)
{
	const struct fixture *const list[] = { &gnutls, &gnutls_typed, &gnutls_old, &two_libraries };

	fixtures_spoil(list, ARRAY_SIZE(list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gnutls_is_found_by_its_names),
		cmocka_unit_test(each_library_in_a_file_has_its_own_sites),
		cmocka_unit_test(every_mutation_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
