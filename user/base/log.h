/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines to stderr, as text or JSON. Rooms that are pure do not log. A line that is not fatal ends by saying what happens
 * next (", ignoring", ", retrying in 2 s"). Payload never goes into a line.
 *
 *	return log_error(r, "cannot attach '%s'", path);	adds ": <strerror>" for r < 0 and returns r
 */
#pragma once

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_setup(enum log_level level, int is_json);
int log_level_from(const char *name); /* enum log_level, or -EINVAL */
/* Paths and names are others' text: what could speak to a terminal becomes a question mark. */
void log_tame(char *text);
int log_write(enum log_level level, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define log_error(error, ...) log_write(LOG_ERROR, (error), __VA_ARGS__)
#define log_warn(error, ...)  log_write(LOG_WARN, (error), __VA_ARGS__)
#define log_info(...)         log_write(LOG_INFO, 0, __VA_ARGS__)
#define log_debug(...)        log_write(LOG_DEBUG, 0, __VA_ARGS__)
