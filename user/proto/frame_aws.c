/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The prelude is gathered in memory of the frame's own, so that sync is never lost for want of memory: it tells how much
 * to pass over. Only then does the message go into the buffer.
 *
 *	total u32 | headers u32 | crc of these | headers | payload | crc of all before
 *	<--------- prelude (12) -------------->
 *	frame->prelude, prelude_len              frame->buf; data_len: total, 0 between messages; passed_len: seen of it
 */
#include "proto/frame_aws.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/json.h"
#include <zlib.h>

enum { PRELUDE_LEN = 12, CRC_LEN = 4, HEADERS_MAX = 128 << 10, PAYLOAD_MAX = 24 << 20 };

static uint32_t number_at(const char *at, size_t len)
{
	uint32_t number = 0;

	for (size_t i = 0; i < len; i++)
		number = number << 8 | (unsigned char)at[i];
	return number;
}

static bool crc_fits(const char *data, size_t len)
{
	return crc32(0, (const unsigned char *)data, (unsigned)len) == number_at(data + len, CRC_LEN);
}

/* Total length of the message that begins so; 0: none does. */
static size_t prelude_total(const char *prelude)
{
	size_t total = number_at(prelude, 4), headers = number_at(prelude + 4, 4), least = PRELUDE_LEN + CRC_LEN;

	if (total < least || headers > HEADERS_MAX || headers > total - least ||
	    total - least - headers > PAYLOAD_MAX || !crc_fits(prelude, PRELUDE_LEN - CRC_LEN))
		return 0;
	return total;
}

static void frame_reset(struct frame *frame)
{
	buf_reset(&frame->buf);
	frame->data_len = frame->passed_len = frame->prelude_len = frame->type_len = 0;
	frame->skipping = frame->too_long = frame->is_damaged = false;
}

/* ---- a whole message ---- */

enum { HEADER_BYTES = 6, HEADER_TEXT = 7, HEADER_TYPES = 10 };

/* Of each type of value; bytes and text have a length of two bytes before them. */
static const unsigned char value_len[HEADER_TYPES] = { 0, 0, 1, 2, 4, 8, 0, 0, 8, 16 };

enum { NAME_MESSAGE, NAME_EVENT, NAME_EXCEPTION, NAME_ERROR_CODE, NAME_ERROR_TEXT, _NAME_MAX };
static const struct slice names[_NAME_MAX] = {
	[NAME_MESSAGE] = SLICE(":message-type"),     [NAME_EVENT] = SLICE(":event-type"),
	[NAME_EXCEPTION] = SLICE(":exception-type"), [NAME_ERROR_CODE] = SLICE(":error-code"),
	[NAME_ERROR_TEXT] = SLICE(":error-message"),
};

/* @len bytes off the front; false when there are fewer. */
static bool take(struct slice *rest, size_t len, struct slice *ret)
{
	if (rest->len < len)
		return false;
	*ret = slice_head(*rest, len);
	*rest = slice_from(*rest, len);
	return true;
}

static bool header_take(struct slice *rest, struct slice *name, unsigned *type, struct slice *value)
{
	struct slice byte, len;

	if (!take(rest, 1, &byte) || !take(rest, (unsigned char)byte.data[0], name) || !take(rest, 1, &byte))
		return false;
	*type = (unsigned char)byte.data[0];
	if (*type >= HEADER_TYPES)
		return false;
	if (*type != HEADER_BYTES && *type != HEADER_TEXT)
		return take(rest, value_len[*type], value);
	return take(rest, 2, &len) && take(rest, number_at(len.data, 2), value);
}

struct message {
	struct slice got[_NAME_MAX], payload;
	bool is_signed;
};

static bool headers_read(struct slice headers, struct message *message)
{
	while (headers.len) {
		struct slice name, value;
		unsigned type;

		if (!header_take(&headers, &name, &type, &value))
			return false;
		message->is_signed |= type == HEADER_BYTES && slice_equal(name, SLICE(":chunk-signature"));
		for (size_t i = 0; type == HEADER_TEXT && i < _NAME_MAX; i++)
			if (slice_equal(name, names[i]))
				message->got[i] = value;
	}
	return true;
}

static void type_put(struct frame *frame, struct slice text)
{
	size_t len = MIN(text.len, sizeof(frame->type) - frame->type_len);

	if (len)
		memcpy(frame->type + frame->type_len, text.data, len);
	frame->type_len += len;
}

/* @text: whole, its checksums fit. false: and yet it is no message. */
static bool message_read(struct slice text, struct message *ret)
{
	size_t headers_len = number_at(text.data + 4, 4);

	*ret = (struct message){ .payload = slice_from(text, PRELUDE_LEN + headers_len) };
	ret->payload.len -= CRC_LEN;
	return headers_read(slice_head(slice_from(text, PRELUDE_LEN), headers_len), ret);
}

static bool is_message(struct slice text)
{
	return text.len >= PRELUDE_LEN + CRC_LEN && prelude_total(text.data) == text.len &&
	       crc_fits(text.data, text.len - CRC_LEN);
}

/* What {"bytes":base64} holds, in its own place in the buffer; anything else as it is. */
static struct slice blob_open(struct frame *frame, struct slice payload)
{
	struct slice text = json_raw_text(json_get(payload, SLICE("bytes"))), got;

