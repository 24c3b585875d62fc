/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock.agent and bedrock.retrieve: Bedrock's agents (a stream of chunks of text, of traces and of requests to hand back
 * control) and its knowledge bases: Retrieve gives documents, RetrieveAndGenerate an answer with what it rests on.
 */
#include "dialect/bedrock.h"

static const struct slice path_agents = SLICE("/agents/"), path_sessions = SLICE("/sessions/");
static const struct slice path_bases = SLICE("/knowledgebases/"), path_retrieve = SLICE("/retrieve");
static const struct slice path_generate = SLICE("/retrieveAndGenerate");
static const struct slice path_generate_stream = SLICE("/retrieveAndGenerateStream");

static bool path_is_agent(struct slice path)
{
	return slice_contains(path, path_agents) && slice_contains(path, path_sessions) &&
	       path_ends(path, SLICE("/text"));
}

static bool path_is_generate(struct slice path)
{
	return path_ends(path, path_generate) || path_ends(path, path_generate_stream);
}

static unsigned agent_recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);

	if (!hint_is_post(hint) || json_type(body) != JSON_OBJECT)
		return 0;
	if (path_is_generate(hint->path))
		return json_get(body, SLICE("input")).data ? SCORE_SURE : 0;
	return path_is_agent(hint->path) &&
			       (json_get(body, SLICE("inputText")).data || json_get(body, SLICE("sessionState")).data)
		       ? SCORE_SURE
		       : 0;
}

static unsigned retrieve_recognise(const struct dialect_hint *hint)
{
	bool is_ours = slice_contains(hint->path, path_bases) && path_ends(hint->path, path_retrieve);

	return hint_is_post(hint) && is_ours && json_get(json_trim(hint->request_body), SLICE("retrievalQuery")).data
		       ? SCORE_SURE
		       : 0;
}

struct agent {
	struct pieces text;
	struct slice control; /* returnControl, raw */
	struct usage usage;   /* sums of the models' calls */
	uint64_t events;
};

/* ---- agents ---- */

static void message_put(struct call *call, struct slice role, struct slice text, struct slice *ret)
{
	if (json_type(text) != JSON_STRING)
		return;
	*ret = text_message(call, role, text);
}

static void agent_request(struct call *call, void *state)
{
	struct slice body = json_trim(call->request_body), all, config;

	call->operation = OPERATION_AGENT;
	if (!request_open(call, "aws.bedrock"))
		return;
	if (path_is_generate(call->path)) {
		all = json_get(body, SLICE("retrieveAndGenerateConfiguration"));
		config = json_get(all, SLICE("knowledgeBaseConfiguration"));
		if (!config.data)
			config = json_get(all, SLICE("externalSourcesConfiguration"));
		message_put(call, SLICE("user"), json_path(body, "input", "text", NULL), &call->input_messages);
		call->request_model = call_text(call, json_get(config, SLICE("modelArn")));
		call->session_id = call_text(call, json_get(body, SLICE("sessionId")));
		call_put_text(call, "gen_ai.data_source.id",
			      call_text(call, json_get(config, SLICE("knowledgeBaseId"))));
		return;
	}
	message_put(call, SLICE("user"), json_get(body, SLICE("inputText")), &call->input_messages);
	call->session_id = aws_path_segment(call, path_sessions);
	call_put_text(call, "gen_ai.agent.id", aws_path_segment(call, path_agents));
}

static void usage_add(int64_t *sum, struct slice count)
{
	int64_t tokens;

	if (json_int(count, &tokens) == 0 && tokens >= 0 && tokens < INT64_MAX / 2 && *sum < INT64_MAX / 2)
		*sum = MAX(*sum, (int64_t)0) + tokens;
}

/* The trace of a step: {"trace": {"orchestrationTrace": {"modelInvocationOutput": {"metadata": {"usage": …}}}}} */
static void trace_read(struct agent *agent, struct slice trace)
{
	if (json_type(trace) != JSON_OBJECT)
		return;
	json_foreach_member(kind, trace) {
		struct slice usage = json_path(kind.value, "modelInvocationOutput", "metadata", "usage", NULL);

		usage_add(&agent->usage.input, json_get(usage, SLICE("inputTokens")));
		usage_add(&agent->usage.output, json_get(usage, SLICE("outputTokens")));
	}
}

static bool text_add(struct call *call, struct agent *agent, struct slice text)
{
	call_lost(call, pieces_add(call->arena, &agent->text, text));
	return text.len;
}

/* The text of a chunk, as the inside of a JSON string. */
static struct slice chunk_text(struct call *call, struct slice base64)
{
	char *room = arena_alloc(call->arena, base64.len / 4 * 3 + 4);
	struct slice text = base64_decode_to(room, base64);
	struct out out;

	call_lost(call, text.data);
	out_init(&out, call->arena, text.len + text.len / 8 + 8);
	json_put_escaped(&out.buf, text);
	return out_slice(&out);
}

static enum dialect_event agent_event(struct call *call, void *state, const struct message_part *part)
{
	struct agent *agent = state;
	struct slice bytes, text;

