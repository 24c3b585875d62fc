/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/1 head as text: what it says and how its body is framed (RFC 9112). Knows no connection and keeps nothing; the
 * slices of a parsed head are views of the text, which is edited in place (names to lower case, folds to blanks).
 */
#pragma once
#include "proto/body.h"
#include "proto/carrier.h"
#include "proto/websocket.h"

enum http1_method { METHOD_OTHER, METHOD_HEAD, METHOD_CONNECT };

enum http1_framing {
	FRAMING_NONE,
	FRAMING_LENGTH,
	FRAMING_CHUNKED,
	FRAMING_CLOSE,    /* up to the end of the connection */
	FRAMING_BAD,      /* says two things at once, or nothing that can be followed */
	FRAMING_HANDS_ON, /* another protocol follows */
	FRAMING_INTERIM,  /* 1xx: the answer is yet to come */
};

struct http1_head {
	struct message_head head;
	struct body_shape shape;
	enum http1_method method;
	enum http1_framing framing;
	uint64_t length;
	bool is_websocket; /* asks for it, or grants it on these terms */
	struct websocket_terms terms;
	bool is_h2c;       /* 101 to HTTP/2 */
	bool has_too_many; /* fields, or no memory for them: not all are here */
	/* While the fields are read: */
	struct slice transfer, content; /* codings, the last field of each */
	bool has_transfer, is_chunked, has_length, is_bad;
};

/* Whether @line, without its end, is a start line, whole; @ret_kind then. */
bool http1_line_is_start(struct slice line, enum message_kind *ret_kind);
/* Whether a connection's first bytes can be the beginning of one. */
enum sniff http1_sniff(struct slice first);
/* Where in a line that begins somewhere in a body a start line begins: offset, or -1. */
ptrdiff_t http1_line_find_start(struct slice line, enum message_kind *ret_kind);
/* A field line, a fold of the one before, or the empty line that ends the head. */
bool http1_line_is_field(struct slice line);

/* What the fields of another HTTP version's head, their names in lower case, say of the body. */
void http1_shape_of(struct body_shape *ret, enum message_kind kind, const struct header *fields, size_t count);

/* @text: whole lines, the first a start line of @kind. @fields: @max of them. @asked: the answered request's method. */
void http1_head_parse(struct http1_head *http, enum message_kind kind, char *text, size_t len, struct header *fields,
		      size_t max, enum http1_method asked);
/* The frame of a good answer (200) to a request for which frame_target_streams() holds. */
enum frame_kind http1_frame_of(const struct header *fields, size_t count, enum frame_kind otherwise);
