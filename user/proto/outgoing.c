/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The books of one message. Three sums run side by side: what passed on the connection, what of that is body, what of that
 * could not be read; the last two may be hidden, never guessed.
 */
#include "proto/outgoing.h"
#include <errno.h>

static enum missing_reason reason_of(int error)
{
	return error == -EBADMSG ? MISSING_UNDECODABLE : MISSING_BUDGET;
}

static void tell_hole(struct outgoing *out, enum missing_reason reason)
{
	out->missing_reasons |= 1u << reason;
	if (out->is_told && !out->is_skipped)
		out->proto->ops->hole(out->proto->user, out->exchange, out->kind, reason, out->last_ns);
}

void outgoing_part(struct outgoing *out, const struct message_part *part)
{
	if (!out->is_told)
		outgoing_tell_late(out, MISSING_JOINED_LATE);
	if (!out->is_skipped)
		out->proto->ops->part(out->proto->user, out->exchange, out->kind, part);
}

static void on_part(void *user, const struct message_part *part)
{
	outgoing_part(user, part);
}

void outgoing_lose(struct outgoing *out, uint64_t len, enum missing_reason reason)
{
	outgoing_missed(out, len, reason);
	tell_hole(out, reason);
}

/* Compressed, an event's length is not in the unit of the stream. */
static void frame_missed(struct outgoing *out, size_t len, enum missing_reason reason)
{
	if (out->body.shape.coding_count)
		out->is_hidden = true;
	outgoing_lose(out, len, reason);
}

static void on_lost(void *user, size_t len)
{
	frame_missed(user, len, MISSING_BUDGET);
}

static void on_damaged(void *user, size_t len)
{
	frame_missed(user, len, MISSING_UNDECODABLE);
}

static const struct frame_ops frame_ops = { .part = on_part, .lost = on_lost, .damaged = on_damaged };

void outgoing_open(struct outgoing *out, struct proto *proto, enum message_kind kind, enum direction dir,
		   uint64_t time_ns)
{
	*out = (struct outgoing){
		.proto = proto, .kind = kind, .dir = dir, .is_open = true, .start_ns = time_ns, .last_ns = time_ns
	};
}

void outgoing_tell(struct outgoing *out, struct message_head *head)
{
	if (!out->exchange)
		out->exchange = ++out->proto->exchanges;
	head->kind = out->kind;
	head->dir = out->dir;
	head->time_ns = out->start_ns;
	for (size_t i = 0; i < head->header_count; i++)
		if (slice_equal(head->headers[i].name, SLICE("content-type"))) {
			out->type_len = MIN(head->headers[i].value.len, sizeof(out->type));
			memcpy(out->type, head->headers[i].value.data, out->type_len);
		}
	out->is_told = true;
	out->proto->ops->head(out->proto->user, out->exchange, head);
}

void outgoing_tell_late(struct outgoing *out, enum missing_reason reason)
{
	struct message_head head = { .is_late = true };

	out->is_length_hidden = true;
	out->missing_reasons |= 1u << reason;
	outgoing_tell(out, &head);
}

void outgoing_shape(struct outgoing *out, const struct body_shape *shape)
{
	if (out->is_skipped)
		return;
	body_init(&out->body, &out->proto->opts, shape, &frame_ops, out);
	out->broken_by = MISSING_UNDECODABLE;
}

void outgoing_shape_unknown(struct outgoing *out, enum missing_reason reason)
{
	out->is_hidden = reason == MISSING_JOINED_LATE;
	out->is_length_hidden = true;
	outgoing_shape(out, &(struct body_shape){ .frame = FRAME_UNKNOWN });
}

void outgoing_passed(struct outgoing *out, uint64_t len, uint64_t time_ns)
{
	out->stream_bytes += len;
	if (len)
		out->last_ns = time_ns;
}