	if (!agent->events)
		agent->usage = USAGE_NONE;
	if (!aws_event_open(call, part))
		return DIALECT_EVENT_QUIET;
	agent->events++;
	bytes = aws_event_bytes(call, part->data);
	text = json_raw_text(json_get(part->data, SLICE("text")));
	if (bytes.len)
		text = chunk_text(call, bytes);
	if (slice_equal(part->type, SLICE("returnControl")))
		call_lost(call, slice_hold(call->arena, &agent->control, part->data));
	trace_read(agent, json_get(part->data, SLICE("trace")));
	return text_add(call, agent, text) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static void agent_response(struct call *call, void *state)
{
	struct slice answer;

	if (aws_answer_open(call, &answer))
		message_put(call, SLICE("assistant"), json_path(answer, "output", "text", NULL),
			    &call->output_messages);
}

static void agent_finish(struct call *call, void *state)
{
	struct agent *agent = state;
	struct slice text;
	struct out out;

	if (agent->events) {
		text = pieces_quoted(call->arena, &agent->text);
		out_init(&out, call->arena, text.len + agent->control.len + 64);
		json_open(&out.buf, '{');
		json_member_raw(&out.buf, SLICE("completion"), text);
		json_member_raw(&out.buf, SLICE("returnControl"), agent->control);
		json_close(&out.buf, '}');
		call->outputs = out_slice(&out);
		call_lost(call, call->outputs.data && text.data);
		message_put(call, SLICE("assistant"), text, &call->output_messages);
		call->usage.input = agent->usage.input;
		call->usage.output = agent->usage.output;
		usage_sum(&call->usage);
	}
	chat_messages_put(call);
}

static struct slice agent_span_name(const struct call *call)
{
	if (path_ends(call->path, path_generate_stream))
		return SLICE("AgentsforBedrockRuntime.retrieve_and_generate_stream");
	return path_ends(call->path, path_generate) ? SLICE("AgentsforBedrockRuntime.retrieve_and_generate")
						    : SLICE("AgentsforBedrockRuntime.invoke_agent");
}

DIALECT(bedrock_agent, {
			       .name = "bedrock.agent",
			       .order = 63,
			       .state_size = sizeof(struct agent),
			       .recognise = agent_recognise,
			       .request = agent_request,
			       .event = agent_event,
			       .response = agent_response,
			       .finish = agent_finish,
			       .span_name = agent_span_name,
		       });

/* ---- retrieval ---- */

static void retrieve_request(struct call *call, void *state)
{
	call->operation = OPERATION_RETRIEVAL;
	call_put_text(call, "gen_ai.data_source.id", aws_path_segment(call, path_bases));
	if (request_open(call, "aws.bedrock"))
		call_put_text(
			call, "gen_ai.retrieval.query.text",
			call_text(call, json_path(json_trim(call->request_body), "retrievalQuery", "text", NULL)));
}

/* {content: {text}, location: {type, s3Location: {uri}}, score, metadata: {…}}; the place is the id. */
static struct slice result_place(struct slice result)
{
	static const struct {
		const char *kind, *address;
	} places[] = {
		{ "s3Location", "uri" },
		{ "webLocation", "url" },
		{ "customDocumentLocation", "id" },
		{ "confluenceLocation", "url" },
		{ "salesforceLocation", "url" },
		{ "sharePointLocation", "url" },
		{ "kendraDocumentLocation", "uri" },
	};
	struct slice place = SLICE_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !place.data; i++)
		place = json_path(result, "location", places[i].kind, places[i].address, NULL);
	return place;
}

static void result_put(struct buf *out, struct slice result)
{
	struct slice text = json_path(result, "content", "text", NULL), metadata = json_get(result, SLICE("metadata"));

	json_open(out, '{');
	json_member_raw(out, SLICE("page_content"), json_type(text) == JSON_STRING ? text : SLICE("\"\""));
	json_put_name(out, SLICE("metadata"));
	json_open(out, '{');
	if (json_type(metadata) == JSON_OBJECT && json_count(metadata))
		json_put_raw(out, slice_trim((struct slice){ metadata.data + 1, metadata.len - 2 }));
	json_member_raw(out, SLICE("score"), json_get(result, SLICE("score")));
	json_member_raw(out, SLICE("location"), json_get(result, SLICE("location")));
	json_close(out, '}');
	json_member_raw(out, SLICE("id"), result_place(result));
	json_close(out, '}');
}

static void scored_put(struct buf *out, struct slice result)
{
	json_open(out, '{');
	json_member_raw(out, SLICE("id"), result_place(result));
	json_member_raw(out, SLICE("score"), json_get(result, SLICE("score")));
	json_close(out, '}');
}

static struct slice results_list(struct call *call, struct slice results,
				 void (*put)(struct buf *out, struct slice result))
{
	struct out out;

	out_init(&out, call->arena, results.len * 2 + 64);
	json_open(&out.buf, '[');
	json_foreach_element(result, results)
		put(&out.buf, result.value);
	json_close(&out.buf, ']');
	call_lost(call, !out.buf.failed);
	return out_slice(&out);
}

static void retrieve_response(struct call *call, void *state)
{
	struct slice answer, results;

	if (!aws_answer_open(call, &answer))
		return;
	results = json_get(answer, SLICE("retrievalResults"));
	if (json_type(results) != JSON_ARRAY)
		return;
	call->outputs = results_list(call, results, result_put);
	call_put_text(call, "gen_ai.retrieval.documents", results_list(call, results, scored_put));
}

static struct slice retrieve_span_name(const struct call *call)
{
	return SLICE("AgentsforBedrockRuntime.retrieve");
}

DIALECT(bedrock_retrieve, {
				  .name = "bedrock.retrieve",
				  .order = 64,
				  .recognise = retrieve_recognise,
				  .request = retrieve_request,
				  .event = no_event,
				  .response = retrieve_response,
				  .finish = no_step,
				  .span_name = retrieve_span_name,
			  });
