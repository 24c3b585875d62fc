/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte tells the length and the smallest second byte: that one table holds the whole of RFC 3629. */
#include "utf8.h"
#include "cleanup.h"

static const struct lead {
	unsigned char from, to;  /* lead bytes */
	unsigned char low, high; /* range of the second byte */
	unsigned char len;
} leads[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t utf8_length(struct slice s)
{
	const unsigned char *b = (const unsigned char *)s.data;

	if (b[0] < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(leads); i++) {
		if (b[0] < leads[i].from || b[0] > leads[i].to)
			continue;
		if (s.len < leads[i].len || b[1] < leads[i].low || b[1] > leads[i].high)
			return 0;
		for (size_t k = 2; k < leads[i].len; k++)
			if ((b[k] & 0xc0) != 0x80)
				return 0;
		return leads[i].len;
	}
	return 0;
}

size_t utf8_encode(uint32_t code, char ret[4])
{
	if (code < 0x80) {
		ret[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		ret[0] = (char)(0xc0 | code >> 6);
		ret[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		ret[0] = (char)(0xe0 | code >> 12);
		ret[1] = (char)(0x80 | (code >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | code >> 18);
	ret[1] = (char)(0x80 | (code >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (code >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

struct slice utf8_head(struct slice s, size_t max)
{
	size_t at = 0;

	while (at < s.len && max--) {
		size_t len = utf8_length(slice_from(s, at));

		at += len ? len : 1;
	}
	return slice_head(s, at);
}
