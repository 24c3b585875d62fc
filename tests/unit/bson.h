/* SPDX-License-Identifier: Apache-2.0 */
/* BSON and OP_MSG, written by hand: documents are opened, filled and closed. */
#pragma once
#include <stdint.h>
#include <string.h>

struct bson {
	char data[1024];
	size_t len;
	size_t open[16];
	size_t depth;
};

static inline void bson_number(struct bson *bson, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		bson->data[bson->len++] = (char)(value >> 8 * i);
}

static inline void bson_name(struct bson *bson, char type, const char *name)
{
	bson->data[bson->len++] = type;
	memcpy(bson->data + bson->len, name, strlen(name) + 1);
	bson->len += strlen(name) + 1;
}

/* @type 3: a document; 4: a list; 0: the outermost. */
static inline void bson_open(struct bson *bson, char type, const char *name)
{
	if (type)
		bson_name(bson, type, name);
	bson->open[bson->depth++] = bson->len;
	bson->len += 4;
}

static inline void bson_close(struct bson *bson)
{
	size_t at = bson->open[--bson->depth], end;

	bson->data[bson->len++] = 0;
	end = bson->len;
	bson->len = at;
	bson_number(bson, end - at, 4);
	bson->len = end;
}

static inline void bson_text(struct bson *bson, const char *name, const char *text)
{
	bson_name(bson, 2, name);
	bson_number(bson, strlen(text) + 1, 4);
	memcpy(bson->data + bson->len, text, strlen(text) + 1);
	bson->len += strlen(text) + 1;
}

static inline void bson_int(struct bson *bson, const char *name, int32_t value)
{
	bson_name(bson, 16, name);
	bson_number(bson, (uint32_t)value, 4);
}

static inline void bson_double(struct bson *bson, const char *name, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bson_name(bson, 1, name);
	bson_number(bson, bits, 8);
}

/* A head, flags and the kind of the first section; the length is put when the message ends. */
static inline void bson_message(struct bson *bson, uint32_t number, uint32_t answers)
{
	*bson = (struct bson){ .len = 4 };
	bson_number(bson, number, 4);
	bson_number(bson, answers, 4);
	bson_number(bson, 2013, 4);
	bson_number(bson, 0, 5);
	bson_open(bson, 0, NULL);
}

static inline void bson_end(struct bson *bson)
{
	size_t len;

	bson_close(bson);
	len = bson->len;
	bson->len = 0;
	bson_number(bson, len, 4);
	bson->len = len;
}

/* An aggregation whose first stage is @stage. */
static inline void bson_search(struct bson *bson, uint32_t number, const char *stage)
{
	bson_message(bson, number, 0);
	bson_text(bson, "aggregate", "docs");
	bson_open(bson, 4, "pipeline");
	bson_open(bson, 3, "0");
	bson_open(bson, 3, stage);
	bson_open(bson, 4, "queryVector");
	bson_double(bson, "0", 0.5);
	bson_double(bson, "1", 0.25);
	bson_close(bson);
	bson_int(bson, "limit", 2);
	bson_close(bson);
	bson_close(bson);
	bson_close(bson);
	bson_text(bson, "$db", "shop");
	bson_text(bson, "lsid", "a session");
	bson_end(bson);
}

static inline void bson_found(struct bson *bson, uint32_t number, uint32_t answers)
{
	bson_message(bson, number, answers);
	bson_open(bson, 3, "cursor");
	bson_open(bson, 4, "firstBatch");
	bson_open(bson, 3, "0");
	bson_name(bson, 7, "_id");
	bson_number(bson, 0x1122334455667788, 8);
	bson_number(bson, 0xabcdef01, 4);
	bson_text(bson, "text", "A");
	bson_double(bson, "score", 0.75);
	bson_open(bson, 4, "embedding");
	bson_double(bson, "0", 0.5);
	bson_close(bson);
	bson_close(bson);
	bson_close(bson);
	bson_close(bson);
	bson_double(bson, "ok", 1);
	bson_end(bson);
}