	if (!text.len || json_check(payload, 1) != 0 || json_count(payload) != 1)
		return payload;
	got = base64_decode_to(frame->buf.data + (text.data - frame->buf.data), text);
	return got.data ? got : payload;
}

static void message_type_put(struct frame *frame, const struct slice *got)
{
	frame->type_len = 0;
	if (!slice_equal(got[NAME_MESSAGE], SLICE("exception")) && !slice_equal(got[NAME_MESSAGE], SLICE("error"))) {
		type_put(frame, got[NAME_EVENT]);
		return;
	}
	type_put(frame, SLICE("exception:"));
	type_put(frame, got[NAME_EXCEPTION].len ? got[NAME_EXCEPTION] : got[NAME_ERROR_CODE]);
}

/* false: it is none, though its checksums fit. */
static bool message_tell(struct frame *frame, struct slice text)
{
	struct message message;
	struct slice data;

	if (!message_read(text, &message))
		return false;
	if (message.is_signed && !message.payload.len)
		return true;
	if (message.is_signed && (!is_message(message.payload) || !message_read(message.payload, &message)))
		return false;
	message_type_put(frame, message.got);
	data = frame->is_two_way ? blob_open(frame, message.payload) : message.payload;
	frame->ops->part(frame->user, &(struct message_part){
					      .kind = frame->is_two_way ? PART_MESSAGE : PART_EVENT,
					      .type = { frame->type, frame->type_len },
					      .data = data.len ? data : message.got[NAME_ERROR_TEXT],
					      .time_ns = frame->time_ns,
					      .stream_bytes = frame->is_two_way ? frame->data_len : 0,
				      });
	return true;
}

static void tell_damage(struct frame *frame, size_t len)
{
	if (frame->ops->damaged)
		frame->ops->damaged(frame->user, len);
	else
		frame->ops->lost(frame->user, len);
}

static void message_finish(struct frame *frame)
{
	struct slice message = buf_slice(&frame->buf);

	if (frame->too_long)
		frame->ops->lost(frame->user, frame->data_len);
	else if (!crc_fits(message.data, message.len - CRC_LEN) || !message_tell(frame, message))
		tell_damage(frame, frame->data_len);
	frame_reset(frame);
}

/* ---- bytes to messages ---- */

static void message_put(struct frame *frame, struct slice bytes)
{
	frame->passed_len += bytes.len;
	if (frame->too_long)
		return;
	buf_put(&frame->buf, bytes);
	frame->too_long = frame->buf.failed;
	if (frame->too_long)
		buf_free(&frame->buf);
}

static void message_feed(struct frame *frame, struct slice *bytes)
{
	size_t len = MIN(frame->data_len - frame->passed_len, bytes->len);

	message_put(frame, slice_head(*bytes, len));
	*bytes = slice_from(*bytes, len);
	if (frame->passed_len == frame->data_len)
		message_finish(frame);
}

static void message_begin(struct frame *frame, size_t total)
{
	struct slice prelude = { frame->prelude, PRELUDE_LEN };

	if (frame->is_damaged)
		tell_damage(frame, frame->passed_len);
	frame_reset(frame);
	frame->data_len = total;
	message_put(frame, prelude);
}

static void prelude_slide(struct frame *frame)
{
	frame->prelude_len = PRELUDE_LEN - 1;
	memmove(frame->prelude, frame->prelude + 1, PRELUDE_LEN - 1);
}

static void prelude_feed(struct frame *frame, struct slice *bytes)
{
	size_t len = MIN(PRELUDE_LEN - frame->prelude_len, bytes->len), total;

	memcpy(frame->prelude + frame->prelude_len, bytes->data, len);
	frame->prelude_len += len;
	*bytes = slice_from(*bytes, len);
	if (frame->prelude_len < PRELUDE_LEN)
		return;
	total = prelude_total(frame->prelude);
	if (total) {
		message_begin(frame, total);
		return;
	}
	frame->is_damaged |= !frame->skipping;
	frame->passed_len++;
	prelude_slide(frame);
}

void frame_aws_feed(struct frame *frame, struct slice bytes)
{
	while (bytes.len) {
		if (frame->data_len)
			message_feed(frame, &bytes);
		else
			prelude_feed(frame, &bytes);
	}
}

void frame_aws_hole(struct frame *frame)
{
	if (frame->is_damaged)
		tell_damage(frame, frame->passed_len + frame->prelude_len);
	frame_reset(frame);
	frame->skipping = true;
}

void frame_aws_end(struct frame *frame, bool is_whole)
{
	size_t open = frame->data_len ? frame->passed_len : frame->passed_len + frame->prelude_len;

	/* What a cut left open is told by the cut. */
	if (frame->is_damaged || (is_whole && open && !frame->skipping))
		tell_damage(frame, open);
	frame_reset(frame);
}

bool frame_aws_finds(struct frame *frame, char c)
{
	if (frame->prelude_len == PRELUDE_LEN)
		prelude_slide(frame);
	frame->prelude[frame->prelude_len++] = c;
	return frame->prelude_len == PRELUDE_LEN && prelude_total(frame->prelude);
}

void frame_aws_join(struct frame *frame)
{
	frame->is_damaged = false;
	message_begin(frame, prelude_total(frame->prelude));
}
