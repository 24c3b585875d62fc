/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenAI tells a step in one item, with what went in and what came out under names of its own: a table. Anthropic tells it
 * in two blocks, of which the second names the first.
 */
#include "dialect/steps.h"

static const struct item_step {
	struct slice type;
	const char *name; /* NULL: the item's own */
	enum call_operation operation;
	struct slice inputs, outputs; /* members; empty: it has none */
} item_steps[] = {
	{ SLICE("web_search_call"), "web_search", OPERATION_TOOL, SLICE("action"), SLICE("results") },
	{ SLICE("file_search_call"), "file_search", OPERATION_RETRIEVAL, SLICE("queries"), SLICE("results") },
	{ SLICE("code_interpreter_call"), "code_interpreter", OPERATION_TOOL, SLICE("code"), SLICE("outputs") },
	{ SLICE("image_generation_call"), "image_generation", OPERATION_TOOL, SLICE("revised_prompt"), {} },
	{ SLICE("mcp_call"), NULL, OPERATION_TOOL, SLICE("arguments"), SLICE("output") },
	{ SLICE("tool_search_call"), "tool_search", OPERATION_TOOL, SLICE("arguments"), {} },
	{ SLICE("mcp_list_tools"), "mcp_list_tools", OPERATION_TOOL_LIST, {}, SLICE("tools") },
};

/* A string that holds JSON is that JSON; any other value stands as it is written. */
static struct slice value_unwrap(struct call *call, struct slice value)
{
	struct slice text = call_text(call, value);

	return text.len && json_check(text, JSON_DEPTH_MAX) == 0 ? text : value;
}

static void item_step_add(struct call *call, struct slice item, const struct item_step *rule)
{
	struct call_step *step = call_add_step(call);
	struct slice error = json_get(item, SLICE("error")), message = json_get(error, SLICE("message"));

	if (!step)
		return call_lost(call, false);
	step->operation = rule->operation;
	step->name = rule->name ? slice_of(rule->name) : call_text(call, json_get(item, SLICE("name")));
	step->id = call_text(call, json_get(item, SLICE("id")));
	if (rule->inputs.len)
		step->inputs = value_unwrap(call, json_get(item, rule->inputs));
	if (rule->outputs.len)
		step->outputs = value_unwrap(call, json_get(item, rule->outputs));
	step->has_failed = error.data || json_text_is(json_get(item, SLICE("status")), SLICE("failed"));
	step->error = call_copy(call, message.data ? message : error);
}

/* A search is billed by piece; opening a page that it found is not. */
static bool item_is_search(struct slice item, struct slice type)
{
	struct slice action = json_path(item, "action", "type", NULL);

	return json_text_is(type, SLICE("web_search_call")) && (!action.data || json_text_is(action, SLICE("search")));
}

/* What a search for tools has found is an item of its own, behind it. */
static void found_tools_put(struct call *call, struct slice item)
{
	for (struct call_step *step = call->steps; step; step = step->next)
		if (slice_equal(step->name, SLICE("tool_search")) && !step->outputs.data) {
			step->outputs = json_get(item, SLICE("tools"));
			return;
		}
}

void steps_from_items(struct call *call, struct slice items)
{
	int64_t searches = 0;

	json_foreach_element(item, items) {
		struct slice type = json_get(item.value, SLICE("type"));

		if (json_text_is(json_get(item.value, SLICE("execution")), SLICE("client")))
			continue; /* the application's to do */
		searches += item_is_search(item.value, type);
		if (json_text_is(type, SLICE("tool_search_output")))
			found_tools_put(call, item.value);
		for (size_t i = 0; i < ARRAY_SIZE(item_steps); i++)
			if (json_text_is(type, item_steps[i].type))
				item_step_add(call, item.value, &item_steps[i]);
	}
	if (searches)
		call->usage.searches = searches;
}

void steps_time(struct call *call, struct slice id, uint64_t start_ns, uint64_t end_ns)
{
	struct slice raw = json_raw_text(id);

	for (struct call_step *step = call->steps; step && raw.len; step = step->next) {
		if (!slice_equal(step->id, raw))
			continue;
		if (start_ns)
			step->start_ns = start_ns;
		if (end_ns)
			step->end_ns = end_ns;
	}
}

/* ---- Anthropic ---- */

static bool block_is_server_use(struct slice block)
{
	struct slice type = json_raw_text(json_get(block, SLICE("type")));

	return slice_equal(type, SLICE("server_tool_use")) || slice_equal(type, SLICE("mcp_tool_use"));
}

static void block_result(struct call *call, struct slice block)
{
	struct slice id = json_raw_text(json_get(block, SLICE("tool_use_id")));
	struct slice content = json_get(block, SLICE("content"));

	for (struct call_step *step = call->steps; step; step = step->next) {
		struct slice kind = json_raw_text(json_get(content, SLICE("type")));

		if (!slice_equal(step->id, id))
			continue;
		step->outputs = content;
		step->has_failed =
			json_is_true(json_get(block, SLICE("is_error"))) || slice_ends(kind, SLICE("_error"));
		if (step->has_failed)
			step->error = call_copy(call, json_get(content, SLICE("error_code")));
	}
}

void steps_from_blocks(struct call *call, struct slice blocks)
{
	json_foreach_element(block, blocks) {
		struct call_step *step;

		if (!block_is_server_use(block.value)) {
			if (json_get(block.value, SLICE("tool_use_id")).data)
				block_result(call, block.value);
			continue;
		}
		step = call_add_step(call);
		if (!step)
			return call_lost(call, false);
		step->name = call_text(call, json_get(block.value, SLICE("name")));
		step->id = call_text(call, json_get(block.value, SLICE("id")));
		step->inputs = json_get(block.value, SLICE("input"));
	}
}
