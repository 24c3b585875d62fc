/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1 of one connection: two directions, each a small machine over its messages, and between them the pairing of answers
 * with requests, which also decides how an answer is framed.
 *
 *	FLOW_HEAD --head whole--> FLOW_LENGTH | FLOW_CHUNKED | FLOW_CLOSE --framing's end--> FLOW_HEAD
 *	    ^                          |
 *	    +------ place found ------ FLOW_SEEK <--- no head, hole, broken framing --- any
 */
#include "proto/http1.h"
#include "proto/frame_array.h"

void flow_passed(struct http1 *http1, struct flow *flow, uint64_t len, uint64_t time_ns)
{
	if (flow->out.is_open)
		outgoing_passed(&flow->out, len, time_ns);
	else
		http1->proto->stray_bytes += len;
}

/* ---- who is who ---- */

bool flow_may_be(const struct http1 *http1, const struct flow *flow, enum message_kind kind)
{
	bool is_client = flow->dir == http1->client;

	return !http1->has_roles || http1->is_role_guess || is_client == (kind == MESSAGE_REQUEST);
}

static void roles_set(struct http1 *http1, enum direction client, bool is_guess)
{
	struct flow *flow = &http1->flows[client];

	if (http1->has_roles && (is_guess || !http1->is_role_guess))
		return;
	http1->client = client;
	http1->has_roles = true;
	http1->is_role_guess = is_guess;
	/* What was taken for an answer's middle in this direction was none. */
	if (flow->out.is_open && flow->out.kind == MESSAGE_RESPONSE)
		outgoing_end(&flow->out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
}

void flow_notice(struct http1 *http1, struct flow *flow)
{
	if (!flow->out.is_open || !flow->out.is_told)
		return;
	http1->has_found = true;
	if (!http1->has_roles)
		roles_set(http1, direction_other(flow->dir), true);
}

/* ---- the ends of messages ---- */

/* What of a lost message did not come by now will not come any more. */
void flow_give_up(struct http1 *http1, struct flow *flow)
{
	if (flow->state != FLOW_SEEK || !flow->out.is_told)
		return;
	seek_end(http1, flow);
	outgoing_end(&flow->out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
}

static void message_done(struct http1 *http1, struct flow *flow)
{
	struct flow *requests = flow_other(http1, flow);
	uint64_t exchange = flow->out.exchange;

	flow->state = FLOW_HEAD;
	if (!flow->out.is_open)
		return;
	if (flow->out.kind == MESSAGE_REQUEST)
		http1->request_end_ns = flow->out.last_ns;
	outgoing_end(&flow->out, MESSAGE_END_FRAMED, CLOSE_UNKNOWN);
	if (flow->dir != http1->client) {
		http1->pairing.is_doubtful = false;
		/* An answer is whole: so much for its request. */
		if (requests->out.exchange == exchange)
			flow_give_up(http1, requests);
	}
}

/* An answer to a request that nobody saw says how long its body is; to HEAD it has none all the same. The next request shows it. */
static void answer_ends_with_head(struct http1 *http1, struct flow *flow)
{
	bool has_body = flow->state >= FLOW_LENGTH && flow->state <= FLOW_CLOSE;

	if (flow->is_bodyless_yet && has_body && flow->out.is_open && !flow->out.body_bytes)
		message_done(http1, flow);
	flow->is_bodyless_yet = false;
}

/* ---- heads ---- */

static void head_clear(struct flow *flow)
{
	buf_free(&flow->line);
	flow->line_start = 0;
	flow->has_start = flow->is_found = false;
}

/* Ends what is open, opens the message, pairs it, tells its head. */
static void head_tell(struct http1 *http1, struct flow *flow, struct http1_head *http, uint64_t time_ns)
{
	bool is_request = flow->kind == MESSAGE_REQUEST;

	http1->has_found = true;
	http1->heads |= 1u << flow->kind;
	roles_set(http1, is_request ? flow->dir : direction_other(flow->dir), false);
	outgoing_end(&flow->out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
	outgoing_open(&flow->out, http1->proto, flow->kind, flow->dir, flow->line_ns);
	outgoing_passed(&flow->out, flow->carry + flow->line.len, time_ns);
	flow->carry = 0;
	if (is_request) {
		flow_give_up(http1, flow_other(http1, flow));
		answer_ends_with_head(http1, flow_other(http1, flow));
		flow_pair_request(http1, &flow->out, http);
	} else {
		flow->is_bodyless_yet = !pairing_next(&http1->pairing);
		flow_pair_answer(http1, &flow->out);
		if (http->framing != FRAMING_HANDS_ON)
			upgrade_refuse(http1, flow_other(http1, flow));
	}
	outgoing_tell(&flow->out, &http->head);
	flow->seeks_chunks = http->framing == FRAMING_CHUNKED;
	flow->seeks_frames = flow->seeks_chunks && !http->shape.coding_count && http->shape.frame != FRAME_BYTES;
}

/* The head is told, but where its body ends is not known. */
static void head_lose(struct http1 *http1, struct flow *flow, enum missing_reason reason, uint64_t time_ns)
{
	if (flow->kind == MESSAGE_RESPONSE) {
		outgoing_shape_unknown(&flow->out, reason);
		flow->seeks_chunks = flow->seeks_frames = true;
	}
	outgoing_break(&flow->out, reason, time_ns);
	seek_begin(http1, flow, reason, time_ns);
}

static void body_begin(struct http1 *http1, struct flow *flow, const struct http1_head *http, uint64_t time_ns)
{
	static const enum flow_state states[] = {
		[FRAMING_LENGTH] = FLOW_LENGTH, [FRAMING_CHUNKED] = FLOW_CHUNKED, [FRAMING_CLOSE] = FLOW_CLOSE
	};

	switch (http->framing) {
	case FRAMING_LENGTH:
	case FRAMING_CHUNKED:
	case FRAMING_CLOSE:
		flow->state = states[http->framing];
		flow->left = http->length;
		flow->chunked = (struct chunked){ 0 };
		outgoing_shape(&flow->out, &http->shape);
		break;
	case FRAMING_BAD:
		head_lose(http1, flow, MISSING_UNDECODABLE, time_ns);
		break;
	case FRAMING_HANDS_ON:
		if (upgrade_accept(http1, flow, http))
			break;
		message_done(http1, flow);
		proto_give_up(http1->proto);
		break;
	default:
		if (!upgrade_wait(flow, http))
			message_done(http1, flow);
		break;
	}
}

/* What flow->line holds, a start line and whole field lines, is the head: tells it. Its rest beyond them stays untold.
 * false: it was an interim answer, which is none. */
static bool head_parse(struct http1 *http1, struct flow *flow, struct http1_head *http, uint64_t time_ns)
{
	struct proto *proto = http1->proto;
	size_t fields_len = proto->opts.fields_max * sizeof(struct header);
	struct header *fields = alloc_get(proto->opts.alloc, fields_len);
	const struct asked *asked;
	bool is_told;

	if (flow->kind == MESSAGE_RESPONSE)
		flow_tell_answered(http1, flow, time_ns);
	asked = pairing_next(&http1->pairing);
	http1_head_parse(http, flow->kind, flow->line.data, flow->line_start, fields,
			 fields ? proto->opts.fields_max : 0, asked ? (enum http1_method)asked->method : METHOD_OTHER);
	if (asked && asked->is_streaming && http->head.status == 200)
		http->shape.frame = http1_frame_of(http->head.headers, http->head.header_count, http->shape.frame);
	is_told = http->framing != FRAMING_INTERIM;
	if (is_told) {
		head_tell(http1, flow, http, time_ns);
	} else {
		outgoing_end(&flow->out, MESSAGE_END_LOST, CLOSE_UNKNOWN);
		flow->carry += flow->line.len;
	}
	alloc_put(proto->opts.alloc, fields, fields_len);
	head_clear(flow);
	flow->state = FLOW_HEAD;
	return is_told;
}

/* The head is whole. */
static void head_take(struct http1 *http1, struct flow *flow, uint64_t time_ns)
{
	struct http1_head http;

	if (!head_parse(http1, flow, &http, time_ns)) {
		if (http.is_h2c)
			http1_to_http2(http1, flow);
		return;
	}
	if (http.has_too_many)
		head_lose(http1, flow, MISSING_BUDGET, time_ns);
	else
		body_begin(http1, flow, &http, time_ns);
}

/* No more of the head will come, because of @reason: tells what is known. false: nothing is. */
static bool head_take_part(struct http1 *http1, struct flow *flow, enum missing_reason reason, uint64_t time_ns)
{
	size_t untold = flow->line.len - flow->line_start;
	struct http1_head http;

	if (!flow->has_start || flow->is_found || !head_parse(http1, flow, &http, time_ns))
		return false;
	outgoing_missed(&flow->out, untold, reason);
	head_lose(http1, flow, reason, time_ns);
	return true;
}

/* The open line is of no head. What lies before it is passed over, not searched again: so the cost stays linear. */
static void head_deny(struct http1 *http1, struct flow *flow, uint64_t time_ns)
{
	enum missing_reason reason = flow->is_found ? flow->reason : MISSING_UNDECODABLE;

	if (flow->line_start) {
		if (flow->out.is_open)
			outgoing_missed(&flow->out, flow->line_start, reason);
		flow_passed(http1, flow, flow->line_start, time_ns);
		buf_consume(&flow->line, flow->line_start);
		flow->line_start = 0;
	}
	seek_begin(http1, flow, reason, time_ns);
}

/* The head is longer than it may be, or memory is. */
static void head_breach(struct http1 *http1, struct flow *flow, size_t unkept, uint64_t time_ns)
{
	bool is_part = head_take_part(http1, flow, MISSING_BUDGET, time_ns);
	size_t passed = flow->line.len + unkept;

	if (flow->out.is_open)
		outgoing_missed(&flow->out, passed, MISSING_BUDGET);
	flow_passed(http1, flow, passed, time_ns);
	head_clear(flow);
	if (!is_part)
		seek_begin(http1, flow, MISSING_BUDGET, time_ns);
	flow->is_long = true;
}

/* flow->line ends with a whole line. */
static void head_line(struct http1 *http1, struct flow *flow, uint64_t time_ns)
{
	struct slice line = slice_trim(slice_from(buf_slice(&flow->line), flow->line_start));
	size_t next = flow->line.len;

	if (flow->has_start && !line.len) {
		flow->line_start = next;
		head_take(http1, flow, time_ns);
	} else if (flow->has_start && flow->is_found && !http1_line_is_field(line)) {
		head_deny(http1, flow, time_ns);
	} else if (flow->has_start) {
		flow->line_start = next;
	} else if (!line.len) {
		/* Blank lines before a message are allowed, and count to it. */
		flow->carry += next;
		buf_reset(&flow->line);
	} else if (http1_line_is_start(line, &flow->kind) && flow_may_be(http1, flow, flow->kind)) {
		flow->has_start = true;
		flow->line_start = next;
	} else {
		head_deny(http1, flow, time_ns);
	}
}

static void head_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns)
{
	struct slice piece = flow_line_take(flow, in, time_ns);

	if (flow->line.failed || !piece.len)
		head_breach(http1, flow, piece.len, time_ns);
	else if (!flow->has_start && http1_sniff(slice_head(buf_slice(&flow->line), SNIFF_BYTES)) == SNIFF_NO)
		head_deny(http1, flow, time_ns);
	else if (piece.data[piece.len - 1] == '\n')
		head_line(http1, flow, time_ns);
	else if (flow->line.len == flow->line.max)
		head_breach(http1, flow, 0, time_ns);
}

/* ---- bodies ---- */

static void length_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns)
{
	struct slice bytes = slice_head(*in, MIN(flow->left, (uint64_t)in->len));

	*in = slice_from(*in, bytes.len);
	flow->left -= bytes.len;
	flow_passed(http1, flow, bytes.len, time_ns);
	outgoing_body(&flow->out, bytes, time_ns);
	if (!flow->left)
		message_done(http1, flow);
}

static void close_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns)
{
	flow_passed(http1, flow, in->len, time_ns);
	outgoing_body(&flow->out, *in, time_ns);
	*in = slice_from(*in, in->len);
}

