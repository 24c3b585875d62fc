/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents as messages. A part is known by the member that it has; a table says which message part it becomes. What the
 * service runs itself while it answers (code, searches, tools of its own) is a part or a member of the candidate, and
 * becomes a step of the call as well.
 */
#include "dialect/gemini.h"

enum { STEPS_MAX = 256 }; /* more are in the outputs only */

enum part_is {
	IS_TEXT,
	IS_BLOB,
	IS_FILE,
	IS_CALL,
	IS_RESULT,
	IS_CODE,
	IS_CODE_RESULT,
	IS_SERVER_CALL,
	IS_SERVER_RESULT,
	IS_OTHER,
};

static const struct {
	struct slice member;
	enum part_is is;
} part_rules[] = {
	{ SLICE("text"), IS_TEXT },
	{ SLICE("inlineData"), IS_BLOB },
	{ SLICE("inline_data"), IS_BLOB },
	{ SLICE("fileData"), IS_FILE },
	{ SLICE("file_data"), IS_FILE },
	{ SLICE("functionCall"), IS_CALL },
	{ SLICE("function_call"), IS_CALL },
	{ SLICE("functionResponse"), IS_RESULT },
	{ SLICE("function_response"), IS_RESULT },
	{ SLICE("executableCode"), IS_CODE },
	{ SLICE("executable_code"), IS_CODE },
	{ SLICE("codeExecutionResult"), IS_CODE_RESULT },
	{ SLICE("code_execution_result"), IS_CODE_RESULT },
	{ SLICE("toolCall"), IS_SERVER_CALL },
	{ SLICE("toolResponse"), IS_SERVER_RESULT },
};

struct slice gemini_get(struct slice object, struct slice camel, struct slice snake)
{
	struct slice value = json_get(object, camel);

	return value.data ? value : json_get(object, snake);
}

static enum part_is part_kind(struct slice part, struct slice *ret_value)
{
	*ret_value = SLICE_NONE;
	if (json_type(part) == JSON_OBJECT)
		json_foreach_member(member, part)
			for (size_t i = 0; i < ARRAY_SIZE(part_rules); i++)
				if (slice_equal(member.name, part_rules[i].member) &&
				    json_type(member.value) != JSON_NULL) {
					*ret_value = member.value;
					return part_rules[i].is;
				}
	return IS_OTHER;
}

static struct slice modality_of(struct slice mime_type)
{
	static const struct slice modalities[] = { SLICE("image"), SLICE("audio"), SLICE("video") };

	for (size_t i = 0; i < ARRAY_SIZE(modalities); i++)
		if (slice_starts(mime_type, modalities[i]))
			return modalities[i];
	return SLICE("document");
}

static void media_put(struct parts *parts, enum part_is is, struct slice value)
{
	struct slice type = json_raw_text(gemini_get(value, SLICE("mimeType"), SLICE("mime_type")));

	if (is == IS_BLOB)
		parts_blob(parts, modality_of(type), type, json_raw_text(json_get(value, SLICE("data"))));
	else
		parts_url(parts, modality_of(type), gemini_get(value, SLICE("fileUri"), SLICE("file_uri")));
}

/* Calls have an id only where the client gave one: their name stands for it, as order and name are what pairs them. */
static void tool_put(struct parts *parts, enum part_is is, struct slice value)
{
	struct slice name = json_get(value, is == IS_SERVER_CALL ? SLICE("toolType") : SLICE("name"));
	struct slice id = json_get(value, SLICE("id"));

	if (is == IS_CALL || is == IS_SERVER_CALL)
		parts_tool_call(parts, id, name, json_get(value, SLICE("args")));
	else
		parts_tool_result(parts, id.data ? id : name, json_get(value, SLICE("response")));
}

/* true when it asks the client for something. */
static bool part_put(struct parts *parts, struct slice part)
{
	struct slice value;
	enum part_is is = part_kind(part, &value);

	if (is != IS_TEXT)
		parts->is_foreign = true;
	switch (is) {
	case IS_TEXT:
		if (json_is_true(json_get(part, SLICE("thought"))))
			parts_reasoning(parts, value);
		else if (json_raw_text(value).len)
			parts_text(parts, value);
		return false;
	case IS_BLOB:
	case IS_FILE:
		media_put(parts, is, value);
		return false;
	case IS_CALL:
	case IS_RESULT:
	case IS_SERVER_CALL:
	case IS_SERVER_RESULT:
		tool_put(parts, is, value);
		return is == IS_CALL;
	default:
		parts_other(parts, part);
		return false;
	}
}