void outgoing_missed(struct outgoing *out, uint64_t len, enum missing_reason reason)
{
	out->missing_bytes += len;
	if (reason == MISSING_BUDGET)
		out->shed_bytes += len;
	out->missing_reasons |= 1u << reason;
}

static bool has_body(const struct outgoing *out)
{
	return out->body.opts != NULL;
}

void outgoing_body(struct outgoing *out, struct slice bytes, uint64_t time_ns)
{
	int error;

	out->body_bytes += bytes.len;
	out->last_ns = time_ns;
	if (out->is_skipped || !has_body(out) || !bytes.len)
		return;
	error = out->body.error;
	if (!error) {
		if (!body_feed(&out->body, bytes, time_ns))
			return;
		/* Where in these bytes the damage is, the decoder does not tell. */
		out->broken_by = reason_of(out->body.error);
		out->is_hidden = true;
	}
	outgoing_missed(out, bytes.len, out->broken_by);
	if (!error || out->body.shape.is_unknown_coding) {
		out->body.shape.is_unknown_coding = false;
		tell_hole(out, out->broken_by);
	}
}

void outgoing_boundary(struct outgoing *out)
{
	if (has_body(out) && !out->body.shape.coding_count)
		frame_boundary(&out->body.frame);
}

void outgoing_hole(struct outgoing *out, uint64_t len, enum missing_reason reason, bool in_body, uint64_t time_ns)
{
	outgoing_passed(out, len, time_ns);
	out->missing_bytes += len; /* not by us: it is in the books of whoever did not copy it */
	out->missing_reasons |= 1u << reason;
	if (in_body)
		out->body_bytes += len;
	else
		out->is_length_hidden = true;
	if (!out->is_skipped && has_body(out))
		body_hole(&out->body);
	tell_hole(out, reason);
}

void outgoing_break(struct outgoing *out, enum missing_reason reason, uint64_t time_ns)
{
	out->is_lost = out->is_length_hidden = true;
	out->last_ns = time_ns;
	if (!out->is_skipped && has_body(out))
		body_hole(&out->body);
	tell_hole(out, reason);
}

static int64_t known(uint64_t count, bool is_hidden)
{
	return is_hidden || count > INT64_MAX ? -1 : (int64_t)count;
}

static void books_tell(const struct outgoing *out, struct message_end *ret)
{
	ret->body_bytes = known(out->body_bytes, out->is_length_hidden);
	ret->stream_bytes = out->stream_bytes;
	ret->missing_bytes = known(MIN(out->missing_bytes, out->stream_bytes), out->is_hidden);
	ret->shed_bytes = MIN(out->shed_bytes, out->stream_bytes);
	ret->missing_reasons = out->missing_reasons;
	ret->is_reset = out->is_reset;
	ret->trailers = out->trailers;
	ret->trailer_count = out->trailer_count;
	ret->content_type = (struct slice){ out->type, out->type_len };
}

bool outgoing_so_far(const struct outgoing *out, uint64_t exchange, enum message_kind kind, struct message_end *ret)
{
	if (!out->is_open || !out->is_told || out->exchange != exchange || out->kind != kind)
		return false;
	books_tell(out, ret);
	return true;
}

void outgoing_end(struct outgoing *out, enum message_end_how how, enum close_how conn_how)
{
	struct message_end end = { .how = how, .conn_how = conn_how };

	if (!out->is_open)
		return;
	if (has_body(out) && !out->is_skipped)
		body_end(&out->body, how == MESSAGE_END_FRAMED);
	if (out->is_told) {
		books_tell(out, &end);
		end.time_ns = out->last_ns;
		out->proto->ops->end(out->proto->user, out->exchange, out->kind, &end);
	} else {
		out->proto->stray_bytes += out->stream_bytes;
	}
	outgoing_free(out);
}

void outgoing_free(struct outgoing *out)
{
	if (has_body(out))
		body_free(&out->body);
	*out = (struct outgoing){ 0 };
}
