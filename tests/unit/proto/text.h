/* SPDX-License-Identifier: Apache-2.0 */
/* How a connection is run, and the growing text of what is told of it (told.h). */
#pragma once
#include "proto/proto.h"
#include "unit/support.h"
#include <stdio.h>

enum { WIRE_EXCHANGES = 512 };

struct wire_opts {
	bool is_late;
	enum close_how how;
	size_t step;             /* bytes of each feed; 0: each piece whole, unless seed */
	uint64_t seed;           /* random steps */
	uint64_t skip;           /* this exchange's answer is skipped at its request's head */
	bool has_times;          /* of parts and ends in the text; piece n has time (n + 1) * 10 */
	bool has_so_far;         /* what was open before the end, with its sums, is in the text */
	struct proto_opts proto; /* fields that are 0 are the default's */
	uint64_t fail_at;        /* the allocation that fails, and all after it when is_sticky */
	bool is_sticky;
};

struct wire {
	char *text;
	size_t len, size;
	bool in_bytes; /* the open line of text is a body's bytes */
	uint64_t in_exchange;
	enum message_kind in_kind;
	struct {
		bool has_head, has_end;
	} told[WIRE_EXCHANGES][_MESSAGE_MAX];
	uint64_t stream_bytes;
	unsigned denied;
	uint64_t peak;
	const struct wire_opts *opts;
	struct proto *proto;
};

/* A NUL is written as ^, for the text to be one. */
static inline void wire_put(struct wire *wire, const char *data, size_t len)
{
	if (wire->len + len + 1 > wire->size) {
		wire->size = (wire->len + len + 1) * 2;
		wire->text = realloc(wire->text, wire->size);
		assert_non_null(wire->text);
	}
	if (len)
		memcpy(wire->text + wire->len, data, len);
	for (size_t i = wire->len; i < wire->len + len; i++)
		if (!wire->text[i])
			wire->text[i] = '^';
	wire->len += len;
	wire->text[wire->len] = 0;
}

#define wire_printf(wire, ...)                                                                                         \
	do {                                                                                                           \
		char line_[8192];                                                                                      \
		int len_ = snprintf(line_, sizeof(line_), __VA_ARGS__);                                                \
		wire_put((wire), line_, MIN((size_t)len_, sizeof(line_) - 1));                                         \
	} while (0)
