/* SPDX-License-Identifier: Apache-2.0 */
/* dialect: the registry of wire formats (model/dialect.h) that were linked in, in their order. Pure. */
#pragma once
#include "model/dialect.h"

/* The dialect with the highest score for @hint; NULL and score 0 when none wants it. */
const struct dialect *dialect_find(const struct dialect_hint *hint, unsigned *ret_score);
/* All of them in registry order; NULL at the end. @index from 0. */
const struct dialect *dialect_at(size_t index);
const struct dialect *dialect_by_name(struct slice name);

/* Hosts of which a dialect's vendor is known (gen_ai.provider.name): the table of OpenAI-compatible services and others. */
struct dialect_vendor {
	const char *host; /* suffix of the host name, "*" inside matches one label's part; NULL: by path only */
	const char *path; /* prefix of the path, or NULL */
	const char *vendor;
	const char *title; /* for the table of supported providers */
};
const struct dialect_vendor *dialect_vendor_at(size_t index);
struct slice dialect_vendor_find(struct slice host, struct slice path);

/* A finished call that went through a gateway: names it, the vendor behind it where something tells that, its cost. */
void dialect_gateway_put(struct call *call);
