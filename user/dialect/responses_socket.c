/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses over a WebSocket: the client's "response.create" is the request, flat beside its type; the server's messages are
 * the events of the stream over HTTP. Only the first and the last of them name their response, the others go by order in
 * their lane (stream_id).
 */
#include "dialect/responses.h"

static const struct slice last_types[] = { SLICE("response.completed"), SLICE("response.incomplete"),
					   SLICE("response.failed"), SLICE("response.cancelled"), SLICE("error") };

enum { MSG_TYPE, MSG_STREAM, MSG_RESPONSE, _MSG_MAX };
static const struct slice message_names[_MSG_MAX] = {
	[MSG_TYPE] = SLICE("type"), [MSG_STREAM] = SLICE("stream_id"), [MSG_RESPONSE] = SLICE("response")
};

static bool type_is_last(struct slice type)
{
	for (size_t i = 0; i < ARRAY_SIZE(last_types); i++)
		if (slice_equal(type, last_types[i]))
			return true;
	return false;
}

static void step(enum message_kind kind, const struct message_part *part, struct session_step *ret)
{
	struct slice got[_MSG_MAX] = { 0 }, type;

	PICK(json_trim(part->data), message_names, got);
	type = json_raw_text(got[MSG_TYPE]);
	ret->lane = json_raw_text(got[MSG_STREAM]);
	if (kind == MESSAGE_REQUEST) {
		if (slice_equal(type, SLICE("response.create")))
			ret->is = SESSION_OPEN;
		else if (slice_starts(type, SLICE("response.inject")))
			ret->is = SESSION_EVENT;
		return;
	}
	if (type_is_last(type))
		ret->is = SESSION_END;
	else if (slice_starts(type, SLICE("response.")))
		ret->is = SESSION_EVENT;
	ret->key = json_raw_text(json_get(got[MSG_RESPONSE], SLICE("id")));
	ret->opens = ret->overtakes = slice_equal(type, SLICE("response.created"));
}

const struct dialect_session responses_session = { .step = step };

unsigned responses_socket_score(const struct dialect_hint *hint)
{
	struct slice ask = json_trim(hint->request_body), answer = json_trim(hint->response_body);

	if (path_ends(hint->path, SLICE("/responses")))
		return SCORE_SURE;
	if (json_text_is(json_get(ask, SLICE("type")), SLICE("response.create")))
		return body_keys(ask) & (KEY_INPUT | KEY_INPUT_ITEMS | KEY_MODEL | KEY_RESPONSES) ? SCORE_SURE : 0;
	return json_text_is(json_path(answer, "response", "object", NULL), SLICE("response")) ? SCORE_ANSWER : 0;
}
