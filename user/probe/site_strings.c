/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS library's error reports carry the names of its source files, and they survive stripping: "ssl/ssl_lib.c" is
 * OpenSSL, "ssl/ssl_lib.cc" BoringSSL. A library for mere cryptography has no such name, so it is not taken for one.
 * Segments that can be written are passed over: single-file programs keep hundreds of megabytes of script there.
 */
#include "probe/site_strings.h"
#include "base/cleanup.h"
#include <ctype.h>
#include <stdio.h>

enum {
	WINDOW = 64 << 10,
	OVERLAP = 128,
	BUDGET = 64 << 20,
};

struct scan {
	const struct elf *elf;
	uint64_t left; /* bytes that may still be read */
	enum site_family family;
	char *version;
	size_t version_size;
};

/* "OpenSSL 3.0.17 1 Jul 2025" is cut behind its number; BoringSSL says "OpenSSL 1.1.1 (compatible; BoringSSL)". */
static void version_find(struct scan *scan, struct slice window, struct slice name)
{
	for (ptrdiff_t at; !scan->version[0] && (at = slice_find(window, name)) >= 0;) {
		struct slice text = slice_head(slice_from(window, (size_t)at), OVERLAP / 2);
		size_t len = name.len, dots = 0;

		window = slice_from(window, (size_t)at + 1);
		if (slice_contains(text, SLICE("BoringSSL)"))) {
			scan->family = SITE_FAMILY_BORINGSSL;
			snprintf(scan->version, scan->version_size, "BoringSSL");
			return;
		}
		while (len < text.len && (isalnum((unsigned char)text.data[len]) || text.data[len] == '.')) {
			dots += text.data[len] == '.';
			len++;
		}
		if (dots != 2 || !isdigit((unsigned char)text.data[name.len]))
			continue;
		snprintf(scan->version, scan->version_size, "%.*s", (int)len, text.data);
	}
}

/* The folder is looked at apart from the name, so that the text looked for is not in this program itself. */
static void family_find(struct scan *scan, struct slice window)
{
	static const struct slice name = SLICE("/ssl_lib.c");

	for (ptrdiff_t at; (at = slice_find(window, name)) >= 0;) {
		const char *before = window.data + at, *after = before + name.len;
		bool is_source = at >= 3 && before[-1] == 'l' && before[-2] == 's' && before[-3] == 's' &&
				 after < window.data + window.len;

		if (is_source) {
			scan->family = *after == 'c' ? SITE_FAMILY_BORINGSSL : SITE_FAMILY_OPENSSL;
			return;
		}
		window = slice_from(window, (size_t)at + 1);
	}
}

static void segment_scan(struct scan *scan, const Elf64_Phdr *segment)
{
	char window[WINDOW];

	for (uint64_t at = 0; at < segment->p_filesz && scan->left; at += WINDOW - OVERLAP) {
		size_t want = MIN(WINDOW, segment->p_filesz - at);
		size_t len = elf_read_some(scan->elf, segment->p_offset + at, window, want);
		struct slice text = { window, len };

		if (!len || (scan->family && scan->version[0]))
			return;
		if (!scan->family)
			family_find(scan, text);
		version_find(scan, text, SLICE("OpenSSL "));
		version_find(scan, text, SLICE("LibreSSL "));
		scan->left -= MIN(scan->left, len);
	}
}

void site_strings_find(const struct elf *elf, enum site_family *ret_family, char *ret_version, size_t version_size)
{
	struct scan scan = { .elf = elf, .left = BUDGET, .version = ret_version, .version_size = version_size };

	ret_version[0] = '\0';
	/* Text lies in a segment of its own in most files; in older ones it is mixed with the code. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < elf->segment_count; i++) {
			const Elf64_Phdr *segment = &elf->segments[i];

			if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) &&
			    !(segment->p_flags & PF_X) == !pass)
				segment_scan(&scan, segment);
		}
	*ret_family = scan.family;
}
