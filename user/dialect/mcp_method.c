/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC is spoken by many: editors, chains, players. A word alone is MCP's only where nobody else has it; "initialize" and
 * "tasks/get" are others' too, so there the parameters must agree, or a header or a _meta of MCP's own.
 */
#include "dialect/mcp.h"

static const struct mcp_method methods[] = {
	{ SLICE("tools/call"), OPERATION_TOOL, SLICE("name"), SLICE("name") },
	{ SLICE("tools/list"), OPERATION_TOOL_LIST, SLICE_NONE, SLICE_NONE },
	{ SLICE("resources/list"), OPERATION_TOOL_LIST, SLICE_NONE, SLICE_NONE },
	{ SLICE("resources/templates/list"), OPERATION_TOOL_LIST, SLICE_NONE, SLICE_NONE },
	{ SLICE("resources/read"), OPERATION_TOOL, SLICE("uri"), SLICE_NONE },
	{ SLICE("resources/subscribe"), OPERATION_TOOL, SLICE("uri"), SLICE_NONE },
	{ SLICE("resources/unsubscribe"), OPERATION_TOOL, SLICE("uri"), SLICE_NONE },
	{ SLICE("prompts/list"), OPERATION_TOOL_LIST, SLICE_NONE, SLICE_NONE },
	{ SLICE("prompts/get"), OPERATION_TOOL, SLICE("name"), SLICE("name") },
	{ SLICE("initialize"), OPERATION_TOOL_LIST, SLICE("protocolVersion"), SLICE_NONE },
	{ SLICE("server/discover"), OPERATION_TOOL_LIST, SLICE_NONE, SLICE_NONE },
	{ SLICE("completion/complete"), OPERATION_TOOL, SLICE("ref"), SLICE_NONE },
	{ SLICE("logging/setLevel"), OPERATION_TOOL, SLICE("level"), SLICE_NONE },
	{ SLICE("tasks/get"), OPERATION_TOOL, SLICE("taskId"), SLICE_NONE },
	{ SLICE("tasks/result"), OPERATION_TOOL, SLICE("taskId"), SLICE_NONE },
	{ SLICE("tasks/cancel"), OPERATION_TOOL, SLICE("taskId"), SLICE_NONE },
	{ SLICE("tasks/update"), OPERATION_TOOL, SLICE("taskId"), SLICE_NONE },
	{ SLICE("subscriptions/listen"), OPERATION_TOOL, SLICE_NONE, SLICE_NONE },
	{ SLICE("sampling/createMessage"), OPERATION_TOOL, SLICE("messages"), SLICE_NONE },
	{ SLICE("elicitation/create"), OPERATION_TOOL, SLICE("message"), SLICE_NONE },
	{ SLICE("roots/list"), OPERATION_TOOL_LIST, SLICE_NONE, SLICE_NONE },
};

/* Marked as MCP, but of no known method. */
static const struct mcp_method other_method = { SLICE_NONE, OPERATION_TOOL, SLICE_NONE, SLICE_NONE };

/* _meta holds a name of MCP's own. */
static bool has_mark(struct slice params)
{
	json_foreach_member(member, json_get(params, SLICE("_meta")))
		if (slice_starts(member.name, SLICE("io.modelcontextprotocol/")))
			return true;
	return false;
}

const struct mcp_method *mcp_method_of(const struct rpc *rpc, bool is_marked)
{
	if (!rpc_is_request(rpc) || slice_equal(rpc->method, SLICE("ping")))
		return NULL;
	is_marked = is_marked || has_mark(rpc->params);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct mcp_method *method = &methods[i];

		if (!slice_equal(rpc->method, method->name))
			continue;
		if (is_marked || !method->needs.len || json_get(rpc->params, method->needs).data)
			return method;
		return NULL;
	}
	return is_marked ? &other_method : NULL;
}

bool mcp_is_result(struct slice result)
{
	struct json_iter first;

	if (json_get(result, SLICE("protocolVersion")).data && json_get(result, SLICE("serverInfo")).data)
		return true;
	first = json_iter(json_get(result, SLICE("content")));
	if (json_next(&first) && json_get(first.value, SLICE("type")).data)
		return true;
	first = json_iter(json_get(result, SLICE("tools")));
	return json_next(&first) && json_get(first.value, SLICE("inputSchema")).data;
}
