/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol buffers, read where they lie. The reader walks one message and hands out its fields as they come; the writer
 * turns a whole message into proto3 JSON by a table of its fields, so that what reads JSON reads gRPC too. No memory is
 * taken, nothing outside the slice is read, depth and work are bounded.
 *
 *	struct pb_reader reader = { .rest = message };
 *	struct pb_item item;
 *	while (pb_next(&reader, &item))
 *		if (item.number == 2) ... item.bytes
 *	if (reader.is_broken) ...
 */
#pragma once
#include "buf.h"
#include "slice.h"

enum pb_wire { PB_WIRE_VARINT, PB_WIRE_64, PB_WIRE_BYTES, PB_WIRE_GROUP, PB_WIRE_GROUP_END, PB_WIRE_32 };

struct pb_reader {
	struct slice rest;
	bool is_broken; /* what is left makes no sense; no more fields come */
};

struct pb_item {
	uint32_t number;
	enum pb_wire wire;
	uint64_t value;     /* of a varint, or of 4 or 8 bytes */
	struct slice bytes; /* length-delimited, or all that a group holds with its end */
};

bool pb_next(struct pb_reader *reader, struct pb_item *ret);
/* The next of a packed list, whose items are of @wire. */
bool pb_next_packed(struct pb_reader *reader, enum pb_wire wire, uint64_t *ret);

/* The last field of that number, as readers of single fields take it; SLICE_NONE or 0 when absent or of another kind. */
struct slice pb_bytes(struct slice message, uint32_t number);
uint64_t pb_varint(struct slice message, uint32_t number);

/* ---- proto3 JSON by table ---- */
enum { PB_DEPTH_MAX = 100, PB_FIELDS_MAX = 64 };

enum pb_kind {
	PB_HIDDEN, /* known, but not shown: vectors, secrets */
	PB_STRING,
	PB_BYTES, /* base64 */
	PB_BOOL,
	PB_INT32,
	PB_UINT32,
	PB_SINT32,
	PB_FIXED32,
	PB_SFIXED32,
	PB_INT64, /* 64 bits are texts in JSON */
	PB_UINT64,
	PB_SINT64,
	PB_FIXED64,
	PB_SFIXED64,
	PB_NUMBER64, /* int64 as a number: of what is natural JSON to its owner */
	PB_FLOAT,
	PB_DOUBLE,
	PB_ENUM,
	PB_MESSAGE,
	PB_TIMESTAMP, /* google.protobuf.Timestamp as RFC 3339 */
	PB_DURATION,  /* google.protobuf.Duration as "1.5s" */
	_PB_KIND_MAX,
};

struct pb_name {
	int32_t value;
	const char *name;
};

struct pb_enum {
	const struct pb_name *names;
	size_t count;
};

struct pb_field {
	uint32_t number;
	const char *name; /* in JSON */
	enum pb_kind kind;
	bool is_repeated;
	bool is_map;      /* repeated entries {1 key, 2 value}: kind and the rest are the value's */
	enum pb_kind key; /* of a map; 0: string */
	const struct pb_message *message;
	const struct pb_enum *names;
};

/* A message without a name in @bare is an object of its fields. With it, the one field that is there stands for all of it
 * (values, lists of values), and where none is there, the text in @bare. Fields are written in the table's order. */
struct pb_message {
	const struct pb_field *fields;
	size_t count;
	const char *bare;
};

/* For tables: PB_FIELD(4, "temperature", PB_FLOAT), PB_LIST(1, "messages", PB_MESSAGE, .message = &message). */
#define PB_FIELD(field, text, type, ...)                                                                               \
	{                                                                                                              \
		.number = (field), .name = (text), .kind = (type), __VA_ARGS__                                         \
	}
#define PB_LIST(field, text, type, ...) PB_FIELD(field, text, type, .is_repeated = true, __VA_ARGS__)
#define PB_MAP(field, text, type, ...)  PB_FIELD(field, text, type, .is_map = true, __VA_ARGS__)
#define PB_TABLE(list)                                                                                                 \
	{                                                                                                              \
		.fields = (list), .count = sizeof(list) / sizeof((list)[0])                                            \
	}
#define PB_BARE(list, empty)                                                                                           \
	{                                                                                                              \
		.fields = (list), .count = sizeof(list) / sizeof((list)[0]), .bare = (empty)                           \
	}
#define PB_NAMES(list)                                                                                                 \
	{                                                                                                              \
		.names = (list), .count = sizeof(list) / sizeof((list)[0])                                             \
	}

extern const struct pb_message pb_struct, pb_value, pb_list; /* google.protobuf.Struct, Value, ListValue */

/* Appends @bytes as one JSON value, which is sound JSON whatever the bytes are. 0, or -EBADMSG when they were damaged, or
 * -E2BIG when nested too deeply: the damaged message then lacks what could not be read. Fields that the table lacks are
 * added to *unknown. */
int pb_put_json(struct buf *out, const struct pb_message *message, struct slice bytes, size_t *unknown);
