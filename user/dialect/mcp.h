/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods of MCP in all its generations, as a table: what a request is for, and what must stand in its parameters for
 * it to be MCP's and not that of some other protocol with the same word.
 */
#pragma once
#include "dialect/jsonrpc.h"

struct mcp_method {
	struct slice name;
	enum call_operation operation;
	struct slice needs;  /* a member of params without which it is not MCP's; empty: none */
	struct slice target; /* the member of params that is named in the span's name */
};

/* The method of a message that gives a span; NULL for notifications, pings, answers and what is not MCP. @is_marked: its
 * headers say that it is MCP. */
const struct mcp_method *mcp_method_of(const struct rpc *rpc, bool is_marked);
/* What a result looks like that only MCP gives. */
bool mcp_is_result(struct slice result);
