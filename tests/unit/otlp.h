/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of OTLP as they lie in a record, for tests that make records by hand. */
#pragma once
#include "model/otlp.pb-c.h"

enum { PAIRS_MAX = 32 };

struct pairs {
	Otlp__KeyValue pairs[PAIRS_MAX], *list[PAIRS_MAX];
	Otlp__AnyValue values[PAIRS_MAX];
	size_t count;
};

static inline Otlp__AnyValue *pair(struct pairs *all, const char *name)
{
	size_t i = all->count++;

	otlp__key_value__init(&all->pairs[i]);
	otlp__any_value__init(&all->values[i]);
	all->pairs[i].key = (char *)name;
	all->pairs[i].value = &all->values[i];
	all->list[i] = &all->pairs[i];
	return &all->values[i];
}

static inline void pair_text(struct pairs *all, const char *name, const char *value)
{
	Otlp__AnyValue *at = pair(all, name);

	at->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	at->string_value = (ProtobufCBinaryData){ strlen(value), (uint8_t *)value };
}

static inline void pair_int(struct pairs *all, const char *name, int64_t value)
{
	Otlp__AnyValue *at = pair(all, name);

	at->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	at->int_value = value;
}
