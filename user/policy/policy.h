/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: the only maker of records. It redacts (command line arguments, URL credentials, keyed fingerprint instead
 * of a credential), cleans every text so that no server refuses it (UTF-8, NUL, surrogates, depth), and seals the
 * trace into its transport form. Pure: the keyed hash comes as a callback, because crypto libraries keep state.
 */
#pragma once
#include "base/alloc.h"
#include "base/cleanup.h"
#include "model/aside.h"
#include "model/record.h"
#include "model/span.h"

struct policy;

struct policy_opts {
	struct alloc *alloc;
	/* HMAC-SHA-256 with the installation's key; 32 bytes out. */
	void (*keyed_hash)(void *user, struct slice text, uint8_t ret_hash[32]);
	void *user;
	struct slice node; /* name of this node, for the record */
};

int policy_new(const struct policy_opts *opts, struct policy **ret);
struct policy *policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free)

/* The record's body is in @arena. -ENOMEM when it is full: the trace must then be counted as shed. */
int policy_seal(struct policy *policy, const struct trace *trace, uint64_t sequence, struct arena *arena,
		struct record *ret);
/* A long text of a request, ahead of its record (model/aside.h): cleaned as it would be within it. @credential: of its call.
 * *ret_text: @text itself, or it lives until the next use of @policy. 0 or -ENOMEM. */
int policy_clean_aside(struct policy *policy, struct slice credential, struct slice text, struct aside_id *ret_id,
		       struct slice *ret_text);
/* @text with credentials in it replaced: for command lines and URLs. Used by the origin's arguments too. */
struct slice policy_redact_argument(struct arena *arena, struct slice previous, struct slice argument);
