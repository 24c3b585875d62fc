/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llama_cpp.completion: llama.cpp's own server, /completion and /infill. Counts stand in the answer and, newer and
 * truer, in its timings. tokens_cached counts what the slot holds at the end, the answer too, so it is believed only as
 * far as the prompt goes.
 */
#include "dialect/plain.h"

static const struct slice paths[] = { SLICE("/completion"), SLICE("/infill"), SLICE("/completions") };
static const struct slice prompts[] = { SLICE("prompt"), SLICE("input_prefix"), SLICE("input_suffix") };

static bool is_answer(struct slice body)
{
	struct slice first = first_object(body);

	return json_type(json_get(first, SLICE("content"))) == JSON_STRING &&
	       (json_get(first, SLICE("stop")).data || json_get(first, SLICE("tokens_evaluated")).data);
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice request = json_trim(hint->request_body), answer = json_trim(hint->response_body);
	bool has_path = false, has_prompt = false;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		has_path |= path_ends(hint->path, paths[i]);
		has_prompt |= json_get(request, prompts[i]).data != NULL;
	}
	if (!hint_is_post(hint) || !has_path || !has_prompt)
		return 0;
	if (is_answer(answer))
		return SCORE_SURE + 1; /* more than a path that completions of others have too */
	return !path_ends(hint->path, paths[2]) && json_type(json_get(answer, SLICE("error"))) == JSON_OBJECT
		       ? SCORE_SURE
		       : 0;
}

static void request(struct call *call, void *state)
{
	struct slice got[ARRAY_SIZE(prompts)] = { 0 };

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!request_open(call, "llama_cpp"))
		return;
	PICK(json_trim(call->request_body), prompts, got);
	plain_prompt(call, got, ARRAY_SIZE(got));
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = slice_trim(part->data);
	struct plain *plain = state;
	bool has_content;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	if (json_get(data, SLICE("error")).data) {
		error_read(call, data, true);
		return DIALECT_EVENT_QUIET;
	}
	if (json_type(json_get(data, SLICE("content"))) != JSON_STRING)
		return DIALECT_EVENT_QUIET;
	plain->has_begun = true;
	has_content = plain_add(call, plain, json_get(data, SLICE("content")));
	if (!json_is_true(json_get(data, SLICE("stop"))))
		return has_content ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
	call_lost(call, slice_hold(call->arena, &plain->last, data));
	return DIALECT_EVENT_LAST;
}

#define TIMINGS SLICE("timings")
static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("tokens_evaluated"), offsetof(struct usage, input) },
	{ {}, SLICE("tokens_predicted"), offsetof(struct usage, output) },
	{ {}, SLICE("tokens_cached"), offsetof(struct usage, cache_read) },
	{ TIMINGS, SLICE("predicted_n"), offsetof(struct usage, output) },
	{ TIMINGS, SLICE("cache_n"), offsetof(struct usage, cache_read) },
};

static struct slice reason_of(struct call *call, struct slice answer)
{
	static const struct {
		struct slice flag, word;
	} flags[] = {
		{ SLICE("stopped_eos"), SLICE("eos") },
		{ SLICE("stopped_limit"), SLICE("limit") },
		{ SLICE("stopped_word"), SLICE("word") },
	};
	struct slice word = call_text(call, json_get(answer, SLICE("stop_type")));

	for (size_t i = 0; i < ARRAY_SIZE(flags) && !word.len; i++)
		if (json_is_true(json_get(answer, flags[i].flag)))
			word = flags[i].word;
	return word;
}

static void answer_read(struct call *call, struct slice answer)
{
	struct slice first = first_object(answer), reason = reason_of(call, first);
	struct usage *usage = &call->usage;

	call->response_model = call_text(call, json_get(first, SLICE("model")));
	usage_read(usage, first, usage_rules, ARRAY_SIZE(usage_rules));
	if (usage->cache_read > usage->input)
		usage->cache_read = -1;
	if (usage->input >= 0 && usage->output >= 0) {
		usage->total = usage->input + usage->output;
		call->usage_raw = json_get(first, TIMINGS);
	}
	if (json_type(answer) == JSON_ARRAY)
		plain_said_each(call, answer, SLICE("content"), reason);
	else
		plain_said(call, json_get(answer, SLICE("content")), reason);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (plain_answer_open(call, &answer) && is_answer(answer))
		answer_read(call, answer);
}

static void finish(struct call *call, void *state)
{
	struct plain *plain = state;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!call->vendor.len)
		request_open(call, "llama_cpp");
	if (plain->has_begun) {
		call->outputs = plain_object(call, plain, SLICE("content"));
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return path_ends(call->path, SLICE("/infill")) ? SLICE("infill") : SLICE("completion");
}

DIALECT(llama_cpp_completion, {
				      .name = "llama_cpp.completion",
				      .order = 72,
				      .state_size = sizeof(struct plain),
				      .recognise = recognise,
				      .request = request,
				      .event = event,
				      .response = response,
				      .finish = finish,
				      .span_name = span_name,
			      });
