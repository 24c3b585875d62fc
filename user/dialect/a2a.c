/* SPDX-License-Identifier: Apache-2.0 */
/*
 * a2a: an agent asks another. The same calls come as JSON-RPC, in the words of 1.0 and of 0.3, and as HTTP and JSON under
 * paths. A streamed answer is a row of tasks, messages, changes of state and pieces of artifacts: all are kept, as an array,
 * and the last state is the call's.
 */
#include "dialect/gather.h"
#include "dialect/jsonrpc.h"
#include "dialect/parts.h"

struct a2a_method {
	struct slice rpc, old_rpc; /* names in 1.0 and in 0.3 */
	struct slice path;         /* end of the path, HTTP and JSON */
	struct slice needs;        /* member of params, or of the body */
	enum call_operation operation;
};

static const struct a2a_method methods[] = {
	{ SLICE("SendMessage"), SLICE("message/send"), SLICE("/message:send"), SLICE("message"), OPERATION_AGENT },
	{ SLICE("SendStreamingMessage"), SLICE("message/stream"), SLICE("/message:stream"), SLICE("message"),
	  OPERATION_AGENT },
	{ SLICE("GetTask"), SLICE("tasks/get"), SLICE_NONE, SLICE("id"), OPERATION_AGENT },
	{ SLICE("CancelTask"), SLICE("tasks/cancel"), SLICE(":cancel"), SLICE("id"), OPERATION_AGENT },
	{ SLICE("SubscribeToTask"), SLICE("tasks/resubscribe"), SLICE(":subscribe"), SLICE("id"), OPERATION_AGENT },
	{ SLICE("ListTasks"), SLICE("tasks/list"), SLICE_NONE, SLICE_NONE, OPERATION_AGENT },
};

struct a2a {
	const struct a2a_method *method;
	struct slice id;       /* of the JSON-RPC request */
	struct pieces results; /* of a stream, commas between */
	struct slice answer;   /* of one answer: the result */
	struct slice state, task_id, context_id;
	bool is_rpc;
};

static bool is_marked(const struct name_value *headers, size_t count, struct slice path, struct slice content_type)
{
	return call_header(headers, count, SLICE("a2a-version")).len ||
	       call_header(headers, count, SLICE("a2a-extensions")).len ||
	       slice_starts_nocase(content_type, SLICE("application/a2a+json")) || slice_contains(path, SLICE("a2a"));
}

/* A message of A2A says whose it is, in parts. */
static bool is_message(struct slice message)
{
	return json_get(message, SLICE("parts")).data && json_get(message, SLICE("role")).data;
}

static const struct a2a_method *rpc_method(const struct rpc *rpc, bool marked)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods) && rpc->is_rpc && rpc->id.len; i++) {
		const struct a2a_method *method = &methods[i];
		struct slice needed = method->needs.len ? json_get(rpc->params, method->needs) : SLICE_NONE;

		if (!slice_equal(rpc->method, method->rpc) && !slice_equal(rpc->method, method->old_rpc))
			continue;
		if (json_get(rpc->params, SLICE("taskId")).data)
			return NULL; /* tasks of MCP */
		if (slice_equal(method->needs, SLICE("message")))
			return is_message(needed) ? method : NULL;
		return marked || needed.data ? method : NULL;
	}
	return NULL;
}

static const struct a2a_method *path_method(struct slice path, struct slice body, bool marked)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (!methods[i].path.len || !path_ends(path, methods[i].path))
			continue;
		if (slice_equal(methods[i].needs, SLICE("message")))
			return is_message(json_get(body, SLICE("message"))) ? &methods[i] : NULL;
		return marked ? &methods[i] : NULL;
	}
	return NULL;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);
	struct slice type = call_header(hint->headers, hint->header_count, SLICE("content-type"));
	bool marked = is_marked(hint->headers, hint->header_count, hint->path, type);
	struct rpc rpc = rpc_read(body, hint->request_is_whole);

	if (!slice_equal(hint->method, SLICE("POST")))
		return 0;
	if (rpc_method(&rpc, marked))
		return SCORE_SURE;
	return !rpc.is_rpc && path_method(hint->path, body, marked) ? SCORE_SURE : 0;
}

