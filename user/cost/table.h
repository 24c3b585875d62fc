/* SPDX-License-Identifier: Apache-2.0 */
/* The price file in memory, between table.c (reads it) and cost.c (asks it). */
#pragma once
#include "cost/cost.h"

enum price {
	PRICE_INPUT,
	PRICE_OUTPUT,
	PRICE_CACHE_READ,
	PRICE_CACHE_WRITE,
	PRICE_CACHE_WRITE_1H,
	PRICE_INPUT_AUDIO,
	PRICE_OUTPUT_AUDIO,
	PRICE_INPUT_IMAGE,
	PRICE_OUTPUT_IMAGE,
	PRICE_SEARCH,
	_PRICE_MAX,
};

/* 1e-12 USD a token, or a search; -1: it has none of its own. */
struct prices {
	int64_t pico[_PRICE_MAX];
};

struct price_variant {
	struct price_variant *next;
	struct slice tier; /* empty: any */
	int64_t above;     /* input tokens */
	struct prices prices;
};

struct price_row {
	struct price_row *next;
	struct slice model;          /* '*' at its end for a version */
	int64_t from_day, until_day; /* since 1970 */
	struct prices base;
	struct price_variant *variants;
};

struct price_provider {
	struct price_provider *next;
	struct slice name;
	struct slice same_as; /* empty: rows are its own */
	struct price_row *rows;
};

struct cost_table {
	struct arena *arena;
	struct alloc *alloc;
	struct slice version;
	struct price_provider *providers;
};

/* NULL: nobody lists it. A provider that is not in the file is looked for in all others' lists. */
const struct price_row *price_find(const struct cost_table *table, struct slice provider, struct slice model,
				   int64_t day);
/* The row's prices for a call of this tier and size. */
struct prices price_pick(const struct price_row *row, struct slice tier, int64_t input_tokens);
