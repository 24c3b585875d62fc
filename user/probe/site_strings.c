/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS library's error reports carry the names of its source files, and they survive stripping: "ssl/ssl_lib.c" is
 * OpenSSL, "ssl/ssl_lib.cc" BoringSSL. A library for mere cryptography has no such name, so it is not taken for one.
 * Segments that can be written are passed over: single-file programs keep hundreds of megabytes of script there.
 *
 * The first part of each such name is looked at apart from the rest, so that the text looked for is not in this program itself.
 */
#include "probe/site_strings.h"
#include "base/cleanup.h"
#include "probe/words.h"
#include <ctype.h>
#include <stdio.h>

enum {
	WINDOW = 64 << 10,
	OVERLAP = 1024, /* twice a path with the name at its end: those of crates begin in somebody's home */
	VERSION_MAX = 64,
	BUDGET = 512 << 20,
	BUDGET_MIXED = 64 << 20, /* of segments with code */
};

struct scan {
	const struct elf *elf;
	struct words words;
	struct site_strings *ret;
};

/* A word in a window of a segment. */
struct found {
	struct slice window;
	size_t at, len;
	uint64_t address; /* of the window */
	enum site_word word;
};

static bool follows(const struct found *found, struct slice before)
{
	return found->at >= before.len &&
	       memcmp(found->window.data + found->at - before.len, before.data, before.len) == 0;
}

/* The byte behind it; 0 where the window ends. */
static char behind(const struct found *found, size_t skip)
{
	size_t at = found->at + found->len + skip;

	return at < found->window.len ? found->window.data[at] : 0;
}

static void place_add(struct scan *scan, const struct found *found, size_t first)
{
	struct site_strings *ret = scan->ret;
	struct site_string place = { found->word, found->address + first, found->address + found->at };

	for (size_t i = 0; i < ret->count; i++)
		if (ret->list[i].last == place.last && ret->list[i].word == place.word)
			return;
	if (ret->count < SITE_STRINGS_MAX)
		ret->list[ret->count++] = place;
}

/* Code refers to a path's beginning. */
static void path_add(struct scan *scan, const struct found *found)
{
	size_t first = found->at;

	if (scan->ret->count == SITE_STRINGS_MAX) /* of what is made, not built: the way back is not gone for each */
		return;
	while (first && found->at - first < OVERLAP / 2 && isgraph((unsigned char)found->window.data[first - 1]))
		first--;
	place_add(scan, found, first);
}

static void take_ssl_file(struct scan *scan, const struct found *found)
{
	bool is_boringssl = behind(found, 0) == 'c';

	if (!follows(found, SLICE("ssl")))
		return;
	if (scan->ret->family != SITE_FAMILY_BORINGSSL)
		scan->ret->family = is_boringssl ? SITE_FAMILY_BORINGSSL : SITE_FAMILY_OPENSSL;
	if (is_boringssl)
		path_add(scan, found);
}

static void take_aead_file(struct scan *scan, const struct found *found)
{
	if (follows(found, SLICE("cipher")))
		path_add(scan, found);
}

/* The name alone, as a text of its own. */
static void take_name(struct scan *scan, const struct found *found)
{
	if ((!found->at || !found->window.data[found->at - 1]) && !behind(found, 0))
		place_add(scan, found, found->at);
}

static void take_rustls(struct scan *scan, const struct found *found)
{
	scan->ret->has_rustls |= follows(found, SLICE("r")) && isdigit((unsigned char)behind(found, 0));
}

/* "OpenSSL 3.0.17 1 Jul 2025" is cut behind its number; BoringSSL says "OpenSSL 1.1.1 (compatible; BoringSSL)". */
static void take_version(struct scan *scan, const struct found *found)
{
	struct slice text = slice_head(slice_from(found->window, found->at), VERSION_MAX);
	struct site_strings *ret = scan->ret;
	size_t len = found->len, dots = 0;

	if (ret->version[0])
		return;
	if (slice_contains(text, SLICE("BoringSSL)"))) {
		ret->family = SITE_FAMILY_BORINGSSL;
		snprintf(ret->version, sizeof(ret->version), "BoringSSL");
		return;
	}
	while (len < text.len && (isalnum((unsigned char)text.data[len]) || text.data[len] == '.')) {
		dots += text.data[len] == '.';
		len++;
	}
	if (dots == 2 && isdigit((unsigned char)text.data[found->len]))
		snprintf(ret->version, sizeof(ret->version), "%.*s", (int)len, text.data);
}

