/* SPDX-License-Identifier: Apache-2.0 */
/* Which exchange a message belongs to: requests take numbers and wait, answers find them; what was hidden is told as late. */
#include "proto/frame_array.h"
#include "proto/http1.h"

/* @out, just opened, gets its exchange's number and joins the requests that wait for an answer. */
void flow_pair_request(struct http1 *http1, struct outgoing *out, const struct http1_head *http)
{
	struct asked asked = { .exchange = ++http1->proto->exchanges, .method = METHOD_OTHER, .is_guess = !http };

	if (http) {
		asked.method = http->method;
		asked.is_streaming = frame_target_streams(http->head.target);
	}

	out->exchange = asked.exchange;
	asked.start_ns = out->start_ns;
	asked.is_pipelined = http1->request_end_ns && out->start_ns == http1->request_end_ns;
	pairing_ask(&http1->pairing, &asked);
}

void flow_pair_answer(struct http1 *http1, struct outgoing *out)
{
	const struct asked *asked = pairing_next(&http1->pairing);

	if (asked) {
		out->exchange = asked->exchange;
		out->is_skipped = asked->is_skipped;
	}
	pairing_answer(&http1->pairing);
}

/* Answers that lay in a hole as a whole, before the one that begins now. */
void flow_tell_answered(struct http1 *http1, struct flow *flow, uint64_t time_ns)
{
	struct outgoing out;
	struct asked asked;

	while (pairing_take_hidden(&http1->pairing, MIN(flow->line_ns, time_ns), &asked)) {
		outgoing_open(&out, http1->proto, MESSAGE_RESPONSE, flow->dir, time_ns);
		out.exchange = asked.exchange;
		out.is_hidden = true;
		outgoing_tell_late(&out, flow->reason);
		outgoing_end(&out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
	}
}

bool flow_tell_hidden(struct http1 *http1, struct flow *flow, enum missing_reason reason, uint64_t time_ns)
{
	bool is_request = flow->dir == http1->client;

	if (!http1->has_roles || (!is_request && !pairing_next(&http1->pairing)))
		return false;
	outgoing_end(&flow->out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
	outgoing_open(&flow->out, http1->proto, is_request ? MESSAGE_REQUEST : MESSAGE_RESPONSE, flow->dir, time_ns);
	flow->out.is_lost = true;
	flow->seeks_chunks = flow->seeks_frames = !is_request;
	if (is_request) {
		/* An answer before it, whose end was lost, is over by now. */
		flow_give_up(http1, flow_other(http1, flow));
		flow_pair_request(http1, &flow->out, NULL);
	} else {
		flow_pair_answer(http1, &flow->out);
	}
	outgoing_tell_late(&flow->out, reason);
	if (!is_request)
		outgoing_shape_unknown(&flow->out, reason);
	return true;
}
