/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declared functions in the shape that MLflow shows. Schemas name their types in capitals here, and the outermost is an
 * object without saying: autolog writes types small and leaves that one out. Tools of the service have only a name.
 */
#include "dialect/gemini.h"
#include "dialect/tools.h"

static void lower_put(struct buf *out, struct slice type)
{
	struct slice raw = json_raw_text(type);

	json_put_raw(out, SLICE("\""));
	for (size_t i = 0; i < raw.len; i++)
		buf_put_char(out, raw.data[i] >= 'A' && raw.data[i] <= 'Z' ? (char)(raw.data[i] + 32) : raw.data[i]);
	buf_put_char(out, '"');
}

/* Types in small letters, as deep as they go in one level; deeper ones stay as they are. */
static bool property_own(struct buf *out, const struct json_iter *member)
{
	if (json_type(member->value) != JSON_STRING)
		return false;
	if (slice_equal(member->name, SLICE("title")))
		return true;
	if (!slice_equal(member->name, SLICE("type")) || slice_contains(json_raw_text(member->value), SLICE("\\")))
		return false;
	json_put_raw_name(out, member->name);
	lower_put(out, member->value);
	return true;
}

static bool schema_own_members(struct buf *out, const struct json_iter *member)
{
	return slice_equal(member->name, SLICE("title")) || slice_equal(member->name, SLICE("type")) ||
	       schema_properties_put(out, member, property_own);
}

static void function_put(struct buf *out, struct slice function)
{
	struct slice schema = json_get(function, SLICE("parameters")), name = json_get(function, SLICE("name"));

	if (!schema.data)
		schema = gemini_get(function, SLICE("parametersJsonSchema"), SLICE("parameters_json_schema"));
	if (json_type(name) != JSON_STRING)
		return;
	tool_open(out, name, json_get(function, SLICE("description")));
	if (json_type(schema) == JSON_OBJECT) {
		json_put_name(out, SLICE("parameters"));
		schema_put(out, schema, schema_own_members);
	}
	tool_close(out);
}

static void built_in_put(struct buf *out, struct slice name)
{
	tool_open(out, SLICE_NONE, SLICE_NONE);
	json_put_raw(out, SLICE("\"name\":\""));
	buf_put(out, name);
	buf_put_char(out, '"');
	tool_close(out);
}

struct slice gemini_tools(struct call *call, struct slice tools)
{
	struct out out;

	if (json_type(tools) != JSON_ARRAY)
		return SLICE_NONE;
	tools_open(&out, call, tools);
	json_foreach_element(tool, tools) {
		if (json_type(tool.value) != JSON_OBJECT)
			continue;
		json_foreach_member(member, tool.value) {
			if (slice_equal(member.name, SLICE("functionDeclarations")) ||
			    slice_equal(member.name, SLICE("function_declarations")))
				json_foreach_element(function, member.value)
					function_put(&out.buf, function.value);
			else if (json_type(member.value) == JSON_OBJECT)
				built_in_put(&out.buf, member.name);
		}
	}
	return tools_close(&out);
}