/* ---- request ---- */

static void parts_put(struct parts *parts, struct slice list)
{
	if (json_type(list) != JSON_ARRAY)
		return;
	json_foreach_element(part, list) {
		struct slice text = json_get(part.value, SLICE("text"));

		if (json_type(text) == JSON_STRING)
			parts_text(parts, text);
		else if (json_get(part.value, SLICE("kind")).data || json_get(part.value, SLICE("type")).data)
			parts_other(parts, part.value);
	}
}

static struct slice message_parts(struct call *call, struct slice message, struct slice role)
{
	struct parts parts;

	parts_init(&parts, call, message);
	parts_message_open(&parts, role);
	parts_put(&parts, json_get(message, SLICE("parts")));
	parts_message_close(&parts, false, SLICE_NONE);
	return parts_finish(&parts);
}

static void request(struct call *call, void *state)
{
	struct slice body = json_trim(call->request_body), params, message;
	struct a2a *a2a = state;
	struct rpc rpc = { 0 };

	call->operation = OPERATION_AGENT;
	call->inputs = body;
	if (json_check(body, JSON_DEPTH_MAX) < 0)
		return;
	rpc = rpc_read(body, true);
	a2a->is_rpc = rpc.is_rpc;
	a2a->id = rpc.id;
	a2a->method = rpc.is_rpc ? rpc_method(&rpc, true) : path_method(call->path, body, true);
	params = rpc.is_rpc ? rpc.params : body;
	message = json_get(params, SLICE("message"));
	if (params.len)
		call->inputs = params;
	if (a2a->method)
		call_put_text(call, "a2a.method.name", rpc.is_rpc ? rpc.method : a2a->method->rpc);
	call_put_text(call, "jsonrpc.request.id", call_copy(call, rpc.id));
	call_put_text(call, "a2a.message.id", call_text(call, json_get(message, SLICE("messageId"))));
	call_put_text(call, "a2a.protocol.version",
		      call_header(call->request_headers, call->request_header_count, SLICE("a2a-version")));
	a2a->task_id = call_text(
		call, json_get(message.data ? message : params, message.data ? SLICE("taskId") : SLICE("id")));
	a2a->context_id = call_text(call, json_get(message, SLICE("contextId")));
	if (is_message(message))
		call->input_messages = message_parts(call, message, SLICE("user"));
}

/* ---- answer ---- */

/* What a result wraps: 1.0 puts it under its kind's name. */
static struct slice unwrap(struct slice result)
{
	static const struct slice kinds[] = { SLICE("task"), SLICE("message"), SLICE("statusUpdate"),
					      SLICE("artifactUpdate") };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct slice inner = json_get(result, kinds[i]);

		if (json_type(inner) == JSON_OBJECT)
			return inner;
	}
	return result;
}

static void keep(struct call *call, struct slice *kept, struct slice value)
{
	struct slice text = call_copy(call, value);

	if (text.len)
		*kept = text;
}

/* true when the agent has said something. */
static bool result_take(struct call *call, struct a2a *a2a, struct slice result)
{
	struct slice inner = unwrap(result);
	struct slice status = json_get(inner, SLICE("status"));

	keep(call, &a2a->state, json_get(status, SLICE("state")));
	keep(call, &a2a->context_id, json_get(inner, SLICE("contextId")));
	keep(call, &a2a->task_id, json_get(inner, SLICE("taskId")));
	if (status.data && !json_get(inner, SLICE("taskId")).data)
		keep(call, &a2a->task_id, json_get(inner, SLICE("id")));
	return json_get(inner, SLICE("artifact")).data || json_get(inner, SLICE("artifacts")).data ||
	       json_get(inner, SLICE("parts")).data;
}

static struct slice result_of(struct call *call, struct a2a *a2a, struct slice body, bool in_band)
{
	struct rpc rpc = rpc_read(body, true);

