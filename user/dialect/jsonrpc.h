/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC 2.0 as agents' protocols speak it: what a message says, and what its error means. Values are views of the text
 * that was read; of a text that is cut only what is whole is given.
 */
#pragma once
#include "dialect/common.h"

struct rpc {
	struct slice method; /* raw inside of the string */
	struct slice id;     /* a number or a string as written; empty for a notification */
	struct slice params, result, error;
	bool is_rpc; /* says that it is 2.0 */
};

/* @is_whole: @message was checked or will be; else a last value that runs into the end is no value. */
struct rpc rpc_read(struct slice message, bool is_whole);

static inline bool rpc_is_request(const struct rpc *rpc)
{
	return rpc->method.len && rpc->id.len;
}

static inline bool rpc_is_answer(const struct rpc *rpc)
{
	return rpc->is_rpc && !rpc->method.len && (rpc->result.data || rpc->error.data);
}

/* {code, message, data} into call->error; the codes of the specification get their words. @in_band: see call_error. */
void rpc_error_read(struct call *call, struct slice error, bool in_band);
/* The code as text under the convention's name. */
void rpc_error_put(struct call *call, struct slice error);
