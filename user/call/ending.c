/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An end has a witness: the framing, or the dialect's own end mark, else the way the connection was closed, read from
 * the client's chair. Only what no hole, no budget and no late start has touched is called complete; when in doubt it
 * is not.
 */
#include "call/ending.h"
#include "base/json.h"

/* What a close means: seen at the client's end, seen at the server's. */
static const enum call_end ends_by_close[][2] = {
	[CLOSE_UNKNOWN] = { CALL_END_UNKNOWN, CALL_END_UNKNOWN },
	[CLOSE_LOCAL] = { CALL_END_CLIENT_CANCEL, CALL_END_SERVER_CUT },
	[CLOSE_REMOTE] = { CALL_END_SERVER_CUT, CALL_END_CLIENT_CANCEL },
	[CLOSE_RESET] = { CALL_END_RESET, CALL_END_RESET },
	[CLOSE_EXIT] = { CALL_END_CLIENT_CANCEL, CALL_END_SERVER_CUT },
};

/* Request headers by which a client says how long it will wait, in decimal seconds. */
static const struct slice timeout_headers[] = { SLICE("x-stainless-read-timeout"), SLICE("x-stainless-timeout") };

/* "0.7" in nanoseconds; 0: no number. Beyond some years it no longer matters how many. */
static uint64_t seconds_parse(struct slice text)
{
	uint64_t ns = 0, unit = 1000000000;
	bool is_fraction = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '.' && !is_fraction) {
			is_fraction = true;
			continue;
		}
		if (c < '0' || c > '9')
			return 0;
		if (is_fraction)
			ns += (uint64_t)(c - '0') * (unit /= 10);
		else if (ns < UINT64_MAX / 100)
			ns = ns * 10 + (uint64_t)(c - '0') * unit;
	}
	return ns;
}

static uint64_t timeout_told(const struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(timeout_headers); i++) {
		uint64_t ns = seconds_parse(
			call_header(call->request_headers, call->request_header_count, timeout_headers[i]));

		if (ns)
			return ns;
	}
	return 0;
}

/* The client left when its patience, as it had told it, was over: clocks and timers get 5 %. */
static bool client_ran_out_of_time(const struct draft *draft, uint64_t close_ns)
{
	const struct call *call = draft->call;
	uint64_t told = timeout_told(call);
	uint64_t since = MAX(MAX(draft->answer_activity_ns, call->request_end_ns), call->request_start_ns);

	return told && close_ns > since && close_ns - since >= told - told / 20;
}

/* An end that was never told: the call is over by its own end mark, by silence, by a flush. @so_far: the sums until now. */
static struct message_end end_untold(struct draft *draft, enum message_kind kind, const struct message_end *so_far,
				     enum close_how how, uint64_t close_ns)
{
	bool has_head = draft_has_head(draft, kind);
	bool is_known = has_head ? draft->call->ended_itself : kind == MESSAGE_RESPONSE && how != CLOSE_UNKNOWN;
	int64_t missing = is_known ? 0 : -1;

	return (struct message_end){
		.how = is_known ? MESSAGE_END_CUT : MESSAGE_END_LOST,
		.conn_how = how,
		.body_bytes = !has_head                          ? missing
			      : is_known && so_far->stream_bytes ? so_far->body_bytes
								 : -1,
		.stream_bytes = so_far->stream_bytes,
		.missing_bytes = is_known ? so_far->missing_bytes : -1,
		.shed_bytes = so_far->shed_bytes,
		.missing_reasons = so_far->missing_reasons |
				   (has_head || kind == MESSAGE_RESPONSE ? 0 : 1u << MISSING_JOINED_LATE),
		.content_type = so_far->content_type,
		.time_ns = close_ns,
	};
}

void ending_fill(struct draft *draft, enum close_how how, uint64_t close_ns)
{
	struct message_end *ends[] = { &draft->call->request_end, &draft->call->response_end };

	for (enum message_kind kind = 0; kind < _MESSAGE_MAX; kind++)
		if (!draft_has_end(draft, kind))
			*ends[kind] = end_untold(draft, kind, ends[kind], how, close_ns);
}

/* A document that is whole has ended itself: who reads it by its brackets does not wait for the end of its framing. */
static bool answer_is_whole_document(const struct draft *draft)
{
	const struct call *call = draft->call;
	enum json_type type = json_type(json_trim(call->response_body));

	return !call->is_stream && (type == JSON_OBJECT || type == JSON_ARRAY) && !draft->body_cut[MESSAGE_RESPONSE] &&
	       !draft->hole_reasons[MESSAGE_RESPONSE] && json_check(call->response_body, JSON_DEPTH_MAX) == 0;
}

enum call_end ending_classify(const struct draft *draft, enum close_how how, uint64_t close_ns)
{
	const struct call *call = draft->call;
	const struct message_end *end = &call->response_end;
	enum call_end meaning;

