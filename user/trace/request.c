/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of a request, in one pass over its members: a prompt may be megabytes, so it is walked once. OpenAI's
 * autolog records every argument but the conversation under its bare name; the convention has names for some of them.
 */
#include "base/cleanup.h"
#include "base/json.h"
#include "trace/span.h"

enum param_type { PARAM_INT, PARAM_DOUBLE, PARAM_TEXT, PARAM_TEXTS, PARAM_TRUE, PARAM_COUNT };

/* What providers call it; Ollama's stand in "options". */
static const struct param {
	struct slice member;
	const char *attribute;
	enum param_type type;
	bool openai_only;
} params[] = {
	{ SLICE("max_tokens"), "gen_ai.request.max_tokens", PARAM_INT, false },
	{ SLICE("max_completion_tokens"), "gen_ai.request.max_tokens", PARAM_INT, false },
	{ SLICE("max_output_tokens"), "gen_ai.request.max_tokens", PARAM_INT, false },
	{ SLICE("num_predict"), "gen_ai.request.max_tokens", PARAM_INT, false },
	{ SLICE("temperature"), "gen_ai.request.temperature", PARAM_DOUBLE, false },
	{ SLICE("top_p"), "gen_ai.request.top_p", PARAM_DOUBLE, false },
	{ SLICE("top_k"), "gen_ai.request.top_k", PARAM_DOUBLE, false },
	{ SLICE("frequency_penalty"), "gen_ai.request.frequency_penalty", PARAM_DOUBLE, false },
	{ SLICE("presence_penalty"), "gen_ai.request.presence_penalty", PARAM_DOUBLE, false },
	{ SLICE("seed"), "gen_ai.request.seed", PARAM_INT, false },
	{ SLICE("stop"), "gen_ai.request.stop_sequences", PARAM_TEXTS, false },
	{ SLICE("stop_sequences"), "gen_ai.request.stop_sequences", PARAM_TEXTS, false },
	{ SLICE("n"), "gen_ai.request.choice.count", PARAM_COUNT, false },
	{ SLICE("stream"), "gen_ai.request.stream", PARAM_TRUE, false },
	{ SLICE("encoding_format"), "gen_ai.request.encoding_formats", PARAM_TEXTS, false },
	{ SLICE("dimensions"), "gen_ai.embeddings.dimension.count", PARAM_INT, false },
	{ SLICE("service_tier"), "openai.request.service_tier", PARAM_TEXT, true },
};

static struct slice unescaped(struct maker *maker, struct slice value)
{
	struct slice text = json_text(maker->arena, value);

	if (!text.data && json_type(value) == JSON_STRING)
		maker->failed = true;
	return text;
}

static void put_param_texts(struct maker *maker, const char *name, struct slice value)
{
	bool is_list = json_type(value) == JSON_ARRAY;
	size_t max = is_list ? json_count(value) : 1, count = 0;
	struct slice *list = max ? make_room(maker, max * sizeof(*list)) : NULL;

	if (!list)
		return;
	if (is_list) {
		json_foreach_element(item, value) {
			if (count < max && json_type(item.value) == JSON_STRING)
				list[count++] = unescaped(maker, item.value);
		}
	} else if (json_type(value) == JSON_STRING) {
		list[count++] = unescaped(maker, value);
	}
	put_texts(maker, name, list, count);
}

static void put_param(struct maker *maker, const struct param *param, struct slice value)
{
	int64_t integer;
	double number;

	switch (param->type) {
	case PARAM_INT:
	case PARAM_COUNT: /* one choice is what everyone asks for */
		if (json_int(value, &integer) == 0 && !(param->type == PARAM_COUNT && integer == 1))
			put_int(maker, param->attribute, integer);
		return;
	case PARAM_DOUBLE:
		if (json_double(value, &number) == 0)
			put_double(maker, param->attribute, number);
		return;
	case PARAM_TRUE:
		if (json_is_true(value))
			put_bool(maker, param->attribute, true);
		return;
	case PARAM_TEXT:
		put_text(maker, param->attribute, unescaped(maker, value));
		return;
	case PARAM_TEXTS:
		put_param_texts(maker, param->attribute, value);
	}
}

static void put_params(struct maker *maker, const struct json_iter *member, bool is_openai)
{
	for (size_t i = 0; i < ARRAY_SIZE(params); i++)
		if (slice_equal(member->name, params[i].member) && (is_openai || !params[i].openai_only))
			return put_param(maker, &params[i], member->value);
}

static struct value number_value(struct slice value)
{
	struct value number = { VALUE_INT, .integer = 0 };
	bool is_whole = !memchr(value.data, '.', value.len) && !memchr(value.data, 'e', value.len) &&
			!memchr(value.data, 'E', value.len);

	if (!is_whole || json_int(value, &number.integer) < 0) {
		number = (struct value){ VALUE_DOUBLE, .number = 0 };
		json_double(value, &number.number);
	}
	return number;
}

/* One argument under its bare name. A name with a dot would claim to be of some convention, ours perhaps: it stays in
 * the inputs only. */
static void put_argument(struct maker *maker, const struct json_iter *member)
{
	enum json_type type = json_type(member->value);
	struct slice name = member->name;
	struct value value = { VALUE_TEXT, .text = member->value };

	if (!name.len || memchr(name.data, '.', name.len) || memchr(name.data, '\\', name.len) || type == JSON_NULL ||
	    slice_equal(name, SLICE("messages")) || slice_equal(name, SLICE("input")))
		return;
	if (type == JSON_NUMBER)
		value = number_value(member->value);
	else if (type == JSON_TRUE || type == JSON_FALSE)
		value = (struct value){ VALUE_BOOL, .truth = type == JSON_TRUE };
	else if (type == JSON_STRING)
		value.text = make_keep(maker, unescaped(maker, member->value));
	else
		value.text = make_keep(maker, member->value);
	put_value(maker, make_keep(maker, name), value);
}

void span_put_request(struct maker *maker, const struct span_source *source)
{
	const struct call *call = source->call;
	bool is_openai = call_dialect_is(call, "openai.");

	if (!call->request_body.len || json_check(call->request_body, JSON_DEPTH_MAX) < 0)
		return;
	json_foreach_member(member, call->request_body) {
		put_params(maker, &member, is_openai);
		if (slice_equal(member.name, SLICE("options"))) {
			json_foreach_member(option, member.value)
				put_params(maker, &option, is_openai);
		}
		if (is_openai && source->opts->wants_mlflow)
			put_argument(maker, &member);
	}
}
