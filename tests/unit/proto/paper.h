/* SPDX-License-Identifier: Apache-2.0 */
/* A connection on paper: pieces of both directions in the order in which they passed. */
#pragma once
#include "model/conn.h"

struct piece {
	enum direction dir;
	struct slice text; /* empty: a hole */
	uint64_t hole_len;
	enum missing_reason reason; /* of the hole; ring_full when nothing is said */
	bool is_unwanted;           /* it is whole messages that nobody wants */
	uint64_t time_ns;           /* 0: after all pieces before it */
};

/* C: the client's bytes, as the process that wrote them; S: the server's. */
#define C(literal)                                                                                                     \
	{                                                                                                              \
		.dir = DIR_WRITE, .text = {(literal), sizeof(literal) - 1 }                                            \
	}
#define S(literal)                                                                                                     \
	{                                                                                                              \
		.dir = DIR_READ, .text = {(literal), sizeof(literal) - 1 }                                             \
	}
#define C_HOLE(len)                                                                                                    \
	{                                                                                                              \
		.dir = DIR_WRITE, .hole_len = (len)                                                                    \
	}
#define S_HOLE(len)                                                                                                    \
	{                                                                                                              \
		.dir = DIR_READ, .hole_len = (len)                                                                     \
	}
/* What the kernel side left out because we asked for it: told with the bytes that follow. */
#define S_MUTED(len)                                                                                                   \
	{                                                                                                              \
		.dir = DIR_READ, .hole_len = (len), .reason = MISSING_POLICY                                           \
	}
#define C_UNWANTED(len)                                                                                                \
	{                                                                                                              \
		.dir = DIR_WRITE, .hole_len = (len), .is_unwanted = true                                               \
	}
#define S_UNWANTED(len)                                                                                                \
	{                                                                                                              \
		.dir = DIR_READ, .hole_len = (len), .is_unwanted = true                                                \
	}
#define WIRE(...) ((struct piece[]){ __VA_ARGS__ }), sizeof((struct piece[]){ __VA_ARGS__ }) / sizeof(struct piece)
