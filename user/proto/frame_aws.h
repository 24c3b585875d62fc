/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of AWS's event streams (application/vnd.amazon.eventstream), one stage of struct frame. Each gives a PART_EVENT:
 *
 *	:message-type	type				data
 *	event		its :event-type			the payload
 *	exception	"exception:" :exception-type	the payload
 *	error		"exception:" :error-code	the payload, or the text of :error-message where there is none
 *
 * A message with a signature (clients sign what they send) holds another, which is told; the last one holds none. In a
 * stream in which both sides talk (frame->is_two_way) each gives a PART_MESSAGE with the bytes that it took, and where the
 * payload is nothing but {"bytes":base64}, its data are those bytes.
 *
 * A message whose checksum does not fit is told as damaged. Behind damage or a hole the next one is found by its prelude,
 * whose own checksum must fit.
 */
#pragma once
#include "proto/frame.h"

void frame_aws_feed(struct frame *frame, struct slice bytes);
void frame_aws_hole(struct frame *frame);
void frame_aws_end(struct frame *frame, bool is_whole);
/* While the kind is not known: true when @c is the last byte of a prelude. The frame may then become FRAME_AWS, empty, and
 * goes on inside this message. */
bool frame_aws_finds(struct frame *frame, char c);
void frame_aws_join(struct frame *frame);