static void chain_lose(struct http1 *http1, struct flow *flow, enum missing_reason reason, uint64_t time_ns)
{
	if (flow->out.is_open && flow->dir != http1->client)
		pairing_doubt(&http1->pairing);
	flow->out.is_lost = flow->out.is_length_hidden = true;
	seek_begin(http1, flow, reason, time_ns);
}

static void chunked_step(struct http1 *http1, struct flow *flow, struct slice *in, uint64_t time_ns)
{
	struct slice data = SLICE_NONE;
	size_t before = in->len;
	enum chunk_step step = chunked_next(&flow->chunked, in, &data);

	flow_passed(http1, flow, before - in->len, time_ns);
	switch (step) {
	case CHUNK_OPEN:
		outgoing_boundary(&flow->out);
		break;
	case CHUNK_DATA:
		outgoing_body(&flow->out, data, time_ns);
		flow_notice(http1, flow);
		break;
	case CHUNK_END:
		message_done(http1, flow);
		break;
	case CHUNK_BAD:
		if (flow->out.is_open)
			outgoing_break(&flow->out, MISSING_UNDECODABLE, time_ns);
		chain_lose(http1, flow, MISSING_UNDECODABLE, time_ns);
		break;
	case CHUNK_MORE:
		break;
	}
}

/* ---- holes ---- */

