/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form: a multipart/form-data body (RFC 7578) as one JSON object, so that a dialect reads an upload like any other request:
 *
 *	{"model":"whisper-1","file":{"filename":"a.wav","type":"audio/wav","bytes":320044,"sha256":"…"}}
 *
 * Text parts are strings; a part with a file name, or a text beyond FORM_TEXT_MAX, is told by its type, length and hash and
 * not kept. Names that come more than once are one array. Feed it in any cuts.
 */
#pragma once
#include "call/blob.h"

enum { FORM_TEXT_MAX = 64 << 10, FORM_HEAD_MAX = 1024, FORM_MARK_MAX = 80, FORM_PARTS_MAX = 256 };

enum form_state { FORM_BEFORE, FORM_MARKED, FORM_HEAD, FORM_PART, FORM_OVER };

struct form {
	struct buf *out;
	enum form_state state;
	char mark[FORM_MARK_MAX]; /* CR LF -- boundary */
	size_t mark_len, matched;
	bool is_last; /* "--" behind the mark */
	char head[FORM_HEAD_MAX];
	size_t head_len;
	struct slice name, filename, type; /* of the open part, in head */
	struct buf text;
	struct blob blob;
	uint64_t count, bytes; /* files that were told without being kept, and their size */
	size_t parts;          /* told; the others of a form with more than FORM_PARTS_MAX are passed over */
	bool has_twins;        /* a name came twice */
};

/* false: the type is not multipart/form-data, or names no boundary. */
bool form_type_is(struct slice content_type);
bool form_init(struct form *form, struct slice content_type, struct alloc *alloc, struct buf *out);
void form_feed(struct form *form, struct slice bytes);
/* @out is whole JSON afterwards, also when the body was cut. May be called again. */
void form_end(struct form *form);
void form_free(struct form *form);
