/* SPDX-License-Identifier: Apache-2.0 */
/* Commas look after themselves: one is written unless the text so far ends where none may stand ({ [ : or nothing). */
#include "json.h"
#include "utf8.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void comma(struct buf *out)
{
	if (out->len && !memchr("{[:,", out->data[out->len - 1], 4))
		buf_put_char(out, ',');
}

void json_put_escaped(struct buf *out, struct slice text)
{
	static const char short_escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	size_t plain = 0;

	for (size_t i = 0; i < text.len;) {
		unsigned char c = (unsigned char)text.data[i];
		size_t len = c >= 0x20 && c < 0x80 ? 1 : utf8_length(slice_from(text, i));
		const char *found;

		if (len && c >= 0x20 && c != '"' && c != '\\') {
			i += len;
			continue;
		}
		buf_put(out, (struct slice){ text.data + plain, i - plain });
		found = memchr(short_escapes, c, sizeof(short_escapes) - 1);
		if (!len)
			buf_put(out, UTF8_REPLACEMENT);
		else if (found && (found - short_escapes) % 2 == 0)
			buf_put(out, (struct slice){ (char[]){ '\\', found[1] }, 2 });
		else
			buf_printf(out, "\\u%04x", c);
		plain = ++i;
	}
	buf_put(out, slice_from(text, plain));
}

void json_put_text(struct buf *out, struct slice text)
{
	comma(out);
	buf_put_char(out, '"');
	json_put_escaped(out, text);
	buf_put_char(out, '"');
}

void json_put_name(struct buf *out, struct slice name)
{
	json_put_text(out, name);
	buf_put_char(out, ':');
}

void json_put_raw_name(struct buf *out, struct slice name)
{
	comma(out);
	buf_put_char(out, '"');
	buf_put(out, name);
	buf_put(out, SLICE("\":"));
}

void json_put_raw(struct buf *out, struct slice value)
{
	comma(out);
	buf_put(out, value);
}

void json_put_int(struct buf *out, int64_t value)
{
	comma(out);
	buf_printf(out, "%lld", (long long)value);
}

void json_put_double(struct buf *out, double value)
{
	char text[40];

	comma(out);
	if (!isfinite(value)) {
		buf_put(out, SLICE("null"));
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_put(out, slice_of(text));
	if (!strpbrk(text, ".e"))
		buf_put(out, SLICE(".0"));
}

void json_put_bool(struct buf *out, bool value)
{
	json_put_raw(out, value ? SLICE("true") : SLICE("false"));
}

void json_put_null(struct buf *out)
{
	json_put_raw(out, SLICE("null"));
}

void json_open(struct buf *out, char bracket)
{
	comma(out);
	buf_put_char(out, bracket);
}

void json_close(struct buf *out, char bracket)
{
	buf_put_char(out, bracket);
}

void json_member_text(struct buf *out, struct slice name, struct slice text)
{
	if (!text.data)
		return;
	json_put_name(out, name);
	json_put_text(out, text);
}

void json_member_raw(struct buf *out, struct slice name, struct slice value)
{
	if (!value.len)
		return;
	json_put_name(out, name);
	json_put_raw(out, value);
}

void json_member_int(struct buf *out, struct slice name, int64_t value)
{
	json_put_name(out, name);
	json_put_int(out, value);
}
