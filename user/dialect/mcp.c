/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcp: calls of tools that run elsewhere, and what is asked beside them. The answer to a request is one message, alone or as
 * an event of a stream in which the server may first say and ask other things; so the one with the request's id is
 * waited for, and what the server asks meanwhile is a step of this call. A batch is one call, each of its requests a step.
 *
 * Inputs of a tool's call are its arguments, outputs its text as the model will read it, or its content where that is more
 * than text. All else is shown as it travelled: params and result.
 */
#include "dialect/mcp.h"
#include "dialect/gather.h"

struct mcp {
	const struct mcp_method *method;
	struct slice method_name;
	struct slice id;
	struct slice answer;   /* the message, held */
	struct pieces answers; /* of a batch: messages with commas between */
	bool is_batch;
};

/* ---- recognition ---- */

static bool hint_is_marked(const struct dialect_hint *hint)
{
	return call_header(hint->headers, hint->header_count, SLICE("mcp-method")).len ||
	       call_header(hint->headers, hint->header_count, SLICE("mcp-protocol-version")).len ||
	       call_header(hint->headers, hint->header_count, SLICE("mcp-session-id")).len;
}

/* The first request that gives a span, of one message or of a batch. */
static const struct mcp_method *body_method(struct slice body, bool is_whole, bool is_marked, struct rpc *ret)
{
	if (json_type(body) == JSON_OBJECT) {
		*ret = rpc_read(body, is_whole);
		return ret->is_rpc || !is_whole ? mcp_method_of(ret, is_marked) : NULL;
	}
	if (json_type(body) != JSON_ARRAY || !is_whole)
		return NULL;
	json_foreach_element(item, body) {
		const struct mcp_method *method;

		*ret = rpc_read(item.value, true);
		method = ret->is_rpc ? mcp_method_of(ret, is_marked) : NULL;
		if (method)
			return method;
	}
	return NULL;
}

static bool answer_is_ours(struct slice body)
{
	struct rpc rpc = rpc_read(json_trim(body), true);

	return rpc_is_answer(&rpc) && rpc.id.len && mcp_is_result(rpc.result);
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct rpc rpc;

	if (!hint->method.len)
		return hint->response_body.len && answer_is_ours(hint->response_body) ? SCORE_ANSWER : 0;
	if (!slice_equal(hint->method, SLICE("POST")) && !slice_equal(hint->protocol, SLICE("jsonrpc")))
		return 0;
	return body_method(json_trim(hint->request_body), hint->request_is_whole, hint_is_marked(hint), &rpc)
		       ? SCORE_SURE
		       : 0;
}

/* ---- request ---- */

static struct slice header_of(const struct call *call, struct slice name)
{
	struct slice value = call_header(call->request_headers, call->request_header_count, name);

	return value.len ? value : call_header(call->response_headers, call->response_header_count, name);
}

static void request_put(struct call *call, const struct mcp *mcp, struct slice params)
{
	struct slice meta = json_get(params, SLICE("_meta"));
	struct slice version = header_of(call, SLICE("mcp-protocol-version"));

	if (!version.len)
		version = call_text(call, json_get(meta, SLICE("io.modelcontextprotocol/protocolVersion")));
	call_put_text(call, "mcp.method.name", mcp->method_name);
	call_put_text(call, "mcp.protocol.version", version);
	call_put_text(call, "jsonrpc.request.id", call_copy(call, mcp->id));
	call_put_text(call, "mcp.resource.uri", call_text(call, json_get(params, SLICE("uri"))));
	if (!mcp->method || !mcp->method->target.len)
		return;
	call_put_text(call,
		      mcp->method->operation == OPERATION_TOOL && slice_equal(mcp->method_name, SLICE("prompts/get"))
			      ? "gen_ai.prompt.name"
			      : "gen_ai.tool.name",
		      call_text(call, json_get(params, mcp->method->target)));
}

static bool is_tool_call(const struct mcp *mcp)
{
	return slice_equal(mcp->method_name, SLICE("tools/call"));
}

static void batch_open(struct call *call, struct slice body)
{
	call->inputs = body;
	json_foreach_element(item, body) {
		struct rpc rpc = rpc_read(item.value, true);
		struct call_step *step = mcp_method_of(&rpc, true) ? call_add_step(call) : NULL;
		struct slice name = call_text(call, json_get(rpc.params, SLICE("name")));

		if (!step)
			continue;
		step->name = name.len ? name : rpc.method;
		step->id = call_copy(call, rpc.id);
		step->inputs = rpc.params;
	}
}

