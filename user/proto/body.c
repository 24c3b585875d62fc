/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each decoder's output is the next one's input, the last one's goes to the frame: one function per link, called with views
 * of the decoder's own block, so nothing is kept between the stages.
 */
#include "proto/body.h"
#include <errno.h>

static const uint64_t ratio_free_bytes = 1 << 20; /* below it any ratio is believed: ten spaces compress well */

void body_init(struct body *body, const struct proto_opts *opts, const struct body_shape *shape,
	       const struct frame_ops *ops, void *user)
{
	*body = (struct body){ .opts = opts, .shape = *shape };
	if (shape->is_unknown_coding)
		body->error = -EBADMSG;
	frame_init(&body->frame, shape->frame, opts->alloc, opts->event_bytes_max, ops, user);
	body->frame.is_two_way = shape->is_two_way;
	body->frame.grpc = (struct frame_grpc){ .coding = shape->message_coding, .inflate_ratio = opts->inflate_ratio };
}

void body_free(struct body *body)
{
	for (size_t i = 0; i < BODY_CODINGS_MAX; i++)
		body->codings[i] = coding_free(body->codings[i]);
	frame_free(&body->frame);
}

/* Decoded bytes of any stage are bounded against what travelled, so that nested codings cannot multiply their ratios. */
static int output_check(struct body *body, size_t more)
{
	uint64_t out = body->out + more;

	if (out > body->opts->inflate_max)
		return -E2BIG;
	return out > ratio_free_bytes && out / body->opts->inflate_ratio > body->in ? -E2BIG : 0;
}

static int last_out(void *user, struct slice bytes)
{
	struct body *body = user;
	int r = output_check(body, bytes.len);

	if (r < 0)
		return r;
	body->out += bytes.len;
	frame_feed(&body->frame, bytes, body->time_ns);
	return 0;
}

static int first_of_two_out(void *user, struct slice bytes)
{
	struct body *body = user;
	int r = output_check(body, bytes.len);

	return r < 0 ? r : coding_feed(body->codings[1], bytes, last_out, body);
}

static int codings_open(struct body *body)
{
	size_t count = body->shape.coding_count;

	for (size_t i = 0; i < count; i++) {
		int r = body->codings[i]
				? 0
				: coding_new(body->opts->alloc, body->shape.codings[count - 1 - i], &body->codings[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int decode(struct body *body, struct slice bytes)
{
	int r = codings_open(body);

	if (r < 0)
		return r;
	if (body->shape.coding_count == 0) {
		frame_feed(&body->frame, bytes, body->time_ns);
		return 0;
	}
	return coding_feed(body->codings[0], bytes, body->shape.coding_count == 2 ? first_of_two_out : last_out, body);
}

/* The bytes behind which nothing more is learnt about the coding; false: they are all kept, more must come. */
static bool sniff(struct body *body, struct slice *bytes)
{
	static const char *const magics[] = { "\x1f\x8b", "\x28\xb5\x2f\xfd" };

	while (bytes->len && body->first_len < sizeof(body->first)) {
		bool is_open = false;

		body->first[body->first_len++] = bytes->data[0];
		*bytes = slice_from(*bytes, 1);
		for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
			is_open |= body->first_len < strlen(magics[i]) &&
				   memcmp(magics[i], body->first, body->first_len) == 0;
		if (!is_open)
			break;
		if (!bytes->len)
			return false;
	}
	body->shape.codings[0] = coding_kind_sniff((struct slice){ body->first, body->first_len });
	body->shape.coding_count = body->shape.codings[0] != CODING_IDENTITY;
	body->shape.is_sniffed = false;
	return true;
}

static int feed(struct body *body, struct slice bytes)
{
	int r = 0;

	if (body->shape.is_sniffed) {
		if (!sniff(body, &bytes))
			return 0;
		r = decode(body, (struct slice){ body->first, body->first_len });
	}
	return r < 0 || !bytes.len ? r : decode(body, bytes);
}

int body_feed(struct body *body, struct slice bytes, uint64_t time_ns)
{
	if (body->error || !bytes.len)
		return body->error;
	body->in += bytes.len;
	body->time_ns = time_ns;
	body->error = feed(body, bytes);
	return body->error;
}

/* A body shorter than what sniffing waits for is what it is. */
static void sniffed_flush(struct body *body)
{
	if (body->shape.is_sniffed && body->first_len)
		frame_feed(&body->frame, (struct slice){ body->first, body->first_len }, body->time_ns);
	body->shape.is_sniffed = false;
}

int body_hole(struct body *body)
{
	sniffed_flush(body);
	if (body->shape.coding_count)
		body->error = -EBADMSG;
	frame_hole(&body->frame);
	return body->error;
}

void body_end(struct body *body, bool is_whole)
{
	sniffed_flush(body);
	frame_end(&body->frame, is_whole && !body->error);
}