/* A hole where a head is due, or in its middle. */
static void head_hole(struct http1 *http1, struct flow *flow, uint64_t len, enum missing_reason reason,
		      uint64_t time_ns)
{
	if (head_take_part(http1, flow, reason, time_ns)) {
		seek_hole(http1, flow, len, reason, time_ns);
		return;
	}
	if (!flow->is_found && flow_tell_hidden(http1, flow, reason, flow->line.len ? flow->line_ns : time_ns)) {
		outgoing_passed(&flow->out, flow->carry, time_ns);
		flow->carry = 0;
	}
	if (flow->out.is_open)
		outgoing_missed(&flow->out, flow->line.len, reason);
	flow_passed(http1, flow, flow->line.len, time_ns);
	head_clear(flow);
	seek_begin(http1, flow, reason, time_ns);
	seek_hole(http1, flow, len, reason, time_ns);
}

static void flow_hole(struct http1 *http1, struct flow *flow, uint64_t len, enum missing_reason reason,
		      uint64_t time_ns)
{
	uint64_t inside = len;

	switch (flow->state) {
	case FLOW_LENGTH:
		inside = MIN(len, flow->left);
		outgoing_hole(&flow->out, inside, reason, true, time_ns);
		flow->left -= inside;
		if (!flow->left)
			message_done(http1, flow);
		if (len > inside)
			head_hole(http1, flow, len - inside, reason, time_ns);
		break;
	case FLOW_CHUNKED:
		if (!flow->out.is_open) {
			http1->proto->stray_bytes += len;
			if (!chunked_hole(&flow->chunked, len))
				chain_lose(http1, flow, reason, time_ns);
			break;
		}
		if (chunked_hole(&flow->chunked, len)) {
			outgoing_hole(&flow->out, len, reason, true, time_ns);
		} else {
			outgoing_hole(&flow->out, len, reason, false, time_ns);
			chain_lose(http1, flow, reason, time_ns);
		}
		break;
	case FLOW_CLOSE:
		outgoing_hole(&flow->out, len, reason, true, time_ns);
		break;
	case FLOW_SEEK:
		seek_hole(http1, flow, len, reason, time_ns);
		break;
	case FLOW_WAIT:
	case FLOW_SOCKET:
		socket_hole(http1, flow, len, reason, time_ns);
		break;
	default:
		head_hole(http1, flow, len, reason, time_ns);
		break;
	}
}

