/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 is decoded by groups of four digits into a small buffer, which goes to the hash and is forgotten. */
#include "call/blob.h"
#include "base/cleanup.h"

static const signed char digits_of[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,  ['I'] = 9,
	['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
	['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27,
	['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
	['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45,
	['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
	['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['-'] = 63, ['/'] = 64, ['_'] = 64,
};

static const struct {
	size_t at;
	struct slice bytes;
	struct slice type;
} kinds[] = {
	{ 0, SLICE("\x89PNG"), SLICE("image/png") },
	{ 0, SLICE("\xff\xd8\xff"), SLICE("image/jpeg") },
	{ 0, SLICE("GIF8"), SLICE("image/gif") },
	{ 8, SLICE("WEBP"), SLICE("image/webp") },
	{ 0, SLICE("BM"), SLICE("image/bmp") },
	{ 0, SLICE("II*\0"), SLICE("image/tiff") },
	{ 0, SLICE("MM\0*"), SLICE("image/tiff") },
	{ 4, SLICE("ftypavif"), SLICE("image/avif") },
	{ 4, SLICE("ftyphei"), SLICE("image/heic") },
	{ 4, SLICE("ftypM4A"), SLICE("audio/mp4") },
	{ 4, SLICE("ftypqt"), SLICE("video/quicktime") },
	{ 4, SLICE("ftyp"), SLICE("video/mp4") },
	{ 0, SLICE("%PDF"), SLICE("application/pdf") },
	{ 8, SLICE("WAVE"), SLICE("audio/wav") },
	{ 0, SLICE("ID3"), SLICE("audio/mpeg") },
	{ 0, SLICE("\xff\xfb"), SLICE("audio/mpeg") },
	{ 0, SLICE("\xff\xf3"), SLICE("audio/mpeg") },
	{ 0, SLICE("\xff\xf1"), SLICE("audio/aac") },
	{ 0, SLICE("OggS"), SLICE("audio/ogg") },
	{ 0, SLICE("fLaC"), SLICE("audio/flac") },
	{ 0, SLICE("\x1a\x45\xdf\xa3"), SLICE("video/webm") },
	{ 0, SLICE("PK\x03\x04"), SLICE("application/zip") },
	{ 0, SLICE("\x1f\x8b"), SLICE("application/gzip") },
};

const bool base64_digits[256] = {
	['+'] = true,         ['/'] = true,         ['-'] = true,         ['_'] = true,
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

void blob_put(struct blob *blob, struct slice bytes)
{
	size_t have = MIN(blob->sha.len, (uint64_t)BLOB_HEAD_MAX);
	size_t len = MIN(BLOB_HEAD_MAX - have, bytes.len);

	if (len)
		memcpy(blob->head + have, bytes.data, len);
	sha256_put(&blob->sha, bytes);
}

void blob_put_base64(struct blob *blob, struct slice digits)
{
	char out[3 * 256];
	size_t len = 0;

	for (size_t i = 0; i < digits.len; i++) {
		blob->bits = blob->bits << 6 | (uint32_t)(digits_of[(unsigned char)digits.data[i]] - 1);
		blob->bit_count += 6;
		if (blob->bit_count < 8)
			continue;
		blob->bit_count -= 8;
		out[len++] = (char)(blob->bits >> blob->bit_count);
		if (len < sizeof(out))
			continue;
		blob_put(blob, (struct slice){ out, len });
		len = 0;
	}
	blob_put(blob, (struct slice){ out, len });
}

struct slice blob_type(const struct blob *blob)
{
	struct slice head = { blob->head, MIN(blob->sha.len, (uint64_t)BLOB_HEAD_MAX) };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (slice_starts(slice_from(head, kinds[i].at), kinds[i].bytes))
			return kinds[i].type;
	return SLICE("application/octet-stream");
}

bool blob_type_is(struct slice content_type)
{
	static const struct slice types[] = { SLICE("image/"), SLICE("audio/"), SLICE("video/"),
					      SLICE("application/octet-stream"), SLICE("application/pdf") };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (slice_starts_nocase(content_type, types[i]))
			return true;
	return false;
}

bool blob_is_json(const struct blob *blob)
{
	return blob->sha.len && (blob->head[0] == '{' || blob->head[0] == '[');
}
