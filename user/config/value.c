/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value is text wherever it comes from, so one reader per kind serves command line, environment and file, and
 * refuses the same things with the same words. Precedence is decided here and nowhere else: a stronger origin
 * replaces, an equal one adds to a list or wins by being later, a weaker one is passed over.
 */
#include "config/option.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>

int config_wrong(const char *format, ...)
{
	char text[2048];
	char *remedy;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	remedy = strchr(text, '\n');
	if (remedy)
		*remedy++ = 0;
	fprintf(stderr, "spantap: %s\n", text);
	if (remedy)
		fprintf(stderr, "  %s\n", remedy);
	return -EINVAL;
}

int number_parse(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

/* A number with at most one letter of @units behind it, each worth @factors. */
static int number_parse_unit(const char *text, const char *units, const uint64_t *factors, uint64_t *ret)
{
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, tolower((unsigned char)text[len - 1])) : NULL;
	char digits[32];
	uint64_t value;

	if (len == 0 || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len + 1);
	if (unit)
		digits[len - 1] = 0;
	if (number_parse(digits, &value) < 0 || (unit && __builtin_mul_overflow(value, factors[unit - units], &value)))
		return -EINVAL;
	*ret = value;
	return 0;
}

bool choice_has(const char *choices, const char *word)
{
	struct slice rest = slice_of(choices), wanted = slice_of(word);

	while (rest.len)
		if (slice_equal(slice_cut(&rest, '|'), wanted))
			return true;
	return false;
}

static int text_set(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	struct slice copy;

	if (row->kind == OPTION_CHOICE && !choice_has(row->arg, text))
		return -EINVAL;
	copy = arena_dup(loaded->arena, slice_of(text));
	if (!copy.data)
		return -ENOMEM;
	*(char **)field = (char *)copy.data;
	return 0;
}

static int list_add(struct loaded *loaded, const char *text, struct config_list *list)
{
	struct slice copy = arena_dup(loaded->arena, slice_of(text));

	if (!copy.data)
		return -ENOMEM;
	list->items[list->count++] = (char *)copy.data;
	list->items[list->count] = NULL;
	return 0;
}

static int list_set(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	struct config_list *list = field;

	return list->count == CONFIG_LIST_MAX ? -E2BIG : list_add(loaded, text, list);
}

static int pids_set(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	uint64_t pid;

	if (number_parse(text, &pid) < 0 || pid == 0 || pid > INT_MAX)
		return -EINVAL;
	return list_set(loaded, row, text, field);
}

static int uids_set(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	const struct passwd *user;
	char number[24];
	uint64_t uid;

	if (number_parse(text, &uid) < 0) {
		user = getpwnam(text);
		if (!user)
			return -EINVAL;
		uid = user->pw_uid;
	}
	if (uid >= UINT32_MAX) /* the last one means "no user" to the kernel */
		return -EINVAL;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)uid);
	return list_set(loaded, row, number, field);
}

static int size_set(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	static const uint64_t factors[] = { 1ull << 10, 1ull << 20, 1ull << 30 };
	uint64_t bytes;

	if (number_parse_unit(text, "kmg", factors, &bytes) < 0)
		return -EINVAL;
	if (bytes < row->min || (row->max && bytes > row->max))
		return -ERANGE;
	*(uint64_t *)field = bytes;
	return 0;
}

static int seconds_set(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	static const uint64_t factors[] = { 1, 60, 3600 };
	uint64_t seconds;

	if (number_parse_unit(text, "smh", factors, &seconds) < 0 || seconds > INT_MAX)
		return -EINVAL;
	*(unsigned *)field = (unsigned)seconds;
	return 0;
}

static int fd_set_open(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	uint64_t fd;

	if (number_parse(text, &fd) < 0 || fd > INT_MAX || fcntl((int)fd, F_GETFD) < 0)
		return -EINVAL;
	*(int *)field = (int)fd;
	return 0;
}

