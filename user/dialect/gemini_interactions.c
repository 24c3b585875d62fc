/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini.interactions: Google's newer API, in which one turn is a list of steps. A stream begins each step as an object
 * and grows it by deltas, by index; interaction.completed brings all that is not a step.
 *
 *	interaction.created   the object as far as it is known       step.start   a step's object
 *	interaction.completed the object again, with usage           step.delta   text, arguments, thoughts for it
 */
#include "dialect/gemini.h"
#include "dialect/tools.h"
#include "dialect/vendors.h"

enum { STEPS_MAX = 1024 };

struct interaction_step {
	struct interaction_step *next;
	int64_t index;
	struct slice start;
	struct pieces text, arguments, thought;
	struct slice signature;
};

struct interactions {
	struct slice object; /* the newest */
	struct interaction_step *first, *last, *recent;
	size_t count;
};

static bool is_answer(struct slice body)
{
	struct slice type = json_raw_text(json_get(body, SLICE("event_type")));

	if (!type.len)
		type = json_raw_text(json_get(body, SLICE("type")));
	if (slice_starts(type, SLICE("interaction.")) || slice_starts(type, SLICE("step.")))
		return true;
	return json_type(json_get(body, SLICE("steps"))) == JSON_ARRAY && json_get(body, SLICE("status")).data &&
	       json_get(body, SLICE("id")).data;
}