/* ---- the carrier ---- */

static void *http1_open(struct proto *proto, bool is_late)
{
	struct http1 *http1 = alloc_get(proto->opts.alloc, sizeof(*http1));

	if (!http1)
		return NULL;
	http1->proto = proto;
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		http1->flows[dir].dir = (enum direction)dir;
		http1->flows[dir].line = BUF(proto->opts.alloc, proto->opts.head_bytes_max);
		http1->flows[dir].reason = MISSING_JOINED_LATE;
		http1->flows[dir].state = is_late ? FLOW_SEEK : FLOW_HEAD;
	}
	return http1;
}

static void http1_free(void *state)
{
	struct http1 *http1 = state;

	for (int dir = 0; dir < _DIR_MAX; dir++) {
		buf_free(&http1->flows[dir].line);
		outgoing_free(&http1->flows[dir].out);
	}
	websocket_free(http1->socket);
	alloc_put(http1->proto->opts.alloc, http1, sizeof(*http1));
}

/* A direction that is sought through from its very beginning opens what it may be at its first byte. */
static void late_begin(struct http1 *http1, struct flow *flow, uint64_t time_ns)
{
	if (flow->state == FLOW_SEEK && !flow->out.is_open && !flow->line.len && !http1->has_found)
		seek_begin(http1, flow, MISSING_JOINED_LATE, time_ns);
}