	if (call->ended_itself)
		return CALL_END_COMPLETE;
	if (draft_has_end(draft, MESSAGE_RESPONSE)) {
		if (end->how == MESSAGE_END_FRAMED)
			return CALL_END_COMPLETE;
		if (end->how == MESSAGE_END_LOST)
			return CALL_END_UNKNOWN;
		how = end->conn_how ? end->conn_how : how;
	} else if (draft_has_end(draft, MESSAGE_REQUEST) && call->request_end.how == MESSAGE_END_CUT) {
		how = call->request_end.conn_how ? call->request_end.conn_how : how;
	}
	if (how >= ARRAY_SIZE(ends_by_close))
		return CALL_END_UNKNOWN;
	meaning = ends_by_close[how][draft->key.is_server];
	if (meaning == CALL_END_CLIENT_CANCEL && answer_is_whole_document(draft))
		return CALL_END_COMPLETE;
	if (meaning == CALL_END_CLIENT_CANCEL && client_ran_out_of_time(draft, close_ns))
		return CALL_END_TIMEOUT;
	return meaning;
}

uint64_t ending_time(const struct draft *draft, uint64_t close_ns)
{
	const struct call *call = draft->call;
	uint64_t last = MAX(draft->answer_activity_ns, call->request_end_ns);

	if (call->end == CALL_END_COMPLETE || call->end == CALL_END_UNKNOWN)
		return last ? last : draft->activity_ns;
	return MAX(close_ns, draft->activity_ns);
}

/* Bytes for which there was no memory are missing like those that were never copied. */
static void message_judge(struct draft *draft, enum message_kind kind, struct message_end *end)
{
	end->missing_reasons |= draft->hole_reasons[kind];
	if (!draft->body_cut[kind])
		return;
	end->missing_reasons |= 1u << MISSING_BUDGET;
	/* stream_bytes is the unit: of a compressed body more was cut than ever travelled. */
	if (end->missing_bytes >= 0)
		end->missing_bytes =
			(int64_t)MIN((uint64_t)end->missing_bytes + draft->body_cut[kind], end->stream_bytes);
	end->shed_bytes = MIN(end->shed_bytes + draft->body_cut[kind],
			      end->missing_bytes >= 0 ? (uint64_t)end->missing_bytes : end->stream_bytes);
}

static struct message_end *message_end_of(struct call *call, enum message_kind kind)
{
	return kind == MESSAGE_REQUEST ? &call->request_end : &call->response_end;
}

/* Cut where nobody told how far the connection went: what followed may have been lost. Behind the answer's own end mark nothing
 * follows in the answer; nor is a request cut that goes on while its connection does. */
static bool message_may_go_on(const struct draft *draft, enum message_kind kind)
{
	const struct message_end *end = message_end_of(draft->call, kind);

	if (end->how != MESSAGE_END_CUT || end->conn_how != CLOSE_UNKNOWN || end->is_reset)
		return false;
	return kind == MESSAGE_REQUEST ? draft_has_end(draft, kind) : !draft->call->ended_itself;
}

static bool message_is_whole(const struct draft *draft, enum message_kind kind)
{
	const struct message_end *end = message_end_of(draft->call, kind);

	return end->how != MESSAGE_END_LOST && end->missing_bytes == 0 && end->missing_reasons == 0 &&
	       !message_may_go_on(draft, kind);
}

static bool call_is_whole(const struct draft *draft)
{
	return message_is_whole(draft, MESSAGE_REQUEST) && message_is_whole(draft, MESSAGE_RESPONSE);
}

/* Something of it is missing, but nobody counted it: that is not "nothing". */
static void missing_tell(const struct draft *draft, enum message_kind kind)
{
	struct message_end *end = message_end_of(draft->call, kind);

	if (end->missing_bytes == 0 && !message_is_whole(draft, kind))
		end->missing_bytes = -1;
}

void ending_judge(struct draft *draft)
{
	struct call *call = draft->call;
	/* A peer that cuts its answer leaves what nobody can decode to the end; all that passed is here. */
	bool is_garbled = call->is_undecodable && call->response_end.how != MESSAGE_END_CUT;

	message_judge(draft, MESSAGE_REQUEST, &call->request_end);
	message_judge(draft, MESSAGE_RESPONSE, &call->response_end);
	if (call->request_is_late)
		call->request_end.missing_reasons |= 1u << MISSING_JOINED_LATE;
	if (call->response_is_late)
		call->response_end.missing_reasons |= 1u << MISSING_JOINED_LATE;
	if (is_garbled)
		call->response_end.missing_reasons |= 1u << MISSING_UNDECODABLE;
	if (draft->heap.refused && call_is_whole(draft))
		call->response_end.missing_reasons |= 1u << MISSING_BUDGET;
	call->is_complete = call_is_whole(draft);
	missing_tell(draft, MESSAGE_REQUEST);
	missing_tell(draft, MESSAGE_RESPONSE);
}
