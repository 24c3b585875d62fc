/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tool is a name, a description and a schema under different member names. A view finds the three in one dialect's
 * tool; one writer puts them into the shape that MLflow shows.
 */
#include "dialect/tools.h"

struct tool {
	struct slice name, description, parameters, strict; /* raw JSON values */
};

enum {
	TOOL_TYPE,
	TOOL_NAME,
	TOOL_DESCRIPTION,
	TOOL_PARAMETERS,
	TOOL_INPUT_SCHEMA,
	TOOL_STRICT,
	TOOL_FUNCTION,
	TOOL_CUSTOM,
	_TOOL_MAX
};
static const struct slice tool_names[_TOOL_MAX] = {
	[TOOL_TYPE] = SLICE("type"),
	[TOOL_NAME] = SLICE("name"),
	[TOOL_DESCRIPTION] = SLICE("description"),
	[TOOL_PARAMETERS] = SLICE("parameters"),
	[TOOL_INPUT_SCHEMA] = SLICE("input_schema"),
	[TOOL_STRICT] = SLICE("strict"),
	[TOOL_FUNCTION] = SLICE("function"),
	[TOOL_CUSTOM] = SLICE("custom"),
};

void schema_put(struct buf *out, struct slice schema, schema_own *own)
{
	if (json_type(schema) != JSON_OBJECT) {
		json_put_raw(out, schema);
		return;
	}
	json_open(out, '{');
	json_foreach_member(member, schema) {
		if (own(out, &member))
			continue;
		json_put_raw_name(out, member.name);
		json_put_raw(out, member.value);
	}
	json_close(out, '}');
}

bool schema_properties_put(struct buf *out, const struct json_iter *member, schema_own *own)
{
	if (!slice_equal(member->name, SLICE("properties")) || json_type(member->value) != JSON_OBJECT)
		return false;
	json_put_raw_name(out, member->name);
	json_open(out, '{');
	json_foreach_member(property, member->value) {
		json_put_raw_name(out, property.name);
		schema_put(out, property.value, own);
	}
	json_close(out, '}');
	return true;
}

/* The label that schema generators put everywhere, and autolog leaves out where its own model of a schema has none: at the
 * schema's top and at each property. */
static bool title_drop(struct buf *out, const struct json_iter *member)
{
	return slice_equal(member->name, SLICE("title")) && json_type(member->value) == JSON_STRING;
}

static bool titles_drop(struct buf *out, const struct json_iter *member)
{
	return title_drop(out, member) || schema_properties_put(out, member, title_drop);
}

void tool_open(struct buf *out, struct slice name, struct slice description)
{
	json_open(out, '{');
	json_member_text(out, SLICE("type"), SLICE("function"));
	json_put_name(out, SLICE("function"));
	json_open(out, '{');
	json_member_raw(out, SLICE("name"), name);
	json_member_raw(out, SLICE("description"), description);
}

void tool_close(struct buf *out)
{
	json_close(out, '}');
	json_close(out, '}');
}

static void tool_put(struct buf *out, const struct tool *tool)
{
	if (json_type(tool->name) != JSON_STRING)
		return;
	tool_open(out, tool->name, tool->description);
	if (tool->parameters.len) {
		json_put_name(out, SLICE("parameters"));
		schema_put(out, tool->parameters, titles_drop);
	}
	json_member_raw(out, SLICE("strict"), tool->strict);
	tool_close(out);
}

static void function_view(const struct slice *got, struct tool *tool)
{
	*tool = (struct tool){ got[TOOL_NAME], got[TOOL_DESCRIPTION], got[TOOL_PARAMETERS], got[TOOL_STRICT] };
}

static void chat_view(const struct slice *got, struct tool *tool)
{
	struct slice inner[_TOOL_MAX] = { 0 };

	PICK(got[TOOL_CUSTOM].data ? got[TOOL_CUSTOM] : got[TOOL_FUNCTION], tool_names, inner);
	function_view(inner, tool);
}

/* Tools that the provider runs and that autolog knows by name; with others it gives up, and we leave them out. */
static const struct slice built_in[] = {
	SLICE("web_search_preview"),
	SLICE("file_search"),
	SLICE("code_interpreter"),
	SLICE("image_generation"),
	SLICE("local_shell"),
	SLICE("computer_use_preview"),
	SLICE("mcp"),
};

static void responses_view(const struct slice *got, struct tool *tool)
{
	if (json_text_is(got[TOOL_TYPE], SLICE("function")))
		function_view(got, tool);
	else if (json_text_is(got[TOOL_TYPE], SLICE("custom")))
		*tool = (struct tool){ .name = got[TOOL_NAME], .description = got[TOOL_DESCRIPTION] };
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
		if (json_text_is(got[TOOL_TYPE], built_in[i]))
			tool->name = got[TOOL_TYPE];
}

static void messages_view(const struct slice *got, struct tool *tool)
{
	tool->name = got[TOOL_NAME];
	if (!got[TOOL_INPUT_SCHEMA].data)
		return;
	tool->description = got[TOOL_DESCRIPTION];
	tool->parameters = got[TOOL_INPUT_SCHEMA];
}

static void tools_put(struct buf *out, struct slice tools, void (*view)(const struct slice *got, struct tool *tool))
{
	if (json_type(tools) != JSON_ARRAY)
		return;
	json_foreach_element(item, tools) {
		struct slice got[_TOOL_MAX] = { 0 };
		struct tool tool = { 0 };

		PICK(item.value, tool_names, got);
		view(got, &tool);
		tool_put(out, &tool);
	}
}

/* A namespace holds tools, and no namespaces. */
static void namespaces_put(struct buf *out, struct slice tools)
{
	if (json_type(tools) != JSON_ARRAY)
		return;
	json_foreach_element(item, tools)
		if (json_text_is(json_get(item.value, SLICE("type")), SLICE("namespace")))
			tools_put(out, json_get(item.value, SLICE("tools")), responses_view);
}

struct slice tools_close(struct out *out)
{
	if (out->buf.len <= 1)
		return SLICE_NONE;
	json_close(&out->buf, ']');
	return out_slice(out);
}

void tools_open(struct out *out, struct call *call, struct slice tools)
{
	out_init(out, call->arena, tools.len + tools.len / 2 + 64);
	json_open(&out->buf, '[');
}

struct slice tools_from_chat(struct call *call, struct slice tools, struct slice functions)
{
	struct out out;

	if (!tools.len && !functions.len)
		return SLICE_NONE;
	tools_open(&out, call, tools.len ? tools : functions);
	tools_put(&out.buf, tools, chat_view);
	tools_put(&out.buf, functions, function_view);
	return tools_close(&out);
}

struct slice tools_from_responses(struct call *call, struct slice tools, struct slice input)
{
	struct out out;

	tools_open(&out, call, tools);
	tools_put(&out.buf, tools, responses_view);
	namespaces_put(&out.buf, tools);
	if (json_type(input) == JSON_ARRAY)
		json_foreach_element(item, input) {
			if (!json_text_is(json_get(item.value, SLICE("type")), SLICE("additional_tools")))
				continue;
			tools = json_get(item.value, SLICE("tools"));
			tools_put(&out.buf, tools, responses_view);
			namespaces_put(&out.buf, tools);
		}
	return tools_close(&out);
}

struct slice tools_from_messages(struct call *call, struct slice tools)
{
	struct out out;

	if (!tools.len)
		return SLICE_NONE;
	tools_open(&out, call, tools);
	tools_put(&out.buf, tools, messages_view);
	return tools_close(&out);
}
