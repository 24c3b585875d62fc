/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each part is one small object. Strings are not decoded on their way: what was a JSON string on the wire is the same
 * JSON string here; only arguments that came as text are opened, because the schema wants the object.
 */
#include "dialect/parts.h"

void parts_init(struct parts *parts, struct call *call, struct slice source)
{
	*parts = (struct parts){ .arena = call->arena };
	out_init(&parts->out, call->arena, source.len + MIN(source.len / 4, (size_t)256 << 10) + 64);
	json_open(&parts->out.buf, '[');
}

void parts_init_asked(struct parts *parts, struct call *call, struct slice source)
{
	if (!call->defers_messages)
		return parts_init(parts, call, source);
	call->owes_messages = true;
	*parts = (struct parts){ .arena = call->arena, .out.buf.failed = true };
}

bool parts_owed(struct call *call)
{
	bool owed = call->owes_messages;

	call->owes_messages = call->defers_messages = false;
	return owed;
}

struct slice parts_finish(struct parts *parts)
{
	if (parts->out.buf.len <= 1)
		return SLICE_NONE;
	json_close(&parts->out.buf, ']');
	return out_slice(&parts->out);
}

void parts_message_open(struct parts *parts, struct slice role)
{
	struct buf *out = &parts->out.buf;

	json_open(out, '{');
	json_member_text(out, SLICE("role"), role.len ? role : SLICE("assistant"));
	json_put_name(out, SLICE("parts"));
	json_open(out, '[');
}

void parts_message_close(struct parts *parts, bool has_reason, struct slice reason)
{
	struct buf *out = &parts->out.buf;

	json_close(out, ']');
	if (has_reason)
		json_member_text(out, SLICE("finish_reason"), finish_reason_neutral(reason));
	json_close(out, '}');
}

static struct buf *part_open(struct parts *parts, struct slice type)
{
	struct buf *out = &parts->out.buf;

	json_open(out, '{');
	json_member_text(out, SLICE("type"), type);
	return out;
}

void parts_text(struct parts *parts, struct slice raw)
{
	struct buf *out = part_open(parts, SLICE("text"));

	json_member_raw(out, SLICE("content"), raw.len ? raw : SLICE("\"\""));
	json_close(out, '}');
}

void parts_text_message(struct parts *parts, struct slice role, struct slice raw)
{
	parts_message_open(parts, role);
	parts_text(parts, raw);
	parts_message_close(parts, false, SLICE_NONE);
}

struct slice text_message(struct call *call, struct slice role, struct slice raw)
{
	struct parts parts;

	parts_init(&parts, call, raw);
	parts_text_message(&parts, role, raw);
	return parts_finish(&parts);
}

void system_text_put(struct call *call, struct slice raw)
{
	struct parts parts;

	if (!json_raw_text(raw).len)
		return;
	parts_init(&parts, call, raw);
	parts_text(&parts, raw);
	call->system_instructions = parts_finish(&parts);
}

void parts_reasoning(struct parts *parts, struct slice raw)
{
	struct buf *out = part_open(parts, SLICE("reasoning"));

	json_member_raw(out, SLICE("content"), raw.len ? raw : SLICE("\"\""));
	json_close(out, '}');
}

void parts_tool_call(struct parts *parts, struct slice id, struct slice name, struct slice arguments)
{
	struct buf *out = part_open(parts, SLICE("tool_call"));
	struct slice opened = json_type(arguments) == JSON_STRING ? json_text(parts->arena, arguments) : SLICE_NONE;

	if (opened.len && json_type(opened) == JSON_OBJECT && json_check(opened, JSON_DEPTH_MAX) == 0)
		arguments = json_trim(opened);
	json_member_raw(out, SLICE("id"), id);
	json_member_raw(out, SLICE("name"), name.len ? name : SLICE("\"\""));
	json_member_raw(out, SLICE("arguments"), arguments);
	json_close(out, '}');
}

void parts_function_call(struct parts *parts, struct slice object)
{
	parts_tool_call(parts, json_get(object, SLICE("id")), json_path(object, "function", "name", NULL),
			json_path(object, "function", "arguments", NULL));
}

