/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.assistants: runs of an assistant over a thread, which is the conversation. A stream tells the run, its steps and
 * its messages, each as an object of its own that comes again and again until it is completed:
 *
 *	thread.run.*          the run; the newest counts           ┐
 *	thread.message.delta  pieces of text, in case of a cut     │ outputs: the run with its "messages"
 *	thread.message.*      the message, when it is completed    ┘
 *	thread.run.step.*     what the assistant did on its side
 *
 * A run that is not streamed is asked for until it is done; of that only the first answer is a call.
 */
#include "dialect/openai.h"
#include "dialect/tools.h"

static bool is_run(struct slice body)
{
	return slice_starts(json_raw_text(json_get(body, SLICE("object"))), SLICE("thread.run")) &&
	       json_get(body, SLICE("assistant_id")).data;
}

/* Others have threads and runs too: the header or the answer must say whose they are. */
static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice beta = call_header(hint->headers, hint->header_count, SLICE("openai-beta"));

	if (!hint_is_post(hint))
		return 0;
	if (hint->path.len && !path_ends(hint->path, SLICE("/runs")) &&
	    !path_ends(hint->path, SLICE("/submit_tool_outputs")))
		return 0;
	if (slice_contains(beta, SLICE("assistants=")) && slice_contains(hint->path, SLICE("/threads/")))
		return SCORE_SURE;
	return is_run(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

struct assistant {
	struct slice run;       /* the newest */
	struct pieces messages; /* objects, with commas between */
	struct pieces text;     /* of a message that is not completed; inside of a JSON string */
	uint64_t step_ns;       /* when the newest step began */
};

/* ---- request ---- */

enum { ASK_INSTRUCTIONS, ASK_THREAD, ASK_MORE, ASK_TOOLS, ASK_OUTPUTS, ASK_ASSISTANT, ASK_FORMAT, _ASK_MAX };
static const struct slice ask_names[_ASK_MAX] = {
	[ASK_INSTRUCTIONS] = SLICE("instructions"), [ASK_THREAD] = SLICE("thread"),
	[ASK_MORE] = SLICE("additional_messages"),  [ASK_TOOLS] = SLICE("tools"),
	[ASK_OUTPUTS] = SLICE("tool_outputs"),      [ASK_ASSISTANT] = SLICE("assistant_id"),
	[ASK_FORMAT] = SLICE("response_format"),
};

static void messages_put(struct parts *parts, struct slice messages)
{
	if (json_type(messages) == JSON_ARRAY)
		json_foreach_element(message, messages)
			openai_message(parts, message.value, false, SLICE_NONE);
}

static void request_messages(struct call *call, const struct slice *ask)
{
	struct parts parts;

	if (ask[ASK_INSTRUCTIONS].data) {
		parts_init(&parts, call, ask[ASK_INSTRUCTIONS]);
		openai_content(&parts, ask[ASK_INSTRUCTIONS]);
		call->system_instructions = parts_finish(&parts);
	}
	parts_init(&parts, call, call->inputs);
	messages_put(&parts, json_get(ask[ASK_THREAD], SLICE("messages")));
	messages_put(&parts, ask[ASK_MORE]);
	if (json_type(ask[ASK_OUTPUTS]) == JSON_ARRAY)
		json_foreach_element(result, ask[ASK_OUTPUTS]) {
			parts_message_open(&parts, SLICE("tool"));
			parts_tool_result(&parts, json_get(result.value, SLICE("tool_call_id")),
					  json_get(result.value, SLICE("output")));
			parts_message_close(&parts, false, SLICE_NONE);
		}
	call->input_messages = parts_finish(&parts);
}

static void request(struct call *call, void *state)
{
	struct slice ask[_ASK_MAX] = { 0 }, thread = path_part(call->path, SLICE("/threads/"));

	call->operation = OPERATION_AGENT;
	if (request_open(call, "openai")) {
		PICK(call->inputs, ask_names, ask);
		request_messages(call, ask);
		call->tools = tools_from_chat(call, ask[ASK_TOOLS], SLICE_NONE);
		call->output_type = openai_output_type(ask[ASK_FORMAT], SLICE_NONE);
	}
	/* A thread that is made by this call has no id yet. */
	if (!call->session_id.len && slice_starts(thread, SLICE("thread_")))
		call->session_id = thread;
}

/* ---- the stream ---- */

/* Tools that run on the provider's side; what they got and gave. */
static const struct tool_step {
	struct slice type, inputs, outputs;
	enum call_operation operation;
} tool_steps[] = {
	{ SLICE("code_interpreter"), SLICE("input"), SLICE("outputs"), OPERATION_TOOL },
	{ SLICE("file_search"), {}, SLICE("results"), OPERATION_RETRIEVAL },
};

static void tool_step_add(struct call *call, struct slice tool, uint64_t start_ns, uint64_t end_ns)
{
	struct slice type = json_raw_text(json_get(tool, SLICE("type")));
	struct call_step *step;

	for (size_t i = 0; i < ARRAY_SIZE(tool_steps); i++) {
		struct slice inner = json_get(tool, tool_steps[i].type);

		if (!slice_equal(type, tool_steps[i].type))
			continue;
		step = call_add_step(call);
		if (!step)
			return call_lost(call, false);
		step->operation = tool_steps[i].operation;
		step->name = tool_steps[i].type;
		step->id = call_copy(call, json_get(tool, SLICE("id")));
		step->inputs = arena_dup(call->arena, json_get(inner, tool_steps[i].inputs));
		step->outputs = arena_dup(call->arena, json_get(inner, tool_steps[i].outputs));
		step->start_ns = start_ns;
		step->end_ns = end_ns;
	}
}

static void step_completed(struct call *call, const struct assistant *assistant, const struct message_part *part)
{
	struct slice tools = json_path(part->data, "step_details", "tool_calls", NULL);

	if (json_type(tools) == JSON_ARRAY)
		json_foreach_element(tool, tools)
			tool_step_add(call, tool.value, assistant->step_ns, part->time_ns);
}

static void message_completed(struct call *call, struct assistant *assistant, struct slice message)
{
	elements_gather(call, &assistant->messages, json_trim(message));
	assistant->text = (struct pieces){ 0 };
}

static bool message_grows(struct call *call, struct assistant *assistant, struct slice event)
{
	struct slice content = json_path(event, "delta", "content", NULL);
	size_t before = assistant->text.len;

	if (json_type(content) == JSON_ARRAY)
		json_foreach_element(block, content)
			text_gather(call, &assistant->text, json_path(block.value, "text", "value", NULL));
	return assistant->text.len > before;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct assistant *assistant = state;
	struct slice object, status;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	object = json_raw_text(json_get(part->data, SLICE("object")));
	status = json_raw_text(json_get(part->data, SLICE("status")));
	if (slice_equal(object, SLICE("thread.message.delta")))
		return message_grows(call, assistant, part->data) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
	if (slice_equal(object, SLICE("thread.run")))
		call_lost(call, slice_hold(call->arena, &assistant->run, part->data));
	else if (slice_equal(object, SLICE("thread.message")) && !slice_equal(status, SLICE("in_progress")))
		message_completed(call, assistant, part->data);
	else if (slice_equal(object, SLICE("thread.run.step")) && slice_equal(status, SLICE("completed")))
		step_completed(call, assistant, part);
	else if (slice_equal(object, SLICE("thread.run.step")))
		assistant->step_ns = part->time_ns;
	else if ((slice_equal(part->type, SLICE("error")) || json_get(part->data, SLICE("error")).data) &&
		 !call->has_error)
		error_read(call, part->data, true);
	return DIALECT_EVENT_QUIET;
}

/* ---- answer ---- */

static void message_put(struct parts *parts, struct slice message, struct slice reason)
{
	struct slice content = json_get(message, SLICE("content"));

	parts_message_open(parts, json_raw_text(json_get(message, SLICE("role"))));
	if (json_type(content) == JSON_ARRAY)
		json_foreach_element(block, content) {
			struct slice text = json_path(block.value, "text", "value", NULL);

			if (text.data)
				parts_text(parts, text);
			else
				parts_other(parts, block.value);
		}
	parts_message_close(parts, true, reason);
}

static void tools_put(struct parts *parts, struct slice tool_calls)
{
	parts_message_open(parts, SLICE("assistant"));
	json_foreach_element(tool, tool_calls) {
		struct slice function = json_get(tool.value, SLICE("function"));

		parts_tool_call(parts, json_get(tool.value, SLICE("id")), json_get(function, SLICE("name")),
				json_get(function, SLICE("arguments")));
	}
	parts_message_close(parts, true, SLICE("tool_calls"));
}

static void said_put(struct call *call, struct slice answer, struct slice reason)
{
	struct slice tool_calls = json_path(answer, "required_action", "submit_tool_outputs", "tool_calls", NULL);
	struct slice messages = json_get(answer, SLICE("messages"));
	struct parts parts;

	parts_init(&parts, call, answer);
	if (json_type(messages) == JSON_ARRAY)
		json_foreach_element(message, messages)
			message_put(&parts, message.value, reason);
	if (json_type(tool_calls) == JSON_ARRAY)
		tools_put(&parts, tool_calls);
	call->output_messages = parts_finish(&parts);
}

static void answer_read(struct call *call, struct slice answer)
{
	struct slice reason = call_text(call, json_path(answer, "incomplete_details", "reason", NULL));
	struct slice failure = json_get(answer, SLICE("last_error"));
	struct slice thread = call_text(call, json_get(answer, SLICE("thread_id")));

	openai_answer_head(call, answer);
	openai_usage_read(call, json_get(answer, SLICE("usage")));
	if (!reason.len)
		reason = call_text(call, json_get(answer, SLICE("status")));
	finish_add(call, reason);
	if (thread.len)
		call->session_id = thread;
	call_put_text(call, "gen_ai.agent.id", call_text(call, json_get(answer, SLICE("assistant_id"))));
	if (json_type(failure) == JSON_OBJECT && !call->has_error)
		error_read(call, failure, true);
	said_put(call, answer, reason);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer);
}

