/* SPDX-License-Identifier: Apache-2.0 */
/* Six bits a digit, given out as soon as eight are there: what is written never passes what was read. */
#include "base64.h"
#include <stdint.h>

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

struct slice base64_decode_to(char *out, struct slice text)
{
	uint32_t bits = 0;
	size_t len = 0, held = 0;

	if (!out)
		return SLICE_NONE;
	while (text.len && text.data[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		int digit = base64_digit(text.data[i]);

		if (digit < 0)
			return SLICE_NONE;
		bits = bits << 6 | (uint32_t)digit;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		out[len++] = (char)(bits >> held);
	}
	return (struct slice){ out, len };
}
