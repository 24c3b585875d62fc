/* SPDX-License-Identifier: Apache-2.0 */
/* The little that sinks must know of URLs: where the credentials are, where the path begins. */
#include "sink/kind.h"
#include <ctype.h>
#include <stdio.h>

static const char *url_authority(const char *url)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url + strlen(schemes[i]);
	return NULL;
}

static struct slice without_slash(struct slice s)
{
	while (s.len && s.data[s.len - 1] == '/')
		s.len--;
	return s;
}

bool url_public(const char *url, char *ret, size_t size)
{
	const char *authority = url_authority(url), *at;
	struct slice rest;

	if (!authority || strcspn(authority, "/?#") == 0 || strlen(url) >= size)
		return false;
	at = memrchr(authority, '@', strcspn(authority, "/?#"));
	rest = without_slash(slice_of(at ? at + 1 : authority));
	snprintf(ret, size, "%.*s%.*s", (int)(authority - url), url, SLICE_FMT(rest));
	return rest.len > 0;
}

void url_root(const char *url, char *ret, size_t size)
{
	const char *authority = url_authority(url);

	snprintf(ret, size, "%.*s", (int)(authority - url + (ptrdiff_t)strcspn(authority, "/?#")), url);
}

bool url_has_path(const char *url)
{
	const char *authority = url_authority(url);

	return without_slash(slice_of(authority + strcspn(authority, "/"))).len > 0;
}

void url_escape(struct slice text, char *ret, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len && n + 4 < size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (isalnum(c) || strchr("-._~", c))
			ret[n++] = (char)c;
		else
			n += (size_t)snprintf(ret + n, size - n, "%%%02X", c);
	}
	ret[n] = 0;
}
