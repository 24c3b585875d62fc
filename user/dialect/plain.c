/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here knows a server: names come from the dialects that call. */
#include "dialect/plain.h"

static void prompt_put(struct parts *parts, struct slice prompt)
{
	if (json_type(prompt) == JSON_STRING)
		parts_text(parts, prompt);
	else if (json_type(prompt) == JSON_ARRAY)
		json_foreach_element(item, prompt)
			if (json_type(item.value) == JSON_STRING)
				parts_text(parts, item.value);
}

void plain_prompt(struct call *call, const struct slice *prompts, size_t count)
{
	struct parts parts;
	bool is_open = false;

	parts_init(&parts, call, json_trim(call->request_body));
	for (size_t i = 0; i < count; i++) {
		if (json_type(prompts[i]) != JSON_STRING && json_type(prompts[i]) != JSON_ARRAY)
			continue;
		if (!is_open)
			parts_message_open(&parts, SLICE("user"));
		is_open = true;
		prompt_put(&parts, prompts[i]);
	}
	if (is_open)
		parts_message_close(&parts, false, SLICE_NONE);
	call->input_messages = parts_finish(&parts);
}

bool plain_add(struct call *call, struct plain *plain, struct slice piece)
{
	return text_gather(call, &plain->text, piece);
}

bool plain_add_rest(struct call *call, struct plain *plain, struct slice text)
{
	struct slice raw = slice_from(json_raw_text(text), plain->text.len);

	call_lost(call, pieces_add(call->arena, &plain->text, raw));
	return raw.len;
}

struct slice plain_object(struct call *call, const struct plain *plain, struct slice name)
{
	struct out out;

	out_init(&out, call->arena, plain->last.len + plain->text.len + name.len + 16);
	json_open(&out.buf, '{');
	pieces_member_text(&out.buf, name, &plain->text);
	json_foreach_member(member, plain->last) {
		if (slice_equal(member.name, name))
			continue;
		json_put_raw_name(&out.buf, member.name);
		json_put_raw(&out.buf, member.value);
	}
	json_close(&out.buf, '}');
	return out_slice(&out);
}

bool plain_answer_open(struct call *call, struct slice *ret)
{
	struct slice object;

	*ret = json_trim(call->response_body);
	return answer_open(call, &object) ||
	       (!call->has_error && json_type(*ret) == JSON_ARRAY && !call->outputs_is_text);
}

static void said_put(struct parts *parts, struct slice text, struct slice reason)
{
	parts_message_open(parts, SLICE("assistant"));
	parts_text(parts, json_type(text) == JSON_STRING ? text : SLICE_NONE);
	parts_message_close(parts, true, reason);
}

void plain_said(struct call *call, struct slice text, struct slice reason)
{
	struct parts parts;

	finish_add(call, reason);
	parts_init(&parts, call, text);
	said_put(&parts, text, reason);
	call->output_messages = parts_finish(&parts);
}

void plain_said_each(struct call *call, struct slice list, struct slice name, struct slice reason)
{
	struct parts parts;

	finish_add(call, reason);
	parts_init(&parts, call, list);
	json_foreach_element(item, list)
		said_put(&parts, json_get(item.value, name), reason);
	call->output_messages = parts_finish(&parts);
}
