/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream that is one JSON array: each element is told as a line, at the time of its last byte. Only what is asked for by
 * a method that streams can be one; a body that then begins with anything but '[' is told as the bytes it is.
 *
 * After a hole the place in the array is not known. It is found again where an object begins a line: inside an element no
 * writer puts one there, strings hold no raw line ends, and what is nested is indented or on one line.
 */
#pragma once
#include "proto/frame.h"

/* Whether the request's @target (path and query) names such a method: "…:stream…Content", without alt=sse. */
bool frame_target_streams(struct slice target);
/* How a good answer is framed, by its content type and by frame_target_streams() of its request. */
enum frame_kind frame_kind_of_answer(struct slice content_type, bool target_streams);

void frame_array_feed(struct frame *frame, struct slice bytes);
void frame_array_hole(struct frame *frame);
void frame_array_end(struct frame *frame);
