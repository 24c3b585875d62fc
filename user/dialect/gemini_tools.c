/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declared functions in the shape that MLflow shows. Schemas name their types in capitals here, and the outermost is an
 * object without saying: autolog writes types small and leaves that one out. Tools of the service have only a name.
 */
#include "dialect/gemini.h"

static void lower_put(struct buf *out, struct slice type)
{
	struct slice raw = json_raw_text(type);

	json_put_raw(out, SLICE("\""));
	for (size_t i = 0; i < raw.len; i++)
		buf_put_char(out, raw.data[i] >= 'A' && raw.data[i] <= 'Z' ? (char)(raw.data[i] + 32) : raw.data[i]);
	buf_put_char(out, '"');
}

/* A schema with its types in small letters, as deep as it goes in one level; deeper ones stay as they are. */
static void property_put(struct buf *out, struct slice schema)
{
	if (json_type(schema) != JSON_OBJECT) {
		json_put_raw(out, schema);
		return;
	}
	json_open(out, '{');
	json_foreach_member(member, schema) {
		if (slice_equal(member.name, SLICE("title")) && json_type(member.value) == JSON_STRING)
			continue;
		json_put_raw_name(out, member.name);
		if (slice_equal(member.name, SLICE("type")) &&
		    !slice_contains(json_raw_text(member.value), SLICE("\\")) && json_type(member.value) == JSON_STRING)
			lower_put(out, member.value);
		else
			json_put_raw(out, member.value);
	}
	json_close(out, '}');
}

static void schema_put(struct buf *out, struct slice schema)
{
	json_open(out, '{');
	json_foreach_member(member, schema) {
		if (slice_equal(member.name, SLICE("title")) || slice_equal(member.name, SLICE("type")))
			continue;
		json_put_raw_name(out, member.name);
		if (!slice_equal(member.name, SLICE("properties")) || json_type(member.value) != JSON_OBJECT) {
			json_put_raw(out, member.value);
			continue;
		}
		json_open(out, '{');
		json_foreach_member(property, member.value) {
			json_put_raw_name(out, property.name);
			property_put(out, property.value);
		}
		json_close(out, '}');
	}
	json_close(out, '}');
}

static void function_put(struct buf *out, struct slice function)
{
	struct slice schema = json_get(function, SLICE("parameters"));

	if (!schema.data)
		schema = gemini_get(function, SLICE("parametersJsonSchema"), SLICE("parameters_json_schema"));
	if (json_type(json_get(function, SLICE("name"))) != JSON_STRING)
		return;
	json_open(out, '{');
	json_member_text(out, SLICE("type"), SLICE("function"));
	json_put_name(out, SLICE("function"));
	json_open(out, '{');
	json_member_raw(out, SLICE("name"), json_get(function, SLICE("name")));
	json_member_raw(out, SLICE("description"), json_get(function, SLICE("description")));
	if (json_type(schema) == JSON_OBJECT) {
		json_put_name(out, SLICE("parameters"));
		schema_put(out, schema);
	}
	json_close(out, '}');
	json_close(out, '}');
}

static void built_in_put(struct buf *out, struct slice name)
{
	json_open(out, '{');
	json_member_text(out, SLICE("type"), SLICE("function"));
	json_put_name(out, SLICE("function"));
	json_open(out, '{');
	json_put_raw(out, SLICE("\"name\":\""));
	buf_put(out, name);
	buf_put_char(out, '"');
	json_close(out, '}');
	json_close(out, '}');
}

struct slice gemini_tools(struct call *call, struct slice tools)
{
	struct out out;

	if (json_type(tools) != JSON_ARRAY)
		return SLICE_NONE;
	out_init(&out, call->arena, tools.len + tools.len / 2 + 64);
	json_open(&out.buf, '[');
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
	if (out.buf.len <= 1)
		return SLICE_NONE;
	json_close(&out.buf, ']');
	return out_slice(&out);
}
