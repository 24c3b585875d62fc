/* SPDX-License-Identifier: Apache-2.0 */
/* One line, one write(): lines of two processes that share stderr never mix. */
#include "log.h"
#include "cleanup.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static enum log_level level_max = LOG_INFO;
static int as_json;

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

void log_setup(enum log_level level, int is_json)
{
	level_max = level;
	as_json = is_json;
}

int log_level_from(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
		if (strcmp(name, level_names[i]) == 0)
			return (int)i;
	return -EINVAL;
}

void log_tame(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static size_t escape_json(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text && n + 7 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			n += (size_t)snprintf(ret + n, size - n, "\\%c", c);
		else if (c < 0x20)
			n += (size_t)snprintf(ret + n, size - n, "\\u%04x", c);
		else
			ret[n++] = (char)c;
	}
	ret[n] = 0;
	return n;
}

static int format_json(enum log_level level, const char *text, char *line, size_t size)
{
	char escaped[2048], stamp[40];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	escape_json(text, escaped, sizeof(escaped));
	return snprintf(line, size, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"message\":\"%s\"}\n", stamp,
			now.tv_nsec / 1000000, level_names[level], escaped);
}

int log_write(enum log_level level, int error, const char *format, ...)
{
	char text[1024], line[3072];
	va_list args;
	int len;

	if (level > level_max)
		return error;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (error < 0 && len >= 0 && (size_t)len < sizeof(text))
		snprintf(text + len, sizeof(text) - (size_t)len, ": %s", strerror(-error));
	if (!as_json)
		log_tame(text);
	if (as_json)
		len = format_json(level, text, line, sizeof(line));
	else
		len = snprintf(line, sizeof(line), "spantap: %s%s\n",
			       level <= LOG_WARN ? (level ? "warning: " : "error: ") : "", text);
	if (len > 0 && write(STDERR_FILENO, line, MIN((size_t)len, sizeof(line) - 1)) < 0)
		return error;
	return error;
}
