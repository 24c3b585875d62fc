/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sagemaker.invoke: endpoints of Amazon SageMaker. The path names the endpoint, the body is the container's own: messages and
 * prompts go to the dialects that read them, "inputs" is Hugging Face's text generation. A streamed answer comes in parts
 * that are cut anywhere: put together they are the container's lines, with or without "data:" in front.
 */
#include "dialect/bedrock.h"
#include "dialect/dialect.h"

static const struct slice path_endpoints = SLICE("/endpoints/");
static const struct slice path_once = SLICE("/invocations"), path_stream = SLICE("/invocations-response-stream");

static const struct {
	struct slice member;
	const char *dialect; /* NULL: read here */
} formats[] = {
	{ SLICE("anthropic_version"), "anthropic.messages" },
	{ SLICE("messages"), "openai.chat" },
	{ SLICE("prompt"), "openai.completions" },
	{ SLICE("inputs"), NULL },
	{ SLICE("text_inputs"), NULL },
};

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body);

	if (!hint_is_post(hint) || !slice_contains(hint->path, path_endpoints) ||
	    !(path_ends(hint->path, path_once) || path_ends(hint->path, path_stream)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (json_get(body, formats[i].member).data)
			return SCORE_SURE + 1; /* more than the format that is inside */
	return 0;
}

struct sagemaker {
	const struct dialect *inner;
	void *state;
	struct out line; /* what of a streamed line is there */
	struct pieces text;
	uint64_t events;
	bool has_line;
};

/* ---- request ---- */

static void inner_open(struct call *call, struct sagemaker *sagemaker, const char *name)
{
	const struct dialect *inner = dialect_by_name(slice_of(name));

	sagemaker->state = inner ? arena_alloc(call->arena, inner->state_size + 1) : NULL;
	call_lost(call, sagemaker->state || !inner);
	if (!sagemaker->state)
		return;
	sagemaker->inner = inner;
	call->defers_messages = false; /* the page knows no format of this name: it is shown them always */
	inner->request(call, sagemaker->state);
}

static void text_request(struct call *call, struct slice body)
{
	struct slice inputs = json_get(body, SLICE("inputs"));
	struct slice text = inputs.data ? inputs : json_get(body, SLICE("text_inputs"));

	if (json_type(text) != JSON_STRING)
		return;
	call->input_messages = text_message(call, SLICE("user"), text);
}

static void request(struct call *call, void *state)
{
	struct sagemaker *sagemaker = state;
	bool is_whole = aws_request_open(call, "aws.sagemaker", path_endpoints);
	struct slice body = json_trim(call->request_body), endpoint = call->request_model;

	call->operation = OPERATION_TEXT_COMPLETION;
	for (size_t i = 0; is_whole && i < ARRAY_SIZE(formats); i++) {
		if (!json_get(body, formats[i].member).data)
			continue;
		if (formats[i].dialect)
			inner_open(call, sagemaker, formats[i].dialect);
		else
			text_request(call, body);
		break;
	}
	call->request_model = endpoint;
}

/* ---- answer ---- */

static void details_read(struct call *call, struct slice details)
{
	int64_t tokens;

	if (json_int(json_get(details, SLICE("generated_tokens")), &tokens) == 0 && tokens >= 0)
		call->usage.output = tokens;
	if (json_int(json_get(details, SLICE("input_length")), &tokens) == 0 && tokens >= 0)
		call->usage.input = tokens;
}

static void response(struct call *call, void *state)
{
	struct sagemaker *sagemaker = state;
	struct slice answer = json_trim(call->response_body), first;

	if (sagemaker->inner && call->status < 400)
		return sagemaker->inner->response(call, sagemaker->state);
	if (!aws_answer_open(call, &answer) && call->outputs_is_text)
		return;
	if (call->status >= 400)
		return;
	first = json_type(answer) == JSON_ARRAY ? json_path(answer, "#0", NULL) : answer;
	details_read(call, json_get(first, SLICE("details")));
	aws_text_read(call, json_get(first, SLICE("generated_text")),
		      json_path(first, "details", "finish_reason", NULL));
}

static enum dialect_event line_event(struct call *call, struct sagemaker *sagemaker, struct slice line,
				     uint64_t time_ns)
{
	struct message_part part = { .kind = PART_EVENT, .time_ns = time_ns };
	struct slice text;

	part.data = slice_trim(slice_starts(line, SLICE("data:")) ? slice_from(line, 5) : line);
	if (!part.data.len || (part.data.data[0] != '{' && part.data.data[0] != '['))
		return DIALECT_EVENT_QUIET;
	if (sagemaker->inner)
		return sagemaker->inner->event(call, sagemaker->state, &part);
	if (!event_open(call, &part))
		return DIALECT_EVENT_QUIET;
	text = json_path(part.data, "token", "text", NULL);
	if (!text.data)
		text = json_path(part.data, "outputs", "#0", NULL);
	text = json_raw_text(text);
	details_read(call, json_get(part.data, SLICE("details")));
	finish_add(call, call_copy(call, json_path(part.data, "details", "finish_reason", NULL)));
	call_lost(call, pieces_add(call->arena, &sagemaker->text, text));
	return text.len ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct sagemaker *sagemaker = state;
	struct buf *line = &sagemaker->line.buf;
	enum dialect_event is = DIALECT_EVENT_QUIET, got;
	struct slice rest = part->data;

	if (slice_starts(part->type, SLICE("exception:"))) {
		aws_event_open(call, part);
		return DIALECT_EVENT_QUIET;
	}
	if (!sagemaker->has_line)
		out_init(&sagemaker->line, call->arena, 1024);
	sagemaker->has_line = true;
	sagemaker->events++;
	while (rest.len) {
		bool is_ended = memchr(rest.data, '\n', rest.len);

		buf_put(line, slice_cut(&rest, '\n'));
		if (!is_ended)
			break;
		call_lost(call, !line->failed);
		got = line_event(call, sagemaker, buf_slice(line), part->time_ns);
		is = MAX(is, got);
		buf_reset(line);
	}
	return is;
}

/* ---- end ---- */

static void text_finish(struct call *call, struct sagemaker *sagemaker)
{
	struct slice text = pieces_quoted(call->arena, &sagemaker->text);

	call->outputs = json_text(call->arena, text);
	call->outputs_is_text = true;
	call_lost(call, call->outputs.data || !sagemaker->text.len);
	aws_text_read(call, text, SLICE_NONE);
}

static void finish(struct call *call, void *state)
{
	struct sagemaker *sagemaker = state;
	struct slice endpoint = call->request_model;
	bool is_text = !sagemaker->inner;

	if (sagemaker->has_line && sagemaker->line.buf.len)
		line_event(call, sagemaker, buf_slice(&sagemaker->line.buf), call->last_event_ns);
	if (sagemaker->inner)
		sagemaker->inner->finish(call, sagemaker->state);
	else if (sagemaker->events)
		text_finish(call, sagemaker);
	if (is_text)
		usage_sum(&call->usage);
	if (call->operation == OPERATION_UNKNOWN)
		call->operation = OPERATION_TEXT_COMPLETION;
	call->vendor = SLICE("aws.sagemaker");
	call->request_model = endpoint;
	if (!call->chat_messages.len)
		chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	if (path_ends(call->path, path_stream))
		return SLICE("SageMakerRuntime.invoke_endpoint_with_response_stream");
	return SLICE("SageMakerRuntime.invoke_endpoint");
}

DIALECT(sagemaker_invoke, {
				  .name = "sagemaker.invoke",
				  .order = 65,
				  .state_size = sizeof(struct sagemaker),
				  .recognise = recognise,
				  .request = request,
				  .event = event,
				  .response = response,
				  .finish = finish,
				  .span_name = span_name,
			  });
