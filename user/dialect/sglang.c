/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sglang.generate: SGLang's own path. Each event of a stream repeats the text from its beginning and the counts so far, so
 * only what is new is kept of the text, and only the newest of the rest.
 */
#include "dialect/plain.h"

static bool is_answer(struct slice body)
{
	return json_type(json_get(first_object(body), SLICE("meta_info"))) == JSON_OBJECT;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	struct slice request = json_trim(hint->request_body), answer = json_trim(hint->response_body);

	if (!hint_is_post(hint) || !path_ends(hint->path, SLICE("/generate")))
		return 0;
	if (!json_get(request, SLICE("text")).data && !json_get(request, SLICE("input_ids")).data)
		return 0;
	if (is_answer(answer))
		return SCORE_SURE;
	return json_get(request, SLICE("sampling_params")).data && json_get(answer, SLICE("error")).data ? SCORE_SURE
													 : 0;
}

static void request(struct call *call, void *state)
{
	struct slice text;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!request_open(call, "sglang"))
		return;
	text = json_get(json_trim(call->request_body), SLICE("text"));
	plain_prompt(call, &text, 1);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice data = slice_trim(part->data), meta;
	struct plain *plain = state;

	if (event_is_done(part))
		return DIALECT_EVENT_END;
	if (!event_open(call, part))
		return DIALECT_EVENT_QUIET;
	if (json_get(data, SLICE("error")).data)
		error_read(call, data, true);
	meta = json_get(data, SLICE("meta_info"));
	if (json_type(meta) != JSON_OBJECT)
		return DIALECT_EVENT_QUIET;
	plain->has_begun = true;
	call_lost(call, slice_hold(call->arena, &plain->last, meta));
	return plain_add_rest(call, plain, json_get(data, SLICE("text"))) ? DIALECT_EVENT_CONTENT : DIALECT_EVENT_QUIET;
}

static const struct usage_rule usage_rules[] = {
	{ {}, SLICE("prompt_tokens"), offsetof(struct usage, input) },
	{ {}, SLICE("completion_tokens"), offsetof(struct usage, output) },
	{ {}, SLICE("cached_tokens"), offsetof(struct usage, cache_read) },
};

static void answer_read(struct call *call, struct slice answer)
{
	struct slice meta = json_get(first_object(answer), SLICE("meta_info")), reason;
	struct usage *usage = &call->usage;

	reason = json_get(meta, SLICE("finish_reason"));
	reason = call_text(call, json_type(reason) == JSON_OBJECT ? json_get(reason, SLICE("type")) : reason);
	call->response_id = call_text(call, json_get(meta, SLICE("id")));
	call->usage_raw = meta;
	usage_read(usage, meta, usage_rules, ARRAY_SIZE(usage_rules));
	usage_sum(usage);
	if (json_type(answer) == JSON_ARRAY)
		plain_said_each(call, answer, SLICE("text"), reason);
	else
		plain_said(call, json_get(answer, SLICE("text")), reason);
}

static void response(struct call *call, void *state)
{
	struct slice answer;

	if (plain_answer_open(call, &answer) && is_answer(answer))
		answer_read(call, answer);
}

/* The text and what the last event told of it. */
static struct slice object_of(struct call *call, const struct plain *plain)
{
	struct out out;

	out_init(&out, call->arena, plain->last.len + plain->text.len + 40);
	json_open(&out.buf, '{');
	pieces_member_text(&out.buf, SLICE("text"), &plain->text);
	json_member_raw(&out.buf, SLICE("meta_info"), plain->last);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static void finish(struct call *call, void *state)
{
	struct plain *plain = state;

	call->operation = OPERATION_TEXT_COMPLETION;
	if (!call->vendor.len)
		request_open(call, "sglang");
	if (plain->has_begun) {
		call->outputs = object_of(call, plain);
		call_lost(call, call->outputs.data);
		answer_read(call, call->outputs);
	}
	chat_messages_put(call);
}

static struct slice span_name(const struct call *call)
{
	return SLICE("generate");
}

DIALECT(sglang_generate, {
				 .name = "sglang.generate",
				 .order = 71,
				 .state_size = sizeof(struct plain),
				 .recognise = recognise,
				 .request = request,
				 .event = event,
				 .response = response,
				 .finish = finish,
				 .span_name = span_name,
			 });