void parts_tool_result(struct parts *parts, struct slice id, struct slice result)
{
	struct buf *out = part_open(parts, SLICE("tool_call_response"));

	json_member_raw(out, SLICE("id"), id);
	json_member_raw(out, SLICE("response"), result.len ? result : SLICE("\"\""));
	json_close(out, '}');
}

/* A type as it stood in a string of JSON, whose writer may escape slashes. */
static void mime_type_put(struct buf *out, struct slice mime_type)
{
	ptrdiff_t at;

	json_put_name(out, SLICE("mime_type"));
	json_put_raw(out, SLICE("\""));
	while ((at = slice_find(mime_type, SLICE("\\/"))) >= 0) {
		json_put_escaped(out, slice_head(mime_type, (size_t)at));
		mime_type = slice_from(mime_type, (size_t)at + 1);
	}
	json_put_escaped(out, mime_type);
	buf_put_char(out, '"');
}

void parts_blob(struct parts *parts, struct slice modality, struct slice mime_type, struct slice content)
{
	struct buf *out = part_open(parts, SLICE("blob"));

	json_member_text(out, SLICE("modality"), modality);
	if (mime_type.len)
		mime_type_put(out, mime_type);
	json_put_name(out, SLICE("content"));
	json_put_raw(out, SLICE("\""));
	buf_put(out, content);
	buf_put_char(out, '"');
	json_close(out, '}');
}

void parts_url(struct parts *parts, struct slice modality, struct slice url)
{
	struct slice raw = json_raw_text(url), rest = raw, head, mime_type;
	struct buf *out;

	if (slice_starts(raw, SLICE("data:"))) {
		head = slice_cut(&rest, ',');
		mime_type = slice_from(slice_cut(&head, ';'), 5);
		parts_blob(parts, modality, mime_type, rest);
		return;
	}
	out = part_open(parts, SLICE("uri"));
	json_member_text(out, SLICE("modality"), modality);
	json_member_raw(out, SLICE("uri"), url.len ? url : SLICE("\"\""));
	json_close(out, '}');
}

void parts_file(struct parts *parts, struct slice id)
{
	struct buf *out = part_open(parts, SLICE("file"));

	json_member_raw(out, SLICE("file_id"), id.len ? id : SLICE("\"\""));
	json_close(out, '}');
}

void parts_other(struct parts *parts, struct slice object)
{
	struct slice type = json_raw_text(json_get(object, SLICE("type")));
	struct buf *out;

	if (json_type(object) != JSON_OBJECT)
		return;
	if (type.len) {
		json_put_raw(&parts->out.buf, object);
		return;
	}
	out = part_open(parts, SLICE("unknown"));
	json_member_raw(out, SLICE("content"), object);
	json_close(out, '}');
}

