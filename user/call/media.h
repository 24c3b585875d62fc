/* SPDX-License-Identifier: Apache-2.0 */
/*
 * media: the sieve in front of a kept body. In the strings of a JSON text a long run of base64 is a picture, a sound, a
 * document; in its place the body gets a marker, everything else passes to the letter:
 *
 *	{"url":"data:image/png;base64,[spantap:media type=image/png bytes=3932160 sha256=<64 digits>]"}
 *
 * Feed it in any cuts: the text that comes out is the same. A run is kept in @out until it is long enough to be judged, so the
 * sieve needs no memory of its own; from then on the bytes go to the hash and nowhere else. MEDIA_RUN_MIN is more than the
 * largest embedding vector takes (8192 float32: 43,692 digits), because vectors come in many strings of one each; and
 * more than thumbnails, which are worth keeping. A run that is not like base64 of a file (few different digits, lines
 * of unequal length, JSON inside) is text, however long.
 */
#pragma once
#include "call/blob.h"

#ifndef MEDIA_RUN_BYTES
#define MEDIA_RUN_BYTES (48 << 10)
#endif

enum { MEDIA_RUN_MIN = MEDIA_RUN_BYTES };

enum media_state { MEDIA_BEGIN, MEDIA_JSON, MEDIA_OTHER };

struct media {
	struct buf *out;
	enum media_state state;
	bool in_string, is_escaped;

	/* The open run of base64: where it begins in @out, its digits, those of its open line and of each line before. */
	size_t run_at, digits, digits_judged, line_digits, line_want;
	bool is_file;    /* the run was judged: its bytes are not kept */
	bool is_doubted; /* it was judged to be text, so far: it is asked again when there is twice as much */
	/* Of a run that was judged: */
	bool run_is_escaped; /* it ends with a backslash so far */
	uint64_t digits_seen[2];
	size_t *place;   /* that another reader of @out keeps: it is moved back where the end of @out is. May be NULL */
	unsigned padded; /* '=' seen */
	bool is_ragged;  /* a line of another length was seen: the last one */
	uint64_t run_bytes;
	struct blob blob;

	/* ---- what came of it ---- */
	uint64_t count, bytes; /* files replaced, and their size, decoded */
	uint64_t removed;      /* bytes of the text that are not in @out, markers deducted */
	uint64_t lost;         /* bytes for which @out had no room */
};

void media_init(struct media *media, struct buf *out);
void media_feed(struct media *media, struct slice text);
/* @out has become shorter by @len before the open run. */
void media_moved(struct media *media, size_t len);
/* The open run is not looked at again in @out, from run_at on: it is text, and if it turns out to be a file all the same, its bytes
 * were counted as they came. */
bool media_run_is_text(const struct media *media);
/* Nothing more will come: a run that is open ends here, and its marker says "cut". May be called again. */
void media_end(struct media *media);