static void request(struct call *call, void *state)
{
	struct slice body = json_trim(call->request_body);
	bool is_whole = json_check(body, JSON_DEPTH_MAX) == 0;
	struct mcp *mcp = state;
	struct rpc rpc = { 0 };

	call->operation = OPERATION_TOOL;
	call->inputs = body;
	mcp->method = body_method(body, is_whole, true, &rpc);
	if (!mcp->method)
		return;
	call->operation = mcp->method->operation;
	mcp->method_name = rpc.method;
	mcp->id = rpc.id;
	mcp->is_batch = json_type(body) == JSON_ARRAY;
	request_put(call, mcp, rpc.params);
	if (mcp->is_batch)
		return batch_open(call, body);
	if (is_whole)
		call->inputs = is_tool_call(mcp) ? json_get(rpc.params, SLICE("arguments")) : rpc.params;
}

/* ---- answer ---- */

/* What the server asks while it answers. */
static void ask_add(struct call *call, const struct rpc *rpc, uint64_t time_ns)
{
	struct call_step *step = mcp_method_of(rpc, true) ? call_add_step(call) : NULL;

	if (!step)
		return;
	step->name = arena_dup(call->arena, rpc->method);
	step->id = call_copy(call, rpc->id);
	step->inputs = arena_dup(call->arena, rpc->params);
	step->start_ns = step->end_ns = time_ns;
	call_lost(call, step->name.data && (step->inputs.data || !rpc->params.len));
}

static struct call_step *step_of(struct call *call, struct slice id)
{
	struct call_step *step = call->steps;

	while (step && !slice_equal(step->id, id))
		step = step->next;
	return step;
}

/* One answer of a batch. */
static void batch_answer(struct call *call, struct mcp *mcp, struct slice message, uint64_t time_ns)
{
	struct rpc rpc = rpc_read(message, true);
	struct call_step *step = rpc_is_answer(&rpc) ? step_of(call, call_copy(call, rpc.id)) : NULL;

	if (!rpc_is_answer(&rpc))
		return;
	elements_gather(call, &mcp->answers, message);
	if (!step)
		return;
	step->outputs = arena_dup(call->arena, rpc.result);
	step->has_failed = rpc.error.data || json_is_true(json_get(rpc.result, SLICE("isError")));
	step->error = call_copy(call, json_get(rpc.error, SLICE("message")));
	step->end_ns = time_ns;
}

/* A message that came for this request, or beside it. true: it was the answer. */
static bool message_take(struct call *call, struct mcp *mcp, struct slice message, uint64_t time_ns)
{
	struct rpc rpc = rpc_read(message, true);

	if (mcp->is_batch) {
		batch_answer(call, mcp, message, time_ns);
		return false;
	}
	if (rpc_is_request(&rpc))
		ask_add(call, &rpc, time_ns);
	if (!rpc_is_answer(&rpc) || (mcp->id.len && rpc.id.len && !slice_equal(mcp->id, rpc.id)))
		return false;
	call_lost(call, slice_hold(call->arena, &mcp->answer, message));
	return true;
}

static bool messages_take(struct call *call, struct mcp *mcp, struct slice body, uint64_t time_ns)
{
	bool is_answer = false;

	if (json_type(body) == JSON_OBJECT)
		return message_take(call, mcp, body, time_ns);
	json_foreach_element(item, body)
		is_answer |= message_take(call, mcp, item.value, time_ns);
	return is_answer;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = json_trim(part->data);

	if (!data.len)
		return DIALECT_EVENT_QUIET;
	if (json_check(data, JSON_DEPTH_MAX) < 0) {
		call->is_undecodable = true;
		return DIALECT_EVENT_QUIET;
	}
	return messages_take(call, state, data, part->time_ns) ? DIALECT_EVENT_LAST : DIALECT_EVENT_QUIET;
}

