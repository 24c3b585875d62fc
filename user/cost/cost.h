/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost: what a call cost, from its usage and a price file; what the provider itself says wins. Money is counted in whole
 * numbers (1e-12 USD a token, 1e-9 USD in all), so a sum of many calls is exact.
 *
 * The price file (JSON; deploy/prices/prices.json is built in, and its head says how to read it):
 *
 *	{ "schema": 1, "version": "…", "providers": {
 *	    "<gen_ai.provider.name>": "<another, whose prices hold>" |
 *	      { "<model, '*' at its end for a version>": PRICES | [PRICES …] } } }
 *
 *	PRICES: USD for a million tokens: input, output, cache_read, cache_write, cache_write_1h, input_audio, output_audio,
 *	input_image, output_image; USD for one: search. "from", "until": "YYYY-MM-DD", of the call's start (UTC), until excluded.
 *	"variants": [{ "tier": service tier, "above": input tokens, prices that are different }], the later ones win.
 *
 * A version is a date, a number of three digits or more, latest, v1:0; never a word that may be another model.
 * The longest pattern wins, of equal ones the later date. What has no price of its own has that of its kind (cached input that
 * of input, sound that of text). A cost that leaves something out says so: it is a lower bound. Pure.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "model/call.h"

struct cost_table;

/* 0; -EINVAL: not a price file, *ret_error says what is wrong; -ENOMEM. @text is not needed afterwards. */
int cost_table_new(struct alloc *alloc, struct slice text, struct cost_table **ret, const char **ret_error);
struct cost_table *cost_table_free(struct cost_table *table);
DEFINE_CLEANUP(struct cost_table *, cost_table_free)

/* The price file that was built in. */
struct slice cost_builtin(void);

/* Puts the cost's attributes on a finished call: spantap.cost.nano_usd, .source ("provider" or "prices"), .prices (the
 * file's version), .incomplete (what is left out: unknown_model, usage_missing, server_tools), and mlflow.llm.cost where
 * nothing is. @unix_ns: its start. */
void cost_put(const struct cost_table *table, struct call *call, uint64_t unix_ns);