/* An interaction that was made earlier, or is being made, is asked for again. */
static bool is_fetch(struct slice method, struct slice path)
{
	struct slice id = path_part(path, SLICE("/interactions/"));

	return slice_equal(method, SLICE("GET")) && id.len && path_ends(path, id);
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = hint->request_body;

	if (is_fetch(hint->method, hint->path) && vendor_host_is(hint->host, "generativelanguage.googleapis.com"))
		return SCORE_PATH;
	if (!hint_is_post(hint) && !is_fetch(hint->method, hint->path))
		return 0;
	if (path_ends(hint->path, SLICE("/interactions")) && json_get(body, SLICE("input")).data &&
	    (json_get(body, SLICE("model")).data || json_get(body, SLICE("agent")).data))
		return SCORE_SURE;
	return hint->response_body.len && is_answer(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

/* ---- steps as messages ---- */

static void content_put(struct parts *parts, struct slice content)
{
	struct slice type = json_get(content, SLICE("type"));
	struct slice mime_type = json_raw_text(json_get(content, SLICE("mime_type")));
	struct slice data = json_get(content, SLICE("data")), url = json_get(content, SLICE("uri"));

	if (json_type(content) == JSON_STRING)
		parts_text(parts, content);
	else if (json_text_is(type, SLICE("text")))
		parts_text(parts, json_get(content, SLICE("text")));
	else if (data.data)
		parts_blob(parts, json_raw_text(type), mime_type, json_raw_text(data));
	else if (url.data)
		parts_url(parts, json_raw_text(type), url);
	else
		parts_other(parts, content);
}

static void contents_put(struct parts *parts, struct slice content)
{
	if (json_type(content) == JSON_ARRAY)
		json_foreach_element(item, content)
			content_put(parts, item.value);
	else if (content.data)
		content_put(parts, content);
}

static void thought_put(struct parts *parts, struct slice step)
{
	json_foreach_element(item, json_get(step, SLICE("summary")))
		if (json_get(item.value, SLICE("text")).data)
			parts_reasoning(parts, json_get(item.value, SLICE("text")));
}

/* true when the client is asked for something. */
static bool step_put(struct parts *parts, struct slice step)
{
	struct slice type = json_raw_text(json_get(step, SLICE("type")));

	if (slice_equal(type, SLICE("function_call"))) {
		parts_tool_call(parts, json_get(step, SLICE("id")), json_get(step, SLICE("name")),
				json_get(step, SLICE("arguments")));
		return true;
	}
	if (slice_equal(type, SLICE("function_result")))
		parts_tool_result(parts, json_get(step, SLICE("call_id")), json_get(step, SLICE("result")));
	else if (slice_equal(type, SLICE("thought")))
		thought_put(parts, step);
	else if (slice_equal(type, SLICE("model_output")) || slice_equal(type, SLICE("user_input")))
		contents_put(parts, json_get(step, SLICE("content")));
	else
		content_put(parts, step);
	return false;
}

static bool is_of_model(struct slice step)
{
	struct slice type = json_raw_text(json_get(step, SLICE("type")));

	return slice_equal(type, SLICE("model_output")) || slice_equal(type, SLICE("thought")) ||
	       slice_ends(type, SLICE("_call"));
}

/* ---- request ---- */

static void input_read(struct call *call, struct slice input)
{
	struct parts parts;

	if (!input.data)
		return;
	parts_init(&parts, call, input);
	if (json_type(input) == JSON_ARRAY && json_get(json_path(input, "#0", NULL), SLICE("content")).data) {
		json_foreach_element(step, input) {
			parts_message_open(&parts, is_of_model(step.value) ? SLICE("assistant") : SLICE("user"));
			step_put(&parts, step.value);
			parts_message_close(&parts, false, SLICE_NONE);
		}
	} else {
		parts_message_open(&parts, SLICE("user"));
		if (json_type(input) == JSON_ARRAY)
			json_foreach_element(item, input)
				step_put(&parts, item.value);
		else
			step_put(&parts, input);
		parts_message_close(&parts, false, SLICE_NONE);
	}
	call->input_messages = parts_finish(&parts);
}

static struct slice tools_of(struct call *call, struct slice tools)
{
	struct out out;

	if (json_type(tools) != JSON_ARRAY || !json_count(tools))
		return SLICE_NONE;
	out_init(&out, call->arena, tools.len + tools.len / 2 + 64);
	json_open(&out.buf, '[');
	json_foreach_element(tool, tools) {
		struct slice name = json_get(tool.value, SLICE("name"));

		if (!name.data)
			name = json_get(tool.value, SLICE("type"));
		if (json_type(name) != JSON_STRING)
			continue;
		tool_open(&out.buf, name, json_get(tool.value, SLICE("description")));
		json_member_raw(&out.buf, SLICE("parameters"), json_get(tool.value, SLICE("parameters")));
		tool_close(&out.buf);
	}
	json_close(&out.buf, ']');
	return out_slice(&out);
}

static void request(struct call *call, void *state)
{
	struct slice body = json_trim(call->request_body), system, agent;
	struct parts parts;

	call->operation = is_fetch(call->method, call->path) ? OPERATION_FETCH : OPERATION_GENERATE;
	if (!request_open(call, gemini_vendor(call)))
		return;
	agent = call_text(call, json_get(body, SLICE("agent")));
	if (agent.len) {
		call->operation = OPERATION_AGENT;
		call_put_text(call, "gen_ai.agent.name", agent);
	}
	system = json_get(body, SLICE("system_instruction"));
	if (json_type(system) == JSON_STRING) {
		parts_init(&parts, call, system);
		parts_text(&parts, system);
		call->system_instructions = parts_finish(&parts);
	}
	input_read(call, json_get(body, SLICE("input")));
	call->tools = tools_of(call, json_get(body, SLICE("tools")));
}

/* ---- answer ---- */

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("total_input_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("total_output_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("total_tokens"), offsetof(struct usage, total) },
	{ {}, SLICE("total_cached_tokens"), offsetof(struct usage, cache_read) },
	{ {}, SLICE("total_thought_tokens"), offsetof(struct usage, reasoning) },
};

static void usage_put(struct call *call, struct slice object)
{
	struct usage *usage = &call->usage;
	int64_t tokens;

	if (json_type(object) != JSON_OBJECT || call->operation == OPERATION_FETCH)
		return; /* the call that made it has counted its tokens */
	call->usage_raw = object;
	usage_read(usage, object, usage_rules, ARRAY_SIZE(usage_rules));
	if (json_int(json_get(object, SLICE("total_tool_use_tokens")), &tokens) == 0 && tokens > 0 &&
	    tokens <= INT32_MAX)
		usage->input = MAX(usage->input, 0) + tokens;
	if (usage->reasoning > 0)
		usage->output = MAX(usage->output, 0) + usage->reasoning;
}

/* A call of a tool that the service runs, and its result. */
static void server_step(struct call *call, struct slice object)
{
	static const struct slice call_end = SLICE("_call"), result_end = SLICE("_result");
	struct slice type = json_raw_text(json_get(object, SLICE("type")));
	struct slice id = call_text(call, json_get(object, SLICE("id")));
	struct slice of = call_text(call, json_get(object, SLICE("call_id")));
	struct call_step *step;

	if (slice_starts(type, SLICE("function_")) || call->operation == OPERATION_FETCH)
		return;
	if (slice_ends(type, call_end)) {
		step = gemini_step_add(call, slice_head(type, type.len - call_end.len),
				       json_get(object, SLICE("arguments")));
		if (step)
			step->id = id;
	} else if (slice_ends(type, result_end)) {
		for (step = call->steps; step; step = step->next)
			if (!step->outputs.len && (!of.len || slice_equal(step->id, of)))
				break;
		if (step)
			step->outputs = json_get(object, SLICE("result"));
	}
}

static void answer_read(struct call *call, struct slice answer)
{
	struct slice steps = json_get(answer, SLICE("steps"));
	struct slice status = call_text(call, json_get(answer, SLICE("status")));
	struct parts parts;
	bool has_calls = false;

	call->response_id = call_text(call, json_get(answer, SLICE("id")));
	call->response_model = call_text(call, json_get(answer, SLICE("model")));
	usage_put(call, json_get(answer, SLICE("usage")));
	finish_add(call, status);
	if (!json_count(steps))
		return;
	parts_init(&parts, call, steps);
	parts_message_open(&parts, SLICE("assistant"));
	json_foreach_element(step, steps) {
		if (!json_text_is(json_get(step.value, SLICE("type")), SLICE("user_input")))
			has_calls |= step_put(&parts, step.value);
		server_step(call, step.value);
	}
	parts_message_close(&parts, true, has_calls ? SLICE("tool_calls") : status);
	call->output_messages = parts_finish(&parts);
}

/* ---- stream ---- */

static struct interaction_step *step_of(struct call *call, struct interactions *all, struct slice event)
{
	int64_t index = 0;

	json_int(json_get(event, SLICE("index")), &index);
	return ITEM_GATHER(call, all, index, STEPS_MAX);
}

/* Which text a delta carries goes by the member that it has. */
static bool delta_add(struct call *call, struct interaction_step *step, struct slice delta)
{
	struct slice type = json_raw_text(json_get(delta, SLICE("type")));
	struct slice text = json_get(delta, SLICE("text"));
	bool is_thought = slice_starts(type, SLICE("thought"));

	if (slice_equal(type, SLICE("thought_signature"))) {
		call_lost(call, slice_hold(call->arena, &step->signature, json_get(delta, SLICE("signature"))));
		return false;
	}
	if (slice_equal(type, SLICE("arguments_delta")))
		return text_gather(call, &step->arguments, json_get(delta, SLICE("arguments")));
	if (is_thought && !text.data)
		text = json_path(delta, "content", "text", NULL);
	return text_gather(call, is_thought ? &step->thought : &step->text, text);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct interactions *all = state;
	struct slice type, object;
	struct interaction_step *step;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	type = json_raw_text(json_get(part->data, SLICE("event_type")));
	if (!type.len)
		type = part->type;
	if (slice_equal(type, SLICE("error"))) {
		error_read(call, part->data, true);
		return DIALECT_EVENT_QUIET;
	}
	object = json_get(part->data, SLICE("interaction"));
	if (json_type(object) == JSON_OBJECT) {
		call_lost(call, slice_hold(call->arena, &all->object, object));
		return slice_equal(type, SLICE("interaction.completed")) ? DIALECT_EVENT_LAST : DIALECT_EVENT_QUIET;
	}
	if (!slice_starts(type, SLICE("step.")))
		return DIALECT_EVENT_QUIET;
	step = step_of(call, all, part->data);
	if (!step)
		return DIALECT_EVENT_QUIET;
	call_lost(call, slice_hold(call->arena, &step->start, json_get(part->data, SLICE("step"))));
	object = json_get(part->data, SLICE("delta"));
	return object.data && delta_add(call, step, object) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void text_list_put(struct buf *out, struct slice name, const struct pieces *pieces)
{
	json_put_name(out, name);
	json_open(out, '[');
	json_open(out, '{');
	json_member_text(out, SLICE("type"), SLICE("text"));
	pieces_member_text(out, SLICE("text"), pieces);
	json_close(out, '}');
	json_close(out, ']');
}

static void grown_step_put(struct buf *out, const struct interaction_step *step)
{
	json_open(out, '{');
	if (json_type(step->start) == JSON_OBJECT)
		json_foreach_member(member, step->start) {
			if ((step->text.len && slice_equal(member.name, SLICE("content"))) ||
			    (step->arguments.len && slice_equal(member.name, SLICE("arguments"))) ||
			    (step->thought.len && slice_equal(member.name, SLICE("summary"))) ||
			    (step->signature.len && slice_equal(member.name, SLICE("signature"))))
				continue;
			json_put_raw_name(out, member.name);
			buf_put(out, member.value);
		}
	if (step->text.len)
		text_list_put(out, SLICE("content"), &step->text);
	if (step->arguments.len)
		pieces_member_text(out, SLICE("arguments"), &step->arguments);
	if (step->thought.len)
		text_list_put(out, SLICE("summary"), &step->thought);
	json_member_raw(out, SLICE("signature"), step->signature);
	json_close(out, '}');
}

static struct slice object_of(struct call *call, const struct interactions *all)
{
	bool has_steps = json_count(json_get(all->object, SLICE("steps")));
	size_t guess = all->object.len + 256;
	struct out out;

	for (const struct interaction_step *step = all->first; step; step = step->next)
		guess += step->start.len + step->text.len + step->arguments.len + step->thought.len +
			 step->signature.len + 128;
	out_init(&out, call->arena, guess);
	json_open(&out.buf, '{');
	json_foreach_member(member, all->object) {
		if (!has_steps && slice_equal(member.name, SLICE("steps")))
			continue;
		json_put_raw_name(&out.buf, member.name);
		buf_put(&out.buf, member.value);
	}
	if (!has_steps && all->first) {
		json_put_name(&out.buf, SLICE("steps"));
		json_open(&out.buf, '[');
		for (const struct interaction_step *step = all->first; step; step = step->next)
			grown_step_put(&out.buf, step);
		json_close(&out.buf, ']');
	}
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct interactions *all = state;

	if (call->operation == OPERATION_UNKNOWN) {
		call->operation = OPERATION_GENERATE;
		call->vendor = slice_of(gemini_vendor(call));
	}
	if (all->object.data || all->first) {
		call->outputs = object_of(call, all);
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return call->operation == OPERATION_FETCH ? SLICE("Interactions.get") : SLICE("Interactions.create");
}

DIALECT(gemini_interactions, {
				     .name = "gemini.interactions",
				     .order = 41,
				     .state_size = sizeof(struct interactions),
				     .recognise = recognise,
				     .request = request,
				     .event = event,
				     .response = response,
				     .finish = finish,
				     .span_name = span_name,
			     });