static int bool_set(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	bool is_true = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcasecmp(text, "yes") == 0;

	if (!is_true && strcasecmp(text, "false") != 0 && strcmp(text, "0") != 0 && strcasecmp(text, "no") != 0)
		return -EINVAL;
	*(bool *)field = is_true;
	return 0;
}

static int verbosity_set(struct loaded *loaded, const struct option_row *row, const char *text, void *field)
{
	int *verbosity = field;
	int next = *verbosity + (row->kind == OPTION_LOUDER ? 1 : -1);

	*verbosity = MAX(-1, MIN(2, next));
	return 0;
}

static const struct {
	int (*set)(struct loaded *loaded, const struct option_row *row, const char *text, void *field);
	const char *what;
	const char *remedy;
} kinds[] = {
	[OPTION_TEXT] = { text_set, "a text", "give it a value" },
	[OPTION_LIST] = { list_set, "a text", "give it a value" },
	[OPTION_PIDS] = { pids_set, "a process id", "give a positive number" },
	[OPTION_UIDS] = { uids_set, "a user", "give a user id, or the name of a user of this host" },
	[OPTION_CHOICE] = { text_set, "one of its values", "give one of" },
	[OPTION_SIZE] = { size_set, "a size", "give a number of bytes; K, M or G may follow, as in 8M" },
	[OPTION_SECONDS] = { seconds_set, "a time", "give whole seconds; s, m or h may follow, as in 2m" },
	[OPTION_FD] = { fd_set_open, "an open file descriptor",
			"open it in the caller: spantap ... --ready-fd 3 3>FILE" },
	[OPTION_BOOL] = { bool_set, "true or false", "write true or false" },
	[OPTION_LOUDER] = { verbosity_set, "", "" },
	[OPTION_QUIETER] = { verbosity_set, "", "" },
};

/* How the user wrote it: --name, VARIABLE, or FILE: key. */
static void option_label(const struct option_row *row, struct origin origin, char *ret, size_t size)
{
	if (origin.kind == ORIGIN_ENVIRONMENT)
		snprintf(ret, size, "%s", origin.where);
	else if (origin.kind == ORIGIN_FILE)
		snprintf(ret, size, "%s: %s", origin.where, row->key);
	else
		snprintf(ret, size, "--%s", row->name);
}

static int value_wrong(const struct option_row *row, const char *text, struct origin origin, int error)
{
	char label[512];

	option_label(row, origin, label, sizeof(label));
	if (!*text)
		return config_wrong("%s is empty\n%s", label, kinds[row->kind].remedy);
	if (error == -E2BIG)
		return config_wrong("%s: more than %d values\nuse globs to say the same with fewer", label,
				    CONFIG_LIST_MAX);
	if (error == -ERANGE && row->max)
		return config_wrong("%s: '%s' is too large\ngive at most %lluM", label, text,
				    (unsigned long long)row->max >> 20);
	if (error == -ERANGE)
		return config_wrong("%s: '%s' is too small\ngive at least %lluM", label, text,
				    (unsigned long long)row->min >> 20);
	return config_wrong("%s: '%s' is not %s\n%s%s%s", label, text, kinds[row->kind].what, kinds[row->kind].remedy,
			    row->kind == OPTION_CHOICE ? " " : "", row->kind == OPTION_CHOICE ? row->arg : "");
}

int option_set(struct loaded *loaded, const struct option_row *row, const char *text, struct origin origin)
{
	struct origin *had = option_origin(loaded, row);
	void *field = (char *)&loaded->config + row->offset;
	int r;

	if (had->kind > origin.kind)
		return 0;
	if (option_is_list(row) && had->kind < origin.kind)
		*(struct config_list *)field = (struct config_list){ 0 };
	r = *text || !option_takes_value(row) ? kinds[row->kind].set(loaded, row, text, field) : -EINVAL;
	if (r < 0 && r != -ENOMEM)
		return value_wrong(row, text, origin, r);
	if (r == 0)
		*had = origin;
	return r;
}
