/* SPDX-License-Identifier: Apache-2.0 */
/* Which sites a made file must show, in their order, and no others; and that none can be spoiled so that it leads out of itself. */
#pragma once
#include "fixture.h"
#include "probe/site.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define PUSH "55 c3"

struct expected {
	enum site_role role;
	size_t function;
	unsigned skip;
	bool is_inner, is_stepped;
};

static inline void fixture_expect(const char *name, const struct fixture *fixture, enum site_family family,
				  const struct expected *expected, size_t count)
{
	int fd CLEANUP_FD = fixture_open(fixture);
	struct site_set set;

	assert_true(fd >= 0);
	assert_int_equal(site_find(fd, &set), 0);
	assert_int_equal(set.build_id_len, 20);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(set.build_id[i], 0xb1);
	if (set.count != count)
		fail_msg("%s: %zu sites", name, set.count);
	for (size_t i = 0; i < count; i++) {
		const struct site *site = &set.sites[i];

		if (site->role != expected[i].role || site->is_inner != expected[i].is_inner ||
		    site->is_stepped != expected[i].is_stepped ||
		    site->offset != fixture_offset(expected[i].function) + expected[i].skip)
			fail_msg("%s: site %zu is '%s' at %#lx", name, i, site->symbol, (unsigned long)site->offset);
	}
	if (count)
		assert_string_equal(set.method, fixture->has_sections ? "symtab" : "dynsym");
	assert_int_equal(set.family, family);
}

#define EXPECT_OF(family, fixture, ...)                                                                                \
	fixture_expect(#fixture, &fixture, family, (const struct expected[]){ __VA_ARGS__ },                           \
		       sizeof((const struct expected[]){ __VA_ARGS__ }) / sizeof(struct expected))

static inline void offsets_are_inside(int fd)
{
	struct site_set set;
	struct stat st;

	if (site_find(fd, &set) < 0)
		return;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(set.count <= SITES_MAX);
	for (size_t i = 0; i < set.count; i++)
		assert_true(set.sites[i].offset < (uint64_t)st.st_size);
}

static inline void spoil(int fd, const char *good, size_t len)
{
	for (int n = 1 + (int)(random() % 8); n; n--) {
		/* Half of the changes go where the tables are that lead to all else. */
		size_t at = (size_t)random() % (random() & 1 ? MIN(len, 1024) : len);
		uint64_t value = random() & 1 ? (uint64_t)random() : random() & 1 ? ~0ULL : (uint64_t)random() << 40;

		assert_true(pwrite(fd, &value, MIN(1 + (size_t)random() % 8, len - at), (off_t)at) > 0);
	}
	if (random() % 4 == 0)
		assert_int_equal(ftruncate(fd, (off_t)((size_t)random() % len)), 0);
	offsets_are_inside(fd);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	assert_int_equal(pwrite(fd, good, len, 0), len);
}

static inline void fixtures_spoil(const struct fixture *const list[], size_t count)
{
	struct fixture_image image;

	srandom(11);
	for (size_t i = 0; i < count; i++) {
		int fd CLEANUP_FD = fixture_open(list[i]);

		assert_int_equal(pread(fd, &image, sizeof(image), 0), sizeof(image));
		for (int round = 0; round < 1000; round++)
			spoil(fd, (const char *)&image, sizeof(image));
	}
}