static const struct {
	struct slice word, neutral;
} reasons[] = {
	{ SLICE("end_turn"), SLICE("stop") },
	{ SLICE("stop"), SLICE("stop") },
	{ SLICE("eos"), SLICE("stop") },
	{ SLICE("eos_token"), SLICE("stop") },
	{ SLICE("eos_found"), SLICE("stop") },
	{ SLICE("eosfound"), SLICE("stop") },
	{ SLICE("stop_sequence"), SLICE("stop") },
	{ SLICE("stop_str"), SLICE("stop") },
	{ SLICE("stopstringfound"), SLICE("stop") },
	{ SLICE("matched_stop"), SLICE("stop") },
	{ SLICE("complete"), SLICE("stop") },
	{ SLICE("completed"), SLICE("stop") },
	{ SLICE("endoftext"), SLICE("stop") },
	{ SLICE("finish"), SLICE("stop") },
	{ SLICE("finished"), SLICE("stop") },
	{ SLICE("succeeded"), SLICE("stop") },
	{ SLICE("done"), SLICE("stop") },
	{ SLICE("pause_turn"), SLICE("stop") },
	{ SLICE("compaction"), SLICE("stop") },
	{ SLICE("word"), SLICE("stop") },
	{ SLICE("turn_detected"), SLICE("stop") },
	{ SLICE("length"), SLICE("length") },
	{ SLICE("max_tokens"), SLICE("length") },
	{ SLICE("max_output_tokens"), SLICE("length") },
	{ SLICE("max_new_tokens"), SLICE("length") },
	{ SLICE("max_length"), SLICE("length") },
	{ SLICE("maximum_tokens"), SLICE("length") },
	{ SLICE("model_length"), SLICE("length") },
	{ SLICE("maxpredictedtokensreached"), SLICE("length") },
	{ SLICE("contextlengthreached"), SLICE("length") },
	{ SLICE("token_limit"), SLICE("length") },
	{ SLICE("time_limit"), SLICE("length") },
	{ SLICE("limit"), SLICE("length") },
	{ SLICE("error_limit"), SLICE("length") },
	{ SLICE("model_context_window_exceeded"), SLICE("length") },
	{ SLICE("incomplete"), SLICE("length") },
	{ SLICE("max_prompt_tokens"), SLICE("length") },
	{ SLICE("refusal"), SLICE("content_filter") },
	{ SLICE("content_filter"), SLICE("content_filter") },
	{ SLICE("content_filtered"), SLICE("content_filter") },
	{ SLICE("guardrail_intervened"), SLICE("content_filter") },
	{ SLICE("guardrails"), SLICE("content_filter") },
	{ SLICE("sensitive"), SLICE("content_filter") },
	{ SLICE("error_toxic"), SLICE("content_filter") },
	{ SLICE("safety"), SLICE("content_filter") },
	{ SLICE("recitation"), SLICE("content_filter") },
	{ SLICE("blocklist"), SLICE("content_filter") },
	{ SLICE("prohibited_content"), SLICE("content_filter") },
	{ SLICE("spii"), SLICE("content_filter") },
	{ SLICE("model_armor"), SLICE("content_filter") },
	{ SLICE("language"), SLICE("content_filter") },
	{ SLICE("image_safety"), SLICE("content_filter") },
	{ SLICE("image_recitation"), SLICE("content_filter") },
	{ SLICE("image_prohibited_content"), SLICE("content_filter") },
	{ SLICE("tool_use"), SLICE("tool_call") },
	{ SLICE("tool_calls"), SLICE("tool_call") },
	{ SLICE("tool_call"), SLICE("tool_call") },
	{ SLICE("toolcalls"), SLICE("tool_call") },
	{ SLICE("function_call"), SLICE("tool_call") },
	{ SLICE("requires_action"), SLICE("tool_call") },
	{ SLICE("error"), SLICE("error") },
	{ SLICE("failed"), SLICE("error") },
	{ SLICE("cancelled"), SLICE("error") },
	{ SLICE("canceled"), SLICE("error") },
	{ SLICE("abort"), SLICE("error") },
	{ SLICE("aborted"), SLICE("error") },
	{ SLICE("network_error"), SLICE("error") },
	{ SLICE("user_cancel"), SLICE("error") },
	{ SLICE("insufficient_system_resource"), SLICE("error") },
	{ SLICE("malformed_function_call"), SLICE("error") },
	{ SLICE("malformed_response"), SLICE("error") },
	{ SLICE("malformed_model_output"), SLICE("error") },
	{ SLICE("malformed_tool_use"), SLICE("error") },
	{ SLICE("unexpected_tool_call"), SLICE("error") },
	{ SLICE("too_many_tool_calls"), SLICE("error") },
	{ SLICE("missing_thought_signature"), SLICE("error") },
	{ SLICE("other"), SLICE("error") },
	{ SLICE("image_other"), SLICE("error") },
	{ SLICE("no_image"), SLICE("error") },
	{ SLICE("rag_query_when_rag_disabled"), SLICE("error") },
	{ SLICE("timeout"), SLICE("error") },
};

struct slice finish_reason_neutral(struct slice reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (slice_equal_nocase(reason, reasons[i].word))
			return reasons[i].neutral;
	return reason.len ? reason : SLICE("stop");
}
