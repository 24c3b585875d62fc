/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `spantap config` writes a file that says the same as all layers together, with the origin of each value behind it:
 * what is printed can be kept as the configuration, but for the secrets.
 */
#include "config/option.h"
#include <errno.h>

static const char mask[] = "****";

/* Plain in YAML: nothing in it that would make it another type or end it. */
static bool text_is_plain(struct slice text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";

	for (size_t i = 0; i < text.len; i++)
		if (!memchr(letters, text.data[i], sizeof(letters) - 1))
			return false;
	return text.len && text.data[0] != '-';
}

static void quoted_put(struct slice text)
{
	if (text_is_plain(text)) {
		printf("%.*s", SLICE_FMT(text));
		return;
	}
	putchar('"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* User and password in a URL, up to the last "@", since passwords are not always escaped; and its query. */
static struct slice url_masked(struct arena *arena, struct slice text)
{
	ptrdiff_t start = slice_find(text, SLICE("://"));
	struct slice rest, authority, userinfo;

	if (start < 0)
		return text;
	rest = slice_from(text, (size_t)start + 3);
	authority = slice_cut(&rest, '?');
	userinfo = authority;
	while (userinfo.len && userinfo.data[userinfo.len - 1] != '@')
		userinfo.len--;
	return arena_printf(arena, "%.*s%s%.*s%s", (int)start + 3, text.data, userinfo.len ? "****@" : "",
			    SLICE_FMT(slice_from(authority, userinfo.len)), rest.len ? "?****" : "");
}

/* "name=value,name=value": the names stay. */
static struct slice headers_masked(struct arena *arena, struct slice text)
{
	struct slice out = SLICE("");

	while (text.len) {
		struct slice pair = slice_cut(&text, ','), name = slice_trim(slice_cut(&pair, '='));

		out = arena_printf(arena, "%.*s%s%.*s=%s", SLICE_FMT(out), out.len ? "," : "", SLICE_FMT(name), mask);
		if (!out.data)
			return SLICE(mask);
	}
	return out;
}

static void text_put(struct arena *arena, const struct option_row *row, const char *text)
{
	struct slice shown = slice_of(text);

	if (row->secrecy == SECRET_WHOLE)
		shown = SLICE(mask);
	else if (row->secrecy == SECRET_HEADERS)
		shown = headers_masked(arena, shown);
	else
		shown = url_masked(arena, shown);
	quoted_put(shown.data ? shown : SLICE(mask));
}

static void value_put(struct arena *arena, const struct option_row *row, const void *field)
{
	const struct config_list *list = field;

	switch (row->kind) {
	case OPTION_SIZE:
		printf("%llu", (unsigned long long)*(const uint64_t *)field);
		break;
	case OPTION_SECONDS:
		printf("%u", *(const unsigned *)field);
		break;
	case OPTION_FD:
		printf("%d", *(const int *)field);
		break;
	case OPTION_BOOL:
		printf("%s", *(const bool *)field ? "true" : "false");
		break;
	case OPTION_TEXT:
	case OPTION_CHOICE:
		text_put(arena, row, *(char *const *)field);
		break;
	default:
		putchar('[');
		for (size_t i = 0; i < list->count; i++) {
			printf("%s", i ? ", " : "");
			text_put(arena, row, list->items[i]);
		}
		putchar(']');
	}
}

static void origin_put(struct origin origin)
{
	switch (origin.kind) {
	case ORIGIN_NONE:
		printf("  # not set%s%s\n", origin.where ? ": " : "", origin.where ? origin.where : "");
		break;
	case ORIGIN_DEFAULT:
		printf("  # default%s%s\n", origin.where ? ": " : "", origin.where ? origin.where : "");
		break;
	case ORIGIN_OPTION:
		printf("  # option --%s\n", origin.where);
		break;
	case ORIGIN_FILE:
	case ORIGIN_ENVIRONMENT:
		printf("  # %s %s\n", origin.kind == ORIGIN_FILE ? "file" : "environment", origin.where);
		break;
	}
}

/* One row. What the file cannot hold, or nobody has set, is a comment. */
static void row_put(struct loaded *loaded, const struct option_row *row)
{
	struct origin origin = *option_origin(loaded, row);
	const char *dot = row->key ? strchr(row->key, '.') : NULL;
	const char *name = dot ? dot + 1 : row->key ? row->key : row->name;

	printf("%s%s%s:", origin.kind && row->key ? "" : "# ", dot ? "  " : "", name);
	if (origin.kind) {
		putchar(' ');
		value_put(loaded->arena, row, (const char *)&loaded->config + row->offset);
	}
	origin_put(origin);
}

int config_print(const struct config *config)
{
	struct loaded *loaded = CONTAINER_OF(config, struct loaded, config);
	struct slice group = SLICE_NONE;

	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		struct slice key = slice_of(row->key), head = slice_cut(&key, '.');

		if (row->kind >= OPTION_LOUDER || !option_is_of(row, config->command))
			continue;
		if (key.len && !slice_equal(head, group)) {
			group = head;
			printf("%.*s:\n", SLICE_FMT(group));
		}
		row_put(loaded, row);
	}
	return fflush(stdout) == 0 ? 0 : -errno;
}