/* It tells when it is to log: "Enabled GnuTLS 3.7.9 logging..." */
static void take_gnutls(struct scan *scan, const struct found *found)
{
	if (!follows(found, SLICE("Enabled ")))
		return;
	if (!scan->ret->family)
		scan->ret->family = SITE_FAMILY_GNUTLS;
	take_version(scan, found);
}

static const struct slice texts[] = {
	SLICE("/ssl_lib.c"), SLICE("/aead.c"),   SLICE("ssl_read_internal"), SLICE("ssl_write_internal"),
	SLICE("SSL_read"),   SLICE("SSL_write"), SLICE("ustls-0."),          SLICE("OpenSSL "),
	SLICE("LibreSSL "),  SLICE("GnuTLS "),
};

static const struct {
	enum site_word word;
	void (*take)(struct scan *scan, const struct found *found);
} meanings[ARRAY_SIZE(texts)] = {
	{ WORD_BORINGSSL_FILE, take_ssl_file },
	{ WORD_AEAD_FILE, take_aead_file },
	{ WORD_READ_INTERNAL, take_name },
	{ WORD_WRITE_INTERNAL, take_name },
	{ WORD_SSL_READ, take_name },
	{ WORD_SSL_WRITE, take_name },
	{ _WORD_MAX, take_rustls },
	{ _WORD_MAX, take_version },
	{ _WORD_MAX, take_version },
	{ _WORD_MAX, take_gnutls },
};

/* What begins from @from up to @to, where all that belongs to it is in the window. */
static void window_scan(struct scan *scan, struct slice window, uint64_t address, size_t from, size_t to)
{
	ptrdiff_t at = (ptrdiff_t)from;
	size_t which;

	while ((at = words_find(&scan->words, window, (size_t)at, &which)) >= 0 && (size_t)at < to) {
		const struct found found = { window, (size_t)at, texts[which].len, address, meanings[which].word };

		meanings[which].take(scan, &found);
		at++;
	}
}

static void segment_scan(struct scan *scan, const Elf64_Phdr *segment, uint64_t *left)
{
	char window[WINDOW];

	for (uint64_t at = 0; at < segment->p_filesz && *left; at += WINDOW - OVERLAP) {
		size_t want = MIN(WINDOW, segment->p_filesz - at);
		size_t len = elf_read_some(scan->elf, segment->p_offset + at, window, want);

		if (!len)
			return;
		window_scan(scan, (struct slice){ window, len }, segment->p_vaddr + at, at ? OVERLAP / 2 : 0,
			    at + len < segment->p_filesz ? len - MIN(len, OVERLAP / 2) : len);
		*left -= MIN(*left, len);
	}
}

static bool is_found(const struct site_strings *strings)
{
	return strings->family || strings->has_rustls || strings->count;
}

void site_strings_find(const struct elf *elf, struct site_strings *ret)
{
	static const struct {
		uint32_t code;
		uint64_t budget;
	} passes[] = { { 0, BUDGET }, { PF_X, BUDGET_MIXED } };
	struct scan scan = { .elf = elf, .ret = ret };

	*ret = (struct site_strings){ 0 };
	words_prepare(&scan.words, texts, ARRAY_SIZE(texts));
	/* Text lies in a segment of its own in most files; in older ones it is mixed with the code. */
	for (size_t pass = 0; pass < ARRAY_SIZE(passes) && !is_found(ret); pass++) {
		uint64_t left = passes[pass].budget;

		for (size_t i = 0; i < elf->segment_count; i++) {
			const Elf64_Phdr *segment = &elf->segments[i];

			if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) &&
			    (segment->p_flags & PF_X) == passes[pass].code)
				segment_scan(&scan, segment, &left);
		}
	}
}

bool site_strings_has(const struct site_strings *strings, enum site_word word)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strings->list[i].word == word)
			return true;
	return false;
}