/* The run with its messages; the last of them may be cut. */
static struct slice object_of(struct call *call, const struct assistant *assistant)
{
	struct out out;

	out_init(&out, call->arena, assistant->run.len + assistant->messages.len + assistant->text.len + 128);
	json_open(&out.buf, '{');
	json_foreach_member(member, assistant->run) {
		json_put_raw_name(&out.buf, member.name);
		json_put_raw(&out.buf, member.value);
	}
	json_put_name(&out.buf, SLICE("messages"));
	json_open(&out.buf, '[');
	pieces_put(&assistant->messages, &out.buf);
	if (assistant->text.len) {
		json_put_raw(&out.buf,
			     SLICE("{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":{\"value\":"));
		buf_put(&out.buf, pieces_quoted(call->arena, &assistant->text));
		buf_put(&out.buf, SLICE("}}]}"));
	}
	json_close(&out.buf, ']');
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static void finish(struct call *call, void *state)
{
	struct assistant *assistant = state;

	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
	if (assistant->run.data || assistant->messages.len || assistant->text.len) {
		call->outputs = object_of(call, assistant);
		if (json_check(call->outputs, JSON_DEPTH_MAX) != 0)
			call->outputs = SLICE_NONE; /* a piece was lost */
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return path_ends(call->path, SLICE("/submit_tool_outputs")) ? SPAN_NAME(call, "Runs.submit_tool_outputs")
								    : SPAN_NAME(call, "Runs");
}

DIALECT(openai_assistants, {
				   .name = "openai.assistants",
				   .order = 20,
				   .state_size = sizeof(struct assistant),
				   .recognise = recognise,
				   .request = request,
				   .event = event,
				   .response = response,
				   .finish = finish,
				   .span_name = span_name,
			   });