static void http1_bytes(void *state, enum direction dir, uint64_t time_ns, struct slice data)
{
	static void (*const steps[_FLOW_MAX])(struct http1 * http1, struct flow * flow, struct slice * in,
					      uint64_t time_ns) = {
		[FLOW_HEAD] = head_step,     [FLOW_LENGTH] = length_step, [FLOW_CHUNKED] = chunked_step,
		[FLOW_CLOSE] = close_step,   [FLOW_SEEK] = seek_step,     [FLOW_WAIT] = wait_step,
		[FLOW_SOCKET] = socket_step,
	};
	struct http1 *http1 = state;
	struct flow *flow = &http1->flows[dir];

	late_begin(http1, flow, time_ns);
	while (data.len && !http1->proto->is_quiet && !http1->proto->next)
		steps[flow->state](http1, flow, &data, time_ns);
	if (http1->proto->next)
		http1->proto->left = data;
	else
		http1->proto->stray_bytes += data.len;
}

static void http1_hole(void *state, enum direction dir, uint64_t len, enum missing_reason reason, uint64_t time_ns)
{
	struct http1 *http1 = state;

	late_begin(http1, &http1->flows[dir], time_ns);
	flow_hole(http1, &http1->flows[dir], len, reason, time_ns);
}

static bool http1_is_between(const void *state, enum direction dir)
{
	const struct flow *flow = &((const struct http1 *)state)->flows[dir];

	return flow->state == FLOW_HEAD && !flow->line.len && !flow->out.is_open;
}

/* Whether the end of the connection is the end of a body that has no other. */
static bool close_delimits(const struct flow *flow, enum close_how how)
{
	return how == (flow->dir == DIR_WRITE ? CLOSE_LOCAL : CLOSE_REMOTE);
}

static void flow_end(struct http1 *http1, struct flow *flow, enum close_how how)
{
	bool is_bare =
		flow->state == FLOW_CLOSE || (flow->state == FLOW_SEEK && flow->seeks_frames && !flow->has_chain);
	enum message_end_how end = is_bare && close_delimits(flow, how) ? MESSAGE_END_FRAMED : MESSAGE_END_CUT;
	struct http1_head http;

	socket_end(http1, flow);
	if (flow->state == FLOW_SEEK) {
		seek_end(http1, flow);
	} else if (flow->has_start && !flow->is_found) {
		/* What came of the head is told, and that nothing of it is missing: its sender stopped here. */
		head_parse(http1, flow, &http, flow->line_ns);
	} else {
		flow_passed(http1, flow, flow->line.len, flow->line_ns);
	}
	http1->proto->stray_bytes += flow->carry;
	flow->carry = 0;
	head_clear(flow);
	outgoing_end(&flow->out, flow->out.is_lost ? MESSAGE_END_LOST : end, how);
	flow->state = FLOW_HEAD;
}

static void http1_end(void *state, enum close_how how, uint64_t time_ns)
{
	struct http1 *http1 = state;

	enum direction client = http1->client; /* may become known by the last head */

	flow_end(http1, &http1->flows[client], how);
	flow_end(http1, &http1->flows[direction_other(client)], how);
}

static void http1_skip(void *state, uint64_t exchange)
{
	struct http1 *http1 = state;

	pairing_skip(&http1->pairing, exchange);
	for (int dir = 0; dir < _DIR_MAX; dir++) {
		struct outgoing *out = &http1->flows[dir].out;

		if (out->is_open && out->kind == MESSAGE_RESPONSE && out->exchange == exchange)
			out->is_skipped = true;
	}
}

static bool http1_so_far(const void *state, uint64_t exchange, enum message_kind kind, struct message_end *ret)
{
	const struct flow *flows = ((const struct http1 *)state)->flows;

	return outgoing_so_far(&flows[DIR_READ].out, exchange, kind, ret) ||
	       outgoing_so_far(&flows[DIR_WRITE].out, exchange, kind, ret);
}

const struct carrier carrier_http1 = {
	.name = "http1",
	.sniff = http1_sniff,
	.open = http1_open,
	.bytes = http1_bytes,
	.hole = http1_hole,
	.is_between = http1_is_between,
	.end = http1_end,
	.skip = http1_skip,
	.so_far = http1_so_far,
	.free = http1_free,
};