static void response(struct call *call, void *state)
{
	struct slice body = json_trim(call->response_body);
	struct mcp *mcp = state;

	if (!body.len && call->status < 400)
		return;
	if (json_check(body, JSON_DEPTH_MAX) == 0)
		messages_take(call, mcp, body, call->response_end.time_ns);
	if (mcp->answer.data || mcp->answers.len)
		return;
	if (call->status >= 400)
		return error_read(call, body, false);
	call->outputs = body;
	call->outputs_is_text = json_check(body, JSON_DEPTH_MAX) < 0;
	call_lost(call, !call->outputs_is_text || call->response_end.how != MESSAGE_END_FRAMED);
}

/* ---- end ---- */

/* The text of a content that is nothing but text. */
static bool text_of(struct call *call, struct slice content, struct slice *ret)
{
	struct pieces texts = { 0 };
	struct out out;

	if (json_type(content) != JSON_ARRAY || !json_count(content))
		return false;
	json_foreach_element(block, content) {
		if (!json_text_is(json_get(block.value, SLICE("type")), SLICE("text")))
			return false;
		if (texts.first)
			call_lost(call, pieces_add(call->arena, &texts, SLICE("\n")));
		call_lost(call, pieces_add(call->arena, &texts,
					   json_text(call->arena, json_get(block.value, SLICE("text")))));
	}
	out_init(&out, call->arena, texts.len + 1);
	pieces_put(&texts, &out.buf);
	*ret = out_slice(&out);
	return ret->len;
}

static void tool_result(struct call *call, struct slice result)
{
	struct slice content = json_get(result, SLICE("content")), text = SLICE_NONE;

	call->outputs = content.data && !json_get(result, SLICE("structuredContent")).data ? content : result;
	if (text_of(call, content, &text)) {
		call->outputs = text;
		call->outputs_is_text = true;
	}
	if (!json_is_true(json_get(result, SLICE("isError"))))
		return;
	call->has_error = true;
	call->error.in_band = true;
	call->error.type = SLICE("tool_error");
	call->error.message = text;
	call->error.raw = result;
}

static void answer_put(struct call *call, struct mcp *mcp)
{
	struct rpc rpc = rpc_read(mcp->answer, true);

	if (rpc.error.data) {
		rpc_error_read(call, rpc.error, call->status < 400);
		rpc_error_put(call, rpc.error);
		return;
	}
	call->outputs = rpc.result;
	if (is_tool_call(mcp) || (!mcp->method && json_get(rpc.result, SLICE("content")).data))
		tool_result(call, rpc.result);
	if (slice_equal(mcp->method_name, SLICE("initialize")) && !header_of(call, SLICE("mcp-protocol-version")).len)
		call_put_text(call, "mcp.protocol.version",
			      call_text(call, json_get(rpc.result, SLICE("protocolVersion"))));
}

static void finish(struct call *call, void *state)
{
	struct mcp *mcp = state;

	if (!call->operation)
		call->operation = OPERATION_TOOL;
	call_put_text(call, "mcp.session.id", header_of(call, SLICE("mcp-session-id")));
	if (mcp->answer.data)
		return answer_put(call, mcp);
	if (!mcp->answers.len)
		return;
	call->outputs = pieces_listed(call->arena, &mcp->answers);
	call_lost(call, call->outputs.data);
}

/* "tools/call add", "prompts/get greet", "tools/list" */
static struct slice span_name(const struct call *call)
{
	struct slice method = SLICE_NONE, target = SLICE_NONE, name;

	if (json_type(json_trim(call->request_body)) == JSON_ARRAY)
		return SLICE("batch");
	for (const struct attribute *at = call->attributes; at; at = at->next) {
		if (slice_equal(at->name, SLICE("mcp.method.name")))
			method = at->value.text;
		if (slice_equal(at->name, SLICE("gen_ai.tool.name")) ||
		    slice_equal(at->name, SLICE("gen_ai.prompt.name")))
			target = at->value.text;
	}
	if (!method.len)
		return SLICE("MCP");
	name = target.len ? arena_printf(call->arena, "%.*s %.*s", SLICE_FMT(method), SLICE_FMT(target)) : method;
	return name.data ? name : method;
}

DIALECT(mcp, {
		     .name = "mcp",
		     .order = 40,
		     .state_size = sizeof(struct mcp),
		     .recognise = recognise,
		     .request = request,
		     .event = event,
		     .response = response,
		     .finish = finish,
		     .span_name = span_name,
	     });
