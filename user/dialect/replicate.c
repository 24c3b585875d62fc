/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replicate.predict: predictions of any model. What goes in and comes out is the model's own: text in pieces, links to
 * files, or anything. A request that does not wait is answered with a promise; the text then comes as a stream of plain
 * words from another host, which is told as the fetching that it is. Asking whether it is ready is not told.
 */
#include "dialect/dialect.h"
#include "dialect/plain.h"

static bool is_answer(struct slice body)
{
	return json_get(body, SLICE("id")).data && json_get(body, SLICE("status")).data &&
	       json_type(json_get(body, SLICE("urls"))) == JSON_OBJECT;
}

static bool is_stream_path(struct slice path)
{
	return slice_contains(path, SLICE("/v1/streams/"));
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice body = json_trim(hint->request_body), host = hint->host;
	ptrdiff_t port = slice_find(host, SLICE(":"));
	bool is_theirs;

	host = slice_head(host, port < 0 ? host.len : (size_t)port);
	is_theirs = slice_ends(host, SLICE("replicate.com")) || slice_ends(host, SLICE("replicate.net"));
	if (slice_equal(hint->method, SLICE("GET")))
		return is_theirs && slice_contains(hint->path, SLICE("/v1/streams/")) ? SCORE_SURE : 0;
	if (!hint_is_post(hint) || !path_ends(hint->path, SLICE("/predictions")) ||
	    json_type(json_get(body, SLICE("input"))) != JSON_OBJECT)
		return 0;
	return is_theirs || is_answer(json_trim(hint->response_body)) ? SCORE_SURE : 0;
}

/* owner/name of /models/{owner}/{name}/predictions. */
static struct slice path_model(struct slice path)
{
	static const struct slice before = SLICE("/models/"), after = SLICE("/predictions");
	ptrdiff_t at = slice_find(path, before);
	struct slice rest = at < 0 ? SLICE_NONE : slice_from(path, (size_t)at + before.len);
	ptrdiff_t end = slice_find(rest, after);

	return rest.len && end > 0 ? slice_head(rest, (size_t)end) : SLICE_NONE;
}

static void request(struct call *call, void *state)
{
	static const struct slice names[] = { SLICE("prompt"), SLICE("text"), SLICE("message") };
	struct slice body = json_trim(call->request_body), input, got[ARRAY_SIZE(names)] = { 0 }, system;
	bool is_whole = request_open(call, "replicate");

	call->operation = is_stream_path(call->path) ? OPERATION_FETCH : OPERATION_TEXT_COMPLETION;
	call->request_model = path_model(call->path);
	if (!is_whole)
		return;
	if (!call->request_model.len)
		call->request_model = call_text(call, json_get(body, SLICE("version")));
	input = json_get(body, SLICE("input"));
	PICK(input, names, got);
	plain_prompt(call, got, ARRAY_SIZE(got));
	system = json_get(input, SLICE("system_prompt"));
	system_text_put(call, system);
}

struct prediction {
	struct plain plain;
	struct out escaped; /* a piece as it stands in a JSON string; used again for each */
};

/* Events are plain text under a name: output, error, logs, done. */
static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct prediction *prediction = state;
	struct buf *escaped = &prediction->escaped.buf;

	if (slice_equal(part->type, SLICE("done")))
		return DIALECT_EVENT_LAST;
	if (slice_equal(part->type, SLICE("error"))) {
		error_read(call, part->data, true);
		if (!call->error.message.len)
			call->error.message = arena_dup(call->arena, part->data);
		return DIALECT_EVENT_QUIET;
	}
	if (!slice_equal(part->type, SLICE("output")))
		return DIALECT_EVENT_QUIET;
	prediction->plain.has_begun = true;
	if (!escaped->data)
		out_init(&prediction->escaped, call->arena, 256);
	buf_reset(escaped);
	json_put_escaped(escaped, part->data);
	call_lost(call, !escaped->failed);
	call_lost(call, pieces_add(call->arena, &prediction->plain.text, buf_slice(escaped)));
	return part->data.len ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static bool is_link(struct slice text)
{
	struct slice raw = json_raw_text(text);

	return slice_starts(raw, SLICE("https://")) || slice_starts(raw, SLICE("data:"));
}

/* Pieces of text in a list are one text; links are files. */
static void output_read(struct call *call, struct slice output)
{
	struct json_iter first = json_iter(output);
	struct pieces text = { 0 };
	struct slice one = output;

	if (json_type(output) == JSON_ARRAY && json_next(&first))
		one = first.value;
	if (json_type(one) != JSON_STRING)
		return;
	if (is_link(one)) {
		call->operation = OPERATION_IMAGE;
		return;
	}
	if (json_type(output) == JSON_ARRAY) {
		json_foreach_element(item, output)
			text_gather(call, &text, item.value);
		output = pieces_quoted(call->arena, &text);
		call_lost(call, output.data);
	}
	plain_said(call, output, SLICE_NONE);
}

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("input_token_count"), offsetof(struct usage, input) },
	{ {}, SLICE("output_token_count"), offsetof(struct usage, output) },
	{ {}, SLICE("token_input_count"), offsetof(struct usage, input) },
	{ {}, SLICE("token_output_count"), offsetof(struct usage, output) },
};

static void answer_read(struct call *call, struct slice answer)
{
	struct slice metrics = json_get(answer, SLICE("metrics")), status = json_get(answer, SLICE("status"));
	struct slice error = json_get(answer, SLICE("error"));

	call->response_id = call_text(call, json_get(answer, SLICE("id")));
	call->response_model = call_text(call, json_get(answer, SLICE("model")));
	if (json_type(metrics) == JSON_OBJECT) {
		call->usage_raw = metrics;
		usage_read(&call->usage, metrics, usage_rules, ARRAY_SIZE(usage_rules));
		usage_sum(&call->usage);
	}
	if (error.data || json_text_is(status, SLICE("failed"))) {
		if (!call->has_error)
			error_read(call, answer, true);
		return;
	}
	output_read(call, json_get(answer, SLICE("output")));
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (answer_open(call, &answer))
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	const struct prediction *prediction = state;
	const struct plain *plain = &prediction->plain;

	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
	if (plain->has_begun) {
		call->outputs = plain_object(call, plain, SLICE("output"));
		call_lost(call, call->outputs.data);
		output_read(call, json_get(call->outputs, SLICE("output")));
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return is_stream_path(call->path) ? SLICE("stream") : SLICE("predict");
}

DIALECT(replicate_predict, {
				   .name = "replicate.predict",
				   .order = 75,
				   .state_size = sizeof(struct prediction),
				   .recognise = recognise,
				   .request = request,
				   .event = event,
				   .response = response,
				   .finish = finish,
				   .span_name = span_name,
			   });