static bool parts_put(struct parts *parts, struct slice list)
{
	bool has_calls = false;

	if (json_type(list) == JSON_OBJECT)
		return part_put(parts, list);
	if (json_type(list) == JSON_ARRAY)
		json_foreach_element(part, list)
			has_calls |= part_put(parts, part.value);
	return has_calls;
}

void gemini_content_put(struct parts *parts, struct slice content)
{
	if (json_type(content) == JSON_STRING)
		parts_text(parts, content);
	else
		parts_put(parts, json_get(content, SLICE("parts")));
}

static void message_put(struct parts *parts, struct slice content)
{
	struct slice role = json_raw_text(json_get(content, SLICE("role")));

	parts_message_open(parts, slice_equal(role, SLICE("model")) ? SLICE("assistant")
				  : role.len                        ? role
								    : SLICE("user"));
	gemini_content_put(parts, content);
	parts_message_close(parts, false, SLICE_NONE);
}

void gemini_contents_put(struct parts *parts, struct slice contents)
{
	if (json_type(contents) == JSON_ARRAY)
		json_foreach_element(content, contents)
			message_put(parts, content.value);
	else if (contents.data)
		message_put(parts, contents);
}

/* ---- why it ended ---- */

/* With enum-encoding=int names are numbers; the two services number them alike only up to 5. */
static const struct {
	struct slice gemini, vertex;
} reason_numbers[] = {
	{ SLICE("FINISH_REASON_UNSPECIFIED"), SLICE("FINISH_REASON_UNSPECIFIED") },
	{ SLICE("STOP"), SLICE("STOP") },
	{ SLICE("MAX_TOKENS"), SLICE("MAX_TOKENS") },
	{ SLICE("SAFETY"), SLICE("SAFETY") },
	{ SLICE("RECITATION"), SLICE("RECITATION") },
	{ SLICE("OTHER"), SLICE("OTHER") },
	{ SLICE("LANGUAGE"), SLICE("BLOCKLIST") },
	{ SLICE("BLOCKLIST"), SLICE("PROHIBITED_CONTENT") },
	{ SLICE("PROHIBITED_CONTENT"), SLICE("SPII") },
	{ SLICE("SPII"), SLICE("MALFORMED_FUNCTION_CALL") },
	{ SLICE("MALFORMED_FUNCTION_CALL"), SLICE("MODEL_ARMOR") },
};

static struct slice reason_of(struct call *call, struct slice value)
{
	bool is_vertex = slice_equal(call->vendor, SLICE("gcp.vertex_ai"));
	int64_t number;

	if (json_type(value) != JSON_NUMBER || json_int(value, &number) < 0)
		return call_text(call, value);
	if (number < 0 || (size_t)number >= ARRAY_SIZE(reason_numbers))
		return json_trim(value);
	return is_vertex ? reason_numbers[number].vertex : reason_numbers[number].gemini;
}

void gemini_candidates_read(struct call *call, struct parts *parts, struct slice candidates)
{
	json_foreach_element(candidate, candidates) {
		struct slice content = json_get(candidate.value, SLICE("content"));
		struct slice reason = reason_of(call, json_get(candidate.value, SLICE("finishReason")));
		bool has_calls;

		finish_add(call, reason);
		parts_message_open(parts, SLICE("assistant"));
		has_calls = parts_put(parts, json_get(content, SLICE("parts")));
		/* A turn that ends in a call says STOP; what the client is asked to do is in the parts. */
		if (has_calls && slice_equal(reason, SLICE("STOP")))
			parts_message_close(parts, true, SLICE("tool_calls"));
		else
			parts_message_close(parts, true, reason);
	}
}

/* ---- steps ---- */

