/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership that can be judged in the function that you read. A local that owns says so by CLEANUP(x_free); it gives
 * its thing away by TAKE_PTR or TAKE_FD, and only there. Every x_free() accepts NULL and returns NULL.
 */
#pragma once
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function##_p)))
#define DEFINE_CLEANUP(type, function)                                                                                 \
	static inline void function##_p(type *thing)                                                                   \
	{                                                                                                              \
		if (*thing)                                                                                            \
			function(*thing);                                                                              \
	}

#define TAKE_PTR(pointer)                                                                                              \
	({                                                                                                             \
		__typeof__(pointer) *take_at = &(pointer);                                                             \
		__typeof__(pointer) take_it = *take_at;                                                                \
		*take_at = NULL;                                                                                       \
		take_it;                                                                                               \
	})

#define TAKE_FD(fd)                                                                                                    \
	({                                                                                                             \
		int *take_at = &(fd);                                                                                  \
		int take_it = *take_at;                                                                                \
		*take_at = -1;                                                                                         \
		take_it;                                                                                               \
	})

static inline void close_fd_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
/* A file descriptor that is closed at the end of the scope; -1 when it owns none. */
#define CLEANUP_FD __attribute__((cleanup(close_fd_p)))

static inline void free_p(void *pointer)
{
	free(*(void **)pointer);
}
#define CLEANUP_FREE __attribute__((cleanup(free_p)))

DEFINE_CLEANUP(FILE *, fclose)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))
/* The struct that holds @member at @pointer. */
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