	if (!a2a->is_rpc && !rpc.is_rpc)
		return body;
	if (!rpc_is_answer(&rpc) || (a2a->id.len && rpc.id.len && !slice_equal(a2a->id, rpc.id)))
		return SLICE_NONE;
	if (rpc.error.data) {
		rpc_error_read(call, rpc.error, in_band);
		rpc_error_put(call, rpc.error);
		return SLICE_NONE;
	}
	return rpc.result;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct a2a *a2a = state;
	struct slice result;

	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	result = result_of(call, a2a, json_trim(part->data), true);
	if (!result.data)
		return DIALECT_EVENT_QUIET;
	elements_gather(call, &a2a->results, result);
	return result_take(call, a2a, result) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void response(struct call *call, void *state)
{
	struct slice body = json_trim(call->response_body);
	struct a2a *a2a = state;

	if (json_check(body, JSON_DEPTH_MAX) < 0 || (call->status >= 400 && !rpc_read(body, true).is_rpc)) {
		struct slice answer;

		answer_open(call, &answer);
		return;
	}
	a2a->answer = result_of(call, a2a, body, call->status < 400);
	call->outputs = a2a->answer;
	result_take(call, a2a, a2a->answer);
}

static void outputs_put(struct call *call, const struct a2a *a2a)
{
	if (!a2a->results.len)
		return;
	call->outputs = pieces_listed(call->arena, &a2a->results);
	call_lost(call, call->outputs.data);
}

static void said_put(struct parts *parts, struct slice inner)
{
	if (is_message(inner))
		parts_put(parts, json_get(inner, SLICE("parts")));
	json_foreach_element(artifact, json_get(inner, SLICE("artifacts")))
		parts_put(parts, json_get(artifact.value, SLICE("parts")));
	parts_put(parts, json_path(inner, "artifact", "parts", NULL));
}

/* What the agent said: its messages and artifacts; without any, the words that go with the last state. */
static void messages_put(struct call *call, struct slice results)
{
	struct slice words = SLICE_NONE;
	struct parts parts;
	size_t start;

	parts_init(&parts, call, results);
	parts_message_open(&parts, SLICE("assistant"));
	start = parts.out.buf.len;
	if (json_type(results) != JSON_ARRAY)
		said_put(&parts, unwrap(results));
	json_foreach_element(result, results) {
		struct slice inner = unwrap(result.value), now = json_path(inner, "status", "message", NULL);

		said_put(&parts, inner);
		words = is_message(now) ? now : words;
	}
	if (json_type(results) != JSON_ARRAY)
		words = json_path(unwrap(results), "status", "message", NULL);
	if (parts.out.buf.len == start)
		parts_put(&parts, json_get(words, SLICE("parts")));
	if (parts.out.buf.len == start)
		return;
	parts_message_close(&parts, false, SLICE_NONE);
	call->output_messages = parts_finish(&parts);
}

/* States in which the other agent did not do what it was asked. */
static bool is_failure(struct slice state)
{
	return slice_equal(state, SLICE("failed")) || slice_equal(state, SLICE("rejected")) ||
	       slice_equal(state, SLICE("TASK_STATE_FAILED")) || slice_equal(state, SLICE("TASK_STATE_REJECTED"));
}

static void finish(struct call *call, void *state)
{
	struct a2a *a2a = state;

	call->operation = a2a->method ? a2a->method->operation : OPERATION_AGENT;
	outputs_put(call, a2a);
	if (!call->has_error)
		messages_put(call, call->outputs);
	chat_messages_put(call);
	call_put_text(call, "a2a.task.id", a2a->task_id);
	call_put_text(call, "a2a.task.state", a2a->state);
	if (a2a->context_id.len)
		call->session_id = a2a->context_id;
	if (a2a->state.len)
		finish_add(call, a2a->state);
	if (!is_failure(a2a->state) || call->has_error)
		return;
	call->has_error = true;
	call->error.in_band = true;
	call->error.type = a2a->state;
	call->error.raw = call->outputs;
}

static struct slice span_name(const struct call *call)
{
	for (const struct attribute *at = call->attributes; at; at = at->next)
		if (slice_equal(at->name, SLICE("a2a.method.name")))
			return at->value.text;
	return SLICE("A2A");
}

DIALECT(a2a, {
		     .name = "a2a",
		     .order = 41,
		     .state_size = sizeof(struct a2a),
		     .recognise = recognise,
		     .request = request,
		     .event = event,
		     .response = response,
		     .finish = finish,
		     .span_name = span_name,
	     });
