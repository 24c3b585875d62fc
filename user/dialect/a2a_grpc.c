/* SPDX-License-Identifier: Apache-2.0 */
/*
 * a2a.grpc: one agent asks another over gRPC. An answer is a message or a task, a stream tells what happens to the task; of
 * a stream all is shown, in the order it came. Credentials for notifications are hidden.
 */
#include "dialect/gather.h"
#include "dialect/grpc.h"
#include "dialect/parts.h"

/* ---- tables ---- */

static const struct pb_name role_names[] = { { 1, "ROLE_USER" }, { 2, "ROLE_AGENT" } };
static const struct pb_enum role = PB_NAMES(role_names);
static const struct pb_name state_names[] = {
	{ 1, "TASK_STATE_SUBMITTED" }, { 2, "TASK_STATE_WORKING" },       { 3, "TASK_STATE_COMPLETED" },
	{ 4, "TASK_STATE_FAILED" },    { 5, "TASK_STATE_CANCELED" },      { 6, "TASK_STATE_INPUT_REQUIRED" },
	{ 7, "TASK_STATE_REJECTED" },  { 8, "TASK_STATE_AUTH_REQUIRED" },
};
static const struct pb_enum task_state = PB_NAMES(state_names);
static const struct pb_field part_fields[] = {
	PB_FIELD(1, "text", PB_STRING),
	PB_FIELD(2, "raw", PB_BYTES),
	PB_FIELD(3, "url", PB_STRING),
	PB_FIELD(4, "data", PB_MESSAGE, .message = &pb_value),
	PB_FIELD(5, "metadata", PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(6, "filename", PB_STRING),
	PB_FIELD(7, "mediaType", PB_STRING),
};
static const struct pb_message part_table = PB_TABLE(part_fields);
static const struct pb_field message_fields[] = {
	PB_FIELD(1, "messageId", PB_STRING),
	PB_FIELD(2, "contextId", PB_STRING),
	PB_FIELD(3, "taskId", PB_STRING),
	PB_FIELD(4, "role", PB_ENUM, .names = &role),
	PB_LIST(5, "parts", PB_MESSAGE, .message = &part_table),
	PB_FIELD(6, "metadata", PB_MESSAGE, .message = &pb_struct),
	PB_LIST(7, "extensions", PB_STRING),
	PB_LIST(8, "referenceTaskIds", PB_STRING),
};
static const struct pb_message message = PB_TABLE(message_fields);
static const struct pb_field config_fields[] = {
	PB_LIST(1, "acceptedOutputModes", PB_STRING),
	PB_FIELD(2, NULL, PB_HIDDEN),
	PB_FIELD(3, "historyLength", PB_INT32),
	PB_FIELD(4, "returnImmediately", PB_BOOL),
};
static const struct pb_message config = PB_TABLE(config_fields);
static const struct pb_field send_fields[] = {
	PB_FIELD(1, "tenant", PB_STRING),
	PB_FIELD(2, "message", PB_MESSAGE, .message = &message),
	PB_FIELD(3, "configuration", PB_MESSAGE, .message = &config),
	PB_FIELD(4, "metadata", PB_MESSAGE, .message = &pb_struct),
};
static const struct pb_message send_request = PB_TABLE(send_fields);
static const struct pb_field status_fields[] = {
	PB_FIELD(1, "state", PB_ENUM, .names = &task_state),
	PB_FIELD(2, "message", PB_MESSAGE, .message = &message),
	PB_FIELD(3, "timestamp", PB_TIMESTAMP),
};
static const struct pb_message status = PB_TABLE(status_fields);
static const struct pb_field artifact_fields[] = {
	PB_FIELD(1, "artifactId", PB_STRING),
	PB_FIELD(2, "name", PB_STRING),
	PB_FIELD(3, "description", PB_STRING),
	PB_LIST(4, "parts", PB_MESSAGE, .message = &part_table),
	PB_FIELD(5, "metadata", PB_MESSAGE, .message = &pb_struct),
	PB_LIST(6, "extensions", PB_STRING),
};
static const struct pb_message artifact = PB_TABLE(artifact_fields);
static const struct pb_field task_fields[] = {
	PB_FIELD(1, "id", PB_STRING),
	PB_FIELD(2, "contextId", PB_STRING),
	PB_FIELD(3, "status", PB_MESSAGE, .message = &status),
	PB_LIST(4, "artifacts", PB_MESSAGE, .message = &artifact),
	PB_LIST(5, "history", PB_MESSAGE, .message = &message),
	PB_FIELD(6, "metadata", PB_MESSAGE, .message = &pb_struct),
};
static const struct pb_message task = PB_TABLE(task_fields);
static const struct pb_field status_update_fields[] = {
	PB_FIELD(1, "taskId", PB_STRING),
	PB_FIELD(2, "contextId", PB_STRING),
	PB_FIELD(3, "status", PB_MESSAGE, .message = &status),
	PB_FIELD(4, "metadata", PB_MESSAGE, .message = &pb_struct),
};
static const struct pb_message status_update = PB_TABLE(status_update_fields);
static const struct pb_field artifact_update_fields[] = {
	PB_FIELD(1, "taskId", PB_STRING),
	PB_FIELD(2, "contextId", PB_STRING),
	PB_FIELD(3, "artifact", PB_MESSAGE, .message = &artifact),
	PB_FIELD(4, "append", PB_BOOL),
	PB_FIELD(5, "lastChunk", PB_BOOL),
	PB_FIELD(6, "metadata", PB_MESSAGE, .message = &pb_struct),
};
static const struct pb_message artifact_update = PB_TABLE(artifact_update_fields);
/* A whole answer is a stream of one: its fields have the same numbers. */
static const struct pb_field answer_fields[] = {
	PB_FIELD(1, "task", PB_MESSAGE, .message = &task),
	PB_FIELD(2, "message", PB_MESSAGE, .message = &message),
	PB_FIELD(3, "statusUpdate", PB_MESSAGE, .message = &status_update),
	PB_FIELD(4, "artifactUpdate", PB_MESSAGE, .message = &artifact_update),
};
static const struct pb_message answer_table = PB_TABLE(answer_fields);

static const struct grpc_method methods[] = {
	{ SLICE("/lf.a2a.v1.A2AService/SendMessage"), &send_request, &answer_table, OPERATION_AGENT },
	{ SLICE("/lf.a2a.v1.A2AService/SendStreamingMessage"), &send_request, &answer_table, OPERATION_AGENT },
};

static unsigned recognise(const struct dialect_hint *hint)
{
	return grpc_score(methods, ARRAY_SIZE(methods), hint);
}

/* ---- the call ---- */

struct a2a {
	struct pieces events; /* inside of an array */
	struct pieces said;   /* the agent's words, inside of a JSON string */
	struct pieces words;  /* those that go with the last state: they count where it says nothing else */
	struct slice task_id, task_state;
};

static bool is_streamed(const struct call *call)
{
	return path_ends(call->path, SLICE("/SendStreamingMessage"));
}

static void request(struct call *call, void *state)
{
	struct slice asked;
	struct parts parts;

	call->operation = OPERATION_AGENT;
	call_put_text(call, "a2a.method.name",
		      is_streamed(call) ? SLICE("SendStreamingMessage") : SLICE("SendMessage"));
	if (!grpc_request_open(call, &send_request, ""))
		return;
	asked = json_get(call->request_body, SLICE("message"));
	call_put_text(call, "a2a.message.id", call_text(call, json_get(asked, SLICE("messageId"))));
	call->session_id = call_text(call, json_get(asked, SLICE("contextId")));
	parts_init(&parts, call, asked);
	parts_message_open(&parts, SLICE("user"));
	json_foreach_element(item, json_get(asked, SLICE("parts")))
		if (json_get(item.value, SLICE("text")).data)
			parts_text(&parts, json_get(item.value, SLICE("text")));
	parts_message_close(&parts, false, SLICE_NONE);
	call->input_messages = parts_finish(&parts);
}

static bool words_add(struct call *call, struct pieces *into, struct slice holder)
{
	bool has_words = false;

	json_foreach_element(item, json_get(holder, SLICE("parts")))
		has_words |= text_gather(call, into, json_get(item.value, SLICE("text")));
	return has_words;
}

static void task_note(struct call *call, struct a2a *a2a, struct slice holder, struct slice id)
{
	struct slice now = json_path(holder, "status", "state", NULL);

	if (!a2a->task_id.data)
		a2a->task_id = call_copy(call, id);
	if (now.data)
		a2a->task_state = call_copy(call, now);
	if (!call->session_id.len)
		call->session_id = call_copy(call, json_get(holder, SLICE("contextId")));
	if (!json_path(holder, "status", "message", "parts", NULL).data)
		return;
	a2a->words = (struct pieces){ 0 };
	words_add(call, &a2a->words, json_path(holder, "status", "message", NULL));
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct a2a *a2a = state;
	struct slice json = grpc_json(call, &answer_table, part->data);
	struct slice whole = json_get(json, SLICE("task")), update = json_get(json, SLICE("statusUpdate"));
	struct slice piece = json_get(json, SLICE("artifactUpdate"));
	bool has_words;

	elements_gather(call, &a2a->events, json.len ? json : SLICE("{}"));
	task_note(call, a2a, whole, json_get(whole, SLICE("id")));
	task_note(call, a2a, update, json_get(update, SLICE("taskId")));
	task_note(call, a2a, piece, json_get(piece, SLICE("taskId")));
	has_words = words_add(call, &a2a->said, json_get(json, SLICE("message")));
	has_words |= words_add(call, &a2a->said, json_get(piece, SLICE("artifact")));
	json_foreach_element(item, json_get(whole, SLICE("artifacts")))
		has_words |= words_add(call, &a2a->said, item.value);
	return has_words ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void said_put(struct call *call, const struct a2a *a2a)
{
	const struct pieces *words = a2a->said.len ? &a2a->said : &a2a->words;
	struct slice text = pieces_quoted(call->arena, words);

	if (!words->len || !text.data)
		return;
	call->output_messages = text_message(call, SLICE("assistant"), text);
}

static void finish(struct call *call, void *state)
{
	struct a2a *a2a = state;
	struct out out;

	call->operation = OPERATION_AGENT;
	grpc_status_read(call);
	call_put_text(call, "a2a.task.id", a2a->task_id);
	call_put_text(call, "a2a.task.state", a2a->task_state);
	if (!a2a->events.len)
		return;
	call->is_stream |= is_streamed(call);
	out_init(&out, call->arena, a2a->events.len + 2);
	if (call->is_stream)
		buf_put_char(&out.buf, '[');
	pieces_put(&a2a->events, &out.buf);
	/* The event behind the last comma found no room. */
	if (out.buf.len && out.buf.data[out.buf.len - 1] == ',')
		out.buf.len--;
	if (call->is_stream)
		buf_put_char(&out.buf, ']');
	call->outputs = out_slice(&out);
	call_lost(call, call->outputs.data);
	said_put(call, a2a);
}

static struct slice span_name(const struct call *call)
{
	return is_streamed(call) ? SLICE("SendStreamingMessage") : SLICE("SendMessage");
}

DIALECT(a2a_grpc, {
			  .name = "a2a.grpc",
			  .order = 84,
			  .state_size = sizeof(struct a2a),
			  .recognise = recognise,
			  .request = request,
			  .event = event,
			  .response = no_step,
			  .finish = finish,
			  .span_name = span_name,
		  });
