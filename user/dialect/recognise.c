/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dialect is told by its path behind any prefix, confirmed by the names at the top of the body; a host never decides.
 * Bodies may be cut anywhere: what is asked for is asked only of what can have been seen.
 */
#include "dialect/common.h"

/* A body is looked at only so far when its path already tells: a prompt of megabytes may come before the last names. */
enum { LOOK_MAX = 256 << 10 };

static const struct {
	struct slice name;
	unsigned key;
} body_names[] = {
	{ SLICE("model"), KEY_MODEL },
	{ SLICE("messages"), KEY_MESSAGES },
	{ SLICE("prompt"), KEY_PROMPT },
	{ SLICE("input"), KEY_INPUT },
	{ SLICE("inputs"), KEY_INPUTS },
	{ SLICE("contents"), KEY_CONTENTS },
	{ SLICE("max_tokens"), KEY_MAX_TOKENS },
	{ SLICE("system"), KEY_SYSTEM },
	{ SLICE("anthropic_version"), KEY_VERSION },
	{ SLICE("instructions"), KEY_RESPONSES },
	{ SLICE("previous_response_id"), KEY_RESPONSES },
	{ SLICE("reasoning"), KEY_RESPONSES },
	{ SLICE("text"), KEY_RESPONSES },
	{ SLICE("store"), KEY_RESPONSES },
	{ SLICE("max_output_tokens"), KEY_RESPONSES },
	{ SLICE("jsonrpc"), KEY_JSONRPC },
};

static unsigned input_key(struct slice value)
{
	struct json_iter iter = json_iter(value);

	if (json_type(value) == JSON_ARRAY && json_next(&iter) && json_type(iter.value) == JSON_OBJECT)
		return KEY_INPUT_ITEMS;
	return KEY_INPUT;
}

unsigned body_keys(struct slice body)
{
	unsigned keys = 0;

	body = json_trim(slice_head(body, LOOK_MAX));
	if (json_type(body) != JSON_OBJECT)
		return 0;
	json_foreach_member(member, body) {
		for (size_t i = 0; i < ARRAY_SIZE(body_names); i++)
			if (slice_equal(member.name, body_names[i].name))
				keys |= body_names[i].key == KEY_INPUT ? input_key(member.value) : body_names[i].key;
	}
	return keys;
}

bool path_ends(struct slice path, struct slice suffix)
{
	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	return slice_ends(path, suffix);
}

struct slice path_part(struct slice path, struct slice before)
{
	ptrdiff_t at = slice_find(path, before);
	struct slice rest = slice_from(path, at < 0 ? path.len : (size_t)at + before.len);
	size_t len = 0;

	while (len < rest.len && rest.data[len] != '/' && rest.data[len] != ':')
		len++;
	return slice_head(rest, len);
}

static bool rule_agrees(const struct path_rule *rule, unsigned keys, bool is_whole)
{
	if (keys & rule->none)
		return false;
	if (rule->any && !(keys & rule->any))
		return false;
	return is_whole ? (keys & rule->all) == rule->all : !rule->all || (keys & rule->all);
}

/* What path and request tell. */
static unsigned rules_score(const struct signature *signature, const struct dialect_hint *hint)
{
	bool is_whole = hint->request_is_whole && hint->request_body.len <= LOOK_MAX;
	bool is_unseen = !hint->request_is_whole && !hint->request_body.len;
	unsigned keys = 0, score = 0;
	bool has_keys = false;

	for (size_t i = 0; i < signature->rule_count; i++) {
		const struct path_rule *rule = &signature->rules[i];

		if (!path_ends(hint->path, slice_of(rule->suffix)))
			continue;
		if (!has_keys)
			keys = body_keys(hint->request_body);
		has_keys = true;
		if (keys && rule_agrees(rule, keys, is_whole))
			return SCORE_SURE;
		if (is_unseen && rule->alone)
			score = SCORE_PATH;
	}
	return score;
}

unsigned signature_score(const struct signature *signature, const struct dialect_hint *hint)
{
	unsigned score;

	if (!hint_is_post(hint))
		return 0;
	score = rules_score(signature, hint);
	if (score || !hint->response_body.len || !signature->answer)
		return score;
	return signature->answer(json_trim(hint->response_body)) ? SCORE_ANSWER : 0;
}

bool body_is_refusal(struct slice body)
{
	return json_type(json_get(body, SLICE("error"))) == JSON_OBJECT && !json_get(body, SLICE("type")).data;
}

unsigned refusal_score(const struct refusal *refusal, const struct dialect_hint *hint)
{
	if (hint->path.len || !hint->request_is_whole || !slice_equal(hint->method, SLICE("POST")) ||
	    !rule_agrees(&refusal->asked, body_keys(hint->request_body), true))
		return 0;
	return refusal->answer(json_trim(hint->response_body)) ? SCORE_BODY : 0;
}

/* The Agents SDK gives itself as the user agent, and always uses the asynchronous client. */
bool client_is_async(const struct call *call)
{
	struct slice agent = call_header(call->request_headers, call->request_header_count, SLICE("user-agent"));
	struct slice mode = call_header(call->request_headers, call->request_header_count, SLICE("x-stainless-async"));

	return slice_starts(mode, SLICE("async")) || slice_starts(agent, SLICE("Async")) ||
	       slice_starts(agent, SLICE("Agents/Python"));
}