static void result_add(struct call_step *step, enum part_is is, struct slice value)
{
	struct slice outcome = json_get(value, SLICE("outcome"));
	int64_t number;

	if (!step || step->outputs.len)
		return;
	step->outputs = is == IS_SERVER_RESULT && json_get(value, SLICE("response")).data
				? json_get(value, SLICE("response"))
				: value;
	if (is != IS_CODE_RESULT || !outcome.data)
		return;
	step->has_failed = json_type(outcome) == JSON_NUMBER ? json_int(outcome, &number) == 0 && number > 1
							     : !json_text_is(outcome, SLICE("OUTCOME_OK"));
	if (step->has_failed)
		step->error = json_raw_text(outcome);
}

/* Each result looks for its step: their number is bounded, so that no answer costs its length squared. */
struct call_step *gemini_step_add(struct call *call, struct slice name, struct slice inputs)
{
	struct call_step *step;
	size_t count = 0;

	for (step = call->steps; step; step = step->next)
		count++;
	if (count >= STEPS_MAX)
		return NULL;
	step = call_add_step(call);
	call_lost(call, step);
	if (step) {
		step->name = name;
		step->inputs = inputs;
	}
	return step;
}

/* The open step that a result belongs to: by its id, else the first without a result. */
static struct call_step *step_find(struct call_step *step, struct slice id)
{
	for (; step; step = step->next)
		if (!step->outputs.len && (!id.len || !step->id.len || slice_equal(step->id, id)))
			return step;
	return NULL;
}

static void part_step(struct call *call, struct slice part)
{
	struct slice value, id, name;
	enum part_is is = part_kind(part, &value);
	struct call_step *step;

	id = call_text(call, json_get(value, SLICE("id")));
	if (is == IS_CODE) {
		gemini_step_add(call, SLICE("code_execution"), value);
	} else if (is == IS_SERVER_CALL) {
		name = call_text(call, json_get(value, SLICE("toolType")));
		step = gemini_step_add(call, name.len ? name : SLICE("tool"), json_get(value, SLICE("args")));
		if (step)
			step->id = id;
	} else if (is == IS_CODE_RESULT || is == IS_SERVER_RESULT) {
		result_add(step_find(call->steps, id), is, value);
	}
}

/* Searches that were made for the answer: what was asked for and what was found. */
static void grounding_step(struct call *call, struct slice candidate)
{
	struct slice metadata = gemini_get(candidate, SLICE("groundingMetadata"), SLICE("grounding_metadata"));
	struct slice queries = json_get(metadata, SLICE("webSearchQueries"));
	struct slice asked = queries.data ? queries : json_get(metadata, SLICE("retrievalQueries"));
	struct slice chunks = json_get(metadata, SLICE("groundingChunks"));
	struct call_step *step;
	struct out out;

	if (!json_count(asked) && !json_count(chunks))
		return;
	/* Where the search is told as a part, too, it is one search. */
	for (step = call->steps; step; step = step->next)
		if (slice_contains(step->name, SLICE("SEARCH")))
			return;
	step = gemini_step_add(call,
			       !json_count(chunks) || queries.data || json_path(chunks, "#0", "web", NULL).data
				       ? SLICE("google_search")
			       : json_path(chunks, "#0", "maps", NULL).data ? SLICE("google_maps")
									    : SLICE("retrieval"),
			       SLICE_NONE);
	if (!step)
		return;
	out_init(&out, call->arena, asked.len + 32);
	json_open(&out.buf, '{');
	json_member_raw(&out.buf, SLICE("queries"), asked.data ? asked : SLICE("[]"));
	json_close(&out.buf, '}');
	step->inputs = out_slice(&out);
	step->outputs = chunks;
}

void gemini_steps_add(struct call *call, struct slice candidates)
{
	json_foreach_element(candidate, candidates) {
		struct slice urls =
			gemini_get(candidate.value, SLICE("urlContextMetadata"), SLICE("url_context_metadata"));
		struct slice fetched = json_get(urls, SLICE("urlMetadata"));
		struct call_step *step;

		json_foreach_element(part, json_path(candidate.value, "content", "parts", NULL))
			part_step(call, part.value);
		grounding_step(call, candidate.value);
		if (!json_count(fetched))
			continue;
		step = gemini_step_add(call, SLICE("url_context"), SLICE_NONE);
		if (step)
			step->outputs = fetched;
	}
}
